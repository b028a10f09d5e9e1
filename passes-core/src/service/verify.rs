//! Proving the books: each stored balance is what its entries make it (W-1, D-7).

use super::making::{passes_of, value_of};
use super::{Call, Error, Passes, stored};
use crate::id::{ContactId, CreditId, Id, LotId, PassId, PlanId, TermsId};
use crate::ledger::{Account, Entry, Mark, Subject, Unit};
use crate::limits;
use crate::lot::Lot;
use crate::money::{Currency, Money};
use crate::operation::{By, Right};
use crate::pass::{CreditRow, PassRow, Tally, flag};
use crate::plan::{Terms, Usage};
use crate::store::{AuditRow, Doc, DocKind, PageQuery, TallyKey};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How many drifts are told one by one.
const TOLD: usize = 1_000;

/// Something stored that is not what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What it is about:
    ///
    /// - `pass balance`, `pass granted`, `credit`: what is left, against the entries;
    /// - `pass missing`, `credit missing`: entries without the row that they are about; of several passes in a
    ///   row the first one is named;
    /// - `lot balance`: all passes of a lot, against the entries; `lot passes`: how many there are;
    /// - `pass uses`: uses, against the balance;
    /// - `bound`: what a tally counts, against its limit (or it counts below zero);
    /// - `plan passes`, `plan value`: what is counted against the caps of a plan, against its passes;
    /// - `entry`: an entry with an amount, a subject or a currency that it can't have;
    /// - `books`: all accounts together, which have to come to zero.
    pub what: &'static str,
    /// The id of the pass, credit, lot or plan; the number of the entry.
    pub subject: String,
    /// What is stored.
    pub stored: i64,
    /// What the entries, or the passes, make it.
    pub expected: i64,
    /// What both count; nothing for a plain number.
    pub unit: Option<Unit>,
}

/// The outcome of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many entries were read.
    pub entries: u64,
    /// How many passes.
    pub passes: u64,
    /// How many credits.
    pub credits: u64,
    /// How many named tallies.
    pub tallies: u64,
    /// How many drifts there are.
    pub drifted: u64,
    /// The first 1,000 of them.
    pub drifts: Vec<Drift>,
}

impl Verified {
    /// Whether everything is as it has to be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.drifted == 0
    }

    fn tell(
        &mut self,
        what: &'static str,
        subject: impl ToString,
        stored: i128,
        expected: i128,
        unit: Option<Unit>,
    ) {
        if stored != expected {
            self.drift(what, subject, stored, expected, unit);
        }
    }

    fn drift(
        &mut self,
        what: &'static str,
        subject: impl ToString,
        stored: i128,
        expected: i128,
        unit: Option<Unit>,
    ) {
        self.drifted += 1;
        if self.drifts.len() < TOLD {
            let (stored, expected) = (narrow(stored), narrow(expected));
            self.drifts.push(Drift { what, subject: subject.to_string(), stored, expected, unit });
        }
    }
}

/// A sum as it is told: what a ledger of checked amounts can't come to is told as the largest number.
fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// What a business owes to the holders of passes and credits, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liability {
    /// The currency.
    pub currency: Currency,
    /// The part that was paid for.
    pub paid: Money,
    /// The part that was given.
    pub granted: Money,
    /// The part that is on passes.
    pub outstanding: Money,
    /// The part that is in wallets.
    pub credit: Money,
}

impl Liability {
    /// All of it: outstanding plus credit, which is paid plus granted.
    ///
    /// # Errors
    /// `OVERFLOW` beyond the range of money.
    pub fn total(&self) -> Result<Money, crate::Refusal> {
        self.outstanding.plus(self.credit)
    }
}

impl Passes {
    /// Proves the books of the business, in one snapshot: each pass and each credit holds what its entries make
    /// it, mark by mark; each lot's outstanding value is the sum of its passes; the books sum to zero; each
    /// tally keeps its bound; the uses of a pass fit its balance; what a plan's caps count is what its passes
    /// come to (left out while a lot of the plan is being made).
    ///
    /// It reads everything once. Memory grows with the lots, with the credits that have something left, and with
    /// the passes whose balance differs from their neighbour's: a lot that was sold as a whole takes as much as
    /// one pass.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; a failing store. Drifts are in the answer.
    pub fn verify<'a>(&'a self, by: &'a By) -> Call<'a, Verified> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let (lots, before) = self.facts(by).await?;
            let audit = Arc::new(Mutex::new(Audit::new(lots, before.keys())));
            let rows = Arc::clone(&audit);
            let each = move |row| rows.lock().unwrap_or_else(PoisonError::into_inner).row(row);
            self.inner.store.audit(by.business, Box::new(each)).await?;
            let audit = std::mem::take(&mut *audit.lock().unwrap_or_else(PoisonError::into_inner));
            // A plan of which passes were made meanwhile can't be judged by lots that were read before.
            let (_, mut plans) = self.facts(by).await?;
            plans.retain(|plan, made| made.complete && before.get(plan) == Some(made));
            Ok(audit.finish(plans.into_keys()))
        })
    }

    /// What the business owes now to holders of passes and credits, by currency, from the ledger. An unsold
    /// draft is no liability; what has expired is one until it is booked to breakage.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `BAD_AMOUNT` beyond the range of money; a failing store.
    pub fn liability<'a>(&'a self, by: &'a By) -> Call<'a, Vec<Liability>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let accounts = Arc::new(Mutex::new(Accounts::default()));
            let rows = Arc::clone(&accounts);
            let each = move |row| {
                if let AuditRow::Entry(stored) = row {
                    rows.lock().unwrap_or_else(PoisonError::into_inner).add(&stored.entry);
                }
            };
            self.inner.store.audit(by.business, Box::new(each)).await?;
            let accounts = std::mem::take(&mut *accounts.lock().unwrap_or_else(PoisonError::into_inner));
            let mut owed: BTreeMap<Currency, Owed> = BTreeMap::new();
            for ((unit, account, mark), sum) in accounts.0 {
                if let (Some(Unit::Money(currency)), true) = (Unit::from_number(unit), account.is_liability()) {
                    let owed = owed.entry(currency).or_default();
                    *(if mark == Mark::Paid { &mut owed.paid } else { &mut owed.granted }) += sum;
                    *(if account == Account::Credit { &mut owed.credit } else { &mut owed.outstanding }) += sum;
                }
            }
            owed.into_iter().map(|(currency, owed)| owed.told(currency)).collect()
        })
    }

    /// What verifying needs to know of each lot, and of each plan what was made of it.
    async fn facts(&self, by: &By) -> Result<(HashMap<LotId, Facts>, BTreeMap<PlanId, Made>), Error> {
        let mut terms: HashMap<TermsId, (Currency, Usage)> = HashMap::new();
        self.each_doc(by, DocKind::Terms, |doc| {
            let found: Terms = stored::read(&doc.body)?;
            terms.insert(TermsId::from_bytes(doc.key.id), (found.currency, found.usage));
            Ok(())
        })
        .await?;
        let mut lots = HashMap::new();
        let mut plans: BTreeMap<PlanId, Made> = BTreeMap::new();
        self.each_doc(by, DocKind::Lot, |doc| {
            let lot: Lot = stored::read(&doc.body)?;
            let made = plans.entry(lot.plan).or_insert(Made { lots: 0, passes: 0, complete: true });
            made.lots += 1;
            made.passes += u64::from(lot.count);
            made.complete &= lot.complete;
            let count = lot.complete.then_some(lot.count);
            // Terms that came after their page was read: the lot counts as one that is not known yet.
            if let Some((currency, usage)) = terms.get(&lot.terms).copied() {
                lots.insert(lot.id, Facts { plan: lot.plan, currency, usage, count });
            }
            Ok(())
        })
        .await?;
        Ok((lots, plans))
    }

    async fn each_doc(
        &self,
        by: &By,
        kind: DocKind,
        mut each: impl FnMut(&Doc) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let (business, limit) = (by.business, limits::PAGE);
            let query = PageQuery::Docs { business, kind, parent: None, after, limit };
            let docs = self.inner.store.page(&query).await?.docs;
            docs.iter().try_for_each(&mut each)?;
            after = docs.last().map(|doc| doc.key.id);
            if u32::try_from(docs.len()).is_ok_and(|n| n < limit) {
                return Ok(());
            }
        }
    }
}

/// What verifying needs to know of a lot.
struct Facts {
    plan: PlanId,
    currency: Currency,
    usage: Usage,
    /// How many passes it has; none while it is being made.
    count: Option<u32>,
}

/// What was made of a plan.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Made {
    lots: u64,
    passes: u64,
    complete: bool,
}

/// What is owed in one currency, in minor units.
#[derive(Default)]
struct Owed {
    paid: i128,
    granted: i128,
    outstanding: i128,
    credit: i128,
}

impl Owed {
    fn told(&self, currency: Currency) -> Result<Liability, Error> {
        let money = |sum| Money::from_minor(narrow(sum), currency);
        Ok(Liability {
            currency,
            paid: money(self.paid)?,
            granted: money(self.granted)?,
            outstanding: money(self.outstanding)?,
            credit: money(self.credit)?,
        })
    }
}

/// The balances of the accounts, by unit and mark.
#[derive(Default)]
struct Accounts(BTreeMap<(u16, Account, Mark), i128>);

impl Accounts {
    fn add(&mut self, entry: &Entry) {
        for (account, amount) in sides(entry) {
            *self.0.entry((entry.unit.number(), account.0, entry.mark)).or_default() += amount;
        }
    }
}

/// Both sides of an entry, with what it adds to each.
fn sides(entry: &Entry) -> [((Account, Subject), i128); 2] {
    [(entry.from, -i128::from(entry.amount)), (entry.to, i128::from(entry.amount))]
}

/// An amount of each mark.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct ByMark {
    granted: i128,
    paid: i128,
}

impl ByMark {
    fn add(&mut self, mark: Mark, amount: i128) {
        *(if mark == Mark::Paid { &mut self.paid } else { &mut self.granted }) += amount;
    }

    fn total(self) -> i128 {
        self.granted + self.paid
    }
}

/// What the entries make of the passes.
///
/// A pass's id is a number, and passes of a lot have consecutive ones. So it is enough to know where the balance
/// of the passes changes, seen from the pass before: an entry about a range of passes changes two places.
#[derive(Default)]
struct Sweep {
    /// By how much the balance changes at a pass.
    steps: BTreeMap<u128, ByMark>,
    /// The balance where the sweep stands.
    level: ByMark,
    /// The first pass that the sweep has not come to.
    next: u128,
}

impl Sweep {
    /// Adds an amount to each of some passes.
    fn add(&mut self, first: PassId, count: u32, mark: Mark, each: i128) {
        let first = number_of(first);
        for (at, amount) in [(first, each), (first.saturating_add(count.into()), -each)] {
            let step = self.steps.entry(at).or_default();
            step.add(mark, amount);
            if *step == ByMark::default() {
                self.steps.remove(&at);
            }
        }
    }

    /// The balance of the next pass that is there. Passes before it that should be there are told.
    fn come_to(&mut self, pass: u128, missing: &mut Verified) -> ByMark {
        while let Some(entry) = self.steps.first_entry().filter(|entry| *entry.key() <= pass) {
            let (at, step) = entry.remove_entry();
            self.skip(at, missing);
            self.level.granted += step.granted;
            self.level.paid += step.paid;
        }
        self.skip(pass, missing);
        self.next = pass.saturating_add(1);
        self.level
    }

    fn skip(&mut self, to: u128, missing: &mut Verified) {
        if to > self.next && self.level != ByMark::default() {
            let first = PassId::from_bytes(self.next.to_be_bytes());
            missing.tell("pass missing", first, 0, self.level.total(), None);
        }
        self.next = self.next.max(to);
    }
}

fn number_of(pass: PassId) -> u128 {
    u128::from_be_bytes(pass.to_bytes())
}

/// The lot whose passes are being read.
struct OfLot {
    lot: LotId,
    balance: i128,
    passes: u32,
}

/// An audit under way: the rows come in the order entries, passes, credits, tallies.
#[derive(Default)]
struct Audit {
    verified: Verified,
    lots: HashMap<LotId, Facts>,
    accounts: Accounts,
    sweep: Sweep,
    /// What the entries make of each lot; lots that were read are taken out.
    by_lot: BTreeMap<LotId, i128>,
    lot: Option<OfLot>,
    /// What the entries make of each credit, with the unit's number; those read are taken out.
    credits: BTreeMap<(ContactId, CreditId), (ByMark, u16)>,
    /// The passes of each plan that were not replaced: how many, and their value.
    plans: BTreeMap<PlanId, (i128, i128)>,
    /// The tallies of plans, by id.
    tallies: HashMap<[u8; 16], i128>,
}

impl Audit {
    fn new<'a>(lots: HashMap<LotId, Facts>, plans: impl Iterator<Item = &'a PlanId>) -> Self {
        let tallies = plans.flat_map(|plan| [passes_of(*plan), value_of(*plan)]);
        let tallies = tallies.filter_map(|key| tally_id(key).map(|id| (id, 0))).collect();
        Self { lots, tallies, ..Self::default() }
    }

    fn row(&mut self, row: AuditRow) {
        match row {
            AuditRow::Entry(stored) => self.entry(stored.number, &stored.entry),
            AuditRow::Pass(row) => self.pass(&row),
            AuditRow::Credit(row) => self.credit(&row),
            AuditRow::Tally(id, _, tally) => {
                self.verified.tallies += 1;
                self.bound(format!("{:032x}", u128::from_be_bytes(id)), tally);
                self.tallies.entry(id).and_modify(|sum| *sum += i128::from(tally.used));
            }
        }
    }

    fn entry(&mut self, number: u64, entry: &Entry) {
        self.verified.entries += 1;
        self.accounts.add(entry);
        let unit = entry.unit.number();
        let mut sound = entry.amount > 0;
        for ((account, subject), amount) in sides(entry) {
            match (account, subject) {
                (Account::Outstanding, Subject::Pass(pass)) => {
                    sound &= self.on_passes(entry, pass, 1, amount);
                }
                (Account::Outstanding, Subject::Passes { first, count }) => {
                    sound &= self.on_passes(entry, first, count, amount);
                }
                (Account::Credit, Subject::Credit(contact, credit)) => {
                    let key = (contact, credit);
                    let (sum, was) = self.credits.entry(key).or_insert((ByMark::default(), unit));
                    sum.add(entry.mark, amount);
                    sound &= *was == unit;
                    if *sum == ByMark::default() {
                        self.credits.remove(&key);
                    }
                }
                (account, Subject::None) if !account.is_liability() => {}
                _ => sound = false,
            }
        }
        if !sound {
            let amount = i128::from(entry.amount);
            self.verified.drift("entry", number, amount, amount, Some(entry.unit));
        }
    }

    /// Whether an entry about passes can be right.
    fn on_passes(&mut self, entry: &Entry, first: PassId, count: u32, amount: i128) -> bool {
        let lot = first.lot();
        *self.by_lot.entry(lot).or_default() += amount;
        if count == 0 || amount % i128::from(count) != 0 {
            return false;
        }
        self.sweep.add(first, count, entry.mark, amount / i128::from(count));
        self.lots.get(&lot).is_none_or(|facts| Unit::Money(facts.currency) == entry.unit)
    }

    fn pass(&mut self, row: &PassRow) {
        self.verified.passes += 1;
        let lot = row.id.lot();
        let made = self.sweep.come_to(number_of(row.id), &mut self.verified);
        let booked = row.flags & flag::BOOKED != 0;
        let left = |tally: Tally| if booked { i128::from(tally.limit) - i128::from(tally.used) } else { 0 };
        let (balance, granted) = (left(row.balance), left(row.granted));
        let facts = self.lots.get(&lot);
        let unit = facts.map(|facts| Unit::Money(facts.currency));
        self.verified.tell("pass balance", row.id, balance, made.total(), unit);
        self.verified.tell("pass granted", row.id, granted, made.granted, unit);
        if let Some(facts) = facts {
            self.verified.tell("pass uses", row.id, row.uses.used.into(), uses(row, facts.usage), None);
            if row.successor.is_none() {
                let of_plan = self.plans.entry(facts.plan).or_default();
                of_plan.0 += 1;
                of_plan.1 += total(row, facts.usage);
            }
        }
        if granted > balance {
            self.verified.drift("bound", row.id, granted, balance, unit);
        }
        for tally in [row.uses, row.balance, row.granted] {
            self.bound(row.id, tally);
        }
        if self.lot.as_ref().is_none_or(|of| of.lot != lot) {
            self.end_lot();
            self.lot = Some(OfLot { lot, balance: 0, passes: 0 });
        }
        if let Some(of) = &mut self.lot {
            of.balance += balance;
            of.passes = of.passes.saturating_add(1);
        }
    }

    /// Judges the lot whose passes were read.
    fn end_lot(&mut self) {
        let Some(of) = self.lot.take() else { return };
        let made = self.by_lot.remove(&of.lot).unwrap_or_default();
        let facts = self.lots.get_mut(&of.lot);
        let unit = facts.as_ref().map(|facts| Unit::Money(facts.currency));
        // What is left here at the end has no passes at all.
        let count = facts.and_then(|facts| facts.count.take());
        self.verified.tell("lot balance", of.lot, of.balance, made, unit);
        if let Some(count) = count {
            self.verified.tell("lot passes", of.lot, of.passes.into(), count.into(), None);
        }
    }

    fn credit(&mut self, row: &CreditRow) {
        self.verified.credits += 1;
        self.bound(row.id, row.amount);
        let left = i128::from(row.amount.limit) - i128::from(row.amount.used);
        let mut stored = ByMark::default();
        stored.add(row.mark, left);
        let unit = self.lots.get(&row.pass.lot()).map(|facts| Unit::Money(facts.currency));
        let (made, was) = self.credits.remove(&(row.contact, row.id)).unwrap_or_default();
        self.verified.tell("credit", row.id, stored.paid, made.paid, unit);
        self.verified.tell("credit", row.id, stored.granted, made.granted, unit);
        if let Some(unit) = unit.filter(|unit| made != ByMark::default() && unit.number() != was) {
            self.verified.drift("credit", row.id, left, 0, Some(unit));
        }
    }

    fn bound(&mut self, subject: impl ToString, tally: Tally) {
        if !tally.holds() {
            let used = i128::from(tally.used) + i128::from(tally.held);
            self.verified.drift("bound", subject, used, tally.limit.into(), None);
        }
    }

    fn finish(mut self, plans: impl Iterator<Item = PlanId>) -> Verified {
        self.end_lot();
        self.sweep.come_to(u128::MAX, &mut self.verified);
        let verified = &mut self.verified;
        for (lot, made) in self.by_lot {
            verified.tell("lot balance", lot, 0, made, None);
        }
        for (lot, facts) in &self.lots {
            verified.tell("lot passes", lot, 0, facts.count.unwrap_or_default().into(), None);
        }
        for ((_, credit), (made, unit)) in self.credits {
            verified.tell("credit missing", credit, 0, made.total(), Unit::from_number(unit));
        }
        let tally = |key| tally_id(key).and_then(|id| self.tallies.get(&id).copied()).unwrap_or_default();
        for plan in plans {
            let (passes, value) = self.plans.get(&plan).copied().unwrap_or_default();
            verified.tell("plan passes", plan, tally(passes_of(plan)), passes, None);
            verified.tell("plan value", plan, tally(value_of(plan)), value, None);
        }
        let mut books: BTreeMap<u16, i128> = BTreeMap::new();
        self.accounts.0.iter().for_each(|((unit, ..), sum)| *books.entry(*unit).or_default() += sum);
        for (unit, sum) in books {
            verified.tell("books", unit, sum, 0, Unit::from_number(unit));
        }
        self.verified
    }
}

fn tally_id(key: TallyKey) -> Option<[u8; 16]> {
    match key {
        TallyKey::Named(id, _) => Some(id),
        _ => None,
    }
}

/// How many uses the balance of a pass comes to: a single one, or one of several that credit the full value
/// each, is used as soon as it is opened. Where uses share the value, the balance doesn't tell.
fn uses(row: &PassRow, usage: Usage) -> i128 {
    let used = i128::from(row.balance.used);
    match (usage, row.value.map(i128::from)) {
        _ if row.balance.held != 0 || row.uses.held != 0 => row.uses.used.into(),
        (Usage::Shared(_), _) => row.uses.used.into(),
        (_, Some(value)) if value > 0 => used.div_euclid(value) + i128::from(used.rem_euclid(value) != 0),
        _ => 0,
    }
}

/// All that a pass was made to give.
fn total(row: &PassRow, usage: Usage) -> i128 {
    let value = row.value.map_or(0, i128::from);
    match usage {
        Usage::Full(n) => value * i128::from(n),
        Usage::Single | Usage::Shared(_) => value,
    }
}

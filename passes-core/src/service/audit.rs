//! Going through the books of a business, row by row.

use super::making::{passes_of, value_of};
use super::verify::Verified;
use crate::id::{ContactId, CreditId, Id, LotId, PassId, PlanId};
use crate::ledger::{Account, Entry, Mark, Subject, Unit};
use crate::money::Currency;
use crate::pass::{CreditRow, PassRow, Tally, flag};
use crate::plan::Usage;
use crate::store::{AuditRow, TallyKey};
use std::collections::{BTreeMap, HashMap};

/// What verifying needs to know of a lot.
pub(super) struct Facts {
    pub(super) plan: PlanId,
    pub(super) currency: Currency,
    pub(super) usage: Usage,
    /// How many passes it has; none while it is being made.
    pub(super) count: Option<u32>,
}

/// The balances of the accounts, by unit and mark.
#[derive(Default)]
pub(super) struct Accounts(pub(super) BTreeMap<(u16, Account, Mark), i128>);

impl Accounts {
    pub(super) fn add(&mut self, entry: &Entry) {
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
pub(super) struct Audit {
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
    pub(super) fn new<'a>(lots: HashMap<LotId, Facts>, plans: impl Iterator<Item = &'a PlanId>) -> Self {
        let tallies = plans.flat_map(|plan| [passes_of(*plan), value_of(*plan)]);
        let tallies = tallies.filter_map(|key| tally_id(key).map(|id| (id, 0))).collect();
        Self { lots, tallies, ..Self::default() }
    }

    pub(super) fn row(&mut self, row: AuditRow) {
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

    pub(super) fn finish(mut self, plans: impl Iterator<Item = PlanId>) -> Verified {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::id::Ids;
    use crate::ledger::StoredEntry;
    use proptest::prelude::*;

    /// W-1: rows that entries speak of and that are gone are found, by the thousand too, and only the first are told.
    #[test]
    fn missing_rows_are_found() {
        let lot = Ids::new(&[5; 32], Instant::EPOCH).draw_lot();
        let entry = |number: u64, to: (Account, Subject), amount: i64| {
            let unit = Unit::Money(Currency::EUR);
            let entry = Entry {
                from: (Account::Received, Subject::None),
                to,
                unit,
                amount,
                mark: Mark::Paid,
                line: None,
            };
            let (at, booked) = (Instant::EPOCH, Instant::EPOCH);
            AuditRow::Entry(StoredEntry {
                number,
                operation: 1,
                at,
                booked,
                entry,
                before_from: 0,
                before_to: 0,
            })
        };
        let one = |serial| (Account::Outstanding, Subject::Pass(lot.pass(serial)));
        let plan = PlanId::from_bytes([1; 16]);
        let facts = || {
            let facts = Facts { plan, currency: Currency::EUR, usage: Usage::Single, count: Some(9_000) };
            [(lot, facts)].into()
        };
        let mut audit = Audit::new(facts(), std::iter::empty());
        let range = (Account::Outstanding, Subject::Passes { first: lot.pass(1), count: 9_000 });
        audit.row(entry(1, range, 9_000));
        let credit = Subject::Credit(Id::from_bytes([2; 16]), Id::from_bytes([3; 16]));
        audit.row(entry(2, (Account::Credit, credit), 5));
        let verified = audit.finish(std::iter::empty());
        let found: Vec<_> = verified.drifts.iter().map(|d| (d.what, d.stored, d.expected)).collect();
        let expected = [
            ("pass missing", 0, 1),
            ("lot balance", 0, 9_000),
            ("lot passes", 0, 9_000),
            ("credit missing", 0, 5),
        ];
        assert_eq!(found, expected);

        // An amount that can't be shared out, and one of another currency than the lot's.
        let mut audit = Audit::new(facts(), std::iter::empty());
        audit.row(entry(1, (Account::Outstanding, Subject::Passes { first: lot.pass(1), count: 2 }), 3));
        let mut yen = entry(2, one(1), 3);
        if let AuditRow::Entry(stored) = &mut yen {
            stored.entry.unit = Unit::Money(Currency::JPY);
        }
        audit.row(yen);
        let entries = audit.finish(std::iter::empty()).drifts;
        assert_eq!(entries.iter().filter(|d| d.what == "entry").count(), 2);

        let mut audit = Audit::new(facts(), std::iter::empty());
        for serial in 0..2_000 {
            audit.row(entry(serial.into(), one(serial * 2 + 1), 5));
        }
        let verified = audit.finish(std::iter::empty());
        assert_eq!((verified.drifts.len(), verified.drifted), (1_000, 2_002));
    }

    proptest! {
        /// W-1: the sweep comes to what adding up pass by pass comes to, whatever the ranges.
        #[test]
        fn a_sweep_adds_up(ranges in prop::collection::vec((1_u32..30, 1_u32..12, any::<bool>(), -9_i64..9), 0..20)) {
            let lot = Ids::new(&[5; 32], Instant::EPOCH).draw_lot();
            let (mut sweep, mut plain) = (Sweep::default(), BTreeMap::<u32, ByMark>::new());
            for (first, count, paid, each) in ranges {
                let mark = if paid { Mark::Paid } else { Mark::Granted };
                sweep.add(lot.pass(first), count, mark, each.into());
                for serial in first..first + count {
                    plain.entry(serial).or_default().add(mark, each.into());
                }
            }
            let mut verified = Verified::default();
            for serial in 1..50 {
                let made = sweep.come_to(number_of(lot.pass(serial)), &mut verified);
                prop_assert!(made == plain.get(&serial).copied().unwrap_or_default());
            }
            sweep.come_to(u128::MAX, &mut verified);
            prop_assert!(verified.is_good());
        }
    }
}

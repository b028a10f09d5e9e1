//! Reversing redemptions and spends, wholly or in part, by reference or by key (R-6, R-12).

use super::contacts::{add, contact_key, wallet};
use super::docs::{Chain, put};
use super::engine::{Draft, View, again, key_hash};
use super::redeem::{Redeemed, open_wallet, state_of};
use super::reversal::{Home, Of, Part, Returned, Reverse, Reversed};
use super::{Call, Done, Error, Passes, Receipt, stored};
use crate::calendar::Instant;
use crate::contact::{Contact, Profile};
use crate::event::{Event, Position};
use crate::id::{ContactId, CreditId, Ids, PassId};
use crate::ledger::{Account, Entry, Mark, StoredEntry, Subject, Unit};
use crate::limits;
use crate::money::Money;
use crate::operation::{By, Kind, Right};
use crate::pass::{Action, CreditRow, PassRow, Standing, Tally};
use crate::redemption::uses_given_back;
use crate::refusal::Refusal;
use crate::store::{
    Add, DocKey, DocKind, Expect, Load, Loaded, OperationKey, Put, Record, StoreError, StoredOperation,
    TallyKey,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

impl Done for Reversed {}

/// What was reversed of an operation, as it is stored: of each of its entries, in minor units.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reversal {
    pub(crate) reversed: Vec<i64>,
}

impl Passes {
    /// Reverses a redemption or a spend: money and uses return exactly to where they came from.
    ///
    /// # Errors
    /// `FORBIDDEN`; `IDEMPOTENCY_MISMATCH`, also under the key that is to be reversed; `NOT_FOUND`;
    /// `NOT_REVERSIBLE` for anything else, a reversal too; `ALREADY_REVERSED`; `BAD_AMOUNT`, `MIXED_CURRENCIES`;
    /// `REVERSAL_TOO_LARGE`; `ALREADY_SPENT` with the amount; `CONTACT_NOT_REGISTERED`, `WALLET_CURRENCY`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// use passes_core::service::{Home, Redeem, Reverse};
    /// let paid = passes.redeem(by, Redeem::direct(shop.sold(1)?, gbp("10")?)).wait()?;
    /// let back = passes.reverse(by, Reverse::operation(paid.operation).amount(gbp("4")?)).wait()?;
    /// assert_eq!(back.returned[0].home, Home::Pass(shop.card(1)));
    /// assert_eq!(passes.pass(by, shop.card(1)).wait()?.left, gbp("19")?);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn reverse<'a>(&'a self, by: &'a By, request: Reverse) -> Call<'a, Receipt<Reversed>> {
        Call::new(async move {
            self.permit(by, Right::Reverse)?;
            if request.allow_loss {
                self.permit(by, Right::BookLoss)?;
            }
            let of = match &request.of {
                Of::Operation(position) => OperationKey::Number(position.0),
                Of::Key(key) => {
                    self.early(by, limits::text("idempotency key", key, 1, limits::KEY))?;
                    OperationKey::Key(key_hash(by, key))
                }
            };
            // A conflict: the late request came in between, or a pass was replaced, and what replaced it is read the next
            // time.
            let tried = AtomicBool::new(false);
            again(|| async {
                let replaced = tried.swap(true, Ordering::Relaxed);
                let mut order = self.order(by, Right::Reverse, Kind::Reverse, &request)?;
                order.load.operation = Some(of);
                let found = self.look_ahead(by, of, &mut order.load, &request, replaced).await?;
                let request = request.clone();
                match (found, of) {
                    (false, OperationKey::Key(key)) => self.run(order, move |view| stop(view, key)).await,
                    (false, OperationKey::Number(number)) => {
                        let id = number.to_string();
                        Err(self.counted(by, Refusal::NotFound { what: "operation", id }))
                    }
                    (true, _) => self.run(order, move |view| Reversing::new(view, &request)?.draft()).await,
                }
            })
            .await
        })
    }

    /// Looks the operation up, and names the passes, credits and documents that its reversal reads.
    async fn look_ahead(
        &self,
        by: &By,
        of: OperationKey,
        load: &mut Load,
        request: &Reverse,
        replaced: bool,
    ) -> Result<bool, Error> {
        let mut first = Load::new(by.business);
        first.operation = Some(of);
        let loaded = self.inner.store.load(&first).await?;
        let Some((operation, entries)) = &loaded.operation else { return Ok(false) };
        if stops(operation, of) {
            return Ok(false);
        }
        load.docs.push(reversal_key(operation.number));
        load.docs.extend(request.to.map(contact_key));
        let mut passes = BTreeSet::new();
        for subject in entries.iter().flat_map(|e| [e.entry.from.1, e.entry.to.1]) {
            match subject {
                Subject::Pass(pass) => {
                    passes.insert(pass);
                }
                Subject::Credit(contact, credit) => load.credits.push((contact, credit)),
                _ => {}
            }
        }
        load.credits.sort_unstable();
        load.credits.dedup();
        // A replaced pass leads to its successor, and that to its own.
        let mut next: Vec<PassId> = if replaced { passes.iter().copied().collect() } else { Vec::new() };
        while !next.is_empty() && passes.len() < limits::LIST {
            let mut hop = Load::new(by.business);
            hop.passes = next;
            let rows = self.inner.store.load(&hop).await?.passes;
            next = rows.iter().filter_map(|row| row.successor).filter(|pass| passes.insert(*pass)).collect();
            next.sort_unstable();
        }
        load.passes = passes.into_iter().collect();
        Ok(true)
    }
}

fn reversal_key(operation: u64) -> DocKey {
    DocKey::numbered(DocKind::Reversal, operation)
}

/// Whether the operation stopped this key. One that bears the key is not meant, nor one that is referred to.
fn stops(operation: &StoredOperation, of: OperationKey) -> bool {
    matches!(of, OperationKey::Key(key) if operation.operation.stops == Some(key))
}

/// Stops a key whose request has not come.
fn stop(view: &View<'_>, key: crate::store::KeyHash) -> Result<Draft<Reversed>, Error> {
    match &view.loaded.operation {
        Some((operation, _)) if stops(operation, OperationKey::Key(key)) => {
            Err(Refusal::AlreadyReversed.into())
        }
        Some(_) => Err(StoreError::Conflict.into()),
        // A key can't stand for the reversal and for what it stops.
        None if view.env.key == Some(key) => Err(Refusal::IdempotencyMismatch.into()),
        None => {
            let done = Reversed { of: None, amount: None, loss: None, uses: 0, returned: Vec::new() };
            let mut draft = Draft::new(view, done);
            draft.stops = Some(key);
            draft.kind = Some(Kind::Stop);
            draft.events.push(Event::RequestStopped);
            Ok(draft)
        }
    }
}

/// A reversal under way.
struct Reversing<'a> {
    view: &'a View<'a>,
    request: &'a Reverse,
    operation: &'a StoredOperation,
    entries: &'a [StoredEntry],
    before: Reversal,
    version: Option<u32>,
    unit: Unit,
    currency: crate::money::Currency,
    ids: Ids,
    draft: Draft<Reversed>,
    adds: BTreeMap<TallyKey, i64>,
    /// What was used of credits of which something is lost: how much rests on that.
    lost_from: BTreeMap<TallyKey, i64>,
    /// The contact for what can't return to a cancelled pass, once there is one.
    heir: Option<ContactId>,
    loss: i64,
    spent: i64,
}

impl<'a> Reversing<'a> {
    fn new(view: &'a View<'a>, request: &'a Reverse) -> Result<Self, Error> {
        let loaded: &'a Loaded = view.loaded;
        let (operation, entries) = loaded.operation.as_ref().ok_or(StoreError::Conflict)?;
        let kind = operation.operation.kind;
        if !matches!(kind, Kind::Redeem | Kind::SpendPass | Kind::Spend) {
            return Err(Refusal::NotReversible { kind: kind.to_string() }.into());
        }
        let unit =
            entries.first().map(|e| e.entry.unit).ok_or_else(|| StoreError::Corrupt("no entries".into()))?;
        let Unit::Money(currency) = unit else {
            return Err(Refusal::NotReversible { kind: kind.to_string() }.into());
        };
        let doc = loaded.doc(&reversal_key(operation.number));
        let mut before: Reversal = doc.map(|doc| stored::read(&doc.body)).transpose()?.unwrap_or_default();
        before.reversed.resize(entries.len(), 0);
        let of = Some(Position(operation.number));
        let done = Reversed { of, amount: None, loss: None, uses: 0, returned: Vec::new() };
        Ok(Self {
            view,
            request,
            operation,
            entries,
            before,
            version: doc.map(|doc| doc.version),
            unit,
            currency,
            ids: Ids::new(&view.env.seed, view.env.now),
            draft: Draft::new(view, done),
            adds: BTreeMap::new(),
            lost_from: BTreeMap::new(),
            heir: None,
            loss: 0,
            spent: 0,
        })
    }

    fn money(&self, minor: i64) -> Money {
        Money::of(minor, self.currency)
    }

    /// How much returns of each entry, the last one first.
    fn parts(&self) -> Result<Vec<(usize, i64)>, Error> {
        let left: Vec<i64> = self
            .entries
            .iter()
            .zip(&self.before.reversed)
            .map(|(e, reversed)| e.entry.amount - reversed)
            .collect();
        let total: i64 = left.iter().sum();
        if total == 0 {
            return Err(Refusal::AlreadyReversed.into());
        }
        let mut parts = Vec::new();
        let sound = |wanted: Money| -> Result<Money, Refusal> {
            wanted.same_currency(self.money(0))?;
            if wanted.minor() <= 0 {
                let amount = wanted.to_string();
                return Err(Refusal::BadAmount { amount, why: "it must be above zero".into() });
            }
            Ok(wanted)
        };
        let mut take = |wanted: Money, line: Option<u32>| -> Result<(), Error> {
            let fits = |n: usize| line.is_none() || self.entries.get(n).is_some_and(|e| e.entry.line == line);
            let open: i64 = left.iter().enumerate().filter(|(n, _)| fits(*n)).map(|(_, left)| left).sum();
            if wanted.minor() > open {
                return Err(Refusal::ReversalTooLarge { left: self.money(open) }.into());
            }
            let mut rest = wanted.minor();
            for (n, left) in left.iter().enumerate().rev().filter(|(n, _)| fits(*n)) {
                let part = rest.min(*left);
                rest -= part;
                if part > 0 {
                    parts.push((n, part));
                }
            }
            Ok(())
        };
        match &self.request.part {
            Part::All => take(self.money(total), None)?,
            Part::Amount(amount) => take(sound(*amount)?, None)?,
            Part::Lines(lines) => {
                limits::list("lines", lines.len(), limits::BASKET_LINES)?;
                if lines.is_empty() {
                    return Err(Refusal::invalid("lines", "name at least one").into());
                }
                let mut by_line: BTreeMap<u32, Money> = BTreeMap::new();
                for (line, amount) in lines {
                    let sum = by_line.get(line).copied().unwrap_or(self.money(0)).plus(sound(*amount)?)?;
                    by_line.insert(*line, sum);
                }
                for (line, amount) in by_line.into_iter().rev() {
                    take(amount, Some(line))?;
                }
            }
        }
        parts.sort_unstable_by_key(|(n, _)| std::cmp::Reverse(*n));
        Ok(parts)
    }

    fn draft(mut self) -> Result<Draft<Reversed>, Error> {
        let parts = self.parts()?;
        let amount: i64 = parts.iter().map(|(_, amount)| amount).sum();
        self.view.env.by.may_move(Right::Reverse, self.money(amount))?;
        let mut to_pass: BTreeMap<PassId, (i64, i64)> = BTreeMap::new();
        for (n, part) in parts {
            let entry = self.entries.get(n).ok_or(StoreError::Conflict)?.entry.clone();
            if let Some(reversed) = self.before.reversed.get_mut(n) {
                *reversed += part;
            }
            if let Some(pass) = self.give_back(&entry, part)? {
                let of_pass = to_pass.entry(pass).or_default();
                of_pass.0 += part;
                of_pass.1 += if entry.mark == Mark::Granted { part } else { 0 };
            }
        }
        if self.spent > 0 && !self.request.allow_loss {
            return Err(Refusal::AlreadySpent { amount: self.money(self.spent) }.into());
        }
        let complete =
            self.entries.iter().zip(&self.before.reversed).all(|(e, reversed)| e.entry.amount == *reversed);
        let change = &mut self.draft.change;
        for (id, (amount, granted)) in to_pass {
            let pass = self.view.loaded.pass(id).ok_or(StoreError::Conflict)?;
            let chain = self.view.docs.chain_of(id)?;
            let took: Redeemed = stored::unpack(&self.operation.operation.receipt)?;
            let uses = uses_given_back(pass, chain.terms.usage, amount, took.uses, complete);
            self.draft.done.uses = uses;
            // The uses were told from what is used; and the pass must not be cancelled meanwhile: written as it
            // was read, it fails where it was, and so does what comes later and had read it before.
            let from = Some(pass.balance.used);
            let record = Record::Pass(Box::new(pass.clone()));
            change.put.push(Put { record, expect: Expect::Version(pass.version) });
            change.tally.push(Add::used(TallyKey::Uses(id), -uses));
            change.tally.push(Add { from, ..Add::used(TallyKey::Balance(id), -amount) });
            if granted > 0 {
                change.tally.push(Add::used(TallyKey::Granted(id), -granted));
            }
        }
        let from = |key: &TallyKey| self.lost_from.get(key).copied();
        change.tally.extend(self.adds.iter().map(|(key, n)| Add { from: from(key), ..Add::used(*key, *n) }));
        change.tally.sort_by_key(|add| add.key);
        let expect = self.version.map_or(Expect::Absent, Expect::Version);
        change.put.push(put(reversal_key(self.operation.number), None, &self.before, expect)?);
        let (amount, loss) = (self.money(amount), self.money(self.loss));
        self.draft.done.amount = Some(amount);
        self.draft.done.loss = (self.loss > 0).then_some(loss);
        self.draft.events.push(Event::Reversed { of: Position(self.operation.number), amount });
        Ok(self.draft)
    }

    /// Returns a part of an entry. Answers the pass, if it returns to one.
    fn give_back(&mut self, entry: &Entry, amount: i64) -> Result<Option<PassId>, Error> {
        match (entry.from.1, entry.to.1) {
            (Subject::Credit(contact, id), _) => {
                self.return_to_credit(contact, id, entry, amount)?;
                Ok(None)
            }
            (Subject::Pass(pass), Subject::Credit(contact, id)) => {
                // From the credit it became, as far as that is not spent; the rest is a loss.
                let credit = self.credit(contact, id)?;
                let taken = self.adds.get(&TallyKey::Credit(contact, id)).copied().unwrap_or(0);
                let there = amount.min((credit.amount.left() - taken).max(0));
                self.spent += amount - there;
                self.loss += amount - there;
                let key = TallyKey::Credit(contact, id);
                if amount > there {
                    self.lost_from.insert(key, credit.amount.used);
                }
                *self.adds.entry(key).or_default() += there;
                let from = [
                    ((Account::Credit, Subject::Credit(contact, id)), there),
                    ((Account::Loss, Subject::None), amount - there),
                ];
                self.return_to_pass(pass, entry, &from)
            }
            (Subject::Pass(pass), _) => {
                self.return_to_pass(pass, entry, &[((Account::Settled, Subject::None), amount)])
            }
            _ => Err(StoreError::Corrupt("an entry that no redemption books".into()).into()),
        }
    }

    fn credit(&self, contact: ContactId, id: CreditId) -> Result<&'a CreditRow, Error> {
        let view: &'a View<'a> = self.view;
        let found = view.loaded.credits.iter().find(|c| c.contact == contact && c.id == id);
        found.ok_or_else(|| StoreError::Corrupt("a credit of an entry is not there".into()).into())
    }

    /// Money that a credit had paid returns to it, or if that has expired to a new one, or to breakage.
    fn return_to_credit(
        &mut self,
        contact: ContactId,
        id: CreditId,
        entry: &Entry,
        amount: i64,
    ) -> Result<(), Error> {
        let credit = self.credit(contact, id)?;
        let from = (Account::Settled, Subject::None);
        let expired = credit.spend_by.is_some_and(|end| self.view.env.now >= end);
        let settings = &self.view.business.settings;
        let home = if !expired {
            *self.adds.entry(TallyKey::Credit(contact, id)).or_default() -= amount;
            Home::Credit(contact, id)
        } else if settings.grace_days > 0 {
            let today = settings.zone.date_of(self.view.env.now);
            let last = today
                .checked_add_days(chrono::Days::new(settings.grace_days.into()))
                .ok_or(Refusal::Overflow)?;
            let spend_by = Some(settings.zone.end_of(last));
            let new = self.new_credit(contact, credit.pass, entry.mark, amount, spend_by);
            Home::NewCredit(contact, new, spend_by)
        } else {
            Home::Breakage
        };
        self.book(from, home, entry, amount);
        Ok(())
    }

    /// Money that a pass had given returns to it, to its successor, or as a new credit.
    fn return_to_pass(
        &mut self,
        pass: PassId,
        entry: &Entry,
        from: &[((Account, Subject), i64)],
    ) -> Result<Option<PassId>, Error> {
        let view: &'a View<'a> = self.view;
        let mut row: &PassRow = view.loaded.pass(pass).ok_or(StoreError::Conflict)?;
        while let Some(next) = row.successor {
            // One that isn't loaded is looked for when this is tried again.
            row = view.loaded.pass(next).ok_or(StoreError::Conflict)?;
        }
        let chain = view.docs.chain_of(row.id)?;
        view.about(chain.plan.id);
        if row.standing == Standing::Cancelled {
            let total: i64 = from.iter().map(|(_, amount)| amount).sum();
            let contact = self.heir(&chain)?;
            let spend_by = chain.terms.spend_by.resolve(view.env.now, view.business.settings.zone)?;
            let new = self.new_credit(contact, row.id, entry.mark, total, spend_by);
            for (account, amount) in from {
                self.book(*account, Home::NewCredit(contact, new, spend_by), entry, *amount);
            }
            return Ok(None);
        }
        Action::Return.check(state_of(row, &chain))?;
        for (account, amount) in from {
            self.book(*account, Home::Pass(row.id), entry, *amount);
        }
        Ok(Some(row.id))
    }

    /// Who gets what can't return to a cancelled pass.
    fn heir(&mut self, chain: &Chain) -> Result<ContactId, Error> {
        if let Some(heir) = self.heir {
            return Ok(heir);
        }
        let currency = chain.terms.currency;
        let heir = match self.request.to {
            Some(to) => {
                let wallet = wallet(self.view, to)?;
                if let Some(held) = wallet.currencies.first().copied()
                    && !wallet.currencies.contains(&currency)
                    && !self.view.business.settings.second_currency
                {
                    return Err(Refusal::WalletCurrency { wallet: held, pass: currency }.into());
                }
                open_wallet(self.view, &mut self.draft.change, &wallet, currency)?;
                to
            }
            None => {
                let id = self.ids.draw();
                let contact =
                    Contact { id, named: false, profile: Profile::default(), currencies: vec![currency] };
                add(self.view, &mut self.draft.change, &contact)?;
                id
            }
        };
        self.heir = Some(heir);
        Ok(heir)
    }

    fn new_credit(
        &mut self,
        contact: ContactId,
        pass: PassId,
        mark: Mark,
        amount: i64,
        spend_by: Option<Instant>,
    ) -> CreditId {
        // Lines and parts that return alike share one credit.
        for put in &mut self.draft.change.put {
            if let Record::Credit(row) = &mut put.record
                && (row.contact, row.pass, row.mark, row.spend_by) == (contact, pass, mark, spend_by)
            {
                row.amount.limit += amount;
                return row.id;
            }
        }
        let id = self.ids.draw();
        let created = self.view.env.now;
        let row = CreditRow {
            contact,
            id,
            version: 1,
            pass,
            mark,
            spend_by,
            created,
            amount: Tally::new(amount),
            last: 0,
        };
        let record = Record::Credit(Box::new(row));
        self.draft.change.put.push(Put { record, expect: Expect::Absent });
        id
    }

    fn book(&mut self, from: (Account, Subject), home: Home, entry: &Entry, amount: i64) {
        if amount <= 0 {
            return;
        }
        let to = match home {
            Home::Pass(pass) => (Account::Outstanding, Subject::Pass(pass)),
            Home::Credit(contact, credit) | Home::NewCredit(contact, credit, _) => {
                (Account::Credit, Subject::Credit(contact, credit))
            }
            Home::Breakage => (Account::Breakage, Subject::None),
        };
        let (unit, mark, line) = (self.unit, entry.mark, entry.line);
        self.draft.change.entries.push(Entry { from, to, unit, amount, mark, line });
        let amount = self.money(amount);
        self.draft.done.returned.push(Returned { home, amount, mark, line });
    }
}

//! Operations, their entries and their keys.

use super::super::reversal::Reversed;
use super::super::stored;
use super::sums::{At, Lane, Of, Step};
use super::{Audit, OfOperation, follow, names, sides};
use crate::event::Event;
use crate::id::PassId;
use crate::ledger::{Account, Entry, Mark, StoredEntry, Subject};
use crate::limits;
use crate::operation::Kind;
use crate::store::{KeyHash, StoreError, StoredOperation};

impl Audit {
    pub(super) fn operation(&mut self, found: &StoredOperation, keyed: bool, entries: u64) {
        self.verified.operations += 1;
        let (number, operation) = (found.number, &found.operation);
        let order = follow(&mut self.last.operation, number);
        if order.is_ge() {
            self.order(order, format!("operation {number}"));
        }
        self.end_operation();
        self.fold.operation(found);
        let [a, b, c, d, e, f, ..] = *operation.id.as_bytes();
        let millis = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        if self.twice.is(*operation.id.as_bytes(), millis) {
            self.verified.drift(names::OPERATION, number, 2, 1, None);
        }
        let booked = operation.booked.micros().max(0) / 1_000;
        self.verified.tell(names::OPERATION_MOMENT, number, millis.into(), booked.into(), None);
        if keyed {
            self.sums.one(Of::Key(number, false), false);
        }
        if operation.kind == Kind::Stop {
            self.sums.one(Of::Key(number, true), false);
        }
        self.events(found);
        let reverses = match operation.kind {
            Kind::Reverse => self.unpack::<Reversed>(number, &operation.receipt).and_then(|done| done.of),
            _ => None,
        };
        if let Some(reversal) = self.reversals.get_mut(&number) {
            reversal.met = true;
            if !matches!(operation.kind, Kind::Redeem | Kind::SpendPass | Kind::Spend) {
                self.verified.drift(names::REVERSAL, number, 1, 0, None);
            }
        }
        let reverses = reverses.map(|of| of.0);
        self.operation = Some(OfOperation { number, says: entries, found: 0, reverses });
    }

    /// Reads a record of an operation: what can't be read is told, what a newer library wrote ends the audit.
    fn unpack<T: serde::de::DeserializeOwned>(&mut self, number: u64, bytes: &[u8]) -> Option<T> {
        match stored::unpack(bytes) {
            Ok(found) => Some(found),
            Err(error @ StoreError::Unsupported { .. }) => {
                self.failed.get_or_insert(error);
                None
            }
            Err(_) => {
                self.verified.drift(names::EVENTS, number, 1, 0, None);
                None
            }
        }
    }

    fn events(&mut self, found: &StoredOperation) {
        let events: Vec<Event> = self.unpack(found.number, &found.operation.events).unwrap_or_default();
        for event in events {
            if let Event::LotExported { lot } = event {
                self.sums.one(Of::Exports(lot), false);
            }
        }
    }

    /// Judges the operation whose entries were read.
    pub(super) fn end_operation(&mut self) {
        let Some(of) = self.operation.take() else { return };
        let (says, found) = (of.says.into(), of.found.into());
        self.verified.tell(names::OPERATION_ENTRIES, of.number, says, found, None);
        if let Some(reversed) = self.reversals.get(&of.number).and_then(|of| of.reversed.as_ref()) {
            let entries = i128::try_from(reversed.len()).unwrap_or(i128::MAX);
            self.verified.tell(names::REVERSAL, of.number, entries, found, None);
        }
    }

    /// Compares what documents say was reversed with what the reversals returned.
    pub(super) fn judge_reversals(&mut self) {
        for (number, reversal) in &self.reversals {
            let reversed = reversal.reversed.iter().flatten().map(|amount| i128::from(*amount)).sum();
            self.verified.tell(names::REVERSAL, number, reversed, reversal.returned, None);
            if reversal.reversed.is_some() && !reversal.met {
                self.verified.drift(names::PARENT, format!("reversal {number}"), 0, 1, None);
            }
        }
    }

    pub(super) fn entry(&mut self, found: &StoredEntry) {
        self.verified.entries += 1;
        let (number, entry) = (found.number, &found.entry);
        let order = follow(&mut self.last.entry, number);
        if order.is_ge() {
            self.order(order, format!("entry {number}"));
        }
        self.fold.entry(found);
        self.accounts.add(entry);
        self.of_operation(found);
        let mut sound = entry.amount > 0;
        let mut steps = [found.before_from, found.before_to].map(|before| {
            let chained = entry.from.1 != Subject::None || entry.to.1 != Subject::None;
            chained.then(|| self.sums.step(before, number))
        });
        if let [_, to] = &mut steps
            && same(entry.from.1, entry.to.1)
        {
            // An entry within one subject is one step of its chain.
            *to = None;
        }
        for (((account, subject), amount), step) in sides(entry).into_iter().zip(steps) {
            match (account, subject) {
                (Account::Outstanding, Subject::Pass(pass)) => {
                    sound &= self.on_passes(entry, pass, 1, amount, step.as_ref());
                }
                (Account::Outstanding, Subject::Passes { first, count }) => {
                    sound &= self.on_passes(entry, first, count, amount, step.as_ref());
                }
                (Account::Credit, Subject::Credit(contact, credit)) => {
                    let at = self.sums.at(Of::Credit(contact, credit));
                    let lane = if entry.mark == Mark::Paid { Lane::Main } else { Lane::Granted };
                    self.sums.expected(&at, lane, entry.unit.number(), amount);
                    self.linked(&at, step.as_ref());
                }
                (account, Subject::None) if !account.is_liability() => {}
                _ => {
                    sound = false;
                    // Wherever it doesn't belong, it goes on with the chain of its subject.
                    self.chain(subject, step.as_ref());
                }
            }
        }
        if !sound {
            let amount = i128::from(entry.amount);
            self.verified.drift(names::ENTRY, number, amount, amount, Some(entry.unit));
        }
    }

    fn linked(&mut self, at: &At, step: Option<&Step>) {
        if let Some(step) = step {
            self.sums.link(at, step);
        }
    }

    fn chain(&mut self, subject: Subject, step: Option<&Step>) {
        match subject {
            Subject::None => {}
            Subject::Pass(pass) => self.chain_of_passes(pass, 1, step),
            Subject::Passes { first, count } => self.chain_of_passes(first, count, step),
            Subject::Credit(contact, credit) => {
                let at = self.sums.at(Of::Credit(contact, credit));
                self.linked(&at, step);
            }
        }
    }

    fn chain_of_passes(&mut self, first: PassId, count: u32, step: Option<&Step>) {
        for pass in self.those_there(first, count) {
            let at = self.sums.at(Of::Pass(pass));
            self.linked(&at, step);
        }
    }

    /// The passes of a range: no more than its lot has, but one at least. Of a lot that isn't there, no more than
    /// a command can be about.
    fn those_there(&self, first: PassId, count: u32) -> impl Iterator<Item = PassId> + use<> {
        let (lot, from) = (first.lot(), first.serial());
        let most = match self.lots.get(lot) {
            Some(lot) => lot.made.saturating_add(1).saturating_sub(from).max(1),
            None => u32::try_from(limits::LIST).unwrap_or(u32::MAX),
        };
        (from..from.saturating_add(count.min(most))).map(move |serial| lot.pass(serial))
    }

    /// An entry about passes; tells whether it can be right.
    fn on_passes(
        &mut self,
        entry: &Entry,
        first: PassId,
        count: u32,
        amount: i128,
        step: Option<&Step>,
    ) -> bool {
        let lot = first.lot();
        let of_lot = self.sums.at(Of::Lot(lot));
        self.sums.expected(&of_lot, Lane::Main, 0, amount);
        let each = amount.checked_div(count.into()).unwrap_or(amount);
        for pass in self.those_there(first, count) {
            let at = self.sums.at(Of::Pass(pass));
            self.sums.expected(&at, Lane::Main, 0, each);
            if entry.mark == Mark::Granted {
                self.sums.expected(&at, Lane::Granted, 0, each);
            }
            self.linked(&at, step);
        }
        let last = first.serial().checked_add(count.saturating_sub(1));
        // A lot, or one pass, that isn't there is told as that.
        let there = count <= 1
            || self.lots.get(lot).is_none()
            || last.is_some_and(|last| self.lots.has(first) && self.lots.has(lot.pass(last)));
        let whole = count > 0 && each.checked_mul(count.into()) == Some(amount);
        there && whole && self.unit_of(lot).is_none_or(|unit| unit == entry.unit)
    }

    /// What an entry has to do with the operation that it came with.
    fn of_operation(&mut self, found: &StoredEntry) {
        let Some(of) = &mut self.operation else {
            return self.verified.drift(
                names::ENTRY_OPERATION,
                found.number,
                found.operation.into(),
                0,
                None,
            );
        };
        let here = of.number;
        self.verified.tell(names::ENTRY_OPERATION, found.number, found.operation.into(), here.into(), None);
        if found.operation != here {
            return;
        }
        let place = usize::try_from(of.found).unwrap_or(usize::MAX);
        of.found += 1;
        let amount = i128::from(found.entry.amount);
        if let Some(reverses) = of.reverses {
            let reversal = self.reversals.entry(reverses).or_default();
            reversal.returned += amount;
        }
        if let Some(reversed) = self.reversals.get(&here).and_then(|of| of.reversed.as_ref()) {
            let reversed = i128::from(reversed.get(place).copied().unwrap_or_default());
            if !(0..=amount).contains(&reversed) {
                let unit = Some(found.entry.unit);
                self.verified.drift(names::REVERSAL, here, reversed, amount, unit);
            }
        }
    }

    pub(super) fn key(&mut self, key: KeyHash, number: u64, stops: bool) {
        self.verified.keys += 1;
        let order = follow(&mut self.last.key, key);
        if order.is_ge() {
            self.order(order, format!("key of operation {number}"));
        }
        self.sums.one(Of::Key(number, stops), true);
    }
}

/// Whether both are the same passes, or the same credit.
fn same(from: Subject, to: Subject) -> bool {
    from != Subject::None && (from == to || (from.span().is_some() && from.span() == to.span()))
}

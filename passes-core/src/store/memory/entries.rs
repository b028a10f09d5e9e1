//! The ledger's entries, kept small: what an entry repeats of its operation stands with that, and what few entries
//! have stands beside them.

use super::chunks::Chunks;
use super::journal::Journal;
use crate::id::{Id, LotId, PassId};
use crate::ledger::{Account, Entry, Mark, StoredEntry, Subject, Unit};
use crate::store::StoreError;

/// The entries of a business in the order of their numbers.
#[derive(Default)]
pub(super) struct Entries {
    rows: Chunks<Row>,
    /// The subjects that have no room in their rows, each with the entry before it.
    others: Chunks<(Subject, u64)>,
}

/// Most entries are about one pass.
struct Row {
    number: u64,
    amount: i64,
    /// The pass, if it is about one, and the entry before it of that pass.
    pass: PassId,
    before: u64,
    from: About,
    to: About,
    /// The place of its operation in the journal.
    operation: u32,
    line: Option<u32>,
    unit: Unit,
    accounts: (Account, Account),
    mark: Mark,
}

const _: () = assert!(size_of::<Row>() == 72);

/// A subject, seen from a row.
#[derive(Clone, Copy)]
enum About {
    None,
    Pass,
    /// Into [`Entries::others`].
    Other(u32),
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether so many more fit, before anything is written.
    pub(super) fn room(&self, more: usize) -> Result<(), StoreError> {
        let others = self.others.len().saturating_add(more.saturating_mul(2));
        let full = |_| StoreError::Full("a business has some 2^31 entries at most in memory".into());
        u32::try_from(others).map(drop).map_err(full)
    }

    /// Appends an entry of the operation at a place in the journal. Before it came those entries of its two subjects.
    pub(super) fn push(&mut self, number: u64, operation: u32, entry: &Entry, before: (u64, u64)) {
        let Entry { from: (from_account, from), to: (to_account, to), unit, amount, mark, line } = entry;
        let (pass, of_pass) = match (from, to) {
            (Subject::Pass(pass), _) => (*pass, before.0),
            (_, Subject::Pass(pass)) => (*pass, before.1),
            _ => (LotId::from_bytes([0; 16]).pass(0), 0),
        };
        let mut about = |subject: &Subject, before| match subject {
            Subject::None => About::None,
            Subject::Pass(one) if *one == pass => About::Pass,
            _ => {
                let other = u32::try_from(self.others.len()).map_or(About::None, About::Other);
                self.others.push((*subject, before));
                other
            }
        };
        let (from, to) = (about(from, before.0), about(to, before.1));
        self.rows.push(Row {
            number,
            amount: *amount,
            pass,
            before: of_pass,
            from,
            to,
            operation,
            line: *line,
            unit: *unit,
            accounts: (*from_account, *to_account),
            mark: *mark,
        });
    }

    /// The entry with this number.
    pub(super) fn get(&self, number: u64, journal: &Journal) -> Option<StoredEntry> {
        let at = self.rows.partition_point(|row| row.number < number);
        self.rows.get(at).filter(|row| row.number == number).and_then(|row| self.stored(row, journal))
    }

    /// The entries of the operations from a place in the journal on.
    pub(super) fn from(&self, operation: usize, journal: &Journal) -> impl Iterator<Item = StoredEntry> {
        // Entries are booked in the order of operations.
        let at = self.rows.partition_point(|row| (row.operation as usize) < operation);
        self.rows.from(at).filter_map(|row| self.stored(row, journal))
    }

    fn stored(&self, row: &Row, journal: &Journal) -> Option<StoredEntry> {
        let subject = |about| match about {
            About::None => Some((Subject::None, 0)),
            About::Pass => Some((Subject::Pass(row.pass), row.before)),
            About::Other(at) => self.others.get(at as usize).copied(),
        };
        let ((from, before_from), (to, before_to)) = (subject(row.from)?, subject(row.to)?);
        let (operation, at, booked) = journal.times(row.operation as usize)?;
        let Row { number, amount, line, unit, accounts, mark, .. } = *row;
        let entry = Entry { from: (accounts.0, from), to: (accounts.1, to), unit, amount, mark, line };
        Some(StoredEntry { number, operation, at, booked, entry, before_from, before_to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::id::OperationId;
    use crate::money::Currency;
    use crate::operation::Kind;
    use crate::store::Operation;

    /// W-1, D-1: an entry comes back as it was booked, whatever its subjects, with the times of its operation.
    #[test]
    fn entries_come_back() {
        let lot = LotId::from_bytes([0; 16]);
        let credit = Subject::Credit(Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let range = Subject::Passes { first: lot.pass(0), count: 3 };
        // The first pass of that lot is what stands in a row that is about none.
        let subjects = [Subject::None, Subject::Pass(lot.pass(0)), Subject::Pass(lot.pass(7)), range, credit];
        let (mut journal, mut entries) = (Journal::default(), Entries::default());
        let mut wanted = Vec::new();
        for (nth, from) in (0_u32..).zip(subjects) {
            let (at, operation) = (Instant::from_micros(nth.into()).unwrap(), 10 * u64::from(nth));
            let place = journal.room().unwrap();
            for to in subjects {
                let number = 2 * wanted.len() as u64 + 1;
                // One subject has one chain.
                let before = (number + 100, number + if from == to { 100 } else { 200 });
                let entry = Entry {
                    from: (Account::Outstanding, from),
                    to: (Account::Credit, to),
                    unit: Unit::Money(Currency::EUR),
                    amount: i64::MAX - i64::from(nth),
                    mark: Mark::Paid,
                    line: (to == credit).then_some(u32::MAX),
                };
                entries.push(number, place, &entry, before);
                let none = |subject, before| if subject == Subject::None { 0 } else { before };
                let (before_from, before_to) = (none(from, before.0), none(to, before.1));
                let booked = Instant::EPOCH;
                wanted.push(StoredEntry { number, operation, at, booked, entry, before_from, before_to });
            }
            let kept =
                Operation::new(OperationId::from_bytes([9; 16]), Kind::Redeem, "till 7", Instant::EPOCH);
            journal.push(operation, &Operation { at, ..kept }, &[]).unwrap();
        }
        assert_eq!(entries.len(), 25);
        assert!(entries.from(0, &journal).eq(wanted.iter().cloned()));
        assert!(entries.from(journal.place_after(29), &journal).eq(wanted.iter().skip(15).cloned()));
        for stored in wanted {
            assert_eq!(entries.get(stored.number + 1, &journal), None);
            assert_eq!(entries.get(stored.number, &journal), Some(stored));
        }
    }
}

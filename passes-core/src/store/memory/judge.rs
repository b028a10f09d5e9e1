//! Whether a change may land. Nothing is written here.

use super::row::Row;
use super::tables::Books;
use crate::id::{ContactId, CreditId, PassId};
use crate::ledger::{Entry, Subject, overlap};
use crate::pass::{CreditRow, PassRow, Tally};
use crate::store::{Change, DocKey, KeyHash, Load, Loaded, Put, Record, StoreError, TallyKey};

/// The key of a record that is written as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RowKey {
    Doc(DocKey),
    Pass(PassId),
    Credit(ContactId, CreditId),
}

/// What was loaded just before, by the same lock.
pub(super) type Found<'a> = Option<(&'a Load, &'a Loaded)>;

/// The records that a change writes.
enum Rows<'a> {
    /// So few that looking through them is faster than sorting.
    Few(&'a [Put]),
    /// Sorted by key.
    Many(Vec<(RowKey, &'a Record)>),
}

impl<'a> Rows<'a> {
    const FEW: usize = 4;

    fn new(puts: &'a [Put]) -> Result<Self, StoreError> {
        if puts.len() <= Self::FEW {
            let mut rest = puts;
            while let [first, others @ ..] = rest {
                let key = key_of(&first.record);
                if others.iter().any(|put| key_of(&put.record) == key) {
                    return Err(twice("a record"));
                }
                rest = others;
            }
            return Ok(Self::Few(puts));
        }
        let mut rows: Vec<_> = puts.iter().map(|put| (key_of(&put.record), &put.record)).collect();
        rows.sort_by_key(|(key, _)| *key);
        if rows.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
            return Err(twice("a record"));
        }
        Ok(Self::Many(rows))
    }

    fn get(&self, key: RowKey) -> Option<&'a Record> {
        match self {
            Self::Few(puts) => puts.iter().map(|put| &put.record).find(|record| key_of(record) == key),
            Self::Many(rows) => {
                let at = rows.binary_search_by_key(&key, |(key, _)| *key).ok()?;
                rows.get(at).map(|(_, record)| *record)
            }
        }
    }

    fn pass(&self, id: PassId) -> Option<&'a PassRow> {
        match self.get(RowKey::Pass(id)) {
            Some(Record::Pass(row)) => Some(row),
            _ => None,
        }
    }

    fn credit(&self, contact: ContactId, id: CreditId) -> Option<&'a CreditRow> {
        match self.get(RowKey::Credit(contact, id)) {
            Some(Record::Credit(row)) => Some(row),
            _ => None,
        }
    }

    fn tally(&self, key: &TallyKey) -> Option<Tally> {
        match *key {
            TallyKey::Uses(id) => self.pass(id).map(|row| row.uses),
            TallyKey::Balance(id) => self.pass(id).map(|row| row.balance),
            TallyKey::Granted(id) => self.pass(id).map(|row| row.granted),
            TallyKey::Credit(contact, id) => self.credit(contact, id).map(|row| row.amount),
            TallyKey::Named(..) => None,
        }
    }
}

fn key_of(record: &Record) -> RowKey {
    match record {
        Record::Doc(doc) => RowKey::Doc(doc.key),
        Record::Pass(row) => RowKey::Pass(row.id),
        Record::Credit(row) => RowKey::Credit(row.contact, row.id),
    }
}

/// The tally that a put leaves: what is counted stays as stored, the limit is the new one.
pub(in crate::store) fn kept(stored: Option<Tally>, put: Tally) -> Tally {
    stored.map_or(put, |stored| Tally { limit: put.limit, ..stored })
}

/// A fault of the caller, which no retry mends.
#[cold]
pub(in crate::store) fn broken(why: &str) -> StoreError {
    StoreError::Backend(why.into())
}

#[cold]
pub(in crate::store) fn twice(what: &str) -> StoreError {
    StoreError::Backend(format!("a change names {what} twice"))
}

pub(in crate::store) fn repeats<T: Ord>(mut keys: Vec<T>) -> bool {
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

pub(in crate::store) fn must(holds: bool) -> Result<(), StoreError> {
    if holds {
        return Ok(());
    }
    std::hint::cold_path();
    Err(StoreError::Conflict)
}

impl Books {
    /// The values that the change's tallies would have after it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a guard fails, [`StoreError::Backend`] for a change that is none.
    ///
    /// Whatever was loaded of the same business stands as it was found: nobody else had the lock since.
    pub(super) fn judge(&self, change: &Change, found: Found<'_>) -> Result<Vec<Tally>, StoreError> {
        let rows = Rows::new(&change.put)?;
        self.judge_operation(change, found)?;
        let loaded = found.map(|(_, loaded)| loaded);
        for (key, expect) in &change.expect {
            let stored = loaded.and_then(|loaded| loaded.doc(key)).or_else(|| self.docs.get(key));
            must(expect.is_met_by(stored.map(|doc| doc.version)))?;
        }
        for (key, version) in &change.seen {
            let stored = loaded.and_then(|loaded| loaded.doc(key)).or_else(|| self.docs.get(key));
            must(stored.is_some_and(|doc| doc.version == *version))?;
        }
        for put in &change.put {
            self.judge_put(put)?;
        }
        for claim in &change.claim {
            must(!self.is_taken(&claim.digest))?;
        }
        if change.claim.len() > 1 && repeats(change.claim.iter().map(|claim| claim.digest).collect()) {
            return Err(twice("a code"));
        }
        self.judge_entries(&change.entries, &rows)?;
        self.judge_tallies(change, &rows)
    }

    fn judge_operation(&self, change: &Change, found: Found<'_>) -> Result<(), StoreError> {
        let Some(operation) = &change.operation else {
            return if change.entries.is_empty() {
                Ok(())
            } else {
                Err(broken("entries without an operation"))
            };
        };
        let key = operation.key.map(|(key, _)| key);
        if key.is_some() && key == operation.stops {
            return Err(twice("an idempotency key"));
        }
        let is_free = |key: KeyHash| match found {
            Some((load, loaded)) if load.key == Some(key) => loaded.replay.is_none() && !loaded.stopped,
            _ => self.journal.find(&key).is_none(),
        };
        must(key.is_none_or(is_free))?;
        must(operation.stops.is_none_or(is_free))
    }

    fn judge_put(&self, put: &Put) -> Result<(), StoreError> {
        match &put.record {
            Record::Doc(new) => {
                let stored = self.docs.get(&new.key);
                must(put.expect.is_met_by(stored.map(|doc| doc.version)))?;
                if stored.is_some_and(|doc| doc.parent != new.parent) {
                    return Err(broken("the parent of a document never changes"));
                }
                Ok(())
            }
            Record::Pass(new) => {
                let stored = self.row(new.id);
                must(put.expect.is_met_by(stored.map(|row| row.version)))?;
                must(kept(stored.map(Row::uses), new.uses).holds())?;
                must(kept(stored.map(Row::balance), new.balance).holds())?;
                must(kept(stored.map(Row::granted), new.granted).holds())
            }
            Record::Credit(new) => {
                let stored = self.credit(new.contact, new.id);
                must(put.expect.is_met_by(stored.map(|row| row.version)))?;
                must(kept(stored.map(|row| row.amount), new.amount).holds())
            }
        }
    }

    /// Additions come after the puts of the same change.
    fn judge_tallies(&self, change: &Change, rows: &Rows<'_>) -> Result<Vec<Tally>, StoreError> {
        let sorted = change.tally.is_sorted_by(|a, b| a.key < b.key);
        if !sorted && repeats(change.tally.iter().map(|add| add.key).collect()) {
            return Err(twice("a tally"));
        }
        let mut all = Vec::with_capacity(change.tally.len());
        for add in &change.tally {
            let stored = self.tally(&add.key);
            let now = match rows.tally(&add.key) {
                Some(put) => kept(stored, put),
                None if matches!(add.key, TallyKey::Named(..)) => stored.unwrap_or_default(),
                None => stored.ok_or(StoreError::Conflict)?,
            };
            must(add.version.is_none() || add.rests_on(self.version(&add.key)))?;
            let after = add.to(now).ok_or(StoreError::Conflict)?;
            // A row keeps its own limit, whatever the addition is judged by.
            all.push(if matches!(add.key, TallyKey::Named(..)) {
                after
            } else {
                Tally { limit: now.limit, ..after }
            });
        }
        Ok(all)
    }

    /// Each subject must be there, and one entry can only continue one chain: the passes of a range must have
    /// the same last entry.
    fn judge_entries(&self, entries: &[Entry], rows: &Rows<'_>) -> Result<(), StoreError> {
        for subject in entries.iter().flat_map(|entry| [&entry.from.1, &entry.to.1]) {
            match *subject {
                Subject::None => {}
                Subject::Pass(id) => {
                    self.last_of(id, rows)?;
                }
                Subject::Passes { first, .. } => {
                    let none = || broken("an entry's range of passes is none");
                    let (_, last) = subject.span().ok_or_else(none)?;
                    let chain = self.last_of(first, rows)?;
                    for serial in first.serial()..=last.serial() {
                        must(self.last_of(first.lot().pass(serial), rows)? == chain)?;
                    }
                }
                Subject::Credit(contact, id) => {
                    let found = self.credit(contact, id).is_some() || rows.credit(contact, id).is_some();
                    found.then_some(()).ok_or_else(|| broken("an entry names a credit that is not there"))?;
                }
            }
        }
        if overlap(entries) {
            return Err(broken("the entries of a change name ranges of passes that overlap"));
        }
        Ok(())
    }

    /// The last entry of a pass that is stored or about to be.
    fn last_of(&self, id: PassId, rows: &Rows<'_>) -> Result<u64, StoreError> {
        match self.row(id) {
            Some(row) => Ok(row.last),
            None if rows.pass(id).is_some() => Ok(0),
            None => Err(broken("an entry names a pass that is not there")),
        }
    }
}

//! A copy of all that an audit reads, and what the store finds wrong in itself.

use super::row::Row;
use super::tables::{Books, Tables};
use crate::id::{BusinessId, PassId};
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use crate::store::{AuditRow, Doc, DocKey, KeyHash};
use std::collections::BTreeSet;

/// A business's books at one moment.
#[derive(Default)]
pub(super) struct Snapshot {
    faults: Vec<String>,
    docs: Vec<Doc>,
    passes: Vec<PassRow>,
    ledger: Vec<AuditRow>,
    credits: Vec<CreditRow>,
    tallies: Vec<(([u8; 16], u16), Tally)>,
    codes: Vec<(Digest, PassId)>,
    keys: Vec<(KeyHash, u64, bool)>,
}

impl Snapshot {
    pub(super) fn rows(self) -> impl Iterator<Item = AuditRow> {
        let faults = self.faults.into_iter().map(AuditRow::Fault);
        let docs = self.docs.into_iter().map(AuditRow::Doc);
        let passes = self.passes.into_iter().map(|row| AuditRow::Pass(Box::new(row)));
        let credits = self.credits.into_iter().map(|row| AuditRow::Credit(Box::new(row)));
        let tallies = self.tallies.into_iter().map(|((id, slot), tally)| AuditRow::Tally(id, slot, tally));
        let codes = self.codes.into_iter().map(|(digest, pass)| AuditRow::Code(digest, pass));
        let keys = self.keys.into_iter().map(|(key, number, stops)| AuditRow::Key(key, number, stops));
        let before = faults.chain(docs).chain(passes);
        before.chain(self.ledger).chain(credits).chain(tallies).chain(codes).chain(keys)
    }
}

impl Tables {
    /// A copy of all that an audit of a business reads, each kind in its order. The rows are read, and not the
    /// indexes beside them.
    pub(super) fn snapshot(&self, business: BusinessId) -> Snapshot {
        let Some(books) = self.books.get(&business) else { return Snapshot::default() };
        let mut snapshot = books.snapshot();
        let (mut operations, mut entries) = (0, 0);
        for books in self.books.values() {
            operations += books.journal.len();
            entries += books.entries.len();
        }
        // Numbers are given one after the other, across all businesses.
        for (what, last, there) in
            [("operations", self.last.operation, operations), ("entries", self.last.entry, entries)]
        {
            if u64::try_from(there) != Ok(last) {
                snapshot.faults.push(format!("of {last} {what}, {there} are there"));
            }
        }
        snapshot
    }
}

impl Books {
    fn snapshot(&self) -> Snapshot {
        let mut docs: Vec<Doc> = self.docs.values().cloned().collect();
        docs.sort_unstable_by_key(|doc| doc.key);
        let id = |row: &Row| Some(self.lots.get(row.lot as usize)?.id.pass(row.serial));
        let of = |row: &Row| id(row).map(|id| row.to_pass(id));
        let mut passes: Vec<PassRow> = self.passes.iter().filter_map(of).collect();
        passes.sort_unstable_by_key(|row| row.id);
        let mut credits: Vec<CreditRow> = self.wallets.values().flatten().cloned().collect();
        credits.sort_unstable_by_key(|row| (row.contact, row.id));
        let mut tallies: Vec<_> = self.tallies.iter().map(|(key, tally)| (*key, *tally)).collect();
        tallies.sort_unstable_by_key(|(key, _)| *key);
        let mut keys: Vec<_> = self.journal.keys().collect();
        keys.sort_unstable_by_key(|(key, ..)| *key);
        let (codes, mut faults) = self.all_codes();
        self.indexes(&mut faults);
        faults.extend(self.journal.faults());
        Snapshot { faults, docs, passes, ledger: self.ledger(0), credits, tallies, codes, keys }
    }

    /// The operations above a number, each with its entries behind it.
    pub(super) fn ledger(&self, after: u64) -> Vec<AuditRow> {
        let mut entries = self.entries_after(after).peekable();
        let mut rows = Vec::new();
        for stored in self.journal.after(after) {
            let (number, keyed) = (stored.number, stored.operation.key.is_some());
            let own = u64::try_from(self.entries_of(number).count()).unwrap_or(u64::MAX);
            rows.push(AuditRow::Operation { stored, keyed, entries: own });
            while let Some(entry) = entries.next_if(|entry| entry.operation <= number) {
                rows.push(AuditRow::Entry(entry));
            }
        }
        rows.extend(entries.map(AuditRow::Entry));
        rows
    }

    /// Each code and the pass that it leads to. A code whose place is in no lot is a fault.
    fn all_codes(&self) -> (Vec<(Digest, PassId)>, Vec<String>) {
        let mut faults = Vec::new();
        for (lot, at) in &self.lot_at {
            if self.lots.get(*at as usize).is_none_or(|found| found.id != *lot) {
                faults.push(format!("the place of lot {lot} is wrong"));
            }
        }
        if self.lot_at.len() != self.lots.len() {
            faults.push(format!("the index of lots has {} of {}", self.lot_at.len(), self.lots.len()));
        }
        let mut codes = Vec::with_capacity(self.codes.len().saturating_add(self.other_codes.len()));
        for row in &self.passes {
            let (Some(digest), Some(lot)) = (row.code(), self.lots.get(row.lot as usize)) else { continue };
            codes.push((*digest, lot.id.pass(row.serial)));
        }
        if codes.len() != self.codes.len() {
            faults.push(format!("the index of codes has {} of {}", self.codes.len(), codes.len()));
        }
        for (digest, pass) in &codes {
            if self.pass_of(digest).is_none_or(|(id, ..)| id != *pass) {
                faults.push(format!("the index of codes doesn't lead to pass {pass}"));
            }
        }
        for (digest, place) in &self.other_codes {
            match self.lots.get(place.lot as usize) {
                Some(lot) => codes.push((*digest, lot.id.pass(place.serial))),
                None => faults.push(format!("a code leads to a lot at place {}, which is none", place.lot)),
            }
        }
        codes.sort_unstable_by_key(|(digest, _)| *digest);
        (codes, faults)
    }

    /// Compares the indexes with the rows.
    fn indexes(&self, faults: &mut Vec<String>) {
        let kinds: BTreeSet<DocKey> = self.docs.keys().copied().collect();
        if kinds != self.docs_by_kind {
            faults.push("the index of documents by kind disagrees with them".to_owned());
        }
        let parents: BTreeSet<(DocKey, DocKey)> =
            self.docs.values().filter_map(|doc| Some((doc.parent?, doc.key))).collect();
        if parents != self.docs_by_parent {
            faults.push("the index of documents by parent disagrees with them".to_owned());
        }
        let mut found = 0_usize;
        for (at, lot) in (0..).zip(&self.lots) {
            for (serial, row) in lot.range(0, u32::MAX) {
                found += 1;
                if self.passes.get(row as usize).is_none_or(|row| (row.lot, row.serial) != (at, serial)) {
                    faults.push(format!("the index of passes leads from {} to another", lot.id.pass(serial)));
                }
            }
        }
        if found != self.passes.len() {
            faults.push(format!("the index of passes has {found} of {}", self.passes.len()));
        }
    }
}

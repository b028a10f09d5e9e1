//! What the store holds, and how one record is found.

use super::hash::Map;
use crate::id::{BusinessId, ContactId, CreditId, LotId, PassId};
use crate::ledger::StoredEntry;
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use crate::store::{Doc, DocKey, KeyHash, StoredOperation, TallyKey};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything: the books of each business, and the last numbers given.
#[derive(Default)]
pub(super) struct Tables {
    /// Nothing crosses from one business to another, because nothing here is shared.
    pub(super) books: Map<BusinessId, Books>,
    pub(super) last: Numbers,
}

/// The last numbers given. They grow across the whole store.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbers {
    pub(super) operation: u64,
    pub(super) entry: u64,
}

/// All records of one business.
#[derive(Default)]
pub(super) struct Books {
    /// Digests to places: one look-up, and the row is at hand.
    pub(super) codes: Map<Digest, Place>,
    pub(super) lot_at: Map<LotId, u32>,
    pub(super) lots: Vec<Lot>,
    /// In the order in which they were made; the lots say which is which.
    pub(super) passes: Vec<PassRow>,
    pub(super) docs: Map<DocKey, Doc>,
    pub(super) docs_by_kind: BTreeSet<DocKey>,
    /// Parent, then child.
    pub(super) docs_by_parent: BTreeSet<(DocKey, DocKey)>,
    /// Each in the order of its ids.
    pub(super) wallets: Map<ContactId, Vec<CreditRow>>,
    pub(super) tallies: Map<([u8; 16], u16), Tally>,
    pub(super) keys: Map<KeyHash, Bound>,
    /// In the order of their numbers.
    pub(super) operations: Vec<Arc<StoredOperation>>,
    /// In the order of their numbers.
    pub(super) entries: Vec<StoredEntry>,
}

/// Where a pass is. A code may be reserved before its pass is made, so the row may not be there yet.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Into [`Books::lots`].
    pub(super) lot: u32,
    pub(super) serial: u32,
}

/// The passes of one lot.
#[derive(Default)]
pub(super) struct Lot {
    /// Serial number and place in [`Books::passes`], in the order of the serial numbers.
    pub(super) rows: Vec<(u32, u32)>,
}

/// What an idempotency key leads to.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub(super) operation: u64,
    /// The operation doesn't bear the key but stops it.
    pub(super) stops: bool,
}

impl Lot {
    /// Where the serial number is among the rows, or where it would go.
    pub(super) fn search(&self, serial: u32) -> Result<usize, usize> {
        // Serial numbers are consecutive nearly always: look where it should be first.
        if let Some((first, _)) = self.rows.first() {
            let guess = serial.wrapping_sub(*first) as usize;
            if self.rows.get(guess).is_some_and(|(found, _)| *found == serial) {
                return Ok(guess);
            }
        }
        self.rows.binary_search_by_key(&serial, |(serial, _)| *serial)
    }

    fn row(&self, serial: u32) -> Option<u32> {
        self.search(serial).ok().and_then(|at| self.rows.get(at)).map(|(_, row)| *row)
    }
}

impl Books {
    fn row_of(&self, id: PassId) -> Option<usize> {
        let lot = self.lot_at.get(&id.lot())?;
        self.lots.get(*lot as usize)?.row(id.serial()).map(|row| row as usize)
    }

    pub(super) fn pass(&self, id: PassId) -> Option<&PassRow> {
        self.passes.get(self.row_of(id)?)
    }

    pub(super) fn pass_mut(&mut self, id: PassId) -> Option<&mut PassRow> {
        let row = self.row_of(id)?;
        self.passes.get_mut(row)
    }

    /// The pass that a code leads to.
    pub(super) fn pass_of(&self, code: &Digest) -> Option<&PassRow> {
        let place = self.codes.get(code)?;
        let row = self.lots.get(place.lot as usize)?.row(place.serial)?;
        self.passes.get(row as usize)
    }

    /// The passes of the lot of `first` with serial numbers up to that of `last`, in order.
    pub(super) fn range(&self, first: PassId, last: PassId) -> impl Iterator<Item = &PassRow> {
        let lot = self.lot_at.get(&first.lot()).filter(|_| first.lot() == last.lot());
        let rows = lot.and_then(|lot| self.lots.get(*lot as usize)).map_or(&[][..], |lot| &lot.rows);
        let from = rows.partition_point(|(serial, _)| *serial < first.serial());
        rows.iter()
            .skip(from)
            .take_while(move |(serial, _)| *serial <= last.serial())
            .filter_map(|(_, row)| self.passes.get(*row as usize))
    }

    pub(super) fn credit(&self, contact: ContactId, id: CreditId) -> Option<&CreditRow> {
        let wallet = self.wallets.get(&contact)?;
        wallet.get(wallet.binary_search_by_key(&id, |credit| credit.id).ok()?)
    }

    pub(super) fn credit_mut(&mut self, contact: ContactId, id: CreditId) -> Option<&mut CreditRow> {
        let wallet = self.wallets.get_mut(&contact)?;
        let at = wallet.binary_search_by_key(&id, |credit| credit.id).ok()?;
        wallet.get_mut(at)
    }

    /// The tally, if it has a row.
    pub(super) fn tally(&self, key: &TallyKey) -> Option<Tally> {
        match *key {
            TallyKey::Uses(pass) => self.pass(pass).map(|row| row.uses),
            TallyKey::Balance(pass) => self.pass(pass).map(|row| row.balance),
            TallyKey::Granted(pass) => self.pass(pass).map(|row| row.granted),
            TallyKey::Credit(contact, id) => self.credit(contact, id).map(|row| row.amount),
            TallyKey::Named(id, slot) => self.tallies.get(&(id, slot)).copied(),
        }
    }

    /// The version of the row that a tally stands on.
    pub(super) fn version(&self, key: &TallyKey) -> Option<u32> {
        match *key {
            TallyKey::Uses(pass) | TallyKey::Balance(pass) | TallyKey::Granted(pass) => {
                self.pass(pass).map(|row| row.version)
            }
            TallyKey::Credit(contact, id) => self.credit(contact, id).map(|row| row.version),
            TallyKey::Named(..) => None,
        }
    }

    pub(super) fn operation(&self, number: u64) -> Option<&Arc<StoredOperation>> {
        let at = self.operations.binary_search_by_key(&number, |o| o.number).ok()?;
        self.operations.get(at)
    }

    /// The operations above a number.
    pub(super) fn operations_after(&self, number: u64) -> &[Arc<StoredOperation>] {
        let from = self.operations.partition_point(|o| o.number <= number);
        self.operations.get(from..).unwrap_or_default()
    }

    pub(super) fn entry(&self, number: u64) -> Option<&StoredEntry> {
        let at = self.entries.binary_search_by_key(&number, |e| e.number).ok()?;
        self.entries.get(at)
    }

    /// The entries of an operation, in order.
    pub(super) fn entries_of(&self, operation: u64) -> &[StoredEntry] {
        // Entries are booked in the order of operations.
        let from = self.entries.partition_point(|e| e.operation < operation);
        let to = self.entries.partition_point(|e| e.operation <= operation);
        self.entries.get(from..to).unwrap_or_default()
    }
}

//! What the store holds, and how one record is found.

use super::entries::Entries;
use super::index::Index;
use super::journal::Journal;
use super::row::Row;
use crate::hash::Map;
use crate::id::{BusinessId, ContactId, CreditId, LotId, PassId};
use crate::ledger::StoredEntry;
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use crate::store::{Doc, DocKey, Piece, TallyKey};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything: the books of each business, and the last numbers given.
#[derive(Default)]
pub(super) struct Tables {
    /// Nothing crosses from one business to another, because nothing here is shared.
    pub(super) books: Map<BusinessId, Books>,
    pub(super) last: Numbers,
    /// Room for the documents that the next command loads.
    pub(super) docs: Vec<Doc>,
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
    /// The codes that stand in the rows of their passes, and their places there.
    pub(super) codes: Index,
    /// The other codes: reserved for passes that are still to be made, or further ones of a pass.
    pub(super) other_codes: Map<Digest, Place>,
    /// The codes of passes that are still to be made.
    awaited: Map<Place, Digest>,
    pub(super) lot_at: Map<LotId, u32>,
    pub(super) lots: Vec<Lot>,
    /// In the order in which they were made; the lots say which is which.
    pub(super) passes: Vec<Row>,
    pub(super) docs: Map<DocKey, Doc>,
    /// Counts the puts of documents that chains are made of.
    pub(super) era: u64,
    pub(super) docs_by_kind: BTreeSet<DocKey>,
    /// Parent, then child.
    pub(super) docs_by_parent: BTreeSet<(DocKey, DocKey)>,
    /// Each in the order of its ids.
    pub(super) wallets: Map<ContactId, Vec<CreditRow>>,
    pub(super) tallies: Map<([u8; 16], u16), Tally>,
    pub(super) journal: Journal,
    pub(super) entries: Entries,
    /// The pass that was looked up last, and its place in `passes`.
    last_row: Cell<Option<(PassId, usize)>>,
}

/// Where a pass is, or will be.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Into [`Books::lots`].
    pub(super) lot: u32,
    pub(super) serial: u32,
}

/// The passes of one lot.
pub(super) struct Lot {
    pub(super) id: LotId,
    /// In the order of the serial numbers. Passes are made one after the other nearly always: a lot of a million
    /// is one stretch, or few.
    pub(super) stretches: Vec<Stretch>,
    /// Its documents, as they were in an era.
    pub(super) chain: RefCell<Option<(u64, Arc<Piece>)>>,
}

/// Passes with consecutive serial numbers at consecutive places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The first serial number.
    pub(super) serial: u32,
    /// The place of the first in [`Books::passes`].
    pub(super) row: u32,
    pub(super) count: u32,
}

/// Where a credit is in its wallet, or where it would go. Most often that is the end: ids grow.
pub(super) fn place_of(wallet: &[CreditRow], id: CreditId) -> Result<usize, usize> {
    match wallet.last().map(|credit| credit.id.cmp(&id)) {
        None | Some(Ordering::Less) => Err(wallet.len()),
        Some(Ordering::Equal) => Ok(wallet.len().saturating_sub(1)),
        Some(Ordering::Greater) => wallet.binary_search_by_key(&id, |credit| credit.id),
    }
}

impl Stretch {
    /// The place of the pass with this serial number, if it is in this stretch.
    fn find(&self, serial: u32) -> Option<u32> {
        let offset = serial.checked_sub(self.serial).filter(|offset| *offset < self.count)?;
        self.row.checked_add(offset)
    }

    /// Whether the pass with this serial number, at this place, comes right after it.
    fn ends_before(&self, serial: u32, row: u32) -> bool {
        self.serial.checked_add(self.count) == Some(serial) && self.row.checked_add(self.count) == Some(row)
    }
}

impl Lot {
    pub(super) fn new(id: LotId) -> Self {
        Self { id, stretches: Vec::new(), chain: RefCell::new(None) }
    }

    /// How many stretches begin at this serial number or before.
    fn stretches_up_to(&self, serial: u32) -> usize {
        self.stretches.partition_point(|stretch| stretch.serial <= serial)
    }

    /// The place of the pass with this serial number.
    pub(super) fn row(&self, serial: u32) -> Option<u32> {
        let before = self.stretches_up_to(serial).checked_sub(1)?;
        self.stretches.get(before)?.find(serial)
    }

    /// Adds a pass that is not there yet.
    pub(super) fn add(&mut self, serial: u32, row: u32) {
        let at = self.stretches_up_to(serial);
        match at.checked_sub(1).and_then(|before| self.stretches.get_mut(before)) {
            Some(stretch) if stretch.ends_before(serial, row) => stretch.count += 1,
            _ => self.stretches.insert(at, Stretch { serial, row, count: 1 }),
        }
    }

    /// Places of the passes with serial numbers from `first` to `last`, in order.
    pub(super) fn range(&self, first: u32, last: u32) -> impl Iterator<Item = (u32, u32)> {
        let from = self.stretches_up_to(first).saturating_sub(1);
        let stretches = self.stretches.get(from..).unwrap_or_default();
        let all =
            stretches.iter().take_while(move |stretch| stretch.serial <= last).flat_map(move |stretch| {
                let skip = first.saturating_sub(stretch.serial);
                (skip..stretch.count)
                    .map(|n| (stretch.serial.saturating_add(n), stretch.row.saturating_add(n)))
            });
        all.take_while(move |(serial, _)| *serial <= last)
    }
}

impl Books {
    fn row_of(&self, id: PassId) -> Option<usize> {
        // A row never moves, and a command asks for the same one again and again.
        if let Some((last, row)) = self.last_row.get()
            && last == id
        {
            return Some(row);
        }
        let lot = self.lot_at.get(&id.lot())?;
        let row = self.lots.get(*lot as usize)?.row(id.serial())? as usize;
        self.last_row.set(Some((id, row)));
        Some(row)
    }

    pub(super) fn row(&self, id: PassId) -> Option<&Row> {
        self.passes.get(self.row_of(id)?)
    }

    pub(super) fn row_mut(&mut self, id: PassId) -> Option<&mut Row> {
        let row = self.row_of(id)?;
        self.passes.get_mut(row)
    }

    pub(super) fn pass(&self, id: PassId) -> Option<PassRow> {
        Some(self.row(id)?.to_pass(id))
    }

    /// The place in `passes` of the pass that a code leads to.
    fn row_by(&self, code: &Digest) -> Option<usize> {
        let is = |at: u32| self.passes.get(at as usize).is_some_and(|row| row.code() == Some(code));
        if let Some(at) = self.codes.find(code.as_bytes(), is) {
            return Some(at as usize);
        }
        let place = self.other_codes.get(code)?;
        Some(self.lots.get(place.lot as usize)?.row(place.serial)? as usize)
    }

    /// Whether a code is taken.
    pub(super) fn is_taken(&self, code: &Digest) -> bool {
        self.other_codes.contains_key(code) || self.row_by(code).is_some()
    }

    /// Notes the code of a pass, which need not be there yet.
    pub(super) fn note_code(&mut self, code: &Digest, place: Place) {
        match self.lots.get(place.lot as usize).and_then(|lot| lot.row(place.serial)) {
            Some(at) if self.give_code(code, at) => return,
            Some(_) => {}
            None => {
                self.awaited.entry(place).or_insert(*code);
            }
        }
        self.other_codes.insert(*code, place);
    }

    /// Lets a pass that was made just now have the code that was reserved for it.
    pub(super) fn adopt_code(&mut self, place: Place, at: u32) {
        let Some(code) = self.awaited.remove(&place) else { return };
        if self.give_code(&code, at) {
            self.other_codes.remove(&code);
        }
        if self.awaited.is_empty() {
            // Those of a large lot were many.
            self.awaited = Map::default();
            self.other_codes.shrink_to_fit();
        }
    }

    /// Puts a code into the row at a place, unless it has one.
    fn give_code(&mut self, code: &Digest, at: u32) -> bool {
        let row = self.passes.get_mut(at as usize).filter(|row| row.code().is_none());
        let free = row.map(|row| row.set_code(*code)).is_some();
        if free {
            self.codes.add(code.as_bytes(), at);
        }
        free
    }

    /// The pass that a code leads to, its row and its lot.
    pub(super) fn pass_of(&self, code: &Digest) -> Option<(PassId, &Row, &Lot)> {
        let at = self.row_by(code)?;
        let row = self.passes.get(at)?;
        let lot = self.lots.get(row.lot as usize)?;
        let id = lot.id.pass(row.serial);
        self.last_row.set(Some((id, at)));
        Some((id, row, lot))
    }

    /// Has the row fetched that a code leads to, nearly always.
    pub(super) fn touch_pass(&self, code: &Digest) {
        let at = self.codes.likely(code.as_bytes());
        at.and_then(|at| self.passes.get(at as usize)).into_iter().for_each(Row::touch);
    }

    /// The passes of the lot of `first` with serial numbers up to that of `last`, in order.
    pub(super) fn range(&self, first: PassId, last: PassId) -> impl Iterator<Item = (PassId, &Row)> {
        let lot = self.lot_at.get(&first.lot()).filter(|_| first.lot() == last.lot());
        let lot = lot.and_then(|lot| self.lots.get(*lot as usize)).into_iter();
        let places = lot.flat_map(move |lot| lot.range(first.serial(), last.serial()));
        places
            .filter_map(move |(serial, row)| Some((first.lot().pass(serial), self.passes.get(row as usize)?)))
    }

    pub(super) fn credit(&self, contact: ContactId, id: CreditId) -> Option<&CreditRow> {
        let wallet = self.wallets.get(&contact)?;
        wallet.get(place_of(wallet, id).ok()?)
    }

    pub(super) fn credit_mut(&mut self, contact: ContactId, id: CreditId) -> Option<&mut CreditRow> {
        let wallet = self.wallets.get_mut(&contact)?;
        let at = place_of(wallet, id).ok()?;
        wallet.get_mut(at)
    }

    /// The tally, if it has a row.
    pub(super) fn tally(&self, key: &TallyKey) -> Option<Tally> {
        match *key {
            TallyKey::Uses(pass) => self.row(pass).map(Row::uses),
            TallyKey::Balance(pass) => self.row(pass).map(Row::balance),
            TallyKey::Granted(pass) => self.row(pass).map(Row::granted),
            TallyKey::Credit(contact, id) => self.credit(contact, id).map(|row| row.amount),
            TallyKey::Named(id, slot) => self.tallies.get(&(id, slot)).copied(),
        }
    }

    /// The version of the row that a tally stands on.
    pub(super) fn version(&self, key: &TallyKey) -> Option<u32> {
        match *key {
            TallyKey::Uses(pass) | TallyKey::Balance(pass) | TallyKey::Granted(pass) => {
                self.row(pass).map(|row| row.version)
            }
            TallyKey::Credit(contact, id) => self.credit(contact, id).map(|row| row.version),
            TallyKey::Named(..) => None,
        }
    }

    pub(super) fn entry(&self, number: u64) -> Option<StoredEntry> {
        self.entries.get(number, &self.journal)
    }

    /// The entries of an operation, in order.
    pub(super) fn entries_of(&self, operation: u64) -> impl Iterator<Item = StoredEntry> {
        self.entries_after(operation.saturating_sub(1)).take_while(move |entry| entry.operation == operation)
    }

    /// The entries of the operations above a number.
    pub(super) fn entries_after(&self, operation: u64) -> impl Iterator<Item = StoredEntry> {
        self.entries.from(self.journal.place_after(operation), &self.journal)
    }
}

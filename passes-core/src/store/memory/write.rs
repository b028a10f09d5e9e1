//! Writing a change that was judged. Nothing here can fail but for want of room.

use super::index::Index;
use super::judge::{Found, kept};
use super::row::Row;
use super::tables::{Books, Lot, Numbers, Place, place_of};
use crate::id::PassId;
use crate::ledger::{Entry, Subject};
use crate::pass::{CreditRow, PassRow, Tally};
use crate::store::{Add, After, Change, Claim, Doc, DocKind, Put, Record, StoreError, TallyKey};

/// The places that a change needs are 32-bit numbers.
fn place(number: usize) -> Result<u32, StoreError> {
    let place = u32::try_from(number).ok().filter(|place| *place <= Index::LAST);
    place.ok_or_else(|| StoreError::Full("a business has at most 2^32 passes in memory".into()))
}

impl Books {
    /// Judges a change and writes it.
    ///
    /// # Errors
    /// Those of [`Books::judge`]; then nothing was written.
    pub(super) fn apply(
        &mut self,
        change: &mut Change,
        found: Found<'_>,
        last: &mut Numbers,
    ) -> Result<After, StoreError> {
        let after = self.judge(change, found)?;
        self.write(change, after, last)
    }

    /// Writes a change that was judged, with what its tallies come to: its records are taken out of it.
    ///
    /// # Errors
    /// [`StoreError::Full`] before anything is written.
    pub(super) fn write(
        &mut self,
        change: &mut Change,
        after: Vec<Tally>,
        last: &mut Numbers,
    ) -> Result<After, StoreError> {
        let next = self.journal.room()?;
        self.entries.room(change.entries.len())?;
        place(self.passes.len().saturating_add(change.put.len()))?;
        place(self.lots.len().saturating_add(change.put.len()).saturating_add(change.claim.len()))?;
        // First, for it alone knows how large its parts are.
        if let Some(operation) = &change.operation {
            self.journal.push(last.operation + 1, operation, &after)?;
        }
        for put in change.put.drain(..) {
            self.put(put)?;
        }
        for claim in &change.claim {
            self.claim(claim)?;
        }
        for (add, tally) in change.tally.iter().zip(&after) {
            self.count(add, *tally);
        }
        if change.operation.is_none() {
            return Ok(After { operation: 0, tallies: after });
        }
        last.operation += 1;
        for entry in &change.entries {
            last.entry += 1;
            self.book(last.entry, next, entry);
        }
        Ok(After { operation: last.operation, tallies: after })
    }

    fn put(&mut self, put: Put) -> Result<(), StoreError> {
        let version = put.expect.next_version();
        match put.record {
            Record::Doc(doc) => self.put_doc(Doc { version, ..doc }),
            Record::Pass(row) => return self.put_pass(PassRow { version, ..*row }),
            Record::Credit(row) => self.put_credit(CreditRow { version, ..*row }),
        }
        Ok(())
    }

    fn put_doc(&mut self, doc: Doc) {
        let (key, parent) = (doc.key, doc.parent);
        self.era += u64::from(matches!(key.kind, DocKind::Lot | DocKind::Terms | DocKind::Plan));
        if self.docs.insert(key, doc).is_none() {
            self.docs_by_kind.insert(key);
            if let Some(parent) = parent {
                self.docs_by_parent.insert((parent, key));
            }
        }
    }

    fn put_pass(&mut self, new: PassRow) -> Result<(), StoreError> {
        if let Some(stored) = self.row_mut(new.id) {
            let row = PassRow {
                uses: kept(Some(stored.uses()), new.uses),
                balance: kept(Some(stored.balance()), new.balance),
                granted: kept(Some(stored.granted()), new.granted),
                last: stored.last,
                ..new
            };
            stored.write(row);
            return Ok(());
        }
        let (serial, row) = (new.id.serial(), place(self.passes.len())?);
        let at = self.lot(new.id)?;
        if let Some(lot) = self.lots.get_mut(at as usize) {
            lot.add(serial, row);
        }
        self.passes.push(Row::of(PassRow { last: 0, ..new }, at));
        self.adopt_code(Place { lot: at, serial }, row);
        Ok(())
    }

    fn put_credit(&mut self, new: CreditRow) {
        // Most wallets hold few credits.
        let wallet = self.wallets.entry(new.contact).or_insert_with(|| Vec::with_capacity(1));
        match place_of(wallet, new.id) {
            Ok(at) => {
                if let Some(stored) = wallet.get_mut(at) {
                    let amount = kept(Some(stored.amount), new.amount);
                    *stored = CreditRow { amount, last: stored.last, ..new };
                }
            }
            Err(at) => wallet.insert(at, CreditRow { last: 0, ..new }),
        }
    }

    /// The place of a pass's lot, made if need be.
    fn lot(&mut self, pass: PassId) -> Result<u32, StoreError> {
        let next = place(self.lots.len())?;
        let lot = *self.lot_at.entry(pass.lot()).or_insert(next);
        if lot == next {
            self.lots.push(Lot::new(pass.lot()));
        }
        Ok(lot)
    }

    fn claim(&mut self, claim: &Claim) -> Result<(), StoreError> {
        let place = Place { lot: self.lot(claim.pass)?, serial: claim.pass.serial() };
        self.note_code(&claim.digest, place);
        Ok(())
    }

    fn count(&mut self, add: &Add, after: Tally) {
        match add.key {
            TallyKey::Uses(pass) => self.row_mut(pass).into_iter().for_each(|row| row.set_uses(after)),
            TallyKey::Balance(pass) => self.row_mut(pass).into_iter().for_each(|row| row.set_balance(after)),
            TallyKey::Granted(pass) => self.row_mut(pass).into_iter().for_each(|row| row.set_granted(after)),
            TallyKey::Credit(contact, id) => {
                self.credit_mut(contact, id).into_iter().for_each(|row| row.amount = after);
            }
            // Adding nothing only judges.
            TallyKey::Named(..) if add.used == 0 && add.held == 0 => {}
            TallyKey::Named(id, slot) => {
                self.tallies.insert((id, slot), after);
            }
        }
    }

    /// Appends an entry, which continues the chains of its subjects.
    fn book(&mut self, number: u64, operation: u32, entry: &Entry) {
        let (from, to) = (&entry.from.1, &entry.to.1);
        let before = (self.last_entry(from), self.last_entry(to));
        self.entries.push(number, operation, entry, before);
        self.chain(from, number);
        self.chain(to, number);
    }

    /// The last entry of a subject; 0 when there is none. The passes of a range have the same.
    fn last_entry(&self, subject: &Subject) -> u64 {
        let last = match *subject {
            Subject::None => None,
            Subject::Pass(pass) | Subject::Passes { first: pass, .. } => self.row(pass).map(|row| row.last),
            Subject::Credit(contact, id) => self.credit(contact, id).map(|row| row.last),
        };
        last.unwrap_or_default()
    }

    fn chain(&mut self, subject: &Subject, entry: u64) {
        match *subject {
            Subject::None => {}
            Subject::Pass(pass) => self.row_mut(pass).into_iter().for_each(|row| row.last = entry),
            Subject::Passes { first, count } => {
                let (lot, serial) = (first.lot(), first.serial());
                for serial in serial..=serial.saturating_add(count.saturating_sub(1)) {
                    self.row_mut(lot.pass(serial)).into_iter().for_each(|row| row.last = entry);
                }
            }
            Subject::Credit(contact, id) => {
                self.credit_mut(contact, id).into_iter().for_each(|row| row.last = entry);
            }
        }
    }
}

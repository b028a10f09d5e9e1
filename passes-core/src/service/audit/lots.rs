//! What an audit has to know of each lot: some fifty bytes, and a bit for each of its codes.

use super::super::verify::Verified;
use super::names;
use crate::id::{LotId, PassId, PlanId, TermsId};
use crate::limits;
use crate::money::{Currency, Money};
use crate::plan::{Terms, Usage};

/// Marks of a lot.
pub(super) mod mark {
    /// Its pass is electronic.
    pub(in super::super) const ELECTRONIC: u8 = 1;
    /// All its passes were cancelled.
    pub(in super::super) const CANCELLED: u8 = 2;
    /// It is being generated.
    pub(in super::super) const GROWING: u8 = 4;
    /// The run that generates it was read.
    pub(in super::super) const RUN: u8 = 8;
    /// The delivery of its pass was read.
    pub(in super::super) const DELIVERED: u8 = 16;
    /// Its passes were read.
    pub(in super::super) const PASSES: u8 = 32;
}

/// The terms of passes, as far as they are judged, and what the passes of all lots with them come to.
pub(super) struct TermsFacts {
    pub(super) id: TermsId,
    pub(super) plan: PlanId,
    pub(super) currency: Currency,
    pub(super) usage: Usage,
    /// All that a pass gives, where it is known from the beginning.
    pub(super) total: Option<i64>,
    pub(super) passes: i128,
    pub(super) value: i128,
}

impl TermsFacts {
    pub(super) fn of(id: TermsId, plan: PlanId, terms: &Terms) -> Self {
        let (currency, usage) = (terms.currency, terms.usage);
        let total = terms.fixed_value().and_then(|value| usage.total(value).ok()).map(Money::minor);
        Self { id, plan, currency, usage, total, passes: 0, value: 0 }
    }
}

/// A lot.
#[derive(Clone, Copy)]
pub(super) struct LotFacts {
    pub(super) id: LotId,
    /// Into the list of terms.
    pub(super) terms: u32,
    /// How many passes it has: those with the serial numbers from 1.
    pub(super) made: u32,
    /// How many serial numbers may have a code.
    pub(super) serials: u32,
    /// How many codes it has reserved.
    pub(super) codes: u32,
    pub(super) marks: u8,
    /// Into the list of formats, of which a business has few.
    pub(super) format: u16,
    /// Where its bits begin.
    from: u64,
}

impl LotFacts {
    /// One with so many passes, each with its code.
    pub(super) fn of(id: LotId, terms: u32, format: usize, count: u32, marks: u8) -> Self {
        let format = u16::try_from(format).unwrap_or(u16::MAX);
        Self { id, terms, made: count, serials: count, codes: count, marks, format, from: 0 }
    }

    pub(super) fn is(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }
}

/// All lots, by id, and which of their serial numbers have a code.
#[derive(Default)]
pub(super) struct Lots {
    rows: Vec<LotFacts>,
    bits: Vec<u64>,
    sealed: bool,
}

impl Lots {
    /// Adds a lot. They come in the order of their ids; one out of order is left out, and told elsewhere.
    pub(super) fn push(&mut self, lot: LotFacts) {
        if self.rows.last().is_none_or(|last| last.id < lot.id) {
            self.rows.push(lot);
        }
    }

    pub(super) fn find(&self, lot: LotId) -> Option<usize> {
        self.rows.binary_search_by_key(&lot, |row| row.id).ok()
    }

    pub(super) fn at(&self, index: usize) -> Option<&LotFacts> {
        self.rows.get(index)
    }

    pub(super) fn at_mut(&mut self, index: usize) -> Option<&mut LotFacts> {
        self.rows.get_mut(index)
    }

    pub(super) fn get(&self, lot: LotId) -> Option<&LotFacts> {
        self.at(self.find(lot)?)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LotFacts> {
        self.rows.iter()
    }

    /// Whether the lot says that it has this pass.
    pub(super) fn has(&self, pass: PassId) -> bool {
        self.get(pass.lot()).is_some_and(|lot| (1..=lot.made).contains(&pass.serial()))
    }

    /// Gives each lot its bits. All documents were read.
    pub(super) fn seal(&mut self) {
        if self.sealed {
            return;
        }
        self.sealed = true;
        let mut from = 0_u64;
        for lot in &mut self.rows {
            // No lot is made that large: what says so is told by its passes.
            lot.serials = lot.serials.min(limits::LOT);
            lot.from = from;
            from = from.saturating_add(lot.serials.into());
        }
        self.bits = vec![0; usize::try_from(from.div_ceil(64)).unwrap_or(0)];
    }

    /// Notes a code, and tells whether its pass has one already; nothing if the lot can't have it.
    pub(super) fn code(&mut self, pass: PassId) -> Option<bool> {
        let lot = self.get(pass.lot())?;
        let at = lot.from.checked_add(u64::from(place(lot, pass.serial())?))?;
        let word = self.bits.get_mut(usize::try_from(at / 64).ok()?)?;
        let bit = 1_u64 << (at % 64);
        let there = *word & bit != 0;
        *word |= bit;
        Some(there)
    }

    fn has_code(&self, lot: &LotFacts, serial: u32) -> bool {
        let at = place(lot, serial).map(|place| lot.from.saturating_add(place.into()));
        let word = at.and_then(|at| Some((self.bits.get(usize::try_from(at / 64).ok()?)?, at % 64)));
        word.is_some_and(|(word, bit)| word >> bit & 1 != 0)
    }

    /// Judges the codes of all lots.
    pub(super) fn judge(&self, verified: &mut Verified) {
        for lot in &self.rows {
            let mut found = 0_u32;
            for serial in 1..=lot.serials {
                let there = self.has_code(lot, serial);
                found += u32::from(there);
                if !there && serial <= lot.made {
                    verified.drift(names::PASS_CODES, lot.id.pass(serial), 0, 1, None);
                }
            }
            verified.tell(names::LOT_CODES, lot.id, found.into(), lot.codes.into(), None);
        }
    }
}

/// The place of a serial number in its lot, from 0.
fn place(lot: &LotFacts, serial: u32) -> Option<u32> {
    serial.checked_sub(1).filter(|place| *place < lot.serials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::id::Ids;

    /// D-7: each serial number of each lot has a bit of its own.
    #[test]
    fn bits_are_not_shared() {
        let mut ids = Ids::new(&[5; 32], Instant::EPOCH);
        let mut lots: Vec<LotId> = (0..3).map(|_| ids.draw_lot()).collect();
        lots.sort_unstable();
        let mut table = Lots::default();
        for (lot, count) in lots.iter().zip([100, 1, 70]) {
            table.push(LotFacts::of(*lot, 0, 0, count, 0));
        }
        table.seal();
        assert_eq!(table.bits.len(), 3);
        let passes = |n: usize, count: u32| (1..=count).map(move |serial| (n, serial));
        let all: Vec<(usize, u32)> = passes(0, 100).chain(passes(1, 1)).chain(passes(2, 70)).collect();
        for (n, serial) in &all {
            assert_eq!(table.code(lots[*n].pass(*serial)), Some(false));
        }
        for (n, serial) in all {
            assert_eq!(table.code(lots[n].pass(serial)), Some(true));
        }
        assert_eq!(table.code(lots[1].pass(2)), None);
        assert_eq!(table.code(lots[1].pass(0)), None);
        let mut verified = Verified::default();
        table.judge(&mut verified);
        assert!(verified.is_good());
    }
}

//! How a pass is kept: what a redemption looks at behind one another, the rest beside it.

use crate::calendar::Instant;
use crate::id::{ContactId, Id, PassId, SaleId};
use crate::pass::{PassRow, Standing, Tally};
use crate::passcode::Digest;
use prefetch_index::prefetch_index;
use std::mem::offset_of;

/// A pass. A redemption of one among millions finds none of it in the cache, so it pays to keep it small, and in three
/// lines of the cache wherever it begins.
#[derive(Clone)]
#[repr(C, align(32))]
pub(super) struct Row {
    /// The digest of its first code, by which it is found: no other place has to be looked at for that.
    code: Digest,
    sale: [u8; 16],
    pub(super) last: u64,
    rest: Option<Box<Rest>>,
    /// In the second line.
    value: i64,
    activated: Moment,
    redeem_by: Moment,
    uses: Count,
    balance: Count,
    granted: Count,
    /// Into [`Books::lots`](super::tables::Books::lots). In the third line.
    pub(super) lot: u32,
    pub(super) serial: u32,
    pub(super) version: u32,
    flags: u32,
    code_try: u32,
    standing: Standing,
    has_value: bool,
    has_sale: bool,
    has_code: bool,
}

const _: () = assert!(size_of::<Row>() == 160);
/// The lines are of 64 bytes, and a row begins with one or in the middle of one.
const _: () = assert!(offset_of!(Row, value) / 32 == 2 && offset_of!(Row, lot) / 32 == 4);

/// A tally without what is held.
#[derive(Clone, Copy)]
struct Count {
    used: i64,
    limit: i64,
}

/// What few passes have.
#[derive(Clone, Default, PartialEq)]
struct Rest {
    uses_held: i64,
    balance_held: i64,
    granted_held: i64,
    holder: Option<ContactId>,
    successor: Option<PassId>,
    fields: Option<Box<[u8]>>,
}

/// An instant that may be missing, in eight bytes: no instant is that early.
#[derive(Clone, Copy)]
struct Moment(i64);

impl Moment {
    fn of(instant: Option<Instant>) -> Self {
        Self(instant.map_or(i64::MIN, Instant::micros))
    }

    fn get(self) -> Option<Instant> {
        if self.0 == i64::MIN { None } else { Instant::from_micros(self.0).ok() }
    }
}

impl Count {
    fn with(self, held: i64) -> Tally {
        Tally { used: self.used, held, limit: self.limit }
    }
}

impl From<Tally> for Count {
    fn from(Tally { used, limit, .. }: Tally) -> Self {
        Self { used, limit }
    }
}

impl Row {
    /// A row as it is kept, of a lot at this place. It has no code.
    pub(super) fn of(row: PassRow, lot: u32) -> Self {
        let rest = Rest {
            uses_held: row.uses.held,
            balance_held: row.balance.held,
            granted_held: row.granted.held,
            holder: row.holder,
            successor: row.successor,
            fields: row.fields,
        };
        Self {
            code: Digest::from_bytes([0; 32]),
            lot,
            serial: row.id.serial(),
            version: row.version,
            flags: row.flags,
            code_try: row.code_try,
            standing: row.standing,
            has_value: row.value.is_some(),
            has_sale: row.sale.is_some(),
            has_code: false,
            sale: row.sale.map(SaleId::to_bytes).unwrap_or_default(),
            value: row.value.unwrap_or_default(),
            activated: Moment::of(row.activated),
            redeem_by: Moment::of(row.redeem_by),
            uses: row.uses.into(),
            balance: row.balance.into(),
            granted: row.granted.into(),
            last: row.last,
            rest: (rest != Rest::default()).then(|| Box::new(rest)),
        }
    }

    /// The row of the pass with this id.
    #[inline]
    pub(super) fn to_pass(&self, id: PassId) -> PassRow {
        let (mut holder, mut successor, mut fields) = (None, None, None);
        if let Some(rest) = &self.rest {
            (holder, successor) = (rest.holder, rest.successor);
            fields.clone_from(&rest.fields);
        }
        PassRow {
            id,
            version: self.version,
            standing: self.standing,
            flags: self.flags,
            activated: self.activated.get(),
            redeem_by: self.redeem_by.get(),
            value: self.has_value.then_some(self.value),
            uses: self.uses(),
            balance: self.balance(),
            granted: self.granted(),
            holder,
            successor,
            sale: self.has_sale.then(|| SaleId::from_bytes(self.sale)),
            code_try: self.code_try,
            fields,
            last: self.last,
        }
    }

    /// Has it fetched, without waiting for it.
    pub(super) fn touch(&self) {
        prefetch_index(std::slice::from_ref(&self.code), 0);
        prefetch_index(std::slice::from_ref(&self.value), 0);
        prefetch_index(std::slice::from_ref(&self.lot), 0);
    }

    pub(super) fn code(&self) -> Option<&Digest> {
        self.has_code.then_some(&self.code)
    }

    pub(super) fn set_code(&mut self, code: Digest) {
        (self.code, self.has_code) = (code, true);
    }

    /// Writes all but the code, which stays.
    pub(super) fn write(&mut self, row: PassRow) {
        let (code, has_code) = (self.code, self.has_code);
        *self = Self { code, has_code, ..Self::of(row, self.lot) };
    }

    fn held(&self, of: impl FnOnce(&Rest) -> i64) -> i64 {
        self.rest.as_deref().map_or(0, of)
    }

    fn hold(&mut self, held: i64, set: impl FnOnce(&mut Rest, i64)) {
        if held != 0 || self.rest.is_some() {
            set(self.rest.get_or_insert_default(), held);
        }
    }

    pub(super) fn redeem_by(&self) -> Option<Instant> {
        self.redeem_by.get()
    }

    pub(super) fn uses(&self) -> Tally {
        self.uses.with(self.held(|rest| rest.uses_held))
    }

    pub(super) fn balance(&self) -> Tally {
        self.balance.with(self.held(|rest| rest.balance_held))
    }

    pub(super) fn granted(&self) -> Tally {
        self.granted.with(self.held(|rest| rest.granted_held))
    }

    pub(super) fn set_uses(&mut self, tally: Tally) {
        self.uses = tally.into();
        self.hold(tally.held, |rest, held| rest.uses_held = held);
    }

    pub(super) fn set_balance(&mut self, tally: Tally) {
        self.balance = tally.into();
        self.hold(tally.held, |rest, held| rest.balance_held = held);
    }

    pub(super) fn set_granted(&mut self, tally: Tally) {
        self.granted = tally.into();
        self.hold(tally.held, |rest, held| rest.granted_held = held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::LotId;
    use crate::pass::flag;

    /// D-1: whatever a pass's row says, it says again.
    #[test]
    fn a_row_comes_back_as_it_was() {
        let id = LotId::from_bytes([7; 16]).pass(u32::MAX);
        let tally = |n: i64| Tally { used: n, held: n + 1, limit: i64::MAX };
        let full = PassRow {
            id,
            version: u32::MAX,
            standing: Standing::Cancelled,
            flags: flag::BOOKED,
            activated: Some(Instant::EPOCH),
            redeem_by: Instant::from_micros(-1).ok(),
            value: Some(i64::MIN),
            uses: tally(1),
            balance: tally(3),
            granted: tally(5),
            holder: Some(ContactId::from_bytes([1; 16])),
            successor: Some(id),
            sale: Some(SaleId::from_bytes([2; 16])),
            code_try: 9,
            fields: Some((*b"{}").into()),
            last: u64::MAX,
        };
        for row in [full.clone(), PassRow::draft(id), PassRow { value: Some(0), ..PassRow::draft(id) }] {
            let mut kept = Row::of(row.clone(), 3);
            assert_eq!((kept.to_pass(id), kept.code().is_some()), (row.clone(), false));
            let code = Digest::from_bytes([7; 32]);
            kept.set_code(code);
            kept.write(PassRow { version: 9, ..row.clone() });
            assert_eq!(
                (kept.to_pass(id), kept.code(), kept.lot),
                (PassRow { version: 9, ..row }, Some(&code), 3)
            );
        }
        let mut row = Row::of(PassRow::draft(id), 3);
        for n in [5, -1] {
            row.set_uses(tally(n));
            row.set_balance(tally(n + 1));
            row.set_granted(tally(n + 2));
            assert_eq!((row.uses(), row.balance(), row.granted()), (tally(n), tally(n + 1), tally(n + 2)));
        }
    }
}

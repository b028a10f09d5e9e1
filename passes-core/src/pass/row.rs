//! What a store keeps of a pass, typed: the one row that a redemption changes.

use super::Tally;
use crate::calendar::Instant;
use crate::id::{ContactId, CreditId, PassId, SaleId};
use crate::ledger::Mark;
use serde::{Deserialize, Serialize};

/// What was decided about a pass. *Redeemed* follows from the balance, *Suspended* from a flag here and on
/// its lot and plan; see [`super::State`].
///
/// ```
/// use passes_core::pass::Standing;
/// assert_eq!(Standing::from_number(2), Some(Standing::Cancelled));
/// assert_eq!(Standing::from_number(3), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Standing {
    /// Not activated, or not delivered.
    Draft = 0,
    /// Activated.
    Active = 1,
    /// Cancelled.
    Cancelled = 2,
}

impl Standing {
    /// The standing with this number.
    /// See [`Standing`].
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Draft),
            1 => Some(Self::Active),
            2 => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// Marks on a pass's row.
pub mod flag {
    /// The pass by itself is suspended.
    /// See [`State::of`](crate::pass::State::of).
    pub const SUSPENDED: u32 = 1;
    /// Its value is booked in the ledger.
    /// See [`PassRow`](super::PassRow).
    pub const BOOKED: u32 = 2;
    /// Its expiry was set by hand, so that activating it doesn't compute one.
    /// See [`PassRow`](super::PassRow).
    pub const EXPIRY_SET: u32 = 4;
}

/// A pass as a store keeps it.
///
/// A put writes everything but what tallies count (`used`, `held`) and `last`, which belong to the store.
///
/// ```
/// use passes_core::pass::{PassRow, Standing, Tally, flag};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let sold = PassRow {
///     standing: Standing::Active,
///     flags: flag::BOOKED | flag::EXPIRY_SET,
///     value: Some(2_500),
///     uses: Tally::new(1),
///     balance: Tally::new(2_500),
///     ..PassRow::draft(lot.pass(7))
/// };
/// assert_eq!((sold.id.serial(), sold.balance.left(), sold.granted.left()), (7, 2_500, 0));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassRow {
    /// Its id, which holds lot and serial number.
    pub id: PassId,
    /// Counts the puts, from 1. A tally's change doesn't raise it.
    pub version: u32,
    /// What was decided about it.
    pub standing: Standing,
    /// Marks, from [`flag`].
    pub flags: u32,
    /// When it was activated.
    pub activated: Option<Instant>,
    /// The moment from which it can't be redeemed any more; nothing is never.
    pub redeem_by: Option<Instant>,
    /// Its value in minor units, of each use where each credits the full value; nothing while not set.
    pub value: Option<i64>,
    /// Its uses.
    pub uses: Tally,
    /// Its money in minor units: all that the pass ever gives, whatever the mark.
    pub balance: Tally,
    /// The granted part of the balance, which is given first.
    pub granted: Tally,
    /// The contact it was made or issued for.
    pub holder: Option<ContactId>,
    /// The pass that replaced it when it was cancelled.
    pub successor: Option<PassId>,
    /// The sale that it belongs to.
    pub sale: Option<SaleId>,
    /// Which try of its lot's seed made its code: 0, unless a code was taken.
    pub code_try: u32,
    /// The values of custom fields that were set on this pass itself, as JSON.
    pub fields: Option<Box<[u8]>>,
    /// Its last entry in the ledger, 0 when there is none. The store's.
    pub last: u64,
}

impl PassRow {
    /// A draft without a value, uses, expiry or anything else.
    /// See [`PassRow`].
    #[must_use]
    pub fn draft(id: PassId) -> Self {
        Self {
            id,
            version: 1,
            standing: Standing::Draft,
            flags: 0,
            activated: None,
            redeem_by: None,
            value: None,
            uses: Tally::default(),
            balance: Tally::default(),
            granted: Tally::default(),
            holder: None,
            successor: None,
            sale: None,
            code_try: 0,
            fields: None,
            last: 0,
        }
    }
}

/// A credit as a store keeps it.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::store::{Load, wait};
/// shop.credited(1)?;
/// let mut load = Load::new(by.business);
/// load.wallet = Some(shop.ann);
/// let credits = wait(passes.store().load(&load))?.credits;
/// assert_eq!((credits[0].pass, credits[0].amount.left()), (shop.card(1), 2_500));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditRow {
    /// Whose wallet it is in.
    pub contact: ContactId,
    /// Its id.
    pub id: CreditId,
    /// Counts the puts, from 1.
    pub version: u32,
    /// The pass it came from; its lot leads to the conditions under which it may be spent.
    pub pass: PassId,
    /// Paid for, or given.
    pub mark: Mark,
    /// The moment from which it can't be spent any more; nothing is never.
    pub spend_by: Option<Instant>,
    /// When it was credited.
    pub created: Instant,
    /// Its money in minor units.
    pub amount: Tally,
    /// Its last entry in the ledger. The store's.
    pub last: u64,
}

//! The keys of records.

use crate::id::{ContactId, CreditId, Id, PassId};

/// The kinds of documents: records that change seldom and are stored as versioned JSON.
///
/// ```
/// use passes_core::store::DocKind;
/// assert_eq!(DocKind::from_number(5), Some(DocKind::Lot));
/// assert!(DocKind::ALL.iter().all(|kind| DocKind::from_number(*kind as u8) == Some(*kind)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DocKind {
    /// The ids and check values of the keys in use. Belongs to the store.
    Keys = 1,
    /// A business.
    Business = 2,
    /// A plan.
    Plan = 3,
    /// The terms of passes. Its parent is the plan.
    Terms = 4,
    /// A lot. Its parent is the terms.
    Lot = 5,
    /// A contact.
    Contact = 6,
    /// A contact's medium: which contact a telephone number, an address or a host's reference leads to.
    Medium = 7,
    /// A run. Its parent is the lot or plan it works on.
    Run = 8,
    /// A sale. Its parent is the buyer.
    Sale = 9,
    /// The delivery of an electronic pass. Its parent is the first recipient.
    Delivery = 10,
    /// What was reversed of an operation.
    Reversal = 11,
    /// The refusals of a day, counted.
    Refusals = 12,
}

impl DocKind {
    /// Every kind, in the order of its number.
    /// See [`DocKind`].
    pub const ALL: [Self; 12] = [
        Self::Keys,
        Self::Business,
        Self::Plan,
        Self::Terms,
        Self::Lot,
        Self::Contact,
        Self::Medium,
        Self::Run,
        Self::Sale,
        Self::Delivery,
        Self::Reversal,
        Self::Refusals,
    ];

    /// The kind with this number.
    /// See [`DocKind`].
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|k| *k as u8 == number)
    }
}

/// The key of a document within its business.
///
/// ```
/// use passes_core::store::{DocKey, DocKind};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// assert_eq!(DocKey::new(DocKind::Lot, lot).id, *lot.as_bytes());
/// assert_eq!(DocKey::numbered(DocKind::Reversal, 7).id[15], 7);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocKey {
    /// Its kind.
    pub kind: DocKind,
    /// Its id: of what it describes, or a hash.
    pub id: [u8; 16],
}

impl DocKey {
    /// The key of the document of this kind about this thing.
    /// See [`DocKey`].
    #[must_use]
    pub fn new(kind: DocKind, id: impl Id) -> Self {
        Self { kind, id: id.to_bytes() }
    }

    /// The key of the document of this kind about a number, such as an operation's.
    /// See [`DocKey`].
    #[must_use]
    pub fn numbered(kind: DocKind, number: u64) -> Self {
        Self { kind, id: u128::from(number).to_be_bytes() }
    }
}

/// The hash of an idempotency key, under its business: the key itself is not stored.
///
/// ```
/// let hash: passes_core::store::KeyHash = [7; 16];
/// ```
pub type KeyHash = [u8; 16];

/// Which tally.
///
/// ```
/// use passes_core::store::TallyKey;
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let (first, second) = (TallyKey::Balance(lot.pass(1)), TallyKey::Balance(lot.pass(2)));
/// assert!(first < second && TallyKey::Uses(lot.pass(2)) < first);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TallyKey {
    /// The uses of a pass.
    Uses(PassId),
    /// The balance of a pass.
    Balance(PassId),
    /// The granted part of a pass's balance.
    Granted(PassId),
    /// A credit.
    Credit(ContactId, CreditId),
    /// A tally with a row of its own: a plan's cap, a format's codes. One that many share has several slots,
    /// whose limits add up.
    Named([u8; 16], u16),
}

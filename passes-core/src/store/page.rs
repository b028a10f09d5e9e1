//! Lists: what is asked, a page at a time, by the key after which to go on.

use super::change::StoredOperation;
use super::key::{DocKey, DocKind};
use super::load::{Doc, PassRange};
use crate::calendar::Instant;
use crate::id::{BusinessId, ContactId, PassId};
use crate::ledger::{StoredEntry, Subject};
use crate::pass::{CreditRow, PassRow};
use std::sync::Arc;

/// A question for a page of a list. `limit` bounds the rows answered.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::store::{DocKind, PageQuery, wait};
/// let (business, kind) = (by.business, DocKind::Lot);
/// let query = PageQuery::Docs { business, kind, parent: None, after: None, limit: 10 };
/// assert_eq!(query.business(), business);
/// assert_eq!(wait(passes.store().page(&query))?.docs.len(), 1);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum PageQuery {
    /// Documents of a kind, in the order of their ids.
    Docs {
        /// Whose.
        business: BusinessId,
        /// Their kind.
        kind: DocKind,
        /// Only those that hang on this one.
        parent: Option<DocKey>,
        /// Only those with an id above this one.
        after: Option<[u8; 16]>,
        /// How many at most.
        limit: u32,
    },
    /// Passes of a lot.
    Passes {
        /// Whose.
        business: BusinessId,
        /// Which, and how many at most.
        range: PassRange,
        /// In which order.
        order: PassOrder,
        /// Only those after this place in that order.
        after: Option<(Option<Instant>, PassId)>,
    },
    /// All credits of a contact, spent ones too, in the order of their ids.
    Credits {
        /// Whose.
        business: BusinessId,
        /// In whose wallet.
        contact: ContactId,
        /// Only those with an id above this one.
        after: Option<[u8; 16]>,
        /// How many at most.
        limit: u32,
    },
    /// Operations, in the order of their numbers.
    Operations {
        /// Whose.
        business: BusinessId,
        /// Only those with a number above this one.
        after: u64,
        /// How many at most.
        limit: u32,
    },
    /// The history of a pass or a credit, newest first: the chain of its entries.
    History {
        /// Whose.
        business: BusinessId,
        /// A pass or a credit.
        subject: Subject,
        /// Only those with a number below this one.
        before: Option<u64>,
        /// How many at most.
        limit: u32,
    },
}

impl PageQuery {
    /// Whose records it asks for.
    /// See [`PageQuery`].
    #[must_use]
    pub fn business(&self) -> BusinessId {
        match self {
            Self::Docs { business, .. }
            | Self::Passes { business, .. }
            | Self::Credits { business, .. }
            | Self::Operations { business, .. }
            | Self::History { business, .. } => *business,
        }
    }
}

/// The order of a list of passes.
/// See [`Passes::passes`](crate::Passes::passes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassOrder {
    /// By serial number.
    #[default]
    Serial,
    /// By the end of validity, soonest first, never last; then by serial number.
    Expiry,
}

/// A page of a list: only the rows that the query is about are filled.
/// See [`PageQuery`].
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Documents.
    pub docs: Vec<Doc>,
    /// Passes.
    pub passes: Vec<PassRow>,
    /// Credits.
    pub credits: Vec<CreditRow>,
    /// Operations.
    pub operations: Vec<Arc<StoredOperation>>,
    /// Entries.
    pub entries: Vec<StoredEntry>,
}

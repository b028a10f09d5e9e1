//! What an audit is told: every row of a business, one after the other.

use super::change::StoredOperation;
use super::key::KeyHash;
use super::load::Doc;
use crate::id::PassId;
use crate::ledger::StoredEntry;
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use std::sync::Arc;

/// A row of an audit. They come in this order: documents, passes, operations (each followed by its entries),
/// credits, named tallies, codes, idempotency keys; each kind in the strictly ascending order of its key. A
/// fault comes wherever the store finds it.
///
/// A store reads the rows themselves, not an index that should agree with them, and it tells a row that it can't
/// make sense of as a fault instead of leaving it out.
/// See [`Auditor`](super::Auditor).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuditRow {
    /// Something that the store itself found to be wrong, of whatever business, in words: an index that
    /// disagrees with its table, a row that can't be read or belongs to nothing, numbers that are gone.
    Fault(String),
    /// A document, by kind and id.
    Doc(Doc),
    /// A pass, by id.
    Pass(Box<PassRow>),
    /// An operation, by number. Its entries follow it.
    Operation {
        /// The operation. Its `key` and `stops` need not be there.
        stored: Arc<StoredOperation>,
        /// Whether it bears an idempotency key.
        keyed: bool,
        /// How many entries it says that it booked.
        entries: u64,
    },
    /// An entry of the ledger, by number. One whose operation has passed by already comes all the same.
    Entry(StoredEntry),
    /// A credit, by contact and id.
    Credit(Box<CreditRow>),
    /// A named tally: its id, its slot, its value.
    Tally([u8; 16], u16, Tally),
    /// A code, by digest, and the pass that it leads to, which need not be there.
    Code(Digest, PassId),
    /// An idempotency key, by its hash; the number of the operation that it leads to; and whether that stops it
    /// and doesn't bear it.
    Key(KeyHash, u64, bool),
}

//! What a command reads, and what it finds.

use super::body::{Body, Piece};
use super::change::{After, Change, StoredOperation};
use super::key::{DocKey, KeyHash, TallyKey};
use crate::id::{BusinessId, ContactId, CreditId, Id, PassId};
use crate::ledger::StoredEntry;
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use crate::refusal::Refusal;
use std::sync::Arc;

/// All that a command names, to be read in one snapshot.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::store::{Load, wait};
/// let mut load = Load::new(by.business);
/// load.passes = vec![shop.card(2), shop.card(1)];
/// let loaded = wait(passes.store().load(&load))?;
/// assert_eq!(loaded.passes[0].id, shop.card(1));
/// assert!(loaded.lot_of(shop.card(1)).is_some()); // The chain comes with them.
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Load {
    /// Whose records.
    pub business: BusinessId,
    /// Documents.
    pub docs: Vec<DocKey>,
    /// A code: the pass that it leads to.
    pub code: Option<Digest>,
    /// Codes of which only is asked whether they are taken.
    pub taken: Vec<Digest>,
    /// Passes by id.
    pub passes: Vec<PassId>,
    /// Passes of one lot in a range of serial numbers.
    pub range: Option<PassRange>,
    /// All credits of a contact with something left: neither used nor held ([`Tally::left`]).
    pub wallet: Option<ContactId>,
    /// Credits by id.
    pub credits: Vec<(ContactId, CreditId)>,
    /// Named tallies.
    pub tallies: Vec<TallyKey>,
    /// An idempotency key: the operation that bears or stops it.
    pub key: Option<KeyHash>,
    /// Another operation, with its entries.
    pub operation: Option<OperationKey>,
}

impl Load {
    /// Nothing yet.
    /// See [`Load`].
    #[must_use]
    pub fn new(business: BusinessId) -> Self {
        Self {
            business,
            docs: Vec::new(),
            code: None,
            taken: Vec::new(),
            passes: Vec::new(),
            range: None,
            wallet: None,
            credits: Vec::new(),
            tallies: Vec::new(),
            key: None,
            operation: None,
        }
    }
}

/// Passes of one lot with serial numbers from `first` to `last`, both included; at most `limit` of them.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::store::{Load, PassRange, wait};
/// let mut load = Load::new(by.business);
/// load.range = Some(PassRange { first: shop.card(4), last: shop.card(9), limit: 100 });
/// assert_eq!(wait(passes.store().load(&load))?.passes.len(), 6);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassRange {
    /// The first.
    pub first: PassId,
    /// The last.
    pub last: PassId,
    /// How many at most.
    pub limit: u32,
}

/// How an operation is named.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::store::{Load, OperationKey, wait};
/// let mut load = Load::new(by.business);
/// load.operation = Some(OperationKey::Number(1));
/// let (operation, entries) = wait(passes.store().load(&load))?.operation.unwrap();
/// assert!(operation.number == 1 && entries.is_empty());
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKey {
    /// By the store's number.
    Number(u64),
    /// By the idempotency key that it bears or stops.
    Key(KeyHash),
}

/// A versioned document.
///
/// Loading a pass or a credit also loads the *chain* of its lot: the lot's document, its parent (the
/// terms), and the parent of that (the plan).
/// See [`Change`] for one that is written, and [`Loaded::doc`] for one that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    /// Its key.
    pub key: DocKey,
    /// Counts the puts, from 1.
    pub version: u32,
    /// The document that it hangs on, by which it is also listed. It never changes.
    pub parent: Option<DocKey>,
    /// JSON, versioned.
    pub body: Body,
}

/// What was found. What was not found is left out, or `None` at its place.
/// See [`Load`].
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The documents found: those asked for, and the chains.
    pub docs: Vec<Doc>,
    /// A chain that the store keeps at hand in one piece: as good as its documents among the others, and never
    /// in both places.
    pub chain: Option<Arc<Piece>>,
    /// The pass of the code.
    pub code: Option<PassRow>,
    /// For each of [`Load::taken`]: whether it is.
    pub taken: Vec<bool>,
    /// The passes asked for by id or range, in the order of their ids.
    pub passes: Vec<PassRow>,
    /// The credits asked for, by contact or id, in the order of contact and id.
    pub credits: Vec<CreditRow>,
    /// The named tallies, in the order asked for; one that has no row is all zero.
    pub tallies: Vec<Tally>,
    /// The operation of the idempotency key.
    pub replay: Option<Arc<StoredOperation>>,
    /// Whether [`Loaded::replay`] doesn't bear the key but stops it.
    pub stopped: bool,
    /// The other operation, and its entries in order.
    pub operation: Option<(Arc<StoredOperation>, Vec<StoredEntry>)>,
}

impl Loaded {
    /// The document with this key.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::store::{DocKey, DocKind, Load, wait};
    /// let key = DocKey::new(DocKind::Plan, shop.plan);
    /// let mut load = Load::new(by.business);
    /// load.docs.push(key);
    /// assert!(wait(passes.store().load(&load))?.doc(&key).unwrap().version > 1);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn doc(&self, key: &DocKey) -> Option<&Doc> {
        self.all_docs().find(|d| d.key == *key)
    }

    /// All documents, wherever the store put them.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::store::{Load, wait};
    /// let mut load = Load::new(by.business);
    /// load.passes.push(shop.lot.pass(1));
    /// // Lot, terms and plan come with a pass.
    /// assert_eq!(wait(passes.store().load(&load))?.all_docs().count(), 3);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn all_docs(&self) -> impl Iterator<Item = &Doc> {
        self.docs.iter().chain(self.chain.iter().flat_map(|chain| chain.docs()))
    }

    /// The pass with this id, by code or by id.
    /// See [`Load`].
    #[must_use]
    pub fn pass(&self, id: PassId) -> Option<&PassRow> {
        let by_id = self.passes.binary_search_by_key(&id, |p| p.id).ok().and_then(|i| self.passes.get(i));
        by_id.or_else(|| self.code.as_ref().filter(|p| p.id == id))
    }

    /// The document that lists a pass's lot.
    /// See [`Load`].
    #[must_use]
    pub fn lot_of(&self, pass: PassId) -> Option<&Doc> {
        self.doc(&DocKey { kind: super::DocKind::Lot, id: pass.lot().to_bytes() })
    }
}

/// What a decision comes to.
/// See [`Command`](super::Command).
#[derive(Debug)]
pub enum Decision {
    /// It is done by this change.
    Accepted(Box<Change>),
    /// It is refused; the change counts something, and names no operation.
    Refused(Vec<Refusal>, Option<Box<Change>>),
    /// The same request was done before, by [`Loaded::replay`].
    Replayed,
}

/// What a command came to.
/// See [`Command`](super::Command).
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is done: what only the commit knew.
    Done(After),
    /// It was done before: the operation as stored.
    Replayed(Arc<StoredOperation>),
    /// It is refused.
    Refused(Vec<Refusal>),
}

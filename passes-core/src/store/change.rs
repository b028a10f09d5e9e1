//! What a command writes, in words that know nothing of the domain's rules.

use super::Doc;
use super::key::{DocKey, KeyHash, TallyKey};
use crate::calendar::Instant;
use crate::id::{BusinessId, OperationId, PassId};
use crate::ledger::Entry;
use crate::operation::Kind;
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everything one command does. A store writes it whole or not at all, and judges every guard first.
///
/// It names each record, each tally and each code at most once. What is put comes first: additions are judged
/// upon it. A guard that fails is [`StoreError::Conflict`](super::StoreError::Conflict); what is no change at
/// all (something named twice, an entry about a pass that is not there, a document with another parent) is
/// [`StoreError::Backend`](super::StoreError::Backend).
///
/// ```
/// use passes_core::id::BusinessId;
/// use passes_core::store::{Change, Doc, DocKey, DocKind, Expect, Put, Record, Store, StoreError, wait};
/// # let store = passes_core::store::memory::Memory::new();
/// let key = DocKey::numbered(DocKind::Refusals, 20_574);
/// let doc = Doc { key, version: 0, parent: None, body: b"[]".as_slice().into() };
/// let mut change = Change::new(BusinessId::STORE);
/// change.put.push(Put { record: Record::Doc(doc), expect: Expect::Absent });
/// assert!(wait(store.commit(&[change.clone()]))?[0].is_ok());
/// // The guard doesn't hold any more.
/// assert_eq!(wait(store.commit(&[change]))?[0], Err(StoreError::Conflict));
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Change {
    /// Whose records these are.
    pub business: BusinessId,
    /// The record that the command leaves; none when only something is counted.
    pub operation: Option<Operation>,
    /// Documents that the decision read and does not write: they must still be at these versions.
    /// Nobody changes one of them at the same moment: such a change lands before this one, which then conflicts, or
    /// behind it.
    pub expect: Vec<(DocKey, Expect)>,
    /// Documents that the decision read, by their versions, and that may change at the moment when this lands. A store
    /// judges them as all else; but one in which changes land side by side needn't hold them, so that a document on which
    /// thousands of changes a second rest (the settings, a lot, a plan) isn't written to by each. If it is changed
    /// while this is on its way (the time of one statement), both may land: as though this had come first, although its
    /// operation may have the greater number.
    ///
    /// So this is for what is decided by the rules of a moment, and where it doesn't matter to the books which of two
    /// came first. What a change of the document would have to see of this one belongs in [`Change::expect`].
    pub seen: Vec<(DocKey, u32)>,
    /// Records to write.
    pub put: Vec<Put>,
    /// What is counted.
    pub tally: Vec<Add>,
    /// Codes to reserve, for ever.
    pub claim: Vec<Claim>,
    /// Movements in the ledger. They come with an operation.
    pub entries: Vec<Entry>,
}

impl Change {
    /// A change that does nothing yet.
    /// See [`Change`].
    #[must_use]
    pub fn new(business: BusinessId) -> Self {
        Self {
            business,
            operation: None,
            expect: Vec::new(),
            seen: Vec::new(),
            put: Vec::new(),
            tally: Vec::new(),
            claim: Vec::new(),
            entries: Vec::new(),
        }
    }
}

/// A guard: what a record must be when the change lands.
///
/// ```
/// use passes_core::store::Expect;
/// assert!(Expect::Absent.is_met_by(None) && Expect::Version(3).is_met_by(Some(3)));
/// assert_eq!((Expect::Absent.next_version(), Expect::Version(3).next_version()), (1, 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is none.
    Absent,
    /// It has this version.
    Version(u32),
}

impl Expect {
    /// The version that the record gets when the guard holds; 1 for a new one.
    /// See [`Expect`].
    #[must_use]
    pub fn next_version(self) -> u32 {
        match self {
            Self::Absent => 1,
            Self::Version(v) => v.saturating_add(1),
        }
    }

    /// Whether a record with this version, or none, meets the guard.
    /// See [`Expect`].
    #[must_use]
    pub fn is_met_by(self, version: Option<u32>) -> bool {
        match self {
            Self::Absent => version.is_none(),
            Self::Version(v) => version == Some(v),
        }
    }
}

/// A record to write, and the guard. Its own `version` is ignored: it becomes `expect.next_version()`.
/// See [`Change`].
#[derive(Clone, Debug)]
pub struct Put {
    /// The record.
    pub record: Record,
    /// The guard.
    pub expect: Expect,
}

/// A record that is written as a whole.
/// See [`Change`].
#[derive(Clone, Debug)]
pub enum Record {
    /// A document.
    Doc(Doc),
    /// A pass. For one that exists, `used` and `held` of its tallies and `last` stay as stored, and the new
    /// limits must hold over them.
    Pass(Box<PassRow>),
    /// A credit, likewise.
    Credit(Box<CreditRow>),
}

/// An addition to a tally. It lands only if the tally's bound holds after it. Adding nothing only judges; a
/// tally of a row that is not there can't even be judged.
///
/// ```
/// use passes_core::pass::Tally;
/// use passes_core::store::{Add, TallyKey};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let one_use = Add::used(TallyKey::Uses(lot.pass(1)), 1);
/// assert_eq!(one_use.to(Tally::new(1)).map(Tally::left), Some(0));
/// assert_eq!(one_use.to(Tally { used: 1, held: 0, limit: 1 }), None);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add {
    /// Which tally.
    pub key: TallyKey,
    /// Added to what is used; may be negative.
    pub used: i64,
    /// Added to what is held; may be negative.
    pub held: i64,
    /// The bound; none is the one of the row, which keeps it whatever is given here. A named tally has no
    /// other and begins at zero; the bound it was last added to by is stored with it.
    pub limit: Option<i64>,
    /// If given, `used` must be exactly this before: the decision rests on it.
    pub from: Option<i64>,
    /// If given, the row that the tally stands on must be at this version before the change: the decision rests
    /// on what else it says. A named tally has no row, and no version is its own.
    pub version: Option<u32>,
}

impl Add {
    /// Adds to what is used, within the row's own bound.
    /// See [`Add`].
    #[must_use]
    pub fn used(key: TallyKey, used: i64) -> Self {
        Self { key, used, held: 0, limit: None, from: None, version: None }
    }

    /// Whether a row at this version meets the guard; a named tally and a row that is not there have none.
    ///
    /// ```
    /// use passes_core::store::{Add, TallyKey};
    /// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
    /// let judged = Add { version: Some(3), ..Add::used(TallyKey::Uses(lot.pass(1)), 1) };
    /// assert!(judged.rests_on(Some(3)) && !judged.rests_on(Some(4)) && !judged.rests_on(None));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn rests_on(&self, version: Option<u32>) -> bool {
        self.version.is_none() || self.version == version
    }

    /// The tally after this addition, or nothing when a guard of its numbers fails.
    /// See [`Add`].
    #[must_use]
    pub fn to(&self, tally: Tally) -> Option<Tally> {
        if self.from.is_some_and(|from| from != tally.used) {
            return None;
        }
        tally.add(self.used, self.held, self.limit)
    }
}

/// Reserves a code for a pass. A digest is claimed once, for ever.
///
/// ```
/// use passes_core::{passcode::Digest, store::Claim};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let claim = Claim { digest: Digest::from_bytes([7; 32]), pass: lot.pass(1) };
/// assert_eq!(claim.pass.serial(), 1);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The digest of the code.
    pub digest: Digest,
    /// The pass that it leads to.
    pub pass: PassId,
}

/// The one record that an accepted command leaves.
/// See [`StoredOperation`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// Which command it was.
    pub kind: Kind,
    /// Who gave it.
    pub actor: Arc<str>,
    /// Where: store, till, dealer.
    pub place: Option<Arc<str>>,
    /// Through which channel.
    pub channel: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// When it counts.
    pub at: Instant,
    /// When it was written.
    pub booked: Instant,
    /// The idempotency key's hash and the request's keyed fingerprint.
    pub key: Option<(KeyHash, Fingerprint)>,
    /// Keys that this operation stops: a later request with one of them finds this operation, whatever its
    /// fingerprint (R-12).
    pub stops: Option<KeyHash>,
    /// What was done, versioned (see [`crate::operation`]).
    pub receipt: Vec<u8>,
    /// The events it raises, versioned. Their position is the operation's number.
    pub events: Vec<u8>,
}

impl Operation {
    /// One that says only which command it was, who gave it and when.
    ///
    /// ```
    /// use passes_core::{calendar::Instant, id::{Id, OperationId}, operation::Kind, store::Operation};
    /// let id = OperationId::from_bytes([7; 16]);
    /// let operation = Operation {
    ///     place: Some("Oxford Street".into()),
    ///     ..Operation::new(id, Kind::Redeem, "till 7", Instant::EPOCH)
    /// };
    /// assert_eq!((operation.at, operation.booked), (Instant::EPOCH, Instant::EPOCH));
    /// assert!(operation.key.is_none() && operation.receipt.is_empty());
    /// ```
    #[must_use]
    pub fn new(id: OperationId, kind: Kind, actor: impl Into<Arc<str>>, at: Instant) -> Self {
        Self {
            id,
            kind,
            actor: actor.into(),
            place: None,
            channel: None,
            reason: None,
            at,
            booked: at,
            key: None,
            stops: None,
            receipt: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// The keyed fingerprint of a request.
///
/// ```
/// let fingerprint: passes_core::store::Fingerprint = [7; 16];
/// ```
pub type Fingerprint = [u8; 16];

/// An operation as a store keeps it.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// let stored = passes_core::store::wait(passes.store().events(by.business, 0, 1))?;
/// assert_eq!((stored[0].number, &*stored[0].operation.actor), (1, "owner"));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredOperation {
    /// The number that the store gave it: growing in the order of commits of its business.
    pub number: u64,
    /// The operation. Its `key` and `stops` are only sure to be there when it was found by that key.
    pub operation: Operation,
    /// The values that its tallies had after it, in the order of [`Change::tally`].
    pub after: Vec<Tally>,
}

/// What a commit answers.
///
/// ```
/// use passes_core::{id::BusinessId, store::{After, Change, Store, memory::Memory, wait}};
/// let nothing = Change::new(BusinessId::STORE);
/// let after = After { operation: 0, tallies: Vec::new() };
/// assert_eq!(wait(Memory::new().commit(&[nothing]))?, [Ok(after)]);
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The number of the operation; 0 when there was none.
    pub operation: u64,
    /// The new value of each tally, in the order of [`Change::tally`].
    pub tallies: Vec<Tally>,
}

/// One step of a lot's generation: a change that moves the run's cursor, and the rows that it makes. The
/// change's entries may be about these rows.
///
/// The guards of the change and of the passes come first: a chunk that landed before is a
/// [`StoreError::Conflict`](super::StoreError::Conflict), although its codes are taken, too.
///
/// ```
/// use passes_core::pass::PassRow;
/// use passes_core::store::{Change, Chunk, Store, StoreError, memory::Memory, wait};
/// # let business = passes_core::id::BusinessId::STORE;
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let passes = (1..=3).map(|serial| PassRow::draft(lot.pass(serial))).collect();
/// let chunk = Chunk { change: Change::new(business), codes: Vec::new(), passes };
/// let store = Memory::new();
/// wait(store.fill(&chunk))?;
/// assert_eq!(wait(store.fill(&chunk)), Err(StoreError::Conflict)); // It has landed.
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The run's document with its new cursor, and whatever else lands with it.
    pub change: Change,
    /// Codes to reserve, sorted by digest. If one is taken the whole chunk fails with
    /// [`StoreError::Taken`](super::StoreError::Taken).
    pub codes: Vec<Claim>,
    /// Passes to make, in the order of their ids.
    pub passes: Vec<PassRow>,
}

//! The use cases: what a host calls. Each is written once, async and without a runtime; a [`Call`] is awaited
//! by an async host and waited for by any other.

mod audit;
mod bulk;
mod business;
mod call;
mod checkpoint;
mod code;
mod contacts;
mod docs;
mod engine;
mod error;
mod events;
mod export;
mod gather;
mod generate;
mod issue;
mod liability;
mod lifecycle;
mod lists;
mod making;
mod operations;
mod passes;
mod plans;
mod receipt;
mod redeem;
mod refusals;
mod reversal;
mod reverse;
mod runs;
mod sale;
mod shared;
mod spend;
mod statements;
mod stored;
mod verify;

#[cfg(test)]
mod tests;

pub use bulk::{Changed, Over};
pub use call::Call;
pub use checkpoint::{Checkpoint, Since};
pub use error::{Error, Refused};
pub use export::{ExportRow, export_csv, safe_cell};
pub use generate::{Generate, LotStarted};
pub use issue::{Issue, Issued, Recipient};
pub use liability::Liability;
pub use lifecycle::{Expiry, Rest};
pub use lists::{LotView, PassCursor, PassFilter, PassView, Used};
pub use operations::{OperationFilter, OperationView};
pub use plans::Listed;
pub use receipt::{Done, Receipt};
pub use redeem::{Check, Credited, PaidLine, Redeem, Redeemed};
pub use refusals::Refusals;
pub use reversal::{Home, Of, Part, Returned, Reverse, Reversed};
pub use sale::{Deal, Sale};
pub use spend::{CheckSpend, PaidBy, Spend, Spent};
pub use statements::{
    Booking, CreditView, LineCursor, PassLine, PassLineCursor, Pocket, PocketKey, STATEMENT, Wallet,
    WalletLine,
};
pub use verify::{Drift, Verified};

use crate::calendar::Instant;
use crate::secret::{Key, KeyId, Keyring, Purpose};
use crate::store::{Change, Doc, DocKey, DocKind, Expect, Load, Put, Record, Store, StoreError};
use docs::Cache;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Tells the time. The core has no clock of its own: the host brings it (R-10).
///
/// It may be asked while a store holds its lock, so it must neither call the library nor wait for who does.
///
/// ```
/// struct Noon;
/// impl passes_core::Clock for Noon {
///     fn now(&self) -> passes_core::calendar::Instant {
///         passes_core::calendar::Instant::EPOCH
///     }
/// }
/// ```
pub trait Clock: Send + Sync {
    /// The instant at which a command counts.
    fn now(&self) -> Instant;
}

/// Brings randomness for ids, codes and nonces. The core has no source of its own.
///
/// It may be asked while a store holds its lock, so it must neither call the library nor wait for who does.
///
/// ```
/// struct Broken;
/// impl passes_core::Entropy for Broken {
///     fn seed(&self) -> Result<[u8; 32], String> {
///         Err("the device is gone".to_owned())
///     }
/// }
/// ```
pub trait Entropy: Send + Sync {
    /// Thirty-two bytes that nobody can guess.
    ///
    /// # Errors
    /// The reason, when there are none to be had.
    fn seed(&self) -> Result<[u8; 32], String>;
}

/// The library, opened on a store: every use case is a method of it. Cheap to clone.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// let shared = passes.clone();
/// let counted = std::thread::scope(|s| s.spawn(|| shared.count_states(by, shop.lot).wait()).join());
/// assert_eq!(counted.unwrap()?[&passes_core::pass::State::Draft], 10);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Passes {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) cache: Cache,
    pub(crate) refusals: refusals::Pending,
    pub(crate) window: generate::LastWindow,
    pub(crate) turn: shared::Turn,
}

/// The keys that the store uses, by the ids written in it.
pub(crate) struct Keys {
    pub(crate) ring: Keyring,
    digest: KeyId,
    fingerprint: KeyId,
}

impl Keys {
    /// The key of digests.
    pub(crate) fn digest(&self) -> Result<&Key, Error> {
        Ok(self.ring.require(Purpose::Digest, &self.digest)?)
    }

    /// The key of fingerprints of requests and media.
    pub(crate) fn fingerprint(&self) -> Result<&Key, Error> {
        Ok(self.ring.require(Purpose::Fingerprint, &self.fingerprint)?)
    }
}

/// Which keys a store was made with: their ids, and values by which a wrong key under a right id is told.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysInUse {
    digest: (KeyId, [u8; 8]),
    seal: (KeyId, [u8; 8]),
    fingerprint: (KeyId, [u8; 8]),
}

const KEYS: DocKey = DocKey { kind: DocKind::Keys, id: [0; 16] };

impl Passes {
    /// Opens the library on a store. A store that was never opened takes the keyring's current keys; one that
    /// was asks for the keys it was made with.
    ///
    /// # Errors
    /// `KEY_MISSING` or `KEY_WRONG`, naming the key's id (C-14); a failing store.
    ///
    /// ```
    /// # use passes_host::testing::{FixedClock, SeededEntropy};
    /// # use passes_core::{Passes, calendar::Instant, secret::Keyring, store::memory::Memory};
    /// # use std::sync::Arc;
    /// # let (clock, entropy) = (Arc::new(FixedClock::at(Instant::EPOCH)), Arc::new(SeededEntropy::new(1)));
    /// let store = Arc::new(Memory::new());
    /// let ring = Keyring::from_master("m1", &[7; 32])?;
    /// Passes::open(store.clone(), ring, clock.clone(), entropy.clone()).wait()?;
    ///
    /// let wrong = Keyring::from_master("m1", &[8; 32])?;
    /// let error = Passes::open(store, wrong, clock, entropy).wait().err().unwrap();
    /// assert_eq!(error.code(), "KEY_WRONG");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn open(
        store: Arc<dyn Store>,
        ring: Keyring,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Call<'static, Self> {
        Call::new(async move {
            let in_use = match keys_in_use(&*store).await? {
                Some(in_use) => in_use,
                None => {
                    let current = |purpose| -> Result<(KeyId, [u8; 8]), Error> {
                        let (id, _) = ring.require_current(purpose)?;
                        Ok((id.clone(), ring.check_value(purpose, id)?))
                    };
                    let fresh = KeysInUse {
                        digest: current(Purpose::Digest)?,
                        seal: current(Purpose::Seal)?,
                        fingerprint: current(Purpose::Fingerprint)?,
                    };
                    let doc =
                        Doc { key: KEYS, version: 0, parent: None, body: stored::write(&fresh)?.into() };
                    let mut change = Change::new(crate::id::BusinessId::STORE);
                    change.put.push(Put { record: Record::Doc(doc), expect: Expect::Absent });
                    match store.commit(&[change]).await?.pop() {
                        Some(Ok(_)) => fresh,
                        // Somebody else opened it at the same moment, with keys that now count.
                        Some(Err(StoreError::Conflict)) => {
                            keys_in_use(&*store).await?.ok_or(StoreError::Conflict)?
                        }
                        Some(Err(error)) => return Err(error.into()),
                        None => return Err(StoreError::Backend("a commit without an answer".into()).into()),
                    }
                }
            };
            for (purpose, (id, check)) in [
                (Purpose::Digest, &in_use.digest),
                (Purpose::Seal, &in_use.seal),
                (Purpose::Fingerprint, &in_use.fingerprint),
            ] {
                ring.verify(purpose, id, check)?;
            }
            let keys = Keys { ring, digest: in_use.digest.0, fingerprint: in_use.fingerprint.0 };
            let cache = Cache::default();
            let refusals = refusals::Pending::default();
            let (window, turn) = (generate::LastWindow::default(), shared::Turn::beginning(clock.now()));
            Ok(Self { inner: Arc::new(Inner { store, keys, clock, entropy, cache, refusals, window, turn }) })
        })
    }

    /// The store it was opened on.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// // Somebody else who opens the same store sees the same records.
    /// let store = passes.store().clone();
    /// let query = passes_core::store::Load::new(by.business);
    /// assert!(passes_core::store::wait(store.load(&query))?.replay.is_none());
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }
}

async fn keys_in_use(store: &dyn Store) -> Result<Option<KeysInUse>, Error> {
    let mut load = Load::new(crate::id::BusinessId::STORE);
    load.docs.push(KEYS);
    let loaded = store.load(&load).await?;
    Ok(loaded.doc(&KEYS).map(|doc| stored::read(&doc.body)).transpose()?)
}

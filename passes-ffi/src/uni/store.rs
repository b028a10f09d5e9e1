//! Stores written in Kotlin or Swift, and the suite that tells whether one is right.

use super::error::PassesError;
use super::objects::{AsyncPasses, Keyring, Passes};
use passes_host::Opener;
use passes_host::store::StoreError;
use passes_host::store::record::{self, Records};
use std::fmt;
use std::sync::Arc;

/// A row: bytes under a key, which is at most 64 bytes long.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Row {
    /// Where it stands: keys are compared byte by byte, without signs.
    pub key: Vec<u8>,
    /// What stands there.
    pub value: Vec<u8>,
}

/// What is expected of a key when a write set lands.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Expected {
    /// The key.
    pub key: Vec<u8>,
    /// The value that must stand there, byte for byte; none if there must be none.
    pub value: Option<Vec<u8>>,
}

/// Rows that are written together, or not at all.
#[derive(Clone, Debug, uniffi::Record)]
pub struct WriteSet {
    /// What must be as it was read. If anything isn't, nothing is written.
    pub expect: Vec<Expected>,
    /// What is written: a row of the same key is replaced. Sorted by key, each key once.
    pub put: Vec<Row>,
}

/// Why a store that a host wrote couldn't do what was asked. Any other exception counts as `Failed`.
#[derive(Clone, Debug, uniffi::Error)]
pub enum StoreFault {
    /// It isn't known whether a set landed; the library looks it up.
    InDoubt {
        /// What happened.
        why: String,
    },
    /// Nothing happened, and it may be tried again.
    Transient {
        /// What happened.
        why: String,
    },
    /// There is no room.
    Full {
        /// What happened.
        why: String,
    },
    /// What is stored makes no sense.
    Corrupt {
        /// What happened.
        why: String,
    },
    /// Anything else.
    Failed {
        /// What happened.
        why: String,
    },
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InDoubt { why }
            | Self::Transient { why }
            | Self::Full { why }
            | Self::Corrupt { why }
            | Self::Failed { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for StoreFault {}

/// An exception that the host didn't mean to throw. Of its text only the first line is told: some languages put a
/// stack trace behind it.
impl From<uniffi::UnexpectedUniFFICallbackError> for StoreFault {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { why: error.reason.lines().next().unwrap_or_default().to_owned() }
    }
}

impl From<StoreFault> for StoreError {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::InDoubt { .. } => Self::InDoubt,
            StoreFault::Transient { why } => Self::Transient(why),
            StoreFault::Full { why } => Self::Full(why),
            StoreFault::Corrupt { why } => Self::Corrupt(why),
            StoreFault::Failed { why } => Self::Backend(why),
        }
    }
}

/// A store that a host writes: rows, in the order of their keys, which it need not understand. A row is never removed.
///
/// Its methods may be called from several threads, and may block; at most one `commit` runs at a time in each process.
#[uniffi::export(foreign)]
pub trait RecordStore: Send + Sync {
    /// The values under these keys, in the same order; none where there is no row.
    fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreFault>;

    /// The rows from a key on, up to another that is not among them, in the order of their keys, at most `limit`.
    fn scan(&self, start: Vec<u8>, end: Vec<u8>, limit: i32) -> Result<Vec<Row>, StoreFault>;

    /// Writes a set, durably, if what it expects is there, and says whether it did.
    fn commit(&self, set: WriteSet) -> Result<bool, StoreFault>;

    /// The format for which these methods were written: 1.
    fn format(&self) -> Result<i32, StoreFault>;
}

struct Adapted(Arc<dyn RecordStore>);

impl record::RecordStore for Adapted {
    fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        Ok(self.0.get(keys)?)
    }

    fn scan(&self, from: Vec<u8>, to: Vec<u8>, limit: u32) -> Result<Vec<record::Row>, StoreError> {
        let rows = self.0.scan(from, to, i32::try_from(limit).unwrap_or(i32::MAX))?;
        Ok(rows.into_iter().map(|Row { key, value }| record::Row { key, value }).collect())
    }

    fn commit(&self, set: record::WriteSet) -> Result<bool, StoreError> {
        let expected = |record::Expected { key, value }| Expected { key, value };
        let row = |record::Row { key, value }| Row { key, value };
        let expect = set.expect.into_iter().map(expected).collect();
        let put = set.put.into_iter().map(row).collect();
        Ok(self.0.commit(WriteSet { expect, put })?)
    }

    fn format(&self) -> Result<u32, StoreError> {
        u32::try_from(self.0.format()?).map_err(|_| StoreError::Backend("a format below zero".into()))
    }
}

fn store(rows: Arc<dyn RecordStore>) -> Records {
    passes_host::records(Arc::new(Adapted(rows)))
}

#[uniffi::export]
impl Passes {
    /// Opens the library on a store that the host wrote.
    ///
    /// Errors: `KEY_MISSING` and `KEY_WRONG` with the id of the key, and those of the store.
    #[uniffi::constructor]
    pub fn open_on(rows: Arc<dyn RecordStore>, keyring: Arc<Keyring>) -> Result<Self, PassesError> {
        let passes = Opener::new().open_on(Arc::new(store(rows)), keyring.core()).wait()?;
        Ok(Self { passes })
    }
}

#[uniffi::export]
impl AsyncPasses {
    /// Opens the library on a store that the host wrote.
    ///
    /// Errors: `KEY_MISSING` and `KEY_WRONG` with the id of the key, and those of the store.
    #[uniffi::constructor]
    pub async fn open_on(rows: Arc<dyn RecordStore>, keyring: Arc<Keyring>) -> Result<Self, PassesError> {
        let passes = Opener::new().open_on(Arc::new(store(rows)), keyring.core()).await?;
        Ok(Self { passes })
    }
}

/// Opens the store under test: again and again, on the same rows.
#[uniffi::export(foreign)]
pub trait StoreFactory: Send + Sync {
    /// Opens it. (`open` is a word of Swift's.)
    fn make(&self) -> Result<Arc<dyn RecordStore>, StoreFault>;
}

/// The names of the cases that a store has to pass.
#[uniffi::export]
pub fn conformance_cases() -> Vec<String> {
    crate::suite::cases()
}

/// Runs a case on a store that a host wrote, and says what is wrong with it; nothing, if nothing is.
///
/// A case makes a business of its own, so a store that isn't empty will do.
#[uniffi::export]
pub fn run_conformance_case(name: String, factory: Arc<dyn StoreFactory>) -> Option<String> {
    crate::suite::run(&name, move || match factory.make() {
        Ok(rows) => Arc::new(Adapted(rows)),
        Err(fault) => Arc::new(Shut(fault)),
    })
}

/// A store that could not be opened: the case fails with the reason.
struct Shut(StoreFault);

impl record::RecordStore for Shut {
    fn get(&self, _: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        Err(self.0.clone().into())
    }

    fn scan(&self, _: Vec<u8>, _: Vec<u8>, _: u32) -> Result<Vec<record::Row>, StoreError> {
        Err(self.0.clone().into())
    }

    fn commit(&self, _: record::WriteSet) -> Result<bool, StoreError> {
        Err(self.0.clone().into())
    }

    fn format(&self) -> Result<u32, StoreError> {
        Err(self.0.clone().into())
    }
}

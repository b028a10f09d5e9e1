//! Stores that a host writes (D-5): four synchronous methods over opaque rows, which [`Records`] makes a full store of.
//!
//! A host keeps rows: a key, a value, both bytes it need not understand, in the order of their keys. It reads
//! several by their keys, or a range; and it writes a [`WriteSet`] whole or not at all, if all that the set expects is
//! there. Everything else, what a command reads, whether it may land, the numbers of operations, lists, audits, is
//! [`Records`]' work.
//!
//! Every write set expects the row that counts the writes, and writes it: so whatever was read before is as it was
//! read, and of two processes that write at the same moment one tries again. Within a process one command runs after
//! the other, and commands that come together land together.

mod adapter;
mod audit;
mod judge;
mod key;
mod read;
mod view;
mod write;

#[cfg(test)]
mod tests;

pub use adapter::Records;

use super::StoreError;

/// The format of the rows that [`Records`] writes, and the newest it reads.
/// See [`RecordStore::format`].
pub const FORMAT: u32 = 1;

/// The most rows that a scan is asked for.
/// See [`RecordStore::scan`].
pub const SCAN: u32 = 1_000;

/// A row: bytes under a key, which is at most 64 bytes long.
///
/// ```
/// use passes_core::store::record::Row;
/// let row = Row { key: vec![1], value: vec![2, 3] };
/// assert!(row < Row { key: vec![1, 0], value: Vec::new() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Where it stands: keys are compared byte by byte.
    pub key: Vec<u8>,
    /// What stands there.
    pub value: Vec<u8>,
}

/// What is expected of a key when a write set lands.
///
/// ```
/// use passes_core::store::record::Expected;
/// let empty = Expected { key: vec![1], value: None };
/// assert!(empty.value.is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The key.
    pub key: Vec<u8>,
    /// The value that must stand there, byte for byte; none if there must be none.
    pub value: Option<Vec<u8>>,
}

/// Rows that are written together, or not at all.
///
/// ```
/// use passes_core::store::record::{Row, WriteSet};
/// let set = WriteSet { expect: Vec::new(), put: vec![Row { key: vec![1], value: vec![2] }] };
/// assert_eq!(set.put.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteSet {
    /// What must be as it was read. If anything isn't, nothing is written.
    pub expect: Vec<Expected>,
    /// What is written: a row of the same key is replaced. Sorted by key, each key once.
    pub put: Vec<Row>,
}

/// A store that a host writes.
///
/// Its methods may be called from several threads, and block. Nothing of the library is locked against reading while
/// one runs; at most one `commit` runs at a time in each process. A row is never removed.
///
/// ```
/// use passes_core::store::record::{RecordStore, Records, Row, WriteSet};
/// use passes_core::store::{Load, Store, StoreError, wait};
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex, PoisonError};
///
/// #[derive(Default)]
/// struct Rows(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);
///
/// impl RecordStore for Rows {
///     fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
///         let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
///     }
///     fn scan(&self, from: Vec<u8>, to: Vec<u8>, limit: u32) -> Result<Vec<Row>, StoreError> {
///         let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         let row = |(key, value): (&Vec<u8>, &Vec<u8>)| Row { key: key.clone(), value: value.clone() };
///         Ok(rows.range(from..to).take(limit as usize).map(row).collect())
///     }
///     fn commit(&self, set: WriteSet) -> Result<bool, StoreError> {
///         let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         if set.expect.iter().any(|expected| rows.get(&expected.key) != expected.value.as_ref()) {
///             return Ok(false);
///         }
///         rows.extend(set.put.into_iter().map(|row| (row.key, row.value)));
///         Ok(true)
///     }
///     fn format(&self) -> Result<u32, StoreError> {
///         Ok(passes_core::store::record::FORMAT)
///     }
/// }
///
/// let threads = |work: Box<dyn FnOnce() + Send>| {
///     std::thread::Builder::new().spawn(work).map(drop).map_err(|error| StoreError::Transient(error.to_string()))
/// };
/// let store = Records::new(Arc::new(Rows::default()), Arc::new(threads));
/// assert!(wait(store.load(&Load::new(passes_core::id::BusinessId::STORE)))?.docs.is_empty());
/// # Ok::<(), StoreError>(())
/// ```
pub trait RecordStore: Send + Sync {
    /// The values under these keys, in the same order; none where there is no row.
    ///
    /// # Errors
    /// Those of the host; none of them is a refusal.
    fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// The rows from a key on, up to another that is not among them, in the order of their keys, at most `limit`
    /// ([`SCAN`] at most).
    ///
    /// # Errors
    /// Those of the host.
    fn scan(&self, from: Vec<u8>, to: Vec<u8>, limit: u32) -> Result<Vec<Row>, StoreError>;

    /// Writes a set, durably, if what it expects is there, and says whether it did.
    ///
    /// # Errors
    /// Those of the host: [`StoreError::InDoubt`] when it isn't known whether the set landed, else nothing did.
    fn commit(&self, set: WriteSet) -> Result<bool, StoreError>;

    /// The format for which the host wrote these methods: [`FORMAT`]. A later library may ask for more of a store,
    /// and then knows from it what this one can.
    ///
    /// # Errors
    /// Those of the host.
    fn format(&self) -> Result<u32, StoreError>;
}

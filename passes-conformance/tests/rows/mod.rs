//! A store as a host would write it: four methods over rows.

use passes_core::store::StoreError;
use passes_core::store::record::{FORMAT, RecordStore, Records, Row, WriteSet};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Rows in a map.
#[derive(Clone, Default)]
pub(crate) struct Rows(Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl Rows {
    /// A full store over them.
    pub(crate) fn store(&self) -> Records {
        let threads = |work: Box<dyn FnOnce() + Send>| {
            thread::Builder::new().spawn(work).map(drop).map_err(|e| StoreError::Transient(e.to_string()))
        };
        Records::new(Arc::new(self.clone()), Arc::new(threads))
    }
}

impl RecordStore for Rows {
    fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }

    fn scan(&self, from: Vec<u8>, to: Vec<u8>, limit: u32) -> Result<Vec<Row>, StoreError> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |(key, value): (&Vec<u8>, &Vec<u8>)| Row { key: key.clone(), value: value.clone() };
        Ok(rows.range(from..to).take(limit as usize).map(row).collect())
    }

    fn commit(&self, set: WriteSet) -> Result<bool, StoreError> {
        assert!(set.put.is_sorted_by(|a, b| a.key < b.key), "each key once, and in order");
        assert!(set.put.iter().all(|row| row.key.len() <= 64));
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if set.expect.iter().any(|expected| rows.get(&expected.key) != expected.value.as_ref()) {
            return Ok(false);
        }
        rows.extend(set.put.into_iter().map(|row| (row.key, row.value)));
        Ok(true)
    }

    fn format(&self) -> Result<u32, StoreError> {
        Ok(FORMAT)
    }
}

//! A store as a host would write it: four methods over rows; and what a host may get wrong.

use passes_conformance::{ROW_CASES, run_row_case};
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

/// What a host may get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    ExpectsNothing,
    ExpectsTheFirst,
    EmptyIsAbsent,
    AbsentIsEmpty,
    HalfASet,
    KeepsTheOldRow,
    ForgetsDoubles,
    Backwards,
    SignedBytes,
    NoCase,
    TheEndIsIn,
    TheStartIsOut,
    NoLimit,
    FewerThanAsked,
    SeesItself,
    OfTheFuture,
}

const FAULTS: [(Fault, &str); 16] = [
    (Fault::ExpectsNothing, "a_set_needs_what_it_expects"),
    (Fault::ExpectsTheFirst, "a_set_needs_what_it_expects"),
    (Fault::EmptyIsAbsent, "rows_hold_any_bytes"),
    (Fault::AbsentIsEmpty, "rows_are_found_by_their_keys"),
    (Fault::HalfASet, "a_set_that_fails_leaves_nothing"),
    (Fault::KeepsTheOldRow, "a_row_is_replaced"),
    (Fault::ForgetsDoubles, "rows_are_found_by_their_keys"),
    (Fault::Backwards, "rows_are_scanned_in_order"),
    (Fault::SignedBytes, "rows_are_scanned_in_order"),
    (Fault::NoCase, "rows_are_scanned_in_order"),
    (Fault::TheEndIsIn, "a_scan_keeps_its_bounds"),
    (Fault::TheStartIsOut, "a_scan_keeps_its_bounds"),
    (Fault::NoLimit, "a_scan_keeps_its_limit"),
    (Fault::FewerThanAsked, "a_scan_keeps_its_limit"),
    (Fault::SeesItself, "rows_are_seen_by_others"),
    (Fault::OfTheFuture, "rows_have_a_known_format"),
];

/// Rows with a fault.
struct Broken(Rows, Fault);

impl RecordStore for Broken {
    fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut found = self.0.get(keys.clone())?;
        match self.1 {
            Fault::EmptyIsAbsent => {
                found.iter_mut().for_each(|value| *value = value.take().filter(|value| !value.is_empty()));
            }
            Fault::AbsentIsEmpty => {
                found.iter_mut().for_each(|value| *value = Some(value.take().unwrap_or_default()));
            }
            Fault::ForgetsDoubles => {
                let mut seen = std::collections::BTreeSet::new();
                found = keys.iter().zip(found).filter(|(key, _)| seen.insert(*key)).map(|(_, v)| v).collect();
            }
            _ => {}
        }
        Ok(found)
    }

    fn scan(&self, from: Vec<u8>, to: Vec<u8>, limit: u32) -> Result<Vec<Row>, StoreError> {
        let limit = if self.1 == Fault::FewerThanAsked { limit.min(100) } else { limit };
        let mut found =
            self.0.scan(from.clone(), to.clone(), if self.1 == Fault::NoLimit { 9_999 } else { limit })?;
        match self.1 {
            Fault::Backwards => found.reverse(),
            Fault::SignedBytes => {
                found.sort_by_key(|row| row.key.iter().map(|byte| byte.cast_signed()).collect::<Vec<_>>());
            }
            Fault::NoCase => found.sort_by_key(|row| row.key.to_ascii_lowercase()),
            Fault::TheEndIsIn => found.extend(self.0.scan(to.clone(), [to, vec![0]].concat(), 1)?),
            Fault::TheStartIsOut => found.retain(|row| row.key != from),
            _ => {}
        }
        Ok(found)
    }

    fn commit(&self, mut set: WriteSet) -> Result<bool, StoreError> {
        match self.1 {
            Fault::ExpectsNothing => set.expect.clear(),
            Fault::ExpectsTheFirst => set.expect.truncate(1),
            Fault::HalfASet => {
                let first = set.put.iter().take(1).cloned().collect();
                self.0.commit(WriteSet { expect: Vec::new(), put: first })?;
            }
            Fault::KeepsTheOldRow => {
                let old = self.0.get(set.put.iter().map(|row| row.key.clone()).collect())?;
                set.put = set
                    .put
                    .into_iter()
                    .zip(old)
                    .filter(|(_, old)| old.is_none())
                    .map(|(row, _)| row)
                    .collect();
            }
            _ => {}
        }
        self.0.commit(set)
    }

    fn format(&self) -> Result<u32, StoreError> {
        Ok(if self.1 == Fault::OfTheFuture { FORMAT + 1 } else { FORMAT })
    }
}

/// D-2, D-5: what a host may get wrong with rows is found, and what is right isn't.
#[test]
fn faults_of_rows_are_found() {
    for case in ROW_CASES {
        let rows = Rows::default();
        assert_eq!(run_row_case(case.name, &move || Arc::new(rows.clone()) as Arc<dyn RecordStore>), Ok(()));
    }
    for (fault, case) in FAULTS {
        let rows = Rows::default();
        let open = move || {
            let rows = if fault == Fault::SeesItself { Rows::default() } else { rows.clone() };
            Arc::new(Broken(rows, fault)) as Arc<dyn RecordStore>
        };
        assert!(run_row_case(case, &open).is_err(), "{fault:?} was not found by {case}");
    }
    let rows = || Arc::new(Rows::default()) as Arc<dyn RecordStore>;
    assert!(run_row_case("rows_stay", &rows).is_err(), "rows that are gone with their handle");
    assert!(run_row_case("no such case", &rows).is_err());
}

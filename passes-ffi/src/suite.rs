//! The suite for stores that a host writes, as both faces run it: the cases of its rows, and those of the full store
//! that is made of them.

use passes_conformance::{CASES, ROW_CASES, run_case, run_row_case};
use passes_host::store::Store;
use passes_host::store::record::RecordStore;
use std::sync::Arc;

/// The names of all cases, in the order in which a store's author will want to make them pass.
pub(crate) fn cases() -> Vec<String> {
    let rows = ROW_CASES.iter().map(|case| case.name);
    rows.chain(CASES.iter().map(|case| case.name)).map(str::to_owned).collect()
}

/// Runs the case of this name, and says what is wrong, if anything is.
pub(crate) fn run(name: &str, open: impl Fn() -> Arc<dyn RecordStore> + Send + Sync) -> Option<String> {
    if ROW_CASES.iter().any(|case| case.name == name) {
        return run_row_case(name, &open).err();
    }
    let store = || Arc::new(passes_host::records(open())) as Arc<dyn Store>;
    run_case(name, &store).err()
}

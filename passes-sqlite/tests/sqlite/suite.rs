//! The suite that every store runs.

use passes_core::store::Store;
use passes_sqlite::Sqlite;
use std::sync::Arc;

/// As it is opened by default.
mod shared {
    use super::*;

    passes_conformance::conformance_suite!({
        let folder = tempfile::tempdir().unwrap();
        move || Arc::new(Sqlite::open(folder.path().join("shop.db")).unwrap()) as Arc<dyn Store>
    });
}

/// For one process, with a log that begins anew all the time.
mod single {
    use super::*;

    passes_conformance::conformance_suite!({
        let folder = tempfile::tempdir().unwrap();
        let options = Sqlite::options().single_process(true).readers(1).checkpoint(8, 16);
        move || Arc::new(options.clone().open(folder.path().join("shop.db")).unwrap()) as Arc<dyn Store>
    });
}

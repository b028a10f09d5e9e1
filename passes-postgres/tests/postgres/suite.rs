//! The suite that every store runs. All cases share a database, and each makes a business of its own.

use passes_core::store::Store;
use passes_core::store::memory::Memory;
use passes_postgres::Postgres;
use std::sync::Arc;

/// What opens the store; without a server a store in memory, which passes: the tests are skipped then.
fn factory(parameter: &'static str) -> impl Fn() -> Arc<dyn Store> + Send + Sync {
    let url = test_postgres::url();
    let memory = Memory::new();
    move || match url {
        Some(url) => {
            let sign = if url.contains('?') { '&' } else { '?' };
            Arc::new(Postgres::open(&format!("{url}{sign}{parameter}")).unwrap())
        }
        None => Arc::new(memory.clone()),
    }
}

/// As it is opened by default.
mod direct {
    use super::*;

    passes_conformance::conformance_suite!(factory("connections=16"));
}

/// Without prepared statements and settings of the session, as through a pooler; with few connections.
mod pooled {
    use super::*;

    passes_conformance::conformance_suite!(factory("pooler=transaction&connections=3"));
}

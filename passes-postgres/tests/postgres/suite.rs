//! The suite that every store runs. All cases share a database, and each makes a business of its own.

use passes_core::store::Store;
use passes_core::store::memory::Memory;
use std::sync::Arc;

/// What opens the store; without a server a store in memory, which passes: the tests are skipped then.
fn factory(parameter: &'static str) -> impl Fn() -> Arc<dyn Store> + Send + Sync {
    opening(test_postgres::url().map(str::to_owned), parameter)
}

fn opening(url: Option<String>, parameter: &'static str) -> impl Fn() -> Arc<dyn Store> + Send + Sync {
    let memory = Memory::new();
    move || match &url {
        Some(url) => Arc::new(crate::patient().open(&test_postgres::with(url, parameter)).unwrap()),
        None => Arc::new(memory.clone()),
    }
}

/// As it is opened by default.
mod direct {
    use super::*;

    passes_conformance::conformance_suite!(factory("connections=16"));
}

/// Through PgBouncer in transaction mode, of whatever version is installed; six connections to the server serve all.
mod through_a_pooler {
    use super::*;
    use std::sync::OnceLock;
    use test_postgres::Pooler;

    fn factory() -> impl Fn() -> Arc<dyn Store> + Send + Sync {
        static POOLER: OnceLock<Option<Pooler>> = OnceLock::new();
        let pooler = POOLER.get_or_init(|| Pooler::start(test_postgres::shared()?, 6)).as_ref();
        let url = pooler.zip(test_postgres::url()).map(|(pooler, url)| pooler.url(url));
        opening(url, "pooler=transaction&connections=8")
    }

    passes_conformance::conformance_suite!(factory());
}

/// Without prepared statements and settings of the session, as through a pooler; with few connections.
mod pooled {
    use super::*;

    passes_conformance::conformance_suite!(factory("pooler=transaction&connections=3"));
}

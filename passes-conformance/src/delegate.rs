//! What a wrapper leaves as it is.

/// Methods of [`Store`](passes_core::store::Store) that answer what the store inside answers.
macro_rules! delegate {
    ($inner:ident; $( $name:ident ),+) => { $( delegate!(@ $name $inner); )+ };
    (@ load $inner:ident) => {
        fn load<'a>(&'a self, load: &'a passes_core::store::Load) -> Fut<'a, passes_core::store::Loaded> {
            self.$inner.load(load)
        }
    };
    (@ pause $inner:ident) => {
        fn pause(&self, time: std::time::Duration) -> Fut<'_, ()> {
            self.$inner.pause(time)
        }
    };
    (@ fill $inner:ident) => {
        fn fill<'a>(&'a self, chunk: &'a passes_core::store::Chunk) -> Fut<'a, passes_core::store::After> {
            self.$inner.fill(chunk)
        }
    };
    (@ page $inner:ident) => {
        fn page<'a>(&'a self, query: &'a passes_core::store::PageQuery) -> Fut<'a, passes_core::store::Page> {
            self.$inner.page(query)
        }
    };
    (@ events $inner:ident) => {
        fn events(
            &self,
            business: passes_core::id::BusinessId,
            after: u64,
            limit: u32,
        ) -> Fut<'_, Vec<std::sync::Arc<passes_core::store::StoredOperation>>> {
            self.$inner.events(business, after, limit)
        }
    };
    (@ audit $inner:ident) => {
        fn audit(
            &self,
            business: passes_core::id::BusinessId,
            each: passes_core::store::Auditor,
        ) -> Fut<'_, ()> {
            self.$inner.audit(business, each)
        }
        fn ledger(
            &self,
            business: passes_core::id::BusinessId,
            after: u64,
            each: passes_core::store::Auditor,
        ) -> passes_core::store::Fut<'_, ()> {
            self.$inner.ledger(business, after, each)
        }
    };
}

pub(crate) use delegate;

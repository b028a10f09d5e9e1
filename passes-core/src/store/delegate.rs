//! What a store that wraps another leaves as it is.

/// Methods of [`Store`](crate::store::Store), written for a type that has another store in one of its fields: they
/// answer what that one answers. With the name of a method behind the field, each answer goes through it, as a
/// [`Fut`](crate::store::Fut).
///
/// `run`, `run_all` and `ledger` may be left out. Their defaults then call the wrapper's own methods, and what the store
/// inside does better is not used. The trait must be in scope.
///
/// ```
/// use passes_core::store::{Fut, Load, Loaded, Store, delegate, memory::Memory, wait};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// struct Counted {
///     inner: Memory,
///     loads: AtomicU32,
///     answers: AtomicU32,
/// }
///
/// impl Counted {
///     fn counted<'a, T: Send + 'a>(&'a self, answer: Fut<'a, T>) -> Fut<'a, T> {
///         Box::pin(async move { answer.await.inspect(|_| _ = self.answers.fetch_add(1, Ordering::Relaxed)) })
///     }
/// }
///
/// impl Store for Counted {
///     fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
///         self.loads.fetch_add(1, Ordering::Relaxed);
///         self.inner.load(load)
///     }
///     delegate!(inner; slots, commit, fill, page, audit, ledger);
///     delegate!(inner, counted; pause, events);
/// }
///
/// let business = passes_core::id::BusinessId::STORE;
/// let store = Counted { inner: Memory::new(), loads: AtomicU32::new(0), answers: AtomicU32::new(0) };
/// assert!(wait(store.load(&Load::new(business)))?.docs.is_empty());
/// assert!(wait(store.events(business, 0, 10))?.is_empty());
/// assert_eq!((store.loads.into_inner(), store.answers.into_inner()), (1, 1));
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __delegate {
    ($inner:tt; $( $name:ident ),+) => { $( $crate::__delegate!(@ $name $inner []); )+ };
    ($inner:tt, $through:ident; $( $name:ident ),+) => {
        $( $crate::__delegate!(@ $name $inner [$through]); )+
    };
    (@ run $inner:tt [$( $through:ident )?]) => {
        fn run(&self, command: $crate::store::Command) -> $crate::store::Fut<'_, $crate::store::Answer> {
            $( self.$through )?(self.$inner.run(command))
        }
    };
    (@ run_all $inner:tt [$( $through:ident )?]) => {
        fn run_all(
            &self,
            commands: ::std::vec::Vec<$crate::store::Command>,
        ) -> $crate::store::Fut<
            '_,
            ::std::vec::Vec<::core::result::Result<$crate::store::Answer, $crate::store::StoreError>>,
        > {
            $( self.$through )?(self.$inner.run_all(commands))
        }
    };
    (@ slots $inner:tt [$( $through:ident )?]) => {
        fn slots(&self) -> u16 {
            self.$inner.slots()
        }
    };
    (@ load $inner:tt [$( $through:ident )?]) => {
        fn load<'a>(
            &'a self,
            load: &'a $crate::store::Load,
        ) -> $crate::store::Fut<'a, $crate::store::Loaded> {
            $( self.$through )?(self.$inner.load(load))
        }
    };
    (@ commit $inner:tt [$( $through:ident )?]) => {
        fn commit<'a>(
            &'a self,
            changes: &'a [$crate::store::Change],
        ) -> $crate::store::Fut<
            'a,
            ::std::vec::Vec<::core::result::Result<$crate::store::After, $crate::store::StoreError>>,
        > {
            $( self.$through )?(self.$inner.commit(changes))
        }
    };
    (@ pause $inner:tt [$( $through:ident )?]) => {
        fn pause(&self, time: ::core::time::Duration) -> $crate::store::Fut<'_, ()> {
            $( self.$through )?(self.$inner.pause(time))
        }
    };
    (@ fill $inner:tt [$( $through:ident )?]) => {
        fn fill<'a>(
            &'a self,
            chunk: &'a $crate::store::Chunk,
        ) -> $crate::store::Fut<'a, $crate::store::After> {
            $( self.$through )?(self.$inner.fill(chunk))
        }
    };
    (@ page $inner:tt [$( $through:ident )?]) => {
        fn page<'a>(
            &'a self,
            query: &'a $crate::store::PageQuery,
        ) -> $crate::store::Fut<'a, $crate::store::Page> {
            $( self.$through )?(self.$inner.page(query))
        }
    };
    (@ events $inner:tt [$( $through:ident )?]) => {
        fn events(
            &self,
            business: $crate::id::BusinessId,
            after: u64,
            limit: u32,
        ) -> $crate::store::Fut<'_, ::std::vec::Vec<::std::sync::Arc<$crate::store::StoredOperation>>> {
            $( self.$through )?(self.$inner.events(business, after, limit))
        }
    };
    (@ audit $inner:tt [$( $through:ident )?]) => {
        fn audit(
            &self,
            business: $crate::id::BusinessId,
            each: $crate::store::Auditor,
        ) -> $crate::store::Fut<'_, ()> {
            $( self.$through )?(self.$inner.audit(business, each))
        }
    };
    (@ ledger $inner:tt [$( $through:ident )?]) => {
        fn ledger(
            &self,
            business: $crate::id::BusinessId,
            after: u64,
            each: $crate::store::Auditor,
        ) -> $crate::store::Fut<'_, ()> {
            $( self.$through )?(self.$inner.ledger(business, after, each))
        }
    };
}

#[doc(inline)]
pub use crate::__delegate as delegate;

//! The sync face: driving a store's future on the calling thread, by parking it.

use super::Fut;
use crate::store::StoreError;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Drives a future on the calling thread. Any future will do that needs no runtime of its own.
///
/// ```
/// assert_eq!(passes_core::store::wait(async { 2 + 2 }), 4);
/// ```
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            MAY_BLOCK.with(|b| b.set(self.0));
        }
    }
    let _restore = Restore(MAY_BLOCK.with(|b| b.replace(true)));
    let mut future = pin!(future);
    WAKER.with(|waker| {
        let mut context = Context::from_waker(waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(value) => return value,
                Poll::Pending => std::thread::park(),
            }
        }
    })
}

/// Whether the thread that polls right now may be blocked: it is inside [`wait`], not in an executor.
///
/// A store uses it to do its work on the caller's own thread where that saves a hand-over.
///
/// ```
/// use passes_core::store::{may_block, wait};
/// assert!(!may_block() && wait(async { may_block() }));
/// ```
#[must_use]
pub fn may_block() -> bool {
    MAY_BLOCK.with(Cell::get)
}

/// A future that has its answer already.
/// See [`Fut`].
pub fn ready<'a, T: Send + 'a>(answer: Result<T, StoreError>) -> Fut<'a, T> {
    Box::pin(std::future::ready(answer))
}

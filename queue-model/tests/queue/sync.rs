//! The primitives of the queue, as its scheduler has them.

pub(crate) use shuttle::sync::atomic::AtomicU64;
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};

use std::cell::Cell;

shuttle::thread_local! {
    pub(crate) static MAY_BLOCK: Cell<bool> = Cell::new(false);
}

/// Whether this thread waits for its own command only.
pub(crate) fn may_block() -> bool {
    MAY_BLOCK.with(Cell::get)
}

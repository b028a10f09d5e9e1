//! What the queue locks and waits with, in one place: the model of the queue has its own instead, by which it
//! decides who goes on at every step.

pub(crate) use passes_core::store::may_block;
pub(crate) use std::sync::atomic::AtomicU64;
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

//! Where an answer is left for who waits for it, and how the code of others is run.

use super::sync::{Mutex, MutexGuard};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

/// Locks. What a panic of somebody else left behind is whole: nothing here panics half-way.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs what may panic, and gives nothing then. What the panic carried is leaked: dropping it may panic, too.
pub(crate) fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).map_err(std::mem::forget).ok()
}

enum State<T> {
    Empty,
    Waited(Waker),
    Full(T),
}

/// One answer, left once and taken once.
pub(crate) struct Slot<T>(Mutex<State<T>>);

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::Empty))
    }

    /// Leaves the answer and wakes who waits.
    pub(crate) fn fill(&self, answer: T) {
        let before = std::mem::replace(&mut *lock(&self.0), State::Full(answer));
        if let State::Waited(waker) = before {
            waker.wake();
        }
    }

    /// Takes the answer, or sees to being woken.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<T> {
        let mut state = lock(&self.0);
        match std::mem::replace(&mut *state, State::Empty) {
            State::Full(answer) => Poll::Ready(answer),
            State::Waited(waker) if waker.will_wake(context.waker()) => {
                *state = State::Waited(waker);
                Poll::Pending
            }
            State::Empty | State::Waited(_) => {
                *state = State::Waited(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

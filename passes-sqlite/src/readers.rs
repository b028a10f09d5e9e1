//! Reading: on the caller's own thread where it may block, else on threads of the store.

use crate::connection::{Db, Place, Snapshot};
use crate::errors::Fault;
use crate::slot::{Slot, guarded, lock};
use passes_core::store::{StoreError, may_block};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll};

/// Connections kept for the next reader.
const IDLE: usize = 16;

type Task = Box<dyn FnOnce(&Readers) + Send>;

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Task>,
    closed: bool,
}

/// Connections for reading, and what waits for the reading threads.
pub(crate) struct Readers {
    place: Place,
    idle: Mutex<Vec<Db>>,
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

impl Readers {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, idle: Mutex::default(), waiting: Mutex::default(), bell: Condvar::new() }
    }

    /// Where they read.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Reads in one snapshot: everything that `read` sees was so at one moment.
    pub(crate) fn read<T, R>(&self, read: R) -> Reading<'_, T, R>
    where
        R: FnOnce(&Db) -> Result<T, Fault>,
    {
        Reading { readers: self, read: Some(read), slot: None }
    }

    /// Reads on this thread.
    fn here<T>(&self, read: impl FnOnce(&Db) -> Result<T, Fault>) -> Result<T, StoreError> {
        if lock(&self.waiting).closed {
            return Err(StoreError::Closed);
        }
        let idle = lock(&self.idle).pop();
        let db = match idle {
            Some(db) => db,
            None => Db::for_reading(&self.place)?,
        };
        let found = Snapshot::begin(&db).and_then(|_snapshot| read(&db));
        // One that failed is not used again: whatever is wrong with it is gone with it.
        if found.is_ok() {
            // Asked while the idle ones are locked, so that closing misses none.
            let mut idle = lock(&self.idle);
            if idle.len() < IDLE && !lock(&self.waiting).closed {
                idle.push(db);
            }
        }
        Ok(found?)
    }

    fn send(&self, task: Task) -> Result<(), StoreError> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        waiting.tasks.push_back(task);
        self.bell.notify_one();
        Ok(())
    }

    /// A reading thread: serves who must not block, until the store is closed and nobody waits.
    pub(crate) fn work(&self) {
        loop {
            let mut waiting = lock(&self.waiting);
            let task = loop {
                if let Some(task) = waiting.tasks.pop_front() {
                    break task;
                }
                if waiting.closed {
                    return;
                }
                waiting = self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            };
            drop(waiting);
            // What is read is guarded already; a waker is somebody else's code, too.
            let _ = guarded(|| task(self));
        }
    }

    /// Takes no more work. What waits is told so by the reading threads.
    pub(crate) fn close(&self) {
        lock(&self.waiting).closed = true;
        self.bell.notify_all();
        lock(&self.idle).clear();
    }
}

/// A reading that waits for its thread.
pub(crate) struct Reading<'a, T, R> {
    readers: &'a Readers,
    read: Option<R>,
    slot: Option<Arc<Slot<Result<T, StoreError>>>>,
}

// Nothing in it is ever pinned.
impl<T, R> Unpin for Reading<'_, T, R> {}

impl<T, R> Future for Reading<'_, T, R>
where
    T: Send + 'static,
    R: FnOnce(&Db) -> Result<T, Fault> + Send + 'static,
{
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(read) = self.read.take() {
            if may_block() {
                return Poll::Ready(self.readers.here(read));
            }
            let slot = Arc::new(Slot::new());
            let answer = Arc::clone(&slot);
            let sent = self.readers.send(Box::new(move |readers| {
                let read = guarded(|| readers.here(read));
                answer.fill(read.unwrap_or_else(|| Err(StoreError::Backend("a reader panicked".to_owned()))));
            }));
            if let Err(error) = sent {
                return Poll::Ready(Err(error));
            }
            self.slot = Some(slot);
        }
        match &self.slot {
            Some(slot) => slot.poll(context),
            None => Poll::Ready(Err(StoreError::Closed)),
        }
    }
}

//! What stands in for the writer: it takes its time between beginning, doing and committing, and keeps books.

use crate::sync::may_block;
use passes_core::store::StoreError;
use shuttle::thread::yield_now;
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::panicking;

/// Tasks a group at most.
pub(crate) const LARGEST: usize = 2;

pub(crate) type Outcome = Result<u32, StoreError>;

/// A command.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) number: u32,
    pub(crate) alone: bool,
    /// Doing it panics.
    pub(crate) panics: bool,
    /// Dropping it panics.
    pub(crate) brittle: bool,
}

impl Task {
    pub(crate) fn new(number: u32) -> Self {
        Self { number, alone: false, panics: false, brittle: false }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // A second panic at once would end the process.
        if self.brittle && !panicking() {
            panic_quietly();
        }
    }
}

/// A panic that is meant, of which nobody is told. What it carries must not be dropped.
pub(crate) fn panic_quietly() -> ! {
    struct Carried;
    impl Drop for Carried {
        fn drop(&mut self) {
            resume_unwind(Box::new("on purpose"));
        }
    }
    resume_unwind(Box::new(Carried))
}

#[derive(Default)]
pub(crate) struct Pages {
    /// What was done, in order.
    pub(crate) done: Vec<u32>,
    pub(crate) committed: BTreeSet<u32>,
    /// Of a group that panicked.
    pub(crate) doubtful: BTreeSet<u32>,
    pub(crate) groups: u64,
    pub(crate) ended: bool,
    inside: bool,
    /// What must not have happened. A panic in a group would be caught.
    pub(crate) faults: Vec<String>,
}

/// The books, which no scheduler sees: nobody else goes on while they are open.
#[derive(Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Pages>>);

impl Books {
    pub(crate) fn open(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

pub(crate) struct Disk {
    pub(crate) books: Books,
    /// Answers first and commits with the next group, which no disk may.
    pub(crate) lazy: bool,
}

impl Disk {
    pub(crate) fn write(&mut self, tasks: &mut [Task]) -> Vec<Outcome> {
        let mut pages = self.books.open();
        if pages.inside {
            pages.faults.push("two groups at once".into());
        }
        if tasks.is_empty() || tasks.len() > LARGEST || (tasks.len() > 1 && tasks.iter().any(|t| t.alone)) {
            pages.faults.push(format!("not a group: {tasks:?}"));
        }
        if !may_block() {
            pages.faults.push("an executor was kept from its other futures".into());
        }
        if pages.ended {
            pages.faults.push("written after the end".into());
        }
        pages.inside = true;
        pages.groups += 1;
        drop(pages);
        yield_now();
        for task in &*tasks {
            self.books.open().done.push(task.number);
            yield_now();
        }
        let panics = tasks.iter().any(|task| task.panics);
        if !self.lazy && !panics {
            self.books.open().committed.extend(tasks.iter().map(|task| task.number));
        }
        yield_now();
        self.books.open().inside = false;
        if panics {
            self.books.open().doubtful.extend(tasks.iter().map(|task| task.number));
            panic_quietly();
        }
        tasks.iter().map(|task| Ok(task.number)).collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut pages = self.books.open();
        if pages.inside {
            pages.faults.push("ended in the middle of a group".into());
        }
        pages.ended = true;
    }
}

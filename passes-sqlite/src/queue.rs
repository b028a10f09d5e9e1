//! Who writes next. Commands queue; one thread at a time leads: it takes all that wait, does them in one
//! transaction and leaves the answers.
//!
//! A caller that may block leads its own command when nobody else leads, which saves handing it to another
//! thread and back. Whoever comes meanwhile, and every caller that must not block, is served by the store's
//! own thread for as long as anybody waits.

use crate::slot::{Slot, lock};
use crate::writer::{Outcome, Task, Work, Writer};
use passes_core::store::{StoreError, may_block};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll};

/// Commands a transaction, so that the first doesn't wait for thousands.
const LARGEST_GROUP: usize = 512;

/// Where the outcomes of what was submitted will be, in order.
type Slots = VecDeque<Arc<Slot<Outcome>>>;

struct Job {
    task: Task,
    slot: Arc<Slot<Outcome>>,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Somebody leads. While nobody does, nobody waits.
    led: bool,
    /// The lead is the store's thread's, which may not know it yet.
    summoned: bool,
    closed: bool,
}

/// The queue before the writer.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
    /// Only who leads touches it. None once the store is closed.
    writer: Mutex<Option<Writer>>,
    groups: AtomicU64,
}

impl Queue {
    pub(crate) fn new(writer: Writer) -> Self {
        Self {
            waiting: Mutex::default(),
            bell: Condvar::new(),
            writer: Mutex::new(Some(writer)),
            groups: AtomicU64::new(0),
        }
    }

    /// How many groups were begun.
    pub(crate) fn groups(&self) -> u64 {
        self.groups.load(Ordering::Relaxed)
    }

    /// Has work done, in order. Nothing is queued before the future is polled; dropping it then doesn't take
    /// anything back.
    pub(crate) fn submit(&self, work: Vec<Work>) -> Submitted<'_> {
        Submitted { queue: self, work, slots: Slots::new(), outcomes: Vec::new() }
    }

    /// Queues work. Tells whether the calling thread leads now: then it must call [`Queue::lead`].
    fn enqueue(&self, work: Vec<Work>, may_lead: bool) -> Result<(Slots, bool), StoreError> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        if work.is_empty() {
            return Ok((Slots::new(), false));
        }
        let mut slots = Slots::with_capacity(work.len());
        for work in work {
            let slot = Arc::new(Slot::new());
            slots.push_back(Arc::clone(&slot));
            waiting.jobs.push_back(Job { task: Task::new(work), slot });
        }
        let leads = !waiting.led && may_lead;
        if !waiting.led && !may_lead {
            waiting.summoned = true;
            self.bell.notify_all();
        }
        waiting.led = true;
        Ok((slots, leads))
    }

    /// Leads one group, and hands the lead on.
    fn lead(&self) {
        let _hand_over = HandOver(self);
        self.serve();
    }

    /// Does one group. Only who leads may.
    fn serve(&self) {
        let mut writer = lock(&self.writer);
        let (mut tasks, slots) = self.take();
        if tasks.is_empty() {
            return;
        }
        self.groups.fetch_add(1, Ordering::Relaxed);
        let outcomes = match writer.as_mut() {
            Some(writer) => writer.group(&mut tasks),
            None => tasks.iter().map(|_| Err(StoreError::Closed)).collect(),
        };
        drop(writer);
        // A waker is somebody else's code: if it panics the others still get their answers.
        slots.into_iter().zip(outcomes).for_each(|(slot, outcome)| harmless(|| slot.fill(outcome)));
        // So is what a command has captured.
        tasks.into_iter().for_each(|task| harmless(|| drop(task)));
    }

    /// The next group: all that wait, unless one of them is done alone.
    fn take(&self) -> (Vec<Task>, Vec<Arc<Slot<Outcome>>>) {
        let mut waiting = lock(&self.waiting);
        let alone = waiting.jobs.front().is_some_and(|job| job.task.is_alone());
        let together = waiting.jobs.iter().take(LARGEST_GROUP).take_while(|job| !job.task.is_alone()).count();
        let count = if alone { 1 } else { together };
        waiting.jobs.drain(..count).map(|job| (job.task, job.slot)).unzip()
    }

    /// The store's own thread: leads whenever it is summoned, for as long as anybody waits.
    pub(crate) fn work(&self) {
        loop {
            let mut waiting = lock(&self.waiting);
            while !waiting.summoned {
                if waiting.closed && !waiting.led {
                    return;
                }
                waiting = self.bell.wait(waiting).unwrap_or_else(std::sync::PoisonError::into_inner);
            }
            waiting.summoned = false;
            drop(waiting);
            self.lead();
        }
    }

    /// Takes no more work; who still waits is told so.
    pub(crate) fn close(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.closed = true;
        let left = std::mem::take(&mut waiting.jobs);
        self.bell.notify_all();
        drop(waiting);
        left.into_iter().for_each(|job| harmless(|| job.slot.fill(Err(StoreError::Closed))));
    }

    /// Ends the writer, after what it is doing.
    pub(crate) fn end(&self) {
        drop(lock(&self.writer).take());
    }
}

/// Runs what may panic and whose panic is nobody else's matter.
fn harmless(run: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(run)));
}

/// Hands the lead on when it is dropped, however that comes about: nobody may wait for one who is gone.
struct HandOver<'a>(&'a Queue);

impl Drop for HandOver<'_> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.0.waiting);
        if waiting.jobs.is_empty() {
            waiting.led = false;
        } else {
            waiting.summoned = true;
        }
        if waiting.summoned || waiting.closed {
            self.0.bell.notify_all();
        }
    }
}

/// Work that is to be done, or is being done.
pub(crate) struct Submitted<'a> {
    queue: &'a Queue,
    /// What is not queued yet.
    work: Vec<Work>,
    slots: Slots,
    outcomes: Vec<Outcome>,
}

impl Future for Submitted<'_> {
    type Output = Result<Vec<Outcome>, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.work.is_empty() {
            let (slots, leads) = match this.queue.enqueue(std::mem::take(&mut this.work), may_block()) {
                Ok(queued) => queued,
                Err(error) => return Poll::Ready(Err(error)),
            };
            this.slots = slots;
            if leads {
                this.queue.lead();
            }
        }
        while let Some(slot) = this.slots.front() {
            let Poll::Ready(outcome) = slot.poll(context) else { return Poll::Pending };
            this.outcomes.push(outcome);
            this.slots.pop_front();
        }
        Poll::Ready(Ok(std::mem::take(&mut this.outcomes)))
    }
}

//! Who writes next. Commands queue; one thread at a time leads: it takes all that wait, does them in one
//! transaction and leaves the answers.
//!
//! A caller that may block leads its own command when nobody else leads, which saves handing it to another
//! thread and back. Whoever comes meanwhile, and every caller that must not block, is served by the store's
//! own thread for as long as anybody waits.
//!
//! It knows nothing of databases, and takes its primitives from [`super::sync`], so that a model of it can stand
//! in for both and order every step: see `queue-model`.

use super::slot::{Slot, guarded, lock};
use super::sync::{AtomicU64, Condvar, Mutex, may_block};
use passes_core::store::StoreError;
use std::collections::VecDeque;
use std::future::Future;
use std::iter::repeat_with;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

/// Who does what was queued: in the store, its writer.
pub(crate) trait Group {
    /// What is queued.
    type Task;
    /// What comes of it.
    type Done;

    /// Tasks a group, so that the first doesn't wait for thousands.
    const LARGEST: usize;

    /// Whether a task makes a group by itself.
    fn is_alone(task: &Self::Task) -> bool;

    /// Does tasks, in order; the outcomes come in the same order. Nothing of it is told to anybody before this
    /// returns. Who gets no outcome, as after a panic, is told that it is in doubt.
    fn group(&mut self, tasks: &mut [Self::Task]) -> Vec<Result<Self::Done, StoreError>>;
}

type Outcome<G> = Result<<G as Group>::Done, StoreError>;

/// Where the outcomes of what was submitted will be, in order.
type Slots<G> = VecDeque<Arc<Slot<Outcome<G>>>>;

struct Job<G: Group> {
    task: G::Task,
    slot: Arc<Slot<Outcome<G>>>,
}

struct Waiting<G: Group> {
    jobs: VecDeque<Job<G>>,
    /// Somebody leads. While nobody does, nobody waits.
    led: bool,
    /// The lead is the store's thread's, which may not know it yet.
    summoned: bool,
    closed: bool,
}

/// The queue before the writer.
pub(crate) struct Queue<G: Group> {
    waiting: Mutex<Waiting<G>>,
    bell: Condvar,
    /// Only who leads touches it. None once the store is closed.
    writer: Mutex<Option<G>>,
    groups: AtomicU64,
}

impl<G: Group> Queue<G> {
    pub(crate) fn new(writer: G) -> Self {
        let waiting = Waiting { jobs: VecDeque::new(), led: false, summoned: false, closed: false };
        Self {
            waiting: Mutex::new(waiting),
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
    pub(crate) fn submit(&self, tasks: Vec<G::Task>) -> Submitted<'_, G> {
        Submitted { queue: self, tasks, slots: VecDeque::new(), outcomes: Vec::new() }
    }

    /// Queues work. Tells whether the calling thread leads now: then it must call [`Queue::lead`].
    fn enqueue(&self, tasks: Vec<G::Task>, may_lead: bool) -> Result<(Slots<G>, bool), StoreError> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        let mut slots = Slots::<G>::with_capacity(tasks.len());
        for task in tasks {
            let slot = Arc::new(Slot::new());
            slots.push_back(Arc::clone(&slot));
            waiting.jobs.push_back(Job { task, slot });
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
            // Whatever goes wrong in there, nobody may wait for an answer that never comes.
            Some(writer) => guarded(|| writer.group(&mut tasks)).unwrap_or_default(),
            None => tasks.iter().map(|_| Err(StoreError::Closed)).collect(),
        };
        drop(writer);
        let outcomes = outcomes.into_iter().chain(repeat_with(|| Err(StoreError::InDoubt)));
        // A waker is somebody else's code, and so is what a command has captured: if it panics the others still get
        // their answers. What was captured goes first: who is answered may drop the store and find it closed.
        tasks.into_iter().for_each(|task| harmless(|| drop(task)));
        slots.into_iter().zip(outcomes).for_each(|(slot, outcome)| harmless(|| slot.fill(outcome)));
    }

    /// The next group: all that wait, unless one of them is done alone.
    fn take(&self) -> (Vec<G::Task>, Slots<G>) {
        let mut waiting = lock(&self.waiting);
        let alone = |job: &Job<G>| G::is_alone(&job.task);
        let together = waiting.jobs.iter().take(G::LARGEST).take_while(|job| !alone(job)).count();
        let count = if waiting.jobs.front().is_some_and(alone) { 1 } else { together };
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
                waiting = self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
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
        for Job { task, slot } in left {
            harmless(|| slot.fill(Err(StoreError::Closed)));
            harmless(|| drop(task));
        }
    }

    /// Ends the writer, after what it is doing.
    pub(crate) fn end(&self) {
        drop(lock(&self.writer).take());
    }
}

/// Runs what may panic and whose panic is nobody else's matter.
fn harmless(run: impl FnOnce()) {
    let _ = guarded(run);
}

/// Hands the lead on when it is dropped, however that comes about: nobody may wait for one who is gone.
struct HandOver<'a, G: Group>(&'a Queue<G>);

impl<G: Group> Drop for HandOver<'_, G> {
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
pub(crate) struct Submitted<'a, G: Group> {
    queue: &'a Queue<G>,
    /// What is not queued yet.
    tasks: Vec<G::Task>,
    slots: Slots<G>,
    outcomes: Vec<Outcome<G>>,
}

// Nothing in it is ever pinned.
impl<G: Group> Unpin for Submitted<'_, G> {}

impl<G: Group> Future for Submitted<'_, G> {
    type Output = Result<Vec<Outcome<G>>, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.tasks.is_empty() {
            let (slots, leads) = match this.queue.enqueue(std::mem::take(&mut this.tasks), may_block()) {
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

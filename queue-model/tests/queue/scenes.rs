//! What happens to the queue at once. Each scene ends with the store's being closed, and is judged by the books.

use crate::Queueing;
use crate::callers::{Answered, broken, drive, poll, wait};
use crate::disk::{Books, Disk, Task};
use crate::sync::MAY_BLOCK;
use passes_core::store::StoreError;
use shuttle::thread::{self, JoinHandle};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Waker;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scene {
    /// One caller of each kind, as few steps as there can be.
    Two,
    /// The same, and the store is closed meanwhile.
    Last,
    /// Callers that may block, one after the other.
    Threads,
    /// Executors with several futures each.
    Futures,
    /// Both, with calls of several commands, some of which are done alone.
    Mixed,
    /// Futures that are dropped, that go to another executor, or that are never polled.
    Leaving,
    /// A store that is closed with commands waiting.
    Closing,
    /// Groups, wakers and commands that panic.
    Panics,
}

impl Scene {
    pub(crate) const ALL: [Self; 8] = [
        Self::Two,
        Self::Last,
        Self::Threads,
        Self::Futures,
        Self::Mixed,
        Self::Leaving,
        Self::Closing,
        Self::Panics,
    ];

    pub(crate) fn play<Q: Queueing>(self, disk: Disk) {
        let shop = Shop::<Q>::open(disk);
        match self {
            Self::Two => two(shop),
            Self::Last => last(shop),
            Self::Threads => threads(shop),
            Self::Futures => futures(shop),
            Self::Mixed => mixed(shop),
            Self::Leaving => leaving(shop),
            Self::Closing => closing(shop),
            Self::Panics => panics(shop),
        }
    }
}

/// A queue, the disk's books and the store's thread.
struct Shop<Q> {
    queue: Arc<Q>,
    books: Books,
    worker: JoinHandle<()>,
}

impl<Q: Queueing> Shop<Q> {
    fn open(disk: Disk) -> Self {
        let books = disk.books.clone();
        let queue = Arc::new(Q::new(disk));
        let leader = Arc::clone(&queue);
        let work = move || {
            MAY_BLOCK.with(|may| may.set(true));
            leader.work();
        };
        Self { queue, books, worker: thread::spawn(work) }
    }

    /// Somebody who calls on a thread of their own.
    fn caller(&self, call: impl FnOnce(&Q, &Books) + Send + 'static) -> JoinHandle<()> {
        let (queue, books) = (Arc::clone(&self.queue), self.books.clone());
        thread::spawn(move || call(&queue, &books))
    }

    /// Closes the store, as the store does. Everything of `lands` was answered, or is done before what was
    /// answered; nothing of the rest need be.
    fn close(self, lands: impl IntoIterator<Item = u32>) {
        self.queue.close();
        self.worker.join().unwrap();
        self.queue.end();
        let late = wait(self.queue.submit(tasks([99])));
        assert_eq!(late, Err(StoreError::Closed));
        let groups = self.queue.groups();
        let pages = self.books.open();
        assert!(pages.ended);
        assert_eq!(pages.faults, Vec::<String>::new());
        let once: BTreeSet<u32> = pages.done.iter().copied().collect();
        assert_eq!(once.len(), pages.done.len(), "done twice: {:?}", pages.done);
        for number in lands {
            assert!(pages.committed.contains(&number), "{number} is lost: {:?}", pages.committed);
        }
        assert_eq!(groups, pages.groups);
    }
}

fn tasks(numbers: impl IntoIterator<Item = u32>) -> Vec<Task> {
    numbers.into_iter().map(Task::new).collect()
}

fn alone(number: u32) -> Task {
    Task { alone: true, ..Task::new(number) }
}

/// Judges what was answered to commands with these numbers, at the moment when it was.
fn judge(books: &Books, answered: &Answered, numbers: &[u32]) {
    let pages = books.open();
    let outcomes = match answered {
        Ok(outcomes) => outcomes.clone(),
        Err(error) => numbers.iter().map(|_| Err(error.clone())).collect(),
    };
    assert_eq!(outcomes.len(), numbers.len());
    for (outcome, number) in outcomes.iter().zip(numbers) {
        let (done, committed) = (pages.done.contains(number), pages.committed.contains(number));
        match outcome {
            Ok(told) => {
                assert_eq!(told, number, "another's answer");
                assert!(committed, "{number} was answered before its commit");
            }
            Err(StoreError::Closed) => assert!(!done, "{number} was done, and told to be closed"),
            Err(StoreError::InDoubt) => assert!(pages.doubtful.contains(number) && !committed),
            Err(other) => panic!("{number}: {other}"),
        }
    }
}

/// Judges, and nothing went wrong.
fn judge_done(books: &Books, answered: &Answered, numbers: &[u32]) {
    judge(books, answered, numbers);
    assert!(answered.as_ref().is_ok_and(|outcomes| outcomes.iter().all(Result::is_ok)), "{answered:?}");
}

fn join(callers: impl IntoIterator<Item = JoinHandle<()>>) {
    callers.into_iter().for_each(|caller| caller.join().unwrap());
}

fn two<Q: Queueing>(shop: Shop<Q>) {
    let thread = shop.caller(|queue, books| judge_done(books, &wait(queue.submit(tasks([1]))), &[1]));
    let future = drive(vec![shop.queue.submit(tasks([2]))]).remove(0);
    judge_done(&shop.books, &future, &[2]);
    join([thread]);
    shop.close([1, 2]);
}

fn last<Q: Queueing>(shop: Shop<Q>) {
    let thread = shop.caller(|queue, books| judge(books, &wait(queue.submit(tasks([1]))), &[1]));
    let future = shop.caller(|queue, books| {
        let answer = drive(vec![queue.submit(tasks([2]))]).remove(0);
        judge(books, &answer, &[2]);
    });
    shop.close([]);
    join([thread, future]);
}

fn threads<Q: Queueing>(shop: Shop<Q>) {
    let call = |first: u32| {
        shop.caller(move |queue, books| {
            for number in first..first + 2 {
                judge_done(books, &wait(queue.submit(tasks([number]))), &[number]);
            }
        })
    };
    join([10, 20, 30].map(call));
    shop.close([10, 11, 20, 21, 30, 31]);
}

fn futures<Q: Queueing>(shop: Shop<Q>) {
    let call = |numbers: &'static [u32]| {
        shop.caller(move |queue, books| {
            let answers = drive(numbers.iter().map(|number| queue.submit(tasks([*number]))).collect());
            for (answer, number) in answers.iter().zip(numbers) {
                judge_done(books, answer, &[*number]);
            }
        })
    };
    join([call(&[1, 2, 3]), call(&[4, 5])]);
    shop.close(1..=5);
}

fn mixed<Q: Queueing>(shop: Shop<Q>) {
    let many = shop.caller(|queue, books| {
        let tasks = vec![Task::new(1), Task::new(2), alone(3), Task::new(4), Task::new(5), Task::new(6)];
        judge_done(books, &wait(queue.submit(tasks)), &[1, 2, 3, 4, 5, 6]);
        let order: Vec<u32> = books.open().done.iter().copied().filter(|number| *number < 7).collect();
        assert_eq!(order, [1, 2, 3, 4, 5, 6]);
    });
    let one = shop.caller(|queue, books| {
        judge_done(books, &wait(queue.submit(tasks([7]))), &[7]);
        assert_eq!(wait(queue.submit(Vec::new())), Ok(Vec::new()));
    });
    let futures = shop.caller(|queue, books| {
        let answers = drive(vec![queue.submit(tasks([8, 9])), queue.submit(vec![alone(10)])]);
        judge_done(books, &answers[0], &[8, 9]);
        judge_done(books, &answers[1], &[10]);
    });
    join([many, one, futures]);
    shop.close(1..=10);
}

fn leaving<Q: Queueing>(shop: Shop<Q>) {
    let dropped = shop.caller(|queue, books| {
        drop(queue.submit(tasks([90])));
        let mut future = queue.submit(tasks([1, 2, 3]));
        if let Some(answer) = poll(&mut future, Waker::noop()) {
            judge_done(books, &answer, &[1, 2, 3]);
        }
    });
    let moved = shop.caller(|queue, books| {
        let mut future = queue.submit(tasks([4]));
        let answer = poll(&mut future, Waker::noop());
        judge_done(books, &answer.unwrap_or_else(|| drive(vec![future]).remove(0)), &[4]);
    });
    let thread = shop.caller(|queue, books| judge_done(books, &wait(queue.submit(tasks([5]))), &[5]));
    join([dropped, moved, thread]);
    // What was queued before this is done before it.
    judge_done(&shop.books, &wait(shop.queue.submit(tasks([6]))), &[6]);
    assert!(!shop.books.open().done.contains(&90));
    shop.close(1..=6);
}

fn closing<Q: Queueing>(shop: Shop<Q>) {
    let queue = Arc::clone(&shop.queue);
    let mut waits = queue.submit(vec![Task { brittle: true, ..Task::new(1) }, Task::new(2), Task::new(3)]);
    let answer = poll(&mut waits, &broken());
    let thread = shop.caller(|queue, books| {
        for number in 10..13 {
            judge(books, &wait(queue.submit(tasks([number]))), &[number]);
        }
    });
    let futures = shop.caller(|queue, books| {
        let answers = drive(vec![queue.submit(tasks([20, 21])), queue.submit(vec![alone(22)])]);
        judge(books, &answers[0], &[20, 21]);
        judge(books, &answers[1], &[22]);
    });
    let books = shop.books.clone();
    shop.close([]);
    // Whoever was told nothing yet finds the answer there.
    let answer = answer.or_else(|| poll(&mut waits, Waker::noop()));
    judge(&books, &answer.expect("it was closed without a word"), &[1, 2, 3]);
    join([thread, futures]);
}

fn panics<Q: Queueing>(shop: Shop<Q>) {
    let thread = shop.caller(|queue, books| {
        let panics = vec![Task { panics: true, ..Task::new(1) }, Task { brittle: true, ..Task::new(2) }];
        let answer = wait(queue.submit(panics));
        judge(books, &answer, &[1, 2]);
        assert_eq!(answer.unwrap()[0], Err(StoreError::InDoubt));
    });
    let futures = shop.caller(|queue, books| {
        let mut unlucky = queue.submit(tasks([3]));
        let early = poll(&mut unlucky, &broken());
        let answers = drive(vec![queue.submit(tasks([4])), queue.submit(tasks([5]))]);
        judge(books, &answers[0], &[4]);
        judge(books, &answers[1], &[5]);
        // It was queued before.
        let answer = early.or_else(|| poll(&mut unlucky, Waker::noop()));
        judge(books, &answer.expect("others were answered first"), &[3]);
    });
    join([thread, futures]);
    judge_done(&shop.books, &wait(shop.queue.submit(tasks([6]))), &[6]);
    shop.close([6]);
}

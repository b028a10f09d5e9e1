//! Callers that may block, callers that must not, and callers that go away.

use super::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

fn open() -> (tempfile::TempDir, Arc<Sqlite>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join("shop.db")).unwrap();
    (folder, Arc::new(store))
}

/// A command that tells which thread decided it.
fn traced(id: PassId, thread: &Arc<Mutex<Option<ThreadId>>>) -> Command {
    let thread = Arc::clone(thread);
    after(move || *thread.lock().unwrap() = Some(thread::current().id()), take(id))
}

/// Wakes an executor of one thread.
#[derive(Default)]
struct Bell(Mutex<bool>, Condvar);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }
}

/// Polls all futures on this thread until all are ready, as an executor would.
fn drive<T>(mut futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut done = Vec::new();
    loop {
        futures.retain_mut(|future| match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => {
                done.push(value);
                false
            }
            Poll::Pending => true,
        });
        if futures.is_empty() {
            return done;
        }
        let rung = bell.0.lock().unwrap();
        let (mut rung, late) =
            bell.1.wait_timeout_while(rung, Duration::from_secs(60), |rung| !*rung).unwrap();
        assert!(!late.timed_out(), "nobody was woken");
        *rung = false;
    }
}

/// of 64 threads that take the one use of a pass, one gets it, and the others are refused.
#[test]
fn one_of_64_threads_gets_the_single_use() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 1);
    let (barrier, won) = (Barrier::new(64), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                barrier.wait();
                match wait(store.run(take(pass(1)))).unwrap() {
                    Answer::Done(_) => drop(won.fetch_add(1, Ordering::Relaxed)),
                    Answer::Refused(reasons) => assert_eq!(reasons[0].code(), "USES_SPENT"),
                    Answer::Replayed(_) => panic!("nothing was replayed"),
                }
            });
        }
    });
    assert_eq!((won.load(Ordering::Relaxed), used(&store, pass(1))), (1, 1));
}

/// a thousand uses and 64 threads, half of them through futures: all uses are found, none twice, no caller
/// sees anything but an answer, and many shared a transaction.
#[test]
fn a_thousand_uses_are_all_found() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 1_000);
    let before = store.groups();
    let won = AtomicUsize::new(0);
    thread::scope(|scope| {
        for n in 0..64 {
            let (store, won) = (&store, &won);
            scope.spawn(move || {
                for _ in 0..20 {
                    let run = store.run(take(pass(1)));
                    let answer = if n % 2 == 0 { wait(run) } else { drive(vec![run]).remove(0) };
                    won.fetch_add(usize::from(is_done(&answer.unwrap())), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((won.load(Ordering::Relaxed), used(&store, pass(1))), (1_000, 1_000));
    assert_eq!(operations(&store), 1_001);
    let groups = store.groups() - before;
    assert!(groups < 640, "{groups} transactions for 1,280 commands");
}

/// two stores over one file, as two processes would have them, keep the same books.
#[test]
fn two_stores_share_a_file() {
    let (folder, store) = open();
    with_pass(&store, pass(1), 500);
    let other = Arc::new(Sqlite::open(folder.path().join("shop.db")).unwrap());
    let won = AtomicUsize::new(0);
    thread::scope(|scope| {
        for n in 0..8 {
            let store = if n % 2 == 0 { &store } else { &other };
            let won = &won;
            scope.spawn(move || {
                for _ in 0..100 {
                    let answer = wait(store.run(take(pass(1)))).unwrap();
                    won.fetch_add(usize::from(is_done(&answer)), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((won.load(Ordering::Relaxed), used(&other, pass(1))), (500, 500));
    assert_eq!(operations(&store), 501);
}

/// D-6: a caller that may block decides on its own thread when nobody is in its way; one in an executor never
/// does, and doesn't wait inside `poll`.
#[test]
fn an_executor_is_never_blocked() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 1_000);
    let thread = Arc::default();
    wait(store.run(traced(pass(1), &thread))).unwrap();
    assert_eq!(*thread.lock().unwrap(), Some(thread::current().id()));

    // Decision and audit wait for what comes after the poll: made within it they would never end.
    let met = Arc::new(Barrier::new(2));
    let polled = Arc::clone(&met);
    let waits = move || {
        polled.wait();
    };
    let mut run = store.run(after(waits, traced(pass(1), &thread)));
    assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    met.wait();
    assert!(is_done(&drive(vec![run]).remove(0).unwrap()));
    assert_ne!(*thread.lock().unwrap(), Some(thread::current().id()));

    let (polled, rows) = (Arc::clone(&met), AtomicUsize::new(0));
    let each = move |_| {
        if rows.fetch_add(1, Ordering::Relaxed) == 0 {
            polled.wait();
        }
    };
    let mut audit = store.audit(SHOP, Box::new(each));
    assert!(audit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    met.wait();
    drive(vec![audit]).remove(0).unwrap();
}

/// D-6: audits, however long they take, keep no other reader waiting, and all come to their end.
#[test]
fn audits_keep_no_reader_waiting() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 1_000);
    let over = Arc::new((Mutex::new(false), Condvar::new()));
    let mut audits: Vec<_> = (0..3)
        .map(|_| {
            let held = Arc::clone(&over);
            let each = move |_| drop(held.1.wait_while(held.0.lock().unwrap(), |over| !*over).unwrap());
            store.audit(SHOP, Box::new(each))
        })
        .collect();
    for audit in &mut audits {
        assert!(audit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let load = Load { passes: vec![pass(1)], ..Load::new(SHOP) };
    let loaded = drive((0..20).map(|_| store.load(&load)).collect());
    assert!(loaded.into_iter().all(|loaded| loaded.is_ok()));
    *over.0.lock().unwrap() = true;
    over.1.notify_all();
    assert!(drive(audits).into_iter().all(|audit| audit.is_ok()));
}

/// A waker that is broken.
struct Broken;

impl Wake for Broken {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

/// D-6: a waker that panics takes none of the store's threads with it, and no answer of somebody else.
#[test]
fn a_broken_waker_harms_nobody() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 1_000);
    let met = Arc::new(Barrier::new(2));
    let begun = Arc::clone(&met);
    let waits = move || {
        begun.wait();
    };
    let command = after(waits, take(pass(1)));
    let load = Load { passes: vec![pass(1)], ..Load::new(SHOP) };
    let broken = Waker::from(Arc::new(Broken));
    // It waits inside the first until all of the others are queued: they make one group.
    let mut first = store.run(command);
    assert!(first.as_mut().poll(&mut Context::from_waker(&broken)).is_pending());
    let mut second = store.run(take(pass(1)));
    assert!(second.as_mut().poll(&mut Context::from_waker(&broken)).is_pending());
    let third = thread::scope(|scope| {
        let third = scope.spawn(|| drive(vec![store.run(take(pass(1)))]).remove(0));
        thread::sleep(Duration::from_millis(20));
        met.wait();
        third.join().unwrap()
    });
    assert!(is_done(&third.unwrap()));
    let mut reads: Vec<_> = (0..8).map(|_| store.load(&load)).collect();
    for read in &mut reads {
        let _ = read.as_mut().poll(&mut Context::from_waker(&broken));
    }
    assert!(drive(vec![store.load(&load)]).remove(0).is_ok());
    assert!(is_done(&drive(vec![store.run(take(pass(1)))]).remove(0).unwrap()));
}

/// D-6: hundreds of futures on one thread all come to their answers.
#[test]
fn many_futures_on_one_thread() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 250);
    let answers = drive((0..300).map(|_| store.run(take(pass(1)))).collect());
    assert_eq!(answers.into_iter().filter(|answer| is_done(answer.as_ref().unwrap())).count(), 250);
    let load = Load { passes: vec![pass(1)], ..Load::new(SHOP) };
    let loaded = drive((0..100).map(|_| store.load(&load)).collect());
    assert!(loaded.into_iter().all(|loaded| loaded.unwrap().passes[0].uses.used == 250));
}

/// D-3, D-6: a future that was never polled does nothing; one that was dropped after is in doubt and here lands;
/// nobody who came before or after is kept waiting by it.
#[test]
fn a_dropped_future_harms_nobody() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 1_000);
    drop(store.run(take(pass(1))));
    assert_eq!(used(&store, pass(1)), 0);
    thread::scope(|scope| {
        for n in 0..16 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..20 {
                    let mut run = store.run(take(pass(1)));
                    if n % 2 == 0 {
                        assert!(is_done(&wait(run).unwrap()));
                    } else {
                        let _ = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                    }
                }
            });
        }
    });
    // Whatever was queued before this is done before it.
    assert!(is_done(&wait(store.run(take(pass(1)))).unwrap()));
    assert_eq!(used(&store, pass(1)), 321);
}

/// D-6: who waits when the store is closed is told so, and nobody hangs.
#[test]
fn closing_leaves_nobody_waiting() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 1_000_000);
    let ended = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let store = &store;
                scope.spawn(move || {
                    loop {
                        let run = store.run(take(pass(1)));
                        let answer = if n % 2 == 0 { wait(run) } else { drive(vec![run]).remove(0) };
                        match answer {
                            Ok(answer) => assert!(is_done(&answer)),
                            Err(error) => break error,
                        }
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(50));
        store.close();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(ended, vec![StoreError::Closed; 8]);
}

/// D-6: a decision may hold the last handle of the store, whose thread then closes it.
#[test]
fn the_last_handle_may_be_in_a_decision() {
    let (folder, store) = open();
    with_pass(&store, pass(1), 1);
    let held = Arc::clone(&store);
    let begun = Arc::new(Barrier::new(2));
    let met = Arc::clone(&begun);
    let waits = move || {
        met.wait();
        met.wait();
        let _ = &held;
    };
    let mut run = store.run(after(waits, take(pass(1))));
    assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    begun.wait();
    drop(run);
    drop(store);
    begun.wait();
    // Opening waits for nothing, but what was begun must have ended first.
    for _ in 0..1_000 {
        if used(&Sqlite::open(folder.path().join("shop.db")).unwrap(), pass(1)) == 1 {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("the command never landed");
}

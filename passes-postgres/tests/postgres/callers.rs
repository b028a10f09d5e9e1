//! Callers of all kinds: threads, executors, and those that go away.

use crate::{commit, database, pass, store, take, taking, used, with_passes};
use passes_core::store::{Answer, Load, Store};
use passes_postgres::Postgres;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

fn single<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// D-6: in an executor of one thread, without timers or sockets of its own, the store opens, runs commands and closes, and
/// the executor goes on with other things meanwhile.
#[test]
fn an_executor_is_never_blocked() {
    let Some((_, url)) = database() else { return };
    single(async {
        let store = Arc::new(Postgres::connect(&url).await.unwrap());
        let put = passes_core::store::Put {
            record: passes_core::store::Record::Pass(Box::new(passes_core::pass::PassRow {
                uses: passes_core::pass::Tally::new(40),
                ..passes_core::pass::PassRow::draft(pass(1))
            })),
            expect: passes_core::store::Expect::Absent,
        };
        let change = passes_core::store::Change { put: vec![put], ..crate::done() };
        store.commit(&[change]).await.unwrap().remove(0).unwrap();
        let turns = Rc::new(Cell::new(0_u32));
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                let counted = Rc::clone(&turns);
                let ticking = tokio::task::spawn_local(async move {
                    loop {
                        counted.set(counted.get() + 1);
                        tokio::task::yield_now().await;
                    }
                });
                let taking: Vec<_> = (0..40)
                    .map(|_| {
                        let store = Arc::clone(&store);
                        tokio::task::spawn_local(async move { store.run(take(pass(1))).await.unwrap() })
                    })
                    .collect();
                for taken in taking {
                    assert!(matches!(taken.await.unwrap(), Answer::Done(_)));
                }
                store.pause(Duration::from_millis(5)).await.unwrap();
                ticking.abort();
            })
            .await;
        assert!(turns.get() > 40, "{}", turns.get());
        let load = Load { passes: vec![pass(1)], ..Load::new(crate::SHOP) };
        assert_eq!(store.load(&load).await.unwrap().passes[0].uses.left(), 0);
        // Dropped within an executor, where a runtime must not be.
        drop(Arc::into_inner(store).unwrap());
    });
}

/// D-3, D-6: a caller that goes away in the middle of a transaction leaves no lock behind, and nobody gets its connection.
#[test]
fn who_goes_away_leaves_no_lock() {
    let Some((_, url)) = database() else { return };
    let store = Postgres::options().connections(2).open(&url).unwrap();
    with_passes(&store, 1, 1_000_000, 0);
    let store = &store;
    let dropped = |polls: u32| {
        let mut future = store.run(take(pass(1)));
        for _ in 0..polls {
            if future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
            {
                break;
            }
            std::thread::yield_now();
        }
    };
    // Others fight for the pass, so that commands queue and hold the lock.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let taken = passes_core::store::wait(store.run(take(pass(1)))).unwrap();
                    assert!(matches!(taken, Answer::Done(_)));
                }
            });
        }
        for polls in 0..200 {
            dropped(polls * 7);
        }
    });
    let taken = used(store, pass(1));
    assert!((200..=400).contains(&taken), "{taken}");
    commit(store, taking(pass(1))).unwrap();
}

/// D-1: several stores on one database see each other's work at once.
#[test]
fn two_stores_share_a_database() {
    let Some((_, url)) = database() else { return };
    let (one, two) = (Postgres::open(&url).unwrap(), Postgres::open(&url).unwrap());
    with_passes(&one, 1, 2, 0);
    commit(&two, taking(pass(1))).unwrap();
    assert_eq!(used(&one, pass(1)), 1);
    drop(two);
    commit(&one, taking(pass(1))).unwrap();
}

/// D-1, D-6: however many call at once, in whatever lanes, there are no more connections than were allowed, and everybody
/// is served.
#[test]
fn all_lanes_together_keep_to_the_connections() {
    let Some((server, url)) = database() else { return };
    let store = Postgres::options().connections(17).open(&url).unwrap();
    with_passes(&store, 24, 20, 0);
    std::thread::scope(|scope| {
        for caller in 1..=24 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..20 {
                    let taken = passes_core::store::wait(store.run(take(pass(caller)))).unwrap();
                    assert!(matches!(taken, Answer::Done(_)));
                }
            });
        }
    });
    assert!((1..=24).all(|caller| used(&store, pass(caller)) == 20));
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name='passes' AND datname=current_database()";
    let open: u32 = server.say(&url, open).parse().unwrap();
    assert!((2..=17).contains(&open), "{open}");
}

/// D-6: what a store says of itself has nothing to hide.
#[test]
fn a_store_is_shown_without_its_address() {
    let Some(store) = store() else { return };
    let shown = format!("{store:?}");
    assert!(shown.starts_with("Postgres") && !shown.contains("postgres@"), "{shown}");
}

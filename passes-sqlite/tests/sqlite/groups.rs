//! Commands that share a transaction.

use super::*;
use passes_core::passcode::Digest;
use passes_core::store::Claim;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn open() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join("shop.db")).unwrap();
    (folder, store)
}

/// many commands in one call are one transaction, in order, and each sees what those before it did.
#[test]
fn commands_of_one_call_are_one_group() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 3);
    let before = store.groups();
    let answers = wait(store.run_all((0..5).map(|_| take(pass(1))).collect())).unwrap();
    let done: Vec<bool> = answers.iter().map(|answer| is_done(answer.as_ref().unwrap())).collect();
    assert_eq!(done, [true, true, true, false, false]);
    assert_eq!(store.groups() - before, 1);
    let numbers: Vec<u64> = wait(store.events(SHOP, 1, 9)).unwrap().iter().map(|o| o.number).collect();
    assert_eq!(numbers, [2, 3, 4]);
    assert!(wait(store.run_all(Vec::new())).unwrap().is_empty());
}

/// D-1: nothing of a command is kept once it is answered, whoever did it: what it holds may be the last that keeps the
/// store open.
#[test]
fn an_answered_command_is_gone() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 100_000);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..400 {
                    let held = Arc::new(());
                    let holds = Arc::clone(&held);
                    let command = after(
                        move || {
                            let _held = &holds;
                        },
                        take(pass(1)),
                    );
                    assert!(is_done(&wait(store.run(command)).unwrap()));
                    assert_eq!(Arc::strong_count(&held), 1);
                }
            });
        }
    });
}

/// D-3, R-11: a member that fails takes nobody with it. The whole group goes back, and each is done alone.
#[test]
fn a_member_that_fails_fails_alone() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 9);
    let claim = |code: u8| {
        let claim = Claim { digest: Digest::from_bytes([code; 32]), pass: pass(1) };
        accept(Change { claim: vec![claim], ..puts(Vec::new()) })
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let taken = after(count, take(pass(1)));
    let answers = wait(store.run_all(vec![claim(1), taken, claim(1), claim(2)])).unwrap();
    assert!([0, 1, 3].iter().all(|at| answers[*at].as_ref().is_ok_and(is_done)), "{answers:?}");
    assert_eq!(answers[2].as_ref().err(), Some(&StoreError::Conflict));
    assert_eq!((calls.load(Ordering::Relaxed), used(&store, pass(1))), (2, 1));
    assert_eq!(operations(&store), 4);
}

/// D-3, Z-3: a row that can't be read is told to who asked for it; nobody else of the group does anything twice.
#[test]
fn a_damaged_row_is_the_matter_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let store = Sqlite::open(&path).unwrap();
    for n in 1..=3 {
        with_pass(&store, pass(n), 9);
    }
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE pass SET standing=99 WHERE serial=2", []).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = |id| {
        let calls = Arc::clone(&calls);
        let count = move || {
            calls.fetch_add(1, Ordering::Relaxed);
        };
        after(count, take(id))
    };
    // It is met when it is loaded, and when a change is judged that was made without loading it.
    let add = vec![Add::used(TallyKey::Uses(pass(2)), 1)];
    let blind = accept(Change { tally: add, ..puts(Vec::new()) });
    let commands = vec![counted(pass(1)), counted(pass(2)), blind, counted(pass(3))];
    let answers = wait(store.run_all(commands)).unwrap();
    assert!([0, 3].iter().all(|at| answers[*at].as_ref().is_ok_and(is_done)), "{answers:?}");
    let damaged = |at: usize| matches!(answers[at], Err(StoreError::Corrupt(_)));
    assert!(damaged(1) && damaged(2), "{answers:?}");
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!((used(&store, pass(1)), used(&store, pass(3))), (1, 1));
}

/// D-3: a business that was first met in a transaction that went back is met anew.
#[test]
fn what_went_back_is_forgotten() {
    let (_folder, store) = open();
    let other = BusinessId::from_bytes([8; 16]);
    let twice = vec![doc(1, 10), doc(1, 10)];
    let failing = Change { business: other, ..puts(twice) };
    assert_eq!(commit(&store, failing), Err(StoreError::Conflict));
    with_pass(&store, pass(1), 1);
    commit(&store, Change { business: other, ..puts(vec![doc(1, 10)]) }).unwrap();
    assert_eq!(operations(&store), 1);
    assert_eq!(wait(store.events(other, 0, 9)).unwrap().len(), 1);
}

/// D-3: a decision that panics is the failure of its own command, and of no other.
#[test]
fn a_panic_harms_nobody_else() {
    let (_folder, store) = open();
    with_pass(&store, pass(1), 9);
    // What it carries panics again when it is dropped.
    struct Carried;
    impl Drop for Carried {
        fn drop(&mut self) {
            panic!("again");
        }
    }
    let panics = || Command::new(Load::new(SHOP), |_| panic_any(Carried));
    let answers = wait(store.run_all(vec![take(pass(1)), panics(), take(pass(1))])).unwrap();
    assert!(answers[0].as_ref().is_ok_and(is_done) && answers[2].as_ref().is_ok_and(is_done), "{answers:?}");
    assert!(matches!(answers[1], Err(StoreError::Backend(_))), "{answers:?}");
    assert!(matches!(wait(store.run(panics())), Err(StoreError::Backend(_))));
    assert!(is_done(&wait(store.run(take(pass(1)))).unwrap()));
    assert_eq!(used(&store, pass(1)), 3);
}

/// E-1: numbers have no gap where a transaction went back, and entries follow each other.
#[test]
fn numbers_have_no_gaps() {
    let (_folder, store) = open();
    commit(&store, puts(vec![doc(1, 10)])).unwrap();
    assert_eq!(commit(&store, puts(vec![doc(1, 10)])), Err(StoreError::Conflict));
    let answers = wait(store.run_all(vec![
        accept(puts(vec![doc(2, 10)])),
        accept(puts(vec![doc(1, 10)])),
        accept(puts(vec![doc(3, 10)])),
    ]));
    assert_eq!(answers.unwrap().iter().filter(|answer| answer.is_ok()).count(), 2);
    let numbers: Vec<u64> = wait(store.events(SHOP, 0, 9)).unwrap().iter().map(|o| o.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

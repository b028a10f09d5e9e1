//! The write-ahead log stays short, and readers don't hold writers up.

use super::*;
use passes_core::store::AuditRow;
use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const PAGE: u64 = 4096 + 24;

/// D-1: under steady load from several threads the log begins anew, again and again.
#[test]
fn the_log_begins_anew_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let store = Sqlite::options().checkpoint(100, 400).open(&path).unwrap();
    with_pass(&store, pass(1), 1_000_000);
    let longest = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..1_500 {
                    assert!(is_done(&wait(store.run(take(pass(1)))).unwrap()));
                    longest.fetch_max(store.wal_length(), Ordering::Relaxed);
                    // Readers come and go meanwhile.
                    if n % 10 == 0 {
                        assert!(used(&store, pass(1)) > 0);
                    }
                }
            });
        }
    });
    let (written, longest) = (store.wal_pages(), longest.load(Ordering::Relaxed));
    assert!(written > 2_000, "{written}");
    assert!(longest < 1_200, "the log had {longest} of {written} pages");
    let length = fs::metadata(folder.path().join("shop.db-wal")).unwrap().len();
    assert!(length < 1_200 * PAGE, "{length}");
    assert_eq!(used(&store, pass(1)), 6_000);
}

/// D-1, D-7: an audit sees one moment, however long it takes, and commands go on beside it.
#[test]
fn an_audit_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::options().checkpoint(50, 100).open(folder.path().join("shop.db")).unwrap();
    for n in 1..=3 {
        with_pass(&store, pass(n), 1_000);
    }
    let store = &store;
    let (begun, go_on) = (std::sync::Arc::new(Barrier::new(2)), std::sync::Arc::new(Barrier::new(2)));
    let (told, waited) = (std::sync::Arc::clone(&begun), std::sync::Arc::clone(&go_on));
    thread::scope(|scope| {
        let audit = scope.spawn(move || {
            let rows = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let seen = std::sync::Arc::clone(&rows);
            let each = Box::new(move |row: AuditRow| {
                let AuditRow::Pass(pass) = row else { return };
                let mut seen = seen.lock().unwrap();
                if seen.is_empty() {
                    told.wait();
                    waited.wait();
                }
                seen.push(pass.uses.used);
            });
            wait(store.audit(SHOP, each)).unwrap();
            let rows = rows.lock().unwrap();
            rows.clone()
        });
        begun.wait();
        for _ in 0..100 {
            assert!(is_done(&wait(store.run(take(pass(3)))).unwrap()));
        }
        go_on.wait();
        assert_eq!(audit.join().unwrap(), [0, 0, 0]);
    });
    assert_eq!(used(store, pass(3)), 100);
}

/// D-1: readers that overlap without end don't keep the log from beginning anew.
#[test]
fn the_log_begins_anew_beside_endless_readers() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::options().checkpoint(50, 200).open(folder.path().join("shop.db")).unwrap();
    for n in 1..=40 {
        with_pass(&store, pass(n), 1_000_000);
    }
    let (over, longest) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while over.load(Ordering::Relaxed) == 0 {
                    // Each takes some milliseconds, and another one is always under way.
                    let slow = Box::new(|row| {
                        if matches!(row, AuditRow::Pass(_)) {
                            thread::sleep(std::time::Duration::from_micros(20));
                        }
                    });
                    wait(store.audit(SHOP, slow)).unwrap();
                }
            });
        }
        for _ in 0..1_500 {
            assert!(is_done(&wait(store.run(take(pass(1)))).unwrap()));
            longest.fetch_max(store.wal_length(), Ordering::Relaxed);
        }
        over.store(1, Ordering::Relaxed);
    });
    let (written, longest) = (store.wal_pages(), longest.load(Ordering::Relaxed));
    assert!(longest < 2_000, "the log had {longest} of {written} pages");
}

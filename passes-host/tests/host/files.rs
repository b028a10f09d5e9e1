//! A file of SQLite: its keys, its refusals, and both ways of calling while another process writes to it.

use crate::calling::{beside_a_heart, work, work_and_wait};
use crate::opening::reopened;
use crate::{keyring, owner, settings};
use passes_host::open;
use passes_host::operation::By;
use passes_host::plan::PlanState;
use std::path::Path;
use std::time::Duration;

/// The address of a file.
fn address(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// C-14: a file opened with a keyring that lacks its key, or has another under its id, is an error that names the id.
#[test]
fn a_file_asks_for_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gift.db");
    reopened(|keyring| open(address(&path), keyring).wait());
}

/// D-1, Z-1: a file that can't be opened, or an address that means no store, is an error with its code.
#[test]
fn what_is_no_store_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no/such/folder/gift.db");
    let error = open(address(&nowhere), keyring("m1", 1)).wait().err().unwrap();
    assert_eq!(error.code(), "STORE_FAILED", "{error}");
    let other = folder.path().join("letter.txt");
    std::fs::write(&other, "Dear customer, ".repeat(1_000)).unwrap();
    let error = open(address(&other), keyring("m1", 1)).wait().err().unwrap();
    assert_eq!(error.code(), "STORE_CORRUPT", "{error}");
    let error = open("postgres://till:hunter2@127.0.0.1:1/shop?sslmode=disable", keyring("m1", 1)).wait();
    let error = error.err().unwrap();
    assert_eq!(error.code(), if cfg!(feature = "postgres") { "TRANSIENT" } else { "STORE_UNKNOWN" });
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

/// Holds the lock of a file of SQLite, as another process does that is writing, until it is told to let go or
/// ten seconds are over: a test that would wait for ever fails instead.
struct Writing {
    let_go: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<bool>,
}

impl Writing {
    fn begin(database: &Path) -> Self {
        let lock = std::fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(database.with_extension("db.lock"))
            .unwrap();
        lock.lock().unwrap();
        let (let_go, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let in_time = told.recv_timeout(Duration::from_secs(10)).is_ok();
            lock.unlock().unwrap();
            in_time
        });
        Self { let_go, thread }
    }

    /// Whether it was told in time.
    fn end(self) -> bool {
        // A receiver that has gone has waited too long, as joining tells.
        let _ = self.let_go.send(());
        self.thread.join().unwrap()
    }
}

/// D-6: while another process writes to the file, opening it and giving commands wait, and the executor goes on.
#[test]
fn a_busy_file_does_not_block_an_executor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gift.db");
    beside_a_heart(async |heart| {
        let ten_beats = async || {
            let before = heart.beats();
            while heart.beats() < before + 10 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };

        let writing = Writing::begin(&path);
        let opening = open(address(&path), keyring("m1", 1));
        let opened = tokio::task::spawn_local(opening.into_future());
        ten_beats().await;
        assert!(!opened.is_finished(), "opened while another was writing");
        assert!(writing.end(), "the executor was blocked");
        let passes = opened.await.unwrap().unwrap();

        let writing = Writing::begin(&path);
        let worked = tokio::task::spawn_local({
            let passes = passes.clone();
            async move { work(&passes).await }
        });
        ten_beats().await;
        assert!(!worked.is_finished(), "worked while another was writing");
        assert!(writing.end(), "the executor was blocked");
        assert_eq!(worked.await.unwrap(), Ok(PlanState::Active));
    });
}

/// D-6: the sync face and the async face of one file see the same records.
#[test]
fn a_file_serves_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gift.db");
    let business = {
        let passes = open(address(&path), keyring("m1", 1)).wait().unwrap();
        assert_eq!(work_and_wait(&passes), Ok(PlanState::Active));
        passes.create_business(&owner(), settings()).wait().unwrap()
    };
    beside_a_heart(async |_| {
        let passes = open(&format!("sqlite:{}", address(&path)), keyring("m1", 1)).await.unwrap();
        assert_eq!(work(&passes).await, Ok(PlanState::Active));
        assert_eq!(passes.settings(&By::new(business, owner())).await, Ok(settings()));
    });
}

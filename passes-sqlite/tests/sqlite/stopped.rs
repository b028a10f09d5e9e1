//! A process that is stopped in the middle of its turn.

use super::*;
use std::fs;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::thread;
use std::time::Duration;

/// Where the child finds its file: it is this very test, in another process.
const PLACE: &str = "PASSES_SQLITE_STOPPED_IN";

fn wait_for(file: &Path) {
    while !file.exists() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Takes a use, and is stopped between deciding and committing.
fn stall(folder: &Path) {
    let store = Sqlite::open(folder.join("shop.db")).unwrap();
    let place = folder.to_owned();
    let stalls = move || {
        fs::write(place.join("inside"), "").unwrap();
        wait_for(&place.join("go"));
    };
    let command = after(stalls, take(pass(1)));
    assert!(is_done(&wait(store.run(command)).unwrap()));
}

struct Stopped(Child);

impl Stopped {
    fn signal(&self, signal: &str) {
        let sent = Process::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // Whatever failed, it must not stay behind.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// D-3: while another process is stopped in the middle of its turn commands are told to try again, and nothing of
/// them is done; a store can't be opened; reading goes on. When the other goes on, so does everything.
#[test]
fn a_stopped_process_keeps_nobody_for_ever() {
    if let Some(folder) = std::env::var_os(PLACE) {
        return stall(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Sqlite::options().lock_timeout(Duration::from_millis(100));
    let store = options.clone().open(folder.path().join("shop.db")).unwrap();
    with_pass(&store, pass(1), 9);
    let child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "stopped::a_stopped_process_keeps_nobody_for_ever"])
        .env(PLACE, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = Stopped(child.unwrap());
    wait_for(&folder.path().join("inside"));
    child.signal("-STOP");

    let first = wait(store.run(take(pass(1))));
    assert!(matches!(first, Err(StoreError::Transient(_))), "{first:?}");
    let answers = wait(store.run_all(vec![take(pass(1)), take(pass(1))])).unwrap();
    assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Transient(_)))), "{answers:?}");
    let opened = options.open(folder.path().join("shop.db"));
    assert!(matches!(opened, Err(StoreError::Transient(_))), "{opened:?}");
    assert_eq!(used(&store, pass(1)), 0);

    fs::write(folder.path().join("go"), "").unwrap();
    child.signal("-CONT");
    assert!(child.0.wait().unwrap().success());
    let answer = loop {
        match wait(store.run(take(pass(1)))) {
            Err(StoreError::Transient(_)) => thread::sleep(Duration::from_millis(1)),
            answer => break answer,
        }
    };
    assert!(is_done(&answer.unwrap()));
    assert_eq!(used(&store, pass(1)), 2);
}

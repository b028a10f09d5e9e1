//! Taking turns with other processes at the same file.
//!
//! SQLite's own waiting is a race in which somebody can lose for seconds. Two side files make a queue of it:
//! whoever waits for the lock holds the gate, so that nobody overtakes; and a process that had the lock a
//! moment ago may take it again for a while, because handing it over costs more than a short command.

use crate::errors::of_file;
use passes_core::store::StoreError;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a process may take the lock again without queueing.
const GRIP: Duration = Duration::from_millis(5);

/// How many groups it may write in that time, so that a fast disk doesn't make others wait for more of them.
const GROUPS: u32 = 16;

/// The lock, and the gate before it.
pub(crate) struct Turnstile {
    lock: File,
    gate: File,
    since: Option<Instant>,
    groups: u32,
}

impl Turnstile {
    /// Opens the two side files of a database, and makes them if need be. They stay empty.
    pub(crate) fn open(database: &Path) -> Result<Self, StoreError> {
        let side = |ending: &str| {
            let mut path = OsString::from(database);
            path.push(ending);
            let file = File::options().create(true).truncate(false).write(true).open(&path);
            file.map_err(|error| of_file(&format!("{} can't be opened", Path::new(&path).display()), &error))
        };
        Ok(Self { lock: side(".lock")?, gate: side(".gate")?, since: None, groups: 0 })
    }

    /// Waits until it is this process's turn. Whoever holds the turnstile ends the turn by [`Self::leave`].
    pub(crate) fn enter(&mut self) -> Result<(), StoreError> {
        self.groups = self.groups.saturating_add(1);
        let in_grip = self.groups <= GROUPS && self.since.is_some_and(|since| since.elapsed() < GRIP);
        if in_grip && self.lock.try_lock().is_ok() {
            return Ok(());
        }
        let entered = self.queue();
        entered.map_err(|error| of_file("the lock beside the database can't be taken", &error))
    }

    fn queue(&mut self) -> io::Result<()> {
        lock(&self.gate)?;
        let locked = lock(&self.lock);
        let opened = self.gate.unlock();
        locked?;
        if let Err(error) = opened {
            self.leave();
            return Err(error);
        }
        self.since = Some(Instant::now());
        self.groups = 0;
        Ok(())
    }

    /// Ends the turn.
    pub(crate) fn leave(&self) {
        // What could fail here is the file's being closed, which ends the turn, too.
        drop(self.lock.unlock());
    }
}

/// Waits for a lock; a signal doesn't end the waiting.
fn lock(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// two holders of one turnstile are never in it at once, and each comes again and again.
    #[test]
    fn only_one_is_inside_and_nobody_starves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let inside = AtomicU32::new(0);
        let turns = [AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)];
        std::thread::scope(|scope| {
            for mine in &turns {
                scope.spawn(|| {
                    let mut turnstile = Turnstile::open(&path).unwrap();
                    while turns.iter().any(|turns| turns.load(Ordering::Relaxed) < 40) {
                        turnstile.enter().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::sleep(Duration::from_micros(100));
                        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                        turnstile.leave();
                        mine.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        // Whoever had the most turns had some grips of them at most while the last one waited for its forty.
        let most = turns.iter().map(|turns| turns.load(Ordering::Relaxed)).max().unwrap();
        assert!(most < 40 * 10, "{most}");
    }
}

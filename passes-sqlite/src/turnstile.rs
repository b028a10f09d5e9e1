//! Taking turns with other processes at the same file.
//!
//! SQLite's own waiting is a race in which somebody can lose for seconds. Two side files make a queue of it:
//! whoever waits for the lock holds the gate, so that nobody overtakes; and a process that had the lock a
//! moment ago may take it again for a while, because handing it over costs more than a short command.
//!
//! Whoever holds a lock may be stopped (`SIGSTOP`, a debugger), and the operating system has no deadline for it. So
//! the one behind the gate asks for the lock again and again, which nobody else does; and who waits for the gate
//! has a thread of its own wait, the usher, and gives up after a while.

use crate::errors::of_file;
use crate::slot::lock;
use passes_core::store::StoreError;
use std::ffi::OsString;
#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process may take the lock again without queueing.
const GRIP: Duration = Duration::from_millis(5);

/// How many groups it may write in that time, so that a fast disk doesn't make others wait for more of them.
const GROUPS: u32 = 16;

/// How soon, and how seldom, the lock is asked for again.
const PAUSES: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(10));

/// How long a turn is waited for when the one before didn't come in time, so that what has piled up meanwhile is
/// answered soon.
const SHORT: Duration = Duration::from_secs(1);

/// The lock, and the gate before it.
pub(crate) struct Turnstile {
    lock: File,
    gate: Arc<File>,
    since: Option<Instant>,
    groups: u32,
    /// How long a turn is waited for.
    patience: Duration,
    /// The last turn didn't come in time.
    stuck: bool,
    /// There is none until somebody else has the gate.
    usher: Option<Arc<Usher>>,
}

impl Turnstile {
    /// Opens the two side files of a database, and makes them if need be. They stay empty.
    pub(crate) fn open(database: &Path, patience: Duration) -> Result<Self, StoreError> {
        let side = |ending: &str| {
            let mut path = OsString::from(database);
            path.push(ending);
            let opened = beside(database, Path::new(&path));
            opened
                .map_err(|error| of_file(&format!("{} can't be opened", Path::new(&path).display()), &error))
        };
        let (lock, gate) = (side(".lock")?, Arc::new(side(".gate")?));
        Ok(Self { lock, gate, since: None, groups: 0, patience, stuck: false, usher: None })
    }

    /// Waits until it is this process's turn. Whoever holds the turnstile ends the turn by [`Self::leave`].
    ///
    /// # Errors
    /// [`StoreError::Transient`] when it takes too long.
    pub(crate) fn enter(&mut self) -> Result<(), StoreError> {
        self.groups = self.groups.saturating_add(1);
        let in_grip = self.groups <= GROUPS && self.since.is_some_and(|since| since.elapsed() < GRIP);
        if in_grip && self.lock.try_lock().is_ok() {
            return Ok(());
        }
        let patience = if self.stuck { self.patience.min(SHORT) } else { self.patience };
        let entered = self.queue(patience);
        let entered =
            entered.map_err(|error| of_file("the lock beside the database can't be taken", &error))?;
        self.stuck = !entered;
        if self.stuck {
            let why = "another process has the database and doesn't give it back";
            return Err(StoreError::Transient(why.to_owned()));
        }
        self.since = Some(Instant::now());
        self.groups = 0;
        Ok(())
    }

    /// Waits for the gate and behind it for the lock. Tells whether the turn came in time.
    fn queue(&mut self, patience: Duration) -> io::Result<bool> {
        let begun = Instant::now();
        if !self.pass_gate(patience)? {
            return Ok(false);
        }
        let entered = self.ask(patience.saturating_sub(begun.elapsed()));
        self.gate.unlock().inspect_err(|_| self.leave())?;
        entered
    }

    fn pass_gate(&mut self, patience: Duration) -> io::Result<bool> {
        // A lock belongs to an open file, not to a thread: an usher that is still at the gate is not to be met there.
        let busy = self.usher.as_ref().is_some_and(|usher| lock(&usher.errand).at_gate);
        if !busy && tried(&self.gate)? {
            return Ok(true);
        }
        let usher = match &self.usher {
            Some(usher) => usher,
            None => self.usher.insert(Usher::start(&self.gate)?),
        };
        usher.wait(patience)
    }

    /// Asks for the lock until it is free.
    fn ask(&self, patience: Duration) -> io::Result<bool> {
        let begun = Instant::now();
        loop {
            if tried(&self.lock)? {
                return Ok(true);
            }
            let waited = begun.elapsed();
            if waited >= patience {
                return Ok(false);
            }
            thread::sleep((waited / 64).clamp(PAUSES.0, PAUSES.1).min(patience - waited));
        }
    }

    /// Ends the turn.
    pub(crate) fn leave(&self) {
        // What could fail here is the file's being closed, which ends the turn, too.
        drop(self.lock.unlock());
    }
}

impl Drop for Turnstile {
    fn drop(&mut self) {
        if let Some(usher) = &self.usher {
            lock(&usher.errand).dismissed = true;
            usher.bell.notify_all();
        }
    }
}

/// The thread that waits at the gate.
struct Usher {
    errand: Mutex<Errand>,
    bell: Condvar,
}

#[derive(Default)]
struct Errand {
    /// Somebody waits for it to have the gate.
    wanted: bool,
    /// It is there, and can't be called back.
    at_gate: bool,
    /// How it went.
    done: Option<io::Result<()>>,
    /// There is nobody left to wait for.
    dismissed: bool,
}

impl Usher {
    fn start(gate: &Arc<File>) -> io::Result<Arc<Self>> {
        let usher = Arc::new(Self { errand: Mutex::default(), bell: Condvar::new() });
        let (worker, gate) = (Arc::clone(&usher), Arc::clone(gate));
        // Nobody waits for its end: it may be stuck for as long as another process is.
        thread::Builder::new().name("passes-usher".to_owned()).spawn(move || worker.work(&gate))?;
        Ok(usher)
    }

    fn work(&self, gate: &File) {
        let mut errand = lock(&self.errand);
        while !errand.dismissed {
            if !errand.wanted || errand.done.is_some() {
                errand = self.bell.wait(errand).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            errand.at_gate = true;
            drop(errand);
            let done = locked(gate);
            errand = lock(&self.errand);
            errand.at_gate = false;
            if errand.wanted && !errand.dismissed {
                errand.done = Some(done);
                // Who is woken finds the errand unlocked, and needn't sleep again.
                drop(errand);
                self.bell.notify_all();
                errand = lock(&self.errand);
            } else if done.is_ok() {
                // It comes too late. What could fail here ends with the file's being closed, too.
                drop(gate.unlock());
            }
        }
    }

    /// Has the gate waited for. Tells whether it came in time; if not the usher stays there, and has the better
    /// place when it is asked again.
    fn wait(&self, patience: Duration) -> io::Result<bool> {
        lock(&self.errand).wanted = true;
        self.bell.notify_all();
        let errand = lock(&self.errand);
        let waited = self.bell.wait_timeout_while(errand, patience, |errand| errand.done.is_none());
        let (mut errand, _) = waited.unwrap_or_else(PoisonError::into_inner);
        errand.wanted = false;
        errand.done.take().map_or(Ok(false), |done| done.map(|()| true))
    }
}

/// Opens a side file. One that isn't there is made, for everybody who may use the database and for nobody else.
fn beside(database: &Path, path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true);
    // Only what is new and our own is given another mode: what lies there may be a link to anything.
    match new_like(&fs::metadata(database)?, options.clone().create_new(true), path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        made => made,
    }
}

#[cfg(unix)]
fn new_like(database: &Metadata, options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    let mode = database.mode() & 0o777;
    let file = options.mode(mode).open(path)?;
    let made = file.metadata()?;
    // As SQLite does with its own: who opens it as the system's administrator must not lock out its owner. Others
    // may not give a file away, and needn't.
    if (made.uid(), made.gid()) != (database.uid(), database.gid()) {
        drop(fchown(&file, Some(database.uid()), Some(database.gid())));
    }
    if made.mode() & 0o777 != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(file)
}

#[cfg(not(unix))]
fn new_like(_: &Metadata, options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

/// Waits for a lock; a signal doesn't end the waiting.
fn locked(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Takes a lock if nobody has it.
fn tried(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Where a database is.
    fn place() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        fs::write(&path, "").unwrap();
        (folder, path)
    }

    const LONG: Duration = Duration::from_secs(60);

    /// D-3: who waits too long for a turn gives up, and comes in again once the other has left; a turn that comes
    /// too late is let go.
    #[test]
    fn waiting_ends_when_the_other_is_stopped() {
        let (_folder, path) = place();
        let mut stopped = Turnstile::open(&path, LONG).unwrap();
        let mut one = Turnstile::open(&path, Duration::from_millis(20)).unwrap();
        // Its usher has the gate, behind which the next one waits.
        let mut next = Turnstile::open(&path, Duration::from_millis(20)).unwrap();
        for _ in 0..3 {
            stopped.enter().unwrap();
            for _ in 0..3 {
                assert!(matches!(one.enter(), Err(StoreError::Transient(_))));
                assert!(matches!(next.enter(), Err(StoreError::Transient(_))));
            }
            stopped.leave();
            while one.enter().is_err() {
                thread::yield_now();
            }
            one.leave();
            while next.enter().is_err() {
                thread::yield_now();
            }
            next.leave();
        }
        // One that is gone while its usher waits keeps nobody out.
        stopped.enter().unwrap();
        assert!(one.enter().is_err());
        drop(one);
        stopped.leave();
        next.patience = LONG;
        while next.enter().is_err() {
            thread::yield_now();
        }
    }

    /// two holders of one turnstile are never in it at once, and each comes again and again.
    #[test]
    fn only_one_is_inside_and_nobody_starves() {
        let (_folder, path) = place();
        let inside = AtomicU32::new(0);
        let turns = [AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)];
        std::thread::scope(|scope| {
            for mine in &turns {
                scope.spawn(|| {
                    let mut turnstile = Turnstile::open(&path, LONG).unwrap();
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

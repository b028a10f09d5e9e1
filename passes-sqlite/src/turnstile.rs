//! Taking turns with other processes at the same file.
//!
//! SQLite's own waiting is a race in which somebody can lose for seconds. Two side files make a queue of it:
//! whoever waits for the lock holds the gate, so that nobody overtakes; and a process that had the lock a
//! moment ago may take it again for a while, because handing it over costs more than a short command.
//!
//! A file lock can't be waited for with a deadline, and whoever holds one may be stopped (`SIGSTOP`, a debugger).
//! So who has to wait has a thread of its own, the usher, wait for the lock, and gives up after a while.

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

/// The lock, and the gate before it.
struct Files {
    lock: File,
    gate: File,
}

impl Files {
    /// Waits for the gate and behind it for the lock.
    fn queue(&self) -> io::Result<()> {
        locked(&self.gate)?;
        let locked = locked(&self.lock);
        let opened = self.gate.unlock();
        locked?;
        opened.inspect_err(|_| self.leave())
    }

    /// Takes the lock if nobody has it and nobody waits for it.
    fn try_queue(&self) -> io::Result<bool> {
        if !tried(&self.gate)? {
            return Ok(false);
        }
        let had = tried(&self.lock);
        let opened = self.gate.unlock();
        let had = had?;
        opened.map(|()| had).inspect_err(|_| self.leave())
    }

    fn leave(&self) {
        // What could fail here is the file's being closed, which ends the turn, too.
        drop(self.lock.unlock());
    }
}

/// The turns of one store.
pub(crate) struct Turnstile {
    files: Arc<Files>,
    since: Option<Instant>,
    groups: u32,
    /// How long a turn is waited for.
    patience: Duration,
    /// There is none until somebody else has the lock.
    usher: Option<Arc<Usher>>,
    /// The usher still waits for a turn that is given up. Nobody else may touch the files then: a lock belongs to
    /// an open file, not to a thread.
    late: bool,
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
        let files = Arc::new(Files { lock: side(".lock")?, gate: side(".gate")? });
        Ok(Self { files, since: None, groups: 0, patience, usher: None, late: false })
    }

    /// Waits until it is this process's turn. Whoever holds the turnstile ends the turn by [`Self::leave`].
    ///
    /// # Errors
    /// [`StoreError::Transient`] when it takes too long, and at once as long as such a turn has not come.
    pub(crate) fn enter(&mut self) -> Result<(), StoreError> {
        if self.late {
            self.late = self.usher.as_ref().is_some_and(|usher| usher.is_late());
        }
        if self.late {
            return Err(stuck());
        }
        self.groups = self.groups.saturating_add(1);
        let in_grip = self.groups <= GROUPS && self.since.is_some_and(|since| since.elapsed() < GRIP);
        if in_grip && self.files.lock.try_lock().is_ok() {
            return Ok(());
        }
        let entered =
            self.queue().map_err(|error| of_file("the lock beside the database can't be taken", &error))?;
        if !entered {
            self.late = true;
            return Err(stuck());
        }
        self.since = Some(Instant::now());
        self.groups = 0;
        Ok(())
    }

    /// Tells whether the turn came in time.
    fn queue(&mut self) -> io::Result<bool> {
        if self.files.try_queue()? {
            return Ok(true);
        }
        let usher = match &self.usher {
            Some(usher) => usher,
            None => self.usher.insert(Usher::start(&self.files)?),
        };
        usher.wait(self.patience).map_or(Ok(false), |waited| waited.map(|()| true))
    }

    /// Ends the turn.
    pub(crate) fn leave(&self) {
        self.files.leave();
    }
}

impl Drop for Turnstile {
    fn drop(&mut self) {
        if let Some(usher) = &self.usher {
            usher.dismiss();
        }
    }
}

fn stuck() -> StoreError {
    StoreError::Transient("another process has the database and doesn't give it back".to_owned())
}

/// What the usher is to do, or has done.
enum Errand {
    None,
    /// To wait for a turn.
    Wanted,
    /// It has waited.
    Done(io::Result<()>),
    /// Nobody wants the turn any more: if it comes, it is let go.
    Late,
    /// There is nobody left to wait for.
    Dismissed,
}

/// The thread that waits for a turn.
struct Usher {
    errand: Mutex<Errand>,
    bell: Condvar,
}

impl Usher {
    fn start(files: &Arc<Files>) -> io::Result<Arc<Self>> {
        let usher = Arc::new(Self { errand: Mutex::new(Errand::None), bell: Condvar::new() });
        let (worker, files) = (Arc::clone(&usher), Arc::clone(files));
        // Nobody waits for its end: it is stuck for as long as another process is.
        thread::Builder::new().name("passes-usher".to_owned()).spawn(move || worker.work(&files))?;
        Ok(usher)
    }

    fn work(&self, files: &Files) {
        let mut errand = lock(&self.errand);
        loop {
            match *errand {
                Errand::Wanted => {
                    drop(errand);
                    let waited = files.queue();
                    errand = lock(&self.errand);
                    if matches!(*errand, Errand::Wanted) {
                        *errand = Errand::Done(waited);
                        self.bell.notify_all();
                    } else if waited.is_ok() {
                        files.leave();
                    }
                }
                Errand::Late => *errand = Errand::None,
                Errand::Dismissed => return,
                Errand::None | Errand::Done(_) => {
                    errand = self.bell.wait(errand).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Has a turn waited for. Nothing if it doesn't come in time.
    fn wait(&self, patience: Duration) -> Option<io::Result<()>> {
        let mut errand = lock(&self.errand);
        *errand = Errand::Wanted;
        self.bell.notify_all();
        let waited =
            self.bell.wait_timeout_while(errand, patience, |errand| matches!(errand, Errand::Wanted));
        let (mut errand, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *errand, Errand::None) {
            Errand::Done(waited) => Some(waited),
            _ => {
                *errand = Errand::Late;
                None
            }
        }
    }

    fn is_late(&self) -> bool {
        matches!(*lock(&self.errand), Errand::Late)
    }

    fn dismiss(&self) {
        *lock(&self.errand) = Errand::Dismissed;
        self.bell.notify_all();
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

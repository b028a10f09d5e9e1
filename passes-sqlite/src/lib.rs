//! The embedded store of Passes: one SQLite file, for many threads and many processes.
//!
//! ```
//! use passes_core::id::BusinessId;
//! use passes_core::store::{Load, Store, wait};
//! use passes_sqlite::Sqlite;
//!
//! # let folder = tempfile::tempdir().map_err(|e| passes_core::store::StoreError::Backend(e.to_string()))?;
//! # let path = folder.path().join("shop.db");
//! let store = Sqlite::open(&path)?;
//! let mut load = Load::new(BusinessId::STORE);
//! load.key = Some([7; 16]);
//! assert!(wait(store.load(&load))?.replay.is_none());
//! # Ok::<(), passes_core::store::StoreError>(())
//! ```
//!
//! # What it promises
//!
//! - *Nothing is answered before it is on the disk.* Every commit is synced (`synchronous=FULL`, and
//!   `fullfsync` on Apple's systems). A command lands whole or not at all.
//! - *One writer.* Commands queue; whoever leads runs load, decide and commit for all that wait in one
//!   transaction, so nothing conflicts and one sync serves many. A caller inside
//!   [`wait`](passes_core::store::wait) leads its own command when nobody else does; one in an executor is served
//!   by a thread of the store and woken, and never blocks.
//! - *Several processes* may open the same file. They take turns on two side files, `<file>.lock` and
//!   `<file>.gate`, which stay empty and must not be deleted while the store is open. One that is stopped in the
//!   middle of its turn keeps the others waiting, but not for ever: [`Options::lock_timeout`].
//!   [`Options::single_process`] saves all that where only one process ever opens the file.
//! - *Readers* see one moment, and neither wait for the writer nor hold it up. One that takes long (an audit)
//!   keeps the log from beginning anew as long as it reads.
//! - *The log* (`<file>-wal`) is brought back into the file by a thread of its own; see [`Options::checkpoint`].
//!   When the file can't be synced then, nobody knows what of it is on the disk: the log is kept and grows until
//!   every process has closed the file, and whoever opens it next brings all of it in. [`Sqlite::keeps_log`] tells.
//!
//! Whatever symbolic links lead to it, it is one file, with one log and one pair of side files. Hard links are not
//! followed: by two of its own names a file is two, and two processes that have it so destroy it.
//!
//! On Unix its log and its side files have the mode and the owner of the file itself; it is made with those that the
//! process gives new files (its umask). It holds customers' data. To keep it from other users of the machine, make an
//! empty file of the right mode first (`install -m 600 /dev/null shop.db`), or put it into a folder of that kind.
//!
//! The file belongs on a local disk: locks and shared memory over a network are not to be trusted. Copy it while
//! it is open only by SQLite's own means (`VACUUM INTO`, `.backup`), or close the store first.
//!
//! A store is not carried into a forked process: its threads stay behind, and SQLite's locks are not the child's.
//! A server that forks its workers opens the store in each of them, after the fork, and so does whoever uses
//! `multiprocessing` or daemonizes. No path has parameters, either: a `?` in it is part of the name.
//!
//! SQLite as it is bundled calls `fsync`. Where `fdatasync` will do (Linux), a build with
//! `LIBSQLITE3_FLAGS=-DHAVE_FDATASYNC=1` in its environment saves a write of the file's metadata at each commit.

mod apply;
mod audit;
mod checkpoint;
mod codec;
mod connection;
mod errors;
mod fill;
mod page;
mod plan;
mod queue;
mod quiet;
mod read;
mod readers;
mod schema;
mod slot;
mod sync;
mod turnstile;
mod writer;

use checkpoint::Gauge;
use connection::{Db, FULL, Place};
use errors::{Fault, of_file};
use passes_core::id::BusinessId;
use passes_core::store::{
    After, Answer, Auditor, Change, Chunk, Command, Fut, Load, Loaded, Page, PageQuery, Store, StoreError,
    StoredOperation, may_block,
};
use queue::Queue;
use quiet::Quiet;
use readers::Readers;
use slot::{Slot, lock};
use std::fmt;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;
use turnstile::Turnstile;
use writer::{Done, Outcome, Task, Work, Writer};

/// How a store is opened. Made by [`Sqlite::options`].
///
/// ```
/// # let folder = tempfile::tempdir().map_err(|e| passes_core::store::StoreError::Backend(e.to_string()))?;
/// # let path = folder.path().join("shop.db");
/// let store = passes_sqlite::Sqlite::options().single_process(true).readers(1).open(&path)?;
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    single_process: bool,
    readers: usize,
    step: u32,
    restart_at: u32,
    lock_timeout: Duration,
    max_pages: Option<u32>,
    vfs: Option<String>,
    synchronous: u8,
}

impl Options {
    /// Whether only this process ever opens the file, which saves taking turns with others: some microseconds a
    /// command. If another one does so all the same nothing is lost, but somebody may wait for seconds. By
    /// default false.
    #[must_use]
    pub fn single_process(mut self, single: bool) -> Self {
        self.single_process = single;
        self
    }

    /// How many threads read for callers that must not block; at least one, by default two. Audits have one more for
    /// themselves, on which they go one after the other.
    #[must_use]
    pub fn readers(mut self, threads: usize) -> Self {
        self.readers = threads.max(1);
        self
    }

    /// After how many pages (of 4 KiB) in the log they are brought into the file, by default 4,000; and from which
    /// length on the writers pause for a moment so that the log begins anew, by default 4,000: 16 MiB, beyond
    /// which the log grows only while it is being read for long.
    #[must_use]
    pub fn checkpoint(mut self, step: u32, restart_at: u32) -> Self {
        self.step = step.max(1);
        self.restart_at = restart_at;
        self
    }

    /// How long commands wait for another process that has the file and doesn't give it back, because it was stopped,
    /// say; by default 30 seconds. Then they are told [`StoreError::Transient`], and nothing of them is done.
    /// Whoever comes later is told so after a second, until the file is free again. Opening waits no longer, either,
    /// and [`Sqlite::close`] at most as long.
    #[must_use]
    pub fn lock_timeout(mut self, time: Duration) -> Self {
        self.lock_timeout = time;
        self
    }

    /// Refuses to let the file grow beyond so many pages, as a full disk would. For tests.
    #[doc(hidden)]
    #[must_use]
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// Opens the file on a file system that SQLite knows by this name. For tests.
    #[doc(hidden)]
    #[must_use]
    pub fn vfs(mut self, name: &str) -> Self {
        self.vfs = Some(name.to_owned());
        self
    }

    /// Syncs less than it takes to keep what was answered: SQLite's `synchronous` as a number, 1 for NORMAL and 0
    /// for OFF. For tests that must find something lost.
    #[doc(hidden)]
    #[must_use]
    pub fn synchronous_for_tests(mut self, level: u8) -> Self {
        self.synchronous = level;
        self
    }

    /// Opens the file, makes it if need be, and brings it to the newest format.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] if a newer version of this library wrote it, [`StoreError::Corrupt`] if it is
    /// no database of Passes or damaged, [`StoreError::Full`] if there is no room, [`StoreError::Transient`] if
    /// another process has the file for longer than [`Options::lock_timeout`], [`StoreError::Backend`] for what else
    /// the operating system says, such as a folder that isn't there.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, StoreError> {
        // Absolute, so that it stays the same file, and no name means anything special to SQLite.
        let path = std::path::absolute(path.as_ref()).map_err(|error| of_file("the path", &error))?;
        let (vfs, synchronous) = (self.vfs.clone(), self.synchronous);
        let place = Place { path, vfs, synchronous, keeps_log: Arc::default() };
        // Before anything is made beside it. What this opens stays open until the writer's connection is: the last
        // one that is closed brings the log into the file, and that is not to be done out of turn.
        let judged = connection::judge(&place)?;
        let place = Place { path: real(&place.path)?, ..place };
        let path = place.path.clone();
        let mut turnstile =
            if self.single_process { None } else { Some(Turnstile::open(&path, self.lock_timeout)?) };
        if let Some(turnstile) = &mut turnstile {
            turnstile.enter()?;
        }
        let db = self.prepare(&place);
        drop(judged);
        if let Some(turnstile) = &turnstile {
            turnstile.leave();
        }
        let mut db = db?;
        let gauge = Gauge::new(self.step, self.restart_at);
        gauge.watch(&mut db)?;
        let checkpointer = Db::for_writing(&place)?;
        let inner = Arc::new(Inner {
            queue: Queue::new(Writer::new(db, turnstile)),
            readers: Readers::new(place.clone()),
            audits: Readers::new(place),
            quiet: Arc::default(),
            gauge,
            path,
        });
        let sqlite = Sqlite { inner, threads: Mutex::default() };
        sqlite.spawn("passes-writer", |inner| inner.queue.work())?;
        sqlite.spawn("passes-checkpoint", move |inner| inner.gauge.work(&checkpointer, &inner.queue))?;
        sqlite.spawn("passes-audit", |inner| inner.audits.work())?;
        for _ in 0..self.readers {
            sqlite.spawn("passes-reader", |inner| inner.readers.work())?;
        }
        Ok(sqlite)
    }

    /// The connection of the writer, to a file in the newest format.
    fn prepare(&self, place: &Place) -> Result<Db, Fault> {
        let db = Db::for_writing(place)?;
        schema::migrate(&db.sql)?;
        if let Some(pages) = self.max_pages {
            db.sql.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))?;
        }
        Ok(db)
    }
}

/// The path by which everybody knows the file, whatever links lead to it: all must meet at the same side files.
fn real(path: &Path) -> Result<PathBuf, StoreError> {
    if cfg!(windows) {
        // There it would become one that SQLite doesn't take.
        return Ok(path.to_owned());
    }
    path.canonicalize().map_err(|error| of_file("the path", &error))
}

struct Inner {
    queue: Queue<Writer>,
    readers: Readers,
    /// Apart, so that nobody who asks for little waits for one.
    audits: Readers,
    quiet: Arc<Quiet>,
    gauge: Arc<Gauge>,
    path: PathBuf,
}

/// A store in an SQLite file. See the [crate's page](crate).
///
/// It is used by all threads of a process at once, by reference or in an [`Arc`]. Dropping it closes it.
pub struct Sqlite {
    inner: Arc<Inner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Sqlite {
    /// Opens the file, makes it if need be, and brings it to the newest format.
    ///
    /// # Errors
    /// Those of [`Options::open`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().map_err(|e| passes_core::store::StoreError::Backend(e.to_string()))?;
    /// # let path = folder.path().join("shop.db");
    /// let store = passes_sqlite::Sqlite::open(&path)?;
    /// assert!(path.exists());
    /// # Ok::<(), passes_core::store::StoreError>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// How to open a file, to be changed.
    #[must_use]
    pub fn options() -> Options {
        Options {
            single_process: false,
            readers: 2,
            step: 4_000,
            restart_at: 4_000,
            lock_timeout: Duration::from_secs(30),
            max_pages: None,
            vfs: None,
            synchronous: FULL,
        }
    }

    /// Where the file is, once links are followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Closes the store: what is being written is finished, who still waits gets [`StoreError::Closed`], and so
    /// does whoever comes later. When no other process has the file open, its log is brought into it.
    ///
    /// ```
    /// use passes_core::store::{Load, Store, StoreError, wait};
    /// # let folder = tempfile::tempdir().map_err(|e| StoreError::Backend(e.to_string()))?;
    /// # let path = folder.path().join("shop.db");
    /// let store = passes_sqlite::Sqlite::open(&path)?;
    /// store.close();
    /// let load = Load::new(passes_core::id::BusinessId::STORE);
    /// assert_eq!(wait(store.load(&load)).err(), Some(StoreError::Closed));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn close(&self) {
        self.inner.gauge.close();
        self.inner.queue.close();
        self.inner.readers.close();
        self.inner.audits.close();
        let threads = std::mem::take(&mut *lock(&self.threads));
        // The last handle may be dropped by one of the store's own threads, which then ends by itself. One that
        // panicked has told so already.
        let me = std::thread::current().id();
        threads
            .into_iter()
            .filter(|thread| thread.thread().id() != me)
            .for_each(|thread| drop(thread.join()));
        // The writer's connection goes last: the last one brings the log into the file.
        self.inner.queue.end();
    }

    /// How many groups of commands were begun so far: with many callers, far fewer than commands.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.inner.queue.groups()
    }

    /// How many pages were written to the log so far. While other processes write, theirs count, too.
    #[must_use]
    pub fn wal_pages(&self) -> u64 {
        self.inner.gauge.written()
    }

    /// How many pages the log had after the last commit.
    #[must_use]
    pub fn wal_length(&self) -> u32 {
        self.inner.gauge.length()
    }

    /// Whether the file couldn't be synced, so that the log is kept and grows. Nothing is lost. When the disk is well
    /// again, close the store in every process, and open it.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().map_err(|e| passes_core::store::StoreError::Backend(e.to_string()))?;
    /// let store = passes_sqlite::Sqlite::open(folder.path().join("shop.db"))?;
    /// assert!(!store.keeps_log());
    /// # Ok::<(), passes_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn keeps_log(&self) -> bool {
        self.inner.readers.place().keeps_log.load(Ordering::Relaxed)
    }

    fn spawn(&self, name: &str, work: impl FnOnce(&Inner) + Send + 'static) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&inner));
        let thread = thread.map_err(|error| of_file("a thread can't be started", &error))?;
        lock(&self.threads).push(thread);
        Ok(())
    }

    async fn submit(&self, work: impl IntoIterator<Item = Work>) -> Result<Vec<Outcome>, StoreError> {
        self.inner.queue.submit(work.into_iter().map(Task::new).collect()).await
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

/// The outcome of work of which there was one.
fn single(outcomes: Vec<Outcome>) -> Outcome {
    outcomes.into_iter().next().unwrap_or_else(|| Err(mismatch()))
}

fn mismatch() -> StoreError {
    StoreError::Backend("work was answered with another's outcome".to_owned())
}

fn answer(outcome: Outcome) -> Result<Answer, StoreError> {
    match outcome? {
        Done::Answer(answer) => Ok(answer),
        Done::After(_) | Done::Checkpointed => Err(mismatch()),
    }
}

fn after(outcome: Outcome) -> Result<After, StoreError> {
    match outcome? {
        Done::After(after) => Ok(after),
        Done::Answer(_) | Done::Checkpointed => Err(mismatch()),
    }
}

impl Store for Sqlite {
    /// Everything is written one thing after the other.
    fn slots(&self) -> u16 {
        1
    }

    fn run(&self, command: Command) -> Fut<'_, Answer> {
        Box::pin(async move { answer(single(self.submit([Work::Run(command)]).await?)) })
    }

    fn run_all(&self, commands: Vec<Command>) -> Fut<'_, Vec<Result<Answer, StoreError>>> {
        Box::pin(async move {
            let work = commands.into_iter().map(Work::Run);
            Ok(self.submit(work).await?.into_iter().map(answer).collect())
        })
    }

    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        let load = load.clone();
        Box::pin(self.inner.readers.read(move |db| db.load(&load)))
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(async move {
            let work = changes.iter().cloned().map(|change| Work::Commit(Box::new(change)));
            Ok(self.submit(work).await?.into_iter().map(after).collect())
        })
    }

    fn pause(&self, time: Duration) -> Fut<'_, ()> {
        let mut slot: Option<Arc<Slot<()>>> = None;
        Box::pin(poll_fn(move |context| {
            if may_block() {
                std::thread::sleep(time);
                return Poll::Ready(Ok(()));
            }
            let slot = slot.get_or_insert_with(|| {
                let slot = Arc::new(Slot::new());
                let over = Arc::clone(&slot);
                let sleep = move || {
                    std::thread::sleep(time);
                    over.fill(());
                };
                if std::thread::Builder::new().spawn(sleep).is_err() {
                    // No thread, no pause: going on at once is allowed.
                    slot.fill(());
                }
                slot
            });
            slot.poll(context).map(Ok)
        }))
    }

    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        Box::pin(async move { after(single(self.submit([Work::Fill(Box::new(chunk.clone()))]).await?)) })
    }

    fn page<'a>(&'a self, query: &'a PageQuery) -> Fut<'a, Page> {
        let query = query.clone();
        let quiet = Arc::clone(&self.inner.quiet);
        Box::pin(self.inner.readers.read(move |db| match query {
            PageQuery::Operations { business, after, limit } => {
                Ok(Page { operations: quiet.events(db, business, after, limit)?, ..Page::default() })
            }
            query => db.page(&query),
        }))
    }

    fn events(&self, business: BusinessId, after: u64, limit: u32) -> Fut<'_, Vec<Arc<StoredOperation>>> {
        let quiet = Arc::clone(&self.inner.quiet);
        Box::pin(self.inner.readers.read(move |db| quiet.events(db, business, after, limit)))
    }

    fn audit(&self, business: BusinessId, mut each: Auditor) -> Fut<'_, ()> {
        Box::pin(self.inner.audits.read(move |db| db.audit(business, &mut each)))
    }

    fn ledger(&self, business: BusinessId, after: u64, mut each: Auditor) -> Fut<'_, ()> {
        Box::pin(self.inner.readers.read(move |db| db.ledger(business, after, &mut each)))
    }
}

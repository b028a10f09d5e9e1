//! A file system for SQLite in tests. It stands between SQLite and the real files, and
//!
//! - *counts* reads, writes, bytes and syncs, by the kind of file, and commits' syncs apart from checkpoints';
//! - *delays* each sync, so that a test or a bench is not at the mercy of its machine's disk;
//! - *fails* the n-th write, sync, truncation or read, once or until that is cleared;
//! - *loses* what was not synced: at any moment it tells what a power cut might leave on the disk, torn pages
//!   included, while the program runs on.
//!
//! Each [`Vfs`] has a name of its own and knows nothing of the others, so that tests run side by side.
//!
//! ```
//! use rusqlite::{Connection, OpenFlags};
//! use test_vfs::{Failure, Fault, FileKind, Op, Point, Vfs};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let vfs = Vfs::with_power_cuts()?;
//! let path = folder.path().join("shop.db");
//! let sql = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), vfs.name())?;
//! sql.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE sale(n); PRAGMA synchronous = FULL")?;
//!
//! let before = vfs.counts();
//! sql.execute("INSERT INTO sale VALUES (1)", [])?;
//! assert_eq!(vfs.counts().since(&before).commit_syncs, 1);
//!
//! vfs.fail(Fault::at(Point::new(FileKind::Wal, Op::CommitSync), Failure::Io));
//! assert!(sql.execute("INSERT INTO sale VALUES (2)", []).is_err());
//!
//! // The sale that was answered is there whatever the disk did last.
//! let image = folder.path().join("after the power cut");
//! vfs.cut().lose_all(&image)?;
//! let found = Connection::open(image.join("shop.db"))?;
//! assert_eq!(found.query_row("SELECT n FROM sale", [], |row| row.get::<_, i64>(0))?, 1);
//! # Ok(()) }
//! ```
//!
//! # Limits
//!
//! It passes everything on to SQLite's own file system of the platform, shared memory and locks too. Memory-mapped
//! reading is off, so that no read goes past it. What other programs, or connections on another file system, do to
//! the files is not seen: a file that is watched for power cuts belongs to one `Vfs`.

mod counts;
mod cut;
mod plans;
mod shadow;
mod shim;

pub use counts::{Counts, Traffic};
pub use cut::Cut;
pub use plans::{Failure, Fault, FileKind, Op, Point};

use counts::Meters;
use plans::Plans;
use shadow::Shadows;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A file system for SQLite that a test controls. See the [crate's page](crate).
///
/// Clones are the same one. It is gone when the last of them is and no file is open on it; a connection that is
/// opened later finds none of its name.
#[derive(Clone)]
pub struct Vfs(Arc<Inner>);

struct Inner {
    name: String,
    meters: Meters,
    plans: Plans,
    /// In nanoseconds.
    delay: AtomicU64,
    real_syncs: AtomicBool,
    shadows: Option<Mutex<Shadows>>,
    registered: shim::Registered,
}

impl Vfs {
    /// One that counts, delays and fails. It costs some atomic additions an operation, so it serves benches, too.
    ///
    /// # Errors
    /// SQLite's, when it can't take it.
    ///
    /// ```
    /// let (one, other) = (test_vfs::Vfs::new()?, test_vfs::Vfs::new()?);
    /// assert_ne!(one.name(), other.name());
    /// # Ok::<(), rusqlite::Error>(())
    /// ```
    pub fn new() -> rusqlite::Result<Self> {
        Self::register(None)
    }

    /// One that also keeps, in memory, what would survive a power cut. What it syncs it doesn't really sync
    /// ([`Vfs::sync_really`]), for nobody is going to cut the power.
    ///
    /// # Errors
    /// SQLite's, when it can't take it.
    pub fn with_power_cuts() -> rusqlite::Result<Self> {
        let vfs = Self::register(Some(Mutex::default()))?;
        vfs.sync_really(false);
        Ok(vfs)
    }

    fn register(shadows: Option<Mutex<Shadows>>) -> rusqlite::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let name = format!("test-vfs-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let inner = Arc::new(Inner {
            name,
            meters: Meters::default(),
            plans: Plans::default(),
            delay: AtomicU64::new(0),
            real_syncs: AtomicBool::new(true),
            shadows,
            registered: shim::Registered::default(),
        });
        shim::register(&inner)?;
        Ok(Self(inner))
    }

    /// The name by which a connection is opened on it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What was done so far. Subtract an earlier count by [`Counts::since`].
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.meters.read()
    }

    /// Makes each sync, of whatever file, take this much longer. The thread sleeps.
    ///
    /// ```
    /// let vfs = test_vfs::Vfs::new()?;
    /// vfs.delay_syncs(std::time::Duration::from_millis(1));
    /// # Ok::<(), rusqlite::Error>(())
    /// ```
    pub fn delay_syncs(&self, by: Duration) {
        self.0.delay.store(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether a sync is passed on to the machine's disk. Without it a sync takes the time of
    /// [`Vfs::delay_syncs`] and none of the disk's.
    pub fn sync_really(&self, really: bool) {
        self.0.real_syncs.store(really, Ordering::Relaxed);
    }

    /// Lets an operation fail.
    pub fn fail(&self, fault: Fault) {
        self.0.plans.fail(fault);
    }

    /// Takes back all faults that were asked for and are not over.
    pub fn clear_faults(&self) {
        self.0.plans.clear_faults();
    }

    /// How many operations failed because they were to.
    #[must_use]
    pub fn faults_met(&self) -> u64 {
        self.0.plans.failed()
    }

    /// Runs something in the middle of an operation, on its thread: when a write is done and not yet answered,
    /// when a sync has begun and nothing of it is certain. It must not panic.
    ///
    /// ```
    /// # fn main() -> rusqlite::Result<()> {
    /// use std::sync::mpsc;
    /// use test_vfs::{FileKind, Op, Point, Vfs};
    /// let vfs = Vfs::with_power_cuts()?;
    /// let (send, cuts) = mpsc::channel();
    /// let disk = vfs.clone();
    /// vfs.at(Point::new(FileKind::Wal, Op::Sync).nth(3), move || drop(send.send(disk.cut())));
    /// # Ok(()) }
    /// ```
    pub fn at(&self, point: Point, hook: impl FnOnce() + Send + 'static) {
        self.0.plans.call(point, Box::new(hook));
    }

    /// What is on the disk and what may be, at this moment, as to all files at once. Empty unless made by
    /// [`Vfs::with_power_cuts`].
    ///
    /// What a caller was answered before this is called must be in every image that is made of it.
    #[must_use]
    pub fn cut(&self) -> Cut {
        Cut::of(&self.0.shadows().map(|shadows| shadows.clone()).unwrap_or_default())
    }
}

impl std::fmt::Debug for Vfs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vfs").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl Inner {
    /// The shadows, locked, if there are any.
    fn shadows(&self) -> Option<MutexGuard<'_, Shadows>> {
        self.shadows.as_ref().map(|shadows| shadows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

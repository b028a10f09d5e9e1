//! What is counted.

use crate::{FileKind, Op};
use std::sync::atomic::{AtomicU64, Ordering};

/// What was done to the files of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Reads.
    pub reads: u64,
    /// Writes. A frame of the log is two of them: its header, its page.
    pub writes: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Truncations.
    pub truncates: u64,
    /// Syncs.
    pub syncs: u64,
}

/// What was done since the file system was made. See [`Vfs::counts`](crate::Vfs::counts).
///
/// The syncs of the log fall into three kinds, which add up to `wal.syncs`. They are told apart by what the same
/// connection wrote into the log since its last sync: frames, only the log's header, or nothing.
///
/// ```
/// use test_vfs::Counts;
/// let counts = Counts { commit_syncs: 7, restart_syncs: 1, ..Counts::default() };
/// let later = Counts { commit_syncs: 9, restart_syncs: 2, ..counts };
/// let between = later.since(&counts);
/// assert_eq!((between.commit_syncs, between.checkpoints()), (2, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The database.
    pub database: Traffic,
    /// The write-ahead log.
    pub wal: Traffic,
    /// Rollback journals and temporary files.
    pub other: Traffic,
    /// Syncs of the log for commits.
    pub commit_syncs: u64,
    /// Syncs of the log's header when it began anew, which is the price of a checkpoint and not of the commit in
    /// which it falls.
    pub restart_syncs: u64,
    /// Syncs of the log with which checkpoints begin.
    pub checkpoint_syncs: u64,
}

impl Counts {
    /// The syncs that come from checkpoints: of the database, and of the log before and after.
    #[must_use]
    pub fn checkpoints(&self) -> u64 {
        self.database.syncs + self.restart_syncs + self.checkpoint_syncs
    }

    /// What was done since an earlier count.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            database: self.database.since(&before.database),
            wal: self.wal.since(&before.wal),
            other: self.other.since(&before.other),
            commit_syncs: self.commit_syncs - before.commit_syncs,
            restart_syncs: self.restart_syncs - before.restart_syncs,
            checkpoint_syncs: self.checkpoint_syncs - before.checkpoint_syncs,
        }
    }
}

impl Traffic {
    fn since(&self, before: &Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            bytes: self.bytes - before.bytes,
            truncates: self.truncates - before.truncates,
            syncs: self.syncs - before.syncs,
        }
    }
}

#[derive(Default)]
struct Meter {
    reads: AtomicU64,
    writes: AtomicU64,
    bytes: AtomicU64,
    truncates: AtomicU64,
    syncs: AtomicU64,
}

impl Meter {
    fn read(&self) -> Traffic {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic {
            reads: get(&self.reads),
            writes: get(&self.writes),
            bytes: get(&self.bytes),
            truncates: get(&self.truncates),
            syncs: get(&self.syncs),
        }
    }
}

/// Counts that many threads add to.
#[derive(Default)]
pub(crate) struct Meters {
    database: Meter,
    wal: Meter,
    other: Meter,
    commit_syncs: AtomicU64,
    restart_syncs: AtomicU64,
    checkpoint_syncs: AtomicU64,
}

impl Meters {
    pub(crate) fn count(&self, file: FileKind, op: Op, bytes: u64) {
        let meter = match file {
            FileKind::Database => &self.database,
            FileKind::Wal => &self.wal,
            FileKind::Other => &self.other,
        };
        let add = |to: &AtomicU64, n| to.fetch_add(n, Ordering::Relaxed);
        match op {
            Op::Read => add(&meter.reads, 1),
            Op::Write => {
                add(&meter.bytes, bytes);
                add(&meter.writes, 1)
            }
            Op::Truncate => add(&meter.truncates, 1),
            Op::Sync => add(&meter.syncs, 1),
            Op::CommitSync => add(&meter.syncs, 1) + add(&self.commit_syncs, 1),
            Op::RestartSync => add(&meter.syncs, 1) + add(&self.restart_syncs, 1),
            Op::CheckpointSync => add(&meter.syncs, 1) + add(&self.checkpoint_syncs, 1),
            Op::Grow => 0,
        };
    }

    pub(crate) fn read(&self) -> Counts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            database: self.database.read(),
            wal: self.wal.read(),
            other: self.other.read(),
            commit_syncs: get(&self.commit_syncs),
            restart_syncs: get(&self.restart_syncs),
            checkpoint_syncs: get(&self.checkpoint_syncs),
        }
    }
}

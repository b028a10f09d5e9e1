//! What is to happen at which operation.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a file is to SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The database.
    Database,
    /// The write-ahead log.
    Wal,
    /// A rollback journal, a temporary file.
    Other,
}

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A read.
    Read,
    /// A write.
    Write,
    /// A truncation.
    Truncate,
    /// A sync, of whatever kind.
    Sync,
    /// A sync of the log for a commit.
    CommitSync,
    /// A sync of the log's header when it begins anew.
    RestartSync,
    /// A sync of the log with which a checkpoint begins.
    CheckpointSync,
    /// The shared memory beside the log, which counts to the database, is made or grows.
    Grow,
}

impl Op {
    /// Whether an operation is one of this kind.
    fn takes(self, done: Self) -> bool {
        let syncs = [Self::CommitSync, Self::RestartSync, Self::CheckpointSync];
        self == done || self == Self::Sync && syncs.contains(&done)
    }
}

/// The n-th operation of a kind, counted from when this is handed to the file system.
///
/// ```
/// use test_vfs::{FileKind, Op, Point};
/// let third_commit = Point::new(FileKind::Wal, Op::CommitSync).nth(3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    file: FileKind,
    op: Op,
    nth: u64,
}

impl Point {
    /// The next one.
    #[must_use]
    pub fn new(file: FileKind, op: Op) -> Self {
        Self { file, op, nth: 1 }
    }

    /// The n-th one; the next is the first.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { nth: nth.max(1), ..self }
    }
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// With an I/O error, and nothing was done. When a sync fails like this, what it should have written is never
    /// written, by no later sync either, though it can still be read: so does Linux, which takes the pages for
    /// clean after it told the error. Who else has the file open gets the error at the next sync, too.
    Io,
    /// With an I/O error, though all was done.
    Late,
    /// Because the disk is full, and nothing was done. A sync fails as with [`Failure::Io`].
    Full,
    /// Because the disk is full, after the first half was done.
    Short,
}

/// An operation that fails, and how often.
///
/// ```
/// # fn main() -> rusqlite::Result<()> {
/// use test_vfs::{Failure, Fault, FileKind, Op, Point, Vfs};
/// let vfs = Vfs::new()?;
/// // Each write into the log from the second on, until it is cleared.
/// let writes = Point::new(FileKind::Wal, Op::Write).nth(2);
/// vfs.fail(Fault::at(writes, Failure::Full).until_cleared());
/// vfs.clear_faults();
/// assert_eq!(vfs.faults_met(), 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    point: Point,
    failure: Failure,
    times: u64,
}

impl Fault {
    /// Fails once.
    #[must_use]
    pub fn at(point: Point, failure: Failure) -> Self {
        Self { point, failure, times: 1 }
    }

    /// Fails there, and at the following operations of the kind, so often in all.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// Fails there and at each following operation of the kind until [`Vfs::clear_faults`](crate::Vfs::clear_faults).
    #[must_use]
    pub fn until_cleared(self) -> Self {
        self.times(u64::MAX)
    }
}

pub(crate) type Hook = Box<dyn FnOnce() + Send>;

enum Action {
    Fail(Failure),
    /// None once it was called.
    Call(Option<Hook>),
}

struct Plan {
    point: Point,
    times: u64,
    action: Action,
}

/// What an operation meets.
#[derive(Default)]
pub(crate) struct Met {
    pub(crate) failure: Option<Failure>,
    hooks: Vec<Hook>,
}

impl Met {
    /// Runs what was to be run in the middle of it.
    pub(crate) fn call(&mut self) {
        std::mem::take(&mut self.hooks).into_iter().for_each(|hook| hook());
    }
}

/// All that is planned.
#[derive(Default)]
pub(crate) struct Plans {
    /// Whether there is anything: most operations needn't look further.
    any: AtomicBool,
    list: Mutex<Vec<Plan>>,
    failed: AtomicU64,
}

impl Plans {
    fn list(&self) -> MutexGuard<'_, Vec<Plan>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, plan: Plan) {
        let mut list = self.list();
        list.push(plan);
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn fail(&self, fault: Fault) {
        let Fault { point, failure, times } = fault;
        self.add(Plan { point, times, action: Action::Fail(failure) });
    }

    pub(crate) fn call(&self, point: Point, hook: Hook) {
        self.add(Plan { point, times: 1, action: Action::Call(Some(hook)) });
    }

    pub(crate) fn clear_faults(&self) {
        let mut list = self.list();
        list.retain(|plan| matches!(plan.action, Action::Call(_)));
        self.any.store(!list.is_empty(), Ordering::Release);
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Tells what an operation meets, and counts it.
    pub(crate) fn meet(&self, file: FileKind, op: Op) -> Met {
        let mut met = Met::default();
        if !self.any.load(Ordering::Acquire) {
            return met;
        }
        let mut list = self.list();
        for plan in list.iter_mut().filter(|plan| plan.point.file == file && plan.point.op.takes(op)) {
            if plan.point.nth > 1 {
                plan.point.nth -= 1;
                continue;
            }
            plan.times = plan.times.saturating_sub(1);
            match &mut plan.action {
                Action::Fail(failure) => met.failure = met.failure.or(Some(*failure)),
                Action::Call(hook) => met.hooks.extend(hook.take()),
            }
        }
        list.retain(|plan| plan.times > 0);
        self.any.store(!list.is_empty(), Ordering::Release);
        if met.failure.is_some() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_fault_comes_at_its_point_and_so_often() {
        let plans = Plans::default();
        plans.fail(Fault::at(Point::new(FileKind::Wal, Op::Sync).nth(2), Failure::Io).times(2));
        let failures: Vec<_> =
            [Op::CommitSync, Op::Write, Op::CheckpointSync, Op::RestartSync, Op::CommitSync]
                .map(|op| plans.meet(FileKind::Wal, op).failure)
                .to_vec();
        assert_eq!(failures, [None, None, Some(Failure::Io), Some(Failure::Io), None]);
        assert_eq!(plans.failed(), 2);
        plans.fail(Fault::at(Point::new(FileKind::Database, Op::Read), Failure::Io).until_cleared());
        for _ in 0..3 {
            assert_eq!(plans.meet(FileKind::Database, Op::Read).failure, Some(Failure::Io));
            assert_eq!(plans.meet(FileKind::Wal, Op::Read).failure, None);
        }
        plans.clear_faults();
        assert_eq!(plans.meet(FileKind::Database, Op::Read).failure, None);
    }

    #[test]
    fn a_hook_is_called_once_and_outlives_the_faults() {
        let (plans, calls) = (Plans::default(), Arc::new(AtomicU64::new(0)));
        let called = Arc::clone(&calls);
        let hook = move || {
            called.fetch_add(1, Ordering::Relaxed);
        };
        plans.call(Point::new(FileKind::Wal, Op::Write).nth(3), Box::new(hook));
        plans.clear_faults();
        let counts: Vec<u64> = (0..5)
            .map(|_| {
                plans.meet(FileKind::Wal, Op::Write).call();
                calls.load(Ordering::Relaxed)
            })
            .collect();
        assert_eq!(counts, [0, 0, 1, 1, 1]);
    }
}

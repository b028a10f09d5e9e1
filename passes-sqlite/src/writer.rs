//! The one writer: a group of commands in one transaction.

use crate::apply::Numbers;
use crate::connection::{BUSY, Db};
use crate::errors::Fault;
use crate::queue::Group;
use crate::slot::guarded;
use crate::turnstile::Turnstile;
use passes_core::store::{After, Answer, Change, Chunk, Command, Decision, Loaded, StoreError, Verdict};
use rusqlite::MAIN_DB;
use rusqlite::wal::CheckpointMode;
use std::cell::Cell;
use std::time::Duration;

/// How long writers pause for the readers that keep the log from beginning anew.
const PATIENCE: Duration = Duration::from_millis(25);

/// What the writer is asked for.
pub(crate) enum Work {
    /// Load, decide, apply.
    Run(Command),
    /// Apply.
    Commit(Box<Change>),
    /// A chunk of a lot.
    Fill(Box<Chunk>),
    /// Bring the log back into the database while nobody writes.
    Checkpoint,
}

/// What came of it.
pub(crate) enum Done {
    Answer(Answer),
    After(After),
    Checkpointed,
}

pub(crate) type Outcome = Result<Done, StoreError>;

/// Work, and what is known of it beforehand.
pub(crate) struct Task {
    pub(crate) work: Work,
    /// Its decision panicked: it is not called again.
    broken: bool,
}

impl Task {
    pub(crate) fn new(work: Work) -> Self {
        Self { work, broken: false }
    }
}

/// Why a transaction went back.
enum Back {
    /// BEGIN or COMMIT failed: that is everybody's answer.
    All(StoreError),
    /// One of its members failed.
    Member(StoreError),
}

/// The connection that writes, and the turnstile before it.
pub(crate) struct Writer {
    db: Db,
    turnstile: Option<Turnstile>,
    /// A commit failed, and a crash may bring it back.
    doubt: Cell<bool>,
}

impl Group for Writer {
    type Task = Task;
    type Done = Done;

    const LARGEST: usize = 512;

    /// A transaction of its own, or none.
    fn is_alone(task: &Task) -> bool {
        matches!(task.work, Work::Fill(_) | Work::Checkpoint)
    }

    fn group(&mut self, tasks: &mut [Task]) -> Vec<Outcome> {
        if let Some(turnstile) = &mut self.turnstile
            && let Err(error) = turnstile.enter()
        {
            return tasks.iter().map(|_| Err(error.clone())).collect();
        }
        let turn = Turn(self);
        match tasks {
            [Task { work: Work::Fill(chunk), .. }] => vec![turn.0.fill(chunk).map(Done::After)],
            [Task { work: Work::Checkpoint, .. }] => vec![turn.0.checkpoint().map(|()| Done::Checkpointed)],
            tasks => turn.0.together(tasks),
        }
    }
}

/// A turn at the file, which ends with this, however that comes about.
struct Turn<'a>(&'a Writer);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Only a panic leaves a transaction open. The next group must not find it.
        if std::thread::panicking() {
            self.0.db.roll_back();
        }
        if let Some(turnstile) = &self.0.turnstile {
            turnstile.leave();
        }
    }
}

impl Writer {
    pub(crate) fn new(db: Db, turnstile: Option<Turnstile>) -> Self {
        Self { db, turnstile, doubt: Cell::new(false) }
    }

    /// All in one transaction; if a member fails, each in its own.
    fn together(&self, tasks: &mut [Task]) -> Vec<Outcome> {
        match self.transact(tasks) {
            Ok(outcomes) => outcomes,
            Err(Back::All(error)) => tasks.iter().map(|_| Err(error.clone())).collect(),
            Err(Back::Member(error)) if tasks.len() == 1 => vec![Err(error)],
            Err(Back::Member(_)) => tasks.chunks_mut(1).flat_map(|alone| self.together(alone)).collect(),
        }
    }

    fn transact(&self, tasks: &mut [Task]) -> Result<Vec<Outcome>, Back> {
        self.begin().map_err(Back::All)?;
        let mut numbers = None;
        let mut outcomes = Vec::with_capacity(tasks.len());
        for task in tasks {
            match self.member(task, &mut numbers) {
                Ok(outcome) => outcomes.push(outcome),
                Err(fault) => {
                    self.db.roll_back();
                    return Err(Back::Member(fault.into()));
                }
            }
        }
        self.commit().map_err(Back::All)?;
        Ok(outcomes)
    }

    fn begin(&self) -> Result<(), StoreError> {
        // Nobody is told anything on grounds that a crash may take away.
        self.settle()?;
        // Another process may have brought the file to a newer format, which this library would spoil.
        let begun = self.db.run("BEGIN IMMEDIATE").and_then(|()| self.db.still_known());
        if begun.is_err() {
            self.db.roll_back();
        }
        Ok(begun?)
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.db.run("COMMIT").map_err(|fault| {
            self.db.roll_back();
            let why = fault.to_string();
            match fault.of_commit() {
                StoreError::InDoubt => {
                    self.doubt.set(true);
                    if self.settle().is_ok() { StoreError::Transient(why) } else { StoreError::InDoubt }
                }
                told => told,
            }
        })
    }

    /// Makes an end of a commit in doubt. Readers don't see it, but its frames may be whole in the log, and then a
    /// crash would bring it back. The next commit writes over them: so does one that changes nothing.
    fn settle(&self) -> Result<(), Fault> {
        if !self.doubt.get() {
            return Ok(());
        }
        let settled = self.db.run("BEGIN IMMEDIATE").and_then(|()| {
            let version: i32 = self.db.statement("PRAGMA user_version")?.query_row([], |row| row.get(0))?;
            self.db.run(&format!("PRAGMA user_version = {version}"))?;
            self.db.run("COMMIT")
        });
        match &settled {
            Ok(()) => self.doubt.set(false),
            Err(_) => self.db.roll_back(),
        }
        settled
    }

    /// One member of a group. `Err` is a fault after which the whole transaction must go back; an outcome that is
    /// an error has written nothing.
    fn member(&self, task: &mut Task, numbers: &mut Option<Numbers>) -> Result<Outcome, Fault> {
        if task.broken {
            return Ok(Err(panicked()));
        }
        match &mut task.work {
            Work::Run(command) => {
                let loaded = match self.db.load(command.load()) {
                    Ok(loaded) => loaded,
                    // The damage is this member's. The others needn't do their work again for it.
                    Err(fault) if fault.is_unreadable() => return Ok(Err(fault.into())),
                    Err(fault) => return Err(fault),
                };
                // A panic is the caller's fault and must not become the others'.
                let Some(decision) = guarded(|| command.decide(&loaded)) else {
                    task.broken = true;
                    return Ok(Err(panicked()));
                };
                self.decided(decision, &loaded, numbers)
            }
            Work::Commit(change) => {
                let after = self.db.apply(change, None, numbers)?;
                Ok(after.map(Done::After).map_err(StoreError::from))
            }
            Work::Fill(_) | Work::Checkpoint => Ok(Err(StoreError::Backend("this is done alone".to_owned()))),
        }
    }

    fn decided(
        &self,
        decision: Decision,
        loaded: &Loaded,
        numbers: &mut Option<Numbers>,
    ) -> Result<Outcome, Fault> {
        let answer = match decision.verdict(loaded) {
            Ok(Verdict::Over(answer)) => Ok(answer),
            Ok(Verdict::Write(change, landed)) => {
                let after = self.db.apply(&change, Some(loaded), numbers)?;
                after.map(|after| landed.answer(after)).map_err(StoreError::from)
            }
            Err(error) => Err(error),
        };
        Ok(answer.map(Done::Answer))
    }

    fn fill(&self, chunk: &Chunk) -> Result<After, StoreError> {
        self.begin()?;
        match self.db.fill(chunk) {
            Ok(after) => self.commit().map(|()| after),
            Err(fault) => {
                self.db.roll_back();
                match fault.into() {
                    // Which they are is asked when this chunk's own are gone again.
                    StoreError::Taken(_) => Err(StoreError::Taken(self.db.taken(chunk)?)),
                    error => Err(error),
                }
            }
        }
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        // Unless this waits for the readers that still use the log there is always one where many read, and it never
        // begins anew. One that takes longer is not waited for: the next checkpoint tries again.
        let restarted = self
            .db
            .sql
            .busy_timeout(PATIENCE)
            .and_then(|()| self.db.sql.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::RESTART));
        let restored = self.db.sql.busy_timeout(BUSY);
        let restarted = restarted.map(drop).map_err(Fault::from);
        if let Err(fault) = &restarted {
            self.db.note(fault);
        }
        Ok(restored.map_err(Fault::from).and(restarted)?)
    }
}

fn panicked() -> StoreError {
    StoreError::Backend("the decision panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::migrate;
    use passes_core::id::BusinessId;
    use passes_core::store::{Add, Load, TallyKey};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn writer(folder: &tempfile::TempDir) -> Writer {
        let db = Db::for_writing(&folder.path().join("shop.db")).unwrap();
        migrate(&db.sql).unwrap();
        Writer::new(db, None)
    }

    fn counting(calls: &Arc<AtomicU32>) -> Task {
        let calls = Arc::clone(calls);
        let mut load = Load::new(BusinessId::STORE);
        load.tallies.push(TallyKey::Named([1; 16], 0));
        let decide = move |loaded: &Loaded| {
            calls.fetch_add(1, Ordering::Relaxed);
            let mut change = Change::new(BusinessId::STORE);
            let add = Add { limit: Some(9), ..Add::used(TallyKey::Named([1; 16], 0), 1) };
            change.tally.push(Add { from: loaded.tallies.first().map(|tally| tally.used), ..add });
            Decision::Refused(Vec::new(), Some(change.into()))
        };
        Task::new(Work::Run(Command::new(load, decide)))
    }

    fn used(writer: &Writer) -> i64 {
        let sum = "SELECT ifnull(sum(used),0) FROM tally";
        writer.db.sql.query_row(sum, [], |row| row.get(0)).unwrap()
    }

    /// D-3: when the commit fails everybody is told, nothing landed, and nothing is done again.
    #[test]
    fn a_failed_commit_is_everybodys_answer() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder);
        let calls = Arc::default();
        writer.db.sql.commit_hook(Some(|| true)).unwrap();
        let outcomes = writer.group(&mut [counting(&calls), counting(&calls)]);
        assert!(outcomes.iter().all(Result::is_err));
        assert_eq!((calls.load(Ordering::Relaxed), used(&writer)), (2, 0));

        writer.db.sql.commit_hook(None::<fn() -> bool>).unwrap();
        let outcomes = writer.group(&mut [counting(&calls), counting(&calls)]);
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!((calls.load(Ordering::Relaxed), used(&writer)), (4, 2));
    }

    /// D-3: a panic in the middle of a transaction takes it back and ends the turn, for this process and others.
    #[test]
    fn a_panic_leaves_nothing_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let mut writer = writer(&folder);
        writer.turnstile = Some(Turnstile::open(&path, Duration::from_secs(60)).unwrap());
        writer.turnstile.as_mut().unwrap().enter().unwrap();
        let ended = guarded(|| {
            let turn = Turn(&writer);
            turn.0.begin().unwrap();
            assert!(turn.0.member(&mut counting(&Arc::default()), &mut None).is_ok());
            panic!("on purpose");
        });
        assert!(ended.is_none() && writer.db.sql.is_autocommit());
        assert_eq!(used(&writer), 0);
        Turnstile::open(&path, Duration::from_secs(60)).unwrap().enter().unwrap();
    }

    /// D-3: when nobody can begin everybody is told, and nothing was decided.
    #[test]
    fn a_failed_begin_is_everybodys_answer() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder);
        let other = Db::for_writing(&folder.path().join("shop.db")).unwrap();
        writer.db.sql.busy_timeout(std::time::Duration::ZERO).unwrap();
        other.run("BEGIN IMMEDIATE").unwrap();
        let calls = Arc::default();
        let outcomes = writer.group(&mut [counting(&calls), counting(&calls)]);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(StoreError::Transient(_)))));
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        other.roll_back();
        assert!(writer.group(&mut [counting(&calls)]).iter().all(Result::is_ok));
    }
}

//! A full store over the rows of a host.

use super::view::View;
use super::{FORMAT, RecordStore, audit, read, write};
use crate::id::BusinessId;
use crate::store::memory::pause::Pause;
use crate::store::{
    After, Answer, Auditor, Change, Chunk, Claim, Command, Fut, Load, Loaded, Page, PageQuery, Store,
    StoreError, StoredOperation, Verdict, may_block,
};
use futures_channel::oneshot;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// How often a command that others got ahead of is tried.
const TRIES: u32 = 24;
/// How many commands land in one write set at most.
const GROUP: usize = 64;

/// Work for a thread that may block.
type Work = Box<dyn FnOnce() + Send>;
/// Finds one.
type Threads = dyn Fn(Work) -> Result<(), StoreError> + Send + Sync;

/// A full store over the rows of a host: [`RecordStore`].
///
/// It is a handle: a clone leads to the same rows. One command after the other writes, readers read between them.
/// Another process that writes to the same rows makes a command try again, up to 24 times. An audit holds a copy of
/// what it reads, and a list of passes by the end of their validity reads all of its range.
///
/// ```
/// # use passes_core::store::record::{RecordStore, Row, WriteSet};
/// # struct Nowhere;
/// # impl RecordStore for Nowhere {
/// #     fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> { Ok(vec![None; keys.len()]) }
/// #     fn scan(&self, _: Vec<u8>, _: Vec<u8>, _: u32) -> Result<Vec<Row>, StoreError> { Ok(Vec::new()) }
/// #     fn commit(&self, _: WriteSet) -> Result<bool, StoreError> { Err(StoreError::Full("no room".into())) }
/// #     fn format(&self) -> Result<u32, StoreError> { Ok(1) }
/// # }
/// use passes_core::store::{PageQuery, Store, StoreError, record::Records, wait};
/// use std::sync::Arc;
/// // A host that never awaits needs no threads.
/// let none = |_| Err(StoreError::Transient("no threads".into()));
/// let store = Records::new(Arc::new(Nowhere), Arc::new(none));
/// let business = passes_core::id::BusinessId::STORE;
/// assert!(wait(store.events(business, 0, 10))?.is_empty());
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Clone)]
pub struct Records(Arc<Handle>);

/// The last one waits for what callers began and dropped: who opens the rows again finds them at rest.
struct Handle(Arc<Inner>);

impl Drop for Handle {
    fn drop(&mut self) {
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        while *running > 0 {
            running = self.0.rest.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Inner {
    rows: Arc<dyn RecordStore>,
    threads: Arc<Threads>,
    /// Held while rows are written, shared while they are read.
    turn: RwLock<()>,
    /// How much work is on other threads, and the news that none is.
    running: Mutex<usize>,
    rest: Condvar,
}

/// Work on another thread, as long as it isn't done or given up.
struct Running(Arc<Inner>);

impl Running {
    fn new(inner: &Arc<Inner>) -> Self {
        *inner.running.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(inner))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = running.saturating_sub(1);
        if *running == 0 {
            self.0.rest.notify_all();
        }
    }
}

/// What became of a command.
enum Tried<T> {
    Answered(T),
    /// Others wrote meanwhile.
    Overtaken,
}

impl Records {
    /// A store over these rows. Callers that must not block have the rows read and written on `threads`: a function
    /// that runs what it is given on a thread that may block, or says why it can't.
    /// See [`RecordStore`].
    #[must_use]
    pub fn new(rows: Arc<dyn RecordStore>, threads: Arc<Threads>) -> Self {
        let (running, rest) = (Mutex::new(0), Condvar::new());
        let inner = Inner { rows, threads, turn: RwLock::new(()), running, rest };
        Self(Arc::new(Handle(Arc::new(inner))))
    }

    /// Does work on the rows: here if this thread may block, else on another.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Fut<'_, T> {
        Box::pin(async move {
            let inner = &self.0.0;
            if may_block() {
                return work(inner);
            }
            let running = Running::new(inner);
            let (answer, answered) = oneshot::channel();
            (inner.threads)(Box::new(move || {
                // Who asked may be gone.
                let _ = answer.send(work(&running.0));
            }))?;
            // Broken off, or never begun.
            answered.await.unwrap_or(Err(StoreError::InDoubt))
        })
    }

    /// Tries work that writes, a little later again when others were faster.
    async fn tried<T: Send + 'static, W: Send + 'static>(
        &self,
        mut with: W,
        work: impl Fn(&Inner, &mut W) -> Result<Tried<T>, StoreError> + Send + Clone + 'static,
    ) -> Result<T, StoreError> {
        for attempt in 0..TRIES {
            let work = work.clone();
            let (tried, back) = self
                .work(move |inner| {
                    let tried = work(inner, &mut with);
                    Ok((tried, with))
                })
                .await?;
            with = back;
            if let Tried::Answered(answer) = tried? {
                return Ok(answer);
            }
            self.pause(Duration::from_micros(100 << attempt.min(8))).await?;
        }
        Err(StoreError::Conflict)
    }
}

impl Inner {
    /// A view of rows that can be understood.
    fn view(&self) -> Result<View<'_>, StoreError> {
        let found = self.rows.format()?;
        if found > FORMAT {
            return Err(StoreError::Unsupported { found, known: FORMAT });
        }
        View::new(&*self.rows)
    }

    /// Reads what was there at one moment.
    fn read<T>(&self, read: impl Fn(&mut View<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _turn = self.turn.read().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..TRIES {
            let mut view = self.view()?;
            let found = read(&mut view);
            if view.still_holds()? {
                return found;
            }
        }
        Err(StoreError::Conflict)
    }

    /// Lets work write, and lands it.
    fn write<T>(
        &self,
        work: impl FnOnce(&mut View<'_>) -> Result<T, StoreError>,
    ) -> Result<Tried<T>, StoreError> {
        let _turn = self.turn.write().unwrap_or_else(PoisonError::into_inner);
        let mut view = self.view()?;
        match work(&mut view) {
            Ok(value) => Ok(if view.land()? { Tried::Answered(value) } else { Tried::Overtaken }),
            // What failed may have failed for having read of two moments.
            Err(error) if view.still_holds()? => Err(error),
            Err(_) => Ok(Tried::Overtaken),
        }
    }
}

/// Loads, decides, and puts what was decided into the view.
fn run(view: &mut View<'_>, command: &Command) -> Result<Answer, StoreError> {
    let loaded = read::load(view, command.load())?;
    match command.decide(&loaded).verdict(&loaded)? {
        Verdict::Over(answer) => Ok(answer),
        Verdict::Write(change, landed) => Ok(landed.answer(write::apply(view, &change, &[])?)),
    }
}

impl Store for Records {
    /// Everything is written one thing after the other.
    fn slots(&self) -> u16 {
        1
    }

    fn run(&self, command: Command) -> Fut<'_, Answer> {
        Box::pin(self.tried(command, |inner, command| inner.write(|view| run(view, command))))
    }

    fn run_all(&self, commands: Vec<Command>) -> Fut<'_, Vec<Result<Answer, StoreError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(commands.len());
            let mut commands = commands.into_iter();
            while !commands.as_slice().is_empty() {
                let group: Vec<Command> = commands.by_ref().take(GROUP).collect();
                let size = group.len();
                let together = |inner: &Inner, group: &mut Vec<Command>| {
                    inner.write(|view| Ok(group.iter().map(|command| run(view, command)).collect::<Vec<_>>()))
                };
                match self.tried(group, together).await {
                    Ok(landed) => answers.extend(landed),
                    Err(error) => answers.extend((0..size).map(|_| Err(error.clone()))),
                }
            }
            Ok(answers)
        })
    }

    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        let load = load.clone();
        self.work(move |inner| inner.read(|view| read::load(view, &load)))
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        let land = |inner: &Inner, changes: &mut Vec<Change>| {
            inner.write(|view| Ok(changes.iter().map(|change| write::apply(view, change, &[])).collect()))
        };
        Box::pin(self.tried(changes.to_vec(), land))
    }

    fn pause(&self, time: Duration) -> Fut<'_, ()> {
        Box::pin(Pause::new(time))
    }

    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        use crate::store::{Expect, Put, Record};
        let mut change = chunk.change.clone();
        let passes = chunk.passes.iter().map(|row| Record::Pass(Box::new(row.clone())));
        change.put.extend(passes.map(|record| Put { record, expect: Expect::Absent }));
        let with: (Change, Vec<Claim>) = (change, chunk.codes.clone());
        Box::pin(
            self.tried(with, |inner, (change, codes)| inner.write(|view| write::apply(view, change, codes))),
        )
    }

    fn page<'a>(&'a self, query: &'a PageQuery) -> Fut<'a, Page> {
        let query = query.clone();
        self.work(move |inner| inner.read(|view| read::page(view, &query)))
    }

    fn events(&self, business: BusinessId, after: u64, limit: u32) -> Fut<'_, Vec<Arc<StoredOperation>>> {
        self.work(move |inner| inner.read(|view| read::events(view, business, after, limit)))
    }

    fn audit(&self, business: BusinessId, each: Auditor) -> Fut<'_, ()> {
        Box::pin(async move {
            // Nobody waits for the auditor's code.
            let rows = self.work(move |inner| inner.read(|view| audit::all(view, business))).await?;
            audit::tell(rows, each);
            Ok(())
        })
    }

    fn ledger(&self, business: BusinessId, after: u64, each: Auditor) -> Fut<'_, ()> {
        Box::pin(async move {
            let rows =
                self.work(move |inner| inner.read(|view| audit::ledger(view, business, after))).await?;
            audit::tell(rows, each);
            Ok(())
        })
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

//! Storage, seen from the domain: what a command reads and writes, and the trait that a store implements.
//!
//! A store knows no rule of the domain. It reads what a [`Load`] names in one snapshot, judges the guards of
//! a [`Change`] and writes it whole or not at all.

pub mod memory;
pub mod record;

mod audit;
mod body;
mod change;
mod command;
mod delegate;
mod error;
mod key;
mod load;
mod page;
mod verdict;
mod wait;

pub use audit::AuditRow;
pub use body::{Body, Piece};
pub use change::{
    Add, After, Change, Chunk, Claim, Expect, Fingerprint, Operation, Put, Record, StoredOperation,
};
pub use command::{Command, Decide, Lent};
pub use delegate::delegate;
pub use error::StoreError;
pub use key::{DocKey, DocKind, KeyHash, TallyKey};
pub use load::{Answer, Decision, Doc, Load, Loaded, OperationKey, PassRange};
pub use page::{Page, PageQuery, PassOrder};
pub use verdict::{Landed, Verdict};
pub use wait::{may_block, ready, wait};

use crate::id::BusinessId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A boxed future, so that the trait is object-safe, of a store's answer.
///
/// ```
/// use passes_core::store::{Fut, ready, wait};
/// let answer: Fut<'_, u32> = ready(Ok(7));
/// assert_eq!(wait(answer), Ok(7));
/// ```
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Receives the rows of an audit, one after the other.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::store::{AuditRow, Auditor, wait};
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
/// let counted = Arc::new(AtomicU32::new(0));
/// let count = Arc::clone(&counted);
/// let each: Auditor = Box::new(move |row| {
///     count.fetch_add(u32::from(matches!(row, AuditRow::Pass(_))), Ordering::Relaxed);
/// });
/// wait(passes.store().audit(by.business, each))?;
/// assert_eq!(counted.load(Ordering::Relaxed), 10);
/// # Ok::<(), passes_core::Error>(())
/// ```
pub type Auditor = Box<dyn FnMut(AuditRow) + Send + 'static>;

/// Where records are kept.
///
/// Futures need no runtime. One that is polled inside [`wait`] may block the thread ([`may_block`]); any
/// other must not.
///
/// ```
/// use passes_core::store::{Load, Store, memory::Memory, wait};
/// use std::sync::Arc;
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let nothing = wait(store.load(&Load::new(passes_core::id::BusinessId::STORE)))?;
/// assert!(nothing.docs.is_empty() && nothing.passes.is_empty());
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
pub trait Store: Send + Sync {
    /// Loads, decides and commits. A store over a network keeps this default: it repeats on
    /// [`StoreError::Conflict`], jittered and bounded. One with a single writer does the three under its own
    /// lock, many commands in one transaction.
    /// See [`Command`].
    fn run(&self, command: Command) -> Fut<'_, Answer> {
        Box::pin(retry(self, command))
    }

    /// Runs a command at once, if this store can do that without waiting for anything but a lock: one in memory. It loads
    /// when [`Lent::ahead`] leaves nothing more to do. The answer is never in doubt. For any other store, and for a wrapper that means to see each command, this default
    /// says that it has to be given to [`Store::run`].
    ///
    /// ```
    /// use passes_core::store::{Answer, Command, Decision, Load, Store, memory::Memory, wait};
    /// use passes_core::{Refusal, id::BusinessId};
    /// let refused = |_: &_| Decision::Refused(vec![Refusal::UnknownCode], None);
    /// let mut command = Command::new(Load::new(BusinessId::STORE), refused);
    /// assert!(matches!(Memory::new().run_now(&mut command), Some(Ok(Answer::Refused(_)))));
    /// ```
    fn run_now(&self, command: &mut dyn Lent) -> Option<Result<Answer, StoreError>> {
        let _ = command;
        None
    }

    /// Runs several commands, each atomic by itself, in order; the answers come in the same order.
    ///
    /// ```
    /// use passes_core::store::{Command, Decision, Load, Loaded, Store, memory::Memory, wait};
    /// # use passes_core::{Refusal, id::BusinessId};
    /// let refused = |_: &Loaded| Decision::Refused(vec![Refusal::UnknownCode], None);
    /// let command = || Command::new(Load::new(BusinessId::STORE), refused);
    /// let answers = wait(Memory::new().run_all(vec![command(), command()]))?;
    /// assert!(answers.len() == 2 && answers.iter().all(Result::is_ok));
    /// # Ok::<(), passes_core::store::StoreError>(())
    /// ```
    fn run_all(&self, commands: Vec<Command>) -> Fut<'_, Vec<Result<Answer, StoreError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(commands.len());
            for command in commands {
                answers.push(self.run(command).await);
            }
            Ok(answers)
        })
    }

    /// What [`Store::run_now`] is to [`Store::run`]: runs several commands at once, if this store can do that.
    ///
    /// ```
    /// use passes_core::store::{Command, Decision, Lent, Load, Loaded, Store, memory::Memory};
    /// # use passes_core::{Refusal, id::BusinessId};
    /// let refused = |_: &Loaded| Decision::Refused(vec![Refusal::UnknownCode], None);
    /// let command = || Command::new(Load::new(BusinessId::STORE), refused);
    /// let (mut one, mut other) = (command(), command());
    /// let mut lent: [&mut dyn Lent; 2] = [&mut one, &mut other];
    /// assert!(Memory::new().run_all_now(&mut lent).is_some_and(|answers| answers.len() == 2));
    /// ```
    fn run_all_now(&self, commands: &mut [&mut dyn Lent]) -> Option<Vec<Result<Answer, StoreError>>> {
        let _ = commands;
        None
    }

    /// In how many slots a tally stands that many commands add to, so that they don't wait for each other: 1 where
    /// they are written one after the other anyway. The slots' bounds depend on it: a store never changes it.
    ///
    /// ```
    /// use passes_core::store::{Store, memory::Memory};
    /// assert_eq!(Memory::new().slots(), 1);
    /// ```
    fn slots(&self) -> u16;

    /// Reads in one snapshot, in one round trip.
    /// See [`Load`].
    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded>;

    /// Commits changes, each whole or not at all, and answers each.
    /// See [`Change`].
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>>;

    /// Waits: the core has no timer.
    ///
    /// ```
    /// use passes_core::store::{Store, memory::Memory, wait};
    /// wait(Memory::new().pause(std::time::Duration::from_micros(10)))?;
    /// # Ok::<(), passes_core::store::StoreError>(())
    /// ```
    fn pause(&self, time: Duration) -> Fut<'_, ()>;

    /// Commits a chunk of a lot in one transaction.
    /// See [`Chunk`].
    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After>;

    /// Reads a page of a list.
    /// See [`PageQuery`].
    fn page<'a>(&'a self, query: &'a PageQuery) -> Fut<'a, Page>;

    /// Operations with a number above `after`, in order, at most `limit`, of this business: those below
    /// which nothing can appear any more. The number is the position of the operation's events.
    /// See [`StoredOperation`].
    fn events(&self, business: BusinessId, after: u64, limit: u32) -> Fut<'_, Vec<Arc<StoredOperation>>>;

    /// Reads everything of a business in one snapshot, in the order that [`AuditRow`] gives, and judges what only
    /// the store can judge: whether its own structures are whole, of all businesses.
    /// See [`Auditor`].
    fn audit(&self, business: BusinessId, each: Auditor) -> Fut<'_, ()>;

    /// Reads the operations with a number above `after`, in one snapshot, each followed by its entries. Of those
    /// it tells only what nothing can appear below any more, as [`Store::events`] does.
    ///
    /// This default reads everything. A store that can begin in the middle does so; one whose operations may
    /// appear below others has to.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::store::{AuditRow, wait};
    /// use std::sync::mpsc;
    /// let (seen, rows) = mpsc::channel();
    /// let last = passes.activate(by, shop.card(1)).wait()?.operation.0;
    /// let each = Box::new(move |row| seen.send(row).unwrap());
    /// wait(passes.store().ledger(by.business, last - 1, each))?;
    /// let rows: Vec<AuditRow> = rows.iter().collect();
    /// assert!(matches!(&rows[..], [AuditRow::Operation { stored, entries: 1, .. }, AuditRow::Entry(entry)]
    ///     if stored.number == last && entry.operation == last));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    fn ledger(&self, business: BusinessId, after: u64, mut each: Auditor) -> Fut<'_, ()> {
        let wanted = move |row| match &row {
            AuditRow::Operation { stored, .. } if stored.number > after => each(row),
            AuditRow::Entry(stored) if stored.operation > after => each(row),
            _ => {}
        };
        self.audit(business, Box::new(wanted))
    }
}

/// How often a command that meets conflicts is tried.
const TRIES: u32 = 24;

/// Loads, decides, commits, and again on a conflict.
async fn retry<S: Store + ?Sized>(store: &S, command: Command) -> Result<Answer, StoreError> {
    let mut jitter = 0x9E37_79B9_u64;
    for attempt in 0..TRIES {
        let loaded = store.load(command.load()).await?;
        let (change, landed) = match command.decide(&loaded).verdict(&loaded)? {
            Verdict::Over(answer) => return Ok(answer),
            Verdict::Write(change, landed) => (change, landed),
        };
        let answer = store.commit(std::slice::from_ref(&*change)).await?.pop();
        match answer.unwrap_or_else(|| Err(StoreError::Backend("a commit without an answer".into()))) {
            Ok(after) => return Ok(landed.answer(after)),
            Err(StoreError::Conflict) => {
                // The operation's id differs from caller to caller, so that they don't wait in step.
                let id = change.operation.as_ref().map_or([0; 16], |operation| *operation.id.as_bytes());
                jitter = id.iter().fold(jitter, |a, b| a.rotate_left(5) ^ u64::from(*b));
                jitter =
                    jitter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if attempt > 0 {
                    let most = 500_u64 << attempt.min(6);
                    store.pause(Duration::from_micros((jitter >> 33) % most)).await?;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

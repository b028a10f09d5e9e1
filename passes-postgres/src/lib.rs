//! The PostgreSQL store of Passes: many processes, many machines.
//!
//! ```no_run
//! use passes_core::id::BusinessId;
//! use passes_core::store::{Load, Store, wait};
//! use passes_postgres::Postgres;
//!
//! let store = Postgres::open("postgres://till@db.example/shop?sslmode=require")?;
//! let mut load = Load::new(BusinessId::STORE);
//! load.key = Some([7; 16]);
//! assert!(wait(store.load(&load))?.replay.is_none());
//! # Ok::<(), passes_core::store::StoreError>(())
//! ```
//!
//! # What it promises
//!
//! - *A command is two round trips*: a load, which is one statement and so one snapshot, and a commit, which is one
//!   prepared statement of common table expressions. Its last `SELECT` divides by zero unless every guard held, so a
//!   missed guard is an error and thereby a rollback. Nothing stays open between the two, but for commands that queue.
//!   Several changes that don't touch the same share a statement; if it fails, each goes alone.
//! - *What is known isn't read again.* The documents of a business, its plans and lots are kept, and a redemption rests on
//!   their versions, which its commit judges: what somebody else changed meanwhile fails it, and it is decided anew by what
//!   is stored. Nothing is refused by what was known. Until eight loads in a row brought nothing new all is read; from then
//!   on the first redemption from a lot that isn't known takes a third round trip.
//! - *Who comes together goes together.* A redemption by code goes ahead by itself. Those that come to the process
//!   meanwhile share the next ones' round trips and their transaction. Where one of them meets a guard, or a row that
//!   somebody holds, nothing of it lands and each goes alone; nobody waits longer than two milliseconds to be taken along, nor
//!   longer than fifty for such a row. Behind
//!   a pooler, and on distributed tables, each goes alone from the beginning.
//! - *Nobody is turned away because others came at the same time.* A command that meets a conflict queues, in its process
//!   and among processes, and is then alone with what it wants.
//! - *Nothing is answered before it is on the disk*, as far as the server promises it (`synchronous_commit`).
//! - *Any runtime or none.* Its futures may be polled by any executor, which is never blocked, or by
//!   [`wait`](passes_core::store::wait) on a thread. A runtime that nobody sees serves the connections.
//!
//! It needs PostgreSQL 13 or later. It makes a schema named `passes` and all tables in it, and whoever opens it first
//! needs the right to do so. Each lost race is an error to the server, too: its log has a `division by zero` for it.
//!
//! # The URL
//!
//! `postgres://user:password@host:port/database?parameters`, with these parameters and those that `tokio-postgres` knows:
//!
//! | parameter | meaning |
//! |---|---|
//! | `connections=16` | connections of the pool at most |
//! | `pooler=transaction` | a pooler in transaction mode stands between, such as PgBouncer |
//! | `distributed=citus` | the tables are distributed among the nodes of a Citus cluster |
//! | `sslmode=prefer` | TLS if the server has it, and whoever the server is (the default) |
//! | `sslmode=require`, `verify-full` | TLS, and the server's certificate must be right for its name |
//! | `sslmode=disable` | no TLS |
//! | `sslrootcert=ca.pem` | the authorities that are trusted, instead of the machine's; then a certificate is required |
//!
//! `passes_host::open` also takes `standby=true`: the store is then a [`Standby`].
//!
//! # Through a pooler
//!
//! A pooler in transaction mode gives a session to whoever has a transaction, so a session keeps nothing for anybody. With
//! `pooler=transaction` each statement brings its settings along and is a transaction of its own, in one round trip all the
//! same. It is prepared in SQL, by a name made of its text, which every client finds in every session; where it isn't there
//! yet, it is sent a second time. So it is with PgBouncer from 1.18, whatever it knows of prepared statements. Statements
//! about many rows, and those of commands that queue for what others want, too, are planned each time.
//!
//! - Nothing but these statements is left in a session: some hundred of them in time, which go with it (`server_lifetime`).
//!   `server_reset_query_always=1` takes them away each time, and commands get slow.
//! - It needs the language `plpgsql`, which is there unless somebody took it away.
//! - The values of a statement are part of its text, so a server that logs statements logs them.
//!
//! Its price, as parts of the rate without it, measured in one run on two cores that the clients, the pooler and the server
//! share (`cargo run --release -p passes-postgres --example pooler_price`; commit on is `fsync=on`):
//!
//! | redemptions | such statements, no pooler | through PgBouncer 1.18 |
//! |---|---|---|
//! | commit on, 1 client | 0.87 | 0.79 |
//! | commit on, 8 clients | 0.67 | 0.72 |
//! | commit off, 1 client | 0.77 | 0.36 |
//! | commit off, 8 clients | 0.42 | 0.38 |
//!
//! # Standbys
//!
//! Lists and reports, which may be a little old, can be asked of a hot standby: see [`Standby`]. A host that opens by URL
//! says `standby=true` there.
//!
//! # Distributed tables
//!
//! Where the database has the Citus extension, [`Options::distributed`] (`distributed=citus` in the URL) distributes the
//! tables among the nodes of the cluster, by their business, all in one group. What belongs to a business is on one node,
//! and every statement goes there whole: its snapshot, its transaction and its number are those of one PostgreSQL. It is
//! done once, while no other store is open on the tables, with whatever is in them; from then on any store that is opened
//! on the database finds it so. Shards may be moved and rebalanced at any time: a business goes on above the numbers that it
//! has. The page `docs/distributed.md` says how, what it needs, what was run and what it costs, and what CockroachDB and
//! YugabyteDB, which were not run, do otherwise.
//!
//! # Errors
//!
//! | `SQLSTATE` | said as | then |
//! |---|---|---|
//! | 22012, 22003, 23505 (a guard; a sum beyond the numbers; a key that is there), 40001, 40P01 | `Conflict` | nothing landed; the command is decided again |
//! | 2201E (another transaction came first), 23505 at a named tally that two begin at once | | nothing landed; the statement is sent again |
//! | 40000, 53000, 53200, 53300, 55P03, 57014, 57P03, 57P05, 25P03, 26000, 0A000, 72000, and no connection before anything was sent | `Transient` | nothing landed; it may be given again |
//! | 53100 | `Full` | nothing landed |
//! | while committing: a `PANIC` of whatever code | `InDoubt` | it may have landed: the key is looked up |
//! | while committing: 08…, 40003, 57P01, 57P02, 57P04, or the connection is lost | `InDoubt` | it may have landed: the key is looked up |
//! | the same while reading | `Transient` | |
//! | XX001, XX002, and rows that make no sense | `Corrupt` | |
//! | 25006 (it only reads: a standby) | `Transient` | nothing landed; the connection isn't used again, so that the next finds the primary |
//! | 2201F (a document's parent would change), all others | `Backend` | |
//!
//! What was sent over a connection that is lost before its commit is begun again over another, by itself. A commit in doubt
//! whose command has a key is looked up by the library, for some seconds if need be; without a key its caller is told. While
//! there is no server at all, callers are told at once that nothing landed. After a failover the hosts of the URL are tried
//! in turn (`postgres://till@one,two/shop?target_session_attrs=read-write`); what was answered is on the standby only if the
//! primary waited for it (`synchronous_standby_names`). A server that is gone without a word is noticed within a minute
//! (TCP keepalives).
//!
//! # Positions of events
//!
//! An operation's number is that of its transaction, with a counter in the last 16 bits. A reader is told of an operation
//! once every transaction with a lower number has ended, so that nothing appears behind it. What was committed a moment
//! ago may so be held back by another transaction that is still under way, of any database of the server: a reader waits
//! for it as long as [`Options::settle_timeout`] says, and is told the rest the next time. Commands to one pass have
//! numbers in the order in which they landed.
//!
//! Numbers have gaps. A dump that is restored into another cluster goes on above the numbers that it has.

mod audit;
mod batch;
mod books;
mod codec;
mod commit;
mod counted;
mod distributed;
mod errors;
mod fill;
mod group;
mod judge;
mod known;
mod lane;
mod load;
mod load_known;
mod load_one;
mod options;
mod page;
mod plan;
mod pool;
mod ready;
mod run;
mod runtime;
mod schema;
mod small;
mod sql;
mod standby;
mod tls;
mod values;

pub use options::Options;
pub use standby::Standby;

use errors::While;
use judge::Together;
use lane::Lanes;
use options::Address;
use passes_core::id::BusinessId;
use passes_core::store::{
    After, Answer, Auditor, Change, Chunk, Command, DocKey, Fut, Load, Loaded, Page, PageQuery, Store,
    StoreError, StoredOperation,
};
use plan::{Fresh, Plan};
use pool::{Session, Shared};
use run::Gates;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// So many changes share a statement at most.
const TOGETHER: usize = 100;

/// So often a statement is sent that met another transaction out of order. Each time those before it have ended.
const AGAIN: u32 = 32;

/// A store in a PostgreSQL database. See the [crate's page](crate).
///
/// It is used by all threads of a process at once, by reference or in an [`Arc`]. Dropping it closes it.
pub struct Postgres {
    lanes: Lanes,
    shared: Arc<Shared>,
    gates: Gates,
}

impl Postgres {
    /// Connects, makes the tables if need be, and brings them to the newest format. It blocks the thread and needs no
    /// runtime.
    ///
    /// # Errors
    /// Those of [`Options::connect`].
    ///
    /// ```
    /// use passes_core::store::StoreError;
    /// let nobody = passes_postgres::Postgres::open("postgres://till@127.0.0.1:1/shop?sslmode=disable");
    /// assert!(matches!(nobody, Err(StoreError::Transient(_))));
    /// ```
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::options().open(url)
    }

    /// The same for an async host, in whatever runtime it has.
    ///
    /// # Errors
    /// Those of [`Options::connect`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::options().connect(url).await
    }

    /// How to open a database, to be changed.
    #[must_use]
    pub fn options() -> Options {
        Options::new()
    }

    pub(crate) async fn start(address: Address, options: Options) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let lanes = Lanes::start(address, &options, &shared).await?;
        Ok(Self { lanes, shared, gates: Gates::default() })
    }

    /// How many times something was sent to the server and its answer waited for. Connections being made don't count, nor
    /// do statements being prepared.
    ///
    /// ```no_run
    /// use passes_core::store::{Load, Store, wait};
    /// let store = passes_postgres::Postgres::open("postgres://till@db/shop")?;
    /// let mut load = Load::new(passes_core::id::BusinessId::STORE);
    /// load.key = Some([7; 16]);
    /// wait(store.load(&load))?;
    /// assert_eq!(store.round_trips(), 1);
    /// # Ok::<(), passes_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.shared.trips()
    }

    /// How many times a statement was prepared: once for each kind and connection. Each is a round trip of its own.
    #[must_use]
    pub fn prepared(&self) -> u64 {
        self.shared.prepared()
    }

    /// Closes the store: who comes later is told [`StoreError::Closed`]. What is under way is finished.
    pub fn close(&self) {
        self.lanes.close();
    }
}

/// How many of the first changes can share a statement: at least one.
fn together(changes: &[Change]) -> usize {
    let Some(first) = changes.first() else { return 0 };
    let mut known = Together::default();
    let share = |change: &&Change| change.business == first.business && known.take(change);
    changes.iter().take(TOGETHER).take_while(share).count().max(1)
}

/// Commits changes by one statement. `rests` are documents on which they rest without saying so.
async fn commit_group(
    session: &mut Session,
    changes: &[Change],
    rests: &[(DocKey, u32)],
) -> Result<Vec<After>, StoreError> {
    let Some(first) = changes.first() else { return Ok(Vec::new()) };
    let mut plan = Plan::new(first.business);
    for change in changes {
        plan.add(change, Fresh::default())?;
    }
    plan.rest_on(rests);
    let base = session.base;
    for _ in 0..AGAIN {
        let sent = session.query(commit::TAG, |sql| commit::write(sql, &plan, base), While::Committing);
        match sent.await {
            Ok(rows) => {
                changes.iter().for_each(|change| session.known().written(change));
                return commit::read(&plan, &rows);
            }
            Err(failed) if failed.again => {}
            Err(failed) => {
                session.known().doubt(first.business, rests);
                return Err(failed.error);
            }
        }
    }
    Err(StoreError::Conflict)
}

async fn commit_one(
    session: &mut Session,
    change: &Change,
    rests: &[(DocKey, u32)],
) -> Result<After, StoreError> {
    let after = commit_group(session, std::slice::from_ref(change), rests).await?.pop();
    after.ok_or_else(|| errors::corrupt("an answer"))
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("lanes", &self.lanes).finish_non_exhaustive()
    }
}

/// In how many slots a shared tally stands. What stands in them rests on it, so it is part of the tables' format.
const SLOTS: u16 = 32;

impl Store for Postgres {
    fn slots(&self) -> u16 {
        SLOTS
    }

    fn run(&self, command: Command) -> Fut<'_, Answer> {
        self.lanes.serve(move |lane| run::run(lane, &self.gates, command))
    }

    fn run_all(&self, commands: Vec<Command>) -> Fut<'_, Vec<Result<Answer, StoreError>>> {
        self.lanes.serve(move |lane| async move { Ok(batch::run_all(lane, &self.gates, commands).await) })
    }

    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        self.lanes.serve(|lane| lane.load(load))
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        self.lanes.serve(|lane| lane.commit(changes))
    }

    fn pause(&self, time: Duration) -> Fut<'_, ()> {
        self.lanes.first().runtime.pause(time)
    }

    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        self.lanes.keep(move |lane| async move { lane.session().await?.fill(chunk).await })
    }

    fn page<'a>(&'a self, query: &'a PageQuery) -> Fut<'a, Page> {
        self.lanes.keep(|lane| lane.page(query))
    }

    fn events(&self, business: BusinessId, after: u64, limit: u32) -> Fut<'_, Vec<Arc<StoredOperation>>> {
        self.lanes.keep(move |lane| lane.settled(business, after, limit))
    }

    fn audit(&self, business: BusinessId, mut each: Auditor) -> Fut<'_, ()> {
        self.lanes.keep(move |lane| async move { lane.session().await?.audit(business, &mut each).await })
    }

    fn ledger(&self, business: BusinessId, after: u64, each: Auditor) -> Fut<'_, ()> {
        self.lanes.keep(move |lane| lane.ledger(business, after, each))
    }
}

//! The library on a store that makes trouble: where a script is played.

use super::ask::profile;
use super::plans::{CONTACTS, specs, whole};
use super::script::{Command, Label, Setup, Step};
use passes_conformance::chaos::{Chaos, Trouble};
use passes_core::calendar::Instant;
use passes_core::id::{ContactId, PassId, PlanId};
use passes_core::operation::{Actor, By, Rights};
use passes_core::store::memory::Memory;
use passes_core::store::{Change, Fut, PageQuery, Store, StoredOperation, delegate, wait};
use passes_core::{Entropy, Passes};
use passes_host::testing::FixedClock;
use passes_postgres::Postgres;
use passes_sqlite::Sqlite;
use std::cell::Cell;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tests::world::keyring;
use tests::world::patient;

/// The trouble of the tests.
const TROUBLE: Trouble = Trouble {
    conflict: 8,
    direct_conflict: 8,
    turns: 1,
    most_turns: 3,
    lost: 12,
    abandoned: 60,
    ..Trouble::NONE
};

/// Where the records are: opening it again leads to the same ones.
pub(crate) trait Place {
    fn open(&self) -> Arc<dyn Store>;

    /// What commands meet there.
    fn trouble(&self) -> Trouble {
        TROUBLE
    }
}

/// A place with other trouble.
pub(crate) struct Troubled(pub Box<dyn Place>, pub Trouble);

impl Place for Troubled {
    fn open(&self) -> Arc<dyn Store> {
        self.0.open()
    }

    fn trouble(&self) -> Trouble {
        self.1
    }
}

/// Any store that a clone leads to again.
pub(crate) struct Kept<S>(pub S);

impl<S: Store + Clone + 'static> Place for Kept<S> {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }
}

/// A file, where syncing costs nothing if there is such a place: no test here cuts the power.
struct InFile {
    folder: TempDir,
    single_process: bool,
}

impl Place for InFile {
    fn open(&self) -> Arc<dyn Store> {
        let options = Sqlite::options().single_process(self.single_process);
        Arc::new(options.open(self.folder.path().join("passes.db")).unwrap())
    }
}

/// A database of PostgreSQL.
struct InPostgres(String);

impl Place for InPostgres {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(InTurn(patient().connections(1).open(&self.0).unwrap()))
    }
}

/// What is asked of it is done when it is polled, as callers need it that take turns: nobody else is polled meanwhile.
struct InTurn(Postgres);

impl InTurn {
    fn now<'a, T: Send + 'a>(&'a self, answer: Fut<'a, T>) -> Fut<'a, T> {
        Box::pin(async move { wait(answer) })
    }
}

impl Store for InTurn {
    delegate!(0, now; slots, load, commit, pause, fill, page, events, audit, ledger);
}

/// In PostgreSQL; in memory where there is no server.
pub(crate) fn in_postgres() -> Box<dyn Place> {
    match test_postgres::shared() {
        Some(server) => Box::new(InPostgres(server.database())),
        None => in_memory(),
    }
}

pub(crate) fn in_memory() -> Box<dyn Place> {
    Box::new(Kept(Memory::new()))
}

fn file(single_process: bool) -> Box<dyn Place> {
    let shared_memory = Some(Path::new("/dev/shm")).filter(|path| path.is_dir());
    let folder = shared_memory.map_or_else(tempfile::tempdir, tempfile::tempdir_in);
    let folder = folder.or_else(|_| tempfile::tempdir()).unwrap();
    Box::new(InFile { folder, single_process })
}

pub(crate) fn in_file() -> Box<dyn Place> {
    file(true)
}

/// A file that other processes might have open, too.
pub(crate) fn in_shared_file() -> Box<dyn Place> {
    file(false)
}

/// Randomness that each step has for itself: what it makes has the same ids whatever the other steps are.
struct Own {
    world: u64,
    step: AtomicU64,
    drawn: AtomicU64,
}

impl Entropy for Own {
    fn seed(&self) -> Result<[u8; 32], String> {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new();
        for number in [self.world, self.step.load(Ordering::Relaxed), drawn] {
            hasher.update(&number.to_le_bytes());
        }
        Ok(*hasher.finalize().as_bytes())
    }
}

pub(crate) struct Stage {
    place: Box<dyn Place>,
    setup: Setup,
    store: Arc<dyn Store>,
    chaos: Arc<Chaos>,
    passes: Passes,
    clock: Arc<FixedClock>,
    entropy: Arc<Own>,
    actor: Actor,
    by: By,
    pub plans: Vec<PlanId>,
    pub contacts: Vec<ContactId>,
}

impl Stage {
    pub(crate) fn new(setup: &Setup, place: Box<dyn Place>) -> Self {
        let clock = Arc::new(FixedClock::at(Instant::parse(&setup.start).unwrap()));
        let entropy =
            Arc::new(Own { world: setup.entropy, step: AtomicU64::new(0), drawn: AtomicU64::new(0) });
        let store = place.open();
        let trouble = Trouble { apart: setup.apart, ..place.trouble() };
        let (chaos, passes) = open(&store, trouble, &clock, &entropy);
        let actor = Actor::new("admin", Rights::all()).unwrap();
        let business = passes.create_business(&actor, whole(setup.zone, setup.settings)).wait().unwrap();
        let by = By::new(business, actor.clone());
        let plans = specs(setup).into_iter().map(|spec| {
            let plan = passes.create_plan(&by, spec).wait().unwrap().done;
            passes.activate_plan(&by, plan).wait().unwrap();
            plan
        });
        let plans = plans.collect();
        let create = |n: Label| passes.create_contact(&by, profile(&[n])).wait().unwrap().done;
        let contacts = (1..=CONTACTS).map(create).collect();
        let setup = setup.clone();
        Self { place, setup, store, chaos, passes, clock, entropy, actor, by, plans, contacts }
    }

    /// The library, and somebody who may do everything.
    pub(crate) fn library(&self) -> (&Passes, &By) {
        (&self.passes, &self.by)
    }

    pub(crate) fn apart(&self) -> bool {
        self.setup.apart
    }

    pub(crate) fn chaos(&self) -> &Chaos {
        &self.chaos
    }

    pub(crate) fn set_clock(&self, now: i64) {
        self.clock.set(Instant::from_micros(now).unwrap());
    }

    /// Forgets what is only in memory.
    pub(crate) fn reopen(&mut self) {
        let trouble = Trouble { apart: self.setup.apart, ..self.place.trouble() };
        // The old one is closed first.
        self.store = Arc::new(Memory::new());
        (self.chaos, self.passes) = open(&self.store, trouble, &self.clock, &self.entropy);
        self.store = self.place.open();
        (self.chaos, self.passes) = open(&self.store, trouble, &self.clock, &self.entropy);
    }

    /// Operations that came after this one, as the store itself knows them.
    pub(crate) fn operations_after(&self, after: u64) -> Vec<Arc<StoredOperation>> {
        let query = PageQuery::Operations { business: self.by.business, after, limit: 10_000 };
        wait(self.store.page(&query)).unwrap().operations
    }

    /// Waits until the store has done what was asked of it and nobody waits for any more.
    pub(crate) fn settle(&self) {
        let nothing = Change::new(self.by.business);
        let answers = wait(self.store.commit(&[nothing])).unwrap();
        assert!(answers.iter().all(Result::is_ok));
    }

    /// What took the place of a pass.
    pub(crate) fn successor(&self, pass: PassId) -> Option<PassId> {
        self.passes.pass(&self.by, pass).wait().ok()?.successor
    }

    /// Polls a step's future in its own luck and randomness.
    pub(crate) fn as_step<'a, T: 'a>(
        &'a self,
        step: &Step,
        future: impl Future<Output = T> + 'a,
    ) -> impl Future<Output = T> + 'a {
        let mut luck = (step.luck != 0).then_some(step.luck);
        let (label, drawn) = (u64::from(step.label), Cell::new(0));
        let mut future = Box::pin(future);
        std::future::poll_fn(move |context| {
            self.entropy.step.store(label, Ordering::Relaxed);
            self.entropy.drawn.store(drawn.get(), Ordering::Relaxed);
            self.chaos.set_luck(luck);
            let polled = future.as_mut().poll(context);
            luck = self.chaos.luck();
            self.chaos.set_luck(None);
            drawn.set(self.entropy.drawn.load(Ordering::Relaxed));
            polled
        })
    }

    /// Who gives a command. Its operation is told by the channel.
    pub(crate) fn who(&self, step: &Step) -> By {
        let mut by = By::new(self.by.business, self.actor.clone()).channel(&step.label.to_string());
        if let Some(key) = step.key {
            by = by.key(&format!("key {key}"));
        }
        if let Some(place) = &step.place {
            by = by.place(place);
        }
        if matches!(step.command, Command::Export { reason: true, .. }) {
            by = by.reason("asked for");
        }
        by
    }
}

fn open(
    store: &Arc<dyn Store>,
    trouble: Trouble,
    clock: &Arc<FixedClock>,
    entropy: &Arc<Own>,
) -> (Arc<Chaos>, Passes) {
    let chaos = Chaos::new(Arc::clone(store), 0).making(trouble);
    chaos.set_luck(None);
    let chaos = Arc::new(chaos);
    let passes = Passes::open(chaos.clone(), keyring(), clock.clone(), entropy.clone()).wait().unwrap();
    (chaos, passes)
}

//! A small business on a store of the test's choice.

use crate::Books;
use passes_core::business::Settings;
use passes_core::calendar::Instant;
use passes_core::conditions::{Basket, Line};
use passes_core::contact::{Medium, Profile};
use passes_core::id::{BusinessId, ContactId, LotId, PassId, PlanId};
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::passcode::Format;
use passes_core::plan::{Caps, Classification, Form, Spec, Terms, Usage};
use passes_core::secret::Keyring;
use passes_core::service::{Deal, ExportRow, Generate};
use passes_core::store::Store;
use passes_core::store::memory::Memory;
use passes_core::{Entropy, Error, Passes};
use passes_host::testing::{FixedClock, SeededEntropy};
use passes_postgres::{Options, Postgres};
use passes_sqlite::Sqlite;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use test_postgres::Pooler;

/// The moment at which the clock of a new world stands: a Wednesday in winter.
pub const START: &str = "2026-01-14T12:00:00Z";

/// Where the records of a world are.
enum Place {
    Memory(Arc<dyn Store>),
    Sqlite(TempDir),
    /// The URL of a database.
    Postgres(String),
}

/// A business with everything that a test needs to act in it.
pub struct World {
    /// The library.
    pub passes: Passes,
    /// Its clock.
    pub clock: Arc<FixedClock>,
    /// Somebody who may do everything.
    pub by: By,
    /// The name of the store.
    pub store: &'static str,
    place: Place,
    /// Its randomness.
    pub entropy: Arc<dyn Entropy>,
    contacts: AtomicU32,
}

/// An amount in its text form, such as `12.50 GBP`.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn amount(text: &str) -> Money {
    let (number, currency) = text.split_once(' ').unwrap();
    Money::parse(number, Currency::parse(currency).unwrap()).unwrap()
}

/// So many minor units of a currency.
#[must_use]
pub fn minor(minor: i64, currency: Currency) -> Money {
    Money::from_minor(minor, currency).unwrap()
}

/// The code of an error, or `ok`.
pub fn code_of<T>(answer: &Result<T, Error>) -> &'static str {
    answer.as_ref().map_or_else(Error::code, |_| "ok")
}

/// The keys of every world.
#[must_use]
pub fn keyring() -> Keyring {
    Keyring::from_master("m1", &[7; 32]).unwrap()
}

/// The settings of every world, unless a test has its own.
#[must_use]
pub fn settings() -> Settings {
    Settings::new("The Gift Shop", "Europe/London", &["GBP", "EUR", "JPY", "BHD"], "en").unwrap()
}

/// Runs a test on each store that is in the box.
pub fn on_every_store(test: impl Fn(World)) {
    let stores = [World::memory(), World::sqlite()].into_iter().chain(World::postgres());
    for world in stores {
        println!("on {}", world.store);
        test(world);
    }
}

/// The same, and through a pooler in transaction mode before the server of PostgreSQL, where there are both.
pub fn on_every_store_and_pooled(test: impl Fn(World)) {
    on_every_store(&test);
    if let Some(world) = World::pooled() {
        println!("on {}, through a pooler", world.store);
        test(world);
    }
}

impl World {
    /// In memory.
    #[must_use]
    pub fn memory() -> Self {
        Self::memory_with(settings(), 1)
    }

    /// In memory, with these settings and this randomness.
    #[must_use]
    pub fn memory_with(settings: Settings, seed: u64) -> Self {
        Self::on(Place::Memory(Arc::new(Memory::new())), "memory", settings, seed)
    }

    /// In a file of SQLite.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::sqlite_with(settings(), 1)
    }

    /// In a file of SQLite, with these settings and this randomness.
    #[must_use]
    pub fn sqlite_with(settings: Settings, seed: u64) -> Self {
        Self::on(Place::Sqlite(tempfile::tempdir().unwrap()), "SQLite", settings, seed)
    }

    /// In a database of PostgreSQL, where there is a server.
    #[must_use]
    pub fn postgres() -> Option<Self> {
        Self::postgres_with(settings(), 1)
    }

    /// In a database of PostgreSQL, with these settings and this randomness.
    #[must_use]
    pub fn postgres_with(settings: Settings, seed: u64) -> Option<Self> {
        let url = test_postgres::shared()?.database();
        Some(Self::on(Place::Postgres(url), "PostgreSQL", settings, seed))
    }

    /// In a database of PostgreSQL, through a pooler in transaction mode that has six connections for all.
    #[must_use]
    pub fn pooled() -> Option<Self> {
        static POOLER: OnceLock<Option<Pooler>> = OnceLock::new();
        let server = test_postgres::shared()?;
        let pooler = POOLER.get_or_init(|| Pooler::start(server, 6)).as_ref()?;
        Some(Self::at_url(format!("{}?pooler=transaction", pooler.url(&server.database()))))
    }

    /// In the database of PostgreSQL at this URL.
    #[must_use]
    pub fn at_url(url: String) -> Self {
        Self::on(Place::Postgres(url), "PostgreSQL", settings(), 1)
    }

    fn on(place: Place, store: &'static str, settings: Settings, seed: u64) -> Self {
        let clock = Arc::new(FixedClock::at(Instant::parse(START).unwrap()));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let passes = Passes::open(place.open(), keyring(), clock.clone(), entropy.clone()).wait().unwrap();
        let actor = Actor::new("admin", Rights::all()).unwrap();
        let business = passes.create_business(&actor, settings).wait().unwrap();
        let by = By::new(business, actor);
        Self { passes, clock, by, store, place, entropy, contacts: AtomicU32::new(0) }
    }

    /// Where its file is, if it has one.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Memory(_) | Place::Postgres(_) => None,
            Place::Sqlite(folder) => Some(file_in(folder.path())),
        }
    }

    /// How another process opens it, if one can: the path of a file, or a URL.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        match &self.place {
            Place::Memory(_) => None,
            Place::Sqlite(folder) => file_in(folder.path()).to_str().map(str::to_owned),
            Place::Postgres(url) => Some(url.clone()),
        }
    }

    /// The business.
    #[must_use]
    pub fn business(&self) -> BusinessId {
        self.by.business
    }

    /// Drops everything that is only in memory and opens it again, as after a crash between two commands.
    pub fn reopen(&mut self) {
        self.reopen_with(keyring()).unwrap();
    }

    /// The same, with other keys.
    ///
    /// # Errors
    /// Those of opening; it is then closed.
    pub fn reopen_with(&mut self, keys: Keyring) -> Result<(), Error> {
        // The old handle goes first: its store closes the file.
        let nothing: Arc<dyn Store> = Arc::new(Memory::new());
        self.passes = Passes::open(nothing, keyring(), self.clock.clone(), self.entropy.clone()).wait()?;
        self.passes =
            Passes::open(self.place.open(), keys, self.clock.clone(), self.entropy.clone()).wait()?;
        Ok(())
    }

    /// Sets the clock.
    pub fn at(&self, instant: &str) {
        self.clock.set(Instant::parse(instant).unwrap());
    }

    /// Somebody who may do everything, with this idempotency key.
    #[must_use]
    pub fn key(&self, key: &str) -> By {
        self.by.clone().key(key)
    }

    /// The books, which must add up: by the tests' own sums, and by the library's.
    #[must_use]
    pub fn books(&self) -> Books {
        let verified = self.passes.verify(&self.by).wait().unwrap();
        assert!(verified.is_good(), "{:?}", verified.drifts);
        Books::of(&**self.passes.store(), self.business())
    }

    /// How many operations there are.
    #[must_use]
    pub fn operations(&self) -> usize {
        crate::books::operations(&**self.passes.store(), self.business())
    }

    /// What a plan is made from: a printed gift card of a fixed value, as the value says.
    #[must_use]
    pub fn spec(value: &str) -> Spec {
        Self::spec_of(Terms::fixed(Classification::Gift, Form::Printed, amount(value)))
    }

    /// What a plan with these terms is made from.
    #[must_use]
    pub fn spec_of(terms: Terms) -> Spec {
        Spec {
            name: [("en".to_owned(), "Gift".to_owned())].into(),
            description: Default::default(),
            terms,
            code: Format::default(),
            caps: Caps::default(),
        }
    }

    /// An active plan.
    #[must_use]
    pub fn plan(&self, spec: Spec) -> PlanId {
        let plan = self.passes.create_plan(&self.by, spec).wait().unwrap().done;
        self.passes.activate_plan(&self.by, plan).wait().unwrap();
        plan
    }

    /// A complete lot of a plan.
    #[must_use]
    pub fn lot(&self, plan: PlanId, count: u32) -> LotId {
        let started =
            self.passes.generate(&self.by, Generate { plan, count, accept_weak: false }).wait().unwrap();
        self.passes.finish_run(&self.by, started.run).wait().unwrap();
        started.lot
    }

    /// The export of a lot.
    #[must_use]
    pub fn export(&self, lot: LotId) -> Vec<ExportRow> {
        self.passes.export(&self.by.clone().reason("test"), lot).wait().unwrap();
        let mut rows = Vec::new();
        loop {
            let page = self.passes.export_page(&self.by, lot, rows.len() as u32, 10_000).wait().unwrap();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }

    /// A lot with its codes: each pass and its code.
    #[must_use]
    pub fn lot_with_codes(&self, plan: PlanId, count: u32) -> Vec<(PassId, String)> {
        let lot = self.lot(plan, count);
        self.export(lot).into_iter().map(|row| (row.pass, row.code.reveal().to_owned())).collect()
    }

    /// One pass of a new plan, sold at its value, and its code.
    #[must_use]
    pub fn sold(&self, spec: Spec) -> (PassId, String) {
        let price = spec.terms.usage.total(spec.terms.range().0).unwrap();
        let (pass, code) = self.draft(spec);
        self.passes.sell(&self.by, pass, Deal::at(price)).wait().unwrap();
        (pass, code)
    }

    /// One pass of a new plan, and its code.
    #[must_use]
    pub fn draft(&self, spec: Spec) -> (PassId, String) {
        let plan = self.plan(spec);
        self.lot_with_codes(plan, 1).remove(0)
    }

    /// One sold pass of this value.
    #[must_use]
    pub fn gift(&self, value: &str) -> (PassId, String) {
        self.sold(Self::spec(value))
    }

    /// One sold pass of this value and usage.
    #[must_use]
    pub fn used(&self, value: &str, usage: Usage) -> (PassId, String) {
        let mut spec = Self::spec(value);
        spec.terms.usage = usage;
        self.sold(spec)
    }

    /// A new registered contact.
    #[must_use]
    pub fn contact(&self) -> ContactId {
        let number = self.contacts.fetch_add(1, Ordering::Relaxed);
        let profile = Profile::named("Ann", Medium::Reference(format!("customer {number}")));
        self.passes.create_contact(&self.by, profile).wait().unwrap().done
    }
}

impl Place {
    fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::clone(store),
            Self::Sqlite(folder) => Arc::new(Sqlite::open(file_in(folder.path())).unwrap()),
            Self::Postgres(url) => Arc::new(patient().open(url).unwrap()),
        }
    }
}

/// Options of PostgreSQL for who reads events or verifies books right behind a commit, and counts what is there.
#[must_use]
pub fn patient() -> Options {
    Postgres::options().settle_timeout(test_postgres::SETTLE)
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("passes.db")
}

/// A basket of one line.
#[must_use]
pub fn one_line(price: &str) -> Basket {
    basket(&[("X", &[], price)])
}

/// A basket of lines of one article each: SKU, families, price.
///
/// # Panics
/// Without a line.
#[must_use]
pub fn basket(lines: &[(&str, &[&str], &str)]) -> Basket {
    let lines: Vec<Line> = lines
        .iter()
        .map(|(sku, families, price)| Line::new(sku, 1, amount(price)).families(families))
        .collect();
    Basket::new(lines[0].unit_price.currency(), lines).unwrap()
}

//! A shop that the tests of bad input and of secrets trade in: on a store in memory, and in a file of SQLite.

use crate::keyring;
use passes_host::business::Settings;
use passes_host::calendar::Instant;
use passes_host::conditions::{Basket, Line};
use passes_host::contact::{Medium, Profile};
use passes_host::event::Position;
use passes_host::id::{ContactId, LotId, PassId, PlanId};
use passes_host::money::{Currency, Money};
use passes_host::operation::{Actor, By, Right, Rights};
use passes_host::passcode::{Format, Passcode};
use passes_host::plan::{Caps, Classification, Form, Spec, Terms};
use passes_host::service::{Deal, ExportRow, Generate, OperationFilter, OperationView, Verified};
use passes_host::store::Store;
use passes_host::testing::{FixedClock, SeededEntropy};
use passes_host::{Error, Opener, Passes};
use std::sync::Arc;

/// The moment at which the clock of every shop stands: a Wednesday.
const NOON: &str = "2026-07-01T12:00:00Z";

pub(crate) fn money(amount: &str, currency: &str) -> Money {
    Money::parse(amount, Currency::parse(currency).unwrap()).unwrap()
}

pub(crate) fn eur(amount: &str) -> Money {
    money(amount, "EUR")
}

/// A basket of one line.
pub(crate) fn basket(amount: &str) -> Basket {
    Basket::new(eur("0").currency(), vec![Line::new("MUG", 1, eur(amount))]).unwrap()
}

/// The terms of printed gift cards worth 50 euros.
pub(crate) fn card() -> Terms {
    Terms::fixed(Classification::Gift, Form::Printed, eur("50"))
}

/// Codes with a prefix and a check character.
pub(crate) fn checked() -> Format {
    Format { prefix: "GIFT".into(), check: true, ..Format::default() }
}

pub(crate) fn spec(terms: Terms, code: Format) -> Spec {
    Spec {
        name: [("en".to_owned(), "Gift card".to_owned())].into(),
        description: Default::default(),
        terms,
        code,
        caps: Caps::default(),
    }
}

/// The code of an error.
pub(crate) fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.err().map_or("it was accepted", |error| error.code())
}

pub(crate) struct Shop {
    pub(crate) passes: Passes,
    pub(crate) by: By,
}

/// A test on a store in memory and on a file of SQLite.
pub(crate) fn on_each_store(test: impl Fn(&Shop)) {
    test(&Shop::in_memory());
    #[cfg(feature = "sqlite")]
    {
        let folder = tempfile::tempdir().unwrap();
        let store = passes_host::sqlite::Sqlite::open(folder.path().join("shop.db")).unwrap();
        test(&Shop::on(Arc::new(store), |_| {}));
    }
}

/// What a business holds: a command that was refused leaves it as it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    operations: Vec<OperationView>,
    verified: Verified,
    plans: usize,
    lots: usize,
}

/// With a clock that stands still, and randomness that repeats.
pub(crate) fn opener(seed: u64) -> Opener {
    let clock = FixedClock::at(Instant::parse(NOON).unwrap());
    Opener::new().clock(Arc::new(clock)).entropy(Arc::new(SeededEntropy::new(seed)))
}

impl Shop {
    /// On a store, as a new business whose settings are changed before.
    pub(crate) fn on(store: Arc<dyn Store>, set: impl FnOnce(&mut Settings)) -> Self {
        let passes = opener(1).open_on(store, keyring("m1", 0x5c)).wait().unwrap();
        let actor = Actor::new("owner of the shop", Rights::all()).unwrap();
        let mut settings = Settings::new("Shop", "Europe/Berlin", &["EUR", "JPY", "BHD"], "en").unwrap();
        set(&mut settings);
        let business = passes.create_business(&actor, settings).wait().unwrap();
        Self { passes, by: By::new(business, actor) }
    }

    pub(crate) fn in_memory() -> Self {
        Self::on(Arc::new(passes_host::store::memory::Memory::new()), |_| {})
    }

    /// Somebody else, with these rights.
    pub(crate) fn with_rights(&self, rights: &[Right]) -> By {
        By::new(self.by.business, Actor::new("bob", Rights::of(rights)).unwrap())
    }

    pub(crate) fn key(&self, key: &str) -> By {
        self.by.clone().key(key)
    }

    pub(crate) fn plan(&self, spec: Spec) -> PlanId {
        let plan = self.passes.create_plan(&self.by, spec).wait().unwrap().done;
        self.passes.activate_plan(&self.by, plan).wait().unwrap();
        plan
    }

    pub(crate) fn generate(&self, plan: PlanId, count: u32) -> Result<LotId, Error> {
        let started = self.passes.generate(&self.by, Generate { plan, count, accept_weak: false }).wait()?;
        self.passes.finish_run(&self.by, started.run).wait()?;
        Ok(started.lot)
    }

    pub(crate) fn export(&self, lot: LotId) -> Vec<ExportRow> {
        self.passes.export(&self.by, lot).wait().unwrap();
        self.passes.export_page(&self.by, lot, 0, 10_000).wait().unwrap()
    }

    /// Sold passes of a new lot, with their codes.
    pub(crate) fn sold(&self, terms: Terms, format: Format, count: u32) -> Vec<(PassId, Passcode)> {
        let price = terms.fixed_value().unwrap();
        let lot = self.generate(self.plan(spec(terms, format)), count).unwrap();
        let rows = self.export(lot);
        let passes: Vec<PassId> = rows.iter().map(|row| row.pass).collect();
        self.passes.sell(&self.by, passes, Deal::at(price)).wait().unwrap();
        rows.into_iter().map(|row| (row.pass, row.code)).collect()
    }

    /// A registered contact.
    pub(crate) fn contact(&self, name: &str) -> ContactId {
        let profile = Profile::named(name, Medium::Reference(name.to_owned()));
        self.passes.create_contact(&self.by, profile).wait().unwrap().done
    }

    /// Every operation there is.
    pub(crate) fn operations(&self) -> Vec<OperationView> {
        let all = OperationFilter::default();
        let page = self.passes.operations(&self.by, all, Position::default(), 10_000).wait().unwrap();
        assert!(page.next.is_none());
        page.rows
    }

    pub(crate) fn traces(&self) -> Traces {
        let verified = self.passes.verify(&self.by).wait().unwrap();
        assert!(verified.is_good(), "{:?}", verified.drifts);
        Traces {
            operations: self.operations(),
            verified,
            plans: self.passes.plans(&self.by, None, 10_000).wait().unwrap().rows.len(),
            lots: self.passes.lots(&self.by, None, None, 10_000).wait().unwrap().rows.len(),
        }
    }
}

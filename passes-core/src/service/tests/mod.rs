//! Use cases on a store in memory, at a time that stands still until it is moved.

mod books;
mod business;
mod reading;

use super::{Clock, Deal, Entropy, Generate, Passes};
use crate::business::Settings;
use crate::calendar::Instant;
use crate::conditions::{Basket, Line, Pool};
use crate::contact::{Medium, Profile};
use crate::id::{ContactId, LotId, PlanId};
use crate::money::{Currency, Money};
use crate::operation::{Actor, By, Rights};
use crate::passcode::{Format, Passcode};
use crate::plan::{Caps, Classification, Form, Spec, Terms, Translated};
use crate::secret::Keyring;
use crate::store::memory::Memory;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A clock that shows what it was set to.
struct Time(Mutex<Instant>);

impl Time {
    fn set(&self, at: &str) {
        *self.0.lock().unwrap() = Instant::parse(at).unwrap();
    }
}

impl Clock for Time {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

/// Seeds that differ from each other, and are the same in every run.
#[derive(Default)]
struct Seeds(AtomicU64);

impl Entropy for Seeds {
    fn seed(&self) -> Result<[u8; 32], String> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(blake3::derive_key("passes tests seed", &number.to_be_bytes()))
    }
}

fn eur(amount: &str) -> Money {
    Money::parse(amount, Currency::EUR).unwrap()
}

/// A basket of one line.
fn basket(amount: &str) -> Basket {
    Basket::new(Currency::EUR, vec![Line::new("A1", 1, eur(amount))]).unwrap()
}

/// A business in Berlin that trades in euros.
struct Shop {
    passes: Passes,
    by: By,
    time: Arc<Time>,
    store: Memory,
}

impl Shop {
    /// At noon of 1 May 2026, UTC.
    fn open() -> Self {
        Self::with(|_| {})
    }

    /// With settings of its own. There is a commerce pool of toys.
    fn with(set: impl FnOnce(&mut Settings)) -> Self {
        let time = Arc::new(Time(Mutex::new(Instant::parse("2026-05-01T12:00:00Z").unwrap())));
        let store = Memory::new();
        let ring = Keyring::from_master("k1", &[7; 32]).unwrap();
        let (clock, entropy) = (Arc::clone(&time), Arc::new(Seeds::default()));
        let passes = Passes::open(Arc::new(store.clone()), ring, clock, entropy).wait().unwrap();
        let actor = Actor::new("ann", Rights::all()).unwrap();
        let mut settings = Settings::new("Shop", "Europe/Berlin", &["EUR", "JPY"], "en").unwrap();
        settings.pools = vec![Pool { name: "toys".into(), conditions: Default::default() }];
        set(&mut settings);
        let business = passes.create_business(&actor, settings).wait().unwrap();
        Self { passes, by: By::new(business, actor), time, store }
    }

    /// The same person with fewer rights.
    fn with_rights(&self, rights: &[crate::operation::Right]) -> By {
        By::new(self.by.business, Actor::new("bob", Rights::of(rights)).unwrap())
    }

    /// An active plan.
    fn plan(&self, terms: Terms) -> PlanId {
        let spec = Spec {
            name: [("en".to_owned(), "Gift".to_owned())].into(),
            description: Translated::new(),
            terms,
            code: Format { prefix: "GIFT".into(), check: true, ..Format::default() },
            caps: Caps::default(),
        };
        let plan = self.passes.create_plan(&self.by, spec).wait().unwrap().done;
        self.passes.activate_plan(&self.by, plan).wait().unwrap();
        plan
    }

    /// A plan of printed gift cards that are worth 50 euros.
    fn cards(&self) -> PlanId {
        self.plan(card())
    }

    /// A whole lot.
    fn lot(&self, plan: PlanId, count: u32) -> LotId {
        let request = Generate { plan, count, accept_weak: false };
        let started = self.passes.generate(&self.by, request).wait().unwrap().done;
        self.passes.finish_run(&self.by, started.run).wait().unwrap();
        started.lot
    }

    /// The codes of a lot, in the order of the serial numbers.
    fn codes(&self, lot: LotId) -> Vec<Passcode> {
        let again = self.by.clone().reason("a test");
        self.passes.export(&again, lot).wait().unwrap();
        let rows = self.passes.export_page(&self.by, lot, 0, 10_000).wait().unwrap();
        rows.into_iter().map(|row| row.code).collect()
    }

    /// A lot of which each pass was sold at this price, with its codes.
    fn sold(&self, plan: PlanId, count: u32, price: &str) -> (LotId, Vec<Passcode>) {
        let lot = self.lot(plan, count);
        let passes: Vec<_> = (1..=count).map(|serial| lot.pass(serial)).collect();
        self.passes.sell(&self.by, passes, Deal::at(eur(price))).wait().unwrap();
        (lot, self.codes(lot))
    }

    /// A registered contact.
    fn contact(&self, name: &str) -> ContactId {
        let profile = Profile::named(name, Medium::Reference(name.into()));
        self.passes.create_contact(&self.by, profile).wait().unwrap().done
    }
}

/// The terms of printed gift cards that are worth 50 euros.
fn card() -> Terms {
    Terms::fixed(Classification::Gift, Form::Printed, eur("50"))
}

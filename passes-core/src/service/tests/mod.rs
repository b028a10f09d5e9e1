//! Use cases on a store in memory, at a time that stands still until it is moved.

mod audit;
mod between;
mod books;
mod business;
mod checkpoints;
mod contacts;
mod drift;
mod expiry;
mod keys;
mod lots;
mod people;
mod plans;
mod reading;
mod redeeming;
mod reversing;
mod spending;

use super::{Clock, Deal, Entropy, Error, Generate, Passes};
use crate::business::Settings;
use crate::calendar::Instant;
use crate::conditions::{Basket, Line, Pool};
use crate::contact::{Medium, Profile};
use crate::id::{ContactId, CreditId, LotId, PassId, PlanId};
use crate::money::{Currency, Money};
use crate::operation::{Actor, By, Rights};
use crate::passcode::{Format, Passcode};
use crate::plan::{Caps, Classification, Form, Spec, Terms, Translated};
use crate::refusal::Refusal;
use crate::secret::Keyring;
use crate::store::memory::Memory;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A clock that shows what it was set to.
struct Time(Mutex<Instant>);

impl Time {
    fn set(&self, at: &str) {
        self.set_to(Instant::parse(at).unwrap());
    }

    fn set_to(&self, at: Instant) {
        *self.0.lock().unwrap() = at;
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

/// Why it was refused, the reason to tell first in front.
fn reasons<T: std::fmt::Debug>(answer: Result<T, Error>) -> Vec<Refusal> {
    answer.unwrap_err().reasons().to_vec()
}

/// The same, by code.
fn codes_of(reasons: &[Refusal]) -> Vec<&'static str> {
    reasons.iter().map(Refusal::code).collect()
}

fn eur(amount: &str) -> Money {
    Money::parse(amount, Currency::EUR).unwrap()
}

/// A basket of one line.
fn basket(amount: &str) -> Basket {
    Basket::new(Currency::EUR, vec![Line::new("A1", 1, eur(amount))]).unwrap()
}

fn opened(store: Arc<dyn crate::store::Store>, time: &Arc<Time>, seeds: &Arc<Seeds>) -> Passes {
    let ring = Keyring::from_master("k1", &[7; 32]).unwrap();
    Passes::open(store, ring, Arc::clone(time) as _, Arc::clone(seeds) as _).wait().unwrap()
}

/// A business in Berlin that trades in euros.
struct Shop {
    passes: Passes,
    by: By,
    time: Arc<Time>,
    store: Memory,
    seeds: Arc<Seeds>,
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
        let seeds = Arc::new(Seeds::default());
        let passes = opened(Arc::new(store.clone()), &time, &seeds);
        let actor = Actor::new("ann", Rights::all()).unwrap();
        let mut settings = Settings::new("Shop", "Europe/Berlin", &["EUR", "JPY"], "en").unwrap();
        settings.pools = vec![Pool { name: "toys".into(), conditions: Default::default() }];
        set(&mut settings);
        let business = passes.create_business(&actor, settings).wait().unwrap();
        Self { passes, by: By::new(business, actor), time, store, seeds }
    }

    /// What was kept in memory is gone; what was stored is there.
    fn reopen(&mut self) {
        self.passes = opened(Arc::new(self.store.clone()), &self.time, &self.seeds);
    }

    /// The same person with fewer rights.
    fn with_rights(&self, rights: &[crate::operation::Right]) -> By {
        By::new(self.by.business, Actor::new("bob", Rights::of(rights)).unwrap())
    }

    /// An active plan.
    fn plan(&self, terms: Terms) -> PlanId {
        self.plan_of(spec(terms))
    }

    /// An active plan of which all is said.
    fn plan_of(&self, spec: Spec) -> PlanId {
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
        self.sold_at(plan, count, eur(price))
    }

    /// The same, in any currency.
    fn sold_at(&self, plan: PlanId, count: u32, price: Money) -> (LotId, Vec<Passcode>) {
        let lot = self.lot(plan, count);
        let passes: Vec<_> = (1..=count).map(|serial| lot.pass(serial)).collect();
        self.passes.sell(&self.by, passes, Deal::at(price)).wait().unwrap();
        (lot, self.codes(lot))
    }

    /// The code of one pass of these terms, sold at this price.
    fn one(&self, terms: Terms, price: Money) -> (PassId, Passcode) {
        let (lot, codes) = self.sold_at(self.plan(terms), 1, price);
        (lot.pass(1), codes[0].clone())
    }

    /// What is left of each credit of a wallet, in no order.
    fn credits(&self, contact: ContactId) -> BTreeMap<CreditId, i64> {
        let wallet = self.passes.wallet(&self.by, contact).wait().unwrap();
        wallet.credits.iter().map(|credit| (credit.id, credit.left.minor())).collect()
    }

    /// All that a wallet holds, in minor units.
    fn holds(&self, contact: ContactId) -> i64 {
        self.credits(contact).values().sum()
    }

    /// Nothing has drifted in the books.
    fn proved(&self) {
        let verified = self.passes.verify(&self.by).wait().unwrap();
        assert!(verified.is_good(), "{:?}", verified.drifts);
    }

    /// A registered contact.
    fn contact(&self, name: &str) -> ContactId {
        let profile = Profile::named(name, Medium::Reference(name.into()));
        self.passes.create_contact(&self.by, profile).wait().unwrap().done
    }
}

fn spec(terms: Terms) -> Spec {
    Spec {
        name: [("en".to_owned(), "Gift".to_owned())].into(),
        description: Translated::new(),
        terms,
        code: Format { prefix: "GIFT".into(), check: true, ..Format::default() },
        caps: Caps::default(),
    }
}

/// The terms of printed gift cards that are worth 50 euros.
fn card() -> Terms {
    Terms::fixed(Classification::Gift, Form::Printed, eur("50"))
}

//! A business on any store, with sold passes of one kind and their codes: what the sections about speed start from.

use crate::run::Made;
use crate::world::MASTER;
use passes_core::business::Settings;
use passes_core::conditions::Conditions;
use passes_core::contact::{Medium, Profile};
use passes_core::id::{ContactId, LotId, PlanId};
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::passcode::Format;
use passes_core::plan::{Classification, Form, Spec, SpendBy, Terms};
use passes_core::secret::Keyring;
use passes_core::service::{Deal, Generate};
use passes_core::store::Store;
use passes_core::{Passes, Refusal, limits};
use passes_host::Opener;
use std::sync::Arc;

/// What each pass is worth, in minor units.
pub(crate) const VALUE: i64 = 2_500;

/// A business with sold gift cards, opened as a host opens it: the machine's clock and randomness.
pub(crate) struct Stock {
    pub(crate) passes: Passes,
    /// A till: no idempotency key yet.
    pub(crate) by: By,
    pub(crate) contacts: Vec<ContactId>,
    /// The codes of the passes, in no order.
    pub(crate) codes: Codes,
}

impl Stock {
    /// So many sold passes of 25 euros in one lot, which may be spent on everything.
    pub(crate) fn new(store: Arc<dyn Store>, count: u32) -> Made<Self> {
        let mut stock = Self::open(store)?;
        stock.sell(Conditions::default(), count)?;
        Ok(stock)
    }

    /// A business without passes.
    pub(crate) fn open(store: Arc<dyn Store>) -> Made<Self> {
        let ring = Keyring::from_master("k1", &MASTER)?;
        let passes = Opener::new().open_on(store, ring).wait()?;
        let till = Actor::new("till-07", Rights::all())?;
        let settings = Settings::new("The Gift Shop", "Europe/Berlin", &["EUR"], "de")?;
        let business = passes.create_business(&till, settings).wait()?;
        let by = By::new(business, till).place("store-012").channel("pos");
        Ok(Self { passes, by, contacts: Vec::new(), codes: Codes::default() })
    }

    /// So many more contacts.
    pub(crate) fn welcome(&mut self, contacts: u32) -> Made<()> {
        for _ in 0..contacts {
            let n = self.contacts.len();
            let profile = Profile::named(&format!("Customer {n}"), Medium::Reference(format!("c{n}")));
            self.contacts.push(self.passes.create_contact(&self.by, profile).wait()?.done);
        }
        Ok(())
    }

    /// A new plan of gift cards of 25 euros under these conditions.
    pub(crate) fn plan(&self, conditions: Conditions) -> Made<PlanId> {
        let (passes, by) = (&self.passes, &self.by);
        let value = Money::from_minor(VALUE, Currency::EUR)?;
        let mut terms = Terms::fixed(Classification::Gift, Form::Printed, value);
        terms.conditions = conditions;
        terms.spend_by = SpendBy::AfterRedemption("P1Y".parse()?);
        let spec = Spec {
            name: [("de".to_owned(), "Geschenkkarte".to_owned())].into(),
            description: Default::default(),
            terms,
            code: Format { prefix: "GIFT".into(), ..Format::default() },
            caps: Default::default(),
        };
        let plan = passes.create_plan(by, spec).wait()?.done;
        passes.activate_plan(by, plan).wait()?;
        Ok(plan)
    }

    /// A lot of so many passes.
    pub(crate) fn lot(&self, plan: PlanId, count: u32) -> Made<LotId> {
        let (passes, by) = (&self.passes, &self.by);
        let lot = passes.generate(by, Generate { plan, count, accept_weak: false }).wait()?;
        passes.finish_run(by, lot.run).wait()?;
        Ok(lot.lot)
    }

    /// A lot of a plan under these conditions, sold.
    pub(crate) fn sell(&mut self, conditions: Conditions, count: u32) -> Made<()> {
        let lot = self.lot(self.plan(conditions)?, count)?;
        let (passes, by) = (&self.passes, &self.by);
        let value = Money::from_minor(VALUE, Currency::EUR)?;
        let sold = passes.sell(by, lot, Deal::at(value)).wait()?;
        passes.finish_run(by, sold.run.ok_or("a sale of a lot is a run")?).wait()?;
        passes.export(by, lot).wait()?;
        let mut after = 0;
        loop {
            let page = passes.export_page(by, lot, after, limits::PAGE).wait()?;
            let Some(last) = page.last() else { break };
            after = last.serial;
            page.iter().for_each(|row| self.codes.push(row.code.reveal()));
        }
        shuffle(&mut self.codes.order, 7);
        Ok(())
    }

    /// The till, giving this key.
    pub(crate) fn keyed(&self, key: &str) -> By {
        self.by.clone().key(key)
    }
}

/// Codes in one piece of memory: a million small ones, freed in no order, would leave a heap full of holes to
/// whoever comes next.
#[derive(Default)]
pub(crate) struct Codes {
    text: String,
    /// Begin and length of each that is left.
    order: Vec<(u32, u32)>,
}

impl Codes {
    fn push(&mut self, code: &str) {
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.order.push((length(&self.text), length(code)));
        self.text.push_str(code);
    }

    /// What they take, in bytes.
    pub(crate) fn bytes(&self) -> f64 {
        (self.text.capacity() + self.order.capacity() * size_of::<(u32, u32)>()) as f64
    }

    /// The next one that nobody has.
    pub(crate) fn next(&mut self) -> Option<&str> {
        let (begin, length) = self.order.pop()?;
        let begin = usize::try_from(begin).ok()?;
        self.text.get(begin..begin + usize::try_from(length).ok()?)
    }
}

/// Money in euros.
pub(crate) fn euros(minor: i64) -> Result<Money, Refusal> {
    Money::from_minor(minor, Currency::EUR)
}

/// Puts them in an order without a pattern, the same each time.
pub(crate) fn shuffle<T>(of: &mut [T], seed: u64) {
    let mut dice = Dice(seed);
    for at in (1..of.len()).rev() {
        of.swap(at, dice.below(at + 1));
    }
}

/// Numbers without a pattern, the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of the numbers below it.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let wide = u128::from(self.next()) * (count as u128);
        usize::try_from(wide >> 64).unwrap_or_default()
    }
}

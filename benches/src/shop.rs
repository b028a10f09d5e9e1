//! A business with one plan of gift cards in a database of its own, for what is made in large numbers.

use crate::run::Made;
use crate::world::MASTER;
use passes_core::business::Settings;
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, LotId, PlanId, RunId};
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::passcode::Format;
use passes_core::plan::{Classification, Form, Spec, Terms};
use passes_core::secret::Keyring;
use passes_core::service::{Deal, Generate};
use passes_core::store::Store;
use passes_core::{Passes, run::Progress};
use passes_host::testing::FixedClock;
use passes_host::{Opener, OsEntropy};
use passes_sqlite::{Options, Sqlite};
use std::path::Path;
use std::sync::Arc;

/// What a card is worth, in euros.
pub(crate) const VALUE: &str = "500";

pub(crate) struct Shop {
    pub(crate) store: Arc<Sqlite>,
    pub(crate) passes: Passes,
    pub(crate) by: By,
    pub(crate) business: BusinessId,
    pub(crate) plan: PlanId,
}

impl Shop {
    /// Makes the file, the business and the plan.
    pub(crate) fn make(options: Options, path: &Path) -> Made<Self> {
        let (store, passes) = open(options, path)?;
        let till = Actor::new("till-07", Rights::all())?;
        let settings = Settings::new("The Gift Shop", "Europe/Berlin", &["EUR"], "de")?;
        let business = passes.create_business(&till, settings).wait()?;
        let by = By::new(business, till).place("store-012").channel("pos");
        let value = Money::parse(VALUE, Currency::EUR)?;
        let spec = Spec {
            name: [("de".to_owned(), "Geschenkkarte".to_owned())].into(),
            description: Default::default(),
            terms: Terms::fixed(Classification::Gift, Form::Printed, value),
            code: Format::default(),
            caps: Default::default(),
        };
        let plan = passes.create_plan(&by, spec).wait()?.done;
        passes.activate_plan(&by, plan).wait()?;
        Ok(Self { store, passes, by, business, plan })
    }

    /// Opens a copy of the file that another one made.
    pub(crate) fn again(&self, options: Options, path: &Path) -> Made<Self> {
        let (store, passes) = open(options, path)?;
        let (by, business, plan) = (self.by.clone(), self.business, self.plan);
        Ok(Self { store, passes, by, business, plan })
    }

    /// Generates a lot, `each` being told after every step; the lot, and how many steps it took.
    pub(crate) fn generate(&self, count: u32, mut each: impl FnMut(&Progress)) -> Made<(LotId, u32)> {
        let request = Generate { plan: self.plan, count, accept_weak: false };
        let started = self.passes.generate(&self.by, request).wait()?.done;
        Ok((started.lot, self.steps(started.run, &mut each)?))
    }

    /// Sells all cards of a lot.
    pub(crate) fn sell(&self, lot: LotId, mut each: impl FnMut(&Progress)) -> Made<()> {
        let price = Money::parse(VALUE, Currency::EUR)?;
        let sold = self.passes.sell(&self.by, lot, Deal::at(price)).wait()?;
        self.steps(sold.done.run.ok_or("a sale of a lot is a run")?, &mut each)?;
        Ok(())
    }

    fn steps(&self, run: RunId, each: &mut impl FnMut(&Progress)) -> Made<u32> {
        let mut steps = 0;
        loop {
            let progress = self.passes.step(&self.by, run).wait()?;
            steps += 1;
            each(&progress);
            if progress.is_over() {
                return Ok(steps);
            }
        }
    }
}

fn open(options: Options, path: &Path) -> Made<(Arc<Sqlite>, Passes)> {
    let store = Arc::new(options.open(path)?);
    let clock = Arc::new(FixedClock::at(Instant::parse("2026-09-21T08:00:00Z")?));
    let opener = Opener::new().clock(clock).entropy(Arc::new(OsEntropy));
    let passes = opener.open_on(Arc::clone(&store) as Arc<dyn Store>, Keyring::from_master("k1", &MASTER)?);
    Ok((store, passes.wait()?))
}

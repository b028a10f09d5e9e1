//! The shop whose tills are killed.

use crate::deed::Plan;
use crate::{Answer, Deed};
use passes_core::id::{ContactId, PlanId};
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::plan::{Classification, Form, Spec, Terms, Usage};
use passes_core::store::Store;
use passes_core::{Error, Passes};
use passes_host::SystemClock;
use passes_host::testing::SeededEntropy;
use passes_sqlite::Options;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tests::World;
use tests::world::{keyring, minor, settings};

/// How many customers it has.
const CUSTOMERS: u32 = 6;

/// The shop, open.
pub struct Shop {
    /// The library.
    pub passes: Passes,
    /// Somebody who may do everything.
    pub by: By,
}

/// Who and what the shop has from the beginning.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Goods {
    /// The customers.
    pub contacts: Vec<ContactId>,
    /// The plans, in the order of [`Plan::ALL`].
    pub plans: Vec<PlanId>,
}

impl Shop {
    /// Opens the file, and makes the business if there is none.
    ///
    /// # Errors
    /// None is expected, whatever happened to those who had the file open before.
    pub fn open(file: &Path, options: Options, seed: u64) -> Result<Self, Error> {
        Self::on(Arc::new(options.open(file)?), seed)
    }

    /// Opens it on any store, and makes the business if there is none.
    ///
    /// # Errors
    /// What the store says, if it can't be reached.
    pub fn on(store: Arc<dyn Store>, seed: u64) -> Result<Self, Error> {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let passes = Passes::open(store, keyring(), Arc::new(SystemClock), entropy).wait()?;
        let actor = Actor::new("till", Rights::all())?;
        let business = passes.create_business_once(&actor, "the shop", settings()).wait()?;
        Ok(Self { passes, by: By::new(business, actor) })
    }

    /// Sets the shop up, each time anew under the same keys: who comes first does it, who comes later has the
    /// same receipts.
    ///
    /// # Panics
    /// When a part of it isn't done.
    pub fn set_up(mut give: impl FnMut(&str, Deed) -> Answer) -> Goods {
        let mut done = |key: &str, deed: Deed| match give(key, deed) {
            Answer::Done(ack) => ack.done,
            other => panic!("{key}: {other:?}"),
        };
        let mut goods = Goods::default();
        for n in 0..CUSTOMERS {
            goods.contacts.push(read(done(&format!("customer {n}"), Deed::Register(n))));
        }
        for plan in Plan::ALL {
            let id = read(done(&format!("draw {plan:?}"), Deed::Draw(plan)));
            let _ = done(&format!("open {plan:?}"), Deed::Open(id));
            goods.plans.push(id);
        }
        goods
    }
}

/// What a receipt says.
///
/// # Panics
/// When it says something else.
#[must_use]
pub fn read<T: DeserializeOwned>(done: Value) -> T {
    serde_json::from_value(done).unwrap()
}

/// So many pence.
#[must_use]
pub fn gbp(pence: i64) -> Money {
    minor(pence, Currency::GBP)
}

/// What a plan is made from.
#[must_use]
pub fn spec(plan: Plan) -> Spec {
    let (form, value, usage) = match plan {
        Plan::Card => (Form::Printed, 2_000, Usage::Single),
        Plan::Booklet => (Form::Printed, 400, Usage::Full(5)),
        Plan::Mail => (Form::Electronic, 2_000, Usage::Single),
    };
    World::spec_of(Terms { usage, ..Terms::fixed(Classification::Gift, form, gbp(value)) })
}

//! What the model holds: plain numbers, no ledger, no tallies, no store.

use super::answer::Answer;
use super::calendar::Where;
use super::plans::{self, CONTACTS};
use super::script::{Command, Label, PassRef, Settings, Setup};
use passes_core::calendar::Instant;
use passes_core::conditions::{Conditions, Line};
use passes_core::id::{ContactId, CreditId, LotId, PassId, PlanId, RunId};
use passes_core::ledger::{Account, Mark};
use passes_core::money::Currency;
use passes_core::pass::State;
use passes_core::plan::{Form, PlanState, Spec, Usage, Worth};
use passes_core::run::RunState;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Where the library and the model differ, in words.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The two are the same.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, theirs: T, ours: T) -> Outcome {
    if theirs == ours { Ok(()) } else { Err(format!("{what}: answered {theirs:?}, foreseen {ours:?}")) }
}

pub(crate) struct Plan {
    pub id: PlanId,
    pub spec: Spec,
    pub state: PlanState,
    pub suspended: bool,
    /// Passes were made of it.
    pub frozen: bool,
    pub made: i64,
    pub value_made: i64,
    /// Its own, and those of its pool.
    pub conditions: Vec<Conditions>,
}

impl Plan {
    pub(crate) fn new(id: PlanId, spec: Spec) -> Self {
        let mut conditions = vec![spec.terms.conditions.clone()];
        if spec.terms.pool.is_some() {
            conditions.push(Conditions { families: ["food".into()].into(), ..Conditions::default() });
        }
        let (state, suspended, frozen) = (PlanState::Active, false, false);
        Self { id, spec, state, suspended, frozen, made: 0, value_made: 0, conditions }
    }

    pub(crate) fn currency(&self) -> Currency {
        self.spec.terms.currency
    }

    pub(crate) fn usage(&self) -> Usage {
        self.spec.terms.usage
    }

    pub(crate) fn electronic(&self) -> bool {
        self.spec.terms.form == Form::Electronic
    }

    pub(crate) fn paid_unsold(&self) -> bool {
        self.spec.terms.unsold == Mark::Paid
    }

    pub(crate) fn fixed(&self) -> Option<i64> {
        match self.spec.terms.value {
            Worth::Fixed(value) => Some(value.minor()),
            Worth::Range { .. } => None,
        }
    }

    pub(crate) fn range(&self) -> (i64, i64) {
        match self.spec.terms.value {
            Worth::Fixed(value) => (value.minor(), value.minor()),
            Worth::Range { least, most } => (least.minor(), most.minor()),
        }
    }

    pub(crate) fn total(&self, value: i64) -> i64 {
        if let Usage::Full(n) = self.usage() { value * i64::from(n) } else { value }
    }

    pub(crate) fn takes(&self, line: &Line) -> bool {
        self.conditions.iter().all(|c| {
            let listed = c.skus.is_empty() && c.families.is_empty()
                || c.skus.contains(&line.sku)
                || c.families.iter().any(|f| line.families.contains(f));
            let struck =
                c.not_skus.contains(&line.sku) || c.not_families.iter().any(|f| line.families.contains(f));
            listed && !struck && (c.stored_value || !line.stored_value)
        })
    }

    pub(crate) fn below_minimum(&self, total: i64) -> bool {
        self.conditions.iter().any(|c| c.minimum.is_some_and(|m| m.minor() > total))
    }

    pub(crate) fn speaks_of_products(&self) -> bool {
        self.conditions.iter().any(|c| {
            let lists = [&c.skus, &c.families, &c.not_skus, &c.not_families];
            lists.iter().any(|list| !list.is_empty()) || c.minimum.is_some()
        })
    }

    pub(crate) fn wrong_place(&self, place: Option<&str>) -> bool {
        let here = |places: &BTreeSet<String>| place.is_some_and(|place| places.contains(place));
        self.conditions.iter().any(|c| !c.places.is_empty() && !here(&c.places))
    }
}

pub(crate) struct Lot {
    pub at: PassRef,
    pub plan: Label,
    pub count: u32,
    pub complete: bool,
    pub suspended: bool,
    pub cancelled: bool,
    pub exports: u32,
    pub closed: bool,
    /// Its codes can still be brought back.
    pub seed: bool,
    /// The run that made it.
    pub run: Option<Label>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Draft,
    Active,
    Cancelled,
}

#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub at: PassRef,
    pub id: PassId,
    pub plan: Label,
    pub code: Option<String>,
    pub standing: Standing,
    pub suspended: bool,
    pub value: Option<i64>,
    pub limit: i64,
    pub used: i64,
    pub granted: i64,
    pub granted_used: i64,
    pub uses: i64,
    pub uses_used: i64,
    pub redeem_by: Option<i64>,
    pub expiry_set: bool,
    pub booked: bool,
    pub sold: Option<i64>,
    pub activated: Option<i64>,
    pub holder: Option<Label>,
    /// Whom it is delivered to, if it is.
    pub sent_to: Option<Label>,
    pub note: Option<String>,
    pub successor: Option<usize>,
    pub replaces: Option<PassId>,
}

impl Pass {
    pub(crate) fn left(&self) -> i64 {
        self.limit - self.used
    }

    /// What is left: granted, and paid.
    pub(crate) fn marks_left(&self) -> [(Mark, i64); 2] {
        let granted = self.granted - self.granted_used;
        [(Mark::Granted, granted), (Mark::Paid, self.left() - granted)]
    }
}

pub(crate) struct Contact {
    pub id: ContactId,
    pub currencies: Vec<Currency>,
    pub media: BTreeSet<u32>,
    pub credits: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Credit {
    pub contact: Label,
    pub id: CreditId,
    pub pass: usize,
    pub mark: Mark,
    pub spend_by: Option<i64>,
    pub created: i64,
    pub amount: i64,
    pub used: i64,
}

impl Credit {
    pub(crate) fn left(&self) -> i64 {
        self.amount - self.used
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Pass(usize),
    Credit(usize),
}

/// A movement of a redemption or a spend.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub from: From,
    pub to: Option<usize>,
    pub mark: Mark,
    pub line: Option<u32>,
    pub amount: i64,
    pub reversed: i64,
}

/// What can be reversed.
pub(crate) struct Taken {
    pub movements: Vec<Movement>,
    pub uses: i64,
}

/// A step that landed.
pub(crate) struct Landed {
    pub command: Command,
    pub answer: Answer,
    /// The number of its operation.
    pub number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// To this step.
    To(Label),
    /// A reversal came first.
    Stopped,
}

pub(crate) enum Work {
    /// A lot, and when it was asked for.
    Generate(LotId, i64),
    Passes {
        act: super::script::Act,
        range: Option<(LotId, u32, u32)>,
        plan: Label,
    },
}

pub(crate) struct Run {
    pub id: RunId,
    pub work: Work,
    pub state: RunState,
    pub done: u32,
    /// How many passes there are; of a plan, so many were made at some moment when it was started.
    pub total: Option<u32>,
    pub skipped: BTreeMap<State, u32>,
    pub after: Option<PassId>,
    /// When its first pass was sold.
    pub sold: Option<i64>,
}

pub(crate) struct Model {
    pub zone: Where,
    pub settings: Settings,
    pub now: i64,
    pub plans: BTreeMap<Label, Plan>,
    pub lots: BTreeMap<LotId, Lot>,
    pub lot_at: BTreeMap<PassRef, LotId>,
    pub passes: Vec<Pass>,
    pub pass_at: BTreeMap<PassRef, usize>,
    pub pass_by_id: BTreeMap<PassId, usize>,
    pub contacts: BTreeMap<Label, Contact>,
    pub contact_by_id: BTreeMap<ContactId, Label>,
    pub media: BTreeMap<u32, Label>,
    pub credits: Vec<Credit>,
    pub taken: BTreeMap<Label, Taken>,
    pub landed: BTreeMap<Label, Landed>,
    pub keys: BTreeMap<u32, Bound>,
    pub runs: BTreeMap<Label, Run>,
    pub accounts: BTreeMap<(Account, Mark, Currency), i64>,
}

impl Model {
    pub(crate) fn new(setup: &Setup, plans: &[PlanId], contacts: &[ContactId]) -> Self {
        let specs = plans::specs(setup);
        let plans = (1..).zip(plans.iter().zip(specs).map(|(id, spec)| Plan::new(*id, spec))).collect();
        let mut model = Self {
            zone: setup.zone,
            settings: setup.settings,
            now: Instant::parse(&setup.start).unwrap().micros(),
            plans,
            lots: BTreeMap::new(),
            lot_at: BTreeMap::new(),
            passes: Vec::new(),
            pass_at: BTreeMap::new(),
            pass_by_id: BTreeMap::new(),
            contacts: BTreeMap::new(),
            contact_by_id: BTreeMap::new(),
            media: BTreeMap::new(),
            credits: Vec::new(),
            taken: BTreeMap::new(),
            landed: BTreeMap::new(),
            keys: BTreeMap::new(),
            runs: BTreeMap::new(),
            accounts: BTreeMap::new(),
        };
        for (label, id) in (1..=CONTACTS).zip(contacts) {
            model.add_contact(label, *id, Vec::new(), [label].into());
        }
        model
    }

    pub(crate) fn add_contact(
        &mut self,
        label: Label,
        id: ContactId,
        currencies: Vec<Currency>,
        media: BTreeSet<u32>,
    ) {
        self.media.extend(media.iter().map(|medium| (*medium, label)));
        self.contact_by_id.insert(id, label);
        self.contacts.insert(label, Contact { id, currencies, media, credits: Vec::new() });
    }

    /// The label of a contact.
    pub(crate) fn contact_of(&self, id: ContactId) -> Outcome<Label> {
        self.contact_by_id.get(&id).copied().ok_or_else(|| format!("nobody knows contact {id}"))
    }

    pub(crate) fn add_pass(&mut self, pass: Pass) -> usize {
        let index = self.passes.len();
        self.pass_at.insert(pass.at, index);
        self.pass_by_id.insert(pass.id, index);
        self.passes.push(pass);
        index
    }

    pub(crate) fn add_lot(&mut self, id: LotId, lot: Lot) {
        self.lot_at.insert(lot.at, id);
        self.lots.insert(id, lot);
    }

    pub(crate) fn add_credit(&mut self, credit: Credit) -> usize {
        let index = self.credits.len();
        if let Some(contact) = self.contacts.get_mut(&credit.contact) {
            contact.credits.push(index);
        }
        self.credits.push(credit);
        index
    }

    pub(crate) fn book(&mut self, from: Account, to: Account, mark: Mark, amount: i64, currency: Currency) {
        *self.accounts.entry((from, mark, currency)).or_default() -= amount;
        *self.accounts.entry((to, mark, currency)).or_default() += amount;
    }

    pub(crate) fn plan_of(&self, pass: usize) -> &Plan {
        &self.plans[&self.passes[pass].plan]
    }

    pub(crate) fn state(&self, pass: usize) -> State {
        let of = &self.passes[pass];
        let suspended = of.suspended || self.lots[&of.id.lot()].suspended || self.plans[&of.plan].suspended;
        match of.standing {
            Standing::Draft => State::Draft,
            Standing::Cancelled => State::Cancelled,
            Standing::Active if of.value.is_some() && of.left() == 0 => State::Redeemed,
            Standing::Active if suspended => State::Suspended,
            Standing::Active => State::Active,
        }
    }

    /// The pass itself, or what took its place.
    pub(crate) fn end_of(&self, mut pass: usize) -> usize {
        while let Some(next) = self.passes[pass].successor {
            pass = next;
        }
        pass
    }

    /// Whether a wallet takes a currency.
    pub(crate) fn wallet_refuses(&self, contact: Label, currency: Currency) -> bool {
        let held = &self.contacts[&contact].currencies;
        !held.is_empty() && !held.contains(&currency) && !self.settings.second_currency
    }

    pub(crate) fn open_wallet(&mut self, contact: Label, currency: Currency) {
        if let Some(contact) = self.contacts.get_mut(&contact)
            && !contact.currencies.contains(&currency)
        {
            contact.currencies.push(currency);
        }
    }
}

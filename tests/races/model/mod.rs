//! Random commands against a naive model: plain numbers, no ledger, no tallies, no store. It predicts what every
//! command answers, and in the end what every pass, credit and account holds.

use passes_core::business::Settings;
use passes_core::calendar::{Instant, Period};
use passes_core::conditions::{Basket, Conditions, Line, Pool};
use passes_core::id::{ContactId, CreditId, LotId, PassId, PlanId};
use passes_core::ledger::{Account, Mark};
use passes_core::lot::Outcome;
use passes_core::money::{Currency, Money};
use passes_core::operation::By;
use passes_core::pass::State;
use passes_core::passcode::Presented;
use passes_core::plan::{Classification, Form, RedeemBy, SpendBy, Usage, Worth};
use passes_core::redemption::Target;
use passes_core::service::{
    Deal, Expiry, Home, Issue, Recipient, Redeem, Redeemed, Rest, Reverse, Reversed, Spend, Spent,
};
use passes_core::{Error, Receipt, Refusal};
use std::collections::BTreeMap;
use tests::world::{START, minor, settings};
use tests::{Dice, World, dice};

mod holds;
mod life;
mod pay;
mod undo;

const DAY: i64 = 86_400_000_000;

/// What a plan says, as far as the model cares.
struct Plan {
    id: PlanId,
    currency: Currency,
    usage: Usage,
    value: Worth,
    electronic: bool,
    needs_contact: bool,
    personal: bool,
    paid_unsold: bool,
    activation_days: Option<i64>,
    spend_days: Option<i64>,
    conditions: Vec<Conditions>,
    suspended: bool,
}

impl Plan {
    fn total(&self, value: i64) -> i64 {
        if let Usage::Full(n) = self.usage { value * i64::from(n) } else { value }
    }
    fn takes(&self, line: &Line) -> bool {
        self.conditions.iter().all(|c| {
            let listed = c.skus.is_empty() && c.families.is_empty()
                || c.skus.contains(&line.sku)
                || c.families.iter().any(|f| line.families.contains(f));
            listed && !c.not_skus.contains(&line.sku) && !line.stored_value
        })
    }
    fn below_minimum(&self, total: i64) -> bool {
        self.conditions.iter().any(|c| c.minimum.is_some_and(|m| m.minor() > total))
    }
    fn speaks_of_products(&self) -> bool {
        self.conditions.iter().any(|c| {
            !c.skus.is_empty() || !c.families.is_empty() || !c.not_skus.is_empty() || c.minimum.is_some()
        })
    }
    fn wrong_place(&self, place: &str) -> bool {
        self.conditions.iter().any(|c| !c.places.is_empty() && !c.places.iter().any(|p| p == place))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Draft,
    Active,
    Cancelled,
}

struct Pass {
    id: PassId,
    plan: usize,
    code: String,
    standing: Standing,
    suspended: bool,
    value: Option<i64>,
    limit: i64,
    used: i64,
    granted: i64,
    granted_used: i64,
    uses: i64,
    uses_used: i64,
    redeem_by: Option<i64>,
    expiry_set: bool,
    booked: bool,
    sold: Option<i64>,
    holder: Option<ContactId>,
    successor: Option<usize>,
}

impl Pass {
    fn left(&self) -> i64 {
        self.limit - self.used
    }
}

struct Credit {
    contact: ContactId,
    id: CreditId,
    pass: usize,
    mark: Mark,
    spend_by: Option<i64>,
    created: i64,
    amount: i64,
    used: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Pass(usize),
    Credit(usize),
}

/// A movement of a redemption or a spend.
struct Movement {
    from: From,
    to: Option<usize>,
    mark: Mark,
    line: Option<u32>,
    amount: i64,
    reversed: i64,
}

struct Operation {
    position: passes_core::event::Position,
    key: Option<String>,
    movements: Vec<Movement>,
    uses: i64,
}

/// A request that was accepted under a key.
enum Asked {
    Redeem(Redeem, Receipt<Redeemed>),
    Spend(Spend, Receipt<Spent>),
    Reverse(Reverse, Receipt<Reversed>),
}

struct Model {
    world: World,
    dice: Dice,
    now: i64,
    grace: i64,
    plans: Vec<Plan>,
    lots: BTreeMap<LotId, bool>,
    passes: Vec<Pass>,
    contacts: BTreeMap<ContactId, Vec<Currency>>,
    credits: Vec<Credit>,
    operations: Vec<Operation>,
    asked: Vec<(String, Asked)>,
    stopped: Vec<String>,
    accounts: BTreeMap<(Account, Mark, Currency), i64>,
    counts: BTreeMap<String, u32>,
    keys: u32,
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn codes(error: &Error) -> Vec<&'static str> {
    let mut codes: Vec<_> = error.reasons().iter().map(Refusal::code).collect();
    if codes.is_empty() {
        codes.push(error.code());
    }
    codes.dedup();
    codes
}

/// In the documented order, each once.
fn in_order(mut wanted: Vec<&'static str>) -> Vec<&'static str> {
    wanted.sort_by_key(|code| Refusal::CODES.iter().position(|c| c == code).unwrap());
    wanted.dedup();
    wanted
}

fn up(a: i64, b: i64) -> i64 {
    (a + b - 1) / b
}

impl Model {
    fn new(open: fn(Settings, u64) -> World, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut settings = settings();
        settings.zone = passes_core::calendar::Zone::UTC;
        settings.grace_days = dice.below(2) as u32 * 5;
        let food = Conditions { families: vec!["food".into()], ..Conditions::default() };
        settings.pools.push(Pool { name: "canteen".into(), conditions: food });
        let grace = i64::from(settings.grace_days);
        let world = open(settings, seed);
        let mut model = Self {
            world,
            dice,
            now: Instant::parse(START).unwrap().micros(),
            grace,
            plans: Vec::new(),
            lots: BTreeMap::new(),
            passes: Vec::new(),
            contacts: BTreeMap::new(),
            credits: Vec::new(),
            operations: Vec::new(),
            asked: Vec::new(),
            stopped: Vec::new(),
            accounts: BTreeMap::new(),
            counts: BTreeMap::new(),
            keys: 0,
        };
        model.make_plans();
        for _ in 0..5 {
            let contact = model.world.contact();
            model.contacts.insert(contact, Vec::new());
        }
        for plan in 0..model.plans.len() {
            model.make_passes(plan);
        }
        model
    }

    fn make_plans(&mut self) {
        let skus = Conditions {
            skus: vec!["A".into(), "B".into()],
            not_skus: vec!["C".into()],
            ..Conditions::default()
        };
        let places = Conditions {
            places: vec!["North".into()],
            minimum: Some(minor(500, currency("EUR"))),
            ..Conditions::default()
        };
        let open = Worth::Range { least: minor(500, currency("GBP")), most: minor(5_000, currency("GBP")) };
        let days = |n| Period::of_days(n).unwrap();
        type Change = Box<dyn Fn(&mut passes_core::plan::Terms)>;
        let plans: Vec<(&str, Change)> = vec![
            ("20 EUR", Box::new(|_| {})),
            (
                "7 EUR",
                Box::new(move |t| {
                    (t.usage, t.spend_by) = (Usage::Full(3), SpendBy::AfterRedemption(days(10)))
                }),
            ),
            (
                "10 EUR",
                Box::new(move |t| {
                    (t.usage, t.unsold) = (Usage::Shared(3), Mark::Paid);
                    t.redeem_by = RedeemBy::AfterActivation(days(60));
                }),
            ),
            ("5 GBP", Box::new(move |t| (t.value, t.conditions) = (open, skus.clone()))),
            (
                "15 EUR",
                Box::new(move |t| {
                    (t.classification, t.pool) = (Classification::TopUp, Some("canteen".into()));
                    t.spend_by = SpendBy::AfterRedemption(days(25));
                }),
            ),
            ("12 EUR", Box::new(|t| (t.form, t.personal) = (Form::Electronic, true))),
            ("9 EUR", Box::new(move |t| t.conditions = places.clone())),
        ];
        for (value, change) in plans {
            let mut spec = World::spec(value);
            change(&mut spec.terms);
            let terms = spec.terms.clone();
            let mut conditions = vec![terms.conditions.clone()];
            if terms.pool.is_some() {
                conditions.push(Conditions { families: vec!["food".into()], ..Conditions::default() });
            }
            let plan = Plan {
                id: self.world.plan(spec),
                currency: terms.currency,
                usage: terms.usage,
                value: terms.value,
                electronic: terms.form == Form::Electronic,
                needs_contact: terms.classification == Classification::TopUp || terms.personal,
                personal: terms.personal,
                paid_unsold: terms.unsold == Mark::Paid,
                activation_days: matches!(terms.redeem_by, RedeemBy::AfterActivation(_)).then_some(60),
                spend_days: match self.plans.len() {
                    1 => Some(10),
                    4 => Some(25),
                    _ => None,
                },
                conditions,
                suspended: false,
            };
            self.plans.push(plan);
        }
    }

    /// A new lot of a printed plan, or one electronic pass.
    fn make_passes(&mut self, plan: usize) {
        if self.plans[plan].electronic {
            return self.issue(plan);
        }
        let codes = self.world.lot_with_codes(self.plans[plan].id, 3);
        self.lots.insert(codes[0].0.lot(), false);
        for (id, code) in codes {
            let of = &self.plans[plan];
            let value = match of.value {
                Worth::Fixed(value) => Some(value.minor()),
                Worth::Range { .. } => None,
            };
            let limit = value.map_or(0, |value| of.total(value));
            let uses = i64::from(of.usage.uses());
            self.passes.push(Pass {
                id,
                plan,
                code,
                standing: Standing::Draft,
                suspended: false,
                value,
                limit,
                used: 0,
                granted: 0,
                granted_used: 0,
                uses,
                uses_used: 0,
                redeem_by: None,
                expiry_set: false,
                booked: false,
                sold: None,
                holder: None,
                successor: None,
            });
        }
    }

    fn issue(&mut self, plan: usize) {
        let of = &self.plans[plan];
        let Worth::Fixed(value) = of.value else { panic!("a fixed value") };
        let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
        let to = *self.dice.pick(&contacts);
        let price = self.dice.maybe(&[800, 1_200, 1_500]).copied().filter(|_| self.dice.once_in(2));
        let mut issue = Issue::new(of.id, Recipient::Contact(to), "email");
        if let Some(price) = price {
            issue = issue.sold(Deal::at(minor(price, of.currency)));
        }
        let issued = self.world.passes.issue(&self.world.by, issue).wait().unwrap();
        let code = self.world.passes.reveal(&self.world.by, issued.pass).wait().unwrap().1.unwrap();
        self.lots.insert(issued.pass.lot(), false);
        self.passes.push(Pass {
            id: issued.pass,
            plan,
            code: code.reveal().to_owned(),
            standing: Standing::Draft,
            suspended: false,
            value: Some(value.minor()),
            limit: value.minor(),
            used: 0,
            granted: 0,
            granted_used: 0,
            uses: 1,
            uses_used: 0,
            redeem_by: None,
            expiry_set: false,
            booked: false,
            sold: price.map(|_| self.now),
            holder: Some(to),
            successor: None,
        });
        if let Some(price) = price {
            let pass = self.passes.len() - 1;
            self.book_value(pass, price);
        }
    }

    /// A pass, rather one in this state.
    fn some_pass(&mut self, state: State) -> usize {
        if !self.dice.once_in(4) {
            let fitting: Vec<usize> =
                (0..self.passes.len()).filter(|pass| self.state(*pass) == state).collect();
            if let Some(pass) = self.dice.maybe(&fitting) {
                return *pass;
            }
        }
        self.dice.below(self.passes.len() as u64) as usize
    }

    fn some_contact(&mut self) -> ContactId {
        let contacts: Vec<ContactId> = self.contacts.keys().copied().take(12).collect();
        *self.dice.pick(&contacts)
    }

    /// A basket, rather in this currency.
    fn some_basket(&mut self, rather: Currency) -> Basket {
        let currency = if self.dice.once_in(8) { currency("GBP") } else { rather };
        let lines = (0..1 + self.dice.below(3))
            .map(|_| {
                let sku = *self.dice.pick(&["A", "B", "C", "D"]);
                let families: &[&str] = if self.dice.once_in(2) { &["food"] } else { &["toys", "sale"] };
                let price = self.dice.between(0, 900);
                let line =
                    Line::new(sku, 1 + self.dice.below(2) as u32, minor(price, currency)).families(families);
                if self.dice.once_in(12) { line.sells_stored_value() } else { line }
            })
            .collect();
        Basket::new(currency, lines).unwrap()
    }

    fn some_place(&mut self) -> &'static str {
        if self.dice.once_in(3) { "South" } else { "North" }
    }

    /// Who asks: sometimes with a new key.
    fn somebody(&mut self, place: &str) -> (By, Option<String>) {
        let by = self.world.by.clone().place(place);
        if self.dice.once_in(3) {
            return (by, None);
        }
        self.keys += 1;
        let key = format!("key {}", self.keys);
        (by.key(&key), Some(key))
    }

    /// Notes the outcome, so that the end can tell that everything was tried.
    fn note(&mut self, command: &str, outcome: &str) {
        *self.counts.entry(format!("{command}: {outcome}")).or_default() += 1;
    }

    /// Compares an answer with the reasons foreseen; tells whether it was accepted.
    fn expect<T>(&mut self, command: &str, answer: &Result<T, Error>, foreseen: Vec<&'static str>) -> bool {
        let foreseen = in_order(foreseen);
        match answer {
            Ok(_) => assert!(foreseen.is_empty(), "{command} was accepted, and not for {foreseen:?}"),
            Err(error) => assert_eq!(codes(error), foreseen, "{command}: {error}"),
        }
        self.note(command, foreseen.first().copied().unwrap_or("ok"));
        foreseen.is_empty()
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..=13 => self.sell(),
            14..=18 => self.activate_by_hand(),
            19..=23 => self.deliver(),
            24..=43 => self.redeem(),
            44..=58 => self.spend(),
            59..=74 => self.reverse(),
            75..=78 => self.void(),
            79..=81 => self.suspend(),
            82..=84 => self.cancel(),
            85..=86 => self.set_expiry(),
            87..=89 => self.set_value(),
            90..=93 => self.again(),
            94..=95 => self.time_passes(),
            // As after a crash between two commands.
            96 if self.dice.once_in(10) => self.world.reopen(),
            _ => {
                let plan = self.dice.below(self.plans.len() as u64) as usize;
                self.make_passes(plan);
            }
        }
    }

    fn time_passes(&mut self) {
        let jump = match self.dice.below(3) {
            0 => self.dice.between(1, DAY / 24),
            1 => self.dice.between(1, 3 * DAY),
            // To the very end of a day, where things expire.
            _ => (self.now / DAY + 1) * DAY - self.now - self.dice.between(0, 1),
        };
        self.now += jump;
        self.world.clock.set(Instant::from_micros(self.now).unwrap());
    }

    /// Everything, row by row.
    fn compare(&self) {
        let books = self.world.books();
        let mut accounts: BTreeMap<(Account, Mark, u16), i64> =
            self.accounts.iter().map(|((a, m, c), sum)| ((*a, *m, c.numeric()), *sum)).collect();
        accounts.retain(|_, sum| *sum != 0);
        let mut theirs = books.accounts.clone();
        theirs.retain(|_, sum| *sum != 0);
        assert_eq!(theirs, accounts);
        for (n, pass) in self.passes.iter().enumerate() {
            let view = self.world.passes.pass(&self.world.by, pass.id).wait().unwrap();
            let granted = pass.granted - pass.granted_used;
            let theirs =
                (view.state, view.value.map(Money::minor), view.left.minor(), view.granted_left.minor());
            assert_eq!(theirs, (self.state(n), pass.value, pass.left(), granted), "{}", pass.id);
            assert_eq!((view.uses, view.used), (pass.uses, pass.uses_used));
            assert_eq!(view.redeem_by.map(Instant::micros), pass.redeem_by);
        }
        let theirs: BTreeMap<_, _> = books.credits;
        let ours: BTreeMap<_, _> =
            self.credits.iter().map(|c| ((c.contact, c.id), c.amount - c.used)).collect();
        for (credit, left) in &theirs {
            assert_eq!(Some(left), ours.get(credit), "{credit:?}");
        }
        assert_eq!(theirs.len(), ours.len());
    }
}

fn run(open: fn(Settings, u64) -> World, seed: u64, steps: u32) -> BTreeMap<String, u32> {
    let mut model = Model::new(open, seed);
    for step in 0..steps {
        model.step();
        if step % 2_500 == 0 {
            model.compare();
        }
    }
    model.compare();
    model.counts
}

/// W-1, W-3, W-4, L-4, L-5, P-5: ten thousand random commands, with clock jumps and repeated
/// requests, are answered as a naive model foresees, and in the end every balance and every account agrees.
#[test]
fn ten_thousand_commands_against_a_naive_model() {
    let seed = dice::seed("the model in memory");
    let counts = run(World::memory_with, seed, 10_000);
    for (what, count) in &counts {
        println!("{count:>6} {what}");
    }
    assert!(counts.len() > 40, "much was not tried");
}

/// W-1, W-3, D-1: a shorter run on SQLite.
#[test]
fn commands_against_a_naive_model_on_sqlite() {
    let seed = dice::seed("the model on SQLite");
    run(World::sqlite_with, seed, 2_000);
}

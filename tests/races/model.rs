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

    // ---- the model's own books

    fn book(&mut self, from: Account, to: Account, mark: Mark, amount: i64, currency: Currency) {
        *self.accounts.entry((from, mark, currency)).or_default() -= amount;
        *self.accounts.entry((to, mark, currency)).or_default() += amount;
    }

    fn currency_of(&self, pass: usize) -> Currency {
        self.plans[self.passes[pass].plan].currency
    }

    /// What is left on a pass: granted, and paid.
    fn marks_left(&self, pass: usize) -> [(Mark, i64); 2] {
        let pass = &self.passes[pass];
        let granted = pass.granted - pass.granted_used;
        [(Mark::Granted, granted), (Mark::Paid, pass.left() - granted)]
    }

    fn book_value(&mut self, pass: usize, price: i64) {
        let currency = self.currency_of(pass);
        let of = &mut self.passes[pass];
        let paid = price.min(of.limit).max(0);
        (of.booked, of.granted) = (true, of.limit - paid);
        let granted = of.granted;
        self.book(Account::Received, Account::Outstanding, Mark::Paid, paid, currency);
        self.book(Account::Granted, Account::Outstanding, Mark::Granted, granted, currency);
    }

    fn state(&self, pass: usize) -> State {
        let of = &self.passes[pass];
        let suspended = of.suspended || self.lots[&of.id.lot()] || self.plans[of.plan].suspended;
        match of.standing {
            Standing::Draft => State::Draft,
            Standing::Cancelled => State::Cancelled,
            Standing::Active if of.value.is_some() && of.left() == 0 => State::Redeemed,
            Standing::Active if suspended => State::Suspended,
            Standing::Active => State::Active,
        }
    }

    fn is_open(&self, pass: usize) -> bool {
        matches!(self.state(pass), State::Draft | State::Active | State::Suspended)
    }

    fn activate(&mut self, pass: usize, paid: i64) {
        let days = self.plans[self.passes[pass].plan].activation_days;
        let now = self.now;
        let of = &mut self.passes[pass];
        of.standing = Standing::Active;
        if let (Some(days), false) = (days, of.expiry_set) {
            of.redeem_by = Some((now / DAY + days + 1) * DAY);
        }
        if of.value.is_some() && !of.booked {
            self.book_value(pass, paid);
        }
    }

    fn unsold(&self, pass: usize) -> i64 {
        if self.plans[self.passes[pass].plan].paid_unsold { self.passes[pass].limit } else { 0 }
    }

    // ---- chance

    fn some_pass(&mut self) -> usize {
        // Rather one of the later ones: the early ones are used up.
        let recent = self.passes.len().min(24) as u64;
        let back = if self.dice.once_in(5) {
            self.dice.below(self.passes.len() as u64)
        } else {
            self.dice.below(recent)
        };
        self.passes.len() - 1 - back as usize
    }

    fn some_contact(&mut self) -> ContactId {
        let contacts: Vec<ContactId> = self.contacts.keys().copied().take(12).collect();
        *self.dice.pick(&contacts)
    }

    fn some_basket(&mut self) -> Basket {
        let currency = if self.dice.once_in(4) { currency("GBP") } else { currency("EUR") };
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
        *self.dice.pick(&["North", "North", "South"])
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

    // ---- commands

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

    fn sell(&mut self) {
        let pass = self.some_pass();
        let of = &self.passes[pass];
        let plan = &self.plans[of.plan];
        let value = match plan.value {
            Worth::Fixed(value) if self.dice.once_in(3) => Some(value.minor() + self.dice.between(-1, 1)),
            Worth::Fixed(_) => None,
            Worth::Range { .. } => self.dice.maybe(&[499, 500, 1_234, 2_000, 5_000, 5_001]).copied(),
        };
        let value = value.filter(|_| !self.dice.once_in(6));
        let price = self.dice.between(0, 2_500);
        let mut deal = Deal::at(minor(price, plan.currency));
        deal.value = value.map(|value| minor(value, plan.currency));
        let range = match plan.value {
            Worth::Fixed(value) => value.minor()..=value.minor(),
            Worth::Range { least, most } => least.minor()..=most.minor(),
        };
        let foreseen = if self.state(pass) != State::Draft || plan.electronic {
            vec!["WRONG_STATE"]
        } else {
            match value {
                Some(value) if !range.contains(&value) => vec!["VALUE_OUT_OF_RANGE"],
                None if of.value.is_none() => vec!["VALUE_NOT_SET"],
                _ => vec![],
            }
        };
        let answer = self.world.passes.sell(&self.world.by, of.id, deal).wait();
        if self.expect("sell", &answer, foreseen) {
            if let Some(value) = value {
                let total = self.plans[self.passes[pass].plan].total(value);
                (self.passes[pass].value, self.passes[pass].limit) = (Some(value), total);
            }
            self.passes[pass].sold = Some(self.now);
            self.activate(pass, price);
        }
    }

    fn activate_by_hand(&mut self) {
        let pass = self.some_pass();
        let of = &self.passes[pass];
        let wrong = self.state(pass) != State::Draft || self.plans[of.plan].electronic;
        let answer = self.world.passes.activate(&self.world.by, of.id).wait();
        if self.expect("activate", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
            let paid = self.unsold(pass);
            self.activate(pass, paid);
        }
    }

    fn deliver(&mut self) {
        let pass = self.some_pass();
        let of = &self.passes[pass];
        let wrong = !self.is_open(pass) || !self.plans[of.plan].electronic;
        let outcome = match self.dice.below(3) {
            0 => Outcome::Accepted,
            1 => Outcome::Failed { why: "no such mailbox".into() },
            _ => Outcome::Confirmed,
        };
        let answer = self.world.passes.delivered(&self.world.by, of.id, outcome.clone()).wait();
        if self.expect("deliver", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] })
            && outcome == Outcome::Confirmed
            && self.state(pass) == State::Draft
        {
            let paid = self.unsold(pass);
            self.activate(pass, paid);
        }
    }

    fn void(&mut self) {
        let pass = self.some_pass();
        let of = &self.passes[pass];
        let foreseen = if !self.is_open(pass) || of.sold.is_none() {
            vec!["WRONG_STATE"]
        } else if self.now > of.sold.unwrap() + DAY {
            vec!["TOO_LATE"]
        } else if of.used != 0 || of.uses_used != 0 {
            vec!["PASS_USED"]
        } else {
            vec![]
        };
        let answer = self.world.passes.void_sale(&self.world.by, of.id).wait();
        if !self.expect("void", &answer, foreseen) {
            return;
        }
        let currency = self.currency_of(pass);
        for (mark, amount) in self.marks_left(pass) {
            let account = if mark == Mark::Paid { Account::Received } else { Account::Granted };
            self.book(Account::Outstanding, account, mark, amount, currency);
        }
        let plan = &self.plans[self.passes[pass].plan];
        let (open, days) = (matches!(plan.value, Worth::Range { .. }), plan.activation_days.is_some());
        // What a reissue made is as an electronic pass: its code was handed over.
        let electronic = plan.electronic;
        let of = &mut self.passes[pass];
        (of.booked, of.granted, of.sold) = (false, 0, None);
        if electronic {
            (of.standing, of.limit) = (Standing::Cancelled, 0);
            return;
        }
        of.standing = Standing::Draft;
        if days && !of.expiry_set {
            of.redeem_by = None;
        }
        if open {
            (of.value, of.limit) = (None, 0);
        }
    }

    fn suspend(&mut self) {
        let pass = self.some_pass();
        let (passes, by) = (&self.world.passes, &self.world.by);
        let of = &self.passes[pass];
        let suspend = self.dice.once_in(2);
        let command = |answer| if suspend { ("suspend", answer) } else { ("reactivate", answer) };
        match self.dice.below(8) {
            0 => {
                let lot = of.id.lot();
                let wrong = self.lots[&lot] == suspend;
                let answer =
                    if suspend { passes.suspend(by, lot) } else { passes.reactivate(by, lot) }.wait();
                let (name, answer) = command(answer);
                if self.expect(name, &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
                    self.lots.insert(lot, suspend);
                }
            }
            1 => {
                let plan = of.plan;
                let (id, wrong) = (self.plans[plan].id, self.plans[plan].suspended == suspend);
                let answer = if suspend { passes.suspend(by, id) } else { passes.reactivate(by, id) }.wait();
                let (name, answer) = command(answer);
                if self.expect(name, &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
                    self.plans[plan].suspended = suspend;
                }
            }
            _ => {
                // An active pass can't be reactivated, whatever it bears.
                let allowed = if suspend {
                    self.is_open(pass)
                } else {
                    self.is_open(pass) && self.state(pass) != State::Active
                };
                let wrong = !allowed || of.suspended == suspend;
                let answer =
                    if suspend { passes.suspend(by, of.id) } else { passes.reactivate(by, of.id) }.wait();
                let (name, answer) = command(answer);
                if self.expect(name, &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
                    self.passes[pass].suspended = suspend;
                }
            }
        }
    }

    fn cancel(&mut self) {
        let pass = self.some_pass();
        let of = &self.passes[pass];
        let rest = *self.dice.pick(&[Rest::Refund, Rest::Forfeit, Rest::Reissue]);
        let wrong = !self.is_open(pass);
        let answer = self.world.passes.cancel(&self.world.by, of.id, rest).wait();
        if !self.expect("cancel", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
            return;
        }
        let currency = self.currency_of(pass);
        let to = match rest {
            Rest::Refund => Some(Account::Refunded),
            Rest::Forfeit => Some(Account::Breakage),
            Rest::Reissue => None,
        };
        if let Some(to) = to.filter(|_| self.passes[pass].booked) {
            for (mark, amount) in self.marks_left(pass) {
                self.book(Account::Outstanding, to, mark, amount, currency);
            }
        }
        if rest == Rest::Reissue {
            let (old, new) = answer.unwrap().replaced[0];
            assert_eq!(old, self.passes[pass].id);
            let code = self.world.passes.reveal(&self.world.by, new).wait().unwrap().1.unwrap();
            let lot = self.lots[&old.lot()];
            self.lots.insert(new.lot(), lot);
            let of = &self.passes[pass];
            let next = Pass { id: new, code: code.reveal().to_owned(), successor: None, ..*of };
            self.passes.push(next);
            self.passes[pass].successor = Some(self.passes.len() - 1);
        }
        let of = &mut self.passes[pass];
        (of.standing, of.limit, of.granted) = (Standing::Cancelled, of.used, of.granted_used);
    }

    fn set_expiry(&mut self) {
        let pass = self.some_pass();
        let wrong = !self.is_open(pass);
        let at = self
            .dice
            .maybe(&[-1, 0, 1, DAY, 20 * DAY])
            .map(|jump| self.now + jump)
            .filter(|_| !self.dice.once_in(4));
        let expiry = at.map_or(Expiry::Never, |at| Expiry::At(Instant::from_micros(at).unwrap()));
        let answer = self.world.passes.set_expiry(&self.world.by, self.passes[pass].id, expiry).wait();
        if self.expect("set expiry", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
            (self.passes[pass].expiry_set, self.passes[pass].redeem_by) = (true, at);
        }
    }

    fn set_value(&mut self) {
        let pass = self.some_pass();
        let of = &self.passes[pass];
        let plan = &self.plans[of.plan];
        let value = *self.dice.pick(&[499, 700, 1_000, 2_000, 3_333]);
        let (least, most) = match plan.value {
            Worth::Fixed(value) => (value, value),
            Worth::Range { least, most } => (least, most),
        };
        let foreseen = if !self.is_open(pass) {
            vec!["WRONG_STATE"]
        } else if of.used != 0 {
            vec!["PASS_USED"]
        } else if value < least.minor() || value > most.minor() {
            vec!["VALUE_OUT_OF_RANGE"]
        } else {
            vec![]
        };
        let answer = self.world.passes.set_value(&self.world.by, of.id, minor(value, plan.currency)).wait();
        if !self.expect("set value", &answer, foreseen) {
            return;
        }
        let (before, granted_before) = (self.passes[pass].limit, self.passes[pass].granted);
        let total = self.plans[self.passes[pass].plan].total(value);
        (self.passes[pass].value, self.passes[pass].limit) = (Some(value), total);
        let currency = self.currency_of(pass);
        if !self.passes[pass].booked {
            if self.state(pass) != State::Draft {
                let paid = self.unsold(pass);
                self.book_value(pass, paid);
            }
        } else if total > before {
            self.passes[pass].granted += total - before;
            self.book(Account::Correction, Account::Outstanding, Mark::Granted, total - before, currency);
        } else {
            let granted = granted_before.min(before - total);
            self.passes[pass].granted -= granted;
            self.book(Account::Outstanding, Account::Correction, Mark::Granted, granted, currency);
            self.book(
                Account::Outstanding,
                Account::Correction,
                Mark::Paid,
                before - total - granted,
                currency,
            );
        }
    }

    /// What the next use gives.
    fn next_use(&self, pass: usize) -> i64 {
        let of = &self.passes[pass];
        match self.plans[of.plan].usage {
            Usage::Single => of.left(),
            Usage::Full(_) => of.value.map_or(0, |value| of.left().min(value - of.used % value)),
            Usage::Shared(_) if of.uses > of.uses_used => up(of.left(), of.uses - of.uses_used),
            Usage::Shared(_) => of.left(),
        }
    }

    fn redeem(&mut self) {
        let pass = self.some_pass();
        let code = self.passes[pass].code.clone();
        let place = self.some_place();
        let currency = self.currency_of(pass);
        let mut request = match self.dice.below(6) {
            0 => Redeem::into_new_wallet(code.as_str()),
            1 | 2 => {
                let holder = self.passes[pass].holder.filter(|_| !self.dice.once_in(4));
                let contact = holder.unwrap_or_else(|| self.some_contact());
                Redeem::into_wallet(code.as_str(), contact)
            }
            3 => Redeem::pay(code.as_str(), self.some_basket()),
            4 => {
                let amount = self.dice.between(0, 1_500);
                Redeem::direct(code.as_str(), minor(amount, currency))
            }
            _ => {
                let basket = self.some_basket();
                let amount = self.dice.between(1, basket.total().minor() + 1);
                Redeem::direct(code.as_str(), minor(amount, currency)).basket(basket)
            }
        };
        request.partly = self.dice.once_in(3);
        let direct = request.target == Target::Direct;
        let (by, key) = self.somebody(place);

        let plan = &self.plans[self.passes[pass].plan];
        let of = &self.passes[pass];
        let mut foreseen = Vec::new();
        // Whether an amount can be told.
        let mixed = request.basket.as_ref().is_some_and(|basket| basket.currency() != currency);
        let total = request.basket.as_ref().map(|basket| basket.total().minor());
        let unsound = if mixed {
            Some("MIXED_CURRENCIES")
        } else if request
            .amount
            .is_some_and(|a| a.minor() <= 0 || total.is_some_and(|total| a.minor() > total))
        {
            Some("BAD_AMOUNT")
        } else {
            None
        };
        foreseen.extend(unsound);
        match self.state(pass) {
            State::Draft => foreseen.push("PASS_DRAFT"),
            State::Suspended => foreseen.push("PASS_SUSPENDED"),
            State::Redeemed => foreseen.push("PASS_REDEEMED"),
            State::Cancelled => foreseen.push("PASS_CANCELLED"),
            State::Active => {}
        }
        if of.redeem_by.is_some_and(|end| self.now >= end) {
            foreseen.push("PASS_EXPIRED");
        }
        if of.value.is_some() && of.uses_used >= of.uses && of.left() == 0 {
            foreseen.push("USES_SPENT");
        }
        if of.value.is_none() {
            foreseen.push("VALUE_NOT_SET");
        }
        let contact = if let Target::Contact(contact) = request.target { Some(contact) } else { None };
        if plan.needs_contact && contact.is_none() {
            foreseen.push("CONTACT_REQUIRED");
        }
        if let Some(contact) = contact {
            if plan.personal && of.holder != Some(contact) {
                foreseen.push("NOT_THIS_CONTACT");
            }
            let held = &self.contacts[&contact];
            if !held.is_empty() && !held.contains(&currency) {
                foreseen.push("WALLET_CURRENCY");
            }
        }
        let mut taken: Vec<(Option<u32>, i64)> = Vec::new();
        let mut short = 0;
        if direct {
            if plan.wrong_place(place) {
                foreseen.push("WRONG_PLACE");
            }
            if !mixed && total.is_some_and(|total| plan.below_minimum(total))
                || mixed && self.below_mixed(pass, &request)
            {
                foreseen.push("BELOW_MINIMUM");
            }
            if of.value.is_some() && unsound.is_none() {
                let lines: Vec<(Option<u32>, i64)> = match &request.basket {
                    Some(basket) => (0..)
                        .zip(basket.lines())
                        .filter(|(_, line)| plan.takes(line) && line.total().unwrap().minor() > 0)
                        .map(|(n, line)| (Some(n), line.total().unwrap().minor()))
                        .collect(),
                    None if plan.speaks_of_products() => Vec::new(),
                    None => vec![(None, request.amount.unwrap().minor())],
                };
                let wanted = request.amount.map_or_else(|| total.unwrap(), Money::minor);
                let payable: i64 = lines.iter().map(|(_, total)| total).sum();
                let most = if let Usage::Full(_) = plan.usage { self.next_use(pass) } else { of.left() };
                let amount = wanted.min(payable).min(most);
                short = wanted - amount;
                if payable == 0 {
                    foreseen.push("NO_ELIGIBLE_PRODUCTS");
                } else if amount <= 0 || (short > 0 && !request.partly) {
                    foreseen.push("BALANCE_TOO_SMALL");
                } else {
                    let mut rest = amount;
                    for (line, total) in lines {
                        let part = total.min(rest);
                        rest -= part;
                        if part > 0 {
                            taken.push((line, part));
                        }
                    }
                }
            }
        } else {
            taken.push((None, self.next_use(pass)));
        }

        let check = self.world.passes.check(&by, &request).wait().unwrap();
        let answer = self.world.passes.redeem(&by, request.clone()).wait();
        assert_eq!(check.reasons, answer.as_ref().err().map_or(&[][..], Error::reasons), "check and redeem");
        if !self.expect(if direct { "spend a pass" } else { "redeem" }, &answer, foreseen) {
            return;
        }
        let receipt = answer.unwrap();
        let amount: i64 = taken.iter().map(|(_, part)| part).sum();
        let of = &self.passes[pass];
        let plan = &self.plans[of.plan];
        let uses = match plan.usage {
            Usage::Shared(_) if direct => of.uses - of.uses_used,
            Usage::Shared(_) => (of.uses - of.uses_used).min(1),
            _ => up(of.used + amount, of.value.unwrap()) - up(of.used, of.value.unwrap()),
        };
        assert_eq!((receipt.amount.minor(), receipt.short.minor(), receipt.uses), (amount, short, uses));
        // By its marks: the granted part goes first.
        let spend_by = plan.spend_days.map(|days| (self.now / DAY + days + 1) * DAY);
        let mut granted = of.granted - of.granted_used;
        let mut parts: Vec<(Option<u32>, Mark, i64)> = Vec::new();
        for (line, part) in taken {
            let given = part.min(granted);
            granted -= given;
            parts.extend(
                [(line, Mark::Granted, given), (line, Mark::Paid, part - given)].iter().filter(|p| p.2 > 0),
            );
        }
        let of = &mut self.passes[pass];
        of.granted_used = of.granted - granted;
        (of.used, of.uses_used) = (of.used + amount, of.uses_used + uses);
        assert_eq!((receipt.left.minor(), receipt.uses_left), (of.left(), of.uses - of.uses_used));
        let told = |parts: &[(Option<u32>, Mark, i64)]| -> Vec<(Mark, i64)> {
            parts.iter().map(|p| (p.1, p.2)).collect()
        };
        let mut movements = Vec::new();
        if direct {
            let paid: Vec<_> = receipt.paid.iter().map(|p| (p.line, p.mark, p.amount.minor())).collect();
            assert_eq!(paid, parts);
            for (line, mark, amount) in parts {
                self.book(Account::Outstanding, Account::Settled, mark, amount, currency);
                movements.push(Movement {
                    from: From::Pass(pass),
                    to: None,
                    mark,
                    line,
                    amount,
                    reversed: 0,
                });
            }
        } else {
            let owner = receipt.contact.unwrap();
            let held = self.contacts.entry(owner).or_default();
            if !held.contains(&currency) {
                held.push(currency);
            }
            assert_eq!(
                receipt.credits.iter().map(|c| (c.mark, c.amount.minor())).collect::<Vec<_>>(),
                told(&parts)
            );
            for (credited, (_, mark, amount)) in receipt.credits.iter().zip(parts) {
                assert_eq!(credited.spend_by.map(Instant::micros), spend_by);
                self.credits.push(Credit {
                    contact: owner,
                    id: credited.credit,
                    pass,
                    mark,
                    spend_by,
                    created: self.now,
                    amount,
                    used: 0,
                });
                self.book(Account::Outstanding, Account::Credit, mark, amount, currency);
                let to = Some(self.credits.len() - 1);
                movements.push(Movement {
                    from: From::Pass(pass),
                    to,
                    mark,
                    line: None,
                    amount,
                    reversed: 0,
                });
            }
        }
        self.operations.push(Operation { position: receipt.operation, key: key.clone(), movements, uses });
        if let Some(key) = key {
            self.asked.push((key, Asked::Redeem(request, receipt)));
        }
    }

    /// A basket in another currency has no minimum that could be compared.
    fn below_mixed(&self, _: usize, _: &Redeem) -> bool {
        false
    }

    fn spend(&mut self) {
        let contact = self.some_contact();
        let basket = self.some_basket();
        let place = self.some_place();
        let (by, key) = self.somebody(place);
        let total = basket.total().minor();
        let mut request = Spend::all(contact, basket.clone());
        if self.dice.once_in(4) {
            request = request.amount(minor(self.dice.between(0, total + 1), basket.currency()));
        }
        request.partly = self.dice.once_in(2);
        let wanted = request.amount.map_or(total, Money::minor);

        // The credits that can pay, in their order, each with the lines that it may pay.
        let mut foreseen = Vec::new();
        let mut usable: Vec<(usize, Vec<usize>)> = Vec::new();
        let totals: Vec<i64> = basket.lines().iter().map(|line| line.total().unwrap().minor()).collect();
        for (n, credit) in self.credits.iter().enumerate() {
            let plan = &self.plans[self.passes[credit.pass].plan];
            let gone = credit.amount == credit.used || credit.spend_by.is_some_and(|end| self.now >= end);
            if credit.contact != contact || gone || plan.currency != basket.currency() {
                continue;
            }
            let lines: Vec<usize> =
                (0..totals.len()).filter(|n| totals[*n] > 0 && plan.takes(&basket.lines()[*n])).collect();
            if plan.wrong_place(place) {
                foreseen.push("WRONG_PLACE");
            } else if plan.below_minimum(total) {
                foreseen.push("BELOW_MINIMUM");
            } else if lines.is_empty() {
                foreseen.push("NO_ELIGIBLE_PRODUCTS");
            } else {
                usable.push((n, lines));
            }
        }
        usable.sort_by_key(|(n, lines)| {
            let c = &self.credits[*n];
            (c.spend_by.unwrap_or(i64::MAX), c.mark == Mark::Paid, lines.len(), c.created, c.id)
        });
        // The most that the first credits can pay together, by the tightest cut; each pays what it adds to it.
        let most = |first: usize| -> i64 {
            let cut = |kept: u32| -> i64 {
                let lines: i64 = (0..totals.len()).filter(|n| kept & 1 << n != 0).map(|n| totals[n]).sum();
                let beyond =
                    usable[..first].iter().filter(|(_, lines)| lines.iter().any(|n| kept & 1 << n == 0));
                lines + beyond.map(|(n, _)| self.credits[*n].amount - self.credits[*n].used).sum::<i64>()
            };
            (0..1_u32 << totals.len()).map(cut).min().unwrap().min(wanted)
        };
        let uses: Vec<i64> = (0..usable.len()).map(|n| most(n + 1) - most(n)).collect();
        let paid = most(usable.len());
        let foreseen = if wanted <= 0 || wanted > total {
            vec!["BAD_AMOUNT"]
        } else if paid == 0 || (paid < wanted && !request.partly) {
            foreseen.push("BALANCE_TOO_SMALL");
            foreseen
        } else {
            vec![]
        };
        let check = self.world.passes.check_spend(&by, &request).wait().unwrap();
        let answer = self.world.passes.spend(&by, request.clone()).wait();
        assert_eq!(check.reasons, answer.as_ref().err().map_or(&[][..], Error::reasons), "check and spend");
        if !self.expect("spend", &answer, foreseen) {
            return;
        }
        let receipt = answer.unwrap();
        assert_eq!(Some(&receipt.done), check.would.as_ref());
        assert_eq!((receipt.amount.minor(), receipt.short.minor()), (paid, wanted - paid));
        let mut by_line = vec![0; totals.len()];
        let mut movements = Vec::new();
        let mut of_credit = vec![0; usable.len()];
        for part in &receipt.paid {
            let place = usable.iter().position(|(n, _)| self.credits[*n].id == part.credit).unwrap();
            assert!(usable[place].1.contains(&(part.line as usize)), "a line that this credit can't pay");
            of_credit[place] += part.amount.minor();
            by_line[part.line as usize] += part.amount.minor();
            let (mark, amount) = (part.mark, part.amount.minor());
            let from = From::Credit(usable[place].0);
            movements.push(Movement { from, to: None, mark, line: Some(part.line), amount, reversed: 0 });
            self.book(Account::Credit, Account::Settled, mark, amount, basket.currency());
        }
        assert_eq!(of_credit, uses, "which credit pays how much");
        assert!(by_line.iter().zip(&totals).all(|(paid, total)| paid <= total));
        for ((credit, _), used) in usable.iter().zip(uses) {
            self.credits[*credit].used += used;
        }
        self.operations.push(Operation { position: receipt.operation, key: key.clone(), movements, uses: 0 });
        if let Some(key) = key {
            self.asked.push((key, Asked::Spend(request, receipt)));
        }
    }

    fn reverse(&mut self) {
        if self.operations.is_empty() || self.dice.once_in(20) {
            return self.stop();
        }
        let recent = self.operations.len().min(30) as u64;
        let back = if self.dice.once_in(5) { self.operations.len() as u64 } else { recent };
        let back = self.dice.below(back) as usize;
        let operation = self.operations.len() - 1 - back;
        let of = &self.operations[operation];
        let mut request = match &of.key {
            Some(key) if self.dice.once_in(2) => Reverse::key(key),
            _ => Reverse::operation(of.position),
        };
        let currency = self.currency_of(self.pass_of(of.movements[0].from));
        let open: i64 = of.movements.iter().map(|m| m.amount - m.reversed).sum();
        // How much of each movement returns, the last first.
        let mut parts: Vec<(usize, i64)> = Vec::new();
        let mut foreseen = Vec::new();
        let mut take = |wanted: i64, line: Option<u32>| {
            let mut rest = wanted;
            for (n, m) in
                of.movements.iter().enumerate().rev().filter(|(_, m)| line.is_none() || m.line == line)
            {
                let part = rest.min(m.amount - m.reversed);
                rest -= part;
                if part > 0 {
                    parts.push((n, part));
                }
            }
            if rest > 0 {
                foreseen.push("REVERSAL_TOO_LARGE");
            }
        };
        let line = of.movements[self.dice.below(of.movements.len() as u64) as usize].line;
        match (self.dice.below(4), line) {
            (0, _) => {
                let wanted = self.dice.between(1, open + 1);
                request = request.amount(minor(wanted, currency));
                take(wanted, None);
            }
            (1, Some(line)) => {
                let wanted = self.dice.between(1, 400);
                request = request.lines(vec![(line, minor(wanted, currency))]);
                take(wanted, Some(line));
            }
            _ => take(open, None),
        }
        if open == 0 {
            foreseen = vec!["ALREADY_REVERSED"];
        }
        if self.dice.once_in(3) {
            request = request.allow_loss();
        }
        if self.dice.once_in(3) {
            request.to = Some(self.some_contact());
        }
        // Where it would go, and what stands in the way.
        let mut spent = 0;
        let mut taken: BTreeMap<usize, i64> = BTreeMap::new();
        if foreseen.is_empty() {
            let of = &self.operations[operation];
            for (n, part) in &parts {
                let m = &of.movements[*n];
                if let Some(credit) = m.to {
                    let credit_left = self.credits[credit].amount
                        - self.credits[credit].used
                        - taken.get(&credit).unwrap_or(&0);
                    let there = (*part).min(credit_left);
                    *taken.entry(credit).or_default() += there;
                    spent += part - there;
                }
            }
            let end = self.end_of(self.pass_of(of.movements[0].from));
            let to_pass = matches!(of.movements[0].from, From::Pass(_));
            if to_pass && self.passes[end].standing == Standing::Draft {
                foreseen.push("WRONG_STATE");
            } else if let (true, Standing::Cancelled, Some(to)) =
                (to_pass, self.passes[end].standing, request.to)
            {
                let held = &self.contacts[&to];
                if !held.is_empty() && !held.contains(&currency) {
                    foreseen.push("WALLET_CURRENCY");
                }
            }
            if foreseen.is_empty() && spent > 0 && !request.allow_loss {
                foreseen.push("ALREADY_SPENT");
            }
        }
        let (by, key) = self.somebody("North");
        let answer = self.world.passes.reverse(&by, request.clone()).wait();
        if !self.expect("reverse", &answer, foreseen) {
            return;
        }
        let receipt = answer.unwrap();
        let amount: i64 = parts.iter().map(|(_, part)| part).sum();
        assert_eq!(receipt.amount, Some(minor(amount, currency)));
        assert_eq!(receipt.loss.map_or(0, Money::minor), spent);
        assert_eq!(receipt.of, Some(self.operations[operation].position));
        let mut returned = receipt.returned.iter();
        let mut back: i64 = 0;
        let mut last_pass = None;
        for (n, part) in parts {
            let m = &mut self.operations[operation].movements[n];
            m.reversed += part;
            let (from, to, mark, line) = (m.from, m.to, m.mark, m.line);
            match from {
                From::Credit(credit) => {
                    let told = returned.next().unwrap();
                    assert_eq!((told.amount.minor(), told.mark, told.line), (part, mark, line));
                    let of = &self.credits[credit];
                    let expired = of.spend_by.is_some_and(|end| self.now >= end);
                    if !expired {
                        assert_eq!(told.home, Home::Credit(of.contact, of.id));
                        self.credits[credit].used -= part;
                        self.book(Account::Settled, Account::Credit, mark, part, currency);
                    } else if self.grace > 0 {
                        let until = (self.now / DAY + self.grace + 1) * DAY;
                        let Home::NewCredit(contact, id, spend_by) = told.home else {
                            panic!("{:?}", told.home)
                        };
                        assert_eq!((contact, spend_by.map(Instant::micros)), (of.contact, Some(until)));
                        let pass = of.pass;
                        self.new_credit(contact, id, pass, mark, part, Some(until));
                        self.book(Account::Settled, Account::Credit, mark, part, currency);
                    } else {
                        assert_eq!(told.home, Home::Breakage);
                        self.book(Account::Settled, Account::Breakage, mark, part, currency);
                    }
                }
                From::Pass(pass) => {
                    let sources = match to {
                        None => [(Account::Settled, part), (Account::Loss, 0)],
                        Some(credit) => {
                            let of = &mut self.credits[credit];
                            let there = part.min(of.amount - of.used);
                            of.used += there;
                            [(Account::Credit, there), (Account::Loss, part - there)]
                        }
                    };
                    let end = self.end_of(pass);
                    let cancelled = self.passes[end].standing == Standing::Cancelled;
                    let mut new = None;
                    for (account, amount) in sources.into_iter().filter(|(_, amount)| *amount > 0) {
                        let told = returned.next().unwrap();
                        assert_eq!((told.amount.minor(), told.mark, told.line), (amount, mark, line));
                        if cancelled {
                            let Home::NewCredit(contact, id, spend_by) = told.home else {
                                panic!("{:?}", told.home)
                            };
                            if let Some(to) = request.to {
                                assert_eq!(contact, to);
                            }
                            let days = self.plans[self.passes[end].plan].spend_days;
                            let until = days.map(|days| (self.now / DAY + days + 1) * DAY);
                            assert_eq!(spend_by.map(Instant::micros), until);
                            assert!(
                                new.is_none_or(|before| before == (contact, id)),
                                "one credit for the part"
                            );
                            new = Some((contact, id));
                            self.book(account, Account::Credit, mark, amount, currency);
                        } else {
                            assert_eq!(told.home, Home::Pass(self.passes[end].id));
                            self.book(account, Account::Outstanding, mark, amount, currency);
                        }
                    }
                    if let Some((contact, id)) = new {
                        let days = self.plans[self.passes[end].plan].spend_days;
                        let until = days.map(|days| (self.now / DAY + days + 1) * DAY);
                        self.new_credit(contact, id, end, mark, part, until);
                        let held = self.contacts.entry(contact).or_default();
                        if !held.contains(&currency) {
                            held.push(currency);
                        }
                    } else {
                        if mark == Mark::Granted {
                            self.passes[end].granted_used -= part;
                        }
                        back += part;
                        last_pass = Some(end);
                    }
                }
            }
        }
        assert!(returned.next().is_none());
        let mut uses = 0;
        if let Some(pass) = last_pass {
            let complete = self.operations[operation].movements.iter().all(|m| m.amount == m.reversed);
            let of = &self.passes[pass];
            uses = match self.plans[of.plan].usage {
                Usage::Shared(_) if complete => self.operations[operation].uses.min(of.uses_used),
                Usage::Shared(_) => 0,
                _ => up(of.used, of.value.unwrap()) - up(of.used - back, of.value.unwrap()),
            };
            let of = &mut self.passes[pass];
            (of.used, of.uses_used) = (of.used - back, of.uses_used - uses);
        }
        assert_eq!(receipt.uses, uses);
        if let Some(key) = key {
            self.asked.push((key, Asked::Reverse(request, receipt)));
        }
    }

    fn new_credit(
        &mut self,
        contact: ContactId,
        id: CreditId,
        pass: usize,
        mark: Mark,
        amount: i64,
        spend_by: Option<i64>,
    ) {
        let created = self.now;
        self.credits.push(Credit { contact, id, pass, mark, spend_by, created, amount, used: 0 });
    }

    /// The pass that money comes from in the end.
    fn pass_of(&self, from: From) -> usize {
        match from {
            From::Pass(pass) => pass,
            From::Credit(credit) => self.credits[credit].pass,
        }
    }

    /// The pass itself, or what took its place.
    fn end_of(&self, mut pass: usize) -> usize {
        while let Some(next) = self.passes[pass].successor {
            pass = next;
        }
        pass
    }

    /// A reversal by a key that has not come; and the request that comes late.
    fn stop(&mut self) {
        if self.dice.once_in(3)
            && let Some(key) = self.dice.maybe(&self.stopped).cloned()
        {
            let again = self.world.passes.reverse(&self.world.by, Reverse::key(&key)).wait();
            self.expect("stop", &again, vec!["ALREADY_REVERSED"]);
            let code = self.passes[self.passes.len() - 1].code.clone();
            let late = self
                .world
                .passes
                .redeem(&self.world.key(&key), Redeem::into_new_wallet(code.as_str()))
                .wait();
            self.expect("late", &late, vec!["REVERSED_BEFORE_IT_CAME"]);
            return;
        }
        self.keys += 1;
        let key = format!("key {}", self.keys);
        let answer = self.world.passes.reverse(&self.world.by, Reverse::key(&key)).wait();
        if self.expect("stop", &answer, vec![]) {
            assert_eq!(answer.unwrap().of, None);
            self.stopped.push(key);
        }
    }

    /// The same request again, or another one under its key; in whatever state everything is by now.
    fn again(&mut self) {
        let count = self.asked.len() as u64;
        if count == 0 {
            return;
        }
        let which = self.dice.below(count) as usize;
        let other = self.dice.once_in(3);
        let (key, asked) = &self.asked[which];
        let by = self.world.by.clone().key(key).place("North");
        let passes = &self.world.passes;
        fn same<T: PartialEq + std::fmt::Debug>(answer: Result<Receipt<T>, Error>, first: &Receipt<T>) {
            let answer = answer.unwrap();
            assert!(answer.replayed);
            assert_eq!((answer.operation, &answer.done, answer.at), (first.operation, &first.done, first.at));
        }
        if other {
            let code: Presented = self.passes[0].code.as_str().into();
            let answer = passes.redeem(&by, Redeem::direct(code, minor(123_456, currency("EUR")))).wait();
            self.expect("another request", &answer, vec!["IDEMPOTENCY_MISMATCH"]);
            return;
        }
        match asked {
            Asked::Redeem(request, first) => same(passes.redeem(&by, request.clone()).wait(), first),
            Asked::Spend(request, first) => same(passes.spend(&by, request.clone()).wait(), first),
            Asked::Reverse(request, first) => same(passes.reverse(&by, request.clone()).wait(), first),
        }
        self.note("again", "ok");
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
        assert_eq!(theirs, ours);
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

//! A small shop on any store, with something of every kind in it, and all that can be asked of it.

use passes_core::business::{Channel, Settings};
use passes_core::calendar::Instant;
use passes_core::conditions::{Basket, Line};
use passes_core::contact::{Medium, Profile};
use passes_core::event::Position;
use passes_core::fields::Value;
use passes_core::id::{ContactId, LotId, PassId, PlanId, RunId, SaleId};
use passes_core::lot::Outcome;
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::passcode::{Format, Passcode};
use passes_core::plan::{Caps, Classification, Form, RedeemBy, Spec, SpendBy, Terms, Translated, Usage};
use passes_core::secret::Keyring;
use passes_core::service::{Deal, Generate, Issue, OperationFilter, PassFilter, Recipient, Redeem, Rest};
use passes_core::service::{Reverse, Spend};
use passes_core::store::{PassOrder, Store};
use passes_core::{Error, Passes};
use passes_host::testing::{FixedClock, SeededEntropy};
use std::sync::Arc;

/// What is in the shop.
pub(crate) struct Shop {
    pub(crate) passes: Passes,
    pub(crate) by: By,
    pub(crate) plan: PlanId,
    pub(crate) lot: LotId,
    pub(crate) run: RunId,
    pub(crate) codes: Vec<Passcode>,
    pub(crate) ann: ContactId,
    pub(crate) sale: SaleId,
    /// A pass that was sent to Ann.
    pub(crate) sent: PassId,
    pub(crate) spent: Position,
}

pub(crate) fn gbp(amount: &str) -> Money {
    Money::parse(amount, Currency::GBP).unwrap()
}

pub(crate) fn basket(amount: &str) -> Basket {
    Basket::new(Currency::GBP, vec![Line::new("MUG", 1, gbp(amount)).families(&["toys"])]).unwrap()
}

/// Opens the library on a store, with the shop's keys and clock.
pub(crate) fn open(store: Arc<dyn Store>) -> Result<Passes, Error> {
    let clock = FixedClock::at(Instant::parse("2026-05-01T12:00:00Z").unwrap());
    let keyring = Keyring::from_master("shop", &[7; 32]).unwrap();
    Passes::open(store, keyring, Arc::new(clock), Arc::new(SeededEntropy::new(1))).wait()
}

fn spec(terms: Terms) -> Spec {
    Spec {
        name: [("en".to_owned(), "Gift card".to_owned())].into(),
        description: Translated::new(),
        terms,
        code: Format { prefix: "GIFT".to_owned(), check: true, ..Format::default() },
        caps: Caps { passes: Some(1_000), value: None },
    }
}

impl Shop {
    /// Fills an empty store.
    pub(crate) fn on(store: Arc<dyn Store>) -> Self {
        let passes = open(store).unwrap();
        let owner = Actor::new("owner", Rights::all()).unwrap();
        let mut settings = Settings::new("Shop", "Europe/London", &["GBP", "EUR"], "en").unwrap();
        settings.channels = vec![Channel { name: "sms".to_owned(), active_on: Default::default() }];
        settings.pass_fields =
            serde_json::from_str(r#"[{"name": "series", "type": "text", "most": 20}]"#).unwrap();
        let by = By::new(passes.create_business(&owner, settings).wait().unwrap(), owner);
        let ann = Profile::named("Ann", Medium::Email("ann@example.org".to_owned()));
        let ann = passes.create_contact(&by, ann).wait().unwrap().done;

        let mut terms = Terms::fixed(Classification::Gift, Form::Printed, gbp("25"));
        terms.usage = Usage::Shared(2);
        terms.redeem_by = RedeemBy::AfterActivation("P3Y".parse().unwrap());
        terms.spend_by = SpendBy::AfterRedemption("P1Y to end of month".parse().unwrap());
        let active = |terms: Terms| {
            let plan = passes.create_plan(&by, spec(terms)).wait().unwrap().done;
            passes.activate_plan(&by, plan).wait().unwrap();
            plan
        };
        let plan = active(terms.clone());
        let made = passes.generate(&by, Generate { plan, count: 8, accept_weak: true }).wait().unwrap().done;
        let (lot, run) = (made.lot, made.run);
        passes.finish_run(&by, run).wait().unwrap();
        passes.export(&by, lot).wait().unwrap();
        let codes = passes.export_page(&by, lot, 0, 8).wait().unwrap();
        let codes: Vec<Passcode> = codes.into_iter().map(|row| row.code).collect();

        let till = |key: &str| by.clone().key(key).place("Oxford Street").channel("till").reason("a sale");
        let deal = Deal::at(gbp("20")).worth(gbp("25")).payment("receipt-1").to(ann);
        let sold: Vec<PassId> = (1..=6).map(|serial| lot.pass(serial)).collect();
        passes.sell(&till("sale"), sold, deal).wait().unwrap();
        let sale = passes.pass(&by, lot.pass(1)).wait().unwrap().sale.unwrap();
        let code = |serial: usize| codes[serial - 1].clone();
        passes.redeem(&till("1"), Redeem::into_wallet(code(1), ann)).wait().unwrap();
        passes.redeem(&till("2"), Redeem::into_new_wallet(code(2))).wait().unwrap();
        let direct = passes.redeem(&till("3"), Redeem::direct(code(3), gbp("4.80"))).wait().unwrap();
        passes.reverse(&till("4"), Reverse::operation(direct.operation).amount(gbp("1"))).wait().unwrap();
        let spent = passes.spend(&till("5"), Spend::all(ann, basket("10"))).wait().unwrap().operation;
        passes.suspend(&by, lot.pass(5)).wait().unwrap();
        let fields = [("series".to_owned(), Value::Text("A".to_owned()))];
        passes.set_fields(&by, lot.pass(6), fields.into()).wait().unwrap();
        passes.cancel(&by, lot.pass(7), Rest::Forfeit).wait().unwrap();

        let electronic = active(Terms { form: Form::Electronic, usage: Usage::Single, ..terms });
        let issue = Issue::new(electronic, Recipient::Contact(ann), "sms").from("Ben", "All the best");
        let sent = passes.issue(&by, issue.sold(Deal::at(gbp("25")))).wait().unwrap().done.pass;
        passes.delivered(&by, sent, Outcome::Confirmed).wait().unwrap();
        Self { passes, by, plan, lot, run, codes, ann, sale, sent, spent }
    }

    pub(crate) fn card(&self, serial: u32) -> PassId {
        self.lot.pass(serial)
    }

    /// Asks for everything that can be asked for without writing, through a library that was opened on another
    /// store with the same records, or with what is left of them. What each question fails with, by its code.
    pub(crate) fn ask_all(&self, passes: &Passes) -> Vec<(&'static str, Option<Error>)> {
        let by = &self.by;
        let mut told = Vec::new();
        macro_rules! ask {
            ($name:literal, $call:expr) => {
                told.push(($name, $call.wait().err()))
            };
        }
        ask!("settings", passes.settings(by));
        ask!("plan", passes.plan(by, self.plan));
        ask!("plans", passes.plans(by, None, 10));
        ask!("lot", passes.lot(by, self.lot));
        ask!("lots", passes.lots(by, None, None, 10));
        ask!("lots of a plan", passes.lots(by, self.plan, None, 10));
        for serial in [1, 3, 5, 6, 7, 8] {
            ask!("pass", passes.pass(by, self.card(serial)));
        }
        ask!("sent", passes.pass(by, self.sent));
        let filter = PassFilter { channel: Some("sms".to_owned()), ..PassFilter::default() };
        ask!("filtered", passes.passes(by, self.sent.lot(), filter, PassOrder::Expiry, None, 10));
        let filter = PassFilter::default();
        ask!("passes", passes.passes(by, self.lot, filter, PassOrder::Serial, None, 10));
        ask!("states", passes.count_states(by, self.lot));
        ask!("sale", passes.sale(by, self.sale));
        ask!("run", passes.progress(by, self.run));
        ask!("codes", passes.export_page(by, self.lot, 0, 10));
        ask!("contact", passes.contact(by, self.ann));
        ask!("found", passes.find_contact(by, Medium::Email("ann@example.org".to_owned())));
        ask!("wallet", passes.wallet(by, self.ann));
        ask!("statement", passes.statement(by, self.ann, None, 10));
        ask!("pass statement", passes.pass_statement(by, self.card(3), None, 10));
        ask!("events", passes.events(by, Position::default(), 100));
        ask!("operations", passes.operations(by, OperationFilter::default(), Position::default(), 100));
        ask!("operation", passes.operation(by, self.spent));
        for serial in [3, 4, 5, 7] {
            let code = self.codes[serial - 1].clone();
            ask!("code", passes.pass_by_code(by, &code.clone().into()));
            let direct = Redeem::direct(code.clone(), gbp("3")).basket(basket("5"));
            ask!("check", passes.check(by, &direct));
            ask!("check partly", passes.check(by, &Redeem::direct(code.clone(), gbp("90")).partly()));
            ask!("check wallet", passes.check(by, &Redeem::into_wallet(code, self.ann)));
        }
        ask!("check spend", passes.check_spend(by, &Spend::all(self.ann, basket("90")).partly()));
        ask!("liability", passes.liability(by));
        ask!("verify", passes.verify(by));
        told
    }

    /// Commands: some that are new, and some that were done before, under their keys.
    pub(crate) fn command_all(&self, passes: &Passes) -> Vec<(&'static str, Option<Error>)> {
        let mut told = Vec::new();
        let by = |key: &str| self.by.clone().key(key).place("Oxford Street");
        let code = |serial: usize| self.codes[serial - 1].clone();
        macro_rules! tell {
            ($name:literal, $call:expr) => {
                told.push(($name, $call.wait().err()))
            };
        }
        tell!("redeemed", passes.redeem(&by("1"), Redeem::into_wallet(code(1), self.ann)));
        tell!("paid", passes.redeem(&by("3"), Redeem::direct(code(3), gbp("4.80"))));
        tell!("spent", passes.spend(&by("5"), Spend::all(self.ann, basket("10"))));
        tell!("redeem", passes.redeem(&by("n1"), Redeem::into_wallet(code(4), self.ann)));
        tell!("pay", passes.redeem(&by("n2"), Redeem::direct(code(4), gbp("2")).basket(basket("2"))));
        tell!("spend", passes.spend(&by("n3"), Spend::all(self.ann, basket("3"))));
        tell!("reverse", passes.reverse(&by("n4"), Reverse::operation(self.spent)));
        tell!("reverse a key", passes.reverse(&by("n5"), Reverse::key("1").allow_loss()));
        tell!("sell", passes.sell(&by("n6"), self.card(8), Deal::at(gbp("25"))));
        tell!("void", passes.void_sale(&by("n7"), self.card(4)));
        tell!("suspend", passes.suspend(&by("n8"), self.card(4)));
        tell!("reactivate", passes.reactivate(&by("n9"), self.card(5)));
        tell!("cancel", passes.cancel(&by("n10"), self.card(4), Rest::Forfeit));
        tell!("value", passes.set_value(&by("n11"), self.card(8), gbp("25")));
        tell!("resend", passes.resend(&by("n12"), self.sent));
        tell!(
            "generate",
            passes.generate(&by("n13"), Generate { plan: self.plan, count: 3, accept_weak: true })
        );
        tell!("step", passes.step(&by("n14"), self.run));
        tell!("export", passes.export(&by("n15").reason("again"), self.lot));
        tell!("copy", passes.copy_plan(&by("n16"), self.plan));
        told
    }
}

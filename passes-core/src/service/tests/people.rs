//! Who gives commands, what they may, what is left of it in the audit trail, and what a key does.

use super::{Shop, basket, card, eur, spec};
use crate::calendar::{Instant, parse_date};
use crate::contact::{Medium, Profile};
use crate::event::Position;
use crate::fields::{Definition, FieldType, Value, Values};
use crate::id::{ContactId, Id, LotId, PassId, PlanId, RunId};
use crate::lot::Outcome;
use crate::money::{Currency, Money};
use crate::operation::{Actor, By, Kind, Right, Rights};
use crate::passcode::{CodeHash, Presented};
use crate::plan::{Form, Terms, Worth};
use crate::refusal::Refusal;
use crate::service::{
    Deal, Error, Expiry, Generate, Issue, OperationFilter, Over, Receipt, Recipient, Redeem, Refusals, Rest,
    Reverse, Spend,
};
use std::fmt::Debug;

/// What a command answered: the reference, whether it was done before, when, and what was done.
type Answer = (Position, bool, Instant, String);
type Give<'a> = Box<dyn Fn(&By) -> Result<Answer, Error> + 'a>;

/// A command that has not been given yet, and will be accepted.
struct Command<'a> {
    name: &'static str,
    right: Right,
    kind: Kind,
    give: Give<'a>,
}

fn answer<T: Debug>(receipt: Result<Receipt<T>, Error>) -> Result<Answer, Error> {
    receipt.map(|r| (r.operation, r.replayed, r.at, format!("{:?}", r.done)))
}

pub(super) fn code_of<T: Debug>(answer: Result<T, Error>) -> &'static str {
    answer.unwrap_err().code()
}

pub(super) fn unknown<T: Id>() -> T {
    T::from_bytes([9; 16])
}

fn shop_with_fields() -> Shop {
    Shop::with(|settings| {
        let field = FieldType::Text { most: 20 };
        settings.pass_fields = vec![Definition { name: "note".into(), required: false, field }];
    })
}

/// Every kind of writing command.
fn commands(shop: &Shop) -> Vec<Command<'_>> {
    let (passes, by) = (&shop.passes, &shop.by);
    let mut all: Vec<Command<'_>> = Vec::new();
    macro_rules! add {
        ($right:ident $kind:ident $name:literal, $by:ident => $call:expr) => {
            all.push(Command {
                name: $name,
                right: Right::$right,
                kind: Kind::$kind,
                give: Box::new(move |$by: &By| answer($call.wait())),
            });
        };
    }
    let settings = passes.settings(by).wait().unwrap();
    add!(Configure Configure "configure", by => passes.configure(by, settings.clone()));

    let draft = || passes.create_plan(by, spec(card())).wait().unwrap().done;
    let (edited, copied, archived, deleted, activated) = (draft(), draft(), draft(), draft(), draft());
    add!(Configure Plan "create a plan", by => passes.create_plan(by, spec(card())));
    add!(Configure Plan "edit a plan", by => passes.edit_plan(by, edited, spec(card())));
    add!(Configure Plan "copy a plan", by => passes.copy_plan(by, copied));
    add!(Configure Plan "activate a plan", by => passes.activate_plan(by, activated));
    add!(Configure Plan "archive a plan", by => passes.archive_plan(by, archived));
    add!(Configure Plan "delete a plan", by => passes.delete_plan(by, deleted));

    let ann = shop.contact("Ann");
    let profile = |name: &str| Profile::named(name, Medium::Reference(name.into()));
    add!(Contacts Contact "create a contact", by => passes.create_contact(by, profile("Cleo")));
    add!(Contacts Contact "edit a contact", by => passes.edit_contact(by, ann, profile("Anna")));

    let range = Worth::Range { least: eur("10"), most: eur("100") };
    let plan = shop.plan(Terms { value: range, ..card() });
    let request = Generate { plan, count: 2, accept_weak: false };
    let run = passes.generate(by, request).wait().unwrap().run;
    add!(Issue Generate "generate", by => passes.generate(by, request));
    add!(Issue CancelRun "cancel a run", by => passes.cancel_run(by, run));

    let electronic = shop.plan(Terms { form: Form::Electronic, ..card() });
    let issue = move || Issue::new(electronic, Recipient::Contact(ann), "sms");
    let issued = || passes.issue(by, issue()).wait().unwrap().pass;
    let (delivered, resent, moved) = (issued(), issued(), issued());
    add!(Issue Issue "issue", by => passes.issue(by, issue()));
    add!(Issue Deliver "deliver", by => passes.delivered(by, delivered, Outcome::Confirmed));
    add!(Issue Resend "send again", by => passes.resend(by, resent));
    add!(Adjust Change "set the recipient", by => passes.set_recipient(by, moved, ann));

    let lot = shop.lot(plan, 20);
    let deal = || Deal::at(eur("40")).worth(eur("50"));
    let one = move |n: u32| lot.pass(n);
    passes.sell(by, (3..=20).map(one).collect::<Vec<_>>(), deal()).wait().unwrap();
    let codes = shop.codes(lot);
    let code = move |n: usize| codes[n - 1].clone();
    add!(Activate Activate "activate", by => passes.activate(by, one(1)));
    add!(Sell Sell "sell", by => passes.sell(by, one(2), deal()));
    add!(Void VoidSale "void a sale", by => passes.void_sale(by, one(3)));
    add!(Adjust Suspend "suspend a pass", by => passes.suspend(by, one(4)));
    passes.suspend(by, one(5)).wait().unwrap();
    add!(Adjust Reactivate "reactivate a pass", by => passes.reactivate(by, one(5)));
    add!(Adjust Cancel "cancel a pass", by => passes.cancel(by, one(6), Rest::Refund));
    add!(Adjust Cancel "reissue a pass", by => passes.cancel(by, one(7), Rest::Reissue));
    add!(Adjust Change "set an expiry", by => passes.set_expiry(by, one(8), Expiry::Never));
    add!(Adjust Change "set a value", by => passes.set_value(by, one(9), eur("60")));
    let note: Values = [("note".to_owned(), Value::Text("blue".into()))].into();
    add!(Adjust Change "set fields", by => passes.set_fields(by, one(10), note.clone()));
    let list = vec![one(4), one(11)];
    add!(Adjust Change "change a list", by => passes.set_expiry(by, list.clone(), Expiry::Never));
    let serials = Over::Serials { lot, first: 1, last: 2 };
    add!(Adjust Bulk "begin a bulk command", by => passes.cancel(by, serials.clone(), Rest::Forfeit));
    let (whole, other) = (shop.lot(plan, 1), shop.cards());
    add!(Adjust Suspend "suspend a lot", by => passes.suspend(by, whole));
    add!(Adjust Suspend "suspend a plan", by => passes.suspend(by, other));

    let wallet = shop.contact("Bob");
    for n in [12, 13] {
        passes.redeem(by, Redeem::into_wallet(code(n), wallet)).wait().unwrap();
    }
    let spent = passes.spend(by, Spend::all(wallet, basket("5"))).wait().unwrap().operation;
    let [into, new, direct] = [
        Redeem::into_wallet(code(14), wallet),
        Redeem::into_new_wallet(code(15)),
        Redeem::direct(code(16), eur("12")),
    ];
    add!(Redeem Redeem "redeem", by => passes.redeem(by, into.clone()));
    add!(Redeem Redeem "redeem for a new contact", by => passes.redeem(by, new.clone()));
    add!(Redeem SpendPass "spend a pass", by => passes.redeem(by, direct.clone()));
    add!(Redeem Spend "spend a wallet", by => passes.spend(by, Spend::all(wallet, basket("30"))));
    add!(Reverse Reverse "reverse", by => passes.reverse(by, Reverse::operation(spent)));
    add!(Reverse Stop "stop a key", by => passes.reverse(by, Reverse::key("never came")));

    let (exported, closed) = (shop.lot(plan, 1), shop.lot(plan, 1));
    passes.export(by, closed).wait().unwrap();
    add!(Export Export "export", by => passes.export(by, exported));
    add!(Export CloseExport "close an export", by => passes.close_export(by, closed));
    add!(Reveal Reveal "reveal", by => reveal(shop, by, one(17)));
    all
}

/// Revealing, as a command whose answer is its receipt.
struct Reveal(Result<Receipt<bool>, Error>);

impl Reveal {
    fn wait(self) -> Result<Receipt<bool>, Error> {
        self.0
    }
}

fn reveal(shop: &Shop, by: &By, pass: PassId) -> Reveal {
    Reveal(shop.passes.reveal(by, pass).wait().map(|(receipt, code)| {
        assert_eq!(receipt.replayed, code.is_none(), "a repeated answer holds no secret");
        let Receipt { operation, replayed, at, .. } = receipt;
        Receipt { operation, replayed, at, done: true }
    }))
}

impl Shop {
    fn operations(&self, filter: OperationFilter) -> Vec<crate::service::OperationView> {
        self.passes.operations(&self.by, filter, Position::default(), 10_000).wait().unwrap().rows
    }

    pub(super) fn written(&self) -> usize {
        self.operations(OperationFilter::default()).len()
    }

    pub(super) fn counted(&self, day: &str) -> Vec<Refusals> {
        self.passes.refusals(&self.by, parse_date("day", day).unwrap()).wait().unwrap()
    }

    /// The same person with every right but this one.
    fn without(&self, right: Right) -> By {
        let rest: Vec<Right> = Right::ALL.iter().copied().filter(|other| *other != right).collect();
        self.with_rights(&rest)
    }
}

/// B-4, E-1: every kind of writing command leaves one operation with who, where, through which channel, why and
/// when; every filter finds it; it raises an event.
#[test]
fn every_command_leaves_one_operation() {
    let shop = shop_with_fields();
    let all = commands(&shop);
    let kinds: std::collections::BTreeSet<Kind> = all.iter().map(|command| command.kind).collect();
    let inner = [Kind::Step];
    assert!(Kind::ALL.iter().all(|kind| kinds.contains(kind) != inner.contains(kind)), "{kinds:?}");
    for (n, command) in all.iter().enumerate() {
        let name = command.name;
        shop.time.set(&format!("2026-05-01T15:{n:02}:00Z"));
        let (place, channel, reason) = (format!("till {n}"), format!("pos {n}"), format!("to <{name}>"));
        let actor = Actor::new(&format!("cashier {n}"), Rights::of(&[command.right])).unwrap();
        let by = By::new(shop.by.business, actor).place(&place).channel(&channel).reason(&reason);
        let before = shop.operations(OperationFilter::default());
        let last = before.last().unwrap().position;
        let (position, replayed, at, _) =
            (command.give)(&by).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!replayed);
        let after = shop.operations(OperationFilter::default());
        assert_eq!(after.len(), before.len() + 1, "{name}");
        let operation = &after[before.len()];
        assert_eq!(
            (operation.position, operation.kind, operation.at),
            (position, command.kind, at),
            "{name}"
        );
        assert_eq!(at.to_string(), format!("2026-05-01T15:{n:02}:00Z"));
        assert_eq!(&*operation.actor, format!("cashier {n}"));
        let told = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap().to_owned();
        let seen = (told(&operation.place), told(&operation.channel), told(&operation.reason));
        assert_eq!(seen, (place.clone(), channel.clone(), reason), "{name}");
        let base = OperationFilter::default;
        for filter in [
            OperationFilter { actor: Some(format!("cashier {n}")), ..base() },
            OperationFilter { place: Some(place), ..base() },
            OperationFilter { channel: Some(channel), ..base() },
            OperationFilter { reason: Some(format!("<{name}>")), ..base() },
            OperationFilter { from: Some(at), ..base() },
        ] {
            assert_eq!(shop.operations(filter), std::slice::from_ref(operation), "{name}");
        }
        let of_kind = OperationFilter { kind: Some(command.kind), to: Some(at), ..base() };
        assert!(shop.operations(of_kind).iter().all(|o| o.kind == command.kind && o.at < at));
        let events = shop.passes.events(&shop.by, last, 100).wait().unwrap();
        assert!(!events.is_empty(), "{name}");
        assert!(events.iter().all(|told| (told.position, told.operation) == (position, operation.id)));
    }
    let verified = shop.passes.verify(&shop.by).wait().unwrap();
    assert!(verified.is_good(), "{:?}", verified.drifts);
}

/// B-5, B-4, R-5: without its right no command is done, nothing is written, and it is counted; that binds no key.
/// Then it is done once under the key: the same answer comes back, marked, and another request is refused.
#[test]
fn a_key_does_a_command_once() {
    let mut shop = shop_with_fields();
    let (answers, names): (Vec<Answer>, Vec<&str>) = {
        let all = commands(&shop);
        let before = shop.written();
        for command in &all {
            let bob = shop.without(command.right).key(command.name);
            assert_eq!(code_of((command.give)(&bob)), "FORBIDDEN", "{}", command.name);
        }
        assert_eq!(shop.written(), before);
        let forbidden: u64 =
            shop.counted("2026-05-01").iter().filter(|r| r.code == "FORBIDDEN").map(|r| r.count).sum();
        assert_eq!(forbidden, all.len() as u64);
        let with = |key: &str| shop.by.clone().key(key);
        let answers: Vec<Answer> = all
            .iter()
            .map(|command| {
                (command.give)(&with(command.name)).unwrap_or_else(|e| panic!("{}: {e}", command.name))
            })
            .collect();
        let (written, owed) = (shop.written(), shop.passes.liability(&shop.by).wait().unwrap());
        assert_eq!(written, before + all.len());
        shop.time.set("2026-05-01T19:00:00Z");
        for (n, command) in all.iter().enumerate() {
            let again =
                (command.give)(&with(command.name)).unwrap_or_else(|e| panic!("{}: {e}", command.name));
            let (position, _, at, done) = answers[n].clone();
            assert_eq!(again, (position, true, at, done), "{}", command.name);
            let other = all[(n + 1) % all.len()].name;
            assert_eq!(code_of((command.give)(&with(other))), "IDEMPOTENCY_MISMATCH", "{}", command.name);
            // A right that was taken away is missed before the key is looked at.
            let bob = shop.without(command.right).key(command.name);
            assert_eq!(code_of((command.give)(&bob)), "FORBIDDEN", "{}", command.name);
        }
        assert_eq!(shop.written(), written);
        assert_eq!(shop.passes.liability(&shop.by).wait().unwrap(), owed);
        (answers, all.iter().map(|command| command.name).collect())
    };
    // The keys live in the store, and end with their business.
    shop.reopen();
    for (answer, name) in answers.iter().zip(names) {
        let view = shop.passes.operation(&shop.by, answer.0).wait().unwrap();
        assert_eq!(view.at, answer.2, "{name}");
    }
    assert!(shop.passes.verify(&shop.by).wait().unwrap().is_good());
}

/// B-5: what an actor may not do is refused before anything else is looked at, however wrong the rest is; reading
/// needs its rights as well.
#[test]
fn rights_are_judged_first() {
    let shop = Shop::open();
    let (passes, lot) = (&shop.passes, shop.lot(shop.cards(), 1));
    let nobody = &shop.with_rights(&[]);
    let (pass, plan, contact): (PassId, PlanId, ContactId) = (unknown(), unknown(), unknown());
    let (ghost, run): (LotId, RunId) =
        (unknown(), shop.passes.lot(&shop.by, lot).wait().unwrap().run.unwrap());
    let mut settings = passes.settings(nobody).wait().unwrap();
    settings.guess_one_in = 0;
    let wrong = Profile::of(Medium::Email("nowhere".into()));
    let deal = Deal::at(eur("-1"));
    let bad_spec = {
        let mut bad = spec(card());
        bad.name.clear();
        bad
    };
    let code: Presented = "\u{7}".into();
    let redeem = Redeem::direct(code.clone(), eur("-1"));
    let spend = Spend::all(contact, basket("1")).amount(eur("9"));
    let over = Over::Serials { lot: ghost, first: 9, last: 1 };
    let now = Instant::parse("2026-05-01T12:00:00Z").unwrap();
    let errors: Vec<(&str, Option<Error>)> = vec![
        ("create_business", passes.create_business(&nobody.actor, settings.clone()).wait().err()),
        (
            "create_business_once",
            passes.create_business_once(&nobody.actor, "k", settings.clone()).wait().err(),
        ),
        ("configure", passes.configure(nobody, settings).wait().err()),
        ("create_plan", passes.create_plan(nobody, bad_spec.clone()).wait().err()),
        ("edit_plan", passes.edit_plan(nobody, plan, bad_spec).wait().err()),
        ("copy_plan", passes.copy_plan(nobody, plan).wait().err()),
        ("activate_plan", passes.activate_plan(nobody, plan).wait().err()),
        ("archive_plan", passes.archive_plan(nobody, plan).wait().err()),
        ("delete_plan", passes.delete_plan(nobody, plan).wait().err()),
        ("plan", passes.plan(nobody, plan).wait().err()),
        ("plans", passes.plans(nobody, None, 0).wait().err()),
        ("create_contact", passes.create_contact(nobody, wrong.clone()).wait().err()),
        ("edit_contact", passes.edit_contact(nobody, contact, wrong).wait().err()),
        ("contact", passes.contact(nobody, contact).wait().err()),
        ("find_contact", passes.find_contact(nobody, Medium::Phone("1".into())).wait().err()),
        ("generate", passes.generate(nobody, Generate { plan, count: 0, accept_weak: true }).wait().err()),
        ("step", passes.step(nobody, run).wait().err()),
        ("finish_run", passes.finish_run(nobody, run).wait().err()),
        ("cancel_run", passes.cancel_run(nobody, run).wait().err()),
        ("progress", passes.progress(nobody, unknown()).wait().err()),
        ("issue", passes.issue(nobody, Issue::new(plan, Recipient::Contact(contact), "")).wait().err()),
        ("delivered", passes.delivered(nobody, pass, Outcome::Accepted).wait().err()),
        ("resend", passes.resend(nobody, pass).wait().err()),
        ("activate", passes.activate(nobody, over.clone()).wait().err()),
        ("sell", passes.sell(nobody, pass, deal).wait().err()),
        ("void_sale", passes.void_sale(nobody, pass).wait().err()),
        ("suspend", passes.suspend(nobody, ghost).wait().err()),
        ("reactivate", passes.reactivate(nobody, plan).wait().err()),
        ("cancel", passes.cancel(nobody, over, Rest::Refund).wait().err()),
        ("set_expiry", passes.set_expiry(nobody, vec![pass; 10_001], Expiry::Never).wait().err()),
        ("set_value", passes.set_value(nobody, pass, eur("-1")).wait().err()),
        ("set_fields", passes.set_fields(nobody, pass, Values::new()).wait().err()),
        ("set_recipient", passes.set_recipient(nobody, pass, contact).wait().err()),
        ("check", passes.check(nobody, &redeem).wait().err()),
        ("redeem", passes.redeem(nobody, redeem.clone()).wait().err()),
        ("check_spend", passes.check_spend(nobody, &spend).wait().err()),
        ("spend", passes.spend(nobody, spend).wait().err()),
        ("reverse", passes.reverse(nobody, Reverse::operation(Position(99))).wait().err()),
        ("reverse by key", passes.reverse(nobody, Reverse::key("")).wait().err()),
        ("export", passes.export(nobody, ghost).wait().err()),
        ("export_page", passes.export_page(nobody, ghost, 0, 1).wait().err()),
        ("close_export", passes.close_export(nobody, ghost).wait().err()),
        ("reveal", passes.reveal(nobody, pass).wait().err()),
        ("pass_by_serial", passes.pass_by_serial(nobody, ghost, 1).wait().err()),
        ("pass_by_code", passes.pass_by_code(nobody, &code).wait().err()),
        ("wallet", passes.wallet(nobody, contact).wait().err()),
        ("expiring", passes.expiring(nobody, contact, now).wait().err()),
        ("statement", passes.statement(nobody, contact, None, 1).wait().err()),
        ("refusals", passes.refusals(nobody, parse_date("day", "2026-05-01").unwrap()).wait().err()),
    ];
    let businesses = 2;
    for (name, error) in &errors {
        let error = error.as_ref().unwrap_or_else(|| panic!("{name}"));
        assert!(matches!(error.reasons(), [Refusal::Forbidden { .. }]), "{name}: {error}");
    }
    let counted: u64 = shop.counted("2026-05-01").iter().map(|r| r.count).sum();
    assert_eq!(counted, errors.len() as u64 - businesses);
}

/// B-5: an actor acts at its places only, and moves no more than its largest amount, in the currencies it has one
/// for; a hash is presented by who may, where the business takes it (C-14).
#[test]
fn places_and_largest_amounts() {
    let shop = Shop::open();
    let passes = &shop.passes;
    let lot = shop.lot(shop.cards(), 8);
    let codes = shop.codes(lot);
    let mitte = Actor::new("bob", Rights::all()).unwrap().at(&["Mitte", "Wedding"]);
    let bob = By::new(shop.by.business, mitte.clone());
    assert_eq!(code_of(passes.activate(&bob, lot.pass(1)).wait()), "FORBIDDEN");
    assert_eq!(code_of(passes.activate(&bob.clone().place("mitte"), lot.pass(1)).wait()), "FORBIDDEN");
    passes.activate(&bob.clone().place("Wedding"), lot.pass(1)).wait().unwrap();
    let none = By::new(shop.by.business, Actor::new("cy", Rights::all()).unwrap().at(&[])).place("Mitte");
    assert_eq!(code_of(passes.activate(&none, lot.pass(2)).wait()), "FORBIDDEN");

    let yen = Money::parse("9000", Currency::parse("JPY").unwrap()).unwrap();
    let small = |largest: &[Money]| {
        By::new(shop.by.business, Actor::new("dee", Rights::all()).unwrap().up_to(largest))
    };
    let dee = &small(&[yen, eur("20")]);
    let ann = shop.contact("Ann");
    passes.activate(&shop.by, vec![lot.pass(2), lot.pass(3)]).wait().unwrap();
    passes.redeem(&shop.by, Redeem::into_wallet(codes[2].clone(), ann)).wait().unwrap();
    let direct =
        |by: &By, amount: &str| passes.redeem(by, Redeem::direct(codes[1].clone(), eur(amount))).wait();
    assert_eq!(code_of(direct(dee, "20.01")), "FORBIDDEN");
    assert_eq!(code_of(passes.redeem(dee, Redeem::into_new_wallet(codes[1].clone())).wait()), "FORBIDDEN");
    assert_eq!(code_of(direct(&small(&[yen]), "1")), "FORBIDDEN");
    let spend = |by: &By, amount: &str| passes.spend(by, Spend::all(ann, basket(amount))).wait();
    assert_eq!(code_of(spend(dee, "20.01")), "FORBIDDEN");
    assert_eq!(code_of(passes.sell(dee, lot.pass(4), Deal::at(eur("20.01"))).wait()), "FORBIDDEN");
    let plan = shop.plan(Terms { form: Form::Electronic, ..card() });
    let issue = |price| Issue::new(plan, Recipient::Contact(ann), "sms").sold(Deal::at(eur(price)));
    assert_eq!(code_of(passes.issue(dee, issue("20.01")).wait()), "FORBIDDEN");
    let spent = spend(&shop.by, "30").unwrap().operation;
    assert_eq!(code_of(passes.reverse(dee, Reverse::operation(spent)).wait()), "FORBIDDEN");
    assert_eq!(shop.counted("2026-05-01").iter().map(|r| r.count).sum::<u64>(), 10);
    direct(dee, "20").unwrap();
    passes.reverse(dee, Reverse::operation(spent).amount(eur("20"))).wait().unwrap();
    spend(dee, "20").unwrap();
    passes.sell(dee, lot.pass(4), Deal::at(eur("20"))).wait().unwrap();
    passes.issue(dee, issue("20")).wait().unwrap();
    // Selling while issuing needs both rights, a loss its own.
    let issuer = shop.with_rights(&[Right::Issue]);
    assert_eq!(code_of(passes.issue(&issuer, issue("20")).wait()), "FORBIDDEN");
    let back = shop.without(Right::BookLoss);
    assert_eq!(code_of(passes.reverse(&back, Reverse::operation(spent).allow_loss()).wait()), "FORBIDDEN");

    let hash = || Presented::Hash(CodeHash::of(shop.by.business.as_bytes(), &codes[0].fold().unwrap()));
    let by_hash = |by: &By| passes.redeem(by, Redeem::direct(hash(), eur("5"))).wait();
    assert_eq!(code_of(by_hash(&shop.by)), "FORBIDDEN", "the business takes none");
    let mut settings = passes.settings(&shop.by).wait().unwrap();
    settings.accept_hashes = true;
    passes.configure(&shop.by, settings).wait().unwrap();
    assert_eq!(code_of(by_hash(&shop.without(Right::PresentHash))), "FORBIDDEN");
    let keyed = shop.by.clone().key("h");
    let done = by_hash(&keyed).unwrap();
    assert_eq!((done.pass, done.left), (lot.pass(1), eur("45")));
    let by_code = passes.redeem(&keyed, Redeem::direct(codes[0].clone(), eur("5"))).wait().unwrap();
    assert!(by_code.replayed, "the code and its hash are one request");
    let view = passes.pass_by_code(&shop.by, &hash()).wait().unwrap();
    assert_eq!(view.id, lot.pass(1));
}

/// B-4: refusals are counted by code, plan and place, and by the day of the business's calendar; they are flushed
/// with later commits, and until then a crash may lose them.
#[test]
fn refusals_are_counted_by_day() {
    let mut shop = Shop::open();
    let plan = shop.cards();
    let codes = shop.codes(shop.lot(plan, 1));
    let refuse = |shop: &Shop, place: Option<&str>| {
        let by = place.map_or(shop.by.clone(), |place| shop.by.clone().place(place));
        let before = shop.written();
        let refused = shop.passes.redeem(&by, Redeem::direct(codes[0].clone(), eur("1"))).wait();
        assert_eq!(code_of(refused), "PASS_DRAFT");
        assert_eq!(shop.written(), before);
    };
    let row = |code: &str, plan, place: Option<&str>, count| Refusals {
        code: code.into(),
        plan,
        place: place.map(str::to_owned),
        count,
    };
    shop.time.set("2026-05-01T21:59:59.999999Z");
    refuse(&shop, Some("Mitte"));
    refuse(&shop, Some("Mitte"));
    refuse(&shop, None);
    let unknown = shop.passes.redeem(&shop.by, Redeem::direct("ZZ", eur("1"))).wait();
    assert_eq!(code_of(unknown), "UNKNOWN_CODE");
    let malformed = shop.passes.redeem(&shop.by, Redeem::direct("\u{7}", eur("1"))).wait();
    assert_eq!(code_of(malformed), "MALFORMED");
    shop.time.set("2026-05-01T22:00:00Z");
    refuse(&shop, Some("Mitte"));
    let first = [
        row("MALFORMED", None, None, 1),
        row("PASS_DRAFT", Some(plan), None, 1),
        row("PASS_DRAFT", Some(plan), Some("Mitte"), 2),
        row("UNKNOWN_CODE", None, None, 1),
    ];
    assert_eq!(shop.counted("2026-05-01"), first);
    assert_eq!(shop.counted("2026-05-02"), [row("PASS_DRAFT", Some(plan), Some("Mitte"), 1)]);
    assert_eq!(shop.counted("2026-04-30"), []);

    // A few that were not flushed are lost with the process; what was flushed is not.
    refuse(&shop, None);
    shop.reopen();
    assert_eq!(shop.counted("2026-05-01"), first);
    assert_eq!(shop.counted("2026-05-02").len(), 1);
    for _ in 0..70 {
        refuse(&shop, None);
    }
    shop.contact("Ann");
    shop.reopen();
    let flushed =
        shop.counted("2026-05-02").iter().filter(|r| r.place.is_none()).map(|r| r.count).sum::<u64>();
    assert!((64..=70).contains(&flushed), "{flushed}");
    // A check refuses nobody.
    let check = shop.passes.check(&shop.by, &Redeem::direct(codes[0].clone(), eur("1"))).wait().unwrap();
    assert!(!check.is_good());
    assert_eq!(
        shop.counted("2026-05-02").iter().filter(|r| r.place.is_none()).map(|r| r.count).sum::<u64>(),
        flushed
    );
}

//! Which refusal is told first, and that a check tells them all and writes nothing.

use crate::shop::{Shop, basket, card, checked, code, eur, money, spec};
use passes_host::business::Settings;
use passes_host::calendar::{Hours, Instant, TimeOfDay, Weekday};
use passes_host::conditions::Conditions;
use passes_host::contact::{Medium, Profile};
use passes_host::event::Position;
use passes_host::id::{ContactId, Id, LotId, PassId, PlanId, RunId, SaleId};
use passes_host::lot::Outcome;
use passes_host::operation::{Actor, By, Right, Rights};
use passes_host::passcode::Presented;
use passes_host::plan::{Form, Terms, Usage, Worth};
use passes_host::service::{
    Deal, Expiry, Generate, Issue, OperationFilter, Over, PassFilter, Recipient, Redeem, Rest, Reverse, Spend,
};
use passes_host::{Error, Refusal};

fn codes(refusals: &[Refusal]) -> Vec<&'static str> {
    refusals.iter().map(Refusal::code).collect()
}

/// That the reasons stand in the documented order, each once.
fn sorted(refusals: &[Refusal]) {
    let ranks: Vec<usize> =
        codes(refusals).iter().map(|c| Refusal::CODES.iter().position(|known| known == c).unwrap()).collect();
    assert!(ranks.is_sorted_by(|a, b| a < b), "{:?}", codes(refusals));
}

/// A top-up for one person, of two shared uses, on Mondays in one place from September on, for toys above 100
/// euros.
fn picky() -> Terms {
    let mut terms = Terms { personal: true, usage: Usage::Shared(2), ..card() };
    terms.windows.hours = vec![Hours {
        days: [Weekday::Mon].into(),
        from: TimeOfDay::from_minutes(9 * 60).unwrap(),
        to: TimeOfDay::from_minutes(17 * 60).unwrap(),
    }];
    terms.conditions = Conditions {
        families: ["toys".into()].into(),
        places: ["Toy Street".into()].into(),
        minimum: Some(eur("100")),
        ..Conditions::default()
    };
    terms
}

/// R-1, R-2: a check lists every rule that fails, in the documented order, each with what would help where
/// something does; the redemption is refused for the same.
#[test]
fn a_check_lists_every_rule_that_fails() {
    let shop = Shop::in_memory();
    let sold = shop.sold(picky(), checked(), 3);
    let day_before = Instant::parse("2026-06-30T12:00:00Z").unwrap();
    shop.passes.set_expiry(&shop.by, sold[0].0, Expiry::At(day_before)).wait().unwrap();
    shop.passes.suspend(&shop.by, sold[0].0).wait().unwrap();
    let by = shop.by.clone().place("Elsewhere");
    let request = Redeem::pay(sold[0].1.reveal(), basket("70"));
    let before = shop.traces();
    let check = shop.passes.check(&by, &request).wait().unwrap();
    sorted(&check.reasons);
    assert_eq!(
        codes(&check.reasons),
        [
            "PASS_SUSPENDED",
            "OUTSIDE_HOURS",
            "PASS_EXPIRED",
            "CONTACT_REQUIRED",
            "NO_ELIGIBLE_PRODUCTS",
            "WRONG_PLACE",
            "BELOW_MINIMUM",
        ]
    );
    assert!(check.would.is_none());
    for reason in &check.reasons {
        // Another basket is another purchase: nothing helps this one.
        assert_eq!(reason.fix().is_empty(), reason.code() == "NO_ELIGIBLE_PRODUCTS", "{reason}");
    }
    let fix = |code: &str| check.reasons.iter().find(|reason| reason.code() == code).unwrap().fix();
    assert!(fix("BELOW_MINIMUM").contains("30.00 EUR"), "{}", fix("BELOW_MINIMUM"));
    assert_eq!(fix("OUTSIDE_HOURS"), "opens Monday 2026-07-06 09:00");
    let refused = shop.passes.redeem(&by, request).wait().unwrap_err();
    assert_eq!(refused.reasons(), check.reasons);
    assert_eq!(shop.traces(), before);

    // Into a wallet: other rules.
    let wallet = Redeem::into_wallet(sold[0].1.reveal(), ContactId::from_bytes([9; 16]));
    let check = shop.passes.check(&by, &wallet).wait().unwrap();
    sorted(&check.reasons);
    assert_eq!(
        codes(&check.reasons),
        ["PASS_SUSPENDED", "OUTSIDE_HOURS", "PASS_EXPIRED", "CONTACT_NOT_REGISTERED"]
    );
    // What is short is told, so that the customer can pay the rest.
    let card = shop.sold(card(), checked(), 1);
    let check =
        shop.passes.check(&shop.by, &Redeem::direct(card[0].1.reveal(), eur("52.50"))).wait().unwrap();
    assert_eq!(check.reasons, [Refusal::BalanceTooSmall { short: eur("2.50") }]);
    assert!(check.reasons[0].fix().contains("2.50 EUR"));
}

/// R-2: the list of codes has no code twice, and what is said of a redemption stands in it in the order of the
/// specification.
#[test]
fn the_codes_are_in_the_documented_order() {
    let mut once = Refusal::CODES.to_vec();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), Refusal::CODES.len());
    let documented = [
        "FORBIDDEN",
        "IDEMPOTENCY_MISMATCH",
        "REVERSED_BEFORE_IT_CAME",
        "MALFORMED",
        "TYPING_ERROR",
        "UNKNOWN_CODE",
        "PASS_DRAFT",
        "PASS_SUSPENDED",
        "PASS_REDEEMED",
        "PASS_CANCELLED",
        "NOT_STARTED",
        "OUTSIDE_HOURS",
        "PASS_EXPIRED",
        "USES_SPENT",
        "VALUE_NOT_SET",
        "CONTACT_REQUIRED",
        "CONTACT_NOT_REGISTERED",
        "NOT_THIS_CONTACT",
        "WALLET_CURRENCY",
        "NO_ELIGIBLE_PRODUCTS",
        "WRONG_PLACE",
        "BELOW_MINIMUM",
        "BALANCE_TOO_SMALL",
    ];
    let places: Vec<_> =
        documented.iter().map(|c| Refusal::CODES.iter().position(|known| known == c).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

/// R-2, R-5: under a key that was used the other request is told so before anything about code, state and
/// balance; the same request is answered as before, whatever became of the pass.
#[test]
fn the_key_is_judged_before_code_state_and_balance() {
    let shop = Shop::in_memory();
    let sold = shop.sold(card(), checked(), 2);
    let (by, right) = (shop.key("receipt 1"), sold[0].1.reveal());
    let first = shop.passes.redeem(&by, Redeem::direct(right, eur("10"))).wait().unwrap();
    shop.passes.suspend(&shop.by, sold[0].0).wait().unwrap();
    let before = shop.traces();
    let again = shop.passes.redeem(&by, Redeem::direct(right, eur("10"))).wait().unwrap();
    assert_eq!((again.replayed, again.operation, &again.done), (true, first.operation, &first.done));
    let mut typo = sold[0].1.fold().unwrap().reveal().to_owned();
    let last = if typo.pop() == Some('2') { '3' } else { '2' };
    typo.push(last);
    for other in [
        Redeem::direct(right, eur("10.01")),
        Redeem::direct(right, eur("1000")),
        Redeem::direct(right, eur("10")).partly(),
        Redeem::direct(sold[1].1.reveal(), eur("10")),
        Redeem::direct(typo.as_str(), eur("10")),
        Redeem::direct("7KQ2", eur("10")),
        Redeem::into_new_wallet(right),
        Redeem::direct("Привет", eur("10")),
    ] {
        assert_eq!(code(shop.passes.redeem(&by, other.clone()).wait()), "IDEMPOTENCY_MISMATCH");
        let many = shop.passes.redeem_all(vec![(by.clone(), other)]).wait().unwrap();
        assert_eq!(many.into_iter().map(code).collect::<Vec<_>>(), ["IDEMPOTENCY_MISMATCH"]);
    }
    assert_eq!(shop.traces(), before);

    // R-12: a key that was stopped refuses whatever comes under it.
    shop.passes.reverse(&shop.by, Reverse::key("receipt 2")).wait().unwrap();
    for late in ["Привет", "7KQ2", right] {
        let late = shop.passes.redeem(&shop.key("receipt 2"), Redeem::direct(late, eur("1"))).wait();
        assert_eq!(code(late), "REVERSED_BEFORE_IT_CAME");
    }
    // A bad code under a fresh key binds nothing.
    let fresh = shop.key("receipt 3");
    assert_eq!(code(shop.passes.redeem(&fresh, Redeem::direct("Привет", eur("1"))).wait()), "MALFORMED");
    assert_eq!(
        code(shop.passes.redeem(&fresh, Redeem::direct(typo.as_str(), eur("1"))).wait()),
        "TYPING_ERROR"
    );
    shop.passes.redeem(&fresh, Redeem::direct(sold[1].1.reveal(), eur("1"))).wait().unwrap();
}

type Try = fn(&Shop, &By, PassId) -> Result<(), Error>;

/// Every command, given with input that is bad in each way that can be told before the store is asked.
const COMMANDS: &[(&str, Try)] = &[
    ("create a business", |s, by, _| {
        let settings = Settings { name: String::new(), ..s.passes.settings(&s.by).wait().unwrap() };
        s.passes.create_business(&by.actor, settings).wait().map(drop)
    }),
    ("create a business once", |s, by, _| {
        let settings = Settings { name: String::new(), ..s.passes.settings(&s.by).wait().unwrap() };
        s.passes.create_business_once(&by.actor, "key", settings).wait().map(drop)
    }),
    ("configure", |s, by, _| {
        let settings = Settings { name: String::new(), ..s.passes.settings(&s.by).wait().unwrap() };
        s.passes.configure(by, settings).wait().map(drop)
    }),
    ("create a plan", |s, by, _| {
        let terms = Terms { value: Worth::Fixed(money("0", "JPY")), ..card() };
        s.passes.create_plan(by, spec(terms, checked())).wait().map(drop)
    }),
    ("copy a plan", |s, by, _| s.passes.copy_plan(by, nothing()).wait().map(drop)),
    ("edit a plan", |s, by, _| s.passes.edit_plan(by, nothing(), spec(card(), checked())).wait().map(drop)),
    ("activate a plan", |s, by, _| s.passes.activate_plan(by, nothing()).wait().map(drop)),
    ("archive a plan", |s, by, _| s.passes.archive_plan(by, nothing()).wait().map(drop)),
    ("delete a plan", |s, by, _| s.passes.delete_plan(by, nothing()).wait().map(drop)),
    ("look at a plan", |s, by, _| s.passes.plan(by, nothing()).wait().map(drop)),
    ("list plans", |s, by, _| s.passes.plans(by, None, 1).wait().map(drop)),
    ("create a contact", |s, by, _| {
        s.passes.create_contact(by, Profile::of(Medium::Email("none".into()))).wait().map(drop)
    }),
    ("edit a contact", |s, by, _| {
        let profile = Profile::of(Medium::Email("none".into()));
        s.passes.edit_contact(by, nothing(), profile).wait().map(drop)
    }),
    ("look at a contact", |s, by, _| s.passes.contact(by, nothing()).wait().map(drop)),
    ("find a contact", |s, by, _| s.passes.find_contact(by, Medium::Email("none".into())).wait().map(drop)),
    ("generate", |s, by, _| {
        s.passes.generate(by, Generate { plan: nothing(), count: 0, accept_weak: true }).wait().map(drop)
    }),
    ("generate too many", |s, by, _| {
        let request = Generate { plan: nothing(), count: u32::MAX, accept_weak: true };
        s.passes.generate(by, request).wait().map(drop)
    }),
    ("issue", |s, by, _| {
        let issue = Issue::new(nothing(), Recipient::Contact(nothing()), "").sold(Deal::at(eur("-1")));
        s.passes.issue(by, issue).wait().map(drop)
    }),
    ("record a delivery", |s, by, pass| {
        s.passes.delivered(by, pass, Outcome::Failed { why: "x".repeat(501) }).wait().map(drop)
    }),
    ("resend", |s, by, pass| s.passes.resend(by, pass).wait().map(drop)),
    ("activate", |s, by, _| s.passes.activate(by, serials()).wait().map(drop)),
    ("sell", |s, by, _| s.passes.sell(by, many(), Deal::at(eur("-1")).payment("")).wait().map(drop)),
    ("void", |s, by, _| s.passes.void_sale(by, many()).wait().map(drop)),
    ("suspend", |s, by, _| s.passes.suspend(by, many()).wait().map(drop)),
    ("reactivate", |s, by, _| s.passes.reactivate(by, serials()).wait().map(drop)),
    ("cancel", |s, by, _| s.passes.cancel(by, serials(), Rest::Refund).wait().map(drop)),
    ("set an expiry", |s, by, _| s.passes.set_expiry(by, many(), Expiry::Never).wait().map(drop)),
    ("set a value", |s, by, pass| s.passes.set_value(by, pass, money("-1", "JPY")).wait().map(drop)),
    ("set fields", |s, by, pass| {
        let values = serde_json::from_str(r#"{"none": "x"}"#).unwrap();
        s.passes.set_fields(by, pass, values).wait().map(drop)
    }),
    ("set a recipient", |s, by, pass| s.passes.set_recipient(by, pass, nothing()).wait().map(drop)),
    ("export", |s, by, _| s.passes.export(by, nothing_lot()).wait().map(drop)),
    ("read an export", |s, by, _| s.passes.export_page(by, nothing_lot(), 0, 1).wait().map(drop)),
    ("close an export", |s, by, _| s.passes.close_export(by, nothing_lot()).wait().map(drop)),
    ("reveal", |s, by, _| s.passes.reveal(by, nothing_lot().pass(1)).wait().map(drop)),
    ("check", |s, by, _| s.passes.check(by, &Redeem::direct("Привет", eur("0"))).wait().map(drop)),
    ("redeem", |s, by, _| s.passes.redeem(by, Redeem::direct("Привет", eur("0"))).wait().map(drop)),
    ("check a spend", |s, by, _| {
        s.passes.check_spend(by, &Spend::all(nothing(), basket("1")).amount(eur("2"))).wait().map(drop)
    }),
    ("spend", |s, by, _| {
        s.passes.spend(by, Spend::all(nothing(), basket("1")).amount(eur("2"))).wait().map(drop)
    }),
    ("reverse", |s, by, _| s.passes.reverse(by, Reverse::key("")).wait().map(drop)),
    ("reverse what isn't there", |s, by, _| {
        s.passes.reverse(by, Reverse::operation(Position(u64::MAX)).amount(eur("-1"))).wait().map(drop)
    }),
    ("look at a wallet", |s, by, _| s.passes.wallet(by, nothing()).wait().map(drop)),
    ("look at a pass", |s, by, _| s.passes.pass(by, nothing_lot().pass(1)).wait().map(drop)),
    ("look a code up", |s, by, _| s.passes.pass_by_code(by, &Presented::from("Привет")).wait().map(drop)),
    ("list passes", |s, by, _| {
        let filter = PassFilter::default();
        s.passes.passes(by, nothing_lot(), filter, Default::default(), None, 1).wait().map(drop)
    }),
    ("count passes", |s, by, _| s.passes.count_states(by, nothing_lot()).wait().map(drop)),
    ("look at a lot", |s, by, _| s.passes.lot(by, nothing_lot()).wait().map(drop)),
    ("list lots", |s, by, _| s.passes.lots(by, None, None, 1).wait().map(drop)),
    ("look at a sale", |s, by, _| s.passes.sale(by, SaleId::from_bytes([9; 16])).wait().map(drop)),
    ("list operations", |s, by, _| {
        let filter = OperationFilter { reason: Some(String::new()), ..OperationFilter::default() };
        s.passes.operations(by, filter, Position::default(), 1).wait().map(drop)
    }),
    ("look at an operation", |s, by, _| s.passes.operation(by, Position(u64::MAX)).wait().map(drop)),
    ("read events", |s, by, _| s.passes.events(by, Position::default(), 1).wait().map(drop)),
    ("look at a run", |s, by, _| s.passes.progress(by, RunId::from_bytes([9; 16])).wait().map(drop)),
    ("verify", |s, by, _| s.passes.verify(by).wait().map(drop)),
    ("take a checkpoint", |s, by, _| s.passes.checkpoint(by).wait().map(drop)),
    ("go on from a checkpoint", |s, by, _| {
        let last = s.passes.checkpoint(&s.by).wait()?;
        s.passes.checkpoint_after(by, &last).wait().map(drop)
    }),
    ("ask for the liability", |s, by, _| s.passes.liability(by).wait().map(drop)),
];

fn nothing<I: Id>() -> I {
    I::from_bytes([9; 16])
}

fn nothing_lot() -> LotId {
    nothing()
}

/// A list that is too long.
fn many() -> Over {
    vec![nothing_lot().pass(1); 10_001].into()
}

/// A range turned round, of no lot.
fn serials() -> Over {
    Over::Serials { lot: nothing(), first: 5, last: 4 }
}

/// B-5, R-2: who lacks the right is told so before anything else: what is wrong with the input, with the key, or
/// with what the command names. Nothing is done.
#[test]
fn what_is_forbidden_is_refused_first() {
    let shop = Shop::in_memory();
    let sold = shop.sold(card(), checked(), 1);
    let before = shop.traces();
    let nobody = Actor::new("nobody", Rights::default()).unwrap();
    let confined = Actor::new("confined", Rights::all()).unwrap().at(&["Oxford Street"]);
    let mut wrong = Vec::new();
    for (what, attempt) in COMMANDS {
        // A key that is too long would be INVALID to somebody who may.
        for by in [
            By::new(shop.by.business, nobody.clone()).key(&"k".repeat(129)),
            By::new(shop.by.business, confined.clone()).place("Elsewhere"),
        ] {
            let found = code(attempt(&shop, &by, sold[0].0));
            if found != "FORBIDDEN" {
                wrong.push(format!("{what}, by {}: {found}", by.actor.id()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Every one of them is refused to the owner as well, for another reason: the input is bad, or it is a question.
    let open = COMMANDS.iter().filter(|(_, attempt)| attempt(&shop, &shop.by, sold[0].0).is_ok()).count();
    assert!(open < 10, "{open}");
    assert_eq!(shop.traces(), before);
}

/// B-5, R-2: an amount above the actor's largest is forbidden before anything is said of code, contact or
/// balance, wherever the request tells it; and the actor may do less.
#[test]
fn too_much_for_the_actor_is_refused_first() {
    let shop = Shop::in_memory();
    let sold = shop.sold(card(), checked(), 3);
    let ann = shop.contact("Ann");
    shop.passes.redeem(&shop.key("1"), Redeem::into_wallet(sold[0].1.reveal(), ann)).wait().unwrap();
    let actor = Actor::new("till", Rights::all()).unwrap().up_to(&[eur("20")]);
    let by = By::new(shop.by.business, actor);
    let before = shop.traces();
    let mut wrong = Vec::new();
    let mut forbidden = |what: &str, found: &'static str| {
        if found != "FORBIDDEN" {
            wrong.push(format!("{what}: {found}"));
        }
    };
    let card = sold[1].1.reveal();
    for text in [card, "Привет", "7KQ2"] {
        let request = Redeem::direct(text, eur("20.01"));
        let check = shop.passes.check(&by, &request).wait().unwrap_or_else(|error| panic!("{error}"));
        forbidden("check", check.reasons.first().map_or("good", Refusal::code));
        forbidden("redeem", code(shop.passes.redeem(&by, request).wait()));
        forbidden("pay", code(shop.passes.redeem(&by, Redeem::pay(text, basket("21"))).wait()));
    }
    forbidden(
        "a used key",
        code(shop.passes.redeem(&by.clone().key("1"), Redeem::direct(card, eur("21"))).wait()),
    );
    let wallet = Redeem::into_wallet(card, ann);
    forbidden("into a wallet", code(shop.passes.redeem(&by, wallet.clone()).wait()));
    forbidden("spend", code(shop.passes.spend(&by, Spend::all(ann, basket("20.01"))).wait()));
    forbidden("nobody's", code(shop.passes.spend(&by, Spend::all(nothing(), basket("20.01"))).wait()));
    forbidden("sell", code(shop.passes.sell(&by, sold[1].0, Deal::at(eur("21")).payment("")).wait()));
    forbidden("another currency", code(shop.passes.sell(&by, sold[1].0, Deal::at(money("1", "JPY"))).wait()));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(shop.traces(), before);
    shop.passes.suspend(&shop.by, sold[1].0).wait().unwrap();
    let check = shop.passes.check(&by, &wallet).wait().unwrap();
    assert_eq!(codes(&check.reasons), ["FORBIDDEN", "PASS_SUSPENDED"]);
    let check = shop.passes.check(&by, &Redeem::direct(card, eur("21"))).wait().unwrap();
    assert_eq!(codes(&check.reasons), ["FORBIDDEN", "PASS_SUSPENDED"]);
    shop.passes.reactivate(&shop.by, sold[1].0).wait().unwrap();
    shop.passes.redeem(&by, Redeem::direct(card, eur("20"))).wait().unwrap();
    shop.passes.spend(&by, Spend::all(ann, basket("20"))).wait().unwrap();
    // Less will do: what is taken is judged.
    shop.passes.redeem(&by, Redeem::direct(card, eur("10"))).wait().unwrap();
    let partly = Redeem::direct(card, eur("21")).partly();
    assert_eq!(shop.passes.redeem(&by, partly).wait().unwrap().amount, eur("20"));
}

/// B-5: each right is needed by what it names: with all others but this one, it is forbidden.
#[test]
fn each_right_is_needed() {
    let shop = Shop::in_memory();
    let sold = shop.sold(card(), checked(), 1);
    let electronic = shop.plan(spec(Terms { form: Form::Electronic, ..card() }, checked()));
    let (pass, lot, ann) = (sold[0].0, sold[0].0.lot(), shop.contact("Ann"));
    let plan = shop.passes.lot(&shop.by, lot).wait().unwrap().plan;
    let before = shop.traces();
    let without = |right: Right| {
        let rights: Vec<Right> = Right::ALL.iter().copied().filter(|r| *r != right).collect();
        shop.with_rights(&rights).reason("to see whether it is forbidden")
    };
    let passes = &shop.passes;
    let sold_issue = || Issue::new(electronic, Recipient::Contact(ann), "sms").sold(Deal::at(eur("50")));
    let direct = || Redeem::direct(sold[0].1.reveal(), eur("1"));
    let hash = || Redeem::direct(sold[0].1.hash(shop.by.business.as_bytes()).unwrap(), eur("1"));
    let generate = |plan: PlanId| Generate { plan, count: 1, accept_weak: false };
    let loss = Reverse::operation(Position(1)).allow_loss();
    let answers: [(Right, &str); 15] = [
        (Right::Redeem, code(passes.redeem(&without(Right::Redeem), direct()).wait())),
        (Right::Sell, code(passes.sell(&without(Right::Sell), pass, Deal::at(eur("50"))).wait())),
        (Right::Sell, code(passes.issue(&without(Right::Sell), sold_issue()).wait())),
        (Right::Void, code(passes.void_sale(&without(Right::Void), pass).wait())),
        (Right::Issue, code(passes.generate(&without(Right::Issue), generate(plan)).wait())),
        (Right::Activate, code(passes.activate(&without(Right::Activate), pass).wait())),
        (Right::Adjust, code(passes.suspend(&without(Right::Adjust), pass).wait())),
        (
            Right::Reverse,
            code(passes.reverse(&without(Right::Reverse), Reverse::operation(Position(1))).wait()),
        ),
        (Right::BookLoss, code(passes.reverse(&without(Right::BookLoss), loss).wait())),
        (Right::Export, code(passes.export(&without(Right::Export), lot).wait())),
        (Right::Reveal, code(passes.reveal(&without(Right::Reveal), pass).wait())),
        (Right::Configure, code(passes.archive_plan(&without(Right::Configure), plan).wait())),
        (Right::Contacts, code(passes.contact(&without(Right::Contacts), ann).wait())),
        (Right::View, code(passes.verify(&without(Right::View)).wait())),
        (Right::PresentHash, code(passes.redeem(&without(Right::PresentHash), hash()).wait())),
    ];
    for (right, found) in answers {
        assert_eq!(found, "FORBIDDEN", "without the right to {right}");
    }
    assert_eq!(shop.traces(), before);
}

/// R-1: a check of a good pass, and of bad ones of all kinds, writes nothing: no operation, no event, and in a
/// file of SQLite not a byte, in its log neither.
#[test]
#[cfg(feature = "sqlite")]
fn a_check_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let shop = Shop::on(std::sync::Arc::new(passes_host::sqlite::Sqlite::open(&path).unwrap()), |_| {});
    let sold = shop.sold(card(), checked(), 2);
    let ann = shop.contact("Ann");
    shop.passes.redeem(&shop.by, Redeem::into_wallet(sold[1].1.reveal(), ann)).wait().unwrap();
    let before = shop.traces();
    let bytes = || ["shop.db", "shop.db-wal"].map(|name| std::fs::read(path.with_file_name(name)).unwrap());
    let files = bytes();
    assert!(!files[1].is_empty());
    let good = sold[0].1.reveal();
    for n in 0..100 {
        let requests = [
            (Redeem::direct(good, eur("20")), true),
            (Redeem::into_wallet(good, ann), true),
            (Redeem::into_new_wallet(good), true),
            (Redeem::direct(good, eur("51")), false),
            (Redeem::direct(sold[1].1.reveal(), eur("1")), false),
            (Redeem::direct("7KQ2", eur("1")), false),
            (Redeem::direct("Привет", eur("1")), false),
        ];
        for (request, accepted) in requests {
            let by = if n % 2 == 0 { shop.by.clone() } else { shop.key("a key of a check") };
            let check = shop.passes.check(&by, &request).wait().unwrap();
            assert_eq!((check.is_good(), check.would.is_some()), (accepted, accepted));
            sorted(&check.reasons);
        }
        let spend = Spend::all(ann, basket("5"));
        assert!(shop.passes.check_spend(&shop.by, &spend).wait().unwrap().is_good());
        let spend = Spend::all(ann, basket("51"));
        assert!(!shop.passes.check_spend(&shop.by, &spend).wait().unwrap().is_good());
    }
    assert!(bytes() == files, "a check wrote to the file");
    assert_eq!(shop.traces(), before);
    // What it said is what happens, and its key is free.
    let request = Redeem::direct(good, eur("20"));
    let would = shop.passes.check(&shop.by, &request).wait().unwrap().would.unwrap();
    let did = shop.passes.redeem(&shop.key("a key of a check"), request).wait().unwrap();
    assert_eq!((did.replayed, did.done), (false, would));
}

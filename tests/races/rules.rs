//! Checking and the reasons of refusals: all of them, in their order, and nothing is written.

use passes_core::calendar::{Hours, TimeOfDay, Weekday, Windows, parse_date};
use passes_core::conditions::Conditions;
use passes_core::id::ContactId;
use passes_core::plan::{Classification, Form, RedeemBy};
use passes_core::service::{Deal, Issue, Recipient, Redeem, Rest, Reverse, Spend};
use passes_core::{Error, Refusal};
use tests::world::{amount, basket, one_line};
use tests::{World, on_every_store};

/// The documented precedence of what a redemption is refused for.
const ORDER: [&str; 26] = [
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
    "VALUE_OUT_OF_RANGE",
    "CONTACT_REQUIRED",
    "CONTACT_NOT_REGISTERED",
    "NOT_THIS_CONTACT",
    "WALLET_CURRENCY",
    "NO_ELIGIBLE_PRODUCTS",
    "WRONG_PLACE",
    "BELOW_MINIMUM",
    "BALANCE_TOO_SMALL",
    "FORMAT_TOO_SHORT",
    "PLAN_CAP",
];

fn codes(reasons: &[Refusal]) -> Vec<&'static str> {
    reasons.iter().map(Refusal::code).collect()
}

/// the order of precedence is the documented one, and every code is there once.
#[test]
fn the_precedence_is_documented() {
    let places: Vec<usize> =
        ORDER.iter().map(|code| Refusal::CODES.iter().position(|c| c == code).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    let mut all = Refusal::CODES.to_vec();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), Refusal::CODES.len());
}

/// P-4, P-8: a pass with everything against it: `check` lists every rule that fails, the gravest first,
/// each with what would fix it; `redeem` is refused for the same; and neither has written anything.
#[test]
fn every_rule_that_fails_is_listed() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, world.by.clone().place("South"));
        let mut spec = World::spec("10 EUR");
        spec.terms.windows =
            Windows { start: Some(parse_date("start", "2026-02-01").unwrap()), ..Windows::default() };
        spec.terms.redeem_by = RedeemBy::Date(parse_date("end", "2026-01-10").unwrap());
        spec.terms.conditions = Conditions {
            skus: ["TEA".into()].into(),
            places: ["North".into()].into(),
            minimum: Some(amount("8 EUR")),
            ..Conditions::default()
        };
        let (pass, code) = world.sold(spec);
        passes.suspend(&by, pass).wait().unwrap();
        let before = world.books();
        let request = Redeem::pay(code.as_str(), basket(&[("CUP", &[], "3 EUR"), ("TEA", &[], "2 EUR")]));
        let check = passes.check(&by, &request).wait().unwrap();
        let foreseen = [
            "PASS_SUSPENDED",
            "NOT_STARTED",
            "PASS_EXPIRED",
            "WRONG_PLACE",
            "BELOW_MINIMUM",
            "BALANCE_TOO_SMALL",
        ];
        assert_eq!(codes(&check.reasons), foreseen);
        assert!(!check.is_good() && check.would.is_none());
        let fixes: Vec<String> = check.reasons.iter().map(Refusal::fix).collect();
        assert_eq!(
            fixes,
            [
                "reactivate the pass",
                "come back after 2026-02-01T00:00:00Z",
                "ask for a later expiry",
                "use it at one of its places",
                "add 3.00 EUR to the basket",
                "pay 3.00 EUR by other means",
            ]
        );
        let refused = passes.redeem(&by, request).wait().unwrap_err();
        assert_eq!(refused.reasons(), &check.reasons[..]);
        assert_eq!(refused.code(), "PASS_SUSPENDED");
        assert_eq!(world.books(), before);
    });
}

/// every code that a redemption or a spend can be refused with is met, through the service.
#[test]
fn every_refusal_is_met() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        let nobody: ContactId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        let first = |request: Redeem| -> &'static str {
            let check = passes.check(by, &request).wait().unwrap();
            let answer = passes.redeem(by, request).wait();
            assert_eq!(check.reasons, answer.as_ref().err().map_or(&[][..], Error::reasons));
            answer.as_ref().map_or_else(Error::code, |_| "ok")
        };
        let mut met: Vec<(&str, &str)> = Vec::new();
        let (draft, draft_code) = world.draft(World::spec("10 EUR"));
        met.push(("PASS_DRAFT", first(Redeem::into_new_wallet(draft_code.as_str()))));
        passes.sell(by, draft, Deal::at(amount("10 EUR"))).wait().unwrap();
        passes.suspend(by, draft).wait().unwrap();
        met.push(("PASS_SUSPENDED", first(Redeem::into_new_wallet(draft_code.as_str()))));
        passes.reactivate(by, draft).wait().unwrap();
        met.push(("BALANCE_TOO_SMALL", first(Redeem::direct(draft_code.as_str(), amount("10.01 EUR")))));
        met.push(("CONTACT_NOT_REGISTERED", first(Redeem::into_wallet(draft_code.as_str(), nobody))));
        met.push(("ok", first(Redeem::into_wallet(draft_code.as_str(), contact))));
        met.push(("PASS_REDEEMED", first(Redeem::into_new_wallet(draft_code.as_str()))));
        let (_, pounds) = world.gift("10 GBP");
        met.push(("WALLET_CURRENCY", first(Redeem::into_wallet(pounds.as_str(), contact))));
        let (cancelled, code) = world.gift("10 EUR");
        passes.cancel(by, cancelled, Rest::Forfeit).wait().unwrap();
        met.push(("PASS_CANCELLED", first(Redeem::into_new_wallet(code.as_str()))));
        met.push(("UNKNOWN_CODE", first(Redeem::into_new_wallet("4444 4444 4444"))));

        let with = |change: &dyn Fn(&mut passes_core::plan::Terms)| {
            let mut spec = World::spec("10 EUR");
            change(&mut spec.terms);
            world.sold(spec).1
        };
        let night = || Windows {
            hours: vec![Hours {
                days: [Weekday::Wed].into(),
                from: TimeOfDay::from_minutes(20 * 60).unwrap(),
                to: TimeOfDay::from_minutes(23 * 60).unwrap(),
            }],
            ..Windows::default()
        };
        let date = |text| parse_date("date", text).unwrap();
        let code = with(&|t| t.windows = night());
        let closed = Redeem::into_new_wallet(code.as_str());
        let check = passes.check(by, &closed).wait().unwrap();
        assert_eq!(check.reasons[0].fix(), "opens Wednesday 2026-01-14 20:00");
        met.push(("OUTSIDE_HOURS", first(closed.clone())));
        world.at("2026-01-14T20:00:00Z");
        met.push(("ok", first(closed)));
        world.at(tests::world::START);
        let code = with(&|t| t.windows.blackout = [date("2026-01-14")].into());
        met.push(("OUTSIDE_HOURS", first(Redeem::into_new_wallet(code.as_str()))));
        let code = with(&|t| t.windows.start = Some(date("2026-01-15")));
        met.push(("NOT_STARTED", first(Redeem::into_new_wallet(code.as_str()))));
        let code = with(&|t| t.redeem_by = RedeemBy::Date(date("2026-01-13")));
        met.push(("PASS_EXPIRED", first(Redeem::into_new_wallet(code.as_str()))));
        let code = with(&|t| t.classification = Classification::TopUp);
        met.push(("CONTACT_REQUIRED", first(Redeem::into_new_wallet(code.as_str()))));
        let code = with(&|t| t.conditions.not_families = ["food".into()].into());
        let food = || basket(&[("TEA", &["food"], "2 EUR")]);
        met.push(("NO_ELIGIBLE_PRODUCTS", first(Redeem::pay(code.as_str(), food()))));
        met.push(("NO_ELIGIBLE_PRODUCTS", first(Redeem::direct(code.as_str(), amount("1 EUR")))));
        let code = with(&|t| t.conditions.places = ["North".into()].into());
        met.push(("WRONG_PLACE", first(Redeem::pay(code.as_str(), food()))));
        let code = with(&|t| t.conditions.minimum = Some(amount("3 EUR")));
        met.push(("BELOW_MINIMUM", first(Redeem::pay(code.as_str(), food()))));
        let mut open = World::spec("10 EUR");
        open.terms.value = passes_core::plan::Worth::Range { least: amount("1 EUR"), most: amount("9 EUR") };
        let (pass, code) = world.draft(open);
        passes.activate(by, pass).wait().unwrap();
        met.push(("VALUE_NOT_SET", first(Redeem::into_new_wallet(code.as_str()))));
        passes.set_value(by, pass, amount("4 EUR")).wait().unwrap();
        met.push(("ok", first(Redeem::into_new_wallet(code.as_str()))));
        let mut personal = World::spec("10 EUR");
        (personal.terms.form, personal.terms.personal) = (Form::Electronic, true);
        let issue = Issue::new(world.plan(personal), Recipient::Contact(contact), "email");
        let pass = passes.issue(by, issue).wait().unwrap().pass;
        passes.delivered(by, pass, passes_core::lot::Outcome::Confirmed).wait().unwrap();
        let code = passes.reveal(by, pass).wait().unwrap().1.unwrap();
        met.push(("NOT_THIS_CONTACT", first(Redeem::into_wallet(code.reveal(), world.contact()))));
        met.push(("ok", first(Redeem::into_wallet(code.reveal(), contact))));
        for (foreseen, answered) in &met {
            assert_eq!(foreseen, answered, "{met:?}");
        }
        let (_, code) = world.gift("10 EUR");
        let keyed = passes.redeem(&world.key("k"), Redeem::direct(code.as_str(), amount("1 EUR"))).wait();
        keyed.unwrap();
        passes.reverse(by, Reverse::key("late")).wait().unwrap();
        for (key, foreseen) in [("k", "IDEMPOTENCY_MISMATCH"), ("late", "REVERSED_BEFORE_IT_CAME")] {
            let answer =
                passes.redeem(&world.key(key), Redeem::direct(code.as_str(), amount("2 EUR"))).wait();
            assert_eq!(answer.unwrap_err().code(), foreseen);
        }
    });
}

/// W-3: a good check tells what would be done, and writes nothing; what is then done is that.
#[test]
fn a_check_tells_what_would_be_done() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        let (_, code) = world.gift("10 EUR");
        let before = world.books();
        let direct = Redeem::pay(code.as_str(), basket(&[("A", &[], "3 EUR"), ("B", &[], "9 EUR")])).partly();
        let wallet = Redeem::into_wallet(code.as_str(), contact);
        let would = [&direct, &wallet].map(|request| {
            let check = passes.check(by, request).wait().unwrap();
            assert!(check.is_good());
            check.would.unwrap()
        });
        let spend = Spend::all(contact, one_line("4 EUR"));
        assert_eq!(codes(&passes.check_spend(by, &spend).wait().unwrap().reasons), ["BALANCE_TOO_SMALL"]);
        assert_eq!(world.books(), before);
        assert_eq!(
            (would[0].amount, would[0].short, would[0].left),
            (amount("10 EUR"), amount("2 EUR"), amount("0 EUR"))
        );
        let done = passes.redeem(by, direct).wait().unwrap();
        assert_eq!(done.done, would[0]);
        passes.reverse(by, Reverse::operation(done.operation)).wait().unwrap();
        let done = passes.redeem(by, wallet).wait().unwrap();
        assert_eq!(
            (done.amount, done.contact, done.left, done.uses, done.credits[0].amount),
            (would[1].amount, would[1].contact, would[1].left, would[1].uses, would[1].credits[0].amount)
        );
        let check = passes.check_spend(by, &spend).wait().unwrap();
        assert_eq!(passes.spend(by, spend).wait().unwrap().done, check.would.unwrap());
    });
}

/// P-8, P-9: a line that sells stored value can't be paid with stored value; money in a commerce pocket is spent
/// under the pool's conditions.
#[test]
fn stored_value_and_pools() {
    let mut settings = tests::world::settings();
    settings.pools.push(passes_core::conditions::Pool {
        name: "canteen".into(),
        conditions: Conditions { families: ["food".into()].into(), ..Conditions::default() },
    });
    for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        let mut spec = World::spec("10 EUR");
        spec.terms.pool = Some("canteen".into());
        let (_, code) = world.sold(spec);
        let tea = || basket(&[("TEA", &["food"], "2 EUR")]);
        let cup = || basket(&[("CUP", &["toys"], "2 EUR")]);
        passes.redeem(by, Redeem::pay(code.as_str(), tea())).wait().unwrap();
        let refused = passes.redeem(by, Redeem::pay(code.as_str(), cup())).wait().unwrap_err();
        assert_eq!(refused.code(), "NO_ELIGIBLE_PRODUCTS");
        passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
        let wallet = passes.wallet(by, contact).wait().unwrap();
        assert!(wallet.pockets.iter().any(|pocket| {
            pocket.key.pool.as_deref() == Some("canteen") && pocket.balance == amount("8 EUR")
        }));
        passes.spend(by, Spend::all(contact, tea())).wait().unwrap();
        let refused = passes.spend(by, Spend::all(contact, cup())).wait().unwrap_err();
        assert_eq!(codes(refused.reasons()), ["NO_ELIGIBLE_PRODUCTS", "BALANCE_TOO_SMALL"]);

        let (_, code) = world.gift("10 EUR");
        let card = passes_core::conditions::Line::new("GIFT", 1, amount("5 EUR")).sells_stored_value();
        let cards = passes_core::conditions::Basket::new(amount("0 EUR").currency(), vec![card]).unwrap();
        let refused = passes.redeem(by, Redeem::pay(code.as_str(), cards.clone())).wait().unwrap_err();
        assert_eq!(refused.code(), "NO_ELIGIBLE_PRODUCTS");
        let mut spec = World::spec("10 EUR");
        spec.terms.conditions.stored_value = true;
        let (_, code) = world.sold(spec);
        passes.redeem(by, Redeem::pay(code.as_str(), cards)).wait().unwrap();
    }
}

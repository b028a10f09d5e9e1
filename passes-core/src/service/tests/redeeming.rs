//! What is told of a redemption before a pass is looked at, and what its answer says.

use super::{Shop, basket, card, codes_of, eur, reasons};
use crate::conditions::{Basket, Line};
use crate::event::{Event, Position};
use crate::id::{ContactId, Id};
use crate::ledger::{Account, Mark, Subject};
use crate::money::{Currency, Money};
use crate::operation::{Actor, By, Rights};
use crate::pass::Tally;
use crate::passcode::Passcode;
use crate::plan::{RedeemBy, SpendBy, Terms, Usage};
use crate::refusal::Refusal;
use crate::service::{Check, Deal, Done, Redeem, Redeemed, Reverse, Spend};
use crate::store::memory::Memory;
use crate::store::{After, Change, Fut, Load, OperationKey, Store, StoreError, delegate, wait};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

impl Shop {
    /// An actor that may move so much at a time.
    fn small(&self, largest: &str) -> By {
        By::new(self.by.business, Actor::new("bob", Rights::all()).unwrap().up_to(&[eur(largest)]))
    }
}

/// Why a check says no.
fn refused<T>(check: &Check<T>) -> Vec<&'static str> {
    assert_eq!(check.is_good(), check.reasons.is_empty());
    assert_eq!(check.would.is_some(), check.is_good());
    codes_of(&check.reasons)
}

/// B-5, R-1: what an actor may move is told before anything of the code, where the amount can be told from the
/// request; where less will do, or a whole use is taken, when it is known.
#[test]
fn the_largest_amount_is_judged_first() {
    let shop = Shop::open();
    let (passes, bob) = (&shop.passes, shop.small("10"));
    let (_, codes) = shop.sold(shop.cards(), 2, "50");
    let told = |request: Redeem| codes_of(&reasons(passes.redeem(&bob, request).wait()));
    let checked = |request: Redeem| refused(&passes.check(&bob, &request).wait().unwrap());
    let unknown = "2222-2222-2222";
    let ann = shop.contact("Ann");

    let direct = |code: &str, amount| Redeem::direct(code, eur(amount));
    assert_eq!(told(direct(unknown, "11")), ["FORBIDDEN"]);
    assert_eq!(checked(direct(unknown, "11")), ["FORBIDDEN", "UNKNOWN_CODE"]);
    assert_eq!(told(direct(unknown, "10")), ["UNKNOWN_CODE"]);
    assert_eq!(checked(direct(unknown, "10")), ["UNKNOWN_CODE"]);
    assert_eq!(told(direct(unknown, "11").partly()), ["UNKNOWN_CODE"]);
    assert_eq!(told(Redeem::pay(unknown, basket("11"))), ["FORBIDDEN"]);
    assert_eq!(told(Redeem::pay(unknown, basket("11")).partly()), ["UNKNOWN_CODE"]);
    assert_eq!(told(direct(unknown, "9").basket(basket("11"))), ["UNKNOWN_CODE"]);
    assert_eq!(told(Redeem::into_wallet(unknown, ann).basket(basket("11"))), ["UNKNOWN_CODE"]);

    let known = codes[0].reveal();
    assert_eq!(checked(direct(known, "11")), ["FORBIDDEN"]);
    assert_eq!(told(direct(known, "11").partly()), ["FORBIDDEN"]);
    assert_eq!(told(Redeem::into_wallet(known, ann)), ["FORBIDDEN"]);
    // A whole use can be told whatever else is wrong.
    let nobody = ContactId::from_bytes([9; 16]);
    assert_eq!(told(Redeem::into_wallet(known, nobody)), ["FORBIDDEN", "CONTACT_NOT_REGISTERED"]);
    // What would be spent directly is not known where it can't be spent.
    shop.passes
        .suspend(&shop.by, passes.pass_by_code(&shop.by, &known.into()).wait().unwrap().id)
        .wait()
        .unwrap();
    assert_eq!(told(direct(known, "11").partly()), ["PASS_SUSPENDED"]);
    assert_eq!(told(Redeem::into_wallet(known, ann)), ["FORBIDDEN", "PASS_SUSPENDED"]);
    assert!(passes.redeem(&bob, direct(codes[1].reveal(), "10")).wait().is_ok());
}

/// R-5, R-12: a key is judged before a code that is none: what it was used for, or that it was stopped.
#[test]
fn a_key_is_judged_before_a_code_that_is_none() {
    let shop = Shop::open();
    let (_, codes) = shop.sold(shop.cards(), 1, "50");
    let (passes, ann) = (&shop.passes, shop.contact("Ann"));
    let with = |key: &str| shop.by.clone().key(key);
    let told = |by: &By, code: &str| {
        let request = Redeem::into_wallet(code, ann);
        let check = refused(&passes.check(by, &request).wait().unwrap());
        let batch = passes.redeem_all(vec![(by.clone(), request.clone())]).wait().unwrap();
        let batch = codes_of(&reasons(batch.into_iter().next().unwrap()));
        let told = codes_of(&reasons(passes.redeem(by, request).wait()));
        assert_eq!((&told, &told), (&check, &batch));
        told
    };
    passes.redeem(&with("used"), Redeem::direct(codes[0].clone(), eur("1"))).wait().unwrap();
    passes.reverse(&with("r"), Reverse::key("stopped")).wait().unwrap();
    assert_eq!(told(&with("new"), "7kq2!"), ["MALFORMED"]);
    assert_eq!(told(&shop.by, "7kq2!"), ["MALFORMED"]);
    assert_eq!(told(&with("used"), "7kq2!"), ["IDEMPOTENCY_MISMATCH"]);
    assert_eq!(told(&with("stopped"), "7kq2!"), ["REVERSED_BEFORE_IT_CAME"]);
    assert_eq!(told(&with("new"), "2222-2222-2222"), ["UNKNOWN_CODE"]);
    // What was told is what is counted, by redemptions and lists; checks refuse nobody.
    let counted: Vec<_> = shop.counted("2026-05-01").into_iter().map(|r| (r.code, r.count)).collect();
    let twice = ["IDEMPOTENCY_MISMATCH", "MALFORMED", "REVERSED_BEFORE_IT_CAME", "UNKNOWN_CODE"];
    assert_eq!(counted, twice.map(|code| (code.to_owned(), if code == "MALFORMED" { 4 } else { 2 })));
}

/// R-5, R-11: in a list each key is judged after those before it, also before a code that is none.
#[test]
fn a_list_judges_keys_in_its_order() {
    let shop = Shop::open();
    let (_, codes) = shop.sold(shop.cards(), 1, "50");
    let by = shop.by.clone().key("k");
    let of = |code: &str| (by.clone(), Redeem::direct(code, eur("1")));
    let told = |requests: Vec<_>| -> Vec<_> {
        let answers = shop.passes.redeem_all(requests).wait().unwrap();
        answers.into_iter().map(|answer| answer.map_or_else(|e| e.code(), |_| "ok")).collect()
    };
    let good = codes[0].reveal();
    assert_eq!(told(vec![of("7kq2!"), of(good), of("7kq2!")]), ["MALFORMED", "ok", "IDEMPOTENCY_MISMATCH"]);
}

/// R-5: what is left is told as the commit found it, whatever the rehearsal saw; the last use says so.
#[test]
fn an_answer_tells_what_the_commit_left() {
    let shop = Shop::open();
    let (_, codes) = shop.sold(shop.cards(), 1, "50");
    let direct = |amount: &str| Redeem::direct(codes[0].clone(), eur(amount));
    let first = shop.passes.redeem(&shop.by, direct("20")).wait().unwrap().done;
    assert_eq!((first.left, first.uses, first.uses_left, first.was_last()), (eur("30"), 1, 0, false));
    let would = shop.passes.check(&shop.by, &direct("30")).wait().unwrap().would.unwrap();
    assert_eq!((would.left, would.uses, would.uses_left, would.was_last()), (eur("0"), 0, 0, true));
    assert_eq!((would.amount, would.short, would.credits.len()), (eur("30"), eur("0"), 0));

    let mut settled = first.clone();
    let tally = |used, limit| Tally { used, held: 1, limit };
    settled.settle(&[tally(1, 4), tally(30, 100), tally(0, 0)]);
    assert_eq!(settled, Redeemed { left: eur("0.69"), uses_left: 2, ..first.clone() });
    settled.settle(&[tally(1, 4)]);
    assert_eq!(settled.uses_left, 2);
}

/// R-5, W-1: what an operation kept of its tallies is what its answer is told from: the granted part only of a pass
/// that has one.
#[test]
fn the_granted_part_is_counted_where_there_is_one() {
    let shop = Shop::open();
    let plan = shop.cards();
    let lot = shop.lot(plan, 2);
    let codes = shop.codes(lot);
    shop.passes.sell(&shop.by, lot.pass(1), Deal::at(eur("50"))).wait().unwrap();
    shop.passes.activate(&shop.by, lot.pass(2)).wait().unwrap();
    let after = |code: &Passcode| {
        let spent = shop.passes.redeem(&shop.by, Redeem::direct(code.clone(), eur("20"))).wait().unwrap();
        let mut load = Load::new(shop.by.business);
        load.operation = Some(OperationKey::Number(spent.operation.0));
        wait(shop.passes.store().load(&load)).unwrap().operation.unwrap().0.after.clone()
    };
    let (uses, spent) = (Tally { used: 1, held: 0, limit: 1 }, Tally { used: 2_000, held: 0, limit: 5_000 });
    assert_eq!(after(&codes[0]), [uses, spent]);
    assert_eq!(after(&codes[1]), [uses, spent, spent]);
}

/// W-1, E-1: a redemption into a wallet and a direct one say what they did in their receipt, their entries
/// and their event alike; a check says the same before.
#[test]
fn receipt_entries_and_event_agree() {
    let shop = Shop::open();
    let mut terms = Terms { usage: Usage::Shared(2), ..card() };
    terms.spend_by = SpendBy::AfterRedemption("P1Y".parse().unwrap());
    terms.redeem_by = RedeemBy::AfterActivation("P2Y".parse().unwrap());
    // A pass that is worth more than its price is granted in part.
    let (pass, code) = shop.one(terms.clone(), eur("10"));
    let ann = shop.contact("Ann");
    let by = shop.by.clone().key("k").place("Till 1");
    let would = |request: &Redeem| shop.passes.check(&by, request).wait().unwrap().would.unwrap();
    let entries = |operation: Position| {
        let mut load = Load::new(shop.by.business);
        load.operation = Some(OperationKey::Number(operation.0));
        wait(shop.passes.store().load(&load)).unwrap().operation.unwrap().1
    };

    let request = Redeem::into_wallet(code.clone(), ann);
    let told = would(&request);
    let receipt = shop.passes.redeem(&by, request).wait().unwrap();
    let done = receipt.done.clone();
    assert_eq!((done.pass, done.contact, done.amount, done.left), (pass, Some(ann), eur("25"), eur("25")));
    assert_eq!((done.uses, done.uses_left, done.paid.len()), (1, 1, 0));
    assert_eq!(
        (told.contact, told.amount, told.left, told.uses, told.uses_left),
        (Some(ann), eur("25"), eur("25"), 1, 1)
    );
    let parts = |of: &Redeemed| of.credits.iter().map(|c| (c.mark, c.amount, c.spend_by)).collect::<Vec<_>>();
    assert_eq!(parts(&told), parts(&done));
    assert!(told.credits.iter().all(|c| c.credit.to_bytes() == [0; 16]));
    assert!(done.credits.iter().all(|c| c.credit.to_bytes() != [0; 16] && c.spend_by.is_some()));
    let booked = entries(receipt.operation);
    assert_eq!(booked.len(), done.credits.len());
    for (stored, credited) in booked.iter().zip(&done.credits) {
        let entry = &stored.entry;
        assert_eq!(entry.from, (Account::Outstanding, Subject::Pass(pass)));
        assert_eq!(entry.to, (Account::Credit, Subject::Credit(ann, credited.credit)));
        assert_eq!((entry.amount, entry.mark, entry.line), (credited.amount.minor(), credited.mark, None));
    }
    let credits = done.credits.iter().map(|c| c.credit).collect();
    let expected = Event::PassRedeemed { pass, contact: ann, amount: eur("25"), credits, left: 2_500 };
    let events = shop.passes.events(&by, Position(receipt.operation.0 - 1), 1).wait().unwrap();
    assert_eq!(events[0].event, expected);

    let by = by.key("k2");
    let request = Redeem::pay(code, basket("7"));
    let paid = shop.passes.redeem(&by, request).wait().unwrap();
    assert_eq!((paid.contact, paid.credits.len(), paid.uses, paid.uses_left), (None, 0, 1, 0));
    assert_eq!(paid.paid.iter().map(|p| (p.line, p.amount)).collect::<Vec<_>>(), [(Some(0), eur("7"))]);
    let booked = entries(paid.operation);
    assert_eq!(booked.len(), 1);
    assert_eq!(booked[0].entry.to, (Account::Settled, Subject::None));
    assert_eq!((booked[0].entry.line, booked[0].entry.amount), (Some(0), 700));
    let events = shop.passes.events(&by, Position(paid.operation.0 - 1), 1).wait().unwrap();
    assert_eq!(events[0].event, Event::PassSpent { pass, amount: eur("7"), left: 1_800 });
    shop.proved();
}

/// W-2: a first credit in a currency is noted with the contact, once; a nameless contact begins with it.
#[test]
fn a_wallet_notes_its_currencies() {
    let shop = Shop::with(|settings| settings.second_currency = true);
    let ann = shop.contact("Ann");
    let yen = |minor| Money::from_minor(minor, Currency::JPY).unwrap();
    let held = |contact| shop.passes.contact(&shop.by, contact).wait().unwrap().currencies;
    let redeem = |terms: Terms, price: Money, request: &dyn Fn(Passcode) -> Redeem| {
        let (_, code) = shop.one(terms, price);
        shop.passes.redeem(&shop.by, request(code)).wait().unwrap().contact.unwrap()
    };
    let in_yen = || Terms::fixed(card().classification, card().form, yen(500));
    assert_eq!(held(ann), []);
    for _ in 0..2 {
        redeem(card(), eur("50"), &|code| Redeem::into_wallet(code, ann));
    }
    assert_eq!(held(ann), [Currency::EUR]);
    for _ in 0..2 {
        redeem(in_yen(), yen(500), &|code| Redeem::into_wallet(code, ann));
    }
    assert_eq!(held(ann), [Currency::EUR, Currency::JPY]);
    let new = redeem(in_yen(), yen(500), &|code| Redeem::into_new_wallet(code));
    assert_eq!(held(new), [Currency::JPY]);
    assert!(!shop.passes.contact(&shop.by, new).wait().unwrap().named);
}

/// B-5, W-3: what an actor may move counts for a wallet, too: by the request, or by what is paid where less will do.
#[test]
fn a_spend_is_judged_by_its_amount() {
    let shop = Shop::open();
    let (passes, bob, ann) = (&shop.passes, shop.small("10"), shop.contact("Ann"));
    let nobody = ContactId::from_bytes([9; 16]);
    let (_, codes) = shop.sold(shop.cards(), 1, "50");
    passes.redeem(&shop.by, Redeem::into_wallet(codes[0].clone(), ann)).wait().unwrap();
    let told = |request: Spend| codes_of(&reasons(passes.spend(&bob, request).wait()));
    let checked = |request: Spend| refused(&passes.check_spend(&bob, &request).wait().unwrap());
    assert_eq!(told(Spend::all(nobody, basket("11"))), ["FORBIDDEN"]);
    assert_eq!(checked(Spend::all(nobody, basket("11"))), ["FORBIDDEN"]);
    assert_eq!(told(Spend::all(nobody, basket("11")).amount(eur("10"))), ["CONTACT_NOT_REGISTERED"]);
    assert_eq!(told(Spend::all(nobody, basket("11")).partly()), ["CONTACT_NOT_REGISTERED"]);
    assert_eq!(told(Spend::all(ann, basket("11")).partly()), ["FORBIDDEN"]);
    assert_eq!(checked(Spend::all(ann, basket("11")).partly()), ["FORBIDDEN"]);
    assert!(passes.spend(&bob, Spend::all(ann, basket("10"))).wait().is_ok());
}

/// W-3: the amount of a spend is above zero, not above the basket and in its currency; the moment of a credit's
/// end is too late, the one before isn't.
#[test]
fn a_spend_has_bounds() {
    let shop = Shop::open();
    let mut terms = card();
    terms.spend_by = SpendBy::AfterRedemption("P1D".parse().unwrap());
    let (pass, code) = shop.one(terms, eur("50"));
    let ann = shop.contact("Ann");
    let by = shop.by.clone();
    shop.passes.redeem(&by, Redeem::into_wallet(code, ann)).wait().unwrap();
    let spend = |request: Spend| shop.passes.spend(&by, request).wait();
    let of = |total: &str, amount: &str| Spend::all(ann, basket(total)).amount(eur(amount));
    for (request, why) in [
        (of("5", "0"), "it must be above zero"),
        (of("5", "-1"), "it must be above zero"),
        (of("5", "5.01"), "it is above the basket's total"),
    ] {
        let amount = request.amount.unwrap().to_string();
        assert_eq!(reasons(spend(request)), [Refusal::BadAmount { amount, why: why.to_owned() }]);
    }
    let yen = Money::from_minor(1, Currency::JPY).unwrap();
    assert_eq!(codes_of(&reasons(spend(Spend::all(ann, basket("5")).amount(yen)))), ["MIXED_CURRENCIES"]);
    let empty = Basket::new(Currency::EUR, Vec::new()).unwrap();
    assert_eq!(codes_of(&reasons(spend(Spend::all(ann, empty)))), ["BAD_AMOUNT"]);

    let paid = spend(of("5", "5")).unwrap();
    assert_eq!((paid.contact, paid.amount, paid.short), (ann, eur("5"), eur("0")));
    assert_eq!(
        paid.paid.iter().map(|p| (p.pass, p.mark, p.line, p.amount)).collect::<Vec<_>>(),
        [(pass, Mark::Paid, 0, eur("5"))]
    );
    let short = Refusal::BalanceTooSmall { short: eur("5") };
    assert_eq!(reasons(spend(Spend::all(ann, basket("50")))), [short]);
    let partly = spend(Spend::all(ann, basket("50")).partly()).unwrap();
    assert_eq!((partly.amount, partly.short), (eur("45"), eur("5")));
    // There is nothing left, and part of nothing won't do.
    let nothing = Refusal::BalanceTooSmall { short: eur("1") };
    assert_eq!(reasons(spend(Spend::all(ann, basket("1")).partly())), [nothing]);
}

/// W-3: a line that costs nothing is none that a credit may pay: it doesn't make a credit's turn come later.
#[test]
fn a_free_line_counts_for_nothing() {
    let shop = Shop::open();
    let ann = shop.contact("Ann");
    let credit = |skus: [&str; 2]| {
        let mut terms = card();
        terms.conditions.skus = skus.map(str::to_owned).into();
        let (pass, code) = shop.one(terms, eur("50"));
        shop.passes.redeem(&shop.by, Redeem::into_wallet(code, ann)).wait().unwrap();
        pass
    };
    let _older = credit(["X", "Y"]);
    let fewer = credit(["X", "FREE"]);
    let line = |sku, price| Line::new(sku, 1, eur(price));
    let lines = vec![line("X", "10"), line("Y", "10"), line("FREE", "0")];
    let basket = Basket::new(Currency::EUR, lines).unwrap();
    let spent = shop.passes.spend(&shop.by, Spend::all(ann, basket).amount(eur("10"))).wait().unwrap();
    assert_eq!(spent.paid.iter().map(|p| (p.pass, p.line)).collect::<Vec<_>>(), [(fewer, 0)]);
}

/// W-3: a credit ends at its moment, not before it.
#[test]
fn a_credit_ends_at_its_moment() {
    let shop = Shop::open();
    let mut terms = card();
    terms.spend_by = SpendBy::AfterRedemption("P1D".parse().unwrap());
    let (_, code) = shop.one(terms, eur("50"));
    let ann = shop.contact("Ann");
    shop.passes.redeem(&shop.by, Redeem::into_wallet(code, ann)).wait().unwrap();
    let end = shop.passes.wallet(&shop.by, ann).wait().unwrap().credits[0].spend_by.unwrap();
    shop.time.set_to(crate::calendar::Instant::from_micros(end.micros() - 1).unwrap());
    assert!(shop.passes.spend(&shop.by, Spend::all(ann, basket("1"))).wait().is_ok());
    shop.time.set_to(end);
    let late = shop.passes.spend(&shop.by, Spend::all(ann, basket("1"))).wait();
    assert_eq!(codes_of(&reasons(late)), ["BALANCE_TOO_SMALL"]);
}

/// R-1, D-1: a failing store is no refusal: a check fails with it.
#[test]
fn a_check_does_not_hide_a_failing_store() {
    let failed: Result<Check, _> = Check::of(Err(StoreError::Closed.into()));
    assert_eq!(failed.unwrap_err().code(), "STORE_CLOSED");
    let refused: Check = Check::of(Err(Refusal::UnknownCode.into())).unwrap();
    assert!(!refused.is_good() && refused.would.is_none());
}

/// A store in which something happens between the first load of a command and its commit.
struct Meddled {
    inner: Memory,
    meddle: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    commits: AtomicU32,
}

impl Store for Meddled {
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let meddle = self.meddle.lock().unwrap().take();
        meddle.into_iter().for_each(|meddle| meddle());
        self.inner.commit(changes)
    }

    delegate!(inner; slots, load, pause, fill, page, events, audit);
}

/// R-8, P-5: what was told from an open use stays true when somebody spends of it at the same moment: the command
/// is judged again. Spends in parts of a single use don't get in each other's way.
#[test]
fn what_was_told_of_a_use_is_judged_again() {
    // Ten are spent; while the command is on its way, five more.
    let meddled = |usage: Usage, request: &dyn Fn(Passcode) -> Redeem| {
        let shop = Shop::open();
        let (_, code) = shop.one(Terms { usage, ..card() }, eur("50"));
        let spend = |passes: &crate::Passes, by: &By, code: &Passcode, amount: &str| {
            passes.redeem(by, Redeem::direct(code.clone(), eur(amount))).wait().unwrap();
        };
        spend(&shop.passes, &shop.by, &code, "10");
        let (passes, by, other) = (shop.passes.clone(), shop.by.clone(), code.clone());
        let meddle = move || spend(&passes, &by, &other, "5");
        let store = Arc::new(Meddled {
            inner: shop.store.clone(),
            meddle: Mutex::new(Some(Box::new(meddle))),
            commits: AtomicU32::new(0),
        });
        let passes = super::opened(Arc::clone(&store) as _, &shop.time, &shop.seeds);
        let answer = passes.redeem(&shop.by, request(code)).wait();
        shop.proved();
        let commits = store.commits.load(Ordering::Relaxed);
        (answer.map(|receipt| (receipt.amount, receipt.left)).map_err(|e| e.reasons().to_vec()), commits)
    };
    let direct = |amount: &'static str| move |code| Redeem::direct(code, eur(amount));
    let wallet = |code| Redeem::into_new_wallet(code);
    assert_eq!(meddled(Usage::Single, &direct("20")), (Ok((eur("20"), eur("15"))), 1));
    assert_eq!(meddled(Usage::Single, &wallet), (Ok((eur("35"), eur("0"))), 2));
    assert_eq!(meddled(Usage::Full(2), &wallet), (Ok((eur("35"), eur("50"))), 2));
    let short = Refusal::BalanceTooSmall { short: eur("5") };
    assert_eq!(meddled(Usage::Full(2), &direct("40")).0, Err(vec![short]));
    assert_eq!(meddled(Usage::Shared(2), &direct("20")), (Ok((eur("20"), eur("15"))), 2));
}

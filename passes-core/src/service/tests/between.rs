//! What must hold when somebody else's command lands between a decision and its commit, and other narrow places.

use super::{Seeds, Shop, card, codes_of, eur, opened, reasons, spec};
use crate::id::PassId;
use crate::operation::{Actor, By, Rights};
use crate::pass::State;
use crate::plan::{Form, Terms, Usage, Worth};
use crate::service::{Deal, Issue, Over, Passes, Recipient, Redeem, Rest, Reverse};
use crate::store::memory::Memory;
use crate::store::{After, Change, Fut, Store, delegate};
use std::future::{Future as _, IntoFuture as _, pending};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

/// A store that answers no commit while it is told so.
struct Silent {
    inner: Memory,
    silent: Arc<AtomicBool>,
}

impl Store for Silent {
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, crate::store::StoreError>>> {
        if self.silent.load(Ordering::Relaxed) { Box::pin(pending()) } else { self.inner.commit(changes) }
    }

    delegate!(inner; slots, load, pause, fill, page, events, audit);
}

/// B-4: who gives up while refusals are being flushed takes none of the other days with it.
#[test]
fn counts_outlive_who_flushes_them() {
    let shop = Shop::open();
    let silent = Arc::new(AtomicBool::new(true));
    let store = Silent { inner: shop.store.clone(), silent: Arc::clone(&silent) };
    let passes = opened(Arc::new(store), &shop.time, &Arc::new(Seeds(AtomicU64::new(1 << 32))));
    // Backwards: time that passes would have them flushed.
    for day in ["2026-05-03", "2026-05-02", "2026-05-01"] {
        shop.time.set(&format!("{day}T12:00:00Z"));
        let refused = passes.redeem(&shop.by, Redeem::direct("ZZ", eur("1"))).wait();
        assert_eq!(codes_of(&reasons(refused)), ["UNKNOWN_CODE"]);
    }
    let day = |number| crate::calendar::parse_date("day", &format!("2026-05-0{number}")).unwrap();
    {
        let mut asked = std::pin::pin!(passes.refusals(&shop.by, day(1)).into_future());
        assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    silent.store(false, Ordering::Relaxed);
    // Whether the first day's landed nobody knows; it isn't counted twice.
    let counted = [1, 2, 3].map(|number| passes.refusals(&shop.by, day(number)).wait().unwrap().len());
    assert_eq!(counted, [0, 1, 1]);
}

type Between = Mutex<Option<Box<dyn FnOnce() + Send>>>;

/// A store that loads, decides and commits with guards, as one over a network does. What is given to it happens
/// right before the next commit.
struct Late {
    inner: Memory,
    between: Arc<Between>,
}

impl Store for Late {
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, crate::store::StoreError>>> {
        let first = self.between.lock().unwrap().take();
        if let Some(first) = first {
            first();
        }
        self.inner.commit(changes)
    }

    delegate!(inner; slots, load, pause, fill, page, events, audit);
}

impl Shop {
    /// The same books behind such a store, and what happens before its next commit.
    fn late(&self) -> (Passes, Arc<Between>) {
        let between = Arc::new(Between::default());
        let store = Late { inner: self.store.clone(), between: Arc::clone(&between) };
        (opened(Arc::new(store), &self.time, &Arc::new(Seeds(AtomicU64::new(1 << 32)))), between)
    }

    /// The same books, for somebody else.
    fn other(&self) -> Passes {
        opened(Arc::new(self.store.clone()), &self.time, &Arc::new(Seeds(AtomicU64::new(1 << 48))))
    }

    /// What is left, how many uses are used, the state.
    fn rest(&self, pass: PassId) -> (i64, i64, State) {
        let view = self.passes.pass(&self.by, pass).wait().unwrap();
        (view.left.minor(), view.used, view.state)
    }
}

/// Gives what happens before the next commit.
fn then(between: &Between, happens: impl FnOnce() + Send + 'static) {
    *between.lock().unwrap() = Some(Box::new(happens));
}

/// L-9: a bulk command over a plan that has made nothing touches no pass of another plan.
#[test]
fn a_plan_without_passes_is_empty() {
    let shop = Shop::open();
    let (lot, _) = shop.sold(shop.cards(), 3, "50");
    let empty = shop.cards();
    let run = shop.passes.cancel(&shop.by, Over::Plan(empty), Rest::Forfeit).wait().unwrap().run.unwrap();
    let progress = shop.passes.finish_run(&shop.by, run).wait().unwrap();
    assert_eq!((progress.done, progress.total, progress.is_over()), (0, 0, true));
    assert_eq!(shop.rest(lot.pass(2)), (5_000, 0, State::Active));
}

/// a reversal can't bear the very key that it stops.
#[test]
fn a_reversal_has_a_key_of_its_own() {
    let shop = Shop::open();
    let by = shop.by.clone().key("till-1");
    assert_eq!(
        codes_of(&reasons(shop.passes.reverse(&by, Reverse::key("till-1")).wait())),
        ["IDEMPOTENCY_MISMATCH"]
    );
}

/// R-6, L-3: a reversal and a cancellation at the same moment leave no money on a cancelled pass.
#[test]
fn a_reversal_meets_a_cancellation() {
    for reversal_first in [false, true] {
        let shop = Shop::open();
        let (pass, code) = shop.one(card(), eur("50"));
        let paid = shop.passes.redeem(&shop.by, Redeem::direct(code, eur("20"))).wait().unwrap();
        let (late, between) = shop.late();
        let (other, by) = (shop.other(), shop.by.clone());
        let reverse = Reverse::operation(paid.operation);
        if reversal_first {
            then(&between, move || drop(other.reverse(&by, reverse).wait().unwrap()));
            late.cancel(&shop.by, pass, Rest::Refund).wait().unwrap();
        } else {
            then(&between, move || drop(other.cancel(&by, pass, Rest::Refund).wait().unwrap()));
            late.reverse(&shop.by, reverse).wait().unwrap();
        }
        let (left, _, state) = shop.rest(pass);
        assert_eq!((left, state), (0, State::Cancelled), "{reversal_first}");
        shop.proved();
    }
}

/// L-8: a sale isn't voided of a pass that is spent at the same moment.
#[test]
fn a_void_meets_a_spend() {
    let shop = Shop::open();
    let (pass, code) = shop.one(card(), eur("50"));
    let (late, between) = shop.late();
    let (other, by) = (shop.other(), shop.by.clone());
    then(&between, move || drop(other.redeem(&by, Redeem::direct(code, eur("20"))).wait().unwrap()));
    assert_eq!(codes_of(&reasons(late.void_sale(&shop.by, pass).wait())), ["PASS_USED"]);
    assert_eq!(shop.rest(pass), (3_000, 1, State::Active));
    shop.proved();
}

/// L-5: nor is a value set.
#[test]
fn a_new_value_meets_a_spend() {
    let shop = Shop::open();
    let range = Terms { value: Worth::Range { least: eur("10"), most: eur("100") }, ..card() };
    let lot = shop.lot(shop.plan(range), 1);
    let pass = lot.pass(1);
    shop.passes.sell(&shop.by, pass, Deal::at(eur("50")).worth(eur("50"))).wait().unwrap();
    let code = shop.codes(lot).remove(0);
    let (late, between) = shop.late();
    let (other, by) = (shop.other(), shop.by.clone());
    then(&between, move || drop(other.redeem(&by, Redeem::direct(code, eur("20"))).wait().unwrap()));
    assert_eq!(codes_of(&reasons(late.set_value(&shop.by, pass, eur("80")).wait())), ["PASS_USED"]);
    shop.proved();
}

/// a use that returns while a part of it is spent is counted once, so that all can return later.
#[test]
fn a_spend_meets_a_reversal() {
    let shop = Shop::open();
    let (pass, code) = shop.one(card(), eur("50"));
    let first = shop.passes.redeem(&shop.by, Redeem::direct(code.clone(), eur("20"))).wait().unwrap();
    let (late, between) = shop.late();
    let (other, by, reverse) = (shop.other(), shop.by.clone(), Reverse::operation(first.operation));
    then(&between, move || drop(other.reverse(&by, reverse).wait().unwrap()));
    let second = late.redeem(&shop.by, Redeem::direct(code, eur("10"))).wait().unwrap();
    assert_eq!(shop.rest(pass), (4_000, 1, State::Active));
    shop.passes.reverse(&shop.by, Reverse::operation(second.operation)).wait().unwrap();
    assert_eq!(shop.rest(pass), (5_000, 0, State::Active));
    shop.proved();
}

/// R-6, P-5: nor do two reversals at once leave a use behind.
#[test]
fn a_reversal_meets_a_reversal() {
    let shop = Shop::open();
    let terms = Terms { usage: Usage::Full(2), ..card() };
    let (pass, code) = shop.one(terms, eur("50"));
    let pay = |amount: &str| {
        shop.passes.redeem(&shop.by, Redeem::direct(code.clone(), eur(amount))).wait().unwrap().operation
    };
    let (first, second) = (pay("20"), pay("10"));
    let (late, between) = shop.late();
    let (other, by) = (shop.other(), shop.by.clone());
    then(&between, move || drop(other.reverse(&by, Reverse::operation(first)).wait().unwrap()));
    late.reverse(&shop.by, Reverse::operation(second)).wait().unwrap();
    assert_eq!(shop.rest(pass), (10_000, 0, State::Active));
    shop.proved();
}

/// W-1, R-6: the granted part that returns while the paid one is spent is not lost sight of.
#[test]
fn marks_meet_a_reversal() {
    let shop = Shop::open();
    let (pass, code) = shop.one(card(), eur("40"));
    let granted = shop.passes.redeem(&shop.by, Redeem::direct(code.clone(), eur("10"))).wait().unwrap();
    let (late, between) = shop.late();
    let (other, by, again) = (shop.other(), shop.by.clone(), code.clone());
    then(&between, move || {
        other.redeem(&by, Redeem::direct(again, eur("40"))).wait().unwrap();
        other.reverse(&by, Reverse::operation(granted.operation)).wait().unwrap();
    });
    let last = late.redeem(&shop.by, Redeem::direct(code, eur("10"))).wait().unwrap();
    assert_eq!(last.paid[0].mark, crate::ledger::Mark::Granted);
    assert_eq!(shop.rest(pass), (0, 1, State::Redeemed));
    shop.proved();
}

/// B-5: who may move so much sets and issues no value above it, whatever the price.
#[test]
fn a_largest_amount_bounds_values() {
    let shop = Shop::open();
    let range = Terms { value: Worth::Range { least: eur("10"), most: eur("100") }, ..card() };
    let lot = shop.lot(shop.plan(range.clone()), 1);
    let small = By::new(shop.by.business, Actor::new("bob", Rights::all()).unwrap().up_to(&[eur("50")]));
    let pass = lot.pass(1);
    let sold = shop.passes.sell(&small, pass, Deal::at(eur("1")).worth(eur("100"))).wait();
    assert_eq!(codes_of(&reasons(sold)), ["FORBIDDEN"]);
    assert_eq!(codes_of(&reasons(shop.passes.set_value(&small, pass, eur("51")).wait())), ["FORBIDDEN"]);
    shop.passes.set_value(&small, pass, eur("50")).wait().unwrap();
    let electronic = shop.plan_of(spec(Terms { form: Form::Electronic, ..range }));
    let request = Issue::new(electronic, Recipient::Contact(shop.contact("eve")), "email");
    let issued = shop.passes.issue(&small, request.worth(eur("100"))).wait();
    assert_eq!(codes_of(&reasons(issued)), ["FORBIDDEN"]);
}

/// An operation of another business is not found.
#[test]
fn another_business_reverses_nothing() {
    let shop = Shop::open();
    let (pass, code) = shop.one(card(), eur("50"));
    let paid = shop.passes.redeem(&shop.by, Redeem::direct(code, eur("20"))).wait().unwrap();
    let settings = shop.passes.settings(&shop.by).wait().unwrap();
    let business = shop.passes.create_business(&shop.by.actor, settings).wait().unwrap();
    let by = By::new(business, shop.by.actor.clone());
    let refused = shop.passes.reverse(&by, Reverse::operation(paid.operation)).wait();
    assert_eq!(codes_of(&reasons(refused)), ["NOT_FOUND"]);
    assert_eq!(codes_of(&reasons(shop.passes.cancel(&by, pass, Rest::Refund).wait())), ["NOT_FOUND"]);
}

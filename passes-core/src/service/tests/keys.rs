//! Idempotency keys of commands that are refused, and of many that come together.

use super::people::code_of;
use super::{Shop, basket, eur};
use crate::contact::{Medium, Profile};
use crate::id::PassId;
use crate::operation::Right;
use crate::service::{Error, Receipt, Redeem};
use crate::store::memory::Memory;
use crate::store::{Answer, Command, Fut, Store, StoreError, delegate};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// a refusal binds nothing: under its key the same request is judged anew, and another one is taken.
#[test]
fn a_refusal_binds_no_key() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let lot = shop.lot(shop.cards(), 2);
    let codes = shop.codes(lot);
    let with = |key: &str| by.clone().key(key);
    let redeem = || passes.redeem(&with("a"), Redeem::direct(codes[0].clone(), eur("20"))).wait();
    assert_eq!(code_of(redeem()), "PASS_DRAFT");
    assert_eq!(code_of(redeem()), "PASS_DRAFT");
    passes.activate(by, lot.pass(1)).wait().unwrap();
    let done = redeem().unwrap();
    assert!(!done.replayed);
    // The answer of then, though there is less now, and though it could not be done now.
    passes.redeem(by, Redeem::direct(codes[0].clone(), eur("30"))).wait().unwrap();
    passes.suspend(by, lot).wait().unwrap();
    let again = redeem().unwrap();
    assert_eq!((again.replayed, again.left, again.operation), (true, eur("30"), done.operation));
    assert_eq!(
        code_of(passes.redeem(&with("b"), Redeem::direct(codes[1].clone(), eur("1"))).wait()),
        "PASS_DRAFT"
    );
    passes.create_contact(&with("b"), Profile::of(Medium::Reference("x".into()))).wait().unwrap();
    assert_eq!(
        code_of(passes.redeem(&with("b"), Redeem::direct(codes[1].clone(), eur("1"))).wait()),
        "IDEMPOTENCY_MISMATCH"
    );
    // Another amount, contact or pass is another request; the hash of the code is the same one.
    for other in [
        Redeem::direct(codes[0].clone(), eur("21")),
        Redeem::direct(codes[1].clone(), eur("20")),
        Redeem::direct(codes[0].clone(), eur("20")).partly(),
        Redeem::direct(codes[0].clone(), eur("20")).basket(basket("20")),
    ] {
        assert_eq!(code_of(passes.redeem(&with("a"), other).wait()), "IDEMPOTENCY_MISMATCH");
    }
    let spelled = codes[0].reveal().to_lowercase().replace('-', " ");
    assert!(passes.redeem(&with("a"), Redeem::direct(spelled.as_str(), eur("20"))).wait().unwrap().replayed);
    assert_eq!(
        code_of(passes.create_contact(&with(&"k".repeat(129)), Profile::default()).wait()),
        "TOO_LARGE"
    );
}

/// many redemptions in one call: each is judged after those before it, has its own answer in its own
/// place, and its own key; a refusal in between stops none.
#[test]
fn many_redemptions_are_answered_in_order() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let (lot, codes) = shop.sold(shop.cards(), 3, "50");
    let with = |key: &str| by.clone().key(key);
    let direct = |n: usize, amount: &str| Redeem::direct(codes[n].clone(), eur(amount));
    let batch = || {
        vec![
            (with("1"), direct(0, "30")),
            (with("2"), direct(0, "30")),
            (with("3"), direct(0, "20")),
            (with("4"), Redeem::direct("\u{7}", eur("1"))),
            (shop.with_rights(&[Right::Sell]), direct(1, "1")),
            (with("5"), Redeem::direct("ZZ", eur("1"))),
            (with("6"), Redeem::into_new_wallet(codes[1].clone())),
            (with("1"), direct(0, "30")),
            (with("1"), direct(2, "30")),
            (by.clone(), direct(2, "50")),
        ]
    };
    let give = || -> Vec<Result<(PassId, i64, bool), &'static str>> {
        let answers = passes.redeem_all(batch()).wait().unwrap();
        let short = |answer: Result<Receipt<crate::service::Redeemed>, Error>| {
            answer.map(|r| (r.pass, r.left.minor(), r.replayed)).map_err(|error| error.code())
        };
        answers.into_iter().map(short).collect()
    };
    let before = shop.written();
    let [one, two, three] = [1, 2, 3].map(|n| lot.pass(n));
    let expected = |first: bool| {
        vec![
            Ok((one, 2_000, !first)),
            Err(if first { "BALANCE_TOO_SMALL" } else { "PASS_REDEEMED" }),
            Ok((one, 0, !first)),
            Err("MALFORMED"),
            Err("FORBIDDEN"),
            Err("UNKNOWN_CODE"),
            Ok((two, 0, !first)),
            Ok((one, 2_000, true)),
            Err("IDEMPOTENCY_MISMATCH"),
            if first { Ok((three, 0, false)) } else { Err("PASS_REDEEMED") },
        ]
    };
    assert_eq!(give(), expected(true));
    assert_eq!(shop.written(), before + 4);
    assert_eq!(give(), expected(false));
    assert_eq!(shop.written(), before + 4);
    assert_eq!(shop.counted("2026-05-01").iter().map(|r| r.count).sum::<u64>(), 11);
    assert_eq!(passes.redeem_all(Vec::new()).wait().unwrap(), []);
    let many = vec![(by.clone(), direct(2, "1")); 10_001];
    assert_eq!(code_of(passes.redeem_all(many).wait()), "TOO_LARGE");
    assert!(passes.verify(by).wait().unwrap().is_good());
}

/// A store that takes so many lists of commands, and is gone then.
struct Tiring {
    inner: Memory,
    lists: AtomicU32,
}

impl Store for Tiring {
    fn run_all(&self, commands: Vec<Command>) -> Fut<'_, Vec<Result<Answer, StoreError>>> {
        Box::pin(async move {
            match self.lists.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
                Ok(_) => self.inner.run_all(commands).await,
                Err(_) => Err(StoreError::Closed),
            }
        })
    }

    delegate!(inner; slots, load, commit, pause, fill, page, events, audit);
}

/// D-3: a long list goes to the store in parts. Answers come in order, no two operations have one id, and
/// when the store is gone in the middle whoever landed before is told so.
#[test]
fn a_long_list_goes_in_parts() {
    let shop = Shop::open();
    let (lot, codes) = shop.sold(shop.cards(), 1_100, "50");
    let requests = |from: usize| {
        let direct = |code| (shop.by.clone(), Redeem::direct(code, eur("50")));
        codes[from..].iter().cloned().map(direct).collect::<Vec<_>>()
    };
    let open = |lists: u32| {
        let store = Tiring { inner: shop.store.clone(), lists: AtomicU32::new(lists) };
        super::opened(Arc::new(store), &shop.time, &shop.seeds)
    };
    let answers = open(1).redeem_all(requests(0)).wait().unwrap();
    assert_eq!(answers.len(), 1_100);
    let landed = answers.iter().take_while(|answer| answer.is_ok()).count();
    assert!((1..1_100).contains(&landed), "{landed}");
    for (serial, answer) in (1..).zip(&answers[..landed]) {
        assert_eq!(answer.as_ref().unwrap().pass, lot.pass(serial));
    }
    assert!(answers[landed..].iter().all(|answer| code_of(answer.clone()) == "STORE_CLOSED"));
    assert_eq!(code_of(open(0).redeem_all(requests(landed)).wait()), "STORE_CLOSED");
    let rest = open(9).redeem_all(requests(landed)).wait().unwrap();
    assert!(rest.len() == 1_100 - landed && rest.iter().all(Result::is_ok));
    let events = crate::store::wait(shop.store.events(shop.by.business, 0, u32::MAX)).unwrap();
    let ids: BTreeSet<_> = events.iter().map(|stored| stored.operation.id).collect();
    assert!(ids.len() == events.len() && ids.len() > 1_100);
    assert!(shop.passes.verify(&shop.by).wait().unwrap().is_good());
}

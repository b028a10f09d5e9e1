//! A line that is cut at one commit: what is told of it, and what landed.

use crate::faults::sold_lot;
use crash::Shop;
use crash::shop::{Goods, gbp};
use crash::stock::{Coded, browse};
use passes_core::Error;
use passes_core::service::{Generate, Redeem};
use passes_core::store::StoreError;
use passes_postgres::Postgres;
use std::sync::Arc;
use test_postgres::{Cut, Proxy};
use tests::books::operations;
use tests::world::patient;

/// A shop behind a line that is cut.
struct Line {
    proxy: Proxy,
    shop: Shop,
    goods: Goods,
    cards: Vec<Coded>,
    /// The same shop, by another line.
    near: Shop,
}

impl Line {
    fn new() -> Option<Self> {
        let server = test_postgres::shared().filter(|server| !server.is_given())?;
        let (url, proxy) = (server.database(), Proxy::start(server.address()));
        let far = Postgres::open(&server.through(&url, &[proxy.address()])).unwrap();
        let shop = Shop::on(Arc::new(far), 1).unwrap();
        let near = Shop::on(Arc::new(patient().open(&url).unwrap()), 2).unwrap();
        let goods = Shop::set_up(|key, deed| deed.give(&near, Some(key)));
        let lot = sold_lot(&near, &goods, 60);
        let cards = browse(&near, lot.lot, 0, 60);
        Some(Self { proxy, shop, goods, cards, near })
    }

    fn operations(&self) -> usize {
        operations(&**self.near.passes.store(), self.near.by.business)
    }

    fn spend(&self, card: usize) -> Redeem {
        Redeem::direct(self.cards[card].code.as_str(), gbp(100))
    }

    /// What is gone from the first cards, in pence.
    fn gone(&self, cards: usize) -> Vec<i64> {
        let left = |card: &Coded| self.near.passes.pass(&self.near.by, card.pass).wait().unwrap().left;
        self.cards[..cards].iter().map(|card| 2_000 - left(card).minor()).collect()
    }

    fn is_sound(&self) {
        let verified = self.near.passes.verify(&self.near.by).wait().unwrap();
        assert!(verified.is_good(), "{:?}", verified.drifts);
        let _ = tests::Books::of(&**self.near.passes.store(), self.near.by.business);
    }
}

const CUTS: [Cut; 3] = [Cut::Before, Cut::Sent, Cut::Answered];

/// D-3, R-5: a redemption with a key whose answer is lost is looked up: it is done once, and its caller is told so.
#[test]
fn what_has_a_key_is_looked_up() {
    let Some(line) = Line::new() else { return };
    for (card, cut) in CUTS.into_iter().enumerate() {
        let before = line.operations();
        line.proxy.cut_next(cut);
        let by = line.shop.by.clone().key(&format!("{cut:?}"));
        let receipt = line.shop.passes.redeem(&by, line.spend(card)).wait().unwrap();
        match cut {
            Cut::Before => assert!(!receipt.replayed),
            Cut::Sent => {}
            Cut::Answered => assert!(receipt.replayed),
        }
        assert_eq!(line.operations(), before + 1);
        let again = line.shop.passes.redeem(&by, line.spend(card)).wait().unwrap();
        assert!(again.replayed && again.operation == receipt.operation);
    }
    assert_eq!(line.proxy.cuts(), [1, 1, 1]);
    assert_eq!(line.gone(4), [100, 100, 100, 0]);
    line.is_sound();
}

/// D-3: a server that can't be asked at once what became of a command is asked again, for a while.
#[test]
fn a_server_that_is_away_is_asked_again() {
    let Some(line) = Line::new() else { return };
    for (card, cut) in [Cut::Before, Cut::Answered].into_iter().enumerate() {
        line.proxy.refuse_next(2);
        line.proxy.cut_next(cut);
        let by = line.shop.by.clone().key(&format!("{cut:?}"));
        let receipt = line.shop.passes.redeem(&by, line.spend(card)).wait().unwrap();
        assert_eq!((receipt.replayed, line.proxy.left_to_refuse()), (cut == Cut::Answered, 0));
    }
    // One that stays away longer is told as what it is.
    line.proxy.refuse_next(1_000);
    line.proxy.cut_next(Cut::Answered);
    let by = line.shop.by.clone().key("away");
    let lost = line.shop.passes.redeem(&by, line.spend(2)).wait();
    assert!(matches!(lost, Err(Error::Store(StoreError::InDoubt))), "{lost:?}");
    line.proxy.refuse_next(0);
    assert!(line.shop.passes.redeem(&by, line.spend(2)).wait().unwrap().replayed);
    assert_eq!(line.gone(3), [100; 3]);
    line.is_sound();
}

/// D-3: without a key nobody can tell whose an operation is, so the caller is told that it may have landed.
#[test]
fn what_has_no_key_is_in_doubt() {
    let Some(line) = Line::new() else { return };
    for (card, cut) in [Cut::Before, Cut::Answered].into_iter().enumerate() {
        line.proxy.cut_next(cut);
        let lost = line.shop.passes.redeem(&line.shop.by, line.spend(card)).wait();
        assert!(matches!(lost, Err(Error::Store(StoreError::InDoubt))), "{lost:?}");
    }
    assert_eq!(line.gone(2), [0, 100]);
    line.is_sound();
}

/// D-3, R-11: a long list of redemptions whose answer is lost is looked up one by one; each is done once.
#[test]
fn a_list_is_looked_up() {
    let Some(line) = Line::new() else { return };
    for cut in CUTS {
        let list = || -> Vec<_> {
            let by = |card| line.shop.by.clone().key(&format!("{cut:?} {card}"));
            (0..40).map(|card| (by(card), line.spend(card))).collect()
        };
        let before = line.operations();
        line.proxy.cut_next(cut);
        let answers = line.shop.passes.redeem_all(list()).wait().unwrap();
        for answer in &answers {
            let receipt = answer.as_ref().unwrap();
            assert!(cut != Cut::Before || !receipt.replayed, "{receipt:?}");
        }
        let replayed = answers.iter().filter(|answer| answer.as_ref().unwrap().replayed).count();
        assert!(cut != Cut::Answered || replayed > 0);
        assert_eq!(line.operations(), before + 40);
        let again = line.shop.passes.redeem_all(list()).wait().unwrap();
        for (first, again) in answers.iter().zip(&again) {
            let again = again.as_ref().unwrap();
            assert!(again.replayed && again.operation == first.as_ref().unwrap().operation);
        }
    }
    assert_eq!(line.gone(40), [300; 40]);
    line.is_sound();
}

/// D-3, L-1: a run whose step is lost goes on from where it is, and makes each pass once.
#[test]
fn a_run_goes_on_from_where_it_is() {
    let Some(line) = Line::new() else { return };
    let request = Generate { plan: line.goods.plans[0], count: 50, accept_weak: false };
    for cut in CUTS {
        let started = line.shop.passes.generate(&line.shop.by, request).wait().unwrap();
        let run = started.run;
        line.proxy.cut_next(cut);
        let mut lost = 0;
        let through = (0..10).any(|_| match line.shop.passes.step(&line.shop.by, run).wait() {
            Ok(progress) => progress.is_over(),
            Err(Error::Store(StoreError::InDoubt)) => {
                lost += 1;
                false
            }
            Err(other) => panic!("{other}"),
        });
        assert!(through && lost <= 1, "{through} {lost}");
        let lot = line.near.passes.lot(&line.near.by, started.lot).wait().unwrap();
        assert!(lot.complete && lot.count == 50);
        line.is_sound();
    }
    assert_eq!(line.proxy.cuts(), [1, 1, 1]);
}

/// D-3, C-7: who is told a code has it with the receipt: no answer is lost between the two.
#[test]
fn a_code_is_told_with_its_receipt() {
    let Some(line) = Line::new() else { return };
    let pass = &line.cards[5];
    let before = line.operations();
    line.proxy.cut_next(Cut::Answered);
    let lost = line.shop.passes.reveal(&line.shop.by, pass.pass).wait();
    assert!(matches!(lost, Err(Error::Store(StoreError::InDoubt))), "{lost:?}");
    let (receipt, code) = line.shop.passes.reveal(&line.shop.by, pass.pass).wait().unwrap();
    assert!(!receipt.replayed);
    assert_eq!(code.unwrap().reveal(), pass.code);
    assert_eq!(line.operations(), before + 2);
}

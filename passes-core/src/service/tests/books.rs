//! The books are proved, and what is wrong in them is found.

use super::{Shop, basket, card, eur};
use crate::calendar::Instant;
use crate::id::{Ids, LotId};
use crate::ledger::{Account, Entry, Mark, Subject, Unit};
use crate::money::Currency;
use crate::operation::Kind;
use crate::plan::{Form, Terms, Usage, Worth};
use crate::service::making::{passes_of, value_of};
use crate::service::{Deal, Entropy, Issue, Over, Recipient, Redeem, Rest, Reverse, Spend, Verified};
use crate::store::{Add, Change, Expect, Load, Operation, Put, Record, Store, TallyKey, wait};

impl Shop {
    fn verify(&self) -> Verified {
        self.passes.verify(&self.by).wait().unwrap()
    }

    /// Writes behind the library's back.
    fn tamper(&self, change: Change) {
        wait(self.store.commit(&[change])).unwrap().remove(0).unwrap();
    }

    fn count(&self, key: TallyKey, used: i64) {
        let limit = matches!(key, TallyKey::Named(..)).then_some(i64::MAX);
        let add = Add { limit, ..Add::used(key, used) };
        self.tamper(Change { tally: vec![add], ..Change::new(self.by.business) });
    }

    fn book(&self, from: (Account, Subject), to: (Account, Subject), amount: i64) {
        let entry =
            Entry { from, to, unit: Unit::Money(Currency::EUR), amount, mark: Mark::Paid, line: None };
        let id = Ids::new(&self.seeds.seed().unwrap(), Instant::EPOCH).draw();
        let operation = Operation {
            events: crate::service::stored::pack(&Vec::<crate::event::Event>::new(), Vec::new()).unwrap(),
            ..Operation::new(id, Kind::Change, "thief", Instant::EPOCH)
        };
        let change = Change::new(self.by.business);
        self.tamper(Change { operation: Some(operation), entries: vec![entry], ..change });
    }

    /// What drifted, sorted.
    fn drifts(&self) -> Vec<(&'static str, i64, i64)> {
        let verified = self.verify();
        assert_eq!(verified.is_good(), verified.drifts.is_empty());
        let mut drifts: Vec<_> = verified.drifts.iter().map(|d| (d.what, d.stored, d.expected)).collect();
        drifts.sort_unstable();
        drifts
    }
}

fn pass(lot: LotId, serial: u32) -> (Account, Subject) {
    (Account::Outstanding, Subject::Pass(lot.pass(serial)))
}

const RECEIVED: (Account, Subject) = (Account::Received, Subject::None);

/// W-1: whatever commands do, each balance stays what its entries make it, and liability is outstanding plus
/// credit, paid apart from granted.
#[test]
fn the_books_are_proved_after_every_command() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    assert!(shop.verify().is_good());
    assert_eq!(passes.liability(by).wait().unwrap(), []);
    let ann = shop.contact("Ann");
    let good = |what: &str| {
        let verified = shop.verify();
        assert!(verified.is_good(), "{what}: {:?}", verified.drifts);
        verified
    };

    let (lot, codes) = shop.sold(shop.cards(), 8, "45");
    good("a sale");
    let owed = passes.liability(by).wait().unwrap();
    assert_eq!(owed.len(), 1);
    assert_eq!((owed[0].paid, owed[0].granted), (eur("360"), eur("40")));
    assert_eq!((owed[0].outstanding, owed[0].credit), (eur("400"), eur("0")));
    let redeemed = passes.redeem(by, Redeem::into_wallet(codes[0].clone(), ann)).wait().unwrap();
    good("a redemption");
    let spent = passes.redeem(by, Redeem::direct(codes[1].clone(), eur("20"))).wait().unwrap();
    good("a direct spend");
    let paid = passes.spend(by, Spend::all(ann, basket("30"))).wait().unwrap();
    good("a spend");
    let owed = passes.liability(by).wait().unwrap()[0];
    assert_eq!((owed.outstanding, owed.credit), (eur("330"), eur("20")));
    assert_eq!((owed.paid, owed.granted), (eur("320"), eur("30")));
    assert_eq!(owed.total().unwrap(), eur("350"));
    passes.reverse(by, Reverse::operation(paid.operation).amount(eur("12"))).wait().unwrap();
    good("a reversed spend");
    passes.reverse(by, Reverse::operation(redeemed.operation).allow_loss()).wait().unwrap();
    good("a reversed redemption with a loss");
    passes.cancel(by, lot.pass(2), Rest::Reissue).wait().unwrap();
    good("a reissue");
    passes.reverse(by, Reverse::operation(spent.operation)).wait().unwrap();
    good("a reversal to the successor");
    passes.cancel(by, lot.pass(3), Rest::Refund).wait().unwrap();
    passes.cancel(by, vec![lot.pass(4), lot.pass(6)], Rest::Forfeit).wait().unwrap();
    good("cancellations");
    passes.void_sale(by, vec![lot.pass(5), lot.pass(7)]).wait().unwrap();
    good("a voided sale");
    passes.activate(by, lot.pass(5)).wait().unwrap();
    let verified = good("an activation");
    assert_eq!(verified.passes, 9);
    assert!(verified.entries > 20 && verified.credits == 2 && verified.tallies >= 2);
}

/// W-1: passes of open value, of several uses, sold and cancelled by runs, and electronic ones.
#[test]
fn the_books_are_proved_for_every_usage() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let range = Worth::Range { least: eur("10"), most: eur("100") };
    for usage in [Usage::Single, Usage::Full(3), Usage::Shared(3)] {
        let lot = shop.lot(shop.plan(Terms { value: range, usage, ..card() }), 5);
        let deal = Deal::at(eur("20")).worth(eur("25"));
        passes.sell(by, vec![lot.pass(1), lot.pass(2), lot.pass(4)], deal).wait().unwrap();
        let codes = shop.codes(lot);
        passes.redeem(by, Redeem::direct(codes[0].clone(), eur("7"))).wait().unwrap();
        passes.redeem(by, Redeem::into_new_wallet(codes[1].clone())).wait().unwrap();
        passes.activate(by, lot.pass(5)).wait().unwrap();
        passes.set_value(by, lot.pass(5), eur("30")).wait().unwrap();
        passes.set_value(by, lot.pass(4), eur("12")).wait().unwrap();
        passes.set_value(by, lot.pass(3), eur("40")).wait().unwrap();
        passes.void_sale(by, lot.pass(4)).wait().unwrap();
        passes.cancel(by, lot.pass(3), Rest::Reissue).wait().unwrap();
        assert_eq!(shop.drifts(), [], "{usage:?}");
    }
    let lot = shop.lot(shop.cards(), 2_500);
    let run = |over: Over, rest: Option<Rest>| {
        let changed = match rest {
            None => passes.sell(by, over, Deal::at(eur("50"))).wait().unwrap(),
            Some(rest) => passes.cancel(by, over, rest).wait().unwrap(),
        };
        passes.finish_run(by, changed.done.run.unwrap()).wait().unwrap()
    };
    assert_eq!(run(lot.into(), None).done, 2_500);
    passes.redeem(by, Redeem::direct(shop.codes(lot)[1_200].clone(), eur("1"))).wait().unwrap();
    assert_eq!(shop.drifts(), []);
    assert_eq!(run(Over::Serials { lot, first: 900, last: 1_500 }, Some(Rest::Forfeit)).done, 601);
    assert_eq!(shop.drifts(), []);

    let electronic = shop.plan(Terms { form: Form::Electronic, ..card() });
    let ann = shop.contact("Ann");
    for sold in [true, false] {
        let request = Issue::new(electronic, Recipient::Contact(ann), "email");
        let request = if sold { request.sold(Deal::at(eur("60"))) } else { request };
        let issued = passes.issue(by, request).wait().unwrap().done;
        assert_eq!(shop.drifts(), []);
        if sold {
            passes.void_sale(by, issued.pass).wait().unwrap();
        }
    }
    assert_eq!(shop.drifts(), []);
}

/// W-1: while a lot is made, and after its run was cancelled, the books are in order.
#[test]
fn a_lot_in_the_making_is_no_drift() {
    let shop = Shop::open();
    let plan = shop.cards();
    let request = crate::service::Generate { plan, count: 10_000, accept_weak: false };
    let run = shop.passes.generate(&shop.by, request).wait().unwrap().done.run;
    for _ in 0..4 {
        shop.passes.step(&shop.by, run).wait().unwrap();
        assert_eq!(shop.drifts(), []);
    }
    shop.passes.cancel_run(&shop.by, run).wait().unwrap();
    let verified = shop.verify();
    assert_eq!((verified.drifts, verified.passes), (Vec::new(), 4_096));
}

/// W-1, D-7: each kind of drift is found, and named.
#[test]
fn every_drift_is_found() {
    let open = || {
        let shop = Shop::open();
        let plan = shop.cards();
        let (lot, codes) = shop.sold(plan, 3, "50");
        (shop, plan, lot, codes)
    };

    let (shop, _, lot, _) = open();
    shop.count(TallyKey::Balance(lot.pass(2)), 1);
    let found = [("lot balance", 14_999, 15_000), ("pass balance", 4_999, 5_000), ("pass uses", 0, 1)];
    assert_eq!(shop.drifts(), found);

    let (shop, _, lot, _) = open();
    shop.book(RECEIVED, pass(lot, 3), 7);
    assert_eq!(shop.drifts(), [("lot balance", 15_000, 15_007), ("pass balance", 5_000, 5_007)]);
    let verified = shop.verify();
    let drift = verified.drifts.iter().find(|drift| drift.what == "pass balance").unwrap();
    assert_eq!(drift.subject, lot.pass(3).to_string());
    assert_eq!(drift.unit, Some(Unit::Money(Currency::EUR)));

    // From one pass to another: the lot as a whole is right.
    let (shop, _, lot, _) = open();
    shop.book(pass(lot, 1), pass(lot, 2), 10);
    assert_eq!(shop.drifts(), [("pass balance", 5_000, 4_990), ("pass balance", 5_000, 5_010)]);

    let (shop, _, lot, _) = open();
    shop.count(TallyKey::Uses(lot.pass(1)), 1);
    assert_eq!(shop.drifts(), [("pass uses", 1, 0)]);

    let (shop, plan, _, _) = open();
    shop.count(passes_of(plan).slot(0), 1);
    shop.count(value_of(plan).slot(0), -5);
    assert_eq!(shop.drifts(), [("plan passes", 4, 3), ("plan value", 14_995, 15_000)]);

    // A pass too many in a lot, which nobody sold.
    let (shop, _, lot, _) = open();
    let mut load = Load::new(shop.by.business);
    load.passes.push(lot.pass(3));
    let mut row = wait(shop.store.load(&load)).unwrap().passes.remove(0);
    row.id = lot.pass(5);
    let put = Put { record: Record::Pass(Box::new(row)), expect: Expect::Absent };
    shop.tamper(Change { put: vec![put], ..Change::new(shop.by.business) });
    let found = [
        ("lot balance", 20_000, 15_000),
        ("lot passes", 4, 3),
        ("pass balance", 5_000, 0),
        ("plan passes", 3, 4),
        ("plan value", 15_000, 20_000),
    ];
    assert_eq!(shop.drifts(), found);

    let (shop, _, lot, codes) = open();
    let redeemed = shop.passes.redeem(&shop.by, Redeem::into_new_wallet(codes[0].clone())).wait().unwrap();
    let (contact, credit) = (redeemed.contact.unwrap(), redeemed.credits[0].credit);
    assert_eq!(shop.drifts(), []);
    shop.count(TallyKey::Credit(contact, credit), 300);
    assert_eq!(shop.drifts(), [("credit", 4_700, 5_000)]);
    shop.book((Account::Credit, Subject::Credit(contact, credit)), RECEIVED, 300);
    assert_eq!(shop.drifts(), []);
    // A subject where there is none, and none where there has to be one.
    shop.book((Account::Breakage, Subject::Pass(lot.pass(2))), (Account::Credit, Subject::None), 4);
    let found: Vec<_> = shop.drifts().into_iter().map(|(what, ..)| what).collect();
    assert_eq!(found, ["entry"]);
}

//! Lists, wallets, statements, operations and events.

use super::{Shop, basket, card, eur};
use crate::calendar::Instant;
use crate::contact::{Medium, Profile};
use crate::event::{Event, Position};
use crate::fields::{Definition, FieldType, Value, Values};
use crate::ledger::{Account, Mark};
use crate::lot::Outcome;
use crate::money::{Currency, Money};
use crate::operation::{Kind, Right};
use crate::pass::State;
use crate::passcode::Presented;
use crate::plan::{Form, SpendBy};
use crate::service::{
    Deal, Expiry, Issue, OperationFilter, PassFilter, Recipient, Redeem, Rest, Reverse, Spend, Used,
};
use crate::store::PassOrder;
use std::collections::BTreeMap;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// The serial numbers of a list, read in pages of this size.
fn serials(shop: &Shop, lot: crate::id::LotId, filter: &PassFilter, order: PassOrder, page: u32) -> Vec<u32> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let listed = shop.passes.passes(&shop.by, lot, filter.clone(), order, after, page).wait().unwrap();
        assert!(listed.rows.len() <= page as usize);
        found.extend(listed.rows.iter().map(|pass| pass.serial));
        after = listed.next;
        if after.is_none() {
            return found;
        }
    }
}

/// T-4, L-6: a lot's passes by effective state, use and recipient, in pages of any size; counts by state.
#[test]
fn a_lot_is_listed_filtered_and_counted() {
    let shop = Shop::open();
    let (lot, codes) = shop.sold(shop.cards(), 6, "50");
    let [p1, p2, p3, p4] = [1, 2, 3, 4].map(|serial| lot.pass(serial));
    let ann = shop.contact("Ann");
    let (passes, by) = (&shop.passes, &shop.by);
    passes.redeem(by, Redeem::into_wallet(codes[0].clone(), ann)).wait().unwrap();
    passes.redeem(by, Redeem::direct(codes[1].clone(), eur("20"))).wait().unwrap();
    passes.suspend(by, p3).wait().unwrap();
    passes.cancel(by, p4, Rest::Refund).wait().unwrap();
    passes.set_recipient(by, p2, ann).wait().unwrap();

    let all = |filter: PassFilter| {
        let whole = serials(&shop, lot, &filter, PassOrder::Serial, 100);
        for page in [1, 2, 3] {
            assert_eq!(serials(&shop, lot, &filter, PassOrder::Serial, page), whole);
        }
        whole
    };
    let used = |used| PassFilter { used: Some(used), ..PassFilter::default() };
    assert_eq!(all(PassFilter::default()), [1, 2, 3, 4, 5, 6]);
    assert_eq!(all(PassFilter::in_state(State::Active)), [2, 5, 6]);
    assert_eq!(all(PassFilter::in_state(State::Suspended)), [3]);
    assert_eq!(all(PassFilter::of(ann)), [2]);
    assert_eq!(all(used(Used::Yes)), [1]);
    assert_eq!(all(used(Used::Partly)), [2]);
    assert_eq!(all(used(Used::No)), [3, 4, 5, 6]);
    let two = PassFilter { states: vec![State::Cancelled, State::Redeemed], ..PassFilter::default() };
    assert_eq!(all(two), [1, 4]);
    let counts = passes.count_states(by, lot).wait().unwrap();
    let expected = [(State::Active, 3), (State::Suspended, 1), (State::Redeemed, 1), (State::Cancelled, 1)];
    assert_eq!(counts, BTreeMap::from(expected));

    passes.suspend(by, lot).wait().unwrap();
    assert_eq!(all(PassFilter::in_state(State::Active)), [] as [u32; 0]);
    assert_eq!(all(PassFilter::in_state(State::Suspended)), [2, 3, 5, 6]);
    assert_eq!(passes.count_states(by, lot).wait().unwrap()[&State::Suspended], 4);
    let view = passes.pass(by, p2).wait().unwrap();
    assert_eq!((view.state, view.suspended), (State::Suspended, false));
    assert_eq!((view.left, view.used, view.uses), (eur("30"), 1, 1));
    assert!(passes.lot(by, lot).wait().unwrap().suspended);
    passes.reactivate(by, lot).wait().unwrap();
    assert_eq!(passes.pass(by, p3).wait().unwrap().state, State::Suspended);
    assert_eq!(passes.pass(by, p1).wait().unwrap().state, State::Redeemed);
}

/// T-4: by expiry, soonest first and never last; what expires before an instant; expired is no state.
#[test]
fn a_lot_is_listed_by_expiry() {
    let shop = Shop::open();
    let (lot, _) = shop.sold(shop.cards(), 5, "50");
    let (passes, by) = (&shop.passes, &shop.by);
    for (serial, end) in
        [(1, "2026-09-01T00:00:00Z"), (3, "2026-07-01T00:00:00Z"), (4, "2026-05-02T00:00:00Z")]
    {
        passes.set_expiry(by, lot.pass(serial), Expiry::At(at(end))).wait().unwrap();
    }
    for page in [1, 2, 5, 9] {
        assert_eq!(serials(&shop, lot, &PassFilter::default(), PassOrder::Expiry, page), [4, 3, 1, 2, 5]);
        let soon = PassFilter { expires_before: Some(at("2026-09-01T00:00:00Z")), ..PassFilter::default() };
        assert_eq!(serials(&shop, lot, &soon, PassOrder::Expiry, page), [4, 3]);
        assert_eq!(serials(&shop, lot, &soon, PassOrder::Serial, page), [3, 4]);
    }
    assert!(!passes.pass_by_serial(by, lot, 4).wait().unwrap().expired);
    shop.time.set("2026-05-02T00:00:00Z");
    let view = passes.pass_by_serial(by, lot, 4).wait().unwrap();
    assert!(view.expired);
    assert_eq!(view.state, State::Active);
}

/// T-4, Z-3: a page looks at a bounded number of passes and tells where to go on.
#[test]
fn a_page_of_a_filtered_list_is_bounded() {
    let shop = Shop::open();
    let lot = shop.lot(shop.cards(), 10_001);
    let (passes, by) = (&shop.passes, &shop.by);
    let none = PassFilter::in_state(State::Active);
    let page = passes.passes(by, lot, none.clone(), PassOrder::Serial, None, 10).wait().unwrap();
    assert_eq!((page.rows.len(), page.next.unwrap().pass), (0, lot.pass(10_000)));
    let page = passes.passes(by, lot, none, PassOrder::Serial, page.next, 10).wait().unwrap();
    assert_eq!((page.rows.len(), page.next), (0, None));
    assert_eq!(passes.count_states(by, lot).wait().unwrap(), BTreeMap::from([(State::Draft, 10_001)]));
    let all =
        passes.passes(by, lot, PassFilter::default(), PassOrder::Serial, None, u32::MAX).wait().unwrap();
    assert_eq!(all.rows.len(), 10_000);
    let other = shop.lot(shop.cards(), 1);
    let wrong = passes.passes(by, other, PassFilter::default(), PassOrder::Serial, all.next, 1).wait();
    assert_eq!(wrong.unwrap_err().code(), "INVALID");
    let long = PassFilter { channel: Some("x".repeat(65)), ..PassFilter::default() };
    assert_eq!(
        passes.passes(by, other, long, PassOrder::Serial, None, 1).wait().unwrap_err().code(),
        "TOO_LARGE"
    );
}

/// T-7, R-13: look-up by id, by serial number and by code; what is not there; the right to view.
#[test]
fn a_pass_is_looked_up() {
    let shop = Shop::open();
    let (lot, codes) = shop.sold(shop.cards(), 2, "40");
    let (passes, by) = (&shop.passes, &shop.by);
    let view = passes.pass(by, lot.pass(2)).wait().unwrap();
    assert_eq!(passes.pass_by_serial(by, lot, 2).wait().unwrap(), view);
    let code: Presented = codes[1].clone().into();
    assert_eq!(passes.pass_by_code(by, &code).wait().unwrap(), view);
    assert_eq!((view.left, view.granted_left, view.value), (eur("50"), eur("10"), Some(eur("50"))));
    let sale = passes.sale(by, view.sale.unwrap()).wait().unwrap();
    assert_eq!((sale.deal.price, &*sale.seller), (eur("40"), "ann"));

    let not_there = passes.pass_by_serial(by, lot, 3).wait().unwrap_err();
    assert_eq!(not_there.code(), "NOT_FOUND");
    let plain = codes[1].reveal();
    let mut typo = plain.to_owned();
    let last = typo.pop().unwrap();
    typo.push(if last == '2' { '3' } else { '2' });
    for (wrong, refusal) in [(typo.as_str(), "TYPING_ERROR"), ("ZZ", "UNKNOWN_CODE"), ("\u{7}", "MALFORMED")]
    {
        let answer = passes.pass_by_code(by, &wrong.into()).wait().unwrap_err();
        assert_eq!(answer.code(), refusal, "{wrong}");
        assert!(!format!("{answer:?} {answer}").contains(wrong));
    }
    assert!(!format!("{view:?}").contains(plain));
    let today = crate::calendar::parse_date("day", "2026-05-01").unwrap();
    let counted = passes.refusals(by, today).wait().unwrap();
    assert_eq!(counted.iter().map(|r| r.count).sum::<u64>(), 3);

    let till = shop.with_rights(&[Right::Redeem]);
    let hash = Presented::Hash(code.hash(by.business.as_bytes()).unwrap());
    let viewer = shop.with_rights(&[Right::View]);
    assert_eq!(passes.pass_by_code(&viewer, &hash).wait().unwrap_err().code(), "FORBIDDEN");
    let refused = [
        passes.pass(&till, lot.pass(1)).wait().err(),
        passes.pass_by_code(&till, &code).wait().err(),
        passes.lot(&till, lot).wait().err(),
        passes.lots(&till, None, None, 1).wait().err(),
        passes.count_states(&till, lot).wait().err(),
        passes.sale(&till, view.sale.unwrap()).wait().err(),
        passes.pass_statement(&till, lot.pass(1), None, 1).wait().err(),
        passes.events(&till, Position(0), 1).wait().err(),
        passes.operations(&till, OperationFilter::default(), Position(0), 1).wait().err(),
        passes.operation(&till, Position(1)).wait().err(),
        passes.verify(&till).wait().err(),
        passes.liability(&till).wait().err(),
    ];
    assert!(refused.iter().all(|error| error.as_ref().unwrap().code() == "FORBIDDEN"));
}

/// X-1, P-13: a plan's custom fields are inherited, a pass's own lie over them, and both are found.
#[test]
fn passes_are_found_by_custom_fields() {
    let shop = Shop::with(|settings| {
        let define = |name: &str| Definition {
            name: name.into(),
            required: false,
            field: FieldType::Text { most: 20 },
        };
        settings.pass_fields = vec![define("motif"), define("note")];
    });
    let fields: Values = [("motif".to_owned(), text("roses"))].into();
    let plan = shop.plan(crate::plan::Terms { fields, ..card() });
    let (lot, _) = shop.sold(plan, 3, "50");
    let own: Values = [("motif".to_owned(), text("tulips")), ("note".to_owned(), text("blue box"))].into();
    shop.passes.set_fields(&shop.by, lot.pass(2), own.clone()).wait().unwrap();
    assert_eq!(shop.passes.pass(&shop.by, lot.pass(2)).wait().unwrap().fields, own);
    let with = |fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        serials(&shop, lot, &PassFilter { fields, ..PassFilter::default() }, PassOrder::Serial, 2)
    };
    assert_eq!(with(&[("motif", "roses")]), [1, 3]);
    assert_eq!(with(&[("motif", "tulips"), ("note", "blue box")]), [2]);
    assert_eq!(with(&[("motif", "roses"), ("note", "blue box")]), [] as [u32; 0]);
}

/// T-4, L-7: an electronic pass shows channel and recipient; a reissued one and its successor name each other;
/// the lots of a plan and of the business.
#[test]
fn electronic_passes_show_channel_and_successor() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let printed = shop.lot(shop.cards(), 4);
    let plan = shop.plan(crate::plan::Terms { form: Form::Electronic, ..card() });
    let to = Recipient::Profile(Profile::of(Medium::Email("ann@example.org".into())));
    let request = Issue::new(plan, to, "email").sold(Deal::at(eur("50")));
    let issued = passes.issue(by, request).wait().unwrap().done;
    let old = passes.pass(by, issued.pass).wait().unwrap();
    assert_eq!((old.state, old.holder), (State::Draft, Some(issued.to)));
    assert_eq!(old.channel.as_deref(), Some("email"));
    passes.delivered(by, issued.pass, Outcome::Confirmed).wait().unwrap();
    let through = |channel: &str| {
        let filter = PassFilter { channel: Some(channel.into()), ..PassFilter::default() };
        serials(&shop, issued.pass.lot(), &filter, PassOrder::Expiry, 10)
    };
    assert_eq!((through("email"), through("sms")), (vec![1], vec![]));

    let replaced = passes.cancel(by, issued.pass, Rest::Reissue).wait().unwrap().done.replaced;
    let new = passes.pass(by, replaced[0].1).wait().unwrap();
    assert_eq!((new.replaces, new.state, new.left), (Some(issued.pass), State::Active, eur("50")));
    let old = passes.pass(by, issued.pass).wait().unwrap();
    assert_eq!((old.successor, old.state, old.left), (Some(new.id), State::Cancelled, eur("0")));

    let lots = passes.lots(by, plan, None, 10).wait().unwrap();
    let ids: Vec<_> = lots.rows.iter().map(|lot| lot.id).collect();
    assert_eq!((ids.len(), lots.next), (2, None));
    assert!(ids.contains(&old.lot) && ids.contains(&new.lot));
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = passes.lots(by, None, after, 2).wait().unwrap();
        all.extend(page.rows.iter().map(|lot| (lot.id, lot.count, lot.form)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), 3);
    assert!(all.contains(&(printed, 4, Form::Printed)));
    let empty = shop.cards();
    assert_eq!(passes.lots(by, empty, None, 10).wait().unwrap().rows, []);
    let view = passes.lot(by, printed).wait().unwrap();
    assert_eq!((view.names["en"].as_str(), view.complete, view.exports), ("Gift", true, 0));
}

/// W-2, W-5: pockets by pool, paid apart from granted, expired money apart; credits that expire soon.
#[test]
fn a_wallet_shows_pockets_and_credits() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let ann = shop.contact("Ann");
    assert_eq!(passes.wallet(by, ann).wait().unwrap().pockets, []);
    let month = SpendBy::AfterRedemption("P30D".parse().unwrap());
    let soon = shop.plan(crate::plan::Terms { spend_by: month, ..card() });
    let toys = shop.plan(crate::plan::Terms { pool: Some("toys".into()), ..card() });
    let [(_, mut cheap), (_, mut pool), (_, mut plain)] =
        [shop.sold(soon, 1, "45"), shop.sold(toys, 1, "50"), shop.sold(shop.cards(), 1, "50")];
    for code in [cheap.remove(0), pool.remove(0), plain.remove(0)] {
        passes.redeem(by, Redeem::into_wallet(code, ann)).wait().unwrap();
    }
    let wallet = passes.wallet(by, ann).wait().unwrap();
    let seen: Vec<_> = wallet
        .pockets
        .iter()
        .map(|p| (p.key.pool.as_deref(), p.balance, p.paid, p.granted, p.expired))
        .collect();
    let nothing = eur("0");
    let business = (None, eur("100"), eur("95"), eur("5"), nothing);
    assert_eq!(seen, [business, (Some("toys"), eur("50"), eur("50"), nothing, nothing)]);
    assert_eq!(wallet.balance(Currency::EUR).unwrap(), eur("150"));
    let order: Vec<_> = wallet.credits.iter().map(|c| (c.mark, c.left, c.spend_by.is_some())).collect();
    assert_eq!(order[..2], [(Mark::Granted, eur("5"), true), (Mark::Paid, eur("45"), true)]);
    let end = wallet.credits[0].spend_by.unwrap();
    let ending = |until| passes.expiring(by, ann, until).wait().unwrap().len();
    assert_eq!((ending(end.plus_seconds(-1).unwrap()), ending(end)), (0, 2));

    shop.time.set(&end.to_string());
    let wallet = passes.wallet(by, ann).wait().unwrap();
    let pocket = &wallet.pockets[0];
    assert_eq!((pocket.balance, pocket.granted, pocket.expired), (eur("50"), nothing, eur("50")));
    assert_eq!(wallet.credits.iter().filter(|c| c.expired).count(), 2);
    assert_eq!(ending(end), 0);
    let nobody = crate::id::Id::from_bytes([9; 16]);
    assert_eq!(passes.wallet(by, nobody).wait().unwrap_err().code(), "CONTACT_NOT_REGISTERED");
    assert_eq!(passes.statement(by, nobody, None, 1).wait().unwrap_err().code(), "CONTACT_NOT_REGISTERED");
}

/// W-5: the statement of a wallet runs from the first movement to today's balance, pocket by pocket, in pages of
/// any size.
#[test]
fn a_statement_has_a_running_balance() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let ann = shop.contact("Ann");
    let toys = shop.plan(crate::plan::Terms { pool: Some("toys".into()), ..card() });
    let [(_, mut pool), (_, mut plain)] = [shop.sold(toys, 1, "50"), shop.sold(shop.cards(), 1, "45")];
    passes.redeem(by, Redeem::into_wallet(plain.remove(0), ann)).wait().unwrap();
    shop.time.set("2026-05-02T12:00:00Z");
    passes.redeem(by, Redeem::into_wallet(pool.remove(0), ann)).wait().unwrap();
    let here = by.clone().place("Mitte");
    let spent = passes.spend(&here, Spend::all(ann, basket("70"))).wait().unwrap();
    passes.reverse(by, Reverse::operation(spent.operation).amount(eur("30"))).wait().unwrap();

    let whole = passes.statement(by, ann, None, 100).wait().unwrap();
    assert_eq!(whole.next, None);
    let kinds: Vec<Kind> = whole.rows.iter().map(|line| line.booking.kind).collect();
    assert_eq!(kinds[..3], [Kind::Redeem; 3]);
    assert!(kinds.contains(&Kind::Spend) && kinds.last() == Some(&Kind::Reverse));
    let mut running: BTreeMap<_, i64> = BTreeMap::new();
    for line in &whole.rows {
        let balance = running.entry(line.pocket.clone()).or_default();
        *balance += line.amount.minor();
        assert_eq!(line.balance.minor(), *balance);
        let account = line.booking.other.0;
        match line.booking.kind {
            Kind::Redeem => assert_eq!((line.amount.is_positive(), account), (true, Account::Outstanding)),
            Kind::Spend => {
                assert_eq!((line.amount.is_negative(), account), (true, Account::Settled));
                assert_eq!((line.booking.place.as_deref(), line.booking.line), (Some("Mitte"), Some(0)));
            }
            _ => assert_eq!((line.amount.is_positive(), account), (true, Account::Settled)),
        }
    }
    let wallet = passes.wallet(by, ann).wait().unwrap();
    for pocket in &wallet.pockets {
        assert_eq!(running[&pocket.key], pocket.balance.minor());
    }
    assert_eq!(wallet.balance(Currency::EUR).unwrap(), eur("60"));
    assert_eq!(whole.rows[0].booking.at, at("2026-05-01T12:00:00Z"));
    for page in 1..whole.rows.len() {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let listed = passes.statement(by, ann, after, u32::try_from(page).unwrap()).wait().unwrap();
            rows.extend(listed.rows);
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(rows, whole.rows);
    }
}

/// R-13, W-1: the statement of a pass, newest first, shares a bulk entry out and ends with its first one.
#[test]
fn a_pass_has_a_statement() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let (lot, codes) = shop.sold(shop.cards(), 3, "45");
    let pass = lot.pass(2);
    let spent = passes.redeem(by, Redeem::direct(codes[1].clone(), eur("20"))).wait().unwrap();
    passes.reverse(by, Reverse::operation(spent.operation).amount(eur("4"))).wait().unwrap();
    passes.cancel(by, pass, Rest::Forfeit).wait().unwrap();
    let whole = passes.pass_statement(by, pass, None, 100).wait().unwrap();
    let lines: Vec<(Kind, Money, Money, Account)> =
        whole.rows.iter().map(|l| (l.booking.kind, l.amount, l.balance, l.booking.other.0)).collect();
    assert_eq!(lines.last().map(|l| (l.0, l.2)), Some((Kind::Sell, lines.last().unwrap().1)));
    assert_eq!(lines[0].2, eur("0"));
    let sums = |kind| lines.iter().filter(|l| l.0 == kind).map(|l| l.1.minor()).sum::<i64>();
    assert_eq!(
        [Kind::Sell, Kind::SpendPass, Kind::Reverse, Kind::Cancel].map(sums),
        [5000, -2000, 400, -3400]
    );
    assert!(lines.iter().any(|l| l.3 == Account::Breakage));
    for pair in whole.rows.windows(2) {
        assert!(pair[0].booking.entry > pair[1].booking.entry);
        assert_eq!(pair[0].balance.minus(pair[0].amount).unwrap(), pair[1].balance);
    }
    for page in [1, 2, 3] {
        let (mut rows, mut before) = (Vec::new(), None);
        loop {
            let listed = passes.pass_statement(by, pass, before, page).wait().unwrap();
            rows.extend(listed.rows);
            before = listed.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(rows, whole.rows);
    }
    let draft = shop.lot(shop.cards(), 1).pass(1);
    assert_eq!(passes.pass_statement(by, draft, None, 10).wait().unwrap().rows, []);
    let missing = lot.pass(9);
    assert_eq!(passes.pass_statement(by, missing, None, 10).wait().unwrap_err().code(), "NOT_FOUND");
}

/// B-4: what every command left, by actor, place, channel, kind, time and reason.
#[test]
fn operations_are_filtered() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let (lot, _) = shop.sold(shop.cards(), 3, "50");
    shop.time.set("2026-05-03T09:00:00Z");
    let bob = shop.with_rights(&[Right::Adjust]).place("Mitte").channel("pos").reason("stolen at the fair");
    let receipt = passes.suspend(&bob, lot.pass(1)).wait().unwrap();
    passes.suspend(&bob.clone().place("Kreuzberg"), lot.pass(2)).wait().unwrap();

    let all = passes.operations(by, OperationFilter::default(), Position(0), 100).wait().unwrap();
    let positions: Vec<_> = all.rows.iter().map(|o| o.position).collect();
    assert!(positions.is_sorted() && all.next.is_none());
    let view = passes.operation(by, receipt.operation).wait().unwrap();
    assert_eq!((view.kind, &*view.actor, view.at), (Kind::Suspend, "bob", at("2026-05-03T09:00:00Z")));
    assert!(all.rows.contains(&view));
    let found = |filter: OperationFilter| {
        let whole = passes.operations(by, filter.clone(), Position(0), 100).wait().unwrap().rows;
        let (mut rows, mut next) = (Vec::new(), Some(Position(0)));
        while let Some(after) = next {
            let page = passes.operations(by, filter.clone(), after, 1).wait().unwrap();
            rows.extend(page.rows);
            next = page.next;
        }
        assert_eq!(rows, whole);
        whole.len()
    };
    let base = OperationFilter::default;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(found(OperationFilter { actor: some("bob"), ..base() }), 2);
    assert_eq!(found(OperationFilter { place: some("Mitte"), ..base() }), 1);
    assert_eq!(found(OperationFilter { channel: some("pos"), ..base() }), 2);
    assert_eq!(found(OperationFilter { channel: some("web"), ..base() }), 0);
    assert_eq!(found(OperationFilter { kind: Some(Kind::Sell), ..base() }), 1);
    assert_eq!(found(OperationFilter { reason: some("at the fair"), place: some("Mitte"), ..base() }), 1);
    assert_eq!(found(OperationFilter { from: Some(at("2026-05-03T09:00:00Z")), ..base() }), 2);
    assert_eq!(found(OperationFilter { to: Some(at("2026-05-03T09:00:00Z")), ..base() }), all.rows.len() - 2);
    let long = OperationFilter { actor: Some("x".repeat(65)), ..base() };
    assert_eq!(passes.operations(by, long, Position(0), 1).wait().unwrap_err().code(), "TOO_LARGE");
    assert_eq!(passes.operation(by, Position(u64::MAX)).wait().unwrap_err().code(), "NOT_FOUND");
}

/// E-1, C-13: events come in order, whole positions at a time, the same ones for the same cursor, one for each
/// chunk of a bulk command, and none holds a code.
#[test]
fn events_are_read_from_a_cursor() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let lot = shop.lot(shop.cards(), 1_500);
    let run = passes.sell(by, lot, Deal::at(eur("50"))).wait().unwrap().done.run.unwrap();
    passes.finish_run(by, run).wait().unwrap();
    let codes = shop.codes(lot);
    passes.redeem(by, Redeem::direct(codes[0].clone(), eur("20"))).wait().unwrap();
    passes.redeem(by, Redeem::into_new_wallet(codes[1].clone())).wait().unwrap();

    let all = passes.events(by, Position(0), 10_000).wait().unwrap();
    let key = |told: &crate::event::Told| (told.position, told.index);
    assert!(all.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
    for limit in [1, 2, 7] {
        let (mut told, mut cursor) = (Vec::new(), Position(0));
        loop {
            let page = passes.events(by, cursor, limit).wait().unwrap();
            assert_eq!(passes.events(by, cursor, limit).wait().unwrap(), page);
            let Some(last) = page.last() else { break };
            cursor = last.position;
            told.extend(page);
        }
        assert_eq!(told, all);
    }
    let sold: Vec<u32> = all
        .iter()
        .filter_map(|told| match &told.event {
            Event::PassesSold { passes, .. } => Some(passes.count),
            _ => None,
        })
        .collect();
    assert_eq!(sold, [1_000, 500]);
    let left = all.iter().find_map(|told| match &told.event {
        Event::PassSpent { left, .. } => Some(*left),
        _ => None,
    });
    assert_eq!(left, Some(3_000));
    let text = format!("{all:?}");
    assert!(codes.iter().all(|code| !text.contains(code.reveal())));
}

//! Reversals: what returns, in which order, where to, and what can't be reversed.

use super::{Shop, card, codes_of, eur, reasons};
use crate::calendar::Instant;
use crate::conditions::{Basket, Line};
use crate::event::Position;
use crate::id::{ContactId, CreditId, PassId};
use crate::ledger::Mark;
use crate::money::{Currency, Money};
use crate::operation::Right;
use crate::pass::State;
use crate::plan::{SpendBy, Terms, Usage, Worth};
use crate::refusal::Refusal;
use crate::service::{
    Deal, Home, Receipt, Redeem, Redeemed, Rest, Returned, Reverse, Reversed, Spend, Spent,
};
use Mark::{Granted, Paid};

/// A basket of these lines, in cents.
fn lines(cents: &[i64]) -> Basket {
    let line = |(n, cents): (usize, &i64)| {
        Line::new(&format!("A{n}"), 1, Money::from_minor(*cents, Currency::EUR).unwrap())
    };
    Basket::new(Currency::EUR, cents.iter().enumerate().map(line).collect()).unwrap()
}

/// What returned: how much, its mark, the line.
fn parts(reversed: &Reversed) -> Vec<(i64, Mark, Option<u32>)> {
    reversed.returned.iter().map(|part| (part.amount.minor(), part.mark, part.line)).collect()
}

impl Shop {
    /// What is left on a pass, of it granted, the uses, and the state.
    fn stands(&self, pass: PassId) -> (i64, i64, i64, State) {
        let view = self.passes.pass(&self.by, pass).wait().unwrap();
        (view.left.minor(), view.granted_left.minor(), view.used, view.state)
    }

    fn redeem(&self, request: Redeem) -> Receipt<Redeemed> {
        self.passes.redeem(&self.by, request).wait().unwrap()
    }

    fn spend(&self, contact: ContactId, cents: &[i64]) -> Receipt<Spent> {
        self.passes.spend(&self.by, Spend::all(contact, lines(cents))).wait().unwrap()
    }

    fn reverse(&self, request: Reverse) -> Receipt<Reversed> {
        let reversed = self.passes.reverse(&self.by, request).wait().unwrap();
        self.proved();
        reversed
    }

    /// Refused, and nothing moved.
    fn refuses(&self, request: Reverse) -> Vec<Refusal> {
        let why = reasons(self.passes.reverse(&self.by, request).wait());
        self.proved();
        why
    }
}

/// R-6, L-4: a redemption is reversed whole: value, marks and the use return to the pass, which is active again,
/// and the credits are empty. A second time it is refused.
#[test]
fn a_redemption_returns_exactly() {
    let shop = Shop::open();
    let ann = shop.contact("Ann");
    let (pass, code) = shop.one(card(), eur("45"));
    let owed = shop.passes.liability(&shop.by).wait().unwrap();
    let redeemed = shop.redeem(Redeem::into_wallet(code.clone(), ann));
    assert_eq!(shop.stands(pass), (0, 0, 1, State::Redeemed));
    let reversed = shop.reverse(Reverse::operation(redeemed.operation));
    assert_eq!(parts(&reversed), [(4_500, Paid, None), (500, Granted, None)]);
    assert!(reversed.returned.iter().all(|part| part.home == Home::Pass(pass)));
    assert_eq!((reversed.uses, reversed.loss, reversed.of), (1, None, Some(redeemed.operation)));
    assert_eq!(reversed.amount, Some(eur("50")));
    assert_eq!(shop.stands(pass), (5_000, 500, 0, State::Active));
    assert_eq!(shop.holds(ann), 0);
    let mut after = shop.passes.liability(&shop.by).wait().unwrap();
    after.retain(|owed| owed.total().unwrap().minor() != 0);
    assert_eq!(after, owed);
    for again in [
        Reverse::operation(redeemed.operation),
        Reverse::operation(redeemed.operation).amount(eur("1")),
        Reverse::operation(redeemed.operation).allow_loss(),
    ] {
        assert_eq!(shop.refuses(again), [Refusal::AlreadyReversed]);
    }
    // It can be redeemed again, and reversed in two parts: the last credit first.
    let redeemed = shop.redeem(Redeem::into_wallet(code, ann));
    let reversed = shop.reverse(Reverse::operation(redeemed.operation).amount(eur("46")));
    assert_eq!(parts(&reversed), [(4_500, Paid, None), (100, Granted, None)]);
    assert_eq!((reversed.uses, shop.holds(ann)), (0, 400));
    assert_eq!(shop.stands(pass), (4_600, 100, 1, State::Active));
    let too_much = Reverse::operation(redeemed.operation).amount(eur("4.01"));
    assert_eq!(shop.refuses(too_much), [Refusal::ReversalTooLarge { left: eur("4") }]);
    let reversed = shop.reverse(Reverse::operation(redeemed.operation));
    assert_eq!((parts(&reversed), reversed.uses), (vec![(400, Granted, None)], 1));
    assert_eq!(shop.stands(pass), (5_000, 500, 0, State::Active));
}

/// a direct spend is reversed by amount and by lines: the last line first, in it paid before granted, and
/// the marks return as they were given.
#[test]
fn a_direct_spend_returns_by_amount_and_by_lines() {
    let shop = Shop::open();
    let (pass, code) = shop.one(card(), eur("35"));
    let spent = shop.redeem(Redeem::pay(code, lines(&[1_000, 2_000, 2_000])));
    let paid: Vec<_> = spent.paid.iter().map(|p| (p.amount.minor(), p.mark, p.line)).collect();
    let expected =
        [(1_000, Granted, Some(0)), (500, Granted, Some(1)), (1_500, Paid, Some(1)), (2_000, Paid, Some(2))];
    assert_eq!(paid, expected);
    assert_eq!(shop.stands(pass), (0, 0, 1, State::Redeemed));
    let of = || Reverse::operation(spent.operation);

    let reversed = shop.reverse(of().amount(eur("25")));
    assert_eq!(parts(&reversed), [(2_000, Paid, Some(2)), (500, Paid, Some(1))]);
    assert_eq!(shop.stands(pass), (2_500, 0, 1, State::Active));
    assert_eq!(shop.refuses(of().amount(eur("25.01"))), [Refusal::ReversalTooLarge { left: eur("25") }]);
    for (line, left) in [(0, "10"), (1, "15"), (2, "0"), (7, "0")] {
        let request = of().lines(vec![(line, eur("15.01"))]);
        assert_eq!(shop.refuses(request), [Refusal::ReversalTooLarge { left: eur(left) }]);
    }
    // A line that is named twice is meant for the sum.
    let twice = of().lines(vec![(1, eur("10")), (1, eur("5.01"))]);
    assert_eq!(shop.refuses(twice), [Refusal::ReversalTooLarge { left: eur("15") }]);
    let reversed = shop.reverse(of().lines(vec![(0, eur("4")), (1, eur("10")), (1, eur("1"))]));
    assert_eq!(parts(&reversed), [(1_000, Paid, Some(1)), (100, Granted, Some(1)), (400, Granted, Some(0))]);
    assert_eq!(shop.stands(pass), (4_000, 500, 1, State::Active));
    assert_eq!(codes_of(&shop.refuses(of().amount(eur("0")))), ["BAD_AMOUNT"]);
    assert_eq!(codes_of(&shop.refuses(of().lines(vec![(0, eur("-1"))]))), ["BAD_AMOUNT"]);
    let hidden = of().lines(vec![(0, eur("2")), (0, eur("-1"))]);
    assert_eq!(codes_of(&shop.refuses(hidden)), ["BAD_AMOUNT"]);
    let yen = Money::from_minor(1, Currency::JPY).unwrap();
    assert_eq!(codes_of(&shop.refuses(of().amount(yen))), ["MIXED_CURRENCIES"]);
    assert_eq!(codes_of(&shop.refuses(of().lines(vec![(0, yen)]))), ["MIXED_CURRENCIES"]);
    assert_eq!(codes_of(&shop.refuses(of().lines(Vec::new()))), ["INVALID"]);

    let reversed = shop.reverse(of());
    assert_eq!(parts(&reversed), [(400, Granted, Some(1)), (600, Granted, Some(0))]);
    assert_eq!((reversed.uses, shop.stands(pass)), (1, (5_000, 1_500, 0, State::Active)));
    assert_eq!(shop.refuses(of()), [Refusal::AlreadyReversed]);
}

/// R-6, W-3: a wallet's spend is reversed from the last credit, in it from the last line, to the same credits.
#[test]
fn a_spend_returns_from_the_last_credit_and_line() {
    let shop = Shop::open();
    let ann = shop.contact("Ann");
    let mut credits: Vec<CreditId> = Vec::new();
    for last in ["2026-06-30", "2026-07-31"] {
        let spend_by = SpendBy::Date(last.parse().unwrap());
        let (_, code) = shop.one(Terms { spend_by, ..card() }, eur("30"));
        let redeemed = shop.redeem(Redeem::into_wallet(code, ann));
        credits.extend(redeemed.credits.iter().map(|credit| credit.credit));
    }
    let before = shop.credits(ann);
    // Granted 20, paid 30, then granted 20 and 10 of the paid 30.
    let spent = shop.spend(ann, &[1_500, 4_000, 2_500]);
    let of = || Reverse::operation(spent.operation);
    let home = |reversed: &Reversed| -> Vec<(usize, i64, u32)> {
        let part = |part: &Returned| {
            let Home::Credit(contact, credit) = &part.home else { panic!("{part:?}") };
            assert_eq!(*contact, ann);
            let place = credits.iter().position(|c| c == credit).unwrap();
            (place, part.amount.minor(), part.line.unwrap())
        };
        reversed.returned.iter().map(part).collect()
    };
    let paid: Vec<_> = spent.paid.iter().map(|p| (p.amount.minor(), p.line)).collect();
    assert_eq!(paid, [(1_500, 0), (500, 1), (3_000, 1), (500, 1), (1_500, 2), (1_000, 2)]);
    let reversed = shop.reverse(of().amount(eur("26")));
    assert_eq!(home(&reversed), [(3, 1_000, 2), (2, 1_500, 2), (2, 100, 1)]);
    let reversed = shop.reverse(of().lines(vec![(0, eur("1")), (1, eur("30"))]));
    assert_eq!(home(&reversed), [(2, 400, 1), (1, 2_600, 1), (0, 100, 0)]);
    assert_eq!(shop.refuses(of().amount(eur("23.01"))), [Refusal::ReversalTooLarge { left: eur("23") }]);
    let reversed = shop.reverse(of());
    assert_eq!(home(&reversed), [(1, 400, 1), (0, 500, 1), (0, 1_400, 0)]);
    assert_eq!(shop.credits(ann), before);
    assert_eq!(shop.refuses(of()), [Refusal::AlreadyReversed]);
    let wallet = shop.passes.wallet(&shop.by, ann).wait().unwrap();
    assert!(wallet.credits.iter().all(|credit| credit.left == credit.amount && credit.spend_by.is_some()));
}

/// neither a reversal nor a sale nor a stopped key is reversed; what never was is not found; it needs the right.
#[test]
fn only_redemptions_and_spends_are_reversed() {
    let shop = Shop::open();
    let lot = shop.lot(shop.cards(), 1);
    let deal = Deal::at(eur("50"));
    let sale = shop.passes.sell(&shop.by.clone().key("sale"), lot.pass(1), deal).wait().unwrap();
    let code = shop.codes(lot).remove(0);
    let spent = shop.redeem(Redeem::direct(code, eur("10")));
    let by = shop.by.clone().key("back");
    let reversed = shop.passes.reverse(&by, Reverse::operation(spent.operation)).wait().unwrap();
    let stop = shop.passes.reverse(&shop.by.clone().key("stop"), Reverse::key("late")).wait().unwrap();
    for request in [
        Reverse::operation(reversed.operation),
        Reverse::key("back"),
        Reverse::operation(sale.operation),
        Reverse::key("sale"),
        Reverse::operation(stop.operation),
        Reverse::key("stop"),
    ] {
        assert_eq!(codes_of(&shop.refuses(request.clone())), ["NOT_REVERSIBLE"], "{request:?}");
    }
    assert_eq!(codes_of(&shop.refuses(Reverse::operation(Position(9_999)))), ["NOT_FOUND"]);
    let till = shop.with_rights(&[Right::Redeem, Right::Sell]);
    let refused = shop.passes.reverse(&till, Reverse::operation(spent.operation)).wait();
    assert_eq!(codes_of(&reasons(refused)), ["FORBIDDEN"]);
}

/// R-6, B-5: money that has been spent is refused with the amount; with the right to book a loss it is booked as
/// one, the pass has all of it, and the credit stays at zero.
#[test]
fn spent_money_is_refused_or_a_loss() {
    let shop = Shop::open();
    let ann = shop.contact("Ann");
    let (pass, code) = shop.one(card(), eur("45"));
    let redeemed = shop.redeem(Redeem::into_wallet(code, ann));
    let spent = shop.spend(ann, &[2_000]);
    let of = || Reverse::operation(redeemed.operation);
    assert_eq!(shop.refuses(of()), [Refusal::AlreadySpent { amount: eur("20") }]);
    // 30 of the 45 that were paid for are there.
    assert_eq!(shop.refuses(of().amount(eur("31"))), [Refusal::AlreadySpent { amount: eur("1") }]);
    let reversed = shop.reverse(of().amount(eur("12")));
    assert_eq!((reversed.loss, shop.holds(ann)), (None, 1_800));
    let till = shop.with_rights(&[Right::Reverse]);
    let refused = reasons(shop.passes.reverse(&till, of().allow_loss()).wait());
    assert_eq!(codes_of(&refused), ["FORBIDDEN"]);
    assert_eq!(refused[0].values()[0], ("right", "book-loss".to_owned()));

    let reversed = shop.reverse(of().allow_loss());
    assert_eq!((reversed.amount, reversed.loss), (Some(eur("38")), Some(eur("20"))));
    assert_eq!((reversed.uses, shop.holds(ann)), (1, 0));
    assert_eq!(shop.stands(pass), (5_000, 500, 0, State::Active));
    assert_eq!(shop.refuses(of().allow_loss()), [Refusal::AlreadyReversed]);
    // What was spent can still come back, to the credit that paid.
    assert_eq!(shop.reverse(Reverse::operation(spent.operation)).loss, None);
    assert_eq!(shop.holds(ann), 2_000);
}

/// what an expired credit had paid goes to a new credit for the days of grace, to the end of the last of
/// them in the business's calendar, in one credit whatever the number of lines.
#[test]
fn an_expired_credit_returns_for_the_days_of_grace() {
    let shop = Shop::with(|settings| settings.grace_days = 3);
    let ann = shop.contact("Ann");
    let spend_by = SpendBy::Date("2026-10-20".parse().unwrap());
    let (_, code) = shop.one(Terms { spend_by, ..card() }, eur("40"));
    let redeemed = shop.redeem(Redeem::into_wallet(code, ann));
    let spent = shop.spend(ann, &[500, 1_000, 700]);
    let of = || Reverse::operation(spent.operation);
    // Before it expires, to the credit itself.
    let reversed = shop.reverse(of().amount(eur("2")));
    assert_eq!(reversed.returned[0].home, Home::Credit(ann, redeemed.credits[1].credit));
    // The clock goes back on the last day of grace.
    shop.time.set("2026-10-21T22:30:00Z");
    let end = Instant::parse("2026-10-25T23:00:00Z").unwrap();
    let reversed = shop.reverse(of());
    assert_eq!(
        parts(&reversed),
        [(500, Paid, Some(2)), (500, Paid, Some(1)), (500, Granted, Some(1)), (500, Granted, Some(0))]
    );
    let mut homes: Vec<CreditId> = Vec::new();
    for part in &reversed.returned {
        let Home::NewCredit(contact, credit, spend_by) = part.home else { panic!("{part:?}") };
        assert_eq!((contact, spend_by), (ann, Some(end)));
        homes.push(credit);
    }
    homes.dedup();
    assert_eq!(homes.len(), 2);
    let wallet = shop.passes.wallet(&shop.by, ann).wait().unwrap();
    let fresh: Vec<_> = wallet.credits.iter().filter(|credit| !credit.expired).collect();
    assert_eq!(fresh.len(), 2);
    assert!(fresh.iter().all(|credit| credit.amount == eur("10") && credit.pass == redeemed.pass));
    shop.time.set_to(Instant::from_micros(end.micros() - 1).unwrap());
    shop.spend(ann, &[100]);
    shop.time.set_to(end);
    let refused = shop.passes.spend(&shop.by, Spend::all(ann, lines(&[100]))).wait();
    assert_eq!(codes_of(&reasons(refused)), ["BALANCE_TOO_SMALL"]);
    shop.proved();
}

/// without days of grace it goes to breakage, and the answer says so.
#[test]
fn an_expired_credit_without_grace_breaks() {
    let shop = Shop::open();
    let ann = shop.contact("Ann");
    let spend_by = SpendBy::Date("2026-06-30".parse().unwrap());
    let (_, code) = shop.one(Terms { spend_by, ..card() }, eur("50"));
    shop.redeem(Redeem::into_wallet(code, ann));
    let spent = shop.spend(ann, &[500, 1_000]);
    let owed = shop.passes.liability(&shop.by).wait().unwrap();
    shop.time.set("2026-06-30T22:00:00Z");
    let reversed = shop.reverse(Reverse::operation(spent.operation));
    assert_eq!(parts(&reversed), [(1_000, Paid, Some(1)), (500, Paid, Some(0))]);
    assert!(reversed.returned.iter().all(|part| part.home == Home::Breakage));
    assert_eq!(shop.holds(ann), 3_500);
    assert_eq!(shop.passes.liability(&shop.by).wait().unwrap(), owed);
    assert_eq!(shop.refuses(Reverse::operation(spent.operation)), [Refusal::AlreadyReversed]);
}

/// R-6, W-2: what can't return to a cancelled pass becomes a credit of the contact that the caller names, or of a
/// new nameless one; its spend-by is that of a redemption now.
#[test]
fn a_cancelled_pass_returns_to_a_contact() {
    let shop = Shop::open();
    let spend_by = SpendBy::AfterRedemption("P1M".parse().unwrap());
    let plan = shop.plan(Terms { spend_by, ..card() });
    let (lot, codes) = shop.sold(plan, 2, "40");
    let ann = shop.contact("Ann");
    let spent: Vec<_> =
        codes.iter().map(|code| shop.redeem(Redeem::pay(code.clone(), lines(&[1_500, 500])))).collect();
    shop.passes.cancel(&shop.by, vec![lot.pass(1), lot.pass(2)], Rest::Refund).wait().unwrap();
    let end = Instant::parse("2026-06-01T22:00:00Z").unwrap();
    let to = |n: usize, to| Reverse { to, ..Reverse::operation(spent[n].operation) };
    let homes = |reversed: &Reversed| -> Vec<(ContactId, CreditId)> {
        let home = |part: &Returned| match part.home {
            Home::NewCredit(contact, credit, Some(at)) if at == end => (contact, credit),
            _ => panic!("{part:?}"),
        };
        reversed.returned.iter().map(home).collect()
    };

    let nobody = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
    assert_eq!(codes_of(&shop.refuses(to(0, Some(nobody)))), ["CONTACT_NOT_REGISTERED"]);
    let ben = shop.contact("Ben");
    let yen = Money::from_minor(500, Currency::JPY).unwrap();
    let (_, of_yen) = shop.one(Terms { currency: Currency::JPY, value: Worth::Fixed(yen), ..card() }, yen);
    shop.redeem(Redeem::into_wallet(of_yen, ben));
    let currency = Refusal::WalletCurrency { wallet: Currency::JPY, pass: Currency::EUR };
    assert_eq!(shop.refuses(to(0, Some(ben))), [currency]);

    let reversed = shop.reverse(to(0, Some(ann)));
    assert_eq!(parts(&reversed), [(500, Paid, Some(1)), (500, Paid, Some(0)), (1_000, Granted, Some(0))]);
    let found = homes(&reversed);
    assert!(found.iter().all(|(contact, _)| *contact == ann));
    assert_eq!((found[0], reversed.uses), (found[1], 0), "one credit for each mark");
    assert_eq!((shop.holds(ann), shop.credits(ann).len()), (2_000, 2));
    assert_eq!(shop.stands(lot.pass(1)).3, State::Cancelled);
    // In two parts, to two nameless contacts.
    let first = shop.reverse(to(1, None).amount(eur("1")));
    let rest = shop.reverse(to(1, None));
    let (one, other) = (homes(&first)[0].0, homes(&rest)[0].0);
    assert_ne!(one, other);
    assert_eq!((shop.holds(one), shop.holds(other)), (100, 1_900));
    assert_eq!(shop.refuses(to(1, None)), [Refusal::AlreadyReversed]);
    shop.spend(other, &[1_900]);
    shop.proved();
}

/// R-6, L-3: what a reissued pass had given returns to its successor, and to the successor of that.
#[test]
fn a_reissued_pass_returns_to_its_successor() {
    let shop = Shop::open();
    let plan = shop.plan(Terms { usage: Usage::Full(2), value: Worth::Fixed(eur("10")), ..card() });
    let (lot, codes) = shop.sold(plan, 1, "18");
    let ann = shop.contact("Ann");
    let credited = shop.redeem(Redeem::into_wallet(codes[0].clone(), ann));
    let spent = shop.redeem(Redeem::direct(codes[0].clone(), eur("4")));
    let reissue = |pass| shop.passes.cancel(&shop.by, pass, Rest::Reissue).wait().unwrap().replaced[0].1;
    let second = reissue(lot.pass(1));
    let reversed = shop.reverse(Reverse::operation(spent.operation).amount(eur("1")));
    assert_eq!((reversed.returned[0].home.clone(), reversed.uses), (Home::Pass(second), 0));
    assert_eq!(shop.stands(second), (700, 0, 2, State::Active));
    let third = reissue(second);
    let reversed = shop.reverse(Reverse::operation(spent.operation));
    assert_eq!((reversed.returned[0].home.clone(), reversed.uses), (Home::Pass(third), 1));
    let reversed = shop.reverse(Reverse::operation(credited.operation));
    assert_eq!((reversed.uses, shop.holds(ann)), (1, 0));
    assert_eq!(shop.stands(third), (2_000, 200, 0, State::Active));
    assert_eq!(shop.stands(lot.pass(1)).3, State::Cancelled);
    // A cancellation without a successor ends the line.
    let code = shop.codes(third.lot()).remove(0);
    let last = shop.redeem(Redeem::direct(code, eur("4")));
    shop.passes.cancel(&shop.by, third, Rest::Forfeit).wait().unwrap();
    let reversed = shop.reverse(Reverse::operation(last.operation));
    assert!(matches!(reversed.returned[0].home, Home::NewCredit(..)));
}

/// by the key of what happened; a reversal that comes first stops the late request, once, and has an
/// answer of its own that can be asked for again.
#[test]
fn a_key_is_reversed_before_or_after() {
    let shop = Shop::open();
    let (lot, codes) = shop.sold(shop.cards(), 2, "50");
    let ann = shop.contact("Ann");
    let keyed = |key: &str| shop.by.clone().key(key);
    let redeem = |n: usize| Redeem::into_wallet(codes[n].clone(), ann);

    let redeemed = shop.passes.redeem(&keyed("k1"), redeem(0)).wait().unwrap();
    let back = || shop.passes.reverse(&keyed("r1"), Reverse::key("k1")).wait();
    let reversed = back().unwrap();
    assert_eq!((reversed.of, reversed.amount), (Some(redeemed.operation), Some(eur("50"))));
    let again = back().unwrap();
    assert_eq!((again.replayed, &again.done), (true, &reversed.done));
    assert_eq!(shop.refuses(Reverse::key("k1")), [Refusal::AlreadyReversed]);
    // The late repetition of the request finds its receipt, and moves nothing.
    let late = shop.passes.redeem(&keyed("k1"), redeem(0)).wait().unwrap();
    assert!(late.replayed && late.done == redeemed.done);
    assert_eq!((shop.stands(lot.pass(1)).3, shop.holds(ann)), (State::Active, 0));

    // A refused request binds nothing: its key is stopped, too.
    let refused = shop.passes.redeem(&keyed("k2"), Redeem::direct(codes[1].clone(), eur("51"))).wait();
    assert_eq!(codes_of(&reasons(refused)), ["BALANCE_TOO_SMALL"]);
    let stop = || shop.passes.reverse(&keyed("r2"), Reverse::key("k2")).wait();
    let stopped = stop().unwrap();
    assert_eq!((stopped.of, stopped.amount, stopped.uses, stopped.returned.len()), (None, None, 0, 0));
    let again = stop().unwrap();
    assert_eq!((again.replayed, again.done), (true, stopped.done.clone()));
    assert_eq!(shop.refuses(Reverse::key("k2")), [Refusal::AlreadyReversed]);
    for _ in 0..2 {
        let late = shop.passes.redeem(&keyed("k2"), redeem(1)).wait();
        assert_eq!(reasons(late), [Refusal::ReversedBefore]);
    }
    let late = shop.passes.spend(&keyed("k2"), Spend::all(ann, lines(&[100]))).wait();
    assert_eq!(reasons(late), [Refusal::ReversedBefore]);
    assert_eq!(shop.stands(lot.pass(2)), (5_000, 0, 0, State::Active));
    // Another key redeems; a spend is reversed by its key as well.
    shop.passes.redeem(&keyed("k3"), redeem(1)).wait().unwrap();
    shop.passes.spend(&keyed("k4"), Spend::all(ann, lines(&[2_000]))).wait().unwrap();
    shop.reverse(Reverse::key("k4"));
    assert_eq!(shop.holds(ann), 5_000);
    // The key of the reversal is another one than that of what it reverses.
    let own = shop.passes.reverse(&keyed("k3"), Reverse::key("k3")).wait();
    assert_eq!(reasons(own), [Refusal::IdempotencyMismatch]);
    assert_eq!(codes_of(&shop.refuses(Reverse::key(""))), ["INVALID"]);
    shop.proved();
}

/// L-4, R-3, R-6: a single-use card is spent in parts, which are one use; what is left goes into a wallet; reversed
/// in any order, the use returns with the last part.
#[test]
fn a_single_use_in_parts() {
    let shop = Shop::open();
    let (pass, code) = shop.one(card(), eur("50"));
    let first = shop.redeem(Redeem::direct(code.clone(), eur("20")));
    let second = shop.redeem(Redeem::direct(code.clone(), eur("5")));
    assert_eq!((first.uses, second.uses, second.left, second.uses_left), (1, 0, eur("25"), 0));
    let rest = shop.redeem(Redeem::into_new_wallet(code.clone()));
    assert_eq!((rest.amount, rest.uses, rest.was_last()), (eur("25"), 0, true));
    let refused = shop.passes.redeem(&shop.by, Redeem::direct(code, eur("1"))).wait();
    assert_eq!(codes_of(&reasons(refused)), ["PASS_REDEEMED", "USES_SPENT", "BALANCE_TOO_SMALL"]);
    assert_eq!(shop.reverse(Reverse::operation(first.operation)).uses, 0);
    assert_eq!(shop.stands(pass), (2_000, 0, 1, State::Active));
    assert_eq!(shop.reverse(Reverse::operation(rest.operation)).uses, 0);
    assert_eq!(shop.reverse(Reverse::operation(second.operation)).uses, 1);
    assert_eq!(shop.stands(pass), (5_000, 0, 0, State::Active));
}

/// L-4, P-5, R-6: of several uses of the full value one is open at a time: its rest is emptied or redeemed before
/// the next.
#[test]
fn full_uses_open_one_at_a_time() {
    let shop = Shop::open();
    let terms = Terms { usage: Usage::Full(3), value: Worth::Fixed(eur("10")), ..card() };
    let (pass, code) = shop.one(terms, eur("24"));
    let direct = |amount: &str| Redeem::direct(code.clone(), eur(amount));
    assert_eq!(shop.stands(pass), (3_000, 600, 0, State::Active));
    let first = shop.redeem(direct("7"));
    assert_eq!((first.uses, first.left, first.uses_left), (1, eur("23"), 2));
    let refused = reasons(shop.passes.redeem(&shop.by, direct("4")).wait());
    assert_eq!(refused, [Refusal::BalanceTooSmall { short: eur("1") }]);
    let partly = shop.redeem(direct("4").partly());
    assert_eq!((partly.amount, partly.short, partly.uses), (eur("3"), eur("1"), 0));
    let opened = shop.redeem(direct("4"));
    let rest = shop.redeem(Redeem::into_new_wallet(code.clone()));
    assert_eq!((opened.uses, rest.amount, rest.uses, rest.uses_left), (1, eur("6"), 0, 1));
    let whole = shop.redeem(Redeem::into_new_wallet(code.clone()));
    assert_eq!((whole.amount, whole.uses, whole.was_last()), (eur("10"), 1, true));
    assert_eq!(shop.stands(pass).3, State::Redeemed);
    let mut uses = 0;
    for redeemed in [&opened, &first, &whole, &partly, &rest] {
        uses += shop.reverse(Reverse::operation(redeemed.operation)).uses;
    }
    assert_eq!((uses, shop.stands(pass)), (3, (3_000, 600, 0, State::Active)));
}

/// P-5, L-4, R-6: shared uses give equal parts, the larger ones first; spending directly takes from the whole
/// balance and closes the pass to uses, and its reversal opens it again.
#[test]
fn shared_uses_split_or_close() {
    let shop = Shop::open();
    let terms = Terms { usage: Usage::Shared(3), value: Worth::Fixed(eur("10")), ..card() };
    let (lot, codes) = shop.sold(shop.plan(terms), 2, "10");
    let (pass, wallet) = (lot.pass(1), |n: usize| Redeem::into_new_wallet(codes[n].clone()));
    let uses: Vec<_> = (0..3).map(|_| shop.redeem(wallet(0))).collect();
    let amounts: Vec<_> = uses.iter().map(|r| (r.amount.minor(), r.uses, r.uses_left)).collect();
    assert_eq!(amounts, [(334, 1, 2), (333, 1, 1), (333, 1, 0)]);
    assert_eq!(shop.stands(pass), (0, 0, 3, State::Redeemed));
    assert_eq!(shop.reverse(Reverse::operation(uses[1].operation)).uses, 1);
    assert_eq!(shop.stands(pass), (333, 0, 2, State::Active));
    assert_eq!(shop.redeem(wallet(0)).amount, eur("3.33"));
    // In parts, the use returns with the last of them.
    assert_eq!(shop.reverse(Reverse::operation(uses[0].operation).amount(eur("3"))).uses, 0);
    assert_eq!(shop.reverse(Reverse::operation(uses[0].operation)).uses, 1);
    assert_eq!(shop.redeem(wallet(0)).amount, eur("3.34"));

    let pass = lot.pass(2);
    let first = shop.redeem(wallet(1));
    let direct = shop.redeem(Redeem::direct(codes[1].clone(), eur("4")));
    assert_eq!((direct.uses, direct.uses_left, direct.left), (2, 0, eur("2.66")));
    let more = shop.redeem(Redeem::direct(codes[1].clone(), eur("1")));
    let rest = shop.redeem(wallet(1));
    assert_eq!((more.uses, rest.uses, rest.amount), (0, 0, eur("1.66")));
    assert_eq!(shop.stands(pass), (0, 0, 3, State::Redeemed));
    let back: Vec<_> = [&rest, &more, &direct, &first]
        .map(|redeemed| shop.reverse(Reverse::operation(redeemed.operation)).uses)
        .to_vec();
    assert_eq!(back, [0, 0, 2, 1]);
    assert_eq!(shop.stands(pass), (1_000, 0, 0, State::Active));
    assert_eq!(shop.redeem(wallet(1)).amount, eur("3.34"));
}

/// B-3: each currency in its own minor unit, through sale, redemption, spend and reversal.
#[test]
fn every_minor_unit() {
    for (code, value, price, thirds, bought, bad) in [
        ("JPY", "1000", "800", ["334", "333", "333"], "600", "0.1"),
        ("EUR", "10.00", "8.00", ["3.34", "3.33", "3.33"], "6.01", "0.001"),
        ("BHD", "10.000", "8.000", ["3.334", "3.333", "3.333"], "6.001", "0.0001"),
    ] {
        let currency = Currency::parse(code).unwrap();
        let shop = Shop::with(|settings| settings.currencies = vec![currency]);
        let money = |text: &str| Money::parse(text, currency).unwrap();
        assert_eq!(Money::parse(bad, currency).unwrap_err().code(), "TOO_MANY_DECIMALS");
        let terms = Terms { currency, value: Worth::Fixed(money(value)), usage: Usage::Shared(3), ..card() };
        let (pass, passcode) = shop.one(terms, money(price));
        let ann = shop.contact("Ann");
        let owed = shop.passes.liability(&shop.by).wait().unwrap();
        let redeemed = [0, 1, 2].map(|_| shop.redeem(Redeem::into_wallet(passcode.clone(), ann)));
        assert_eq!(redeemed.clone().map(|r| r.amount), thirds.map(money));
        let goods = Basket::new(currency, vec![Line::new("A1", 1, money(bought))]).unwrap();
        let spent = shop.passes.spend(&shop.by, Spend::all(ann, goods)).wait().unwrap();
        assert_eq!(shop.holds(ann), money(value).minus(money(bought)).unwrap().minor());
        let reversed = shop.reverse(Reverse::operation(spent.operation));
        assert_eq!(reversed.amount, Some(money(bought)));
        for r in &redeemed {
            shop.reverse(Reverse::operation(r.operation));
        }
        let stands = shop.stands(pass);
        let granted = money(value).minus(money(price)).unwrap().minor();
        assert_eq!(stands, (money(value).minor(), granted, 0, State::Active));
        let mut after = shop.passes.liability(&shop.by).wait().unwrap();
        after.retain(|owed| owed.total().unwrap().minor() != 0);
        assert_eq!(after, owed);
    }
}

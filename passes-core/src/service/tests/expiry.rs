//! Both clocks, at the business's midnight, on the days on which it moves or is not there; windows.

use super::{Shop, basket, card, codes_of, eur, reasons};
use crate::calendar::{Date, Hours, Instant, Period, TimeOfDay, Weekday, Windows, Zone};
use crate::plan::{RedeemBy, SpendBy, Terms};
use crate::refusal::Refusal;
use crate::service::{Deal, Expiry, Redeem, Spend};

/// The zone, a last day, and the instant at which it ends.
const LAST_DAYS: [(&str, &str, &str); 12] = [
    // The days before a clock goes back or forward, and those days themselves.
    ("Europe/Berlin", "2026-10-24", "2026-10-24T22:00:00Z"),
    ("Europe/Berlin", "2026-10-25", "2026-10-25T23:00:00Z"),
    ("Europe/Berlin", "2027-03-27", "2027-03-27T23:00:00Z"),
    ("Europe/Berlin", "2027-03-28", "2027-03-28T22:00:00Z"),
    // 29 October has 23:00 to 24:00 twice; 30 April begins at 01:00.
    ("Africa/Cairo", "2026-10-29", "2026-10-29T22:00:00Z"),
    ("Africa/Cairo", "2027-04-29", "2027-04-29T22:00:00Z"),
    ("Africa/Cairo", "2027-04-30", "2027-04-30T21:00:00Z"),
    // 6 September begins at 01:00; 3 April has 23:00 to 24:00 twice.
    ("America/Santiago", "2026-09-05", "2026-09-06T04:00:00Z"),
    ("America/Santiago", "2026-09-06", "2026-09-07T03:00:00Z"),
    ("America/Santiago", "2027-04-03", "2027-04-04T04:00:00Z"),
    // 1 November has two midnights, of which the first counts; 14 March begins at 01:00.
    ("America/Havana", "2026-10-31", "2026-11-01T04:00:00Z"),
    ("America/Havana", "2027-03-13", "2027-03-14T05:00:00Z"),
];

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// The last microsecond before.
fn before(at: Instant) -> Instant {
    Instant::from_micros(at.micros() - 1).unwrap()
}

/// Noon in UTC, three days before a date. It is the same date in each of the zones.
fn three_days_before(last: &str) -> Instant {
    at(&format!("{last}T12:00:00Z")).plus_days(-3).unwrap()
}

fn three_days() -> Period {
    Period::of_days(3).unwrap()
}

fn in_zone(zone: &str) -> Shop {
    Shop::with(|settings| settings.zone = Zone::parse(zone).unwrap())
}

impl Shop {
    /// Three cards, made three days before the last day and activated a day after the first of them; a pass can
    /// be redeemed up to here, and from here on it can't, into a wallet, directly or in a check.
    fn ends(&self, terms: Terms, made: Instant, sold: Instant, end: Instant) {
        self.time.set_to(made);
        let lot = self.lot(self.plan(terms), 3);
        self.time.set_to(sold);
        let all: Vec<_> = (1..=3).map(|serial| lot.pass(serial)).collect();
        self.passes.sell(&self.by, all, Deal::at(eur("50"))).wait().unwrap();
        let codes = self.codes(lot);
        let (passes, by) = (&self.passes, &self.by);
        let wallet = |n: usize| Redeem::into_new_wallet(codes[n].clone());
        let direct = |n: usize| Redeem::direct(codes[n].clone(), eur("1"));

        self.time.set_to(before(end));
        assert!(passes.check(by, &wallet(0)).wait().unwrap().is_good());
        passes.redeem(by, wallet(0)).wait().unwrap();
        passes.redeem(by, direct(1)).wait().unwrap();
        assert!(!passes.pass(by, lot.pass(2)).wait().unwrap().expired);

        self.time.set_to(end);
        let expired = vec![Refusal::Expired { at: end }];
        for request in [wallet(1), wallet(2), direct(1), direct(2)] {
            assert_eq!(passes.check(by, &request).wait().unwrap().reasons, expired);
            assert_eq!(reasons(passes.redeem(by, request).wait()), expired);
        }
        assert!(passes.pass(by, lot.pass(2)).wait().unwrap().expired);
    }

    /// Money credited three days before the last day can be spent up to here, and from here on it can't.
    fn runs_out(&self, terms: Terms, redeemed: Instant, end: Instant) {
        self.time.set_to(redeemed);
        let (_, code) = self.one(terms, eur("40"));
        let (passes, by) = (&self.passes, &self.by);
        let redeemed = passes.redeem(by, Redeem::into_new_wallet(code)).wait().unwrap();
        assert!(redeemed.credits.iter().all(|credit| credit.spend_by == Some(end)));
        let contact = redeemed.contact.unwrap();
        self.time.set_to(before(end));
        let spend = Spend::all(contact, basket("12.50"));
        assert!(passes.check_spend(by, &spend).wait().unwrap().is_good());
        passes.spend(by, spend.clone()).wait().unwrap();
        self.time.set_to(end);
        let short = vec![Refusal::BalanceTooSmall { short: eur("12.50") }];
        assert_eq!(passes.check_spend(by, &spend).wait().unwrap().reasons, short);
        assert_eq!(reasons(passes.spend(by, spend.clone()).wait()), short);
        assert_eq!(reasons(passes.spend(by, spend.partly()).wait()), short);
        let wallet = passes.wallet(by, contact).wait().unwrap();
        assert!(wallet.credits.iter().all(|credit| credit.expired));
        assert_eq!(wallet.pockets[0].expired, eur("37.50"));
        self.proved();
    }
}

/// B-2, P-4, W-4: redeem-by ends with the business's day, whether it is a date, a period after issue or one
/// after activation; a microsecond before all is well.
#[test]
fn redeem_by_ends_at_the_business_midnight() {
    for (zone, last, end) in LAST_DAYS {
        let (shop, start, end) = (in_zone(zone), three_days_before(last), at(end));
        let day_after = start.plus_days(1).unwrap();
        let terms = |redeem_by| Terms { redeem_by, ..card() };
        shop.ends(terms(RedeemBy::Date(date(last))), start, start, end);
        shop.ends(terms(RedeemBy::AfterIssue(three_days())), start, day_after, end);
        // Activated a day later, so made a day before: what counts is the activation.
        shop.ends(terms(RedeemBy::AfterActivation(three_days())), start.plus_days(-1).unwrap(), start, end);
        shop.proved();
    }
}

/// B-2, P-4, W-4: spend-by likewise, by a date or a period after the redemption: an expired credit pays nothing.
#[test]
fn spend_by_ends_at_the_business_midnight() {
    for (zone, last, end) in LAST_DAYS {
        let (shop, start, end) = (in_zone(zone), three_days_before(last), at(end));
        let terms = |spend_by| Terms { spend_by, ..card() };
        shop.runs_out(terms(SpendBy::Date(date(last))), start, end);
        shop.runs_out(terms(SpendBy::AfterRedemption(three_days())), start, end);
    }
}

/// B-2, P-4: a year after 29 February ends with 28 February, a month after 31 January with the last of February.
#[test]
fn leap_days() {
    let shop = Shop::open();
    for (start, period, end) in [
        ("2028-02-29T12:00:00Z", "P1Y", "2029-02-28T23:00:00Z"),
        ("2028-02-29T12:00:00Z", "P4Y", "2032-02-29T23:00:00Z"),
        ("2028-01-31T12:00:00Z", "P1M", "2028-02-29T23:00:00Z"),
        ("2027-01-31T12:00:00Z", "P1M", "2027-02-28T23:00:00Z"),
        // In Berlin 28 February is over.
        ("2027-02-28T23:00:00Z", "P1Y", "2028-03-01T23:00:00Z"),
        ("2028-02-28T23:00:00Z", "P1Y to end of year", "2029-12-31T23:00:00Z"),
    ] {
        let (start, end, period) = (at(start), at(end), period.parse::<Period>().unwrap());
        let after = Terms { redeem_by: RedeemBy::AfterActivation(period), ..card() };
        shop.ends(after, start, start, end);
        shop.runs_out(Terms { spend_by: SpendBy::AfterRedemption(period), ..card() }, start, end);
    }
}

/// L-5, W-4: an expired pass works again once its expiry is moved, to the end of another day.
#[test]
fn an_expired_pass_gets_a_later_expiry() {
    let shop = in_zone("America/Santiago");
    let (passes, by) = (&shop.passes, &shop.by);
    let (pass, code) = shop.one(Terms { redeem_by: RedeemBy::Date(date("2026-09-04")), ..card() }, eur("50"));
    shop.time.set("2026-09-05T12:00:00Z");
    let direct = || Redeem::direct(code.clone(), eur("1"));
    assert_eq!(codes_of(&reasons(passes.redeem(by, direct()).wait())), ["PASS_EXPIRED"]);
    passes.set_expiry(by, pass, Expiry::Date(date("2026-09-05"))).wait().unwrap();
    let end = at("2026-09-06T04:00:00Z");
    shop.time.set_to(before(end));
    passes.redeem(by, direct()).wait().unwrap();
    shop.time.set_to(end);
    assert_eq!(reasons(passes.redeem(by, direct()).wait()), [Refusal::Expired { at: end }]);
}

/// P-4, R-1, B-2: a start date begins with the first instant of the day, where there is no midnight too.
#[test]
fn a_start_date_begins_with_the_day() {
    for (zone, start, from) in [
        ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"),
        ("Africa/Cairo", "2027-04-30", "2027-04-29T22:00:00Z"),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
    ] {
        let (shop, from) = (in_zone(zone), at(from));
        let windows = Windows { start: Some(date(start)), ..Windows::default() };
        let (_, code) = shop.one(Terms { windows, ..card() }, eur("50"));
        let direct = || Redeem::direct(code.clone(), eur("1"));
        shop.time.set_to(before(from));
        let refused = reasons(shop.passes.redeem(&shop.by, direct()).wait());
        assert_eq!(refused, [Refusal::NotStarted { from }], "{zone}");
        shop.time.set_to(from);
        shop.passes.redeem(&shop.by, direct()).wait().unwrap();
    }
}

/// P-4, R-1, B-2: outside the hours, and on a blackout date, the answer says when it opens, by the clock on the
/// wall. A refusal moves nothing.
#[test]
fn hours_and_blackout_dates_say_when_it_opens() {
    let hours = |from, to| Hours {
        days: [Weekday::Mon].into(),
        from: TimeOfDay::from_minutes(from).unwrap(),
        to: TimeOfDay::from_minutes(to).unwrap(),
    };
    let mondays = Windows { hours: vec![hours(9 * 60, 17 * 60)], ..Windows::default() };
    let closed_on = |day: &str| Windows { blackout: [date(day)].into(), ..Windows::default() };
    // The last closed microsecond is before `opens`; `closes` is the first closed one.
    for (zone, windows, now, says, opens, closes) in [
        // The clock went back the day before, at night.
        (
            "Europe/Berlin",
            mondays.clone(),
            "2026-10-24T12:00:00Z",
            "Monday 2026-10-26 09:00",
            "2026-10-26T08:00:00Z",
            "2026-10-26T16:00:00Z",
        ),
        (
            "Europe/Berlin",
            mondays,
            "2027-03-27T12:00:00Z",
            "Monday 2027-03-29 09:00",
            "2027-03-29T07:00:00Z",
            "2027-03-29T15:00:00Z",
        ),
        (
            "Europe/Berlin",
            closed_on("2026-10-25"),
            "2026-10-24T22:00:00Z",
            "Monday 2026-10-26 00:00",
            "2026-10-25T23:00:00Z",
            "",
        ),
        (
            "America/Santiago",
            closed_on("2026-09-05"),
            "2026-09-05T12:00:00Z",
            "Sunday 2026-09-06 01:00",
            "2026-09-06T04:00:00Z",
            "",
        ),
        (
            "Africa/Cairo",
            closed_on("2027-04-30"),
            "2027-04-29T22:00:00Z",
            "Saturday 2027-05-01 00:00",
            "2027-04-30T21:00:00Z",
            "",
        ),
    ] {
        let shop = in_zone(zone);
        let (pass, code) = shop.one(Terms { windows, ..card() }, eur("50"));
        let direct = || Redeem::direct(code.clone(), eur("1"));
        let closed = |now: Instant| {
            shop.time.set_to(now);
            let refused = reasons(shop.passes.redeem(&shop.by, direct()).wait());
            assert_eq!(shop.passes.check(&shop.by, &direct()).wait().unwrap().reasons, refused);
            refused
        };
        let refused = closed(at(now));
        assert_eq!(refused, [Refusal::OutsideHours { opens: says.to_owned() }], "{zone}");
        assert_eq!(refused[0].fix(), format!("opens {says}"));
        assert_eq!(closed(before(at(opens))), refused);
        assert_eq!(shop.passes.pass(&shop.by, pass).wait().unwrap().left, eur("50"));
        shop.time.set_to(at(opens));
        shop.passes.redeem(&shop.by, direct()).wait().unwrap();
        if !closes.is_empty() {
            shop.time.set_to(before(at(closes)));
            shop.passes.redeem(&shop.by, direct()).wait().unwrap();
            assert_eq!(codes_of(&closed(at(closes))), ["OUTSIDE_HOURS"]);
        }
        shop.proved();
    }
}

//! Expiry at the business's midnight, on days when clocks are changed, and amounts with other decimals.

use passes_core::calendar::{Instant, Period, parse_date};
use passes_core::plan::{RedeemBy, SpendBy};
use passes_core::service::{Deal, Redeem, Reverse, Spend};
use tests::world::{START, amount, one_line, settings};
use tests::{World, code_of, on_every_store};

/// A zone, the last day, and the moment at which it ends there.
const ENDS: [(&str, &str, &str); 11] = [
    // The clock goes forward in the night, after midnight; and back.
    ("Europe/London", "2026-03-28", "2026-03-29T00:00:00Z"),
    ("Europe/London", "2026-03-29", "2026-03-29T23:00:00Z"),
    ("Europe/London", "2026-10-25", "2026-10-26T00:00:00Z"),
    ("America/New_York", "2026-03-08", "2026-03-09T04:00:00Z"),
    ("America/New_York", "2026-11-01", "2026-11-02T05:00:00Z"),
    // At midnight, which therefore does not exist: the day ends with the first instant after it.
    ("Africa/Cairo", "2026-04-23", "2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29", "2026-10-29T22:00:00Z"),
    ("America/Santiago", "2026-09-05", "2026-09-06T04:00:00Z"),
    ("America/Santiago", "2026-04-04", "2026-04-05T04:00:00Z"),
    // Midnight comes twice: the day ends with the first.
    ("America/Havana", "2026-10-31", "2026-11-01T04:00:00Z"),
    // Half an hour's change.
    ("Australia/Lord_Howe", "2026-10-03", "2026-10-03T13:30:00Z"),
];

fn just_before(end: &str) -> Instant {
    Instant::from_micros(Instant::parse(end).unwrap().micros() - 1).unwrap()
}

/// B-2, P-4, W-4: a pass can be redeemed to the last microsecond of its last day, by the business's calendar, and
/// not at the moment at which the next begins.
#[test]
fn a_pass_expires_at_the_business_s_midnight() {
    for (zone, day, end) in ENDS {
        println!("{zone} {day}");
        let mut settings = settings();
        settings.zone = passes_core::calendar::Zone::parse(zone).unwrap();
        let world = World::memory_with(settings, 1);
        let (passes, by) = (&world.passes, &world.by);
        let day = parse_date("day", day).unwrap();
        let mut spec = World::spec("20 EUR");
        spec.terms.redeem_by = RedeemBy::Date(day);
        let (pass, code) = world.sold(spec);
        let redeem = || passes.redeem(by, Redeem::direct(code.as_str(), amount("5 EUR"))).wait();
        redeem().unwrap();
        world.clock.set(just_before(end));
        redeem().unwrap();
        world.at(end);
        let refused = redeem().unwrap_err();
        assert_eq!(refused.code(), "PASS_EXPIRED");
        assert_eq!(refused.reasons()[0].values()[0].1, end, "it tells the moment");
        assert!(passes.pass(by, pass).wait().unwrap().expired);

        // A period of one day from the day before ends at the same moment.
        world.at(START);
        let mut spec = World::spec("20 EUR");
        spec.terms.redeem_by = RedeemBy::AfterActivation(Period::of_days(1).unwrap());
        let (pass, _) = world.draft(spec);
        let eve = Instant::from_micros(Instant::parse(end).unwrap().micros() - 36 * 3_600_000_000).unwrap();
        world.clock.set(eve);
        passes.sell(by, pass, Deal::at(amount("20 EUR"))).wait().unwrap();
        assert_eq!(passes.pass(by, pass).wait().unwrap().redeem_by, Some(Instant::parse(end).unwrap()));
    }
}

/// B-2, P-4, W-4: money in a wallet can be spent to the last microsecond of its last day.
#[test]
fn a_credit_expires_at_the_business_s_midnight() {
    for (zone, day, end) in ENDS {
        println!("{zone} {day}");
        let mut settings = settings();
        settings.zone = passes_core::calendar::Zone::parse(zone).unwrap();
        let world = World::memory_with(settings, 1);
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        let mut spec = World::spec("20 EUR");
        spec.terms.spend_by = SpendBy::Date(parse_date("day", day).unwrap());
        let (_, code) = world.sold(spec);
        let credited = passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
        assert_eq!(credited.credits[0].spend_by, Some(Instant::parse(end).unwrap()));
        let spend = || passes.spend(by, Spend::all(contact, one_line("5 EUR"))).wait();
        spend().unwrap();
        world.clock.set(just_before(end));
        spend().unwrap();
        world.at(end);
        assert_eq!(code_of(&spend()), "BALANCE_TOO_SMALL");
        let wallet = passes.wallet(by, contact).wait().unwrap();
        assert_eq!(wallet.balance(amount("0 EUR").currency()).unwrap(), amount("0 EUR"));
    }
}

/// B-3, W-1: yen without decimals, euros with two and dinars with three are sold, redeemed, spent and reversed to
/// the last unit.
#[test]
fn amounts_have_the_decimals_of_their_currency() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        for (value, part, rest, too_fine) in [
            ("1001 JPY", "334 JPY", "667 JPY", "0.5"),
            ("10.01 EUR", "3.34 EUR", "6.67 EUR", "0.001"),
            ("1.001 BHD", "0.334 BHD", "0.667 BHD", "0.0001"),
        ] {
            let currency = amount(value).currency();
            let refused = passes_core::money::Money::parse(too_fine, currency).unwrap_err();
            assert_eq!(refused.code(), "TOO_MANY_DECIMALS");
            let contact = world.contact();
            let (_, code) = world.used(value, passes_core::plan::Usage::Shared(3));
            let first = passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
            assert_eq!((first.amount, first.left), (amount(part), amount(rest)));
            let spent = passes.spend(by, Spend::all(contact, one_line(part))).wait().unwrap();
            assert_eq!(spent.amount, amount(part));
            let direct = passes.redeem(by, Redeem::direct(code.as_str(), amount(rest))).wait().unwrap();
            assert!(direct.was_last());
            for operation in [spent.operation, direct.operation, first.operation] {
                passes.reverse(by, Reverse::operation(operation)).wait().unwrap();
            }
            let whole = passes.redeem(by, Redeem::direct(code.as_str(), amount(value))).wait().unwrap();
            assert_eq!(whole.amount.to_string(), value);
        }
        let _ = world.books();
    });
}

//! The plans that every world has: each kind of value, usage, validity, condition and currency.

use super::calendar::Where;
use super::script::{Label, Settings, Setup};
use chrono::Days;
use passes_core::business::{ActiveOn, Channel, Secrecy, Settings as Whole};
use passes_core::calendar::{Hours, Instant, Period, RunOn, TimeOfDay, Weekday, Zone};
use passes_core::conditions::{Conditions, Pool};
use passes_core::fields::{Definition, FieldType};
use passes_core::ledger::Mark;
use passes_core::money::{Currency, Money};
use passes_core::plan::{Caps, Classification, Form, RedeemBy, Spec, SpendBy, Terms, Usage, Worth};
use std::collections::BTreeSet;
use tests::World;
use tests::world::{amount, settings};

/// How many contacts every world has: 1 to 5.
pub(crate) const CONTACTS: Label = 5;

/// The channel of deliveries.
pub(crate) const CHANNEL: &str = "email";

/// The largest text of the field *note*.
pub(crate) const NOTE: usize = 8;

/// The whole settings of the business.
pub(crate) fn whole(zone: Where, own: Settings) -> Whole {
    let food = Conditions { families: ["food".into()].into(), ..Conditions::default() };
    Whole {
        zone: Zone::parse(zone.name()).unwrap(),
        grace_days: own.grace,
        void_hours: own.void_hours,
        second_currency: own.second_currency,
        secrecy: if own.hashed { Secrecy::Hashed } else { Secrecy::Sealed },
        accept_hashes: own.accept_hashes,
        channels: vec![Channel {
            name: CHANNEL.into(),
            active_on: if own.accepted { ActiveOn::Accepted } else { ActiveOn::Confirmed },
        }],
        pools: vec![Pool { name: "canteen".into(), conditions: food }],
        pass_fields: vec![Definition {
            name: "note".into(),
            required: false,
            field: FieldType::Text { most: NOTE },
        }],
        ..settings()
    }
}

fn range(least: &str, most: &str) -> Worth {
    Worth::Range { least: amount(least), most: amount(most) }
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The plans, from 1, as they are in a world that begins then.
pub(crate) fn specs(setup: &Setup) -> Vec<Spec> {
    let days = |n| Period::of_days(n).unwrap();
    let today = setup.zone.date_of(Instant::parse(&setup.start).unwrap().micros());
    let of = |value: &str, change: &dyn Fn(&mut Terms)| {
        let mut terms = Terms::fixed(Classification::Gift, Form::Printed, amount(value));
        change(&mut terms);
        World::spec_of(terms)
    };
    let mut specs = vec![
        // 1: the plain gift card.
        of("20 EUR", &|_| {}),
        of("7 EUR", &|t| {
            (t.usage, t.spend_by) = (Usage::Full(3), SpendBy::AfterRedemption(days(10)));
        }),
        of("10 EUR", &|t| {
            (t.usage, t.unsold) = (Usage::Shared(3), Mark::Paid);
            t.redeem_by = RedeemBy::AfterActivation(days(60));
        }),
        of("5 GBP", &|t| {
            t.value = range("5 GBP", "50 GBP");
            (t.conditions.skus, t.conditions.not_skus) = (words(&["A", "B"]), words(&["C"]));
        }),
        of("15 EUR", &|t| {
            (t.classification, t.pool) = (Classification::TopUp, Some("canteen".into()));
            t.spend_by = SpendBy::AfterRedemption(Period::of_months(1).unwrap());
        }),
        // 6: one for each person, sent to them.
        of("12 EUR", &|t| (t.form, t.personal) = (Form::Electronic, true)),
        of("9 EUR", &|t| {
            (t.conditions.places, t.conditions.minimum) = (words(&["North"]), Some(amount("5 EUR")));
        }),
        of("3000 JPY", &|t| {
            t.spend_by = SpendBy::AfterRedemption(days(0).to_end_of(RunOn::Month));
            t.redeem_by = RedeemBy::AfterIssue(Period::new(0, 1, 2, 1, None).unwrap());
        }),
        // 9: its value is open until it is issued.
        of("1.000 BHD", &|t| {
            (t.value, t.form) = (range("1.000 BHD", "20.000 BHD"), Form::Electronic);
            (t.usage, t.unsold) = (Usage::Full(2), Mark::Paid);
            t.redeem_by = RedeemBy::AfterActivation(Period::of_months(1).unwrap());
        }),
        of("8 EUR", &|t| {
            t.redeem_by = RedeemBy::Date(today + Days::new(45));
            t.spend_by = SpendBy::Date(today + Days::new(60));
            t.windows.start = Some(today + Days::new(1));
            t.windows.blackout = [today + Days::new(3)].into();
            t.windows.hours = vec![Hours {
                days: [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Sat].into(),
                from: TimeOfDay::from_minutes(7 * 60).unwrap(),
                to: TimeOfDay::from_minutes(21 * 60).unwrap(),
            }];
        }),
        // 11: of which not many may be made, nor much.
        of("4 EUR", &|t| (t.value, t.usage) = (range("4 EUR", "40 EUR"), Usage::Shared(2))),
        of("6 EUR", &|t| {
            (t.usage, t.conditions.stored_value) = (Usage::Shared(4), true);
            t.conditions.not_families = words(&["toys"]);
        }),
    ];
    specs[10].caps = Caps { passes: Some(30), value: Some(amount("300 EUR")) };
    specs
}

pub(crate) fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub(crate) fn money(minor: i64, currency: Currency) -> Money {
    Money::from_minor(minor, currency).unwrap()
}

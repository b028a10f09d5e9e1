//! What the types of the library are made of, by the names that they have there. A field or variant that is missing
//! here, or is there no more, doesn't compile.

use crate::json::{Fault, Read, Write, field, named, object, only, place, snake, variant, wrong};
use passes_core::business::{ActiveOn, Channel, Secrecy, Settings};
use passes_core::calendar::{Date, Hours, Instant, Period, TimeOfDay, Weekday, Windows, Zone};
use passes_core::conditions::{Basket, Conditions, Line, Pool};
use passes_core::contact::{Contact, Medium, Profile};
use passes_core::event::{Event, Position, Span, Told, Whole};
use passes_core::fields::{Definition, FieldType, Value as FieldValue};
use passes_core::id::{
    BusinessId, ContactId, CreditId, LotId, OperationId, PassId, PlanId, RunId, SaleId, TermsId,
};
use passes_core::ledger::{Account, Mark, Subject, Unit};
use passes_core::lot::Outcome;
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Kind, Right, Rights};
use passes_core::pass::State;
use passes_core::passcode::{Alphabet, CodeHash, Format, Passcode, Presented};
use passes_core::plan::{
    Caps, Classification, Form, Plan, PlanState, RedeemBy, Spec, SpendBy, Terms, Usage, Worth,
};
use passes_core::redemption::Target;
use passes_core::run::{Progress, RunState};
use passes_core::service::*;
use passes_core::store::PassOrder;
use rust_decimal::Decimal;
use serde_json::Value;

/// Types with a text form of their own.
macro_rules! texts {
    ($( $ty:ty ),+ $(,)?) => { $(
        impl Write for $ty {
            fn write(&self) -> Value {
                self.to_string().into()
            }
        }
        impl Read for $ty {
            fn read(value: &Value) -> Result<Self, Fault> {
                let Some(text) = value.as_str() else { return wrong("a text", value) };
                Ok(text.parse::<Self>()?)
            }
        }
    )+ };
}

texts!(
    BusinessId,
    ContactId,
    CreditId,
    LotId,
    OperationId,
    PassId,
    PlanId,
    RunId,
    SaleId,
    TermsId,
    Checkpoint,
    Currency,
    Money,
    Period,
    TimeOfDay,
    Zone
);

macro_rules! write_records {
    ($( $ty:ident $( < $($of:ident),+ > )? { $( $field:ident ),* $(,)? } )+) => { $(
        impl $( < $($of: Write),+ > )? Write for $ty $( < $($of),+ > )? {
            fn write(&self) -> Value {
                let Self { $( $field ),* } = self;
                object(vec![ $( (stringify!($field), $field.write()) ),* ])
            }
        }
    )+ };
}

macro_rules! read_records {
    ($( $ty:ident { $( $field:ident ),* $(,)? } )+) => { $(
        impl Read for $ty {
            fn read(value: &Value) -> Result<Self, Fault> {
                let object = only(value, &[ $( stringify!($field) ),* ])?;
                Ok(Self { $( $field: field(object, stringify!($field))? ),* })
            }
        }
    )+ };
}

macro_rules! records {
    ($( $body:tt )+) => { write_records! { $( $body )+ } read_records! { $( $body )+ } };
}

/// `more` is an enum that may grow: an unknown variant is no vector's business.
macro_rules! write_choices {
    ($( $ty:ident $( $more:literal )? {
        $( $name:ident $( ( $($at:ident),+ ) )? $( { $($field:ident),* } )? ),+ $(,)?
    } )+) => { $(
        impl Write for $ty {
            fn write(&self) -> Value {
                match self {
                    $( Self::$name $( ( $($at),+ ) )? $( { $($field),* } )? => variant(
                        stringify!($name),
                        vec![ $( $( $at.write() ),+ )? ],
                        vec![ $( $( (stringify!($field), $field.write()) ),* )? ],
                    ), )+
                    $( other => panic!("{} has {other:?}", $more), )?
                }
            }
        }
    )+ };
}

macro_rules! count {
    ($( $at:ident ),+) => { [ $( stringify!($at) ),+ ].len() };
}

macro_rules! read_choices {
    ($( $ty:ident {
        $( $name:ident $( ( $($at:ident),+ ) )? $( { $($field:ident),* } )? ),+ $(,)?
    } )+) => { $(
        impl Read for $ty {
            fn read(value: &Value) -> Result<Self, Fault> {
                let (name, held) = named(value)?;
                let _ = held;
                $( if name == snake(stringify!($name)) {
                    $(
                        let mut next = 0..count!($($at),+);
                        $( let $at = place(held, next.next().unwrap_or(0), next.end)?; )+
                    )?
                    $(
                        let empty = Value::Object(serde_json::Map::new());
                        let held = if held.is_null() { &empty } else { held };
                        let object = only(held, &[ $( stringify!($field) ),* ])?;
                        let _ = object;
                        $( let $field = field(object, stringify!($field))?; )*
                    )?
                    return Ok(Self::$name $( ( $($at),+ ) )? $( { $($field),* } )?);
                } )+
                wrong(concat!("a variant of ", stringify!($ty)), value)
            }
        }
    )+ };
}

macro_rules! choices {
    ($( $body:tt )+) => { write_choices! { $( $body )+ } read_choices! { $( $body )+ } };
}

records! {
    Settings {
        name, zone, currencies, locales, default_locale, secrecy, week_start, guess_one_in, second_currency,
        accept_hashes, void_hours, grace_days, printing_house, channels, pools, pass_fields, contact_fields,
    }
    Channel { name, active_on }
    Pool { name, conditions }
    Conditions { skus, families, not_skus, not_families, places, minimum, stored_value }
    Definition { name, required, field }
    Profile { name, media, fields }
    Spec { name, description, terms, code, caps }
    Terms {
        classification, form, currency, value, usage, redeem_by, spend_by, windows, conditions, pool, personal,
        unsold, fields,
    }
    Windows { start, hours, blackout }
    Hours { days, from, to }
    Format { alphabet, length, prefix, suffix, check, group }
    Caps { passes, value }
    Deal { buyer, price, value, payment }
    PassCursor { pass, expiry }
    LineCursor { entry, credit }
    PassLineCursor { entry, balance }
}

read_records! {
    By { business, actor, place, channel, reason, key }
    Line { sku, families, quantity, unit_price, stored_value }
    Generate { plan, count, accept_weak }
    Issue { plan, to, channel, sender, message, value, deal, accept_weak }
    Redeem { code, target, amount, basket, partly }
    Spend { contact, basket, amount, partly }
    Reverse { of, part, allow_loss, to }
    PassFilter { states, holder, used, expires_before, channel, fields }
    OperationFilter { actor, place, channel, kind, from, to, reason }
}

write_records! {
    Receipt<T> { operation, replayed, at, done }
    Listed<T, C> { rows, next }
    Check<T> { reasons, would }
    Contact { id, named, profile, currencies }
    Plan { id, spec, state, terms, suspended, copy_of }
    LotStarted { lot, run, count }
    LotView {
        id, plan, names, count, form, issued, run, complete, exports, closed, recoverable, suspended,
        plan_suspended, cancelled, replaces,
    }
    PassView {
        id, lot, plan, serial, state, suspended, value, left, granted_left, uses, used, redeem_by, expired,
        activated, holder, sale, channel, fields, successor, replaces,
    }
    ExportRow { pass, serial, code, value, redeem_by }
    Progress { run, state, done, skipped, total }
    Changed { changed, skipped, run, sale, replaced }
    Sale { id, deal, at, seller, place }
    Issued { pass, to, value, sale }
    Redeemed { pass, contact, amount, short, credits, paid, uses, left, uses_left }
    Credited { credit, amount, mark, spend_by }
    PaidLine { line, mark, amount }
    Spent { contact, amount, short, paid }
    PaidBy { credit, pass, mark, line, amount }
    Reversed { of, amount, loss, uses, returned }
    Returned { home, amount, mark, line }
    Wallet { contact, pockets, credits }
    Pocket { key, balance, paid, granted, expired }
    PocketKey { pool, currency }
    CreditView { id, pass, plan, mark, pocket, left, amount, spend_by, expired, created }
    WalletLine { booking, credit, pass, pocket, amount, balance }
    PassLine { booking, amount, balance }
    Booking { entry, operation, kind, place, at, booked, mark, line, other }
    Liability { currency, paid, granted, outstanding, credit }
    OperationView { position, id, kind, actor, place, channel, reason, at, booked }
    Refusals { code, plan, place, count }
    Told { position, index, operation, at, event }
    Span { first, last, count }
    Verified { documents, passes, operations, entries, credits, tallies, codes, keys, drifted, drifts, since }
    Drift { what, subject, stored, expected, unit }
}

choices! {
    Secrecy { Sealed, Hashed }
    ActiveOn { Confirmed, Accepted }
    Weekday { Mon, Tue, Wed, Thu, Fri, Sat, Sun }
    FieldType { Text { most }, Integer { least, most }, Decimal { least, most }, YesNo {}, Date {}, Choice { of } }
    FieldValue { YesNo(is), Integer(number), Text(text) }
    Medium { Phone(number), Email(address), Reference(text) }
    Classification { Gift, TopUp }
    Form { Electronic, Printed }
    Worth { Fixed(value), Range { least, most } }
    Usage { Single, Full(uses), Shared(uses) }
    RedeemBy { Never, Date(date), AfterIssue(period), AfterActivation(period) }
    SpendBy { Never, Date(date), AfterRedemption(period) }
    Mark { Granted, Paid }
    Alphabet { Numeric, Alphabetic, Alphanumeric, Safe, Custom(characters) }
    State { Draft, Active, Suspended, Redeemed, Cancelled }
}

read_choices! {
    Recipient { Contact(id), Profile(profile) }
    Over { Pass(id), Passes(ids), Serials { lot, first, last }, Lot(id), Plan(id) }
    Outcome { Accepted, Confirmed, Failed { why } }
    Rest { Refund, Forfeit, Reissue }
    Expiry { Never, Date(date), At(at) }
    Target { Contact(id), NewContact, Direct }
    Of { Operation(position), Key(key) }
    Part { All, Amount(amount), Lines(lines) }
    Used { No, Partly, Yes }
    PassOrder { Serial, Expiry }
    Presented { Code(code), Hash(hash) }
}

write_choices! {
    PlanState { Draft, Active, Archived, Deleted }
    RunState { Running, Done, Cancelled }
    Home { Pass(pass), Credit(contact, credit), NewCredit(contact, credit, spend_by), Breakage }
    Account {
        Received, Granted, Loss, Outstanding, Credit, Settled, Breakage, Refunded, CashedOut, Unclaimed, Correction,
    }
    Subject { None, Pass(pass), Passes { first, count }, Credit(contact, credit) }
    Unit { Money(currency), Visits, Points }
    Whole { Passes(span), Lot(lot), Plan(plan) }
    Since "Since" {
        Kept { after }, RolledBack { missing, last, since }, Diverged { saw, there, kept },
        Changed { saw, there, kept }, AnotherDatabase, AnotherBusiness(business), Forged,
    }
    Event "Event" {
        BusinessConfigured, PlanChanged { plan, state }, ContactChanged { contact }, LotStarted { lot, plan, count },
        LotGrew { passes }, LotReady { lot, plan, count, print }, RunCancelled { run },
        DeliveryWanted { pass, to, channel }, DeliveryRecorded { pass, failed, activated },
        PassesActivated { passes }, PassesSold { passes, sale, price }, SaleVoided { passes, sale },
        PassRedeemed { pass, contact, amount, credits, left }, PassSpent { pass, amount, left },
        WalletSpent { contact, amount }, Reversed { of, amount }, Suspended { what }, Reactivated { what },
        PassesCancelled { passes }, PassReplaced { old, new }, PassesChanged { passes }, LotExported { lot },
        ExportClosed { lot }, CodeRevealed { pass }, RunStarted { run }, RequestStopped,
    }
}

/// Of an enum whose variants hold nothing, and which lists them.
macro_rules! listed {
    ($( $ty:ident ),+) => { $(
        impl Write for $ty {
            fn write(&self) -> Value {
                snake(&format!("{self:?}")).into()
            }
        }
        impl Read for $ty {
            fn read(value: &Value) -> Result<Self, Fault> {
                let found = Self::ALL.iter().find(|one| one.write() == *value);
                found.copied().map_or_else(|| wrong(stringify!($ty), value), Ok)
            }
        }
    )+ };
}

listed!(Right, Kind);

impl Read for Actor {
    fn read(value: &Value) -> Result<Self, Fault> {
        let object = only(value, &["id", "rights", "places", "largest"])?;
        let (id, rights): (String, Vec<Right>) = (field(object, "id")?, field(object, "rights")?);
        let mut actor = Self::new(&id, Rights::of(&rights))?;
        if let Some(places) = field::<Option<Vec<String>>>(object, "places")? {
            actor = actor.at(&places.iter().map(String::as_str).collect::<Vec<_>>());
        }
        if let Some(largest) = field::<Option<Vec<Money>>>(object, "largest")? {
            actor = actor.up_to(&largest);
        }
        Ok(actor)
    }
}

impl Read for Basket {
    fn read(value: &Value) -> Result<Self, Fault> {
        let object = only(value, &["currency", "lines"])?;
        Ok(Self::new(field(object, "currency")?, field(object, "lines")?)?)
    }
}

impl Read for Position {
    fn read(value: &Value) -> Result<Self, Fault> {
        u64::read(value).map(Self)
    }
}

impl Write for Position {
    fn write(&self) -> Value {
        self.0.into()
    }
}

/// Always with six decimals.
impl Write for Instant {
    fn write(&self) -> Value {
        self.to_utc().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into()
    }
}

impl Read for Instant {
    fn read(value: &Value) -> Result<Self, Fault> {
        let Some(text) = value.as_str() else { return wrong("an instant", value) };
        Ok(Self::parse(text)?)
    }
}

impl Write for Date {
    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Read for Date {
    fn read(value: &Value) -> Result<Self, Fault> {
        let date = value.as_str().and_then(|text| text.parse().ok());
        date.map_or_else(|| wrong("a date", value), Ok)
    }
}

impl Write for Decimal {
    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Read for Decimal {
    fn read(value: &Value) -> Result<Self, Fault> {
        let number = value.as_str().and_then(|text| Self::from_str_exact(text).ok());
        number.map_or_else(|| wrong("a decimal number as text", value), Ok)
    }
}

impl Write for Passcode {
    fn write(&self) -> Value {
        self.reveal().into()
    }
}

impl Read for Passcode {
    fn read(value: &Value) -> Result<Self, Fault> {
        String::read(value).map(Self::new)
    }
}

impl Write for CodeHash {
    fn write(&self) -> Value {
        self.reveal_hex().as_str().into()
    }
}

impl Read for CodeHash {
    fn read(value: &Value) -> Result<Self, Fault> {
        Ok(Self::from_hex(&String::read(value)?)?)
    }
}

//! Types that are other languages' own, or whose inside stays inside.

use super::error::PassesError;
use super::made::{BusinessId, Line, Position, Right};
use crate::convert::{Give, Take, same};
use passes_host::Refusal;
use passes_host::{calendar, conditions, money, operation, service};
use std::collections::HashSet;
use uuid::Uuid;

/// An exact decimal.
pub type ExactDecimal = money::Decimal;

uniffi::custom_type!(
    /// An exact decimal of at most 28 digits.
    ExactDecimal, String, {
    remote,
    lower: |decimal| decimal.to_string(),
    try_lift: |text| ExactDecimal::from_str_exact(&text)
        .map_err(|error| PassesError::from(Refusal::invalid("decimal", error.to_string())).into()),
});

uniffi::custom_type!(Uuid, String, {
    remote,
    lower: |uuid| uuid.hyphenated().to_string(),
    try_lift: |text| Uuid::parse_str(&text)
        .map_err(|error| PassesError::from(Refusal::invalid("id", error.to_string())).into()),
});

/// A day of a calendar.
pub type CivilDate = calendar::Date;

uniffi::custom_type!(
    /// A day of a calendar, without a time or a zone.
    CivilDate, i32, {
    remote,
    lower: |date| date.to_epoch_days(),
    try_lift: |days| CivilDate::from_epoch_days(days)
        .ok_or_else(|| PassesError::from(Refusal::invalid("date", "out of range")).into()),
});

/// A point in time.
pub type Instant = calendar::Instant;

// Not over uniffi's own bridge of points in time, which turns the last second before 1970 round.
uniffi::custom_type!(
    /// A point in time, to the microsecond; what is finer is rounded.
    Instant, i64, {
    remote,
    lower: |at| at.micros(),
    try_lift: |micros| Instant::from_micros(micros).map_err(|refusal| PassesError::from(refusal).into()),
});

/// A passcode. It shows itself only when asked to.
pub type Passcode = passes_host::passcode::Passcode;

uniffi::custom_type!(
    /// A passcode. It shows itself only when asked to.
    Passcode, String, {
    remote,
    lower: |code| code.reveal().to_owned(),
    try_lift: |text| Ok(Passcode::new(text)),
});

/// The hash of a passcode.
pub type CodeHash = passes_host::passcode::CodeHash;

uniffi::custom_type!(
    /// The hash of a passcode, which may be presented in its place: a secret, too. Given as 64 hexadecimal digits.
    CodeHash, String, {
    remote,
    lower: |hash| hash.reveal_hex().to_string(),
    try_lift: |text| CodeHash::from_hex(&text).map_err(|refusal| PassesError::from(refusal).into()),
});

same!(ExactDecimal, CivilDate, Instant, Passcode, CodeHash);

/// Types that are a text in a record of their own, so that none is taken for another.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $(#[$says:meta])* $field:ident } = $core:ty;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, uniffi::Record)]
        pub struct $name {
            $(#[$says])*
            pub $field: String,
        }
        impl Give<$name> for $core {
            fn give(self) -> $name { $name { $field: self.to_string() } }
        }
        impl Take<$core> for $name {
            fn take(self) -> Result<$core, Refusal> { self.$field.parse() }
        }
    )+ };
}

texts! {
    /// A currency.
    Currency {
        /// Its ISO 4217 code, such as `EUR`.
        code
    } = money::Currency;
    /// A length of time in a calendar.
    Period {
        /// Such as `P3Y`, `P1M`, or `P3Y to end of year`.
        text
    } = calendar::Period;
    /// A time of day.
    TimeOfDay {
        /// Hours and minutes, `00:00` to `24:00`.
        text
    } = calendar::TimeOfDay;
    /// A time zone.
    Zone {
        /// Its IANA name, such as `Europe/London`.
        name
    } = calendar::Zone;
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct Money {
    /// How much, with as many decimals as the currency has, at most.
    pub amount: ExactDecimal,
    /// Of what.
    pub currency: Currency,
}

impl Give<Money> for money::Money {
    fn give(self) -> Money {
        Money { amount: self.to_decimal(), currency: self.currency().give() }
    }
}

impl Take<money::Money> for Money {
    fn take(self) -> Result<money::Money, Refusal> {
        money::Money::from_decimal(self.amount, self.currency.take()?)
    }
}

/// What a sale is about to hold, or what is to be paid: lines of one currency.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Basket {
    /// The currency of all lines.
    pub currency: Currency,
    /// The lines, at most 1,000.
    pub lines: Vec<Line>,
}

impl Take<conditions::Basket> for Basket {
    fn take(self) -> Result<conditions::Basket, Refusal> {
        conditions::Basket::new(self.currency.take()?, self.lines.take()?)
    }
}

/// Who acts: a person, a till or a program, and what the host lets them do.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Actor {
    /// Who it is, by the host's own name.
    pub id: String,
    /// What they may do.
    pub rights: HashSet<Right>,
    /// The places at which they may act; none for all.
    #[uniffi(default = None)]
    pub places: Option<Vec<String>>,
    /// The largest amounts that they may move, one for each currency they may move at all; none for any.
    #[uniffi(default)]
    pub largest: Vec<Money>,
}

impl Take<operation::Actor> for Actor {
    fn take(self) -> Result<operation::Actor, Refusal> {
        let rights: Vec<operation::Right> =
            self.rights.into_iter().map(Take::take).collect::<Result<_, Refusal>>()?;
        let mut actor = operation::Actor::new(&self.id, operation::Rights::of(&rights))?;
        if let Some(places) = &self.places {
            actor = actor.at(&places.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let largest: Vec<money::Money> = self.largest.take()?;
        Ok(actor.up_to(&largest))
    }
}

/// How the books of a business stood, signed with a key: kept elsewhere, it tells later whether the database was
/// rolled back or changed. Keep its `text`; `checkpointFromText` reads it again.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Checkpoint {
    /// All of it, as a text to keep.
    pub text: String,
    /// Whose books.
    pub business: BusinessId,
    /// When it was taken.
    pub taken: Instant,
    /// How many operations there were.
    pub operations: i64,
    /// The last of them.
    pub position: Position,
    /// When that was booked.
    pub booked: Instant,
}

impl Give<Checkpoint> for service::Checkpoint {
    fn give(self) -> Checkpoint {
        Checkpoint {
            text: self.to_string(),
            business: self.business().give(),
            taken: self.taken(),
            operations: self.operations().give(),
            position: self.position().give(),
            booked: self.booked(),
        }
    }
}

impl Take<service::Checkpoint> for Checkpoint {
    fn take(self) -> Result<service::Checkpoint, Refusal> {
        self.text.parse()
    }
}

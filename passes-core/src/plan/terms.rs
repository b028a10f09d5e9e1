//! The terms of a plan: what it says about value, validity, usage and conditions. Each pass carries those it
//! was made with.

use crate::business::Settings;
use crate::calendar::{Date, Instant, Period, Windows, Zone, check_date};
use crate::conditions::Conditions;
use crate::fields::{self, Values};
use crate::ledger::Mark;
use crate::limits;
use crate::money::{Currency, Money};
use crate::refusal::Refusal;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of passes a plan makes (P-1).
/// See [`Terms::fixed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    /// A gift card: redeemed into a wallet, or spent directly in parts.
    Gift,
    /// A top-up voucher: redeemed into an existing contact's wallet.
    TopUp,
}

/// Whether passes are printed in lots or issued one by one (P-2).
/// See [`Terms::fixed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Issued to one recipient through a channel.
    Electronic,
    /// Generated in lots for the printing house.
    Printed,
}

/// What a pass is worth (P-3).
/// See [`Terms::range`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Worth {
    /// Always this.
    Fixed(Money),
    /// Between these, both included; set when an electronic pass is issued, or a printed one sold.
    Range {
        /// The least.
        least: Money,
        /// The most.
        most: Money,
    },
}

/// By hand, so that a wrong amount is told: serde would say that no variant fits.
impl<'de> Deserialize<'de> for Worth {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Range {
            least: Money,
            most: Money,
        }
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Worth;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as \"25.00 EUR\", or { least = …, most = … }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Worth, E> {
                Money::deserialize(text.into_deserializer()).map(Worth::Fixed)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Worth, A::Error> {
                let Range { least, most } = Range::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Worth::Range { least, most })
            }
        }
        from.deserialize_any(Form)
    }
}

/// How often a pass can be used (P-5).
///
/// ```
/// use passes_core::plan::Usage;
/// # let value = passes_core::money::Money::parse("9", passes_core::money::Currency::GBP)?;
/// assert_eq!((Usage::Single.uses(), Usage::Full(3).uses(), Usage::Shared(3).uses()), (1, 3, 3));
/// assert_eq!(Usage::Full(3).total(value)?.to_string(), "27.00 GBP");
/// assert_eq!(Usage::Shared(3).total(value)?.to_string(), "9.00 GBP");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// Once.
    Single,
    /// Up to so many times, and each use credits the full value.
    Full(u32),
    /// Up to so many times, and the uses share the value in equal parts.
    Shared(u32),
}

impl Usage {
    /// The largest number of uses.
    /// See [`Usage`].
    #[must_use]
    pub fn uses(self) -> u32 {
        match self {
            Self::Single => 1,
            Self::Full(n) | Self::Shared(n) => n,
        }
    }

    /// All that a pass of this value gives.
    /// See [`Usage`].
    ///
    /// # Errors
    /// `BAD_AMOUNT` or `OVERFLOW` beyond the range of money.
    pub fn total(self, value: Money) -> Result<Money, Refusal> {
        match self {
            Self::Full(n) => value.times(n),
            Self::Single | Self::Shared(_) => Ok(value),
        }
    }
}

/// Until when a pass can be redeemed (P-4).
/// See [`RedeemBy::resolve`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedeemBy {
    /// For ever.
    #[default]
    Never,
    /// To the end of this date.
    Date(Date),
    /// For a period after it was issued: after its lot was generated.
    AfterIssue(Period),
    /// For a period after it was activated.
    AfterActivation(Period),
}

impl RedeemBy {
    /// The moment from which it can't be redeemed any more; nothing while not known, or never.
    ///
    /// # Errors
    /// `INVALID` for a date beyond the calendar.
    ///
    /// ```
    /// use passes_core::calendar::{Instant, Zone};
    /// use passes_core::plan::RedeemBy;
    /// let (issued, zone) = (Instant::parse("2026-05-01T12:00:00Z")?, Zone::parse("Europe/London")?);
    /// let year = RedeemBy::AfterActivation("P1Y".parse()?);
    /// assert_eq!(year.resolve(issued, None, zone)?, None); // Not known yet.
    /// let ends = year.resolve(issued, Some(issued), zone)?.unwrap();
    /// assert_eq!(ends.to_string(), "2027-05-01T23:00:00Z");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn resolve(
        self,
        issued: Instant,
        activated: Option<Instant>,
        zone: Zone,
    ) -> Result<Option<Instant>, Refusal> {
        Ok(match (self, activated) {
            (Self::Never, _) | (Self::AfterActivation(_), None) => None,
            (Self::Date(date), _) => Some(zone.end_of(date)),
            (Self::AfterIssue(period), _) => Some(period.ends(issued, zone)?),
            (Self::AfterActivation(period), Some(at)) => Some(period.ends(at, zone)?),
        })
    }
}

/// Until when the credited money can be spent (P-4).
/// See [`SpendBy::resolve`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendBy {
    /// For ever.
    #[default]
    Never,
    /// To the end of this date.
    Date(Date),
    /// For a period after the redemption.
    AfterRedemption(Period),
}

impl SpendBy {
    /// The moment from which it can't be spent any more, of money credited at `redeemed`.
    ///
    /// # Errors
    /// `INVALID` for a date beyond the calendar.
    ///
    /// ```
    /// use passes_core::calendar::{Instant, Zone};
    /// use passes_core::plan::SpendBy;
    /// let redeemed = Instant::parse("2026-05-01T12:00:00Z")?;
    /// let ends = SpendBy::AfterRedemption("P30D".parse()?).resolve(redeemed, Zone::UTC)?;
    /// assert_eq!(ends.unwrap().to_string(), "2026-06-01T00:00:00Z");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn resolve(self, redeemed: Instant, zone: Zone) -> Result<Option<Instant>, Refusal> {
        Ok(match self {
            Self::Never => None,
            Self::Date(date) => Some(zone.end_of(date)),
            Self::AfterRedemption(period) => Some(period.ends(redeemed, zone)?),
        })
    }
}

/// The terms of a plan.
///
/// ```
/// use passes_core::money::{Currency, Money};
/// use passes_core::plan::{Classification, Form, RedeemBy, Terms, Usage};
/// let ten = Money::parse("10", Currency::GBP)?;
/// let terms = Terms {
///     usage: Usage::Full(5),
///     redeem_by: RedeemBy::AfterIssue("P2Y to end of year".parse()?),
///     ..Terms::fixed(Classification::TopUp, Form::Printed, ten)
/// };
/// assert_eq!(terms.usage.total(ten)?.to_string(), "50.00 GBP");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The kind of passes.
    pub classification: Classification,
    /// Printed or electronic.
    pub form: Form,
    /// The currency.
    pub currency: Currency,
    /// The value of a pass.
    pub value: Worth,
    /// How often it can be used.
    #[serde(default = "single")]
    pub usage: Usage,
    /// Until when it can be redeemed.
    #[serde(default)]
    pub redeem_by: RedeemBy,
    /// Until when its money can be spent.
    #[serde(default)]
    pub spend_by: SpendBy,
    /// A start date, opening hours and blackout dates for redeeming.
    #[serde(default)]
    pub windows: Windows,
    /// Where its money may be spent.
    #[serde(default)]
    pub conditions: Conditions,
    /// The commerce pool whose pocket it credits; none is the business pocket (P-9).
    #[serde(default)]
    pub pool: Option<String>,
    /// Whether only the contact it was issued to may redeem it.
    #[serde(default)]
    pub personal: bool,
    /// What its value is when a pass becomes active without a sale (W-1).
    #[serde(default = "granted")]
    pub unsold: Mark,
    /// Custom fields, inherited by its passes (P-13).
    #[serde(default)]
    pub fields: Values,
}

fn single() -> Usage {
    Usage::Single
}

fn granted() -> Mark {
    Mark::Granted
}

impl Terms {
    /// Terms of single-use passes of a fixed value, valid for ever, spent anywhere.
    ///
    /// ```
    /// use passes_core::money::{Currency, Money};
    /// use passes_core::plan::{Classification, Form, Terms};
    /// let fifty = Money::parse("50", Currency::parse("EUR")?)?;
    /// let terms = Terms::fixed(Classification::Gift, Form::Printed, fifty);
    /// assert_eq!(terms.currency.code(), "EUR");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn fixed(classification: Classification, form: Form, value: Money) -> Self {
        Self {
            classification,
            form,
            currency: value.currency(),
            value: Worth::Fixed(value),
            usage: Usage::Single,
            redeem_by: RedeemBy::Never,
            spend_by: SpendBy::Never,
            windows: Windows::default(),
            conditions: Conditions::default(),
            pool: None,
            personal: false,
            unsold: Mark::Granted,
            fields: Values::new(),
        }
    }

    /// Checks the terms against the business's settings. The refusal's field is the path in a plan file.
    ///
    /// # Errors
    /// `UNKNOWN_CURRENCY`, `MIXED_CURRENCIES`, `INVALID`, `TOO_LARGE`, `BAD_AMOUNT`, `BAD_FIELD`.
    ///
    /// ```
    /// use passes_core::plan::{Classification, Form, Terms};
    /// # let settings = passes_core::business::Settings::new("Shop", "Europe/London", &["GBP"], "en-GB")?;
    /// # let value = passes_core::money::Money::parse("25", passes_core::money::Currency::GBP)?;
    /// # let terms = Terms::fixed(Classification::Gift, Form::Printed, value);
    /// terms.validate(&settings)?;
    /// let toys = Terms { pool: Some("toys".into()), ..terms };
    /// assert_eq!(toys.validate(&settings).unwrap_err().code(), "INVALID");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn validate(&self, settings: &Settings) -> Result<(), Refusal> {
        if !settings.currencies.contains(&self.currency) {
            return Err(Refusal::UnknownCurrency { currency: self.currency.to_string() });
        }
        let (least, most) = self.range();
        for amount in [Some(least), Some(most), self.conditions.minimum].into_iter().flatten() {
            amount.same_currency(Money::zero(self.currency))?;
        }
        if least.minor() < 1 {
            return Err(Refusal::invalid("terms.value", "must be above zero"));
        }
        if most.minor() < least.minor() {
            return Err(Refusal::invalid("terms.value", "the range is turned round"));
        }
        if !(1..=limits::USES).contains(&self.usage.uses()) {
            return Err(Refusal::invalid("terms.usage", format!("1 to {} uses", limits::USES)));
        }
        self.usage.total(most)?;
        if let Usage::Shared(n) = self.usage
            && least.minor() < i64::from(n)
        {
            return Err(Refusal::invalid(
                "terms.usage",
                "the value is too small to be shared by so many uses",
            ));
        }
        if let RedeemBy::Date(date) = self.redeem_by {
            check_date("terms.redeem_by", date)?;
        }
        if let SpendBy::Date(date) = self.spend_by {
            check_date("terms.spend_by", date)?;
        }
        self.windows.validate()?;
        self.conditions.validate()?;
        if let Some(pool) = &self.pool
            && settings.pool(pool).is_none()
        {
            return Err(Refusal::invalid("terms.pool", format!("the business has no commerce pool {pool}")));
        }
        fields::check(&settings.pass_fields, &self.fields, true)
    }

    /// The least and the most that a pass can be worth.
    ///
    /// ```
    /// use passes_core::plan::{Classification, Form, Terms, Worth};
    /// # let value = passes_core::money::Money::parse("25", passes_core::money::Currency::GBP)?;
    /// # let terms = Terms::fixed(Classification::Gift, Form::Printed, value);
    /// let most = value.times(4)?;
    /// let open = Terms { value: Worth::Range { least: value, most }, ..terms.clone() };
    /// assert_eq!((terms.range(), open.range()), ((value, value), (value, most)));
    /// assert_eq!((terms.fixed_value(), open.fixed_value()), (Some(value), None));
    /// assert_eq!(open.check_value(most.plus(value)?).unwrap_err().code(), "VALUE_OUT_OF_RANGE");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn range(&self) -> (Money, Money) {
        match self.value {
            Worth::Fixed(value) => (value, value),
            Worth::Range { least, most } => (least, most),
        }
    }

    /// The value, if it is always the same.
    /// See [`Terms::range`].
    #[must_use]
    pub fn fixed_value(&self) -> Option<Money> {
        match self.value {
            Worth::Fixed(value) => Some(value),
            Worth::Range { .. } => None,
        }
    }

    /// Checks a value that is set for one pass.
    /// See [`Terms::range`].
    ///
    /// # Errors
    /// `MIXED_CURRENCIES`, `VALUE_OUT_OF_RANGE`.
    pub fn check_value(&self, value: Money) -> Result<(), Refusal> {
        let (least, most) = self.range();
        value.same_currency(least)?;
        if (least.minor()..=most.minor()).contains(&value.minor()) {
            Ok(())
        } else {
            Err(Refusal::ValueOutOfRange { value, least, most })
        }
    }
}

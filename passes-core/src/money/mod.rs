//! Money: an exact amount in one currency, percentages, and how a discount is shared out (B-3).
//!
//! An amount is an integer of the currency's minor unit (cents of EUR, whole JPY, fils of BHD). Decimals exist
//! only at the edges, as text or [`rust_decimal::Decimal`]; floats nowhere. No operation mixes currencies.

mod currency;
mod percent;
mod share;

pub use currency::Currency;
pub use percent::Percent;
pub use rust_decimal::Decimal;
pub use share::{MAX_LINES, apportion, discount};

use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The largest amount, in minor units, above and below zero: 10^15, which is ten thousand billion euros.
///
/// Some nine thousand such amounts still add up within an `i64`.
/// See [`Money::from_minor`].
pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

/// The longest text of a decimal that is looked at, in bytes.
/// A longer one is refused with `INVALID`; see [`Money::parse`].
pub const MAX_DECIMAL_TEXT: usize = 40;

/// An amount of money in one currency, exact, above, at or below zero.
///
/// At most [`MAX_MINOR`] minor units either way. Text and serde form: `12.50 EUR`, `1200 JPY`, always with all
/// decimals of the currency.
///
/// ```
/// use passes_core::money::{Currency, Money};
/// let price = Money::parse("12.5", Currency::EUR)?;
/// assert_eq!(price.minor(), 1250);
/// assert_eq!(price.times(3)?.to_string(), "37.50 EUR");
/// assert_eq!(Money::parse("0.001", Currency::EUR).unwrap_err().code(), "TOO_MANY_DECIMALS");
/// let yen = Money::from_minor(1200, Currency::JPY)?;
/// assert_eq!(price.plus(yen).unwrap_err().code(), "MIXED_CURRENCIES");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// Nothing, in this currency.
    /// See [`Money::is_zero`].
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// So many minor units, of a sum whose parts were checked.
    pub(crate) const fn of(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// So many minor units.
    ///
    /// # Errors
    /// `BAD_AMOUNT` beyond [`MAX_MINOR`].
    ///
    /// ```
    /// use passes_core::money::{Currency, MAX_MINOR, Money};
    /// assert_eq!(Money::from_minor(1_250, Currency::GBP)?.to_string(), "12.50 GBP");
    /// assert_eq!(Money::from_minor(MAX_MINOR + 1, Currency::GBP).unwrap_err().code(), "BAD_AMOUNT");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn from_minor(minor: i64, currency: Currency) -> Result<Self, Refusal> {
        if (-MAX_MINOR..=MAX_MINOR).contains(&minor) {
            Ok(Self { minor, currency })
        } else {
            Err(too_large())
        }
    }

    /// Reads an amount such as `12.50`, `-3` or `1200`: digits, and a point with more digits if wanted; no
    /// grouping, no exponent, no plus sign. At most 40 bytes.
    ///
    /// # Errors
    /// `INVALID` for any other text, `TOO_MANY_DECIMALS` for digits that the currency has no unit for (zeros at
    /// the end are fine), `BAD_AMOUNT` beyond [`MAX_MINOR`].
    ///
    /// ```
    /// use passes_core::money::{Currency, Money};
    /// assert_eq!(Money::parse("-3", Currency::JPY)?.minor(), -3);
    /// assert_eq!(Money::parse("1,000", Currency::GBP).unwrap_err().code(), "INVALID");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn parse(text: &str, currency: Currency) -> Result<Self, Refusal> {
        Self::from_decimal(parse_decimal("amount", text)?, currency)
    }

    /// The amount of a decimal in major units (12.5 is 12.50 EUR).
    ///
    /// # Errors
    /// `TOO_MANY_DECIMALS` for digits that the currency has no unit for (zeros at the end are fine),
    /// `BAD_AMOUNT` beyond [`MAX_MINOR`].
    ///
    /// ```
    /// use passes_core::money::{Currency, Money};
    /// let price = Money::from_decimal("12.5".parse().unwrap(), Currency::BHD)?;
    /// assert_eq!((price.minor(), price.to_decimal().to_string().as_str()), (12_500, "12.500"));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn from_decimal(amount: Decimal, currency: Currency) -> Result<Self, Refusal> {
        if amount.abs() > Decimal::from(MAX_MINOR) {
            return Err(too_large());
        }
        let decimals = currency.decimals();
        let amount = amount.normalize();
        let Some(missing) = decimals.checked_sub(amount.scale()) else {
            return Err(Refusal::TooManyDecimals { amount: amount.to_string(), currency, decimals });
        };
        let minor = amount.mantissa().checked_mul(10_i128.pow(missing));
        let minor = minor.and_then(|minor| i64::try_from(minor).ok()).ok_or_else(too_large)?;
        Self::from_minor(minor, currency)
    }

    /// The amount in major units, with all decimals of the currency.
    /// See [`Money::from_decimal`].
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.decimals())
    }

    /// The amount in minor units.
    /// See [`Money`].
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    /// See [`Money::is_zero`].
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// `MIXED_CURRENCIES`; `OVERFLOW` beyond [`MAX_MINOR`].
    ///
    /// ```
    /// use passes_core::money::{Currency, Money};
    /// let (ten, three) = (Money::parse("10", Currency::GBP)?, Money::parse("3", Currency::GBP)?);
    /// assert_eq!(ten.plus(three)?.to_string(), "13.00 GBP");
    /// assert_eq!(three.minus(ten)?.to_string(), "-7.00 GBP");
    /// assert!(ten.compare(three)?.is_gt());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn plus(self, other: Self) -> Result<Self, Refusal> {
        self.same_currency(other)?;
        self.checked(self.minor.checked_add(other.minor))
    }

    /// The difference, which may be below zero.
    /// See [`Money::plus`].
    ///
    /// # Errors
    /// `MIXED_CURRENCIES`; `OVERFLOW` beyond [`MAX_MINOR`].
    pub fn minus(self, other: Self) -> Result<Self, Refusal> {
        self.same_currency(other)?;
        self.checked(self.minor.checked_sub(other.minor))
    }

    /// So many times the amount.
    /// See [`Money`].
    ///
    /// # Errors
    /// `OVERFLOW` beyond [`MAX_MINOR`].
    pub fn times(self, n: u32) -> Result<Self, Refusal> {
        self.checked(self.minor.checked_mul(i64::from(n)))
    }

    /// Which of the two is more. There is no `<` on money: two currencies have no order.
    /// See [`Money::plus`].
    ///
    /// # Errors
    /// `MIXED_CURRENCIES`.
    pub fn compare(self, other: Self) -> Result<Ordering, Refusal> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// Whether it is nothing.
    ///
    /// ```
    /// use passes_core::money::{Currency, Money};
    /// let nothing = Money::zero(Currency::GBP);
    /// assert!(nothing.is_zero() && !nothing.is_positive() && !nothing.is_negative());
    /// assert_eq!(nothing.currency(), Currency::GBP);
    /// ```
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is above zero.
    /// See [`Money::is_zero`].
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether it is below zero.
    /// See [`Money::is_zero`].
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Checks that the other amount is of the same currency.
    ///
    /// # Errors
    /// `MIXED_CURRENCIES`.
    ///
    /// ```
    /// use passes_core::money::{Currency, Money};
    /// let (pounds, yen) = (Money::zero(Currency::GBP), Money::zero(Currency::JPY));
    /// assert_eq!(pounds.same_currency(yen).unwrap_err().to_string(), "GBP and JPY can't be mixed");
    /// ```
    pub fn same_currency(self, other: Self) -> Result<(), Refusal> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(Refusal::MixedCurrencies { left: self.currency, right: other.currency })
        }
    }

    /// The result of an operation, unless it went beyond the largest amount.
    fn checked(self, minor: Option<i64>) -> Result<Self, Refusal> {
        let minor =
            minor.filter(|minor| (-MAX_MINOR..=MAX_MINOR).contains(minor)).ok_or(Refusal::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

/// Too many digits for an amount. They are not told: a till that scans a card into the amount field must not
/// find its code in an error.
fn too_large() -> Refusal {
    Refusal::BadAmount {
        amount: "given".into(),
        why: "amounts go up to 1,000,000,000,000,000 minor units of their currency".into(),
    }
}

/// Reads a decimal: an optional minus, digits, and a point with more digits if wanted. At most 40 bytes.
///
/// `field` names the input in the refusal; the text itself is not repeated there.
///
/// # Errors
/// `INVALID` for any other text, and for more digits than a [`Decimal`] holds (28).
pub(crate) fn parse_decimal(field: &str, text: &str) -> Result<Decimal, Refusal> {
    let refusal = || Refusal::invalid(field, "not a decimal number such as 12.50");
    if text.len() > MAX_DECIMAL_TEXT {
        return Err(refusal());
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    if !digits(whole) || !digits(fraction) {
        return Err(refusal());
    }
    Decimal::from_str_exact(text).map_err(|_| refusal())
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Money {
    type Err = Refusal;

    /// Reads `12.50 EUR`: an amount, one space, the currency.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let (amount, currency) = text
            .split_once(' ')
            .ok_or_else(|| Refusal::invalid("amount", "not an amount with its currency such as 12.50 EUR"))?;
        Self::parse(amount, Currency::parse(currency)?)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // For people the text; in stored bytes the numbers, which are shorter and quicker.
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.minor, self.currency.numeric()).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return text.parse().map_err(|refusal: Refusal| de::Error::custom(refusal.in_file()));
        }
        let (minor, numeric) = <(i64, u16)>::deserialize(deserializer)?;
        let currency = Currency::from_numeric(numeric).map_err(de::Error::custom)?;
        Self::from_minor(minor, currency).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur(text: &str) -> Result<Money, Refusal> {
        Money::parse(text, Currency::EUR)
    }

    /// B-3: an amount has no more decimals than its currency; zeros at the end are none.
    #[test]
    fn decimals_follow_the_currency() {
        assert_eq!(eur("12.50").unwrap().minor(), 1250);
        assert_eq!(eur("12.5").unwrap(), eur("12.500000").unwrap());
        assert_eq!(eur("-0.01").unwrap().minor(), -1);
        assert_eq!(eur("-0").unwrap(), Money::zero(Currency::EUR));
        assert_eq!(Money::parse("1200.0", Currency::JPY).unwrap().minor(), 1200);
        assert_eq!(Money::parse("0.125", Currency::BHD).unwrap().minor(), 125);
        let refusal = eur("12.505").unwrap_err();
        let expected =
            Refusal::TooManyDecimals { amount: "12.505".into(), currency: Currency::EUR, decimals: 2 };
        assert_eq!(refusal, expected);
        assert_eq!(Money::parse("0.1", Currency::JPY).unwrap_err().code(), "TOO_MANY_DECIMALS");
        assert_eq!(Money::parse("0.0001", Currency::BHD).unwrap_err().code(), "TOO_MANY_DECIMALS");
    }

    /// Z-1, Z-3: text that is no plain decimal is refused and not repeated.
    #[test]
    fn odd_text_is_refused() {
        let long = "0".repeat(41);
        for bad in [
            "", "-", ".", "5.", ".5", "+1", "1e3", "1,5", "1 000", "1_000", "--1", "1.2.3", "٣", "NaN", " 1",
            &long,
        ] {
            assert_eq!(eur(bad).unwrap_err().code(), "INVALID", "{bad}");
        }
        let refusal = eur("4929123456781234567").unwrap_err();
        assert_eq!(refusal.code(), "BAD_AMOUNT");
        assert!(!format!("{refusal:?} {refusal}").contains("4929"));
        assert_eq!(eur("123456789012345678901234567890123456").unwrap_err().code(), "INVALID");
    }

    /// B-3, Z-3: the largest amount is 10^15 minor units, and arithmetic beyond it is refused.
    #[test]
    fn the_largest_amount_is_kept() {
        let most = Money::from_minor(MAX_MINOR, Currency::EUR).unwrap();
        assert_eq!(most.to_string(), "10000000000000.00 EUR");
        assert_eq!(eur("10000000000000.00").unwrap(), most);
        assert_eq!(eur("10000000000000.01").unwrap_err().code(), "BAD_AMOUNT");
        assert_eq!(Money::parse("1000000000000001", Currency::JPY).unwrap_err().code(), "BAD_AMOUNT");
        for minor in [MAX_MINOR + 1, -MAX_MINOR - 1, i64::MAX, i64::MIN] {
            assert_eq!(Money::from_minor(minor, Currency::EUR).unwrap_err().code(), "BAD_AMOUNT");
        }
        let cent = eur("0.01").unwrap();
        assert_eq!(most.plus(cent), Err(Refusal::Overflow));
        assert_eq!(Money::zero(Currency::EUR).minus(most).unwrap().minus(cent), Err(Refusal::Overflow));
        assert_eq!(most.times(2), Err(Refusal::Overflow));
        assert_eq!(most.times(u32::MAX), Err(Refusal::Overflow));
    }

    /// B-3: no operation mixes currencies.
    #[test]
    fn currencies_never_mix() {
        let (euro, yen) = (eur("1").unwrap(), Money::from_minor(1, Currency::JPY).unwrap());
        let mixed = Refusal::MixedCurrencies { left: Currency::EUR, right: Currency::JPY };
        assert_eq!(euro.plus(yen), Err(mixed.clone()));
        assert_eq!(euro.minus(yen), Err(mixed.clone()));
        assert_eq!(euro.compare(yen), Err(mixed));
        assert_ne!(Money::zero(Currency::EUR), Money::zero(Currency::JPY));
        assert_eq!(euro.compare(eur("0.99").unwrap()), Ok(Ordering::Greater));
    }

    /// B-3, Z-2: money is stored as text, never as a float.
    #[test]
    fn serde_is_text() {
        for (text, money) in [
            ("\"12.50 EUR\"", eur("12.5").unwrap()),
            ("\"1200 JPY\"", Money::from_minor(1200, Currency::JPY).unwrap()),
            ("\"-0.005 BHD\"", Money::from_minor(-5, Currency::BHD).unwrap()),
        ] {
            assert_eq!(serde_json::to_string(&money).unwrap(), text);
            assert_eq!(serde_json::from_str::<Money>(text).unwrap(), money);
        }
        for bad in ["12.5", "\"12.50\"", "\"12.50EUR\"", "\"12.50  EUR\"", "\"EUR 12.50\"", "\"1.005 EUR\""] {
            assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// B-3: decimal, text and minor units tell the same amount.
        #[test]
        fn the_forms_agree(minor in -MAX_MINOR..=MAX_MINOR, which in 0..5_usize) {
            let currency =
                [Currency::EUR, Currency::JPY, Currency::BHD, Currency::USD, Currency::parse("CLF").unwrap()][which];
            let money = Money::from_minor(minor, currency).unwrap();
            prop_assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
            prop_assert_eq!(Money::from_decimal(money.to_decimal(), currency).unwrap(), money);
            let bytes = postcard::to_allocvec(&money).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Money>(&bytes).unwrap(), money);
        }

        /// Z-1: whatever the text, reading it ends with an amount or a refusal.
        #[test]
        fn any_text_has_an_answer(text in "\\PC{0,50}|-?[0-9.]{0,45}( [A-Za-z]{0,4})?") {
            let _ = text.parse::<Money>();
            let _ = eur(&text);
        }
    }
}

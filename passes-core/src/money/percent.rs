//! A percentage, exact.

use super::{Decimal, parse_decimal};
use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A percentage from 0 to 100 with up to [`Percent::DECIMALS`] decimals.
///
/// Text and serde form: `12.5`, without sign and without zeros at the end.
///
/// ```
/// use passes_core::money::Percent;
/// let percent = Percent::parse("12.50")?;
/// assert_eq!(percent.to_string(), "12.5");
/// assert_eq!(percent.of(1004), 126); // 125.5, half away from zero
/// assert!(Percent::parse("100.1").is_err());
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    /// Millionths of a percent: 0 to 100,000,000.
    millionths: u32,
}

impl Percent {
    /// Nothing.
    /// See [`Percent::is_zero`].
    pub const ZERO: Self = Self { millionths: 0 };
    /// The whole.
    /// See [`Percent::is_zero`].
    pub const ALL: Self = Self { millionths: 100_000_000 };
    /// How many decimals a percentage may have.
    /// See [`Percent::parse`].
    pub const DECIMALS: u32 = 6;

    /// Reads a percentage such as `12.5`, at most 40 bytes.
    ///
    /// # Errors
    /// `INVALID` for any other text, below 0, above 100, or with more than six decimals (zeros at the end are
    /// fine).
    ///
    /// ```
    /// use passes_core::money::Percent;
    /// assert!(Percent::parse("0.000001").is_ok() && Percent::parse("0.0000001").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::from_decimal(parse_decimal("percent", text)?)
    }

    /// The percentage of a decimal (12.5 is 12.5 %).
    ///
    /// # Errors
    /// `INVALID` below 0, above 100, or with more than six decimals (zeros at the end are fine).
    ///
    /// ```
    /// use passes_core::money::Percent;
    /// assert_eq!(Percent::from_decimal("12.50".parse().unwrap())?.to_decimal().to_string(), "12.5");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn from_decimal(percent: Decimal) -> Result<Self, Refusal> {
        if percent < Decimal::ZERO || percent > Decimal::ONE_HUNDRED {
            return Err(Refusal::invalid("percent", "a percentage is between 0 and 100"));
        }
        let percent = percent.normalize();
        Self::DECIMALS
            .checked_sub(percent.scale())
            .and_then(|missing| percent.mantissa().checked_mul(10_i128.pow(missing)))
            .and_then(|millionths| u32::try_from(millionths).ok())
            .map(|millionths| Self { millionths })
            .ok_or_else(|| Refusal::invalid("percent", "a percentage has at most 6 decimals"))
    }

    /// The percentage as a decimal, without zeros at the end.
    /// See [`Percent::from_decimal`].
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(i64::from(self.millionths), Self::DECIMALS).normalize()
    }

    /// Whether it is nothing.
    ///
    /// ```
    /// use passes_core::money::Percent;
    /// assert!(Percent::ZERO.is_zero() && !Percent::ALL.is_zero());
    /// assert_eq!((Percent::ZERO.of(999), Percent::ALL.of(999)), (0, 999));
    /// ```
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.millionths == 0
    }

    /// This percentage of an amount in minor units, rounded once, half away from zero. Never farther from zero
    /// than the amount.
    /// See [`Percent`].
    #[must_use]
    pub fn of(self, minor: i64) -> i64 {
        let whole = i128::from(Self::ALL.millionths);
        let doubled = i128::from(minor) * i128::from(self.millionths) * 2;
        // Division cuts towards zero, so half of the divisor goes on top, away from zero.
        let rounded = (doubled + whole * doubled.signum()) / (whole * 2);
        // At most the amount itself, so it fits.
        i64::try_from(rounded).unwrap_or(minor)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_decimal(), f)
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} %")
    }
}

impl FromStr for Percent {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::parse(text)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|refusal| de::Error::custom(refusal.in_file()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::RoundingStrategy;

    /// B-3: a percentage is exact and within 0 and 100.
    #[test]
    fn the_range_is_kept() {
        for (text, shown) in [
            ("0", "0"),
            ("100", "100"),
            ("100.000", "100"),
            ("0.000001", "0.000001"),
            ("33.333333", "33.333333"),
            ("10", "10"),
            ("7.2500000000", "7.25"),
            ("-0", "0"),
        ] {
            let percent = Percent::parse(text).unwrap();
            assert_eq!(percent.to_string(), shown);
            assert_eq!(serde_json::to_string(&percent).unwrap(), format!("\"{shown}\""));
            assert_eq!(serde_json::from_str::<Percent>(&format!("\"{text}\"")).unwrap(), percent);
        }
        for bad in ["", "-1", "100.000001", "101", "0.0000001", "10%", "10 %", "1e1", "a"] {
            assert_eq!(Percent::parse(bad).unwrap_err().code(), "INVALID", "{bad}");
        }
        assert_eq!(Percent::parse("100").unwrap(), Percent::ALL);
        assert!(Percent::parse("0").unwrap().is_zero());
    }

    /// B-3: rounding goes half away from zero, on both sides of it.
    #[test]
    fn halves_go_away_from_zero() {
        let half = Percent::parse("50").unwrap();
        assert_eq!([-3, -1, 0, 1, 3].map(|minor| half.of(minor)), [-2, -1, 0, 1, 2]);
        assert_eq!(Percent::parse("49.999999").unwrap().of(1), 0);
        assert_eq!(Percent::ALL.of(i64::MIN), i64::MIN);
        assert_eq!(Percent::ALL.of(i64::MAX), i64::MAX);
        assert_eq!(Percent::ZERO.of(i64::MAX), 0);
    }

    proptest! {
        /// B-3: the same as decimal arithmetic with rounding half away from zero.
        #[test]
        fn it_agrees_with_decimals(minor in -1_000_000_000_000_000..=1_000_000_000_000_000_i64,
                                   millionths in 0..=100_000_000_u32) {
            let percent = Percent { millionths };
            let exact = Decimal::from(minor) * Decimal::new(i64::from(millionths), 8);
            let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
            prop_assert_eq!(Decimal::from(percent.of(minor)), rounded);
            prop_assert_eq!(Percent::from_decimal(percent.to_decimal()).unwrap(), percent);
        }
    }
}

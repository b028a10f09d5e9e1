//! The currencies of ISO 4217.

use crate::refusal::Refusal;
use iso_currency::IntoEnumIterator;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A currency of ISO 4217 that has a minor unit, so that an amount of it can be counted.
///
/// Ordered by code; text and serde form: `EUR`. Currencies that were replaced (`HRK`) stay known: old books hold
/// them. Metals, bond units and the codes for tests and for no currency (`XAU`, `XBA`, `XTS`, `XXX`) are refused.
///
/// ```
/// use passes_core::money::Currency;
/// let euro = Currency::parse("EUR")?;
/// assert_eq!((euro.code(), euro.numeric(), euro.decimals()), ("EUR", 978, 2));
/// assert_eq!(Currency::parse("XAU").unwrap_err().code(), "UNKNOWN_CURRENCY");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Euro, two decimals.
    /// See [`Currency`].
    pub const EUR: Self = Self(iso_currency::Currency::EUR);
    /// United States dollar, two decimals.
    /// See [`Currency`].
    pub const USD: Self = Self(iso_currency::Currency::USD);
    /// Pound sterling, two decimals.
    /// See [`Currency`].
    pub const GBP: Self = Self(iso_currency::Currency::GBP);
    /// Yen, no decimals.
    /// See [`Currency`].
    pub const JPY: Self = Self(iso_currency::Currency::JPY);
    /// Bahraini dinar, three decimals.
    /// See [`Currency`].
    pub const BHD: Self = Self(iso_currency::Currency::BHD);

    /// Reads a code of three ASCII letters, in capitals or not.
    ///
    /// # Errors
    /// `UNKNOWN_CURRENCY` for any other text, and for codes without a minor unit.
    ///
    /// ```
    /// use passes_core::money::Currency;
    /// assert_eq!(Currency::parse("gbp")?, Currency::GBP);
    /// assert!(Currency::parse("pounds").is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() != 3 || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
            // Not repeated: who knows what was put in this field.
            return Err(Refusal::UnknownCurrency { currency: "the text given".into() });
        }
        let code = text.to_ascii_uppercase();
        iso_currency::Currency::from_code(&code)
            .and_then(Self::countable)
            .ok_or(Refusal::UnknownCurrency { currency: code })
    }

    /// The currency with this number in ISO 4217, such as 978.
    ///
    /// # Errors
    /// `UNKNOWN_CURRENCY` if there is none, or none with a minor unit.
    ///
    /// ```
    /// use passes_core::money::Currency;
    /// assert_eq!(Currency::from_numeric(392)?, Currency::JPY);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn from_numeric(numeric: u16) -> Result<Self, Refusal> {
        iso_currency::Currency::from_numeric(numeric)
            .and_then(Self::countable)
            .ok_or_else(|| Refusal::UnknownCurrency { currency: format!("{numeric:03}") })
    }

    /// Every currency that can be used, by code.
    ///
    /// ```
    /// use passes_core::money::Currency;
    /// assert!(Currency::all().is_sorted() && Currency::all().contains(&Currency::BHD));
    /// ```
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = iso_currency::Currency::iter().filter_map(Self::countable).collect();
        all.sort();
        all
    }

    /// The code of three capitals.
    /// See [`Currency`].
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The number in ISO 4217.
    /// See [`Currency`].
    #[must_use]
    pub fn numeric(self) -> u16 {
        self.0.numeric()
    }

    /// How many decimals the minor unit has: 0 to 4.
    /// See [`Currency`].
    #[must_use]
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    fn countable(currency: iso_currency::Currency) -> Option<Self> {
        currency.exponent().map(|_| Self(currency))
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    // By code, not by place in the crate's table, which changes as currencies come and go.
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::parse(text)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|refusal| de::Error::custom(refusal.in_file()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-1, B-3: currencies are those of ISO 4217, with its decimals.
    #[test]
    fn decimals_are_those_of_iso_4217() {
        let none = [
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
        ];
        let francs = ["XAF", "XOF", "XPF"];
        let three = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
        for currency in Currency::all() {
            let code = currency.code();
            let expected = match code {
                _ if none.contains(&code) || francs.contains(&code) => 0,
                _ if three.contains(&code) => 3,
                "CLF" | "UYW" => 4,
                _ => 2,
            };
            assert_eq!(currency.decimals(), expected, "{code}");
            assert_eq!(Currency::parse(code).unwrap(), currency);
            assert_eq!(Currency::from_numeric(currency.numeric()).unwrap(), currency);
            assert_eq!(serde_json::to_string(&currency).unwrap(), format!("\"{code}\""));
            assert_eq!(format!("{currency}{currency:?}"), format!("{code}{code}"));
        }
        assert!(Currency::all().len() > 160);
        assert!(Currency::all().windows(2).all(|pair| pair[0] < pair[1] && pair[0].code() < pair[1].code()));
    }

    /// B-3, Z-1: what is no currency, or has no minor unit, is refused; odd text is not repeated.
    #[test]
    fn others_are_refused() {
        for bad in
            ["XAU", "XAG", "XXX", "XTS", "XDR", "XBA", "ABC", "EU", "EURO", "", "€", "EU1", " EUR", "ＥＵＲ"]
        {
            assert_eq!(Currency::parse(bad).unwrap_err().code(), "UNKNOWN_CURRENCY", "{bad}");
        }
        assert!(!Currency::parse("7KQ2M9XW").unwrap_err().to_string().contains("7KQ2"));
        assert!(Currency::from_numeric(959).is_err());
        assert!(Currency::from_numeric(0).is_err());
        assert_eq!(Currency::parse("eur").unwrap(), Currency::EUR);
    }
}

//! A point in time, in UTC.

use crate::refusal::Refusal;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const MICROS: i64 = 1_000_000;

/// A point in time: microseconds in UTC since 1970-01-01T00:00:00Z.
///
/// From the beginning of the year 1 to the end of the year 9999 ([`Instant::MIN`], [`Instant::MAX`]); whatever
/// would lead outside is refused with `INVALID`. Shown as RFC 3339 in UTC, with a fraction only if there is one;
/// serde form: the number. There is no `now()`: the instant of a command comes from the host.
///
/// ```
/// use passes_core::calendar::Instant;
/// let at = Instant::parse("2026-03-30T00:00:00+02:00")?;
/// assert_eq!(at.to_string(), "2026-03-29T22:00:00Z");
/// assert_eq!(at.plus_seconds(90)?.to_string(), "2026-03-29T22:01:30Z");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Instant(i64);

impl Instant {
    /// 0001-01-01T00:00:00Z, the first instant that can be told.
    /// See [`Instant::from_micros`].
    pub const MIN: Self = Self(-62_135_596_800 * MICROS);
    /// 9999-12-31T23:59:59.999999Z, the last instant that can be told.
    /// See [`Instant::from_micros`].
    pub const MAX: Self = Self(253_402_300_800 * MICROS - 1);
    /// 1970-01-01T00:00:00Z.
    /// See [`Instant::micros`].
    pub const EPOCH: Self = Self(0);
    /// The longest text that [`Instant::parse`] looks at, in bytes.
    /// See [`Instant::parse`].
    pub const MAX_TEXT: usize = 40;

    /// The instant so many microseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// `INVALID` outside of the years 1 to 9999.
    ///
    /// ```
    /// use passes_core::calendar::Instant;
    /// assert_eq!(Instant::from_micros(1_000_000)?.to_string(), "1970-01-01T00:00:01Z");
    /// assert!(Instant::from_micros(Instant::MAX.micros() + 1).is_err());
    /// assert!(Instant::from_micros(Instant::MIN.micros() - 1).is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn from_micros(micros: i64) -> Result<Self, Refusal> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(Refusal::invalid("instant", "an instant is in the years 1 to 9999"))
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    ///
    /// ```
    /// use passes_core::calendar::Instant;
    /// assert_eq!(Instant::EPOCH.micros(), 0);
    /// ```
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 date and time with its offset, at most 40 bytes. What is finer than a microsecond is
    /// cut off; a leap second is the second after it.
    ///
    /// # Errors
    /// `INVALID` for any other text, above all for one without an offset.
    ///
    /// ```
    /// use passes_core::calendar::Instant;
    /// let noon = Instant::parse("2026-05-01T13:00:00+01:00")?;
    /// assert_eq!(noon.to_string(), "2026-05-01T12:00:00Z");
    /// assert!(Instant::parse("2026-05-01T13:00:00").is_err()); // Without an offset.
    /// assert!(Instant::parse(&"2".repeat(Instant::MAX_TEXT + 1)).is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let parsed =
            if text.len() <= Self::MAX_TEXT { DateTime::parse_from_rfc3339(text).ok() } else { None };
        let parsed = parsed.ok_or_else(|| {
            Refusal::invalid("instant", "not a date and time with an offset such as 2026-03-29T22:00:00Z")
        })?;
        Self::from_micros(parsed.timestamp_micros())
    }

    /// The same point as chrono tells it.
    ///
    /// ```
    /// use passes_core::calendar::Instant;
    /// let at = Instant::parse("2026-05-01T12:00:00Z")?;
    /// assert_eq!(Instant::from_utc(at.to_utc())?, at);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        // Every value between MIN and MAX is within chrono's range, so the default is never taken.
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// The point that chrono tells; what is finer than a microsecond is cut off.
    /// See [`Instant::to_utc`].
    ///
    /// # Errors
    /// `INVALID` outside of the years 1 to 9999.
    pub fn from_utc(at: DateTime<Utc>) -> Result<Self, Refusal> {
        Self::from_micros(at.timestamp_micros())
    }

    /// So many seconds later, or earlier if below zero.
    /// See [`Instant`].
    ///
    /// # Errors
    /// `INVALID` if that leads outside of the years 1 to 9999.
    pub fn plus_seconds(self, seconds: i64) -> Result<Self, Refusal> {
        let micros = seconds.checked_mul(MICROS).and_then(|added| self.0.checked_add(added));
        // An overflow is far outside of the range too: MAX + 1 gives the same refusal.
        Self::from_micros(micros.unwrap_or(i64::MAX))
    }

    /// So many times 24 hours later, or earlier if below zero. Not calendar arithmetic: for days of a business's
    /// calendar use [`Period`](super::Period).
    ///
    /// # Errors
    /// `INVALID` if that leads outside of the years 1 to 9999.
    ///
    /// ```
    /// use passes_core::calendar::Instant;
    /// assert_eq!(Instant::EPOCH.plus_days(-1)?.to_string(), "1969-12-31T00:00:00Z");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn plus_days(self, days: i64) -> Result<Self, Refusal> {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Whole seconds from `earlier` to this instant, rounded down; below zero if `earlier` is later.
    ///
    /// ```
    /// use passes_core::calendar::Instant;
    /// assert_eq!(Instant::EPOCH.plus_days(1)?.seconds_since(Instant::EPOCH), 86_400);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        // Both lie within ±2^58, so the difference fits.
        (self.0 - earlier.0).div_euclid(MICROS)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.0 % MICROS == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
        f.write_str(&self.to_utc().to_rfc3339_opts(format, true))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Instant {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::parse(text)
    }
}

impl TryFrom<i64> for Instant {
    type Error = Refusal;

    fn try_from(micros: i64) -> Result<Self, Refusal> {
        Self::from_micros(micros)
    }
}

impl From<Instant> for i64 {
    fn from(at: Instant) -> Self {
        at.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    /// B-2: an instant is UTC microseconds and is shown so, whatever offset it was told in.
    #[test]
    fn text_and_number_agree() {
        assert_eq!(at("1970-01-01T00:00:00Z"), Instant::EPOCH);
        assert_eq!(at("1970-01-01T01:00:00.000001+01:00").micros(), 1);
        assert_eq!(at("2026-03-29T22:00:00.123456Z").to_string(), "2026-03-29T22:00:00.123456Z");
        assert_eq!(at("2026-03-29T22:00:00.1234569Z").to_string(), "2026-03-29T22:00:00.123456Z");
        assert_eq!(at("1969-12-31T23:59:59.9999999Z").micros(), -1);
        assert_eq!(at("2016-12-31T23:59:60Z").to_string(), "2017-01-01T00:00:00Z");
        assert_eq!(Instant::MIN.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Instant::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(format!("{:?}", Instant::EPOCH), "1970-01-01T00:00:00Z");
    }

    /// Z-1, Z-3: what is no instant, or outside of the range, is refused, and arithmetic never wraps.
    #[test]
    fn the_range_is_kept() {
        let long = format!("2026-03-29T22:00:00.{}Z", "0".repeat(40));
        for bad in ["", "2026-03-29", "2026-03-29T22:00:00", "0000-12-31T23:59:59Z", "tomorrow", &long] {
            assert_eq!(Instant::parse(bad).unwrap_err().code(), "INVALID", "{bad}");
        }
        assert!(Instant::parse("9999-12-31T23:59:59-01:00").is_err());
        assert!(Instant::from_micros(Instant::MAX.micros() + 1).is_err());
        assert!(Instant::from_micros(Instant::MIN.micros() - 1).is_err());
        assert!(Instant::MAX.plus_seconds(1).is_err());
        assert!(Instant::MIN.plus_seconds(-1).is_err());
        assert!(Instant::EPOCH.plus_seconds(i64::MAX).is_err());
        assert!(Instant::EPOCH.plus_days(i64::MIN).is_err());
        assert_eq!(Instant::EPOCH.plus_days(-1).unwrap().to_string(), "1969-12-31T00:00:00Z");
        assert_eq!(at("2026-01-01T00:00:01.5Z").seconds_since(at("2026-01-01T00:00:00Z")), 1);
        assert_eq!(at("2026-01-01T00:00:00Z").seconds_since(at("2026-01-01T00:00:01.5Z")), -2);
        assert!(Instant::MAX.seconds_since(Instant::MIN) > 0);
    }

    /// Z-2: the stored form is the number, and a number outside of the range is an error.
    #[test]
    fn serde_is_the_number() {
        let when = at("2026-03-29T22:00:00Z");
        let text = serde_json::to_string(&when).unwrap();
        assert_eq!(text, "1774821600000000");
        assert_eq!(serde_json::from_str::<Instant>(&text).unwrap(), when);
        assert!(serde_json::from_str::<Instant>("9223372036854775807").is_err());
    }

    proptest! {
        /// B-2: showing and reading give the same instant back, and keep the order.
        #[test]
        fn text_round_trips(
            a in Instant::MIN.micros()..=Instant::MAX.micros(),
            b in Instant::MIN.micros()..=Instant::MAX.micros(),
        ) {
            let (a, b) = (Instant::from_micros(a).unwrap(), Instant::from_micros(b).unwrap());
            prop_assert_eq!(Instant::parse(&a.to_string()).unwrap(), a);
            prop_assert_eq!(Instant::from_utc(a.to_utc()).unwrap(), a);
            prop_assert_eq!(a < b, a.to_utc() < b.to_utc());
        }
    }
}

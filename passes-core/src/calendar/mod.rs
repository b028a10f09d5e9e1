//! Instants, the business's local calendar, periods and opening windows (B-2, P-4).
//!
//! Two kinds of time, never mixed: an [`Instant`] is a point on the UTC line, a [`Date`] is a day of somebody's
//! wall calendar. Only a [`Zone`] leads from one to the other. Everything that the domain calls *valid until*,
//! *a month after* or *on Mondays from nine* is said in dates of the business's zone and becomes an instant
//! here, by one rule each:
//!
//! - a day begins at its first instant: a midnight that doesn't exist is the first instant after the gap, one
//!   that comes twice is its first ([`Zone::start_of`]);
//! - a day ends when the next one begins, and that instant is outside of it: all spans are half-open
//!   ([`Zone::end_of`]);
//! - a period is added to a date, and ends with the end of its last day ([`Period`]).
//!
//! The core has no clock: what is called *now* here is an argument.

mod instant;
mod period;
mod windows;
mod zone;

pub use instant::Instant;
pub use period::{Period, RunOn};
pub use windows::{Hours, Opening, TimeOfDay, Windows};
pub use zone::{Cycle, LocalTime, Span, Weekday, Zone};

use crate::refusal::Refusal;
use chrono::Datelike;

/// A day of a local calendar, without a zone. Text and serde form: `2026-03-29`.
///
/// [`parse_date`] knows the accepted range, and [`check_date`] tells it of a date made by other means, serde
/// among them; a date outside of the years 1 to 9999 is treated as the nearest instant that can be told.
/// See [`parse_date`].
pub type Date = chrono::NaiveDate;

/// Reads a date in the one accepted form, `YYYY-MM-DD`, in the years 1 to 9999.
///
/// `field` names the input in the refusal.
///
/// # Errors
/// `INVALID` for any other text and for days that don't exist.
///
/// ```
/// use passes_core::calendar::parse_date;
/// assert_eq!(parse_date("start", "2028-02-29")?.to_string(), "2028-02-29");
/// assert!(parse_date("start", "2026-02-29").is_err());
/// assert!(parse_date("start", "29.3.2026").is_err());
/// # Ok::<(), passes_core::Refusal>(())
/// ```
pub fn parse_date(field: &str, text: &str) -> Result<Date, Refusal> {
    // chrono alone would also take `2026-3-9`, blanks, and years of five digits.
    let parsed = if text.len() == 10 { text.parse::<Date>().ok() } else { None };
    let parsed = parsed.filter(|date| date.to_string() == text);
    let date = parsed.ok_or_else(|| Refusal::invalid(field, "not a date such as 2026-03-29"))?;
    check_date(field, date)?;
    Ok(date)
}

/// Checks that a date lies in the years 1 to 9999, the range of [`Instant`].
///
/// # Errors
/// `INVALID` naming the `field`.
///
/// ```
/// use passes_core::calendar::{Date, check_date};
/// assert!(check_date("start", Date::MAX).is_err());
/// assert!(check_date("start", Date::default()).is_ok());
/// ```
pub fn check_date(field: &str, date: Date) -> Result<(), Refusal> {
    if (1..=9999).contains(&date.year()) {
        Ok(())
    } else {
        Err(Refusal::invalid(field, "a date is in the years 1 to 9999"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Case {
        UntilDate {
            zone: Zone,
            date: Date,
            ends: String,
        },
        Period {
            zone: Zone,
            start: String,
            period: Parts,
            to_end_of: Option<RunOn>,
            last_day: Date,
            ends: String,
        },
    }

    #[derive(Debug, Deserialize)]
    struct Parts {
        years: u16,
        months: u16,
        weeks: u16,
        days: u16,
    }

    /// B-2, P-4: every case of `tests/cases/calendar.json`: local dates and periods end when the spec says.
    #[test]
    fn the_calendar_cases_hold() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases/calendar.json");
        let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(file.cases.len(), 120);
        for case in file.cases {
            match &case {
                Case::UntilDate { zone, date, ends } => {
                    assert_eq!(zone.end_of(*date).to_string(), *ends, "{case:?}");
                }
                Case::Period { zone, start, period, to_end_of, last_day, ends } => {
                    let start = Instant::parse(start).unwrap();
                    let period =
                        Period::new(period.years, period.months, period.weeks, period.days, *to_end_of)
                            .unwrap();
                    assert_eq!(period.last_day(start, *zone).unwrap(), *last_day, "{case:?}");
                    assert_eq!(period.ends(start, *zone).unwrap().to_string(), *ends, "{case:?}");
                }
            }
        }
    }

    /// Z-3: a date has one spelling and a range.
    #[test]
    fn dates_have_one_spelling() {
        for good in ["0001-01-01", "2026-03-29", "9999-12-31"] {
            assert_eq!(parse_date("d", good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "2026-3-29",
            "0000-01-01",
            "-001-01-01",
            "2026-13-01",
            "2026-03-29T",
            "٢٠٢٦-03-29",
            " 026-03-29",
        ] {
            assert_eq!(parse_date("d", bad).unwrap_err().code(), "INVALID", "{bad}");
        }
    }
}

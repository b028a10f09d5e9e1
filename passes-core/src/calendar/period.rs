//! A length of time in the calendar: *a year and six months*, *30 days*, *a month, to the end of it*.

use super::{Date, Instant, Zone};
use crate::refusal::Refusal;
use chrono::{Datelike, Days, Months};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// To the end of which stretch of the calendar a period runs on. Serde form: `month`, `year`.
/// See [`Period::to_end_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOn {
    /// To the end of the month in which the last day lies.
    Month,
    /// To the end of the year in which the last day lies.
    Year,
}

/// A length of time in the calendar of the business, in whole days.
///
/// The start's local date plus years and months (31 January + 1 month is the last day of February), then weeks
/// and days, is the last day; the period ends with the end of it, or of its month or year if it runs on. So a
/// period of nothing ends with the end of the day on which it starts.
///
/// At most 100 years, 1200 months, 5200 weeks and 36,500 days. Text and serde form: ISO 8601 in years, months,
/// weeks and days, with the run-on said in words: `P1Y6M`, `P2W`, `P30D`, `P0D`, `P1M to end of month`,
/// `P1Y to end of year`.
///
/// ```
/// use passes_core::calendar::{Instant, Period, Zone};
/// let (berlin, start) = (Zone::parse("Europe/Berlin")?, Instant::parse("2026-01-31T10:00:00Z")?);
/// let month: Period = "P1M".parse()?;
/// assert_eq!(month.last_day(start, berlin)?.to_string(), "2026-02-28");
/// assert_eq!(month.ends(start, berlin)?.to_string(), "2026-02-28T23:00:00Z");
/// let year: Period = "P1Y to end of year".parse()?;
/// assert_eq!(year.last_day(start, berlin)?.to_string(), "2027-12-31");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    years: u16,
    months: u16,
    weeks: u16,
    days: u16,
    run_on: Option<RunOn>,
}

impl Period {
    /// Nothing: it ends with the end of the day on which it starts.
    /// See [`Period::ends`].
    pub const ZERO: Self = Self { years: 0, months: 0, weeks: 0, days: 0, run_on: None };
    /// The most years.
    /// See [`Period::of_years`].
    pub const MAX_YEARS: u16 = 100;
    /// The most months.
    /// See [`Period::of_years`].
    pub const MAX_MONTHS: u16 = 1200;
    /// The most weeks.
    /// See [`Period::of_years`].
    pub const MAX_WEEKS: u16 = 5200;
    /// The most days.
    /// See [`Period::of_years`].
    pub const MAX_DAYS: u16 = 36_500;
    /// The longest text that is looked at, in bytes.
    /// A longer one is refused with `INVALID`; see [`Period`] for the form.
    pub const MAX_TEXT: usize = 40;

    /// A period of all these together.
    ///
    /// # Errors
    /// `INVALID` above the largest number of any of them.
    ///
    /// ```
    /// use passes_core::calendar::Period;
    /// let period = Period::new(1, 6, 0, 10, None)?;
    /// assert_eq!(period, "P1Y6M10D".parse()?);
    /// assert_eq!((period.years(), period.months(), period.weeks(), period.days()), (1, 6, 0, 10));
    /// assert_eq!(period.run_on(), None);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn new(
        years: u16,
        months: u16,
        weeks: u16,
        days: u16,
        run_on: Option<RunOn>,
    ) -> Result<Self, Refusal> {
        for (unit, n, most) in [
            ("years", years, Self::MAX_YEARS),
            ("months", months, Self::MAX_MONTHS),
            ("weeks", weeks, Self::MAX_WEEKS),
            ("days", days, Self::MAX_DAYS),
        ] {
            if n > most {
                return Err(invalid(format!("a period has at most {most} {unit}")));
            }
        }
        Ok(Self { years, months, weeks, days, run_on })
    }

    /// So many years.
    ///
    /// # Errors
    /// `INVALID` above [`Period::MAX_YEARS`].
    ///
    /// ```
    /// use passes_core::calendar::Period;
    /// assert_eq!(Period::of_years(3)?, "P3Y".parse()?);
    /// assert_eq!(Period::of_months(6)?, "P6M".parse()?);
    /// assert_eq!(Period::of_weeks(2)?, "P2W".parse()?);
    /// assert_eq!(Period::of_days(30)?, "P30D".parse()?);
    /// assert!(Period::of_years(Period::MAX_YEARS + 1).is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn of_years(years: u16) -> Result<Self, Refusal> {
        Self::new(years, 0, 0, 0, None)
    }

    /// So many months.
    /// See [`Period::of_years`].
    ///
    /// # Errors
    /// `INVALID` above [`Period::MAX_MONTHS`].
    pub fn of_months(months: u16) -> Result<Self, Refusal> {
        Self::new(0, months, 0, 0, None)
    }

    /// So many weeks.
    /// See [`Period::of_years`].
    ///
    /// # Errors
    /// `INVALID` above [`Period::MAX_WEEKS`].
    pub fn of_weeks(weeks: u16) -> Result<Self, Refusal> {
        Self::new(0, 0, weeks, 0, None)
    }

    /// So many days.
    /// See [`Period::of_years`].
    ///
    /// # Errors
    /// `INVALID` above [`Period::MAX_DAYS`].
    pub fn of_days(days: u16) -> Result<Self, Refusal> {
        Self::new(0, 0, 0, days, None)
    }

    /// The same length, running on to the end of its month or year.
    ///
    /// ```
    /// use passes_core::calendar::{Period, RunOn};
    /// let year = Period::of_years(1)?.to_end_of(RunOn::Year);
    /// assert_eq!((year.to_string().as_str(), year.run_on()), ("P1Y to end of year", Some(RunOn::Year)));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub const fn to_end_of(self, run_on: RunOn) -> Self {
        Self { run_on: Some(run_on), ..self }
    }

    /// The years in it.
    /// See [`Period::new`].
    #[must_use]
    pub const fn years(self) -> u16 {
        self.years
    }

    /// The months in it, beside the years.
    /// See [`Period::new`].
    #[must_use]
    pub const fn months(self) -> u16 {
        self.months
    }

    /// The weeks in it.
    /// See [`Period::new`].
    #[must_use]
    pub const fn weeks(self) -> u16 {
        self.weeks
    }

    /// The days in it, beside the weeks.
    /// See [`Period::new`].
    #[must_use]
    pub const fn days(self) -> u16 {
        self.days
    }

    /// To the end of what it runs on.
    /// See [`Period::to_end_of`].
    #[must_use]
    pub const fn run_on(self) -> Option<RunOn> {
        self.run_on
    }

    /// The last day of the period that starts at an instant, in the calendar of a zone.
    /// See [`Period`].
    ///
    /// # Errors
    /// `INVALID` after the year 9999.
    pub fn last_day(self, start: Instant, zone: Zone) -> Result<Date, Refusal> {
        self.last_day_from(zone.date_of(start))
    }

    /// The last day of the period that starts on a date.
    ///
    /// # Errors
    /// `INVALID` after the year 9999.
    ///
    /// ```
    /// use passes_core::calendar::{Period, parse_date};
    /// let last = Period::of_months(1)?.last_day_from(parse_date("start", "2028-01-31")?)?;
    /// assert_eq!(last.to_string(), "2028-02-29");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn last_day_from(self, start: Date) -> Result<Date, Refusal> {
        let months = Months::new(u32::from(self.years) * 12 + u32::from(self.months));
        let days = Days::new(u64::from(self.weeks) * 7 + u64::from(self.days));
        start
            .checked_add_months(months)
            .and_then(|date| date.checked_add_days(days))
            .and_then(|date| self.run_on_from(date))
            .filter(|last| last.year() <= 9999)
            .ok_or_else(|| invalid("it would end after the year 9999"))
    }

    /// The end of the period that starts at an instant: the first instant after its last day in the zone.
    ///
    /// # Errors
    /// `INVALID` after the year 9999.
    ///
    /// ```
    /// use passes_core::calendar::{Instant, Period, Zone};
    /// let (noon, zone) = (Instant::parse("2026-05-01T12:00:00Z")?, Zone::parse("Europe/London")?);
    /// assert_eq!(Period::ZERO.ends(noon, zone)?.to_string(), "2026-05-01T23:00:00Z");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn ends(self, start: Instant, zone: Zone) -> Result<Instant, Refusal> {
        Ok(zone.end_of(self.last_day(start, zone)?))
    }

    fn run_on_from(self, date: Date) -> Option<Date> {
        match self.run_on {
            None => Some(date),
            Some(RunOn::Month) => date.with_day(1)?.checked_add_months(Months::new(1))?.pred_opt(),
            Some(RunOn::Year) => Date::from_ymd_opt(date.year(), 12, 31),
        }
    }
}

fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::invalid("period", why)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        let parts = [(self.years, 'Y'), (self.months, 'M'), (self.weeks, 'W'), (self.days, 'D')];
        for (n, unit) in parts.into_iter().filter(|(n, _)| *n > 0) {
            write!(f, "{n}{unit}")?;
        }
        if parts.iter().all(|(n, _)| *n == 0) {
            f.write_str("0D")?;
        }
        match self.run_on {
            None => Ok(()),
            Some(RunOn::Month) => f.write_str(" to end of month"),
            Some(RunOn::Year) => f.write_str(" to end of year"),
        }
    }
}

impl FromStr for Period {
    type Err = Refusal;

    /// Reads `P1Y6M2W3D`: each unit at most once and in this order, at least one of them; then, if wanted,
    /// ` to end of month` or ` to end of year`. At most 40 bytes.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let refusal = || invalid("not a period such as P1Y6M, P2W, P30D or P1M to end of month");
        if text.len() > Self::MAX_TEXT {
            return Err(refusal());
        }
        let (length, run_on) = match text.split_once(' ') {
            None => (text, None),
            Some((length, "to end of month")) => (length, Some(RunOn::Month)),
            Some((length, "to end of year")) => (length, Some(RunOn::Year)),
            Some(_) => return Err(refusal()),
        };
        let mut rest = length.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or_else(refusal)?;
        let mut numbers = [0; 4];
        for (number, unit) in numbers.iter_mut().zip(['Y', 'M', 'W', 'D']) {
            if let Some((digits, after)) = rest.split_once(unit) {
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(refusal());
                }
                // More than a u16 holds is above every maximum; `new` says which one.
                *number = digits.parse().unwrap_or(u16::MAX);
                rest = after;
            }
        }
        if !rest.is_empty() {
            return Err(refusal());
        }
        let [years, months, weeks, days] = numbers;
        Self::new(years, months, weeks, days, run_on)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    fn last_day(from: &str, length: &str) -> String {
        period(length).last_day_from(from.parse().unwrap()).unwrap().to_string()
    }

    /// B-2, P-4: years and months first, cut to the month's last day once, then weeks and days, then the run-on.
    #[test]
    fn arithmetic_is_the_calendar_s() {
        for (from, length, last) in [
            ("2026-01-31", "P1M", "2026-02-28"),
            ("2028-01-31", "P1M", "2028-02-29"),
            ("2028-02-29", "P1Y", "2029-02-28"),
            ("2028-02-29", "P1Y1M", "2029-03-29"),
            ("2026-01-31", "P1M1D", "2026-03-01"),
            ("2026-05-31", "P0D", "2026-05-31"),
            ("2026-01-01", "P1Y2M3W4D", "2027-03-26"),
            ("2026-01-31", "P1M to end of month", "2026-02-28"),
            ("2026-05-10", "P0D to end of month", "2026-05-31"),
            ("2026-05-10", "P30D to end of year", "2026-12-31"),
            ("2026-12-31", "P1D to end of year", "2027-12-31"),
        ] {
            assert_eq!(last_day(from, length), last, "{from} {length}");
        }
    }

    /// B-2: a period ends at the business's midnight in its zone, whatever the hour of the start and whatever
    /// the clocks do on its last day.
    #[test]
    fn ends_are_local_midnights() {
        for (zone, start, length, ends) in [
            ("Europe/Berlin", "2026-03-22T22:59:59Z", "P1W", "2026-03-29T22:00:00Z"),
            ("Europe/Berlin", "2026-03-22T23:00:00Z", "P1W", "2026-03-30T22:00:00Z"),
            ("Africa/Cairo", "2026-03-23T10:00:00Z", "P1M", "2026-04-23T22:00:00Z"),
            ("America/Santiago", "2026-08-05T10:00:00Z", "P1M", "2026-09-06T04:00:00Z"),
            ("America/Havana", "2026-10-30T10:00:00Z", "P1D", "2026-11-01T04:00:00Z"),
            ("UTC", "2026-05-10T00:00:00Z", "P0D", "2026-05-11T00:00:00Z"),
        ] {
            let (zone, start) = (Zone::parse(zone).unwrap(), Instant::parse(start).unwrap());
            assert_eq!(
                period(length).ends(start, zone).unwrap().to_string(),
                ends,
                "{zone} {start} {length}"
            );
        }
    }

    /// Z-1, Z-3: other texts and more than the largest numbers are refused.
    #[test]
    fn odd_periods_are_refused() {
        let long = format!("P{}1D", "0".repeat(40));
        for bad in [
            "",
            "P",
            "1Y",
            "PY",
            "P1",
            "P1y",
            "P-1D",
            "P+1D",
            "P1.5Y",
            "P1M1Y",
            "P1D1D",
            "PT1H",
            "P1DT1H",
            "P1Y ",
            "P1Y to end of week",
            "P1Y  to end of year",
            " P1Y",
            "P１D",
            "P101Y",
            "P1201M",
            "P5201W",
            "P36501D",
            "P70000D",
            &long,
        ] {
            assert_eq!(bad.parse::<Period>().unwrap_err().code(), "INVALID", "{bad}");
        }
        let far = period("P100Y1200M5200W36500D to end of year");
        assert_eq!(far.last_day_from("2026-01-01".parse().unwrap()).unwrap().year(), 2425);
        assert_eq!(far.ends(Instant::MAX, Zone::UTC).unwrap_err().code(), "INVALID");
        assert_eq!(period("P1D").last_day_from(Date::MAX).unwrap_err().code(), "INVALID");
        assert_eq!(Period::ZERO.ends(Instant::MAX, Zone::UTC).unwrap(), Instant::MAX);
        assert_eq!(period("P36500D").to_string(), "P36500D");
    }

    /// P-14: a period in a plan's file is its text.
    #[test]
    fn serde_is_the_text() {
        #[derive(Serialize, Deserialize)]
        struct Plan {
            redeem_by: Period,
        }
        let plan: Plan = toml::from_str("redeem_by = \"P1Y to end of month\"").unwrap();
        assert_eq!(plan.redeem_by, Period::of_years(1).unwrap().to_end_of(RunOn::Month));
        assert_eq!(toml::to_string(&plan).unwrap(), "redeem_by = \"P1Y to end of month\"\n");
        assert!(toml::from_str::<Plan>("redeem_by = \"1 year\"").is_err());
    }

    proptest! {
        /// P-14: showing and reading give the same period back.
        #[test]
        fn text_round_trips(y in 0..=100_u16, m in 0..=1200_u16, w in 0..=5200_u16, d in 0..=36_500_u16,
                            run_on in prop::option::of(prop_oneof![Just(RunOn::Month), Just(RunOn::Year)])) {
            let period = Period::new(y, m, w, d, run_on).unwrap();
            prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }

        /// Z-1: whatever the text, reading it ends with a period or a refusal.
        #[test]
        fn any_text_has_an_answer(text in "P?[0-9YMWD]{0,12}( to end of (month|year))?|\\PC{0,50}") {
            let _ = text.parse::<Period>();
        }
    }
}

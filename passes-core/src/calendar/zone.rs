//! A time zone: the way from dates to instants and back.

use super::{Date, Instant};
use crate::refusal::Refusal;
use chrono::{Datelike, Days, NaiveTime, Offset, TimeZone, Timelike};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A time zone of the IANA database, by its name. Text and serde form: `Europe/Berlin`.
///
/// The rules are those of the database that is compiled in; transitions are listed to the year 2099, after which
/// the last offset stays.
///
/// ```
/// use passes_core::calendar::{Zone, parse_date};
/// let berlin = Zone::parse("Europe/Berlin")?;
/// // *Valid until 29 March* on the day that has 23 hours:
/// let until = berlin.end_of(parse_date("until", "2026-03-29")?);
/// assert_eq!(until.to_string(), "2026-03-29T22:00:00Z");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    /// See [`Zone::parse`].
    pub const UTC: Self = Self(Tz::UTC);

    /// Reads a name of the IANA database, capitals and all.
    ///
    /// # Errors
    /// `INVALID` for any other text.
    ///
    /// ```
    /// use passes_core::calendar::Zone;
    /// assert_eq!(Zone::parse("Europe/London")?.name(), "Europe/London");
    /// assert_eq!(Zone::parse("UTC")?, Zone::UTC);
    /// assert_eq!(Zone::parse("Europe/Atlantis").unwrap_err().code(), "INVALID");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn parse(name: &str) -> Result<Self, Refusal> {
        name.parse().map(Self).map_err(|_| {
            Refusal::invalid("zone", "not a time zone of the IANA database such as Europe/Berlin")
        })
    }

    /// The name in the IANA database.
    /// See [`Zone::parse`].
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The first instant of a date here: its midnight; the first instant after the gap if that midnight doesn't
    /// exist; the first of the two if it comes twice.
    ///
    /// A date outside of the years 1 to 9999 gives [`Instant::MIN`] or [`Instant::MAX`].
    ///
    /// ```
    /// use passes_core::calendar::{Zone, parse_date};
    /// let cairo = Zone::parse("Africa/Cairo")?; // its clocks go from 24:00 to 01:00
    /// let first = cairo.start_of(parse_date("date", "2026-04-24")?);
    /// assert_eq!(cairo.local(first).minute, 60);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn start_of(self, date: Date) -> Instant {
        if date.year() < 1 {
            return Instant::MIN;
        }
        if date.year() > 9999 {
            return Instant::MAX;
        }
        let midnight = date.and_time(NaiveTime::MIN);
        let first = self.0.from_local_datetime(&midnight).earliest();
        let first = first.or_else(|| GapInfo::new(&midnight, &self.0)?.end);
        let first = match first {
            Some(first) => first.to_utc(),
            // A gap whose end is not listed doesn't occur; the offset before it would be the nearest answer.
            None => midnight.and_utc() - self.0.offset_from_utc_datetime(&midnight).fix(),
        };
        // Only a zone's offset can lead out of the years 1 to 9999 here: to the nearest instant then.
        Instant::from_utc(first).unwrap_or(if date.year() < 5000 { Instant::MIN } else { Instant::MAX })
    }

    /// The end of a date here, which is the first instant of the next date: the date's half-open end.
    ///
    /// A date outside of the years 1 to 9999 gives [`Instant::MIN`] or [`Instant::MAX`].
    /// See [`Zone`].
    #[must_use]
    pub fn end_of(self, date: Date) -> Instant {
        self.start_of(date.checked_add_days(Days::new(1)).unwrap_or(date))
    }

    /// The date that calendars show here at an instant.
    ///
    /// ```
    /// use passes_core::calendar::{Instant, Zone};
    /// let tokyo = Zone::parse("Asia/Tokyo")?;
    /// let evening = Instant::parse("2026-05-01T20:30:00Z")?;
    /// assert_eq!(tokyo.date_of(evening).to_string(), "2026-05-02");
    /// assert_eq!(tokyo.local(evening).minute, 5 * 60 + 30);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn date_of(self, at: Instant) -> Date {
        self.local(at).date
    }

    /// What calendars and clocks show here at an instant.
    /// See [`Zone::date_of`].
    #[must_use]
    pub fn local(self, at: Instant) -> LocalTime {
        let at = at.to_utc().with_timezone(&self.0);
        let date = at.date_naive();
        // 0 to 1439, so it fits.
        let minute = u16::try_from(at.hour() * 60 + at.minute()).unwrap_or(u16::MAX);
        LocalTime { date, weekday: Weekday::of(date), minute }
    }

    /// The day, week, month or year here that an instant lies in. `week_start` is the first day of weeks.
    ///
    /// ```
    /// use passes_core::calendar::{Cycle, Instant, Weekday, Zone};
    /// let berlin = Zone::parse("Europe/Berlin")?;
    /// let at = Instant::parse("2026-04-01T12:00:00Z")?;
    /// let week = berlin.span(Cycle::Week, at, Weekday::Mon);
    /// assert_eq!(week.from.to_string(), "2026-03-29T22:00:00Z");
    /// assert_eq!(week.to.to_string(), "2026-04-05T22:00:00Z");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn span(self, cycle: Cycle, at: Instant, week_start: Weekday) -> Span {
        let first = cycle.first_day(self.date_of(at), week_start);
        Span { from: self.start_of(first), to: self.start_of(cycle.next(first)) }
    }
}

/// What calendars and clocks show somewhere.
/// See [`Zone::local`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The date.
    pub date: Date,
    /// The day of the week.
    pub weekday: Weekday,
    /// Whole minutes that the clock on the wall shows since 00:00, 0 to 1439: on a day with daylight saving not
    /// the minutes that have passed.
    pub minute: u16,
}

/// A stretch of time: from one instant up to another, which is outside of it.
///
/// ```
/// use passes_core::calendar::{Instant, Span};
/// let day = Span { from: Instant::EPOCH, to: Instant::EPOCH.plus_days(1)? };
/// assert!(day.contains(day.from) && !day.contains(day.to));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
}

impl Span {
    /// Whether an instant lies in it.
    /// See [`Span`].
    #[must_use]
    pub fn contains(self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }
}

/// The stretches of the calendar after which a limit begins anew. Serde form: `day`, `week`, `month`, `year`.
/// See [`Zone::span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cycle {
    /// From midnight to midnight.
    Day,
    /// Seven days from the first day of the week.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

impl Cycle {
    /// The first day of the cycle that a date lies in. `week_start` is the first day of weeks.
    ///
    /// ```
    /// use passes_core::calendar::{Cycle, Weekday, parse_date};
    /// let date = parse_date("date", "2026-05-06")?; // A Wednesday.
    /// assert_eq!(Cycle::Week.first_day(date, Weekday::Mon).to_string(), "2026-05-04");
    /// assert_eq!(Cycle::Month.first_day(date, Weekday::Mon).to_string(), "2026-05-01");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn first_day(self, date: Date, week_start: Weekday) -> Date {
        let first = match self {
            Self::Day => Some(date),
            Self::Week => date.checked_sub_days(Days::new(Weekday::of(date).days_since(week_start))),
            Self::Month => date.with_day(1),
            Self::Year => date.with_ordinal(1),
        };
        // Only at the very end of chrono's range there is no such day.
        first.unwrap_or(date)
    }

    /// The first day after the cycle that begins on `first`.
    fn next(self, first: Date) -> Date {
        let next = match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(chrono::Months::new(1)),
            Self::Year => first.checked_add_months(chrono::Months::new(12)),
        };
        next.unwrap_or(Date::MAX)
    }
}

/// A day of the week. Serde form: `mon` to `sun`.
///
/// ```
/// use passes_core::calendar::{Weekday, parse_date};
/// assert_eq!(Weekday::of(parse_date("date", "2026-05-01")?), Weekday::Fri);
/// assert_eq!(Weekday::Mon.previous(), Weekday::Sun);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday, on which weeks start unless a business says otherwise.
    #[default]
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// The day of the week of a date.
    /// See [`Weekday`].
    #[must_use]
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            chrono::Weekday::Mon => Self::Mon,
            chrono::Weekday::Tue => Self::Tue,
            chrono::Weekday::Wed => Self::Wed,
            chrono::Weekday::Thu => Self::Thu,
            chrono::Weekday::Fri => Self::Fri,
            chrono::Weekday::Sat => Self::Sat,
            chrono::Weekday::Sun => Self::Sun,
        }
    }

    /// The day before.
    /// See [`Weekday`].
    #[must_use]
    pub const fn previous(self) -> Self {
        match self {
            Self::Mon => Self::Sun,
            Self::Tue => Self::Mon,
            Self::Wed => Self::Tue,
            Self::Thu => Self::Wed,
            Self::Fri => Self::Thu,
            Self::Sat => Self::Fri,
            Self::Sun => Self::Sat,
        }
    }

    /// Days from the last `start` to this day: 0 to 6.
    fn days_since(self, start: Self) -> u64 {
        (7 + self as u64 - start as u64) % 7
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl FromStr for Zone {
    type Err = Refusal;

    fn from_str(name: &str) -> Result<Self, Refusal> {
        Self::parse(name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_date;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn date(text: &str) -> Date {
        parse_date("date", text).unwrap()
    }

    /// B-2: *valid until* a day of daylight saving ends when the next day begins there, in zones whose clocks
    /// change in the night, at midnight forwards, at midnight backwards, and by half an hour.
    #[test]
    fn dates_end_when_the_next_begins() {
        for (name, until, ends) in [
            // 23 and 25 hours long, the change at night.
            ("Europe/Berlin", "2026-03-28", "2026-03-28T23:00:00Z"),
            ("Europe/Berlin", "2026-03-29", "2026-03-29T22:00:00Z"),
            ("Europe/Berlin", "2026-10-25", "2026-10-25T23:00:00Z"),
            // 24 April begins at 01:00; 29 October has 23:00 to 24:00 twice.
            ("Africa/Cairo", "2026-04-23", "2026-04-23T22:00:00Z"),
            ("Africa/Cairo", "2026-04-24", "2026-04-24T21:00:00Z"),
            ("Africa/Cairo", "2026-10-29", "2026-10-29T22:00:00Z"),
            // 6 September begins at 01:00; 4 April has 23:00 to 24:00 twice.
            ("America/Santiago", "2026-09-05", "2026-09-06T04:00:00Z"),
            ("America/Santiago", "2026-09-06", "2026-09-07T03:00:00Z"),
            ("America/Santiago", "2026-04-04", "2026-04-05T04:00:00Z"),
            // 1 November has its midnight twice, the first counts.
            ("America/Havana", "2026-10-31", "2026-11-01T04:00:00Z"),
            ("America/Havana", "2026-11-01", "2026-11-02T05:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-05", "2026-04-05T13:30:00Z"),
            ("Australia/Lord_Howe", "2026-10-04", "2026-10-04T13:00:00Z"),
        ] {
            let zone = zone(name);
            let end = zone.end_of(date(until));
            assert_eq!(end.to_string(), ends, "{name} {until}");
            // The last microsecond is inside, the end is the next date.
            let last = Instant::from_micros(end.micros() - 1).unwrap();
            assert_eq!(zone.date_of(last), date(until), "{name} {until}");
            assert_eq!(zone.date_of(end), date(until).succ_opt().unwrap(), "{name} {until}");
        }
    }

    /// B-2: a date that a zone left out is empty: it begins and ends with the next one.
    #[test]
    fn a_date_left_out_is_empty() {
        let apia = zone("Pacific/Apia");
        let skipped = date("2011-12-30");
        assert_eq!(apia.start_of(skipped), apia.end_of(skipped));
        assert_eq!(apia.end_of(date("2011-12-29")), apia.start_of(date("2011-12-31")));
    }

    /// B-2: in every zone of the database, for years of days: the day's start is on that date, and the instant
    /// before it is on none later. The rule is told here without chrono's own way from local to UTC.
    #[test]
    fn starts_are_first_instants_everywhere() {
        let (from, days) = (date("2023-12-31"), 5 * 366);
        for tz in chrono_tz::TZ_VARIANTS {
            let zone = Zone(tz);
            let mut day = from;
            for _ in 0..days {
                let start = zone.start_of(day);
                assert_eq!(zone.date_of(start), day, "{zone} {day}");
                let before = Instant::from_micros(start.micros() - 1).unwrap();
                assert!(zone.date_of(before) < day, "{zone} {day}");
                day = day.succ_opt().unwrap();
            }
        }
    }

    /// Z-3: at the ends of the range there is an answer, without a panic.
    #[test]
    fn the_ends_of_the_range_hold() {
        for name in ["Pacific/Kiritimati", "Etc/GMT+12", "UTC", "America/New_York"] {
            let zone = zone(name);
            assert_eq!(zone.start_of(Date::MIN), Instant::MIN);
            assert_eq!(zone.end_of(Date::MAX), Instant::MAX);
            assert_eq!(zone.end_of(date("9999-12-31")), Instant::MAX);
            assert!(zone.start_of(date("0001-01-01")) < Instant::EPOCH);
            for at in [Instant::MIN, Instant::MAX] {
                for cycle in [Cycle::Day, Cycle::Week, Cycle::Month, Cycle::Year] {
                    let span = zone.span(cycle, at, Weekday::Mon);
                    assert!(span.from <= span.to);
                }
            }
        }
    }

    /// B-1, Z-1: zones are IANA names.
    #[test]
    fn zones_are_named() {
        let kept: Zone = serde_json::from_str("\"Asia/Kathmandu\"").unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), "\"Asia/Kathmandu\"");
        assert_eq!(kept, zone("Asia/Kathmandu"));
        for bad in ["", "Berlin", "europe/berlin", "Europe/Berlin ", "+02:00"] {
            assert_eq!(Zone::parse(bad).unwrap_err().code(), "INVALID", "{bad}");
        }
    }

    /// B-2, P-5: cycles are half-open, follow the local calendar, and weeks start on the day that is set.
    #[test]
    fn cycles_follow_the_calendar() {
        let santiago = zone("America/Santiago");
        let at = Instant::parse("2026-09-06T12:00:00Z").unwrap(); // Sunday, the day that begins at 01:00
        let day = santiago.span(Cycle::Day, at, Weekday::Mon);
        assert_eq!(day.to.seconds_since(day.from), 23 * 3600);
        assert!(day.contains(day.from) && !day.contains(day.to));
        for (week_start, from) in [
            (Weekday::Mon, "2026-08-31"),
            (Weekday::Sun, "2026-09-06"),
            (Weekday::Sat, "2026-09-05"),
            (Weekday::Wed, "2026-09-02"),
        ] {
            let week = santiago.span(Cycle::Week, at, week_start);
            assert_eq!(week.from, santiago.start_of(date(from)));
            assert_eq!(Cycle::Week.first_day(date("2026-09-06"), week_start), date(from));
        }
        let month = santiago.span(Cycle::Month, at, Weekday::Mon);
        assert_eq!(santiago.date_of(month.from), date("2026-09-01"));
        assert_eq!(santiago.date_of(month.to), date("2026-10-01"));
        let year = santiago.span(Cycle::Year, at, Weekday::Mon);
        assert_eq!(santiago.date_of(year.to), date("2027-01-01"));
        assert_eq!(Weekday::Mon.previous(), Weekday::Sun);
    }
}

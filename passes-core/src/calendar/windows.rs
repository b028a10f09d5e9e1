//! When a pass can be redeemed: a start date, opening hours by weekday, blackout dates (P-4).

use super::{Date, Instant, LocalTime, Weekday, Zone, check_date};
use crate::refusal::Refusal;
use chrono::Days;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A time that the clock on the wall shows: hours and minutes, `00:00` to `24:00`. Text and serde form: `09:00`.
///
/// ```
/// use passes_core::calendar::TimeOfDay;
/// assert_eq!("17:30".parse::<TimeOfDay>()?.minutes(), 17 * 60 + 30);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// The beginning of a day, `00:00`.
    /// See [`TimeOfDay::from_minutes`].
    pub const START: Self = Self(0);
    /// The end of a day, `24:00`.
    /// See [`TimeOfDay::from_minutes`].
    pub const END: Self = Self(1440);

    /// The time so many minutes after `00:00` by the clock on the wall.
    ///
    /// # Errors
    /// `INVALID` above 1440.
    ///
    /// ```
    /// use passes_core::calendar::TimeOfDay;
    /// assert_eq!(TimeOfDay::from_minutes(540)?, "09:00".parse()?);
    /// assert_eq!((TimeOfDay::START.minutes(), TimeOfDay::END.minutes()), (0, 1_440));
    /// assert!(TimeOfDay::from_minutes(1_441).is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn from_minutes(minutes: u16) -> Result<Self, Refusal> {
        if minutes <= Self::END.0 { Ok(Self(minutes)) } else { Err(no_time()) }
    }

    /// Minutes since `00:00` by the clock on the wall, 0 to 1440.
    /// See [`TimeOfDay::from_minutes`].
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

/// Opening hours on some days of the week, by the clock on the wall: from `from` on, up to but without `to`.
///
/// `24:00` as `to` is the end of the day. A `to` that is not after `from` lies on the next day: the hours cross
/// midnight, and belong to the day on which they began. Where hours overlap, it is open.
///
/// ```
/// use passes_core::calendar::{Hours, Weekday, Windows};
/// let days = [Weekday::Fri, Weekday::Sat].into();
/// let night = Hours { days, from: "22:00".parse()?, to: "02:00".parse()? };
/// Windows { hours: vec![night], ..Windows::default() }.validate()?;
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days on which the hours begin.
    pub days: BTreeSet<Weekday>,
    /// The first minute that is open.
    pub from: TimeOfDay,
    /// The first minute that is closed again.
    pub to: TimeOfDay,
}

impl Hours {
    /// Whether they are open at what the clock shows.
    fn open_at(&self, local: LocalTime) -> bool {
        let now = TimeOfDay(local.minute);
        let began_today = self.days.contains(&local.weekday);
        if self.from < self.to {
            return began_today && self.from <= now && now < self.to;
        }
        let began_yesterday = self.days.contains(&local.weekday.previous());
        (began_today && self.from <= now) || (began_yesterday && now < self.to)
    }

    fn validate(&self) -> Result<(), Refusal> {
        let field = "windows.hours";
        if self.days.is_empty() {
            return Err(Refusal::invalid(field, "name at least one day of the week"));
        }
        if self.from == TimeOfDay::END {
            return Err(Refusal::invalid(field, "a day ends at 24:00: start at 00:00 of the next"));
        }
        if self.from == self.to {
            return Err(Refusal::invalid(
                field,
                "from and to are the same: for a whole day write 00:00 to 24:00",
            ));
        }
        Ok(())
    }
}

/// When something can be redeemed, by the calendar of the business: from a start date on, within the hours (any
/// hour, if none are given), and not on a blackout date. Without any of the three it is always open.
///
/// A blackout date is a whole local day, from its first instant to its end; hours that began the evening before
/// stop at its beginning, and hours that began on it go on after its end.
///
/// ```
/// use passes_core::calendar::{Instant, Opening, Windows, Zone};
/// let windows: Windows = toml::from_str(r#"
///     start = "2026-01-01"
///     hours = [{ days = ["mon", "tue"], from = "09:00", to = "17:30" }]
///     blackout = ["2026-12-28"]
/// "#).unwrap();
/// windows.validate()?;
/// let berlin = Zone::parse("Europe/Berlin")?;
/// let sunday = Instant::parse("2026-12-27T12:00:00Z")?;
/// let next = Some(Instant::parse("2026-12-29T08:00:00Z")?); // Tuesday at nine, for Monday is blacked out
/// assert_eq!(windows.opens(sunday, berlin), Opening::Closed { next });
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Windows {
    /// The first date, from its first instant on. Any, if there is none.
    pub start: Option<Date>,
    /// The opening hours; open at any hour if there are none. At most [`Windows::MAX_HOURS`].
    pub hours: Vec<Hours>,
    /// Dates that are closed. At most [`Windows::MAX_BLACKOUT`].
    pub blackout: BTreeSet<Date>,
}

/// Whether something can be redeemed at an instant, by its [`Windows`].
/// See [`Windows::opens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It can.
    Open,
    /// Not now.
    Closed {
        /// The next instant at which it opens; `None` if that is not within [`Windows::LOOK_AHEAD`] days.
        next: Option<Instant>,
    },
    /// Not yet: the start date has not begun.
    NotStarted {
        /// The first instant of the start date; the hours may still be closed then.
        from: Instant,
    },
}

impl Windows {
    /// The most opening hours.
    /// See [`Windows::validate`].
    pub const MAX_HOURS: usize = 100;
    /// The most blackout dates.
    /// See [`Windows::validate`].
    pub const MAX_BLACKOUT: usize = 1000;
    /// How many days the next opening is searched for.
    /// See [`Windows::opens`].
    pub const LOOK_AHEAD: u16 = 400;

    /// Whether there is no start, no hours and no blackout date: always open.
    /// See [`Windows::opens`].
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.start.is_none() && self.hours.is_empty() && self.blackout.is_empty()
    }

    /// Checks the maxima and every part.
    ///
    /// # Errors
    /// `TOO_LARGE` above a maximum; `INVALID` for hours without a day, that begin at `24:00` or where they end,
    /// and for dates outside of the years 1 to 9999.
    ///
    /// ```
    /// use passes_core::calendar::{Hours, TimeOfDay, Weekday, Windows};
    /// let day = Hours { days: [Weekday::Mon].into(), from: TimeOfDay::START, to: TimeOfDay::END };
    /// let many = Windows { hours: vec![day.clone(); Windows::MAX_HOURS + 1], ..Windows::default() };
    /// assert_eq!(many.validate().unwrap_err().code(), "TOO_LARGE");
    /// let none = Windows { hours: vec![Hours { days: Default::default(), ..day }], ..Windows::default() };
    /// assert_eq!(none.validate().unwrap_err().code(), "INVALID");
    /// ```
    pub fn validate(&self) -> Result<(), Refusal> {
        at_most("windows.hours", self.hours.len(), Self::MAX_HOURS)?;
        at_most("windows.blackout", self.blackout.len(), Self::MAX_BLACKOUT)?;
        if let Some(start) = self.start {
            check_date("windows.start", start)?;
        }
        self.hours.iter().try_for_each(Hours::validate)?;
        self.blackout.iter().try_for_each(|date| check_date("windows.blackout", *date))
    }

    /// Whether it is open at an instant, in the calendar of a zone, and if not, when it opens next.
    ///
    /// Hours follow the clock on the wall: those in a gap of daylight saving don't occur, those in an hour that
    /// comes twice are open both times.
    ///
    /// ```
    /// use passes_core::calendar::{Instant, Opening, Windows, Zone, parse_date};
    /// let now = Instant::parse("2026-05-01T12:00:00Z")?;
    /// assert!(Windows::default().is_always());
    /// assert_eq!(Windows::default().opens(now, Zone::UTC), Opening::Open);
    /// let later = Windows { start: Some(parse_date("start", "2026-06-01")?), ..Windows::default() };
    /// let from = Instant::parse("2026-06-01T00:00:00Z")?;
    /// assert_eq!(later.opens(now, Zone::UTC), Opening::NotStarted { from });
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn opens(&self, now: Instant, zone: Zone) -> Opening {
        if self.is_always() {
            return Opening::Open;
        }
        if let Some(from) = self.start.map(|start| zone.start_of(start)).filter(|from| now < *from) {
            return Opening::NotStarted { from };
        }
        if self.open_at(zone.local(now)) {
            return Opening::Open;
        }
        Opening::Closed { next: self.next_opening(now, zone) }
    }

    /// Whether the hours and the blackout dates leave it open at what the clock shows.
    fn open_at(&self, local: LocalTime) -> bool {
        !self.blackout.contains(&local.date)
            && (self.hours.is_empty() || self.hours.iter().any(|hours| hours.open_at(local)))
    }

    /// The first instant after `now` at which it is open.
    fn next_opening(&self, now: Instant, zone: Zone) -> Option<Instant> {
        let mut day = zone.date_of(now);
        for _ in 0..=Self::LOOK_AHEAD {
            if !self.blackout.contains(&day) {
                let found = self.changes_on(day, zone).into_iter().filter(|at| now < *at);
                let found = found.filter(|at| self.open_at(zone.local(*at))).min();
                if found.is_some() {
                    return found;
                }
            }
            day = day.checked_add_days(Days::new(1))?;
        }
        None
    }

    /// The instants of a date at which it can turn open: its beginning, and where hours begin. On a date on which
    /// the clocks change that may be any minute.
    fn changes_on(&self, day: Date, zone: Zone) -> Vec<Instant> {
        let (start, end) = (zone.start_of(day), zone.end_of(day));
        let minutes = end.seconds_since(start) / 60;
        let after = |minute: i64| start.plus_seconds(minute * 60).ok();
        if minutes == i64::from(TimeOfDay::END.0) {
            let hours = self.hours.iter().map(|hours| i64::from(hours.from.0));
            std::iter::once(0).chain(hours).filter_map(after).collect()
        } else {
            (0..minutes).filter_map(after).collect()
        }
    }
}

fn at_most(field: &str, size: usize, largest: usize) -> Result<(), Refusal> {
    if size <= largest {
        return Ok(());
    }
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Err(Refusal::TooLarge { field: field.into(), size: count(size), largest: count(largest) })
}

fn no_time() -> Refusal {
    Refusal::invalid("time", "not a time of the day from 00:00 to 24:00")
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TimeOfDay {
    type Err = Refusal;

    /// Reads `09:00`: two digits, a colon, two digits.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let number = |digits: &str| {
            let two = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            two.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(no_time)?;
        match (number(hours), number(minutes)) {
            (Some(hours), Some(minutes)) if minutes < 60 => Self::from_minutes(hours * 60 + minutes),
            _ => Err(no_time()),
        }
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn windows(toml: &str) -> Windows {
        let windows: Windows = toml::from_str(toml).unwrap();
        windows.validate().unwrap();
        windows
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn closed_until(text: &str) -> Opening {
        Opening::Closed { next: Some(at(text)) }
    }

    /// P-4: before the start date, within and outside the hours, half-open.
    #[test]
    fn start_and_hours() {
        let windows = windows(
            r#"
            start = "2026-01-01"
            hours = [
                { days = ["mon", "tue", "wed", "thu", "fri"], from = "09:00", to = "12:00" },
                { days = ["mon", "tue", "wed", "thu", "fri"], from = "13:00", to = "17:30" },
                { days = ["sat"], from = "10:00", to = "24:00" },
            ]"#,
        );
        let berlin = zone("Europe/Berlin");
        for (now, expected) in [
            ("2025-12-31T22:59:59.999999Z", Opening::NotStarted { from: at("2025-12-31T23:00:00Z") }),
            ("2025-12-31T23:00:00Z", closed_until("2026-01-01T08:00:00Z")),
            ("2026-01-01T08:00:00Z", Opening::Open),
            ("2026-01-01T10:59:59.999999Z", Opening::Open),
            ("2026-01-01T11:00:00Z", closed_until("2026-01-01T12:00:00Z")),
            ("2026-01-02T16:29:59Z", Opening::Open),
            ("2026-01-02T16:30:00Z", closed_until("2026-01-03T09:00:00Z")),
            ("2026-01-03T22:59:59Z", Opening::Open),
            ("2026-01-03T23:00:00Z", closed_until("2026-01-05T08:00:00Z")),
        ] {
            assert_eq!(windows.opens(at(now), berlin), expected, "{now}");
        }
        assert_eq!(Windows::default().opens(at("2026-01-01T00:00:00Z"), berlin), Opening::Open);
        assert!(Windows::default().is_always() && !windows.is_always());
    }

    /// P-4: hours may cross midnight; they belong to the day on which they began, and stop at a blackout date.
    #[test]
    fn hours_across_midnight() {
        let night = r#"hours = [{ days = ["fri", "sun"], from = "22:00", to = "02:00" }]"#;
        let windows = windows(&format!("{night}\nblackout = [\"2026-05-16\", \"2026-05-24\"]"));
        for (now, expected) in [
            ("2026-05-08T22:00:00Z", Opening::Open), // Friday evening
            ("2026-05-09T01:59:00Z", Opening::Open),
            ("2026-05-09T02:00:00Z", closed_until("2026-05-10T22:00:00Z")),
            ("2026-05-11T00:30:00Z", Opening::Open), // Monday, from Sunday evening
            ("2026-05-15T23:59:59Z", Opening::Open),
            ("2026-05-16T00:00:00Z", closed_until("2026-05-17T22:00:00Z")), // blacked out
            ("2026-05-24T23:00:00Z", closed_until("2026-05-25T00:00:00Z")), // blacked out until its end
            ("2026-05-25T01:00:00Z", Opening::Open),
        ] {
            assert_eq!(windows.opens(at(now), Zone::UTC), expected, "{now}");
        }
    }

    /// P-4, B-2: hours go by the clock on the wall on days of daylight saving.
    #[test]
    fn hours_on_days_of_daylight_saving() {
        let (berlin, cairo, havana) = (zone("Europe/Berlin"), zone("Africa/Cairo"), zone("America/Havana"));
        let sundays = windows(r#"hours = [{ days = ["sun"], from = "02:30", to = "04:00" }]"#);
        // 02:30 doesn't exist on 29 March: it opens at the first instant after the gap.
        assert_eq!(sundays.opens(at("2026-03-28T12:00:00Z"), berlin), closed_until("2026-03-29T01:00:00Z"));
        // 02:30 to 03:00 comes twice on 25 October, and 02:00 to 02:30 is closed both times.
        assert_eq!(sundays.opens(at("2026-10-25T00:00:00Z"), berlin), closed_until("2026-10-25T00:30:00Z"));
        assert_eq!(sundays.opens(at("2026-10-25T00:59:59Z"), berlin), Opening::Open);
        assert_eq!(sundays.opens(at("2026-10-25T01:00:00Z"), berlin), closed_until("2026-10-25T01:30:00Z"));
        // 24 April begins at 01:00 in Cairo; the blackout ends there.
        let out = windows(r#"blackout = ["2026-04-23"]"#);
        assert_eq!(out.opens(at("2026-04-23T10:00:00Z"), cairo), closed_until("2026-04-23T22:00:00Z"));
        let early = windows(r#"hours = [{ days = ["fri"], from = "00:00", to = "00:59" }]"#);
        assert_eq!(early.opens(at("2026-04-23T10:00:00Z"), cairo), closed_until("2026-04-30T21:00:00Z"));
        // 1 November has its first hour twice in Havana: a blackout of the day before ends at the first midnight.
        let out = windows(r#"blackout = ["2026-10-31"]"#);
        assert_eq!(out.opens(at("2026-10-31T10:00:00Z"), havana), closed_until("2026-11-01T04:00:00Z"));
    }

    /// P-4: the next opening is searched for 400 days, no longer.
    #[test]
    fn the_search_is_bounded() {
        let first: Date = "2026-01-01".parse().unwrap();
        let blackout =
            |days: usize| Windows { blackout: first.iter_days().take(days).collect(), ..Windows::default() };
        let now = at("2026-01-01T12:00:00Z");
        assert_eq!(blackout(400).opens(now, Zone::UTC), closed_until("2027-02-05T00:00:00Z"));
        assert_eq!(blackout(401).opens(now, Zone::UTC), Opening::Closed { next: None });
        assert_eq!(blackout(1).opens(Instant::MAX, Zone::UTC), Opening::Open);
        let last =
            Windows { blackout: [Date::MAX, "9999-12-31".parse().unwrap()].into(), ..Windows::default() };
        assert!(matches!(last.opens(Instant::MAX, Zone::UTC), Opening::Closed { .. }));
    }

    /// Z-3, P-14: what is outside of the maxima or makes no sense is refused.
    #[test]
    fn bad_windows_are_refused() {
        for bad in [
            r#"hours = [{ days = [], from = "09:00", to = "17:00" }]"#,
            r#"hours = [{ days = ["mon"], from = "09:00", to = "09:00" }]"#,
            r#"hours = [{ days = ["mon"], from = "24:00", to = "09:00" }]"#,
            r#"start = "+12026-01-01""#,
        ] {
            let windows: Windows = toml::from_str(bad).unwrap();
            assert_eq!(windows.validate().unwrap_err().code(), "INVALID", "{bad}");
        }
        for bad in [
            r#"hours = [{ days = ["mon"], from = "9:00", to = "17:00" }]"#,
            r#"hours = [{ days = ["mon"], from = "09:00", to = "24:01" }]"#,
            r#"hours = [{ days = ["mon"], from = "09:60", to = "17:00" }]"#,
            r#"hours = [{ days = ["monday"], from = "09:00", to = "17:00" }]"#,
            r#"hours = [{ days = ["mon"], from = "09:00" }]"#,
            r#"blackouts = ["2026-12-25"]"#,
            r#"start = "2026-02-30""#,
        ] {
            assert!(toml::from_str::<Windows>(bad).is_err(), "{bad}");
        }
        let hours = Hours { days: [Weekday::Mon].into(), from: TimeOfDay::START, to: TimeOfDay::END };
        let many = Windows { hours: vec![hours; 101], ..Windows::default() };
        assert_eq!(many.validate().unwrap_err().code(), "TOO_LARGE");
        let first: Date = "2026-01-01".parse().unwrap();
        let many = Windows { blackout: first.iter_days().take(1001).collect(), ..Windows::default() };
        assert_eq!(many.validate().unwrap_err().code(), "TOO_LARGE");
    }

    /// P-14, Z-2: windows are written and read back the same, as TOML and as stored bytes.
    #[test]
    fn serde_round_trips() {
        let windows = windows(
            "start = \"2026-01-01\"\nhours = [{ days = [\"sun\", \"mon\"], from = \"22:00\", to = \"02:00\" }]\n\
             blackout = [\"2026-12-25\"]",
        );
        assert_eq!(toml::from_str::<Windows>(&toml::to_string(&windows).unwrap()).unwrap(), windows);
        let bytes = postcard::to_allocvec(&windows).unwrap();
        assert_eq!(postcard::from_bytes::<Windows>(&bytes).unwrap(), windows);
        assert_eq!(toml::from_str::<Windows>("").unwrap(), Windows::default());
    }

    fn any_windows() -> impl Strategy<Value = Windows> {
        const WEEK: [Weekday; 7] = [
            Weekday::Mon,
            Weekday::Tue,
            Weekday::Wed,
            Weekday::Thu,
            Weekday::Fri,
            Weekday::Sat,
            Weekday::Sun,
        ];
        let hours = (prop::sample::subsequence(WEEK.to_vec(), 1..=7), 0..96_u16, 0..=96_u16)
            .prop_filter("from is not to", |(_, from, to)| from != to)
            .prop_map(|(days, from, to)| Hours {
                days: days.into_iter().collect(),
                from: TimeOfDay(from * 15),
                to: TimeOfDay(to * 15),
            });
        let blackout = prop::collection::btree_set(0..8_usize, 0..4);
        (prop::collection::vec(hours, 0..3), blackout, 0..4_usize).prop_map(|(hours, blackout, which)| {
            let first: Date =
                ["2026-03-28", "2026-10-24", "2026-04-22", "2026-10-30"][which].parse().unwrap();
            let blackout = blackout.into_iter().map(|day| first.iter_days().nth(day).unwrap()).collect();
            Windows { start: None, hours, blackout }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        /// P-4, B-2: the next opening is open, and no minute before it is, around days of daylight saving.
        #[test]
        fn next_is_the_first_open_minute(
            windows in any_windows(),
            which in 0..5_usize,
            start in prop_oneof![Just("2026-03-28T00:00:00Z"), Just("2026-10-24T00:00:00Z"),
                                 Just("2026-04-22T00:00:00Z"), Just("2026-10-30T00:00:00Z")],
            minutes in 0..4000_i64,
        ) {
            let zone = zone(["Europe/Berlin", "Africa/Cairo", "America/Havana", "UTC", "Australia/Lord_Howe"][which]);
            windows.validate().unwrap();
            let now = at(start).plus_seconds(minutes * 60).unwrap();
            match windows.opens(now, zone) {
                Opening::Closed { next: Some(next) } => {
                    prop_assert_eq!(windows.opens(next, zone), Opening::Open);
                    let mut minute = now;
                    while minute < next {
                        prop_assert!(!windows.open_at(zone.local(minute)), "{} before {}", minute, next);
                        minute = minute.plus_seconds(60).unwrap();
                    }
                }
                Opening::Closed { next: None } => prop_assert!(false, "hours without an opening"),
                Opening::Open => prop_assert!(windows.open_at(zone.local(now))),
                Opening::NotStarted { .. } => prop_assert!(false, "there is no start"),
            }
        }
    }
}

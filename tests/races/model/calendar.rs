//! Local time by the rules that three zones have had for years, written down here: nothing of the library's.

use chrono::{Datelike, Days, Months, NaiveDate};
use passes_core::calendar::{Period, RunOn};
use serde::{Deserialize, Serialize};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Where the business is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Where {
    Utc,
    London,
    NewYork,
}

fn midnight(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * DAY
}

/// The n-th Sunday of a month; the last for 5.
fn sunday(year: i32, month: u32, n: u32) -> NaiveDate {
    let found = NaiveDate::from_weekday_of_month_opt(year, month, chrono::Weekday::Sun, n as u8);
    found.or_else(|| NaiveDate::from_weekday_of_month_opt(year, month, chrono::Weekday::Sun, 4)).unwrap()
}

impl Where {
    pub(crate) const ALL: [Self; 3] = [Self::Utc, Self::London, Self::NewYork];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::London => "Europe/London",
            Self::NewYork => "America/New_York",
        }
    }

    /// What is added to universal time: in winter, and at this instant.
    fn offset(self, at: i64) -> i64 {
        let year = NaiveDate::from_epoch_days(at.div_euclid(DAY) as i32).unwrap().year();
        let (winter, from, to) = match self {
            Self::Utc => return 0,
            // All of Europe at once, at one o'clock universal time.
            Self::London => {
                let at = |month| midnight(sunday(year, month, 5)) + HOUR;
                (0, at(3), at(10))
            }
            // At two o'clock local time.
            Self::NewYork => {
                let (spring, autumn) = (sunday(year, 3, 2), sunday(year, 11, 1));
                (-5 * HOUR, midnight(spring) + 7 * HOUR, midnight(autumn) + 6 * HOUR)
            }
        };
        if (from..to).contains(&at) { winter + HOUR } else { winter }
    }

    pub(crate) fn date_of(self, at: i64) -> NaiveDate {
        NaiveDate::from_epoch_days((at + self.offset(at)).div_euclid(DAY) as i32).unwrap()
    }

    /// The minute of the local day.
    pub(crate) fn minute_of(self, at: i64) -> i64 {
        (at + self.offset(at)).rem_euclid(DAY) / MINUTE
    }

    /// When a local day begins. In these zones every midnight comes once.
    pub(crate) fn start_of(self, date: NaiveDate) -> i64 {
        let local = midnight(date);
        let guess = local - self.offset(local);
        local - self.offset(guess)
    }

    /// When a local day is over.
    pub(crate) fn end_of(self, date: NaiveDate) -> i64 {
        self.start_of(date + Days::new(1))
    }

    /// When a period that begins now is over.
    pub(crate) fn end_after(self, now: i64, period: Period) -> i64 {
        let months = u32::from(period.years()) * 12 + u32::from(period.months());
        let days = u64::from(period.weeks()) * 7 + u64::from(period.days());
        let last = self.date_of(now) + Months::new(months) + Days::new(days);
        self.end_of(match period.run_on() {
            None => last,
            Some(RunOn::Month) => last.with_day(last.num_days_in_month().into()).unwrap(),
            Some(RunOn::Year) => NaiveDate::from_ymd_opt(last.year(), 12, 31).unwrap(),
        })
    }
}

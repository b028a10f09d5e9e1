//! The clock of the machine.

use passes_core::Clock;
use passes_core::calendar::Instant;
use std::time::SystemTime;

/// Tells the time of the machine. The default of a host.
///
/// It is as right as the machine's clock is: a machine that tells the wrong year lets passes expire in it. A
/// time outside of the years 1 to 9999 counts as the first or last instant there is.
///
/// ```
/// use passes_host::{Clock, SystemClock};
/// assert!(SystemClock.now().to_string() > "2024".to_owned());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        instant(SystemTime::now())
    }
}

/// The microsecond in which a moment lies.
fn instant(moment: SystemTime) -> Instant {
    let (micros, beyond) = match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_micros()), Instant::MAX),
        Err(before) => {
            let before = before.duration();
            let begun = before.as_nanos().div_ceil(1_000);
            (i64::try_from(begun).map(i64::wrapping_neg), Instant::MIN)
        }
    };
    micros.ok().and_then(|micros| Instant::from_micros(micros).ok()).unwrap_or(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// R-10, Z-1: any time that a machine can tell is an instant, before 1970 and beyond the calendar too.
    #[test]
    fn every_system_time_is_an_instant() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(instant(epoch).micros(), 0);
        assert_eq!(instant(epoch + Duration::from_nanos(1_999)).micros(), 1);
        assert_eq!(instant(epoch - Duration::from_nanos(1_001)).micros(), -2);
        assert_eq!(instant(epoch - Duration::from_micros(2)).micros(), -2);
        let eons = Duration::from_secs(400_000_000_000);
        assert_eq!(instant(epoch + eons), Instant::MAX);
        assert_eq!(instant(epoch - eons), Instant::MIN);
    }
}

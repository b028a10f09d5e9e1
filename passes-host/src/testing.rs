//! A clock that stands still and randomness that repeats, for the tests of a host.
//!
//! ```
//! use passes_host::calendar::Instant;
//! use passes_host::secret::Keyring;
//! use passes_host::testing::{FixedClock, SeededEntropy};
//! use passes_host::{Clock, Opener};
//! use std::sync::Arc;
//!
//! let clock = Arc::new(FixedClock::at(Instant::parse("2026-12-24T18:00:00Z")?));
//! let opener = Opener::new().clock(clock.clone()).entropy(Arc::new(SeededEntropy::new(7)));
//! let passes = opener.open("memory:", Keyring::from_master("test", &[7; 32])?).wait()?;
//! // … sell a pass, and a year later:
//! clock.set(Instant::parse("2027-12-24T18:00:00Z")?);
//! assert_eq!(clock.now().to_string(), "2027-12-24T18:00:00Z");
//! # let _ = passes;
//! # Ok::<(), passes_host::HostError>(())
//! ```

use passes_core::calendar::Instant;
use passes_core::{Clock, Entropy, Refusal};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A clock that shows what it was set to, until it is set again.
#[derive(Debug)]
pub struct FixedClock(Mutex<Instant>);

impl FixedClock {
    /// A clock that shows this instant.
    #[must_use]
    pub fn at(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets it, ahead or back.
    pub fn set(&self, now: Instant) {
        *self.lock() = now;
    }

    /// Moves it on by so many seconds, or back if below zero, and tells what it then shows.
    ///
    /// # Errors
    /// `INVALID` outside of the years 1 to 9999; it then stays.
    ///
    /// ```
    /// use passes_host::{calendar::Instant, testing::FixedClock};
    /// let clock = FixedClock::at(Instant::EPOCH);
    /// assert_eq!(clock.advance(3_600)?.to_string(), "1970-01-01T01:00:00Z");
    /// # Ok::<(), passes_host::Refusal>(())
    /// ```
    pub fn advance(&self, seconds: i64) -> Result<Instant, Refusal> {
        let mut now = self.lock();
        *now = now.plus_seconds(seconds)?;
        Ok(*now)
    }

    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        *self.lock()
    }
}

/// Randomness that anybody can repeat who knows the number it was made from: the same commands in the same
/// order then give the same ids and codes. **For tests only**: whoever guesses the number knows every code.
///
/// ```
/// use passes_host::{Entropy, testing::SeededEntropy};
/// assert_eq!(SeededEntropy::new(7).seed()?, SeededEntropy::new(7).seed()?);
/// # Ok::<(), String>(())
/// ```
pub struct SeededEntropy(Mutex<ChaCha20Rng>);

impl SeededEntropy {
    /// Randomness from this number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mut seed = [0; 32];
        seed.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
        Self(Mutex::new(ChaCha20Rng::from_seed(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn seed(&self) -> Result<[u8; 32], String> {
        let mut seed = [0; 32];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut seed);
        Ok(seed)
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededEntropy(..)")
    }
}

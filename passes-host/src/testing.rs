//! A clock that stands still, randomness that repeats and a small shop, for the tests of a host.
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

use passes_core::business::Settings;
use passes_core::calendar::Instant;
use passes_core::contact::{Medium, Profile};
use passes_core::id::{ContactId, LotId, PassId, PlanId};
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::passcode::{Format, Passcode};
use passes_core::plan::{Caps, Classification, Form, Spec, Terms, Translated};
use passes_core::secret::Keyring;
use passes_core::service::{Deal, Generate, Redeem};
use passes_core::store::memory::Memory;
use passes_core::{Clock, Entropy, Error, Passes, Refusal};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// A small shop in London to try things in, in memory: a plan of printed gift cards, one lot of them, and Ann.
///
/// Its clock stands at 1 May 2026, 12:00 UTC, and its randomness repeats.
///
/// ```
/// use passes_host::service::Redeem;
/// use passes_host::testing::Shop;
/// let shop = Shop::open()?;
/// let code = shop.sold(1)?;
/// let taken = shop.passes.redeem(&shop.by, Redeem::into_wallet(code, shop.ann)).wait()?;
/// assert_eq!(taken.amount, Shop::gbp("25")?);
/// # Ok::<(), passes_host::Error>(())
/// ```
pub struct Shop {
    /// The library, open.
    pub passes: Passes,
    /// The owner, with every right.
    pub by: By,
    /// The clock.
    pub clock: Arc<FixedClock>,
    /// The plan: printed gift cards of 25 pounds, for ever.
    pub plan: PlanId,
    /// A lot of ten of them, complete and exported; none is sold.
    pub lot: LotId,
    /// Their codes, in the order of their serial numbers.
    pub codes: Vec<Passcode>,
    /// A contact.
    pub ann: ContactId,
}

impl Shop {
    /// Opens it.
    ///
    /// # Errors
    /// None, unless the library is broken.
    pub fn open() -> Result<Self, Error> {
        let clock = Arc::new(FixedClock::at(Instant::parse("2026-05-01T12:00:00Z")?));
        let (store, entropy) = (Arc::new(Memory::new()), Arc::new(SeededEntropy::new(1)));
        let keyring = Keyring::from_master("shop", &[7; 32])?;
        let passes = Passes::open(store, keyring, clock.clone(), entropy).wait()?;
        let owner = Actor::new("owner", Rights::all())?;
        let settings = Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB")?;
        let by = By::new(passes.create_business(&owner, settings).wait()?, owner);
        let ann = Profile::named("Ann", Medium::Email("ann@example.org".into()));
        let ann = passes.create_contact(&by, ann).wait()?.done;
        let plan = active(&passes, &by, Terms::fixed(Classification::Gift, Form::Printed, Self::gbp("25")?))?;
        let lot = printed(&passes, &by, plan, 10)?;
        passes.export(&by, lot).wait()?;
        let codes = passes.export_page(&by, lot, 0, 10).wait()?.into_iter().map(|row| row.code).collect();
        Ok(Self { passes, by, clock, plan, lot, codes, ann })
    }

    /// An amount in pounds.
    ///
    /// # Errors
    /// As [`Money::parse`].
    pub fn gbp(amount: &str) -> Result<Money, Refusal> {
        Money::parse(amount, Currency::GBP)
    }

    /// All that is said of a plan of these terms: its name is `Gift card`.
    #[must_use]
    pub fn spec(terms: Terms) -> Spec {
        Spec {
            name: [("en-GB".to_owned(), "Gift card".to_owned())].into(),
            description: Translated::new(),
            terms,
            code: Format::default(),
            caps: Caps::default(),
        }
    }

    /// A new plan of these terms, active.
    ///
    /// # Errors
    /// As [`Passes::create_plan`].
    pub fn active(&self, terms: Terms) -> Result<PlanId, Error> {
        active(&self.passes, &self.by, terms)
    }

    /// A new lot of so many passes, complete.
    ///
    /// # Errors
    /// As [`Passes::generate`].
    pub fn printed(&self, plan: PlanId, count: u32) -> Result<LotId, Error> {
        printed(&self.passes, &self.by, plan, count)
    }

    /// The card with this serial number, 1 to 10.
    #[must_use]
    pub fn card(&self, serial: u32) -> PassId {
        self.lot.pass(serial)
    }

    /// Sells a card for its value, and gives its code.
    ///
    /// # Errors
    /// As [`Passes::sell`]; `NOT_FOUND` for another serial number than 1 to 10.
    pub fn sold(&self, serial: u32) -> Result<Passcode, Error> {
        let card = self.card(serial);
        self.passes.sell(&self.by, card, Deal::at(Self::gbp("25")?)).wait()?;
        let place = usize::try_from(serial).unwrap_or(0).saturating_sub(1);
        let missing = || Refusal::NotFound { what: "pass", id: card.to_string() };
        Ok(self.codes.get(place).cloned().ok_or_else(missing)?)
    }

    /// Sells a card, and redeems it into Ann's wallet.
    ///
    /// # Errors
    /// As [`Shop::sold`].
    pub fn credited(&self, serial: u32) -> Result<(), Error> {
        let request = Redeem::into_wallet(self.sold(serial)?, self.ann);
        self.passes.redeem(&self.by, request).wait().map(drop)
    }
}

fn active(passes: &Passes, by: &By, terms: Terms) -> Result<PlanId, Error> {
    let plan = passes.create_plan(by, Shop::spec(terms)).wait()?.done;
    passes.activate_plan(by, plan).wait()?;
    Ok(plan)
}

fn printed(passes: &Passes, by: &By, plan: PlanId, count: u32) -> Result<LotId, Error> {
    let started = passes.generate(by, Generate { plan, count, accept_weak: false }).wait()?;
    passes.finish_run(by, started.run).wait()?;
    Ok(started.lot)
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shop(..)")
    }
}

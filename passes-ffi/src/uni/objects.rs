//! What is a handle, not a value: the library, keys, and a clock for tests.

use super::error::PassesError;
use super::leaf::Instant;
use passes_host::secret::Keyring as CoreKeyring;
use passes_host::testing::{FixedClock, SeededEntropy};
use passes_host::{HostError, Opener, Refusal};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The keys of a store, which never enter it. Nothing of them can be seen from here.
#[derive(uniffi::Object)]
pub struct Keyring(CoreKeyring);

impl Keyring {
    /// The keys, for the library.
    pub(super) fn core(&self) -> CoreKeyring {
        self.0.clone()
    }
}

#[uniffi::export]
impl Keyring {
    /// Reads a keyring from a file, which must be its owner's alone.
    ///
    /// Errors: `KEYRING_UNREADABLE`, `KEYRING_OPEN_TO_OTHERS`, `KEY_MALFORMED`.
    #[uniffi::constructor]
    pub fn from_file(path: String) -> Result<Self, PassesError> {
        Ok(Self(passes_host::keyring_from_file(path)?))
    }

    /// Makes a file with a new keyring, once, ever. Keep a copy away from the copies of the database.
    ///
    /// Errors: `KEYRING_EXISTS` where there is a file, `KEYRING_UNREADABLE` where none can be made.
    #[uniffi::constructor]
    pub fn create_file(path: String) -> Result<Self, PassesError> {
        Ok(Self(passes_host::create_keyring_file(path)?))
    }

    /// Reads a keyring from an environment variable.
    ///
    /// Errors: `KEYRING_NOT_SET`, `KEYRING_UNREADABLE`, `KEY_MALFORMED`.
    #[uniffi::constructor]
    pub fn from_environment(variable: String) -> Result<Self, PassesError> {
        Ok(Self(passes_host::keyring_from_env(&variable)?))
    }

    /// Reads a keyring's text, from a secret manager for instance: on each line a purpose, an id and 64 hexadecimal
    /// digits.
    ///
    /// Errors: `KEY_MALFORMED`, naming the line.
    #[uniffi::constructor]
    pub fn parse(text: String) -> Result<Self, PassesError> {
        let text = Zeroizing::new(text);
        Ok(Self(CoreKeyring::parse(&text).map_err(HostError::from)?))
    }

    /// Derives a keyring from one master key of 32 bytes: a key for each purpose, all under this id.
    ///
    /// Errors: `KEY_MALFORMED` for an id that is none, `INVALID` for another number of bytes.
    #[uniffi::constructor]
    pub fn from_master(id: String, master: Vec<u8>) -> Result<Self, PassesError> {
        let master = Zeroizing::new(master);
        let bytes = <&[u8; 32]>::try_from(master.as_slice())
            .map_err(|_| Refusal::invalid("master", "a master key has 32 bytes"))?;
        Ok(Self(CoreKeyring::from_master(&id, bytes).map_err(HostError::from)?))
    }
}

/// A clock that shows what it was set to: for tests.
#[derive(uniffi::Object)]
pub struct TestClock(Arc<FixedClock>);

#[uniffi::export]
impl TestClock {
    /// A clock that shows this instant.
    ///
    /// Errors: `INVALID` outside of the years 1 to 9999.
    #[uniffi::constructor]
    pub fn at(now: Instant) -> Result<Self, PassesError> {
        Ok(Self(Arc::new(FixedClock::at(now))))
    }

    /// Sets it, ahead or back.
    ///
    /// Errors: `INVALID` outside of the years 1 to 9999.
    pub fn set(&self, now: Instant) -> Result<(), PassesError> {
        self.0.set(now);
        Ok(())
    }

    /// Moves it on by so many seconds, or back if below zero.
    ///
    /// Errors: `INVALID` outside of the years 1 to 9999; it then stays.
    pub fn advance(&self, seconds: i64) -> Result<(), PassesError> {
        self.0.advance(seconds)?;
        Ok(())
    }
}

/// The library, opened on a store. Its methods wait for their answer; `asynchronous` has the same for callers that
/// must not block. It works from many threads at once.
#[derive(uniffi::Object)]
pub struct Passes {
    pub(super) passes: passes_host::Passes,
}

/// The library, opened on a store, for callers that must not block: each method suspends until its answer is there.
#[derive(uniffi::Object)]
pub struct AsyncPasses {
    pub(super) passes: passes_host::Passes,
}

#[uniffi::export]
impl Passes {
    /// Opens the library on the store at an address: a path for a file of SQLite, `memory:` for a store that ends
    /// with the program, `postgres://…` for a database of PostgreSQL.
    ///
    /// Errors: `STORE_UNKNOWN` for any other address, `KEY_MISSING` and `KEY_WRONG` with the id of the key, and those
    /// of the store.
    #[uniffi::constructor]
    pub fn open(address: String, keyring: Arc<Keyring>) -> Result<Self, PassesError> {
        let passes = passes_host::open(&address, keyring.0.clone()).wait()?;
        Ok(Self { passes })
    }

    /// Opens the library with a clock that is set by hand and randomness that repeats, so that the same commands
    /// give the same ids and codes. For tests only: whoever guesses the seed knows every code.
    #[uniffi::constructor]
    pub fn open_for_tests(
        address: String,
        keyring: Arc<Keyring>,
        clock: Arc<TestClock>,
        seed: i64,
    ) -> Result<Self, PassesError> {
        let entropy = Arc::new(SeededEntropy::new(seed.cast_unsigned()));
        let opener = Opener::new().clock(clock.0.clone()).entropy(entropy);
        let passes = opener.open(&address, keyring.0.clone()).wait()?;
        Ok(Self { passes })
    }

    /// The same library, for callers that must not block.
    pub fn asynchronous(&self) -> AsyncPasses {
        AsyncPasses { passes: self.passes.clone() }
    }
}

#[uniffi::export]
impl AsyncPasses {
    /// Opens the library on the store at an address; see `Passes.open`.
    #[uniffi::constructor]
    pub async fn open(address: String, keyring: Arc<Keyring>) -> Result<Self, PassesError> {
        let passes = passes_host::open(&address, keyring.0.clone()).await?;
        Ok(Self { passes })
    }

    /// The same library, for callers that may block.
    pub fn blocking(&self) -> Passes {
        Passes { passes: self.passes.clone() }
    }
}

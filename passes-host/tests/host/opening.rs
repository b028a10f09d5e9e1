//! Opening a store with the keys it was made with, and without them.

use crate::{gift_card, keyring, owner, settings};
use passes_host::calendar::Instant;
use passes_host::id::BusinessId;
use passes_host::operation::By;
use passes_host::secret::{KeyError, Keyring, Purpose};
use passes_host::store::memory::Memory;
use passes_host::testing::{FixedClock, SeededEntropy};
use passes_host::{Error, HostError, Opener, Passes, open};
use std::sync::Arc;

/// Opens the same store with one keyring after the other.
pub(crate) fn reopened(reopen: impl Fn(Keyring) -> Result<Passes, HostError>) {
    let business = {
        let passes = reopen(keyring("spring", 1)).unwrap();
        passes.create_business(&owner(), settings()).wait().unwrap()
    };

    let missing = reopen(keyring("autumn", 1)).err().unwrap();
    assert_eq!(missing.code(), "KEY_MISSING");
    assert!(missing.to_string().contains("spring"), "{missing}");
    let HostError::Core(Error::Key(KeyError::Missing { id, .. })) = missing else { panic!("{missing:?}") };
    assert_eq!(id.as_str(), "spring");

    let wrong = reopen(keyring("spring", 2)).err().unwrap();
    assert_eq!(wrong.code(), "KEY_WRONG");
    assert!(wrong.to_string().contains("spring"), "{wrong}");

    // One key of several is enough to stop it.
    let mut part = Keyring::builder();
    for purpose in [Purpose::Digest, Purpose::Fingerprint] {
        let whole = keyring("spring", 1);
        part = part.key(purpose, "spring", *whole.current(purpose).unwrap().1.reveal());
    }
    let part = reopen(part.build().unwrap()).err().unwrap();
    assert_eq!((part.code(), part.to_string().contains("seal key spring")), ("KEY_MISSING", true), "{part}");

    // The right keys open it again, also where newer ones have become current.
    let both = format!("{}{}", *keyring("spring", 1).reveal_text(), *keyring("autumn", 2).reveal_text());
    let passes = reopen(Keyring::parse(&both.replace(" current", "")).unwrap()).unwrap();
    let by = By::new(business, owner());
    assert_eq!(passes.settings(&by).wait().unwrap(), settings());
}

/// C-14: a store in memory opened with a keyring that lacks its key, or has another under its id, is an error
/// that names the id.
#[test]
fn a_memory_store_asks_for_its_keys() {
    let store = Memory::new();
    reopened(|keyring| Opener::new().open_on(Arc::new(store.clone()), keyring).wait());
}

/// C-14: a keyring without a key for each purpose can't make a store.
#[test]
fn a_new_store_needs_a_key_for_each_purpose() {
    let part = Keyring::builder().key(Purpose::Digest, "d1", [1; 32]).build().unwrap();
    let error = open("memory:", part).wait().err().unwrap();
    assert_eq!(error.code(), "KEY_MISSING");
    assert!(error.to_string().contains("seal"), "{error}");
}

/// commands count at the instant that the host's clock tells, and what its randomness gives is all there
/// is: the same clock and randomness make the same ids, others make others.
#[test]
fn clock_and_randomness_are_the_hosts() {
    let noon = Instant::parse("2026-12-24T12:00:00Z").unwrap();
    let made = |number| -> (BusinessId, Instant, Instant) {
        let clock = Arc::new(FixedClock::at(noon));
        let opener = Opener::new().clock(clock.clone()).entropy(Arc::new(SeededEntropy::new(number)));
        let passes = opener.open("memory:", keyring("m1", 1)).wait().unwrap();
        let business = passes.create_business(&owner(), settings()).wait().unwrap();
        let by = By::new(business, owner());
        let first = passes.create_plan(&by, gift_card()).wait().unwrap();
        clock.advance(90).unwrap();
        let second = passes.activate_plan(&by, first.done).wait().unwrap();
        (business, first.at, second.at)
    };
    let (business, first, second) = made(1);
    assert_eq!((first, second), (noon, noon.plus_seconds(90).unwrap()));
    assert_eq!(made(1).0, business);
    assert_ne!(made(2).0, business);
}

/// C-3: where the host's randomness fails, nothing is made.
#[test]
fn no_randomness_is_an_error() {
    struct Dry;
    impl passes_host::Entropy for Dry {
        fn seed(&self) -> Result<[u8; 32], String> {
            Err("the source is dry".into())
        }
    }
    let passes = Opener::new().entropy(Arc::new(Dry)).open("memory:", keyring("m1", 1)).wait().unwrap();
    let error = passes.create_business(&owner(), settings()).wait().unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("the source is dry")), ("NO_RANDOMNESS", true));
}

//! One key: what it is for, its name, its bytes.

use super::KeyError;
use super::hex;
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::fmt;
use std::str::FromStr;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What a key is for. No key serves two purposes.
///
/// ```
/// use passes_core::secret::Purpose;
/// let names: Vec<&str> = Purpose::ALL.iter().map(|purpose| purpose.as_str()).collect();
/// assert_eq!(names, ["digest", "seal", "fingerprint"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Purpose {
    /// The digests under which codes are looked up (C-7).
    Digest,
    /// What is stored sealed: lot seeds, codes, PINs that wait for their delivery (C-7).
    Seal,
    /// The fingerprints of requests (R-5).
    Fingerprint,
}

impl Purpose {
    /// Every purpose there is.
    /// See [`Purpose`].
    pub const ALL: &'static [Self] = &[Self::Digest, Self::Seal, Self::Fingerprint];

    /// Its name in a keyring's text.
    /// See [`Purpose`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Seal => "seal",
            Self::Fingerprint => "fingerprint",
        }
    }

    /// The context under which a master key gives the key of this purpose. It never changes.
    pub(super) const fn master_context(self) -> &'static str {
        match self {
            Self::Digest => "passes 2026 master key, digest",
            Self::Seal => "passes 2026 master key, seal",
            Self::Fingerprint => "passes 2026 master key, fingerprint",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a key: 1 to 32 of `a-z`, `0-9`, `_` and `-`. It is stored beside what the key made, and is no secret.
///
/// ```
/// use passes_core::secret::KeyId;
/// let id: KeyId = "d1".parse()?;
/// assert_eq!(id.as_str(), "d1");
/// assert!("D 1".parse::<KeyId>().is_err());
/// # Ok::<(), passes_core::secret::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// The id as text.
    /// See [`KeyId`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    /// Fails with `KEY_MALFORMED`, without repeating the text: it could be a key in the wrong place.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.into()))
        } else {
            Err(KeyError::Malformed { line: 1, why: "an id has 1 to 32 of a-z, 0-9, _ and -" })
        }
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key: 32 bytes. It wipes itself when dropped; `Debug` says nothing.
///
/// ```
/// use passes_core::secret::Key;
/// let key = Key::from_bytes([7; 32]);
/// assert_eq!((key.reveal(), key.reveal_hex().as_str()), (&[7; 32], "07".repeat(32).as_str()));
/// assert_eq!(format!("{key:?}"), "Key(..)");
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from its bytes.
    /// See [`Key`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key.
    ///
    /// ```
    /// use passes_core::secret::Key;
    /// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    /// let key = Key::generate(&mut ChaCha20Rng::from_seed([7; 32])); // The host's randomness.
    /// assert_ne!(key.reveal(), &[0; 32]);
    /// ```
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// The bytes. They are the secret.
    /// See [`Key`].
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes as 64 hexadecimal digits. They are the secret.
    /// See [`Key`].
    #[must_use]
    pub fn reveal_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(&self.0))
    }

    /// Eight bytes that tell this key from another and nothing else of it; see [`Keyring::check_value`].
    pub(super) fn check_value(&self) -> [u8; 8] {
        let hash = blake3::keyed_hash(&self.0, b"passes 2026 key check value");
        let mut value = [0; 8];
        value.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        value
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

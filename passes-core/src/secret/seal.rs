//! What is stored so that only the key opens it (C-7).

use super::hex;
use super::{KeyError, KeyId, Keyring, Purpose};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// Something sealed with XChaCha20-Poly1305: unreadable, and unchangeable, without the key.
///
/// In JSON and TOML nonce and ciphertext are hexadecimal texts, in binary formats bytes.
/// See [`seal`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    key: KeyId,
    #[serde(with = "text")]
    nonce: [u8; 24],
    #[serde(with = "text")]
    ciphertext: Vec<u8>,
}

/// Seals with the current key of purpose [`Seal`](Purpose::Seal).
///
/// The nonce must be random: 24 bytes of a cryptographic generator never come twice. `aad` says what is sealed
/// and where it belongs (business, lot); opening it elsewhere, under another one, fails.
///
/// # Errors
///
/// `KEY_MISSING` if the keyring has no such key.
///
/// ```
/// use passes_core::secret::{Keyring, seal};
/// let keyring = Keyring::from_master("m1", &[1; 32])?;
/// let sealed = seal(&keyring, [7; 24], b"lot 5", b"7KQ2M9XW")?;
/// assert_eq!(sealed.open(&keyring, b"lot 5")?.as_slice(), b"7KQ2M9XW");
/// assert_eq!(sealed.open(&keyring, b"lot 6").unwrap_err().code(), "KEY_WRONG");
/// # Ok::<(), passes_core::secret::KeyError>(())
/// ```
pub fn seal(keyring: &Keyring, nonce: [u8; 24], aad: &[u8], plain: &[u8]) -> Result<Sealed, KeyError> {
    let (id, key) = keyring.require_current(Purpose::Seal)?;
    let ciphertext = XChaCha20Poly1305::new(key.reveal().into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
        // Only a text of 256 GiB or more can't be encrypted.
        .map_err(|_| KeyError::Malformed { line: 1, why: "too much to seal" })?;
    Ok(Sealed { key: id.clone(), nonce, ciphertext })
}

impl Sealed {
    /// Opens it with the key that sealed it.
    /// See [`seal`].
    ///
    /// # Errors
    ///
    /// `KEY_MISSING` with the id if the keyring lacks that key; `KEY_WRONG` if another key has its id, if `aad` is
    /// not what it was, or if what is stored has been altered.
    pub fn open(&self, keyring: &Keyring, aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let key = keyring.require(Purpose::Seal, &self.key)?;
        XChaCha20Poly1305::new(key.reveal().into())
            .decrypt(&XNonce::from(self.nonce), Payload { msg: &self.ciphertext, aad })
            .map(Zeroizing::new)
            .map_err(|_| KeyError::Wrong { purpose: Purpose::Seal, id: self.key.clone() })
    }

    /// The id of the key that sealed it.
    ///
    /// ```
    /// use passes_core::secret::{Keyring, seal};
    /// let sealed = seal(&Keyring::from_master("m1", &[1; 32])?, [7; 24], b"lot 5", b"7KQ2M9XW")?;
    /// assert_eq!(sealed.key_id().as_str(), "m1");
    /// # Ok::<(), passes_core::secret::KeyError>(())
    /// ```
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({}, {} bytes)", self.key, self.ciphertext.len())
    }
}

/// Bytes as hexadecimal text where people read, as bytes elsewhere.
mod text {
    use super::{Deserialize, Deserializer, Serializer, hex};
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(bytes: impl AsRef<[u8]>, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.serialize_str(&hex::encode(bytes.as_ref()))
        } else {
            serde::Serialize::serialize(bytes.as_ref(), to)
        }
    }

    pub(super) fn deserialize<'de, D, B>(from: D) -> Result<B, D::Error>
    where
        D: Deserializer<'de>,
        B: TryFrom<Vec<u8>>,
    {
        let bytes = if from.is_human_readable() {
            hex::decode(&String::deserialize(from)?)
        } else {
            Some(Vec::deserialize(from)?)
        };
        bytes.and_then(|bytes| B::try_from(bytes).ok()).ok_or_else(|| D::Error::custom("not what was sealed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(id: &str, byte: u8) -> Keyring {
        Keyring::builder().key(Purpose::Seal, id, [byte; 32]).build().unwrap()
    }

    /// C-7: only the same key and place open it, and a single altered bit is noticed.
    #[test]
    fn opens_for_its_key_only() {
        let ring = keyring("s1", 1);
        let sealed = seal(&ring, [3; 24], b"lot 1", b"seed").unwrap();
        assert_eq!(sealed.key_id().as_str(), "s1");
        assert_eq!(sealed.open(&ring, b"lot 1").unwrap().as_slice(), b"seed");
        assert_eq!(sealed.open(&ring, b"lot 2").unwrap_err().code(), "KEY_WRONG");
        assert_eq!(sealed.open(&keyring("s1", 2), b"lot 1").unwrap_err().code(), "KEY_WRONG");
        let error = sealed.open(&keyring("s2", 1), b"lot 1").unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("s1")), ("KEY_MISSING", true));
        for bit in 0..sealed.ciphertext.len() * 8 {
            let mut altered = sealed.clone();
            altered.ciphertext[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(altered.open(&ring, b"lot 1").unwrap_err().code(), "KEY_WRONG");
        }
        let digest_only = Keyring::builder().key(Purpose::Digest, "s1", [1; 32]).build().unwrap();
        assert_eq!(seal(&digest_only, [0; 24], b"", b"").unwrap_err().code(), "KEY_MISSING");
        assert_eq!(sealed.open(&digest_only, b"lot 1").unwrap_err().code(), "KEY_MISSING");
    }

    /// C-7: an older key opens what it sealed after a newer one has become current.
    #[test]
    fn rotated_keys() {
        let old = seal(&keyring("s1", 1), [3; 24], b"", b"seed").unwrap();
        let ring = Keyring::builder().key(Purpose::Seal, "s1", [1; 32]).key(Purpose::Seal, "s2", [2; 32]);
        let ring = ring.build().unwrap();
        assert_eq!(old.open(&ring, b"").unwrap().as_slice(), b"seed");
        assert_eq!(seal(&ring, [4; 24], b"", b"seed").unwrap().key_id().as_str(), "s2");
    }

    #[test]
    fn stored_both_ways() {
        let ring = keyring("s1", 1);
        let sealed = seal(&ring, [3; 24], b"", &[9; 32]).unwrap();
        let json = serde_json::to_string(&sealed).unwrap();
        assert!(json.contains(&"03".repeat(24)), "{json}");
        assert_eq!(serde_json::from_str::<Sealed>(&json).unwrap(), sealed);
        let bytes = postcard::to_allocvec(&sealed).unwrap();
        assert!(bytes.len() < 90, "{}", bytes.len());
        assert_eq!(postcard::from_bytes::<Sealed>(&bytes).unwrap(), sealed);
        assert!(serde_json::from_str::<Sealed>(&json.replace("0303", "03")).is_err());
        assert!(serde_json::from_str::<Sealed>(&json.replace("0303", "zz")).is_err());
    }
}

//! The keys of a host, by purpose and id (C-7, C-14).

use super::hex;
use super::key::{Key, KeyId, Purpose};
use constant_time_eq::constant_time_eq;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// What is wrong with a key or a keyring. It never shows a key.
///
/// ```
/// use passes_core::secret::Keyring;
/// let error = Keyring::parse("digest d1 0a0a").unwrap_err();
/// assert_eq!(error.code(), "KEY_MALFORMED");
/// assert!(error.to_string().starts_with("line 1 of the keyring"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Something was made with a key that the keyring doesn't have.
    #[error("the {purpose} key {id} is not in the keyring")]
    Missing {
        /// What the key is for.
        purpose: Purpose,
        /// Its name.
        id: KeyId,
    },
    /// The keyring has no key at all for a purpose.
    #[error("the keyring has no {purpose} key")]
    NoneFor {
        /// What a key is needed for.
        purpose: Purpose,
    },
    /// The keyring has another key under that name, or what was sealed has been altered.
    #[error("the {purpose} key {id} is another one than it was, or what it sealed has been altered")]
    Wrong {
        /// What the key is for.
        purpose: Purpose,
        /// Its name.
        id: KeyId,
    },
    /// The text of a keyring, or a key given to a builder, can't be read.
    #[error("line {line} of the keyring can't be used: {why}")]
    Malformed {
        /// The line, or the number of the key in a builder, from 1.
        line: usize,
        /// The reason.
        why: &'static str,
    },
}

impl KeyError {
    /// The stable, machine-readable code: `KEY_MISSING`, `KEY_WRONG` or `KEY_MALFORMED`.
    /// See [`KeyError`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::NoneFor { .. } => "KEY_MISSING",
            Self::Wrong { .. } => "KEY_WRONG",
            Self::Malformed { .. } => "KEY_MALFORMED",
        }
    }
}

#[derive(Clone)]
struct Entry {
    purpose: Purpose,
    id: KeyId,
    key: Key,
    current: bool,
}

/// The keys of a host: one or more for each purpose, one of them current. It never enters a store.
///
/// What is written uses the current key and notes its id; what was written before is read with the key of its id.
/// `Debug` prints the ids.
///
/// ```
/// use passes_core::secret::{Keyring, Purpose};
/// let text = format!("# 2026\ndigest d1 {}\nseal s1 {}\n", "0a".repeat(32), "0b".repeat(32));
/// let keyring = Keyring::parse(&text)?;
/// let (id, _key) = keyring.current(Purpose::Digest).unwrap();
/// assert_eq!(id.as_str(), "d1");
/// # Ok::<(), passes_core::secret::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Keyring(Vec<Entry>);

impl Keyring {
    /// A keyring built key by key.
    ///
    /// ```
    /// use passes_core::secret::{Keyring, Purpose};
    /// let keyring = Keyring::builder()
    ///     .key(Purpose::Digest, "d1", [1; 32])
    ///     .current()
    ///     .key(Purpose::Digest, "d2", [2; 32])
    ///     .build()?;
    /// assert_eq!(keyring.current(Purpose::Digest).unwrap().0.as_str(), "d1");
    /// # Ok::<(), passes_core::secret::KeyError>(())
    /// ```
    pub fn builder() -> KeyringBuilder {
        KeyringBuilder { entries: Vec::new(), chosen: Vec::new(), error: None }
    }

    /// Reads a keyring's text: on each line a purpose, an id and 64 hexadecimal digits, such as `digest d1 0a0a…`.
    /// The last key of a purpose is current unless the word `current` follows another. A `#` begins a comment.
    /// See [`Keyring`], and [`Keyring::reveal_text`] for the way back.
    ///
    /// # Errors
    ///
    /// `KEY_MALFORMED` with line and reason; nothing of the line is repeated.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut builder = Self::builder();
        for (number, line) in text.lines().enumerate() {
            let malformed = |why| KeyError::Malformed { line: number + 1, why };
            let line = line.split_once('#').map_or(line, |(before, _)| before);
            let mut words = line.split_whitespace();
            let Some(purpose) = words.next() else { continue };
            let purpose = Purpose::ALL.iter().find(|p| p.as_str() == purpose);
            let purpose = purpose.ok_or_else(|| malformed("it doesn't begin with a purpose"))?;
            let (Some(id), Some(digits)) = (words.next(), words.next()) else {
                return Err(malformed("purpose, id and key are needed"));
            };
            let key =
                hex::decode_array(digits).ok_or_else(|| malformed("a key has 64 hexadecimal digits"))?;
            builder = builder.add(number + 1, *purpose, id, Key::from_bytes(key));
            match (words.next(), words.next()) {
                (None, _) => {}
                (Some("current"), None) => builder = builder.choose(number + 1),
                _ => return Err(malformed("only the word current may follow the key")),
            }
        }
        builder.build()
    }

    /// A keyring derived from one master key: a key for each purpose, all under the same id.
    ///
    /// # Errors
    ///
    /// `KEY_MALFORMED` for an id that is none.
    ///
    /// ```
    /// use passes_core::secret::{Keyring, Purpose};
    /// let keyring = Keyring::from_master("m1", &[7; 32])?;
    /// assert!(Purpose::ALL.iter().all(|purpose| keyring.current(*purpose).is_some()));
    /// assert_eq!(format!("{keyring:?}").matches("m1 current").count(), 3);
    /// # Ok::<(), passes_core::secret::KeyError>(())
    /// ```
    pub fn from_master(id: &str, master: &[u8; 32]) -> Result<Self, KeyError> {
        Self::for_each_purpose(id, |purpose| {
            Key::from_bytes(blake3::derive_key(purpose.master_context(), master))
        })
    }

    /// A new keyring: a random key for each purpose, all under the same id. Keep it:
    /// [`reveal_text`](Keyring::reveal_text) gives what [`parse`](Keyring::parse) reads.
    ///
    /// # Errors
    ///
    /// `KEY_MALFORMED` for an id that is none.
    ///
    /// ```
    /// use passes_core::secret::{Keyring, Purpose};
    /// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    /// let keyring = Keyring::generate("k1", &mut ChaCha20Rng::from_seed([7; 32]))?;
    /// assert_eq!(keyring.require_current(Purpose::Seal)?.0.as_str(), "k1");
    /// # Ok::<(), passes_core::secret::KeyError>(())
    /// ```
    pub fn generate<R: CryptoRng + ?Sized>(id: &str, rng: &mut R) -> Result<Self, KeyError> {
        Self::for_each_purpose(id, |_| Key::generate(rng))
    }

    fn for_each_purpose(id: &str, mut key: impl FnMut(Purpose) -> Key) -> Result<Self, KeyError> {
        let add = |builder: KeyringBuilder, purpose: &Purpose| builder.add(1, *purpose, id, key(*purpose));
        Purpose::ALL.iter().fold(Self::builder(), add).build()
    }

    fn entry(&self, purpose: Purpose, id: &KeyId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.purpose == purpose && entry.id == *id)
    }

    /// The key of a purpose and an id, if there is one.
    ///
    /// ```
    /// use passes_core::secret::{Keyring, Purpose};
    /// let keyring = Keyring::builder().key(Purpose::Digest, "d1", [1; 32]).build()?;
    /// let (d1, d2) = ("d1".parse()?, "d2".parse()?);
    /// assert!(keyring.get(Purpose::Digest, &d1).is_some() && keyring.get(Purpose::Digest, &d2).is_none());
    /// assert_eq!(keyring.require(Purpose::Digest, &d2).unwrap_err().code(), "KEY_MISSING");
    /// assert!(keyring.require_current(Purpose::Seal).is_err());
    /// assert!(keyring.ids(Purpose::Digest).eq([&d1]));
    /// # Ok::<(), passes_core::secret::KeyError>(())
    /// ```
    #[must_use]
    pub fn get(&self, purpose: Purpose, id: &KeyId) -> Option<&Key> {
        self.entry(purpose, id).map(|entry| &entry.key)
    }

    /// The same where there must be one.
    /// See [`Keyring::get`].
    ///
    /// # Errors
    ///
    /// `KEY_MISSING` with the id.
    pub fn require(&self, purpose: Purpose, id: &KeyId) -> Result<&Key, KeyError> {
        self.get(purpose, id).ok_or_else(|| KeyError::Missing { purpose, id: id.clone() })
    }

    /// The current key of a purpose and its id, if the purpose has one.
    /// See [`Keyring`].
    #[must_use]
    pub fn current(&self, purpose: Purpose) -> Option<(&KeyId, &Key)> {
        let entry = self.0.iter().find(|entry| entry.purpose == purpose && entry.current)?;
        Some((&entry.id, &entry.key))
    }

    /// The same where there must be one.
    /// See [`Keyring::get`].
    ///
    /// # Errors
    ///
    /// `KEY_MISSING` with the purpose.
    pub fn require_current(&self, purpose: Purpose) -> Result<(&KeyId, &Key), KeyError> {
        self.current(purpose).ok_or(KeyError::NoneFor { purpose })
    }

    /// The ids of a purpose, in the order in which they were given.
    /// See [`Keyring::get`].
    pub fn ids(&self, purpose: Purpose) -> impl Iterator<Item = &KeyId> {
        self.0.iter().filter(move |entry| entry.purpose == purpose).map(|entry| &entry.id)
    }

    /// Eight bytes to store beside an id, that tell later whether the key under it is still the same. They tell
    /// nothing else of the key.
    /// See [`Keyring::verify`].
    ///
    /// # Errors
    ///
    /// `KEY_MISSING` with the id.
    pub fn check_value(&self, purpose: Purpose, id: &KeyId) -> Result<[u8; 8], KeyError> {
        self.require(purpose, id).map(Key::check_value)
    }

    /// Whether the key under an id is still the one with this check value.
    ///
    /// # Errors
    ///
    /// `KEY_MISSING` or `KEY_WRONG` with the id.
    ///
    /// ```
    /// use passes_core::secret::{Keyring, Purpose};
    /// let (right, wrong) = (Keyring::from_master("m1", &[1; 32])?, Keyring::from_master("m1", &[2; 32])?);
    /// let id = "m1".parse()?;
    /// let stored = right.check_value(Purpose::Digest, &id)?;
    /// right.verify(Purpose::Digest, &id, &stored)?;
    /// assert_eq!(wrong.verify(Purpose::Digest, &id, &stored).unwrap_err().code(), "KEY_WRONG");
    /// # Ok::<(), passes_core::secret::KeyError>(())
    /// ```
    pub fn verify(&self, purpose: Purpose, id: &KeyId, stored: &[u8; 8]) -> Result<(), KeyError> {
        let value = self.check_value(purpose, id)?;
        if constant_time_eq(&value, stored) {
            Ok(())
        } else {
            Err(KeyError::Wrong { purpose, id: id.clone() })
        }
    }

    /// The text that [`parse`](Keyring::parse) reads. It holds every key.
    ///
    /// ```
    /// use passes_core::secret::{Keyring, Purpose};
    /// let keyring = Keyring::from_master("m1", &[7; 32])?;
    /// let again = Keyring::parse(&keyring.reveal_text())?;
    /// let key = |of: &Keyring| of.current(Purpose::Seal).map(|(id, key)| (id.clone(), *key.reveal()));
    /// assert_eq!(key(&again), key(&keyring));
    /// # Ok::<(), passes_core::secret::KeyError>(())
    /// ```
    #[must_use]
    pub fn reveal_text(&self) -> Zeroizing<String> {
        // Room for all at once: purpose, id, digits, the word current and what parts them.
        let mut text = Zeroizing::new(String::with_capacity(self.0.len() * 128));
        for Entry { purpose, id, key, current } in &self.0 {
            for word in [purpose.as_str(), " ", id.as_str(), " ", key.reveal_hex().as_str()] {
                text.push_str(word);
            }
            text.push_str(if *current { " current\n" } else { "\n" });
        }
        text
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.0.iter().map(|entry| (entry.purpose.as_str(), entry.id.as_str(), entry.current));
        f.write_str("Keyring ")?;
        f.debug_list()
            .entries(ids.map(|(purpose, id, current)| {
                format!("{purpose} {id}{}", if current { " current" } else { "" })
            }))
            .finish()
    }
}

/// Builds a [`Keyring`] key by key; [`Keyring::builder`] starts one.
/// See [`Keyring::builder`].
#[must_use]
pub struct KeyringBuilder {
    entries: Vec<Entry>,
    /// The purposes whose current key was chosen.
    chosen: Vec<Purpose>,
    error: Option<KeyError>,
}

impl KeyringBuilder {
    /// Adds a key. The last one of a purpose is current, unless [`current`](KeyringBuilder::current) chose one.
    /// See [`Keyring::builder`].
    pub fn key(self, purpose: Purpose, id: &str, bytes: [u8; 32]) -> Self {
        let number = self.entries.len() + 1;
        self.add(number, purpose, id, Key::from_bytes(bytes))
    }

    /// Makes the key added last the current one of its purpose.
    /// See [`Keyring::builder`].
    pub fn current(self) -> Self {
        let number = self.entries.len();
        self.choose(number)
    }

    /// The keyring.
    /// See [`Keyring::builder`].
    ///
    /// # Errors
    ///
    /// `KEY_MALFORMED` for an id that is none or is given twice for one purpose, and if two keys of a purpose are
    /// chosen as current. The line is the number of the key.
    pub fn build(self) -> Result<Keyring, KeyError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Keyring(self.entries)),
        }
    }

    fn add(mut self, line: usize, purpose: Purpose, id: &str, key: Key) -> Self {
        match id.parse::<KeyId>() {
            Ok(id) if self.entries.iter().any(|e| e.purpose == purpose && e.id == id) => {
                self.fail(line, "this id is given twice");
            }
            Ok(id) => {
                let current = !self.chosen.contains(&purpose);
                if current {
                    self.none_current(purpose);
                }
                self.entries.push(Entry { purpose, id, key, current });
            }
            Err(KeyError::Malformed { why, .. }) => self.fail(line, why),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    fn choose(mut self, line: usize) -> Self {
        let Some(purpose) = self.entries.last().map(|entry| entry.purpose) else { return self };
        if self.chosen.contains(&purpose) {
            self.fail(line, "two keys of one purpose are current");
            return self;
        }
        self.chosen.push(purpose);
        self.none_current(purpose);
        if let Some(entry) = self.entries.last_mut() {
            entry.current = true;
        }
        self
    }

    fn none_current(&mut self, purpose: Purpose) {
        self.entries
            .iter_mut()
            .filter(|entry| entry.purpose == purpose)
            .for_each(|entry| entry.current = false);
    }

    fn fail(&mut self, line: usize, why: &'static str) {
        self.error.get_or_insert(KeyError::Malformed { line, why });
    }
}

impl fmt::Debug for KeyringBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyringBuilder({} keys)", self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passcode::tests::rng;

    fn id(text: &str) -> KeyId {
        text.parse().unwrap()
    }

    /// C-14: keys from text and back, the last of a purpose current unless another is marked.
    #[test]
    fn text_both_ways() {
        let (one, two) = ("01".repeat(32), "02".repeat(32));
        let text = format!(
            "# keys\n\ndigest d1 {one} current # the old one\r\n  digest\td2 {two}\nseal s1 {one}\nseal s2 {two}"
        );
        let keyring = Keyring::parse(&text).unwrap();
        assert_eq!(keyring.current(Purpose::Digest).unwrap().0.as_str(), "d1");
        assert_eq!(keyring.current(Purpose::Seal).unwrap().1.reveal(), &[2; 32]);
        assert_eq!(keyring.get(Purpose::Digest, &id("d2")).unwrap().reveal(), &[2; 32]);
        assert!(keyring.get(Purpose::Seal, &id("d2")).is_none());
        assert_eq!(keyring.ids(Purpose::Seal).map(KeyId::as_str).collect::<Vec<_>>(), ["s1", "s2"]);
        let again = Keyring::parse(&keyring.reveal_text()).unwrap();
        assert_eq!(again.reveal_text(), keyring.reveal_text());
        assert_eq!(
            format!("{again:?}"),
            r#"Keyring ["digest d1 current", "digest d2", "seal s1", "seal s2 current"]"#
        );
    }

    /// C-13, C-14: what is wrong is told by line, and never repeats what stands there.
    #[test]
    fn malformed_text() {
        let key = "ab".repeat(32);
        for (text, line) in [
            (format!("digets d1 {key}"), 1),
            (format!("\ndigest {key}"), 2),
            (format!("digest {key} d1"), 1),
            (format!("digest D1 {key}"), 1),
            (format!("digest {} {key}", "x".repeat(33)), 1),
            (format!("digest d1 {key}a"), 1),
            (format!("digest d1 {key} now"), 1),
            (format!("digest d1 {key} current current"), 1),
            (format!("seal d1 {key}\ndigest d1 {key}\n#\ndigest d1 {key}"), 4),
            (format!("digest d1 {key} current\ndigest d2 {key} current"), 2),
            (key.clone(), 1),
        ] {
            let error = Keyring::parse(&text).unwrap_err();
            assert!(matches!(error, KeyError::Malformed { line: at, .. } if at == line), "{text}: {error}");
            assert_eq!(error.code(), "KEY_MALFORMED");
            assert!(!format!("{error} {error:?}").contains("abab"), "{error}");
        }
        let error =
            Keyring::builder().key(Purpose::Seal, "s1", [0; 32]).key(Purpose::Seal, "", [0; 32]).build();
        assert!(matches!(error.unwrap_err(), KeyError::Malformed { line: 2, .. }));
        assert!(Keyring::parse("").unwrap().current(Purpose::Digest).is_none());
    }

    /// C-14: a missing key is an error that names its id.
    #[test]
    fn missing_and_wrong() {
        let keyring = Keyring::builder().key(Purpose::Digest, "d1", [1; 32]).build().unwrap();
        let error = keyring.require(Purpose::Digest, &id("d7")).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("d7")), ("KEY_MISSING", true));
        let error = keyring.require_current(Purpose::Seal).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("seal")), ("KEY_MISSING", true));
        let other = Keyring::builder().key(Purpose::Digest, "d1", [2; 32]).build().unwrap();
        let stored = keyring.check_value(Purpose::Digest, &id("d1")).unwrap();
        keyring.verify(Purpose::Digest, &id("d1"), &stored).unwrap();
        let error = other.verify(Purpose::Digest, &id("d1"), &stored).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("d1")), ("KEY_WRONG", true));
    }

    /// C-7: one master key gives a different key for each purpose, the same ones for ever.
    #[test]
    fn master_and_random() {
        let keyring = Keyring::from_master("m1", &[5; 32]).unwrap();
        let value = |purpose| hex::encode(&keyring.check_value(purpose, &id("m1")).unwrap());
        assert_eq!(value(Purpose::Digest), "0b640b56369df0a9");
        assert_eq!(value(Purpose::Seal), "2014b0f7b7154809");
        assert_eq!(value(Purpose::Fingerprint), "7c2a01b950155a89");
        let mut rng = rng(1);
        let random = Keyring::generate("r1", &mut rng).unwrap();
        for purpose in Purpose::ALL {
            let (name, key) = random.current(*purpose).unwrap();
            assert_eq!(name.as_str(), "r1");
            assert_ne!(
                key.reveal(),
                Keyring::generate("r1", &mut rng).unwrap().current(*purpose).unwrap().1.reveal()
            );
        }
        assert!(Keyring::from_master("M1", &[5; 32]).is_err());
    }

    #[test]
    fn ids_as_json() {
        assert_eq!(serde_json::to_string(&id("a-1_b")).unwrap(), "\"a-1_b\"");
        assert_eq!(serde_json::from_str::<KeyId>("\"a-1_b\"").unwrap(), id("a-1_b"));
        let error = serde_json::from_str::<KeyId>("\"SECRET\"").unwrap_err().to_string();
        assert!(!error.contains("SECRET"));
    }
}

//! The characters that a format draws from, and sets of folded characters.

use super::fold::fold_byte;
use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

const NUMERIC: &str = "0123456789";
const ALPHABETIC: &str = "ABCDEFGHJKMNPQRSTUVWXYZ";
const ALPHANUMERIC: &str = "0123456789ABCDEFGHJKMNPQRSTUVWXYZ";
const SAFE: &str = "2346789BCDFGHJKMPQRTVWXY";

/// The characters that the body of a code is drawn from (C-1).
///
/// As text: `numeric`, `alphabetic`, `alphanumeric`, `default` (also `safe`), or the characters themselves. The
/// names win, so the seven letters of `numeric` can't be an alphabet; write them in capitals or another order.
///
/// ```
/// use passes_core::passcode::Alphabet;
/// assert_eq!(Alphabet::from("numeric"), Alphabet::Numeric);
/// assert_eq!(Alphabet::from("ACE468"), Alphabet::Custom("ACE468".into()));
/// assert_eq!(Alphabet::Safe.characters().len(), 24);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// The ten digits.
    Numeric,
    /// The letters without I, L and O: 23.
    Alphabetic,
    /// The digits, and the letters without I, L and O: 33.
    Alphanumeric,
    /// No vowels, so that no word comes out, and no look-alikes: 24. The default.
    #[default]
    Safe,
    /// The caller's own ASCII letters and digits, in the case in which they are to be shown.
    Custom(String),
}

impl Alphabet {
    /// The characters as they are shown.
    /// See [`Alphabet`].
    #[must_use]
    pub fn characters(&self) -> &str {
        match self {
            Self::Numeric => NUMERIC,
            Self::Alphabetic => ALPHABETIC,
            Self::Alphanumeric => ALPHANUMERIC,
            Self::Safe => SAFE,
            Self::Custom(characters) => characters,
        }
    }

    /// Its name, or the characters of a custom one; [`Alphabet::from`] reads it back.
    ///
    /// ```
    /// use passes_core::passcode::Alphabet;
    /// assert_eq!(Alphabet::from(Alphabet::Safe.as_str()), Alphabet::Safe);
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Numeric => "numeric",
            Self::Alphabetic => "alphabetic",
            Self::Alphanumeric => "alphanumeric",
            Self::Safe => "default",
            Self::Custom(characters) => characters,
        }
    }

    /// The folded characters.
    ///
    /// # Errors
    ///
    /// `BAD_FORMAT` for less than two characters, one that is no ASCII letter or digit, two that fold to the same
    /// one, and a custom alphabet that reads like the name of another.
    ///
    /// ```
    /// use passes_core::passcode::Alphabet;
    /// assert_eq!(Alphabet::Numeric.symbols()?.len(), 10);
    /// assert_eq!(Alphabet::from("0O").symbols().unwrap_err().code(), "BAD_FORMAT"); // They read the same.
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn symbols(&self) -> Result<Symbols, Refusal> {
        if matches!(self, Self::Custom(text) if !matches!(Self::from(text.as_str()), Self::Custom(_))) {
            return Err(bad("this alphabet is written like the name of another"));
        }
        let mut symbols = Symbols::default();
        for c in self.characters().chars() {
            let folded = u8::try_from(c).ok().and_then(fold_byte);
            let Some(folded) = folded else {
                return Err(bad("an alphabet is made of ASCII letters and digits"));
            };
            if !symbols.insert(folded) {
                return Err(bad(format!(
                    "the alphabet has two characters that read as {}: case, O and 0, and I, L and 1 are not told apart",
                    char::from(folded)
                )));
            }
        }
        if symbols.len() < 2 {
            return Err(bad("an alphabet has at least two characters"));
        }
        Ok(symbols)
    }
}

pub(super) fn bad(why: impl Into<String>) -> Refusal {
    Refusal::BadFormat { why: why.into() }
}

impl From<&str> for Alphabet {
    fn from(text: &str) -> Self {
        match text {
            "numeric" => Self::Numeric,
            "alphabetic" => Self::Alphabetic,
            "alphanumeric" => Self::Alphanumeric,
            "default" | "safe" => Self::Safe,
            own => Self::Custom(own.to_owned()),
        }
    }
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Alphabet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Alphabet {
    /// Refuses what [`Alphabet::symbols`] refuses, so that a file's error names the line.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let alphabet = Self::from(String::deserialize(from)?.as_str());
        alphabet.symbols().map_err(D::Error::custom)?;
        Ok(alphabet)
    }
}

/// A set of folded characters, in the order of ASCII: digits, then letters.
///
/// As text it is those characters in that order.
///
/// ```
/// use passes_core::passcode::Alphabet;
/// let symbols = Alphabet::from("cba2").symbols()?;
/// assert_eq!(symbols.to_string(), "2ABC");
/// assert_eq!(symbols.rank(b'C'), Some(3));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbols(u64);

impl Symbols {
    /// How many characters it has.
    ///
    /// ```
    /// use passes_core::passcode::{Alphabet, Symbols};
    /// let (digits, safe) = (Alphabet::Numeric.symbols()?, Alphabet::Safe.symbols()?);
    /// assert_eq!((digits.len(), safe.len(), digits.shared(safe)), (10, 24, 7));
    /// assert!(Symbols::default().is_empty() && digits.iter().eq(b'0'..=b'9'));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it has none.
    /// See [`Symbols::len`].
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The place of a folded character among these, from 0.
    /// See [`Symbols`].
    #[must_use]
    pub fn rank(self, folded: u8) -> Option<u32> {
        let bit = bit(folded)?;
        (self.0 & bit != 0).then(|| (self.0 & (bit - 1)).count_ones())
    }

    /// How many characters both have.
    /// See [`Symbols::len`].
    #[must_use]
    pub fn shared(self, other: Self) -> u32 {
        (self.0 & other.0).count_ones()
    }

    /// The characters in order.
    /// See [`Symbols::len`].
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (b'0'..=b'9').chain(b'A'..=b'Z').filter(move |c| self.rank(*c).is_some())
    }

    /// The set of one folded character; empty for what is none.
    #[must_use]
    pub(super) fn only(folded: u8) -> Self {
        Self(bit(folded).unwrap_or_default())
    }

    /// Adds a folded character; false if it was there, or is none.
    fn insert(&mut self, folded: u8) -> bool {
        let added = Self::only(folded);
        let new = added.shared(*self) < added.len();
        self.0 |= added.0;
        new
    }
}

/// The bit of a folded character: digits, then letters.
fn bit(folded: u8) -> Option<u64> {
    let place = match folded {
        b'0'..=b'9' => folded - b'0',
        b'A'..=b'Z' => folded - b'A' + 10,
        _ => return None,
    };
    Some(1 << place)
}

impl fmt::Display for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|c| fmt::Write::write_char(f, char::from(c)))
    }
}

impl Serialize for Symbols {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Symbols {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let mut symbols = Self::default();
        if text.bytes().all(|c| fold_byte(c) == Some(c) && symbols.insert(c)) && !symbols.is_empty() {
            Ok(symbols)
        } else {
            Err(D::Error::custom("not a set of folded characters"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-1: the presets leave O, I and L out, the default has no vowels either.
    #[test]
    fn presets() {
        let sizes = [
            (Alphabet::Numeric, 10),
            (Alphabet::Alphabetic, 23),
            (Alphabet::Alphanumeric, 33),
            (Alphabet::Safe, 24),
        ];
        for (alphabet, size) in sizes {
            assert_eq!(alphabet.symbols().unwrap().len(), size);
            assert_eq!(alphabet.symbols().unwrap().to_string(), alphabet.characters());
            assert!(!alphabet.characters().contains(['O', 'I', 'L']));
            assert_eq!(Alphabet::from(alphabet.as_str()), alphabet);
        }
        assert!(!SAFE.contains(['A', 'E', 'I', 'O', 'U', '0', '1', '5', 'S', 'Z']));
        assert_eq!(Alphabet::from("safe"), Alphabet::default());
    }

    /// C-1: an alphabet that folds two of its characters to one is refused, and so is what is none.
    #[test]
    fn refused_alphabets() {
        for text in ["O0", "IL", "I1", "aA", "AAB", "A", "", "AB-", "ÄB", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] {
            assert_eq!(Alphabet::from(text).symbols().unwrap_err().code(), "BAD_FORMAT", "{text}");
        }
        assert_eq!(Alphabet::Custom("numeric".into()).symbols().unwrap_err().code(), "BAD_FORMAT");
        assert_eq!(Alphabet::from("ABCDEFGHIJKMNPQRSTUVWXYZ").symbols().unwrap().len(), 24);
        assert_eq!(Alphabet::from("oil").symbols().unwrap_err().code(), "BAD_FORMAT");
        assert_eq!(Alphabet::from("ol").symbols().unwrap().to_string(), "01");
    }

    #[test]
    fn sets_as_text() {
        let symbols = Alphabet::from("cb20").symbols().unwrap();
        assert_eq!(serde_json::to_string(&symbols).unwrap(), "\"02BC\"");
        assert_eq!(serde_json::from_str::<Symbols>("\"02BC\"").unwrap(), symbols);
        for bad in ["\"\"", "\"AA\"", "\"a\"", "\"O1\"", "\"-\""] {
            assert!(serde_json::from_str::<Symbols>(bad).is_err(), "{bad}");
        }
    }
}

//! What the codes of a plan look like (C-1), and the pattern of their folded form.

use super::alphabet::{Alphabet, Symbols, bad};
use super::check;
use super::fold::{Folded, fold_byte};
use super::maker::Maker;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// What the codes of a plan look like (C-1): `GIFT-7KQ2-M9XW` has the prefix `GIFT`, eight drawn characters and
/// groups of four.
///
/// Nothing is checked until [`validate`](Format::validate) or [`maker`](Format::maker) is called. In TOML every
/// field may be left out; an unknown one is refused.
///
/// ```
/// use passes_core::passcode::{Alphabet, Format};
/// let format: Format = toml::from_str("alphabet = \"numeric\"\nlength = 10\ncheck = true").unwrap();
/// format.validate()?;
/// assert_eq!(format, Format { alphabet: Alphabet::Numeric, length: 10, check: true, ..Format::default() });
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Format {
    /// What the body is drawn from.
    pub alphabet: Alphabet,
    /// How many characters are drawn, 4 to 32. Prefix, suffix and check character come on top.
    pub length: u8,
    /// What every code begins with: up to 16 ASCII letters and digits.
    pub prefix: String,
    /// What every code ends with: up to 16 ASCII letters and digits.
    pub suffix: String,
    /// Whether a check character follows the drawn ones (C-2).
    pub check: bool,
    /// How many characters of the body are shown together, 2 to 8; 0 shows the code in one piece. It also sets
    /// prefix and suffix apart.
    pub group: u8,
}

impl Default for Format {
    /// Twelve characters of the default alphabet in groups of four, without a check character: 3.6 × 10¹⁶ codes.
    fn default() -> Self {
        Self {
            alphabet: Alphabet::Safe,
            length: 12,
            prefix: String::new(),
            suffix: String::new(),
            check: false,
            group: 4,
        }
    }
}

impl Format {
    /// The fewest drawn characters.
    /// See [`Format::validate`].
    pub const SHORTEST: u8 = 4;
    /// The most drawn characters.
    /// See [`Format::validate`].
    pub const LONGEST: u8 = 32;
    /// The most characters of a prefix or a suffix.
    /// See [`Format::validate`].
    pub const LONGEST_AFFIX: usize = 16;

    /// Whether codes can be made of it.
    ///
    /// # Errors
    ///
    /// `BAD_FORMAT`, with the field and the reason: see the fields and [`Alphabet::symbols`].
    ///
    /// ```
    /// use passes_core::passcode::Format;
    /// let short = Format { length: Format::SHORTEST - 1, ..Format::default() };
    /// let long = Format { length: Format::LONGEST + 1, ..Format::default() };
    /// let wordy = Format { prefix: "X".repeat(Format::LONGEST_AFFIX + 1), ..Format::default() };
    /// assert!([short, long, wordy].iter().all(|format| format.validate().is_err()));
    /// ```
    pub fn validate(&self) -> Result<(), Refusal> {
        self.folded().map(drop)
    }

    /// The pattern of its codes in their folded form.
    ///
    /// # Errors
    ///
    /// `BAD_FORMAT`, like [`validate`](Format::validate).
    ///
    /// ```
    /// use passes_core::passcode::{Format, fold};
    /// let format = Format { prefix: "GIFT".into(), length: 4, ..Format::default() };
    /// assert!(format.folded()?.accepts(&fold("gift 7kq2")?));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn folded(&self) -> Result<FoldedFormat, Refusal> {
        if !(Self::SHORTEST..=Self::LONGEST).contains(&self.length) {
            return Err(bad(format!("length: {} is not between 4 and 32", self.length)));
        }
        if !matches!(self.group, 0 | 2..=8) {
            return Err(bad(format!("group: {} is neither 0 nor between 2 and 8", self.group)));
        }
        Ok(FoldedFormat {
            prefix: affix("prefix", &self.prefix)?,
            symbols: self.alphabet.symbols()?,
            length: self.length,
            check: self.check,
            suffix: affix("suffix", &self.suffix)?,
        })
    }

    /// The format made ready to draw, show and hash codes.
    /// See [`Maker`].
    ///
    /// # Errors
    ///
    /// `BAD_FORMAT`, like [`validate`](Format::validate).
    pub fn maker(&self) -> Result<Maker, Refusal> {
        Maker::new(self)
    }
}

fn affix(field: &str, text: &str) -> Result<String, Refusal> {
    if text.len() > Format::LONGEST_AFFIX {
        return Err(bad(format!("{field}: more than {} characters", Format::LONGEST_AFFIX)));
    }
    text.bytes()
        .map(|b| fold_byte(b).map(char::from))
        .collect::<Option<String>>()
        .ok_or_else(|| bad(format!("{field}: only ASCII letters and digits")))
}

/// The pattern of a format's codes in their folded form: what makes two formats the same to whoever types a code.
///
/// A business keeps one for every format that is in use; [`recognise`](super::recognise) asks them.
///
/// ```
/// use passes_core::passcode::{Format, fold};
/// let gift = Format { prefix: "GIFT".into(), length: 8, check: true, ..Format::default() }.folded()?;
/// assert_eq!((gift.prefix(), gift.suffix(), gift.has_check()), ("G1FT", "", true));
/// assert_eq!((gift.length(), gift.total_length(), gift.symbols().len()), (8, 13, 24));
/// assert!(gift.same_length(&fold("2222-2222-2222-2")?) && !gift.accepts(&fold("2222-2222-2222-2")?));
/// assert_eq!(gift.with_length(10).total_length(), 15);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct FoldedFormat {
    prefix: String,
    symbols: Symbols,
    length: u8,
    check: bool,
    suffix: String,
}

/// A [`FoldedFormat`] as it was stored, before anything is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    prefix: String,
    symbols: Symbols,
    length: u8,
    check: bool,
    suffix: String,
}

impl TryFrom<Raw> for FoldedFormat {
    type Error = Refusal;

    fn try_from(raw: Raw) -> Result<Self, Refusal> {
        let Raw { prefix, symbols, length, check, suffix } = raw;
        let format = Format {
            alphabet: Alphabet::from(symbols.to_string().as_str()),
            length,
            prefix,
            suffix,
            check,
            group: 0,
        };
        format.folded()
    }
}

impl FoldedFormat {
    /// The folded prefix, or nothing.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The folded suffix, or nothing.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// What the body and the check character are made of.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn symbols(&self) -> Symbols {
        self.symbols
    }

    /// How many characters are drawn.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn length(&self) -> u8 {
        self.length
    }

    /// Whether it has a check character.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn has_check(&self) -> bool {
        self.check
    }

    /// The same pattern with another number of drawn characters.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn with_length(&self, length: u8) -> Self {
        Self { length, ..self.clone() }
    }

    /// How many characters a folded code of this pattern has in all.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn total_length(&self) -> usize {
        self.prefix.len() + self.body_length() + self.suffix.len()
    }

    /// Drawn characters and check character.
    pub(super) fn body_length(&self) -> usize {
        usize::from(self.length) + usize::from(self.check)
    }

    /// The part of a code between prefix and suffix, if they and the length are right.
    pub(super) fn body<'a>(&self, folded: &'a Folded) -> Option<&'a [u8]> {
        // Length first: it rules out most formats at once.
        let bytes = if self.same_length(folded) { folded.reveal_bytes() } else { return None };
        bytes.strip_prefix(self.prefix.as_bytes())?.strip_suffix(self.suffix.as_bytes())
    }

    /// Whether a code of this pattern could read so: length, prefix, suffix, alphabet and check character.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn accepts(&self, folded: &Folded) -> bool {
        self.body(folded).is_some_and(|body| check::holds(self.symbols, self.check, body))
    }

    /// Whether it has the length of this pattern's codes.
    /// See [`FoldedFormat`].
    #[must_use]
    pub fn same_length(&self, folded: &Folded) -> bool {
        folded.length() == self.total_length()
    }

    /// What each character of a folded code can be, from the first on.
    pub(super) fn positions(&self) -> impl Iterator<Item = Symbols> {
        let body = std::iter::repeat_n(self.symbols, self.body_length());
        self.prefix.bytes().map(Symbols::only).chain(body).chain(self.suffix.bytes().map(Symbols::only))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passcode::fold;

    fn format(alphabet: &str, length: u8) -> Format {
        Format { alphabet: Alphabet::from(alphabet), length, ..Format::default() }
    }

    /// C-1: what a format may be.
    #[test]
    fn limits() {
        let good =
            Format { prefix: "Gift2026".into(), suffix: "x".into(), check: true, ..format("numeric", 32) };
        good.validate().unwrap();
        let bad = [
            Format { length: 3, ..good.clone() },
            Format { length: 33, ..good.clone() },
            Format { group: 1, ..good.clone() },
            Format { group: 9, ..good.clone() },
            Format { prefix: "GIFT-".into(), ..good.clone() },
            Format { prefix: "GÏFT".into(), ..good.clone() },
            Format { suffix: "A".repeat(17), ..good.clone() },
            Format { alphabet: Alphabet::from("O0"), ..good.clone() },
        ];
        for format in bad {
            assert_eq!(format.validate().unwrap_err().code(), "BAD_FORMAT", "{format:?}");
        }
    }

    /// C-1: the identity of a format is its folded form.
    #[test]
    fn folded_identity() {
        let one = Format { prefix: "gift".into(), group: 0, ..format("BCDA", 6) }.folded().unwrap();
        let other = Format { prefix: "G1FT".into(), group: 3, ..format("abcd", 6) }.folded().unwrap();
        assert_eq!(one, other);
        assert_ne!(one, one.with_length(7));
        assert_eq!(one.total_length(), 10);
    }

    /// C-1, C-2: a pattern takes the codes it can have and no others.
    #[test]
    fn accepts() {
        let format =
            Format { prefix: "AB".into(), suffix: "9".into(), ..format("numeric", 4) }.folded().unwrap();
        for (text, accepted) in [
            ("ab-12o4-9", true),
            ("ab12349", true),
            ("ab12348", false),
            ("ac12349", false),
            ("ab123a9", false),
        ] {
            let folded = fold(text).unwrap();
            assert_eq!(format.accepts(&folded), accepted, "{text}");
            assert!(format.same_length(&folded));
        }
        for text in ["ab123459", "ab1239", "9"] {
            let folded = fold(text).unwrap();
            assert!(!format.accepts(&folded) && !format.same_length(&folded), "{text}");
        }
    }

    /// P-14, C-1: to TOML and back; what is wrong names the line.
    #[test]
    fn toml_both_ways() {
        let formats = [Format::default(), Format { prefix: "X1".into(), check: true, ..format("ace468", 9) }];
        for format in formats {
            let text = toml::to_string(&format).unwrap();
            assert_eq!(toml::from_str::<Format>(&text).unwrap(), format);
            let folded = format.folded().unwrap();
            let text = serde_json::to_string(&folded).unwrap();
            assert_eq!(serde_json::from_str::<FoldedFormat>(&text).unwrap(), folded);
            let bytes = postcard::to_allocvec(&format).unwrap();
            assert_eq!(postcard::from_bytes::<Format>(&bytes).unwrap(), format);
        }
        let error = toml::from_str::<Format>("length = 8\nalphabet = \"O0\"").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(toml::from_str::<Format>("lenght = 8").is_err());
        assert!(
            serde_json::from_str::<FoldedFormat>(
                r#"{"prefix":"","symbols":"AB","length":200,"check":false,"suffix":""}"#
            )
            .is_err()
        );
    }
}

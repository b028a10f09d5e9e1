//! The folded form of a passcode: one rule for every code, whatever its plan (C-1).

use crate::refusal::Refusal;
use crate::secret::wipe;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::Zeroizing;

/// The version of the rule. It goes into the context of every hash (see
/// [`CODE_HASH_CONTEXT`](super::CODE_HASH_CONTEXT)): another rule would be another version and context.
///
/// Newer Unicode tables are no new version. They only let in characters that were malformed before, and no
/// stored code has one of those.
/// See [`fold`] for what it does.
pub const FOLDING_VERSION: u8 = 1;

/// The most characters that are read as a passcode, before and after folding.
/// See [`Folded::length`].
pub const LONGEST_TEXT: usize = 256;

/// A folded passcode: one or more of `0-9A-Z`, without `I`, `L` and `O`. It is as secret as the code.
///
/// It wipes itself when dropped; `Debug` says nothing.
///
/// ```
/// let folded = passes_core::passcode::fold("gift-7kq2")?;
/// assert_eq!(folded.reveal(), "G1FT7KQ2");
/// assert_eq!(format!("{folded:?}"), "Folded(..)");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone)]
pub struct Folded {
    /// The characters, unless they are many: nearly all codes need no memory of their own.
    few: [u8; FEW],
    length: usize,
    many: Zeroizing<Vec<u8>>,
}

/// Room for nearly all codes.
const FEW: usize = 32;

impl Folded {
    fn of(characters: &[u8]) -> Result<Self, Refusal> {
        let mut folded = Self { few: [0; FEW], length: characters.len(), many: Zeroizing::default() };
        match folded.few.get_mut(..characters.len()) {
            Some([]) => return Err(Refusal::Malformed),
            Some(few) => few.copy_from_slice(characters),
            None => folded.many = Zeroizing::new(characters.to_vec()),
        }
        Ok(folded)
    }

    /// The folded characters. They are the secret.
    /// See [`Folded`].
    #[must_use]
    pub fn reveal(&self) -> &str {
        // Only ASCII is ever pushed, so this can't fail.
        std::str::from_utf8(self.reveal_bytes()).unwrap_or_default()
    }

    /// The folded characters as ASCII. They are the secret.
    /// See [`Folded::length`].
    #[must_use]
    pub fn reveal_bytes(&self) -> &[u8] {
        self.few.get(..self.length).unwrap_or(&self.many)
    }

    /// How many characters it has: 1 to [`LONGEST_TEXT`].
    ///
    /// ```
    /// use passes_core::passcode::{LONGEST_TEXT, fold};
    /// let folded = fold("7kq2-m9xw")?;
    /// assert_eq!((folded.length(), folded.reveal_bytes()), (8, b"7KQ2M9XW".as_slice()));
    /// assert!(fold(&"2".repeat(LONGEST_TEXT + 1)).is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Folded {
    fn drop(&mut self) {
        wipe(&mut self.few);
    }
}

impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Folded(..)")
    }
}

/// Folds what somebody typed, scanned or imported (C-1).
///
/// NFKC; White_Space, dashes (Pd), format characters (Cf) and the minus sign U+2212 are dropped; decimal digits
/// of any script become ASCII; a–z are raised; O reads as 0, I and L as 1.
///
/// # Errors
///
/// `MALFORMED` if another character is left, if nothing is left, or for more than [`LONGEST_TEXT`] characters.
///
/// ```
/// use passes_core::passcode::fold;
/// assert_eq!(fold(" ７kq2–m9xo ")?.reveal(), "7KQ2M9X0");
/// assert_eq!(fold("7kq2!").unwrap_err().code(), "MALFORMED");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
pub fn fold(text: &str) -> Result<Folded, Refusal> {
    // No character has more than four bytes: this bounds the work before any is done.
    if text.len() > LONGEST_TEXT * 4 {
        return Err(Refusal::Malformed);
    }
    if text.is_ascii() { fold_ascii(text.as_bytes()) } else { fold_unicode(text) }
}

fn fold_ascii(text: &[u8]) -> Result<Folded, Refusal> {
    if text.len() > LONGEST_TEXT {
        return Err(Refusal::Malformed);
    }
    if text.len() <= FEW {
        let mut folded = Folded { few: [0; FEW], length: 0, many: Zeroizing::default() };
        let length = fold_into(text, &mut folded.few).filter(|length| *length > 0);
        let Some(length) = length else {
            std::hint::cold_path();
            return Err(Refusal::Malformed);
        };
        folded.length = length;
        // What was dropped at the end stands behind it.
        folded.few.iter_mut().skip(folded.length).for_each(|byte| *byte = 0);
        return Ok(folded);
    }
    let mut room = [0; LONGEST_TEXT];
    let folded = match fold_into(text, &mut room) {
        Some(length) => Folded::of(room.get(..length).unwrap_or_default()),
        None => Err(Refusal::Malformed),
    };
    wipe(&mut room);
    folded
}

/// Folds a text into a room as long as itself or longer: the length, unless it is malformed.
fn fold_into(text: &[u8], room: &mut [u8]) -> Option<usize> {
    // Each character is written, and the next one over it unless it is kept: that is quicker than asking first.
    let (mut length, mut sound) = (0, true);
    for byte in text {
        let folded = ASCII.get(usize::from(*byte)).copied().unwrap_or(MALFORMED);
        if let Some(free) = room.get_mut(length) {
            *free = folded;
        }
        length += usize::from(folded > MALFORMED);
        sound &= folded != MALFORMED;
    }
    sound.then_some(length)
}

/// What stands for a character that is dropped, and for one that no code may hold: no folded character is that low.
const DROPPED: u8 = 0;
const MALFORMED: u8 = 1;

/// What every ASCII character is folded to: a look-up is quicker than finding it out.
static ASCII: [u8; 128] = {
    let mut classes = [MALFORMED; 128];
    let mut rest: &mut [u8] = &mut classes;
    let mut byte = 0;
    while let [first, others @ ..] = rest {
        *first = match ascii(byte) {
            Class::Keep(folded) => folded,
            Class::Drop => DROPPED,
            Class::Malformed => MALFORMED,
        };
        byte += 1;
        rest = others;
    }
    classes
};

fn fold_unicode(text: &str) -> Result<Folded, Refusal> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(Refusal::Malformed);
    }
    // NFKC makes at most four letters of three bytes (U+3389 is "kcal"), so this never has to grow.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 2));
    for c in text.nfkc() {
        match class(c) {
            Class::Keep(folded) if out.len() < LONGEST_TEXT => out.push(folded),
            Class::Drop => {}
            Class::Keep(_) | Class::Malformed => return Err(Refusal::Malformed),
        }
    }
    Folded::of(&out)
}

#[derive(Clone, Copy)]
enum Class {
    Keep(u8),
    Drop,
    Malformed,
}

/// The class of an ASCII character. White_Space here is tab to carriage return and the blank; Pd is the hyphen.
const fn ascii(byte: u8) -> Class {
    match byte {
        b'\t'..=b'\r' | b' ' | b'-' => Class::Drop,
        _ => match fold_byte(byte) {
            Some(folded) => Class::Keep(folded),
            None => Class::Malformed,
        },
    }
}

/// The folded form of an ASCII letter or digit.
pub(crate) const fn fold_byte(byte: u8) -> Option<u8> {
    match byte.to_ascii_uppercase() {
        b'O' => Some(b'0'),
        b'I' | b'L' => Some(b'1'),
        folded @ (b'0'..=b'9' | b'A'..=b'Z') => Some(folded),
        _ => None,
    }
}

fn class(c: char) -> Class {
    if let Ok(byte) = u8::try_from(c)
        && byte.is_ascii()
    {
        return ascii(byte);
    }
    if c.is_whitespace() || c == '\u{2212}' {
        return Class::Drop;
    }
    match c.general_category() {
        GeneralCategory::DashPunctuation | GeneralCategory::Format => Class::Drop,
        GeneralCategory::DecimalNumber => Class::Keep(b'0' + digit_value(c)),
        _ => Class::Malformed,
    }
}

/// The value of a decimal digit of any script. Unicode keeps the digits of a script together and in order from
/// zero (stability policy of `Nd`), so a run of them has a multiple of ten, and the value is the place in it.
fn digit_value(digit: char) -> u8 {
    let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    // The longest run is fifty (the mathematical digits), which NFKC has replaced before.
    let before = ('\0'..digit).rev().take(64).take_while(|c| is_digit(*c)).count();
    u8::try_from(before % 10).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Cases {
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        text: String,
        folded: Option<String>,
    }

    /// C-1: every published case.
    #[test]
    fn published_cases() {
        let text = std::fs::read_to_string(crate::passcode::tests::CASES).unwrap();
        let cases: Cases = serde_json::from_str(&text).unwrap();
        assert!(cases.cases.len() > 100);
        for case in cases.cases {
            let folded = fold(&case.text).ok().map(|f| f.reveal().to_owned());
            assert_eq!(folded, case.folded, "{:?}", case.text);
        }
    }

    /// C-1: the digits of every script there is, by the tables themselves.
    #[test]
    fn digits_of_every_script() {
        let digits: Vec<char> =
            ('\0'..=char::MAX).filter(|c| c.general_category() == GeneralCategory::DecimalNumber).collect();
        assert!(digits.len() >= 760 && digits.len().is_multiple_of(10), "{}", digits.len());
        for (at, digit) in digits.iter().enumerate() {
            assert_eq!(usize::from(digit_value(*digit)), at % 10, "{digit:?}");
        }
        assert_eq!(fold("𝟘𝟡𝟬٣৯໑᪁").unwrap().reveal(), "0903911");
    }

    /// C-1: the class of every character that ASCII has, both ways round.
    #[test]
    fn ascii_and_unicode_agree() {
        for byte in 0..=127u8 {
            let c = char::from(byte);
            let plain = fold(&format!("7{c}7")).ok().map(|f| f.reveal().to_owned());
            // U+200B is dropped, but sends the text through the other path.
            let other = fold(&format!("7{c}\u{200b}7")).ok().map(|f| f.reveal().to_owned());
            assert_eq!(plain, other, "{byte:#x}");
            assert_eq!(
                plain.is_some(),
                c.is_ascii_alphanumeric() || c.is_whitespace() || c == '-',
                "{byte:#x}"
            );
        }
    }

    /// C-1: folding twice is folding once.
    #[test]
    fn idempotent() {
        for text in ["o0iIlL1", "ｇｉｆｔ 7", "Ⅷ", "K\u{212a}ſ"] {
            let once = fold(text).unwrap();
            assert_eq!(fold(once.reveal()).unwrap().reveal(), once.reveal());
            assert!(once.reveal().bytes().all(|b| b.is_ascii_alphanumeric() && !b"ILO".contains(&b)));
        }
    }

    /// C-1, Z-3: nothing, and too much, is malformed; the longest is read.
    #[test]
    fn limits() {
        assert_eq!(fold("").unwrap_err(), Refusal::Malformed);
        assert_eq!(fold(" -\u{200b}").unwrap_err(), Refusal::Malformed);
        assert_eq!(fold(&"K".repeat(256)).unwrap().length(), 256);
        assert_eq!(fold(&"K".repeat(257)).unwrap_err(), Refusal::Malformed);
        assert_eq!(fold(&"Ｋ".repeat(256)).unwrap().length(), 256);
        assert_eq!(fold(&"Ｋ".repeat(257)).unwrap_err(), Refusal::Malformed);
        assert_eq!(fold(&"Ⅷ".repeat(256)).unwrap_err(), Refusal::Malformed);
        assert_eq!(fold(&"K".repeat(1 << 20)).unwrap_err(), Refusal::Malformed);
    }

    /// C-1, C-13: what comes out of NFKC never makes the buffer grow, so no copy is left behind.
    #[test]
    fn the_buffer_never_grows() {
        for c in ('\u{80}'..=char::MAX).filter(|c| fold(c.encode_utf8(&mut [0; 4])).is_ok()) {
            let text = c.to_string();
            assert!(fold(&text).unwrap().length() <= text.len() * 2, "{c:?}");
        }
    }
}

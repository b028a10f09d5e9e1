//! Drawing codes from a generator (C-3), and turning them into texts, masks and hashes.

use super::alphabet::Symbols;
use super::check;
use super::fold::Folded;
use super::format::{FoldedFormat, Format};
use super::hash::{CodeHash, Passcode, hash_parts};
use super::{HIDDEN, visible};
use crate::refusal::Refusal;
use crate::secret::wipe;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::ZeroizeOnDrop;

/// Room for a body: 33 characters at most, and the bytes of a word beyond them, which are drawn and not used. A power
/// of two, so that a place in it needs no check.
const ROOM: usize = 64;

/// What a byte draws that draws no character.
const NONE: u8 = 0;

/// The part of a code that was drawn, with its check character, folded; without prefix and suffix. As secret as the
/// code.
///
/// It lives on the stack, wipes itself when dropped, and its `Debug` says nothing. Its [`Maker`] turns it into a
/// [`Passcode`] or a [`CodeHash`].
/// See [`Maker`].
#[derive(Clone)]
pub struct Body {
    chars: [u8; ROOM],
    length: u8,
}

impl Body {
    /// The folded characters as ASCII. They are the secret.
    /// See [`Maker::read`].
    #[must_use]
    pub fn reveal_bytes(&self) -> &[u8] {
        self.chars.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// A body from its characters; what is too long is cut.
    #[inline]
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut chars = [0; ROOM];
        let length = bytes.len().min(ROOM);
        chars.iter_mut().zip(bytes).for_each(|(char, byte)| *char = *byte);
        Self { chars, length: u8::try_from(length).unwrap_or_default() }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        wipe(&mut self.chars);
    }
}

impl ZeroizeOnDrop for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(..)")
    }
}

/// A valid [`Format`] made ready to draw, show and hash codes; [`Format::maker`] makes it.
///
/// ```
/// use passes_core::passcode::{Format, LotSeed};
/// let maker = Format { prefix: "GIFT".into(), length: 8, ..Format::default() }.maker()?;
/// let body = LotSeed::from_bytes([7; 32]).code(&maker, 1, 0);
/// let code = maker.passcode(&body);
/// assert_eq!(code.reveal().len(), "GIFT-7KQ2-M9XW".len());
/// assert!(maker.mask(&body).starts_with("GIFT-••••-••"));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone)]
pub struct Maker {
    format: Format,
    folded: FoldedFormat,
    /// What each random byte draws: a folded character, or `NONE`.
    draws: Box<[u8; 256]>,
    /// The folded characters, in order.
    symbols: Vec<u8>,
    /// The place of each of them.
    ranks: Box<[u8; 256]>,
    /// The same as they are shown.
    shown: Vec<char>,
    modulus: u32,
}

impl Maker {
    pub(super) fn new(format: &Format) -> Result<Self, Refusal> {
        let folded = format.folded()?;
        let symbols: Vec<u8> = folded.symbols().iter().collect();
        let mut draws = Box::new([NONE; 256]);
        // Each character gets as many bytes as every other; the bytes that are left over draw nothing, so there
        // is no bias.
        for each in draws.chunks_exact_mut(symbols.len()) {
            each.copy_from_slice(&symbols);
        }
        let mut ranks = Box::new([0; 256]);
        for (symbol, rank) in symbols.iter().zip(0..) {
            if let Some(place) = ranks.get_mut(usize::from(*symbol)) {
                *place = rank;
            }
        }
        let mut shown: Vec<char> = format.alphabet.characters().chars().collect();
        shown.sort_by_key(|c| place(*c, folded.symbols()));
        let modulus = check::modulus(folded.symbols().len());
        Ok(Self { format: format.clone(), folded, draws, symbols, ranks, shown, modulus })
    }

    /// The format it was made of.
    ///
    /// ```
    /// use passes_core::passcode::Format;
    /// let maker = Format::default().maker()?;
    /// assert_eq!(maker.format(), &Format::default());
    /// assert_eq!(maker.folded(), &Format::default().folded()?);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The pattern of the codes' folded form.
    /// See [`Maker::format`].
    #[must_use]
    pub fn folded(&self) -> &FoldedFormat {
        &self.folded
    }

    /// Draws a code: every one of the format's codes is as likely as every other (C-3).
    ///
    /// Bytes that would make some characters likelier are passed over, and so are bodies without a check
    /// character. The same bytes always give the same code, on every machine.
    /// See [`LotSeed::stream`](super::LotSeed::stream).
    #[inline]
    pub fn draw<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> Body {
        let mut body = Body { chars: [0; ROOM], length: 0 };
        let length = usize::from(self.folded.length());
        // What the last word holds beyond the body before: its bytes, from the lowest, and how many they are.
        let (mut rest, mut left) = (0_u64, 0_u32);
        loop {
            let mut at = 0;
            while at < length && left > 0 {
                at = self.take(&mut body, at, rest);
                (rest, left) = (rest >> 8, left - 1);
            }
            let mut last = None;
            while at < length {
                let word = rng.next_u64();
                last = Some((word, length - at));
                // All of them, needed or not: whether a byte draws can't be foretold, and a branch on it costs more.
                for byte in 0..8 {
                    at = self.take(&mut body, at, word >> (8 * byte));
                }
            }
            body.length = self.folded.length();
            if !self.folded.has_check() {
                return body;
            }
            let chars = body.reveal_bytes().iter();
            let sum = chars.fold(0, |sum, char| check::step(sum, self.rank(*char).into(), self.modulus));
            let closing = usize::try_from(check::closing(sum, self.modulus)).unwrap_or(usize::MAX);
            if let (Some(symbol), Some(char)) = (self.symbols.get(closing), body.chars.get_mut(length)) {
                *char = *symbol;
                body.length += 1;
                return body;
            }
            if let Some((word, needed)) = last {
                (rest, left) = self.beyond(word, needed);
            }
        }
    }

    /// What a word holds beyond the bytes that draw so many characters: those bytes, and how many they are.
    fn beyond(&self, mut word: u64, mut needed: usize) -> (u64, u32) {
        let mut left = 8;
        while needed > 0 && left > 0 {
            let [byte, ..] = word.to_le_bytes();
            needed -= usize::from(self.draws.get(usize::from(byte)).is_some_and(|drawn| *drawn != NONE));
            (word, left) = (word >> 8, left - 1);
        }
        (word, left)
    }

    /// Puts down what the lowest byte of a word draws; the place of the next character.
    #[inline]
    fn take(&self, body: &mut Body, at: usize, word: u64) -> usize {
        let [byte, ..] = word.to_le_bytes();
        let drawn = self.draws.get(usize::from(byte)).copied().unwrap_or(NONE);
        if let Some(char) = body.chars.get_mut(at % ROOM) {
            *char = drawn;
        }
        at + usize::from(drawn != NONE)
    }

    /// The place of a folded character among the format's.
    #[inline]
    fn rank(&self, folded: u8) -> u8 {
        self.ranks.get(usize::from(folded)).copied().unwrap_or_default()
    }

    /// The body of a folded code, if the format could have made it.
    ///
    /// ```
    /// use passes_core::passcode::{Format, fold};
    /// let maker = Format { length: 4, ..Format::default() }.maker()?;
    /// let body = maker.read(&fold("7kq2")?).unwrap();
    /// assert_eq!((body.reveal_bytes(), maker.passcode(&body).reveal()), (b"7KQ2".as_slice(), "7KQ2"));
    /// assert_eq!(maker.hash(&body, &[0; 16]), maker.passcode(&body).hash(&[0; 16])?);
    /// assert!(maker.read(&fold("7kq2m")?).is_none());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn read(&self, code: &Folded) -> Option<Body> {
        let bytes = self.folded.accepts(code).then(|| self.folded.body(code)).flatten()?;
        Some(Body::of(bytes))
    }

    /// The code as it is printed: prefix, groups of the body, suffix.
    /// See [`Maker`].
    #[must_use]
    pub fn passcode(&self, body: &Body) -> Passcode {
        Passcode::new(self.layout(body, 0))
    }

    /// The code with most of its body hidden (C-6): `GIFT-••••-••XW`. It shows prefix and suffix, which are the same
    /// for all codes, and the last characters of the body: at most four, at most a quarter.
    /// See [`Maker`].
    #[must_use]
    pub fn mask(&self, body: &Body) -> String {
        let length = body.reveal_bytes().len();
        self.layout(body, length.saturating_sub(visible(usize::from(self.folded.length()))))
    }

    /// The text of a code with the first characters of its body hidden.
    fn layout(&self, body: &Body, hidden: usize) -> String {
        let group = usize::from(self.format.group);
        let length = body.reveal_bytes().len();
        let dashes = length.checked_div(group).map_or(0, |groups| groups + 2);
        let affixes = self.format.prefix.len() + self.format.suffix.len();
        // Room for everything at once: a text that grows leaves copies behind.
        let mut text =
            String::with_capacity(affixes + dashes + length + hidden.min(length) * (HIDDEN.len_utf8() - 1));
        text.push_str(&self.format.prefix);
        for (at, folded) in body.reveal_bytes().iter().enumerate() {
            if group > 0 && at % group == 0 && !text.is_empty() {
                text.push('-');
            }
            text.push(if at < hidden { HIDDEN } else { self.show(*folded) });
        }
        if group > 0 && !self.format.suffix.is_empty() {
            text.push('-');
        }
        text.push_str(&self.format.suffix);
        text
    }

    fn show(&self, folded: u8) -> char {
        let place = place(char::from(folded), self.folded.symbols());
        self.shown.get(place).copied().unwrap_or(char::from(folded))
    }

    /// The hash of the code in this business, without making a text of it.
    /// See [`Maker::read`].
    #[must_use]
    #[inline]
    pub fn hash(&self, body: &Body, business: &[u8; 16]) -> CodeHash {
        let folded = &self.folded;
        hash_parts(business, [folded.prefix().as_bytes(), body.reveal_bytes(), folded.suffix().as_bytes()])
    }
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Maker").field(&self.format).finish()
    }
}

/// The place of a character among the symbols that it folds to.
fn place(c: char, symbols: Symbols) -> usize {
    let folded = u8::try_from(c).ok().and_then(super::fold::fold_byte);
    folded.and_then(|c| symbols.rank(c)).and_then(|rank| usize::try_from(rank).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::passcode::tests::rng;
    use crate::passcode::{Alphabet, LotSeed, fold};

    pub(in crate::passcode) fn maker(alphabet: &str, length: u8, check: bool) -> Maker {
        Format { alphabet: Alphabet::from(alphabet), length, check, ..Format::default() }.maker().unwrap()
    }

    /// Pearson's statistic against the same number for all.
    fn chi_square(counts: &[u64]) -> f64 {
        let mean = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
        counts.iter().map(|n| (*n as f64 - mean).powi(2) / mean).sum()
    }

    /// With `cells` cells, a fair draw exceeds this less often than once in 10⁵.
    fn limit(cells: usize) -> f64 {
        let free = cells as f64 - 1.0;
        free + 4.5 * (2.0 * free).sqrt() + 12.0
    }

    /// C-3: every byte that draws at all draws one character, each as many bytes as every other.
    #[test]
    fn no_modulo_bias() {
        for (alphabet, each) in
            [("01", 128), ("ABC", 85), ("numeric", 25), ("default", 10), ("alphanumeric", 7)]
        {
            let maker = maker(alphabet, 8, false);
            for symbol in &maker.symbols {
                assert_eq!(maker.draws.iter().filter(|draw| *draw == symbol).count(), each);
            }
            assert_eq!(maker.draws.iter().filter(|d| **d != NONE).count(), each * maker.symbols.len());
        }
    }

    /// C-3: characters are uniform at every place, from a generator and from a seed.
    #[test]
    fn characters_are_uniform() {
        let seed = LotSeed::from_bytes([3; 32]);
        let mut rng = rng(3);
        for alphabet in ["ABC", "numeric", "default", "alphanumeric"] {
            let maker = maker(alphabet, 10, false);
            for seeded in [false, true] {
                let mut counts = vec![vec![0; maker.symbols.len()]; 10];
                for serial in 0..20_000 {
                    let body = if seeded { seed.code(&maker, serial, 0) } else { maker.draw(&mut rng) };
                    for (counts, c) in counts.iter_mut().zip(body.reveal_bytes()) {
                        counts[usize::try_from(maker.folded.symbols().rank(*c).unwrap()).unwrap()] += 1;
                    }
                }
                for counts in counts {
                    let statistic = chi_square(&counts);
                    assert!(statistic < limit(counts.len()), "{alphabet} {seeded}: {statistic}");
                }
            }
        }
    }

    /// A generator that counts its words.
    struct Counted<R>(R, u32);

    impl<R: CryptoRng> rand_core::TryRng for Counted<R> {
        type Error = rand_core::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            unreachable!("only whole words are drawn")
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.1 += 1;
            Ok(self.0.next_u64())
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            unreachable!("only whole words are drawn")
        }
    }

    impl<R: CryptoRng> rand_core::TryCryptoRng for Counted<R> {}

    /// The rule, byte by byte: each draws a character or nothing; without a check character for the body, the next
    /// one is drawn from the bytes that follow.
    fn drawn_slowly<R: CryptoRng>(maker: &Maker, rng: &mut R) -> Vec<u8> {
        let length = usize::from(maker.folded.length());
        let symbols: Vec<u8> = maker.folded.symbols().iter().collect();
        let usable = 256 / symbols.len() * symbols.len();
        let mut word: Vec<u8> = Vec::new();
        loop {
            let mut body = Vec::new();
            let mut sum = 0;
            while body.len() < length {
                if word.is_empty() {
                    word = rng.next_u64().to_be_bytes().to_vec();
                }
                let byte = usize::from(word.pop().unwrap());
                if byte < usable {
                    let value = byte % symbols.len();
                    body.push(symbols[value]);
                    sum = check::step(sum, u32::try_from(value).unwrap(), maker.modulus);
                }
            }
            if !maker.folded.has_check() {
                return body;
            }
            let closing = usize::try_from(check::closing(sum, maker.modulus)).unwrap();
            if let Some(symbol) = symbols.get(closing) {
                body.push(*symbol);
                return body;
            }
        }
    }

    /// C-3, T-2: a code is what its bytes draw one after the other, and takes no more words than that.
    #[test]
    fn the_rule_of_drawing() {
        for (alphabet, length) in [
            ("default", 12),
            ("default", 4),
            ("0246", 4),
            ("012345", 7),
            ("01", 32),
            ("ABC", 8),
            ("alphanumeric", 9),
        ] {
            for check in [false, true] {
                let maker = maker(alphabet, length, check);
                let (mut one, mut other) = (Counted(rng(21), 0), Counted(rng(21), 0));
                for n in 0..2_000 {
                    let body = maker.draw(&mut one);
                    let slowly = drawn_slowly(&maker, &mut other);
                    assert_eq!(body.reveal_bytes(), slowly, "{alphabet} {length} {check}, code {n}");
                    assert_eq!(one.1, other.1, "{alphabet} {length} {check}, code {n}");
                }
            }
        }
    }

    /// C-3, C-2: with a check character too, each of the codes that exist is as likely as every other.
    #[test]
    fn checked_codes_are_uniform() {
        let maker = maker("0246", 4, true);
        let mut rng = rng(4);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..100_000 {
            *counts.entry(maker.draw(&mut rng).reveal_bytes().to_vec()).or_insert(0u64) += 1;
        }
        let counts: Vec<u64> = counts.into_values().collect();
        assert_eq!(u128::try_from(counts.len()).unwrap(), crate::passcode::capacity(&maker.folded));
        assert!(chi_square(&counts) < limit(counts.len()));
    }

    /// C-1: prefix, groups and suffix; the folded text is the pattern's, and is read back.
    #[test]
    fn layouts() {
        for (prefix, suffix, group, length, expected) in [
            ("GIFT", "", 4, 8, "GIFT-####-####"),
            ("GIFT", "", 0, 8, "GIFT########"),
            ("", "", 4, 9, "####-####-#"),
            ("a", "Z9", 3, 6, "a-###-###-Z9"),
            ("a", "Z9", 0, 6, "a######Z9"),
            ("", "X", 8, 8, "########-X"),
        ] {
            for (alphabet, check) in [("default", false), ("acelo", true)] {
                let format = Format {
                    prefix: prefix.into(),
                    suffix: suffix.into(),
                    group,
                    length: length - u8::from(check),
                    alphabet: Alphabet::from(alphabet),
                    check,
                };
                let maker = format.maker().unwrap();
                let body = maker.draw(&mut rng(9));
                let code = maker.passcode(&body);
                let blanked: String = code.reveal().chars().collect();
                for (c, e) in blanked.chars().zip(expected.chars()) {
                    let drawn = format.alphabet.characters().contains(c);
                    assert!(if e == '#' { drawn } else { c == e }, "{blanked} is not {expected}");
                }
                assert_eq!(blanked.chars().count(), expected.chars().count());
                let folded = fold(code.reveal()).unwrap();
                assert!(maker.folded().accepts(&folded));
                assert_eq!(maker.read(&folded).unwrap().reveal_bytes(), body.reveal_bytes());
                assert_eq!(code.hash(&[1; 16]).unwrap(), maker.hash(&body, &[1; 16]));
            }
        }
        assert!(maker("numeric", 4, false).read(&fold("ABCD").unwrap()).is_none());
    }
}

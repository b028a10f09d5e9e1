//! Drawing codes from a generator (C-3), and turning them into texts, masks and hashes.

use super::alphabet::Symbols;
use super::check;
use super::fold::Folded;
use super::format::{FoldedFormat, Format};
use super::hash::{CodeHash, Passcode, hash_parts};
use super::{HIDDEN, visible};
use crate::refusal::Refusal;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::{ZeroizeOnDrop, optimization_barrier};

/// Drawn characters and the check character, at most.
const LONGEST_BODY: usize = 33;

/// What no byte of the table draws.
const NONE: u8 = u8::MAX;

/// The part of a code that was drawn, with its check character, folded; without prefix and suffix. As secret as the
/// code.
///
/// It lives on the stack, wipes itself when dropped, and its `Debug` says nothing. Its [`Maker`] turns it into a
/// [`Passcode`] or a [`CodeHash`].
/// See [`Maker`].
#[derive(Clone)]
pub struct Body {
    chars: [u8; LONGEST_BODY],
    length: u8,
}

impl Body {
    /// The folded characters as ASCII. They are the secret.
    /// See [`Maker::read`].
    #[must_use]
    pub fn reveal_bytes(&self) -> &[u8] {
        self.chars.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // Whole words, not byte by byte as `zeroize` does it: a lot drops millions of these.
        self.chars = [0; LONGEST_BODY];
        optimization_barrier(&self.chars);
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
    /// What each random byte draws: the place of a character in `symbols`, or `NONE`.
    draws: Box<[u8; 256]>,
    /// The folded characters, in order.
    symbols: Vec<u8>,
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
        let values = 0..u8::try_from(symbols.len()).unwrap_or(NONE);
        for each in draws.chunks_exact_mut(symbols.len()) {
            each.iter_mut().zip(values.clone()).for_each(|(draw, value)| *draw = value);
        }
        let mut shown: Vec<char> = format.alphabet.characters().chars().collect();
        shown.sort_by_key(|c| place(*c, folded.symbols()));
        let modulus = check::modulus(folded.symbols().len());
        Ok(Self { format: format.clone(), folded, draws, symbols, shown, modulus })
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
        let mut body = Body { chars: [0; LONGEST_BODY], length: 0 };
        let mut bytes = Bytes { rng, word: 0, left: 0 };
        let length = usize::from(self.folded.length());
        loop {
            let mut sum = 0;
            for char in body.chars.iter_mut().take(length) {
                let value = self.value(&mut bytes);
                *char = self.symbol(value);
                if self.folded.has_check() {
                    sum = check::step(sum, value.into(), self.modulus);
                }
            }
            body.length = self.folded.length();
            if !self.folded.has_check() {
                return body;
            }
            let closing = u8::try_from(check::closing(sum, self.modulus)).unwrap_or(NONE);
            if let (Some(symbol), Some(char)) =
                (self.symbols.get(usize::from(closing)), body.chars.get_mut(length))
            {
                *char = *symbol;
                body.length += 1;
                return body;
            }
        }
    }

    #[inline]
    fn value<R: CryptoRng + ?Sized>(&self, bytes: &mut Bytes<'_, R>) -> u8 {
        loop {
            let value = self.draws.get(usize::from(bytes.next())).copied().unwrap_or(NONE);
            if value != NONE {
                return value;
            }
        }
    }

    #[inline]
    fn symbol(&self, value: u8) -> u8 {
        self.symbols.get(usize::from(value)).copied().unwrap_or_default()
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
        let mut body = Body { chars: [0; LONGEST_BODY], length: u8::try_from(bytes.len()).ok()? };
        body.chars.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(body)
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

/// The bytes of a generator, eight at a time, from the lowest.
struct Bytes<'a, R: ?Sized> {
    rng: &'a mut R,
    word: u64,
    left: u8,
}

impl<R: CryptoRng + ?Sized> Bytes<'_, R> {
    #[inline]
    fn next(&mut self) -> u8 {
        if self.left == 0 {
            self.word = self.rng.next_u64();
            self.left = 8;
        }
        let [byte, ..] = self.word.to_le_bytes();
        self.word >>= 8;
        self.left -= 1;
        byte
    }
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
            for value in 0..maker.symbols.len() {
                assert_eq!(maker.draws.iter().filter(|d| usize::from(**d) == value).count(), each);
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

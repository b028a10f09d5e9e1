//! The check character (C-2).
//!
//! Let m be the size of the folded alphabet, and p the smallest prime that is at least m and at least 3. A
//! character's value is its place in the sorted folded alphabet, so values are 0 to m − 1, all different modulo p.
//! Body and check character, read from the right as x₀ x₁ x₂ …, must have
//!
//! ```text
//! Σ 2ⁱ·xᵢ ≡ 0 (mod p)
//! ```
//!
//! *Every single wrong character is caught.* It changes the sum by 2ⁱ·(x′ − x). p is odd, so 2ⁱ is not 0 modulo
//! p, and neither is x′ − x; p is prime, so the product isn't. A character outside the alphabet never passes.
//!
//! *Every swap of two different neighbours is caught.* It changes the sum by (2ⁱ⁺¹ − 2ⁱ)·(x − y) = 2ⁱ·(x − y),
//! the same product again. Where one of the two belongs to the prefix or the suffix, the swap breaks that.
//!
//! The value that the check character must have is below p, but if m is no prime it can be m or more, for which
//! there is no character: such a body is not used. The body of nothing but the alphabet's first character always
//! is (its check character is the same one), so every alphabet of two characters or more has codes with a check.
//! There is none for an alphabet of one character, which no format may have.

use super::alphabet::Symbols;
use super::fold::Folded;
use super::format::FoldedFormat;

/// The smallest prime that is at least `size` and at least 3.
pub(super) fn modulus(size: u32) -> u32 {
    let prime = |n: u32| (2..n).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
    // Between a number and its double there is always a prime.
    (size.max(3)..=size.max(3) * 2).find(|n| prime(*n)).unwrap_or(3)
}

/// Adds the next character to the sum of those before it.
pub(super) const fn step(sum: u32, value: u32, modulus: u32) -> u32 {
    (2 * sum + value) % modulus
}

/// The value that the check character must have after a body with this sum. It can be beyond the alphabet.
pub(super) const fn closing(sum: u32, modulus: u32) -> u32 {
    (modulus - 2 * sum % modulus) % modulus
}

/// Whether these characters are of the alphabet and, where there is a check, add up.
pub(super) fn holds(symbols: Symbols, check: bool, body: &[u8]) -> bool {
    if !check {
        return body.iter().all(|c| symbols.rank(*c).is_some());
    }
    let modulus = modulus(symbols.len());
    let sum = body.iter().try_fold(0, |sum, c| Some(step(sum, symbols.rank(*c)?, modulus)));
    sum == Some(0)
}

/// What a folded text is to the formats that are in use in a business.
/// See [`recognise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// A format could have made it: look it up.
    Accepted,
    /// No format could have made it, and one with a check character makes codes of this length: it was mistyped.
    TypingError,
    /// No format could have made it. It is still to be looked up: a code may have been set by hand or imported.
    Unshaped,
}

/// Tells a typing error before any look-up (C-2).
///
/// ```
/// use passes_core::passcode::{Format, Recognised, fold, recognise};
/// let card = Format { check: true, length: 4, ..Format::default() }.folded()?;
/// assert_eq!(recognise(&fold("2222-2")?, &[card.clone()]), Recognised::Accepted);
/// assert_eq!(recognise(&fold("2223-2")?, &[card.clone()]), Recognised::TypingError);
/// assert_eq!(recognise(&fold("SUMMER")?, &[card]), Recognised::Unshaped);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[must_use]
pub fn recognise(folded: &Folded, formats_in_use: &[FoldedFormat]) -> Recognised {
    if formats_in_use.iter().any(|format| format.accepts(folded)) {
        Recognised::Accepted
    } else if formats_in_use.iter().any(|format| format.has_check() && format.same_length(folded)) {
        Recognised::TypingError
    } else {
        Recognised::Unshaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passcode::tests::rng;
    use crate::passcode::{Alphabet, Format, fold};

    #[test]
    fn moduli() {
        let sizes =
            [(1, 3), (2, 3), (3, 3), (4, 5), (6, 7), (10, 11), (23, 23), (24, 29), (26, 29), (33, 37)];
        for (size, prime) in sizes {
            assert_eq!(modulus(size), prime);
        }
        for size in 2..=36 {
            let p = modulus(size);
            assert!(p >= size && (2..p).all(|d| !p.is_multiple_of(d)));
        }
    }

    const ALPHABETS: [&str; 9] = [
        "01",
        "ABC",
        "ABCDEF",
        "numeric",
        "alphabetic",
        "default",
        "0123456789ABCDEFGHJKMNPQRS",
        "0123456789ABCDEFGHJKMNPQRSTUVWXY",
        "alphanumeric",
    ];

    /// C-2: every single wrong character and every swap of two neighbours, in prefix, body, check character and
    /// suffix, for alphabets of 2 to 33 characters.
    #[test]
    fn every_wrong_character_and_every_swap() {
        let mut rng = rng(2);
        for alphabet in ALPHABETS {
            for (length, prefix, suffix) in [(4, "", ""), (7, "GIFT", ""), (12, "", "X0"), (32, "2A", "A2")] {
                let format = Format {
                    alphabet: Alphabet::from(alphabet),
                    length,
                    prefix: prefix.into(),
                    suffix: suffix.into(),
                    check: true,
                    ..Format::default()
                };
                let maker = format.maker().unwrap();
                for _ in 0..30 {
                    let code = maker.passcode(&maker.draw(&mut rng)).fold().unwrap();
                    assert_eq!(recognise(&code, std::slice::from_ref(maker.folded())), Recognised::Accepted);
                    every_error(code.reveal(), maker.folded());
                }
            }
        }
    }

    fn every_error(code: &str, format: &FoldedFormat) {
        let wrong = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).unwrap();
            let folded = fold(text).unwrap();
            // I, L and O read as 1 and 0: typing them for those is no error.
            if folded.reveal() != code {
                let told = recognise(&folded, std::slice::from_ref(format));
                assert_eq!(told, Recognised::TypingError, "{code} as {text}");
            }
        };
        for at in 0..code.len() {
            let mut bytes = code.as_bytes().to_vec();
            for c in (b'0'..=b'9').chain(b'A'..=b'Z') {
                bytes[at] = c;
                wrong(&bytes);
            }
        }
        for at in 1..code.len() {
            let mut bytes = code.as_bytes().to_vec();
            bytes.swap(at - 1, at);
            wrong(&bytes);
        }
    }

    /// C-2: all codes of a small format, not only drawn ones.
    #[test]
    fn all_codes_of_small_formats() {
        for (alphabet, length) in [("01", 8), ("ABC", 5), ("2468", 4), ("ABCDEF", 4)] {
            let format =
                Format { alphabet: Alphabet::from(alphabet), length, check: true, ..Format::default() };
            let folded = format.folded().unwrap();
            let symbols: Vec<u8> = folded.symbols().iter().collect();
            let digits = u32::from(length) + 1;
            let mut accepted = 0;
            for number in 0..symbols.len().pow(digits) {
                let code: String = (0..digits)
                    .map(|at| char::from(symbols[number / symbols.len().pow(at) % symbols.len()]))
                    .collect();
                if folded.accepts(&fold(&code).unwrap()) {
                    accepted += 1;
                    every_error(&code, &folded);
                }
            }
            assert_eq!(accepted, crate::passcode::capacity(&folded));
        }
    }

    /// C-2: a typing error is told only if no format in use accepts the text.
    #[test]
    fn another_format_may_accept_it() {
        let checked = Format { length: 4, check: true, alphabet: Alphabet::Numeric, ..Format::default() };
        let plain = Format { length: 5, alphabet: Alphabet::Numeric, ..Format::default() };
        let (checked, plain) = (checked.folded().unwrap(), plain.folded().unwrap());
        let wrong = fold("12345").unwrap();
        assert_eq!(recognise(&wrong, &[]), Recognised::Unshaped);
        assert_eq!(recognise(&wrong, std::slice::from_ref(&plain)), Recognised::Accepted);
        assert_eq!(recognise(&wrong, std::slice::from_ref(&checked)), Recognised::TypingError);
        assert_eq!(recognise(&wrong, &[checked.clone(), plain.clone()]), Recognised::Accepted);
        assert_eq!(recognise(&fold("ABCDE").unwrap(), &[plain]), Recognised::Unshaped);
        assert_eq!(recognise(&fold("ABCDE").unwrap(), &[checked]), Recognised::TypingError);
    }
}

//! How many codes a format can make, and how easily one of them is guessed (C-4).

use super::alphabet::bad;
use super::check;
use super::format::{FoldedFormat, Format};
use crate::refusal::Refusal;

/// How many different codes the format can make; `u128::MAX` stands for that many or more.
///
/// Exact with a check character as well: bodies whose check character doesn't exist are not counted.
///
/// ```
/// use passes_core::passcode::{Alphabet, Format, capacity};
/// let numeric = Format { alphabet: Alphabet::Numeric, length: 8, ..Format::default() };
/// assert_eq!(capacity(&numeric.folded()?), 100_000_000);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[must_use]
pub fn capacity(format: &FoldedFormat) -> u128 {
    let size = format.symbols().len();
    let modulus = check::modulus(size);
    if !format.has_check() || modulus == size {
        // A prime alphabet has a check character for every body.
        return u128::from(size).saturating_pow(u32::from(format.length()));
    }
    // How many bodies have each sum, one character after the other.
    let mut by_sum: Vec<(u32, u128)> = vec![(0, 1)];
    for _ in 0..format.length() {
        let mut next: Vec<(u32, u128)> = (0..modulus).map(|sum| (sum, 0)).collect();
        for (sum, bodies) in by_sum {
            for value in 0..size {
                let reached = usize::try_from(check::step(sum, value, modulus)).unwrap_or(usize::MAX);
                if let Some((_, count)) = next.get_mut(reached) {
                    *count = count.saturating_add(bodies);
                }
            }
        }
        by_sum = next;
    }
    let closed = by_sum.into_iter().filter(|(sum, _)| check::closing(*sum, modulus) < size);
    closed.fold(0, |all, (_, bodies)| all.saturating_add(bodies))
}

/// The fewest drawn characters with which the format can make as many codes as `needed`, if 32 are enough.
///
/// ```
/// use passes_core::passcode::{Format, shortest};
/// assert_eq!(shortest(&Format::default().folded()?, 1_000_000), Some(5));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[must_use]
pub fn shortest(format: &FoldedFormat, needed: u128) -> Option<u8> {
    (Format::SHORTEST..=Format::LONGEST).find(|length| capacity(&format.with_length(*length)) >= needed)
}

/// How many of `made` codes of an existing format have a folded form that the new format could have, rounded up.
///
/// Codes are uniform, so it is the share of characters that both can have, place by place. Equal formats share
/// all codes, formats of different folded length none. Check characters are counted like drawn ones, so that the
/// answer is rather too high. It is never 0 while a code could be shared.
///
/// ```
/// use passes_core::passcode::{Alphabet, Format, expected_hits};
/// let numeric = Format { alphabet: Alphabet::Numeric, length: 4, ..Format::default() }.folded()?;
/// let even = Format { alphabet: Alphabet::from("02468"), length: 4, ..Format::default() }.folded()?;
/// assert_eq!(expected_hits(&numeric, 1_000, &even), 63); // 1000 / 2⁴
/// assert_eq!(expected_hits(&even, 1_000, &numeric), 1_000);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[must_use]
pub fn expected_hits(existing: &FoldedFormat, made: u64, new: &FoldedFormat) -> u64 {
    /// Binary places behind the point: 64 + 56 bits leave room for a factor of up to 33.
    const PLACES: u32 = 56;
    if existing.total_length() != new.total_length() || made == 0 {
        return 0;
    }
    let mut hits = u128::from(made) << PLACES;
    let mut rounded = 0;
    for (has, wants) in existing.positions().zip(new.positions()) {
        let (shared, all) = (has.shared(wants), has.len());
        if shared == 0 {
            return 0;
        }
        if shared < all {
            hits = (hits * u128::from(shared)).div_ceil(u128::from(all));
            rounded += 1;
        }
    }
    // Each step rounded up by less than one in the last place: without that, a whole number stays whole.
    let whole = hits.saturating_sub(rounded).div_ceil(1 << PLACES);
    u64::try_from(whole).unwrap_or(u64::MAX).clamp(1, made)
}

/// Whether a lot of `wanted` codes may be made: the format holds them beside the `live_overlap` codes that it
/// could have and that are in use, and a random guess then succeeds at most once in `one_in` (C-4).
///
/// `one_in` is 10⁸ by default, 10⁶ with a PIN; 1 where no odds are asked for. The overlap is the sum of
/// [`expected_hits`] over the formats in use, less wholly cancelled lots.
///
/// # Errors
///
/// `FORMAT_TOO_SHORT` with the shortest length that would do; `BAD_FORMAT` if the alphabet is too small at any
/// length. For longer codes no overlap is counted: few formats in use have that length.
///
/// ```
/// use passes_core::passcode::{Alphabet, Format, fits};
/// let numeric = Format { alphabet: Alphabet::Numeric, length: 12, ..Format::default() }.folded()?;
/// fits(&numeric, 10_000, 0, 100_000_000)?;
/// let refusal = fits(&numeric, 10_001, 0, 100_000_000).unwrap_err();
/// assert_eq!(refusal.fix(), "use at least 13 characters");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
pub fn fits(format: &FoldedFormat, wanted: u64, live_overlap: u64, one_in: u64) -> Result<(), Refusal> {
    let odds = u128::from(one_in.max(1));
    let codes = u128::from(wanted) + u128::from(live_overlap);
    let holds = capacity(format);
    if codes.saturating_mul(odds) <= holds {
        return Ok(());
    }
    let why = if codes > holds {
        format!("they make {holds} codes, and {codes} are needed")
    } else {
        format!("with {codes} of {holds} codes in use, a guess would succeed more often than once in {odds}")
    };
    let enough = u128::from(wanted).saturating_mul(odds);
    let needed = (format.length().saturating_add(1)..=Format::LONGEST)
        .find(|length| capacity(&format.with_length(*length)) >= enough);
    match needed {
        Some(needed) => {
            Err(Refusal::FormatTooShort { length: format.length().into(), needed: needed.into(), why })
        }
        None => Err(bad(format!("{why}; its alphabet is too small at any length up to {}", Format::LONGEST))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passcode::Alphabet;

    fn format(alphabet: &str, length: u8, check: bool) -> FoldedFormat {
        Format { alphabet: Alphabet::from(alphabet), length, check, ..Format::default() }.folded().unwrap()
    }

    fn with_prefix(alphabet: &str, length: u8, prefix: &str) -> FoldedFormat {
        Format { alphabet: Alphabet::from(alphabet), length, prefix: prefix.into(), ..Format::default() }
            .folded()
            .unwrap()
    }

    /// C-4: exact numbers; the check character takes bodies away only where the alphabet is no prime.
    #[test]
    fn capacities() {
        assert_eq!(capacity(&format("numeric", 9, false)), 10u128.pow(9));
        assert_eq!(capacity(&format("alphabetic", 9, true)), 23u128.pow(9));
        assert_eq!(capacity(&format("default", 12, false)), 24u128.pow(12));
        // A tenth-of-eleven share: one sum in eleven has no check character.
        let checked = capacity(&format("numeric", 9, true));
        assert!((909_090_905..=909_090_915).contains(&checked), "{checked}");
        assert_eq!(capacity(&format("alphanumeric", 32, false)), u128::MAX);
        assert_eq!(capacity(&format("alphanumeric", 32, true)), u128::MAX);
        assert_eq!(capacity(&format("01", 32, false)), 1 << 32);
    }

    /// C-4: more characters never hold less, and the shortest length is just enough.
    #[test]
    fn shortest_is_just_enough() {
        for (alphabet, check) in [("01", true), ("numeric", false), ("numeric", true), ("default", true)] {
            let format = format(alphabet, 4, check);
            let mut before = 0;
            for length in 4..=32 {
                let holds = capacity(&format.with_length(length));
                assert!(holds >= before);
                if holds > before {
                    assert_eq!(shortest(&format, holds), Some(length));
                }
                before = holds;
            }
        }
        assert_eq!(shortest(&format("01", 4, false), (1 << 32) + 1), None);
        assert_eq!(shortest(&format("numeric", 9, false), 0), Some(4));
    }

    /// C-4: overlap of formats, rounded up, exact where it is whole.
    #[test]
    fn overlaps() {
        let digits = format("numeric", 6, false);
        let letters = format("alphabetic", 6, false);
        let both = format("alphanumeric", 6, false);
        assert_eq!(expected_hits(&digits, u64::MAX, &digits), u64::MAX);
        assert_eq!(expected_hits(&digits, 5, &letters), 0);
        assert_eq!(expected_hits(&digits, 5, &both), 5);
        assert_eq!(expected_hits(&digits, 0, &both), 0);
        // (10/33)⁶ of a million is 774.3.
        assert_eq!(expected_hits(&both, 1_000_000, &digits), 775);
        assert_eq!(expected_hits(&both, 1, &digits), 1);
        assert_eq!(expected_hits(&both, 33u64.pow(6), &digits), 1_000_000);
        assert_eq!(expected_hits(&digits, 5, &format("numeric", 7, false)), 0);
        // A prefix is a character like another: A-and-five is one in 33 of six characters.
        let prefixed = with_prefix("alphanumeric", 5, "A");
        assert_eq!(expected_hits(&both, 330, &prefixed), 10);
        assert_eq!(expected_hits(&prefixed, 330, &both), 330);
        assert_eq!(expected_hits(&prefixed, 330, &with_prefix("alphanumeric", 5, "B")), 0);
        assert_eq!(expected_hits(&prefixed, 330, &with_prefix("alphanumeric", 4, "AB")), 10);
        // A check character has the alphabet of the body.
        assert_eq!(expected_hits(&format("numeric", 5, true), 9, &digits), 9);
    }

    /// C-4: too many codes, and too good odds, are refused with the shortest length that would do.
    #[test]
    fn lots_that_do_not_fit() {
        let needed = |refusal: Refusal| match refusal {
            Refusal::FormatTooShort { length, needed, .. } => (length, needed),
            other => panic!("{other:?}"),
        };
        let six = format("numeric", 6, false);
        fits(&six, 1_000_000, 0, 1).unwrap();
        fits(&six, 1_000_000, 0, 0).unwrap();
        fits(&six, 1, 0, 1_000_000).unwrap();
        assert_eq!(needed(fits(&six, 1_000_001, 0, 1).unwrap_err()), (6, 7));
        assert_eq!(needed(fits(&six, 1_000, 999_001, 1).unwrap_err()), (6, 7));
        assert_eq!(needed(fits(&six, 1_000, 0, 1_000_000).unwrap_err()), (6, 9));
        assert_eq!(needed(fits(&six, 1, 1, 1_000_000).unwrap_err()), (6, 7));
        assert_eq!(needed(fits(&six, 1_000_000, 0, 100_000_000).unwrap_err()), (6, 14));
        assert_eq!(fits(&format("01", 20, false), 1_000, 0, 100_000_000).unwrap_err().code(), "BAD_FORMAT");
        assert_eq!(fits(&six, u64::MAX, u64::MAX, u64::MAX).unwrap_err().code(), "BAD_FORMAT");
        fits(&format("default", 12, false), 1_000_000, 0, 100_000_000).unwrap();
    }
}

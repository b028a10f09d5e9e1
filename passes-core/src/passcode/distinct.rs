//! Many codes at once, each different from every other, without a store that would say which are taken.

use super::capacity::capacity;
use super::maker::{Body, Maker};
use crate::limits;
use crate::refusal::Refusal;
use crate::secret::wipe;
use rand_core::CryptoRng;
use std::collections::HashSet;
use std::fmt;
use zeroize::ZeroizeOnDrop;

/// How often repeated codes are drawn anew. At most half of the codes are wanted, so each time at most half of
/// them repeat again; only a generator that gives the same over and over comes to the end of this.
const ROUNDS: u32 = 100;

/// Codes of one format of which no two are the same, in the order in which they were drawn;
/// [`Maker::distinct`] draws them.
///
/// They take as many bytes as they have characters, are as secret as any code, and are wiped when dropped.
/// See [`Maker::distinct`].
pub struct Distinct {
    /// The bodies, one behind the other.
    chars: Vec<u8>,
    /// Characters of each.
    length: usize,
}

impl Distinct {
    /// How many there are.
    /// See [`Maker::distinct`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.chars.len().checked_div(self.length).unwrap_or_default()
    }

    /// Whether there are none.
    /// See [`Maker::distinct`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// The codes, to be shown or hashed by their [`Maker`].
    /// See [`Maker::distinct`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Body> + '_ {
        self.chars.chunks_exact(self.length.max(1)).map(Body::of)
    }
}

impl Drop for Distinct {
    fn drop(&mut self) {
        wipe(&mut self.chars);
    }
}

impl ZeroizeOnDrop for Distinct {}

impl fmt::Debug for Distinct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Distinct({} codes)", self.len())
    }
}

impl Maker {
    /// Draws codes of which no two are the same: every such set of the format's codes is as likely as every other,
    /// in every order (C-3).
    ///
    /// For codes that are kept elsewhere. A lot needs none of this: there the store tells which codes are taken,
    /// those of other lots too (C-4).
    ///
    /// # Errors
    ///
    /// `TOO_LARGE` for more than 100,000,000, or more than half of the codes that the format has: drawing would
    /// take ever longer. `INVALID` for a generator that keeps giving the same.
    ///
    /// ```
    /// use passes_core::passcode::Format;
    /// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    /// let maker = Format::default().maker()?;
    /// let codes = maker.distinct(1_000, &mut ChaCha20Rng::from_seed([7; 32]))?; // The host's randomness.
    /// assert_eq!((codes.len(), codes.is_empty()), (1_000, false));
    /// let mut texts: Vec<_> = codes.iter().map(|body| maker.passcode(&body).reveal().to_owned()).collect();
    /// texts.sort();
    /// texts.dedup();
    /// assert_eq!((texts.len(), texts[0].len()), (1_000, "7KQ2-M9XW-4HTC".len()));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn distinct<R: CryptoRng + ?Sized>(&self, count: u32, rng: &mut R) -> Result<Distinct, Refusal> {
        let largest = (capacity(self.folded()) / 2).min(limits::LOT.into());
        if u128::from(count) > largest {
            let largest = u64::try_from(largest).unwrap_or(u64::MAX);
            return Err(Refusal::TooLarge { field: "count".into(), size: count.into(), largest });
        }
        let length = self.folded().body_length();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut codes = Distinct { chars: Vec::with_capacity(count.saturating_mul(length)), length };
        for _ in 0..count {
            codes.chars.extend_from_slice(self.draw(rng).reveal_bytes());
        }
        for _ in 0..ROUNDS {
            let repeated = repeated(&codes);
            if repeated.is_empty() {
                return Ok(codes);
            }
            for at in repeated {
                if let Some(place) = codes.chars.get_mut(at * length..(at + 1) * length) {
                    place.copy_from_slice(self.draw(rng).reveal_bytes());
                }
            }
        }
        Err(Refusal::invalid("generator", "gives the same codes over and over"))
    }
}

/// The places of codes that stand before them already.
///
/// A sort or a set of all would cost more than drawing them. So each code sets a bit, one of eight times as many as
/// there are codes; where it is set already, and nowhere else, may be a repetition. Only these few are then sorted.
fn repeated(codes: &Distinct) -> Vec<usize> {
    let bodies = || codes.chars.chunks_exact(codes.length);
    let mut bits = Bits::new(codes.len().saturating_mul(8));
    let mut doubtful: Vec<u64> = bodies().map(hash).filter(|hash| bits.set(*hash)).collect();
    // Those that set the bits first, some of them others' twins, are found by fewer bits.
    bits = Bits::new(doubtful.len().saturating_mul(16));
    doubtful.iter().for_each(|hash| {
        bits.set(*hash);
    });
    wipe(&mut doubtful);
    doubtful.clear();
    doubtful.extend(bodies().map(hash).filter(|hash| bits.has(*hash)));
    doubtful.sort_unstable();
    let twins = doubtful.array_windows().filter(|[one, next]| one == next);
    let mut twins: Vec<u64> = twins.map(|[one, _]| *one).collect();
    wipe(&mut doubtful);
    twins.dedup();
    let mut seen = HashSet::new();
    let mut repeated = Vec::new();
    if !twins.is_empty() {
        // Two codes may have one hash, so these are compared themselves.
        let twins = |body: &[u8]| twins.binary_search(&hash(body)).is_ok();
        let places = bodies().enumerate().filter(|(_, body)| twins(body) && !seen.insert(*body));
        repeated.extend(places.map(|(at, _)| at));
    }
    wipe(&mut twins);
    repeated
}

/// A bit for each value of the first bits of a hash.
struct Bits {
    words: Vec<u64>,
    /// How many bits of a hash are left behind the first.
    shift: u32,
}

impl Bits {
    /// At least so many.
    fn new(bits: usize) -> Self {
        let bits = bits.max(64).next_power_of_two();
        Self { words: vec![0; bits / 64], shift: u64::BITS - bits.ilog2() }
    }

    #[inline]
    fn place(&self, hash: u64) -> (usize, u64) {
        let bit = hash >> self.shift;
        (usize::try_from(bit / 64).unwrap_or(usize::MAX), 1 << (bit % 64))
    }

    /// Sets the bit of a hash; whether it was set before.
    #[inline]
    fn set(&mut self, hash: u64) -> bool {
        let (at, bit) = self.place(hash);
        let Some(word) = self.words.get_mut(at) else { return true };
        let before = *word;
        *word |= bit;
        before & bit != 0
    }

    /// Whether the bit of a hash is set.
    #[inline]
    fn has(&self, hash: u64) -> bool {
        let (at, bit) = self.place(hash);
        self.words.get(at).is_none_or(|word| word & bit != 0)
    }
}

impl Drop for Bits {
    fn drop(&mut self) {
        wipe(&mut self.words);
    }
}

/// Sixty-four bits that are the same for the same code, and nearly always others for another.
#[inline]
fn hash(body: &[u8]) -> u64 {
    /// 2⁶⁴ over the golden ratio.
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(29) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = body.as_chunks();
    let mut hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        // The last eight bytes, some of them again; of a short code what there is.
        hash = mix(
            hash,
            match body.last_chunk() {
                Some(last) => u64::from_le_bytes(*last),
                None => rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
            },
        );
    }
    (hash ^ (hash >> 32)).wrapping_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passcode::maker::tests::maker;
    use crate::passcode::tests::rng;
    use rand_core::{Infallible, TryCryptoRng, TryRng};
    use std::collections::{BTreeMap, BTreeSet};

    fn bodies(codes: &Distinct) -> Vec<Vec<u8>> {
        codes.iter().map(|body| body.reveal_bytes().to_vec()).collect()
    }

    /// C-3, C-4: no code is there twice, however full the format is and however long its codes are.
    #[test]
    fn no_two_are_the_same() {
        for (alphabet, length, check, count) in [
            ("default", 12, false, 5_000),
            ("numeric", 4, false, 5_000),
            ("numeric", 4, true, 4_000),
            ("01", 14, false, 1 << 13),
            ("01", 32, true, 5_000),
            ("alphanumeric", 32, false, 5_000),
            ("default", 4, false, 0),
        ] {
            let maker = maker(alphabet, length, check);
            let codes = maker.distinct(count, &mut rng(11)).unwrap();
            assert_eq!((codes.len(), codes.is_empty()), (usize::try_from(count).unwrap(), count == 0));
            let bodies = bodies(&codes);
            assert_eq!(bodies.iter().collect::<BTreeSet<_>>().len(), codes.len(), "{alphabet} {length}");
            for body in codes.iter() {
                let code = maker.passcode(&body);
                let read = maker.read(&crate::passcode::fold(code.reveal()).unwrap()).unwrap();
                assert_eq!(read.reveal_bytes(), body.reveal_bytes());
            }
        }
    }

    /// C-3: what repeats is drawn anew in its place; all else is what the generator gave, in its order.
    #[test]
    fn the_order_is_that_of_drawing() {
        let maker = maker("default", 4, false);
        let mut one = rng(12);
        let drawn: Vec<Vec<u8>> = (0..20_000).map(|_| maker.draw(&mut one).reveal_bytes().to_vec()).collect();
        let codes = bodies(&maker.distinct(20_000, &mut rng(12)).unwrap());
        let repeated = 20_000 - drawn.iter().collect::<BTreeSet<_>>().len();
        let anew = codes.iter().zip(&drawn).filter(|(code, drawn)| code != drawn).count();
        // One that is drawn anew may be the code of a later place, which then is drawn anew in its turn.
        assert!(repeated > 400 && (repeated..repeated + 100).contains(&anew), "{anew} for {repeated}");
    }

    /// C-3: in every place each code is as likely as every other, half of a format's codes being drawn.
    #[test]
    fn sets_are_uniform() {
        let maker = maker("02468", 4, false);
        let mut rng = rng(13);
        let mut counts: BTreeMap<(bool, Vec<u8>), u32> = BTreeMap::new();
        for _ in 0..2_000 {
            let codes = bodies(&maker.distinct(312, &mut rng).unwrap());
            for (at, body) in codes.into_iter().enumerate() {
                *counts.entry((at < 156, body)).or_default() += 1;
            }
        }
        // 2,000 × 156 ÷ 625 = 499.2 of each in each half, with a deviation below √499.
        assert_eq!(counts.len(), 2 * 625);
        for ((half, body), count) in counts {
            assert!((390..610).contains(&count), "{count} of {body:?} in {half}");
        }
    }

    /// Z-3: more than a format can give in good time is refused.
    #[test]
    fn too_many_are_refused() {
        let numeric = maker("numeric", 4, false);
        assert_eq!(numeric.distinct(5_001, &mut rng(1)).unwrap_err().code(), "TOO_LARGE");
        let large = maker("default", 12, false).distinct(limits::LOT + 1, &mut rng(1));
        assert_eq!(large.unwrap_err().code(), "TOO_LARGE");
    }

    /// A generator that gives the same over and over.
    struct Stuck;

    impl TryRng for Stuck {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(0)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(0)
        }

        fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
            to.fill(0);
            Ok(())
        }
    }

    impl TryCryptoRng for Stuck {}

    /// C-3: a broken generator ends in a refusal, not in a search without end.
    #[test]
    fn a_stuck_generator_is_told() {
        let maker = maker("default", 12, false);
        assert_eq!(maker.distinct(1, &mut Stuck).unwrap().len(), 1);
        assert_eq!(maker.distinct(2, &mut Stuck).unwrap_err().code(), "INVALID");
    }

    /// C-7: nothing of the codes in a debug text.
    #[test]
    fn debug_says_nothing() {
        let codes = maker("default", 12, false).distinct(3, &mut rng(1)).unwrap();
        assert_eq!(format!("{codes:?}"), "Distinct(3 codes)");
    }
}

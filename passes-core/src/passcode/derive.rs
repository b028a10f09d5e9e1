//! The codes and PINs of a lot, derived from its seed (T-2).

use super::maker::{Body, Maker};
use crate::secret::wipe;
use rand_core::{CryptoRng, Infallible, Rng, TryCryptoRng, TryRng, utils};
use std::fmt;
use std::ops::Range;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What is derived from the seed of a lot. Each has a stream of its own.
/// See [`LotSeed::stream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Derived {
    /// The passcodes.
    Code,
    /// The PINs.
    Pin,
}

/// The seed that all codes and PINs of a lot derive from (T-2): 32 bytes that are stored only sealed.
///
/// It wipes itself when dropped; `Debug` says nothing.
///
/// ```
/// use passes_core::passcode::LotSeed;
/// let seed = LotSeed::from_bytes([1; 32]);
/// assert_eq!((seed.reveal(), format!("{seed:?}").as_str()), (&[1; 32], "LotSeed(..)"));
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct LotSeed([u8; 32]);

impl LotSeed {
    /// A seed from bytes that were sealed before.
    /// See [`LotSeed`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new seed.
    ///
    /// ```
    /// use passes_core::passcode::LotSeed;
    /// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    /// let seed = LotSeed::generate(&mut ChaCha20Rng::from_seed([7; 32])); // The host's randomness.
    /// assert_ne!(seed.reveal(), &[0; 32]);
    /// ```
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Self([0; 32]);
        rng.fill_bytes(&mut seed.0);
        seed
    }

    /// The bytes, to be sealed. They are the secret.
    /// See [`LotSeed`].
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }

    /// The code of a pass: the same for the same seed, format, serial number and try. A try that isn't 0 is for a
    /// code that was taken.
    ///
    /// ```
    /// use passes_core::passcode::{Format, LotSeed};
    /// let (seed, maker) = (LotSeed::from_bytes([1; 32]), Format::default().maker()?);
    /// let first = maker.passcode(&seed.code(&maker, 1, 0));
    /// assert_eq!(first, maker.passcode(&seed.code(&maker, 1, 0)));
    /// assert_ne!(first, maker.passcode(&seed.code(&maker, 1, 1)));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn code(&self, maker: &Maker, serial: u32, try_no: u32) -> Body {
        maker.draw(&mut self.stream(Derived::Code, serial, try_no))
    }

    /// The codes of consecutive passes, each the same as [`code`](LotSeed::code) gives for its first try. Many at
    /// once are derived faster.
    ///
    /// ```
    /// use passes_core::passcode::{Format, LotSeed};
    /// let (seed, maker) = (LotSeed::from_bytes([1; 32]), Format::default().maker()?);
    /// for (serial, body) in seed.codes(&maker, 1..101) {
    ///     assert_eq!(maker.passcode(&body), maker.passcode(&seed.code(&maker, serial, 0)));
    /// }
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn codes<'a>(&'a self, maker: &'a Maker, serials: Range<u32>) -> Codes<'a> {
        Codes { seed: self, maker, serials, ahead: [[0; 8]; AHEAD], read: AHEAD }
    }

    /// The random stream of one pass.
    ///
    /// ```
    /// use passes_core::passcode::{Derived, Format, LotSeed};
    /// let (seed, maker) = (LotSeed::from_bytes([1; 32]), Format::default().maker()?);
    /// let body = maker.draw(&mut seed.stream(Derived::Code, 7, 0));
    /// assert_eq!(maker.passcode(&body), maker.passcode(&seed.code(&maker, 7, 0)));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn stream(&self, of: Derived, serial: u32, try_no: u32) -> SeedStream<'_> {
        SeedStream { seed: self, of, serial, try_no, block: [0; 8], read: 8, blocks: 0 }
    }

    /// Makes consecutive blocks, those of consecutive serial numbers.
    #[inline]
    fn blocks<const N: usize>(&self, of: Derived, try_no: u32, first: u64, to: &mut [[u64; 8]; N]) {
        let tag = match of {
            Derived::Code => 1,
            Derived::Pin => 2,
        };
        let [a, b, c, d] = try_no.to_le_bytes();
        let mut output = blake3::Hasher::new_keyed(&self.0).update(&[tag, a, b, c, d]).finalize_xof();
        output.set_position(first << 6);
        let mut bytes = [[0; 64]; N];
        output.fill(bytes.as_flattened_mut());
        for (block, bytes) in to.iter_mut().zip(&bytes) {
            for (word, bytes) in block.iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        wipe(bytes.as_flattened_mut());
    }
}

impl fmt::Debug for LotSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LotSeed(..)")
    }
}

/// How many blocks [`Codes`] derives at once: as many as BLAKE3 makes in parallel on the widest processors.
const AHEAD: usize = 16;

/// The codes of consecutive passes with their serial numbers; [`LotSeed::codes`] makes it.
/// See [`LotSeed::codes`].
pub struct Codes<'a> {
    seed: &'a LotSeed,
    maker: &'a Maker,
    serials: Range<u32>,
    ahead: [[u64; 8]; AHEAD],
    /// How many blocks have been used.
    read: usize,
}

impl Iterator for Codes<'_> {
    type Item = (u32, Body);

    #[inline]
    fn next(&mut self) -> Option<(u32, Body)> {
        let serial = self.serials.next()?;
        if self.read == AHEAD {
            self.seed.blocks(Derived::Code, 0, serial.into(), &mut self.ahead);
            self.read = 0;
        }
        let block = *self.ahead.get(self.read)?;
        self.read += 1;
        let mut stream =
            SeedStream { block, read: 0, blocks: 1, ..self.seed.stream(Derived::Code, serial, 0) };
        Some((serial, self.maker.draw(&mut stream)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.serials.size_hint()
    }
}

impl Drop for Codes<'_> {
    fn drop(&mut self) {
        wipe(self.ahead.as_flattened_mut());
    }
}

impl fmt::Debug for Codes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codes({:?}, ..)", self.serials)
    }
}

/// The random stream of one pass of a lot, a generator like any other.
///
/// It is made of blocks of 64 bytes of BLAKE3's extended output, keyed with the seed, over what is derived (one
/// byte) and the try (four bytes, little endian). The n-th block of a pass, from 0, is block n·2³² + serial number.
/// See [`LotSeed::stream`].
pub struct SeedStream<'a> {
    seed: &'a LotSeed,
    of: Derived,
    serial: u32,
    try_no: u32,
    block: [u64; 8],
    /// How many words of the block have been read.
    read: usize,
    /// How many blocks have been made.
    blocks: u64,
}

impl SeedStream<'_> {
    #[inline]
    fn refill(&mut self) {
        let mut next = [[0; 8]];
        self.seed.blocks(self.of, self.try_no, (self.blocks << 32) | u64::from(self.serial), &mut next);
        [self.block] = next;
        self.blocks += 1;
        self.read = 0;
    }
}

impl TryRng for SeedStream<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        // The low half of a word.
        let [a, b, c, d, ..] = self.next_u64().to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        if self.read == self.block.len() {
            self.refill();
        }
        let word = self.block.get(self.read).copied().unwrap_or_default();
        self.read += 1;
        Ok(word)
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(to, || self.try_next_u64())
    }
}

impl TryCryptoRng for SeedStream<'_> {}

impl Drop for SeedStream<'_> {
    fn drop(&mut self) {
        wipe(&mut self.block);
    }
}

impl fmt::Debug for SeedStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeedStream(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passcode::maker::tests::maker;
    use crate::passcode::tests::rng;
    use std::collections::BTreeSet;

    /// T-2: a lot that is derived again from any serial number on is the same lot, without duplicates.
    #[test]
    fn derived_again() {
        let maker = maker("default", 12, true);
        let seed = LotSeed::generate(&mut rng(5));
        let lot = |from| (from..2_000u32).map(|n| seed.code(&maker, n, 0).reveal_bytes().to_vec());
        let whole: Vec<_> = lot(0).collect();
        assert_eq!(lot(1_234).collect::<Vec<_>>(), whole[1_234..]);
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 2_000);
        let tries: BTreeSet<_> = (0..50).map(|t| seed.code(&maker, 7, t).reveal_bytes().to_vec()).collect();
        assert_eq!(tries.len(), 50);
        let other = LotSeed::from_bytes([0; 32]).code(&maker, 7, 0);
        assert_ne!(other.reveal_bytes(), seed.code(&maker, 7, 0).reveal_bytes());
    }

    /// T-2: what a seed gives is the same for ever. A lot whose export is open is derived again after an upgrade.
    #[test]
    fn golden_codes() {
        let seed = LotSeed::from_bytes(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let codes = [
            ("default", 12, false, 0, 0, "72WF-CPP6-F697"),
            ("default", 12, true, 1, 0, "2KHW-4DJ8-8XW8-8"),
            ("numeric", 16, true, u32::MAX, 3, "1402-4914-1681-3795-6"),
            ("01", 32, true, 9, 0, "0011-1011-0101-0110-0110-1100-1000-0110-0"),
        ];
        for (alphabet, length, check, serial, try_no, golden) in codes {
            let maker = maker(alphabet, length, check);
            assert_eq!(maker.passcode(&seed.code(&maker, serial, try_no)).reveal(), golden);
        }
        let mut pin = [0; 4];
        seed.stream(Derived::Pin, 1, 0).fill_bytes(&mut pin);
        assert_eq!(pin, [165, 115, 249, 85]);
    }

    /// T-2: the stream is BLAKE3's extended output, however it is read.
    #[test]
    fn the_stream() {
        let seed = LotSeed::from_bytes([8; 32]);
        let mut output = blake3::Hasher::new_keyed(&[8; 32]).update(&[1, 2, 0, 0, 0]).finalize_xof();
        let mut expected = [0; 300];
        for (n, block) in expected.chunks_mut(64).enumerate() {
            output.set_position(((u64::try_from(n).unwrap() << 32) + 5) * 64);
            output.fill(block);
        }
        let mut bytes = [0; 300];
        seed.stream(Derived::Code, 5, 2).fill_bytes(&mut bytes);
        assert_eq!(bytes, expected);
        let mut stream = seed.stream(Derived::Code, 5, 2);
        let words: Vec<u8> = (0..37).flat_map(|_| stream.next_u64().to_le_bytes()).collect();
        assert_eq!(words, expected[..296]);
    }

    /// T-2: many at once are the same as one by one, those that need more than a block too.
    #[test]
    fn many_at_once() {
        let seed = LotSeed::from_bytes([9; 32]);
        for maker in [maker("default", 12, true), maker("01", 32, true)] {
            for serials in [0..100, 7..40, u32::MAX - 20..u32::MAX] {
                let many: Vec<_> = seed.codes(&maker, serials.clone()).collect();
                assert_eq!(many.len(), serials.len());
                for ((serial, body), expected) in many.iter().zip(serials) {
                    assert_eq!(*serial, expected);
                    assert_eq!(body.reveal_bytes(), seed.code(&maker, expected, 0).reveal_bytes());
                }
            }
        }
    }
}

//! Chance that can be repeated: the seed is printed, and `PASSES_SEED` sets it.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The seed of this run: from the environment's `PASSES_SEED`, else one that differs each time. It is printed, so
/// that a failure can be repeated.
#[must_use]
pub fn seed(what: &str) -> u64 {
    let given = std::env::var("PASSES_SEED").ok().and_then(|text| text.trim().parse().ok());
    let seed = given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        // Some digits are enough, and are easier to type again.
        (now.as_nanos() / 1_000 % 1_000_000_007) as u64
    });
    println!("{what}: PASSES_SEED={seed}");
    seed
}

/// Dice thrown from a seed.
#[derive(Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// Dice whose seed is printed; see [`seed`].
    #[must_use]
    pub fn thrown(what: &str) -> Self {
        Self::new(seed(what))
    }

    /// A number below `n`, which is above zero.
    pub fn below(&mut self, n: u64) -> u64 {
        // The bias is far below what any test could tell.
        self.0.next_u64() % n
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as u64) as i64
    }

    /// True once in `n` throws.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// One of these, if there are any.
    pub fn maybe<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { Some(self.pick(of)) }
    }
}

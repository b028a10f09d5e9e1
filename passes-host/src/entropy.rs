//! The randomness of the operating system: the only place where it comes from.

use chacha20::ChaCha20Rng;
use forkguard::Guard;
use passes_core::Entropy;
use rand_core::{Rng as _, SeedableRng as _};
use std::cell::RefCell;
use zeroize::Zeroize as _;

/// Brings randomness from the operating system. The default of a host.
///
/// The system is asked once for every sixty-four seeds of a thread: a call of it takes longer than all that a
/// redemption computes. In between they come from a generator that it seeded, ChaCha with twenty rounds. A forked
/// process asks the system anew.
///
/// ```
/// use passes_host::{Entropy, OsEntropy};
/// assert_ne!(OsEntropy.seed()?, OsEntropy.seed()?);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn seed(&self) -> Result<[u8; 32], String> {
        thread_local!(static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) });
        let drawn = SOURCE.try_with(|source| {
            let source = &mut *source.try_borrow_mut().ok()?;
            Some(match source {
                Some(source) => source.seed(),
                none => Source::new().map(|new| none.insert(new)).and_then(Source::seed),
            })
        });
        // A thread that ends has no source any more.
        drawn.ok().flatten().unwrap_or_else(from_system)
    }
}

/// Thirty-two bytes of the operating system itself, for what is kept for years.
pub(crate) fn from_system() -> Result<[u8; 32], String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
    Ok(seed)
}

/// How many seeds a generator gives before it is seeded again.
const SEEDS: u32 = 64;

/// A thread's generator.
struct Source {
    /// It wipes itself when dropped.
    rng: ChaCha20Rng,
    left: u32,
    /// A forked process has a copy of the generator, and must not draw from it.
    guard: Guard,
}

impl Source {
    fn new() -> Result<Self, String> {
        let guard = Guard::try_new().map_err(|error| error.to_string())?;
        Ok(Self { rng: seeded()?, left: SEEDS, guard })
    }

    fn seed(&mut self) -> Result<[u8; 32], String> {
        let forked = self.guard.detected_fork();
        self.draw(forked)
    }

    fn draw(&mut self, forked: bool) -> Result<[u8; 32], String> {
        if forked {
            self.left = 0;
        }
        if self.left == 0 {
            self.rng = seeded()?;
            self.left = SEEDS;
        }
        self.left -= 1;
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Ok(seed)
    }
}

fn seeded() -> Result<ChaCha20Rng, String> {
    let mut seed = from_system()?;
    let rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    Ok(rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn source() -> Source {
        Source { rng: ChaCha20Rng::from_seed([7; 32]), left: SEEDS, guard: Guard::try_new().unwrap() }
    }

    /// C-3: what a process and its fork draw differs, although both begin with the same generator.
    #[test]
    fn a_fork_draws_its_own() {
        let (mut parent, mut child) = (source(), source());
        assert_eq!(parent.draw(false), child.draw(false));
        let (own, others): (HashSet<_>, HashSet<_>) =
            (0..SEEDS).map(|n| (parent.draw(false).unwrap(), child.draw(n == 0).unwrap())).unzip();
        assert!(own.is_disjoint(&others));
    }

    /// C-3: the system is asked again after so many seeds, and before that the generator goes on.
    #[test]
    fn the_generator_is_seeded_again() {
        let (mut one, mut other) = (source(), source());
        for _ in 0..SEEDS {
            assert_eq!(one.seed(), other.seed());
        }
        assert_ne!(one.seed(), other.seed());
    }

    /// C-3: no seed comes twice, in whatever thread.
    #[test]
    fn no_seed_comes_twice() {
        let draw = || (0..1_000).map(|_| OsEntropy.seed().unwrap()).collect::<Vec<_>>();
        let others: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let all = others.into_iter().flat_map(|other| other.join().unwrap()).chain(draw());
        assert_eq!(all.collect::<HashSet<_>>().len(), 5_000);
    }
}

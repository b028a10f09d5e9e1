//! The randomness of the operating system: the only place where it comes from.

use passes_core::Entropy;

/// Brings randomness from the operating system. The default of a host.
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
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        Ok(seed)
    }
}

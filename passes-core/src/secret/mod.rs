//! Keys and what is sealed with them (C-7, C-13, C-14). Nothing here is ever written to a store in the clear.

pub(crate) mod hex;
mod key;
mod keyring;
mod seal;

pub use key::{Key, KeyId, Purpose};
pub use keyring::{KeyError, Keyring, KeyringBuilder};
pub use seal::{Sealed, seal};

use zeroize::optimization_barrier;

/// Overwrites a secret: in whole words, not byte by byte as [`zeroize::Zeroize`] does, for a lot drops millions of codes.
#[inline]
pub(crate) fn wipe<T: Copy + Default>(secret: &mut [T]) {
    secret.fill(T::default());
    optimization_barrier(secret);
}

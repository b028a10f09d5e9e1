//! Keys and what is sealed with them (C-7, C-13, C-14). Nothing here is ever written to a store in the clear.

pub(crate) mod hex;
mod keyring;
mod seal;

pub use keyring::{Key, KeyError, KeyId, Keyring, KeyringBuilder, Purpose};
pub use seal::{Sealed, seal};

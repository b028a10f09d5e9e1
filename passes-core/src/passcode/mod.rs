//! Passcodes: how they are read, drawn, checked, counted and hashed (C-1 to C-7, C-14).
//!
//! A code goes one way:
//!
//! ```text
//! what somebody typed ─ fold ─► Folded ─ recognise ─► typing error, or worth a look-up
//!                                  └─ hash ─► CodeHash ─ keyed digest ─► Digest, which is what a store holds
//! Format ─ maker ─► Maker ─ draw, LotSeed::code ─► Body ─► Passcode, CodeHash
//! ```
//!
//! # What a thief gets (C-7)
//!
//! - *The database alone* yields no code and redeems nothing: a digest is keyed, so guesses can't be tried
//!   against it, and seeds and codes are sealed.
//! - *The digest key as well* lets a thief try codes against the digests, as fast as BLAKE3 runs (some
//!   10⁹ a second on a large machine); only the length of the codes stands in the way then.
//! - *The seal key as well* opens every sealed code and every lot seed whose export is not closed.
//!
//! So the keys belong in another place than the database, and in a backup of their own.

mod alphabet;
mod capacity;
mod check;
mod derive;
mod distinct;
mod fold;
mod format;
mod hash;
mod maker;

pub use alphabet::{Alphabet, Symbols};
pub use capacity::{capacity, expected_hits, fits, shortest};
pub use check::{Recognised, recognise};
pub use derive::{Codes, Derived, LotSeed, SeedStream};
pub use distinct::Distinct;
pub use fold::{FOLDING_VERSION, Folded, LONGEST_TEXT, fold};
pub use format::{FoldedFormat, Format};
pub use hash::{CODE_HASH_CONTEXT, CodeHash, Digest, Passcode, Presented};
pub use maker::{Body, Maker};

/// What stands for a character that a mask hides.
pub(crate) const HIDDEN: char = '•';

/// How many characters of a body of `length` a mask may show (C-6): at most four, at most a quarter.
pub(crate) fn visible(length: usize) -> usize {
    (length / 4).min(4)
}

#[cfg(test)]
pub(crate) mod tests;

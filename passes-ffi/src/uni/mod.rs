//! The face for Kotlin and Swift.

mod error;
mod leaf;
mod made;
mod objects;
mod plain;
mod store;

pub use error::{PassesError, Refusal};
pub use leaf::{
    Actor, Basket, Checkpoint, CivilDate, CodeHash, Currency, ExactDecimal, Instant, Money, Passcode, Period,
    TimeOfDay, Zone,
};
pub use made::*;
pub use objects::{AsyncPasses, Keyring, Passes, TestClock};
pub use plain::*;
pub use store::*;

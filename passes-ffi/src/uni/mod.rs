//! The face for Kotlin and Swift.

mod error;
#[cfg(feature = "measure")]
mod floor;
mod leaf;
mod made;
mod objects;
mod plain;
mod store;

pub use error::{PassesError, Refusal};
#[cfg(feature = "measure")]
pub use floor::Floor;
pub use leaf::{
    Actor, Basket, Checkpoint, CivilDate, CodeHash, Currency, ExactDecimal, Instant, Money, Passcode, Period,
    TimeOfDay, Zone,
};
pub use made::*;
pub use objects::{AsyncPasses, Keyring, Passes, TestClock};
pub use plain::*;
pub use store::*;

//! The library for other languages: Kotlin and Swift by the feature `uniffi`, Python by the feature `python`. What
//! they see is made from the source of the core; see `generate/mod.rs`.

#[cfg(feature = "uniffi")]
mod convert;

#[cfg(any(feature = "uniffi", feature = "python"))]
mod suite;

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!("passes");

#[cfg(feature = "uniffi")]
pub mod uni;

#[cfg(feature = "python")]
mod python;

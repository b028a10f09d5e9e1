//! The domain of passes. Pure: no I/O, no clock, no randomness of its own, no async runtime.

pub mod calendar;
pub mod money;
pub mod passcode;
pub mod refusal;
pub mod secret;

pub use refusal::Refusal;

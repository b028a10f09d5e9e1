//! The domain of passes. Pure: no I/O, no clock, no randomness of its own, no async runtime.

pub mod business;
pub mod calendar;
pub mod conditions;
pub mod contact;
pub mod event;
pub mod fields;
pub mod id;
pub mod ledger;
pub mod limits;
pub mod lot;
pub mod money;
pub mod operation;
pub mod pass;
pub mod passcode;
pub mod plan;
pub mod redemption;
pub mod refusal;
pub mod run;
pub mod secret;
pub mod service;
pub mod store;
pub mod wallet;

pub use refusal::Refusal;
pub use service::{Call, Clock, Entropy, Error, Passes, Receipt};

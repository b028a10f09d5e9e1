//! What the tests of this package share: a small business on any store, dice whose seed is printed, and books
//! that are kept apart from the library's own check of itself.

// Everything here serves tests: what goes wrong may stop them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

pub mod books;
pub mod dice;
pub mod world;

pub use books::Books;
pub use dice::Dice;
pub use world::{World, amount, code_of, on_every_store, on_every_store_and_pooled};

/// Whether the tests that go by chance take their time, as `cargo xtask test --long` has them do.
#[must_use]
pub fn is_long() -> bool {
    std::env::var_os("PASSES_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

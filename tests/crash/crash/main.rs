//! What a crash leaves behind: a process killed at random, a power cut, a disk that fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod faults;
mod kills;
mod power;

/// Whether the tests of this run take their time, as `cargo xtask test crash --long` has them do.
fn is_long() -> bool {
    std::env::var_os("PASSES_CRASH_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

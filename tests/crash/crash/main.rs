//! What a crash leaves behind: a process killed at random, a power cut, a disk that fails, a server that goes away.

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
mod servers;

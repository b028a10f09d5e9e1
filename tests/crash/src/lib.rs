//! What the tests of crashes share: the tills of a shop that work until they are killed and tell everything that
//! they ask for and are answered; and a judge who compares that with what is in the file afterwards.

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

pub mod deed;
pub mod found;
pub mod history;
pub mod judge;
pub mod line;
pub mod shop;
pub mod stock;
pub mod witness;

pub use deed::{Ack, Answer, Deed};
pub use found::Found;
pub use history::History;
pub use shop::Shop;
pub use stock::Stock;
pub use witness::Witness;

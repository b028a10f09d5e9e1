//! The library as a whole, on every store in the box: many threads and processes at once, crashes between steps,
//! random commands against a naive model, every state and every refusal through the service.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod books;
mod bulk;
mod caps;
mod checking;
mod days;
mod input;
mod lifecycle;
mod lots;
mod meanwhile;
mod model;
mod people;
mod processes;
mod rights;
mod rules;
mod secrets;
mod spending;
mod standby;
mod threads;
mod trips;
mod verify;

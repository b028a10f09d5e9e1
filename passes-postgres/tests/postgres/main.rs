//! The store as its hosts meet it, on a server of its own.

// A test is as loud as it can be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod suite;

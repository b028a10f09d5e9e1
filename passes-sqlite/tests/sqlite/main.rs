//! The store as its hosts meet it: the suite of every store, files in trouble, callers of all kinds.

// A test is as loud as it can be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod suite;

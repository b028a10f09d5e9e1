//! Makes the types and methods that other languages see out of the source of the core, so that none is typed by
//! hand: `source` reads it, `model` is what was understood, `table` says what can't be known from it, and each
//! face has a module that writes its Rust. A type or a method that isn't understood fails the build.

pub(crate) mod docs;
pub(crate) mod kotlin;
pub(crate) mod model;
pub(crate) mod python;
pub(crate) mod resolve;
pub(crate) mod source;
pub(crate) mod swift;
pub(crate) mod table;
pub(crate) mod uniffi;

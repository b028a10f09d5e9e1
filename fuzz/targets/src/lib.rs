//! What must hold of anything that comes from outside. Each target takes any bytes and panics where the library
//! breaks a promise; `fuzz/` feeds them with made-up bytes, and `tests/corpora.rs` with those that were kept.

// Everything here serves tests: what goes wrong should be loud.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod cursors;
mod exports;
mod passcodes;
mod plan_file;
mod seeds;
mod shop;
mod stored_documents;
mod stored_rows;
mod texts;

pub use cursors::cursors;
pub use exports::exports;
pub use passcodes::{check_character, passcode_fold};
pub use plan_file::plan_file;
pub use seeds::seeds;
pub use stored_documents::stored_documents;
pub use stored_rows::stored_rows;
pub use texts::texts;

/// A target: it panics where a promise is broken.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("plan_file", plan_file),
    ("passcode_fold", passcode_fold),
    ("check_character", check_character),
    ("cursors", cursors),
    ("exports", exports),
    ("texts", texts),
    ("stored_documents", stored_documents),
    ("stored_rows", stored_rows),
];

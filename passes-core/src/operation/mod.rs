//! Who does what: the caller of a command, the rights it needs, and the record that it leaves.

mod actor;
mod kind;

pub use actor::{Actor, By, Right, Rights};
pub use kind::Kind;

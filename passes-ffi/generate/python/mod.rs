//! The Python face: the Rust of the native module, its stub, and the enums that are written in Python.

mod names;
mod native;
mod stub;

use super::model::Model;

pub(crate) use names::sources;

/// The Rust of the native module.
pub(crate) fn native(model: &Model) -> Result<String, String> {
    native::write(model)
}

/// `_native.pyi`, and `_enums.py`.
pub(crate) fn python(model: &Model) -> Result<(String, String), String> {
    Ok((stub::native(model)?, stub::enums(model)))
}

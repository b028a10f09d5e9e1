//! The Python face: the Rust of the native module, its stub, and the enums that are written in Python.

mod names;
mod native;
mod stub;

use super::model::Model;

/// The Rust of the native module.
pub(crate) fn native(model: &Model) -> Result<String, String> {
    native::write(model)
}

/// The files of Python that are made: their names under `bindings/python/passes`, and their text.
pub(crate) fn sources(model: &Model) -> Result<[(&'static str, String); 2], String> {
    Ok([("_native.pyi", stub::native(model)?), ("_enums.py", stub::enums(model))])
}

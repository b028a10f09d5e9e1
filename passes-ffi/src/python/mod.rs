//! The native half of the Python package: `passes._native`. Its classes and methods are made from the source of the
//! core (`generate/python`); what is written by hand is how values travel, how errors are raised, and how it is opened.

mod convert;
mod drive;
mod errors;
mod ids;
mod leaves;
mod open;
mod store;
mod things;

/// What is made from the source of the core.
mod made {
    #![allow(
        clippy::all,
        clippy::unnecessary_wraps,
        noop_method_call,
        missing_docs,
        dead_code,
        unreachable_patterns,
        reason = "it is generated"
    )]

    use super::convert::{
        Fields, FromPy, Members, Once, ToPy, arg, equal, expected, given, hash, iterate, nest, once, reduce,
        repr, sound, unknown, value, wanted,
    };
    use super::drive::drive;
    use super::errors::raise;
    use super::ids::id;
    use super::leaves::hashed;
    use super::open::{AsyncPasses, Passes};
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;

    include!(concat!(env!("OUT_DIR"), "/python.rs"));
}

use pyo3::prelude::*;

/// The native half of the package `passes`; what is in it is offered by the package.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
    module.add("CODES", pyo3::types::PyTuple::new(py, made::CODES)?)?;
    module.add_class::<leaves::Currency>()?;
    module.add_class::<leaves::Money>()?;
    module.add_class::<leaves::Period>()?;
    module.add_class::<leaves::TimeOfDay>()?;
    module.add_class::<things::Passcode>()?;
    module.add_class::<things::CodeHash>()?;
    module.add_class::<things::Actor>()?;
    module.add_class::<things::Basket>()?;
    module.add_class::<things::Checkpoint>()?;
    module.add_class::<things::Refusal>()?;
    module.add_class::<open::Keyring>()?;
    module.add_class::<open::FixedClock>()?;
    module.add_class::<open::Passes>()?;
    module.add_class::<open::AsyncPasses>()?;
    made::add(module)?;
    module.add_function(wrap_pyfunction!(open::open, module)?)?;
    module.add_function(wrap_pyfunction!(open::open_async, module)?)?;
    module.add_function(wrap_pyfunction!(open::plan_from_toml, module)?)?;
    module.add_function(wrap_pyfunction!(open::export_csv, module)?)?;
    module.add_function(wrap_pyfunction!(store::open_on, module)?)?;
    module.add_function(wrap_pyfunction!(store::open_on_async, module)?)?;
    module.add_function(wrap_pyfunction!(store::conformance_cases, module)?)?;
    module.add_function(wrap_pyfunction!(store::run_conformance_case, module)?)?;
    module.add_function(wrap_pyfunction!(open::plan_to_toml, module)?)
}

//! Errors become the exceptions of `passes.errors`, which are written in Python: picklable, documented, with a tree by
//! kind, which native classes can't have everywhere.

use super::convert::ToPy;
use passes_host::{Error, HostError, Refusal};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The exception of an error of the core.
pub(crate) fn raise(error: Error) -> PyErr {
    Python::attach(|py| {
        let (code, retryable) = (error.code(), error.is_retryable());
        let reasons = error.reasons().to_vec();
        make(py, code, &error.to_string(), retryable, reasons).unwrap_or_else(|other| other)
    })
}

/// The exception of a refusal that stands alone.
pub(crate) fn raise_refusal(refusal: Refusal) -> PyErr {
    raise(refusal.into())
}

/// The exception of an error of opening.
pub(crate) fn raise_host(error: HostError) -> PyErr {
    match error {
        HostError::Core(error) => raise(error),
        other => Python::attach(|py| {
            make(py, other.code(), &other.to_string(), other.is_retryable(), Vec::new())
                .unwrap_or_else(|other| other)
        }),
    }
}

/// What can't be: the package and its native module are not of the same version.
pub(crate) fn broken(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!("{what}: the native module is of another version than the package"))
}

fn make(py: Python<'_>, code: &str, text: &str, retryable: bool, reasons: Vec<Refusal>) -> PyResult<PyErr> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make =
        MAKE.get_or_try_init(py, || Ok::<_, PyErr>(py.import("passes.errors")?.getattr("_make")?.unbind()))?;
    let value = make.bind(py).call1((text, code, retryable, reasons.to_py(py)?))?;
    Ok(PyErr::from_value(value))
}

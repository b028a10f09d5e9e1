//! Stores written in Python: any object with the four methods of `passes.store.RecordStore`, and the suite that tells
//! whether it is right.

use super::convert::{FromPy, ToPy, arg, expected};
use super::drive::drive_opening;
use super::errors::raise_host;
use super::open::{AsyncPasses, Passes, keys, opener};
use passes_host::store::record::{Expected, RecordStore, Row, WriteSet};
use passes_host::store::{Store, StoreError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::Arc;

/// Rows that an object of Python keeps.
struct Rows(Py<PyAny>);

/// What a store raised, by its `code`; whatever has none is a failure. Only the first line is told.
fn fault(py: Python<'_>, error: &PyErr) -> StoreError {
    let value = error.value(py);
    let code = value.getattr("code").ok().and_then(|code| String::from_py(&code).ok()).unwrap_or_default();
    let text = value.str().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    let mut why = text.lines().next().unwrap_or_default().to_owned();
    if why.is_empty() {
        why = error.get_type(py).to_string();
    }
    match code.as_str() {
        "IN_DOUBT" => StoreError::InDoubt,
        "TRANSIENT" => StoreError::Transient(why),
        "STORE_FULL" => StoreError::Full(why),
        "STORE_CORRUPT" => StoreError::Corrupt(why),
        _ => StoreError::Backend(why),
    }
}

impl Rows {
    /// Calls a method; the interpreter may be ending.
    fn call<T>(
        &self,
        work: impl for<'py> FnOnce(Python<'py>, &Bound<'py, PyAny>) -> PyResult<T>,
    ) -> Result<T, StoreError> {
        let told = Python::try_attach(|py| work(py, self.0.bind(py)).map_err(|error| fault(py, &error)));
        told.unwrap_or(Err(StoreError::Closed))
    }
}

fn bytes(obj: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    Ok(obj.cast::<PyBytes>().map_err(|_| expected("bytes", obj))?.as_bytes().to_vec())
}

fn pair<'py>(obj: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    obj.extract().map_err(|_| expected("a key and a value", obj))
}

impl RecordStore for Rows {
    fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let count = keys.len();
        let found = self.call(|py, store| {
            let keys = PyTuple::new(py, keys.iter().map(|key| PyBytes::new(py, key)))?;
            let rows = store.call_method1("get", (keys,))?;
            let value = |row: PyResult<Bound<'_, PyAny>>| {
                let row = row?;
                if row.is_none() { Ok(None) } else { bytes(&row).map(Some) }
            };
            rows.try_iter()?.map(value).collect::<PyResult<Vec<_>>>()
        })?;
        if found.len() == count {
            Ok(found)
        } else {
            Err(StoreError::Backend(format!("get was asked for {count} rows, and gave {}", found.len())))
        }
    }

    fn scan(&self, from: Vec<u8>, to: Vec<u8>, limit: u32) -> Result<Vec<Row>, StoreError> {
        self.call(|py, store| {
            let rows = store.call_method1("scan", (PyBytes::new(py, &from), PyBytes::new(py, &to), limit))?;
            let row = |row: PyResult<Bound<'_, PyAny>>| {
                let (key, value) = pair(&row?)?;
                Ok(Row { key: bytes(&key)?, value: bytes(&value)? })
            };
            rows.try_iter()?.map(row).collect()
        })
    }

    fn commit(&self, set: WriteSet) -> Result<bool, StoreError> {
        self.call(|py, store| {
            let expect = set.expect.iter().map(|Expected { key, value }| {
                (PyBytes::new(py, key), value.as_ref().map(|value| PyBytes::new(py, value))).into_pyobject(py)
            });
            let expect = PyTuple::new(py, expect.collect::<PyResult<Vec<_>>>()?)?;
            let put = set
                .put
                .iter()
                .map(|Row { key, value }| (PyBytes::new(py, key), PyBytes::new(py, value)).into_pyobject(py));
            let put = PyTuple::new(py, put.collect::<PyResult<Vec<_>>>()?)?;
            bool::from_py(&store.call_method1("commit", (expect, put))?)
        })
    }

    fn format(&self) -> Result<u32, StoreError> {
        self.call(|_, store| u32::from_py(&store.call_method0("format")?))
    }
}

fn rows(store: &Bound<'_, PyAny>) -> Arc<dyn Store> {
    Arc::new(passes_host::records(Arc::new(Rows(store.clone().unbind()))))
}

/// Opens the library on a store that is written in Python.
#[pyfunction]
#[pyo3(signature = (store, keyring, *, clock = None, seed = None))]
pub(crate) fn open_on(
    py: Python<'_>,
    store: &Bound<'_, PyAny>,
    keyring: &Bound<'_, PyAny>,
    clock: Option<&Bound<'_, PyAny>>,
    seed: Option<&Bound<'_, PyAny>>,
) -> PyResult<Passes> {
    let (store, keyring, opener) = (rows(store), keys(keyring)?, opener(clock, seed)?);
    py.detach(|| opener.open_on(store, keyring).wait()).map(Passes::of).map_err(raise_host)
}

/// As `open_on`, for asyncio: the store is called on threads made for it.
#[pyfunction]
#[pyo3(signature = (store, keyring, *, clock = None, seed = None))]
pub(crate) fn open_on_async<'py>(
    py: Python<'py>,
    store: &Bound<'py, PyAny>,
    keyring: &Bound<'py, PyAny>,
    clock: Option<&Bound<'py, PyAny>>,
    seed: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (store, keyring, opener) = (rows(store), keys(keyring)?, opener(clock, seed)?);
    drive_opening(py, async move { opener.open_on(store, keyring).await }, |py, core| {
        Ok(Bound::new(py, AsyncPasses::of(core))?.into_any().unbind())
    })
}

/// The names of the cases that a store has to pass.
#[pyfunction]
pub(crate) fn conformance_cases(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    crate::suite::cases().to_py(py)
}

/// Runs a case on a store that is written in Python, and says what is wrong with it; `None`, if nothing is. `factory`
/// opens the store, again and again, on the same rows.
#[pyfunction]
pub(crate) fn run_conformance_case(
    py: Python<'_>,
    name: &Bound<'_, PyAny>,
    factory: &Bound<'_, PyAny>,
) -> PyResult<Option<String>> {
    let (name, factory): (String, Py<PyAny>) = (arg("name", name)?, factory.clone().unbind());
    let open = move || -> Arc<dyn RecordStore> {
        let made = Python::try_attach(|py| -> Arc<dyn RecordStore> {
            match factory.bind(py).call0() {
                Ok(store) => Arc::new(Rows(store.unbind())),
                Err(error) => Arc::new(Shut(fault(py, &error))),
            }
        });
        made.unwrap_or_else(|| Arc::new(Shut(StoreError::Closed)))
    };
    Ok(py.detach(|| crate::suite::run(&name, open)))
}

/// A store that could not be opened: the case fails with the reason.
struct Shut(StoreError);

impl RecordStore for Shut {
    fn get(&self, _: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        Err(self.0.clone())
    }

    fn scan(&self, _: Vec<u8>, _: Vec<u8>, _: u32) -> Result<Vec<Row>, StoreError> {
        Err(self.0.clone())
    }

    fn commit(&self, _: WriteSet) -> Result<bool, StoreError> {
        Err(self.0.clone())
    }

    fn format(&self) -> Result<u32, StoreError> {
        Err(self.0.clone())
    }
}

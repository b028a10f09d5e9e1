//! Opening: the keyring, the clock of tests, and the library itself.

use super::convert::{ToPy, arg, given, sound, wanted};
use super::drive::{detached, drive_opening};
use super::errors::{broken, raise, raise_host};
use passes_host::calendar::Instant;
use passes_host::secret::Keyring as CoreKeyring;
use passes_host::testing::{FixedClock as CoreClock, SeededEntropy};
use passes_host::{Clock as _, Opener, Passes as Core};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// The keys of a host. They never enter a store; without them no code can be redeemed.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Keyring(CoreKeyring);

#[pymethods]
impl Keyring {
    /// Reads the keyring of a file that only its owner can read.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let path = self::path("path", path)?;
        py.detach(|| passes_host::keyring_from_file(path)).map(Self).map_err(raise_host)
    }
    /// Makes a keyring with new keys, and a file of it. A file that is there is never overwritten.
    #[staticmethod]
    fn create_file(py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let path = self::path("path", path)?;
        py.detach(|| passes_host::create_keyring_file(path)).map(Self).map_err(raise_host)
    }
    /// Reads the keyring of an environment variable.
    #[staticmethod]
    fn from_env(variable: &str) -> PyResult<Self> {
        passes_host::keyring_from_env(variable).map(Self).map_err(raise_host)
    }
    /// Reads the text of a keyring.
    #[staticmethod]
    fn parse(text: &str) -> PyResult<Self> {
        CoreKeyring::parse(text).map(Self).map_err(|error| raise(error.into()))
    }
    /// Derives a key for each purpose from 32 bytes.
    #[staticmethod]
    fn from_master(id: &str, master: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let master = <&[u8; 32]>::try_from(master.as_bytes())
            .map_err(|_| PyValueError::new_err("the master has to be of 32 bytes"))?;
        CoreKeyring::from_master(id, master).map(Self).map_err(|error| raise(error.into()))
    }
    fn __repr__(&self) -> &'static str {
        "Keyring(…)"
    }
}

/// A clock that shows what it was set to, for tests.
#[pyclass(frozen, module = "passes")]
pub(crate) struct FixedClock(Arc<CoreClock>);

#[pymethods]
impl FixedClock {
    #[new]
    fn new(at: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Arc::new(CoreClock::at(arg("at", at)?))))
    }
    /// What it shows.
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.now().to_py(py)
    }
    /// Sets it, ahead or back.
    fn set(&self, at: &Bound<'_, PyAny>) -> PyResult<()> {
        let at: Instant = arg("at", at)?;
        self.0.set(at);
        Ok(())
    }
    fn __repr__(&self) -> String {
        format!("FixedClock({})", self.0.now())
    }
}

/// The library, open: every use case is a method of it. It works from many threads at once.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Passes {
    core: Held,
}

/// The library, open, for asyncio: each method gives something to await, and the loop goes on meanwhile.
#[pyclass(frozen, module = "passes")]
pub(crate) struct AsyncPasses {
    core: Held,
}

/// The library of the core. The last to let go of it closes the store, which waits for the store's threads.
struct Held(Option<Core>);

impl Drop for Held {
    fn drop(&mut self) {
        let core = self.0.take();
        detached(move || drop(core));
    }
}

impl Passes {
    pub(crate) fn of(core: Core) -> Self {
        Self { core: Held(Some(core)) }
    }

    pub(crate) fn core(&self) -> PyResult<Core> {
        self.core.0.clone().ok_or_else(|| broken("Passes"))
    }
}

impl AsyncPasses {
    pub(crate) fn of(core: Core) -> Self {
        Self { core: Held(Some(core)) }
    }

    pub(crate) fn core(&self) -> PyResult<Core> {
        self.core.0.clone().ok_or_else(|| broken("AsyncPasses"))
    }
}

pub(crate) fn opener(clock: Option<&Bound<'_, PyAny>>, seed: Option<&Bound<'_, PyAny>>) -> PyResult<Opener> {
    let mut opener = Opener::new();
    if let Some(clock) = clock.filter(|clock| !clock.is_none()) {
        opener = opener.clock(wanted::<FixedClock>(clock, "FixedClock")?.get().0.clone());
    }
    if let Some(seed) = given::<Option<u64>>("seed", seed, || None)? {
        opener = opener.entropy(Arc::new(SeededEntropy::new(seed)));
    }
    Ok(opener)
}

pub(crate) fn keys(keyring: &Bound<'_, PyAny>) -> PyResult<CoreKeyring> {
    Ok(wanted::<Keyring>(keyring, "Keyring")?.get().0.clone())
}

/// A text, or a path of `pathlib`.
fn path(name: &str, path: &Bound<'_, PyAny>) -> PyResult<String> {
    match path.hasattr("__fspath__")? {
        true => arg(name, &path.call_method0("__fspath__")?),
        false => arg(name, path),
    }
}

/// Opens the library: a path for a file of SQLite, `memory:` for a store that ends with the program, or the URL of a
/// PostgreSQL server. `clock` and `seed` are for tests: with a seed anybody can repeat every code.
#[pyfunction]
#[pyo3(signature = (address, keyring, *, clock = None, seed = None))]
pub(crate) fn open(
    py: Python<'_>,
    address: &Bound<'_, PyAny>,
    keyring: &Bound<'_, PyAny>,
    clock: Option<&Bound<'_, PyAny>>,
    seed: Option<&Bound<'_, PyAny>>,
) -> PyResult<Passes> {
    let (address, keyring, opener) = (path("address", address)?, keys(keyring)?, opener(clock, seed)?);
    let core = py.detach(|| opener.open(&address, keyring).wait()).map_err(raise_host)?;
    Ok(Passes::of(core))
}

/// As `open`, for asyncio.
#[pyfunction]
#[pyo3(signature = (address, keyring, *, clock = None, seed = None))]
pub(crate) fn open_async<'py>(
    py: Python<'py>,
    address: &Bound<'py, PyAny>,
    keyring: &Bound<'py, PyAny>,
    clock: Option<&Bound<'py, PyAny>>,
    seed: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (address, keyring, opener) = (path("address", address)?, keys(keyring)?, opener(clock, seed)?);
    drive_opening(py, async move { opener.open(&address, keyring).await }, |py, core| {
        Ok(Bound::new(py, AsyncPasses::of(core))?.into_any().unbind())
    })
}

/// Reads a plan from the text of a TOML file.
///
/// Errors: `BAD_FILE` naming the line and the field; `TOO_LARGE`.
#[pyfunction]
pub(crate) fn plan_from_toml<'py>(
    py: Python<'py>,
    text: &str,
    settings: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let settings = arg("settings", settings)?;
    sound(passes_host::plan::Spec::from_toml(text, &settings))?.to_py(py)
}

/// The text of a TOML file of a plan.
#[pyfunction]
pub(crate) fn plan_to_toml(spec: &Bound<'_, PyAny>) -> PyResult<String> {
    let spec: passes_host::plan::Spec = arg("spec", spec)?;
    sound(spec.to_toml())
}

/// The CSV file of rows of an export, for the printing house; cells that a spreadsheet would run are made harmless.
#[pyfunction]
#[pyo3(signature = (rows, *, header = true))]
pub(crate) fn export_csv<'py>(rows: &Bound<'py, PyAny>, header: bool) -> PyResult<Bound<'py, PyBytes>> {
    let given: Vec<passes_host::service::ExportRow> = arg("rows", rows)?;
    Ok(PyBytes::new(rows.py(), &sound(passes_host::service::export_csv(&given, header))?))
}

//! Classes that are written by hand: secrets, who asks, what is bought, what is kept elsewhere, why not.

use super::convert::{
    Fields, FromPy, ToPy, arg, becomes, equal, expected, given, hash, reduce, repr, sound, wanted, wraps,
};
use super::leaves::hashed;
use passes_host::Refusal as CoreRefusal;
use passes_host::conditions::{Basket as CoreBasket, Line};
use passes_host::event::Position;
use passes_host::id::BusinessId;
use passes_host::money::{Currency, Money};
use passes_host::operation::{Actor as CoreActor, Right, Rights};
use passes_host::passcode::{CodeHash as CoreHash, Passcode as CoreCode};
use passes_host::service::Checkpoint as CoreCheckpoint;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// Hashes of secrets differ from one program to the next, so that none tells its secret.
static SECRET_HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A passcode. It shows itself to nobody but who asks by `reveal`, and isn't pickled.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Passcode(CoreCode);

#[pymethods]
impl Passcode {
    #[new]
    fn new(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        String::from_py(text).map(|text| Self(CoreCode::new(text)))
    }
    /// The code.
    fn reveal(&self) -> &str {
        self.0.reveal()
    }
    /// The code with all but its last characters hidden.
    fn mask(&self) -> String {
        self.0.mask()
    }
    /// Its hash, which may be presented instead of it where the business takes hashes.
    ///
    /// Errors: `MALFORMED`.
    fn hash(&self, business: &Bound<'_, PyAny>) -> PyResult<CodeHash> {
        let business: BusinessId = arg("business", business)?;
        sound(self.0.hash(business.as_bytes())).map(CodeHash)
    }
    fn __repr__(&self) -> &'static str {
        "Passcode(…)"
    }
    fn __str__(&self) -> &'static str {
        "Passcode(…)"
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }
    fn __hash__(&self) -> u64 {
        SECRET_HASHES.hash_one(self.0.reveal())
    }
    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(PyTypeError::new_err("a passcode is not pickled: keep what reveal() gives, if you must"))
    }
}

becomes!(Passcode(CoreCode));

impl FromPy for CoreCode {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        if obj.is_instance_of::<PyString>() {
            return String::from_py(obj).map(Self::new);
        }
        Ok(wanted::<Passcode>(obj, "Passcode or str")?.get().0.clone())
    }
}

/// The hash of a passcode: as secret as the code. It isn't pickled.
#[pyclass(frozen, module = "passes")]
pub(crate) struct CodeHash(CoreHash);

#[pymethods]
impl CodeHash {
    /// Reads 64 hexadecimal digits.
    #[staticmethod]
    fn from_hex(text: &str) -> PyResult<Self> {
        sound(CoreHash::from_hex(text)).map(Self)
    }
    /// 64 hexadecimal digits.
    fn reveal_hex(&self) -> String {
        self.0.reveal_hex().to_string()
    }
    fn __repr__(&self) -> &'static str {
        "CodeHash(…)"
    }
    fn __str__(&self) -> &'static str {
        "CodeHash(…)"
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }
    fn __hash__(&self) -> u64 {
        SECRET_HASHES.hash_one(self.0.reveal())
    }
    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(PyTypeError::new_err("the hash of a passcode is not pickled"))
    }
}

wraps!(CodeHash(CoreHash));

/// Who gives a command: a person, a till, a program; with rights, perhaps only at some places and up to some amounts.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Actor(CoreActor);

#[pymethods]
impl Actor {
    #[new]
    #[pyo3(signature = (id, rights, *, places = None, largest = None))]
    fn new(
        id: &Bound<'_, PyAny>,
        rights: &Bound<'_, PyAny>,
        places: Option<&Bound<'_, PyAny>>,
        largest: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (id, rights): (String, BTreeSet<Right>) = (arg("id", id)?, arg("rights", rights)?);
        let places: Option<Vec<String>> = given("places", places, || None)?;
        let largest: Option<Vec<Money>> = given("largest", largest, || None)?;
        let all: Vec<Right> = rights.iter().copied().collect();
        let mut core = sound(CoreActor::new(&id, Rights::of(&all)))?;
        if let Some(places) = &places {
            core = core.at(&places.iter().map(String::as_str).collect::<Vec<_>>());
        }
        if let Some(largest) = &largest {
            core = core.up_to(largest);
        }
        Ok(Self(core))
    }
    /// Its id.
    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }
    /// Whether it has the right.
    fn has(&self, right: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.0.has(arg("right", right)?))
    }
    fn __repr__(&self) -> String {
        format!("Actor('{}')", self.0.id())
    }
    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        equal(slf, other)
    }
    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        hash(slf)
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        reduce(slf)
    }
}

impl Fields for Actor {
    fn positional(&self) -> bool {
        false
    }
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let rights: BTreeSet<Right> = Right::ALL.iter().copied().filter(|right| self.0.has(*right)).collect();
        let places = self.0.places().map(<[_]>::to_vec);
        Ok(vec![
            ("id", self.0.id().clone().to_py(py)?),
            ("rights", rights.to_py(py)?),
            ("places", places.to_py(py)?),
            ("largest", self.0.largest().to_vec().to_py(py)?),
        ])
    }
}

wraps!(Actor(CoreActor));

/// The purchase at hand: lines in one currency.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Basket(CoreBasket);

#[pymethods]
impl Basket {
    #[new]
    fn new(currency: &Bound<'_, PyAny>, lines: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (currency, lines): (Currency, Vec<Line>) = (arg("currency", currency)?, arg("lines", lines)?);
        sound(CoreBasket::new(currency, lines)).map(Self)
    }
    /// Its currency.
    #[getter]
    fn currency<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.currency().to_py(py)
    }
    /// Its lines.
    #[getter]
    fn lines<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.lines().to_vec().to_py(py)
    }
    /// The total of all lines.
    #[getter]
    fn total<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.total().to_py(py)
    }
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("currency", "lines")
    }
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf)
    }
    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        equal(slf, other)
    }
    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        hash(slf)
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        reduce(slf)
    }
}

impl Fields for Basket {
    fn positional(&self) -> bool {
        true
    }
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        Ok(vec![("currency", self.currency(py)?), ("lines", self.lines(py)?)])
    }
}

wraps!(Basket(CoreBasket));

/// What a business's books came to at a moment, in a line to be kept elsewhere: `str(checkpoint)`.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Checkpoint(CoreCheckpoint);

#[pymethods]
impl Checkpoint {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        sound(text.parse().map(Self))
    }
    /// Whose books.
    #[getter]
    fn business<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.business().to_py(py)
    }
    /// When it was taken.
    #[getter]
    fn taken<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.taken().to_py(py)
    }
    /// How many operations it saw.
    #[getter]
    fn operations(&self) -> u64 {
        self.0.operations()
    }
    /// The position of the last of them.
    #[getter]
    fn position<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Position(self.0.position().0).to_py(py)
    }
    /// When the last of them was written.
    #[getter]
    fn booked<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.booked().to_py(py)
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("Checkpoint('{}')", self.0)
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }
    fn __hash__(&self) -> u64 {
        hashed(&self.0.to_string())
    }
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (py.get_type::<Self>(), (self.0.to_string(),)).into_pyobject(py)
    }
}

becomes!(Checkpoint(CoreCheckpoint));

impl FromPy for CoreCheckpoint {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        if obj.is_instance_of::<PyString>() {
            return Err(expected("Checkpoint: make it of the line by Checkpoint(text)", obj));
        }
        Ok(wanted::<Checkpoint>(obj, "Checkpoint")?.get().0.clone())
    }
}

/// Why a command was not carried out.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Refusal(CoreRefusal);

#[pymethods]
impl Refusal {
    #[new]
    fn new(code: &str, values: &Bound<'_, PyAny>) -> PyResult<Self> {
        let values: BTreeMap<String, String> = arg("values", values)?;
        super::made::refusal(code, &values).map(Self)
    }
    /// The stable, machine-readable code.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code()
    }
    /// A sentence for people.
    #[getter]
    fn message(&self) -> String {
        self.0.to_string()
    }
    /// What would help; empty if nothing would.
    #[getter]
    fn fix(&self) -> String {
        self.0.fix()
    }
    /// The values that matter, by name.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let values = self.0.values().into_iter().map(|(name, value)| (name.to_owned(), value));
        values.collect::<BTreeMap<String, String>>().to_py(py)
    }
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("code", "values")
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf)
    }
    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        equal(slf, other)
    }
    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        hash(slf)
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        reduce(slf)
    }
}

impl Fields for Refusal {
    fn positional(&self) -> bool {
        true
    }
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        Ok(vec![("code", self.0.code().to_py(py)?), ("values", self.values(py)?)])
    }
}

wraps!(Refusal(CoreRefusal));

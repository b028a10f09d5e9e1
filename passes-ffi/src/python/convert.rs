//! How values travel between the core and Python. What holds others is said here, once; each class says what it is made
//! of, and from that it is shown, compared, hashed and pickled.

use super::errors::{broken, raise_refusal};
use passes_host::Refusal;
use pyo3::PyClass;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFrozenSet, PyInt, PyMapping, PyString, PyTuple, PyType};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// From the core to Python.
pub(crate) trait ToPy {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

/// From Python to the core.
pub(crate) trait FromPy: Sized {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self>;
}

/// What a class is made of.
pub(crate) trait Fields {
    /// Whether its constructor takes them without their names.
    fn positional(&self) -> bool;
    /// The names of its constructor's parameters, and what they were.
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>>;
}

/// A refusal of a value, as an exception.
pub(crate) fn sound<T>(found: Result<T, Refusal>) -> PyResult<T> {
    found.map_err(raise_refusal)
}

/// An argument of a call.
pub(crate) fn arg<T: FromPy>(name: &str, obj: &Bound<'_, PyAny>) -> PyResult<T> {
    T::from_py(obj).map_err(|error| {
        let py = obj.py();
        // Only what says nothing of where it came from is told with the name: a refusal has its own.
        if error.get_type(py).is(py.get_type::<PyTypeError>()) {
            let why = error.value(py).to_string();
            PyTypeError::new_err(format!("{name}: {why}"))
        } else {
            error
        }
    })
}

/// An argument that may be left out.
pub(crate) fn given<T: FromPy>(
    name: &str,
    obj: Option<&Bound<'_, PyAny>>,
    other: impl FnOnce() -> T,
) -> PyResult<T> {
    match obj {
        Some(obj) if !obj.is_none() => arg(name, obj),
        _ => Ok(other()),
    }
}

/// An object of a class of the module.
pub(crate) fn wanted<'a, 'py, T: PyClass>(
    obj: &'a Bound<'py, PyAny>,
    name: &str,
) -> PyResult<&'a Bound<'py, T>> {
    obj.cast::<T>().map_err(|_| expected(name, obj))
}

/// What else was found: the type alone, for the value may be a secret.
pub(crate) fn expected(name: &str, obj: &Bound<'_, PyAny>) -> PyErr {
    let found = obj.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("expected {name}, got {found}"))
}

/// A class's `repr`.
pub(crate) fn repr<T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Fields + Sync>(
    slf: &Bound<'_, T>,
) -> PyResult<String> {
    let value = slf.get();
    let mut text = slf.as_any().get_type().qualname()?.to_string();
    text.push('(');
    for (at, (name, field)) in value.fields(slf.py())?.into_iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        if !value.positional() {
            text.push_str(name);
            text.push('=');
        }
        text.push_str(&field.repr()?.to_string_lossy());
    }
    text.push(')');
    Ok(text)
}

/// The fields alone.
fn values<'py, T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Fields + Sync>(
    slf: &Bound<'py, T>,
) -> PyResult<Bound<'py, PyTuple>> {
    let fields = slf.get().fields(slf.py())?;
    PyTuple::new(slf.py(), fields.into_iter().map(|(_, value)| value))
}

/// Equal if of the same class, with equal fields.
pub(crate) fn equal<T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Fields + Sync>(
    slf: &Bound<'_, T>,
    other: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    if !other.get_type().is(slf.as_any().get_type()) {
        return Ok(false);
    }
    values(slf)?.eq(values(other.cast::<T>()?)?)
}

/// The hash of the class and its fields; a dictionary counts as the set of its items.
pub(crate) fn hash<T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Fields + Sync>(
    slf: &Bound<'_, T>,
) -> PyResult<isize> {
    let py = slf.py();
    let mut all = vec![slf.as_any().get_type().into_any()];
    for value in values(slf)? {
        all.push(match value.cast::<PyDict>() {
            Ok(dict) => PyFrozenSet::new(py, dict.items())?.into_any(),
            Err(_) => value,
        });
    }
    PyTuple::new(py, all)?.hash()
}

/// For `pickle` and `copy`: what makes the value again.
pub(crate) fn reduce<'py, T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Fields + Sync>(
    slf: &Bound<'py, T>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let value = slf.get();
    let (positional, named) = if value.positional() {
        (values(slf)?, PyDict::new(py))
    } else {
        let named = PyDict::new(py);
        for (name, field) in value.fields(py)? {
            named.set_item(name, field)?;
        }
        (PyTuple::empty(py), named)
    };
    static REBUILD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let rebuild = REBUILD
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("passes._build")?.getattr("rebuild")?.unbind()))?;
    (rebuild.bind(py), (slf.as_any().get_type(), positional, named)).into_pyobject(py).map(Bound::into_any)
}

/// What is positional is taken apart like a tuple.
pub(crate) fn iterate<'py, T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Fields + Sync>(
    slf: &Bound<'py, T>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(values(slf)?.try_iter()?.into_any())
}

/// What a list of a record has become.
pub(crate) struct Once(PyOnceLock<Py<PyAny>>);

impl Default for Once {
    fn default() -> Self {
        Self(PyOnceLock::new())
    }
}

/// What it has become, or becomes now.
pub(crate) fn once<'py>(
    py: Python<'py>,
    cell: &Once,
    make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(cell.0.get_or_try_init(py, || make().map(Bound::unbind))?.bind(py).clone())
}

/// Makes a class an attribute of another, by its name there.
pub(crate) fn nest<A: PyClass, B: PyClass>(py: Python<'_>, outer: &str, inner: &str) -> PyResult<()> {
    let class = py.get_type::<B>();
    class.setattr("__qualname__", format!("{outer}.{inner}"))?;
    py.get_type::<A>().setattr(inner, class)
}

/// The members of an enum that is written in Python.
pub(crate) struct Members {
    class: &'static str,
    names: &'static [&'static str],
    found: PyOnceLock<Vec<Py<PyAny>>>,
}

impl Members {
    pub(crate) const fn new(class: &'static str, names: &'static [&'static str]) -> Self {
        Self { class, names, found: PyOnceLock::new() }
    }

    fn all(&self, py: Python<'_>) -> PyResult<&Vec<Py<PyAny>>> {
        self.found.get_or_try_init(py, || {
            let class = py.import("passes._enums")?.getattr(self.class)?;
            self.names.iter().map(|name| Ok(class.getattr(*name)?.unbind())).collect()
        })
    }

    /// The member at a place.
    pub(crate) fn member<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyAny>> {
        let found = self.all(py)?.get(at).ok_or_else(|| broken(self.class))?;
        Ok(found.bind(py).clone())
    }

    /// The place of a member.
    pub(crate) fn place(&self, obj: &Bound<'_, PyAny>) -> PyResult<usize> {
        let found = self.all(obj.py())?.iter().position(|member| member.bind(obj.py()).is(obj));
        found.ok_or_else(|| expected(self.class, obj))
    }
}

/// A variant that this version doesn't know.
pub(crate) fn unknown(name: &str) -> PyErr {
    PyValueError::new_err(format!("{name}: this version of the package doesn't know it"))
}

impl ToPy for () {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(py.None().into_bound(py))
    }
}

impl FromPy for () {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        if obj.is_none() { Ok(()) } else { Err(expected("None", obj)) }
    }
}

impl ToPy for bool {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyBool::new(py, self).to_owned().into_any())
    }
}

impl FromPy for bool {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(obj.cast::<PyBool>().map_err(|_| expected("bool", obj))?.is_true())
    }
}

/// What the core holds is shown by a class that has it as its only field.
macro_rules! becomes {
    ($class:ident($core:ty)) => {
        impl $crate::python::convert::ToPy for $core {
            fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(Bound::new(py, $class(self))?.into_any())
            }
        }
    };
}
pub(super) use becomes;

/// The same, and it is given by nothing but this class.
macro_rules! wraps {
    ($class:ident($core:ty)) => {
        $crate::python::convert::becomes!($class($core));

        impl $crate::python::convert::FromPy for $core {
            fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
                let given = $crate::python::convert::wanted::<$class>(obj, stringify!($class))?;
                Ok(Clone::clone(&given.get().0))
            }
        }
    };
}
pub(super) use wraps;

macro_rules! whole {
    ($($ty:ty),+) => { $(
        impl ToPy for $ty {
            fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(self.into_pyobject(py)?.into_any())
            }
        }
        impl FromPy for $ty {
            fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
                if !obj.is_instance_of::<PyInt>() || obj.is_instance_of::<PyBool>() {
                    return Err(expected("int", obj));
                }
                obj.extract::<$ty>().map_err(|_| raise_refusal(Refusal::invalid("number", "out of range")))
            }
        }
    )+ };
}

whole!(u8, u16, u32, u64, i64, usize);

macro_rules! texts {
    ($($ty:ty),+) => { $(
        impl ToPy for $ty {
            fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(PyString::new(py, &self).into_any())
            }
        }
    )+ };
}

texts!(String, Arc<str>, &'static str);

impl FromPy for String {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        // A str may hold half of a pair of surrogates, which is no text.
        let text = obj.cast::<PyString>().map_err(|_| expected("str", obj))?;
        text.extract().map_err(|_| PyValueError::new_err("the text can't be written in UTF-8"))
    }
}

impl FromPy for Arc<str> {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        String::from_py(obj).map(Self::from)
    }
}

impl FromPy for &'static str {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        sound(kept(&String::from_py(obj)?))
    }
}

/// A word that the core holds for ever, one of a few: each is kept once, and so are few others, so that nobody fills the
/// memory with them.
pub(crate) fn kept(word: &str) -> Result<&'static str, Refusal> {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = words.get(word) {
        return Ok(found);
    }
    if word.len() > 100 || words.len() >= 1_000 {
        return Err(Refusal::invalid("word", "none of the library's"));
    }
    let word: &'static str = Box::leak(word.to_owned().into_boxed_str());
    words.insert(word);
    Ok(word)
}

/// A value of a refusal, from its text.
pub(crate) trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, Refusal>;
}

impl FromText for &'static str {
    fn from_text(text: &str) -> Result<Self, Refusal> {
        kept(text)
    }
}

macro_rules! from_text {
    ($($ty:ty),+) => { $(
        impl FromText for $ty {
            fn from_text(text: &str) -> Result<Self, Refusal> {
                text.parse().map_err(|_| Refusal::invalid("values", "not as the library writes it"))
            }
        }
    )+ };
}

from_text!(
    String,
    u32,
    u64,
    i64,
    usize,
    passes_host::money::Money,
    passes_host::money::Currency,
    passes_host::calendar::Instant
);

/// The value of a refusal by its name.
pub(crate) fn value<T: FromText>(values: &BTreeMap<String, String>, name: &str) -> PyResult<T> {
    let text =
        values.get(name).ok_or_else(|| PyValueError::new_err(format!("the value {name} is missing")))?;
    sound(T::from_text(text))
}

impl<T: ToPy> ToPy for Option<T> {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.map_or_else(|| Ok(py.None().into_bound(py)), |value| value.to_py(py))
    }
}

impl<T: FromPy> FromPy for Option<T> {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        if obj.is_none() { Ok(None) } else { T::from_py(obj).map(Some) }
    }
}

impl<T: ToPy> ToPy for Vec<T> {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = self.into_iter().map(|value| value.to_py(py)).collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, all)?.into_any())
    }
}

/// What can be gone through, and is not the letters of a text.
fn each<T: FromPy, C: FromIterator<T>>(obj: &Bound<'_, PyAny>, what: &str) -> PyResult<C> {
    if obj.is_instance_of::<PyString>() || obj.is_instance_of::<PyBytes>() {
        return Err(expected(what, obj));
    }
    let all = obj.try_iter().map_err(|_| expected(what, obj))?;
    all.map(|value| T::from_py(&value?)).collect()
}

impl<T: FromPy> FromPy for Vec<T> {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        each(obj, "a sequence")
    }
}

impl<T: ToPy> ToPy for BTreeSet<T> {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = self.into_iter().map(|value| value.to_py(py)).collect::<PyResult<Vec<_>>>()?;
        Ok(PyFrozenSet::new(py, all)?.into_any())
    }
}

impl<T: FromPy + Ord> FromPy for BTreeSet<T> {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        each(obj, "a set")
    }
}

impl<K: ToPy, V: ToPy> ToPy for BTreeMap<K, V> {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = PyDict::new(py);
        for (key, value) in self {
            all.set_item(key.to_py(py)?, value.to_py(py)?)?;
        }
        Ok(all.into_any())
    }
}

impl<K: FromPy + Ord, V: FromPy> FromPy for BTreeMap<K, V> {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        let map = obj.cast::<PyMapping>().map_err(|_| expected("a mapping", obj))?;
        let mut all = Self::new();
        for item in map.items()? {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            all.insert(K::from_py(&key)?, V::from_py(&value)?);
        }
        Ok(all)
    }
}

/// One of several answers: what it came to, or the exception that it would have raised.
impl<T: ToPy> ToPy for Result<T, passes_host::Error> {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Ok(value) => value.to_py(py),
            Err(error) => Ok(super::errors::raise(error).into_value(py).into_bound(py).into_any()),
        }
    }
}

/// A class that Python brings.
pub(crate) fn python_class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    module: &str,
    name: &str,
) -> PyResult<&'py Bound<'py, PyType>> {
    cell.import(py, module, name)
}

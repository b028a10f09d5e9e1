//! Ids: a class for each kind, so that none is taken for another.

/// The class of an id.
macro_rules! id {
    ($name:ident, $core:path, $docs:literal, { $($more:tt)* }) => {
        #[doc = $docs]
        #[pyclass(frozen, module = "passes")]
        pub(crate) struct $name($core);

        #[pymethods]
        impl $name {
            #[new]
            fn new(value: &Bound<'_, PyAny>) -> PyResult<Self> {
                match value.cast::<pyo3::types::PyString>() {
                    Ok(text) => sound(text.to_string().parse().map(Self)),
                    Err(_) => {
                        let uuid = value.extract::<uuid::Uuid>().map_err(|_| expected("UUID or str", value))?;
                        Ok(Self(<$core>::from_uuid(uuid)))
                    }
                }
            }
            #[doc = "The UUID."]
            #[getter]
            fn value(&self) -> uuid::Uuid {
                self.0.to_uuid()
            }
            $($more)*
            fn __str__(&self) -> String {
                self.0.to_string()
            }
            fn __repr__(&self) -> String {
                format!(concat!(stringify!($name), "('{}')"), self.0)
            }
            fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: pyo3::basic::CompareOp) -> Py<PyAny> {
                let py = other.py();
                match other.cast::<Self>() {
                    Ok(other) => {
                        let answer = op.matches(self.0.cmp(&other.get().0));
                        pyo3::types::PyBool::new(py, answer).to_owned().into_any().unbind()
                    }
                    Err(_) => py.NotImplemented(),
                }
            }
            fn __hash__(&self) -> u64 {
                hashed(&self.0)
            }
            fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
                (py.get_type::<Self>(), (self.0.to_string(),)).into_pyobject(py)
            }
        }

        $crate::python::convert::wraps!($name($core));
    };
}

pub(crate) use id;

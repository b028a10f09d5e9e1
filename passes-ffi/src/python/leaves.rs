//! Types for which Python has one of its own, and those of money and time that it lacks.

use super::convert::{FromPy, ToPy, becomes, expected, python_class, sound, wanted, wraps};
use passes_host::Refusal;
use passes_host::calendar::{Date, Instant, Period as CorePeriod, RunOn, TimeOfDay as CoreTime, Zone};
use passes_host::money::{Currency as CoreCurrency, Decimal, Money as CoreMoney};
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyInt, PyString, PyTime, PyTuple, PyType, PyTzInfo};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A hash of what is no secret.
pub(crate) fn hashed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl ToPy for Decimal {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        python_class(py, &CLASS, "decimal", "Decimal")?.call1((self.to_string(),))
    }
}

impl FromPy for Decimal {
    /// A `Decimal` or an `int`, exactly: pyo3's own conversion takes whatever has a text that can be read, floats and
    /// `True` among them, and rounds what is too long.
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let is_int = obj.is_instance_of::<PyInt>() && !obj.is_instance_of::<PyBool>();
        if !is_int && !obj.is_instance(python_class(obj.py(), &CLASS, "decimal", "Decimal")?)? {
            return Err(expected("decimal.Decimal or int", obj));
        }
        let digits = obj.call_method1("__format__", (if is_int { "d" } else { "f" },))?;
        let digits = digits.cast::<PyString>()?.to_string();
        Self::from_str_exact(&digits)
            .map_err(|_| PyValueError::new_err("not a decimal number of at most 28 digits"))
    }
}

impl ToPy for Date {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.into_pyobject(py)?.into_any())
    }
}

impl FromPy for Date {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        // A datetime is a date in Python; its time would be lost without a word.
        if obj.is_instance_of::<PyDateTime>() {
            return Err(expected("datetime.date", obj));
        }
        let date = obj.cast::<PyDate>().map_err(|_| expected("datetime.date", obj))?;
        date.extract()
    }
}

impl ToPy for Instant {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.to_utc().into_pyobject(py)?.into_any())
    }
}

impl FromPy for Instant {
    /// A datetime of any zone; one without a zone is refused.
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        let at = obj.cast::<PyDateTime>().map_err(|_| expected("datetime.datetime", obj))?;
        // A zone may not know its offset; Python calls that naive, too.
        if at.call_method0("utcoffset")?.is_none() {
            return Err(naive());
        }
        let utc = at.call_method1("astimezone", (PyTzInfo::utc(obj.py())?,))?;
        sound(Self::from_utc(utc.extract::<chrono::DateTime<chrono::Utc>>()?))
    }
}

fn naive() -> PyErr {
    PyValueError::new_err("the datetime has no time zone: which instant is meant can't be told")
}

impl ToPy for Zone {
    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.name().to_py(py)
    }
}

impl FromPy for Zone {
    /// The name of a zone, or a `ZoneInfo`.
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        let name = if obj.is_instance_of::<PyTzInfo>() { obj.getattr("key")? } else { obj.clone() };
        let name = name.cast::<PyString>().map_err(|_| expected("the name of a zone, or a ZoneInfo", obj))?;
        sound(Self::parse(&name.to_string()))
    }
}

/// A currency of ISO 4217.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Currency(CoreCurrency);

#[pymethods]
impl Currency {
    #[new]
    fn new(code: &Bound<'_, PyAny>) -> PyResult<Self> {
        CoreCurrency::from_py(code).map(Self)
    }
    /// Its code of three letters.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code()
    }
    /// Its number.
    #[getter]
    fn numeric(&self) -> u16 {
        self.0.numeric()
    }
    /// How many decimals an amount of it has.
    #[getter]
    fn decimals(&self) -> u32 {
        self.0.decimals()
    }
    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("code",)
    }
    fn __str__(&self) -> &'static str {
        self.0.code()
    }
    fn __repr__(&self) -> String {
        format!("Currency('{}')", self.0)
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }
    fn __hash__(&self) -> u64 {
        hashed(&self.0.numeric())
    }
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (py.get_type::<Self>(), (self.0.code(),)).into_pyobject(py)
    }
}

becomes!(Currency(CoreCurrency));

impl FromPy for CoreCurrency {
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        match obj.cast::<PyString>() {
            Ok(code) => sound(Self::parse(&code.to_string())),
            Err(_) => Ok(wanted::<Currency>(obj, "Currency or str")?.get().0),
        }
    }
}

/// An exact amount of a currency.
///
/// The amount is a `decimal.Decimal` or an `int`: a float, a bool, a NaN and more decimals than the currency has
/// are refused.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Money(CoreMoney);

#[pymethods]
impl Money {
    #[new]
    fn new(amount: &Bound<'_, PyAny>, currency: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (amount, currency) = (Decimal::from_py(amount)?, CoreCurrency::from_py(currency)?);
        sound(CoreMoney::from_decimal(amount, currency)).map(Self)
    }
    /// Reads an amount with its currency: `25.00 GBP`.
    #[staticmethod]
    fn parse(text: &str) -> PyResult<Self> {
        sound(text.parse().map(Self))
    }
    /// So many minor units: pence, cents, yen.
    #[staticmethod]
    fn from_minor(minor: &Bound<'_, PyAny>, currency: &Bound<'_, PyAny>) -> PyResult<Self> {
        sound(CoreMoney::from_minor(i64::from_py(minor)?, CoreCurrency::from_py(currency)?)).map(Self)
    }
    /// The amount, with all decimals of its currency.
    #[getter]
    fn amount<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.to_decimal().to_py(py)
    }
    /// The amount in minor units.
    #[getter]
    fn minor(&self) -> i64 {
        self.0.minor()
    }
    /// The currency.
    #[getter]
    fn currency(&self) -> Currency {
        Currency(self.0.currency())
    }
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("amount", "currency")
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("Money(Decimal('{}'), '{}')", self.0.to_decimal(), self.0.currency())
    }
    fn __add__(&self, other: &Self) -> PyResult<Self> {
        sound(self.0.plus(other.0)).map(Self)
    }
    fn __sub__(&self, other: &Self) -> PyResult<Self> {
        sound(self.0.minus(other.0)).map(Self)
    }
    fn __mul__(&self, times: &Bound<'_, PyAny>) -> PyResult<Self> {
        sound(self.0.times(u32::from_py(times)?)).map(Self)
    }
    fn __rmul__(&self, times: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.__mul__(times)
    }
    fn __bool__(&self) -> bool {
        !self.0.is_zero()
    }
    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let answer = match op {
            CompareOp::Eq => self.0 == other.get().0,
            CompareOp::Ne => self.0 != other.get().0,
            // Pounds are not less than yen, nor more.
            _ => op.matches(sound(self.0.compare(other.get().0))?),
        };
        Ok(PyBool::new(py, answer).to_owned().into_any().unbind())
    }
    fn __hash__(&self) -> u64 {
        hashed(&(self.0.minor(), self.0.currency().numeric()))
    }
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (py.get_type::<Self>(), (self.0.to_decimal().to_py(py)?, self.0.currency().code())).into_pyobject(py)
    }
}

wraps!(Money(CoreMoney));

/// A period of the calendar: years and months, weeks and days, and perhaps on to the end of its month or year.
#[pyclass(frozen, module = "passes")]
pub(crate) struct Period(CorePeriod);

#[pymethods]
impl Period {
    #[new]
    #[pyo3(signature = (*, years = 0, months = 0, weeks = 0, days = 0, to_end_of = None))]
    fn new(years: u16, months: u16, weeks: u16, days: u16, to_end_of: Option<&str>) -> PyResult<Self> {
        let run_on = match to_end_of {
            None => None,
            Some("month") => Some(RunOn::Month),
            Some("year") => Some(RunOn::Year),
            Some(_) => {
                return Err(super::errors::raise_refusal(Refusal::invalid(
                    "to_end_of",
                    "neither month nor year",
                )));
            }
        };
        sound(CorePeriod::new(years, months, weeks, days, run_on)).map(Self)
    }
    /// Reads a period: `P1Y6M`, `P3Y to end of year`.
    #[staticmethod]
    fn parse(text: &str) -> PyResult<Self> {
        sound(text.parse().map(Self))
    }
    /// Its years.
    #[getter]
    fn years(&self) -> u16 {
        self.0.years()
    }
    /// Its months.
    #[getter]
    fn months(&self) -> u16 {
        self.0.months()
    }
    /// Its weeks.
    #[getter]
    fn weeks(&self) -> u16 {
        self.0.weeks()
    }
    /// Its days.
    #[getter]
    fn days(&self) -> u16 {
        self.0.days()
    }
    /// `month` or `year`, where it runs on to the end of one.
    #[getter]
    fn to_end_of(&self) -> Option<&'static str> {
        self.0.run_on().map(|on| match on {
            RunOn::Month => "month",
            RunOn::Year => "year",
        })
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("Period.parse('{}')", self.0)
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }
    fn __hash__(&self) -> u64 {
        hashed(&self.0.to_string())
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        (py.get_type::<Self>().getattr("parse")?, (slf.get().0.to_string(),)).into_pyobject(py)
    }
}

wraps!(Period(CorePeriod));

/// A time of the day, to the minute, from 00:00 to 24:00: `datetime.time` has no 24:00.
#[pyclass(frozen, module = "passes")]
pub(crate) struct TimeOfDay(CoreTime);

#[pymethods]
impl TimeOfDay {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        sound(text.parse().map(Self))
    }
    /// Minutes since midnight, as clocks show them.
    #[getter]
    fn minutes(&self) -> u16 {
        self.0.minutes()
    }
    fn __str__(&self) -> String {
        self.0.to_string()
    }
    fn __repr__(&self) -> String {
        format!("TimeOfDay('{}')", self.0)
    }
    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> Py<PyAny> {
        let py = other.py();
        match other.cast::<Self>() {
            Ok(other) => {
                PyBool::new(py, op.matches(self.0.cmp(&other.get().0))).to_owned().into_any().unbind()
            }
            Err(_) => py.NotImplemented(),
        }
    }
    fn __hash__(&self) -> u64 {
        hashed(&self.0.minutes())
    }
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (py.get_type::<Self>(), (self.0.to_string(),)).into_pyobject(py)
    }
}

becomes!(TimeOfDay(CoreTime));

impl FromPy for CoreTime {
    /// A `TimeOfDay`, or a `datetime.time` of whole minutes without a zone.
    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Ok(time) = obj.cast::<PyTime>() else {
            return Ok(wanted::<TimeOfDay>(obj, "TimeOfDay or datetime.time")?.get().0);
        };
        let part = |name: &str| time.getattr(name)?.extract::<u16>();
        if part("second")? != 0
            || time.getattr("microsecond")?.extract::<u32>()? != 0
            || !time.getattr("tzinfo")?.is_none()
        {
            return Err(PyValueError::new_err("a time of the day is of whole minutes, and has no zone"));
        }
        sound(Self::from_minutes(part("hour")? * 60 + part("minute")?))
    }
}

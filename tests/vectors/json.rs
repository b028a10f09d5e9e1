//! How a value of the library is written in a vector, and read from it: one shape for each kind of type, whatever the
//! type. What a type is made of is said once, in `shapes.rs`, and the compiler holds it against the library.

use passes_core::{Error, Refusal};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Why a value can't be read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The vector itself is wrong.
    Shape(String),
    /// The library refuses such a value: that counts as the answer of the step.
    Refused(Refusal),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(crate) fn wrong<T>(wanted: &str, found: &Value) -> Result<T, Fault> {
    Err(Fault::Shape(format!("{wanted} is wanted, not {found}")))
}

/// What can be read.
pub(crate) trait Read: Sized {
    fn read(value: &Value) -> Result<Self, Fault>;
    /// What a field that isn't there is.
    fn absent(name: &str) -> Result<Self, Fault> {
        Err(Fault::Shape(format!("{name} is missing")))
    }
}

/// What can be written.
pub(crate) trait Write {
    fn write(&self) -> Value;
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value) -> Result<Self, Fault> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }
    fn absent(_: &str) -> Result<Self, Fault> {
        Ok(None)
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }
}

macro_rules! numbers {
    ($( $ty:ty ),+) => { $(
        impl Read for $ty {
            fn read(value: &Value) -> Result<Self, Fault> {
                let Some(number) = value.as_i64() else { return wrong("a whole number", value) };
                <$ty>::try_from(number).or_else(|_| wrong("a number in range", value))
            }
        }
        impl Write for $ty {
            fn write(&self) -> Value {
                Value::from(*self)
            }
        }
    )+ };
}

numbers!(u8, u16, u32, u64, i64, usize);

impl Read for bool {
    fn read(value: &Value) -> Result<Self, Fault> {
        value.as_bool().map_or_else(|| wrong("true or false", value), Ok)
    }
}

impl Write for bool {
    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl Read for String {
    fn read(value: &Value) -> Result<Self, Fault> {
        value.as_str().map_or_else(|| wrong("a text", value), |text| Ok(text.to_owned()))
    }
}

impl Read for Arc<str> {
    fn read(value: &Value) -> Result<Self, Fault> {
        String::read(value).map(Self::from)
    }
}

macro_rules! texts {
    ($( $ty:ty ),+) => { $(
        impl Write for $ty {
            fn write(&self) -> Value {
                Value::from(&**self)
            }
        }
    )+ };
}

texts!(String, Arc<str>, &'static str);

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value) -> Result<Self, Fault> {
        value.as_array().map_or_else(|| wrong("a list", value), |all| all.iter().map(T::read).collect())
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }
}

impl<T: Read + Ord> Read for BTreeSet<T> {
    fn read(value: &Value) -> Result<Self, Fault> {
        Vec::read(value).map(|all: Vec<T>| all.into_iter().collect())
    }
}

impl<T: Write> Write for BTreeSet<T> {
    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }
}

/// The key of a map is a text: the name of a state, the tag of a language.
impl<K: Read + Ord, V: Read> Read for BTreeMap<K, V> {
    fn read(value: &Value) -> Result<Self, Fault> {
        let Some(map) = value.as_object() else { return wrong("an object", value) };
        map.iter().map(|(key, value)| Ok((K::read(&key.as_str().into())?, V::read(value)?))).collect()
    }
}

impl<K: Write, V: Write> Write for BTreeMap<K, V> {
    fn write(&self) -> Value {
        let key = |key: &K| key.write().as_str().expect("a key is a text").to_owned();
        self.iter().map(|(k, v)| (key(k), v.write())).collect()
    }
}

impl<A: Read, B: Read> Read for (A, B) {
    fn read(value: &Value) -> Result<Self, Fault> {
        match value.as_array().map(Vec::as_slice) {
            Some([a, b]) => Ok((A::read(a)?, B::read(b)?)),
            _ => wrong("a list of two", value),
        }
    }
}

impl<A: Write, B: Write> Write for (A, B) {
    fn write(&self) -> Value {
        vec![self.0.write(), self.1.write()].into()
    }
}

impl Write for () {
    fn write(&self) -> Value {
        Value::Null
    }
}

impl Write for Refusal {
    fn write(&self) -> Value {
        let values: Map<_, _> =
            self.values().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let mut told = Map::new();
        told.insert("code".into(), self.code().into());
        if !values.is_empty() {
            told.insert("values".into(), values.into());
        }
        told.into()
    }
}

/// What a call came to: `{"answer": …}`, `{"refused": […]}` or `{"failed": code}`.
impl<T: Write> Write for Result<T, Error> {
    fn write(&self) -> Value {
        let (name, value) = match self {
            Ok(answer) => ("answer", answer.write()),
            Err(Error::Refused(refused)) => {
                ("refused", refused.reasons().iter().map(Refusal::write).collect())
            }
            Err(error) => ("failed", error.code().into()),
        };
        [(name.to_owned(), value)].into_iter().collect::<Map<_, _>>().into()
    }
}

/// `NewCredit` is written `new_credit`.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::new();
    for (place, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && place > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// An object of these fields, without those that are nothing.
pub(crate) fn object(fields: Vec<(&str, Value)>) -> Value {
    let there = fields.into_iter().filter(|(_, value)| !value.is_null());
    there.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

/// The object's field.
pub(crate) fn field<T: Read>(object: &Map<String, Value>, name: &str) -> Result<T, Fault> {
    let found = object.get(name);
    found.map_or_else(|| T::absent(name), T::read).map_err(|fault| match fault {
        Fault::Shape(why) => Fault::Shape(format!("{name}: {why}")),
        refused @ Fault::Refused(_) => refused,
    })
}

/// The object, if it has no other fields than these.
pub(crate) fn only<'a>(value: &'a Value, names: &[&str]) -> Result<&'a Map<String, Value>, Fault> {
    let Some(object) = value.as_object() else { return wrong("an object", value) };
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(other) => Err(Fault::Shape(format!("there is no field {other} among {names:?}"))),
        None => Ok(object),
    }
}

/// A variant: its name alone, or with what it holds.
pub(crate) fn variant(name: &str, places: Vec<Value>, fields: Vec<(&str, Value)>) -> Value {
    let name = snake(name);
    let held = match (places.len(), fields.len()) {
        (0, 0) => return name.into(),
        (0, _) => object(fields),
        (1, _) => places.into_iter().collect::<Vec<_>>().swap_remove(0),
        _ => places.into(),
    };
    [(name, held)].into_iter().collect::<Map<_, _>>().into()
}

/// The name of a variant, and what it holds.
pub(crate) fn named(value: &Value) -> Result<(&str, &Value), Fault> {
    match (value.as_str(), value.as_object()) {
        (Some(name), _) => Ok((name, &Value::Null)),
        (_, Some(held)) if held.len() == 1 => {
            let (name, held) = held.iter().next().expect("one");
            Ok((name, held))
        }
        _ => wrong("a variant", value),
    }
}

/// What a variant holds at a place of `count`.
pub(crate) fn place<T: Read>(held: &Value, at: usize, count: usize) -> Result<T, Fault> {
    if count == 1 {
        return T::read(held);
    }
    match held.as_array() {
        Some(all) if all.len() == count => T::read(&all[at]),
        _ => wrong(&format!("a list of {count}"), held),
    }
}

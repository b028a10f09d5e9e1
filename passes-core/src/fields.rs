//! Custom fields: definitions, and values that are checked against them (X-1).

use crate::limits;
use crate::refusal::Refusal;
use rust_decimal::Decimal;
use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The type of a custom field, with its limits.
/// See [`Definition`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, tag = "type")]
pub enum FieldType {
    /// Text of at most this many characters.
    Text {
        /// How many; at most 500.
        most: usize,
    },
    /// A whole number in a range, both ends included.
    Integer {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// A decimal number in a range, both ends included. Its value is written as text.
    Decimal {
        /// The least.
        least: Decimal,
        /// The most.
        most: Decimal,
    },
    /// Yes or no.
    YesNo {},
    /// A date, written `2026-12-31`.
    Date {},
    /// One of these.
    Choice {
        /// The choices.
        of: Vec<String>,
    },
}

/// The definition of a custom field.
///
/// ```
/// use passes_core::fields::{Definition, FieldType, Value, Values, check};
/// let field = FieldType::Integer { least: 1, most: 3 };
/// let size = Definition { name: "size".into(), required: true, field };
/// Definition::validate_all("pass_fields", &[size.clone()])?;
/// let values: Values = [("size".to_owned(), Value::Integer(2))].into();
/// check(&[size.clone()], &values, true)?;
/// let wrong: Values = [("size".to_owned(), Value::Integer(4))].into();
/// let refusal = check(&[size], &wrong, true).unwrap_err();
/// assert_eq!(refusal.to_string(), "custom field size: outside its limits");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Whether it must have a value.
    #[serde(default)]
    pub required: bool,
    /// Its type.
    #[serde(flatten)]
    pub field: FieldType,
}

/// A value: a decimal, a date and a choice are texts of their own forms.
/// See [`Definition`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    YesNo(bool),
    /// A whole number.
    Integer(i64),
    /// A text, decimal, date or choice.
    Text(String),
}

/// By hand, so that what else is given is told with what would do.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "yes or no, a whole number, or a text (which decimals, dates and choices are, too)",
                )
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::YesNo(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Integer(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
                let whole = i64::try_from(value);
                whole.map(Value::Integer).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Text(value.to_owned()))
            }
        }
        from.deserialize_any(Form)
    }
}

/// Values by the names of their fields.
/// See [`Definition`].
pub type Values = BTreeMap<String, Value>;

impl Definition {
    /// Checks a list of definitions: names, sizes, limits the right way round.
    /// See [`Definition`].
    ///
    /// # Errors
    /// `INVALID`, naming the list.
    pub fn validate_all(list: &str, definitions: &[Self]) -> Result<(), Refusal> {
        for definition in definitions {
            limits::text(list, &definition.name, 1, limits::NAME)?;
            if definitions.iter().filter(|d| d.name == definition.name).count() > 1 {
                return Err(Refusal::invalid(list, format!("{} is there twice", definition.name)));
            }
            let sound = match &definition.field {
                FieldType::Text { most } => *most <= limits::TEXT,
                FieldType::Integer { least, most } => least <= most,
                FieldType::Decimal { least, most } => least <= most,
                FieldType::Choice { of } => !of.is_empty() && of.len() <= limits::SETTINGS,
                FieldType::YesNo {} | FieldType::Date {} => true,
            };
            if !sound {
                return Err(Refusal::invalid(
                    list,
                    format!("the limits of {} can't be met", definition.name),
                ));
            }
        }
        Ok(())
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match (&self.field, value) {
            (FieldType::Text { most }, Value::Text(text)) => {
                limits::text(&self.name, text, 0, *most).map_err(|r| r.to_string())?;
                true
            }
            (FieldType::Integer { least, most }, Value::Integer(n)) => (least..=most).contains(&n),
            (FieldType::Decimal { least, most }, Value::Text(text)) => {
                let n = Decimal::from_str_exact(text).map_err(|_| "not a decimal number".to_owned())?;
                *least <= n && n <= *most
            }
            (FieldType::YesNo {}, Value::YesNo(_)) => true,
            (FieldType::Date {}, Value::Text(text)) => {
                chrono::NaiveDate::from_str(text).map_err(|_| "not a date like 2026-12-31".to_owned())?;
                true
            }
            (FieldType::Choice { of }, Value::Text(text)) => of.contains(text),
            _ => return Err("a value of another type".to_owned()),
        };
        if fits { Ok(()) } else { Err("outside its limits".to_owned()) }
    }
}

/// Checks values against definitions; `complete` demands every required one.
/// See [`Definition`].
///
/// # Errors
/// `BAD_FIELD` naming the field: unknown, missing, of another type, or outside its limits.
pub fn check(definitions: &[Definition], values: &Values, complete: bool) -> Result<(), Refusal> {
    limits::list("fields", values.len(), limits::FIELDS)?;
    let bad = |field: &str, why: String| Refusal::BadField { field: field.to_owned(), why };
    for (name, value) in values {
        let definition = definitions.iter().find(|d| d.name == *name);
        let definition = definition.ok_or_else(|| bad(name, "not defined".into()))?;
        definition.check(value).map_err(|why| bad(name, why))?;
    }
    match definitions.iter().find(|d| complete && d.required && !values.contains_key(&d.name)) {
        Some(missing) => Err(bad(&missing.name, "required".into())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn define(name: &str, field: FieldType) -> Definition {
        Definition { name: name.into(), required: name == "size", field }
    }

    /// X-1: each type, its limits, required or not, unknown names.
    #[test]
    fn values_are_checked_by_type_and_limits() {
        let all = vec![
            define("note", FieldType::Text { most: 5 }),
            define("size", FieldType::Integer { least: 1, most: 3 }),
            define("rate", FieldType::Decimal { least: Decimal::ZERO, most: Decimal::ONE }),
            define("vip", FieldType::YesNo {}),
            define("born", FieldType::Date {}),
            define("hue", FieldType::Choice { of: vec!["red".into(), "blue".into()] }),
        ];
        Definition::validate_all("pass_fields", &all).unwrap();
        let text = |t: &str| Value::Text(t.into());
        let with = |name: &str, value: Value| {
            let mut values: Values = [("size".to_owned(), Value::Integer(2))].into();
            values.insert(name.into(), value);
            check(&all, &values, true)
        };
        for (name, good, wrong) in [
            ("note", text("short"), text("longer")),
            ("size", Value::Integer(3), Value::Integer(4)),
            ("rate", text("0.25"), text("1.01")),
            ("vip", Value::YesNo(true), Value::Integer(1)),
            ("born", text("2024-02-29"), text("2023-02-29")),
            ("hue", text("red"), text("green")),
        ] {
            assert_eq!(with(name, good), Ok(()), "{name}");
            assert_eq!(with(name, wrong).unwrap_err().code(), "BAD_FIELD", "{name}");
        }
        assert_eq!(with("other", Value::Integer(1)).unwrap_err().code(), "BAD_FIELD");
        assert_eq!(check(&all, &Values::new(), true).unwrap_err().code(), "BAD_FIELD");
        assert_eq!(check(&all, &Values::new(), false), Ok(()));
    }

    /// X-1: definitions read from and write to JSON and TOML.
    #[test]
    fn definitions_have_a_text_form() {
        let text = "name = 'size'\ntype = 'integer'\nleast = 1\nmost = 3\nrequired = true";
        let definition: Definition = toml::from_str(text).unwrap();
        assert_eq!(definition, define("size", FieldType::Integer { least: 1, most: 3 }));
        let json = serde_json::to_string(&definition).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&json).unwrap(), definition);
    }
}

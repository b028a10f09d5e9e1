//! What the words that begin with `$` stand for: the values of the file, and the answers that steps gave a name.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What has a name.
pub(crate) struct Scope<'a> {
    values: &'a Value,
    answers: BTreeMap<String, Value>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(values: &'a Value) -> Self {
        Self { values, answers: BTreeMap::new() }
    }

    pub(crate) fn name(&mut self, name: &str, answer: Value) {
        self.answers.insert(name.to_owned(), answer);
    }

    /// The value with all that it names put in its place: `"$lot.done.lot"`, and `{"$": "card", "caps": …}`, which is
    /// the object of that name with other fields.
    pub(crate) fn expand(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some(path) => self.find(path),
                None => Ok(value.clone()),
            },
            Value::Array(all) => all.iter().map(|value| self.expand(value)).collect(),
            Value::Object(object) => {
                let mut fields = match object.get("$") {
                    None => Map::new(),
                    Some(base) => match self.find(base.as_str().unwrap_or_default())? {
                        Value::Object(fields) => fields,
                        other => return Err(format!("{other} has no fields")),
                    },
                };
                for (name, value) in object.iter().filter(|(name, _)| *name != "$") {
                    fields.insert(name.clone(), self.expand(value)?);
                }
                Ok(fields.into())
            }
            _ => Ok(value.clone()),
        }
    }

    fn find(&self, path: &str) -> Result<Value, String> {
        let mut words = path.split('.');
        let name = words.next().unwrap_or_default();
        let mut found = match (self.answers.get(name), self.values.get(name)) {
            (Some(answer), _) => answer.clone(),
            (None, Some(value)) => self.expand(value)?,
            (None, None) => return Err(format!("nothing is called {name}")),
        };
        for word in words {
            let next = match word.parse::<usize>() {
                Ok(place) => found.get(place),
                Err(_) => found.get(word),
            };
            found = next.cloned().ok_or_else(|| format!("{path}: there is no {word}"))?;
        }
        Ok(found)
    }
}

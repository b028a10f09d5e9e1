//! How a file of vectors is laid out: what fits on a line stands on one, and keys come in the order of reading.

use serde_json::Value;

const WIDTH: usize = 118;

/// Keys that come before all others, in this order.
const FIRST: &[&str] = &[
    "about",
    "start",
    "clock",
    "seed",
    "keys",
    "values",
    "setups",
    "scenarios",
    "name",
    "proves",
    "setup",
    "steps",
    "call",
    "by",
    "args",
    "as",
    "expect",
    "$",
    "id",
    "code",
];

/// The text of a value.
pub(crate) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    lay(value, 0, 0, &mut text);
    text
}

fn rank(key: &str) -> (usize, &str) {
    (FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len()), key)
}

fn short(value: &Value) -> String {
    match value {
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(short).collect();
            format!("[{}]", all.join(", "))
        }
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort_by_key(|key| rank(key));
            let all: Vec<String> = keys
                .iter()
                .map(|key| format!("{}: {}", Value::from(key.as_str()), short(&object[*key])))
                .collect();
            format!("{{{}}}", all.join(", "))
        }
        _ => value.to_string(),
    }
}

/// `used` is what stands on the line already.
fn lay(value: &Value, indent: usize, used: usize, text: &mut String) {
    let line = short(value);
    let is_empty = matches!(line.as_str(), "[]" | "{}");
    if is_empty || indent + used + line.len() < WIDTH || !(value.is_array() || value.is_object()) {
        text.push_str(&line);
        return;
    }
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    text.push(open);
    let mut first = true;
    let mut next = |text: &mut String, indent: usize| {
        if !std::mem::take(&mut first) {
            text.push(',');
        }
        text.push('\n');
        text.push_str(&" ".repeat(indent));
    };
    match value {
        // Words fill their lines.
        Value::Array(all) if all.iter().all(|value| !value.is_array() && !value.is_object()) => {
            let mut used = WIDTH;
            for value in all {
                let word = short(value);
                if used + word.len() + 2 < WIDTH {
                    text.push_str(", ");
                } else {
                    next(text, indent + 2);
                    used = indent;
                }
                used += word.len() + 2;
                text.push_str(&word);
            }
        }
        Value::Array(all) => {
            for value in all {
                next(text, indent + 2);
                lay(value, indent + 2, 0, text);
            }
        }
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort_by_key(|key| rank(key));
            for key in keys {
                next(text, indent + 2);
                let name = format!("{}: ", Value::from(key.as_str()));
                text.push_str(&name);
                lay(&object[key], indent + 2, name.len(), text);
            }
        }
        _ => {}
    }
    text.push('\n');
    text.push_str(&" ".repeat(indent));
    text.push(close);
}

//! Doc comments, made readable in other languages.

use syn::{Attribute, Expr, Lit, Meta};

/// The text of doc attributes, a line each: no code blocks, no links, a section's title as a word in front of it.
pub(crate) fn clean(attributes: &[Attribute]) -> Vec<String> {
    tidy(raw(attributes).iter().flat_map(|text| text.split('\n')))
}

/// What stands in doc attributes.
fn raw(attributes: &[Attribute]) -> Vec<String> {
    let text = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(text).collect()
}

pub(crate) fn tidy<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut code = false;
    let mut title = None;
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        if line.trim_start().starts_with("```") {
            code = !code;
            continue;
        }
        if code {
            continue;
        }
        if let Some(section) = line.strip_prefix("# ") {
            title = Some(section.to_owned());
            continue;
        }
        let mut line = unlink(line).replace("/*", "/ *").replace("*/", "* /");
        if line.is_empty() {
            if title.is_none() && out.last().is_some_and(|last| !last.is_empty()) {
                out.push(line);
            }
            continue;
        }
        if let Some(section) = title.take() {
            if out.last().is_some_and(|last| !last.is_empty()) {
                out.push(String::new());
            }
            line = format!("{section}: {line}");
        }
        out.push(line);
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    out
}

/// `[text](target)` and `[text]` become their text, and paths in backticks take the dots of other languages.
fn unlink(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        let Some((text, behind)) = after.split_once(']') else {
            out.push('[');
            rest = after;
            continue;
        };
        out.push_str(text);
        rest = match behind.strip_prefix('(').and_then(|link| link.split_once(')')) {
            Some((_, behind)) => behind,
            None => behind,
        };
    }
    out.push_str(rest);
    out.replace("crate::", "").replace("Self::", "").replace("::", ".")
}

//! The stub of the native module, by which editors and type checkers know it, and the enums that are written in Python.

use super::names::{class as class_name, default, is_plain_enum, member, plain, short};
use crate::generate::model::{Arg, Field, Method, Model, Shape, Ty, Type, Variant};
use std::fmt::Write;

const ENUMS: &str = "\
# Made from the source of the library; `cargo xtask test python` says when it is old.
\"\"\"The enums of the library.\"\"\"

from enum import Enum as _Enum
";

const HEAD: &str = "\
# Made from the source of the library; `cargo xtask test python` says when it is old.
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date as _date, datetime as _datetime, time as _time
from decimal import Decimal
from os import PathLike
from typing import Any, final
from uuid import UUID
from zoneinfo import ZoneInfo

from typing_extensions import disjoint_base

";

/// The stub of what is written by hand.
const LEAVES: &str = include_str!("leaves.pyi");

/// `_enums.py`.
pub(crate) fn enums(model: &Model) -> String {
    let mut out = ENUMS.to_owned();
    for ty in model.types.iter().filter(|ty| is_plain_enum(ty)) {
        let Shape::Enum(variants) = &ty.shape else { continue };
        let _ = write!(out, "\n\nclass {}(_Enum):\n", ty.name);
        docs(&mut out, "    ", &ty.docs);
        out.push('\n');
        for variant in variants {
            let name = member(&variant.name);
            let _ = writeln!(out, "    {name} = \"{}\"", name.to_lowercase());
            if !variant.docs.is_empty() {
                docs(&mut out, "    ", &variant.docs);
            }
        }
    }
    out
}

/// `_native.pyi`.
pub(crate) fn native(model: &Model) -> Result<String, String> {
    let mut out = HEAD.to_owned();
    let enums: Vec<&str> =
        model.types.iter().filter(|ty| is_plain_enum(ty)).map(|ty| ty.name.as_str()).collect();
    let _ = writeln!(out, "from ._enums import (");
    for name in enums {
        let _ = writeln!(out, "    {name},");
    }
    out.push_str(")\nfrom .errors import PassesError\nfrom .store import RecordStore\n\n");
    out.push_str("__all__ = [\n");
    for name in offered(model) {
        let _ = writeln!(out, "    \"{name}\",");
    }
    out.push_str("]\n\n");
    out.push_str(LEAVES);
    for ty in &model.types {
        match &ty.shape {
            Shape::Leaf { .. } => {}
            Shape::Id => id(&mut out, ty),
            Shape::Record { fields, positional } => record(&mut out, model, ty, fields, *positional),
            Shape::Enum(_) if is_plain_enum(ty) => {}
            Shape::Enum(variants) => choice(&mut out, model, ty, variants),
        }
    }
    for (class, about, asynchronous) in [
        (
            "Passes",
            "The library, open: every use case is a method of it. It works from many threads at once.",
            false,
        ),
        (
            "AsyncPasses",
            "The library, open, for asyncio: each method gives something to await, and the loop goes on meanwhile.",
            true,
        ),
    ] {
        let _ = write!(out, "\n@final\nclass {class}:\n");
        docs(&mut out, "    ", &[about.to_owned()]);
        if asynchronous {
            out.push_str("    def __new__(cls, passes: Passes) -> AsyncPasses: ...\n");
        }
        for method in &model.methods {
            one_method(&mut out, model, method, asynchronous);
        }
    }
    Ok(out)
}

/// All that the native module offers, in order.
fn offered(model: &Model) -> Vec<&str> {
    let by_hand = LEAVES.lines().filter_map(|line| {
        let name = line.strip_prefix("class ").or_else(|| line.strip_prefix("def "));
        name.or(line.split_once(": ").map(|_| line).filter(|line| line.starts_with(char::is_uppercase)))
    });
    let by_hand = by_hand.filter_map(|rest| rest.split([':', '(']).next());
    let made = model.types.iter().filter(|ty| !matches!(ty.shape, Shape::Leaf { .. }) && !is_plain_enum(ty));
    let mut all: Vec<&str> = by_hand.chain(made.map(|ty| ty.name.as_str())).collect();
    all.extend(["AsyncPasses", "Passes"]);
    all.sort_unstable();
    all
}

fn docs(out: &mut String, indent: &str, lines: &[String]) {
    let text = lines.join("\n").replace('\\', "\\\\").replace("\"\"\"", "'''");
    let lines: Vec<&str> = text.split('\n').collect();
    let quote = "\"\"\"";
    if let [one] = lines.as_slice() {
        let gap = if one.ends_with('"') { " " } else { "" };
        let _ = writeln!(out, "{indent}{quote}{one}{gap}{quote}");
        return;
    }
    for (at, line) in lines.iter().enumerate() {
        let open = if at == 0 { quote } else { "" };
        let _ = writeln!(out, "{}", format!("{indent}{open}{line}").trim_end());
    }
    let _ = writeln!(out, "{indent}{quote}");
}

/// What is given.
fn gives(ty: &Ty) -> String {
    match ty {
        Ty::Nothing => "None".into(),
        Ty::Bool => "bool".into(),
        Ty::Int(_) => "int".into(),
        Ty::Text => "str".into(),
        Ty::Named(name) => match name.as_str() {
            "Date" => "_date".into(),
            "Instant" => "_datetime".into(),
            "Zone" => "str".into(),
            other => other.to_owned(),
        },
        Ty::Maybe(inner) => format!("{} | None", gives(inner)),
        Ty::List(inner) => format!("tuple[{}, ...]", gives(inner)),
        Ty::Set(inner) => format!("frozenset[{}]", gives(inner)),
        Ty::Map(key, value) => format!("dict[{}, {}]", gives(key), gives(value)),
        Ty::Outcome(inner) => format!("{} | PassesError", gives(inner)),
    }
}

/// What is taken.
fn takes(model: &Model, ty: &Ty) -> String {
    match ty {
        Ty::Named(name) => {
            let mut all = vec![gives(ty)];
            match name.as_str() {
                "Currency" => all.push("str".into()),
                "Decimal" => all.push("int".into()),
                "Zone" => all.push("ZoneInfo".into()),
                "TimeOfDay" => all.push("_time".into()),
                "Passcode" => all.push("str".into()),
                _ => {}
            }
            if let Some(ty) = model.get(name) {
                all.extend(short(ty).iter().map(|(_, of)| takes(model, of)));
            }
            all.join(" | ")
        }
        Ty::Maybe(inner) => format!("{} | None", takes(model, inner)),
        Ty::List(inner) => format!("Sequence[{}]", takes(model, inner)),
        Ty::Set(inner) => format!("Iterable[{}]", takes(model, inner)),
        Ty::Map(key, value) => format!("Mapping[{}, {}]", takes(model, key), takes(model, value)),
        other => gives(other),
    }
}

fn id(out: &mut String, ty: &Type) {
    let _ = write!(out, "\n@final\nclass {}:\n", ty.name);
    docs(out, "    ", &ty.docs);
    let name = &ty.name;
    let _ = writeln!(out, "    def __new__(cls, value: UUID | str) -> {name}: ...");
    out.push_str("    @property\n    def value(self) -> UUID:\n        \"\"\"The UUID.\"\"\"\n");
    for (method, other) in
        [("eq", "object"), ("ge", name), ("gt", name), ("le", name), ("lt", name), ("ne", "object")]
    {
        let _ = writeln!(out, "    def __{method}__(self, other: {other}, /) -> bool: ...");
    }
    out.push_str("    def __hash__(self) -> int: ...\n    def __reduce__(self) -> tuple[Any, ...]: ...\n");
    if name == "LotId" {
        out.push_str("    def pass_(self, serial: int) -> PassId:\n        \"\"\"The pass with this serial number.\"\"\"\n");
    }
    if name == "PassId" {
        out.push_str(
            "    @property\n    def lot(self) -> LotId:\n        \"\"\"The lot that it is of.\"\"\"\n    \
             @property\n    def serial(self) -> int:\n        \"\"\"Its serial number in the lot.\"\"\"\n",
        );
    }
}

fn common(out: &mut String) {
    out.push_str(
        "    def __eq__(self, other: object, /) -> bool: ...\n    def __ne__(self, other: object, /) -> bool: ...\n    \
         def __hash__(self) -> int: ...\n    def __reduce__(self) -> tuple[Any, ...]: ...\n",
    );
}

fn constructor(
    out: &mut String,
    indent: &str,
    model: &Model,
    ty: &Type,
    class: &str,
    fields: &[Field],
    positional: bool,
) {
    let mut all = vec!["cls".to_owned()];
    if !positional && !fields.is_empty() {
        all.push("*".into());
    }
    for field in fields {
        let left_out = !positional && default(model, ty, field).is_some();
        let of = takes(model, &field.ty);
        let of = if left_out && !matches!(field.ty, Ty::Maybe(_)) { format!("{of} | None") } else { of };
        let end = if left_out { " = None" } else { "" };
        all.push(format!("{}: {of}{end}", plain(&field.name)));
    }
    call(out, indent, "__new__", &all, class);
}

/// A function on one line, or on as many as it needs.
fn call(out: &mut String, indent: &str, name: &str, parameters: &[String], gives: &str) {
    let line = format!("{indent}def {name}({}) -> {gives}", parameters.join(", "));
    if line.len() <= 96 {
        let _ = writeln!(out, "{line}: ...");
        return;
    }
    let _ = writeln!(out, "{indent}def {name}(");
    for parameter in parameters {
        let _ = writeln!(out, "{indent}    {parameter},");
    }
    let _ = writeln!(out, "{indent}) -> {gives}: ...");
}

fn property(out: &mut String, indent: &str, field: &Field) {
    let _ =
        write!(out, "{indent}@property\n{indent}def {}(self) -> {}:", plain(&field.name), gives(&field.ty));
    if field.docs.is_empty() {
        out.push_str(" ...\n");
    } else {
        out.push('\n');
        docs(out, &format!("{indent}    "), &field.docs);
    }
}

fn match_args(out: &mut String, indent: &str, fields: &[Field]) {
    let all: Vec<String> = fields.iter().map(|field| format!("\"{}\"", plain(&field.name))).collect();
    let end = if all.len() == 1 { "," } else { "" };
    let _ = writeln!(out, "{indent}__match_args__ = ({}{end})", all.join(", "));
}

fn record(out: &mut String, model: &Model, ty: &Type, fields: &[Field], positional: bool) {
    let _ = write!(out, "\n@final\nclass {}:\n", ty.name);
    docs(out, "    ", &ty.docs);
    match_args(out, "    ", fields);
    constructor(out, "    ", model, ty, &ty.name, fields, positional);
    for field in fields {
        property(out, "    ", field);
    }
    if positional {
        out.push_str("    def __iter__(self) -> Iterator[Any]: ...\n");
    }
    common(out);
}

fn choice(out: &mut String, model: &Model, ty: &Type, variants: &[Variant]) {
    let _ = write!(out, "\n@disjoint_base\nclass {}:\n", ty.name);
    docs(out, "    ", &ty.docs);
    common(out);
    for variant in variants {
        let _ = write!(out, "\n    @final\n    class {}({}):\n", class_name(&variant.name), ty.name);
        docs(out, "        ", &variant.docs);
        match_args(out, "        ", &variant.fields);
        let class = format!("{}.{}", ty.name, class_name(&variant.name));
        constructor(out, "        ", model, ty, &class, &variant.fields, variant.positional);
        for field in &variant.fields {
            property(out, "        ", field);
        }
    }
}

fn one_method(out: &mut String, model: &Model, method: &Method, asynchronous: bool) {
    let mut all = vec!["self".to_owned()];
    let mut named = false;
    for Arg { name, ty, .. } in &method.args {
        let maybe = matches!(ty, Ty::Maybe(_));
        if maybe && !named {
            all.push("*".into());
            named = true;
        }
        let end = if maybe { " = None" } else { "" };
        all.push(format!("{}: {}{end}", plain(name), takes(model, ty)));
    }
    let given = gives(&method.gives);
    let given = if asynchronous { format!("Awaitable[{given}]") } else { given };
    let mut head = String::new();
    call(&mut head, "    ", &plain(&method.name), &all, &given);
    out.push_str(head.trim_end().trim_end_matches(" ..."));
    out.push('\n');
    docs(out, "        ", &method.docs);
}

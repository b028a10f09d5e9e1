//! Writes how the scenario vectors (`tests/vectors`) are read and written in Swift; the same as `kotlin`.

use super::model::{Field, Method, Model, Shape, Ty, Type, Variant};
use super::resolve::snake;
use super::uniffi::camel;
use std::fmt::{self, Write};

/// Names that are Foundation's, too: the model's, and that which `uniffi.toml` gives the type in Swift.
const OTHER_NAMES: &[(&str, &str)] = &[("Progress", "RunProgress")];

/// The Swift.
pub(crate) fn codec(model: &Model) -> Result<String, fmt::Error> {
    let mut out = String::from("// Made from the source of the core by passes-ffi/generate.\n");
    writeln!(out, "import Foundation\nimport Passes\n")?;
    for ty in &model.types {
        match &ty.shape {
            Shape::Leaf { .. } => {}
            Shape::Id => id(&mut out, ty)?,
            Shape::Record { fields, positional } => record(&mut out, ty, fields, *positional)?,
            Shape::Enum(variants) => enumeration(&mut out, ty, variants)?,
        }
    }
    calls(&mut out, model, "Passes", "call", "", "try")?;
    calls(&mut out, model, "AsyncPasses", "callAsync", "async ", "try await")?;
    Ok(out)
}

fn id(out: &mut String, ty: &Type) -> fmt::Result {
    let name = &ty.name;
    let what = snake(name.strip_suffix("Id").unwrap_or(name));
    writeln!(
        out,
        "func read{name}(_ json: Json?) throws -> {name} {{ {name}(value: try uuid(json, \"{what}\")) }}
func write{name}(_ value: {name}) -> Json {{ json(value.value.uuidString.lowercased()) }}"
    )
}

fn record(out: &mut String, ty: &Type, fields: &[Field], positional: bool) -> fmt::Result {
    let name = &ty.name;
    if ty.taken {
        let arguments = read_fields(fields, positional, "json");
        writeln!(out, "func read{name}(_ json: Json?) throws -> {name} {{ {name}({arguments}) }}")?;
    }
    if ty.given {
        let fields: Vec<(&Field, String)> =
            kept(fields).map(|field| (field, format!("value.{}", camel(&field.name)))).collect();
        let shown =
            OTHER_NAMES.iter().find(|(model, _)| model == name).map_or(name.as_str(), |(_, swift)| swift);
        writeln!(out, "func write{name}(_ value: {shown}) -> Json {{ {} }}", written(&fields, positional))?;
    }
    Ok(())
}

fn enumeration(out: &mut String, ty: &Type, variants: &[Variant]) -> fmt::Result {
    let name = &ty.name;
    let case = |variant: &Variant| camel(&snake(&variant.name));
    if ty.taken {
        writeln!(out, "func read{name}(_ json: Json?) throws -> {name} {{")?;
        writeln!(out, "    let (name, held) = try variant(json)\n    _ = held\n    switch name {{")?;
        for variant in variants {
            let arguments = read_fields(&variant.fields, variant.positional, "held");
            let arguments = if variant.fields.is_empty() { String::new() } else { format!("({arguments})") };
            let told = snake(&variant.name);
            writeln!(out, "    case \"{told}\": return {name}.{}{arguments}", case(variant))?;
        }
        writeln!(out, "    default: throw Wrong(\"a {name} is wanted, not \\(name)\")\n    }}\n}}")?;
    }
    if ty.given {
        writeln!(out, "func write{name}(_ value: {name}) -> Json {{\n    switch value {{")?;
        for variant in variants {
            let told = snake(&variant.name);
            if variant.fields.is_empty() {
                writeln!(out, "    case .{}: return json(\"{told}\")", case(variant))?;
            } else {
                let places = (0..variant.fields.len()).map(|place| format!("let v{place}"));
                let fields: Vec<(&Field, String)> =
                    variant.fields.iter().enumerate().map(|(place, f)| (f, format!("v{place}"))).collect();
                let places = places.collect::<Vec<_>>().join(", ");
                let held = written(&fields, variant.positional);
                writeln!(out, "    case .{}({places}): return .object([\"{told}\": {held}])", case(variant))?;
            }
        }
        writeln!(out, "    }}\n}}")?;
    }
    Ok(())
}

fn kept(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|field| field.ty != Ty::Nothing)
}

/// The arguments of an initializer, from JSON: fields by name, or by place; one alone is the value itself.
fn read_fields(fields: &[Field], positional: bool, from: &str) -> String {
    let read = |(place, field): (usize, &Field)| {
        let json = match (positional, fields.len()) {
            (false, _) => format!("field({from}, \"{}\")", field.name),
            (true, 1) => from.to_owned(),
            (true, _) => format!("try place({from}, {place})"),
        };
        format!("{}: {}", camel(&field.name), read_ty(&field.ty, &json))
    };
    kept(fields).enumerate().map(read).collect::<Vec<_>>().join(", ")
}

/// The JSON of fields, each with the expression that gives it.
fn written(fields: &[(&Field, String)], positional: bool) -> String {
    let write = |(field, value): &(&Field, String)| write_ty(&field.ty, value);
    match (positional, fields) {
        (true, [only]) => write(only),
        (true, _) => format!("pair([{}])", fields.iter().map(write).collect::<Vec<_>>().join(", ")),
        (false, _) => {
            let fields = fields.iter().map(|all| format!("(\"{}\", {})", all.0.name, write(all)));
            format!("record([{}])", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

fn read_ty(ty: &Ty, json: &str) -> String {
    match ty {
        Ty::Nothing => "()".into(),
        Ty::Bool => format!("try yes({json})"),
        Ty::Int(_) => format!("try number({json})"),
        Ty::Text => format!("try text({json})"),
        Ty::Named(name) => format!("try read{name}({json})"),
        Ty::Maybe(inner) => format!("try maybe({json}) {{ {} }}", read_ty(inner, "$0")),
        Ty::List(inner) => format!("try list({json}) {{ {} }}", read_ty(inner, "$0")),
        Ty::Set(inner) => format!("Set(try list({json}) {{ {} }})", read_ty(inner, "$0")),
        Ty::Map(key, value) => {
            format!("try map({json}, {{ {} }}, {{ {} }})", read_ty(key, "$0"), read_ty(value, "$0"))
        }
        Ty::Outcome(_) => "try nothingTakesAnOutcome()".into(),
    }
}

fn write_ty(ty: &Ty, value: &str) -> String {
    match ty {
        Ty::Nothing => "Json.null".into(),
        Ty::Bool | Ty::Int(_) | Ty::Text => format!("json({value})"),
        Ty::Named(name) => format!("write{name}({value})"),
        Ty::Maybe(inner) => format!("{value}.map {{ {} }}", write_ty(inner, "$0")),
        Ty::List(inner) => format!("list({value}) {{ {} }}", write_ty(inner, "$0")),
        Ty::Set(inner) => format!("list(ordered({value})) {{ {} }}", write_ty(inner, "$0")),
        Ty::Map(key, of) => {
            format!("map({value}, {{ {} }}, {{ {} }})", write_ty(key, "$0"), write_ty(of, "$0"))
        }
        Ty::Outcome(inner) => format!("outcome({value}) {{ {} }}", write_ty(inner, "$0")),
    }
}

fn calls(out: &mut String, model: &Model, object: &str, named: &str, word: &str, tried: &str) -> fmt::Result {
    writeln!(
        out,
        "func {named}(_ passes: {object}, _ name: String, _ args: Json) {word}throws -> Json? {{\n    switch name {{"
    )?;
    for method in &model.methods {
        let Method { name, args, gives, .. } = method;
        let args: Vec<String> = args
            .iter()
            .map(|arg| {
                let json = format!("field(args, \"{}\")", arg.name);
                format!("{}: {}", camel(&arg.name), read_ty(&arg.ty, &json))
            })
            .collect();
        writeln!(
            out,
            "    case \"{name}\":\n        let told = {tried} passes.{}({})\n        return {}",
            camel(name),
            args.join(", "),
            write_ty(gives, "told")
        )?;
    }
    writeln!(out, "    default: return try callOther(name, args)\n    }}\n}}")
}

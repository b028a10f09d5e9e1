//! Writes how the scenario vectors (`tests/vectors`) are read and written in Kotlin: a function for each type of the
//! model, and the calls. What is under them, and what languages have themselves, is in `bindings/kotlin`'s tests.

use super::model::{Field, Method, Model, Shape, Ty, Type, Variant};
use super::resolve::snake;
use super::uniffi::camel;
use std::fmt::{self, Write};

/// The Kotlin.
pub(crate) fn codec(model: &Model) -> Result<String, fmt::Error> {
    let mut out =
        String::from("// Made from the source of the core by passes-ffi/generate.\npackage org.passes\n\n");
    writeln!(out, "import com.google.gson.JsonElement\nimport com.google.gson.JsonObject\n")?;
    for ty in &model.types {
        match &ty.shape {
            Shape::Leaf { .. } => {}
            Shape::Id => id(&mut out, ty)?,
            Shape::Record { fields, positional } => record(&mut out, ty, fields, *positional)?,
            Shape::Enum(variants) => enumeration(&mut out, ty, variants)?,
        }
    }
    calls(&mut out, model, "Passes", "fun call")?;
    calls(&mut out, model, "AsyncPasses", "suspend fun callAsync")?;
    Ok(out)
}

fn id(out: &mut String, ty: &Type) -> fmt::Result {
    let name = &ty.name;
    let what = snake(name.strip_suffix("Id").unwrap_or(name));
    writeln!(out, "fun read{name}(json: JsonElement?) = {name}(json.uuid(\"{what}\"))")?;
    writeln!(out, "fun write{name}(value: {name}) = json(value.value.toString())")
}

fn record(out: &mut String, ty: &Type, fields: &[Field], positional: bool) -> fmt::Result {
    let name = &ty.name;
    if ty.taken {
        let arguments = read_fields(fields, positional, "json");
        writeln!(out, "fun read{name}(json: JsonElement?) = {name}({arguments})")?;
    }
    if ty.given {
        writeln!(out, "fun write{name}(value: {name}): JsonElement = {}", written(fields, positional))?;
    }
    Ok(())
}

fn enumeration(out: &mut String, ty: &Type, variants: &[Variant]) -> fmt::Result {
    let name = &ty.name;
    let plain = variants.iter().all(|variant| variant.fields.is_empty());
    let shown = |variant: &Variant| {
        if plain { snake(&variant.name).to_uppercase() } else { variant.name.clone() }
    };
    if ty.taken {
        writeln!(
            out,
            "fun read{name}(json: JsonElement?): {name} = variant(json) {{ name, held -> when (name) {{"
        )?;
        for variant in variants {
            let arguments = read_fields(&variant.fields, variant.positional, "held");
            let arguments = if variant.fields.is_empty() { String::new() } else { format!("({arguments})") };
            writeln!(out, "    \"{}\" -> {name}.{}{arguments}", snake(&variant.name), shown(variant))?;
        }
        writeln!(out, "    else -> wrong(\"{name}\", json)\n}} }}")?;
    }
    if ty.given {
        writeln!(out, "fun write{name}(value: {name}): JsonElement = when (value) {{")?;
        for variant in variants {
            let is = if plain { "" } else { "is " };
            let told = snake(&variant.name);
            let held = written(&variant.fields, variant.positional);
            let held = if variant.fields.is_empty() { "null" } else { held.as_str() };
            writeln!(out, "    {is}{name}.{} -> held(\"{told}\", {held})", shown(variant))?;
        }
        writeln!(out, "}}")?;
    }
    Ok(())
}

/// The arguments of a constructor, from JSON: fields by name, or by place; one alone is the value itself.
fn read_fields(fields: &[Field], positional: bool, from: &str) -> String {
    let read = |(place, field): (usize, &Field)| {
        let json = match (positional, fields.len()) {
            (false, _) => format!("{from}[\"{}\"]", field.name),
            (true, 1) => from.to_owned(),
            (true, _) => format!("{from}[{place}]"),
        };
        format!("`{}` = {}", camel(&field.name), read_ty(&field.ty, &json))
    };
    let kept = fields.iter().filter(|field| field.ty != Ty::Nothing);
    kept.enumerate().map(read).collect::<Vec<_>>().join(", ")
}

/// The JSON of fields of `value`.
fn written(fields: &[Field], positional: bool) -> String {
    let write = |field: &Field| write_ty(&field.ty, &format!("value.`{}`", camel(&field.name)));
    let kept = fields.iter().filter(|field| field.ty != Ty::Nothing);
    match (positional, fields) {
        (true, [only]) => write(only),
        (true, _) => format!("pair({})", kept.map(write).collect::<Vec<_>>().join(", ")),
        (false, _) => {
            let fields = kept.map(|field| format!("\"{}\" to {}", field.name, write(field)));
            format!("record({})", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

fn read_ty(ty: &Ty, json: &str) -> String {
    match ty {
        Ty::Nothing => "Unit".into(),
        Ty::Bool => format!("{json}.yes()"),
        Ty::Int(_) => format!("{json}.number()"),
        Ty::Text => format!("{json}.text()"),
        Ty::Named(name) => format!("read{name}({json})"),
        Ty::Maybe(inner) => format!("{json}.maybe {{ {} }}", read_ty(inner, "it")),
        Ty::List(inner) => format!("{json}.list {{ {} }}", read_ty(inner, "it")),
        Ty::Set(inner) => format!("{json}.list {{ {} }}.toSet()", read_ty(inner, "it")),
        Ty::Map(key, value) => {
            format!("{json}.map({{ {} }}, {{ {} }})", read_ty(key, "it"), read_ty(value, "it"))
        }
        Ty::Outcome(_) => "error(\"nothing takes an outcome\")".into(),
    }
}

fn write_ty(ty: &Ty, value: &str) -> String {
    match ty {
        Ty::Nothing => "nothing()".into(),
        Ty::Bool | Ty::Int(_) | Ty::Text => format!("json({value})"),
        Ty::Named(name) => format!("write{name}({value})"),
        Ty::Maybe(inner) => format!("{value}?.let {{ {} }}", write_ty(inner, "it")),
        Ty::List(inner) => format!("list({value}) {{ {} }}", write_ty(inner, "it")),
        Ty::Set(inner) => format!("list({value}.sorted()) {{ {} }}", write_ty(inner, "it")),
        Ty::Map(key, of) => {
            format!("map({value}, {{ {} }}) {{ {} }}", write_ty(key, "it"), write_ty(of, "it"))
        }
        Ty::Outcome(inner) => {
            let done = write_ty(inner, "done");
            let Ty::Named(name) = &**inner else { return "error(\"an outcome of no record\")".into() };
            format!(
                "when (val of = {value}) {{ is {name}Outcome.Done -> of.receipt.let {{ done -> answered({done}) }}; \
                 is {name}Outcome.Failed -> failed(of.error) }}"
            )
        }
    }
}

fn calls(out: &mut String, model: &Model, object: &str, declared: &str) -> fmt::Result {
    writeln!(
        out,
        "{declared}(passes: {object}, name: String, args: JsonObject): JsonElement? = when (name) {{"
    )?;
    for method in &model.methods {
        let Method { name, args, gives, .. } = method;
        let args: Vec<String> =
            args.iter().map(|arg| read_ty(&arg.ty, &format!("args[\"{}\"]", arg.name))).collect();
        let call = format!("passes.`{}`({})", camel(name), args.join(", "));
        let told = match gives {
            Ty::Maybe(_) => write_ty(gives, &call),
            _ => format!("{call}.let {{ told -> {} }}", write_ty(gives, "told")),
        };
        writeln!(out, "    \"{name}\" -> {told}")?;
    }
    writeln!(out, "    else -> callOther(name, args)\n}}")
}

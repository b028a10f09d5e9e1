//! Writes the face for Kotlin and Swift: a record or an enum of uniffi for each type of the model, its way to and
//! from the core's, and the methods, once for callers who wait and once for callers who await.

use super::model::{Field, Method, Model, Shape, Ty, Type, Variant};
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// Leaves whose names would hide one of Kotlin's or Swift's: the model's name, and that in `src/uni/leaf.rs`.
const OTHER_NAMES: &[(&str, &str)] = &[("Date", "CivilDate"), ("Decimal", "ExactDecimal")];

/// The Rust of the face.
///
/// # Errors
/// None: a text takes all that is written to it.
pub(crate) fn face(model: &Model) -> Result<String, fmt::Error> {
    let mut out = String::from("// Made from the source of the core by build.rs.\n");
    for ty in &model.types {
        match &ty.shape {
            Shape::Leaf { .. } => {}
            Shape::Id => id(&mut out, ty)?,
            Shape::Record { fields, positional } => record(&mut out, model, ty, fields, *positional)?,
            Shape::Enum(variants) => enumeration(&mut out, model, ty, variants)?,
        }
    }
    outcomes(&mut out, model)?;
    methods(&mut out, model, "Passes", false)?;
    methods(&mut out, model, "AsyncPasses", true)?;
    Ok(out)
}

fn id(out: &mut String, ty: &Type) -> fmt::Result {
    let (name, rust) = (&ty.name, &ty.rust);
    docs(out, &ty.docs)?;
    writeln!(
        out,
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct {name} {{ #[doc = \"The UUID.\"] pub value: Uuid }}
impl Give<{name}> for {rust} {{ fn give(self) -> {name} {{ {name} {{ value: self.to_uuid() }} }} }}
impl Take<{rust}> for {name} {{
    fn take(self) -> Result<{rust}, CoreRefusal> {{ Ok({rust}::from_uuid(self.value)) }}
}}"
    )
}

fn record(out: &mut String, model: &Model, ty: &Type, fields: &[Field], positional: bool) -> fmt::Result {
    let (name, rust) = (&ty.name, &ty.rust);
    docs(out, &ty.docs)?;
    writeln!(out, "#[derive(Clone, Debug, uniffi::Record)]\npub struct {name} {{")?;
    declare(out, model, fields, "pub ", &[])?;
    writeln!(out, "}}")?;
    let core = made_of(plain(rust), fields, positional);
    let face = made_of(name, &kept(fields), false);
    if ty.given {
        let give = each(&kept(fields), "give()");
        writeln!(
            out,
            "impl Give<{name}> for {rust} {{ fn give(self) -> {name} {{ let {core} = self; {give} {face} }} }}"
        )?;
    }
    if ty.taken {
        let take = each(fields, "take()?");
        writeln!(
            out,
            "impl Take<{rust}> for {name} {{
    fn take(self) -> Result<{rust}, CoreRefusal> {{ let {face} = self; {take} Ok({core}) }}
}}"
        )?;
    }
    Ok(())
}

fn enumeration(out: &mut String, model: &Model, ty: &Type, variants: &[Variant]) -> fmt::Result {
    let (name, rust) = (&ty.name, &ty.rust);
    let plain_values = variants.iter().all(|variant| variant.fields.is_empty());
    docs(out, &ty.docs)?;
    let derives = if plain_values { "Copy, PartialEq, Eq, Hash, " } else { "" };
    writeln!(out, "#[derive(Clone, {derives}Debug, uniffi::Enum)]\npub enum {name} {{")?;
    // In Kotlin a variant hides the type of its name.
    let hidden: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
    for variant in variants {
        docs(out, &variant.docs)?;
        writeln!(out, "{}", variant.name)?;
        if !variant.fields.is_empty() {
            writeln!(out, "{{")?;
            declare(out, model, &variant.fields, "", &hidden)?;
            writeln!(out, "}}")?;
        }
        writeln!(out, ",")?;
    }
    writeln!(out, "}}")?;
    // A variant without fields may have empty braces in the core, `YesNo {}`: this fits both.
    let core = |variant: &Variant| {
        made_of(&format!("{rust}::{}", variant.name), &variant.fields, variant.positional)
    };
    let face = |variant: &Variant| made_of(&format!("{name}::{}", variant.name), &variant.fields, false);
    if ty.given {
        writeln!(out, "impl Give<{name}> for {rust} {{ fn give(self) -> {name} {{ match self {{")?;
        for variant in variants {
            writeln!(
                out,
                "{} => {{ {} {} }}",
                core(variant),
                each(&variant.fields, "give()"),
                face(variant)
            )?;
        }
        if ty.open {
            // The arms were made from the same source as the type.
            writeln!(out, "other => unreachable!(\"{{other:?}} is new\"),")?;
        }
        writeln!(out, "}} }} }}")?;
    }
    if ty.taken {
        writeln!(
            out,
            "impl Take<{rust}> for {name} {{ fn take(self) -> Result<{rust}, CoreRefusal> {{ Ok(match self {{"
        )?;
        for variant in variants {
            writeln!(
                out,
                "{} => {{ {} {} }}",
                face(variant),
                each(&variant.fields, "take()?"),
                core(variant)
            )?;
        }
        writeln!(out, "}}) }} }}")?;
    }
    Ok(())
}

/// What became of each of several commands.
fn outcomes(out: &mut String, model: &Model) -> fmt::Result {
    let mut of = BTreeSet::new();
    for method in &model.methods {
        let mut ty = &method.gives;
        while let Ty::List(inner) | Ty::Maybe(inner) = ty {
            ty = inner;
        }
        if let Ty::Outcome(inner) = ty {
            of.insert(inner);
        }
    }
    for ty in of {
        let (name, face, rust) = (face_ty(&Ty::Outcome(ty.clone())), face_ty(ty), model.rust(ty));
        writeln!(
            out,
            "#[doc = \"What became of one of several commands.\"]
#[derive(Clone, Debug, uniffi::Enum)]
pub enum {name} {{
    #[doc = \"It was done.\"]
    Done {{ #[doc = \"The receipt.\"] receipt: {face} }},
    #[doc = \"It was not.\"]
    Failed {{ #[doc = \"Why.\"] error: PassesError }},
}}
impl Give<{name}> for Result<{rust}, passes_host::Error> {{
    fn give(self) -> {name} {{
        match self {{
            Ok(done) => {name}::Done {{ receipt: done.give() }},
            Err(error) => {name}::Failed {{ error: error.into() }},
        }}
    }}
}}"
        )?;
    }
    Ok(())
}

fn methods(out: &mut String, model: &Model, object: &str, is_async: bool) -> fmt::Result {
    writeln!(out, "#[uniffi::export]\nimpl {object} {{")?;
    for method in &model.methods {
        self::method(out, model, method, is_async)?;
    }
    writeln!(out, "}}")
}

fn method(out: &mut String, model: &Model, method: &Method, is_async: bool) -> fmt::Result {
    let left_out = |arg: &&super::model::Arg| matches!(arg.ty, Ty::Maybe(_));
    let defaults: Vec<String> =
        method.args.iter().filter(left_out).map(|arg| format!("{} = None", arg.name)).collect();
    docs(out, &method.docs)?;
    if !defaults.is_empty() {
        writeln!(out, "#[uniffi::method(default({}))]", defaults.join(", "))?;
    }
    let args: String =
        method.args.iter().map(|arg| format!(", {}: {}", arg.name, face_ty(&arg.ty))).collect();
    let (word, wait) = if is_async { ("async ", "await") } else { ("", "wait()") };
    let (name, gives) = (&method.name, face_ty(&method.gives));
    writeln!(out, "pub {word}fn {name}(&self{args}) -> Result<{gives}, PassesError> {{")?;
    for arg in &method.args {
        writeln!(out, "let {0}: {1} = {0}.take()?;", arg.name, model.rust(&arg.ty))?;
    }
    let pass = |arg: &super::model::Arg| format!("{}{}", if arg.by_ref { "&" } else { "" }, arg.name);
    let args = method.args.iter().map(pass).collect::<Vec<_>>().join(", ");
    writeln!(out, "Ok(self.passes.{name}({args}).{wait}?.give())\n}}")
}

/// The fields of a record or a variant; the default of a hidden type can't be named.
fn declare(
    out: &mut String,
    model: &Model,
    fields: &[Field],
    visibility: &str,
    hidden: &[&str],
) -> fmt::Result {
    for field in kept(fields) {
        docs(out, &field.docs)?;
        let hides = matches!(&field.ty, Ty::Named(name) if hidden.contains(&name.as_str()));
        if let Some(default) = default(&field.ty, model).filter(|_| !hides) {
            writeln!(out, "{default}")?;
        }
        writeln!(out, "{visibility}{}: {},", field.name, face_ty(&field.ty))?;
    }
    Ok(())
}

/// What a caller may leave out: what may be none, lists, and what is no unless it is said.
fn default(ty: &Ty, model: &Model) -> Option<&'static str> {
    match ty {
        Ty::Maybe(_) => Some("#[uniffi(default = None)]"),
        Ty::Bool => Some("#[uniffi(default = false)]"),
        Ty::List(_) | Ty::Set(_) | Ty::Map(..) => Some("#[uniffi(default)]"),
        Ty::Named(name) => match &model.get(name)?.shape {
            Shape::Record { fields, .. }
                if fields.iter().all(|field| default(&field.ty, model).is_some()) =>
            {
                Some("#[uniffi(default)]")
            }
            _ => None,
        },
        _ => None,
    }
}

/// A record or a variant with these fields: an expression, and a pattern that names each of them, so that one more
/// in the core is an error.
fn made_of<F: std::borrow::Borrow<Field>>(name: &str, fields: &[F], positional: bool) -> String {
    let field = |field: &F| match field.borrow() {
        Field { name, ty: Ty::Nothing, .. } => format!("{name}: ()"),
        Field { name, .. } => name.clone(),
    };
    let fields = fields.iter().map(field).collect::<Vec<_>>().join(", ");
    if positional { format!("{name}({fields})") } else { format!("{name} {{ {fields} }}") }
}

/// The same of each field: `let x = x.give();`
fn each<F: std::borrow::Borrow<Field>>(fields: &[F], call: &str) -> String {
    let kept = fields.iter().map(F::borrow).filter(|field| field.ty != Ty::Nothing);
    kept.map(|field| format!("let {0} = {0}.{call};", field.name)).collect()
}

/// The fields that hold something.
fn kept(fields: &[Field]) -> Vec<&Field> {
    fields.iter().filter(|field| field.ty != Ty::Nothing).collect()
}

/// A path without parameters; nothing of a tuple.
fn plain(rust: &str) -> &str {
    if rust.starts_with('(') { "" } else { rust.split('<').next().unwrap_or(rust) }
}

/// A type as the face names it.
fn face_ty(ty: &Ty) -> String {
    match ty {
        Ty::Nothing => "()".into(),
        Ty::Bool => "bool".into(),
        Ty::Int(_) => "i64".into(),
        Ty::Text => "String".into(),
        Ty::Named(name) => {
            OTHER_NAMES.iter().find(|(model, _)| model == name).map_or(name.as_str(), |(_, face)| face).into()
        }
        Ty::Maybe(inner) => format!("Option<{}>", face_ty(inner)),
        Ty::List(inner) => format!("Vec<{}>", face_ty(inner)),
        Ty::Set(inner) => format!("HashSet<{}>", face_ty(inner)),
        Ty::Map(key, value) => format!("HashMap<{}, {}>", face_ty(key), face_ty(value)),
        Ty::Outcome(inner) => format!("{}Outcome", face_ty(inner)),
    }
}

fn docs(out: &mut String, docs: &[String]) -> fmt::Result {
    docs.iter().try_for_each(|line| writeln!(out, "#[doc = {:?}]", camel_names(line)))
}

/// Kotlin and Swift write `createPlan` where Rust has `create_plan`: so do their docs.
fn camel_names(line: &str) -> String {
    let is_name = |text: &str| {
        text.contains('_')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c))
    };
    let part =
        |(i, text): (usize, &str)| if i % 2 == 1 && is_name(text) { camel(text) } else { text.to_owned() };
    line.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut out, word| {
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(chars.as_str());
        out
    })
}

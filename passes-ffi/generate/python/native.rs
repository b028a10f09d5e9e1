//! The Rust of the native module: a class for each type, over the core's own value, and the methods. A class converts a
//! field when it is asked for, so that a list of ten thousand costs what is looked at.

use super::names::{class, default, is_plain_enum, plain, short};
use crate::generate::model::{Arg, Field, Method, Model, Shape, Ty, Type, Variant};
use std::fmt::Write;

/// Writes it.
pub(crate) fn write(model: &Model) -> Result<String, String> {
    let mut out = String::new();
    let mut classes = Vec::new();
    let mut nested = Vec::new();
    for ty in &model.types {
        match &ty.shape {
            Shape::Leaf { .. } => {}
            Shape::Id => {
                let more = more(&ty.name);
                out +=
                    &format!("id! {{ {}, {}, {:?}, {{ {more} }} }}\n", ty.name, ty.rust, ty.docs.join("\n"));
                classes.push(ty.name.clone());
            }
            Shape::Record { fields, positional } => {
                record(&mut out, model, ty, fields, *positional);
                classes.push(ty.name.clone());
            }
            Shape::Enum(variants) if is_plain_enum(ty) => plain_enum(&mut out, ty, variants),
            Shape::Enum(variants) => {
                choice(&mut out, model, ty, variants);
                classes.push(ty.name.clone());
                for variant in variants {
                    nested.push((ty.name.clone(), variant.name.clone()));
                }
            }
        }
    }
    methods(&mut out, model)?;
    out += "/// Adds all classes to the module.\npub(super) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {\n";
    for name in &classes {
        let _ = writeln!(out, "    module.add_class::<{name}>()?;");
    }
    for (outer, inner) in &nested {
        let _ = writeln!(
            out,
            "    nest::<{outer}, {outer}{inner}>(module.py(), {outer:?}, {:?})?;",
            class(inner)
        );
    }
    out += "    Ok(())\n}\n\n/// The codes of refusals, in order of precedence.\npub(super) const CODES: &[&str] = &[\n";
    for code in &model.codes {
        let _ = writeln!(out, "    {:?},", code.code);
    }
    out += "];\n";
    refusals(&mut out, model);
    Ok(out)
}

/// What makes a refusal again of its code and the texts of its values.
fn refusals(out: &mut String, model: &Model) {
    out.push_str(
        "/// A refusal by its code and the texts of its values.\n\
         pub(super) fn refusal(code: &str, values: &std::collections::BTreeMap<String, String>) -> \
         PyResult<passes_host::Refusal> {\n    Ok(match code {\n",
    );
    for code in &model.codes {
        let values: Vec<String> =
            code.values.iter().map(|value| format!("{value}: value(values, {value:?})?")).collect();
        let _ = writeln!(
            out,
            "        {:?} => passes_host::Refusal::{} {{ {} }},",
            code.code,
            code.name,
            values.join(", ")
        );
    }
    out.push_str("        _ => return Err(unknown(\"Refusal\")),\n    })\n}\n");
}

/// What an id tells besides itself.
fn more(name: &str) -> &'static str {
    match name {
        "LotId" => {
            "#[doc = \"The pass with this serial number.\"] \
             fn pass_<'py>(&self, py: Python<'py>, serial: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> { \
             self.0.pass(arg(\"serial\", serial)?).to_py(py) }"
        }
        "PassId" => {
            "#[doc = \"The lot that it is of.\"] #[getter] \
             fn lot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> { self.0.lot().to_py(py) } \
             #[doc = \"Its serial number in the lot.\"] #[getter] fn serial(&self) -> u32 { self.0.serial() }"
        }
        _ => "",
    }
}

fn docs(out: &mut String, indent: &str, lines: &[String]) {
    if lines.is_empty() {
        let _ = writeln!(out, "{indent}#[doc = \"\"]");
    }
    for line in lines {
        let _ = writeln!(out, "{indent}#[doc = {:?}]", format!(" {line}"));
    }
}

/// What all classes have: how they are shown, compared, hashed and pickled.
fn common(out: &mut String) {
    out.push_str(
        "    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> { repr(slf) }\n    \
         fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> { equal(slf, other) }\n    \
         fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> { hash(slf) }\n    \
         fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> { reduce(slf) }\n",
    );
}

/// The parameters of a constructor: its signature, the parameters of its Rust function, and what makes the fields.
struct Made {
    signature: String,
    parameters: String,
    fields: Vec<(String, String)>,
}

fn made(model: &Model, ty: &Type, fields: &[Field], positional: bool) -> Made {
    let mut made = Made { signature: String::new(), parameters: String::new(), fields: Vec::new() };
    let mut signature: Vec<String> = Vec::new();
    if !positional && !fields.is_empty() {
        signature.push("*".into());
    }
    for field in fields {
        let name = plain(&field.name);
        // What is positional has nothing to leave out but at its end.
        let stands_in = if positional { None } else { default(model, ty, field) };
        match stands_in {
            Some(value) => {
                signature.push(format!("{name} = None"));
                let _ = write!(made.parameters, "{name}: Option<&Bound<'_, PyAny>>, ");
                made.fields.push((field.name.clone(), format!("given({name:?}, {name}, || {value})?")));
            }
            None => {
                signature.push(name.clone());
                let _ = write!(made.parameters, "{name}: &Bound<'_, PyAny>, ");
                made.fields.push((field.name.clone(), format!("arg({name:?}, {name})?")));
            }
        }
    }
    made.signature = signature.join(", ");
    made
}

fn record(out: &mut String, model: &Model, ty: &Type, fields: &[Field], positional: bool) {
    let name = &ty.name;
    let is_tuple = ty.rust.starts_with('(');
    let at = |place: usize, field: &Field| {
        if positional { format!("self.0.{place}") } else { format!("self.0.{}", field.name) }
    };
    // A list becomes a tuple when it is first asked for, and stays that one.
    let lists: Vec<&str> =
        fields.iter().filter(|f| matches!(f.ty, Ty::List(_))).map(|f| f.name.as_str()).collect();
    let give = |place: usize, field: &Field| {
        let value = format!("{}.clone().to_py(py)", at(place, field));
        match lists.iter().position(|list| *list == field.name) {
            Some(list) => format!("once(py, &self.1[{list}], || {value})"),
            None => value,
        }
    };
    let _ = writeln!(out, "type Core{name} = {};", ty.rust);
    docs(out, "", &ty.docs);
    let _ = writeln!(
        out,
        "#[pyclass(frozen, module = \"passes\")]\npub(crate) struct {name}(pub(crate) Core{name}, [Once; {}]);",
        lists.len()
    );
    let _ = writeln!(out, "#[pymethods]\nimpl {name} {{");
    let made = made(model, ty, fields, positional);
    let _ = writeln!(out, "    #[new]\n    #[pyo3(signature = ({}))]", made.signature);
    let body = match (is_tuple, positional) {
        (true, _) => {
            let all: Vec<String> = made.fields.iter().map(|(_, value)| format!("{value},")).collect();
            format!("({})", all.join(" "))
        }
        (false, true) => {
            let all = made.fields.iter().enumerate().map(|(at, (_, value))| format!("{at}: {value},"));
            format!("Core{name} {{ {} }}", all.collect::<Vec<_>>().join(" "))
        }
        (false, false) => {
            let all = made.fields.iter().map(|(field, value)| format!("{field}: {value},"));
            format!("Core{name} {{ {} }}", all.collect::<Vec<_>>().join(" "))
        }
    };
    let _ = writeln!(
        out,
        "    fn new({}) -> PyResult<Self> {{ Ok(Self({body}, Default::default())) }}",
        made.parameters
    );
    for (place, field) in fields.iter().enumerate() {
        docs(out, "    ", &field.docs);
        let (rust_name, python) = (&field.name, plain(&field.name));
        let _ = writeln!(
            out,
            "    #[getter({python})]\n    fn get_{rust_name}<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {{ \
             {} }}",
            give(place, field)
        );
    }
    if positional {
        out.push_str(
            "    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> { iterate(slf) }\n",
        );
    }
    match_args(out, fields);
    common(out);
    out.push_str("}\n");
    let all: Vec<String> = fields
        .iter()
        .enumerate()
        .map(|(place, field)| format!("({:?}, {}?)", plain(&field.name), give(place, field)))
        .collect();
    shape(out, name, positional, &format!("let _ = py; Ok(vec![{}])", all.join(", ")));
    let _ = writeln!(
        out,
        "impl ToPy for Core{name} {{\n    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {{ \
         Ok(Bound::new(py, {name}(self, Default::default()))?.into_any()) }}\n}}\n\
         impl FromPy for Core{name} {{\n    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {{ \
         Ok(wanted::<{name}>(obj, {name:?})?.get().0.clone()) }}\n}}\n"
    );
}

fn match_args(out: &mut String, fields: &[Field]) {
    let names: Vec<String> = fields.iter().map(|field| format!("{:?}", plain(&field.name))).collect();
    let _ = writeln!(
        out,
        "    #[classattr]\n    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {{ PyTuple::new(py, [{}] as [&str; {}]) }}",
        names.join(", "),
        names.len()
    );
}

fn shape(out: &mut String, name: &str, positional: bool, fields: &str) {
    let _ = writeln!(
        out,
        "impl Fields for {name} {{\n    fn positional(&self) -> bool {{ {positional} }}\n    \
         fn fields<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {{ {fields} }}\n}}"
    );
}

fn plain_enum(out: &mut String, ty: &Type, variants: &[Variant]) {
    let (name, rust) = (&ty.name, &ty.rust);
    let there: Vec<String> = variants
        .iter()
        .enumerate()
        .map(|(at, variant)| format!("{rust}::{} => {at},", variant.name))
        .collect();
    let back: Vec<String> = variants
        .iter()
        .enumerate()
        .map(|(at, variant)| format!("{at} => Ok({rust}::{}),", variant.name))
        .collect();
    let other = if ty.open { format!("_ => return Err(unknown({name:?})),") } else { String::new() };
    let cell = format!("CELL_{}", name.to_uppercase());
    let names: Vec<String> =
        variants.iter().map(|variant| format!("{:?}", super::names::member(&variant.name))).collect();
    let _ = writeln!(
        out,
        "static {cell}: Members = Members::new({name:?}, &[{}]);\n\
         impl ToPy for {rust} {{\n    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {{\n        \
         let at = match self {{ {} {other} }};\n        {cell}.member(py, at)\n    }}\n}}\n\
         impl FromPy for {rust} {{\n    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {{\n        \
         match {cell}.place(obj)? {{ {} _ => Err(unknown({name:?})) }}\n    }}\n}}\n",
        names.join(", "),
        there.join(" "),
        back.join(" ")
    );
}

/// How a variant is taken apart, with names for its fields.
fn pattern(ty: &Type, variant: &Variant) -> String {
    let names: Vec<String> = variant.fields.iter().map(|field| format!("f_{}", field.name)).collect();
    match (variant.positional, names.is_empty()) {
        (_, true) => format!("Core{}::{} {{ .. }}", ty.name, variant.name),
        (true, _) => format!("Core{}::{}({})", ty.name, variant.name, names.join(", ")),
        (false, _) => {
            let all: Vec<String> =
                variant.fields.iter().map(|f| format!("{}: f_{}", f.name, f.name)).collect();
            format!("Core{}::{} {{ {} }}", ty.name, variant.name, all.join(", "))
        }
    }
}

fn choice(out: &mut String, model: &Model, ty: &Type, variants: &[Variant]) {
    let name = &ty.name;
    let _ = writeln!(out, "type Core{name} = {};", ty.rust);
    docs(out, "", &ty.docs);
    let _ = writeln!(
        out,
        "#[pyclass(frozen, subclass, module = \"passes\")]\npub(crate) struct {name}(pub(crate) Core{name});"
    );
    let _ = writeln!(out, "#[pymethods]\nimpl {name} {{");
    common(out);
    out.push_str("}\n");
    let mut arms = String::new();
    let mut kinds = String::new();
    let mut classes = String::new();
    for variant in variants {
        let all: Vec<String> = variant
            .fields
            .iter()
            .map(|field| format!("({:?}, f_{}.clone().to_py(py)?)", plain(&field.name), field.name))
            .collect();
        let _ = write!(arms, "{} => Ok(vec![{}]), ", pattern(ty, variant), all.join(", "));
        let _ = write!(kinds, "Core{name}::{} {{ .. }} => {}, ", variant.name, variant.positional);
        let _ = write!(
            classes,
            "Core{name}::{} {{ .. }} => Ok(Bound::new(py, PyClassInitializer::from({name}(self)).add_subclass({name}{}))?.into_any()), ",
            variant.name, variant.name
        );
    }
    let (more, more_kinds, more_classes) = if ty.open {
        (
            "_ => Ok(Vec::new()), ",
            "_ => false, ",
            format!("_ => Ok(Bound::new(py, {name}(self))?.into_any()), "),
        )
    } else {
        ("", "", String::new())
    };
    let _ = writeln!(
        out,
        "impl Fields for {name} {{\n    fn positional(&self) -> bool {{ match &self.0 {{ {kinds}{more_kinds} }} }}\n    \
         fn fields<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {{ let _ = py; match &self.0 {{ {arms}{more} }} }}\n}}"
    );
    let mut shorts = String::new();
    for (variant, of) in short(ty) {
        let _ = write!(
            shorts,
            "if let Ok(value) = <{} as FromPy>::from_py(obj) {{ return Ok(Core{name}::{variant}(value)); }} ",
            model.rust(of)
        );
    }
    let _ = writeln!(
        out,
        "impl ToPy for Core{name} {{\n    fn to_py<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {{ match self {{ {classes}{more_classes} }} }}\n}}\n\
         impl FromPy for Core{name} {{\n    fn from_py(obj: &Bound<'_, PyAny>) -> PyResult<Self> {{ {shorts}Ok(wanted::<{name}>(obj, {name:?})?.get().0.clone()) }}\n}}\n"
    );
    for variant in variants {
        one(out, model, ty, variant);
    }
}

fn one(out: &mut String, model: &Model, ty: &Type, variant: &Variant) {
    let (name, native) = (&ty.name, format!("{}{}", ty.name, variant.name));
    docs(out, "", &variant.docs);
    let _ = writeln!(
        out,
        "#[pyclass(frozen, extends = {name}, name = {:?}, module = \"passes\")]\npub(crate) struct {native};",
        class(&variant.name)
    );
    let _ = writeln!(out, "#[pymethods]\nimpl {native} {{");
    let made = made(model, ty, &variant.fields, variant.positional);
    let value = match (made.fields.is_empty(), variant.positional) {
        (true, _) => "{}".to_owned(),
        (false, true) => {
            let all: Vec<String> = made.fields.iter().map(|(_, value)| value.clone()).collect();
            format!("({})", all.join(", "))
        }
        (false, false) => {
            let all: Vec<String> =
                made.fields.iter().map(|(field, value)| format!("{field}: {value}")).collect();
            format!("{{ {} }}", all.join(", "))
        }
    };
    let _ = writeln!(
        out,
        "    #[new]\n    #[pyo3(signature = ({}))]\n    fn new({}) -> PyResult<PyClassInitializer<Self>> {{ \
         Ok(PyClassInitializer::from({name}(Core{name}::{}{})).add_subclass(Self)) }}",
        made.signature,
        made.parameters,
        variant.name,
        if value == "{}" { " {}".to_owned() } else { value }
    );
    for field in &variant.fields {
        docs(out, "    ", &field.docs);
        let python = plain(&field.name);
        let _ = writeln!(
            out,
            "    #[getter({python})]\n    fn get_{}<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {{ \
             match &slf.as_super().get().0 {{ {} => f_{}.clone().to_py(slf.py()), #[allow(unreachable_patterns)] _ => Err(unknown({name:?})) }} }}",
            field.name,
            only(ty, variant, field),
            field.name
        );
    }
    match_args(out, &variant.fields);
    out.push_str("}\n");
}

/// How one field is taken out of a variant.
fn only(ty: &Type, variant: &Variant, field: &Field) -> String {
    if variant.positional {
        let all: Vec<String> = variant
            .fields
            .iter()
            .map(|other| if other.name == field.name { format!("f_{}", field.name) } else { "_".into() })
            .collect();
        format!("Core{}::{}({})", ty.name, variant.name, all.join(", "))
    } else {
        format!("Core{}::{} {{ {}: f_{}, .. }}", ty.name, variant.name, field.name, field.name)
    }
}

/// The parameters of a method: from the first that may be left out on, they are given by name.
pub(crate) fn signature(args: &[Arg]) -> String {
    let mut all = Vec::new();
    let mut named = false;
    for arg in args {
        let maybe = matches!(arg.ty, Ty::Maybe(_));
        if maybe && !named {
            all.push("*".to_owned());
            named = true;
        }
        all.push(if maybe { format!("{} = None", plain(&arg.name)) } else { plain(&arg.name) });
    }
    all.join(", ")
}

fn methods(out: &mut String, model: &Model) -> Result<(), String> {
    for (face, asynchronous) in [("Passes", false), ("AsyncPasses", true)] {
        let _ = writeln!(out, "#[pymethods]\nimpl {face} {{");
        if asynchronous {
            out.push_str(
                "    #[new]\n    fn new(passes: &Bound<'_, PyAny>) -> PyResult<Self> { \
                 Ok(Self::of(wanted::<Passes>(passes, \"Passes\")?.get().core()?)) }\n",
            );
        }
        for method in &model.methods {
            one_method(out, model, method, asynchronous)?;
        }
        out.push_str("}\n");
    }
    Ok(())
}

fn one_method(out: &mut String, model: &Model, method: &Method, asynchronous: bool) -> Result<(), String> {
    let name = plain(&method.name);
    docs(out, "    ", &method.docs);
    let mut parameters = String::new();
    let mut read = String::new();
    let mut lent = String::new();
    for (at, arg) in method.args.iter().enumerate() {
        let python = plain(&arg.name);
        let of = model.rust(&arg.ty);
        if matches!(arg.ty, Ty::Maybe(_)) {
            let _ = write!(parameters, ", {python}: Option<&Bound<'py, PyAny>>");
            let _ = writeln!(read, "        let a{at} = given::<{of}>({python:?}, {python}, || None)?;");
        } else {
            let _ = write!(parameters, ", {python}: &Bound<'py, PyAny>");
            let _ = writeln!(read, "        let a{at} = arg::<{of}>({python:?}, {python})?;");
        }
        let _ = write!(lent, "{}a{at}, ", if arg.by_ref { "&" } else { "" });
    }
    let _ = writeln!(
        out,
        "    #[pyo3(name = {name:?}, signature = ({}))]\n    fn {}<'py>(&self, py: Python<'py>{parameters}) -> PyResult<Bound<'py, PyAny>> {{\n{read}        \
         let passes = self.core()?;",
        signature(&method.args),
        name
    );
    let call = format!("passes.{}({})", method.name, lent.trim_end_matches(", "));
    if asynchronous {
        let _ = writeln!(out, "        drive(py, async move {{ {call}.await }})");
    } else {
        let _ = writeln!(out, "        py.detach(move || {call}.wait()).map_err(raise)?.to_py(py)");
    }
    out.push_str("    }\n");
    Ok(())
}

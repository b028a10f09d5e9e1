//! From the source to the model: which type a name means, what it is made of, and what the methods need.

use super::docs::clean;
use super::model::{Arg, Code, Field, Method, Model, Shape, Ty, Type, Variant, rust_of};
use super::source::{Home, Source};
use super::table::{ALSO_TAKEN, GENERICS, LEAVES, LEFT_OUT, MACRO_ENUMS, RENAMED, SECRETS, TUPLES};
use std::collections::BTreeMap;
use syn::{Attribute, Fields, FnArg, GenericArgument, Item, Pat, PathArguments, ReturnType};

/// What the parameters of a generic type stand for.
type Given = BTreeMap<String, Ty>;

/// Makes the model of a crate; `root` is the path of the crate as the faces name it.
pub(crate) fn model(source: &Source, root: &str) -> Result<Model, String> {
    let mut maker = Maker { source, root, types: Vec::new() };
    let mut methods = Vec::new();
    for (method, home) in source.methods.iter().zip(&source.homes) {
        let name = method.sig.ident.to_string();
        if LEFT_OUT.iter().any(|(left, _)| *left == name) {
            continue;
        }
        methods.push(maker.method(method, home).map_err(|why| format!("Passes::{name}: {why}"))?);
    }
    if let Some((gone, _)) =
        LEFT_OUT.iter().find(|(left, _)| !source.methods.iter().any(|m| m.sig.ident == left))
    {
        return Err(format!("Passes::{gone} is left out, and is not there any more"));
    }
    let also = ALSO_TAKEN.iter().map(|name| maker.named(name, Vec::new(), &Home::default()));
    let also = also.collect::<Result<Vec<Ty>, String>>()?;
    let mut model = Model { types: Vec::new(), methods, codes: codes(source)? };
    model.types = maker.types;
    model.types.sort_by(|a, b| a.name.cmp(&b.name));
    directions(&mut model, also);
    Ok(model)
}

/// Marks what is taken and what is given, through all that holds it.
fn directions(model: &mut Model, also: Vec<Ty>) {
    let args = model.methods.iter().flat_map(|method| method.args.iter().map(|arg| arg.ty.clone()));
    let taken = args.chain(also).collect();
    let given = model.methods.iter().map(|method| method.gives.clone()).collect();
    mark(model, taken, |ty| std::mem::replace(&mut ty.taken, true));
    mark(model, given, |ty| std::mem::replace(&mut ty.given, true));
}

fn mark(model: &mut Model, mut open: Vec<Ty>, set: fn(&mut Type) -> bool) {
    while let Some(ty) = open.pop() {
        match ty {
            Ty::Nothing | Ty::Bool | Ty::Int(_) | Ty::Text => {}
            Ty::Maybe(inner) | Ty::List(inner) | Ty::Set(inner) | Ty::Outcome(inner) => open.push(*inner),
            Ty::Map(key, value) => open.extend([*key, *value]),
            Ty::Named(name) => {
                if let Some(found) = model.types.iter_mut().find(|ty| ty.name == name)
                    && !set(found)
                {
                    match &found.shape {
                        Shape::Id | Shape::Leaf { .. } => {}
                        Shape::Record { fields, .. } => open.extend(fields.iter().map(|f| f.ty.clone())),
                        Shape::Enum(variants) => {
                            open.extend(variants.iter().flat_map(|v| v.fields.iter().map(|f| f.ty.clone())));
                        }
                    }
                }
            }
        }
    }
}

fn codes(source: &Source) -> Result<Vec<Code>, String> {
    let rows = source.rows.get("refusals").ok_or("no refusals!")?;
    let code = |row: &super::source::Row| {
        let code = row.text.clone().ok_or_else(|| format!("refusal {} has no code", row.name))?;
        Ok(Code { code, name: row.name.clone(), docs: row.docs.clone(), values: row.values.clone() })
    };
    rows.iter().map(code).collect()
}

struct Maker<'a> {
    source: &'a Source,
    root: &'a str,
    types: Vec<Type>,
}

impl Maker<'_> {
    fn method(&mut self, method: &syn::ImplItemFn, home: &Home) -> Result<Method, String> {
        let mut args = Vec::new();
        for input in &method.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(name) = &*typed.pat else { return Err("an argument without a name".into()) };
            let (ty, by_ref) = match &*typed.ty {
                syn::Type::Reference(reference) => (&*reference.elem, true),
                other => (other, false),
            };
            args.push(Arg { name: name.ident.to_string(), ty: self.ty(ty, home, &Given::new())?, by_ref });
        }
        let ReturnType::Type(_, answer) = &method.sig.output else { return Err("no answer".into()) };
        let (name, parameters) = path_of(answer).ok_or("not a path")?;
        let (true, [answer]) = (name == "Call", parameters.as_slice()) else {
            return Err("not a Call".into());
        };
        let gives = self.ty(answer, home, &Given::new())?;
        Ok(Method { name: method.sig.ident.to_string(), docs: clean(&method.attrs), args, gives })
    }

    fn ty(&mut self, ty: &syn::Type, home: &Home, given: &Given) -> Result<Ty, String> {
        match ty {
            syn::Type::Reference(reference) => self.ty(&reference.elem, home, given),
            syn::Type::Slice(slice) => Ok(Ty::List(Box::new(self.ty(&slice.elem, home, given)?))),
            syn::Type::ImplTrait(into) => self.into(into, home, given),
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Ok(Ty::Nothing),
            syn::Type::Tuple(tuple) => {
                let parts: Result<Vec<Ty>, String> =
                    tuple.elems.iter().map(|t| self.ty(t, home, given)).collect();
                self.tuple(parts?)
            }
            other => {
                let (name, parameters) = path_of(other).ok_or("a type that is no path")?;
                self.path(&name, &parameters, home, given)
            }
        }
    }

    /// `impl Into<X>` is an `X`.
    fn into(&mut self, into: &syn::TypeImplTrait, home: &Home, given: &Given) -> Result<Ty, String> {
        let Some(syn::TypeParamBound::Trait(bound)) = into.bounds.first() else {
            return Err("impl what?".into());
        };
        let last = bound.path.segments.last().ok_or("impl of an empty path")?;
        match (last.ident == "Into", parameters_of(&last.arguments).as_slice()) {
            (true, [inner]) => self.ty(inner, home, given),
            _ => Err(format!("impl {}", last.ident)),
        }
    }

    fn path(&mut self, name: &str, of: &[syn::Type], home: &Home, given: &Given) -> Result<Ty, String> {
        if let Some(ty) = given.get(name) {
            return Ok(ty.clone());
        }
        // The error of an outcome is each face's own.
        let of = if name == "Result" { of.get(..1).unwrap_or_default() } else { of };
        let mut of = of.iter().map(|ty| self.ty(ty, home, given)).collect::<Result<Vec<Ty>, String>>()?;
        Ok(match (name, of.len()) {
            ("bool", 0) => Ty::Bool,
            ("u8" | "u16" | "u32" | "u64" | "usize" | "i64", 0) => Ty::Int(name.to_owned()),
            ("String" | "str", 0) => Ty::Text,
            ("Arc" | "Box", 1) => of.remove(0),
            ("Option", 1) => Ty::Maybe(Box::new(of.remove(0))),
            ("Vec", 1) => Ty::List(Box::new(of.remove(0))),
            ("BTreeSet", 1) => Ty::Set(Box::new(of.remove(0))),
            ("BTreeMap", 2) => Ty::Map(Box::new(of.remove(0)), Box::new(of.remove(0))),
            ("Result", 1) => Ty::Outcome(Box::new(of.remove(0))),
            _ => return self.named(name, of, home),
        })
    }

    /// A type of the core by its name.
    fn named(&mut self, name: &str, mut of: Vec<Ty>, home: &Home) -> Result<Ty, String> {
        if LEAVES.contains(&name) {
            return self.leaf(name, home);
        }
        if let Some(row) =
            self.source.rows.get("ids").and_then(|rows| rows.iter().find(|row| row.name == name))
        {
            let derives = ["Copy", "Hash", "Ord"].map(str::to_owned).to_vec();
            let (docs, rust) = (row.docs.clone(), self.rust(&row.home, name));
            return Ok(self.add(name.to_owned(), rust, docs, derives, false, Shape::Id));
        }
        if let Some((rows, _, docs)) = MACRO_ENUMS.iter().find(|(_, known, _)| *known == name) {
            return self.macro_enum(rows, name, docs);
        }
        let source = self.source;
        let found = source.find(name, home)?;
        let (item, home) = (&found.item, &found.home);
        if let Item::Type(alias) = item {
            return self.ty(&alias.ty, home, &Given::new());
        }
        let (generics, attributes) = match item {
            Item::Struct(it) => (&it.generics, &it.attrs),
            Item::Enum(it) => (&it.generics, &it.attrs),
            _ => return Err(format!("{name} is no type")),
        };
        let mut given = Given::new();
        for parameter in generics.type_params() {
            let meant = match (of.is_empty(), &parameter.default) {
                (false, _) => of.remove(0),
                (true, Some(default)) => self.ty(default, home, &Given::new())?,
                (true, None) => return Err(format!("{name} lacks {}", parameter.ident)),
            };
            given.insert(parameter.ident.to_string(), meant);
        }
        let (face, mut rust) = (face_name(name, generics, &given)?, self.rust(home, name));
        if self.types.iter().any(|ty| ty.name == face) {
            return Ok(Ty::Named(face));
        }
        if !given.is_empty() {
            let of: Vec<String> = generics
                .type_params()
                .filter_map(|p| given.get(&p.ident.to_string()))
                .map(|ty| rust_of(&self.types, ty))
                .collect();
            rust = format!("{rust}<{}>", of.join(", "));
        }
        // Its name stands before what is in it, so that a type may hold itself.
        let open = attributes.iter().any(|attribute| attribute.path().is_ident("non_exhaustive"));
        self.add(face.clone(), rust, clean(attributes), derives(attributes), open, Shape::Id);
        let shape = match item {
            Item::Struct(it) => {
                if it.fields.iter().any(|field| !matches!(field.vis, syn::Visibility::Public(_))) {
                    return Err(format!("{name} has a private field, and is no leaf"));
                }
                let (fields, positional) = self.fields(&it.fields, home, &given)?;
                Shape::Record { fields, positional }
            }
            Item::Enum(it) => Shape::Enum(
                it.variants
                    .iter()
                    .map(|variant| {
                        let (fields, positional) = self.fields(&variant.fields, home, &given)?;
                        let (name, docs) = (variant.ident.to_string(), clean(&variant.attrs));
                        Ok(Variant { name, docs, fields, positional })
                    })
                    .collect::<Result<_, String>>()?,
            ),
            _ => return Err(format!("{name} is no type")),
        };
        if let Some(ty) = self.types.iter_mut().find(|ty| ty.name == face) {
            ty.shape = shape;
        }
        Ok(Ty::Named(face))
    }

    fn leaf(&mut self, name: &str, home: &Home) -> Result<Ty, String> {
        let secret = SECRETS.contains(&name);
        let (rust, docs) = match (name, self.source.find(name, home)) {
            ("Decimal", _) => {
                (format!("{}::money::Decimal", self.root), vec!["An exact decimal.".to_owned()])
            }
            ("Refusal", _) => {
                (format!("{}::Refusal", self.root), vec!["Why a command was not carried out.".to_owned()])
            }
            (_, Ok(found)) => {
                let attributes = match &found.item {
                    Item::Struct(it) => &it.attrs,
                    Item::Enum(it) => &it.attrs,
                    Item::Type(it) => &it.attrs,
                    _ => return Err(format!("{name} is no type")),
                };
                (self.rust(&found.home, name), clean(attributes))
            }
            (_, Err(why)) => return Err(why),
        };
        Ok(self.add(name.to_owned(), rust, docs, Vec::new(), false, Shape::Leaf { secret }))
    }

    fn macro_enum(&mut self, rows: &str, name: &str, docs: &str) -> Result<Ty, String> {
        let rows = self.source.rows.get(rows).ok_or_else(|| format!("no {rows}!"))?;
        let rust = rows.first().map(|row| self.rust(&row.home, name)).ok_or("no rows")?;
        let variant = |row: &super::source::Row| Variant {
            name: row.name.clone(),
            docs: row.docs.clone(),
            fields: Vec::new(),
            positional: false,
        };
        let shape = Shape::Enum(rows.iter().map(variant).collect());
        let derives = ["Copy", "Hash", "Ord"].map(str::to_owned).to_vec();
        Ok(self.add(renamed(name), rust, vec![docs.to_owned()], derives, true, shape))
    }

    fn tuple(&mut self, parts: Vec<Ty>) -> Result<Ty, String> {
        let names: Vec<String> = parts.iter().map(|part| self.core_name(part)).collect();
        let known = TUPLES
            .iter()
            .find(|(of, ..)| of.iter().zip(&names).all(|(a, b)| a == b) && of.len() == names.len());
        let Some((_, name, fields, docs)) = known else {
            return Err(format!("a tuple of {}", names.join(", ")));
        };
        let rust = format!(
            "({})",
            parts.iter().map(|part| rust_of(&self.types, part)).collect::<Vec<_>>().join(", ")
        );
        let field = |(name, ty): (&&str, Ty)| Field { name: (*name).to_owned(), docs: Vec::new(), ty };
        let shape = Shape::Record { fields: fields.iter().zip(parts).map(field).collect(), positional: true };
        Ok(self.add((*name).to_owned(), rust, vec![(*docs).to_owned()], Vec::new(), false, shape))
    }

    fn fields(&mut self, fields: &Fields, home: &Home, given: &Given) -> Result<(Vec<Field>, bool), String> {
        let positional = matches!(fields, Fields::Unnamed(_));
        let mut out: Vec<Field> = Vec::new();
        for field in fields {
            let ty = self.ty(&field.ty, home, given)?;
            let name = field.ident.as_ref().map_or_else(|| name_of(&ty), ToString::to_string);
            if out.iter().any(|other| other.name == name) {
                return Err(format!("two fields are called {name}"));
            }
            out.push(Field { name, docs: clean(&field.attrs), ty });
        }
        Ok((out, positional))
    }

    fn rust(&self, home: &Home, name: &str) -> String {
        let mut path = vec![self.root.to_owned()];
        path.extend(home.public.iter().cloned());
        path.push(name.to_owned());
        path.join("::")
    }

    /// The last word of a type's name in the core, of what is inside where it is one or none.
    fn core_name(&self, ty: &Ty) -> String {
        match ty {
            Ty::Maybe(inner) => self.core_name(inner),
            other => {
                let rust = rust_of(&self.types, other);
                let plain = rust.split('<').next().unwrap_or_default();
                plain.rsplit("::").next().unwrap_or_default().to_owned()
            }
        }
    }

    fn add(
        &mut self,
        name: String,
        rust: String,
        docs: Vec<String>,
        derives: Vec<String>,
        open: bool,
        shape: Shape,
    ) -> Ty {
        let ty = Type { name: name.clone(), rust, docs, shape, taken: false, given: false, derives, open };
        if self.types.iter().all(|known| known.name != name) {
            self.types.push(ty);
        }
        Ty::Named(name)
    }
}

fn renamed(name: &str) -> String {
    RENAMED.iter().find(|(core, _)| *core == name).map_or(name, |(_, face)| face).to_owned()
}

/// What a generic type is called for what it is made with: `Receipt<Redeemed>` is a `RedeemedReceipt`.
fn face_name(name: &str, generics: &syn::Generics, given: &Given) -> Result<String, String> {
    let Some(first) = generics.type_params().next() else { return Ok(renamed(name)) };
    let (_, ending) =
        GENERICS.iter().find(|(core, _)| *core == name).ok_or_else(|| format!("{name} is generic"))?;
    let of = match given.get(&first.ident.to_string()) {
        Some(Ty::Nothing) => "",
        Some(Ty::Int(_)) => "Count",
        Some(Ty::Named(of)) => of.strip_suffix("Id").or_else(|| of.strip_suffix("View")).unwrap_or(of),
        _ => return Err(format!("{name} of what?")),
    };
    Ok(format!("{of}{ending}"))
}

/// A name for a field that has none, from its type: a `PassId` is the `pass`, several are the `passes`.
fn name_of(ty: &Ty) -> String {
    match ty {
        Ty::Named(name) => match name.strip_suffix("Id").unwrap_or(name) {
            "Money" | "LineAmount" => "amount".into(),
            "Instant" => "at".into(),
            "PassSpan" => "passes".into(),
            other => snake(other),
        },
        Ty::List(inner) => match name_of(inner).as_str() {
            "pass" => "passes".into(),
            "amount" => "lines".into(),
            other => format!("{other}s"),
        },
        Ty::Maybe(inner) => name_of(inner),
        Ty::Text | Ty::Bool | Ty::Int(_) | Ty::Nothing | Ty::Set(_) | Ty::Map(..) | Ty::Outcome(_) => {
            "value".into()
        }
    }
}

/// `PassesSold` as `passes_sold`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn derives(attributes: &[Attribute]) -> Vec<String> {
    let mut out = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        // What isn't a list of names has nothing that matters here.
        let _ = attribute.parse_nested_meta(|meta| {
            out.extend(meta.path.get_ident().map(ToString::to_string));
            Ok(())
        });
    }
    out.retain(|name| ["Copy", "Hash", "Ord", "Default"].contains(&name.as_str()));
    out
}

/// The last name of a path, and the types it is made with.
fn path_of(ty: &syn::Type) -> Option<(String, Vec<syn::Type>)> {
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    Some((last.ident.to_string(), parameters_of(&last.arguments)))
}

fn parameters_of(arguments: &PathArguments) -> Vec<syn::Type> {
    let PathArguments::AngleBracketed(of) = arguments else { return Vec::new() };
    let ty = |argument: &GenericArgument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    };
    of.args.iter().filter_map(ty).collect()
}

//! What the faces carry: the types and the methods of the core, in words that no language owns. Made by
//! `resolve`, read by what writes a face.

/// All that the faces carry.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The types, sorted by name: each that a method takes or gives, and each that one of them holds.
    pub(crate) types: Vec<Type>,
    /// The methods of `Passes`, in the order of the source.
    pub(crate) methods: Vec<Method>,
    /// The codes of refusals, in order of precedence.
    pub(crate) codes: Vec<Code>,
}

/// A type that a face has.
#[derive(Debug)]
pub(crate) struct Type {
    /// Its name in the faces: unique, in upper camel case.
    pub(crate) name: String,
    /// Its name in the core: the whole path, with its parameters.
    pub(crate) rust: String,
    /// What it is: a line each, clean of links and code.
    pub(crate) docs: Vec<String>,
    /// What it is made of.
    pub(crate) shape: Shape,
    /// Whether a method takes it, alone or inside of something.
    pub(crate) taken: bool,
    /// Whether a method gives it, alone or inside of something.
    pub(crate) given: bool,
    /// The traits that the core derives for it, of those that matter here: `Copy`, `Hash`, `Ord`, `Default`.
    pub(crate) derives: Vec<String>,
    /// Whether the core may add variants (`non_exhaustive`): a match needs an arm for what isn't there.
    pub(crate) open: bool,
}

/// What a type is made of.
#[derive(Debug)]
pub(crate) enum Shape {
    /// An id over a UUID: `from_uuid` and `to_uuid` of the core convert it.
    Id,
    /// A struct whose fields are public, or a tuple: fields without names in the core are `positional`.
    Record {
        /// The fields.
        fields: Vec<Field>,
        /// Whether the core's type has no names for them: `Position(u64)`, `(PassId, PassId)`.
        positional: bool,
    },
    /// An enum.
    Enum(Vec<Variant>),
    /// What each face writes by hand; see `table::LEAVES`. Secret ones show nothing of what they hold.
    Leaf {
        /// Whether it is one of `table::SECRETS`.
        secret: bool,
    },
}

/// A field of a record or a variant.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its name, in snake case; made from its type where the core has none.
    pub(crate) name: String,
    /// What it is.
    pub(crate) docs: Vec<String>,
    /// Its type.
    pub(crate) ty: Ty,
}

/// A variant of an enum.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// Its name, in upper camel case.
    pub(crate) name: String,
    /// What it is.
    pub(crate) docs: Vec<String>,
    /// Its fields.
    pub(crate) fields: Vec<Field>,
    /// Whether the core's fields have no names.
    pub(crate) positional: bool,
}

/// How a type is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ty {
    /// `()`.
    Nothing,
    /// `bool`.
    Bool,
    /// A whole number, by its name in Rust: `u8`, `u32`, `i64`, `usize`.
    Int(String),
    /// A text, however the core holds it.
    Text,
    /// One of the model's types, by its name in the faces.
    Named(String),
    /// One or none.
    Maybe(Box<Ty>),
    /// A list.
    List(Box<Ty>),
    /// A sorted set.
    Set(Box<Ty>),
    /// A sorted map.
    Map(Box<Ty>, Box<Ty>),
    /// What one of several commands came to: this, or an error.
    Outcome(Box<Ty>),
}

/// A method of `Passes`.
#[derive(Debug)]
pub(crate) struct Method {
    /// Its name, in snake case.
    pub(crate) name: String,
    /// What it does and refuses.
    pub(crate) docs: Vec<String>,
    /// What it takes, besides the library itself.
    pub(crate) args: Vec<Arg>,
    /// What it gives, when all goes well.
    pub(crate) gives: Ty,
}

/// An argument of a method.
#[derive(Debug)]
pub(crate) struct Arg {
    /// Its name, in snake case.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: Ty,
    /// Whether the core takes a reference to it (a slice, for a list).
    pub(crate) by_ref: bool,
}

/// A code of a refusal.
#[derive(Debug)]
pub(crate) struct Code {
    /// The stable code: `PASS_EXPIRED`.
    pub(crate) code: String,
    /// Its variant in the core.
    pub(crate) name: String,
    /// When it is refused with.
    pub(crate) docs: Vec<String>,
    /// The names of the values that it tells.
    pub(crate) values: Vec<String>,
}

impl Model {
    /// The type of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|ty| ty.name == name)
    }

    /// A type as Rust names it.
    pub(crate) fn rust(&self, ty: &Ty) -> String {
        rust_of(&self.types, ty)
    }
}

/// A type as Rust names it, where these are known.
pub(crate) fn rust_of(types: &[Type], ty: &Ty) -> String {
    let rust = |inner: &Ty| rust_of(types, inner);
    match ty {
        Ty::Nothing => "()".into(),
        Ty::Bool => "bool".into(),
        Ty::Int(name) => name.clone(),
        Ty::Text => "String".into(),
        Ty::Named(name) => types.iter().find(|ty| ty.name == *name).map_or(name, |ty| &ty.rust).clone(),
        Ty::Maybe(inner) => format!("Option<{}>", rust(inner)),
        Ty::List(inner) => format!("Vec<{}>", rust(inner)),
        Ty::Set(inner) => format!("std::collections::BTreeSet<{}>", rust(inner)),
        Ty::Map(key, value) => format!("std::collections::BTreeMap<{}, {}>", rust(key), rust(value)),
        Ty::Outcome(inner) => format!("Result<{}, passes_host::Error>", rust(inner)),
    }
}

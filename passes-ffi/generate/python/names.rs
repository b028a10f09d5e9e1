//! Names of the Python face, what its constructors leave out, and what stands for what.

use crate::generate::model::{Field, Model, Shape, Ty, Type};

/// Words that Python keeps for itself, of those that the library uses.
const KEYWORDS: &[&str] =
    &["and", "as", "class", "def", "from", "global", "import", "in", "is", "not", "or", "pass"];

/// Enums for which a value of one of their variants will do, as it does in Rust: a `PassId` where an `Over` is wanted.
pub(crate) const SHORT: &[&str] = &["Over", "Presented", "Recipient", "Target"];

/// Records of which nothing can be left out although it is a list, a text by language or a yes or no.
const WHOLE: &[(&str, &str)] = &[
    ("Settings", "currencies"),
    ("Settings", "locales"),
    ("Spec", "name"),
    ("Hours", "days"),
    ("Definition", "required"),
];

/// What a field is when a constructor leaves it out, where its type doesn't say: as Rust, and as Python shows it.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("Settings", "week_start", "passes_host::calendar::Weekday::Mon"),
    ("Settings", "guess_one_in", "100_000_000"),
    ("Settings", "void_hours", "24"),
    ("Settings", "grace_days", "0"),
    ("Terms", "usage", "passes_host::plan::Usage::Single"),
    ("Terms", "unsold", "passes_host::ledger::Mark::Granted"),
    ("Spec", "code", "passes_host::passcode::Format::default()"),
    ("Format", "alphabet", "passes_host::passcode::Alphabet::Safe"),
    ("Format", "length", "passes_host::passcode::Format::default().length"),
    ("Format", "prefix", "String::new()"),
    ("Format", "suffix", "String::new()"),
    ("Format", "group", "passes_host::passcode::Format::default().group"),
    ("Reverse", "part", "passes_host::service::Part::All"),
];

/// A name as Python may have it: `pass_`.
pub(crate) fn plain(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The class of a variant: `None_`, where Python means something else by the name.
pub(crate) fn class(variant: &str) -> String {
    if ["None", "True", "False"].contains(&variant) { format!("{variant}_") } else { variant.to_owned() }
}

/// `NewCredit` as `NEW_CREDIT`, the member of an enum.
pub(crate) fn member(name: &str) -> String {
    crate::generate::resolve::snake(name).to_uppercase()
}

/// Whether it is an enum that holds nothing: Python has enums of its own for those.
pub(crate) fn is_plain_enum(ty: &Type) -> bool {
    matches!(&ty.shape, Shape::Enum(variants) if variants.iter().all(|variant| variant.fields.is_empty()))
}

/// What stands for a field that a constructor leaves out, in Rust; nothing if it has to be given.
pub(crate) fn default(model: &Model, ty: &Type, field: &Field) -> Option<String> {
    if !ty.taken {
        return matches!(field.ty, Ty::Maybe(_)).then(|| "None".to_owned());
    }
    if let Some((.., rust)) = DEFAULTS.iter().find(|(of, name, _)| *of == ty.name && *name == field.name) {
        return Some((*rust).to_owned());
    }
    if WHOLE.contains(&(ty.name.as_str(), field.name.as_str())) {
        return None;
    }
    match &field.ty {
        Ty::Maybe(_) => Some("None".to_owned()),
        Ty::Bool | Ty::List(_) | Ty::Set(_) | Ty::Map(..) => Some("Default::default()".to_owned()),
        Ty::Named(name) if model.get(name)?.derives.iter().any(|derive| derive == "Default") => {
            Some("Default::default()".to_owned())
        }
        _ => None,
    }
}

/// The variants of an enum of [`SHORT`] that one value stands for: the variant's name, and the type of the value.
pub(crate) fn short(ty: &Type) -> Vec<(&str, &Ty)> {
    let (true, Shape::Enum(variants)) = (SHORT.contains(&ty.name.as_str()), &ty.shape) else {
        return Vec::new();
    };
    let one = variants.iter().filter(|variant| variant.positional && variant.fields.len() == 1);
    one.filter_map(|variant| Some((variant.name.as_str(), &variant.fields.first()?.ty))).collect()
}

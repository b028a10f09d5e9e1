//! What the generator carries to other languages, judged by the core's source itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../generate/mod.rs"]
#[allow(dead_code, reason = "a part of it is looked at here")]
mod generate;

use generate::model::{Model, Shape};
use generate::source::Source;
use generate::table::{LEFT_OUT, SECRETS};
use std::path::{Path, PathBuf};

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../passes-core/src")
}

fn model() -> Model {
    generate::resolve::model(&Source::read(&core()).unwrap(), "passes_host").unwrap()
}

/// The names of the public methods of `impl Passes`, by the look of the source.
fn methods() -> Vec<String> {
    let mut names = Vec::new();
    for file in Source::read(&core()).unwrap().files {
        let mut inside = false;
        for line in std::fs::read_to_string(file).unwrap().lines() {
            match line {
                "impl Passes {" => inside = true,
                "}" => inside = false,
                _ if inside => {
                    let name =
                        line.strip_prefix("    pub fn ").and_then(|rest| rest.split(['<', '(']).next());
                    names.extend(name.map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    names
}

/// F-1: every use case is carried, or is named with the reason why not.
#[test]
fn every_method_is_carried() {
    let (model, names) = (model(), methods());
    assert!(names.len() > 60, "{} methods", names.len());
    for name in &names {
        let carried = model.methods.iter().any(|method| method.name == *name);
        let left_out = LEFT_OUT.iter().any(|(left, why)| left == name && !why.is_empty());
        assert!(carried != left_out, "{name}: carried {carried}, left out {left_out}");
    }
    assert_eq!(model.methods.len() + LEFT_OUT.len(), names.len());
    let face = generate::uniffi::face(&model).unwrap();
    for method in &model.methods {
        assert_eq!(face.matches(&format!("fn {}(&self", method.name)).count(), 2, "{}", method.name);
    }
}

/// F-1: docs are carried over, and read well without links, code and what ends a comment.
#[test]
fn docs_are_carried_over() {
    let model = model();
    let mut docs: Vec<&[String]> = model.methods.iter().map(|method| method.docs.as_slice()).collect();
    docs.extend(model.types.iter().map(|ty| ty.docs.as_slice()));
    for ty in &model.types {
        match &ty.shape {
            Shape::Record { fields, positional: false } => {
                docs.extend(fields.iter().map(|f| f.docs.as_slice()))
            }
            Shape::Enum(variants) => docs.extend(variants.iter().map(|variant| variant.docs.as_slice())),
            _ => {}
        }
    }
    assert!(docs.len() > 500, "{} docs", docs.len());
    for lines in docs {
        assert!(lines.iter().any(|line| !line.is_empty()), "something has no docs");
        for line in lines {
            let odd = ["```", "[`", "](", "/*", "*/", "::"].iter().find(|odd| line.contains(**odd));
            assert!(odd.is_none() && !line.starts_with("# "), "{odd:?} in: {line}");
        }
    }
    assert_eq!(model.codes.len(), model.codes.iter().filter(|code| !code.docs.is_empty()).count());
}

/// C-13: what holds a secret is written by hand in each face, so that no generated text shows it.
#[test]
fn secrets_are_leaves() {
    let model = model();
    for secret in SECRETS {
        assert!(matches!(model.get(secret).unwrap().shape, Shape::Leaf { secret: true }), "{secret}");
    }
}

/// F-1: a type or a method that the generator doesn't understand stops the build, with its name.
#[test]
fn what_is_not_understood_is_told() {
    let cases = [
        ("pub fn odd(&self) -> Call<'a, Secretive> { }", "Secretive"),
        ("pub fn odd(&self, by: fn()) -> Call<'a, bool> { }", "odd"),
        ("pub fn odd(&self) -> bool { }", "odd"),
    ];
    for (method, told) in cases {
        let folder = std::env::temp_dir().join(format!("passes-generate-{}-{}", std::process::id(), told));
        std::fs::create_dir_all(&folder).unwrap();
        let left_out: String = LEFT_OUT
            .iter()
            .map(|(name, _)| format!("pub fn {name}(&self) -> Call<'a, bool> {{ }}"))
            .collect();
        let text = format!("pub struct Secretive {{ hidden: u8 }} impl Passes {{ {left_out} {method} }}");
        std::fs::write(folder.join("lib.rs"), text).unwrap();
        let source = Source::read(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let why = generate::resolve::model(&source, "core").unwrap_err();
        assert!(why.contains(told), "{why}");
    }
}

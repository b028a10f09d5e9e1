//! Writes the faces' types and methods from the source of the core; see `generate/mod.rs`.

#[allow(dead_code, reason = "each face reads what it needs of the model")]
mod generate;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let here = env::var("CARGO_MANIFEST_DIR")?;
    let out = env::var("OUT_DIR")?;
    let source = generate::source::Source::read(&Path::new(&here).join("../passes-core/src"))?;
    let model = generate::resolve::model(&source, "passes_host")?;
    for file in &source.files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=generate");
    if env::var_os("CARGO_FEATURE_UNIFFI").is_some() {
        fs::write(Path::new(&out).join("uniffi.rs"), generate::uniffi::face(&model)?)?;
    }
    if env::var_os("CARGO_FEATURE_PYTHON").is_some() {
        fs::write(Path::new(&out).join("python.rs"), generate::python::native(&model)?)?;
    }
    for (name, text) in generate::python::sources(&model)? {
        fs::write(Path::new(&out).join(name), text)?;
    }
    Ok(())
}

//! Writes the Kotlin and Swift of the library that passes-ffi builds: `uniffi-bindgen LIBRARY FOLDER`, and with them
//! what their tests need to run the scenario vectors. It is a crate
//! of this workspace so that the generator and the library's half of it are of one version.

mod errors;
#[path = "../../passes-ffi/generate/mod.rs"]
#[allow(dead_code, reason = "faces are written by passes-ffi")]
mod generate;

use std::error::Error;
use std::path::Path;
use std::{env, fs};
use uniffi::{GenerateOptions, TargetLanguage};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [library, folder] = arguments.as_slice() else {
        return Err("usage: uniffi-bindgen LIBRARY FOLDER".into());
    };
    for (language, name) in [(TargetLanguage::Kotlin, "kotlin"), (TargetLanguage::Swift, "swift")] {
        uniffi::generate(GenerateOptions {
            languages: vec![language],
            source: library.as_str().into(),
            out_dir: format!("{folder}/{name}").into(),
            format: false,
            ..GenerateOptions::default()
        })?;
    }
    let kotlin = Path::new(folder).join("kotlin/org/passes/passes.kt");
    let text = fs::read_to_string(&kotlin)?;
    fs::write(&kotlin, errors::with_messages(&text)?)?;

    // How the tests of each language read and write the scenario vectors.
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../passes-core/src");
    let source = generate::source::Source::read(&core)?;
    let model = generate::resolve::model(&source, "passes_host")?;
    let codecs = [
        ("kotlin-vectors", "Codec.kt", generate::kotlin::codec(&model)?),
        ("swift-vectors", "Codec.swift", generate::swift::codec(&model)?),
    ];
    for (name, file, codec) in codecs {
        let vectors = Path::new(folder).join(name);
        fs::create_dir_all(&vectors)?;
        fs::write(vectors.join(file), codec)?;
    }
    Ok(())
}

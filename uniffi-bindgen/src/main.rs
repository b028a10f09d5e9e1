//! Writes the Kotlin and Swift of the library that passes-ffi builds: `uniffi-bindgen LIBRARY FOLDER`. It is a crate
//! of this workspace so that the generator and the library's half of it are of one version.

mod errors;

use std::error::Error;
use std::path::PathBuf;
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
    let kotlin = PathBuf::from(folder).join("kotlin/org/passes/passes.kt");
    let text = fs::read_to_string(&kotlin)?;
    fs::write(&kotlin, errors::with_messages(&text)?)?;
    Ok(())
}

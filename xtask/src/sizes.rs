//! The native libraries, stripped, against what `bindings/sizes.json` allows them: one that has grown by a tenth is a
//! failure. The tests look at those that they have built (at the level of tests, where code is bigger), and `cargo xtask
//! sizes` at those of a release. `PASSES_BLESS=1` writes what is found into the file.

use crate::bindings::done;
use crate::tally::Tally;
use crate::workspace::{Workspace, say};
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Each library, with its bytes by the way in which it was built.
const FILE: &str = "bindings/sizes.json";

/// A library as it ships, without what only a debugger or the generator reads.
pub(crate) fn strip(from: &Path, to: &Path) -> Result<(), String> {
    done(Command::new("strip").arg("--strip-all").arg("-o").args([to, from]))
}

/// Whether a stripped library is within its size.
pub(crate) fn check(workspace: &Workspace, library: &str, built_for: &str, file: &Path) -> Tally {
    let path = workspace.root().join(FILE);
    let bless = std::env::var_os("PASSES_BLESS").is_some_and(|value| value == "1");
    match compare(&path, library, built_for, file, bless) {
        Ok(told) => {
            say(&format!("\n== {FILE}\n{told}\n"));
            Tally::pass()
        }
        Err(why) => Tally::fail(why),
    }
}

fn compare(path: &Path, library: &str, built_for: &str, file: &Path, bless: bool) -> Result<String, String> {
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let size = fs::metadata(file).map_err(|error| told(file, error))?.len();
    let text = fs::read_to_string(path).map_err(|error| told(path, error))?;
    let mut sizes: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let what = format!("the library for {library}, built for {built_for}, stripped, has {size} bytes");
    if bless {
        let of_library = sizes.entry(library).or_insert_with(|| Map::new().into());
        if let Value::Object(of_library) = of_library {
            of_library.insert(built_for.to_owned(), size.into());
        }
        let text = format!("{:#}\n", Value::from(sizes));
        fs::write(path, text).map_err(|error| told(path, error))?;
        return Ok(format!("{what}, which is written down"));
    }
    let expected = sizes.get(library).and_then(|sizes| sizes.get(built_for)).and_then(Value::as_u64);
    let expected = expected.ok_or_else(|| format!("{FILE} has no size of {library} for {built_for}"))?;
    let most = expected.saturating_add(expected / 10);
    let what = format!("{what} of at most {most}");
    if size > most {
        return Err(format!("{what}: find out why, or PASSES_BLESS=1 writes the new size down"));
    }
    Ok(what)
}

/// `cargo xtask sizes`: the libraries of a release.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut total = Tally::default();
    for (library, feature) in [("kotlin and swift", "uniffi"), ("python", "python")] {
        let checked = release(workspace, feature).map(|file| check(workspace, library, "release", &file));
        total.add(checked.unwrap_or_else(Tally::fail));
    }
    total.failures.iter().for_each(|failure| eprintln!("failed: {failure}"));
    if total.is_good(true) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn release(workspace: &Workspace, feature: &str) -> Result<PathBuf, String> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "passes-ffi", "--features", feature]);
    // As maturin asks for it: the interpreter brings what it defines.
    done(cargo.env("PYO3_BUILD_EXTENSION_MODULE", "1"))?;
    let folder = workspace.target().join("bindings/release");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let stripped = folder.join(format!("{feature}.so"));
    strip(&workspace.target().join("release/libpasses_ffi.so"), &stripped)?;
    Ok(stripped)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library that has grown by more than a tenth is told; a new size is written down where that is asked for.
    #[test]
    fn a_library_that_grows_is_told() {
        let folder = std::env::temp_dir().join(format!("passes-sizes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (path, file) = (folder.join("sizes.json"), folder.join("library"));
        let found = |bytes: usize, bless: bool| {
            fs::write(&file, vec![0; bytes]).unwrap();
            compare(&path, "python", "tests", &file, bless)
        };
        fs::write(&path, "{}").unwrap();
        assert!(found(1_000, false).unwrap_err().contains("has no size of python for tests"));
        assert!(found(1_000, true).is_ok());
        assert!(found(1_100, false).is_ok() && found(1, false).is_ok());
        assert!(found(1_101, false).unwrap_err().contains("1101 bytes of at most 1100"));
        assert!(found(1_101, true).is_ok() && found(1_211, false).is_ok());
        fs::remove_dir_all(&folder).unwrap();
    }

    /// What is allowed is written down for each library and each way to build it.
    #[test]
    fn every_library_has_a_size() {
        let text = fs::read_to_string(Workspace::find().root().join(FILE)).unwrap();
        let sizes: Value = serde_json::from_str(&text).unwrap();
        for library in ["kotlin and swift", "python"] {
            for built_for in ["tests", "release"] {
                assert!(sizes[library][built_for].as_u64() > Some(100_000), "{library}, {built_for}");
            }
        }
    }
}

//! The program itself, as the areas `kotlin` and `swift` of the tests call it.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_uniffi-bindgen")).args(arguments).output().unwrap()
}

/// F-1: it says how it is called, and that what it was given is no library of this workspace.
#[test]
fn what_it_can_not_read_is_told() {
    let told = |output: Output| {
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(told(run(&[])).contains("usage: uniffi-bindgen LIBRARY FOLDER"));
    let folder = std::env::temp_dir().join(format!("passes-bindgen-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let library = folder.join("libnothing.so");
    std::fs::write(&library, "no library").unwrap();
    let why = told(run(&[library.to_str().unwrap(), folder.join("out").to_str().unwrap()]));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(why.contains("Error"), "{why}");
}

//! The commands of the repository, `cargo xtask …`: `demo`, `test`, `spec`, `guide`, `sizes`, `measure` and `bench`.
//!
//! What it can't run, it counts as skipped and says why; with the environment variable `CI` set, a skip is a
//! failure. On the machine it installs nothing but packages of Debian that tests need, as root; Swift, Python's tools and
//! the peers of the benches are put into `target/`.

mod areas;
mod bindings;
mod guide;
mod python;
mod requirements;
mod scan;
mod sizes;
mod spec;
mod system;
mod tally;
mod workspace;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use workspace::{Workspace, say};

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let workspace = Workspace::find();
    match command.to_str() {
        Some("demo") => demo(&workspace, &rest),
        Some("test") => areas::run(&workspace, &rest),
        Some("spec") => spec::run(&workspace, &rest),
        Some("guide") => guide::run(&workspace),
        Some("measure") => told(bindings::measure(&workspace)),
        Some("sizes") => sizes::run(&workspace),
        Some("bench") => pass_on(&workspace, &["-p", "benches"], &rest),
        Some("" | "-h" | "--help" | "help") => {
            say(&help());
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("xtask: there is no command `{}`\n", command.display());
            eprint!("{}", help());
            ExitCode::FAILURE
        }
    }
}

/// The gift shop: in Rust, or in the language that is named.
fn demo(workspace: &Workspace, rest: &[OsString]) -> ExitCode {
    match rest.first().and_then(|language| language.to_str()) {
        Some("kotlin") => told(bindings::kotlin_demo(workspace)),
        Some("swift") => told(bindings::swift_demo(workspace)),
        Some("python") => told(python::python_demo(workspace)),
        _ => pass_on(workspace, &["-p", "examples", "--bin", "gift_shop"], rest),
    }
}

fn told(what: Result<(), String>) -> ExitCode {
    match what {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Builds a program of the workspace in release mode and runs it with `rest`; its exit code is passed on.
fn pass_on(workspace: &Workspace, program: &[&str], rest: &[OsString]) -> ExitCode {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--release"]).args(program).arg("--").args(rest);
    match cargo.status() {
        // A program ended by a signal has no code of its own.
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into(),
        Err(error) => {
            eprintln!("xtask: cargo can't be started: {error}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    format!(
        "\
The commands of the repository:

  cargo xtask demo [ARG...]    build and run examples/gift_shop; `kotlin`, `swift` or `python`: the one in that language
  cargo xtask test [AREA...]   run all tests, or those of some areas; ends with the sum; --long takes its time
  cargo xtask spec [--json]    docs/spec.md: each requirement with its mark and its tests
  cargo xtask guide            fill docs/languages.md from the examples of each language
  cargo xtask sizes            build the libraries for other languages in release mode, and weigh them
  cargo xtask measure          what a call in Kotlin and in Swift costs, beside a bare one
  cargo xtask bench [ARG...]   measure speed and size, write target/bench.json; --help lists its sections

{}
cargo fetches the crates that it builds. What the tests start is installed on Debian, as root; Swift, and Python's tools,
are put into target/. With CI set in the environment, a skipped test is a failure.
",
        areas::list()
    )
}

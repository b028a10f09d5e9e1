//! The commands of the repository, `cargo xtask …`: `demo`, `test`, `spec` and `bench`.
//!
//! What it can't run, it counts as skipped and says why; with the environment variable `CI` set, a skip is a
//! failure. It installs nothing but packages of Debian that tests need, as root.

mod areas;
mod bindings;
mod python;
mod requirements;
mod scan;
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
        Some("demo") => pass_on(&workspace, &["-p", "examples", "--bin", "gift_shop"], &rest),
        Some("test") => areas::run(&workspace, &rest),
        Some("spec") => spec::run(&workspace, &rest),
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

  cargo xtask demo [ARG...]    build and run examples/gift_shop
  cargo xtask test [AREA...]   run all tests, or those of some areas; ends with the sum; --long takes its time
  cargo xtask spec [--json]    docs/spec.md: each requirement with its mark and its tests
  cargo xtask bench [ARG...]   measure speed and size, write target/bench.json; --help lists its sections

{}
xtask installs nothing; cargo fetches the crates that it builds. With CI set in the environment, a skipped test is a failure.
",
        areas::list()
    )
}

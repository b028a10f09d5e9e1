//! `cargo xtask test`: the areas of the test suite as one table, and the sum of what they count.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use crate::bindings;
use crate::python;
use crate::spec;
use crate::system::Need;
use crate::tally::{Reader, Tally};
use crate::workspace::{Workspace, say};

/// One area. A new one (another store, another language) is one more entry in [`AREAS`].
struct Area {
    name: &'static str,
    about: &'static str,
    /// Packages whose test programs cargo runs. Those of all chosen areas run in one call, so that
    /// dependencies are built once, with one set of features.
    packages: &'static [&'static str],
    /// Features that those are built with.
    features: &'static [&'static str],
    /// What its tests start, which is installed before, once for all areas.
    prepare: &'static [Need],
    /// What else belongs to it; each step counts its own tests.
    steps: &'static [Step],
}

type Step = fn(&Workspace) -> Tally;

/// An area with nothing in it.
const BARE: Area = Area { name: "", about: "", packages: &[], features: &[], prepare: &[], steps: &[] };

/// What Kotlin and Swift are made by and call. It is built with all the rest, so that nothing is built for it twice.
const FACES: Area =
    Area { packages: &["passes-ffi", "uniffi-bindgen"], features: &["passes-ffi/uniffi"], ..BARE };

const AREAS: &[Area] = &[
    Area { name: "core", about: "the domain and the service", packages: &["passes-core"], ..BARE },
    Area { name: "sqlite", about: "the embedded store", packages: &["passes-sqlite"], ..BARE },
    Area {
        name: "postgres",
        about: "the store for many machines, on a server that is started for it",
        packages: &["passes-postgres", "test-postgres"],
        prepare: &[Need::Postgres],
        ..BARE
    },
    Area {
        name: "queue",
        about: "the embedded store's queue in every order of its steps",
        packages: &["queue-model"],
        ..BARE
    },
    Area { name: "host", about: "what a Rust host depends on", packages: &["passes-host"], ..BARE },
    Area {
        name: "conformance",
        about: "the suite every store runs, and the broken stores",
        packages: &["passes-conformance"],
        ..BARE
    },
    Area {
        name: "races",
        about: "many threads and processes at once",
        packages: &["tests"],
        prepare: &[Need::Postgres],
        ..BARE
    },
    Area { name: "fuzz", about: "what the fuzzers kept, run once", packages: &["fuzz-targets"], ..BARE },
    Area {
        name: "crash",
        about: "a process killed at random, power cuts, full disks, servers and lines that fail",
        packages: &["crash", "test-vfs"],
        prepare: &[Need::Postgres],
        ..BARE
    },
    Area {
        name: "examples",
        about: "the examples, and the tests of the benches and of xtask",
        packages: &["examples", "benches", "xtask"],
        prepare: &[Need::Postgres],
        ..BARE
    },
    Area { name: "faces", about: "what the faces of other languages are made by", ..FACES },
    Area {
        name: "kotlin",
        about: "the library in Kotlin, in a jar",
        prepare: &[Need::Maven, Need::Postgres],
        steps: &[bindings::kotlin],
        ..FACES
    },
    Area {
        name: "swift",
        about: "the library in Swift, in a package",
        prepare: &[Need::Postgres],
        steps: &[bindings::swift],
        ..FACES
    },
    Area {
        name: "python",
        about: "the library in Python: its package, its types, its tests",
        prepare: &[Need::Python, Need::Postgres],
        steps: &[python::python],
        ..BARE
    },
    Area {
        name: "docs",
        about: "the examples in the docs; docs/spec.md against the tests",
        steps: &[doc_tests, spec_agrees],
        ..BARE
    },
    Area { name: "lint", about: "format, clippy and rustdoc", steps: &[format, clippy, rustdoc], ..BARE },
];

/// Has the tests that go by chance take their time.
const LONG: &str = "--long";

/// What those tests are told by then, in their environment.
const LONG_VARIABLE: &str = "PASSES_LONG";

/// The areas, one a line, and the flag, for the help.
pub(crate) fn list() -> String {
    let mut list = String::from("Areas of `cargo xtask test`:\n\n");
    for area in AREAS {
        list += &format!("  {:<12} {}\n", area.name, area.about);
    }
    list + &format!(
        "\n  {LONG:<12} crash: 2,000 kills, and not 200; races: 600,000 random commands, and not 36,000\n"
    )
}

/// `cargo xtask test [--long] [AREA...]`; the last line of the output is the sum.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> ExitCode {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        say(&list());
        return ExitCode::SUCCESS;
    }
    let Chosen { areas, long } = match choose(args) {
        Ok(chosen) => chosen,
        Err(unknown) => {
            eprintln!("xtask: there is no test area `{unknown}`\n");
            eprint!("{}", list());
            return ExitCode::FAILURE;
        }
    };
    let strict = env::var_os("CI").is_some_and(|value| !value.is_empty());

    let mut total = Tally::default();
    let prepare: BTreeSet<Need> = areas.iter().flat_map(|area| area.prepare).copied().collect();
    for need in prepare {
        total.add(need.prepare());
    }
    if areas.iter().any(|area| !area.packages.is_empty()) {
        total.add(run_tests(tests_of(workspace, &areas, long)));
    }
    for step in areas.iter().flat_map(|area| area.steps) {
        total.add(step(workspace));
    }
    say(&report(&total, strict));
    if total.is_good(strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The call that runs the tests of the packages of some areas, each once.
fn tests_of(workspace: &Workspace, areas: &[&Area], long: bool) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--no-fail-fast", "--tests"]);
    let mut said: Vec<&str> = Vec::new();
    for area in areas {
        let packages = area.packages.iter().map(|package| ("--package", *package));
        for (flag, name) in packages.chain(area.features.iter().map(|feature| ("--features", *feature))) {
            if !said.contains(&name) {
                cargo.args([flag, name]);
                said.push(name);
            }
        }
    }
    if long {
        cargo.env(LONG_VARIABLE, "1");
    }
    cargo
}

/// What is to be run.
struct Chosen {
    /// In the table's order and each once.
    areas: Vec<&'static Area>,
    /// Whether those that can take their time do.
    long: bool,
}

/// The areas that were named; where none was, all. Else the unknown one.
fn choose(args: &[OsString]) -> Result<Chosen, String> {
    let (flags, names): (Vec<_>, Vec<_>) = args.iter().partition(|arg| *arg == LONG);
    if let Some(unknown) = names.iter().find(|name| AREAS.iter().all(|area| **name != area.name)) {
        return Err(unknown.display().to_string());
    }
    let is_named = |area: &&Area| names.is_empty() || names.iter().any(|name| *name == area.name);
    Ok(Chosen { areas: AREAS.iter().filter(is_named).collect(), long: !flags.is_empty() })
}

/// What failed, what was skipped and why, and at the end the sum alone on its line.
fn report(total: &Tally, strict: bool) -> String {
    let mut text = String::from("\n");
    for failure in &total.failures {
        text += &format!("failed: {failure}\n");
    }
    for skip in &total.skips {
        text += &format!("skipped: {skip}\n");
    }
    if strict && total.skipped > 0 {
        text += "CI is set: what was skipped makes this run a failure\n";
    }
    text + &format!("{total}\n")
}

/// Runs a `cargo test`, shows its output as it comes and counts.
fn run_tests(mut cargo: Command) -> Tally {
    let what = shown(&cargo);
    say(&format!("\n== {what}\n"));
    let mut child = match cargo.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Tally::fail(format!("{what}: can't be started: {error}")),
    };
    let mut reader = Reader::default();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // A test may print bytes that aren't UTF-8; they must not end the count.
        while matches!(output.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line);
            say(&text);
            reader.line(&text);
            line.clear();
        }
    }
    reader.finish(&what, child.wait().is_ok_and(|status| status.success()))
}

/// Runs a check that counts as one test.
fn run_check(cargo: &mut Command) -> Tally {
    let what = shown(cargo);
    say(&format!("\n== {what}\n"));
    match cargo.status() {
        Ok(status) if status.success() => Tally::pass(),
        Ok(_) => Tally::fail(what),
        Err(error) => Tally::fail(format!("{what}: can't be started: {error}")),
    }
}

fn shown(command: &Command) -> String {
    let mut text = String::from("cargo");
    for arg in command.get_args() {
        text += " ";
        text += &arg.to_string_lossy();
    }
    text
}

fn doc_tests(workspace: &Workspace) -> Tally {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--no-fail-fast", "--workspace", "--doc"]);
    run_tests(cargo)
}

fn spec_agrees(workspace: &Workspace) -> Tally {
    say("\n== cargo xtask spec\n");
    match spec::check(workspace) {
        Ok(summary) => {
            say(&format!("{summary}\n"));
            Tally::pass()
        }
        Err(problems) => {
            problems.iter().for_each(|problem| say(&format!("{problem}\n")));
            Tally::fail("cargo xtask spec: docs/spec.md and the tests don't agree")
        }
    }
}

fn format(workspace: &Workspace) -> Tally {
    if !workspace.has("fmt") {
        return Tally::skip("cargo fmt: rustfmt isn't installed (rustup component add rustfmt)");
    }
    let mut cargo = workspace.cargo();
    run_check(cargo.args(["fmt", "--all", "--check"]))
}

fn clippy(workspace: &Workspace) -> Tally {
    if !workspace.has("clippy") {
        return Tally::skip("cargo clippy: clippy isn't installed (rustup component add clippy)");
    }
    let mut cargo = workspace.cargo();
    cargo.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "passes-ffi/measure,passes-ffi/python",
    ]);
    cargo.args(["--", "-D", "warnings"]);
    // Nothing is linked: no Python is needed, and none is asked.
    run_check(cargo.env("PYO3_NO_PYTHON", "1").env("PYO3_BUILD_EXTENSION_MODULE", "1"))
}

fn rustdoc(workspace: &Workspace) -> Tally {
    let mut cargo = workspace.cargo();
    run_check(cargo.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Result<Vec<&'static str>, String> {
        chosen(args).map(|chosen| chosen.areas.iter().map(|area| area.name).collect())
    }

    fn chosen(args: &[&str]) -> Result<Chosen, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        choose(&args)
    }

    #[test]
    fn areas_are_chosen_once_and_in_order() {
        assert_eq!(names(&["host", "core", "host"]), Ok(vec!["core", "host"]));
        assert_eq!(names(&[]).map(|all| all.len()), Ok(AREAS.len()));
        assert_eq!(names(&["swift"]), Ok(vec!["swift"]));
        assert_eq!(names(&["core", "kernel"]), Err("kernel".to_owned()));
    }

    #[test]
    fn the_flag_is_no_area_and_reaches_the_tests() {
        let told = |args: &[&str]| {
            let Chosen { areas, long } = chosen(args).unwrap();
            let call = tests_of(&Workspace::find(), &areas, long);
            call.get_envs().any(|(name, value)| name == LONG_VARIABLE && value == Some("1".as_ref()))
        };
        assert!(told(&["crash", "--long"]) && told(&["--long", "crash"]) && told(&["--long"]));
        assert!(!told(&["crash"]));
        assert_eq!(names(&["crash", "--long"]), Ok(vec!["crash"]));
        assert_eq!(names(&["--long"]), names(&[]));
        assert_eq!(names(&["--longer"]), Err("--longer".to_owned()));
        assert!(list().contains(LONG));
        // The name by which the tests ask for it.
        assert!(include_str!("../../tests/src/lib.rs").contains(LONG_VARIABLE));
    }

    #[test]
    fn the_library_of_other_languages_is_built_once_with_the_rest() {
        let call = |args: &[&str]| shown(&tests_of(&Workspace::find(), &chosen(args).unwrap().areas, false));
        for all in [call(&[]), call(&["swift", "kotlin", "faces"])] {
            assert_eq!(all.matches(" --package passes-ffi").count(), 1, "{all}");
            assert_eq!(all.matches(" --features passes-ffi/uniffi").count(), 1, "{all}");
        }
        assert!(!call(&["core"]).contains("--features"));
    }

    #[test]
    fn every_area_runs_something_and_is_listed() {
        for area in AREAS {
            assert!(!area.packages.is_empty() || !area.steps.is_empty(), "{}", area.name);
            assert!(list().contains(area.name));
        }
    }

    #[test]
    fn every_member_of_the_workspace_is_in_an_area() {
        let root = Workspace::find().root().to_path_buf();
        let manifest = |folder: &str| std::fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
        let workspace = manifest(".");
        let members =
            workspace.split_once("members = [").and_then(|(_, rest)| rest.split_once(']')).unwrap().0;
        let members = members.split(',').map(|member| member.trim().trim_matches('"'));
        let mut count = 0;
        for member in members.filter(|member| !member.is_empty()) {
            // Not every package is called as its folder is.
            let manifest = manifest(member);
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
            let area = AREAS.iter().find(|area| area.packages.contains(&name.trim_matches('"')));
            let area = area.unwrap_or_else(|| panic!("{member} is in no area"));
            let starts_servers = member != "xtask" && manifest.contains("test-postgres.workspace");
            assert!(!starts_servers || area.prepare.contains(&Need::Postgres), "{member} needs a server");
            count += 1;
        }
        assert!(count > 5);
    }

    #[test]
    fn the_sum_is_the_last_line_and_stands_alone() {
        let mut total = Tally { passed: 7, ..Tally::default() };
        total.add(Tally::skip("cargo fmt: rustfmt isn't installed"));
        for strict in [false, true] {
            let text = report(&total, strict);
            assert_eq!(text.lines().last(), Some("7 passed, 0 failed, 1 skipped"));
            assert!(text.contains("skipped: cargo fmt: rustfmt isn't installed\n"));
            assert_eq!(text.contains("CI is set"), strict);
        }
    }
}

//! The area `python`: the package for Python is built into an environment of its own, and its types, its stub and its
//! tests are checked there.

use crate::tally::Tally;
use crate::workspace::{Workspace, say};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the package is built and checked with. `pyright[nodejs]` brings its own Node.
const TOOLS: [&str; 4] = ["maturin==1.16.0", "mypy==2.4.1", "pyright[nodejs]==1.1.414", "pytest==9.2.0"];

/// The oldest Python that the package is for.
const OLDEST: (u32, u32) = (3, 10);

/// Builds it, and runs all that there is to run.
pub(crate) fn python(workspace: &Workspace) -> Tally {
    let home = workspace.root().join("target/python");
    let venv = match environment(&home) {
        Ok(venv) => venv,
        Err(why) => return Tally::skip(format!("the package for Python: {why}")),
    };
    let package = workspace.root().join("bindings/python");
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(venv.join("bin").join(program));
        command.args(args).current_dir(&package).env("VIRTUAL_ENV", &venv);
        command.env("PATH", path_with(&venv)).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    let built = check(run("maturin", &["develop", "--locked", "--quiet"]));
    let mut total = Tally::default();
    let is_built = built.failed == 0;
    total.add(built);
    if !is_built {
        return total;
    }
    total.add(lint(workspace, &venv));
    total.add(check(run("mypy", &[])));
    total.add(check(run("python", &["-m", "mypy.stubtest", "passes"])));
    total.add(check(run("pyright", &[])));
    total.add(pytest(run("python", &["-m", "pytest", "-p", "no:cacheprovider"])));
    total
}

/// Clippy on the Rust of the native module, which the workspace's own run doesn't build.
fn lint(workspace: &Workspace, venv: &Path) -> Tally {
    if !workspace.has("clippy") {
        return Tally::skip(
            "cargo clippy on the Python face: clippy isn't installed (rustup component add clippy)",
        );
    }
    let mut cargo = workspace.cargo();
    cargo.args(["clippy", "-p", "passes-ffi", "--features", "python", "--lib", "--", "-D", "warnings"]);
    cargo.env("PYO3_PYTHON", venv.join("bin/python"));
    check(cargo)
}

/// A virtual environment with the tools in it.
fn environment(home: &Path) -> Result<PathBuf, String> {
    let venv = home.join("venv");
    let marks = home.join("tools");
    let wanted = TOOLS.join("\n");
    if std::fs::read_to_string(&marks).is_ok_and(|there| there == wanted) && venv.join("bin/python").exists()
    {
        return Ok(venv);
    }
    let python = interpreter()?;
    say(&format!("\n== {python} -m venv {}; pip install {}\n", venv.display(), TOOLS.join(" ")));
    let made = Command::new(&python).args(["-m", "venv", "--clear"]).arg(&venv).output();
    let made = made.map_err(|error| format!("{python}: {error}"))?;
    if !made.status.success() {
        return Err("no virtual environment can be made (Debian: apt-get install python3-venv)".into());
    }
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(TOOLS);
    match pip.status() {
        Ok(status) if status.success() => {}
        _ => return Err(format!("pip can't install {}", TOOLS.join(" "))),
    }
    std::fs::write(&marks, wanted).map_err(|error| format!("{}: {error}", marks.display()))?;
    Ok(venv)
}

/// A Python that is new enough.
fn interpreter() -> Result<String, String> {
    let (major, minor) = OLDEST;
    let test = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    let fits = |name: &&str| {
        let told = Command::new(name).args(["-c", &test]).stderr(Stdio::null()).status();
        told.is_ok_and(|status| status.success())
    };
    let found = ["python3", "python"].into_iter().find(fits);
    found.map(str::to_owned).ok_or_else(|| format!("there is no Python {major}.{minor} or later"))
}

/// The programs of the environment come first: pyright asks for the Python that it is to look at.
fn path_with(venv: &Path) -> std::ffi::OsString {
    let before = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(venv.join("bin")).chain(std::env::split_paths(&before));
    std::env::join_paths(all).unwrap_or(before)
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut text = program.to_string_lossy().into_owned();
    for arg in command.get_args() {
        text += " ";
        text += &arg.to_string_lossy();
    }
    text
}

/// A program that counts as one test.
fn check(mut command: Command) -> Tally {
    let what = shown(&command);
    say(&format!("\n== {what}\n"));
    match command.status() {
        Ok(status) if status.success() => Tally::pass(),
        Ok(_) => Tally::fail(what),
        Err(error) => Tally::fail(format!("{what}: can't be started: {error}")),
    }
}

/// Runs pytest, and counts what it tells in its last line.
fn pytest(mut command: Command) -> Tally {
    let what = shown(&command);
    say(&format!("\n== {what}\n"));
    let output = match command.stdin(Stdio::null()).stderr(Stdio::inherit()).output() {
        Ok(output) => output,
        Err(error) => return Tally::fail(format!("{what}: can't be started: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    say(&text);
    let mut told = text.lines().rev().find_map(counts).unwrap_or_default();
    let named = |line: &&str| line.starts_with("FAILED ") || line.starts_with("ERROR ");
    told.failures.extend(text.lines().filter(named).map(str::to_owned));
    if told.skipped > 0 {
        told.skips.push(format!("{what}: {} tests", told.skipped));
    }
    if told.failed == 0 && (!output.status.success() || told.passed == 0) {
        told.add(Tally::fail(format!("{what}: ended with an error, or without a test")));
    }
    told
}

/// `2 failed, 161 passed, 1 skipped in 3.42s`, with or without a frame.
fn counts(line: &str) -> Option<Tally> {
    let (words, _) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let mut tally = Tally::default();
    for part in words.split(", ") {
        let (count, what) = part.split_once(' ')?;
        let count: u64 = count.parse().ok()?;
        match what {
            "passed" | "xpassed" => tally.passed += count,
            "failed" | "error" | "errors" => tally.failed += count,
            "skipped" | "xfailed" | "deselected" => tally.skipped += count,
            _ => {}
        }
    }
    Some(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_counted() {
        let told = counts("=== 2 failed, 161 passed, 1 skipped, 1 error in 3.42s ===").unwrap();
        assert_eq!((told.passed, told.failed, told.skipped), (161, 3, 1));
        assert_eq!(counts("161 passed in 0.5s").unwrap().passed, 161);
        assert_eq!(counts("tests/test_values.py ....."), None);
        assert_eq!(counts("no tests ran in 0.01s"), None);
    }

    #[test]
    fn tools_are_pinned() {
        assert!(TOOLS.iter().all(|tool| tool.contains("==")));
    }
}

//! The area `python`: the package for Python is installed into an environment of its own, and its types, its stub and its
//! tests are checked there.

use crate::bindings::{self, copy, done, shown};
use crate::sizes;
use crate::system;
use crate::tally::Tally;
use crate::workspace::{Workspace, say};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the package is built and checked with. `pyright[nodejs]` brings its own Node.
const TOOLS: [&str; 4] = ["maturin==1.16.0", "mypy==2.4.1", "pyright[nodejs]==1.1.414", "pytest==9.2.0"];

/// Builds it as a user would who has no wheel for the system: from a source distribution. Then all that there is to
/// run is run on what was installed.
pub(crate) fn python(workspace: &Workspace) -> Tally {
    let Ok(interpreter) = system::python() else {
        // The need of the area has told it.
        return Tally::default();
    };
    let package = match Package::prepare(workspace, interpreter) {
        Ok(package) => package,
        Err(why) => return Tally::skip(format!("the package for Python: {why}")),
    };
    let mut total = match package.install(workspace) {
        Ok(checks) => checks,
        Err(why) => return Tally::fail(why),
    };
    total.add(check(package.run("mypy", &[])));
    total.add(check(package.run("stubtest", &["passes"])));
    total.add(check(package.run("pyright", &[])));
    let mut tests = package.run("pytest", &["-p", "no:cacheprovider"]);
    if let Some(url) = system::database() {
        tests.env(bindings::DATABASE, url);
    }
    total.add(pytest(tests));
    total
}

/// `cargo xtask demo python`: the gift shop in Python.
pub(crate) fn python_demo(workspace: &Workspace) -> Result<(), String> {
    let package = Package::prepare(workspace, system::python()?)?;
    package.install(workspace)?;
    let shop = package.home.join("gift_shop");
    let _ = fs::remove_dir_all(&shop);
    done(package.run("python", &["examples/gift_shop.py"]).arg(&shop))
}

/// The package, and the environment that it is installed into.
struct Package {
    sources: PathBuf,
    home: PathBuf,
    venv: PathBuf,
}

impl Package {
    fn prepare(workspace: &Workspace, interpreter: &str) -> Result<Self, String> {
        let home = workspace.root().join("target/python");
        let venv = environment(interpreter, &home)?;
        Ok(Self { sources: workspace.root().join("bindings/python"), home, venv })
    }

    /// A program of the environment. By its name and not by `python -m`, which would find the sources before what was
    /// installed.
    fn run(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(self.venv.join("bin").join(program));
        command.args(args).current_dir(&self.sources).env("VIRTUAL_ENV", &self.venv);
        command.env("PATH", path_with(&self.venv)).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Makes the source distribution, a wheel of it, and installs that; and weighs its native module.
    fn install(&self, workspace: &Workspace) -> Result<Tally, String> {
        let home = &self.home;
        let (sources, unpacked, wheels) = (home.join("sources"), home.join("unpacked"), home.join("wheels"));
        for folder in [&sources, &unpacked, &wheels] {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        done(self.run("maturin", &["sdist", "--out"]).arg(&sources))?;
        let archive = only(&sources)?;
        // Its files are dated in the past, where cargo would not see that they are new.
        done(Command::new("tar").args(["--touch", "-xzf"]).arg(&archive).arg("-C").arg(&unpacked))?;
        let tree = home.join("tree");
        follow(&only(&unpacked)?, &tree)?;
        let mut build = self.run("maturin", &["build", "--profile", "dev", "--quiet", "--out"]);
        done(build.arg(&wheels).arg("--target-dir").arg(workspace.target()).current_dir(&tree))?;
        let wheel = only(&wheels)?;
        let mut pip = self.run("python", &["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        done(pip.args(["--force-reinstall", "--no-deps", "--no-index"]).arg(&wheel))?;
        let mut total = Tally::pass();

        let mut find = self.run("python", &["-c", "import passes._native as native; print(native.__file__)"]);
        find.current_dir(home);
        let found = find.output().map_err(|error| format!("python: {error}"))?;
        let module = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        let stripped = home.join("native.so");
        sizes::strip(Path::new(&module), &stripped)?;
        total.add(sizes::check(workspace, "python", "tests", &stripped));
        Ok(total)
    }
}

/// The only thing in a folder.
fn only(folder: &Path) -> Result<PathBuf, String> {
    let mut found = fs::read_dir(folder).into_iter().flatten().flatten();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.path()),
        _ => Err(format!("{}: one thing was to be made here", folder.display())),
    }
}

/// Makes one folder as another is, and leaves alone what is the same: it isn't built again.
fn follow(from: &Path, to: &Path) -> Result<(), String> {
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let names = |folder: &Path| -> BTreeSet<OsString> {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
    };
    fs::create_dir_all(to).map_err(|error| told(to, error))?;
    let wanted = names(from);
    for gone in names(to).difference(&wanted) {
        let gone = to.join(gone);
        let removed = if gone.is_dir() { fs::remove_dir_all(&gone) } else { fs::remove_file(&gone) };
        removed.map_err(|error| told(&gone, error))?;
    }
    for name in wanted {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            follow(&from, &to)?;
        } else {
            copy(&from, &to)?;
        }
    }
    Ok(())
}

/// A virtual environment with the tools in it.
fn environment(python: &str, home: &Path) -> Result<PathBuf, String> {
    let venv = home.join("venv");
    let marks = home.join("tools");
    let wanted = TOOLS.join("\n");
    if fs::read_to_string(&marks).is_ok_and(|there| there == wanted) && venv.join("bin/python").exists() {
        return Ok(venv);
    }
    say(&format!("\n== {python} -m venv {}; pip install {}\n", venv.display(), TOOLS.join(" ")));
    let made = Command::new(python).args(["-m", "venv", "--clear"]).arg(&venv).output();
    let made = made.map_err(|error| format!("{python}: {error}"))?;
    if !made.status.success() {
        return Err("no virtual environment can be made".into());
    }
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(TOOLS);
    match pip.status() {
        Ok(status) if status.success() => {}
        _ => return Err(format!("pip can't install {}", TOOLS.join(" "))),
    }
    fs::write(&marks, wanted).map_err(|error| format!("{}: {error}", marks.display()))?;
    Ok(venv)
}

/// The programs of the environment come first: pyright asks for the Python that it is to look at.
fn path_with(venv: &Path) -> std::ffi::OsString {
    let before = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(venv.join("bin")).chain(std::env::split_paths(&before));
    std::env::join_paths(all).unwrap_or(before)
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

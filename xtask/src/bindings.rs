//! The tests of the library in other languages: the library and what is generated from it are built first.

use crate::tally::Tally;
use crate::workspace::{Workspace, say};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where cargo builds.
fn target(workspace: &Workspace) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.root().join("target"), PathBuf::from)
}

/// Builds the library with its face for Kotlin and Swift, the generator, and what that writes.
fn generate(workspace: &Workspace) -> Result<(), String> {
    // One at a time: together they would be built with each other's features.
    for package in [&["passes-ffi", "--features", "uniffi"][..], &["uniffi-bindgen"]] {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--package"]).args(package);
        done(cargo)?;
    }
    let target = target(workspace);
    let mut bindgen = Command::new(target.join("debug/uniffi-bindgen"));
    bindgen.current_dir(workspace.root());
    bindgen.args([target.join("debug/libpasses_ffi.so"), target.join("bindings")]);
    done(bindgen)
}

/// Runs a command that must succeed.
fn done(mut command: Command) -> Result<(), String> {
    let what = format!("{command:?}").replace('"', "");
    say(&format!("\n== {what}\n"));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}")),
        Err(error) => Err(format!("{what}: can't be started: {error}")),
    }
}

/// Runs tests, shows what they say, and counts what `read` finds in their lines: how many ran, failed, were skipped.
fn counted(mut command: Command, read: fn(&str) -> Option<[u64; 3]>) -> Tally {
    let what = format!("{command:?}").replace('"', "");
    say(&format!("\n== {what}\n"));
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Tally::fail(format!("{what}: can't be started: {error}")),
    };
    let mut last = None;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line);
            say(&format!("{text}\n"));
            last = read(&text).or(last);
        }
    }
    let good = child.wait().is_ok_and(|status| status.success());
    let Some([ran, failed, skipped]) = last else { return Tally::fail(format!("{what}: no tests ran")) };
    let passed = ran.saturating_sub(failed).saturating_sub(skipped);
    let mut tally = Tally { passed, failed, skipped, ..Tally::default() };
    if failed > 0 {
        tally.failures.push(format!("{what}: {failed} of {ran}"));
    } else if !good {
        tally.add(Tally::fail(what));
    }
    tally
}

/// `mvn verify` of `bindings/kotlin`.
pub(crate) fn kotlin(workspace: &Workspace) -> Tally {
    if Command::new("mvn").arg("--version").output().is_err() {
        // The need of the area has told it.
        return Tally::default();
    }
    if let Err(why) = generate(workspace) {
        return Tally::fail(why);
    }
    let mut maven = Command::new("mvn");
    maven.current_dir(workspace.root().join("bindings/kotlin"));
    // The compiler's daemon would outlive the tests.
    maven.args(["-B", "-Dkotlin.compiler.daemon=false", "verify"]);
    let target = target(workspace);
    for (name, folder) in [
        ("native.dir", "debug"),
        ("generated.dir", "bindings/kotlin"),
        ("vectors.codec.dir", "bindings/kotlin-vectors"),
    ] {
        maven.arg(format!("-D{name}={}", target.join(folder).display()));
    }
    counted(maven, surefire)
}

/// `[INFO] Tests run: 231, Failures: 0, Errors: 0, Skipped: 0`, the sum; those of a class end with a time.
fn surefire(line: &str) -> Option<[u64; 3]> {
    let (_, counts) = line.split_once("Tests run: ").filter(|_| !line.contains("Time elapsed"))?;
    let mut numbers = counts.split(", ").map(|part| part.rsplit(' ').next()?.trim().parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    let (ran, failures, errors, skipped) = (next()?, next()?, next()?, next()?);
    Some([ran, failures + errors, skipped])
}

/// `swift test` of `bindings/swift`, in Debian's Swift, which is put into a folder of its own.
pub(crate) fn swift(workspace: &Workspace) -> Tally {
    let is_there = |command: &str| Command::new(command).arg("--version").output().is_ok();
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if !root || !is_there("apt-get") || !is_there("unshare") {
        return Tally::skip(
            "the tests in Swift: Debian's Swift is put into a folder by root, with apt-get and unshare",
        );
    }
    swift_tests(workspace).unwrap_or_else(Tally::fail)
}

fn swift_tests(workspace: &Workspace) -> Result<Tally, String> {
    generate(workspace)?;
    let (target, package) = (target(workspace), workspace.root().join("bindings/swift"));
    let tools = package.join("tools");
    for (from, to) in [
        ("bindings/swift/Passes.swift", "Sources/Passes/Passes.swift"),
        ("bindings/swift/PassesFFI.h", "Sources/PassesFFI/PassesFFI.h"),
        ("bindings/swift-vectors/Codec.swift", "Tests/PassesTests/Codec.swift"),
    ] {
        copy(&target.join(from), &package.join(to))?;
    }
    let mut install = Command::new(tools.join("swift-root.sh"));
    install.arg(target.join("swift-root"));
    done(install)?;
    // What it links is found inside of the folder, where the workspace is at /src.
    let (library, inside) = (target.join("debug/libpasses_ffi.so"), package.join(".build/lib"));
    fs::create_dir_all(&inside).map_err(|error| format!("{}: {error}", inside.display()))?;
    copy(&library, &inside.join("libpasses_ffi.so"))?;
    let mut test = Command::new(tools.join("swift-in.sh"));
    test.arg(target.join("swift-root")).arg(workspace.root());
    test.args(["bash", "-c"]).arg(
        "cd /src/bindings/swift && LD_LIBRARY_PATH=/src/bindings/swift/.build/lib \
         swift test -Xlinker -L/src/bindings/swift/.build/lib 2>&1",
    );
    Ok(counted(test, xctest))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    // What is the same keeps its time, so that nothing is built again for it.
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let new = read(from)?;
    if read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    fs::write(to, new).map_err(|error| format!("{}: {error}", to.display()))
}

/// `Executed 9 tests, with 0 failures (0 unexpected) in 3.1 seconds`, at last the sum.
fn xctest(line: &str) -> Option<[u64; 3]> {
    let rest = line.trim_start().strip_prefix("Executed ")?;
    let mut words = rest.split(' ');
    let ran = words.next()?.parse().ok()?;
    let failures =
        rest.split_once(" failure").and_then(|(before, _)| before.rsplit(' ').next())?.parse().ok()?;
    let skipped = rest.split_once(" tests skipped").and_then(|(before, _)| before.rsplit(' ').next());
    Some([ran, failures, skipped.and_then(|number| number.parse().ok()).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_other_languages_are_read() {
        assert_eq!(surefire("[INFO] Tests run: 231, Failures: 1, Errors: 2, Skipped: 3"), Some([231, 3, 3]));
        let class =
            "[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 3.0 s -- in org.passes";
        assert_eq!(surefire(class), None);
        assert_eq!(surefire("[INFO] BUILD SUCCESS"), None);
        let all = "\t Executed 9 tests, with 1 failure (0 unexpected) in 3.100 (3.101) seconds";
        assert_eq!(xctest(all), Some([9, 1, 0]));
        let some =
            "Executed 9 tests, with 2 tests skipped and 0 failures (0 unexpected) in 3.1 (3.1) seconds";
        assert_eq!(xctest(some), Some([9, 0, 2]));
        assert_eq!(xctest("Build complete!"), None);
    }
}

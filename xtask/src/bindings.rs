//! The tests of the library in other languages, by the tools of each.

use crate::sizes;
use crate::system;
use crate::tally::Tally;
use crate::workspace::{Workspace, say};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable that names an empty database of PostgreSQL to the tests of other languages.
pub(crate) const DATABASE: &str = "PASSES_TEST_DATABASE";

/// What is made for Kotlin and Swift: their sources, and in `native` the library, stripped.
struct Made(PathBuf);

impl Made {
    /// Writes it into a folder of `target`.
    fn write(workspace: &Workspace, built: &Path, folder: &str) -> Result<Self, String> {
        let made = Self(workspace.target().join(folder));
        let mut bindgen = Command::new(workspace.target().join("debug/uniffi-bindgen"));
        // What it looks for is not in a stripped library.
        done(bindgen.current_dir(workspace.root()).arg(built).arg(&made.0))?;
        let native = made.native();
        fs::create_dir_all(&native).map_err(|error| format!("{}: {error}", native.display()))?;
        sizes::strip(built, &made.library())?;
        Ok(made)
    }

    /// From the library that the areas' own build has made with the tests; with what has to be said of that.
    fn of_tests(workspace: &Workspace) -> Result<(Self, Tally), String> {
        let built = workspace.target().join("debug/deps/libpasses_ffi.so");
        let made = Self::write(workspace, &built, "bindings")?;
        let mut tally = sizes::check(workspace, "kotlin and swift", "tests", &made.library());
        tally.add(needs_little(&made.library()));
        Ok((made, tally))
    }

    fn native(&self) -> PathBuf {
        self.0.join("native")
    }

    fn library(&self) -> PathBuf {
        self.native().join("libpasses_ffi.so")
    }
}

/// What hosts have anyway: no library of Python, nor one that has to be installed.
fn needs_little(library: &Path) -> Tally {
    const ANYWHERE: [&str; 4] = ["[libc.so.", "[libgcc_s.so.", "[libm.so.", "[ld-linux"];
    let what = format!("readelf -d {}", library.display());
    say(&format!("\n== {what}\n"));
    let told = match Command::new("readelf").arg("-d").arg(library).output() {
        Ok(told) if told.status.success() => told.stdout,
        Ok(told) => return Tally::fail(format!("{what}: {}", String::from_utf8_lossy(&told.stderr))),
        Err(error) => return Tally::fail(format!("{what}: can't be started: {error}")),
    };
    let told = String::from_utf8_lossy(&told);
    let needed = told.lines().filter(|line| line.contains("(NEEDED)"));
    let odd: Vec<&str> = needed.filter(|line| !ANYWHERE.iter().any(|name| line.contains(name))).collect();
    if odd.is_empty() { Tally::pass() } else { Tally::fail(format!("{what}: {}", odd.join(","))) }
}

/// A command without the folder of its program.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    std::iter::once(program.to_string_lossy()).chain(args).collect::<Vec<_>>().join(" ")
}

/// Runs a command that must succeed.
pub(crate) fn done(command: &mut Command) -> Result<(), String> {
    let what = shown(command);
    say(&format!("\n== {what}\n"));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}")),
        Err(error) => Err(format!("{what}: can't be started: {error}")),
    }
}

/// Runs tests, shows what they say, and counts what `read` finds in their lines: how many ran, failed, were skipped.
fn counted(mut command: Command, read: fn(&str) -> Option<[u64; 3]>) -> Tally {
    let what = shown(&command);
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
    if skipped > 0 {
        tally.skips.push(format!("{what}: {skipped} of {ran}"));
    }
    if failed > 0 {
        tally.failures.push(format!("{what}: {failed} of {ran}"));
    } else if !good {
        tally.add(Tally::fail(what));
    }
    tally
}

/// Builds what the areas of Kotlin and Swift find built.
fn build(workspace: &Workspace) -> Result<(), String> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--no-run", "--tests", "--package", "passes-ffi", "--package", "uniffi-bindgen"]);
    done(cargo.args(["--features", "passes-ffi/uniffi"]))
}

/// `mvn verify` of `bindings/kotlin`.
pub(crate) fn kotlin(workspace: &Workspace) -> Tally {
    if Command::new("mvn").arg("--version").output().is_err() {
        // The need of the area has told it.
        return Tally::default();
    }
    let (made, mut total) = match Made::of_tests(workspace) {
        Ok(made) => made,
        Err(why) => return Tally::fail(why),
    };
    let mut maven = maven(workspace, &made);
    if let Some(url) = system::database() {
        maven.env(DATABASE, url);
    }
    maven.arg("verify");
    total.add(counted(maven, surefire));
    total
}

/// Maven in `bindings/kotlin`.
fn maven(workspace: &Workspace, made: &Made) -> Command {
    let mut maven = Command::new("mvn");
    maven.current_dir(workspace.root().join("bindings/kotlin"));
    // The compiler's daemon would outlive the tests.
    maven.args(["-B", "-Dkotlin.compiler.daemon=false"]);
    for (name, folder) in [
        ("native.dir", made.native()),
        ("generated.dir", made.0.join("kotlin")),
        ("vectors.codec.dir", made.0.join("kotlin-vectors")),
    ] {
        maven.arg(format!("-D{name}={}", folder.display()));
    }
    maven
}

/// `cargo xtask demo kotlin`: the gift shop in Kotlin.
pub(crate) fn kotlin_demo(workspace: &Workspace) -> Result<(), String> {
    build(workspace)?;
    let (made, _) = Made::of_tests(workspace)?;
    done(maven(workspace, &made).args(["-q", "test-compile", "exec:java"]))
}

/// `cargo xtask measure`: what a call of the library in Kotlin and in Swift costs, beside a bare one.
pub(crate) fn measure(workspace: &Workspace) -> Result<(), String> {
    build(workspace)?;
    let mut cargo = workspace.cargo();
    done(cargo.args(["build", "--release", "--package", "passes-ffi", "--features", "measure"]))?;
    let made = Made::write(workspace, &workspace.target().join("release/libpasses_ffi.so"), "measure")?;
    let mut maven = maven(workspace, &made);
    maven.args(["-q", "-Pmeasure", "-Dmain.class=org.passes.measure.MeasureKt"]);
    maven.arg(format!("-Dbuild.dir={}", made.0.join("maven").display()));
    let kotlin = done(maven.args(["test-compile", "exec:java"]));
    let swift = match no_swift() {
        Some(why) => Err(why.to_owned()),
        None => swift_in(
            workspace,
            &made,
            "run -c release --scratch-path .build/measure",
            "measure",
            &[("PASSES_MEASURE", "1")],
        )
        .and_then(|mut swift| done(&mut swift)),
    };
    kotlin.and(swift)
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
    match no_swift() {
        Some(why) => Tally::skip(format!("the tests in Swift: {why}")),
        None => swift_tests(workspace).unwrap_or_else(Tally::fail),
    }
}

fn no_swift() -> Option<&'static str> {
    let is_there = |command: &str| Command::new(command).arg("--version").output().is_ok();
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let able = root && is_there("apt-get") && is_there("dpkg-deb") && is_there("unshare");
    (!able).then_some("Debian's Swift is put into a folder by root, with apt-get, dpkg-deb and unshare")
}

fn swift_tests(workspace: &Workspace) -> Result<Tally, String> {
    let (made, mut total) = Made::of_tests(workspace)?;
    // In a root of its own it doesn't see the server's socket.
    let url = system::database().map(|url| test_postgres::by_tcp(&url));
    let variables: Vec<(&str, &str)> = url.iter().map(|url| (DATABASE, url.as_str())).collect();
    total.add(counted(swift_in(workspace, &made, "test", "", &variables)?, xctest));
    Ok(total)
}

/// `cargo xtask demo swift`: the gift shop in Swift.
pub(crate) fn swift_demo(workspace: &Workspace) -> Result<(), String> {
    if let Some(why) = no_swift() {
        return Err(why.to_owned());
    }
    build(workspace)?;
    let (made, _) = Made::of_tests(workspace)?;
    done(&mut swift_in(workspace, &made, "run", "gift-shop", &[])?)
}

/// A command of `swift` in the folder of Debian's Swift, over `bindings/swift` with all that is made for it.
fn swift_in(
    workspace: &Workspace,
    made: &Made,
    command: &str,
    product: &str,
    variables: &[(&str, &str)],
) -> Result<Command, String> {
    let (target, package) = (workspace.target(), workspace.root().join("bindings/swift"));
    for (from, to) in [
        ("swift/Passes.swift", "Sources/Passes/Passes.swift"),
        ("swift/PassesFFI.h", "Sources/PassesFFI/PassesFFI.h"),
        ("swift-vectors/Codec.swift", "Tests/PassesTests/Codec.swift"),
    ] {
        copy(&made.0.join(from), &package.join(to))?;
    }
    let tools = package.join("tools");
    done(Command::new(tools.join("swift-root.sh")).arg(target.join("swift-root")))?;
    // What it links is found inside of the folder, where the workspace is at /src.
    let inside = package.join(".build/lib");
    fs::create_dir_all(&inside).map_err(|error| format!("{}: {error}", inside.display()))?;
    copy(&made.library(), &inside.join("libpasses_ffi.so"))?;
    let mut swift = Command::new(tools.join("swift-in.sh"));
    swift.arg(target.join("swift-root")).arg(workspace.root()).arg("env");
    swift.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
    swift.args(["bash", "-c"]).arg(format!(
        "cd /src/bindings/swift && LD_LIBRARY_PATH=/src/bindings/swift/.build/lib \
         swift {command} -Xlinker -L/src/bindings/swift/.build/lib {product} 2>&1"
    ));
    Ok(swift)
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
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
    let skipped = rest.split_once(" test skipped").or_else(|| rest.split_once(" tests skipped"));
    let skipped = skipped.and_then(|(before, _)| before.rsplit(' ').next());
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
        let one = "Executed 9 tests, with 1 test skipped and 0 failures (0 unexpected) in 3.1 (3.1) seconds";
        assert_eq!(xctest(one), Some([9, 0, 1]));
        assert_eq!(xctest("Build complete!"), None);
    }
}

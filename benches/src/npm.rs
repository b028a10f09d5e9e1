//! Peers of npm, each a process of its own. They are installed into `target/peers/npm`, with the
//! versions of the lock file; nothing else of the machine is touched.

use crate::run::{root, target};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is copied beside the packages.
const FILES: [&str; 3] = ["package.json", "package-lock.json", "generate.mjs"];

/// A program of Node in the folder where its packages are, or why there is none.
pub(crate) fn node(script: &str) -> Result<Command, String> {
    let folder = installed()?;
    let mut command = Command::new("node");
    command.arg(folder.join(script)).current_dir(&folder);
    Ok(command)
}

/// The folder with the packages, installed now if need be.
fn installed() -> Result<PathBuf, String> {
    let (from, to) = (root().join("benches/peers/npm"), target().join("peers/npm"));
    version("node")?;
    let failed = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
    let known = std::fs::read(to.join("package-lock.json")).ok();
    let wanted = std::fs::read(from.join("package-lock.json")).map_err(|error| failed(&from, error))?;
    let done = to.join("installed");
    std::fs::create_dir_all(&to).map_err(|error| failed(&to, error))?;
    let fresh = done.exists() && known.is_some_and(|known| known == wanted);
    for file in FILES {
        std::fs::copy(from.join(file), to.join(file)).map_err(|error| failed(&from.join(file), error))?;
    }
    if fresh {
        return Ok(to);
    }
    version("npm")?;
    // Left only by an installation that came to its end.
    drop(std::fs::remove_file(&done));
    eprintln!("  installing the peers of npm into {}", to.display());
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&to);
    let output = npm.stdin(Stdio::null()).output().map_err(|error| format!("npm: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().find(|line| line.contains("npm error")).unwrap_or("it failed");
        return Err(format!("npm ci: {why}"));
    }
    std::fs::write(&done, "").map_err(|error| failed(&done, error))?;
    Ok(to)
}

/// The version of a program, or that it isn't there.
pub(crate) fn version(program: &str) -> Result<String, String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => Err(format!("{program} isn't installed, or not in PATH")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let why = version("no-such-program-of-passes").unwrap_err();
        assert_eq!(why, "no-such-program-of-passes isn't installed, or not in PATH");
    }

    #[test]
    fn the_lock_file_pins_what_is_measured() {
        let read = |file: &str| std::fs::read_to_string(root().join("benches/peers/npm").join(file)).unwrap();
        let lock: serde_json::Value = serde_json::from_str(&read("package-lock.json")).unwrap();
        let package: serde_json::Value = serde_json::from_str(&read("package.json")).unwrap();
        for (name, version) in package["dependencies"].as_object().unwrap() {
            let locked = &lock["packages"][format!("node_modules/{name}")];
            assert_eq!(&locked["version"], version, "{name}");
            assert!(locked["integrity"].is_string() && read("generate.mjs").contains(name), "{name}");
        }
    }
}

//! What a figure depends on: the machine, the compiler, the commit, and what else went on.

use crate::run::{root, target};
use passes_host::{Clock, SystemClock};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The facts, as they stand in `target/bench.json`. What the system doesn't tell is null.
pub(crate) fn facts() -> Value {
    let cores = std::thread::available_parallelism().map(usize::from).ok();
    let day = SystemClock.now().to_string();
    json!({
        "cores": cores,
        "cpu": after("/proc/cpuinfo", "model name"),
        "memory": after("/proc/meminfo", "MemTotal"),
        "system": std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        "disk": file_system(&target()),
        "date": day.split('T').next(),
        "rustc": said("rustc", &["--version"]),
        "commit": commit(),
        "load": load(),
    })
}

/// How many threads wanted to run in the last minute, on average.
pub(crate) fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// The commit that is checked out; `+` when files differ from it.
pub(crate) fn commit() -> Option<String> {
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"])?;
    let changed = said("git", &["status", "--porcelain"]).is_none_or(|files| !files.is_empty());
    Some(if changed { commit + "+" } else { commit })
}

/// The file system of a folder.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let of = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    let holding = mounts.lines().filter_map(of).filter(|(point, _)| folder.starts_with(point));
    holding.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind)
}

/// What stands behind a name in one of the system's files.
fn after(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What a command says.
pub(crate) fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(root()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

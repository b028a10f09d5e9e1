//! What keeps the core pure: it depends on few crates, each for a reason, and none of them, nor its own code,
//! reaches for files, networks, clocks, randomness or a runtime. What a use case needs of these its host brings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every crate that the core may name in its manifest, and why it needs it. A new one is a decision: it stands
/// here, and nowhere else.
const ALLOWED: &[(&str, &str)] = &[
    ("blake3", "hashes, digests, fingerprints and derived keys"),
    ("chacha20poly1305", "seals what can bring a code back"),
    ("chrono", "calendar arithmetic; without its clock"),
    ("chrono-tz", "the rules of time zones"),
    ("constant_time_eq", "compares secrets"),
    ("csv", "exports and imports of codes"),
    ("futures-channel", "an answer, from the thread that found it to who waits"),
    ("iso_currency", "the currencies of ISO 4217"),
    ("oxilangtag", "language tags, BCP 47"),
    ("postcard", "the compact form of stored records"),
    ("prefetch-index", "asks for rows of the memory store before they are needed"),
    ("rand_core", "the trait of a caller's generator; without the operating system's"),
    ("rust_decimal", "decimal numbers at the edges of money"),
    ("serde", "the forms of records"),
    ("serde_json", "values of custom fields, and stored settings"),
    ("thiserror", "errors"),
    ("toml", "plan files"),
    ("unicode-normalization", "folds what people type as a code"),
    ("unicode-properties", "tells which characters a typed code may hold"),
    ("uuid", "ids as text; without its generators"),
    ("zeroize", "wipes secrets"),
];

/// Crates that must not come in by any way: runtimes, the operating system's randomness, databases, networks.
#[rustfmt::skip]
const BANNED: &[&str] = &[
    "async-executor", "async-global-executor", "async-io", "async-std", "diesel", "fastrand", "futures-executor",
    "getrandom", "hyper", "iana-time-zone", "libsqlite3-sys", "mio", "openssl-sys", "polling", "postgres",
    "rand", "reqwest", "ring", "rusqlite", "rustls", "smol", "socket2", "sqlx-core", "tokio", "tokio-postgres",
    "ureq",
];

/// Features by which a crate that is allowed would bring a clock or randomness of its own.
const BANNED_FEATURES: &[(&str, &[&str])] = &[
    ("chacha20poly1305", &["getrandom", "rand_core"]),
    ("chrono", &["clock", "iana-time-zone", "now", "wasmbind"]),
    ("rand_core", &["os_rng"]),
    ("rust_decimal", &["rand"]),
    ("uuid", &["fast-rng", "rng", "v1", "v4", "v6", "v7"]),
];

/// Words that the core's code must not hold, outside of its tests.
#[rustfmt::skip]
const FORBIDDEN: &[&str] = &[
    // The outside world.
    "std::fs", "std::net", "std::process", "std::env", "std::os", "io::stdin", "io::stdout", "io::stderr",
    "print!", "println!", "eprint!", "eprintln!", "dbg!",
    // Clocks.
    "SystemTime", "time::Instant", "Utc::now", "Local::now", "Instant::now", "Uuid::now_v7",
    // Randomness.
    "OsRng", "SysRng", "getrandom", "thread_rng", "ThreadRng", "rand::rng", "from_os_rng", "Uuid::new_v4",
    // Runtimes and threads.
    "tokio", "async_std", "thread::spawn", "thread::sleep", "thread::Builder", "thread::scope",
];

/// Where a forbidden word may stand all the same, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "store/memory/pause.rs",
        "thread::Builder",
        "the timer of the memory store, for callers that must not block",
    ),
    ("store/memory/pause.rs", "thread::sleep", "the same timer, and that of callers that may block"),
];

fn package() -> PathBuf {
    // cargo says at run time where the package lies; the place at build time is for a binary run by hand.
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// One of cargo's commands on the core alone, with what the machine has.
fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(command).arg("--manifest-path").arg(package().join("Cargo.toml"));
    cargo.args(["--offline", "--package", "passes-core"]);
    cargo
}

/// The crates that a manifest depends on at run time or at build time, for whatever target.
fn dependencies(table: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (kind, entries) in table {
        match (kind.as_str(), entries.as_table()) {
            ("dependencies" | "build-dependencies", Some(entries)) => {
                // `quiet = { package = "tokio" }` is tokio.
                found.extend(entries.iter().map(|(name, entry)| {
                    entry.get("package").and_then(toml::Value::as_str).unwrap_or(name).to_owned()
                }));
            }
            ("target", Some(targets)) => {
                found.extend(targets.values().filter_map(toml::Value::as_table).flat_map(dependencies));
            }
            _ => {}
        }
    }
    found
}

/// How a manifest differs from the list.
fn judge_manifest(manifest: &str) -> Vec<String> {
    let found = dependencies(&manifest.parse().unwrap());
    let allowed: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let extra = found.difference(&allowed).map(|name| format!("{name} is no allowed dependency of the core"));
    let stale = allowed.difference(&found).map(|name| format!("{name} is allowed but not used"));
    extra.chain(stale).collect()
}

/// What is wrong in a tree of crates, of which each line has a crate and its features: `uuid v1.2.3|std,v4`.
fn judge_tree(tree: &str) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    for line in tree.lines() {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        if BANNED.contains(&name) {
            wrong.insert(format!("the core depends on {name}"));
        }
        let banned = BANNED_FEATURES.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, banned)| banned);
        let features = rest.rsplit_once('|').map_or("", |(_, features)| features);
        for feature in features.trim_end_matches("(*)").trim().split(',') {
            if banned.contains(&feature) {
                wrong.insert(format!("the core depends on {name} with the feature {feature}"));
            }
        }
    }
    wrong.into_iter().collect()
}

/// D-1, D-6: the core depends on the crates listed here and on no others: on no database and no runtime.
#[test]
fn the_core_depends_on_the_listed_crates_only() {
    let manifest = fs::read_to_string(package().join("Cargo.toml")).unwrap();
    assert_eq!(judge_manifest(&manifest), Vec::<String>::new());
}

/// D-1, D-6, R-10, C-3: nor does what these depend on bring a runtime, a clock, randomness, a database or a network.
#[test]
fn the_tree_below_the_core_is_pure() {
    let output = cargo("tree")
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}|{f}"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.lines().count() > ALLOWED.len() && tree.contains("\nchrono v"), "{tree}");
    assert_eq!(judge_tree(&tree), Vec::<String>::new());
}

/// D-1: the core compiles with these crates as it asks for them, and not only where another member of the
/// workspace has turned on a feature of one.
#[test]
fn the_core_compiles_by_itself() {
    let output = cargo("check")
        // Nothing of it runs but macros and build scripts, so none of it needs to be fast.
        .args(["--quiet", "--lib", "--config", "profile.dev.package.'*'.opt-level=0"])
        // A folder of its own: the outer cargo may hold its own locked.
        .args(["--target-dir", env!("CARGO_TARGET_TMPDIR")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The code of a file without its tests and comments, and the modules that are tests as a whole.
fn code(text: &str) -> (String, Vec<String>) {
    let (mut code, mut tests) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            // The item ends with the first line that stands no deeper than its attribute and closes it.
            let depth = indent(line);
            for item in lines.by_ref().filter(|item| indent(item) == depth) {
                if let Some(module) = item.trim().strip_prefix("mod ").and_then(|m| m.strip_suffix(';')) {
                    tests.push(module.to_owned());
                }
                if item.ends_with([';', '}']) {
                    break;
                }
            }
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    (spelled_out(&code), tests)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// With `std::fmt` and `std::fs` too where the code says `std::{fmt, fs}`.
fn spelled_out(code: &str) -> String {
    let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut all = code.to_owned();
    for (at, _) in code.match_indices("::{") {
        let path = code[..at].rsplit(|c| !in_path(c)).next().unwrap();
        let mut depth = 1;
        let mut member = String::new();
        for c in code[at + "::{".len()..].chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && c == ',') {
                all.push_str(&format!("{path}::{}\n", member.trim()));
                member.clear();
            } else {
                member.push(c);
            }
            if depth == 0 {
                break;
            }
        }
    }
    all
}

/// The forbidden words that stand in the code as words, not as parts of others.
fn forbidden_in(code: &str) -> Vec<&'static str> {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let stands = |text: &str| {
        code.match_indices(text).any(|(at, _)| {
            let (before, behind) = (code[..at].chars().next_back(), code[at + text.len()..].chars().next());
            !joins(before) && (text.ends_with('!') || !joins(behind))
        })
    };
    FORBIDDEN.iter().copied().filter(|text| stands(text)).collect()
}

/// The sources below a folder, by their path in it.
fn sources(folder: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let shown = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(shown, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// Every forbidden word in the code of these files, with its file.
fn scan(files: &BTreeMap<String, String>) -> BTreeSet<(String, &'static str)> {
    let (mut found, mut tests) = (Vec::new(), Vec::new());
    for (path, text) in files {
        let (code, modules) = code(text);
        let stem = path.strip_suffix(".rs").unwrap();
        // Where the files of its modules lie: beside lib.rs and mod.rs, below any other.
        let folder = match stem.rsplit_once('/') {
            Some((folder, "mod")) => format!("{folder}/"),
            None if stem == "lib" => String::new(),
            _ => format!("{stem}/"),
        };
        for module in modules {
            tests.extend([format!("{folder}{module}.rs"), format!("{folder}{module}/")]);
        }
        found.extend(forbidden_in(&code).into_iter().map(|text| (path.clone(), text)));
    }
    found.retain(|(path, _)| !tests.iter().any(|test| path.starts_with(test.as_str())));
    found.into_iter().collect()
}

/// D-1, D-6, R-10, C-3: the core's own code touches no file, network, environment, clock, randomness, runtime or
/// thread; each exception is listed with its reason, and still needed.
#[test]
fn the_code_of_the_core_is_pure() {
    let files = sources(&package().join("src"));
    assert!(files.contains_key("lib.rs") && files.contains_key("money/mod.rs"));
    let found = scan(&files);
    let excepted: BTreeSet<_> =
        EXCEPTIONS.iter().map(|(path, text, _)| ((*path).to_owned(), *text)).collect();
    let wrong: Vec<_> = found.difference(&excepted).collect();
    assert!(wrong.is_empty(), "impure: {wrong:?}");
    let stale: Vec<_> = excepted.difference(&found).collect();
    assert!(stale.is_empty(), "exceptions that nothing needs: {stale:?}");
}

/// D-1: a dependency that isn't listed is found, however it comes in.
#[test]
fn a_dependency_that_is_not_listed_is_found() {
    let manifest = fs::read_to_string(package().join("Cargo.toml")).unwrap();
    for (extra, name) in [
        ("[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"", "libc"),
        ("[build-dependencies]\ncc = \"1\"", "cc"),
        ("[target.x.dependencies]\nquiet = { package = \"tokio\", version = \"1\" }", "tokio"),
    ] {
        let wrong = judge_manifest(&format!("{manifest}\n{extra}\n"));
        assert_eq!(wrong, [format!("{name} is no allowed dependency of the core")]);
    }
    let fewer = manifest.replace("blake3.workspace = true", "");
    assert_eq!(judge_manifest(&fewer), ["blake3 is allowed but not used"]);

    let tree =
        "passes-core v0.1.0 (/src)|\nchrono v0.4.45|alloc,clock,std (*)\nmio v1.0.0|net\nuuid v1.0.0|std";
    let wrong = ["the core depends on chrono with the feature clock", "the core depends on mio"];
    assert_eq!(judge_tree(tree), wrong);
}

/// D-1, D-6, R-10, C-3: impure code is found, however it is written, and what only tests or comments hold is not.
#[test]
fn impure_code_is_found() {
    let one = |text: &str| forbidden_in(&code(text).0);
    assert_eq!(one("use std::fs;"), ["std::fs"]);
    assert_eq!(one("use std::{fmt, fs::{self, File}};"), ["std::fs"]);
    assert_eq!(one("use std::{\n    collections::{BTreeMap, BTreeSet},\n    net,\n};"), ["std::net"]);
    assert_eq!(one("let now = chrono::Utc::now();"), ["Utc::now"]);
    assert_eq!(one("let at = Instant::now();"), ["Instant::now"]);
    assert_eq!(one("use std::time::{Duration, Instant};"), ["time::Instant"]);
    assert_eq!(one("let id = Uuid::now_v7();"), ["Uuid::now_v7"]);
    assert_eq!(one("    println!(\"{code}\");"), ["println!"]);
    assert_eq!(one("#[tokio::main]"), ["tokio"]);
    assert_eq!(one("std::thread::sleep(time);"), ["thread::sleep"]);
    assert_eq!(one("#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse std::env;"), ["std::env"]);
    assert_eq!(one("#[cfg(test)]\nmod tests;\n\nuse std::fs;"), ["std::fs"]);

    assert!(one("// std::fs is not for us\n/// nor tokio\n//! nor println!").is_empty());
    assert!(one("use std::fmt;\nlet debug = sprintln!(std::fst, my_tokio);").is_empty());
    assert!(one("#[cfg(test)]\nmod tests {\n    use std::fs;\n}").is_empty());
    assert!(one("    #[cfg(test)]\n    fn at() {\n        Instant::now();\n    }").is_empty());

    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = BTreeMap::from([
        file("lib.rs", "#[cfg(test)]\nmod tests;\nmod lot;"),
        file("tests.rs", "use std::fs;"),
        file("lot.rs", "#[cfg(test)]\nmod tests;"),
        file("lot/tests.rs", "use std::fs;"),
        file("lot/tests/more.rs", "use std::fs;"),
        file("plan/mod.rs", "#[cfg(test)]\nmod samples;"),
        file("plan/samples.rs", "use std::fs;"),
        file("plan/tests.rs", "use std::fs;"),
    ]);
    assert_eq!(scan(&files), BTreeSet::from([("plan/tests.rs".to_owned(), "std::fs")]));
}

//! The targets of the fuzzers, fed with the seeds and with what the fuzzers found worth keeping.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use fuzz_targets::{TARGETS, seeds};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// The most that is kept of a target, so that the repository stays small and this test fast.
const MOST: (usize, u64) = (200, 4_096);

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name)
}

/// Says which input it was when a target panics.
struct Told<'a>(&'a str, &'a str);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{} broke its promise over {}", self.0, self.1);
        }
    }
}

/// Runs a target over an input, and over what is left of it when it is cut off or has a bit turned over.
fn run(name: &str, what: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(other, _)| *other == name).unwrap().1;
    let _told = Told(name, what);
    target(bytes);
    target(&bytes[..bytes.len() / 2]);
    if !bytes.is_empty() {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() / 3;
        bytes[at] ^= 1 << (bytes.len() % 8);
        target(&bytes);
    }
}

fn over(name: &str) {
    let (mut count, update) = (0, std::env::var_os("UPDATE_CORPUS").is_some());
    for (n, (_, seed)) in seeds().iter().enumerate().filter(|(_, (of, _))| *of == name) {
        if update {
            fs::create_dir_all(corpus(name)).unwrap();
            fs::write(corpus(name).join(format!("seed-{n:03}")), seed).unwrap();
        }
        run(name, &format!("seed {n}"), seed);
        count += 1;
    }
    assert!(count > 0, "{name} has no seed");
    let mut kept: Vec<_> = fs::read_dir(corpus(name)).unwrap().map(|file| file.unwrap().path()).collect();
    kept.sort();
    assert!(!kept.is_empty() && (update || kept.len() <= MOST.0), "{name} keeps {} inputs", kept.len());
    for path in kept {
        let bytes = fs::read(&path).unwrap();
        assert!(u64::try_from(bytes.len()).unwrap() <= MOST.1, "{} is too long", path.display());
        run(name, &path.display().to_string(), &bytes);
    }
}

/// P-14, Z-1: a plan file is a plan or an error with a line.
#[test]
fn plan_file() {
    over("plan_file");
}

/// C-1: folding folds everything once and for all.
#[test]
fn passcode_fold() {
    over("passcode_fold");
}

/// C-2: single wrong characters and swaps are typing errors.
#[test]
fn check_character() {
    over("check_character");
}

/// T-4, Z-1: a cursor goes on or is refused.
#[test]
fn cursors() {
    over("cursors");
}

/// C-6: what is exported reads back.
#[test]
fn exports() {
    over("exports");
}

/// B-3, C-14, Z-1: texts come back from what they write.
#[test]
fn texts() {
    over("texts");
}

/// Z-2: damaged documents, receipts and events are told as damage.
#[test]
fn stored_documents() {
    over("stored_documents");
}

/// D-1, Z-2: damaged rows are told as damage.
#[test]
fn stored_rows() {
    over("stored_rows");
}

/// Z-1: each target has its test here, its fuzzer and its corpus.
#[test]
fn every_target_is_run() {
    let (this, fuzz) = (include_str!("corpora.rs"), Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(this.contains(&format!("over(\"{name}\")")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let program = fs::read_to_string(fuzz.join("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzz_targets::{name}(data)")), "{name}");
    }
    let corpora = fs::read_dir(fuzz.join("corpus")).unwrap().map(|folder| folder.unwrap().file_name());
    assert!(corpora.into_iter().all(|folder| TARGETS.iter().any(|(name, _)| folder == **name)));
}

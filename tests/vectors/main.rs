//! The scenario vectors, run by the library itself: on each store in the box, call by call, answer by answer. The same
//! files are run by every language that the library speaks; `README.md` beside this file describes them.
//!
//! `PASSES_BLESS=1 cargo test -p tests --test vectors` writes the answers of new steps into the files. What changes in
//! an answer that was there is a change of the contract, and has to be looked at line by line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod calls;
mod json;
mod print;
mod scope;
mod shapes;

use crate::json::Write;
use passes_core::calendar::Instant;
use passes_core::operation::By;
use passes_core::secret::Keyring;
use passes_core::store::Store;
use passes_core::store::memory::Memory;
use passes_core::{Passes, Refusal};
use passes_host::testing::{FixedClock, SeededEntropy};
use passes_sqlite::Sqlite;
use scope::Scope;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Codes that no public call can be brought to, each with the reason.
const UNREACHED: &[(&str, &str)] = &[];

fn files() -> Vec<(PathBuf, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|found| found.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let file = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, file)
    };
    files.into_iter().map(read).collect()
}

fn scenarios(file: &Value) -> &[Value] {
    file["scenarios"].as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

/// The library as a file's scenarios find it.
struct World {
    passes: Passes,
    clock: Arc<FixedClock>,
}

impl World {
    fn new(start: &Value, store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(FixedClock::at(Instant::parse(text(&start["clock"])).unwrap()));
        let entropy = Arc::new(SeededEntropy::new(start["seed"].as_u64().unwrap()));
        let mut master = [0; 32];
        let hex = text(&start["keys"]["master"]);
        for (at, byte) in master.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        }
        let keyring = Keyring::from_master(text(&start["keys"]["id"]), &master).unwrap();
        let passes = Passes::open(store, keyring, clock.clone(), entropy).wait().unwrap();
        Self { passes, clock }
    }

    /// Runs steps. With `bless` their answers are written into them, else they are compared.
    fn run(&self, steps: &mut [Value], scope: &mut Scope<'_>, bless: bool) -> Result<(), String> {
        for (number, step) in steps.iter_mut().enumerate() {
            self.step(step, scope, bless).map_err(|why| format!("step {number}: {why}"))?;
        }
        Ok(())
    }

    fn step(&self, step: &mut Value, scope: &mut Scope<'_>, bless: bool) -> Result<(), String> {
        if let Some(clock) = step.get("clock") {
            self.clock.set(Instant::parse(text(clock)).map_err(|refusal| refusal.to_string())?);
            return Ok(());
        }
        let name = text(&step["call"]).to_owned();
        let mut args = match step.get("args").map(|args| scope.expand(args)).transpose()? {
            Some(Value::Object(args)) => args,
            None => Map::new(),
            Some(other) => return Err(format!("{other} are no arguments")),
        };
        if let Some(by) = step.get("by") {
            args.insert("by".into(), scope.expand(by)?);
        }
        let told = calls::call(&self.passes, &name, &args)?;
        // What is nothing leaves no field behind, in a list or a pair neither.
        if bless {
            step["expect"] = told.clone();
        }
        let expected = &step["expect"];
        if told != *expected {
            return Err(format!("{name} told\n{}\nnot\n{}", print::pretty(&told), print::pretty(expected)));
        }
        if let Some(name) = step.get("as") {
            let answer = expected.get("answer").ok_or("a refusal has no name")?;
            scope.name(text(name), answer.clone());
        }
        Ok(())
    }
}

/// Runs all scenarios of a file, each on a store of its own.
fn run_file(file: &mut Value, bless: bool, store: &dyn Fn() -> Arc<dyn Store>) -> Vec<String> {
    let values = file["values"].clone();
    let start = file["start"].clone();
    let mut wrong = Vec::new();
    for number in 0..scenarios(file).len() {
        let world = World::new(&start, store());
        let mut scope = Scope::new(&values);
        let name = text(&file["scenarios"][number]["name"]).to_owned();
        let setup = file["scenarios"][number].get("setup").map(|name| text(name).to_owned());
        let mut told = Ok(());
        if let Some(setup) = setup {
            let steps = file["setups"][&setup].as_array_mut().unwrap_or_else(|| panic!("no setup {setup}"));
            told = world.run(steps, &mut scope, bless).map_err(|why| format!("setup {setup}, {why}"));
        }
        let steps = file["scenarios"][number]["steps"].as_array_mut().unwrap();
        told =
            told.and_then(|()| world.run(steps, &mut scope, bless)).and_then(|()| books(&world, &mut scope));
        if let Err(why) = told {
            wrong.push(format!("{name}, {why}"));
        }
    }
    wrong
}

/// Whatever a scenario did, the books are whole.
fn books(world: &World, scope: &mut Scope<'_>) -> Result<(), String> {
    let Ok(by) = scope.expand(&json!("$by")) else { return Ok(()) };
    let by = <By as json::Read>::read(&by).map_err(|fault| format!("{fault:?}"))?;
    let verified = world.passes.verify(&by).wait().map_err(|error| error.to_string())?;
    if verified.is_good() { Ok(()) } else { Err(format!("the books have drifted: {:?}", verified.drifts)) }
}

fn run_all(bless: bool, store: &dyn Fn() -> Arc<dyn Store>) {
    let mut wrong = Vec::new();
    for (path, mut file) in files() {
        let before = print::pretty(&file);
        let told = run_file(&mut file, bless, store);
        let after = print::pretty(&file);
        if bless && (before != after || std::fs::read_to_string(&path).unwrap() != after + "\n") {
            std::fs::write(&path, print::pretty(&file) + "\n").unwrap();
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        wrong.extend(told.into_iter().map(|why| format!("{name}, {why}")));
    }
    assert!(wrong.is_empty(), "{} scenarios disagree:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// F-2, R-2, R-5, C-3: every scenario answers as it is written down: ids, codes, amounts, refusals, positions.
#[test]
fn every_scenario_in_memory() {
    let bless = std::env::var_os("PASSES_BLESS").is_some_and(|value| value == "1");
    run_all(bless, &|| Arc::new(Memory::new()));
}

/// F-2, D-1: the embedded store gives the very same answers.
#[test]
fn every_scenario_on_sqlite() {
    if std::env::var_os("PASSES_BLESS").is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    run_all(false, &|| {
        count.set(count.get() + 1);
        Arc::new(Sqlite::open(folder.path().join(format!("{}.db", count.get()))).unwrap())
    });
}

/// Everything under this name, wherever it stands.
fn under<'a>(name: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if key == name {
                    found.push(value);
                }
                under(name, value, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| under(name, value, found)),
        _ => {}
    }
}

fn all(name: &str) -> BTreeSet<String> {
    let files = files();
    let mut found = Vec::new();
    files.iter().for_each(|(_, file)| under(name, file, &mut found));
    found.into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// R-2, F-2: every refusal there is stands in a vector, or in the list of those that no call leads to, with why.
#[test]
fn every_refusal_is_met() {
    let expected: Vec<Value> = files()
        .iter()
        .flat_map(|(_, file)| {
            let mut found = Vec::new();
            under("expect", file, &mut found);
            found.into_iter().cloned().collect::<Vec<_>>()
        })
        .collect();
    let mut codes = Vec::new();
    expected.iter().for_each(|expect| under("code", expect, &mut codes));
    let told: BTreeSet<&str> = codes.into_iter().filter_map(Value::as_str).collect();
    for code in Refusal::CODES {
        let excused = UNREACHED.iter().any(|(unreached, why)| unreached == code && !why.is_empty());
        assert!(told.contains(code) != excused, "{code}: in a vector: {}, excused: {excused}", !excused);
    }
}

/// F-1, F-2: every call there is stands in a vector.
#[test]
fn every_call_is_made() {
    let made = all("call");
    for call in calls::METHODS.iter().chain(calls::OTHERS) {
        assert!(made.contains(*call), "{call} is in no vector");
    }
    // And the list of them is whole: what a host can call answers with a `Call`.
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../passes-core/src/service");
    let mut methods = BTreeSet::new();
    for file in std::fs::read_dir(source).unwrap().map(|found| found.unwrap().path()) {
        if file.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(file).unwrap();
            let found = text.split("    pub fn ").skip(1).filter(|rest| {
                let head = rest.split('{').next().unwrap_or_default();
                head.contains("&'a self") && head.contains("-> Call<'a,")
            });
            methods.extend(found.filter_map(|rest| Some(rest.split(['<', '(']).next()?.to_owned())));
        }
    }
    assert!(methods.len() > 60, "{methods:?}");
    for method in &methods {
        assert!(made.contains(method), "{method} is in no vector");
    }
}

/// F-2: there are many scenarios, each with a name of its own and what it proves.
#[test]
fn scenarios_are_named() {
    let mut names = BTreeSet::new();
    let mut count = 0;
    for (path, file) in files() {
        for scenario in scenarios(&file) {
            let name = text(&scenario["name"]).to_owned();
            let proves = scenario["proves"].as_array().expect("what it proves");
            assert!(!proves.is_empty() && proves.iter().all(Value::is_string), "{name}");
            assert!(names.insert(name.clone()), "{}: {name} is there twice", path.display());
            count += 1;
        }
    }
    assert!(count >= 80, "{count}");
}

/// F-2: a runner that compares nothing would pass everything: a wrong answer, field or argument is told.
#[test]
fn what_differs_is_told() {
    let (_, mut file) = files().into_iter().next().unwrap();
    let memory: &dyn Fn() -> Arc<dyn Store> = &|| Arc::new(Memory::new());
    assert_eq!(run_file(&mut file, false, memory), Vec::<String>::new());
    let first = file["setups"].as_object().unwrap().keys().next().unwrap().clone();
    let used = |file: &Value| {
        let uses = |scenario: &&Value| scenario.get("setup").is_some_and(|setup| *setup == first);
        scenarios(file).iter().filter(uses).count()
    };
    assert!(used(&file) > 0);
    for (field, value) in [("expect", json!({"answer": "another"})), ("args", json!({"unknown": 1}))] {
        let mut file = file.clone();
        file["setups"][&first][0][field] = value;
        assert_eq!(run_file(&mut file, false, memory).len(), used(&file), "{field}");
    }
    let bad: Refusal = Refusal::TypingError;
    assert_eq!(bad.write(), json!({"code": "TYPING_ERROR"}));
}

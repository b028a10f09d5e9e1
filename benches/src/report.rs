//! Measuring what was asked for, telling it, and keeping it in `target/bench.json`.

use crate::args::Asked;
use crate::measure::Measure;
use crate::run::{Made, Run, target};
use crate::{Section, doc, machine};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Does what was asked for; whether all gates are met.
pub(crate) fn run(asked: &Asked) -> Made<bool> {
    match asked {
        Asked::Help(text) => {
            print!("{text}");
            Ok(true)
        }
        Asked::Measure { sections, quick, plot } => {
            let met = measure(sections, *quick)?;
            if *plot {
                doc::draw(&kept()?)?;
            }
            Ok(met || *quick)
        }
        Asked::Draw => doc::draw(&kept()?).map(|()| true),
    }
}

/// Measures sections one after the other. One that fails is told, and the others are measured all the same.
fn measure(sections: &[&Section], quick: bool) -> Made<bool> {
    let (run, path) = (Run::new(quick), file(quick));
    let (mut met, mut missed) = (true, Vec::new());
    for (at, section) in sections.iter().enumerate() {
        eprintln!("{} ({} of {}): {}", section.name, at + 1, sections.len(), section.about);
        let begun = std::time::Instant::now();
        let facts = machine::facts();
        let measures = match (section.measures)(&run) {
            Ok(measures) => measures,
            Err(error) => {
                eprintln!("bench: {}: {error}", section.name);
                missed.push(format!("{}: {error}", section.name));
                met = false;
                continue;
            }
        };
        println!("\n{}: {}", section.name, section.about);
        for measure in &measures {
            println!("  {measure}");
            if !measure.is_met() {
                missed.push(format!("{}: {}", section.name, measure.name));
                met = false;
            }
        }
        // After each section: who stops a long run keeps what there is.
        let seconds = begun.elapsed().as_secs();
        keep(&path, section.name, entry(section, facts, &measures, seconds))?;
    }
    println!("\nwritten to {}", path.display());
    for what in &missed {
        println!("missed: {what}");
    }
    Ok(met)
}

/// What is kept of a section.
fn entry(section: &Section, facts: Value, measures: &[Measure], seconds: u64) -> Value {
    json!({
        "about": section.about,
        "machine": facts,
        "load_after": machine::load(),
        "seconds": seconds,
        "measures": measures.iter().map(Measure::to_json).collect::<Vec<_>>(),
    })
}

/// A quick run's figures are kept apart: they aren't figures to publish.
fn file(quick: bool) -> PathBuf {
    target().join(if quick { "bench-quick.json" } else { "bench.json" })
}

/// What was measured so far, by section.
fn kept() -> Made<Map<String, Value>> {
    let path = file(false);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}: run `cargo xtask bench` first", path.display()))?;
    match serde_json::from_str(&text)? {
        Value::Object(sections) => Ok(sections),
        _ => Err(format!("{} holds no sections", path.display()).into()),
    }
}

/// Puts a section into the file; the others that it has stay.
fn keep(path: &PathBuf, name: &str, entry: Value) -> Made<()> {
    std::fs::create_dir_all(target())?;
    let before = std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok());
    let mut sections: Map<String, Value> = before.unwrap_or_default();
    sections.insert(name.to_owned(), entry);
    std::fs::write(path, serde_json::to_string_pretty(&sections)? + "\n")?;
    Ok(())
}

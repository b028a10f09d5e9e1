//! The tables of the pages about speed and size, and their pictures, from what was measured: no number there is typed
//! by hand.

use crate::measure::{power, short};
use crate::plot::{self, Point, Series};
use crate::run::{Made, root};
use crate::{SECTIONS, growth, spend};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::path::PathBuf;

/// The pages, and where their pictures lie. Each section has its place in one of them.
pub(crate) const PAGES: [&str; 2] = ["docs/performance.md", "docs/scale.md"];
const PICTURES: &str = "docs/pictures";

/// What ends the part of a section in the page.
const END: &str = "<!-- end of bench -->";

/// What begins the part of a section in the page.
fn begin(section: &str) -> String {
    format!("<!-- bench {section} -->")
}

/// Writes tables and pictures of all sections that were measured.
pub(crate) fn draw(kept: &Map<String, Value>) -> Made<()> {
    for page in PAGES.map(|page| root().join(page)) {
        let before =
            std::fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
        let mut text = before.clone();
        for section in SECTIONS {
            if let Some(measured) = kept.get(section.name).filter(|_| text.contains(&begin(section.name))) {
                text = put(&text, section.name, &table(measured)?)?;
            }
        }
        if text != before {
            std::fs::write(&page, text)?;
            eprintln!("written to {}", page.display());
        }
    }
    for path in pictures(kept)? {
        eprintln!("written to {}", path.display());
    }
    Ok(())
}

/// Puts a section's tables between its marks.
fn put(text: &str, section: &str, table: &str) -> Made<String> {
    let begin = begin(section);
    let missing = || format!("there are no marks {begin} … {END}");
    let (head, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, tail) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{head}{begin}\n\n{table}\n{END}{tail}"))
}

fn words<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(of: &Value, name: &str) -> Option<f64> {
    of.get(name).and_then(Value::as_f64)
}

/// A number and its unit.
fn with_unit(measure: &Value) -> String {
    match number(measure, "value") {
        None => "not run".to_owned(),
        Some(value) => format!("{} {}", short(value), words(measure, "unit")).trim_end().to_owned(),
    }
}

fn spread(measure: &Value) -> String {
    match (number(measure, "low"), number(measure, "high"), number(measure, "rounds")) {
        (Some(low), Some(high), Some(rounds)) => {
            format!("{}..{} of {}", short(low), short(high), short(rounds))
        }
        _ => String::new(),
    }
}

/// The tables of a section: one line a measure, or one line a size where it was measured at several.
fn table(measured: &Value) -> Made<String> {
    let measures = measured.get("measures").and_then(Value::as_array).ok_or("a section without measures")?;
    let mut text = format!("{}\n\n", circumstances(measured));
    let (sized, plain): (Vec<_>, Vec<_>) = measures.iter().partition(|each| number(each, "at").is_some());
    if !plain.is_empty() {
        text += "| measure | median | quartiles, rounds | gate (ambition) | |\n|---|---|---|---|---|\n";
    }
    for each in plain {
        let (name, limits, verdict) = (words(each, "name"), words(each, "limits"), words(each, "verdict"));
        let (value, spread) = (with_unit(each), spread(each));
        writeln!(text, "| {name} | {value} | {spread} | {limits} | {verdict} |")?;
    }
    if !sized.is_empty() {
        text += &by_size(&sized)?;
    }
    for each in measures {
        if let Some(note) = each.get("note").and_then(Value::as_str) {
            writeln!(text, "\n*{}*: {note}.", words(each, "name"))?;
        }
    }
    Ok(text)
}

/// A column a size, a line a measure; quartiles stand behind the median.
fn by_size(measures: &[&Value]) -> Made<String> {
    let (mut sizes, mut names): (Vec<f64>, Vec<&str>) = (Vec::new(), Vec::new());
    for each in measures {
        let (at, name) = (number(each, "at").unwrap_or_default(), words(each, "name"));
        if !sizes.contains(&at) {
            sizes.push(at);
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut text = format!("| {} |", measures.first().map_or("", |first| words(first, "of")));
    sizes.iter().for_each(|size| text += &format!(" {} |", power(*size)));
    text += &format!("\n|---|{}\n", "---|".repeat(sizes.len()));
    for name in names {
        write!(text, "| {name} |")?;
        for size in &sizes {
            let found = measures
                .iter()
                .find(|each| words(each, "name") == name && number(each, "at").is_some_and(|at| at == *size));
            let cell = found.map_or(String::new(), |each| match spread(each).split_once(" of ") {
                Some((spread, _)) => format!("{} ({spread})", with_unit(each)),
                None => with_unit(each),
            });
            write!(text, " {cell} |")?;
        }
        text.push('\n');
    }
    Ok(text)
}

/// When, where and beside what else it was measured.
fn circumstances(measured: &Value) -> String {
    let machine = measured.get("machine").unwrap_or(&Value::Null);
    let load = |of: &Value, name| number(of, name).map_or("unknown".to_owned(), short);
    format!(
        "Measured {} at commit `{}`, load {} before and {} after, {} s. {}, {} cores, {}, {}; {}.",
        words(machine, "date"),
        words(machine, "commit"),
        load(machine, "load"),
        load(measured, "load_after"),
        number(measured, "seconds").map_or(String::new(), short),
        words(machine, "cpu"),
        number(machine, "cores").map_or(String::new(), short),
        words(machine, "memory"),
        words(machine, "disk"),
        words(machine, "rustc"),
    )
}

/// A line of a picture.
fn series(measured: &Value, name: &str, label: &'static str) -> Series {
    let measures = measured.get("measures").and_then(Value::as_array).into_iter().flatten();
    let points = measures.filter(|each| words(each, "name") == name).filter_map(|each| {
        let middle = number(each, "value")?;
        let (low, high) = (number(each, "low").unwrap_or(middle), number(each, "high").unwrap_or(middle));
        Some(Point { at: number(each, "at")?, low, middle, high })
    });
    Series { label, points: points.collect() }
}

/// The pictures of the sections that were measured.
fn pictures(kept: &Map<String, Value>) -> Made<Vec<PathBuf>> {
    let folder = root().join(PICTURES);
    std::fs::create_dir_all(&folder)?;
    let mut drawn = Vec::new();
    let mut draw = |name: &str, title: &str, x: &str, y: &str, lines: &[Series]| -> Made<()> {
        let path = folder.join(name);
        plot::curves(&path, title, (x, y), lines)?;
        drawn.push(path);
        Ok(())
    };
    if let Some(measured) = kept.get("growth") {
        let lines = [
            series(measured, growth::RATE_ALL, "8 threads"),
            series(measured, growth::RATE_ONE, "one client"),
            series(measured, growth::COMMITS, "bare commits"),
        ];
        let passes = "passes in the file";
        draw("growth-rate.svg", "Durable redemptions a second", passes, "per second", &lines)?;
        let lines = [
            series(measured, growth::CPU, "a redemption, one client, checkpoints included"),
            series(measured, growth::CPU_BARE, "a bare commit"),
        ];
        draw("growth-cpu.svg", "CPU time", passes, "µs", &lines)?;
    }
    if let Some(measured) = kept.get("spend") {
        let lines = spend::curves().map(|(name, label)| series(measured, &name, label));
        draw("spend.svg", "Paying a basket from restricted credits", "lines of the basket", "µs", &lines)?;
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;
    use crate::measure::Measure;
    use serde_json::json;

    /// All pages.
    fn page() -> String {
        PAGES.map(|page| std::fs::read_to_string(root().join(page)).unwrap()).concat()
    }

    /// Each section has its place in a page, with the command that measures it.
    #[test]
    fn the_page_has_a_place_for_every_section() {
        let page = page();
        for section in SECTIONS {
            assert!(put(&page, section.name, "").is_ok(), "{}: no marks", section.name);
            let command = format!("cargo xtask bench {}", section.name);
            assert!(page.contains(&command), "{command} isn't there");
        }
        assert_eq!(page.matches("<!-- bench ").count(), SECTIONS.len());
        assert_eq!(page.matches(END).count(), SECTIONS.len());
    }

    /// What the page tells to type exists, and so do the files that it shows.
    #[test]
    fn what_the_page_names_exists() {
        let page = page();
        for typed in page.split("cargo xtask bench").skip(1) {
            let line = typed.split(['`', '\n', '#']).next().unwrap_or_default();
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert!(args::read(&words, SECTIONS).is_ok(), "cargo xtask bench{line}");
        }
        let mut links = 0;
        for link in page.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if !target.contains("://") && !target.is_empty() {
                assert!(root().join("docs").join(target).exists(), "{target}");
                links += 1;
            }
        }
        assert!(links >= 2);
    }

    #[test]
    fn tables_are_made_of_what_was_measured() {
        let plain = Measure::of_rounds("speed", "×", &[1.0, 2.0, 3.0]).at_least(1.5, 2.5).note("slow disk");
        let sized = [10_000.0, 100_000.0].map(|at| Measure::new("rate", "/s", at / 10.0).at(at, "passes"));
        let not = Measure::not_run("peer", "×", "node isn't installed").at_least(20.0, 40.0);
        let all: Vec<Value> = [plain, not].iter().chain(&sized).map(Measure::to_json).collect();
        let text = table(&json!({ "measures": all, "machine": { "cores": 2, "commit": "abc" } })).unwrap();
        for line in [
            "| speed | 2 × | 1.50..2.50 of 3 | ≥ 1.50 (2.50) | below ambition |",
            "| peer | not run |  | ≥ 20 (40) | NOT RUN, MISSED |",
            "| passes | 10⁴ | 10⁵ |",
            "| rate | 1000 /s | 10,000 /s |",
            "*speed*: slow disk.",
            "*peer*: node isn't installed.",
        ] {
            assert!(text.lines().any(|each| each == line), "{line}\n{text}");
        }
        assert!(text.starts_with("Measured  at commit `abc`, load unknown before"), "{text}");
    }

    #[test]
    fn a_table_replaces_the_one_before() {
        let page = format!("a\n{}\nold\n{END}\nb\n", begin("lot"));
        let new = put(&page, "lot", "new\n").unwrap();
        assert_eq!(new, format!("a\n{}\n\nnew\n\n{END}\nb\n", begin("lot")));
        assert_eq!(put(&new, "lot", "new\n").unwrap(), new);
        assert!(put(&page, "codes", "").is_err());
    }

    #[test]
    fn pictures_have_a_line_for_each_series() {
        let rounds = [900.0, 1_000.0, 1_100.0];
        let measures: Vec<Value> = [1e4, 1e5]
            .iter()
            .map(|at| Measure::of_rounds(growth::RATE_ONE, "/s", &rounds).at(*at, "passes").to_json())
            .collect();
        let line = series(&json!({ "measures": measures }), growth::RATE_ONE, "one client");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.svg");
        let axes = ("passes in the file", "per second");
        plot::curves(&path, "Durable redemptions a second", axes, &[line]).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        for text in ["<svg", "one client", "Durable redemptions", "10⁴", "10⁵", "1,000"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert!(plot::curves(&path, "none", ("", ""), &[]).is_err());
    }
}

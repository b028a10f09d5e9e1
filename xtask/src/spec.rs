//! `cargo xtask spec`: the requirements of `docs/spec.md` beside the tests that name them.

use std::ffi::OsString;
use std::fs;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::requirements::{self, Number, Requirement};
use crate::scan::{self, Test};
use crate::workspace::{Workspace, say};

/// The page beside the tests, and what doesn't agree.
struct Spec {
    requirements: Vec<Requirement>,
    tests: Vec<Test>,
    problems: Vec<String>,
}

/// `cargo xtask spec [--json]`; fails when something doesn't agree.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> ExitCode {
    if let Some(unknown) = args.iter().find(|arg| *arg != "--json") {
        eprintln!("xtask: spec takes only --json, not `{}`", unknown.display());
        return ExitCode::FAILURE;
    }
    let spec = match Spec::read(workspace) {
        Ok(spec) => spec,
        Err(why) => {
            eprintln!("xtask: {why}");
            return ExitCode::FAILURE;
        }
    };
    if args.is_empty() {
        say(&spec.table());
    } else {
        say(&format!("{:#}\n", spec.json()));
    }
    spec.problems.iter().for_each(|problem| eprintln!("{problem}"));
    if spec.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One line about a page that agrees with the tests, or else every problem.
pub(crate) fn check(workspace: &Workspace) -> Result<String, Vec<String>> {
    let spec = Spec::read(workspace).map_err(|why| vec![why])?;
    if spec.problems.is_empty() { Ok(spec.summary()) } else { Err(spec.problems) }
}

impl Spec {
    fn read(workspace: &Workspace) -> Result<Self, String> {
        let page = fs::read_to_string(workspace.root().join("docs/spec.md"))
            .map_err(|error| format!("docs/spec.md can't be read: {error}"))?;
        let tests = scan::workspace(workspace.root())
            .map_err(|error| format!("the sources can't be read: {error}"))?;
        Ok(Self::new(&page, tests))
    }

    fn new(page: &str, tests: Vec<Test>) -> Self {
        let (requirements, problems) = requirements::parse(page);
        let mut spec = Self { requirements, tests, problems };
        let untested: Vec<String> = spec
            .requirements
            .iter()
            .filter(|r| r.mark.needs_test() && spec.tests_of(r.number).next().is_none())
            .map(|r| format!("{} is marked {}, and no test names it", r.number, r.mark.word()))
            .collect();
        let unknown: Vec<String> = spec
            .tests
            .iter()
            .flat_map(|test| test.numbers.iter().map(move |number| (test, number)))
            .filter(|(_, number)| spec.requirements.iter().all(|known| known.number != **number))
            .map(|(test, number)| {
                format!(
                    "{}:{}: {} names {number}, which isn't in docs/spec.md",
                    test.file, test.line, test.name
                )
            })
            .collect();
        spec.problems.extend(untested);
        spec.problems.extend(unknown);
        spec
    }

    fn tests_of(&self, number: Number) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(move |test| test.numbers.contains(&number))
    }

    fn table(&self) -> String {
        let mut table = String::from("number  mark       tests\n");
        for requirement in &self.requirements {
            let (number, mark) = (requirement.number, &requirement.mark);
            table += &format!("{number:<7} {:<10} {:>5}\n", mark.word(), self.tests_of(number).count());
            if let Some(missing) = mark.missing() {
                table += &format!("          missing: {missing}\n");
            }
            for test in self.tests_of(number) {
                table += &format!("          {}:{} {}\n", test.file, test.line, test.name);
            }
        }
        table + &self.summary() + "\n"
    }

    fn summary(&self) -> String {
        let marked = |word: &str| self.requirements.iter().filter(|r| r.mark.word() == word).count();
        format!(
            "{} requirements: {} built, {} part, {} not built; {} tests name one",
            self.requirements.len(),
            marked("built"),
            marked("part"),
            marked("not built"),
            self.tests.len()
        )
    }

    fn json(&self) -> Value {
        let requirement = |r: &Requirement| {
            let tests: Vec<Value> = self
                .tests_of(r.number)
                .map(|test| json!({ "name": test.name, "file": test.file, "line": test.line }))
                .collect();
            json!({
                "number": r.number.to_string(),
                "mark": r.mark.word(),
                "missing": r.mark.missing(),
                "tests": tests,
            })
        };
        let requirements: Vec<Value> = self.requirements.iter().map(requirement).collect();
        json!({ "requirements": requirements, "problems": self.problems })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "- **R-1** *[built]* x\n- **R-2** *[part: limits]* x\n- **R-3** *[not built]* x\n";

    fn test(name: &str, number: &str) -> Test {
        let numbers = vec![Number::take(number).unwrap().0];
        Test { name: name.to_owned(), file: "core/src/a.rs".to_owned(), line: 7, numbers }
    }

    #[test]
    fn a_page_that_agrees_has_no_problem_and_shows_its_tests() {
        let spec = Spec::new(PAGE, vec![test("one", "R-1"), test("two", "R-2"), test("three", "R-1")]);
        assert_eq!(spec.problems, Vec::<String>::new());
        let table = spec.table();
        assert!(table.contains("R-1     built          2\n          core/src/a.rs:7 one\n"), "{table}");
        assert!(table.contains("missing: limits\n"));
        assert!(table.ends_with("3 requirements: 1 built, 1 part, 1 not built; 3 tests name one\n"));
        let json = spec.json();
        assert_eq!(json["requirements"][0]["tests"][1]["name"], "three");
        assert_eq!(json["requirements"][1]["missing"], "limits");
        assert_eq!(json["requirements"][2]["mark"], "not built");
    }

    #[test]
    fn built_and_part_without_a_test_are_named() {
        let spec = Spec::new(PAGE, vec![test("three", "R-3")]);
        assert_eq!(
            spec.problems,
            ["R-1 is marked built, and no test names it", "R-2 is marked part, and no test names it"]
        );
    }

    #[test]
    fn a_test_of_an_unknown_number_is_named_with_its_place() {
        let spec = Spec::new(PAGE, vec![test("one", "R-1"), test("two", "R-2"), test("lost", "Q-9")]);
        assert_eq!(spec.problems, ["core/src/a.rs:7: lost names Q-9, which isn't in docs/spec.md"]);
    }
}

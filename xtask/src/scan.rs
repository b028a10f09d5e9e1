//! Finding tests in sources, and the requirements that their doc comments begin with.

use std::fs;
use std::io;
use std::path::Path;

use crate::requirements::Number;

/// A test that names requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// From the workspace's root, with `/`.
    pub(crate) file: String,
    /// Of the function, from 1.
    pub(crate) line: usize,
    pub(crate) numbers: Vec<Number>,
}

/// How a language's sources are read, by their extension. A new language is one more entry.
const LANGUAGES: &[(&str, Read)] = &[("rs", rust), ("py", python), ("kt", kotlin), ("swift", swift)];

/// Text, path, and whether plain functions count too.
type Read = fn(&str, &str, bool) -> Vec<Test>;

/// Here each function is a case that every store's tests run, without being marked as a test itself.
const CASES: &str = "passes-conformance/src/";

/// Tests in these folders of the root prove no requirement.
const LEFT_OUT: &[&str] = &["target", "xtask"];

/// All tests under `root` that name a requirement, by path and line.
pub(crate) fn workspace(root: &Path) -> io::Result<Vec<Test>> {
    let mut tests = Vec::new();
    for (name, path) in entries(root)? {
        if path.is_dir() && !LEFT_OUT.contains(&name.as_str()) {
            folder(&path, &name, &mut tests)?;
        }
    }
    Ok(tests)
}

fn folder(path: &Path, shown: &str, tests: &mut Vec<Test>) -> io::Result<()> {
    for (name, path) in entries(path)? {
        let shown = format!("{shown}/{name}");
        if path.is_dir() {
            if name != "target" {
                folder(&path, &shown, tests)?;
            }
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if let Some((_, read)) = LANGUAGES.iter().find(|(known, _)| *known == extension) {
            tests.extend(read(&fs::read_to_string(&path)?, &shown, shown.starts_with(CASES)));
        }
    }
    Ok(())
}

/// What lies in a folder, sorted by name; nothing hidden.
fn entries(folder: &Path) -> io::Result<Vec<(String, std::path::PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

/// The numbers that a doc comment begins with: `R-5, W-3: …`, `R-5 and W-3 …`.
fn named(doc: &str) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut rest = doc.trim_start();
    while let Some((number, behind)) = Number::take(rest) {
        numbers.push(number);
        let behind = behind.trim_start_matches([',', ' ']);
        rest = behind.strip_prefix("and ").unwrap_or(behind).trim_start();
    }
    numbers
}

/// What stands above a function, as far as it has been read.
#[derive(Default)]
struct Above {
    doc: String,
    test: bool,
    ignored: bool,
}

/// Reads Rust line by line, so that tests inside `proptest!` and other macros are found too. A test that is
/// ignored proves nothing and isn't listed.
fn rust(text: &str, file: &str, cases: bool) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut above = Above::default();
    let mut in_comment = false;
    let mut in_attribute = false;
    for (index, line) in text.lines().enumerate() {
        let mut line = line.trim();
        if in_comment || line.starts_with("/*") {
            in_comment = !line.contains("*/");
            continue;
        }
        if in_attribute {
            in_attribute = !line.ends_with(']');
            continue;
        }
        if let Some(doc) = line.strip_prefix("///") {
            above.doc += doc;
            continue;
        }
        while line.starts_with("#[") {
            above.test |= is_test(line);
            above.ignored |= line.starts_with("#[ignore");
            let Some(end) = attribute_end(line) else {
                in_attribute = true;
                break;
            };
            line = line.get(end..).unwrap_or_default().trim_start();
        }
        if in_attribute || line.is_empty() || line.starts_with("//") {
            continue;
        }
        let above = std::mem::take(&mut above);
        let Some(name) = function(line) else { continue };
        let numbers = named(&above.doc);
        if (above.test || cases) && !above.ignored && !numbers.is_empty() {
            tests.push(Test { name: name.to_owned(), file: file.to_owned(), line: index + 1, numbers });
        }
    }
    tests
}

/// Reads Python line by line: a test of pytest is a function whose name begins with `test_`, and its docstring stands
/// on the first line of its body. One that is skipped always proves nothing.
fn python(text: &str, file: &str, _: bool) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut is_skipped = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ");
        if line.starts_with("@pytest.mark.skip(") {
            is_skipped = true;
        } else if let Some(name) = function.and_then(|rest| rest.split('(').next()) {
            open =
                (name.starts_with("test_") && !std::mem::take(&mut is_skipped)).then_some((name, index + 1));
        } else if let (Some(doc), Some((name, line))) = (line.strip_prefix("\"\"\""), open) {
            open = None;
            let numbers = named(doc);
            if !numbers.is_empty() {
                tests.push(Test { name: name.to_owned(), file: file.to_owned(), line, numbers });
            }
        }
    }
    tests
}

/// Reads Kotlin line by line: a test of JUnit is annotated, on the line of its function or before, and has its comment
/// above. One that is disabled proves nothing.
fn kotlin(text: &str, file: &str, _: bool) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut above = Above::default();
    let mut in_comment = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(begun) = line.strip_prefix("/**") {
            above = Above { doc: begun.trim_end_matches("*/").to_owned(), ..Above::default() };
            in_comment = !line.ends_with("*/");
            continue;
        }
        if in_comment {
            above.doc += line.trim_start_matches('*').trim_end_matches("*/");
            in_comment = !line.ends_with("*/");
            continue;
        }
        above.test |= ["@Test", "@TestFactory"].iter().any(|mark| line.split(' ').any(|word| word == *mark));
        above.ignored |= line.starts_with("@Disabled");
        let name = line.split_once("fun ").and_then(|(_, rest)| rest.split('(').next());
        if name.is_some() || !line.starts_with('@') {
            let above = std::mem::take(&mut above);
            tests.extend(proof(&above, name, file, index));
        }
    }
    tests
}

/// Reads Swift line by line: a test of XCTest is a method whose name begins with `test`.
fn swift(text: &str, file: &str, _: bool) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut above = Above::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(doc) = line.strip_prefix("///") {
            above.doc += doc;
            continue;
        }
        let name = line.strip_prefix("func ").and_then(|rest| rest.split('(').next());
        above.test = name.is_some_and(|name| name.starts_with("test"));
        let above = std::mem::take(&mut above);
        tests.extend(proof(&above, name, file, index));
    }
    tests
}

/// The test of a function, where it is one and names what it proves.
fn proof(above: &Above, name: Option<&str>, file: &str, index: usize) -> Option<Test> {
    let (numbers, name) = (named(&above.doc), name?.trim().to_owned());
    let proves = above.test && !above.ignored && !numbers.is_empty();
    proves.then(|| Test { name, file: file.to_owned(), line: index + 1, numbers })
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(…)]`
fn is_test(attribute: &str) -> bool {
    let name = attribute.trim_start_matches("#[").split(['(', ']']).next().unwrap_or_default().trim();
    name == "test" || name.ends_with("::test")
}

/// Just behind the bracket that closes the attribute at the front of `line`.
fn attribute_end(line: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, c) in line.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at + 1),
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let before = |word: &&str| {
        matches!(*word, "pub" | "pub(crate)" | "pub(super)" | "async" | "const" | "unsafe" | "fn")
    };
    words.by_ref().take_while(before).find(|word| *word == "fn")?;
    let name = words.next()?.split(['(', '<']).next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Vec<String> {
        shown(rust(&lines.join("\n"), "core/src/a.rs", false))
    }

    fn shown(tests: Vec<Test>) -> Vec<String> {
        tests
            .iter()
            .map(|test| {
                let numbers: Vec<String> = test.numbers.iter().map(Number::to_string).collect();
                format!("{}:{} {}", test.name, test.line, numbers.join(" "))
            })
            .collect()
    }

    #[test]
    fn a_test_and_its_numbers_are_found_however_its_attributes_lie() {
        assert_eq!(found(&["/// R-5, W-3: one movement.", "#[test]", "fn twins() {"]), ["twins:3 R-5 W-3"]);
        assert_eq!(
            found(&["#[test]", "/// R-5 and W-3.", "// why", "", "fn twins() {"]),
            ["twins:5 R-5 W-3"]
        );
        assert_eq!(found(&["/// R-5: x", "#[tokio::test(a = 1)]", "pub async fn t() {"]), ["t:3 R-5"]);
        assert_eq!(found(&["/// R-5", "/// and W-3: x", "#[test] fn t<T>() {}"]), ["t:3 R-5 W-3"]);
        assert_eq!(
            found(&["/// R-5: x", "#[test]", "#[should_panic(", "expected = \"[]\"", ")]", "fn t() {"]),
            ["t:6 R-5"]
        );
    }

    #[test]
    fn tests_inside_macros_are_found() {
        assert_eq!(
            found(&["proptest! {", "    /// B-3: adds up.", "    #[test]", "    fn adds(a in 0..9) {", "}}"]),
            ["adds:4 B-3"]
        );
        assert_eq!(found(&["/// D-2: x", "#[test]", "fn $name() {"]), ["$name:3 D-2"]);
    }

    #[test]
    fn what_is_no_running_test_is_left_out() {
        for lines in [
            &["/// R-5: a function.", "pub fn redeem() {"][..],
            &["/// R-5: slow", "#[test]", "#[ignore = \"slow\"]", "fn t() {"],
            &["/// As in R-5.", "#[test]", "fn t() {"],
            &["/* /// R-5: x", "#[test]", "fn t() {", "*/"],
            &["// /// R-5: x", "// #[test]", "// fn t() {"],
            &["/// R-5: x", "#[cfg(test)]", "fn helper() {"],
            &["/// R-5: x", "struct S;", "#[test]", "fn t() {"],
        ] {
            assert_eq!(found(lines), Vec::<String>::new(), "{lines:?}");
        }
    }

    #[test]
    fn tests_of_python_are_found() {
        let text = "@pytest.mark.parametrize(\n    \"x\", [1],\n)\ndef test_a(\n    x: int,\n) -> None:\n    \"\"\"F-2: a.\"\"\"\n\
                    def helper() -> None:\n    \"\"\"F-1: no test.\"\"\"\n\
                    @pytest.mark.skip(\"x\")\ndef test_b() -> None:\n    \"\"\"F-1: never.\"\"\"\n\
                    async def test_c() -> None:\n    \"\"\"D-6, F-1: c.\"\"\"\n\
                    def test_d() -> None:\n    \"\"\"Nothing.\"\"\"";
        assert_eq!(
            shown(python(text, "bindings/python/tests/test_a.py", false)),
            ["test_a:4 F-2", "test_c:13 D-6 F-1"]
        );
    }

    #[test]
    fn tests_of_kotlin_are_found() {
        let text = "/** F-1: a. */\n@Test fun aTest() = run {\n/** D-5 and D-2: b,\n * and more. */\n@TestFactory\nfun b() {\n\
                    /** F-1: no test. */\nfun helper() {\n/** F-1: never. */\n@Disabled\n@Test fun c() {\n\
                    /** Nothing. */\n@Test fun d() {\n@Test fun e() {";
        assert_eq!(shown(kotlin(text, "bindings/kotlin/A.kt", false)), ["aTest:2 F-1", "b:6 D-5 D-2"]);
    }

    #[test]
    fn tests_of_swift_are_found() {
        let text = "    /// D-6, R-5: many\n    /// tasks.\n    func testTasks() async throws {\n\
                    /// F-1: no test.\nfunc helper() {\n/// F-1: x\nlet a = 1\nfunc testNothing() {";
        assert_eq!(shown(swift(text, "bindings/swift/A.swift", false)), ["testTasks:3 D-6 R-5"]);
    }

    #[test]
    fn a_case_of_the_conformance_suite_needs_no_attribute() {
        let text = "/// D-2: x\npub async fn lost_update() {\n/// Helps.\nfn helper() {";
        assert_eq!(shown(rust(text, "passes-conformance/src/a.rs", true)), ["lost_update:2 D-2"]);
    }
}

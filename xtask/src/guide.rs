//! `cargo xtask guide`: the page of the guide that shows the same in four languages is filled from the examples that the
//! tests run, so that it can't show what doesn't work.
//!
//! A block of the page is `<!-- FILE: STEP -->`, code, and `<!-- -->`. A step of an example begins with a comment that has
//! its name and a colon (`// Sell: …`), which the page says in its own words, and ends where the next begins.

use crate::workspace::{Workspace, say};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

const PAGE: &str = "docs/languages.md";

/// Writes the page.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let path = workspace.root().join(PAGE);
    let read = || fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"));
    let filled = read().and_then(|page| filled(workspace.root(), &page));
    match filled.and_then(|page| fs::write(&path, page).map_err(|error| format!("{PAGE}: {error}"))) {
        Ok(()) => {
            say(&format!("{PAGE} shows the examples as they are\n"));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The page with its blocks as the examples are.
fn filled(root: &Path, page: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out += line;
        out.push('\n');
        let Some((file, step)) = named(line) else { continue };
        let text = fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
        let code = section(&text, step).ok_or_else(|| format!("{file} has no step {step}"))?;
        let language = match Path::new(file).extension().and_then(|kind| kind.to_str()) {
            Some("rs") => "rust",
            Some("kt") => "kotlin",
            Some("py") => "python",
            Some(other) => other,
            None => "",
        };
        out += &format!("```{language}\n{code}\n```\n{END}\n");
        // What stood there before.
        if !lines.any(|line| line == END) {
            return Err(format!("{PAGE}: the block of {file}, {step} has no end"));
        }
    }
    Ok(out)
}

const END: &str = "<!-- -->";

/// `<!-- examples/hello/main.rs: Open -->`
fn named(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.split_once(": ")
}

/// The name of the step that begins with this line.
fn begins(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let comment = line.strip_prefix("// ").or_else(|| line.strip_prefix("# "))?;
    let (name, _) = comment.split_once(':')?;
    name.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some(name)
}

/// The lines of a step, as far to the left as they go.
fn section(text: &str, step: &str) -> Option<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| begins(line) != Some(step));
    let least = depth(lines.next()?);
    let inside = |line: &&str| line.is_empty() || (depth(line) >= least && begins(line).is_none());
    let code: Vec<&str> =
        lines.take_while(inside).map(|line| line.get(least..).unwrap_or_default()).collect();
    let code = code.join("\n").trim_end().to_owned();
    (!code.is_empty()).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page shows the examples as they are. `cargo xtask guide` writes it anew.
    #[test]
    fn the_page_shows_the_examples() {
        let root = Workspace::find().root().to_path_buf();
        let page = fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(filled(&root, &page).unwrap() == page, "{PAGE} is old: cargo xtask guide");
    }

    /// Each step of the shortest way through is shown in each language.
    #[test]
    fn every_step_is_shown_in_every_language() {
        let root = Workspace::find().root().to_path_buf();
        let page = fs::read_to_string(root.join(PAGE)).unwrap();
        let shown: Vec<(&str, &str)> = page.lines().filter_map(named).collect();
        for file in [
            "examples/hello/main.rs",
            "bindings/kotlin/examples/Hello.kt",
            "bindings/swift/Examples/Hello.swift",
            "bindings/python/examples/hello.py",
        ] {
            let text = fs::read_to_string(root.join(file)).unwrap();
            let steps: Vec<&str> = text.lines().filter_map(begins).collect();
            assert_eq!(steps, ["Open", "Plan", "Sell", "Check", "Redeem"], "{file}");
            assert!(steps.iter().all(|step| shown.contains(&(file, step))), "{file} is not shown whole");
        }
    }

    #[test]
    fn a_step_ends_where_the_next_begins() {
        let text = "fun a() {\n    // Open: a file.\n    open {\n        // Sell: a card.\n        sell()\n\n        // It is\n        // sold.\n        good()\n    }\n}\n";
        assert_eq!(section(text, "Open").unwrap(), "open {");
        assert_eq!(section(text, "Sell").unwrap(), "sell()\n\n// It is\n// sold.\ngood()");
        assert_eq!(section(text, "Redeem"), None);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(
            filled(folder, "<!-- src/guide.rs: Nothing -->\n<!-- -->\n").unwrap_err().contains("no step")
        );
        assert!(filled(folder, "<!-- src/none.rs: Open -->\n").is_err());
        assert_eq!(filled(folder, "# A page\n").unwrap(), "# A page\n");
    }
}

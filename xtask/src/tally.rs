//! Counting tests: libtest's lines are read as they pass by, and summed.

use std::fmt;

/// What was counted, and a line for each test that failed or was skipped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) failures: Vec<String>,
    pub(crate) skips: Vec<String>,
}

impl Tally {
    pub(crate) fn pass() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    pub(crate) fn fail(what: impl Into<String>) -> Self {
        Self { failed: 1, failures: vec![what.into()], ..Self::default() }
    }

    /// `why` begins with what was skipped.
    pub(crate) fn skip(why: impl Into<String>) -> Self {
        Self { skipped: 1, skips: vec![why.into()], ..Self::default() }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.failures.extend(other.failures);
        self.skips.extend(other.skips);
    }

    /// Whether the run counts as good; a skip is bad where `strict` (in CI).
    pub(crate) fn is_good(&self, strict: bool) -> bool {
        self.failed == 0 && !(strict && self.skipped > 0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Reads the standard output of `cargo test`, line by line.
///
/// A test that starts this binary again as a helper process must keep that process's output to itself,
/// or its lines are counted too.
#[derive(Default)]
pub(crate) struct Reader {
    tally: Tally,
    announced: u64,
    reported: u64,
}

impl Reader {
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim_end();
        if is_announcement(line) {
            self.announced += 1;
        } else if let Some(counts) = result(line) {
            self.reported += 1;
            self.tally.passed += counts.passed;
            self.tally.failed += counts.failed;
            self.tally.skipped += counts.ignored;
        } else if let Some((name, outcome)) = single(line) {
            if outcome == "FAILED" {
                self.tally.failures.push(name.to_owned());
            } else if let Some(why) = outcome.strip_prefix("ignored") {
                let why = why.trim_start_matches(',').trim();
                let why = if why.is_empty() { "marked as ignored" } else { why };
                self.tally.skips.push(format!("{name}: {why}"));
            }
        }
    }

    /// The sum, once `what` has ended well or not.
    pub(crate) fn finish(mut self, what: &str, success: bool) -> Tally {
        let silent = self.announced.saturating_sub(self.reported);
        if silent > 0 {
            let line = format!("{what}: {silent} test program(s) ended without a result");
            self.tally.add(Tally { failed: silent, failures: vec![line], ..Tally::default() });
        }
        if !success && self.tally.failed == 0 {
            self.tally.add(Tally::fail(format!("{what}: not built, or ended with an error")));
        }
        if success && self.announced == 0 {
            self.tally.add(Tally::skip(format!("{what}: it has no test program")));
        }
        self.tally
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// `running 3 tests`
fn is_announcement(line: &str) -> bool {
    let count = line.strip_prefix("running ").and_then(|rest| {
        rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test")).map(str::parse::<u64>)
    });
    matches!(count, Some(Ok(_)))
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn result(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let rest = rest.strip_prefix("ok. ").or_else(|| rest.strip_prefix("FAILED. "))?;
    let mut fields = rest.split("; ");
    let mut count = |word: &str| fields.next()?.strip_suffix(word)?.trim_end().parse().ok();
    Some(Counts { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
}

/// `test money::tests::adds_up ... ok`: the name and what follows the dots.
fn single(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.rsplit_once(" ... ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str, success: bool) -> Tally {
        let mut reader = Reader::default();
        output.lines().for_each(|line| reader.line(line));
        reader.finish("core", success)
    }

    #[test]
    fn sums_several_programs() {
        let tally = read(
            "\nrunning 3 tests\ntest a ... ok\ntest b ... ok\ntest c ... ok\n\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             running 1 test\ntest d ... ok\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 2.10s\n",
            true,
        );
        assert_eq!(tally, Tally { passed: 4, ..Tally::default() });
        assert!(tally.is_good(true));
    }

    #[test]
    fn names_what_failed_and_why_one_was_skipped() {
        let tally = read(
            "running 4 tests\ntest a::x ... FAILED\ntest b ... ignored, takes an hour\ntest c ... ignored\n\
             test d - should panic ... ok\n\
             test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s\n",
            false,
        );
        assert_eq!((tally.passed, tally.failed, tally.skipped), (1, 1, 2));
        assert_eq!(tally.failures, ["a::x"]);
        assert_eq!(tally.skips, ["b: takes an hour", "c: marked as ignored"]);
        assert_eq!(tally.to_string(), "1 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn a_build_error_is_one_failure() {
        let tally = read("", false);
        assert_eq!(tally.failed, 1);
        assert!(!tally.is_good(false));
    }

    #[test]
    fn a_program_that_dies_is_a_failure_even_if_cargo_calls_it_a_success() {
        for success in [true, false] {
            let tally = read("running 2 tests\ntest a ... ok\n", success);
            assert_eq!((tally.passed, tally.failed), (0, 1));
        }
    }

    #[test]
    fn an_area_without_a_test_is_a_skip_and_bad_only_in_ci() {
        let tally = read("", true);
        assert_eq!((tally.failed, tally.skipped), (0, 1));
        assert!(tally.is_good(false));
        assert!(!tally.is_good(true));
    }

    #[test]
    fn lines_that_only_resemble_are_left_alone() {
        for line in [
            "test result: ok. many passed; 0 failed; 0 ignored",
            "  test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured",
            "test result: 3 passed; 0 failed; 0 ignored",
        ] {
            assert_eq!(result(line), None, "{line}");
        }
        assert!(!is_announcement("running late tests"));
        assert!(is_announcement("running 0 tests"));
    }
}

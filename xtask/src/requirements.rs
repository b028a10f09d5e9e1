//! Reading `docs/spec.md`: the numbered requirements and how far each is.

use std::fmt;

/// A requirement's number, `R-5`: a capital letter for its chapter and a count. Sorts by chapter, then count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number {
    chapter: char,
    count: u16,
}

impl Number {
    /// Takes a number off the front of `text`, and gives what follows it.
    pub(crate) fn take(text: &str) -> Option<(Self, &str)> {
        let chapter = text.chars().next().filter(char::is_ascii_uppercase)?;
        let digits = text.get(1..)?.strip_prefix('-')?;
        let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
        let count = digits.strip_suffix(rest)?.parse().ok()?;
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
        ends.then_some((Self { chapter, count }, rest))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}", self.chapter, self.count))
    }
}

/// How far a requirement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Built,
    /// What is missing, in words.
    Part(String),
    NotBuilt,
}

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "built" => Some(Self::Built),
            "not built" => Some(Self::NotBuilt),
            _ => {
                let missing = text.strip_prefix("part:")?.trim();
                (!missing.is_empty()).then(|| Self::Part(missing.to_owned()))
            }
        }
    }

    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Part(_) => "part",
            Self::NotBuilt => "not built",
        }
    }

    pub(crate) fn missing(&self) -> Option<&str> {
        match self {
            Self::Part(missing) => Some(missing),
            Self::Built | Self::NotBuilt => None,
        }
    }

    pub(crate) fn needs_test(&self) -> bool {
        *self != Self::NotBuilt
    }
}

/// One numbered requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub(crate) number: Number,
    pub(crate) mark: Mark,
}

/// Reads the requirements in the page's order, each an item `- **R-5** *[mark]* …` whose mark may run over
/// lines; and a line for each that can't be read or is there twice.
pub(crate) fn parse(page: &str) -> (Vec<Requirement>, Vec<String>) {
    let mut requirements: Vec<Requirement> = Vec::new();
    let mut problems = Vec::new();
    let mut lines = page.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let Some(first) = line.strip_prefix("- **") else { continue };
        let mut item = first.to_owned();
        while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with("  ")) {
            item += " ";
            item += next.trim();
        }
        match requirement(&item) {
            Err(why) => problems.push(format!("docs/spec.md:{}: {why}", index + 1)),
            Ok(twice) if requirements.iter().any(|known| known.number == twice.number) => {
                problems.push(format!("docs/spec.md:{}: {} is there twice", index + 1, twice.number));
            }
            Ok(requirement) => requirements.push(requirement),
        }
    }
    if requirements.is_empty() {
        problems.push("docs/spec.md: no requirement found".to_owned());
    }
    (requirements, problems)
}

fn requirement(item: &str) -> Result<Requirement, String> {
    let (number, rest) = Number::take(item).ok_or("an item in bold has no number like R-5")?;
    let rest =
        rest.strip_prefix("**").ok_or_else(|| format!("{number}: nothing but the number goes in bold"))?;
    rest.trim_start()
        .strip_prefix("*[")
        .and_then(|rest| rest.split_once("]*"))
        .and_then(|(mark, _)| Mark::parse(mark))
        .map(|mark| Requirement { number, mark })
        .ok_or_else(|| {
            format!("{number} has no mark *[built]*, *[part: what is missing]* or *[not built]* behind it")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_marks_are_read_over_lines_and_in_order() {
        let page = "# Head\n\n- **R-1** *[built]* One.\n- **R-10** *[part: limits, and the\n  rest of it]* Two\n  \
                    goes on.\n\n## Next\n\n- **A-2** *[not built]* Three.\n- a plain item\n";
        let (found, problems) = parse(page);
        assert_eq!(problems, Vec::<String>::new());
        let read: Vec<_> =
            found.iter().map(|r| (r.number.to_string(), r.mark.word(), r.mark.missing())).collect();
        assert_eq!(
            read,
            [
                ("R-1".to_owned(), "built", None),
                ("R-10".to_owned(), "part", Some("limits, and the rest of it")),
                ("A-2".to_owned(), "not built", None),
            ]
        );
    }

    #[test]
    fn what_has_no_good_mark_is_named_with_its_line() {
        let page = "- **R-1** No mark.\n- **R-2** *[part: ]* x\n- **R-3** *[done]* x\n- **R-4 and** *[built]* x\n\
                    - **Word** x\n- **R-5** *[built]* x\n- **R-5** *[built]* again\n";
        let (found, problems) = parse(page);
        assert_eq!(found.len(), 1);
        assert_eq!(problems.len(), 6, "{problems:#?}");
        for (line, problem) in [1, 2, 3, 4, 5, 7].iter().zip(&problems) {
            assert!(problem.starts_with(&format!("docs/spec.md:{line}: ")), "{problem}");
        }
    }

    #[test]
    fn an_empty_page_is_a_problem() {
        assert_eq!(parse("").1.len(), 1);
    }

    #[test]
    fn numbers_are_told_from_what_resembles_them() {
        let number = |text| Number::take(text).map(|(number, rest)| (number.to_string(), rest));
        assert_eq!(number("W-3: rest"), Some(("W-3".to_owned(), ": rest")));
        for text in ["UTF-8", "w-3", "W3", "W-", "W-3a", "W-3-4", "W-99999", "", "É-1"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn the_page_of_this_repository_reads_without_a_problem() {
        let (found, problems) = parse(include_str!("../../docs/spec.md"));
        assert_eq!(problems, Vec::<String>::new());
        assert!(found.len() > 100);
    }
}

//! What was asked for on the command line.

use crate::Section;
use crate::run::Made;

/// What was asked for.
pub(crate) enum Asked {
    Help(String),
    Measure {
        sections: Vec<&'static Section>,
        quick: bool,
        plot: bool,
    },
    /// The document and the pictures from what was measured before.
    Draw,
}

/// Reads the arguments; an unknown one is told with the help.
pub(crate) fn read(args: &[String], all: &'static [Section]) -> Made<Asked> {
    let (mut quick, mut plot, mut draw) = (false, false, false);
    let mut named: Vec<&str> = Vec::new();
    for arg in args {
        match arg.as_str() {
            "-h" | "--help" => return Ok(Asked::Help(help(all))),
            "--quick" => quick = true,
            "--plot" => plot = true,
            "--draw" => draw = true,
            name if all.iter().any(|section| section.name == name) => named.push(name),
            unknown => {
                let what = if unknown.starts_with('-') { "argument" } else { "section" };
                return Err(format!("there is no {what} `{unknown}`\n\n{}", help(all)).into());
            }
        }
    }
    if draw {
        let alone = named.is_empty() && !quick && !plot;
        return if alone { Ok(Asked::Draw) } else { Err("--draw measures nothing and stands alone".into()) };
    }
    if quick && plot {
        return Err("a quick run's figures are no figures to keep: --plot needs a whole run".into());
    }
    // In the table's order, each once; all where none was named.
    let sections = all.iter().filter(|section| named.is_empty() || named.contains(&section.name)).collect();
    Ok(Asked::Measure { sections, quick, plot })
}

fn help(all: &[Section]) -> String {
    let mut sections = String::new();
    for Section { name, about, .. } in all {
        sections += &format!("  {name:<10} {about}\n");
    }
    format!(
        "\
cargo xtask bench [SECTION...] [--quick] [--plot]

Measures, prints one line a measure and writes target/bench.json. Fails when a gate is missed.
A line: what, the median, its quartiles and rounds, the gate and in brackets the ambition.

  --quick    fewer rounds and smaller sizes, a few minutes; gates are told but don't fail
  --plot     afterwards write the tables and pictures of docs/performance.md and docs/scale.md
  --draw     write them from target/bench.json without measuring

Sections; all where none is named:

{sections}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SECTIONS;

    fn read(args: &[&str]) -> Result<(Vec<&'static str>, bool, bool), String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        match super::read(&args, SECTIONS).map_err(|error| error.to_string())? {
            Asked::Help(text) => Err(text),
            Asked::Measure { sections, quick, plot } => {
                Ok((sections.iter().map(|section| section.name).collect(), quick, plot))
            }
            Asked::Draw => Ok((vec!["draw"], false, false)),
        }
    }

    #[test]
    fn sections_are_chosen_once_and_in_order() {
        let all: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
        assert_eq!(read(&[]), Ok((all, false, false)));
        assert_eq!(read(&["pages", "redeem", "pages", "--plot"]), Ok((vec!["redeem", "pages"], false, true)));
        assert_eq!(read(&["--quick", "pages"]), Ok((vec!["pages"], true, false)));
        assert_eq!(read(&["--draw"]), Ok((vec!["draw"], false, false)));
    }

    #[test]
    fn what_is_unknown_is_told_with_the_help() {
        for (args, word) in [
            (["--fast"].as_slice(), "no argument `--fast`"),
            (&["speed"], "no section `speed`"),
            (&["--help"], "--quick"),
            (&["--quick", "--plot"], "whole run"),
            (&["--draw", "pages"], "alone"),
        ] {
            assert!(read(args).unwrap_err().contains(word), "{args:?}");
        }
        for section in SECTIONS {
            assert!(read(&["--help"]).unwrap_err().contains(section.about));
        }
    }
}

//! Random commands against a naive model, on stores that make trouble.
//!
//! A seed draws a world and the commands given in it, one by one or several at once. The model (`state`, `judge`)
//! is plain numbers: no ledger, no tallies, no store. It foresees every answer, and is told what landed in the order
//! in which it landed, so that whatever the commands at once did must be what they would have done one by one.
//! Each of them may meet conflicts that nobody made, others' turns between load and commit, answers that are lost
//! and callers that give up (`passes_conformance::chaos`).
//!
//! A failing seed is shrunk to a short script (`shrink`), which is printed and can be kept as a test: see `kept`.

mod answer;
mod ask;
mod calendar;
mod compare;
mod draw;
mod judge;
mod kept;
mod life;
mod make;
mod pay;
mod plans;
mod play;
mod runs;
mod script;
mod shrink;
mod stage;
mod state;
mod troubles;
mod undo;

use draw::{Drawing, Kind, draw_setup};
use passes_conformance::chaos::Met;
use play::{GIVEN_UP, GIVEN_UP_LANDED, IN_DOUBT, IN_DOUBT_LANDED, LOOKED_UP, Play, play};
use script::Script;
use stage::{Place, in_file, in_memory, in_postgres};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tests::{Dice, dice, is_long};

/// Commands in one world.
const WORLD: usize = 1_000;

/// After how many commands the books are compared, and some of everything else.
const COMPARED: usize = 125;

/// Commands of each test in memory, on SQLite, on PostgreSQL, and of each of them where there is time.
const IN_MEMORY: usize = 10_000;
const IN_FILES: usize = 6_000;
const ON_SERVERS: usize = 2_000;
const LONG: usize = 100_000;

/// A script that failed, and how.
pub(crate) struct Failure {
    pub script: Script,
    pub why: String,
}

/// Runs what may panic.
fn caught(run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
    })
}

/// How a script fails, if it does.
pub(crate) fn failure(script: &Script, place: Box<dyn Place>) -> Option<String> {
    caught(|| play(script, place)).err()
}

/// Draws a world and gives so many commands in it.
pub(crate) fn draw(kind: Kind, seed: u64, commands: usize, place: Box<dyn Place>) -> Result<Play, Failure> {
    let mut dice = Dice::new(seed);
    let setup = draw_setup(&mut dice);
    let mut play = Play::new(&setup, place);
    let mut drawing = Drawing::new(dice, kind, play.stage.plans.len() as u32);
    let mut script = Script { setup, steps: Vec::new() };
    let mut compared = 0;
    let run = caught(|| {
        while play.given < commands {
            let round = drawing.round(&mut play);
            script.steps.extend(round.iter().cloned());
            play.round(&round)?;
            if play.given / COMPARED > compared {
                compared += 1;
                play.compare(8, compared % 8)?;
            }
        }
        play.compare_all()
    });
    match run {
        Ok(()) => Ok(play),
        Err(why) => Err(Failure { script, why }),
    }
}

/// What a run of many worlds came to.
#[derive(Debug, Default)]
struct Sum {
    commands: usize,
    counts: BTreeMap<String, u32>,
    met: Met,
}

impl From<Play> for Sum {
    fn from(play: Play) -> Self {
        Self { commands: play.given, met: play.met(), counts: play.counts }
    }
}

impl Sum {
    /// Both together.
    fn and(mut self, more: Self) -> Self {
        self.commands += more.commands;
        self.met = self.met + more.met;
        for (what, count) in more.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self
    }

    /// How many commands came to this.
    fn of(&self, outcome: &str) -> u32 {
        let ends = |what: &str| what.split_once(": ").is_some_and(|(_, end)| end == outcome);
        self.counts.iter().filter(|(what, _)| ends(what)).map(|(_, count)| count).sum()
    }

    /// What became of commands whose answers were lost, or whose callers gave up.
    fn unheard(&self) -> [(&'static str, u32); 5] {
        let of = |outcome| (outcome, self.of(outcome));
        [IN_DOUBT, IN_DOUBT_LANDED, GIVEN_UP, GIVEN_UP_LANDED, LOOKED_UP].map(of)
    }

    fn print(&self) {
        self.counts.iter().for_each(|(what, count)| println!("{count:>6} {what}"));
        println!("{} commands: {:?}, {:?}", self.commands, self.met, self.unheard());
    }

    /// A run of a size shows that everything was tried, and every trouble was met.
    fn check(&self, kind: Kind) {
        self.print();
        if self.commands < 5_000 {
            return;
        }
        assert!(self.counts.len() > 150, "much was not tried");
        let Met { conflicts, true_conflicts, delays, lost, unasked, abandoned } = self.met;
        let met = [conflicts, delays, lost, unasked, abandoned];
        assert!(met.iter().all(|count| *count > 0), "{:?}", self.met);
        assert!(self.unheard().iter().all(|(_, count)| *count > 0), "{:?}", self.unheard());
        assert!(kind == Kind::OneByOne || true_conflicts > 0, "nobody met anybody else");
    }
}

/// Gives commands in worlds of this kind, so many in all, the first one from this seed; or tells how the first of
/// them that failed is seen again, as short as it can be made.
fn worlds(
    test: &str,
    kind: Kind,
    first: u64,
    commands: usize,
    place: &dyn Fn() -> Box<dyn Place>,
) -> Result<Sum, String> {
    let mut sum = Sum::default();
    for (seed, done) in (first..).zip((0..commands).step_by(WORLD)) {
        let count = WORLD.min(commands - done);
        match draw(kind, seed, count, place()) {
            Ok(play) => sum = sum.and(play.into()),
            Err(Failure { script, why }) => {
                let again = format!(
                    "PASSES_SEED={seed} PASSES_COMMANDS={count} cargo test -p tests --test races {test}"
                );
                println!("after {done} commands: {why}\nAgain: {again}");
                let short = shrink::shrink(script, |script| failure(script, place()).is_some());
                let why = failure(&short, place()).unwrap_or_else(|| format!("{why} (not always)"));
                return Err(format!("{why}\nAs a script, for {KEPT}:\n{short}Again: {again}"));
            }
        }
    }
    Ok(sum)
}

/// Where scripts are kept that failed.
const KEPT: &str = "tests/races/model/kept.rs";

/// Gives so many commands, or as many as `PASSES_COMMANDS` says; or plays the script in the file that
/// `PASSES_SCRIPT` names.
fn run(test: &str, kind: Kind, commands: usize, place: fn() -> Box<dyn Place>) {
    if let Some(file) = std::env::var_os("PASSES_SCRIPT").filter(|file| !file.is_empty()) {
        let script = Script::read(&std::fs::read_to_string(file).unwrap());
        return assert_eq!(failure(&script, place()), None, "the script fails");
    }
    let given = std::env::var("PASSES_COMMANDS").ok().and_then(|text| text.trim().parse().ok());
    let commands = given.unwrap_or(if is_long() { LONG } else { commands });
    match worlds(test, kind, dice::seed(test), commands, &place) {
        Ok(sum) => sum.check(kind),
        Err(report) => panic!("{report}"),
    }
}

/// W-1, W-3, W-4, L-4, L-5, P-5: random commands, one after the other, on a store that meets
/// conflicts nobody made and loses answers, are answered as a naive model foresees; balances, states, liabilities
/// and statements agree.
#[test]
fn one_by_one_in_memory() {
    run("model::one_by_one_in_memory", Kind::OneByOne, IN_MEMORY, in_memory);
}

/// D-2, D-3, R-5, R-8: commands that are given at once do what they would do one after the other, whatever comes
/// between their load and their commit, and each answer was right at some moment while it was waited for.
#[test]
fn at_once_in_memory() {
    run("model::at_once_in_memory", Kind::AtOnce, IN_MEMORY, in_memory);
}

/// W-1, W-3, D-1: one after the other, on SQLite.
#[test]
fn one_by_one_on_sqlite() {
    run("model::one_by_one_on_sqlite", Kind::OneByOne, IN_FILES, in_file);
}

/// W-1, W-3, D-1: one after the other, on PostgreSQL.
#[test]
fn one_by_one_on_postgres() {
    run("model::one_by_one_on_postgres", Kind::OneByOne, ON_SERVERS, in_postgres);
}

/// D-1, D-2, D-3, R-5, R-8: at once, on PostgreSQL.
#[test]
fn at_once_on_postgres() {
    run("model::at_once_on_postgres", Kind::AtOnce, ON_SERVERS, in_postgres);
}

/// D-1, D-2, D-3, R-5, R-8: at once, on SQLite.
#[test]
fn at_once_on_sqlite() {
    run("model::at_once_on_sqlite", Kind::AtOnce, IN_FILES, in_file);
}

//! Playing a script: every round is given to the library, and what landed is told to the model in the order in
//! which it landed. Each answer must be right at some moment between the command's begin and its end.

use super::answer::Answer;
use super::life::Glance;
use super::script::{Command, Label, Script, Setup, Step};
use super::stage::{Place, Stage};
use super::state::{Model, Outcome};
use passes_conformance::chaos::Met;
use passes_conformance::turns::{Caller, Ended, take_turns};
use passes_core::Error;
use passes_core::store::{StoreError, StoredOperation};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a command was answered; nothing if its caller gave up, or if it is in doubt.
type Heard = Option<Result<Answer, Error>>;

/// An answer, and the operations between which it was given.
struct Told<'s> {
    step: &'s Step,
    heard: Heard,
    /// The caller gave up.
    gave_up: bool,
    began: u64,
    ended: u64,
}

/// What became of commands of which nobody heard, and of those whose answer was lost and then looked up.
pub(crate) const IN_DOUBT: &str = "in doubt, and did not land";
pub(crate) const IN_DOUBT_LANDED: &str = "in doubt, and landed";
pub(crate) const GIVEN_UP: &str = "given up, and did not land";
pub(crate) const GIVEN_UP_LANDED: &str = "given up, and landed";
pub(crate) const LOOKED_UP: &str = "landed, and looked up";

pub(crate) struct Play {
    pub stage: Stage,
    pub model: Model,
    /// What came to what, and how often.
    pub counts: BTreeMap<String, u32>,
    /// How many commands were given.
    pub given: usize,
    /// Commands under keys of which nobody heard what came of them.
    pub in_doubt: Vec<(u32, Command)>,
    last: u64,
    /// Passes whose codes are known, as far as they can be.
    known: usize,
    met: Met,
}

/// Plays a whole script, and compares everything at its end.
pub(crate) fn play(script: &Script, place: Box<dyn Place>) -> Outcome {
    let mut play = Play::new(&script.setup, place);
    for round in script.rounds() {
        play.round(round)?;
    }
    play.compare_all()
}

impl Play {
    pub(crate) fn new(setup: &Setup, place: Box<dyn Place>) -> Self {
        let stage = Stage::new(setup, place);
        let model = Model::new(setup, &stage.plans, &stage.contacts);
        let last = stage.operations_after(0).last().map_or(0, |operation| operation.number);
        let (counts, in_doubt) = (BTreeMap::new(), Vec::new());
        Self { stage, model, counts, given: 0, in_doubt, last, known: 0, met: Met::default() }
    }

    /// How much trouble there was.
    pub(crate) fn met(&self) -> Met {
        self.met + self.stage.chaos().met()
    }

    /// Notes the outcome, so that the end can tell that everything was tried.
    fn note(&mut self, step: &Step, outcome: &str) {
        self.given += 1;
        *self.counts.entry(format!("{}: {outcome}", step.command.name())).or_default() += 1;
    }

    /// Gives the commands of a round at once, and compares.
    pub(crate) fn round(&mut self, steps: &[Step]) -> Outcome {
        let mut given = Vec::new();
        for step in steps {
            match &step.command {
                Command::Clock(time) => {
                    self.model.now += time;
                    self.stage.set_clock(self.model.now);
                    self.note(step, "ok");
                }
                Command::Reopen => {
                    self.met = self.met();
                    self.stage.reopen();
                    self.note(step, "ok");
                }
                Command::Lot { plan, count } if self.model.resolves(&step.command) => {
                    self.make_lot(step, *plan, *count)?;
                }
                command if self.model.resolves(command) => given.push(step),
                _ => {}
            }
        }
        let told = self.give(&given);
        if told.iter().any(|told| told.heard.is_none()) {
            self.stage.settle();
        }
        let landed = self.stage.operations_after(self.last);
        self.judge(told, &landed)?;
        self.learn_codes()
    }

    fn make_lot(&mut self, step: &Step, plan: Label, count: u32) -> Outcome {
        let mut part = Step {
            luck: 0,
            gives_up: None,
            key: None,
            command: Command::Generate { plan, count },
            ..step.clone()
        };
        self.round(std::slice::from_ref(&part))?;
        part.command = Command::Step(step.label);
        self.round(std::slice::from_ref(&part))?;
        self.round(&[part])
    }

    /// The callers take their turns.
    fn give<'s>(&self, steps: &[&'s Step]) -> Vec<Told<'s>> {
        let (stage, model, last) = (&self.stage, &self.model, self.last);
        let groups: Vec<&[&'s Step]> = steps.chunk_by(|a, b| a.together && b.together).collect();
        let mut callers: Vec<Caller<'_, Vec<Result<Answer, Error>>>> = Vec::new();
        for group in groups.iter().copied() {
            let Some(first) = group.first() else { continue };
            let given = async move {
                match group {
                    [step] => vec![stage.give(model, step).await],
                    steps => stage.give_together(model, steps).await,
                }
            };
            let caller = Caller::new(first.luck, stage.as_step(first, given));
            callers.push(caller.giving_up_after(first.gives_up));
        }
        // Alone, a command has all the time there is.
        let alone = callers.len() < 2;
        let clock = || if alone { last } else { self.landed_last() };
        let ended: Vec<Ended<_>> = take_turns(callers, clock);
        let mut told = Vec::new();
        for (group, Ended { answer, began, ended }) in groups.into_iter().zip(ended) {
            let gave_up = answer.is_none();
            let mut answers = answer.map(Vec::into_iter);
            for step in group {
                let heard = answers.as_mut().and_then(Iterator::next);
                let heard = heard.filter(|answer| !matches!(answer, Err(Error::Store(StoreError::InDoubt))));
                told.push(Told { step, heard, gave_up, began, ended: if alone { u64::MAX } else { ended } });
            }
        }
        told
    }

    fn landed_last(&self) -> u64 {
        self.stage.operations_after(self.last).last().map_or(self.last, |operation| operation.number)
    }

    /// Tells the model what landed, and looks for the moment of every other answer.
    fn judge(&mut self, told: Vec<Told<'_>>, landed: &[Arc<StoredOperation>]) -> Outcome {
        let mut landing: BTreeMap<u64, Told<'_>> = BTreeMap::new();
        let mut open: Vec<(Told<'_>, String)> = Vec::new();
        let mut by_label = BTreeMap::new();
        for operation in landed {
            let channel = operation.operation.channel.as_deref();
            let label = channel.and_then(|label| label.parse::<Label>().ok()).ok_or("nobody's operation")?;
            if let Some(first) = by_label.insert(label, operation.number) {
                return Err(format!("step {label} landed twice, as {first} and {}", operation.number));
            }
        }
        for told in told {
            match by_label.remove(&told.step.label) {
                Some(number) => drop(landing.insert(number, told)),
                None if told.heard.is_some() => open.push((told, String::new())),
                None => {
                    self.note(told.step, if told.gave_up { GIVEN_UP } else { IN_DOUBT });
                    self.doubt(told.step);
                }
            }
        }
        if let Some((label, number)) = by_label.pop_first() {
            return Err(format!("step {label} was not given, and landed as {number}"));
        }
        let mut glances: BTreeMap<Label, Vec<Glance>> = BTreeMap::new();
        for operation in landed {
            self.explain(&mut open);
            // Only where load and commit are apart can anything come in between.
            for told in landing.values().filter(|told| self.stage.apart() && told.began <= self.last) {
                glances.entry(told.step.label).or_default().extend(self.model.glance(told.step));
            }
            let Some(told) = landing.remove(&operation.number) else { continue };
            let label = told.step.label;
            let glances = glances.remove(&label).unwrap_or_default();
            self.land(told, operation, &glances).map_err(|why| format!("step {label}: {why}"))?;
            self.last = operation.number;
        }
        self.explain(&mut open);
        match open.first() {
            None => Ok(()),
            Some((told, why)) => Err(format!("step {}: {why}", told.step.label)),
        }
    }

    /// Takes out the answers that are right at this moment.
    fn explain(&mut self, open: &mut Vec<(Told<'_>, String)>) {
        let mut explained = Vec::new();
        open.retain_mut(|(told, why)| {
            let Some(answer) = &told.heard else { return false };
            if !(told.began..=told.ended).contains(&self.last) {
                return true;
            }
            match self.model.explains(told.step, answer) {
                Ok(()) => {
                    let outcome = match answer {
                        Ok(answer) if answer.operation().is_some() => "again",
                        Ok(_) => "told",
                        Err(error) => error.code(),
                    };
                    explained.push((told.step, outcome));
                    false
                }
                Err(different) => {
                    *why = different;
                    true
                }
            }
        });
        for (step, outcome) in explained {
            self.note(step, outcome);
        }
    }

    fn land(&mut self, told: Told<'_>, operation: &StoredOperation, glances: &[Glance]) -> Outcome {
        let step = told.step;
        let stored = Answer::stored(&step.command, operation)?;
        let answer = match &told.heard {
            None => {
                self.note(step, if told.gave_up { GIVEN_UP_LANDED } else { IN_DOUBT_LANDED });
                self.doubt(step);
                stored
            }
            Some(Err(error)) => return Err(format!("answered {error:?}, and landed")),
            Some(Ok(answer)) => {
                if !(told.began < operation.number && operation.number <= told.ended) {
                    return Err("it landed before or after it was given".into());
                }
                let mut outcome = "ok";
                if let Some((number, replayed)) = answer.operation() {
                    answer.is_of(&stored)?;
                    // The luck of a list is that of its first.
                    if number != operation.number || (replayed && step.luck == 0 && !step.together) {
                        return Err(format!("answered operation {number}, replayed: {replayed}"));
                    }
                    if replayed {
                        outcome = LOOKED_UP;
                    }
                }
                self.note(step, outcome);
                answer.clone()
            }
        };
        let replaced = match &step.command {
            Command::Step(run) => {
                let old = self.model.to_be_replaced(*run);
                let pair = |old| self.stage.successor(old).map(|new| (old, new));
                old.into_iter().filter_map(pair).collect()
            }
            _ => BTreeMap::new(),
        };
        self.model.land(operation.number, step, &answer, &replaced, glances)
    }

    fn doubt(&mut self, step: &Step) {
        if let Some(key) = step.key {
            self.in_doubt.push((key, step.command.clone()));
        }
    }

    /// Exports the lots that are new, to know their codes.
    fn learn_codes(&mut self) -> Outcome {
        while let Some(pass) = self.model.passes.get(self.known) {
            let lot = pass.id.lot();
            self.known += 1;
            let of = self.model.lots.get_mut(&lot).ok_or("no lot")?;
            if pass.code.is_some() || of.closed || !of.seed {
                continue;
            }
            of.exports += 1;
            let (passes, by) = self.stage.library();
            let told = |error: Error| format!("the codes of a lot: {error}");
            passes.export(&by.clone().reason("codes"), lot).wait().map_err(told)?;
            for row in passes.export_page(by, lot, 0, 10_000).wait().map_err(told)? {
                if let Some(index) = self.model.pass_by_id.get(&row.pass) {
                    self.model.passes[*index].code = Some(row.code.reveal().to_owned());
                }
            }
            self.last = self.landed_last();
        }
        Ok(())
    }
}

impl Command {
    /// What it is called in the counts.
    pub(crate) fn name(&self) -> String {
        let text = match self {
            Self::Passes(over, act) => {
                let (over, act) = (format!("{over:?}"), format!("{act:?}"));
                return format!("{} over a {}", first_word(&act), first_word(&over)).to_lowercase();
            }
            Self::Redeem(redeem) | Self::Check(redeem) => {
                let direct = redeem.target == super::script::Target::Direct;
                let what = if matches!(self, Self::Check(_)) { "check" } else { "redeem" };
                return format!("{what}{}", if direct { " directly" } else { "" });
            }
            other => format!("{other:?}"),
        };
        first_word(&text).to_lowercase()
    }
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

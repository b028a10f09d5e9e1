//! Drawing commands: rather such as can be done, about things that others are about, too.

mod money;
mod passes;

use self::Theme::{Anything, Passes, Wallet};
use crate::model::calendar::{DAY, HOUR, MINUTE, SECOND, Where};
use crate::model::plans::{CONTACTS, currency, money};
use crate::model::play::Play;
use crate::model::script::*;
use crate::model::state::{Model, Work};
use passes_core::money::Money;
use passes_core::pass::State;
use passes_core::run::RunState;
use passes_core::service::Rest;
use std::collections::VecDeque;
use tests::Dice;

/// When worlds begin: before clocks are changed, before leap days, before a year ends, in winter.
const STARTS: [&str; 6] = [
    "2026-01-14T12:00:00Z",
    "2026-03-27T22:00:00Z",
    "2026-10-23T06:30:00Z",
    "2027-12-30T12:00:00Z",
    "2028-02-26T23:59:59Z",
    "2026-03-06T12:00:00Z",
];

/// How a world is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One command after the other.
    OneByOne,
    /// Up to six at once, mostly about the same pass or wallet.
    AtOnce,
}

/// What the commands of a round are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    Anything,
    /// One pass, its lot and its plan.
    Passes,
    /// One wallet.
    Wallet,
}

pub(crate) struct Drawing {
    dice: Dice,
    kind: Kind,
    label: Label,
    round: u32,
    keys: u32,
    /// What should come soon.
    todo: VecDeque<Command>,
    theme: Theme,
    pass: Option<usize>,
    contact: Option<Label>,
    /// Commands that were given under a key.
    asked: Vec<(u32, Command)>,
    stopped: Vec<u32>,
}

pub(crate) fn draw_setup(dice: &mut Dice) -> Setup {
    Setup {
        entropy: dice.below(1 << 32),
        zone: *dice.pick(&Where::ALL),
        start: (*dice.pick(&STARTS)).to_owned(),
        apart: !dice.once_in(4),
        settings: draw_settings(dice),
    }
}

fn draw_settings(dice: &mut Dice) -> Settings {
    Settings {
        grace: *dice.pick(&[0, 5]),
        void_hours: *dice.pick(&[24, 24, 1]),
        second_currency: dice.once_in(3),
        accepted: dice.once_in(2),
        hashed: dice.once_in(4),
        accept_hashes: !dice.once_in(4),
    }
}

impl Drawing {
    pub(crate) fn new(dice: Dice, kind: Kind, plans: Label) -> Self {
        let mut todo = VecDeque::new();
        // Every plan makes something to begin with.
        for plan in 1..=plans {
            todo.push_back(Command::Generate { plan, count: 3 });
        }
        Self {
            dice,
            kind,
            label: FIRST - 1,
            round: 0,
            keys: 0,
            todo,
            theme: Anything,
            pass: None,
            contact: None,
            asked: Vec::new(),
            stopped: Vec::new(),
        }
    }

    /// The next round.
    pub(crate) fn round(&mut self, play: &mut Play) -> Vec<Step> {
        self.round += 1;
        for (key, command) in play.in_doubt.drain(..) {
            // The caller looks what came of it.
            if !self.dice.once_in(4) {
                self.asked.push((key, command));
            }
        }
        let model = &play.model;
        (self.pass, self.contact) = (None, None);
        if self.dice.once_in(16) {
            let command = self.alone();
            return vec![self.step(command, false)];
        }
        let count = match self.kind {
            Kind::OneByOne => 1,
            Kind::AtOnce => 2 + self.dice.below(5),
        };
        self.theme =
            if count > 1 { *self.dice.pick(&[Anything, Passes, Passes, Passes, Wallet]) } else { Anything };
        if self.theme != Anything {
            let state = if self.dice.once_in(6) { State::Draft } else { State::Active };
            self.pass = self.some_pass(model, state);
            self.contact = Some(self.some_payer(model));
        }
        if self.dice.once_in(40) {
            return self.together(model);
        }
        let mut steps: Vec<Step> = Vec::new();
        for _ in 0..count {
            let again = self.again();
            let (command, key) = match again {
                Some((key, command)) => (command, Some(key)),
                None => (self.command(model), None),
            };
            // What a run over a plan meets would depend on what is made at the same time.
            let makes = steps.iter().any(|step| step.command.makes());
            let runs = steps.iter().any(|step| step.command.steps_over_plan(model));
            if (makes && command.steps_over_plan(model)) || (runs && command.makes()) {
                continue;
            }
            let mut step = self.step(command, true);
            step.key = key.or(step.key);
            if let Some(key) = step.key {
                self.asked.push((key, step.command.clone()));
            }
            steps.push(step);
        }
        steps
    }

    fn step(&mut self, command: Command, trouble: bool) -> Step {
        self.label += 1;
        let luck = if trouble && !self.dice.once_in(5) { 1 + self.dice.below(u64::MAX - 1) } else { 0 };
        let key = if trouble && !self.dice.once_in(3) {
            self.keys += 1;
            Some(self.keys)
        } else {
            None
        };
        Step {
            label: self.label,
            round: self.round,
            luck,
            gives_up: (luck != 0 && self.dice.once_in(12)).then(|| self.dice.below(10) as u32),
            key,
            place: self
                .dice
                .maybe(&[Some("North"), Some("North"), Some("South"), None])
                .copied()
                .flatten()
                .map(str::to_owned),
            together: false,
            command,
        }
    }

    /// What isn't given together with others.
    fn alone(&mut self) -> Command {
        if self.dice.once_in(6) {
            return Command::Reopen;
        }
        Command::Clock(match self.dice.below(12) {
            0..=3 => self.dice.between(1, HOUR),
            4..=6 => self.dice.between(1, 3 * DAY),
            // About the end of a day, wherever that is.
            7 => 6 * HOUR,
            8 => self.dice.between(1, 4) * HOUR - SECOND,
            9 => self.dice.between(10, 40) * DAY,
            // Clocks are set right.
            10 => -self.dice.between(1, 10 * MINUTE),
            _ => DAY,
        })
    }

    /// A request that came before, under its key; or another one under that key.
    fn again(&mut self) -> Option<(u32, Command)> {
        if !self.dice.once_in(10) {
            return None;
        }
        let recent = self.asked.len().min(40);
        let from = self.asked.len() - if self.dice.once_in(3) { self.asked.len() } else { recent };
        let (key, command) = self.dice.maybe(&self.asked[from..])?.clone();
        if self.dice.once_in(5) {
            let amount = Some(money(123_456, currency("EUR")));
            let (target, basket) = (Target::Direct, None);
            return Some((
                key,
                Command::Redeem(Redeem { code: Code::Unknown, target, amount, basket, partly: true }),
            ));
        }
        match command {
            // What a check says of what was done.
            Command::Redeem(redeem) if self.dice.once_in(6) => Some((key, Command::Check(redeem))),
            Command::Spend(spend) if self.dice.once_in(6) => Some((key, Command::CheckSpend(spend))),
            command => Some((key, command)),
        }
    }

    /// Redemptions that go by one call.
    fn together(&mut self, model: &Model) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..2 + self.dice.below(3) {
            let Some(redeem) = self.redeem(model) else { continue };
            let mut step = self.step(Command::Redeem(redeem), true);
            (step.together, step.gives_up) = (true, None);
            steps.push(step);
        }
        steps
    }

    fn command(&mut self, model: &Model) -> Command {
        if !self.dice.once_in(3)
            && let Some(command) = self.todo.pop_front()
        {
            if let Command::Generate { plan, .. } = command {
                self.will_be_sold(model, plan);
            }
            return command;
        }
        // Which number stands for which command is said below.
        let number = match (self.theme, self.dice.below(6)) {
            (Passes, 0..=4) if self.pass.is_some_and(|pass| model.state(pass) == State::Draft) => {
                *self.dice.pick(&[0, 0, 0, 24, 24, 32, 133, 146, 156, 40])
            }
            (Passes, 0..=4) => {
                *self.dice.pick(&[40, 40, 40, 40, 40, 40, 107, 133, 140, 146, 152, 156, 160, 24, 32, 75, 193])
            }
            (Wallet, 0..=4) => *self.dice.pick(&[79, 79, 79, 79, 79, 40, 40, 107, 107, 199]),
            _ => self.dice.below(200),
        };
        let drawn = match number {
            0..=23 => self.sell(model),
            24..=31 => self.act(model, Act::Activate, State::Draft),
            32..=39 => self.deliver(model),
            40..=74 => self.redeem(model).map(Command::Redeem),
            75..=78 => self.redeem(model).map(Command::Check),
            79..=104 => self.spend(model).map(Command::Spend),
            105..=106 => self.spend(model).map(Command::CheckSpend),
            107..=132 => self.reverse(model),
            133..=139 => self.act(model, Act::Void, State::Active),
            140..=145 => self.suspend(model),
            146..=151 => self.cancel(model),
            152..=155 => self.expire(model),
            156..=159 => self.value(model),
            160..=162 => self.note_or_recipient(model),
            163..=172 => self.make(model),
            173..=180 => self.step_or_stop(model),
            181..=184 => Some(self.contacts(model)),
            185..=188 => self.exports(model),
            189..=191 => Some(self.plan(model)),
            192 => Some(Command::Configure(draw_settings(&mut self.dice))),
            193..=196 => {
                self.some_pass(model, State::Active).map(|pass| Command::ViewPass(model.passes[pass].at))
            }
            _ => Some(Command::Wallet(self.some_contact(model))),
        };
        drawn.unwrap_or_else(|| self.make(model).unwrap_or(Command::Reopen))
    }

    /// A pass, rather in this state.
    fn some_pass(&mut self, model: &Model, state: State) -> Option<usize> {
        if let (Some(pass), false) = (self.pass, self.dice.once_in(5)) {
            return Some(pass);
        }
        let count = model.passes.len();
        if count == 0 {
            return None;
        }
        // Rather a late one: early ones have come to their end.
        for _ in 0..40 {
            let back = if self.dice.once_in(3) { count } else { count.min(60) };
            let pass = count - 1 - self.dice.below(back as u64) as usize;
            let of = &model.passes[pass];
            let over = of.redeem_by.is_some_and(|end| model.now >= end) && state == State::Active;
            if (model.state(pass) == state && !over) || self.dice.once_in(40) {
                return Some(pass);
            }
        }
        Some(self.dice.below(count as u64) as usize)
    }

    fn some_contact(&mut self, model: &Model) -> Label {
        if let (Some(contact), false) = (self.contact, self.dice.once_in(4)) {
            return contact;
        }
        let contacts: Vec<Label> = model.contacts.keys().copied().take(9).collect();
        *self.dice.pick(&contacts)
    }

    /// A contact, rather one who has something.
    fn some_payer(&mut self, model: &Model) -> Label {
        let mut contact = self.some_name(model);
        for _ in 0..8 {
            let has = |n: &usize| model.credits[*n].left() > 0;
            if model.contacts.get(&contact).is_some_and(|of| of.credits.iter().any(has)) {
                break;
            }
            contact = self.some_name(model);
        }
        contact
    }

    /// A contact, or somebody nobody knows.
    fn some_name(&mut self, model: &Model) -> Label {
        if self.dice.once_in(30) { 0 } else { self.some_contact(model) }
    }

    /// The lot that this command starts will be stepped, and mostly sold: the command's label is the next.
    fn will_be_sold(&mut self, model: &Model, plan: Label) {
        self.will_step();
        let (of, lot) = (&model.plans[&plan], PassRef(self.label + 1, 1));
        if of.electronic() || self.dice.once_in(3) {
            return;
        }
        let (least, most) = of.range();
        let value = of.fixed().is_none().then(|| money(self.dice.between(least, most), of.currency()));
        let price = money(self.dice.between(0, most), of.currency());
        let over =
            if self.dice.once_in(3) { Over::Pass(lot) } else { Over::Passes(vec![lot, PassRef(lot.0, 2)]) };
        self.todo.push_back(Command::Passes(over, Act::Sell { price, value, buyer: None }));
    }

    /// A new lot, or an electronic pass.
    fn make(&mut self, model: &Model) -> Option<Command> {
        let plans: Vec<Label> = model.plans.keys().copied().collect();
        let plan = *self.dice.pick(&plans);
        if model.plans[&plan].electronic() == self.dice.once_in(12) {
            self.will_be_sold(model, plan);
            // Seldom so many that commands on all of them take several steps.
            let count = if self.dice.once_in(100) { 1_010 } else { 1 + self.dice.below(5) as u32 };
            return Some(Command::Generate { plan, count });
        }
        let of = &model.plans[&plan];
        let (least, most) = of.range();
        let open = of.fixed().is_none();
        let value = (open || self.dice.once_in(6)).then(|| self.dice.between(least, most + most / 20));
        let value = value.filter(|_| !self.dice.once_in(10)).map(|value| money(value, of.currency()));
        let price = self.dice.once_in(2).then(|| money(self.dice.between(0, most), of.currency()));
        let to =
            if self.dice.once_in(5) { To::Medium(self.medium()) } else { To::Contact(self.some_name(model)) };
        let buyer = self.dice.once_in(4).then(|| self.some_name(model));
        Some(Command::Issue(Issue { plan, to, value, price, buyer }))
    }

    fn medium(&mut self) -> u32 {
        1 + self.dice.below(u64::from(CONTACTS) * 6) as u32
    }

    fn step_or_stop(&mut self, model: &Model) -> Option<Command> {
        let runs: Vec<Label> = model
            .runs
            .iter()
            .filter(|(_, run)| run.state == RunState::Running)
            .map(|(label, _)| *label)
            .collect();
        let all: Vec<Label> = model.runs.keys().copied().collect();
        let any = self.dice.once_in(6);
        let run = *self.dice.maybe(if any { &all } else { &runs })?;
        Some(if self.dice.once_in(6) { Command::CancelRun(run) } else { Command::Step(run) })
    }

    fn contacts(&mut self, model: &Model) -> Command {
        let media: Vec<u32> = (0..1 + self.dice.below(2)).map(|_| self.medium()).collect();
        match self.dice.below(3) {
            0 => Command::CreateContact(media),
            1 => Command::EditContact(self.some_name(model), media),
            _ => Command::FindContact(media[0]),
        }
    }

    fn exports(&mut self, model: &Model) -> Option<Command> {
        let lots: Vec<PassRef> = model.lot_at.keys().copied().collect();
        let lot = *self.dice.maybe(&lots)?;
        Some(match self.dice.below(8) {
            0..=2 => Command::Export { lot, reason: !self.dice.once_in(3) },
            3 => Command::CloseExport(lot),
            _ => Command::Reveal(model.passes[self.some_pass(model, State::Active)?].at),
        })
    }

    fn plan(&mut self, model: &Model) -> Command {
        let plans: Vec<Label> = model.plans.keys().copied().collect();
        let plan = *self.dice.pick(&plans);
        let act = match self.dice.below(8) {
            0 => PlanAct::Archive,
            1 => PlanAct::Copy,
            2 => PlanAct::Delete,
            3 => {
                let caps = model.plans[&plan].spec.caps;
                let more: fn(Money) -> Money = |cap| cap.times(2).unwrap_or(cap);
                PlanAct::Caps { passes: caps.passes.map(|cap| cap + 5), value: caps.value.map(more) }
            }
            4 => PlanAct::Caps { passes: Some(20), value: None },
            // Archived plans don't stay so for long.
            _ => {
                let archived = plans
                    .iter()
                    .find(|plan| model.plans[plan].state == passes_core::plan::PlanState::Archived);
                return Command::Plan(archived.copied().unwrap_or(plan), PlanAct::Activate);
            }
        };
        Command::Plan(plan, act)
    }
}

impl Command {
    /// Whether passes may be made by it.
    fn makes(&self) -> bool {
        let reissues = matches!(self, Self::Passes(_, Act::Cancel(Rest::Reissue)));
        reissues
            || matches!(self, Self::Generate { .. } | Self::Issue(_) | Self::Step(_) | Self::CancelRun(_))
    }

    /// Whether it is a step of a run over a plan.
    fn steps_over_plan(&self, model: &Model) -> bool {
        let Self::Step(run) = self else { return false };
        model.runs.get(run).is_some_and(|run| matches!(run.work, Work::Passes { range: None, .. }))
    }
}

//! Drawing commands on a pass's life.

use super::{Drawing, Kind};
use crate::model::calendar::DAY;
use crate::model::plans::money;
use crate::model::script::{Act, Command, Over, PassRef, Until};
use crate::model::state::Model;
use chrono::{Days, NaiveDate};
use passes_core::lot::Outcome as Word;
use passes_core::pass::State;
use passes_core::service::Rest;

impl Drawing {
    /// What a command is about: mostly a pass, sometimes a list, seldom a run.
    fn over(&mut self, model: &Model, state: State) -> Option<Over> {
        let pass = &model.passes[self.some_pass(model, state)?];
        let lot = model.lots[&pass.id.lot()].at;
        Some(match self.dice.below(20) {
            0 | 1 => {
                let count = 1 + self.dice.below(6);
                let mut all: Vec<PassRef> = (0..count)
                    .filter_map(|_| self.some_pass(model, state))
                    .map(|p| model.passes[p].at)
                    .collect();
                all.push(pass.at);
                Over::Passes(all)
            }
            2 => Over::Lot(lot),
            3 => {
                let last = 1 + self.dice.below(4) as u32;
                Over::Serials { lot, first: 1 + self.dice.below(last.into()) as u32, last }
            }
            4 if self.dice.once_in(4) => Over::Plan(pass.plan),
            _ => Over::Pass(pass.at),
        })
    }

    pub(super) fn act(&mut self, model: &Model, act: Act, state: State) -> Option<Command> {
        let over = self.over(model, state)?;
        let at_once = match over {
            Over::Pass(_) | Over::Passes(_) => true,
            Over::Lot(_) | Over::Plan(_) => matches!(act, Act::Suspend | Act::Reactivate),
            Over::Serials { .. } => false,
        };
        if !at_once {
            self.will_step();
        }
        Some(Command::Passes(over, act))
    }

    /// The run that this command starts will be stepped: its label is the next.
    pub(super) fn will_step(&mut self) {
        for _ in 0..2 {
            self.todo.push_back(Command::Step(self.label + 1));
        }
    }

    pub(super) fn sell(&mut self, model: &Model) -> Option<Command> {
        let pass = self.some_pass(model, State::Draft)?;
        self.pass = self.pass.or(Some(pass));
        let plan = model.plan_of(pass);
        let (least, most) = plan.range();
        let around = [least - 1, least, (least + most) / 2, most, most + 1];
        let value = if plan.fixed().is_none() { !self.dice.once_in(6) } else { self.dice.once_in(4) };
        let value = value.then(|| money((*self.dice.pick(&around)).max(0), plan.currency()));
        let price = money(self.dice.between(0, most + 500), plan.currency());
        let buyer = self.dice.once_in(4).then(|| self.some_name(model));
        let command = self.act(model, Act::Sell { price, value, buyer }, State::Draft);
        if self.kind == Kind::OneByOne {
            self.pass = None;
        }
        command
    }

    pub(super) fn deliver(&mut self, model: &Model) -> Option<Command> {
        let word = match self.dice.below(4) {
            0 => Word::Accepted,
            1 => Word::Failed { why: "no such mailbox".into() },
            _ => Word::Confirmed,
        };
        let act = if self.dice.once_in(8) { Act::Resend } else { Act::Deliver(word) };
        let sent: Vec<usize> = (0..model.passes.len())
            .filter(|pass| model.passes[*pass].sent_to.is_some() && model.state(*pass) == State::Draft)
            .collect();
        match self.dice.maybe(&sent) {
            Some(pass) if !self.dice.once_in(6) => {
                Some(Command::Passes(Over::Pass(model.passes[*pass].at), act))
            }
            _ => self.act(model, act, State::Draft),
        }
    }

    pub(super) fn suspend(&mut self, model: &Model) -> Option<Command> {
        if self.dice.once_in(3) {
            let pass = &model.passes[self.some_pass(model, State::Active)?];
            let whole = if self.dice.once_in(3) {
                Over::Plan(pass.plan)
            } else {
                Over::Lot(model.lots[&pass.id.lot()].at)
            };
            if self.dice.once_in(3) {
                return Some(Command::Passes(whole, Act::Suspend));
            }
            return self.act(model, Act::Suspend, State::Active);
        }
        // What was suspended with its lot or plan is lifted with it.
        let pass = &model.passes[self.some_pass(model, State::Suspended)?];
        let lot = &model.lots[&pass.id.lot()];
        let over = if lot.suspended {
            Over::Lot(lot.at)
        } else if model.plans[&pass.plan].suspended {
            Over::Plan(pass.plan)
        } else {
            Over::Pass(pass.at)
        };
        Some(Command::Passes(over, Act::Reactivate))
    }

    pub(super) fn cancel(&mut self, model: &Model) -> Option<Command> {
        let rest = *self.dice.pick(&[Rest::Refund, Rest::Forfeit, Rest::Reissue]);
        self.act(model, Act::Cancel(rest), State::Active)
    }

    pub(super) fn expire(&mut self, model: &Model) -> Option<Command> {
        let today = model.zone.date_of(model.now);
        let leap = NaiveDate::from_ymd_opt(2028, 2, 29).unwrap_or(today);
        let until = match self.dice.below(6) {
            0 => Until::Never,
            1 => Until::Day(today),
            2 => Until::Day(today + Days::new(self.dice.below(40))),
            3 => Until::Day(leap),
            _ => Until::At(model.now + self.dice.maybe(&[-1, 0, 1, DAY, 20 * DAY]).copied().unwrap_or(0)),
        };
        self.act(model, Act::Expire(until), State::Active)
    }

    pub(super) fn value(&mut self, model: &Model) -> Option<Command> {
        let pass = self.some_pass(model, State::Active)?;
        let plan = model.plan_of(pass);
        let (least, most) = plan.range();
        let value = money(self.dice.between(least - least / 4, most + 1), plan.currency());
        let over = if self.dice.once_in(4) {
            self.over(model, State::Draft)?
        } else {
            Over::Pass(model.passes[pass].at)
        };
        Some(Command::Passes(over, Act::Value(value)))
    }

    pub(super) fn note_or_recipient(&mut self, model: &Model) -> Option<Command> {
        let act = match self.dice.below(3) {
            0 => Act::Recipient(self.some_name(model)),
            1 => Act::Note("far too long".into()),
            _ => Act::Note(format!("n{}", self.dice.below(100))),
        };
        self.act(model, act, State::Active)
    }
}

//! What commands do to a pass in its life.

use super::answer::Answer;
use super::calendar::HOUR;
use super::plans::NOTE;
use super::script::{Act, Command, Label, Over, PassRef, Step, Until};
use super::state::*;
use passes_core::id::PassId;
use passes_core::ledger::{Account, Mark};
use passes_core::lot::Outcome as Word;
use passes_core::money::Currency;
use passes_core::pass::State;
use passes_core::plan::RedeemBy;
use passes_core::service::{Changed, Rest, Spent};
use std::collections::BTreeMap;

/// What becomes of one pass.
pub(crate) struct Effect {
    pub pass: Pass,
    /// From one account to another, of a mark.
    pub moves: Vec<(Account, Account, Mark, i64)>,
    /// By how much the value ever made of its plan changes.
    pub value: i64,
    /// Its code can't be brought back any more.
    pub forget: bool,
}

impl Effect {
    fn onto(&mut self, account: Account, mark: Mark, amount: i64) {
        self.moves.push((account, Account::Outstanding, mark, amount));
    }

    fn off(&mut self, account: Account, mark: Mark, amount: i64) {
        self.moves.push((Account::Outstanding, account, mark, amount));
    }

    pub(crate) fn book(&mut self, price: i64) {
        let pass = &mut self.pass;
        let paid = price.min(pass.limit).max(0);
        (pass.booked, pass.granted) = (true, pass.limit - paid);
        let granted = pass.granted;
        self.onto(Account::Received, Mark::Paid, paid);
        self.onto(Account::Granted, Mark::Granted, granted);
    }
}

/// What a command does to several passes.
pub(crate) struct Work {
    pub effects: Vec<(usize, Effect)>,
    pub skipped: Skipped,
}

/// How many passes were skipped, by the state they were in.
pub(crate) type Skipped = BTreeMap<State, u32>;

/// What a command would do at some moment while it is under way, as far as what it looks at isn't held until it lands:
/// which of several passes it would change, how a wallet would pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Glance {
    Passes { changed: Vec<usize>, skipped: Skipped },
    Spend(Spent),
}

impl Model {
    /// The passes of a list, in the order of their ids.
    pub(crate) fn listed(&self, passes: &[PassRef]) -> Vec<usize> {
        let mut passes: Vec<usize> = passes.iter().map(|pass| self.pass_at[pass]).collect();
        passes.sort_by_key(|pass| self.passes[*pass].id);
        passes.dedup();
        passes
    }

    /// When a pass that is activated now expires, if its plan says so.
    fn activation_end(&self, plan: &Plan) -> Option<i64> {
        match plan.spec.terms.redeem_by {
            RedeemBy::AfterActivation(period) => Some(self.zone.end_after(self.now, period)),
            _ => None,
        }
    }

    fn activate(&self, effect: &mut Effect, plan: &Plan, paid: i64) {
        let pass = &mut effect.pass;
        (pass.standing, pass.activated) = (Standing::Active, Some(self.now));
        if let (Some(end), false) = (self.activation_end(plan), pass.expiry_set) {
            pass.redeem_by = Some(end);
        }
        if pass.value.is_some() && !pass.booked {
            effect.book(paid);
        }
    }

    fn give_value(effect: &mut Effect, plan: &Plan, value: i64, of: Currency) -> Result<(), &'static str> {
        if of != plan.currency() {
            return Err("MIXED_CURRENCIES");
        }
        let (least, most) = plan.range();
        if !(least..=most).contains(&value) {
            return Err("VALUE_OUT_OF_RANGE");
        }
        let total = plan.total(value);
        effect.value = total - effect.pass.limit;
        (effect.pass.value, effect.pass.limit) = (Some(value), total);
        Ok(())
    }

    /// What a command does to a pass, or why it does nothing. `sold` is when the sale is that it makes.
    pub(crate) fn effect(&self, pass: usize, act: &Act, sold: i64) -> Result<Effect, &'static str> {
        use State::{Active, Draft, Redeemed, Suspended};
        let state = self.state(pass);
        let allowed: &[State] = match act {
            Act::Activate | Act::Sell { .. } => &[Draft],
            Act::Resend => &[Draft, Active],
            Act::Reactivate => &[Draft, Suspended],
            Act::Note(_) => &[Draft, Active, Suspended, Redeemed],
            _ => &[Draft, Active, Suspended],
        };
        if !allowed.contains(&state) {
            return Err("WRONG_STATE");
        }
        let (was, plan) = (&self.passes[pass], self.plan_of(pass));
        let lot = &self.lots[&was.id.lot()];
        let mut effect = Effect { pass: was.clone(), moves: Vec::new(), value: 0, forget: false };
        let unsold = |pass: &Pass| if plan.paid_unsold() { pass.limit } else { 0 };
        match act {
            Act::Activate if plan.electronic() => return Err("WRONG_STATE"),
            Act::Activate => self.activate(&mut effect, plan, unsold(was)),
            Act::Sell { price, .. } if price.currency() != plan.currency() => return Err("MIXED_CURRENCIES"),
            Act::Sell { .. } if plan.electronic() => return Err("WRONG_STATE"),
            Act::Sell { price, value, .. } => {
                match value {
                    Some(value) => Self::give_value(&mut effect, plan, value.minor(), value.currency())?,
                    None if was.value.is_none() => return Err("VALUE_NOT_SET"),
                    None => {}
                }
                effect.pass.sold = Some(sold);
                self.activate(&mut effect, plan, price.minor());
            }
            Act::Deliver(_) | Act::Resend if was.sent_to.is_none() => return Err("WRONG_STATE"),
            Act::Deliver(word) => {
                let failed = matches!(word, Word::Failed { .. });
                let enough = *word == Word::Confirmed || (*word == Word::Accepted && self.settings.accepted);
                if enough && was.standing == Standing::Draft {
                    self.activate(&mut effect, plan, unsold(was));
                }
                effect.forget = !failed && self.settings.hashed && lot.seed;
            }
            Act::Resend if !lot.seed => return Err("CODE_NOT_RECOVERABLE"),
            Act::Resend => {}
            Act::Suspend if was.suspended => return Err("WRONG_STATE"),
            Act::Suspend => effect.pass.suspended = true,
            Act::Reactivate if !was.suspended => return Err("WRONG_STATE"),
            Act::Reactivate => effect.pass.suspended = false,
            Act::Cancel(rest) => {
                let account = match rest {
                    Rest::Refund => Some(Account::Refunded),
                    Rest::Forfeit => Some(Account::Breakage),
                    Rest::Reissue => None,
                };
                if let Some(account) = account.filter(|_| was.booked) {
                    was.marks_left().into_iter().for_each(|(mark, amount)| effect.off(account, mark, amount));
                }
                let pass = &mut effect.pass;
                (pass.standing, pass.limit, pass.granted) =
                    (Standing::Cancelled, pass.used, pass.granted_used);
            }
            Act::Expire(until) => {
                effect.pass.expiry_set = true;
                effect.pass.redeem_by = self.until(*until);
            }
            Act::Value(value) => self.set_value(&mut effect, plan, value.minor(), value.currency())?,
            Act::Note(text) if text.chars().count() > NOTE => return Err("BAD_FIELD"),
            Act::Note(text) => effect.pass.note = Some(text.clone()),
            Act::Recipient(to) => {
                effect.pass.holder = Some(*to);
                if was.sent_to.is_some() {
                    effect.pass.sent_to = Some(*to);
                }
            }
            Act::Void => self.void(&mut effect, plan)?,
        }
        effect.moves.retain(|(.., amount)| *amount > 0);
        Ok(effect)
    }

    /// When something expires that is set by hand.
    pub(crate) fn until(&self, until: Until) -> Option<i64> {
        match until {
            Until::Never => None,
            Until::Day(date) => Some(self.zone.end_of(date)),
            Until::At(at) => Some(at),
        }
    }

    fn void(&self, effect: &mut Effect, plan: &Plan) -> Result<(), &'static str> {
        let was = effect.pass.clone();
        let Some(sold) = was.sold else { return Err("WRONG_STATE") };
        if self.now >= sold + i64::from(self.settings.void_hours) * HOUR {
            return Err("TOO_LATE");
        }
        if was.used != 0 || was.uses_used != 0 {
            return Err("PASS_USED");
        }
        for (mark, amount) in was.marks_left() {
            effect.off(if mark == Mark::Paid { Account::Received } else { Account::Granted }, mark, amount);
        }
        let pass = &mut effect.pass;
        (pass.booked, pass.granted, pass.sold) = (false, 0, None);
        if plan.electronic() {
            (pass.standing, pass.limit) = (Standing::Cancelled, 0);
            return Ok(());
        }
        (pass.standing, pass.activated) = (Standing::Draft, None);
        if !pass.expiry_set && self.activation_end(plan).is_some() {
            pass.redeem_by = None;
        }
        if plan.fixed().is_none() {
            effect.value = -pass.limit;
            (pass.value, pass.limit) = (None, 0);
        }
        Ok(())
    }

    fn set_value(
        &self,
        effect: &mut Effect,
        plan: &Plan,
        value: i64,
        of: Currency,
    ) -> Result<(), &'static str> {
        let was = effect.pass.clone();
        if was.used != 0 {
            return Err("PASS_USED");
        }
        Self::give_value(effect, plan, value, of)?;
        let more = effect.pass.limit - was.limit;
        if !was.booked {
            if was.standing != Standing::Draft {
                let paid = if plan.paid_unsold() { effect.pass.limit } else { 0 };
                effect.book(paid);
            }
        } else if more > 0 {
            effect.pass.granted += more;
            effect.onto(Account::Correction, Mark::Granted, more);
        } else {
            let granted = (was.granted - was.granted_used).min(-more);
            effect.pass.granted -= granted;
            effect.off(Account::Correction, Mark::Granted, granted);
            effect.off(Account::Correction, Mark::Paid, -more - granted);
        }
        Ok(())
    }

    /// What a command does to several passes: those that refuse are skipped. The value that a plan may make
    /// counts for all of them together.
    pub(crate) fn work(&self, passes: &[usize], act: &Act, sold: i64) -> Result<Work, &'static str> {
        let mut work = Work { effects: Vec::new(), skipped: BTreeMap::new() };
        for pass in passes {
            match self.effect(*pass, act, sold) {
                Ok(effect) => work.effects.push((*pass, effect)),
                Err(_) => *work.skipped.entry(self.state(*pass)).or_default() += 1,
            }
        }
        self.caps_allow(&work.effects)?;
        Ok(work)
    }

    /// What a command would do now.
    pub(crate) fn glance(&self, step: &Step) -> Option<Glance> {
        let work = match &step.command {
            Command::Passes(Over::Passes(passes), act) => self.work(&self.listed(passes), act, self.now),
            Command::Step(run) => self.step_work(*run),
            Command::Spend(spend) => return self.judge_spend(step, spend).ok().map(Glance::Spend),
            _ => return None,
        };
        let Work { effects, skipped } = work.ok()?;
        Some(Glance::Passes { changed: effects.iter().map(|(pass, _)| *pass).collect(), skipped })
    }

    /// What a command did that changed so many passes and skipped these. A pass that is skipped isn't held: it is
    /// skipped for what it was at some moment while the command was under way.
    pub(crate) fn chosen(
        &self,
        now: Work,
        act: &Act,
        sold: i64,
        told: (u32, &Skipped),
        glances: &[Glance],
    ) -> Outcome<Work> {
        let is_told = |changed: usize, skipped: &Skipped| (changed as u32, skipped) == told;
        if is_told(now.effects.len(), &now.skipped) {
            return Ok(now);
        }
        for glance in glances.iter().rev() {
            let Glance::Passes { changed, skipped } = glance else { continue };
            let effect = |pass: &usize| self.effect(*pass, act, sold).map(|effect| (*pass, effect));
            if is_told(changed.len(), skipped)
                && let Ok(effects) = changed.iter().map(effect).collect::<Result<Vec<_>, _>>()
            {
                return Ok(Work { effects, skipped: skipped.clone() });
            }
        }
        same("how many changed, and were skipped", told, (now.effects.len() as u32, &now.skipped))?;
        Ok(now)
    }

    pub(crate) fn caps_allow(&self, effects: &[(usize, Effect)]) -> Result<(), &'static str> {
        let mut values: BTreeMap<Label, i64> = BTreeMap::new();
        for (pass, effect) in effects {
            *values.entry(self.passes[*pass].plan).or_default() += effect.value;
        }
        let beyond = |(label, value): (&Label, &i64)| {
            let plan = &self.plans[label];
            *value > 0 && plan.spec.caps.value.is_some_and(|cap| plan.value_made + value > cap.minor())
        };
        if values.iter().any(beyond) { Err("PLAN_CAP") } else { Ok(()) }
    }

    /// Does it. `replaced` tells which passes took the place of others.
    pub(crate) fn carry_out(
        &mut self,
        label: Label,
        run: Option<Label>,
        act: &Act,
        work: Work,
        replaced: &BTreeMap<PassId, PassId>,
    ) -> Outcome {
        for (n, (index, effect)) in (1..).zip(work.effects) {
            let (old, plan) = (self.passes[index].clone(), self.passes[index].plan);
            let currency = self.plan_of(index).currency();
            for (from, to, mark, amount) in effect.moves {
                self.book(from, to, mark, amount, currency);
            }
            if let Some(plan) = self.plans.get_mut(&plan) {
                plan.value_made += effect.value;
            }
            if effect.forget
                && let Some(lot) = self.lots.get_mut(&old.id.lot())
            {
                lot.seed = false;
            }
            self.passes[index] = effect.pass;
            if *act == Act::Cancel(Rest::Reissue) {
                let new = *replaced.get(&old.id).ok_or("a pass without a successor")?;
                let lot = &self.lots[&old.id.lot()];
                let at = PassRef(label, n);
                // What was suspended with its lot stays so by itself.
                let suspended = old.suspended || lot.suspended;
                let lot = Lot {
                    at,
                    plan,
                    count: 1,
                    complete: true,
                    suspended: false,
                    cancelled: false,
                    exports: 0,
                    closed: false,
                    seed: true,
                    run,
                };
                self.add_lot(new.lot(), lot);
                let replaces = Some(old.id);
                let next = Pass { at, id: new, code: None, successor: None, suspended, replaces, ..old };
                self.passes[index].successor = Some(self.add_pass(next));
            }
        }
        Ok(())
    }

    /// A command on one pass or a list; or on a whole lot or plan by its one record; or one that starts a run.
    pub(crate) fn judge_passes(&self, over: &Over, act: &Act) -> Result<(), &'static str> {
        let (is, suspends) = match over {
            Over::Pass(pass) => {
                let pass = self.pass_at[pass];
                let effect = self.effect(pass, act, self.now)?;
                return self.caps_allow(&[(pass, effect)]);
            }
            Over::Passes(passes) => return self.work(&self.listed(passes), act, self.now).map(drop),
            Over::Lot(lot) if matches!(act, Act::Suspend | Act::Reactivate) => {
                (self.lots[&self.lot_at[lot]].suspended, *act == Act::Suspend)
            }
            Over::Plan(plan) if matches!(act, Act::Suspend | Act::Reactivate) => {
                (self.plans[plan].suspended, *act == Act::Suspend)
            }
            Over::Lot(lot) | Over::Serials { lot, .. } => {
                let complete = self.lots[&self.lot_at[lot]].complete;
                return if complete { Ok(()) } else { Err("WRONG_STATE") };
            }
            Over::Plan(_) => return Ok(()),
        };
        if is == suspends { Err("WRONG_STATE") } else { Ok(()) }
    }

    pub(crate) fn do_passes(
        &mut self,
        label: Label,
        (over, act): (&Over, &Act),
        answer: &Answer,
        glances: &[Glance],
    ) -> Outcome {
        let Answer::Changed(receipt) = answer else { return Err(format!("answered {answer:?}")) };
        let changed = &receipt.done;
        let passes = match over {
            Over::Pass(pass) => vec![self.pass_at[pass]],
            Over::Passes(passes) => self.listed(passes),
            Over::Lot(lot) if matches!(act, Act::Suspend | Act::Reactivate) => {
                let lot = self.lot_at[lot];
                if let Some(lot) = self.lots.get_mut(&lot) {
                    lot.suspended = *act == Act::Suspend;
                }
                return same("a lot", changed.clone(), Changed::default());
            }
            Over::Plan(plan) if matches!(act, Act::Suspend | Act::Reactivate) => {
                if let Some(plan) = self.plans.get_mut(plan) {
                    plan.suspended = *act == Act::Suspend;
                }
                return same("a plan", changed.clone(), Changed::default());
            }
            over => return self.start_run(label, over, act, changed),
        };
        let work = self.work(&passes, act, self.now)?;
        let work = self.chosen(work, act, self.now, (changed.changed, &changed.skipped), glances)?;
        let sells = matches!(act, Act::Sell { .. }) && changed.changed > 0;
        same("a sale, and a run", (changed.sale.is_some(), changed.run), (sells, None))?;
        let reissued = if *act == Act::Cancel(Rest::Reissue) { work.effects.len() } else { 0 };
        same("how many are replaced", changed.replaced.len(), reissued)?;
        self.carry_out(label, None, act, work, &changed.replaced.iter().copied().collect())
    }
}

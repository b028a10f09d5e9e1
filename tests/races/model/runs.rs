//! Long work: lots that are made, and commands on many passes, step by step.

use super::answer::Answer;
use super::life::{self, Glance};
use super::script::{Act, Label, Over, PassRef};
use super::state::*;
use passes_core::id::{LotId, PassId};
use passes_core::pass::State;
use passes_core::plan::RedeemBy;
use passes_core::run::{Progress, RunState};
use passes_core::service::{Changed, LotStarted};
use std::collections::BTreeMap;

/// Passes in one step of a run.
const STEP: usize = 1_000;

impl Model {
    /// Whether a plan can make so many passes of this value in all.
    pub(crate) fn can_make(
        &self,
        plan: Label,
        electronic: bool,
        count: u32,
        value: Option<i64>,
    ) -> Result<(), &'static str> {
        use passes_core::plan::PlanState::Active;
        let plan = &self.plans[&plan];
        let caps = plan.spec.caps;
        if plan.state != Active || plan.electronic() != electronic {
            return Err("WRONG_STATE");
        }
        let many = caps.passes.is_some_and(|cap| plan.made + i64::from(count) > i64::from(cap));
        let much = caps.value.zip(value).is_some_and(|(cap, value)| plan.value_made + value > cap.minor());
        if many || much { Err("PLAN_CAP") } else { Ok(()) }
    }

    /// A plan has made passes, of this value in all; or has not, after all.
    pub(crate) fn was_made(&mut self, plan: Label, count: i64, value: i64) {
        if let Some(plan) = self.plans.get_mut(&plan) {
            plan.frozen = true;
            plan.made += count;
            plan.value_made += value;
        }
    }

    /// What so many passes of a plan are worth, if the plan says so.
    pub(crate) fn worth(&self, plan: Label, count: u32) -> Option<i64> {
        let plan = &self.plans[&plan];
        plan.fixed().map(|value| plan.total(value) * i64::from(count))
    }

    pub(crate) fn do_generate(
        &mut self,
        label: Label,
        plan: Label,
        count: u32,
        started: &LotStarted,
    ) -> Outcome {
        same("how many are made", started.count, count)?;
        self.was_made(plan, count.into(), self.worth(plan, count).unwrap_or(0));
        let lot = Lot {
            at: PassRef(label, 1),
            plan,
            count,
            complete: false,
            suspended: false,
            cancelled: false,
            exports: 0,
            closed: false,
            seed: true,
            run: Some(label),
        };
        self.add_lot(started.lot, lot);
        let run = Run {
            id: started.run,
            work: Work::Generate(started.lot, self.now),
            state: RunState::Running,
            done: 0,
            total: Some(count),
            skipped: BTreeMap::new(),
            after: None,
            sold: None,
        };
        self.runs.insert(label, run);
        Ok(())
    }

    pub(crate) fn start_run(&mut self, label: Label, over: &Over, act: &Act, changed: &Changed) -> Outcome {
        let id = changed.run.ok_or("a run has no id")?;
        same("the start of a run", changed, &Changed { run: Some(id), ..Changed::default() })?;
        let (range, plan, total) = match over {
            Over::Lot(lot) | Over::Serials { lot, .. } => {
                let (first, last) = match over {
                    Over::Serials { first, last, .. } => (*first, *last),
                    _ => (1, u32::MAX),
                };
                let lot = self.lot_at[lot];
                let last = last.min(self.lots[&lot].count);
                let total = (last + 1).saturating_sub(first);
                (Some((lot, first, last)), self.lots[&lot].plan, Some(total))
            }
            Over::Plan(plan) => (None, *plan, None),
            other => return Err(format!("{other:?} needs no run")),
        };
        let run = Run {
            id,
            work: Work::Passes { act: act.clone(), range, plan },
            state: RunState::Running,
            done: 0,
            total,
            skipped: BTreeMap::new(),
            after: None,
            sold: None,
        };
        self.runs.insert(label, run);
        Ok(())
    }

    /// The passes of the next step, what its cursor moves to, and whether it is the last.
    fn next_passes(&self, label: Label) -> (Vec<usize>, Option<PassId>, bool) {
        let run = &self.runs[&label];
        let Work::Passes { range, plan, .. } = &run.work else { return (Vec::new(), None, true) };
        let (listed, over): (Vec<PassId>, bool) = match range {
            Some((lot, first, last)) => {
                let first = run.after.map_or(*first, |after| after.serial() + 1);
                let there = self.serials(*lot, first, *last);
                let over = there.len() < STEP;
                (there, over)
            }
            None => self.next_of_plan(label, *plan, run.after),
        };
        let passes = listed.iter().filter_map(|id| self.pass_by_id.get(id)).copied().collect();
        (passes, listed.last().copied().or(run.after), over)
    }

    /// Passes that are there, at most as many as a step takes.
    fn serials(&self, lot: LotId, first: u32, last: u32) -> Vec<PassId> {
        let ids = (first..=last).map(|serial| lot.pass(serial));
        ids.take_while(|id| self.pass_by_id.contains_key(id)).take(STEP).collect()
    }

    fn next_of_plan(&self, run: Label, plan: Label, after: Option<PassId>) -> (Vec<PassId>, bool) {
        let mut listed = Vec::new();
        if let Some(after) = after {
            let count = self.lots[&after.lot()].count;
            listed = self.serials(after.lot(), after.serial() + 1, count);
            if listed.len() == STEP {
                return (listed, false);
            }
        }
        let later = |id: &LotId| after.is_none_or(|after| *id > after.lot());
        for (id, lot) in self.lots.iter().filter(|(id, lot)| lot.plan == plan && later(id)) {
            if listed.len() == STEP {
                return (listed, false);
            }
            if lot.run == Some(run) {
                // Made by this very run.
                continue;
            }
            let room = (STEP - listed.len()) as u32;
            listed.extend((1..=lot.count.min(room)).map(|serial| id.pass(serial)));
            if lot.count > room {
                return (listed, false);
            }
        }
        (listed, true)
    }

    /// How far a run is, if this is told of it.
    pub(crate) fn progress(&self, label: Label, told: &Progress) -> Progress {
        let run = &self.runs[&label];
        Progress {
            run: run.id,
            state: run.state,
            done: run.done,
            skipped: run.skipped.clone(),
            total: run.total.unwrap_or(told.total),
        }
    }

    pub(crate) fn step_work(&self, label: Label) -> Result<life::Work, &'static str> {
        let run = &self.runs[&label];
        let Work::Passes { act, .. } = &run.work else { return Err("no command") };
        if self.unknown_contact(act) {
            return Err("CONTACT_NOT_REGISTERED");
        }
        self.work(&self.next_passes(label).0, act, run.sold.unwrap_or(self.now))
    }

    /// Whether the next step of a run lands, or else why not; none if there is nothing to do.
    pub(crate) fn judge_step(&self, label: Label) -> Option<Result<(), &'static str>> {
        let run = &self.runs[&label];
        match (&run.work, run.state) {
            (Work::Generate(..), RunState::Running) => Some(Ok(())),
            (_, RunState::Running) => Some(self.step_work(label).map(drop)),
            _ => None,
        }
    }

    /// Which passes the next step of a run is about, if it replaces them: their successors must be asked for.
    pub(crate) fn to_be_replaced(&self, label: Label) -> Vec<PassId> {
        use passes_core::service::Rest::Reissue;
        let Work::Passes { act: Act::Cancel(Reissue), .. } = &self.runs[&label].work else {
            return Vec::new();
        };
        self.next_passes(label).0.iter().map(|pass| self.passes[*pass].id).collect()
    }

    /// A step that left an operation.
    pub(crate) fn do_step(
        &mut self,
        step: Label,
        label: Label,
        replaced: &BTreeMap<PassId, PassId>,
        answer: &Answer,
        glances: &[Glance],
    ) -> Outcome {
        match &self.runs[&label].work {
            Work::Generate(lot, issued) => self.fill_lot(label, *lot, *issued)?,
            Work::Passes { act, range, .. } => {
                let (act, range) = (act.clone(), *range);
                let (_, after, over) = self.next_passes(label);
                let run = &self.runs[&label];
                let (done, skipped) = answer.came_to().ok_or("how far did it come?")?;
                let done = done.checked_sub(run.done).ok_or("fewer are done than before")?;
                let mut now_skipped = skipped.clone();
                for (state, before) in &run.skipped {
                    *now_skipped.entry(*state).or_default() -= before;
                }
                now_skipped.retain(|_, count| *count > 0);
                let sold = run.sold.unwrap_or(self.now);
                let work = self.step_work(label)?;
                let work = self.chosen(work, &act, sold, (done, &now_skipped), glances)?;
                if let Some(run) = self.runs.get_mut(&label) {
                    (run.after, run.skipped) = (after, skipped);
                    run.done += done;
                    if over {
                        run.state = RunState::Done;
                    }
                    if matches!(act, Act::Sell { .. }) && done > 0 {
                        run.sold = Some(sold);
                    }
                }
                self.carry_out(step, Some(label), &act, work, replaced)?;
                if let (true, Act::Cancel(_), Some((lot, first, last))) = (over, act, range) {
                    let all = self.runs[&label].skipped.keys().all(|state| *state == State::Cancelled);
                    if let Some(lot) = self.lots.get_mut(&lot)
                        && (first, last, all) == (1, lot.count, true)
                    {
                        lot.cancelled = true;
                    }
                }
            }
        }
        match answer {
            Answer::Stepped(_) => Ok(()),
            Answer::Progress(told) => {
                let run = self.runs.get_mut(&label).ok_or("no run")?;
                run.total.get_or_insert(told.total);
                same("how far a run is", told.clone(), self.progress(label, told))
            }
            other => Err(format!("a step answered {other:?}")),
        }
    }

    /// The passes of a lot that fits into one step.
    fn fill_lot(&mut self, label: Label, id: LotId, issued: i64) -> Outcome {
        let zone = self.zone;
        let lot = self.lots.get_mut(&id).ok_or("no lot")?;
        lot.complete = true;
        let (plan, count) = (lot.plan, lot.count);
        let run = self.runs.get_mut(&label).ok_or("no run")?;
        (run.state, run.done) = (RunState::Done, count);
        let of = &self.plans[&plan];
        let redeem_by = match of.spec.terms.redeem_by {
            RedeemBy::Date(date) => Some(zone.end_of(date)),
            RedeemBy::AfterIssue(period) => Some(zone.end_after(issued, period)),
            RedeemBy::Never | RedeemBy::AfterActivation(_) => None,
        };
        let (value, uses) = (of.fixed(), of.usage().uses().into());
        let limit = value.map_or(0, |value| of.total(value));
        for serial in 1..=count {
            let at = PassRef(label, serial);
            let pass = Pass { value, limit, uses, redeem_by, ..Pass::draft(at, id.pass(serial), plan) };
            self.add_pass(pass);
        }
        Ok(())
    }

    pub(crate) fn do_cancel_run(&mut self, label: Label) -> Outcome {
        let run = self.runs.get_mut(&label).ok_or("no run")?;
        run.state = RunState::Cancelled;
        let (Some(total), Work::Generate(id, _)) = (run.total, &run.work) else { return Ok(()) };
        let id = *id;
        let lot = self.lots.get_mut(&id).ok_or("no lot")?;
        (lot.complete, lot.count) = (true, 0);
        let plan = lot.plan;
        let value = self.worth(plan, total).unwrap_or(0);
        self.was_made(plan, -i64::from(total), -value);
        Ok(())
    }
}

impl Pass {
    /// A pass as it is made.
    pub(crate) fn draft(at: PassRef, id: PassId, plan: Label) -> Self {
        Self {
            at,
            id,
            plan,
            code: None,
            standing: Standing::Draft,
            suspended: false,
            value: None,
            limit: 0,
            used: 0,
            granted: 0,
            granted_used: 0,
            uses: 1,
            uses_used: 0,
            redeem_by: None,
            expiry_set: false,
            booked: false,
            sold: None,
            activated: None,
            holder: None,
            sent_to: None,
            note: None,
            successor: None,
            replaces: None,
        }
    }
}

//! Issuing, contacts, plans, settings, exports.

use super::answer::Answer;
use super::life::Effect;
use super::script::{Act, Issue, Label, PassRef, PlanAct, To};
use super::state::*;
use passes_core::id::{ContactId, PlanId};
use passes_core::plan::{Caps, PlanState, RedeemBy};
use passes_core::service::Issued;
use std::collections::BTreeSet;

impl Model {
    /// Whether a command names a contact that is not there.
    pub(crate) fn unknown_contact(&self, act: &Act) -> bool {
        let contact = match act {
            Act::Recipient(to) => Some(to),
            Act::Sell { buyer, .. } => buyer.as_ref(),
            _ => None,
        };
        contact.is_some_and(|contact| !self.contacts.contains_key(contact))
    }

    /// What a pass will be worth that is issued.
    fn value_issued(&self, issue: &Issue) -> Result<i64, &'static str> {
        let plan = &self.plans[&issue.plan];
        let (least, most) = plan.range();
        match issue.value {
            Some(value) if value.currency() != plan.currency() => Err("MIXED_CURRENCIES"),
            Some(value) if !(least..=most).contains(&value.minor()) => Err("VALUE_OUT_OF_RANGE"),
            Some(value) => Ok(value.minor()),
            None => plan.fixed().ok_or("VALUE_NOT_SET"),
        }
    }

    pub(crate) fn judge_issue(&self, issue: &Issue) -> Result<(), &'static str> {
        let plan = &self.plans[&issue.plan];
        let registered = |contact: &Label| self.contacts.contains_key(contact);
        let value = self.value_issued(issue)?;
        if let Some(price) = issue.price {
            if price.currency() != plan.currency() {
                return Err("MIXED_CURRENCIES");
            }
            if issue.buyer.is_some_and(|buyer| !registered(&buyer)) {
                return Err("CONTACT_NOT_REGISTERED");
            }
        }
        self.can_make(issue.plan, true, 1, Some(plan.total(value)))?;
        match &issue.to {
            To::Contact(contact) if !registered(contact) => Err("CONTACT_NOT_REGISTERED"),
            _ => Ok(()),
        }
    }

    pub(crate) fn do_issue(&mut self, label: Label, issue: &Issue, issued: &Issued) -> Outcome {
        let value = self.value_issued(issue)?;
        let to = match &issue.to {
            To::Contact(contact) => *contact,
            To::Medium(medium) => match self.media.get(medium) {
                Some(contact) => *contact,
                None => {
                    self.add_contact(label, issued.to, Vec::new(), [*medium].into());
                    label
                }
            },
        };
        same("who gets it", self.contact_of(issued.to)?, to)?;
        same("its value", issued.value.minor(), value)?;
        same("whether it is sold", issued.sale.is_some(), issue.price.is_some())?;
        let plan = &self.plans[&issue.plan];
        let (total, currency, uses) = (plan.total(value), plan.currency(), plan.usage().uses().into());
        let redeem_by = match plan.spec.terms.redeem_by {
            RedeemBy::Date(date) => Some(self.zone.end_of(date)),
            RedeemBy::AfterIssue(period) => Some(self.zone.end_after(self.now, period)),
            RedeemBy::Never | RedeemBy::AfterActivation(_) => None,
        };
        let at = PassRef(label, 1);
        let (value, holder, sent_to) = (Some(value), Some(to), Some(to));
        let draft = Pass::draft(at, issued.pass, issue.plan);
        let pass = Pass { value, limit: total, uses, redeem_by, holder, sent_to, ..draft };
        let mut effect = Effect { pass, moves: Vec::new(), value: 0, forget: false };
        if let Some(price) = issue.price {
            effect.pass.sold = Some(self.now);
            effect.book(price.minor());
        }
        for (from, to, mark, amount) in effect.moves {
            self.book(from, to, mark, amount, currency);
        }
        let lot = Lot {
            at,
            plan: issue.plan,
            count: 1,
            complete: true,
            suspended: false,
            cancelled: false,
            exports: 0,
            closed: false,
            seed: true,
            run: None,
        };
        self.add_lot(issued.pass.lot(), lot);
        self.add_pass(effect.pass);
        self.was_made(issue.plan, 1, total);
        Ok(())
    }

    pub(crate) fn judge_create(&self, media: &[u32]) -> Result<(), &'static str> {
        if media.iter().any(|medium| self.media.contains_key(medium)) { Err("TAKEN") } else { Ok(()) }
    }

    pub(crate) fn judge_edit(&self, contact: Label, media: &[u32]) -> Result<(), &'static str> {
        let taken = |medium: &u32| self.media.get(medium).is_some_and(|owner| *owner != contact);
        if !self.contacts.contains_key(&contact) {
            Err("CONTACT_NOT_REGISTERED")
        } else if media.iter().any(taken) {
            Err("TAKEN")
        } else {
            Ok(())
        }
    }

    pub(crate) fn do_create(&mut self, label: Label, media: &[u32], id: ContactId) {
        self.add_contact(label, id, Vec::new(), media.iter().copied().collect());
    }

    pub(crate) fn do_edit(&mut self, contact: Label, media: &[u32], id: ContactId) -> Outcome {
        same("who was edited", self.contact_of(id)?, contact)?;
        let media: BTreeSet<u32> = media.iter().copied().collect();
        self.media.retain(|medium, owner| *owner != contact || media.contains(medium));
        self.media.extend(media.iter().map(|medium| (*medium, contact)));
        if let Some(contact) = self.contacts.get_mut(&contact) {
            contact.media = media;
        }
        Ok(())
    }

    pub(crate) fn judge_plan(&self, plan: Label, act: PlanAct) -> Result<(), &'static str> {
        use PlanState::{Active, Archived, Deleted, Draft};
        let plan = &self.plans[&plan];
        let lower = |now: Option<i64>, next: Option<i64>| next.is_some_and(|n| now.is_none_or(|now| n < now));
        let caps = &plan.spec.caps;
        match (act, plan.state) {
            (_, Deleted) => Err("NOT_FOUND"),
            (PlanAct::Archive, Draft | Active) | (PlanAct::Activate, Draft | Archived) => Ok(()),
            (PlanAct::Archive | PlanAct::Activate, _) => Err("WRONG_STATE"),
            (PlanAct::Delete, _) if plan.frozen => Err("PLAN_FROZEN"),
            (PlanAct::Caps { passes, value }, _)
                if plan.frozen
                    && (lower(caps.passes.map(i64::from), passes.map(i64::from))
                        || lower(caps.value.map(|v| v.minor()), value.map(|v| v.minor()))) =>
            {
                Err("PLAN_FROZEN")
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn do_plan(&mut self, label: Label, plan: Label, act: PlanAct, id: PlanId) -> Outcome {
        let of = self.plans.get_mut(&plan).ok_or("no plan")?;
        if act == PlanAct::Copy {
            let copy = Plan { state: PlanState::Draft, ..Plan::new(id, of.spec.clone()) };
            self.plans.insert(label, copy);
            return Ok(());
        }
        same("which plan", id, of.id)?;
        match act {
            PlanAct::Archive => of.state = PlanState::Archived,
            PlanAct::Activate => of.state = PlanState::Active,
            PlanAct::Delete => of.state = PlanState::Deleted,
            PlanAct::Caps { passes, value } => of.spec.caps = Caps { passes, value },
            PlanAct::Copy => {}
        }
        Ok(())
    }

    pub(crate) fn judge_export(&self, lot: PassRef, reason: bool) -> Result<(), &'static str> {
        let lot = &self.lots[&self.lot_at[&lot]];
        if lot.closed {
            Err("EXPORT_CLOSED")
        } else if !lot.complete {
            Err("WRONG_STATE")
        } else if lot.exports > 0 && !reason {
            Err("REASON_REQUIRED")
        } else {
            Ok(())
        }
    }

    pub(crate) fn judge_close(&self, lot: PassRef) -> Result<(), &'static str> {
        self.judge_export(lot, true)?;
        if self.lots[&self.lot_at[&lot]].exports == 0 { Err("WRONG_STATE") } else { Ok(()) }
    }

    pub(crate) fn do_export(&mut self, lot: PassRef, exports: u32) -> Outcome {
        let lot = self.lot_at[&lot];
        let lot = self.lots.get_mut(&lot).ok_or("no lot")?;
        lot.exports += 1;
        same("how many exports", exports, lot.exports)
    }

    pub(crate) fn do_close(&mut self, lot: PassRef) {
        let (lot, hashed) = (self.lot_at[&lot], self.settings.hashed);
        if let Some(lot) = self.lots.get_mut(&lot) {
            lot.closed = true;
            lot.seed &= !hashed;
        }
    }

    pub(crate) fn judge_reveal(&self, pass: PassRef) -> Result<(), &'static str> {
        let pass = self.pass_at[&pass];
        if self.state(pass) == passes_core::pass::State::Cancelled {
            Err("WRONG_STATE")
        } else if !self.lots[&self.passes[pass].id.lot()].seed {
            Err("CODE_NOT_RECOVERABLE")
        } else {
            Ok(())
        }
    }

    pub(crate) fn do_reveal(&self, pass: PassRef, answer: &Answer) -> Outcome {
        let known = self.passes[self.pass_at[&pass]].code.as_ref();
        match (answer, known) {
            (Answer::Revealed(_, Some(code)), Some(known)) => same("the code", code, known),
            _ => Ok(()),
        }
    }
}

//! What a command is answered in the state that the model is in, and what it does to it.

use super::answer::{Answer, codes, in_order};
use super::life::Glance;
use super::pay::Taking;
use super::script::{Code, Command, Label, Of, Over, Redeem, Step, To};
use super::state::*;
use super::undo::Undo;
use passes_core::Error;
use passes_core::calendar::Instant;
use passes_core::id::PassId;
use passes_core::money::Money;
use passes_core::plan::PlanState;
use passes_core::service::{PassView, Spent};
use std::collections::BTreeMap;

/// What a command comes to.
#[derive(Debug)]
enum Verdict {
    Refused(Vec<&'static str>),
    /// The same request was done by this step.
    Replay(Label),
    /// It lands.
    Lands(Lands),
    /// It only asks.
    Asks,
}

/// What was worked out to judge what lands.
#[derive(Debug)]
enum Lands {
    Plainly,
    Redeem(Taking),
    Spend(Spent),
    Reverse(Undo),
}

fn plainly(judged: Result<(), &'static str>) -> Verdict {
    match judged {
        Ok(()) => Verdict::Lands(Lands::Plainly),
        Err(code) => Verdict::Refused(vec![code]),
    }
}

impl Model {
    /// Whether all that a command refers to is there, or never can be.
    pub(crate) fn resolves(&self, command: &Command) -> bool {
        let pass = |pass| self.pass_at.contains_key(pass);
        let lot = |lot| self.lot_at.contains_key(lot);
        let plan = |plan| self.plans.contains_key(plan);
        // Nobody has the label 0.
        let contact = |contact: &Label| *contact == 0 || self.contacts.contains_key(contact);
        let maybe = |of: &Option<Label>| of.as_ref().is_none_or(contact);
        let redeem = |redeem: &Redeem| {
            let code = match &redeem.code {
                Code::Of(at) | Code::HashOf(at) => {
                    self.pass_at.get(at).is_some_and(|pass| self.passes[*pass].code.is_some())
                }
                Code::Unknown | Code::Malformed => true,
            };
            code && !matches!(&redeem.target, super::script::Target::Wallet(to) if !contact(to))
        };
        match command {
            Command::Clock(_) | Command::Reopen | Command::Configure(_) => true,
            Command::CreateContact(_) | Command::FindContact(_) => true,
            Command::Generate { plan: of, .. } | Command::Lot { plan: of, .. } | Command::Plan(of, _) => {
                plan(of)
            }
            Command::Step(run) | Command::CancelRun(run) => self.runs.contains_key(run),
            Command::Export { lot: of, .. } | Command::CloseExport(of) => lot(of),
            Command::Reveal(of) | Command::ViewPass(of) => pass(of),
            Command::Issue(issue) => {
                let to = match &issue.to {
                    To::Contact(to) => contact(to),
                    To::Medium(_) => true,
                };
                plan(&issue.plan) && to && maybe(&issue.buyer)
            }
            Command::Passes(over, act) => {
                let to = match act {
                    super::script::Act::Recipient(to) => contact(to),
                    super::script::Act::Sell { buyer, .. } => maybe(buyer),
                    _ => true,
                };
                to && match over {
                    Over::Pass(of) => pass(of),
                    Over::Passes(of) => of.iter().all(pass),
                    Over::Serials { lot: of, .. } | Over::Lot(of) => lot(of),
                    Over::Plan(of) => plan(of),
                }
            }
            Command::Redeem(of) | Command::Check(of) => redeem(of),
            Command::Spend(spend) | Command::CheckSpend(spend) => contact(&spend.contact),
            Command::Reverse(reverse) => {
                let of = match reverse.of {
                    Of::Step(label) => self.landed.contains_key(&label),
                    Of::Key(_) => true,
                };
                of && maybe(&reverse.to)
            }
            Command::EditContact(of, _) | Command::Wallet(of) => contact(of),
        }
    }

    /// What the idempotency key says, before anything else.
    fn judge_key(&self, step: &Step) -> Option<Verdict> {
        match self.keys.get(&step.key?)? {
            Bound::Stopped => Some(Verdict::Refused(vec!["REVERSED_BEFORE_IT_CAME"])),
            Bound::To(label) => {
                // A check tells what the same redemption did.
                let same = match (&step.command, &self.landed[label].command) {
                    (Command::Check(a), Command::Redeem(b)) => a == b,
                    (Command::CheckSpend(a), Command::Spend(b)) => a == b,
                    (a, b) => a == b,
                };
                Some(if same {
                    Verdict::Replay(*label)
                } else {
                    Verdict::Refused(vec!["IDEMPOTENCY_MISMATCH"])
                })
            }
        }
    }

    fn judge(&self, step: &Step) -> Verdict {
        // What is looked at before the command is given.
        let plan_is_gone = |plan: &Label| self.plans[plan].state == PlanState::Deleted;
        match &step.command {
            Command::Issue(issue) if plan_is_gone(&issue.plan) => {
                return Verdict::Refused(vec!["NOT_FOUND"]);
            }
            Command::EditContact(contact, _) if !self.contacts.contains_key(contact) => {
                return Verdict::Refused(vec!["CONTACT_NOT_REGISTERED"]);
            }
            Command::Wallet(contact) if !self.contacts.contains_key(contact) => {
                return Verdict::Refused(vec!["CONTACT_NOT_REGISTERED"]);
            }
            // The key belongs to who started the run.
            Command::Step(run) => {
                return self.judge_step(*run).map_or(Verdict::Asks, plainly);
            }
            _ => {}
        }
        if let Some(verdict) = self.judge_key(step) {
            return verdict;
        }
        match &step.command {
            Command::Configure(_) => Verdict::Lands(Lands::Plainly),
            Command::Generate { plan, .. } if plan_is_gone(plan) => Verdict::Refused(vec!["NOT_FOUND"]),
            Command::Generate { plan, count } => {
                plainly(self.can_make(*plan, false, *count, self.worth(*plan, *count)))
            }
            Command::CancelRun(run) => {
                let running = self.runs[run].state == passes_core::run::RunState::Running;
                plainly(if running { Ok(()) } else { Err("WRONG_STATE") })
            }
            Command::Export { lot, reason } => plainly(self.judge_export(*lot, *reason)),
            Command::CloseExport(lot) => plainly(self.judge_close(*lot)),
            Command::Reveal(pass) => plainly(self.judge_reveal(*pass)),
            Command::Issue(issue) => plainly(self.judge_issue(issue)),
            Command::Passes(Over::Plan(plan), _) if plan_is_gone(plan) => Verdict::Refused(vec!["NOT_FOUND"]),
            Command::Passes(over, act) => {
                let late = matches!(over, Over::Lot(_) | Over::Serials { .. } | Over::Plan(_))
                    && matches!(act, super::script::Act::Recipient(_));
                if self.unknown_contact(act) && !late {
                    return Verdict::Refused(vec!["CONTACT_NOT_REGISTERED"]);
                }
                plainly(self.judge_passes(over, act))
            }
            Command::Redeem(redeem) => match self.judge_redeem(step, redeem) {
                Ok(taking) => Verdict::Lands(Lands::Redeem(taking)),
                Err(codes) => Verdict::Refused(codes),
            },
            Command::Spend(spend) => match self.judge_spend(step, spend) {
                Ok(spent) => Verdict::Lands(Lands::Spend(spent)),
                Err(codes) => Verdict::Refused(codes),
            },
            Command::Reverse(reverse) => match self.judge_reverse(step.key, reverse) {
                Ok(undo) => Verdict::Lands(Lands::Reverse(undo)),
                Err(code) => Verdict::Refused(vec![code]),
            },
            Command::CreateContact(media) => plainly(self.judge_create(media)),
            Command::EditContact(contact, media) => plainly(self.judge_edit(*contact, media)),
            Command::Plan(plan, act) => plainly(self.judge_plan(*plan, *act)),
            _ => Verdict::Asks,
        }
    }

    /// Whether this answer is right in this state, and nothing changes.
    pub(crate) fn explains(&self, step: &Step, answer: &Result<Answer, Error>) -> Outcome {
        let verdict = self.judge(step);
        let answer = match (answer, &verdict) {
            (Err(error), Verdict::Refused(foreseen)) => {
                return same("a refusal", codes(error), in_order(foreseen.clone()));
            }
            // Checks tell what the command would be told.
            (Ok(Answer::Check(check)), _) => return self.explains_check(step, &verdict, check),
            (Ok(Answer::CheckSpend(check)), _) => return self.explains_check_spend(step, &verdict, check),
            (Ok(answer), Verdict::Replay(label)) => return answer.is_of(&self.landed[label].answer),
            (Ok(answer), _) => answer,
            (Err(error), verdict) => {
                return Err(format!("refused with {:?} ({error}), foreseen {verdict:?}", codes(error)));
            }
        };
        match (&step.command, answer) {
            (Command::Step(run), Answer::Progress(progress)) => {
                let over = matches!(verdict, Verdict::Asks);
                // Reserving the codes of a lot leaves no operation.
                if !over && !matches!(self.runs[run].work, Work::Generate(..)) {
                    return Err("a step left no operation".into());
                }
                same("how far a run is", progress.clone(), self.progress(*run, progress))
            }
            (Command::ViewPass(pass), Answer::View(view)) => self.sees(self.pass_at[pass], view),
            (Command::Wallet(contact), Answer::Wallet(wallet)) => self.sees_wallet(*contact, wallet),
            (Command::FindContact(medium), Answer::Found(found)) => {
                let owner = self.media.get(medium).map(|owner| self.contacts[owner].id);
                same("whose medium it is", *found, owner)
            }
            _ => Err(format!("answered {answer:?}, foreseen {verdict:?}")),
        }
    }

    fn explains_check(&self, step: &Step, verdict: &Verdict, check: &passes_core::service::Check) -> Outcome {
        let Command::Check(redeem) = &step.command else { return Err("what was checked?".into()) };
        let foreseen = match verdict {
            Verdict::Refused(codes) => Err(codes.clone()),
            Verdict::Replay(label) => {
                let Answer::Redeemed(first) = &self.landed[label].answer else {
                    return Err("not the same request".into());
                };
                return same("what a check tells", check.would.as_ref(), Some(&first.done));
            }
            _ => self.judge_redeem(step, redeem),
        };
        let theirs = codes_of(&check.reasons);
        same("a check", theirs, in_order(foreseen.as_ref().err().cloned().unwrap_or_default()))?;
        match (foreseen, &check.would) {
            (Ok(taking), Some(would)) => self.preview(redeem, &taking, would),
            (Err(_), None) => Ok(()),
            _ => Err("a check tells and refuses".into()),
        }
    }

    fn explains_check_spend(
        &self,
        step: &Step,
        verdict: &Verdict,
        check: &passes_core::service::CheckSpend,
    ) -> Outcome {
        let Command::CheckSpend(spend) = &step.command else { return Err("what was checked?".into()) };
        let foreseen = match verdict {
            Verdict::Refused(codes) => Err(codes.clone()),
            Verdict::Replay(label) => match &self.landed[label].answer {
                Answer::Spent(first) => Ok(first.done.clone()),
                _ => return Err("not the same request".into()),
            },
            _ => self.judge_spend(step, spend),
        };
        let reasons = foreseen.as_ref().err().cloned().unwrap_or_default();
        same("a check", codes_of(&check.reasons), in_order(reasons))?;
        same("what a check tells", check.would.clone(), foreseen.ok())
    }

    /// What a command did that landed; `answer` is the caller's, or what it would have been.
    pub(crate) fn land(
        &mut self,
        number: u64,
        step: &Step,
        answer: &Answer,
        replaced: &BTreeMap<PassId, PassId>,
        glances: &[Glance],
    ) -> Outcome {
        let landed = match self.judge(step) {
            // The credits that a spend saw aren't held, either, but those that it takes from.
            Verdict::Lands(_) | Verdict::Refused(_) if self.was_so(step, answer, glances) => {
                let Answer::Spent(receipt) = answer else { return Err("no spend".into()) };
                Lands::Spend(receipt.done.clone())
            }
            Verdict::Lands(landed) => landed,
            other => return Err(format!("it landed ({answer:?}), foreseen {other:?}")),
        };
        let label = step.label;
        let wrong = || format!("it was answered {answer:?}");
        match (&step.command, landed, answer) {
            (Command::Configure(settings), _, _) => self.settings = *settings,
            (Command::Generate { plan, count }, _, Answer::Started(receipt)) => {
                self.do_generate(label, *plan, *count, &receipt.done)?;
            }
            (Command::Step(run), _, answer) => self.do_step(label, *run, replaced, answer, glances)?,
            (Command::CancelRun(run), ..) => self.do_cancel_run(*run)?,
            (Command::Export { lot, .. }, _, Answer::Exported(receipt)) => {
                self.do_export(*lot, receipt.done)?;
            }
            (Command::CloseExport(lot), ..) => self.do_close(*lot),
            (Command::Reveal(pass), ..) => self.do_reveal(*pass, answer)?,
            (Command::Issue(issue), _, Answer::Issued(receipt)) => {
                self.do_issue(label, issue, &receipt.done)?;
            }
            (Command::Passes(over, act), ..) => self.do_passes(label, (over, act), answer, glances)?,
            (Command::Redeem(redeem), Lands::Redeem(taking), Answer::Redeemed(receipt)) => {
                self.do_redeem(label, redeem, taking, &receipt.done)?;
            }
            (Command::Spend(spend), Lands::Spend(spent), Answer::Spent(receipt)) => {
                same("a spend", &receipt.done, &spent)?;
                self.do_spend(label, spend, &spent)?;
            }
            (Command::Reverse(reverse), Lands::Reverse(undo), Answer::Reversed(receipt)) => {
                let of = match &undo {
                    Undo::Parts { of, .. } => Some(self.landed[of].number),
                    Undo::Stop(_) => None,
                };
                self.do_reverse(label, reverse, undo, &receipt.done, of)?;
            }
            (Command::CreateContact(media), _, Answer::Contact(receipt)) => {
                self.do_create(label, media, receipt.done);
            }
            (Command::EditContact(contact, media), _, Answer::Contact(receipt)) => {
                self.do_edit(*contact, media, receipt.done)?;
            }
            (Command::Plan(plan, act), _, Answer::Plan(receipt)) => {
                self.do_plan(label, *plan, *act, receipt.done)?;
            }
            _ => return Err(wrong()),
        }
        if let (Some(key), false) = (step.key, matches!(step.command, Command::Step(_))) {
            self.keys.insert(key, Bound::To(label));
        }
        let command = step.command.clone();
        self.landed.insert(label, Landed { command, answer: answer.clone(), number });
        Ok(())
    }

    /// Whether a spend is answered as it would have been at one of these moments, and can still be done.
    fn was_so(&self, step: &Step, answer: &Answer, glances: &[Glance]) -> bool {
        let (Command::Spend(spend), Answer::Spent(receipt)) = (&step.command, answer) else { return false };
        self.judge_key(step).is_none()
            && glances.contains(&Glance::Spend(receipt.done.clone()))
            && self.can_pay(spend, &receipt.done)
    }

    /// What a pass looks like.
    pub(crate) fn sees(&self, pass: usize, view: &PassView) -> Outcome {
        let of = &self.passes[pass];
        let contact = |label: Label| self.contacts[&label].id;
        let theirs = (view.state, view.suspended, view.value.map(Money::minor), view.left.minor());
        same("a pass", theirs, (self.state(pass), of.suspended, of.value, of.left()))?;
        let theirs = (view.granted_left.minor(), view.uses, view.used);
        same("a pass's uses", theirs, (of.granted - of.granted_used, of.uses, of.uses_used))?;
        let theirs = (view.redeem_by.map(Instant::micros), view.expired, view.activated.map(Instant::micros));
        let expired = of.redeem_by.is_some_and(|end| self.now >= end);
        same("a pass's times", theirs, (of.redeem_by, expired, of.activated))?;
        let theirs = (view.holder, view.sale.is_some(), view.channel.is_some());
        same("a pass's people", theirs, (of.holder.map(contact), of.sold.is_some(), of.sent_to.is_some()))?;
        let theirs = (view.id, view.plan, view.successor, view.replaces);
        let successor = of.successor.map(|next| self.passes[next].id);
        same("a pass's kin", theirs, (of.id, self.plan_of(pass).id, successor, of.replaces))?;
        let note = view.fields.get("note").map(|note| format!("{note:?}"));
        let ours =
            of.note.as_ref().map(|note| format!("{:?}", passes_core::fields::Value::Text(note.clone())));
        same("a pass's note", note, ours)
    }
}

fn codes_of(reasons: &[passes_core::Refusal]) -> Vec<&'static str> {
    let mut codes: Vec<_> = reasons.iter().map(passes_core::Refusal::code).collect();
    codes.dedup();
    codes
}

//! Reversals, and requests that are stopped before they come.

use super::pay::up;
use super::script::{Label, Of, Part, Reverse};
use super::state::*;
use chrono::Days;
use passes_core::calendar::Instant;
use passes_core::id::{ContactId, CreditId};
use passes_core::ledger::{Account, Mark};
use passes_core::money::{Currency, Money};
use passes_core::plan::Usage;
use passes_core::service::{Home, Returned, Reversed};
use std::collections::BTreeMap;

/// What a reversal comes to.
#[derive(Clone, Debug)]
pub(crate) enum Undo {
    /// Nothing has come yet under this key: nothing will.
    Stop(u32),
    /// Of the operation of this step, so much of each movement, the last first; so much of it is spent.
    Parts { of: Label, parts: Vec<(usize, i64)>, spent: i64 },
}

impl Model {
    fn currency_taken(&self, from: From) -> Currency {
        let pass = match from {
            From::Pass(pass) => pass,
            From::Credit(credit) => self.credits[credit].pass,
        };
        self.plan_of(pass).currency()
    }

    pub(crate) fn judge_reverse(&self, key: Option<u32>, reverse: &Reverse) -> Result<Undo, &'static str> {
        let of = match reverse.of {
            Of::Step(label) => label,
            Of::Key(of) => match self.keys.get(&of) {
                Some(Bound::To(label)) => *label,
                Some(Bound::Stopped) => return Err("ALREADY_REVERSED"),
                // A key can't stand for the reversal and for what it stops.
                None if key == Some(of) => return Err("IDEMPOTENCY_MISMATCH"),
                None => return Ok(Undo::Stop(of)),
            },
        };
        let taken = self.taken.get(&of).ok_or("NOT_REVERSIBLE")?;
        let parts = self.parts(taken, &reverse.part)?;
        let spent = self.what_is_spent(taken, &parts, reverse)?;
        if spent > 0 && !reverse.allow_loss {
            return Err("ALREADY_SPENT");
        }
        Ok(Undo::Parts { of, parts, spent })
    }

    /// How much of each movement returns, the last first.
    fn parts(&self, taken: &Taken, part: &Part) -> Result<Vec<(usize, i64)>, &'static str> {
        let mut left: Vec<i64> = taken.movements.iter().map(|m| m.amount - m.reversed).collect();
        if left.iter().all(|left| *left == 0) {
            return Err("ALREADY_REVERSED");
        }
        let currency = self.currency_taken(taken.movements[0].from);
        let mut returned = vec![0; left.len()];
        let mut take = |wanted: Money, line: Option<u32>| {
            if wanted.currency() != currency {
                return Err("MIXED_CURRENCIES");
            }
            if wanted.minor() <= 0 {
                return Err("BAD_AMOUNT");
            }
            let mut rest = wanted.minor();
            for n in (0..left.len()).rev() {
                if line.is_none() || taken.movements[n].line == line {
                    let part = rest.min(left[n]);
                    rest -= part;
                    left[n] -= part;
                    returned[n] += part;
                }
            }
            if rest > 0 { Err("REVERSAL_TOO_LARGE") } else { Ok(()) }
        };
        match part {
            Part::All => returned = left,
            Part::Amount(amount) => take(*amount, None)?,
            Part::Lines(lines) => {
                // Each amount is judged first, then each line as a whole, the last first.
                let mut sums: BTreeMap<u32, Money> = BTreeMap::new();
                for (line, amount) in lines {
                    if amount.currency() != currency {
                        return Err("MIXED_CURRENCIES");
                    }
                    if amount.minor() <= 0 {
                        return Err("BAD_AMOUNT");
                    }
                    let sum = sums.get(line).map_or(Ok(*amount), |sum| sum.plus(*amount));
                    sums.insert(*line, sum.map_err(|_| "OVERFLOW")?);
                }
                for (line, amount) in sums.into_iter().rev() {
                    take(amount, Some(line))?;
                }
            }
        }
        Ok((0..returned.len()).rev().map(|n| (n, returned[n])).filter(|(_, part)| *part > 0).collect())
    }

    /// How much of what returns is spent; or what stands in the way.
    fn what_is_spent(
        &self,
        taken: &Taken,
        parts: &[(usize, i64)],
        reverse: &Reverse,
    ) -> Result<i64, &'static str> {
        let mut spent = 0;
        let mut back: BTreeMap<usize, i64> = BTreeMap::new();
        for (n, part) in parts {
            let m = &taken.movements[*n];
            if let Some(credit) = m.to {
                let back = back.entry(credit).or_default();
                let there = (*part).min(self.credits[credit].left() - *back);
                *back += there;
                spent += part - there;
            }
            let From::Pass(pass) = m.from else { continue };
            let end = self.end_of(pass);
            match (self.passes[end].standing, reverse.to) {
                (Standing::Draft, _) => return Err("WRONG_STATE"),
                (Standing::Cancelled, Some(to)) if !self.contacts.contains_key(&to) => {
                    return Err("CONTACT_NOT_REGISTERED");
                }
                (Standing::Cancelled, Some(to)) if self.wallet_refuses(to, self.plan_of(end).currency()) => {
                    return Err("WALLET_CURRENCY");
                }
                _ => {}
            }
        }
        Ok(spent)
    }

    pub(crate) fn do_reverse(
        &mut self,
        label: Label,
        reverse: &Reverse,
        undo: Undo,
        receipt: &Reversed,
        operation: Option<u64>,
    ) -> Outcome {
        let (of, parts, spent) = match undo {
            Undo::Stop(key) => {
                self.keys.insert(key, Bound::Stopped);
                let nothing = Reversed { of: None, amount: None, loss: None, uses: 0, returned: Vec::new() };
                return same("a stop", receipt, &nothing);
            }
            Undo::Parts { of, parts, spent } => (of, parts, spent),
        };
        let taken = self.taken.remove(&of).ok_or("nothing was taken")?;
        let currency = self.currency_taken(taken.movements[0].from);
        let mut back = Back {
            model: self,
            label,
            reverse,
            currency,
            heir: None,
            made: Vec::new(),
            told: receipt.returned.iter(),
            to_pass: None,
        };
        let mut taken = taken;
        for (n, part) in &parts {
            let movement = &mut taken.movements[*n];
            movement.reversed += part;
            match movement.from {
                From::Credit(credit) => back.return_to_credit(credit, movement, *part)?,
                From::Pass(pass) => back.return_to_pass(pass, movement, *part)?,
            }
        }
        let rest = back.told.len();
        same("what else returned", rest, 0)?;
        let to_pass = back.to_pass;
        let uses = self.uses_back(&taken, to_pass);
        let amount: i64 = parts.iter().map(|(_, part)| part).sum();
        same("of which operation", receipt.of.map(|of| of.0), operation)?;
        let theirs = (receipt.amount.map(Money::minor), receipt.loss.map(Money::minor), receipt.uses);
        same("a reversal", theirs, (Some(amount), (spent > 0).then_some(spent), uses))?;
        self.taken.insert(of, taken);
        Ok(())
    }

    /// The uses that a pass gets back with this amount.
    fn uses_back(&mut self, taken: &Taken, to_pass: Option<(usize, i64)>) -> i64 {
        let Some((index, back)) = to_pass else { return 0 };
        let complete = taken.movements.iter().all(|m| m.amount == m.reversed);
        let usage = self.plan_of(index).usage();
        let pass = &mut self.passes[index];
        let uses = match (usage, pass.value) {
            (Usage::Shared(_), _) if complete => taken.uses.min(pass.uses_used),
            (Usage::Shared(_), _) => 0,
            (_, value) => {
                let value = value.unwrap_or(1);
                up(pass.used, value) - up(pass.used - back, value)
            }
        };
        (pass.used, pass.uses_used) = (pass.used - back, pass.uses_used - uses);
        uses
    }
}

/// A reversal on its way.
struct Back<'a> {
    model: &'a mut Model,
    label: Label,
    reverse: &'a Reverse,
    currency: Currency,
    heir: Option<Label>,
    /// Credits made by it: parts that return alike share one.
    made: Vec<usize>,
    told: std::slice::Iter<'a, Returned>,
    /// How much returned to a pass.
    to_pass: Option<(usize, i64)>,
}

impl Back<'_> {
    /// The next part that the answer tells must be this one.
    fn next(&mut self, amount: i64, of: &Movement) -> Outcome<Home> {
        let told = self.told.next().ok_or("less returned")?;
        let theirs = (told.amount.minor(), told.mark, told.line);
        same("a part that returns", theirs, (amount, of.mark, of.line))?;
        Ok(told.home.clone())
    }

    fn return_to_credit(&mut self, credit: usize, of: &Movement, part: i64) -> Outcome {
        let home = self.next(part, of)?;
        let model = &mut *self.model;
        let was = &model.credits[credit];
        let (contact, pass) = (was.contact, was.pass);
        let grace = u64::from(model.settings.grace);
        let account = if was.spend_by.is_none_or(|end| model.now < end) {
            same("home", home, Home::Credit(model.contacts[&contact].id, was.id))?;
            model.credits[credit].used -= part;
            Account::Credit
        } else if grace > 0 {
            let until = model.zone.end_of(model.zone.date_of(model.now) + Days::new(grace));
            self.make_credit(home, contact, pass, of.mark, part, Some(until))?;
            Account::Credit
        } else {
            same("home", home, Home::Breakage)?;
            Account::Breakage
        };
        self.model.book(Account::Settled, account, of.mark, part, self.currency);
        Ok(())
    }

    fn return_to_pass(&mut self, pass: usize, of: &Movement, part: i64) -> Outcome {
        let model = &mut *self.model;
        let sources = match of.to {
            None => [(Account::Settled, part), (Account::Loss, 0)],
            Some(credit) => {
                let credit = &mut model.credits[credit];
                let there = part.min(credit.left());
                credit.used += there;
                [(Account::Credit, there), (Account::Loss, part - there)]
            }
        };
        let end = model.end_of(pass);
        let cancelled = model.passes[end].standing == Standing::Cancelled;
        let spend_by = model.spend_by(model.plan_of(end));
        let mut last = None;
        for (account, amount) in sources.into_iter().filter(|(_, amount)| *amount > 0) {
            let home = self.next(amount, of)?;
            let to = if cancelled { Account::Credit } else { Account::Outstanding };
            self.model.book(account, to, of.mark, amount, self.currency);
            if !cancelled {
                same("home", home, Home::Pass(self.model.passes[end].id))?;
                continue;
            }
            if last.as_ref().is_some_and(|last| *last != home) {
                return Err(format!("one part went to {home:?} and {last:?}"));
            }
            last = Some(home);
        }
        if let Some(home) = last {
            let Home::NewCredit(contact, ..) = home else { return Err(format!("it went to {home:?}")) };
            let heir = self.heir(contact)?;
            return self.make_credit(home, heir, end, of.mark, part, spend_by);
        }
        let pass = &mut self.model.passes[end];
        if of.mark == Mark::Granted {
            pass.granted_used -= part;
        }
        let back = self.to_pass.map_or(0, |(_, back)| back) + part;
        self.to_pass = Some((end, back));
        Ok(())
    }

    /// Who gets what can't return to a pass.
    fn heir(&mut self, told: ContactId) -> Outcome<Label> {
        let heir = match (self.heir, self.reverse.to) {
            (Some(heir), _) => heir,
            (None, Some(to)) => to,
            (None, None) => {
                self.model.add_contact(self.label, told, Vec::new(), [].into());
                self.label
            }
        };
        self.heir = Some(heir);
        self.model.open_wallet(heir, self.currency);
        same("who inherits", self.model.contact_of(told)?, heir)?;
        Ok(heir)
    }

    fn make_credit(
        &mut self,
        home: Home,
        contact: Label,
        pass: usize,
        mark: Mark,
        amount: i64,
        until: Option<i64>,
    ) -> Outcome {
        let Home::NewCredit(owner, id, spend_by) = home else { return Err(format!("it went to {home:?}")) };
        let model = &mut *self.model;
        same("whose new credit", owner, model.contacts[&contact].id)?;
        same("a new credit's spend by", spend_by.map(Instant::micros), until)?;
        let alike = |n: &usize| {
            let c = &model.credits[*n];
            (c.contact, c.pass, c.mark, c.spend_by) == (contact, pass, mark, until)
        };
        if let Some(made) = self.made.iter().copied().find(alike) {
            same("a credit that is shared", id, model.credits[made].id)?;
            model.credits[made].amount += amount;
            return Ok(());
        }
        let id: CreditId = id;
        let created = model.now;
        let credit = Credit { contact, id, pass, mark, spend_by: until, created, amount, used: 0 };
        let made = model.add_credit(credit);
        self.made.push(made);
        Ok(())
    }
}

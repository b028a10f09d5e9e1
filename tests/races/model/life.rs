//! The commands on a pass's life.

use super::*;

impl Model {
    pub(super) fn sell(&mut self) {
        let pass = self.some_pass(State::Draft);
        let of = &self.passes[pass];
        let plan = &self.plans[of.plan];
        let value = match plan.value {
            Worth::Fixed(value) if self.dice.once_in(3) => Some(value.minor() + self.dice.between(-1, 1)),
            Worth::Fixed(_) => None,
            Worth::Range { .. } => self.dice.maybe(&[499, 500, 1_234, 2_000, 5_000, 5_001]).copied(),
        };
        let value = value.filter(|_| !self.dice.once_in(6));
        let price = self.dice.between(0, 2_500);
        let mut deal = Deal::at(minor(price, plan.currency));
        deal.value = value.map(|value| minor(value, plan.currency));
        let range = match plan.value {
            Worth::Fixed(value) => value.minor()..=value.minor(),
            Worth::Range { least, most } => least.minor()..=most.minor(),
        };
        let foreseen = if self.state(pass) != State::Draft || plan.electronic {
            vec!["WRONG_STATE"]
        } else {
            match value {
                Some(value) if !range.contains(&value) => vec!["VALUE_OUT_OF_RANGE"],
                None if of.value.is_none() => vec!["VALUE_NOT_SET"],
                _ => vec![],
            }
        };
        let answer = self.world.passes.sell(&self.world.by, of.id, deal).wait();
        if self.expect("sell", &answer, foreseen) {
            if let Some(value) = value {
                let total = self.plans[self.passes[pass].plan].total(value);
                (self.passes[pass].value, self.passes[pass].limit) = (Some(value), total);
            }
            self.passes[pass].sold = Some(self.now);
            self.activate(pass, price);
        }
    }

    pub(super) fn activate_by_hand(&mut self) {
        let pass = self.some_pass(State::Draft);
        let of = &self.passes[pass];
        let wrong = self.state(pass) != State::Draft || self.plans[of.plan].electronic;
        let answer = self.world.passes.activate(&self.world.by, of.id).wait();
        if self.expect("activate", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
            let paid = self.unsold(pass);
            self.activate(pass, paid);
        }
    }

    pub(super) fn deliver(&mut self) {
        let pass = self.some_pass(State::Draft);
        let of = &self.passes[pass];
        let wrong = !self.is_open(pass) || !self.plans[of.plan].electronic;
        let outcome = match self.dice.below(3) {
            0 => Outcome::Accepted,
            1 => Outcome::Failed { why: "no such mailbox".into() },
            _ => Outcome::Confirmed,
        };
        let answer = self.world.passes.delivered(&self.world.by, of.id, outcome.clone()).wait();
        if self.expect("deliver", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] })
            && outcome == Outcome::Confirmed
            && self.state(pass) == State::Draft
        {
            let paid = self.unsold(pass);
            self.activate(pass, paid);
        }
    }

    pub(super) fn void(&mut self) {
        let pass = self.some_pass(State::Active);
        let of = &self.passes[pass];
        let foreseen = match of.sold {
            Some(sold) if self.is_open(pass) => {
                if self.now >= sold + DAY {
                    vec!["TOO_LATE"]
                } else if of.used != 0 || of.uses_used != 0 {
                    vec!["PASS_USED"]
                } else {
                    vec![]
                }
            }
            _ => vec!["WRONG_STATE"],
        };
        let answer = self.world.passes.void_sale(&self.world.by, of.id).wait();
        if !self.expect("void", &answer, foreseen) {
            return;
        }
        let currency = self.currency_of(pass);
        for (mark, amount) in self.marks_left(pass) {
            let account = if mark == Mark::Paid { Account::Received } else { Account::Granted };
            self.book(Account::Outstanding, account, mark, amount, currency);
        }
        let plan = &self.plans[self.passes[pass].plan];
        let (open, days) = (matches!(plan.value, Worth::Range { .. }), plan.activation_days.is_some());
        // What a reissue made is as an electronic pass: its code was handed over.
        let electronic = plan.electronic;
        let of = &mut self.passes[pass];
        (of.booked, of.granted, of.sold) = (false, 0, None);
        if electronic {
            (of.standing, of.limit) = (Standing::Cancelled, 0);
            return;
        }
        of.standing = Standing::Draft;
        if days && !of.expiry_set {
            of.redeem_by = None;
        }
        if open {
            (of.value, of.limit) = (None, 0);
        }
    }

    pub(super) fn suspend(&mut self) {
        let suspend = self.dice.once_in(3);
        let pass = self.some_pass(if suspend { State::Active } else { State::Suspended });
        let (passes, by) = (&self.world.passes, &self.world.by);
        let of = &self.passes[pass];
        let command = |answer| if suspend { ("suspend", answer) } else { ("reactivate", answer) };
        match self.dice.below(8) {
            0 => {
                let lot = of.id.lot();
                let wrong = self.lots[&lot] == suspend;
                let answer =
                    if suspend { passes.suspend(by, lot) } else { passes.reactivate(by, lot) }.wait();
                let (name, answer) = command(answer);
                if self.expect(name, &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
                    self.lots.insert(lot, suspend);
                }
            }
            1 => {
                let plan = of.plan;
                let (id, wrong) = (self.plans[plan].id, self.plans[plan].suspended == suspend);
                let answer = if suspend { passes.suspend(by, id) } else { passes.reactivate(by, id) }.wait();
                let (name, answer) = command(answer);
                if self.expect(name, &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
                    self.plans[plan].suspended = suspend;
                }
            }
            _ => {
                // An active pass can't be reactivated, whatever it bears.
                let allowed = if suspend {
                    self.is_open(pass)
                } else {
                    self.is_open(pass) && self.state(pass) != State::Active
                };
                let wrong = !allowed || of.suspended == suspend;
                let answer =
                    if suspend { passes.suspend(by, of.id) } else { passes.reactivate(by, of.id) }.wait();
                let (name, answer) = command(answer);
                if self.expect(name, &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
                    self.passes[pass].suspended = suspend;
                }
            }
        }
    }

    pub(super) fn cancel(&mut self) {
        let pass = self.some_pass(State::Active);
        let of = &self.passes[pass];
        let rest = *self.dice.pick(&[Rest::Refund, Rest::Forfeit, Rest::Reissue]);
        let wrong = !self.is_open(pass);
        let answer = self.world.passes.cancel(&self.world.by, of.id, rest).wait();
        if !self.expect("cancel", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
            return;
        }
        let currency = self.currency_of(pass);
        let to = match rest {
            Rest::Refund => Some(Account::Refunded),
            Rest::Forfeit => Some(Account::Breakage),
            Rest::Reissue => None,
        };
        if let Some(to) = to.filter(|_| self.passes[pass].booked) {
            for (mark, amount) in self.marks_left(pass) {
                self.book(Account::Outstanding, to, mark, amount, currency);
            }
        }
        if rest == Rest::Reissue {
            let (old, new) = answer.unwrap().replaced[0];
            assert_eq!(old, self.passes[pass].id);
            let code = self.world.passes.reveal(&self.world.by, new).wait().unwrap().1.unwrap();
            let lot = self.lots[&old.lot()];
            self.lots.insert(new.lot(), lot);
            let of = &self.passes[pass];
            let next = Pass { id: new, code: code.reveal().to_owned(), successor: None, ..*of };
            self.passes.push(next);
            self.passes[pass].successor = Some(self.passes.len() - 1);
        }
        let of = &mut self.passes[pass];
        (of.standing, of.limit, of.granted) = (Standing::Cancelled, of.used, of.granted_used);
    }

    pub(super) fn set_expiry(&mut self) {
        let pass = self.some_pass(State::Active);
        let wrong = !self.is_open(pass);
        let at = self
            .dice
            .maybe(&[-1, 0, 1, DAY, 20 * DAY])
            .map(|jump| self.now + jump)
            .filter(|_| !self.dice.once_in(4));
        let expiry = at.map_or(Expiry::Never, |at| Expiry::At(Instant::from_micros(at).unwrap()));
        let answer = self.world.passes.set_expiry(&self.world.by, self.passes[pass].id, expiry).wait();
        if self.expect("set expiry", &answer, if wrong { vec!["WRONG_STATE"] } else { vec![] }) {
            (self.passes[pass].expiry_set, self.passes[pass].redeem_by) = (true, at);
        }
    }

    pub(super) fn set_value(&mut self) {
        let pass = self.some_pass(State::Active);
        let of = &self.passes[pass];
        let plan = &self.plans[of.plan];
        let value = *self.dice.pick(&[499, 700, 1_000, 2_000, 3_333]);
        let (least, most) = match plan.value {
            Worth::Fixed(value) => (value, value),
            Worth::Range { least, most } => (least, most),
        };
        let foreseen = if !self.is_open(pass) {
            vec!["WRONG_STATE"]
        } else if of.used != 0 {
            vec!["PASS_USED"]
        } else if value < least.minor() || value > most.minor() {
            vec!["VALUE_OUT_OF_RANGE"]
        } else {
            vec![]
        };
        let answer = self.world.passes.set_value(&self.world.by, of.id, minor(value, plan.currency)).wait();
        if !self.expect("set value", &answer, foreseen) {
            return;
        }
        let (before, granted_before) = (self.passes[pass].limit, self.passes[pass].granted);
        let total = self.plans[self.passes[pass].plan].total(value);
        (self.passes[pass].value, self.passes[pass].limit) = (Some(value), total);
        let currency = self.currency_of(pass);
        if !self.passes[pass].booked {
            if self.state(pass) != State::Draft {
                let paid = self.unsold(pass);
                self.book_value(pass, paid);
            }
        } else if total > before {
            self.passes[pass].granted += total - before;
            self.book(Account::Correction, Account::Outstanding, Mark::Granted, total - before, currency);
        } else {
            let granted = granted_before.min(before - total);
            self.passes[pass].granted -= granted;
            self.book(Account::Outstanding, Account::Correction, Mark::Granted, granted, currency);
            self.book(
                Account::Outstanding,
                Account::Correction,
                Mark::Paid,
                before - total - granted,
                currency,
            );
        }
    }
}

//! Redeeming and spending.

use super::script::{Code, Label, Redeem, Spend, Step, Target};
use super::state::*;
use chrono::Datelike;
use passes_core::calendar::Instant;
use passes_core::conditions::Line;
use passes_core::ledger::{Account, Mark};
use passes_core::money::{Currency, Money};
use passes_core::pass::State;
use passes_core::plan::{Classification, SpendBy, Usage};
use passes_core::service::{PaidBy, Redeemed, Spent};

pub(crate) fn up(a: i64, b: i64) -> i64 {
    (a + b - 1) / b
}

pub(crate) fn total_of(basket: &[Line]) -> i64 {
    basket.iter().map(|line| line.unit_price.minor() * i64::from(line.quantity)).sum()
}

/// What a redemption takes: by line, and what is short.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taking {
    pub parts: Vec<(Option<u32>, i64)>,
    pub short: i64,
}

impl Taking {
    fn amount(&self) -> i64 {
        self.parts.iter().map(|(_, part)| part).sum()
    }
}

impl Model {
    /// What the next use gives.
    fn next_use(&self, pass: usize) -> i64 {
        let of = &self.passes[pass];
        match self.plan_of(pass).usage() {
            Usage::Single => of.left(),
            Usage::Full(_) => of.value.map_or(0, |value| of.left().min(value - of.used % value)),
            Usage::Shared(_) if of.uses > of.uses_used => up(of.left(), of.uses - of.uses_used),
            Usage::Shared(_) => of.left(),
        }
    }

    /// Whether a plan is not valid yet, or not now.
    fn closed(&self, plan: &Plan) -> Option<&'static str> {
        let windows = &plan.spec.terms.windows;
        if windows.start.is_some_and(|day| self.now < self.zone.start_of(day)) {
            return Some("NOT_STARTED");
        }
        let (today, minute) = (self.zone.date_of(self.now), self.zone.minute_of(self.now));
        let open = windows.hours.iter().any(|hours| {
            let day = hours.days.iter().any(|day| *day as u8 == today.weekday().num_days_from_monday() as u8);
            day && (i64::from(hours.from.minutes())..hours.to.minutes().into()).contains(&minute)
        });
        let closed = windows.blackout.contains(&today) || !(windows.hours.is_empty() || open);
        closed.then_some("OUTSIDE_HOURS")
    }

    /// What a redemption takes, or every reason why it doesn't.
    pub(crate) fn judge_redeem(&self, step: &Step, redeem: &Redeem) -> Result<Taking, Vec<&'static str>> {
        let pass = match redeem.code {
            Code::Unknown => return Err(vec!["UNKNOWN_CODE"]),
            Code::Malformed => return Err(vec!["MALFORMED"]),
            Code::HashOf(_) if !self.settings.accept_hashes => return Err(vec!["FORBIDDEN"]),
            Code::Of(pass) | Code::HashOf(pass) => self.pass_at[&pass],
        };
        let (of, plan) = (&self.passes[pass], self.plan_of(pass));
        let (currency, direct) = (plan.currency(), redeem.target == Target::Direct);
        let mut foreseen = Vec::new();
        let total = redeem.basket.as_ref().map(|basket| total_of(basket));
        let other = |money: Money| money.currency() != currency;
        let basket_mixed =
            redeem.basket.as_ref().is_some_and(|basket| basket.iter().any(|line| other(line.unit_price)));
        let mixed = basket_mixed || redeem.amount.is_some_and(other);
        let unsound = if mixed {
            Some("MIXED_CURRENCIES")
        } else if redeem.amount.is_some_and(|a| a.minor() <= 0 || total.is_some_and(|t| a.minor() > t)) {
            Some("BAD_AMOUNT")
        } else {
            None
        };
        foreseen.extend(unsound);
        match self.state(pass) {
            State::Draft => foreseen.push("PASS_DRAFT"),
            State::Suspended => foreseen.push("PASS_SUSPENDED"),
            State::Redeemed => foreseen.push("PASS_REDEEMED"),
            State::Cancelled => foreseen.push("PASS_CANCELLED"),
            State::Active => {}
        }
        foreseen.extend(self.closed(plan));
        if of.redeem_by.is_some_and(|end| self.now >= end) {
            foreseen.push("PASS_EXPIRED");
        }
        if of.value.is_some() && of.uses_used >= of.uses && of.left() == 0 {
            foreseen.push("USES_SPENT");
        }
        if of.value.is_none() {
            foreseen.push("VALUE_NOT_SET");
        }
        foreseen.extend(self.judge_target(redeem.target, of, plan));
        let mut taking = Taking { parts: vec![(None, self.next_use(pass))], short: 0 };
        if direct {
            if plan.wrong_place(step.place.as_deref()) {
                foreseen.push("WRONG_PLACE");
            }
            if !basket_mixed && total.is_some_and(|total| plan.below_minimum(total)) {
                foreseen.push("BELOW_MINIMUM");
            }
            if of.value.is_some() && unsound.is_none() {
                match self.take_directly(pass, redeem) {
                    Ok(directly) => taking = directly,
                    Err(code) => foreseen.push(code),
                }
            }
        }
        if foreseen.is_empty() { Ok(taking) } else { Err(foreseen) }
    }

    fn judge_target(&self, target: Target, of: &Pass, plan: &Plan) -> Vec<&'static str> {
        let terms = &plan.spec.terms;
        let Target::Wallet(contact) = target else {
            let needed = terms.classification == Classification::TopUp || terms.personal;
            return if needed { vec!["CONTACT_REQUIRED"] } else { vec![] };
        };
        let mut foreseen = Vec::new();
        if terms.personal && of.holder.is_some_and(|holder| holder != contact) {
            foreseen.push("NOT_THIS_CONTACT");
        }
        if !self.contacts.contains_key(&contact) {
            foreseen.push("CONTACT_NOT_REGISTERED");
        } else if self.wallet_refuses(contact, plan.currency()) {
            foreseen.push("WALLET_CURRENCY");
        }
        foreseen
    }

    fn take_directly(&self, pass: usize, redeem: &Redeem) -> Result<Taking, &'static str> {
        let (of, plan) = (&self.passes[pass], self.plan_of(pass));
        let total = |line: &Line| line.unit_price.minor() * i64::from(line.quantity);
        let lines: Vec<(Option<u32>, i64)> = match (&redeem.basket, redeem.amount) {
            (Some(basket), _) => (0..)
                .zip(basket)
                .filter(|(_, line)| plan.takes(line) && total(line) > 0)
                .map(|(n, line)| (Some(n), total(line)))
                .collect(),
            (None, _) if plan.speaks_of_products() => Vec::new(),
            (None, Some(amount)) => vec![(None, amount.minor())],
            (None, None) => return Err("INVALID"),
        };
        let whole = redeem.basket.as_ref().map_or(0, |basket| total_of(basket));
        let wanted = redeem.amount.map_or(whole, Money::minor);
        let payable: i64 = lines.iter().map(|(_, total)| total).sum();
        let most = if let Usage::Full(_) = plan.usage() { self.next_use(pass) } else { of.left() };
        let amount = wanted.min(payable).min(most);
        let short = wanted - amount;
        if payable == 0 {
            return Err("NO_ELIGIBLE_PRODUCTS");
        }
        if amount <= 0 || (short > 0 && !redeem.partly) {
            return Err("BALANCE_TOO_SMALL");
        }
        let mut rest = amount;
        let mut parts = Vec::new();
        for (line, total) in lines {
            let part = total.min(rest);
            rest -= part;
            if part > 0 {
                parts.push((line, part));
            }
        }
        Ok(Taking { parts, short })
    }

    fn uses_taken(&self, pass: usize, amount: i64, direct: bool) -> i64 {
        let of = &self.passes[pass];
        match (self.plan_of(pass).usage(), of.value) {
            (Usage::Shared(_), _) if direct => of.uses - of.uses_used,
            (Usage::Shared(_), _) => (of.uses - of.uses_used).min(1),
            (_, Some(value)) => up(of.used + amount, value) - up(of.used, value),
            (_, None) => 0,
        }
    }

    /// When what is credited now expires.
    pub(crate) fn spend_by(&self, plan: &Plan) -> Option<i64> {
        match plan.spec.terms.spend_by {
            SpendBy::Never => None,
            SpendBy::Date(date) => Some(self.zone.end_of(date)),
            SpendBy::AfterRedemption(period) => Some(self.zone.end_after(self.now, period)),
        }
    }

    /// What a check that finds nothing wrong tells.
    pub(crate) fn preview(&self, redeem: &Redeem, taking: &Taking, would: &Redeemed) -> Outcome {
        let (Code::Of(pass) | Code::HashOf(pass)) = redeem.code else { return Err("no pass".into()) };
        let pass = self.pass_at[&pass];
        let (of, amount) = (&self.passes[pass], taking.amount());
        let uses = self.uses_taken(pass, amount, redeem.target == Target::Direct);
        let foreseen = (amount, taking.short, uses, of.left() - amount, of.uses - of.uses_used - uses);
        same("what a check tells", told(would), foreseen)
    }

    pub(crate) fn do_redeem(
        &mut self,
        label: Label,
        redeem: &Redeem,
        taking: Taking,
        receipt: &Redeemed,
    ) -> Outcome {
        let (Code::Of(at) | Code::HashOf(at)) = redeem.code else { return Err("no pass".into()) };
        let pass = self.pass_at[&at];
        let direct = redeem.target == Target::Direct;
        let (amount, currency) = (taking.amount(), self.plan_of(pass).currency());
        let uses = self.uses_taken(pass, amount, direct);
        let spend_by = self.spend_by(self.plan_of(pass));
        // The granted part goes first.
        let of = &mut self.passes[pass];
        let mut granted = of.granted - of.granted_used;
        let mut parts: Vec<(Option<u32>, Mark, i64)> = Vec::new();
        for (line, part) in taking.parts {
            let given = part.min(granted);
            granted -= given;
            let split = [(line, Mark::Granted, given), (line, Mark::Paid, part - given)];
            parts.extend(split.iter().filter(|p| p.2 > 0));
        }
        of.granted_used = of.granted - granted;
        (of.used, of.uses_used) = (of.used + amount, of.uses_used + uses);
        let foreseen = (amount, taking.short, uses, of.left(), of.uses - of.uses_used);
        same("which pass", receipt.pass, of.id)?;
        same("a redemption", told(receipt), foreseen)?;
        let paid: Vec<_> = receipt.paid.iter().map(|p| (p.line, p.mark, p.amount.minor())).collect();
        let credited: Vec<_> = receipt.credits.iter().map(|c| (None, c.mark, c.amount.minor())).collect();
        same("what is paid, and credited", &paid, if direct { &parts } else { &paid })?;
        same("what is credited", &credited, if direct { &credited } else { &parts })?;
        same("the other list", if direct { credited.len() } else { paid.len() }, 0)?;
        let owner = match redeem.target {
            Target::Direct => None,
            Target::Wallet(contact) => Some(contact),
            Target::NewWallet => {
                self.add_contact(label, receipt.contact.ok_or("no contact")?, Vec::new(), [].into());
                Some(label)
            }
        };
        same("whose wallet", receipt.contact.map(|c| self.contact_of(c)).transpose()?, owner)?;
        let mut movements = Vec::new();
        for (n, (line, mark, amount)) in parts.into_iter().enumerate() {
            let to = match owner {
                None => {
                    self.book(Account::Outstanding, Account::Settled, mark, amount, currency);
                    None
                }
                Some(contact) => {
                    let credited = &receipt.credits[n];
                    same("spend by", credited.spend_by.map(Instant::micros), spend_by)?;
                    self.open_wallet(contact, currency);
                    self.book(Account::Outstanding, Account::Credit, mark, amount, currency);
                    let (id, created) = (credited.credit, self.now);
                    let credit = Credit { contact, id, pass, mark, spend_by, created, amount, used: 0 };
                    Some(self.add_credit(credit))
                }
            };
            movements.push(Movement { from: From::Pass(pass), to, mark, line, amount, reversed: 0 });
        }
        self.taken.insert(label, Taken { movements, uses });
        Ok(())
    }

    /// How a wallet pays a basket, or why it doesn't.
    pub(crate) fn judge_spend(&self, step: &Step, spend: &Spend) -> Result<Spent, Vec<&'static str>> {
        let Some(contact) = self.contacts.get(&spend.contact) else {
            return Err(vec!["CONTACT_NOT_REGISTERED"]);
        };
        let currency = spend.basket[0].unit_price.currency();
        let total = total_of(&spend.basket);
        let wanted = spend.amount.map_or(total, Money::minor);
        if spend.amount.is_some_and(|amount| amount.currency() != currency) {
            return Err(vec!["MIXED_CURRENCIES"]);
        }
        if wanted <= 0 || wanted > total {
            return Err(vec!["BAD_AMOUNT"]);
        }
        // The credits that can pay, in their order, each with the lines that it may pay.
        let totals: Vec<i64> = spend.basket.iter().map(|line| total_of(std::slice::from_ref(line))).collect();
        let mut foreseen = Vec::new();
        let mut usable: Vec<(&Credit, Vec<usize>)> = Vec::new();
        for credit in contact.credits.iter().map(|n| &self.credits[*n]) {
            let plan = self.plan_of(credit.pass);
            let gone = credit.left() == 0 || credit.spend_by.is_some_and(|end| self.now >= end);
            if gone || plan.currency() != currency {
                continue;
            }
            let takes = |n: &usize| totals[*n] > 0 && plan.takes(&spend.basket[*n]);
            let lines: Vec<usize> = (0..totals.len()).filter(takes).collect();
            if plan.wrong_place(step.place.as_deref()) {
                foreseen.push("WRONG_PLACE");
            } else if plan.below_minimum(total) {
                foreseen.push("BELOW_MINIMUM");
            } else if lines.is_empty() {
                foreseen.push("NO_ELIGIBLE_PRODUCTS");
            } else {
                usable.push((credit, lines));
            }
        }
        usable.sort_by_key(|(c, lines)| {
            (c.spend_by.unwrap_or(i64::MAX), c.mark == Mark::Paid, lines.len(), c.created, c.id)
        });
        // The most that the first credits can pay together, by the tightest cut; each pays what it adds to it.
        let most = |first: usize| -> i64 {
            let cut = |kept: u32| -> i64 {
                let lines: i64 = (0..totals.len()).filter(|n| kept & 1 << n != 0).map(|n| totals[n]).sum();
                let beyond =
                    usable[..first].iter().filter(|(_, lines)| lines.iter().any(|n| kept & 1 << n == 0));
                lines + beyond.map(|(c, _)| c.left()).sum::<i64>()
            };
            (0..1_u32 << totals.len()).map(cut).min().unwrap_or(0).min(wanted)
        };
        let uses: Vec<i64> = (0..usable.len()).map(|n| most(n + 1) - most(n)).collect();
        let paid = most(usable.len());
        if paid == 0 || (paid < wanted && !spend.partly) {
            foreseen.push("BALANCE_TOO_SMALL");
            return Err(foreseen);
        }
        let amounts = divide(&usable.iter().map(|(_, lines)| &**lines).collect::<Vec<_>>(), uses, totals);
        let paid_by = amounts.into_iter().map(|(n, line, amount)| PaidBy {
            credit: usable[n].0.id,
            pass: self.passes[usable[n].0.pass].id,
            mark: usable[n].0.mark,
            line: line as u32,
            amount: super::plans::money(amount, currency),
        });
        Ok(Spent {
            contact: contact.id,
            amount: super::plans::money(paid, currency),
            short: super::plans::money(wanted - paid, currency),
            paid: paid_by.collect(),
        })
    }

    /// Whether there is enough for this on each credit.
    pub(crate) fn can_pay(&self, spend: &Spend, spent: &Spent) -> bool {
        let credits = self.contacts.get(&spend.contact).map_or(&[][..], |contact| &contact.credits);
        spent.paid.iter().all(|part| {
            let taken = spent.paid.iter().filter(|other| other.credit == part.credit);
            let taken: i64 = taken.map(|other| other.amount.minor()).sum();
            let credit = credits.iter().map(|n| &self.credits[*n]).find(|credit| credit.id == part.credit);
            credit.is_some_and(|credit| taken <= credit.left())
        })
    }

    pub(crate) fn do_spend(&mut self, label: Label, spend: &Spend, spent: &Spent) -> Outcome {
        let currency: Currency = spent.amount.currency();
        let wallet = self.contacts[&spend.contact].credits.clone();
        let mut movements = Vec::new();
        for part in &spent.paid {
            let credit = wallet.iter().copied().find(|n| self.credits[*n].id == part.credit);
            let credit = credit.ok_or("a credit of another wallet")?;
            let (mark, amount, line) = (part.mark, part.amount.minor(), Some(part.line));
            self.credits[credit].used += amount;
            movements.push(Movement {
                from: From::Credit(credit),
                to: None,
                mark,
                line,
                amount,
                reversed: 0,
            });
            self.book(Account::Credit, Account::Settled, mark, amount, currency);
        }
        self.taken.insert(label, Taken { movements, uses: 0 });
        Ok(())
    }
}

fn told(receipt: &Redeemed) -> (i64, i64, i64, i64, i64) {
    let Redeemed { amount, short, uses, left, uses_left, .. } = receipt;
    (amount.minor(), short.minor(), *uses, left.minor(), *uses_left)
}

/// Divides what each credit pays among its lines: of all ways, the one in which the first credit pays the most of
/// the first line, then of the second, then the next credit. `rest` is what each has still to pay, `room` what each
/// line still takes.
fn divide(lines: &[&[usize]], mut rest: Vec<i64>, mut room: Vec<i64>) -> Vec<(usize, usize, i64)> {
    let mut parts = Vec::new();
    for n in 0..lines.len() {
        for (at, line) in lines[n].iter().enumerate() {
            // Lines that this credit could turn to later.
            let later = &lines[n][at + 1..];
            // Whoever can pay nothing but some lines needs their room.
            let fits = |set: u32| {
                let within = |of: &[usize]| of.iter().all(|line| set & 1 << line != 0);
                let room: i64 = (0..room.len()).filter(|line| set & 1 << line != 0).map(|l| room[l]).sum();
                let others = (n + 1..lines.len()).filter(|other| within(lines[*other]));
                room - others.map(|other| rest[other]).sum::<i64>()
            };
            let binding = (0..1_u32 << room.len())
                .filter(|set| set & 1 << line != 0 && !later.iter().all(|line| set & 1 << line != 0));
            let least = binding.map(fits).min().unwrap_or(i64::MAX);
            let part = least.min(rest[n]).min(room[*line]);
            (rest[n], room[*line]) = (rest[n] - part, room[*line] - part);
            if part > 0 {
                parts.push((n, *line, part));
            }
        }
    }
    parts
}

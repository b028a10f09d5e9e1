//! Everything, row by row: balances, states, liabilities, statements, and the library's own check of itself.

use super::play::Play;
use super::script::Label;
use super::state::{Credit, Model, Outcome, same};
use passes_core::Error;
use passes_core::event::Position;
use passes_core::ledger::{Account, Mark};
use passes_core::money::{Currency, Money};
use passes_core::pass::State;
use passes_core::service::{PocketKey, Wallet};
use std::collections::BTreeMap;
use tests::Books;

fn told(error: Error) -> String {
    format!("a question was answered {error:?}")
}

impl Model {
    fn pocket_of(&self, credit: &Credit) -> PocketKey {
        let terms = &self.plan_of(credit.pass).spec.terms;
        PocketKey { pool: terms.pool.clone(), currency: terms.currency }
    }

    fn credits_of(&self, contact: Label) -> impl Iterator<Item = &Credit> {
        self.contacts[&contact].credits.iter().map(|n| &self.credits[*n])
    }

    /// What a wallet looks like: its credits, and its pockets.
    pub(crate) fn sees_wallet(&self, contact: Label, wallet: &Wallet) -> Outcome {
        let mut ours = BTreeMap::new();
        let mut pockets: BTreeMap<PocketKey, [i64; 3]> = BTreeMap::new();
        for currency in &self.contacts[&contact].currencies {
            pockets.insert(PocketKey { pool: None, currency: *currency }, [0; 3]);
        }
        for credit in self.credits_of(contact).filter(|credit| credit.left() > 0) {
            let expired = credit.spend_by.is_some_and(|end| self.now >= end);
            let pocket = pockets.entry(self.pocket_of(credit)).or_default();
            pocket[if expired { 2 } else { usize::from(credit.mark == Mark::Paid) }] += credit.left();
            ours.insert(credit.id, (credit.left(), credit.amount, expired, credit.spend_by));
        }
        let credits = wallet.credits.iter();
        let theirs = credits
            .map(|c| (c.id, (c.left.minor(), c.amount.minor(), c.expired, c.spend_by.map(|at| at.micros()))));
        same("the credits of a wallet", theirs.collect(), ours)?;
        let theirs: BTreeMap<PocketKey, [i64; 3]> = wallet
            .pockets
            .iter()
            .map(|p| (p.key.clone(), [p.granted.minor(), p.paid.minor(), p.expired.minor()]))
            .collect();
        same("the pockets of a wallet", theirs, pockets)
    }
}

impl Play {
    /// What is quickly compared: the books, and every n-th pass and wallet, from the m-th.
    pub(crate) fn compare(&mut self, every: usize, from: usize) -> Outcome {
        self.compare_books()?;
        let (passes, by) = self.stage.library();
        let model = &self.model;
        for (n, pass) in model.passes.iter().enumerate().skip(from).step_by(every) {
            let view = passes.pass(by, pass.id).wait().map_err(told)?;
            model.sees(n, &view).map_err(|why| format!("pass {:?}: {why}", pass.at))?;
        }
        for label in model.contacts.keys().skip(from).step_by(every) {
            self.compare_wallet(*label).map_err(|why| format!("wallet {label}: {why}"))?;
        }
        Ok(())
    }

    pub(crate) fn compare_all(&mut self) -> Outcome {
        self.compare(1, 0)?;
        self.compare_lots()?;
        self.compare_statements()?;
        self.compare_events()
    }

    fn compare_books(&self) -> Outcome {
        let (passes, by) = self.stage.library();
        let verified = passes.verify(by).wait().map_err(told)?;
        same("what verify finds", &verified.drifts, &Vec::new())?;
        let books = Books::of(&**passes.store(), by.business);
        let mut ours: BTreeMap<(Account, Mark, u16), i64> =
            self.model.accounts.iter().map(|((a, m, c), sum)| ((*a, *m, c.numeric()), *sum)).collect();
        let mut theirs = books.accounts;
        ours.retain(|_, sum| *sum != 0);
        theirs.retain(|_, sum| *sum != 0);
        same("the accounts", theirs, ours)?;
        let credits = self.model.credits.iter();
        let ours = credits.map(|c| ((self.model.contacts[&c.contact].id, c.id), c.left())).collect();
        same("what is left of credits", books.credits, ours)?;

        let mut owed: BTreeMap<Currency, [i64; 4]> = BTreeMap::new();
        for ((account, mark, currency), sum) in &self.model.accounts {
            let place = match account {
                Account::Outstanding => 2,
                Account::Credit => 3,
                _ => continue,
            };
            let of = owed.entry(*currency).or_default();
            of[usize::from(*mark == Mark::Paid)] += sum;
            of[place] += sum;
        }
        owed.retain(|_, sums| sums.iter().any(|sum| *sum != 0));
        let mut theirs: BTreeMap<Currency, [i64; 4]> = passes
            .liability(by)
            .wait()
            .map_err(told)?
            .into_iter()
            .map(|l| (l.currency, [l.granted, l.paid, l.outstanding, l.credit].map(Money::minor)))
            .collect();
        theirs.retain(|_, sums| sums.iter().any(|sum| *sum != 0));
        same("what is owed", theirs, owed)
    }

    fn compare_wallet(&self, label: Label) -> Outcome {
        let (passes, by) = self.stage.library();
        let contact = &self.model.contacts[&label];
        self.model.sees_wallet(label, &passes.wallet(by, contact.id).wait().map_err(told)?)?;
        let known = passes.contact(by, contact.id).wait().map_err(told)?;
        same("its currencies", &known.currencies, &contact.currencies)?;
        same("its media", known.profile.media.len(), contact.media.len())
    }

    fn compare_lots(&self) -> Outcome {
        let (passes, by) = self.stage.library();
        let mut counts: BTreeMap<_, BTreeMap<State, u64>> = BTreeMap::new();
        for (n, pass) in self.model.passes.iter().enumerate() {
            *counts.entry(pass.id.lot()).or_default().entry(self.model.state(n)).or_default() += 1;
        }
        for (id, lot) in &self.model.lots {
            let view = passes.lot(by, *id).wait().map_err(told)?;
            let theirs = (view.count, view.complete, view.exports, view.closed, view.recoverable);
            let ours = (lot.count, lot.complete, lot.exports, lot.closed, lot.seed);
            same("a lot", theirs, ours)?;
            let suspended = self.model.plans[&lot.plan].suspended;
            let theirs = (view.suspended, view.plan_suspended, view.cancelled);
            same("a lot's state", theirs, (lot.suspended, suspended, lot.cancelled))?;
            let counted = passes.count_states(by, *id).wait().map_err(told)?;
            same("the states of a lot", counted, counts.remove(id).unwrap_or_default())?;
        }
        for plan in self.model.plans.values() {
            let view = passes.plan(by, plan.id).wait();
            if plan.state == passes_core::plan::PlanState::Deleted {
                same("a plan that is gone", view.err().map(|error| error.code()), Some("NOT_FOUND"))?;
                continue;
            }
            let view = view.map_err(told)?;
            same("a plan", (view.state, view.suspended), (plan.state, plan.suspended))?;
            same("a plan's spec", view.spec, plan.spec.clone())?;
        }
        Ok(())
    }

    /// Statements end with what is left.
    fn compare_statements(&self) -> Outcome {
        let (passes, by) = self.stage.library();
        for (label, contact) in &self.model.contacts {
            let lines = passes.statement(by, contact.id, None, 10_000).wait().map_err(told)?;
            let mut ours: BTreeMap<PocketKey, i64> = BTreeMap::new();
            for credit in self.model.credits_of(*label) {
                *ours.entry(self.model.pocket_of(credit)).or_default() += credit.left();
            }
            let mut sums: BTreeMap<PocketKey, i64> = BTreeMap::new();
            for line in &lines.rows {
                let sum = sums.entry(line.pocket.clone()).or_default();
                *sum += line.amount.minor();
                same("a running balance", line.balance.minor(), *sum)?;
            }
            same("the end of a statement", sums, ours)?;
        }
        for pass in &self.model.passes {
            let lines = passes.pass_statement(by, pass.id, None, 10_000).wait().map_err(told)?;
            let left = if pass.booked { pass.left() } else { 0 };
            let sum: i64 = lines.rows.iter().map(|line| line.amount.minor()).sum();
            let newest = lines.rows.first().map_or(0, |line| line.balance.minor());
            same("the statement of a pass", (sum, newest), (left, left))?;
        }
        Ok(())
    }

    /// A reader who goes on from the last position misses nothing and sees nothing twice.
    fn compare_events(&self) -> Outcome {
        let (passes, by) = self.stage.library();
        let (mut after, mut seen) = (Position(0), Vec::new());
        loop {
            let told_of = passes.events(by, after, 100).wait().map_err(told)?;
            let Some(last) = told_of.last() else { break };
            after = last.position;
            seen.extend(told_of.iter().map(|event| (event.position.0, event.index)));
        }
        if !seen.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err("events out of order".into());
        }
        Ok(())
    }
}

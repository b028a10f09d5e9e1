//! What the model holds: its books, and the states of its passes.

use super::*;

impl Model {
    pub(super) fn book(&mut self, from: Account, to: Account, mark: Mark, amount: i64, currency: Currency) {
        *self.accounts.entry((from, mark, currency)).or_default() -= amount;
        *self.accounts.entry((to, mark, currency)).or_default() += amount;
    }

    pub(super) fn currency_of(&self, pass: usize) -> Currency {
        self.plans[self.passes[pass].plan].currency
    }

    /// What is left on a pass: granted, and paid.
    pub(super) fn marks_left(&self, pass: usize) -> [(Mark, i64); 2] {
        let pass = &self.passes[pass];
        let granted = pass.granted - pass.granted_used;
        [(Mark::Granted, granted), (Mark::Paid, pass.left() - granted)]
    }

    pub(super) fn book_value(&mut self, pass: usize, price: i64) {
        let currency = self.currency_of(pass);
        let of = &mut self.passes[pass];
        let paid = price.min(of.limit).max(0);
        (of.booked, of.granted) = (true, of.limit - paid);
        let granted = of.granted;
        self.book(Account::Received, Account::Outstanding, Mark::Paid, paid, currency);
        self.book(Account::Granted, Account::Outstanding, Mark::Granted, granted, currency);
    }

    pub(super) fn state(&self, pass: usize) -> State {
        let of = &self.passes[pass];
        let suspended = of.suspended || self.lots[&of.id.lot()] || self.plans[of.plan].suspended;
        match of.standing {
            Standing::Draft => State::Draft,
            Standing::Cancelled => State::Cancelled,
            Standing::Active if of.value.is_some() && of.left() == 0 => State::Redeemed,
            Standing::Active if suspended => State::Suspended,
            Standing::Active => State::Active,
        }
    }

    pub(super) fn is_open(&self, pass: usize) -> bool {
        matches!(self.state(pass), State::Draft | State::Active | State::Suspended)
    }

    pub(super) fn activate(&mut self, pass: usize, paid: i64) {
        let days = self.plans[self.passes[pass].plan].activation_days;
        let now = self.now;
        let of = &mut self.passes[pass];
        of.standing = Standing::Active;
        if let (Some(days), false) = (days, of.expiry_set) {
            of.redeem_by = Some((now / DAY + days + 1) * DAY);
        }
        if of.value.is_some() && !of.booked {
            self.book_value(pass, paid);
        }
    }

    pub(super) fn unsold(&self, pass: usize) -> i64 {
        if self.plans[self.passes[pass].plan].paid_unsold { self.passes[pass].limit } else { 0 }
    }
}

//! Drawing redemptions, spends and reversals.

use super::{Drawing, Theme};
use crate::model::pay::total_of;
use crate::model::plans::{currency, money};
use crate::model::script::{Code, Command, Label, Of, Part, Redeem, Reverse, Spend, Target};
use crate::model::state::{Bound, From, Model};
use passes_core::conditions::Line;
use passes_core::money::Currency;
use passes_core::pass::State;
use tests::Dice;

impl Drawing {
    fn basket(&mut self, rather: Currency) -> Vec<Line> {
        let other = ["GBP", "EUR", "JPY", "BHD"].map(currency);
        let of = if self.dice.once_in(10) { *self.dice.pick(&other) } else { rather };
        let line = |dice: &mut Dice| {
            let sku = *dice.pick(&["A", "B", "C", "D"]);
            let families: &[&str] = if dice.once_in(2) { &["food"] } else { &["toys", "sale"] };
            let price = money(dice.between(0, 900), of);
            let line = Line::new(sku, 1 + dice.below(2) as u32, price).families(families);
            if dice.once_in(12) { line.sells_stored_value() } else { line }
        };
        (0..1 + self.dice.below(3)).map(|_| line(&mut self.dice)).collect()
    }

    pub(super) fn redeem(&mut self, model: &Model) -> Option<Redeem> {
        let pass = self.some_pass(model, State::Active)?;
        let of = &model.passes[pass];
        let own = model.plan_of(pass).currency();
        let code = match self.dice.below(40) {
            0 => Code::Unknown,
            1 => Code::Malformed,
            2..=7 => Code::HashOf(of.at),
            _ => Code::Of(of.at),
        };
        let direct =
            Redeem { code, target: Target::Direct, amount: None, basket: None, partly: self.dice.once_in(3) };
        let target = |target| Redeem { target, ..direct.clone() };
        Some(match self.dice.below(6) {
            0 => target(Target::NewWallet),
            1 | 2 => {
                let holder = of.holder.filter(|_| !self.dice.once_in(4));
                let contact = holder.unwrap_or_else(|| self.some_name(model));
                target(Target::Wallet(contact))
            }
            3 => Redeem { basket: Some(self.basket(own)), ..direct },
            4 => {
                let most = if self.dice.once_in(2) { 1_500 } else { 6_000 };
                Redeem { amount: Some(money(self.dice.between(0, most), own)), ..direct }
            }
            _ => {
                let basket = self.basket(own);
                let amount = self.dice.between(1, total_of(&basket) + 1);
                let amount = Some(money(amount, basket[0].unit_price.currency()));
                Redeem { amount, basket: Some(basket), ..direct }
            }
        })
    }

    pub(super) fn spend(&mut self, model: &Model) -> Option<Spend> {
        let contact = if self.contact.is_some() { self.some_name(model) } else { self.some_payer(model) };
        let wallet = model.contacts.get(&contact);
        let held: Vec<Currency> = wallet.map(|wallet| wallet.currencies.clone()).unwrap_or_default();
        let own = self.dice.maybe(&held).copied().unwrap_or(currency("EUR"));
        let basket = self.basket(own);
        let total = total_of(&basket);
        let of = basket[0].unit_price.currency();
        let most = if self.theme == Theme::Wallet { total.min(400) } else { total };
        let amount = (self.theme == Theme::Wallet || self.dice.once_in(4))
            .then(|| money(self.dice.between(0, most + 1), of));
        Some(Spend { contact, basket, amount, partly: self.dice.once_in(2) })
    }

    pub(super) fn reverse(&mut self, model: &Model) -> Option<Command> {
        let mut taken: Vec<Label> = model.taken.keys().copied().collect();
        // Rather what was taken from the pass that all are about.
        let of = |label: &Label| {
            let movements = &model.taken[label].movements;
            self.pass.is_some_and(|pass| movements.iter().any(|m| m.from == From::Pass(pass)))
        };
        if self.theme == Theme::Passes && taken.iter().any(of) {
            taken.retain(of);
        }
        if taken.is_empty() || self.dice.once_in(16) {
            return Some(self.stop());
        }
        let back = if self.dice.once_in(5) { taken.len() } else { taken.len().min(12) };
        let label = taken[taken.len() - 1 - self.dice.below(back as u64) as usize];
        let label = if self.dice.once_in(30) {
            *self.dice.pick(&model.landed.keys().copied().collect::<Vec<_>>())
        } else {
            label
        };
        let key = model.keys.iter().find(|(_, bound)| **bound == Bound::To(label)).map(|(key, _)| *key);
        let of = match key {
            Some(key) if self.dice.once_in(2) => Of::Key(key),
            _ => Of::Step(label),
        };
        let mut part = Part::All;
        if let Some(of) = model.taken.get(&label) {
            let open: i64 = of.movements.iter().map(|m| m.amount - m.reversed).sum();
            let own = self.taken_currency(model, label);
            let lines: Vec<u32> = of.movements.iter().filter_map(|m| m.line).collect();
            match self.dice.below(4) {
                0 => part = Part::Amount(money(self.dice.between(0, open + 1), own)),
                1 if !lines.is_empty() => {
                    let count = 1 + self.dice.below(2);
                    let line = |dice: &mut Dice| (*dice.pick(&lines), money(dice.between(1, 500), own));
                    part = Part::Lines((0..count).map(|_| line(&mut self.dice)).collect());
                }
                _ => {}
            }
        }
        let to = self.dice.once_in(3).then(|| self.some_name(model));
        Some(Command::Reverse(Reverse { of, part, allow_loss: self.dice.once_in(3), to }))
    }

    fn taken_currency(&self, model: &Model, label: Label) -> Currency {
        let pass = match model.taken[&label].movements[0].from {
            From::Pass(pass) => pass,
            From::Credit(credit) => model.credits[credit].pass,
        };
        model.plan_of(pass).currency()
    }

    /// A reversal under a key that has not come; later the request comes.
    fn stop(&mut self) -> Command {
        let of = if self.dice.once_in(3)
            && let Some(key) = self.dice.maybe(&self.stopped).copied()
        {
            key
        } else {
            self.keys += 1;
            self.stopped.push(self.keys);
            let amount = Some(money(5, currency("EUR")));
            let (target, basket) = (Target::Direct, None);
            let late = Redeem { code: Code::Unknown, target, amount, basket, partly: false };
            self.asked.push((self.keys, Command::Redeem(late)));
            self.keys
        };
        Command::Reverse(Reverse { of: Of::Key(of), part: Part::All, allow_loss: false, to: None })
    }
}

//! Redeeming and spending.

use super::*;

impl Model {
    /// What the next use gives.
    pub(super) fn next_use(&self, pass: usize) -> i64 {
        let of = &self.passes[pass];
        match self.plans[of.plan].usage {
            Usage::Single => of.left(),
            Usage::Full(_) => of.value.map_or(0, |value| of.left().min(value - of.used % value)),
            Usage::Shared(_) if of.uses > of.uses_used => up(of.left(), of.uses - of.uses_used),
            Usage::Shared(_) => of.left(),
        }
    }

    pub(super) fn redeem(&mut self) {
        let pass = self.some_pass(State::Active);
        let code = self.passes[pass].code.clone();
        let place = self.some_place();
        let currency = self.currency_of(pass);
        let mut request = match self.dice.below(6) {
            0 => Redeem::into_new_wallet(code.as_str()),
            1 | 2 => {
                let holder = self.passes[pass].holder.filter(|_| !self.dice.once_in(4));
                let contact = holder.unwrap_or_else(|| self.some_contact());
                Redeem::into_wallet(code.as_str(), contact)
            }
            3 => Redeem::pay(code.as_str(), self.some_basket(currency)),
            4 => {
                let amount = self.dice.between(0, 1_500);
                Redeem::direct(code.as_str(), minor(amount, currency))
            }
            _ => {
                let basket = self.some_basket(currency);
                let amount = self.dice.between(1, basket.total().minor() + 1);
                Redeem::direct(code.as_str(), minor(amount, currency)).basket(basket)
            }
        };
        request.partly = self.dice.once_in(3);
        let direct = request.target == Target::Direct;
        let (by, key) = self.somebody(place);

        let plan = &self.plans[self.passes[pass].plan];
        let of = &self.passes[pass];
        let mut foreseen = Vec::new();
        // Whether an amount can be told.
        let mixed = request.basket.as_ref().is_some_and(|basket| basket.currency() != currency);
        let total = request.basket.as_ref().map(|basket| basket.total().minor());
        let unsound = if mixed {
            Some("MIXED_CURRENCIES")
        } else if request
            .amount
            .is_some_and(|a| a.minor() <= 0 || total.is_some_and(|total| a.minor() > total))
        {
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
        if of.redeem_by.is_some_and(|end| self.now >= end) {
            foreseen.push("PASS_EXPIRED");
        }
        if of.value.is_some() && of.uses_used >= of.uses && of.left() == 0 {
            foreseen.push("USES_SPENT");
        }
        if of.value.is_none() {
            foreseen.push("VALUE_NOT_SET");
        }
        let contact = if let Target::Contact(contact) = request.target { Some(contact) } else { None };
        if plan.needs_contact && contact.is_none() {
            foreseen.push("CONTACT_REQUIRED");
        }
        if let Some(contact) = contact {
            if plan.personal && of.holder != Some(contact) {
                foreseen.push("NOT_THIS_CONTACT");
            }
            let held = &self.contacts[&contact];
            if !held.is_empty() && !held.contains(&currency) {
                foreseen.push("WALLET_CURRENCY");
            }
        }
        let mut taken: Vec<(Option<u32>, i64)> = Vec::new();
        let mut short = 0;
        if direct {
            if plan.wrong_place(place) {
                foreseen.push("WRONG_PLACE");
            }
            if !mixed && total.is_some_and(|total| plan.below_minimum(total)) {
                foreseen.push("BELOW_MINIMUM");
            }
            if of.value.is_some() && unsound.is_none() {
                let lines: Vec<(Option<u32>, i64)> = match &request.basket {
                    Some(basket) => (0..)
                        .zip(basket.lines())
                        .filter(|(_, line)| plan.takes(line) && line.total().unwrap().minor() > 0)
                        .map(|(n, line)| (Some(n), line.total().unwrap().minor()))
                        .collect(),
                    None if plan.speaks_of_products() => Vec::new(),
                    None => vec![(None, request.amount.unwrap().minor())],
                };
                let wanted = request.amount.map_or_else(|| total.unwrap(), Money::minor);
                let payable: i64 = lines.iter().map(|(_, total)| total).sum();
                let most = if let Usage::Full(_) = plan.usage { self.next_use(pass) } else { of.left() };
                let amount = wanted.min(payable).min(most);
                short = wanted - amount;
                if payable == 0 {
                    foreseen.push("NO_ELIGIBLE_PRODUCTS");
                } else if amount <= 0 || (short > 0 && !request.partly) {
                    foreseen.push("BALANCE_TOO_SMALL");
                } else {
                    let mut rest = amount;
                    for (line, total) in lines {
                        let part = total.min(rest);
                        rest -= part;
                        if part > 0 {
                            taken.push((line, part));
                        }
                    }
                }
            }
        } else {
            taken.push((None, self.next_use(pass)));
        }

        let check = self.world.passes.check(&by, &request).wait().unwrap();
        let answer = self.world.passes.redeem(&by, request.clone()).wait();
        assert_eq!(check.reasons, answer.as_ref().err().map_or(&[][..], Error::reasons), "check and redeem");
        if !self.expect(if direct { "spend a pass" } else { "redeem" }, &answer, foreseen) {
            return;
        }
        let receipt = answer.unwrap();
        let amount: i64 = taken.iter().map(|(_, part)| part).sum();
        let of = &self.passes[pass];
        let plan = &self.plans[of.plan];
        let uses = match plan.usage {
            Usage::Shared(_) if direct => of.uses - of.uses_used,
            Usage::Shared(_) => (of.uses - of.uses_used).min(1),
            _ => up(of.used + amount, of.value.unwrap()) - up(of.used, of.value.unwrap()),
        };
        assert_eq!((receipt.amount.minor(), receipt.short.minor(), receipt.uses), (amount, short, uses));
        // By its marks: the granted part goes first.
        let spend_by = plan.spend_days.map(|days| (self.now / DAY + days + 1) * DAY);
        let mut granted = of.granted - of.granted_used;
        let mut parts: Vec<(Option<u32>, Mark, i64)> = Vec::new();
        for (line, part) in taken {
            let given = part.min(granted);
            granted -= given;
            parts.extend(
                [(line, Mark::Granted, given), (line, Mark::Paid, part - given)].iter().filter(|p| p.2 > 0),
            );
        }
        let of = &mut self.passes[pass];
        of.granted_used = of.granted - granted;
        (of.used, of.uses_used) = (of.used + amount, of.uses_used + uses);
        assert_eq!((receipt.left.minor(), receipt.uses_left), (of.left(), of.uses - of.uses_used));
        let told = |parts: &[(Option<u32>, Mark, i64)]| -> Vec<(Mark, i64)> {
            parts.iter().map(|p| (p.1, p.2)).collect()
        };
        let mut movements = Vec::new();
        if direct {
            let paid: Vec<_> = receipt.paid.iter().map(|p| (p.line, p.mark, p.amount.minor())).collect();
            assert_eq!(paid, parts);
            for (line, mark, amount) in parts {
                self.book(Account::Outstanding, Account::Settled, mark, amount, currency);
                movements.push(Movement {
                    from: From::Pass(pass),
                    to: None,
                    mark,
                    line,
                    amount,
                    reversed: 0,
                });
            }
        } else {
            let owner = receipt.contact.unwrap();
            let held = self.contacts.entry(owner).or_default();
            if !held.contains(&currency) {
                held.push(currency);
            }
            assert_eq!(
                receipt.credits.iter().map(|c| (c.mark, c.amount.minor())).collect::<Vec<_>>(),
                told(&parts)
            );
            for (credited, (_, mark, amount)) in receipt.credits.iter().zip(parts) {
                assert_eq!(credited.spend_by.map(Instant::micros), spend_by);
                self.credits.push(Credit {
                    contact: owner,
                    id: credited.credit,
                    pass,
                    mark,
                    spend_by,
                    created: self.now,
                    amount,
                    used: 0,
                });
                self.book(Account::Outstanding, Account::Credit, mark, amount, currency);
                let to = Some(self.credits.len() - 1);
                movements.push(Movement {
                    from: From::Pass(pass),
                    to,
                    mark,
                    line: None,
                    amount,
                    reversed: 0,
                });
            }
        }
        self.operations.push(Operation { position: receipt.operation, key: key.clone(), movements, uses });
        if let Some(key) = key {
            self.asked.push((key, Asked::Redeem(request, receipt)));
        }
    }

    pub(super) fn spend(&mut self) {
        let contact = self.some_contact();
        let wallet = self.contacts[&contact].first().copied();
        let basket = self.some_basket(wallet.unwrap_or(currency("EUR")));
        let place = self.some_place();
        let (by, key) = self.somebody(place);
        let total = basket.total().minor();
        let mut request = Spend::all(contact, basket.clone());
        if self.dice.once_in(4) {
            request = request.amount(minor(self.dice.between(0, total + 1), basket.currency()));
        }
        request.partly = self.dice.once_in(2);
        let wanted = request.amount.map_or(total, Money::minor);

        // The credits that can pay, in their order, each with the lines that it may pay.
        let mut foreseen = Vec::new();
        let mut usable: Vec<(usize, Vec<usize>)> = Vec::new();
        let totals: Vec<i64> = basket.lines().iter().map(|line| line.total().unwrap().minor()).collect();
        for (n, credit) in self.credits.iter().enumerate() {
            let plan = &self.plans[self.passes[credit.pass].plan];
            let gone = credit.amount == credit.used || credit.spend_by.is_some_and(|end| self.now >= end);
            if credit.contact != contact || gone || plan.currency != basket.currency() {
                continue;
            }
            let lines: Vec<usize> =
                (0..totals.len()).filter(|n| totals[*n] > 0 && plan.takes(&basket.lines()[*n])).collect();
            if plan.wrong_place(place) {
                foreseen.push("WRONG_PLACE");
            } else if plan.below_minimum(total) {
                foreseen.push("BELOW_MINIMUM");
            } else if lines.is_empty() {
                foreseen.push("NO_ELIGIBLE_PRODUCTS");
            } else {
                usable.push((n, lines));
            }
        }
        usable.sort_by_key(|(n, lines)| {
            let c = &self.credits[*n];
            (c.spend_by.unwrap_or(i64::MAX), c.mark == Mark::Paid, lines.len(), c.created, c.id)
        });
        // The most that the first credits can pay together, by the tightest cut; each pays what it adds to it.
        let most = |first: usize| -> i64 {
            let cut = |kept: u32| -> i64 {
                let lines: i64 = (0..totals.len()).filter(|n| kept & 1 << n != 0).map(|n| totals[n]).sum();
                let beyond =
                    usable[..first].iter().filter(|(_, lines)| lines.iter().any(|n| kept & 1 << n == 0));
                lines + beyond.map(|(n, _)| self.credits[*n].amount - self.credits[*n].used).sum::<i64>()
            };
            (0..1_u32 << totals.len()).map(cut).min().unwrap().min(wanted)
        };
        let uses: Vec<i64> = (0..usable.len()).map(|n| most(n + 1) - most(n)).collect();
        let paid = most(usable.len());
        let foreseen = if wanted <= 0 || wanted > total {
            vec!["BAD_AMOUNT"]
        } else if paid == 0 || (paid < wanted && !request.partly) {
            foreseen.push("BALANCE_TOO_SMALL");
            foreseen
        } else {
            vec![]
        };
        let check = self.world.passes.check_spend(&by, &request).wait().unwrap();
        let answer = self.world.passes.spend(&by, request.clone()).wait();
        assert_eq!(check.reasons, answer.as_ref().err().map_or(&[][..], Error::reasons), "check and spend");
        if !self.expect("spend", &answer, foreseen) {
            return;
        }
        let receipt = answer.unwrap();
        assert_eq!(Some(&receipt.done), check.would.as_ref());
        assert_eq!((receipt.amount.minor(), receipt.short.minor()), (paid, wanted - paid));
        let mut by_line = vec![0; totals.len()];
        let mut movements = Vec::new();
        let mut of_credit = vec![0; usable.len()];
        for part in &receipt.paid {
            let place = usable.iter().position(|(n, _)| self.credits[*n].id == part.credit).unwrap();
            assert!(usable[place].1.contains(&(part.line as usize)), "a line that this credit can't pay");
            of_credit[place] += part.amount.minor();
            by_line[part.line as usize] += part.amount.minor();
            let (mark, amount) = (part.mark, part.amount.minor());
            let from = From::Credit(usable[place].0);
            movements.push(Movement { from, to: None, mark, line: Some(part.line), amount, reversed: 0 });
            self.book(Account::Credit, Account::Settled, mark, amount, basket.currency());
        }
        assert_eq!(of_credit, uses, "which credit pays how much");
        assert!(by_line.iter().zip(&totals).all(|(paid, total)| paid <= total));
        for ((credit, _), used) in usable.iter().zip(uses) {
            self.credits[*credit].used += used;
        }
        self.operations.push(Operation { position: receipt.operation, key: key.clone(), movements, uses: 0 });
        if let Some(key) = key {
            self.asked.push((key, Asked::Spend(request, receipt)));
        }
    }
}

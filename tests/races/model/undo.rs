//! Reversals, requests that come late, and requests that come again.

use super::*;

impl Model {
    pub(super) fn reverse(&mut self) {
        if self.operations.is_empty() || self.dice.once_in(20) {
            return self.stop();
        }
        let recent = self.operations.len().min(30) as u64;
        let back = if self.dice.once_in(5) { self.operations.len() as u64 } else { recent };
        let back = self.dice.below(back) as usize;
        let operation = self.operations.len() - 1 - back;
        let of = &self.operations[operation];
        let mut request = match &of.key {
            Some(key) if self.dice.once_in(2) => Reverse::key(key),
            _ => Reverse::operation(of.position),
        };
        let currency = self.currency_of(self.pass_of(of.movements[0].from));
        let open: i64 = of.movements.iter().map(|m| m.amount - m.reversed).sum();
        // How much of each movement returns, the last first.
        let mut parts: Vec<(usize, i64)> = Vec::new();
        let mut foreseen = Vec::new();
        let mut take = |wanted: i64, line: Option<u32>| {
            let mut rest = wanted;
            for (n, m) in
                of.movements.iter().enumerate().rev().filter(|(_, m)| line.is_none() || m.line == line)
            {
                let part = rest.min(m.amount - m.reversed);
                rest -= part;
                if part > 0 {
                    parts.push((n, part));
                }
            }
            if rest > 0 {
                foreseen.push("REVERSAL_TOO_LARGE");
            }
        };
        let line = of.movements[self.dice.below(of.movements.len() as u64) as usize].line;
        match (self.dice.below(4), line) {
            (0, _) => {
                let wanted = self.dice.between(1, open + 1);
                request = request.amount(minor(wanted, currency));
                take(wanted, None);
            }
            (1, Some(line)) => {
                let wanted = self.dice.between(1, 400);
                request = request.lines(vec![(line, minor(wanted, currency))]);
                take(wanted, Some(line));
            }
            _ => take(open, None),
        }
        if open == 0 {
            foreseen = vec!["ALREADY_REVERSED"];
        }
        if self.dice.once_in(3) {
            request = request.allow_loss();
        }
        if self.dice.once_in(3) {
            request.to = Some(self.some_contact());
        }
        // Where it would go, and what stands in the way.
        let mut spent = 0;
        let mut taken: BTreeMap<usize, i64> = BTreeMap::new();
        if foreseen.is_empty() {
            let of = &self.operations[operation];
            for (n, part) in &parts {
                let m = &of.movements[*n];
                if let Some(credit) = m.to {
                    let credit_left = self.credits[credit].amount
                        - self.credits[credit].used
                        - taken.get(&credit).unwrap_or(&0);
                    let there = (*part).min(credit_left);
                    *taken.entry(credit).or_default() += there;
                    spent += part - there;
                }
            }
            let end = self.end_of(self.pass_of(of.movements[0].from));
            let to_pass = matches!(of.movements[0].from, From::Pass(_));
            if to_pass && self.passes[end].standing == Standing::Draft {
                foreseen.push("WRONG_STATE");
            } else if let (true, Standing::Cancelled, Some(to)) =
                (to_pass, self.passes[end].standing, request.to)
            {
                let held = &self.contacts[&to];
                if !held.is_empty() && !held.contains(&currency) {
                    foreseen.push("WALLET_CURRENCY");
                }
            }
            if foreseen.is_empty() && spent > 0 && !request.allow_loss {
                foreseen.push("ALREADY_SPENT");
            }
        }
        let (by, key) = self.somebody("North");
        let answer = self.world.passes.reverse(&by, request.clone()).wait();
        if !self.expect("reverse", &answer, foreseen) {
            return;
        }
        let receipt = answer.unwrap();
        let amount: i64 = parts.iter().map(|(_, part)| part).sum();
        assert_eq!(receipt.amount, Some(minor(amount, currency)));
        assert_eq!(receipt.loss.map_or(0, Money::minor), spent);
        assert_eq!(receipt.of, Some(self.operations[operation].position));
        let mut returned = receipt.returned.iter();
        let mut back: i64 = 0;
        let mut last_pass = None;
        for (n, part) in parts {
            let m = &mut self.operations[operation].movements[n];
            m.reversed += part;
            let (from, to, mark, line) = (m.from, m.to, m.mark, m.line);
            match from {
                From::Credit(credit) => {
                    let told = returned.next().unwrap();
                    assert_eq!((told.amount.minor(), told.mark, told.line), (part, mark, line));
                    let of = &self.credits[credit];
                    let expired = of.spend_by.is_some_and(|end| self.now >= end);
                    if !expired {
                        assert_eq!(told.home, Home::Credit(of.contact, of.id));
                        self.credits[credit].used -= part;
                        self.book(Account::Settled, Account::Credit, mark, part, currency);
                    } else if self.grace > 0 {
                        let until = (self.now / DAY + self.grace + 1) * DAY;
                        let Home::NewCredit(contact, id, spend_by) = told.home else {
                            panic!("{:?}", told.home)
                        };
                        assert_eq!((contact, spend_by.map(Instant::micros)), (of.contact, Some(until)));
                        let pass = of.pass;
                        self.new_credit(contact, id, pass, mark, part, Some(until));
                        self.book(Account::Settled, Account::Credit, mark, part, currency);
                    } else {
                        assert_eq!(told.home, Home::Breakage);
                        self.book(Account::Settled, Account::Breakage, mark, part, currency);
                    }
                }
                From::Pass(pass) => {
                    let sources = match to {
                        None => [(Account::Settled, part), (Account::Loss, 0)],
                        Some(credit) => {
                            let of = &mut self.credits[credit];
                            let there = part.min(of.amount - of.used);
                            of.used += there;
                            [(Account::Credit, there), (Account::Loss, part - there)]
                        }
                    };
                    let end = self.end_of(pass);
                    let cancelled = self.passes[end].standing == Standing::Cancelled;
                    let mut new = None;
                    for (account, amount) in sources.into_iter().filter(|(_, amount)| *amount > 0) {
                        let told = returned.next().unwrap();
                        assert_eq!((told.amount.minor(), told.mark, told.line), (amount, mark, line));
                        if cancelled {
                            let Home::NewCredit(contact, id, spend_by) = told.home else {
                                panic!("{:?}", told.home)
                            };
                            if let Some(to) = request.to {
                                assert_eq!(contact, to);
                            }
                            let days = self.plans[self.passes[end].plan].spend_days;
                            let until = days.map(|days| (self.now / DAY + days + 1) * DAY);
                            assert_eq!(spend_by.map(Instant::micros), until);
                            assert!(
                                new.is_none_or(|before| before == (contact, id)),
                                "one credit for the part"
                            );
                            new = Some((contact, id));
                            self.book(account, Account::Credit, mark, amount, currency);
                        } else {
                            assert_eq!(told.home, Home::Pass(self.passes[end].id));
                            self.book(account, Account::Outstanding, mark, amount, currency);
                        }
                    }
                    if let Some((contact, id)) = new {
                        let days = self.plans[self.passes[end].plan].spend_days;
                        let until = days.map(|days| (self.now / DAY + days + 1) * DAY);
                        self.new_credit(contact, id, end, mark, part, until);
                        let held = self.contacts.entry(contact).or_default();
                        if !held.contains(&currency) {
                            held.push(currency);
                        }
                    } else {
                        if mark == Mark::Granted {
                            self.passes[end].granted_used -= part;
                        }
                        back += part;
                        last_pass = Some(end);
                    }
                }
            }
        }
        assert!(returned.next().is_none());
        let mut uses = 0;
        if let Some(pass) = last_pass {
            let complete = self.operations[operation].movements.iter().all(|m| m.amount == m.reversed);
            let of = &self.passes[pass];
            uses = match self.plans[of.plan].usage {
                Usage::Shared(_) if complete => self.operations[operation].uses.min(of.uses_used),
                Usage::Shared(_) => 0,
                _ => up(of.used, of.value.unwrap()) - up(of.used - back, of.value.unwrap()),
            };
            let of = &mut self.passes[pass];
            (of.used, of.uses_used) = (of.used - back, of.uses_used - uses);
        }
        assert_eq!(receipt.uses, uses);
        if let Some(key) = key {
            self.asked.push((key, Asked::Reverse(request, receipt)));
        }
    }

    /// What returns as a new credit.
    pub(super) fn new_credit(
        &mut self,
        contact: ContactId,
        id: CreditId,
        pass: usize,
        mark: Mark,
        amount: i64,
        spend_by: Option<i64>,
    ) {
        // Parts that return alike share one credit.
        if let Some(made) = self.credits.iter_mut().find(|credit| credit.id == id) {
            let alike = (made.contact, made.pass, made.mark, made.spend_by, made.created);
            assert_eq!(alike, (contact, pass, mark, spend_by, self.now));
            made.amount += amount;
            return;
        }
        let created = self.now;
        self.credits.push(Credit { contact, id, pass, mark, spend_by, created, amount, used: 0 });
    }

    /// The pass that money comes from in the end.
    pub(super) fn pass_of(&self, from: From) -> usize {
        match from {
            From::Pass(pass) => pass,
            From::Credit(credit) => self.credits[credit].pass,
        }
    }

    /// The pass itself, or what took its place.
    pub(super) fn end_of(&self, mut pass: usize) -> usize {
        while let Some(next) = self.passes[pass].successor {
            pass = next;
        }
        pass
    }

    /// A reversal by a key that has not come; and the request that comes late.
    pub(super) fn stop(&mut self) {
        if self.dice.once_in(3)
            && let Some(key) = self.dice.maybe(&self.stopped).cloned()
        {
            let again = self.world.passes.reverse(&self.world.by, Reverse::key(&key)).wait();
            self.expect("stop", &again, vec!["ALREADY_REVERSED"]);
            let code = self.passes[self.passes.len() - 1].code.clone();
            let late = self
                .world
                .passes
                .redeem(&self.world.key(&key), Redeem::into_new_wallet(code.as_str()))
                .wait();
            self.expect("late", &late, vec!["REVERSED_BEFORE_IT_CAME"]);
            return;
        }
        self.keys += 1;
        let key = format!("key {}", self.keys);
        let answer = self.world.passes.reverse(&self.world.by, Reverse::key(&key)).wait();
        if self.expect("stop", &answer, vec![]) {
            assert_eq!(answer.unwrap().of, None);
            self.stopped.push(key);
        }
    }

    /// The same request again, or another one under its key; in whatever state everything is by now.
    pub(super) fn again(&mut self) {
        let count = self.asked.len() as u64;
        if count == 0 {
            return;
        }
        let which = self.dice.below(count) as usize;
        let other = self.dice.once_in(3);
        let (key, asked) = &self.asked[which];
        let by = self.world.by.clone().key(key).place("North");
        let passes = &self.world.passes;
        fn same<T: PartialEq + std::fmt::Debug>(answer: Result<Receipt<T>, Error>, first: &Receipt<T>) {
            let answer = answer.unwrap();
            assert!(answer.replayed);
            assert_eq!((answer.operation, &answer.done, answer.at), (first.operation, &first.done, first.at));
        }
        if other {
            let code: Presented = self.passes[0].code.as_str().into();
            let answer = passes.redeem(&by, Redeem::direct(code, minor(123_456, currency("EUR")))).wait();
            self.expect("another request", &answer, vec!["IDEMPOTENCY_MISMATCH"]);
            return;
        }
        match asked {
            Asked::Redeem(request, first) => same(passes.redeem(&by, request.clone()).wait(), first),
            Asked::Spend(request, first) => same(passes.spend(&by, request.clone()).wait(), first),
            Asked::Reverse(request, first) => same(passes.reverse(&by, request.clone()).wait(), first),
        }
        self.note("again", "ok");
    }
}

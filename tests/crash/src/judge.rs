//! Compares what the tills told with what is in the file. It answers what doesn't agree, one line each.

use crate::deed::{Ack, Answer, Deed};
use crate::found::{Found, Op};
use crate::history::{Asked, History};
use crate::shop::read;
use passes_core::event::Event;
use passes_core::id::{ContactId, LotId, PassId};
use passes_core::operation::Kind;
use passes_core::pass::Standing;
use passes_core::service::{Changed, Issued, LotStarted, Redeemed, Reversed, Spent};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is wrong.
    pub wrong: Vec<String>,
    /// The requests without a key whose answer nobody has: how many were done, and how many were not.
    pub lost: (u64, u64),
}

/// Judges everything.
#[must_use]
pub fn judge(history: &History, found: &Found) -> Verdict {
    let mut judge =
        Judge { history, found, wrong: found.wrong.clone(), owners: HashMap::new(), lost: (0, 0) };
    judge.log();
    judge.answers();
    judge.keys();
    judge.every_operation_was_asked_for();
    judge.money();
    judge.lots();
    judge.runs();
    judge.codes();
    Verdict { wrong: judge.wrong, lost: judge.lost }
}

struct Judge<'a> {
    history: &'a History,
    found: &'a Found,
    wrong: Vec<String>,
    /// Whose each operation is: a key's, or a request's without one.
    owners: HashMap<u64, String>,
    lost: (u64, u64),
}

impl Judge<'_> {
    fn tell(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    /// The operations are numbered without a gap, or where there may be gaps, in order.
    fn log(&mut self) {
        if self.found.gaps {
            let in_order = self.found.log.is_sorted_by(|a, b| a.number < b.number);
            self.tell(in_order, || "the operations are not in the order of their numbers".to_owned());
            return;
        }
        for (op, number) in self.found.log.iter().zip(1..) {
            self.tell(op.number == number, || {
                format!("operation {} stands where {number} should", op.number)
            });
        }
    }

    fn op(&self, number: u64) -> Option<&Op> {
        let at = self.found.log.binary_search_by_key(&number, |op| op.number).ok()?;
        self.found.log.get(at)
    }

    /// What was answered is there, as it was answered; nothing failed, and nothing was refused without a reason.
    fn answers(&mut self) {
        let history = self.history;
        for asked in &history.asked {
            match &asked.answer {
                None | Some((_, Answer::Stepped(_))) => {}
                Some((_, Answer::Failed(why))) => self.wrong.push(format!("{why}: {asked:?}")),
                Some((_, Answer::Refused(code))) => {
                    self.tell(asked.deed.may_be_refused(code), || format!("refused: {asked:?}"));
                }
                Some((_, Answer::Done(ack))) => {
                    if let Err(why) = self.is_there(asked, ack) {
                        self.wrong.push(format!("{why}: {asked:?}"));
                    }
                }
            }
        }
    }

    fn is_there(&mut self, asked: &Asked, ack: &Ack) -> Result<(), String> {
        let owner = asked.key.clone().unwrap_or_else(|| format!("line {} of {}", asked.line, asked.life));
        let op = self.op(ack.operation).ok_or("an answer is lost")?;
        if !asked.deed.leaves().contains(&op.kind) || op.at != ack.at {
            return Err(format!("another operation is in its place, {op:?}"));
        }
        if asked.key.is_none() && ack.replayed {
            return Err("replayed without a key".to_owned());
        }
        agrees(&asked.deed, ack, op)?;
        let before = self.owners.insert(ack.operation, owner.clone());
        if let Some(before) = before.filter(|before| *before != owner) {
            return Err(format!("its operation is that of {before}, too"));
        }
        Ok(())
    }

    /// A key has one receipt, is done once, and is never refused after that; a key that was stopped has none.
    fn keys(&mut self) {
        let history = self.history;
        let by_key = history.by_key();
        for (key, asked) in &by_key {
            let same = asked.windows(2).all(|two| two[0].deed == two[1].deed);
            self.tell(same, || format!("{key} was used for two requests: the test is at fault"));
            let acks: Vec<(&Asked, &Ack)> = asked.iter().filter_map(|a| Some((*a, a.ack()?))).collect();
            let Some((first, receipt)) = acks.first() else { continue };
            let one = acks.iter().all(|(_, ack)| ack.is_same(receipt));
            self.tell(one, || format!("{key} has two receipts: {acks:?}"));
            let fresh = acks.iter().filter(|(_, ack)| !ack.replayed).count();
            self.tell(fresh <= 1, || format!("{key} was done {fresh} times: {first:?}"));
            for refused in asked {
                if let Some((_, Answer::Refused(code))) = &refused.answer {
                    let after = acks.iter().any(|(ack, _)| {
                        let told = ack.answer.as_ref().map_or(0, |(line, _)| *line);
                        history.precedes((ack.life, told), (refused.life, refused.line))
                    });
                    self.tell(!after, || format!("{key} was done, and then refused with {code}"));
                }
            }
        }
        for asked in &history.asked {
            let (Deed::ReverseKey(stopped), Some(ack)) = (&asked.deed, asked.ack()) else { continue };
            let reversed: Reversed = read(ack.done.clone());
            let acks = by_key.get(stopped.as_str()).into_iter().flatten().filter_map(|asked| asked.ack());
            match reversed.of {
                None => {
                    let done = acks.count();
                    self.tell(done == 0, || format!("{stopped} was stopped, and done: {asked:?}"));
                }
                Some(of) => acks.for_each(|ack| {
                    self.tell(ack.operation == of.0, || {
                        format!("{stopped} isn't what was reversed: {asked:?}")
                    });
                }),
            }
        }
    }

    /// Each operation was answered to somebody, or is one whose answer nobody has, once for each such request.
    fn every_operation_was_asked_for(&mut self) {
        let (history, found) = (self.history, self.found);
        let mut open: Vec<&Asked> =
            history.asked.iter().filter(|asked| asked.answer.is_none() && asked.key.is_none()).collect();
        open.retain(|asked| asked.deed.is_reversible());
        for op in &found.log {
            // The business and the steps are counted, these with their runs.
            if self.owners.contains_key(&op.number) || is_step(op) || op.kind == Kind::Configure {
                continue;
            }
            let mine = open.iter().position(|asked| {
                let life = &history.lives[asked.life];
                let then = life.after < op.number && life.until.is_none_or(|until| op.number <= until);
                then && asked.deed.leaves().contains(&op.kind) && may_be(&asked.deed, op)
            });
            match mine {
                Some(at) => {
                    open.swap_remove(at);
                    self.lost.0 += 1;
                }
                None => self.wrong.push(format!("nobody asked for {op:?}")),
            }
        }
        self.lost.1 = open.len() as u64;
        let made = found.log.iter().filter(|op| op.kind == Kind::Configure).count();
        self.tell(made == 1, || format!("the business was made {made} times"));
    }

    /// What passes and wallets hold is what the events told, and no pass is used beyond its uses.
    fn money(&mut self) {
        let found = self.found;
        // By operation: the amount that can still be reversed, and whose it is.
        let mut taken: HashMap<u64, (i64, Whose)> = HashMap::new();
        let mut of_pass: BTreeMap<PassId, i64> = BTreeMap::new();
        let mut of_wallet: BTreeMap<ContactId, (i64, i64)> = BTreeMap::new();
        for op in &found.log {
            for event in &op.events {
                match event {
                    Event::PassRedeemed { pass, contact, amount, .. } => {
                        *of_pass.entry(*pass).or_default() += amount.minor();
                        of_wallet.entry(*contact).or_default().0 += amount.minor();
                        taken.insert(op.number, (amount.minor(), Whose::Both(*pass, *contact)));
                    }
                    Event::PassSpent { pass, amount, .. } => {
                        *of_pass.entry(*pass).or_default() += amount.minor();
                        taken.insert(op.number, (amount.minor(), Whose::Pass(*pass)));
                    }
                    Event::WalletSpent { contact, amount } => {
                        of_wallet.entry(*contact).or_default().1 += amount.minor();
                        taken.insert(op.number, (amount.minor(), Whose::Wallet(*contact)));
                    }
                    Event::Reversed { of, amount } => {
                        let Some((left, whose)) = taken.get_mut(&of.0) else {
                            self.wrong.push(format!("nothing was there to be reversed: {op:?}"));
                            continue;
                        };
                        let amount = amount.minor();
                        *left -= amount;
                        let (beyond, whose) = (*left < 0, *whose);
                        self.tell(!beyond, || format!("more was reversed than was done: {op:?}"));
                        if let Whose::Pass(pass) | Whose::Both(pass, _) = whose {
                            *of_pass.entry(pass).or_default() -= amount;
                        }
                        match whose {
                            Whose::Both(_, contact) => of_wallet.entry(contact).or_default().1 += amount,
                            Whose::Wallet(contact) => of_wallet.entry(contact).or_default().1 -= amount,
                            Whose::Pass(_) => {}
                        }
                    }
                    _ => {}
                }
            }
        }
        for (id, pass) in &found.passes {
            let told = of_pass.remove(id).unwrap_or_default();
            let used = pass.balance.used;
            self.tell(used == told, || format!("{told} was told to be gone from a pass: {pass:?}"));
            let sound = pass.uses.holds() && pass.balance.holds() && pass.balance.limit == 2_000;
            self.tell(sound, || format!("a pass beyond its bounds: {pass:?}"));
        }
        self.tell(of_pass.is_empty(), || format!("passes that aren't there were used: {of_pass:?}"));
        let mut wallets: BTreeMap<ContactId, (i64, i64)> = BTreeMap::new();
        for credit in found.credits.values() {
            let wallet = wallets.entry(credit.contact).or_default();
            *wallet = (wallet.0 + credit.amount.limit, wallet.1 + credit.amount.used);
            self.tell(credit.amount.holds(), || format!("a credit beyond its bounds: {credit:?}"));
        }
        self.tell(wallets == of_wallet, || {
            format!("wallets were told as {of_wallet:?}, and are {wallets:?}")
        });
    }

    /// The passes of each lot were made once each, one after the other; each pass became active once.
    fn lots(&mut self) {
        let found = self.found;
        let mut grown: BTreeMap<LotId, u32> = BTreeMap::new();
        let (mut ready, mut issued, mut activated) = (HashMap::<LotId, u32>::new(), HashSet::new(), 0_u64);
        for event in found.log.iter().flat_map(|op| &op.events) {
            match event {
                Event::LotStarted { lot, count, .. } => {
                    grown.insert(*lot, 0);
                    let same = found.lots.get(lot).is_some_and(|lot| lot.count == *count);
                    self.tell(same, || format!("a lot of {count} was begun: {:?}", found.lots.get(lot)));
                }
                Event::LotGrew { passes } => {
                    let made = grown.entry(passes.first.lot()).or_default();
                    let (before, first, last) = (*made, passes.first.serial(), passes.last.serial());
                    *made = last;
                    let next = first == before + 1 && last + 1 == first + passes.count;
                    self.tell(next, || format!("after {before}, {passes:?} were made"));
                }
                Event::LotReady { lot, .. } => *ready.entry(*lot).or_default() += 1,
                Event::DeliveryWanted { pass, .. } => {
                    self.tell(issued.insert(*pass), || format!("{pass} was issued twice"));
                }
                Event::PassesActivated { passes } => activated += u64::from(passes.count),
                _ => {}
            }
        }
        let mut there: BTreeMap<LotId, u32> = BTreeMap::new();
        let (mut sent, mut active) = (0, 0);
        for (id, pass) in &found.passes {
            active += u64::from(pass.standing == Standing::Active);
            if issued.contains(id) {
                sent += 1;
            } else {
                let count = there.entry(id.lot()).or_default();
                *count += 1;
                let (serial, count) = (id.serial(), *count);
                self.tell(serial == count, || format!("{id} has number {serial}, and is the {count}th"));
            }
        }
        self.tell(sent == issued.len(), || format!("{} passes were issued, {sent} are there", issued.len()));
        self.tell(active == activated, || format!("{activated} passes were activated, {active} are active"));
        grown.retain(|_, made| *made > 0);
        self.tell(grown == there, || format!("passes were made: {grown:?}; and are there: {there:?}"));
        for (id, lot) in &found.lots {
            let (stood, made) = (found.runs.get(&lot.run), there.get(id).copied().unwrap_or_default());
            let agree = stood.is_some_and(|stood| {
                (stood.done, stood.total, stood.skipped) == (made, lot.count, 0)
                    && stood.over == (made == lot.count)
                    && lot.complete == stood.over
                    && ready.get(id).copied().unwrap_or_default() == u32::from(stood.over)
            });
            self.tell(agree, || format!("{made} passes are there of {lot:?}, whose run is at {stood:?}"));
        }
    }

    /// No run is behind where somebody saw it, and bulk commands changed as many passes as they say.
    fn runs(&mut self) {
        let (history, found) = (self.history, self.found);
        for asked in &history.asked {
            let (Deed::Step { run, .. }, Some((_, Answer::Stepped(seen)))) = (&asked.deed, &asked.answer)
            else {
                continue;
            };
            let stood = found.runs.get(run);
            let on = stood.is_some_and(|stood| {
                let same = stood == seen;
                let further = stood.done >= seen.done && stood.skipped >= seen.skipped && !seen.over;
                stood.total == seen.total && (same || further)
            });
            self.tell(on, || format!("run {run} was seen at {seen:?}, and is at {stood:?}"));
        }
        let making: HashSet<_> = found.lots.values().map(|lot| lot.run).collect();
        let mut changed = 0;
        for (run, stood) in found.runs.iter().filter(|(run, _)| !making.contains(run)) {
            changed += u64::from(stood.done);
            let (through, all) = (stood.done + stood.skipped, stood.total);
            let sound = through <= all && stood.over == (through == all);
            // The last step of a run may find nothing more to do.
            self.tell(sound || through == all, || format!("bulk run {run} is at {stood:?}"));
        }
        let steps = found.log.iter().filter(|op| is_step(op) && !self.owners.contains_key(&op.number));
        let told: u64 = steps.flat_map(|op| &op.events).map(activated).sum();
        self.tell(told == changed, || format!("bulk runs activated {told} passes, and count {changed}"));
    }

    /// No code is there twice, each leads to its own pass, and each is the one that tills were told.
    fn codes(&mut self) {
        let mut codes: HashMap<&str, PassId> = HashMap::new();
        let mut of_pass: HashMap<PassId, &str> = HashMap::new();
        for (pass, code, found) in &self.found.codes {
            let other = codes.insert(code, *pass);
            self.tell(other.is_none(), || format!("{code} is that of {pass} and of {other:?}"));
            self.tell(of_pass.insert(*pass, code).is_none(), || format!("{pass} was exported twice"));
            let right = found.is_none_or(|found| found == *pass);
            self.tell(right, || format!("the code of {pass} leads to {found:?}"));
            let there = self.found.passes.contains_key(pass);
            self.tell(there, || format!("{pass} has a code, and isn't there"));
        }
        for asked in &self.history.asked {
            let (Deed::Wallet { code, pass, .. } | Deed::Direct { code, pass, .. }) = &asked.deed else {
                continue;
            };
            if let Some(now) = of_pass.get(pass) {
                self.tell(now == code, || format!("the code of {pass} was {code}, and is {now}"));
            }
        }
    }
}

/// Whose money an operation moved.
#[derive(Clone, Copy)]
enum Whose {
    Pass(PassId),
    Both(PassId, ContactId),
    Wallet(ContactId),
}

/// Whether an operation may be a step of a run, which nobody asked for under a key.
fn is_step(op: &Op) -> bool {
    matches!(op.kind, Kind::Step | Kind::Activate | Kind::Sell)
}

fn activated(event: &Event) -> u64 {
    match event {
        Event::PassesActivated { passes } => passes.count.into(),
        _ => 0,
    }
}

/// Whether an operation may be the one that a request left whose answer nobody has.
fn may_be(deed: &Deed, op: &Op) -> bool {
    match (deed, op.events.as_slice()) {
        (Deed::Wallet { pass, to, .. }, [Event::PassRedeemed { pass: of, contact, .. }]) => {
            (of, contact) == (pass, to)
        }
        (Deed::Direct { pass, pence, .. }, [Event::PassSpent { pass: of, amount, .. }]) => {
            (*of, amount.minor()) == (*pass, *pence)
        }
        _ => false,
    }
}

/// Whether the events of an operation tell what its receipt told.
fn agrees(deed: &Deed, ack: &Ack, op: &Op) -> Result<(), String> {
    let done = ack.done.clone();
    let events = op.events.as_slice();
    let holds = match (deed, events) {
        (Deed::Register(_), [Event::ContactChanged { contact }]) => *contact == read(done),
        (Deed::Draw(_) | Deed::Open(_), [Event::PlanChanged { plan, .. }]) => *plan == read(done),
        (
            Deed::Issue { to, .. },
            [Event::PassesSold { passes, sale, .. }, Event::DeliveryWanted { pass, to: sent, .. }],
        ) => {
            let issued: Issued = read(done);
            (passes.first, passes.count, Some(*sale)) == (issued.pass, 1, issued.sale)
                && (*pass, *sent, *to) == (issued.pass, issued.to, issued.to)
        }
        (Deed::Deliver(pass), [Event::DeliveryRecorded { pass: of, failed, .. }, ..]) => {
            of == pass && !failed && read::<Changed>(done).changed == 1
        }
        (Deed::Reveal(pass), [Event::CodeRevealed { pass: of }]) => of == pass,
        (Deed::Generate { plan, count }, [Event::LotStarted { lot, plan: of, count: made }]) => {
            let started: LotStarted = read(done);
            (started.lot, started.count, *plan) == (*lot, *made, *of) && count == made
        }
        (Deed::Export(lot), [Event::LotExported { lot: of }]) => of == lot,
        (Deed::Activate(_) | Deed::Sell(_), events) => {
            let changed: Changed = read(done);
            let told: u64 = events.iter().map(activated).sum();
            let sale = events.iter().find_map(|event| match event {
                Event::PassesSold { sale, passes, .. } => Some((*sale, passes.count)),
                _ => None,
            });
            told == u64::from(changed.changed) && sale == changed.sale.map(|sale| (sale, changed.changed))
        }
        (Deed::ActivateAll { .. } | Deed::SellAll(_), [Event::RunStarted { run }]) => {
            read::<Changed>(done).run == Some(*run)
        }
        (
            Deed::Wallet { pass, to, .. },
            [Event::PassRedeemed { pass: of, contact, amount, credits, left }],
        ) => {
            let taken: Redeemed = read(done);
            let made: Vec<_> = taken.credits.iter().map(|credit| credit.credit).collect();
            (taken.pass, taken.contact, taken.amount, taken.left.minor())
                == (*of, Some(*contact), *amount, *left)
                && (of, contact, &made) == (pass, to, credits)
        }
        (Deed::Direct { pass, pence, .. }, [Event::PassSpent { pass: of, amount, left }]) => {
            let taken: Redeemed = read(done);
            (taken.pass, taken.amount, taken.left.minor()) == (*of, *amount, *left)
                && (of, amount.minor()) == (pass, *pence)
        }
        (Deed::Spend { contact, pence }, [Event::WalletSpent { contact: of, amount }]) => {
            let spent: Spent = read(done);
            (spent.contact, spent.amount) == (*of, *amount) && (of, amount.minor()) == (contact, *pence)
        }
        (Deed::Reverse { .. } | Deed::ReverseKey(_), [Event::Reversed { of, amount }]) => {
            let reversed: Reversed = read(done);
            let wanted = match deed {
                Deed::Reverse { of: position, pence } => {
                    *position == of.0 && pence.is_none_or(|pence| pence == amount.minor())
                }
                _ => true,
            };
            wanted && (reversed.of, reversed.amount) == (Some(*of), Some(*amount))
        }
        (Deed::ReverseKey(_), [Event::RequestStopped]) => read::<Reversed>(done).of.is_none(),
        _ => false,
    };
    if holds { Ok(()) } else { Err(format!("the receipt isn't what {op:?} tells")) }
}

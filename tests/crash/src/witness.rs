//! Who looks at a file after a crash, and knows all that was told before.

use crate::judge::{Verdict, judge};
use crate::shop::Goods;
use crate::stock::{Coded, Running, browse};
use crate::{Answer, Deed, Found, History, Shop, Stock};
use passes_core::id::PassId;
use passes_core::pass::{PassRow, Standing};
use passes_sqlite::Sqlite;
use std::collections::BTreeMap;
use std::path::Path;
use tests::Dice;

/// What was seen, so that nobody takes a test for good that saw nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests with a key whose answer was lost: those that had been done, and those that hadn't.
    pub lost: (u64, u64),
    /// The same of requests without a key.
    pub lost_without: (u64, u64),
    /// Keys that were stopped before their request came.
    pub stopped: u64,
    /// Receipts that were asked for again.
    pub replays: u64,
    /// Runs that went on to their end after a crash.
    pub runs: u64,
    /// Passes that were looked at in the end.
    pub passes: u64,
    /// Operations that were.
    pub operations: u64,
}

impl Seen {
    /// Adds what somebody else saw.
    pub fn add(&mut self, other: &Self) {
        let pair = |a: &mut (u64, u64), b: (u64, u64)| *a = (a.0 + b.0, a.1 + b.1);
        pair(&mut self.lost, other.lost);
        pair(&mut self.lost_without, other.lost_without);
        self.stopped += other.stopped;
        self.replays += other.replays;
        self.runs += other.runs;
        self.passes += other.passes;
        self.operations += other.operations;
    }
}

/// Who looks at a file after a crash.
#[derive(Clone)]
pub struct Witness {
    /// What was told.
    pub history: History,
    /// What is known to be in the file.
    pub found: Found,
    /// What the next tills have at hand.
    pub stock: Stock,
    /// What was seen.
    pub seen: Seen,
    /// How many times the file was judged.
    pub judged: usize,
    dice: Dice,
    /// How many passes the file may have, about.
    room: u32,
    /// How many requests had their receipts asked for again.
    replayed: usize,
}

impl Witness {
    /// Of a file that is to be made, and is to have so many passes, about.
    #[must_use]
    pub fn new(seed: u64, room: u32) -> Self {
        Self {
            history: History::default(),
            found: Found::default(),
            stock: Stock::default(),
            seen: Seen::default(),
            judged: 0,
            dice: Dice::new(seed),
            room,
            replayed: 0,
        }
    }

    /// Makes its choices anew from this seed.
    pub fn choose_by(&mut self, seed: u64) {
        self.dice = Dice::new(seed);
    }

    /// Opens a file after a crash, and judges it. Tells what is wrong with it.
    ///
    /// # Panics
    /// When the file is so wrong that it can't be opened or read.
    pub fn look(&mut self, file: &Path, last: bool) -> Vec<String> {
        let seed = self.dice.below(u64::MAX);
        let shop = Shop::open(file, Sqlite::options(), seed).unwrap();
        self.look_into(&shop, last, |found| found.examine(&shop, file))
    }

    /// Judges what is in a server's database. Tells what is wrong with it.
    ///
    /// # Panics
    /// When it is so wrong that it can't be read.
    pub fn look_at(&mut self, shop: &Shop, last: bool) -> Vec<String> {
        self.found.gaps = true;
        self.look_into(shop, last, |found| found.examine_books(shop))
    }

    fn look_into(&mut self, shop: &Shop, last: bool, examine: impl Fn(&mut Found)) -> Vec<String> {
        self.judged += 1;
        self.found.read_on(shop);
        self.history.found(self.found.last());
        examine(&mut self.found);
        let life = self.history.born(self.found.last());
        let goods = Shop::set_up(|key, deed| self.history.act(life, shop, Some(key), &deed));
        self.retry(shop, life);
        if last {
            self.finish(shop, life);
        }
        self.replay(shop, life, if last { 400 } else { 60 });
        self.found.read_on(shop);
        self.found.read_rows(shop);
        if last {
            self.found.read_again(shop);
            examine(&mut self.found);
            self.found.read_codes(shop, 97);
            self.seen.passes += self.found.passes.len() as u64;
            self.seen.operations += self.found.log.len() as u64;
        }
        let Verdict { wrong, lost } = judge(&self.history, &self.found);
        if last {
            self.seen.lost_without.0 += lost.0;
            self.seen.lost_without.1 += lost.1;
        }
        if wrong.is_empty() {
            self.stock(shop, goods, life);
        }
        self.history.died(life);
        wrong
    }

    /// Gives the requests again whose answer was lost, as a till does; or takes them back first.
    fn retry(&mut self, shop: &Shop, life: usize) {
        for (key, deed) in self.history.open() {
            if deed.is_reversible() && self.dice.once_in(4) {
                let own = format!("undo {key} {life}");
                let undone = self.history.act(life, shop, Some(&own), &Deed::ReverseKey(key.clone()));
                if let Answer::Done(ack) = undone {
                    self.seen.stopped += u64::from(ack.done["of"].is_null());
                }
            }
            match self.history.act(life, shop, Some(&key), &deed) {
                Answer::Done(ack) if ack.replayed => self.seen.lost.0 += 1,
                Answer::Refused(_) => {}
                _ => self.seen.lost.1 += 1,
            }
        }
    }

    /// Asks for the receipts of what is new since the last time, and of some that are older.
    fn replay(&mut self, shop: &Shop, life: usize, older: usize) {
        let accepted = |from: usize, history: &History| -> Vec<(String, Deed)> {
            let asked = history.asked[from..].iter().filter(|asked| asked.ack().is_some());
            asked.filter_map(|asked| Some((asked.key.clone()?, asked.deed.clone()))).collect()
        };
        let mut again: BTreeMap<String, Deed> = accepted(self.replayed, &self.history).into_iter().collect();
        let all = accepted(0, &self.history);
        for _ in 0..older {
            again.extend(self.dice.maybe(&all).cloned());
        }
        self.seen.replays += again.len() as u64;
        for (key, deed) in again {
            let answer = self.history.act(life, shop, Some(&key), &deed);
            if !matches!(&answer, Answer::Done(ack) if ack.replayed) {
                self.found.wrong.push(format!("{key} isn't replayed: {answer:?}"));
            }
        }
        self.replayed = self.history.asked.len();
    }

    /// Has all runs go on to their end, and all lots exported.
    fn finish(&mut self, shop: &Shop, life: usize) {
        self.found.read_on(shop);
        self.found.read_rows(shop);
        let making: Vec<_> = self.found.lots.values().map(|lot| lot.run).collect();
        for (run, stood) in self.found.runs.clone().into_iter().filter(|(_, stood)| !stood.over) {
            let step = Deed::Step { run, bulk: !making.contains(&run) };
            // So many steps, at most, make a lot: one for its codes and one for its passes a thousand.
            let ends = (0..stood.total / 500 + 4).any(|_| {
                let answer = self.history.act(life, shop, None, &step);
                let Answer::Stepped(stood) = answer else { panic!("{run} doesn't go on: {answer:?}") };
                stood.over
            });
            assert!(ends, "{run} doesn't come to its end");
            self.seen.runs += 1;
        }
        for lot in self.found.lots.clone().into_keys() {
            let answer = self.history.act(life, shop, Some(&format!("export {lot}")), &Deed::Export(lot));
            assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
        }
        self.found.read_on(shop);
        self.found.read_rows(shop);
    }

    /// Lays out what the next tills have at hand.
    fn stock(&mut self, shop: &Shop, goods: Goods, life: usize) {
        let Self { dice, found, history, stock, .. } = self;
        *stock =
            Stock { goods, room: self.room.saturating_sub(found.passes.len() as u32), ..Stock::default() };
        let makes: BTreeMap<_, _> = found.lots.iter().map(|(id, lot)| (lot.run, (*id, lot.count))).collect();
        let runs = found.runs.iter().filter(|(_, stood)| !stood.over);
        stock.runs = runs.map(|(run, _)| Running { run: *run, makes: makes.get(run).copied() }).collect();
        let complete = found.lots.iter().filter(|(_, lot)| lot.complete);
        stock.lots = complete.map(|(id, lot)| (*id, lot.count)).collect();
        let active = |pass: &PassRow| pass.standing == Standing::Active && pass.balance.left() > 0;
        for _ in 0..4 {
            let Some((lot, count)) = dice.maybe(&stock.lots).copied() else { break };
            if !found.lots[&lot].exported {
                let key = format!("look into {lot} {life}");
                let _ = history.act(life, shop, Some(&key), &Deed::Export(lot));
            }
            let after = dice.below(count.into()) as u32;
            for coded in browse(shop, lot, after, 12) {
                let pass = &found.passes[&coded.pass];
                if pass.standing == Standing::Draft {
                    stock.drafts.push(coded);
                } else if active(pass) {
                    stock.cards.push(coded);
                }
            }
        }
        // Those that tills have worked with, and that have something left.
        for asked in history.asked.iter().rev().take(400) {
            if let Deed::Wallet { code, pass, .. } | Deed::Direct { code, pass, .. } = &asked.deed
                && active(&found.passes[pass])
                && stock.cards.len() < 40
                && stock.cards.iter().all(|card| card.pass != *pass)
            {
                stock.cards.push(Coded { pass: *pass, code: code.clone() });
            }
            if let (true, Some(ack)) = (asked.deed.is_reversible(), asked.ack()) {
                stock.done.push(ack.operation);
            }
            if let (Some(key), true) = (&asked.key, stock.recent.len() < 30) {
                stock.recent.push((key.clone(), asked.deed.clone()));
            }
        }
        let printed = |pass: &PassId| found.lots.contains_key(&pass.lot());
        for (id, pass) in found.passes.iter().filter(|(id, _)| !printed(id)) {
            if pass.standing == Standing::Draft {
                stock.mails.push(*id);
            } else if active(pass) {
                stock.delivered.push(*id);
            }
        }
        stock.mails.truncate(30);
        stock.delivered.truncate(30);
    }
}

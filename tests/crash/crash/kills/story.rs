//! One file, from its making to its end, with many kills in between.

use super::sums::Sums;
use super::till::{Death, Stage, Till};
use crash::judge::{Verdict, judge};
use crash::stock::{Coded, Orders, Running, browse};
use crash::{Answer, Deed, Found, History, Shop, Stock};
use passes_core::id::PassId;
use passes_core::pass::{PassRow, Standing};
use passes_sqlite::Sqlite;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tests::Dice;

/// Passes in a file, about: as many as make runs of several steps, and a check of a fraction of a second.
const PASSES: u32 = 22_000;

/// A file, and what is known of it.
pub(super) struct Story<'a> {
    seed: u64,
    dice: Dice,
    sums: &'a mut Sums,
    folder: Option<TempDir>,
    file: PathBuf,
    history: History,
    found: Found,
    stock: Stock,
    /// How many requests had their receipts asked for again.
    replayed: usize,
    /// How many times it was judged.
    judged: usize,
}

impl<'a> Story<'a> {
    pub(super) fn new(seed: u64, sums: &'a mut Sums) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.db");
        sums.stories += 1;
        Self {
            seed,
            dice: Dice::new(seed),
            sums,
            folder: Some(folder),
            file,
            history: History::default(),
            found: Found::default(),
            stock: Stock::default(),
            replayed: 0,
            judged: 0,
        }
    }

    /// All of it.
    pub(super) fn tell(&mut self) {
        // The first ones don't get far.
        for _ in 0..self.dice.below(4) {
            self.killed_early();
        }
        let kills = if self.dice.once_in(8) { 30 } else { self.dice.between(8, 14) as u64 };
        let until = self.sums.kills + kills;
        while self.sums.kills < until && !self.sums.are_enough() {
            match self.dice.below(10) {
                0 | 1 => {
                    // Again and again, before anybody has looked.
                    self.killed_at_work();
                    for _ in 0..self.dice.between(1, 3) {
                        self.killed_early();
                    }
                }
                2..=4 => self.killed_beside_another(),
                _ => self.killed_at_work(),
            }
            self.look(false);
        }
        self.look(true);
    }

    fn orders(&mut self, alone: bool) -> Orders {
        let mut stock = self.stock.clone();
        stock.recent.extend(self.history.open());
        stock.favour = Some(self.sums.rarest().to_owned());
        Orders {
            file: self.file.clone(),
            life: self.history.born(self.found.last()),
            seed: self.dice.below(u64::MAX),
            threads: self.dice.between(1, 6) as u64,
            checkpoint: *self.dice.pick(&[(20, 60), (20, 60), (150, 500), (4_000, 16_000)]),
            alone: alone && self.dice.once_in(2),
            session: (alone && self.dice.once_in(4)).then(|| self.dice.between(1, 30) as u64),
            stock,
        }
    }

    fn start(&mut self, alone: bool) -> Till {
        let orders = self.orders(alone);
        Till::start(&orders)
    }

    /// Starts a till, and waits until it works.
    fn working(&mut self, alone: bool) -> Till {
        let mut till = self.start(alone);
        till.listen(&mut self.history, |till| till.stage == Stage::Working);
        self.sums.opened_in(till.started.elapsed());
        till
    }

    /// A while, mostly short.
    fn pause(&mut self) {
        let most = *self.dice.pick(&[3_000, 60_000, 150_000, 400_000]);
        thread::sleep(Duration::from_micros(self.dice.below(most)));
    }

    fn count(&mut self, death: &Death) {
        self.sums.kills += 1;
        self.sums.answers += death.answers;
        self.sums.replayed += death.replayed;
        self.sums.refused += death.refused;
        self.sums.torn += u64::from(death.torn);
        self.sums.closing += u64::from(death.stage == Stage::Closing);
        if death.stage == Stage::Working {
            self.sums.working += 1;
            self.sums.under_way += u64::from(!death.under_way.is_empty());
        }
        for kind in &death.under_way {
            *self.sums.kinds.get_mut(kind).unwrap() += 1;
        }
    }

    /// The length of a file of the store; zero when there is none.
    fn length(&self, suffix: &str) -> u64 {
        fs::metadata(format!("{}{suffix}", self.file.display())).map_or(0, |file| file.len())
    }

    /// A till is killed while it starts, opens the file, makes or recovers it, sets up, or has just begun.
    fn killed_early(&mut self) {
        let (fresh, log) = (self.length("") == 0, self.length("-wal"));
        let mut till = self.start(true);
        let most = if self.dice.once_in(2) {
            // Opening takes a small part of that time.
            till.listen(&mut self.history, |till| till.stage >= Stage::Opening);
            self.sums.opening / 4
        } else {
            self.sums.opening * 5 / 4
        };
        thread::sleep(Duration::from_micros(self.dice.below(most.as_micros() as u64)));
        let death = till.kill(&mut self.history);
        if death.stage == Stage::Opening {
            self.sums.making += u64::from(fresh);
            self.sums.recovering += u64::from(log > 0);
        }
        self.count(&death);
        self.all_are_dead();
    }

    /// A till is killed while it works.
    fn killed_at_work(&mut self) {
        let mut till = self.working(true);
        if till.closes && self.dice.once_in(2) {
            till.listen(&mut self.history, |till| till.stage == Stage::Closing);
            thread::sleep(Duration::from_micros(self.dice.below(6_000)));
        } else {
            self.pause();
        }
        let death = till.kill(&mut self.history);
        self.count(&death);
        self.all_are_dead();
    }

    /// Of two tills one is killed; the other goes on, and is killed later.
    fn killed_beside_another(&mut self) {
        let (one, mut other) = (self.working(false), self.working(false));
        self.pause();
        let death = one.kill(&mut self.history);
        self.count(&death);
        if !self.dice.once_in(4) {
            if self.dice.once_in(3) {
                // One that comes in between is killed, too.
                let third = self.start(false);
                self.pause();
                let death = third.kill(&mut self.history);
                self.count(&death);
            }
            // What it has told may be older. Each thread tells once more, and then something new.
            other.catch_up(&mut self.history);
            let enough = other.answers + 12;
            other.listen(&mut self.history, |till| till.answers >= enough);
            self.sums.survived += 1;
            self.pause();
        }
        let death = other.kill(&mut self.history);
        self.count(&death);
        self.all_are_dead();
    }

    fn all_are_dead(&mut self) {
        self.sums.checkpointing += u64::from(self.was_checkpointing());
    }

    /// Whether the log was being brought into the file: SQLite notes in the shared memory how far that is meant to
    /// go before it begins, and how far it got afterwards.
    fn was_checkpointing(&self) -> bool {
        let Ok(bytes) = fs::read(format!("{}-shm", self.file.display())) else { return false };
        let number =
            |at: usize| bytes.get(at..at + 4).map(|four| u32::from_ne_bytes(four.try_into().unwrap()));
        let (done, meant) = (number(96), number(128));
        done.zip(meant).is_some_and(|(done, meant)| meant > done)
    }

    /// Opens the file after a kill, and judges it.
    fn look(&mut self, last: bool) {
        self.judged += 1;
        let seed = self.dice.below(u64::MAX);
        let shop = Shop::open(&self.file, Sqlite::options(), seed).unwrap();
        self.found.read_on(&shop);
        self.history.found(self.found.last());
        self.found.examine(&shop, &self.file);
        let life = self.history.born(self.found.last());
        let goods = Shop::set_up(|key, deed| self.history.act(life, &shop, Some(key), &deed));
        self.retry(&shop, life);
        if last {
            self.finish(&shop, life);
        }
        self.replay(&shop, life, if last { 400 } else { 60 });
        self.found.read_on(&shop);
        self.found.read_rows(&shop);
        if last {
            self.found.read_again(&shop);
            self.found.examine(&shop, &self.file);
            self.found.read_codes(&shop, 97);
            self.sums.passes += self.found.passes.len() as u64;
            self.sums.operations += self.found.last();
        }
        let Verdict { wrong, lost } = judge(&self.history, &self.found);
        assert!(
            wrong.is_empty(),
            "{} things are wrong, among them:\n{}",
            wrong.len(),
            wrong[..wrong.len().min(20)].join("\n")
        );
        if last {
            self.sums.lost_without.0 += lost.0;
            self.sums.lost_without.1 += lost.1;
        }
        self.stock(&shop, goods, life);
        self.history.died(life);
    }

    /// Gives the requests again whose answer was lost, as a till does; or takes them back first.
    fn retry(&mut self, shop: &Shop, life: usize) {
        for (key, deed) in self.history.open() {
            if deed.is_reversible() && self.dice.once_in(4) {
                let own = format!("undo {key} {life}");
                let undone = self.history.act(life, shop, Some(&own), &Deed::ReverseKey(key.clone()));
                if let Answer::Done(ack) = undone {
                    self.sums.stopped += u64::from(ack.done["of"].is_null());
                }
            }
            match self.history.act(life, shop, Some(&key), &deed) {
                Answer::Done(ack) if ack.replayed => self.sums.lost.0 += 1,
                Answer::Refused(_) => {}
                _ => self.sums.lost.1 += 1,
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
        self.sums.replays += again.len() as u64;
        for (key, deed) in again {
            let answer = self.history.act(life, shop, Some(&key), &deed);
            assert!(matches!(&answer, Answer::Done(ack) if ack.replayed), "{key} isn't replayed: {answer:?}");
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
            self.sums.runs += 1;
        }
        for lot in self.found.lots.clone().into_keys() {
            let answer = self.history.act(life, shop, Some(&format!("export {lot}")), &Deed::Export(lot));
            assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
        }
        self.found.read_on(shop);
        self.found.read_rows(shop);
    }

    /// Lays out what the next tills have at hand.
    fn stock(&mut self, shop: &Shop, goods: crash::shop::Goods, life: usize) {
        let Self { dice, found, history, stock, .. } = self;
        *stock = Stock { goods, room: PASSES.saturating_sub(found.passes.len() as u32), ..Stock::default() };
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

impl Drop for Story<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let folder = self.folder.take().map(TempDir::keep);
            eprintln!(
                "in a file of seed {}, at its judgement {}, after kill {}; it is in {folder:?}",
                self.seed, self.judged, self.sums.kills
            );
            for asked in self.history.asked.iter().rev().take(12).rev() {
                eprintln!("{asked:?}");
            }
        }
    }
}

//! One file, from its making to its end, with many kills in between.

use super::sums::Sums;
use super::till::{Death, Stage, Till};
use crash::Witness;
use crash::stock::Orders;
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
    witness: Witness,
}

impl<'a> Story<'a> {
    pub(super) fn new(seed: u64, sums: &'a mut Sums) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.db");
        let (dice, witness) = (Dice::new(seed), Witness::new(seed ^ 1, PASSES));
        sums.stories += 1;
        Self { seed, dice, sums, folder: Some(folder), file, witness }
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
        let mut stock = self.witness.stock.clone();
        stock.recent.extend(self.witness.history.open());
        stock.favour = Some(self.sums.rarest().to_owned());
        Orders {
            file: self.file.clone(),
            server: None,
            life: self.witness.history.born(self.witness.found.last()),
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
        till.listen(&mut self.witness.history, |till| till.stage == Stage::Working);
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
            till.listen(&mut self.witness.history, |till| till.stage >= Stage::Opening);
            self.sums.opening / 4
        } else {
            self.sums.opening * 5 / 4
        };
        thread::sleep(Duration::from_micros(self.dice.below(most.as_micros() as u64)));
        let death = till.kill(&mut self.witness.history);
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
            till.listen(&mut self.witness.history, |till| till.stage == Stage::Closing);
            thread::sleep(Duration::from_micros(self.dice.below(6_000)));
        } else {
            self.pause();
        }
        let death = till.kill(&mut self.witness.history);
        self.count(&death);
        self.all_are_dead();
    }

    /// Of two tills one is killed; the other goes on, and is killed later.
    fn killed_beside_another(&mut self) {
        let (one, mut other) = (self.working(false), self.working(false));
        self.pause();
        let death = one.kill(&mut self.witness.history);
        self.count(&death);
        if !self.dice.once_in(4) {
            if self.dice.once_in(3) {
                // One that comes in between is killed, too.
                let third = self.start(false);
                self.pause();
                let death = third.kill(&mut self.witness.history);
                self.count(&death);
            }
            // What it has told may be older. Each thread tells once more, and then something new.
            other.catch_up(&mut self.witness.history);
            let enough = other.answers + 12;
            other.listen(&mut self.witness.history, |till| till.answers >= enough);
            self.sums.survived += 1;
            self.pause();
        }
        let death = other.kill(&mut self.witness.history);
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
        let wrong = self.witness.look(&self.file, last);
        assert!(
            wrong.is_empty(),
            "{} things are wrong, among them:\n{}",
            wrong.len(),
            wrong[..wrong.len().min(20)].join("\n")
        );
        self.sums.seen.add(&std::mem::take(&mut self.witness.seen));
    }
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let folder = self.folder.take().map(TempDir::keep);
            eprintln!(
                "in a file of seed {}, at its judgement {}, after kill {}; it is in {folder:?}",
                self.seed, self.witness.judged, self.sums.kills
            );
            for asked in self.witness.history.asked.iter().rev().take(12).rev() {
                eprintln!("{asked:?}");
            }
        }
    }
}

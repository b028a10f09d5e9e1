//! One file, from its making to its end, with many power cuts in between.

use super::moments::{Moment, Moments, Sums};
use crash::deed::Answer;
use crash::line::{Line, Voice};
use crash::{Shop, Stock, Witness, stock};
use passes_sqlite::Sqlite;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use test_vfs::{Failure, Fault, FileKind, Op, Point, Vfs};
use tests::Dice;

/// Passes in a file with large lots, about: enough for a run of several steps.
const PASSES: u32 = 6_000;

/// Tills that work at once.
const TILLS: u64 = 4;

/// Lives of a file: each goes on from what a cut left of the one before.
const LIVES: u64 = 4;

/// How the disk is treated, and how it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Everything is synced, and all goes well.
    Well,
    /// Everything is synced, and the disk fails now and then.
    Failing,
    /// Less is synced.
    Synchronous(u8),
}

/// A file, and what is known of it.
pub(super) struct Story<'a> {
    seed: u64,
    way: Way,
    dice: Dice,
    rng: ChaCha8Rng,
    sums: &'a mut Sums,
    folder: TempDir,
    /// Where the file is at the moment.
    home: PathBuf,
    witness: Witness,
}

impl<'a> Story<'a> {
    pub(super) fn new(seed: u64, way: Way, sums: &'a mut Sums) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("0");
        std::fs::create_dir(&home).unwrap();
        sums.stories += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let (rng, mut dice) = (ChaCha8Rng::from_seed(bytes), Dice::new(seed));
        // Many passes take long to be looked at.
        let room = if dice.once_in(4) { PASSES } else { 0 };
        Self { seed, way, dice, rng, sums, folder, home, witness: Witness::new(seed ^ 1, room) }
    }

    /// All of it.
    pub(super) fn tell(&mut self) {
        println!("a file of seed {}", self.seed);
        for life in 0..LIVES {
            let voice = Arc::new(Voice::kept());
            let moments = Moments::default();
            self.live(life, &voice, &moments);
            let (moments, lines) = (moments.take(), voice.lines());
            self.sums.count(&moments, &lines);
            let next = self.dice.below(moments.len() as u64) as usize;
            let mut home = None;
            for (n, moment) in moments.into_iter().enumerate() {
                let heard = self.hear(&moment, &lines);
                self.sums.making += u64::from(life == 0 && !lines[..moment.told].contains(&Line::Opened));
                for k in 0..=self.dice.below(3) {
                    let image = self.folder.path().join(format!("{life}-{n}-{k}"));
                    let last = life + 1 == LIVES && n == next && k == 0;
                    let witness = self.look(&moment, heard.clone(), &image, last);
                    if n == next && k == 0 {
                        home = Some((image, witness));
                    } else {
                        std::fs::remove_dir_all(&image).unwrap();
                    }
                }
            }
            // The next life begins with what one of the cuts left.
            (self.home, self.witness) = home.unwrap();
        }
    }

    /// What is known at a moment: what was told before it, and what may have been asked.
    fn hear(&self, moment: &Moment, lines: &[Line]) -> Witness {
        let (lines, later) = lines[..moment.perhaps].split_at(moment.told);
        let mut witness = self.witness.clone();
        let life = witness.history.born(witness.found.last());
        let failed = |line: &Line| match line {
            Line::Got { call, answer: Answer::Failed(why) } => Some((*call, why.starts_with("IN_DOUBT"))),
            _ => None,
        };
        let failed: BTreeMap<u64, bool> = lines.iter().filter_map(failed).collect();
        for line in lines.iter().chain(later.iter().filter(|line| matches!(line, Line::Ask { .. }))) {
            let in_doubt = match line {
                Line::Ask { call, .. } | Line::Got { call, .. } => failed.get(call),
                _ => None,
            };
            // What failed for certain is as if nobody had asked; what is in doubt is as if nobody had answered.
            let counts = match in_doubt {
                None => true,
                Some(in_doubt) => *in_doubt && matches!(line, Line::Ask { .. }),
            };
            if counts || self.way != Way::Failing {
                witness.history.tell(life, line);
            }
        }
        witness.history.died(life);
        witness
    }

    /// Looks at what a cut leaves.
    fn look(&mut self, moment: &Moment, mut witness: Witness, image: &Path, last: bool) -> Witness {
        if self.dice.once_in(6) {
            moment.cut.lose_all(image).unwrap();
        } else {
            moment.cut.lose(&mut self.rng, image).unwrap();
        }
        witness.choose_by(self.dice.below(u64::MAX));
        let mut wrong = witness.look(&image.join("shop.db"), last);
        // What matters most comes first.
        wrong.sort_by_key(|why| !why.contains("an answer is lost"));
        self.sums.images += 1;
        self.sums.seen.add(&std::mem::take(&mut witness.seen));
        assert!(
            wrong.is_empty(),
            "after a power cut in the middle of {}, {} of {} requests told, {:?}, {} things are wrong:\n{}",
            moment.what,
            moment.told,
            witness.history.asked.len(),
            self.way,
            wrong.len(),
            wrong[..wrong.len().min(20)].join("\n")
        );
        witness
    }

    /// The tills work for a while, on a disk of which moments are kept.
    fn live(&mut self, life: u64, voice: &Arc<Voice>, moments: &Moments) {
        let vfs = Vfs::with_power_cuts().unwrap();
        let file = self.home.join("shop.db");
        let mut stock = self.witness.stock.clone();
        stock.recent.extend(self.witness.history.open());
        moments.plan(14, &mut self.dice, &vfs, voice);
        for session in 0..2 {
            let checkpoint = *self.dice.pick(&[(20, 60), (20, 60), (60, 200), (4_000, 16_000)]);
            let mut options = Sqlite::options().checkpoint(checkpoint.0, checkpoint.1).vfs(vfs.name());
            if let Way::Synchronous(level) = self.way {
                options = options.synchronous_for_tests(level);
            }
            voice.tell(&Line::Opening);
            let shop = Shop::open(&file, options, self.dice.below(u64::MAX)).unwrap();
            voice.tell(&Line::Opened);
            stock.goods = Shop::set_up(|key, deed| {
                let call = voice.ask(Some(key), &deed);
                let answer = deed.give(&shop, Some(key));
                voice.got(call, &answer);
                answer
            });
            voice.tell(&Line::Ready);
            stock = self.work(&vfs, &shop, stock, voice, moments, &format!("{life}-{session}"));
            voice.tell(&Line::Closing);
            if self.dice.once_in(2) {
                vfs.clear_faults();
            }
            drop(shop);
            vfs.clear_faults();
        }
        moments.any(&vfs, voice);
        self.sums.faults += vfs.faults_met();
    }

    fn work(
        &mut self,
        vfs: &Vfs,
        shop: &Shop,
        stock: Stock,
        voice: &Arc<Voice>,
        moments: &Moments,
        name: &str,
    ) -> Stock {
        let stock = Mutex::new(stock);
        let requests = self.dice.between(10, 60);
        let seeds: Vec<u64> = (0..TILLS).map(|_| self.dice.below(u64::MAX)).collect();
        let pauses: Vec<u64> = (0..3).map(|_| self.dice.below(60_000)).collect();
        thread::scope(|scope| {
            for (till, seed) in seeds.into_iter().enumerate() {
                let (stock, failing) = (&stock, self.way == Way::Failing);
                scope.spawn(move || {
                    let mut dice = Dice::new(seed);
                    for n in 0..requests {
                        if failing && dice.once_in(8) {
                            vfs.fail(fault(&mut dice));
                        }
                        stock::one(voice, shop, stock, &mut dice, &format!("{name}-{till}-{n}"));
                        if failing && dice.once_in(4) {
                            vfs.clear_faults();
                        }
                    }
                });
            }
            for pause in pauses {
                thread::sleep(Duration::from_micros(pause));
                moments.any(vfs, voice);
            }
        });
        stock.into_inner().unwrap()
    }
}

/// Something that fails soon, once or for a while.
fn fault(dice: &mut Dice) -> Fault {
    let (file, op) = *dice.pick(&[
        (FileKind::Wal, Op::Write),
        (FileKind::Wal, Op::Write),
        (FileKind::Wal, Op::CommitSync),
        (FileKind::Wal, Op::CommitSync),
        (FileKind::Wal, Op::CheckpointSync),
        (FileKind::Wal, Op::RestartSync),
        (FileKind::Database, Op::Write),
        (FileKind::Database, Op::Sync),
    ]);
    let failure = *dice.pick(&[Failure::Io, Failure::Late, Failure::Full, Failure::Short]);
    let most = if op == Op::Write { 40 } else { 3 };
    Fault::at(Point::new(file, op).nth(1 + dice.below(most)), failure).times(1 + dice.below(4))
}

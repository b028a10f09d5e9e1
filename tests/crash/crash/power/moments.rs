//! The moments at which the power is cut, and what they hit.

use crash::line::{Line, Voice};
use crash::witness::Seen;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use test_vfs::{Cut, FileKind, Op, Point, Vfs};
use tests::Dice;

/// What is under way at a moment.
const MOMENTS: [(&str, FileKind, Op); 9] = [
    ("a write into the log", FileKind::Wal, Op::Write),
    ("the sync of a commit", FileKind::Wal, Op::CommitSync),
    ("the sync of a log that begins anew", FileKind::Wal, Op::RestartSync),
    ("the sync of the log before a checkpoint", FileKind::Wal, Op::CheckpointSync),
    ("a checkpoint's write into the database", FileKind::Database, Op::Write),
    ("the truncation of the database", FileKind::Database, Op::Truncate),
    ("the sync of the database", FileKind::Database, Op::Sync),
    ("a write into a rollback journal", FileKind::Other, Op::Write),
    ("the sync of a rollback journal", FileKind::Other, Op::Sync),
];

/// Any other moment.
const ANY: &str = "whatever";

/// A moment at which the power was cut.
pub(super) struct Moment {
    pub(super) what: &'static str,
    /// How many lines the tills had certainly told before.
    pub(super) told: usize,
    /// How many they may have told before.
    pub(super) perhaps: usize,
    pub(super) cut: Cut,
}

/// The moments of one life of a file.
#[derive(Clone, Default)]
pub(super) struct Moments(Arc<Mutex<Vec<Moment>>>);

impl Moments {
    /// Cuts the power now.
    pub(super) fn now(&self, what: &'static str, vfs: &Vfs, voice: &Voice) {
        // Tills go on while it is cut: who asked meanwhile may be in it, and who was answered need not be.
        let told = voice.said();
        let cut = vfs.cut();
        self.0.lock().unwrap().push(Moment { what, told, perhaps: voice.said(), cut });
    }

    pub(super) fn any(&self, vfs: &Vfs, voice: &Voice) {
        self.now(ANY, vfs, voice);
    }

    /// Will cut it in the middle of operations that come up to so far from now.
    pub(super) fn plan(&self, count: u64, dice: &mut Dice, vfs: &Vfs, voice: &Arc<Voice>) {
        for _ in 0..count {
            let (what, file, op) = *dice.pick(&MOMENTS);
            // How often an operation comes, more or less, while the tills work.
            let most = match (file, op) {
                (FileKind::Wal, Op::Write) => 3_000,
                (FileKind::Wal, Op::CommitSync) | (FileKind::Database, Op::Write) => 200,
                _ => 4,
            };
            let point = Point::new(file, op).nth(1 + dice.below(most));
            let (moments, disk, voice) = (self.clone(), vfs.clone(), Arc::clone(voice));
            vfs.at(point, move || moments.now(what, &disk, &voice));
        }
    }

    /// Those that came, in order.
    pub(super) fn take(&self) -> Vec<Moment> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What the cuts hit, so that nobody takes a test for good that hit nothing.
pub(super) struct Sums {
    wanted: u64,
    pub(super) images: u64,
    pub(super) stories: u64,
    pub(super) cuts: BTreeMap<&'static str, u64>,
    /// Cuts at which something was at stake.
    pub(super) unsynced: u64,
    /// Cuts of a file that was just being made.
    pub(super) making: u64,
    /// Operations that failed.
    pub(super) faults: u64,
    pub(super) answers: u64,
    pub(super) seen: Seen,
}

impl Sums {
    pub(super) fn new(wanted: u64) -> Self {
        let cuts = MOMENTS.iter().map(|(what, ..)| (*what, 0)).chain([(ANY, 0)]).collect();
        let seen = Seen::default();
        Self { wanted, images: 0, stories: 0, cuts, unsynced: 0, making: 0, faults: 0, answers: 0, seen }
    }

    /// Counts the moments of a life, and what was told in it.
    pub(super) fn count(&mut self, moments: &[Moment], lines: &[Line]) {
        for moment in moments {
            *self.cuts.get_mut(moment.what).unwrap() += 1;
            self.unsynced += u64::from(moment.cut.unsynced() > 0);
        }
        self.answers += lines.iter().filter(|line| matches!(line, Line::Got { .. })).count() as u64;
    }

    /// Whether there were as many images as are wanted. What chance left out has ten times as many to come.
    pub(super) fn are_enough(&self) -> bool {
        self.images >= self.wanted && (self.misses().is_empty() || self.images >= self.wanted * 10)
    }

    /// What the cuts should have hit, and didn't.
    pub(super) fn misses(&self) -> Vec<String> {
        let cuts: u64 = self.cuts.values().sum();
        let mut misses: Vec<String> =
            self.cuts.iter().filter(|(_, n)| **n == 0).map(|(what, _)| format!("{what}: never")).collect();
        for (what, times, wanted) in [
            ("something at stake", self.unsynced, cuts / 4),
            ("a file that was being made", self.making, 1),
            ("a request with a key that was done, before its answer", self.seen.lost.0, 1),
            ("a request with a key before it was done", self.seen.lost.1, 1),
            ("a run that went on to its end", self.seen.runs, 1),
        ] {
            if times < wanted {
                misses.push(format!("{what}: {times} times, and not {wanted}"));
            }
        }
        misses
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, stories, unsynced, making, faults, answers, seen, .. } = self;
        let cuts: u64 = self.cuts.values().sum();
        writeln!(f, "{images} images of {cuts} cuts in {stories} files, {making} cuts of files being made")?;
        writeln!(f, "  {unsynced} cuts with something at stake; {faults} operations failed")?;
        writeln!(f, "{answers} answers; {} receipts asked for again", seen.replays)?;
        writeln!(
            f,
            "lost answers: of {} done and {} not done with a key, {} and {} without",
            seen.lost.0, seen.lost.1, seen.lost_without.0, seen.lost_without.1
        )?;
        writeln!(f, "{} runs went on to their end; cuts in the middle of:", seen.runs)?;
        for (what, times) in &self.cuts {
            writeln!(f, "  {times:>6} {what}")?;
        }
        Ok(())
    }
}

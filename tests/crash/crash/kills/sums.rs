//! What the kills hit, so that nobody takes a test for good that hit nothing.

use crash::deed::KINDS;
use crash::witness::Seen;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What the kills hit.
pub(super) struct Sums {
    /// How many are wanted.
    wanted: u64,
    /// How many there were.
    pub(super) kills: u64,
    /// Those of processes that were at work.
    pub(super) working: u64,
    /// Those with requests under way, which is where it gets interesting.
    pub(super) under_way: u64,
    /// What was under way, by kind.
    pub(super) kinds: BTreeMap<&'static str, u64>,
    /// Those in the middle of making the file.
    pub(super) making: u64,
    /// Those in the middle of recovering what another kill had left.
    pub(super) recovering: u64,
    /// Those in the middle of bringing the log into the file.
    pub(super) checkpointing: u64,
    /// Those in the middle of closing it.
    pub(super) closing: u64,
    /// Those after which another process had to go on.
    pub(super) survived: u64,
    /// Lines that were torn.
    pub(super) torn: u64,
    /// Answers that tills received, the receipts of before among them, and the refusals.
    pub(super) answers: u64,
    pub(super) replayed: u64,
    pub(super) refused: u64,
    /// What was seen in the files.
    pub(super) seen: Seen,
    /// Files.
    pub(super) stories: u64,
    /// How long a process takes until it works.
    pub(super) opening: Duration,
}

impl Sums {
    pub(super) fn new(wanted: u64) -> Self {
        Self {
            wanted,
            kills: 0,
            working: 0,
            under_way: 0,
            kinds: KINDS.iter().map(|kind| (*kind, 0)).collect(),
            making: 0,
            recovering: 0,
            checkpointing: 0,
            closing: 0,
            survived: 0,
            torn: 0,
            answers: 0,
            replayed: 0,
            refused: 0,
            seen: Seen::default(),
            stories: 0,
            opening: Duration::from_millis(40),
        }
    }

    /// Whether there were as many kills as are wanted. When chance left something out it has half as many more.
    pub(super) fn are_enough(&self) -> bool {
        self.kills >= self.wanted && (self.misses().is_empty() || self.kills >= self.wanted * 3 / 2)
    }

    /// The kind that was hit least.
    pub(super) fn rarest(&self) -> &'static str {
        self.kinds.iter().filter(|(kind, _)| **kind != "set up").min_by_key(|(_, n)| **n).unwrap().0
    }

    /// A process took so long until it worked.
    pub(super) fn opened_in(&mut self, time: Duration) {
        self.opening = (self.opening * 7 + time) / 8;
    }

    /// What the kills should have hit, and didn't.
    pub(super) fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        let rare = (self.wanted / 100).max(1);
        let most = |whole: u64| whole * 4 / 5;
        for (what, times, wanted) in [
            ("a process at work", self.working, self.kills / 2),
            ("requests under way", self.under_way, most(self.working)),
            ("a process that made the file", self.making, rare),
            ("one that recovered what a kill had left", self.recovering, rare),
            ("one that brought the log into the file", self.checkpointing, rare),
            ("one that closed the file", self.closing, rare),
            ("one beside another that went on", self.survived, rare),
            ("a request with a key that was done, before its answer", self.seen.lost.0, rare),
            ("a request with a key before it was done", self.seen.lost.1, rare),
            ("a request without a key that was done, before its answer", self.seen.lost_without.0, rare),
            ("a request without a key before it was done", self.seen.lost_without.1, rare),
            ("a run that went on to its end", self.seen.runs, rare),
        ] {
            if times < wanted {
                misses.push(format!("{what}: {times} times, and not {wanted}"));
            }
        }
        misses.extend(self.kinds.iter().filter(|(_, n)| **n == 0).map(|(kind, _)| format!("`{kind}`")));
        misses
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, stories, working, under_way, making, recovering, checkpointing, closing, .. } =
            self;
        let Self { survived, torn, answers, .. } = self;
        let Seen { lost, lost_without, stopped, replays, .. } = &self.seen;
        writeln!(
            f,
            "{kills} kills of {stories} files, {working} at work, {under_way} with requests under way"
        )?;
        writeln!(
            f,
            "  {making} while making the file, {recovering} recovering it, {checkpointing} checkpointing, {closing} closing"
        )?;
        writeln!(f, "  {survived} while another process went on; {torn} torn lines")?;
        writeln!(f, "{answers} answers, {} replays and {} refusals among them", self.replayed, self.refused)?;
        writeln!(f, "{replays} receipts asked for again; {stopped} keys stopped")?;
        writeln!(
            f,
            "lost answers: of {} done and {} not done with a key, {} and {} without",
            lost.0, lost.1, lost_without.0, lost_without.1
        )?;
        writeln!(
            f,
            "{} runs went on to their end; {} passes, {} operations",
            self.seen.runs, self.seen.passes, self.seen.operations
        )?;
        writeln!(f, "{:?} until a process works; under way at kills:", self.opening)?;
        for (kind, times) in &self.kinds {
            writeln!(f, "  {times:>6} {kind}")?;
        }
        Ok(())
    }
}

//! What was hit, so that nobody takes a test for good that hit nothing.

use crash::witness::Seen;
use std::collections::BTreeMap;
use std::fmt;

/// What happens while the tills work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// The server's first process is killed, or told to end at once; then it is started again.
    Restart,
    /// A process of the server is killed, and the server recovers by itself.
    Backend,
    /// The server sends its clients away.
    SentAway,
    /// Connections are cut in the middle of a commit, and others at any time.
    CutLines,
    /// Tills are killed.
    Till,
    /// Statements and locks take too long, by the server's own account.
    Timeouts,
    /// A standby takes the primary's place.
    FailOver,
}

impl Trouble {
    /// Those of one server.
    pub(super) const ALL: [Self; 6] =
        [Self::Restart, Self::Backend, Self::SentAway, Self::CutLines, Self::Till, Self::Timeouts];
}

/// The sums.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// How many times each trouble came.
    pub(super) troubles: BTreeMap<Trouble, u64>,
    /// What tills were told that worked meanwhile: answers, passing faults, and those in doubt with and without a key.
    pub(super) told: BTreeMap<Trouble, [u64; 4]>,
    /// Commits that were cut: before, when sent, when answered.
    pub(super) cuts: [u64; 3],
    /// What the witness saw.
    pub(super) seen: Seen,
}

impl Sums {
    /// Faults that tills were told of.
    pub(super) fn told_of(&self, trouble: Trouble) -> u64 {
        self.told.get(&trouble).map_or(0, |[_, passing, keyed, bare]| passing + keyed + bare)
    }

    /// What should have been hit, and wasn't.
    pub(super) fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        let mut hit = |holds: bool, what: String| {
            if !holds {
                misses.push(what);
            }
        };
        for trouble in Trouble::ALL {
            hit(self.troubles.get(&trouble).is_some_and(|n| *n > 0), format!("{trouble:?} never came"));
            let answers = self.told.get(&trouble).map_or(0, |told| told[0]);
            hit(answers > 0, format!("nobody was answered in {trouble:?}"));
            // What is lost in these is looked up, or asked again, so that nobody need hear of it.
            let quiet = matches!(trouble, Trouble::Till | Trouble::SentAway | Trouble::Backend);
            hit(quiet || self.told_of(trouble) > 0, format!("nobody noticed {trouble:?}"));
        }
        hit(self.cuts.iter().all(|cuts| *cuts > 0), format!("cuts: {:?}", self.cuts));
        let bare: u64 = self.told.values().map(|told| told[3]).sum();
        hit(bare > 0, "nothing without a key was in doubt".to_owned());
        hit(self.seen.lost_without.0 > 0, "nothing in doubt had landed".to_owned());
        hit(self.seen.lost_without.1 > 0, "all in doubt had landed".to_owned());
        misses
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (trouble, count) in &self.troubles {
            let [answers, passing, keyed, bare] = self.told.get(trouble).copied().unwrap_or_default();
            writeln!(
                f,
                "{trouble:?} {count} times: {answers} answers, {passing} passing faults, in doubt {keyed} with a key \
                 and {bare} without"
            )?;
        }
        let [before, sent, answered] = self.cuts;
        write!(f, "commits cut: {before} before, {sent} sent, {answered} answered; {:?}", self.seen)
    }
}

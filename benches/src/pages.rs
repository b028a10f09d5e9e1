//! How many pages a redemption writes to the write-ahead log: what a disk has to take, whatever its speed.

use crate::measure::{Good, Measure};
use crate::ours;
use crate::twin::Twin;
use crate::world::{Kind, World};
use passes_core::store::{Store, wait};
use passes_sqlite::Sqlite;
use std::error::Error;

/// Redemptions of each kind that are counted.
const COUNTED: u32 = 4_000;

/// The pages of a kind: on average, by the store and by hand.
pub(crate) struct Pages {
    pub(crate) ours: f64,
    pub(crate) by_hand: f64,
}

/// Counts the pages of each kind in turn, in two worlds that are alike.
pub(crate) fn count(kinds: &[Kind]) -> Result<Vec<Pages>, Box<dyn Error>> {
    let (mut ours, mut theirs) = (World::new(Sqlite::options())?, World::new(Sqlite::options())?);
    let twin = Twin::open(&theirs.path())?;
    let mut counted = Vec::new();
    for kind in kinds {
        let before = (ours.store.wal_pages(), twin.wal_pages());
        for _ in 0..COUNTED {
            let command = ours::command(&ours.request(*kind));
            ours::accepted(&wait(ours.store.run(command))?)?;
            if !twin.redeem(&theirs.request(*kind))? {
                return Err("the twin refused".into());
            }
        }
        let average = |pages: u64| pages as f64 / f64::from(COUNTED);
        counted.push(Pages {
            ours: average(ours.store.wal_pages() - before.0),
            by_hand: average(twin.wal_pages() - before.1),
        });
    }
    Ok(counted)
}

/// The three kinds with their gates.
const KINDS: [(Kind, &str, f64, f64); 3] = [
    (Kind::WalletWithKey, "log pages, into a wallet with a key", 6.0, 5.8),
    (Kind::DirectWithKey, "log pages, directly with a key", 4.5, 4.4),
    (Kind::Direct, "log pages, directly without a key", 3.5, 3.1),
];

/// The measures of the report.
pub(crate) fn measures() -> Result<Vec<Measure>, Box<dyn Error>> {
    let counted = count(&KINDS.map(|(kind, ..)| kind))?;
    let pairs = KINDS.iter().zip(counted);
    Ok(pairs
        .map(|((_, name, gate, ambition), pages)| Measure {
            name,
            ratio: pages.ours,
            gate: *gate,
            ambition: *ambition,
            good: Good::Low,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-8, D-1: a redemption writes few pages to the log, and never more than the same rows written by hand.
    #[test]
    fn a_redemption_writes_few_pages() {
        let counted = count(&KINDS.map(|(kind, ..)| kind)).unwrap();
        for ((kind, _, gate, _), pages) in KINDS.iter().zip(counted) {
            println!("{kind:?}: {:.3} pages, {:.3} by hand", pages.ours, pages.by_hand);
            assert!(pages.ours <= *gate, "{kind:?}: {} pages", pages.ours);
            assert!(pages.ours <= pages.by_hand, "{kind:?}: {} pages, {} by hand", pages.ours, pages.by_hand);
        }
    }
}

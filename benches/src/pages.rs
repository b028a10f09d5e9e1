//! How many pages a redemption writes to the write-ahead log: what a disk has to take, whatever its speed.

use crate::measure::Measure;
use crate::redeem::by_hand;
use crate::run::{Made, Run};
use crate::twin::Twin;
use crate::world::{Kind, World};
use passes_sqlite::Sqlite;
use test_vfs::Vfs;

/// What is counted: a kind, how often, its gate and its ambition. The pages of a tree fill up and split all at
/// about the same time, so credits and keys are counted until there are twice as many, which is the whole cycle.
const KINDS: [(Kind, u32, &str, f64, f64); 3] = [
    (Kind::WalletWithKey, 28_000, "log pages, into a wallet with a key", 6.0, 5.8),
    (Kind::DirectWithKey, 29_500, "log pages, directly with a key", 4.5, 4.4),
    (Kind::Direct, 1_500, "log pages, directly without a key", 3.5, 3.1),
];

/// The pages of a kind: on average, by the store and by hand.
struct Pages {
    ours: f64,
    by_hand: f64,
}

/// Counts the pages of each kind in turn, in a file and in a copy of it.
fn count(run: &Run) -> Made<Vec<Pages>> {
    // Pages are counted, not timed: nothing waits for the disk.
    let vfs = Vfs::new()?;
    vfs.sync_really(false);
    let mut world = World::new(Sqlite::options().vfs(vfs.name()))?;
    let mut twin = Twin::open_on(&world.copy()?, vfs.name(), world.business)?;
    let mut counted = Vec::new();
    let doing = run.doing("log pages", KINDS.len());
    for (at, (kind, times, ..)) in KINDS.into_iter().enumerate() {
        doing.round(at);
        // The first tells how long a receipt of this kind is.
        let first = world.request(kind);
        world.redeem(&first)?;
        twin.lengths = world.last_lengths()?;
        by_hand(&mut twin, &first)?;
        let before = (world.store.wal_pages(), twin.wal_pages());
        for _ in 0..times {
            let request = world.request(kind);
            world.redeem(&request)?;
            by_hand(&mut twin, &request)?;
        }
        let average = |pages: u64| pages as f64 / f64::from(times);
        counted.push(Pages {
            ours: average(world.store.wal_pages() - before.0),
            by_hand: average(twin.wal_pages() - before.1),
        });
    }
    Ok(counted)
}

/// The measures of the report: the pages of each kind, and whether any are more than by hand.
pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let counted = count(run)?;
    let worst = counted.iter().map(|pages| pages.ours / pages.by_hand).fold(0.0, f64::max);
    // Ids and hashes of keys are others by hand, and fall into other pages: half a percent is chance.
    let worst = (worst * 100.0).round() / 100.0;
    let of_kind = |((_, _, name, gate, ambition), pages): ((_, _, _, f64, f64), &Pages)| {
        Measure::new(name, "pages", pages.ours).at_most(gate, ambition)
    };
    let mut measures: Vec<Measure> = KINDS.into_iter().zip(&counted).map(of_kind).collect();
    measures.push(Measure::new("log pages ÷ by hand, at most", "×", worst).at_most(1.0, 1.0));
    Ok(measures)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-8, D-1: a redemption writes few pages to the log, and never more than the same rows written by hand.
    #[test]
    fn a_redemption_writes_few_pages() {
        for measure in measures(&Run::silent()).unwrap() {
            println!("{measure}");
            assert!(measure.is_met(), "{measure}");
        }
    }
}

//! Syncs, counted by a file system that stands between SQLite and the disk.

use crate::measure::Measure;
use crate::redeem::KINDS;
use crate::run::{Made, Run};
use crate::threads::{THREADS, TOGETHER, requests, together};
use crate::world::World;
use passes_sqlite::Sqlite;
use std::time::Duration;
use test_vfs::Vfs;

/// Syncs that one client's commits wait for, and those of checkpoints, counted.
pub(crate) fn one_client(run: &Run) -> Made<Vec<Measure>> {
    let vfs = Vfs::new()?;
    let mut world = World::new(Sqlite::options().vfs(vfs.name()))?;
    let times = run.or_quick(2_000, 500);
    let doing = run.doing("counting syncs", KINDS.len());
    let mut measures = Vec::new();
    let mut checkpoints = 0;
    for (at, (kind, name)) in KINDS.into_iter().enumerate() {
        doing.round(at);
        let before = vfs.counts();
        for _ in 0..times {
            let request = world.request(kind);
            world.redeem(&request)?;
        }
        // A checkpoint that has begun is over soon.
        std::thread::sleep(Duration::from_millis(100));
        let counts = vfs.counts().since(&before);
        checkpoints += counts.checkpoint_syncs;
        let each = counts.commit_syncs as f64 / f64::from(times);
        measures.push(Measure::new(format!("{name}, syncs a commit"), "", each).at_most(1.0, 1.0));
    }
    let each = checkpoints as f64 / f64::from(times) / KINDS.len() as f64;
    measures.push(Measure::new("syncs of checkpoints a commit", "", each));
    Ok(measures)
}

/// Syncs of a redemption, counted; each takes a millisecond longer than the disk does.
pub(crate) fn eight_threads(run: &Run) -> Made<Vec<Measure>> {
    let vfs = Vfs::new()?;
    let mut world = World::new(Sqlite::options().vfs(vfs.name()))?;
    vfs.delay_syncs(Duration::from_millis(1));
    let rounds = run.or_quick(21, 3);
    let doing = run.doing("counting syncs of eight threads", rounds);
    let (mut each, mut others) = (Vec::new(), 0);
    for round in 0..=rounds {
        doing.round(round);
        let requests = requests(&mut world, TOGETHER);
        let before = vfs.counts();
        together(THREADS, &requests, |_, request| world.redeem(request))?;
        let counts = vfs.counts().since(&before);
        if round > 0 {
            each.push(counts.commit_syncs as f64 / TOGETHER as f64);
            others += counts.checkpoint_syncs;
        }
    }
    let checkpoints = others as f64 / (rounds * TOGETHER) as f64;
    Ok(vec![
        Measure::of_rounds("eight threads, syncs a redemption", "", &each)
            .at_most(0.3, 0.22)
            .note("commits' syncs, counted; each is delayed by 1 ms"),
        Measure::new("eight threads, syncs of checkpoints a redemption", "", checkpoints),
    ])
}

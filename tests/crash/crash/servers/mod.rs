//! A shop whose server goes away: killed and started again under load, its connections cut in the middle of a commit,
//! its clients killed, its place taken by a standby. After each, the database is judged by what the tills were told.

mod lines;
mod story;
mod sums;

use std::sync::Arc;
use story::Story;
use sums::{Sums, Trouble};
use test_postgres::Server;
use tests::dice::seed;

/// D-1, D-3, R-5, R-8, T-2, Z-1: whatever happens to a server, its clients and the lines between them, what was answered
/// is there, a key has one receipt, what is in doubt is looked up, who is told that nothing landed was told the truth, no
/// pass is used beyond its uses, and the books add up.
#[test]
fn servers_and_lines_fail_under_load() {
    let Some(server) = Server::own(&[]).map(Arc::new) else { return };
    let seed = seed("servers");
    let rounds = if tests::is_long() { 40 } else { 2 };
    let mut sums = Sums::default();
    for round in 0..rounds {
        let mut story = Story::new(&server, seed.wrapping_add(round), &mut sums);
        for trouble in Trouble::ALL {
            story.live(trouble);
        }
        story.end();
    }
    println!("{sums}");
    let misses = sums.misses();
    assert!(misses.is_empty(), "the troubles didn't hit what they are meant to hit: {misses:#?}");
}

/// D-1, D-3, R-5: a primary is killed under load, and its standby takes its place: nothing that was answered is lost, and
/// clients find the new one by themselves.
#[test]
fn a_standby_takes_its_primary_s_place() {
    let seed = seed("standby");
    for round in 0..if tests::is_long() { 10 } else { 1 } {
        let Some(primary) = Server::own(&[]).map(Arc::new) else { return };
        let mut sums = Sums::default();
        let mut story = Story::new(&primary, seed.wrapping_add(round), &mut sums);
        story.live(Trouble::CutLines);
        let standby = Arc::new(primary.standby());
        story.fail_over(&standby);
        story.live(Trouble::CutLines);
        story.end();
        println!("{sums}");
        assert!(sums.told_of(Trouble::FailOver) > 0, "nobody noticed: {sums}");
    }
}

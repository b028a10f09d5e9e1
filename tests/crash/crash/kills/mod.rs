//! A shop whose tills are killed at random, again and again, while they issue, sell, activate, redeem, reverse
//! and generate. After each kill the file is judged by what the tills had told.

mod lies;
mod lines;
mod story;
mod sums;
pub(crate) mod till;

use std::io::Write;
use story::Story;
use sums::Sums;
use tests::dice::{Dice, seed};

/// D-3, R-5, R-8, T-2, Z-1: whenever a process is killed, what it had answered is there, a key has one receipt, no
/// pass is used beyond its uses, the books add up, and runs go on from where they were to their end.
#[test]
fn processes_are_killed_at_random() {
    let kills = if tests::is_long() { 2_000 } else { 200 };
    let seed = seed("kills");
    let mut dice = Dice::new(seed);
    let mut sums = Sums::new(kills);
    while !sums.are_enough() {
        Story::new(dice.below(u64::MAX), &mut sums).tell();
        if tests::is_long() {
            // Past libtest, which would keep it to itself.
            let _ = writeln!(std::io::stderr(), "{} of {kills} kills", sums.kills);
        }
    }
    println!("{sums}");
    let misses = sums.misses();
    assert!(misses.is_empty(), "the kills didn't hit what they are meant to hit: {misses:#?}");
}

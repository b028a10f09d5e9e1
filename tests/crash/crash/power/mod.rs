//! The power is cut, at any moment, while tills issue, sell, activate, redeem, reverse and generate. What the disk
//! may then hold is judged by what the tills had been answered.

mod moments;
mod story;

use moments::Sums;
use std::panic::{AssertUnwindSafe, catch_unwind};
use story::{Story, Way};
use tests::dice::{Dice, seed};

/// Tells stories until there are so many images.
fn images(wanted: u64, way: Way) {
    let seed = seed("power cuts");
    let (mut dice, mut sums) = (Dice::new(seed), Sums::new(wanted));
    while !sums.are_enough() {
        Story::new(dice.below(u64::MAX), way, &mut sums).tell();
    }
    println!("{sums}");
    let misses = sums.misses();
    assert!(misses.is_empty(), "the cuts didn't hit what they are meant to hit: {misses:#?}");
}

fn wanted() -> u64 {
    if tests::is_long() { 8_000 } else { 300 }
}

/// D-3, R-5, R-8, T-2, Z-1: whenever the power is cut, whatever of the unsynced the disk keeps, what was answered is
/// there, a key has one receipt, no pass is used beyond its uses, the books add up, and runs go on to their end.
#[test]
fn power_is_cut_at_any_moment() {
    images(wanted(), Way::Well);
}

/// D-3, D-7, R-5: the same while the disk fails now and then. Who is told that nothing landed finds nothing; who is in
/// doubt finds all or nothing.
#[test]
fn power_is_cut_while_the_disk_fails() {
    images(wanted() / 2, Way::Failing);
}

/// Whether an answer is found lost on a disk to which the store syncs less.
fn finds_lost_answers(way: Way) -> bool {
    let mut dice = Dice::new(7);
    // The first cut shows it, as a rule.
    (0..10).any(|_| {
        let mut sums = Sums::new(40);
        let told = catch_unwind(AssertUnwindSafe(|| Story::new(dice.below(u64::MAX), way, &mut sums).tell()));
        // Without any sync a file may be past reading, which is told in other words.
        told.is_err_and(|why| {
            why.downcast_ref::<String>().is_some_and(|why| why.contains("an answer is lost"))
        })
    })
}

/// D-3: the test of power cuts finds what is lost when commits aren't synced.
#[test]
fn without_a_sync_at_each_commit_answers_are_lost() {
    assert!(finds_lost_answers(Way::Synchronous(1)), "nothing is lost with synchronous=NORMAL");
}

/// D-3: nor when nothing is.
#[test]
fn without_any_sync_answers_are_lost() {
    assert!(finds_lost_answers(Way::Synchronous(0)), "nothing is lost with synchronous=OFF");
}

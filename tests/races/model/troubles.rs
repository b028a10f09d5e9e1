//! Each trouble by itself, on every store: it really comes, it is what it is called, and nothing comes out different.

use super::draw::Kind;
use super::play::{GIVEN_UP, GIVEN_UP_LANDED, IN_DOUBT, IN_DOUBT_LANDED, LOOKED_UP};
use super::stage::{Place, Troubled, in_file, in_memory, in_shared_file};
use super::{Sum, worlds};
use passes_conformance::chaos::{Met, Trouble};

/// Who has to try again lets others come first, and nothing else happens.
const CALM: Trouble = Trouble { most_turns: 1, ..Trouble::NONE };

/// What some worlds come to where this is all that is met, on each store. Up to six callers come at once.
fn on_every_store(trouble: Trouble, check: fn(Sum)) {
    for place in [in_memory, in_file, in_shared_file] {
        let place = || -> Box<dyn Place> { Box::new(Troubled(place(), trouble)) };
        let mut sum = Sum::default();
        for seed in 1..=4 {
            let world = worlds("model::troubles", Kind::AtOnce, seed, 250, &place);
            sum = sum.and(world.unwrap_or_else(|report| panic!("{trouble:?}: {report}")));
        }
        sum.print();
        check(sum);
    }
}

/// D-2: conflicts that nobody made are met by commands and by what is committed directly, and tried again.
#[test]
fn conflicts_come_that_nobody_made() {
    on_every_store(Trouble { conflict: 3, direct_conflict: 3, ..CALM }, |sum| {
        assert!(sum.met.conflicts > 50);
        assert_eq!(
            sum.met,
            Met { conflicts: sum.met.conflicts, true_conflicts: sum.met.true_conflicts, ..Met::default() }
        );
        assert_eq!((sum.of(IN_DOUBT), sum.of(IN_DOUBT_LANDED), sum.of(LOOKED_UP)), (0, 0, 0));
    });
}

/// D-2, R-8: between load and commit others come, what they commit is met, and nobody is refused for it.
#[test]
fn others_commit_between_load_and_commit() {
    on_every_store(Trouble { turns: 1, most_turns: 3, ..CALM }, |sum| {
        assert!(sum.met.delays > 500 && sum.met.true_conflicts > 0);
        assert_eq!(
            sum.met,
            Met { delays: sum.met.delays, true_conflicts: sum.met.true_conflicts, ..Met::default() }
        );
        assert_eq!((sum.of(IN_DOUBT), sum.of(IN_DOUBT_LANDED), sum.of(LOOKED_UP)), (0, 0, 0));
    });
}

/// D-3, R-5: of the commits that are in doubt some landed and some did not. With a key that is looked up, and told as
/// what the command did.
#[test]
fn answers_are_lost_of_what_landed() {
    on_every_store(Trouble { lost: 4, ..CALM }, |sum| {
        let Met { lost, unasked, .. } = sum.met;
        assert!(lost > 20 && unasked > 20);
        assert!(sum.of(IN_DOUBT) > 0 && sum.of(IN_DOUBT_LANDED) > 0 && sum.of(LOOKED_UP) > 0);
    });
}

/// D-3: a commit whose future is dropped was begun, and lands although nobody hears of it.
#[test]
fn commits_are_dropped_and_land() {
    on_every_store(Trouble { abandoned: 4, ..CALM }, |sum| {
        assert!(sum.met.abandoned > 20);
        assert!(sum.of(IN_DOUBT_LANDED) > 0 && sum.of(LOOKED_UP) > 0);
        assert_eq!((sum.met.lost, sum.met.unasked, sum.met.conflicts), (0, 0, 0));
    });
}

/// D-3, D-6: callers drop their futures at any point: some before anything landed, some after.
#[test]
fn callers_give_up() {
    on_every_store(Trouble { turns: 1, most_turns: 3, ..CALM }, |sum| {
        assert!(sum.of(GIVEN_UP) > 0 && sum.of(GIVEN_UP_LANDED) > 0);
    });
}

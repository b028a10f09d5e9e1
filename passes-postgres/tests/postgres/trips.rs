//! What is sent, counted.

use crate::{commit, done, pass, store, take, taking, used, with_passes};
use passes_core::store::{Add, Answer, Change, Load, Store, StoreError, TallyKey, wait};
use passes_postgres::Postgres;

/// How many round trips something takes. It is done once before, so that what it prepares is prepared.
fn trips<T>(store: &Postgres, mut work: impl FnMut() -> T) -> u64 {
    work();
    let before = (store.round_trips(), store.prepared());
    work();
    assert_eq!(store.prepared(), before.1, "something was prepared a second time");
    store.round_trips() - before.0
}

/// D-1: a command is two round trips, and one that is refused without counting anything is one.
#[test]
fn a_command_is_two_round_trips() {
    let Some(store) = store() else { return };
    with_passes(&store, 2, 2, 0);
    let run = |n| wait(store.run(take(pass(n)))).unwrap();
    assert_eq!(trips(&store, || assert!(matches!(run(1), Answer::Done(_)))), 2);
    assert_eq!(trips(&store, || assert!(matches!(run(1), Answer::Refused(_)))), 1);
    // Nothing is asked that nobody wants to know.
    let nothing = Load::new(crate::SHOP);
    assert_eq!(trips(&store, || wait(store.load(&nothing)).unwrap()), 0);
    assert_eq!(trips(&store, || wait(store.load(&Load { taken: Vec::new(), ..nothing.clone() }))), 0);
}

/// no command needs more than three round trips when one other is in its way.
#[test]
fn a_conflict_costs_what_a_command_costs() {
    let Some(store) = store() else { return };
    with_passes(&store, 1, 100, 0);
    wait(store.run(take(pass(1)))).unwrap();
    let store = &store;
    let mut barges = 1;
    let command = take(pass(1));
    let load = command.load().clone();
    let decide = move |loaded: &passes_core::store::Loaded| command.decide(loaded);
    // Somebody else takes a use between its load and its commit.
    std::thread::scope(|scope| {
        let (asked, ask) = std::sync::mpsc::channel::<()>();
        let (told, tell) = std::sync::mpsc::channel::<()>();
        let other = scope.spawn(move || {
            ask.recv().unwrap();
            commit(store, taking(pass(1))).unwrap();
            told.send(()).unwrap();
        });
        let decide = move |loaded: &passes_core::store::Loaded| {
            if barges > 0 {
                barges -= 1;
                asked.send(()).unwrap();
                tell.recv().unwrap();
            }
            decide(loaded)
        };
        let before = store.round_trips();
        let command = passes_core::store::Command::new(load, decide);
        assert!(matches!(wait(store.run(command)).unwrap(), Answer::Done(_)));
        other.join().unwrap();
        // Two that were in vain, two behind the gate, and one of the other's.
        assert_eq!(store.round_trips() - before, 5);
    });
    assert_eq!(used(store, pass(1)), 3);
}

/// R-11, D-3: changes that don't touch the same share one statement; if one of them fails, each goes alone.
#[test]
fn changes_share_a_statement() {
    let Some(store) = store() else { return };
    with_passes(&store, 100, 2, 0);
    let changes: Vec<Change> = (1..=100).map(|n| taking(pass(n))).collect();
    let before = store.round_trips();
    let answers = wait(store.commit(&changes)).unwrap();
    assert_eq!(store.round_trips() - before, 1);
    let numbers: Vec<u64> = answers.iter().map(|after| after.as_ref().unwrap().operation).collect();
    assert!(numbers.windows(2).all(|two| two[0] < two[1]), "{numbers:?}");
    assert!(answers.iter().all(|after| after.as_ref().unwrap().tallies[0].used == 1));

    let mut changes = changes;
    changes[40].tally[0].used = 2;
    let before = store.round_trips();
    let answers = wait(store.commit(&changes)).unwrap();
    assert_eq!(store.round_trips() - before, 1 + 100);
    let failed: Vec<usize> = (0..100).filter(|at| answers[*at].is_err()).collect();
    assert_eq!((failed.as_slice(), &answers[40]), (&[40][..], &Err(StoreError::Conflict)));
    assert_eq!((used(&store, pass(40)), used(&store, pass(41)), used(&store, pass(100))), (2, 1, 2));
}

/// R-11, D-3: those that touch the same go one after the other, each seeing those before it, in as few statements as that
/// takes.
#[test]
fn changes_that_meet_go_one_after_the_other() {
    let Some(store) = store() else { return };
    with_passes(&store, 2, 3, 0);
    // 1, 2 | 1, 2 | 1 | 1: the fourth use is one too many.
    let changes: Vec<Change> = [1, 2, 1, 2, 1, 1].map(|n| taking(pass(n))).into();
    let before = store.round_trips();
    let answers = wait(store.commit(&changes)).unwrap();
    assert_eq!(store.round_trips() - before, 4);
    let used: Vec<_> =
        answers.iter().map(|after| after.as_ref().ok().map(|after| after.tallies[0].used)).collect();
    assert_eq!(used, [Some(1), Some(1), Some(2), Some(2), Some(3), None]);
}

/// callers that add to one tally at the same moment all land, and none is told of a conflict: no more statements are
/// sent than a few each.
#[test]
fn additions_to_one_tally_land() {
    let Some(store) = store() else { return };
    commit(&store, done()).unwrap();
    let (name, store) = ([9; 16], &store);
    let before = store.round_trips();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(move || {
                for _ in 0..25 {
                    let add = Add { limit: Some(400), ..Add::used(TallyKey::Named(name, 0), 1) };
                    commit(store, Change { tally: vec![add], ..done() }).unwrap();
                }
            });
        }
    });
    let load = Load { tallies: vec![TallyKey::Named(name, 0)], ..Load::new(crate::SHOP) };
    assert_eq!(wait(store.load(&load)).unwrap().tallies[0].used, 400);
    let sent = store.round_trips() - before;
    assert!(sent < 2 * 400, "{sent} for 400 additions");
}

/// a hundred commands that have nothing to do with each other take two round trips; each has its own answer.
#[test]
fn commands_share_their_round_trips() {
    let Some(store) = store() else { return };
    with_passes(&store, 100, 2, 0);
    let commands = || (1..=100).map(|n| take(pass(n))).collect();
    wait(store.run(take(pass(7)))).unwrap();
    let before = store.round_trips();
    let answers = wait(store.run_all(commands())).unwrap();
    assert_eq!(store.round_trips() - before, 2);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Answer::Done(_)))));
    let answers = wait(store.run_all(commands())).unwrap();
    let refused: Vec<usize> = (0..100).filter(|at| matches!(&answers[*at], Ok(Answer::Refused(_)))).collect();
    assert_eq!(refused, [6]);
    assert!((1..=100).all(|n| used(&store, pass(n)) == 2));
}

/// R-11, D-3: commands of one call that want the same are run in order, each seeing those before it.
#[test]
fn commands_that_meet_see_each_other() {
    let Some(store) = store() else { return };
    with_passes(&store, 3, 3, 0);
    // Six for the first pass, two each for the others.
    let wanted = [1, 2, 1, 1, 3, 1, 2, 1, 3, 1];
    let answers = wait(store.run_all(wanted.map(|n| take(pass(n))).into())).unwrap();
    let used: Vec<Option<i64>> = answers
        .iter()
        .map(|answer| match answer {
            Ok(Answer::Done(done)) => Some(done.tallies[0].used),
            Ok(Answer::Refused(_)) => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let one = Some(1);
    assert_eq!(used, [one, one, Some(2), Some(3), one, None, Some(2), None, Some(2), None]);
    let numbers: Vec<u64> = answers
        .iter()
        .filter_map(|answer| if let Ok(Answer::Done(done)) = answer { Some(done.operation) } else { None })
        .collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

/// lists that several callers give at once for the same passes take every use once.
#[test]
fn lists_race() {
    let Some(store) = store() else { return };
    with_passes(&store, 20, 6, 0);
    let store = &store;
    let done: usize = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || {
                    let answers = wait(store.run_all((1..=20).map(|n| take(pass(n))).collect())).unwrap();
                    answers
                        .iter()
                        .filter(|answer| matches!(answer.as_ref().unwrap(), Answer::Done(_)))
                        .count()
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert_eq!(done, 120);
    assert!((1..=20).all(|n| used(store, pass(n)) == 6));
}

//! Whoever comes at the same time, the books and the events of a pass are in the order in which things happened.

use crate::{commit, done, events, pass, settled, store, taking, with_passes};
use passes_core::ledger::Subject;
use passes_core::store::{Add, Change, PageQuery, Store, TallyKey, wait};

const CALLERS: usize = 16;
const EACH: usize = 30;

/// E-1, W-1: many at once take money from one pass; each entry is numbered above the one before it, and so are the events:
/// the balance that each tells falls from one to the next.
#[test]
fn entries_and_events_are_in_the_order_of_what_happened() {
    let Some(store) = store() else { return };
    with_passes(&store, 1, 1, i64::MAX);
    let store = &store;
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(move || {
                for _ in 0..EACH {
                    let change = Change {
                        tally: vec![Add::used(TallyKey::Balance(pass(1)), 1)],
                        entries: vec![settled(pass(1), 1)],
                        ..done()
                    };
                    commit(store, change).unwrap();
                }
            });
        }
    });
    let query = PageQuery::History {
        business: crate::SHOP,
        subject: Subject::Pass(pass(1)),
        before: None,
        limit: 10_000,
    };
    let history = wait(store.page(&query)).unwrap().entries;
    assert_eq!(history.len(), CALLERS * EACH);
    for two in history.windows(2) {
        assert_eq!(two[0].before_from, two[1].number);
        assert!(two[0].number > two[1].number);
    }
    let told: Vec<i64> = events(store).iter().skip(1).map(|operation| operation.after[0].used).collect();
    let expected: Vec<i64> = (1..).take(CALLERS * EACH).collect();
    assert_eq!(told, expected);
}

/// E-1: so are those of commands that book nothing.
#[test]
fn events_without_entries_are_in_the_order_of_what_happened() {
    let Some(store) = store() else { return };
    with_passes(&store, 1, i64::MAX, 0);
    let store = &store;
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(move || (0..EACH).for_each(|_| assert!(commit(store, taking(pass(1))).is_ok())));
        }
    });
    let told: Vec<i64> = events(store).iter().skip(1).map(|operation| operation.after[0].used).collect();
    let expected: Vec<i64> = (1..).take(CALLERS * EACH).collect();
    assert_eq!(told, expected);
}

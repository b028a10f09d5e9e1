//! Redemptions by code that callers ask for at the same moment, and what is known of plans and lots between them.

use crate::plans_hot::digest;
use crate::{SHOP, alone, commit, done, pass, store, used, with_passes};
use passes_core::Refusal;
use passes_core::id::Id;
use passes_core::store::{
    Add, Answer, Change, Claim, Command, Decision, Doc, DocKey, DocKind, Expect, Load, Loaded, Put, Record,
    Store, TallyKey, wait,
};
use passes_postgres::Postgres;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const PLAN: DocKey = DocKey { kind: DocKind::Plan, id: [0xA1; 16] };
const TERMS: DocKey = DocKey { kind: DocKind::Terms, id: [0xA2; 16] };

fn business() -> DocKey {
    DocKey { kind: DocKind::Business, id: SHOP.to_bytes() }
}

fn lot() -> DocKey {
    DocKey { kind: DocKind::Lot, id: pass(1).lot().to_bytes() }
}

fn doc(key: DocKey, parent: Option<DocKey>, body: &[u8], expect: Expect) -> Put {
    Put { record: Record::Doc(Doc { key, version: 1, parent, body: body.into() }), expect }
}

/// A lot of passes with codes, and its documents.
fn shop(store: &Postgres, count: u32, uses: i64) {
    with_passes(store, count, uses, 0);
    let put = vec![
        doc(business(), None, b"{}", Expect::Absent),
        doc(PLAN, None, b"open", Expect::Absent),
        doc(TERMS, Some(PLAN), b"{}", Expect::Absent),
        doc(lot(), Some(TERMS), b"{}", Expect::Absent),
    ];
    let claim = (1..=count).map(|n| Claim { digest: digest(n.into()), pass: pass(n) }).collect();
    commit(store, Change { put, claim, ..done() }).unwrap();
}

/// Redeems a code: takes a use while the plan is open.
fn redeem(serial: u32) -> Command {
    let mut load = Load::new(SHOP);
    load.code = Some(digest(serial.into()));
    load.docs = vec![business()];
    let decide = |loaded: &Loaded| match (&loaded.code, loaded.doc(&PLAN)) {
        (Some(found), Some(plan)) if found.uses.left() > 0 && *plan.body == *b"open" => {
            let add = Add { from: Some(found.uses.used), ..Add::used(TallyKey::Uses(found.id), 1) };
            let seen = vec![(PLAN, plan.version)];
            Decision::Accepted(Change { tally: vec![add], seen, ..done() }.into())
        }
        _ => Decision::Refused(vec![Refusal::UsesSpent { uses: 1 }], None),
    };
    Command::new(load, decide)
}

fn is_done(store: &Postgres, serial: u32) -> bool {
    match wait(store.run(redeem(serial))).unwrap() {
        Answer::Done(_) => true,
        Answer::Refused(_) => false,
        other => panic!("{other:?}"),
    }
}

/// redemptions of many callers share round trips; each has its own answer and its own number, and no use is
/// taken twice.
#[test]
fn redemptions_that_come_together_share_their_round_trips() {
    let Some(store) = store() else { return };
    shop(&store, 16, 60);
    (1..=16).for_each(|n| assert!(is_done(&store, n)));
    let (store, numbers) = (&store, &Mutex::new(BTreeSet::new()));
    let before = store.round_trips();
    std::thread::scope(|scope| {
        for n in 1..=16 {
            scope.spawn(move || {
                for taken in 2..=60 {
                    let Answer::Done(done) = wait(store.run(redeem(n))).unwrap() else { panic!("refused") };
                    assert_eq!(done.tallies[0].used, taken);
                    assert!(numbers.lock().unwrap().insert(done.operation));
                }
                assert!(!is_done(store, n));
            });
        }
    });
    assert_eq!(numbers.lock().unwrap().len(), 16 * 59);
    assert!((1..=16).all(|n| used(store, pass(n)) == 60));
    let sent = store.round_trips() - before;
    assert!(sent <= 2 * 16 * 60 + 16 * 16, "{sent}");
}

/// a code that many callers present at the same moment is redeemed once.
#[test]
fn one_of_those_who_present_a_code_wins() {
    let Some(store) = store() else { return };
    shop(&store, 40, 1);
    let store = &store;
    for n in 1..=40 {
        let won: usize = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..8).map(|_| scope.spawn(move || is_done(store, n))).collect();
            callers.into_iter().map(|caller| usize::from(caller.join().unwrap())).sum()
        });
        assert_eq!((won, used(store, pass(n))), (1, 1));
    }
}

/// D-3, D-6: tasks of an executor go together, too, and one that goes away takes nobody else's answer with it.
#[test]
fn tasks_go_together() {
    let Some(store) = store() else { return };
    shop(&store, 16, 1_000);
    (1..=16).for_each(|n| assert!(is_done(&store, n)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = std::sync::Arc::new(store);
    let done: u32 = runtime.block_on(async {
        let mut tasks = Vec::new();
        for n in 1..=16 {
            let store = std::sync::Arc::clone(&store);
            tasks.push(tokio::spawn(async move {
                let mut done = 0;
                for round in 0..20 {
                    // Every other task lets a command of its own go after some polls.
                    if n % 2 == 0 {
                        let mut gone = store.run(redeem(n));
                        for _ in 0..round {
                            let polled = std::future::poll_fn(|context| {
                                std::task::Poll::Ready(gone.as_mut().poll(context).is_ready())
                            });
                            if polled.await {
                                break;
                            }
                            tokio::task::yield_now().await;
                        }
                    }
                    let answer = store.run(redeem(n)).await.unwrap();
                    done += u32::from(matches!(answer, Answer::Done(_)));
                }
                done
            }));
        }
        let mut done = 0;
        for task in tasks {
            done += task.await.unwrap();
        }
        done
    });
    assert_eq!(done, 16 * 20);
    let store = std::sync::Arc::into_inner(store).unwrap();
    // Odd ones sent nothing else.
    assert!((1..=16).filter(|n| n % 2 == 1).all(|n| used(&store, pass(n)) == 21));
    assert!((1..=16).filter(|n| n % 2 == 0).all(|n| (21..=41).contains(&used(&store, pass(n)))));
}

/// D-3, P-4: what is known of a plan is judged again when a redemption is committed: one that was closed elsewhere is
/// closed at once, and open again when it is.
#[test]
fn what_is_known_is_judged_again() {
    let Some((_, url)) = crate::database() else { return };
    let (store, other) = (Postgres::open(&url).unwrap(), Postgres::open(&url).unwrap());
    shop(&store, 1, 1_000);
    let mut taken = 0;
    for (version, closes) in [(1, true), (2, false), (3, true), (4, false)] {
        for _ in 0..20 {
            let open = version % 2 == 1;
            assert_eq!(is_done(&store, 1), open);
            taken += i64::from(open);
        }
        let body: &[u8] = if closes { b"closed" } else { b"open" };
        let put = vec![doc(PLAN, None, body, Expect::Version(version))];
        // By somebody else, and by the store itself.
        let by = if version < 3 { &other } else { &store };
        commit(by, Change { put, ..done() }).unwrap();
    }
    assert!(is_done(&store, 1));
    assert_eq!(used(&store, pass(1)), taken + 1);
}

/// D-3, P-4: the same where many go together, in several lanes, while somebody else closes and opens the plan again and
/// again.
#[test]
fn what_those_who_go_together_know_is_judged_again() {
    let Some((_, url)) = crate::database() else { return };
    let (store, other) =
        (Postgres::options().connections(16).open(&url).unwrap(), Postgres::open(&url).unwrap());
    shop(&store, 12, 1_000_000);
    // How often it was closed and opened: by an odd number it is closed.
    let (turns, ended) = (AtomicU32::new(0), AtomicBool::new(false));
    let (store, turns, ended, landed) = (&store, &turns, &ended, &AtomicU32::new(0));
    std::thread::scope(|scope| {
        for n in 1..=12 {
            scope.spawn(move || {
                while !ended.load(Ordering::SeqCst) {
                    let before = turns.load(Ordering::SeqCst);
                    let done = is_done(store, n);
                    let after = turns.load(Ordering::SeqCst);
                    landed.fetch_add(u32::from(done), Ordering::SeqCst);
                    let closed = before == after && before % 2 == 1;
                    assert!(!(closed && done), "landed while the plan was closed");
                }
            });
        }
        let set = |version: u32, body: &[u8]| {
            let put = vec![doc(PLAN, None, body, Expect::Version(version))];
            commit(&other, Change { put, ..done() }).unwrap();
        };
        for round in 0..12 {
            std::thread::sleep(Duration::from_millis(20));
            set(2 * round + 1, b"closed");
            turns.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(10));
            turns.fetch_add(1, Ordering::SeqCst);
            set(2 * round + 2, b"open");
        }
        ended.store(true, Ordering::SeqCst);
    });
    let used: i64 = (1..=12).map(|n| used(store, pass(n))).sum();
    assert_eq!(used, i64::from(landed.load(Ordering::SeqCst)));
    assert!(used > 0);
}

/// R-11, D-1: a list of a few takes two round trips, as one of many does, and nothing is prepared for it that a list of
/// another length would not use.
#[test]
fn a_list_of_a_few_takes_two_round_trips() {
    let Some(store) = store() else { return };
    shop(&store, 12, 1_000);
    let list = |count: u32| {
        let before = store.round_trips();
        let answers = wait(store.run_all((1..=count).map(redeem).collect())).unwrap();
        assert_eq!(answers.len(), usize::try_from(count).unwrap());
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Answer::Done(_)))));
        store.round_trips() - before
    };
    // The first of each length prepares what it needs.
    assert!((1..=12).all(|count| list(count) >= 2));
    let prepared = store.prepared();
    assert!((2..=12).all(|count| list(count) == 2));
    assert_eq!(store.prepared(), prepared);
    assert_eq!(used(&store, pass(1)), 23);
    // One that is refused is told so, and the others land.
    commit(&store, Change { tally: vec![Add::used(TallyKey::Uses(pass(3)), 1_000 - 20)], ..done() }).unwrap();
    let answers = wait(store.run_all((1..=5).map(redeem).collect())).unwrap();
    let refused: Vec<bool> = answers.iter().map(|answer| matches!(answer, Ok(Answer::Refused(_)))).collect();
    assert_eq!(refused, [false, false, true, false, false]);
}

/// R-11, D-3, P-4: lists, too, rest on what is known of their plan: it is judged again when they are committed, and nothing
/// is refused by it. A list with a refusal takes one round trip more, however many there are.
#[test]
fn a_list_knows_its_plan_and_is_judged_by_it() {
    let Some((_, url)) = crate::database() else { return };
    let (store, other) = (Postgres::open(&url).unwrap(), Postgres::open(&url).unwrap());
    shop(&store, 60, 1_000);
    (0..12).for_each(|_| assert!(is_done(&store, 1)));
    // A few go by statements of their own, many by one for all. Which of them are done, and the round trips:
    let list = |count: u32| {
        let before = store.round_trips();
        let answers = wait(store.run_all((1..=count).map(redeem).collect())).unwrap();
        let done = answers.iter().filter(|answer| matches!(answer, Ok(Answer::Done(_)))).count();
        let refused = answers.iter().filter(|answer| matches!(answer, Ok(Answer::Refused(_)))).count();
        assert_eq!(done + refused, usize::try_from(count).unwrap(), "{answers:?}");
        (done, store.round_trips() - before)
    };
    for count in [12, 60] {
        let all = usize::try_from(count).unwrap();
        list(count);
        assert_eq!(list(count), (all, 2));
        // Two of them are spent.
        let left = |n| 1_000 - used(&store, pass(n));
        let spend = |n| Add::used(TallyKey::Uses(pass(n)), left(n));
        commit(&store, Change { tally: vec![spend(2), spend(9)], ..done() }).unwrap();
        assert_eq!(list(count), (all - 2, 3));
        let give = |n| Add::used(TallyKey::Uses(pass(n)), -500);
        commit(&store, Change { tally: vec![give(2), give(9)], ..done() }).unwrap();
        // Somebody else closes the plan, and opens it again.
        let version = wait(store.load(redeem(1).load())).unwrap().doc(&PLAN).unwrap().version;
        let put = |body: &[u8], version| vec![doc(PLAN, None, body, Expect::Version(version))];
        commit(&other, Change { put: put(b"closed", version), ..done() }).unwrap();
        assert_eq!(list(count).0, 0);
        assert_eq!(list(count).0, 0);
        commit(&other, Change { put: put(b"open", version + 1), ..done() }).unwrap();
        assert_eq!(list(count).0, all);
        assert_eq!(list(count).0, all);
    }
    // A code that nobody has is no reason to wait for the others.
    let answers = wait(store.run_all([1, 61, 2].map(redeem).into())).unwrap();
    let refused: Vec<bool> = answers.iter().map(|answer| matches!(answer, Ok(Answer::Refused(_)))).collect();
    assert_eq!(refused, [false, true, false]);
}

/// D-1: a redemption whose lot is known is two round trips, as is one whose lot isn't.
#[test]
fn what_is_known_costs_no_round_trip() {
    let Some(store) = store() else { return };
    shop(&store, 1, 1_000);
    let trips: BTreeSet<u64> = (0..40)
        .map(|_| {
            let before = store.round_trips();
            assert!(is_done(&store, 1));
            store.round_trips() - before
        })
        .collect();
    assert_eq!(trips, BTreeSet::from([2]));
}

/// D-3, D-4: a pass that somebody holds is waited for by who wants it, and by nobody else.
#[test]
fn a_pass_that_is_held_holds_up_nobody_else() {
    let Some((server, url)) = alone() else { return };
    let store = Postgres::open(&url).unwrap();
    shop(&store, 9, 1_000);
    (0..12).for_each(|_| assert!(is_done(&store, 9)));
    let (store, url) = (&store, &url);
    let _ = server.say(url, "CREATE TABLE public.go (on_ int)");
    std::thread::scope(|scope| {
        let hold = "DO $$ BEGIN PERFORM 1 FROM passes.pass WHERE serial=1 FOR UPDATE; \
                    WHILE NOT EXISTS (SELECT FROM public.go) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$";
        scope.spawn(move || server.say(url, hold));
        let free = "SELECT count(*) FROM (SELECT FROM passes.pass WHERE serial=1 FOR UPDATE SKIP LOCKED) x";
        while server.say(url, free) != "0" {
            std::thread::yield_now();
        }
        let stuck: Vec<_> = (0..3).map(|_| scope.spawn(move || is_done(store, 1))).collect();
        let others: Vec<_> =
            (2..=9).map(|n| scope.spawn(move || (0..25).all(|_| is_done(store, n)))).collect();
        assert!(others.into_iter().all(|other| other.join().unwrap()));
        assert!(stuck.iter().all(|stuck| !stuck.is_finished()));
        let _ = server.say(url, "INSERT INTO public.go VALUES (1)");
        assert!(stuck.into_iter().all(|stuck| stuck.join().unwrap()));
    });
    assert_eq!(used(store, pass(1)), 3);
}

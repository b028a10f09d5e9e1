//! A standby that follows its primary: what it answers, and what it has no part in.

use crate::{commit, done, pass, take, taking, used, with_passes};
use passes_core::pass::PassRow;
use passes_core::store::{
    Answer, AuditRow, Change, Chunk, Load, PageQuery, PassOrder, PassRange, Store, StoreError, wait,
};
use passes_postgres::{Postgres, Standby};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use test_postgres::{End, Server};

/// A server with a standby that it doesn't wait for; a database there, and a store on it with two passes.
struct Pair {
    primary: Server,
    standby: Server,
    /// The URL of the database on the standby.
    url: String,
    store: Postgres,
}

fn pair() -> Option<Pair> {
    let primary = Server::own(&[])?;
    let standby = primary.standby();
    let here = primary.database();
    for statement in ["ALTER SYSTEM SET synchronous_standby_names=''", "SELECT pg_reload_conf()"] {
        let _ = primary.say(&here, statement);
    }
    let store = Postgres::open(&here).unwrap();
    with_passes(&store, 2, 1_000, 50);
    let url = standby.same_database(&here);
    let pair = Pair { primary, standby, url, store };
    pair.follow();
    Some(pair)
}

impl Pair {
    /// Waits until the standby has replayed all that the primary has written by now.
    fn follow(&self) {
        let any = self.primary.same_database(&self.url);
        let at = self.primary.say(&any, "SELECT pg_current_wal_lsn()");
        let there = format!("SELECT coalesce(pg_last_wal_replay_lsn()>='{at}',false)");
        let postgres = self.url.rsplit_once('/').unwrap().0.to_owned() + "/postgres";
        eventually("the standby follows", || self.standby.say(&postgres, &there) == "t");
    }

    /// Has the standby stop where it is; it goes on receiving.
    fn hold(&self) {
        let _ = self.standby.say(&self.url, "SELECT pg_wal_replay_pause()");
        let state = "SELECT pg_get_wal_replay_pause_state()";
        eventually("it is paused", || self.standby.say(&self.url, state) == "paused");
    }

    fn go_on(&self) {
        let _ = self.standby.say(&self.url, "SELECT pg_wal_replay_resume()");
        self.follow();
    }
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The uses that are gone of the first pass, as each kind of question tells.
fn told(store: &dyn Store) -> [i64; 5] {
    let business = crate::SHOP;
    let load = Load { passes: vec![pass(1)], ..Load::new(business) };
    let loaded = wait(store.load(&load)).unwrap().passes[0].uses.used;
    let range = PassRange { first: pass(1), last: pass(9), limit: 9 };
    let query = PageQuery::Passes { business, range, order: PassOrder::Serial, after: None };
    let listed = wait(store.page(&query)).unwrap().passes[0].uses.used;
    // One operation made the passes, and each other took a use.
    let events = wait(store.events(business, 0, 1_000)).unwrap().len();
    let counted = |audit: bool| {
        let (seen, rows) = mpsc::channel();
        let each = Box::new(move |row| {
            if matches!(row, AuditRow::Operation { .. }) {
                seen.send(()).unwrap();
            }
        });
        wait(if audit { store.audit(business, each) } else { store.ledger(business, 0, each) }).unwrap();
        rows.iter().count()
    };
    let others = [events, counted(true), counted(false)].map(|count| i64::try_from(count).unwrap() - 1);
    [loaded, listed, others[0], others[1], others[2]]
}

/// D-1: what is asked of a standby is answered by it: while its replay is held, it tells of the past, and then of the
/// present. How far it is behind is told.
#[test]
fn a_standby_answers_questions() {
    let Some(pair) = pair() else { return };
    let standby = Standby::open(&pair.url).unwrap();
    commit(&pair.store, taking(pass(1))).unwrap();
    pair.follow();
    assert_eq!(told(&standby), [1; 5]);
    assert_eq!(wait(standby.behind()).unwrap(), Some(Duration::ZERO));

    pair.hold();
    for _ in 0..4 {
        commit(&pair.store, taking(pass(1))).unwrap();
    }
    assert_eq!((told(&standby), told(&pair.store)), ([1; 5], [5; 5]));
    let behind = || wait(standby.behind()).unwrap().unwrap();
    eventually("it is behind", || behind() > Duration::ZERO);
    let before = behind();
    assert!(behind() > before);

    pair.go_on();
    assert_eq!((told(&standby), told(&pair.store)), ([5; 5], [5; 5]));
    eventually("it is behind no more", || behind().is_zero());
}

/// D-1, D-3: commands have no part in a standby: over it they are refused and nothing is sent; beside one that is held,
/// is down or comes back they go on, and lists over it say that they may be asked again.
#[test]
fn a_standby_is_none_of_a_commands_business() {
    let Some(pair) = pair() else { return };
    let standby = Postgres::options().wait_timeout(Duration::from_secs(5)).open_standby(&pair.url).unwrap();
    let sent = standby.round_trips();
    let refused = |error: Option<StoreError>| matches!(error, Some(StoreError::Backend(_)));
    assert!(refused(wait(standby.run(take(pass(1)))).err()));
    assert!(refused(wait(standby.commit(&[taking(pass(1))])).err()));
    let passes = vec![PassRow::draft(pass(7))];
    let chunk = Chunk { change: Change { ..done() }, codes: Vec::new(), passes };
    assert!(refused(wait(standby.fill(&chunk)).err()));
    let all = wait(standby.run_all(vec![take(pass(1)), take(pass(2))])).unwrap();
    assert!(all.into_iter().all(|answer| refused(answer.err())));
    assert_eq!((standby.round_trips(), used(&pair.store, pass(1))), (sent, 0));

    let takes = || matches!(wait(pair.store.run(take(pass(1)))), Ok(Answer::Done(_)));
    pair.hold();
    assert!((0..20).all(|_| takes()));
    let _ = pair.standby.say(&pair.url, "SELECT pg_wal_replay_resume()");
    pair.standby.end(End::AtOnce);
    assert!((0..20).all(|_| takes()));
    let load = Load { passes: vec![pass(1)], ..Load::new(crate::SHOP) };
    let down = wait(standby.load(&load));
    assert!(matches!(down, Err(StoreError::Transient(_))), "{down:?}");
    assert!(matches!(Standby::open(&pair.url), Err(StoreError::Transient(_))));
    pair.standby.start_again();
    assert!((0..20).all(|_| takes()));
    pair.follow();
    assert_eq!(told(&standby), [60; 5]);
}

/// D-1: one that is further behind than it may be doesn't answer, and says so; when it has caught up it does.
#[test]
fn a_standby_that_is_too_far_behind_says_so() {
    let Some(pair) = pair() else { return };
    let options = Postgres::options().most_behind(Duration::from_millis(50));
    let standby = options.open_standby(&pair.url).unwrap();
    let load = Load { passes: vec![pass(1)], ..Load::new(crate::SHOP) };
    let asked = || wait(standby.load(&load)).map(|loaded| loaded.passes[0].uses.used);
    assert_eq!(asked(), Ok(0));
    pair.hold();
    commit(&pair.store, taking(pass(1))).unwrap();
    // For a second what it said last is believed.
    eventually("it refuses", || match asked() {
        Ok(used) => used != 0,
        Err(StoreError::Transient(why)) => why.contains("behind"),
        Err(other) => panic!("{other:?}"),
    });
    pair.go_on();
    eventually("it answers again", || asked() == Ok(1));
}

/// D-4: nothing is made on a standby: where the tables aren't there yet, it says so.
#[test]
fn a_standby_waits_for_its_tables() {
    let Some(pair) = pair() else { return };
    let other = pair.primary.database();
    pair.follow();
    let there = pair.standby.same_database(&other);
    assert!(matches!(Standby::open(&there), Err(StoreError::Transient(_))));
    let store = Postgres::open(&other).unwrap();
    pair.follow();
    let standby = Standby::open(&there).unwrap();
    // The next form is not known to it.
    let _ = pair.primary.say(&other, "UPDATE passes.meta SET format=format+1");
    pair.follow();
    let newer = Err(StoreError::Unsupported { found: 2, known: 1 });
    assert_eq!(Standby::open(&there).map(drop), newer.clone());
    let load = Load { passes: vec![pass(1)], ..Load::new(crate::SHOP) };
    assert_eq!(wait(standby.load(&load)).map(drop), newer);
    drop(store);
}

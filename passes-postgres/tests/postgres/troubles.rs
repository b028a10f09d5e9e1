//! Troubles that a server really has: each is provoked on it, and found in its log.

use crate::{SHOP, commit, pass, take, taking, used, with_passes};
use passes_core::store::{
    Add, Answer, Change, Doc, DocKey, DocKind, Expect, Put, Record, Store, StoreError, TallyKey, wait,
};
use passes_postgres::Postgres;
use std::net::TcpListener;
use std::time::Duration;
use test_postgres::{Cut, End, Proxy, Server};

/// A server that writes down each error with its SQLSTATE.
fn talkative(settings: &[&str]) -> Option<Server> {
    let all = [&["log_min_messages=error", "log_error_verbosity=verbose"], settings].concat();
    Server::own(&all)
}

/// How often the server met this.
fn met(server: &Server, state: &str) -> usize {
    server.log().matches(&format!("ERROR:  {state}:")).count()
}

/// Waits until this is so.
fn until(server: &Server, url: &str, question: &str) {
    let start = std::time::Instant::now();
    while server.say(url, question) != "t" {
        assert!(start.elapsed() < Duration::from_secs(60), "{question}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

const WAITING: &str = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name='passes' \
                       AND wait_event_type='Lock' AND datname=current_database())";

const LOCKED: &str = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation='passes.pass'::regclass \
                      AND mode='RowExclusiveLock' AND granted)";

/// D-3: where the database's transactions are serializable by default, the store's are not, whether or not a pooler
/// keeps sessions as they are: who waits for a row has no serialization failure, and nobody is turned away.
#[test]
fn a_serializable_default_has_no_part() {
    let Some(server) = talkative(&[]) else { return };
    let url = server.database();
    let isolation = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation=serializable',\
                     current_database()); END $$";
    let _ = server.say(&url, isolation);
    let stores: Vec<Postgres> =
        [true, false].map(|pooler| Postgres::options().transaction_pooler(pooler).open(&url).unwrap()).into();
    with_passes(&stores[0], 1, 162, 0);
    // Somebody changes the pass while a commit waits for it.
    let other = format!(
        "BEGIN; UPDATE passes.pass SET version=version; DO $$ BEGIN FOR i IN 1..6000 LOOP \
         PERFORM pg_stat_clear_snapshot(); EXIT WHEN ({WAITING}); PERFORM pg_sleep(0.005); END LOOP; END $$; COMMIT"
    );
    std::thread::scope(|scope| {
        let held = scope.spawn(|| server.say(&url, &other));
        until(&server, &url, LOCKED);
        commit(&stores[0], taking(pass(1))).unwrap();
        let _ = held.join().unwrap();
        let held = scope.spawn(|| server.say(&url, &other));
        until(&server, &url, LOCKED);
        assert!(matches!(wait(stores[1].run(take(pass(1)))), Ok(Answer::Done(_))));
        let _ = held.join().unwrap();
    });
    assert_eq!(met(&server, "40001"), 0, "{}", server.log());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &stores[thread % 2];
            scope.spawn(move || {
                for _ in 0..20 {
                    let taken = wait(store.run(take(pass(1))));
                    assert!(matches!(taken, Ok(Answer::Done(_))), "{taken:?}");
                }
            });
        }
    });
    assert_eq!(used(&stores[0], pass(1)), 162);
    let over = wait(stores[1].run(take(pass(1))));
    assert!(matches!(over, Ok(Answer::Refused(_))), "{over:?}");
}

/// D-3, L-6: what a change has only seen is held by nobody: it lands while somebody changes that, and is judged by what
/// was committed. What it expects it waits for.
#[test]
fn what_is_only_seen_is_not_waited_for() {
    let Some(server) = talkative(&[]) else { return };
    let url = server.database();
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 1, 5, 0);
    let key = DocKey::numbered(DocKind::Refusals, 1);
    let doc = Doc { key, version: 1, parent: None, body: b"[]"[..].into() };
    let put = vec![Put { record: Record::Doc(doc), expect: Expect::Absent }];
    commit(&store, Change { put, ..crate::done() }).unwrap();
    let seeing = |version| Change { seen: vec![(key, version)], ..taking(pass(1)) };
    // Somebody changes the document, and commits only when somebody waits for him.
    let other = format!(
        "BEGIN; UPDATE passes.doc SET version=version+1; DO $$ BEGIN FOR i IN 1..6000 LOOP \
         PERFORM pg_stat_clear_snapshot(); EXIT WHEN ({WAITING}); PERFORM pg_sleep(0.005); END LOOP; END $$; COMMIT"
    );
    let changing = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation='passes.doc'::regclass \
                    AND mode='RowExclusiveLock' AND granted)";
    std::thread::scope(|scope| {
        let held = scope.spawn(|| server.say(&url, &other));
        until(&server, &url, changing);
        for _ in 0..2 {
            commit(&store, seeing(1)).unwrap();
            assert_eq!(commit(&store, seeing(2)), Err(StoreError::Conflict));
        }
        assert!(!held.is_finished());
        // The one that relies on it waits, and then it is another.
        let expecting = Change { expect: vec![(key, Expect::Version(1))], ..taking(pass(1)) };
        assert_eq!(commit(&store, expecting), Err(StoreError::Conflict));
        let _ = held.join().unwrap();
    });
    assert_eq!(commit(&store, seeing(1)), Err(StoreError::Conflict));
    commit(&store, seeing(2)).unwrap();
    assert_eq!(used(&store, pass(1)), 3);
}

/// D-3: whom the server chooses to end a deadlock is decided again; a bare commit is told of a conflict.
#[test]
fn deadlocks_are_decided_again() {
    let Some(server) = talkative(&["deadlock_timeout=800ms"]) else { return };
    let url = server.database();
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 2, 5, 0);
    // Somebody who takes both the other way round, and waits long before he looks for a deadlock.
    let other = format!(
        "BEGIN; SET LOCAL deadlock_timeout='60s'; UPDATE passes.pass SET version=version WHERE serial=2; \
         DO $$ BEGIN FOR i IN 1..6000 LOOP PERFORM pg_stat_clear_snapshot(); EXIT WHEN ({WAITING}); \
         PERFORM pg_sleep(0.005); END LOOP; END $$; \
         UPDATE passes.pass SET version=version WHERE serial=1; COMMIT"
    );
    let both = || {
        let tally = [1, 2].map(|n| Add::used(TallyKey::Uses(pass(n)), 1)).to_vec();
        Change { tally, ..crate::done() }
    };
    std::thread::scope(|scope| {
        let held = scope.spawn(|| server.say(&url, &other));
        until(&server, &url, LOCKED);
        assert_eq!(commit(&store, both()), Err(StoreError::Conflict));
        let _ = held.join().unwrap();
        assert_eq!(met(&server, "40P01"), 1, "{}", server.log());
        let held = scope.spawn(|| server.say(&url, &other));
        until(&server, &url, LOCKED);
        let decide = move |_: &_| passes_core::store::Decision::Accepted(both().into());
        let command = passes_core::store::Command::new(passes_core::store::Load::new(SHOP), decide);
        assert!(matches!(wait(store.run(command)), Ok(Answer::Done(_))));
        let _ = held.join().unwrap();
    });
    // Once more at least: the command may have met the other one again.
    assert!(met(&server, "40P01") >= 2, "{}", server.log());
    assert_eq!((used(&store, pass(1)), used(&store, pass(2))), (1, 1));
}

/// D-3: a statement or a lock that takes longer than the server lets it is a passing fault, and nothing of it landed.
#[test]
fn what_takes_too_long_is_a_passing_fault() {
    let Some(server) = talkative(&[]) else { return };
    let url = server.database();
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 1, 5, 0);
    let of_address = server.through(&url, &[server.address()]);
    let hurried = Postgres::open(&format!("{of_address}&options=-c%20statement_timeout%3D60ms")).unwrap();
    let hold = "BEGIN; LOCK passes.pass IN EXCLUSIVE MODE; DO $$ BEGIN FOR i IN 1..6000 LOOP \
                EXIT WHEN EXISTS (SELECT 1 FROM passes.tally); PERFORM pg_sleep(0.005); END LOOP; END $$; COMMIT";
    let locked = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation='passes.pass'::regclass \
                  AND mode='ExclusiveLock' AND granted)";
    std::thread::scope(|scope| {
        let held = scope.spawn(|| server.say(&url, hold));
        until(&server, &url, locked);
        for _ in 0..3 {
            let late = commit(&hurried, taking(pass(1)));
            assert!(matches!(late, Err(StoreError::Transient(_))), "{late:?}");
            let late = wait(hurried.run(take(pass(1))));
            assert!(matches!(late, Err(StoreError::Transient(_))), "{late:?}");
        }
        let over = "INSERT INTO passes.tally VALUES ('00000000-0000-0000-0000-000000000000',\
                    '00000000-0000-0000-0000-000000000000',0,0,0,0)";
        let _ = server.say(&url, over);
        let _ = held.join().unwrap();
    });
    assert_eq!(met(&server, "57014"), 6, "{}", server.log());
    assert_eq!(used(&hurried, pass(1)), 0);
    assert!(matches!(wait(hurried.run(take(pass(1)))), Ok(Answer::Done(_))));
}

/// D-3: a connection that is cut at a commit leaves it in doubt, whether or not it landed; one that is lost before
/// anything was sent is nobody's trouble.
#[test]
fn a_cut_at_a_commit_leaves_it_in_doubt() {
    let Some(server) = test_postgres::shared().filter(|server| !server.is_given()) else { return };
    let (url, proxy) = (server.database(), Proxy::start(server.address()));
    let store = Postgres::open(&server.through(&url, &[proxy.address()])).unwrap();
    with_passes(&store, 1, 9, 0);
    for (cut, landed) in [(Cut::Before, 0), (Cut::Answered, 1)] {
        proxy.cut_next(cut);
        assert_eq!(commit(&store, taking(pass(1))), Err(StoreError::InDoubt), "{cut:?}");
        assert_eq!(used(&store, pass(1)), landed);
    }
    proxy.cut_all();
    assert!(matches!(wait(store.run(take(pass(1)))), Ok(Answer::Done(_))));
    assert_eq!((used(&store, pass(1)), proxy.cuts()), (2, [1, 0, 1]));
}

/// D-1, Z-1: a server that was killed and is not back yet is a passing fault; once it is there the same store goes on.
#[test]
fn a_store_outlives_its_server() {
    let Some(server) = Server::own(&[]) else { return };
    let url = server.database();
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 1, 9, 0);
    for (gone, end) in (1..).zip([End::Killed, End::AtOnce, End::Fast]) {
        server.end(end);
        let away = wait(store.run(take(pass(1))));
        assert!(matches!(away, Err(StoreError::Transient(_))), "{end:?}: {away:?}");
        assert!(matches!(Postgres::open(&url), Err(StoreError::Transient(_))));
        server.start_again();
        assert!(matches!(wait(store.run(take(pass(1)))), Ok(Answer::Done(_))));
        assert_eq!(used(&store, pass(1)), gone);
    }
}

/// D-1: a store that finds itself on a server that only reads says so, and looks for another one by itself.
#[test]
fn who_may_only_read_is_left() {
    let Some(server) = talkative(&[]) else { return };
    let url = server.database();
    let store = Postgres::options().connections(1).open(&url).unwrap();
    with_passes(&store, 1, 9, 0);
    let read_only = |yes: &str| {
        let set =
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only=".to_owned();
        let _ = server.say(
            &url,
            &format!("SET default_transaction_read_only=off; {set}{yes}',current_database()); END $$"),
        );
    };
    read_only("on");
    // The settings of a session are those of its beginning.
    let _ = server.say(
        &url,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name='passes'",
    );
    let read = wait(store.run(take(pass(1))));
    assert!(matches!(read, Err(StoreError::Transient(_))), "{read:?}");
    assert!(met(&server, "25006") > 0);
    let name = server.say(&url, "SELECT current_database()");
    let elsewhere = server.same_database("postgres:///postgres");
    let _ = server.say(&elsewhere, &format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    assert!(matches!(wait(store.run(take(pass(1)))), Ok(Answer::Done(_))));
}

/// D-1, Z-1: who takes a connection and says nothing is a server that isn't there.
#[test]
fn a_silent_server_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let url = format!("postgres://till@{address}/shop?sslmode=disable&connect_timeout=1");
    let nobody = Postgres::open(&url);
    assert!(matches!(nobody, Err(StoreError::Transient(_))), "{nobody:?}");
}

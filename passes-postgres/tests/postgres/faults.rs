//! Connections that are lost.

use crate::{alone, commit, pass, taking, used, with_passes};
use passes_core::store::{Answer, Store, StoreError, wait};
use passes_postgres::Postgres;

/// The store's own connections to this database that wait for a lock.
const WAITING: &str = "FROM pg_stat_activity WHERE datname=current_database() AND application_name='passes' \
                       AND wait_event_type='Lock'";

/// D-3: a connection that is lost while it commits leaves in doubt whether that landed; here it didn't. One that is lost
/// while nothing is under way is nobody's trouble.
#[test]
fn a_connection_lost_while_committing_leaves_it_in_doubt() {
    let Some((server, url)) = alone() else { return };
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 1, 5, 0);
    let (committed, kept) = std::thread::scope(|scope| {
        // Somebody else has the row until the store's connection is gone.
        let kept = scope.spawn(|| {
            let hold = format!(
                "BEGIN; UPDATE passes.pass SET version=version; \
                 DO $$ BEGIN FOR i IN 1..3000 LOOP \
                 PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); \
                 PERFORM pg_terminate_backend(pid) {WAITING}; EXIT WHEN FOUND; END LOOP; END $$; ROLLBACK"
            );
            server.say(&url, &hold)
        });
        while server.say(
            &url,
            "SELECT count(*) FROM pg_locks WHERE relation='passes.pass'::regclass AND granted \
                                AND mode='RowExclusiveLock'",
        ) == "0"
        {}
        (commit(&store, taking(pass(1))), kept.join().unwrap())
    });
    assert_eq!(committed, Err(StoreError::InDoubt), "{kept}");
    assert_eq!(used(&store, pass(1)), 0);

    let idle = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname=current_database() AND application_name='passes'";
    assert_ne!(server.say(&url, idle), "0");
    // A command reads first, which harms nobody: over another connection, if need be.
    assert!(matches!(wait(store.run(crate::take(pass(1)))), Ok(Answer::Done(_))));
    assert_eq!(used(&store, pass(1)), 1);
}

/// D-1, Z-1: a pool that gives no connection in time is a passing fault.
#[test]
fn no_connection_is_a_passing_fault() {
    let Some((server, url)) = alone() else { return };
    let store = Postgres::options()
        .connections(1)
        .wait_timeout(std::time::Duration::from_millis(50))
        .open(&url)
        .unwrap();
    with_passes(&store, 1, 5, 0);
    std::thread::scope(|scope| {
        let held = "BEGIN; LOCK passes.pass IN ACCESS EXCLUSIVE MODE; DO $$ BEGIN FOR i IN 1..3000 LOOP \
                    PERFORM pg_sleep(0.01); EXIT WHEN EXISTS (SELECT 1 FROM passes.tally); END LOOP; END $$; COMMIT";
        let held = scope.spawn(|| server.say(&url, held));
        while server.say(
            &url,
            "SELECT count(*) FROM pg_locks WHERE relation='passes.pass'::regclass \
                                AND mode='AccessExclusiveLock' AND granted",
        ) == "0"
        {}
        let waits = scope.spawn(|| wait(store.run(crate::take(pass(1)))));
        while server.say(&url, &format!("SELECT count(*) {WAITING}")) == "0" {}
        let other = commit(&store, taking(pass(1)));
        assert!(matches!(other, Err(StoreError::Transient(_))), "{other:?}");
        let over = "INSERT INTO passes.tally VALUES ('00000000-0000-0000-0000-000000000000',\
                    '00000000-0000-0000-0000-000000000000',0,0,0,0)";
        let _ = server.say(&url, over);
        let _ = held.join().unwrap();
        assert!(matches!(waits.join().unwrap(), Ok(Answer::Done(_))));
    });
    assert_eq!(used(&store, pass(1)), 1);
}

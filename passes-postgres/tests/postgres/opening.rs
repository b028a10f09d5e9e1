//! Opening: empty databases, newer ones, somebody else's, and those that were moved.

use crate::{commit, database, done, events, patient, taking, used, with_passes};
use passes_core::id::BusinessId;
use passes_core::store::{Load, Store, StoreError, wait};
use passes_postgres::Postgres;

/// D-4: an empty database gets all tables, whoever of many opens it first; opening it again changes nothing.
#[test]
fn an_empty_database_is_opened_by_many_at_once() {
    let Some((server, url)) = database() else { return };
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| Postgres::open(&url).map(drop))).collect();
        opened.into_iter().for_each(|opened| opened.join().unwrap().unwrap());
    });
    assert_eq!(server.say(&url, "SELECT count(*),max(format) FROM passes.meta"), "1|1");
    // Where they are distributed, one more tells of the nodes.
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname='passes' AND tablename<>'home'";
    assert_eq!(server.say(&url, tables), "9");
}

/// D-1: the business is the first column of every key and every unique index, and nothing counts by a sequence.
#[test]
fn everything_is_by_business() {
    let Some((server, url)) = database() else { return };
    Postgres::open(&url).unwrap();
    let others = "SELECT indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid=i.indrelid \
                  JOIN pg_attribute a ON a.attrelid=c.oid AND a.attnum=i.indkey[0] \
                  WHERE c.relnamespace='passes'::regnamespace AND a.attname<>'business'";
    assert_eq!(server.say(&url, others), "passes.meta_pkey");
    let sequences = "SELECT count(*) FROM pg_class WHERE relnamespace='passes'::regnamespace AND relkind='S'";
    assert_eq!(server.say(&url, sequences), "0");
}

/// D-4: tables of a newer library are refused, by who opens them and by a store that was open before.
#[test]
fn a_newer_format_is_refused() {
    let Some((server, url)) = database() else { return };
    let store = Postgres::open(&url).unwrap();
    let _ = server.say(&url, "UPDATE passes.meta SET format=format+1");
    let newer = StoreError::Unsupported { found: 2, known: 1 };
    assert_eq!(Postgres::open(&url).err(), Some(newer.clone()));
    // It connects for its first command.
    let load = Load { key: Some([7; 16]), ..Load::new(BusinessId::STORE) };
    assert_eq!(wait(store.load(&load)).err(), Some(newer));
}

/// D-4: a schema of the same name that is somebody else's is left alone.
#[test]
fn a_foreign_schema_is_refused() {
    let Some((server, url)) = database() else { return };
    let _ = server.say(&url, "CREATE SCHEMA passes; CREATE TABLE passes.theirs(a int)");
    assert!(matches!(Postgres::open(&url), Err(StoreError::Corrupt(_))));
    assert_eq!(server.say(&url, "SELECT count(*) FROM pg_tables WHERE schemaname='passes'"), "1");
    // An empty one, which an administrator made for us, will do.
    let _ = server.say(&url, "DROP TABLE passes.theirs");
    Postgres::open(&url).unwrap();
}

/// D-1, Z-1, C-13: what is wrong with a server is told, and the password isn't.
#[test]
fn what_is_wrong_with_a_server_is_told() {
    let Some((server, url)) = database() else { return };
    let nowhere = Postgres::open("postgres://till:hunter2@127.0.0.1:1/shop?sslmode=disable").unwrap_err();
    assert!(matches!(nowhere, StoreError::Transient(_)), "{nowhere:?}");
    assert!(!format!("{nowhere} {nowhere:?}").contains("hunter2"));
    if !server.is_given() {
        let nothing = Postgres::open(&format!("{url}_not")).unwrap_err();
        assert!(matches!(&nothing, StoreError::Backend(text) if text.contains("3D000")), "{nothing:?}");
        // This server speaks no TLS.
        let safe = Postgres::open(&test_postgres::with(&url, "sslmode=require")).unwrap_err();
        assert!(matches!(safe, StoreError::Backend(_) | StoreError::Transient(_)), "{safe:?}");
    }
}

/// E-1, D-4: a database that was restored into another cluster goes on above the numbers that it has, also for a store that
/// was open meanwhile.
#[test]
fn numbers_go_on_after_a_move() {
    let Some((server, url)) = database() else { return };
    let store = patient().open(&url).unwrap();
    with_passes(&store, 1, 9, 0);
    let first = commit(&store, taking(crate::pass(1))).unwrap();
    // As if the other cluster had seen far more transactions than this one.
    let moved =
        "UPDATE passes.operation SET number=number+(1::int8<<50); UPDATE passes.meta SET cluster=cluster+1";
    let _ = server.say(&url, moved);
    if !server.say(&url, "SELECT to_regclass('passes.home')").is_empty() {
        let _ = server.say(&url, "UPDATE passes.home SET node=node+1");
    }
    for store in [&store, &patient().open(&url).unwrap()] {
        // Connections that were made before still count as they did: they can't have outlived a move.
        let _ = server.say(
            &url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                                  WHERE datname=current_database() AND application_name='passes'",
        );
        let mut number = Err(StoreError::Conflict);
        for _ in 0..50 {
            number = commit(store, taking(crate::pass(1)));
            if number.is_ok() {
                break;
            }
        }
        assert!(number.unwrap() > first + (1 << 50));
    }
    let numbers: Vec<u64> = events(&store).iter().map(|operation| operation.number).collect();
    assert!(numbers.is_sorted() && numbers.len() == 4, "{numbers:?}");
    assert_eq!(used(&store, crate::pass(1)), 3);
}

/// D-1: a store that is closed says so.
#[test]
fn a_closed_store_says_so() {
    let Some(store) = crate::store() else { return };
    commit(&store, done()).unwrap();
    store.close();
    assert_eq!(commit(&store, done()), Err(StoreError::Closed));
}

//! Tables that are distributed among the nodes of a Citus cluster. Where the server that is named has none, only that is
//! shown which needs none; see `docs/distributed.md`.

use crate::{commit, database, done, events, pass, patient, settled, take, taking, used, with_passes};
use passes_core::store::{Answer, AuditRow, Change, Store, StoreError, wait};
use passes_postgres::Postgres;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use test_postgres::Server;

/// An empty database on a Citus cluster, and its URL without a wish for distribution.
fn cluster() -> Option<(&'static Server, String)> {
    let (server, url) = database()?;
    let there = server.say(&url, "SELECT count(*) FROM pg_extension WHERE extname='citus'") == "1";
    if !there {
        eprintln!("skipped: the server has no Citus");
    }
    there.then(|| (server, url.replace("distributed=citus", "distributed=none")))
}

fn spread(url: &str) -> Result<Postgres, StoreError> {
    Postgres::options().distributed(true).open(&url.replace("distributed=none", "distributed=citus"))
}

/// D-1: who asks for distributed tables where the extension isn't is told so, and nothing is made.
#[test]
fn a_server_without_the_extension_says_so() {
    let Some((server, url)) = database() else { return };
    if server.say(&url, "SELECT count(*) FROM pg_extension WHERE extname='citus'") == "1" {
        return;
    }
    let refused = spread(&url).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Backend(text) if text.contains("CREATE EXTENSION citus")),
        "{refused:?}"
    );
    assert_eq!(server.say(&url, "SELECT to_regnamespace('passes')"), "");
    // Tables that are there stay as they are.
    Postgres::open(&url).unwrap();
    assert!(matches!(spread(&url), Err(StoreError::Backend(_))));
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 1, 1, 0);
    assert_eq!(server.say(&url, "SELECT to_regclass('passes.home')"), "");
}

/// D-1: tables that were distributed once are found to be so by whoever opens them, and what belongs to a business is on
/// one node.
#[test]
fn what_is_distributed_is_found_to_be() {
    let Some((server, url)) = cluster() else { return };
    drop(spread(&url).unwrap());
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 1, 9, 0);
    assert!(matches!(wait(store.run(take(pass(1)))), Ok(Answer::Done(_))));
    assert_eq!(used(&store, pass(1)), 1);
    let tables = "SELECT count(*),count(DISTINCT colocation_id),bool_and(distribution_column='business') \
                  FROM citus_tables WHERE table_name::text LIKE 'passes.%' AND citus_table_type='distributed'";
    assert_eq!(server.say(&url, tables), "9|1|t");
    let nodes = "SELECT count(DISTINCT (SELECT (nodename,nodeport) FROM citus_shards s WHERE s.shardid=\
                 get_shard_id_for_distribution_column(t,'00000000-0000-0000-0000-000000000000'::uuid))) \
                 FROM unnest(ARRAY['passes.operation','passes.pass','passes.home']::regclass[]) t";
    assert_eq!(server.say(&url, nodes), "1");
    // Its numbers are those of the node.
    assert_eq!(server.say(&url, "SELECT count(*),min(base) FROM passes.home"), "1|0");
}

/// D-1, D-4: tables are distributed with what is in them, while no other store is open on them.
#[test]
fn tables_in_use_are_not_distributed() {
    let Some((_, url)) = cluster() else { return };
    let store = patient().open(&url).unwrap();
    with_passes(&store, 3, 9, 0);
    commit(&store, taking(pass(2))).unwrap();
    let before = events(&store);
    assert!(matches!(spread(&url), Err(StoreError::Transient(_))));
    commit(&store, taking(pass(2))).unwrap();
    drop(store);
    let since = Instant::now();
    let store = loop {
        // The server takes a moment to notice that a client is gone.
        match spread(&url) {
            Err(StoreError::Transient(_)) if since.elapsed() < Duration::from_secs(30) => {}
            store => break store.unwrap(),
        }
    };
    assert_eq!(used(&store, pass(2)), 2);
    let last = commit(&store, taking(pass(2))).unwrap();
    let after = events(&store);
    assert_eq!(after.len(), before.len() + 2);
    assert!(after.windows(2).all(|two| two[0].number < two[1].number));
    assert_eq!(after.last().unwrap().number, last);
}

/// Says that it is over, however that came.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Spends numbers of transactions.
const BURN: &str = "DO $$ BEGIN CREATE TEMP TABLE burnt(a int); FOR i IN 1..50000 LOOP \
                    BEGIN INSERT INTO burnt VALUES (i); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; \
                    DROP TABLE burnt; END $$";

/// The number of an operation that rests on nothing.
fn lands(store: &Postgres) -> u64 {
    loop {
        match commit(store, done()) {
            Ok(number) => return number,
            // It was sent to where the business was.
            Err(error) => assert!(error.is_retryable() || error == StoreError::Conflict, "{error:?}"),
        }
    }
}

/// E-1, D-4: a business that is moved from node to node loses nothing, and its numbers go on growing, whatever the numbers of
/// the other node's transactions are. Commands that come meanwhile wait.
#[test]
fn numbers_go_on_from_node_to_node() {
    let Some((server, url)) = cluster() else { return };
    let nodes = server.say(
        &url,
        "SELECT string_agg(format('%L,%s',nodename,nodeport),';' ORDER BY nodeid) FROM pg_dist_node WHERE shouldhaveshards",
    );
    let nodes: Vec<&str> = nodes.split(';').collect();
    if nodes.len() < 2 {
        return;
    }
    let store = spread(&url).unwrap();
    with_passes(&store, 1, 100_000, 1_000_000);
    let over = AtomicBool::new(false);
    let taken = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..4)
            .map(|_| {
                let (store, over) = (&store, &over);
                scope.spawn(move || {
                    let mut taken = 0;
                    while !over.load(Ordering::Relaxed) {
                        let change = Change { entries: vec![settled(pass(1), 1)], ..taking(pass(1)) };
                        match commit(store, change) {
                            Ok(_) => taken += 1,
                            // It was sent to where the business was.
                            Err(error) => {
                                assert!(error.is_retryable() || error == StoreError::Conflict, "{error:?}")
                            }
                        }
                    }
                    taken
                })
            })
            .collect();
        let ends = Over(&over);
        let mut number = lands(&store);
        for round in 0..4 {
            std::thread::sleep(Duration::from_millis(300));
            let before = lands(&store);
            assert!(before > number, "{before} after {number}");
            let place = "SELECT format('%L,%s',nodename,nodeport),shardid FROM citus_shards WHERE shardid=\
                         get_shard_id_for_distribution_column('passes.operation',\
                         '00000000-0000-0000-0000-000000000000'::uuid)";
            let place = server.say(&url, place);
            let (here, shard) = place.split_once('|').unwrap();
            if round == 0 {
                // The other node's transactions have far lower numbers than those here.
                let (host, port) = here.split_once(',').unwrap();
                let spent = BURN.replace('\'', "''");
                let spent = format!(
                    "SELECT success,result FROM master_run_on_worker(ARRAY[{host}],ARRAY[{port}],ARRAY['{spent}'],false)"
                );
                let spent = server.say(&url, &spent);
                assert!(spent.starts_with('t'), "{spent}");
            }
            let before = lands(&store);
            let there = nodes.iter().find(|node| **node != here).unwrap();
            let moves = format!("SELECT citus_move_shard_placement({shard},{here},{there},'block_writes')");
            // What is left of the move before is cleaned up first, which may take it more than one go.
            let moved = || std::panic::catch_unwind(|| server.say(&url, &moves)).is_ok();
            assert!((0..20).any(|_| moved()), "{moves}");
            number = lands(&store);
            assert!(number > before, "{number} after {before}");
        }
        std::thread::sleep(Duration::from_millis(300));
        drop(ends);
        takers.into_iter().map(|taker| taker.join().unwrap()).sum::<i64>()
    });
    assert!(taken > 0);
    assert_eq!(used(&store, pass(1)), taken);
    let told = events(&store);
    // One made the passes, and three in each round rest on nothing; one came before.
    assert_eq!(i64::try_from(told.len()).unwrap(), taken + 1 + 1 + 4 * 3);
    // In the order of their numbers they are in the order in which they happened.
    let counted: Vec<i64> = told.iter().filter_map(|operation| Some(operation.after.first()?.used)).collect();
    assert_eq!(counted, (1..=taken).collect::<Vec<i64>>());
    assert!(lands(&store) > told.last().unwrap().number);
    let (mut entries, mut faults) = (0, Vec::new());
    let (sender, rows) = std::sync::mpsc::channel();
    wait(store.audit(crate::SHOP, Box::new(move |row| sender.send(row).unwrap()))).unwrap();
    for row in rows {
        match row {
            AuditRow::Entry(_) => entries += 1,
            AuditRow::Fault(fault) => faults.push(fault),
            _ => {}
        }
    }
    assert_eq!((entries, faults), (taken, Vec::new()));
}

/// D-3: a commit whose line is lost at the coordinator, while the node of the business is at it, is in doubt; it lands once or
/// not at all.
#[test]
fn a_coordinator_that_is_lost_leaves_a_commit_in_doubt() {
    let Some((server, url)) = cluster() else { return };
    let store = spread(&url).unwrap();
    with_passes(&store, 1, 1_000_000, 0);
    // Somebody else has the row until the store's connection to the coordinator is gone.
    let hold = "BEGIN; UPDATE passes.pass SET version=version \
                WHERE business='00000000-0000-0000-0000-000000000000'; DO $$ BEGIN FOR i IN 1..3000 LOOP \
                PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); \
                PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname=current_database() \
                AND application_name='passes' AND state='active' AND query LIKE '%passes.commit%' \
                AND clock_timestamp()-query_start>'200ms'; EXIT WHEN FOUND; END LOOP; END $$; ROLLBACK";
    let committed = std::thread::scope(|scope| {
        let held = scope.spawn(|| server.say(&url, hold));
        let mut committed = Ok(0);
        // Those before it holds the row land.
        while committed.is_ok() && !held.is_finished() {
            committed = commit(&store, taking(pass(1)));
        }
        let _ = held.join().unwrap();
        committed
    });
    assert_eq!(committed, Err(StoreError::InDoubt));
    let landed = used(&store, pass(1));
    assert!(matches!(wait(store.run(take(pass(1)))), Ok(Answer::Done(_))));
    let now = used(&store, pass(1));
    assert!(now == landed + 1 || now == landed + 2, "{landed}, then {now}");
    assert_eq!(i64::try_from(events(&store).len()).unwrap(), now + 1);
}

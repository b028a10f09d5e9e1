//! Through PgBouncer in transaction mode: a connection to the server belongs to whoever has a transaction.

use crate::{commit, database, done, events, pass, patient, take, taking, used, with_passes};
use passes_core::id::{Id, LotId};
use passes_core::pass::PassRow;
use passes_core::passcode::Digest;
use passes_core::store::{Answer, Change, Chunk, Claim, Load, Store, wait};
use passes_postgres::Postgres;
use test_postgres::{Pooler, Server};

/// A pooler with so many connections to a server, a database, and its URLs: straight and through the pooler.
fn pooled(connections: u32) -> Option<(&'static Server, Pooler, String, String)> {
    let (server, url) = database()?;
    let pooler = Pooler::start(server, connections)?;
    let through = format!("{}?pooler=transaction", pooler.url(&url));
    Some((server, pooler, url, through))
}

/// D-1, R-8: stores of four processes' worth of connections share three to the server; a pass with 200 uses is taken
/// 200 times by 300 commands, and the events tell each once.
#[test]
fn many_stores_share_few_connections() {
    let Some((_, _pooler, _, url)) = pooled(3) else { return };
    let stores: Vec<Postgres> = (0..4).map(|_| patient().connections(8).open(&url).unwrap()).collect();
    with_passes(&stores[0], 2, 200, 0);
    let taken: usize = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..20)
            .map(|caller| {
                let store = &stores[caller % stores.len()];
                scope.spawn(move || {
                    let run = |_: &usize| matches!(wait(store.run(take(pass(1)))).unwrap(), Answer::Done(_));
                    (0..15).filter(run).count()
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert_eq!((taken, used(&stores[1], pass(1)), used(&stores[2], pass(2))), (200, 200, 0));
    let told: Vec<u64> = events(&stores[3]).iter().map(|operation| operation.number).collect();
    assert!(told.len() == 201 && told.is_sorted(), "{}", told.len());
}

/// D-1: nothing of a session is left behind for the next: no setting, no lock, no transaction, and no
/// prepared statement but those that anybody finds by the name that its text has; a lot's rows go by COPY all the same.
#[test]
fn nothing_is_left_in_a_session() {
    let Some((server, _pooler, straight, url)) = pooled(1) else { return };
    let store = Postgres::open(&url).unwrap();
    let through = url.split('?').next().unwrap();
    // What the pooler itself sets is not ours.
    let settings = "SELECT string_agg(name||'='||setting,' ' ORDER BY name) FROM pg_settings \
                    WHERE name IN ('enable_seqscan','jit','lock_timeout','plan_cache_mode',\
                    'default_transaction_isolation','idle_in_transaction_session_timeout')";
    let before = server.say(&straight, settings);
    let lot = LotId::from_bytes([4; 16]);
    let mut codes: Vec<Claim> = (1..=500_u32)
        .map(|serial| Claim { digest: Digest::from_bytes(spread(serial)), pass: lot.pass(serial) })
        .collect();
    codes.sort_unstable_by_key(|claim| claim.digest);
    let passes = (1..=500).map(|serial| PassRow::draft(lot.pass(serial))).collect();
    let chunk = Chunk { change: done(), codes, passes };
    with_passes(&store, 3, 40, 0);
    wait(store.fill(&chunk)).unwrap();
    assert!(wait(store.fill(&chunk)).is_err(), "it landed before");
    let found = Load { code: Some(chunk.codes[9].digest), ..Load::new(crate::SHOP) };
    assert_eq!(wait(store.load(&found)).unwrap().code.unwrap().id, chunk.codes[9].pass);
    let changes: Vec<Change> = (1..=3).map(|n| taking(pass(n))).collect();
    assert!(wait(store.commit(&changes)).unwrap().iter().all(Result::is_ok));
    assert!(commit(&store, taking(pass(9))).is_err(), "there is none");
    let mut rows = 0;
    let (seen, counted) = std::sync::mpsc::channel();
    wait(store.audit(crate::SHOP, Box::new(move |_| seen.send(()).unwrap()))).unwrap();
    rows += counted.iter().count();
    assert!(rows > 1_000, "{rows}");
    // The only connection to the server has seen all of that.
    let others = "SELECT count(*) FROM pg_prepared_statements WHERE name NOT LIKE 'passes\\_%'";
    assert_eq!(server.say(through, others), "0");
    assert_eq!(server.say(through, settings), before);
    let others = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid=database \
                  WHERE datname=current_database() AND locktype<>'relation'";
    assert_eq!(server.say(through, others), "0");
    let backends = "SELECT count(*) FROM pg_stat_activity WHERE datname=current_database() \
                    AND backend_type='client backend' AND pid<>pg_backend_pid()";
    // Who asked before may not be quite gone.
    let one = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        server.say(&straight, backends) == "1"
    });
    assert!(one, "{}", server.say(&straight, backends));
}

fn spread(number: u32) -> [u8; 32] {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.wrapping_mul(0x9E37_79B1).to_le_bytes());
    bytes
}

/// D-1, D-3: a command through a pooler is two round trips, too; connections that the pooler loses are nobody's trouble
/// while nothing is under way.
#[test]
fn a_command_is_two_round_trips_through_a_pooler() {
    let Some((server, _pooler, straight, url)) = pooled(2) else { return };
    let store = Postgres::open(&url).unwrap();
    with_passes(&store, 1, 5, 0);
    let takes = || assert!(matches!(wait(store.run(take(pass(1)))).unwrap(), Answer::Done(_)));
    // One after the other they have the same session.
    takes();
    let before = (store.round_trips(), store.prepared());
    takes();
    assert_eq!((store.round_trips() - before.0, store.prepared()), (2, before.1));
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname=current_database() AND backend_type='client backend' AND pid<>pg_backend_pid()";
    assert_ne!(server.say(&straight, end), "0");
    assert!(matches!(wait(store.run(take(pass(1)))).unwrap(), Answer::Done(_)));
    assert_eq!(used(&store, pass(1)), 3);
}

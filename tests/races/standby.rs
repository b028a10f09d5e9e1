//! The library opened a second time, on a standby: for lists and reports.

use passes_core::Passes;
use passes_core::event::Position;
use passes_core::pass::State;
use passes_core::plan::Usage;
use passes_core::service::{OperationFilter, PassFilter, Redeem};
use passes_core::store::PassOrder;
use passes_host::Opener;
use passes_host::testing::SeededEntropy;
use passes_postgres::Standby;
use std::sync::Arc;
use std::time::{Duration, Instant};
use test_postgres::Server;
use tests::world::{amount, keyring};
use tests::{World, code_of};

/// What lists and reports say of a pass that is used up bit by bit: its uses, the operations, what is owed, the events.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    used: i64,
    operations: usize,
    owed: Vec<i64>,
    events: usize,
    lines: usize,
}

fn told(passes: &Passes, world: &World, pass: passes_core::id::PassId) -> Told {
    let by = &world.by;
    let listed =
        passes.passes(by, pass.lot(), PassFilter::default(), PassOrder::Serial, None, 10).wait().unwrap();
    assert_eq!((listed.rows.len(), listed.rows[0].state), (1, State::Active));
    let plans = passes.plans(by, None, 10).wait().unwrap().rows;
    assert_eq!(passes.lots(by, plans[0].id, None, 10).wait().unwrap().rows[0].id, pass.lot());
    let verified = passes.verify(by).wait().unwrap();
    assert!(verified.is_good(), "{:?}", verified.drifts);
    let operations =
        passes.operations(by, OperationFilter::default(), Position::default(), 100).wait().unwrap();
    let owed = passes.liability(by).wait().unwrap();
    Told {
        used: listed.rows[0].used,
        operations: operations.rows.len(),
        owed: owed.iter().map(|owed| owed.total().unwrap().minor()).collect(),
        events: passes.events(by, Position::default(), 100).wait().unwrap().len(),
        lines: passes.pass_statement(by, pass, None, 100).wait().unwrap().rows.len(),
    }
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// D-1: lists, statements and reports over a standby are those of one moment of the past, each whole; commands over it are
/// refused, and those over the primary go on whatever the standby does.
#[test]
fn lists_and_reports_come_from_a_standby() {
    let Some(primary) = Server::own(&[]) else { return };
    let standby = primary.standby();
    let here = primary.database();
    for statement in ["ALTER SYSTEM SET synchronous_standby_names=''", "SELECT pg_reload_conf()"] {
        let _ = primary.say(&here, statement);
    }
    let there = standby.same_database(&here);
    let follow = || {
        let at = primary.say(&here, "SELECT pg_current_wal_lsn()");
        let any = there.rsplit_once('/').unwrap().0.to_owned() + "/postgres";
        let question = format!("SELECT coalesce(pg_last_wal_replay_lsn()>='{at}',false)");
        eventually("the standby follows", || standby.say(&any, &question) == "t");
    };
    let world = World::at_url(here.clone());
    let (pass, code) = world.used("10 GBP", Usage::Full(5));
    follow();
    let store = Arc::new(Standby::open(&there).unwrap());
    let reading =
        Passes::open(store, keyring(), world.clock.clone(), Arc::new(SeededEntropy::new(2))).wait().unwrap();
    let now = told(&world.passes, &world, pass);
    assert_eq!(told(&reading, &world, pass), now);

    let _ = standby.say(&there, "SELECT pg_wal_replay_pause()");
    let state = "SELECT pg_get_wal_replay_pause_state()";
    eventually("it is paused", || standby.say(&there, state) == "paused");
    let redeem = || Redeem::direct(code.as_str(), amount("10 GBP"));
    for _ in 0..3 {
        world.passes.redeem(&world.by, redeem()).wait().unwrap();
    }
    assert_eq!(told(&reading, &world, pass), now);
    let later = told(&world.passes, &world, pass);
    assert_eq!((later.used - now.used, later.operations - now.operations), (3, 3));
    assert_eq!(code_of(&reading.redeem(&world.by, redeem()).wait()), "STORE_FAILED");
    assert_eq!(told(&world.passes, &world, pass), later);

    let _ = standby.say(&there, "SELECT pg_wal_replay_resume()");
    follow();
    assert_eq!(told(&reading, &world, pass), later);
    // A host says so in the URL.
    let opener = Opener::new().clock(world.clock.clone()).entropy(world.entropy.clone());
    let by_url = opener.open(&format!("{there}?standby=true"), keyring()).wait().unwrap();
    assert_eq!(told(&by_url, &world, pass), later);
    assert_eq!(code_of(&by_url.redeem(&world.by, redeem()).wait()), "STORE_FAILED");
    let _ = world.books();
}

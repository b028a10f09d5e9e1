//! What the conformance suite can't see: what the adapter asks of a host, and how it meets a host's faults.

use super::{FORMAT, RecordStore, Records, Row, WriteSet};
use crate::id::{BusinessId, Ids, OperationId};
use crate::operation::Kind;
use crate::store::{
    Add, Answer, AuditRow, Change, Command, Decision, Load, Operation, Store, StoreError, TallyKey, wait,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// How a host's commit goes wrong, once.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// Another process was faster.
    Overtaken,
    /// It landed, and nobody knows.
    InDoubt,
}

#[derive(Default)]
struct Host {
    rows: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    troubles: Mutex<Vec<Trouble>>,
    commits: AtomicU32,
    format: u32,
    forgets: bool,
}

impl RecordStore for Host {
    fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let rows = self.rows.lock().unwrap();
        let found = keys.iter().map(|key| rows.get(key).cloned());
        Ok(if self.forgets { found.skip(1).collect() } else { found.collect() })
    }

    fn scan(&self, from: Vec<u8>, to: Vec<u8>, limit: u32) -> Result<Vec<Row>, StoreError> {
        let rows = self.rows.lock().unwrap();
        let row = |(key, value): (&Vec<u8>, &Vec<u8>)| Row { key: key.clone(), value: value.clone() };
        Ok(rows.range(from..to).take(limit as usize).map(row).collect())
    }

    fn commit(&self, set: WriteSet) -> Result<bool, StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let trouble = self.troubles.lock().unwrap().pop().unwrap_or(Trouble::None);
        let mut rows = self.rows.lock().unwrap();
        if set.expect.iter().any(|expected| rows.get(&expected.key) != expected.value.as_ref()) {
            return Ok(false);
        }
        if trouble == Trouble::Overtaken {
            return Ok(false);
        }
        rows.extend(set.put.into_iter().map(|row| (row.key, row.value)));
        if trouble == Trouble::InDoubt { Err(StoreError::InDoubt) } else { Ok(true) }
    }

    fn format(&self) -> Result<u32, StoreError> {
        Ok(if self.format == 0 { FORMAT } else { self.format })
    }
}

fn store(host: Host) -> (Arc<Host>, Records) {
    let host = Arc::new(host);
    let threads = |_| Err(StoreError::Transient("these tests wait".into()));
    (Arc::clone(&host), Records::new(host, Arc::new(threads)))
}

const SHOP: BusinessId = BusinessId::STORE;
const COUNTER: TallyKey = TallyKey::Named([7; 16], 0);

/// Adds one to a counter that has room for so many; `decided` counts how often it was decided.
fn add(room: i64, seed: u8, decided: &Arc<AtomicU32>) -> Command {
    let decided = Arc::clone(decided);
    let decide = move |_: &crate::store::Loaded| {
        decided.fetch_add(1, Ordering::Relaxed);
        let now = crate::calendar::Instant::EPOCH;
        let id: OperationId = Ids::new(&[seed; 32], now).draw();
        let mut change = Change::new(SHOP);
        change.operation = Some(Operation::new(id, Kind::Configure, "owner", now));
        change.tally.push(Add { limit: Some(room), ..Add::used(COUNTER, 1) });
        Decision::Accepted(Box::new(change))
    };
    let mut load = Load::new(SHOP);
    load.tallies.push(COUNTER);
    Command::new(load, decide)
}

fn counted(store: &Records) -> i64 {
    let mut load = Load::new(SHOP);
    load.tallies.push(COUNTER);
    wait(store.load(&load)).unwrap().tallies[0].used
}

/// D-5, D-3: a command that another process overtook decides again, on what is there then.
#[test]
fn who_is_overtaken_tries_again() {
    let (host, store) = store(Host { troubles: vec![Trouble::Overtaken; 3].into(), ..Host::default() });
    let decided = Arc::default();
    let answer = wait(store.run(add(9, 1, &decided))).unwrap();
    assert!(matches!(answer, Answer::Done(after) if after.operation == 1));
    assert_eq!((decided.load(Ordering::Relaxed), host.commits.load(Ordering::Relaxed)), (4, 4));
    assert_eq!(counted(&store), 1);
}

/// D-5: one that is overtaken for ever gives up, and may be given again.
#[test]
fn who_is_always_overtaken_gives_up() {
    let (_, store) = store(Host { troubles: vec![Trouble::Overtaken; 99].into(), ..Host::default() });
    let error = wait(store.run(add(9, 1, &Arc::default()))).unwrap_err();
    assert!(error == StoreError::Conflict && error.is_retryable());
    assert_eq!(counted(&store), 0);
}

/// D-5, D-3: what a host isn't sure of is in doubt, and not repeated.
#[test]
fn what_is_in_doubt_is_told() {
    let (host, store) = store(Host { troubles: vec![Trouble::InDoubt].into(), ..Host::default() });
    assert_eq!(wait(store.run(add(9, 1, &Arc::default()))).unwrap_err(), StoreError::InDoubt);
    assert_eq!((host.commits.load(Ordering::Relaxed), counted(&store)), (1, 1));
}

/// D-5, D-3: commands that come together land in one write; one that fails takes back only itself.
#[test]
fn commands_land_together() {
    let (host, store) = store(Host::default());
    let decided = Arc::default();
    let answers = wait(store.run_all((1..=5).map(|seed| add(3, seed, &decided)).collect())).unwrap();
    let numbers: Vec<Option<u64>> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(Answer::Done(after)) => Some(after.operation),
            other => {
                assert_eq!(other.unwrap_err(), StoreError::Conflict);
                None
            }
        })
        .collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), None, None]);
    assert_eq!((counted(&store), host.commits.load(Ordering::Relaxed)), (3, 1));
    assert_eq!(wait(store.events(SHOP, 0, 10)).unwrap().len(), 3);
}

/// D-4, D-5: a store for a later library is refused, and so are rows that one wrote.
#[test]
fn a_later_format_is_refused() {
    let (_, later) = store(Host { format: FORMAT + 1, ..Host::default() });
    let unsupported = StoreError::Unsupported { found: FORMAT + 1, known: FORMAT };
    assert_eq!(wait(later.load(&Load::new(SHOP))).unwrap_err(), unsupported);
    let (host, store) = store(Host::default());
    host.rows.lock().unwrap().insert(vec![0], vec![2, 9, 9, 9, 9]);
    assert_eq!(wait(store.load(&Load::new(SHOP))).unwrap_err(), unsupported);
    assert_eq!(wait(store.run(add(9, 1, &Arc::default()))).unwrap_err(), unsupported);
}

/// Z-1, D-5: a host that answers nonsense is told so, and a row without sense is a fault of an audit.
#[test]
fn nonsense_is_told() {
    let (_, forgetful) = store(Host { forgets: true, ..Host::default() });
    assert_eq!(wait(forgetful.load(&Load::new(SHOP))).unwrap_err().code(), "STORE_FAILED");
    let (host, store) = store(Host::default());
    wait(store.run(add(9, 1, &Arc::default()))).unwrap();
    let tally = super::key::tally(SHOP, [7; 16], 0);
    *host.rows.lock().unwrap().get_mut(&tally).unwrap() = vec![0xFF; 3];
    let mut load = Load::new(SHOP);
    load.tallies.push(COUNTER);
    assert_eq!(wait(store.load(&load)).unwrap_err().code(), "STORE_CORRUPT");
    let faults = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&faults);
    let each = Box::new(move |row| {
        count.fetch_add(u32::from(matches!(row, AuditRow::Fault(_))), Ordering::Relaxed);
    });
    wait(store.audit(SHOP, each)).unwrap();
    assert_eq!(faults.load(Ordering::Relaxed), 1);
}

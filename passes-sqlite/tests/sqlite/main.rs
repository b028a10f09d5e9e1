//! The store as its hosts meet it: the suite of every store, files in trouble, callers of all kinds.

// A test is as loud as it can be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod callers;
mod files;
mod groups;
mod log;
#[cfg(unix)]
mod stopped;
mod suite;

use passes_core::Refusal;
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, Id, LotId, PassId};
use passes_core::operation::Kind;
use passes_core::pass::{PassRow, Standing, Tally};
use passes_core::store::{
    Add, Answer, Change, Command, Decision, Doc, DocKey, DocKind, Expect, Load, Loaded, Operation, Put,
    Record, Store, StoreError, TallyKey, wait,
};
use passes_sqlite::Sqlite;

/// Whose records these are.
const SHOP: BusinessId = BusinessId::STORE;

/// A pass with a serial number.
fn pass(serial: u32) -> PassId {
    LotId::from_bytes([3; 16]).pass(serial)
}

fn row(id: PassId, uses: i64) -> PassRow {
    PassRow {
        id,
        version: 1,
        standing: Standing::Active,
        flags: 0,
        activated: None,
        redeem_by: None,
        value: None,
        uses: Tally::new(uses),
        balance: Tally::new(0),
        granted: Tally::new(0),
        holder: None,
        successor: None,
        sale: None,
        code_try: 0,
        fields: None,
        last: 0,
    }
}

fn operation() -> Operation {
    Operation::new(Id::from_bytes([5; 16]), Kind::Redeem, "till", Instant::EPOCH)
}

fn absent(record: Record) -> Put {
    Put { record, expect: Expect::Absent }
}

/// A document of so many bytes.
fn doc(number: u64, size: usize) -> Put {
    let key = DocKey::numbered(DocKind::Plan, number);
    absent(Record::Doc(Doc { key, version: 1, parent: None, body: vec![b'x'; size].into() }))
}

/// A change that leaves an operation and puts something.
fn puts(put: Vec<Put>) -> Change {
    Change { operation: Some(operation()), put, ..Change::new(SHOP) }
}

fn commit(store: &Sqlite, change: Change) -> Result<(), StoreError> {
    wait(store.commit(&[change]))?.pop().unwrap().map(drop)
}

fn with_pass(store: &Sqlite, id: PassId, uses: i64) {
    commit(store, puts(vec![absent(Record::Pass(Box::new(row(id, uses))))])).unwrap();
}

/// Takes a use of a pass, or refuses when none is left.
fn take(id: PassId) -> Command {
    let load = Load { passes: vec![id], ..Load::new(SHOP) };
    Command::new(load, move |loaded| taking(loaded, id))
}

fn taking(loaded: &Loaded, id: PassId) -> Decision {
    match loaded.pass(id) {
        Some(found) if found.uses.left() > 0 => {
            let change = Change { tally: vec![Add::used(TallyKey::Uses(id), 1)], ..puts(Vec::new()) };
            Decision::Accepted(change.into())
        }
        _ => Decision::Refused(vec![Refusal::UsesSpent { uses: 1 }], None),
    }
}

/// A command that does something else whenever it is about to decide.
fn after(mut what: impl FnMut() + Send + 'static, command: Command) -> Command {
    Command::new(command.load().clone(), move |loaded| {
        what();
        command.decide(loaded)
    })
}

/// Accepts a change, whatever there is.
fn accept(change: Change) -> Command {
    Command::new(Load::new(SHOP), move |_| Decision::Accepted(change.clone().into()))
}

fn is_done(answer: &Answer) -> bool {
    matches!(answer, Answer::Done(_))
}

/// The uses of a pass that are gone.
fn used(store: &Sqlite, id: PassId) -> i64 {
    let load = Load { passes: vec![id], ..Load::new(SHOP) };
    wait(store.load(&load)).unwrap().passes[0].uses.used
}

/// How many operations there are.
fn operations(store: &Sqlite) -> usize {
    wait(store.events(SHOP, 0, u32::MAX)).unwrap().len()
}

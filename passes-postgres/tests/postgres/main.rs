//! The store as its hosts meet it, on a server of its own. Without a server every test passes and shows nothing, which
//! `cargo xtask test` tells.

// A test is as loud as it can be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod callers;
mod distributed;
mod faults;
mod opening;
mod order;
mod plans;
mod plans_hot;
mod pooler;
mod standby;
mod suite;
mod tls;
mod together;
mod trips;
mod troubles;

use passes_core::Refusal;
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, Id, LotId, OperationId, PassId};
use passes_core::ledger::{Account, Entry, Mark, Subject, Unit};
use passes_core::money::Currency;
use passes_core::operation::Kind;
use passes_core::pass::{PassRow, Standing, Tally};
use passes_core::store::{
    Add, Change, Command, Decision, Expect, Load, Operation, Put, Record, Store, StoreError, StoredOperation,
    TallyKey, wait,
};
use passes_postgres::{Options, Postgres};
use std::sync::Arc;
use test_postgres::Server;

/// Whose records these are.
const SHOP: BusinessId = BusinessId::STORE;

/// The server, an empty database on it, and its URL; nothing where there is no server.
fn database() -> Option<(&'static Server, String)> {
    let server = test_postgres::shared()?;
    Some((server, server.database()))
}

/// The same where one server does it all: there is nobody else to be asked who waits for whom.
fn alone() -> Option<(&'static Server, String)> {
    database().filter(|(_, url)| !url.contains("distributed=citus"))
}

/// Options for who counts events right behind a commit.
fn patient() -> Options {
    Postgres::options().settle_timeout(test_postgres::SETTLE)
}

/// A store in an empty database.
fn store() -> Option<Postgres> {
    database().map(|(_, url)| patient().open(&url).unwrap())
}

fn pass(serial: u32) -> PassId {
    LotId::from_bytes([3; 16]).pass(serial)
}

fn operation() -> Operation {
    Operation::new(OperationId::from_bytes([5; 16]), Kind::Redeem, "till", Instant::EPOCH)
}

/// A change that leaves an operation.
fn done() -> Change {
    Change { operation: Some(operation()), ..Change::new(SHOP) }
}

/// Makes passes with serial numbers from 1, of so many uses and so much money each.
fn with_passes(store: &Postgres, count: u32, uses: i64, balance: i64) {
    let row = |serial| PassRow {
        standing: Standing::Active,
        uses: Tally::new(uses),
        balance: Tally::new(balance),
        ..PassRow::draft(pass(serial))
    };
    let put = (1..=count).map(|n| Put { record: Record::Pass(Box::new(row(n))), expect: Expect::Absent });
    commit(store, Change { put: put.collect(), ..done() }).unwrap();
}

fn commit(store: &Postgres, change: Change) -> Result<u64, StoreError> {
    wait(store.commit(&[change]))?.pop().unwrap().map(|after| after.operation)
}

/// A change that takes a use of a pass.
fn taking(id: PassId) -> Change {
    Change { tally: vec![Add::used(TallyKey::Uses(id), 1)], ..done() }
}

/// An entry that settles some of a pass's money.
fn settled(id: PassId, amount: i64) -> Entry {
    Entry {
        from: (Account::Outstanding, Subject::Pass(id)),
        to: (Account::Settled, Subject::None),
        unit: Unit::Money(Currency::EUR),
        amount,
        mark: Mark::Paid,
        line: None,
    }
}

/// Takes a use of a pass, or refuses when none is left. What it takes rests on what it read.
fn take(id: PassId) -> Command {
    let load = Load { passes: vec![id], ..Load::new(SHOP) };
    let decide = move |loaded: &passes_core::store::Loaded| match loaded.pass(id) {
        Some(found) if found.uses.left() > 0 => {
            let add = Add { from: Some(found.uses.used), ..Add::used(TallyKey::Uses(id), 1) };
            Decision::Accepted(Change { tally: vec![add], ..done() }.into())
        }
        _ => Decision::Refused(vec![Refusal::UsesSpent { uses: 1 }], None),
    };
    Command::new(load, decide)
}

/// The uses of a pass that are gone.
fn used(store: &Postgres, id: PassId) -> i64 {
    let load = Load { passes: vec![id], ..Load::new(SHOP) };
    wait(store.load(&load)).unwrap().passes[0].uses.used
}

fn events(store: &Postgres) -> Vec<Arc<StoredOperation>> {
    wait(store.events(SHOP, 0, u32::MAX)).unwrap()
}

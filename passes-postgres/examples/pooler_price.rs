//! What a pooler in transaction mode costs: the same redemptions straight and through PgBouncer, in turns, in one run.
//!
//! `cargo run --release -p passes-postgres --example pooler_price`

use passes_core::calendar::Instant as Moment;
use passes_core::id::{BusinessId, Id, LotId, OperationId, PassId};
use passes_core::ledger::{Account, Entry, Mark, Subject, Unit};
use passes_core::money::Currency;
use passes_core::operation::Kind;
use passes_core::pass::{PassRow, Standing, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{
    Add, Answer, Change, Chunk, Claim, Command, Decision, Doc, DocKey, DocKind, Expect, Load, Loaded,
    Operation, Put, Record, Store, StoreError, TallyKey, wait,
};
use passes_postgres::Postgres;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use test_postgres::{Pooler, Server};

const SHOP: BusinessId = BusinessId::STORE;
const PASSES: u32 = 20_000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(1);

fn pass(serial: u32) -> PassId {
    LotId::from_bytes([3; 16]).pass(serial)
}

fn digest(serial: u32) -> Digest {
    let mut bytes = [7; 32];
    let spread = u64::from(serial).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    bytes.iter_mut().zip(spread).for_each(|(byte, new)| *byte = new);
    Digest::from_bytes(bytes)
}

fn business() -> DocKey {
    DocKey { kind: DocKind::Business, id: SHOP.to_bytes() }
}

fn operation(number: u64) -> Operation {
    let mut id = [5; 16];
    id.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, new)| *byte = new);
    Operation {
        key: Some((id, [9; 16])),
        receipt: vec![b'r'; 200],
        events: vec![b'e'; 200],
        ..Operation::new(OperationId::from_bytes(id), Kind::Redeem, "till", Moment::EPOCH)
    }
}

fn fill(store: &Postgres) -> Result<(), StoreError> {
    let row = |serial| PassRow {
        standing: Standing::Active,
        balance: Tally::new(1 << 40),
        ..PassRow::draft(pass(serial))
    };
    let mut codes: Vec<Claim> =
        (1..=PASSES).map(|serial| Claim { digest: digest(serial), pass: pass(serial) }).collect();
    codes.sort_unstable_by_key(|claim| claim.digest);
    let doc = Doc { key: business(), version: 1, parent: None, body: b"{}"[..].into() };
    let put = vec![Put { record: Record::Doc(doc), expect: Expect::Absent }];
    let change = Change { put, operation: Some(operation(0)), ..Change::new(SHOP) };
    wait(store.fill(&Chunk { change, codes, passes: (1..=PASSES).map(row).collect() })).map(drop)
}

/// A redemption of money: what it loads, and what it books.
fn redemption(number: u64) -> Command {
    let serial = u32::try_from(number.wrapping_mul(7_919) % u64::from(PASSES)).unwrap_or(0).saturating_add(1);
    let key = operation(number).key.map(|(key, _)| key);
    let load = Load { code: Some(digest(serial)), key, docs: vec![business()], ..Load::new(SHOP) };
    let decide = move |loaded: &Loaded| {
        let Some(found) = &loaded.code else { return Decision::Refused(Vec::new(), None) };
        let entry = Entry {
            from: (Account::Outstanding, Subject::Pass(found.id)),
            to: (Account::Settled, Subject::None),
            unit: Unit::Money(Currency::EUR),
            amount: 1,
            mark: Mark::Paid,
            line: None,
        };
        Decision::Accepted(Box::new(Change {
            expect: vec![(business(), Expect::Version(1))],
            tally: vec![Add::used(TallyKey::Balance(found.id), 1)],
            entries: vec![entry],
            operation: Some(operation(number)),
            ..Change::new(SHOP)
        }))
    };
    Command::new(load, decide)
}

/// Redemptions in a second, by so many clients.
fn rate(store: &Postgres, clients: usize, number: &AtomicU64) -> Result<f64, StoreError> {
    let start = Instant::now();
    let done: Result<Vec<u32>, StoreError> = std::thread::scope(|scope| {
        let work = || {
            let mut done = 0_u32;
            while start.elapsed() < ROUND {
                match wait(store.run(redemption(number.fetch_add(1, Ordering::Relaxed))))? {
                    Answer::Done(_) => done = done.saturating_add(1),
                    other => return Err(StoreError::Backend(format!("{other:?}"))),
                }
            }
            Ok(done)
        };
        let all: Vec<_> = (0..clients).map(|_| scope.spawn(work)).collect();
        let ended = |_| StoreError::Backend("a client ended".into());
        all.into_iter().map(|client| client.join().map_err(ended)?).collect()
    });
    Ok(f64::from(done?.iter().sum::<u32>()) / start.elapsed().as_secs_f64())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

fn main() -> Result<(), StoreError> {
    println!("| server | clients | straight, a second | such statements, no pooler | through PgBouncer |");
    println!("|---|---|---|---|---|");
    for (named, settings) in
        [("commit on", &["fsync=on"][..]), ("commit off", &["fsync=off", "synchronous_commit=off"])]
    {
        let Some(server) = Server::own(settings) else { return Ok(()) };
        let Some(pooler) = Pooler::start(&server, 8) else { return Ok(()) };
        let url = server.database();
        let unnamed = format!("{url}?pooler=transaction");
        let through = format!("{}?pooler=transaction", pooler.url(&url));
        let stores = [Postgres::open(&url)?, Postgres::open(&unnamed)?, Postgres::open(&through)?];
        let [first, ..] = &stores;
        fill(first)?;
        drop(server.say(&url, "VACUUM ANALYZE"));
        let number = AtomicU64::new(1);
        for clients in [1, 8] {
            let mut rates = [Vec::new(), Vec::new(), Vec::new()];
            for round in 0..=ROUNDS {
                for (store, rates) in stores.iter().zip(&mut rates) {
                    let rate = rate(store, clients, &number)?;
                    // The first warms up.
                    if round > 0 {
                        rates.push(rate);
                    }
                }
            }
            let [straight, bare, pooled] = rates.map(median);
            println!(
                "| {named} | {clients} | {straight:.0} | {:.2} | {:.2} |",
                bare / straight,
                pooled / straight
            );
        }
    }
    Ok(())
}

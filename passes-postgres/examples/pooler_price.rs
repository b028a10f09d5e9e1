//! What a pooler in transaction mode costs: the same redemptions straight and through PgBouncer, in turns, in one run.
//!
//! `cargo run --release -p passes-postgres --example pooler_price`

mod redemptions;

use passes_core::store::StoreError;
use passes_postgres::Postgres;
use redemptions::{ROUNDS, fill, median, rate};
use std::sync::atomic::AtomicU64;
use test_postgres::{Pooler, Server};

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

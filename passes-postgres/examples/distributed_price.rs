//! What a database elsewhere costs: the same redemptions on a server that is started for it and on the one named, in turns,
//! in one run. Its schema `passes` must be empty or not there.
//!
//! `cargo run --release -p passes-postgres --example distributed_price -- 'postgres://…?distributed=citus' fsync=off`
//!
//! What follows the URL are settings of the server that is started, which should be those of the other.

mod redemptions;

use passes_core::store::StoreError;
use passes_postgres::Postgres;
use redemptions::{ROUNDS, fill, median, rate};
use std::sync::atomic::AtomicU64;
use test_postgres::Server;

fn main() -> Result<(), StoreError> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let Some((url, settings)) = given.split_first() else {
        return Err(StoreError::Backend("which database? Its URL is the first argument".into()));
    };
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let Some(server) = Server::own(&settings) else { return Ok(()) };
    let stores = [Postgres::open(&server.database())?, Postgres::open(url)?];
    stores.iter().try_for_each(fill)?;
    println!("| clients | one server, a second | the other |");
    println!("|---|---|---|");
    let number = AtomicU64::new(1);
    for clients in [1, 8] {
        let mut rates = [Vec::new(), Vec::new()];
        for round in 0..=ROUNDS {
            for (store, rates) in stores.iter().zip(&mut rates) {
                let rate = rate(store, clients, &number)?;
                // The first warms up.
                if round > 0 {
                    rates.push(rate);
                }
            }
        }
        let [one, other] = rates.map(median);
        println!("| {clients} | {one:.0} | {:.2} |", other / one);
    }
    Ok(())
}

//! A database of PostgreSQL with sold cards, and clients who redeem them at once.

use crate::postgres_twin::{Hand, Way};
use crate::run::Made;
use crate::stock::{Stock, euros};
use passes_core::operation::By;
use passes_core::service::Redeem;
use passes_core::store::Store;
use passes_postgres::Postgres;
use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use test_postgres::Server;

/// What is spent of a card at once, in minor units: a card lasts for twenty.
pub(crate) const SPENT: i64 = 125;
/// A request of a till: a code, and a key.
pub(crate) struct Asked {
    pub(crate) code: String,
    pub(crate) key: String,
}

/// A database with sold cards.
pub(crate) struct Shop {
    pub(crate) stock: Stock,
    store: Arc<Postgres>,
    url: String,
    pub(crate) cards: Vec<String>,
    at: usize,
    asked: u64,
}

impl Shop {
    pub(crate) fn new(server: &Server, settings: &str, cards: u32) -> Made<Self> {
        let url = over_tcp(server, &server.database(), settings);
        let store = Arc::new(Postgres::options().connections(32).open(&url)?);
        let mut stock = Stock::new(Arc::clone(&store) as Arc<dyn Store>, cards)?;
        let mut all = Vec::new();
        while let Some(code) = stock.codes.next() {
            all.push(code.to_owned());
        }
        // What it answers is nothing.
        let _ = server.say(&url, "VACUUM ANALYZE");
        let mut shop = Self { stock, store, url, cards: all, at: 0, asked: 0 };
        // How long its receipt and its events are is what those by hand go by.
        let first = shop.ask(1)?;
        first.iter().try_for_each(|asked| shop.redeem(asked))?;
        Ok(shop)
    }

    /// So many requests of different cards, each with a key of its own.
    pub(crate) fn ask(&mut self, count: usize) -> Made<Vec<Asked>> {
        let mut asked = Vec::with_capacity(count);
        for _ in 0..count {
            self.asked += 1;
            let code = self.cards.get(self.at % self.cards.len()).ok_or("there are no cards")?.clone();
            self.at += 1;
            asked.push(Asked { code, key: format!("receipt-{}", self.asked) });
        }
        Ok(asked)
    }

    pub(crate) fn redeem(&self, asked: &Asked) -> Made<()> {
        let request = Redeem::direct(asked.code.as_str(), euros(SPENT)?);
        self.stock.passes.redeem(&self.stock.keyed(&asked.key), request).wait()?;
        Ok(())
    }

    pub(crate) fn redeem_list(&self, asked: &[Asked]) -> Made<()> {
        let request = |asked: &Asked| -> Made<(By, Redeem)> {
            Ok((self.stock.keyed(&asked.key), Redeem::direct(asked.code.as_str(), euros(SPENT)?)))
        };
        let list = asked.iter().map(request).collect::<Made<Vec<_>>>()?;
        for answer in self.stock.passes.redeem_all(list).wait()? {
            answer?;
        }
        Ok(())
    }

    /// Connections by hand, which write receipts and events as long as the store's.
    pub(crate) fn hands(&self, count: usize) -> Made<Vec<Mutex<Hand>>> {
        let business = self.stock.by.business;
        let last = passes_core::store::wait(self.store.events(business, 0, 10_000))?;
        let last = last.last().ok_or("nothing happened yet")?;
        let lengths = (last.operation.receipt.len(), last.operation.events.len());
        let hand =
            |number| Ok(Mutex::new(Hand::connect(&self.url, business, i32::try_from(number)?, lengths)?));
        (0..count).map(hand).collect()
    }
}

/// Has clients do their shares at once, and tells how long all of it took, in seconds.
pub(crate) fn at_once<T: Sync>(
    clients: usize,
    asked: &[T],
    work: impl Fn(usize, &T) -> Made<()> + Sync,
) -> Made<f64> {
    let begun = Instant::now();
    let failed: Vec<String> = std::thread::scope(|scope| {
        let shares = asked.chunks(asked.len().div_ceil(clients).max(1)).enumerate();
        let workers: Vec<_> = shares
            .map(|(client, share)| {
                let work = &work;
                // An error can't leave its thread as it is.
                scope.spawn(move || {
                    share.iter().try_for_each(|asked| work(client, asked)).err().map(|e| e.to_string())
                })
            })
            .collect();
        let ended = workers.into_iter().map(|worker| worker.join().unwrap_or(Some("a panic".to_owned())));
        ended.flatten().collect()
    });
    match failed.first() {
        None => Ok(begun.elapsed().as_secs_f64()),
        Some(why) => Err(why.as_str().into()),
    }
}

/// Has clients redeem parts of so many cards by the public call, and tells how many seconds each took.
pub(crate) fn by_call(shop: &RefCell<Shop>, clients: usize, count: usize) -> Made<f64> {
    let asked = shop.borrow_mut().ask(count)?;
    let shop: &Shop = &shop.borrow();
    Ok(at_once(clients, &asked, |_, asked| shop.redeem(asked))? / count as f64)
}

/// The same by hand: each client has a connection.
pub(crate) fn by_hand(
    shop: &RefCell<Shop>,
    (hands, way): (&[Mutex<Hand>], Way),
    clients: usize,
    count: usize,
) -> Made<f64> {
    let asked = shop.borrow_mut().ask(count)?;
    let redeem = |client, asked: &Asked| {
        let hand: &Mutex<Hand> = hands.get(client).ok_or("no connection")?;
        let mut hand = hand.lock().map_err(|_| "a client panicked")?;
        hand.redeem(way, &asked.code, &asked.key, SPENT)
    };
    Ok(at_once(clients, &asked, redeem)? / count as f64)
}

/// The URL of a database by the address that a client elsewhere would have, with more parameters.
pub(crate) fn over_tcp(server: &Server, url: &str, settings: &str) -> String {
    format!("{}{settings}", server.through(url, &[server.address()]))
}

/// The parameter of a session that doesn't wait for the disk.
pub(crate) const OFF: &str = "&options=-csynchronous_commit%3Doff";

/// A server as a shop would have one: it syncs, and has room for a log between two checkpoints.
pub(crate) const SETTINGS: [&str; 5] =
    ["fsync=on", "shared_buffers=512MB", "max_connections=200", "max_wal_size=4GB", "checkpoint_timeout=1h"];

//! What one server of PostgreSQL bears while a database grows from ten thousand passes to ten million: bytes of a pass,
//! and what a redemption writes and reads.

use crate::measure::{Measure, power};
use crate::postgres_shop::{SETTINGS, at_once, over_tcp};
use crate::run::{Made, Run};
use crate::stock::{Dice, Stock, VALUE, euros};
use passes_core::conditions::Conditions;
use passes_core::id::LotId;
use passes_core::run::Progress;
use passes_core::service::{Deal, Generate, Redeem};
use passes_core::store::Store;
use passes_postgres::Postgres;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use test_postgres::Server;

/// Passes in the database.
const SIZES: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const ROUNDS: usize = 11;
/// Redemptions of a round: by one client, and by all together.
const ONE: usize = 200;
const ALL: usize = 800;
const CLIENTS: usize = 8;
/// How long a session may keep to itself what it read.
const TOLD: Duration = Duration::from_secs(11);
/// What is spent of a card at once, in minor units.
const SPENT: i64 = 125;

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let Some(server) = Server::own(&SETTINGS) else {
        return Ok(vec![Measure::not_run("passes in PostgreSQL", "", "there is no server here")]);
    };
    let mut base = Base::make(&server)?;
    let mut measures = Vec::new();
    for size in run.or_quick(SIZES.as_slice(), SIZES.get(..2).unwrap_or_default()) {
        let grown = base.grow(run, *size)?;
        let redeemed = base.redeem(run, *size)?;
        let at = f64::from(*size);
        measures.extend(grown.into_iter().chain(redeemed).map(|measure| measure.at(at, "passes")));
    }
    Ok(measures)
}

/// A database that grows.
struct Base<'s> {
    server: &'s Server,
    url: String,
    store: Arc<Postgres>,
    stock: Stock,
    lots: Vec<(LotId, u32)>,
    asked: AtomicU64,
    dice: Dice,
}

impl<'s> Base<'s> {
    fn make(server: &'s Server) -> Made<Self> {
        let url = over_tcp(server, &server.database(), "");
        let store = Arc::new(Postgres::options().connections(CLIENTS).open(&url)?);
        let stock = Stock::open(Arc::clone(&store) as Arc<dyn Store>)?;
        Ok(Self { server, url, store, stock, lots: Vec::new(), asked: AtomicU64::new(0), dice: Dice(7) })
    }

    fn number(&self, question: &str) -> Made<f64> {
        Ok(self.server.say(&self.url, question).parse()?)
    }

    /// What passes and their codes take, with their indexes.
    fn bytes(&self) -> Made<f64> {
        self.size(&["pass", "code"])
    }

    /// What tables take, with their indexes.
    fn size(&self, tables: &[&str]) -> Made<f64> {
        tables
            .iter()
            .map(|table| self.number(&format!("SELECT pg_total_relation_size('passes.{table}')")))
            .sum()
    }

    /// Generates and sells so many passes that there are `size`.
    fn grow(&mut self, run: &Run, size: u32) -> Made<Vec<Measure>> {
        let (passes, by) = (&self.stock.passes, &self.stock.by);
        let more = size - self.lots.iter().map(|(_, count)| count).sum::<u32>();
        let doing = run.doing(&format!("passes up to {}", power(size.into())), 2 * usize::try_from(more)?);
        let steps = |run, before: u32| -> Made<f64> {
            let begun = Instant::now();
            loop {
                let progress: Progress = passes.step(by, run).wait()?;
                doing.round(usize::try_from(before + progress.done)?);
                if progress.is_over() {
                    return Ok(begun.elapsed().as_secs_f64());
                }
            }
        };
        let before = self.bytes()?;
        let plan = self.stock.plan(Conditions::default())?;
        let request = Generate { plan, count: more, accept_weak: false };
        let lot = passes.generate(by, request).wait()?.done;
        let made = steps(lot.run, 0)?;
        let unsold = (self.bytes()? - before) / f64::from(more);
        let sale = passes.sell(by, lot.lot, Deal::at(euros(VALUE)?)).wait()?;
        let sold = steps(sale.run.ok_or("a sale of a lot is a run")?, more)?;
        passes.export(by, lot.lot).wait()?;
        self.lots.push((lot.lot, more));
        // Its answer is empty. What the sale left behind is free again, as autovacuum would have it in time.
        let _ = self.server.say(&self.url, "VACUUM ANALYZE");
        let each = f64::from(more);
        Ok(vec![
            Measure::new("bytes of a pass, unsold", "bytes", unsold),
            Measure::new("bytes of a pass, sold", "bytes", self.bytes()? / f64::from(size)),
            Measure::new("passes generated a second", "/s", each / made),
            Measure::new("passes sold a second, a lot as a whole", "/s", each / sold),
        ])
    }

    /// Codes from anywhere in the database.
    fn codes(&mut self, count: usize) -> Made<Vec<String>> {
        let all: u32 = self.lots.iter().map(|(_, count)| count).sum();
        let all = usize::try_from(all)?;
        let places: Vec<usize> = (0..count).map(|_| self.dice.below(all)).collect();
        let code = |place: usize| -> Made<String> {
            let mut place = u32::try_from(place)?;
            let mut lots = self.lots.iter();
            let lot = loop {
                match lots.next().ok_or("a place in no lot")? {
                    (lot, count) if place < *count => break *lot,
                    (_, count) => place -= count,
                }
            };
            let rows = self.stock.passes.export_page(&self.stock.by, lot, place, 1).wait()?;
            let row = rows.into_iter().next().ok_or("no pass has this serial number")?;
            Ok(row.code.reveal().to_owned())
        };
        places.into_iter().map(code).collect()
    }

    fn spend(&self, code: &str) -> Made<()> {
        let key = format!("receipt-{}", self.asked.fetch_add(1, Ordering::Relaxed));
        self.stock.passes.redeem(&self.stock.keyed(&key), Redeem::direct(code, euros(SPENT)?)).wait()?;
        Ok(())
    }

    fn redeem(&mut self, run: &Run, size: u32) -> Made<Vec<Measure>> {
        let rounds = run.or_quick(ROUNDS, 3);
        let cards = (rounds + 1) * (ONE + ALL) + 4 * ALL;
        let codes = self.codes(cards.min(usize::try_from(size)?))?;
        let mut next = codes.iter().cycle();
        let base = &*self;
        let kept = || base.size(&["operation", "entry", "opkey"]);
        let (kept_before, asked_before) = (kept()?, base.asked.load(Ordering::Relaxed));
        // As they are on a day without a checkpoint, and right behind one: the first change of a page writes the page.
        let plain = base.written("off", &mut next)?;
        let imaged = base.written("on", &mut next)?;
        let next = std::cell::RefCell::new(next);
        let take = |count: usize| -> Vec<&String> { next.borrow_mut().by_ref().take(count).collect() };
        let by_clients = |clients: usize, count: usize| {
            at_once(clients, &take(count), |_, code| base.spend(code)).map(|took| count as f64 / took)
        };
        let mut rates: [Vec<f64>; 2] = Default::default();
        let doing = run.doing(&format!("redemptions at {} passes", power(size.into())), rounds);
        for round in 0..=rounds {
            doing.round(round);
            let one = by_clients(1, ONE)?;
            let all = by_clients(CLIENTS, ALL)?;
            if round > 0 {
                let [ones, alls] = &mut rates;
                ones.push(one);
                alls.push(all);
            }
        }
        let made = f64::from(u32::try_from(base.asked.load(Ordering::Relaxed) - asked_before)?);
        let kept = (kept()? - kept_before) / made;
        let [one, all] = &rates;
        Ok(vec![
            Measure::of_rounds("redemptions a second, one client", "/s", one),
            Measure::of_rounds("redemptions a second, 8 clients", "/s", all),
            Measure::new("bytes that are kept of a redemption", "bytes", kept),
            Measure::new("round trips of a redemption", "", plain.trips),
            Measure::new("log of a redemption, pages known", "bytes", plain.log),
            Measure::new("log of a redemption, right behind a checkpoint", "bytes", imaged.log),
            Measure::new("pages of 8 KiB that a redemption finds in memory", "", plain.hit),
            Measure::new("pages of 8 KiB that it asks the system for", "", plain.read),
        ])
    }

    /// What redemptions by all clients write and read, with or without images of pages in the log.
    fn written<'c>(&self, images: &str, next: &mut impl Iterator<Item = &'c String>) -> Made<Written> {
        for statement in
            [&format!("ALTER SYSTEM SET full_page_writes={images}"), "SELECT pg_reload_conf()", "CHECKPOINT"]
        {
            let _ = self.server.say(&self.url, statement);
        }
        let codes: Vec<&String> = next.take(ALL).collect();
        let log = || self.number("SELECT pg_current_wal_insert_lsn()-'0/0'::pg_lsn");
        let pages = || -> Made<[f64; 2]> {
            // A session that waits for its next statement tells within ten seconds what it did before.
            std::thread::sleep(TOLD);
            let of = |pages: &str| {
                self.number(&format!("SELECT {pages} FROM pg_stat_database WHERE datname=current_database()"))
            };
            Ok([of("blks_hit")?, of("blks_read")?])
        };
        let [hit, read] = pages()?;
        let (before, trips) = (log()?, self.store.round_trips());
        at_once(CLIENTS, &codes, |_, code| self.spend(code))?;
        let count = codes.len() as f64;
        let trips = (self.store.round_trips() - trips) as f64 / count;
        let log = (log()? - before) / count;
        let [hits, reads] = pages()?;
        Ok(Written { log, trips, hit: (hits - hit) / count, read: (reads - read) / count })
    }
}

/// Of one redemption.
struct Written {
    log: f64,
    trips: f64,
    hit: f64,
    read: f64,
}

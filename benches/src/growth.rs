//! Redemptions while one file grows from ten thousand passes to ten million.
//!
//! A durable rate follows the mood of the disk, which may change by thirty times within an hour. So at each size it
//! stands beside bare commits of the same minute and beside its own CPU time, which don't.

use crate::child::cpu_seconds;
use crate::measure::{Measure, all_in_turns, power};
use crate::run::{Made, Run, folder};
use crate::shop::Shop;
use passes_core::Passes;
use passes_core::id::LotId;
use passes_core::money::{Currency, Money};
use passes_core::operation::By;
use passes_core::service::{ExportRow, Redeem};
use passes_sqlite::Sqlite;
use rusqlite::{CachedStatement, Connection};
use std::path::PathBuf;
use std::time::Instant;

/// Passes in the file.
const SIZES: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const ROUNDS: usize = 21;
/// Redemptions of a round: by one client, and by all threads together.
const ONE: usize = 200;
const ALL: usize = 400;
const THREADS: usize = 8;
/// What is spent of a card at once, in minor units.
const SPENT: i64 = 125;

/// The names of the measures that the pictures show.
pub(crate) const RATE_ONE: &str = "redemptions a second, one client";
pub(crate) const RATE_ALL: &str = "redemptions a second, 8 threads";
pub(crate) const COMMITS: &str = "bare commits a second";
pub(crate) const CPU: &str = "CPU of a redemption, one client";
pub(crate) const CPU_BARE: &str = "CPU of a bare commit";

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let folder = folder()?;
    let mut file = File::make(folder.path().join("shop.db"), folder.path().join("bare.db"))?;
    let mut measures = Vec::new();
    for size in run.or_quick(SIZES.as_slice(), SIZES.get(..2).unwrap_or_default()) {
        let grown = file.grow(run, *size)?;
        let redeemed = file.redeem(run, *size)?;
        let at = f64::from(*size);
        measures.extend(redeemed.into_iter().chain(grown).map(|measure| measure.at(at, "passes")));
    }
    Ok(measures)
}

/// A file that grows.
struct File {
    path: PathBuf,
    shop: Shop,
    bare: Connection,
    lots: Vec<(LotId, u32)>,
    /// Bytes that are not for passes: what was there at first, and what redemptions added.
    others: u64,
    dice: u64,
    asked: u64,
}

/// What a till asks.
type Asked = (By, Redeem);

impl File {
    fn make(path: PathBuf, bare: PathBuf) -> Made<Self> {
        let shop = Shop::make(Sqlite::options(), &path)?;
        shop.store.close();
        let others = std::fs::metadata(&path)?.len();
        let shop = shop.again(Sqlite::options(), &path)?;
        let bare = Connection::open(bare)?;
        bare.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA fullfsync=ON;
             CREATE TABLE counter (n INTEGER NOT NULL); INSERT INTO counter VALUES (0);",
        )?;
        Ok(Self { path, shop, bare, lots: Vec::new(), others, dice: 7, asked: 0 })
    }

    /// Bytes of the file when all of the log is in it.
    fn length(&mut self) -> Made<u64> {
        self.shop.store.close();
        let length = std::fs::metadata(&self.path)?.len();
        self.shop = self.shop.again(Sqlite::options(), &self.path)?;
        Ok(length)
    }

    /// Generates and sells so many passes that there are `size`.
    fn grow(&mut self, run: &Run, size: u32) -> Made<Vec<Measure>> {
        let more = size - self.lots.iter().map(|(_, count)| count).sum::<u32>();
        let doing = run.doing(&format!("passes up to {}", power(size.into())), 2 * usize::try_from(more)?);
        let told = |sold: u32, done: u32| doing.round(usize::try_from(sold + done).unwrap_or_default());
        let begun = Instant::now();
        let (lot, _) = self.shop.generate(more, |progress| told(0, progress.done))?;
        let made = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        self.shop.sell(lot, |progress| told(more, progress.done))?;
        let sold = begun.elapsed().as_secs_f64();
        self.shop.passes.export(&self.shop.by, lot).wait()?;
        self.lots.push((lot, more));
        let bytes = self.length()? - self.others;
        let each = f64::from(more);
        Ok(vec![
            Measure::new("bytes of a sold pass", "bytes", bytes as f64 / f64::from(size)),
            Measure::new("passes generated a second", "/s", each / made),
            Measure::new("passes sold a second", "/s", each / sold),
        ])
    }

    /// A number below `limit`.
    fn below(&mut self, limit: u32) -> u32 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(((self.dice >> 32) * u64::from(limit)) >> 32).unwrap_or_default()
    }

    /// A card from anywhere in the file.
    fn card(&mut self) -> Made<ExportRow> {
        let mut place = self.below(self.lots.iter().map(|(_, count)| count).sum());
        let mut lots = self.lots.iter();
        let (lot, before) = loop {
            match lots.next().ok_or("a place in no lot")? {
                (lot, count) if place < *count => break (*lot, place),
                (_, count) => place -= count,
            }
        };
        let rows = self.shop.passes.export_page(&self.shop.by, lot, before, 1).wait()?;
        Ok(rows.into_iter().next().ok_or("no pass has this serial number")?)
    }

    /// A redemption of such a card, with an idempotency key.
    fn ask(&mut self) -> Made<Asked> {
        let card = self.card()?;
        self.asked += 1;
        let by = self.shop.by.clone().key(&format!("receipt-{}", self.asked));
        Ok((by, Redeem::direct(card.code.reveal(), Money::from_minor(SPENT, Currency::EUR)?)))
    }

    /// One client, bare commits and eight threads in turns.
    fn redeem(&mut self, run: &Run, size: u32) -> Made<Vec<Measure>> {
        let rounds = run.or_quick(ROUNDS, 5);
        let before = self.length()?;
        let mut asked = Vec::with_capacity((rounds + 1) * (ONE + ALL));
        for _ in 0..asked.capacity() {
            asked.push(self.ask()?);
        }
        let (mut for_one, mut for_all) = {
            let mut rest = asked.into_iter();
            let one: Vec<Asked> = rest.by_ref().take((rounds + 1) * ONE).collect();
            (one.into_iter(), rest)
        };
        let (passes, store) = (self.shop.passes.clone(), std::sync::Arc::clone(&self.shop.store));
        let (mut cpu, mut cpu_bare, mut groups) = (Vec::new(), Vec::new(), 0);
        let mut one = |round: usize| {
            let part: Vec<Asked> = for_one.by_ref().take(ONE).collect();
            let (used, begun) = (cpu_seconds()?, Instant::now());
            redeem_all(&passes, part)?;
            let took = begun.elapsed().as_secs_f64();
            if round > 0 {
                cpu.push((cpu_seconds()? - used) * 1e6 / ONE as f64);
            }
            Ok(took)
        };
        let mut commit = self.bare.prepare_cached("UPDATE counter SET n=n+1")?;
        let mut bare = |round: usize| {
            let used = cpu_seconds()?;
            let took = commits(&mut commit)?;
            if round > 0 {
                cpu_bare.push((cpu_seconds()? - used) * 1e6 / ONE as f64);
            }
            Ok(took)
        };
        let mut all = |round: usize| {
            let part: Vec<Asked> = for_all.by_ref().take(ALL).collect();
            let before = store.groups();
            let took = by_threads(&passes, part)?;
            groups += if round > 0 { store.groups() - before } else { 0 };
            Ok(took)
        };
        let what = format!("redemptions at {} passes", power(size.into()));
        let sides = all_in_turns(run, &what, rounds, &mut [&mut one, &mut bare, &mut all])?;
        drop(commit);
        let [one, bare, all] = sides.as_slice() else { return Err("a side is missing".into()) };
        let rates = |count: usize, seconds: &[f64]| -> Vec<f64> {
            seconds.iter().map(|seconds| count as f64 / seconds).collect()
        };
        let (one, bare, all) = (rates(ONE, one), rates(ONE, bare), rates(ALL, all));
        let ratios =
            |of: &[f64], to: &[f64]| -> Vec<f64> { of.iter().zip(to).map(|(of, to)| of / to).collect() };
        self.others += self.length()? - before;
        Ok(vec![
            Measure::of_rounds(RATE_ONE, "/s", &one),
            Measure::of_rounds(RATE_ALL, "/s", &all),
            Measure::of_rounds(COMMITS, "/s", &bare),
            Measure::of_rounds("one client ÷ bare commits", "×", &ratios(&one, &bare)),
            Measure::of_rounds("8 threads ÷ one client", "×", &ratios(&all, &one)),
            Measure::new("syncs of a redemption, 8 threads", "", groups as f64 / (rounds * ALL) as f64),
            Measure::of_rounds(CPU, "µs", &cpu),
            Measure::of_rounds(CPU_BARE, "µs", &cpu_bare),
        ])
    }
}

fn redeem_all(passes: &Passes, asked: Vec<Asked>) -> Made<()> {
    for (by, redeem) in asked {
        passes.redeem(&by, redeem).wait()?;
    }
    Ok(())
}

/// Seconds that the threads need together, each with its part.
fn by_threads(passes: &Passes, asked: Vec<Asked>) -> Made<f64> {
    let mut parts: Vec<Vec<Asked>> = (0..THREADS).map(|_| Vec::with_capacity(ALL / THREADS)).collect();
    for (at, each) in asked.into_iter().enumerate() {
        if let Some(part) = parts.get_mut(at % THREADS) {
            part.push(each);
        }
    }
    let begun = Instant::now();
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let redeem = |part| scope.spawn(|| redeem_all(passes, part).map_err(|error| error.to_string()));
        let threads: Vec<_> = parts.into_iter().map(redeem).collect();
        let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|joined| joined.unwrap_or_else(|_| Err("a thread panicked".to_owned()))).collect()
    });
    let took = begun.elapsed().as_secs_f64();
    results.into_iter().collect::<Result<(), String>>()?;
    Ok(took)
}

/// Seconds of as many commits of one changed number.
fn commits(commit: &mut CachedStatement<'_>) -> Made<f64> {
    let begun = Instant::now();
    for _ in 0..ONE {
        commit.execute([])?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// cards from anywhere in a file are found and redeemed, by one and by many at once.
    #[test]
    fn cards_are_redeemed_wherever_they_lie() {
        let folder = folder().unwrap();
        let path = |name: &str| -> PathBuf { folder.path().join(name) };
        let mut file = File::make(path("shop.db"), path("bare.db")).unwrap();
        let run = Run::silent();
        for size in [300, 900] {
            let grown = file.grow(&run, size).unwrap();
            assert!(grown.iter().all(|measure| measure.value > 0.0), "{grown:?}");
        }
        let asked: Vec<Asked> = (0..40).map(|_| file.ask().unwrap()).collect();
        let (first, second) = asked.split_at(20);
        redeem_all(&file.shop.passes, first.to_vec()).unwrap();
        assert!(by_threads(&file.shop.passes, second.to_vec()).unwrap() > 0.0);
        let cards: Vec<_> = (0..40).map(|_| file.card().unwrap().pass).collect();
        assert!(cards.iter().collect::<BTreeSet<_>>().len() > 30);
        assert_eq!(cards.iter().map(|card| card.lot()).collect::<BTreeSet<_>>().len(), 2);
        let verified = file.shop.passes.verify(&file.shop.by).wait().unwrap();
        assert!(verified.is_good() && verified.keys >= 40, "{verified:?}");
    }
}

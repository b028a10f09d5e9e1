//! A lot of hashed passes into SQLite, all included, beside a loop of prepared inserts written by hand: how fast,
//! how much memory, how many events.

use crate::child;
use crate::measure::{Good, Measure, Turns, in_turns, power};
use crate::run::{Made, Run, folder};
use crate::shop::Shop;
use crate::world::MASTER;
use passes_core::event::Position;
use passes_core::id::{BusinessId, Ids};
use passes_core::pass::Standing;
use passes_core::passcode::{Format, LotSeed};
use passes_core::secret::{Keyring, Purpose};
use passes_host::{Entropy, OsEntropy};
use passes_sqlite::Sqlite;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Passes of a lot, and rounds: a round of a large one takes long.
const SMALL: (u32, usize) = (100_000, 21);
const LARGE: (u32, usize) = (1_000_000, 7);
/// What memory is compared at.
const FEW: u32 = 1_000_000;
const MANY: u32 = 4_000_000;

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let mut measures = Vec::new();
    for (lot, gated) in [(SMALL, false), (LARGE, true)] {
        let (count, rounds) = run.or_quick(lot, (SMALL.0, 5));
        let turns = beside_by_hand(run, count, rounds)?;
        let rates: Vec<f64> = turns.a.iter().map(|seconds| f64::from(count) / seconds).collect();
        let name = format!("lot of {} hashed passes", power(count.into()));
        let ratio = Measure::of_rounds(format!("{name}, rate ÷ by hand"), "×", &turns.ratios());
        measures.push(if gated { ratio.at_least(1.0, 1.6) } else { ratio.hoped(Good::High, 1.0) });
        measures.push(Measure::of_rounds(name, "/s", &rates));
        if run.quick {
            break;
        }
    }
    measures.extend(memory(run)?);
    Ok(measures)
}

/// Seconds of both sides. Each round begins with a copy of the same small file, and ends when the log is in it.
fn beside_by_hand(run: &Run, count: u32, rounds: usize) -> Made<Turns> {
    let folder = folder()?;
    let template = folder.path().join("template.db");
    let shop = Shop::make(Sqlite::options(), &template)?;
    shop.store.close();
    let copy = |name: &str| -> Made<PathBuf> {
        let path = folder.path().join(name);
        remove(&path)?;
        std::fs::copy(&template, &path)?;
        Ok(path)
    };
    let by_call = |_| {
        let path = copy("ours.db")?;
        let begun = Instant::now();
        let shop = shop.again(Sqlite::options(), &path)?;
        shop.generate(count, |_| {})?;
        shop.store.close();
        let seconds = begun.elapsed().as_secs_f64();
        holds(&path, count)?;
        Ok(seconds)
    };
    let by_hand = |_| {
        let path = copy("theirs.db")?;
        let begun = Instant::now();
        insert_by_hand(&path, shop.business, count)?;
        let seconds = begun.elapsed().as_secs_f64();
        holds(&path, count)?;
        Ok(seconds)
    };
    in_turns(run, &format!("lot of {}", power(count.into())), rounds, by_call, by_hand)
}

/// Removes a database with its side files.
fn remove(path: &Path) -> Made<()> {
    for end in ["", "-wal", "-shm", ".lock", ".gate"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Both sides must have written all rows.
fn holds(path: &Path, count: u32) -> Made<()> {
    let sql = Connection::open(path)?;
    let rows = |table: &str| sql.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    let (codes, passes): (u32, u32) = (rows("code")?, rows("pass")?);
    if (codes, passes) == (count, count) {
        Ok(())
    } else {
        Err(format!("{codes} codes, {passes} passes").into())
    }
}

/// What one writes who needs only this: one transaction, two prepared statements, one loop. The codes are drawn and
/// hashed like those of the library, and inserted as they come; the connection is set up as the store's own.
fn insert_by_hand(path: &Path, business: BusinessId, count: u32) -> Made<()> {
    let sql = Connection::open(path)?;
    sql.execute_batch(
        "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL; PRAGMA fullfsync=ON;
         PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-32768;",
    )?;
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let maker = Format::default().maker()?;
    let seed = LotSeed::from_bytes(OsEntropy.seed()?);
    let ring = Keyring::from_master("k1", &MASTER)?;
    let (_, key) = ring.require_current(Purpose::Digest)?;
    let lot = Ids::new(&OsEntropy.seed()?, passes_core::calendar::Instant::EPOCH).draw_lot();
    sql.execute_batch("BEGIN IMMEDIATE")?;
    let number: i64 =
        sql.query_row("SELECT num FROM business WHERE id=?1", [business.as_bytes()], |row| row.get(0))?;
    sql.execute("INSERT INTO lot (business,id) VALUES (?1,?2)", params![number, lot.as_bytes()])?;
    let lot = sql.last_insert_rowid();
    {
        let mut code = sql.prepare("INSERT INTO code VALUES (?1,?2,?3,?4)")?;
        let mut pass = sql.prepare(
            "INSERT INTO pass VALUES (?1,?2,1,?3,0,NULL,NULL,50000,0,0,1,0,0,50000,0,0,0,NULL,NULL,NULL,0,NULL,0)",
        )?;
        for (serial, body) in seed.codes(&maker, 1..count + 1) {
            let digest = maker.hash(&body, business.as_bytes()).digest(key);
            code.execute(params![number, digest.as_bytes(), lot, serial])?;
            pass.execute(params![lot, serial, Standing::Draft as u8])?;
        }
    }
    sql.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")?;
    sql.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// The work of a process: `COUNT`, a lot of that many; how many steps it took and how many events it raised.
pub(crate) fn child(args: &[String]) -> Made<Value> {
    let [count] = args else { return Err("usage: lot COUNT".into()) };
    let folder = folder()?;
    let shop = Shop::make(Sqlite::options(), &folder.path().join("shop.db"))?;
    let before = events(&shop, Position::default())?;
    let begun = Instant::now();
    let (lot, steps) = shop.generate(count.parse()?, |_| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    let made = shop.passes.lot(&shop.by, lot).wait()?;
    if !made.complete || made.count.to_string() != *count {
        return Err(format!("the lot has {} passes", made.count).into());
    }
    let events = events(&shop, before.1)?.0;
    Ok(json!({ "steps": steps, "events": events, "seconds": seconds }))
}

/// How many events come after a position, and the last of them.
fn events(shop: &Shop, after: Position) -> Made<(usize, Position)> {
    let (mut count, mut last) = (0, after);
    loop {
        let told = shop.passes.events(&shop.by, last, 1_000).wait()?;
        let Some(end) = told.last() else { return Ok((count, last)) };
        (count, last) = (count + told.len(), end.position);
    }
}

fn memory(run: &Run) -> Made<Vec<Measure>> {
    let doing = run.doing("memory of a lot", 2);
    let (few, many) = run.or_quick((FEW, MANY), (FEW / 2, FEW));
    let small = child::call("lot", &[&few.to_string()])?;
    doing.round(1);
    let large = child::call("lot", &[&many.to_string()])?;
    let at = |count: u32| power(count.into());
    let bytes = |told: &child::Told| told.peak().map(|peak| peak / f64::from(1 << 20));
    let ratio = bytes(&large)? / bytes(&small)?;
    let per_step = large.number("events")? / large.number("steps")?;
    Ok(vec![
        Measure::new(format!("peak memory of a lot of {} ÷ of {}", at(many), at(few)), "×", ratio)
            .at_most(1.1, 1.1),
        Measure::new(format!("peak memory of a lot of {}", at(many)), "MiB", bytes(&large)?),
        Measure::new(format!("events of a lot of {} ÷ its chunks", at(many)), "×", per_step)
            .at_most(1.0, 1.0),
        Measure::new(format!("lot of {}, once", at(many)), "/s", f64::from(many) / large.number("seconds")?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-1, T-2, E-1: a lot of many chunks raises no more events than chunks; by hand the same rows are written.
    #[test]
    fn a_lot_raises_few_events() {
        let told = child(&["20000".to_owned()]).unwrap();
        let (steps, events) = (told["steps"].as_u64().unwrap(), told["events"].as_u64().unwrap());
        assert!(steps >= 10 && (1..=steps).contains(&events), "{events} events in {steps} steps");
        let turns = beside_by_hand(&Run::silent(), 5_000, 1).unwrap();
        assert!(turns.ratios().iter().all(|ratio| *ratio > 0.0));
    }
}

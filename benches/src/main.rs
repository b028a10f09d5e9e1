//! Speed and size, as ratios measured in one run: `cargo xtask bench`.
//!
//! Both sides of a ratio take turns in one process, and the median over the rounds is told: the machine may be
//! busy with something else. Nothing here is compared with a number from another machine.

mod measure;
mod ours;
mod pages;
mod twin;
mod world;

use measure::{Good, Measure, median};
use passes_core::store::{Store, StoreError, wait};
use passes_sqlite::{Options, Sqlite};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use twin::Twin;
use world::{Kind, Request, World};

/// Rounds of a ratio, and redemptions of each side in one.
const ROUNDS: usize = 31;
const ROUND: usize = 120;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and tells; whether all gates are met.
fn run() -> Result<bool, Box<dyn Error>> {
    let mut measures = vec![keyed_redemption()?];
    measures.extend(pages::measures()?);
    for measure in &measures {
        println!("{measure}");
    }
    let path = target().join("bench.json");
    let json: Vec<_> = measures.iter().map(Measure::to_json).collect();
    std::fs::create_dir_all(target())?;
    std::fs::write(&path, serde_json::to_string_pretty(&json)? + "\n")?;
    println!("written to {}", path.display());
    Ok(measures.iter().all(Measure::is_met))
}

fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => target.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
    }
}

/// No checkpoint of the store's own thread shall fall into either side's time.
fn quiet() -> Options {
    Sqlite::options().checkpoint(u32::MAX, u32::MAX)
}

/// One client redeems into wallets with idempotency keys, through the store and by hand.
fn keyed_redemption() -> Result<Measure, Box<dyn Error>> {
    let (mut ours, mut theirs) = (World::new(quiet())?, World::new(quiet())?);
    let twin = Twin::open(&theirs.path())?;
    let mut ratios = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let requests = requests(&mut ours, Kind::WalletWithKey);
        let same = self::requests(&mut theirs, Kind::WalletWithKey);
        let (ours, theirs) = if round % 2 == 0 {
            let ours = by_store(&ours.store, &requests)?;
            (ours, by_hand(&twin, &same)?)
        } else {
            let theirs = by_hand(&twin, &same)?;
            (by_store(&ours.store, &requests)?, theirs)
        };
        // The first round warms up.
        if round > 0 {
            ratios.push(theirs.as_secs_f64() / ours.as_secs_f64());
        }
    }
    let ratio = median(ratios);
    Ok(Measure {
        name: "keyed redemption, rate ÷ by hand",
        ratio,
        gate: 0.88,
        ambition: 0.95,
        good: Good::High,
    })
}

fn requests(world: &mut World, kind: Kind) -> Vec<Request> {
    (0..ROUND).map(|_| world.request(kind)).collect()
}

fn by_store(store: &Sqlite, requests: &[Request]) -> Result<Duration, StoreError> {
    let begun = Instant::now();
    for request in requests {
        ours::accepted(&wait(store.run(ours::command(request)))?)?;
    }
    Ok(begun.elapsed())
}

fn by_hand(twin: &Twin, requests: &[Request]) -> Result<Duration, Box<dyn Error>> {
    let begun = Instant::now();
    for request in requests {
        if !twin.redeem(request)? {
            return Err("the twin refused".into());
        }
    }
    Ok(begun.elapsed())
}

//! Speed and size, as ratios measured in one run: `cargo xtask bench`.
//!
//! Both sides of a ratio take turns in one process, and the median over the rounds is told: the machine may be
//! busy with something else. Nothing here is compared with a number from another machine.

mod floor;
mod measure;
mod memory;
mod pages;
mod stock;
mod twin;
mod world;

use measure::{Good, Measure, median};
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

type Section = fn() -> Result<Vec<Measure>, Box<dyn Error>>;

const SECTIONS: &[(&str, Section)] =
    &[("redeem", || Ok(vec![keyed_redemption()?])), ("pages", pages::measures), ("memory", memory::measures)];

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
    let mut measures = Vec::new();
    for (name, section) in SECTIONS {
        if std::env::args().len() < 2 || std::env::args().skip(1).any(|arg| arg == *name) {
            measures.extend(section()?);
        }
    }
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

/// One client redeems into wallets with idempotency keys, by the public call and by hand.
fn keyed_redemption() -> Result<Measure, Box<dyn Error>> {
    let (mut ours, mut theirs) = (World::new(quiet())?, World::new(quiet())?);
    let mut twin = Twin::open(&theirs.path(), theirs.business)?;
    let first = ours.request(Kind::WalletWithKey);
    ours.redeem(&first)?;
    twin.lengths = ours.last_lengths()?;
    theirs.request(Kind::WalletWithKey);
    let mut ratios = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let (requests, same) = (requests(&mut ours), self::requests(&mut theirs));
        let (by_call, by_twin) = if round % 2 == 0 {
            let by_call = timed(&requests, |request| ours.redeem(request))?;
            (by_call, timed(&same, |request| by_hand(&mut twin, request))?)
        } else {
            let by_twin = timed(&same, |request| by_hand(&mut twin, request))?;
            (timed(&requests, |request| ours.redeem(request))?, by_twin)
        };
        // The first round warms up.
        if round > 0 {
            ratios.push(by_twin.as_secs_f64() / by_call.as_secs_f64());
        }
    }
    let ratio = median(ratios);
    let name = "keyed redemption, rate ÷ by hand";
    Ok(Measure { name, ratio, gate: 0.88, ambition: 0.95, good: Good::High })
}

fn requests(world: &mut World) -> Vec<Request> {
    (0..ROUND).map(|_| world.request(Kind::WalletWithKey)).collect()
}

fn timed(
    requests: &[Request],
    mut redeem: impl FnMut(&Request) -> Result<(), Box<dyn Error>>,
) -> Result<Duration, Box<dyn Error>> {
    let begun = Instant::now();
    requests.iter().try_for_each(&mut redeem)?;
    Ok(begun.elapsed())
}

/// Redeems by hand; it must be accepted.
fn by_hand(twin: &mut Twin, request: &Request) -> Result<(), Box<dyn Error>> {
    if twin.redeem(request)? { Ok(()) } else { Err("the twin refused".into()) }
}

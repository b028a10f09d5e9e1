//! Durable redemption by one client, beside the same rows written by hand.

use crate::measure::{Measure, in_turns};
use crate::run::{Made, Run};
use crate::twin::Twin;
use crate::world::{Kind, Request, World};
use passes_sqlite::{Options, Sqlite};
use std::error::Error;
use std::time::Instant;

/// Rounds of a ratio, and redemptions of each side in one.
const ROUNDS: usize = 31;
const ROUND: usize = 120;

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    Ok(vec![keyed_redemption(run)?])
}

/// No checkpoint of the store's own thread shall fall into either side's time.
fn quiet() -> Options {
    Sqlite::options().checkpoint(u32::MAX, u32::MAX)
}

/// One client redeems into wallets with idempotency keys, by the public call and by hand.
fn keyed_redemption(run: &Run) -> Made<Measure> {
    let (mut ours, mut theirs) = (World::new(quiet())?, World::new(quiet())?);
    let mut twin = Twin::open(&theirs.path(), theirs.business)?;
    let first = ours.request(Kind::WalletWithKey);
    ours.redeem(&first)?;
    twin.lengths = ours.last_lengths()?;
    theirs.request(Kind::WalletWithKey);
    let name = "keyed redemption, rate ÷ by hand";
    let by_call = |_| {
        let requests = requests(&mut ours);
        timed(&requests, |request| ours.redeem(request))
    };
    let by_twin = |_| timed(&requests(&mut theirs), |request| by_hand(&mut twin, request));
    let turns = in_turns(run, name, run.or_quick(ROUNDS, 9), by_call, by_twin)?;
    Ok(Measure::of_rounds(name, "×", &turns.ratios()).at_least(0.88, 0.95))
}

fn requests(world: &mut World) -> Vec<Request> {
    (0..ROUND).map(|_| world.request(Kind::WalletWithKey)).collect()
}

fn timed(requests: &[Request], mut redeem: impl FnMut(&Request) -> Result<(), Box<dyn Error>>) -> Made<f64> {
    let begun = Instant::now();
    requests.iter().try_for_each(&mut redeem)?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Redeems by hand; it must be accepted.
pub(crate) fn by_hand(twin: &mut Twin, request: &Request) -> Made<()> {
    if twin.redeem(request)? { Ok(()) } else { Err("the twin refused".into()) }
}

//! Durable redemption by one client, beside the same rows written by hand.

use crate::child::cpu_seconds;
use crate::measure::{Good, Measure, Side, all_in_turns, median, ratios};
use crate::run::{Made, Run};
use crate::stock::Dice;
use crate::twin::Twin;
use crate::world::{Kind, Request, World};
use passes_sqlite::{Options, Sqlite};
use std::cell::RefCell;
use std::time::{Duration, Instant};
use test_vfs::Vfs;

/// Rounds of a ratio, and redemptions of each side in one.
const ROUNDS: usize = 31;
const ROUND: usize = 120;

const KINDS: [(Kind, &str); 3] = [
    (Kind::WalletWithKey, "into a wallet with a key"),
    (Kind::DirectWithKey, "directly with a key"),
    (Kind::Direct, "directly without a key"),
];

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let mut world = World::new(quiet())?;
    let mut twin = Twin::open(&world.copy()?, world.business)?;
    let mut measures = Vec::new();
    for (kind, name) in KINDS {
        measures.extend(beside_the_twin(run, &mut world, &mut twin, kind, name)?);
    }
    measures.extend(syncs(run)?);
    Ok(measures)
}

/// No checkpoint of the store's own thread shall fall into either side's time.
fn quiet() -> Options {
    Sqlite::options().checkpoint(u32::MAX, u32::MAX)
}

/// One client redeems, by the public call and by hand, and changes one row by hand.
fn beside_the_twin(
    run: &Run,
    world: &mut World,
    twin: &mut Twin,
    kind: Kind,
    name: &str,
) -> Made<Vec<Measure>> {
    let rounds = run.or_quick(ROUNDS, 9);
    // The first tells how long a receipt of this kind is.
    let first = world.request(kind);
    world.redeem(&first)?;
    twin.lengths = world.last_lengths()?;
    by_hand(twin, &first)?;
    let requests: Vec<Vec<Request>> =
        (0..=rounds).map(|_| (0..ROUND).map(|_| world.request(kind)).collect()).collect();
    let of = |round: usize| requests.get(round).map(Vec::as_slice).unwrap_or_default();
    let (world, twin, mut dice) = (&*world, RefCell::new(twin), Dice(3));
    let (mut our_cpu, mut their_cpu, mut bare_cpu) = (Vec::new(), Vec::new(), Vec::new());
    let mut by_call = |round| timed(of(round), &mut our_cpu, |request| world.redeem(request));
    let mut by_twin =
        |round| timed(of(round), &mut their_cpu, |request| by_hand(&mut twin.borrow_mut(), request));
    let mut bare = |round| {
        timed(of(round), &mut bare_cpu, |_| {
            let (lot, serial) = (dice.below(4) + 1, dice.below(6_000) + 1);
            Ok(twin.borrow().touch(i64::try_from(lot)?, u32::try_from(serial)?)?)
        })
    };
    let mut sides: [Side<'_>; 3] = [&mut by_call, &mut by_twin, &mut bare];
    let took = all_in_turns(run, &format!("redeeming {name}"), rounds, &mut sides)?;
    let [ours, by_hand, bare] = took.as_slice() else { return Err("a side is missing".into()) };
    let by_hand = Measure::of_rounds(format!("{name}, rate ÷ by hand"), "×", &ratios(by_hand, ours));
    let bare = Measure::of_rounds(format!("{name}, rate ÷ a bare UPDATE"), "×", &ratios(bare, ours));
    let cpu = ratios(&their_cpu, &our_cpu);
    let cpu = Measure::of_rounds(format!("{name}, by CPU time ÷ by hand"), "×", &cpu);
    let each = Measure::new(format!("{name}, CPU time of one"), "µs", median(&our_cpu) / ROUND as f64 * 1e6);
    Ok(vec![by_hand.at_least(0.88, 0.95), bare.hoped(Good::High, 0.5), cpu, each])
}

/// What a round takes, in seconds; its CPU time is kept aside.
fn timed(requests: &[Request], cpu: &mut Vec<f64>, redeem: impl FnMut(&Request) -> Made<()>) -> Made<f64> {
    let (begun, used) = (Instant::now(), cpu_seconds()?);
    requests.iter().try_for_each(redeem)?;
    let took = begun.elapsed().as_secs_f64();
    cpu.push(cpu_seconds()? - used);
    Ok(took)
}

/// Redeems by hand; it must be accepted.
pub(crate) fn by_hand(twin: &mut Twin, request: &Request) -> Made<()> {
    if twin.redeem(request)? { Ok(()) } else { Err("the twin refused".into()) }
}

/// Syncs that one client's commits wait for, and those of checkpoints, counted.
fn syncs(run: &Run) -> Made<Vec<Measure>> {
    let vfs = Vfs::new()?;
    let mut world = World::new(Sqlite::options().vfs(vfs.name()))?;
    let times = run.or_quick(2_000, 500);
    let doing = run.doing("counting syncs", KINDS.len());
    let mut measures = Vec::new();
    let mut checkpoints = 0;
    for (at, (kind, name)) in KINDS.into_iter().enumerate() {
        doing.round(at);
        let before = vfs.counts();
        for _ in 0..times {
            let request = world.request(kind);
            world.redeem(&request)?;
        }
        // A checkpoint that has begun is over soon.
        std::thread::sleep(Duration::from_millis(100));
        let counts = vfs.counts().since(&before);
        checkpoints += counts.checkpoint_syncs;
        let each = counts.commit_syncs as f64 / f64::from(times);
        measures.push(Measure::new(format!("{name}, syncs a commit"), "", each).at_most(1.0, 1.0));
    }
    let each = checkpoints as f64 / f64::from(times) / KINDS.len() as f64;
    measures.push(Measure::new("syncs of checkpoints a commit", "", each));
    Ok(measures)
}

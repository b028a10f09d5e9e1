//! Durable redemption by eight threads: what they gain over one, beside connections of their own, and the tail.

use crate::crew::Member;
use crate::measure::{Good, Measure, Side, all_in_turns, median, quantile};
use crate::peers;
use crate::run::{Made, Run};
use crate::till::{self, Shop};
use crate::twin::Twin;
use crate::world::{Kind, Request, World};
use passes_sqlite::Sqlite;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use test_vfs::Vfs;

/// Who redeems at once.
const THREADS: usize = 8;
/// Redemptions of a round: of one thread, and of eight together.
const ALONE: usize = 120;
const TOGETHER: usize = 960;
/// Pages after which a log has begun anew, and the redemptions that write them.
const GROWN: u64 = 20_000;
const WARMING: usize = 5_000;
/// Cards of each side, beside the peer.
const CARDS: u32 = 1_000;
/// What redemptions cost a disk is measured on gift cards spent with a key.
pub(crate) const KIND: Kind = Kind::DirectWithKey;

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let mut measures = syncs(run)?;
    measures.extend(rates(run)?);
    measures.extend(beside_the_peer(run)?);
    Ok(measures)
}

/// Has threads redeem, each its share, and tells how long each redemption took, in seconds.
pub(crate) fn together(
    threads: usize,
    requests: &[Request],
    redeem: impl Fn(usize, &Request) -> Made<()> + Sync,
) -> Made<(f64, Vec<f64>)> {
    // An error can't leave its thread as it is: it is told there.
    let failed = AtomicBool::new(false);
    let begun = Instant::now();
    let took: Vec<f64> = std::thread::scope(|scope| {
        let shares = requests.chunks(requests.len().div_ceil(threads).max(1)).enumerate();
        let workers: Vec<_> = shares
            .map(|(thread, share)| {
                let (failed, redeem) = (&failed, &redeem);
                scope.spawn(move || {
                    let mut took = Vec::with_capacity(share.len());
                    for request in share {
                        let asked = Instant::now();
                        if let Err(error) = redeem(thread, request) {
                            eprintln!("bench: thread {thread}: {error}");
                            failed.store(true, Ordering::Relaxed);
                            break;
                        }
                        took.push(asked.elapsed().as_secs_f64());
                    }
                    took
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    let all = begun.elapsed().as_secs_f64();
    if failed.load(Ordering::Relaxed) || took.len() != requests.len() {
        return Err("a redemption failed".into());
    }
    Ok((all, took))
}

fn requests(world: &mut World, count: usize) -> Vec<Request> {
    (0..count).map(|_| world.request(KIND)).collect()
}

/// One thread, eight threads, and eight hand-written connections that wait for each other by SQLite's own means.
fn rates(run: &Run) -> Made<Vec<Measure>> {
    let world = RefCell::new(World::new(Sqlite::options())?);
    let mut theirs = World::new(Sqlite::options())?;
    let first = theirs.request(KIND);
    theirs.redeem(&first)?;
    let lengths = theirs.last_lengths()?;
    theirs.store.close();
    let mut twins = Vec::with_capacity(THREADS);
    for number in 0..THREADS {
        let mut twin = Twin::open(&theirs.path(), theirs.business)?;
        twin.lengths = lengths;
        twin.share(u64::try_from(number)?)?;
        twins.push(std::sync::Mutex::new(twin));
    }
    // While a log grows each sync also writes its new length: the first that is as long as it gets comes before.
    if !run.quick {
        warm_up(&mut world.borrow_mut())?;
    }
    let (mut alone, mut eight) = (Vec::new(), Vec::new());
    let mut one = |_| {
        let requests = requests(&mut world.borrow_mut(), ALONE);
        let world: &World = &world.borrow();
        let (all, took) = together(1, &requests, |_, request| world.redeem(request))?;
        alone.extend(took);
        Ok(all / ALONE as f64)
    };
    let mut many = |_| {
        let requests = requests(&mut world.borrow_mut(), TOGETHER);
        let world: &World = &world.borrow();
        let (all, took) = together(THREADS, &requests, |_, request| world.redeem(request))?;
        eight.extend(took);
        Ok(all / TOGETHER as f64)
    };
    let mut connections = |_| {
        let requests = requests(&mut theirs, TOGETHER);
        let (all, _) = together(THREADS, &requests, |thread, request| {
            let twin = twins.get(thread).ok_or("no connection")?;
            let mut twin = twin.lock().map_err(|_| "a thread panicked")?;
            if twin.redeem(request)? { Ok(()) } else { Err("a connection refused".into()) }
        })?;
        Ok(all / TOGETHER as f64)
    };
    let mut sides: [Side<'_>; 3] = [&mut one, &mut many, &mut connections];
    let took =
        all_in_turns(run, "one thread, eight threads, eight connections", run.or_quick(31, 5), &mut sides)?;
    let [one, many, connections] = took.as_slice() else { return Err("a side is missing".into()) };
    let ratios = |of: &[f64], to: &[f64]| -> Vec<f64> { of.iter().zip(to).map(|(of, to)| of / to).collect() };
    let (commit, tail) = (median(&alone), quantile(&eight, 0.99));
    Ok(vec![
        Measure::of_rounds("eight threads, rate ÷ one thread", "×", &ratios(one, many)).at_least(1.35, 1.8),
        Measure::of_rounds(
            "eight threads, rate ÷ eight connections by hand",
            "×",
            &ratios(connections, many),
        )
        .hoped(Good::High, 1.8)
        .note("each connection waits by busy_timeout and checkpoints by SQLite's own means"),
        Measure::new("eight threads, 99th percentile ÷ median of one commit", "×", tail / commit)
            .hoped(Good::Low, 40.0)
            .note("over all rounds, checkpoints included"),
        Measure::new("eight threads, 99th percentile", "ms", tail * 1e3),
        Measure::new("eight threads, longest", "ms", quantile(&eight, 1.0) * 1e3),
        Measure::new("one thread, median", "ms", commit * 1e3),
    ])
}

/// Redeems until the log is as long as it gets, so that it begins anew and is written over from then on.
fn warm_up(world: &mut World) -> Made<()> {
    let before = world.store.wal_pages();
    while world.store.wal_pages() - before < GROWN {
        let requests = requests(world, TOGETHER);
        together(THREADS, &requests, |_, request| world.redeem(request))?;
    }
    Ok(())
}

/// One client and eight threads, in turns with stateset-embedded; each in a process of its own.
fn beside_the_peer(run: &Run) -> Made<Vec<Measure>> {
    let (eight, one) = ("eight threads, rate ÷ stateset-embedded", "one client, rate ÷ stateset-embedded");
    let limits = |measure: Measure, of_eight: bool| {
        if of_eight { measure.at_least(3.0, 5.0) } else { measure.at_least(1.2, 1.5) }
    };
    let peer = match peers::stateset(run) {
        Ok(peer) => peer,
        Err(why) => {
            let not_run = |name| Measure::not_run(name, "×", why.to_string());
            return Ok(vec![limits(not_run(eight), true), limits(not_run(one), false)]);
        }
    };
    // As many cards on both sides, and little else.
    let world = World::sized(Sqlite::options(), CARDS / 2, 100)?;
    let shop = Shop::of(&world)?;
    world.store.close();
    let mut ours = Member::own(till::CHILD, &[&shop.to_string_lossy(), "1"])?;
    let mut theirs = std::process::Command::new(peer);
    theirs
        .arg(world.path().with_file_name("peer.db"))
        .arg(CARDS.to_string())
        .env("STATESET_SQLITE_SYNCHRONOUS", "FULL");
    let mut theirs = Member::start(theirs)?;
    for member in [&mut ours, &mut theirs] {
        let said = member.hear()?;
        if !said.starts_with("ready") {
            return Err(format!("a process said `{said}`").into());
        }
    }
    for member in [&mut ours, &mut theirs] {
        member.ask(&format!("charge {THREADS} {}", run.or_quick(WARMING, ALONE)))?;
    }
    let (ours, theirs) = (RefCell::new(ours), RefCell::new(theirs));
    let charge = |who: &RefCell<Member>, threads: usize, times: usize| -> Made<f64> {
        Ok(who.borrow_mut().ask(&format!("charge {threads} {times}"))? / times as f64)
    };
    let mut sides: [Side<'_>; 4] = [
        &mut |_| charge(&ours, THREADS, TOGETHER / 2),
        &mut |_| charge(&theirs, THREADS, TOGETHER / 2),
        &mut |_| charge(&ours, 1, ALONE),
        &mut |_| charge(&theirs, 1, ALONE),
    ];
    let took = all_in_turns(run, "beside stateset-embedded", run.or_quick(21, 5), &mut sides)?;
    let [our_eight, their_eight, our_one, their_one] = took.as_slice() else {
        return Err("a side is missing".into());
    };
    let ratios = |of: &[f64], to: &[f64]| -> Vec<f64> { of.iter().zip(to).map(|(of, to)| of / to).collect() };
    let note = "version 1.40.0, synchronous=FULL; ours also hashes a code and keeps an idempotency key";
    Ok(vec![
        limits(Measure::of_rounds(eight, "×", &ratios(their_eight, our_eight)), true).note(note),
        limits(Measure::of_rounds(one, "×", &ratios(their_one, our_one)), false),
    ])
}

/// Syncs of a redemption, counted; each takes a millisecond longer than the disk does.
fn syncs(run: &Run) -> Made<Vec<Measure>> {
    let vfs = Vfs::new()?;
    let mut world = World::new(Sqlite::options().vfs(vfs.name()))?;
    vfs.delay_syncs(Duration::from_millis(1));
    let rounds = run.or_quick(21, 3);
    let doing = run.doing("counting syncs of eight threads", rounds);
    let (mut each, mut others) = (Vec::new(), 0);
    for round in 0..=rounds {
        doing.round(round);
        let requests = requests(&mut world, TOGETHER);
        let before = vfs.counts();
        together(THREADS, &requests, |_, request| world.redeem(request))?;
        let counts = vfs.counts().since(&before);
        if round > 0 {
            each.push(counts.commit_syncs as f64 / TOGETHER as f64);
            others += counts.checkpoint_syncs;
        }
    }
    let checkpoints = others as f64 / (rounds * TOGETHER) as f64;
    Ok(vec![
        Measure::of_rounds("eight threads, syncs a redemption", "", &each)
            .at_most(0.3, 0.22)
            .note("commits' syncs, counted; each is delayed by 1 ms"),
        Measure::new("eight threads, syncs of checkpoints a redemption", "", checkpoints),
    ])
}

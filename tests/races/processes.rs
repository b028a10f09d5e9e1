//! Many processes at once, on one file of SQLite and on one database of PostgreSQL.

use passes_core::id::ContactId;
use passes_core::pass::State;
use passes_core::plan::Usage;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use tests::World;

const PROCESSES: usize = 8;
const THREADS: usize = 8;

/// What each thread of each process got, in order: positions of its redemptions, and at the end perhaps a code.
type Got = BTreeMap<(usize, usize), (Vec<u64>, Option<String>)>;

/// Has all processes redeem the same pass, at most `tries` times a thread.
fn redeem(world: &World, contact: Option<ContactId>, tries: usize, code: &str) -> Got {
    let contact = contact.map_or_else(|| "-".to_owned(), |contact| contact.to_string());
    let mut children: Vec<Child> = (0..PROCESSES)
        .map(|n| {
            Command::new(env!("CARGO_BIN_EXE_worker"))
                .arg(world.address().unwrap())
                .arg(world.business().to_string())
                // The number is the seed of its ids: no two may share one, nor have the world's own.
                .args([
                    (100 + n).to_string(),
                    THREADS.to_string(),
                    contact.clone(),
                    tries.to_string(),
                    code.into(),
                ])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut outputs: Vec<_> =
        children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap())).collect();
    for output in &mut outputs {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut got = Got::new();
    for (process, (mut child, mut output)) in children.into_iter().zip(outputs).enumerate() {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        for line in text.lines() {
            let (thread, rest) = line.split_once(' ').unwrap();
            let (positions, code) = got.entry((process, thread.parse().unwrap())).or_default();
            match rest.parse() {
                Ok(position) => positions.push(position),
                Err(_) => *code = Some(rest.to_owned()),
            }
        }
    }
    assert_eq!(got.len(), PROCESSES * THREADS);
    got
}

/// The stores that several processes can open.
fn shared() -> impl Iterator<Item = World> {
    std::iter::once(World::sqlite()).chain(World::postgres())
}

/// R-8, D-1, D-3: eight processes of eight threads redeem the same single-use pass, and exactly one wins.
#[test]
fn one_of_8_processes_wins() {
    for world in shared() {
        let (pass, code) = world.gift("25 GBP");
        let got = redeem(&world, None, 1, &code);
        let winners = got.values().filter(|(positions, _)| positions.len() == 1).count();
        let refused = got.values().filter(|(_, code)| code.as_deref() == Some("PASS_REDEEMED")).count();
        assert_eq!((winners, refused), (1, 63), "{}", world.store);
        assert_eq!(world.passes.pass(&world.by, pass).wait().unwrap().state, State::Redeemed);
        assert_eq!(world.books().credits.values().sum::<i64>(), 2_500);
    }
}

/// The positions of all redemptions, and whose they were.
fn turns(got: &Got) -> Vec<(u64, (usize, usize))> {
    let mut turns: Vec<(u64, (usize, usize))> =
        got.iter().flat_map(|(who, (positions, _))| positions.iter().map(|p| (*p, *who))).collect();
    turns.sort_unstable();
    turns
}

/// R-8, D-1: a pass of a thousand uses and one wallet, taken by eight processes of eight threads: every use once,
/// to the penny, and no caller sees a conflict or a lock. In a file, none waits while another takes more than 200 turns.
#[test]
fn a_thousand_uses_and_one_wallet() {
    for world in shared() {
        let (pass, code) = world.used("10 GBP", Usage::Full(1_000));
        let contact = world.contact();
        let before = world.operations();
        let got = redeem(&world, Some(contact), usize::MAX, &code);

        // Every use once, and for everyone in the end the same refusal: no conflict, no lock.
        assert!(got.values().all(|(_, code)| code.as_deref() == Some("PASS_REDEEMED")), "{got:?}");
        let turns = turns(&got);
        assert_eq!(turns.len(), 1_000);
        turns.windows(2).for_each(|two| assert!(two[0].0 < two[1].0, "a position twice"));
        assert_eq!(world.operations() - before, 1_000);
        let view = world.passes.pass(&world.by, pass).wait().unwrap();
        assert_eq!((view.state, view.used, view.left.minor()), (State::Redeemed, 1_000, 0));
        let books = world.books();
        assert_eq!(books.credits.len(), 1_000);
        assert!(books.credits.iter().all(|((owner, _), left)| *owner == contact && *left == 1_000));
        if world.path().is_some() {
            nobody_is_left_behind(&got, &turns);
        }
    }
}

/// Who asks has its turn before anybody else had more than 200. Its next request follows its last answer.
fn nobody_is_left_behind(got: &Got, turns: &[(u64, (usize, usize))]) {
    let mut longest = 0;
    for who in got.keys() {
        let mut of_others: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (_, turn) in turns {
            if turn == who {
                of_others.clear();
            } else {
                *of_others.entry(*turn).or_default() += 1;
            }
            longest = longest.max(of_others.values().copied().max().unwrap_or_default());
        }
    }
    println!("nobody waited for more than {longest} turns of another");
    assert!(longest <= 200, "somebody waited for {longest} turns of another");
}

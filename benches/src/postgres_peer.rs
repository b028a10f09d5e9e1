//! Redemption in PostgreSQL beside hf-nostro, the nearest peer: a process of its own, installed by pip into
//! `target/peers/nostro` with the versions of its list.

use crate::child;
use crate::measure::{Measure, Side, all_in_turns, in_turns, median, ratios};
use crate::postgres_shop::{OFF, SETTINGS, Shop, by_call, by_hand};
use crate::postgres_twin::Way;
use crate::run::{Made, Run, root, target};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use test_postgres::Server;

/// The process, which redeems codes of its own when it is told to.
struct Nostro {
    child: Child,
    told: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Nostro {
    /// Starts it on an empty database that doesn't wait for the disk, and has it mint so many codes.
    fn start(server: &Server, codes: usize) -> Made<Self> {
        let url = server.through(&server.database(), &[server.address()]);
        let name = server.say(&url, "SELECT current_database()");
        let _ = server.say(&url, &format!("ALTER DATABASE {name} SET synchronous_commit=off"));
        let dsn = url.split('?').next().unwrap_or(&url);
        let python = installed()?;
        let mut command = Command::new(python);
        command.arg(root().join("benches/peers/nostro/redeem.py")).args([dsn, &codes.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let told = child.stdin.take().ok_or("no input")?;
        let says = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut peer = Self { child, told, says };
        match peer.line()?.as_str() {
            "ready" => Ok(peer),
            said => Err(format!("hf-nostro said {said:?}").into()),
        }
    }

    fn line(&mut self) -> Made<String> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        if line.is_empty() {
            return Err("hf-nostro ended".into());
        }
        Ok(line.trim().to_owned())
    }

    /// Has so many threads redeem so many codes, and tells how many seconds each took.
    fn redeem(&mut self, clients: usize, count: usize) -> Made<f64> {
        writeln!(self.told, "{clients} {count}")?;
        self.told.flush()?;
        let took: f64 = self.line()?.parse()?;
        Ok(took / count as f64)
    }
}

impl Drop for Nostro {
    fn drop(&mut self) {
        // It would end with its input, but may be in the middle of something.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python in whose environment it is, made now if need be.
fn installed() -> Made<PathBuf> {
    let (list, to) = (root().join("benches/peers/nostro/requirements.txt"), target().join("peers/nostro"));
    let (python, done) = (to.join("bin/python"), to.join("installed.txt"));
    let wanted = std::fs::read(&list)?;
    if std::fs::read(&done).is_ok_and(|known| known == wanted) {
        return Ok(python);
    }
    eprintln!("  installing hf-nostro into {}", to.display());
    let run = |program: &Path, args: &[&str]| -> Made<()> {
        let output = Command::new(program).args(args).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}", program.display(), said.lines().last().unwrap_or("it failed")).into())
    };
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("a path that is no text");
    run(Path::new("python3"), &["-m", "venv", &text(&to)?])?;
    run(&python, &["-m", "pip", "install", "-q", "--only-binary", ":all:", "-r", &text(&list)?])?;
    std::fs::write(&done, wanted)?;
    Ok(python)
}

/// Redemptions of the peer in a round, and rounds.
fn size(run: &Run) -> (usize, usize) {
    run.or_quick((160, 15), (40, 3))
}

/// So many times as many are ours in a round: long enough to be timed.
const MORE: usize = 4;

/// Redemptions beside the peer's on the same server, both without waiting for the disk: by one client on one processor, and
/// by one and by eight where the system places them.
pub(crate) fn measures(run: &Run, server: &Server, shop: &RefCell<Shop>) -> Made<Vec<Measure>> {
    let mut measures = on_one_processor(run)?;
    let (each, rounds) = size(run);
    let named = |clients: usize| format!("commit off, {clients} at once: rate ÷ hf-nostro");
    let nostro = match Nostro::start(server, each * 2 * (rounds + 1)) {
        Ok(nostro) => RefCell::new(nostro),
        Err(why) => {
            measures.extend([1, 8].map(|clients| Measure::not_run(named(clients), "×", why.to_string())));
            return Ok(measures);
        }
    };
    for clients in [1, 8] {
        let ours = |_| by_call(shop, clients, each * MORE);
        let theirs = |_| nostro.borrow_mut().redeem(clients, each);
        let turns = in_turns(run, &named(clients), rounds, ours, theirs)?;
        measures.push(Measure::of_rounds(named(clients), "×", &turns.ratios()));
    }
    Ok(measures)
}

/// What runs on one processor, with a server of its own there.
pub(crate) const CHILD: &str = "postgres on one processor";

/// Two processes that wait for each other on two processors are slower by half, or aren't, as the system places them; and a
/// peer in another language is compared by CPU time. Where all share one processor, the time of a round is both.
fn on_one_processor(run: &Run) -> Made<Vec<Measure>> {
    let named = |what: &str| format!("commit off, 1 client, all on one processor: {what}");
    let nostro = named("rate ÷ hf-nostro");
    let told = match child::call(CHILD, &[run.or_quick("whole", "quick")]) {
        Ok(told) => told,
        Err(why) => return Ok(vec![Measure::not_run(nostro, "×", why.to_string()).at_least(10.0, 20.0)]),
    };
    let [ours, cte, theirs] = told.rounds()?;
    Ok(vec![
        Measure::of_rounds(nostro, "×", &ratios(&theirs, &ours)).at_least(10.0, 20.0),
        Measure::of_rounds(named("rate ÷ SELECT and CTE by hand"), "×", &ratios(&cte, &ours)),
        Measure::new(named("redemptions a second"), "/s", 1.0 / median(&ours)),
    ])
}

/// The process's side: the seconds that one redemption took in each round of ours, by hand, and of the peer.
pub(crate) fn child(args: &[String]) -> Made<Value> {
    // Before anything is started: threads and processes inherit it.
    confine()?;
    let run = Run::new(args.first().is_some_and(|size| size == "quick"));
    let server = Server::own(&SETTINGS).ok_or("there is no server here")?;
    let (each, rounds) = size(&run);
    let shop = RefCell::new(Shop::new(&server, OFF, run.or_quick(30_000, 5_000))?);
    let hands = shop.borrow().hands(1)?;
    let mut nostro = Nostro::start(&server, each * (rounds + 1))?;
    let mut ours = |_| by_call(&shop, 1, each * MORE);
    let mut cte = |_| by_hand(&shop, (&hands, Way::Cte), 1, each * MORE);
    let mut theirs = |_| nostro.redeem(1, each);
    let mut sides: [Side<'_>; 3] = [&mut ours, &mut cte, &mut theirs];
    let rounds = all_in_turns(&run, "commit off, 1 client, all on one processor", rounds, &mut sides)?;
    Ok(json!({ "rounds": rounds }))
}

/// Leaves this process one of the processors that it has: the last, for the first has more to do besides.
#[cfg(target_os = "linux")]
fn confine() -> Made<()> {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    let this = nix::unistd::Pid::from_raw(0);
    let all = sched_getaffinity(this)?;
    let last = (0..CpuSet::count()).rev().find(|cpu| all.is_set(*cpu).unwrap_or_default());
    let mut one = CpuSet::new();
    one.set(last.ok_or("no processor")?)?;
    Ok(sched_setaffinity(this, &one)?)
}

/// Leaves this process one of the processors that it has.
#[cfg(not(target_os = "linux"))]
fn confine() -> Made<()> {
    Err("processes are confined to a processor on Linux only".into())
}

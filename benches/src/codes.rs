//! Unique passcodes: how fast, beside the generators of npm, and how much memory they take.

use crate::child::{self, Told};
use crate::measure::{Good, Measure, all_in_turns, median, power, ratios};
use crate::npm;
use crate::run::{Made, Run};
use chacha20::{ChaCha12Rng, rand_core::SeedableRng};
use passes_core::passcode::{Alphabet, Format};
use passes_host::{Entropy, OsEntropy};
use serde_json::{Value, json};
use std::time::Instant;

const ROUNDS: usize = 21;
/// Codes of a round.
const COUNT: u32 = 1_000_000;
/// Codes that memory is counted for.
const MANY: u32 = 10_000_000;
/// How often.
const RUNS: usize = 3;

/// The work of a process: `COUNT ALPHABET`, that many unique codes of twelve characters.
pub(crate) fn child(args: &[String]) -> Made<Value> {
    let [count, alphabet] = args else { return Err("usage: codes COUNT ALPHABET".into()) };
    let count: u32 = count.parse()?;
    let alphabet = Alphabet::from(alphabet.as_str());
    let maker = Format { alphabet, length: 12, group: 0, ..Format::default() }.maker()?;
    let mut rng = ChaCha12Rng::from_seed(OsEntropy.seed()?);
    let (cpu, begun) = (child::cpu_seconds()?, Instant::now());
    let codes = maker.distinct(count, &mut rng)?;
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), child::cpu_seconds()? - cpu);
    if codes.len() != usize::try_from(count)? {
        return Err(format!("{} codes were made", codes.len()).into());
    }
    Ok(json!({ "wall": wall, "cpu": cpu }))
}

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let mut measures = beside_peers(run)?;
    measures.extend(memory(run)?);
    Ok(measures)
}

fn ours(count: u32, alphabet: &str) -> Made<Told> {
    child::call("codes", &[&count.to_string(), alphabet])
}

/// CPU seconds of a peer's own call.
fn theirs(package: &str, count: u32) -> Made<f64> {
    let mut node = npm::node("generate.mjs")?;
    node.arg(package).arg(count.to_string());
    Ok(child::run(node)?.cpu)
}

fn beside_peers(run: &Run) -> Made<Vec<Measure>> {
    let (rounds, count) = (run.or_quick(ROUNDS, 5), COUNT);
    let name = |what: &str| format!("10⁶ codes of 12, rate ÷ {what}");
    let vouchers = |rates: Measure| rates.at_least(20.0, 40.0);
    let wide = |rates: Measure| {
        rates
            .at_least(12.0, 25.0)
            .note("33 characters are the most that are told apart: case is not, and I, L and O are 1 and 0")
    };
    let referrals = |rates: Measure| rates.hoped(Good::High, 20.0);
    let names = [
        name("voucher-code-generator's"),
        format!("{}, of the widest alphabet", name("voucher-code-generator's")),
        name("referral-codes'"),
    ];
    if let Err(why) = npm::node("generate.mjs") {
        let not = |name: &String| Measure::not_run(name, "×", why.clone());
        let [first, second, third] = names.each_ref().map(not);
        return Ok(vec![vouchers(first), wide(second).note(why.clone()), referrals(third)]);
    }
    let mut safe = |_| ours(count, "default")?.number("cpu");
    let mut widest = |_| ours(count, "alphanumeric")?.number("cpu");
    let mut voucher = |_| theirs("voucher-code-generator", count);
    let mut referral = |_| theirs("referral-codes", count);
    let sides = all_in_turns(
        run,
        "10⁶ codes, by CPU seconds",
        rounds,
        &mut [&mut safe, &mut voucher, &mut widest, &mut referral],
    )?;
    let [safe, voucher, widest, referral] = sides.as_slice() else { return Err("a side is missing".into()) };
    let [first, second, third] = names;
    let rates: Vec<f64> = safe.iter().map(|cpu| f64::from(count) / cpu).collect();
    Ok(vec![
        vouchers(Measure::of_rounds(first, "×", &ratios(voucher, safe))),
        wide(Measure::of_rounds(second, "×", &ratios(voucher, widest))),
        referrals(Measure::of_rounds(third, "×", &ratios(referral, safe))),
        Measure::of_rounds("10⁶ codes of 12, a CPU second", "/s", &rates),
    ])
}

/// The most memory of a process that makes them, less that of one that does nothing.
fn memory(run: &Run) -> Made<Vec<Measure>> {
    let count = run.or_quick(MANY, COUNT);
    let name = format!("{} codes of 12", power(count.into()));
    let doing = run.doing(&format!("{name}, memory"), RUNS);
    let empty = child::call("empty", &[])?.peak()?;
    let (mut bytes, mut cpu) = (Vec::new(), Vec::new());
    for at in 0..RUNS {
        doing.round(at);
        let made = ours(count, "default")?;
        bytes.push((made.peak()? - empty) / f64::from(count));
        cpu.push(made.number("cpu")?);
    }
    Ok(vec![
        Measure::new(format!("{name}, memory of each at most"), "bytes", median(&bytes)).at_most(40.0, 28.0),
        Measure::new(format!("{name}, CPU seconds"), "s", median(&cpu)).hoped(Good::Low, 2.0),
    ])
}

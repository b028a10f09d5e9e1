//! Scripts that failed once, and proof that one that fails becomes short.

use super::draw::Kind;
use super::play::Play;
use super::script::{Script, Step};
use super::shrink::shrink;
use super::stage::{Kept, Place, in_file, in_memory};
use super::{Failure, draw, failure, worlds};
use passes_conformance::broken::{Broken, Fault};
use std::process::Command;

/// Plays a script on each store in the box.
fn holds(script: &str) {
    let script = Script::read(script);
    assert_eq!(failure(&script, in_memory()), None);
    assert_eq!(failure(&script, in_file()), None);
}

/// L-3, C-4: a run that replaces all passes of a lot takes the lot's codes out of the odds, and counts the new ones,
/// in the same step.
#[test]
fn a_whole_lot_is_replaced() {
    holds(
        r#"
        {"entropy":1,"zone":"Utc","start":"2027-12-30T12:00:00Z","apart":true,"settings":{"grace":0,"void_hours":24,"second_currency":false,"accepted":true,"hashed":false,"accept_hashes":true}}
        {"label":124,"round":1,"command":{"generate":{"plan":12,"count":1}}}
        {"label":181,"round":2,"command":{"step":124}}
        {"label":182,"round":3,"command":{"step":124}}
        {"label":1070,"round":4,"command":{"passes":[{"lot":[124,1]},{"cancel":"reissue"}]}}
        {"label":1072,"round":5,"command":{"step":1070}}
        "#,
    );
}

/// L-3: a run over a plan names no pass: those of its lots that are still to be made don't stop it.
#[test]
fn a_run_meets_passes_that_are_still_to_be_made() {
    holds(
        r#"
        {"entropy":630322672,"zone":"Utc","start":"2026-03-27T22:00:00Z","apart":true,"settings":{"grace":0,"void_hours":1,"second_currency":false,"accepted":false,"hashed":false,"accept_hashes":true}}
        {"label":636,"round":1,"command":{"generate":{"plan":2,"count":1}}}
        {"label":769,"round":2,"command":{"passes":[{"plan":2},"void"]}}
        {"label":770,"round":3,"command":{"step":769}}
        "#,
    );
}

/// R-8, D-2: callers at once meet each other's commits, and never more of them get a use than there are.
#[test]
fn callers_at_once_meet_each_other() {
    let mut conflicts = 0;
    for luck in 1..20_u64 {
        let mut script = Script::read(
            r#"
            {"entropy":1,"zone":"Utc","start":"2027-12-30T12:00:00Z","apart":true,"settings":{"grace":0,"void_hours":24,"second_currency":false,"accepted":true,"hashed":false,"accept_hashes":true}}
            {"label":100,"round":1,"command":{"lot":{"plan":2,"count":1}}}
            {"label":101,"round":2,"command":{"passes":[{"pass":[100,1]},"activate"]}}
            {"label":102,"round":3,"command":{"redeem":{"code":{"of":[100,1]},"target":"new_wallet","amount":null,"basket":null,"partly":false}}}
            "#,
        );
        let redeem = script.steps.pop().unwrap();
        let at_once =
            |n: u32| Step { label: 102 + n, luck: luck * 1_000_003 + u64::from(n), ..redeem.clone() };
        script.steps.extend((0..6).map(at_once));
        let mut play = Play::new(&script.setup, in_memory());
        for round in script.rounds() {
            play.round(round).unwrap();
        }
        play.compare_all().unwrap();
        conflicts += play.met().true_conflicts;
    }
    assert!(conflicts > 20, "{conflicts} conflicts");
}

fn broken(fault: Fault) -> Box<dyn Place> {
    Box::new(Kept(Broken::new(fault)))
}

/// The first world that fails on a store with this fault.
fn found(fault: Fault, kind: Kind) -> Failure {
    (1..40)
        .find_map(|seed| draw(kind, seed, 400, broken(fault)).err())
        .unwrap_or_else(|| panic!("{fault:?} is not found"))
}

/// D-2: the model finds stores with a fault, and what it finds is told in few steps. (The other faults need threads, or
/// codes that come twice.)
#[test]
fn what_is_wrong_becomes_a_short_script() {
    for (fault, kind) in [
        (Fault::ForgottenKey, Kind::OneByOne),
        (Fault::HalfAChange, Kind::AtOnce),
        (Fault::LostUpdate, Kind::AtOnce),
        (Fault::UnboundedAdd, Kind::AtOnce),
        (Fault::CheckAfterCommit, Kind::AtOnce),
    ] {
        let failed = found(fault, kind);
        let on = |script: &Script| failure(script, broken(fault));
        println!("{fault:?}: {} steps, {}", failed.script.steps.len(), failed.why);
        let short = shrink(failed.script, |script| on(script).is_some());
        let text = short.to_string();
        println!("{text}{:?}", on(&short));
        assert!(short.steps.len() <= 6, "{fault:?}: {} steps", short.steps.len());
        assert!(on(&Script::read(&text)).is_some(), "the text is not the script");
        holds(&text);
    }
}

/// D-2: what is told of a failure brings it again: the seed, and the script. On a sound store neither fails.
#[test]
fn a_seed_brings_the_failure_again() {
    let test = "model::at_once_in_memory";
    let place = || broken(Fault::LostUpdate);
    let report = worlds(test, Kind::AtOnce, 1, 4_000, &place).unwrap_err();
    let (_, again) = report.split_once("PASSES_SEED=").expect("no seed");
    let (seed, again) = again.split_once(" PASSES_COMMANDS=").expect("no number of commands");
    let (commands, again) = again.split_once(' ').expect("no command");
    assert_eq!(again, format!("cargo test -p tests --test races {test}"));
    let (seed, commands) = (seed.parse().unwrap(), commands.parse().unwrap());
    assert_eq!(worlds(test, Kind::AtOnce, seed, commands, &place).unwrap_err(), report);
    worlds(test, Kind::AtOnce, seed, commands, &in_memory).unwrap();

    let (_, script) = report.split_once(&format!("{}:\n", super::KEPT)).expect("no script");
    let (script, _) = script.split_once("Again: ").unwrap();
    assert!(failure(&Script::read(script), place()).is_some());
    holds(script);
}

/// D-2: a run prints its seed, which `PASSES_SEED` sets.
#[test]
fn a_run_prints_its_seed() {
    let mut run = Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "model::at_once_in_memory", "--nocapture"]);
    let output = run.env("PASSES_SEED", "77").env("PASSES_COMMANDS", "20").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("model::at_once_in_memory: PASSES_SEED=77"), "{text}");
}

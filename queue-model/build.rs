//! Writes the queue's source where the model includes it: as it is, and again with one fault each, which the
//! model must find. A fault whose place isn't there exactly once fails the build, so that none is lost when the
//! queue changes.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const QUEUE: &str = "queue.rs";
const SLOT: &str = "slot.rs";

/// Its name, the file, what stands there, and what stands there instead.
type Fault = (&'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    // Wake-ups that are lost.
    (
        "silent_summons",
        QUEUE,
        "waiting.summoned = true;\n            self.bell.notify_all();",
        "waiting.summoned = true;",
    ),
    ("silent_hand_over", QUEUE, "if waiting.summoned || waiting.closed {", "if waiting.closed {"),
    ("silent_close", QUEUE, "self.bell.notify_all();\n        drop(waiting);", "drop(waiting);"),
    (
        "asleep_too_late",
        QUEUE,
        "waiting = self.bell.wait(waiting)",
        "drop(waiting); waiting = self.bell.wait(lock(&self.waiting))",
    ),
    ("silent_answer", SLOT, "waker.wake();", "drop(waker);"),
    ("first_waker_is_kept", SLOT, "if waker.will_wake(context.waker())", "if true"),
    // A lead that is lost, or never given back.
    (
        "lost_lead",
        QUEUE,
        "} else {\n            waiting.summoned = true;",
        "} else {\n            waiting.led = false;",
    ),
    ("kept_lead", QUEUE, "waiting.led = false;", ""),
    ("unused_lead", QUEUE, "if leads {", "if false {"),
    ("no_hand_over", QUEUE, "let _hand_over = HandOver(self);", ""),
    (
        "executors_lead",
        QUEUE,
        "let leads = !waiting.led && may_lead;",
        "let leads = !waiting.led || may_lead;",
    ),
    ("all_lead", QUEUE, "let leads = !waiting.led && may_lead;", "let leads = may_lead;"),
    ("unseen_lead", QUEUE, "waiting.led = true;", ""),
    ("never_at_rest", QUEUE, "waiting.summoned = false;", ""),
    ("gone_too_early", QUEUE, "if waiting.closed && !waiting.led {", "if waiting.closed || !waiting.led {"),
    // Answers that are lost, or another's.
    (
        "overwritten_answer",
        SLOT,
        "State::Empty | State::Waited(_) => {",
        "State::Empty | State::Waited(_) => { drop(state); let mut state = lock(&self.0);",
    ),
    ("lost_answer", SLOT, "State::Full(answer));", "State::Empty); drop(answer);"),
    ("swapped_answers", QUEUE, "slots.into_iter().zip(", "slots.into_iter().rev().zip("),
    ("closed_without_a_word", QUEUE, "in left {", "in left.into_iter().skip(1) {"),
    (
        "open_for_ever",
        QUEUE,
        "if waiting.closed {\n            return Err",
        "if false {\n            return Err",
    ),
    ("never_closed", QUEUE, "waiting.closed = true;", ""),
    ("never_ended", QUEUE, "drop(lock(&self.writer).take());", ""),
    // Panics of others.
    ("panic_of_a_group", QUEUE, ".unwrap_or_default()", ".unwrap()"),
    (
        "panic_without_an_answer",
        QUEUE,
        "let outcomes = outcomes.into_iter().chain(repeat_with(|| Err(StoreError::InDoubt)));",
        "",
    ),
    ("panic_again", SLOT, ".map_err(std::mem::forget)", ""),
    ("panic_of_a_waker", QUEUE, "harmless(|| slot.fill(outcome))", "slot.fill(outcome)"),
    (
        "panic_while_closing",
        QUEUE,
        "harmless(|| slot.fill(Err(StoreError::Closed)))",
        "slot.fill(Err(StoreError::Closed))",
    ),
    // Groups that are none.
    ("never_alone", QUEUE, ".take_while(|job| !alone(job))", ""),
    ("too_large", QUEUE, ".take(G::LARGEST)", ""),
];

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../passes-sqlite/src");
    // The page of a file can't be included.
    let read = |name: &str| -> Result<String, Box<dyn Error>> {
        let path = source.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(path)?;
        Ok(text.lines().filter(|line| !line.starts_with("//!")).map(|line| line.to_owned() + "\n").collect())
    };
    let (queue, slot) = (read(QUEUE)?, read(SLOT)?);
    let write = |name: &str, queue: &str, slot: &str| {
        fs::write(Path::new(&out).join(format!("{name}_queue.rs")), queue)?;
        fs::write(Path::new(&out).join(format!("{name}_slot.rs")), slot)
    };
    write("whole", &queue, &slot)?;
    let mut list = "broken! {".to_owned();
    for (name, file, before, after) in FAULTS {
        let text = if *file == QUEUE { &queue } else { &slot };
        if text.matches(before).count() != 1 {
            return Err(format!("{name}: {file} must have this once: {before}").into());
        }
        let broken = text.replacen(before, after, 1);
        if *file == QUEUE {
            write(name, &broken, &slot)?
        } else {
            write(name, &queue, &broken)?
        }
        write!(list, " {name}")?;
    }
    fs::write(Path::new(&out).join("broken.rs"), list + " }")?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

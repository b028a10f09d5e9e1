//! Commands: loaded, decided and committed by the store itself.

use crate::check::{Outcome, holds, same, same_operation};
use crate::executor::poll_once;
use crate::world::{World, add};
use passes_core::Refusal;
use passes_core::id::PassId;
use passes_core::pass::Tally;
use passes_core::store::{
    Add, Answer, Change, Command, Decision, Load, Loaded, Operation, StoreError, TallyKey,
};
use std::time::{Duration, Instant};

/// Uses a pass once if it has a use left; the same key is replayed.
pub(super) fn use_once(
    change: Change,
    pass: PassId,
) -> (Load, impl FnMut(&Loaded) -> Decision + Send + 'static) {
    let key = change.operation.as_ref().and_then(|operation| operation.key).map(|(key, _)| key);
    let load = Load { passes: vec![pass], key, ..Load::new(change.business) };
    let decide = move |loaded: &Loaded| {
        if loaded.replay.is_some() {
            return Decision::Replayed;
        }
        if loaded.pass(pass).is_none_or(|row| row.uses.left() == 0) {
            return Decision::Refused(vec![Refusal::UnknownCode], None);
        }
        Decision::Accepted(Change { tally: vec![add(TallyKey::Uses(pass), 1)], ..change.clone() }.into())
    };
    (load, decide)
}

/// D-3: a command is decided upon what it loads; its answer holds what the commit told, or the operation
/// that it replays, as stored, or the refusals.
pub(super) fn a_command_is_answered(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(2, 0)?;
    let operation = world.operation_with_key();
    let change = Change { operation: Some(operation.clone()), ..world.change() };
    let (load, decide) = use_once(change.clone(), pass);
    let Answer::Done(done) = world.run(load, decide)? else { return Err("the command is not done".into()) };
    holds("an operation has a number", done.operation > 0)?;
    same("its values", &done.tallies, &vec![Tally { used: 1, held: 0, limit: 2 }])?;
    let (load, decide) = use_once(change, pass);
    let Answer::Replayed(again) = world.run(load, decide)? else { return Err("not replayed".into()) };
    same("the number replayed", &again.number, &done.operation)?;
    same_operation(&again, &operation, true)?;
    same("the values replayed", &again.after, &done.tallies)?;
    let (load, decide) = use_once(world.done(), pass);
    holds("another use is done", matches!(world.run(load, decide)?, Answer::Done(_)))?;
    let (load, decide) = use_once(world.done(), pass);
    let Answer::Refused(refusals) = world.run(load, decide)? else { return Err("not refused".into()) };
    same("the refusals", &refusals, &vec![Refusal::UnknownCode])?;
    same("the operations", &world.all_events()?.len(), &2)
}

/// C-11, D-3: what a refusal counts has landed before it is answered, and within its bound.
pub(super) fn a_refusal_counts(world: &mut World<'_>) -> Outcome {
    let attempts = TallyKey::Named(world.bytes(), 0);
    for wrong in 1..=5 {
        let change = Change { tally: vec![Add { limit: Some(3), ..add(attempts, 1) }], ..world.change() };
        let load = Load { tallies: vec![attempts], ..world.nothing() };
        let answer = world.run(load, move |loaded| {
            if loaded.tallies[0].used >= 3 {
                return Decision::Refused(vec![Refusal::TypingError], None);
            }
            Decision::Refused(vec![Refusal::UnknownCode], Some(change.clone().into()))
        })?;
        let Answer::Refused(refusals) = answer else { return Err("not refused".into()) };
        let expected = if wrong > 3 { Refusal::TypingError } else { Refusal::UnknownCode };
        same("the refusal", &refusals, &vec![expected])?;
        same("the attempts", &world.tally(attempts)?.used, &i64::from(wrong.min(3)))?;
    }
    Ok(())
}

/// B-4, D-3: an accepted command always leaves an operation; a change without one doesn't land.
pub(super) fn an_accepted_command_leaves_an_operation(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 0)?;
    let change = Change { tally: vec![add(TallyKey::Uses(pass), 1)], ..world.change() };
    let answer = world.run(world.nothing(), move |_| Decision::Accepted(change.clone().into()));
    holds("accepting without an operation is an error", matches!(answer, Err(StoreError::Backend(_))))?;
    same("the uses", &world.tally(TallyKey::Uses(pass))?, &Tally::new(1))
}

/// commands given together are run in order, each with its own answer, each seeing those before it.
pub(super) fn commands_run_in_order(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(2, 0)?;
    let key = world.operation_with_key();
    let changes = [
        Change { operation: Some(key.clone()), ..world.change() },
        Change { operation: Some(Operation { id: world.id(), ..key }), ..world.change() },
        world.done(),
        world.done(),
        world.change(),
    ];
    let commands: Vec<Command> = changes
        .into_iter()
        .map(|change| {
            let broken = change.operation.is_none();
            let (load, mut decide) = use_once(change.clone(), pass);
            let decide = move |loaded: &Loaded| {
                if broken { Decision::Accepted(change.clone().into()) } else { decide(loaded) }
            };
            Command::new(load, decide)
        })
        .collect();
    let answers = world.face.drive(world.store.run_all(commands))?;
    let shown: Vec<String> = answers
        .iter()
        .map(|answer| match answer {
            Ok(Answer::Done(done)) => format!("done, {} used", done.tallies[0].used),
            Ok(Answer::Replayed(done)) => format!("replayed, {} used", done.after[0].used),
            Ok(Answer::Refused(_)) => "refused".into(),
            Err(_) => "error".into(),
        })
        .collect();
    let expected = ["done, 1 used", "replayed, 1 used", "done, 2 used", "refused", "error"];
    same("the answers", &shown, &expected.map(String::from).to_vec())?;
    same("no commands", &world.face.drive(world.store.run_all(Vec::new()))?.len(), &0)
}

/// D-3, D-6: a command whose caller went away landed whole or not at all, and holds up nobody.
pub(super) fn a_dropped_command_harms_nobody(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1000, 0)?;
    for round in 1..=50 {
        let (load, decide) = use_once(world.done(), pass);
        poll_once(world.store.run(Command::new(load, decide)));
        let (load, decide) = use_once(world.done(), pass);
        // Never polled at all.
        drop(world.store.run(Command::new(load, decide)));
        let (load, decide) = use_once(world.done(), pass);
        let answer = world.run(load, decide)?;
        holds(&format!("the next command of round {round} is done"), matches!(answer, Answer::Done(_)))?;
    }
    world.reopen();
    let operations = world.all_events()?.len();
    holds("what wasn't dropped landed", (50..=150).contains(&operations))?;
    let used = world.tally(TallyKey::Uses(pass))?.used;
    same("the uses and the operations", &used, &i64::try_from(operations).unwrap())
}

/// D-6: a pause lasts, and ends, on either face; in an executor it blocks nobody.
pub(super) fn a_pause_ends(world: &mut World<'_>) -> Outcome {
    for time in [Duration::ZERO, Duration::from_millis(20)] {
        let start = Instant::now();
        world.face.drive(world.store.pause(time))?;
        holds("a pause lasts", start.elapsed() >= time)?;
    }
    let (start, long) = (Instant::now(), Duration::from_secs(3));
    holds("a pause is pending", !poll_once(world.store.pause(long)))?;
    holds("polling a pause doesn't block", start.elapsed() < long)
}

//! Many at once: nothing is lost, nothing is given twice, and nobody is turned away while there is something
//! left.

use super::commands::use_once;
use crate::check::{Failure, Outcome, same};
use crate::world::{Client, World, add, claim, doc, new, over, plan_key};
use passes_core::Refusal;
use passes_core::pass::Tally;
use passes_core::store::{
    Add, Answer, Change, Decision, Expect, Load, Loaded, Operation, OperationKey, Put, Record, StoreError,
    TallyKey,
};
use std::sync::{Barrier, Mutex};
use std::thread;

/// Runs every job on a thread of its own, all at once. The answers are in the order of the jobs.
fn at_once<J: Send, T: Send>(
    world: &World<'_>,
    jobs: Vec<J>,
    work: impl Fn(&Client, J) -> Result<T, StoreError> + Sync,
) -> Outcome<Vec<T>> {
    let start = Barrier::new(jobs.len());
    let client = (**world).clone();
    thread::scope(|scope| {
        let threads: Vec<_> = jobs
            .into_iter()
            .map(|job| {
                let (start, work, client) = (&start, &work, client.clone());
                scope.spawn(move || {
                    start.wait();
                    work(&client, job)
                })
            })
            .collect();
        let answers = threads.into_iter().map(|thread| thread.join().expect("a caller panicked"));
        answers.map(|answer| answer.map_err(Failure::from)).collect()
    })
}

fn count(answers: &[Answer]) -> (usize, usize, usize) {
    let of = |is: fn(&Answer) -> bool| answers.iter().filter(|answer| is(answer)).count();
    (
        of(|answer| matches!(answer, Answer::Done(_))),
        of(|answer| matches!(answer, Answer::Replayed(_))),
        of(|answer| matches!(answer, Answer::Refused(_))),
    )
}

/// R-8, D-2: of 64 at once, one gets the single use, and the others are refused.
pub(super) fn a_single_use_has_one_winner(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 0)?;
    let jobs: Vec<Change> = (0..64).map(|_| world.done()).collect();
    let answers = at_once(world, jobs, |client, change| {
        let (load, decide) = use_once(change, pass);
        client.run(load, decide)
    })?;
    same("done, replayed, refused", &count(&answers), &(1, 0, 63))?;
    same("the uses", &world.tally(TallyKey::Uses(pass))?, &Tally { used: 1, held: 0, limit: 1 })?;
    same("the operations", &world.all_events()?.len(), &1)
}

/// while there are uses left nobody is refused: 32 at once find a use each.
pub(super) fn every_use_finds_a_taker(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(32, 0)?;
    let jobs: Vec<Change> = (0..32).map(|_| world.done()).collect();
    let answers = at_once(world, jobs, |client, change| {
        let (load, decide) = use_once(change, pass);
        client.run(load, decide)
    })?;
    same("done, replayed, refused", &count(&answers), &(32, 0, 0))?;
    let mut uses: Vec<i64> = answers
        .iter()
        .filter_map(|answer| if let Answer::Done(done) = answer { Some(done.tallies[0].used) } else { None })
        .collect();
    uses.sort_unstable();
    same("each was told another count", &uses, &(1..=32).collect())
}

/// R-8, D-2: a thousand additions by ten callers sum up exactly. A store that loses additions fails here.
pub(super) fn additions_sum_up(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1000, 0)?;
    let named = TallyKey::Named(world.bytes(), 0);
    let jobs: Vec<Vec<Change>> = (0..10)
        .map(|_| {
            let tally = vec![add(TallyKey::Uses(pass), 1), Add { limit: Some(5000), ..add(named, 5) }];
            (0..100).map(|_| Change { tally: tally.clone(), ..world.done() }).collect()
        })
        .collect();
    let numbers = Mutex::new(Vec::new());
    at_once(world, jobs, |client, changes| {
        changes.into_iter().try_for_each(|change| {
            let after = client.commit(change)?;
            numbers.lock().unwrap().push(after.operation);
            Ok(())
        })
    })?;
    same("the uses", &world.tally(TallyKey::Uses(pass))?.left(), &0)?;
    same("the named tally", &world.tally(named)?.used, &5000)?;
    let mut numbers = numbers.into_inner().unwrap();
    numbers.sort_unstable();
    numbers.dedup();
    same("different numbers of operations", &numbers.len(), &1000)
}

/// R-8, D-2: a decision that rests on what it read is judged against that: 8 callers take all of a balance in
/// parts, each part as large as what is left allows.
pub(super) fn decisions_on_what_was_read_are_safe(world: &mut World<'_>) -> Outcome {
    const BALANCE: i64 = 100;
    let pass = world.make_pass(1, BALANCE)?;
    let key = TallyKey::Balance(pass);
    let jobs: Vec<Vec<Change>> = (0..8).map(|_| (0..8).map(|_| world.done()).collect()).collect();
    let taken: Vec<i64> = at_once(world, jobs, |client, changes| {
        changes.into_iter().try_fold(0, |sum, change| {
            let load = Load { passes: vec![pass], ..client.nothing() };
            let answer = client.run(load, move |loaded: &Loaded| {
                let balance = loaded.passes[0].balance;
                let part = balance.left().min(3);
                if part == 0 {
                    return Decision::Refused(vec![Refusal::UnknownCode], None);
                }
                let tally = vec![Add { from: Some(balance.used), ..add(key, part) }];
                let mut change = Change { tally, ..change.clone() };
                if let Some(operation) = &mut change.operation {
                    operation.receipt = vec![u8::try_from(part).unwrap()];
                }
                Decision::Accepted(change.into())
            })?;
            let Answer::Done(done) = answer else { return Ok(sum) };
            let operation = Some(OperationKey::Number(done.operation));
            let found = client.load(&Load { operation, ..client.nothing() })?.operation;
            Ok(sum + found.map_or(0, |(stored, _)| i64::from(stored.operation.receipt[0])))
        })
    })?;
    same("what all took", &taken.iter().sum(), &BALANCE)?;
    same("the balance", &world.tally(key)?, &Tally { used: BALANCE, held: 0, limit: BALANCE })
}

/// D-2: of many that read a document and write it back, none overwrites another: a counter in it is exact.
pub(super) fn documents_lose_no_update(world: &mut World<'_>) -> Outcome {
    let key = plan_key(world.bytes());
    world.lands(Change { put: vec![new(doc(key, "0"))], ..world.change() })?;
    let jobs: Vec<Vec<Change>> = (0..6).map(|_| (0..10).map(|_| world.done()).collect()).collect();
    at_once(world, jobs, |client, changes| {
        changes.into_iter().try_for_each(|change| {
            let load = Load { docs: vec![key], ..client.nothing() };
            let answer = client.run(load, move |loaded: &Loaded| {
                let stored = loaded.doc(&key).unwrap();
                let counted: u32 = String::from_utf8_lossy(&stored.body).parse().unwrap();
                let record = Record::Doc(doc(key, &(counted + 1).to_string()));
                let put = vec![Put { record, expect: Expect::Version(stored.version) }];
                Decision::Accepted(Change { put, ..change.clone() }.into())
            })?;
            match answer {
                Answer::Done(_) => Ok(()),
                other => Err(StoreError::Backend(format!("{other:?}"))),
            }
        })
    })?;
    let found = world.doc(key)?.ok_or("the document is not found")?;
    same("the counter", &String::from_utf8_lossy(&found.body).into_owned(), &"60".into())?;
    same("the version", &found.version, &61)
}

/// R-5, D-2: sixteen requests with one idempotency key leave one operation; the others are replays of it.
pub(super) fn twins_leave_one_operation(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(100, 0)?;
    let key = world.operation_with_key().key;
    let jobs: Vec<Change> = (0..16)
        .map(|_| Change { operation: Some(Operation { key, ..world.operation() }), ..world.change() })
        .collect();
    let answers = at_once(world, jobs, |client, change| {
        let (load, decide) = use_once(change, pass);
        client.run(load, decide)
    })?;
    same("done, replayed, refused", &count(&answers), &(1, 15, 0))?;
    let mut numbers: Vec<u64> = answers
        .iter()
        .filter_map(|answer| match answer {
            Answer::Done(after) => Some(after.operation),
            Answer::Replayed(stored) => Some(stored.number),
            Answer::Refused(_) => None,
        })
        .collect();
    numbers.dedup();
    same("the operations answered", &numbers.len(), &1)?;
    same("the uses", &world.tally(TallyKey::Uses(pass))?.used, &1)?;
    same("the operations", &world.all_events()?.len(), &1)
}

/// C-4, D-2: of many that claim one code at once, one has it.
pub(super) fn a_code_has_one_owner(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(16, 1, 0)?;
    let code = world.digest();
    let jobs: Vec<Change> =
        passes.iter().map(|pass| Change { claim: vec![claim(code, *pass)], ..world.done() }).collect();
    let answers = at_once(world, jobs, |client, change| match client.commit(change) {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(other) => Err(other),
    })?;
    same("the owners", &answers.iter().filter(|owns| **owns).count(), &1)?;
    let owner = answers.iter().zip(&passes).find(|(owns, _)| **owns).map(|(_, pass)| *pass);
    let found = world.load(&Load { code: Some(code), ..world.nothing() })?;
    same("the pass of the code", &found.code.map(|row| row.id), &owner)
}

/// R-8, D-3: changes that touch the same tallies and documents in opposite orders neither block nor split.
pub(super) fn opposite_orders_do_not_block(world: &mut World<'_>) -> Outcome {
    const EACH: usize = 40;
    let passes = world.make_passes(2, 1_000_000, 0)?;
    let keys = [plan_key(world.bytes()), plan_key(world.bytes())];
    let jobs: Vec<(usize, Vec<Change>)> =
        (0..8).map(|at| (at, (0..EACH).map(|_| world.done()).collect())).collect();
    at_once(world, jobs, |client, (at, changes)| {
        changes.into_iter().try_for_each(|change| {
            let mut tally: Vec<Add> = passes.iter().map(|pass| add(TallyKey::Uses(*pass), 1)).collect();
            let mut put: Vec<Put> = keys.iter().map(|key| over(u32::MAX - 1, doc(*key, "x"))).collect();
            if at % 2 == 0 {
                tally.reverse();
                put.reverse();
            }
            // One that fails for its documents, one that lands.
            match client.commit(Change { put, tally: tally.clone(), ..change.clone() }) {
                Err(StoreError::Conflict) => client.commit(Change { tally, ..change }).map(drop),
                other => Err(StoreError::Backend(format!("expected a conflict, found {other:?}"))),
            }
        })
    })?;
    let expected = i64::try_from(8 * EACH).unwrap();
    for pass in &passes {
        same("the uses", &world.tally(TallyKey::Uses(*pass))?.used, &expected)?;
    }
    Ok(())
}

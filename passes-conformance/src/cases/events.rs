//! Events have positions, and nothing appears behind a reader.

use super::commands::use_once;
use crate::check::{Outcome, holds, same, same_operation};
use crate::world::{World, add};
use passes_core::id::OperationId;
use passes_core::store::{Answer, Change, Operation, StoreError, TallyKey};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// E-1: events are read after a position, in order, up to a limit; a change without an operation, and one that
/// is refused, raise none.
pub(super) fn events_are_read_from_a_position(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(10, 0)?;
    same("the events before any", &world.events(0, 10)?.len(), &0)?;
    let mut landed: Vec<(u64, Operation)> = Vec::new();
    for body in 0..10 {
        let operation = Operation { events: vec![body; usize::from(body)], ..world.operation() };
        let tally = vec![add(TallyKey::Uses(pass), 1)];
        let change = Change { operation: Some(operation.clone()), tally, ..world.change() };
        landed.push((world.lands(change.clone())?.operation, operation));
        world.lands(world.change())?;
        let id = world.id();
        let too_many = Change {
            operation: Some(Operation { id, ..world.operation() }),
            tally: vec![add(TallyKey::Uses(pass), 10)],
            ..world.change()
        };
        world.meets_a_guard("too many uses", too_many)?;
    }
    for _ in 0..2 {
        for from in 0..landed.len() {
            for limit in [0, 1, 3, 100] {
                let after = if from == 0 { 0 } else { landed[from - 1].0 };
                let found = world.events(after, limit)?;
                let expected: Vec<_> = landed[from..].iter().take(limit as usize).collect();
                same("the number of events", &found.len(), &expected.len())?;
                for (stored, (number, operation)) in found.iter().zip(expected) {
                    same("the position", &stored.number, number)?;
                    same_operation(stored, operation, false)?;
                }
            }
        }
        world.reopen();
    }
    same("the events after the last", &world.events(landed[9].0, 9)?.len(), &0)?;
    same("the events after all that can be", &world.events(u64::MAX >> 1, 9)?.len(), &0)
}

/// E-1, D-2: a reader that follows its cursor while others commit sees each operation once, in order. A store
/// that lets an event appear behind the cursor fails here.
pub(super) fn events_never_appear_behind_a_reader(world: &mut World<'_>) -> Outcome {
    const WRITERS: usize = 6;
    const EACH: usize = 50;
    let pass = world.make_pass(i64::MAX, 0)?;
    let work: Vec<Vec<Change>> = (0..WRITERS).map(|_| (0..EACH).map(|_| world.done()).collect()).collect();
    let writing = AtomicUsize::new(WRITERS);
    let client = (**world).clone();
    let mut answered: HashMap<OperationId, u64> = HashMap::new();
    let mut seen = Vec::new();
    thread::scope(|scope| -> Outcome {
        let mut writers = Vec::new();
        for changes in work {
            let (client, writing) = (client.clone(), &writing);
            writers.push(scope.spawn(move || -> Result<Vec<(OperationId, u64)>, StoreError> {
                let numbers = changes.into_iter().enumerate().map(|(at, change)| {
                    let id = change.operation.as_ref().unwrap().id;
                    if at % 2 == 0 {
                        return client.commit(change).map(|after| (id, after.operation));
                    }
                    let (load, decide) = use_once(change, pass);
                    match client.run(load, decide)? {
                        Answer::Done(done) => Ok((id, done.operation)),
                        other => Err(StoreError::Backend(format!("{other:?}"))),
                    }
                });
                let numbers = numbers.collect();
                writing.fetch_sub(1, Ordering::SeqCst);
                numbers
            }));
        }
        let mut cursor = 0;
        loop {
            let ended = writing.load(Ordering::SeqCst) == 0;
            let page = client.events(cursor, 7)?;
            if page.is_empty() && ended {
                break;
            }
            for stored in page {
                holds("positions grow", stored.number > cursor)?;
                cursor = stored.number;
                seen.push((stored.operation.id, stored.number));
            }
        }
        for writer in writers {
            answered.extend(writer.join().expect("a writer panicked")?);
        }
        Ok(())
    })?;
    same("the operations answered", &answered.len(), &(WRITERS * EACH))?;
    for (id, number) in &seen {
        same("the position of an event", &answered.get(id), &Some(number))?;
    }
    same("the events seen by the reader", &seen.len(), &answered.len())
}

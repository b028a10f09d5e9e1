//! What is unique for ever: idempotency keys and codes.

use crate::check::{Outcome, same, same_operation};
use crate::world::{World, add, claim, new, over, pass_row};
use passes_core::pass::{PassRow, Standing};
use passes_core::store::{Change, Chunk, Load, Operation, StoreError, TallyKey};

/// R-5, D-2: an idempotency key binds one operation, whatever the fingerprint, and finds it with the
/// fingerprint it had. A store that forgets keys fails here.
pub(super) fn a_key_is_bound_once(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(9, 0)?;
    let operation = world.operation_with_key();
    let (key, _) = operation.key.unwrap();
    same("a key before it is bound", &world.by_key(key)?.0.is_some(), &false)?;
    let tally = vec![add(TallyKey::Uses(pass), 1)];
    let change = Change { operation: Some(operation.clone()), tally, ..world.change() };
    let number = world.lands(change.clone())?.operation;
    world.meets_a_guard("the very same change again", change.clone())?;
    for _ in 0..2 {
        let (id, fingerprint) = (world.id(), world.bytes());
        let other = Operation { id, key: Some((key, fingerprint)), ..operation.clone() };
        world.meets_a_guard("the same key", Change { operation: Some(other), ..change.clone() })?;
        let id = world.id();
        let stop = Operation { id, key: None, stops: Some(key), ..operation.clone() };
        let what = "stopping a key that is bound";
        world.meets_a_guard(what, Change { operation: Some(stop), ..change.clone() })?;
        let (found, stopped) = world.by_key(key)?;
        let found = found.ok_or("a bound key is not found")?;
        same("the operation of the key", &(found.number, stopped), &(number, false))?;
        same_operation(&found, &operation, true)?;
        same("the uses", &world.tally(TallyKey::Uses(pass))?.used, &1)?;
        world.reopen();
    }
    Ok(())
}

/// a key that an operation stops finds that operation, and can't be bound any more.
pub(super) fn a_stopped_key_stays_stopped(world: &mut World<'_>) -> Outcome {
    let late = world.operation_with_key();
    let (key, _) = late.key.unwrap();
    let stop = Operation { stops: Some(key), ..world.operation_with_key() };
    let number = world.lands(Change { operation: Some(stop.clone()), ..world.change() })?.operation;
    for _ in 0..2 {
        let what = "a key that was stopped";
        world.meets_a_guard(what, Change { operation: Some(late.clone()), ..world.change() })?;
        let again = Operation { stops: Some(key), ..world.operation() };
        world.meets_a_guard("stopping it twice", Change { operation: Some(again), ..world.change() })?;
        let (found, stopped) = world.by_key(key)?;
        same("the stopped key", &(found.map(|o| o.number), stopped), &(Some(number), true))?;
        let (found, stopped) = world.by_key(stop.key.unwrap().0)?;
        same("the stop's own key", &(found.map(|o| o.number), stopped), &(Some(number), false))?;
        world.reopen();
    }
    Ok(())
}

/// a change that is refused binds no key.
pub(super) fn a_refused_change_binds_no_key(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 0)?;
    let stops = Some(world.bytes());
    let operation = Operation { stops, ..world.operation_with_key() };
    let change = |used: i64| Change {
        operation: Some(operation.clone()),
        tally: vec![add(TallyKey::Uses(pass), used)],
        ..world.change()
    };
    world.meets_a_guard("more than there is", change(2))?;
    for key in [operation.key.unwrap().0, operation.stops.unwrap()] {
        same("a key of a refused change", &world.by_key(key)?.0.is_some(), &false)?;
    }
    world.lands(change(1))?;
    Ok(())
}

/// C-4, D-2: a code is claimed once, for ever: not for another pass, nor for its own again, nor when its pass
/// is cancelled, nor by a chunk. A store that reuses claims fails here.
pub(super) fn a_claim_is_for_ever(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(2, 1, 0)?;
    let (code, free) = (world.digest(), world.digest());
    world.lands(Change { claim: vec![claim(code, passes[0])], ..world.change() })?;
    let cancelled = PassRow { standing: Standing::Cancelled, ..pass_row(passes[0]) };
    for version in 1..3 {
        for pass in &passes {
            let claims = vec![claim(free, passes[1]), claim(code, *pass)];
            world.meets_a_guard("a second claim", Change { claim: claims, ..world.change() })?;
        }
        let codes = vec![claim(free, passes[1]), claim(code, passes[1])];
        let chunk = Chunk { change: world.change(), codes, passes: Vec::new() };
        same("a chunk's claim", &world.fill(&chunk), &Err(StoreError::Taken(vec![1])))?;
        let taken = vec![code, free];
        let found = world.load(&Load { code: Some(code), taken, ..world.nothing() })?;
        same("the pass of the code", &found.code.map(|row| row.id), &Some(passes[0]))?;
        same("taken", &found.taken, &vec![true, false])?;
        let put = vec![over(version, cancelled.clone())];
        world.lands(Change { put, ..world.change() })?;
        world.reopen();
    }
    Ok(())
}

/// C-4, T-2: a code can be claimed before its pass is made: it is taken, and leads to the pass once there is
/// one.
pub(super) fn a_code_may_be_claimed_before_its_pass(world: &mut World<'_>) -> Outcome {
    let (code, pass) = (world.digest(), world.lot().pass(3));
    world.lands(Change { claim: vec![claim(code, pass)], ..world.change() })?;
    let load = Load { code: Some(code), taken: vec![code], ..world.nothing() };
    let found = world.load(&load)?;
    same("the code of no pass", &(found.code, found.taken), &(None, vec![true]))?;
    world.lands(Change { put: vec![new(pass_row(pass))], ..world.change() })?;
    same("the pass of the code", &world.load(&load)?.code, &Some(pass_row(pass)))
}

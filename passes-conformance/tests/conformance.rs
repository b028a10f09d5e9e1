//! The suite on the memory store, plain and in trouble, and on the stores that it must find broken.

use passes_conformance::broken::{Broken, Fault};
use passes_conformance::chaos::Chaos;
use passes_conformance::{CASES, Face, conformance_suite, run_case};
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, Ids};
use passes_core::operation::Kind;
use passes_core::store::memory::Memory;
use passes_core::store::{
    Add, Answer, Change, Command, Decision, Load, Operation, Store, StoreError, TallyKey,
};
use std::sync::Arc;

mod rows;

mod memory {
    use super::*;

    conformance_suite!({
        let memory = Memory::new();
        move || Arc::new(memory.clone()) as Arc<dyn Store>
    });
}

/// A store that a host wrote: rows in a map, which the core's adapter makes a full store of (D-5).
mod records {
    use super::*;

    conformance_suite!({
        let rows = rows::Rows::default();
        move || Arc::new(rows.store()) as Arc<dyn Store>
    });
}

/// The same rows written by two processes, as far as the adapter can tell: each has its own adapter.
mod records_of_two {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    conformance_suite!({
        let rows = rows::Rows::default();
        let both = [rows.store(), rows.store()];
        let turn = AtomicUsize::new(0);
        move || Arc::new(both[turn.fetch_add(1, Ordering::Relaxed) % 2].clone()) as Arc<dyn Store>
    });
}

/// Everything holds although commands meet conflicts and delays.
mod chaos {
    use super::*;

    conformance_suite!({
        let memory = Memory::new();
        move || Arc::new(Chaos::new(Arc::new(memory.clone()), 7)) as Arc<dyn Store>
    });
}

/// The case that is named for a fault fails on the store that has it, and on the same store without it passes.
fn is_found(fault: Fault) {
    let broken = Broken::new(fault);
    let found = run_case(fault.found_by(), &move || Arc::new(broken.clone()) as Arc<dyn Store>);
    assert!(found.is_err(), "{fault:?} was not found by {}", fault.found_by());
    let memory = Memory::new();
    let sound = run_case(fault.found_by(), &move || Arc::new(memory.clone()) as Arc<dyn Store>);
    assert_eq!(sound, Ok(()));
}

/// D-2: lost update.
#[test]
fn a_lost_update_is_found() {
    is_found(Fault::LostUpdate);
}

/// D-2, R-8: lost update of what is counted.
#[test]
fn a_lost_addition_is_found() {
    is_found(Fault::LostAddition);
}

/// D-2, D-3: check after commit.
#[test]
fn a_check_after_the_commit_is_found() {
    is_found(Fault::CheckAfterCommit);
}

/// D-2, D-3: half a change.
#[test]
fn half_a_change_is_found() {
    is_found(Fault::HalfAChange);
}

/// D-2, R-5: forgotten key.
#[test]
fn a_forgotten_key_is_found() {
    is_found(Fault::ForgottenKey);
}

/// D-2, E-1: event behind the cursor.
#[test]
fn an_event_behind_the_cursor_is_found() {
    is_found(Fault::EventBehindCursor);
}

/// D-2, R-8: unbounded add.
#[test]
fn an_unbounded_addition_is_found() {
    is_found(Fault::UnboundedAdd);
}

/// D-2, R-8: an addition judged on a row that has changed.
#[test]
fn a_stale_addition_is_found() {
    is_found(Fault::StaleAdd);
}

/// D-2, C-4: reused claim.
#[test]
fn a_reused_claim_is_found() {
    is_found(Fault::ReusedClaim);
}

/// D-2, D-7: an audit that leaves rows out.
#[test]
fn half_an_audit_is_found() {
    is_found(Fault::HalfAnAudit);
}

/// D-2: every fault names a case that there is, and cases have names of their own.
#[test]
fn faults_name_cases() {
    for fault in Fault::ALL {
        assert!(CASES.iter().any(|case| case.name == fault.found_by()), "{fault:?}");
    }
    let mut names: Vec<_> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CASES.len());
    assert!(run_case("no such case", &|| Arc::new(Memory::new()) as Arc<dyn Store>).is_err());
}

/// D-3, R-5: a command whose answer is lost is looked up by its key, never blindly repeated: whatever trouble
/// there is, each lands exactly once.
#[test]
fn a_lost_answer_is_looked_up() {
    let memory = Memory::new();
    let store = Chaos::new(Arc::new(memory.clone()), 11).losing_answers();
    let mut ids = Ids::new(&[5; 32], Instant::EPOCH);
    let business: BusinessId = ids.draw();
    let counted = TallyKey::Named(ids.bytes(), 0);
    let mut lost = 0;
    for _ in 0..200 {
        let (id, key) = (ids.draw(), ids.bytes());
        let operation = Operation {
            key: Some((key, [0; 16])),
            ..Operation::new(id, Kind::Redeem, "till 7", Instant::EPOCH)
        };
        let tally = vec![Add { limit: Some(200), ..Add::used(counted, 1) }];
        let change = Change { operation: Some(operation), tally, ..Change::new(business) };
        let load = Load { key: Some(key), ..Load::new(business) };
        loop {
            let change = change.clone();
            let command = Command::new(load.clone(), move |loaded| match loaded.replay {
                Some(_) => Decision::Replayed,
                None => Decision::Accepted(change.clone().into()),
            });
            match Face::Async.drive(store.run(command)) {
                Ok(Answer::Done(_) | Answer::Replayed(_)) => break,
                Err(StoreError::InDoubt) => lost += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(lost > 0);
    let found =
        Face::Blocking.drive(memory.load(&Load { tallies: vec![counted], ..Load::new(business) })).unwrap();
    assert_eq!(found.tallies[0].used, 200);
    assert_eq!(Face::Blocking.drive(memory.events(business, 0, 1000)).unwrap().len(), 200);
}

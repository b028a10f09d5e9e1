//! Records have versions, and a change lands whole or not at all.

use crate::check::{Outcome, conflict, holds, same};
use crate::world::{World, add, claim, credit_row, doc, new, over, pass_row, plan_key, settled};
use passes_core::id::PassId;
use passes_core::ledger::Subject;
use passes_core::pass::{CreditRow, PassRow, Standing, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{Add, Change, Claim, Doc, DocKey, Expect, Load, Put, TallyKey};

/// D-2: a record is created only where there is none.
pub(super) fn a_put_creates_what_is_absent(world: &mut World<'_>) -> Outcome {
    let key = plan_key(world.bytes());
    let pass = world.make_pass(3, 0)?;
    let (contact, credit) = (world.id(), world.id());
    let put = vec![new(doc(key, "1")), new(credit_row(contact, credit, pass, 5))];
    world.lands(Change { put: put.clone(), ..world.change() })?;
    for put in put.into_iter().chain([new(pass_row(pass))]) {
        world.meets_a_guard("a second creation", Change { put: vec![put], ..world.change() })?;
    }
    same("the document", &world.doc(key)?, &Some(doc(key, "1")))?;
    same("the uses", &world.tally(TallyKey::Uses(pass))?, &Tally::new(3))
}

/// D-2: a put needs the version that is stored, and counts it on; a record's own version says nothing. A store
/// that loses updates fails here.
pub(super) fn a_put_needs_the_version(world: &mut World<'_>) -> Outcome {
    let key = plan_key(world.bytes());
    let pass = world.make_pass(1, 0)?;
    let credit = credit_row(world.id(), world.id(), pass, 5);
    let absent = Change { put: vec![over(1, doc(key, "0"))], ..world.change() };
    world.meets_a_guard("a put over a document that is not there", absent)?;
    world.lands(Change { put: vec![new(doc(key, "1")), new(credit.clone())], ..world.change() })?;
    let row = |version: u32| PassRow { flags: version, version: 77, ..pass_row(pass) };
    let puts = |expect: u32| {
        [
            over(expect, Doc { version: 77, ..doc(key, &expect.to_string()) }),
            over(expect, CreditRow { version: 77, ..credit.clone() }),
            over(expect, row(expect)),
        ]
    };
    for version in 1..4 {
        world.lands(Change { put: puts(version).into(), ..world.change() })?;
        for stale in [0, version, version + 2, u32::MAX] {
            for put in puts(stale) {
                let what = format!("a put over version {stale} of {}", version + 1);
                world.meets_a_guard(&what, Change { put: vec![put], ..world.change() })?;
            }
        }
        let expected = Doc { version: version + 1, ..doc(key, &version.to_string()) };
        same("the document", &world.doc(key)?, &Some(expected))?;
        let expected = PassRow { version: version + 1, ..row(version) };
        same("the pass", &world.pass(pass)?, &Some(expected))?;
        let found = world.credit(credit.contact, credit.id)?;
        same("the credit", &found, &Some(CreditRow { version: version + 1, ..credit.clone() }))?;
    }
    Ok(())
}

/// D-2: a put over a pass or a credit keeps what was counted and its last entry, and sets the rest.
pub(super) fn a_put_keeps_what_is_counted(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(5, 100)?;
    let credit = credit_row(world.id(), world.id(), pass, 10);
    world.lands(Change { put: vec![new(credit.clone())], ..world.change() })?;
    let mut change = world.done();
    change.entries = vec![settled(Subject::Pass(pass), 30)];
    change.tally = vec![
        add(TallyKey::Uses(pass), 2),
        Add { held: 10, ..add(TallyKey::Balance(pass), 30) },
        Add { held: 4, ..add(TallyKey::Credit(credit.contact, credit.id), 1) },
    ];
    world.lands(change)?;
    let last = world.history(Subject::Pass(pass))?.first().map_or(0, |entry| entry.number);
    holds("an entry has a number", last > 0)?;
    let put = PassRow {
        standing: Standing::Cancelled,
        uses: Tally { used: 4, held: 4, limit: 9 },
        balance: Tally::new(40),
        granted: Tally::new(1),
        last: 12_345,
        ..pass_row(pass)
    };
    let over_credit = CreditRow { amount: Tally::new(5), last: 12_345, ..credit.clone() };
    world.lands(Change { put: vec![over(1, put.clone()), over(1, over_credit)], ..world.change() })?;
    let expected = PassRow {
        version: 2,
        uses: Tally { used: 2, held: 0, limit: 9 },
        balance: Tally { used: 30, held: 10, limit: 40 },
        last,
        ..put
    };
    same("the pass", &world.pass(pass)?, &Some(expected))?;
    let amount = Tally { used: 1, held: 4, limit: 5 };
    let expected = CreditRow { version: 2, amount, ..credit.clone() };
    same("the credit", &world.credit(credit.contact, credit.id)?, &Some(expected))
}

/// R-8, D-2: a put that lowers a limit below what is used or held is refused.
pub(super) fn a_put_does_not_undercut_what_is_counted(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(5, 100)?;
    let credit = credit_row(world.id(), world.id(), pass, 10);
    world.lands(Change { put: vec![new(credit.clone())], ..world.change() })?;
    let tally = vec![
        Add { held: 1, ..add(TallyKey::Uses(pass), 2) },
        add(TallyKey::Balance(pass), 30),
        add(TallyKey::Credit(credit.contact, credit.id), 6),
    ];
    world.lands(Change { tally, ..world.change() })?;
    let before = (world.pass(pass)?, world.credit(credit.contact, credit.id)?);
    let row = PassRow { uses: Tally::new(3), balance: Tally::new(30), ..pass_row(pass) };
    let put = |row: PassRow, amount: i64| {
        let credit = CreditRow { amount: Tally::new(amount), ..credit.clone() };
        Change { put: vec![over(1, row), over(1, credit)], ..world.change() }
    };
    let low = [
        put(PassRow { uses: Tally::new(2), ..row.clone() }, 6),
        put(PassRow { balance: Tally::new(29), ..row.clone() }, 6),
        put(PassRow { granted: Tally::new(-1), ..row.clone() }, 6),
        put(row.clone(), 5),
    ];
    for change in low {
        world.meets_a_guard("a limit below what is counted", change)?;
    }
    let after = (world.pass(pass)?, world.credit(credit.contact, credit.id)?);
    same("what the refused puts left", &after, &before)?;
    world.lands(put(row, 6))?;
    Ok(())
}

/// D-2: in one change, the puts come first: what is added is judged by the new limits.
pub(super) fn puts_come_before_additions(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 100)?;
    let row = PassRow { uses: Tally::new(3), balance: Tally::new(50), ..pass_row(pass) };
    let change = |used: i64| Change {
        put: vec![over(1, row.clone())],
        tally: vec![add(TallyKey::Uses(pass), 3), add(TallyKey::Balance(pass), used)],
        ..world.change()
    };
    world.meets_a_guard("an addition within the old limit only", change(51))?;
    let after = world.lands(change(50))?;
    let expected = vec![Tally { used: 3, held: 0, limit: 3 }, Tally { used: 50, held: 0, limit: 50 }];
    same("the values after", &after.tallies, &expected)?;
    let found = world.pass(pass)?.map(|row| (row.version, row.uses, row.balance));
    same("the pass", &found, &Some((2, expected[0], expected[1])))
}

/// D-2: what a decision read and does not write is guarded by its version.
pub(super) fn what_was_read_is_guarded(world: &mut World<'_>) -> Outcome {
    let (read, absent, written) = (plan_key(world.bytes()), plan_key(world.bytes()), plan_key(world.bytes()));
    world.lands(Change { put: vec![new(doc(read, "1"))], ..world.change() })?;
    let change = |expect: Vec<_>| Change { expect, put: vec![new(doc(written, "1"))], ..world.change() };
    for (key, expect) in [
        (read, Expect::Absent),
        (read, Expect::Version(0)),
        (read, Expect::Version(2)),
        (absent, Expect::Version(1)),
    ] {
        let expect = vec![(absent, Expect::Absent), (key, expect)];
        world.meets_a_guard("a stale reading", change(expect))?;
    }
    same("what was not written", &world.doc(written)?, &None)?;
    world.lands(change(vec![(absent, Expect::Absent), (read, Expect::Version(1))]))?;
    same("what was read keeps its version", &world.doc(read)?, &Some(doc(read, "1")))
}

/// D-2: what a decision has only seen is guarded by its version, too: one that is another by now is a conflict.
pub(super) fn what_was_seen_is_guarded(world: &mut World<'_>) -> Outcome {
    let (read, absent, written) = (plan_key(world.bytes()), plan_key(world.bytes()), plan_key(world.bytes()));
    world.lands(Change { put: vec![new(doc(read, "1"))], ..world.change() })?;
    world.lands(Change { expect: vec![(absent, Expect::Absent)], ..world.change() })?;
    let change = |seen: Vec<_>| Change { seen, put: vec![new(doc(written, "1"))], ..world.change() };
    for (key, version) in [(read, 0), (read, 2), (absent, 0), (absent, 1)] {
        world.meets_a_guard("a stale sight", change(vec![(read, 1), (key, version)]))?;
    }
    same("what was not written", &world.doc(written)?, &None)?;
    world.lands(change(vec![(read, 1)]))?;
    same("what was seen keeps its version", &world.doc(read)?, &Some(doc(read, "1")))?;
    // Seen by some and changed by others, in one call: each change is judged as those before it left things.
    let answers = world.commit_all(&[
        Change { seen: vec![(read, 1)], put: vec![over(1, doc(written, "2"))], ..world.change() },
        Change { put: vec![over(1, doc(read, "2"))], ..world.change() },
        Change { seen: vec![(read, 1)], put: vec![over(2, doc(written, "3"))], ..world.change() },
        Change { seen: vec![(read, 2)], expect: vec![(read, Expect::Version(2))], ..world.change() },
        // What is written is judged by what was seen of it, too.
        Change { seen: vec![(read, 1)], put: vec![over(2, doc(read, "3"))], ..world.change() },
        Change { seen: vec![(read, 2)], put: vec![over(2, doc(read, "4"))], ..world.change() },
    ])?;
    let landed: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    same("what landed", &landed, &vec![true, true, false, true, false, true])?;
    conflict("a sight of what was before", &answers[2])?;
    conflict("a sight of what is written", &answers[4])
}

/// Changes whose parts would all land but for one guard, and all that shows whether anything did.
struct Whole {
    doc: DocKey,
    pass: PassId,
    code: Digest,
    name: [u8; 16],
    key: [u8; 16],
    change: Change,
    /// Parts that fail.
    faults: Vec<Change>,
}

impl Whole {
    fn new(world: &mut World<'_>) -> Outcome<Self> {
        let pass = world.make_pass(3, 10)?;
        let (doc_key, code, name) = (plan_key(world.bytes()), world.digest(), world.bytes());
        let operation = world.operation_with_key();
        let (key, _) = operation.key.unwrap();
        let change = Change {
            operation: Some(operation),
            put: vec![
                new(doc(doc_key, "1")),
                over(1, PassRow { flags: 1, uses: Tally::new(3), ..row(pass) }),
            ],
            tally: vec![
                add(TallyKey::Uses(pass), 1),
                Add { limit: Some(5), ..add(TallyKey::Named(name, 0), 1) },
            ],
            claim: vec![claim(code, pass)],
            entries: vec![settled(Subject::Pass(pass), 1)],
            ..world.change()
        };
        // What makes each guard fail was committed before.
        let (taken, stored, bound) = (world.digest(), plan_key(world.bytes()), world.operation_with_key());
        let before = Change {
            operation: Some(bound.clone()),
            put: vec![new(doc(stored, "1"))],
            claim: vec![claim(taken, pass)],
            ..world.change()
        };
        world.lands(before)?;
        let part = world.change();
        let faults = vec![
            Change { expect: vec![(stored, Expect::Version(2))], ..part.clone() },
            Change { seen: vec![(stored, 2)], ..part.clone() },
            Change { put: vec![new(doc(stored, "2"))], ..part.clone() },
            Change { put: vec![over(9, doc(stored, "2"))], ..part.clone() },
            Change { tally: vec![add(TallyKey::Balance(pass), 11)], ..part.clone() },
            Change { tally: vec![Add { from: Some(9), ..add(TallyKey::Balance(pass), 1) }], ..part.clone() },
            Change { claim: vec![claim(taken, pass)], ..part.clone() },
            Change { operation: Some(bound), ..part },
        ];
        Ok(Self { doc: doc_key, pass, code, name, key, change, faults })
    }

    /// The change with one part that fails, at its end.
    fn failing(&self, fault: &Change) -> Change {
        let mut change = self.change.clone();
        let Change { operation, expect, seen, put, tally, claim, .. } = fault.clone();
        change.expect.extend(expect);
        change.seen.extend(seen);
        change.put.extend::<Vec<Put>>(put);
        change.tally.extend(tally);
        change.claim.extend::<Vec<Claim>>(claim);
        if let (Some(new), Some(bound)) = (&mut change.operation, operation) {
            new.stops = bound.key.map(|(key, _)| key);
        }
        change
    }

    fn trace(&self, world: &World<'_>) -> Outcome<String> {
        let load = Load {
            docs: vec![self.doc],
            code: Some(self.code),
            taken: vec![self.code],
            passes: vec![self.pass],
            tallies: vec![TallyKey::Named(self.name, 0)],
            key: Some(self.key),
            ..world.nothing()
        };
        let events: Vec<u64> = world.all_events()?.iter().map(|operation| operation.number).collect();
        let history = world.history(Subject::Pass(self.pass))?;
        Ok(format!("{:?} {events:?} {history:?}", world.load(&load)?))
    }
}

fn row(pass: PassId) -> PassRow {
    PassRow { balance: Tally::new(10), ..pass_row(pass) }
}

/// D-3, Z-1: a change whose last guard fails leaves no trace of its first parts: no state, tally, code, key,
/// entry, event. A store that writes half a change fails here.
pub(super) fn a_failed_guard_leaves_nothing(world: &mut World<'_>) -> Outcome {
    let whole = Whole::new(world)?;
    let before = whole.trace(world)?;
    for fault in &whole.faults {
        let change = whole.failing(fault);
        conflict(&format!("{fault:?}"), &world.commit(change))?;
        same(&format!("what {fault:?} left"), &whole.trace(world)?, &before)?;
    }
    world.reopen();
    same("what all of them left", &whole.trace(world)?, &before)?;
    world.lands(whole.change.clone())?;
    holds("the change itself lands", whole.trace(world)? != before)
}

/// D-2, D-3: a change that is refused hasn't landed. A store that checks after the commit fails here.
pub(super) fn a_change_is_judged_before_it_lands(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 0)?;
    let use_it = |world: &mut World<'_>| Change { tally: vec![add(TallyKey::Uses(pass), 1)], ..world.done() };
    let first = use_it(world);
    let number = world.lands(first)?.operation;
    for _ in 0..3 {
        let again = use_it(world);
        world.meets_a_guard("a second use of a single one", again)?;
        same("the uses", &world.tally(TallyKey::Uses(pass))?, &Tally { used: 1, held: 0, limit: 1 })?;
        let numbers: Vec<u64> = world.all_events()?.iter().map(|operation| operation.number).collect();
        same("the operations", &numbers, &vec![number])?;
    }
    Ok(())
}

/// D-2, D-3: a change names each record, tally and code once. One that doesn't is refused, not half done.
pub(super) fn a_change_names_nothing_twice(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(9, 0)?;
    let (key, code, fresh) = (plan_key(world.bytes()), world.digest(), world.lot().pass(1));
    let uses = add(TallyKey::Uses(pass), 1);
    let change = world.change();
    for twice in [
        Change { put: vec![new(doc(key, "1")), new(doc(key, "2"))], ..change.clone() },
        Change { put: vec![new(pass_row(fresh)), new(pass_row(fresh))], ..change.clone() },
        Change { put: vec![over(1, pass_row(pass)), over(1, pass_row(pass))], ..change.clone() },
        Change { tally: vec![uses, uses], ..change.clone() },
        Change { tally: vec![uses, add(TallyKey::Balance(pass), 0), uses], ..change.clone() },
        Change { claim: vec![claim(code, pass), claim(code, pass)], ..change.clone() },
    ] {
        let what = format!("{twice:?}");
        holds(&format!("refused: {what}"), world.commit(twice).is_err())?;
        let found = world.load(&Load { taken: vec![code], ..world.nothing() })?;
        same("the code", &found.taken, &vec![false])?;
        same("the document", &world.doc(key)?, &None)?;
        same("the new pass", &world.pass(fresh)?, &None)?;
        let found = world.pass(pass)?.map(|row| (row.version, row.uses.used));
        same("the pass", &found, &Some((1, 0)))?;
    }
    Ok(())
}

/// D-3: of several changes committed together each lands or fails by itself, in order, seeing those before it.
pub(super) fn each_change_of_a_commit_stands_alone(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(2, 0)?;
    let uses: Vec<Change> =
        (0..4).map(|_| Change { tally: vec![add(TallyKey::Uses(pass), 1)], ..world.done() }).collect();
    let answers = world.commit_all(&uses)?;
    same("the number of answers", &answers.len(), &4)?;
    let used: Vec<Option<i64>> =
        answers.iter().map(|a| a.as_ref().ok().map(|after| after.tallies[0].used)).collect();
    same("the uses after each", &used, &vec![Some(1), Some(2), None, None])?;
    conflict("the third use", &answers[2])?;
    let numbers: Vec<u64> = answers.iter().flatten().map(|after| after.operation).collect();
    let events: Vec<u64> = world.all_events()?.iter().map(|operation| operation.number).collect();
    same("the operations", &events, &numbers)?;
    same("nothing committed", &world.commit_all(&[])?.len(), &0)
}

/// C-11, D-3: a change without an operation counts, has number 0, and leaves nothing when it is refused.
pub(super) fn counting_needs_no_operation(world: &mut World<'_>) -> Outcome {
    let (attempts, key) = (TallyKey::Named(world.bytes(), 0), plan_key(world.bytes()));
    let attempt = |version: u32| Change {
        tally: vec![Add { limit: Some(2), ..add(attempts, 1) }],
        put: vec![if version == 0 { new(doc(key, "0")) } else { over(version, doc(key, "n")) }],
        ..world.change()
    };
    for used in 1..=2 {
        let after = world.lands(attempt(used - 1))?;
        same("the number of no operation", &after.operation, &0)?;
        same("the attempts", &after.tallies, &vec![Tally { used: used.into(), held: 0, limit: 2 }])?;
    }
    let before = (world.tally(attempts)?, world.doc(key)?);
    world.meets_a_guard("an attempt too many", attempt(2))?;
    same("what it left", &(world.tally(attempts)?, world.doc(key)?), &before)?;
    same("operations", &world.all_events()?.len(), &0)
}

//! An audit reads everything at one moment.

use crate::check::{Outcome, holds, same};
use crate::world::{Client, World, add, claim, credit_row, doc, new, plan_key, received, settled};
use passes_core::ledger::{Account, StoredEntry, Subject};
use passes_core::pass::{CreditRow, PassRow, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{
    Add, AuditRow, Change, Doc, DocKey, DocKind, Operation, Record, StoreError, TallyKey,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// An operation as an audit tells it: its number, whether it bears a key, how many entries it says it has.
type Told = (u64, bool, u64);

#[derive(Debug, Default, PartialEq)]
struct Found {
    docs: Vec<Doc>,
    passes: Vec<PassRow>,
    operations: Vec<Told>,
    entries: Vec<StoredEntry>,
    credits: Vec<CreditRow>,
    tallies: Vec<([u8; 16], u16, Tally)>,
    codes: Vec<(Digest, passes_core::id::PassId)>,
    keys: Vec<([u8; 16], u64, bool)>,
}

fn gathered(rows: Vec<AuditRow>) -> Outcome<Found> {
    let mut found = Found::default();
    let mut kind = 0;
    for row in rows {
        let now = match row {
            AuditRow::Doc(row) => (found.docs.push(row), 0),
            AuditRow::Pass(row) => (found.passes.push(*row), 1),
            AuditRow::Operation { stored, keyed, entries } => {
                (found.operations.push((stored.number, keyed, entries)), 2)
            }
            AuditRow::Entry(row) => {
                let last = found.operations.last().map(|(number, ..)| *number);
                same("the operation before an entry", &last, &Some(row.operation))?;
                (found.entries.push(row), 2)
            }
            AuditRow::Credit(row) => (found.credits.push(*row), 3),
            AuditRow::Tally(id, slot, tally) => (found.tallies.push((id, slot, tally)), 4),
            AuditRow::Code(digest, pass) => (found.codes.push((digest, pass)), 5),
            AuditRow::Key(key, number, stops) => (found.keys.push((key, number, stops)), 6),
            AuditRow::Fault(why) => return Err(format!("the store finds a fault in itself: {why}").into()),
            other => return Err(format!("a row that the suite doesn't know: {other:?}").into()),
        };
        holds(
            "documents, passes, operations with entries, credits, tallies, codes, keys, in that order",
            now.1 >= kind,
        )?;
        kind = now.1;
    }
    Ok(found)
}

fn audit(client: &Client) -> Outcome<Found> {
    gathered(client.audit()?)
}

/// W-1, D-7: an audit brings every document, pass, operation, entry, credit, named tally, code and key, each
/// kind in the order of its key.
pub(super) fn an_audit_is_complete(world: &mut World<'_>) -> Outcome {
    same("the audit of nothing", &audit(world)?, &Found::default())?;
    let mut passes = world.make_passes(3, 2, 50)?;
    passes.extend(world.make_passes(2, 2, 50)?);
    let contacts: [_; 3] = std::array::from_fn(|_| world.id());
    let names: [[u8; 16]; 2] = std::array::from_fn(|_| world.bytes());
    let (plan, run) = (plan_key(world.bytes()), DocKey { kind: DocKind::Run, id: world.bytes() });
    let mut docs = vec![
        Doc { parent: Some(plan), ..doc(run, "2") },
        doc(plan_key(world.bytes()), "3"),
        doc(plan, "1"),
        doc(DocKey { kind: DocKind::Refusals, id: world.bytes() }, "4"),
    ];
    let (borne, stopped) = (world.operation_with_key(), world.bytes());
    let operation = Operation { stops: Some(stopped), ..borne.clone() };
    let mut change = Change { operation: Some(operation), ..world.change() };
    change.put.extend(docs.iter().cloned().map(new));
    for contact in contacts.iter().rev() {
        for _ in 0..2 {
            change.put.push(new(credit_row(*contact, world.id(), passes[4], 9)));
        }
    }
    for (name, slot) in [(names[1], 7), (names[0], 300), (names[0], 2)] {
        change.tally.push(Add { limit: Some(9), ..add(TallyKey::Named(name, slot), i64::from(slot % 7)) });
    }
    change.tally.push(add(TallyKey::Uses(passes[1]), 1));
    change.entries = passes.iter().map(|pass| received(Subject::Pass(*pass), 50)).collect();
    change.tally.retain(|add| add.used != 0);
    // One for a pass that is not there.
    let mut codes: Vec<_> = passes.iter().skip(1).map(|pass| (world.digest(), *pass)).collect();
    codes.push((world.digest(), passes[0].lot().pass(99)));
    change.claim = codes.iter().map(|(digest, pass)| claim(*digest, *pass)).collect();
    let operation = world.lands(change.clone())?.operation;
    let silent = world.done();
    let silent = world.lands(silent)?.operation;
    docs.sort_unstable_by_key(|doc| doc.key);
    passes.sort_unstable();
    codes.sort_unstable_by_key(|(digest, _)| *digest);
    let mut keys = vec![(borne.key.unwrap().0, operation, false), (stopped, operation, true)];
    keys.sort_unstable();
    let mut credits: Vec<_> = change
        .put
        .iter()
        .filter_map(|put| match &put.record {
            Record::Credit(row) => Some((row.contact, row.id)),
            _ => None,
        })
        .collect();
    credits.sort_unstable();
    let mut tallies: Vec<([u8; 16], u16, Tally)> = change
        .tally
        .iter()
        .filter_map(|add| match add.key {
            TallyKey::Named(id, slot) => Some((id, slot, Tally { used: add.used, held: 0, limit: 9 })),
            _ => None,
        })
        .collect();
    tallies.sort_by_key(|(id, slot, _)| (*id, *slot));
    for _ in 0..2 {
        let found = audit(world)?;
        let booked = world.by_number(operation)?.ok_or("the operation is not found")?.1;
        same("the documents", &found.docs, &docs)?;
        same("the passes", &found.passes.iter().map(|row| row.id).collect(), &passes)?;
        for row in &found.passes {
            same("a pass", &world.pass(row.id)?.as_ref(), &Some(row))?;
        }
        same("the operations", &found.operations, &vec![(operation, true, 5), (silent, false, 0)])?;
        same("the entries", &found.entries, &booked)?;
        same("the credits", &found.credits.iter().map(|row| (row.contact, row.id)).collect(), &credits)?;
        for row in &found.credits {
            same("a credit", &world.credit(row.contact, row.id)?.as_ref(), &Some(row))?;
        }
        same("the named tallies", &found.tallies, &tallies)?;
        same("the codes", &found.codes, &codes)?;
        same("the keys", &found.keys, &keys)?;
        world.reopen();
    }
    Ok(())
}

/// W-1, D-7: each operation of an audit is whole, and its entries come right behind it; those of other businesses
/// in between leave no trace.
pub(super) fn an_audit_brings_entries_with_their_operation(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 1_000)?;
    let other = world.other_business();
    let lot = world.lot();
    let theirs = crate::world::pass_row(lot.pass(1));
    other.lands(Change { put: vec![new(theirs)], ..other.change() })?;
    let mut expected = Vec::new();
    for entries in [2, 0, 1, 3] {
        let change = world.done();
        let booked = (1..=entries).map(|amount| settled(Subject::Pass(pass), amount)).collect();
        expected.push(world.lands(Change { entries: booked, ..change })?.operation);
        let elsewhere = Change { business: other.business, ..world.done() };
        let booked = vec![received(Subject::Pass(lot.pass(1)), 7)];
        other.lands(Change { entries: booked, ..elsewhere })?;
    }
    for _ in 0..2 {
        let mut operations = Vec::new();
        for row in world.audit()? {
            match row {
                AuditRow::Operation { stored, entries, .. } => {
                    let (known, booked) =
                        world.by_number(stored.number)?.ok_or("an audited operation is not found")?;
                    let shown = |operation: &Operation| {
                        format!("{:?}", Operation { key: None, stops: None, ..operation.clone() })
                    };
                    same("an operation", &shown(&stored.operation), &shown(&known.operation))?;
                    same("its tallies", &stored.after, &known.after)?;
                    same("how many entries", &entries, &(booked.len() as u64))?;
                    operations.push((stored.number, booked));
                }
                AuditRow::Entry(entry) => {
                    let (_, booked) = operations.last_mut().ok_or("an entry before any operation")?;
                    holds("entries follow their operation", !booked.is_empty())?;
                    same("an entry", &entry, &booked.remove(0))?;
                }
                _ => {}
            }
        }
        holds("all entries came", operations.iter().all(|(_, left)| left.is_empty()))?;
        let numbers: Vec<u64> = operations.iter().map(|(number, _)| *number).collect();
        same("the operations", &numbers, &expected)?;
        world.reopen();
    }
    Ok(())
}

/// D-7: a ledger has the operations above a number, with their entries, as an audit has them.
pub(super) fn a_ledger_begins_anywhere(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 1_000)?;
    let other = world.id();
    let mut numbers = vec![0];
    for entries in [1, 2, 0, 1] {
        let booked = (1..=entries).map(|amount| settled(Subject::Pass(pass), amount)).collect();
        let change = Change { entries: booked, ..world.done() };
        numbers.push(world.lands(change)?.operation);
        let elsewhere = Change { business: other, ..world.done() };
        world.lands(elsewhere)?;
    }
    for _ in 0..2 {
        let all = audit(world)?;
        for after in numbers.iter().flat_map(|number| [*number, number + 1]) {
            let ledger = gathered(world.ledger(after)?)?;
            let operations = all.operations.iter().filter(|(number, ..)| *number > after).copied().collect();
            let entries = all.entries.iter().filter(|entry| entry.operation > after).cloned().collect();
            let expected = Found { operations, entries, ..Found::default() };
            same(&format!("the ledger after {after}"), &ledger, &expected)?;
        }
        world.reopen();
    }
    Ok(())
}

/// W-1, D-3: an audit sees one moment: while others write, its entries still sum up to its balances.
pub(super) fn an_audit_is_one_moment(world: &mut World<'_>) -> Outcome {
    const WRITERS: usize = 4;
    const EACH: usize = 60;
    let passes = world.make_passes(2, i64::MAX, i64::MAX)?;
    let mut work: Vec<Vec<Change>> = vec![Vec::new(); WRITERS];
    for changes in &mut work {
        for amount in (1..).take(EACH) {
            // Both passes at once: a reader that sees one of them changed must see the other, too.
            changes.push(Change {
                entries: passes.iter().map(|pass| settled(Subject::Pass(*pass), amount)).collect(),
                tally: passes.iter().map(|pass| add(TallyKey::Balance(*pass), amount)).collect(),
                ..world.done()
            });
        }
    }
    let expected: i64 = (1..).take(EACH).sum::<i64>() * i64::try_from(WRITERS).unwrap();
    let client = (**world).clone();
    let check = || -> Outcome<i64> {
        let found = audit(&client)?;
        let mut sums: HashMap<_, i64> = HashMap::new();
        for entry in &found.entries {
            let (account, subject) = entry.entry.from;
            same("the account", &account, &Account::Outstanding)?;
            *sums.entry(format!("{subject:?}")).or_default() += entry.entry.amount;
        }
        for row in &found.passes {
            let sum = sums.get(&format!("{:?}", Subject::Pass(row.id))).copied().unwrap_or_default();
            same("the sum of the entries and the balance", &sum, &row.balance.used)?;
        }
        same("the passes", &found.passes.len(), &2)?;
        same("the balances", &found.passes[0].balance.used, &found.passes[1].balance.used)?;
        Ok(found.passes[0].balance.used)
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Outcome {
        let reader = scope.spawn(|| -> Outcome {
            while !done.load(Ordering::SeqCst) {
                check()?;
            }
            Ok(())
        });
        let writers: Vec<_> = work
            .into_iter()
            .map(|changes| {
                let client = &client;
                scope.spawn(move || -> Result<(), StoreError> {
                    changes.into_iter().try_for_each(|change| client.commit(change).map(drop))
                })
            })
            .collect();
        let written: Vec<_> =
            writers.into_iter().map(|writer| writer.join().expect("a writer panicked")).collect();
        done.store(true, Ordering::SeqCst);
        reader.join().expect("the reader panicked")?;
        written.into_iter().try_for_each(|result| result.map_err(Into::into))
    })?;
    same("the balance at the end", &check()?, &expected)
}

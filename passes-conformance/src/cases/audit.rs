//! An audit reads everything at one moment.

use crate::check::{Outcome, holds, same};
use crate::world::{Client, World, add, credit_row, new, received, settled};
use passes_core::ledger::{Account, StoredEntry, Subject};
use passes_core::pass::{CreditRow, PassRow, Tally};
use passes_core::store::{Add, AuditRow, Change, Record, StoreError, TallyKey};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[derive(Debug, Default, PartialEq)]
struct Found {
    entries: Vec<StoredEntry>,
    passes: Vec<PassRow>,
    credits: Vec<CreditRow>,
    tallies: Vec<([u8; 16], u16, Tally)>,
}

fn audit(client: &Client) -> Outcome<Found> {
    let mut found = Found::default();
    let mut kind = 0;
    for row in client.audit()? {
        let now = match row {
            AuditRow::Entry(row) => (found.entries.push(row), 0),
            AuditRow::Pass(row) => (found.passes.push(*row), 1),
            AuditRow::Credit(row) => (found.credits.push(*row), 2),
            AuditRow::Tally(id, slot, tally) => (found.tallies.push((id, slot, tally)), 3),
        };
        holds("entries, passes, credits, tallies, in that order", now.1 >= kind)?;
        kind = now.1;
    }
    Ok(found)
}

/// W-1, D-7: an audit brings every entry, pass, credit and named tally, each kind in the order of its key.
pub(super) fn an_audit_is_complete(world: &mut World<'_>) -> Outcome {
    same("the audit of nothing", &audit(world)?, &Found::default())?;
    let mut passes = world.make_passes(3, 2, 50)?;
    passes.extend(world.make_passes(2, 2, 50)?);
    let contacts: [_; 3] = std::array::from_fn(|_| world.id());
    let names: [[u8; 16]; 2] = std::array::from_fn(|_| world.bytes());
    let mut change = world.done();
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
    let operation = world.lands(change.clone())?.operation;
    passes.sort_unstable();
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
        same("the entries", &found.entries, &booked)?;
        same("the passes", &found.passes.iter().map(|row| row.id).collect(), &passes)?;
        for row in &found.passes {
            same("a pass", &world.pass(row.id)?.as_ref(), &Some(row))?;
        }
        same("the credits", &found.credits.iter().map(|row| (row.contact, row.id)).collect(), &credits)?;
        for row in &found.credits {
            same("a credit", &world.credit(row.contact, row.id)?.as_ref(), &Some(row))?;
        }
        same("the named tallies", &found.tallies, &tallies)?;
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

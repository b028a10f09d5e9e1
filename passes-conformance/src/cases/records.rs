//! Every kind of record, written and read back, before and after reopening.

use crate::check::{Outcome, holds, same, same_operation};
use crate::world::{World, add, at, claim, credit_row, doc, euros, new, operation, pass_row, plan_key};
use passes_core::calendar::Instant;
use passes_core::id::{Id, PassId};
use passes_core::ledger::{Account, Entry, Mark, Subject, Unit};
use passes_core::money::Currency;
use passes_core::operation::Kind;
use passes_core::pass::{CreditRow, PassRow, Standing, Tally, flag};
use passes_core::store::{
    Add, Change, Doc, DocKey, DocKind, Load, Operation, OperationKey, PassRange, TallyKey,
};

/// D-1, D-2: a document of every kind comes back as it was, after reopening too.
pub(super) fn documents_come_back(world: &mut World<'_>) -> Outcome {
    let parent = plan_key(world.bytes());
    let long = format!("\"{}\"", "Geschenkgutschein für Zoë 🎁 ".repeat(4000));
    let mut docs = vec![doc(DocKey::numbered(DocKind::Reversal, 7), "{}"), doc(parent, &long)];
    for kind in DocKind::ALL {
        let key = DocKey { kind, id: world.bytes() };
        let child = Doc { parent: Some(parent), ..doc(key, "{\"v\":1,\"name\":\"наш\"}") };
        docs.push(child);
    }
    let mut change = world.change();
    change.put = docs.iter().cloned().map(new).collect();
    world.lands(change)?;
    for _ in 0..2 {
        for expected in &docs {
            same("a document", &world.doc(expected.key)?.as_ref(), &Some(expected))?;
        }
        world.reopen();
    }
    let other = DocKey { kind: DocKind::Terms, id: parent.id };
    same("the same id in another kind", &world.doc(other)?, &None)
}

fn full_pass(world: &mut World<'_>, id: PassId) -> PassRow {
    PassRow {
        standing: Standing::Cancelled,
        flags: flag::SUSPENDED | flag::EXPIRY_SET | 1 << 31,
        activated: Some(Instant::MIN),
        redeem_by: Some(Instant::MAX),
        value: Some(i64::MAX),
        uses: Tally { used: 2, held: 3, limit: i64::MAX },
        balance: Tally { used: 5, held: 7, limit: 12 },
        granted: Tally { used: 0, held: 1, limit: 1 },
        holder: Some(world.id()),
        successor: Some(world.id()),
        sale: Some(world.id()),
        code_try: u32::MAX,
        fields: Some(b"{\"size\":\"XL\"}".to_vec().into()),
        ..pass_row(id)
    }
}

/// D-1, D-2: a pass comes back as it was, with every field set and with none; of a new one what is counted is
/// stored as it is put, and the last entry is the store's to set.
pub(super) fn passes_come_back(world: &mut World<'_>) -> Outcome {
    let lot = world.lot();
    let bare = pass_row(lot.pass(1));
    let full = full_pass(world, lot.pass(u32::MAX));
    let draft = PassRow { standing: Standing::Draft, value: Some(-1), ..pass_row(lot.pass(256)) };
    let mut change = world.change();
    change.put = [&bare, &full, &draft].map(|row| new(PassRow { version: 9, last: 9, ..row.clone() })).into();
    world.lands(change)?;
    for _ in 0..2 {
        for expected in [&bare, &full, &draft] {
            same("a pass", &world.pass(expected.id)?.as_ref(), &Some(expected))?;
        }
        world.reopen();
    }
    same("a pass that is not there", &world.pass(lot.pass(2))?, &None)
}

/// D-1, D-2: a credit comes back as it was, with every field set and with none.
pub(super) fn credits_come_back(world: &mut World<'_>) -> Outcome {
    let contact = world.id();
    let pass = world.make_pass(1, 0)?;
    let bare = credit_row(contact, world.id(), pass, 1);
    let full = CreditRow {
        mark: Mark::Granted,
        spend_by: Some(at(-5)),
        created: Instant::MIN,
        amount: Tally { used: 1, held: 2, limit: i64::MAX },
        ..credit_row(contact, world.id(), pass, 0)
    };
    let mut change = world.change();
    change.put = [&bare, &full].map(|row| new(CreditRow { version: 9, last: 9, ..row.clone() })).into();
    world.lands(change)?;
    for _ in 0..2 {
        for expected in [&bare, &full] {
            same("a credit", &world.credit(contact, expected.id)?.as_ref(), &Some(expected))?;
        }
        world.reopen();
    }
    let nobody = world.id();
    same("a credit that is not there", &world.credit(contact, nobody)?, &None)
}

/// D-1, D-2, B-4: an operation of every kind comes back as it was: who, when, where, why, its receipt, its
/// events, and the values that its tallies had after it.
pub(super) fn operations_come_back(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(100, 0)?;
    let mut landed = Vec::new();
    for (used, kind) in (1..).zip(Kind::ALL) {
        let full = used % 2 == 0;
        let text = |text: &str| full.then(|| text.into());
        let operation = Operation {
            kind: *kind,
            actor: "Łucja, касса 7".into(),
            place: text("Łódź 1"),
            channel: text("web"),
            reason: text("it's a \"gift\"; -- 🎁"),
            at: at(-used),
            booked: at(used),
            key: Some((world.bytes(), world.bytes())),
            stops: full.then(|| world.bytes()),
            receipt: if full { (0..=255).collect() } else { Vec::new() },
            events: if full { vec![0; 70_000] } else { Vec::new() },
            ..operation(world.id())
        };
        let tally = vec![add(TallyKey::Uses(pass), 1)];
        let after = world.lands(Change { operation: Some(operation.clone()), tally, ..world.change() })?;
        let values = vec![Tally { used, held: 0, limit: 100 }];
        same("the values after", &after.tallies, &values)?;
        landed.push((after.operation, operation, values));
    }
    for _ in 0..2 {
        for (number, operation, values) in &landed {
            let (key, _) = operation.key.unwrap();
            let (by_key, stopped) = world.by_key(key)?;
            let by_key = by_key.ok_or("an operation is not found by its key")?;
            same("the number", &by_key.number, number)?;
            same("stopped", &stopped, &false)?;
            same("the stored values after", &by_key.after, values)?;
            same_operation(&by_key, operation, true)?;
            let (by_number, entries) = world.by_number(*number)?.ok_or("not found by its number")?;
            same_operation(&by_number, operation, false)?;
            same("the stored values after", &by_number.after, values)?;
            same("entries of an operation without any", &entries.len(), &0)?;
            if let Some(stops) = operation.stops {
                let (found, stopped) = world.by_key(stops)?;
                same("found by the key it stops", &found.map(|o| o.number), &Some(*number))?;
                same("stopped", &stopped, &true)?;
            }
        }
        world.reopen();
    }
    Ok(())
}

/// W-1, D-1, D-2: an entry comes back as it was, for every account, unit, mark and kind of subject.
pub(super) fn entries_come_back(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(4, 1, 0)?;
    let contact = world.id();
    let credit = world.id();
    let put = vec![new(credit_row(contact, credit, passes[0], 10))];
    world.lands(Change { put, ..world.change() })?;
    let subject = |account: Account| match account {
        Account::Outstanding => Subject::Pass(passes[0]),
        Account::Credit => Subject::Credit(contact, credit),
        _ => Subject::None,
    };
    let units = [euros(), Unit::Money(Currency::JPY), Unit::Money(Currency::BHD), Unit::Visits, Unit::Points];
    let mut entries = Vec::new();
    for (line, from) in (0..).zip(Account::ALL) {
        for to in Account::ALL.into_iter().filter(|to| *to != from) {
            entries.push(Entry {
                from: (from, subject(from)),
                to: (to, subject(to)),
                unit: units[entries.len() % units.len()],
                amount: i64::MAX,
                mark: if line % 2 == 0 { Mark::Paid } else { Mark::Granted },
                line: (line > 3).then_some(u32::MAX - line),
            });
        }
    }
    let range = Subject::Passes { first: passes[1], count: 3 };
    entries.push(Entry { to: (Account::Outstanding, range), ..entries[0].clone() });
    entries.push(Entry { from: (Account::Outstanding, range), ..entries[0].clone() });
    let done = world.done();
    let booked = done.operation.clone().unwrap();
    let after = world.lands(Change { entries: entries.clone(), ..done })?;
    for _ in 0..2 {
        let (_, stored) = world.by_number(after.operation)?.ok_or("the operation is not found")?;
        same("the number of entries", &stored.len(), &entries.len())?;
        for (stored, entry) in stored.iter().zip(&entries) {
            same("an entry", &stored.entry, entry)?;
            same("its operation", &stored.operation, &after.operation)?;
            same("its times", &(stored.at, stored.booked), &(booked.at, booked.booked))?;
        }
        world.reopen();
    }
    Ok(())
}

/// D-1, D-2: a named tally comes back as it was counted, with the bound it was last counted by.
pub(super) fn named_tallies_come_back(world: &mut World<'_>) -> Outcome {
    let (id, contact) = (world.bytes(), world.id());
    let mut change = world.change();
    let most = TallyKey::Named(id, u16::MAX);
    change.tally.push(Add { held: 4, limit: Some(9), ..add(TallyKey::Named(id, 0), 5) });
    change.tally.push(Add { limit: Some(i64::MAX), ..add(most, i64::MAX) });
    world.lands(change)?;
    let pass = world.make_pass(1, 7)?;
    let credit = world.id();
    world.lands(Change { put: vec![new(credit_row(contact, credit, pass, 3))], ..world.change() })?;
    for _ in 0..2 {
        let keys = vec![
            TallyKey::Named(id, 0),
            TallyKey::Named(id, 1),
            most,
            TallyKey::Balance(pass),
            TallyKey::Credit(contact, credit),
        ];
        let found = world.load(&Load { tallies: keys, ..world.nothing() })?.tallies;
        let expected = vec![
            Tally { used: 5, held: 4, limit: 9 },
            Tally::default(),
            Tally { used: i64::MAX, held: 0, limit: i64::MAX },
            Tally::new(7),
            Tally::new(3),
        ];
        same("tallies", &found, &expected)?;
        world.reopen();
    }
    Ok(())
}

/// C-4, D-1, D-2: a code leads to its pass, and is known to be taken.
pub(super) fn codes_come_back(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(3, 1, 0)?;
    let codes = [world.digest(), world.digest(), world.digest()];
    let claims = codes.iter().zip(&passes).map(|(code, pass)| claim(*code, *pass)).collect();
    world.lands(Change { claim: claims, ..world.change() })?;
    let unknown = world.digest();
    for _ in 0..2 {
        for (code, pass) in codes.iter().zip(&passes) {
            let taken = vec![unknown, *code];
            let found = world.load(&Load { code: Some(*code), taken, ..world.nothing() })?;
            same("the pass of a code", &found.code.map(|row| row.id), &Some(*pass))?;
            same("taken", &found.taken, &vec![false, true])?;
        }
        let found = world.load(&Load { code: Some(unknown), ..world.nothing() })?;
        same("the pass of an unknown code", &found.code, &None)?;
        world.reopen();
    }
    Ok(())
}

/// D-1, D-3: one load brings all that it names; what is not there is left out.
pub(super) fn one_load_brings_everything(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(6, 1, 5)?;
    let (code, contact, name) = (world.digest(), world.id(), world.bytes());
    let key = plan_key(world.bytes());
    let mut credits = [world.id(), world.id()];
    credits.sort_unstable();
    let change = Change { operation: Some(world.operation_with_key()), ..world.change() };
    let (bound, _) = change.operation.as_ref().and_then(|operation| operation.key).unwrap();
    let mut change = Change { claim: vec![claim(code, passes[0])], ..change };
    change.put.push(new(doc(key, "{}")));
    change.put.extend(credits.map(|id| new(credit_row(contact, id, passes[0], 4))));
    change.tally.push(Add { limit: Some(3), ..add(TallyKey::Named(name, 0), 1) });
    let after = world.lands(change)?;
    let load = Load {
        docs: vec![plan_key(world.bytes()), key],
        code: Some(code),
        taken: vec![code],
        passes: vec![passes[5], passes[1], passes[3], passes[0].lot().pass(99)],
        range: Some(PassRange { first: passes[1], last: passes[4], limit: 2 }),
        wallet: Some(contact),
        credits: vec![(contact, credits[1]), (world.id(), credits[0])],
        tallies: vec![TallyKey::Named(name, 1), TallyKey::Named(name, 0)],
        key: Some(bound),
        operation: Some(OperationKey::Number(after.operation)),
        ..world.nothing()
    };
    let found = world.load(&load)?;
    same("documents", &found.docs.iter().map(|doc| doc.key).collect(), &vec![key])?;
    same("the pass of the code", &found.code.as_ref().map(|row| row.id), &Some(passes[0]))?;
    same("taken", &found.taken, &vec![true])?;
    let ids: Vec<PassId> = found.passes.iter().map(|row| row.id).collect();
    same("passes by id and range, each once", &ids, &vec![passes[1], passes[2], passes[3], passes[5]])?;
    let ids: Vec<_> = found.credits.iter().map(|row| row.id).collect();
    same("credits by contact and id, each once", &ids, &credits.to_vec())?;
    let named = vec![Tally::default(), Tally { used: 1, held: 0, limit: 3 }];
    same("tallies", &found.tallies, &named)?;
    same("the operation of the key", &found.replay.map(|o| o.number), &Some(after.operation))?;
    same("the other operation", &found.operation.map(|(o, _)| o.number), &Some(after.operation))?;
    let by_key = Load { operation: Some(OperationKey::Key(bound)), ..world.nothing() };
    let found = world.load(&by_key)?.operation;
    same("the operation by its key", &found.map(|(o, _)| o.number), &Some(after.operation))?;
    let nothing = world.load(&world.nothing())?;
    holds("a load of nothing brings nothing", nothing.all_docs().next().is_none() && nothing.replay.is_none())
}

/// D-1: a pass and a credit bring the chain of their lot: the lot, its terms, their plan; each once.
pub(super) fn a_row_brings_its_chain(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(2, 1, 0)?;
    let plan = plan_key(world.bytes());
    let terms = DocKey { kind: DocKind::Terms, id: world.bytes() };
    let lot = DocKey { kind: DocKind::Lot, id: passes[0].lot().to_bytes() };
    let (code, contact, credit) = (world.digest(), world.id(), world.id());
    let elsewhere = world.make_pass(1, 0)?;
    let mut change = world.change();
    // The plan hangs on something, too: that is not of the chain.
    let business = DocKey { kind: DocKind::Business, id: world.bytes() };
    change.put = vec![
        new(doc(business, "{}")),
        new(Doc { parent: Some(business), ..doc(plan, "{}") }),
        new(Doc { parent: Some(plan), ..doc(terms, "{}") }),
        new(Doc { parent: Some(terms), ..doc(lot, "{}") }),
        new(credit_row(contact, credit, passes[1], 5)),
    ];
    change.claim.push(claim(code, passes[0]));
    world.lands(change)?;
    let range = PassRange { first: passes[0], last: passes[1], limit: 9 };
    let loads = [
        Load { code: Some(code), ..world.nothing() },
        Load { passes: passes.clone(), ..world.nothing() },
        Load { range: Some(range), ..world.nothing() },
        Load { wallet: Some(contact), ..world.nothing() },
        Load { credits: vec![(contact, credit)], ..world.nothing() },
        Load {
            docs: vec![terms],
            code: Some(code),
            passes: vec![passes[1], elsewhere],
            wallet: Some(contact),
            ..world.nothing()
        },
    ];
    for load in loads {
        let found = world.load(&load)?;
        let mut keys: Vec<DocKey> = found.all_docs().map(|doc| doc.key).collect();
        keys.sort_unstable();
        same(&format!("the chain of {load:?}"), &keys, &vec![plan, terms, lot])?;
        same("its parents", &found.doc(&lot).and_then(|doc| doc.parent), &Some(terms))?;
    }
    let found = world.load(&Load { passes: vec![elsewhere], ..world.nothing() })?;
    same("the chain of a lot that has no document", &found.all_docs().count(), &0)
}

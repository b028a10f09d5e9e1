//! Nothing crosses from one business to another.

use crate::check::{Outcome, conflict, same};
use crate::world::{Client, World, add, claim, credit_row, doc, new, over, pass_row, plan_key, settled};
use passes_core::ledger::Subject;
use passes_core::pass::Tally;
use passes_core::store::{
    Add, Change, Doc, DocKey, DocKind, Expect, Load, Loaded, Operation, OperationKey, PageQuery, PassOrder,
    PassRange, TallyKey,
};

/// B-1, D-2: what belongs to one business is not there for another, neither to read nor to write, and the same
/// keys of both are two things.
pub(super) fn nothing_crosses_between_businesses(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(5, 10)?;
    let (key, code, name) = (plan_key(world.bytes()), world.digest(), world.bytes());
    let credit = credit_row(world.id(), world.id(), pass, 5);
    let bound = world.operation_with_key();
    let named = TallyKey::Named(name, 0);
    let first = Change {
        operation: Some(bound.clone()),
        put: vec![new(doc(key, "1")), new(credit.clone())],
        tally: vec![Add { limit: Some(1), ..add(named, 1) }],
        claim: vec![claim(code, pass)],
        entries: vec![settled(Subject::Pass(pass), 1)],
        ..world.change()
    };
    let number = world.lands(first)?.operation;
    let other = world.other_business();
    let load = |operation| Load {
        docs: vec![key],
        code: Some(code),
        taken: vec![code],
        passes: vec![pass],
        range: Some(PassRange { first: pass, last: pass, limit: 1 }),
        wallet: Some(credit.contact),
        credits: vec![(credit.contact, credit.id)],
        tallies: vec![named, TallyKey::Uses(pass)],
        key: bound.key.map(|(key, _)| key),
        operation: Some(operation),
        ..other.nothing()
    };
    let by_key = OperationKey::Key(bound.key.unwrap().0);
    for operation in [OperationKey::Number(number), by_key] {
        let found = other.load(&load(operation))?;
        let expected = Loaded { taken: vec![false], tallies: vec![Tally::default(); 2], ..Loaded::default() };
        same("what the other business finds", &format!("{found:?}"), &format!("{expected:?}"))?;
    }
    let change = other.change();
    for change in [
        Change { put: vec![over(1, doc(key, "2"))], ..change.clone() },
        Change { put: vec![over(1, pass_row(pass))], ..change.clone() },
        Change { put: vec![over(1, credit.clone())], ..change.clone() },
        Change { expect: vec![(key, Expect::Version(1))], ..change.clone() },
        Change { tally: vec![add(TallyKey::Uses(pass), 1)], ..change.clone() },
        Change { tally: vec![add(TallyKey::Credit(credit.contact, credit.id), 1)], ..change.clone() },
    ] {
        let what = format!("{change:?}");
        conflict(&what, &other.commit(change))?;
    }
    let same_keys = Change {
        operation: Some(Operation { id: world.id(), ..bound.clone() }),
        put: vec![new(doc(key, "2"))],
        tally: vec![Add { limit: Some(1), ..add(named, 1) }],
        ..change
    };
    let theirs = other.lands(same_keys)?.operation;
    let business = other.business;
    // Whoever holds on to the store keeps it open.
    drop(other);
    for _ in 0..2 {
        same("one's document", &world.doc(key)?, &Some(doc(key, "1")))?;
        same("one's operation", &world.by_key(bound.key.unwrap().0)?.0.map(|o| o.number), &Some(number))?;
        let other = Client { business, ..(**world).clone() };
        same("the other's document", &other.doc(key)?, &Some(doc(key, "2")))?;
        same(
            "the other's operation",
            &other.by_key(bound.key.unwrap().0)?.0.map(|o| o.number),
            &Some(theirs),
        )?;
        same("the other's tally", &other.tally(named)?.used, &1)?;
        drop(other);
        world.reopen();
    }
    Ok(())
}

/// B-1, D-2: lists, histories, events and audits show one business.
pub(super) fn lists_do_not_cross_between_businesses(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(5, 10)?;
    let parent = plan_key(world.bytes());
    let key = DocKey { kind: DocKind::Run, id: world.bytes() };
    let credit = credit_row(world.id(), world.id(), pass, 5);
    let run = Doc { parent: Some(parent), ..doc(key, "{}") };
    let change = Change {
        put: vec![new(run), new(credit.clone())],
        entries: vec![settled(Subject::Pass(pass), 1)],
        ..world.done()
    };
    world.lands(change)?;
    let other = world.other_business();
    let range = PassRange { first: pass, last: pass, limit: 9 };
    let queries = |business| {
        let docs = |parent| PageQuery::Docs { business, kind: DocKind::Run, parent, after: None, limit: 9 };
        let passes = |order| PageQuery::Passes { business, range, order, after: None };
        [
            docs(None),
            docs(Some(parent)),
            passes(PassOrder::Serial),
            passes(PassOrder::Expiry),
            PageQuery::Credits { business, contact: credit.contact, after: None, limit: 9 },
            PageQuery::Operations { business, after: 0, limit: 9 },
            PageQuery::History { business, subject: Subject::Pass(pass), before: None, limit: 9 },
        ]
    };
    for (own, foreign) in queries(world.business).iter().zip(queries(other.business)) {
        for (query, rows) in [(own, 1), (&foreign, 0)] {
            let page = world.page(query)?;
            let found = page.docs.len()
                + page.passes.len()
                + page.credits.len()
                + page.operations.len()
                + page.entries.len();
            same(&format!("the rows of {query:?}"), &found, &rows)?;
        }
    }
    // A document, a pass, an operation with its entry, a credit.
    for (client, rows) in [(&**world, [1, 5, 2]), (&other, [0, 0, 0])] {
        let found = [client.all_events()?.len(), client.audit()?.len(), client.ledger(0)?.len()];
        same("events, audited rows and the ledger", &found, &rows)?;
    }
    Ok(())
}

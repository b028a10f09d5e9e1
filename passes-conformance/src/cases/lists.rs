//! Lists come in order, a page at a time, with nothing missing and nothing twice.

use crate::check::{Outcome, holds, same};
use crate::world::{World, add, at, credit_row, doc, new, pass_row, plan_key};
use passes_core::id::{ContactId, CreditId, Id, PassId};
use passes_core::pass::PassRow;
use passes_core::store::{
    Add, Change, Doc, DocKey, DocKind, Load, Page, PageQuery, PassOrder, PassRange, TallyKey,
};

/// Reads all pages; `next` makes the query after the row given.
fn pages<T: Clone>(
    world: &World<'_>,
    limit: u32,
    next: impl Fn(Option<&T>) -> PageQuery,
    rows: impl Fn(Page) -> Vec<T>,
) -> Outcome<Vec<T>> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let page = rows(world.page(&next(all.last()))?);
        holds("a page keeps its limit", page.len() as u64 <= u64::from(limit))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// D-2, T-4: documents are listed by kind, and by kind and parent, in the order of their ids.
pub(super) fn documents_are_listed(world: &mut World<'_>) -> Outcome {
    let parents = [plan_key(world.bytes()), plan_key(world.bytes())];
    let mut change = world.change();
    let mut runs = Vec::new();
    for number in 0..11 {
        let parent = [None, Some(parents[0]), Some(parents[1])][number % 3];
        let run = Doc { parent, ..doc(DocKey { kind: DocKind::Run, id: world.bytes() }, "{}") };
        // Of the same parent, but another kind.
        let sale = Doc { parent, ..doc(DocKey { kind: DocKind::Sale, id: world.bytes() }, "{}") };
        change.put.extend([new(run.clone()), new(sale)]);
        runs.push(run);
    }
    let ends = [[0; 16], [0xFF; 16]].map(|id| doc(DocKey { kind: DocKind::Run, id }, "{}"));
    change.put.extend(ends.clone().map(new));
    runs.extend(ends);
    world.lands(change)?;
    runs.sort_by_key(|run| run.key);
    for _ in 0..2 {
        for parent in [None, Some(parents[0]), Some(parents[1])] {
            let expected: Vec<Doc> =
                runs.iter().filter(|run| parent.is_none() || run.parent == parent).cloned().collect();
            for limit in [1, 3, 100] {
                let next = |last: Option<&Doc>| PageQuery::Docs {
                    business: world.business,
                    kind: DocKind::Run,
                    parent,
                    after: last.map(|run| run.key.id),
                    limit,
                };
                let found = pages(world, limit, next, |page| page.docs)?;
                same(&format!("runs of {parent:?}, {limit} a page"), &found, &expected)?;
            }
        }
        world.reopen();
    }
    let kind = DocKind::Delivery;
    let none = PageQuery::Docs { business: world.business, kind, parent: None, after: None, limit: 9 };
    same("a kind without documents", &world.page(&none)?.docs, &Vec::new())
}

/// Passes with gaps in their serial numbers, made in disorder, some of another lot.
fn scattered(world: &mut World<'_>) -> Outcome<Vec<PassRow>> {
    let (lot, other) = (world.lot(), world.lot());
    let serials = [7, 300, 1, 2, 65_536, 3, 255, 256, u32::MAX, 8];
    let expiry = [None, Some(50), Some(10), None, Some(10), Some(-1), Some(10), Some(50), None, Some(11)];
    let mut rows: Vec<PassRow> = serials
        .into_iter()
        .zip(expiry)
        .map(|(serial, expiry)| PassRow { redeem_by: expiry.map(at), ..pass_row(lot.pass(serial)) })
        .collect();
    for part in rows.chunks(3) {
        let put = part.iter().cloned().chain([pass_row(other.pass(part[0].id.serial()))]).map(new).collect();
        world.lands(Change { put, ..world.change() })?;
    }
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

fn passes_page(
    world: &World<'_>,
    first: PassId,
    last: PassId,
    limit: u32,
    order: PassOrder,
) -> Outcome<Vec<PassRow>> {
    let next = |row: Option<&PassRow>| PageQuery::Passes {
        business: world.business,
        range: PassRange { first, last, limit },
        order,
        after: row.map(|row| (row.redeem_by, row.id)),
    };
    pages(world, limit, next, |page| page.passes)
}

/// T-4, L-9: passes of a lot are listed by serial number, from one to another.
pub(super) fn passes_are_listed_by_serial_number(world: &mut World<'_>) -> Outcome {
    let rows = scattered(world)?;
    let lot = rows[0].id.lot();
    for (first, last) in [(0, u32::MAX), (1, u32::MAX), (2, 256), (4, 6), (9, 254), (8, 8), (9, 1)] {
        let expected: Vec<PassRow> =
            rows.iter().filter(|row| (first..=last).contains(&row.id.serial())).cloned().collect();
        for limit in [1, 4, 100] {
            let found = passes_page(world, lot.pass(first), lot.pass(last), limit, PassOrder::Serial)?;
            same(&format!("serial numbers {first} to {last}, {limit} a page"), &found, &expected)?;
        }
    }
    Ok(())
}

/// T-4: passes of a lot are listed by expiry: soonest first, never last, then by serial number.
pub(super) fn passes_are_listed_by_expiry(world: &mut World<'_>) -> Outcome {
    let mut rows = scattered(world)?;
    let lot = rows[0].id.lot();
    rows.sort_by_key(|row| (row.redeem_by.is_none(), row.redeem_by, row.id));
    for (first, last) in [(0, u32::MAX), (2, 256)] {
        let expected: Vec<PassRow> =
            rows.iter().filter(|row| (first..=last).contains(&row.id.serial())).cloned().collect();
        for limit in [1, 2, 3, 4, 100] {
            let found = passes_page(world, lot.pass(first), lot.pass(last), limit, PassOrder::Expiry)?;
            same(&format!("{first} to {last} by expiry, {limit} a page"), &found, &expected)?;
        }
    }
    Ok(())
}

/// L-9: a range of passes is loaded in order, up to a limit.
pub(super) fn a_range_is_loaded_in_order(world: &mut World<'_>) -> Outcome {
    let rows = scattered(world)?;
    let lot = rows[0].id.lot();
    same("all", &world.passes(lot.pass(0), lot.pass(u32::MAX), 100)?, &rows)?;
    same("the first three", &world.passes(lot.pass(0), lot.pass(u32::MAX), 3)?, &rows[..3].to_vec())?;
    same("from the middle", &world.passes(lot.pass(4), lot.pass(255), 100)?, &rows[3..6].to_vec())?;
    same("a gap", &world.passes(lot.pass(9), lot.pass(254), 100)?, &Vec::new())?;
    let unknown = world.lot();
    same("a lot that is not there", &world.passes(unknown.pass(0), unknown.pass(9), 9)?, &Vec::new())
}

/// W-5: a contact's credits are listed in the order of their ids, spent ones too.
pub(super) fn credits_are_listed(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 0)?;
    let (contact, other) = (world.id(), world.id());
    let mut ids: Vec<CreditId> = (0..7).map(|_| world.id()).collect();
    let mut change = world.change();
    // Not in the order in which they are listed.
    for id in ids.iter().rev() {
        change.put.push(new(credit_row(contact, *id, pass, 5)));
        change.put.push(new(credit_row(other, *id, pass, 5)));
    }
    world.lands(change)?;
    let spent = vec![add(TallyKey::Credit(contact, ids[2]), 5)];
    world.lands(Change { tally: spent, ..world.change() })?;
    ids.sort_unstable();
    for limit in [1, 3, 100] {
        let next = |last: Option<&(ContactId, CreditId)>| PageQuery::Credits {
            business: world.business,
            contact,
            after: last.map(|(_, id)| id.to_bytes()),
            limit,
        };
        let rows = |page: Page| page.credits.into_iter().map(|row| (row.contact, row.id)).collect();
        let expected: Vec<_> = ids.iter().map(|id| (contact, *id)).collect();
        same(&format!("credits, {limit} a page"), &pages(world, limit, next, rows)?, &expected)?;
    }
    Ok(())
}

/// W-3: a wallet is the contact's credits with something left: neither used nor held.
pub(super) fn a_wallet_is_what_is_left(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 0)?;
    let (contact, other) = (world.id(), world.id());
    let mut ids: [CreditId; 4] = std::array::from_fn(|_| world.id());
    ids.sort_unstable();
    let mut change = world.change();
    change.put = ids.iter().map(|id| new(credit_row(contact, *id, pass, 5))).collect();
    change.put.push(new(credit_row(other, world.id(), pass, 5)));
    world.lands(change)?;
    let wallet = |world: &World<'_>| -> Outcome<Vec<CreditId>> {
        let found = world.load(&Load { wallet: Some(contact), ..world.nothing() })?;
        Ok(found.credits.into_iter().map(|row| row.id).collect())
    };
    same("the wallet", &wallet(world)?, &ids.to_vec())?;
    let credit =
        |at: usize, used: i64, held: i64| Add { held, ..add(TallyKey::Credit(contact, ids[at]), used) };
    let tally = vec![credit(0, 5, 0), credit(1, 4, 0), credit(2, 2, 3), credit(3, 0, 4)];
    world.lands(Change { tally, ..world.change() })?;
    same("what is left", &wallet(world)?, &vec![ids[1], ids[3]])?;
    let tally = vec![credit(0, -1, 0), credit(1, 1, 0), credit(3, 4, -4)];
    world.lands(Change { tally, ..world.change() })?;
    same("what is left then", &wallet(world)?, &vec![ids[0], ids[3]])?;
    world.reopen();
    same("what is left after reopening", &wallet(world)?, &vec![ids[0], ids[3]])
}

/// B-4: operations are listed in the order of their numbers.
pub(super) fn operations_are_listed(world: &mut World<'_>) -> Outcome {
    let mut numbers = Vec::new();
    for _ in 0..7 {
        let change = world.done();
        numbers.push(world.lands(change)?.operation);
        world.lands(world.change())?;
    }
    for limit in [1, 3, 100] {
        let next = |last: Option<&u64>| PageQuery::Operations {
            business: world.business,
            after: last.copied().unwrap_or_default(),
            limit,
        };
        let rows = |page: Page| page.operations.iter().map(|o| o.number).collect();
        same(&format!("operations, {limit} a page"), &pages(world, limit, next, rows)?, &numbers)?;
    }
    Ok(())
}

//! Operations have numbers, and the entries of a subject form a chain.

use crate::check::{Outcome, holds, same};
use crate::world::{World, credit_row, new, received, settled};
use passes_core::ledger::{Account, Entry, StoredEntry, Subject};
use passes_core::store::{Change, PageQuery};

fn numbers(entries: &[StoredEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.number).collect()
}

/// Books entries with one operation, and answers them as stored.
fn book(world: &mut World<'_>, entries: Vec<Entry>) -> Outcome<Vec<StoredEntry>> {
    let change = Change { entries, ..world.done() };
    let number = world.lands(change)?.operation;
    Ok(world.by_number(number)?.ok_or("an operation is not found by its number")?.1)
}

/// E-1, W-1, D-2: operations and entries have numbers that grow within their business, whatever others do meanwhile, and
/// across reopening. Businesses may be on different machines, so nothing is said of whose number is the higher one.
pub(super) fn numbers_grow(world: &mut World<'_>) -> Outcome {
    let (mut operation, mut entry, mut elsewhere) = (0, 0, 0);
    let other = world.id();
    for _ in 0..4 {
        let pass = world.make_pass(1, 0)?;
        let entries = vec![received(Subject::Pass(pass), 5), settled(Subject::Pass(pass), 5)];
        for stored in book(world, entries)? {
            holds("the number of an entry grows", stored.number > entry)?;
            holds("the number of an operation grows", stored.operation >= operation)?;
            (operation, entry) = (stored.operation, stored.number);
        }
        let after = Change { business: other, ..world.done() };
        let number = world.lands(after)?.operation;
        holds("the number of an operation grows elsewhere", number > elsewhere)?;
        elsewhere = number;
        let again = world.done();
        let number = world.lands(again)?.operation;
        holds("the number of an operation grows without entries", number > operation)?;
        operation = number;
        world.reopen();
    }
    Ok(())
}

/// W-1, W-5: a pass and a credit name their last entry, and each entry the one before it of either subject.
pub(super) fn entries_form_chains(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(2, 1, 100)?;
    let (contact, credit) = (world.id(), world.id());
    world.lands(Change { put: vec![new(credit_row(contact, credit, passes[0], 50))], ..world.change() })?;
    let (first, second) = (Subject::Pass(passes[0]), Subject::Pass(passes[1]));
    let wallet = Subject::Credit(contact, credit);
    same("the last entry of a new pass", &world.pass(passes[0])?.map(|row| row.last), &Some(0))?;
    let sold = book(world, vec![received(first, 60), received(first, 40), received(second, 100)])?;
    let [paid, granted, other] = &sold[..] else { return Err("three entries were booked".into()) };
    let before = |entry: &StoredEntry| (entry.before_from, entry.before_to);
    same("before the first", &before(paid), &(0, 0))?;
    same("before the second", &before(granted), &(0, paid.number))?;
    same("before another's first", &before(other), &(0, 0))?;
    let redeemed = Entry { to: (Account::Credit, wallet), ..settled(first, 50) };
    let moved = book(world, vec![redeemed])?;
    same("before the move", &before(&moved[0]), &(granted.number, 0))?;
    let spent = book(
        world,
        vec![Entry { from: (Account::Credit, wallet), ..settled(first, 20) }, settled(second, 1)],
    )?;
    same("before the spend", &before(&spent[0]), &(moved[0].number, 0))?;
    for _ in 0..2 {
        let last = |id| world.pass(id).map(|row| row.map(|row| row.last));
        same("the last of the first", &last(passes[0])?, &Some(moved[0].number))?;
        same("the last of the second", &last(passes[1])?, &Some(spent[1].number))?;
        let last = world.credit(contact, credit)?.map(|row| row.last);
        same("the last of the credit", &last, &Some(spent[0].number))?;
        let expected = vec![moved[0].number, granted.number, paid.number];
        same("the history of the first", &numbers(&world.history(first)?), &expected)?;
        let expected = vec![spent[1].number, other.number];
        same("the history of the second", &numbers(&world.history(second)?), &expected)?;
        let expected = vec![spent[0].clone(), moved[0].clone()];
        same("the history of the credit", &world.history(wallet)?, &expected)?;
        world.reopen();
    }
    Ok(())
}

/// W-1, L-9: an entry about a range of passes continues the chain of each of them. So their last entry must be
/// the same; passes with another one need an entry of their own.
pub(super) fn a_range_continues_one_chain(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(5, 1, 100)?;
    let range = |from: usize, count: u32| Subject::Passes { first: passes[from], count };
    let sold = book(world, vec![received(range(0, 5), 300), received(range(0, 5), 200)])?;
    same("before the range's second", &sold[1].before_to, &sold[0].number)?;
    let used = book(world, vec![settled(Subject::Pass(passes[2]), 7)])?;
    same("before the entry of one", &used[0].before_from, &sold[1].number)?;
    let over = Change { entries: vec![settled(range(1, 3), 3)], ..world.done() };
    world.meets_a_guard("a range of passes with different last entries", over)?;
    let missing = Change { entries: vec![settled(range(4, 2), 3)], ..world.done() };
    holds("a range with a pass that is not there is refused", world.commit(missing).is_err())?;
    let apart = vec![settled(range(0, 2), 2), settled(Subject::Pass(passes[2]), 1), settled(range(3, 2), 2)];
    let cancelled = book(world, apart)?;
    let before: Vec<u64> = cancelled.iter().map(|entry| entry.before_from).collect();
    same("before the entries of the parts", &before, &vec![sold[1].number, used[0].number, sold[1].number])?;
    for _ in 0..2 {
        for (at, pass) in passes.iter().enumerate() {
            let part = &cancelled[[0, 0, 1, 2, 2][at]];
            same("the last of each", &world.pass(*pass)?.map(|row| row.last), &Some(part.number))?;
            let mut expected = vec![part.number, sold[1].number, sold[0].number];
            if at == 2 {
                expected.insert(1, used[0].number);
            }
            let history = world.history(Subject::Pass(*pass))?;
            same(&format!("the history of pass {at}"), &numbers(&history), &expected)?;
        }
        world.reopen();
    }
    Ok(())
}

/// W-5: a history comes newest first, in pages.
pub(super) fn a_history_is_paged(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 100)?;
    let subject = Subject::Pass(pass);
    let mut booked = Vec::new();
    for amount in 1..=5 {
        booked.extend(book(world, vec![settled(subject, amount), received(subject, amount)])?);
    }
    booked.reverse();
    let mut found: Vec<StoredEntry> = Vec::new();
    loop {
        let before = found.last().map(|entry| entry.number);
        let query = PageQuery::History { business: world.business, subject, before, limit: 3 };
        let page = world.page(&query)?.entries;
        holds("a page keeps its limit", page.len() <= 3)?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    same("the pages", &found, &booked)?;
    let nobody = Subject::Pass(world.lot().pass(1));
    same("the history of a pass that is not there", &world.history(nobody)?, &Vec::new())
}

/// W-1, D-3: an operation is found with its entries in order, and no others.
pub(super) fn entries_belong_to_their_operation(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 100)?;
    let subject = Subject::Pass(pass);
    let mut all = Vec::new();
    for count in [2, 0, 1, 3] {
        let entries: Vec<Entry> = (1..=count).map(|amount| settled(subject, amount)).collect();
        let stored = book(world, entries.clone())?;
        same("its entries", &stored.iter().map(|stored| stored.entry.clone()).collect(), &entries)?;
        all.push(stored);
    }
    for stored in all.iter().filter(|stored| !stored.is_empty()) {
        let found = world.by_number(stored[0].operation)?.map(|(_, entries)| entries);
        same("its entries later", &found.as_ref(), &Some(stored))?;
    }
    let orphan = Change { entries: vec![settled(subject, 1)], ..world.change() };
    holds("entries without an operation are refused", world.commit(orphan).is_err())?;
    same("the entries in all", &world.history(subject)?.len(), &6)?;
    same("no operation", &world.by_number(u64::MAX >> 1)?.is_none(), &true)
}

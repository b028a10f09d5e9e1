//! Cursors of lists, as a client hands them back.

use crate::shop::Shop;
use arbitrary::{Result, Unstructured};
use passes_core::Error;
use passes_core::calendar::Instant;
use passes_core::event::Position;
use passes_core::id::{CreditId, Id, LotId, PassId, PlanId};
use passes_core::operation::Kind;
use passes_core::pass::State;
use passes_core::service::{
    LineCursor, Listed, OperationFilter, PassCursor, PassFilter, PassLineCursor, Used,
};
use passes_core::store::PassOrder;
use passes_core::store::memory::Memory;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cmp::Reverse;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

static SHOP: LazyLock<Shop> = LazyLock::new(|| Shop::on(Arc::new(Memory::new())));

/// More rows than any list here has.
const ALL: u32 = 10_000;

/// Any text is a cursor or none, and a cursor comes back from its text. From any cursor a list goes on in order,
/// without a row twice, to its end, and pages of any size hold the same rows as one that holds all.
pub fn cursors(data: &[u8]) {
    // Where the bytes end, so does the case.
    let _ = walked(&mut Unstructured::new(data));
}

fn walked(from: &mut Unstructured<'_>) -> Result<()> {
    let (shop, by) = (&*SHOP, &SHOP.by);
    let limit = if from.ratio(1, 8)? { from.arbitrary()? } else { from.int_in_range(0..=9)? };
    match from.int_in_range(0..=7)? {
        0 | 1 => {
            let order = *from.choose(&[PassOrder::Serial, PassOrder::Expiry])?;
            let lot = if from.ratio(1, 4)? { shop.sent.lot() } else { shop.lot };
            let filter = filter(from)?;
            let after = cursor(from, |from| {
                let lot = if from.ratio(1, 8)? { LotId::from_bytes(from.arbitrary()?) } else { lot };
                Ok(PassCursor { pass: lot.pass(serial(from)?), expiry: instant(from)? })
            })?;
            let list = |after, limit| shop.passes.passes(by, lot, filter.clone(), order, after, limit).wait();
            let key = |end: Option<Instant>, pass: PassId| match order {
                PassOrder::Serial => (Instant::MIN, pass),
                PassOrder::Expiry => (end.unwrap_or(Instant::MAX), pass),
            };
            let first = after.map(|c| key(c.expiry, c.pass));
            let foreign = after.is_some_and(|cursor| cursor.pass.lot() != lot);
            let found = walk(list, after, first, limit, |row| key(row.redeem_by, row.id));
            assert_eq!(found.is_err(), foreign, "{after:?}: {found:?}");
        }
        2 => {
            let after = cursor(from, |from| Ok(PlanId::from_bytes(from.arbitrary()?)))?;
            let list = |after, limit| shop.passes.plans(by, after, limit).wait();
            walk(list, after, after, limit, |plan| plan.id).unwrap();
        }
        3 => {
            let plan = from.arbitrary::<bool>()?.then_some(shop.plan);
            let after = cursor(from, |from| Ok(LotId::from_bytes(from.arbitrary()?)))?;
            let list = |after, limit| shop.passes.lots(by, plan, after, limit).wait();
            walk(list, after, after, limit, |lot| lot.id).unwrap();
        }
        4 => {
            let filter = OperationFilter {
                kind: from.choose(&[None, Some(Kind::Redeem), Some(Kind::Sell)]).copied()?,
                reason: from.arbitrary::<bool>()?.then(|| "sale".to_owned()),
                from: instant(from)?,
                ..OperationFilter::default()
            };
            let after = cursor(from, position)?;
            let list = |after: Option<Position>, limit| {
                shop.passes.operations(by, filter.clone(), after.unwrap_or_default(), limit).wait()
            };
            walk(list, after, after, limit, |operation| operation.position).unwrap();
        }
        5 => {
            let after = cursor(from, |from| {
                let credit = CreditId::from_bytes(from.arbitrary()?);
                Ok(LineCursor { entry: position(from)?.0, credit })
            })?;
            let list = |after, limit| shop.passes.statement(by, shop.ann, after, limit).wait();
            let key = |entry, credit| LineCursor { entry, credit };
            walk(list, after, after, limit, |line| key(line.booking.entry, line.credit)).unwrap();
        }
        6 => {
            let pass = shop.card(serial(from)?.clamp(1, 8));
            let before = cursor(from, |from| {
                let balance = if from.arbitrary()? { from.arbitrary()? } else { 2_500 };
                Ok(PassLineCursor { entry: position(from)?.0, balance })
            })?;
            let list = |before, limit| shop.passes.pass_statement(by, pass, before, limit).wait();
            let first = before.map(|cursor| Reverse(cursor.entry));
            let found = walk(list, before, first, limit, |line| Reverse(line.booking.entry));
            // A balance that was made up may lead beyond all numbers; nothing else can be wrong.
            if let Err(error) = found {
                assert!(before.is_some() && ["OVERFLOW", "BAD_AMOUNT"].contains(&error.code()), "{error}");
            }
        }
        _ => {
            let after = cursor(from, position)?.unwrap_or_default();
            let all = shop.passes.events(by, after, ALL).wait().unwrap();
            assert!(all.iter().all(|told| told.position > after));
            assert!(all.is_sorted_by(|a, b| (a.position, a.index) < (b.position, b.index)));
            let (mut after, mut rows) = (after, Vec::new());
            loop {
                let page = shop.passes.events(by, after, limit).wait().unwrap();
                let Some(last) = page.last() else { break };
                after = last.position;
                rows.extend(page);
            }
            assert_eq!(rows, all);
        }
    }
    Ok(())
}

/// No cursor, one that was made up, or one that is read from a text.
fn cursor<'a, C>(
    from: &mut Unstructured<'a>,
    make: impl FnOnce(&mut Unstructured<'a>) -> Result<C>,
) -> Result<Option<C>>
where
    C: Copy + PartialEq + Debug + Serialize + DeserializeOwned,
{
    let made = match from.int_in_range(0..=3)? {
        0 => return Ok(None),
        1 => serde_json::from_str::<C>(from.arbitrary::<&str>()?).ok(),
        2 => postcard::from_bytes::<C>(from.arbitrary::<&[u8]>()?).ok(),
        _ => Some(make(from)?),
    };
    if let Some(cursor) = made {
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<C>(&text).unwrap(), cursor);
        let bytes = postcard::to_extend(&cursor, Vec::new()).unwrap();
        assert_eq!(postcard::from_bytes::<C>(&bytes).unwrap(), cursor);
    }
    Ok(made)
}

/// Walks a list from a cursor to its end, twice: at once and page by page. How many rows there are.
fn walk<R, C, K>(
    list: impl Fn(Option<C>, u32) -> Result<Listed<R, C>, Error>,
    start: Option<C>,
    after: Option<K>,
    limit: u32,
    key: impl Fn(&R) -> K,
) -> Result<usize, Error>
where
    R: PartialEq + Debug,
    C: Copy + PartialEq + Debug,
    K: Copy + Ord + Debug,
{
    let all = list(start, ALL)?;
    assert_eq!(all.next, None);
    let keys: Vec<K> = all.rows.iter().map(&key).collect();
    assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    assert!(after.is_none_or(|after| keys.first().is_none_or(|first| *first > after)), "{after:?}: {keys:?}");
    let (mut next, mut rows) = (start, Vec::new());
    for _ in 0..all.rows.len() + 2 {
        let page = list(next, limit)?;
        assert!(page.rows.len() <= limit.max(1) as usize);
        rows.extend(page.rows);
        match page.next {
            Some(_) => next = page.next,
            None => {
                assert_eq!(rows, all.rows);
                return Ok(rows.len());
            }
        }
    }
    panic!("the list doesn't end after {start:?} by {limit}")
}

fn filter(from: &mut Unstructured<'_>) -> Result<PassFilter> {
    let mut filter = PassFilter::default();
    for state in State::ALL {
        if from.ratio(1, 8)? {
            filter.states.push(state);
        }
    }
    filter.used = *from.choose(&[None, None, Some(Used::No), Some(Used::Partly), Some(Used::Yes)])?;
    filter.expires_before = instant(from)?;
    Ok(filter)
}

fn serial(from: &mut Unstructured<'_>) -> Result<u32> {
    if from.ratio(1, 8)? { from.arbitrary() } else { from.int_in_range(0..=9) }
}

fn position(from: &mut Unstructured<'_>) -> Result<Position> {
    Ok(Position(if from.ratio(1, 8)? { from.arbitrary()? } else { from.int_in_range(0..=40)? }))
}

/// Among them the ones at which the passes of the shop expire.
fn instant(from: &mut Unstructured<'_>) -> Result<Option<Instant>> {
    let near = ["2029-04-30T23:00:00Z", "2029-05-01T23:00:00Z", "2026-05-01T12:00:00Z"];
    Ok(match from.int_in_range(0..=5)? {
        n @ 0..=2 => Some(Instant::parse(near[n]).unwrap()),
        3 => Instant::from_micros(from.arbitrary()?).ok(),
        _ => None,
    })
}

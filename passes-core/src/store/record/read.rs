//! Reading what a command names, and lists.

use super::key::{self, Kind};
use super::view::{OperationRow, View, doc_of, unpack};
use crate::calendar::Instant;
use crate::id::{BusinessId, LotId, PassId};
use crate::ledger::{StoredEntry, Subject};
use crate::pass::{CreditRow, PassRow};
use crate::store::{
    Doc, DocKey, DocKind, Load, Loaded, OperationKey, Page, PageQuery, PassOrder, PassRange, StoreError,
    StoredOperation,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// As a number of elements.
fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Reads all that a command names.
pub(super) fn load(view: &mut View<'_>, load: &Load) -> Result<Loaded, StoreError> {
    let b = load.business;
    let mut keys: Vec<Vec<u8>> = load.docs.iter().map(|doc| key::doc(b, *doc)).collect();
    keys.extend(load.code.iter().chain(&load.taken).map(|digest| key::code(b, digest)));
    keys.extend(load.passes.iter().map(|id| key::pass(b, *id)));
    keys.extend(load.credits.iter().map(|(contact, id)| key::credit(b, *contact, *id)));
    keys.extend(load.key.iter().map(|hash| key::bound(b, hash)));
    view.fetch(keys)?;

    let mut loaded = Loaded::default();
    let mut seen = BTreeSet::new();
    for doc in &load.docs {
        add_doc(view, b, *doc, &mut seen, &mut loaded.docs)?;
    }
    if let Some(digest) = &load.code
        && let Some(id) = view.code(b, digest)?
    {
        loaded.code = view.pass(b, id)?;
    }
    for digest in &load.taken {
        loaded.taken.push(view.code(b, digest)?.is_some());
    }
    loaded.passes = passes(view, load)?;
    loaded.credits = credits(view, load)?;
    for tally in &load.tallies {
        loaded.tallies.push(view.tally(b, tally)?.map(|(tally, _)| tally).unwrap_or_default());
    }
    if let Some(hash) = &load.key
        && let Some((number, stops)) = view.bound(b, hash)?
    {
        loaded.replay = view.stored(b, number)?;
        loaded.stopped = stops;
    }
    if let Some(operation) = load.operation {
        let number = match operation {
            OperationKey::Number(number) => Some(number),
            OperationKey::Key(hash) => view.bound(b, &hash)?.map(|(number, _)| number),
        };
        let row = number.map(|number| view.operation(b, number)).transpose()?.flatten();
        if let Some(row) = row {
            let entries = view.entries(b, &row)?;
            loaded.operation = Some((Arc::new(row.stored), entries));
        }
    }
    // With each pass its lot, the lot's terms, and their plan.
    let rows = loaded.code.iter().chain(&loaded.passes).map(|row| row.id);
    let lots: BTreeSet<LotId> =
        rows.chain(loaded.credits.iter().map(|credit| credit.pass)).map(PassId::lot).collect();
    view.fetch(lots.iter().map(|lot| key::doc(b, DocKey::new(DocKind::Lot, *lot))))?;
    for lot in lots {
        let mut next = Some(DocKey::new(DocKind::Lot, lot));
        for _ in 0..3 {
            let Some(doc) = next else { break };
            add_doc(view, b, doc, &mut seen, &mut loaded.docs)?;
            next = view.doc(b, doc)?.and_then(|doc| doc.parent);
        }
    }
    Ok(loaded)
}

/// Adds a document that is there, once.
fn add_doc(
    view: &mut View<'_>,
    b: BusinessId,
    doc: DocKey,
    seen: &mut BTreeSet<DocKey>,
    docs: &mut Vec<Doc>,
) -> Result<(), StoreError> {
    if seen.insert(doc) {
        docs.extend(view.doc(b, doc)?);
    }
    Ok(())
}

fn passes(view: &mut View<'_>, load: &Load) -> Result<Vec<PassRow>, StoreError> {
    let mut found = Vec::new();
    for id in &load.passes {
        found.extend(view.pass(load.business, *id)?);
    }
    if let Some(PassRange { first, last, limit }) = load.range {
        found.extend(range(view, load.business, first, last, count(limit))?);
    }
    found.sort_by_key(|row| row.id);
    found.dedup_by_key(|row| row.id);
    Ok(found)
}

/// The passes from one to another, both included.
fn range(
    view: &View<'_>,
    b: BusinessId,
    first: PassId,
    last: PassId,
    limit: usize,
) -> Result<Vec<PassRow>, StoreError> {
    let rows = view.scan(key::pass(b, first), &key::after(&key::pass(b, last)), limit)?;
    rows.iter().map(|row| unpack(&row.value)).collect()
}

fn credits(view: &mut View<'_>, load: &Load) -> Result<Vec<CreditRow>, StoreError> {
    let mut found = Vec::new();
    if let Some(contact) = load.wallet {
        let prefix = key::key(load.business, Kind::Credit, &[contact.as_bytes()]);
        for row in view.scan(prefix.clone(), &key::end(&prefix), usize::MAX)? {
            let row: CreditRow = unpack(&row.value)?;
            found.extend((row.amount.left() > 0).then_some(row));
        }
    }
    for (contact, id) in &load.credits {
        found.extend(view.credit(load.business, *contact, *id)?);
    }
    found.sort_by_key(|row| (row.contact, row.id));
    found.dedup_by_key(|row| (row.contact, row.id));
    Ok(found)
}

/// Operations above a number, in order.
pub(super) fn operations(
    view: &View<'_>,
    b: BusinessId,
    after: u64,
    limit: usize,
) -> Result<Vec<OperationRow>, StoreError> {
    let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
    let end = key::end(&key::key(b, Kind::Operation, &[]));
    let rows = view.scan(key::operation(b, first), &end, limit)?;
    rows.iter().map(|row| unpack(&row.value)).collect()
}

/// Likewise, without what is the store's own.
pub(super) fn events(
    view: &View<'_>,
    b: BusinessId,
    after: u64,
    limit: u32,
) -> Result<Vec<Arc<StoredOperation>>, StoreError> {
    let rows = operations(view, b, after, count(limit))?;
    Ok(rows.into_iter().map(|row| Arc::new(row.stored)).collect())
}

/// Reads a page of a list.
pub(super) fn page(view: &mut View<'_>, query: &PageQuery) -> Result<Page, StoreError> {
    let mut page = Page::default();
    match query {
        PageQuery::Docs { business, kind, parent, after, limit } => {
            page.docs = docs(view, *business, *kind, *parent, *after, count(*limit))?;
        }
        PageQuery::Passes { business, range: of, order: PassOrder::Serial, after } => {
            let from = after.map_or_else(
                || key::pass(*business, of.first),
                |(_, id)| key::after(&key::pass(*business, id)).max(key::pass(*business, of.first)),
            );
            let rows = view.scan(from, &key::after(&key::pass(*business, of.last)), count(of.limit))?;
            page.passes = rows.iter().map(|row| unpack(&row.value)).collect::<Result<_, _>>()?;
        }
        PageQuery::Passes { business, range: of, order: PassOrder::Expiry, after } => {
            page.passes = by_expiry(range(view, *business, of.first, of.last, usize::MAX)?, *of, *after);
        }
        PageQuery::Credits { business, contact, after, limit } => {
            let prefix = key::key(*business, Kind::Credit, &[contact.as_bytes()]);
            let from =
                after.map(|id| key::after(&key::key(*business, Kind::Credit, &[contact.as_bytes(), &id])));
            let rows = view.scan(from.unwrap_or(prefix.clone()), &key::end(&prefix), count(*limit))?;
            page.credits = rows.iter().map(|row| unpack(&row.value)).collect::<Result<_, _>>()?;
        }
        PageQuery::Operations { business, after, limit } => {
            page.operations = events(view, *business, *after, *limit)?;
        }
        PageQuery::History { business, subject, before, limit } => {
            page.entries = history(view, *business, *subject, *before, count(*limit))?;
        }
    }
    Ok(page)
}

fn docs(
    view: &mut View<'_>,
    b: BusinessId,
    kind: DocKind,
    parent: Option<DocKey>,
    after: Option<[u8; 16]>,
    limit: usize,
) -> Result<Vec<Doc>, StoreError> {
    let place = |id: &[u8]| match parent {
        None => key::key(b, Kind::Doc, &[&[kind as u8], id]),
        Some(parent) => key::key(b, Kind::Child, &[&[parent.kind as u8], &parent.id, &[kind as u8], id]),
    };
    let prefix = place(&[]);
    let from = after.map_or_else(|| prefix.clone(), |id| key::after(&place(&id)));
    let mut found = Vec::new();
    let rows = view.scan(from, &key::end(&prefix), limit)?;
    let ids = rows.iter().filter_map(|row| Some((row, *row.key.last_chunk::<16>()?)));
    if parent.is_none() {
        return ids.map(|(row, id)| doc_of(DocKey { kind, id }, &row.value)).collect();
    }
    let ids: Vec<[u8; 16]> = ids.map(|(_, id)| id).collect();
    view.fetch(ids.iter().map(|id| key::doc(b, DocKey { kind, id: *id })))?;
    for id in ids {
        found.extend(view.doc(b, DocKey { kind, id })?);
    }
    Ok(found)
}

/// The first of a range of passes, by the end of their validity.
fn by_expiry(rows: Vec<PassRow>, of: PassRange, after: Option<(Option<Instant>, PassId)>) -> Vec<PassRow> {
    // A pass that never expires comes last.
    let place = |expiry: Option<Instant>, id: PassId| (expiry.is_none(), expiry, id);
    let after = after.map(|(expiry, id)| place(expiry, id));
    let mut rows: Vec<_> = rows.into_iter().map(|row| (place(row.redeem_by, row.id), row)).collect();
    rows.retain(|(place, _)| after.is_none_or(|after| *place > after));
    rows.sort_unstable_by_key(|(place, _)| *place);
    rows.into_iter().take(count(of.limit)).map(|(_, row)| row).collect()
}

/// Follows the chain of a pass or a credit back from its last entry.
fn history(
    view: &mut View<'_>,
    b: BusinessId,
    subject: Subject,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<StoredEntry>, StoreError> {
    let last = match subject {
        Subject::Pass(pass) => view.pass(b, pass)?.map(|row| row.last),
        Subject::Credit(contact, id) => view.credit(b, contact, id)?.map(|row| row.last),
        // The accounts without subjects have no chains, and a range has as many as passes.
        Subject::None | Subject::Passes { .. } => None,
    };
    let mut found = Vec::new();
    let mut next = last.unwrap_or_default();
    while next > 0 && found.len() < limit {
        let Some(stored) = view.entry(b, next)? else { break };
        // A chain leads back, and so it ends.
        next = stored.previous(subject).filter(|previous| *previous < stored.number).unwrap_or_default();
        if before.is_none_or(|before| stored.number < before) {
            found.push(stored);
        }
    }
    Ok(found)
}

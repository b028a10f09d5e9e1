//! All that an audit reads, and what is wrong with the rows themselves.

use super::key::{self, Kind, parts};
use super::read::operations;
use super::view::{View, doc_key, doc_of, unpack};
use crate::id::{BusinessId, PassId};
use crate::ledger::StoredEntry;
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use crate::store::record::Row;
use crate::store::{AuditRow, Auditor, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The rows of a business, in the order that [`AuditRow`] gives.
pub(super) fn all(view: &View<'_>, b: BusinessId) -> Result<Vec<AuditRow>, StoreError> {
    let mut rows = Vec::new();
    let mut parents = BTreeSet::new();
    each(view, b, Kind::Doc, &mut rows, |row| {
        let (id, kind) = (*row.key.last_chunk::<16>()?, *row.key.get(18)?);
        let doc = doc_of(doc_key(kind, id).ok()?, &row.value).ok()?;
        parents.extend(doc.parent.map(|parent| key::child(b, parent, doc.key)));
        Some(AuditRow::Doc(doc))
    })?;
    let children = scan(view, b, Kind::Child)?;
    if children.iter().map(|row| &row.key).ne(&parents) {
        rows.push(AuditRow::Fault("the rows of documents by parent disagree with them".to_owned()));
    }
    each(view, b, Kind::Pass, &mut rows, |row| {
        let found: PassRow = unpack(&row.value).ok()?;
        (row.key == key::pass(b, found.id)).then(|| AuditRow::Pass(Box::new(found)))
    })?;
    rows.extend(ledger(view, b, 0)?);
    each(view, b, Kind::Credit, &mut rows, |row| {
        let found: CreditRow = unpack(&row.value).ok()?;
        let (contact, id) = (found.contact, found.id);
        (row.key == key::credit(b, contact, id)).then(|| AuditRow::Credit(Box::new(found)))
    })?;
    each(view, b, Kind::Tally, &mut rows, |row| {
        let (id, slot) = parts(&row.key)?;
        let tally: Tally = unpack(&row.value).ok()?;
        Some(AuditRow::Tally(id, u16::from_be_bytes(slot.try_into().ok()?), tally))
    })?;
    each(view, b, Kind::Code, &mut rows, |row| {
        let pass: PassId = unpack(&row.value).ok()?;
        Some(AuditRow::Code(Digest::from_bytes(row.key.get(18..)?.try_into().ok()?), pass))
    })?;
    each(view, b, Kind::Key, &mut rows, |row| {
        let (hash, _) = parts(&row.key)?;
        let (number, stops) = unpack(&row.value).ok()?;
        Some(AuditRow::Key(hash, number, stops))
    })?;
    Ok(rows)
}

/// The operations above a number, each with its entries behind it.
pub(super) fn ledger(view: &View<'_>, b: BusinessId, after: u64) -> Result<Vec<AuditRow>, StoreError> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let found = operations(view, b, after, usize::MAX)?;
    let first = if after == 0 { 0 } else { found.first().map_or(u64::MAX, |row| row.first_entry) };
    let end = key::end(&key::key(b, Kind::Entry, &[]));
    let entries = view.scan(key::entry(b, first), &end, usize::MAX)?;
    let mut entries = entries.iter().filter_map(|row| entry(row, &mut faults)).peekable();
    for row in found {
        let number = row.stored.number;
        if number > view.head.operation {
            rows.push(AuditRow::Fault(format!("operation {number} was never counted")));
        }
        let (keyed, stored) = (row.stored.operation.key.is_some(), Arc::new(row.stored));
        rows.push(AuditRow::Operation { stored, keyed, entries: row.entries });
        while let Some(entry) = entries.next_if(|entry| entry.operation <= number) {
            rows.push(AuditRow::Entry(entry));
        }
    }
    rows.extend(entries.map(AuditRow::Entry));
    rows.extend(faults.into_iter().map(AuditRow::Fault));
    Ok(rows)
}

fn entry(row: &Row, faults: &mut Vec<String>) -> Option<StoredEntry> {
    let found = unpack(&row.value).ok();
    if found.is_none() {
        faults.push(fault(row));
    }
    found
}

fn scan(view: &View<'_>, b: BusinessId, kind: Kind) -> Result<Vec<Row>, StoreError> {
    let prefix = key::key(b, kind, &[]);
    view.scan(prefix.clone(), &key::end(&prefix), usize::MAX)
}

/// Each row of a kind as an audit tells it; one that makes no sense is a fault.
fn each(
    view: &View<'_>,
    b: BusinessId,
    kind: Kind,
    rows: &mut Vec<AuditRow>,
    mut read: impl FnMut(&Row) -> Option<AuditRow>,
) -> Result<(), StoreError> {
    rows.extend(
        scan(view, b, kind)?.iter().map(|row| read(row).unwrap_or_else(|| AuditRow::Fault(fault(row)))),
    );
    Ok(())
}

fn fault(row: &Row) -> String {
    use std::fmt::Write;
    let mut text = String::from("no sense can be made of the row ");
    // A key names nothing secret: ids, and digests that only keys lead to.
    row.key.iter().for_each(|byte| _ = write!(text, "{byte:02x}"));
    text
}

/// Tells rows to who asked for them.
pub(super) fn tell(rows: Vec<AuditRow>, mut to: Auditor) {
    rows.into_iter().for_each(&mut to);
}

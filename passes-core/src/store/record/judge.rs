//! Whether a change may land, and what its tallies come to. Whoever calls takes back what was put, should it not.

use super::key;
use super::view::View;
use crate::ledger::{Entry, Subject, overlap};
use crate::pass::{CreditRow, PassRow, Tally};
use crate::store::memory::judge::{broken, kept, must, repeats, twice};
use crate::store::{Change, Claim, Doc, Expect, Put, Record, StoreError, TallyKey};

/// The keys of all that a change's guards look at.
pub(super) fn looked_at(change: &Change, codes: &[Claim]) -> Vec<Vec<u8>> {
    let b = change.business;
    let docs = change.expect.iter().map(|(doc, _)| doc).chain(change.seen.iter().map(|(doc, _)| doc));
    let mut keys: Vec<Vec<u8>> = docs.map(|doc| key::doc(b, *doc)).collect();
    keys.extend(change.put.iter().map(|put| match &put.record {
        Record::Doc(doc) => key::doc(b, doc.key),
        Record::Pass(row) => key::pass(b, row.id),
        Record::Credit(row) => key::credit(b, row.contact, row.id),
    }));
    keys.extend(change.claim.iter().chain(codes).map(|claim| key::code(b, &claim.digest)));
    keys.extend(change.tally.iter().map(|add| match add.key {
        TallyKey::Uses(id) | TallyKey::Balance(id) | TallyKey::Granted(id) => key::pass(b, id),
        TallyKey::Credit(contact, id) => key::credit(b, contact, id),
        TallyKey::Named(id, slot) => key::tally(b, id, slot),
    }));
    if let Some(operation) = &change.operation {
        let hashes = operation.key.iter().map(|(hash, _)| hash).chain(&operation.stops);
        keys.extend(hashes.map(|hash| key::bound(b, hash)));
    }
    for subject in change.entries.iter().flat_map(|entry| [entry.from.1, entry.to.1]) {
        match subject {
            Subject::None => {}
            Subject::Pass(_) | Subject::Passes { .. } => {
                if let Some((first, last)) = subject.span() {
                    let passes = (first.serial()..=last.serial()).map(|serial| first.lot().pass(serial));
                    keys.extend(passes.map(|id| key::pass(b, id)));
                }
            }
            Subject::Credit(contact, id) => keys.push(key::credit(b, contact, id)),
        }
    }
    keys
}

/// Judges what a change expects, before anything of it is put.
pub(super) fn expectations(view: &mut View<'_>, change: &Change) -> Result<(), StoreError> {
    let b = change.business;
    let record = |put: &Put| match &put.record {
        Record::Doc(doc) => key::doc(b, doc.key),
        Record::Pass(row) => key::pass(b, row.id),
        Record::Credit(row) => key::credit(b, row.contact, row.id),
    };
    if repeats(change.put.iter().map(record).collect()) {
        return Err(twice("a record"));
    }
    match &change.operation {
        None => {
            (change.entries.is_empty()).then_some(()).ok_or_else(|| broken("entries without an operation"))?
        }
        Some(operation) => {
            let hash = operation.key.map(|(hash, _)| hash);
            if hash.is_some() && hash == operation.stops {
                return Err(twice("an idempotency key"));
            }
            for hash in hash.iter().chain(&operation.stops) {
                must(view.bound(b, hash)?.is_none())?;
            }
        }
    }
    for (doc, expect) in &change.expect {
        must(expect.is_met_by(view.doc(b, *doc)?.map(|doc| doc.version)))?;
    }
    for (doc, version) in &change.seen {
        must(view.doc(b, *doc)?.is_some_and(|doc| doc.version == *version))?;
    }
    // An addition rests on a row as it was before the puts.
    for add in change.tally.iter().filter(|add| add.version.is_some()) {
        must(add.rests_on(view.tally(b, &add.key)?.and_then(|(_, version)| version)))?;
    }
    Ok(())
}

/// Judges a record and puts it.
pub(super) fn put(view: &mut View<'_>, change: &Change, put: &Put) -> Result<(), StoreError> {
    let (b, version) = (change.business, put.expect.next_version());
    let met = |expect: Expect, stored: Option<u32>| must(expect.is_met_by(stored));
    match &put.record {
        Record::Doc(new) => {
            let stored = view.doc(b, new.key)?;
            met(put.expect, stored.as_ref().map(|doc| doc.version))?;
            if stored.is_some_and(|doc| doc.parent != new.parent) {
                return Err(broken("the parent of a document never changes"));
            }
            view.put_doc(b, &Doc { version, ..new.clone() })
        }
        Record::Pass(new) => {
            let stored = view.pass(b, new.id)?;
            met(put.expect, stored.as_ref().map(|row| row.version))?;
            let of = |tally: fn(&PassRow) -> Tally| kept(stored.as_ref().map(tally), tally(new));
            let (uses, balance, granted) = (of(|row| row.uses), of(|row| row.balance), of(|row| row.granted));
            must(uses.holds() && balance.holds() && granted.holds())?;
            let last = stored.as_ref().map_or(0, |row| row.last);
            view.put(
                key::pass(b, new.id),
                &PassRow { version, uses, balance, granted, last, ..(**new).clone() },
            )
        }
        Record::Credit(new) => {
            let stored = view.credit(b, new.contact, new.id)?;
            met(put.expect, stored.as_ref().map(|row| row.version))?;
            let amount = kept(stored.as_ref().map(|row| row.amount), new.amount);
            must(amount.holds())?;
            let last = stored.as_ref().map_or(0, |row| row.last);
            let row = CreditRow { version, amount, last, ..(**new).clone() };
            view.put(key::credit(b, new.contact, new.id), &row)
        }
    }
}

/// Judges codes that are claimed, and claims them. Those of a chunk are told by their places.
pub(super) fn claim(view: &mut View<'_>, change: &Change, codes: &[Claim]) -> Result<(), StoreError> {
    let b = change.business;
    for claim in &change.claim {
        must(view.code(b, &claim.digest)?.is_none())?;
    }
    if repeats(change.claim.iter().map(|claim| claim.digest).collect()) {
        return Err(twice("a code"));
    }
    for claim in &change.claim {
        view.put(key::code(b, &claim.digest), &claim.pass)?;
    }
    let mut taken = Vec::new();
    for (at, claim) in codes.iter().enumerate() {
        if view.code(b, &claim.digest)?.is_some() {
            taken.push(at);
        } else {
            view.put(key::code(b, &claim.digest), &claim.pass)?;
        }
    }
    if taken.is_empty() { Ok(()) } else { Err(StoreError::Taken(taken)) }
}

/// Each subject must be there, and one entry can only continue one chain: the passes of a range must have the same
/// last entry.
pub(super) fn entries(view: &mut View<'_>, change: &Change) -> Result<(), StoreError> {
    let b = change.business;
    for subject in change.entries.iter().flat_map(|entry: &Entry| [entry.from.1, entry.to.1]) {
        match subject {
            Subject::None => {}
            Subject::Pass(_) | Subject::Passes { .. } => {
                let (first, last) =
                    subject.span().ok_or_else(|| broken("an entry's range of passes is none"))?;
                let mut chain = None;
                for serial in first.serial()..=last.serial() {
                    let row = view.pass(b, first.lot().pass(serial))?;
                    let row = row.ok_or_else(|| broken("an entry names a pass that is not there"))?;
                    must(*chain.get_or_insert(row.last) == row.last)?;
                }
            }
            Subject::Credit(contact, id) => {
                let found = view.credit(b, contact, id)?.is_some();
                found.then_some(()).ok_or_else(|| broken("an entry names a credit that is not there"))?;
            }
        }
    }
    if overlap(&change.entries) {
        return Err(broken("the entries of a change name ranges of passes that overlap"));
    }
    Ok(())
}

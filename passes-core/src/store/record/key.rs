//! Where rows stand. Keys sort as what they name: numbers are big-endian, and what is listed together is together.

use crate::id::{BusinessId, ContactId, CreditId, PassId};
use crate::passcode::Digest;
use crate::store::{DocKey, KeyHash};

/// The row that counts the writes of the store.
pub(super) const HEAD: &[u8] = &[0];

/// The kinds of rows of a business, in the order in which an audit reads them.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Kind {
    /// A document.
    Doc = 1,
    /// A document under the one it hangs on; the row is empty.
    Child = 2,
    /// A pass.
    Pass = 3,
    /// An operation.
    Operation = 4,
    /// A ledger entry.
    Entry = 5,
    /// A credit.
    Credit = 6,
    /// A named tally.
    Tally = 7,
    /// A code.
    Code = 8,
    /// An idempotency key.
    Key = 9,
}

/// The key of a row of a business.
pub(super) fn key(business: BusinessId, kind: Kind, rest: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(64);
    key.push(1);
    key.extend_from_slice(business.as_bytes());
    key.push(kind as u8);
    rest.iter().for_each(|part| key.extend_from_slice(part));
    key
}

pub(super) fn doc(business: BusinessId, doc: DocKey) -> Vec<u8> {
    key(business, Kind::Doc, &[&[doc.kind as u8], &doc.id])
}

pub(super) fn child(business: BusinessId, parent: DocKey, doc: DocKey) -> Vec<u8> {
    key(business, Kind::Child, &[&[parent.kind as u8], &parent.id, &[doc.kind as u8], &doc.id])
}

pub(super) fn pass(business: BusinessId, pass: PassId) -> Vec<u8> {
    key(business, Kind::Pass, &[pass.as_bytes()])
}

pub(super) fn credit(business: BusinessId, contact: ContactId, id: CreditId) -> Vec<u8> {
    key(business, Kind::Credit, &[contact.as_bytes(), id.as_bytes()])
}

pub(super) fn operation(business: BusinessId, number: u64) -> Vec<u8> {
    key(business, Kind::Operation, &[&number.to_be_bytes()])
}

pub(super) fn entry(business: BusinessId, number: u64) -> Vec<u8> {
    key(business, Kind::Entry, &[&number.to_be_bytes()])
}

pub(super) fn tally(business: BusinessId, id: [u8; 16], slot: u16) -> Vec<u8> {
    key(business, Kind::Tally, &[&id, &slot.to_be_bytes()])
}

pub(super) fn code(business: BusinessId, digest: &Digest) -> Vec<u8> {
    key(business, Kind::Code, &[digest.as_bytes()])
}

pub(super) fn bound(business: BusinessId, hash: &KeyHash) -> Vec<u8> {
    key(business, Kind::Key, &[hash])
}

/// All keys that begin with this one: from it, up to what is returned.
pub(super) fn end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    vec![u8::MAX; 65]
}

/// The key right behind this one.
pub(super) fn after(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}

/// What stands behind the kind in the key of a row, in parts of an id's length and the rest.
pub(super) fn parts(key: &[u8]) -> Option<([u8; 16], &[u8])> {
    let (first, rest) = key.get(18..)?.split_first_chunk()?;
    Some((*first, rest))
}

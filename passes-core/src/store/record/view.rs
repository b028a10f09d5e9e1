//! The rows as a command sees them: what the store has, and above it what the commands before it in the same set
//! have written.

use super::key::{self, HEAD};
use super::{Expected, FORMAT, RecordStore, Row, SCAN, WriteSet};
use crate::id::{BusinessId, ContactId, CreditId, PassId};
use crate::ledger::StoredEntry;
use crate::pass::{CreditRow, PassRow, Tally};
use crate::passcode::Digest;
use crate::store::{Doc, DocKey, DocKind, KeyHash, StoreError, StoredOperation, TallyKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What counts the writes, and with them the numbers that were given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) format: u32,
    pub(super) writes: u64,
    pub(super) operation: u64,
    pub(super) entry: u64,
}

/// An operation as it is kept: its entries follow each other.
#[derive(Serialize, Deserialize)]
pub(super) struct OperationRow {
    pub(super) stored: StoredOperation,
    pub(super) first_entry: u64,
    pub(super) entries: u64,
}

/// A document as it is kept: the version, the kind and the id of the one it hangs on, the body.
type DocRow = (u32, Option<(u8, [u8; 16])>, Vec<u8>);

pub(super) struct View<'a> {
    rows: &'a dyn RecordStore,
    /// The head as it was read.
    was: Option<Vec<u8>>,
    pub(super) head: Head,
    read: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    written: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What stood where something was put since the last mark.
    undo: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// A point to which a view can be taken back.
pub(super) struct Mark(Head);

fn corrupt(what: &dyn ToString) -> StoreError {
    StoreError::Corrupt(format!("a row: {}", what.to_string()))
}

pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(corrupt(&"more than it should have")),
        Err(error) => Err(corrupt(&error)),
    }
}

fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_allocvec(value).map_err(|error| StoreError::Backend(error.to_string()))
}

/// A store must answer each key.
fn answered(rows: &dyn RecordStore, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let wanted = keys.len();
    let found = rows.get(keys)?;
    let wrong = || StoreError::Backend(format!("of {wanted} rows asked for, {} were answered", found.len()));
    if found.len() == wanted { Ok(found) } else { Err(wrong()) }
}

impl<'a> View<'a> {
    /// As the store is now.
    pub(super) fn new(rows: &'a dyn RecordStore) -> Result<Self, StoreError> {
        let was = answered(rows, vec![HEAD.to_vec()])?.pop().flatten();
        let head = match &was {
            None => Head { format: FORMAT, ..Head::default() },
            Some(bytes) => {
                // The format comes first, so that any later one can be told.
                let (found, _) = postcard::take_from_bytes::<u32>(bytes).map_err(|error| corrupt(&error))?;
                if found != FORMAT {
                    return Err(StoreError::Unsupported { found, known: FORMAT });
                }
                unpack(bytes)?
            }
        };
        Ok(Self { rows, was, head, read: BTreeMap::new(), written: BTreeMap::new(), undo: Vec::new() })
    }

    /// Whether nothing was written since this view was made, so that all it read was there at one moment.
    pub(super) fn still_holds(&self) -> Result<bool, StoreError> {
        Ok(answered(self.rows, vec![HEAD.to_vec()])?.pop().flatten() == self.was)
    }

    /// Writes what was put; true if it landed, or there was nothing.
    pub(super) fn land(mut self) -> Result<bool, StoreError> {
        if self.written.is_empty() {
            return self.still_holds();
        }
        self.head.writes += 1;
        let head = pack(&self.head)?;
        self.written.insert(HEAD.to_vec(), head);
        let put = self.written.into_iter().map(|(key, value)| Row { key, value }).collect();
        let expect = vec![Expected { key: HEAD.to_vec(), value: self.was }];
        self.rows.commit(WriteSet { expect, put })
    }

    /// From here on what is put can be taken back.
    pub(super) fn mark(&mut self) -> Mark {
        self.undo.clear();
        Mark(self.head)
    }

    /// Takes back all that was put since the mark.
    pub(super) fn take_back(&mut self, Mark(head): Mark) {
        self.head = head;
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(value) => self.written.insert(key, value),
                None => self.written.remove(&key),
            };
        }
    }

    /// Reads several rows at once; what is asked for later is then at hand.
    pub(super) fn fetch(&mut self, keys: impl IntoIterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        let mut keys: Vec<Vec<u8>> = keys
            .into_iter()
            .filter(|k| !self.read.contains_key(k) && !self.written.contains_key(k))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(());
        }
        let found = answered(self.rows, keys.clone())?;
        self.read.extend(keys.into_iter().zip(found));
        Ok(())
    }

    pub(super) fn get(&mut self, key: &[u8]) -> Result<Option<&[u8]>, StoreError> {
        if !self.written.contains_key(key) {
            self.fetch([key.to_vec()])?;
        }
        let read = || self.read.get(key).and_then(Option::as_deref);
        Ok(self.written.get(key).map(Vec::as_slice).or_else(read))
    }

    /// The rows from a key on, before another: of the store, and of what was written above it.
    pub(super) fn scan(&self, from: Vec<u8>, to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let mut found: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut next = from.clone();
        let page = usize::try_from(SCAN).unwrap_or(usize::MAX);
        while found.len() < limit && next.as_slice() < to {
            let wanted = page.min(limit - found.len());
            let rows = self.rows.scan(next, to.to_vec(), u32::try_from(wanted).unwrap_or(SCAN))?;
            let Some(last) = rows.last() else { break };
            next = key::after(&last.key);
            let is_last = rows.len() < wanted;
            found.extend(rows.into_iter().map(|row| (row.key, row.value)));
            if is_last {
                break;
            }
        }
        if from.as_slice() < to {
            found.extend(self.written.range(from..to.to_vec()).map(|(k, v)| (k.clone(), v.clone())));
        }
        Ok(found.into_iter().take(limit).map(|(key, value)| Row { key, value }).collect())
    }

    fn typed<T: DeserializeOwned>(&mut self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get(key)?.map(unpack).transpose()
    }

    pub(super) fn put<T: Serialize>(&mut self, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
        let bytes = pack(value)?;
        let before = self.written.insert(key.clone(), bytes);
        self.undo.push((key, before));
        Ok(())
    }

    pub(super) fn doc(&mut self, business: BusinessId, doc: DocKey) -> Result<Option<Doc>, StoreError> {
        self.get(&key::doc(business, doc))?.map(|bytes| doc_of(doc, bytes)).transpose()
    }

    pub(super) fn put_doc(&mut self, business: BusinessId, doc: &Doc) -> Result<(), StoreError> {
        let parent = doc.parent.map(|parent| (parent.kind as u8, parent.id));
        if let Some(parent) = doc.parent {
            self.put(key::child(business, parent, doc.key), &())?;
        }
        let row: DocRow = (doc.version, parent, doc.body.to_vec());
        self.put(key::doc(business, doc.key), &row)
    }

    pub(super) fn pass(&mut self, business: BusinessId, id: PassId) -> Result<Option<PassRow>, StoreError> {
        self.typed(&key::pass(business, id))
    }

    pub(super) fn credit(
        &mut self,
        business: BusinessId,
        contact: ContactId,
        id: CreditId,
    ) -> Result<Option<CreditRow>, StoreError> {
        self.typed(&key::credit(business, contact, id))
    }

    pub(super) fn code(
        &mut self,
        business: BusinessId,
        digest: &Digest,
    ) -> Result<Option<PassId>, StoreError> {
        self.typed(&key::code(business, digest))
    }

    /// The operation that an idempotency key is bound to, and whether it stops requests of this key.
    pub(super) fn bound(
        &mut self,
        business: BusinessId,
        hash: &KeyHash,
    ) -> Result<Option<(u64, bool)>, StoreError> {
        self.typed(&key::bound(business, hash))
    }

    pub(super) fn operation(
        &mut self,
        business: BusinessId,
        number: u64,
    ) -> Result<Option<OperationRow>, StoreError> {
        self.typed(&key::operation(business, number))
    }

    pub(super) fn entry(
        &mut self,
        business: BusinessId,
        number: u64,
    ) -> Result<Option<StoredEntry>, StoreError> {
        self.typed(&key::entry(business, number))
    }

    /// A tally, and the version of the row that it stands on.
    pub(super) fn tally(
        &mut self,
        business: BusinessId,
        tally: &TallyKey,
    ) -> Result<Option<(Tally, Option<u32>)>, StoreError> {
        Ok(match *tally {
            TallyKey::Uses(id) => self.pass(business, id)?.map(|row| (row.uses, Some(row.version))),
            TallyKey::Balance(id) => self.pass(business, id)?.map(|row| (row.balance, Some(row.version))),
            TallyKey::Granted(id) => self.pass(business, id)?.map(|row| (row.granted, Some(row.version))),
            TallyKey::Credit(contact, id) => {
                self.credit(business, contact, id)?.map(|row| (row.amount, Some(row.version)))
            }
            TallyKey::Named(id, slot) => {
                self.typed(&key::tally(business, id, slot))?.map(|tally: Tally| (tally, None))
            }
        })
    }

    /// The entries of an operation.
    pub(super) fn entries(
        &self,
        business: BusinessId,
        operation: &OperationRow,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let (first, count) = (operation.first_entry, operation.entries);
        let (from, to) = (key::entry(business, first), key::entry(business, first.saturating_add(count)));
        let rows = self.scan(from, &to, usize::try_from(count).unwrap_or(usize::MAX))?;
        rows.iter().map(|row| unpack(&row.value)).collect()
    }

    pub(super) fn stored(
        &mut self,
        business: BusinessId,
        number: u64,
    ) -> Result<Option<Arc<StoredOperation>>, StoreError> {
        Ok(self.operation(business, number)?.map(|row| Arc::new(row.stored)))
    }
}

/// A document from its row.
pub(super) fn doc_of(key: DocKey, bytes: &[u8]) -> Result<Doc, StoreError> {
    let (version, parent, body): DocRow = unpack(bytes)?;
    let parent = parent.map(|(kind, id)| doc_key(kind, id)).transpose()?;
    Ok(Doc { key, version, parent, body: body.into() })
}

/// A document's key from its parts.
pub(super) fn doc_key(kind: u8, id: [u8; 16]) -> Result<DocKey, StoreError> {
    let kind = DocKind::from_number(kind).ok_or_else(|| corrupt(&format!("documents of kind {kind}")))?;
    Ok(DocKey { kind, id })
}

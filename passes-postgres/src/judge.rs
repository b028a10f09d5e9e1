//! What can be judged of a change without looking at what is stored, and what it touches.

use crate::errors::broken;
use passes_core::id::{ContactId, CreditId, PassId};
use passes_core::ledger::Subject;
use passes_core::store::{
    Change, DocKey, Expect, KeyHash, Load, Loaded, OperationKey, Record, StoreError, TallyKey,
};
use std::collections::HashSet;

pub(crate) fn must(holds: bool) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::Conflict) }
}

pub(crate) fn twice(what: &str) -> StoreError {
    StoreError::Backend(format!("a change names {what} twice"))
}

/// Whether two elements have the same key. Lists that are sorted by it, as they should be, cost nothing.
fn repeats<T, K: Ord>(list: &[T], key: impl Fn(&T) -> K) -> bool {
    if list.is_sorted_by(|a, b| key(a) < key(b)) {
        return false;
    }
    let mut keys: Vec<K> = list.iter().map(key).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// A subject whose entries form a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chain {
    Pass(PassId),
    Range(PassId, PassId),
    Credit(ContactId, CreditId),
}

/// Refuses what is no change at all.
pub(crate) fn check(change: &Change) -> Result<(), StoreError> {
    let key = change.operation.as_ref().and_then(|operation| operation.key).map(|(key, _)| key);
    if change.operation.is_none() && !change.entries.is_empty() {
        return Err(broken("entries without an operation"));
    }
    if key.is_some() && key == change.operation.as_ref().and_then(|operation| operation.stops) {
        return Err(twice("an idempotency key"));
    }
    if repeats(&change.claim, |claim| claim.digest) {
        return Err(twice("a code"));
    }
    if repeats(&change.tally, |add| add.key) {
        return Err(twice("a tally"));
    }
    let docs: Vec<DocKey> = change
        .put
        .iter()
        .filter_map(|put| match &put.record {
            Record::Doc(doc) => Some(doc.key),
            _ => None,
        })
        .collect();
    if repeats(&docs, |key| *key) {
        return Err(twice("a document"));
    }
    // A document that is both relied on and written is judged by what is written.
    let relied = |key: &DocKey| docs.contains(key);
    let seen = change.seen.iter().map(|(key, version)| (*key, Expect::Version(*version)));
    for (key, expect) in change.expect.iter().copied().chain(seen).filter(|(key, _)| relied(key)) {
        let put = change.put.iter().find(|put| matches!(&put.record, Record::Doc(doc) if doc.key == key));
        must(put.is_some_and(|put| put.expect == expect))?;
    }
    Ok(())
}

/// The chain of a subject. A range of one pass is that pass.
pub(crate) fn chain(subject: &Subject) -> Result<Option<Chain>, StoreError> {
    Ok(match *subject {
        Subject::None => None,
        Subject::Pass(_) | Subject::Passes { .. } => {
            let none = || broken("an entry's range of passes is none");
            let (first, last) = subject.span().ok_or_else(none)?;
            Some(if first == last { Chain::Pass(first) } else { Chain::Range(first, last) })
        }
        Subject::Credit(contact, id) => Some(Chain::Credit(contact, id)),
    })
}

/// Something that a command reads or a change writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Touched {
    Doc(DocKey),
    Pass(PassId),
    Credit(ContactId, CreditId),
    /// The set of a contact's credits.
    Wallet(ContactId),
    Named([u8; 16], u16),
    Code([u8; 32]),
    Key(KeyHash),
}

/// What changes that go together have touched.
#[derive(Debug, Default)]
pub(crate) struct Together {
    read: HashSet<Touched>,
    written: HashSet<Touched>,
}

impl Together {
    /// Whether none of this was written by one of them.
    pub(crate) fn knows_nothing_of(&self, reads: &[Touched]) -> bool {
        !reads.iter().any(|key| self.written.contains(key))
    }

    /// Takes one more change, if it touches nothing that matters to another. One that is long, or about ranges of passes,
    /// goes alone.
    pub(crate) fn take(&mut self, change: &Change) -> bool {
        let Some(writes) = writes(change) else { return false };
        let relied = change.expect.iter().map(|(key, _)| key).chain(change.seen.iter().map(|(key, _)| key));
        let reads: Vec<Touched> = relied.map(|key| Touched::Doc(*key)).collect();
        let free = |key: &Touched| {
            // Two that write into one wallet don't mind each other.
            matches!(key, Touched::Wallet(_)) || !self.written.contains(key) && !self.read.contains(key)
        };
        if !writes.iter().all(free) || !self.knows_nothing_of(&reads) {
            return false;
        }
        self.read.extend(reads);
        self.written.extend(writes);
        true
    }
}

/// So much a change may write that shares a statement.
const LONG: usize = 64;

fn writes(change: &Change) -> Option<Vec<Touched>> {
    let rows = change.put.len() + change.tally.len() + change.entries.len() + change.claim.len();
    if rows > LONG {
        return None;
    }
    let mut all = Vec::with_capacity(rows);
    for put in &change.put {
        match &put.record {
            Record::Doc(doc) => all.push(Touched::Doc(doc.key)),
            Record::Pass(row) => all.push(Touched::Pass(row.id)),
            Record::Credit(row) => all.push(Touched::Credit(row.contact, row.id)),
        }
    }
    all.extend(change.tally.iter().map(|add| tally(&add.key)));
    all.extend(change.claim.iter().map(|claim| Touched::Code(*claim.digest.as_bytes())));
    for subject in change.entries.iter().flat_map(|entry| [entry.from.1, entry.to.1]) {
        match subject {
            Subject::None => {}
            Subject::Pass(id) => all.push(Touched::Pass(id)),
            Subject::Passes { .. } => return None,
            Subject::Credit(contact, id) => all.push(Touched::Credit(contact, id)),
        }
    }
    // Whoever loads a wallet reads all its credits.
    let wallets: Vec<Touched> = all
        .iter()
        .filter_map(|key| {
            if let Touched::Credit(contact, _) = key { Some(Touched::Wallet(*contact)) } else { None }
        })
        .collect();
    all.extend(wallets);
    if let Some(operation) = &change.operation {
        all.extend(operation.key.map(|(key, _)| Touched::Key(key)));
        all.extend(operation.stops.map(Touched::Key));
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

fn tally(key: &TallyKey) -> Touched {
    match *key {
        TallyKey::Uses(id) | TallyKey::Balance(id) | TallyKey::Granted(id) => Touched::Pass(id),
        TallyKey::Credit(contact, id) => Touched::Credit(contact, id),
        TallyKey::Named(id, slot) => Touched::Named(id, slot),
    }
}

/// What a command asked for, found or not; nothing for one that asks for what can't be named, such as a range.
pub(crate) fn reads(load: &Load, loaded: &Loaded) -> Option<Vec<Touched>> {
    let Load { business: _, docs, code, taken, passes, range, wallet, credits, tallies, key, operation } =
        load;
    if range.is_some() {
        return None;
    }
    let mut all: Vec<Touched> = docs.iter().map(|key| Touched::Doc(*key)).collect();
    all.extend(loaded.all_docs().map(|doc| Touched::Doc(doc.key)));
    all.extend(code.iter().chain(taken).map(|digest| Touched::Code(*digest.as_bytes())));
    let found = loaded.code.iter().chain(&loaded.passes).map(|row| row.id);
    all.extend(found.chain(passes.iter().copied()).map(Touched::Pass));
    all.extend(wallet.map(Touched::Wallet));
    let found = loaded.credits.iter().map(|row| (row.contact, row.id));
    all.extend(found.chain(credits.iter().copied()).map(|(contact, id)| Touched::Credit(contact, id)));
    all.extend(tallies.iter().map(tally));
    all.extend(key.map(Touched::Key));
    match operation {
        Some(OperationKey::Key(key)) => all.push(Touched::Key(*key)),
        // Its number was given before this began.
        Some(OperationKey::Number(_)) | None => {}
    }
    Some(all)
}

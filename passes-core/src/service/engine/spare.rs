//! What a command that was written leaves to the next one of its thread: a redemption needs half a dozen short lists, and
//! asking for memory for them costs as much as its rules.

use crate::event::Event;
use crate::id::BusinessId;
use crate::store::{Change, DocKey};
use std::cell::Cell;
use std::mem::take;
use std::thread::LocalKey;

thread_local! {
    static CHANGE: Cell<Option<Box<Change>>> = const { Cell::new(None) };
    static BYTES: Cell<(Vec<u8>, Vec<u8>)> = const { Cell::new((Vec::new(), Vec::new())) };
    static EVENTS: Cell<Vec<Event>> = const { Cell::new(Vec::new()) };
    static DOCS: Cell<Vec<DocKey>> = const { Cell::new(Vec::new()) };
}

/// How many elements, or bytes, a list may have room for that is kept: what a large command leaves isn't hoarded.
const FEW: usize = 16;
const FEW_BYTES: usize = 512;

/// A change that does nothing yet.
pub(super) fn change(business: BusinessId) -> Box<Change> {
    let kept = CHANGE.try_with(Cell::take).ok().flatten();
    match kept {
        Some(mut change) => {
            change.business = business;
            change
        }
        None => Box::new(Change::new(business)),
    }
}

/// Two empty lists of bytes: for a receipt, and for events.
pub(super) fn bytes() -> (Vec<u8>, Vec<u8>) {
    BYTES.try_with(Cell::take).unwrap_or_default()
}

/// An empty list of events.
pub(super) fn events() -> Vec<Event> {
    EVENTS.try_with(Cell::take).unwrap_or_default()
}

/// Keeps a list of events, without what is in it.
pub(super) fn keep_events(events: Vec<Event>) {
    keep_in(&EVENTS, events);
}

/// An empty list of documents.
pub(super) fn docs() -> Vec<DocKey> {
    DOCS.try_with(Cell::take).unwrap_or_default()
}

/// Keeps a list of documents, without what is in it.
pub(super) fn keep_docs(docs: Vec<DocKey>) {
    keep_in(&DOCS, docs);
}

fn keep_in<T>(place: &'static LocalKey<Cell<Vec<T>>>, mut list: Vec<T>) {
    if list.capacity() <= FEW {
        list.clear();
        // A thread that ends keeps nothing.
        let _ = place.try_with(|kept| kept.set(list));
    }
}

/// Keeps the lists of a change, without what is in them.
pub(super) fn keep(mut change: Box<Change>) {
    let Change { business: _, operation, expect, seen, put, tally, claim, entries } = &mut *change;
    let rooms = [
        expect.capacity(),
        seen.capacity(),
        put.capacity(),
        tally.capacity(),
        claim.capacity(),
        entries.capacity(),
    ];
    if let Some(operation) = operation {
        let (mut receipt, mut events) = (take(&mut operation.receipt), take(&mut operation.events));
        if receipt.capacity().max(events.capacity()) <= FEW_BYTES {
            receipt.clear();
            events.clear();
            let _ = BYTES.try_with(|kept| kept.set((receipt, events)));
        }
    }
    if rooms.iter().all(|room| *room <= FEW) {
        *operation = None;
        expect.clear();
        seen.clear();
        put.clear();
        tally.clear();
        claim.clear();
        entries.clear();
        let _ = CHANGE.try_with(|kept| kept.set(Some(change)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::id::{Id, OperationId};
    use crate::operation::Kind;
    use crate::pass::Tally;
    use crate::store::{Add, DocKind, Operation, TallyKey};

    /// D-1: what is used again says nothing of what it was used for, and what is large isn't kept.
    #[test]
    fn nothing_is_left_in_it() {
        let id = OperationId::from_bytes([7; 16]);
        let done = |many: usize| {
            let mut change = change(BusinessId::from_bytes([1; 16]));
            assert_eq!(format!("{change:?}"), format!("{:?}", Change::new(change.business)));
            let (mut receipt, events) = bytes();
            assert!(receipt.is_empty() && events.is_empty());
            receipt.extend(vec![1; many]);
            let operation = Operation::new(id, Kind::Redeem, "till 7", Instant::EPOCH);
            change.operation = Some(Operation { receipt, events, ..operation });
            change.seen.push((DocKey::numbered(DocKind::Plan, 1), 2));
            change.tally.extend(vec![Add::used(TallyKey::Named([1; 16], 0), Tally::default().used); many]);
            keep(change);
        };
        done(1);
        let kept = change(BusinessId::STORE);
        assert!(kept.business == BusinessId::STORE && kept.tally.capacity() > 0 && bytes().0.capacity() > 0);
        keep(kept);
        done(FEW_BYTES + 1);
        assert_eq!((change(BusinessId::STORE).tally.capacity(), bytes().0.capacity()), (0, 0));
    }
}

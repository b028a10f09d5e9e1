//! Documents that were read before. What rests on them is judged where it is committed, by their versions, so an old one
//! can do no harm; and they change seldom.

use passes_core::id::{BusinessId, LotId};
use passes_core::store::{Change, Doc, DocKey, DocKind, Expect, Piece, Record};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many lots are kept, before it begins anew.
const KEPT: usize = 4_096;

/// After so many loads in a row that brought nothing new, the next one is trusted to do so.
const SURE: u32 = 8;

/// What is kept: the documents of businesses, and for each lot its own, its terms and its plan.
#[derive(Debug, Default)]
struct Kept {
    businesses: HashMap<BusinessId, Doc>,
    chains: HashMap<(BusinessId, LotId), Arc<Piece>>,
}

/// What is known of businesses, their plans and lots.
#[derive(Debug, Default)]
pub(crate) struct Known {
    kept: Mutex<Kept>,
    /// How many loads in a row brought nothing new.
    in_vain: AtomicU32,
}

impl Known {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a command may do with what is known: one that can't after all takes a round trip more.
    pub(crate) fn is_sure(&self) -> bool {
        self.in_vain.load(Ordering::Relaxed) >= SURE
    }

    /// Something was needed that isn't known.
    pub(crate) fn was_wrong(&self) {
        self.in_vain.store(0, Ordering::Relaxed);
    }

    /// Notes what a redemption has read of a pass of this lot.
    pub(crate) fn note(&self, business: BusinessId, lot: LotId, docs: &[Doc]) {
        let mut chain: Vec<&Doc> = Vec::with_capacity(3);
        let mut next = Some(DocKey::new(DocKind::Lot, lot));
        while let Some(key) = next {
            let Some(doc) = docs.iter().find(|doc| doc.key == key) else { return };
            chain.push(doc);
            next = doc.parent.filter(|_| chain.len() < 3);
        }
        let mut kept = self.kept();
        if kept.chains.len() >= KEPT || kept.businesses.len() >= KEPT {
            *kept = Kept::default();
        }
        let same = |known: &[Doc]| {
            known.len() == chain.len()
                && known.iter().zip(&chain).all(|(a, b)| a.key == b.key && a.version == b.version)
        };
        let mut new = !kept.chains.get(&(business, lot)).is_some_and(|known| same(known.docs()));
        if new {
            let chain = Piece::new(chain.into_iter().cloned().collect());
            kept.chains.insert((business, lot), Arc::new(chain));
        }
        if let Some(doc) = docs.iter().find(|doc| doc.key.kind == DocKind::Business)
            && kept.businesses.get(&business).is_none_or(|known| known.version != doc.version)
        {
            kept.businesses.insert(business, doc.clone());
            new = true;
        }
        drop(kept);
        if new {
            self.was_wrong();
        } else {
            let before = self.in_vain.load(Ordering::Relaxed);
            self.in_vain.store(before.saturating_add(1), Ordering::Relaxed);
        }
    }

    /// Forgets what a commit that failed rested on: it may not be so any more.
    pub(crate) fn doubt(&self, business: BusinessId, rests: &[(DocKey, u32)]) {
        let keys: Vec<DocKey> = rests.iter().map(|(key, _)| *key).collect();
        self.forget(business, &keys);
    }

    /// Forgets documents that aren't, or may not be, as they are known.
    fn forget(&self, business: BusinessId, keys: &[DocKey]) {
        if keys.is_empty() {
            return;
        }
        let mut kept = self.kept();
        if keys.iter().any(|key| key.kind == DocKind::Business) {
            kept.businesses.remove(&business);
        }
        let named = |doc: &Doc| keys.contains(&doc.key);
        kept.chains.retain(|(of, _), chain| *of != business || !chain.docs().iter().any(named));
    }

    /// Forgets what a change writes.
    pub(crate) fn written(&self, change: &Change) {
        let keys = change.put.iter().filter_map(|put| match (&put.record, put.expect) {
            (Record::Doc(doc), Expect::Version(_)) => Some(doc.key),
            _ => None,
        });
        let kinds = [DocKind::Business, DocKind::Lot, DocKind::Terms, DocKind::Plan];
        let keys: Vec<DocKey> = keys.filter(|key| kinds.contains(&key.kind)).collect();
        self.forget(change.business, &keys);
    }

    /// The business's document, if that is named and known, and the one other document that is named.
    pub(crate) fn named(&self, business: BusinessId, keys: &[DocKey]) -> Option<(Vec<Doc>, Option<DocKey>)> {
        let (mut found, mut other) = (Vec::with_capacity(keys.len()), None);
        for key in keys {
            if key.kind == DocKind::Business {
                found.push(self.kept().businesses.get(&business).filter(|doc| doc.key == *key)?.clone());
            } else if matches!(key.kind, DocKind::Lot | DocKind::Terms | DocKind::Plan)
                || other.replace(*key).is_some()
            {
                return None;
            }
        }
        Some((found, other))
    }

    /// The documents of a lot.
    pub(crate) fn chain(&self, business: BusinessId, lot: LotId) -> Option<Arc<Piece>> {
        self.kept().chains.get(&(business, lot)).map(Arc::clone)
    }
}

/// What must stand of documents that weren't read anew. Terms are written once.
pub(crate) fn rests<'d>(docs: impl Iterator<Item = &'d Doc>) -> Vec<(DocKey, u32)> {
    docs.filter(|doc| doc.key.kind != DocKind::Terms).map(|doc| (doc.key, doc.version)).collect()
}

//! Reading what a command names, and lists.

use super::tables::{Books, Lot};
use crate::calendar::Instant;
use crate::hash::Set;
use crate::id::{LotId, PassId};
use crate::ledger::{StoredEntry, Subject};
use crate::pass::{CreditRow, PassRow};
use crate::store::{
    Doc, DocKey, DocKind, Load, Loaded, OperationKey, Page, PageQuery, PassOrder, PassRange, Piece,
    StoredOperation,
};
use std::ops::Bound::{Excluded, Included};
use std::sync::Arc;

/// Documents, each once.
#[derive(Default)]
struct Docs {
    found: Vec<Doc>,
    /// Those that come together.
    chain: Option<Arc<Piece>>,
    /// The keys of those found, once they are many.
    keys: Set<DocKey>,
}

impl Docs {
    /// Up to here, looking through them is faster than hashing.
    const FEW: usize = 16;

    fn has(&self, key: &DocKey) -> bool {
        let found = if self.keys.is_empty() {
            self.found.iter().any(|doc| doc.key == *key)
        } else {
            self.keys.contains(key)
        };
        found || self.chain.iter().flat_map(|chain| chain.docs()).any(|doc| doc.key == *key)
    }

    /// Takes those of a chain, of which some may have been found by name.
    fn take(&mut self, chain: Arc<Piece>) {
        self.found.retain(|doc| !chain.docs().iter().any(|of_it| of_it.key == doc.key));
        self.chain = Some(chain);
    }

    fn add(&mut self, doc: &Doc) {
        if self.has(&doc.key) {
            return;
        }
        self.found.push(doc.clone());
        if !self.keys.is_empty() {
            self.keys.insert(doc.key);
        } else if self.found.len() > Self::FEW {
            self.keys.extend(self.found.iter().map(|doc| doc.key));
        }
    }
}

/// As a number of elements.
fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

impl Books {
    pub(super) fn load(&self, load: &Load) -> Loaded {
        self.load_into(Vec::new(), load)
    }

    /// Likewise, with room for the documents.
    pub(super) fn load_into(&self, mut docs: Vec<Doc>, load: &Load) -> Loaded {
        docs.reserve_exact(load.docs.len());
        let mut docs = Docs { found: docs, ..Docs::default() };
        let bound = load.key.and_then(|key| self.journal.find(&key));
        for doc in load.docs.iter().filter_map(|key| self.docs.get(key)) {
            docs.add(doc);
        }
        let code = load.code.as_ref().and_then(|code| self.pass_of(code));
        if let Some((_, _, lot)) = code {
            docs.take(self.chain_at_hand(lot));
        }
        let passes = self.load_passes(load);
        let credits = self.load_credits(load);
        if !passes.is_empty() || !credits.is_empty() {
            // Rows of the same lot come together: one look at the lot before is enough for most.
            let mut before = code.map(|(.., lot)| lot.id);
            let origins = credits.iter().map(|credit| credit.pass);
            for pass in passes.iter().map(|row| row.id).chain(origins) {
                if before.replace(pass.lot()) != Some(pass.lot()) {
                    self.chain_of(pass.lot()).for_each(|doc| docs.add(doc));
                }
            }
        }
        Loaded {
            docs: docs.found,
            chain: docs.chain,
            code: code.map(|(id, row, _)| row.to_pass(id)),
            taken: load.taken.iter().map(|code| self.is_taken(code)).collect(),
            passes,
            credits,
            tallies: load.tallies.iter().map(|key| self.tally(key).unwrap_or_default()).collect(),
            replay: bound.and_then(|(at, _)| self.journal.get(at)),
            stopped: bound.is_some_and(|(_, stops)| stops),
            operation: load.operation.and_then(|key| self.load_operation(key)),
        }
    }

    /// Has fetched what leads to what a command loads.
    pub(super) fn touch_indexes(&self, load: &Load) {
        load.code.iter().for_each(|code| self.codes.touch(code.as_bytes()));
    }

    /// Has fetched what a command loads that is hardly ever in the cache; what leads there must have come.
    pub(super) fn touch(&self, load: &Load) {
        load.code.iter().for_each(|code| self.touch_pass(code));
        load.key.iter().for_each(|key| self.journal.touch(key));
    }

    /// The chain of a lot: the lot's document, its terms, their plan.
    fn chain_of(&self, lot: LotId) -> impl Iterator<Item = &Doc> {
        let first = self.docs.get(&DocKey::new(DocKind::Lot, lot));
        std::iter::successors(first, |doc| self.docs.get(&doc.parent?)).take(3)
    }

    /// Likewise, in one piece, which is made anew when a document of such a kind changed.
    fn chain_at_hand(&self, lot: &Lot) -> Arc<Piece> {
        let mut kept = lot.chain.borrow_mut();
        match &*kept {
            Some((era, chain)) if *era == self.era => Arc::clone(chain),
            _ => {
                std::hint::cold_path();
                let chain = Arc::new(Piece::new(self.chain_of(lot.id).cloned().collect()));
                *kept = Some((self.era, Arc::clone(&chain)));
                chain
            }
        }
    }

    fn load_passes(&self, load: &Load) -> Vec<PassRow> {
        if load.passes.is_empty() && load.range.is_none() {
            return Vec::new();
        }
        let named = load.passes.iter().filter_map(|id| self.pass(*id));
        let ranged = load
            .range
            .into_iter()
            .flat_map(|PassRange { first, last, limit }| self.range(first, last).take(count(limit)));
        let mut passes: Vec<PassRow> = named.chain(ranged.map(|(id, row)| row.to_pass(id))).collect();
        if !passes.is_sorted_by(|a, b| a.id < b.id) {
            passes.sort_by_key(|row| row.id);
            passes.dedup_by_key(|row| row.id);
        }
        passes
    }

    fn load_credits(&self, load: &Load) -> Vec<CreditRow> {
        if load.wallet.is_none() && load.credits.is_empty() {
            return Vec::new();
        }
        let wallet = load.wallet.and_then(|contact| self.wallets.get(&contact));
        let left = wallet.into_iter().flatten().filter(|credit| credit.amount.left() > 0);
        let named = load.credits.iter().filter_map(|(contact, id)| self.credit(*contact, *id));
        let mut credits: Vec<CreditRow> = left.chain(named).cloned().collect();
        if !load.credits.is_empty() {
            credits.sort_by_key(|row| (row.contact, row.id));
            credits.dedup_by_key(|row| (row.contact, row.id));
        }
        credits
    }

    fn load_operation(&self, key: OperationKey) -> Option<(Arc<StoredOperation>, Vec<StoredEntry>)> {
        let at = match key {
            OperationKey::Number(number) => self.journal.place(number)?,
            OperationKey::Key(key) => self.journal.find(&key)?.0,
        };
        let stored = self.journal.get(at)?;
        let entries = self.entries_of(stored.number).collect();
        Some((stored, entries))
    }

    pub(super) fn operations_page(&self, after: u64, limit: u32) -> Vec<Arc<StoredOperation>> {
        self.journal.after(after).take(count(limit)).collect()
    }

    pub(super) fn page(&self, query: &PageQuery) -> Page {
        let mut page = Page::default();
        match query {
            PageQuery::Docs { kind, parent, after, limit, .. } => {
                page.docs = self.docs_page(*kind, *parent, *after, count(*limit));
            }
            PageQuery::Passes { range, order: PassOrder::Serial, after, .. } => {
                let rows = self.range(range.first, range.last);
                let rows = rows.filter(|(pass, _)| after.is_none_or(|(_, id)| *pass > id));
                page.passes = rows.take(count(range.limit)).map(|(id, row)| row.to_pass(id)).collect();
            }
            PageQuery::Passes { range, order: PassOrder::Expiry, after, .. } => {
                page.passes = self.passes_by_expiry(*range, *after);
            }
            PageQuery::Credits { contact, after, limit, .. } => {
                let wallet = self.wallets.get(contact).into_iter().flatten();
                let rows = wallet.filter(|row| after.is_none_or(|after| *row.id.as_bytes() > after));
                page.credits = rows.take(count(*limit)).cloned().collect();
            }
            PageQuery::Operations { after, limit, .. } => {
                page.operations = self.operations_page(*after, *limit)
            }
            PageQuery::History { subject, before, limit, .. } => {
                page.entries = self.history(*subject, *before, count(*limit));
            }
        }
        page
    }

    fn docs_page(
        &self,
        kind: DocKind,
        parent: Option<DocKey>,
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Vec<Doc> {
        let key = |id| DocKey { kind, id };
        let to = key([0xFF; 16]);
        let from = after.map_or(Included(key([0; 16])), |id| Excluded(key(id)));
        if after == Some(to.id) {
            return Vec::new();
        }
        let found = |key: &DocKey| self.docs.get(key).cloned();
        match parent {
            None => self.docs_by_kind.range((from, Included(to))).filter_map(found).take(limit).collect(),
            Some(parent) => {
                let range = (from.map(|key| (parent, key)), Included((parent, to)));
                self.docs_by_parent.range(range).filter_map(|(_, key)| found(key)).take(limit).collect()
            }
        }
    }

    fn passes_by_expiry(&self, range: PassRange, after: Option<(Option<Instant>, PassId)>) -> Vec<PassRow> {
        // A pass that never expires comes last.
        let place = |expiry: Option<Instant>, id: PassId| (expiry.is_none(), expiry, id);
        let after = after.map(|(expiry, id)| place(expiry, id));
        let rows = self.range(range.first, range.last).map(|(id, row)| (place(row.redeem_by(), id), row));
        let mut rows: Vec<_> = rows.filter(|(place, _)| after.is_none_or(|after| *place > after)).collect();
        let limit = count(range.limit);
        if rows.len() > limit {
            rows.select_nth_unstable_by_key(limit, |(place, _)| *place);
            rows.truncate(limit);
        }
        rows.sort_unstable_by_key(|(place, _)| *place);
        rows.into_iter().map(|((_, _, id), row)| row.to_pass(id)).collect()
    }

    /// Follows the chain of a pass or a credit back from its last entry.
    fn history(&self, subject: Subject, before: Option<u64>, limit: usize) -> Vec<StoredEntry> {
        let last = match subject {
            Subject::Pass(pass) => self.row(pass).map(|row| row.last),
            Subject::Credit(contact, id) => self.credit(contact, id).map(|row| row.last),
            // The accounts without subjects have no chains, and a range has as many as passes.
            Subject::None | Subject::Passes { .. } => None,
        };
        let entry = |number| self.entry(number);
        let chain = std::iter::successors(last.and_then(entry), |stored: &StoredEntry| {
            stored.previous(subject).and_then(entry)
        });
        chain.filter(|stored| before.is_none_or(|before| stored.number < before)).take(limit).collect()
    }
}

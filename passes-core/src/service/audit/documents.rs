//! Documents: that they can be read, hang on what is there, and agree with each other.

use super::super::bulk::parent_of;
use super::super::contacts::{Owner, medium_key};
use super::super::generate::reserved_codes;
use super::super::making::{codes_in, passes_of, value_of};
use super::super::refusals::Refusals;
use super::super::reverse::Reversal;
use super::super::runs::Run;
use super::super::sale::Sale;
use super::super::shared::Shared;
use super::super::stored;
use super::lots::{LotFacts, TermsFacts, mark};
use super::sums::Of;
use super::{Audit, Formatted, Lane, Made, OfReversal, follow, names};
use crate::business::Business;
use crate::contact::Contact;
use crate::id::{ContactId, Id, LotId, PlanId, SaleId, TermsId};
use crate::limits;
use crate::lot::{Delivery, Lot};
use crate::passcode::FoldedFormat;
use crate::plan::{Form, Plan, Terms};
use crate::run::{Bulk, Generation, Over, RunState, Work};
use crate::store::{Doc, DocKey, DocKind, StoreError};
use serde::de::DeserializeOwned;

/// A document's kind and id, for people.
fn named(key: &DocKey) -> String {
    let kind = format!("{:?}", key.kind).to_lowercase();
    match key.kind {
        DocKind::Reversal | DocKind::Refusals => format!("{kind} {}", u128::from_be_bytes(key.id)),
        // The hash of somebody's number or address is nobody's business.
        DocKind::Medium => kind,
        _ => format!("{kind} {}", LotId::from_bytes(key.id)),
    }
}

impl Audit {
    pub(super) fn doc(&mut self, doc: &Doc) {
        // A refusal leaves nothing but its count, which is written whenever it suits.
        self.verified.documents += u64::from(doc.key.kind != DocKind::Refusals);
        let order = follow(&mut self.last.doc, doc.key);
        if order.is_ge() {
            self.order(order, named(&doc.key));
        }
        if doc.parent.is_some_and(|parent| !self.is_there(parent)) {
            self.no_parent(named(&doc.key));
        }
        match doc.key.kind {
            DocKind::Keys => {}
            DocKind::Business => self.read(doc, Self::business),
            DocKind::Plan => self.read(doc, Self::plan),
            DocKind::Terms => self.read(doc, Self::terms),
            DocKind::Lot => self.read(doc, Self::lot),
            DocKind::Contact => self.read(doc, Self::contact),
            DocKind::Medium => self.read(doc, Self::medium),
            DocKind::Run => self.read(doc, Self::run),
            DocKind::Sale => self.read(doc, Self::sale),
            DocKind::Delivery => self.read(doc, Self::delivery),
            DocKind::Reversal => self.read(doc, Self::reversal),
            DocKind::Refusals => self.read(doc, Self::refusals),
        }
    }

    /// Reads a document's body; what can't be read is told, what a newer library wrote ends the audit. What is
    /// read answers whether it is what its key says.
    fn read<T: DeserializeOwned>(&mut self, doc: &Doc, judge: fn(&mut Self, &Doc, T) -> bool) {
        let sound = match stored::read(&doc.body) {
            Ok(body) => judge(self, doc, body),
            Err(error @ StoreError::Unsupported { .. }) => {
                self.failed.get_or_insert(error);
                true
            }
            Err(_) => false,
        };
        if !sound {
            self.verified.drift(names::DOCUMENT, named(&doc.key), 1, 0, None);
        }
    }

    /// A record that hangs on, or names, another that isn't there. It is told once, whatever it names.
    pub(super) fn no_parent(&mut self, subject: String) {
        let last = self.verified.drifts.last();
        if last.is_none_or(|last| (last.what, &last.subject) != (names::PARENT, &subject)) {
            self.verified.drift(names::PARENT, subject, 0, 1, None);
        }
    }

    /// Whether a document that others hang on was read: they come before those.
    fn is_there(&self, key: DocKey) -> bool {
        match key.kind {
            DocKind::Plan => self.plans.contains_key(&PlanId::from_bytes(key.id)),
            DocKind::Terms => self.terms_at(TermsId::from_bytes(key.id)).is_some(),
            DocKind::Lot => self.lots.find(LotId::from_bytes(key.id)).is_some(),
            DocKind::Contact => self.is_contact(ContactId::from_bytes(key.id)),
            _ => false,
        }
    }

    pub(super) fn is_contact(&self, contact: ContactId) -> bool {
        self.contacts.binary_search(&contact).is_ok()
    }

    fn terms_at(&self, id: TermsId) -> Option<usize> {
        self.terms.binary_search_by_key(&id, |terms| terms.id).ok()
    }

    /// The place of a format among those whose codes are counted.
    fn format(&mut self, format: &FoldedFormat) -> usize {
        let known = self.formats.iter().position(|known| known.format == *format);
        known.unwrap_or_else(|| {
            let Shared(tally) = codes_in(format);
            self.tallies.insert(tally, 0);
            self.formats.push(Formatted { format: format.clone(), tally, listed: false, codes: 0 });
            self.formats.len() - 1
        })
    }

    /// Counts codes that were made in a format.
    fn codes(&mut self, format: usize, codes: i128) {
        self.formats.get_mut(format).into_iter().for_each(|format| format.codes += codes);
    }

    fn business(&mut self, doc: &Doc, business: Business) -> bool {
        for format in &business.formats {
            let format = self.format(format);
            self.formats.get_mut(format).into_iter().for_each(|format| format.listed = true);
        }
        self.settled = business.id == self.business;
        self.settled && doc.key.id == business.id.to_bytes()
    }

    fn plan(&mut self, doc: &Doc, plan: Plan) -> bool {
        self.plans.insert(plan.id, Made::default());
        for key in [passes_of(plan.id), value_of(plan.id)] {
            self.tallies.insert(key.0, 0);
        }
        doc.key.id == plan.id.to_bytes()
    }

    fn terms(&mut self, doc: &Doc, terms: Terms) -> bool {
        let id = TermsId::from_bytes(doc.key.id);
        let Some(DocKey { kind: DocKind::Plan, id: plan }) = doc.parent else { return false };
        if self.terms.last().is_none_or(|last| last.id < id) {
            self.terms.push(TermsFacts::of(id, PlanId::from_bytes(plan), &terms));
        }
        true
    }

    fn lot(&mut self, doc: &Doc, lot: Lot) -> bool {
        let at = self.terms_at(lot.terms);
        let plan = at.and_then(|at| self.terms.get(at)).map(|terms| terms.plan);
        if plan.is_none_or(|plan| plan != lot.plan) {
            self.no_parent(named(&doc.key));
        }
        let Ok(format) = lot.format.folded() else { return false };
        let format = self.format(&format);
        self.codes(format, if lot.cancelled { 0 } else { lot.count.into() });
        let marks = [
            (lot.form == Form::Electronic, mark::ELECTRONIC),
            (lot.cancelled, mark::CANCELLED),
            (!lot.complete, mark::GROWING),
        ];
        let marks = marks.iter().filter(|(is, _)| *is).fold(0, |marks, (_, mark)| marks | mark);
        let terms = at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX);
        self.lots.push(LotFacts::of(lot.id, terms, format, lot.count, marks));
        let exports = self.sums.at(Of::Exports(lot.id));
        self.sums.stored(&exports, Lane::Main, 0, lot.exports.into());
        if let Some(old) = lot.replaces {
            self.sums.one(Of::Replaced(old, lot.id.pass(1)), false);
        }
        doc.key.id == lot.id.to_bytes() && doc.parent == Some(DocKey::new(DocKind::Terms, lot.terms))
    }

    fn contact(&mut self, doc: &Doc, contact: Contact) -> bool {
        if self.contacts.last().is_none_or(|last| *last < contact.id) {
            self.contacts.push(contact.id);
        }
        for currency in &contact.currencies {
            self.sums.one(Of::Currency(contact.id, currency.numeric()), true);
        }
        for medium in &contact.profile.media {
            let key = medium_key(&self.media, self.business, medium);
            self.sums.one(Of::Medium(key.id, contact.id), false);
        }
        doc.key.id == contact.id.to_bytes()
    }

    fn medium(&mut self, doc: &Doc, owner: Owner) -> bool {
        if let Some(contact) = owner.contact {
            self.sums.one(Of::Medium(doc.key.id, contact), true);
        }
        true
    }

    fn run(&mut self, doc: &Doc, run: Run) -> bool {
        match &run.work {
            Work::Generate(at) => self.generation(&run, at),
            Work::Bulk(bulk) => self.bulk(&run, bulk),
        }
        doc.key.id == run.id.to_bytes() && doc.parent == parent_of(&run)
    }

    /// A run that makes a lot: its counts, its cursor and its lot say the same.
    fn generation(&mut self, run: &Run, at: &Generation) {
        // Without its lot it was told already: it hangs on it.
        let Some(index) = self.lots.find(at.lot) else { return };
        let done = (at.window.saturating_sub(1)).saturating_add(if at.reserved { at.at } else { 0 });
        self.verified.tell(names::RUN, run.id, run.done.into(), done.into(), None);
        let reserved = reserved_codes(run, at);
        let Some(lot) = self.lots.at_mut(index) else { return };
        let (growing, twice) = (lot.is(mark::GROWING), lot.is(mark::RUN));
        let (count, terms) = (lot.made, lot.terms);
        lot.marks |= mark::RUN;
        // Once a run is cancelled, its lot has what was made; before that, what will be.
        let cancelled = run.state == RunState::Cancelled;
        let wanted = if cancelled { run.done } else { run.total };
        (lot.made, lot.serials, lot.codes) = (run.done, run.total, reserved);
        let format = usize::from(lot.format);
        self.verified.tell(names::LOT_PASSES, at.lot, count.into(), wanted.into(), None);
        if growing != (run.state == RunState::Running) || twice || run.total > limits::LOT {
            self.verified.drift(names::RUN, run.id, run.done.into(), run.total.into(), None);
        }
        if cancelled {
            // Codes that were reserved for passes which were never made stay so, and count.
            self.codes(format, reserved.saturating_sub(run.done).into());
        }
        let unmade = i128::from(wanted.saturating_sub(run.done));
        let terms = usize::try_from(terms).ok().and_then(|at| self.terms.get_mut(at));
        if let Some(terms) = terms.filter(|_| unmade > 0) {
            terms.passes += unmade;
            terms.value += unmade * i128::from(terms.total.unwrap_or_default());
        }
    }

    /// A command on many passes: each that it looked at was changed or skipped.
    fn bulk<C>(&mut self, run: &Run, bulk: &Bulk<C>) {
        let Over::Serials(first, last) = bulk.over else { return };
        let skipped: u64 = bulk.skipped.values().map(|n| u64::from(*n)).sum();
        let after = bulk.after.map_or(0, |after| {
            u64::from(after.serial()).saturating_add(1).saturating_sub(first.serial().into())
        });
        let all = u64::from(last.serial()).saturating_add(1).saturating_sub(first.serial().into());
        let looked = u64::from(run.done).saturating_add(skipped);
        let expected = if run.state == RunState::Done { all } else { after };
        self.verified.tell(names::RUN, run.id, looked.into(), expected.into(), None);
    }

    fn sale(&mut self, doc: &Doc, sale: Sale) -> bool {
        if self.sales.last().is_none_or(|last: &SaleId| *last < sale.id) {
            self.sales.push(sale.id);
        }
        doc.key.id == sale.id.to_bytes()
    }

    fn delivery(&mut self, doc: &Doc, delivery: Delivery) -> bool {
        let lot = self.lots.find(delivery.pass.lot()).and_then(|index| self.lots.at_mut(index));
        match lot {
            Some(lot) if lot.is(mark::ELECTRONIC) => lot.marks |= mark::DELIVERED,
            Some(lot) => {
                let lot = lot.id;
                self.verified.drift(names::LOT_DELIVERY, lot, 1, 0, None);
            }
            None => self.no_parent(named(&doc.key)),
        }
        doc.key.id == delivery.pass.to_bytes()
    }

    fn reversal(&mut self, doc: &Doc, reversal: Reversal) -> bool {
        let Ok(number) = u64::try_from(u128::from_be_bytes(doc.key.id)) else { return false };
        let reversed = Some(reversal.reversed);
        self.reversals.insert(number, OfReversal { reversed, ..OfReversal::default() });
        true
    }

    /// Refusals leave no other trace, so their counts can only be read: each place once, none of zero.
    fn refusals(&mut self, doc: &Doc, refusals: Vec<Refusals>) -> bool {
        let key = |row: &Refusals| (row.code.clone(), row.plan, row.place.clone());
        let mut keys: Vec<_> = refusals.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        let sound = refusals.iter().filter(|row| row.count > 0).count().min(keys.len());
        let day = u128::from_be_bytes(doc.key.id);
        let wide = |n: usize| i128::try_from(n).unwrap_or(i128::MAX);
        self.verified.tell(names::REFUSALS, day, wide(refusals.len()), wide(sound), None);
        true
    }
}

//! Lists, histories, events and audits: what is read a page at a time or as a stream.

use crate::codec::{Columns, credit_columns, entry_columns, operation_columns, pass_columns, signed};
use crate::connection::Db;
use crate::errors::Fault;
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, PassId};
use passes_core::ledger::{StoredEntry, Subject};
use passes_core::pass::PassRow;
use passes_core::store::{Doc, DocKey, DocKind, Page, PageQuery, PassOrder, PassRange, StoredOperation};
use rusqlite::params;
use std::sync::Arc;

const DOCS: &str = "SELECT id,version,parent_kind,parent_id,body FROM doc \
     WHERE business=?1 AND kind=?2 AND id>?3 ORDER BY id LIMIT ?4";
const CHILDREN: &str = "SELECT id,version,parent_kind,parent_id,body FROM doc INDEXED BY doc_parent \
     WHERE business=?1 AND kind=?2 AND parent_kind=?5 AND parent_id=?6 AND id>?3 ORDER BY id LIMIT ?4";
const PASSES: &str = concat!(
    "SELECT ",
    pass_columns!(),
    " FROM lot o CROSS JOIN pass p ON p.lot=o.num WHERE o.business=?1 AND o.id=?2 \
     AND p.serial BETWEEN ?3 AND ?4 ORDER BY p.serial LIMIT ?5"
);
const PASSES_BY_EXPIRY: &str = concat!(
    "SELECT ",
    pass_columns!(),
    // ?6 is the expiry after which to go on, the end of time standing for never; ?7 the serial number.
    " FROM lot o CROSS JOIN pass p ON p.lot=o.num WHERE o.business=?1 AND o.id=?2 \
     AND p.serial BETWEEN ?3 AND ?4 AND (ifnull(p.redeem_by,9223372036854775807),p.serial)>(?6,?7) \
     ORDER BY ifnull(p.redeem_by,9223372036854775807),p.serial LIMIT ?5"
);
const CREDITS: &str = concat!(
    "SELECT ",
    credit_columns!(),
    " FROM credit c CROSS JOIN lot o ON o.num=c.lot \
     WHERE c.business=?1 AND c.contact=?2 AND c.id>?3 ORDER BY c.id LIMIT ?4"
);
const OPERATIONS: &str = concat!(
    "SELECT ",
    operation_columns!(),
    " FROM operation o WHERE o.number>?1 AND o.business=?2 ORDER BY o.number LIMIT ?3"
);
const ENTRY: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM entry e CROSS JOIN operation o ON o.number=e.operation WHERE e.number=?1 AND o.business=?2"
);

/// Greater than no id: where a list begins.
const NOTHING: &[u8] = &[];

fn above(after: &Option<[u8; 16]>) -> &[u8] {
    after.as_ref().map_or(NOTHING, |id| id.as_slice())
}

impl Db {
    /// A page of a list.
    pub(crate) fn page(&self, query: &PageQuery) -> Result<Page, Fault> {
        let business = match query {
            PageQuery::Docs { business, .. }
            | PageQuery::Passes { business, .. }
            | PageQuery::Credits { business, .. }
            | PageQuery::Operations { business, .. }
            | PageQuery::History { business, .. } => self.business(*business)?,
        };
        let Some(business) = business else { return Ok(Page::default()) };
        let mut page = Page::default();
        match query {
            PageQuery::Docs { kind, parent, after, limit, .. } => {
                page.docs = self.docs(business, *kind, *parent, above(after), *limit)?;
            }
            PageQuery::Passes { range, order, after, .. } => {
                page.passes = self.list(business, range, *order, *after)?;
            }
            PageQuery::Credits { contact, after, limit, .. } => {
                let params = params![business, contact.as_bytes(), above(after), limit];
                page.credits = self.all(CREDITS, params, |c| c.credit())?;
            }
            PageQuery::Operations { after, limit, .. } => {
                page.operations = self.operations(business, *after, *limit)?;
            }
            PageQuery::History { subject, before, limit, .. } => {
                page.entries = self.history(business, subject, *before, *limit)?;
            }
        }
        Ok(page)
    }

    fn docs(
        &self,
        business: i64,
        kind: DocKind,
        parent: Option<DocKey>,
        after: &[u8],
        limit: u32,
    ) -> Result<Vec<Doc>, Fault> {
        let read = |columns: &mut Columns<'_, '_>| {
            let key = DocKey { kind, id: columns.next()? };
            columns.doc(key)
        };
        let number = kind as u8;
        match parent {
            None => self.all(DOCS, params![business, number, after, limit], read),
            Some(parent) => {
                let params = params![business, number, after, limit, parent.kind as u8, parent.id];
                self.all(CHILDREN, params, read)
            }
        }
    }

    fn list(
        &self,
        business: i64,
        range: &PassRange,
        order: PassOrder,
        after: Option<(Option<Instant>, PassId)>,
    ) -> Result<Vec<PassRow>, Fault> {
        let (lot, first, last) = (range.first.lot(), range.first.serial(), range.last.serial());
        if lot != range.last.lot() {
            return Ok(Vec::new());
        }
        // Where to go on: a pass of another lot is before or behind all of this one.
        let after_serial = match after {
            Some((_, id)) if id.lot() > lot => u32::MAX,
            Some((_, id)) if id.lot() == lot => id.serial(),
            _ => 0,
        };
        match order {
            PassOrder::Serial => {
                // Beyond the largest serial number there is nothing, and no number of 32 bits either.
                let next = i64::from(after_serial) + i64::from(after.is_some());
                let first = next.max(i64::from(first));
                let params = params![business, lot.as_bytes(), first, last, range.limit];
                self.all(PASSES, params, |c| c.pass())
            }
            PassOrder::Expiry => {
                let expiry = after.map_or(i64::MIN, |(at, _)| at.map_or(i64::MAX, Instant::micros));
                let params =
                    params![business, lot.as_bytes(), first, last, range.limit, expiry, after_serial];
                self.all(PASSES_BY_EXPIRY, params, |c| c.pass())
            }
        }
    }

    fn operations(&self, business: i64, after: u64, limit: u32) -> Result<Vec<Arc<StoredOperation>>, Fault> {
        self.all(OPERATIONS, params![signed(after), business, limit], |c| c.operation().map(Arc::new))
    }

    /// Operations above a number. What is not committed has no number yet, so nothing appears behind a reader.
    pub(crate) fn events(
        &self,
        business: BusinessId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arc<StoredOperation>>, Fault> {
        match self.business(business)? {
            Some(business) => self.operations(business, after, limit),
            None => Ok(Vec::new()),
        }
    }

    /// Follows the chain of a subject's entries, from its last or from the one before `before`.
    fn history(
        &self,
        business: i64,
        subject: &Subject,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredEntry>, Fault> {
        let mut next = match *subject {
            Subject::Pass(id) => self.pass(business, id)?.map(|pass| pass.last),
            Subject::Credit(contact, id) => self.credit(business, contact, id)?.map(|credit| credit.last),
            Subject::None | Subject::Passes { .. } => None,
        }
        .unwrap_or_default();
        // A page goes on where the one before it ended: mostly that is an entry of the chain itself.
        if let Some(before) = before
            && let Some(entry) = self.entry(business, before)?
            && let Some(previous) = entry.previous(*subject)
        {
            next = previous;
        }
        let mut entries = Vec::new();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        while next != 0 && entries.len() < limit {
            let entry = self.entry(business, next)?.ok_or_else(|| Fault::corrupt("a chain of entries"))?;
            let previous = entry.previous(*subject).filter(|previous| *previous < next);
            next = previous.ok_or_else(|| Fault::corrupt("a chain of entries"))?;
            if before.is_none_or(|before| entry.number < before) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn entry(&self, business: i64, number: u64) -> Result<Option<StoredEntry>, Fault> {
        Ok(self.all(ENTRY, params![signed(number), business], |c| c.entry())?.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1: lists go by a key, too; only the order by expiry is made at the end, of one lot.
    #[test]
    fn every_list_goes_by_a_key() {
        for text in [DOCS, CHILDREN, PASSES, PASSES_BY_EXPIRY, CREDITS, OPERATIONS, ENTRY] {
            let mut steps = crate::schema::plan_of(text);
            if text == PASSES_BY_EXPIRY {
                assert_eq!(steps.pop().as_deref(), Some("USE TEMP B-TREE FOR ORDER BY"));
            }
            if text == CHILDREN {
                assert!(steps.iter().all(|step| step.contains("doc_parent")), "{steps:?}");
            }
            assert!(steps.iter().all(|step| step.starts_with("SEARCH")), "{text}: {steps:?}");
        }
    }
}

//! What a command reads. All of it within one transaction, which the caller has begun.

use crate::codec::{Columns, credit_columns, entry_columns, operation_columns, pass_columns, signed};
use crate::connection::Db;
use crate::errors::Fault;
use passes_core::id::{ContactId, CreditId, Id, LotId, PassId};
use passes_core::ledger::StoredEntry;
use passes_core::pass::{CreditRow, PassRow, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{
    Doc, DocKey, DocKind, KeyHash, Load, Loaded, OperationKey, PassRange, StoredOperation, TallyKey,
};
use rusqlite::{Params, Row, params};
use std::sync::Arc;

type WithEntries = (Arc<StoredOperation>, Vec<StoredEntry>);

/// The lot's document, its parent and the parent of that. `$lot` says which lot.
macro_rules! chain {
    (columns) => {
        "l.version,l.parent_kind,l.parent_id,l.body,t.version,t.parent_kind,t.parent_id,t.body,\
         n.version,n.parent_kind,n.parent_id,n.body"
    };
    (parents) => {
        " LEFT JOIN doc t ON t.business=l.business AND t.kind=l.parent_kind AND t.id=l.parent_id \
         LEFT JOIN doc n ON n.business=t.business AND n.kind=t.parent_kind AND n.id=t.parent_id "
    };
}

// 5 is DocKind::Lot.
const BY_CODE: &str = concat!(
    "SELECT ",
    pass_columns!(),
    ",",
    chain!(columns),
    " FROM code c CROSS JOIN pass p ON p.lot=c.lot AND p.serial=c.serial CROSS JOIN lot o ON o.num=p.lot \
     LEFT JOIN doc l ON l.business=o.business AND l.kind=5 AND l.id=o.id",
    chain!(parents),
    "WHERE c.business=?1 AND c.digest=?2"
);
const CHAIN: &str = concat!(
    "SELECT ",
    chain!(columns),
    " FROM doc l",
    chain!(parents),
    "WHERE l.business=?1 AND l.kind=5 AND l.id=?2"
);
const DOC: &str =
    "SELECT version,parent_kind,parent_id,body FROM doc WHERE business=?1 AND kind=?2 AND id=?3";
const TAKEN: &str = "SELECT 1 FROM code WHERE business=?1 AND digest=?2";
const PASS: &str = concat!(
    "SELECT ",
    pass_columns!(),
    " FROM lot o CROSS JOIN pass p ON p.lot=o.num WHERE o.business=?1 AND o.id=?2 AND p.serial=?3"
);
const PASSES: &str = concat!(
    "SELECT ",
    pass_columns!(),
    " FROM lot o CROSS JOIN pass p ON p.lot=o.num WHERE o.business=?1 AND o.id=?2 \
     AND p.serial BETWEEN ?3 AND ?4 ORDER BY p.serial LIMIT ?5"
);
const WALLET: &str = concat!(
    "SELECT ",
    credit_columns!(),
    " FROM credit c CROSS JOIN lot o ON o.num=c.lot \
     WHERE c.business=?1 AND c.contact=?2 AND c.used+c.held<c.lim ORDER BY c.id"
);
const CREDIT: &str = concat!(
    "SELECT ",
    credit_columns!(),
    " FROM credit c CROSS JOIN lot o ON o.num=c.lot WHERE c.business=?1 AND c.contact=?2 AND c.id=?3"
);
const TALLY: &str = "SELECT used,held,lim FROM tally WHERE business=?1 AND id=?2 AND slot=?3";
const BY_KEY: &str = concat!(
    "SELECT ",
    operation_columns!(),
    ",k.stops,o.fingerprint FROM opkey k CROSS JOIN operation o ON o.number=k.operation WHERE k.business=?1 AND k.key=?2"
);
const OPERATION: &str =
    concat!("SELECT ", operation_columns!(), " FROM operation o WHERE o.number=?1 AND o.business=?2");
const ENTRIES: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM operation o CROSS JOIN entry e ON e.number>=o.first_entry AND e.number<o.first_entry+o.entries \
     WHERE o.number=?1 ORDER BY e.number"
);

impl Db {
    /// Everything that a command names.
    pub(crate) fn load(&self, load: &Load) -> Result<Loaded, Fault> {
        let Some(business) = self.business(load.business)? else {
            return Ok(Loaded {
                taken: vec![false; load.taken.len()],
                tallies: vec![Tally::default(); load.tallies.len()],
                ..Loaded::default()
            });
        };
        let mut found = Loaded::default();
        for key in &load.docs {
            if found.doc(key).is_none() {
                found.docs.extend(self.doc(business, *key)?);
            }
        }
        let mut chained = Vec::new();
        if let Some(code) = &load.code {
            found.code = self.by_code(business, code, &mut found.docs)?;
            chained.extend(found.code.as_ref().map(|pass| pass.id.lot()));
        }
        for digest in &load.taken {
            found.taken.push(self.is_taken(business, digest)?);
        }
        found.passes = self.passes(business, load)?;
        found.credits = self.credits(business, load)?;
        let lots = found.passes.iter().map(|p| p.id.lot()).chain(found.credits.iter().map(|c| c.pass.lot()));
        for lot in lots {
            if let Err(at) = chained.binary_search(&lot) {
                chained.insert(at, lot);
                self.chain(business, lot, &mut found.docs)?;
            }
        }
        for key in &load.tallies {
            found.tallies.push(self.tally(business, *key)?.unwrap_or_default());
        }
        if let Some(key) = &load.key
            && let Some(operation) = self.by_key(business, key)?
        {
            found.stopped = operation.operation.stops.is_some();
            found.replay = Some(Arc::new(operation));
        }
        if let Some(key) = &load.operation {
            found.operation = self.operation(business, key)?;
        }
        Ok(found)
    }

    /// The first row, read by `read`.
    fn one<T>(
        &self,
        text: &str,
        params: impl Params,
        read: impl FnOnce(&mut Columns<'_, '_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.statement(text)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(|row: &Row<'_>| read(&mut Columns::new(row))).transpose()
    }

    /// All rows, each read by `read`.
    pub(crate) fn all<T>(
        &self,
        text: &str,
        params: impl Params,
        mut read: impl FnMut(&mut Columns<'_, '_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.statement(text)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(&mut Columns::new(row))?);
        }
        Ok(all)
    }

    fn doc(&self, business: i64, key: DocKey) -> Result<Option<Doc>, Fault> {
        self.one(DOC, params![business, key.kind as u8, key.id], |columns| columns.doc(key))
    }

    /// The version and the parent of a document.
    pub(crate) fn doc_head(
        &self,
        business: i64,
        key: DocKey,
    ) -> Result<Option<(u32, Option<DocKey>)>, Fault> {
        Ok(self.doc(business, key)?.map(|doc| (doc.version, doc.parent)))
    }

    fn by_code(&self, business: i64, code: &Digest, docs: &mut Vec<Doc>) -> Result<Option<PassRow>, Fault> {
        self.one(BY_CODE, params![business, code.as_bytes()], |columns| {
            let pass = columns.pass()?;
            read_chain(columns, pass.id.lot(), docs)?;
            Ok(pass)
        })
    }

    fn chain(&self, business: i64, lot: LotId, docs: &mut Vec<Doc>) -> Result<(), Fault> {
        self.one(CHAIN, params![business, lot.as_bytes()], |columns| read_chain(columns, lot, docs))?;
        Ok(())
    }

    pub(crate) fn is_taken(&self, business: i64, digest: &Digest) -> Result<bool, Fault> {
        Ok(self.one(TAKEN, params![business, digest.as_bytes()], |_| Ok(()))?.is_some())
    }

    pub(crate) fn pass(&self, business: i64, id: PassId) -> Result<Option<PassRow>, Fault> {
        self.one(PASS, params![business, id.lot().as_bytes(), id.serial()], |c| c.pass())
    }

    fn passes(&self, business: i64, load: &Load) -> Result<Vec<PassRow>, Fault> {
        let mut found = match &load.range {
            Some(range) => self.range(business, range)?,
            None => Vec::new(),
        };
        for id in &load.passes {
            found.extend(self.pass(business, *id)?);
        }
        if load.passes.len() + usize::from(load.range.is_some()) > 1 {
            found.sort_by_key(|pass| pass.id);
            found.dedup_by_key(|pass| pass.id);
        }
        Ok(found)
    }

    fn range(&self, business: i64, range: &PassRange) -> Result<Vec<PassRow>, Fault> {
        if range.first.lot() != range.last.lot() {
            return Ok(Vec::new());
        }
        let (lot, first, last) = (range.first.lot(), range.first.serial(), range.last.serial());
        let params = params![business, lot.as_bytes(), first, last, range.limit];
        self.all(PASSES, params, |c| c.pass())
    }

    pub(crate) fn credit(
        &self,
        business: i64,
        contact: ContactId,
        id: CreditId,
    ) -> Result<Option<CreditRow>, Fault> {
        self.one(CREDIT, params![business, contact.as_bytes(), id.as_bytes()], |c| c.credit())
    }

    fn credits(&self, business: i64, load: &Load) -> Result<Vec<CreditRow>, Fault> {
        let mut found = match &load.wallet {
            Some(contact) => self.all(WALLET, params![business, contact.as_bytes()], |c| c.credit())?,
            None => Vec::new(),
        };
        for (contact, id) in &load.credits {
            found.extend(self.credit(business, *contact, *id)?);
        }
        if load.credits.len() + usize::from(load.wallet.is_some()) > 1 {
            found.sort_by_key(|credit| (credit.contact, credit.id));
            found.dedup_by_key(|credit| (credit.contact, credit.id));
        }
        Ok(found)
    }

    pub(crate) fn tally(&self, business: i64, key: TallyKey) -> Result<Option<Tally>, Fault> {
        Ok(match key {
            TallyKey::Uses(pass) => self.pass(business, pass)?.map(|row| row.uses),
            TallyKey::Balance(pass) => self.pass(business, pass)?.map(|row| row.balance),
            TallyKey::Granted(pass) => self.pass(business, pass)?.map(|row| row.granted),
            TallyKey::Credit(contact, id) => self.credit(business, contact, id)?.map(|row| row.amount),
            TallyKey::Named(id, slot) => self.one(TALLY, params![business, id, slot], |c| c.tally())?,
        })
    }

    /// The operation that bears or stops a key.
    fn by_key(&self, business: i64, key: &KeyHash) -> Result<Option<StoredOperation>, Fault> {
        self.one(BY_KEY, params![business, key], |columns| {
            let mut stored = columns.operation()?;
            let (stops, fingerprint): (bool, Option<_>) = (columns.next()?, columns.next()?);
            if stops {
                stored.operation.stops = Some(*key);
            } else {
                stored.operation.key = fingerprint.map(|fingerprint| (*key, fingerprint));
            }
            Ok(stored)
        })
    }

    fn operation(&self, business: i64, key: &OperationKey) -> Result<Option<WithEntries>, Fault> {
        let stored = match key {
            OperationKey::Key(key) => self.by_key(business, key)?,
            OperationKey::Number(number) => {
                self.one(OPERATION, params![signed(*number), business], |c| c.operation())?
            }
        };
        let Some(stored) = stored else { return Ok(None) };
        let entries = self.all(ENTRIES, params![signed(stored.number)], |c| c.entry())?;
        Ok(Some((Arc::new(stored), entries)))
    }
}

fn read_chain(columns: &mut Columns<'_, '_>, lot: LotId, docs: &mut Vec<Doc>) -> Result<(), Fault> {
    let mut key = Some(DocKey { kind: DocKind::Lot, id: lot.to_bytes() });
    for _ in 0..3 {
        let doc = columns.doc_or_none(key)?;
        key = doc.as_ref().and_then(|doc| doc.parent);
        docs.extend(doc.filter(|doc| docs.iter().all(|known| known.key != doc.key)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1: whatever a command reads is found by its key; nothing looks through a table.
    #[test]
    fn every_look_up_goes_by_a_key() {
        for text in
            [BY_CODE, CHAIN, DOC, TAKEN, PASS, PASSES, WALLET, CREDIT, TALLY, BY_KEY, OPERATION, ENTRIES]
        {
            let steps = crate::schema::plan_of(text);
            assert!(steps.iter().all(|step| step.starts_with("SEARCH")), "{text}: {steps:?}");
        }
    }
}

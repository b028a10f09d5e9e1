//! Audits: everything of a business, read from the tables themselves, and what is wrong with the file.

use crate::codec::{
    Columns, credit_columns, doc_kind, entry_columns, operation_columns, pass_columns, signed,
};
use crate::connection::Db;
use crate::errors::Fault;
use passes_core::id::{BusinessId, Id, LotId};
use passes_core::ledger::StoredEntry;
use passes_core::passcode::Digest;
use passes_core::store::{AuditRow, Auditor, DocKey, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{Row, Rows};
use std::sync::Arc;

const DOCS: &str =
    "SELECT kind,id,version,parent_kind,parent_id,body FROM doc WHERE business=?1 ORDER BY kind,id";
const PASSES: &str = concat!(
    "SELECT ",
    pass_columns!(),
    " FROM lot o CROSS JOIN pass p ON p.lot=o.num WHERE o.business=?1 ORDER BY o.id,p.serial"
);
const CREDITS: &str = concat!(
    "SELECT o.num IS NULL,",
    credit_columns!(),
    " FROM credit c LEFT JOIN lot o ON o.num=c.lot AND o.business=c.business \
     WHERE c.business=?1 ORDER BY c.contact,c.id"
);
const TALLIES: &str = "SELECT id,slot,used,held,lim FROM tally WHERE business=?1 ORDER BY id,slot";
const CODES: &str = "SELECT c.digest,o.id,c.serial FROM code c \
     LEFT JOIN lot o ON o.num=c.lot AND o.business=c.business WHERE c.business=?1 ORDER BY c.digest";
const KEYS: &str = "SELECT key,operation,stops FROM opkey WHERE business=?1 ORDER BY key";
// Of all businesses: numbers are given one after the other in the whole file, so only there a gap shows.
const OPERATIONS: &str = concat!(
    "SELECT o.number,b.num,o.entries,o.first_entry,o.fingerprint IS NOT NULL,",
    operation_columns!(),
    " FROM operation o LEFT JOIN business b ON b.num=o.business WHERE o.number>?1 ORDER BY o.number"
);
const ENTRIES: &str = concat!(
    "SELECT e.number,e.operation,o.business,",
    entry_columns!(),
    " FROM entry e LEFT JOIN operation o ON o.number=e.operation WHERE e.number>=?1 ORDER BY e.number"
);
const FIRST_ENTRY: &str =
    "SELECT ifnull((SELECT first_entry FROM operation WHERE number>?1 ORDER BY number LIMIT 1),?2)";

/// How many faults SQLite's own check tells.
const CHECK: &str = "PRAGMA integrity_check(100)";

/// The numbers in a column that begins a key, which name no row where they should. It goes from one to the next
/// and not from row to row.
macro_rules! strangers {
    ($table:literal, $column:literal, $of:literal) => {
        concat!(
            "WITH RECURSIVE t(n) AS (SELECT min(",
            $column,
            ") FROM ",
            $table,
            " UNION ALL SELECT (SELECT min(",
            $column,
            ") FROM ",
            $table,
            " WHERE ",
            $column,
            ">t.n) FROM t WHERE t.n IS NOT NULL) SELECT n,'",
            $table,
            "','",
            $of,
            "' FROM t WHERE n IS NOT NULL AND n NOT IN (SELECT num FROM ",
            $of,
            ")"
        )
    };
}

const STRANGERS: [&str; 7] = [
    strangers!("lot", "business", "business"),
    strangers!("code", "business", "business"),
    strangers!("pass", "lot", "lot"),
    strangers!("credit", "business", "business"),
    strangers!("doc", "business", "business"),
    strangers!("tally", "business", "business"),
    strangers!("opkey", "business", "business"),
];

impl Db {
    /// All rows of a business, in one pass over each table.
    pub(crate) fn audit(&self, business: BusinessId, each: &mut Auditor) -> Result<(), Fault> {
        let Some(business) = self.business(business)? else { return Ok(()) };
        self.check(each)?;
        self.each("document", 0..2, DOCS, business, each, |c| {
            let key = DocKey { kind: doc_kind(c.next()?)?, id: c.next()? };
            c.doc(key).map(AuditRow::Doc)
        })?;
        self.each("pass", 0..2, PASSES, business, each, |c| Ok(AuditRow::Pass(Box::new(c.pass()?))))?;
        self.books(business, 0, true, each)?;
        self.each("credit", 1..3, CREDITS, business, each, |c| {
            if c.next()? {
                return Err(Fault::corrupt("its lot is not there: it"));
            }
            Ok(AuditRow::Credit(Box::new(c.credit()?)))
        })?;
        self.each("tally", 0..2, TALLIES, business, each, |c| {
            Ok(AuditRow::Tally(c.next()?, c.next()?, c.tally()?))
        })?;
        self.each("code of serial number", 2..3, CODES, business, each, |c| {
            let (digest, lot): (_, Option<[u8; 16]>) = (c.next()?, c.next()?);
            let lot = LotId::from_bytes(lot.ok_or_else(|| Fault::corrupt("its lot is not there: it"))?);
            Ok(AuditRow::Code(Digest::from_bytes(digest), lot.pass(c.next()?)))
        })?;
        self.each("key of operation", 1..2, KEYS, business, each, |c| {
            Ok(AuditRow::Key(c.next()?, c.number()?, c.next()?))
        })
    }

    /// The operations above a number, each with its entries behind it.
    pub(crate) fn ledger(&self, business: BusinessId, after: u64, each: &mut Auditor) -> Result<(), Fault> {
        match self.business(business)? {
            Some(business) => self.books(business, after, false, each),
            None => Ok(()),
        }
    }

    /// What SQLite finds wrong in the file, and rows of which nobody would know.
    fn check(&self, each: &mut Auditor) -> Result<(), Fault> {
        let mut found: Vec<String> = self.all(CHECK, [], |c| c.next())?;
        found.retain(|text| text != "ok");
        for text in STRANGERS {
            found.extend(self.all(text, [], |c| {
                let (number, table, of): (i64, String, String) = (c.next()?, c.next()?, c.next()?);
                Ok(format!("rows of {table} belong to {of} number {number}, which is not there"))
            })?);
        }
        found.into_iter().map(AuditRow::Fault).for_each(each);
        Ok(())
    }

    /// `named` are the columns by which people find the row.
    fn each(
        &self,
        what: &str,
        named: std::ops::Range<usize>,
        text: &str,
        business: i64,
        each: &mut Auditor,
        read: impl Fn(&mut Columns<'_, '_>) -> Result<AuditRow, Fault>,
    ) -> Result<(), Fault> {
        let mut statement = self.statement(text)?;
        let mut rows = statement.query([business])?;
        while let Some(row) = rows.next()? {
            let name = || named.clone().fold(what.to_owned(), |name, at| name + " " + &shown(row, at));
            each(told(name, read(&mut Columns::new(row)))?);
        }
        Ok(())
    }

    /// Operations and entries, in step. `whole` says whether all are read, so that gaps are judged.
    fn books(&self, business: i64, after: u64, whole: bool, each: &mut Auditor) -> Result<(), Fault> {
        let first = self.all(FIRST_ENTRY, [signed(after), i64::MAX], |c| c.next::<i64>())?;
        let (mut operations, mut entries) = (self.statement(OPERATIONS)?, self.statement(ENTRIES)?);
        let mut operations = operations.query([signed(after)])?;
        let mut entries = Entries {
            rows: entries.query([first.first().copied().unwrap_or(i64::MAX)])?,
            business,
            next: None,
            numbers: whole.then(|| Numbers::new("entries")),
        };
        entries.advance(each)?;
        let mut numbers = whole.then(|| Numbers::new("operations"));
        while let Some(row) = operations.next()? {
            let operation = Head::read(row)?;
            numbers.iter_mut().for_each(|numbers| numbers.come_to(operation.number, each));
            if operation.business.is_none() {
                each(AuditRow::Fault(format!("operation {} belongs to no business", operation.number)));
            }
            let own = operation.business == Some(business);
            if own {
                each(told(|| format!("operation {}", operation.number), operation.row(row))?);
            }
            entries.follow(&operation, own, each)?;
        }
        let rest = Head { number: i64::MAX, business: None, entries: 0, first_entry: 0, keyed: false };
        entries.follow(&rest, false, each)
    }
}

/// A row as it is told: one that can't be read as a fault. That the file can't be read at all ends the audit.
fn told(name: impl FnOnce() -> String, row: Result<AuditRow, Fault>) -> Result<AuditRow, Fault> {
    match row.map_err(StoreError::from) {
        Err(StoreError::Corrupt(why)) => Ok(AuditRow::Fault(format!("{}: {why}", name()))),
        row => Ok(row?),
    }
}

/// A column for people: a number, or the digits of an id.
fn shown(row: &Row<'_>, at: usize) -> String {
    match row.get_ref(at) {
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Blob(bytes)) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => "?".to_owned(),
    }
}

/// The numbers of a table, of which none is left out.
struct Numbers {
    what: &'static str,
    last: i64,
}

impl Numbers {
    fn new(what: &'static str) -> Self {
        Self { what, last: 0 }
    }

    fn come_to(&mut self, number: i64, each: &mut Auditor) {
        let missing = self.last.saturating_add(1);
        if number != missing {
            let (what, before) = (self.what, number.saturating_sub(1));
            each(AuditRow::Fault(format!("the {what} {missing} to {before} are gone")));
        }
        self.last = number;
    }
}

/// What is judged of an operation before the rest of it is read.
struct Head {
    number: i64,
    business: Option<i64>,
    entries: i64,
    first_entry: i64,
    keyed: bool,
}

impl Head {
    fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let mut columns = Columns::new(row);
        Ok(Self {
            number: columns.next()?,
            business: columns.next()?,
            entries: columns.next()?,
            first_entry: columns.next()?,
            keyed: columns.next()?,
        })
    }

    fn row(&self, row: &Row<'_>) -> Result<AuditRow, Fault> {
        let mut columns = Columns::new(row);
        columns.skip(5);
        let stored = Arc::new(columns.operation()?);
        let entries = u64::try_from(self.entries).map_err(|_| Fault::corrupt("a number"))?;
        Ok(AuditRow::Operation { stored, keyed: self.keyed, entries })
    }

    /// Whether an entry of this operation is where the operation says.
    fn has(&self, entry: i64) -> bool {
        entry.checked_sub(self.first_entry).is_some_and(|at| (0..self.entries).contains(&at))
    }
}

/// An entry that was read, and is not told yet.
struct Next {
    number: i64,
    operation: i64,
    /// Of another business there is nothing to tell.
    entry: Option<Result<StoredEntry, String>>,
}

/// The entries of all businesses, in the order of their numbers.
struct Entries<'s> {
    rows: Rows<'s>,
    business: i64,
    next: Option<Next>,
    numbers: Option<Numbers>,
}

impl Entries<'_> {
    fn advance(&mut self, each: &mut Auditor) -> Result<(), Fault> {
        self.next = None;
        let Some(row) = self.rows.next()? else { return Ok(()) };
        let mut columns = Columns::new(row);
        let (number, operation): (i64, i64) = (columns.next()?, columns.next()?);
        let business: Option<i64> = columns.next()?;
        self.numbers.iter_mut().for_each(|numbers| numbers.come_to(number, each));
        let entry = match business {
            Some(business) if business == self.business => match columns.entry().map_err(StoreError::from) {
                Err(StoreError::Corrupt(why)) => Some(Err(format!("entry {number}: {why}"))),
                entry => Some(Ok(entry?)),
            },
            Some(_) => None,
            None => Some(Err(format!("entry {number} belongs to operation {operation}, which is not there"))),
        };
        self.next = Some(Next { number, operation, entry });
        Ok(())
    }

    /// Tells the entries up to those of an operation.
    fn follow(&mut self, operation: &Head, own: bool, each: &mut Auditor) -> Result<(), Fault> {
        while let Some(next) = self.next.take_if(|next| next.operation <= operation.number) {
            match next.entry {
                Some(Ok(entry)) => each(AuditRow::Entry(entry)),
                Some(Err(why)) => each(AuditRow::Fault(why)),
                None => {}
            }
            if own && next.operation == operation.number && !operation.has(next.number) {
                let (number, of) = (next.number, operation.number);
                each(AuditRow::Fault(format!("entry {number} is not where operation {of} says")));
            }
            self.advance(each)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1, D-7: an audit goes through each table once, in the order of its key: nothing is sorted.
    #[test]
    fn an_audit_sorts_nothing() {
        for text in [DOCS, PASSES, CREDITS, TALLIES, CODES, KEYS, OPERATIONS, ENTRIES, FIRST_ENTRY] {
            let steps = crate::schema::plan_of(text);
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{text}: {steps:?}");
        }
        for text in STRANGERS {
            let steps = crate::schema::plan_of(text);
            let scans = steps.iter().filter(|step| step.starts_with("SCAN") && !step.contains("SCAN t"));
            assert_eq!(scans.count(), 0, "{text}: {steps:?}");
        }
    }
}

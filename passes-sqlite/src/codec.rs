//! Rows to columns and back.

use crate::errors::Fault;
use passes_core::calendar::Instant;
use passes_core::id::{ContactId, CreditId, Id, LotId, PassId};
use passes_core::ledger::{Account, Entry, Mark, StoredEntry, Subject, Unit};
use passes_core::operation::Kind;
use passes_core::pass::{CreditRow, PassRow, Standing, Tally};
use passes_core::store::{Doc, DocKey, DocKind, Operation, StoredOperation};
use rusqlite::Row;
use rusqlite::types::{FromSql, ToSqlOutput, ValueRef};
use std::sync::Arc;

/// The columns of a pass (`p`) and its lot (`o`), in the order in which [`Columns::pass`] reads them.
macro_rules! pass_columns {
    () => {
        "o.id,p.serial,p.version,p.standing,p.flags,p.activated,p.redeem_by,p.value,p.uses_used,p.uses_held,p.uses_lim,\
         p.balance_used,p.balance_held,p.balance_lim,p.granted_used,p.granted_held,p.granted_lim,p.holder,\
         p.successor,p.sale,p.code_try,p.fields,p.last"
    };
}

/// The columns of a credit (`c`) and the lot of its pass (`o`), in the order in which [`Columns::credit`] reads them.
macro_rules! credit_columns {
    () => {
        "c.contact,c.id,c.version,o.id,c.serial,c.mark,c.spend_by,c.created,c.used,c.held,c.lim,c.last"
    };
}

/// The columns of an operation (`o`), in the order in which [`Columns::operation`] reads them.
macro_rules! operation_columns {
    () => {
        "o.number,o.id,o.kind,o.at,o.booked,o.actor,o.place,o.channel,o.reason,o.after,o.receipt,o.events"
    };
}

/// The columns of an entry (`e`) and its operation (`o`), in the order in which [`Columns::entry`] reads them.
macro_rules! entry_columns {
    () => {
        "e.number,e.operation,o.at,o.booked,e.from_account,e.from_subject,e.to_account,e.to_subject,e.unit,\
         e.amount,e.mark,e.line,e.before_from,e.before_to"
    };
}

pub(crate) use {credit_columns, entry_columns, operation_columns, pass_columns};

/// A number of ours, which SQLite keeps as a signed one.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads the columns of a row from left to right.
pub(crate) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    at: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(crate) fn new(row: &'r Row<'s>) -> Self {
        Self { row, at: 0 }
    }

    pub(crate) fn next<T: FromSql>(&mut self) -> Result<T, Fault> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    /// Passes over so many columns.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.at += columns;
    }

    fn raw(&mut self) -> Result<ValueRef<'r>, Fault> {
        let value = self.row.get_ref(self.at)?;
        self.at += 1;
        Ok(value)
    }

    pub(crate) fn id<T: Id>(&mut self) -> Result<T, Fault> {
        Ok(T::from_bytes(self.next()?))
    }

    /// A pass's id, by its lot and its serial number.
    fn pass_id(&mut self) -> Result<PassId, Fault> {
        let lot: LotId = self.id()?;
        Ok(lot.pass(self.next()?))
    }

    fn id_or_none<T: Id>(&mut self) -> Result<Option<T>, Fault> {
        Ok(self.next::<Option<_>>()?.map(T::from_bytes))
    }

    pub(crate) fn number(&mut self) -> Result<u64, Fault> {
        u64::try_from(self.next::<i64>()?).map_err(|_| Fault::corrupt("a number"))
    }

    fn instant(&mut self) -> Result<Instant, Fault> {
        Instant::from_micros(self.next()?).map_err(|_| Fault::corrupt("an instant"))
    }

    fn instant_or_none(&mut self) -> Result<Option<Instant>, Fault> {
        let micros: Option<i64> = self.next()?;
        micros.map(Instant::from_micros).transpose().map_err(|_| Fault::corrupt("an instant"))
    }

    pub(crate) fn tally(&mut self) -> Result<Tally, Fault> {
        Ok(Tally { used: self.next()?, held: self.next()?, limit: self.next()? })
    }

    /// Copied only when it is there.
    fn bytes_or_none(&mut self) -> Result<Option<&'r [u8]>, Fault> {
        self.raw()?.as_blob_or_null().map_err(|_| Fault::corrupt("bytes"))
    }

    fn bytes(&mut self) -> Result<&'r [u8], Fault> {
        self.bytes_or_none()?.ok_or_else(|| Fault::corrupt("bytes"))
    }

    fn text_or_none(&mut self) -> Result<Option<Arc<str>>, Fault> {
        Ok(self.raw()?.as_str_or_null().map_err(|_| Fault::corrupt("a text"))?.map(Arc::from))
    }

    /// A document's version, parent and body. `key` is known where it was asked for.
    pub(crate) fn doc(&mut self, key: DocKey) -> Result<Doc, Fault> {
        self.doc_or_none(Some(key))?.ok_or_else(|| Fault::corrupt("a document"))
    }

    /// The same of a document that a join may not have found: then nothing, and the columns are passed over.
    pub(crate) fn doc_or_none(&mut self, key: Option<DocKey>) -> Result<Option<Doc>, Fault> {
        let version: Option<u32> = self.next()?;
        let kind: Option<u8> = self.next()?;
        let id: Option<[u8; 16]> = self.next()?;
        let body = self.bytes_or_none()?;
        let (Some(key), Some(version), Some(body)) = (key, version, body) else { return Ok(None) };
        let parent = match (kind, id) {
            (Some(kind), Some(id)) => Some(DocKey { kind: doc_kind(kind)?, id }),
            _ => None,
        };
        Ok(Some(Doc { key, version, parent, body: body.into() }))
    }

    pub(crate) fn pass(&mut self) -> Result<PassRow, Fault> {
        Ok(PassRow {
            id: self.pass_id()?,
            version: self.next()?,
            standing: Standing::from_number(self.next()?).ok_or_else(|| Fault::corrupt("a standing"))?,
            flags: self.next()?,
            activated: self.instant_or_none()?,
            redeem_by: self.instant_or_none()?,
            value: self.next()?,
            uses: self.tally()?,
            balance: self.tally()?,
            granted: self.tally()?,
            holder: self.id_or_none()?,
            successor: self.id_or_none()?,
            sale: self.id_or_none()?,
            code_try: self.next()?,
            fields: self.bytes_or_none()?.map(Box::from),
            last: self.number()?,
        })
    }

    pub(crate) fn credit(&mut self) -> Result<CreditRow, Fault> {
        Ok(CreditRow {
            contact: self.id()?,
            id: self.id()?,
            version: self.next()?,
            pass: self.pass_id()?,
            mark: self.mark()?,
            spend_by: self.instant_or_none()?,
            created: self.instant()?,
            amount: self.tally()?,
            last: self.number()?,
        })
    }

    fn mark(&mut self) -> Result<Mark, Fault> {
        Mark::from_number(self.next()?).ok_or_else(|| Fault::corrupt("a mark"))
    }

    /// An operation without its key, which stands in a table of its own.
    pub(crate) fn operation(&mut self) -> Result<StoredOperation, Fault> {
        let number = self.number()?;
        let id = self.id()?;
        let kind = Kind::from_number(self.next()?).ok_or_else(|| Fault::corrupt("an operation's kind"))?;
        let (at, booked) = (self.instant()?, self.instant()?);
        let actor = self.text_or_none()?.ok_or_else(|| Fault::corrupt("an actor"))?;
        let (place, channel, reason) = (self.text_or_none()?, self.text_or_none()?, self.text_or_none()?);
        let after = tallies(self.bytes()?)?;
        let (receipt, events) = (self.bytes()?.to_vec(), self.bytes()?.to_vec());
        let (key, stops) = (None, None);
        let operation =
            Operation { id, kind, actor, place, channel, reason, at, booked, key, stops, receipt, events };
        Ok(StoredOperation { number, operation, after })
    }

    pub(crate) fn entry(&mut self) -> Result<StoredEntry, Fault> {
        let (number, operation) = (self.number()?, self.number()?);
        let (at, booked) = (self.instant()?, self.instant()?);
        let (from, to) = (self.side()?, self.side()?);
        let unit = Unit::from_number(self.next()?).ok_or_else(|| Fault::corrupt("a unit"))?;
        let (amount, mark, line) = (self.next()?, self.mark()?, self.next()?);
        let (before_from, before_to) = (self.number()?, self.number()?);
        let entry = Entry { from, to, unit, amount, mark, line };
        Ok(StoredEntry { number, operation, at, booked, entry, before_from, before_to })
    }

    fn side(&mut self) -> Result<(Account, Subject), Fault> {
        let account = Account::from_number(self.next()?).ok_or_else(|| Fault::corrupt("an account"))?;
        Ok((account, subject(self.bytes_or_none()?)?))
    }
}

pub(crate) fn doc_kind(number: u8) -> Result<DocKind, Fault> {
    DocKind::from_number(number).ok_or_else(|| Fault::corrupt("a document's kind"))
}

/// A subject as it is stored, without a heap allocation.
pub(crate) enum SubjectBytes {
    None,
    Pass([u8; 16]),
    Passes([u8; 20]),
    Credit([u8; 32]),
}

impl SubjectBytes {
    pub(crate) fn of(subject: &Subject) -> Self {
        match *subject {
            Subject::None => Self::None,
            Subject::Pass(pass) => Self::Pass(pass.to_bytes()),
            Subject::Passes { first, count } => Self::Passes(join(&first.to_bytes(), &count.to_be_bytes())),
            Subject::Credit(contact, credit) => Self::Credit(join(&contact.to_bytes(), &credit.to_bytes())),
        }
    }
}

impl rusqlite::ToSql for SubjectBytes {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::None => ValueRef::Null,
            Self::Pass(bytes) => ValueRef::Blob(bytes),
            Self::Passes(bytes) => ValueRef::Blob(bytes),
            Self::Credit(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Two byte strings, one after the other. `N` is the sum of their lengths.
fn join<const N: usize>(left: &[u8], right: &[u8]) -> [u8; N] {
    let mut joined = [0; N];
    joined.iter_mut().zip(left.iter().chain(right)).for_each(|(to, from)| *to = *from);
    joined
}

fn subject(bytes: Option<&[u8]>) -> Result<Subject, Fault> {
    let Some(bytes) = bytes else { return Ok(Subject::None) };
    let (head, tail) = bytes.split_first_chunk::<16>().ok_or_else(|| Fault::corrupt("an entry's subject"))?;
    if tail.is_empty() {
        Ok(Subject::Pass(PassId::from_bytes(*head)))
    } else if let Ok(count) = <[u8; 4]>::try_from(tail) {
        Ok(Subject::Passes { first: PassId::from_bytes(*head), count: u32::from_be_bytes(count) })
    } else if let Ok(credit) = <[u8; 16]>::try_from(tail) {
        Ok(Subject::Credit(ContactId::from_bytes(*head), CreditId::from_bytes(credit)))
    } else {
        Err(Fault::corrupt("an entry's subject"))
    }
}

/// Tallies as an operation keeps them: their count, then three variable-length numbers each.
pub(crate) fn pack(tallies: &[Tally]) -> Result<Vec<u8>, Fault> {
    postcard::to_allocvec(tallies).map_err(|error| Fault::broken(&error.to_string()))
}

fn tallies(bytes: &[u8]) -> Result<Vec<Tally>, Fault> {
    postcard::from_bytes(bytes).map_err(|_| Fault::corrupt("an operation's tallies"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W-1: every kind of subject comes back as it was stored, and nothing else is taken for one.
    #[test]
    fn subjects_come_back() {
        let lot: LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        let (contact, credit) = (ContactId::from_bytes([3; 16]), CreditId::from_bytes([4; 16]));
        let all = [
            Subject::None,
            Subject::Pass(lot.pass(7)),
            Subject::Passes { first: lot.pass(1), count: u32::MAX },
            Subject::Credit(contact, credit),
        ];
        for given in all {
            let stored = SubjectBytes::of(&given);
            let ToSqlOutput::Borrowed(value) = rusqlite::ToSql::to_sql(&stored).unwrap() else { panic!() };
            assert_eq!(subject(value.as_blob_or_null().unwrap()).unwrap(), given);
        }
        for length in [0, 15, 17, 19, 21, 31, 33] {
            assert!(subject(Some(&vec![1; length])).is_err(), "{length}");
        }
    }

    /// the values that tallies had after an operation come back exactly, and take few bytes.
    #[test]
    fn tallies_are_packed() {
        let given =
            [Tally { used: i64::MAX, held: 0, limit: i64::MAX }, Tally { used: 1, held: 0, limit: 1 }];
        let packed = pack(&given).unwrap();
        assert_eq!(tallies(&packed).unwrap(), given);
        assert_eq!(pack(given.get(1..).unwrap()).unwrap().len(), 4);
        assert!(tallies(&[2, 0]).is_err());
    }
}

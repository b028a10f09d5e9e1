//! Rows as they travel: the same columns whatever they hold, so that one statement can answer with rows of many
//! kinds.
//!
//! A row has a number that tells its kind, then integers, bytes, texts and a list of integers. Each kind fills the
//! first of each, in the order in which it is read here.

use crate::errors::corrupt;
use crate::values::{AnyBytes, AnyInt};
use passes_core::calendar::Instant;
use passes_core::id::{ContactId, CreditId, Id, LotId, PassId};
use passes_core::ledger::{Account, Entry, Mark, StoredEntry, Subject, Unit};
use passes_core::operation::Kind;
use passes_core::pass::{CreditRow, PassRow, Standing, Tally};
use passes_core::store::{Doc, DocKey, DocKind, Operation, StoreError, StoredOperation};
use std::fmt::Write;
use std::sync::Arc;
use tokio_postgres::Row;

/// How many integers, bytes and texts every row has.
const INTS: usize = 18;
const BYTES: usize = 5;
const TEXTS: usize = 4;

/// Where the texts of a row begin.
pub(crate) const FIRST_TEXT: usize = 1 + INTS + BYTES;

/// What a row holds: the expressions of its columns.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    ints: &'static [&'static str],
    bytes: &'static [&'static str],
    texts: &'static [&'static str],
    list: &'static str,
}

/// A pass `p`.
pub(crate) const PASS: Part = Part {
    ints: &[
        "p.serial",
        "p.version",
        "p.standing",
        "p.flags",
        "p.activated",
        "p.redeem_by",
        "p.value",
        "p.uses_used",
        "p.uses_held",
        "p.uses_lim",
        "p.balance_used",
        "p.balance_held",
        "p.balance_lim",
        "p.granted_used",
        "p.granted_held",
        "p.granted_lim",
        "p.code_try",
        "p.last",
    ],
    bytes: &[
        "uuid_send(p.lot)",
        "uuid_send(p.holder)",
        "uuid_send(p.successor)",
        "uuid_send(p.sale)",
        "p.fields",
    ],
    texts: &[],
    list: "",
};

/// A credit `c`.
pub(crate) const CREDIT: Part = Part {
    ints: &[
        "c.serial",
        "c.version",
        "c.mark",
        "c.spend_by",
        "c.created",
        "c.used",
        "c.held",
        "c.lim",
        "c.last",
    ],
    bytes: &["uuid_send(c.contact)", "uuid_send(c.id)", "uuid_send(c.lot)"],
    texts: &[],
    list: "",
};

/// A document `d`.
pub(crate) const DOC: Part = Part {
    ints: &["d.kind", "d.version", "d.parent_kind"],
    bytes: &["uuid_send(d.id)", "uuid_send(d.parent_id)", "d.body"],
    texts: &[],
    list: "",
};

/// An operation `o`.
pub(crate) const OPERATION: Part = Part {
    ints: &["o.number", "o.kind", "o.at", "o.booked", "o.entries"],
    bytes: &["uuid_send(o.id)", "o.receipt", "o.events", "uuid_send(o.fingerprint)"],
    texts: &["o.actor", "o.place", "o.channel", "o.reason"],
    list: "o.after",
};

/// The same, and whether it stops the key `k` by which it was found.
pub(crate) const KEYED: Part =
    Part { ints: &["o.number", "o.kind", "o.at", "o.booked", "o.entries", "k.stops::int4"], ..OPERATION };

/// An entry `e`, with the columns that say when its operation was, and when that was booked.
macro_rules! entry {
    ($at:literal, $booked:literal) => {
        Part {
            ints: &[
                "e.number",
                "e.number-e.nth",
                $at,
                $booked,
                "e.from_account",
                "e.to_account",
                "e.unit",
                "e.amount",
                "e.mark",
                "e.line",
                "e.before_from",
                "e.before_to",
            ],
            bytes: &["e.from_subject", "e.to_subject"],
            texts: &[],
            list: "",
        }
    };
}

/// An entry and its operation `o`.
pub(crate) const ENTRY: Part = entry!("o.at", "o.booked");

/// An entry that comes right behind its operation, which says when it was.
pub(crate) const ENTRY_ALONE: Part = entry!("0", "0");

/// A named tally `t`.
pub(crate) const TALLY: Part = Part {
    ints: &["t.slot", "t.used", "t.held", "t.lim"],
    bytes: &["uuid_send(t.id)"],
    texts: &[],
    list: "",
};

/// The place in the question of a code that is taken.
pub(crate) const TAKEN: Part = Part { ints: &["q.ord"], bytes: &[], texts: &[], list: "" };

/// A code `c`.
pub(crate) const CODE: Part =
    Part { ints: &["c.serial"], bytes: &["c.digest", "uuid_send(c.lot)"], texts: &[], list: "" };

/// An idempotency key `k`.
pub(crate) const KEY: Part =
    Part { ints: &["k.operation", "k.stops::int4"], bytes: &["uuid_send(k.key)"], texts: &[], list: "" };

impl Part {
    /// The columns of rows that are of this kind alone, of a row that goes by this name; its first is never NULL.
    pub(crate) fn columns(&self, name: &str) -> String {
        let all = [self.ints, self.bytes, self.texts].concat().into_iter();
        let all = all.chain((!self.list.is_empty()).then_some(self.list));
        // As they are stored: each function that would change a column's type costs the server more than the column.
        let bare = |column: &str| {
            let column = column.trim_start_matches("uuid_send(").trim_end_matches(')');
            let column = column.split("::").next().unwrap_or_default();
            column.strip_prefix("d.").map_or_else(|| column.to_owned(), |rest| format!("{name}.{rest}"))
        };
        all.map(bare).collect::<Vec<_>>().join(",")
    }

    /// How many columns that are.
    pub(crate) fn width(&self) -> usize {
        self.ints.len() + self.bytes.len() + self.texts.len() + usize::from(!self.list.is_empty())
    }

    /// `SELECT` and its columns, for rows of this kind.
    pub(crate) fn select(&self, kind: u8) -> String {
        let mut text = format!("SELECT {kind}::int8 AS kind");
        columns(&mut text, "n", "int8", self.ints, INTS);
        columns(&mut text, "b", "bytea", self.bytes, BYTES);
        columns(&mut text, "s", "text", self.texts, TEXTS);
        let list = if self.list.is_empty() { "NULL" } else { self.list };
        // Writing to a string can't fail.
        let _ = write!(text, ",{list}::int8[] AS a ");
        text
    }
}

fn columns(text: &mut String, name: &str, ty: &str, given: &[&str], all: usize) {
    let rest = std::iter::repeat_n("NULL", all.saturating_sub(given.len()));
    for (at, column) in given.iter().copied().chain(rest).enumerate() {
        let _ = write!(text, ",({column})::{ty} AS {name}{at}");
    }
}

/// Reads the columns of a row, each kind from left to right.
pub(crate) struct Columns<'r> {
    row: &'r Row,
    int: usize,
    bytes: usize,
    text: usize,
    list: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn new(row: &'r Row) -> Self {
        Self { row, int: 1, bytes: 1 + INTS, text: FIRST_TEXT, list: FIRST_TEXT + TEXTS }
    }

    /// Those of [`Part::columns`], from this one on.
    pub(crate) fn of_part(row: &'r Row, part: &Part, from: usize) -> Self {
        let bytes = from + part.ints.len();
        let text = bytes + part.bytes.len();
        Self { row, int: from, bytes, text, list: text + part.texts.len() }
    }

    /// Whether there is no such row.
    pub(crate) fn is_absent(&self) -> Result<bool, StoreError> {
        let first: Option<AnyInt> = self.row.try_get(self.int).map_err(|_| corrupt("a number"))?;
        Ok(first.is_none())
    }

    /// The number that tells the kind.
    pub(crate) fn kind(row: &Row) -> Result<i64, StoreError> {
        row.try_get(0).map_err(|_| corrupt("a row"))
    }

    fn int_or_none(&mut self) -> Result<Option<i64>, StoreError> {
        self.int += 1;
        let int: Option<AnyInt> = self.row.try_get(self.int - 1).map_err(|_| corrupt("a number"))?;
        Ok(int.map(|AnyInt(int)| int))
    }

    /// An integer; none is 0, as it is stored.
    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        Ok(self.int_or_none()?.unwrap_or_default())
    }

    fn small<T: TryFrom<i64>>(&mut self, what: &str) -> Result<T, StoreError> {
        T::try_from(self.int()?).map_err(|_| corrupt(what))
    }

    /// 32 bits that are stored as a signed number.
    fn bits(&mut self) -> Result<u32, StoreError> {
        Ok(self.small::<i32>("32 bits")?.cast_unsigned())
    }

    pub(crate) fn number(&mut self) -> Result<u64, StoreError> {
        self.small("a number")
    }

    /// A place in the question.
    /// The id and slot of a named tally, and what it comes to.
    pub(crate) fn named_tally(&mut self) -> Result<([u8; 16], u16, Tally), StoreError> {
        let slot = u16::try_from(self.place()?).map_err(|_| corrupt("a slot"))?;
        let tally = self.tally()?;
        Ok((self.id()?, slot, tally))
    }

    pub(crate) fn place(&mut self) -> Result<usize, StoreError> {
        self.small("a place")
    }

    fn instant_or_none(&mut self) -> Result<Option<Instant>, StoreError> {
        self.int_or_none()?.map(Instant::from_micros).transpose().map_err(|_| corrupt("an instant"))
    }

    fn instant(&mut self) -> Result<Instant, StoreError> {
        self.instant_or_none()?.ok_or_else(|| corrupt("an instant"))
    }

    pub(crate) fn tally(&mut self) -> Result<Tally, StoreError> {
        Ok(Tally { used: self.int()?, held: self.int()?, limit: self.int()? })
    }

    fn bytes_or_none(&mut self) -> Result<Option<&'r [u8]>, StoreError> {
        self.bytes += 1;
        let bytes: Option<AnyBytes<'r>> = self.row.try_get(self.bytes - 1).map_err(|_| corrupt("bytes"))?;
        Ok(bytes.map(|AnyBytes(bytes)| bytes))
    }

    fn bytes(&mut self) -> Result<&'r [u8], StoreError> {
        self.bytes_or_none()?.ok_or_else(|| corrupt("bytes"))
    }

    fn id_or_none(&mut self) -> Result<Option<[u8; 16]>, StoreError> {
        self.bytes_or_none()?.map(<[u8; 16]>::try_from).transpose().map_err(|_| corrupt("an id"))
    }

    pub(crate) fn id(&mut self) -> Result<[u8; 16], StoreError> {
        self.id_or_none()?.ok_or_else(|| corrupt("an id"))
    }

    pub(crate) fn digest(&mut self) -> Result<[u8; 32], StoreError> {
        self.bytes()?.try_into().map_err(|_| corrupt("a digest"))
    }

    fn text_or_none(&mut self) -> Result<Option<Arc<str>>, StoreError> {
        self.text += 1;
        let text: Option<&str> = self.row.try_get(self.text - 1).map_err(|_| corrupt("a text"))?;
        Ok(text.map(Arc::from))
    }

    fn list(&self) -> Result<Vec<i64>, StoreError> {
        let list: Option<Vec<i64>> = self.row.try_get(self.list).map_err(|_| corrupt("a list of numbers"))?;
        Ok(list.unwrap_or_default())
    }

    fn lot(&mut self) -> Result<LotId, StoreError> {
        Ok(LotId::from_bytes(self.id()?))
    }

    pub(crate) fn serial(&mut self) -> Result<u32, StoreError> {
        self.small("a serial number")
    }

    /// The pass with this serial number, of the lot whose id comes next.
    pub(crate) fn pass_of(&mut self, serial: u32) -> Result<PassId, StoreError> {
        Ok(self.lot()?.pass(serial))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    fn mark(&mut self) -> Result<Mark, StoreError> {
        Mark::from_number(self.small("a mark")?).ok_or_else(|| corrupt("a mark"))
    }

    pub(crate) fn doc(&mut self) -> Result<Doc, StoreError> {
        let (kind, version) = (self.small("a document's kind")?, self.small("a version")?);
        let parent_kind = self.int_or_none()?;
        let (id, parent_id) = (self.id()?, self.id_or_none()?);
        let body = self.bytes()?.into();
        let parent = match (parent_kind, parent_id) {
            (Some(kind), Some(id)) => {
                let kind = u8::try_from(kind).map_err(|_| corrupt("a document's kind"))?;
                Some(DocKey { kind: doc_kind(kind)?, id })
            }
            _ => None,
        };
        Ok(Doc { key: DocKey { kind: doc_kind(kind)?, id }, version, parent, body })
    }

    pub(crate) fn pass(&mut self) -> Result<PassRow, StoreError> {
        let serial = self.serial()?;
        let version = self.small("a version")?;
        let standing =
            Standing::from_number(self.small("a standing")?).ok_or_else(|| corrupt("a standing"))?;
        let flags = self.bits()?;
        let (activated, redeem_by) = (self.instant_or_none()?, self.instant_or_none()?);
        let value = self.int_or_none()?;
        let (uses, balance, granted) = (self.tally()?, self.tally()?, self.tally()?);
        let (code_try, last) = (self.bits()?, self.number()?);
        Ok(PassRow {
            id: self.pass_of(serial)?,
            version,
            standing,
            flags,
            activated,
            redeem_by,
            value,
            uses,
            balance,
            granted,
            holder: self.id_or_none()?.map(Id::from_bytes),
            successor: self.id_or_none()?.map(Id::from_bytes),
            sale: self.id_or_none()?.map(Id::from_bytes),
            code_try,
            fields: self.bytes_or_none()?.map(Box::from),
            last,
        })
    }

    pub(crate) fn credit(&mut self) -> Result<CreditRow, StoreError> {
        let serial = self.serial()?;
        let (version, mark) = (self.small("a version")?, self.mark()?);
        let (spend_by, created) = (self.instant_or_none()?, self.instant()?);
        let (amount, last) = (self.tally()?, self.number()?);
        Ok(CreditRow {
            contact: ContactId::from_bytes(self.id()?),
            id: CreditId::from_bytes(self.id()?),
            version,
            pass: self.pass_of(serial)?,
            mark,
            spend_by,
            created,
            amount,
            last,
        })
    }

    /// An operation, how many entries it has, and its fingerprint.
    pub(crate) fn operation(&mut self) -> Result<(StoredOperation, u64, Option<[u8; 16]>), StoreError> {
        let number = self.number()?;
        let kind = Kind::from_number(self.small("an operation's kind")?);
        let kind = kind.ok_or_else(|| corrupt("an operation's kind"))?;
        let (at, booked) = (self.instant()?, self.instant()?);
        let entries = self.number()?;
        let id = Id::from_bytes(self.id()?);
        let (receipt, events) = (self.bytes()?.to_vec(), self.bytes()?.to_vec());
        let fingerprint = self.id_or_none()?;
        let actor = self.text_or_none()?.ok_or_else(|| corrupt("an actor"))?;
        let (place, channel, reason) = (self.text_or_none()?, self.text_or_none()?, self.text_or_none()?);
        let after = tallies(&self.list()?)?;
        let (key, stops) = (None, None);
        let operation =
            Operation { id, kind, actor, place, channel, reason, at, booked, key, stops, receipt, events };
        Ok((StoredOperation { number, operation, after }, entries, fingerprint))
    }

    pub(crate) fn entry(&mut self) -> Result<StoredEntry, StoreError> {
        let (number, operation) = (self.number()?, self.number()?);
        let (at, booked) = (self.instant()?, self.instant()?);
        let account = |number| Account::from_number(number).ok_or_else(|| corrupt("an account"));
        let from = account(self.small("an account")?)?;
        let to = account(self.small("an account")?)?;
        let unit = Unit::from_number(self.small("a unit")?).ok_or_else(|| corrupt("a unit"))?;
        let (amount, mark) = (self.int()?, self.mark()?);
        let line = self.int_or_none()?.map(i32::try_from).transpose().map_err(|_| corrupt("a line"))?;
        let (before_from, before_to) = (self.number()?, self.number()?);
        let (from, to) = ((from, subject(self.bytes_or_none()?)?), (to, subject(self.bytes_or_none()?)?));
        let entry = Entry { from, to, unit, amount, mark, line: line.map(i32::cast_unsigned) };
        Ok(StoredEntry { number, operation, at, booked, entry, before_from, before_to })
    }
}

/// Lists of `used, held, limit`.
pub(crate) fn tallies(numbers: &[i64]) -> Result<Vec<Tally>, StoreError> {
    let (tallies, []) = numbers.as_chunks::<3>() else { return Err(corrupt("an operation's tallies")) };
    Ok(tallies.iter().map(|[used, held, limit]| Tally { used: *used, held: *held, limit: *limit }).collect())
}

pub(crate) fn doc_kind(number: u8) -> Result<DocKind, StoreError> {
    DocKind::from_number(number).ok_or_else(|| corrupt("a document's kind"))
}

/// A subject as it is stored.
pub(crate) fn subject_bytes(subject: &Subject) -> Option<Vec<u8>> {
    match subject {
        Subject::None => None,
        Subject::Pass(pass) => Some(pass.to_bytes().to_vec()),
        Subject::Passes { first, count } => Some([&first.to_bytes()[..], &count.to_be_bytes()].concat()),
        Subject::Credit(contact, credit) => Some([contact.to_bytes(), credit.to_bytes()].concat()),
    }
}

fn subject(bytes: Option<&[u8]>) -> Result<Subject, StoreError> {
    let Some(bytes) = bytes else { return Ok(Subject::None) };
    let (head, tail) = bytes.split_first_chunk::<16>().ok_or_else(|| corrupt("an entry's subject"))?;
    if tail.is_empty() {
        Ok(Subject::Pass(PassId::from_bytes(*head)))
    } else if let Ok(count) = <[u8; 4]>::try_from(tail) {
        Ok(Subject::Passes { first: PassId::from_bytes(*head), count: u32::from_be_bytes(count) })
    } else if let Ok(credit) = <[u8; 16]>::try_from(tail) {
        Ok(Subject::Credit(ContactId::from_bytes(*head), CreditId::from_bytes(credit)))
    } else {
        Err(corrupt("an entry's subject"))
    }
}

/// A number of ours, which PostgreSQL keeps as a signed one.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// 32 bits as a signed number, none for 0.
pub(crate) fn bits(number: u32) -> Option<i64> {
    nonzero(i64::from(number.cast_signed()))
}

/// A number as it is stored where 0 takes no room.
pub(crate) fn nonzero(number: i64) -> Option<i64> {
    (number != 0).then_some(number)
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
            assert_eq!(subject(subject_bytes(&given).as_deref()).unwrap(), given);
        }
        for length in [0, 15, 17, 19, 21, 31, 33] {
            assert!(subject(Some(&vec![1; length])).is_err(), "{length}");
        }
    }

    /// D-1: rows of all kinds have the same columns, so that one statement can bring them together.
    #[test]
    fn all_kinds_have_the_same_columns() {
        let names = |part: &Part| {
            let text = part.select(1);
            text.split(" AS ").skip(1).map(|rest| rest.split(',').next().unwrap().trim().to_owned()).collect()
        };
        let all: Vec<Vec<String>> =
            [PASS, CREDIT, DOC, OPERATION, KEYED, ENTRY, TALLY, TAKEN, CODE, KEY].iter().map(names).collect();
        assert_eq!(all[0].len(), 1 + INTS + BYTES + TEXTS + 1);
        assert!(all.iter().all(|names| *names == all[0]));
    }

    /// the values that tallies had after an operation are threes of numbers.
    #[test]
    fn tallies_are_threes() {
        assert_eq!(tallies(&[1, 2, 3]).unwrap(), [Tally { used: 1, held: 2, limit: 3 }]);
        assert!(tallies(&[]).unwrap().is_empty() && tallies(&[1]).is_err());
    }
}

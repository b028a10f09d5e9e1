//! Going through the books of a business, row by row.
//!
//! Nothing is kept that grows with passes, entries or codes, but a bit for each code: what two rows say of the
//! same thing is compared by [sums](sums), and only where they differ it is read again and kept.

mod documents;
mod ledger;
mod lots;
pub(super) mod names;
mod passes;
mod sums;
mod twice;

use super::checkpoint::Fold;
use super::verify::Verified;
use crate::id::{BusinessId, ContactId, CreditId, PassId, PlanId, SaleId};
use crate::ledger::{Account, Entry, Mark, Subject, Unit};
use crate::passcode::{Digest, FoldedFormat};
use crate::secret::Key;
use crate::store::{AuditRow, DocKey, KeyHash, StoreError};
use lots::{Lots, TermsFacts};
use passes::{OfLot, OfWallet};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use sums::{Found, Kept, Lane, Of, Sums};
use twice::Twice;

/// The balances of the accounts, by unit and mark.
#[derive(Default)]
pub(super) struct Accounts(pub(super) BTreeMap<(u16, Account, Mark), i128>);

impl Accounts {
    pub(super) fn add(&mut self, entry: &Entry) {
        for ((account, _), amount) in sides(entry) {
            *self.0.entry((entry.unit.number(), account, entry.mark)).or_default() += amount;
        }
    }
}

/// Both sides of an entry, with what it adds to each.
fn sides(entry: &Entry) -> [((Account, Subject), i128); 2] {
    [(entry.from, -i128::from(entry.amount)), (entry.to, i128::from(entry.amount))]
}

/// The last keys that were read: each kind comes in the order of its keys, so that one that is there twice comes
/// twice in a row.
#[derive(Default)]
struct Last {
    doc: Option<DocKey>,
    pass: Option<PassId>,
    operation: Option<u64>,
    entry: Option<u64>,
    credit: Option<(ContactId, CreditId)>,
    tally: Option<([u8; 16], u16)>,
    code: Option<Digest>,
    key: Option<KeyHash>,
}

/// What a plan's passes come to.
#[derive(Clone, Copy, Default)]
struct Made {
    passes: i128,
    value: i128,
}

/// The codes that were made in a format.
struct Formatted {
    format: FoldedFormat,
    /// The id of its tally.
    tally: [u8; 16],
    /// Whether the business lists it.
    listed: bool,
    codes: i128,
}

/// What was reversed of an operation.
#[derive(Default)]
struct OfReversal {
    /// Of each entry, by its document.
    reversed: Option<Vec<i64>>,
    /// By the operations that reversed it.
    returned: i128,
    /// Whether the operation itself was read.
    met: bool,
}

/// The operation whose entries are being read.
#[derive(Default)]
struct OfOperation {
    number: u64,
    /// How many entries it says that it has.
    says: u64,
    found: u64,
    /// The operation that it reverses.
    reverses: Option<u64>,
}

/// An audit under way.
pub(super) struct Audit {
    business: BusinessId,
    /// The key under which media are found.
    media: Key,
    verified: Verified,
    fold: Fold,
    /// What makes it impossible to judge: the business was written by a newer library.
    failed: Option<StoreError>,
    last: Last,
    sums: Sums,
    twice: Twice,
    accounts: Accounts,
    /// Whether the business's own document was read.
    settled: bool,
    plans: BTreeMap<PlanId, Made>,
    terms: Vec<TermsFacts>,
    lots: Lots,
    contacts: Vec<ContactId>,
    sales: Vec<SaleId>,
    formats: Vec<Formatted>,
    /// What is counted, by the ids of the tallies that there may be.
    tallies: BTreeMap<[u8; 16], i128>,
    reversals: BTreeMap<u64, OfReversal>,
    lot: Option<OfLot>,
    wallet: Option<OfWallet>,
    operation: Option<OfOperation>,
}

impl Audit {
    /// `key` makes the sums unpredictable; `media` is the key under which media are found.
    pub(super) fn new(business: BusinessId, key: [u8; 32], media: Key, fold: Fold) -> Self {
        Self::with(business, media, fold, Sums::new(key), Twice::default())
    }

    fn with(business: BusinessId, media: Key, fold: Fold, sums: Sums, twice: Twice) -> Self {
        Self {
            business,
            media,
            verified: Verified::default(),
            fold,
            failed: None,
            last: Last::default(),
            sums,
            twice,
            accounts: Accounts::default(),
            settled: false,
            plans: BTreeMap::new(),
            terms: Vec::new(),
            lots: Lots::default(),
            contacts: Vec::new(),
            sales: Vec::new(),
            formats: Vec::new(),
            tallies: BTreeMap::new(),
            reversals: BTreeMap::new(),
            lot: None,
            wallet: None,
            operation: None,
        }
    }

    pub(super) fn row(&mut self, row: AuditRow) {
        match row {
            AuditRow::Fault(why) => return self.verified.drift(names::STORE, why, 1, 0, None),
            AuditRow::Doc(doc) => return self.doc(&doc),
            _ => self.lots.seal(),
        }
        match row {
            AuditRow::Fault(_) | AuditRow::Doc(_) => {}
            AuditRow::Pass(row) => self.pass(&row),
            AuditRow::Operation { stored, keyed, entries } => self.operation(&stored, keyed, entries),
            AuditRow::Entry(stored) => self.entry(&stored),
            AuditRow::Credit(row) => self.credit(&row),
            AuditRow::Tally(id, slot, tally) => self.tally(id, slot, tally),
            AuditRow::Code(digest, pass) => self.code(digest, pass),
            AuditRow::Key(key, number, stops) => self.key(key, number, stops),
        }
    }

    /// Judges the order of a key, by how the one before it compares with it.
    fn order(&mut self, order: Ordering, subject: impl ToString) {
        match order {
            Ordering::Less => {}
            Ordering::Equal => self.verified.drift(names::TWICE, subject, 2, 1, None),
            Ordering::Greater => self.verified.drift(names::ORDER, subject, 1, 0, None),
        }
    }

    /// Ends the first reading: an audit for a second one, if there is something to look for.
    ///
    /// # Errors
    /// What makes it impossible to judge.
    pub(super) fn again(&mut self, fold: Fold) -> Result<Option<Self>, StoreError> {
        self.close();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let (sums, twice) = (self.sums.again(), self.twice.again());
        if sums.is_none() && twice.is_none() {
            return Ok(None);
        }
        let sums = sums.unwrap_or_else(|| self.sums.blind());
        let media = self.media.clone();
        Ok(Some(Self::with(self.business, media, fold, sums, twice.unwrap_or_default())))
    }

    /// Ends what is under way when the last row was read.
    fn close(&mut self) {
        self.lots.seal();
        self.end_lot();
        self.end_wallet();
        self.end_operation();
        self.fold.end();
    }

    /// What was found, and the fold of the history.
    ///
    /// # Errors
    /// What makes it impossible to judge.
    pub(super) fn finish(mut self) -> Result<(Verified, Fold), StoreError> {
        self.close();
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.judge_lots();
        self.judge_tallies();
        self.judge_reversals();
        let verified = &mut self.verified;
        let rows =
            [verified.documents, verified.passes, verified.operations, verified.credits, verified.codes];
        if !self.settled && rows.iter().any(|rows| *rows != 0) {
            verified.drift(names::PARENT, format!("business {}", self.business), 0, 1, None);
        }
        let mut books: BTreeMap<u16, i128> = BTreeMap::new();
        self.accounts.0.iter().for_each(|((unit, ..), sum)| *books.entry(*unit).or_default() += sum);
        for (unit, sum) in books {
            verified.tell(names::BOOKS, unit, sum, 0, Unit::from_number(unit));
        }
        let sums = std::mem::replace(&mut self.sums, Sums::new([0; 32]));
        let found = sums.found();
        self.tell(&found);
        self.verified.drifted += found.others;
        Ok((self.verified, self.fold))
    }

    /// Tells what the sums found.
    fn tell(&mut self, found: &Found) {
        let mut missing: Option<(PassId, u32)> = None;
        for (of, kept) in &found.things {
            let (sums, granted) = (kept.of(Lane::Main), kept.of(Lane::Granted));
            match *of {
                // One that its lot should have was told as its lot was read.
                Of::Pass(pass) if !kept.row && self.lots.has(pass) => {}
                Of::Pass(pass) if !kept.row => match &mut missing {
                    Some((first, count)) if follows(*first, *count, pass) => *count += 1,
                    _ => self.missing_passes(missing.replace((pass, 1))),
                },
                Of::Pass(pass) => {
                    let unit = self.unit_of(pass.lot());
                    self.verified.tell(names::PASS_BALANCE, pass, sums.0, sums.1, unit);
                    self.verified.tell(names::PASS_GRANTED, pass, granted.0, granted.1, unit);
                    self.verified.tell(names::PASS_LAST, pass, kept.last.into(), kept.newest.into(), None);
                }
                Of::Lot(lot) => {
                    self.verified.tell(names::LOT_BALANCE, lot, sums.0, sums.1, self.unit_of(lot));
                }
                Of::Credit(_, credit) => self.tell_credit(credit, kept),
                Of::Currency(contact, unit) => {
                    let unit = Unit::from_number(unit);
                    self.verified.tell(names::CURRENCIES, contact, sums.0, sums.1, unit);
                }
                Of::Medium(_, contact) => self.verified.tell(names::MEDIUM, contact, sums.0, sums.1, None),
                Of::Key(number, _) => self.verified.tell(names::KEY, number, sums.0, sums.1, None),
                Of::Exports(lot) => self.verified.tell(names::LOT_EXPORTS, lot, sums.0, sums.1, None),
                Of::Replaced(old, _) => self.verified.tell(names::SUCCESSOR, old, sums.0, sums.1, None),
            }
        }
        self.missing_passes(missing);
        for (number, (stored, expected)) in &found.history {
            self.verified.drift(names::HISTORY, number, (*stored).into(), (*expected).into(), None);
        }
    }

    /// Passes in a row that entries speak of and that no lot has.
    fn missing_passes(&mut self, missing: Option<(PassId, u32)>) {
        if let Some((first, count)) = missing {
            self.verified.drift(names::PASS_MISSING, first, 0, count.into(), None);
        }
    }

    /// By mark and unit.
    fn tell_credit(&mut self, credit: CreditId, kept: &Kept) {
        let what = if kept.row { names::CREDIT } else { names::CREDIT_MISSING };
        for ((_, unit), (stored, expected)) in &kept.sides {
            self.verified.tell(what, credit, *stored, *expected, Unit::from_number(*unit));
        }
        if kept.row {
            self.verified.tell(names::CREDIT_LAST, credit, kept.last.into(), kept.newest.into(), None);
        } else if kept.sides.values().all(|(stored, expected)| stored == expected) {
            self.verified.drift(what, credit, 0, 0, None);
        }
    }

    /// How many records are held in memory: of lots, contacts, sales and reversals, and what is kept for a second
    /// reading.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let lists = self.lots.len() + self.contacts.len() + self.sales.len() + self.reversals.len();
        lists + self.sums.held() + self.twice.held() + self.accounts.0.len() + self.plans.len()
    }
}

/// Compares a key with the one before it.
fn follow<K: Ord>(last: &mut Option<K>, next: K) -> Ordering {
    let order = last.as_ref().map_or(Ordering::Less, |last| last.cmp(&next));
    *last = Some(next);
    order
}

/// Whether a pass comes right after so many others.
fn follows(first: PassId, count: u32, pass: PassId) -> bool {
    first.lot() == pass.lot() && first.serial().checked_add(count) == Some(pass.serial())
}

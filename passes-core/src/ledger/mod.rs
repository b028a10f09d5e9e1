//! The ledger: every movement of money, visits and points, append-only (W-1).

use crate::calendar::Instant;
use crate::id::{ContactId, CreditId, PassId};
use crate::money::Currency;
use serde::{Deserialize, Serialize};

/// An account of the ledger. The list is short and fixed; [`Account::ALL`] is it.
///
/// ```
/// use passes_core::ledger::Account;
/// assert_eq!(Account::from_number(6), Some(Account::Settled));
/// let owed: Vec<_> = Account::ALL.into_iter().filter(|account| account.is_liability()).collect();
/// assert_eq!(owed, [Account::Outstanding, Account::Credit]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Account {
    /// Value that somebody paid for comes from here.
    Received = 1,
    /// Value that was given comes from here.
    Granted = 2,
    /// Value that nobody paid or gave: an offline spend beyond the balance, a reversal of spent money.
    Loss = 3,
    /// Value on passes. Its subject is a pass, or a range of serial numbers with one amount for each.
    Outstanding = 4,
    /// Value in wallets. Its subject is a credit.
    Credit = 5,
    /// Value that was used: goods and services were handed over for it.
    Settled = 6,
    /// Value that expired or was forfeited.
    Breakage = 7,
    /// Value whose price was given back.
    Refunded = 8,
    /// Value paid out in money.
    CashedOut = 9,
    /// Dormant value handed to the state.
    Unclaimed = 10,
    /// Value changed by hand.
    Correction = 11,
}

impl Account {
    /// Every account, in the order of its number.
    /// See [`Account`].
    pub const ALL: [Self; 11] = [
        Self::Received,
        Self::Granted,
        Self::Loss,
        Self::Outstanding,
        Self::Credit,
        Self::Settled,
        Self::Breakage,
        Self::Refunded,
        Self::CashedOut,
        Self::Unclaimed,
        Self::Correction,
    ];

    /// The number under which a store keeps it.
    /// See [`Account`].
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The account with this number.
    /// See [`Account`].
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.number() == number)
    }

    /// What is owed to holders: a liability's accounts are outstanding and credit.
    /// See [`Account`].
    #[must_use]
    pub fn is_liability(self) -> bool {
        matches!(self, Self::Outstanding | Self::Credit)
    }
}

/// Whether money was received for value, or it was given.
///
/// ```
/// use passes_core::ledger::Mark;
/// assert_eq!(Mark::from_number(1), Some(Mark::Paid));
/// assert!(Mark::Granted < Mark::Paid);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Mark {
    /// Given.
    Granted = 0,
    /// Paid for.
    Paid = 1,
}

impl Mark {
    /// The mark with this number.
    /// See [`Mark`].
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Granted),
            1 => Some(Self::Paid),
            _ => None,
        }
    }
}

/// What an amount counts: money in minor units of a currency, visits, or points.
///
/// ```
/// use passes_core::{ledger::Unit, money::Currency};
/// assert_eq!(Unit::Money(Currency::GBP).number(), 826);
/// assert_eq!(Unit::from_number(10_000), Some(Unit::Visits));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Minor units of a currency.
    Money(Currency),
    /// Visits or sessions.
    Visits,
    /// Points.
    Points,
}

impl Unit {
    /// The number under which a store keeps it: the currency's ISO 4217 number, or 10,000 and up.
    /// See [`Unit`].
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Money(currency) => currency.numeric(),
            Self::Visits => 10_000,
            Self::Points => 10_001,
        }
    }

    /// The unit with this number.
    /// See [`Unit`].
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        match number {
            10_000 => Some(Self::Visits),
            10_001 => Some(Self::Points),
            n => Currency::from_numeric(n).ok().map(Self::Money),
        }
    }
}

/// Whose part of an account an entry moves.
/// See [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The account has no subjects.
    None,
    /// One pass.
    Pass(PassId),
    /// Passes of one lot with consecutive serial numbers, the same amount each. All of them are there, and
    /// their last entry is the same, so that this one continues the chain of each: else it is a conflict, and
    /// a pass with another last entry needs an entry of its own. Subjects within one change don't overlap
    /// but where they are the same.
    Passes {
        /// The first pass.
        first: PassId,
        /// How many passes.
        count: u32,
    },
    /// One credit of a contact.
    Credit(ContactId, CreditId),
}

impl Subject {
    /// Whether what is booked for it is booked for the pass or the credit `one`: itself, or a range that holds it.
    ///
    /// ```
    /// use passes_core::ledger::Subject;
    /// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
    /// let range = Subject::Passes { first: lot.pass(5), count: 3 };
    /// assert!(range.covers(Subject::Pass(lot.pass(7))) && !range.covers(Subject::Pass(lot.pass(8))));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn covers(self, one: Self) -> bool {
        match (self, one) {
            (Self::Passes { first, count }, Self::Pass(pass)) => {
                let offset = pass.serial().checked_sub(first.serial());
                first.lot() == pass.lot() && offset.is_some_and(|offset| offset < count)
            }
            _ => self == one,
        }
    }

    /// The first and the last of its passes; one pass is both. Nothing for a subject without passes, and for a
    /// range that is none: empty, or beyond all serial numbers.
    ///
    /// ```
    /// use passes_core::ledger::Subject;
    /// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
    /// let range = |count| Subject::Passes { first: lot.pass(5), count };
    /// assert_eq!(range(3).span(), Some((lot.pass(5), lot.pass(7))));
    /// assert!(range(0).span().is_none() && range(u32::MAX).span().is_none());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn span(self) -> Option<(PassId, PassId)> {
        match self {
            Self::Pass(id) => Some((id, id)),
            Self::Passes { first, count } => {
                let last = first.serial().checked_add(count.checked_sub(1)?)?;
                Some((first, first.lot().pass(last)))
            }
            Self::None | Self::Credit(..) => None,
        }
    }
}

/// One movement: an amount of one unit from one account to another.
///
/// ```
/// use passes_core::ledger::{Account, Entry, Mark, Subject, Unit};
/// use passes_core::money::Currency;
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let sold = Entry {
///     from: (Account::Received, Subject::None),
///     to: (Account::Outstanding, Subject::Passes { first: lot.pass(1), count: 100 }),
///     unit: Unit::Money(Currency::GBP),
///     amount: 100 * 2_500,
///     mark: Mark::Paid,
///     line: None,
/// };
/// assert!(sold.to.0.is_liability());
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The account it leaves.
    pub from: (Account, Subject),
    /// The account it reaches.
    pub to: (Account, Subject),
    /// What is counted.
    pub unit: Unit,
    /// How much, above zero, in the unit's smallest part. For a range of passes: of all of them together.
    pub amount: i64,
    /// Paid for, or given.
    pub mark: Mark,
    /// The basket line it paid, from 0.
    pub line: Option<u32>,
}

/// Whether entries name ranges of passes that overlap without being the same, which no change may ([`Subject::Passes`]).
///
/// ```
/// use passes_core::ledger::{Account, Entry, Mark, Subject, Unit, overlap};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let range = |serial| Subject::Passes { first: lot.pass(serial), count: 2 };
/// let (unit, mark) = (Unit::Visits, Mark::Granted);
/// let moved = |from, to| Entry {
///     from: (Account::Outstanding, range(from)),
///     to: (Account::Outstanding, range(to)),
///     unit,
///     amount: 2,
///     mark,
///     line: None,
/// };
/// assert!(!overlap(&[moved(1, 1), moved(1, 3)]));
/// assert!(overlap(&[moved(1, 2)]));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[must_use]
pub fn overlap(entries: &[Entry]) -> bool {
    let subjects = || entries.iter().flat_map(|entry| [entry.from.1, entry.to.1]);
    // Passes alone can't overlap without being the same.
    if !subjects().any(|subject| matches!(subject, Subject::Passes { .. })) {
        return false;
    }
    let mut spans: Vec<(PassId, PassId)> = subjects().filter_map(Subject::span).collect();
    spans.sort_unstable();
    spans.dedup();
    spans.windows(2).any(|pair| matches!(pair, [a, b] if b.0 <= a.1))
}

/// An entry as a store keeps it.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::ledger::Account;
/// use passes_core::store::{Load, OperationKey, wait};
/// let done = passes.activate(by, shop.card(1)).wait()?;
/// let mut load = Load::new(by.business);
/// load.operation = Some(OperationKey::Number(done.operation.0));
/// let (_, entries) = wait(passes.store().load(&load))?.operation.unwrap();
/// assert_eq!((entries[0].entry.from.0, entries[0].entry.amount), (Account::Granted, 2_500));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its number in the store, growing.
    pub number: u64,
    /// The operation that booked it.
    pub operation: u64,
    /// When it counts.
    pub at: Instant,
    /// When it was written.
    pub booked: Instant,
    /// The movement.
    pub entry: Entry,
    /// The entry before it of the same subject of `from`; 0 when there is none.
    pub before_from: u64,
    /// The entry before it of the same subject of `to`; 0 when there is none.
    pub before_to: u64,
}

impl StoredEntry {
    /// The number of the entry before it in the chain of the pass or the credit `one`, 0 where the chain begins;
    /// nothing when it is not about `one`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::ledger::Subject;
    /// use passes_core::store::{PageQuery, wait};
    /// # let _ = passes.activate(by, shop.card(1)).wait()?;
    /// let (business, card) = (by.business, shop.card(1));
    /// let subject = Subject::Pass(card);
    /// let query = PageQuery::History { business, subject, before: None, limit: 10 };
    /// let first = &wait(passes.store().page(&query))?.entries[0];
    /// assert_eq!(first.previous(subject), Some(0));
    /// assert_eq!(first.previous(Subject::Pass(shop.card(2))), None);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn previous(&self, one: Subject) -> Option<u64> {
        if self.entry.from.1.covers(one) {
            Some(self.before_from)
        } else if self.entry.to.1.covers(one) {
            Some(self.before_to)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Id, LotId};

    /// W-1: an entry for a range of passes is part of the history of each of them, and of no other.
    #[test]
    fn a_range_covers_each_of_its_passes() {
        let lot = |n| LotId::from_bytes([n; 16]).pass(0).lot();
        let range = Subject::Passes { first: lot(1).pass(5), count: 3 };
        let within: Vec<u32> = (1..10).filter(|n| range.covers(Subject::Pass(lot(1).pass(*n)))).collect();
        assert_eq!(within, [5, 6, 7]);
        assert!(!range.covers(Subject::Pass(lot(2).pass(5))));
        assert!(!Subject::None.covers(Subject::Pass(lot(1).pass(5))));
    }

    /// W-1: the documented list of accounts is the list of accounts, in its order.
    #[test]
    fn the_accounts_are_documented() {
        let page = include_str!("../../../docs/accounts.md");
        let table = page.split("| what happens").next().unwrap_or_default();
        let rows: Vec<&str> = table.lines().filter_map(|l| l.strip_prefix("| ")?.split(' ').next()).collect();
        let accounts: Vec<String> = Account::ALL.iter().map(|a| format!("{a:?}")).collect();
        assert_eq!(rows.get(1..), Some(accounts.iter().map(String::as_str).collect::<Vec<_>>().as_slice()));
        for (n, account) in Account::ALL.iter().enumerate() {
            assert_eq!(usize::from(account.number()), n + 1);
            assert_eq!(Account::from_number(account.number()), Some(*account));
        }
    }

    /// W-1, D-4: marks keep the numbers under which they are stored.
    #[test]
    fn marks_have_numbers() {
        for mark in [Mark::Granted, Mark::Paid] {
            assert_eq!(Mark::from_number(mark as u8), Some(mark));
        }
        assert_eq!((Mark::from_number(0), Mark::from_number(2)), (Some(Mark::Granted), None));
    }

    /// W-1, B-3: units keep their numbers.
    #[test]
    fn units_have_numbers() {
        for unit in [Unit::Visits, Unit::Points, Unit::Money(Currency::JPY), Unit::Money(Currency::BHD)] {
            assert_eq!(Unit::from_number(unit.number()), Some(unit));
        }
        assert_eq!(Unit::from_number(9_999), None);
    }
}

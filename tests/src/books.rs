//! The books, added up from the ledger alone and compared with what passes and credits say they hold. It is
//! written apart from the library's own `verify`, and shares nothing with it.

use passes_core::id::{BusinessId, ContactId, CreditId, PassId};
use passes_core::ledger::{Account, Mark, Subject, Unit};
use passes_core::pass::{CreditRow, PassRow, flag};
use passes_core::store::{AuditRow, PageQuery, Store, wait};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What the ledger adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// By account, mark and unit: what came in less what went out.
    pub accounts: BTreeMap<(Account, Mark, u16), i64>,
    /// By pass: what it has outstanding, granted and paid.
    pub passes: BTreeMap<PassId, (i64, i64)>,
    /// By credit: what is left of it.
    pub credits: BTreeMap<(ContactId, CreditId), i64>,
    /// How many entries there are.
    pub entries: usize,
    /// How many operations there are.
    pub operations: usize,
}

impl Books {
    /// Adds up the ledger of a business and compares it with every row.
    ///
    /// # Panics
    /// When something doesn't add up.
    #[must_use]
    pub fn of(store: &dyn Store, business: BusinessId) -> Self {
        let rows = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&rows);
        wait(store.audit(business, Box::new(move |row| into.lock().unwrap().push(row)))).unwrap();
        let mut books = Self::default();
        let mut passes: Vec<PassRow> = Vec::new();
        let mut credits: Vec<CreditRow> = Vec::new();
        for row in std::mem::take(&mut *rows.lock().unwrap()) {
            match row {
                AuditRow::Entry(stored) => {
                    let entry = stored.entry;
                    assert!(entry.amount > 0, "an entry of nothing");
                    books.entries += 1;
                    for ((account, subject), sign) in [(entry.from, -1), (entry.to, 1)] {
                        let change = sign * entry.amount;
                        *books.accounts.entry((account, entry.mark, entry.unit.number())).or_default() +=
                            change;
                        books.on(account, subject, entry.mark, change);
                    }
                }
                AuditRow::Pass(row) => passes.push(*row),
                AuditRow::Credit(row) => credits.push(*row),
                AuditRow::Tally(_, _, tally) => assert!(tally.holds(), "a tally beyond its bound"),
                AuditRow::Fault(why) => panic!("the store finds a fault in itself: {why}"),
                _ => {}
            }
        }
        books.compare(&passes, &credits);
        books.operations = operations(store, business);
        books
    }

    fn on(&mut self, account: Account, subject: Subject, mark: Mark, change: i64) {
        match (account, subject) {
            (Account::Outstanding, Subject::Pass(pass)) => self.on_pass(pass, mark, change),
            (Account::Outstanding, Subject::Passes { first, count }) => {
                assert_eq!(change % i64::from(count), 0, "a range that can't be shared out");
                for n in 0..count {
                    let pass = first.lot().pass(first.serial() + n);
                    self.on_pass(pass, mark, change / i64::from(count));
                }
            }
            (Account::Credit, Subject::Credit(contact, credit)) => {
                *self.credits.entry((contact, credit)).or_default() += change;
            }
            (Account::Outstanding | Account::Credit, other) => panic!("{account:?} of {other:?}"),
            (_, other) => assert_eq!(other, Subject::None),
        }
    }

    fn on_pass(&mut self, pass: PassId, mark: Mark, change: i64) {
        let (granted, paid) = self.passes.entry(pass).or_default();
        *(if mark == Mark::Granted { granted } else { paid }) += change;
    }

    fn compare(&self, passes: &[PassRow], credits: &[CreditRow]) {
        for pass in passes {
            let (granted, paid) = self.passes.get(&pass.id).copied().unwrap_or_default();
            assert!(pass.uses.holds() && pass.balance.holds() && pass.granted.holds(), "{pass:?}");
            if pass.flags & flag::BOOKED == 0 {
                assert_eq!((granted, paid), (0, 0), "an unbooked pass in the ledger: {pass:?}");
                assert_eq!(pass.balance.used, 0, "an unbooked pass was used: {pass:?}");
            } else {
                let left = (pass.granted.left(), pass.balance.left() - pass.granted.left());
                assert_eq!((granted, paid), left, "ledger and row of {pass:?}");
            }
        }
        assert!(self.passes.keys().all(|id| passes.iter().any(|p| p.id == *id)), "an entry of no pass");
        for credit in credits {
            assert!(credit.amount.holds(), "{credit:?}");
            let left = self.credits.get(&(credit.contact, credit.id)).copied();
            assert_eq!(left, Some(credit.amount.left()), "ledger and row of {credit:?}");
        }
        assert_eq!(self.credits.len(), credits.len(), "credits with entries, and credits");
        let mut sums: BTreeMap<(Mark, u16), i64> = BTreeMap::new();
        for ((_, mark, unit), sum) in &self.accounts {
            *sums.entry((*mark, *unit)).or_default() += sum;
        }
        assert!(sums.values().all(|sum| *sum == 0), "the books don't sum to zero: {sums:?}");
    }

    /// What an account holds in a unit, of both marks.
    #[must_use]
    pub fn account(&self, account: Account, unit: Unit) -> i64 {
        [Mark::Granted, Mark::Paid].iter().map(|mark| self.part(account, *mark, unit)).sum()
    }

    /// What an account holds in a unit, of one mark.
    #[must_use]
    pub fn part(&self, account: Account, mark: Mark, unit: Unit) -> i64 {
        self.accounts.get(&(account, mark, unit.number())).copied().unwrap_or_default()
    }
}

/// How many operations a business has.
#[must_use]
pub fn operations(store: &dyn Store, business: BusinessId) -> usize {
    let (mut after, mut count) = (0, 0);
    loop {
        let query = PageQuery::Operations { business, after, limit: 1_000 };
        let page = wait(store.page(&query)).unwrap().operations;
        let Some(last) = page.last() else { return count };
        count += page.len();
        after = last.number;
    }
}

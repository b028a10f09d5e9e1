//! What is owed to the holders of passes and credits (W-1).

use super::audit::Accounts;
use super::verify::narrow;
use super::{Call, Error, Passes};
use crate::ledger::{Account, Mark, Unit};
use crate::money::{Currency, Money};
use crate::operation::{By, Right};
use crate::store::AuditRow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a business owes to the holders of passes and credits, in one currency.
/// See [`Passes::liability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liability {
    /// The currency.
    pub currency: Currency,
    /// The part that was paid for.
    pub paid: Money,
    /// The part that was given.
    pub granted: Money,
    /// The part that is on passes.
    pub outstanding: Money,
    /// The part that is in wallets.
    pub credit: Money,
}

impl Liability {
    /// All of it: outstanding plus credit, which is paid plus granted.
    /// See [`Passes::liability`].
    ///
    /// # Errors
    /// `OVERFLOW` beyond the range of money.
    pub fn total(&self) -> Result<Money, crate::Refusal> {
        self.outstanding.plus(self.credit)
    }
}

impl Passes {
    /// What the business owes now to holders of passes and credits, by currency, from the ledger. An unsold
    /// draft is no liability; what has expired is one until it is booked to breakage.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `BAD_AMOUNT` beyond the range of money; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// shop.sold(1)?;
    /// shop.credited(2)?;
    /// let owed = passes.liability(by).wait()?;
    /// assert_eq!((owed[0].outstanding, owed[0].credit), (gbp("25")?, gbp("25")?));
    /// assert_eq!(owed[0].total()?, gbp("50")?);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn liability<'a>(&'a self, by: &'a By) -> Call<'a, Vec<Liability>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let accounts = Arc::new(Mutex::new(Accounts::default()));
            let rows = Arc::clone(&accounts);
            let each = move |row| {
                if let AuditRow::Entry(stored) = row {
                    rows.lock().unwrap_or_else(PoisonError::into_inner).add(&stored.entry);
                }
            };
            self.inner.store.ledger(by.business, 0, Box::new(each)).await?;
            let accounts = std::mem::take(&mut *accounts.lock().unwrap_or_else(PoisonError::into_inner));
            let mut owed: BTreeMap<Currency, Owed> = BTreeMap::new();
            for ((unit, account, mark), sum) in accounts.0 {
                if let (Some(Unit::Money(currency)), true) = (Unit::from_number(unit), account.is_liability())
                {
                    let owed = owed.entry(currency).or_default();
                    *(if mark == Mark::Paid { &mut owed.paid } else { &mut owed.granted }) += sum;
                    *(if account == Account::Credit { &mut owed.credit } else { &mut owed.outstanding }) +=
                        sum;
                }
            }
            owed.into_iter().map(|(currency, owed)| owed.told(currency)).collect()
        })
    }
}

/// What is owed in one currency, in minor units.
#[derive(Default)]
struct Owed {
    paid: i128,
    granted: i128,
    outstanding: i128,
    credit: i128,
}

impl Owed {
    fn told(&self, currency: Currency) -> Result<Liability, Error> {
        let money = |sum| Money::from_minor(narrow(sum), currency);
        Ok(Liability {
            currency,
            paid: money(self.paid)?,
            granted: money(self.granted)?,
            outstanding: money(self.outstanding)?,
            credit: money(self.credit)?,
        })
    }
}

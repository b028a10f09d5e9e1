//! Proving the books: each stored balance is what its entries make it (W-1, D-7).

use super::audit::{Accounts, Audit, Facts};
use super::{Call, Error, Passes, stored};
use crate::id::{Id, LotId, PlanId, TermsId};
use crate::ledger::{Account, Mark, Unit};
use crate::limits;
use crate::lot::Lot;
use crate::money::{Currency, Money};
use crate::operation::{By, Right};
use crate::plan::{Terms, Usage};
use crate::store::{AuditRow, Doc, DocKind, PageQuery};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How many drifts are told one by one.
const TOLD: usize = 1_000;

/// Something stored that is not what it has to be.
/// See [`Passes::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What it is about:
    ///
    /// - `pass balance`, `pass granted`, `credit`: what is left, against the entries;
    /// - `pass missing`, `credit missing`: entries without the row that they are about; of several passes in a
    ///   row the first one is named;
    /// - `lot balance`: all passes of a lot, against the entries; `lot passes`: how many there are;
    /// - `pass uses`: uses, against the balance;
    /// - `bound`: what a tally counts, against its limit (or it counts below zero);
    /// - `plan passes`, `plan value`: what is counted against the caps of a plan, against its passes;
    /// - `entry`: an entry with an amount, a subject or a currency that it can't have;
    /// - `books`: all accounts together, which have to come to zero.
    pub what: &'static str,
    /// The id of the pass, credit, lot or plan; the number of the entry.
    pub subject: String,
    /// What is stored.
    pub stored: i64,
    /// What the entries, or the passes, make it.
    pub expected: i64,
    /// What both count; nothing for a plain number.
    pub unit: Option<Unit>,
}

/// The outcome of a verification.
/// See [`Passes::verify`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many entries were read.
    pub entries: u64,
    /// How many passes.
    pub passes: u64,
    /// How many credits.
    pub credits: u64,
    /// How many named tallies.
    pub tallies: u64,
    /// How many drifts there are.
    pub drifted: u64,
    /// The first 1,000 of them.
    pub drifts: Vec<Drift>,
}

impl Verified {
    /// Whether everything is as it has to be.
    /// See [`Passes::verify`].
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.drifted == 0
    }

    pub(super) fn tell(
        &mut self,
        what: &'static str,
        subject: impl ToString,
        stored: i128,
        expected: i128,
        unit: Option<Unit>,
    ) {
        if stored != expected {
            self.drift(what, subject, stored, expected, unit);
        }
    }

    pub(super) fn drift(
        &mut self,
        what: &'static str,
        subject: impl ToString,
        stored: i128,
        expected: i128,
        unit: Option<Unit>,
    ) {
        self.drifted += 1;
        if self.drifts.len() < TOLD {
            let (stored, expected) = (narrow(stored), narrow(expected));
            self.drifts.push(Drift { what, subject: subject.to_string(), stored, expected, unit });
        }
    }
}

/// A sum as it is told: what a ledger of checked amounts can't come to is told as the largest number.
fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

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
    /// Proves the books of the business, in one snapshot: each pass and each credit holds what its entries make
    /// it, mark by mark; each lot's outstanding value is the sum of its passes; the books sum to zero; each
    /// tally keeps its bound; the uses of a pass fit its balance; what a plan's caps count is what its passes
    /// come to (left out while a lot of the plan is being made).
    ///
    /// It reads everything once. Memory grows with the lots, with the credits that have something left, and with
    /// the passes whose balance differs from their neighbour's: a lot that was sold as a whole takes as much as
    /// one pass.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; a failing store. Drifts are in the answer.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// shop.credited(1)?;
    /// let verified = passes.verify(by).wait()?;
    /// assert!(verified.is_good(), "{:?}", verified.drifts);
    /// assert_eq!((verified.passes, verified.credits), (10, 1));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn verify<'a>(&'a self, by: &'a By) -> Call<'a, Verified> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let (lots, before) = self.facts(by).await?;
            let audit = Arc::new(Mutex::new(Audit::new(lots, before.keys())));
            let rows = Arc::clone(&audit);
            let each = move |row| rows.lock().unwrap_or_else(PoisonError::into_inner).row(row);
            self.inner.store.audit(by.business, Box::new(each)).await?;
            let audit = std::mem::take(&mut *audit.lock().unwrap_or_else(PoisonError::into_inner));
            // A plan of which passes were made meanwhile can't be judged by lots that were read before.
            let (_, mut plans) = self.facts(by).await?;
            plans.retain(|plan, made| made.complete && before.get(plan) == Some(made));
            Ok(audit.finish(plans.into_keys()))
        })
    }

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
            self.inner.store.audit(by.business, Box::new(each)).await?;
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

    /// What verifying needs to know of each lot, and of each plan what was made of it.
    async fn facts(&self, by: &By) -> Result<(HashMap<LotId, Facts>, BTreeMap<PlanId, Made>), Error> {
        let mut terms: HashMap<TermsId, (Currency, Usage)> = HashMap::new();
        self.each_doc(by, DocKind::Terms, |doc| {
            let found: Terms = stored::read(&doc.body)?;
            terms.insert(TermsId::from_bytes(doc.key.id), (found.currency, found.usage));
            Ok(())
        })
        .await?;
        let mut lots = HashMap::new();
        let mut plans: BTreeMap<PlanId, Made> = BTreeMap::new();
        self.each_doc(by, DocKind::Lot, |doc| {
            let lot: Lot = stored::read(&doc.body)?;
            let made = plans.entry(lot.plan).or_insert(Made { lots: 0, passes: 0, complete: true });
            made.lots += 1;
            made.passes += u64::from(lot.count);
            made.complete &= lot.complete;
            let count = lot.complete.then_some(lot.count);
            // Terms that came after their page was read: the lot counts as one that is not known yet.
            if let Some((currency, usage)) = terms.get(&lot.terms).copied() {
                lots.insert(lot.id, Facts { plan: lot.plan, currency, usage, count });
            }
            Ok(())
        })
        .await?;
        Ok((lots, plans))
    }

    async fn each_doc(
        &self,
        by: &By,
        kind: DocKind,
        mut each: impl FnMut(&Doc) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let (business, limit) = (by.business, limits::PAGE);
            let query = PageQuery::Docs { business, kind, parent: None, after, limit };
            let docs = self.inner.store.page(&query).await?.docs;
            docs.iter().try_for_each(&mut each)?;
            after = docs.last().map(|doc| doc.key.id);
            if u32::try_from(docs.len()).is_ok_and(|n| n < limit) {
                return Ok(());
            }
        }
    }
}

/// What was made of a plan.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Made {
    lots: u64,
    passes: u64,
    complete: bool,
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

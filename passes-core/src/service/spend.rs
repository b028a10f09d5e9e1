//! Spending a wallet on a basket (W-3).

use super::contacts::{contact_key, wallet};
use super::engine::{Draft, View};
use super::redeem::Check;
use super::{Call, Done, Error, Passes, Receipt};
use crate::conditions::{Basket, Conditions};
use crate::event::Event;
use crate::id::{ContactId, CreditId, Id, LotId, PassId};
use crate::ledger::{Account, Entry, Mark, Subject, Unit};
use crate::limits;
use crate::money::Money;
use crate::operation::{By, Kind, Right};
use crate::pass::CreditRow;
use crate::refusal::Refusal;
use crate::store::{Add, Expect, Load, TallyKey};
use crate::wallet::order::OrderKey;
use crate::wallet::split::{Payer, split_up_to};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request to pay a basket from a wallet.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// # let gbp = passes_host::testing::Shop::gbp;
/// # use passes_core::{conditions::{Basket, Line}, money::Currency};
/// use passes_core::service::Spend;
/// # let basket = Basket::new(Currency::GBP, vec![Line::new("MUG", 2, gbp("7.50")?)])?;
/// let request = Spend::all(shop.ann, basket).amount(gbp("10")?).partly();
/// assert!(request.partly && request.amount == Some(gbp("10")?));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Spend {
    /// Whose wallet.
    pub contact: ContactId,
    /// The purchase at hand.
    pub basket: Basket,
    /// How much of it; all if none.
    pub amount: Option<Money>,
    /// Whether less will do.
    pub partly: bool,
}

impl Spend {
    /// All of a basket.
    /// See [`Spend`].
    #[must_use]
    pub fn all(contact: ContactId, basket: Basket) -> Self {
        Self { contact, basket, amount: None, partly: false }
    }

    /// So much of the basket, at most its total.
    /// See [`Spend`].
    #[must_use]
    pub fn amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
    }

    /// Less will do.
    /// See [`Spend`].
    #[must_use]
    pub fn partly(mut self) -> Self {
        self.partly = true;
        self
    }
}

/// What one credit paid for one line.
/// See [`Passes::spend`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidBy {
    /// The credit.
    pub credit: CreditId,
    /// The pass that it came from.
    pub pass: PassId,
    /// Its mark.
    pub mark: Mark,
    /// The line, from 0.
    pub line: u32,
    /// How much.
    pub amount: Money,
}

/// What a spend did: which credit paid which line, in the order in which they are used.
/// See [`Passes::spend`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Whose wallet.
    pub contact: ContactId,
    /// How much was paid.
    pub amount: Money,
    /// What was asked for and not paid: zero unless less would do.
    pub short: Money,
    /// Which credit paid which line.
    pub paid: Vec<PaidBy>,
}

impl Done for Spent {}

/// The answer to a check of a spend.
/// See [`Passes::check_spend`].
pub type CheckSpend = Check<Spent>;

impl Passes {
    /// What [`Passes::spend`] would do, or every rule that fails. It writes nothing.
    ///
    /// # Errors
    /// `FORBIDDEN`; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::{conditions::{Basket, Line}, money::Currency, service::Spend};
    /// let basket = Basket::new(Currency::GBP, vec![Line::new("MUG", 4, gbp("7.50")?)])?;
    /// shop.credited(1)?;
    /// let check = passes.check_spend(by, &Spend::all(shop.ann, basket)).wait()?;
    /// assert_eq!(check.reasons[0].to_string(), "the balance is short by 5.00 GBP");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn check_spend<'a>(&'a self, by: &'a By, request: &'a Spend) -> Call<'a, CheckSpend> {
        Call::new(async move {
            let mut order = self.order(by, Right::Redeem, Kind::Spend, request)?;
            name(&mut order.load, request);
            Check::of(self.rehearse(&order, |view| pay(view, request)).await)
        })
    }

    /// Pays a basket from the credits of a contact's wallet, in W-3's order. A basket that can be paid is never
    /// refused for want of a better split.
    ///
    /// # Errors
    /// `FORBIDDEN`, `IDEMPOTENCY_MISMATCH`, `REVERSED_BEFORE_IT_CAME`, `CONTACT_NOT_REGISTERED`, `BAD_AMOUNT`,
    /// `BALANCE_TOO_SMALL` with the amount short unless partly; with it `NO_ELIGIBLE_PRODUCTS`, `WRONG_PLACE`
    /// and `BELOW_MINIMUM` where they keep money back.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// use passes_core::conditions::{Basket, Line};
    /// # use passes_core::money::Currency;
    /// use passes_core::service::Spend;
    /// shop.credited(1)?;
    /// let basket = Basket::new(Currency::GBP, vec![Line::new("MUG", 2, gbp("7.50")?)])?;
    /// let spent = passes.spend(&by.clone().key("receipt-3"), Spend::all(shop.ann, basket)).wait()?;
    /// assert_eq!((spent.amount, spent.paid[0].pass), (gbp("15")?, shop.card(1)));
    /// assert_eq!(passes.wallet(by, shop.ann).wait()?.balance(Currency::GBP)?, gbp("10")?);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn spend<'a>(&'a self, by: &'a By, request: Spend) -> Call<'a, Receipt<Spent>> {
        Call::new(async move {
            let mut order = self.order(by, Right::Redeem, Kind::Spend, &request)?;
            self.early(by, may_take(by, &request))?;
            name(&mut order.load, &request);
            self.run(order, move |view| {
                let spent = pay(view, &request)?;
                let mut draft = Draft::new(view, spent);
                let spent = &draft.done;
                // The wallet must still be this contact's when it lands.
                let version = wallet(view, request.contact)?.version;
                draft.change.expect.push((contact_key(request.contact), Expect::Version(version)));
                let unit = Unit::Money(spent.amount.currency());
                let mut adds: BTreeMap<TallyKey, i64> = BTreeMap::new();
                for part in &spent.paid {
                    *adds.entry(TallyKey::Credit(spent.contact, part.credit)).or_default() +=
                        part.amount.minor();
                    draft.change.entries.push(Entry {
                        from: (Account::Credit, Subject::Credit(spent.contact, part.credit)),
                        to: (Account::Settled, Subject::None),
                        unit,
                        amount: part.amount.minor(),
                        mark: part.mark,
                        line: Some(part.line),
                    });
                }
                let version = |key: &TallyKey| {
                    let credits = &view.loaded.credits;
                    let at = |row: &&CreditRow| *key == TallyKey::Credit(row.contact, row.id);
                    credits.iter().find(at).map(|row| row.version)
                };
                let add = |(key, amount)| Add { version: version(&key), ..Add::used(key, amount) };
                draft.change.tally = adds.into_iter().map(add).collect();
                draft.events.push(Event::WalletSpent { contact: spent.contact, amount: spent.amount });
                Ok(draft)
            })
            .await
        })
    }
}

fn name(load: &mut Load, request: &Spend) {
    load.docs.push(contact_key(request.contact));
    load.wallet = Some(request.contact);
}

/// Judges the amount that is asked for, before anything is looked up. Where less will do, what is paid is judged.
fn may_take(by: &By, request: &Spend) -> Result<(), Refusal> {
    if request.partly {
        return Ok(());
    }
    by.may_move(Right::Redeem, request.amount.unwrap_or_else(|| request.basket.total()))
}

/// How the basket is paid.
fn pay(view: &View<'_>, request: &Spend) -> Result<Spent, Error> {
    may_take(&view.env.by, request)?;
    wallet(view, request.contact)?;
    let (basket, currency) = (&request.basket, request.basket.currency());
    let total = basket.total();
    let wanted = request.amount.unwrap_or(total);
    wanted.same_currency(total)?;
    let bad = |why: &str| Refusal::BadAmount { amount: wanted.to_string(), why: why.to_owned() };
    if wanted.minor() <= 0 {
        return Err(bad("it must be above zero").into());
    }
    if wanted.minor() > total.minor() {
        return Err(bad("it is above the basket's total").into());
    }
    limits::list("credits", view.loaded.credits.len(), limits::CREDITS)?;
    let mut reasons = Vec::new();
    let mut by_lot: BTreeMap<LotId, Result<Vec<usize>, Refusal>> = BTreeMap::new();
    let mut credits: Vec<(OrderKey, &CreditRow, Vec<usize>)> = Vec::new();
    for credit in &view.loaded.credits {
        let left = credit.amount.left();
        if left <= 0 || credit.spend_by.is_some_and(|end| view.env.now >= end) {
            continue;
        }
        let chain = view.docs.chain_of(credit.pass)?;
        if chain.terms.currency != currency {
            continue;
        }
        let lines = by_lot.entry(credit.pass.lot()).or_insert_with(|| {
            let pool = chain.terms.pool.as_deref().and_then(|name| view.business.settings.pool(name));
            let conditions: Vec<&Conditions> =
                std::iter::once(&chain.terms.conditions).chain(pool.map(|p| &p.conditions)).collect();
            payable(&conditions, basket, view.env.place())
        });
        match lines {
            Ok(lines) => {
                let key = OrderKey {
                    spend_by: credit.spend_by.map(|at| at.micros()),
                    paid: credit.mark == Mark::Paid,
                    payable_lines: lines.len(),
                    created: credit.created.micros(),
                    id: credit.id.to_bytes(),
                };
                credits.push((key, credit, lines.clone()));
            }
            Err(refusal) => reasons.push(refusal.clone()),
        }
    }
    credits.sort_by_key(|(key, ..)| *key);
    let payers: Vec<Payer<'_>> =
        credits.iter().map(|(_, credit, lines)| Payer { amount: credit.amount.left(), lines }).collect();
    let split = split_up_to(basket.totals(), &payers, wanted.minor());
    if split.paid <= 0 || (split.short > 0 && !request.partly) {
        reasons.push(Refusal::BalanceTooSmall { short: Money::of(split.short, currency) });
        return Err(reasons.into());
    }
    let amount = Money::of(split.paid, currency);
    view.env.by.may_move(Right::Redeem, amount)?;
    let paid = split
        .parts
        .iter()
        .filter_map(|part| {
            let (_, credit, _) = credits.get(part.credit)?;
            Some(PaidBy {
                credit: credit.id,
                pass: credit.pass,
                mark: credit.mark,
                line: u32::try_from(part.line).ok()?,
                amount: Money::of(part.amount, currency),
            })
        })
        .collect();
    Ok(Spent { contact: request.contact, amount, short: Money::of(split.short, currency), paid })
}

/// The lines that money under these conditions may pay, or why it may pay none.
fn payable(conditions: &[&Conditions], basket: &Basket, place: Option<&str>) -> Result<Vec<usize>, Refusal> {
    if !conditions.iter().all(|c| c.allow_place(place)) {
        return Err(Refusal::WrongPlace { place: place.unwrap_or("no place").to_owned() });
    }
    let short =
        conditions.iter().filter_map(|c| c.short_of_minimum(basket.total())).max_by_key(|m| m.minor());
    if let Some(short) = short {
        return Err(Refusal::BelowMinimum { short });
    }
    let lines: Vec<usize> = basket
        .lines()
        .iter()
        .zip(basket.totals())
        .enumerate()
        .filter(|(_, (line, total))| **total > 0 && conditions.iter().all(|c| c.allow(line)))
        .map(|(n, _)| n)
        .collect();
    if lines.is_empty() { Err(Refusal::NoEligibleProducts) } else { Ok(lines) }
}

//! What is asked of a redemption, and what it answers.

use crate::calendar::Instant;
use crate::conditions::Basket;
use crate::id::{ContactId, CreditId, PassId};
use crate::ledger::Mark;
use crate::money::Money;
use crate::pass::Tally;
use crate::passcode::Presented;
use crate::redemption::Target;
use crate::refusal::Refusal;
use crate::service::{Done, Error};
use serde::{Deserialize, Serialize};

/// A request to redeem a pass, or to check whether it could be.
///
/// ```
/// use passes_core::service::Redeem;
/// use passes_core::money::{Currency, Money};
/// # let contact = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let into_wallet = Redeem::into_wallet("GIFT-7KQ2-M9XW", contact);
/// let at_the_till = Redeem::direct("GIFT-7KQ2-M9XW", Money::parse("12.50", Currency::parse("EUR")?)?);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redeem {
    /// The passcode, or its hash.
    pub code: Presented,
    /// Where the value goes.
    pub target: Target,
    /// What is to be spent directly; the basket's total if none. A redemption into a wallet takes a whole use.
    pub amount: Option<Money>,
    /// The purchase at hand.
    pub basket: Option<Basket>,
    /// Whether less than the amount will do, if the balance or the products don't allow all of it.
    pub partly: bool,
}

impl Redeem {
    /// Into the wallet of a contact.
    /// See [`Passes::redeem`](crate::Passes::redeem).
    #[must_use]
    pub fn into_wallet(code: impl Into<Presented>, contact: ContactId) -> Self {
        Self {
            code: code.into(),
            target: Target::Contact(contact),
            amount: None,
            basket: None,
            partly: false,
        }
    }

    /// Into the wallet of a new nameless contact.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::service::Redeem;
    /// let taken = passes.redeem(by, Redeem::into_new_wallet(shop.sold(1)?)).wait()?;
    /// assert!(!passes.contact(by, taken.contact.unwrap()).wait()?.named);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn into_new_wallet(code: impl Into<Presented>) -> Self {
        Self { code: code.into(), target: Target::NewContact, amount: None, basket: None, partly: false }
    }

    /// Spent directly, as a gift card.
    /// See [`Passes::redeem`](crate::Passes::redeem).
    #[must_use]
    pub fn direct(code: impl Into<Presented>, amount: Money) -> Self {
        Self { code: code.into(), target: Target::Direct, amount: Some(amount), basket: None, partly: false }
    }

    /// Spent directly on all of a basket.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// use passes_core::conditions::{Basket, Line};
    /// # use passes_core::{money::Currency, service::Redeem};
    /// let basket = Basket::new(Currency::GBP, vec![Line::new("MUG", 2, gbp("7.50")?)])?;
    /// let paid = passes.redeem(by, Redeem::pay(shop.sold(1)?, basket)).wait()?;
    /// assert_eq!((paid.amount, paid.paid[0].line), (gbp("15")?, Some(0)));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn pay(code: impl Into<Presented>, basket: Basket) -> Self {
        Self { code: code.into(), target: Target::Direct, amount: None, basket: Some(basket), partly: false }
    }

    /// With the purchase at hand.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::{conditions::{Basket, Line}, money::Currency, service::Redeem};
    /// let basket = Basket::new(Currency::GBP, vec![Line::new("MUG", 2, gbp("7.50")?)])?;
    /// let request = Redeem::direct(shop.sold(1)?, gbp("10")?).basket(basket);
    /// assert_eq!(passes.redeem(by, request).wait()?.amount, gbp("10")?);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn basket(mut self, basket: Basket) -> Self {
        self.basket = Some(basket);
        self
    }

    /// Less will do.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::service::Redeem;
    /// let request = Redeem::direct(shop.sold(1)?, gbp("30")?).partly();
    /// let paid = passes.redeem(by, request).wait()?;
    /// assert_eq!((paid.amount, paid.short), (gbp("25")?, gbp("5")?));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn partly(mut self) -> Self {
        self.partly = true;
        self
    }
}

/// A credit that a redemption made.
/// See [`Redeemed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credited {
    /// Its id.
    pub credit: CreditId,
    /// How much.
    pub amount: Money,
    /// Paid for, or given.
    pub mark: Mark,
    /// The moment from which it can't be spent any more; nothing is never.
    pub spend_by: Option<Instant>,
}

/// What paid for a line of the basket, or for the amount where there was none.
/// See [`Redeem::pay`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidLine {
    /// The line, from 0.
    pub line: Option<u32>,
    /// The mark of the money.
    pub mark: Mark,
    /// How much.
    pub amount: Money,
}

/// What a redemption did, or would do.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// # use passes_core::service::Redeem;
/// let taken = passes.redeem(by, Redeem::into_wallet(shop.sold(1)?, shop.ann)).wait()?;
/// assert!(taken.was_last() && taken.uses_left == 0);
/// assert_eq!(taken.credits[0].amount, taken.amount);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeemed {
    /// The pass.
    pub pass: PassId,
    /// Whose wallet it went to; none when it was spent directly.
    pub contact: Option<ContactId>,
    /// How much.
    pub amount: Money,
    /// What was asked for and is not covered: zero unless less would do.
    pub short: Money,
    /// The credits it became.
    pub credits: Vec<Credited>,
    /// What it paid for, when spent directly.
    pub paid: Vec<PaidLine>,
    /// How many uses it counts.
    pub uses: i64,
    /// What is left on the pass.
    pub left: Money,
    /// How many uses are left.
    pub uses_left: i64,
}

impl Redeemed {
    /// Whether the pass is used up by it.
    /// See [`Redeemed`].
    #[must_use]
    pub fn was_last(&self) -> bool {
        self.left.minor() == 0
    }
}

impl Done for Redeemed {
    fn settle(&mut self, after: &[Tally]) {
        if let [uses, balance, ..] = after {
            self.uses_left = uses.left();
            self.left = Money::of(balance.left(), self.amount.currency());
        }
    }
}

/// The answer to a check: what the redemption would do, or every rule that fails.
/// See [`Passes::check`](crate::Passes::check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check<T = Redeemed> {
    /// Every rule that fails, the one to tell first in front; empty when it would be accepted.
    pub reasons: Vec<Refusal>,
    /// What it would do. Ids of credits and of a new contact are not made before the redemption.
    pub would: Option<T>,
}

impl<T> Check<T> {
    /// Whether it would be accepted.
    /// See [`Passes::check`](crate::Passes::check).
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.reasons.is_empty()
    }

    pub(crate) fn of(answer: Result<T, Error>) -> Result<Self, Error> {
        match answer {
            Ok(would) => Ok(Self { reasons: Vec::new(), would: Some(would) }),
            Err(Error::Refused(refused)) => Ok(Self { reasons: refused.reasons().to_vec(), would: None }),
            Err(error) => Err(error),
        }
    }
}

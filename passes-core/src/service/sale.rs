//! Sales, as they are stored and asked for (L-8).

use super::{Call, Passes, Receipt};
use crate::calendar::Instant;
use crate::id::{ContactId, SaleId};
use crate::limits;
use crate::money::Money;
use crate::operation::By;
use crate::refusal::Refusal;
use crate::service::bulk::{Changed, Over};
use crate::service::lifecycle::Command;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The terms on which passes are sold.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// # let gbp = passes_host::testing::Shop::gbp;
/// use passes_core::service::Deal;
/// let deal = Deal::at(gbp("20")?).to(shop.ann).payment("receipt-1");
/// assert_eq!((deal.buyer, deal.payment.as_deref()), (Some(shop.ann), Some("receipt-1")));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deal {
    /// Who buys, if known.
    pub buyer: Option<ContactId>,
    /// The price of each pass. It may differ from its value: what is above the value is no liability, what is
    /// below is granted.
    pub price: Money,
    /// The value of each pass, where the plan leaves it open.
    pub value: Option<Money>,
    /// The host's payment reference; at most 64 characters.
    pub payment: Option<String>,
}

impl Deal {
    /// At this price.
    /// See [`Deal`].
    #[must_use]
    pub fn at(price: Money) -> Self {
        Self { buyer: None, price, value: None, payment: None }
    }

    /// To this contact.
    /// See [`Deal`].
    #[must_use]
    pub fn to(mut self, buyer: ContactId) -> Self {
        self.buyer = Some(buyer);
        self
    }

    /// With this value.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::plan::{Classification, Form, Terms, Worth};
    /// # use passes_core::service::Deal;
    /// # let terms = Terms::fixed(Classification::Gift, Form::Printed, gbp("10")?);
    /// # let open = Worth::Range { least: gbp("10")?, most: gbp("100")? };
    /// # let lot = shop.printed(shop.active(Terms { value: open, ..terms })?, 1)?;
    /// passes.sell(by, lot.pass(1), Deal::at(gbp("40")?).worth(gbp("40")?)).wait()?;
    /// assert_eq!(passes.pass(by, lot.pass(1)).wait()?.value, Some(gbp("40")?));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn worth(mut self, value: Money) -> Self {
        self.value = Some(value);
        self
    }

    /// With this payment reference.
    /// See [`Deal`].
    #[must_use]
    pub fn payment(mut self, payment: &str) -> Self {
        self.payment = Some(payment.to_owned());
        self
    }
}

impl Deal {
    /// Checks the price and the payment reference.
    ///
    /// # Errors
    /// `BAD_AMOUNT` for a price below zero; `INVALID` or `TOO_LARGE` for the reference.
    pub(crate) fn validate(&self) -> Result<(), Refusal> {
        if self.price.minor() < 0 {
            let amount = self.price.to_string();
            return Err(Refusal::BadAmount { amount, why: "a price can't be below zero".into() });
        }
        self.payment.as_deref().map_or(Ok(()), |payment| limits::text("payment", payment, 1, limits::NAME))
    }
}

/// A sale as it is stored.
/// See [`Passes::sale`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sale {
    /// Its id.
    pub id: SaleId,
    /// Its terms.
    pub deal: Deal,
    /// When.
    pub at: Instant,
    /// Who sold.
    pub seller: Arc<str>,
    /// Where.
    pub place: Option<Arc<str>>,
}

impl Passes {
    /// Sells printed passes: buyer, price, payment reference, seller and place are recorded, an open value is
    /// set, and the passes become active, all at once. Electronic ones are sold as they are issued.
    ///
    /// # Errors
    /// `FORBIDDEN`; `BAD_AMOUNT` for a price below zero; `NOT_FOUND`; `WRONG_STATE`; `VALUE_NOT_SET`,
    /// `VALUE_OUT_OF_RANGE`; `CONTACT_NOT_REGISTERED` for the buyer; `PLAN_CAP`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// use passes_core::service::Deal;
    /// let three: Vec<_> = (1..=3).map(|serial| shop.lot.pass(serial)).collect();
    /// let deal = Deal::at(gbp("20")?).to(shop.ann).payment("receipt-1"); // 5 of the 25 pounds are granted.
    /// let sold = passes.sell(&by.clone().key("receipt-1"), three, deal).wait()?;
    /// assert_eq!(sold.changed, 3);
    /// assert_eq!(passes.pass(by, shop.lot.pass(3)).wait()?.granted_left, gbp("5")?);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn sell<'a>(&'a self, by: &'a By, over: impl Into<Over>, deal: Deal) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::Sell(Box::new(deal)))
    }

    /// Voids the sale of passes that have not been used, within the business's time: the value is no longer
    /// booked; printed passes are drafts again, electronic ones are cancelled.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for one that was not sold; `PASS_USED`; `TOO_LATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::pass::State;
    /// shop.sold(1)?;
    /// passes.void_sale(by, shop.card(1)).wait()?;
    /// assert_eq!(passes.pass(by, shop.card(1)).wait()?.state, State::Draft);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn void_sale<'a>(&'a self, by: &'a By, over: impl Into<Over>) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::VoidSale)
    }
}

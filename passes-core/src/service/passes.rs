//! Use cases of passes: activating, delivering, suspending, cancelling, changing. What each does to a pass stands
//! in `lifecycle`; on which passes, in `bulk`.

use super::bulk::{Changed, Over};
use super::lifecycle::{Command, Expiry, Rest};
use super::{Call, Passes, Receipt};
use crate::fields::Values;
use crate::id::ContactId;
use crate::lot::Outcome;
use crate::money::Money;
use crate::operation::By;

impl Passes {
    /// Activates printed passes by hand. Their value is booked, as the plan's `unsold` mark says.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a pass that is no draft, or electronic.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::pass::State;
    /// passes.activate(by, shop.card(1)).wait()?; // Given away: its value is granted.
    /// let card = passes.pass(by, shop.card(1)).wait()?;
    /// assert_eq!((card.state, card.granted_left), (State::Active, card.left));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn activate<'a>(&'a self, by: &'a By, over: impl Into<Over>) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::Activate)
    }

    /// Records the outcome of the delivery of electronic passes. By the channel's setting, its word that it
    /// took the message, or that it arrived, makes a draft active.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::{lot::Outcome, pass::State, plan::{Classification, Form, Terms}};
    /// # use passes_core::service::{Issue, Recipient};
    /// # let value = passes_host::testing::Shop::gbp("25")?;
    /// # let plan = shop.active(Terms::fixed(Classification::Gift, Form::Electronic, value))?;
    /// # let pass = passes.issue(by, Issue::new(plan, Recipient::Contact(shop.ann), "email")).wait()?.pass;
    /// passes.delivered(by, pass, Outcome::Confirmed).wait()?;
    /// assert_eq!(passes.pass(by, pass).wait()?.state, State::Active);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn delivered<'a>(
        &'a self,
        by: &'a By,
        over: impl Into<Over>,
        outcome: Outcome,
    ) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::Deliver(outcome))
    }

    /// Has electronic passes sent again: an event asks for it.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `CODE_NOT_RECOVERABLE` where only a reissue helps.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::{event::{Event, Position}, plan::{Classification, Form, Terms}};
    /// # use passes_core::service::{Issue, Recipient};
    /// # let value = passes_host::testing::Shop::gbp("25")?;
    /// # let plan = shop.active(Terms::fixed(Classification::Gift, Form::Electronic, value))?;
    /// # let pass = passes.issue(by, Issue::new(plan, Recipient::Contact(shop.ann), "email")).wait()?.pass;
    /// let sent = passes.resend(by, pass).wait()?;
    /// let told = passes.events(by, Position(sent.operation.0 - 1), 10).wait()?;
    /// assert!(matches!(told[0].event, Event::DeliveryWanted { to, .. } if to == shop.ann));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn resend<'a>(&'a self, by: &'a By, over: impl Into<Over>) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::Resend)
    }

    /// Suspends passes, or by one record a whole lot or plan. Expiry does not move.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::pass::State;
    /// shop.sold(1)?;
    /// passes.suspend(&by.clone().reason("a box was stolen"), shop.lot).wait()?;
    /// assert_eq!(passes.pass(by, shop.card(1)).wait()?.state, State::Suspended);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn suspend<'a>(&'a self, by: &'a By, over: impl Into<Over>) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::Suspend)
    }

    /// Reactivates what was suspended: a pass, a lot and a plan are lifted separately.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::pass::State;
    /// # shop.sold(1)?;
    /// passes.suspend(by, shop.card(1)).wait()?;
    /// passes.reactivate(by, shop.card(1)).wait()?;
    /// assert_eq!(passes.pass(by, shop.card(1)).wait()?.state, State::Active);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn reactivate<'a>(&'a self, by: &'a By, over: impl Into<Over>) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::Reactivate)
    }

    /// Cancels passes. What is left of their value is refunded, forfeited or reissued.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::service::Rest;
    /// shop.sold(1)?;
    /// let done = passes.cancel(by, shop.card(1), Rest::Reissue).wait()?;
    /// let (old, new) = done.replaced[0];
    /// assert_eq!(passes.pass(by, old).wait()?.successor, Some(new));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn cancel<'a>(&'a self, by: &'a By, over: impl Into<Over>, rest: Rest) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::Cancel(rest))
    }

    /// Sets the expiry of passes, earlier or later; of an expired one, too.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::{calendar::parse_date, service::Expiry};
    /// let last_day = parse_date("expiry", "2026-12-31")?;
    /// passes.set_expiry(by, shop.card(1), Expiry::Date(last_day)).wait()?;
    /// let ends = passes.pass(by, shop.card(1)).wait()?.redeem_by.unwrap();
    /// assert_eq!(ends.to_string(), "2027-01-01T00:00:00Z");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn set_expiry<'a>(
        &'a self,
        by: &'a By,
        over: impl Into<Over>,
        expiry: Expiry,
    ) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::SetExpiry(expiry))
    }

    /// Sets the value of unused passes, within the plan's range.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `VALUE_OUT_OF_RANGE`; `PASS_USED`; `PLAN_CAP`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::plan::{Classification, Form, Terms, Worth};
    /// # let terms = Terms::fixed(Classification::Gift, Form::Printed, gbp("10")?);
    /// # let open = Worth::Range { least: gbp("10")?, most: gbp("100")? };
    /// # let lot = shop.printed(shop.active(Terms { value: open, ..terms })?, 1)?;
    /// passes.set_value(by, lot.pass(1), gbp("40")?).wait()?;
    /// assert_eq!(passes.pass(by, lot.pass(1)).wait()?.left, gbp("40")?);
    /// let error = passes.set_value(by, lot.pass(1), gbp("500")?).wait().unwrap_err();
    /// assert_eq!(error.code(), "VALUE_OUT_OF_RANGE");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn set_value<'a>(
        &'a self,
        by: &'a By,
        over: impl Into<Over>,
        value: Money,
    ) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::SetValue(value))
    }

    /// Sets custom fields of passes; those not named stay.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `BAD_FIELD`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::fields::{Definition, FieldType, Value};
    /// let mut settings = passes.settings(by).wait()?;
    /// let field = FieldType::Text { most: 40 };
    /// settings.pass_fields = vec![Definition { name: "motif".into(), required: false, field }];
    /// passes.configure(by, settings).wait()?;
    /// let roses = [("motif".to_owned(), Value::Text("roses".into()))].into();
    /// passes.set_fields(by, shop.card(1), roses).wait()?;
    /// assert_eq!(passes.pass(by, shop.card(1)).wait()?.fields["motif"], Value::Text("roses".into()));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn set_fields<'a>(
        &'a self,
        by: &'a By,
        over: impl Into<Over>,
        values: Values,
    ) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::SetFields(values))
    }

    /// Sets the recipient of passes. A draft is sent to the new one.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `CONTACT_NOT_REGISTERED`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// passes.set_recipient(by, shop.card(1), shop.ann).wait()?;
    /// assert_eq!(passes.pass(by, shop.card(1)).wait()?.holder, Some(shop.ann));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn set_recipient<'a>(
        &'a self,
        by: &'a By,
        over: impl Into<Over>,
        to: ContactId,
    ) -> Call<'a, Receipt<Changed>> {
        self.bulk(by, over.into(), Command::SetRecipient(to))
    }
}

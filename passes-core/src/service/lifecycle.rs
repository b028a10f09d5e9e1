//! What commands do to a pass in its life: each is a function from the pass as it is to what becomes of it.

use super::Error;
use super::docs::Chain;
use super::redeem::state_of;
use super::sale::{Deal, Sale};
use crate::business::{ActiveOn, Secrecy, Settings};
use crate::calendar::{Date, Instant};
use crate::event::Event;
use crate::fields::{self, Values};
use crate::id::{ContactId, SaleId};
use crate::ledger::{Account, Mark};
use crate::lot::{Delivery, Outcome};
use crate::money::Money;
use crate::operation::{Kind, Right};
use crate::pass::{Action, PassRow, Standing, State, flag};
use crate::plan::{Form, Terms};
use crate::refusal::Refusal;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};

/// Where what is left of a cancelled pass's value goes (L-3).
/// See [`Passes::cancel`](super::Passes::cancel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// Its price is given back, outside the library.
    Refund,
    /// It is forfeited.
    Forfeit,
    /// It goes onto a new pass, which takes the old one's place.
    Reissue,
}

/// An expiry that is set by hand (L-5).
/// See [`Passes::set_expiry`](super::Passes::set_expiry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// None.
    Never,
    /// The end of this date in the business's calendar.
    Date(Date),
    /// This instant.
    At(Instant),
}

/// What is done to passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    Activate,
    Deliver(Outcome),
    Resend,
    Suspend,
    Reactivate,
    Cancel(Rest),
    SetExpiry(Expiry),
    SetValue(Money),
    SetFields(Values),
    SetRecipient(ContactId),
    Sell(Box<Deal>),
    VoidSale,
}

impl Command {
    pub(crate) fn right(&self) -> Right {
        match self {
            Self::Activate => Right::Activate,
            Self::Deliver(_) | Self::Resend => Right::Issue,
            Self::Sell(_) => Right::Sell,
            Self::VoidSale => Right::Void,
            _ => Right::Adjust,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Activate => Kind::Activate,
            Self::Deliver(_) => Kind::Deliver,
            Self::Resend => Kind::Resend,
            Self::Suspend => Kind::Suspend,
            Self::Reactivate => Kind::Reactivate,
            Self::Cancel(_) => Kind::Cancel,
            Self::SetExpiry(_) | Self::SetValue(_) | Self::SetFields(_) | Self::SetRecipient(_) => {
                Kind::Change
            }
            Self::Sell(_) => Kind::Sell,
            Self::VoidSale => Kind::VoidSale,
        }
    }

    pub(crate) fn action(&self) -> Action {
        match self {
            Self::Activate => Action::Activate,
            Self::Deliver(_) => Action::Deliver,
            Self::Resend => Action::Resend,
            Self::Suspend => Action::Suspend,
            Self::Reactivate => Action::Reactivate,
            Self::Cancel(_) => Action::Cancel,
            Self::SetExpiry(_) => Action::SetExpiry,
            Self::SetValue(_) => Action::SetValue,
            Self::SetFields(_) => Action::SetFields,
            Self::SetRecipient(_) => Action::SetRecipient,
            Self::Sell(_) => Action::Sell,
            Self::VoidSale => Action::VoidSale,
        }
    }

    /// The contact that it names: it must be registered.
    pub(crate) fn contact(&self) -> Option<ContactId> {
        match self {
            Self::SetRecipient(contact) => Some(*contact),
            Self::Sell(deal) => deal.buyer,
            _ => None,
        }
    }

    /// Whether it needs the document of a pass's delivery.
    pub(crate) fn needs_delivery(&self) -> bool {
        matches!(self, Self::Deliver(_) | Self::Resend | Self::SetRecipient(_) | Self::Cancel(Rest::Reissue))
    }
}

/// Money that moves to or from a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// From an account onto the pass.
    Onto(Account, Mark, i64),
    /// From the pass to an account.
    Off(Account, Mark, i64),
}

/// What a command looks at besides the pass and its chain.
pub(crate) struct Around<'a> {
    pub(crate) now: Instant,
    pub(crate) settings: &'a Settings,
    pub(crate) delivery: Option<&'a Delivery>,
    pub(crate) sale: Option<&'a Sale>,
    /// The sale that the command makes.
    pub(crate) new_sale: SaleId,
}

/// What becomes of a pass.
pub(crate) struct Effect {
    pub(crate) row: PassRow,
    pub(crate) moves: Vec<Move>,
    pub(crate) delivery: Option<Delivery>,
    pub(crate) events: Vec<Event>,
    /// By how much the value ever made from the plan changes.
    pub(crate) value: i64,
    /// Whether the lot's seed is to be forgotten.
    pub(crate) forget: bool,
    /// Whether the pass became active.
    pub(crate) activated: bool,
    /// Whether it rests on that nothing of the pass is used: the commit judges that, too.
    pub(crate) unused: bool,
}

/// What a command does to one pass.
pub(crate) fn apply(
    command: &Command,
    pass: &PassRow,
    chain: &Chain,
    around: &Around<'_>,
) -> Result<Effect, Error> {
    let state = state_of(pass, chain);
    command.action().check(state)?;
    let mut effect = Effect::on(pass);
    let wrong = |command: &str| Refusal::WrongState {
        what: "pass",
        state: state.to_string(),
        command: command.into(),
    };
    match command {
        Command::Activate => {
            if chain.lot.form == Form::Electronic {
                return Err(wrong("be activated by hand: its delivery does that").into());
            }
            effect.activate(&chain.terms, around, unsold(&chain.terms, pass))?;
        }
        Command::Sell(deal) => effect.sell(deal, chain, around)?,
        Command::VoidSale => effect.void(chain, around)?,
        Command::Deliver(outcome) => effect.deliver(outcome, chain, around)?,
        Command::Resend => {
            let mut delivery = around.delivery.cloned().ok_or_else(|| wrong("be sent: it is printed"))?;
            if chain.lot.seed.is_none() {
                return Err(Refusal::CodeNotRecoverable.into());
            }
            delivery.sent = delivery.sent.saturating_add(1);
            effect.events.push(wanted(&delivery));
            effect.delivery = Some(delivery);
        }
        Command::Suspend if pass.flags & flag::SUSPENDED != 0 => {
            return Err(wrong("be suspended twice").into());
        }
        Command::Suspend => effect.row.flags |= flag::SUSPENDED,
        Command::Reactivate if pass.flags & flag::SUSPENDED == 0 => {
            return Err(wrong("be reactivated by itself: its lot or plan is suspended, or nothing is").into());
        }
        Command::Reactivate => effect.row.flags &= !flag::SUSPENDED,
        Command::Cancel(rest) => effect.cancel(*rest),
        Command::SetExpiry(expiry) => {
            effect.row.flags |= flag::EXPIRY_SET;
            effect.row.redeem_by = match expiry {
                Expiry::Never => None,
                Expiry::Date(date) => Some(around.settings.zone.end_of(*date)),
                Expiry::At(at) => Some(*at),
            };
        }
        Command::SetValue(value) => effect.set_value(*value, state, &chain.terms)?,
        Command::SetFields(values) => {
            let mut all = own_fields(pass)?;
            all.extend(values.clone());
            fields::check(&around.settings.pass_fields, &all, false)?;
            let json = serde_json::to_vec(&all).map_err(|e| Refusal::invalid("fields", e.to_string()))?;
            effect.row.fields = Some(json.into());
        }
        Command::SetRecipient(contact) => {
            effect.row.holder = Some(*contact);
            if let Some(delivery) = around.delivery {
                let delivery = Delivery { to: *contact, ..delivery.clone() };
                if state == State::Draft {
                    effect.events.push(wanted(&delivery));
                }
                effect.delivery = Some(delivery);
            }
        }
    }
    Ok(effect)
}

/// The custom fields set on the pass itself.
pub(crate) fn own_fields(pass: &PassRow) -> Result<Values, Error> {
    match &pass.fields {
        None => Ok(Values::new()),
        Some(json) => serde_json::from_slice(json)
            .map_err(|e| StoreError::Corrupt(format!("the fields of a pass: {e}")).into()),
    }
}

/// The event that has an electronic pass delivered.
pub(crate) fn wanted(delivery: &Delivery) -> Event {
    Event::DeliveryWanted { pass: delivery.pass, to: delivery.to, channel: delivery.channel.clone() }
}

/// What of a pass's value counts as paid when it becomes active without a sale.
fn unsold(terms: &Terms, pass: &PassRow) -> i64 {
    match terms.unsold {
        Mark::Paid => pass.balance.limit,
        Mark::Granted => 0,
    }
}

impl Effect {
    /// Nothing yet.
    pub(crate) fn on(pass: &PassRow) -> Self {
        Self {
            row: pass.clone(),
            moves: Vec::new(),
            delivery: None,
            events: Vec::new(),
            value: 0,
            forget: false,
            activated: false,
            unused: false,
        }
    }

    /// Makes the pass active, and books its value if it has one that is not booked.
    fn activate(&mut self, terms: &Terms, around: &Around<'_>, paid: i64) -> Result<(), Error> {
        let row = &mut self.row;
        row.standing = Standing::Active;
        row.activated = Some(around.now);
        if row.flags & flag::EXPIRY_SET == 0
            && let Some(end) = activation_end(terms, around)?
        {
            row.redeem_by = Some(end);
        }
        self.activated = true;
        if row.value.is_some() && row.flags & flag::BOOKED == 0 {
            self.book(paid);
        }
        Ok(())
    }

    /// Books the value: paid up to the price, granted for the rest.
    pub(crate) fn book(&mut self, price: i64) {
        let row = &mut self.row;
        let total = row.balance.limit;
        let paid = price.clamp(0, total);
        row.granted.limit = total - paid;
        row.flags |= flag::BOOKED;
        self.onto(Account::Received, Mark::Paid, paid);
        self.onto(Account::Granted, Mark::Granted, total - paid);
    }

    fn onto(&mut self, account: Account, mark: Mark, amount: i64) {
        if amount > 0 {
            self.moves.push(Move::Onto(account, mark, amount));
        }
    }

    fn off(&mut self, account: Account, mark: Mark, amount: i64) {
        if amount > 0 {
            self.moves.push(Move::Off(account, mark, amount));
        }
    }

    /// What is left of the pass's booked value: granted, and paid.
    fn left(&self) -> (i64, i64) {
        let granted = self.row.granted.left();
        (granted, self.row.balance.left() - granted)
    }

    fn sell(&mut self, deal: &Deal, chain: &Chain, around: &Around<'_>) -> Result<(), Error> {
        let terms = &chain.terms;
        deal.price.same_currency(Money::zero(terms.currency))?;
        if chain.lot.form == Form::Electronic {
            let command = "be sold: it is sold as it is issued".to_owned();
            return Err(Refusal::WrongState { what: "pass", state: "electronic".into(), command }.into());
        }
        match deal.value {
            Some(value) => self.give_value(value, terms)?,
            None if self.row.value.is_none() => return Err(Refusal::ValueNotSet.into()),
            None => {}
        }
        self.row.sale = Some(around.new_sale);
        self.activate(terms, around, deal.price.minor())
    }

    /// Sets the value of a pass whose value is not booked.
    pub(crate) fn give_value(&mut self, value: Money, terms: &Terms) -> Result<(), Error> {
        terms.check_value(value)?;
        let total = terms.usage.total(value)?.minor();
        // A fixed value counted when the lot was generated.
        self.value = total - self.row.balance.limit;
        self.row.value = Some(value.minor());
        self.row.balance.limit = total;
        Ok(())
    }

    fn void(&mut self, chain: &Chain, around: &Around<'_>) -> Result<(), Error> {
        let sale = match (self.row.sale, around.sale) {
            (Some(_), Some(sale)) => sale,
            // It was sold after it was looked at.
            (Some(_), None) => return Err(StoreError::Conflict.into()),
            (None, _) => {
                let (state, command) = ("not sold".to_owned(), "have its sale voided".to_owned());
                return Err(Refusal::WrongState { what: "pass", state, command }.into());
            }
        };
        let until = sale.at.plus_seconds(i64::from(around.settings.void_hours) * 3_600)?;
        if around.now >= until {
            return Err(Refusal::TooLate { until }.into());
        }
        if self.row.balance.used != 0 || self.row.balance.held != 0 || self.row.uses.used != 0 {
            return Err(Refusal::PassUsed.into());
        }
        self.unused = true;
        let (granted, paid) = self.left();
        self.off(Account::Granted, Mark::Granted, granted);
        self.off(Account::Received, Mark::Paid, paid);
        let row = &mut self.row;
        row.flags &= !flag::BOOKED;
        row.granted.limit = 0;
        row.sale = None;
        if chain.lot.form == Form::Electronic {
            row.standing = Standing::Cancelled;
            row.balance.limit = 0;
            return Ok(());
        }
        row.standing = Standing::Draft;
        row.activated = None;
        if row.flags & flag::EXPIRY_SET == 0 && activation_end(&chain.terms, around)?.is_some() {
            row.redeem_by = None;
        }
        if chain.terms.fixed_value().is_none() {
            self.value = -row.balance.limit;
            row.value = None;
            row.balance.limit = 0;
        }
        Ok(())
    }

    fn deliver(&mut self, outcome: &Outcome, chain: &Chain, around: &Around<'_>) -> Result<(), Error> {
        let wrong =
            || Refusal::WrongState { what: "pass", state: "printed".into(), command: "be delivered".into() };
        let mut delivery = around.delivery.cloned().ok_or_else(wrong)?;
        let enough = match outcome {
            Outcome::Failed { why } => {
                crate::limits::text("why", why, 0, crate::limits::TEXT)?;
                false
            }
            Outcome::Confirmed => true,
            Outcome::Accepted => around.settings.active_on(&delivery.channel) == ActiveOn::Accepted,
        };
        let failed = matches!(outcome, Outcome::Failed { .. });
        if delivery.outcomes.len() >= 20 {
            delivery.outcomes.remove(0);
        }
        delivery.outcomes.push((around.now, outcome.clone()));
        if enough && self.row.standing == Standing::Draft {
            self.activate(&chain.terms, around, unsold(&chain.terms, &self.row))?;
        }
        self.forget = !failed && around.settings.secrecy == Secrecy::Hashed && chain.lot.seed.is_some();
        self.events.push(Event::DeliveryRecorded { pass: self.row.id, failed, activated: self.activated });
        self.delivery = Some(delivery);
        Ok(())
    }

    fn cancel(&mut self, rest: Rest) {
        let to = match rest {
            Rest::Refund => Some(Account::Refunded),
            Rest::Forfeit => Some(Account::Breakage),
            Rest::Reissue => None,
        };
        if let Some(account) = to.filter(|_| self.row.flags & flag::BOOKED != 0) {
            let (granted, paid) = self.left();
            self.off(account, Mark::Granted, granted);
            self.off(account, Mark::Paid, paid);
        }
        let row = &mut self.row;
        row.standing = Standing::Cancelled;
        // Nothing is left on it; a use or a spend at the same moment makes these limits fail, and decides again.
        row.balance.limit = row.balance.used;
        row.granted.limit = row.granted.used;
    }

    fn set_value(&mut self, value: Money, state: State, terms: &Terms) -> Result<(), Error> {
        if self.row.balance.used != 0 || self.row.balance.held != 0 {
            return Err(Refusal::PassUsed.into());
        }
        self.unused = true;
        let before = self.row.balance.limit;
        let (granted, _) = self.left();
        self.give_value(value, terms)?;
        let change = self.row.balance.limit - before;
        if self.row.flags & flag::BOOKED == 0 {
            if state != State::Draft {
                let paid = unsold(terms, &self.row);
                self.book(paid);
            }
        } else if change > 0 {
            self.row.granted.limit += change;
            self.onto(Account::Correction, Mark::Granted, change);
        } else {
            let given = granted.min(-change);
            self.row.granted.limit -= given;
            self.off(Account::Correction, Mark::Granted, given);
            self.off(Account::Correction, Mark::Paid, -change - given);
        }
        Ok(())
    }
}

/// The end of validity that activation sets, where the terms say so.
fn activation_end(terms: &Terms, around: &Around<'_>) -> Result<Option<Instant>, Error> {
    match terms.redeem_by {
        crate::plan::RedeemBy::AfterActivation(period) => {
            Ok(Some(period.ends(around.now, around.settings.zone)?))
        }
        _ => Ok(None),
    }
}

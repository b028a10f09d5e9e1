//! The rules of redeeming a pass. To add one, write a function from [`Case`] to a refusal, and list it.

use super::taking;
use crate::business::Settings;
use crate::calendar::{Instant, Opening};
use crate::conditions::Basket;
use crate::contact::Contact;
use crate::id::ContactId;
use crate::money::Money;
use crate::pass::{Action, PassRow, State};
use crate::plan::{Classification, Terms};
use crate::refusal::{Refusal, by_precedence};

/// Where the value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into the wallet of a contact.
    Contact(ContactId),
    /// Into the wallet of a new nameless contact.
    NewContact,
    /// It is spent directly, as a gift card.
    Direct,
}

/// Everything that the rules look at.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The instant of the redemption.
    pub now: Instant,
    /// The business's settings.
    pub settings: &'a Settings,
    /// The terms of the pass.
    pub terms: &'a Terms,
    /// The pass.
    pub pass: &'a PassRow,
    /// Which of lot and plan is suspended.
    pub suspended: Option<&'static str>,
    /// Where the value goes.
    pub target: Target,
    /// The contact of the target, if registered.
    pub contact: Option<&'a Contact>,
    /// Where it happens.
    pub place: Option<&'a str>,
    /// The purchase at hand.
    pub basket: Option<&'a Basket>,
    /// What is to be spent directly; the basket's total if none.
    pub amount: Option<Money>,
    /// Whether less will do.
    pub partly: bool,
}

impl Case<'_> {
    /// Whether it is spent directly.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.target == Target::Direct
    }

    fn state(&self) -> State {
        State::of(self.pass, self.suspended.is_some())
    }
}

type Rule = fn(&Case<'_>) -> Option<Refusal>;

const RULES: [Rule; 14] = [
    amount_is_sound,
    state_allows,
    has_started,
    is_open,
    has_not_expired,
    has_uses,
    has_value,
    names_contact,
    contact_is_registered,
    is_this_contacts,
    wallet_takes_currency,
    place_is_right,
    basket_reaches_minimum,
    covers_amount,
];

/// Every rule that fails, the one to tell first in front.
#[must_use]
pub fn refusals(case: &Case<'_>) -> Vec<Refusal> {
    by_precedence(RULES.iter().filter_map(|rule| rule(case)).collect())
}

fn amount_is_sound(case: &Case<'_>) -> Option<Refusal> {
    let currency = case.terms.currency;
    for amount in [case.amount, case.basket.map(Basket::total)].into_iter().flatten() {
        if let Err(refusal) = amount.same_currency(Money::zero(currency)) {
            return Some(refusal);
        }
    }
    match (case.is_direct(), case.amount, case.basket) {
        (true, None, None) => Some(Refusal::invalid("amount", "an amount or a basket is needed")),
        (true, Some(amount), _) if amount.minor() <= 0 => {
            Some(Refusal::BadAmount { amount: amount.to_string(), why: "it must be above zero".into() })
        }
        (true, Some(amount), Some(basket)) if amount.minor() > basket.total().minor() => {
            Some(Refusal::BadAmount { amount: amount.to_string(), why: "it is above the basket's total".into() })
        }
        (false, Some(_), _) => Some(Refusal::invalid("amount", "a redemption into a wallet takes a whole use")),
        _ => None,
    }
}

fn state_allows(case: &Case<'_>) -> Option<Refusal> {
    let action = if case.is_direct() { Action::Spend } else { Action::Redeem };
    match (action.check(case.state()).err()?, case.suspended) {
        (Refusal::PassSuspended { .. }, Some(what)) => Some(Refusal::PassSuspended { what }),
        (refusal, _) => Some(refusal),
    }
}

fn has_started(case: &Case<'_>) -> Option<Refusal> {
    match case.terms.windows.opens(case.now, case.settings.zone) {
        Opening::NotStarted { from } => Some(Refusal::NotStarted { from }),
        _ => None,
    }
}

fn is_open(case: &Case<'_>) -> Option<Refusal> {
    match case.terms.windows.opens(case.now, case.settings.zone) {
        Opening::Closed { next } => {
            let opens = next.map_or_else(|| "not again".to_owned(), |at| at.to_string());
            Some(Refusal::OutsideHours { opens })
        }
        _ => None,
    }
}

fn has_not_expired(case: &Case<'_>) -> Option<Refusal> {
    let at = case.pass.redeem_by?;
    (case.now >= at).then_some(Refusal::Expired { at })
}

fn has_uses(case: &Case<'_>) -> Option<Refusal> {
    let pass = case.pass;
    let spent = pass.value.is_some() && pass.uses.left() <= 0 && pass.balance.left() <= 0;
    spent.then(|| Refusal::UsesSpent { uses: case.terms.usage.uses() })
}

fn has_value(case: &Case<'_>) -> Option<Refusal> {
    case.pass.value.is_none().then_some(Refusal::ValueNotSet)
}

fn names_contact(case: &Case<'_>) -> Option<Refusal> {
    let needs = case.terms.classification == Classification::TopUp || case.terms.personal;
    (needs && !matches!(case.target, Target::Contact(_))).then_some(Refusal::ContactRequired)
}

fn contact_is_registered(case: &Case<'_>) -> Option<Refusal> {
    match case.target {
        Target::Contact(id) if case.contact.is_none() => {
            Some(Refusal::ContactUnknown { contact: id.to_string() })
        }
        _ => None,
    }
}

fn is_this_contacts(case: &Case<'_>) -> Option<Refusal> {
    let (Target::Contact(id), Some(holder)) = (case.target, case.pass.holder) else { return None };
    (case.terms.personal && id != holder).then_some(Refusal::NotThisContact)
}

fn wallet_takes_currency(case: &Case<'_>) -> Option<Refusal> {
    let held = &case.contact?.currencies;
    let pass = case.terms.currency;
    let wallet = *held.first()?;
    (!held.contains(&pass) && !case.settings.second_currency).then_some(Refusal::WalletCurrency { wallet, pass })
}

fn place_is_right(case: &Case<'_>) -> Option<Refusal> {
    let wrong = case.is_direct() && !taking::places_allow(case);
    wrong.then(|| Refusal::WrongPlace { place: case.place.unwrap_or("no place").to_owned() })
}

fn basket_reaches_minimum(case: &Case<'_>) -> Option<Refusal> {
    let total = case.basket.filter(|_| case.is_direct())?.total();
    let short = taking::conditions(case).filter_map(|c| c.short_of_minimum(total)).max_by_key(|m| m.minor())?;
    Some(Refusal::BelowMinimum { short })
}

fn covers_amount(case: &Case<'_>) -> Option<Refusal> {
    // Judged only where an amount can be told at all; the other rules say why it can't.
    if !case.is_direct() || case.pass.value.is_none() || amount_is_sound(case).is_some() {
        return None;
    }
    taking::take(case).err()
}

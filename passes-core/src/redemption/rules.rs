//! The rules of redeeming a pass. To add one, write a function from [`Case`] to a refusal, and list it.

use super::taking::{self, Taking};
use crate::business::Settings;
use crate::calendar::{Instant, Opening};
use crate::conditions::Basket;
use crate::id::ContactId;
use crate::money::{Currency, Money};
use crate::pass::{Action, PassRow, State};
use crate::plan::{Classification, Terms};
use crate::refusal::{Refusal, by_precedence};

/// Where the value goes.
/// See [`Case`].
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
///
/// ```
/// use passes_core::redemption::{Case, Target, refusals, take};
/// # use passes_core::pass::{PassRow, Standing, Tally};
/// # use passes_core::plan::{Classification, Form, Terms};
/// # let settings = passes_core::business::Settings::new("Shop", "Europe/London", &["GBP"], "en-GB")?;
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// # let value = passes_core::money::Money::parse("25", passes_core::money::Currency::GBP)?;
/// # let terms = Terms::fixed(Classification::Gift, Form::Printed, value);
/// # let (uses, balance) = (Tally::new(1), Tally::new(2_500));
/// # let draft = PassRow { value: Some(2_500), uses, balance, ..PassRow::draft(lot.pass(1)) };
/// let case = Case {
///     now: passes_core::calendar::Instant::EPOCH,
///     settings: &settings,
///     terms: &terms,
///     pass: &draft,
///     suspended: None,
///     target: Target::Direct,
///     wallet: None,
///     place: Some("Oxford Street"),
///     basket: None,
///     amount: Some(value),
///     partly: false,
/// };
/// assert!(case.is_direct());
/// assert_eq!(refusals(&case), [passes_core::Refusal::PassDraft]);
/// let active = PassRow { standing: Standing::Active, ..draft.clone() };
/// assert_eq!(take(&Case { pass: &active, ..case })?.amount, 2_500);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
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
    /// The currencies of the wallet of the target's contact, in the order of their first credits; none if nobody
    /// is known there.
    pub wallet: Option<&'a [Currency]>,
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
    /// See [`Case`].
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.target == Target::Direct
    }

    fn state(&self) -> State {
        State::of(self.pass, self.suspended.is_some())
    }
}

/// The rules, one after the other. Not a list of functions, each of which would be called by its address: nearly always
/// none fails, and finding that out is most of the work.
fn rules(case: &Case<'_>, mut tell: impl FnMut(Option<Refusal>)) {
    tell(amount_is_sound(case));
    tell(state_allows(case));
    tell(has_started(case));
    tell(is_open(case));
    tell(has_not_expired(case));
    tell(has_uses(case));
    tell(has_value(case));
    tell(names_contact(case));
    tell(contact_is_registered(case));
    tell(is_this_contacts(case));
    tell(wallet_takes_currency(case));
    tell(place_is_right(case));
    tell(basket_reaches_minimum(case));
}

/// Every rule that fails, the one to tell first in front.
/// See [`Case`].
#[must_use]
pub fn refusals(case: &Case<'_>) -> Vec<Refusal> {
    judge(case).0
}

/// Every rule that fails, the one to tell first in front, and what the redemption takes if none does: see
/// [`take`](super::take), which is computed only once.
/// See [`Case`].
///
/// # Errors
/// Those of [`take`](super::take), which are among the rules that fail wherever an amount can be told at all.
pub fn judge(case: &Case<'_>) -> (Vec<Refusal>, Result<Taking, Refusal>) {
    let taking = taking::take(case);
    let mut refusals = Vec::new();
    // Not `extend`, which makes room before it looks.
    let mut tell = |refusal| {
        if let Some(refusal) = refusal {
            std::hint::cold_path();
            refusals.push(refusal);
        }
    };
    rules(case, &mut tell);
    tell(covers_amount(case, &taking));
    (by_precedence(refusals), taking)
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
            Some(Refusal::BadAmount {
                amount: amount.to_string(),
                why: "it is above the basket's total".into(),
            })
        }
        (false, Some(_), _) => {
            Some(Refusal::invalid("amount", "a redemption into a wallet takes a whole use"))
        }
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
            let opens = next.map_or_else(
                || "not within a year".to_owned(),
                |at| {
                    let local = case.settings.zone.local(at);
                    let (hour, minute) = (local.minute / 60, local.minute % 60);
                    format!("{} {} {hour:02}:{minute:02}", local.date.format("%A"), local.date)
                },
            );
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
        Target::Contact(id) if case.wallet.is_none() => {
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
    let held = case.wallet?;
    let pass = case.terms.currency;
    let wallet = *held.first()?;
    (!held.contains(&pass) && !case.settings.second_currency)
        .then_some(Refusal::WalletCurrency { wallet, pass })
}

fn place_is_right(case: &Case<'_>) -> Option<Refusal> {
    let wrong = case.is_direct() && !taking::places_allow(case);
    wrong.then(|| Refusal::WrongPlace { place: case.place.unwrap_or("no place").to_owned() })
}

fn basket_reaches_minimum(case: &Case<'_>) -> Option<Refusal> {
    let total = case.basket.filter(|_| case.is_direct())?.total();
    let short =
        taking::conditions(case).filter_map(|c| c.short_of_minimum(total)).max_by_key(|m| m.minor())?;
    Some(Refusal::BelowMinimum { short })
}

fn covers_amount(case: &Case<'_>, taking: &Result<Taking, Refusal>) -> Option<Refusal> {
    let refusal = taking.as_ref().err()?;
    // Judged only where an amount can be told at all; the other rules say why it can't.
    let told = case.is_direct() && case.pass.value.is_some() && amount_is_sound(case).is_none();
    told.then(|| refusal.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Hours, TimeOfDay, Weekday};
    use crate::id::{Id, LotId};
    use crate::pass::{Standing, Tally, flag};
    use crate::plan::{Form, Usage};

    const NOON: &str = "2026-06-06T12:00:00Z"; // a Saturday

    fn eur(minor: i64) -> Money {
        Money::of(minor, Currency::EUR)
    }

    fn terms() -> Terms {
        Terms::fixed(Classification::Gift, Form::Printed, eur(5_000))
    }

    fn pass() -> PassRow {
        PassRow {
            standing: Standing::Active,
            flags: flag::BOOKED,
            value: Some(5_000),
            uses: Tally::new(1),
            balance: Tally::new(5_000),
            ..PassRow::draft(LotId::from_bytes([7; 16]).pass(1))
        }
    }

    /// What is refused, with a change to the case before it is judged.
    fn judged<'a>(terms: &'a Terms, pass: &'a PassRow, change: impl FnOnce(&mut Case<'a>)) -> Vec<Refusal> {
        static SETTINGS: std::sync::LazyLock<Settings> = std::sync::LazyLock::new(|| {
            Settings::new("Shop", "Europe/Berlin", &["EUR", "JPY"], "en").unwrap()
        });
        let mut case = Case {
            now: Instant::parse(NOON).unwrap(),
            settings: &SETTINGS,
            terms,
            pass,
            suspended: None,
            target: Target::NewContact,
            wallet: None,
            place: None,
            basket: None,
            amount: None,
            partly: false,
        };
        change(&mut case);
        refusals(&case)
    }

    fn codes(refusals: &[Refusal]) -> Vec<&'static str> {
        refusals.iter().map(Refusal::code).collect()
    }

    /// R-1, R-2: every rule that fails is told, in the documented order, with what would fix it.
    #[test]
    fn every_rule_that_fails_is_told_in_order() {
        let mut terms = terms();
        terms.classification = Classification::TopUp;
        terms.windows.hours.push(Hours {
            days: [Weekday::Mon].into(),
            from: TimeOfDay::from_minutes(540).unwrap(),
            to: TimeOfDay::from_minutes(1_020).unwrap(),
        });
        let mut spent = pass();
        (spent.balance.used, spent.uses.used) = (5_000, 1);
        spent.redeem_by = Some(Instant::parse("2026-06-01T00:00:00Z").unwrap());
        let all = judged(&terms, &spent, |_| {});
        let wanted = ["PASS_REDEEMED", "OUTSIDE_HOURS", "PASS_EXPIRED", "USES_SPENT", "CONTACT_REQUIRED"];
        assert_eq!(codes(&all), wanted);
        let fixes: Vec<String> = all.iter().map(Refusal::fix).collect();
        assert_eq!(fixes.get(1).unwrap(), "opens Monday 2026-06-08 09:00");
    }

    /// R-2: each state, and which of lot and plan is suspended.
    #[test]
    fn states_have_their_own_refusals() {
        let (terms, good) = (terms(), pass());
        assert_eq!(judged(&terms, &good, |_| {}), []);
        assert_eq!(
            judged(&terms, &good, |c| c.suspended = Some("plan")),
            [Refusal::PassSuspended { what: "plan" }]
        );
        let own = PassRow { flags: flag::BOOKED | flag::SUSPENDED, ..pass() };
        assert_eq!(judged(&terms, &own, |_| {}), [Refusal::PassSuspended { what: "pass" }]);
        for (standing, code) in [(Standing::Draft, "PASS_DRAFT"), (Standing::Cancelled, "PASS_CANCELLED")] {
            assert_eq!(codes(&judged(&terms, &PassRow { standing, ..pass() }, |_| {})), [code]);
        }
        let open = PassRow { value: None, balance: Tally::new(0), ..pass() };
        assert_eq!(codes(&judged(&terms, &open, |_| {})), ["VALUE_NOT_SET"]);
    }

    /// R-3, W-2, P-8: contacts, currencies, places, amounts.
    #[test]
    fn contacts_places_and_amounts() {
        let (mut terms, pass) = (terms(), pass());
        let id = ContactId::from_bytes([9; 16]);
        let to = |c: &mut Case<'_>| c.target = Target::Contact(id);
        assert_eq!(codes(&judged(&terms, &pass, to)), ["CONTACT_NOT_REGISTERED"]);
        let refused = judged(&terms, &pass, |c| {
            (c.target, c.wallet) = (Target::Contact(id), Some(&[Currency::JPY][..]))
        });
        assert_eq!(codes(&refused), ["WALLET_CURRENCY"]);
        assert_eq!(
            judged(&terms, &pass, |c| (c.target, c.wallet) = (Target::Contact(id), Some(&[][..]))),
            []
        );
        terms.personal = true;
        let held = PassRow { holder: Some(ContactId::from_bytes([8; 16])), ..pass.clone() };
        let refused = judged(&terms, &held, |c| (c.target, c.wallet) = (Target::Contact(id), Some(&[][..])));
        assert_eq!(codes(&refused), ["NOT_THIS_CONTACT"]);
        terms.personal = false;
        terms.conditions.places = ["Here".into()].into();
        let direct = |amount: i64, place: Option<&'static str>| {
            judged(&terms, &pass, |c| {
                (c.target, c.amount, c.place) = (Target::Direct, Some(eur(amount)), place);
            })
        };
        assert_eq!(direct(5_000, Some("Here")), []);
        assert_eq!(direct(5_250, Some("Here")), [Refusal::BalanceTooSmall { short: eur(250) }]);
        assert_eq!(codes(&direct(100, None)), ["WRONG_PLACE"]);
        assert_eq!(codes(&direct(0, Some("Here"))), ["BAD_AMOUNT"]);
    }

    /// R-1, B-3: an amount is above zero, in the pass's currency and not above the basket; a whole use has none.
    #[test]
    fn amounts_are_sound() {
        let (terms, pass) = (terms(), pass());
        let line = crate::conditions::Line::new("A", 1, eur(100));
        let basket = Basket::new(Currency::EUR, vec![line]).unwrap();
        let direct = |amount: Option<i64>, basket| {
            judged(&terms, &pass, |c| {
                (c.target, c.amount, c.basket) = (Target::Direct, amount.map(eur), basket);
            })
        };
        assert_eq!(direct(None, None), [Refusal::invalid("amount", "an amount or a basket is needed")]);
        assert_eq!(direct(None, Some(&basket)), []);
        assert_eq!(direct(Some(1), None), []);
        assert_eq!(direct(Some(100), Some(&basket)), []);
        let above = "it is above the basket's total".to_owned();
        assert_eq!(
            direct(Some(101), Some(&basket)),
            [Refusal::BadAmount { amount: "1.01 EUR".into(), why: above }]
        );
        for amount in [0, -1] {
            assert_eq!(codes(&direct(Some(amount), Some(&basket))), ["BAD_AMOUNT"]);
        }
        let whole = judged(&terms, &pass, |c| c.amount = Some(eur(100)));
        assert_eq!(whole, [Refusal::invalid("amount", "a redemption into a wallet takes a whole use")]);
        let yen = |target| {
            judged(&terms, &pass, |c| (c.target, c.amount) = (target, Some(Money::of(1, Currency::JPY))))
        };
        assert_eq!(codes(&yen(Target::Direct)), ["MIXED_CURRENCIES"]);
        assert_eq!(codes(&yen(Target::NewContact)), ["MIXED_CURRENCIES"]);
        // An amount that is unsound is told as that alone; nothing is said of what it would take.
        let open = PassRow { value: None, balance: Tally::new(0), ..pass.clone() };
        let refused = judged(&terms, &open, |c| (c.target, c.amount) = (Target::Direct, Some(eur(0))));
        assert_eq!(codes(&refused), ["BAD_AMOUNT", "VALUE_NOT_SET"]);
        let refused = judged(&terms, &open, |c| (c.target, c.amount) = (Target::Direct, Some(eur(1))));
        assert_eq!(codes(&refused), ["VALUE_NOT_SET"]);
    }

    /// R-1: the moment of expiry is too late, the one before isn't; the opening hours show the local time.
    #[test]
    fn moments_are_exact() {
        let (mut terms, noon) = (terms(), Instant::parse(NOON).unwrap());
        let ends = |micros: i64| {
            let redeem_by = Some(Instant::from_micros(noon.micros() + micros).unwrap());
            PassRow { redeem_by, ..pass() }
        };
        assert_eq!(codes(&judged(&terms, &ends(0), |_| {})), ["PASS_EXPIRED"]);
        assert_eq!(judged(&terms, &ends(1), |_| {}), []);
        terms.windows.hours.push(Hours {
            days: [Weekday::Mon].into(),
            from: TimeOfDay::from_minutes(615).unwrap(),
            to: TimeOfDay::from_minutes(616).unwrap(),
        });
        let refused = judged(&terms, &ends(1), |_| {});
        assert_eq!(refused, [Refusal::OutsideHours { opens: "Monday 2026-06-08 10:15".into() }]);
        terms.windows.hours.clear();
        terms.windows.start = Some(crate::calendar::parse_date("start", "2026-06-07").unwrap());
        let from = Instant::parse("2026-06-06T22:00:00Z").unwrap();
        assert_eq!(judged(&terms, &ends(1), |_| {}), [Refusal::NotStarted { from }]);
    }

    /// R-2, P-5: uses are spent when neither they nor the balance has anything left.
    #[test]
    fn uses_are_spent_with_the_balance() {
        let terms = terms();
        let row = |uses: i64, balance: i64, value| {
            let uses = Tally { used: uses, held: 0, limit: 1 };
            // Something is held, so that it doesn't count as redeemed.
            let balance = Tally { used: balance, held: 1, limit: 5_001 };
            PassRow { uses, balance, value, ..pass() }
        };
        let spent = [Refusal::UsesSpent { uses: 1 }];
        assert_eq!(judged(&terms, &row(1, 5_000, Some(5_000)), |_| {}), spent);
        assert_eq!(judged(&terms, &row(1, 4_999, Some(5_000)), |_| {}), []);
        assert_eq!(judged(&terms, &row(0, 5_000, Some(5_000)), |_| {}), []);
        assert_eq!(codes(&judged(&terms, &row(1, 5_000, None), |_| {})), ["VALUE_NOT_SET"]);
    }

    /// R-3, W-2: a top-up and a personal pass need a named contact; a personal one its own; a wallet takes a
    /// second currency only where that is allowed.
    #[test]
    fn contacts_are_the_right_ones() {
        let id = ContactId::from_bytes([9; 16]);
        let (empty, euros, yen) = (&[][..], &[Currency::JPY, Currency::EUR][..], &[Currency::JPY][..]);
        let (plain, mut topup, mut personal) = (terms(), terms(), terms());
        topup.classification = Classification::TopUp;
        personal.personal = true;
        let pass = pass();
        for needs in [&topup, &personal] {
            let direct = judged(needs, &pass, |c| (c.target, c.amount) = (Target::Direct, Some(eur(1))));
            assert_eq!(codes(&direct), ["CONTACT_REQUIRED"]);
            assert_eq!(codes(&judged(needs, &pass, |_| {})), ["CONTACT_REQUIRED"]);
        }
        let held = |by: u8| PassRow { holder: Some(ContactId::from_bytes([by; 16])), ..pass.clone() };
        let (hers, his) = (held(9), held(8));
        let into = |terms, pass, wallet| {
            codes(&judged(terms, pass, |c| (c.target, c.wallet) = (Target::Contact(id), wallet)))
        };
        assert_eq!(into(&personal, &hers, Some(empty)), [""; 0]);
        assert_eq!(into(&personal, &his, Some(empty)), ["NOT_THIS_CONTACT"]);
        assert_eq!(into(&plain, &his, Some(empty)), [""; 0]);
        assert_eq!(into(&plain, &pass, Some(euros)), [""; 0]);
        assert_eq!(into(&plain, &pass, Some(yen)), ["WALLET_CURRENCY"]);
        let mut settings = Settings::new("Shop", "Europe/Berlin", &["EUR", "JPY"], "en").unwrap();
        settings.second_currency = true;
        let second = judged(&plain, &pass, |c| {
            (c.settings, c.target, c.wallet) = (&settings, Target::Contact(id), Some(yen));
        });
        assert_eq!(second, []);
    }

    /// P-8: a minimum is for what is spent directly, and the larger of two counts; a place that isn't named is
    /// none of those that are.
    #[test]
    fn minimums_and_places_are_for_direct_spends() {
        let (mut terms, pass) = (terms(), pass());
        terms.conditions.minimum = Some(eur(150));
        terms.conditions.places = ["Here".into()].into();
        terms.pool = Some("toys".into());
        let mut settings = Settings::new("Shop", "Europe/Berlin", &["EUR"], "en").unwrap();
        let conditions = crate::conditions::Conditions { minimum: Some(eur(180)), ..Default::default() };
        settings.pools = vec![crate::conditions::Pool { name: "toys".into(), conditions }];
        let told = |total: i64, target, place| {
            let line = crate::conditions::Line::new("A", 1, eur(total));
            let basket = Basket::new(Currency::EUR, vec![line]).unwrap();
            judged(&terms, &pass, |c| {
                (c.settings, c.target, c.place, c.basket) = (&settings, target, place, Some(&basket));
            })
        };
        let here = Some("Here");
        assert_eq!(told(100, Target::Direct, here), [Refusal::BelowMinimum { short: eur(80) }]);
        assert_eq!(told(160, Target::Direct, here), [Refusal::BelowMinimum { short: eur(20) }]);
        assert_eq!(told(180, Target::Direct, here), []);
        assert_eq!(told(180, Target::Direct, None), [Refusal::WrongPlace { place: "no place".into() }]);
        assert_eq!(told(180, Target::Direct, Some("There")), [Refusal::WrongPlace { place: "There".into() }]);
        assert_eq!(told(100, Target::NewContact, None), []);
    }

    /// P-5, L-4: what the next use gives: shared parts by largest remainder, full values one at a time.
    #[test]
    fn uses_share_or_repeat_the_value() {
        let mut shared =
            PassRow { value: Some(1_000), uses: Tally::new(3), balance: Tally::new(1_000), ..pass() };
        let mut parts = Vec::new();
        while shared.balance.left() > 0 {
            let part = crate::redemption::next_use(&shared, Usage::Shared(3));
            parts.push(part);
            (shared.balance.used, shared.uses.used) = (shared.balance.used + part, shared.uses.used + 1);
        }
        assert_eq!(parts, [334, 333, 333]);
        let mut full =
            PassRow { value: Some(1_000), uses: Tally::new(2), balance: Tally::new(2_000), ..pass() };
        assert_eq!(crate::redemption::next_use(&full, Usage::Full(2)), 1_000);
        full.balance.used = 300;
        assert_eq!(crate::redemption::next_use(&full, Usage::Full(2)), 700);
        let closed = PassRow { uses: Tally { used: 3, held: 0, limit: 3 }, ..shared };
        assert_eq!(crate::redemption::next_use(&closed, Usage::Shared(3)), 0);
    }
}

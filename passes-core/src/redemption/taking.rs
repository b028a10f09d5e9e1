//! What a redemption takes from a pass: how much, of which mark, for which line, and how many uses.

use super::Case;
use crate::conditions::{Conditions, Pool};
use crate::ledger::Mark;
use crate::money::Money;
use crate::pass::PassRow;
use crate::plan::Usage;
use crate::refusal::Refusal;

/// A part of what is taken: for one line of the basket, of one mark.
/// See [`take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The basket line, from 0; none without a basket.
    pub line: Option<u32>,
    /// The mark.
    pub mark: Mark,
    /// How much, in minor units.
    pub amount: i64,
}

/// What is taken.
/// See [`take`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// How many uses it counts.
    pub uses: i64,
    /// How much in all, in minor units.
    pub amount: i64,
    /// How much of it is granted; the rest was paid for.
    pub granted: i64,
    /// The parts, by line, the granted one first.
    pub parts: Vec<Part>,
    /// What was asked for and not covered.
    pub short: i64,
}

/// What the next whole use gives, in minor units (P-5, L-4).
///
/// A use that direct spending opened gives its rest. Where uses share the value, each gives an equal part of
/// what is left, rounded up, which is the split by largest remainder with ties to the earlier use; once spent
/// directly, all that is left.
///
/// ```
/// use passes_core::{pass::{PassRow, Tally}, plan::Usage, redemption::next_use};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let (uses, balance) = (Tally::new(3), Tally::new(1_000));
/// let pass = PassRow { value: Some(1_000), uses, balance, ..PassRow::draft(lot.pass(1)) };
/// assert_eq!(next_use(&pass, Usage::Shared(3)), 334);
/// assert_eq!(next_use(&pass, Usage::Full(3)), 1_000);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[must_use]
pub fn next_use(pass: &PassRow, usage: Usage) -> i64 {
    let left = pass.balance.left().max(0);
    match (usage, pass.value) {
        (Usage::Full(_), Some(value)) if value > 0 => {
            let open = pass.balance.used.saturating_add(pass.balance.held).rem_euclid(value);
            left.min(value - open)
        }
        (Usage::Shared(_), _) => match pass.uses.left() {
            uses if uses > 0 => left / uses + i64::from(left % uses != 0),
            _ => left,
        },
        _ => left,
    }
}

/// How many uses it counts to take `amount`.
fn uses_taken(pass: &PassRow, usage: Usage, amount: i64, direct: bool) -> i64 {
    match usage {
        Usage::Shared(_) if direct => pass.uses.left(),
        Usage::Shared(_) => pass.uses.left().min(1),
        Usage::Single | Usage::Full(_) => {
            let value = pass.value.unwrap_or(1).max(1);
            let after = pass.balance.used.saturating_add(amount);
            ceil_div(after, value) - ceil_div(pass.balance.used, value)
        }
    }
}

/// How many uses return when `amount` returns of an operation that took `uses` uses and `whole` in all; all
/// of it has returned when `complete`.
///
/// ```
/// use passes_core::{pass::{PassRow, Tally}, plan::Usage, redemption::uses_given_back};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let balance = Tally { used: 1_000, held: 0, limit: 1_000 };
/// let pass = PassRow { value: Some(1_000), balance, ..PassRow::draft(lot.pass(1)) };
/// assert_eq!(uses_given_back(&pass, Usage::Single, 400, 1, false), 0); // Partly used still.
/// assert_eq!(uses_given_back(&pass, Usage::Single, 1_000, 1, true), 1);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[must_use]
pub fn uses_given_back(pass: &PassRow, usage: Usage, amount: i64, uses: i64, complete: bool) -> i64 {
    match usage {
        Usage::Shared(_) => {
            if complete {
                uses.min(pass.uses.used)
            } else {
                0
            }
        }
        Usage::Single | Usage::Full(_) => {
            let value = pass.value.unwrap_or(1).max(1);
            let after = pass.balance.used.saturating_sub(amount);
            ceil_div(pass.balance.used, value) - ceil_div(after, value)
        }
    }
}

fn ceil_div(a: i64, b: i64) -> i64 {
    a.div_euclid(b) + i64::from(a.rem_euclid(b) != 0)
}

/// The conditions that apply: the plan's, and those of its pool.
pub(super) fn conditions<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Conditions> {
    let pool = case.terms.pool.as_deref().and_then(|name| case.settings.pool(name));
    std::iter::once(&case.terms.conditions).chain(pool.map(|p: &Pool| &p.conditions))
}

pub(super) fn places_allow(case: &Case<'_>) -> bool {
    conditions(case).all(|c| c.allow_place(case.place))
}

/// What the redemption takes, if nothing else refuses it.
/// See [`Case`].
///
/// # Errors
/// `NO_ELIGIBLE_PRODUCTS` when nothing in the basket may be paid, or there is no basket where one is needed;
/// `BALANCE_TOO_SMALL` when not all can be paid and not partly either.
pub fn take(case: &Case<'_>) -> Result<Taking, Refusal> {
    let (pass, usage) = (case.pass, case.terms.usage);
    let mut granted = pass.granted.left().max(0);
    if !case.is_direct() {
        let amount = next_use(pass, usage);
        let parts = marks(None, amount, &mut granted).collect();
        return Ok(taking(pass, usage, parts, false, 0));
    }
    let most = match usage {
        Usage::Full(_) => next_use(pass, usage),
        Usage::Single | Usage::Shared(_) => pass.balance.left().max(0),
    };
    let (bought, named): (Vec<_>, _);
    let lines: &[(Option<u32>, i64)] = match (case.basket, case.amount) {
        (Some(basket), _) => {
            let lines = basket.lines().iter().zip(basket.totals()).zip(0_u32..);
            let allowed = lines
                .filter(|((line, total), _)| **total > 0 && conditions(case).all(|c| c.allow(line)))
                .map(|((_, total), n)| (Some(n), *total));
            bought = allowed.collect();
            &bought
        }
        (None, Some(amount)) if !conditions(case).any(Conditions::need_basket) => {
            named = [(None, amount.minor())];
            &named
        }
        (None, _) => &[],
    };
    let payable: i64 = lines.iter().map(|(_, total)| total).sum();
    let wanted = case.amount.map_or_else(|| case.basket.map_or(0, |b| b.total().minor()), Money::minor);
    if payable == 0 {
        std::hint::cold_path();
        return Err(Refusal::NoEligibleProducts);
    }
    let amount = wanted.min(payable).min(most);
    let short = wanted - amount;
    if amount <= 0 || (short > 0 && !case.partly) {
        std::hint::cold_path();
        return Err(Refusal::BalanceTooSmall { short: Money::of(short, case.terms.currency) });
    }
    let mut rest = amount;
    // One for each line, and one more where what is granted ends within a line.
    let mut parts = Vec::with_capacity(lines.len() + 1);
    for &(line, total) in lines {
        let part = total.min(rest);
        rest -= part;
        parts.extend(marks(line, part, &mut granted));
    }
    Ok(taking(pass, usage, parts, true, short))
}

/// An amount in its marks: what is granted is given first.
fn marks(line: Option<u32>, amount: i64, granted: &mut i64) -> impl Iterator<Item = Part> + use<> {
    let given = amount.min(*granted);
    *granted -= given;
    [(Mark::Granted, given), (Mark::Paid, amount - given)]
        .into_iter()
        .filter(|(_, amount)| *amount > 0)
        .map(move |(mark, amount)| Part { line, mark, amount })
}

fn taking(pass: &PassRow, usage: Usage, parts: Vec<Part>, direct: bool, short: i64) -> Taking {
    let amount = parts.iter().map(|p| p.amount).sum();
    let granted = parts.iter().filter(|p| p.mark == Mark::Granted).map(|p| p.amount).sum();
    Taking { uses: uses_taken(pass, usage, amount, direct), amount, granted, parts, short }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::business::Settings;
    use crate::calendar::Instant;
    use crate::conditions::{Basket, Line};
    use crate::id::{Id, LotId};
    use crate::money::Currency;
    use crate::pass::{Standing, Tally};
    use crate::plan::{Classification, Form, Terms};
    use crate::redemption::Target;

    fn eur(minor: i64) -> Money {
        Money::of(minor, Currency::EUR)
    }

    fn pass(value: i64, used: i64, limit: i64) -> PassRow {
        let balance = Tally { used, held: 0, limit };
        let row = PassRow::draft(LotId::from_bytes([7; 16]).pass(1));
        PassRow { standing: Standing::Active, value: Some(value), uses: Tally::new(9), balance, ..row }
    }

    fn basket(lines: &[(&str, i64)]) -> Basket {
        let line = |(sku, price): &(&str, i64)| Line::new(sku, 1, eur(*price));
        Basket::new(Currency::EUR, lines.iter().map(line).collect()).unwrap()
    }

    /// A pass of this usage, what of it is granted, and what is bought with it.
    struct Till {
        settings: Settings,
        terms: Terms,
        pass: PassRow,
        basket: Option<Basket>,
        amount: Option<i64>,
        place: Option<&'static str>,
        partly: bool,
        target: Target,
    }

    impl Till {
        fn new(usage: Usage, pass: PassRow) -> Self {
            let terms = Terms::fixed(Classification::Gift, Form::Printed, eur(1_000));
            Self {
                settings: Settings::new("Shop", "Europe/Berlin", &["EUR"], "en").unwrap(),
                terms: Terms { usage, ..terms },
                pass,
                basket: None,
                amount: None,
                place: None,
                partly: false,
                target: Target::Direct,
            }
        }

        fn case<T>(&self, look: impl FnOnce(&Case<'_>) -> T) -> T {
            look(&Case {
                now: Instant::EPOCH,
                settings: &self.settings,
                terms: &self.terms,
                pass: &self.pass,
                suspended: None,
                target: self.target,
                wallet: None,
                place: self.place,
                basket: self.basket.as_ref(),
                amount: self.amount.map(eur),
                partly: self.partly,
            })
        }

        fn take(&self) -> Result<Taking, Refusal> {
            self.case(take)
        }

        /// Uses, amount, granted and short.
        fn sums(&self) -> (i64, i64, i64, i64) {
            let taking = self.take().unwrap();
            (taking.uses, taking.amount, taking.granted, taking.short)
        }
    }

    /// P-5: a quotient is rounded up, on both sides of zero.
    #[test]
    fn quotients_are_rounded_up() {
        let of = [(7, 2), (6, 2), (1, 2), (0, 2), (-1, 2), (-2, 2), (-3, 2)];
        assert_eq!(of.map(|(a, b)| ceil_div(a, b)), [4, 3, 1, 0, 0, -1, -1]);
    }

    /// P-5, L-4: the next use, of a value that is nothing, one that a hold has opened, and one without uses.
    #[test]
    fn the_next_use_gives_its_rest() {
        let full = |pass: &PassRow| next_use(pass, Usage::Full(3));
        assert_eq!(full(&pass(0, 0, 500)), 500);
        assert_eq!(full(&pass(1_000, 0, 3_000)), 1_000);
        assert_eq!(full(&pass(1_000, 1_300, 3_000)), 700);
        assert_eq!(full(&pass(1_000, 2_000, 2_400)), 400);
        let mut held = pass(1_000, 1_300, 3_000);
        held.balance.held = 500;
        assert_eq!(full(&held), 200);
        held.value = None;
        assert_eq!(full(&held), 1_200);
        let shared = |left: i64, uses: i64| {
            let row = PassRow { uses: Tally::new(uses), ..pass(left, 0, left) };
            next_use(&row, Usage::Shared(3))
        };
        assert_eq!([shared(1_000, 3), shared(999, 3), shared(667, 2), shared(333, 1)], [334, 333, 334, 333]);
        assert_eq!(shared(333, 0), 333);
        assert_eq!(next_use(&pass(1_000, 400, 1_000), Usage::Single), 600);
        assert_eq!(next_use(&pass(1_000, 1_400, 1_000), Usage::Single), 0);
    }

    /// P-5: a use counts when its first cent is taken, and is given back with the last of them.
    #[test]
    fn uses_are_counted_by_their_first_cent() {
        let taken =
            |used: i64, amount: i64| uses_taken(&pass(1_000, used, 3_000), Usage::Full(3), amount, true);
        assert_eq!(
            [taken(0, 1), taken(0, 1_000), taken(0, 1_001), taken(300, 700), taken(300, 701)],
            [1, 1, 2, 0, 1]
        );
        let back = |used: i64, amount: i64| {
            uses_given_back(&pass(1_000, used, 3_000), Usage::Full(3), amount, 9, false)
        };
        assert_eq!(
            [back(2_500, 400), back(2_500, 500), back(2_500, 1_500), back(2_500, 2_500)],
            [0, 1, 2, 3]
        );
        assert_eq!(uses_taken(&pass(1_000, 0, 1_000), Usage::Single, 1_000, false), 1);
        // Without a value, or with one of nothing, every unit is one.
        for value in [None, Some(0)] {
            let row = PassRow { value, ..pass(1_000, 5, 9) };
            assert_eq!(uses_taken(&row, Usage::Full(9), 2, true), 2);
            assert_eq!(uses_given_back(&row, Usage::Full(9), 2, 9, false), 2);
        }
        let mut shared = pass(1_000, 0, 1_000);
        shared.uses = Tally { used: 2, held: 0, limit: 5 };
        assert_eq!(uses_taken(&shared, Usage::Shared(5), 1, true), 3);
        assert_eq!(uses_taken(&shared, Usage::Shared(5), 1, false), 1);
        let back = |uses, complete| uses_given_back(&shared, Usage::Shared(5), 100, uses, complete);
        assert_eq!([back(1, true), back(3, true), back(3, false)], [1, 2, 0]);
        shared.uses.used = 5;
        assert_eq!(uses_taken(&shared, Usage::Shared(5), 1, false), 0);
    }

    /// W-1, P-5: the granted part is given first, line by line, and a line is paid before the next one.
    #[test]
    fn the_granted_part_is_given_first() {
        let mut till = Till::new(Usage::Single, pass(1_000, 0, 1_000));
        till.pass.granted = Tally { used: 50, held: 50, limit: 400 };
        till.basket = Some(basket(&[("A", 200), ("FREE", 0), ("B", 300)]));
        let part = |line, mark, amount| Part { line: Some(line), mark, amount };
        let taking = till.take().unwrap();
        assert_eq!(
            taking.parts,
            [part(0, Mark::Granted, 200), part(2, Mark::Granted, 100), part(2, Mark::Paid, 200)]
        );
        assert_eq!(till.sums(), (1, 500, 300, 0));
        till.amount = Some(250);
        assert_eq!(till.take().unwrap().parts, [part(0, Mark::Granted, 200), part(2, Mark::Granted, 50)]);
        till.basket = None;
        till.amount = Some(301);
        let whole = |mark, amount| Part { line: None, mark, amount };
        assert_eq!(till.take().unwrap().parts, [whole(Mark::Granted, 300), whole(Mark::Paid, 1)]);
        till.target = Target::NewContact;
        till.amount = None;
        assert_eq!(till.take().unwrap().parts, [whole(Mark::Granted, 300), whole(Mark::Paid, 700)]);
    }

    /// R-3, P-5: what is asked for, what may be paid and what there is: the least is taken, or all or nothing.
    #[test]
    fn the_least_is_taken_or_nothing() {
        let mut till = Till::new(Usage::Full(3), pass(1_000, 2_300, 3_000));
        let short = |minor: i64| Err(Refusal::BalanceTooSmall { short: eur(minor) });
        till.amount = Some(700);
        assert_eq!(till.sums(), (0, 700, 0, 0));
        till.amount = Some(701);
        assert_eq!(till.take(), short(1));
        till.partly = true;
        assert_eq!(till.sums(), (0, 700, 0, 1));
        // One use at a time: the rest of the open one.
        till.pass = pass(1_000, 300, 3_000);
        till.amount = Some(900);
        assert_eq!(till.sums(), (0, 700, 0, 200));
        till.pass.balance.used = 3_000;
        assert_eq!(till.take(), short(900));

        let mut till = Till::new(Usage::Shared(3), pass(1_000, 0, 1_000));
        till.amount = Some(1_000);
        assert_eq!(till.sums(), (9, 1_000, 0, 0));
        till.pass.balance.used = 1_001;
        assert_eq!(till.take(), short(1_000));
    }

    /// P-8: only lines that all conditions allow are paid, those of the plan and those of its pool; where they are
    /// about articles, a basket is needed.
    #[test]
    fn conditions_of_plan_and_pool_count() {
        let mut till = Till::new(Usage::Single, pass(1_000, 0, 1_000));
        till.amount = Some(100);
        till.terms.conditions.not_skus = ["A".into()].into();
        assert_eq!(till.take(), Err(Refusal::NoEligibleProducts));
        till.amount = None;
        till.basket = Some(basket(&[("A", 100), ("B", 200), ("C", 300)]));
        assert_eq!(till.take(), Err(Refusal::BalanceTooSmall { short: eur(100) }));
        till.partly = true;
        let lines =
            |till: &Till| till.take().map(|t| t.parts.iter().filter_map(|p| p.line).collect::<Vec<_>>());
        assert_eq!(lines(&till), Ok(vec![1, 2]));
        let conditions = Conditions {
            not_skus: ["B".into()].into(),
            places: ["Here".into()].into(),
            ..Default::default()
        };
        till.settings.pools = vec![Pool { name: "toys".into(), conditions }];
        assert_eq!(lines(&till), Ok(vec![1, 2]));
        till.terms.pool = Some("toys".into());
        assert_eq!(lines(&till), Ok(vec![2]));
        till.terms.conditions.skus = ["B".into()].into();
        assert_eq!(lines(&till), Err(Refusal::NoEligibleProducts));

        assert!(!till.case(places_allow));
        till.place = Some("Here");
        assert!(till.case(places_allow));
        till.terms.conditions.places = ["There".into()].into();
        assert!(!till.case(places_allow));
    }
}

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
    let lines: Vec<(Option<u32>, i64)> = match (case.basket, case.amount) {
        (Some(basket), _) => basket
            .lines()
            .iter()
            .zip(basket.totals())
            .zip(0_u32..)
            .filter(|((line, total), _)| **total > 0 && conditions(case).all(|c| c.allow(line)))
            .map(|((_, total), n)| (Some(n), *total))
            .collect(),
        (None, Some(amount)) if !conditions(case).any(Conditions::need_basket) => {
            vec![(None, amount.minor())]
        }
        (None, _) => Vec::new(),
    };
    let payable: i64 = lines.iter().map(|(_, total)| total).sum();
    let wanted = case.amount.map_or_else(|| case.basket.map_or(0, |b| b.total().minor()), Money::minor);
    if payable == 0 {
        return Err(Refusal::NoEligibleProducts);
    }
    let amount = wanted.min(payable).min(most);
    let short = wanted - amount;
    if amount <= 0 || (short > 0 && !case.partly) {
        return Err(Refusal::BalanceTooSmall { short: Money::of(short, case.terms.currency) });
    }
    let mut rest = amount;
    let mut parts = Vec::new();
    for (line, total) in lines {
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

//! Sharing an amount out over lines, so that the parts add up exactly (B-3).

use super::{MAX_MINOR, Percent};
use crate::refusal::Refusal;
use std::cmp::Reverse;

/// The most lines that an amount is shared out over.
/// See [`discount`].
pub const MAX_LINES: usize = 10_000;

/// A percentage discount on lines of one currency: the whole discount, and the part of each line.
///
/// All amounts are in minor units. The percentage is taken of the total of the lines and rounded once, half away
/// from zero; then the cap applies; then the discount is split in proportion to the lines ([`apportion`]). No part
/// is above its line.
///
/// # Errors
/// `TOO_LARGE` above [`MAX_LINES`] lines, `BAD_AMOUNT` for a line or a cap below zero, `OVERFLOW` if the lines
/// add up to more than [`MAX_MINOR`].
///
/// ```
/// use passes_core::money::{Percent, discount};
/// let percent = Percent::parse("33.333")?;
/// assert_eq!(discount(&[100, 1000], &percent, None)?, (367, vec![33, 334]));
/// assert_eq!(discount(&[100, 1000], &percent, Some(110))?, (110, vec![10, 100]));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
pub fn discount(lines: &[i64], percent: &Percent, cap: Option<i64>) -> Result<(i64, Vec<i64>), Refusal> {
    let total = sum_of(lines)?;
    let total = i64::try_from(total).ok().filter(|total| *total <= MAX_MINOR).ok_or(Refusal::Overflow)?;
    let mut whole = percent.of(total);
    if let Some(cap) = cap {
        whole = whole.min(not_negative(cap)?);
    }
    let parts = apportion(whole, lines)?;
    Ok((whole, parts))
}

/// Splits a total in proportion to weights by largest remainder, ties to the earlier one: the parts add up to
/// the total exactly, and each is less than 1 from its exact share.
///
/// Weights that are all zero say nothing about proportions and count as equal; `apportion(n, &[1; k])` and
/// `apportion(n, &[0; k])` both give equal parts, the earlier ones larger. Where the total is at most the sum of
/// the weights, no part is above its weight (for weights that are not all zero).
///
/// # Errors
/// `TOO_LARGE` above [`MAX_LINES`] weights, `BAD_AMOUNT` for a total or weight below zero, or for something to
/// split and nothing to split it over.
///
/// ```
/// use passes_core::money::apportion;
/// assert_eq!(apportion(100, &[1, 1, 1])?, [34, 33, 33]);
/// assert_eq!(apportion(10, &[0, 200, 100])?, [0, 7, 3]);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
pub fn apportion(total: i64, weights: &[i64]) -> Result<Vec<i64>, Refusal> {
    let sum = sum_of(weights)?;
    let total = i128::from(not_negative(total)?);
    if weights.is_empty() && total > 0 {
        return Err(bad("there is nothing to split it over"));
    }
    if sum == 0 && total > 0 {
        return apportion_over(total, &vec![1; weights.len()]);
    }
    apportion_over(total, weights)
}

/// The rule itself; the weights are not below zero, and above it in sum if the total is.
fn apportion_over(total: i128, weights: &[i64]) -> Result<Vec<i64>, Refusal> {
    let sum = weights.iter().copied().map(i128::from).sum::<i128>().max(1);
    // At most 2^63 × 2^63, so the product fits.
    let shares = weights.iter().map(|weight| total * i128::from(*weight));
    let mut parts: Vec<i128> = shares.clone().map(|share| share / sum).collect();
    // What rounding down left over is less than one for each weight that has a remainder.
    let left = total - parts.iter().sum::<i128>();
    let left = usize::try_from(left).map_err(|_| Refusal::Overflow)?;

    let mut by_remainder: Vec<_> = parts.iter_mut().zip(shares.map(|share| share % sum)).collect();
    by_remainder.sort_by_key(|(_, remainder)| Reverse(*remainder)); // stable: ties to the earlier one
    for (part, _) in by_remainder.into_iter().take(left) {
        *part += 1;
    }
    parts.into_iter().map(|part| i64::try_from(part).map_err(|_| Refusal::Overflow)).collect()
}

/// The sum of amounts that may not be below zero, nor too many.
fn sum_of(amounts: &[i64]) -> Result<i128, Refusal> {
    if amounts.len() > MAX_LINES {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let (size, largest) = (count(amounts.len()), count(MAX_LINES));
        return Err(Refusal::TooLarge { field: "lines".into(), size, largest });
    }
    amounts.iter().try_fold(0, |sum, amount| Ok(sum + i128::from(not_negative(*amount)?)))
}

fn not_negative(amount: i64) -> Result<i64, Refusal> {
    if amount < 0 { Err(bad("it can't be below zero here")) } else { Ok(amount) }
}

fn bad(why: &str) -> Refusal {
    Refusal::BadAmount { amount: "given".into(), why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }

    #[derive(Debug, Deserialize)]
    struct Case {
        lines: Vec<i64>,
        percent: Percent,
        cap: Option<i64>,
        discount: i64,
        parts: Vec<i64>,
    }

    /// B-3: every case of `tests/cases/rounding.json`: rounded once, capped, split by largest remainder.
    #[test]
    fn the_rounding_cases_hold() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases/rounding.json");
        let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(file.cases.len(), 120);
        for case in file.cases {
            let (whole, parts) = discount(&case.lines, &case.percent, case.cap).unwrap();
            assert_eq!((whole, &parts), (case.discount, &case.parts), "{case:?}");
        }
    }

    /// B-3: ties go to the earlier line; weights that are all zero count as equal.
    #[test]
    fn ties_go_to_the_earlier_line() {
        assert_eq!(apportion(2, &[5, 5, 5, 5]).unwrap(), [1, 1, 0, 0]);
        assert_eq!(apportion(5, &[0, 0]).unwrap(), [3, 2]);
        assert_eq!(apportion(0, &[0, 7]).unwrap(), [0, 0]);
        assert_eq!(apportion(0, &[]).unwrap(), [0; 0]);
        assert_eq!(discount(&[], &Percent::ALL, None).unwrap(), (0, vec![]));
        assert_eq!(discount(&[5, 5], &Percent::ALL, Some(0)).unwrap(), (0, vec![0, 0]));
    }

    /// Z-1, Z-3: amounts below zero, too many lines and sums beyond the largest amount are refused.
    #[test]
    fn bad_input_is_refused() {
        assert_eq!(apportion(-1, &[1]).unwrap_err().code(), "BAD_AMOUNT");
        assert_eq!(apportion(1, &[1, -1]).unwrap_err().code(), "BAD_AMOUNT");
        assert_eq!(apportion(1, &[]).unwrap_err().code(), "BAD_AMOUNT");
        assert_eq!(discount(&[1], &Percent::ALL, Some(-1)).unwrap_err().code(), "BAD_AMOUNT");
        assert_eq!(discount(&[MAX_MINOR, 1], &Percent::ALL, None), Err(Refusal::Overflow));
        assert_eq!(discount(&[i64::MAX; 3], &Percent::ALL, None), Err(Refusal::Overflow));
        let refusal = apportion(1, &vec![1; MAX_LINES + 1]).unwrap_err();
        assert_eq!(refusal, Refusal::TooLarge { field: "lines".into(), size: 10_001, largest: 10_000 });
        let widest = vec![i64::MAX; MAX_LINES];
        assert_eq!(apportion(i64::MAX, &widest).unwrap().iter().sum::<i64>(), i64::MAX);
    }

    proptest! {
        /// B-3: the parts add up exactly, each is less than 1 from its exact share, and none is above its line.
        #[test]
        fn parts_add_up(
            weights in prop::collection::vec(prop_oneof![Just(0_i64), 1..50_i64, 0..=MAX_MINOR], 1..40),
            of_sum in 0..=1_000_000_i128,
        ) {
            let sum: i128 = weights.iter().copied().map(i128::from).sum();
            let total = i64::try_from(sum * of_sum / 1_000_000).unwrap();
            let parts = apportion(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().copied().map(i128::from).sum::<i128>(), i128::from(total));
            for (part, weight) in parts.iter().zip(&weights) {
                let distance = i128::from(*part) * sum - i128::from(total) * i128::from(*weight);
                prop_assert!(distance.abs() < sum.max(1));
                prop_assert!((0..=*weight).contains(part));
            }
        }

        /// B-3: totals above the sum of the weights are split exactly as well.
        #[test]
        fn any_total_adds_up(weights in prop::collection::vec(0..=i64::MAX, 1..40), total in 0..=i64::MAX) {
            let parts = apportion(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().copied().map(i128::from).sum::<i128>(), i128::from(total));
            prop_assert!(parts.iter().all(|part| *part >= 0));
        }

        /// B-3: a line of the same amount never gets more than an earlier one.
        #[test]
        fn the_earlier_of_equals_gets_more(weight in 1..1000_i64, n in 1..30_usize, total in 0..5000_i64) {
            let parts = apportion(total, &vec![weight; n]).unwrap();
            prop_assert!(parts.windows(2).all(|pair| pair[0] >= pair[1] && pair[0] - pair[1] <= 1));
        }
    }
}

//! A tally: something counted against a bound.

use serde::{Deserialize, Serialize};

/// Something counted against a bound: uses, a balance, a credit, a cap. It always holds that
/// 0 ≤ used, 0 ≤ held and used + held ≤ limit.
///
/// ```
/// use passes_core::pass::Tally;
/// let uses = Tally::new(3);
/// assert_eq!(uses.left(), 3);
/// assert_eq!(uses.add(3, 0, None).map(|t| t.left()), Some(0));
/// assert_eq!(uses.add(4, 0, None), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What is gone.
    pub used: i64,
    /// What is reserved.
    pub held: i64,
    /// What there is in all.
    pub limit: i64,
}

impl Tally {
    /// Nothing used yet.
    /// See [`Tally`].
    #[must_use]
    pub fn new(limit: i64) -> Self {
        Self { used: 0, held: 0, limit }
    }

    /// What is neither used nor held.
    /// See [`Tally`].
    #[must_use]
    pub fn left(self) -> i64 {
        self.limit.saturating_sub(self.used).saturating_sub(self.held)
    }

    /// The tally after adding, judged by its own limit or the one given; nothing when the bound would break.
    /// See [`Tally`].
    #[must_use]
    pub fn add(self, used: i64, held: i64, limit: Option<i64>) -> Option<Self> {
        let next = Self {
            used: self.used.checked_add(used)?,
            held: self.held.checked_add(held)?,
            limit: limit.unwrap_or(self.limit),
        };
        next.holds().then_some(next)
    }

    /// Whether the bound holds.
    ///
    /// ```
    /// use passes_core::pass::Tally;
    /// assert!(Tally { used: 2, held: 1, limit: 3 }.holds());
    /// assert!(!Tally { used: 3, held: 1, limit: 3 }.holds());
    /// ```
    #[must_use]
    pub fn holds(self) -> bool {
        self.used >= 0
            && self.held >= 0
            && self.used.checked_add(self.held).is_some_and(|sum| sum <= self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = i64> {
        prop_oneof![-3..=6_i64, Just(i64::MAX), Just(i64::MIN), any::<i64>()]
    }

    fn tally() -> impl Strategy<Value = Tally> {
        (number(), number(), number()).prop_map(|(used, held, limit)| Tally { used, held, limit })
    }

    /// D-1: each part of the bound counts by itself: nothing below zero, and not more than there is.
    #[test]
    fn each_part_of_the_bound_counts() {
        let holds = |used, held, limit| Tally { used, held, limit }.holds();
        assert!(holds(0, 0, 0) && holds(2, 1, 3) && holds(i64::MAX, 0, i64::MAX));
        assert!(!holds(-1, 0, 3) && !holds(0, -1, 3) && !holds(-1, 1, 3) && !holds(1, -1, 3));
        assert!(!holds(3, 1, 3) && !holds(0, 0, -1) && !holds(i64::MAX, 1, i64::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// D-1: what is added is there and nothing else, or the tally stays because the bound would break.
        #[test]
        fn adding_keeps_the_bound(
            before in tally(), used in number(), held in number(), limit in proptest::option::of(number())
        ) {
            let wide = |a: i64, b: i64| i128::from(a) + i128::from(b);
            let (all_used, all_held) = (wide(before.used, used), wide(before.held, held));
            let most = limit.unwrap_or(before.limit);
            let fits = all_used >= 0 && all_held >= 0 && all_used + all_held <= i128::from(most);
            let after = before.add(used, held, limit);
            prop_assert_eq!(after.is_some(), fits);
            if let Some(after) = after {
                prop_assert!(after.holds());
                let got = (i128::from(after.used), i128::from(after.held), after.limit);
                prop_assert_eq!(got, (all_used, all_held, most));
                prop_assert_eq!(i128::from(after.left()), i128::from(most) - all_used - all_held);
            }
        }
    }
}

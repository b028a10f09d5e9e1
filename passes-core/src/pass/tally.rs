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

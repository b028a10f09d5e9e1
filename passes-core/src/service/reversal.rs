//! A reversal, as it is asked for and answered.

use crate::calendar::Instant;
use crate::event::Position;
use crate::id::{ContactId, CreditId, PassId};
use crate::ledger::Mark;
use crate::money::Money;
use serde::{Deserialize, Serialize};

/// Which redemption or spend is to be reversed.
/// See [`Reverse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Of {
    /// By the reference on its receipt.
    Operation(Position),
    /// By its idempotency key. If nothing bears the key yet, the late request will be refused (R-12).
    Key(String),
}

/// How much of it.
/// See [`Reverse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    /// All that was not reversed before.
    All,
    /// So much, from the end: the last credit first, in it the last line, paid before granted.
    Amount(Money),
    /// So much of each of these basket lines.
    Lines(Vec<(u32, Money)>),
}

/// A request to reverse.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// # let gbp = passes_host::testing::Shop::gbp;
/// use passes_core::{event::Position, service::Reverse};
/// let all = Reverse::key("receipt-4711");
/// let one_line = Reverse::operation(Position(7)).lines(vec![(0, gbp("7.50")?)]);
/// let some = Reverse::operation(Position(7)).amount(gbp("5")?).allow_loss();
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reverse {
    /// Which redemption or spend.
    pub of: Of,
    /// How much of it.
    pub part: Part,
    /// Whether money that has been spent may be booked as a loss; needs the right.
    pub allow_loss: bool,
    /// Who gets what can't return to a cancelled pass; a new nameless contact if nobody is named.
    pub to: Option<ContactId>,
}

impl Reverse {
    /// All of the operation with this reference.
    /// See [`Reverse`].
    #[must_use]
    pub fn operation(of: Position) -> Self {
        Self { of: Of::Operation(of), part: Part::All, allow_loss: false, to: None }
    }

    /// All of the operation with this idempotency key.
    /// See [`Reverse`].
    #[must_use]
    pub fn key(key: &str) -> Self {
        Self { of: Of::Key(key.to_owned()), part: Part::All, allow_loss: false, to: None }
    }

    /// Only so much.
    /// See [`Reverse`].
    #[must_use]
    pub fn amount(mut self, amount: Money) -> Self {
        self.part = Part::Amount(amount);
        self
    }

    /// Only so much of these basket lines.
    /// See [`Reverse`].
    #[must_use]
    pub fn lines(mut self, lines: Vec<(u32, Money)>) -> Self {
        self.part = Part::Lines(lines);
        self
    }

    /// Money that has been spent may be booked as a loss.
    /// See [`Reverse`].
    #[must_use]
    pub fn allow_loss(mut self) -> Self {
        self.allow_loss = true;
        self
    }
}

/// Where money returned.
/// See [`Passes::reverse`](super::Passes::reverse).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Home {
    /// To the pass, or to the one that replaced it.
    Pass(PassId),
    /// To the credit it came from.
    Credit(ContactId, CreditId),
    /// To a new credit: the pass was cancelled, or the credit has expired and the days of grace apply.
    NewCredit(ContactId, CreditId, Option<Instant>),
    /// To breakage: the credit has expired.
    Breakage,
}

/// A part of what returned.
/// See [`Passes::reverse`](super::Passes::reverse).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Where to.
    pub home: Home,
    /// How much.
    pub amount: Money,
    /// Its mark.
    pub mark: Mark,
    /// The basket line it had paid.
    pub line: Option<u32>,
}

/// What a reversal did.
/// See [`Passes::reverse`](super::Passes::reverse).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversed {
    /// What was reversed; nothing when the key was stopped before its request came.
    pub of: Option<Position>,
    /// How much returned; nothing when a key was stopped.
    pub amount: Option<Money>,
    /// How much of it is booked as a loss, because it had been spent.
    pub loss: Option<Money>,
    /// How many uses returned.
    pub uses: i64,
    /// Where it returned to.
    pub returned: Vec<Returned>,
}

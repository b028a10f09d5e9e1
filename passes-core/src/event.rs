//! Domain events: what an accepted command tells the host, in the same transaction (E-1). No event holds a
//! secret or anything personal; one that has to carry a code names its pass, and the host has it revealed.

use crate::calendar::Instant;
use crate::id::{ContactId, CreditId, LotId, OperationId, PassId, PlanId, RunId, SaleId};
use crate::money::Money;
use crate::pass::Tally;
use crate::plan::PlanState;
use serde::{Deserialize, Serialize};

/// Where the balance stands among the tallies of a change that redeems: after the uses, by the order of keys.
const BALANCE: usize = 1;

/// Where an event stands: the number of its operation. A reader that has seen a position has seen everything
/// up to it, and asks for what comes after.
///
/// ```
/// use passes_core::event::Position;
/// assert!(Position::default() < Position(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(pub u64);

/// Passes in the order of their ids: those that the command changed lie between the first and the last. All are of
/// one lot unless the command named a list or a plan.
///
/// ```
/// use passes_core::event::Span;
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// assert_eq!(Span::one(lot.pass(7)), Span { first: lot.pass(7), last: lot.pass(7), count: 1 });
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    pub first: PassId,
    /// The last.
    pub last: PassId,
    /// How many of them the command changed.
    pub count: u32,
}

impl Span {
    /// One pass.
    /// See [`Span`].
    #[must_use]
    pub fn one(pass: PassId) -> Self {
        Self { first: pass, last: pass, count: 1 }
    }
}

/// What happened. Stored by the order of the variants: new ones go to the end.
///
/// ```
/// use passes_core::event::{Event, Whole};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// assert_eq!(Event::Suspended { what: Whole::Lot(lot) }.kind(), "suspended");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The business was created, or its settings changed.
    BusinessConfigured,
    /// A plan was created or changed.
    PlanChanged {
        /// Which.
        plan: PlanId,
        /// Its state now.
        state: PlanState,
    },
    /// A contact was created or edited.
    ContactChanged {
        /// Which.
        contact: ContactId,
    },
    /// The generation of a lot began.
    LotStarted {
        /// Which.
        lot: LotId,
        /// Of which plan.
        plan: PlanId,
        /// How many passes it will have.
        count: u32,
    },
    /// Passes were added to a lot.
    LotGrew {
        /// Which.
        passes: Span,
    },
    /// A lot is complete.
    LotReady {
        /// Which.
        lot: LotId,
        /// Of which plan.
        plan: PlanId,
        /// How many passes it has.
        count: u32,
        /// Whether it waits for the printing house.
        print: bool,
    },
    /// A run was cancelled.
    RunCancelled {
        /// Which.
        run: RunId,
    },
    /// An electronic pass is to be delivered: the host has the code revealed and sends it.
    DeliveryWanted {
        /// The pass.
        pass: PassId,
        /// To whom.
        to: ContactId,
        /// Through which channel.
        channel: String,
    },
    /// The outcome of a delivery was recorded.
    DeliveryRecorded {
        /// The pass.
        pass: PassId,
        /// Whether it failed.
        failed: bool,
        /// Whether the pass became active by it.
        activated: bool,
    },
    /// Passes were activated.
    PassesActivated {
        /// Which.
        passes: Span,
    },
    /// Passes were sold.
    PassesSold {
        /// Which.
        passes: Span,
        /// The sale.
        sale: SaleId,
        /// The price of all of them together.
        price: Money,
    },
    /// A sale was voided.
    SaleVoided {
        /// Which passes.
        passes: Span,
        /// The sale.
        sale: SaleId,
    },
    /// A pass was redeemed into a wallet.
    PassRedeemed {
        /// Which.
        pass: PassId,
        /// Whose wallet.
        contact: ContactId,
        /// How much.
        amount: Money,
        /// The credits it became.
        credits: Vec<CreditId>,
        /// What is left on the pass, in minor units.
        left: i64,
    },
    /// A gift card was spent directly.
    PassSpent {
        /// Which.
        pass: PassId,
        /// How much.
        amount: Money,
        /// What is left on it, in minor units.
        left: i64,
    },
    /// A wallet was spent.
    WalletSpent {
        /// Whose.
        contact: ContactId,
        /// How much.
        amount: Money,
    },
    /// A redemption or a spend was reversed, wholly or in part.
    Reversed {
        /// The position of what was reversed.
        of: Position,
        /// How much returned.
        amount: Money,
    },
    /// Passes, a whole lot or a whole plan were suspended.
    Suspended {
        /// What.
        what: Whole,
    },
    /// They were reactivated.
    Reactivated {
        /// What.
        what: Whole,
    },
    /// Passes were cancelled.
    PassesCancelled {
        /// Which.
        passes: Span,
    },
    /// A pass replaces another.
    PassReplaced {
        /// The old one.
        old: PassId,
        /// The new one.
        new: PassId,
    },
    /// Something was set on passes: expiry, value, custom fields, recipient.
    PassesChanged {
        /// Which.
        passes: Span,
    },
    /// The codes of a lot were exported.
    LotExported {
        /// Which.
        lot: LotId,
    },
    /// The export of a lot was closed.
    ExportClosed {
        /// Which.
        lot: LotId,
    },
    /// A code was revealed.
    CodeRevealed {
        /// Of which pass.
        pass: PassId,
    },
    /// A bulk command began, as a run.
    RunStarted {
        /// Which.
        run: RunId,
    },
    /// The key of a request that has not come was reversed: the request will be refused.
    RequestStopped,
}

/// What was suspended or reactivated.
/// See [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whole {
    /// Passes.
    Passes(Span),
    /// A lot.
    Lot(LotId),
    /// A plan.
    Plan(PlanId),
}

impl Event {
    /// The stable name of its kind, such as `pass_redeemed`.
    /// See [`Event`].
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BusinessConfigured => "business_configured",
            Self::PlanChanged { .. } => "plan_changed",
            Self::ContactChanged { .. } => "contact_changed",
            Self::LotStarted { .. } => "lot_started",
            Self::LotGrew { .. } => "lot_grew",
            Self::LotReady { .. } => "lot_ready",
            Self::RunCancelled { .. } => "run_cancelled",
            Self::DeliveryWanted { .. } => "delivery_wanted",
            Self::DeliveryRecorded { .. } => "delivery_recorded",
            Self::PassesActivated { .. } => "passes_activated",
            Self::PassesSold { .. } => "passes_sold",
            Self::SaleVoided { .. } => "sale_voided",
            Self::PassRedeemed { .. } => "pass_redeemed",
            Self::PassSpent { .. } => "pass_spent",
            Self::WalletSpent { .. } => "wallet_spent",
            Self::Reversed { .. } => "reversed",
            Self::Suspended { .. } => "suspended",
            Self::Reactivated { .. } => "reactivated",
            Self::PassesCancelled { .. } => "passes_cancelled",
            Self::PassReplaced { .. } => "pass_replaced",
            Self::PassesChanged { .. } => "passes_changed",
            Self::LotExported { .. } => "lot_exported",
            Self::ExportClosed { .. } => "export_closed",
            Self::CodeRevealed { .. } => "code_revealed",
            Self::RunStarted { .. } => "run_started",
            Self::RequestStopped => "request_stopped",
        }
    }

    /// Takes from the commit what only it knows: the balance that is left, which is its second tally.
    pub(crate) fn settle(&mut self, after: &[Tally]) {
        if let Self::PassRedeemed { left, .. } | Self::PassSpent { left, .. } = self
            && let Some(balance) = after.get(BALANCE)
        {
            *left = balance.left();
        }
    }
}

/// An event as a reader gets it.
/// See [`Passes::events`](crate::Passes::events).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where it stands.
    pub position: Position,
    /// Its place among the events of the same position, from 0.
    pub index: u32,
    /// The operation that raised it: with `index`, the event's stable id.
    pub operation: OperationId,
    /// When it counts.
    pub at: Instant,
    /// What happened.
    pub event: Event,
}

//! The states of a pass, and the one table that says which command is allowed in which state (L-1).

use super::{PassRow, Standing, flag};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The state of a pass, as it counts: *Redeemed* follows from its balance, *Suspended* from a mark on it, on
/// its lot or on its plan. Not yet valid, partly used and expired are not states.
///
/// ```
/// use passes_core::pass::State;
/// assert_eq!(State::ALL.map(|state| state.to_string())[2], "suspended");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not activated, or not delivered.
    Draft,
    /// Can be redeemed.
    Active,
    /// Would be active, but it, its lot or its plan is suspended.
    Suspended,
    /// Used up.
    Redeemed,
    /// Cancelled.
    Cancelled,
}

impl State {
    /// Every state.
    /// See [`State`].
    pub const ALL: [Self; 5] = [Self::Draft, Self::Active, Self::Suspended, Self::Redeemed, Self::Cancelled];

    /// The state of a pass, given whether its lot or plan is suspended.
    ///
    /// ```
    /// use passes_core::pass::{PassRow, Standing, State, Tally, flag};
    /// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
    /// let draft = PassRow::draft(lot.pass(1));
    /// assert_eq!(State::of(&draft, false), State::Draft);
    /// let balance = Tally::new(2_500);
    /// let active = PassRow { standing: Standing::Active, value: Some(2_500), balance, ..draft };
    /// assert_eq!(State::of(&active, true), State::Suspended); // Its lot or its plan is.
    /// let own = PassRow { flags: flag::SUSPENDED, ..active };
    /// assert_eq!(State::of(&own, false), State::Suspended);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn of(pass: &PassRow, others_suspended: bool) -> Self {
        match pass.standing {
            Standing::Draft => Self::Draft,
            Standing::Cancelled => Self::Cancelled,
            Standing::Active
                if pass.value.is_some() && pass.balance.left() <= 0 && pass.balance.held == 0 =>
            {
                Self::Redeemed
            }
            Standing::Active if others_suspended || pass.flags & flag::SUSPENDED != 0 => Self::Suspended,
            Standing::Active => Self::Active,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Redeemed => "redeemed",
            Self::Cancelled => "cancelled",
        })
    }
}

/// What a command does to a pass.
///
/// ```
/// use passes_core::pass::{Action, State};
/// assert_eq!(Action::Sell.allowed_in(), [State::Draft]);
/// assert_eq!(Action::Sell.leads_to(), [State::Active]);
/// assert_eq!(Action::Redeem.check(State::Draft).unwrap_err().code(), "PASS_DRAFT");
/// assert!(Action::ALL.iter().all(|action| action.check(State::Cancelled).is_err()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Record the outcome of its delivery.
    Deliver,
    /// Send it again.
    Resend,
    /// Activate it by hand.
    Activate,
    /// Sell it.
    Sell,
    /// Void its sale.
    VoidSale,
    /// Redeem it into a wallet.
    Redeem,
    /// Spend it directly.
    Spend,
    /// Return money or uses to it by a reversal.
    Return,
    /// Suspend it.
    Suspend,
    /// Reactivate it.
    Reactivate,
    /// Cancel it.
    Cancel,
    /// Set its value.
    SetValue,
    /// Set its expiry.
    SetExpiry,
    /// Set its custom fields.
    SetFields,
    /// Set its recipient.
    SetRecipient,
    /// Reveal its code.
    Reveal,
}

impl Action {
    /// Every action.
    /// See [`Action`].
    pub const ALL: [Self; 16] = [
        Self::Deliver,
        Self::Resend,
        Self::Activate,
        Self::Sell,
        Self::VoidSale,
        Self::Redeem,
        Self::Spend,
        Self::Return,
        Self::Suspend,
        Self::Reactivate,
        Self::Cancel,
        Self::SetValue,
        Self::SetExpiry,
        Self::SetFields,
        Self::SetRecipient,
        Self::Reveal,
    ];

    /// The states in which the action is allowed: the table.
    /// See [`Action`].
    #[must_use]
    pub fn allowed_in(self) -> &'static [State] {
        use State::{Active, Draft, Redeemed, Suspended};
        match self {
            Self::Activate | Self::Sell => &[Draft],
            Self::Redeem | Self::Spend => &[Active],
            Self::Resend => &[Draft, Active],
            Self::Reactivate => &[Draft, Suspended],
            Self::Deliver
            | Self::VoidSale
            | Self::Suspend
            | Self::Cancel
            | Self::SetValue
            | Self::SetExpiry
            | Self::SetRecipient => &[Draft, Active, Suspended],
            Self::Return => &[Active, Suspended, Redeemed],
            Self::SetFields | Self::Reveal => &[Draft, Active, Suspended, Redeemed],
        }
    }

    /// The state that the action can lead to, where it leads to another one.
    /// See [`Action`].
    #[must_use]
    pub fn leads_to(self) -> &'static [State] {
        match self {
            Self::Deliver | Self::Activate | Self::Sell | Self::Reactivate | Self::Return => &[State::Active],
            Self::VoidSale => &[State::Draft, State::Cancelled],
            Self::Redeem | Self::Spend => &[State::Redeemed],
            Self::Suspend => &[State::Suspended],
            Self::Cancel => &[State::Cancelled],
            _ => &[],
        }
    }

    /// Whether the action is allowed in this state.
    /// See [`Action`].
    ///
    /// # Errors
    /// The refusal that fits: of a redemption `PASS_DRAFT`, `PASS_SUSPENDED`, `PASS_REDEEMED` or
    /// `PASS_CANCELLED`; of any other command `WRONG_STATE`.
    pub fn check(self, state: State) -> Result<(), Refusal> {
        if self.allowed_in().contains(&state) {
            return Ok(());
        }
        Err(match (self, state) {
            (Self::Redeem | Self::Spend, State::Draft) => Refusal::PassDraft,
            (Self::Redeem | Self::Spend, State::Suspended) => Refusal::PassSuspended { what: "pass" },
            (Self::Redeem | Self::Spend, State::Redeemed) => Refusal::PassRedeemed,
            (Self::Redeem | Self::Spend, State::Cancelled) => Refusal::PassCancelled,
            _ => Refusal::WrongState { what: "pass", state: state.to_string(), command: self.to_string() },
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deliver => "record a delivery",
            Self::Resend => "be sent again",
            Self::Activate => "be activated",
            Self::Sell => "be sold",
            Self::VoidSale => "have its sale voided",
            Self::Redeem => "be redeemed",
            Self::Spend => "be spent",
            Self::Return => "take money back",
            Self::Suspend => "be suspended",
            Self::Reactivate => "be reactivated",
            Self::Cancel => "be cancelled",
            Self::SetValue => "have its value set",
            Self::SetExpiry => "have its expiry set",
            Self::SetFields => "have its fields set",
            Self::SetRecipient => "have its recipient set",
            Self::Reveal => "have its code revealed",
        })
    }
}

/// The page of the documentation that shows the table: a diagram, and every cell. It is generated; a test
/// compares it with the file.
///
/// ```
/// assert!(passes_core::pass::diagram().contains("Draft --> Active: Sell"));
/// ```
#[must_use]
pub fn diagram() -> String {
    let mut page = String::from(
        "# The states of a pass\n\nGenerated from the table in `passes-core/src/pass/state.rs` by \
         `UPDATE_DOCS=1 cargo test -p passes-core --lib state`.\n\n```mermaid\nstateDiagram-v2\n    [*] --> Draft\n",
    );
    for action in Action::ALL {
        for from in action.allowed_in() {
            for to in action.leads_to().iter().filter(|to| *to != from) {
                page.push_str(&format!("    {from:?} --> {to:?}: {action:?}\n"));
            }
        }
    }
    page.push_str("```\n\nAn arrow shows where an action can lead; *Redeem* and *Spend* lead on when nothing is left, *Deliver* when the channel's word is what its setting asks for.\n\n| action |");
    State::ALL.iter().for_each(|state| page.push_str(&format!(" {state} |")));
    page.push_str("\n|---|");
    State::ALL.iter().for_each(|_| page.push_str("---|"));
    for action in Action::ALL {
        page.push_str(&format!("\n| {action:?} |"));
        for state in State::ALL {
            page.push_str(if action.check(state).is_ok() { " yes |" } else { " |" });
        }
    }
    page.push('\n');
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::pass::Tally;
    use std::collections::BTreeSet;

    /// L-1: only an active pass can be redeemed or spent, nothing can be done to a cancelled one, and every
    /// refused cell answers with its code.
    #[test]
    fn every_cell_of_the_table_answers() {
        for action in Action::ALL {
            for state in State::ALL {
                let answer = action.check(state);
                assert_eq!(answer.is_ok(), action.allowed_in().contains(&state));
                if state == State::Cancelled {
                    assert!(answer.is_err(), "{action:?}");
                }
                let moves_money = matches!(action, Action::Redeem | Action::Spend);
                if moves_money {
                    assert_eq!(answer.is_ok(), state == State::Active);
                }
                if let Err(refusal) = answer {
                    assert_eq!(refusal.code() == "WRONG_STATE", !moves_money, "{action:?} {state}");
                }
            }
        }
    }

    /// L-1, Z-1: a refusal names the state and what can't be done in it, in words of its own for each.
    #[test]
    fn every_state_and_action_has_words_of_its_own() {
        let states: BTreeSet<String> = State::ALL.iter().map(State::to_string).collect();
        let actions: BTreeSet<String> = Action::ALL.iter().map(Action::to_string).collect();
        assert_eq!((states.len(), actions.len()), (State::ALL.len(), Action::ALL.len()));
        assert!(states.iter().chain(&actions).all(|words| words.len() > 4));
        let refusal = Action::SetValue.check(State::Redeemed).unwrap_err().to_string();
        assert_eq!(refusal, "a pass that is redeemed can't have its value set");
    }

    /// L-1, L-6: nothing left makes a pass redeemed, unless some of it is held; a suspension makes an active pass
    /// suspended, whoever's it is, and no other.
    #[test]
    fn states_follow_from_the_row() {
        let lot = crate::id::LotId::from_bytes([7; 16]);
        let row = PassRow { value: Some(5), balance: Tally::new(5), ..PassRow::draft(lot.pass(1)) };
        let active = PassRow { standing: Standing::Active, ..row.clone() };
        let with = |used, held| PassRow { balance: Tally { used, held, limit: 5 }, ..active.clone() };
        assert_eq!(State::of(&with(4, 0), false), State::Active);
        assert_eq!(State::of(&with(5, 0), false), State::Redeemed);
        assert_eq!(State::of(&with(5, 0), true), State::Redeemed);
        assert_eq!(State::of(&with(4, 1), false), State::Active);
        let open = PassRow { value: None, balance: Tally::new(0), ..active.clone() };
        assert_eq!(State::of(&open, false), State::Active);
        let own = PassRow { flags: flag::SUSPENDED | flag::BOOKED, ..active.clone() };
        let other = PassRow { flags: flag::BOOKED, ..active };
        let of = |row: &PassRow| [false, true].map(|others| State::of(row, others));
        assert_eq!(of(&own), [State::Suspended; 2]);
        assert_eq!(of(&other), [State::Active, State::Suspended]);
        let draft = PassRow { flags: flag::SUSPENDED, ..row };
        assert_eq!(of(&draft), [State::Draft; 2]);
        assert_eq!(of(&PassRow { standing: Standing::Cancelled, ..draft }), [State::Cancelled; 2]);
    }

    /// L-1: the diagram in the docs is drawn from the table.
    #[test]
    fn the_documented_diagram_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/states.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, diagram()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), diagram(), "docs/states.md is out of date");
    }
}

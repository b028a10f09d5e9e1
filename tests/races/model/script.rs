//! Commands as data: what a seed draws, a script can repeat, shrunk to the few steps that matter.
//!
//! Nothing in a step depends on chance, and whatever it refers to is named by the step that made it, so that a step
//! means the same when others are taken out. One whose references were never made does nothing.

use super::calendar::Where;
use passes_core::conditions::Line;
use passes_core::lot::Outcome;
use passes_core::money::Money;
use passes_core::service::Rest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a step, by which later steps refer to what it made. Plans and contacts that every world has from
/// the beginning have small ones.
pub(crate) type Label = u32;

/// The first label that a step can have.
pub(crate) const FIRST: Label = 100;

/// The n-th pass that a step made, from 1. A lot is named by its first pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct PassRef(pub Label, pub u32);

/// What the world is like before the first step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Where ids and codes come from.
    pub entropy: u64,
    pub zone: Where,
    pub start: String,
    /// Commands are loaded and committed apart, as over a network; else as the store itself does it.
    pub apart: bool,
    pub settings: Settings,
}

/// What of the business's settings changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub grace: u32,
    pub void_hours: u32,
    pub second_currency: bool,
    /// An accepted delivery activates, too.
    pub accepted: bool,
    /// Secrecy is *hashed*.
    pub hashed: bool,
    pub accept_hashes: bool,
}

/// A command, and how it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub label: Label,
    /// Steps of the same round that follow each other are given at once.
    pub round: u32,
    /// Where what it meets comes from: conflicts, others' turns, lost answers. Nothing of that with 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub luck: u64,
    /// After how many polls its future is dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gives_up: Option<u32>,
    /// The number of its idempotency key.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub place: Option<String>,
    /// Redemptions of a round that are sent by one call.
    #[serde(default, skip_serializing_if = "is_default")]
    pub together: bool,
    pub command: Command,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    /// Time passes, or the clock is set back: by so many microseconds.
    Clock(i64),
    /// Everything that is only in memory is forgotten, as after a crash.
    Reopen,
    Configure(Settings),
    Generate {
        plan: Label,
        count: u32,
    },
    /// A lot that is generated and finished, alone and untroubled: what a shrunk script begins with.
    Lot {
        plan: Label,
        count: u32,
    },
    /// One step of the run that this step started.
    Step(Label),
    CancelRun(Label),
    Export {
        lot: PassRef,
        reason: bool,
    },
    CloseExport(PassRef),
    Reveal(PassRef),
    Issue(Issue),
    Passes(Over, Act),
    Redeem(Redeem),
    Check(Redeem),
    Spend(Spend),
    CheckSpend(Spend),
    Reverse(Reverse),
    /// A contact with these media, or with this one.
    CreateContact(Vec<u32>),
    EditContact(Label, Vec<u32>),
    FindContact(u32),
    Plan(Label, PlanAct),
    ViewPass(PassRef),
    Wallet(Label),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Issue {
    pub plan: Label,
    pub to: To,
    pub value: Option<Money>,
    pub price: Option<Money>,
    pub buyer: Option<Label>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum To {
    Contact(Label),
    /// Whoever has this medium; somebody new if nobody has.
    Medium(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Over {
    Pass(PassRef),
    Passes(Vec<PassRef>),
    Serials { lot: PassRef, first: u32, last: u32 },
    Lot(PassRef),
    Plan(Label),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    Activate,
    Deliver(Outcome),
    Resend,
    Suspend,
    Reactivate,
    Cancel(Rest),
    Expire(Until),
    Value(Money),
    /// The field *note*; text that is too long is refused.
    Note(String),
    Recipient(Label),
    Sell {
        price: Money,
        value: Option<Money>,
        buyer: Option<Label>,
    },
    Void,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Until {
    Never,
    /// The end of this day.
    Day(chrono::NaiveDate),
    /// This moment, in microseconds.
    At(i64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redeem {
    pub code: Code,
    pub target: Target,
    pub amount: Option<Money>,
    pub basket: Option<Vec<Line>>,
    pub partly: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    Of(PassRef),
    HashOf(PassRef),
    Unknown,
    Malformed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    Wallet(Label),
    NewWallet,
    Direct,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spend {
    pub contact: Label,
    pub basket: Vec<Line>,
    pub amount: Option<Money>,
    pub partly: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reverse {
    pub of: Of,
    pub part: Part,
    pub allow_loss: bool,
    pub to: Option<Label>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Of {
    /// The operation of this step.
    Step(Label),
    /// Whatever came under this key; and whatever comes.
    Key(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    All,
    Amount(Money),
    Lines(Vec<(u32, Money)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlanAct {
    Archive,
    Activate,
    Copy,
    Delete,
    Caps { passes: Option<u32>, value: Option<Money> },
}

/// What a seed comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub setup: Setup,
    pub steps: Vec<Step>,
}

impl Script {
    /// The steps that are given at once.
    pub(crate) fn rounds(&self) -> impl Iterator<Item = &[Step]> {
        self.steps.chunk_by(|a, b| a.round == b.round)
    }

    /// Reads what `Display` wrote: the setup, and one line for each step.
    pub(crate) fn read(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let setup = serde_json::from_str(lines.next().expect("a setup")).unwrap();
        Self { setup, steps: lines.map(|line| serde_json::from_str(line).unwrap()).collect() }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", serde_json::to_string(&self.setup).map_err(|_| fmt::Error)?)?;
        for step in &self.steps {
            writeln!(f, "{}", serde_json::to_string(step).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}

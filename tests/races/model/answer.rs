//! What the library answered, and what the same answer looks like in the store.

use super::life::Skipped;
use super::script::Command;
use super::state::Outcome;
use passes_core::event::Position;
use passes_core::id::{ContactId, PlanId, RunId};
use passes_core::operation::Kind;
use passes_core::run::Progress;
use passes_core::service::{
    Changed, Check, CheckSpend, Done, Issued, LotStarted, PassView, Redeemed, Reversed, Spent, Wallet,
};
use passes_core::store::StoredOperation;
use passes_core::{Error, Receipt, Refusal};
use std::fmt::Debug;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Redeemed(Receipt<Redeemed>),
    Spent(Receipt<Spent>),
    Reversed(Receipt<Reversed>),
    Changed(Receipt<Changed>),
    Issued(Receipt<Issued>),
    Started(Receipt<LotStarted>),
    Contact(Receipt<ContactId>),
    Plan(Receipt<PlanId>),
    Run(Receipt<RunId>),
    Exported(Receipt<u32>),
    Unit(Receipt<()>),
    Revealed(Receipt<()>, Option<String>),
    /// How far a run is; it leaves no receipt of its own.
    Progress(Progress),
    /// A step of a run landed, and nobody heard how far it came: for passes, how many are changed and skipped.
    Stepped(Option<(u32, Skipped)>),
    Check(Check),
    CheckSpend(CheckSpend),
    View(Box<PassView>),
    Wallet(Wallet),
    Found(Option<ContactId>),
}

/// The codes of the reasons of a refusal; of any other error its own.
pub(crate) fn codes(error: &Error) -> Vec<&'static str> {
    let mut codes: Vec<_> = error.reasons().iter().map(Refusal::code).collect();
    if codes.is_empty() {
        codes.push(error.code());
    }
    codes.dedup();
    codes
}

/// In the documented order, each once.
pub(crate) fn in_order(mut codes: Vec<&'static str>) -> Vec<&'static str> {
    codes.sort_by_key(|code| Refusal::CODES.iter().position(|c| c == code).unwrap());
    codes.dedup();
    codes
}

/// The receipt of a stored operation, as its caller would have got it.
fn receipt<T: Done>(stored: &StoredOperation) -> Outcome<Receipt<T>> {
    let bytes = stored.operation.receipt.get(1..).ok_or("an empty receipt")?;
    let mut done: T = postcard::from_bytes(bytes).map_err(|error| format!("a receipt: {error}"))?;
    done.settle(&stored.after);
    Ok(Receipt { operation: Position(stored.number), replayed: false, at: stored.operation.at, done })
}

/// How far a run on passes is after a step of it. The step keeps the run, as JSON.
fn stepped(stored: &StoredOperation) -> Outcome<Option<(u32, Skipped)>> {
    if stored.operation.kind == Kind::Step {
        return Ok(None);
    }
    let bytes = stored.operation.receipt.get(1..).ok_or("an empty receipt")?;
    let text: String = postcard::from_bytes(bytes).map_err(|error| format!("a step: {error}"))?;
    let run: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("a run: {error}"))?;
    let skipped = serde_json::from_value(run["work"]["bulk"]["skipped"].clone());
    let done = run["done"].as_u64().ok_or("a run without a count")?;
    Ok(Some((done as u32, skipped.map_err(|error| format!("a run: {error}"))?)))
}

impl Answer {
    /// How many passes a run has changed and skipped.
    pub(crate) fn came_to(&self) -> Option<(u32, Skipped)> {
        match self {
            Self::Progress(progress) => Some((progress.done, progress.skipped.clone())),
            Self::Stepped(counts) => counts.clone(),
            _ => None,
        }
    }

    /// What the caller of this command was answered, or would have been.
    pub(crate) fn stored(command: &Command, stored: &StoredOperation) -> Outcome<Self> {
        Ok(match command {
            Command::Generate { .. } => Self::Started(receipt(stored)?),
            Command::Step(_) => Self::Stepped(stepped(stored)?),
            Command::CancelRun(_) => Self::Run(receipt(stored)?),
            Command::Export { .. } => Self::Exported(receipt(stored)?),
            Command::Configure(_) | Command::CloseExport(_) => Self::Unit(receipt(stored)?),
            Command::Reveal(_) => Self::Revealed(receipt(stored)?, None),
            Command::Issue(_) => Self::Issued(receipt(stored)?),
            Command::Passes(..) => Self::Changed(receipt(stored)?),
            Command::Redeem(_) => Self::Redeemed(receipt(stored)?),
            Command::Spend(_) => Self::Spent(receipt(stored)?),
            Command::Reverse(_) => Self::Reversed(receipt(stored)?),
            Command::CreateContact(_) | Command::EditContact(..) => Self::Contact(receipt(stored)?),
            Command::Plan(..) => Self::Plan(receipt(stored)?),
            other => return Err(format!("{other:?} left an operation")),
        })
    }

    /// The operation that it refers to, and whether it says that it was done before.
    pub(crate) fn operation(&self) -> Option<(u64, bool)> {
        fn of<T>(receipt: &Receipt<T>) -> Option<(u64, bool)> {
            Some((receipt.operation.0, receipt.replayed))
        }
        match self {
            Self::Redeemed(receipt) => of(receipt),
            Self::Spent(receipt) => of(receipt),
            Self::Reversed(receipt) => of(receipt),
            Self::Changed(receipt) => of(receipt),
            Self::Issued(receipt) => of(receipt),
            Self::Started(receipt) => of(receipt),
            Self::Contact(receipt) => of(receipt),
            Self::Plan(receipt) => of(receipt),
            Self::Run(receipt) => of(receipt),
            Self::Exported(receipt) => of(receipt),
            Self::Unit(receipt) | Self::Revealed(receipt, _) => of(receipt),
            Self::Progress(_)
            | Self::Stepped(_)
            | Self::Check(_)
            | Self::CheckSpend(_)
            | Self::View(_)
            | Self::Wallet(_)
            | Self::Found(_) => None,
        }
    }

    /// Whether the same was done, at the same moment, by the same operation; whoever was told it first.
    pub(crate) fn is_of(&self, first: &Self) -> Outcome {
        fn told<T: Debug>(receipt: &Receipt<T>) -> String {
            format!("{:?} {:?} {:?}", receipt.operation, receipt.at, receipt.done)
        }
        let text = |answer: &Self| match answer {
            Self::Redeemed(receipt) => told(receipt),
            Self::Spent(receipt) => told(receipt),
            Self::Reversed(receipt) => told(receipt),
            Self::Changed(receipt) => told(receipt),
            Self::Issued(receipt) => told(receipt),
            Self::Started(receipt) => told(receipt),
            Self::Contact(receipt) => told(receipt),
            Self::Plan(receipt) => told(receipt),
            Self::Run(receipt) => told(receipt),
            Self::Exported(receipt) => told(receipt),
            Self::Unit(receipt) | Self::Revealed(receipt, _) => told(receipt),
            other => format!("{other:?}"),
        };
        super::state::same("the same request again", text(self), text(first))
    }
}

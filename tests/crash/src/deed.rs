//! What a till asks for, and what it is answered.

use crate::shop::{Shop, gbp, spec};
use passes_core::contact::{Medium, Profile};
use passes_core::id::{ContactId, LotId, PassId, PlanId, RunId};
use passes_core::lot::Outcome;
use passes_core::operation::Kind;
use passes_core::run::Progress;
use passes_core::service::{Deal, Done, Generate, Issue, Over, Receipt, Recipient, Redeem, Reverse, Spend};
use passes_core::{Error, event::Position};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tests::world::basket;

/// The plans of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Plan {
    /// A printed card of 20.00, spent in parts or taken whole.
    Card,
    /// A printed booklet of five vouchers of 4.00.
    Booklet,
    /// A card of 20.00 that is sent.
    Mail,
}

impl Plan {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Card, Self::Booklet, Self::Mail];
}

/// A request, as it can be sent again.
#[allow(missing_docs)] // What their fields are is what they are called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Deed {
    /// Registers a customer.
    Register(u32),
    /// Makes a plan.
    Draw(Plan),
    /// Opens it.
    Open(PlanId),
    /// Issues an electronic pass.
    Issue { plan: PlanId, to: ContactId },
    /// Its delivery is confirmed.
    Deliver(PassId),
    /// Its code is told.
    Reveal(PassId),
    /// Begins a printed lot.
    Generate { plan: PlanId, count: u32 },
    /// Does a step of a run: of a lot's making, or of a bulk command.
    Step { run: RunId, bulk: bool },
    /// Exports a lot.
    Export(LotId),
    /// Activates some passes at once.
    Activate(Vec<PassId>),
    /// Begins to activate a range of serial numbers.
    ActivateAll { lot: LotId, first: u32, last: u32 },
    /// Sells some passes at once.
    Sell(Vec<PassId>),
    /// Begins to sell a lot.
    SellAll(LotId),
    /// Redeems a pass into a wallet.
    Wallet { code: String, pass: PassId, to: ContactId },
    /// Spends a pass directly: so many pence.
    Direct { code: String, pass: PassId, pence: i64 },
    /// Spends a wallet.
    Spend { contact: ContactId, pence: i64 },
    /// Reverses the operation at a position, wholly or so many pence of it.
    Reverse { of: u64, pence: Option<i64> },
    /// Reverses what a key did, or stops it before it comes.
    ReverseKey(String),
}

/// What is known of an accepted request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ack {
    /// The position of its operation.
    pub operation: u64,
    /// When it counts, in microseconds.
    pub at: i64,
    /// Whether it had been done before.
    pub replayed: bool,
    /// What it did.
    pub done: Value,
    /// A code that was told with it. It is no part of the receipt.
    pub code: Option<String>,
}

impl Ack {
    /// Whether both are the same receipt.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.operation, self.at, &self.done) == (other.operation, other.at, &other.done)
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// Passes that it made or changed.
    pub done: u32,
    /// Passes that it passed over.
    pub skipped: u32,
    /// Passes in all.
    pub total: u32,
    /// Whether it is through.
    pub over: bool,
}

impl From<&Progress> for Stood {
    fn from(progress: &Progress) -> Self {
        Self {
            done: progress.done,
            skipped: progress.skipped.values().sum(),
            total: progress.total,
            over: progress.is_over(),
        }
    }
}

/// What a request is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It is done.
    Done(Ack),
    /// The run stands there.
    Stepped(Stood),
    /// It is refused, with this code.
    Refused(String),
    /// Something failed, which nothing may.
    Failed(String),
}

/// Each kind of request that has to be under way at some kill.
pub const KINDS: [&str; 20] = [
    "issue",
    "deliver",
    "reveal",
    "generate",
    "lot step",
    "export",
    "activate some",
    "activate all",
    "sell some",
    "sell all",
    "bulk step",
    "redeem into wallet, keyed",
    "redeem into wallet",
    "redeem directly, keyed",
    "redeem directly",
    "spend wallet",
    "reverse",
    "reverse a part",
    "reverse by key",
    "set up",
];

impl Deed {
    /// Its kind, one of [`KINDS`].
    #[must_use]
    pub fn kind(&self, keyed: bool) -> &'static str {
        match self {
            Self::Register(_) | Self::Draw(_) | Self::Open(_) => "set up",
            Self::Issue { .. } => "issue",
            Self::Deliver(_) => "deliver",
            Self::Reveal(_) => "reveal",
            Self::Generate { .. } => "generate",
            Self::Step { bulk: false, .. } => "lot step",
            Self::Step { bulk: true, .. } => "bulk step",
            Self::Export(_) => "export",
            Self::Activate(_) => "activate some",
            Self::ActivateAll { .. } => "activate all",
            Self::Sell(_) => "sell some",
            Self::SellAll(_) => "sell all",
            Self::Wallet { .. } if keyed => "redeem into wallet, keyed",
            Self::Wallet { .. } => "redeem into wallet",
            Self::Direct { .. } if keyed => "redeem directly, keyed",
            Self::Direct { .. } => "redeem directly",
            Self::Spend { .. } => "spend wallet",
            Self::Reverse { pence: None, .. } => "reverse",
            Self::Reverse { .. } => "reverse a part",
            Self::ReverseKey(_) => "reverse by key",
        }
    }

    /// Whether it can be reversed by its key.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        matches!(self, Self::Wallet { .. } | Self::Direct { .. } | Self::Spend { .. })
    }

    /// The kinds of operation that it may leave.
    #[must_use]
    pub fn leaves(&self) -> &'static [Kind] {
        match self {
            Self::Register(_) => &[Kind::Contact],
            Self::Draw(_) | Self::Open(_) => &[Kind::Plan],
            Self::Issue { .. } => &[Kind::Issue],
            Self::Deliver(_) => &[Kind::Deliver],
            Self::Reveal(_) => &[Kind::Reveal],
            Self::Generate { .. } => &[Kind::Generate],
            Self::Step { bulk: false, .. } => &[Kind::Step],
            Self::Step { bulk: true, .. } => &[Kind::Activate, Kind::Sell],
            Self::Export(_) => &[Kind::Export],
            Self::Activate(_) => &[Kind::Activate],
            Self::Sell(_) => &[Kind::Sell],
            Self::ActivateAll { .. } | Self::SellAll(_) => &[Kind::Bulk],
            Self::Wallet { .. } => &[Kind::Redeem],
            Self::Direct { .. } => &[Kind::SpendPass],
            Self::Spend { .. } => &[Kind::Spend],
            Self::Reverse { .. } => &[Kind::Reverse],
            Self::ReverseKey(_) => &[Kind::Reverse, Kind::Stop],
        }
    }

    /// The refusals that it may meet while others work on the same passes.
    #[must_use]
    pub fn may_be_refused(&self, code: &str) -> bool {
        match self {
            Self::Wallet { .. } | Self::Direct { .. } => {
                matches!(
                    code,
                    "PASS_REDEEMED" | "USES_SPENT" | "BALANCE_TOO_SMALL" | "REVERSED_BEFORE_IT_CAME"
                )
            }
            Self::Spend { .. } => matches!(code, "BALANCE_TOO_SMALL" | "REVERSED_BEFORE_IT_CAME"),
            Self::Reverse { .. } | Self::ReverseKey(_) => {
                matches!(code, "ALREADY_REVERSED" | "ALREADY_SPENT" | "REVERSAL_TOO_LARGE")
            }
            // It may be used up by now.
            Self::Deliver(_) => code == "WRONG_STATE",
            _ => false,
        }
    }

    /// Sends it.
    #[must_use]
    pub fn give(&self, shop: &Shop, key: Option<&str>) -> Answer {
        let passes = &shop.passes;
        let by = match key {
            Some(key) => &shop.by.clone().key(key),
            None => &shop.by,
        };
        let redeem = |request: Redeem| answer(passes.redeem(by, request).wait());
        match self {
            Self::Register(n) => {
                let profile = Profile::named("Ann", Medium::Reference(format!("customer {n}")));
                answer(passes.create_contact(by, profile).wait())
            }
            Self::Draw(plan) => answer(passes.create_plan(by, spec(*plan)).wait()),
            Self::Open(plan) => answer(passes.activate_plan(by, *plan).wait()),
            Self::Issue { plan, to } => {
                let issue = Issue::new(*plan, Recipient::Contact(*to), "email").sold(Deal::at(gbp(1_500)));
                answer(passes.issue(by, issue).wait())
            }
            Self::Deliver(pass) => answer(passes.delivered(by, *pass, Outcome::Confirmed).wait()),
            Self::Reveal(pass) => match passes.reveal(by, *pass).wait() {
                Ok((receipt, code)) => {
                    let code = code.map(|code| code.reveal().to_owned());
                    Answer::Done(Ack { code, ..ack(&receipt) })
                }
                Err(error) => failed(&error),
            },
            Self::Generate { plan, count } => {
                let request = Generate { plan: *plan, count: *count, accept_weak: false };
                answer(passes.generate(by, request).wait())
            }
            Self::Step { run, .. } => match passes.step(by, *run).wait() {
                Ok(progress) => Answer::Stepped(Stood::from(&progress)),
                Err(error) => failed(&error),
            },
            Self::Export(lot) => {
                answer(passes.export(&by.clone().reason("the till needs codes"), *lot).wait())
            }
            Self::Activate(some) => answer(passes.activate(by, some.clone()).wait()),
            Self::ActivateAll { lot, first, last } => {
                let over = Over::Serials { lot: *lot, first: *first, last: *last };
                answer(passes.activate(by, over).wait())
            }
            Self::Sell(some) => answer(passes.sell(by, some.clone(), Deal::at(gbp(1_800))).wait()),
            Self::SellAll(lot) => answer(passes.sell(by, *lot, Deal::at(gbp(2_000))).wait()),
            Self::Wallet { code, to, .. } => redeem(Redeem::into_wallet(code.as_str(), *to)),
            Self::Direct { code, pence, .. } => redeem(Redeem::direct(code.as_str(), gbp(*pence))),
            Self::Spend { contact, pence } => {
                let basket = basket(&[("TEA", &[], &gbp(*pence).to_string())]);
                answer(passes.spend(by, Spend::all(*contact, basket)).wait())
            }
            Self::Reverse { of, pence } => {
                let whole = Reverse::operation(Position(*of));
                let request = match pence {
                    None => whole,
                    Some(pence) => whole.amount(gbp(*pence)),
                };
                answer(passes.reverse(by, request).wait())
            }
            Self::ReverseKey(key) => answer(passes.reverse(by, Reverse::key(key)).wait()),
        }
    }
}

fn ack<T: Done>(receipt: &Receipt<T>) -> Ack {
    Ack {
        operation: receipt.operation.0,
        at: receipt.at.micros(),
        replayed: receipt.replayed,
        done: serde_json::to_value(&receipt.done).unwrap(),
        code: None,
    }
}

fn answer<T: Done>(answer: Result<Receipt<T>, Error>) -> Answer {
    match answer {
        Ok(receipt) => Answer::Done(ack(&receipt)),
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> Answer {
    match error {
        Error::Refused(_) => Answer::Refused(error.code().to_owned()),
        _ => Answer::Failed(format!("{}: {error}", error.code())),
    }
}

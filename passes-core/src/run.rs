//! Runs: long work done in steps that can stop and go on (T-2, L-3).

use crate::id::{LotId, PassId, PlanId, RunId, TermsId};
use crate::pass::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a run stands.
/// See [`Run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It can be stepped.
    Running,
    /// It is through.
    Done,
    /// It was cancelled: what was done stays.
    Cancelled,
}

/// How far the generation of a lot is. The codes of a window of serial numbers are reserved first, in the
/// order of their digests; then its passes are made, in the order of their serial numbers.
///
/// ```
/// use passes_core::run::Generation;
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let begun = Generation { lot, made_of: None, window: 1, reserved: false, at: 0, tries: Default::default() };
/// assert_eq!(serde_json::from_str::<Generation>(&serde_json::to_string(&begun).unwrap()).unwrap(), begun);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// The lot.
    pub lot: LotId,
    /// What the lot is made of; unknown in a run that was begun before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_of: Option<MadeOf>,
    /// The first serial number of the window.
    pub window: u32,
    /// Whether the codes of the window are reserved, so that its passes are made.
    pub reserved: bool,
    /// How many codes, or passes, of the window are done.
    pub at: u32,
    /// The serial numbers in the window whose first codes were taken, and the try that was not.
    pub tries: BTreeMap<u32, u32>,
}

/// What a lot is made of, so that a command can name it without reading the lot first.
/// See [`Generation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeOf {
    /// Its terms.
    pub terms: TermsId,
    /// Its plan.
    pub plan: PlanId,
    /// The tally of its format's codes.
    pub codes: [u8; 16],
}

/// How far a bulk command is.
/// See [`Run`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulk<C> {
    /// What is done to each pass.
    pub command: C,
    /// To which passes.
    pub over: Over,
    /// The last pass that was looked at.
    pub after: Option<PassId>,
    /// Passes that were skipped, by the state they were in.
    pub skipped: BTreeMap<State, u32>,
}

/// The passes of a run.
/// See [`Run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// A range of serial numbers, both ends included.
    Serials(PassId, PassId),
    /// All passes of a plan.
    Plan(PlanId),
}

/// What a run works on.
/// See [`Run`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work<C> {
    /// A lot is generated.
    Generate(Generation),
    /// Something is done to many passes.
    Bulk(Box<Bulk<C>>),
}

/// A run as it is stored.
///
/// ```
/// use passes_core::id::{Id, RunId};
/// use passes_core::run::{Bulk, Over, Run, RunState, Work};
/// # let lot: passes_core::id::LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let over = Over::Serials(lot.pass(1), lot.pass(100));
/// let bulk = Bulk { command: "suspend", over, after: None, skipped: Default::default() };
/// let work = Work::Bulk(Box::new(bulk));
/// let run = Run { id: RunId::from_bytes([7; 16]), state: RunState::Running, work, done: 40, total: 100 };
/// assert!(run.progress().done == 40 && !run.progress().is_over());
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run<C> {
    /// Its id.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Its work and cursor.
    pub work: Work<C>,
    /// How many passes were made or changed.
    pub done: u32,
    /// How many passes there are to make or to look at.
    pub total: u32,
}

/// How far a run is.
/// See [`Run`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The run.
    pub run: RunId,
    /// Where it stands.
    pub state: RunState,
    /// How many passes were made or changed.
    pub done: u32,
    /// How many passes were skipped, by the state they were in.
    pub skipped: BTreeMap<State, u32>,
    /// How many passes there are to make or to look at.
    pub total: u32,
}

impl<C> Run<C> {
    /// How far it is.
    /// See [`Run`].
    #[must_use]
    pub fn progress(&self) -> Progress {
        let skipped = match &self.work {
            Work::Generate(_) => BTreeMap::new(),
            Work::Bulk(bulk) => bulk.skipped.clone(),
        };
        Progress { run: self.id, state: self.state, done: self.done, skipped, total: self.total }
    }
}

impl Progress {
    /// Whether there is nothing left to step.
    /// See [`Run`].
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state != RunState::Running
    }
}

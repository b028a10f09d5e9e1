//! Lots: the passes generated together from one plan (T).

use crate::calendar::Instant;
use crate::id::{ContactId, LotId, PassId, PlanId, RunId, TermsId};
use crate::passcode::Format;
use crate::plan::{Form, Plan};
use crate::secret::Sealed;
use serde::{Deserialize, Serialize};

/// A lot as it is stored. Its passes have the serial numbers 1 to `count`.
/// See [`Lot::new`], and [`Passes::lot`](crate::Passes::lot) for one that is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// Its plan.
    pub plan: PlanId,
    /// The terms of its passes.
    pub terms: TermsId,
    /// Printed, or one electronic pass.
    pub form: Form,
    /// How many passes it has, or will have when its run is through.
    pub count: u32,
    /// The format of its codes.
    pub format: Format,
    /// The seed of its codes, sealed. Gone when the codes can't be brought back any more.
    pub seed: Option<Sealed>,
    /// When it was generated.
    pub issued: Instant,
    /// The run that generates it, or that made it as a replacement; none for any other electronic pass.
    pub run: Option<RunId>,
    /// Whether all its passes are there.
    pub complete: bool,
    /// How often its codes were exported.
    pub exports: u32,
    /// Whether its export is closed.
    pub closed: bool,
    /// Whether all its passes are suspended (L-6).
    pub suspended: bool,
    /// Whether all its passes were cancelled: its codes then count for nothing in the odds of a guess (C-4).
    pub cancelled: bool,
    /// The pass that its only pass replaces.
    pub replaces: Option<PassId>,
}

impl Lot {
    /// A lot that is being made: not exported, not suspended.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::{calendar::Instant, lot::Lot, secret::{Keyring, seal}};
    /// let plan = passes.plan(by, shop.plan).wait()?;
    /// let seed = seal(&Keyring::from_master("m1", &[7; 32])?, [7; 24], b"the lot", &[1; 32])?;
    /// let lot = Lot::new(shop.lot, &plan, plan.terms.unwrap(), 10, seed, Instant::EPOCH);
    /// assert!(!lot.complete && lot.count == 10);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn new(id: LotId, plan: &Plan, terms: TermsId, count: u32, seed: Sealed, issued: Instant) -> Self {
        Self {
            id,
            plan: plan.id,
            terms,
            form: plan.spec.terms.form,
            count,
            format: plan.spec.code.clone(),
            seed: Some(seed),
            issued,
            run: None,
            complete: false,
            exports: 0,
            closed: false,
            suspended: false,
            cancelled: false,
            replaces: None,
        }
    }
}

/// How a delivery went.
/// See [`Passes::delivered`](crate::Passes::delivered).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The channel took the message.
    Accepted,
    /// The message arrived.
    Confirmed,
    /// It could not be delivered.
    Failed {
        /// Why, in the channel's words; at most 500 characters.
        why: String,
    },
}

/// The delivery of an electronic pass, as it is stored: the personal words on it stand here and nowhere else.
///
/// ```
/// use passes_core::{calendar::Instant, lot::{Delivery, Outcome}};
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// let sent = Delivery {
///     pass: shop.card(1),
///     to: shop.ann,
///     channel: "email".into(),
///     sender: Some("Bob".into()),
///     message: None,
///     sent: 1,
///     outcomes: vec![(Instant::EPOCH, Outcome::Accepted)],
/// };
/// assert_eq!(serde_json::from_str::<Delivery>(&serde_json::to_string(&sent).unwrap()).unwrap(), sent);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The pass.
    pub pass: PassId,
    /// To whom.
    pub to: ContactId,
    /// Through which channel.
    pub channel: String,
    /// From whom, for people.
    pub sender: Option<String>,
    /// What the sender says.
    pub message: Option<String>,
    /// How often it was sent.
    pub sent: u32,
    /// What became of it, the newest last; at most the last 20.
    pub outcomes: Vec<(Instant, Outcome)>,
}

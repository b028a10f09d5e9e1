//! What generating a lot and issuing a pass have in common: the plan must be able to make passes, its caps
//! and the odds of a guess must allow them, and its terms are stored once.

use super::docs::put;
use super::engine::{View, first_half};
use super::{Error, Passes};
use crate::id::{BusinessId, Id, Ids, LotId, PlanId, TermsId};
use crate::money::Money;
use crate::operation::{By, Right};
use crate::passcode::{FoldedFormat, LotSeed, expected_hits, fits};
use crate::plan::{Form, Plan, PlanState};
use crate::refusal::Refusal;
use crate::secret::{Sealed, seal};
use crate::store::{Add, Change, DocKey, DocKind, Expect, Load, StoreError, TallyKey};

/// The tally of passes ever made from a plan.
pub(crate) fn passes_of(plan: PlanId) -> TallyKey {
    named("plan passes", plan.as_bytes())
}

/// The tally of the value ever made from a plan, in minor units.
pub(crate) fn value_of(plan: PlanId) -> TallyKey {
    named("plan value", plan.as_bytes())
}

/// The tally of codes ever made in a format, less those of wholly cancelled lots.
pub(crate) fn codes_in(format: &FoldedFormat) -> TallyKey {
    let text = serde_json::to_vec(format).unwrap_or_default();
    named("format codes", &text)
}

fn named(what: &str, of: &[u8]) -> TallyKey {
    let hash = blake3::Hasher::new_derive_key("passes 2026 tally")
        .update(what.as_bytes())
        .update(&[0])
        .update(of)
        .finalize();
    TallyKey::Named(first_half(hash.as_bytes()), 0)
}

impl Passes {
    /// The formats in use, which have to be known before their tallies can be named to the store.
    pub(crate) async fn formats(&self, by: &By) -> Result<Vec<FoldedFormat>, Error> {
        self.look(by, Load::new(by.business), |view| Ok(view.business.formats.clone())).await
    }
}

/// Names what making passes reads.
pub(crate) fn name(load: &mut Load, plan: PlanId, formats: &[FoldedFormat]) {
    load.docs.push(DocKey::new(DocKind::Plan, plan));
    load.tallies.extend(formats.iter().map(codes_in));
    load.tallies.extend([passes_of(plan), value_of(plan)]);
}

/// What passes are to be made.
pub(crate) struct Making<'a> {
    pub(crate) plan: PlanId,
    pub(crate) form: Form,
    pub(crate) count: u32,
    /// The value of all of them together, where it is known.
    pub(crate) value: Option<Money>,
    /// Whether a format is accepted that is easier to guess than the business allows.
    pub(crate) accept_weak: bool,
    /// The formats whose tallies were loaded.
    pub(crate) formats: &'a [FoldedFormat],
}

impl Making<'_> {
    /// Judges whether the passes can be made, and writes what is shared by them: the plan's terms, the format,
    /// the tallies.
    pub(crate) fn begin(
        &self,
        view: &View<'_>,
        ids: &mut Ids,
        change: &mut Change,
    ) -> Result<(Plan, TermsId), Error> {
        let (mut plan, version) = super::plans::existing(view, self.plan)?;
        view.about(plan.id);
        let make = |what: &'static str, state: String| {
            Err(Refusal::WrongState { what, state, command: "make passes".into() }.into())
        };
        if plan.state != PlanState::Active {
            return make("plan", plan.state.to_string());
        }
        if plan.spec.terms.form != self.form {
            let other = if self.form == Form::Printed {
                "electronic: issue its passes"
            } else {
                "printed: generate a lot"
            };
            return make("plan", other.to_owned());
        }
        let currency = plan.spec.terms.currency;
        if !view.business.settings.currencies.contains(&currency) {
            return Err(Refusal::UnknownCurrency { currency: currency.to_string() }.into());
        }
        self.judge_format(view, &plan, change)?;
        self.judge_caps(view, &plan, change)?;
        let terms = match plan.terms {
            Some(terms) => {
                // It must still be active, and its caps these.
                change.expect.push((DocKey::new(DocKind::Plan, plan.id), Expect::Version(version)));
                terms
            }
            None => {
                let terms: TermsId = ids.draw();
                let (key, parent) = (DocKey::new(DocKind::Terms, terms), DocKey::new(DocKind::Plan, plan.id));
                change.put.push(put(key, Some(parent), &plan.spec.terms, Expect::Absent)?);
                plan.terms = Some(terms);
                change.put.push(put(parent, None, &plan, Expect::Version(version))?);
                terms
            }
        };
        Ok((plan, terms))
    }

    fn judge_format(&self, view: &View<'_>, plan: &Plan, change: &mut Change) -> Result<(), Error> {
        if view.business.formats != self.formats {
            // Somebody brought in a new format since it was asked; its tally was not loaded.
            return Err(StoreError::Conflict.into());
        }
        let format = plan.spec.code.folded()?;
        let wanted = u64::from(self.count);
        let overlap = view
            .business
            .formats
            .iter()
            .zip(&view.loaded.tallies)
            .map(|(other, made)| expected_hits(other, u64::try_from(made.used).unwrap_or(0), &format))
            .fold(0, u64::saturating_add);
        let judged = fits(&format, wanted, overlap, view.business.settings.guess_one_in);
        if judged.is_err() && self.accept_weak {
            view.env.by.may(Right::AcceptWeakFormat)?;
            if view.env.by.reason.is_none() {
                return Err(Refusal::ReasonRequired { command: "accepting a weak format".into() }.into());
            }
            fits(&format, wanted, overlap, 1)?;
        } else {
            judged?;
        }
        change
            .tally
            .push(Add { limit: Some(i64::MAX), ..Add::used(codes_in(&format), i64::from(self.count)) });
        let key = DocKey::new(DocKind::Business, view.business.id);
        if view.business.formats.contains(&format) {
            // A format that comes meanwhile would have to be judged, too.
            change.expect.push((key, Expect::Version(view.business_version)));
        } else {
            let mut next = (*view.business).clone();
            next.formats.push(format);
            change.put.push(put(key, None, &next, Expect::Version(view.business_version))?);
        }
        Ok(())
    }

    /// The caps are judged here, so that the caller learns what is left, and again by the commit's guards.
    fn judge_caps(&self, view: &View<'_>, plan: &Plan, change: &mut Change) -> Result<(), Error> {
        let mut made = view.loaded.tallies.iter().skip(self.formats.len()).map(|tally| tally.used);
        let (passes, value) = (made.next().unwrap_or(0), made.next().unwrap_or(0));
        let cap = plan.spec.caps.passes.map_or(i64::MAX, i64::from);
        let count = i64::from(self.count);
        if passes.saturating_add(count) > cap {
            return Err(Refusal::PlanCap { what: "passes", cap, left: (cap - passes).max(0) }.into());
        }
        change.tally.push(Add { limit: Some(cap), ..Add::used(passes_of(plan.id), count) });
        if let Some(added) = self.value {
            judge_value(plan, value, added)?;
            change.tally.push(value_added(plan, added));
        }
        Ok(())
    }
}

/// Refuses more value than the plan's cap leaves.
pub(crate) fn judge_value(plan: &Plan, made: i64, added: Money) -> Result<(), Refusal> {
    let Some(cap) = plan.spec.caps.value.map(Money::minor) else { return Ok(()) };
    if made.saturating_add(added.minor()) > cap {
        return Err(Refusal::PlanCap { what: "value, in minor units,", cap, left: (cap - made).max(0) });
    }
    Ok(())
}

/// The addition to what a plan has made in value, within its cap.
pub(crate) fn value_added(plan: &Plan, value: Money) -> Add {
    let cap = plan.spec.caps.value.map_or(i64::MAX, Money::minor);
    Add { limit: Some(cap), ..Add::used(value_of(plan.id), value.minor()) }
}

/// What a lot's seed is sealed together with: it opens for no other lot.
fn bound_to(business: BusinessId, lot: LotId) -> [u8; 32] {
    let mut bound = [0; 32];
    bound.iter_mut().zip(business.as_bytes().iter().chain(lot.as_bytes())).for_each(|(to, from)| *to = *from);
    bound
}

/// Seals the seed of a lot.
pub(crate) fn seal_seed(view: &View<'_>, ids: &mut Ids, lot: LotId, seed: &LotSeed) -> Result<Sealed, Error> {
    Ok(seal(&view.inner.keys.ring, ids.bytes(), &bound_to(view.env.by.business, lot), seed.reveal())?)
}

/// Opens the seed of a lot.
pub(crate) fn open_seed(
    inner: &super::Inner,
    business: BusinessId,
    lot: LotId,
    sealed: &Sealed,
) -> Result<LotSeed, Error> {
    let plain = sealed.open(&inner.keys.ring, &bound_to(business, lot))?;
    let bytes = <[u8; 32]>::try_from(plain.as_slice());
    Ok(LotSeed::from_bytes(bytes.map_err(|_| StoreError::Corrupt("the seed of a lot".into()))?))
}

/// The key of a lot's document.
pub(crate) fn lot_key(lot: LotId) -> DocKey {
    DocKey { kind: DocKind::Lot, id: lot.to_bytes() }
}

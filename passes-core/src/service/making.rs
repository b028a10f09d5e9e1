//! What generating a lot and issuing a pass have in common: the plan must be able to make passes, its caps
//! and the odds of a guess must allow them, and its terms are stored once.

use super::docs::put;
use super::engine::{View, first_half};
use super::shared::Shared;
use super::{Error, Passes};
use crate::id::{BusinessId, Id, Ids, LotId, PlanId, TermsId};
use crate::money::Money;
use crate::operation::{By, Right};
use crate::passcode::{FoldedFormat, LotSeed, expected_hits, fits};
use crate::plan::{Form, Plan, PlanState};
use crate::refusal::Refusal;
use crate::secret::{Sealed, seal};
use crate::store::{Change, DocKey, DocKind, Expect, Load, StoreError};

/// The tally of passes ever made from a plan.
pub(crate) fn passes_of(plan: PlanId) -> Shared {
    named("plan passes", plan.as_bytes())
}

/// The tally of the value ever made from a plan, in minor units.
pub(crate) fn value_of(plan: PlanId) -> Shared {
    named("plan value", plan.as_bytes())
}

/// The tally of codes ever made in a format, less those of wholly cancelled lots.
pub(crate) fn codes_in(format: &FoldedFormat) -> Shared {
    let text = serde_json::to_vec(format).unwrap_or_default();
    named("format codes", &text)
}

fn named(what: &str, of: &[u8]) -> Shared {
    let hash = blake3::Hasher::new_derive_key("passes 2026 tally")
        .update(what.as_bytes())
        .update(&[0])
        .update(of)
        .finalize();
    Shared(first_half(hash.as_bytes()))
}

impl Passes {
    /// The formats in use, which have to be known before their tallies can be named to the store.
    pub(crate) async fn formats(&self, by: &By) -> Result<Vec<FoldedFormat>, Error> {
        self.look(by, Load::new(by.business), |view| Ok(view.business.formats.clone())).await
    }
}

/// Names what making passes reads.
pub(crate) fn name(load: &mut Load, slots: u16, plan: PlanId, formats: &[FoldedFormat]) {
    load.docs.push(DocKey::new(DocKind::Plan, plan));
    let shared = formats.iter().map(codes_in).chain([passes_of(plan), value_of(plan)]);
    load.tallies.extend(shared.flat_map(|shared| shared.slots(slots)));
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
                // It must be active. Its caps may rise meanwhile: they never fall.
                change.seen.push((DocKey::new(DocKind::Plan, plan.id), version));
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
            .map(|other| {
                let made = u64::try_from(view.made(codes_in(other))).unwrap_or(0);
                expected_hits(other, made, &format)
            })
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
        view.count(change, codes_in(&format), i64::from(self.count), None);
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
        let (passes, cap) = (view.made(passes_of(plan.id)), plan.spec.caps.passes.map(i64::from));
        let count = i64::from(self.count);
        judge_cap("passes", passes, count, cap)?;
        view.count(change, passes_of(plan.id), count, cap);
        self.value.map_or(Ok(()), |added| add_value(view, change, plan, added))
    }
}

/// Counts value as made from a plan, or taken back; more than its cap leaves is refused.
pub(crate) fn add_value(
    view: &View<'_>,
    change: &mut Change,
    plan: &Plan,
    value: Money,
) -> Result<(), Error> {
    let (of, cap) = (value_of(plan.id), plan.spec.caps.value.map(Money::minor));
    if value.minor() > 0 {
        judge_cap("value, in minor units,", view.made(of), value.minor(), cap)?;
    }
    view.count(change, of, value.minor(), cap);
    Ok(())
}

/// Refuses more than a cap leaves.
fn judge_cap(what: &'static str, made: i64, added: i64, cap: Option<i64>) -> Result<(), Refusal> {
    match cap {
        Some(cap) if made.saturating_add(added) > cap => {
            Err(Refusal::PlanCap { what, cap, left: (cap - made).max(0) })
        }
        _ => Ok(()),
    }
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

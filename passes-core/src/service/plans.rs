//! Use cases of plans: creating, changing, copying, activating, archiving, deleting.

use super::docs::put;
use super::engine::{Draft, View};
use super::{Call, Done, Error, Passes, Receipt, stored};
use crate::event::Event;
use crate::id::{Id, Ids, PlanId};
use crate::operation::{By, Kind, Right};
use crate::plan::{Plan, PlanState, Spec};
use crate::refusal::Refusal;
use crate::store::{DocKey, DocKind, Expect, Load, PageQuery};

impl Done for PlanId {}

/// A page of a list, and where to go on.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// let page = passes.lots(by, shop.plan, None, 1).wait()?;
/// assert_eq!((page.rows.len(), page.next), (1, Some(shop.lot)));
/// let rest = passes.lots(by, shop.plan, page.next, 1).wait()?;
/// assert!(rest.rows.is_empty() && rest.next.is_none());
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T, C> {
    /// The rows.
    pub rows: Vec<T>,
    /// The cursor with which to ask for the next page; nothing at the end.
    pub next: Option<C>,
}

impl Passes {
    /// Creates a plan, as a draft.
    ///
    /// # Errors
    /// `FORBIDDEN`; `INVALID`, `UNKNOWN_CURRENCY`, `BAD_FORMAT` and the others of [`Spec::validate`].
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::plan::PlanState;
    /// use passes_core::plan::{Caps, Classification, Form, Spec, Terms};
    /// let spec = Spec {
    ///     name: [("en-GB".to_owned(), "Birthday card".to_owned())].into(),
    ///     description: Default::default(),
    ///     terms: Terms::fixed(Classification::Gift, Form::Electronic, gbp("50")?),
    ///     code: Default::default(),
    ///     caps: Caps::default(),
    /// };
    /// let plan = passes.create_plan(by, spec).wait()?.done;
    /// assert_eq!(passes.plan(by, plan).wait()?.state, PlanState::Draft);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn create_plan<'a>(&'a self, by: &'a By, spec: Spec) -> Call<'a, Receipt<PlanId>> {
        Call::new(async move {
            let order = self.order(by, Right::Configure, Kind::Plan, &("create", request(&spec)?))?;
            self.run(order, move |view| {
                let id = Ids::new(&view.env.seed, view.env.now).draw();
                let plan = Plan {
                    id,
                    spec: spec.clone(),
                    state: PlanState::Draft,
                    terms: None,
                    suspended: false,
                    copy_of: None,
                };
                write(view, &plan, Expect::Absent)
            })
            .await
        })
    }

    /// Copies a plan, prefix and all, into a new draft.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let copy = passes.copy_plan(by, shop.plan).wait()?.done;
    /// assert_eq!(passes.plan(by, copy).wait()?.copy_of, Some(shop.plan));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn copy_plan<'a>(&'a self, by: &'a By, plan: PlanId) -> Call<'a, Receipt<PlanId>> {
        self.change_plan(by, plan, "copy", None, move |view, old| {
            let id = Ids::new(&view.env.seed, view.env.now).draw();
            let spec = old.spec.clone();
            Ok((
                Plan {
                    id,
                    spec,
                    state: PlanState::Draft,
                    terms: None,
                    suspended: false,
                    copy_of: Some(old.id),
                },
                true,
            ))
        })
    }

    /// Changes a plan. Once it has a pass, only translations and raised caps are taken (P-11).
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `PLAN_FROZEN` naming the field; those of [`Spec::validate`].
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let mut spec = passes.plan(by, shop.plan).wait()?.spec;
    /// spec.description.insert("en-GB".into(), "For every occasion".into());
    /// passes.edit_plan(by, shop.plan, spec.clone()).wait()?;
    ///
    /// spec.code.length = 8; // The plan has passes.
    /// assert_eq!(passes.edit_plan(by, shop.plan, spec).wait().unwrap_err().code(), "PLAN_FROZEN");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn edit_plan<'a>(&'a self, by: &'a By, plan: PlanId, spec: Spec) -> Call<'a, Receipt<PlanId>> {
        let text = request(&spec).ok();
        self.change_plan(by, plan, "edit", text, move |_, old| {
            if old.terms.is_some()
                && let Some(field) = old.spec.frozen_change(&spec)
            {
                return Err(Refusal::PlanFrozen { field: field.to_owned() }.into());
            }
            Ok((Plan { spec: spec.clone(), ..old.clone() }, false))
        })
    }

    /// Activates a draft, or an archived plan again: it can make passes.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let draft = passes.copy_plan(by, shop.plan).wait()?.done;
    /// passes.activate_plan(by, draft).wait()?;
    /// assert_eq!(passes.activate_plan(by, draft).wait().unwrap_err().code(), "WRONG_STATE");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn activate_plan<'a>(&'a self, by: &'a By, plan: PlanId) -> Call<'a, Receipt<PlanId>> {
        self.move_plan(by, plan, "be activated", &[PlanState::Draft, PlanState::Archived], PlanState::Active)
    }

    /// Archives a plan: it makes no new passes; those there are live on.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::service::Generate;
    /// passes.archive_plan(by, shop.plan).wait()?;
    /// let more = Generate { plan: shop.plan, count: 5, accept_weak: false };
    /// assert_eq!(passes.generate(by, more).wait().unwrap_err().code(), "WRONG_STATE");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn archive_plan<'a>(&'a self, by: &'a By, plan: PlanId) -> Call<'a, Receipt<PlanId>> {
        self.move_plan(by, plan, "be archived", &[PlanState::Draft, PlanState::Active], PlanState::Archived)
    }

    /// Deletes a plan that has no pass.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `PLAN_FROZEN` once it has a pass: archive it instead.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let draft = passes.copy_plan(by, shop.plan).wait()?.done;
    /// passes.delete_plan(by, draft).wait()?;
    /// assert_eq!(passes.plan(by, draft).wait().unwrap_err().code(), "NOT_FOUND");
    /// assert_eq!(passes.delete_plan(by, shop.plan).wait().unwrap_err().code(), "PLAN_FROZEN");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn delete_plan<'a>(&'a self, by: &'a By, plan: PlanId) -> Call<'a, Receipt<PlanId>> {
        self.change_plan(by, plan, "delete", None, |_, old| {
            if old.terms.is_some() {
                return Err(Refusal::PlanFrozen { field: "the plan itself".into() }.into());
            }
            Ok((Plan { state: PlanState::Deleted, ..old.clone() }, false))
        })
    }

    /// A plan.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let plan = passes.plan(by, shop.plan).wait()?;
    /// assert_eq!(plan.spec.name_in("fr", "en-GB"), "Gift card");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn plan<'a>(&'a self, by: &'a By, plan: PlanId) -> Call<'a, Plan> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let mut load = Load::new(by.business);
            load.docs.push(DocKey::new(DocKind::Plan, plan));
            self.look(by, load, |view| existing(view, plan).map(|(plan, _)| plan)).await
        })
    }

    /// The plans of the business, in the order of their creation, at most `limit` (up to 10,000) after a cursor.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let page = passes.plans(by, None, 100).wait()?;
    /// assert_eq!((page.rows[0].id, page.next), (shop.plan, None));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn plans<'a>(
        &'a self,
        by: &'a By,
        after: Option<PlanId>,
        limit: u32,
    ) -> Call<'a, Listed<Plan, PlanId>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let limit = limit.clamp(1, crate::limits::PAGE);
            let query = PageQuery::Docs {
                business: by.business,
                kind: DocKind::Plan,
                parent: None,
                after: after.map(Id::to_bytes),
                limit,
            };
            let docs = self.inner.store.page(&query).await?.docs;
            let full = u32::try_from(docs.len()).is_ok_and(|n| n >= limit);
            let next = docs.last().filter(|_| full).map(|doc| PlanId::from_bytes(doc.key.id));
            let mut rows =
                docs.iter().map(|doc| stored::read::<Plan>(&doc.body)).collect::<Result<Vec<_>, _>>()?;
            rows.retain(|plan| plan.state != PlanState::Deleted);
            Ok(Listed { rows, next })
        })
    }

    fn move_plan<'a>(
        &'a self,
        by: &'a By,
        plan: PlanId,
        command: &'static str,
        from: &'static [PlanState],
        to: PlanState,
    ) -> Call<'a, Receipt<PlanId>> {
        self.change_plan(by, plan, command, None, move |_, old| {
            if !from.contains(&old.state) {
                let state = old.state.to_string();
                return Err(Refusal::WrongState { what: "plan", state, command: command.into() }.into());
            }
            Ok((Plan { state: to, ..old.clone() }, false))
        })
    }

    /// A command on a plan, which makes a new state of it, or a new plan.
    fn change_plan<'a>(
        &'a self,
        by: &'a By,
        plan: PlanId,
        command: &'static str,
        text: Option<String>,
        decide: impl Fn(&View<'_>, &Plan) -> Result<(Plan, bool), Error> + Send + Sync + 'static,
    ) -> Call<'a, Receipt<PlanId>> {
        Call::new(async move {
            let mut order = self.order(by, Right::Configure, Kind::Plan, &(command, plan, text))?;
            order.load.docs.push(DocKey::new(DocKind::Plan, plan));
            self.run(order, move |view| {
                let (old, version) = existing(view, plan)?;
                let (next, is_new) = decide(view, &old)?;
                write(view, &next, if is_new { Expect::Absent } else { Expect::Version(version) })
            })
            .await
        })
    }
}

/// The plan, unless it was deleted.
pub(crate) fn existing(view: &View<'_>, id: PlanId) -> Result<(Plan, u32), Error> {
    let (plan, version) = view.docs.plan(id)?;
    if plan.state == PlanState::Deleted {
        return Err(Refusal::NotFound { what: PlanId::WHAT, id: id.to_string() }.into());
    }
    Ok(((*plan).clone(), version))
}

fn write(view: &View<'_>, plan: &Plan, expect: Expect) -> Result<Draft<PlanId>, Error> {
    // A plan can be put away whatever has become of the settings since it was written.
    if matches!(plan.state, PlanState::Draft | PlanState::Active) {
        plan.spec.validate(&view.business.settings)?;
    }
    let mut draft = Draft::new(view, plan.id);
    let key = DocKey::new(DocKind::Plan, plan.id);
    draft.change.put.push(put(key, None, plan, expect)?);
    draft.events.push(Event::PlanChanged { plan: plan.id, state: plan.state });
    Ok(draft)
}

fn request(spec: &Spec) -> Result<String, Error> {
    serde_json::to_string(spec).map_err(|e| Refusal::invalid("plan", e.to_string()).into())
}

//! Looking at passes and lots: by id, serial number or code, in lists and in counts (T-4, T-7, L-6, X-1).

use super::bulk::delivery_key;
use super::docs::Chain;
use super::engine::View;
use super::lifecycle::own_fields;
use super::redeem::state_of;
use super::{Call, Error, Listed, Passes, Sale, stored};
use crate::calendar::Instant;
use crate::fields::Values;
use crate::id::{ContactId, Id, LotId, PassId, PlanId, RunId, SaleId};
use crate::limits;
use crate::lot::{Delivery, Lot};
use crate::money::Money;
use crate::operation::{By, Right};
use crate::pass::{PassRow, Standing, State, flag};
use crate::passcode::Presented;
use crate::plan::{Form, Plan, Translated};
use crate::refusal::Refusal;
use crate::store::{DocKey, DocKind, Load, PageQuery, PassOrder, PassRange, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many passes a page of a filtered list looks at, at most.
const SCAN: u32 = 10_000;
/// Passes read at a time for a filtered list.
const BATCH: u32 = 1_000;

/// A pass, as an operator sees it. It holds nothing of the code.
/// See [`Passes::pass`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassView {
    /// Its id.
    pub id: PassId,
    /// Its lot.
    pub lot: LotId,
    /// Its plan.
    pub plan: PlanId,
    /// Its serial number in the lot, from 1.
    pub serial: u32,
    /// Its effective state: an active pass counts as suspended when it, its lot or its plan is (L-6).
    pub state: State,
    /// Whether the pass by itself is suspended.
    pub suspended: bool,
    /// Its value, of each use where each credits the full value; nothing while not set.
    pub value: Option<Money>,
    /// All that it can still give.
    pub left: Money,
    /// The granted part of what is left.
    pub granted_left: Money,
    /// How many uses it has in all.
    pub uses: i64,
    /// How many of them are used.
    pub used: i64,
    /// The moment, in UTC, from which it can't be redeemed any more; nothing is never.
    pub redeem_by: Option<Instant>,
    /// Whether that moment has come.
    pub expired: bool,
    /// When it was activated.
    pub activated: Option<Instant>,
    /// The contact it was made or issued for: the recipient.
    pub holder: Option<ContactId>,
    /// The sale that it belongs to; see [`Passes::sale`].
    pub sale: Option<SaleId>,
    /// The channel through which it is delivered, if it is electronic.
    pub channel: Option<String>,
    /// Its custom fields: those of the plan, and over them those set on the pass itself.
    pub fields: Values,
    /// The pass that replaced it.
    pub successor: Option<PassId>,
    /// The pass that it replaces.
    pub replaces: Option<PassId>,
}

/// How far a pass is used.
/// See [`PassFilter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Used {
    /// Not at all.
    No,
    /// Some of it.
    Partly,
    /// All of it.
    Yes,
}

/// Which passes of a lot a list holds: those that meet all of these.
///
/// ```
/// use passes_core::pass::State;
/// use passes_core::service::{PassFilter, Used};
/// let filter = PassFilter { used: Some(Used::Partly), ..PassFilter::in_state(State::Active) };
/// assert_ne!(filter, PassFilter::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassFilter {
    /// In one of these effective states; in any if there is none.
    pub states: Vec<State>,
    /// Made or issued for this contact.
    pub holder: Option<ContactId>,
    /// Used so far.
    pub used: Option<Used>,
    /// With an expiry before this instant: those that expire at it, or never, are left out.
    pub expires_before: Option<Instant>,
    /// Delivered through this channel.
    pub channel: Option<String>,
    /// With these values of custom fields, the inherited ones counted.
    pub fields: Values,
}

impl PassFilter {
    /// In this effective state.
    /// See [`PassFilter`].
    #[must_use]
    pub fn in_state(state: State) -> Self {
        Self { states: vec![state], ..Self::default() }
    }

    /// Issued for this contact.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::service::PassFilter;
    /// passes.set_recipient(by, shop.card(4), shop.ann).wait()?;
    /// let hers = PassFilter::of(shop.ann);
    /// let page = passes.passes(by, shop.lot, hers, Default::default(), None, 10).wait()?;
    /// assert_eq!(page.rows[0].id, shop.card(4));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn of(holder: ContactId) -> Self {
        Self { holder: Some(holder), ..Self::default() }
    }

    fn validate(&self) -> Result<(), Refusal> {
        limits::list("states", self.states.len(), State::ALL.len())?;
        limits::list("fields", self.fields.len(), limits::FIELDS)?;
        self.channel.as_deref().map_or(Ok(()), |channel| limits::text("channel", channel, 1, limits::NAME))
    }

    /// Whether a pass meets it.
    fn takes(&self, pass: &PassRow, view: &PassView) -> bool {
        (self.states.is_empty() || self.states.contains(&view.state))
            && self.holder.is_none_or(|holder| view.holder == Some(holder))
            && self.used.is_none_or(|used| used == used_of(pass))
            && self.expires_before.is_none_or(|before| view.redeem_by.is_some_and(|end| end < before))
            && self.channel.as_ref().is_none_or(|channel| view.channel.as_ref() == Some(channel))
            && self.fields.iter().all(|(name, value)| view.fields.get(name) == Some(value))
    }

    /// Whether no later pass of a list by expiry can meet it.
    fn is_past(&self, order: PassOrder, pass: &PassRow) -> bool {
        let before = self.expires_before.filter(|_| order == PassOrder::Expiry);
        before.is_some_and(|before| pass.redeem_by.is_none_or(|end| end >= before))
    }
}

/// A pass that was cancelled gives nothing any more, but it was not used for that.
fn used_of(pass: &PassRow) -> Used {
    if pass.balance.used == 0 && pass.uses.used == 0 {
        Used::No
    } else if pass.balance.left() <= 0 && pass.balance.held == 0 && pass.standing != Standing::Cancelled {
        Used::Yes
    } else {
        Used::Partly
    }
}

/// Where a list of passes goes on: after this pass, in either order.
/// See [`Passes::passes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassCursor {
    /// The last pass that was looked at.
    pub pass: PassId,
    /// Its expiry when it was.
    pub expiry: Option<Instant>,
}

/// A lot, as an operator sees it.
/// See [`Passes::lot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotView {
    /// Its id.
    pub id: LotId,
    /// Its plan.
    pub plan: PlanId,
    /// The names of the plan, by language.
    pub names: Translated,
    /// How many passes it has, or will have when it is complete: with the serial numbers from 1.
    pub count: u32,
    /// Printed, or one electronic pass.
    pub form: Form,
    /// When it was generated.
    pub issued: Instant,
    /// The run that generates it; none for an electronic pass.
    pub run: Option<RunId>,
    /// Whether all its passes are there.
    pub complete: bool,
    /// How often its codes were exported.
    pub exports: u32,
    /// Whether its export is closed.
    pub closed: bool,
    /// Whether its codes can still be brought back.
    pub recoverable: bool,
    /// Whether all its passes are suspended by the lot's own record.
    pub suspended: bool,
    /// Whether they are suspended by the plan's.
    pub plan_suspended: bool,
    /// Whether all its passes were cancelled together.
    pub cancelled: bool,
    /// The pass that its only pass replaces.
    pub replaces: Option<PassId>,
}

impl LotView {
    fn of(lot: &Lot, plan: &Plan) -> Self {
        Self {
            id: lot.id,
            plan: lot.plan,
            names: plan.spec.name.clone(),
            count: lot.count,
            form: lot.form,
            issued: lot.issued,
            run: lot.run,
            complete: lot.complete,
            exports: lot.exports,
            closed: lot.closed,
            recoverable: lot.seed.is_some(),
            suspended: lot.suspended,
            plan_suspended: plan.suspended,
            cancelled: lot.cancelled,
            replaces: lot.replaces,
        }
    }
}

impl Passes {
    /// A pass.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::pass::State;
    /// let card = passes.pass(by, shop.card(7)).wait()?;
    /// assert_eq!((card.lot, card.serial, card.state), (shop.lot, 7, State::Draft));
    /// assert_eq!(card.left.to_string(), "25.00 GBP");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn pass<'a>(&'a self, by: &'a By, pass: PassId) -> Call<'a, PassView> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            self.read_pass(by, pass).await
        })
    }

    /// The pass with this serial number in a lot. Serial numbers are not secret, so this is an operator's
    /// look-up, and proves nothing of who asks (T-7).
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// assert_eq!(passes.pass_by_serial(by, shop.lot, 7).wait()?.id, shop.card(7));
    /// assert_eq!(passes.pass_by_serial(by, shop.lot, 11).wait().unwrap_err().code(), "NOT_FOUND");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn pass_by_serial<'a>(&'a self, by: &'a By, lot: LotId, serial: u32) -> Call<'a, PassView> {
        self.pass(by, lot.pass(serial))
    }

    /// The pass that a code leads to, whatever its state: its balance and, by [`Passes::pass_statement`], its
    /// statement (R-13).
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view, and for a hash without the right to present one; `MALFORMED`,
    /// `TYPING_ERROR`, `UNKNOWN_CODE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let typed = shop.codes[2].reveal().to_lowercase().replace('-', " ");
    /// assert_eq!(passes.pass_by_code(by, &typed.as_str().into()).wait()?.serial, 3);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn pass_by_code<'a>(&'a self, by: &'a By, presented: &'a Presented) -> Call<'a, PassView> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let code = self.early(by, self.code(by, presented)?.or_told(false))?;
            let mut load = Load::new(by.business);
            load.code = code.digest();
            let found = self.look(by, load, |view| Ok(code.pass(view).map(|pass| pass.id))).await?;
            self.read_pass(by, self.early(by, found)?).await
        })
    }

    /// The passes of a lot that meet a filter, by serial number or by expiry, at most `limit` (up to 10,000)
    /// after a cursor.
    ///
    /// A page looks at no more than 10,000 passes: where few meet the filter it holds fewer than `limit`, even
    /// none, and yet a cursor to go on with. Only a page without a cursor is the last.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`; `INVALID` for a cursor of another lot; `TOO_LARGE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::{pass::State, service::PassFilter, store::PassOrder};
    /// let drafts = PassFilter::in_state(State::Draft);
    /// let page = passes.passes(by, shop.lot, drafts.clone(), PassOrder::Serial, None, 7).wait()?;
    /// let rest = passes.passes(by, shop.lot, drafts, PassOrder::Serial, page.next, 7).wait()?;
    /// assert_eq!((page.rows.len(), rest.rows.len(), rest.next), (7, 3, None));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn passes<'a>(
        &'a self,
        by: &'a By,
        lot: LotId,
        filter: PassFilter,
        order: PassOrder,
        after: Option<PassCursor>,
        limit: u32,
    ) -> Call<'a, Listed<PassView, PassCursor>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            filter.validate()?;
            if after.is_some_and(|cursor| cursor.pass.lot() != lot) {
                return Err(Refusal::invalid("after", "the cursor is of another lot").into());
            }
            let limit = limit.clamp(1, limits::PAGE);
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            let chain = self.chain(by, lot).await?;
            let now = self.inner.clock.now();
            let batch = if filter == PassFilter::default() { limit } else { BATCH };
            let mut listed = Listed { rows: Vec::new(), next: after };
            for _ in 0..SCAN.div_ceil(batch) {
                let rows = self.pass_rows(by, lot, order, listed.next, batch).await?;
                let full = u32::try_from(rows.len()).is_ok_and(|n| n >= batch);
                let channels = self.channels(by, &chain, &rows).await?;
                for row in rows {
                    if filter.is_past(order, &row) {
                        return Ok(Listed { next: None, ..listed });
                    }
                    listed.next = Some(PassCursor { pass: row.id, expiry: row.redeem_by });
                    let view = PassView::of(&row, &chain, channels.get(&row.id).cloned(), now)?;
                    if filter.takes(&row, &view) {
                        listed.rows.push(view);
                    }
                    if listed.rows.len() >= most {
                        return Ok(listed);
                    }
                }
                if !full {
                    return Ok(Listed { next: None, ..listed });
                }
            }
            Ok(listed)
        })
    }

    /// How many passes of a lot are in each effective state; states without passes are left out. It reads the
    /// whole lot, 10,000 passes at a time: what changes meanwhile is counted as it is found.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::pass::State;
    /// shop.sold(1)?;
    /// let counts = passes.count_states(by, shop.lot).wait()?;
    /// assert_eq!(counts, [(State::Draft, 9), (State::Active, 1)].into());
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn count_states<'a>(&'a self, by: &'a By, lot: LotId) -> Call<'a, BTreeMap<State, u64>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let chain = self.chain(by, lot).await?;
            let mut counts: BTreeMap<State, u64> = BTreeMap::new();
            let mut after = None;
            loop {
                let rows = self.pass_rows(by, lot, PassOrder::Serial, after, limits::PAGE).await?;
                for row in &rows {
                    *counts.entry(state_of(row, &chain)).or_default() += 1;
                }
                after = rows.last().map(|row| PassCursor { pass: row.id, expiry: row.redeem_by });
                if u32::try_from(rows.len()).is_ok_and(|n| n < limits::PAGE) {
                    return Ok(counts);
                }
            }
        })
    }

    /// A lot.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let lot = passes.lot(by, shop.lot).wait()?;
    /// assert_eq!((lot.plan, lot.count, lot.exports), (shop.plan, 10, 1));
    /// assert!(lot.complete && !lot.suspended);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn lot<'a>(&'a self, by: &'a By, lot: LotId) -> Call<'a, LotView> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let chain = self.chain(by, lot).await?;
            Ok(LotView::of(&chain.lot, &chain.plan))
        })
    }

    /// The lots of a plan, or of the whole business without one, in the order of their creation, at most
    /// `limit` (up to 10,000) after a cursor. An electronic pass is a lot of its own.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let of_one_plan = passes.lots(by, shop.plan, None, 100).wait()?;
    /// let of_all = passes.lots(by, None, None, 100).wait()?;
    /// assert_eq!((of_one_plan.rows[0].id, of_all.rows.len()), (shop.lot, 1));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn lots<'a>(
        &'a self,
        by: &'a By,
        plan: impl Into<Option<PlanId>>,
        after: Option<LotId>,
        limit: u32,
    ) -> Call<'a, Listed<LotView, LotId>> {
        let plan = plan.into();
        Call::new(async move {
            self.permit(by, Right::View)?;
            let parent = match plan {
                None => None,
                Some(id) => match self.plan(by, id).await?.terms {
                    Some(terms) => Some(DocKey::new(DocKind::Terms, terms)),
                    None => return Ok(Listed { rows: Vec::new(), next: None }),
                },
            };
            let (business, limit) = (by.business, limit.clamp(1, limits::PAGE));
            let after = after.map(Id::to_bytes);
            let query = PageQuery::Docs { business, kind: DocKind::Lot, parent, after, limit };
            let docs = self.inner.store.page(&query).await?.docs;
            let lots =
                docs.iter().map(|doc| stored::read::<Lot>(&doc.body)).collect::<Result<Vec<_>, _>>()?;
            let plans: BTreeSet<PlanId> = lots.iter().map(|lot| lot.plan).collect();
            let mut load = Load::new(business);
            load.docs.extend(plans.into_iter().map(|plan| DocKey::new(DocKind::Plan, plan)));
            let rows = self.look(by, load, |view| {
                lots.iter().map(|lot| Ok(LotView::of(lot, &view.docs.plan(lot.plan)?.0))).collect()
            });
            let full = u32::try_from(lots.len()).is_ok_and(|n| n >= limit);
            Ok(Listed { rows: rows.await?, next: lots.last().filter(|_| full).map(|lot| lot.id) })
        })
    }

    /// A sale: its terms, when, where and by whom.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// use passes_core::service::Deal;
    /// let deal = Deal::at(gbp("25")?).payment("receipt-1");
    /// passes.sell(&by.clone().place("Oxford Street"), shop.card(1), deal).wait()?;
    /// let sale = passes.pass(by, shop.card(1)).wait()?.sale.unwrap();
    /// assert_eq!(passes.sale(by, sale).wait()?.place.as_deref(), Some("Oxford Street"));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn sale<'a>(&'a self, by: &'a By, sale: SaleId) -> Call<'a, Sale> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let mut load = Load::new(by.business);
            load.docs.push(DocKey::new(DocKind::Sale, sale));
            self.look(by, load, |view| Ok((*view.docs.need::<Sale, _>(DocKind::Sale, sale)?.0).clone())).await
        })
    }

    /// A pass with its lot, terms, plan and delivery, in one snapshot.
    async fn read_pass(&self, by: &By, pass: PassId) -> Result<PassView, Error> {
        let mut load = Load::new(by.business);
        load.passes.push(pass);
        load.docs.push(delivery_key(pass));
        self.look(by, load, |view| PassView::loaded(view, pass)).await
    }

    async fn pass_rows(
        &self,
        by: &By,
        lot: LotId,
        order: PassOrder,
        after: Option<PassCursor>,
        limit: u32,
    ) -> Result<Vec<PassRow>, StoreError> {
        let range = PassRange { first: lot.pass(1), last: lot.pass(u32::MAX), limit };
        let after = after.map(|cursor| (cursor.expiry, cursor.pass));
        let query = PageQuery::Passes { business: by.business, range, order, after };
        Ok(self.inner.store.page(&query).await?.passes)
    }

    /// The channels of passes, where they are electronic.
    async fn channels(
        &self,
        by: &By,
        chain: &Chain,
        rows: &[PassRow],
    ) -> Result<BTreeMap<PassId, String>, Error> {
        if chain.lot.form == Form::Printed {
            return Ok(BTreeMap::new());
        }
        let mut load = Load::new(by.business);
        load.docs.extend(rows.iter().map(|row| delivery_key(row.id)));
        let loaded = self.inner.store.load(&load).await?;
        let deliveries = loaded.all_docs().map(|doc| stored::read::<Delivery>(&doc.body));
        deliveries.map(|delivery| delivery.map(|d| (d.pass, d.channel)).map_err(Error::from)).collect()
    }
}

impl PassView {
    /// A pass that was loaded with its delivery.
    fn loaded(view: &View<'_>, id: PassId) -> Result<Self, Error> {
        let missing = || Refusal::NotFound { what: PassId::WHAT, id: id.to_string() };
        let row = view.loaded.pass(id).ok_or_else(missing)?;
        let delivery = view.loaded.doc(&delivery_key(id));
        let delivery = delivery.map(|doc| stored::read::<Delivery>(&doc.body)).transpose()?;
        Self::of(row, &*view.docs.chain_of(id)?, delivery.map(|d| d.channel), view.env.now)
    }

    fn of(row: &PassRow, chain: &Chain, channel: Option<String>, now: Instant) -> Result<Self, Error> {
        let money = |minor: i64| Money::of(minor, chain.terms.currency);
        let mut fields = chain.terms.fields.clone();
        fields.extend(own_fields(row)?);
        Ok(Self {
            id: row.id,
            lot: chain.lot.id,
            plan: chain.plan.id,
            serial: row.id.serial(),
            state: state_of(row, chain),
            suspended: row.flags & flag::SUSPENDED != 0,
            value: row.value.map(money),
            left: money(row.balance.left()),
            granted_left: money(row.granted.left()),
            uses: row.uses.limit,
            used: row.uses.used,
            redeem_by: row.redeem_by,
            expired: row.redeem_by.is_some_and(|end| now >= end),
            activated: row.activated,
            holder: row.holder,
            sale: row.sale,
            channel,
            fields,
            successor: row.successor,
            replaces: chain.lot.replaces,
        })
    }
}

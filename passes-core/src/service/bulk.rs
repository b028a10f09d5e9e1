//! Commands on one pass, a list, a range of serial numbers, a lot or a plan (L-9). One pass and lists are
//! changed at once; a range, a lot and a plan by a run.

use super::contacts::{contact_key, wallet};
use super::docs::put;
use super::engine::{Draft, Order, View, again};
use super::gather::change_all;
use super::making::{codes_in, lot_key, passes_of, value_of};
use super::runs::{Run, run_key};
use super::{Call, Done, Error, Passes, Receipt, stored};
use crate::event::{Event, Whole};
use crate::id::{Id, Ids, LotId, PassId, PlanId, RunId, SaleId};
use crate::limits;
use crate::lot::Lot;
use crate::operation::{By, Kind, Right};
use crate::pass::State;
use crate::passcode::LotSeed;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::run::{Bulk, Progress, RunState, Work};
use crate::store::{Change, DocKey, DocKind, Expect, Load, PageQuery, PassOrder, PassRange, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use super::lifecycle::Command;

/// Passes in one step of a bulk run.
const STEP: u32 = 1_000;
/// How many tries of a code a reissue prepares.
pub(crate) const CODES: u32 = 4;

/// The passes that a command is about.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::service::Over;
/// let some = Over::Serials { lot: shop.lot, first: 1, last: 4 };
/// let run = passes.activate(by, some).wait()?.run.unwrap();
/// assert_eq!(passes.finish_run(by, run).wait()?.done, 4);
/// assert_eq!(Over::from(shop.lot), Over::Lot(shop.lot));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Over {
    /// One pass: a refusal is the answer.
    Pass(PassId),
    /// A list of at most 10,000 passes: those that refuse are skipped and counted. One that isn't there is `NOT_FOUND`,
    /// and nothing is done.
    Passes(Vec<PassId>),
    /// A range of serial numbers of a lot, both ends included: a run.
    Serials {
        /// The lot.
        lot: LotId,
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
    /// All passes of a lot: a run. A lot is suspended and reactivated by one record, at once.
    Lot(LotId),
    /// All passes of a plan: a run. A plan is suspended and reactivated by one record, at once.
    Plan(PlanId),
}

impl From<PassId> for Over {
    fn from(pass: PassId) -> Self {
        Self::Pass(pass)
    }
}

impl From<LotId> for Over {
    fn from(lot: LotId) -> Self {
        Self::Lot(lot)
    }
}

impl From<PlanId> for Over {
    fn from(plan: PlanId) -> Self {
        Self::Plan(plan)
    }
}

impl From<Vec<PassId>> for Over {
    fn from(passes: Vec<PassId>) -> Self {
        Self::Passes(passes)
    }
}

/// What a command on passes did.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// # use passes_core::pass::State;
/// let both = vec![shop.card(1), shop.card(2)];
/// passes.activate(by, shop.card(1)).wait()?;
/// let changed = passes.activate(by, both).wait()?;
/// assert_eq!((changed.changed, changed.skipped[&State::Active]), (1, 1));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// How many passes changed. Of a run: none yet.
    pub changed: u32,
    /// How many were skipped, by the state they were in.
    pub skipped: BTreeMap<State, u32>,
    /// The run that does it, to be stepped to its end.
    pub run: Option<RunId>,
    /// The sale, if they were sold.
    pub sale: Option<SaleId>,
    /// The passes that replace cancelled ones: the old, and the new.
    pub replaced: Vec<(PassId, PassId)>,
}

impl Done for Changed {}

/// What is known of the passes before the command is run: it names what the decision reads.
#[derive(Clone)]
pub(crate) struct Ahead {
    pub(crate) passes: Vec<PassId>,
    /// For each pass that may be replaced: the place of its first digest among those loaded.
    pub(crate) seeds: BTreeMap<PassId, usize>,
    /// The sale that a run makes, the same in all its steps.
    pub(crate) sale: Option<SaleId>,
    /// The run of which this is a step.
    pub(crate) run: Option<RunId>,
}

impl Passes {
    pub(crate) fn bulk<'a>(&'a self, by: &'a By, over: Over, command: Command) -> Call<'a, Receipt<Changed>> {
        Call::new(async move {
            let kind = command.kind();
            let text =
                serde_json::to_string(&command).map_err(|e| Refusal::invalid("command", e.to_string()))?;
            let mut order = self.order(by, command.right(), kind, &(text, &over))?;
            if let Command::Sell(deal) = &command {
                self.early(by, by.may_move(Right::Sell, deal.price))?;
                self.early(by, deal.validate())?;
                order.load.docs.extend(deal.buyer.map(contact_key));
            }
            // A value that is named is an amount, too, whatever is paid for it.
            let named = match &command {
                Command::Sell(deal) => deal.value,
                Command::SetValue(value) => Some(*value),
                _ => None,
            };
            if let Some(value) = named {
                self.early(by, by.may_move(command.right(), value))?;
            }
            match over {
                Over::Pass(pass) => self.change_listed(by, &order, &command, vec![pass], true).await,
                Over::Passes(mut passes) => {
                    self.early(by, limits::list("passes", passes.len(), limits::LIST))?;
                    passes.sort_unstable();
                    passes.dedup();
                    self.change_listed(by, &order, &command, passes, false).await
                }
                Over::Lot(lot) if matches!(command, Command::Suspend | Command::Reactivate) => {
                    order.load.docs.push(lot_key(lot));
                    self.run(order, move |view| mark_lot(view, lot, command == Command::Suspend)).await
                }
                Over::Plan(plan) if matches!(command, Command::Suspend | Command::Reactivate) => {
                    order.load.docs.push(DocKey::new(DocKind::Plan, plan));
                    self.run(order, move |view| mark_plan(view, plan, command == Command::Suspend)).await
                }
                over => {
                    let (lot, first, last) = match over {
                        Over::Serials { lot, first, last } => (Some(lot), first, last),
                        Over::Lot(lot) => (Some(lot), 1, u32::MAX),
                        _ => (None, 1, u32::MAX),
                    };
                    if first > last || first == 0 {
                        let why = "the range is turned round, or begins at 0";
                        return Err(self.counted(by, Refusal::invalid("serials", why)));
                    }
                    order.load.docs.extend(lot.map(lot_key));
                    if let Over::Plan(plan) = over {
                        order.load.docs.push(DocKey::new(DocKind::Plan, plan));
                        order.load.tallies.extend(passes_of(plan).slots(self.slots()));
                    }
                    self.run(order, move |view| start(view, &command, &over, first, last)).await
                }
            }
        })
    }

    /// Changes passes that are named one by one; `strict` refuses where otherwise a pass is skipped.
    async fn change_listed(
        &self,
        by: &By,
        order: &Order<'_>,
        command: &Command,
        passes: Vec<PassId>,
        strict: bool,
    ) -> Result<Receipt<Changed>, Error> {
        // A conflict: a pass was sold after it was looked at, and its sale is not loaded.
        again(|| async {
            let mut order = order.clone();
            let seed = order.env.seed;
            let ahead = self.ahead(by, &mut order.load, command, passes.clone(), &seed).await?;
            let command = command.clone();
            self.run(order, move |view| change_all(view, &command, &ahead, strict)).await
        })
        .await
    }

    /// Looks at the passes, to name what the decision will read: lots, terms, sales, deliveries, tallies, and
    /// the codes that replacements would have.
    async fn ahead(
        &self,
        by: &By,
        load: &mut Load,
        command: &Command,
        passes: Vec<PassId>,
        seed: &[u8; 32],
    ) -> Result<Ahead, Error> {
        let mut first = Load::new(by.business);
        first.passes.clone_from(&passes);
        let mut ahead = Ahead { passes, seeds: BTreeMap::new(), sale: None, run: None };
        let (mut shared, mut lot) = (BTreeSet::new(), None);
        let digest_key = self.inner.keys.digest()?;
        self.look(by, first, |view| {
            for pass in &view.loaded.passes {
                let chain = view.docs.chain_of(pass.id)?;
                if lot.replace(chain.lot.id) != Some(chain.lot.id) {
                    shared.insert(value_of(chain.plan.id));
                    if matches!(command, Command::Cancel(_)) {
                        shared.insert(codes_in(&chain.lot.format.folded()?));
                    }
                }
                load.docs.extend(pass.sale.map(|sale| DocKey::new(DocKind::Sale, sale)));
                if *command == Command::Cancel(super::lifecycle::Rest::Reissue) {
                    let maker = chain.lot.format.maker()?;
                    let new = successor_seed(seed, pass.id);
                    ahead.seeds.insert(pass.id, load.taken.len());
                    load.taken.extend((0..CODES).map(|try_no| {
                        let body = new.code(&maker, 1, try_no);
                        maker.hash(&body, by.business.as_bytes()).digest(digest_key)
                    }));
                }
            }
            Ok(())
        })
        .await?;
        load.passes.clone_from(&ahead.passes);
        load.tallies.extend(shared.iter().flat_map(|shared| shared.slots(self.slots())));
        if command.needs_delivery() {
            load.docs.extend(ahead.passes.iter().map(|pass| delivery_key(*pass)));
        }
        load.docs.extend(command.contact().map(contact_key));
        load.docs.sort_unstable();
        load.docs.dedup();
        Ok(ahead)
    }

    /// One step of a bulk run.
    pub(crate) async fn bulk_step(
        &self,
        by: &By,
        run: &Run,
        version: u32,
        bulk: &Bulk<Command>,
    ) -> Result<Progress, Error> {
        let (passes, over) = self.next_passes(by, run.id, bulk).await?;
        // The step is its own command: the key started the run.
        let by = &By { key: None, ..by.clone() };
        let mut order = self.order(by, bulk.command.right(), bulk.command.kind(), &())?;
        order.load.docs.push(run_key(run.id));
        let command = bulk.command.clone();
        let mut ahead = self.ahead(by, &mut order.load, &command, passes, &order.env.seed).await?;
        let sale = SaleId::from_bytes(run.id.to_bytes());
        (ahead.sale, ahead.run) = (Some(sale), Some(run.id));
        order.load.docs.push(DocKey::new(DocKind::Sale, sale));
        if let crate::run::Over::Serials(first, _) = bulk.over {
            order.load.docs.push(lot_key(first.lot()));
        }
        let (id, bulk, before) = (run.id, bulk.clone(), run.clone());
        let receipt: Receipt<Step> = self
            .run(order, move |view| {
                let (_, now) = view.docs.need::<Run, _>(DocKind::Run, id)?;
                if now != version {
                    return Err(StoreError::Conflict.into());
                }
                let Draft { mut change, done, events, stops, kind } =
                    change_all(view, &command, &ahead, false)?;
                let mut bulk = bulk.clone();
                bulk.after = ahead.passes.last().copied().or(bulk.after);
                done.skipped.iter().for_each(|(state, n)| *bulk.skipped.entry(*state).or_default() += n);
                let state = if over { RunState::Done } else { RunState::Running };
                let done = before.done.saturating_add(done.changed);
                if over {
                    lot_is_cancelled(view, &command, &bulk, &mut change)?;
                }
                let next = Run { state, done, work: Work::Bulk(Box::new(bulk)), ..before.clone() };
                change.put.push(put(run_key(id), parent_of(&next), &next, Expect::Version(version))?);
                let text =
                    serde_json::to_string(&next).map_err(|e| Refusal::invalid("run", e.to_string()))?;
                Ok(Draft { change, done: Step(text), events, stops, kind })
            })
            .await?;
        let next: Run =
            serde_json::from_str(&receipt.done.0).map_err(|e| StoreError::Corrupt(format!("a run: {e}")))?;
        Ok(next.progress())
    }

    /// The next passes of a run, and whether they are the last.
    async fn next_passes(
        &self,
        by: &By,
        run: RunId,
        bulk: &Bulk<Command>,
    ) -> Result<(Vec<PassId>, bool), Error> {
        let business = by.business;
        match bulk.over {
            crate::run::Over::Serials(first, last) => {
                let range = PassRange { first, last, limit: STEP };
                let after = bulk.after.map(|pass| (None, pass));
                let query = PageQuery::Passes { business, range, order: PassOrder::Serial, after };
                let rows = self.inner.store.page(&query).await?.passes;
                let over = rows.len() < usize::try_from(STEP).unwrap_or(usize::MAX);
                Ok((rows.iter().map(|row| row.id).collect(), over))
            }
            crate::run::Over::Plan(plan) => {
                let mut load = Load::new(business);
                load.docs.push(DocKey::new(DocKind::Plan, plan));
                let terms = self.look(by, load, |view| Ok(view.docs.plan(plan)?.0.terms)).await?;
                // A plan without terms has made nothing; asked for without a parent, the lots of all plans come.
                let Some(terms) = terms else { return Ok((Vec::new(), true)) };
                let parent = Some(DocKey::new(DocKind::Terms, terms));
                // The lot that the last step ended in may have more passes.
                let mut passes = Vec::new();
                let mut lot = bulk.after.map(PassId::lot);
                if let (Some(after), Some(lot)) = (bulk.after, lot) {
                    let range = PassRange { first: lot.pass(1), last: lot.pass(u32::MAX), limit: STEP };
                    let after = Some((None, after));
                    let query = PageQuery::Passes { business, range, order: PassOrder::Serial, after };
                    passes.extend(self.inner.store.page(&query).await?.passes.iter().map(|row| row.id));
                }
                let most = usize::try_from(STEP).unwrap_or(usize::MAX);
                while passes.len() < most {
                    let after = lot.map(Id::to_bytes);
                    let query = PageQuery::Docs { business, kind: DocKind::Lot, parent, after, limit: STEP };
                    let docs = self.inner.store.page(&query).await?.docs;
                    for doc in &docs {
                        if passes.len() >= most {
                            return Ok((passes, false));
                        }
                        let found: Lot = stored::read(&doc.body)?;
                        lot = Some(found.id);
                        if found.run == Some(run) {
                            // A replacement that this very run made.
                            continue;
                        }
                        let room = u32::try_from(most - passes.len()).unwrap_or(STEP);
                        let last = found.count.min(room);
                        passes.extend((1..=last).map(|serial| found.id.pass(serial)));
                        if last < found.count {
                            return Ok((passes, false));
                        }
                    }
                    if docs.len() < most {
                        return Ok((passes, true));
                    }
                }
                Ok((passes, false))
            }
        }
    }
}

/// What a step of a run keeps: the run after it.
#[derive(Serialize, Deserialize)]
struct Step(String);

impl Done for Step {}

/// The document that a run's hangs on.
pub(crate) fn parent_of(run: &Run) -> Option<DocKey> {
    match &run.work {
        Work::Generate(at) => Some(lot_key(at.lot)),
        Work::Bulk(bulk) => match bulk.over {
            crate::run::Over::Serials(first, _) => Some(lot_key(first.lot())),
            crate::run::Over::Plan(plan) => Some(DocKey::new(DocKind::Plan, plan)),
        },
    }
}

pub(crate) fn delivery_key(pass: PassId) -> DocKey {
    DocKey { kind: DocKind::Delivery, id: pass.to_bytes() }
}

/// The seed of the lot that a replacement makes.
pub(crate) fn successor_seed(seed: &[u8; 32], pass: PassId) -> LotSeed {
    let mut hasher = blake3::Hasher::new_derive_key("passes 2026 successor seed");
    LotSeed::from_bytes(*hasher.update(seed).update(pass.as_bytes()).finalize().as_bytes())
}

/// Starts a run.
fn start(
    view: &View<'_>,
    command: &Command,
    over: &Over,
    first: u32,
    last: u32,
) -> Result<Draft<Changed>, Error> {
    if let Command::Sell(deal) = command {
        deal.buyer.map_or(Ok(()), |buyer| wallet(view, buyer).map(drop))?;
    }
    let mut ids = Ids::new(&view.env.seed, view.env.now);
    let id: RunId = ids.draw();
    let (over, total) = match over {
        Over::Plan(plan) => {
            super::plans::existing(view, *plan)?;
            let made = view.made(passes_of(*plan));
            (crate::run::Over::Plan(*plan), u32::try_from(made).unwrap_or(u32::MAX))
        }
        Over::Lot(lot) | Over::Serials { lot, .. } => {
            let (lot, _) = view.docs.need::<Lot, _>(DocKind::Lot, *lot)?;
            if !lot.complete {
                let (state, command) = ("being generated".to_owned(), "be changed".to_owned());
                return Err(Refusal::WrongState { what: "lot", state, command }.into());
            }
            let last = last.min(lot.count);
            let total = (last + 1).saturating_sub(first);
            (crate::run::Over::Serials(lot.id.pass(first), lot.id.pass(last)), total)
        }
        Over::Pass(_) | Over::Passes(_) => return Err(Refusal::invalid("over", "needs no run").into()),
    };
    if let Command::Sell(deal) = command {
        view.env.by.may_move(Right::Sell, deal.price.times(total)?)?;
    }
    let bulk = Bulk { command: command.clone(), over, after: None, skipped: BTreeMap::new() };
    let run = Run { id, state: RunState::Running, work: Work::Bulk(Box::new(bulk)), done: 0, total };
    let mut draft = Draft::new(view, Changed { run: Some(id), ..Changed::default() });
    draft.kind = Some(Kind::Bulk);
    draft.events.push(Event::RunStarted { run: id });
    draft.change.put.push(put(run_key(id), parent_of(&run), &run, Expect::Absent)?);
    Ok(draft)
}

/// Suspends or reactivates a lot by its one record.
fn mark_lot(view: &View<'_>, id: LotId, suspended: bool) -> Result<Draft<Changed>, Error> {
    let (lot, version) = view.docs.need::<Lot, _>(DocKind::Lot, id)?;
    refuse_same("lot", lot.suspended, suspended)?;
    let mut draft = Draft::new(view, Changed::default());
    let next = Lot { suspended, ..(*lot).clone() };
    let parent = DocKey::new(DocKind::Terms, lot.terms);
    draft.change.put.push(put(lot_key(id), Some(parent), &next, Expect::Version(version))?);
    draft.events.push(marked(Whole::Lot(id), suspended));
    Ok(draft)
}

/// Suspends or reactivates a plan by its one record.
fn mark_plan(view: &View<'_>, id: PlanId, suspended: bool) -> Result<Draft<Changed>, Error> {
    let (plan, version) = super::plans::existing(view, id)?;
    refuse_same("plan", plan.suspended, suspended)?;
    let mut draft = Draft::new(view, Changed::default());
    let next = Plan { suspended, ..plan };
    draft.change.put.push(put(DocKey::new(DocKind::Plan, id), None, &next, Expect::Version(version))?);
    draft.events.push(marked(Whole::Plan(id), suspended));
    Ok(draft)
}

fn refuse_same(what: &'static str, is: bool, wanted: bool) -> Result<(), Refusal> {
    if is != wanted {
        return Ok(());
    }
    let (state, command) =
        if is { ("suspended", "be suspended") } else { ("not suspended", "be reactivated") };
    Err(Refusal::WrongState { what, state: state.into(), command: command.into() })
}

fn marked(what: Whole, suspended: bool) -> Event {
    if suspended { Event::Suspended { what } } else { Event::Reactivated { what } }
}

/// A lot whose passes were all cancelled counts no longer in the odds of a guess (C-4).
fn lot_is_cancelled(
    view: &View<'_>,
    command: &Command,
    bulk: &Bulk<Command>,
    change: &mut Change,
) -> Result<(), Error> {
    let crate::run::Over::Serials(first, last) = bulk.over else { return Ok(()) };
    let Some((lot, version)) = view.docs.get::<Lot>(lot_key(first.lot()))? else { return Ok(()) };
    let cancelled = bulk.skipped.keys().all(|state| *state == State::Cancelled);
    let whole = first.serial() == 1 && last.serial() == lot.count && cancelled;
    if !whole || !matches!(command, Command::Cancel(_)) || lot.cancelled {
        return Ok(());
    }
    let next = Lot { cancelled: true, ..(*lot).clone() };
    let parent = DocKey::new(DocKind::Terms, lot.terms);
    change.expect.retain(|(key, _)| *key != lot_key(lot.id));
    change.seen.retain(|(key, _)| *key != lot_key(lot.id));
    change.put.push(put(lot_key(lot.id), Some(parent), &next, Expect::Version(version))?);
    let (codes, count) = (codes_in(&lot.format.folded()?), i64::from(lot.count));
    view.count(change, codes, -count, None);
    Ok(())
}

//! Generating printed lots: a run whose steps reserve codes and make passes (T-1, T-2).

use super::docs::{Chain, put};
use super::engine::{Draft, View, again};
use super::making::{self, Making, codes_in, lot_key, open_seed, passes_of, seal_seed, value_of};
use super::runs::{Run, made_of, run_key};
use super::{Call, Done, Error, Passes, Receipt, stored};
use crate::calendar::Zone;
use crate::event::{Event, Span};
use crate::id::{Ids, LotId, PlanId, RunId};
use crate::limits;
use crate::lot::Lot;
use crate::money::Money;
use crate::operation::{By, Kind, Right};
use crate::pass::{PassRow, Tally};
use crate::passcode::{Digest, LotSeed, Maker};
use crate::plan::Form;
use crate::refusal::Refusal;
use crate::run::{Generation, Progress, RunState, Work};
use crate::secret::Key;
use crate::store::{Change, Chunk, Claim, DocKey, DocKind, Expect, Load, Operation, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Serial numbers in a window: its codes are sorted in memory, some forty bytes each.
const WINDOW: u32 = 1 << 19;
/// Codes or passes in one step.
const STEP: u32 = 1 << 12;

/// How many tries of a code are looked up at once when the last one was taken.
const AHEAD: u32 = 16;
/// How often a step looks for free codes. Only a format that is full to the last few codes needs more than some.
const ROUNDS: u32 = 10_000;

/// What starting a lot answers.
/// See [`Passes::generate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotStarted {
    /// The lot.
    pub lot: LotId,
    /// The run that generates it.
    pub run: RunId,
    /// How many passes it will have.
    pub count: u32,
}

impl Done for LotStarted {}

/// A request for a printed lot.
/// See [`Passes::generate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Generate {
    /// The plan.
    pub plan: PlanId,
    /// How many passes; at most 100,000,000.
    pub count: u32,
    /// Whether a format is accepted that is easier to guess than the business allows: this needs the right,
    /// and a reason.
    pub accept_weak: bool,
}

impl Generate {
    fn validate(&self) -> Result<(), Refusal> {
        if self.count == 0 {
            return Err(Refusal::invalid("count", "must be above zero"));
        }
        if self.count > limits::LOT {
            let (size, largest) = (self.count.into(), limits::LOT.into());
            return Err(Refusal::TooLarge { field: "count".into(), size, largest });
        }
        Ok(())
    }
}

/// The codes of one window, in the order of the digests of their first tries: kept between the steps of a run,
/// and derived again from the lot's seed when they are not.
pub(crate) struct Window {
    run: RunId,
    first: u32,
    chain: Arc<Chain>,
    seed: LotSeed,
    maker: Maker,
    key: Key,
    settings: (Zone, bool),
    codes: Vec<(Digest, u32)>,
}

/// The window that was worked on last.
#[derive(Default)]
pub(crate) struct LastWindow(pub(crate) Mutex<Option<Arc<Window>>>);

impl Passes {
    /// Starts the generation of a printed lot: the answer names the run, whose steps make the passes.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a plan that is not active or not printed; `UNKNOWN_CURRENCY` for
    /// one whose currency is no longer enabled; `FORMAT_TOO_SHORT` with the length that would do; `PLAN_CAP`;
    /// `TOO_LARGE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::service::Generate;
    /// let request = Generate { plan: shop.plan, count: 500, accept_weak: false };
    /// let started = passes.generate(&by.clone().key("order-9"), request).wait()?;
    /// assert_eq!(passes.finish_run(by, started.run).wait()?.done, 500);
    /// assert!(passes.lot(by, started.lot).wait()?.complete);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn generate<'a>(&'a self, by: &'a By, request: Generate) -> Call<'a, Receipt<LotStarted>> {
        Call::new(async move {
            self.permit(by, Right::Issue)?;
            self.early(by, request.validate())?;
            // A conflict: somebody brought in a new format after the tallies of all were named.
            again(|| self.begin_lot(by, request)).await
        })
    }

    async fn begin_lot(&self, by: &By, request: Generate) -> Result<Receipt<LotStarted>, Error> {
        let mut order = self.order(by, Right::Issue, Kind::Generate, &request)?;
        let formats = self.formats(by).await?;
        making::name(&mut order.load, self.slots(), request.plan, &formats);
        self.run(order, move |view| {
            let mut ids = Ids::new(&view.env.seed, view.env.now);
            let (lot, run): (LotId, RunId) = (ids.draw_lot(), ids.draw());
            let mut draft = Draft::new(view, LotStarted { lot, run, count: request.count });
            let change = &mut draft.change;
            let (plan, _) = super::plans::existing(view, request.plan)?;
            let terms = &plan.spec.terms;
            let value = match terms.fixed_value() {
                Some(value) => Some(terms.usage.total(value)?.times(request.count)?),
                None => None,
            };
            let making = Making {
                plan: request.plan,
                form: Form::Printed,
                count: request.count,
                value,
                accept_weak: request.accept_weak,
                formats: &formats,
            };
            let (plan, terms) = making.begin(view, &mut ids, change)?;
            let seed = LotSeed::from_bytes(ids.bytes());
            let sealed = seal_seed(view, &mut ids, lot, &seed)?;
            let stored =
                Lot { run: Some(run), ..Lot::new(lot, &plan, terms, request.count, sealed, view.env.now) };
            change.put.push(put(
                lot_key(lot),
                Some(DocKey::new(DocKind::Terms, terms)),
                &stored,
                Expect::Absent,
            )?);
            let made_of = Some(made_of(&stored)?);
            let generation =
                Generation { lot, made_of, window: 1, reserved: false, at: 0, tries: Default::default() };
            let state = RunState::Running;
            let work =
                Run { id: run, state, work: Work::Generate(generation), done: 0, total: request.count };
            change.put.push(put(run_key(run), Some(lot_key(lot)), &work, Expect::Absent)?);
            draft.events.push(Event::LotStarted { lot, plan: plan.id, count: request.count });
            Ok(draft)
        })
        .await
    }

    /// One step of a generation.
    pub(crate) async fn generate_step(
        &self,
        by: &By,
        run: &Run,
        version: u32,
        at: &Generation,
    ) -> Result<Progress, Error> {
        let window = self.window(by, run, at).await?;
        let mut at = at.clone();
        let size = WINDOW.min(run.total - (at.window - 1));
        let from = at.at;
        let to = from.saturating_add(STEP).min(size);
        let mut tries = 0;
        loop {
            let mut next = run.clone();
            let mut cursor = Generation { at: to, ..at.clone() };
            let mut chunk = Chunk { change: Change::new(by.business), codes: Vec::new(), passes: Vec::new() };
            if at.reserved {
                chunk.passes = window.rows(&at, from..to)?;
                next.done = run.done.saturating_add(to - from);
                if to == size {
                    let window = at.window.saturating_add(size);
                    cursor =
                        Generation { window, reserved: false, at: 0, tries: Default::default(), ..cursor };
                }
                if next.done == run.total {
                    next.state = RunState::Done;
                }
                self.told(by, &mut chunk, &window, &next).await?;
            } else {
                chunk.codes = window.claims(by, &at, from..to);
                if to == size {
                    cursor = Generation { reserved: true, at: 0, ..cursor };
                }
            }
            next.work = Work::Generate(cursor);
            chunk.change.put.push(put(
                run_key(run.id),
                Some(lot_key(at.lot)),
                &next,
                Expect::Version(version),
            )?);
            match self.inner.store.fill(&chunk).await {
                Ok(_) => return Ok(next.progress()),
                // Another pass has one of the codes: its next try takes the place.
                Err(StoreError::Taken(places)) if tries < ROUNDS => {
                    tries += 1;
                    let taken = places.iter().filter_map(|place| chunk.codes.get(*place));
                    let serials: Vec<u32> = taken.map(|claim| claim.pass.serial()).collect();
                    self.next_tries(by, &window, &mut at, &serials).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Moves each of these passes on to the next try of its code that nobody has, or as far as was looked.
    async fn next_tries(
        &self,
        by: &By,
        window: &Window,
        at: &mut Generation,
        serials: &[u32],
    ) -> Result<(), Error> {
        for part in serials.chunks(256) {
            let mut load = Load::new(by.business);
            for serial in part {
                let tried = at.tries.get(serial).copied().unwrap_or(0);
                load.taken.extend((1..=AHEAD).map(|n| window.again(by, *serial, tried.saturating_add(n))));
            }
            let taken = self.inner.store.load(&load).await?.taken;
            let mut taken = taken.into_iter();
            for serial in part {
                let used = (1..=AHEAD).zip(taken.by_ref()).fold(None, |free, (n, taken)| match free {
                    None if !taken => Some(n),
                    free => free,
                });
                let tried = at.tries.entry(*serial).or_default();
                *tried = tried.saturating_add(used.unwrap_or(AHEAD));
            }
        }
        Ok(())
    }

    /// The window at which a generation stands.
    async fn window(&self, by: &By, run: &Run, at: &Generation) -> Result<Arc<Window>, Error> {
        let last = self.inner.window.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(window) = last.filter(|w| w.run == run.id && w.first == at.window) {
            return Ok(window);
        }
        let chain = self.chain(by, at.lot).await?;
        let load = Load::new(by.business);
        let settings = self
            .look(by, load, |view| Ok((view.business.settings.zone, view.business.settings.printing_house)))
            .await?;
        let sealed = chain.lot.seed.as_ref().ok_or(Refusal::CodeNotRecoverable)?;
        let seed = open_seed(&self.inner, by.business, at.lot, sealed)?;
        let maker = chain.lot.format.maker()?;
        let key = self.inner.keys.digest()?;
        let end = at.window.saturating_add(WINDOW).min(run.total.saturating_add(1));
        let digest = |body| maker.hash(&body, by.business.as_bytes()).digest(key);
        let mut codes: Vec<(Digest, u32)> =
            seed.codes(&maker, at.window..end).map(|(serial, body)| (digest(body), serial)).collect();
        codes.sort_unstable();
        let window = Arc::new(Window {
            run: run.id,
            first: at.window,
            chain,
            seed,
            maker,
            key: key.clone(),
            settings,
            codes,
        });
        *self.inner.window.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&window));
        Ok(window)
    }

    /// The operation of a step that made passes, and the lot's document after the last one.
    async fn told(&self, by: &By, chunk: &mut Chunk, window: &Window, next: &Run) -> Result<(), Error> {
        let mut events = Vec::new();
        if let (Some(first), Some(last)) = (chunk.passes.first(), chunk.passes.last()) {
            let count = u32::try_from(chunk.passes.len()).unwrap_or(u32::MAX);
            events.push(Event::LotGrew { passes: Span { first: first.id, last: last.id, count } });
        }
        if next.state == RunState::Done {
            // Looked at again: the window is older, and the lot may have been suspended since.
            let chain = self.chain(by, window.chain.lot.id).await?;
            let (lot, lot_version) = (&*chain.lot, chain.lot_version);
            let complete = Lot { complete: true, ..lot.clone() };
            let expect = Expect::Version(lot_version);
            let parent = DocKey::new(DocKind::Terms, lot.terms);
            chunk.change.put.push(put(lot_key(lot.id), Some(parent), &complete, expect)?);
            let print = window.settings.1;
            events.push(Event::LotReady { lot: lot.id, plan: lot.plan, count: lot.count, print });
        }
        let now = self.inner.clock.now();
        let seed = self.inner.entropy.seed().map_err(Error::Entropy)?;
        chunk.change.operation = Some(Operation {
            place: by.place.clone(),
            channel: by.channel.clone(),
            reason: by.reason.clone(),
            receipt: stored::pack(&(), Vec::new())?,
            events: stored::pack(&events, Vec::new())?,
            ..Operation::new(Ids::new(&seed, now).draw(), Kind::Step, Arc::clone(by.actor.id()), now)
        });
        Ok(())
    }

    /// Ends a generation where it stands: the passes made are whole, the lot has that many.
    pub(crate) fn end_generation(
        view: &View<'_>,
        chain: &Chain,
        run: &Run,
        change: &mut Change,
    ) -> Result<(), Error> {
        let lot = Lot { count: run.done, complete: true, ..(*chain.lot).clone() };
        let parent = DocKey::new(DocKind::Terms, lot.terms);
        change.put.push(put(lot_key(lot.id), Some(parent), &lot, Expect::Version(chain.lot_version))?);
        let unmade = i64::from(run.total - run.done);
        view.count(change, passes_of(lot.plan), -unmade, None);
        if let Work::Generate(at) = &run.work {
            // What was reserved stays so, for ever.
            let never = i64::from(run.total.saturating_sub(reserved_codes(run, at)));
            view.count(change, codes_in(&lot.format.folded()?), -never, None);
        }
        if let Some(value) = chain.terms.fixed_value() {
            let each = chain.terms.usage.total(value)?.minor();
            let value = each.checked_mul(unmade).ok_or(Refusal::Overflow)?;
            view.count(change, value_of(lot.plan), -value, None);
        }
        Ok(())
    }
}

/// How many codes a generation has reserved.
pub(crate) fn reserved_codes(run: &Run, at: &Generation) -> u32 {
    let before = at.window.saturating_sub(1);
    let size = WINDOW.min(run.total.saturating_sub(before));
    before.saturating_add(if at.reserved { size } else { at.at })
}

impl Window {
    /// The claims of a part of the window, sorted by digest.
    fn claims(&self, by: &By, at: &Generation, part: std::ops::Range<u32>) -> Vec<Claim> {
        let range = usize::try_from(part.start).unwrap_or(0)..usize::try_from(part.end).unwrap_or(0);
        let lot = self.chain.lot.id;
        let mut claims: Vec<Claim> = self
            .codes
            .get(range)
            .unwrap_or_default()
            .iter()
            .map(|(digest, serial)| {
                let digest = match at.tries.get(serial) {
                    None => *digest,
                    Some(try_no) => self.again(by, *serial, *try_no),
                };
                Claim { digest, pass: lot.pass(*serial) }
            })
            .collect();
        claims.sort_unstable_by_key(|claim| claim.digest);
        claims
    }

    /// The rows of passes in a part of the window.
    fn rows(&self, at: &Generation, part: std::ops::Range<u32>) -> Result<Vec<PassRow>, Error> {
        let (lot, terms) = (&self.chain.lot, &self.chain.terms);
        let redeem_by = terms.redeem_by.resolve(lot.issued, None, self.settings.0)?;
        let value = terms.fixed_value();
        let total = value.map(|v| terms.usage.total(v)).transpose()?.map_or(0, Money::minor);
        let row = |serial: u32| PassRow {
            redeem_by,
            value: value.map(Money::minor),
            uses: Tally::new(terms.usage.uses().into()),
            balance: Tally::new(total),
            code_try: at.tries.get(&serial).copied().unwrap_or(0),
            ..PassRow::draft(lot.id.pass(serial))
        };
        Ok(part.map(|n| row(at.window.saturating_add(n))).collect())
    }

    /// The digest of a later try.
    fn again(&self, by: &By, serial: u32, try_no: u32) -> Digest {
        let body = self.seed.code(&self.maker, serial, try_no);
        self.maker.hash(&body, by.business.as_bytes()).digest(&self.key)
    }
}

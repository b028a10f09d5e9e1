//! Stepping and cancelling runs.

use super::docs::{Chain, Docs, put};
use super::engine::{Draft, again};
use super::making::{codes_in, lot_key, passes_of, value_of};
use super::shared::Shared;
use super::{Call, Done, Error, Passes, Receipt, stored};
use crate::event::Event;
use crate::id::{Id, LotId, RunId};
use crate::lot::Lot;
use crate::operation::{By, Kind, Right};
use crate::refusal::Refusal;
use crate::run::{MadeOf, Progress, RunState, Work};
use crate::store::{DocKey, DocKind, Expect, Load};
use std::sync::Arc;

use super::bulk::parent_of;
pub(crate) use super::lifecycle::Command;

/// A run of this library's commands.
pub(crate) type Run = crate::run::Run<Command>;

impl Done for RunId {}

pub(crate) fn run_key(run: RunId) -> DocKey {
    DocKey { kind: DocKind::Run, id: run.to_bytes() }
}

impl Passes {
    /// How far a run is.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::service::Generate;
    /// let request = Generate { plan: shop.plan, count: 500, accept_weak: false };
    /// let run = passes.generate(by, request).wait()?.run;
    /// let progress = passes.progress(by, run).wait()?;
    /// assert_eq!((progress.done, progress.total, progress.is_over()), (0, 500, false));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn progress<'a>(&'a self, by: &'a By, run: RunId) -> Call<'a, Progress> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            Ok(self.read_run(by, run).await?.0.progress())
        })
    }

    /// Does the next part of a run: it commits some thousands of passes together with the run's cursor. A run
    /// that stopped, by a crash too, goes on with the next step. The actor needs the right of the command that
    /// started it.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; a failing store, after which the run can be stepped again.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::service::Generate;
    /// let request = Generate { plan: shop.plan, count: 5_000, accept_weak: false };
    /// let run = passes.generate(by, request).wait()?.run;
    /// let mut progress = passes.progress(by, run).wait()?;
    /// while !progress.is_over() {
    ///     progress = passes.step(by, run).wait()?;
    ///     println!("{} of {}", progress.done, progress.total);
    /// }
    /// assert_eq!(progress.done, 5_000);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn step<'a>(&'a self, by: &'a By, run: RunId) -> Call<'a, Progress> {
        Call::new(async move {
            // A conflict: somebody else stepped it, or changed a pass of it, at the same moment.
            again(|| async {
                let (found, version) = self.read_run(by, run).await?;
                self.permit(by, found.right())?;
                if found.state != RunState::Running {
                    return Ok(found.progress());
                }
                match &found.work {
                    Work::Generate(at) => self.generate_step(by, &found, version, at).await,
                    Work::Bulk(bulk) => self.bulk_step(by, &found, version, bulk).await,
                }
            })
            .await
        })
    }

    /// Steps a run to its end.
    ///
    /// # Errors
    /// As [`Passes::step`].
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::service::{Deal, Over};
    /// # let price = passes_host::testing::Shop::gbp("25")?;
    /// let all = passes.sell(by, Over::Lot(shop.lot), Deal::at(price)).wait()?;
    /// let progress = passes.finish_run(by, all.run.unwrap()).wait()?;
    /// assert_eq!((progress.done, progress.is_over()), (10, true));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn finish_run<'a>(&'a self, by: &'a By, run: RunId) -> Call<'a, Progress> {
        Call::new(async move {
            loop {
                let progress = self.step(by, run).await?;
                if progress.is_over() {
                    return Ok(progress);
                }
            }
        })
    }

    /// Cancels a run: what was done stays; a lot keeps the passes that were made.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for one that is over.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::service::Generate;
    /// let request = Generate { plan: shop.plan, count: 500, accept_weak: false };
    /// let started = passes.generate(by, request).wait()?;
    /// passes.cancel_run(by, started.run).wait()?;
    /// assert_eq!(passes.lot(by, started.lot).wait()?.count, 0);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn cancel_run<'a>(&'a self, by: &'a By, run: RunId) -> Call<'a, Receipt<RunId>> {
        Call::new(async move {
            let (before, _) = self.read_run(by, run).await?;
            let mut order = self.order(by, before.right(), Kind::CancelRun, &run)?;
            order.load.docs.push(run_key(run));
            if let Work::Generate(at) = &before.work {
                let MadeOf { terms, plan, codes } = match at.made_of {
                    Some(made_of) => made_of,
                    None => made_of(&self.chain(by, at.lot).await?.lot)?,
                };
                let (terms, of_plan) = (DocKey::new(DocKind::Terms, terms), DocKey::new(DocKind::Plan, plan));
                order.load.docs.extend([lot_key(at.lot), terms, of_plan]);
                let shared = [passes_of(plan), value_of(plan), Shared(codes)];
                order.load.tallies.extend(shared.iter().flat_map(|shared| shared.slots(self.slots())));
            }
            self.run(order, move |view| {
                let (found, version) = view.docs.need::<Run, _>(DocKind::Run, run)?;
                if found.state != RunState::Running {
                    let command = "be cancelled".to_owned();
                    return Err(Refusal::WrongState { what: "run", state: "over".into(), command }.into());
                }
                let mut draft = Draft::new(view, run);
                let next = Run { state: RunState::Cancelled, ..(*found).clone() };
                if let Work::Generate(at) = &found.work {
                    Self::end_generation(view, &*view.docs.chain(at.lot)?, &found, &mut draft.change)?;
                }
                draft.change.put.push(put(run_key(run), parent_of(&next), &next, Expect::Version(version))?);
                draft.events.push(Event::RunCancelled { run });
                Ok(draft)
            })
            .await
        })
    }

    pub(crate) async fn read_run(&self, by: &By, run: RunId) -> Result<(Run, u32), Error> {
        let mut load = Load::new(by.business);
        load.docs.push(run_key(run));
        let loaded = self.inner.store.load(&load).await?;
        let doc = loaded.doc(&run_key(run));
        let doc = doc.ok_or_else(|| Refusal::NotFound { what: RunId::WHAT, id: run.to_string() })?;
        Ok((stored::read(&doc.body)?, doc.version))
    }

    /// A lot with its terms and plan.
    pub(crate) async fn chain(&self, by: &By, lot: LotId) -> Result<Arc<Chain>, Error> {
        let mut load = Load::new(by.business);
        load.docs.push(lot_key(lot));
        let loaded = self.inner.store.load(&load).await?;
        let docs = Docs { business: by.business, loaded: &loaded, cache: &self.inner.cache };
        let (found, _) = docs.need::<Lot, _>(DocKind::Lot, lot)?;
        let (terms, plan) =
            (DocKey::new(DocKind::Terms, found.terms), DocKey::new(DocKind::Plan, found.plan));
        load.docs.extend([terms, plan]);
        let loaded = self.inner.store.load(&load).await?;
        Docs { business: by.business, loaded: &loaded, cache: &self.inner.cache }.chain(lot)
    }
}

/// What a lot is made of.
pub(crate) fn made_of(lot: &Lot) -> Result<MadeOf, Error> {
    Ok(MadeOf { terms: lot.terms, plan: lot.plan, codes: codes_in(&lot.format.folded()?).0 })
}

impl Run {
    /// The right of the command that started it.
    fn right(&self) -> Right {
        match &self.work {
            Work::Generate(_) => Right::Issue,
            Work::Bulk(bulk) => bulk.command.right(),
        }
    }
}

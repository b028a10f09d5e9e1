//! Both ways of calling: waiting without a runtime, and awaiting without blocking the executor (D-6).

use crate::{gift_card, keyring, owner, settings};
use passes_host::operation::By;
use passes_host::plan::PlanState;
use passes_host::store::memory::Memory;
use passes_host::store::{After, Change, Fut, Load, Loaded, Store, StoreError, delegate};
use passes_host::{HostError, Opener, Passes, open};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A store that takes its time for all that a command asks of it.
struct Slow {
    inner: Memory,
    time: Duration,
}

impl Store for Slow {
    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        Box::pin(async move {
            self.inner.pause(self.time).await?;
            self.inner.load(load).await
        })
    }
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(async move {
            self.inner.pause(self.time).await?;
            self.inner.commit(changes).await
        })
    }

    delegate!(inner; slots, pause, fill, page, events, audit);
}

/// Counts how often the executor came by.
#[derive(Clone, Default)]
pub(crate) struct Heart(Rc<Cell<u64>>);

impl Heart {
    pub(crate) fn beats(&self) -> u64 {
        self.0.get()
    }

    /// Beats each millisecond, for ever.
    async fn beat(self) {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.0.set(self.0.get() + 1);
        }
    }
}

/// Runs on an executor that has one thread, beside a beating heart.
pub(crate) fn beside_a_heart<T>(work: impl AsyncFnOnce(Heart) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let heart = Heart::default();
    let local = tokio::task::LocalSet::new();
    local.spawn_local(heart.clone().beat());
    local.block_on(&runtime, work(heart))
}

/// The use cases, awaited.
pub(crate) async fn work(passes: &Passes) -> Result<PlanState, HostError> {
    let by = By::new(passes.create_business(&owner(), settings()).await?, owner());
    let plan = passes.create_plan(&by, gift_card()).await?.done;
    passes.activate_plan(&by, plan).await?;
    Ok(passes.plan(&by, plan).await?.state)
}

/// The same, waited for.
pub(crate) fn work_and_wait(passes: &Passes) -> Result<PlanState, HostError> {
    let by = By::new(passes.create_business(&owner(), settings()).wait()?, owner());
    let plan = passes.create_plan(&by, gift_card()).wait()?.done;
    passes.activate_plan(&by, plan).wait()?;
    Ok(passes.plan(&by, plan).wait()?.state)
}

/// D-6: a script waits for every use case and meets no runtime; the answers are those an async host gets.
#[test]
fn a_script_waits() {
    let passes = open("memory:", keyring("m1", 1)).wait().unwrap();
    assert_eq!(work_and_wait(&passes), Ok(PlanState::Active));
    assert_eq!(beside_a_heart(async |_| work(&passes).await), Ok(PlanState::Active));
}

/// D-6: while a store takes its time, the executor goes on: no use case waits for a store on its thread.
#[test]
fn a_slow_store_does_not_block_an_executor() {
    let store = || Arc::new(Slow { inner: Memory::new(), time: Duration::from_millis(40) });
    beside_a_heart(async |heart| {
        let passes = Opener::new().open_on(store(), keyring("m1", 1)).await.unwrap();
        let (begin, before) = (Instant::now(), heart.beats());
        assert_eq!(work(&passes).await, Ok(PlanState::Active));
        // Six pauses at least; a machine under load may let the heart beat slowly, but not stop.
        assert!(begin.elapsed() >= Duration::from_millis(240));
        assert!(heart.beats() >= before + 24, "{} beats", heart.beats() - before);
    });
    let passes = Opener::new().open_on(store(), keyring("m1", 1)).wait().unwrap();
    assert_eq!(work_and_wait(&passes), Ok(PlanState::Active));
}

/// D-6: a call that is awaited runs on whatever runtime there is, from many tasks at once.
#[test]
fn many_tasks_share_one_library() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(Slow { inner: Memory::new(), time: Duration::from_millis(5) });
        let passes = Opener::new().open_on(store, keyring("m1", 1)).await.unwrap();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let passes = passes.clone();
                tokio::spawn(async move { work(&passes).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(PlanState::Active));
        }
    });
}

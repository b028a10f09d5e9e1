//! The runtime that nobody sees: it serves the connections and the timers, whoever polls the futures.

use passes_core::store::{Fut, StoreError, may_block};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;

/// How long a store that is closed waits for what was sent.
const GOODBYE: Duration = Duration::from_secs(5);

/// A keeper leaves the runtime alone for so long at least, once callers serve it themselves.
const AWAY: Duration = Duration::from_millis(5);

thread_local! {
    /// Whether what is polled here may serve the runtime on this thread while it waits.
    static SERVES: Cell<bool> = const { Cell::new(false) };
}

/// A runtime of a store's own. Any thread may poll what needs it, in any executor or none.
///
/// A thread of its own keeps it: it waits for the connections and hands their answers over. A caller who may be blocked
/// does that himself while he waits: handing over twice costs as much as the server takes for a small statement. The
/// keeper stands aside then, and comes back when nobody does, or when somebody can't.
#[derive(Debug)]
pub(crate) struct Own {
    handle: Handle,
    serving: Serving,
}

/// Leads to the runtime, for who may serve it.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    runtime: Arc<Ends>,
    turns: Arc<Turns>,
}

/// A runtime that may be dropped anywhere.
#[derive(Debug)]
struct Ends(Option<Runtime>);

impl Ends {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.0.as_ref().map(|runtime| runtime.block_on(future))
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Debug, Default)]
struct Turns {
    /// Callers who serve right now.
    serving: AtomicUsize,
    /// Counts them.
    came: AtomicU64,
    /// Futures that are under way and served by nobody who waits for them.
    others: AtomicUsize,
    /// Whether the keeper serves, and how it is asked to leave.
    kept: AtomicBool,
    leave: Notify,
    ended: AtomicBool,
    keeper: OnceLock<Thread>,
}

impl Turns {
    fn keep(&self, runtime: &Ends) {
        while !self.ended.load(Ordering::SeqCst) {
            self.kept.store(true, Ordering::SeqCst);
            let _ = runtime.block_on(self.leave.notified());
            self.kept.store(false, Ordering::SeqCst);
            loop {
                let came = self.came.load(Ordering::SeqCst);
                if self.others.load(Ordering::SeqCst) > 0 || self.ended.load(Ordering::SeqCst) {
                    break;
                }
                std::thread::park_timeout(AWAY);
                if self.serving.load(Ordering::SeqCst) == 0 && self.came.load(Ordering::SeqCst) == came {
                    break;
                }
            }
        }
    }

    fn call_back(&self) {
        if !self.kept.load(Ordering::SeqCst)
            && let Some(keeper) = self.keeper.get()
        {
            keeper.unpark();
        }
    }
}

/// Something that is served by the keeper.
struct Other(Arc<Turns>);

impl Other {
    fn new(turns: &Arc<Turns>) -> Self {
        turns.others.fetch_add(1, Ordering::SeqCst);
        turns.call_back();
        Self(Arc::clone(turns))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.0.others.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether what is polled here may serve the runtime on this thread, and so wait on it.
pub(crate) fn serves() -> bool {
    SERVES.get()
}

impl Serving {
    /// Has the keeper run something that nobody who waits for it polls.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let Some(runtime) = &self.runtime.0 else { return };
        let other = Other::new(&self.turns);
        let mut future = Box::pin(future);
        runtime.spawn(poll_fn(move |context| {
            let _other = &other;
            // Whoever serves the runtime polls it.
            let before = SERVES.replace(false);
            let done = future.as_mut().poll(context);
            SERVES.set(before);
            done
        }));
    }

    /// Waits for what comes from the server: on this thread, if it may serve the runtime.
    pub(crate) async fn serve<T>(&self, future: impl Future<Output = T> + Send) -> T {
        if !SERVES.get() {
            return future.await;
        }
        let turns = &*self.turns;
        turns.serving.fetch_add(1, Ordering::SeqCst);
        turns.came.fetch_add(1, Ordering::SeqCst);
        if turns.kept.load(Ordering::SeqCst) && turns.others.load(Ordering::SeqCst) == 0 {
            turns.leave.notify_one();
        }
        let mut future = pin!(future);
        let answer = self.runtime.block_on(future.as_mut());
        turns.serving.fetch_sub(1, Ordering::SeqCst);
        match answer {
            Some(answer) => answer,
            // It is there as long as this is.
            None => future.await,
        }
    }

    /// Sleeps.
    pub(crate) async fn sleep(&self, time: Duration) {
        if SERVES.get() { std::thread::sleep(time) } else { tokio::time::sleep(time).await }
    }
}

impl Own {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let failed =
            |error: std::io::Error| StoreError::Transient(format!("a thread can't be started: {error}"));
        let runtime = Builder::new_current_thread().max_blocking_threads(2).enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let (handle, turns) = (runtime.handle().clone(), Arc::new(Turns::default()));
        let runtime = Arc::new(Ends(Some(runtime)));
        let (kept, turned) = (Arc::clone(&runtime), Arc::clone(&turns));
        let keeper =
            std::thread::Builder::new().name("passes-postgres".into()).spawn(move || turned.keep(&kept));
        let _ = turns.keeper.set(keeper.map_err(failed)?.thread().clone());
        Ok(Self { handle, serving: Serving { runtime, turns } })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn serving(&self) -> &Serving {
        &self.serving
    }

    /// Polls within the runtime, which the keeper serves meanwhile.
    pub(crate) fn within<'a, T: 'a>(
        &'a self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Fut<'a, T> {
        let turns = &self.serving.turns;
        Box::pin(async move {
            let _other = Other::new(turns);
            within(&self.handle, future).await
        })
    }

    /// Polls within the runtime what waits for the server by [`Serving::serve`]: a thread that may be blocked does so
    /// itself.
    pub(crate) fn served<'a, T: 'a>(
        &'a self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Fut<'a, T> {
        let turns = &self.serving.turns;
        let mut future = Box::pin(within(&self.handle, future));
        let mut other = None;
        Box::pin(poll_fn(move |context| {
            // Whoever is in a runtime already can't wait in this one.
            let serves = may_block() && Handle::try_current().is_err();
            if !serves && other.is_none() {
                other = Some(Other::new(turns));
            }
            let before = SERVES.replace(serves);
            let answer = future.as_mut().poll(context);
            SERVES.set(before);
            answer
        }))
    }

    /// Waits, on the calling thread where that may be blocked.
    pub(crate) fn pause(&self, time: Duration) -> Fut<'_, ()> {
        self.within(async move {
            if may_block() {
                std::thread::sleep(time);
            } else {
                tokio::time::sleep(time).await;
            }
            Ok(())
        })
    }

    /// Ends when nothing is served any more: what was sent is answered first, within reason. A thread of an executor
    /// isn't kept waiting.
    pub(crate) fn end(&mut self, serving: Arc<()>) {
        let ending = Ending(self.serving.clone());
        let wait = move || {
            let ending = ending;
            let _other = Other::new(&ending.0.turns);
            let mut left = GOODBYE;
            let step = Duration::from_millis(1);
            // One is held here, and one by the pool.
            while Arc::strong_count(&serving) > 2 && !left.is_zero() {
                std::thread::sleep(step);
                left = left.saturating_sub(step);
            }
        };
        if Handle::try_current().is_err() {
            wait();
        } else {
            // Without a thread nothing is waited for.
            drop(std::thread::Builder::new().name("passes-goodbye".into()).spawn(wait));
        }
    }
}

/// Sends the keeper home, which ends the runtime.
struct Ending(Serving);

impl Drop for Ending {
    fn drop(&mut self) {
        let turns = &self.0.turns;
        turns.ended.store(true, Ordering::SeqCst);
        turns.leave.notify_one();
        turns.call_back();
    }
}

/// Polls a future within a runtime.
pub(crate) fn within<'a, T: 'a>(
    handle: &'a Handle,
    future: impl Future<Output = T> + Send + 'a,
) -> impl Future<Output = T> + Send + 'a {
    let mut future: Pin<Box<dyn Future<Output = T> + Send + 'a>> = Box::pin(future);
    poll_fn(move |context| {
        let _within = handle.enter();
        future.as_mut().poll(context)
    })
}

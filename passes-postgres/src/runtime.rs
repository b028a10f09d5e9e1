//! The runtime that nobody sees: it serves the connections and the timers, whoever polls the futures.

use passes_core::store::{Fut, StoreError, may_block};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};

/// How long a store that is closed waits for what was sent.
const GOODBYE: Duration = Duration::from_secs(5);

/// A runtime of a store's own. Any thread may poll what needs it, in any executor or none.
#[derive(Debug)]
pub(crate) struct Own {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Own {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(2)
            .thread_name("passes-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Transient(format!("a thread can't be started: {error}")))?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Polls within the runtime.
    pub(crate) fn within<'a, T: 'a>(
        &'a self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Fut<'a, T> {
        Box::pin(within(&self.handle, future))
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
        let Some(runtime) = self.runtime.take() else { return };
        let ending = Ending(Some(runtime));
        let wait = move || {
            let _ending = ending;
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

/// A runtime that may be dropped anywhere.
struct Ending(Option<Runtime>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
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

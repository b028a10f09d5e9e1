//! A use case under way: a future that a host without a runtime can simply wait for.

use super::Error;
use crate::store::wait;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

/// A use case under way. Nothing happens before it is awaited or waited for.
///
/// An async host awaits it; it never blocks the executor. Any other calls [`Call::wait`], which may do the
/// store's work on the calling thread. Dropped before its end, it leaves in doubt whether the command landed:
/// give it again with the same idempotency key.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// let call = passes.lot(by, shop.lot);
/// assert_eq!(call.wait()?.count, 10);
/// // In an async host: `passes.lot(by, shop.lot).await?`.
/// # Ok::<(), passes_core::Error>(())
/// ```
#[must_use = "nothing happens before it is awaited or waited for"]
pub struct Call<'a, T>(Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>);

impl<'a, T> Call<'a, T> {
    pub(crate) fn new(future: impl Future<Output = Result<T, Error>> + Send + 'a) -> Self {
        Self(Box::pin(future))
    }

    /// Waits for the answer, blocking the thread.
    /// See [`Call`].
    ///
    /// # Errors
    /// Those of the use case.
    pub fn wait(self) -> Result<T, Error> {
        wait(self.0)
    }
}

impl<'a, T> IntoFuture for Call<'a, T> {
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;
    fn into_future(self) -> Self::IntoFuture {
        self.0
    }
}

//! A use case under way: a future that a host without a runtime can simply wait for.

use super::engine::{Begun, Later};
use super::{Error, Receipt};
use crate::store::wait;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

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

impl<'a, T: 'a> Call<'a, Receipt<T>> {
    /// A command that is begun when it is first asked for. It is the smaller for what it doesn't hold: all that it is made
    /// of when it is over at once.
    pub(crate) fn begin(begin: impl Fn() -> Begun<'a, T> + Send + Unpin + 'a) -> Self {
        Self(Box::pin(Beginning { begin, begun: false, later: None }))
    }
}

/// A command that isn't begun yet, or isn't over.
struct Beginning<'a, F, T> {
    begin: F,
    begun: bool,
    later: Option<Later<'a, T>>,
}

impl<'a, F: Fn() -> Begun<'a, T> + Unpin, T> Future for Beginning<'a, F, T> {
    type Output = Result<Receipt<T>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.begun, true) {
            match (this.begin)() {
                Begun::Over(answer) => return Poll::Ready(answer),
                Begun::Later(later) => this.later = Some(later),
            }
        }
        // Whoever asks again when all is over asks in vain.
        this.later.as_mut().map_or(Poll::Pending, |later| later.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::event::Position;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Waker;

    /// R-5: a command is begun when it is first asked for and no second time, whether it is over at once or later.
    #[test]
    fn a_command_is_begun_once() {
        let receipt = || Receipt { operation: Position(7), replayed: false, at: Instant::EPOCH, done: () };
        let mut context = Context::from_waker(Waker::noop());
        for at_once in [true, false] {
            let begun = AtomicU32::new(0);
            let call = Call::begin(|| {
                begun.fetch_add(1, Ordering::Relaxed);
                if at_once {
                    return Begun::Over(Ok(receipt()));
                }
                let mut asked = 0;
                Begun::Later(Box::pin(std::future::poll_fn(move |_| {
                    asked += 1;
                    if asked < 3 { Poll::Pending } else { Poll::Ready(Ok(receipt())) }
                })))
            });
            let mut call = call.into_future();
            assert_eq!(begun.load(Ordering::Relaxed), 0);
            let mut ask = || call.as_mut().poll(&mut context);
            let pending = (0..5).take_while(|_| ask().is_pending()).count();
            assert_eq!((pending, begun.load(Ordering::Relaxed)), (if at_once { 0 } else { 2 }, 1));
            if at_once {
                assert!(ask().is_pending());
            }
        }
    }
}

//! Driving futures in both of the ways in which hosts do.

use passes_core::store::{StoreError, wait};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// How futures are driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// On the calling thread, which may be blocked ([`wait`]).
    Blocking,
    /// On another thread, as an executor does it: polled again only when woken.
    Async,
}

/// A future that isn't woken for so long never will be.
const PATIENCE: Duration = Duration::from_secs(60);

impl Face {
    /// Drives a future to its end.
    ///
    /// # Errors
    /// Those of the future, and [`StoreError::Backend`] for one that is pending and never woken.
    pub fn drive<T: Send>(
        self,
        future: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self {
            Self::Blocking => wait(future),
            Self::Async => thread::scope(|scope| {
                scope.spawn(|| poll_until_ready(future)).join().expect("a future panicked")
            }),
        }
    }
}

/// Polls a future once, and drops it. Whether it was ready.
pub(crate) fn poll_once<T>(future: impl Future<Output = T>) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.heard.notify_one();
    }
}

fn poll_until_ready<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let mut future = pin!(future);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        let rung = bell.rung.lock().unwrap();
        let (mut rung, waited) = bell.heard.wait_timeout_while(rung, PATIENCE, |rung| !*rung).unwrap();
        if waited.timed_out() {
            return Err(StoreError::Backend("a future was pending and nobody woke it".into()));
        }
        *rung = false;
    }
}

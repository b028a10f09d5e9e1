//! Work that blocks, kept off an executor's threads.

use futures_channel::oneshot;
use passes_core::store::{StoreError, may_block};
use std::thread;

/// Does work that blocks: on the calling thread where that may be blocked, else on one made for it.
///
/// # Errors
/// [`StoreError::Transient`] when there is no thread to be had, [`StoreError::Backend`] when the work panicked.
pub(crate) async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    if may_block() {
        return Ok(work());
    }
    let (answer, answered) = oneshot::channel();
    thread::Builder::new()
        .name("passes-open".into())
        // Who asked may be gone.
        .spawn(move || drop(answer.send(work())))
        .map_err(|error| StoreError::Transient(error.to_string()))?;
    answered.await.map_err(|_| StoreError::Backend("the opening was broken off".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::sync::{Arc, mpsc};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    struct Rung(mpsc::Sender<()>);

    impl std::task::Wake for Rung {
        fn wake(self: Arc<Self>) {
            self.0.send(()).unwrap();
        }
    }

    /// Drives as an executor does: polls again only when woken.
    fn drive<T>(future: impl Future<Output = T>) -> (T, u32) {
        let (send, rung) = mpsc::channel();
        let waker = Waker::from(Arc::new(Rung(send)));
        let mut future = pin!(future);
        for polls in 1.. {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return (value, polls),
                Poll::Pending => rung.recv_timeout(Duration::from_secs(10)).unwrap(),
            }
        }
        unreachable!()
    }

    /// D-6: an executor's thread is not blocked by the work, a thread that may be blocked does it itself.
    #[test]
    fn only_a_thread_that_may_be_blocked_does_the_work() {
        let here = thread::current().id();
        assert_eq!(passes_core::store::wait(offload(|| thread::current().id())), Ok(here));

        let (go, stop) = mpsc::channel::<()>();
        let future = offload(move || {
            stop.recv().unwrap();
            thread::current().id()
        });
        let mut future = pin!(future);
        // The work can't end before it is told to; polling it comes back all the same.
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        go.send(()).unwrap();
        let (done, _) = drive(future);
        assert_ne!(done, Ok(here));
    }

    /// Z-1, D-6: a panic in the work is an error of the caller's, who doesn't wait for ever.
    #[test]
    fn broken_work_is_told() {
        let (done, polls) = drive(offload(|| panic!("meant to")));
        let done: Result<(), _> = done;
        assert_eq!(done.unwrap_err().code(), "STORE_FAILED");
        assert!(polls <= 2);
    }
}

//! Work that blocks, kept off an executor's threads.

use passes_core::store::{StoreError, may_block};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
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
    let desk = Arc::new(Desk { state: Mutex::new(State { answer: None, over: false, waker: None }) });
    let bell = Bell(Arc::clone(&desk));
    thread::Builder::new()
        .name("passes-open".into())
        .spawn(move || {
            let bell = bell;
            let answer = work();
            bell.0.with(|state| state.answer = Some(answer));
        })
        .map_err(|error| StoreError::Transient(error.to_string()))?;
    Answer(desk).await
}

struct State<T> {
    answer: Option<T>,
    over: bool,
    waker: Option<Waker>,
}

/// Where the worker leaves its answer.
struct Desk<T> {
    state: Mutex<State<T>>,
}

impl<T> Desk<T> {
    fn with<R>(&self, look: impl FnOnce(&mut State<T>) -> R) -> R {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Rings when the worker is through, or has panicked.
struct Bell<T>(Arc<Desk<T>>);

impl<T> Drop for Bell<T> {
    fn drop(&mut self) {
        let waker = self.0.with(|state| {
            state.over = true;
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Answer<T>(Arc<Desk<T>>);

impl<T> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.with(|state| match state.answer.take() {
            Some(answer) => Poll::Ready(Ok(answer)),
            None if state.over => Poll::Ready(Err(StoreError::Backend("the opening was broken off".into()))),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::mpsc;
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

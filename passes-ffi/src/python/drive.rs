//! A call under way in an asyncio loop: polled on the loop's own thread, woken from any.

use super::convert::ToPy;
use super::errors::{raise, raise_host};
use passes_host::{Error, HostError};
use pyo3::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

type Answer = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
type Under = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A call that waits for its turn, and the future of asyncio that waits for it.
#[pyclass(frozen)]
struct Running {
    call: Mutex<Option<Under>>,
    waiter: Py<PyAny>,
    event_loop: Py<PyAny>,
}

#[pymethods]
impl Running {
    /// Goes on, until it has to wait again.
    fn step(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let waiter = this.waiter.bind(py);
        if waiter.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        let Some(mut call) = this.take() else { return Ok(()) };
        let waker = Waker::from(Arc::new(Alarm(slf.clone().unbind())));
        let polled = py.detach(|| match call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => {
                this.put(call);
                None
            }
            Poll::Ready(answer) => {
                drop(call);
                Some(answer)
            }
        });
        match polled.map(|answer| answer(py)) {
            None => {}
            Some(Ok(value)) => drop(waiter.call_method1("set_result", (value,))?),
            Some(Err(error)) => drop(waiter.call_method1("set_exception", (error.into_value(py),))?),
        }
        Ok(())
    }

    /// The waiter is done: of a call that was cancelled nothing is left under way.
    fn end(&self, waiter: &Bound<'_, PyAny>) {
        waiter.py().detach(|| drop(self.take()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let call = self.take();
        detached(move || drop(call));
    }
}

/// Does what may have to wait for a thread of the store, which may itself be waiting for the interpreter's lock to wake
/// somebody: so without that lock.
pub(crate) fn detached(work: impl FnOnce() + Send) {
    let mut work = Some(work);
    Python::try_attach(|py| {
        if let Some(work) = work.take() {
            py.detach(work);
        }
    });
    // The interpreter is ending, or there is none.
    if let Some(work) = work {
        work();
    }
}

impl Running {
    fn take(&self) -> Option<Under> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, call: Under) {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
    }
}

/// Has the loop take the call up again.
struct Alarm(Py<Running>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        // A program that ends has no loop any more, and nobody who waits.
        let _ = Python::try_attach(|py| -> PyResult<()> {
            let running = self.0.bind(py);
            let step = running.getattr("step")?;
            running.get().event_loop.bind(py).call_method1("call_soon_threadsafe", (step,))?;
            Ok(())
        });
    }
}

fn start<'py>(
    py: Python<'py>,
    call: impl Future<Output = Answer> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let event_loop = py.import("asyncio")?.call_method0("get_running_loop")?;
    let waiter = event_loop.call_method0("create_future")?;
    let call: Mutex<Option<Under>> = Mutex::new(Some(Box::pin(call)));
    let (waiting, event_loop) = (waiter.clone().unbind(), event_loop.unbind());
    let running = Bound::new(py, Running { call, waiter: waiting, event_loop })?;
    waiter.call_method1("add_done_callback", (running.getattr("end")?,))?;
    Running::step(&running)?;
    Ok(waiter)
}

/// A call of the library, to be awaited. It begins at once.
pub(crate) fn drive<'py, T: ToPy + Send + 'static>(
    py: Python<'py>,
    call: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    start(py, async move {
        let told = call.await;
        Box::new(move |py: Python<'_>| Ok(told.map_err(raise)?.to_py(py)?.unbind())) as Answer
    })
}

/// As [`drive`], for opening.
pub(crate) fn drive_opening<'py, T: Send + 'static>(
    py: Python<'py>,
    call: impl Future<Output = Result<T, HostError>> + Send + 'static,
    give: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    start(py, async move {
        let told = call.await;
        Box::new(move |py: Python<'_>| give(py, told.map_err(raise_host)?)) as Answer
    })
}

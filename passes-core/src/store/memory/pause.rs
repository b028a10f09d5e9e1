//! Waiting without a runtime.

use crate::store::{StoreError, may_block};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// Ready after a time. A thread that may block sleeps itself; for any other, one sleeps and wakes it.
pub(in crate::store) struct Pause {
    time: Duration,
    alarm: Option<Arc<Mutex<Alarm>>>,
}

#[derive(Default)]
struct Alarm {
    over: bool,
    waker: Option<Waker>,
}

impl Pause {
    pub(in crate::store) fn new(time: Duration) -> Self {
        Self { time, alarm: None }
    }

    fn start(&self, waker: Waker) -> Result<Arc<Mutex<Alarm>>, StoreError> {
        let alarm = Arc::new(Mutex::new(Alarm { over: false, waker: Some(waker) }));
        let (time, rings) = (self.time, Arc::clone(&alarm));
        let sleeper = thread::Builder::new().name("passes-pause".into()).spawn(move || {
            thread::sleep(time);
            let mut alarm = rings.lock().unwrap_or_else(PoisonError::into_inner);
            alarm.over = true;
            let waker = alarm.waker.take();
            drop(alarm);
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        sleeper.map(|_| alarm).map_err(|error| StoreError::Transient(error.to_string()))
    }
}

impl Future for Pause {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(alarm) = &self.alarm {
            let mut alarm = alarm.lock().unwrap_or_else(PoisonError::into_inner);
            if alarm.over {
                return Poll::Ready(Ok(()));
            }
            alarm.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        if self.time.is_zero() {
            return Poll::Ready(Ok(()));
        }
        if may_block() {
            thread::sleep(self.time);
            return Poll::Ready(Ok(()));
        }
        match self.start(context.waker().clone()) {
            Ok(alarm) => {
                self.alarm = Some(alarm);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

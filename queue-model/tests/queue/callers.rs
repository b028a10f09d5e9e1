//! Those who call: on a thread of their own, or as one of many futures of an executor.

use crate::Answers;
use crate::disk::{Outcome, panic_quietly};
use crate::sync::{Condvar, MAY_BLOCK, Mutex};
use passes_core::store::StoreError;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

pub(crate) type Answered = Result<Vec<Outcome>, StoreError>;

/// Who was woken. Waiting for it never ends by chance, as parking may: a wake-up that is lost stays lost.
#[derive(Default)]
struct Bell {
    woken: Mutex<BTreeSet<usize>>,
    rung: Condvar,
}

struct Ring {
    bell: Arc<Bell>,
    who: usize,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.bell.woken.lock().unwrap().insert(self.who);
        self.bell.rung.notify_one();
    }
}

/// An executor of one thread, which polls only who was woken.
pub(crate) fn drive(futures: Vec<Answers<'_>>) -> Vec<Answered> {
    let bell = Arc::new(Bell::default());
    let ring = |who| Waker::from(Arc::new(Ring { bell: Arc::clone(&bell), who }));
    let mut futures: Vec<_> = futures.into_iter().enumerate().map(|(at, f)| (ring(at), Some(f))).collect();
    let mut answers: Vec<_> = futures.iter().map(|_| None).collect();
    let mut woken: BTreeSet<usize> = (0..futures.len()).collect();
    loop {
        for at in woken {
            let (waker, future) = &mut futures[at];
            // One that has ended may still be woken.
            let Some(polled) = future else { continue };
            if let Poll::Ready(answer) = polled.as_mut().poll(&mut Context::from_waker(waker)) {
                answers[at] = Some(answer);
                *future = None;
            }
        }
        if futures.iter().all(|(_, future)| future.is_none()) {
            return answers.into_iter().map(Option::unwrap).collect();
        }
        let mut rung = bell.woken.lock().unwrap();
        while rung.is_empty() {
            rung = bell.rung.wait(rung).unwrap();
        }
        woken = std::mem::take(&mut *rung);
    }
}

/// A thread that waits for this alone, and may be blocked.
pub(crate) fn wait(future: Answers<'_>) -> Answered {
    MAY_BLOCK.with(|may| may.set(true));
    let answer = drive(vec![future]).pop().unwrap();
    MAY_BLOCK.with(|may| may.set(false));
    answer
}

/// Polls once. The waker is another one than any executor's.
pub(crate) fn poll(future: &mut Answers<'_>, waker: &Waker) -> Option<Answered> {
    match future.as_mut().poll(&mut Context::from_waker(waker)) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// A waker whose executor is broken.
pub(crate) fn broken() -> Waker {
    struct Broken;
    impl Wake for Broken {
        fn wake(self: Arc<Self>) {
            panic_quietly()
        }
    }
    Waker::from(Arc::new(Broken))
}

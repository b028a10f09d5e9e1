//! Many callers on one thread, who take turns by a seed: the same seeds give the same run again.
//!
//! Each caller's seed is its own and says when its turns come, so that a run without some of the callers is the
//! same for those who are left, but for what the others did to them.

use passes_core::store::wait;
use std::future::Future;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is pending for so many polls waits for nobody here.
const PATIENCE: u32 = 1_000_000;

/// One of several callers.
pub struct Caller<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    seed: u64,
    gives_up: Option<u32>,
    polls: u32,
}

/// What became of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended<T> {
    /// The answer; none if the caller gave up.
    pub answer: Option<T>,
    /// What the clock showed before its first poll.
    pub began: u64,
    /// What it showed after its last.
    pub ended: u64,
}

impl<'a, T> Caller<'a, T> {
    /// A caller whose turns come by this seed; with 0, before those of all others.
    #[must_use]
    pub fn new(seed: u64, future: impl Future<Output = T> + 'a) -> Self {
        Self { future: Box::pin(future), seed, gives_up: None, polls: 0 }
    }

    /// The future is dropped after so many polls, if it has not answered by then.
    #[must_use]
    pub fn giving_up_after(mut self, polls: Option<u32>) -> Self {
        self.gives_up = polls;
        self
    }

    /// Who has the least is next.
    fn turn(&self) -> u64 {
        if self.seed == 0 {
            return 0;
        }
        let z = self.seed.wrapping_add(u64::from(self.polls).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ (z >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        z ^ (z >> 32)
    }
}

/// Polls the callers in turns until each has answered or given up.
///
/// They are polled as inside [`wait`], so that a store does its work at once, and `clock` is read around each.
/// Every future must go on whenever it is polled: nobody waits for a waker.
///
/// ```
/// use passes_conformance::chaos::{Chaos, Trouble};
/// use passes_conformance::turns::{Caller, take_turns};
/// use passes_core::store::{Load, Store, memory::Memory};
/// use std::sync::Arc;
///
/// let turns = Trouble { turns: 1, most_turns: 3, ..Trouble::NONE };
/// let store = Chaos::new(Arc::new(Memory::new()), 7).making(turns);
/// let load = Load::new(passes_core::id::BusinessId::STORE);
/// let callers = vec![
///     Caller::new(1, store.load(&load)),
///     Caller::new(2, store.load(&load)).giving_up_after(Some(1)),
/// ];
/// let ended = take_turns(callers, || 0);
/// assert!(ended[0].answer.is_some() && ended[1].answer.is_none());
/// ```
#[must_use]
pub fn take_turns<T>(callers: Vec<Caller<'_, T>>, clock: impl Fn() -> u64) -> Vec<Ended<T>> {
    let mut ended: Vec<Ended<T>> =
        callers.iter().map(|_| Ended { answer: None, began: 0, ended: 0 }).collect();
    let mut waiting: Vec<(usize, Caller<'_, T>)> = callers.into_iter().enumerate().collect();
    while let Some(next) = (0..waiting.len()).min_by_key(|n| (waiting[*n].1.turn(), waiting[*n].0)) {
        let (number, caller) = &mut waiting[next];
        let end = &mut ended[*number];
        if caller.polls == 0 {
            end.began = clock();
        }
        let over = if caller.gives_up == Some(caller.polls) {
            true
        } else {
            assert!(caller.polls < PATIENCE, "a caller is pending for ever");
            caller.polls += 1;
            match poll_inside_wait(&mut caller.future) {
                Poll::Ready(answer) => {
                    end.answer = Some(answer);
                    true
                }
                Poll::Pending => false,
            }
        };
        if over {
            drop(waiting.swap_remove(next));
            end.ended = clock();
        }
    }
    ended
}

/// Polls once, as on a thread that may be blocked.
fn poll_inside_wait<T>(future: &mut Pin<Box<dyn Future<Output = T> + '_>>) -> Poll<T> {
    wait(poll_fn(|context: &mut Context<'_>| Poll::Ready(future.as_mut().poll(context))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{Chaos, Trouble};
    use passes_core::id::BusinessId;
    use passes_core::store::memory::Memory;
    use passes_core::store::{Load, Store};
    use std::cell::RefCell;
    use std::sync::Arc;

    /// Which caller went on, in order, for these callers' seeds.
    fn order(seeds: &[u64]) -> Vec<u64> {
        let trouble = Trouble { turns: 1, most_turns: 1, ..Trouble::NONE };
        let store = Chaos::new(Arc::new(Memory::new()), 1).making(trouble);
        let told = RefCell::new(Vec::new());
        let load = Load::new(BusinessId::STORE);
        let callers = seeds.iter().map(|seed| {
            let (store, told, load) = (&store, &told, &load);
            Caller::new(*seed, async move {
                for _ in 0..3 {
                    store.load(load).await.unwrap();
                    told.borrow_mut().push(*seed);
                }
            })
        });
        let ended = take_turns(callers.collect(), || told.borrow().len() as u64);
        assert!(ended.iter().all(|end| end.answer.is_some() && end.began < end.ended));
        told.into_inner()
    }

    /// D-2: callers go on in an order of their seeds, the same each time, and without one of them that of the
    /// others stays as it is.
    #[test]
    fn turns_are_taken_by_seed() {
        let all = order(&[3, 4, 5]);
        assert_eq!(all, order(&[3, 4, 5]));
        assert!((1..50).any(|n| order(&[n, n + 1]).windows(2).filter(|pair| pair[0] != pair[1]).count() > 1));
        let fewer: Vec<u64> = all.iter().copied().filter(|seed| *seed != 4).collect();
        assert_eq!(order(&[3, 5]), fewer);
        assert_eq!(order(&[0, 7])[..3], [0, 0, 0]);
    }

    /// R-5: a caller who gives up is not polled again, and the future is dropped.
    #[test]
    fn who_gives_up_is_gone() {
        let held = Arc::new(());
        let kept = Arc::clone(&held);
        let caller = Caller::new(9, async move {
            std::future::pending::<()>().await;
            drop(kept);
        });
        let ended = take_turns(vec![caller.giving_up_after(Some(3))], || 7);
        assert_eq!(ended, [Ended { answer: None, began: 7, ended: 7 }]);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

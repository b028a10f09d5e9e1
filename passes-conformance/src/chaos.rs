//! Lawful trouble: all that a store over a network may do to a command, from a seed.

use crate::delegate::delegate;
use passes_core::store::{After, Answer, Change, Chunk, Command, Fut, Load, Loaded, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A store that makes trouble for commands: time passes between load and commit, and commits meet conflicts
/// that nobody else sees. What must hold of a store holds of this one, too.
///
/// It runs commands as a store over a network does, whatever the store inside can do better. A change that is
/// committed directly, and a chunk, meet no such conflict.
///
/// ```
/// use passes_conformance::chaos::Chaos;
/// use passes_core::store::memory::Memory;
/// use std::sync::Arc;
///
/// let store = Chaos::new(Arc::new(Memory::new()), 7);
/// let worse = Chaos::new(Arc::new(store), 8).losing_answers();
/// # let _ = worse;
/// ```
pub struct Chaos {
    inner: Arc<dyn Store>,
    random: AtomicU64,
    loses_answers: bool,
}

impl Chaos {
    /// Trouble for this store, from this seed. Threads make the order in which it comes their own.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, seed: u64) -> Self {
        Self { inner, random: AtomicU64::new(seed), loses_answers: false }
    }

    /// Also, one commit in eight is [`StoreError::InDoubt`]: every other of them landed. This goes for
    /// commands, direct commits and chunks.
    #[must_use]
    pub fn losing_answers(self) -> Self {
        Self { loses_answers: true, ..self }
    }

    /// One in so many (SplitMix64).
    fn one_in(&self, many: u64) -> bool {
        self.random().is_multiple_of(many)
    }

    fn random(&self) -> u64 {
        let z = self.random.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Commits, and may lose the answer, or the question.
    async fn lossy<T>(&self, commit: Fut<'_, T>) -> Result<T, StoreError> {
        let lost = self.loses_answers && self.one_in(8);
        if lost && self.one_in(2) {
            return Err(StoreError::InDoubt);
        }
        let answer = commit.await?;
        if lost { Err(StoreError::InDoubt) } else { Ok(answer) }
    }
}

impl Store for Chaos {
    fn run(&self, command: Command) -> Fut<'_, Answer> {
        Box::pin(async move { Trouble { chaos: self, inner: &*self.inner }.run(command).await })
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(self.lossy(self.inner.commit(changes)))
    }

    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        Box::pin(self.lossy(self.inner.fill(chunk)))
    }

    delegate!(inner; load, pause, page, events, audit);
}

/// The store as a command sees it.
struct Trouble<'c> {
    chaos: &'c Chaos,
    inner: &'c dyn Store,
}

impl Store for Trouble<'_> {
    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        Box::pin(async move {
            let loaded = self.inner.load(load).await?;
            if self.chaos.one_in(3) {
                self.inner.pause(Duration::from_micros(self.chaos.random() % 300)).await?;
            }
            Ok(loaded)
        })
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(async move {
            if self.chaos.one_in(4) {
                return Ok(changes.iter().map(|_| Err(StoreError::Conflict)).collect());
            }
            self.chaos.lossy(self.inner.commit(changes)).await
        })
    }

    delegate!(inner; pause, fill, page, events, audit);
}

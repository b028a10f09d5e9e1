//! What an accepted command answers.

use super::stored;
use crate::calendar::Instant;
use crate::event::Position;
use crate::pass::Tally;
use crate::store::{After, StoreError, StoredOperation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ops::Deref;

/// The answer to an accepted command: what it did, and the reference to its operation.
///
/// It dereferences to what was done.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// let once = by.clone().key("card-1");
/// let first = passes.activate(&once, shop.card(1)).wait()?;
/// let again = passes.activate(&once, shop.card(1)).wait()?;
/// assert!(!first.replayed && again.replayed);
/// assert_eq!((again.operation, again.changed), (first.operation, 1));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt<T> {
    /// The store's reference to the operation, by which it can be reversed, and the position of its events.
    pub operation: Position,
    /// Whether the same request had been done before, and nothing moved this time (R-5).
    pub replayed: bool,
    /// When it counts.
    pub at: Instant,
    /// What was done.
    pub done: T,
}

impl<T> Deref for Receipt<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.done
    }
}

/// What an operation keeps of what was done, to answer the same request again.
/// It is implemented for what [`Passes`](super::Passes) answers; a host has no use for it.
pub trait Done: Serialize + DeserializeOwned + Send + 'static {
    /// Takes from the commit what only it knows: the new values of its tallies, in the order of the change.
    fn settle(&mut self, _after: &[Tally]) {}
}

impl Done for () {}

impl<T: Done> Receipt<T> {
    /// Of what was done just now.
    pub(crate) fn first(after: &After, at: Instant, done: T) -> Self {
        Self::of(after.operation, &after.tallies, at, done)
    }

    fn of(number: u64, tallies: &[Tally], at: Instant, mut done: T) -> Self {
        done.settle(tallies);
        Self { operation: Position(number), replayed: false, at, done }
    }

    /// Of what was done before, as it is stored.
    pub(crate) fn again(stored: &StoredOperation) -> Result<Self, StoreError> {
        let done = stored::unpack(&stored.operation.receipt)?;
        let first = Self::of(stored.number, &stored.after, stored.operation.at, done);
        Ok(Self { replayed: true, ..first })
    }
}

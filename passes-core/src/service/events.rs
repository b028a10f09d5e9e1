//! Reading events (E-1).

use super::{Call, Passes, stored};
use crate::event::{Event, Position, Told};
use crate::limits;
use crate::operation::{By, Right};

/// Operations read at a time.
const BATCH: u32 = 1_000;

impl Passes {
    /// The events after a position, in order; [`Position::default`] is before the first.
    ///
    /// The reader keeps its own cursor: the position of the last event that it is done with. Given the same
    /// cursor it gets the same events again, so that each is delivered at least once; its position and index
    /// are a stable id by which a repetition is told. Nothing ever appears behind a cursor. The events of one
    /// pass come in the order in which they happened.
    ///
    /// The events of one position come together, so that an answer may hold more than `limit` (up to 10,000): it
    /// ends with the position that reaches it. An empty answer means that there is nothing new. A bulk
    /// command raises one event per chunk, with range and count, not one per pass. No event holds a secret or
    /// anything personal.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::event::Position;
    /// let mut cursor = Position::default();
    /// let mut kinds = Vec::new();
    /// for told in passes.events(by, cursor, 100).wait()? {
    ///     kinds.push(told.event.kind());
    ///     cursor = told.position;
    /// }
    /// assert!(kinds.contains(&"lot_ready"));
    /// assert!(passes.events(by, cursor, 100).wait()?.is_empty());
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn events<'a>(&'a self, by: &'a By, after: Position, limit: u32) -> Call<'a, Vec<Told>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let limit = limit.clamp(1, limits::PAGE);
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            let (mut told, mut after) = (Vec::new(), after.0);
            // Operations without events are passed over: an answer is empty only at the end.
            loop {
                let batch = BATCH.min(limit);
                let operations = self.inner.store.events(by.business, after, batch).await?;
                for stored in &operations {
                    let (operation, position) = (&stored.operation, Position(stored.number));
                    after = stored.number;
                    for (index, mut event) in (0..).zip(stored::unpack::<Vec<Event>>(&operation.events)?) {
                        event.settle(&stored.after);
                        told.push(Told { position, index, operation: operation.id, at: operation.at, event });
                    }
                    if told.len() >= most {
                        return Ok(told);
                    }
                }
                if u32::try_from(operations.len()).is_ok_and(|n| n < batch) || !told.is_empty() {
                    return Ok(told);
                }
            }
        })
    }
}

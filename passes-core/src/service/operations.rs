//! The audit trail: who did what, when, where, through which channel and why (B-4).

use super::{Call, Error, Listed, Passes};
use crate::calendar::Instant;
use crate::event::Position;
use crate::id::{Id, OperationId};
use crate::limits;
use crate::operation::{By, Kind, Right};
use crate::refusal::Refusal;
use crate::store::{Load, OperationKey, PageQuery, StoreError, StoredOperation};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many operations a page of a filtered list looks at, at most.
const SCAN: u32 = 10_000;
/// Operations read at a time for a filtered list.
const BATCH: u32 = 1_000;
/// Numbers so close to each other are read together, though some between them are not wanted.
const NEAR: u64 = 16;
/// Numbers that are read in one page: with those between them no more than [`limits::PAGE`].
const NUMBERS: usize = 500;

/// An operation: the one record that an accepted command left.
/// See [`Passes::operations`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationView {
    /// The store's reference to it.
    pub position: Position,
    /// Its id.
    pub id: OperationId,
    /// Which command it was.
    pub kind: Kind,
    /// Who gave it.
    pub actor: Arc<str>,
    /// Where: store, till, dealer.
    pub place: Option<Arc<str>>,
    /// Through which channel.
    pub channel: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// When it counts, in UTC.
    pub at: Instant,
    /// When it was written, in UTC.
    pub booked: Instant,
}

impl OperationView {
    pub(crate) fn of(stored: &StoredOperation) -> Self {
        let operation = &stored.operation;
        Self {
            position: Position(stored.number),
            id: operation.id,
            kind: operation.kind,
            actor: Arc::clone(&operation.actor),
            place: operation.place.clone(),
            channel: operation.channel.clone(),
            reason: operation.reason.clone(),
            at: operation.at,
            booked: operation.booked,
        }
    }
}

/// Which operations a list holds: those that meet all of these.
///
/// ```
/// use passes_core::operation::Kind;
/// use passes_core::service::OperationFilter;
/// let reveals_of_ann = OperationFilter {
///     actor: Some("ann".into()),
///     kind: Some(Kind::Reveal),
///     ..OperationFilter::default()
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// By this actor.
    pub actor: Option<String>,
    /// At this place.
    pub place: Option<String>,
    /// Through this channel.
    pub channel: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Counting from this instant on.
    pub from: Option<Instant>,
    /// Counting before this instant.
    pub to: Option<Instant>,
    /// With this text in the reason, letter by letter.
    pub reason: Option<String>,
}

impl OperationFilter {
    fn validate(&self) -> Result<(), Refusal> {
        for (field, text, most) in [
            ("actor", &self.actor, limits::NAME),
            ("place", &self.place, limits::NAME),
            ("channel", &self.channel, limits::NAME),
            ("reason", &self.reason, limits::TEXT),
        ] {
            text.as_deref().map_or(Ok(()), |text| limits::text(field, text, 1, most))?;
        }
        Ok(())
    }

    fn takes(&self, operation: &OperationView) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is(&self.actor, Some(&*operation.actor))
            && is(&self.place, operation.place.as_deref())
            && is(&self.channel, operation.channel.as_deref())
            && self.kind.is_none_or(|kind| kind == operation.kind)
            && self.from.is_none_or(|from| operation.at >= from)
            && self.to.is_none_or(|to| operation.at < to)
            && self
                .reason
                .as_deref()
                .is_none_or(|part| operation.reason.as_deref().is_some_and(|reason| reason.contains(part)))
    }
}

impl Passes {
    /// The operations that meet a filter, in the order of their positions, at most `limit` (up to 10,000) after
    /// a position; [`Position::default`] is before the first.
    ///
    /// A page looks at no more than 10,000 operations: where few meet the filter it holds fewer than `limit`,
    /// even none, and yet a position to go on from. Only a page without one is the last. On a store with many
    /// writers an operation may still appear behind those that are told here; [`Passes::events`] is the reader
    /// that misses nothing.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `INVALID`, `TOO_LARGE` for a text of the filter.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::{event::Position, operation::Kind, service::OperationFilter};
    /// passes.suspend(&by.clone().reason("a box was stolen"), shop.lot).wait()?;
    /// let filter = OperationFilter { kind: Some(Kind::Suspend), ..OperationFilter::default() };
    /// let page = passes.operations(by, filter, Position::default(), 100).wait()?;
    /// assert_eq!(page.rows[0].reason.as_deref(), Some("a box was stolen"));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn operations<'a>(
        &'a self,
        by: &'a By,
        filter: OperationFilter,
        after: Position,
        limit: u32,
    ) -> Call<'a, Listed<OperationView, Position>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            filter.validate()?;
            let limit = limit.clamp(1, limits::PAGE);
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            let batch = if filter == OperationFilter::default() { limit } else { BATCH };
            let mut listed = Listed { rows: Vec::new(), next: Some(after) };
            for _ in 0..SCAN.div_ceil(batch) {
                let after = listed.next.unwrap_or_default().0;
                let query = PageQuery::Operations { business: by.business, after, limit: batch };
                let operations = self.inner.store.page(&query).await?.operations;
                let full = u32::try_from(operations.len()).is_ok_and(|n| n >= batch);
                for operation in &operations {
                    listed.next = Some(Position(operation.number));
                    listed.rows.extend(Some(OperationView::of(operation)).filter(|view| filter.takes(view)));
                    if listed.rows.len() >= most {
                        return Ok(listed);
                    }
                }
                if !full {
                    return Ok(Listed { next: None, ..listed });
                }
            }
            Ok(listed)
        })
    }

    /// An operation by the reference that its receipt carries.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::operation::Kind;
    /// let done = passes.suspend(by, shop.lot).wait()?;
    /// let operation = passes.operation(by, done.operation).wait()?;
    /// assert_eq!((operation.kind, &*operation.actor), (Kind::Suspend, "owner"));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn operation<'a>(&'a self, by: &'a By, position: Position) -> Call<'a, OperationView> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let mut load = Load::new(by.business);
            load.operation = Some(OperationKey::Number(position.0));
            let found = self.inner.store.load(&load).await?.operation;
            let missing = || Refusal::NotFound { what: OperationId::WHAT, id: position.0.to_string() };
            Ok(OperationView::of(&found.ok_or_else(missing)?.0))
        })
    }

    /// The operations with these numbers, to tell what booked an entry.
    pub(crate) async fn operations_of(
        &self,
        by: &By,
        numbers: BTreeSet<u64>,
    ) -> Result<BTreeMap<u64, OperationView>, Error> {
        let mut found = BTreeMap::new();
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let near = |a: &u64, b: &u64| b - a <= NEAR;
        for stretch in numbers.chunk_by(near).flat_map(|stretch| stretch.chunks(NUMBERS)) {
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { continue };
            let (business, after) = (by.business, first.saturating_sub(1));
            let limit = u32::try_from(last - after).unwrap_or(u32::MAX);
            let query = PageQuery::Operations { business, after, limit };
            for operation in self.inner.store.page(&query).await?.operations {
                if stretch.binary_search(&operation.number).is_ok() {
                    found.insert(operation.number, OperationView::of(&operation));
                }
            }
        }
        match numbers.iter().find(|number| !found.contains_key(number)) {
            Some(number) => {
                Err(StoreError::Corrupt(format!("operation {number} of an entry is not there")).into())
            }
            None => Ok(found),
        }
    }
}

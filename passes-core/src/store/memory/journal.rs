//! The operations, kept small: a redemption leaves one, and touching memory for the first time costs as much as
//! deciding it.

use super::chunks::{At, Bytes, Chunks};
use super::index::{Index, Scatter};
use crate::calendar::Instant;
use crate::id::OperationId;
use crate::operation::Kind;
use crate::pass::Tally;
use crate::store::{Fingerprint, KeyHash, Operation, StoreError, StoredOperation};
use std::collections::HashMap;
use std::sync::Arc;

/// The operations of a business in the order of their numbers, and the idempotency keys that lead to them.
#[derive(Default)]
pub(super) struct Journal {
    rows: Chunks<Row>,
    /// Receipts, events and tallies.
    bytes: Bytes,
    origins: Origins,
    /// By place.
    others: HashMap<usize, More>,
    keys: Index,
    scatter: Scatter,
}

/// What of an operation has one size.
struct Row {
    number: u64,
    id: OperationId,
    at: Instant,
    /// If it bears one.
    key: KeyHash,
    fingerprint: Fingerprint,
    /// Where receipt, events and tallies are, one behind the other; and how many bytes of each.
    bytes: At,
    receipt: u32,
    events: u32,
    tallies: u32,
    /// Into [`Origins::all`].
    origin: u32,
    kind: Kind,
    is_keyed: bool,
    /// Whether [`Journal::others`] has more of it.
    has_more: bool,
    /// Whether the numbers of its tallies have four bytes each; else eight.
    is_narrow: bool,
}

const _: () = assert!(size_of::<Row>() == 96);

/// What few operations have.
#[derive(Clone, Copy)]
struct More {
    booked: Instant,
    stops: Option<KeyHash>,
}

/// What an idempotency key leads to: an operation's place, and whether it doesn't bear the key but stops it.
#[derive(Clone, Copy)]
struct Bound(u32);

impl Bound {
    /// Places have 31 bits, but for the last.
    fn new(place: usize, stops: bool) -> Option<Self> {
        let place = u32::try_from(place).ok().filter(|place| *place < Index::LAST >> 1)?;
        Some(Self(place << 1 | u32::from(stops)))
    }

    fn place(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn stops(self) -> bool {
        self.0 & 1 == 1
    }
}

fn numbers(tally: &Tally) -> [i64; 3] {
    [tally.used, tally.held, tally.limit]
}

fn pack(tallies: &[Tally], is_narrow: bool, into: &mut Vec<u8>) {
    for number in tallies.iter().flat_map(numbers) {
        let whole @ [a, b, c, d, ..] = number.to_le_bytes();
        if is_narrow {
            into.extend_from_slice(&[a, b, c, d]);
        } else {
            into.extend_from_slice(&whole);
        }
    }
}

fn unpack(bytes: &[u8], is_narrow: bool) -> Vec<Tally> {
    let numbers: Vec<i64> = if is_narrow {
        bytes.as_chunks().0.iter().map(|number| u32::from_le_bytes(*number).into()).collect()
    } else {
        bytes.as_chunks().0.iter().map(|number| i64::from_le_bytes(*number)).collect()
    };
    let tallies = numbers.as_chunks::<3>().0.iter();
    tallies.map(|[used, held, limit]| Tally { used: *used, held: *held, limit: *limit }).collect()
}

#[cold]
fn full() -> StoreError {
    StoreError::Full("a business has some 2^31 operations at most in memory, and 4 GiB of each".into())
}

impl Journal {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn bound(&self, key: &KeyHash) -> Option<Bound> {
        let of = |at: u32| self.key(Bound(at).place(), Bound(at).stops());
        self.keys.find(&self.scatter.of(key), |at| of(at).as_ref() == Some(key)).map(Bound)
    }

    /// The key that the operation at a place bears, or the one that it stops.
    fn key(&self, at: usize, stops: bool) -> Option<KeyHash> {
        if stops {
            return self.others.get(&at)?.stops;
        }
        self.rows.get(at).filter(|row| row.is_keyed).map(|row| row.key)
    }

    /// Has what [`Journal::find`] looks at fetched.
    pub(super) fn touch(&self, key: &KeyHash) {
        self.keys.touch(&self.scatter.of(key));
    }

    /// The place of the operation that an idempotency key leads to, and whether that stops the key.
    pub(super) fn find(&self, key: &KeyHash) -> Option<(usize, bool)> {
        self.bound(key).map(|bound| (bound.place(), bound.stops()))
    }

    /// The place of the operation with this number.
    pub(super) fn place(&self, number: u64) -> Option<usize> {
        let at = self.rows.partition_point(|row| row.number < number);
        self.rows.get(at).filter(|row| row.number == number).map(|_| at)
    }

    /// The place behind the operations up to a number.
    pub(super) fn place_after(&self, number: u64) -> usize {
        self.rows.partition_point(|row| row.number <= number)
    }

    /// The number of the operation at a place, when it counts and when it was written.
    pub(super) fn times(&self, at: usize) -> Option<(u64, Instant, Instant)> {
        self.rows.get(at).map(|row| (row.number, row.at, self.more(at, row).booked))
    }

    fn more(&self, at: usize, row: &Row) -> More {
        let more = if row.has_more { self.others.get(&at) } else { None };
        more.copied().unwrap_or(More { booked: row.at, stops: None })
    }

    /// The operation at a place.
    pub(super) fn get(&self, at: usize) -> Option<Arc<StoredOperation>> {
        self.rows.get(at).and_then(|row| self.stored(at, row))
    }

    /// The operations above a number.
    pub(super) fn after(&self, number: u64) -> impl Iterator<Item = Arc<StoredOperation>> {
        let place = self.place_after(number);
        (place..).zip(self.rows.from(place)).filter_map(|(at, row)| self.stored(at, row))
    }

    /// Every idempotency key, with the number of the operation that it leads to, and whether that stops it.
    pub(super) fn keys(&self) -> impl Iterator<Item = (KeyHash, u64, bool)> {
        let all = self.rows.from(0).enumerate();
        all.flat_map(move |(at, row)| {
            [false, true].into_iter().filter_map(move |stops| Some((self.key(at, stops)?, row.number, stops)))
        })
    }

    /// How the index of keys disagrees with the operations.
    pub(super) fn faults(&self) -> Vec<String> {
        let (mut there, mut found) = (0_usize, 0_usize);
        for (key, number, stops) in self.keys() {
            there += 1;
            let row = self.bound(&key).filter(|bound| bound.stops() == stops);
            let row = row.and_then(|bound| self.rows.get(bound.place()));
            found += usize::from(row.is_some_and(|row| row.number == number));
        }
        let index = self.keys.len();
        if (there, there) == (found, index) {
            return Vec::new();
        }
        vec![format!("the index of idempotency keys has {index}, and leads to {found} of {there}")]
    }

    /// The place of the next one, if it fits: to be known before anything is written.
    pub(super) fn room(&self) -> Result<u32, StoreError> {
        let next = u32::try_from(self.len()).ok();
        next.filter(|_| Bound::new(self.len(), false).is_some()).ok_or_else(full)
    }

    /// Appends an operation. Its keys lead nowhere yet.
    pub(super) fn push(
        &mut self,
        number: u64,
        operation: &Operation,
        after: &[Tally],
    ) -> Result<(), StoreError> {
        let Operation { id, kind, at, booked, key, stops, receipt, events, .. } = operation;
        let origin = self.origins.note(operation).ok_or_else(full)?;
        let is_narrow = after.iter().flat_map(numbers).all(|number| u32::try_from(number).is_ok());
        let tally = if is_narrow { 12 } else { 24 };
        let sizes = [receipt.len(), events.len(), after.len().saturating_mul(tally)];
        let [receipt_size, events_size, tallies] =
            sizes.map(|bytes| u32::try_from(bytes).map_err(|_| full()));
        let (receipt_size, events_size, tallies) = (receipt_size?, events_size?, tallies?);
        let (bytes, room) = self.bytes.room(sizes.into_iter().sum()).ok_or_else(full)?;
        room.extend_from_slice(receipt);
        room.extend_from_slice(events);
        pack(after, is_narrow, room);
        let place = self.len();
        let has_more = stops.is_some() || booked != at;
        if has_more {
            std::hint::cold_path();
            self.others.insert(place, More { booked: *booked, stops: *stops });
        }
        let is_keyed = key.is_some();
        let (key, fingerprint) = key.unwrap_or_default();
        self.rows.push(Row {
            number,
            id: *id,
            at: *at,
            key,
            fingerprint,
            bytes,
            receipt: receipt_size,
            events: events_size,
            tallies,
            origin,
            kind: *kind,
            is_keyed,
            has_more,
            is_narrow,
        });
        for (key, is_there, stops) in
            [(key, is_keyed, false), (stops.unwrap_or_default(), stops.is_some(), true)]
        {
            if is_there && let Some(bound) = Bound::new(place, stops) {
                self.keys.add(&self.scatter.of(&key), bound.0);
            }
        }
        Ok(())
    }

    fn stored(&self, at: usize, row: &Row) -> Option<Arc<StoredOperation>> {
        let mut rest = self.bytes.get(row.bytes);
        let mut next = |size: u32| rest.split_off(..size as usize).map(<[u8]>::to_vec);
        let (receipt, events, tallies) = (next(row.receipt)?, next(row.events)?, next(row.tallies)?);
        let Origin { actor, place, channel, reason } = self.origins.all.get(row.origin as usize)?.clone();
        let More { booked, stops } = self.more(at, row);
        let Row { number, id, at, kind, .. } = *row;
        let key = row.is_keyed.then_some((row.key, row.fingerprint));
        let operation =
            Operation { id, kind, actor, place, channel, reason, at, booked, key, stops, receipt, events };
        Some(Arc::new(StoredOperation { number, operation, after: unpack(&tallies, row.is_narrow) }))
    }
}

/// By whom, where, through which channel and why: the same for very many operations.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Origin {
    actor: Arc<str>,
    place: Option<Arc<str>>,
    channel: Option<Arc<str>>,
    reason: Option<Arc<str>>,
}

impl Origin {
    fn of(operation: &Operation) -> Self {
        let Operation { actor, place, channel, reason, .. } = operation;
        Self {
            actor: Arc::clone(actor),
            place: place.clone(),
            channel: channel.clone(),
            reason: reason.clone(),
        }
    }

    /// Whether an operation's are the very same texts.
    fn is(&self, other: &Operation) -> bool {
        let same = |one: &Option<Arc<str>>, other: &Option<Arc<str>>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        Arc::ptr_eq(&self.actor, &other.actor)
            && same(&self.place, &other.place)
            && same(&self.channel, &other.channel)
            && same(&self.reason, &other.reason)
    }
}

/// The origins there are, each once.
#[derive(Default)]
struct Origins {
    all: Vec<Origin>,
    places: HashMap<Origin, u32>,
    /// Those that came last: a till is asked again and again.
    recent: Vec<u32>,
    next: usize,
}

impl Origins {
    const RECENT: usize = 8;

    /// The place of an operation's origin; nothing, if there is no number left for it.
    fn note(&mut self, operation: &Operation) -> Option<u32> {
        let is = |at: &&u32| self.all.get(**at as usize).is_some_and(|kept| kept.is(operation));
        if let Some(at) = self.recent.iter().find(is) {
            return Some(*at);
        }
        std::hint::cold_path();
        let origin = Origin::of(operation);
        let at = match self.places.get(&origin) {
            Some(at) => *at,
            None => {
                let at = u32::try_from(self.all.len()).ok()?;
                self.places.insert(origin.clone(), at);
                self.all.push(origin);
                at
            }
        };
        match self.recent.get_mut(self.next % Self::RECENT) {
            Some(oldest) => *oldest = at,
            None => self.recent.push(at),
        }
        self.next += 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    fn operation(n: u8) -> Operation {
        Operation {
            place: n.is_multiple_of(2).then(|| "Oxford Street".into()),
            key: n.is_multiple_of(3).then_some(([n; 16], [9; 16])),
            stops: n.is_multiple_of(4).then_some([200 + n; 16]),
            booked: Instant::from_micros((n % 5).into()).unwrap(),
            receipt: vec![n; n.into()],
            events: vec![n; 3],
            ..Operation::new(OperationId::from_bytes([n; 16]), Kind::Redeem, "till 7", Instant::EPOCH)
        }
    }

    /// D-1, R-5: an operation comes back as it was, by its number and by the keys that it bears or stops.
    #[test]
    fn operations_come_back() {
        let mut journal = Journal::default();
        let after = |n: u8| {
            let least = [0, i64::MIN, -1, 0][usize::from(n % 4)];
            let most = [u32::MAX.into(), 0, 1, i64::from(u32::MAX) + 1][usize::from(n % 4)];
            vec![Tally { used: least, held: n.into(), limit: most }; (n % 3).into()]
        };
        for n in 0..50_u8 {
            journal.push(u64::from(n) * 7, &operation(n), &after(n)).unwrap();
        }
        assert_eq!((journal.len(), journal.place(8), journal.faults()), (50, None, Vec::new()));
        for n in 0..50_u8 {
            let place = journal.place(u64::from(n) * 7).unwrap();
            let stored = journal.get(place).unwrap();
            let wanted =
                StoredOperation { number: u64::from(n) * 7, operation: operation(n), after: after(n) };
            assert_eq!(format!("{stored:?}"), format!("{wanted:?}"));
            assert_eq!(journal.find(&[n; 16]), n.is_multiple_of(3).then_some((place, false)));
            assert_eq!(journal.find(&[200 + n; 16]), n.is_multiple_of(4).then_some((place, true)));
        }
        assert_eq!(journal.after(7 * 47).map(|stored| stored.number).collect::<Vec<_>>(), [7 * 48, 7 * 49]);
        assert_eq!(journal.keys().count(), 17 + 13);
        assert_eq!(journal.origins.all.len(), 2);
    }

    /// D-7: an index that leads elsewhere is told.
    #[test]
    fn an_index_that_disagrees_is_told() {
        let mut journal = Journal::default();
        for n in 1..9 {
            journal.push(n.into(), &operation(n), &[]).unwrap();
        }
        journal.keys = Index::default();
        assert_eq!(journal.faults(), ["the index of idempotency keys has 0, and leads to 0 of 4"]);
    }

    /// D-1: places have 31 bits, and the last of them is one.
    #[test]
    fn places_have_31_bits() {
        let all = Index::LAST as usize >> 1;
        let last = Bound::new(all - 1, true).unwrap();
        assert_eq!((last.place(), last.stops()), (all - 1, true));
        assert!(last.0 < Index::LAST && Bound::new(all, false).is_none());
    }
}

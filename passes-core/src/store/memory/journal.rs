//! The operations, kept small: a redemption leaves one, and touching memory for the first time costs as much as
//! deciding it.

use super::chunks::{At, Bytes, Chunks};
use super::index::Index;
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
    keys: Index,
}

/// What of an operation has one size.
struct Row {
    number: u64,
    id: OperationId,
    at: Instant,
    booked: Instant,
    key: Option<(KeyHash, Fingerprint)>,
    stops: Option<KeyHash>,
    kind: Kind,
    /// Into [`Origins::all`].
    origin: u32,
    /// Where receipt, events and tallies are, one behind the other; and how many bytes of each.
    bytes: At,
    receipt: u32,
    events: u32,
    tallies: u32,
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

impl Row {
    fn key(&self, stops: bool) -> Option<KeyHash> {
        if stops { self.stops } else { self.key.map(|(key, _)| key) }
    }
}

/// A tally in bytes.
const TALLY: usize = 24;

fn pack(tally: &Tally, into: &mut Vec<u8>) {
    for number in [tally.used, tally.held, tally.limit] {
        into.extend_from_slice(&number.to_le_bytes());
    }
}

fn unpack(bytes: &[u8]) -> Vec<Tally> {
    let (tallies, _) = bytes.as_chunks::<TALLY>();
    let tally = |tally: &[u8; TALLY]| match tally.as_chunks::<8>().0 {
        [used, held, limit] => Tally {
            used: i64::from_le_bytes(*used),
            held: i64::from_le_bytes(*held),
            limit: i64::from_le_bytes(*limit),
        },
        _ => Tally::default(),
    };
    tallies.iter().map(tally).collect()
}

fn full() -> StoreError {
    StoreError::Full("a business has some 2^31 operations at most in memory, and 4 GiB of each".into())
}

impl Journal {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn bound(&self, key: &KeyHash) -> Option<Bound> {
        let of = |at: u32| self.rows.get(Bound(at).place())?.key(Bound(at).stops());
        self.keys.find(key, |at| of(at).as_ref() == Some(key)).map(Bound)
    }

    /// Has what [`Journal::find`] looks at fetched.
    pub(super) fn touch(&self, key: &KeyHash) {
        self.keys.touch(key);
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
        self.rows.get(at).map(|row| (row.number, row.at, row.booked))
    }

    /// The operation at a place.
    pub(super) fn get(&self, at: usize) -> Option<Arc<StoredOperation>> {
        self.rows.get(at).and_then(|row| self.stored(row))
    }

    /// The operations above a number.
    pub(super) fn after(&self, number: u64) -> impl Iterator<Item = Arc<StoredOperation>> {
        self.rows.from(self.place_after(number)).filter_map(|row| self.stored(row))
    }

    /// Every idempotency key, with the number of the operation that it leads to, and whether that stops it.
    pub(super) fn keys(&self) -> impl Iterator<Item = (KeyHash, u64, bool)> {
        let of = |row: &Row, stops: bool| row.key(stops).map(|key| (key, row.number, stops));
        self.rows.from(0).flat_map(move |row| [of(row, false), of(row, true)]).flatten()
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
        operation: Operation,
        after: &[Tally],
    ) -> Result<(), StoreError> {
        let Operation { id, kind, actor, place, channel, reason, at, booked, key, stops, receipt, events } =
            operation;
        let origin = self.origins.note(Origin { actor, place, channel, reason }).ok_or_else(full)?;
        let sizes = [receipt.len(), events.len(), after.len().saturating_mul(TALLY)];
        let size = |bytes: usize| u32::try_from(bytes).map_err(|_| full());
        let (bytes, room) = self.bytes.room(sizes.into_iter().sum()).ok_or_else(full)?;
        room.extend_from_slice(&receipt);
        room.extend_from_slice(&events);
        after.iter().for_each(|tally| pack(tally, room));
        let [receipt, events, tallies] = sizes.map(size);
        let (receipt, events, tallies) = (receipt?, events?, tallies?);
        let place = self.len();
        let row = Row { number, id, at, booked, key, stops, kind, origin, bytes, receipt, events, tallies };
        let of = [(row.key(false), false), (row.key(true), true)];
        self.rows.push(row);
        for (key, stops) in of {
            if let (Some(key), Some(bound)) = (key, Bound::new(place, stops)) {
                self.keys.add(&key, bound.0);
            }
        }
        Ok(())
    }

    fn stored(&self, row: &Row) -> Option<Arc<StoredOperation>> {
        let mut rest = self.bytes.get(row.bytes);
        let mut next = |size: u32| rest.split_off(..size as usize).map(<[u8]>::to_vec);
        let (receipt, events, tallies) = (next(row.receipt)?, next(row.events)?, next(row.tallies)?);
        let Origin { actor, place, channel, reason } = self.origins.all.get(row.origin as usize)?.clone();
        let Row { number, id, at, booked, key, stops, kind, .. } = *row;
        let operation =
            Operation { id, kind, actor, place, channel, reason, at, booked, key, stops, receipt, events };
        Some(Arc::new(StoredOperation { number, operation, after: unpack(&tallies) }))
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
    /// Whether these are the very same texts.
    fn is(&self, other: &Self) -> bool {
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

    /// The place of an origin; nothing, if there is no number left for it.
    fn note(&mut self, origin: Origin) -> Option<u32> {
        let is = |at: &&u32| self.all.get(**at as usize).is_some_and(|kept| kept.is(&origin));
        if let Some(at) = self.recent.iter().find(is) {
            return Some(*at);
        }
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
            receipt: vec![n; n.into()],
            events: vec![n; 3],
            ..Operation::new(OperationId::from_bytes([n; 16]), Kind::Redeem, "till 7", Instant::EPOCH)
        }
    }

    /// D-1, R-5: an operation comes back as it was, by its number and by the keys that it bears or stops.
    #[test]
    fn operations_come_back() {
        let mut journal = Journal::default();
        let after = |n: u8| vec![Tally { used: i64::MIN, held: n.into(), limit: i64::MAX }; (n % 3).into()];
        for n in 0..50_u8 {
            journal.push(u64::from(n) * 7, operation(n), &after(n)).unwrap();
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
            journal.push(n.into(), operation(n), &[]).unwrap();
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

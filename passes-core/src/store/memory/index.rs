//! Where rows are, by keys that are random already.

use crate::hash::Mix;
use prefetch_index::prefetch_index;
use std::hash::{BuildHasher as _, BuildHasherDefault, RandomState};

/// A key that comes from a hash, so that a part of it is a hash of it.
pub(super) trait Random {
    /// Four bytes of it, by which it is found.
    fn part(&self) -> u32;
}

impl<const N: usize> Random for [u8; N] {
    fn part(&self) -> u32 {
        let (parts, _) = self.as_chunks::<4>();
        parts.first().map_or(0, |part| u32::from_le_bytes(*part))
    }
}

/// Makes keys random whose hashes somebody else could choose: who knows how they are hashed can find as many as they like
/// that begin alike, and each would be looked for among all of those.
pub(super) struct Scatter([u64; 2]);

impl Default for Scatter {
    fn default() -> Self {
        let secret = RandomState::new();
        Self([0, 1].map(|n: u8| secret.hash_one(n)))
    }
}

impl Scatter {
    /// A key's part that nobody foresees.
    pub(super) fn of(&self, key: &[u8; 16]) -> [u8; 8] {
        let (halves, _) = key.as_chunks::<8>();
        let mut secret = halves.iter().zip(self.0).map(|(half, secret)| u64::from_le_bytes(*half) ^ secret);
        let (one, other) = (secret.next().unwrap_or_default(), secret.next().unwrap_or_default());
        let (low, high) = one.carrying_mul(other, 0);
        // Once more: keys that differ in few bits would often stand in a row.
        BuildHasherDefault::<Mix>::default().hash_one(low ^ high).to_le_bytes()
    }
}

/// Places by key: a part of the key and a place in eight bytes, in the order of the parts but for those that had to give
/// way to others. The keys themselves stand in the rows.
///
/// Nothing of an index of a million is in the processor's cache, so what counts is how often a command waits for
/// memory: here once, and the row is known. A map that holds control bytes and entries apart lets it wait twice, and a
/// full one is made anew from the keys.
#[derive(Default)]
pub(super) struct Index {
    /// A power of two, at most three quarters of it used; nothing before the first.
    slots: Vec<Slot>,
    used: usize,
}

/// Empty, or part and place.
#[derive(Clone, Copy, Default)]
struct Slot(u64);

impl Slot {
    const NONE: Self = Self(0);

    /// One is added to the place, so that none is like an empty slot.
    fn new(part: u32, place: u32) -> Self {
        Self(u64::from(part) << 32 | (u64::from(place) + 1))
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn part(self) -> u32 {
        let [a, b, c, d, ..] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    fn place(self) -> u32 {
        let [.., a, b, c, d] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d]).wrapping_sub(1)
    }
}

impl Index {
    /// The largest place that it can hold.
    pub(super) const LAST: u32 = u32::MAX - 1;
    /// The slots that there are at first.
    const FEW: usize = 16;

    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// The slot in which a key would stand if nobody were in the way.
    fn home(&self, part: u32) -> usize {
        // The first bits of the part are the slot.
        usize::try_from((u128::from(part) * self.slots.len() as u128) >> 32).unwrap_or_default()
    }

    /// Has fetched where a key is, or would go, without waiting for it.
    pub(super) fn touch<K: Random>(&self, key: &K) {
        prefetch_index(&self.slots, self.home(key.part()));
    }

    /// The first place that a key may have, by a part of it: nearly always its place, if it has one.
    pub(super) fn likely<K: Random>(&self, key: &K) -> Option<u32> {
        self.find(key, |_| true)
    }

    /// The place of a key, which `is` recognises.
    pub(super) fn find<K: Random>(&self, key: &K, is: impl Fn(u32) -> bool) -> Option<u32> {
        let part = key.part();
        let (before, from) = self.slots.split_at_checked(self.home(part))?;
        for slot in [from, before].into_iter().flatten() {
            if slot.is_empty() {
                break;
            }
            if slot.part() == part && is(slot.place()) {
                return Some(slot.place());
            }
        }
        None
    }

    /// Adds the place of a key that isn't there.
    pub(super) fn add<K: Random>(&mut self, key: &K, place: u32) {
        if self.used >= self.slots.len() / 4 * 3 {
            std::hint::cold_path();
            let larger = vec![Slot::NONE; (self.slots.len() * 2).max(Self::FEW)];
            let all = std::mem::replace(&mut self.slots, larger);
            all.into_iter().filter(|slot| !slot.is_empty()).for_each(|slot| self.put(slot));
        }
        self.put(Slot::new(key.part(), place));
        self.used += 1;
    }

    fn put(&mut self, slot: Slot) {
        let home = self.home(slot.part());
        let (before, from) = self.slots.split_at_mut(home);
        if let Some(free) = from.iter_mut().chain(before).find(|slot| slot.is_empty()) {
            *free = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1, R-5: keys that begin and end alike, because somebody chose them so, stand as far apart as any.
    #[test]
    fn chosen_keys_are_scattered() {
        for (like, differs) in [(0, 0), (0, 7), (0xFF, 8), (0xFF, 15)] {
            let scatter = Scatter::default();
            let key = |n: u8| std::array::from_fn(|at| if at == differs { n } else { like });
            let parts = (0..=255).map(|n| scatter.of(&key(n)).part() >> 24);
            let places: std::collections::BTreeSet<_> = parts.collect();
            // Of 256 thrown into as many places some 162 are met, give or take six.
            assert!(places.len() > 100, "{}", places.len());
        }
    }

    /// D-1: every key is found where it was put and nowhere else, however many there are, and also where parts of keys
    /// are the same or run over the end.
    #[test]
    fn keys_are_found() {
        let random = |n: u32| *blake3::hash(&n.to_le_bytes()).as_bytes();
        let alike = |n: u32| std::array::from_fn(|at| if at < 8 { 0xFF } else { random(n)[at] });
        for key in [&random as &dyn Fn(u32) -> [u8; 32], &alike] {
            let mut index = Index::default();
            let find = |index: &Index, n: u32| index.find(&key(n), |place| key(place) == key(n));
            for n in 0..2_000 {
                assert_eq!((find(&index, n), index.len()), (None, usize::try_from(n).unwrap()));
                index.add(&key(n), n);
                assert_eq!(find(&index, n), Some(n));
                // The first that it may be is found by a part of it, and is there.
                assert!(index.likely(&key(n)).is_some_and(|likely| likely <= n));
            }
            assert!((0..2_000).all(|n| find(&index, n) == Some(n)) && find(&index, 2_000).is_none());
        }
    }

    /// D-1: the first place and the last are places.
    #[test]
    fn all_places_are_places() {
        let mut index = Index::default();
        for (key, place) in [([0; 16], 0), ([0xFF; 16], Index::LAST)] {
            index.add(&key, place);
            assert_eq!(index.find(&key, |_| true), Some(place));
        }
        let slot = Slot::new(u32::MAX, Index::LAST);
        assert_eq!((slot.part(), slot.place(), slot.is_empty()), (u32::MAX, Index::LAST, false));
    }
}

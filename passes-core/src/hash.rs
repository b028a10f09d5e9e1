//! A hash for keys that are random already.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are ids, digests or hashes.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// A set of such keys.
pub(crate) type Set<K> = HashSet<K, BuildHasherDefault<Mix>>;

/// Folds a key eight bytes at a time with one multiplication each.
///
/// Digests and ids come from keyed hashes and cryptographic streams: nobody outside chooses them, so nothing
/// stronger is needed. Every byte counts all the same, because the ids of one lot's passes differ only in the
/// last four, and those of numbered documents in the last few.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mix(u64);

impl Mix {
    fn fold(&mut self, part: u64) {
        // Digits of π and of the golden ratio: numbers without a pattern.
        let (low, high) = (self.0 ^ part ^ 0x243F_6A88_85A3_08D3).carrying_mul(0x9E37_79B9_7F4A_7C15, 0);
        self.0 = low ^ high;
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (parts, rest) = bytes.as_chunks::<8>();
        for part in parts {
            self.fold(u64::from_le_bytes(*part));
        }
        for byte in rest {
            self.fold(u64::from(*byte));
        }
    }

    // The length that arrays write before their bytes: all keys of one map have the same.
    fn write_usize(&mut self, _: usize) {}

    // The variant of an enum.
    fn write_isize(&mut self, variant: isize) {
        self.write(&variant.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::LotId;
    use crate::store::{DocKey, DocKind};
    use std::hash::{BuildHasher, Hash};

    fn spread(keys: impl Iterator<Item = impl Hash>) -> usize {
        let build = BuildHasherDefault::<Mix>::default();
        let mut buckets = vec![0_usize; 1 << 12];
        for key in keys {
            let hash = build.hash_one(key);
            buckets[usize::try_from(hash & 0xFFF).unwrap()] += 1;
        }
        buckets.into_iter().max().unwrap()
    }

    /// D-1: serial numbers and numbered documents, the least random keys there are, still spread evenly: on
    /// average one falls into each bucket.
    #[test]
    fn neighbours_spread() {
        let lot: LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        assert!(spread((1..=4096).map(|serial| lot.pass(serial))) < 12);
        assert!(spread((1..=4096).map(|n| DocKey::numbered(DocKind::Reversal, n))) < 12);
        assert!(spread((0..4096_u16).map(|slot| ([7_u8; 16], slot))) < 12);
    }
}

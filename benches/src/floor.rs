//! The compact-store floor: what redeeming costs in memory when nothing is kept but 64 bytes a pass and a ledger row.
//!
//! One thread, no lock, no rules but validity and uses, no business, wallet, key or event: the hash of the code,
//! one look-up, one record changed in place, one row appended. What a library can't go below, not what it must be.

use hashbrown::HashTable;
use std::hint::black_box;

/// A pass in one cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Record {
    hash: [u8; 16],
    plan: u32,
    lot: u32,
    serial: u64,
    from: u32,
    to: u32,
    value: i64,
    wallet: u64,
    used: u16,
    limit: u16,
    state: u8,
    flags: u8,
}

const _: () = assert!(size_of::<Record>() == 64);

/// A row of the ledger: pass, wallet, amount, moment.
type Row = (u64, u64, i64, u64);

/// Records, the index from hash to record, and the ledger.
pub(crate) struct Floor {
    records: Vec<Record>,
    index: HashTable<u32>,
    ledger: Vec<Row>,
    key: [u8; 32],
}

/// The place of a hash in the index: it is random already.
fn place(hash: &[u8; 16]) -> u64 {
    let (first, _) = hash.as_chunks::<8>();
    first.first().map_or(0, |first| u64::from_le_bytes(*first))
}

impl Floor {
    /// The hash of a pass's code, as a till would come to it.
    pub(crate) fn code(number: u32) -> [u8; 16] {
        let hash = blake3::hash(&number.to_le_bytes());
        hash.as_bytes().as_chunks::<16>().0.first().copied().unwrap_or_default()
    }

    /// So many passes of a single use, with the codes of the numbers below it. The ledger grows, as that of a shop.
    pub(crate) fn new(count: u32) -> Self {
        let size = usize::try_from(count).unwrap_or_default();
        let mut records: Vec<Record> = Vec::with_capacity(size);
        let mut index = HashTable::with_capacity(size);
        for number in 0..count {
            let hash = Self::code(number);
            records.push(Record {
                hash,
                plan: number % 50,
                lot: 1,
                serial: number.into(),
                from: 0,
                to: u32::MAX,
                value: 2_500,
                wallet: 0,
                used: 0,
                limit: 1,
                state: 0,
                flags: 0,
            });
            let rehash = |at: &u32| records.get(*at as usize).map_or(0, |record| place(&record.hash));
            index.insert_unique(place(&hash), number, rehash);
        }
        Self { records, index, ledger: Vec::new(), key: [7; 32] }
    }

    /// Hashes, finds, checks, changes, books. False is refused.
    #[inline]
    pub(crate) fn redeem(&mut self, code: &[u8; 16], now: u32) -> bool {
        black_box(blake3::keyed_hash(&self.key, code));
        let records = &mut self.records;
        let same = |at: &u32| records.get(*at as usize).is_some_and(|record| record.hash == *code);
        let Some(at) = self.index.find(place(code), same).copied() else { return false };
        let Some(record) = records.get_mut(at as usize) else { return false };
        if record.from > now || record.to <= now || record.used >= record.limit {
            return false;
        }
        record.used += 1;
        record.state = 3;
        record.wallet = 9;
        self.ledger.push((at.into(), record.wallet, record.value, now.into()));
        true
    }

    /// What the records say that was redeemed, and what the ledger says.
    #[cfg(test)]
    fn totals(&self) -> (i64, i64) {
        let by_records = self.records.iter().map(|record| i64::from(record.used) * record.value).sum();
        (by_records, self.ledger.iter().map(|row| row.2).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pass_is_redeemed_once() {
        let mut floor = Floor::new(1_000);
        assert!((0..1_000).all(|number| floor.redeem(&Floor::code(number), 100)));
        assert!((0..1_000).all(|number| !floor.redeem(&Floor::code(number), 100)));
        assert!(!floor.redeem(&Floor::code(1_000), 100));
        assert_eq!(floor.totals(), (2_500_000, 2_500_000));
    }
}

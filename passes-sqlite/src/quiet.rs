//! Where a business has no operations.
//!
//! Operations have no index by business: it would cost each redemption a page. So whoever follows the events of a
//! quiet business in a busy file reads past those of all others. What was read past once needn't be again: numbers
//! only grow, and nothing is ever committed below the last one.

use crate::connection::Db;
use crate::errors::Fault;
use crate::slot::lock;
use passes_core::id::BusinessId;
use passes_core::store::StoredOperation;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Businesses that are remembered.
const BUSINESSES: usize = 4_096;

const LAST: &str = "SELECT ifnull(max(number),0) FROM operation";

/// For each business a stretch of numbers above the first and up to the second, none of which is its own.
#[derive(Default)]
pub(crate) struct Quiet(Mutex<HashMap<BusinessId, (u64, u64)>>);

impl Quiet {
    /// Operations above a number, in order.
    pub(crate) fn events(
        &self,
        db: &Db,
        business: BusinessId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arc<StoredOperation>>, Fault> {
        let found = db.events(business, self.beyond(business, after), limit)?;
        if u32::try_from(found.len()).is_ok_and(|count| count < limit) {
            // All there are. The last number is of the same moment.
            let last: i64 = db.statement(LAST)?.query_row([], |row| row.get(0))?;
            let last = u64::try_from(last).map_err(|_| Fault::corrupt("a number"))?;
            self.learn(business, found.last().map_or(after, |last| last.number), last);
        }
        Ok(found)
    }

    /// Where to begin looking.
    fn beyond(&self, business: BusinessId, after: u64) -> u64 {
        match lock(&self.0).get(&business) {
            Some((from, to)) if (from..=to).contains(&&after) => *to,
            _ => after,
        }
    }

    fn learn(&self, business: BusinessId, from: u64, to: u64) {
        if from < to {
            let mut stretches = lock(&self.0);
            if stretches.len() >= BUSINESSES {
                stretches.clear();
            }
            stretches.insert(business, (from, to));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::migrate;
    use passes_core::calendar::Instant;
    use passes_core::id::Id;
    use passes_core::operation::Kind;
    use passes_core::store::{Change, Operation};
    use std::sync::atomic::{AtomicU64, Ordering};

    fn business(number: u8) -> BusinessId {
        BusinessId::from_bytes([number; 16])
    }

    /// Leaves operations of a business.
    fn operate(db: &Db, number: u8, count: usize) {
        let operation = || Operation::new(Id::from_bytes([5; 16]), Kind::Redeem, "till", Instant::EPOCH);
        db.run("BEGIN").unwrap();
        let mut numbers = None;
        for _ in 0..count {
            let change = Change { operation: Some(operation()), ..Change::new(business(number)) };
            assert!(db.apply(&change, None, &mut numbers).unwrap().is_ok());
        }
        db.run("COMMIT").unwrap();
    }

    /// E-1: who follows a quiet business in a busy file reads past the others' operations once, and misses nothing.
    #[test]
    fn what_was_read_past_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut db = Db::for_writing(&folder.path().join("shop.db")).unwrap();
        migrate(&db.sql).unwrap();
        // Hundreds of SQLite's steps.
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        db.sql.progress_handler(100, Some(count)).unwrap();
        let quiet = Quiet::default();
        let poll = |after, limit| {
            let before = steps.load(Ordering::Relaxed);
            let found = quiet.events(&db, business(1), after, limit).unwrap();
            let numbers: Vec<u64> = found.iter().map(|operation| operation.number).collect();
            (numbers, steps.load(Ordering::Relaxed) - before)
        };

        operate(&db, 1, 2);
        operate(&db, 2, 5_000);
        let (found, cost) = poll(0, 9);
        assert_eq!(found, [1, 2]);
        assert!(cost > 100, "{cost}");
        for _ in 0..3 {
            let (found, cost) = poll(2, 9);
            assert!(found.is_empty() && cost < 10, "{found:?}, {cost}");
        }
        operate(&db, 2, 10);
        operate(&db, 1, 2);
        operate(&db, 2, 10);
        let (found, cost) = poll(2, 9);
        assert!(found == [5_013, 5_014] && cost < 10, "{found:?}, {cost}");
        // From wherever somebody else goes on, the same is found.
        assert_eq!(poll(0, 9).0, [1, 2, 5_013, 5_014]);
        assert_eq!(poll(1, 2).0, [2, 5_013]);
        assert_eq!(poll(3_000, 9).0, [5_013, 5_014]);
        assert_eq!(poll(5_013, 9).0, [5_014]);
        assert_eq!(poll(5_014, 9).0, [0_u64; 0]);
        assert_eq!(poll(9_000, 9).0, [0_u64; 0]);
        assert_eq!(poll(2, 0).0, [0_u64; 0]);
        // Beyond the last number nothing is known.
        operate(&db, 1, 1);
        assert_eq!(poll(5_014, 9).0, [5_025]);
        assert_eq!(poll(5_024, 9).0, [5_025]);
    }

    /// Z-3: what is remembered is bounded.
    #[test]
    fn memory_is_bounded() {
        let quiet = Quiet::default();
        for n in 0..10_000_u32 {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            quiet.learn(BusinessId::from_bytes(bytes), 0, 7);
        }
        assert!(lock(&quiet.0).len() <= BUSINESSES);
    }
}

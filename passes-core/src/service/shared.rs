//! Tallies that many commands share: what was made from a plan, the codes of a format.
//!
//! Where many commands commit at once each would wait for the row that the one before it wrote. So such a tally
//! stands in slots ([`Store::slots`](crate::store::Store::slots)), each a row of its own, and the commands of a process
//! begin with one after the other. The slots' shares of a cap add up to it: what every slot keeps, all keep together. That rests on caps
//! that never fall (P-11).

use super::engine::View;
use crate::calendar::Instant;
use crate::pass::Tally;
use crate::store::{Add, Change, TallyKey};
use std::sync::atomic::{AtomicU16, Ordering};

/// The id of a tally that many share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shared(pub(crate) [u8; 16]);

impl Shared {
    pub(crate) fn slot(self, slot: u16) -> TallyKey {
        TallyKey::Named(self.0, slot)
    }

    /// All its slots, where a store has so many.
    pub(crate) fn slots(self, count: u16) -> impl Iterator<Item = TallyKey> {
        (0..count).map(move |slot| self.slot(slot))
    }
}

/// Which slot the next command begins with. Those that are under way at the same moment should take different ones: in
/// PostgreSQL each that waits for another's row then judges its whole statement again.
pub(crate) struct Turn(AtomicU16);

impl Turn {
    /// Two that are opened at the same time, but not in the same microsecond, don't begin with the same one.
    pub(crate) fn beginning(now: Instant) -> Self {
        let [.., high, low] = now.micros().to_be_bytes();
        Self(AtomicU16::new(u16::from_be_bytes([high, low])))
    }

    fn next(&self) -> u16 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl View<'_> {
    /// What the slots of a tally had come to when they were loaded.
    pub(crate) fn made(&self, of: Shared) -> i64 {
        self.loaded_slots(of).iter().map(|tally| tally.used).fold(0, i64::saturating_add)
    }

    /// Counts, within a cap; whether the cap has room for it was judged before, and is again by the commit. What is
    /// taken back is taken from slots that have it: they must have been loaded, where there is more than one.
    pub(crate) fn count(&self, change: &mut Change, of: Shared, count: i64, cap: Option<i64>) {
        let slots = self.slots();
        // One for all that a command counts: who waits for one of them need not wait for the next.
        let first = *self.slot.get_or_init(|| self.inner.turn.next()) % slots;
        let limit = |slot| cap.map_or(i64::MAX, |cap| share(cap, slots, slot));
        let loaded = self.loaded_slots(of);
        let mut left = count;
        for slot in (first..slots).chain(0..first) {
            let key = of.slot(slot);
            let counted = change.tally.iter().find(|add| add.key == key).map_or(0, |add| add.used);
            let used = loaded.get(usize::from(slot)).map_or(0, |tally| tally.used).saturating_add(counted);
            let room = limit(slot).saturating_sub(used).max(0);
            let part = if left > 0 { left.min(room) } else { left.max(-used.max(0)) };
            add(change, key, part, limit(slot));
            left -= part;
        }
        // It was not loaded, or there is no room any more: the commit tells.
        add(change, of.slot(first), left, limit(first));
    }

    fn slots(&self) -> u16 {
        self.inner.store.slots().max(1)
    }

    /// The slots of a tally as they were loaded: all of them in order, or none.
    fn loaded_slots(&self, of: Shared) -> &[Tally] {
        let at = self.tallies.iter().position(|loaded| *loaded == of.slot(0));
        let slots = at.and_then(|at| self.loaded.tallies.get(at..)?.get(..usize::from(self.slots())));
        slots.unwrap_or_default()
    }
}

/// A change names a tally once.
fn add(change: &mut Change, key: TallyKey, used: i64, limit: i64) {
    if used == 0 {
        return;
    }
    match change.tally.iter_mut().find(|add| add.key == key) {
        Some(add) => add.used = add.used.saturating_add(used),
        None => change.tally.push(Add { limit: Some(limit), ..Add::used(key, used) }),
    }
}

/// A slot's share of a cap. It doesn't fall when the cap is raised.
fn share(cap: i64, slots: u16, slot: u16) -> i64 {
    let (slots, slot) = (i64::from(slots.max(1)), i64::from(slot));
    cap / slots + i64::from(slot < cap % slots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// P-15: the shares add up to the cap, and none falls when it is raised.
        #[test]
        fn shares_add_up(cap in 0..i64::MAX, more in 0..1_000_i64, slots in 1..64_u16) {
            let all = |cap| (0..slots).map(move |slot| share(cap, slots, slot));
            prop_assert_eq!(all(cap).map(i128::from).sum::<i128>(), i128::from(cap));
            let raised = cap.saturating_add(more);
            prop_assert!(all(cap).zip(all(raised)).all(|(was, is)| was <= is));
        }
    }
}

//! Operations that are there twice, though each has a number of its own: a command that landed two times has left
//! the same id twice.

use std::collections::{BTreeMap, HashSet};

type OperationBytes = [u8; 16];

/// For how long ids are kept, in milliseconds: commands land soon after they got their time.
const WINDOW: u64 = 10_000;

/// Finds ids that come again.
///
/// An id begins with the moment of its command, and operations come nearly in the order of time, so only those
/// of the last seconds are kept. One from before that (a clock was set back) is kept apart, and everything is
/// read again to see whether it is there twice.
#[derive(Default)]
pub(super) struct Twice {
    by_time: BTreeMap<u64, Vec<OperationBytes>>,
    recent: HashSet<OperationBytes>,
    late: HashSet<OperationBytes>,
    /// The late ones of the first reading, and those of them that were met in this one.
    wanted: Option<(HashSet<OperationBytes>, HashSet<OperationBytes>)>,
}

impl Twice {
    /// For reading again, if there is a need to.
    pub(super) fn again(&self) -> Option<Self> {
        let late = Some(&self.late).filter(|late| !late.is_empty() && self.wanted.is_none())?;
        Some(Self { wanted: Some((late.clone(), HashSet::new())), ..Self::default() })
    }

    /// Whether this id, of this moment, was there before, as far as is known now.
    pub(super) fn is(&mut self, id: OperationBytes, millis: u64) -> bool {
        if let Some((wanted, met)) = &mut self.wanted
            && wanted.contains(&id)
        {
            return !met.insert(id);
        }
        let newest = self.by_time.last_key_value().map_or(0, |(time, _)| *time);
        if millis.saturating_add(WINDOW) < newest {
            self.late.insert(id);
            return false;
        }
        if !self.recent.insert(id) {
            return true;
        }
        self.by_time.entry(millis).or_default().push(id);
        let newest = newest.max(millis);
        while let Some(oldest) = self.by_time.first_entry().filter(|e| e.key() + WINDOW < newest) {
            for id in oldest.remove() {
                self.recent.remove(&id);
            }
        }
        false
    }

    /// How many ids are held in memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let (wanted, met) = self.wanted.as_ref().map_or((0, 0), |(wanted, met)| (wanted.len(), met.len()));
        self.recent.len() + self.late.len() + wanted + met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(twice: &mut Twice, operations: &[(u8, u64)]) -> Vec<usize> {
        let mut found = Vec::new();
        for (at, (id, millis)) in operations.iter().enumerate() {
            if twice.is([*id; 16], *millis) {
                found.push(at);
            }
        }
        found
    }

    /// D-7: what comes again soon is found at once, what comes again late in a second reading, and memory holds
    /// only the last seconds.
    #[test]
    fn what_comes_again_is_found() {
        let soon = [(1, 100), (2, 105), (1, 100), (3, 90), (2, 105)];
        let mut twice = Twice::default();
        assert_eq!(found(&mut twice, &soon), [2, 4]);
        assert!(twice.again().is_none());

        let late = [(1, 100), (2, 50_000), (1, 100), (3, 200), (4, 50_001)];
        let mut twice = Twice::default();
        assert!(found(&mut twice, &late).is_empty());
        let mut again = twice.again().unwrap();
        assert_eq!(found(&mut again, &late), [2]);
        assert!(again.again().is_none());

        let mut twice = Twice::default();
        for n in 0..100_000_u32 {
            let [a, b, c, d] = n.to_be_bytes();
            assert!(!twice.is([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], u64::from(n) * 10));
        }
        assert!(twice.held() < 2_000, "{}", twice.held());
    }
}

//! Two sides of the same thing, compared without keeping either: what is stored in one place, and what other
//! rows make of it.
//!
//! Each thing has a random coefficient, which follows from a key that nobody knows who could write to the store.
//! What is stored is added times the coefficient, what is expected is taken away; so the sum of each of 65,536
//! buckets is zero if all in it are equal, and else is not but for one chance in 2⁶⁴. Only when a sum is not
//! zero everything is read again, and what belongs to that bucket is kept and compared one by one.

use crate::id::{ContactId, CreditId, Id, LotId, PassId};
use std::collections::BTreeMap;

const BUCKETS: usize = 1 << 16;
/// About how many things are compared one by one at most; beyond it, buckets are only counted.
const KEPT: u64 = 500_000;

/// What has two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    /// The balance of a pass, and its chain of entries.
    Pass(PassId),
    /// The balance of all passes of a lot.
    Lot(LotId),
    /// What is left of a credit, and its chain of entries.
    Credit(ContactId, CreditId),
    /// Whether a contact has credits in a currency.
    Currency(ContactId, u16),
    /// Whether a medium leads to a contact.
    Medium([u8; 16], ContactId),
    /// How many keys an operation bears, or stops.
    Key(u64, bool),
    /// How often a lot was exported.
    Exports(LotId),
    /// Whether a pass replaced another.
    Replaced(PassId, PassId),
}

impl Of {
    /// Different for each: a number for its kind, then what it is about.
    fn bytes(self) -> [u8; 34] {
        let (kind, first, second) = match self {
            Self::Pass(pass) => (1, pass.to_bytes(), [0; 16]),
            Self::Lot(lot) => (2, lot.to_bytes(), [0; 16]),
            Self::Credit(contact, credit) => (3, contact.to_bytes(), credit.to_bytes()),
            Self::Currency(contact, unit) => (4, contact.to_bytes(), u128::from(unit).to_be_bytes()),
            Self::Medium(medium, contact) => (5, medium, contact.to_bytes()),
            Self::Key(number, stops) => (6 + u8::from(stops), u128::from(number).to_be_bytes(), [0; 16]),
            Self::Exports(lot) => (8, lot.to_bytes(), [0; 16]),
            Self::Replaced(old, new) => (9, old.to_bytes(), new.to_bytes()),
        };
        let mut bytes = [0; 34];
        let parts = std::iter::once(kind).chain(first).chain(second);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }
}

/// Which of the amounts of a thing: it may have two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// The only one; of a pass its whole balance, of a credit what was paid for.
    Main,
    /// What was granted.
    Granted,
}

/// A thing, with its bucket and its coefficients.
#[derive(Clone, Copy)]
pub(super) struct At {
    of: Of,
    bucket: u16,
    main: u64,
    granted: u64,
    chain: u64,
}

/// A step of a chain, from an entry to the next.
#[derive(Clone, Copy)]
pub(super) struct Step {
    before: u64,
    number: u64,
    weight: u128,
}

/// Both sides of a thing, kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Whether its own row was read.
    pub(super) row: bool,
    /// The last entry that its row names.
    pub(super) last: u64,
    /// The last entry about it.
    pub(super) newest: u64,
    /// By lane and unit: what is stored, and what is expected.
    pub(super) sides: BTreeMap<(Lane, u16), (i128, i128)>,
}

impl Kept {
    /// What is stored and what is expected in a lane, whatever the unit.
    pub(super) fn of(&self, lane: Lane) -> (i128, i128) {
        let sides = self.sides.iter().filter(|((of, _), _)| *of == lane);
        sides.fold((0, 0), |sum, (_, side)| (sum.0 + side.0, sum.1 + side.1))
    }
}

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The things.
    pub(super) things: BTreeMap<Of, Kept>,
    /// Entries that name another than the one before them: what they name, and what was before them.
    pub(super) history: BTreeMap<u64, (u64, u64)>,
    /// How many buckets were not looked at, each with at least one thing that isn't equal.
    pub(super) others: u64,
}

enum Form {
    Summed(Vec<u128>),
    Kept { wanted: Vec<u16>, found: Found },
}

/// The sums of both sides.
pub(super) struct Sums {
    key: [u8; 32],
    units: Vec<(u16, u128)>,
    added: u64,
    form: Form,
}

impl Sums {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, units: Vec::new(), added: 0, form: Form::Summed(vec![0; BUCKETS]) }
    }

    /// The coefficients of a thing. They are worth keeping while it is at hand.
    pub(super) fn at(&self, of: Of) -> At {
        let [main, granted, chain, bucket] = self.random(&of.bytes());
        let [low, high, ..] = bucket.to_le_bytes();
        At { of, bucket: u16::from_le_bytes([low, high]), main, granted, chain }
    }

    fn random(&self, of: &[u8]) -> [u64; 4] {
        let hash = blake3::keyed_hash(&self.key, of);
        let (words, _) = hash.as_bytes().as_chunks::<8>();
        let mut random = [0; 4];
        random.iter_mut().zip(words).for_each(|(to, word)| *to = u64::from_le_bytes(*word));
        random
    }

    /// An odd number for each unit, so that amounts of one don't make up for another's.
    fn unit(&mut self, unit: u16) -> u128 {
        if let Some((_, factor)) = self.units.iter().find(|(known, _)| *known == unit) {
            return *factor;
        }
        let [random, ..] = self.random(&unit.to_be_bytes());
        let factor = u128::from(random | 1);
        self.units.push((unit, factor));
        factor
    }

    fn weigh(&mut self, at: &At, weight: u128) {
        if let Form::Summed(sums) = &mut self.form
            && let Some(sum) = sums.get_mut(usize::from(at.bucket))
        {
            *sum = sum.wrapping_add(weight);
        }
    }

    fn kept(&mut self, at: &At) -> Option<&mut Kept> {
        match &mut self.form {
            Form::Kept { wanted, found } if wanted.binary_search(&at.bucket).is_ok() => {
                Some(found.things.entry(at.of).or_default())
            }
            _ => None,
        }
    }

    fn amount(&mut self, at: &At, lane: Lane, unit: u16, stored: i128, expected: i128) {
        if stored == expected {
            return;
        }
        self.added += 1;
        let by = if lane == Lane::Main { at.main } else { at.granted };
        let amount = stored.wrapping_sub(expected).cast_unsigned();
        let weight = u128::from(by).wrapping_mul(self.unit(unit)).wrapping_mul(amount);
        self.weigh(at, weight);
        if let Some(kept) = self.kept(at) {
            let sides = kept.sides.entry((lane, unit)).or_default();
            sides.0 = sides.0.saturating_add(stored);
            sides.1 = sides.1.saturating_add(expected);
        }
    }

    /// Adds what is stored.
    pub(super) fn stored(&mut self, at: &At, lane: Lane, unit: u16, amount: i128) {
        self.amount(at, lane, unit, amount, 0);
    }

    /// Adds what other rows make of it.
    pub(super) fn expected(&mut self, at: &At, lane: Lane, unit: u16, amount: i128) {
        self.amount(at, lane, unit, 0, amount);
    }

    /// Adds one to what is stored, or to what is expected.
    pub(super) fn one(&mut self, of: Of, stored: bool) {
        let at = self.at(of);
        self.amount(&at, Lane::Main, 0, i128::from(stored), i128::from(!stored));
    }

    /// The step of a chain to an entry from the one that it names as the one before it.
    ///
    /// Each step adds its entry and takes away the one before it, the row takes away the last. It comes to zero
    /// if each entry but the last is named once, by a later one: then it is one chain from the first to the
    /// last. One that is named by an earlier one could close a circle, and is taken for another.
    pub(super) fn step(&self, before: u64, number: u64) -> Step {
        let named = if before < number { before } else { u64::MAX };
        Step { before, number, weight: self.entry(number).wrapping_sub(self.entry(named)) }
    }

    /// No entry is no step at all.
    fn entry(&self, number: u64) -> u128 {
        let [random, ..] = self.random(&number.to_be_bytes());
        if number == 0 { 0 } else { u128::from(random) }
    }

    /// Adds a step to the chain of a thing. Entries come in the order of their numbers.
    pub(super) fn link(&mut self, at: &At, step: &Step) {
        self.added += 1;
        self.weigh(at, step.weight.wrapping_mul(u128::from(at.chain)));
        let broken = self.kept(at).and_then(|kept| {
            let newest = std::mem::replace(&mut kept.newest, step.number);
            Some(newest).filter(|newest| *newest != step.before)
        });
        if let (Some(newest), Form::Kept { found, .. }) = (broken, &mut self.form) {
            found.history.entry(step.number).or_insert((step.before, newest));
        }
    }

    /// The thing's own row was read, and names this as the last entry of the chain.
    pub(super) fn row(&mut self, at: &At, last: u64) {
        self.added += 1;
        let weight = self.entry(last).wrapping_mul(u128::from(at.chain));
        self.weigh(at, weight.wrapping_neg());
        if let Some(kept) = self.kept(at) {
            (kept.row, kept.last) = (true, last);
        }
    }

    /// The sums for reading everything again, to find what is not equal; nothing if all is.
    pub(super) fn again(&self) -> Option<Self> {
        self.again_within(KEPT)
    }

    fn again_within(&self, kept: u64) -> Option<Self> {
        let Form::Summed(sums) = &self.form else { return None };
        let bad = (0..=u16::MAX).zip(sums).filter(|(_, sum)| **sum != 0).map(|(bucket, _)| bucket);
        let mut wanted: Vec<u16> = bad.collect();
        if wanted.is_empty() {
            return None;
        }
        let fits = kept.saturating_mul(1 << 16).checked_div(self.added).unwrap_or(u64::MAX).max(1);
        let all = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
        wanted.truncate(usize::try_from(fits).unwrap_or(usize::MAX));
        let others = all.saturating_sub(fits);
        let found = Found { others, ..Found::default() };
        Some(Self { key: self.key, units: Vec::new(), added: 0, form: Form::Kept { wanted, found } })
    }

    /// The same where all is equal, as far as is known: nothing is kept.
    pub(super) fn blind(&self) -> Self {
        let form = Form::Kept { wanted: Vec::new(), found: Found::default() };
        Self { key: self.key, units: Vec::new(), added: 0, form }
    }

    /// What was kept, once everything was read again.
    pub(super) fn found(self) -> Found {
        match self.form {
            Form::Summed(_) => Found::default(),
            Form::Kept { found, .. } => found,
        }
    }

    /// How many things are held in memory, besides the sums.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        match &self.form {
            Form::Summed(_) => 0,
            Form::Kept { found, .. } => found.things.len() + found.history.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::id::Ids;
    use proptest::prelude::*;

    fn lot() -> LotId {
        Ids::new(&[5; 32], Instant::EPOCH).draw_lot()
    }

    type Add = (u32, bool, bool, u16, i64);

    fn read(mut sums: Sums, adds: &[Add]) -> Sums {
        for (serial, granted, stored, unit, amount) in adds {
            let at = sums.at(Of::Pass(lot().pass(*serial)));
            let lane = if *granted { Lane::Granted } else { Lane::Main };
            if *stored {
                sums.stored(&at, lane, *unit, (*amount).into());
            } else {
                sums.expected(&at, lane, *unit, (*amount).into());
            }
        }
        sums
    }

    proptest! {
        /// D-7: sums find exactly what adding up one by one finds, whatever is added.
        #[test]
        fn sums_find_what_is_not_equal(
            adds in prop::collection::vec((1_u32..5, any::<bool>(), any::<bool>(), 1_u16..3, -3_i64..4), 0..40),
        ) {
            let mut plain: BTreeMap<_, i64> = BTreeMap::new();
            for (serial, granted, stored, unit, amount) in &adds {
                let sum = plain.entry((*serial, *granted, *unit)).or_default();
                *sum += if *stored { *amount } else { -*amount };
            }
            plain.retain(|_, sum| *sum != 0);
            let again = read(Sums::new([7; 32]), &adds).again();
            prop_assert_eq!(again.is_none(), plain.is_empty());
            let mut found = BTreeMap::new();
            if let Some(again) = again {
                for (of, kept) in read(again, &adds).found().things {
                    let Of::Pass(pass) = of else { panic!("{of:?}") };
                    for ((lane, unit), (stored, expected)) in kept.sides {
                        if stored != expected {
                            found.insert((pass.serial(), lane == Lane::Granted, unit), stored - expected);
                        }
                    }
                }
            }
            let plain: BTreeMap<_, i128> = plain.into_iter().map(|(key, sum)| (key, sum.into())).collect();
            prop_assert_eq!(found, plain);
        }

        /// D-7: a chain is whole if each entry names the one before it and the row the last, and else it is
        /// found: pointers that are swapped, entries left out, a row that is behind.
        #[test]
        fn a_chain_is_whole_or_found(
            steps in prop::collection::vec((0_u64..8, 1_u32..3), 0..8),
            lasts in prop::collection::vec(0_u64..9, 2),
            sound in any::<bool>(),
        ) {
            let (mut newest, mut whole) = ([0_u64; 2], true);
            let mut links = Vec::new();
            for (number, (before, serial)) in (1..).zip(&steps) {
                let at = usize::try_from(serial - 1).unwrap();
                let before = if sound { newest[at] } else { *before };
                whole &= before == newest[at];
                newest[at] = number;
                links.push((*serial, before, number));
            }
            let lasts = if sound { newest.to_vec() } else { lasts };
            whole &= lasts == newest;
            let read = |mut sums: Sums| {
                for (serial, before, number) in &links {
                    let (at, step) = (sums.at(Of::Pass(lot().pass(*serial))), sums.step(*before, *number));
                    sums.link(&at, &step);
                }
                for (serial, last) in (1..).zip(&lasts) {
                    let at = sums.at(Of::Pass(lot().pass(serial)));
                    sums.row(&at, *last);
                }
                sums
            };
            let again = read(Sums::new([7; 32])).again();
            prop_assert_eq!(again.is_none(), whole);
            if let Some(again) = again {
                let found = read(again).found();
                let behind = found.things.values().any(|kept| kept.last != kept.newest);
                prop_assert!(behind || !found.history.is_empty());
            }
        }
    }

    /// D-7: what is not equal in most places is not kept in memory: the rest is counted.
    #[test]
    fn what_is_kept_is_bounded() {
        let mut sums = Sums::new([7; 32]);
        let fill = |sums: &mut Sums| {
            for serial in 0..200_000 {
                sums.one(Of::Pass(lot().pass(serial)), true);
            }
        };
        fill(&mut sums);
        assert_eq!(sums.held(), 0);
        let mut again = sums.again_within(6_000).unwrap();
        fill(&mut again);
        let found = again.found();
        assert!((5_000..8_000).contains(&found.things.len()), "{}", found.things.len());
        // Each of the buckets that were not looked at has one at least.
        assert!((58_000..62_000).contains(&found.others), "{}", found.others);
    }
}

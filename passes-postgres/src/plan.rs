//! What changes come to: which row is touched how, each once, whatever says so.
//!
//! PostgreSQL judges the guards, in the statement that writes. What can be judged without looking is judged here:
//! what is no change at all, and guards that no stored row could meet.

use crate::errors::broken;
use crate::judge::{Chain, chain, check, must, twice};
use passes_core::id::{BusinessId, ContactId, CreditId, PassId};
use passes_core::ledger::{Entry, overlap};
use passes_core::pass::{CreditRow, PassRow, Tally};
use passes_core::store::{
    Add, After, Change, Claim, Doc, DocKey, Expect, KeyHash, Operation, Record, StoreError, TallyKey,
};
use std::collections::BTreeMap;

/// So many numbers a transaction has for its operations and their entries.
pub(crate) const NUMBERS: i64 = 1 << 16;

/// What is added to a tally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) used: i64,
    pub(crate) held: i64,
    pub(crate) limit: Option<i64>,
    pub(crate) from: Option<i64>,
}

impl Count {
    fn of(add: &Add) -> Self {
        Self { used: add.used, held: add.held, limit: add.limit, from: add.from }
    }
}

/// Which of a pass's tallies.
pub(crate) const USES: usize = 0;
pub(crate) const BALANCE: usize = 1;
pub(crate) const GRANTED: usize = 2;

/// A stored pass that is touched.
#[derive(Debug)]
pub(crate) struct PassTouch<'c> {
    pub(crate) id: PassId,
    /// The row to write, over this version.
    pub(crate) put: Option<(&'c PassRow, u32)>,
    /// The version that what is added rests on.
    pub(crate) version: Option<u32>,
    pub(crate) counts: [Option<Count>; 3],
    /// The last of its entries in this statement.
    pub(crate) last: Option<i64>,
    /// Whether the change that touches it leaves an operation.
    pub(crate) ordered: bool,
}

/// A stored credit that is touched.
#[derive(Debug)]
pub(crate) struct CreditTouch<'c> {
    pub(crate) key: (ContactId, CreditId),
    pub(crate) put: Option<(&'c CreditRow, u32)>,
    pub(crate) version: Option<u32>,
    pub(crate) count: Option<Count>,
    pub(crate) last: Option<i64>,
    pub(crate) ordered: bool,
}

/// Stored passes of a range whose chain goes on, and that nothing else touches.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) range: usize,
    pub(crate) first: PassId,
    pub(crate) until: PassId,
    pub(crate) last: i64,
}

/// A range of passes that entries name.
#[derive(Debug)]
pub(crate) struct Range {
    /// How many of its passes must be stored.
    pub(crate) stored: i64,
    /// Whether some are new, so that no chain may have begun.
    pub(crate) fresh: bool,
    /// Passes of it that are touched otherwise, too.
    pub(crate) touched: Vec<usize>,
}

/// A row that is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    Pass(usize),
    Credit(usize),
    Range(usize),
}

/// The entry before another of the same subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    Nothing,
    /// One of this statement.
    Here(i64),
    /// The last of a row, as it was.
    Of(Touch),
}

/// An entry to book, with its number counted from that of the statement's first operation.
#[derive(Debug)]
pub(crate) struct Booked<'c> {
    pub(crate) entry: &'c Entry,
    pub(crate) at: i64,
    pub(crate) nth: i64,
    pub(crate) before: (Before, Before),
}

/// An operation to leave.
#[derive(Debug)]
pub(crate) struct Left<'c> {
    pub(crate) operation: &'c Operation,
    pub(crate) at: i64,
    pub(crate) entries: i64,
    /// The values of its tallies.
    pub(crate) after: std::ops::Range<usize>,
}

/// The value of a tally after its addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Of a new row: known beforehand.
    Known(Tally),
    /// Of a pass that is touched.
    Pass(usize, usize),
    Credit(usize),
    Named(usize),
    /// Of one to which nothing is added.
    Judged(usize),
}

/// A named tally that is added to, or only judged.
#[derive(Debug)]
pub(crate) struct NamedTouch {
    pub(crate) id: [u8; 16],
    pub(crate) slot: u16,
    pub(crate) count: Count,
}

/// All that one statement does, for one change or several that don't touch the same.
#[derive(Debug)]
pub(crate) struct Plan<'c> {
    pub(crate) business: BusinessId,
    pub(crate) expect: Vec<(DocKey, Expect)>,
    pub(crate) seen: Vec<(DocKey, u32)>,
    pub(crate) new_docs: Vec<&'c Doc>,
    pub(crate) docs: Vec<(&'c Doc, u32)>,
    /// New passes as they are to be stored, with their last entry.
    pub(crate) new_passes: Vec<(PassRow, Option<i64>)>,
    pub(crate) passes: Vec<PassTouch<'c>>,
    pub(crate) new_credits: Vec<(CreditRow, Option<i64>)>,
    pub(crate) credits: Vec<CreditTouch<'c>>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) ranges: Vec<Range>,
    pub(crate) named: Vec<NamedTouch>,
    pub(crate) judged: Vec<NamedTouch>,
    pub(crate) claims: Vec<&'c Claim>,
    pub(crate) operations: Vec<Left<'c>>,
    /// Idempotency keys, the operation that bears or stops them, and which of the two.
    pub(crate) keys: Vec<(KeyHash, i64, bool)>,
    pub(crate) entries: Vec<Booked<'c>>,
    pub(crate) values: Vec<Value>,
    /// For each change: the place of its operation's number, and its values.
    answers: Vec<(Option<i64>, std::ops::Range<usize>)>,
    next: i64,
}

/// What a chunk of a lot makes besides its change.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fresh<'c> {
    /// In the order of their ids.
    passes: &'c [PassRow],
}

impl<'c> Fresh<'c> {
    pub(crate) fn new(passes: &'c [PassRow]) -> Self {
        Self { passes }
    }

    fn place(&self, id: PassId) -> Option<usize> {
        self.passes.binary_search_by_key(&id, |row| row.id).ok()
    }

    /// The places of those in a range.
    fn within(&self, first: PassId, until: PassId) -> std::ops::Range<usize> {
        let from = self.passes.partition_point(|row| row.id < first);
        from..self.passes.partition_point(|row| row.id <= until).max(from)
    }
}

fn int(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Judges a tally of a new row: its own numbers, and what is added to them.
fn begin(tally: &mut Tally, add: Option<&Add>) -> Result<Option<Tally>, StoreError> {
    must(tally.holds())?;
    let Some(add) = add else { return Ok(None) };
    // A row that isn't there yet has no version to rest on.
    must(add.version.is_none())?;
    let after = add.to(*tally).ok_or(StoreError::Conflict)?;
    *tally = Tally { limit: tally.limit, ..after };
    Ok(Some(*tally))
}

/// The keys of a change in the making: which row is where in the plan.
#[derive(Default)]
struct Places {
    passes: BTreeMap<PassId, usize>,
    new_passes: BTreeMap<PassId, usize>,
    credits: BTreeMap<(ContactId, CreditId), usize>,
    new_credits: BTreeMap<(ContactId, CreditId), usize>,
    ranges: BTreeMap<(PassId, PassId), usize>,
    /// The last entry booked here of a subject.
    chains: BTreeMap<Chain, i64>,
}

impl<'c> Plan<'c> {
    pub(crate) fn new(business: BusinessId) -> Self {
        Self {
            business,
            expect: Vec::new(),
            seen: Vec::new(),
            new_docs: Vec::new(),
            docs: Vec::new(),
            new_passes: Vec::new(),
            passes: Vec::new(),
            new_credits: Vec::new(),
            credits: Vec::new(),
            segments: Vec::new(),
            ranges: Vec::new(),
            named: Vec::new(),
            judged: Vec::new(),
            claims: Vec::new(),
            operations: Vec::new(),
            keys: Vec::new(),
            entries: Vec::new(),
            values: Vec::new(),
            answers: Vec::new(),
            next: 0,
        }
    }

    /// Adds a change. It must not touch what one before it touches.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for what is no change, [`StoreError::Conflict`] for a guard that can't hold. The plan is
    /// of no use then.
    pub(crate) fn add(
        &mut self,
        change: &'c Change,
        fresh: Fresh<'c>,
    ) -> Result<Vec<Option<i64>>, StoreError> {
        check(change)?;
        let mut places = Places::default();
        let ordered = change.operation.is_some();
        let from = self.values.len();
        // No document has version 0, though a row may.
        must(change.seen.iter().all(|(_, version)| *version > 0))?;
        // What is written is judged there.
        let written = |key: &DocKey| {
            change.put.iter().any(|put| matches!(&put.record, Record::Doc(doc) if doc.key == *key))
        };
        self.expect.extend(change.expect.iter().filter(|(key, _)| !written(key)).copied());
        self.seen.extend(change.seen.iter().filter(|(key, _)| !written(key)).copied());
        self.puts(change, &mut places)?;
        self.tallies(change, &mut places)?;
        self.claims.extend(&change.claim);
        let at = self.next;
        let mut lasts = vec![None; fresh.passes.len()];
        if let Some(operation) = &change.operation {
            self.entries(&change.entries, at, &mut places, fresh, &mut lasts)?;
            let (entries, after) = (int(change.entries.len()), from..self.values.len());
            self.operations.push(Left { operation, at, entries, after });
            self.keys.extend(operation.key.map(|(key, _)| (key, at, false)));
            self.keys.extend(operation.stops.map(|key| (key, at, true)));
            self.next = at.saturating_add(entries).saturating_add(1);
            if self.next > NUMBERS {
                return Err(broken("more entries than one transaction has numbers"));
            }
        }
        self.answers.push((ordered.then_some(at), from..self.values.len()));
        Ok(lasts)
    }

    /// How many numbers it uses.
    pub(crate) fn numbers(&self) -> i64 {
        self.next
    }

    /// What the changes are answered with, once the numbers and values are known.
    pub(crate) fn answers(
        &self,
        base: i64,
        value: impl Fn(Value) -> Result<Tally, StoreError>,
    ) -> Result<Vec<After>, StoreError> {
        let of = |(at, range): &(Option<i64>, std::ops::Range<usize>)| {
            let values = self.values.get(range.clone()).unwrap_or_default();
            let tallies = values.iter().map(|of| value(*of)).collect::<Result<_, _>>()?;
            let number = at.map_or(0, |at| base.saturating_add(at));
            let operation = u64::try_from(number).map_err(|_| crate::errors::corrupt("a number"))?;
            Ok(After { operation, tallies })
        };
        self.answers.iter().map(of).collect()
    }

    fn puts(&mut self, change: &'c Change, places: &mut Places) -> Result<(), StoreError> {
        let ordered = change.operation.is_some();
        for put in &change.put {
            match (&put.record, put.expect) {
                (Record::Doc(doc), Expect::Absent) => self.new_docs.push(doc),
                (Record::Doc(doc), Expect::Version(version)) => self.docs.push((doc, version)),
                (Record::Pass(row), Expect::Absent) => {
                    let row = PassRow { version: 1, last: 0, ..(**row).clone() };
                    if places.new_passes.insert(row.id, self.new_passes.len()).is_some() {
                        return Err(twice("a pass"));
                    }
                    self.new_passes.push((row, None));
                }
                (Record::Pass(row), Expect::Version(version)) => {
                    if places.passes.insert(row.id, self.passes.len()).is_some() {
                        return Err(twice("a pass"));
                    }
                    let put = Some((&**row, version));
                    let (id, counts) = (row.id, [None; 3]);
                    self.passes.push(PassTouch { id, put, version: None, counts, last: None, ordered });
                }
                (Record::Credit(row), Expect::Absent) => {
                    let row = CreditRow { version: 1, last: 0, ..(**row).clone() };
                    if places.new_credits.insert((row.contact, row.id), self.new_credits.len()).is_some() {
                        return Err(twice("a credit"));
                    }
                    self.new_credits.push((row, None));
                }
                (Record::Credit(row), Expect::Version(version)) => {
                    let key = (row.contact, row.id);
                    if places.credits.insert(key, self.credits.len()).is_some() {
                        return Err(twice("a credit"));
                    }
                    let put = Some((&**row, version));
                    self.credits.push(CreditTouch {
                        key,
                        put,
                        version: None,
                        count: None,
                        last: None,
                        ordered,
                    });
                }
            }
        }
        let passes = places.new_passes.keys().any(|id| places.passes.contains_key(id));
        if passes || places.new_credits.keys().any(|key| places.credits.contains_key(key)) {
            return Err(twice("a record"));
        }
        Ok(())
    }

    /// Additions come after the puts of the same change.
    fn tallies(&mut self, change: &Change, places: &mut Places) -> Result<(), StoreError> {
        let ordered = change.operation.is_some();
        // What new rows begin with is judged even if nothing is added to it.
        for (row, _) in self.new_passes.get(places.new_from(self)..).unwrap_or_default() {
            must(row.uses.holds() && row.balance.holds() && row.granted.holds())?;
        }
        for (row, _) in &self.new_credits {
            must(row.amount.holds())?;
        }
        for add in &change.tally {
            let (id, which) = match add.key {
                TallyKey::Named(id, slot) => {
                    must(add.version.is_none())?;
                    let touch = NamedTouch { id, slot, count: Count::of(add) };
                    // Adding nothing only judges.
                    if add.used == 0 && add.held == 0 {
                        self.values.push(Value::Judged(self.judged.len()));
                        self.judged.push(touch);
                    } else {
                        self.values.push(Value::Named(self.named.len()));
                        self.named.push(touch);
                    }
                    continue;
                }
                TallyKey::Credit(contact, id) => {
                    let key = (contact, id);
                    if let Some((row, _)) =
                        places.new_credits.get(&key).and_then(|at| self.new_credits.get_mut(*at))
                    {
                        let after = begin(&mut row.amount, Some(add))?;
                        self.values.extend(after.map(Value::Known));
                        continue;
                    }
                    let at = self.credit(key, places, ordered);
                    if let Some(touch) = self.credits.get_mut(at) {
                        rest(&mut touch.version, touch.put.map(|(_, version)| version), add)?;
                        touch.count = Some(Count::of(add));
                        self.values.push(Value::Credit(at));
                    }
                    continue;
                }
                TallyKey::Uses(id) => (id, USES),
                TallyKey::Balance(id) => (id, BALANCE),
                TallyKey::Granted(id) => (id, GRANTED),
            };
            if let Some((row, _)) = places.new_passes.get(&id).and_then(|at| self.new_passes.get_mut(*at)) {
                let tally = match which {
                    USES => &mut row.uses,
                    BALANCE => &mut row.balance,
                    _ => &mut row.granted,
                };
                let after = begin(tally, Some(add))?;
                self.values.extend(after.map(Value::Known));
                continue;
            }
            let at = self.pass(id, places, ordered);
            if let Some(touch) = self.passes.get_mut(at) {
                rest(&mut touch.version, touch.put.map(|(_, version)| version), add)?;
                if let Some(count) = touch.counts.get_mut(which) {
                    *count = Some(Count::of(add));
                }
                self.values.push(Value::Pass(at, which));
            }
        }
        Ok(())
    }

    /// The place of a stored pass in the plan.
    fn pass(&mut self, id: PassId, places: &mut Places, ordered: bool) -> usize {
        let next = self.passes.len();
        let at = *places.passes.entry(id).or_insert(next);
        if at == next {
            let counts = [None; 3];
            self.passes.push(PassTouch { id, put: None, version: None, counts, last: None, ordered });
        }
        at
    }

    fn credit(&mut self, key: (ContactId, CreditId), places: &mut Places, ordered: bool) -> usize {
        let next = self.credits.len();
        let at = *places.credits.entry(key).or_insert(next);
        if at == next {
            self.credits.push(CreditTouch {
                key,
                put: None,
                version: None,
                count: None,
                last: None,
                ordered,
            });
        }
        at
    }

    /// Each entry continues the chains of its subjects.
    fn entries(
        &mut self,
        entries: &'c [Entry],
        operation: i64,
        places: &mut Places,
        fresh: Fresh<'c>,
        lasts: &mut [Option<i64>],
    ) -> Result<(), StoreError> {
        if overlap(entries) {
            return Err(broken("the entries of a change name ranges of passes that overlap"));
        }
        for (nth, entry) in (1..).zip(entries) {
            let at = operation.saturating_add(nth);
            let (from, to) = (chain(&entry.from.1)?, chain(&entry.to.1)?);
            // Both are asked before one is set: an entry may move within one subject.
            let before = (self.before(from, places, fresh), self.before(to, places, fresh));
            for chain in from.into_iter().chain(to) {
                places.chains.insert(chain, at);
            }
            self.entries.push(Booked { entry, at, nth, before });
        }
        for (chain, last) in &places.chains {
            let (at_last, last) = (*last, Some(*last));
            match *chain {
                Chain::Pass(id) => {
                    if let Some(at) = fresh.place(id) {
                        lasts.iter_mut().skip(at).take(1).for_each(|of| *of = last);
                    } else if let Some(at) = places.new_passes.get(&id) {
                        self.new_passes.iter_mut().skip(*at).take(1).for_each(|(_, of)| *of = last);
                    } else if let Some(at) = places.passes.get(&id) {
                        self.passes.iter_mut().skip(*at).take(1).for_each(|touch| touch.last = last);
                    }
                }
                Chain::Credit(contact, id) => {
                    if let Some(at) = places.new_credits.get(&(contact, id)) {
                        self.new_credits.iter_mut().skip(*at).take(1).for_each(|(_, of)| *of = last);
                    } else if let Some(at) = places.credits.get(&(contact, id)) {
                        self.credits.iter_mut().skip(*at).take(1).for_each(|touch| touch.last = last);
                    }
                }
                Chain::Range(first, until) => {
                    let within = fresh.within(first, until);
                    lasts.iter_mut().skip(within.start).take(within.len()).for_each(|of| *of = last);
                    for (_, at) in places.new_passes.range(first..=until) {
                        self.new_passes.iter_mut().skip(*at).take(1).for_each(|(_, of)| *of = last);
                    }
                    for (_, at) in places.passes.range(first..=until) {
                        self.passes.iter_mut().skip(*at).take(1).for_each(|touch| touch.last = last);
                    }
                    if let Some(range) = places.ranges.get(&(first, until)) {
                        let of = self.segments.iter_mut().filter(|segment| segment.range == *range);
                        of.for_each(|segment| segment.last = at_last);
                    }
                }
            }
        }
        Ok(())
    }

    /// The entry before the next one of a chain.
    fn before(&mut self, chain: Option<Chain>, places: &mut Places, fresh: Fresh<'c>) -> Before {
        let Some(chain) = chain else { return Before::Nothing };
        if let Some(at) = places.chains.get(&chain) {
            return Before::Here(*at);
        }
        match chain {
            Chain::Pass(id) if fresh.place(id).is_some() || places.new_passes.contains_key(&id) => {
                Before::Nothing
            }
            Chain::Pass(id) => Before::Of(Touch::Pass(self.pass(id, places, true))),
            Chain::Credit(contact, id) if places.new_credits.contains_key(&(contact, id)) => Before::Nothing,
            Chain::Credit(contact, id) => Before::Of(Touch::Credit(self.credit((contact, id), places, true))),
            Chain::Range(first, until) => self.range(first, until, places, fresh),
        }
    }

    /// A range that no entry named yet.
    fn range(&mut self, first: PassId, until: PassId, places: &mut Places, fresh: Fresh<'c>) -> Before {
        let count = i64::from(until.serial().saturating_sub(first.serial())).saturating_add(1);
        let new = fresh.within(first, until).len() + places.new_passes.range(first..=until).count();
        let stored = count.saturating_sub(int(new));
        if stored <= 0 {
            // All of them are new.
            return Before::Nothing;
        }
        let at = self.ranges.len();
        let touched: Vec<usize> = places.passes.range(first..=until).map(|(_, at)| *at).collect();
        // What lies between those that are touched anyway: those are in the order of their ids.
        let lot = first.lot();
        let mut next = Some(first.serial());
        let mut gap = |from: u32, to: u32| {
            let (first, until) = (lot.pass(from), lot.pass(to));
            self.segments.push(Segment { range: at, first, until, last: 0 });
        };
        for id in places.passes.range(first..=until).map(|(id, _)| *id) {
            if let (Some(from), Some(to)) = (next, id.serial().checked_sub(1))
                && from <= to
            {
                gap(from, to);
            }
            next = id.serial().checked_add(1);
        }
        if let Some(from) = next.filter(|from| *from <= until.serial()) {
            gap(from, until.serial());
        }
        places.ranges.insert((first, until), at);
        self.ranges.push(Range { stored, fresh: new > 0, touched });
        Before::Of(Touch::Range(at))
    }
}

impl Places {
    /// Where the new passes of this change begin in the plan.
    fn new_from(&self, plan: &Plan<'_>) -> usize {
        plan.new_passes.len().saturating_sub(self.new_passes.len())
    }
}

/// What is added rests on the version that is stored: a put of the same row says which that is.
fn rest(version: &mut Option<u32>, put: Option<u32>, add: &Add) -> Result<(), StoreError> {
    let Some(rests) = add.version else { return Ok(()) };
    must(put.is_none_or(|put| put == rests) && version.is_none_or(|version| version == rests))?;
    *version = Some(rests);
    Ok(())
}

//! What a change comes to: every guard judged, every new value known, before anything is written.

use crate::connection::Db;
use crate::errors::Fault;
use passes_core::id::{ContactId, CreditId, PassId};
use passes_core::ledger::{Entry, Subject, overlap};
use passes_core::pass::{CreditRow, PassRow, Tally};
use passes_core::store::{Add, Change, Expect, Loaded, Put, Record, TallyKey};
use rusqlite::params;

/// A pass that a change touches. However it does, it is written once.
pub(crate) struct PassPlan<'c> {
    pub(crate) id: PassId,
    /// The version that is stored; none for a new one.
    pub(crate) version: Option<u32>,
    /// The row to write, with its new version; without it only what is counted and `last` change.
    pub(crate) put: Option<(&'c PassRow, u32)>,
    /// Whether there is anything to write.
    pub(crate) touched: bool,
    pub(crate) uses: Tally,
    pub(crate) balance: Tally,
    pub(crate) granted: Tally,
    /// The last entry of its chain.
    pub(crate) last: u64,
}

/// A credit that a change touches, likewise.
pub(crate) struct CreditPlan<'c> {
    pub(crate) key: (ContactId, CreditId),
    pub(crate) version: Option<u32>,
    pub(crate) put: Option<(&'c CreditRow, u32)>,
    pub(crate) touched: bool,
    pub(crate) amount: Tally,
    pub(crate) last: u64,
}

/// A range of passes with one chain, some of which nothing but an entry touches.
pub(crate) struct RangePlan {
    pub(crate) first: PassId,
    pub(crate) to: PassId,
    pub(crate) last: u64,
}

/// All that is to be written, besides what the change itself says.
pub(crate) struct Plan<'c> {
    /// In the order of their ids.
    pub(crate) passes: Vec<PassPlan<'c>>,
    /// In the order of their keys.
    pub(crate) credits: Vec<CreditPlan<'c>>,
    pub(crate) ranges: Vec<RangePlan>,
    /// The named tallies to write.
    pub(crate) named: Vec<([u8; 16], u16, Tally)>,
    /// The value of each tally of the change after it.
    pub(crate) after: Vec<Tally>,
    /// For each entry the ones before it, of the same subjects.
    pub(crate) before: Vec<(u64, u64)>,
}

/// Where plans are made: what is stored, and what the command loaded of it in this very transaction.
struct Planner<'a, 'c> {
    db: &'a Db,
    business: i64,
    loaded: Option<&'a Loaded>,
    plan: Plan<'c>,
}

impl Db {
    /// Judges a change. `loaded` is what its command read in the same transaction, so that nothing is read
    /// twice; `last_entry` is the number of the last entry there is.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](passes_core::store::StoreError::Conflict) when a guard fails. Nothing was
    /// written then.
    pub(crate) fn plan<'c>(
        &self,
        business: i64,
        change: &'c Change,
        loaded: Option<&Loaded>,
        last_entry: u64,
    ) -> Result<Plan<'c>, Fault> {
        check(change)?;
        let plan = Plan {
            passes: Vec::new(),
            credits: Vec::new(),
            ranges: Vec::new(),
            named: Vec::new(),
            after: Vec::with_capacity(change.tally.len()),
            before: Vec::with_capacity(change.entries.len()),
        };
        let mut planner = Planner { db: self, business, loaded, plan };
        planner.expect(change)?;
        for put in &change.put {
            planner.put(put)?;
        }
        planner.tallies(change)?;
        planner.entries(&change.entries, last_entry)?;
        Ok(planner.plan)
    }
}

/// Refuses what is no change at all.
fn check(change: &Change) -> Result<(), Fault> {
    let Some(operation) = &change.operation else {
        return if change.entries.is_empty() {
            Ok(())
        } else {
            Err(Fault::broken("entries without an operation"))
        };
    };
    let key = operation.key.map(|(key, _)| key);
    if key.is_some() && key == operation.stops {
        return Err(twice("an idempotency key"));
    }
    if repeats(&change.claim, |claim| claim.digest) {
        return Err(twice("a code"));
    }
    Ok(())
}

fn twice(what: &str) -> Fault {
    Fault::broken(&format!("a change names {what} twice"))
}

/// Whether two elements have the same key. Lists that are sorted by it, as they should be, cost nothing.
fn repeats<T, K: Ord>(list: &[T], key: impl Fn(&T) -> K) -> bool {
    if list.is_sorted_by(|a, b| key(a) < key(b)) {
        return false;
    }
    let mut keys: Vec<K> = list.iter().map(key).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

fn must(holds: bool) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault::conflict()) }
}

/// The tally that a put leaves: what is counted stays as stored, the limit is the new one.
fn kept(stored: Option<Tally>, put: Tally) -> Result<Tally, Fault> {
    let kept = stored.map_or(put, |stored| Tally { limit: put.limit, ..stored });
    must(kept.holds())?;
    Ok(kept)
}

impl<'c> Planner<'_, 'c> {
    /// What was read must still be so. In the transaction that read it, it is.
    fn expect(&self, change: &Change) -> Result<(), Fault> {
        let seen = change.seen.iter().map(|(key, version)| (key, Expect::Version(*version)));
        for (key, expect) in change.expect.iter().map(|(key, expect)| (key, *expect)).chain(seen) {
            let version = match self.loaded.and_then(|loaded| loaded.doc(key)) {
                Some(doc) => Some(doc.version),
                None => self.db.doc_head(self.business, *key)?.map(|(version, _)| version),
            };
            must(expect.is_met_by(version))?;
        }
        Ok(())
    }

    fn put(&mut self, put: &'c Put) -> Result<(), Fault> {
        let version = put.expect.next_version();
        // Of a record that must not be there only the INSERT will tell whether it is.
        let new = put.expect == Expect::Absent;
        match &put.record {
            // Documents are judged by the statement that writes them.
            Record::Doc(_) => Ok(()),
            Record::Pass(row) => {
                let Err(at) = self.find_pass(row.id) else { return Err(twice("a pass")) };
                let stored = if new { None } else { self.stored_pass(row.id)? };
                let (uses, balance, granted) = (
                    kept(stored.as_ref().map(|plan| plan.uses), row.uses)?,
                    kept(stored.as_ref().map(|plan| plan.balance), row.balance)?,
                    kept(stored.as_ref().map(|plan| plan.granted), row.granted)?,
                );
                let was = stored.as_ref().and_then(|plan| plan.version);
                must(put.expect.is_met_by(was))?;
                let last = stored.as_ref().map_or(0, |plan| plan.last);
                let (id, put, touched) = (row.id, Some((&**row, version)), true);
                let plan = PassPlan { id, version: was, put, touched, uses, balance, granted, last };
                self.plan.passes.insert(at, plan);
                Ok(())
            }
            Record::Credit(row) => {
                let key = (row.contact, row.id);
                let Err(at) = self.find_credit(key) else { return Err(twice("a credit")) };
                let stored = if new { None } else { self.stored_credit(key)? };
                let amount = kept(stored.as_ref().map(|plan| plan.amount), row.amount)?;
                let was = stored.as_ref().and_then(|plan| plan.version);
                must(put.expect.is_met_by(was))?;
                let last = stored.as_ref().map_or(0, |plan| plan.last);
                let (put, touched) = (Some((&**row, version)), true);
                let plan = CreditPlan { key, version: was, put, touched, amount, last };
                self.plan.credits.insert(at, plan);
                Ok(())
            }
        }
    }

    /// Additions come after the puts of the same change.
    fn tallies(&mut self, change: &'c Change) -> Result<(), Fault> {
        if repeats(&change.tally, |add| add.key) {
            return Err(twice("a tally"));
        }
        for add in &change.tally {
            let after = match add.key {
                TallyKey::Named(id, slot) => {
                    must(add.rests_on(None))?;
                    let now = self.db.tally(self.business, add.key)?.unwrap_or_default();
                    let after = add.to(now).ok_or_else(Fault::conflict)?;
                    // Adding nothing only judges.
                    if add.used != 0 || add.held != 0 {
                        self.plan.named.push((id, slot, after));
                    }
                    after
                }
                TallyKey::Uses(id) | TallyKey::Balance(id) | TallyKey::Granted(id) => {
                    let pass = self.pass(id)?.ok_or_else(Fault::conflict)?;
                    must(add.rests_on(pass.version))?;
                    pass.touched |= add.used != 0 || add.held != 0;
                    let tally = match add.key {
                        TallyKey::Uses(_) => &mut pass.uses,
                        TallyKey::Balance(_) => &mut pass.balance,
                        _ => &mut pass.granted,
                    };
                    count(tally, add)?
                }
                TallyKey::Credit(contact, id) => {
                    let credit = self.credit((contact, id))?.ok_or_else(Fault::conflict)?;
                    must(add.rests_on(credit.version))?;
                    credit.touched |= add.used != 0 || add.held != 0;
                    count(&mut credit.amount, add)?
                }
            };
            self.plan.after.push(after);
        }
        Ok(())
    }

    /// Each entry continues the chains of its subjects.
    fn entries(&mut self, entries: &[Entry], last_entry: u64) -> Result<(), Fault> {
        for entry in entries {
            if let Subject::Passes { first, count } = entry.from.1 {
                self.range(first, count)?;
            }
            if let Subject::Passes { first, count } = entry.to.1 {
                self.range(first, count)?;
            }
        }
        if overlap(entries) {
            return Err(Fault::broken("the entries of a change name ranges of passes that overlap"));
        }
        for (number, entry) in (last_entry.saturating_add(1)..).zip(entries) {
            let (from, to) = (&entry.from.1, &entry.to.1);
            // Both are asked before one is set: an entry may move within one subject.
            let before = (self.chain(from, None)?, self.chain(to, None)?);
            self.chain(from, Some(number))?;
            self.chain(to, Some(number))?;
            self.plan.before.push(before);
        }
        for range in &self.plan.ranges {
            let within = self.plan.passes.iter_mut().filter(|p| (range.first..=range.to).contains(&p.id));
            within.for_each(|pass| {
                pass.last = range.last;
                pass.touched = true;
            });
        }
        Ok(())
    }

    /// The last entry of a subject's chain, which then goes on with `next`.
    fn chain(&mut self, subject: &Subject, next: Option<u64>) -> Result<u64, Fault> {
        let missing = || Fault::broken("an entry names a pass or a credit that is not there");
        let last = match *subject {
            Subject::None => return Ok(0),
            // A range of one pass is that pass.
            Subject::Pass(id) if self.plan.ranges.iter().any(|range| range.first == id) => {
                return self.chain(&Subject::Passes { first: id, count: 1 }, next);
            }
            Subject::Passes { first, .. } => {
                let range = self.plan.ranges.iter_mut().find(|range| range.first == first);
                &mut range.ok_or_else(missing)?.last
            }
            Subject::Pass(id) => {
                let pass = self.pass(id)?.ok_or_else(missing)?;
                pass.touched |= next.is_some();
                &mut pass.last
            }
            Subject::Credit(contact, id) => {
                let credit = self.credit((contact, id))?.ok_or_else(missing)?;
                credit.touched |= next.is_some();
                &mut credit.last
            }
        };
        let before = *last;
        *last = next.unwrap_or(before);
        Ok(before)
    }

    /// Looks at the chains of a range's passes: one entry can only continue one, so they must be the same.
    fn range(&mut self, first: PassId, count: u32) -> Result<(), Fault> {
        let Some((_, to)) = (Subject::Passes { first, count }).span() else {
            return Err(Fault::broken("an entry's range of passes is none"));
        };
        if self.plan.ranges.iter().any(|range| range.first == first && range.to == to) {
            return Ok(());
        }
        let from = self.plan.passes.partition_point(|pass| pass.id < first);
        let until = self.plan.passes.partition_point(|pass| pass.id <= to);
        let touched = self.plan.passes.get(from..until).unwrap_or_default();
        let mut there = u64::try_from(touched.len()).unwrap_or(u64::MAX);
        let mut lasts = touched.iter().map(|pass| pass.last);
        let mut ends = lasts.next().map(|first| lasts.fold((first, first), |(a, b), n| (a.min(n), b.max(n))));
        if there < u64::from(count) {
            let mut select = self.db.statement(
                "SELECT count(*),ifnull(min(last),0),ifnull(max(last),0) FROM pass \
                 WHERE lot=?1 AND serial BETWEEN ?2 AND ?3",
            )?;
            let lot = self.db.lot_or_new(self.business, first.lot())?;
            let found = select.query_row(params![lot, first.serial(), to.serial()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            })?;
            let number = |n: i64| u64::try_from(n).map_err(|_| Fault::corrupt("a number"));
            let (stored, least, most) = (number(found.0)?, number(found.1)?, number(found.2)?);
            let new = touched.iter().filter(|pass| pass.version.is_none()).count();
            there = stored.saturating_add(u64::try_from(new).unwrap_or(u64::MAX));
            if stored > 0 {
                ends = Some(ends.map_or((least, most), |(a, b)| (a.min(least), b.max(most))));
            }
        }
        if there != u64::from(count) {
            return Err(Fault::broken("an entry names a pass that is not there"));
        }
        let (least, most) = ends.unwrap_or_default();
        must(least == most)?;
        self.plan.ranges.push(RangePlan { first, to, last: most });
        Ok(())
    }

    fn find_pass(&self, id: PassId) -> Result<usize, usize> {
        self.plan.passes.binary_search_by_key(&id, |pass| pass.id)
    }

    fn find_credit(&self, key: (ContactId, CreditId)) -> Result<usize, usize> {
        self.plan.credits.binary_search_by_key(&key, |credit| credit.key)
    }

    /// The pass as it will be, if there is one.
    fn pass(&mut self, id: PassId) -> Result<Option<&mut PassPlan<'c>>, Fault> {
        let at = match self.find_pass(id) {
            Ok(at) => at,
            Err(at) => {
                let Some(stored) = self.stored_pass(id)? else { return Ok(None) };
                self.plan.passes.insert(at, stored);
                at
            }
        };
        Ok(self.plan.passes.get_mut(at))
    }

    /// The credit as it will be, if there is one.
    fn credit(&mut self, key: (ContactId, CreditId)) -> Result<Option<&mut CreditPlan<'c>>, Fault> {
        let at = match self.find_credit(key) {
            Ok(at) => at,
            Err(at) => {
                let Some(stored) = self.stored_credit(key)? else { return Ok(None) };
                self.plan.credits.insert(at, stored);
                at
            }
        };
        Ok(self.plan.credits.get_mut(at))
    }

    fn stored_pass(&self, id: PassId) -> Result<Option<PassPlan<'c>>, Fault> {
        let plan = |row: &PassRow| {
            let (uses, balance, granted, last) = (row.uses, row.balance, row.granted, row.last);
            let version = Some(row.version);
            PassPlan { id, version, put: None, touched: false, uses, balance, granted, last }
        };
        match self.loaded.and_then(|loaded| loaded.pass(id)) {
            Some(row) => Ok(Some(plan(row))),
            None => Ok(self.db.pass(self.business, id)?.as_ref().map(plan)),
        }
    }

    fn stored_credit(&self, key: (ContactId, CreditId)) -> Result<Option<CreditPlan<'c>>, Fault> {
        let plan = |row: &CreditRow| {
            let (version, amount, last) = (Some(row.version), row.amount, row.last);
            CreditPlan { key, version, put: None, touched: false, amount, last }
        };
        let credits = self.loaded.map_or(&[][..], |loaded| &loaded.credits);
        let loaded = credits.binary_search_by_key(&key, |row| (row.contact, row.id));
        match loaded.ok().and_then(|at| credits.get(at)) {
            Some(row) => Ok(Some(plan(row))),
            None => Ok(self.db.credit(self.business, key.0, key.1)?.as_ref().map(plan)),
        }
    }
}

/// Counts. The row keeps its own limit, whatever the addition was judged by.
fn count(tally: &mut Tally, add: &Add) -> Result<Tally, Fault> {
    let after = add.to(*tally).ok_or_else(Fault::conflict)?;
    *tally = Tally { limit: tally.limit, ..after };
    Ok(after)
}

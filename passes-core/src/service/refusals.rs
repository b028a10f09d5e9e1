//! Counting refusals: per day, code, plan and place (B-4). They are kept in memory and flushed with later
//! commits; a crash may lose the last.

use super::engine::TRIES;
use super::{Call, Error, Passes, stored};
use crate::calendar::{Date, Instant, Zone};
use crate::hash::{Map, Mix};
use crate::id::{BusinessId, PlanId};
use crate::operation::{By, Right};
use crate::refusal::Refusal;
use crate::store::{Change, Doc, DocKey, DocKind, Expect, Load, Put, Record, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

/// Refusals counted of one code, at one place, of one plan.
/// See [`Passes::refusals`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusals {
    /// The code that was told first.
    pub code: String,
    /// The plan, where the command got as far as to know it.
    pub plan: Option<PlanId>,
    /// The place.
    pub place: Option<String>,
    /// How many.
    pub count: u64,
}

type Key = (String, Option<PlanId>, Option<String>);
/// By business, and by day since 1970 in its calendar.
type Counts = BTreeMap<(BusinessId, i64), BTreeMap<Key, u64>>;

/// How many refusals wait before they are flushed with the next command, or how many seconds.
const WAIT: u64 = 64;
const SECONDS: i64 = 5;
/// How many different counts a day keeps; what comes after is counted without its place.
const MOST: usize = 10_000;

/// Counts that wait: how many refusals, and since when.
#[derive(Default)]
struct Waiting {
    refusals: u64,
    since: Option<Instant>,
    counts: Counts,
}

#[derive(Default)]
pub(crate) struct Pending {
    counts: Mutex<Waiting>,
    /// Whether any wait. Most commands are accepted, and only ask this.
    any: AtomicBool,
    zones: RwLock<Map<BusinessId, Zone>>,
    /// Stands for the business and the zone that were noted last: nearly always those that come next.
    noted: AtomicU64,
}

impl Pending {
    /// Notes the calendar of a business, whose days count.
    pub(crate) fn note_zone(&self, business: BusinessId, zone: Zone) {
        let mark = BuildHasherDefault::<Mix>::default().hash_one((business, zone));
        if self.noted.load(Ordering::Acquire) == mark {
            return;
        }
        if self.zone(business) != Some(zone) {
            self.zones.write().unwrap_or_else(PoisonError::into_inner).insert(business, zone);
        }
        self.noted.store(mark, Ordering::Release);
    }

    fn zone(&self, business: BusinessId) -> Option<Zone> {
        self.zones.read().unwrap_or_else(PoisonError::into_inner).get(&business).copied()
    }

    pub(crate) fn count(&self, now: Instant, by: &By, refusals: &[Refusal], plan: Option<PlanId>) {
        let Some(first) = refusals.first() else { return };
        let day = day(self.zone(by.business).unwrap_or(Zone::UTC).date_of(now));
        let mut pending = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(true, Ordering::Release);
        pending.refusals += 1;
        pending.since.get_or_insert(now);
        let day = pending.counts.entry((by.business, day)).or_default();
        let place = by.place.as_deref().filter(|_| day.len() < MOST).map(str::to_owned);
        *day.entry((first.code().to_owned(), plan, place)).or_default() += 1;
    }

    fn take(&self) -> Counts {
        let mut pending = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *pending).counts
    }

    fn put_back(&self, key: (BusinessId, i64), counts: BTreeMap<Key, u64>) {
        let mut pending = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let day = pending.counts.entry(key).or_default();
        counts.into_iter().for_each(|(k, n)| *day.entry(k).or_default() += n);
        self.any.store(true, Ordering::Release);
        pending.refusals += 1;
    }

    fn is_due(&self, now: impl FnOnce() -> Instant) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let now = now();
        let pending = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        pending.refusals >= WAIT || pending.since.is_some_and(|since| now.seconds_since(since) >= SECONDS)
    }
}

/// Counts that are being flushed. Who is dropped meanwhile puts back those that weren't begun.
struct Taken<'a> {
    pending: &'a Pending,
    counts: Counts,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for (day, counts) in std::mem::take(&mut self.counts) {
            self.pending.put_back(day, counts);
        }
    }
}

fn day(date: Date) -> i64 {
    i64::from(date.to_epoch_days())
}

impl Passes {
    /// Refusals counted on a day of the business's calendar.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::service::Redeem;
    /// use passes_core::calendar::parse_date;
    /// let till = by.clone().place("Oxford Street");
    /// let wrong = Redeem::into_wallet("2222-2222-2222", shop.ann);
    /// passes.redeem(&till, wrong).wait().unwrap_err();
    /// let counted = passes.refusals(by, parse_date("day", "2026-05-01")?).wait()?;
    /// assert_eq!((counted[0].code.as_str(), counted[0].count), ("UNKNOWN_CODE", 1));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn refusals<'a>(&'a self, by: &'a By, date: Date) -> Call<'a, Vec<Refusals>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            self.flush(TRIES).await?;
            let number = day(date);
            let key = DocKey::numbered(DocKind::Refusals, u64::try_from(number).unwrap_or(0));
            let mut load = Load::new(by.business);
            load.docs.push(key);
            let loaded = self.inner.store.load(&load).await?;
            Ok(loaded.doc(&key).map(|doc| stored::read(&doc.body)).transpose()?.unwrap_or_default())
        })
    }

    /// Whether enough counts wait.
    pub(crate) fn has_to_flush(&self) -> bool {
        self.inner.refusals.is_due(|| self.inner.clock.now())
    }

    /// Flushes counts when enough of them wait. A failure here is not the caller's: they wait on.
    pub(crate) async fn flush_some(&self) {
        if self.has_to_flush() {
            // Boxed, because it is rare: every command's future would have the room for it.
            let _ = Box::pin(self.flush(1)).await;
        }
    }

    async fn flush(&self, tries: u32) -> Result<(), Error> {
        let mut flushed = Ok(());
        let mut taken = Taken { pending: &self.inner.refusals, counts: self.inner.refusals.take() };
        while let Some(((business, number), counts)) = taken.counts.pop_first() {
            if let Err(error) = self.add_counts(business, number, &counts, tries).await {
                self.inner.refusals.put_back((business, number), counts);
                flushed = Err(error);
            }
        }
        flushed
    }

    async fn add_counts(
        &self,
        business: BusinessId,
        number: i64,
        counts: &BTreeMap<Key, u64>,
        tries: u32,
    ) -> Result<(), Error> {
        let key = DocKey::numbered(DocKind::Refusals, u64::try_from(number).unwrap_or(0));
        for _ in 0..tries {
            let mut load = Load::new(business);
            load.docs.push(key);
            let loaded = self.inner.store.load(&load).await?;
            let doc = loaded.doc(&key);
            let mut all: BTreeMap<Key, u64> = BTreeMap::new();
            if let Some(doc) = doc {
                for r in stored::read::<Vec<Refusals>>(&doc.body)? {
                    all.insert((r.code, r.plan, r.place), r.count);
                }
            }
            counts.iter().for_each(|(k, n)| *all.entry(k.clone()).or_default() += n);
            let list: Vec<Refusals> = all
                .into_iter()
                .map(|((code, plan, place), count)| Refusals { code, plan, place, count })
                .collect();
            let expect = doc.map_or(Expect::Absent, |d| Expect::Version(d.version));
            let body = stored::write(&list)?.into();
            let mut change = Change::new(business);
            let record = Record::Doc(Doc { key, version: expect.next_version(), parent: None, body });
            change.put.push(Put { record, expect });
            match self.inner.store.commit(&[change]).await?.pop() {
                Some(Ok(_)) => return Ok(()),
                Some(Err(StoreError::Conflict)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => break,
            }
        }
        Err(StoreError::Conflict.into())
    }
}

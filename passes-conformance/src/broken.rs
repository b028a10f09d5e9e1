//! Stores with one fault each, which the suite must find (D-2).

use passes_core::id::OperationId;
use passes_core::store::memory::Memory;
use passes_core::store::{
    Add, After, AuditRow, Auditor, Change, Chunk, Claim, Expect, Fut, Load, Put, Record, Store, StoreError,
    StoredOperation, delegate,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A put overwrites whatever version is there.
    LostUpdate,
    /// A tally is read, added to and written back, and what others added meanwhile is lost.
    LostAddition,
    /// A change is written first and judged afterwards.
    CheckAfterCommit,
    /// The records of a change are written even if what it counts or claims is refused.
    HalfAChange,
    /// Idempotency keys are not kept.
    ForgottenKey,
    /// Operations get their numbers before they are committed.
    EventBehindCursor,
    /// Tallies have no upper bound.
    UnboundedAdd,
    /// What was only seen isn't judged.
    Unseen,
    /// An addition lands whatever became of the row that it was judged on.
    StaleAdd,
    /// A code that is taken can be claimed again.
    ReusedClaim,
    /// An audit leaves out the codes.
    HalfAnAudit,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 11] = [
        Self::LostUpdate,
        Self::LostAddition,
        Self::CheckAfterCommit,
        Self::HalfAChange,
        Self::ForgottenKey,
        Self::EventBehindCursor,
        Self::UnboundedAdd,
        Self::Unseen,
        Self::StaleAdd,
        Self::ReusedClaim,
        Self::HalfAnAudit,
    ];

    /// The case of the suite that must find it.
    #[must_use]
    pub fn found_by(self) -> &'static str {
        match self {
            Self::LostUpdate => "a_put_needs_the_version",
            Self::LostAddition => "additions_sum_up",
            Self::CheckAfterCommit => "a_change_is_judged_before_it_lands",
            Self::HalfAChange => "a_failed_guard_leaves_nothing",
            Self::ForgottenKey => "a_key_is_bound_once",
            Self::EventBehindCursor => "events_never_appear_behind_a_reader",
            Self::UnboundedAdd => "a_tally_keeps_its_bounds",
            Self::Unseen => "what_was_seen_is_guarded",
            Self::StaleAdd => "an_addition_rests_on_its_row",
            Self::ReusedClaim => "a_claim_is_for_ever",
            Self::HalfAnAudit => "an_audit_is_complete",
        }
    }
}

/// A memory store with a fault. A clone leads to the same records.
#[derive(Clone)]
pub struct Broken {
    inner: Memory,
    fault: Fault,
    tickets: Arc<Mutex<Tickets>>,
}

/// The numbers given before the commit.
#[derive(Default)]
struct Tickets {
    last: u64,
    of: HashMap<OperationId, u64>,
}

impl Broken {
    /// An empty store with this fault.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { inner: Memory::new(), fault, tickets: Arc::default() }
    }

    async fn land(&self, change: Change) -> Result<After, StoreError> {
        match self.fault {
            Fault::LostUpdate => {
                let put = self.whatever_is_there(&change).await?;
                self.sound(Change { put, ..change }).await
            }
            Fault::LostAddition => self.write_back(change).await,
            Fault::CheckAfterCommit => {
                let judged = self.sound(change.clone()).await;
                if judged.is_err() {
                    let _ = self.sound(self.without_guards(change).await?).await;
                }
                judged
            }
            Fault::HalfAChange => {
                let (expect, seen) = (change.expect, change.seen);
                let (tally, claim) = (change.tally, change.claim);
                let rest = Change { expect, seen, tally, claim, ..Change::new(change.business) };
                let none = Change::new(change.business);
                let first = Change {
                    expect: none.expect,
                    seen: none.seen,
                    tally: none.tally,
                    claim: none.claim,
                    ..change
                };
                let number = self.sound(first).await?.operation;
                Ok(After { operation: number, ..self.sound(rest).await? })
            }
            Fault::ForgottenKey => {
                let mut change = change;
                if let Some(operation) = &mut change.operation {
                    (operation.key, operation.stops) = (None, None);
                }
                self.sound(change).await
            }
            Fault::EventBehindCursor => self.numbered_first(change).await,
            Fault::UnboundedAdd => {
                let tally = change.tally.iter().map(|add| Add { limit: Some(i64::MAX), ..*add }).collect();
                self.sound(Change { tally, ..change }).await
            }
            Fault::Unseen => self.sound(Change { seen: Vec::new(), ..change }).await,
            Fault::StaleAdd => {
                let tally = change.tally.iter().map(|add| Add { version: None, ..*add }).collect();
                self.sound(Change { tally, ..change }).await
            }
            Fault::ReusedClaim => {
                let claim = self.not_taken(&change, &change.claim).await?;
                self.sound(Change { claim, ..change }).await
            }
            Fault::HalfAnAudit => self.sound(change).await,
        }
    }

    /// As the store inside does it.
    async fn sound(&self, change: Change) -> Result<After, StoreError> {
        self.inner.commit(&[change]).await?.remove(0)
    }

    async fn whatever_is_there(&self, change: &Change) -> Result<Vec<Put>, StoreError> {
        let mut load = Load::new(change.business);
        for put in &change.put {
            match &put.record {
                Record::Doc(doc) => load.docs.push(doc.key),
                Record::Pass(row) => load.passes.push(row.id),
                Record::Credit(row) => load.credits.push((row.contact, row.id)),
            }
        }
        let found = self.inner.load(&load).await?;
        let puts = change.put.iter().map(|put| {
            let version = match &put.record {
                Record::Doc(doc) => found.doc(&doc.key).map(|doc| doc.version),
                Record::Pass(row) => found.pass(row.id).map(|row| row.version),
                Record::Credit(row) => found
                    .credits
                    .iter()
                    .find(|credit| (credit.contact, credit.id) == (row.contact, row.id))
                    .map(|row| row.version),
            };
            Put { record: put.record.clone(), expect: version.map_or(Expect::Absent, Expect::Version) }
        });
        Ok(puts.collect())
    }

    async fn without_guards(&self, change: Change) -> Result<Change, StoreError> {
        let put = self.whatever_is_there(&change).await?;
        let claim = self.not_taken(&change, &change.claim).await?;
        let blind = |add: &Add| Add { limit: Some(i64::MAX), from: None, version: None, ..*add };
        let tally = change.tally.iter().map(blind).collect();
        let operation = change.operation.map(|operation| passes_core::store::Operation {
            key: None,
            stops: None,
            ..operation
        });
        Ok(Change { operation, expect: Vec::new(), seen: Vec::new(), put, claim, tally, ..change })
    }

    async fn not_taken(&self, change: &Change, claims: &[Claim]) -> Result<Vec<Claim>, StoreError> {
        let taken = claims.iter().map(|claim| claim.digest).collect();
        let found = self.inner.load(&Load { taken, ..Load::new(change.business) }).await?;
        let free = claims.iter().zip(found.taken).filter(|(_, taken)| !taken);
        Ok(free.map(|(claim, _)| claim.clone()).collect())
    }

    async fn write_back(&self, change: Change) -> Result<After, StoreError> {
        let tallies = change.tally.iter().map(|add| add.key).collect();
        let load = Load { tallies, ..Load::new(change.business) };
        let read = self.inner.load(&load).await?.tallies;
        self.inner.pause(Duration::from_micros(50)).await?;
        let now = self.inner.load(&load).await?.tallies;
        let mut tally = Vec::new();
        for ((add, read), now) in change.tally.iter().zip(read).zip(now) {
            let to = add.to(read).ok_or(StoreError::Conflict)?;
            let (used, held) = (to.used - now.used, to.held - now.held);
            tally.push(Add { used, held, from: None, limit: Some(i64::MAX), ..*add });
        }
        self.sound(Change { tally, ..change }).await
    }

    async fn numbered_first(&self, change: Change) -> Result<After, StoreError> {
        let Some(id) = change.operation.as_ref().map(|operation| operation.id) else {
            return self.sound(change).await;
        };
        let ticket = {
            let mut tickets = self.tickets.lock().unwrap();
            tickets.last += 1;
            let ticket = tickets.last;
            tickets.of.insert(id, ticket);
            ticket
        };
        if ticket % 3 == 0 {
            self.inner.pause(Duration::from_millis(1)).await?;
        }
        Ok(After { operation: ticket, ..self.sound(change).await? })
    }

    fn renumbered(&self, stored: &StoredOperation) -> StoredOperation {
        let ticket = self.tickets.lock().unwrap().of.get(&stored.operation.id).copied();
        StoredOperation { number: ticket.unwrap_or(stored.number), ..stored.clone() }
    }
}

impl Store for Broken {
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(changes.len());
            for change in changes {
                answers.push(self.land(change.clone()).await);
            }
            Ok(answers)
        })
    }

    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        Box::pin(async move {
            if self.fault != Fault::ReusedClaim {
                return self.inner.fill(chunk).await;
            }
            let codes = self.not_taken(&chunk.change, &chunk.codes).await?;
            self.inner.fill(&Chunk { codes, ..chunk.clone() }).await
        })
    }

    fn events(
        &self,
        business: passes_core::id::BusinessId,
        after: u64,
        limit: u32,
    ) -> Fut<'_, Vec<Arc<StoredOperation>>> {
        Box::pin(async move {
            if self.fault != Fault::EventBehindCursor {
                return self.inner.events(business, after, limit).await;
            }
            let all = self.inner.events(business, 0, u32::MAX).await?;
            let mut all: Vec<_> = all.iter().map(|stored| Arc::new(self.renumbered(stored))).collect();
            all.sort_by_key(|stored| stored.number);
            all.retain(|stored| stored.number > after);
            all.truncate(limit as usize);
            Ok(all)
        })
    }

    fn audit(&self, business: passes_core::id::BusinessId, mut each: Auditor) -> Fut<'_, ()> {
        let half = self.fault == Fault::HalfAnAudit;
        let told = move |row| {
            if !half || !matches!(row, AuditRow::Code(..)) {
                each(row);
            }
        };
        self.inner.audit(business, Box::new(told))
    }

    delegate!(inner; slots, load, pause, page);
}

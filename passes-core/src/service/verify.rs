//! Proving the books: each stored number is what other records make it (W-1, D-7).

use super::audit::{Audit, names};
use super::checkpoint::{Checkpoint, Fold, Since};
use super::{Call, Error, Passes};
use crate::ledger::Unit;
use crate::limits;
use crate::operation::{By, Right};
use std::sync::{Arc, Mutex, PoisonError};

/// How many drifts are told one by one.
const TOLD: usize = 1_000;

/// Something stored that is not what it has to be.
/// See [`Passes::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What it is about. Passes:
    ///
    /// - `pass balance`, `pass granted`: what is left, of all and of what was granted, against the entries;
    /// - `pass value`: what it gives in all, against its value and usage;
    /// - `pass uses`, `pass limit`: uses, against the balance; how many there are in all, against the terms;
    /// - `pass missing`: how many passes in a row, of which the first one is named, are not there though their
    ///   lot or entries speak of them;
    /// - `pass last`: the last entry that it names, against the last about it;
    /// - `pass codes`: how many codes lead to it;
    /// - `successor`: whether it names the pass that replaced it, against that one's lot.
    ///
    /// Credits and contacts:
    ///
    /// - `credit`: what is left, against the entries; `credit missing`: entries without it; `credit last`: the
    ///   last entry that it names;
    /// - `contact currencies`: whether the contact's record lists a currency, against the credits;
    /// - `medium`: whether a number, an address or a reference leads to the contact whose record has it.
    ///
    /// Lots, plans, runs:
    ///
    /// - `lot balance`: all passes of a lot, against the entries; `lot passes`: how many there are; `lot codes`:
    ///   how many codes are reserved; `lot exports`: how often it was exported, against the operations; `lot
    ///   cancelled`: of a cancelled lot, how many passes are; `lot delivery`: whether an electronic pass has one;
    /// - `plan passes`, `plan value`: what is counted against the caps of a plan, against its passes;
    /// - `format codes`: what is counted against the odds of a guess, against the lots; `format`: whether the
    ///   business lists a format that lots have;
    /// - `tally`: something counted that belongs to nothing; `bound`: what a tally counts, against its limit (or
    ///   it counts below zero);
    /// - `run`: what a run counts, against its cursor or its lot.
    ///
    /// The ledger and the operations:
    ///
    /// - `entry`: an entry with an amount, a subject or a currency that it can't have; `entry operation`: the
    ///   operation that it names, against the one that it comes with; `history`: the entry that it names as the
    ///   one before it of the same subject;
    /// - `books`: all accounts together, which have to come to zero;
    /// - `operation`: one that is there twice, under two numbers; `operation moment`: the moment in its id, in
    ///   milliseconds, against the one at which it was written; `operation entries`: how many entries it says
    ///   that it booked; `events`: one whose events or receipt can't be read;
    /// - `key`: how many idempotency keys lead to an operation;
    /// - `reversal`: what was reversed of an operation, against what its reversals returned, or against its
    ///   entries;
    /// - `refusals`: the counts of a day, of which one is zero or there twice.
    ///
    /// Records as such:
    ///
    /// - `parent`: a record whose parent, or another that it names, is not there;
    /// - `document`: a document that can't be read, or is not what its key says;
    /// - `twice`, `order`: a record that comes twice, or out of order, though its key should be unique;
    /// - `store`: what the store found wrong in itself, in words: such as an index that disagrees with its table.
    pub what: &'static str,
    /// The id of the pass, credit, lot or plan; the number of the entry or operation; or in words what it is about.
    pub subject: String,
    /// What is stored.
    pub stored: i64,
    /// What it has to be.
    pub expected: i64,
    /// What both count; nothing for a plain number.
    pub unit: Option<Unit>,
}

impl Drift {
    /// Every name that [`Drift::what`] can have.
    ///
    /// ```
    /// use passes_core::service::Drift;
    /// assert!(Drift::NAMES.contains(&"pass balance"));
    /// ```
    pub const NAMES: &'static [&'static str] = names::ALL;
}

/// The outcome of a verification.
/// See [`Passes::verify`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many documents were read: plans, lots, contacts, sales and the like, but for the counts of refusals.
    pub documents: u64,
    /// How many passes.
    pub passes: u64,
    /// How many operations.
    pub operations: u64,
    /// How many entries.
    pub entries: u64,
    /// How many credits.
    pub credits: u64,
    /// How many named tallies.
    pub tallies: u64,
    /// How many codes.
    pub codes: u64,
    /// How many idempotency keys.
    pub keys: u64,
    /// How many drifts there are. Where hundreds of thousands of records drifted: at least so many.
    pub drifted: u64,
    /// The first 1,000 of them.
    pub drifts: Vec<Drift>,
    /// What became of the books since each checkpoint, in the order in which they were given.
    pub since: Vec<Since>,
}

impl Verified {
    /// Whether everything is as it has to be, and as each checkpoint saw it.
    /// See [`Passes::verify`].
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.drifted == 0 && self.since.iter().all(Since::is_kept)
    }

    pub(super) fn tell(
        &mut self,
        what: &'static str,
        subject: impl ToString,
        stored: i128,
        expected: i128,
        unit: Option<Unit>,
    ) {
        if stored != expected {
            self.drift(what, subject, stored, expected, unit);
        }
    }

    pub(super) fn drift(
        &mut self,
        what: &'static str,
        subject: impl ToString,
        stored: i128,
        expected: i128,
        unit: Option<Unit>,
    ) {
        self.drifted += 1;
        if self.drifts.len() < TOLD {
            let (stored, expected) = (narrow(stored), narrow(expected));
            self.drifts.push(Drift { what, subject: subject.to_string(), stored, expected, unit });
        }
    }
}

/// A sum as it is told: what a ledger of checked amounts can't come to is told as the largest number.
pub(super) fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

impl Passes {
    /// Proves the books of the business, in one snapshot: each pass and each credit holds what its entries make
    /// it, mark by mark; each lot's outstanding value is the sum of its passes; the books sum to zero. Whatever
    /// is counted is counted again, whatever has to be there once is looked for twice, whatever names another
    /// record is followed; [`Drift::what`] lists it all.
    ///
    /// It reads everything once, and a second time only where something has drifted. Memory doesn't grow with
    /// passes, entries, operations or credits, but for a bit for each code; it takes some fifty bytes for each
    /// lot and reversed operation, sixteen for each contact and sale. The store's own check is of the whole
    /// file, of all businesses.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; a failing store; `STORE_NEWER` where a newer version of this
    /// library wrote a record. Drifts are in the answer.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// shop.credited(1)?;
    /// let verified = passes.verify(by).wait()?;
    /// assert!(verified.is_good(), "{:?}", verified.drifts);
    /// assert_eq!((verified.passes, verified.codes, verified.credits), (10, 10, 1));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn verify<'a>(&'a self, by: &'a By) -> Call<'a, Verified> {
        self.verify_since(by, &[])
    }

    /// The same, and tells what became of the books since checkpoints that were kept elsewhere, at most 10,000:
    /// whether they are all there, or were rolled back, rewritten, or belong to another database.
    ///
    /// One checkpoint tells whether something is missing; with older ones beside it, the answer also says up to
    /// which of them all is as it was.
    ///
    /// # Errors
    /// As [`Passes::verify`]; `KEY_MISSING` naming the key that a checkpoint was made with; `TOO_LARGE`. What
    /// the checkpoints tell is in the answer.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::{Passes, secret::Keyring, store::memory::Memory, service::Since};
    /// # use passes_host::testing::SeededEntropy;
    /// # use std::sync::Arc;
    /// let kept = passes.checkpoint(by).wait()?;
    /// assert!(passes.verify_since(by, &[kept.clone()]).wait()?.is_good());
    ///
    /// // Somebody opens an empty database in its place.
    /// let (store, ring) = (Arc::new(Memory::new()), Keyring::from_master("shop", &[7; 32])?);
    /// let other = Passes::open(store, ring, shop.clock.clone(), Arc::new(SeededEntropy::new(2))).wait()?;
    /// let verified = other.verify_since(by, &[kept]).wait()?;
    /// assert!(!verified.is_good() && verified.drifted == 0);
    /// assert_eq!(verified.since[0].to_string(), "rolled back: all 6 operations are missing");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn verify_since<'a>(&'a self, by: &'a By, kept: &'a [Checkpoint]) -> Call<'a, Verified> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            limits::list("checkpoints", kept.len(), limits::LIST)?;
            let genuine = kept.iter().map(|kept| self.is_genuine(kept));
            let genuine = genuine.collect::<Result<Vec<bool>, Error>>()?;
            let key = self.inner.keys.fingerprint()?;
            let random = blake3::derive_key("passes 2026 verification", key.reveal());
            let fold = || Fold::new(by.business, kept);
            let mut audit = self.audited(by, Audit::new(by.business, random, key.clone(), fold())).await?;
            if let Some(again) = audit.again(fold())? {
                audit = self.audited(by, again).await?;
            }
            let (mut verified, fold) = audit.finish()?;
            verified.since = fold.since(kept, &genuine, by.business);
            Ok(verified)
        })
    }

    /// Reads everything of the business.
    async fn audited(&self, by: &By, audit: Audit) -> Result<Audit, Error> {
        let audit = Arc::new(Mutex::new(Some(audit)));
        let rows = Arc::clone(&audit);
        let each = move |row| {
            if let Some(audit) = &mut *rows.lock().unwrap_or_else(PoisonError::into_inner) {
                audit.row(row);
            }
        };
        self.inner.store.audit(by.business, Box::new(each)).await?;
        let audit = audit.lock().unwrap_or_else(PoisonError::into_inner).take();
        audit.ok_or_else(|| crate::store::StoreError::Backend("an audit was lost".into()).into())
    }
}

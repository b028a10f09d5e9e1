//! Checkpoints: a line of text, kept away from the store, by which a store that was rolled back or rewritten is
//! told (D-7).

use super::{Call, Error, Passes};
use crate::calendar::Instant;
use crate::event::Position;
use crate::id::{BusinessId, Id, OperationId};
use crate::ledger::{StoredEntry, Subject};
use crate::operation::{By, Right};
use crate::refusal::Refusal;
use crate::secret::{Key, KeyId, Purpose, hex};
use crate::store::{AuditRow, Load, OperationKey, StoredOperation};
use blake3::Hasher;
use constant_time_eq::constant_time_eq;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// The words with which a line begins: its format is the last of them.
const FORMAT: &str = "passes-checkpoint";
const VERSION: u32 = 1;

/// What a business's books were at a moment: so many operations, and a fold over all of them and their entries.
///
/// It is small and holds no secret. Write it down where whoever can roll the database back can't change it: in a
/// log of another machine, a mail, on paper. [`Passes::verify_since`] tells later whether all that it saw is
/// still there. As text it is one line, which [`parse`](str::parse) reads again. It bears a tag that only the
/// keyring can make.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::service::{Checkpoint, Since};
/// let line = passes.checkpoint(by).wait()?.to_string();
/// // … a day later:
/// shop.sold(1)?;
/// let kept: Checkpoint = line.parse()?;
/// let verified = passes.verify_since(by, &[kept]).wait()?;
/// assert!(verified.is_good());
/// assert_eq!(verified.since, [Since::Kept { after: 1 }]);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    business: BusinessId,
    taken: Instant,
    operations: u64,
    position: Position,
    booked: Instant,
    first: OperationId,
    last: OperationId,
    fold: [u8; 32],
    key: KeyId,
    tag: [u8; 16],
}

impl Checkpoint {
    /// Whose books it saw.
    /// See [`Checkpoint::operations`].
    #[must_use]
    pub fn business(&self) -> BusinessId {
        self.business
    }

    /// When it was taken, in UTC.
    /// See [`Checkpoint::operations`].
    #[must_use]
    pub fn taken(&self) -> Instant {
        self.taken
    }

    /// How many operations it saw.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let last = passes.activate(by, shop.card(1)).wait()?.operation;
    /// let checkpoint = passes.checkpoint(by).wait()?;
    /// assert_eq!((checkpoint.business(), checkpoint.position()), (by.business, last));
    /// assert_eq!((checkpoint.operations(), checkpoint.taken()), (last.0, checkpoint.booked()));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// The position of the last of them.
    /// See [`Checkpoint::operations`].
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// When the last of them was written, in UTC.
    /// See [`Checkpoint::operations`].
    #[must_use]
    pub fn booked(&self) -> Instant {
        self.booked
    }

    /// All but the tag, as text.
    fn body(&self) -> String {
        let Self { business, taken, operations, position, booked, first, last, fold, key, tag: _ } = self;
        let (number, fold, key) = (position.0, hex::encode(fold), key.as_str());
        format!(
            "{FORMAT} {VERSION} {business} {taken} {operations} {number} {booked} {first} {last} {fold} {key}"
        )
    }

    fn tag_by(&self, key: &Key) -> [u8; 16] {
        let key = Key::from_bytes(blake3::derive_key("passes 2026 checkpoint tag", key.reveal()));
        super::engine::first_half(blake3::keyed_hash(key.reveal(), self.body().as_bytes()).as_bytes())
    }
}

/// One line of words.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.body(), hex::encode(&self.tag))
    }
}

impl FromStr for Checkpoint {
    type Err = Refusal;

    /// Reads a line; space around it doesn't matter. Whether it is genuine only [`Passes::verify_since`] can tell.
    ///
    /// # Errors
    /// `INVALID` for what is none, and for one of a newer version of this library.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let wrong = |why: &str| Refusal::invalid("checkpoint", why);
        // None is longer than that, and nobody's book is read to find out.
        if text.len() > 1_000 {
            return Err(Refusal::TooLarge {
                field: "checkpoint".to_owned(),
                size: u64::try_from(text.len()).unwrap_or(u64::MAX),
                largest: 1_000,
            });
        }
        let mut words = text.split_whitespace();
        if words.next() != Some(FORMAT) {
            return Err(wrong("it doesn't begin with passes-checkpoint"));
        }
        let version: u32 = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        if version > VERSION {
            let why = format!("it has format {version}, this library knows formats up to {VERSION}");
            return Err(wrong(&why));
        }
        let words: Vec<&str> = words.collect();
        let [business, taken, operations, number, booked, first, last, fold, key, tag] = words[..] else {
            return Err(wrong("a word is missing, or too many"));
        };
        let count = |word: &str| word.parse().map_err(|_| wrong("a number can't be read"));
        let digits = || wrong("digits can't be read");
        let found = Self {
            business: business.parse()?,
            taken: taken.parse()?,
            operations: count(operations)?,
            position: Position(count(number)?),
            booked: booked.parse()?,
            first: first.parse()?,
            last: last.parse()?,
            fold: hex::decode_array(fold).ok_or_else(digits)?,
            key: key.parse().map_err(|_| wrong("the id of a key can't be read"))?,
            tag: hex::decode_array(tag).ok_or_else(digits)?,
        };
        if version == 0 { Err(wrong("its format can't be read")) } else { Ok(found) }
    }
}

/// What became of the books since a checkpoint.
///
/// As text it is a sentence for people, with the numbers.
/// See [`Passes::verify_since`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Since {
    /// All that it saw is there, unchanged.
    Kept {
        /// How many operations came since.
        after: u64,
    },
    /// The books end before it: they were rolled back, by restoring a backup for example. As far as they go they
    /// may be as they were; an older checkpoint tells.
    RolledBack {
        /// How many operations are missing.
        missing: u64,
        /// The last that is there; zero if none is.
        last: Position,
        /// When that was written: what came later is missing. Nothing if none is there.
        since: Option<Instant>,
    },
    /// They go on, but with other operations than it saw: they were rolled back, and then worked with.
    Diverged {
        /// How many operations it saw.
        saw: u64,
        /// How many there are up to its position.
        there: u64,
        /// The newest of the other checkpoints given that still hold, and when that was taken: what came later
        /// is missing or in doubt. Nothing if none does.
        kept: Option<(Position, Instant)>,
    },
    /// The last operation that it saw is there, but not all before it is as it was: something was changed, added
    /// or taken away.
    Changed {
        /// How many operations it saw.
        saw: u64,
        /// How many there are up to its position.
        there: u64,
        /// The newest of the other checkpoints given that still hold, and when that was taken. Nothing if none
        /// does.
        kept: Option<(Position, Instant)>,
    },
    /// It is of the same business in another database: their first operations differ.
    AnotherDatabase,
    /// It is of another business.
    AnotherBusiness(BusinessId),
    /// It was not made with this keyring, or was changed since.
    Forged,
}

impl Since {
    /// Whether all that the checkpoint saw is there, unchanged.
    /// See [`Passes::verify_since`].
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |f: &mut fmt::Formatter<'_>, kept: &Option<(Position, Instant)>| match kept {
            Some((position, taken)) => {
                write!(f, "; up to operation {}, at the checkpoint of {taken}, all is as it was", position.0)
            }
            None => write!(f, "; no older checkpoint given holds"),
        };
        match self {
            Self::Kept { after } => write!(f, "all is there; {after} operations came since"),
            Self::RolledBack { missing, last, since: Some(since) } => {
                write!(f, "rolled back: {missing} operations are missing, all after {since}")?;
                write!(f, " (the last one there is number {})", last.0)
            }
            Self::RolledBack { missing, since: None, .. } => {
                write!(f, "rolled back: all {missing} operations are missing")
            }
            Self::Diverged { saw, there, kept } => {
                write!(f, "rolled back, and worked with since: {saw} operations were seen, and of the ")?;
                write!(f, "{there} in their place not all are the same")?;
                known(f, kept)
            }
            Self::Changed { saw, there, kept } => {
                write!(f, "rewritten: {saw} operations were seen, and of the {there} in their place ")?;
                write!(f, "something was changed")?;
                known(f, kept)
            }
            Self::AnotherDatabase => f.write_str("another database: it began with another operation"),
            Self::AnotherBusiness(business) => write!(f, "it is of another business, {business}"),
            Self::Forged => f.write_str("it was made with other keys, or changed"),
        }
    }
}

/// The history up to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    operations: u64,
    number: u64,
    booked: Instant,
    first: Option<OperationId>,
    last: Option<OperationId>,
    fold: [u8; 32],
}

/// A fold over operations and entries as they pass by: each is hashed together with what came before it.
pub(super) struct Fold {
    state: State,
    /// The operation under way, whose entries may follow.
    open: Option<Hasher>,
    /// At which numbers it is to be noted, in order, and for whom.
    watched: Vec<(u64, usize)>,
    /// What was noted: the state, and whether the history went on.
    noted: Vec<Option<(State, bool)>>,
}

fn text(hasher: &mut Hasher, bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    hasher.update(&length.to_le_bytes()).update(bytes);
}

fn maybe(hasher: &mut Hasher, found: Option<&str>) {
    hasher.update(&[u8::from(found.is_some())]);
    found.iter().for_each(|found| text(hasher, found.as_bytes()));
}

fn subject(hasher: &mut Hasher, subject: Subject) {
    match subject {
        Subject::None => hasher.update(&[0]),
        Subject::Pass(pass) => hasher.update(&[1]).update(pass.as_bytes()),
        Subject::Passes { first, count } => {
            hasher.update(&[2]).update(first.as_bytes()).update(&count.to_le_bytes())
        }
        Subject::Credit(contact, credit) => {
            hasher.update(&[3]).update(contact.as_bytes()).update(credit.as_bytes())
        }
    };
}

impl Fold {
    pub(super) fn new(business: BusinessId, kept: &[Checkpoint]) -> Self {
        let fold = blake3::derive_key("passes 2026 history of a business", business.as_bytes());
        let (operations, number, booked) = (0, 0, Instant::EPOCH);
        let state = State { operations, number, booked, first: None, last: None, fold };
        let mut watched: Vec<(u64, usize)> = kept.iter().map(|kept| kept.position.0).zip(0..).collect();
        watched.sort_unstable_by(|a, b| b.cmp(a));
        Self { state, open: None, watched, noted: vec![None; kept.len()] }
    }

    /// To go on where a checkpoint ended.
    fn after(kept: &Checkpoint) -> Self {
        let state = State {
            operations: kept.operations,
            number: kept.position.0,
            booked: kept.booked,
            first: Some(kept.first),
            last: Some(kept.last),
            fold: kept.fold,
        };
        Self { state, open: None, watched: Vec::new(), noted: Vec::new() }
    }

    fn close(&mut self) {
        if let Some(hasher) = self.open.take() {
            self.state.fold = *hasher.finalize().as_bytes();
        }
    }

    fn note(&mut self, before: Option<u64>) {
        let due = |number: &u64| before.is_none_or(|before| *number < before);
        while let Some((_, at)) = self.watched.pop_if(|(number, _)| due(number)) {
            if let Some(noted) = self.noted.get_mut(at) {
                *noted = Some((self.state.clone(), before.is_some()));
            }
        }
    }

    pub(super) fn operation(&mut self, found: &StoredOperation) {
        self.close();
        self.note(Some(found.number));
        let operation = &found.operation;
        let mut hasher = Hasher::new_keyed(&self.state.fold);
        hasher.update(&[1]).update(&found.number.to_le_bytes()).update(operation.id.as_bytes());
        hasher.update(&[operation.kind.number()]);
        hasher.update(&operation.at.micros().to_le_bytes());
        hasher.update(&operation.booked.micros().to_le_bytes());
        text(&mut hasher, operation.actor.as_bytes());
        for found in [&operation.place, &operation.channel, &operation.reason] {
            maybe(&mut hasher, found.as_deref());
        }
        text(&mut hasher, &operation.receipt);
        text(&mut hasher, &operation.events);
        let tallies = u64::try_from(found.after.len()).unwrap_or(u64::MAX);
        hasher.update(&tallies.to_le_bytes());
        for tally in &found.after {
            for number in [tally.used, tally.held, tally.limit] {
                hasher.update(&number.to_le_bytes());
            }
        }
        self.open = Some(hasher);
        let state = &mut self.state;
        state.operations += 1;
        (state.number, state.booked, state.last) = (found.number, operation.booked, Some(operation.id));
        state.first.get_or_insert(operation.id);
    }

    pub(super) fn entry(&mut self, found: &StoredEntry) {
        let Some(hasher) = &mut self.open else { return };
        let entry = &found.entry;
        hasher.update(&[2]).update(&found.number.to_le_bytes()).update(&found.operation.to_le_bytes());
        for (account, of) in [entry.from, entry.to] {
            hasher.update(&[account.number()]);
            subject(hasher, of);
        }
        hasher.update(&entry.unit.number().to_le_bytes()).update(&entry.amount.to_le_bytes());
        let line = entry.line.map_or(u64::MAX, u64::from);
        hasher.update(&[entry.mark as u8]).update(&line.to_le_bytes());
        hasher.update(&found.before_from.to_le_bytes()).update(&found.before_to.to_le_bytes());
    }

    /// The last row was read.
    pub(super) fn end(&mut self) {
        self.close();
        self.note(None);
    }

    /// What became of the books since a checkpoint, which is the `at`th of those watched.
    fn judge(&self, kept: &Checkpoint, at: usize) -> Since {
        let Some(Some((then, on))) = self.noted.get(at) else { return Since::Forged };
        let (saw, there) = (kept.operations, then.operations);
        let is_last = then.number == kept.position.0 && then.last == Some(kept.last);
        if is_last && then.fold == kept.fold && there == saw {
            return Since::Kept { after: self.state.operations.saturating_sub(there) };
        }
        if then.first.is_some_and(|first| first != kept.first) {
            return Since::AnotherDatabase;
        }
        if is_last {
            return Since::Changed { saw, there, kept: None };
        }
        if !on && then.number < kept.position.0 {
            let (missing, last) = (saw.saturating_sub(there), Position(then.number));
            return Since::RolledBack { missing, last, since: then.last.map(|_| then.booked) };
        }
        Since::Diverged { saw, there, kept: None }
    }

    /// What became of the books since each of these checkpoints. `genuine` says which are.
    pub(super) fn since(&self, kept: &[Checkpoint], genuine: &[bool], business: BusinessId) -> Vec<Since> {
        let judged = kept.iter().zip(genuine).enumerate().map(|(at, (kept, genuine))| match kept {
            _ if !genuine => Since::Forged,
            kept if kept.business != business => Since::AnotherBusiness(kept.business),
            kept => self.judge(kept, at),
        });
        let mut judged: Vec<Since> = judged.collect();
        let holds = judged.iter().zip(kept).filter(|(since, _)| since.is_kept()).map(|(_, kept)| kept);
        let newest = holds.max_by_key(|kept| (kept.position, kept.taken));
        let newest = newest.map(|kept| (kept.position, kept.taken));
        for since in &mut judged {
            if let Since::Diverged { kept, .. } | Since::Changed { kept, .. } = since {
                *kept = newest;
            }
        }
        judged
    }
}

impl Passes {
    /// A checkpoint of the business's books, to be kept elsewhere. It reads the whole history; one that goes on
    /// from the last ([`Passes::checkpoint_after`]) reads only what is new.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND` for a business without any operation; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let line = passes.checkpoint(by).wait()?.to_string();
    /// assert!(line.starts_with("passes-checkpoint 1 ") && !line.contains('\n'));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn checkpoint<'a>(&'a self, by: &'a By) -> Call<'a, Checkpoint> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            self.folded(by, Fold::new(by.business, &[])).await
        })
    }

    /// A checkpoint that goes on where another ended, which it takes for granted: it proves nothing of what that
    /// one saw. [`Passes::verify_since`] does.
    ///
    /// # Errors
    /// As [`Passes::checkpoint`]; `INVALID` for a checkpoint that is of another business, was made with other
    /// keys or changed, or whose last operation is not there; `KEY_MISSING`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let monday = passes.checkpoint(by).wait()?;
    /// shop.sold(1)?;
    /// let tuesday = passes.checkpoint_after(by, &monday).wait()?;
    /// assert_eq!(tuesday, passes.checkpoint(by).wait()?);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn checkpoint_after<'a>(&'a self, by: &'a By, last: &'a Checkpoint) -> Call<'a, Checkpoint> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let wrong = |why: &str| Error::from(Refusal::invalid("checkpoint", why));
            if !self.is_genuine(last)? {
                return Err(wrong("it was made with other keys, or changed"));
            }
            if last.business != by.business {
                return Err(wrong("it is of another business"));
            }
            let mut load = Load::new(by.business);
            load.operation = Some(OperationKey::Number(last.position.0));
            let found = self.inner.store.load(&load).await?.operation;
            if found.is_none_or(|(found, _)| found.operation.id != last.last) {
                return Err(wrong("the last operation that it saw is not there: verify the books"));
            }
            self.folded(by, Fold::after(last)).await
        })
    }

    async fn folded(&self, by: &By, fold: Fold) -> Result<Checkpoint, Error> {
        let after = fold.state.number;
        let fold = Arc::new(Mutex::new(fold));
        let rows = Arc::clone(&fold);
        let each = move |row| {
            let mut fold = rows.lock().unwrap_or_else(PoisonError::into_inner);
            match row {
                AuditRow::Operation { stored, .. } => fold.operation(&stored),
                AuditRow::Entry(stored) => fold.entry(&stored),
                _ => {}
            }
        };
        self.inner.store.ledger(by.business, after, Box::new(each)).await?;
        let mut fold = fold.lock().unwrap_or_else(PoisonError::into_inner);
        fold.end();
        let State { operations, number, booked, first, last, fold } = fold.state.clone();
        let (Some(first), Some(last)) = (first, last) else {
            return Err(Refusal::NotFound { what: BusinessId::WHAT, id: by.business.to_string() }.into());
        };
        let mut checkpoint = Checkpoint {
            business: by.business,
            taken: self.inner.clock.now(),
            operations,
            position: Position(number),
            booked,
            first,
            last,
            fold,
            key: self.inner.keys.fingerprint.clone(),
            tag: [0; 16],
        };
        checkpoint.tag = checkpoint.tag_by(self.inner.keys.fingerprint()?);
        Ok(checkpoint)
    }

    /// Whether a checkpoint bears the tag that the keyring makes.
    ///
    /// # Errors
    /// `KEY_MISSING` without the key that it was made with.
    pub(super) fn is_genuine(&self, kept: &Checkpoint) -> Result<bool, Error> {
        let key = self.inner.keys.ring.require(Purpose::Fingerprint, &kept.key)?;
        Ok(constant_time_eq(&kept.tag_by(key), &kept.tag))
    }
}

#[cfg(test)]
mod tests;

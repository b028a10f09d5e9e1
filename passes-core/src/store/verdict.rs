//! What a store does about a decision, which is the same in every store.

use super::{After, Answer, Change, Decision, Loaded, StoreError};
use crate::refusal::Refusal;

/// What a store does about a [`Decision`].
///
/// ```
/// use passes_core::store::{After, Answer, Change, Decision, Loaded, StoreError, Verdict};
/// use passes_core::{Refusal, id::BusinessId};
/// let loaded = Loaded::default();
/// // A refusal that counts something is written, and then answered as a refusal.
/// let counts = Box::new(Change::new(BusinessId::STORE));
/// let refused = Decision::Refused(vec![Refusal::UnknownCode], Some(counts));
/// let Verdict::Write(_, landed) = refused.verdict(&loaded)? else { panic!("nothing to write") };
/// let answer = landed.answer(After { operation: 0, tallies: Vec::new() });
/// assert!(matches!(answer, Answer::Refused(why) if why == [Refusal::UnknownCode]));
/// // What was done before must have been loaded.
/// assert_eq!(Decision::Replayed.verdict(&loaded).unwrap_err(), StoreError::Conflict);
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Debug)]
pub enum Verdict {
    /// Nothing is written, and this is the answer.
    Over(Answer),
    /// The change is committed, and then answered.
    Write(Box<Change>, Landed),
}

/// What is answered once a change has landed.
/// See [`Verdict`].
#[derive(Clone, Debug)]
pub struct Landed(Option<Vec<Refusal>>);

impl Landed {
    /// The answer, with what only the commit knew.
    /// See [`Verdict`].
    #[must_use]
    pub fn answer(self, after: After) -> Answer {
        self.0.map_or(Answer::Done(after), Answer::Refused)
    }
}

impl Decision {
    /// What a store does about this, which was decided by what was loaded.
    /// See [`Verdict`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was done before by an operation that wasn't loaded, and
    /// [`StoreError::Backend`] when an accepted change names no operation: an accepted command always leaves one, and
    /// nothing lands that can't be answered.
    ///
    /// ```
    /// use passes_core::store::{Change, Decision, Loaded};
    /// let counted_only = Change::new(passes_core::id::BusinessId::STORE);
    /// let accepted = Decision::Accepted(Box::new(counted_only));
    /// assert_eq!(accepted.verdict(&Loaded::default()).unwrap_err().code(), "STORE_FAILED");
    /// ```
    #[inline]
    pub fn verdict(self, loaded: &Loaded) -> Result<Verdict, StoreError> {
        match self {
            Self::Replayed => {
                let replay = loaded.replay.clone().ok_or(StoreError::Conflict)?;
                Ok(Verdict::Over(Answer::Replayed(replay)))
            }
            Self::Refused(refusals, None) => Ok(Verdict::Over(Answer::Refused(refusals))),
            Self::Refused(refusals, Some(change)) => Ok(Verdict::Write(change, Landed(Some(refusals)))),
            Self::Accepted(change) if change.operation.is_none() => {
                Err(StoreError::Backend("an accepted change without an operation".into()))
            }
            Self::Accepted(change) => Ok(Verdict::Write(change, Landed(None))),
        }
    }
}

//! A passcode as it is presented with a command, on its way to the pass that it leads to.

use super::engine::{Env, View};
use super::{Error, Passes};
use crate::operation::{By, Right};
use crate::pass::PassRow;
use crate::passcode::{CodeHash, Digest, Folded, FoldedFormat, Presented, Recognised, recognise};
use crate::refusal::Refusal;

/// What was presented: a code, or why it is none. That is told where codes are judged, behind the idempotency key.
#[derive(Clone)]
pub(crate) struct Code(Result<Hashed, Refusal>);

/// A presented code, hashed.
#[derive(Clone)]
struct Hashed {
    hash: CodeHash,
    digest: Digest,
    folded: Option<Folded>,
}

impl Passes {
    /// Folds and hashes what was presented.
    pub(crate) fn code(&self, by: &By, presented: &Presented) -> Result<Code, Error> {
        let business = by.business.as_bytes();
        let (hash, folded) = match presented {
            Presented::Code(code) => match code.fold() {
                Ok(folded) => (CodeHash::of(business, &folded), Some(folded)),
                Err(refusal) => return Ok(Code(Err(refusal))),
            },
            Presented::Hash(hash) => {
                self.permit(by, Right::PresentHash)?;
                (hash.clone(), None)
            }
        };
        let digest = hash.digest(self.inner.keys.digest()?);
        Ok(Code(Ok(Hashed { hash, digest, folded })))
    }

    /// Counts the refusal, if it is one, of what comes before a decision: those of decisions are counted there.
    pub(crate) fn early<T, E: Into<Error>>(&self, by: &By, answer: Result<T, E>) -> Result<T, Error> {
        answer.map_err(|error| {
            std::hint::cold_path();
            let error = error.into();
            self.inner.refusals.count(self.inner.clock.now(), by, error.reasons(), None);
            error
        })
    }

    /// Counts a refusal that comes before the store is asked.
    #[cold]
    pub(crate) fn counted(&self, by: &By, refusal: Refusal) -> Error {
        self.inner.refusals.count(self.inner.clock.now(), by, std::slice::from_ref(&refusal), None);
        refusal.into()
    }
}

/// Without a check character in any format there is nothing to tell a typing error by.
fn is_mistyped(folded: &Folded, formats: &[FoldedFormat]) -> bool {
    formats.iter().any(FoldedFormat::has_check) && recognise(folded, formats) == Recognised::TypingError
}

impl Code {
    /// Where no idempotency key is judged before the code, a text that is none is told without asking the store.
    #[inline]
    pub(crate) fn or_told(self, is_keyed: bool) -> Result<Self, Refusal> {
        match self.0 {
            Err(refusal) if !is_keyed => Err(refusal),
            read => Ok(Self(read)),
        }
    }

    /// By what it is looked up, if it is one.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.0.as_ref().ok().map(|hashed| hashed.digest)
    }

    /// By what it is told apart from others, if it is one.
    pub(crate) fn hash(&self) -> Option<&CodeHash> {
        self.0.as_ref().ok().map(|hashed| &hashed.hash)
    }

    /// The pass that the code leads to. Whether it has a typing error is judged before what was looked up.
    pub(crate) fn pass<'a>(&self, view: &View<'a>) -> Result<&'a PassRow, Refusal> {
        let hashed = self.0.as_ref().map_err(Refusal::clone)?;
        match &hashed.folded {
            Some(folded) if is_mistyped(folded, &view.business.formats) => return Err(Refusal::TypingError),
            None if !view.business.settings.accept_hashes => {
                let right = Right::PresentHash.to_string();
                return Err(Refusal::Forbidden { right, why: "the business takes no hashes".into() });
            }
            _ => {}
        }
        let loaded = view.loaded;
        loaded.code.as_ref().ok_or(Refusal::UnknownCode)
    }
}

impl Env<'_> {
    /// Where the command is given.
    pub(crate) fn place(&self) -> Option<&str> {
        self.by.place.as_deref()
    }
}

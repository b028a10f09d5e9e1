//! The error of every use case.

use crate::refusal::{Refusal, by_precedence};
use crate::secret::KeyError;
use crate::store::StoreError;
use std::fmt;

/// Why a use case failed.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::Error;
/// match passes.pass(by, shop.card(99)).wait() {
///     Err(Error::Refused(refused)) => assert!(refused.has("NOT_FOUND")),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command was refused: all the reasons, the one to tell first in front.
    #[error(transparent)]
    Refused(Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key is missing or wrong.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The host's source of randomness failed.
    #[error("no randomness: {0}")]
    Entropy(String),
}

/// The reasons of a refusal, in order of precedence; never empty.
/// See [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(Vec<Refusal>);

impl Refused {
    /// Every rule that failed.
    /// See [`Error::reasons`].
    #[must_use]
    pub fn reasons(&self) -> &[Refusal] {
        &self.0
    }

    /// Whether one of the reasons has this code.
    /// See [`Error`].
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.0.iter().any(|r| r.code() == code)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, refusal) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "; " };
            write!(f, "{comma}{refusal}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

impl Error {
    /// The stable, machine-readable code: of a refusal, that of its first reason.
    ///
    /// ```
    /// use passes_core::{Error, Refusal};
    /// assert_eq!(Error::from(Refusal::UnknownCode).code(), "UNKNOWN_CODE");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.0.first().map_or("REFUSED", Refusal::code),
            Self::Store(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Entropy(_) => "NO_RANDOMNESS",
        }
    }

    /// The reasons, if the command was refused.
    ///
    /// ```
    /// use passes_core::{Error, Refusal};
    /// let error = Error::from(vec![Refusal::UnknownCode, Refusal::Malformed]);
    /// assert_eq!(error.reasons(), [Refusal::Malformed, Refusal::UnknownCode]); // By precedence.
    /// ```
    #[must_use]
    pub fn reasons(&self) -> &[Refusal] {
        match self {
            Self::Refused(refused) => refused.reasons(),
            _ => &[],
        }
    }

    /// Whether the same command may simply be given again.
    ///
    /// ```
    /// use passes_core::{Error, Refusal, store::StoreError};
    /// assert!(Error::from(StoreError::Conflict).is_retryable());
    /// assert!(!Error::from(Refusal::UnknownCode).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Refused(vec![refusal]))
    }
}

impl From<Vec<Refusal>> for Error {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self::Refused(Refused(by_precedence(refusals)))
    }
}

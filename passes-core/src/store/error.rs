//! What can go wrong in a store.

/// What went wrong in a store. Never a domain rule: those are [`Refusal`](crate::Refusal)s.
///
/// ```
/// use passes_core::store::StoreError;
/// let full = StoreError::Full("no space left on the device".into());
/// assert_eq!(full.code(), "STORE_FULL");
/// assert!(full.is_retryable() && !StoreError::InDoubt.is_retryable());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Others were faster, again and again; or the very same change was made by somebody else.
    #[error("others changed the same records at the same time")]
    Conflict,
    /// Some of a chunk's codes are taken; these are their places in it.
    #[error("{} of the chunk's codes are taken", .0.len())]
    Taken(Vec<usize>),
    /// The commit may have landed. Look the key up before trying again.
    #[error("the connection was lost while committing: whether it landed is not known")]
    InDoubt,
    /// A passing fault: nothing landed.
    #[error("the store can't answer at the moment: {0}")]
    Transient(String),
    /// No room: nothing landed.
    #[error("the store is full: {0}")]
    Full(String),
    /// What is stored can't be read.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// It was written by a newer version of this library.
    #[error("the store has format {found}, this library knows formats up to {known}")]
    Unsupported {
        /// The format found.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// The store was closed.
    #[error("the store was closed")]
    Closed,
    /// Anything else that the database said.
    #[error("{0}")]
    Backend(String),
}

impl StoreError {
    /// The stable, machine-readable code.
    ///
    /// ```
    /// assert_eq!(passes_core::store::StoreError::Conflict.code(), "CONFLICT");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict => "CONFLICT",
            Self::Taken(_) => "CODES_TAKEN",
            Self::InDoubt => "IN_DOUBT",
            Self::Transient(_) => "TRANSIENT",
            Self::Full(_) => "STORE_FULL",
            Self::Corrupt(_) => "STORE_CORRUPT",
            Self::Unsupported { .. } => "STORE_NEWER",
            Self::Closed => "STORE_CLOSED",
            Self::Backend(_) => "STORE_FAILED",
        }
    }

    /// Whether the same command may simply be given again: nothing of it landed.
    /// See [`StoreError`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict | Self::Transient(_) | Self::Full(_))
    }
}

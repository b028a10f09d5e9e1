//! The error of opening: what the core says, and what only a host can meet.

use passes_core::secret::KeyError;
use passes_core::store::StoreError;
use passes_core::{Error, Refusal};
use std::path::PathBuf;

/// Why the library could not be opened, or its keys not be had.
///
/// Whatever the core says, a refusal for instance, becomes one too, so that a program needs this one type for
/// its `?`. No text of it shows a key, or the password in an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The core refused, or the store failed, or a key that the store was made with is missing or wrong.
    #[error(transparent)]
    Core(#[from] Error),
    /// The text of a keyring can't be used.
    #[error("{origin}: {error}")]
    KeyringMalformed {
        /// The file, or the environment variable.
        origin: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// A keyring can't be read, or its file not be made.
    #[error("the keyring {origin}: {why}")]
    KeyringUnreadable {
        /// The file, or the environment variable.
        origin: String,
        /// The reason.
        why: String,
    },
    /// The file of a keyring can be read, or written, by others (Unix).
    #[error("the keyring {0} is open to others (mode {mode:04o}); close it: chmod 600 {0}", path.display())]
    KeyringOpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A keyring is made only where no file is: to lose the keys is to lose the codes.
    #[error("{} exists; a keyring is never overwritten", path.display())]
    KeyringExists {
        /// The file.
        path: PathBuf,
    },
    /// The environment variable that should hold a keyring isn't set.
    #[error("the environment variable {variable} is not set; it should hold a keyring")]
    KeyringNotSet {
        /// Its name.
        variable: String,
    },
    /// No store can be told from the address.
    #[error("no store can be opened: {why}")]
    StoreUnknown {
        /// The reason, and what would do.
        why: String,
    },
}

impl HostError {
    /// The stable, machine-readable code: `KEYRING_UNREADABLE`, `KEYRING_OPEN_TO_OTHERS`, `KEYRING_EXISTS`,
    /// `KEYRING_NOT_SET` or `STORE_UNKNOWN`; else that of the core.
    ///
    /// ```
    /// let error = passes_host::keyring_from_env("NO_SUCH_VARIABLE").unwrap_err();
    /// assert_eq!(error.code(), "KEYRING_NOT_SET");
    /// ```
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Core(error) => error.code(),
            Self::KeyringMalformed { error, .. } => error.code(),
            Self::KeyringUnreadable { .. } => "KEYRING_UNREADABLE",
            Self::KeyringOpenToOthers { .. } => "KEYRING_OPEN_TO_OTHERS",
            Self::KeyringExists { .. } => "KEYRING_EXISTS",
            Self::KeyringNotSet { .. } => "KEYRING_NOT_SET",
            Self::StoreUnknown { .. } => "STORE_UNKNOWN",
        }
    }

    /// Whether the same may simply be tried again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Core(error) if error.is_retryable())
    }
}

impl From<Refusal> for HostError {
    fn from(refusal: Refusal) -> Self {
        Self::Core(refusal.into())
    }
}

impl From<StoreError> for HostError {
    fn from(error: StoreError) -> Self {
        Self::Core(error.into())
    }
}

impl From<KeyError> for HostError {
    fn from(error: KeyError) -> Self {
        Self::Core(error.into())
    }
}

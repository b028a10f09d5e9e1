//! The one error of the face, and the reasons it tells.

use crate::convert::Give;
use passes_host::{Error, HostError, Refusal as CoreRefusal};
use std::collections::HashMap;
use std::fmt;

/// Why something failed. Its `code` is stable, for programs; its `message` is for people. Neither shows a secret.
#[derive(Clone, Debug, uniffi::Error)]
pub enum PassesError {
    /// The command was refused, or what was given can't be used.
    Refused {
        /// The stable code of the first reason, such as `PASS_EXPIRED`.
        code: String,
        /// All the reasons, as a sentence.
        message: String,
        /// All the reasons, the one to tell first in front.
        reasons: Vec<Refusal>,
    },
    /// The store failed.
    Store {
        /// The stable code, such as `STORE_FULL`.
        code: String,
        /// What happened.
        message: String,
        /// Whether the same may simply be tried again.
        retryable: bool,
    },
    /// A key is missing, wrong or malformed, or a keyring can't be had.
    Key {
        /// The stable code, such as `KEY_MISSING`.
        code: String,
        /// What happened.
        message: String,
    },
    /// Anything else: an address that means no store, a source of randomness that failed.
    Other {
        /// The stable code, such as `STORE_UNKNOWN`.
        code: String,
        /// What happened.
        message: String,
    },
}

impl fmt::Display for PassesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { message, .. }
            | Self::Store { message, .. }
            | Self::Key { message, .. }
            | Self::Other { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for PassesError {}

impl From<Error> for PassesError {
    fn from(error: Error) -> Self {
        let (code, message) = (error.code().to_owned(), error.to_string());
        match error {
            Error::Refused(refused) => {
                let reasons = refused.reasons().to_vec().give();
                Self::Refused { code, message, reasons }
            }
            Error::Store(error) => Self::Store { code, message, retryable: error.is_retryable() },
            Error::Key(_) => Self::Key { code, message },
            _ => Self::Other { code, message },
        }
    }
}

impl From<CoreRefusal> for PassesError {
    fn from(refusal: CoreRefusal) -> Self {
        Error::from(refusal).into()
    }
}

impl From<HostError> for PassesError {
    fn from(error: HostError) -> Self {
        let (code, message) = (error.code().to_owned(), error.to_string());
        match error {
            HostError::Core(error) => error.into(),
            HostError::KeyringMalformed { .. }
            | HostError::KeyringUnreadable { .. }
            | HostError::KeyringOpenToOthers { .. }
            | HostError::KeyringExists { .. }
            | HostError::KeyringNotSet { .. } => Self::Key { code, message },
            _ => Self::Other { code, message },
        }
    }
}

/// A reason why a command was not carried out.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Refusal {
    /// The stable code, such as `PASS_EXPIRED`; `refusalCodes` has all of them.
    pub code: String,
    /// The reason, for people.
    pub message: String,
    /// What would help, for people; empty when nothing would.
    pub fix: String,
    /// The values that matter, by name.
    pub values: HashMap<String, String>,
}

impl Give<Refusal> for CoreRefusal {
    fn give(self) -> Refusal {
        let values = self.values().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Refusal { code: self.code().to_owned(), message: self.to_string(), fix: self.fix(), values }
    }
}

//! What a case says when the store is wrong.

use passes_core::Refusal;
use passes_core::store::{Operation, StoreError, StoredOperation};
use std::fmt;

/// What is wrong.
#[derive(Debug)]
pub struct Failure(String);

/// How a case ended.
pub type Outcome<T = ()> = Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Self(what)
    }
}

impl From<&str> for Failure {
    fn from(what: &str) -> Self {
        Self(what.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("unexpected {error:?}"))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(format!("unexpected {refusal:?}"))
    }
}

/// Both are the same.
pub(crate) fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}").into())
}

/// It is so.
pub(crate) fn holds(what: &str, so: bool) -> Outcome {
    if so { Ok(()) } else { Err(format!("doesn't hold: {what}").into()) }
}

/// A guard must have failed.
pub(crate) fn conflict<T: fmt::Debug>(what: &str, found: &Result<T, StoreError>) -> Outcome {
    match found {
        Err(StoreError::Conflict) => Ok(()),
        other => Err(format!("{what}: found {other:?}, expected a conflict").into()),
    }
}

/// The stored operation is this one. Its keys are compared only where it was found by one: other readers need
/// not bring them.
pub(crate) fn same_operation(stored: &StoredOperation, expected: &Operation, by_key: bool) -> Outcome {
    let shown = |operation: &Operation| {
        let key = operation.key.filter(|_| by_key);
        format!("{:?}", Operation { key, stops: None, ..operation.clone() })
    };
    same("an operation", &shown(&stored.operation), &shown(expected))
}

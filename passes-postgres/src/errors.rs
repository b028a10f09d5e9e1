//! What PostgreSQL says, in the words of the store's contract. The table stands in the crate's documentation.

use passes_core::store::StoreError;
use tokio_postgres::error::{Severity, SqlState};

/// What was under way when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum While {
    /// Nothing would have changed, or not by this statement.
    Reading,
    /// The statement that commits.
    Committing,
}

/// What went wrong with a statement, and whether the very same may be sent again.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: StoreError,
    pub(crate) again: bool,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self { error, again: false }
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl Failed {
    /// Judges what a statement was answered with, where nothing landed and only the code and its text are known.
    pub(crate) fn of_state(state: &SqlState, text: &str) -> Self {
        // A key's name is that of its table, with a number where the table is one of many.
        let again = state.code() == "2201E" || state.code() == "23505" && text.contains("\"tally_pkey");
        let text = format!("{text} ({})", state.code());
        Self { error: of_state(state, &text, While::Reading), again }
    }

    /// Judges what a statement was answered with.
    pub(crate) fn of(error: &tokio_postgres::Error, doing: While) -> Self {
        let again = error.as_db_error().is_some_and(|db| match db.code().code() {
            // Out of order: see `counted`.
            "2201E" => true,
            // Somebody else made the same named tally, which both began at zero.
            "23505" => db.table() == Some("tally") && db.schema() == Some("passes"),
            _ => false,
        });
        Self { error: told(error, doing), again }
    }
}

/// Tells an error.
pub(crate) fn told(error: &tokio_postgres::Error, doing: While) -> StoreError {
    let Some(db) = error.as_db_error() else {
        // The connection, or what was sent over it. Whether the last statement landed nobody knows.
        return match doing {
            While::Committing if !is_ours(error) => StoreError::InDoubt,
            While::Reading if !is_ours(error) => StoreError::Transient(described(error)),
            _ => StoreError::Backend(described(error)),
        };
    };
    if doing == While::Committing && db.parsed_severity() == Some(Severity::Panic) {
        // The whole server went down over it, and finds out by its log when it is there again.
        return StoreError::InDoubt;
    }
    of_state(db.code(), &format!("{} ({})", db.message(), db.code().code()), doing)
}

/// Whether nothing was sent at all, or nobody is to be asked again: the parameters, the address or the password are
/// wrong.
fn is_ours(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    ["error serializing parameter", "expected ", "error encoding", "authentication error", "invalid con"]
        .iter()
        .any(|start| text.starts_with(start))
        || is_stranger(error)
}

/// Whether the two never came to speak TLS: this is not the server that was meant, or one that speaks another kind.
fn is_stranger(error: &tokio_postgres::Error) -> bool {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented, PeerIncompatible};
    use std::error::Error;
    let within = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    let within = within.and_then(|within| within.get_ref()?.downcast_ref::<rustls::Error>());
    matches!(within, Some(InvalidCertificate(_) | NoCertificatesPresented | PeerIncompatible(_)))
}

fn described(error: &tokio_postgres::Error) -> String {
    use std::error::Error;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Judges an SQLSTATE.
pub(crate) fn of_state(state: &SqlState, text: &str, doing: While) -> StoreError {
    let text = text.to_owned();
    match state.code() {
        // A guard: its division by zero, a sum that no number holds, a key that is there already; or the server chose
        // this one among several that got in each other's way.
        "22012" | "2201E" | "22003" | "23505" | "40001" | "40P01" => StoreError::Conflict,
        "2201F" => StoreError::Backend("the parent of a document never changes".to_owned()),
        // The answer is lost: the server went down while it worked, or a pooler between lost it.
        "40003" | "57P01" | "57P02" | "57P04" if doing == While::Committing => StoreError::InDoubt,
        code if code.starts_with("08") && doing == While::Committing => StoreError::InDoubt,
        "53100" => StoreError::Full(text),
        // Too many of something for now; a lock or a statement that took too long; a standby; starting or stopping.
        "53000" | "53200" | "53300" | "55P03" | "57014" | "25006" | "25P03" | "57P01" | "57P02" | "57P03"
        | "57P04" | "57P05" | "40003" | "40000" | "72000" => StoreError::Transient(text),
        // A prepared statement that is gone or grew old: a pooler handed us another connection, or a table changed.
        "26000" | "0A000" => StoreError::Transient(text),
        code if code.starts_with("08") => StoreError::Transient(text),
        code if code.starts_with("XX") => match code {
            "XX001" | "XX002" => StoreError::Corrupt(text),
            _ => StoreError::Backend(text),
        },
        _ => StoreError::Backend(text),
    }
}

/// What is stored can't be read as what it should be.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} can't be read"))
}

/// The caller gave what is no change; no retry mends that.
pub(crate) fn broken(why: &str) -> StoreError {
    StoreError::Backend(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, doing: While) -> StoreError {
        of_state(&SqlState::from_code(code), "said", doing)
    }

    /// D-3: what is a conflict, what passes, what is in doubt and what is broken is told apart by its SQLSTATE.
    #[test]
    fn states_are_told_apart() {
        for doing in [While::Reading, While::Committing] {
            for conflict in ["22012", "2201E", "22003", "23505", "40001", "40P01"] {
                assert_eq!(of(conflict, doing), StoreError::Conflict, "{conflict}");
            }
            for passing in ["53300", "55P03", "57014", "25006", "57P03", "26000"] {
                assert!(matches!(of(passing, doing), StoreError::Transient(_)), "{passing}");
            }
            assert!(matches!(of("53100", doing), StoreError::Full(_)));
            assert!(matches!(of("XX001", doing), StoreError::Corrupt(_)));
            for other in ["42P01", "28P01", "3D000", "XX000", "2201F", "58030"] {
                assert!(matches!(of(other, doing), StoreError::Backend(_)), "{other}");
            }
        }
        for lost in ["57P01", "57P02", "40003", "08006", "08P01"] {
            assert_eq!(of(lost, While::Committing), StoreError::InDoubt, "{lost}");
            assert!(matches!(of(lost, While::Reading), StoreError::Transient(_)), "{lost}");
        }
    }

    /// C-13: the text of an error holds what the server says, which names no value of ours.
    #[test]
    fn a_change_that_is_none_is_told_as_such() {
        assert_eq!(of("2201F", While::Committing).code(), "STORE_FAILED");
    }
}

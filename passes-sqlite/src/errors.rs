//! What SQLite says, in the words of the store's contract.

use passes_core::store::StoreError;
use rusqlite::ErrorCode;
use rusqlite::ffi;
use std::fmt;

/// A fault inside the store, before it is told to anybody.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite's.
    Sql(rusqlite::Error),
    /// One that is told as it is.
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sql(error) => told(&error),
            Fault::Store(error) => error,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Fault {
    /// What is stored can't be read as what it should be.
    pub(crate) fn corrupt(what: &str) -> Self {
        Self::Store(StoreError::Corrupt(format!("{what} can't be read")))
    }

    /// The caller gave what is no change; no retry mends that.
    pub(crate) fn broken(why: &str) -> Self {
        Self::Store(StoreError::Backend(why.to_owned()))
    }

    /// Whether a row was read that makes no sense. Nothing was written meanwhile, and SQLite itself is well.
    pub(crate) fn is_unreadable(&self) -> bool {
        match self {
            Self::Sql(error) => is_unreadable(error),
            Self::Store(error) => matches!(error, StoreError::Corrupt(_)),
        }
    }

    /// A guard didn't hold.
    pub(crate) fn conflict() -> Self {
        Self::Store(StoreError::Conflict)
    }

    /// Whether a file couldn't be synced.
    pub(crate) fn is_failed_sync(&self) -> bool {
        match self {
            Self::Sql(rusqlite::Error::SqliteFailure(failure, _)) => {
                failure.extended_code == ffi::SQLITE_IOERR_FSYNC
            }
            _ => false,
        }
    }

    /// What a failed COMMIT is told as. When the write-ahead log can't be synced, or what was synced can't be
    /// entered in the shared memory beside it, the commit may be found in the log after a crash all the same.
    pub(crate) fn of_commit(self) -> StoreError {
        let code = match &self {
            Self::Sql(error) => error.sqlite_error_code(),
            Self::Store(_) => None,
        };
        match code {
            Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory | ErrorCode::CannotOpen) => {
                StoreError::InDoubt
            }
            _ => self.into(),
        }
    }
}

fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    matches!(
        error,
        E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..)
    )
}

fn told(error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error as E;
    let text = error.to_string();
    match error {
        E::SqliteFailure(failure, _) => match (failure.code, failure.extended_code) {
            (
                _,
                ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_ROWID,
            ) => StoreError::Conflict,
            // The shared memory beside the log could not be made larger: there is no room, or no right to it.
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => StoreError::Full(text),
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => StoreError::Corrupt(text),
            (
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed,
                _,
            ) => StoreError::Transient(text),
            _ => StoreError::Backend(text),
        },
        error if is_unreadable(error) => StoreError::Corrupt(text),
        _ => StoreError::Backend(text),
    }
}

/// What an operating system's error at a side file is told as.
pub(crate) fn of_file(what: &str, error: &std::io::Error) -> StoreError {
    let text = format!("{what}: {error}");
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full(text),
        _ => StoreError::Backend(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> Fault {
        Fault::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    /// D-3: an I/O error while committing leaves in doubt whether it landed; a full disk doesn't.
    #[test]
    fn a_failed_commit_is_in_doubt_unless_the_disk_is_full() {
        assert_eq!(sqlite(ffi::SQLITE_IOERR_FSYNC).of_commit(), StoreError::InDoubt);
        // The log is synced before its index grows.
        assert_eq!(sqlite(ffi::SQLITE_IOERR_SHMSIZE).of_commit(), StoreError::InDoubt);
        assert_eq!(sqlite(ffi::SQLITE_NOMEM).of_commit(), StoreError::InDoubt);
        assert!(matches!(sqlite(ffi::SQLITE_FULL).of_commit(), StoreError::Full(_)));
        assert!(matches!(sqlite(ffi::SQLITE_BUSY).of_commit(), StoreError::Transient(_)));
        assert!(matches!(StoreError::from(sqlite(ffi::SQLITE_IOERR_WRITE)), StoreError::Backend(_)));
    }

    /// D-3: only a key that is there already is a conflict; a reference to nothing is a fault of ours.
    #[test]
    fn a_taken_key_is_a_conflict() {
        assert_eq!(StoreError::from(sqlite(ffi::SQLITE_CONSTRAINT_PRIMARYKEY)), StoreError::Conflict);
        assert!(matches!(
            StoreError::from(sqlite(ffi::SQLITE_CONSTRAINT_FOREIGNKEY)),
            StoreError::Backend(_)
        ));
        assert!(matches!(StoreError::from(sqlite(ffi::SQLITE_NOTADB)), StoreError::Corrupt(_)));
    }
}

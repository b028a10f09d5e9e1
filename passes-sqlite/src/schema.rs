//! The tables, and how a file is brought to their newest form.

use crate::errors::Fault;
use passes_core::store::StoreError;
use rusqlite::Connection;

/// Numbered from 1: what each adds to the one before. One that was released never changes.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// In the file's header, so that tools and we know whose file it is: "PASS".
const APPLICATION: i32 = 0x5041_5353;

/// The newest format that this library knows.
pub(crate) fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Checks whose file it is, and brings it to the newest format. Nobody else may write meanwhile.
///
/// # Errors
/// [`StoreError::Unsupported`] for a newer format, [`StoreError::Corrupt`] for what is no database of ours.
pub(crate) fn migrate(sql: &Connection) -> Result<(), Fault> {
    let found = format(sql)?;
    if found == newest() {
        return Ok(());
    }
    sql.execute_batch("BEGIN IMMEDIATE")?;
    let done = missing(sql, found).and_then(|()| Ok(sql.execute_batch("COMMIT")?));
    if done.is_err() && !sql.is_autocommit() {
        sql.execute_batch("ROLLBACK")?;
    }
    done
}

fn missing(sql: &Connection, found: u32) -> Result<(), Fault> {
    let known = usize::try_from(found).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().skip(known) {
        sql.execute_batch(migration)?;
    }
    sql.pragma_update(None, "application_id", APPLICATION)?;
    sql.pragma_update(None, "user_version", newest())?;
    Ok(())
}

/// The format that the file has; 0 for a new one.
fn format(sql: &Connection) -> Result<u32, Fault> {
    let application: i32 = sql.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i32 = sql.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let objects: i64 = sql.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let fresh = application == 0 && version == 0 && objects == 0;
    match u32::try_from(version) {
        Ok(found) if fresh || (application == APPLICATION && found > 0) => {
            let known = newest();
            if found > known { Err(StoreError::Unsupported { found, known }.into()) } else { Ok(found) }
        }
        _ => Err(StoreError::Corrupt("the file is no database of Passes".into()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-4: an empty file gets all tables at once, and migrating again changes nothing.
    #[test]
    fn an_empty_file_is_brought_to_the_newest_format() {
        let sql = Connection::open_in_memory().unwrap();
        migrate(&sql).unwrap();
        migrate(&sql).unwrap();
        assert_eq!(format(&sql).unwrap(), newest());
    }

    /// D-4: a file of a newer library is refused, and another program's file is left alone.
    #[test]
    fn newer_and_foreign_files_are_refused() {
        let sql = Connection::open_in_memory().unwrap();
        migrate(&sql).unwrap();
        sql.pragma_update(None, "user_version", newest() + 1).unwrap();
        let known = newest();
        assert_eq!(
            StoreError::from(migrate(&sql).unwrap_err()),
            StoreError::Unsupported { found: known + 1, known }
        );

        let sql = Connection::open_in_memory().unwrap();
        sql.execute_batch("CREATE TABLE theirs(a)").unwrap();
        assert!(matches!(StoreError::from(migrate(&sql).unwrap_err()), StoreError::Corrupt(_)));
        let tables: i64 = sql.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }
}

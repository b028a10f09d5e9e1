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
    if format(sql)? == newest() {
        return Ok(());
    }
    sql.execute_batch("BEGIN IMMEDIATE")?;
    // Asked again: somebody may have done it a moment ago.
    let done = format(sql).and_then(|found| missing(sql, found));
    let done = done.and_then(|()| Ok(sql.execute_batch("COMMIT")?));
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

/// Refuses a format that is newer than this library.
///
/// # Errors
/// [`StoreError::Unsupported`].
pub(crate) fn known(version: i32) -> Result<(), Fault> {
    let (found, known) = (u32::try_from(version).unwrap_or_default(), newest());
    if found > known { Err(StoreError::Unsupported { found, known }.into()) } else { Ok(()) }
}

/// The format that the file has; 0 for a new one.
///
/// # Errors
/// Those of [`migrate`].
pub(crate) fn format(sql: &Connection) -> Result<u32, Fault> {
    let application: i32 = sql.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i32 = sql.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let objects: i64 = sql.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let fresh = application == 0 && version == 0 && objects == 0;
    match u32::try_from(version) {
        Ok(found) if fresh || (application == APPLICATION && found > 0) => {
            known(version)?;
            Ok(found)
        }
        _ => Err(StoreError::Corrupt("the file is no database of Passes".into()).into()),
    }
}

/// How SQLite would go about a statement, step by step.
#[cfg(test)]
pub(crate) fn plan_of(text: &str) -> Vec<String> {
    let sql = Connection::open_in_memory().unwrap();
    sql.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    migrate(&sql).unwrap();
    let mut plan = sql.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let mut rows = plan.raw_query();
    std::iter::from_fn(|| rows.next().unwrap().map(|row| row.get(3).unwrap())).collect()
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

    /// D-1: every table is strict, so that no column holds what it shouldn't.
    #[test]
    fn tables_are_strict() {
        let sql = Connection::open_in_memory().unwrap();
        migrate(&sql).unwrap();
        let mut tables =
            sql.prepare("SELECT name,strict FROM pragma_table_list WHERE schema='main'").unwrap();
        let tables =
            tables.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))).unwrap();
        let tables: Vec<_> = tables.map(Result::unwrap).filter(|(name, _)| name != "sqlite_schema").collect();
        assert_eq!(tables.len(), 10);
        assert!(tables.iter().all(|(_, strict)| *strict), "{tables:?}");
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

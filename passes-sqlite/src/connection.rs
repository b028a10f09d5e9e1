//! One connection: how it is set up, and the businesses it has met.

use crate::errors::Fault;
use crate::schema;
use passes_core::id::{BusinessId, Id, LotId};
use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, MAIN_DB, OpenFlags, OptionalExtension, params};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Every statement of the store, those for bulk included, stays prepared.
const STATEMENTS: usize = 96;

/// Lots whose numbers are kept at hand.
const LOTS: usize = 4_096;

/// Bytes that the log's file keeps when it begins anew: twice what it has under steady load.
const LONGEST_LOG: u32 = 128 * 1024 * 1024;

/// `PRAGMA synchronous` with which a commit is synced before it is answered.
pub(crate) const FULL: u8 = 2;

/// Writers queue on side files, so this is only for what the locks don't order: recovery after a crash, and
/// programs that know nothing of them.
pub(crate) const BUSY: Duration = Duration::from_secs(30);

/// Where the file is, and what tests change about how it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// SQLite's name of the file system, unless it is the platform's own.
    pub(crate) vfs: Option<String>,
    /// The value of `PRAGMA synchronous`.
    pub(crate) synchronous: u8,
    /// Set when a checkpoint couldn't be synced; see [`Db::note`].
    pub(crate) keeps_log: Arc<AtomicBool>,
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self { path: path.clone(), vfs: None, synchronous: FULL, keeps_log: Arc::default() }
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}

/// A connection, and the numbers by which the tables name businesses and lots.
pub(crate) struct Db {
    pub(crate) sql: Connection,
    businesses: RefCell<HashMap<BusinessId, i64>>,
    lots: RefCell<HashMap<(i64, LotId), i64>>,
    keeps_log: Arc<AtomicBool>,
}

impl Db {
    /// Opens the file for reading and writing, and makes it if need be.
    pub(crate) fn for_writing(place: impl Into<Place>) -> Result<Self, Fault> {
        let place = place.into();
        // Before anything is set: what is not ours stays as it is.
        let sql = judge(&place)?;
        let mode: String = sql.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(Fault::broken("the file can't have a write-ahead log where it is"));
        }
        sql.execute_batch(&format!(
            "PRAGMA synchronous = {};
             PRAGMA fullfsync = ON;
             PRAGMA secure_delete = ON;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA cache_size = -32768;",
            place.synchronous
        ))?;
        // A log that grew while it was read for long gives the room back when it begins anew.
        sql.query_row(&format!("PRAGMA journal_size_limit = {LONGEST_LOG}"), [], |_| Ok(()))?;
        Ok(Self::new(sql, place.keeps_log))
    }

    /// Opens the file for reading.
    pub(crate) fn for_reading(place: impl Into<Place>) -> Result<Self, Fault> {
        // Opened for writing all the same: whoever comes first after a crash has to recover the log.
        let place = place.into();
        let sql = open(&place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        sql.execute_batch(
            "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8192;",
        )?;
        Ok(Self::new(sql, place.keeps_log))
    }

    fn new(sql: Connection, keeps_log: Arc<AtomicBool>) -> Self {
        sql.set_prepared_statement_cache_capacity(STATEMENTS);
        Self { sql, businesses: RefCell::default(), lots: RefCell::default(), keeps_log }
    }

    /// Whether the log may no longer be brought into the file.
    pub(crate) fn keeps_log(&self) -> bool {
        self.keeps_log.load(Ordering::Relaxed)
    }

    /// Takes note of a checkpoint that failed. When it was a sync, nobody knows what of the database file is on the
    /// disk: a system may take pages for written that it lost, and SQLite counts those that earlier checkpoints
    /// wrote as brought in. So the log is kept from then on. Who opens the file after everybody has closed it
    /// brings all of it in anew.
    pub(crate) fn note(&self, fault: &Fault) {
        if fault.is_failed_sync() {
            self.keeps_log.store(true, Ordering::Relaxed);
        }
    }

    /// A statement, prepared once.
    pub(crate) fn statement(&self, text: &str) -> Result<CachedStatement<'_>, Fault> {
        Ok(self.sql.prepare_cached(text)?)
    }

    /// Runs a statement that takes and answers nothing.
    pub(crate) fn run(&self, text: &str) -> Result<(), Fault> {
        self.statement(text)?.execute([])?;
        Ok(())
    }

    /// Whether this library still knows the format of the file.
    pub(crate) fn still_known(&self) -> Result<(), Fault> {
        let version: i32 = self.statement("PRAGMA user_version")?.query_row([], |row| row.get(0))?;
        schema::known(version)
    }

    /// The number of a business, if it has any record.
    pub(crate) fn business(&self, id: BusinessId) -> Result<Option<i64>, Fault> {
        if let Some(known) = self.businesses.borrow().get(&id) {
            return Ok(Some(*known));
        }
        let mut select = self.statement("SELECT num FROM business WHERE id = ?1")?;
        let found = select.query_row([id.to_bytes()], |row| row.get(0)).optional()?;
        if let Some(found) = found {
            self.businesses.borrow_mut().insert(id, found);
        }
        Ok(found)
    }

    /// The number of a business, given now if it has none. Only within a transaction that writes.
    pub(crate) fn business_or_new(&self, id: BusinessId) -> Result<i64, Fault> {
        if let Some(found) = self.business(id)? {
            return Ok(found);
        }
        self.statement("INSERT INTO business (id) VALUES (?1)")?.execute([id.to_bytes()])?;
        let number = self.sql.last_insert_rowid();
        self.businesses.borrow_mut().insert(id, number);
        Ok(number)
    }

    /// The number of a lot, given now if it has none. Only within a transaction that writes.
    pub(crate) fn lot_or_new(&self, business: i64, id: LotId) -> Result<i64, Fault> {
        if let Some(known) = self.lots.borrow().get(&(business, id)) {
            return Ok(*known);
        }
        let mut select = self.statement("SELECT num FROM lot WHERE business=?1 AND id=?2")?;
        let found = select.query_row(params![business, id.as_bytes()], |row| row.get(0)).optional()?;
        let number = match found {
            Some(found) => found,
            None => {
                let mut insert = self.statement("INSERT INTO lot (business,id) VALUES (?1,?2)")?;
                insert.execute(params![business, id.as_bytes()])?;
                self.sql.last_insert_rowid()
            }
        };
        let mut lots = self.lots.borrow_mut();
        if lots.len() >= LOTS {
            lots.clear();
        }
        lots.insert((business, id), number);
        Ok(number)
    }

    /// Takes back the transaction that is open, and forgets what was learned in it.
    pub(crate) fn roll_back(&self) {
        self.businesses.borrow_mut().clear();
        self.lots.borrow_mut().clear();
        // SQLite itself may have done so already. An error here shows again at the next BEGIN.
        if !self.sql.is_autocommit() {
            drop(self.run("ROLLBACK"));
        }
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        if self.keeps_log() {
            // It can't fail: it sets a flag of an open connection.
            let _ = self.sql.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }
}

/// Opens the file, makes it if need be, and judges whose it is.
///
/// # Errors
/// Those of [`schema::format`].
pub(crate) fn judge(place: &Place) -> Result<Connection, Fault> {
    let sql = open(place, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // SQLite opens a write-protected file for reading only, and doesn't tell.
    if sql.is_readonly(MAIN_DB)? {
        return Err(Fault::broken("the file is write-protected"));
    }
    // At one moment: another process may be making it.
    sql.execute_batch("BEGIN")?;
    let judged = schema::format(&sql);
    sql.execute_batch("ROLLBACK")?;
    judged?;
    Ok(sql)
}

fn open(place: &Place, flags: OpenFlags) -> Result<Connection, Fault> {
    // Each connection is used by one thread at a time, so SQLite needs no mutex around it.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = match &place.vfs {
        None => Connection::open_with_flags(&place.path, flags)?,
        Some(vfs) => Connection::open_with_flags_and_vfs(&place.path, flags, vfs.as_str())?,
    };
    sql.busy_timeout(BUSY)?;
    // No plan of ours depends on a value. Without this SQLite looks, and prepares each statement anew each time.
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Whichever connection is closed last brings the log into the file, a reader's, too.
    sql.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA checkpoint_fullfsync = ON;",
    )?;
    Ok(sql)
}

/// A snapshot for reading, which ends with this.
pub(crate) struct Snapshot<'a>(&'a Db);

impl<'a> Snapshot<'a> {
    pub(crate) fn begin(db: &'a Db) -> Result<Self, Fault> {
        db.run("BEGIN")?;
        Ok(Self(db))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if !self.0.sql.is_autocommit() {
            drop(self.0.run("ROLLBACK"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting<T: rusqlite::types::FromSql>(db: &Db, name: &str) -> T {
        db.sql.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    /// D-3: what is committed is synced, what is deleted is overwritten, what is referred to is there.
    #[test]
    fn a_writer_is_set_up_to_keep_what_it_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let db = Db::for_writing(&path).unwrap();
        assert_eq!(setting::<String>(&db, "journal_mode"), "wal");
        for (name, value) in [
            ("synchronous", 2),
            ("fullfsync", 1),
            ("checkpoint_fullfsync", 1),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("temp_store", 2),
            ("wal_autocheckpoint", 0),
            ("journal_size_limit", 128 * 1024 * 1024),
        ] {
            assert_eq!(setting::<i64>(&db, name), value, "{name}");
        }
        let reader = Db::for_reading(&path).unwrap();
        for name in ["query_only", "foreign_keys", "checkpoint_fullfsync"] {
            assert_eq!(setting::<i64>(&reader, name), 1, "{name}");
        }
    }
}

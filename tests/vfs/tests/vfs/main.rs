//! The file system under SQLite itself.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use rusqlite::{Connection, OpenFlags, ffi};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use tempfile::TempDir;
use test_vfs::{Cut, Failure, Fault, FileKind, Op, Point, Vfs};

struct Shop {
    folder: TempDir,
    vfs: Vfs,
}

impl Shop {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), vfs: Vfs::with_power_cuts().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    fn open(&self, synchronous: &str) -> Connection {
        let sql =
            Connection::open_with_flags_and_vfs(self.path(), OpenFlags::default(), self.vfs.name()).unwrap();
        sql.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA synchronous = {synchronous};
             CREATE TABLE IF NOT EXISTS sale(n INTEGER PRIMARY KEY, what BLOB);"
        ))
        .unwrap();
        sql
    }

    fn image(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn sell(sql: &Connection, n: i64) -> Result<(), ffi::Error> {
    let sold = sql.execute("INSERT INTO sale VALUES (?1, randomblob(700))", [n]);
    sold.map(drop).map_err(|error| *error.sqlite_error().unwrap())
}

fn checkpoint(sql: &Connection, mode: &str) -> Result<(), ffi::Error> {
    let run = sql.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
    run.map_err(|error| *error.sqlite_error().unwrap())
}

/// The sales in an image, which must be a whole database.
fn sales(folder: &Path) -> Vec<i64> {
    let sql = Connection::open(folder.join("shop.db")).unwrap();
    let whole: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'sale'";
    if sql.query_row(table, [], |row| row.get::<_, i64>(0)).unwrap() == 0 {
        return Vec::new();
    }
    let mut select = sql.prepare("SELECT n FROM sale ORDER BY n").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn lost(cut: &Cut, image: &Path) -> Vec<i64> {
    cut.lose_all(image).unwrap();
    sales(image)
}

fn seeded(seed: u64) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    ChaCha8Rng::from_seed(bytes)
}

#[test]
fn commits_are_counted_apart_from_checkpoints() {
    let shop = Shop::new();
    let sql = shop.open("FULL");
    let before = shop.vfs.counts();
    (0..10).for_each(|n| sell(&sql, n).unwrap());
    let counts = shop.vfs.counts().since(&before);
    assert_eq!((counts.commit_syncs, counts.wal.syncs, counts.checkpoints()), (10, 10, 0));
    assert_eq!((counts.database.writes, counts.other.writes), (0, 0));
    // A frame is its header and its page.
    assert_eq!(counts.wal.bytes, counts.wal.writes / 2 * (24 + 4096));

    let before = shop.vfs.counts();
    checkpoint(&sql, "RESTART").unwrap();
    let counts = shop.vfs.counts().since(&before);
    assert_eq!((counts.commit_syncs, counts.checkpoint_syncs, counts.database.syncs), (0, 1, 1));
    assert!(counts.database.writes > 0 && counts.database.bytes == counts.database.writes * 4096);
    sell(&sql, 10).unwrap();
    let counts = shop.vfs.counts().since(&before);
    assert_eq!((counts.commit_syncs, counts.restart_syncs, counts.checkpoints()), (1, 1, 3));

    sql.execute_batch("PRAGMA synchronous = NORMAL").unwrap();
    let before = shop.vfs.counts();
    sell(&sql, 11).unwrap();
    assert_eq!(shop.vfs.counts().since(&before).wal.syncs, 0);
}

#[test]
fn each_counts_for_itself() {
    let (one, other) = (Shop::new(), Shop::new());
    let (sql, _other) = (one.open("FULL"), other.open("FULL"));
    let before = (one.vfs.counts(), other.vfs.counts());
    sell(&sql, 1).unwrap();
    assert_eq!(one.vfs.counts().since(&before.0).commit_syncs, 1);
    assert_eq!(other.vfs.counts(), before.1);
}

#[test]
fn its_name_ends_with_it_but_not_what_is_open() {
    let shop = Shop::new();
    let sql = shop.open("FULL");
    let name = shop.vfs.name().to_owned();
    let Shop { folder, vfs } = shop;
    drop(vfs);
    let open =
        || Connection::open_with_flags_and_vfs(folder.path().join("b.db"), OpenFlags::default(), &*name);
    drop(open().unwrap());
    sell(&sql, 1).unwrap();
    drop(sql);
    let error = open().unwrap_err();
    assert!(error.to_string().contains("no such vfs"), "{error}");
}

/// What it believes is in the files is in the files, whatever is done to them.
#[test]
fn its_shadow_is_true() {
    let shop = Shop::new();
    let mut rng = seeded(3);
    let mut sql = shop.open("FULL");
    for round in 0..300 {
        match rng.next_u64() % 12 {
            0 => checkpoint(&sql, "PASSIVE").unwrap(),
            1 => checkpoint(&sql, "RESTART").unwrap(),
            2 => checkpoint(&sql, "TRUNCATE").unwrap(),
            3 => sql.execute_batch("DELETE FROM sale WHERE n % 7 = 3; VACUUM").unwrap(),
            4 => {
                drop(sql);
                sql = shop.open("FULL");
            }
            5 => {
                // Larger than the cache, so that it spills into the log, and taken back.
                let many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 300)
                     INSERT INTO sale SELECT 100000 + n, randomblob(9000) FROM c";
                sql.execute_batch("PRAGMA cache_size = 20; BEGIN").unwrap();
                sql.execute(many, []).unwrap();
                sql.execute_batch("ROLLBACK").unwrap();
            }
            _ => sell(&sql, round).unwrap(),
        }
        if round % 10 == 0 {
            let image = shop.image(&round.to_string());
            shop.vfs.cut().keep_all(&image).unwrap();
            for name in ["shop.db", "shop.db-wal"] {
                let [real, shadow] =
                    [shop.folder.path(), &image].map(|folder| fs::read(folder.join(name)).ok());
                assert!(real == shadow, "{name} in round {round}");
            }
        }
    }
}

#[test]
fn what_is_synced_survives_and_what_is_not_may_not() {
    for (synchronous, kept) in [("FULL", 20), ("NORMAL", 0), ("OFF", 0)] {
        let shop = Shop::new();
        let sql = shop.open("FULL");
        sql.execute_batch(&format!("PRAGMA synchronous = {synchronous}")).unwrap();
        (0..20).for_each(|n| sell(&sql, n).unwrap());
        let cut = shop.vfs.cut();
        assert_eq!(cut.unsynced() == 0, kept == 20, "{synchronous}");
        assert_eq!(lost(&cut, &shop.image("lost")).len(), kept, "{synchronous}");
        cut.keep_all(&shop.image("kept")).unwrap();
        assert_eq!(sales(&shop.image("kept")).len(), 20, "{synchronous}");
    }
}

/// Whenever the power is cut while sales go on, in the middle of a checkpoint too, what was sold is there, and the
/// database is whole.
#[test]
fn nothing_synced_is_ever_lost() {
    let shop = Shop::new();
    let (send, cuts) = mpsc::channel();
    let sold = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let mut rng = seeded(5);
    for (file, ops) in [
        (FileKind::Database, [Op::Write, Op::Sync, Op::Truncate].as_slice()),
        (FileKind::Wal, &[Op::Write, Op::CommitSync, Op::RestartSync, Op::CheckpointSync]),
    ] {
        for op in ops {
            for _ in 0..8 {
                let (vfs, send, sold) = (shop.vfs.clone(), send.clone(), std::sync::Arc::clone(&sold));
                let point = Point::new(file, *op).nth(rng.next_u64() % 12 + 1);
                shop.vfs.at(point, move || {
                    let sold = sold.load(std::sync::atomic::Ordering::SeqCst);
                    drop(send.send((sold, vfs.cut())));
                });
            }
        }
    }
    drop(send);
    let sql = shop.open("FULL");
    let watcher = shop.open("FULL");
    for n in 1..=200 {
        sell(&sql, n).unwrap();
        sold.store(n, std::sync::atomic::Ordering::SeqCst);
        match n % 15 {
            3 | 8 => checkpoint(&watcher, "PASSIVE").unwrap(),
            0 => checkpoint(&sql, "RESTART").unwrap(),
            _ => {}
        }
    }
    drop((sql, watcher));
    let (mut images, mut torn) = (0, 0);
    for (sold, cut) in cuts {
        torn += usize::from(cut.unsynced() > 0);
        for _ in 0..6 {
            images += 1;
            let image = shop.image(&images.to_string());
            cut.lose(&mut rng, &image).unwrap();
            let found = sales(&image);
            let count = i64::try_from(found.len()).unwrap();
            assert!(
                found == (1..=count).collect::<Vec<_>>() && (sold..=sold + 1).contains(&count),
                "{found:?}"
            );
        }
    }
    assert!(images == 6 * 7 * 8 && torn > 20, "{images} images, {torn} cuts with something at stake");
}

#[test]
fn a_deleted_log_may_come_back() {
    let shop = Shop::new();
    let sql = shop.open("FULL");
    sell(&sql, 1).unwrap();
    drop(sql);
    assert!(!shop.image("shop.db-wal").exists());
    let mut rng = seeded(1);
    let mut seen = [false; 2];
    for n in 0..40 {
        let image = shop.image(&n.to_string());
        shop.vfs.cut().lose(&mut rng, &image).unwrap();
        seen[usize::from(image.join("shop.db-wal").exists())] = true;
        assert_eq!(sales(&image), [1]);
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn commits_fail_as_they_are_told_to() {
    let write = |nth| Point::new(FileKind::Wal, Op::Write).nth(nth);
    let sync = Point::new(FileKind::Wal, Op::CommitSync);
    for (point, failure, code) in [
        (write(1), Failure::Io, ffi::SQLITE_IOERR_WRITE),
        (write(2), Failure::Late, ffi::SQLITE_IOERR_WRITE),
        (write(2), Failure::Full, ffi::SQLITE_FULL),
        (write(2), Failure::Short, ffi::SQLITE_FULL),
        (sync, Failure::Io, ffi::SQLITE_IOERR_FSYNC),
        (sync, Failure::Late, ffi::SQLITE_IOERR_FSYNC),
        (sync, Failure::Full, ffi::SQLITE_IOERR_FSYNC),
        (Point::new(FileKind::Wal, Op::Sync), Failure::Short, ffi::SQLITE_IOERR_FSYNC),
    ] {
        let shop = Shop::new();
        let sql = shop.open("FULL");
        sell(&sql, 1).unwrap();
        shop.vfs.fail(Fault::at(point, failure));
        assert_eq!(sell(&sql, 2).unwrap_err().extended_code, code, "{failure:?}");
        assert_eq!(shop.vfs.faults_met(), 1);
        // What was not answered may be found after a crash, or not; nothing else may.
        let cut = shop.vfs.cut();
        cut.keep_all(&shop.image("kept")).unwrap();
        // The last write of a commit makes it whole.
        let whole = failure == Failure::Late || code == ffi::SQLITE_IOERR_FSYNC;
        assert_eq!(sales(&shop.image("kept")), &[1, 2][..1 + usize::from(whole)], "{failure:?}");
        let synced = failure == Failure::Late && point == sync;
        assert_eq!(lost(&cut, &shop.image("lost")), &[1, 2][..1 + usize::from(synced)], "{failure:?}");

        sell(&sql, 2).unwrap();
        assert_eq!(lost(&shop.vfs.cut(), &shop.image("at last")), [1, 2]);
    }
}

#[test]
fn checkpoints_and_reads_fail_as_they_are_told_to() {
    let shop = Shop::new();
    let sql = shop.open("FULL");
    sell(&sql, 1).unwrap();
    sell(&sql, 2).unwrap();
    shop.vfs.fail(Fault::at(Point::new(FileKind::Database, Op::Sync), Failure::Io));
    assert_eq!(checkpoint(&sql, "PASSIVE").unwrap_err().extended_code, ffi::SQLITE_IOERR_FSYNC);
    shop.vfs.fail(Fault::at(Point::new(FileKind::Database, Op::Write), Failure::Full).until_cleared());
    for _ in 0..3 {
        assert_eq!(checkpoint(&sql, "PASSIVE").unwrap_err().extended_code, ffi::SQLITE_FULL);
    }
    shop.vfs.clear_faults();
    shop.vfs.fail(Fault::at(Point::new(FileKind::Database, Op::Truncate), Failure::Io));
    assert_eq!(checkpoint(&sql, "PASSIVE").unwrap_err().extended_code, ffi::SQLITE_IOERR_TRUNCATE);
    checkpoint(&sql, "PASSIVE").unwrap();

    sql.execute_batch("PRAGMA shrink_memory").unwrap();
    drop(sql);
    let sql = shop.open("FULL");
    let found = || sql.query_row("SELECT sum(n) FROM sale", [], |row| row.get::<_, i64>(0));
    shop.vfs.fail(Fault::at(Point::new(FileKind::Database, Op::Read), Failure::Io));
    sql.execute_batch("PRAGMA shrink_memory").unwrap();
    assert_eq!(found().unwrap_err().sqlite_error().unwrap().extended_code, ffi::SQLITE_IOERR_READ);
    assert_eq!(found().unwrap(), 3);
}

/// When a sync of one connection fails the others that have the file open are told at their next one, once.
#[test]
fn a_failed_sync_is_told_to_all() {
    let shop = Shop::new();
    let (sql, other) = (shop.open("FULL"), shop.open("FULL"));
    sell(&sql, 1).unwrap();
    sell(&other, 2).unwrap();
    shop.vfs.fail(Fault::at(Point::new(FileKind::Wal, Op::CommitSync), Failure::Io));
    assert!(sell(&sql, 3).is_err());
    assert_eq!(sell(&other, 3).unwrap_err().extended_code, ffi::SQLITE_IOERR_FSYNC);
    sell(&other, 3).unwrap();
    sell(&sql, 4).unwrap();
    assert_eq!(lost(&shop.vfs.cut(), &shop.image("lost")), [1, 2, 3, 4]);
}

//! Files that are not what they should be, and disks that are full.

use super::*;
use passes_core::store::Chunk;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    (folder, path)
}

/// What is in a folder.
fn names(folder: &TempDir) -> Vec<String> {
    let names =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn refused(path: &Path) -> StoreError {
    Sqlite::open(path).expect_err("the file was taken")
}

/// D-4: a file of a newer version of the library is refused, and told which formats are known.
#[test]
fn a_newer_file_is_refused() {
    let (_folder, path) = place();
    Sqlite::open(&path).unwrap().close();
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.pragma_update(None, "user_version", 99).unwrap();
    drop(sql);
    assert_eq!(refused(&path), StoreError::Unsupported { found: 99, known: 1 });
}

/// Z-3: what is no database of ours is refused and left as it was, and nothing is made beside it.
#[test]
fn another_file_is_refused_and_left_alone() {
    let (folder, path) = place();
    fs::write(&path, "a letter to somebody, long enough to be a header of a hundred bytes ".repeat(9))
        .unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(&path), StoreError::Corrupt(_)));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(&folder), ["shop.db"]);

    fs::remove_file(&path).unwrap();
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute_batch("CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)").unwrap();
    drop(sql);
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(&path), StoreError::Corrupt(_)));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(&folder), ["shop.db"]);

    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.pragma_update(None, "journal_mode", "wal").unwrap();
    drop(sql);
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(&path), StoreError::Corrupt(_)));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(&folder), ["shop.db"]);
}

/// D-4: a file that another process is making at this moment is never taken for somebody else's.
#[test]
fn many_open_a_new_file_at_once() {
    for _ in 0..20 {
        let (_folder, path) = place();
        let barrier = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for n in 1..=8 {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let store = Sqlite::open(path).unwrap();
                    with_pass(&store, pass(n), 1);
                });
            }
        });
        assert_eq!(operations(&Sqlite::open(&path).unwrap()), 8);
    }
}

/// Z-3: a file that was cut short, or has rubbish in its middle, is told as damaged.
#[test]
fn a_damaged_file_is_told() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    commit(&store, puts((1..=200).map(|n| doc(n, 900)).collect())).unwrap();
    store.close();
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > 40 * 4096, "{}", whole.len());

    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refused(&path), StoreError::Corrupt(_)));

    let mut rubbish = whole.clone();
    rubbish[12 * 4096..].fill(0xA5);
    fs::write(&path, rubbish).unwrap();
    let store = Sqlite::open(&path);
    let found = store.and_then(|store| {
        let docs = (1..=200).map(|n| DocKey::numbered(DocKind::Plan, n)).collect();
        wait(store.load(&Load { docs, ..Load::new(SHOP) })).map(drop)
    });
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");

    fs::write(&path, whole).unwrap();
    assert_eq!(operations(&Sqlite::open(&path).unwrap()), 1);
}

/// Z-3: a folder that isn't there is told, and nothing is made.
#[test]
fn a_missing_folder_is_told() {
    let (folder, _) = place();
    let path = folder.path().join("no such folder").join("shop.db");
    assert!(matches!(refused(&path), StoreError::Backend(_)));
    assert!(!path.exists());
}

/// D-3: a command for which there is no room fails whole; the others of its group land, and with more room it
/// goes on.
#[test]
fn a_full_disk_takes_nothing_half() {
    let (_folder, path) = place();
    let store = Sqlite::options().max_pages(60).open(&path).unwrap();
    let small = |n: u64| accept(puts(vec![doc(n, 100)]));
    let large = accept(puts(vec![doc(7, 100), doc(8, 400_000)]));
    let answers = wait(store.run_all(vec![small(1), large, small(2)])).unwrap();
    assert!(answers[0].as_ref().is_ok_and(is_done) && answers[2].as_ref().is_ok_and(is_done), "{answers:?}");
    assert!(matches!(answers[1], Err(StoreError::Full(_))), "{answers:?}");
    let docs = [1, 2, 7, 8].map(|n| DocKey::numbered(DocKind::Plan, n)).to_vec();
    let found = wait(store.load(&Load { docs: docs.clone(), ..Load::new(SHOP) })).unwrap().docs;
    assert_eq!(found.iter().map(|doc| doc.key).collect::<Vec<_>>(), docs[..2]);
    assert_eq!(operations(&store), 2);

    // Until there is no room at all.
    let filled = (100..).map(|n| commit(&store, puts(vec![doc(n, 3_000)]))).find(Result::is_err);
    assert!(matches!(filled, Some(Err(StoreError::Full(_)))));
    let passes = (1..=5_000).map(|n| row(pass(n), 1)).collect();
    let chunk = Chunk { change: puts(Vec::new()), codes: Vec::new(), passes };
    assert!(matches!(wait(store.fill(&chunk)), Err(StoreError::Full(_))));
    let before = operations(&store);
    drop(store);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(operations(&store), before);
    wait(store.fill(&chunk)).unwrap();
    assert_eq!(operations(&store), before + 1);
}

/// D-1: a closed store says so, its log is in the file, and the file can be opened again.
#[test]
fn a_closed_store_says_so() {
    let (folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    with_pass(&store, pass(1), 1);
    assert_eq!(used(&store, pass(1)), 0);
    store.close();
    store.close();
    assert!(matches!(wait(store.run(take(pass(1)))), Err(StoreError::Closed)));
    assert_eq!(wait(store.load(&Load::new(SHOP))).err(), Some(StoreError::Closed));
    assert_eq!(commit(&store, puts(Vec::new())), Err(StoreError::Closed));
    assert_eq!(names(&folder), ["shop.db", "shop.db.gate", "shop.db.lock"]);
    assert_eq!(used(&Sqlite::open(&path).unwrap(), pass(1)), 0);
}

/// D-1: no file name means anything special.
#[test]
fn a_name_is_a_name() {
    let (folder, _) = place();
    for name in [":memory:", "file:shop.db?mode=memory", "shop 1 %41.db"] {
        let path = folder.path().join(name);
        with_pass(&Sqlite::open(&path).unwrap(), pass(1), 1);
        assert!(path.exists(), "{name}");
        assert_eq!(used(&Sqlite::open(&path).unwrap(), pass(1)), 0, "{name}");
    }
}

/// D-1: whoever may not read the file may not read its log either, and whoever may write it finds side files that
/// they may write, too.
#[cfg(unix)]
#[test]
fn side_files_have_the_mode_of_the_file() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    for mode in [0o600, 0o660, 0o666] {
        let (folder, path) = place();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let store = Sqlite::open(&path).unwrap();
        with_pass(&store, pass(1), 1);
        let names = names(&folder);
        assert_eq!(names.len(), 5, "{names:?}");
        for name in names {
            let found = fs::metadata(folder.path().join(&name)).unwrap().mode();
            assert_eq!(found & 0o777, mode, "{name}");
        }
    }
}

/// a file is one whatever links lead to it: everybody takes turns at the same side files, beside the file itself.
#[cfg(unix)]
#[test]
fn a_link_leads_to_the_same_turns() {
    let (folder, path) = place();
    let links = TempDir::new().unwrap();
    let (file, way) = (links.path().join("link.db"), links.path().join("way"));
    std::os::unix::fs::symlink(&path, &file).unwrap();
    std::os::unix::fs::symlink(folder.path(), &way).unwrap();
    // The first one leads nowhere yet.
    let stores = [&file, &way.join("shop.db"), &path].map(|path| Sqlite::open(path).unwrap());
    let place = path.canonicalize().unwrap();
    assert!(stores.iter().all(|store| store.path() == place));
    for (n, store) in (1..).zip(&stores) {
        with_pass(store, pass(n), 1);
    }
    assert_eq!(operations(&stores[0]), 3);
    drop(stores);
    assert_eq!(names(&folder), ["shop.db", "shop.db.gate", "shop.db.lock"]);
    assert_eq!(names(&links), ["link.db", "way"]);
}

/// D-1: a name need not be a text.
#[cfg(target_os = "linux")]
#[test]
fn a_name_need_not_be_a_text() {
    use std::os::unix::ffi::OsStrExt;
    let (folder, _) = place();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"shop \xFF.db"));
    with_pass(&Sqlite::open(&path).unwrap(), pass(1), 1);
    assert!(path.exists());
    assert_eq!(used(&Sqlite::open(&path).unwrap(), pass(1)), 0);
}

/// D-4: when another process brings the file to a newer format meanwhile, this one writes nothing into it any more.
#[test]
fn a_format_that_changes_meanwhile_is_refused() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    with_pass(&store, pass(1), 9);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.pragma_update(None, "user_version", 99).unwrap();
    let newer = StoreError::Unsupported { found: 99, known: 1 };
    assert_eq!(wait(store.run(take(pass(1)))).err(), Some(newer.clone()));
    let chunk = Chunk { change: puts(Vec::new()), codes: Vec::new(), passes: vec![row(pass(2), 1)] };
    assert_eq!(wait(store.fill(&chunk)).err(), Some(newer));
    sql.pragma_update(None, "user_version", 1).unwrap();
    assert!(is_done(&wait(store.run(take(pass(1)))).unwrap()));
}

/// Z-3: whatever a column holds that it shouldn't, it is told as damage, and nothing panics.
#[test]
fn rows_that_make_no_sense_are_told() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    with_pass(&store, pass(1), 1);
    let sql = rusqlite::Connection::open(&path).unwrap();
    let load = Load { passes: vec![pass(1)], ..Load::new(SHOP) };
    for (change, back) in [
        ("standing=99", "standing=2"),
        ("version=-1", "version=1"),
        ("version=4294967296", "version=1"),
        ("flags=-1", "flags=0"),
        ("activated=9223372036854775807", "activated=NULL"),
        ("holder=x'00'", "holder=NULL"),
        ("code_try=-1", "code_try=0"),
        ("last=-1", "last=0"),
    ] {
        sql.execute(&format!("UPDATE pass SET {change}"), []).unwrap();
        let found = wait(store.load(&load));
        assert!(matches!(found, Err(StoreError::Corrupt(_))), "{change}: {found:?}");
        let run = wait(store.run(take(pass(1))));
        assert!(matches!(run, Err(StoreError::Corrupt(_))), "{change}: {run:?}");
        sql.execute(&format!("UPDATE pass SET {back}"), []).unwrap();
    }
    for change in
        ["uses_used=9223372036854775807,uses_held=9223372036854775807", "uses_used=-9223372036854775808"]
    {
        sql.execute(&format!("UPDATE pass SET {change}"), []).unwrap();
        assert!(wait(store.load(&load)).is_ok());
        assert!(!wait(store.run(take(pass(1)))).is_ok_and(|answer| is_done(&answer)), "{change}");
    }
    sql.execute("UPDATE operation SET after=x'ffffffff'", []).unwrap();
    assert!(matches!(wait(store.events(SHOP, 0, 9)), Err(StoreError::Corrupt(_))));
}

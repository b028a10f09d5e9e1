//! A process that is killed again and again in the middle of its commands.

use super::*;
use passes_core::ledger::{Account, Entry, Mark, Subject, Unit};
use passes_core::store::AuditRow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{self, Command as Process, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Where the child finds its file: it is this very test, in another process.
const PLACE: &str = "PASSES_SQLITE_KILLED_IN";

/// How often it is killed.
const KILLS: u64 = 20;

/// Visits a pass once, under a key.
fn visit(key: [u8; 16]) -> Command {
    let load = Load { passes: vec![pass(1)], key: Some(key), ..Load::new(SHOP) };
    let decide = move |loaded: &Loaded| {
        if loaded.replay.is_some() {
            return Decision::Replayed;
        }
        let mut change = Change::new(SHOP);
        let key_and_print = Some((key, key));
        change.operation = Some(Operation { key: key_and_print, receipt: key.to_vec(), ..operation() });
        change.tally.push(Add::used(TallyKey::Uses(pass(1)), 1));
        change.entries.push(Entry {
            from: (Account::Outstanding, Subject::Pass(pass(1))),
            to: (Account::Settled, Subject::None),
            unit: Unit::Visits,
            amount: 1,
            mark: Mark::Paid,
            line: None,
        });
        Decision::Accepted(change)
    };
    Command { load, decide: Box::new(decide) }
}

/// Visits for as long as it lives, on three threads, and writes down each answer: the key and the number.
fn live(folder: &Path) -> ! {
    let store = Sqlite::options().checkpoint(20, 60).open(folder.join("shop.db")).unwrap();
    let answers = File::options().append(true).create(true).open(folder.join("answers")).unwrap();
    let (next, life) = (AtomicU64::new(1), u64::from(process::id()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let key = u128::from(life) << 64 | u128::from(next.fetch_add(1, Ordering::Relaxed));
                    let answer = wait(store.run(visit(key.to_be_bytes()))).unwrap();
                    let Answer::Done(stored) = answer else { panic!("{answer:?}") };
                    // One write, so that the kill leaves a line or none.
                    (&answers).write_all(format!("{key:032x} {:012}\n", stored.number).as_bytes()).unwrap();
                }
            });
        }
    });
    process::exit(0)
}

/// What is answered is there, at its number; what is there is whole, and nothing is there twice.
fn judge(folder: &Path) -> usize {
    let sql = rusqlite::Connection::open(folder.join("shop.db")).unwrap();
    let sound: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    drop(sql);

    let store = Sqlite::open(folder.join("shop.db")).unwrap();
    let mut numbers = BTreeMap::new();
    for (at, stored) in (1..).zip(wait(store.events(SHOP, 0, u32::MAX)).unwrap()) {
        assert_eq!(stored.number, at);
        let before = numbers.insert(stored.operation.receipt.clone(), stored.number);
        assert_eq!(before, None, "a key was there twice");
    }
    let visits = numbers.len() - 1;

    let rows = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rows);
    wait(store.audit(SHOP, Box::new(move |row| seen.lock().unwrap().push(row)))).unwrap();
    let (mut entries, mut last, mut passes) = (0, 0, Vec::new());
    for row in rows.lock().unwrap().iter() {
        match row {
            AuditRow::Entry(entry) => {
                assert_eq!((entry.number, entry.before_from), (last + 1, last));
                (entries, last) = (entries + 1, entry.number);
            }
            AuditRow::Pass(pass) => passes.push((usize::try_from(pass.uses.used).unwrap(), pass.last)),
            AuditRow::Operation { .. } | AuditRow::Key(..) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(passes, [(visits, last)]);
    assert_eq!(entries, visits);

    let answers = fs::read_to_string(folder.join("answers")).unwrap_or_default();
    for line in answers.lines() {
        let (key, number) = line.split_once(' ').unwrap();
        let key = u128::from_str_radix(key, 16).unwrap().to_be_bytes();
        assert_eq!(numbers.get(key.as_slice()), Some(&number.parse().unwrap()), "an answer is lost: {line}");
    }
    // And the key still answers.
    if let Some((key, number)) = numbers.iter().next_back().filter(|(key, _)| !key.is_empty()) {
        let answer = wait(store.run(visit(key.as_slice().try_into().unwrap()))).unwrap();
        assert!(matches!(answer, Answer::Replayed(stored) if stored.number == *number));
    }
    answers.lines().count()
}

/// D-3, R-5: a process that is killed at any moment loses nothing that it answered, leaves nothing half done and
/// does nothing twice.
#[test]
fn nothing_is_lost_when_a_process_is_killed() {
    if let Some(folder) = std::env::var_os(PLACE) {
        live(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    with_pass(&Sqlite::open(folder.path().join("shop.db")).unwrap(), pass(1), 1_000_000);
    let mut answered = 0;
    for kill in 0..KILLS {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::nothing_is_lost_when_a_process_is_killed"])
            .env(PLACE, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Anywhere: while it opens, recovers, writes or brings the log into the file.
        let time = Duration::from_micros(u64::from(child.id()).wrapping_mul(7_919) % 60_000 + kill * 5_000);
        thread::sleep(time);
        assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        answered = judge(folder.path());
    }
    assert!(answered > 0);
}

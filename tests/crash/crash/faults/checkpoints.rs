//! A checkpoint that fails: whoever commits meanwhile notices nothing, and nothing is lost.

use super::{Disk, no_checkpoints};
use passes_sqlite::Sqlite;
use std::sync::mpsc::channel;
use std::thread;
use test_vfs::{Failure, Fault, FileKind, Op, Point};
use tests::code_of;

/// A checkpoint every few commits.
const OFTEN: (u32, u32) = (20, 60);

fn database(op: Op) -> Point {
    Point::new(FileKind::Database, op)
}

fn often() -> passes_sqlite::Options {
    Sqlite::options().checkpoint(OFTEN.0, OFTEN.1)
}

/// Three tills spend a penny each, so many times. Tells how many were answered, and what else was told.
fn spend(disk: &Disk, times: usize) -> (usize, Vec<&'static str>) {
    thread::scope(|scope| {
        let till =
            |card: usize| move || (0..times).map(|_| code_of(&disk.spend(card, 1))).collect::<Vec<_>>();
        let tills: Vec<_> = (0..3).map(|card| scope.spawn(till(card))).collect();
        let told = tills.into_iter().flat_map(|till| till.join().unwrap());
        let (done, failed): (Vec<_>, Vec<_>) = told.partition(|code| *code == "ok");
        (done.len(), failed)
    })
}

/// D-3, D-7: while the database file can't be written commits go on, for they need only the log; when it can be
/// again the log is brought into it and begins anew.
#[test]
fn a_failing_checkpoint_fails_no_commit() {
    for (op, failure) in [
        (Op::Write, Failure::Full),
        (Op::Write, Failure::Short),
        (Op::Write, Failure::Io),
        (Op::Write, Failure::Late),
        (Op::Truncate, Failure::Io),
    ] {
        let mut disk = Disk::new(often());
        let before = disk.operations();
        disk.vfs.fail(Fault::at(database(op).nth(3), failure).until_cleared());
        assert_eq!(spend(&disk, 80), (240, vec![]), "{op:?} {failure:?}");
        assert!(disk.vfs.faults_met() > 0);
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [before + 240; 8], "{op:?} {failure:?}");

        disk.vfs.clear_faults();
        let restarts = disk.vfs.counts().restart_syncs;
        assert_eq!(spend(&disk, 80), (240, vec![]));
        assert!(disk.vfs.counts().restart_syncs > restarts, "{op:?} {failure:?}");
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [before + 480; 8], "{op:?} {failure:?}");
    }
}

/// D-3, D-7: when the database file can't be synced nobody knows what of it is on the disk, the parts that earlier
/// checkpoints wrote included. The log is kept, across closing, too, and the next one who opens the file brings
/// all of it in.
#[test]
fn a_failed_sync_of_the_database_loses_nothing() {
    for failure in [Failure::Io, Failure::Late, Failure::Short] {
        // The writer doesn't take part: it would wait with the checkpoint that is held.
        let mut disk = Disk::new(Sqlite::options().checkpoint(OFTEN.0, 10_000));
        let before = disk.operations();
        let mut spent = 0;
        // A first part is brought in while somebody writes, so it isn't synced yet.
        let (held, is_held) = channel();
        let (go, may_go) = channel();
        disk.vfs.at(database(Op::Write), move || {
            held.send(()).unwrap();
            may_go.recv().unwrap();
        });
        while is_held.try_recv().is_err() {
            disk.spend(0, 1).unwrap();
            spent += 1;
        }
        let begun = disk.vfs.counts().checkpoint_syncs;
        disk.spend(0, 1).unwrap();
        disk.vfs.fail(Fault::at(database(Op::Sync), failure));
        go.send(()).unwrap();
        // Then the disk fails once, when the rest is brought in.
        while disk.vfs.faults_met() == 0 {
            disk.spend(0, 1).unwrap();
            spent += 1;
        }
        assert!(
            disk.vfs.counts().checkpoint_syncs > begun,
            "the first part was synced, which proves nothing"
        );
        for _ in 0..150 {
            disk.spend(1, 1).unwrap();
        }
        let all = before + spent + 1 + 150;
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [all; 8], "{failure:?}");

        disk.open = None;
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [all; 8], "{failure:?}, closed");

        disk.reopen(often());
        let restarts = disk.vfs.counts().restart_syncs;
        assert_eq!(spend(&disk, 80), (240, vec![]));
        assert!(disk.vfs.counts().restart_syncs > restarts, "the log doesn't begin anew");
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [all + 240; 8], "{failure:?}, opened again");
        disk.open = None;
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [all + 240; 8], "{failure:?}, closed again");
    }
}

/// D-3: a sync of the log with which a checkpoint begins may take the commit with it that is under way; that is
/// told, and what was answered stays.
#[test]
fn a_failed_sync_of_the_log_is_told_to_who_commits() {
    let mut disk = Disk::new(often());
    let before = disk.operations();
    let mut done = 0;
    for _ in 0..6 {
        disk.vfs.fail(Fault::at(Point::new(FileKind::Wal, Op::CheckpointSync), Failure::Io));
        let (answered, failed) = spend(&disk, 40);
        assert!(failed.iter().all(|code| *code == "TRANSIENT"), "{failed:?}");
        done += answered;
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [before + done; 8]);
        disk.reopen(often());
    }
    assert!(disk.vfs.faults_met() > 0);
}

/// D-3: closing brings the log in; when that fails the log stays, and nothing is lost.
#[test]
fn a_failed_checkpoint_at_the_end_leaves_the_log() {
    for (op, failure) in [(Op::Write, Failure::Io), (Op::Sync, Failure::Io), (Op::Sync, Failure::Late)] {
        let mut disk = Disk::new(no_checkpoints());
        let before = disk.operations();
        assert_eq!(spend(&disk, 20), (60, vec![]));
        disk.vfs.fail(Fault::at(database(op), failure));
        disk.open = None;
        assert_eq!(disk.vfs.faults_met(), 1, "{op:?} {failure:?}");
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [before + 60; 8], "{op:?} {failure:?}");
        disk.reopen(no_checkpoints());
        assert_eq!(disk.operations(), before + 60);
        disk.open = None;
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [before + 60; 8], "{op:?} {failure:?}, closed again");
    }
}

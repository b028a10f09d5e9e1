//! A disk that is full or fails in the middle of a lot or a bulk command, or while it is read.

use super::{Disk, no_checkpoints, sold_lot};
use passes_core::id::RunId;
use passes_core::run::Progress;
use passes_core::service::{Deal, Generate};
use test_vfs::{Failure, Fault, FileKind, Op, Point};
use tests::code_of;

/// Passes in a lot: three steps, for the codes and for the passes.
const LOT: u32 = 9_000;

fn stood(disk: &Disk, run: RunId) -> Progress {
    disk.shop().passes.progress(&disk.shop().by, run).wait().unwrap()
}

/// Steps a run to its end, and lets each step fail before, which must leave it where it was.
fn goes_on(disk: &mut Disk, run: RunId, faults: &[(Fault, &str)]) -> Progress {
    let mut faults = faults.iter().cycle();
    loop {
        let before = (stood(disk, run), disk.operations());
        let (fault, told) = faults.next().unwrap();
        let met = disk.vfs.faults_met();
        disk.vfs.fail(*fault);
        let failed = disk.shop().passes.step(&disk.shop().by, run).wait();
        assert!(disk.vfs.faults_met() > met, "{fault:?} met nothing");
        assert_eq!(code_of(&failed), *told, "{fault:?}");
        assert_eq!((stood(disk, run), disk.operations()), before, "{fault:?}");
        disk.vfs.clear_faults();
        let progress = disk.shop().passes.step(&disk.shop().by, run).wait().unwrap();
        if progress.is_over() {
            return progress;
        }
    }
}

fn log(op: Op, nth: u64) -> Point {
    Point::new(FileKind::Wal, op).nth(nth)
}

/// T-2, D-3: when the disk is full or fails in the middle of a lot the run stays where it was, and goes on from there
/// when it can, without a gap or a code that is there twice.
#[test]
fn a_lot_stays_where_it_was_and_goes_on() {
    let mut disk = Disk::new(no_checkpoints());
    let plan = disk.goods.plans[0];
    let request = Generate { plan, count: LOT, accept_weak: false };
    let run = disk.shop().passes.generate(&disk.shop().by, request).wait().unwrap().run;
    let full = |nth| Fault::at(log(Op::Write, nth), Failure::Full).until_cleared();
    let progress = goes_on(
        &mut disk,
        run,
        &[
            (full(1), "STORE_FULL"),
            (full(20), "STORE_FULL"),
            (Fault::at(log(Op::Write, 9), Failure::Short), "STORE_FULL"),
            (Fault::at(log(Op::CommitSync, 1), Failure::Io), "TRANSIENT"),
            (Fault::at(log(Op::CommitSync, 1), Failure::Late).until_cleared(), "IN_DOUBT"),
        ],
    );
    assert_eq!((progress.done, progress.total), (LOT, LOT));
    let cut = disk.vfs.cut();
    let operations = disk.operations();
    assert_eq!(disk.images(&cut), [operations; 8]);
}

/// T-5, D-3: the same of a bulk command.
#[test]
fn a_bulk_command_stays_where_it_was_and_goes_on() {
    let mut disk = Disk::new(no_checkpoints());
    let lot = sold_lot(disk.shop(), &disk.goods, 2_500).lot;
    let shop = disk.shop();
    let reason = shop.by.clone().reason("test");
    let run = shop.passes.void_sale(&reason, lot).wait().unwrap().run.unwrap();
    let faults = [
        (Fault::at(log(Op::Write, 17), Failure::Full).until_cleared(), "STORE_FULL"),
        (Fault::at(log(Op::CommitSync, 1), Failure::Io), "TRANSIENT"),
        (Fault::at(log(Op::CommitSync, 1), Failure::Io).until_cleared(), "IN_DOUBT"),
    ];
    assert_eq!(goes_on(&mut disk, run, &faults).done, 2_500);
    let shop = disk.shop();
    let run = shop.passes.sell(&shop.by, lot, Deal::at(crash::shop::gbp(2_000))).wait().unwrap().run.unwrap();
    assert_eq!(goes_on(&mut disk, run, &faults).done, 2_500);
    let cut = disk.vfs.cut();
    let operations = disk.operations();
    assert_eq!(disk.images(&cut), [operations; 8]);
}

/// D-3: the shared memory beside the log grows after the log was synced. When it can't the commit is in the log, and
/// yet nobody saw it: it is written over before anybody is told that nothing landed.
#[test]
fn shared_memory_that_cannot_grow_leaves_nothing() {
    let mut disk = Disk::new(no_checkpoints());
    disk.vfs.fail(Fault::at(Point::new(FileKind::Database, Op::Grow), Failure::Full).until_cleared());
    let run = |disk: &Disk| {
        let request = Generate { plan: disk.goods.plans[0], count: 20_000, accept_weak: false };
        disk.shop().passes.generate(&disk.shop().by, request).wait().unwrap().run
    };
    let (failed, run) = 'failed: loop {
        let run = run(&disk);
        loop {
            match disk.shop().passes.step(&disk.shop().by, run).wait() {
                Ok(progress) if progress.is_over() => break,
                Ok(_) => {}
                failed => break 'failed (failed, run),
            }
        }
    };
    assert_eq!(code_of(&failed), "TRANSIENT");
    let (before, stood) = (disk.operations(), stood(&disk, run));
    let cut = disk.vfs.cut();
    assert_eq!(disk.images(&cut), [before; 8]);
    disk.vfs.clear_faults();
    let progress = disk.shop().passes.finish_run(&disk.shop().by, run).wait().unwrap();
    assert!(stood.done < progress.done && progress.done == 20_000);
    let cut = disk.vfs.cut();
    let operations = disk.operations();
    assert_eq!(disk.images(&cut), [operations; 8]);
}

/// D-3, R-5: what can't be read fails for who asks, and for nobody else; nothing of it is written, and when it can be
/// read again it is as it was.
#[test]
fn what_cannot_be_read_changes_nothing() {
    let mut disk = Disk::new(no_checkpoints());
    let (mut failed, mut done) = (0, 0);
    for nth in 1..=30 {
        // Nothing is in the caches.
        disk.reopen(no_checkpoints());
        let before = disk.operations();
        disk.reopen(no_checkpoints());
        disk.vfs.fail(Fault::at(Point::new(FileKind::Database, Op::Read).nth(nth), Failure::Io));
        let answers: Vec<_> = (0..4).map(|card| code_of(&disk.spend(card, 1))).collect();
        let found = disk.shop().passes.pass(&disk.shop().by, disk.cards[9].pass).wait();
        disk.vfs.clear_faults();
        let of = |code: &str| answers.iter().filter(|answer| **answer == code).count();
        assert_eq!(of("ok") + of("STORE_FAILED"), 4, "{answers:?}");
        assert!(
            of("STORE_FAILED") + usize::from(found.is_err()) <= 1,
            "one read failed: {answers:?} {found:?}"
        );
        failed += of("STORE_FAILED");
        done += of("ok");
        assert_eq!(disk.operations(), before + of("ok"));
        assert_eq!(disk.left(9), 2_000);
        assert_eq!((0..4).map(|card| 2_000 - disk.left(card)).sum::<i64>(), done as i64);
        let cut = disk.vfs.cut();
        assert_eq!(disk.image(&cut, nth as u32 % 3), before + of("ok"));
    }
    assert!(failed > 5 && done > 20, "{failed} failed, {done} done");
}

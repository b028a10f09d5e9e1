//! A commit that fails, of several callers at once.

use super::{Disk, no_checkpoints};
use passes_core::Error;
use passes_core::operation::By;
use passes_core::service::{Call, Receipt, Redeem, Redeemed};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use test_vfs::{Failure, Fault, FileKind, Op, Point};
use tests::code_of;

type Answers = Vec<Result<Receipt<Redeemed>, Error>>;

/// How many callers wait for one commit.
const CALLERS: usize = 6;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives futures on this thread, of which the first round was polled already.
fn drive<T>(mut futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut answers: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    while answers.iter().any(Option::is_none) {
        for (future, answer) in futures.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(&mut context) {
                *answer = Some(ready);
            }
        }
        if answers.iter().any(Option::is_none) {
            thread::park();
        }
    }
    answers.into_iter().flatten().collect()
}

/// Has redemptions done in one group: while another command's commit is being synced they queue, then something is
/// done to the disk, then the sync goes on.
fn grouped(disk: &Disk, requests: &[(By, Redeem)], meanwhile: impl FnOnce()) -> Answers {
    let (held, is_held) = channel();
    let (go, may_go) = channel();
    disk.vfs.at(Point::new(FileKind::Wal, Op::CommitSync), move || {
        held.send(()).unwrap();
        may_go.recv().unwrap();
    });
    thread::scope(|scope| {
        let first = scope.spawn(|| disk.spend(59, 1).unwrap());
        is_held.recv().unwrap();
        let calls = requests.iter().map(|(by, request)| disk.shop().passes.redeem(by, request.clone()));
        let mut calls: Vec<_> = calls.map(Call::into_future).collect();
        // The first poll queues the command.
        let mut context = Context::from_waker(Waker::noop());
        for call in &mut calls {
            assert!(call.as_mut().poll(&mut context).is_pending());
        }
        meanwhile();
        go.send(()).unwrap();
        let answers = drive(calls);
        first.join().unwrap();
        answers
    })
}

/// Into a new wallet and directly, in turns, with a key or without.
fn requests(disk: &Disk, keys: bool, round: usize) -> Vec<(By, Redeem)> {
    let by = |n: usize| match keys {
        true => disk.shop().by.clone().key(&format!("{round}-{n}")),
        false => disk.shop().by.clone(),
    };
    let request = |n: usize| match n % 2 {
        0 => Redeem::into_new_wallet(disk.cards[n].code.as_str()),
        _ => disk.direct(n, 250),
    };
    (0..CALLERS).map(|n| (by(n), request(n))).collect()
}

fn codes(answers: &Answers) -> Vec<&'static str> {
    answers.iter().map(code_of).collect()
}

/// A way in which the commit of a group fails.
struct Case {
    faults: Vec<Fault>,
    /// A moment of the commit at which the power is cut, too.
    moment: Point,
    /// What each caller is told.
    told: &'static str,
    /// Whether the group may be found after a crash at that moment, and after one when it was told.
    may_land: [bool; 2],
}

fn write(nth: u64) -> Point {
    Point::new(FileKind::Wal, Op::Write).nth(nth)
}

fn sync() -> Point {
    Point::new(FileKind::Wal, Op::CommitSync)
}

fn cases() -> Vec<Case> {
    let case =
        |faults: &[Fault], moment, told, may_land| Case { faults: faults.to_vec(), moment, told, may_land };
    let whole = |nth, failure, told| case(&[Fault::at(write(nth), failure)], write(1), told, [false; 2]);
    let full = |fault: Fault| case(&[fault.until_cleared()], write(1), "STORE_FULL", [false; 2]);
    let once = |failure| case(&[Fault::at(sync(), failure)], sync(), "TRANSIENT", [true, false]);
    let always = |failure| case(&[Fault::at(sync(), failure).until_cleared()], sync(), "IN_DOUBT", [true; 2]);
    vec![
        // The disk is full, for a moment or for good, at the first frame or at a later one.
        whole(1, Failure::Full, "STORE_FULL"),
        whole(7, Failure::Short, "STORE_FULL"),
        full(Fault::at(write(1), Failure::Short)),
        full(Fault::at(write(10), Failure::Full)),
        // A write fails, and then nothing does: nothing of the group can come back.
        whole(1, Failure::Io, "TRANSIENT"),
        whole(8, Failure::Io, "TRANSIENT"),
        whole(8, Failure::Late, "TRANSIENT"),
        // All writes fail: who can tell what was written?
        case(&[Fault::at(write(6), Failure::Io).until_cleared()], write(1), "IN_DOUBT", [false; 2]),
        // The sync fails, and what was written is lost, or there all the same. Then the log can be written again,
        // and what was in doubt is no more.
        once(Failure::Io),
        once(Failure::Late),
        once(Failure::Short),
        // It goes on failing.
        always(Failure::Io),
        always(Failure::Late),
        always(Failure::Short),
    ]
}

/// D-3, D-7, R-5: when the commit of a group fails every member gets the error and none is half done; who is told
/// that nothing landed finds nothing after a crash; a doubt is a doubt; and when the disk is well again all goes on.
#[test]
fn a_group_fails_as_one() {
    for keys in [false, true] {
        let mut disk = Disk::new(no_checkpoints());
        for (round, case) in cases().into_iter().enumerate() {
            let requests = requests(&disk, keys, round);
            let before = disk.operations();
            let (send, cuts) = channel();
            let vfs = disk.vfs.clone();
            let answers = grouped(&disk, &requests, || {
                disk.vfs.at(case.moment, move || drop(send.send(vfs.cut())));
                case.faults.iter().for_each(|fault| disk.vfs.fail(*fault));
            });
            let what = format!("case {round}, keys {keys}, {:?}", case.faults);
            assert_eq!(codes(&answers), [case.told; CALLERS], "{what}");
            // The one that held the disk up is there.
            assert_eq!(disk.operations(), before + 1, "{what}");
            let moments = [cuts.try_recv().unwrap(), disk.vfs.cut()];
            for (cut, may_land) in moments.iter().zip(case.may_land) {
                let landed: Vec<_> = disk.images(cut).iter().map(|found| found - before - 1).collect();
                let known = landed.iter().all(|landed| [0, CALLERS].contains(landed));
                assert!(
                    known && (may_land || landed.iter().all(|landed| *landed == 0)),
                    "{what}: {landed:?}"
                );
            }
            disk.vfs.clear_faults();
            let syncs = disk.vfs.counts().commit_syncs;
            let answers = grouped(&disk, &requests, || {});
            assert_eq!(codes(&answers), ["ok"; CALLERS], "{what}");
            // Two groups, the one that held it up and the other; before them a doubt is ended.
            let expected = 2 + u64::from(case.told == "IN_DOUBT");
            assert_eq!(disk.vfs.counts().commit_syncs - syncs, expected, "{what}");
            let cut = disk.vfs.cut();
            assert_eq!(disk.images(&cut), [before + 2 + CALLERS; 8], "{what}");
            // For the next round.
            disk.sell_anew(CALLERS);
        }
    }
}

/// D-3, R-5: when the disk is full by the time a doubt could be ended it stays one, although the command that asks again
/// under its key didn't land; and until it is ended nobody else is answered on its grounds.
#[test]
fn a_doubt_that_cannot_be_ended_stays() {
    for keys in [false, true] {
        let mut disk = Disk::new(no_checkpoints());
        let requests = requests(&disk, keys, 0);
        let before = disk.operations();
        let vfs = disk.vfs.clone();
        let answers = grouped(&disk, &requests, || {
            disk.vfs.fail(Fault::at(sync(), Failure::Late));
            let full = Fault::at(write(1), Failure::Full).until_cleared();
            disk.vfs.at(sync(), move || vfs.fail(full));
        });
        assert_eq!(codes(&answers), ["IN_DOUBT"; CALLERS], "keys {keys}");
        let cut = disk.vfs.cut();
        let landed: Vec<_> = disk.images(&cut).iter().map(|found| found - before - 1).collect();
        assert!(landed.contains(&CALLERS), "it is on the disk: {landed:?}");
        // A card that the group used up, as a crash would show, though nobody can see it now.
        assert_eq!((disk.operations(), disk.left(0)), (before + 1, 2_000));
        assert_eq!(code_of(&disk.spend(0, 2_001)), "STORE_FULL", "a refusal on doubtful grounds");

        disk.vfs.clear_faults();
        assert_eq!(code_of(&disk.spend(0, 2_001)), "BALANCE_TOO_SMALL");
        let cut = disk.vfs.cut();
        assert_eq!(disk.images(&cut), [before + 1; 8], "the doubt isn't ended");
        assert_eq!(codes(&grouped(&disk, &requests, || {})), ["ok"; CALLERS]);
    }
}

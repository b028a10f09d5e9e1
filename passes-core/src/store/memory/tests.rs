//! What only the memory store has; all else is proved by the suite that every store runs.

use super::Memory;
use super::tables::{Lot, Stretch};
use crate::calendar::Instant;
use crate::id::{BusinessId, Id, Ids, LotId};
use crate::ledger::{Account, Entry, Mark, Subject, Unit};
use crate::operation::Kind;
use crate::pass::{PassRow, Standing, Tally};
use crate::passcode::Digest;
use crate::store::{
    Add, Answer, AuditRow, Change, Claim, Command, Decision, Doc, DocKey, DocKind, Expect, Lent, Load,
    Loaded, Operation, Put, Record, Store, StoreError, TallyKey, wait,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

fn business() -> BusinessId {
    BusinessId::from_bytes([1; 16])
}

fn lot() -> LotId {
    Ids::new(&[2; 32], Instant::EPOCH).draw_lot()
}

fn put(serial: u32) -> Put {
    let row =
        PassRow { standing: Standing::Active, uses: Tally::new(3), ..PassRow::draft(lot().pass(serial)) };
    Put { record: Record::Pass(Box::new(row)), expect: Expect::Absent }
}

fn operation() -> Operation {
    Operation::new(Ids::new(&[3; 32], Instant::EPOCH).draw(), Kind::Redeem, "till", Instant::EPOCH)
}

fn entry(subject: Subject) -> Entry {
    Entry {
        from: (Account::Received, Subject::None),
        to: (Account::Outstanding, subject),
        unit: Unit::Points,
        amount: 1,
        mark: Mark::Paid,
        line: None,
    }
}

fn commit(store: &Memory, change: Change) -> Result<(), StoreError> {
    wait(store.commit(&[change])).unwrap().remove(0).map(drop)
}

/// A store with three passes.
fn store() -> Memory {
    let store = Memory::new();
    let passes = Change { put: [1, 2, 3].map(put).into(), ..Change::new(business()) };
    commit(&store, passes).unwrap();
    store
}

/// T-7: a row is found by its serial number whether there are gaps or not, and whatever came first.
#[test]
fn a_lot_finds_serial_numbers() {
    let mut lot = Lot::new(lot());
    let order = [5, 6, 9, 1, u32::MAX, 0, 7, 2];
    for (row, serial) in (0..).zip(order) {
        assert_eq!(lot.row(serial), None);
        lot.add(serial, row);
    }
    for (row, serial) in (0..).zip(order) {
        assert_eq!(lot.row(serial), Some(row));
    }
    assert!([3, 4, 8, 10, u32::MAX - 1].iter().all(|serial| lot.row(*serial).is_none()));
    assert_eq!(
        lot.stretches.iter().map(|stretch| stretch.serial).collect::<Vec<_>>(),
        [0, 1, 2, 5, 7, 9, u32::MAX]
    );

    let mut whole = Lot::new(lot.id);
    (1..=1_000).for_each(|n| whole.add(n, n + 7));
    assert_eq!(whole.stretches, [Stretch { serial: 1, row: 8, count: 1_000 }]);
    assert_eq!((whole.row(0), whole.row(1_000), whole.row(1_001)), (None, Some(1_007), None));
}

/// D-1, L-9: a code leads to its pass whether it was reserved before the pass was made or after, and so does a further
/// one; what was reserved stands in the row of its pass in the end, and the audit finds each code once.
#[test]
fn a_code_leads_to_its_pass() {
    let store = Memory::new();
    let digest = |n: u8| Digest::from_bytes([n; 32]);
    let claim = |codes: &[(u8, u32)]| Change {
        claim: codes.iter().map(|(n, s)| Claim { digest: digest(*n), pass: lot().pass(*s) }).collect(),
        ..Change::new(business())
    };
    let make = |serial| Change { put: vec![put(serial)], ..Change::new(business()) };
    let found = |n: u8| {
        let load = Load { code: Some(digest(n)), taken: vec![digest(n)], ..Load::new(business()) };
        let loaded = wait(store.load(&load)).unwrap();
        (loaded.taken[0], loaded.code.map(|row| row.id.serial()))
    };
    commit(&store, make(3)).unwrap();
    commit(&store, claim(&[(1, 1), (2, 2), (3, 3), (21, 2), (33, 3)])).unwrap();
    assert_eq!(
        [1, 2, 3, 21, 33, 9].map(found),
        [(true, None), (true, None), (true, Some(3)), (true, None), (true, Some(3)), (false, None)]
    );
    commit(&store, make(2)).unwrap();
    commit(&store, Change { put: vec![put(1)], ..claim(&[(11, 1)]) }).unwrap();
    for (n, serial) in [(1, 1), (2, 2), (3, 3), (11, 1), (21, 2), (33, 3)] {
        assert_eq!(found(n), (true, Some(serial)), "{n}");
        assert_eq!(commit(&store, claim(&[(n, 1)])), Err(StoreError::Conflict));
    }
    let tables = store.tables();
    let books = tables.books.get(&business()).unwrap();
    assert_eq!((books.codes.len(), books.other_codes.len()), (3, 3));
    drop(tables);
    let (send, rows) = mpsc::channel();
    wait(store.audit(business(), Box::new(move |row| send.send(row).unwrap()))).unwrap();
    let rows: Vec<AuditRow> = rows.iter().collect();
    let codes = rows
        .iter()
        .filter_map(|row| if let AuditRow::Code(_, pass) = row { Some(pass.serial()) } else { None });
    assert_eq!(codes.collect::<Vec<_>>(), [1, 2, 3, 1, 2, 3]);
    assert!(!rows.iter().any(|row| matches!(row, AuditRow::Fault(_))));
}

/// Z-1, D-3: a decision that panics takes nothing with it: the store goes on.
#[test]
fn a_panic_leaves_the_store_whole() {
    let store = store();
    let command = Command::new(Load::new(business()), |_| panic!("a fault in a decision"));
    assert!(catch_unwind(AssertUnwindSafe(|| wait(store.run(command)))).is_err());
    let add = Add::used(TallyKey::Uses(lot().pass(1)), 1);
    commit(&store, Change { tally: vec![add], ..Change::new(business()) }).unwrap();
}

/// D-7: an auditor may ask the store while it is told the rows.
#[test]
fn an_auditor_may_use_the_store() {
    let store = store();
    let (asked, (send, rows)) = (store.clone(), mpsc::channel());
    let each = move |row| {
        let AuditRow::Pass(row) = row else { return };
        let load = Load { passes: vec![row.id], ..Load::new(business()) };
        send.send(wait(asked.load(&load)).unwrap().passes.len()).unwrap();
    };
    wait(store.audit(business(), Box::new(each))).unwrap();
    assert_eq!(rows.iter().collect::<Vec<_>>(), [1, 1, 1]);
}

/// D-6: a future does nothing before it is polled.
#[test]
fn a_future_waits_to_be_polled() {
    let store = store();
    let decided = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&decided);
    let decide = move |_: &_| {
        counts.fetch_add(1, Ordering::SeqCst);
        Decision::Replayed
    };
    let future = store.run(Command::new(Load::new(business()), decide));
    assert_eq!(decided.load(Ordering::SeqCst), 0);
    assert_eq!(wait(future).unwrap_err(), StoreError::Conflict);
    assert_eq!(decided.load(Ordering::SeqCst), 1);
}

/// A command that names what it loads bit by bit, while the store waits.
struct Slow {
    load: Load,
    left: Vec<TallyKey>,
    found: Option<Vec<Tally>>,
}

impl Lent for Slow {
    fn load(&self) -> &Load {
        &self.load
    }

    fn ahead(&mut self) -> bool {
        let next = self.left.pop();
        self.load.tallies.extend(next);
        next.is_some()
    }

    fn decide(&mut self, loaded: &Loaded) -> Decision {
        self.found = Some(loaded.tallies.clone());
        Decision::Refused(Vec::new(), None)
    }
}

/// D-1, R-11: a command that is lent is loaded for when nothing of it is left to be found out, alone and in a list
/// longer than what is looked ahead; one of a business that nobody knows finds nothing.
#[test]
fn a_lent_command_is_loaded_when_it_is_whole() {
    let (store, lot) = (store(), lot());
    let slow = |business| Slow {
        load: Load::new(business),
        left: (1..=3).map(|serial| TallyKey::Uses(lot.pass(serial))).collect(),
        found: None,
    };
    let mut one = slow(business());
    assert!(matches!(store.run_now(&mut one), Some(Ok(Answer::Refused(_)))));
    assert_eq!(one.found, Some(vec![Tally::new(3); 3]));
    let owner = |n: usize| if n % 5 == 4 { BusinessId::from_bytes([9; 16]) } else { business() };
    let mut many: Vec<Slow> = (0..100).map(|n| slow(owner(n))).collect();
    let mut lent: Vec<_> = many.iter_mut().map(|slow| slow as &mut dyn Lent).collect();
    let answers = store.run_all_now(&mut lent).unwrap();
    assert!(answers.len() == 100 && answers.iter().all(|answer| matches!(answer, Ok(Answer::Refused(_)))));
    for (n, slow) in many.iter().enumerate() {
        let tally = if n % 5 == 4 { Tally::default() } else { Tally::new(3) };
        assert_eq!(slow.found, Some(vec![tally; 3]), "{n}");
    }
}

/// D-2, Z-1: what is no change at all is told apart from a guard that fails: no retry would mend it.
#[test]
fn a_change_that_is_none_is_a_fault_of_the_caller() {
    let store = store();
    let (empty, lot) = (Change::new(business()), lot());
    let claim = Claim { digest: Digest::from_bytes([1; 32]), pass: lot.pass(1) };
    let add = Add::used(TallyKey::Uses(lot.pass(1)), 1);
    let with_entries = |subjects: &[Subject]| Change {
        operation: Some(operation()),
        entries: subjects.iter().map(|subject| entry(*subject)).collect(),
        ..empty.clone()
    };
    let range = |serial: u32, count: u32| Subject::Passes { first: lot.pass(serial), count };
    let doc = |parent: u8| {
        let key = |id| DocKey { kind: DocKind::Lot, id: [id; 16] };
        Record::Doc(Doc { key: key(1), version: 1, parent: Some(key(parent)), body: b"{}".as_slice().into() })
    };
    commit(&store, Change { put: vec![Put { record: doc(2), expect: Expect::Absent }], ..empty.clone() })
        .unwrap();
    let key = [7; 16];
    let own_stop = Operation { key: Some((key, [8; 16])), stops: Some(key), ..operation() };
    for (what, change) in [
        ("a pass twice", Change { put: vec![put(9), put(9)], ..empty.clone() }),
        ("a tally twice", Change { tally: vec![add, add], ..empty.clone() }),
        ("a code twice", Change { claim: vec![claim.clone(), claim], ..empty.clone() }),
        ("its own key stopped", Change { operation: Some(own_stop), ..empty.clone() }),
        (
            "another parent",
            Change { put: vec![Put { record: doc(3), expect: Expect::Version(1) }], ..empty.clone() },
        ),
        ("entries alone", Change { operation: None, ..with_entries(&[Subject::None]) }),
        ("no such pass", with_entries(&[Subject::Pass(lot.pass(4))])),
        (
            "no such credit",
            with_entries(&[Subject::Credit(Id::from_bytes([1; 16]), Id::from_bytes([2; 16]))]),
        ),
        ("an empty range", with_entries(&[range(1, 0)])),
        ("a range beyond the last pass", with_entries(&[range(2, 3)])),
        ("a range beyond all serial numbers", with_entries(&[range(2, u32::MAX)])),
        ("ranges that overlap", with_entries(&[range(1, 2), range(2, 2)])),
        ("a pass and a range with it", with_entries(&[Subject::Pass(lot.pass(2)), range(1, 3)])),
    ] {
        let answer = commit(&store, change);
        assert!(matches!(answer, Err(StoreError::Backend(_))), "{what}: {answer:?}");
    }
    commit(&store, with_entries(&[range(1, 2), range(1, 2), Subject::Pass(lot.pass(3))])).unwrap();
}

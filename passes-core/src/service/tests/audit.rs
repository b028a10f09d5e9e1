//! What an audit keeps in memory.

use super::{Shop, card};
use crate::calendar::Instant;
use crate::id::{Ids, PassId};
use crate::ledger::{Account, Entry, Mark, StoredEntry, Subject, Unit};
use crate::lot::Lot;
use crate::money::Currency;
use crate::operation::Kind;
use crate::pass::{PassRow, Standing, Tally, flag};
use crate::passcode::Digest;
use crate::secret::Key;
use crate::service::audit::Audit;
use crate::service::checkpoint::Fold;
use crate::service::making::{codes_in, passes_of, value_of};
use crate::service::stored;
use crate::store::{AuditRow, DocKind, Operation, Store, StoredOperation, wait};
use std::sync::{Arc, Mutex};

const PASSES: u32 = 100_000;

/// One operation a tenth of a second.
fn at(number: u64) -> Instant {
    Instant::from_micros(1_790_000_000_000_000 + i64::try_from(number).unwrap() * 100_000).unwrap()
}

fn operation(number: u64, entries: u64) -> AuditRow {
    let seed = blake3::hash(&number.to_be_bytes());
    let operation = Operation {
        events: stored::pack(&Vec::<crate::event::Event>::new(), Vec::new()).unwrap(),
        ..Operation::new(Ids::new(seed.as_bytes(), at(number)).draw(), Kind::SpendPass, "till", at(number))
    };
    let stored = Arc::new(StoredOperation { number, operation, after: Vec::new() });
    AuditRow::Operation { stored, keyed: true, entries }
}

fn entry(number: u64, operation: u64, from: Side, to: Side, amount: i64, before: u64) -> AuditRow {
    let (unit, mark, line) = (Unit::Money(Currency::EUR), Mark::Paid, None);
    let (before_from, before_to) = if from.1 == Subject::None { (0, before) } else { (before, 0) };
    AuditRow::Entry(StoredEntry {
        number,
        operation,
        at: at(operation),
        booked: at(operation),
        entry: Entry { from, to, unit, amount, mark, line },
        before_from,
        before_to,
    })
}

type Side = (Account, Subject);

/// How much of a pass is spent: no two neighbours have the same left.
fn spent(pass: PassId) -> i64 {
    i64::from(pass.serial() % 4_999) + 1
}

/// The rows of a lot that was sold as a whole, and of which each pass was spent in part by itself.
fn rows() -> impl Iterator<Item = AuditRow> {
    // The same each time, down to the ids.
    let shop = Shop::open();
    let plan = shop.cards();
    let lot = shop.lot(plan, 1);
    let docs = Arc::new(Mutex::new(Vec::new()));
    let each = Arc::clone(&docs);
    let all = Box::new(move |row| each.lock().unwrap().push(row));
    wait(shop.store.audit(shop.by.business, all)).unwrap();
    let docs = std::mem::take(&mut *docs.lock().unwrap()).into_iter().filter_map(|row| match row {
        AuditRow::Doc(mut doc) if doc.key.kind == DocKind::Lot => {
            let found: Lot = stored::read(&doc.body).unwrap();
            let large = Lot { count: PASSES, run: None, ..found };
            doc.body = stored::write(&large).unwrap().into();
            Some(AuditRow::Doc(doc))
        }
        AuditRow::Doc(doc) if doc.key.kind != DocKind::Run => Some(AuditRow::Doc(doc)),
        _ => None,
    });
    let wide = |n: u32| u64::from(n);
    let passes = (1..=PASSES).map(move |serial| {
        let id = lot.pass(serial);
        let balance = Tally { used: spent(id), held: 0, limit: 5_000 };
        AuditRow::Pass(Box::new(PassRow {
            standing: Standing::Active,
            flags: flag::BOOKED,
            value: Some(5_000),
            uses: Tally { used: 1, held: 0, limit: 1 },
            balance,
            last: wide(serial) + 1,
            ..PassRow::draft(id)
        }))
    });
    let all = (Account::Outstanding, Subject::Passes { first: lot.pass(1), count: PASSES });
    let received = (Account::Received, Subject::None);
    let sold = [operation(1, 1), entry(1, 1, received, all, 5_000 * i64::from(PASSES), 0)];
    let spends = (1..=PASSES).flat_map(move |serial| {
        let (number, id) = (wide(serial) + 1, lot.pass(serial));
        let (from, to) = ((Account::Outstanding, Subject::Pass(id)), (Account::Settled, Subject::None));
        [operation(number, 1), entry(number, number, from, to, spent(id), 1)]
    });
    let format = super::spec(card()).code.folded().unwrap();
    let count = i64::from(PASSES);
    let tallies = [(passes_of(plan), count), (value_of(plan), count * 5_000), (codes_in(&format), count)];
    let mut tallies = tallies.map(|(key, used)| (key.0, 0, Tally { used, held: 0, limit: i64::MAX }));
    tallies.sort_by_key(|(id, ..)| *id);
    let tallies = tallies.into_iter().map(|(id, slot, tally)| AuditRow::Tally(id, slot, tally));
    let codes = (1..=PASSES).map(move |serial| {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&serial.to_be_bytes());
        // In another order than the passes.
        AuditRow::Code(Digest::from_bytes(digest), lot.pass(serial.reverse_bits() % PASSES + 1))
    });
    let codes = unique(codes);
    let key = |number: u32| u128::from(number).to_be_bytes();
    let keys = (1..=PASSES + 1).map(move |number| AuditRow::Key(key(number), wide(number), false));
    docs.chain(passes).chain(sold).chain(spends).chain(tallies).chain(codes).chain(keys)
}

/// Each pass once: where the order that was made up names one again, the next that has none.
fn unique(codes: impl Iterator<Item = AuditRow>) -> impl Iterator<Item = AuditRow> {
    let mut taken = vec![false; usize::try_from(PASSES).unwrap() + 1];
    let mut next = 1;
    codes.map(move |row| {
        let AuditRow::Code(digest, pass) = row else { panic!("{row:?}") };
        let mut serial = usize::try_from(pass.serial()).unwrap();
        if taken[serial] {
            while taken[next] {
                next += 1;
            }
            serial = next;
        }
        taken[serial] = true;
        AuditRow::Code(digest, pass.lot().pass(u32::try_from(serial).unwrap()))
    })
}

/// D-7: memory doesn't grow with passes, entries, operations, codes and keys, however many passes differ from their
/// neighbours; and a drift among them is found and told exactly, keeping only what is near to it.
#[test]
fn memory_stays_bounded() {
    let business = Shop::open().by.business;
    let start = || Audit::new(business, [7; 32], Key::from_bytes([7; 32]), Fold::new(business, &[]));
    let mut audit = start();
    let mut most = 0;
    for row in rows() {
        audit.row(row);
        most = most.max(audit.held());
    }
    // The lot, the plan, the accounts, and the ids of the last ten seconds.
    assert!(most < 150, "{most}");
    assert!(audit.again(Fold::new(business, &[])).unwrap().is_none());
    let (verified, _) = audit.finish().unwrap();
    assert!(verified.is_good(), "{:?}", verified.drifts);
    assert_eq!((verified.passes, verified.codes), (PASSES.into(), PASSES.into()));

    // Two passes whose wrong balances make up for each other.
    let twisted = || {
        rows().map(|row| match row {
            AuditRow::Pass(mut row) if [77_777, 88_888].contains(&row.id.serial()) => {
                row.balance.used += if row.id.serial() == 77_777 { 1 } else { -1 };
                AuditRow::Pass(row)
            }
            row => row,
        })
    };
    let mut audit = start();
    twisted().for_each(|row| audit.row(row));
    let mut again = audit.again(Fold::new(business, &[])).unwrap().unwrap();
    let mut most = 0;
    for row in twisted() {
        again.row(row);
        most = most.max(again.held());
    }
    assert!(most < 300, "{most}");
    let (verified, _) = again.finish().unwrap();
    let mut told: Vec<_> = verified.drifts.iter().map(|d| (d.what, d.expected - d.stored)).collect();
    told.sort_unstable();
    assert_eq!(told, [("pass balance", -1), ("pass balance", 1)]);
}

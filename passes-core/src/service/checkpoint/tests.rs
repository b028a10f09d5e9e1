//! What a checkpoint folds.

use super::*;
use crate::id::{ContactId, CreditId, LotId};
use crate::ledger::{Account, Entry, Mark, Unit};
use crate::operation::Kind;
use crate::pass::Tally;
use crate::store::Operation;

fn at(micros: i64) -> Instant {
    Instant::from_micros(1_790_000_000_000_000 + micros).unwrap()
}

fn operation(number: u64, place: Option<&str>, after: Vec<Tally>) -> StoredOperation {
    let id = OperationId::from_bytes([u8::try_from(number).unwrap(); 16]);
    let operation = Operation {
        place: place.map(Into::into),
        reason: Some("so".into()),
        booked: at(2),
        receipt: vec![1, 2, 3],
        events: vec![4],
        ..Operation::new(id, Kind::Redeem, "till 7", at(1))
    };
    StoredOperation { number, operation, after }
}

fn entry(number: u64, to: (Account, Subject), line: Option<u32>) -> StoredEntry {
    let lot = LotId::from_bytes([3; 16]).pass(0).lot();
    let from = (Account::Outstanding, Subject::Passes { first: lot.pass(2), count: 3 });
    let (unit, mark, before_from) = (Unit::Visits, Mark::Paid, number - 1);
    let entry = Entry { from, to, unit, amount: 9, mark, line };
    StoredEntry { number, operation: 5, at: at(1), booked: at(2), entry, before_from, before_to: 0 }
}

fn fold(of: &[(StoredOperation, Vec<StoredEntry>)]) -> String {
    let mut fold = Fold::new(BusinessId::from_bytes([7; 16]), &[]);
    for (operation, entries) in of {
        fold.operation(operation);
        entries.iter().for_each(|entry| fold.entry(entry));
    }
    fold.end();
    hex::encode(&fold.state.fold)
}

/// D-7, Z-2: the fold of a history never changes: a line that was kept for years still holds.
#[test]
fn the_fold_is_pinned() {
    let credit = Subject::Credit(ContactId::from_bytes([8; 16]), CreditId::from_bytes([9; 16]));
    let pass = Subject::Pass(LotId::from_bytes([3; 16]).pass(1));
    let entries = vec![
        entry(11, (Account::Credit, credit), None),
        entry(12, (Account::Settled, Subject::None), Some(4)),
        entry(13, (Account::Outstanding, pass), None),
    ];
    let tally = Tally { used: 2, held: 1, limit: 9 };
    let history = [
        (operation(5, Some("Mitte"), vec![tally, tally]), entries),
        (operation(8, None, Vec::new()), Vec::new()),
    ];
    assert_eq!(fold(&[]), "6b1ef48c355d3d9e802a34d7c00a7b533c97d8c2b81921ba3ed7ab01d28ce6c2");
    assert_eq!(fold(&history), "c0bc8469d37b22e3721cf4bb2cb1525cdc2e2ffd20c70b46e9ed2c5a512cdf38");
}

/// D-7: nothing of an operation or an entry can change and the fold not with it.
#[test]
fn everything_is_folded() {
    let tally = Tally { used: 2, held: 1, limit: 9 };
    let with = |change: fn(&mut StoredOperation, &mut StoredEntry)| {
        let mut operation = operation(5, None, vec![tally]);
        let mut entry = entry(11, (Account::Settled, Subject::None), None);
        change(&mut operation, &mut entry);
        fold(&[(operation, vec![entry])])
    };
    let changes: [fn(&mut StoredOperation, &mut StoredEntry); 30] = [
        |_, _| {},
        |o, _| o.number = 6,
        |o, _| o.operation.id = OperationId::from_bytes([6; 16]),
        |o, _| o.operation.kind = Kind::Spend,
        |o, _| o.operation.at = at(3),
        |o, _| o.operation.booked = at(3),
        |o, _| o.operation.actor = "till 8".into(),
        |o, _| o.operation.place = Some("so".into()),
        |o, _| o.operation.channel = Some("so".into()),
        |o, _| o.operation.reason = None,
        |o, _| o.operation.receipt.push(4),
        |o, _| o.operation.events.clear(),
        |o, _| (o.operation.receipt, o.operation.events) = (vec![1, 2], vec![3, 4]),
        |o, _| o.after.clear(),
        |o, _| o.after.push(Tally::default()),
        |o, _| o.after.iter_mut().for_each(|tally| tally.used = 3),
        |o, _| o.after.iter_mut().for_each(|tally| tally.held = 3),
        |o, _| o.after.iter_mut().for_each(|tally| tally.limit = 3),
        |_, e| e.number = 12,
        |_, e| e.operation = 4,
        |_, e| e.before_from = 1,
        |_, e| e.before_to = 1,
        |_, e| e.entry.from.0 = Account::Credit,
        |_, e| e.entry.from.1 = Subject::None,
        |_, e| e.entry.to.0 = Account::Breakage,
        |_, e| e.entry.unit = Unit::Points,
        |_, e| e.entry.amount = 8,
        |_, e| e.entry.mark = Mark::Granted,
        |_, e| e.entry.line = Some(0),
        |_, e| e.entry.to.1 = Subject::Pass(LotId::from_bytes([3; 16]).pass(1)),
    ];
    let mut folds: Vec<String> = changes.into_iter().map(with).collect();
    folds.sort_unstable();
    folds.dedup();
    assert_eq!(folds.len(), 30);
}

//! Entries, operations, reversals.

use super::*;

/// D-7, W-1: entries and chains, operations, their events, what was reversed.
#[test]
fn drifts_of_the_ledger_are_told() {
    let life = Life::new();
    let (two, five, reversed) = (life.lot.pass(2), life.lot.pass(5), life.reversed);
    let of_spend = move |stored: &StoredEntry| stored.operation == reversed;
    let number = std::sync::Mutex::new(Vec::new());
    let numbers = Arc::new(number);
    let seen = Arc::clone(&numbers);
    life.verify(move |row| {
        if let AuditRow::Entry(stored) = &row
            && of_spend(stored)
        {
            seen.lock().unwrap().push((stored.number, stored.before_from));
        }
        vec![row]
    });
    // The granted part, then the paid one.
    let spend = numbers.lock().unwrap().clone();
    let [(first, sold), (second, first_again)] = spend[..] else { panic!("{spend:?}") };
    assert_eq!(first, first_again);
    let wide = |n: u64| i64::try_from(n).unwrap();

    let found = life.drifts(entry(move |e| e.number == second, |e| e.before_from = 1));
    assert_eq!(found, told([("history", second, 1, wide(first))]));
    // Two pointers that change places: their sum is the same.
    let found =
        life.drifts(entry(of_spend, move |e| e.before_from = if e.number == first { first } else { sold }));
    assert_eq!(
        found,
        told([("history", first, wide(first), wide(sold)), ("history", second, wide(sold), wide(first))])
    );
    let found = life.drifts(entry(move |e| e.number == first, |e| e.entry.amount = 0));
    assert!(found.contains(&("entry", first.to_string(), 0, 0)), "{found:?}");
    assert!(found.contains(&("pass balance", two.to_string(), 3_500, 4_000)), "{found:?}");
    let found = life.drifts(entry(move |e| e.number == first, |e| e.entry.unit = Unit::Money(Currency::JPY)));
    assert!(found.contains(&("entry", first.to_string(), 500, 500)), "{found:?}");
    assert_eq!(found.len(), 1);
    let found =
        life.drifts(entry(move |e| e.number == first, |e| e.entry.to = (Account::Credit, Subject::None)));
    assert_eq!(found, told([("entry", first, 500, 500)]));
    let found = life
        .drifts(entry(move |e| e.number == first, |e| e.entry.from = (Account::Breakage, e.entry.from.1)));
    assert!(found.contains(&("entry", first.to_string(), 500, 500)), "{found:?}");
    assert!(!found.iter().any(|(what, ..)| *what == "history"));
    let found =
        life.drifts(entry(move |e| e.number == second, move |e| e.entry.from.1 = Subject::Pass(five)));
    assert!(found.contains(&("pass last", five.to_string(), wide(sold), wide(second))), "{found:?}");

    let found = life.drifts(entry(move |e| e.number == second, |e| e.operation += 1));
    assert_eq!(
        found,
        told([
            ("entry operation", second, wide(reversed + 1), wide(reversed)),
            ("operation entries", reversed, 2, 1),
            ("reversal", reversed, 2, 1),
        ])
    );
    let found = life.drifts(without(move |row| matches!(row, AuditRow::Entry(e) if e.number == second)));
    assert!(found.contains(&("operation entries", reversed.to_string(), 2, 1)), "{found:?}");
    let missing =
        without(move |row| matches!(row, AuditRow::Operation { stored, .. } if stored.number == reversed));
    let found = life.drifts(missing);
    assert!(found.contains(&("key", reversed.to_string(), 1, 0)), "{found:?}");
    assert!(found.contains(&("parent", format!("reversal {reversed}"), 0, 1)), "{found:?}");
    assert!(found.contains(&("entry operation", first.to_string(), wide(reversed), wide(reversed - 1))));

    let found = life.drifts(operation(reversed, |o| o.operation.events = vec![1, 99, 99]));
    assert_eq!(found, told([("events", reversed, 1, 0)]));
    let found = life.drifts(operation(reversed, |o| o.operation.booked = Instant::EPOCH));
    assert_eq!(found.len(), 1);
    assert!(found.iter().all(|(what, .., expected)| *what == "operation moment" && *expected == 0));
    // The same command, landed twice.
    let id = std::sync::Mutex::new(None);
    let found = life.drifts(move |mut row| {
        if let AuditRow::Operation { stored, .. } = &mut row {
            let mut held = id.lock().unwrap();
            let mut changed = (**stored).clone();
            if stored.number == 2 {
                *held = Some(stored.operation.id);
            } else if let (3, Some(id)) = (stored.number, *held) {
                changed.operation.id = id;
                *stored = Arc::new(changed);
            }
        }
        vec![row]
    });
    assert_eq!(found, told([("operation", 3, 2, 1)]));

    let reversal = doc(DocKind::Reversal, |r: &mut crate::service::reverse::Reversal| {
        r.reversed[1] += 1;
        true
    });
    assert_eq!(life.drifts(reversal), told([("reversal", reversed, 501, 500)]));
    let reversal = doc(DocKind::Reversal, |r: &mut crate::service::reverse::Reversal| {
        r.reversed = vec![-1, 501];
        true
    });
    assert_eq!(life.drifts(reversal), told([("reversal", reversed, -1, 500)]));
    let reversal = doc(DocKind::Reversal, |r: &mut crate::service::reverse::Reversal| {
        r.reversed.push(0);
        true
    });
    assert_eq!(life.drifts(reversal), told([("reversal", reversed, 3, 2)]));
    let found =
        life.drifts(without(|row| matches!(row, AuditRow::Doc(doc) if doc.key.kind == DocKind::Reversal)));
    assert_eq!(found, told([("reversal", reversed, 0, 500)]));
    let lost = operation(life.reversal, |o| o.operation.kind = crate::operation::Kind::Change);
    assert_eq!(life.drifts(lost), told([("reversal", reversed, 500, 0)]));
}

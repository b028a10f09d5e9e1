//! Passes, and records as such.

use super::*;

/// D-7, W-1: passes: balance, marks, value, uses, limits, chains, codes, and what they name.
#[test]
fn drifts_of_passes_are_told() {
    let life = Life::new();
    let (lot, two, five) = (life.lot, life.lot.pass(2), life.lot.pass(5));
    let left = 5_000 - 2_000 + 500;
    let lot_left = 3 * 5_000 - 1_500;
    let found = life.drifts(pass(two, |row| row.balance.used += 1));
    assert_eq!(
        found,
        told([
            ("pass balance", two.to_string(), left - 1, left),
            ("lot balance", lot.to_string(), lot_left - 1, lot_left)
        ])
    );
    let found = life.drifts(pass(five, |row| row.granted.used = 100));
    assert_eq!(found, told([("pass granted", five, 400, 500)]));
    let found = life.drifts(pass(five, |row| row.uses.used = 1));
    assert_eq!(found, told([("pass uses", five, 1, 0)]));
    let found = life.drifts(pass(five, |row| row.uses.limit = 7));
    assert_eq!(found, told([("pass limit", five, 7, 1)]));
    let found = life.drifts(pass(five, |row| row.value = Some(6_000)));
    let plan_value = 5_000 * (6 + 3 + 6_000);
    assert_eq!(
        found,
        told([
            ("pass value", five.to_string(), 5_000, 6_000),
            ("plan value", life.plan.to_string(), plan_value, plan_value + 1_000),
        ])
    );
    let found = life.drifts(pass(five, |row| row.standing = Standing::Cancelled));
    assert_eq!(found, told([("pass value", five, 5_000, 0)]));
    let found = life.drifts(pass(life.gone.pass(2), |row| row.standing = Standing::Draft));
    assert_eq!(
        found,
        told([
            ("pass value", life.gone.pass(2).to_string(), 0, 5_000),
            ("lot cancelled", life.gone.to_string(), 2, 3),
        ])
    );
    let found = life.drifts(pass(five, |row| row.balance.held = -1));
    assert_eq!(found, told([("bound", five, -1, 5_000)]));
    let found = life.drifts(pass(life.yen, |row| row.balance = Tally { used: 600, held: 500, limit: 1_000 }));
    let of_yen = life.verify(pass(life.yen, |row| row.balance.used = 600));
    assert!(of_yen.drifts.iter().any(|d| d.unit == Some(Unit::Money(Currency::JPY)) && d.stored == 400));
    assert!(found.contains(&("bound", life.yen.to_string(), 1_100, 1_000)));

    let last = |id| life.shop.passes.store().clone().load_last(id, &life.shop.by);
    let newest = last(two);
    let found = life.drifts(pass(two, |row| row.last = 1));
    assert_eq!(found, told([("pass last", two, 1, newest)]));
    let found = life.drifts(pass(lot.pass(6), |row| row.holder = Some(ContactId::from_bytes([9; 16]))));
    assert_eq!(found, told([("parent", format!("pass {}", lot.pass(6)), 0, 1)]));
    let found = life.drifts(pass(lot.pass(6), |row| row.sale = Some(Id::from_bytes([9; 16]))));
    assert_eq!(found, told([("parent", format!("pass {}", lot.pass(6)), 0, 1)]));
    let (old, _) = life.replaced;
    let found = life.drifts(pass(old, |row| row.successor = None));
    assert!(found.contains(&("successor", old.to_string(), 0, 1)), "{found:?}");
    let found = life.drifts(pass(lot.pass(6), move |row| row.successor = Some(lot.pass(5))));
    assert!(found.contains(&("successor", lot.pass(6).to_string(), 1, 0)), "{found:?}");

    let found = life.drifts(without(move |row| is_code_of(row, five)));
    assert_eq!(found, told([("pass codes", five.to_string(), 0, 1), ("lot codes", lot.to_string(), 5, 6)]));
    let found = life.drifts(move |row| match row {
        AuditRow::Code(digest, pass) if pass == five => {
            vec![AuditRow::Code(digest, lot.pass(6))]
        }
        row => vec![row],
    });
    assert_eq!(
        found,
        told([
            ("pass codes", lot.pass(6).to_string(), 2, 1),
            ("pass codes", five.to_string(), 0, 1),
            ("lot codes", lot.to_string(), 5, 6),
        ])
    );
    let nobody = LotId::from_bytes([0xEE; 16]).pass(1);
    let found = life.drifts(move |row| match row {
        AuditRow::Key(..) => vec![row],
        AuditRow::Code(digest, pass) if pass == five => {
            vec![AuditRow::Code(digest, pass), AuditRow::Code(Digest::from_bytes([0xFF; 32]), nobody)]
        }
        row => vec![row],
    });
    assert!(found.contains(&("pass codes", nobody.to_string(), 1, 0)), "{found:?}");
}

trait LoadLast {
    fn load_last(&self, pass: PassId, by: &By) -> i64;
}

impl LoadLast for Arc<dyn Store> {
    fn load_last(&self, pass: PassId, by: &By) -> i64 {
        let load = Load { passes: vec![pass], ..Load::new(by.business) };
        i64::try_from(crate::store::wait(self.load(&load)).unwrap().passes[0].last).unwrap()
    }
}

/// D-7, W-1: records that are gone, come twice or out of order, cannot be read, or name what isn't there.
#[test]
fn records_that_are_missing_or_twice_are_told() {
    let life = Life::new();
    let (lot, growing) = (life.lot, life.growing);
    let found = life.drifts(without(
        move |row| matches!(row, AuditRow::Pass(row) if row.id == lot.pass(5) || row.id == lot.pass(6)),
    ));
    let plan_value = 5_000 * 6_009;
    let lot_left = 3 * 5_000 - 1_500;
    assert_eq!(
        found,
        told([
            ("pass missing", lot.pass(5).to_string(), 0, 2),
            ("lot passes", lot.to_string(), 4, 6),
            ("lot balance", lot.to_string(), lot_left - 10_000, lot_left),
            ("plan passes", life.plan.to_string(), 6_009, 6_007),
            ("plan value", life.plan.to_string(), plan_value, plan_value - 10_000),
        ])
    );
    let found =
        life.drifts(without(move |row| matches!(row, AuditRow::Pass(row) if row.id.lot() == growing)));
    assert_eq!(
        found,
        told([
            ("pass missing", growing.pass(1).to_string(), 0, 4_096),
            ("lot passes", growing.to_string(), 0, 4_096),
            ("plan passes", life.plan.to_string(), 6_009, 6_009 - 4_096),
            ("plan value", life.plan.to_string(), plan_value, plan_value - 4_096 * 5_000),
        ])
    );
    let one = life.credit;
    let found = life.drifts(without(move |row| matches!(row, AuditRow::Credit(row) if row.id == one)));
    assert!(found.iter().any(|(what, subject, stored, expected)| *what == "credit missing"
        && *subject == one.to_string()
        && *stored == 0
        && *expected > 0));
    let found = life.drifts(twice(move |row| matches!(row, AuditRow::Credit(row) if row.id == one)));
    assert!(found.contains(&("twice", format!("credit {one}"), 2, 1)), "{found:?}");
    let five = lot.pass(5);
    let found = life.drifts(twice(move |row| is_code_of(row, five)));
    assert_eq!(
        found,
        told([("twice", format!("code of pass {five}"), 2, 1), ("pass codes", five.to_string(), 2, 1)])
    );
    let found = life.drifts(twice(|row| matches!(row, AuditRow::Key(_, _, false))));
    assert!(found.iter().any(|(what, ..)| *what == "twice") && found.iter().any(|(what, ..)| *what == "key"));
    let stopped = life.stopped;
    let found = life.drifts(without(move |row| matches!(row, AuditRow::Key(_, n, true) if *n == stopped)));
    assert_eq!(found, told([("key", stopped, 0, 1)]));
    let found = life.drifts(without(move |row| matches!(row, AuditRow::Key(_, n, false) if *n == stopped)));
    assert_eq!(found, told([("key", stopped, 0, 1)]));
    let found = life.drifts(|row| match row {
        AuditRow::Key(key, number, stops) if !stops => vec![AuditRow::Key(key, number + 1_000, stops)],
        row => vec![row],
    });
    assert_eq!(found.iter().filter(|(what, .., expected)| *what == "key" && *expected == 1).count(), 5);
    assert_eq!(found.iter().filter(|(what, .., expected)| *what == "key" && *expected == 0).count(), 5);

    // Rows that change places.
    let held = std::sync::Mutex::new(None);
    let found = life.drifts(move |row| match row {
        AuditRow::Pass(row) if row.id == lot.pass(2) => {
            *held.lock().unwrap() = Some(AuditRow::Pass(row));
            Vec::new()
        }
        AuditRow::Pass(row) if row.id == lot.pass(3) => {
            std::iter::once(AuditRow::Pass(row)).chain(held.lock().unwrap().take()).collect()
        }
        row => vec![row],
    });
    assert!(found.contains(&("order", format!("pass {}", lot.pass(2)), 1, 0)), "{found:?}");

    let faulty = |row: AuditRow| match row {
        AuditRow::Tally(..) => vec![row, AuditRow::Fault("the index is out of step".into())],
        row => vec![row],
    };
    let verified = life.verify(faulty);
    assert!(verified.drifts.iter().all(|d| (d.what, &*d.subject) == ("store", "the index is out of step")));
    assert!(verified.drifted > 0 && !verified.is_good());
}

/// D-7, Z-2: documents: what others hang on, what can't be read, and what a newer library wrote.
#[test]
fn drifts_of_documents_are_told() {
    let life = Life::new();
    let (lot, ann) = (life.lot, life.ann);
    let body = |kind: DocKind, id: [u8; 16], body: &'static [u8]| {
        move |mut row| {
            if is_doc(&row, kind, id)
                && let AuditRow::Doc(doc) = &mut row
            {
                doc.body = body.into();
            }
            vec![row]
        }
    };
    let found = life.drifts(body(DocKind::Contact, ann.to_bytes(), b"{}"));
    assert!(found.contains(&("document", format!("contact {ann}"), 1, 0)), "{found:?}");
    let newer = life.judge(body(DocKind::Contact, ann.to_bytes(), br#"{"v":7,"d":{}}"#));
    assert_eq!(newer.unwrap_err().code(), "STORE_NEWER");
    let found = life.drifts(without(move |row| is_doc(row, DocKind::Lot, lot.to_bytes())));
    assert!(found.contains(&("parent", format!("passes of lot {lot}"), 0, 1)), "{found:?}");
    let found =
        life.drifts(without(|row| matches!(row, AuditRow::Doc(doc) if doc.key.kind == DocKind::Plan)));
    assert_eq!(
        found.iter().filter(|(what, subject, ..)| *what == "parent" && subject.starts_with("terms")).count(),
        3
    );
    let found = life.drifts(without(move |row| is_doc(row, DocKind::Contact, ann.to_bytes())));
    for subject in [format!("delivery {}", life.electronic), format!("credit {}", life.credit)] {
        assert!(found.contains(&("parent", subject, 0, 1)), "{found:?}");
    }
    let business = life.shop.by.business;
    let found = life.drifts(without(move |row| is_doc(row, DocKind::Business, business.to_bytes())));
    assert!(found.contains(&("parent", format!("business {business}"), 0, 1)), "{found:?}");
    let renamed = doc(DocKind::Sale, |sale: &mut crate::service::Sale| {
        sale.id = Id::from_bytes([1; 16]);
        true
    });
    assert!(life.drifts(renamed).iter().any(|(what, ..)| *what == "document"));
}

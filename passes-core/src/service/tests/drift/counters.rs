//! What is counted apart from what it counts.

use super::*;

/// D-7, P-15, C-4: what is counted apart: caps of plans, codes of formats, exports, runs, currencies, media.
#[test]
fn drifts_of_counters_are_told() {
    let life = Life::new();
    let (lot, plan, ann) = (life.lot, life.plan, life.ann);
    let tallies = |crate::service::shared::Shared(wanted), by: i64| {
        move |row| match row {
            AuditRow::Tally(id, slot, tally) if id == wanted => {
                vec![AuditRow::Tally(id, slot, Tally { used: tally.used + by, ..tally })]
            }
            row => vec![row],
        }
    };
    use crate::service::making::{codes_in, passes_of, value_of};
    assert_eq!(life.drifts(tallies(passes_of(plan), 1)), told([("plan passes", plan, 6_010, 6_009)]));
    let value = 5_000 * 6_009;
    assert_eq!(life.drifts(tallies(value_of(plan), -5)), told([("plan value", plan, value - 5, value)]));
    let format = spec(card()).code.folded().unwrap();
    let name = serde_json::to_string(&format).unwrap();
    // Six, one in place of one, 6,000 being made, 4,096 reserved and never made, one by mail, one in yen.
    let codes = 6 + 1 + 6_000 + 4_096 + 1 + 1;
    assert_eq!(
        life.drifts(tallies(codes_in(&format), 2)),
        told([("format codes", name.clone(), codes + 2, codes)])
    );
    let found = life.drifts(doc(DocKind::Business, |business: &mut crate::business::Business| {
        business.formats.clear();
        true
    }));
    assert_eq!(found, told([("format", name, 0, 1)]));
    let found = life.drifts(|row| match row {
        AuditRow::Tally(id, ..) if id[0] != 0xFF => vec![row],
        AuditRow::Code(..) => vec![row],
        row => vec![row],
    });
    assert_eq!(found, BTreeSet::new());
    let stray = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let found = life.drifts(move |row| match row {
        AuditRow::Code(..) if !stray.swap(true, std::sync::atomic::Ordering::Relaxed) => {
            let tally = Tally { used: 3, held: 0, limit: 9 };
            vec![AuditRow::Tally([0xFF; 16], 0, tally), row]
        }
        row => vec![row],
    });
    assert_eq!(found, told([("tally", "ff".repeat(16), 3, 0)]));

    let exported = doc(DocKind::Lot, move |found: &mut Lot| {
        found.exports += u32::from(found.id == lot);
        found.id == lot
    });
    assert_eq!(life.drifts(exported), told([("lot exports", lot, 2, 1)]));
    let counted = doc(DocKind::Lot, move |found: &mut Lot| {
        found.count += u32::from(found.id == lot);
        found.id == lot
    });
    let name = serde_json::to_string(&format).unwrap();
    assert_eq!(
        life.drifts(counted),
        told([("lot passes", lot.to_string(), 7, 6), ("format codes", name, codes, codes + 1)])
    );
    let growing = life.growing;
    let found = life.drifts(without(move |row| is_code_of(row, growing.pass(5_999))));
    assert_eq!(found, told([("lot codes", growing, 5_999, 6_000)]));
    let electronic = life.electronic;
    let found = life.drifts(without(move |row| is_doc(row, DocKind::Delivery, electronic.to_bytes())));
    assert_eq!(found, told([("lot delivery", electronic.lot(), 0, 1)]));

    type Run = crate::service::runs::Run;
    let (run, bulk) = (life.run, life.bulk);
    let stepped = doc(DocKind::Run, move |found: &mut Run| {
        found.done -= u32::from(found.id == run);
        found.id == run
    });
    let found = life.drifts(stepped);
    assert!(found.contains(&("run", run.to_string(), 4_095, 4_096)), "{found:?}");
    assert!(found.contains(&("lot passes", growing.to_string(), 4_096, 4_095)), "{found:?}");
    let stepped = doc(DocKind::Run, move |found: &mut Run| {
        found.done -= u32::from(found.id == bulk);
        found.id == bulk
    });
    // Against those that it looked at; once it is through, that is all of them.
    assert_eq!(life.drifts(stepped), told([("run", bulk, 2, 3)]));
    let lost = without(move |row| is_doc(row, DocKind::Run, run.to_bytes()));
    assert!(life.drifts(lost).contains(&("parent", format!("lot {growing}"), 0, 1)));

    let emptied = doc(DocKind::Contact, move |found: &mut Contact| {
        found.currencies.retain(|_| found.id != ann);
        found.id == ann
    });
    assert_eq!(life.drifts(emptied), told([("contact currencies", ann, 0, 1)]));
    let more = doc(DocKind::Contact, move |found: &mut Contact| {
        found.currencies.push(Currency::JPY);
        found.id == ann
    });
    assert_eq!(life.drifts(more), told([("contact currencies", ann, 1, 0)]));
    let silent = doc(DocKind::Contact, move |found: &mut Contact| {
        found.profile.media.clear();
        found.id == ann
    });
    assert_eq!(life.drifts(silent), told([("medium", ann, 1, 0)]));
    let lost = without(|row| matches!(row, AuditRow::Doc(doc) if doc.key.kind == DocKind::Medium));
    assert_eq!(life.drifts(lost), told([("medium", ann, 0, 1)]));
    let two = life.credit;
    let found = life.drifts(credit(two, |row| row.amount.used += 1));
    let whole = 4_500 - 2_500;
    assert_eq!(found, told([("credit", two, whole - 1, whole)]));
    let found = life.drifts(credit(two, |row| row.mark = Mark::Granted));
    assert_eq!(found, told([("credit", two, 0, whole), ("credit", two, whole, 0)]));
    let yen = life.yen;
    let found = life.drifts(credit(two, move |row| row.pass = yen));
    assert!(found.contains(&("contact currencies", ann.to_string(), 0, 1)), "{found:?}");
    let found = life.drifts(credit(two, |row| row.last = 2));
    assert!(found.iter().any(|(what, ..)| *what == "credit last") && found.len() == 1);

    let refused = doc(DocKind::Refusals, |found: &mut Vec<crate::service::Refusals>| {
        let again = found.clone();
        found.extend(again);
        true
    });
    let found = life.drifts(refused);
    let numbers: Vec<_> =
        found.iter().map(|(what, _, stored, expected)| (*what, *stored, *expected)).collect();
    assert_eq!(numbers, [("refusals", 2, 1)]);
}

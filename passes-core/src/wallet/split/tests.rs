//! The split, against worked-out cases and independent methods.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// A credit of a test: its amount and the lines it may pay.
type Credit = (i64, Vec<usize>);

fn split_of(lines: &[i64], credits: &[Credit], limit: i64) -> Split {
    let payers: Vec<_> = credits.iter().map(|(amount, lines)| Payer { amount: *amount, lines }).collect();
    split_up_to(lines, &payers, limit)
}

/// The parts as a table: one row per credit, one column per line.
fn table(split: &Split, lines: usize, credits: usize) -> Vec<Vec<i64>> {
    let mut table = vec![vec![0; lines]; credits];
    for part in &split.parts {
        table[part.credit][part.line] = part.amount;
    }
    table
}

/// W-3: every case of `split.json` is split as it says, given the order it lists.
#[test]
fn splits_every_case_of_the_file() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases/split.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let name = |value: &Value| value.as_str().unwrap().to_owned();
    let int = |value: &Value| value.as_i64().unwrap();
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    assert_eq!(list(&file["cases"]).len(), 60);
    for (number, case) in list(&file["cases"]).iter().enumerate() {
        let order: Vec<String> = list(&case["order"]).iter().map(name).collect();
        let place = |id: &Value| order.iter().position(|other| *other == name(id)).unwrap();
        let lines: Vec<i64> = list(&case["lines"]).iter().map(int).collect();
        let mut credits: Vec<Credit> = vec![Credit::default(); order.len()];
        for credit in list(&case["credits"]) {
            let payable = list(&credit["lines"]).iter().map(index).collect();
            credits[place(&credit["id"])] = (int(&credit["amount"]), payable);
        }
        let part = |part: &Value| Part {
            credit: place(&part["credit"]),
            line: index(&part["line"]),
            amount: int(&part["amount"]),
        };
        let parts = list(&case["parts"]).iter().map(part).collect();
        let expected = Split { parts, paid: int(&case["paid"]), short: int(&case["short"]) };
        assert_eq!(split_of(&lines, &credits, i64::MAX), expected, "case {number}");
    }
}

/// The best split by W-3's rule, found by making all of them, as a table.
fn best_of_all(lines: &[i64], credits: &[Credit], limit: i64) -> Vec<Vec<i64>> {
    let total = |row: &Vec<i64>| row.iter().sum::<i64>();
    let mut all = vec![vec![vec![0; lines.len()]; credits.len()]];
    for (credit, (amount, payable)) in credits.iter().enumerate() {
        for &line in payable {
            let extended = all.iter().flat_map(|table| {
                let of_line: i64 = table.iter().map(|row| row[line]).sum();
                let of_all: i64 = table.iter().map(total).sum();
                let most = (amount - total(&table[credit])).min(lines[line] - of_line).min(limit - of_all);
                (0..=most).map(|pay| {
                    let mut table = table.clone();
                    table[credit][line] = pay;
                    table
                })
            });
            all = extended.collect();
        }
    }
    let rank = |table: &Vec<Vec<i64>>| (table.iter().map(total).collect::<Vec<_>>(), table.clone());
    all.into_iter().max_by_key(rank).unwrap()
}

/// What the credits can pay at most: the smallest cut, by trying all sets of lines. A set costs its
/// lines, and the credits that may pay a line outside it.
fn smallest_cut(lines: &[i64], credits: &[Credit]) -> i64 {
    let cut = |set: usize| {
        let inside = |line: &usize| set >> line & 1 == 1;
        let cost: i64 = (0..lines.len()).filter(inside).map(|line| lines[line]).sum();
        let escape = credits.iter().filter(|(_, payable)| !payable.iter().all(inside));
        cost + escape.map(|(amount, _)| amount).sum::<i64>()
    };
    (0..1 << lines.len()).map(cut).min().unwrap()
}

/// A basket of at most `lines` lines and at most `credits` credits over random lines.
fn case(
    lines: usize,
    credits: usize,
    amount: impl Strategy<Value = i64> + Clone,
) -> impl Strategy<Value = (Vec<i64>, Vec<Credit>)> {
    vec(amount.clone(), 1..=lines).prop_flat_map(move |lines| {
        let payable = vec(any::<bool>(), lines.len())
            .prop_map(|may| may.iter().enumerate().filter(|(_, may)| **may).map(|(line, _)| line).collect());
        (Just(lines), vec((amount.clone(), payable), 0..=credits))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// W-3: small baskets are split as trying all splits says, with and without a limit.
    #[test]
    fn splits_as_trying_all_splits_does(
        (lines, credits) in case(3, 3, 0i64..=4),
        limit in prop_oneof![Just(i64::MAX), 0i64..=12],
    ) {
        let found = split_of(&lines, &credits, limit);
        let best = best_of_all(&lines, &credits, limit);
        prop_assert_eq!(table(&found, lines.len(), credits.len()), best);
        let payers: Vec<_> = credits.iter().map(|(amount, lines)| Payer { amount: *amount, lines }).collect();
        prop_assert_eq!(split(&lines, &payers), split_of(&lines, &credits, i64::MAX));
    }

    /// W-3: each credit pays what it adds to the most that those before it can pay together; thereby the
    /// most that can be paid is paid, and a payable basket is never refused.
    #[test]
    fn pays_the_most_of_each_credit(
        (lines, credits) in case(7, 8, prop_oneof![0i64..=5, 0i64..=1000]),
        limit in prop_oneof![Just(i64::MAX), 0i64..=20, 0i64..=3000],
    ) {
        let split = split_of(&lines, &credits, limit);
        let basket: i64 = lines.iter().sum();
        prop_assert_eq!(split.paid, smallest_cut(&lines, &credits).min(limit));
        prop_assert_eq!(split.short, basket.min(limit) - split.paid);
        for first in 0..=credits.len() {
            let parts = split.parts.iter().filter(|part| part.credit < first);
            let paid: i64 = parts.map(|part| part.amount).sum();
            prop_assert_eq!(paid, smallest_cut(&lines, &credits[..first]).min(limit));
        }
    }

    /// W-3: given the totals and all parts before it, no part could be a unit larger.
    #[test]
    fn pays_the_most_of_each_line(
        (lines, credits) in case(6, 7, prop_oneof![0i64..=5, 0i64..=1000]),
        limit in prop_oneof![Just(i64::MAX), 0i64..=20, 0i64..=3000],
    ) {
        let rows = table(&split_of(&lines, &credits, limit), lines.len(), credits.len());
        // What is still to be placed, and the room for it.
        let owed_of = |(row, credit): (&Vec<i64>, &Credit)| (row.iter().sum(), credit.1.clone());
        let mut rest: Vec<Credit> = rows.iter().zip(&credits).map(owed_of).collect();
        let mut room = lines.clone();
        for (credit, row) in rows.iter().enumerate() {
            for (line, paid) in row.iter().enumerate() {
                rest[credit].1.retain(|other| *other > line);
                rest[credit].0 -= paid;
                room[line] -= paid;
                let payable = credits[credit].1.contains(&line);
                prop_assert!(payable || *paid == 0);
                let owed = rest.iter().map(|(amount, _)| amount).sum::<i64>();
                prop_assert_eq!(smallest_cut(&room, &rest), owed);
                if payable && rest[credit].0 > 0 && room[line] > 0 {
                    rest[credit].0 -= 1;
                    room[line] -= 1;
                    prop_assert!(smallest_cut(&room, &rest) < owed - 1);
                    rest[credit].0 += 1;
                    room[line] += 1;
                }
            }
        }
    }

    /// W-3: over more than 64 lines too, nothing is paid beyond a line or a credit, nor where a credit
    /// may not; the parts are sorted, above zero and make up the sum.
    #[test]
    fn keeps_within_lines_and_credits(
        (lines, credits) in case(150, 20, prop_oneof![-1i64..=5, 0i64..=1000, Just(i64::MAX)]),
        limit in any::<i64>(),
    ) {
        let split = split_of(&lines, &credits, limit);
        prop_assert!(split.parts.is_sorted_by_key(|part| (part.credit, part.line)));
        prop_assert!(split.parts.iter().all(|part| part.amount > 0));
        prop_assert!(split.parts.iter().all(|part| credits[part.credit].1.contains(&part.line)));
        let sum = |of: &dyn Fn(&&Part) -> bool| {
            split.parts.iter().filter(of).map(|part| i128::from(part.amount)).sum::<i128>()
        };
        for (line, amount) in lines.iter().enumerate() {
            prop_assert!(sum(&|part| part.line == line) <= i128::from(*amount).max(0));
        }
        for (credit, (amount, _)) in credits.iter().enumerate() {
            prop_assert!(sum(&|part| part.credit == credit) <= i128::from(*amount).max(0));
        }
        prop_assert_eq!(sum(&|_| true), i128::from(split.paid));
        prop_assert!(split.paid <= limit.max(0) && split.short >= 0);
    }
}

/// W-3: each credit may pay its own line and the next one; the last one finds its line taken, and all
/// others move.
#[test]
fn moves_a_whole_chain_of_credits() {
    const LENGTH: usize = 100;
    let mut credits: Vec<Credit> = (0..LENGTH).map(|line| (1, vec![line, line + 1])).collect();
    credits.push((1, vec![0]));
    let split = split_of(&[1; LENGTH + 1], &credits, i64::MAX);
    let part = |credit| Part { credit, line: (credit + 1) % (LENGTH + 1), amount: 1 };
    assert_eq!(split.parts, (0..=LENGTH).map(part).collect::<Vec<_>>());
    assert_eq!(split.short, 0);
}

/// W-3: amounts at the limits of the number do not overflow, and lines that aren't there are not paid.
#[test]
fn bears_extreme_and_senseless_input() {
    let credits = [(i64::MAX, vec![0, 1]), (i64::MAX, vec![1, 1, 7]), (-5, vec![0]), (5, vec![])];
    let parts = vec![Part { credit: 0, line: 0, amount: i64::MAX }];
    let expected = Split { parts, paid: i64::MAX, short: 0 };
    assert_eq!(split_of(&[i64::MAX, i64::MAX], &credits, i64::MAX), expected);
    let split = split_of(&[-3, 2], &credits[1..], i64::MAX);
    assert_eq!(split, Split { parts: vec![Part { credit: 0, line: 1, amount: 2 }], paid: 2, short: 0 });
    assert_eq!(split_of(&[], &credits, i64::MAX), Split::default());
    assert_eq!(split_of(&[5], &[], i64::MAX), Split { parts: vec![], paid: 0, short: 5 });
    assert_eq!(split_of(&[5], &credits, -1), Split::default());
}

/// W-3: the sets of lines are sets, however many words they take.
#[test]
fn line_sets_are_sets() {
    const LINES: usize = 150;
    let of = |step: usize| {
        let (mut set, mut lines) = (LineSet::new(LINES), BTreeSet::new());
        (0..LINES).step_by(step).for_each(|line| set.insert(line));
        lines.extend((0..LINES).step_by(step));
        (0..LINES).step_by(5 * step).for_each(|line| set.remove(line));
        lines.retain(|line| line % (5 * step) != 0);
        (set, lines)
    };
    let all = |set: &LineSet| set.iter().collect::<BTreeSet<_>>();
    for (left, right) in [(1, 2), (2, 3), (3, 7), (7, 11), (11, 64), (64, 65)] {
        let ((mut set, mut lines), (other, others)) = (of(left), of(right));
        assert_eq!(all(&set), lines);
        assert!((0..LINES).all(|line| set.contains(line) == lines.contains(&line)));
        assert_eq!(set.first_common(&other), lines.intersection(&others).next().copied());
        assert!(set.without(&other).eq(lines.difference(&others).copied()));
        set.insert_all(&other);
        lines.extend(&others);
        assert_eq!(all(&set), lines);
    }
    assert!(!LineSet::new(LINES).contains(LINES * 2));
}

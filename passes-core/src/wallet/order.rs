//! The order in which a wallet's credits are spent (W-3).

use std::cmp::Ordering;

/// What decides when a credit's turn comes (W-3). Sorting ascending gives the order: the earliest spend-by
/// first and those without one last, granted before paid, the fewest payable lines of this basket, the
/// oldest, the lowest id.
///
/// ```
/// use passes_core::wallet::order::OrderKey;
///
/// let never = OrderKey { spend_by: None, paid: false, payable_lines: 1, created: 0, id: [1; 16] };
/// let soon = OrderKey { spend_by: Some(1_767_225_600_000_000), paid: true, ..never };
/// let granted = OrderKey { paid: false, ..soon };
/// let mut keys = [never, soon, granted];
/// keys.sort_unstable();
/// assert_eq!(keys, [granted, soon, never]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderKey {
    /// The credit's last moment, in UTC microseconds; `None` if it never expires.
    pub spend_by: Option<i64>,
    /// Whether the credit is marked paid (else granted).
    pub paid: bool,
    /// How many lines of this basket the credit may pay.
    pub payable_lines: usize,
    /// When the credit was made, in UTC microseconds.
    pub created: i64,
    /// The credit's id: no two credits are equal, so the order never depends on how they were loaded.
    pub id: [u8; 16],
}

impl Ord for OrderKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // `None` sorts before any moment, hence "has none" is compared first.
        let rank = |key: &Self| {
            (key.spend_by.is_none(), key.spend_by, key.paid, key.payable_lines, key.created, key.id)
        };
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for OrderKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// A date such as `2026-02-28` as a number that sorts alike.
    fn day(value: &Value) -> Option<i64> {
        value.as_str().map(|date| date.replace('-', "").parse().unwrap())
    }

    /// W-3: every case of `split.json` puts its credits in the order it lists.
    #[test]
    fn orders_every_case_of_the_file() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases/split.json");
        let file: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 60);
        for (number, case) in cases.iter().enumerate() {
            let mut credits: Vec<(OrderKey, &str)> = Vec::new();
            for credit in case["credits"].as_array().unwrap() {
                let name = credit["id"].as_str().unwrap();
                let mut id = [0; 16];
                id[..name.len()].copy_from_slice(name.as_bytes());
                let key = OrderKey {
                    spend_by: day(&credit["spend_by"]),
                    paid: credit["paid"].as_bool().unwrap(),
                    payable_lines: credit["lines"].as_array().unwrap().len(),
                    created: day(&credit["created"]).unwrap(),
                    id,
                };
                credits.push((key, name));
            }
            credits.sort_unstable();
            let order: Vec<&str> = credits.into_iter().map(|(_, name)| name).collect();
            let expected: Vec<&str> =
                case["order"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            assert_eq!(order, expected, "case {number}");
        }
    }

    /// W-3: each criterion speaks only where all before it are equal.
    #[test]
    fn an_earlier_criterion_outweighs_all_later_ones() {
        let ascending = [
            OrderKey { spend_by: Some(-1), paid: true, payable_lines: 9, created: 9, id: [9; 16] },
            OrderKey { spend_by: Some(1), paid: false, payable_lines: 9, created: 9, id: [9; 16] },
            OrderKey { spend_by: Some(1), paid: true, payable_lines: 1, created: 9, id: [9; 16] },
            OrderKey { spend_by: Some(1), paid: true, payable_lines: 2, created: 1, id: [9; 16] },
            OrderKey { spend_by: Some(1), paid: true, payable_lines: 2, created: 2, id: [1; 16] },
            OrderKey { spend_by: Some(1), paid: true, payable_lines: 2, created: 2, id: [2; 16] },
            OrderKey { spend_by: Some(i64::MAX), paid: false, payable_lines: 0, created: 0, id: [0; 16] },
            OrderKey { spend_by: None, paid: false, payable_lines: 0, created: 0, id: [0; 16] },
        ];
        assert!(ascending.is_sorted());
        assert!(ascending.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

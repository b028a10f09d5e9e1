//! A measure: what came out, what must, and what would be fine.

use serde_json::{Value, json};
use std::fmt;

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Good {
    /// At least the gate.
    High,
    /// At most the gate.
    Low,
}

/// One line of the report.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) ratio: f64,
    pub(crate) gate: f64,
    pub(crate) ambition: f64,
    pub(crate) good: Good,
}

impl Measure {
    /// Whether the gate is met.
    pub(crate) fn is_met(&self) -> bool {
        match self.good {
            Good::High => self.ratio >= self.gate,
            Good::Low => self.ratio <= self.gate,
        }
    }

    /// As it stands in `target/bench.json`.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "ratio": self.ratio,
            "gate": self.gate,
            "ambition": self.ambition,
            "good": if self.good == Good::High { "high" } else { "low" },
            "met": self.is_met(),
        })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, ratio, gate, ambition, good } = self;
        let sign = if *good == Good::High { '≥' } else { '≤' };
        let met = if self.is_met() { "" } else { "  MISSED" };
        write!(f, "{name:<44} {ratio:>6.2}   gate {sign} {gate:.2}   ambition {sign} {ambition:.2}{met}")
    }
}

/// The middle one; of an even number the mean of the two. NaN of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match (values.get(half), half.checked_sub(1).and_then(|at| values.get(at))) {
        (Some(middle), _) if values.len() % 2 == 1 => *middle,
        (Some(above), Some(below)) => (above + below) / 2.0,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_gate_is_met_or_missed() {
        let high = Measure { name: "speed", ratio: 0.9, gate: 0.88, ambition: 0.95, good: Good::High };
        assert!(high.is_met() && !Measure { ratio: 0.87, ..high.clone() }.is_met());
        // What could not be measured is not met.
        assert!(!Measure { ratio: f64::NAN, ..high.clone() }.is_met());
        let low = Measure { good: Good::Low, ..high };
        assert!(!low.is_met() && low.to_string().ends_with("MISSED"));
    }
}

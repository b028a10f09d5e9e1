//! A measure: what came out, what must, and what would be fine; and how two sides take turns.

use crate::run::{Made, Run};
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

impl Good {
    fn word(self) -> &'static str {
        if self == Self::High { "high" } else { "low" }
    }

    fn sign(self) -> char {
        if self == Self::High { '≥' } else { '≤' }
    }

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::High => value >= limit,
            Self::Low => value <= limit,
        }
    }
}

/// How far the rounds lay apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The lower quartile.
    pub(crate) low: f64,
    /// The upper one.
    pub(crate) high: f64,
    pub(crate) rounds: usize,
}

/// One line of the report.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    pub(crate) name: String,
    /// At how many of what, where one thing is measured at several sizes.
    pub(crate) at: Option<(f64, &'static str)>,
    /// NaN when it could not be measured; then `note` says why.
    pub(crate) value: f64,
    /// What one is: `×` for ratios, `pages`, `bytes`.
    pub(crate) unit: &'static str,
    pub(crate) good: Good,
    /// Where the command fails; none is told only.
    pub(crate) gate: Option<f64>,
    /// Where it would be fine.
    pub(crate) ambition: Option<f64>,
    pub(crate) spread: Option<Spread>,
    /// What a reader must know: how it was counted, or why it could not be.
    pub(crate) note: Option<String>,
}

impl Measure {
    /// A number that was counted once.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        let (at, gate, ambition, spread, note) = (None, None, None, None, None);
        Self { name: name.into(), at, value, unit, good: Good::High, gate, ambition, spread, note }
    }

    /// The median of the rounds, with their quartiles.
    pub(crate) fn of_rounds(name: impl Into<String>, unit: &'static str, rounds: &[f64]) -> Self {
        let [low, value, high] = quartiles(rounds);
        Self { spread: Some(Spread { low, high, rounds: rounds.len() }), ..Self::new(name, unit, value) }
    }

    /// What could not be measured here, and why. A gate that it has is not met.
    pub(crate) fn not_run(name: impl Into<String>, unit: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, unit, f64::NAN).note(why)
    }

    /// At least `gate`, or the command fails; at least `ambition` would be fine.
    pub(crate) fn at_least(self, gate: f64, ambition: f64) -> Self {
        Self { good: Good::High, gate: Some(gate), ambition: Some(ambition), ..self }
    }

    /// At most `gate`, or the command fails; at most `ambition` would be fine.
    pub(crate) fn at_most(self, gate: f64, ambition: f64) -> Self {
        Self { good: Good::Low, gate: Some(gate), ambition: Some(ambition), ..self }
    }

    /// An ambition without a gate.
    pub(crate) fn hoped(self, good: Good, ambition: f64) -> Self {
        Self { good, gate: None, ambition: Some(ambition), ..self }
    }

    /// At how many passes, or lines of a basket, it was measured.
    pub(crate) fn at(self, size: f64, of: &'static str) -> Self {
        Self { at: Some((size, of)), ..self }
    }

    /// What a reader must know.
    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// Whether the gate, if there is one, is met. What could not be measured is not met.
    pub(crate) fn is_met(&self) -> bool {
        self.gate.is_none_or(|gate| self.good.holds(self.value, gate))
    }

    /// Whether the ambition, if there is one, is reached.
    pub(crate) fn is_fine(&self) -> bool {
        self.ambition.is_none_or(|ambition| self.good.holds(self.value, ambition))
    }

    /// What it came to, in a word: nothing when all is fine.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.value.is_nan(), self.is_met(), self.is_fine()) {
            (true, false, _) => "NOT RUN, MISSED",
            (true, ..) => "not run",
            (_, false, _) => "MISSED",
            (_, _, false) => "below ambition",
            _ => "",
        }
    }

    /// As it stands in `target/bench.json`.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "at": self.at.map(|(size, _)| size),
            "of": self.at.map(|(_, of)| of),
            "value": self.value,
            "unit": self.unit,
            "good": self.good.word(),
            "gate": self.gate,
            "ambition": self.ambition,
            "limits": self.limits(),
            "low": self.spread.map(|spread| spread.low),
            "high": self.spread.map(|spread| spread.high),
            "rounds": self.spread.map(|spread| spread.rounds),
            "met": self.is_met(),
            "verdict": self.verdict(),
            "note": self.note,
        })
    }

    /// The limits, as `≥ 0.88 (0.95)`.
    pub(crate) fn limits(&self) -> String {
        let sign = self.good.sign();
        match (self.gate, self.ambition) {
            (Some(gate), Some(ambition)) => format!("{sign} {} ({})", short(gate), short(ambition)),
            (Some(gate), None) => format!("{sign} {}", short(gate)),
            (None, Some(ambition)) => format!("({sign} {})", short(ambition)),
            (None, None) => String::new(),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.value.is_nan() { "–".to_owned() } else { short(self.value) };
        let name = match self.at {
            Some((size, of)) => format!("{} {of}: {}", power(size), self.name),
            None => self.name.clone(),
        };
        write!(f, "{name:<58} {value:>9} {:<6}", self.unit)?;
        let spread = self.spread.map_or(String::new(), |Spread { low, high, rounds }| {
            format!("{}..{} of {rounds}", short(low), short(high))
        });
        write!(f, " {spread:<24} {:<16} {}", self.limits(), self.verdict())?;
        match &self.note {
            Some(note) => write!(f, "\n    {note}"),
            None => Ok(()),
        }
    }
}

/// A number with three places that tell something.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 10_000.0 {
        return format!("{}{}", if value < 0.0 { "-" } else { "" }, grouped(size));
    }
    let places = if size >= 100.0 || value.fract() == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.places$}")
}

/// A whole number that isn't negative, in groups of three digits.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (head, rest) = digits.split_at(digits.len() % 3);
    let groups = rest.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let head = (!head.is_empty()).then(|| head.into());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

/// A round number with a power of ten, `4·10⁶`; others as they are.
pub(crate) fn power(value: f64) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let exponent = value.log10().floor();
    let first = value / 10_f64.powf(exponent);
    if value < 100.0 || first.fract() != 0.0 {
        return short(value);
    }
    let digits = format!("{exponent:.0}");
    let raised = digits.chars().filter_map(|digit| RAISED.get(usize::try_from(digit.to_digit(10)?).ok()?));
    let times = if first == 1.0 { String::new() } else { format!("{first:.0}·") };
    format!("{times}10{}", raised.collect::<String>())
}

/// The middle one; of an even number the mean of the two. NaN of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    quartiles(values)[1]
}

/// The lower quartile, the median and the upper quartile, between neighbours in proportion. NaN of none.
pub(crate) fn quartiles(values: &[f64]) -> [f64; 3] {
    [0.25, 0.5, 0.75].map(|share| quantile(values, share))
}

/// The value below which a share of all lies.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let mut above = sorted.iter().enumerate().skip_while(|(at, _)| (*at as f64) + 1.0 < place);
    match (above.next(), above.next()) {
        (Some((at, low)), Some((_, high))) => low + (high - low) * (place - at as f64).clamp(0.0, 1.0),
        (Some((_, only)), None) => *only,
        _ => f64::NAN,
    }
}

/// What each round of two sides took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    pub(crate) a: Vec<f64>,
    pub(crate) b: Vec<f64>,
}

impl Turns {
    /// `b ÷ a` of each round: how many times faster `a` was than `b`.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        ratios(&self.b, &self.a)
    }
}

/// `theirs ÷ ours` of each round: how many times faster ours was.
pub(crate) fn ratios(theirs: &[f64], ours: &[f64]) -> Vec<f64> {
    theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect()
}

/// Both sides in turns: each is called once a round with its number and tells what it took, in seconds of some
/// clock; who begins changes each round. Round 0 warms up and doesn't count.
pub(crate) fn in_turns(
    run: &Run,
    what: &str,
    rounds: usize,
    mut a: impl FnMut(usize) -> Made<f64>,
    mut b: impl FnMut(usize) -> Made<f64>,
) -> Made<Turns> {
    let mut sides = all_in_turns(run, what, rounds, &mut [&mut a, &mut b])?.into_iter();
    Ok(Turns { a: sides.next().unwrap_or_default(), b: sides.next().unwrap_or_default() })
}

/// A side of a comparison: called with the number of the round, it tells what it took.
pub(crate) type Side<'a> = &'a mut dyn FnMut(usize) -> Made<f64>;

/// The same with any number of sides; the order turns around each round.
pub(crate) fn all_in_turns(
    run: &Run,
    what: &str,
    rounds: usize,
    sides: &mut [Side<'_>],
) -> Made<Vec<Vec<f64>>> {
    let mut took = vec![Vec::with_capacity(rounds); sides.len()];
    let doing = run.doing(what, rounds);
    for round in 0..=rounds {
        doing.round(round);
        let mut each: Vec<_> = sides.iter_mut().zip(&mut took).collect();
        if round % 2 == 1 {
            each.reverse();
        }
        for (side, took) in each {
            let this = side(round)?;
            if round > 0 {
                took.push(this);
            }
        }
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
        assert_eq!(quartiles(&[7.0]), [7.0; 3]);
        assert_eq!(quartiles(&[5.0, 1.0, 4.0, 2.0, 3.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quartiles(&[1.0, 2.0, 3.0, 4.0]), [1.75, 2.5, 3.25]);
        let hundred: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!([0.0, 0.99, 1.0].map(|share| quantile(&hundred, share)), [0.0, 99.0, 100.0]);
    }

    #[test]
    fn a_gate_is_met_or_missed() {
        let high = Measure::new("speed", "×", 0.9).at_least(0.88, 0.95);
        assert!(high.is_met() && !high.is_fine());
        assert_eq!(high.verdict(), "below ambition");
        assert!(!Measure { value: 0.87, ..high.clone() }.is_met());
        let low = Measure::new("pages", "pages", 5.9).at_most(6.0, 5.8);
        assert!(low.is_met() && !Measure { value: 6.1, ..low.clone() }.is_met());
        assert!(Measure { value: 5.8, ..low }.is_fine());
        // What could not be measured is not met, and what has no gate can't fail.
        let not = Measure::not_run("speed", "×", "node isn't installed");
        assert_eq!((not.is_met(), not.verdict()), (true, "not run"));
        assert_eq!(not.at_least(1.0, 2.0).verdict(), "NOT RUN, MISSED");
        assert!(Measure::new("told", "s", 7.0).is_fine());
        assert_eq!(Measure::new("tail", "×", 50.0).hoped(Good::Low, 40.0).verdict(), "below ambition");
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<String> =
            [0.884, 1.0, 12.34, 123.4, 9_999.4, 12_345.6, 1_234_567.0, -10_000.0].map(short).into();
        assert_eq!(shown, ["0.88", "1", "12.3", "123", "9999", "12,346", "1,234,567", "-10,000"]);
    }

    #[test]
    fn sizes_are_powers_of_ten() {
        let shown: Vec<String> = [1.0, 100.0, 1e4, 4e6, 1e10, 250.0, 12_345.0].map(power).into();
        assert_eq!(shown, ["1", "10²", "10⁴", "4·10⁶", "10¹⁰", "250", "12,345"]);
    }

    #[test]
    fn both_sides_take_turns_and_the_first_round_does_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let told = |name, round: usize| {
            order.borrow_mut().push(name);
            Ok(round as f64)
        };
        let turns = in_turns(&Run::silent(), "test", 3, |n| told('a', n), |n| told('b', n)).unwrap();
        assert_eq!(order.into_inner(), "abbaabba");
        assert_eq!((turns.ratios(), turns.a.len()), (vec![1.0; 3], 3));
    }
}

//! Paying a basket from a wallet whose credits may each pay only some of its lines: how that grows.

use crate::child::cpu_seconds;
use crate::measure::{Measure, Side, all_in_turns, median};
use crate::run::{Made, Run};
use crate::stock::{Dice, Stock, VALUE, euros};
use passes_core::conditions::{Basket, Conditions, Line};
use passes_core::id::ContactId;
use passes_core::money::Currency;
use passes_core::service::{Redeem, Spend};
use passes_core::store::memory::Memory;
use std::sync::Arc;

/// The sizes that are crossed, and the one that the report names.
const CREDITS: [usize; 4] = [10, 50, 100, 200];
const LINES: [usize; 3] = [20, 100, 500];
const USUAL: (usize, usize) = (50, 20);
/// Plans, each with conditions of its own.
const PLANS: usize = 40;
/// Checks that are timed together.
const AT_ONCE: usize = 3;

/// Which lines a plan's money may pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Half of them, at random.
    Half,
    /// A few beside each other, which overlap those of the next plan: one credit that makes room pushes the next.
    Neighbours,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Half => "each pays half of the lines",
            Self::Neighbours => "each pays a few lines",
        }
    }

    fn conditions(self, plan: usize, lines: usize, dice: &mut Dice) -> Conditions {
        let begin = plan * lines / PLANS;
        let width = (2 * lines / PLANS).max(2);
        let pays = |line: &usize| match self {
            // At least one, or the plan's credits would only be looked at.
            Self::Half => dice.below(2) == 0 || *line == plan % lines,
            Self::Neighbours => (line + lines - begin) % lines < width,
        };
        let skus = (0..lines).filter(pays).map(sku).collect();
        Conditions { skus, ..Conditions::default() }
    }
}

fn sku(line: usize) -> String {
    format!("SKU-{line}")
}

/// A wallet and a basket that takes all of it.
struct Case {
    credits: usize,
    lines: usize,
    request: Spend,
}

/// A business in memory with wallets for baskets of each size.
struct Bench {
    stock: Stock,
    cases: Vec<Case>,
    /// Of the usual size, to be spent.
    usual: Vec<Spend>,
}

impl Bench {
    fn new(shape: Shape, spends: usize) -> Made<Self> {
        let stock = Stock::open(Arc::new(Memory::new()))?;
        let mut bench = Self { stock, cases: Vec::new(), usual: Vec::new() };
        let mut dice = Dice(13);
        for lines in LINES {
            let mut wallets: Vec<usize> = CREDITS.to_vec();
            if lines == USUAL.1 {
                wallets.extend(std::iter::repeat_n(USUAL.0, spends));
            }
            let owners = bench.wallets(shape, lines, &wallets, &mut dice)?;
            for (at, (contact, credits)) in owners.into_iter().zip(wallets).enumerate() {
                let request = Spend::all(contact, basket(credits, lines)?).partly();
                if at < CREDITS.len() {
                    bench.cases.push(Case { credits, lines, request });
                } else {
                    bench.usual.push(request);
                }
            }
        }
        Ok(bench)
    }

    /// Wallets with so many credits each. The plans take turns, one that lies elsewhere each time.
    fn wallets(
        &mut self,
        shape: Shape,
        lines: usize,
        sizes: &[usize],
        dice: &mut Dice,
    ) -> Made<Vec<ContactId>> {
        let begin = self.stock.contacts.len();
        self.stock.welcome(u32::try_from(sizes.len())?)?;
        let owners = self.stock.contacts.get(begin..).unwrap_or_default().to_vec();
        // Whose credits come from which plan.
        let mut from: Vec<Vec<ContactId>> = vec![Vec::new(); PLANS];
        for (owner, size) in owners.iter().zip(sizes) {
            for credit in 0..*size {
                if let Some(of_plan) = from.get_mut(credit * 17 % PLANS) {
                    of_plan.push(*owner);
                }
            }
        }
        for (plan, contacts) in from.into_iter().enumerate() {
            self.stock.sell(shape.conditions(plan, lines, dice), u32::try_from(contacts.len())?)?;
            for contact in contacts {
                let code = self.stock.codes.next().ok_or("no passes are left")?;
                let request = Redeem::into_wallet(code, contact);
                self.stock.passes.redeem(&self.stock.by, request).wait()?;
            }
        }
        Ok(owners)
    }

    /// Checks a case a few times.
    fn check(&self, case: &Case) -> Made<f64> {
        let begun = cpu_seconds()?;
        for _ in 0..AT_ONCE {
            let check = self.stock.passes.check_spend(&self.stock.by, &case.request).wait()?;
            if check.would.is_none_or(|would| would.paid.is_empty()) {
                return Err("nothing would be paid".into());
            }
        }
        Ok((cpu_seconds()? - begun) / AT_ONCE as f64)
    }

    /// Spends wallets of the usual size, each once.
    fn spend(&mut self) -> Made<Vec<f64>> {
        let mut took = Vec::new();
        for (number, request) in std::mem::take(&mut self.usual).into_iter().enumerate() {
            let by = self.stock.keyed(&format!("receipt-{number}"));
            let begun = cpu_seconds()?;
            self.stock.passes.spend(&by, request).wait()?;
            took.push((cpu_seconds()? - begun) * 1e6);
        }
        Ok(took)
    }
}

/// A basket that takes all of so many credits, in lines that cost the same.
fn basket(credits: usize, lines: usize) -> Made<Basket> {
    let price = euros(i64::try_from(credits)? * VALUE / i64::try_from(lines)?)?;
    Ok(Basket::new(Currency::EUR, (0..lines).map(|line| Line::new(&sku(line), 1, price)).collect())?)
}

/// The exponents of credits and lines in `time = c · creditsᵖ · linesᑫ`, by least squares over the logarithms.
fn exponents(times: &[(usize, usize, f64)]) -> (f64, f64) {
    let points: Vec<[f64; 3]> = times
        .iter()
        .map(|(credits, lines, time)| [(*credits as f64).ln(), (*lines as f64).ln(), time.ln()])
        .collect();
    let mean = |at: usize| points.iter().filter_map(|point| point.get(at)).sum::<f64>() / points.len() as f64;
    let [x, y, z] = [mean(0), mean(1), mean(2)];
    let (mut xx, mut yy, mut xy, mut xz, mut yz) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for [a, b, c] in &points {
        let (a, b, c) = (a - x, b - y, c - z);
        xx += a * a;
        yy += b * b;
        xy += a * b;
        xz += a * c;
        yz += b * c;
    }
    let determinant = xx * yy - xy * xy;
    ((xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant)
}

/// The name of a check's measures, at all numbers of lines.
fn check_of(credits: usize, shape: Shape) -> String {
    format!("check, {credits} credits, {}", shape.name())
}

/// The measures that the picture shows, and what it calls them.
pub(crate) fn curves() -> [(String, &'static str); 4] {
    let of = |credits, label| (check_of(credits, Shape::Half), label);
    [of(200, "200 credits"), of(100, "100 credits"), of(50, "50 credits"), of(10, "10 credits")]
}

/// The measures of the report.
pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let rounds = run.or_quick(21, 5);
    let mut measures = Vec::new();
    for shape in [Shape::Half, Shape::Neighbours] {
        let mut bench = Bench::new(shape, rounds)?;
        let name = shape.name();
        let spent = bench.spend()?;
        let (credits, lines) = USUAL;
        let usual = format!("spend, {credits} credits × {lines} lines, {name}");
        measures.push(Measure::of_rounds(usual, "µs", &spent).note("in memory, CPU time, with a key"));
        let mut checks: Vec<_> = bench.cases.iter().map(|case| |_| bench.check(case)).collect();
        let mut sides: Vec<Side<'_>> = Vec::new();
        for check in &mut checks {
            sides.push(check);
        }
        let took = all_in_turns(run, &format!("splitting baskets, {name}"), rounds, &mut sides)?;
        let mut times = Vec::new();
        for (case, took) in bench.cases.iter().zip(&took) {
            times.push((case.credits, case.lines, median(took)));
            let what = check_of(case.credits, shape);
            let microseconds: Vec<f64> = took.iter().map(|seconds| seconds * 1e6).collect();
            let at = case.lines as f64;
            measures.push(Measure::of_rounds(what, "µs", &microseconds).at(at, "lines"));
        }
        let (by_credits, by_lines) = exponents(&times);
        let power = |of: &str, value| {
            Measure::new(format!("grows with the {of} to the power, {name}"), "", value).at_most(2.0, 1.5)
        };
        measures.extend([power("credits", by_credits), power("lines", by_lines)]);
    }
    Ok(measures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_found_again() {
        let cases = CREDITS.iter().flat_map(|credits| LINES.map(|lines| (*credits, lines)));
        let time =
            |credits: usize, lines: usize| 3e-6 * (credits as f64).powf(1.5) * (lines as f64).powf(0.75);
        let times: Vec<_> = cases.map(|(credits, lines)| (credits, lines, time(credits, lines))).collect();
        let (by_credits, by_lines) = exponents(&times);
        assert!((by_credits - 1.5).abs() < 1e-9 && (by_lines - 0.75).abs() < 1e-9, "{by_credits} {by_lines}");
    }

    /// W-3: the baskets are paid, from all credits where each may pay half of the lines.
    #[test]
    fn baskets_are_paid() {
        for shape in [Shape::Half, Shape::Neighbours] {
            let mut bench = Bench::new(shape, 1).unwrap();
            for case in &bench.cases {
                let check = bench.stock.passes.check_spend(&bench.stock.by, &case.request).wait().unwrap();
                let would = check.would.unwrap();
                assert!(
                    would.paid.len() >= case.credits.min(case.lines) / 2,
                    "{shape:?} {}",
                    would.paid.len()
                );
                assert!(shape != Shape::Half || would.short.minor() == 0, "{shape:?} {}", would.short);
            }
            assert_eq!((bench.spend().unwrap().len(), bench.usual.len()), (1, 0));
        }
    }
}

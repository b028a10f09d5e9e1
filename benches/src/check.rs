//! What `check` costs beside the same part of `redeem`: hash, load and decide, all but the commit.
//!
//! `redeem` is called on a store that loads and decides as the memory store does and then, instead of committing,
//! answers that it is closed. What is left of it is what `check` has to do, too: fold and hash the code, hash the
//! key, load, judge; and what only `redeem` does to decide: ids, the change, receipt and events as bytes. Both
//! sides go through that store, so both pay for it alike, and neither writes: the same passes serve all rounds.

use crate::child::cpu_seconds;
use crate::measure::{Measure, Side, all_in_turns, median};
use crate::run::{Made, Run};
use crate::stock::{Dice, Stock, VALUE, euros};
use passes_core::operation::By;
use passes_core::service::Redeem;
use passes_core::store::memory::Memory;
use passes_core::store::{Answer, Command, Decision, Fut, Load, Loaded, Store, StoreError, delegate};
use passes_core::{Error, Passes};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The memory store; once it is shut, it still loads and decides, and commits nothing.
#[derive(Default)]
struct Dry {
    memory: Memory,
    shut: AtomicBool,
    /// Commands that were accepted since then.
    accepted: AtomicUsize,
}

impl Dry {
    async fn decide(&self, command: Command) -> Result<Answer, StoreError> {
        let loaded = self.memory.load(command.load()).await?;
        if let Decision::Accepted(change) = command.decide(&loaded) {
            drop(change);
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        Err(StoreError::Closed)
    }
}

impl Store for Dry {
    fn run(&self, command: Command) -> Fut<'_, Answer> {
        if self.shut.load(Ordering::Relaxed) {
            return Box::pin(self.decide(command));
        }
        self.memory.run(command)
    }

    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        // As `run` does: a future around the memory store's.
        Box::pin(async move { self.memory.load(load).await })
    }

    delegate!(memory; slots, commit, pause, fill, page, events, audit);
}

/// A round of requests, and how far the codes of the stock were used.
struct Requests {
    bys: Vec<By>,
    requests: Vec<Redeem>,
}

impl Requests {
    fn new(stock: &mut Stock, dice: &mut Dice, into_wallets: bool, count: usize) -> Made<Self> {
        let (mut bys, mut requests) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for number in 0..count {
            bys.push(stock.keyed(&format!("receipt-{number}")));
            let contact = stock.contacts.get(dice.below(stock.contacts.len())).copied();
            let code = stock.codes.next().ok_or("no passes are left")?;
            requests.push(match contact {
                Some(contact) if into_wallets => Redeem::into_wallet(code, contact),
                _ => Redeem::direct(code, euros(VALUE)?),
            });
        }
        Ok(Self { bys, requests })
    }

    fn check(&self, passes: &Passes) -> Made<f64> {
        let begun = cpu_seconds()?;
        for (by, request) in self.bys.iter().zip(&self.requests) {
            if !passes.check(by, request).wait()?.is_good() {
                return Err("a check found reasons against it".into());
            }
        }
        Ok(cpu_seconds()? - begun)
    }

    fn decide(&self, passes: &Passes) -> Made<f64> {
        // A redemption takes its request.
        let requests = self.requests.clone();
        let begun = cpu_seconds()?;
        for (by, request) in self.bys.iter().zip(requests) {
            if !matches!(passes.redeem(by, request).wait(), Err(Error::Store(StoreError::Closed))) {
                return Err("a store that is shut answered".into());
            }
        }
        Ok(cpu_seconds()? - begun)
    }
}

/// The measures of the report.
pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let (rounds, round) = run.or_quick((31, 10_000), (9, 2_000));
    let count = run.or_quick(200_000, 20_000);
    let store = Arc::new(Dry::default());
    let mut stock = Stock::new(store.clone(), count)?;
    stock.welcome(1_000)?;
    store.shut.store(true, Ordering::Relaxed);
    let mut dice = Dice(5);
    let mut measures = Vec::new();
    for (into_wallets, name) in [(true, "into a wallet"), (false, "directly")] {
        let requests = Requests::new(&mut stock, &mut dice, into_wallets, round)?;
        let accepted = store.accepted.load(Ordering::Relaxed);
        let passes = &stock.passes;
        let mut check = |_| requests.check(passes);
        let mut decide = |_| requests.decide(passes);
        let mut sides: [Side<'_>; 2] = [&mut check, &mut decide];
        let took = all_in_turns(run, &format!("checking, {name}"), rounds, &mut sides)?;
        let [check, decide] = took.as_slice() else { return Err("a side is missing".into()) };
        if store.accepted.load(Ordering::Relaxed) - accepted != (rounds + 1) * round {
            return Err("a redemption was not accepted".into());
        }
        let ratios: Vec<f64> = check.iter().zip(decide).map(|(c, d)| c / d).collect();
        let each = |of: &[f64]| median(of) / round as f64 * 1e9;
        measures.extend([
            Measure::of_rounds(format!("{name}: check ÷ hash, load and decide of redeem"), "×", &ratios)
                .at_most(1.15, 1.15),
            Measure::new(format!("{name}: check, each"), "ns", each(check)).note("CPU time, with a key"),
            Measure::new(format!("{name}: hash, load and decide, each"), "ns", each(decide)),
        ]);
    }
    Ok(measures)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// neither side of the comparison writes, and both do what they are there for.
    #[test]
    fn neither_side_writes() {
        let store = Arc::new(Dry::default());
        let mut stock = Stock::new(store.clone(), 40).unwrap();
        stock.welcome(3).unwrap();
        let operations = |stock: &Stock| {
            let events = store.events(stock.by.business, 0, 1_000);
            passes_core::store::wait(events).unwrap().len()
        };
        let before = operations(&stock);
        store.shut.store(true, Ordering::Relaxed);
        for into_wallets in [true, false] {
            let requests = Requests::new(&mut stock, &mut Dice(1), into_wallets, 20).unwrap();
            requests.check(&stock.passes).unwrap();
            requests.decide(&stock.passes).unwrap();
            requests.check(&stock.passes).unwrap();
        }
        assert_eq!((store.accepted.load(Ordering::Relaxed), operations(&stock)), (40, before));
    }
}

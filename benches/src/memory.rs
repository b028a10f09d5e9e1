//! Redemption in memory: the public call beside the compact-store floor.
//!
//! Each kind of redemption runs beside the floor in a process of its own: what one kind leaves behind in heap and caches
//! is nothing that another should pay for. With more than two sides those at the ends of a round would also have the
//! caches from their own round before, and the one in the middle never. Where a process's pages lie decides how well they
//! share the caches, for as long as it lives: so the kind with the gate is measured in several processes.

use crate::child::{self, cpu_seconds};
use crate::floor::Floor;
use crate::measure::{Measure, Side, all_in_turns, median, ratios};
use crate::run::{Made, Run};
use crate::stock::{Dice, Stock, VALUE, euros, shuffle};
use passes_core::operation::By;
use passes_core::service::Redeem;
use passes_core::store::memory::Memory;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;

/// What runs in processes of their own, whose heaps nobody used before.
pub(crate) const CHILD: &str = "memory";

/// Rounds after the first, which warms up; redemptions of each kind in one; passes on each side.
struct Size {
    rounds: usize,
    round: usize,
    passes: u32,
    contacts: u32,
}

const WHOLE: Size = Size { rounds: 21, round: 9_000, passes: 1_000_000, contacts: 100_000 };
const QUICK: Size = Size { rounds: 9, round: 1_900, passes: 100_000, contacts: 10_000 };

/// Processes for the kind with the gate.
const PROCESSES: usize = 5;

/// Contacts whose wallets are at hand.
const REGULARS: usize = 1_000;
/// The moment on the floor.
const NOW: u32 = 100;

/// What the public call redeems into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Into {
    /// The wallets of regular customers.
    Wallet,
    /// Nothing: the whole value is spent at the till.
    Till,
    /// The wallets of all customers, most of whom were not here of late.
    AnyWallet,
}

impl Into {
    const ALL: [Self; 3] = [Self::Till, Self::Wallet, Self::AnyWallet];

    fn name(self) -> &'static str {
        match self {
            Self::Wallet => "into wallets",
            Self::Till => "at the till",
            Self::AnyWallet => "into any wallet",
        }
    }
}

/// Redemptions in one call, where a till or a server collects them.
const LIST: usize = 100;

/// How they are asked for.
const CALLS: &str = "one by one";
const LISTS: &str = "in lists";

/// Both sides, and what was redeemed of each.
struct Bench {
    stock: Stock,
    floor: Floor,
    /// The floor's passes that are left, in no order.
    left: Vec<u32>,
    dice: Dice,
    asked: u64,
    round: usize,
}

impl Bench {
    /// A round of the floor. What a till hands over is made before the time counts; on both sides.
    fn on_the_floor(&mut self) -> Made<f64> {
        let left = self.left.len().checked_sub(self.round).ok_or("no passes are left on the floor")?;
        let codes: Vec<_> = self.left.split_off(left).into_iter().map(Floor::code).collect();
        let begun = cpu_seconds()?;
        let all = codes.iter().all(|code| self.floor.redeem(code, NOW));
        let took = cpu_seconds()? - begun;
        if all { Ok(took) } else { Err("the floor refused".into()) }
    }

    /// A round of the public call.
    fn by_call(&mut self, into: Into) -> Made<f64> {
        let mut requests = Vec::with_capacity(self.round);
        let bys = (0..self.round).map(|_| self.request(into, &mut requests)).collect::<Made<Vec<By>>>()?;
        let begun = cpu_seconds()?;
        for (by, request) in bys.iter().zip(requests) {
            self.stock.passes.redeem(by, request).wait()?;
        }
        Ok(cpu_seconds()? - begun)
    }

    /// A round of the public call that takes a list.
    fn by_lists(&mut self, into: Into) -> Made<f64> {
        let mut requests = Vec::with_capacity(self.round);
        let bys = (0..self.round).map(|_| self.request(into, &mut requests)).collect::<Made<Vec<By>>>()?;
        let mut asked = bys.into_iter().zip(requests);
        let lists: Vec<Vec<(By, Redeem)>> =
            (0..self.round.div_ceil(LIST)).map(|_| asked.by_ref().take(LIST).collect()).collect();
        let begun = cpu_seconds()?;
        for list in lists {
            for answer in self.stock.passes.redeem_all(list).wait()? {
                answer?;
            }
        }
        Ok(cpu_seconds()? - begun)
    }

    fn request(&mut self, into: Into, requests: &mut Vec<Redeem>) -> Made<By> {
        self.asked += 1;
        let by = self.stock.keyed(&format!("receipt-{}", self.asked));
        let code = self.stock.codes.next().ok_or("no passes are left")?;
        let contacts = match into {
            Into::Till => {
                requests.push(Redeem::direct(code, euros(VALUE)?));
                return Ok(by);
            }
            Into::Wallet => REGULARS,
            Into::AnyWallet => self.stock.contacts.len(),
        };
        let contact = self.stock.contacts.get(self.dice.below(contacts)).ok_or("there are no contacts")?;
        requests.push(Redeem::into_wallet(code, *contact));
        Ok(by)
    }
}

/// What this process holds in memory now, in bytes.
fn held() -> Made<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024.0)
}

/// A process's side: the CPU seconds of every round of the floor and of ours, and the bytes of a pass.
pub(crate) fn child(args: &[String]) -> Made<Value> {
    let [size, into, how] = args else { return Err("a size, what to redeem into, and how".into()) };
    let (quick, lists) = (size == "quick", how == LISTS);
    let size = if quick { QUICK } else { WHOLE };
    let into = Into::ALL.into_iter().find(|kind| kind.name() == into).ok_or("redeemed into what?")?;
    let before = held()?;
    let mut stock = Stock::new(Arc::new(Memory::new()), size.passes)?;
    let bytes = (held()? - before - stock.codes.bytes()) / f64::from(size.passes);
    // A till knows no customers.
    stock.welcome(if into == Into::Till { 0 } else { size.contacts })?;
    let mut left: Vec<u32> = (0..size.passes).collect();
    shuffle(&mut left, 9);
    let floor = Floor::new(size.passes);
    let bench = Bench { stock, floor, left, dice: Dice(11), asked: 0, round: size.round };
    let bench = RefCell::new(bench);
    let mut on_the_floor = |_| bench.borrow_mut().on_the_floor();
    let mut ours = |_| {
        let mut bench = bench.borrow_mut();
        if lists { bench.by_lists(into) } else { bench.by_call(into) }
    };
    let mut sides: [Side<'_>; 2] = [&mut on_the_floor, &mut ours];
    let what = format!("redeeming in memory, {}, {how}", into.name());
    let rounds = all_in_turns(&Run::new(quick), &what, size.rounds, &mut sides)?;
    Ok(json!({ "rounds": rounds, "round": size.round, "bytes": bytes }))
}

/// What a kind's processes told.
struct Told {
    /// The floor's rate for each of our rounds.
    ratios: Vec<f64>,
    /// What one takes, in nanoseconds: on the floor, and of ours.
    floor: f64,
    ours: f64,
    bytes: f64,
}

fn told(run: &Run, into: Into, how: &str, processes: usize) -> Made<Told> {
    let (mut all, mut floor, mut ours, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..processes {
        let told = child::call(CHILD, &[run.or_quick("whole", "quick"), into.name(), how])?;
        let [theirs, own] = told.rounds()?;
        let round = told.number("round")?;
        all.extend(ratios(&theirs, &own));
        floor.extend(theirs.iter().map(|took| took / round * 1e9));
        ours.extend(own.iter().map(|took| took / round * 1e9));
        bytes.push(told.number("bytes")?);
    }
    Ok(Told { ratios: all, floor: median(&floor), ours: median(&ours), bytes: median(&bytes) })
}

/// The measures of the report.
pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let till = told(run, Into::Till, CALLS, run.or_quick(PROCESSES, 1))?;
    let one = |into, how| told(run, into, how, 1);
    let (tills, wallet) = (one(Into::Till, LISTS)?, one(Into::Wallet, CALLS)?);
    let (wallets, any) = (one(Into::Wallet, LISTS)?, one(Into::AnyWallet, CALLS)?);
    let rate = |name: &str, of: &Told| Measure::of_rounds(name, "×", &of.ratios);
    let nanoseconds = |name: &str, each: f64| Measure::new(name, "ns", each);
    Ok(vec![
        rate("directly with a key, rate ÷ floor", &till).at_least(0.3, 0.6),
        rate("directly with keys, lists of 100, rate ÷ floor", &tills),
        rate("into a wallet with a key, rate ÷ floor", &wallet)
            .note("a contact, a credit and an id more, which the floor has no counterpart of"),
        rate("into wallets with keys, lists of 100, rate ÷ floor", &wallets),
        rate("into any of a hundred times as many wallets, rate ÷ floor", &any)
            .note("most wallets and contacts are in no cache"),
        nanoseconds("the floor, each", till.floor).note("CPU time, as all of this section"),
        nanoseconds("directly, each", till.ours),
        nanoseconds("directly by lists, each", tills.ours),
        nanoseconds("into a wallet, each", wallet.ours),
        nanoseconds("into wallets by lists, each", wallets.ours),
        nanoseconds("into any wallet, each", any.ours),
        Measure::new("a sold pass with its code", "bytes", till.bytes),
    ])
}

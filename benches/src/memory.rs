//! Redemption in memory: the public call beside the compact-store floor.

use crate::floor::Floor;
use crate::measure::{Good, Measure, median};
use crate::stock::{Dice, Stock, VALUE, euros, shuffle};
use passes_core::operation::By;
use passes_core::service::Redeem;
use passes_core::store::memory::Memory;
use std::error::Error;
use std::sync::Arc;

/// Passes on each side.
const PASSES: u32 = 1_000_000;
/// Rounds after the first, which warms up, and redemptions of each kind in one.
const ROUNDS: usize = 31;
const ROUND: usize = 10_000;
/// Contacts whose wallets are at hand, and all there are.
const REGULARS: usize = 1_000;
const CONTACTS: u32 = 100_000;
/// The moment on the floor.
const NOW: u32 = 100;

/// Who redeems in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// The floor.
    Floor,
    /// The whole value into the wallets of regular customers, with a key.
    Wallet,
    /// The whole value at the till, with a key.
    Direct,
    /// Into the wallets of all customers, most of whom were not here of late.
    AnyWallet,
}

const SIDES: [Side; 4] = [Side::Floor, Side::Wallet, Side::Direct, Side::AnyWallet];

/// Both sides, and what was redeemed of each.
struct Bench {
    stock: Stock,
    floor: Floor,
    /// The floor's passes that are left, in no order.
    left: Vec<u32>,
    dice: Dice,
    asked: u64,
}

impl Bench {
    fn new() -> Result<Self, Box<dyn Error>> {
        let stock = Stock::new(Arc::new(Memory::new()), PASSES, CONTACTS)?;
        let mut left: Vec<u32> = (0..PASSES).collect();
        shuffle(&mut left, 9);
        Ok(Self { stock, floor: Floor::new(PASSES), left, dice: Dice(11), asked: 0 })
    }

    /// A round of one side. What a till hands over is made before the time counts.
    fn round(&mut self, side: Side) -> Result<f64, Box<dyn Error>> {
        if side == Side::Floor { self.on_the_floor() } else { self.by_call(side) }
    }

    fn on_the_floor(&mut self) -> Result<f64, Box<dyn Error>> {
        let left = self.left.len().saturating_sub(ROUND);
        let codes: Vec<_> = self.left.split_off(left).into_iter().map(Floor::code).collect();
        let begun = cpu_seconds()?;
        let all = codes.iter().all(|code| self.floor.redeem(code, NOW));
        let taken = cpu_seconds()? - begun;
        if all && codes.len() == ROUND { Ok(taken) } else { Err("the floor refused".into()) }
    }

    fn by_call(&mut self, side: Side) -> Result<f64, Box<dyn Error>> {
        let (bys, requests) = self.requests(side)?;
        let begun = cpu_seconds()?;
        for (by, request) in bys.iter().zip(requests) {
            self.stock.passes.redeem(by, request).wait()?;
        }
        Ok(cpu_seconds()? - begun)
    }

    fn requests(&mut self, side: Side) -> Result<(Vec<By>, Vec<Redeem>), Box<dyn Error>> {
        let (mut bys, mut requests) = (Vec::with_capacity(ROUND), Vec::with_capacity(ROUND));
        for _ in 0..ROUND {
            self.asked += 1;
            bys.push(self.stock.keyed(&format!("receipt-{}", self.asked)));
            let contacts = if side == Side::Wallet { REGULARS } else { self.stock.contacts.len() };
            let contact = self.stock.contacts.get(self.dice.below(contacts));
            let code = self.stock.codes.next().ok_or("no passes are left")?;
            requests.push(match (side, contact) {
                (Side::Direct, _) => Redeem::direct(code, euros(VALUE)?),
                (_, Some(contact)) => Redeem::into_wallet(code, *contact),
                (_, None) => return Err("there are no contacts".into()),
            });
        }
        Ok((bys, requests))
    }
}

/// CPU seconds of this process so far: nothing here waits, so what else the machine does needn't count.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// The measures of the report.
pub(crate) fn measures() -> Result<Vec<Measure>, Box<dyn Error>> {
    let mut bench = Bench::new()?;
    let mut times: Vec<[f64; SIDES.len()]> = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let mut of_round = [f64::NAN; SIDES.len()];
        // Each side is first, second, … as often as the others.
        for turn in 0..SIDES.len() {
            let at = (turn + round) % SIDES.len();
            if let (Some(side), Some(time)) = (SIDES.get(at), of_round.get_mut(at)) {
                *time = bench.round(*side)?;
            }
        }
        if round > 0 {
            times.push(of_round);
        }
    }
    let ratio = |side: usize| {
        median(times.iter().map(|[floor, ours @ ..]| floor / ours.get(side).unwrap_or(&f64::NAN)).collect())
    };
    let each = |at: usize| {
        median(times.iter().filter_map(|time| time.get(at)).copied().collect()) / ROUND as f64 * 1e9
    };
    for (at, side) in SIDES.iter().enumerate() {
        println!("{side:?}: {:.0} ns", each(at));
    }
    let measure = |name, ratio| Measure { name, ratio, gate: 0.3, ambition: 0.6, good: Good::High };
    Ok(vec![
        measure("in memory, into a wallet, rate ÷ floor", ratio(0)),
        measure("in memory, directly, rate ÷ floor", ratio(1)),
        measure("in memory, into any wallet, rate ÷ floor", ratio(2)),
    ])
}

//! A process that opens a shop's file and redeems its cards: beside a peer's process, or beside its own kind.

use crate::run::Made;
use crate::stock::Dice;
use crate::world::{MASTER, SPENT, World};
use passes_core::Passes;
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::secret::Keyring;
use passes_core::service::Redeem;
use passes_host::Opener;
use passes_sqlite::Sqlite;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{BufRead, stdin};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The name of this work.
pub(crate) const CHILD: &str = "till";

/// What such a process must know, in a file.
#[derive(Serialize, Deserialize)]
pub(crate) struct Shop {
    path: PathBuf,
    business: String,
    cards: Vec<String>,
}

impl Shop {
    /// That of a world, in a file beside its database.
    pub(crate) fn of(world: &World) -> Made<PathBuf> {
        let (path, business) = (world.path(), world.business.to_string());
        let file = path.with_extension("json");
        let shop = Self { path, business, cards: world.cards().to_vec() };
        std::fs::write(&file, serde_json::to_vec(&shop)?)?;
        Ok(file)
    }
}

/// What came out of a rush.
#[derive(Serialize, Deserialize)]
pub(crate) struct Rushed {
    /// The positions of its redemptions, in order.
    pub(crate) positions: Vec<u64>,
    /// Its longest wait for an answer, in seconds.
    pub(crate) longest: f64,
    /// What it got instead of receipts.
    pub(crate) errors: Vec<String>,
}

/// The process's side. It says `ready`; a line `charge THREADS TIMES` is answered with the seconds that it took, a
/// line `rush SECONDS` with what one thread got in that time.
pub(crate) fn child(args: &[String]) -> Made<Value> {
    let [file, number] = args else { return Err("the shop's file, and a number".into()) };
    let shop: Shop = serde_json::from_slice(&std::fs::read(file)?)?;
    let number: u64 = number.parse()?;
    let store = Arc::new(Sqlite::open(&shop.path)?);
    let passes = Opener::new().open_on(store, Keyring::from_master("k1", &MASTER)?).wait()?;
    let by = By::new(shop.business.parse()?, Actor::new("till-07", Rights::all())?);
    let by = by.place("store-012").channel("pos");
    let mut till = Till { passes, by, cards: shop.cards, dice: Dice(number), number, asked: 0 };
    println!("ready");
    for line in stdin().lock().lines() {
        let line = line?;
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["charge", threads, times] => println!("{}", till.charge(threads.parse()?, times.parse()?)?),
            ["rush", seconds] => {
                let rushed = till.rush(Duration::from_secs_f64(seconds.parse()?))?;
                println!("{}", serde_json::to_string(&rushed)?);
            }
            _ => return Err(format!("what is `{line}`?").into()),
        }
    }
    Ok(Value::Null)
}

struct Till {
    passes: Passes,
    by: By,
    cards: Vec<String>,
    dice: Dice,
    number: u64,
    asked: u64,
}

impl Till {
    /// The next request: some of any card, under a key of its own.
    fn request(&mut self) -> Made<(By, Redeem)> {
        self.asked += 1;
        let card = self.cards.get(self.dice.below(self.cards.len())).ok_or("there are no cards")?;
        let amount = Money::from_minor(SPENT, Currency::EUR)?;
        let by = self.by.clone().key(&format!("till-{}-{}", self.number, self.asked));
        Ok((by, Redeem::direct(card.as_str(), amount)))
    }

    /// So many redemptions by so many threads; the seconds that they took.
    fn charge(&mut self, threads: usize, times: usize) -> Made<f64> {
        let requests = (0..times).map(|_| self.request()).collect::<Made<Vec<_>>>()?;
        let begun = Instant::now();
        let done = std::thread::scope(|scope| {
            let workers: Vec<_> = requests
                .chunks(times.div_ceil(threads.max(1)).max(1))
                .map(|mine| {
                    let passes = &self.passes;
                    scope.spawn(move || {
                        let mut mine = mine.iter();
                        mine.try_for_each(|(by, request)| passes.redeem(by, request.clone()).wait().map(drop))
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().map_err(|_| "a thread panicked"))
                .collect::<Vec<_>>()
        });
        let took = begun.elapsed().as_secs_f64();
        for done in done {
            done??;
        }
        Ok(took)
    }

    /// One redemption after the other for so long.
    fn rush(&mut self, time: Duration) -> Made<Rushed> {
        let mut rushed = Rushed { positions: Vec::new(), longest: 0.0, errors: Vec::new() };
        let begun = Instant::now();
        while begun.elapsed() < time {
            let (by, request) = self.request()?;
            let asked = Instant::now();
            match self.passes.redeem(&by, request).wait() {
                Ok(receipt) => rushed.positions.push(receipt.operation.0),
                Err(error) => rushed.errors.push(error.to_string()),
            }
            rushed.longest = rushed.longest.max(asked.elapsed().as_secs_f64());
        }
        Ok(rushed)
    }
}

//! Gift cards of stateset-embedded on SQLite through its own API.
//!
//! `peer-stateset DB_FILE CARDS` makes the cards and says `ready SECONDS`. Each line `charge THREADS TIMES` is then
//! answered with `SECONDS` for so many charges by so many threads, each with cards of its own. The durability is what
//! `STATESET_SQLITE_SYNCHRONOUS` says.

use rust_decimal::Decimal;
use stateset_embedded::{Commerce, CreateGiftCard, CurrencyCode};
use std::error::Error;
use std::io::{stdin, BufRead};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("DB_FILE CARDS")?;
    let cards: usize = args.next().ok_or("DB_FILE CARDS")?.parse()?;
    let shop = Commerce::new(&path)?;
    let card = || CreateGiftCard {
        code: None,
        initial_balance: Decimal::new(500_000, 2),
        currency: CurrencyCode::EUR,
        recipient_email: None,
        sender_name: None,
        message: None,
        expires_at: None,
    };
    let begun = Instant::now();
    let mut ids = Vec::with_capacity(cards);
    for _ in 0..cards {
        ids.push(shop.gift_cards().create(card())?.id);
    }
    println!("ready {}", begun.elapsed().as_secs_f64());

    let mut next = 0;
    for line in stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["charge", threads, times] = words.as_slice() else { return Err("charge THREADS TIMES".into()) };
        let (threads, times): (usize, usize) = (threads.parse()?, times.parse()?);
        let begun = Instant::now();
        let failed = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|thread| {
                    let (shop, ids) = (&shop, &ids);
                    scope.spawn(move || {
                        let mine = (next..next + times).skip(thread).step_by(threads);
                        mine.filter(|at| {
                            let id = ids[at % ids.len()];
                            shop.gift_cards().charge(id, Decimal::new(125, 2), None).is_err()
                        })
                        .count()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or(times)).sum::<usize>()
        });
        let took = begun.elapsed().as_secs_f64();
        if failed > 0 {
            return Err(format!("{failed} of {times} charges failed").into());
        }
        next += times;
        println!("{took}");
    }
    Ok(())
}

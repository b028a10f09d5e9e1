//! A process that works in the shop with some threads until it is killed. It reads its orders from the first line
//! of its standard input and tells on its standard output what it does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

use crash::line::{Line, Voice};
use crash::shop::Shop;
use crash::stock::{self, Orders, Stock};
use std::io::BufRead;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::Dice;

fn main() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    let orders: Orders = serde_json::from_str(&line).unwrap();
    // Whoever gave the orders is gone when this ends, and then so is this process.
    std::thread::spawn(|| {
        let _ = std::io::stdin().lock().read_line(&mut String::new());
        std::process::exit(0);
    });
    // A thread that panics takes the process with it: its listener sees that it ended by itself.
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        tell(info);
        std::process::abort();
    }));

    let voice = Voice::default();
    let mut stock = orders.stock.clone();
    for session in 0_u64.. {
        voice.tell(&Line::Opening);
        let shop = orders.open(session).unwrap();
        voice.tell(&Line::Opened);
        stock.goods = Shop::set_up(|key, deed| {
            let call = voice.ask(Some(key), &deed);
            let answer = deed.give(&shop, Some(key));
            voice.got(call, &answer);
            answer
        });
        stock = work(&voice, &shop, stock, &orders, session);
        voice.tell(&Line::Closing);
    }
}

/// Works with all threads until the session is over, if it ever is.
fn work(voice: &Voice, shop: &Shop, stock: Stock, orders: &Orders, session: u64) -> Stock {
    let (stock, over) = (Mutex::new(stock), AtomicBool::new(false));
    voice.tell(&Line::Ready);
    std::thread::scope(|scope| {
        for thread in 0..orders.threads {
            let (stock, over) = (&stock, &over);
            scope.spawn(move || {
                let mut dice = Dice::new(orders.seed.wrapping_add(session << 8 | thread));
                for n in 0_u64.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    stock::one(
                        voice,
                        shop,
                        stock,
                        &mut dice,
                        &format!("{}-{session}-{thread}-{n}", orders.life),
                    );
                }
            });
        }
        if let Some(time) = orders.session {
            std::thread::sleep(Duration::from_millis(time));
            over.store(true, Ordering::Relaxed);
        }
    });
    stock.into_inner().unwrap()
}

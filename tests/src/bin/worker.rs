//! One of the processes of a test that needs several. It opens the store it is told, says `ready`, waits for a
//! line, redeems with many threads at once, and prints what each of them got: `thread position` for a
//! redemption, `thread CODE` for a refusal or an error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use passes_core::operation::{Actor, By, Rights};
use passes_core::service::Redeem;
use passes_host::Opener;
use passes_host::testing::SeededEntropy;
use std::io::{BufRead, Write};
use std::sync::{Arc, Barrier};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, business, number, threads, contact, tries, code] = args.as_slice() else {
        panic!("address, business, number, threads, contact or -, tries, code");
    };
    let (threads, tries): (usize, usize) = (threads.parse().unwrap(), tries.parse().unwrap());
    let by = By::new(business.parse().unwrap(), Actor::new("till", Rights::all()).unwrap());
    let request = match contact.parse() {
        Ok(contact) => Redeem::into_wallet(code.as_str(), contact),
        Err(_) => Redeem::into_new_wallet(code.as_str()),
    };
    let entropy = Arc::new(SeededEntropy::new(number.parse().unwrap()));
    let opener = Opener::new().entropy(entropy);
    let passes = opener.open(address, tests::world::keyring()).wait().unwrap();
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();

    let start = Barrier::new(threads);
    let lines = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let (passes, by, request, start) = (&passes, &by, &request, &start);
                scope.spawn(move || {
                    let mut lines = Vec::new();
                    start.wait();
                    for n in 0..tries {
                        let by = by.clone().key(&format!("{number}-{thread}-{n}"));
                        match passes.redeem(&by, request.clone()).wait() {
                            Ok(receipt) => lines.push(format!("{thread} {}", receipt.operation.0)),
                            Err(error) => {
                                lines.push(format!("{thread} {}", error.code()));
                                break;
                            }
                        }
                    }
                    lines
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}").unwrap();
    }
}

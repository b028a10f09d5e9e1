//! Many threads at once.

use passes_core::Error;
use passes_core::ledger::{Account, Unit};
use passes_core::money::Currency;
use passes_core::pass::State;
use passes_core::plan::Usage;
use passes_core::service::{Deal, Generate, Issue, Recipient, Redeem, Rest, Reverse, Spend};
use std::collections::BTreeMap;
use std::sync::Barrier;
use tests::world::{amount, minor, one_line};
use tests::{World, code_of, on_every_store_and_pooled};

/// Runs something on so many threads at the same moment; the answers in the order of the threads.
pub(crate) fn at_once<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let workers: Vec<_> = (0..threads)
            .map(|n| {
                scope.spawn(move || {
                    start.wait();
                    work(n)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}

fn count<T>(answers: &[Result<T, Error>]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    answers.iter().for_each(|answer| *counts.entry(code_of(answer)).or_default() += 1);
    counts
}

fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

/// R-8, D-3: 64 threads redeem the same single-use pass, and exactly one wins; the others are told that it was
/// redeemed, and not that somebody came at the same time.
#[test]
fn one_of_64_threads_wins() {
    on_every_store_and_pooled(|world| {
        for direct in [false, true] {
            let (pass, code) = world.gift("25 GBP");
            let answers = at_once(64, |_| {
                let request = match direct {
                    false => Redeem::into_new_wallet(code.as_str()),
                    true => Redeem::direct(code.as_str(), amount("25 GBP")),
                };
                world.passes.redeem(&world.by, request).wait()
            });
            assert_eq!(count(&answers), [("PASS_REDEEMED", 63), ("ok", 1)].into());
            let view = world.passes.pass(&world.by, pass).wait().unwrap();
            assert_eq!((view.state, view.left.minor(), view.used), (State::Redeemed, 0, 1));
        }
        let books = world.books();
        assert_eq!(books.credits.values().sum::<i64>(), 2_500);
        assert_eq!(books.account(Account::Settled, Unit::Money(gbp())), 2_500);
    });
}

/// R-8, P-5: a pass of many uses is taken by many threads into one wallet to the last use, and not one further.
#[test]
fn many_uses_are_taken_exactly() {
    on_every_store_and_pooled(|world| {
        let (_, code) = world.used("1.50 GBP", Usage::Full(200));
        let contact = world.contact();
        let answers: Vec<_> = at_once(32, |_| {
            let request = || Redeem::into_wallet(code.as_str(), contact);
            let mut answers = Vec::new();
            loop {
                answers.push(world.passes.redeem(&world.by, request()).wait());
                if answers.last().unwrap().is_err() {
                    return answers;
                }
            }
        });
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(count(&answers), [("PASS_REDEEMED", 32), ("ok", 200)].into());
        let mut left: Vec<i64> = answers.iter().flatten().map(|receipt| receipt.uses_left).collect();
        left.sort_unstable();
        assert_eq!(left, (0..200).collect::<Vec<_>>(), "each answer tells its own rest");
        let books = world.books();
        assert_eq!(books.credits.len(), 200);
        assert!(books.credits.iter().all(|((owner, _), left)| *owner == contact && *left == 150));
    });
}

/// W-3, R-8: many threads spend one wallet: as many are paid as it holds, nobody else, and nobody conflicts.
#[test]
fn a_wallet_is_spent_exactly() {
    on_every_store_and_pooled(|world| {
        let contact = world.contact();
        for value in ["12 GBP", "8 GBP"] {
            let (_, code) = world.gift(value);
            world.passes.redeem(&world.by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
        }
        let answers =
            at_once(32, |_| world.passes.spend(&world.by, Spend::all(contact, one_line("1 GBP"))).wait());
        assert_eq!(count(&answers), [("BALANCE_TOO_SMALL", 12), ("ok", 20)].into());
        let books = world.books();
        assert_eq!(books.credits.values().sum::<i64>(), 0);
        assert_eq!(books.account(Account::Settled, Unit::Money(gbp())), 2_000);
    });
}

/// twin requests with one key, at the same moment: one movement, and one answer for all.
#[test]
fn twins_get_one_answer() {
    on_every_store_and_pooled(|world| {
        let contact = world.contact();
        for round in 0..20 {
            let (_, code) = world.used("3 GBP", Usage::Full(20));
            let by = world.key(&format!("round {round}"));
            let answers = at_once(16, |_| {
                world.passes.redeem(&by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap()
            });
            assert_eq!(answers.iter().filter(|receipt| !receipt.replayed).count(), 1);
            let first = &answers[0];
            assert!(answers.iter().all(|receipt| receipt.done == first.done));
            assert!(
                answers.iter().all(|receipt| (receipt.operation, receipt.at) == (first.operation, first.at))
            );
            assert_eq!(first.uses_left, 19);
        }
        assert_eq!(world.books().credits.values().sum::<i64>(), 20 * 300);
    });
}

/// of two different requests with one key, at the same moment, one counts, and the other is told.
#[test]
fn one_key_serves_one_request() {
    on_every_store_and_pooled(|world| {
        for round in 0..10 {
            let (_, code) = world.gift("100 GBP");
            let by = world.key(&format!("round {round}"));
            let answers = at_once(16, |n| {
                let pounds = 1 + (n as i64) % 2;
                let request = Redeem::direct(code.as_str(), minor(pounds * 100, gbp()));
                (pounds, world.passes.redeem(&by, request).wait())
            });
            let winner = answers.iter().find(|(_, answer)| answer.is_ok()).unwrap().0;
            for (pounds, answer) in &answers {
                let expected = if *pounds == winner { "ok" } else { "IDEMPOTENCY_MISMATCH" };
                assert_eq!(code_of(answer), expected);
            }
            let fresh = answers.iter().flat_map(|(_, answer)| answer).filter(|receipt| !receipt.replayed);
            assert_eq!(fresh.count(), 1);
        }
        let _ = world.books();
    });
}

/// a reversal by key races with the redemption it is about: whichever comes first, no money has moved in
/// the end, and a redemption that comes late is refused.
#[test]
fn a_reversal_by_key_races_with_its_redemption() {
    on_every_store_and_pooled(|world| {
        let contact = world.contact();
        let (mut first, mut late) = (0, 0);
        for round in 0..30 {
            let (pass, code) = world.gift("9 GBP");
            let key = format!("till 1, {round}");
            let by = world.key(&key);
            let start = Barrier::new(2);
            let (redeemed, reversed) = std::thread::scope(|scope| {
                let redeem = scope.spawn(|| {
                    start.wait();
                    world.passes.redeem(&by, Redeem::into_wallet(code.as_str(), contact)).wait()
                });
                start.wait();
                let reversed = world.passes.reverse(&world.by, Reverse::key(&key)).wait();
                (redeem.join().unwrap(), reversed.unwrap())
            });
            match redeemed {
                Ok(receipt) => {
                    first += 1;
                    assert_eq!(reversed.of, Some(receipt.operation));
                    assert_eq!(reversed.amount, Some(amount("9 GBP")));
                }
                Err(error) => {
                    late += 1;
                    assert_eq!(error.code(), "REVERSED_BEFORE_IT_CAME");
                    assert_eq!((reversed.of, reversed.amount), (None, None));
                }
            }
            let view = world.passes.pass(&world.by, pass).wait().unwrap();
            assert_eq!((view.state, view.left, view.used), (State::Active, amount("9 GBP"), 0));
            let again = world.passes.reverse(&world.by, Reverse::key(&key)).wait();
            assert_eq!(code_of(&again), "ALREADY_REVERSED");
        }
        println!("{first} redemptions came first, {late} late");
        assert_eq!(world.books().credits.values().sum::<i64>(), 0);
    });
}

/// L-8, L-3, R-8: sold once, cancelled or redeemed: whoever of many comes first, the pass has one history and the
/// books agree.
#[test]
fn a_pass_has_one_history() {
    on_every_store_and_pooled(|world| {
        for _ in 0..8 {
            let (pass, code) = world.draft(World::spec("5 GBP"));
            let sold = at_once(8, |_| world.passes.sell(&world.by, pass, Deal::at(amount("5 GBP"))).wait());
            assert_eq!(count(&sold), [("WRONG_STATE", 7), ("ok", 1)].into());
            let answers = at_once(8, |n| match n % 2 {
                0 => world.passes.cancel(&world.by, pass, Rest::Refund).wait().map(drop),
                _ => world.passes.redeem(&world.by, Redeem::into_new_wallet(code.as_str())).wait().map(drop),
            });
            let counts = count(&answers);
            assert_eq!(counts["ok"], 1, "{counts:?}");
            let state = world.passes.pass(&world.by, pass).wait().unwrap().state;
            assert!(matches!(state, State::Redeemed | State::Cancelled));
            let refused = if state == State::Redeemed { "PASS_REDEEMED" } else { "PASS_CANCELLED" };
            assert_eq!(
                (counts[refused], counts["WRONG_STATE"]),
                if state == State::Redeemed { (3, 4) } else { (4, 3) }
            );
        }
        let books = world.books();
        let credits: i64 = books.credits.values().sum();
        assert_eq!(credits + books.account(Account::Refunded, Unit::Money(gbp())), 8 * 500);
    });
}

/// L-3: a lot is cancelled while its passes are redeemed: each pass is either, the run counts both, and no caller
/// meets a conflict.
#[test]
fn a_lot_is_cancelled_under_the_customers_hands() {
    on_every_store_and_pooled(|world| {
        let plan = world.plan(World::spec("2 GBP"));
        let lot = world.lot(plan, 1_500);
        let codes: Vec<_> = world.export(lot);
        let sale = world.passes.sell(&world.by, lot, Deal::at(amount("2 GBP"))).wait().unwrap();
        world.passes.finish_run(&world.by, sale.run.unwrap()).wait().unwrap();
        let redeemed = std::thread::scope(|scope| {
            let tills: Vec<_> = (0..4)
                .map(|till| {
                    let (world, codes) = (&world, &codes);
                    scope.spawn(move || {
                        let mut redeemed = 0;
                        for row in codes.iter().skip(till * 60).take(60) {
                            let request = Redeem::into_new_wallet(row.code.reveal());
                            match world.passes.redeem(&world.by, request).wait() {
                                Ok(_) => redeemed += 1,
                                Err(error) => assert_eq!(error.code(), "PASS_CANCELLED"),
                            }
                        }
                        redeemed
                    })
                })
                .collect();
            let run = world.passes.cancel(&world.by, lot, Rest::Refund).wait().unwrap().run.unwrap();
            let progress = world.passes.finish_run(&world.by, run).wait().unwrap();
            let redeemed: u32 = tills.into_iter().map(|till| till.join().unwrap()).sum();
            assert_eq!(progress.done + redeemed, 1_500);
            assert_eq!(progress.skipped.get(&State::Redeemed).copied().unwrap_or_default(), redeemed);
            redeemed
        });
        let books = world.books();
        assert_eq!(books.account(Account::Refunded, Unit::Money(gbp())), i64::from(1_500 - redeemed) * 200);
        assert_eq!(books.credits.values().sum::<i64>(), i64::from(redeemed) * 200);
    });
}

/// R-8, C-4, T-1: passes are issued, and lots begun, by many at once, the first of their plans and formats among
/// them: no caller meets a conflict, and every code is its own.
#[test]
fn passes_are_made_by_many_at_once() {
    on_every_store_and_pooled(|world| {
        let contact = world.contact();
        let mut electronic = World::spec("5 GBP");
        electronic.terms.form = passes_core::plan::Form::Electronic;
        let shared = world.plan(electronic.clone());
        let plans: Vec<_> = (0..16_u8)
            .map(|n| {
                let mut spec = if n % 2 == 0 { electronic.clone() } else { World::spec("5 GBP") };
                spec.code.prefix = format!("P{n}");
                world.plan(spec)
            })
            .collect();
        let answers = at_once(16, |n| {
            let issue = Issue::new(shared, Recipient::Contact(contact), "email");
            let one = world.passes.issue(&world.by, issue).wait().map(drop);
            let two = if n % 2 == 0 {
                let issue = Issue::new(plans[n], Recipient::Contact(contact), "email");
                world.passes.issue(&world.by, issue).wait().map(drop)
            } else {
                let generate = Generate { plan: plans[n], count: 50, accept_weak: false };
                let started = world.passes.generate(&world.by, generate).wait();
                started.and_then(|started| world.passes.finish_run(&world.by, started.run).wait().map(drop))
            };
            [one, two]
        });
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(count(&answers), [("ok", 32)].into());
        let _ = world.books();
    });
}

/// T-2, D-3: one run is stepped by many at once: no pass is missing and none is there twice.
#[test]
fn a_run_is_stepped_by_many() {
    on_every_store_and_pooled(|world| {
        let plan = world.plan(World::spec("5 GBP"));
        let generate = Generate { plan, count: 40_000, accept_weak: false };
        let started = world.passes.generate(&world.by, generate).wait().unwrap();
        let answers = at_once(4, |_| world.passes.finish_run(&world.by, started.run).wait());
        assert_eq!(count(&answers), [("ok", 4)].into());
        let codes = world.export(started.lot);
        let serials: Vec<u32> = codes.iter().map(|row| row.serial).collect();
        assert_eq!(serials, (1..=40_000).collect::<Vec<_>>());
        let last = codes.last().unwrap().code.reveal().to_owned();
        let found = world.passes.pass_by_code(&world.by, &last.as_str().into()).wait().unwrap();
        assert_eq!(found.serial, 40_000);
    });
}

//! Redemption in PostgreSQL: the public call beside statements written by hand, by as many clients.

use crate::measure::{Measure, Side, all_in_turns, median, ratios};
use crate::postgres_peer;
use crate::postgres_shop::{Asked, OFF, SETTINGS, Shop, at_once, by_call, by_hand};
use crate::postgres_twin::{Hand, Way};
use crate::run::{Made, Run};
use crate::stock::{VALUE, euros};
use passes_core::service::Redeem;
use std::cell::RefCell;
use std::sync::Mutex;
use std::time::Instant;
use test_postgres::Server;

/// Redemptions in one call.
const LIST: usize = 100;

/// The measures of the report.
pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let Some(server) = Server::own(&SETTINGS) else {
        return Ok(vec![Measure::not_run("redemption in PostgreSQL", "×", "there is no server here")]);
    };
    let mut measures = Vec::new();
    for (commit, settings) in [("commit on", ""), ("commit off", OFF)] {
        let cards = run.or_quick(30_000, 5_000);
        let shop = Shop::new(&server, settings, cards)?;
        let hands = shop.hands(32)?;
        let shop = RefCell::new(shop);
        if commit == "commit on" {
            // First of all: nothing may be spent of these cards yet.
            measures.push(same_code(run, &shop)?);
        }
        for (clients, each) in [(1, 800), (8, 1_600), (32, 1_600)] {
            measures.extend(clients_of(run, commit, &shop, &hands, clients, run.or_quick(each, 64))?);
        }
        if commit == "commit on" {
            measures.push(lists(run, &shop)?);
        } else {
            measures.extend(postgres_peer::measures(run, &server, &shop)?);
        }
    }
    measures.extend(crate::postgres_lot::measures(run, &server)?);
    Ok(measures)
}

fn clients_of(
    run: &Run,
    commit: &str,
    shop: &RefCell<Shop>,
    hands: &[Mutex<Hand>],
    clients: usize,
    each: usize,
) -> Made<Vec<Measure>> {
    let mut ours = |_| by_call(shop, clients, each);
    let by_hand = |way: Way| move |_| by_hand(shop, (hands, way), clients, each);
    let (mut cte, mut transaction, mut update) =
        (by_hand(Way::Cte), by_hand(Way::Transaction), by_hand(Way::Update));
    let mut sides: [Side<'_>; 4] = [&mut ours, &mut cte, &mut transaction, &mut update];
    let what = format!("{commit}, {clients} clients");
    let took = all_in_turns(run, &what, run.or_quick(21, 3), &mut sides)?;
    let [ours, cte, transaction, update] = took.as_slice() else { return Err("a side is missing".into()) };
    let ratio = |name: &str, theirs: &[f64]| {
        let clients = if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") };
        Measure::of_rounds(format!("{commit}, {clients}: rate ÷ {name}"), "×", &ratios(theirs, ours))
    };
    let on = commit == "commit on";
    let transaction = ratio("BEGIN … COMMIT", transaction);
    let update = ratio("a bare UPDATE", update);
    let rate = 1.0 / median(ours);
    Ok(vec![
        ratio("SELECT and CTE by hand", cte).at_least(0.9, 1.0),
        match clients {
            1 if on => transaction.at_least(1.4, 1.8),
            8 if on => transaction.at_least(1.2, 1.5),
            _ => transaction,
        },
        if on && clients == 8 { update.at_least(0.22, 0.35) } else { update },
        Measure::new(format!("{commit}, {clients} at once: redemptions a second"), "/s", rate),
    ])
}

/// A list of a hundred beside as many calls, by one client.
fn lists(run: &Run, shop: &RefCell<Shop>) -> Made<Measure> {
    let mut list = |_| {
        let asked = shop.borrow_mut().ask(LIST)?;
        let begun = Instant::now();
        shop.borrow().redeem_list(&asked)?;
        Ok(begun.elapsed().as_secs_f64())
    };
    let mut single = |_| {
        let asked = shop.borrow_mut().ask(LIST)?;
        let begun = Instant::now();
        asked.iter().try_for_each(|asked| shop.borrow().redeem(asked))?;
        Ok(begun.elapsed().as_secs_f64())
    };
    let mut sides: [Side<'_>; 2] = [&mut list, &mut single];
    let took = all_in_turns(run, "lists of 100", run.or_quick(21, 3), &mut sides)?;
    let [list, single] = took.as_slice() else { return Err("a side is missing".into()) };
    let name = "a list of 100, rate ÷ single calls";
    Ok(Measure::of_rounds(name, "×", &ratios(single, list)).at_least(2.5, 4.0))
}

/// Each of so many codes is redeemed by eight clients at once, for all that is on it: how many codes had one winner.
fn same_code(run: &Run, shop: &RefCell<Shop>) -> Made<Measure> {
    let codes = run.or_quick(200, 20);
    let shop: &mut Shop = &mut shop.borrow_mut();
    let mut single = 0;
    for _ in 0..codes {
        // One that nobody has touched yet.
        let code = shop.cards.pop().ok_or("there are no cards")?;
        let wins = std::sync::atomic::AtomicU32::new(0);
        let gate = std::sync::Barrier::new(8);
        let asked: Vec<Asked> =
            (0..8).map(|client| Asked { code: code.clone(), key: format!("{code}-{client}") }).collect();
        let (passes, by) = (&shop.stock.passes, &shop.stock.by);
        at_once(8, &asked, |_, asked| {
            let request = Redeem::direct(asked.code.as_str(), euros(VALUE)?);
            gate.wait();
            match passes.redeem(&by.clone().key(&asked.key), request).wait() {
                Ok(_) => wins.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
                Err(passes_core::Error::Refused(_)) => 0,
                Err(error) => return Err(error.into()),
            };
            Ok(())
        })?;
        single += u32::from(wins.into_inner() == 1);
    }
    let name = format!("{codes} codes, each by 8 clients at once: codes with one winner");
    Ok(Measure::new(name, "codes", f64::from(single)).at_least(f64::from(codes), f64::from(codes)))
}

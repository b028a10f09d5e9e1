//! A capped plan from which many issue at the same moment, in PostgreSQL: beside as many plans, and to its end.

use crate::measure::{Good, Measure, Side, all_in_turns};
use crate::postgres_shop::{SETTINGS, at_once, over_tcp};
use crate::run::{Made, Run};
use crate::stock::{Stock, VALUE};
use passes_core::Error;
use passes_core::id::PlanId;
use passes_core::money::{Currency, Money};
use passes_core::passcode::Format;
use passes_core::plan::{Caps, Classification, Form, Spec, Terms};
use passes_core::service::{Issue, Recipient};
use passes_core::store::Store;
use passes_postgres::Postgres;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use test_postgres::Server;

const CLIENTS: usize = 32;

/// The measures of the report.
pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let Some(server) = Server::own(&SETTINGS) else {
        return Ok(vec![Measure::not_run("issues from one capped plan", "×", "there is no server here")]);
    };
    let url = over_tcp(&server, &server.database(), "");
    let store = Arc::new(Postgres::options().connections(CLIENTS).open(&url)?);
    let mut stock = Stock::open(Arc::clone(&store) as Arc<dyn Store>)?;
    stock.welcome(u32::try_from(CLIENTS)?)?;
    let stock = &stock;

    let (each, rounds) = run.or_quick((640, 21), (64, 3));
    let one = capped(stock, u32::MAX)?;
    let plans = (0..CLIENTS).map(|_| capped(stock, u32::MAX)).collect::<Made<Vec<_>>>()?;
    let turns: Vec<usize> = (0..each).collect();
    let mut from_one = |_| at_once(CLIENTS, &turns, |client, _| issue(stock, client, one));
    let mut from_many = |_| {
        at_once(CLIENTS, &turns, |client, _| {
            issue(stock, client, *plans.get(client).ok_or("a client without a plan")?)
        })
    };
    let mut sides: [Side<'_>; 2] = [&mut from_one, &mut from_many];
    let took = all_in_turns(run, "issues from capped plans", rounds, &mut sides)?;
    let [from_one, from_many] = took.as_slice() else { return Err("a side is missing".into()) };
    let ratios: Vec<f64> = from_many.iter().zip(from_one).map(|(many, one)| many / one).collect();
    let rates: Vec<f64> = from_one.iter().map(|seconds| each as f64 / seconds).collect();
    Ok(vec![
        Measure::of_rounds("commit on: 32 at once from one capped plan, rate ÷ 32 plans", "×", &ratios)
            .at_least(0.8, 0.95),
        Measure::of_rounds("commit on: issues a second from one capped plan, 32 at once", "/s", &rates),
        to_the_end(run, stock, &store)?,
    ])
}

/// An active plan of electronic gift cards, of which there may be so many.
fn capped(stock: &Stock, passes: u32) -> Made<PlanId> {
    let value = Money::from_minor(VALUE, Currency::EUR)?;
    let all = Money::from_minor(i64::from(passes) * VALUE, Currency::EUR)?;
    let spec = Spec {
        name: [("de".to_owned(), "Geschenkkarte".to_owned())].into(),
        description: Default::default(),
        terms: Terms::fixed(Classification::Gift, Form::Electronic, value),
        code: Format { length: 16, ..Format::default() },
        caps: Caps { passes: Some(passes), value: Some(all) },
    };
    let plan = stock.passes.create_plan(&stock.by, spec).wait()?.done;
    stock.passes.activate_plan(&stock.by, plan).wait()?;
    Ok(plan)
}

fn issue(stock: &Stock, client: usize, plan: PlanId) -> Made<()> {
    let to = *stock.contacts.get(client).ok_or("a client without a recipient")?;
    stock.passes.issue(&stock.by, Issue::new(plan, Recipient::Contact(to), "email")).wait()?;
    Ok(())
}

/// All clients issue until they are refused; there must be as many then as the cap says. How often each was sent again
/// because another came in between: three round trips are an issue, two a refusal.
fn to_the_end(run: &Run, stock: &Stock, store: &Postgres) -> Made<Measure> {
    let cap = run.or_quick(3_200, 320);
    let plan = capped(stock, cap)?;
    let (issued, before) = (AtomicU64::new(0), store.round_trips());
    let clients: Vec<usize> = (0..CLIENTS).collect();
    at_once(CLIENTS, &clients, |client, _| {
        loop {
            match issue(stock, client, plan) {
                Ok(()) => issued.fetch_add(1, Ordering::Relaxed),
                Err(error) => match error.downcast_ref::<Error>().map(Error::code) {
                    Some("PLAN_CAP") => return Ok(()),
                    _ => return Err(error),
                },
            };
        }
    })?;
    let issued = issued.into_inner();
    if issued != u64::from(cap) {
        return Err(format!("{issued} were issued of {cap}").into());
    }
    let needed = 3 * issued + 2 * u64::try_from(CLIENTS)?;
    let more = store.round_trips().saturating_sub(before).saturating_sub(needed);
    let tries = issued as f64 + CLIENTS as f64;
    Ok(Measure::new(
        format!("commit on: {cap} of {cap} issued by 32 at once; round trips beyond those of each issue"),
        "",
        more as f64 / tries,
    )
    .hoped(Good::Low, 0.5))
}

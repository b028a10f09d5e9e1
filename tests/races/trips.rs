//! Round trips to a server, by what a host calls.

use passes_core::Passes;
use passes_core::contact::{Medium, Profile};
use passes_core::plan::Form;
use passes_core::service::{Deal, Generate, Issue, Over, Recipient, Redeem, Rest, Reverse, Spend};
use passes_core::store::Store;
use passes_postgres::Postgres;
use std::sync::Arc;
use tests::world::{keyring, one_line};
use tests::{World, amount};

/// D-1: a redemption is two round trips, and no other command needs more than three, however it is given.
#[test]
fn no_command_needs_more_than_three_round_trips() {
    let Some(world) = World::postgres() else { return };
    let store = Arc::new(Postgres::open(&world.address().unwrap()).unwrap());
    let shared: Arc<dyn Store> = Arc::<Postgres>::clone(&store);
    let passes = Passes::open(shared, keyring(), world.clock.clone(), world.entropy.clone()).wait().unwrap();
    let by = &world.by;
    let (why, price) = (by.clone().reason("test"), amount("25 GBP"));
    let mut electronic = World::spec("25 GBP");
    electronic.terms.form = Form::Electronic;
    let mut most = Vec::new();
    // What is done a first time prepares its statements; the second time is counted.
    for counted in [false, true] {
        let mut trips = |name: &str, work: &mut dyn FnMut()| {
            let before = store.round_trips();
            work();
            if counted {
                most.push((name.to_owned(), store.round_trips() - before));
            }
        };
        let contact = world.contact();
        let (plan, mail) = (world.plan(World::spec("25 GBP")), world.plan(electronic.clone()));
        let lot = world.lot_with_codes(plan, 30);
        let (pass, code) = (|n: usize| lot[n].0, |n: usize| lot[n].1.as_str());
        let key = |name: &str| by.clone().key(&format!("{name} {counted}"));
        let reference = |name: &str| Medium::Reference(format!("{name} {counted}"));
        macro_rules! call {
            ($name:literal, $call:expr) => {
                trips($name, &mut || {
                    $call.wait().unwrap();
                })
            };
        }
        call!("create_contact", passes.create_contact(by, Profile::named("Bob", reference("bob"))));
        call!("create_plan", passes.create_plan(by, World::spec("20 GBP")));
        call!("copy_plan", passes.copy_plan(by, plan));
        call!("edit_plan", passes.edit_plan(by, plan, World::spec("25 GBP")));
        call!("issue", passes.issue(by, Issue::new(mail, Recipient::Contact(contact), "email")));
        let new = || Recipient::Profile(Profile::named("Eve", reference("eve")));
        call!("issue to somebody new", passes.issue(by, Issue::new(mail, new(), "email")));
        call!("activate", passes.activate(by, pass(0)));
        for n in 1..=20 {
            passes.sell(&key(&format!("sold {n}")), pass(n), Deal::at(price)).wait().unwrap();
        }
        call!("sell", passes.sell(by, pass(21), Deal::at(price)));
        call!("void_sale", passes.void_sale(by, pass(21)));
        call!("suspend", passes.suspend(by, pass(2)));
        call!("reactivate", passes.reactivate(by, pass(2)));
        call!("suspend a lot", passes.suspend(by, Over::Lot(pass(2).lot())));
        call!("reactivate a lot", passes.reactivate(by, Over::Lot(pass(2).lot())));
        call!("suspend a plan", passes.suspend(by, Over::Plan(plan)));
        call!("reactivate a plan", passes.reactivate(by, Over::Plan(plan)));
        call!("redeem", passes.redeem(by, Redeem::direct(code(1), amount("5 GBP"))));
        call!("redeem, with a key", passes.redeem(&key("a"), Redeem::direct(code(1), amount("5 GBP"))));
        call!("redeem again", passes.redeem(&key("a"), Redeem::direct(code(1), amount("5 GBP"))));
        call!("redeem into a wallet", passes.redeem(&key("b"), Redeem::into_wallet(code(3), contact)));
        call!("redeem into a new wallet", passes.redeem(&key("c"), Redeem::into_new_wallet(code(4))));
        call!("check", passes.check(by, &Redeem::direct(code(1), amount("5 GBP"))));
        call!("spend", passes.spend(&key("d"), Spend::all(contact, one_line("5 GBP"))));
        let of = |name: &str| Reverse::key(&format!("{name} {counted}"));
        call!("reverse", passes.reverse(by, of("a")));
        call!("reverse of a spend", passes.reverse(by, of("d")));
        call!("reverse of what never came", passes.reverse(by, of("never")));
        call!("cancel, and replace", passes.cancel(&why, pass(5), Rest::Reissue));
        call!("cancel", passes.cancel(&why, pass(6), Rest::Refund));
        call!("cancel a list", passes.cancel(&why, vec![pass(7), pass(8), pass(9)], Rest::Forfeit));
        let many = || Generate { plan, count: 5_000, accept_weak: false };
        call!("generate", passes.generate(by, many()));
        let run = passes.generate(by, many()).wait().unwrap();
        passes.step(by, run.run).wait().unwrap();
        passes.step(by, run.run).wait().unwrap();
        call!("step", passes.step(by, run.run));
        call!("cancel_run", passes.cancel_run(by, run.run));
        call!("export", passes.export(&why, run.lot));
        call!("close_export", passes.close_export(&why, run.lot));
        call!("reveal", passes.reveal(&why, pass(10)));
        call!("settings", passes.settings(by));
        let settings = passes.settings(by).wait().unwrap();
        call!("configure", passes.configure(by, settings.clone()));
        call!("archive_plan", passes.archive_plan(by, plan));
    }
    let allowed = |name: &str| match name {
        // It makes thousands of passes.
        "step" => 7,
        name if name.starts_with("redeem") => 2,
        _ => 3,
    };
    most.retain(|(name, trips)| *trips > allowed(name));
    assert_eq!(most, []);
}

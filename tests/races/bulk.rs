//! Commands on lists, ranges, lots and plans: gone on with after a crash, cancelled, and done once.

use passes_core::calendar::parse_date;
use passes_core::event::{Event, Position};
use passes_core::id::{LotId, PassId};
use passes_core::ledger::{Account, Mark, Unit};
use passes_core::money::Currency;
use passes_core::pass::State;
use passes_core::plan::{RedeemBy, Usage};
use passes_core::service::{Deal, Expiry, Home, Over, Redeem, Rest, Reverse};
use tests::world::amount;
use tests::{World, code_of, on_every_store};

fn eur() -> Unit {
    Unit::Money(Currency::parse("EUR").unwrap())
}

/// L-9: a command takes one pass, a list, a range of serial numbers, a lot or a plan; what can't be changed is
/// skipped and counted by its state.
#[test]
fn commands_take_passes_lists_ranges_lots_and_plans() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let plan = world.plan(World::spec("5 EUR"));
        let lots: Vec<LotId> = [30, 20].map(|count| world.lot(plan, count)).into();
        let run = |over: Over| {
            let answer = passes.activate(by, over).wait().unwrap();
            let progress = passes.finish_run(by, answer.run.unwrap()).wait().unwrap();
            (progress.done, progress.skipped.get(&State::Active).copied().unwrap_or_default(), progress.total)
        };
        let one = passes.activate(by, lots[0].pass(1)).wait().unwrap();
        assert_eq!((one.changed, one.run), (1, None));
        assert_eq!(code_of(&passes.activate(by, lots[0].pass(1)).wait()), "WRONG_STATE");
        assert_eq!(code_of(&passes.activate(by, lots[0].pass(31)).wait()), "NOT_FOUND");
        let list: Vec<PassId> = [1, 2, 3, 2].map(|n| lots[0].pass(n)).into();
        let some = passes.activate(by, list).wait().unwrap();
        assert_eq!((some.changed, &some.skipped), (2, &[(State::Active, 1)].into()));
        assert_eq!(run(Over::Serials { lot: lots[0], first: 3, last: 10 }), (7, 1, 8));
        assert_eq!(run(Over::Lot(lots[0])), (20, 10, 30));
        assert_eq!(run(Over::Plan(plan)), (20, 30, 50));
        for (first, last) in [(9, 8), (0, 5)] {
            let over = Over::Serials { lot: lots[0], first, last };
            assert_eq!(code_of(&passes.activate(by, over).wait()), "INVALID");
        }
        // The same key is the same run.
        let keyed = world.key("cancel all");
        let first = passes.cancel(&keyed, plan, Rest::Forfeit).wait().unwrap();
        let again = passes.cancel(&keyed, plan, Rest::Forfeit).wait().unwrap();
        assert!(again.replayed && again.run == first.run);
        assert_eq!(passes.finish_run(by, first.run.unwrap()).wait().unwrap().done, 50);
        let books = world.books();
        assert_eq!(books.account(Account::Breakage, eur()), 50 * 500);
        assert_eq!(books.account(Account::Outstanding, eur()), 0);
    });
}

/// L-3, E-1: a bulk command is broken off between its steps, once after each, and goes on; each chunk raises one
/// event with its range and count, and each pass changes once.
#[test]
fn a_bulk_command_goes_on_after_a_crash() {
    on_every_store(|mut world| {
        let plan = world.plan(World::spec("5 EUR"));
        let lot = world.lot(plan, 3_500);
        let sale = world.passes.sell(&world.by, lot, Deal::at(amount("4 EUR"))).wait().unwrap();
        world.passes.finish_run(&world.by, sale.run.unwrap()).wait().unwrap();
        for (n, rest) in [Rest::Refund, Rest::Forfeit, Rest::Reissue].into_iter().enumerate() {
            let first = 1 + n as u32 * 1_150;
            let over = Over::Serials { lot, first, last: first + 1_149 };
            let start = last_position(&world);
            let run = world.passes.cancel(&world.by, over, rest).wait().unwrap().run.unwrap();
            let mut steps = 0;
            loop {
                world.reopen();
                let progress = world.passes.step(&world.by, run).wait().unwrap();
                steps += 1;
                if progress.is_over() {
                    assert_eq!((progress.done, progress.total), (1_150, 1_150));
                    break;
                }
                let _ = world.books();
            }
            assert!(steps >= 2);
            assert_eq!(world.passes.step(&world.by, run).wait().unwrap().done, 1_150, "over is over");
            let events = world.passes.events(&world.by, start, 10_000).wait().unwrap();
            let spans: Vec<_> = events
                .iter()
                .filter_map(|t| {
                    if let Event::PassesCancelled { passes } = &t.event { Some(*passes) } else { None }
                })
                .collect();
            assert!(spans.len() <= steps);
            assert_eq!(spans.iter().map(|span| span.count).sum::<u32>(), 1_150);
            assert_eq!(spans[0].first, lot.pass(first));
        }
        let books = world.books();
        let each = |account, mark| books.part(account, mark, eur());
        assert_eq!(
            (each(Account::Refunded, Mark::Paid), each(Account::Refunded, Mark::Granted)),
            (1_150 * 400, 1_150 * 100)
        );
        assert_eq!(
            (each(Account::Breakage, Mark::Paid), each(Account::Breakage, Mark::Granted)),
            (1_150 * 400, 1_150 * 100)
        );
        assert_eq!(books.account(Account::Outstanding, eur()), 1_200 * 500);
        let counts = world.passes.count_states(&world.by, lot).wait().unwrap();
        assert_eq!(counts, [(State::Cancelled, 3_450), (State::Active, 50)].into());
    });
}

fn last_position(world: &World) -> Position {
    let all = world.passes.events(&world.by, Position::default(), 10_000).wait().unwrap();
    all.last().map(|told| told.position).unwrap_or_default()
}

/// L-3: a reissue puts the rest onto a new pass, with its uses and its expiry; a whole plan is reissued once, the
/// new passes are not.
#[test]
fn a_plan_is_reissued_once() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = World::spec("10 EUR");
        spec.terms.usage = Usage::Full(2);
        spec.terms.redeem_by = RedeemBy::Date(parse_date("date", "2026-12-31").unwrap());
        let plan = world.plan(spec);
        let codes = world.lot_with_codes(plan, 1_050);
        let sale = passes.sell(by, plan, Deal::at(amount("10 EUR"))).wait().unwrap();
        passes.finish_run(by, sale.run.unwrap()).wait().unwrap();
        let early = Expiry::Date(parse_date("date", "2026-06-30").unwrap());
        passes.set_expiry(by, codes[0].0, early).wait().unwrap();
        let spent = passes.redeem(by, Redeem::direct(codes[0].1.as_str(), amount("4 EUR"))).wait().unwrap();
        let before = passes.pass(by, codes[0].0).wait().unwrap();
        let one = passes.cancel(by, codes[0].0, Rest::Reissue).wait().unwrap();
        let (old, new) = one.replaced[0];
        assert_eq!(old, codes[0].0);
        let after = passes.pass(by, new).wait().unwrap();
        assert_eq!(
            (
                after.left,
                after.granted_left,
                after.uses,
                after.used,
                after.redeem_by,
                after.state,
                after.replaces
            ),
            (before.left, before.granted_left, 2, 1, before.redeem_by, State::Active, Some(old))
        );
        let gone = passes.pass(by, old).wait().unwrap();
        assert_eq!((gone.state, gone.left.minor(), gone.successor), (State::Cancelled, 0, Some(new)));
        let old_code = passes.redeem(by, Redeem::direct(codes[0].1.as_str(), amount("1 EUR"))).wait();
        assert_eq!(code_of(&old_code), "PASS_CANCELLED");
        // What the old one had given returns to the new one.
        let returned = passes.reverse(by, Reverse::operation(spent.operation)).wait().unwrap();
        assert_eq!(returned.returned[0].home, Home::Pass(new));
        let after = passes.pass(by, new).wait().unwrap();
        assert_eq!((after.left, after.used), (amount("20 EUR"), 0));

        let run = passes.cancel(by, plan, Rest::Reissue).wait().unwrap().run.unwrap();
        let mut steps = 0;
        while !passes.step(by, run).wait().unwrap().is_over() {
            steps += 1;
            assert!(steps < 20, "it reissues what it has reissued");
        }
        let progress = passes.progress(by, run).wait().unwrap();
        assert_eq!((progress.done, progress.skipped), (1_050, [(State::Cancelled, 1)].into()));
        let books = world.books();
        assert_eq!(books.account(Account::Outstanding, eur()), 1_050 * 2_000);
        let active = books.passes.values().filter(|(granted, paid)| granted + paid > 0).count();
        assert_eq!(active, 1_050);
    });
}

/// T-2, L-3: a bulk command is cancelled: what was done stays, the rest is as it was.
#[test]
fn a_bulk_command_is_cancelled() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let plan = world.plan(World::spec("5 EUR"));
        let lot = world.lot(plan, 2_500);
        for over in [Over::Lot(lot), Over::Plan(plan)] {
            let run = passes.set_expiry(by, over, Expiry::Never).wait().unwrap().run.unwrap();
            let first = passes.step(by, run).wait().unwrap();
            assert!(!first.is_over() && first.done > 0);
            passes.cancel_run(by, run).wait().unwrap();
            let over = passes.step(by, run).wait().unwrap();
            assert_eq!((over.done, over.is_over()), (first.done, true));
            assert_eq!(code_of(&passes.cancel_run(by, run).wait()), "WRONG_STATE");
        }
    });
}

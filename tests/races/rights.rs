//! Who may do what, and the counts of what was refused.

use passes_core::calendar::parse_date;
use passes_core::id::{ContactId, PassId, PlanId, RunId};
use passes_core::lot::Outcome;
use passes_core::operation::{Actor, By, Kind, Right, Rights};
use passes_core::passcode::Presented;
use passes_core::service::{
    Deal, Expiry, Generate, Issue, OperationFilter, Recipient, Redeem, Refusals, Rest, Reverse, Spend,
};
use passes_core::{Error, event::Position};
use tests::world::{amount, one_line, settings};
use tests::{World, code_of, on_every_store};

fn may(world: &World, rights: &[Right]) -> By {
    By::new(world.business(), Actor::new("somebody", Rights::of(rights)).unwrap())
}

/// B-5: every command names its right: with all others it is refused first, whatever else is wrong; with that one
/// alone it gets as far as to what is wrong.
#[test]
fn every_command_needs_its_right() {
    on_every_store(|world| {
        let passes = &world.passes;
        let nobody: ContactId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        let pass: PassId = "0192a0d5-c3f0-7b12-a4c8-d91100000001".parse().unwrap();
        let plan: PlanId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        let run: RunId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        let (spend, redeem) = (Spend::all(nobody, one_line("1 EUR")), Redeem::into_new_wallet("4444"));
        type Try<'a> = Box<dyn Fn(&By) -> Result<(), Error> + 'a>;
        let one = |text: &'static str| amount(text);
        let commands: Vec<(Right, &str, Try<'_>)> = vec![
            (Right::Redeem, "redeem", Box::new(|by| passes.redeem(by, redeem.clone()).wait().map(drop))),
            (Right::Redeem, "check", Box::new(|by| passes.check(by, &redeem).wait().map(drop))),
            (Right::Redeem, "spend", Box::new(|by| passes.spend(by, spend.clone()).wait().map(drop))),
            (Right::Redeem, "check a spend", Box::new(|by| passes.check_spend(by, &spend).wait().map(drop))),
            (
                Right::Sell,
                "sell",
                Box::new(|by| passes.sell(by, pass, Deal::at(one("1 EUR"))).wait().map(drop)),
            ),
            (Right::Void, "void", Box::new(|by| passes.void_sale(by, pass).wait().map(drop))),
            (
                Right::Issue,
                "generate",
                Box::new(|by| {
                    passes.generate(by, Generate { plan, count: 1, accept_weak: false }).wait().map(drop)
                }),
            ),
            (
                Right::Issue,
                "issue",
                Box::new(|by| {
                    passes.issue(by, Issue::new(plan, Recipient::Contact(nobody), "x")).wait().map(drop)
                }),
            ),
            (
                Right::Issue,
                "deliver",
                Box::new(|by| passes.delivered(by, pass, Outcome::Confirmed).wait().map(drop)),
            ),
            (Right::Issue, "resend", Box::new(|by| passes.resend(by, pass).wait().map(drop))),
            (Right::Activate, "activate", Box::new(|by| passes.activate(by, pass).wait().map(drop))),
            (Right::Adjust, "suspend", Box::new(|by| passes.suspend(by, pass).wait().map(drop))),
            (Right::Adjust, "reactivate", Box::new(|by| passes.reactivate(by, pass.lot()).wait().map(drop))),
            (Right::Adjust, "cancel", Box::new(|by| passes.cancel(by, pass, Rest::Refund).wait().map(drop))),
            (
                Right::Adjust,
                "set expiry",
                Box::new(|by| passes.set_expiry(by, pass, Expiry::Never).wait().map(drop)),
            ),
            (
                Right::Adjust,
                "set value",
                Box::new(|by| passes.set_value(by, pass, one("1 EUR")).wait().map(drop)),
            ),
            (
                Right::Adjust,
                "set fields",
                Box::new(|by| passes.set_fields(by, pass, Default::default()).wait().map(drop)),
            ),
            (
                Right::Adjust,
                "set recipient",
                Box::new(|by| passes.set_recipient(by, pass, nobody).wait().map(drop)),
            ),
            (
                Right::Reverse,
                "reverse",
                Box::new(|by| passes.reverse(by, Reverse::operation(Position(9_999))).wait().map(drop)),
            ),
            (Right::Export, "export", Box::new(|by| passes.export(by, pass.lot()).wait().map(drop))),
            (
                Right::Export,
                "read an export",
                Box::new(|by| passes.export_page(by, pass.lot(), 0, 1).wait().map(drop)),
            ),
            (
                Right::Export,
                "close an export",
                Box::new(|by| passes.close_export(by, pass.lot()).wait().map(drop)),
            ),
            (Right::Reveal, "reveal", Box::new(|by| passes.reveal(by, pass).wait().map(drop))),
            (
                Right::Configure,
                "create a plan",
                Box::new(|by| passes.create_plan(by, World::spec("1 CHF")).wait().map(drop)),
            ),
            (
                Right::Configure,
                "activate a plan",
                Box::new(|by| passes.activate_plan(by, plan).wait().map(drop)),
            ),
            (Right::Configure, "delete a plan", Box::new(|by| passes.delete_plan(by, plan).wait().map(drop))),
            (Right::Configure, "copy a plan", Box::new(|by| passes.copy_plan(by, plan).wait().map(drop))),
            (
                Right::Contacts,
                "edit a contact",
                Box::new(|by| passes.edit_contact(by, nobody, Default::default()).wait().map(drop)),
            ),
            (
                Right::Contacts,
                "look a contact up",
                Box::new(|by| passes.contact(by, nobody).wait().map(drop)),
            ),
            (Right::View, "look at a plan", Box::new(|by| passes.plan(by, plan).wait().map(drop))),
            (Right::View, "look at a pass", Box::new(|by| passes.pass(by, pass).wait().map(drop))),
            (
                Right::View,
                "look a code up",
                Box::new(|by| passes.pass_by_code(by, &Presented::from("4444")).wait().map(drop)),
            ),
            (Right::View, "look at a run", Box::new(|by| passes.progress(by, run).wait().map(drop))),
            (Right::View, "look at a wallet", Box::new(|by| passes.wallet(by, nobody).wait().map(drop))),
        ];
        let before = world.operations();
        for (right, what, command) in &commands {
            let others: Vec<Right> = Right::ALL.iter().copied().filter(|other| other != right).collect();
            assert_eq!(code_of(&command(&may(&world, &others))), "FORBIDDEN", "{what}");
            let answer = command(&may(&world, &[*right]));
            // A check has its reasons in the answer.
            if !what.starts_with("check") {
                assert!(!["FORBIDDEN", "ok"].contains(&code_of(&answer)), "{what}: {answer:?}");
            }
        }
        for command in [
            passes.create_contact(&may(&world, &[Right::Sell]), Default::default()).wait().map(drop),
            passes.configure(&may(&world, &[Right::Sell]), settings()).wait().map(drop),
            passes.verify(&may(&world, &[Right::Sell])).wait().map(drop),
            passes.events(&may(&world, &[Right::Sell]), Position::default(), 1).wait().map(drop),
            passes
                .operations(&may(&world, &[Right::Sell]), OperationFilter::default(), Position::default(), 1)
                .wait()
                .map(drop),
            passes
                .create_business(&Actor::new("x", Rights::of(&[Right::Sell])).unwrap(), settings())
                .wait()
                .map(drop),
        ] {
            assert_eq!(code_of(&command), "FORBIDDEN");
        }
        assert_eq!(world.operations(), before, "a refusal writes no operation");
    });
}

/// B-5: an actor has places and a largest amount for each currency; what is beyond is refused first, whatever else
/// is wrong with the pass.
#[test]
fn places_and_largest_amounts() {
    on_every_store(|world| {
        let passes = &world.passes;
        let till = Actor::new("till", Rights::all())
            .unwrap()
            .at(&["North"])
            .up_to(&[amount("50 EUR"), amount("10 GBP")]);
        let by = By::new(world.business(), till);
        let north = by.clone().place("North");
        let (pass, code) = world.gift("80 EUR");
        let direct = |text: &str| Redeem::direct(code.as_str(), amount(text));
        for wrong in [by.clone(), by.clone().place("South")] {
            assert_eq!(code_of(&passes.redeem(&wrong, direct("1 EUR")).wait()), "FORBIDDEN");
        }
        assert_eq!(code_of(&passes.redeem(&north, direct("50.01 EUR")).wait()), "FORBIDDEN");
        let check = passes.check(&north, &direct("50.01 EUR")).wait().unwrap();
        assert_eq!(check.reasons[0].code(), "FORBIDDEN");
        assert_eq!(
            code_of(&passes.redeem(&north, Redeem::into_new_wallet(code.as_str())).wait()),
            "FORBIDDEN"
        );
        let spent = passes.redeem(&north, direct("50 EUR")).wait().unwrap();
        let contact = world.contact();
        passes.redeem(&world.by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
        let (_, second) = world.gift("60 EUR");
        passes.redeem(&world.by, Redeem::into_wallet(second.as_str(), contact)).wait().unwrap();
        assert_eq!(
            code_of(&passes.spend(&north, Spend::all(contact, one_line("51 EUR"))).wait()),
            "FORBIDDEN"
        );
        passes.spend(&north, Spend::all(contact, one_line("50 EUR"))).wait().unwrap();
        let whole = passes.spend(&world.by, Spend::all(contact, one_line("40 EUR"))).wait().unwrap();
        passes.reverse(&north, Reverse::operation(whole.operation)).wait().unwrap();
        let large = passes
            .redeem(&world.by, Redeem::direct(world.gift("51 EUR").1.as_str(), amount("51 EUR")))
            .wait()
            .unwrap();
        assert_eq!(code_of(&passes.reverse(&north, Reverse::operation(large.operation)).wait()), "FORBIDDEN");
        let part = Reverse::operation(large.operation).amount(amount("50 EUR"));
        passes.reverse(&north, part).wait().unwrap();
        let (draft, _) = world.draft(World::spec("100 EUR"));
        assert_eq!(code_of(&passes.sell(&north, draft, Deal::at(amount("51 EUR"))).wait()), "FORBIDDEN");
        // A currency that is not listed is not allowed.
        let (_, yen) = world.gift("1 JPY");
        assert_eq!(
            code_of(&passes.redeem(&north, Redeem::into_new_wallet(yen.as_str())).wait()),
            "FORBIDDEN"
        );

        // First of all reasons: the pass is cancelled, and another one expired.
        passes.reverse(&world.by, Reverse::operation(spent.operation)).wait().unwrap();
        passes.cancel(&world.by, pass, Rest::Refund).wait().unwrap();
        let error = passes.redeem(&north, direct("51 EUR")).wait().unwrap_err();
        assert_eq!(error.code(), "FORBIDDEN", "{error}");
        let (other, code) = world.gift("80 EUR");
        passes
            .set_expiry(&world.by, other, Expiry::Date(parse_date("d", "2026-01-01").unwrap()))
            .wait()
            .unwrap();
        let error = passes.redeem(&north, Redeem::into_new_wallet(code.as_str())).wait().unwrap_err();
        assert_eq!(error.code(), "FORBIDDEN", "{error}");
        let poor = Spend::all(world.contact(), one_line("51 EUR"));
        assert_eq!(code_of(&passes.spend(&north, poor).wait()), "FORBIDDEN");
    });
}

/// B-4: who, when, where, through which channel and why is on record for every accepted command, reveal and export;
/// a refusal leaves no record, and is counted by day, code, plan and place.
#[test]
fn everything_accepted_is_on_record() {
    on_every_store(|world| {
        let passes = &world.passes;
        let actor = Actor::new("ann", Rights::all()).unwrap();
        let by = By::new(world.business(), actor).place("North").channel("till").reason("a test");
        let plan = world.plan(World::spec("10 EUR"));
        let start = world.operations();
        let lot = passes.generate(&by, Generate { plan, count: 2, accept_weak: false }).wait().unwrap();
        passes.finish_run(&by, lot.run).wait().unwrap();
        passes.export(&by, lot.lot).wait().unwrap();
        let code = passes.export_page(&by, lot.lot, 0, 1).wait().unwrap().remove(0).code;
        passes.close_export(&by, lot.lot).wait().unwrap();
        passes.sell(&by, lot.lot.pass(1), Deal::at(amount("10 EUR"))).wait().unwrap();
        passes.reveal(&by, lot.lot.pass(1)).wait().unwrap();
        let spent = passes.redeem(&by, Redeem::direct(code.clone(), amount("4 EUR"))).wait().unwrap();
        passes.reverse(&by, Reverse::operation(spent.operation)).wait().unwrap();
        passes.cancel(&by, lot.lot.pass(1), Rest::Refund).wait().unwrap();
        for _ in 0..3 {
            let refused = passes.redeem(&by, Redeem::direct(code.clone(), amount("4 EUR"))).wait();
            assert_eq!(code_of(&refused), "PASS_CANCELLED");
        }
        let all = OperationFilter { actor: Some("ann".into()), ..OperationFilter::default() };
        let rows = passes.operations(&by, all, Position::default(), 100).wait().unwrap().rows;
        let kinds: Vec<Kind> = rows.iter().map(|row| row.kind).collect();
        let expected = [
            Kind::Generate,
            Kind::Step,
            Kind::Export,
            Kind::CloseExport,
            Kind::Sell,
            Kind::Reveal,
            Kind::SpendPass,
            Kind::Reverse,
            Kind::Cancel,
        ];
        assert_eq!(kinds, expected);
        for row in &rows {
            let said = (row.place.as_deref(), row.channel.as_deref(), row.reason.as_deref());
            assert_eq!(said, (Some("North"), Some("till"), Some("a test")));
            assert_eq!(row.at.to_string(), tests::world::START);
        }
        assert_eq!(world.operations() - start, rows.len());
        let second = passes.export(&by, lot.lot).wait();
        assert_eq!(code_of(&second), "EXPORT_CLOSED");
    });
}

/// B-4: refusals are counted per day of the business's calendar, code, plan and place, and the counts survive what
/// follows.
#[test]
fn refusals_are_counted() {
    let mut settings = settings();
    settings.zone = passes_core::calendar::Zone::parse("America/New_York").unwrap();
    for mut world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
        let plan = world.plan(World::spec("10 EUR"));
        let codes = world.lot_with_codes(plan, 1);
        let at = |place: Option<&str>, code: &str| {
            let by = place.map_or(world.by.clone(), |place| world.by.clone().place(place));
            world.passes.redeem(&by, Redeem::into_new_wallet(code)).wait().unwrap_err();
        };
        world.at("2026-01-14T23:00:00Z");
        for _ in 0..70 {
            at(Some("North"), &codes[0].1);
        }
        at(Some("South"), &codes[0].1);
        at(None, "4444 4444 4444");
        at(None, "!!");
        let till = may(&world, &[]);
        world.passes.redeem(&till, Redeem::into_new_wallet("4444")).wait().unwrap_err();
        // Four hours on it is the next day in UTC, and the same in New York; five hours more, and it is not.
        world.at("2026-01-15T04:59:59Z");
        at(Some("North"), &codes[0].1);
        world.at("2026-01-15T05:00:00Z");
        at(Some("North"), &codes[0].1);

        let counted = |world: &World, day: &str| {
            let rows = world.passes.refusals(&world.by, parse_date("day", day).unwrap()).wait().unwrap();
            let row = |r: &Refusals| (r.code.clone(), r.plan, r.place.clone(), r.count);
            rows.iter().map(row).collect::<Vec<_>>()
        };
        let row = |code: &str, plan, place: Option<&str>, count| {
            (code.to_owned(), plan, place.map(str::to_owned), count)
        };
        let mut foreseen = vec![
            row("FORBIDDEN", None, None, 1),
            row("MALFORMED", None, None, 1),
            row("PASS_DRAFT", Some(plan), Some("North"), 71),
            row("PASS_DRAFT", Some(plan), Some("South"), 1),
            row("UNKNOWN_CODE", None, None, 1),
        ];
        let mut first = counted(&world, "2026-01-14");
        first.sort();
        foreseen.sort();
        assert_eq!(first, foreseen);
        assert_eq!(counted(&world, "2026-01-15"), [row("PASS_DRAFT", Some(plan), Some("North"), 1)]);
        world.reopen();
        assert_eq!(counted(&world, "2026-01-14").len(), 5);
        let refused = world
            .passes
            .refusals(&may(&world, &[Right::Redeem]), parse_date("day", "2026-01-14").unwrap())
            .wait();
        assert_eq!(code_of(&refused), "FORBIDDEN");
    }
}

/// B-4: refusals of many at once, on two days and in two businesses, are all counted: what meets another flush waits
/// for the next.
#[test]
fn refusals_of_many_are_all_counted() {
    on_every_store(|world| {
        let passes = &world.passes;
        let actor = Actor::new("admin", Rights::all()).unwrap();
        let other = By::new(passes.create_business(&actor, settings()).wait().unwrap(), actor);
        for now in ["2026-01-14T12:00:00Z", "2026-01-15T12:00:00Z"] {
            world.at(now);
            std::thread::scope(|scope| {
                for till in 0..8 {
                    let (by, passes) = (if till % 2 == 0 { &world.by } else { &other }, &passes);
                    scope.spawn(move || {
                        for _ in 0..150 {
                            let unknown = Redeem::into_new_wallet("4444 4444 4444");
                            assert_eq!(code_of(&passes.redeem(by, unknown).wait()), "UNKNOWN_CODE");
                        }
                    });
                }
            });
        }
        for by in [&world.by, &other] {
            for day in ["2026-01-14", "2026-01-15"] {
                let counted = passes.refusals(by, parse_date("day", day).unwrap()).wait().unwrap();
                assert_eq!(counted.iter().map(|row| row.count).sum::<u64>(), 600, "{day}");
            }
        }
    });
}

//! Lots: broken off and gone on with, cancelled, and in formats that are nearly full.

use passes_core::Refusal;
use passes_core::id::{LotId, PlanId};
use passes_core::operation::{Actor, By, Right, Rights};
use passes_core::pass::State;
use passes_core::passcode::{Alphabet, Format};
use passes_core::plan::Spec;
use passes_core::run::Progress;
use passes_core::service::{Deal, Generate, Redeem, Rest};
use std::collections::HashSet;
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::task::{Context, Waker};
use tests::world::{amount, settings};
use tests::{Dice, World, code_of, on_every_store};

fn generate(plan: PlanId, count: u32) -> Generate {
    Generate { plan, count, accept_weak: false }
}

/// Every pass of a lot and its code.
fn codes(world: &World, lot: LotId) -> Vec<(u32, String)> {
    world.export(lot).into_iter().map(|row| (row.serial, row.code.reveal().to_owned())).collect()
}

/// T-2, T-7, D-3: a lot is broken off at random, between its steps and in the middle of them, and gone on with: it
/// has the codes that it would have had, without a gap, without a double.
#[test]
fn a_lot_is_broken_off_and_gone_on_with() {
    for (open, count) in [(World::memory_with as fn(_, _) -> World, 40_000), (World::sqlite_with, 40_000)] {
        let straight = {
            let world = open(settings(), 77);
            let plan = world.plan(World::spec("5 EUR"));
            codes(&world, world.lot(plan, count))
        };
        let mut dice = Dice::thrown("a lot");
        let mut world = open(settings(), 77);
        println!("on {}", world.store);
        let plan = world.plan(World::spec("5 EUR"));
        let started = world.passes.generate(&world.by, generate(plan, count)).wait().unwrap();
        let mut broken = 0;
        loop {
            if dice.once_in(3) {
                // Begun and dropped: nobody knows whether it landed.
                let by = world.by.clone();
                let mut step = pin!(world.passes.step(&by, started.run).into_future());
                let _ = step.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                broken += 1;
            } else {
                let progress: Progress = world.passes.step(&world.by, started.run).wait().unwrap();
                if progress.is_over() {
                    assert_eq!(progress.done, count);
                    break;
                }
            }
            if dice.once_in(2) {
                world.reopen();
            }
        }
        println!("{broken} steps were broken off");
        let made = codes(&world, started.lot);
        assert_eq!(made.len(), count as usize);
        assert!(made == straight, "other codes than without a break");
        let different: HashSet<&str> = made.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(different.len(), made.len());
        assert_eq!(
            made.iter().map(|(serial, _)| *serial).collect::<Vec<_>>(),
            (1..=count).collect::<Vec<_>>()
        );
        let _ = world.books();
    }
}

/// T-2, P-15: a lot is cancelled at each point of its making: the passes that are there are whole, the others are
/// not there, and the plan's cap has room for them again.
#[test]
fn a_cancelled_lot_has_whole_passes() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        for steps in 0..6 {
            let mut spec = World::spec("5 EUR");
            spec.caps.passes = Some(40_000);
            spec.caps.value = Some(amount("200000 EUR"));
            let plan = world.plan(spec);
            let started = passes.generate(by, generate(plan, 40_000)).wait().unwrap();
            let mut progress = passes.progress(by, started.run).wait().unwrap();
            for _ in 0..steps {
                progress = passes.step(by, started.run).wait().unwrap();
            }
            if progress.is_over() {
                assert_eq!(code_of(&passes.cancel_run(by, started.run).wait()), "WRONG_STATE");
                continue;
            }
            assert_eq!(code_of(&passes.generate(by, generate(plan, 1)).wait()), "PLAN_CAP");
            passes.cancel_run(by, started.run).wait().unwrap();
            let lot = passes.lot(by, started.lot).wait().unwrap();
            assert_eq!((lot.count, lot.complete), (progress.done, true));
            assert!(passes.pass_by_serial(by, started.lot, progress.done + 1).wait().is_err());
            let left = codes(&world, started.lot);
            assert_eq!(left.len(), progress.done as usize);
            for (serial, code) in left.iter().take(1).chain(left.last()) {
                let pass = started.lot.pass(*serial);
                passes
                    .sell(by, pass, Deal::at(amount("5 EUR")))
                    .wait()
                    .map(drop)
                    .or_else(|error| {
                        // The first and the last may be the same.
                        if error.code() == "WRONG_STATE" { Ok(()) } else { Err(error) }
                    })
                    .unwrap();
                let check = passes.check(by, &Redeem::into_new_wallet(code.as_str())).wait().unwrap();
                assert!(check.is_good());
            }
            passes.generate(by, generate(plan, 40_000 - progress.done)).wait().unwrap();
            assert_eq!(code_of(&passes.generate(by, generate(plan, 1)).wait()), "PLAN_CAP");
        }
        let _ = world.books();
    });
}

fn four_digits() -> Spec {
    let mut spec = World::spec("5 EUR");
    spec.code = Format { alphabet: Alphabet::Numeric, length: 4, group: 0, ..Format::default() };
    spec
}

/// C-4, T-2: in a format that is nearly full, codes that are taken are tried again, and again: all are different,
/// and each leads to its own pass. It needs to be accepted, by somebody who may, and for a reason.
#[test]
fn codes_that_are_taken_are_tried_again() {
    on_every_store(|mut world| {
        let plan = world.plan(four_digits());
        let weak = |count| Generate { accept_weak: true, ..generate(plan, count) };
        let refused = world.passes.generate(&world.by, generate(plan, 6_000)).wait().unwrap_err();
        let [Refusal::FormatTooShort { length: 4, needed: 12, .. }] = refused.reasons() else {
            panic!("{refused:?}")
        };
        assert_eq!(code_of(&world.passes.generate(&world.by, weak(6_000)).wait()), "REASON_REQUIRED");
        let clerk = Actor::new("clerk", Rights::of(&[Right::Issue])).unwrap();
        let clerk = By::new(world.business(), clerk).reason("the till has four keys");
        assert_eq!(code_of(&world.passes.generate(&clerk, weak(6_000)).wait()), "FORBIDDEN");
        let by = world.by.clone().reason("the till has four keys");
        let too_many = world.passes.generate(&by, weak(10_001)).wait().unwrap_err();
        let [Refusal::FormatTooShort { length: 4, needed: 5, .. }] = too_many.reasons() else {
            panic!("{too_many:?}")
        };

        let mut all = Vec::new();
        for count in [6_000, 3_000, 500] {
            let started = world.passes.generate(&by, weak(count)).wait().unwrap();
            while !world.passes.step(&world.by, started.run).wait().unwrap().is_over() {
                world.reopen();
            }
            all.extend(
                codes(&world, started.lot).into_iter().map(|(serial, code)| (started.lot.pass(serial), code)),
            );
        }
        let different: HashSet<&str> = all.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(different.len(), 9_500);
        for (pass, code) in all.iter().step_by(97) {
            let found = world.passes.pass_by_code(&world.by, &code.as_str().into()).wait().unwrap();
            assert_eq!(found.id, *pass);
        }
        let left = world.passes.generate(&by, weak(501)).wait();
        assert_eq!(code_of(&left), "FORMAT_TOO_SHORT");
        let _ = world.books();
    });
}

/// C-4: codes stay reserved for ever, but those of a wholly cancelled lot count no longer in the odds of a guess,
/// whether its passes were cancelled together or one by one before.
#[test]
fn a_cancelled_lot_makes_guesses_harder_again() {
    let mut settings = settings();
    settings.guess_one_in = 1_000;
    for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = four_digits();
        spec.code.length = 6;
        let plan = world.plan(spec);
        let lot = world.lot(plan, 1_000);
        let first = codes(&world, lot);
        let refused = passes.generate(by, generate(plan, 1)).wait().unwrap_err();
        assert_eq!(
            (refused.code(), refused.reasons()[0].fix().as_str()),
            ("FORMAT_TOO_SHORT", "use at least 7 characters")
        );
        passes.cancel(by, lot.pass(7), Rest::Forfeit).wait().unwrap();
        assert_eq!(code_of(&passes.generate(by, generate(plan, 1)).wait()), "FORMAT_TOO_SHORT");
        let run = passes.cancel(by, lot, Rest::Forfeit).wait().unwrap().run.unwrap();
        passes.finish_run(by, run).wait().unwrap();
        assert_eq!(passes.count_states(by, lot).wait().unwrap(), [(State::Cancelled, 1_000)].into());
        let second = codes(&world, world.lot(plan, 1_000));
        let old: HashSet<&str> = first.iter().map(|(_, code)| code.as_str()).collect();
        assert!(second.iter().all(|(_, code)| !old.contains(code.as_str())), "a code came twice");
        for (_, code) in first.iter().take(20) {
            let answer = passes.redeem(by, Redeem::into_new_wallet(code.as_str())).wait();
            assert_eq!(code_of(&answer), "PASS_CANCELLED");
        }
        let _ = world.books();
    }
}

/// C-6, B-5, T-3: codes are exported page by page, again and again until the export is closed; a second export
/// needs a reason; the printing house is told of the lot.
#[test]
fn a_lot_is_exported_until_it_is_closed() {
    let mut settings = settings();
    settings.printing_house = true;
    for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
        let (passes, by) = (&world.passes, &world.by);
        let plan = world.plan(World::spec("5 EUR"));
        let started = passes.generate(by, generate(plan, 25)).wait().unwrap();
        assert_eq!(code_of(&passes.export(by, started.lot).wait()), "WRONG_STATE");
        passes.finish_run(by, started.run).wait().unwrap();
        let events = passes.events(by, passes_core::event::Position::default(), 100).wait().unwrap();
        assert!(events.iter().any(|told| matches!(
            told.event,
            passes_core::event::Event::LotReady { print: true, count: 25, .. }
        )));
        assert_eq!(code_of(&passes.export_page(by, started.lot, 0, 10).wait()), "WRONG_STATE");
        assert_eq!(passes.export(by, started.lot).wait().unwrap().done, 1);
        assert_eq!(code_of(&passes.export(by, started.lot).wait()), "REASON_REQUIRED");
        assert_eq!(
            passes.export(&by.clone().reason("the file was lost"), started.lot).wait().unwrap().done,
            2
        );
        let page = |after, limit| passes.export_page(by, started.lot, after, limit).wait().unwrap();
        let all: Vec<String> = page(0, 100).iter().map(|row| row.code.reveal().to_owned()).collect();
        let mut parts = Vec::new();
        for after in [0, 10, 20] {
            parts.extend(page(after, 10).iter().map(|row| row.code.reveal().to_owned()));
        }
        assert_eq!((all.len(), &all), (25, &parts));
        let csv = passes_core::service::export_csv(&page(0, 2), true).unwrap();
        let csv = String::from_utf8(csv.to_vec()).unwrap();
        assert!(
            csv.starts_with("passcode,value,expires,serial\r\n")
                || csv.starts_with("passcode,value,expires,serial\n")
        );
        assert!(csv.contains(&all[0]) && csv.contains(",1"));
        passes.close_export(by, started.lot).wait().unwrap();
        assert_eq!(code_of(&passes.export_page(by, started.lot, 0, 10).wait()), "EXPORT_CLOSED");
        assert_eq!(code_of(&passes.export(by, started.lot).wait()), "EXPORT_CLOSED");
        assert_eq!(code_of(&passes.close_export(by, started.lot).wait()), "EXPORT_CLOSED");
    }
}

//! Plans in their life, contacts, and the events that everybody reads.

use passes_core::contact::{Medium, Profile};
use passes_core::event::{Event, Position};
use passes_core::plan::{Form, PlanState, Usage};
use passes_core::service::{Deal, Generate, Issue, Recipient, Redeem};
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::world::amount;
use tests::{Dice, World, code_of, on_every_store};

/// P-1, P-2, P-11: a plan is a draft, then active, then archived; only an active one makes passes. Once it has one it
/// is frozen but for translations and raised caps, and can't be deleted, but copied, prefix and all.
#[test]
fn a_plan_in_its_life() {
    let mut settings = tests::world::settings();
    settings.locales.push("de".into());
    for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = World::spec("10 EUR");
        spec.code.prefix = "GIFT".into();
        let plan = passes.create_plan(by, spec.clone()).wait().unwrap().done;
        let generate = || {
            let started = passes.generate(by, Generate { plan, count: 2, accept_weak: false }).wait()?;
            passes.finish_run(by, started.run).wait().map(|_| started.lot)
        };
        let state = || passes.plan(by, plan).wait().unwrap().state;
        assert_eq!((state(), code_of(&generate())), (PlanState::Draft, "WRONG_STATE"));
        // Printed passes are made in lots, electronic ones for one recipient.
        let mut electronic = spec.clone();
        electronic.terms.form = Form::Electronic;
        let other = world.plan(electronic);
        let lot = passes.generate(by, Generate { plan: other, count: 2, accept_weak: false }).wait();
        assert_eq!(code_of(&lot), "WRONG_STATE");
        // A draft may change in any way.
        spec.terms.usage = Usage::Full(3);
        passes.edit_plan(by, plan, spec.clone()).wait().unwrap();
        passes.activate_plan(by, plan).wait().unwrap();
        assert_eq!(code_of(&passes.activate_plan(by, plan).wait()), "WRONG_STATE");
        spec.terms.usage = Usage::Full(2);
        passes.edit_plan(by, plan, spec.clone()).wait().unwrap();
        let lot = generate().unwrap();
        passes.archive_plan(by, plan).wait().unwrap();
        assert_eq!((state(), code_of(&generate())), (PlanState::Archived, "WRONG_STATE"));
        // Its passes live on.
        passes.sell(by, lot.pass(1), Deal::at(amount("20 EUR"))).wait().unwrap();
        let code = passes.reveal(by, lot.pass(1)).wait().unwrap().1.unwrap();
        passes.redeem(by, Redeem::into_new_wallet(code.reveal())).wait().unwrap();
        passes.activate_plan(by, plan).wait().unwrap();

        let frozen = |change: &dyn Fn(&mut passes_core::plan::Spec)| {
            let mut next = spec.clone();
            change(&mut next);
            let answer = passes.edit_plan(by, plan, next).wait();
            answer.map_err(|error| (error.code(), error.reasons()[0].values()[0].1.clone())).map(drop)
        };
        assert_eq!(frozen(&|s| s.terms.usage = Usage::Full(3)), Err(("PLAN_FROZEN", "terms".into())));
        assert_eq!(frozen(&|s| s.code.prefix = "PRESENT".into()), Err(("PLAN_FROZEN", "code".into())));
        assert_eq!(frozen(&|s| s.caps.passes = Some(10)), Err(("PLAN_FROZEN", "caps.passes".into())));
        assert_eq!(frozen(&|s| drop(s.name.insert("de".into(), "Gutschein".into()))), Ok(()));
        assert_eq!(passes.plan(by, plan).wait().unwrap().spec.name_in("de", "en"), "Gutschein");
        assert_eq!(code_of(&passes.delete_plan(by, plan).wait()), "PLAN_FROZEN");

        let copy = passes.copy_plan(by, plan).wait().unwrap().done;
        let copied = passes.plan(by, copy).wait().unwrap();
        assert_eq!((copied.state, copied.copy_of, copied.terms), (PlanState::Draft, Some(plan), None));
        assert_eq!(copied.spec.code.prefix, "GIFT");
        passes.activate_plan(by, copy).wait().unwrap();
        let third = passes.copy_plan(by, copy).wait().unwrap().done;
        passes.delete_plan(by, third).wait().unwrap();
        assert_eq!(code_of(&passes.plan(by, third).wait()), "NOT_FOUND");
        let listed: Vec<_> =
            passes.plans(by, None, 10).wait().unwrap().rows.iter().map(|plan| plan.id).collect();
        assert!(listed.contains(&plan) && listed.contains(&copy) && !listed.contains(&third));
        // Two plans share a prefix, and no code: each leads to its own pass.
        let codes: BTreeMap<String, _> = [plan, copy]
            .into_iter()
            .flat_map(|plan| world.lot_with_codes(plan, 50))
            .map(|(pass, code)| (code, pass))
            .collect();
        assert_eq!(codes.len(), 100);
        for (code, pass) in &codes {
            assert!(code.starts_with("GIFT-"));
            assert_eq!(passes.pass_by_code(by, &code.as_str().into()).wait().unwrap().id, *pass);
        }
    }
}

/// W-7: a contact is created, found by id, telephone, e-mail and the host's reference in whatever form they are
/// typed, and edited; a medium leads to one contact at a time.
#[test]
fn contacts_are_found_by_their_media() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let phone = |text: &str| Medium::Phone(text.into());
        let email = |text: &str| Medium::Email(text.into());
        let reference = |text: &str| Medium::Reference(text.into());
        let media = vec![phone("+44 1632 960-960"), email("Ann@Example.org"), reference("C 12")];
        let profile = Profile { name: Some("Ann".into()), media, ..Profile::default() };
        let ann = passes.create_contact(by, profile.clone()).wait().unwrap().done;
        let found = |medium| passes.find_contact(by, medium).wait().unwrap().map(|contact| contact.id);
        for medium in [
            phone("+441632960960"),
            phone("+44 (1632) 960 960"),
            email(" ann@example.ORG "),
            reference("C 12"),
        ] {
            assert_eq!(found(medium), Some(ann));
        }
        assert_eq!(found(phone("+441632960961")), None);
        assert_eq!(passes.contact(by, ann).wait().unwrap().profile.name.as_deref(), Some("Ann"));
        let taken = passes.create_contact(by, Profile::of(email("ANN@example.org"))).wait();
        assert_eq!(code_of(&taken), "TAKEN");
        let bob = passes.create_contact(by, Profile::of(phone("+441632960999"))).wait().unwrap().done;
        let edited = Profile {
            name: Some("Anna".into()),
            media: vec![reference("C 12"), email("anna@example.org")],
            ..profile
        };
        passes.edit_contact(by, ann, edited).wait().unwrap();
        assert_eq!(found(phone("+441632960960")), None, "free again");
        assert_eq!((found(email("anna@example.org")), found(reference("C 12"))), (Some(ann), Some(ann)));
        let both =
            Profile { media: vec![phone("+441632960999"), phone("+441632960960")], ..Profile::default() };
        passes.edit_contact(by, bob, both).wait().unwrap();
        assert_eq!(found(phone("+441632960960")), Some(bob));
        let theirs = Profile::of(reference("C 12"));
        assert_eq!(code_of(&passes.edit_contact(by, bob, theirs).wait()), "TAKEN");
        assert_eq!(found(phone("+441632960999")), Some(bob), "nothing of it was done");
        // Nothing personal in what everybody reads.
        let events = format!("{:?}", passes.events(by, Position::default(), 100).wait().unwrap());
        assert!(!events.contains("Ann") && !events.contains("example"));
    });
}

/// W-7, D-3: the same medium is registered, and the same contact edited, by many at once: one gets it, the others
/// are told that it is taken, and nobody meets a conflict.
#[test]
fn a_medium_is_taken_once() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let ann = world.contact();
        for round in 0..5 {
            let start = Barrier::new(8);
            let answers: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|n| {
                        let start = &start;
                        scope.spawn(move || {
                            let medium = Medium::Email(format!("round{round}@example.org"));
                            let own = Medium::Email(format!("round{round}-{n}@example.org"));
                            start.wait();
                            let created = passes.create_contact(by, Profile::of(medium)).wait().map(drop);
                            let edited = passes.edit_contact(by, ann, Profile::of(own)).wait().map(drop);
                            (created, edited)
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let created: Vec<_> = answers.iter().map(|(created, _)| code_of(created)).collect();
            assert_eq!(created.iter().filter(|code| **code == "ok").count(), 1, "{created:?}");
            assert_eq!(created.iter().filter(|code| **code == "TAKEN").count(), 7, "{created:?}");
            let edited: Vec<_> = answers.iter().map(|(_, edited)| code_of(edited)).collect();
            assert_eq!(edited, ["ok"; 8]);
        }
    });
}

/// E-1: while many write, a reader with its cursor sees every event, in order, and none ever appears behind it; read
/// again from any place, the same events come again.
#[test]
fn a_reader_misses_nothing() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = World::spec("1 EUR");
        spec.terms.form = Form::Electronic;
        let plan = world.plan(spec);
        let (_, code) = world.used("2 EUR", Usage::Full(1_000));
        let contact = world.contact();
        let over = AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let (mut seen, mut cursor) = (Vec::new(), Position::default());
                let mut dice = Dice::new(3);
                loop {
                    let was_over = over.load(Ordering::SeqCst);
                    let told = passes.events(by, cursor, 1 + dice.below(20) as u32).wait().unwrap();
                    if told.is_empty() && was_over {
                        return seen;
                    }
                    cursor = told.last().map_or(cursor, |told| told.position);
                    seen.extend(told);
                }
            });
            let writers: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..25 {
                            passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
                            let issue = Issue::new(plan, Recipient::Contact(contact), "email");
                            let pass = passes.issue(by, issue).wait().unwrap().pass;
                            passes.delivered(by, pass, passes_core::lot::Outcome::Confirmed).wait().unwrap();
                        }
                    })
                })
                .collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            over.store(true, Ordering::SeqCst);
            reader.join().unwrap()
        });
        let all = passes.events(by, Position::default(), 10_000).wait().unwrap();
        assert_eq!(seen, all);
        assert!(all.windows(2).all(|two| (two[0].position, two[0].index) < (two[1].position, two[1].index)));
        let redeemed: Vec<i64> = all
            .iter()
            .filter_map(
                |told| if let Event::PassRedeemed { left, .. } = told.event { Some(left) } else { None },
            )
            .collect();
        assert_eq!(
            redeemed,
            (0..150).map(|n| 200 * (999 - n)).collect::<Vec<_>>(),
            "in order, each with its rest"
        );
        // Of each pass: wanted before delivered.
        let mut wanted = std::collections::BTreeSet::new();
        for told in &all {
            match &told.event {
                Event::DeliveryWanted { pass, .. } => assert!(wanted.insert(*pass)),
                Event::DeliveryRecorded { pass, activated, .. } => {
                    assert!(wanted.contains(pass) && *activated)
                }
                _ => {}
            }
        }
        assert_eq!(wanted.len(), 150);
        let middle = all[all.len() / 2].position;
        let again = passes.events(by, middle, 10_000).wait().unwrap();
        assert_eq!(again, all.iter().filter(|told| told.position > middle).cloned().collect::<Vec<_>>());
    });
}

/// B-1, E-1: nothing crosses from one business to another: neither passes, nor codes, nor contacts, nor events.
#[test]
fn businesses_are_apart() {
    on_every_store(|world| {
        let passes = &world.passes;
        let (pass, code) = world.gift("10 EUR");
        let contact = world.contact();
        let actor =
            passes_core::operation::Actor::new("admin", passes_core::operation::Rights::all()).unwrap();
        let second = passes.create_business(&actor, tests::world::settings()).wait().unwrap();
        let by = passes_core::operation::By::new(second, actor);
        assert_eq!(code_of(&passes.pass(&by, pass).wait()), "NOT_FOUND");
        assert_eq!(code_of(&passes.suspend(&by, pass).wait()), "NOT_FOUND");
        assert_eq!(
            code_of(&passes.redeem(&by, Redeem::into_new_wallet(code.as_str())).wait()),
            "UNKNOWN_CODE"
        );
        assert_eq!(code_of(&passes.contact(&by, contact).wait()), "CONTACT_NOT_REGISTERED");
        let medium = Medium::Reference("customer 0".into());
        assert!(passes.find_contact(&by, medium.clone()).wait().unwrap().is_none());
        passes.create_contact(&by, Profile::of(medium)).wait().unwrap();
        let events = passes.events(&by, Position::default(), 100).wait().unwrap();
        assert_eq!(events.len(), 2, "its own creation and its contact: {events:?}");
        assert_eq!(passes.lots(&by, None, None, 10).wait().unwrap().rows.len(), 0);
        let operation =
            passes.redeem(&world.by, Redeem::into_new_wallet(code.as_str())).wait().unwrap().operation;
        let reverse = passes.reverse(&by, passes_core::service::Reverse::operation(operation)).wait();
        assert_eq!(code_of(&reverse), "NOT_FOUND");
    });
}

//! Secrets: what a stolen file tells, what the keys are for, and that nothing prints a code.

use passes_core::business::{Secrecy, Settings};
use passes_core::event::Position;
use passes_core::id::LotId;
use passes_core::lot::Outcome;
use passes_core::operation::{Actor, By, Kind, Right, Rights};
use passes_core::passcode::{CodeHash, Format, Passcode, Presented};
use passes_core::plan::Form;
use passes_core::secret::Keyring;
use passes_core::service::{Deal, Issue, OperationFilter, Recipient, Redeem, Rest, Reverse};
use passes_core::store::wait;
use std::fmt::Debug;
use tests::world::{amount, settings};
use tests::{World, code_of, on_every_store};

fn hashed() -> Settings {
    Settings { secrecy: Secrecy::Hashed, accept_hashes: true, ..settings() }
}

fn hash_of(world: &World, code: &str) -> CodeHash {
    Passcode::new(code).hash(world.business().as_bytes()).unwrap()
}

/// Every form in which a code could lie somewhere: as shown, folded, and its hash in digits and in bytes.
fn forms(world: &World, code: &str) -> Vec<Vec<u8>> {
    let hash = hash_of(world, code);
    let folded = Passcode::new(code).fold().unwrap().reveal().to_owned();
    let hex = hash.reveal_hex().to_string();
    vec![
        code.as_bytes().to_vec(),
        folded.as_bytes().to_vec(),
        folded.to_lowercase().into_bytes(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        hash.reveal().to_vec(),
    ]
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// A lot that was exported, sold and redeemed, an electronic pass that was sent, and everything that goes wrong on
/// the way; and all that was printed of it.
fn live(world: &World) -> (Vec<String>, String, LotId) {
    let (passes, by) = (&world.passes, &world.by);
    let mut printed = String::new();
    fn print<T: Debug>(printed: &mut String, what: T) {
        printed.push_str(&format!("{what:?}\n{what:#?}\n"));
    }
    let mut spec = World::spec("10 EUR");
    spec.code = Format { length: 11, check: true, prefix: "G".into(), ..Format::default() };
    let plan = world.plan(spec.clone());
    let lot = world.lot(plan, 12);
    let rows = world.export(lot);
    print(&mut printed, &rows);
    let mut codes: Vec<String> = rows.iter().map(|row| row.code.reveal().to_owned()).collect();
    print(&mut printed, passes.close_export(by, lot).wait());
    let contact = world.contact();
    for (n, code) in codes.iter().enumerate().take(8) {
        let pass = lot.pass(n as u32 + 1);
        print(&mut printed, passes.sell(by, pass, Deal::at(amount("9 EUR"))).wait());
        let request = Redeem::into_wallet(code.as_str(), contact);
        print(&mut printed, &request);
        print(&mut printed, passes.check(by, &request).wait());
        print(&mut printed, passes.redeem(&world.key(&format!("key {n}")), request.clone()).wait());
        print(&mut printed, passes.redeem(by, request.clone()).wait());
        let error = passes.redeem(by, request).wait().unwrap_err();
        printed.push_str(&error.to_string());
        for reason in error.reasons() {
            printed.push_str(&format!("{:?} {}", reason.values(), reason.fix()));
        }
        let mut wrong = code.clone();
        let last = wrong.pop().unwrap();
        wrong.push(if last == '7' { '4' } else { '7' });
        let typed = passes.redeem(by, Redeem::into_wallet(wrong.as_str(), contact)).wait().unwrap_err();
        printed.push_str(&format!("{typed} {typed:?}"));
        print(&mut printed, passes.pass(by, pass).wait());
        print(&mut printed, Presented::from(code.as_str()));
        print(&mut printed, Presented::from(hash_of(world, code)));
    }
    let undone = passes.reverse(by, Reverse::key("key 1")).wait();
    print(&mut printed, undone);
    spec.terms.form = Form::Electronic;
    let issue = Issue::new(world.plan(spec), Recipient::Contact(contact), "email").from("Bob", "For you");
    let issued = passes.issue(by, issue.sold(Deal::at(amount("10 EUR")))).wait().unwrap();
    print(&mut printed, &issued);
    let (receipt, code) = passes.reveal(by, issued.pass).wait().unwrap();
    let code = code.unwrap();
    print(&mut printed, (&receipt, &code));
    printed.push_str(&serde_json::to_string(&issued.done).unwrap());
    print(&mut printed, passes.delivered(by, issued.pass, Outcome::Confirmed).wait());
    let spent = passes.redeem(by, Redeem::direct(code.reveal(), amount("3 EUR"))).wait().unwrap();
    printed.push_str(&serde_json::to_string(&spent.done).unwrap());
    print(&mut printed, passes.cancel(by, issued.pass, Rest::Reissue).wait());
    codes.push(code.reveal().to_owned());
    print(&mut printed, passes.events(by, Position::default(), 10_000).wait());
    print(
        &mut printed,
        passes.operations(by, OperationFilter::default(), Position::default(), 10_000).wait(),
    );
    print(
        &mut printed,
        passes.refusals(by, passes_core::calendar::parse_date("day", "2026-01-14").unwrap()).wait(),
    );
    print(&mut printed, &world.by);
    (codes, printed, lot)
}

/// C-13, C-7: no code, no hash, in whatever form, stands in the file or its log, nor in anything that is printed of
/// requests, answers, errors and events: in a hashed business after its exports were closed, and in a sealed one
/// always.
#[test]
fn no_secret_lies_anywhere() {
    for settings in [hashed(), settings()] {
        let mut world = World::sqlite_with(settings, 1);
        let (codes, printed, _) = live(&world);
        let folder = world.path().unwrap().parent().unwrap().to_owned();
        let read = || {
            let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect::<Vec<_>>()
        };
        // With the log, and after the file was closed.
        let mut files = read();
        world.reopen();
        files.extend(read());
        assert!(
            files.iter().any(|(_, bytes)| holds(bytes, b"The Gift Shop")),
            "the search finds what is there"
        );
        let all: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        for code in &codes {
            for form in forms(&world, code) {
                assert!(!holds(&all, &form), "a secret lies in the file");
                assert!(!holds(printed.as_bytes(), &form), "a secret was printed");
            }
        }
        let _ = world.books();
    }
}

/// C-7, L-2: in a hashed business nobody can bring a code back once its export is closed or its delivery is
/// acknowledged; until then, and in a sealed one always, somebody with the right can, and it is on record.
#[test]
fn codes_are_revealed_as_the_business_says() {
    for (settings, after) in [(hashed(), "CODE_NOT_RECOVERABLE"), (settings(), "ok")] {
        for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
            let (passes, by) = (&world.passes, &world.by);
            let plan = world.plan(World::spec("5 EUR"));
            let lot = world.lot(plan, 3);
            let codes = world.export(lot);
            let reveal = |pass| passes.reveal(by, pass).wait();
            let (receipt, code) = reveal(lot.pass(2)).unwrap();
            assert_eq!(code.unwrap().reveal(), codes[1].code.reveal());
            let reveals = || {
                let filter = OperationFilter { kind: Some(Kind::Reveal), ..OperationFilter::default() };
                passes.operations(by, filter, Position::default(), 100).wait().unwrap().rows
            };
            assert_eq!(reveals().iter().map(|op| op.position).collect::<Vec<_>>(), [receipt.operation]);
            // A repeated request is answered without the secret.
            let first = passes.reveal(&world.key("one"), lot.pass(1)).wait().unwrap();
            let again = passes.reveal(&world.key("one"), lot.pass(1)).wait().unwrap();
            assert!(first.1.is_some() && again.0.replayed && again.1.is_none());
            let clerk = By::new(world.business(), Actor::new("clerk", Rights::of(&[Right::View])).unwrap());
            assert_eq!(code_of(&passes.reveal(&clerk, lot.pass(1)).wait()), "FORBIDDEN");
            assert_eq!(reveals().len(), 2);
            passes.close_export(by, lot).wait().unwrap();
            assert_eq!(code_of(&reveal(lot.pass(2))), after);
            assert_eq!(passes.lot(by, lot).wait().unwrap().recoverable, after == "ok");
            // The codes still work.
            passes.sell(by, lot.pass(1), Deal::at(amount("5 EUR"))).wait().unwrap();
            passes.redeem(by, Redeem::into_new_wallet(codes[0].code.reveal())).wait().unwrap();

            let mut spec = World::spec("5 EUR");
            spec.terms.form = Form::Electronic;
            let issue = Issue::new(world.plan(spec), Recipient::Contact(world.contact()), "email");
            let pass = passes.issue(by, issue).wait().unwrap().pass;
            passes.delivered(by, pass, Outcome::Failed { why: "full".into() }).wait().unwrap();
            passes.resend(by, pass).wait().unwrap();
            passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
            assert_eq!(code_of(&passes.resend(by, pass).wait()), after);
            assert_eq!(code_of(&reveal(pass)), after);
            // Then a reissue helps: a new code, sent anew.
            let new = passes.cancel(by, pass, Rest::Reissue).wait().unwrap().replaced[0].1;
            let code = reveal(new).unwrap().1.unwrap();
            passes.redeem(by, Redeem::into_new_wallet(code.reveal())).wait().unwrap();
            let events = passes.events(by, Position::default(), 10_000).wait().unwrap();
            let wanted = events.iter().filter(|told| {
                matches!(told.event, passes_core::event::Event::DeliveryWanted { pass, .. } if pass == new)
            });
            assert_eq!(wanted.count(), 1);
        }
    }
}

/// C-7, C-14: a database without its keys opens for nobody, and the error names the key's id; with keys of the
/// same names and other bytes, neither.
#[test]
fn a_database_needs_its_keys() {
    on_every_store(|mut world| {
        let (_, code) = world.gift("10 EUR");
        let told = |error: passes_core::Error| (error.code(), error.to_string());
        let other = Keyring::from_master("m1", &[8; 32]).unwrap();
        let (code_of_error, text) = told(world.reopen_with(other).unwrap_err());
        assert_eq!(code_of_error, "KEY_WRONG");
        assert!(text.contains("m1"), "{text}");
        let unknown = Keyring::from_master("m2", &[7; 32]).unwrap();
        let (code_of_error, text) = told(world.reopen_with(unknown).unwrap_err());
        assert_eq!(code_of_error, "KEY_MISSING");
        assert!(text.contains("m1"), "{text}");
        let none = world.reopen_with(Keyring::builder().build().unwrap()).unwrap_err();
        assert_eq!(none.code(), "KEY_MISSING");
        world.reopen();
        let answer = world.passes.redeem(&world.by, Redeem::into_new_wallet(code.as_str())).wait();
        assert_eq!(code_of(&answer), "ok");
    });
}

/// C-7: even past that check, a keyring with another digest key finds no pass, and one with another seal key opens
/// no seed.
#[test]
fn another_keyring_redeems_nothing() {
    // The check values of another world's store are put into this one's, as a thief could who owns both.
    let world = World::memory();
    let (_, code) = world.gift("10 EUR");
    let thief = Keyring::from_master("m1", &[8; 32]).unwrap();
    let store = std::sync::Arc::clone(world.passes.store());
    let foreign: std::sync::Arc<dyn passes_core::store::Store> =
        std::sync::Arc::new(passes_core::store::memory::Memory::new());
    let entropy = std::sync::Arc::new(passes_host::testing::SeededEntropy::new(3));
    let _ = passes_core::Passes::open(
        std::sync::Arc::clone(&foreign),
        thief.clone(),
        world.clock.clone(),
        entropy.clone(),
    )
    .wait()
    .unwrap();
    let key = passes_core::store::DocKey { kind: passes_core::store::DocKind::Keys, id: [0; 16] };
    let mut load = passes_core::store::Load::new(passes_core::id::BusinessId::STORE);
    load.docs.push(key);
    let doc = wait(foreign.load(&load)).unwrap().doc(&key).unwrap().clone();
    let mut change = passes_core::store::Change::new(passes_core::id::BusinessId::STORE);
    let record = passes_core::store::Record::Doc(doc);
    change.put.push(passes_core::store::Put { record, expect: passes_core::store::Expect::Version(1) });
    wait(store.commit(&[change])).unwrap().remove(0).unwrap();
    let passes = passes_core::Passes::open(store, thief, world.clock.clone(), entropy).wait().unwrap();
    let answer = passes.redeem(&world.by, Redeem::into_new_wallet(code.as_str())).wait();
    assert_eq!(code_of(&answer), "UNKNOWN_CODE");
    let lot = passes.lots(&world.by, None, None, 10).wait().unwrap().rows[0].id;
    assert_eq!(code_of(&passes.reveal(&world.by, lot.pass(1)).wait()), "KEY_WRONG");
}

/// C-14: wherever a code is taken its hash is, if the business allows it and the actor has the right.
#[test]
fn hashes_are_taken_where_they_are_allowed() {
    for (settings, allowed) in [(hashed(), true), (settings(), false)] {
        let world = World::memory_with(settings, 1);
        let (passes, by) = (&world.passes, &world.by);
        let (pass, code) = world.gift("10 EUR");
        let hash = hash_of(&world, &code);
        let request = Redeem::direct(hash.clone(), amount("1 EUR"));
        assert_eq!(
            code_of(&passes.redeem(by, request.clone()).wait()),
            if allowed { "ok" } else { "FORBIDDEN" }
        );
        let till = By::new(world.business(), Actor::new("till", Rights::of(&[Right::Redeem])).unwrap());
        assert_eq!(code_of(&passes.redeem(&till, request).wait()), "FORBIDDEN");
        passes.redeem(&till, Redeem::direct(code.as_str(), amount("1 EUR"))).wait().unwrap();
        if allowed {
            let found = passes.pass_by_code(by, &Presented::Hash(hash)).wait().unwrap();
            assert_eq!(found.id, pass);
            // The same request, with the code or with its hash, is the same request.
            let key = world.key("one");
            let first = passes.redeem(&key, Redeem::direct(code.as_str(), amount("1 EUR"))).wait().unwrap();
            let again =
                passes.redeem(&key, Redeem::direct(hash_of(&world, &code), amount("1 EUR"))).wait().unwrap();
            assert!(again.replayed && again.done == first.done);
        }
    }
}

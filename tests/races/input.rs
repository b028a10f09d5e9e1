//! Bad input: each a clear error with its code, nothing lost, nothing half done.

use passes_core::conditions::{Basket, Line};
use passes_core::contact::{Medium, Profile};
use passes_core::id::{ContactId, PassId};
use passes_core::money::{Currency, Money};
use passes_core::passcode::{Alphabet, Format};
use passes_core::plan::{Spec, Usage, Worth};
use passes_core::service::{Deal, Generate, Issue, Over, Recipient, Redeem, Reverse, Spend};
use passes_core::store::{Store, StoreError};
use passes_core::{Error, Passes, Refusal};
use passes_sqlite::Sqlite;
use std::sync::Arc;
use tests::world::{amount, keyring, minor, one_line, settings};
use tests::{World, code_of, on_every_store};

/// What a world holds, to tell whether anything changed.
fn state(world: &World) -> (tests::Books, Vec<passes_core::plan::Plan>) {
    (world.books(), world.passes.plans(&world.by, None, 1_000).wait().unwrap().rows)
}

/// Z-1, Z-3, B-3, P-1, P-3, C-1, C-4, P-5: a table of bad input to the service: each is refused with its code and
/// a text that names what is wrong, and nothing has changed.
#[test]
fn bad_input_is_refused_and_changes_nothing() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        let (pass, code) = world.gift("10 EUR");
        let plan = world.plan(World::spec("5 EUR"));
        let lot = world.lot(plan, 3);
        let before = state(&world);
        let eur = amount("0 EUR").currency();
        let spec = |change: &dyn Fn(&mut Spec)| {
            let mut spec = World::spec("10 EUR");
            change(&mut spec);
            passes.create_plan(by, spec).wait().map(drop)
        };
        let nobody: ContactId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        let no_pass: PassId = "0192a0d5-c3f0-7b12-a4c8-d91100000001".parse().unwrap();
        let long = "x".repeat(10_000);
        let format = |format: Format| spec(&move |spec| spec.code = format.clone());
        let redeem = |request: Redeem| passes.redeem(by, request).wait().map(drop);
        let spend = |request: Spend| passes.spend(by, request).wait().map(drop);
        let generate =
            |count| passes.generate(by, Generate { plan, count, accept_weak: false }).wait().map(drop);
        let contact_of = |medium| passes.create_contact(by, Profile::of(medium)).wait().map(drop);
        let refused = |refusal: Refusal| -> Result<(), Error> { Err(refusal.into()) };
        let line = Line::new("X", 1, amount("1 EUR"));
        let table: Vec<(&str, Result<(), Error>, &str, &str)> = vec![
            ("an unknown currency", refused(Currency::parse("QQQ").unwrap_err()), "UNKNOWN_CURRENCY", "QQQ"),
            (
                "a currency that is not enabled",
                spec(&|s| {
                    s.terms =
                        passes_core::plan::Terms::fixed(s.terms.classification, s.terms.form, amount("5 CHF"))
                }),
                "UNKNOWN_CURRENCY",
                "CHF",
            ),
            (
                "a range turned round",
                spec(&|s| s.terms.value = Worth::Range { least: amount("20 EUR"), most: amount("10 EUR") }),
                "INVALID",
                "turned round",
            ),
            (
                "a range in two currencies",
                spec(&|s| s.terms.value = Worth::Range { least: amount("10 EUR"), most: amount("20 GBP") }),
                "MIXED_CURRENCIES",
                "GBP",
            ),
            (
                "a value of nothing",
                spec(&|s| s.terms.value = Worth::Fixed(amount("0 EUR"))),
                "INVALID",
                "terms.value",
            ),
            ("no uses", spec(&|s| s.terms.usage = Usage::Full(0)), "INVALID", "terms.usage"),
            ("too many uses", spec(&|s| s.terms.usage = Usage::Full(1_000_001)), "INVALID", "terms.usage"),
            (
                "a value too small to be shared",
                spec(&|s| s.terms.usage = Usage::Shared(1_001)),
                "INVALID",
                "terms.usage",
            ),
            ("a pool that is not there", spec(&|s| s.terms.pool = Some("moon".into())), "INVALID", "moon"),
            ("no name", spec(&|s| s.name.clear()), "INVALID", "name"),
            (
                "a long name",
                spec(&|s| drop(s.name.insert("en".into(), "x".repeat(65)))),
                "TOO_LARGE",
                "name.en",
            ),
            (
                "a format too short to be one",
                format(Format { length: 3, ..Format::default() }),
                "BAD_FORMAT",
                "length",
            ),
            (
                "an alphabet of one",
                format(Format { alphabet: Alphabet::from("A"), ..Format::default() }),
                "BAD_FORMAT",
                "two",
            ),
            (
                "an alphabet that folds together",
                format(Format { alphabet: Alphabet::from("AO0"), ..Format::default() }),
                "BAD_FORMAT",
                "0",
            ),
            (
                "an alphabet of strangers",
                format(Format { alphabet: Alphabet::from("ÄÖÜ"), ..Format::default() }),
                "BAD_FORMAT",
                "ASCII",
            ),
            ("no passes", generate(0), "INVALID", "count"),
            ("too many passes", generate(u32::MAX), "TOO_LARGE", "count"),
            (
                "a range of serials turned round",
                passes.activate(by, Over::Serials { lot, first: 3, last: 2 }).wait().map(drop),
                "INVALID",
                "turned round",
            ),
            (
                "a very long list",
                passes.activate(by, vec![pass; 10_001]).wait().map(drop),
                "TOO_LARGE",
                "passes",
            ),
            ("a pass that is not there", passes.suspend(by, no_pass).wait().map(drop), "NOT_FOUND", "pass"),
            (
                "a lot that is not there",
                passes.suspend(by, no_pass.lot()).wait().map(drop),
                "NOT_FOUND",
                "lot",
            ),
            (
                "too many decimals",
                refused(Money::parse("1.005", eur).unwrap_err()),
                "TOO_MANY_DECIMALS",
                "1.005",
            ),
            ("no amount at all", refused(Money::parse("ten", eur).unwrap_err()), "INVALID", "decimal"),
            (
                "an amount beyond counting",
                refused(Money::parse("99999999999999999999", eur).unwrap_err()),
                "BAD_AMOUNT",
                "go up to",
            ),
            (
                "a basket of a million lines",
                refused(Basket::new(eur, vec![line.clone(); 1_000_000]).unwrap_err()),
                "TOO_LARGE",
                "1000000",
            ),
            (
                "a price below zero",
                refused(Basket::new(eur, vec![Line::new("X", 1, amount("-1 EUR"))]).unwrap_err()),
                "BAD_AMOUNT",
                "below zero",
            ),
            (
                "a basket beyond counting",
                refused(
                    Basket::new(eur, vec![Line::new("X", u32::MAX, minor(1_000_000_000_000, eur)); 9])
                        .unwrap_err(),
                ),
                "OVERFLOW",
                "",
            ),
            (
                "an amount of nothing",
                redeem(Redeem::direct(code.as_str(), amount("0 EUR"))),
                "BAD_AMOUNT",
                "above zero",
            ),
            (
                "another currency",
                redeem(Redeem::direct(code.as_str(), amount("1 GBP"))),
                "MIXED_CURRENCIES",
                "GBP",
            ),
            (
                "more than the basket",
                redeem(Redeem::direct(code.as_str(), amount("2 EUR")).basket(one_line("1 EUR"))),
                "BAD_AMOUNT",
                "basket",
            ),
            (
                "an amount for a wallet",
                redeem(Redeem {
                    amount: Some(amount("1 EUR")),
                    ..Redeem::into_wallet(code.as_str(), contact)
                }),
                "INVALID",
                "whole use",
            ),
            (
                "no amount and no basket",
                redeem(Redeem { amount: None, ..Redeem::direct(code.as_str(), amount("1 EUR")) }),
                "INVALID",
                "amount",
            ),
            ("a code of nothing", redeem(Redeem::into_new_wallet("")), "MALFORMED", "passcode"),
            (
                "a code of a megabyte",
                redeem(Redeem::into_new_wallet("7".repeat(1 << 20).as_str())),
                "MALFORMED",
                "passcode",
            ),
            (
                "Cyrillic look-alikes",
                redeem(Redeem::into_new_wallet("\u{410}\u{412}\u{421}7")),
                "MALFORMED",
                "passcode",
            ),
            (
                "a code nobody has",
                redeem(Redeem::into_new_wallet("7777 7777 7777")),
                "UNKNOWN_CODE",
                "no pass",
            ),
            (
                "a contact nobody knows",
                redeem(Redeem::into_wallet(code.as_str(), nobody)),
                "CONTACT_NOT_REGISTERED",
                "0192a0d5",
            ),
            (
                "nobody's wallet",
                spend(Spend::all(nobody, one_line("1 EUR"))),
                "CONTACT_NOT_REGISTERED",
                "0192a0d5",
            ),
            (
                "an empty basket",
                spend(Spend::all(contact, Basket::new(eur, vec![]).unwrap())),
                "BAD_AMOUNT",
                "above zero",
            ),
            ("no telephone number", contact_of(Medium::Phone("0163 x".into())), "INVALID", "phone"),
            ("no address", contact_of(Medium::Email("ann".into())), "INVALID", "email"),
            ("a long reference", contact_of(Medium::Reference(long.clone())), "TOO_LARGE", "reference"),
            (
                "a long place",
                passes
                    .redeem(&by.clone().place(&long), Redeem::into_new_wallet(code.as_str()))
                    .wait()
                    .map(drop),
                "TOO_LARGE",
                "place",
            ),
            (
                "a long key",
                passes
                    .redeem(&by.clone().key(&long), Redeem::into_new_wallet(code.as_str()))
                    .wait()
                    .map(drop),
                "TOO_LARGE",
                "key",
            ),
            (
                "an empty key",
                passes.redeem(&by.clone().key(""), Redeem::into_new_wallet(code.as_str())).wait().map(drop),
                "INVALID",
                "key",
            ),
            (
                "control characters",
                passes
                    .redeem(&by.clone().reason("a\u{0}b"), Redeem::into_new_wallet(code.as_str()))
                    .wait()
                    .map(drop),
                "INVALID",
                "control",
            ),
            (
                "a long key to reverse",
                passes.reverse(by, Reverse::key(&long)).wait().map(drop),
                "TOO_LARGE",
                "key",
            ),
            (
                "a long message",
                passes
                    .issue(by, Issue::new(plan, Recipient::Contact(contact), "email").from("Ann", &long))
                    .wait()
                    .map(drop),
                "TOO_LARGE",
                "message",
            ),
            (
                "a zone that is none",
                refused(
                    passes_core::business::Settings::new("x", "Europe/Atlantis", &["EUR"], "en").unwrap_err(),
                ),
                "INVALID",
                "IANA",
            ),
            (
                "a printed plan issued",
                passes.issue(by, Issue::new(plan, Recipient::Contact(contact), "email")).wait().map(drop),
                "WRONG_STATE",
                "printed",
            ),
        ];
        let mut wrong = Vec::new();
        for (what, answer, expected, told) in table {
            let error = answer.expect_err(what);
            let text = error.to_string();
            if error.code() != expected || !text.contains(told) || text.len() > 500 {
                wrong.push(format!("{what}: {} and not {expected}: {text}", error.code()));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(state(&world), before);
    });
}

/// C-4: a lot that its format can't hold is refused with the length that would do.
#[test]
fn a_format_too_short_tells_the_length() {
    let world = World::memory();
    for (alphabet, length, count, needed) in
        [(Alphabet::Numeric, 6, 100, 10), (Alphabet::Numeric, 4, 20_000, 13), (Alphabet::Safe, 5, 10_000, 9)]
    {
        let mut spec = World::spec("5 EUR");
        spec.code = Format { alphabet, length, ..Format::default() };
        let plan = world.plan(spec.clone());
        let error = world
            .passes
            .generate(&world.by, Generate { plan, count, accept_weak: false })
            .wait()
            .unwrap_err();
        assert_eq!(error.reasons()[0].fix(), format!("use at least {needed} characters"));
        spec.code.length = needed - 1;
        let short = world.plan(spec.clone());
        let one_less =
            world.passes.generate(&world.by, Generate { plan: short, count, accept_weak: false }).wait();
        assert_eq!(code_of(&one_less), "FORMAT_TOO_SHORT");
        spec.code.length = needed;
        let plan = world.plan(spec);
        world.passes.generate(&world.by, Generate { plan, count, accept_weak: false }).wait().unwrap();
    }
}

/// C-1, C-2: a code is found however it is typed, in small letters, with other dashes, in full width; each single
/// wrong character and each swap of neighbours is told as a typing error, and nothing else is tried.
#[test]
fn codes_are_typed_in_many_ways() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = World::spec("10 EUR");
        spec.code = Format { prefix: "GIFT".into(), length: 11, check: true, ..Format::default() };
        let (pass, code) = world.sold(spec);
        let check = |text: &str| {
            let request = Redeem::direct(text, amount("1 EUR"));
            let check = passes.check(by, &request).wait().unwrap();
            assert!(check.would.is_none_or(|would| would.pass == pass));
            check.reasons.first().map_or("ok", Refusal::code)
        };
        let full_width: String = code
            .chars()
            .map(|c| if c == '-' { c } else { char::from_u32(u32::from(c) + 0xFEE0).unwrap() })
            .collect();
        let spaced: String = code.chars().flat_map(|c| [c, ' ']).collect();
        for typed in [
            code.clone(),
            code.to_lowercase(),
            code.replace('-', ""),
            code.replace('-', "\u{2013}"),
            code.replace('-', " \u{2212} "),
            format!("\u{a0}{code}\t"),
            spaced,
            full_width,
        ] {
            assert_eq!(check(&typed), "ok");
        }
        let plain: Vec<char> = code.chars().filter(|c| *c != '-').collect();
        let spell = |plain: &[char]| plain.iter().collect::<String>();
        let alphabet: Vec<char> = Alphabet::Safe.characters().chars().collect();
        for place in 4..plain.len() {
            for other in &alphabet {
                let mut wrong = plain.clone();
                wrong[place] = *other;
                if wrong != plain {
                    assert_eq!(check(&spell(&wrong)), "TYPING_ERROR", "place {place}");
                }
            }
            if place + 1 < plain.len() && plain[place] != plain[place + 1] {
                let mut wrong = plain.clone();
                wrong.swap(place, place + 1);
                assert_eq!(check(&spell(&wrong)), "TYPING_ERROR", "swapped at {place}");
            }
        }
        for (strange, expected) in [
            (spell(&plain).replacen('G', "\u{420}", 1), "MALFORMED"),
            (format!("{code}!"), "MALFORMED"),
            (spell(&plain[..plain.len() - 1]), "UNKNOWN_CODE"),
        ] {
            assert_eq!(check(&strange), expected);
        }
    });
}

/// D-4, Z-1: a file that is no database, a damaged one and one of a newer version are told apart, and stay as they
/// are; records of a newer version, too.
#[test]
fn damaged_and_newer_files() {
    let mut world = World::sqlite();
    let (_, code) = world.gift("10 EUR");
    let path = world.path().unwrap();
    let open = |path: &std::path::Path| Sqlite::open(path).map(drop).map_err(|error| error.code());

    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, b"this is no database, although it is long enough to be one. ".repeat(200))
        .unwrap();
    let bytes = std::fs::read(&garbage).unwrap();
    assert_eq!(open(&garbage), Err("STORE_CORRUPT"));
    assert_eq!(std::fs::read(&garbage).unwrap(), bytes);
    assert!(open(&folder.path().join("no folder").join("x.db")).is_err());
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE recipe (text); INSERT INTO recipe VALUES ('soup')")
        .unwrap();
    assert_eq!(open(&other), Err("STORE_CORRUPT"));

    // A newer version, of the file and then of one record.
    let sql = |text: &str| {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch(text).unwrap();
    };
    let version: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    world.reopen();
    sql(&format!("PRAGMA user_version = {}", version + 1));
    assert_eq!(open(&path), Err("STORE_NEWER"));
    sql(&format!("PRAGMA user_version = {version}"));
    world.reopen();
    let redeem =
        |world: &World| world.passes.redeem(&world.by, Redeem::direct(code.as_str(), amount("1 EUR"))).wait();
    redeem(&world).unwrap();
    let newer = r#"UPDATE doc SET body = CAST(replace(CAST(body AS TEXT), '{"v":1', '{"v":2') AS BLOB), version = version + 1 WHERE kind = 4"#;
    let older = r#"UPDATE doc SET body = CAST(replace(CAST(body AS TEXT), '{"v":2', '{"v":1') AS BLOB), version = version + 1 WHERE kind = 4"#;
    sql(newer);
    world.reopen();
    let error = redeem(&world).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Unsupported { found: 2, known: 1 })), "{error:?}");
    sql(older);
    world.reopen();
    redeem(&world).unwrap();
    assert_eq!(
        world.books().account(
            passes_core::ledger::Account::Settled,
            passes_core::ledger::Unit::Money(amount("0 EUR").currency())
        ),
        200
    );
}

/// Z-1, D-3: pages of the file are overwritten: what can't be read is told as damage, never as an answer.
#[test]
fn a_damaged_file_is_told() {
    let world = World::sqlite();
    let plan = world.plan(World::spec("5 EUR"));
    let codes = world.lot_with_codes(plan, 3_000);
    let path = world.path().unwrap();
    let by = world.by.clone();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    rusqlite::Connection::open(&path).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let mut bytes = std::fs::read(&copy).unwrap();
    // Everything behind the first pages: their headers stay as they were.
    let pages = bytes.len() / 4_096;
    for page in (pages / 3)..pages {
        bytes[page * 4_096..page * 4_096 + 4_096].fill(0xA5);
    }
    std::fs::write(&copy, bytes).unwrap();
    let clock = world.clock.clone();
    let opened = Sqlite::open(&copy).map_err(Error::from).and_then(|store| {
        let entropy = Arc::new(passes_host::testing::SeededEntropy::new(9));
        Passes::open(Arc::new(store), keyring(), clock, entropy).wait()
    });
    let mut damaged = 0;
    match opened {
        Err(error) => assert_eq!(error.code(), "STORE_CORRUPT"),
        Ok(passes) => {
            for (_, code) in codes.iter().step_by(50) {
                let answer = passes.redeem(&by, Redeem::into_new_wallet(code.as_str())).wait();
                let code = code_of(&answer);
                assert!(["PASS_DRAFT", "STORE_CORRUPT"].contains(&code), "{answer:?}");
                damaged += u32::from(code == "STORE_CORRUPT");
            }
            assert!(damaged > 0);
            assert_eq!(code_of(&passes.verify(&by).wait()), "STORE_CORRUPT");
        }
    }
}

/// Z-1, D-3: the disk is full: the command that finds no room is told so, whatever it was, nothing of it has
/// landed, and with room again everything goes on.
#[test]
fn a_full_disk_loses_nothing() {
    let mut world = World::sqlite();
    let (pass, code) = world.used("1 EUR", Usage::Full(100_000));
    let plan = world.plan(World::spec("5 EUR"));
    let contact = world.contact();
    let path = world.path().unwrap();
    // Let go of the file, then open it with room for some pages more.
    let memory: Arc<dyn Store> = Arc::new(passes_core::store::memory::Memory::new());
    let entropy = Arc::new(passes_host::testing::SeededEntropy::new(50));
    world.passes = Passes::open(memory, keyring(), world.clock.clone(), entropy.clone()).wait().unwrap();
    let pages = std::fs::metadata(&path).unwrap().len() / 4_096;
    let store = Sqlite::options().max_pages(pages as u32 + 60).open(&path).unwrap();
    let passes = Passes::open(Arc::new(store), keyring(), world.clock.clone(), entropy).wait().unwrap();
    let mut landed = 0;
    let full = loop {
        let by = world.key(&format!("key {landed}"));
        match passes.redeem(&by, Redeem::into_wallet(code.as_str(), contact)).wait() {
            Ok(_) => landed += 1,
            Err(error) => break error,
        }
        assert!(landed < 100_000);
    };
    assert_eq!(full.code(), "STORE_FULL");
    assert!(full.is_retryable() && landed > 10);
    // Whatever else: a lot, too, and many at once.
    let generate = Generate { plan, count: 20_000, accept_weak: false };
    let lot = passes
        .generate(&world.by, generate)
        .wait()
        .and_then(|started| passes.finish_run(&world.by, started.run).wait());
    assert_eq!(code_of(&lot), "STORE_FULL");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let answer = passes.redeem(&world.by, Redeem::into_wallet(code.as_str(), contact)).wait();
                assert!(["STORE_FULL", "ok"].contains(&code_of(&answer)), "{answer:?}");
            });
        }
    });
    // Reading goes on.
    let left = passes.pass(&world.by, pass).wait().unwrap();
    drop(passes);
    world.reopen();
    let after = world.passes.pass(&world.by, pass).wait().unwrap();
    assert_eq!(after, left);
    assert!(after.used >= landed);
    assert_eq!(world.books().credits.len() as i64, after.used);
    // The request that found no room is given again, and the others are known.
    let again = |n: i64| {
        let by = world.key(&format!("key {n}"));
        world.passes.redeem(&by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap()
    };
    assert!(!again(landed).replayed);
    assert!(again(landed - 1).replayed);
    let lot = world.lot(plan, 100);
    assert_eq!(world.passes.count_states(&world.by, lot).wait().unwrap().values().sum::<u64>(), 100);
    let _ = world.books();
}

/// Z-3, B-1: settings that can't be, through the service, and what was set before stays.
#[test]
fn settings_are_checked_before_they_count() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let before = passes.settings(by).wait().unwrap();
        let mut wrong = settings();
        wrong.currencies.clear();
        assert_eq!(code_of(&passes.configure(by, wrong).wait()), "INVALID");
        let mut wrong = settings();
        wrong.default_locale = "xx".into();
        assert_eq!(code_of(&passes.configure(by, wrong).wait()), "INVALID");
        assert_eq!(passes.settings(by).wait().unwrap(), before);
        let mut right = settings();
        right.locales.push("de".into());
        passes.configure(by, right.clone()).wait().unwrap();
        assert_eq!(passes.settings(by).wait().unwrap(), right);
        let mut deal = Deal::at(amount("1 EUR"));
        deal.payment = Some(String::new());
        let (pass, _) = world.draft(World::spec("1 EUR"));
        assert_eq!(code_of(&passes.sell(by, pass, deal).wait()), "INVALID");
    });
}

//! Lots and issued passes: who makes them, how many there may be, and what is told of them.

use super::{Shop, card, eur, spec};
use crate::contact::{Medium, Profile};
use crate::event::{Event, Position, Told};
use crate::fields::Value;
use crate::id::{LotId, PlanId};
use crate::ledger::Mark;
use crate::lot::Outcome;
use crate::money::Currency;
use crate::operation::{By, Kind, Right};
use crate::pass::State;
use crate::passcode::{Alphabet, Format};
use crate::plan::{Caps, Form, Spec, Terms, Usage, Worth};
use crate::refusal::Refusal;
use crate::run::RunState;
use crate::service::{
    Deal, Error, Generate, Issue, LotStarted, OperationFilter, PassFilter, Receipt, Recipient, Redeem, Rest,
};
use crate::store::{DocKind, PageQuery, PassOrder, Store, wait};
use std::collections::HashSet;

impl Shop {
    fn begin(&self, by: &By, plan: PlanId, count: u32) -> Result<Receipt<LotStarted>, Error> {
        self.passes.generate(by, Generate { plan, count, accept_weak: false }).wait()
    }

    /// Every serial number and code of a lot.
    fn all_codes(&self, lot: LotId) -> Vec<(u32, String)> {
        let mut all: Vec<(u32, String)> = Vec::new();
        self.passes.export(&self.by.clone().reason("a test"), lot).wait().unwrap();
        loop {
            let after = all.last().map_or(0, |row| row.0);
            let page = self.passes.export_page(&self.by, lot, after, 7_000).wait().unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page.into_iter().map(|row| (row.serial, row.code.reveal().to_owned())));
        }
    }

    fn told(&self) -> Vec<Told> {
        self.passes.events(&self.by, Position::default(), 10_000).wait().unwrap()
    }
}

/// Codes of so many digits, without a prefix.
fn digits(length: u8) -> Format {
    Format { alphabet: Alphabet::Numeric, length, ..Format::default() }
}

fn plan_with(code: Format) -> Spec {
    Spec { code, ..spec(card()) }
}

/// The length of the codes, and the shortest that would do.
fn too_short(answer: Result<Receipt<LotStarted>, Error>) -> (u32, u32) {
    match answer.unwrap_err().reasons() {
        [Refusal::FormatTooShort { length, needed, .. }] => (*length, *needed),
        other => panic!("{other:?}"),
    }
}

/// What a plan's cap leaves.
fn left<T: std::fmt::Debug>(answer: Result<T, Error>) -> i64 {
    match answer.unwrap_err().reasons() {
        [Refusal::PlanCap { left, .. }] => *left,
        other => panic!("{other:?}"),
    }
}

/// T-2, R-8: two that step one run at once make each pass once, and have it told once.
#[test]
fn two_steppers_make_one_lot() {
    let shop = Shop::open();
    let started = shop.begin(&shop.by, shop.cards(), 20_000).unwrap().done;
    let other = super::opened(std::sync::Arc::new(shop.store.clone()), &shop.time, &shop.seeds);
    let (by, run) = (&shop.by, started.run);
    let over = std::thread::scope(|threads| {
        let both = [&shop.passes, &other]
            .map(|passes| threads.spawn(move || passes.finish_run(by, run).wait().unwrap()));
        both.map(|thread| thread.join().unwrap())
    });
    assert!(over.iter().all(|progress| (progress.state, progress.done) == (RunState::Done, 20_000)));
    let codes = shop.all_codes(started.lot);
    assert!(codes.iter().map(|row| row.0).eq(1..=20_000));
    assert_eq!(codes.iter().map(|row| row.1.as_str()).collect::<HashSet<_>>().len(), 20_000);
    let mut next = 1;
    for told in shop.told() {
        if let Event::LotGrew { passes } = told.event {
            assert_eq!(
                (passes.first, passes.last),
                (started.lot.pass(next), started.lot.pass(next + passes.count - 1))
            );
            next += passes.count;
        }
    }
    assert_eq!(next, 20_001);
    assert!(shop.passes.verify(by).wait().unwrap().is_good());
}

/// T-2, R-5: the key that started a lot leads to its run, how far it is, and after a restart too; another request
/// under that key is refused.
#[test]
fn a_key_leads_to_its_run() {
    let mut shop = Shop::open();
    let plan = shop.cards();
    let by = shop.by.clone().key("order 7");
    let first = shop.begin(&by, plan, 9_000).unwrap();
    let begun = shop.passes.progress(&by, first.run).wait().unwrap();
    assert_eq!((begun.done, begun.total, begun.is_over()), (0, 9_000, false));
    let mut seen = Vec::new();
    for _ in 0..4 {
        // A key in the hand of who steps is not the step's.
        seen.push(shop.passes.step(&by, first.run).wait().unwrap().done);
    }
    assert_eq!(seen, [0, 0, 0, 4_096]);
    shop.reopen();
    let again = shop.begin(&by, plan, 9_000).unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!((again.done.clone(), again.operation), (first.done.clone(), first.operation));
    assert_eq!(shop.passes.progress(&by, again.run).wait().unwrap().done, 4_096);
    assert_eq!(shop.begin(&by, plan, 9_001).unwrap_err().code(), "IDEMPOTENCY_MISMATCH");
    shop.passes.finish_run(&by, again.run).wait().unwrap();
    assert_eq!(shop.begin(&by, plan, 9_000).unwrap().run, first.run);
    assert_eq!(shop.passes.lots(&by, None, None, 10).wait().unwrap().rows.len(), 1);
    let steps = OperationFilter { kind: Some(Kind::Step), ..OperationFilter::default() };
    let steps = shop.passes.operations(&by, steps, Position::default(), 100).wait().unwrap().rows;
    assert_eq!(steps.len(), 3, "one for each step that made passes");
}

/// T-2, L-9: a lot in the making can't be exported, changed or cancelled as a whole; its passes can, once they are
/// there; a run that is over stays so.
#[test]
fn a_lot_in_the_making_is_left_alone() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let started = shop.begin(by, shop.cards(), 5_000).unwrap().done;
    let lot = started.lot;
    for _ in 0..3 {
        passes.step(by, started.run).wait().unwrap();
    }
    assert_eq!(passes.export(by, lot).wait().unwrap_err().code(), "WRONG_STATE");
    assert_eq!(passes.cancel(by, lot, Rest::Forfeit).wait().unwrap_err().code(), "WRONG_STATE");
    assert_eq!(passes.sell(by, lot.pass(4_097), Deal::at(eur("5"))).wait().unwrap_err().code(), "NOT_FOUND");
    passes.sell(by, lot.pass(4_096), Deal::at(eur("5"))).wait().unwrap();
    let cancelled = passes.cancel_run(by, started.run).wait().unwrap();
    assert_eq!(cancelled.done, started.run);
    let over = passes.step(by, started.run).wait().unwrap();
    assert_eq!((over.state, over.done), (RunState::Cancelled, 4_096));
    assert_eq!(passes.cancel_run(by, started.run).wait().unwrap_err().code(), "WRONG_STATE");
    let view = passes.lot(by, lot).wait().unwrap();
    assert_eq!((view.count, view.complete), (4_096, true));
    assert_eq!(shop.all_codes(lot).len(), 4_096);
    let code = shop.codes(lot).pop().unwrap();
    passes.redeem(by, Redeem::direct(code, eur("50"))).wait().unwrap();
    assert!(matches!(shop.told().last().unwrap().event, Event::PassSpent { left: 0, .. }));
    assert!(passes.verify(by).wait().unwrap().is_good());
}

/// C-4: the odds of a guess count the codes of earlier lots, of other formats too as far as they could be the same;
/// the refusal says how long codes would have to be. What was never made of a cancelled lot doesn't count.
#[test]
fn the_odds_of_a_guess_bound_a_lot() {
    let shop = Shop::with(|settings| settings.guess_one_in = 100);
    let by = &shop.by;
    let six = shop.plan_of(plan_with(digits(6)));
    assert_eq!(too_short(shop.begin(by, six, 10_001)), (6, 7));
    assert_eq!(too_short(shop.begin(by, six, 1_000_001)), (6, 9));
    shop.lot(six, 6_000);
    assert_eq!(too_short(shop.begin(by, six, 4_001)), (6, 7));
    // The same plan twice, a copy of it, and a longer format that has all its codes.
    let copy = shop.passes.copy_plan(by, six).wait().unwrap().done;
    shop.passes.activate_plan(by, copy).wait().unwrap();
    shop.lot(copy, 3_000);
    assert_eq!(too_short(shop.begin(by, six, 1_001)), (6, 7));
    let five = Format { prefix: "4".into(), ..digits(5) };
    let prefixed = shop.plan_of(plan_with(five));
    // A tenth of the 9,000 could begin with 4: 900 of 1,000 that this format allows.
    assert_eq!(too_short(shop.begin(by, prefixed, 101)), (5, 6));
    let started = shop.begin(by, prefixed, 100).unwrap().done;
    assert_eq!(too_short(shop.begin(by, prefixed, 1)), (5, 6));
    // None of them was reserved yet: they never will be.
    shop.passes.cancel_run(by, started.run).wait().unwrap();
    shop.lot(prefixed, 100);
    // Other characters, and other lengths, don't matter.
    let letters = shop.plan_of(plan_with(Format { alphabet: Alphabet::from("ABCDEFGHKM"), ..digits(6) }));
    shop.lot(letters, 10_000);
    let longer = shop.plan_of(plan_with(digits(7)));
    shop.begin(by, longer, 100_000).unwrap();

    let weak = |by: &By, count| {
        shop.passes.generate(by, Generate { plan: prefixed, count, accept_weak: true }).wait()
    };
    assert_eq!(weak(by, 1).unwrap_err().code(), "REASON_REQUIRED");
    let bob = shop.with_rights(&[Right::Issue]).reason("a raffle");
    assert_eq!(weak(&bob, 1).unwrap_err().code(), "FORBIDDEN");
    let accepted = weak(&by.clone().reason("a raffle"), 50).unwrap();
    let audited = shop.passes.operation(by, accepted.operation).wait().unwrap();
    assert_eq!((audited.kind, audited.reason.as_deref()), (Kind::Generate, Some("a raffle")));
    // An issued pass counts as well.
    let electronic = Spec { terms: Terms { form: Form::Electronic, ..card() }, ..plan_with(digits(6)) };
    let electronic = shop.plan_of(electronic);
    let ann = shop.contact("Ann");
    let issue = || shop.passes.issue(by, Issue::new(electronic, Recipient::Contact(ann), "sms")).wait();
    issue().unwrap();
    let room = 10_000 - 9_000 - 100 - 50 - 1;
    assert_eq!(too_short(shop.begin(by, six, room + 1)), (6, 7));
    shop.begin(by, six, room).unwrap();
    assert_eq!(issue().unwrap_err().code(), "FORMAT_TOO_SHORT");
}

/// P-15: caps bound the passes and the value ever made, whatever becomes of them; the refusal says what is left, a
/// raised cap makes room. All uses of full value count; an open value counts when it is set.
#[test]
fn caps_tell_what_is_left() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let mut capped = Spec { caps: Caps { passes: Some(10), value: Some(eur("400")) }, ..spec(card()) };
    let plan = shop.plan_of(capped.clone());
    let lot = shop.lot(plan, 6);
    assert_eq!(left(shop.begin(by, plan, 5)), 4);
    assert_eq!(left(shop.begin(by, plan, 3)), 10_000);
    let run = passes.cancel(by, lot, Rest::Forfeit).wait().unwrap().done.run.unwrap();
    passes.finish_run(by, run).wait().unwrap();
    assert_eq!(left(shop.begin(by, plan, 5)), 4, "cancelled passes were made all the same");
    capped.caps = Caps { passes: Some(11), value: None };
    passes.edit_plan(by, plan, capped).wait().unwrap();
    shop.lot(plan, 5);
    assert_eq!(left(shop.begin(by, plan, 1)), 0);

    let full = Spec {
        terms: Terms { usage: Usage::Full(3), ..card() },
        caps: Caps { passes: None, value: Some(eur("449.99")) },
        ..spec(card())
    };
    let full = shop.plan_of(full);
    assert_eq!(left(shop.begin(by, full, 3)), 44_999);
    shop.lot(full, 2);
    assert_eq!(left(shop.begin(by, full, 1)), 14_999);

    let open = Worth::Range { least: eur("10"), most: eur("100") };
    let of = |form| Spec {
        terms: Terms { value: open, form, ..card() },
        caps: Caps { passes: None, value: Some(eur("120")) },
        ..spec(card())
    };
    let printed = shop.plan_of(of(Form::Printed));
    let lot = shop.lot(printed, 50);
    passes.set_value(by, lot.pass(1), eur("70")).wait().unwrap();
    assert_eq!(left(passes.set_value(by, lot.pass(2), eur("50.01")).wait()), 5_000);
    let list = vec![lot.pass(2), lot.pass(3)];
    assert_eq!(left(passes.set_value(by, list.clone(), eur("25.01")).wait()), 5_000);
    passes.set_value(by, list, eur("25")).wait().unwrap();
    assert_eq!(left(passes.sell(by, lot.pass(4), Deal::at(eur("1")).worth(eur("10"))).wait()), 0);

    let electronic = shop.plan_of(of(Form::Electronic));
    let ann = Recipient::Contact(shop.contact("Ann"));
    let issue = |value| passes.issue(by, Issue::new(electronic, ann.clone(), "sms").worth(eur(value))).wait();
    issue("100").unwrap();
    assert_eq!(left(issue("20.01")), 2_000);
    issue("20").unwrap();
    assert!(passes.verify(by).wait().unwrap().is_good());
}

/// T-1, L-8: an electronic pass goes to a contact, or to whom a medium leads; a medium that leads nowhere makes a
/// contact, and that is told. A contact nobody knows, and a form the plan doesn't have, are refused.
#[test]
fn a_pass_is_issued_to_whom_a_medium_leads() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let plan = shop.plan(Terms { form: Form::Electronic, ..card() });
    let issue = |to: Recipient| passes.issue(by, Issue::new(plan, to, "sms")).wait();
    let phone = |text: &str| Medium::Phone(text.into());
    let ann = passes.create_contact(by, Profile::named("Ann", phone("+49 30 901820"))).wait().unwrap().done;
    let by_phone = Profile { name: Some("Anne".into()), ..Profile::of(phone("+49 (30) 90-18-20")) };
    assert_eq!(issue(Recipient::Profile(by_phone)).unwrap().to, ann);
    assert_eq!(passes.contact(by, ann).wait().unwrap().profile.name.as_deref(), Some("Ann"));
    let two = Profile {
        media: vec![Medium::Email("new@example.org".into()), phone("+4930901820")],
        ..Profile::default()
    };
    assert_eq!(issue(Recipient::Profile(two)).unwrap().to, ann);
    assert_eq!(passes.find_contact(by, Medium::Email("new@example.org".into())).wait().unwrap(), None);

    let before = shop.told().last().unwrap().position;
    let issued = issue(Recipient::Profile(Profile::of(Medium::Email("bob@example.org".into())))).unwrap();
    let told: Vec<_> = passes.events(by, before, 10).wait().unwrap().into_iter().map(|t| t.event).collect();
    let wanted = Event::DeliveryWanted { pass: issued.pass, to: issued.to, channel: "sms".into() };
    assert_eq!(told, [Event::ContactChanged { contact: issued.to }, wanted]);
    assert!(passes.contact(by, issued.to).wait().unwrap().named);

    let nobody: Recipient = Recipient::Contact(crate::id::Id::from_bytes([9; 16]));
    assert_eq!(issue(nobody).unwrap_err().code(), "CONTACT_NOT_REGISTERED");
    assert_eq!(issue(Recipient::Profile(Profile::of(phone("030 901820")))).unwrap_err().code(), "INVALID");
    let printed = Issue::new(shop.cards(), Recipient::Contact(ann), "sms");
    assert_eq!(passes.issue(by, printed).wait().unwrap_err().code(), "WRONG_STATE");
    assert_eq!(shop.begin(by, plan, 1).unwrap_err().code(), "WRONG_STATE");
    assert_eq!(
        passes.issue(by, Issue::new(plan, Recipient::Contact(ann), "")).wait().unwrap_err().code(),
        "INVALID"
    );
    let long = Issue::new(plan, Recipient::Contact(ann), "sms").from("Bob", &"x".repeat(501));
    assert_eq!(passes.issue(by, long).wait().unwrap_err().code(), "TOO_LARGE");
}

/// T-1, T-3, C-13, W-7: what sender and message say stands in the record of the delivery, and nowhere else; neither
/// events nor operations hold a code, a name or a medium.
#[test]
fn personal_words_stand_in_one_place() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let plan = shop.plan(Terms { form: Form::Electronic, ..card() });
    let to = Recipient::Profile(Profile::named("Annegret", Medium::Email("annegret@example.org".into())));
    let request = Issue::new(plan, to, "email").from("Uncle Bob", "Happy returns").sold(Deal::at(eur("50")));
    let pass = passes.issue(by, request).wait().unwrap().pass;
    passes.delivered(by, pass, Outcome::Failed { why: "mailbox full".into() }).wait().unwrap();
    passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
    let code = passes.reveal(by, pass).wait().unwrap().1.unwrap();

    let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    let words = ["Annegret", "annegret@", "Uncle Bob", "Happy returns", "mailbox full", code.reveal()];
    let place = |word: &str| match word {
        "Annegret" | "annegret@" => Some(DocKind::Contact),
        "Uncle Bob" | "Happy returns" | "mailbox full" => Some(DocKind::Delivery),
        _ => None,
    };
    for kind in [
        DocKind::Business,
        DocKind::Plan,
        DocKind::Terms,
        DocKind::Lot,
        DocKind::Contact,
        DocKind::Medium,
        DocKind::Delivery,
        DocKind::Sale,
    ] {
        let query = PageQuery::Docs { business: by.business, kind, parent: None, after: None, limit: 100 };
        for doc in wait(shop.store.page(&query)).unwrap().docs {
            for word in words {
                assert_eq!(holds(&doc.body, word), place(word) == Some(kind), "{word} in {kind:?}");
            }
        }
    }
    let query = PageQuery::Operations { business: by.business, after: 0, limit: 100 };
    for stored in wait(shop.store.page(&query)).unwrap().operations {
        let operation = &stored.operation;
        for word in words {
            assert!(!holds(&operation.events, word) && !holds(&operation.receipt, word), "{word}");
        }
    }
}

/// T-3, E-1: a lot tells that it began, grew and is ready, and whether it waits for the printing house; a pass that
/// is issued asks for its delivery, and no printed one does.
#[test]
fn lots_tell_how_they_grow() {
    for printing_house in [false, true] {
        let shop = Shop::with(|settings| settings.printing_house = printing_house);
        let plan = shop.cards();
        let before = shop.told().last().unwrap().position;
        let lot = shop.lot(plan, 5_000);
        let told = shop.passes.events(&shop.by, before, 100).wait().unwrap();
        let seen: Vec<_> = told.iter().map(|told| &told.event).collect();
        let span = |first: u32, last: u32| crate::event::Span {
            first: lot.pass(first),
            last: lot.pass(last),
            count: last - first + 1,
        };
        let expected = [
            Event::LotStarted { lot, plan, count: 5_000 },
            Event::LotGrew { passes: span(1, 4_096) },
            Event::LotGrew { passes: span(4_097, 5_000) },
            Event::LotReady { lot, plan, count: 5_000, print: printing_house },
        ];
        assert_eq!(seen, expected.iter().collect::<Vec<_>>());
    }
}

/// T-4, T-7: serial numbers are consecutive and tell nothing of the code; a lot is filtered by state, use and field
/// at once, and its counts add up.
#[test]
fn serial_numbers_are_consecutive_and_tell_nothing() {
    let define = |name: &str| crate::fields::Definition {
        name: name.into(),
        required: false,
        field: crate::fields::FieldType::Text { most: 10 },
    };
    let shop = Shop::with(|settings| settings.pass_fields = vec![define("shelf")]);
    let (passes, by) = (&shop.passes, &shop.by);
    let lot = shop.lot(shop.plan(Terms { unsold: Mark::Paid, ..card() }), 300);
    let codes = shop.all_codes(lot);
    assert!(codes.iter().map(|row| row.0).eq(1..=300));
    // Neither ascending nor descending.
    let rising = codes.windows(2).filter(|pair| pair[0].1 < pair[1].1).count();
    assert!((100..200).contains(&rising), "{rising}");
    for serial in [1, 300] {
        assert_eq!(passes.pass_by_serial(by, lot, serial).wait().unwrap().serial, serial);
    }
    for serial in [0, 301, u32::MAX] {
        assert_eq!(passes.pass_by_serial(by, lot, serial).wait().unwrap_err().code(), "NOT_FOUND");
    }
    let till = shop.with_rights(&[Right::Redeem]);
    assert_eq!(passes.pass_by_serial(&till, lot, 1).wait().unwrap_err().code(), "FORBIDDEN");

    let shelf = |text: &str| [("shelf".to_owned(), Value::Text(text.into()))].into();
    let range = |first, last| crate::service::Over::Serials { lot, first, last };
    for run in [
        passes.activate(by, range(1, 200)).wait().unwrap().run,
        passes.set_fields(by, range(100, 250), shelf("A")).wait().unwrap().run,
        passes.cancel(by, range(190, 210), Rest::Forfeit).wait().unwrap().run,
    ] {
        passes.finish_run(by, run.unwrap()).wait().unwrap();
    }
    let found = |filter| {
        let listed = passes.passes(by, lot, filter, PassOrder::Serial, None, 1_000).wait().unwrap();
        assert_eq!(listed.next, None);
        listed.rows.iter().map(|pass| pass.serial).collect::<Vec<_>>()
    };
    let active = PassFilter { fields: shelf("A"), ..PassFilter::in_state(State::Active) };
    assert!(found(active).into_iter().eq(100..=189));
    let draft = PassFilter { fields: shelf("A"), ..PassFilter::in_state(State::Draft) };
    assert!(found(draft).into_iter().eq(211..=250));
    let counts = passes.count_states(by, lot).wait().unwrap();
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [(State::Draft, 90), (State::Active, 189), (State::Cancelled, 21)]
    );
    let owed = passes.liability(by).wait().unwrap();
    assert_eq!((owed[0].currency, owed[0].paid, owed[0].granted), (Currency::EUR, eur("9450"), eur("0")));
}

/// L-3: of a list of passes, those that can't be changed are counted by their state; one that isn't there is named, and
/// none is changed then.
#[test]
fn a_list_with_a_pass_that_is_not_there_changes_nothing() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let lot = shop.lot(shop.cards(), 3);
    passes.activate(by, lot.pass(2)).wait().unwrap();
    let list = |serials: &[u32]| serials.iter().map(|serial| lot.pass(*serial)).collect::<Vec<_>>();
    let wrong = passes.activate(by, list(&[1, 2, 4, 3])).wait().unwrap_err();
    assert_eq!(wrong.reasons(), [Refusal::NotFound { what: "pass", id: lot.pass(4).to_string() }]);
    assert_eq!(passes.pass(by, lot.pass(1)).wait().unwrap().state, State::Draft);
    let changed = passes.activate(by, list(&[1, 2, 3, 2])).wait().unwrap();
    assert_eq!((changed.changed, &changed.skipped), (2, &[(State::Active, 1)].into()));
}

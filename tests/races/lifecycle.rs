//! The life of a pass: every state and every command, delivery, suspension, sales, changes, uses.

use passes_core::business::{ActiveOn, Channel};
use passes_core::calendar::{Instant, parse_date};
use passes_core::contact::{Medium, Profile};
use passes_core::event::{Event, Position, Whole};
use passes_core::fields::{Definition, FieldType, Value};
use passes_core::id::{ContactId, PassId, PlanId};
use passes_core::ledger::{Account, Mark, Unit};
use passes_core::lot::Outcome;
use passes_core::money::Currency;
use passes_core::operation::Kind;
use passes_core::pass::{Action, State};
use passes_core::plan::{Caps, Form, Spec, Usage, Worth};
use passes_core::service::{
    Changed, Deal, Expiry, Home, Issue, OperationFilter, Recipient, Redeem, Rest, Reverse,
};
use passes_core::{Error, Receipt};
use tests::world::{amount, settings};
use tests::{World, code_of, on_every_store};

fn eur() -> Unit {
    Unit::Money(Currency::parse("EUR").unwrap())
}

/// A plan of 10 to 50 euros, of passes in this form.
fn open_value(form: Form) -> Spec {
    let mut spec = World::spec("10 EUR");
    spec.terms.value = Worth::Range { least: amount("10 EUR"), most: amount("50 EUR") };
    spec.terms.form = form;
    spec
}

fn deal() -> Deal {
    Deal::at(amount("18 EUR")).worth(amount("20 EUR"))
}

/// The plans that the passes of the table are made from, and a contact.
struct Table<'a> {
    world: &'a World,
    printed: PlanId,
    electronic: PlanId,
    contact: ContactId,
    other: ContactId,
}

/// A pass that was brought into a state, and what the commands on it need.
struct Brought {
    pass: PassId,
    code: String,
    spent: Option<Position>,
}

impl Table<'_> {
    /// A new pass in this state, such that nothing but the state can stop the action.
    fn bring(&self, action: Action, state: State) -> Brought {
        let (passes, by) = (&self.world.passes, &self.world.by);
        let electronic =
            matches!(action, Action::Deliver | Action::Resend | Action::VoidSale | Action::SetRecipient);
        let pass = if electronic {
            let issue = Issue::new(self.electronic, Recipient::Contact(self.contact), "email").sold(deal());
            passes.issue(by, issue).wait().unwrap().pass
        } else {
            self.world.lot(self.printed, 1).pass(1)
        };
        let code = passes.reveal(by, pass).wait().unwrap().1.unwrap().reveal().to_owned();
        let mut brought = Brought { pass, code, spent: None };
        if state == State::Draft {
            if action == Action::Reactivate {
                passes.suspend(by, pass).wait().unwrap();
            }
            return brought;
        }
        if electronic {
            passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
        } else {
            passes.sell(by, pass, deal()).wait().unwrap();
        }
        if action == Action::Return {
            let all = if state == State::Redeemed { "20 EUR" } else { "5 EUR" };
            let request = Redeem::direct(brought.code.as_str(), amount(all));
            brought.spent = Some(passes.redeem(by, request).wait().unwrap().operation);
        }
        match state {
            // Suspended by its lot: the pass itself can still be.
            State::Suspended if action == Action::Suspend => {
                drop(passes.suspend(by, pass.lot()).wait().unwrap())
            }
            State::Suspended => drop(passes.suspend(by, pass).wait().unwrap()),
            State::Cancelled => drop(passes.cancel(by, pass, Rest::Refund).wait().unwrap()),
            State::Redeemed if action != Action::Return => {
                passes.redeem(by, Redeem::into_wallet(brought.code.as_str(), self.contact)).wait().unwrap();
            }
            _ => {}
        }
        brought
    }

    /// Gives the command.
    fn command(&self, action: Action, of: &Brought) -> Result<(), Error> {
        let (passes, by, pass) = (&self.world.passes, &self.world.by, of.pass);
        let drop = |answer: Result<Receipt<Changed>, Error>| answer.map(drop);
        let text = Value::Text("blue".into());
        match action {
            Action::Deliver => drop(passes.delivered(by, pass, Outcome::Confirmed).wait()),
            Action::Resend => drop(passes.resend(by, pass).wait()),
            Action::Activate => drop(passes.activate(by, pass).wait()),
            Action::Sell => drop(passes.sell(by, pass, deal()).wait()),
            Action::VoidSale => drop(passes.void_sale(by, pass).wait()),
            Action::Redeem => {
                let request = Redeem::into_wallet(of.code.as_str(), self.contact);
                passes.redeem(by, request).wait().map(|_| ())
            }
            Action::Spend => {
                let request = Redeem::direct(of.code.as_str(), amount("20 EUR"));
                passes.redeem(by, request).wait().map(|_| ())
            }
            Action::Return => {
                let returned = passes.reverse(by, Reverse::operation(of.spent.unwrap())).wait()?;
                // What can't return to a cancelled pass becomes a credit: the pass takes nothing back.
                match returned.returned[0].home {
                    Home::Pass(_) => Ok(()),
                    _ => Err(Action::Return.check(State::Cancelled).unwrap_err().into()),
                }
            }
            Action::Suspend => drop(passes.suspend(by, pass).wait()),
            Action::Reactivate => drop(passes.reactivate(by, pass).wait()),
            Action::Cancel => drop(passes.cancel(by, pass, Rest::Forfeit).wait()),
            Action::SetValue => drop(passes.set_value(by, pass, amount("30 EUR")).wait()),
            Action::SetExpiry => drop(passes.set_expiry(by, pass, Expiry::Never).wait()),
            Action::SetFields => drop(passes.set_fields(by, pass, [("colour".into(), text)].into()).wait()),
            Action::SetRecipient => drop(passes.set_recipient(by, pass, self.other).wait()),
            Action::Reveal => passes.reveal(by, pass).wait().map(|_| ()),
        }
    }
}

/// L-1: every state and every command, through the service: what the table allows is done and leads where it
/// says, what it doesn't is refused with its code and changes nothing.
#[test]
fn every_state_and_every_command() {
    let mut with_field = settings();
    let field = FieldType::Text { most: 20 };
    with_field.pass_fields.push(Definition { name: "colour".into(), required: false, field });
    for world in [World::memory_with(with_field.clone(), 1), World::sqlite_with(with_field.clone(), 1)] {
        println!("on {}", world.store);
        let (printed, electronic) =
            (world.plan(open_value(Form::Printed)), world.plan(open_value(Form::Electronic)));
        let (contact, other) = (world.contact(), world.contact());
        let table = Table { world: &world, printed, electronic, contact, other };
        for action in Action::ALL {
            for state in State::ALL {
                if (action, state) == (Action::Return, State::Draft) {
                    // A draft has nothing to return: a pass that was used is never a draft again.
                    continue;
                }
                let brought = table.bring(action, state);
                let view = || world.passes.pass(&world.by, brought.pass).wait().unwrap();
                let before = view();
                assert_eq!(before.state, state, "{action:?} is to be tried in {state}");
                let operations = world.operations();
                let answer = table.command(action, &brought);
                if action.allowed_in().contains(&state) {
                    assert_eq!(code_of(&answer), "ok", "{action:?} in {state}: {answer:?}");
                    let after = view().state;
                    assert!(
                        after == state || action.leads_to().contains(&after),
                        "{action:?} led to {after}"
                    );
                } else {
                    let expected = match (action, state) {
                        (Action::Redeem | Action::Spend, State::Draft) => "PASS_DRAFT",
                        (Action::Redeem | Action::Spend, State::Suspended) => "PASS_SUSPENDED",
                        (Action::Redeem | Action::Spend, State::Redeemed) => "PASS_REDEEMED",
                        (Action::Redeem | Action::Spend, State::Cancelled) => "PASS_CANCELLED",
                        _ => "WRONG_STATE",
                    };
                    assert_eq!(code_of(&answer), expected, "{action:?} in {state}");
                    assert_eq!(view(), before, "{action:?} in {state} was refused and changed something");
                    if action != Action::Return {
                        assert_eq!(world.operations(), operations);
                    }
                }
            }
        }
        let _ = world.books();
    }
}

/// L-2, T-1, T-3, E-1: an electronic pass is active when its channel says what its setting asks for; a failed
/// delivery is recorded, and the pass can be sent again.
#[test]
fn an_electronic_pass_is_active_by_its_delivery() {
    let mut settings = settings();
    settings.channels.push(Channel { name: "sms".into(), active_on: ActiveOn::Accepted });
    for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = World::spec("20 EUR");
        spec.terms.form = Form::Electronic;
        let plan = world.plan(spec);
        let ann = Profile::named("Ann", Medium::Email("Ann@Example.org".into()));
        let state = |pass| passes.pass(by, pass).wait().unwrap().state;

        // E-mail: taken is not enough, arrived is.
        let issue = Issue::new(plan, Recipient::Profile(ann.clone()), "email").from("Bob", "Happy birthday");
        let issued = passes.issue(by, issue.sold(Deal::at(amount("20 EUR")))).wait().unwrap();
        let pass = issued.pass;
        assert_eq!(passes.find_contact(by, ann.media[0].clone()).wait().unwrap().unwrap().id, issued.to);
        let code = passes.reveal(by, pass).wait().unwrap().1.unwrap();
        let redeem = |contact| passes.redeem(by, Redeem::into_wallet(code.reveal(), contact)).wait();
        assert_eq!(code_of(&redeem(issued.to)), "PASS_DRAFT");
        // Its money is booked at once: it was paid.
        assert_eq!(world.books().part(Account::Outstanding, Mark::Paid, eur()), 2_000);
        passes.delivered(by, pass, Outcome::Accepted).wait().unwrap();
        assert_eq!(state(pass), State::Draft);
        passes.delivered(by, pass, Outcome::Failed { why: "mailbox full".into() }).wait().unwrap();
        assert_eq!(state(pass), State::Draft);
        passes.resend(by, pass).wait().unwrap();
        passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
        assert_eq!(state(pass), State::Active);
        passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
        assert_eq!(world.books().account(Account::Outstanding, eur()), 2_000, "booked once");

        // SMS: taken is enough. The same medium leads to the same contact.
        let again = Issue::new(plan, Recipient::Profile(ann), "sms");
        let second = passes.issue(by, again).wait().unwrap();
        assert_eq!(second.to, issued.to);
        passes.delivered(by, second.pass, Outcome::Accepted).wait().unwrap();
        assert_eq!(state(second.pass), State::Active);
        assert_eq!(
            world.books().part(Account::Outstanding, Mark::Granted, eur()),
            2_000,
            "not sold: granted"
        );

        let events = passes.events(by, Position::default(), 1_000).wait().unwrap();
        let issued = issued.done;
        let of = |wanted: PassId| {
            let told = events.iter().filter_map(|told| match &told.event {
                Event::DeliveryWanted { pass, to, channel } if *pass == wanted => {
                    assert_eq!(
                        (*to, channel.as_str()),
                        (issued.to, if wanted == issued.pass { "email" } else { "sms" })
                    );
                    Some("wanted")
                }
                Event::DeliveryRecorded { pass, failed, activated } if *pass == wanted => {
                    Some(match (failed, activated) {
                        (true, _) => "failed",
                        (false, true) => "arrived, active",
                        (false, false) => "arrived",
                    })
                }
                _ => None,
            });
            told.collect::<Vec<_>>()
        };
        assert_eq!(of(pass), ["wanted", "arrived", "failed", "wanted", "arrived, active", "arrived"]);
        assert_eq!(of(second.pass), ["wanted", "arrived, active"]);
        redeem(issued.to).unwrap();
    }
}

/// L-6, T-4: a lot and a plan are suspended by one record, whatever their size; pass, lot and plan are lifted
/// separately, and what counts is whether any of the three is suspended.
#[test]
fn lots_and_plans_are_suspended_by_one_record() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let plan = world.plan(World::spec("5 EUR"));
        let codes = world.lot_with_codes(plan, 3);
        let (first, lot) = (codes[0].0, codes[0].0.lot());
        for (pass, _) in &codes[..2] {
            passes.sell(by, *pass, Deal::at(amount("5 EUR"))).wait().unwrap();
        }
        let states = || [0, 1, 2].map(|n: usize| passes.pass(by, codes[n].0).wait().unwrap().state);
        let tried = || {
            let request = Redeem::into_new_wallet(codes[0].1.as_str());
            let check = passes.check(by, &request).wait().unwrap();
            check.reasons.first().map_or("ok".to_owned(), ToString::to_string)
        };
        assert_eq!((states(), tried()), ([State::Active, State::Active, State::Draft], "ok".into()));
        let before = world.operations();
        passes.suspend(by, plan).wait().unwrap();
        passes.suspend(by, lot).wait().unwrap();
        assert_eq!(world.operations() - before, 2, "one record each");
        passes.suspend(by, first).wait().unwrap();
        assert_eq!(code_of(&passes.suspend(by, plan).wait()), "WRONG_STATE");
        assert_eq!(code_of(&passes.suspend(by, lot).wait()), "WRONG_STATE");
        assert_eq!(states(), [State::Suspended, State::Suspended, State::Draft]);
        assert_eq!(
            passes.count_states(by, lot).wait().unwrap(),
            [(State::Suspended, 2), (State::Draft, 1)].into()
        );
        assert!(tried().contains("suspended"), "{}", tried());
        passes.reactivate(by, plan).wait().unwrap();
        assert_eq!((states()[0], tried()), (State::Suspended, "the lot is suspended".into()));
        passes.reactivate(by, lot).wait().unwrap();
        assert_eq!(states(), [State::Suspended, State::Active, State::Draft]);
        assert_eq!(tried(), "the pass is suspended");
        passes.reactivate(by, first).wait().unwrap();
        assert_eq!((states()[0], tried()), (State::Active, "ok".into()));
        assert_eq!(code_of(&passes.reactivate(by, lot).wait()), "WRONG_STATE");

        let events = passes.events(by, Position::default(), 1_000).wait().unwrap();
        let suspended: Vec<_> = events
            .iter()
            .filter_map(|t| if let Event::Suspended { what } = &t.event { Some(*what) } else { None })
            .collect();
        assert!(
            matches!(suspended[..], [Whole::Plan(_), Whole::Lot(_), Whole::Passes(span)] if span.count == 1)
        );
    });
}

/// L-6, T-2: a lot that is suspended while it is generated is still finished, and stays suspended.
#[test]
fn a_lot_is_suspended_while_it_is_generated() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let plan = world.plan(World::spec("5 EUR"));
        let request = passes_core::service::Generate { plan, count: 20_000, accept_weak: false };
        let started = passes.generate(by, request).wait().unwrap();
        passes.step(by, started.run).wait().unwrap();
        passes.suspend(by, started.lot).wait().unwrap();
        let progress = passes.finish_run(by, started.run).wait().unwrap();
        assert_eq!(progress.done, 20_000);
        let lot = passes.lot(by, started.lot).wait().unwrap();
        assert!(lot.complete && lot.suspended);
    });
}

/// L-8, W-1: a sale records buyer, price, payment, seller and place, sets an open value and activates; voided in
/// time, it is as if it had not been, and the pass can be sold again.
#[test]
fn a_sale_is_made_and_voided() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, world.by.clone().place("Oxford Street").channel("till"));
        let plan = world.plan(open_value(Form::Printed));
        let (pass, code) = world.lot_with_codes(plan, 1).remove(0);
        let buyer = world.contact();
        assert_eq!(code_of(&passes.sell(&by, pass, Deal::at(amount("18 EUR"))).wait()), "VALUE_NOT_SET");
        for (value, expected) in [("9.99 EUR", "VALUE_OUT_OF_RANGE"), ("50.01 EUR", "VALUE_OUT_OF_RANGE")] {
            let deal = Deal::at(amount("18 EUR")).worth(amount(value));
            assert_eq!(code_of(&passes.sell(&by, pass, deal).wait()), expected);
        }
        let deal = deal().to(buyer).payment("card 4711");
        let sold = passes.sell(&by, pass, deal.clone()).wait().unwrap();
        let sale = passes.sale(&by, sold.sale.unwrap()).wait().unwrap();
        assert_eq!(
            (sale.deal, &*sale.seller, sale.place.as_deref()),
            (deal.clone(), "admin", Some("Oxford Street"))
        );
        let view = passes.pass(&by, pass).wait().unwrap();
        assert_eq!(
            (view.state, view.left, view.granted_left),
            (State::Active, amount("20 EUR"), amount("2 EUR"))
        );
        let books = world.books();
        assert_eq!(books.part(Account::Received, Mark::Paid, eur()), -1_800);
        assert_eq!(books.part(Account::Granted, Mark::Granted, eur()), -200);

        // Used, and put back: unused again. Used: no.
        let spent = passes.redeem(&by, Redeem::direct(code.as_str(), amount("3 EUR"))).wait().unwrap();
        assert_eq!(code_of(&passes.void_sale(&by, pass).wait()), "PASS_USED");
        passes.reverse(&by, Reverse::operation(spent.operation)).wait().unwrap();
        passes.void_sale(&by, pass).wait().unwrap();
        let view = passes.pass(&by, pass).wait().unwrap();
        assert_eq!((view.state, view.value, view.sale), (State::Draft, None, None));
        let books = world.books();
        assert!(books.accounts.values().all(|sum| *sum == 0), "{:?}", books.accounts);
        assert_eq!(code_of(&passes.void_sale(&by, pass).wait()), "WRONG_STATE");

        // Again, and a day too late.
        passes.sell(&by, pass, deal).wait().unwrap();
        world.at("2026-01-15T12:00:00.000001Z");
        assert_eq!(code_of(&passes.void_sale(&by, pass).wait()), "TOO_LATE");
        let kinds = passes.operations(
            &by,
            OperationFilter { kind: Some(Kind::VoidSale), ..Default::default() },
            Position::default(),
            10,
        );
        assert_eq!(kinds.wait().unwrap().rows.len(), 1);
    });
}

/// L-8, Z-1: who buys must be known, and a price can't be below zero; a price of nothing is a gift.
#[test]
fn a_deal_is_checked() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let (pass, _) = world.draft(World::spec("5 EUR"));
        let mut electronic = World::spec("5 EUR");
        electronic.terms.form = Form::Electronic;
        let plan = world.plan(electronic);
        let nobody: ContactId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        for (deal, expected) in [
            (Deal::at(amount("5 EUR")).to(nobody), "CONTACT_NOT_REGISTERED"),
            (Deal::at(amount("-5 EUR")), "BAD_AMOUNT"),
            (Deal::at(amount("5 GBP")), "MIXED_CURRENCIES"),
            (Deal::at(amount("5 EUR")).payment(&"x".repeat(65)), "TOO_LARGE"),
            (Deal::at(amount("5 EUR")).worth(amount("6 EUR")), "VALUE_OUT_OF_RANGE"),
        ] {
            assert_eq!(code_of(&passes.sell(by, pass, deal.clone()).wait()), expected);
            let list = passes.sell(by, vec![pass], deal.clone()).wait();
            assert!(list.is_err() || list.is_ok_and(|list| list.changed == 0));
            let issue = Issue::new(plan, Recipient::Contact(world.contact()), "email").sold(deal);
            assert_eq!(code_of(&passes.issue(by, issue).wait()), expected);
        }
        assert_eq!(world.books().entries, 0);
        passes.sell(by, pass, Deal::at(amount("0 EUR"))).wait().unwrap();
        assert_eq!(world.books().part(Account::Granted, Mark::Granted, eur()), -500);
    });
}

/// L-5: expiry goes earlier and later, of an expired pass too; the value changes before the first use; fields and
/// recipient of an electronic pass.
#[test]
fn a_pass_is_changed() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let (pass, code) = {
            let plan = world.plan(open_value(Form::Printed));
            world.lot_with_codes(plan, 1).remove(0)
        };
        passes.sell(by, pass, deal()).wait().unwrap();
        let tried = || {
            let request = Redeem::direct(code.as_str(), amount("1 EUR"));
            passes.check(by, &request).wait().unwrap().reasons.first().map_or("ok", |r| r.code())
        };
        passes.set_expiry(by, pass, Expiry::Date(parse_date("date", "2026-01-13").unwrap())).wait().unwrap();
        assert_eq!(tried(), "PASS_EXPIRED");
        passes.set_expiry(by, pass, Expiry::Date(parse_date("date", "2026-01-14").unwrap())).wait().unwrap();
        assert_eq!(tried(), "ok");
        passes
            .set_expiry(by, pass, Expiry::At(Instant::parse("2026-01-14T12:00:00Z").unwrap()))
            .wait()
            .unwrap();
        assert_eq!(tried(), "PASS_EXPIRED");
        passes.set_expiry(by, pass, Expiry::Never).wait().unwrap();
        assert_eq!(tried(), "ok");

        for (value, granted) in [("30 EUR", 1_200), ("12 EUR", 0), ("15 EUR", 300)] {
            passes.set_value(by, pass, amount(value)).wait().unwrap();
            let view = passes.pass(by, pass).wait().unwrap();
            assert_eq!((view.left, view.granted_left.minor()), (amount(value), granted), "{value}");
            let _ = world.books();
        }
        assert_eq!(code_of(&passes.set_value(by, pass, amount("51 EUR")).wait()), "VALUE_OUT_OF_RANGE");
        passes.redeem(by, Redeem::direct(code.as_str(), amount("1 EUR"))).wait().unwrap();
        assert_eq!(code_of(&passes.set_value(by, pass, amount("30 EUR")).wait()), "PASS_USED");

        // Another recipient: the draft is sent to them.
        let plan = world.plan(open_value(Form::Electronic));
        let (ann, bob) = (world.contact(), world.contact());
        let issue = Issue::new(plan, Recipient::Contact(ann), "email").worth(amount("10 EUR"));
        let pass = passes.issue(by, issue).wait().unwrap().pass;
        passes.set_recipient(by, pass, bob).wait().unwrap();
        assert_eq!(passes.pass(by, pass).wait().unwrap().holder, Some(bob));
        let events = passes.events(by, Position::default(), 1_000).wait().unwrap();
        let wanted: Vec<ContactId> = events
            .iter()
            .filter_map(|t| if let Event::DeliveryWanted { to, .. } = &t.event { Some(*to) } else { None })
            .collect();
        assert_eq!(wanted, [ann, bob]);
        passes.set_recipient(by, pass, ann).wait().unwrap();
        passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
    });
}

/// L-4, P-5: shared uses are 3.34, 3.33 and 3.33 of ten; full-value uses open one at a time; direct spending of
/// a shared pass closes it to uses; a redemption that is reversed makes the pass active again.
#[test]
fn uses_are_taken_one_by_one() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        let wallet = |code: &str| passes.redeem(by, Redeem::into_wallet(code, contact)).wait();
        let direct = |code: &str, value: &str| passes.redeem(by, Redeem::direct(code, amount(value))).wait();

        let (pass, code) = world.used("10 EUR", Usage::Shared(3));
        let parts: Vec<_> = (0..3).map(|_| wallet(&code).unwrap()).collect();
        let told: Vec<_> = parts.iter().map(|p| (p.amount.to_string(), p.uses, p.uses_left)).collect();
        let of = |text: &str| text.to_owned();
        assert_eq!(told, [(of("3.34 EUR"), 1, 2), (of("3.33 EUR"), 1, 1), (of("3.33 EUR"), 1, 0)]);
        assert!(parts[2].was_last() && !parts[1].was_last());
        assert_eq!(code_of(&wallet(&code)), "PASS_REDEEMED");
        passes.reverse(by, Reverse::operation(parts[1].operation)).wait().unwrap();
        let view = passes.pass(by, pass).wait().unwrap();
        assert_eq!((view.state, view.used, view.left), (State::Active, 2, amount("3.33 EUR")));
        assert_eq!(wallet(&code).unwrap().amount, amount("3.33 EUR"));

        // Shared, spent directly: from the whole balance, and the uses are closed.
        let (pass, code) = world.used("10 EUR", Usage::Shared(3));
        wallet(&code).unwrap();
        let spent = direct(&code, "1 EUR").unwrap();
        assert_eq!((spent.uses, spent.uses_left, spent.left), (2, 0, amount("5.66 EUR")));
        assert_eq!(wallet(&code).unwrap().amount, amount("5.66 EUR"));
        assert_eq!(passes.pass(by, pass).wait().unwrap().state, State::Redeemed);

        // Full: one opens, and its rest goes first.
        let (_, code) = world.used("10 EUR", Usage::Full(3));
        assert_eq!(direct(&code, "4 EUR").unwrap().uses_left, 2);
        assert_eq!(code_of(&direct(&code, "6.01 EUR")), "BALANCE_TOO_SMALL");
        let partly = Redeem::direct(code.as_str(), amount("8 EUR")).partly();
        let rest = passes.redeem(by, partly).wait().unwrap();
        assert_eq!((rest.amount, rest.short, rest.uses_left), (amount("6 EUR"), amount("2 EUR"), 2));
        assert_eq!(direct(&code, "1 EUR").unwrap().uses_left, 1);
        assert_eq!(wallet(&code).unwrap().amount, amount("9 EUR"));
        assert_eq!(wallet(&code).unwrap().amount, amount("10 EUR"));
        assert_eq!(code_of(&wallet(&code)), "PASS_REDEEMED");

        // A single use in parts is one use; the rest can go into a wallet.
        let (pass, code) = world.gift("10 EUR");
        let first = direct(&code, "2.50 EUR").unwrap();
        assert_eq!((first.uses, direct(&code, "2.50 EUR").unwrap().uses), (1, 0));
        let rest = wallet(&code).unwrap();
        assert_eq!((rest.amount, rest.uses, rest.was_last()), (amount("5 EUR"), 0, true));
        passes.reverse(by, Reverse::operation(first.operation)).wait().unwrap();
        let view = passes.pass(by, pass).wait().unwrap();
        assert_eq!((view.state, view.left, view.used), (State::Active, amount("2.50 EUR"), 1));
        let _ = world.books();
    });
}

/// P-15, L-5: a plan's caps bound the passes and the value ever made from it, whatever way value is added.
#[test]
fn caps_bound_what_a_plan_makes() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = open_value(Form::Printed);
        spec.caps = Caps { passes: Some(5), value: Some(amount("60 EUR")) };
        let plan = world.plan(spec.clone());
        let lot = world.lot(plan, 4);
        let generate = passes_core::service::Generate { plan, count: 2, accept_weak: false };
        assert_eq!(code_of(&passes.generate(by, generate).wait()), "PLAN_CAP");
        passes.sell(by, lot.pass(1), deal()).wait().unwrap();
        passes.sell(by, lot.pass(2), deal().worth(amount("30 EUR"))).wait().unwrap();
        let refused = passes.sell(by, lot.pass(3), deal()).wait().unwrap_err();
        assert_eq!((refused.code(), refused.reasons()[0].values()[2].1.as_str()), ("PLAN_CAP", "1000"));
        assert_eq!(code_of(&passes.set_value(by, lot.pass(1), amount("31 EUR")).wait()), "PLAN_CAP");
        passes.set_value(by, lot.pass(1), amount("10 EUR")).wait().unwrap();
        passes.sell(by, lot.pass(3), deal()).wait().unwrap();
        assert_eq!(code_of(&passes.sell(by, lot.pass(4), deal().worth(amount("10 EUR"))).wait()), "PLAN_CAP");
        passes.void_sale(by, lot.pass(3)).wait().unwrap();
        passes.sell(by, lot.pass(4), deal().worth(amount("10 EUR"))).wait().unwrap();
        // A cap may be raised in a frozen plan.
        let raised = Spec { caps: Caps { passes: Some(6), value: Some(amount("61 EUR")) }, ..spec };
        passes.edit_plan(by, plan, raised).wait().unwrap();
        passes.generate(by, generate).wait().unwrap();
        let _ = world.books();
    });
}

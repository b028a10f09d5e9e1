//! What is booked, and what returns: the worked examples behind the model's random ones.

use passes_core::calendar::{Instant, Period};
use passes_core::conditions::Conditions;
use passes_core::id::ContactId;
use passes_core::ledger::{Account, Mark, Unit};
use passes_core::money::Money;
use passes_core::pass::State;
use passes_core::plan::{Form, SpendBy, Usage};
use passes_core::service::{Deal, Home, Of, Part, Redeem, Rest, Returned, Reverse, Spend};
use tests::world::{amount, basket, one_line, settings};
use tests::{Books, World, code_of, on_every_store};

fn eur() -> Unit {
    Unit::Money(amount("0 EUR").currency())
}

fn sums(books: &Books, account: Account) -> (i64, i64) {
    (books.part(account, Mark::Granted, eur()), books.part(account, Mark::Paid, eur()))
}

/// A pass of ten euros sold for six, redeemed into the wallet.
fn half_given(world: &World, contact: ContactId) -> passes_core::event::Position {
    let (pass, code) = world.draft(World::spec("10 EUR"));
    world.passes.sell(&world.by, pass, Deal::at(amount("6 EUR"))).wait().unwrap();
    world.passes.redeem(&world.by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap().operation
}

fn told(returned: &[Returned]) -> Vec<(String, Mark, Option<u32>)> {
    returned.iter().map(|r| (r.amount.to_string(), r.mark, r.line)).collect()
}

fn of(amount: &str, mark: Mark, line: u32) -> (String, Mark, Option<u32>) {
    (amount.to_owned(), mark, Some(line))
}

/// W-1: the postings: sold below, at and above the value, activated, redeemed, spent, cancelled, reversed; at each
/// step the accounts hold what the table of postings says, and liability is outstanding plus credit.
#[test]
fn every_posting_of_the_table() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        for (price, granted, paid) in
            [("6 EUR", 400, 600), ("10 EUR", 0, 1_000), ("11 EUR", 0, 1_000), ("0 EUR", 1_000, 0)]
        {
            let before = world.books();
            let (pass, _) = world.draft(World::spec("10 EUR"));
            assert_eq!(world.books().entries, before.entries, "an unsold draft is no liability");
            passes.sell(by, pass, Deal::at(amount(price))).wait().unwrap();
            let books = world.books();
            assert_eq!(books.passes[&pass], (granted, paid), "sold at {price}");
            passes.cancel(by, pass, Rest::Forfeit).wait().unwrap();
        }
        for (unsold, expected) in [(Mark::Granted, (1_000, 0)), (Mark::Paid, (0, 1_000))] {
            let mut spec = World::spec("10 EUR");
            spec.terms.unsold = unsold;
            let (pass, _) = world.draft(spec);
            passes.activate(by, pass).wait().unwrap();
            assert_eq!(world.books().passes[&pass], expected);
            passes.cancel(by, pass, Rest::Refund).wait().unwrap();
        }
        let before = world.books();
        assert_eq!(before.account(Account::Outstanding, eur()), 0);
        half_given(&world, contact);
        let books = world.books();
        assert_eq!((sums(&books, Account::Outstanding), sums(&books, Account::Credit)), ((0, 0), (400, 600)));
        assert_eq!(books.credits.len(), 2, "one credit per mark");
        let liability = passes.liability(by).wait().unwrap();
        assert_eq!((liability[0].outstanding, liability[0].credit), (amount("0 EUR"), amount("10 EUR")));
        assert_eq!((liability[0].granted, liability[0].paid), (amount("4 EUR"), amount("6 EUR")));
        passes.spend(by, Spend::all(contact, one_line("5 EUR"))).wait().unwrap();
        let books = world.books();
        assert_eq!((sums(&books, Account::Credit), sums(&books, Account::Settled)), ((0, 500), (400, 100)));
        // A pass whose every use credits the full value is outstanding with value times uses.
        let (pass, _) = world.used("3 EUR", Usage::Full(4));
        assert_eq!(world.books().passes[&pass], (0, 1_200));
    });
}

/// a part returns in the reverse order: the last credit first, in it the last line, paid before granted; and
/// all parts together are what was taken.
#[test]
fn parts_return_in_the_reverse_order() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        // A gift card: three lines, the first two and a half of them granted.
        let (pass, code) = world.draft(World::spec("10 EUR"));
        passes.sell(by, pass, Deal::at(amount("6 EUR"))).wait().unwrap();
        let bought = basket(&[("A", &[], "1.50 EUR"), ("B", &[], "3 EUR"), ("C", &[], "2 EUR")]);
        let paid = passes.redeem(by, Redeem::pay(code.as_str(), bought)).wait().unwrap();
        let lines: Vec<_> = paid.paid.iter().map(|p| (p.amount.to_string(), p.mark, p.line)).collect();
        let all = [
            of("1.50 EUR", Mark::Granted, 0),
            of("2.50 EUR", Mark::Granted, 1),
            of("0.50 EUR", Mark::Paid, 1),
            of("2.00 EUR", Mark::Paid, 2),
        ];
        assert_eq!(lines, all);
        let reverse = |request: Reverse| passes.reverse(by, request).wait();
        let some = |text: &str| reverse(Reverse::operation(paid.operation).amount(amount(text))).unwrap();
        assert_eq!(
            told(&some("2.25 EUR").returned),
            [of("2.00 EUR", Mark::Paid, 2), of("0.25 EUR", Mark::Paid, 1)]
        );
        let by_line =
            Reverse::operation(paid.operation).lines(vec![(0, amount("0.40 EUR")), (1, amount("0.35 EUR"))]);
        let parts = reverse(by_line).unwrap();
        assert_eq!(
            told(&parts.returned),
            [
                of("0.25 EUR", Mark::Paid, 1),
                of("0.10 EUR", Mark::Granted, 1),
                of("0.40 EUR", Mark::Granted, 0)
            ]
        );
        let too_much = Reverse::operation(paid.operation).lines(vec![(2, amount("0.01 EUR"))]);
        assert_eq!(reverse(too_much).unwrap_err().reasons()[0].values()[0].1, "0.00 EUR");
        let too_much = reverse(Reverse::operation(paid.operation).amount(amount("3.51 EUR"))).unwrap_err();
        assert_eq!(
            (too_much.code(), too_much.reasons()[0].fix().as_str()),
            ("REVERSAL_TOO_LARGE", "reverse at most 3.50 EUR")
        );
        let rest = reverse(Reverse::operation(paid.operation)).unwrap();
        assert_eq!(
            told(&rest.returned),
            [of("2.40 EUR", Mark::Granted, 1), of("1.10 EUR", Mark::Granted, 0)]
        );
        assert_eq!(code_of(&reverse(Reverse::operation(paid.operation))), "ALREADY_REVERSED");
        let view = passes.pass(by, pass).wait().unwrap();
        assert_eq!(
            (view.state, view.left, view.granted_left, view.used),
            (State::Active, amount("10 EUR"), amount("4 EUR"), 0)
        );

        // A wallet: granted money of a restricted plan, then paid, then what may be spent on anything.
        let contact = world.contact();
        let mut toys = World::spec("4 EUR");
        toys.terms.conditions = Conditions { families: ["toys".into()].into(), ..Conditions::default() };
        toys.terms.spend_by = SpendBy::AfterRedemption(Period::of_days(5).unwrap());
        let (first, code) = world.draft(toys);
        passes.sell(by, first, Deal::at(amount("1 EUR"))).wait().unwrap();
        passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
        let (_, code) = world.gift("5 EUR");
        passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
        let bought = basket(&[
            ("doll", &["toys"], "3.50 EUR"),
            ("tea", &["food"], "2 EUR"),
            ("bear", &["toys"], "1 EUR"),
        ]);
        let before = world.books();
        let spent = passes.spend(by, Spend::all(contact, bought)).wait().unwrap();
        let order: Vec<_> = spent.paid.iter().map(|p| (p.line, p.mark, p.amount.to_string())).collect();
        let text = str::to_owned;
        assert_eq!(
            order,
            [
                (0, Mark::Granted, text("3.00 EUR")),
                (0, Mark::Paid, text("0.50 EUR")),
                (2, Mark::Paid, text("0.50 EUR")),
                (1, Mark::Paid, text("2.00 EUR")),
                (2, Mark::Paid, text("0.50 EUR")),
            ]
        );
        let part = reverse(Reverse::operation(spent.operation).amount(amount("2.75 EUR"))).unwrap();
        assert_eq!(
            told(&part.returned),
            [of("0.50 EUR", Mark::Paid, 2), of("2.00 EUR", Mark::Paid, 1), of("0.25 EUR", Mark::Paid, 2)]
        );
        reverse(Reverse::operation(spent.operation)).unwrap();
        let after = world.books();
        assert_eq!(
            (before.accounts, before.credits),
            (after.accounts, after.credits),
            "as if it had not been"
        );
    });
}

/// money that was spent since is not there to return: refused with the amount, or if that is allowed booked
/// as a loss, and the credit stays at zero. A reversal isn't reversed, nor is anything but a redemption or a spend.
#[test]
fn spent_money_is_a_loss() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let contact = world.contact();
        let redeemed = half_given(&world, contact);
        let spent = passes.spend(by, Spend::all(contact, one_line("7 EUR"))).wait().unwrap();
        let refused = passes.reverse(by, Reverse::operation(redeemed)).wait().unwrap_err();
        assert_eq!(
            (refused.code(), refused.reasons()[0].values()[0].1.as_str()),
            ("ALREADY_SPENT", "7.00 EUR")
        );
        // What is there can return.
        let some = passes.reverse(by, Reverse::operation(redeemed).amount(amount("2 EUR"))).wait().unwrap();
        assert_eq!((some.amount, some.loss), (Some(amount("2 EUR")), None));
        let clerk = passes_core::operation::Actor::new(
            "clerk",
            passes_core::operation::Rights::of(&[passes_core::operation::Right::Reverse]),
        )
        .unwrap();
        let clerk = passes_core::operation::By::new(world.business(), clerk);
        let all = Reverse::operation(redeemed).allow_loss();
        assert_eq!(code_of(&passes.reverse(&clerk, all.clone()).wait()), "FORBIDDEN");
        let lost = passes.reverse(by, all).wait().unwrap();
        assert_eq!((lost.amount, lost.loss, lost.uses), (Some(amount("8 EUR")), Some(amount("7 EUR")), 1));
        let books = world.books();
        assert_eq!(books.account(Account::Loss, eur()), -700);
        assert!(books.credits.values().all(|left| *left == 0));
        assert_eq!(sums(&books, Account::Outstanding), (400, 600));
        for other in [some.operation, lost.operation] {
            assert_eq!(code_of(&passes.reverse(by, Reverse::operation(other)).wait()), "NOT_REVERSIBLE");
        }
        let sale = passes.create_contact(by, Default::default()).wait().unwrap().operation;
        assert_eq!(code_of(&passes.reverse(by, Reverse::operation(sale)).wait()), "NOT_REVERSIBLE");
        let nothing = Reverse::operation(passes_core::event::Position(spent.operation.0 + 1_000));
        assert_eq!(code_of(&passes.reverse(by, nothing).wait()), "NOT_FOUND");
    });
}

/// R-6, W-4: money returns to a credit with its old expiry; to one that has expired since, for the days of grace
/// as a new credit; without grace to breakage; and the answer says so.
#[test]
fn money_returns_to_an_expired_credit() {
    for grace in [0, 3] {
        let mut settings = settings();
        settings.grace_days = grace;
        for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
            let (passes, by) = (&world.passes, &world.by);
            let contact = world.contact();
            let mut spec = World::spec("10 EUR");
            spec.terms.spend_by = SpendBy::AfterRedemption(Period::of_days(5).unwrap());
            let (_, code) = world.sold(spec);
            let credit =
                passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap().credits[0]
                    .credit;
            let spent = passes.spend(by, Spend::all(contact, one_line("8 EUR"))).wait().unwrap();
            let back = |text: &str| {
                let request =
                    Reverse { part: Part::Amount(amount(text)), ..Reverse::operation(spent.operation) };
                passes.reverse(by, request).wait().unwrap().done.returned.remove(0).home
            };
            world.at("2026-01-19T23:59:59.999999Z");
            assert_eq!(back("1 EUR"), Home::Credit(contact, credit));
            world.at("2026-01-20T00:00:00Z");
            let home = back("3 EUR");
            let wallet = passes.wallet(by, contact).wait().unwrap();
            let balance: Money = wallet.balance(amount("0 EUR").currency()).unwrap();
            let books = world.books();
            if grace == 0 {
                assert_eq!((home, balance), (Home::Breakage, amount("0 EUR")));
                assert_eq!(books.account(Account::Breakage, eur()), 300);
            } else {
                let Home::NewCredit(owner, new, until) = home else { panic!("{home:?}") };
                assert!(owner == contact && new != credit);
                assert_eq!(until, Some(Instant::parse("2026-01-24T00:00:00Z").unwrap()));
                assert_eq!(balance, amount("3 EUR"));
                passes.spend(by, Spend::all(contact, one_line("3 EUR"))).wait().unwrap();
            }
        }
    }
}

/// R-6, L-3: what a cancelled pass had given returns as a new credit: of the contact who is named, else of a new
/// nameless one; of several cancelled in a row, the last successor takes it.
#[test]
fn money_of_a_cancelled_pass_returns_as_a_credit() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let ann = world.contact();
        let (pass, code) = world.gift("10 EUR");
        let spent = passes.redeem(by, Redeem::direct(code.as_str(), amount("7 EUR"))).wait().unwrap();
        passes.cancel(by, pass, Rest::Refund).wait().unwrap();
        let part = |to| Reverse { to, ..Reverse::operation(spent.operation).amount(amount("2 EUR")) };
        let first = passes.reverse(by, part(Some(ann))).wait().unwrap();
        let Home::NewCredit(owner, _, None) = first.returned[0].home else { panic!("{first:?}") };
        assert_eq!(owner, ann);
        passes.spend(by, Spend::all(ann, one_line("2 EUR"))).wait().unwrap();
        let second = passes.reverse(by, part(None)).wait().unwrap();
        let Home::NewCredit(nameless, _, None) = second.returned[0].home else { panic!("{second:?}") };
        let contact = passes.contact(by, nameless).wait().unwrap();
        assert!(!contact.named && contact.profile.media.is_empty());
        passes.spend(by, Spend::all(nameless, one_line("2 EUR"))).wait().unwrap();
        let nobody: ContactId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        assert_eq!(code_of(&passes.reverse(by, part(Some(nobody))).wait()), "CONTACT_NOT_REGISTERED");
        // A wallet in another currency takes none of it.
        let bob = world.contact();
        let (_, pounds) = world.gift("1 GBP");
        passes.redeem(by, Redeem::into_wallet(pounds.as_str(), bob)).wait().unwrap();
        assert_eq!(code_of(&passes.reverse(by, part(Some(bob))).wait()), "WALLET_CURRENCY");

        // Reissued twice: the money goes to the last.
        let (pass, code) = world.gift("10 EUR");
        let spent = passes.redeem(by, Redeem::direct(code.as_str(), amount("7 EUR"))).wait().unwrap();
        let second = passes.cancel(by, pass, Rest::Reissue).wait().unwrap().replaced[0].1;
        let third = passes.cancel(by, second, Rest::Reissue).wait().unwrap().replaced[0].1;
        let back = passes.reverse(by, Reverse::operation(spent.operation)).wait().unwrap();
        assert_eq!(back.returned[0].home, Home::Pass(third));
        assert_eq!(passes.pass(by, third).wait().unwrap().left, amount("10 EUR"));
        let _ = world.books();
    });
}

/// R-3, W-2: a gift card goes into a registered contact's wallet, a new nameless one's, or is spent directly; a
/// top-up only into an existing one; a second currency only where the business allows it.
#[test]
fn where_the_value_goes() {
    for second in [false, true] {
        let mut settings = settings();
        settings.second_currency = second;
        for world in [World::memory_with(settings.clone(), 1), World::sqlite_with(settings.clone(), 1)] {
            let (passes, by) = (&world.passes, &world.by);
            let ann = world.contact();
            let mut top_up = World::spec("10 EUR");
            top_up.terms.classification = passes_core::plan::Classification::TopUp;
            let (_, code) = world.sold(top_up);
            for request in
                [Redeem::into_new_wallet(code.as_str()), Redeem::direct(code.as_str(), amount("1 EUR"))]
            {
                assert_eq!(code_of(&passes.redeem(by, request).wait()), "CONTACT_REQUIRED");
            }
            passes.redeem(by, Redeem::into_wallet(code.as_str(), ann)).wait().unwrap();
            let (_, code) = world.gift("5 GBP");
            let pounds = passes.redeem(by, Redeem::into_wallet(code.as_str(), ann)).wait();
            assert_eq!(code_of(&pounds), if second { "ok" } else { "WALLET_CURRENCY" });
            if second {
                passes.spend(by, Spend::all(ann, one_line("5 GBP"))).wait().unwrap();
                passes.spend(by, Spend::all(ann, one_line("10 EUR"))).wait().unwrap();
            } else {
                let new = passes.redeem(by, Redeem::into_new_wallet(code.as_str())).wait().unwrap();
                assert!(!passes.contact(by, new.contact.unwrap()).wait().unwrap().named);
            }
            let _ = world.books();
        }
    }
}

/// many redemptions in one call: each has its own answer, in order, and one that is refused stops no other.
#[test]
fn many_redemptions_in_one_call() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let (_, first) = world.gift("10 EUR");
        let (_, second) = world.used("2 EUR", Usage::Full(2));
        let direct = |code: &str, text: &str| (by.clone(), Redeem::direct(code, amount(text)));
        let keyed = |key: &str| (world.key(key), Redeem::into_new_wallet(second.as_str()));
        let answers = passes
            .redeem_all(vec![
                direct(&first, "4 EUR"),
                direct(&first, "7 EUR"),
                (by.clone(), Redeem::into_new_wallet("not a code!")),
                keyed("one"),
                keyed("one"),
                direct(&first, "6 EUR"),
                keyed("two"),
                keyed("three"),
                (nobody(&world), Redeem::into_new_wallet(first.as_str())),
            ])
            .wait()
            .unwrap();
        let codes: Vec<_> = answers.iter().map(code_of).collect();
        assert_eq!(
            codes,
            ["ok", "BALANCE_TOO_SMALL", "MALFORMED", "ok", "ok", "ok", "ok", "PASS_REDEEMED", "FORBIDDEN"]
        );
        let replayed: Vec<_> = answers.iter().flatten().map(|receipt| receipt.replayed).collect();
        assert_eq!(replayed, [false, false, true, false, false]);
        assert_eq!(answers[3].as_ref().unwrap().done, answers[4].as_ref().unwrap().done);
        let many = vec![direct(&first, "1 EUR"); 10_001];
        assert_eq!(code_of(&passes.redeem_all(many).wait()), "TOO_LARGE");
        let _ = world.books();
    });
}

/// Somebody without any right.
fn nobody(world: &World) -> passes_core::operation::By {
    let actor = passes_core::operation::Actor::new("nobody", Default::default()).unwrap();
    passes_core::operation::By::new(world.business(), actor)
}

/// a reversal by key takes back what the key did, once; a key that did nothing is stopped; a repeated
/// reversal under a key of its own gives its first answer.
#[test]
fn reversals_by_key() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let (pass, code) = world.gift("10 EUR");
        let request = || Redeem::direct(code.as_str(), amount("10 EUR"));
        let first = passes.redeem(&world.key("till"), request()).wait().unwrap();
        let undo = |own: &str| {
            passes
                .reverse(&world.key(own), Reverse { of: Of::Key("till".into()), ..Reverse::key("x") })
                .wait()
        };
        let undone = undo("undo").unwrap();
        assert_eq!(
            (undone.of, undone.amount, undone.uses),
            (Some(first.operation), Some(amount("10 EUR")), 1)
        );
        assert_eq!(passes.pass(by, pass).wait().unwrap().state, State::Active);
        let again = undo("undo").unwrap();
        assert!(again.replayed && again.done == undone.done);
        assert_eq!(code_of(&undo("another")), "ALREADY_REVERSED");
        // The answer that was lost is still the answer, and moves nothing.
        let late = passes.redeem(&world.key("till"), request()).wait().unwrap();
        assert!(late.replayed && late.done == first.done);
        assert_eq!(passes.pass(by, pass).wait().unwrap().left, amount("10 EUR"));

        let stopped = passes.reverse(&world.key("stop"), Reverse::key("never came")).wait().unwrap();
        assert_eq!((stopped.of, stopped.amount), (None, None));
        assert!(passes.reverse(&world.key("stop"), Reverse::key("never came")).wait().unwrap().replayed);
        assert_eq!(
            code_of(&passes.redeem(&world.key("never came"), request()).wait()),
            "REVERSED_BEFORE_IT_CAME"
        );
        let contact = world.contact();
        let spend = Spend::all(contact, one_line("1 EUR"));
        assert_eq!(code_of(&passes.spend(&world.key("never came"), spend).wait()), "REVERSED_BEFORE_IT_CAME");
        let _ = world.books();
    });
}

/// a refusal binds nothing: the same key serves the same request when it is given again and can be done, or
/// another one. What was done binds the key for good, whatever has become of the pass.
#[test]
fn a_refusal_binds_nothing() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let (pass, code) = world.draft(World::spec("10 EUR"));
        let key = world.key("one");
        let redeem = |text: &str| passes.redeem(&key, Redeem::direct(code.as_str(), amount(text))).wait();
        assert_eq!(code_of(&redeem("10 EUR")), "PASS_DRAFT");
        passes.sell(by, pass, Deal::at(amount("10 EUR"))).wait().unwrap();
        assert_eq!(code_of(&redeem("11 EUR")), "BALANCE_TOO_SMALL");
        let done = redeem("10 EUR").unwrap();
        assert!(!done.replayed);
        // Judged before state and balance: the pass is used up by now, and then cancelled.
        assert!(redeem("10 EUR").unwrap().replayed);
        assert_eq!(code_of(&redeem("9 EUR")), "IDEMPOTENCY_MISMATCH");
        passes.reverse(by, Reverse::operation(done.operation)).wait().unwrap();
        passes.cancel(by, pass, Rest::Refund).wait().unwrap();
        assert!(redeem("10 EUR").unwrap().replayed);
        assert_eq!(code_of(&redeem("9 EUR")), "IDEMPOTENCY_MISMATCH");
        // Every writing command takes a key; the same key for another command is another request.
        assert_eq!(code_of(&passes.cancel(&key, pass, Rest::Refund).wait()), "IDEMPOTENCY_MISMATCH");
        let made = passes.create_plan(&world.key("plan"), World::spec("1 EUR")).wait().unwrap();
        let again = passes.create_plan(&world.key("plan"), World::spec("1 EUR")).wait().unwrap();
        assert!(again.replayed && again.done == made.done && again.operation == made.operation);
        let other = passes.create_plan(&world.key("plan"), World::spec("2 EUR")).wait();
        assert_eq!(code_of(&other), "IDEMPOTENCY_MISMATCH");
        // In another business the same key is another key.
        let actor =
            passes_core::operation::Actor::new("admin", passes_core::operation::Rights::all()).unwrap();
        let second = passes.create_business(&actor, settings()).wait().unwrap();
        let elsewhere = passes_core::operation::By::new(second, actor).key("one");
        let answer = passes.redeem(&elsewhere, Redeem::direct(code.as_str(), amount("10 EUR"))).wait();
        assert_eq!(code_of(&answer), "UNKNOWN_CODE");
        let _ = world.books();
    });
}

/// W-1, L-8: an electronic pass that is sold as it is issued is booked at once; voided it is cancelled, and the
/// money is where it came from.
#[test]
fn an_electronic_sale_is_booked_and_voided() {
    on_every_store(|world| {
        let (passes, by) = (&world.passes, &world.by);
        let mut spec = World::spec("10 EUR");
        spec.terms.form = Form::Electronic;
        let plan = world.plan(spec);
        let to = passes_core::service::Recipient::Contact(world.contact());
        let issue = passes_core::service::Issue::new(plan, to, "email").sold(Deal::at(amount("8 EUR")));
        let pass = passes.issue(by, issue).wait().unwrap().pass;
        assert_eq!(world.books().passes[&pass], (200, 800));
        passes.void_sale(by, pass).wait().unwrap();
        assert_eq!(passes.pass(by, pass).wait().unwrap().state, State::Cancelled);
        assert!(world.books().accounts.values().all(|sum| *sum == 0));
    });
}

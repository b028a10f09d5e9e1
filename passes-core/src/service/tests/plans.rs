//! Plans: their life, what is frozen in them, and what their passes take from them.

use super::{Shop, basket, card, eur, spec};
use crate::calendar::parse_date;
use crate::conditions::{Basket, Conditions, Line, Pool};
use crate::fields::{Definition, FieldType, Value, Values};
use crate::id::PlanId;
use crate::ledger::Mark;
use crate::lot::Outcome;
use crate::money::{Currency, Money};
use crate::operation::Right;
use crate::pass::State;
use crate::passcode::Passcode;
use crate::plan::{Caps, Form, PlanState, RedeemBy, Spec, SpendBy, Terms, Usage, Worth};
use crate::refusal::Refusal;
use crate::service::{Deal, Error, Expiry, Generate, Issue, Receipt, Recipient, Redeem, Rest, Spend};

impl Shop {
    fn state(&self, plan: PlanId) -> PlanState {
        self.passes.plan(&self.by, plan).wait().unwrap().state
    }

    /// The codes of the refusals of a redemption into a new wallet; none would be refused.
    fn refused(&self, code: &Passcode) -> Vec<&'static str> {
        let check = self.passes.check(&self.by, &Redeem::into_new_wallet(code.clone())).wait().unwrap();
        check.reasons.iter().map(Refusal::code).collect()
    }

    fn owed(&self) -> (Money, Money) {
        let owed = self.passes.liability(&self.by).wait().unwrap();
        owed.first().map_or((eur("0"), eur("0")), |owed| (owed.paid, owed.granted))
    }
}

fn code_of<T: std::fmt::Debug>(answer: Result<T, Error>) -> &'static str {
    answer.unwrap_err().code()
}

fn open_value(form: Form) -> Terms {
    Terms { value: Worth::Range { least: eur("10"), most: eur("100") }, form, ..card() }
}

/// P-1, P-11: a draft, an active and an archived plan: what each can be told, and where that leads; only an active
/// one makes passes; a deleted one is gone.
#[test]
fn a_plan_lives_from_draft_to_archive() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let create = || passes.create_plan(by, spec(card())).wait().unwrap().done;
    let bring = |state| {
        let plan = create();
        if state != PlanState::Draft {
            passes.activate_plan(by, plan).wait().unwrap();
        }
        if state == PlanState::Archived {
            passes.archive_plan(by, plan).wait().unwrap();
        }
        assert_eq!(shop.state(plan), state);
        plan
    };
    let make = |plan| passes.generate(by, Generate { plan, count: 1, accept_weak: false }).wait();
    let after =
        |plan, answer: Result<Receipt<PlanId>, Error>| answer.map(|_| shop.state(plan)).map_err(|e| e.code());
    use PlanState::{Active, Archived, Draft};
    for (state, activated, archived, makes) in [
        (Draft, Ok(Active), Ok(Archived), false),
        (Active, Err("WRONG_STATE"), Ok(Archived), true),
        (Archived, Ok(Active), Err("WRONG_STATE"), false),
    ] {
        let plan = bring(state);
        assert_eq!(after(plan, passes.activate_plan(by, plan).wait()), activated);
        let plan = bring(state);
        assert_eq!(after(plan, passes.archive_plan(by, plan).wait()), archived);
        let plan = bring(state);
        assert_eq!(
            make(plan).map(drop).map_err(|e| e.code()),
            if makes { Ok(()) } else { Err("WRONG_STATE") }
        );
        let plan = bring(state);
        passes.edit_plan(by, plan, spec(open_value(Form::Printed))).wait().unwrap();
        assert_eq!(shop.state(plan), state);
        passes.delete_plan(by, plan).wait().unwrap();
        let gone = [
            passes.plan(by, plan).wait().err(),
            passes.activate_plan(by, plan).wait().err(),
            passes.archive_plan(by, plan).wait().err(),
            passes.delete_plan(by, plan).wait().err(),
            passes.copy_plan(by, plan).wait().err(),
            passes.edit_plan(by, plan, spec(card())).wait().err(),
            passes.suspend(by, plan).wait().err(),
            passes.set_expiry(by, plan, Expiry::Never).wait().err(),
            make(plan).err(),
        ];
        assert!(gone.into_iter().all(|error| error.unwrap().code() == "NOT_FOUND"));
    }

    // Once it has a pass it can be put away, but not deleted; its passes live on, and it can come back.
    let plan = bring(Active);
    let (lot, codes) = shop.sold(plan, 2, "50");
    assert_eq!(code_of(passes.delete_plan(by, plan).wait()), "PLAN_FROZEN");
    passes.archive_plan(by, plan).wait().unwrap();
    assert_eq!(code_of(passes.delete_plan(by, plan).wait()), "PLAN_FROZEN");
    assert_eq!(code_of(make(plan)), "WRONG_STATE");
    passes.redeem(by, Redeem::into_new_wallet(codes[0].clone())).wait().unwrap();
    passes.suspend(by, lot.pass(2)).wait().unwrap();
    passes.activate_plan(by, plan).wait().unwrap();
    shop.lot(plan, 1);

    // The list leaves out what was deleted, and goes on over it.
    let (mut listed, mut next) = (Vec::new(), None);
    loop {
        let page = passes.plans(by, next, 2).wait().unwrap();
        listed.extend(page.rows.iter().map(|plan| plan.id));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(listed.len(), 10);
    assert!(listed.contains(&plan));
}

/// P-11, C-4: a copy has everything of the plan, the prefix too, and none of its past: it is a draft that can be
/// changed, its caps begin anew, and its codes are other ones.
#[test]
fn a_plan_is_copied_prefix_and_all() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let plan = shop.plan_of(Spec { caps: Caps { passes: Some(2), value: None }, ..spec(card()) });
    let first = shop.codes(shop.lot(plan, 2));
    passes.suspend(by, plan).wait().unwrap();
    let copy = passes.copy_plan(by, plan).wait().unwrap().done;
    let (old, new) = (passes.plan(by, plan).wait().unwrap(), passes.plan(by, copy).wait().unwrap());
    assert_eq!(
        (new.state, new.copy_of, new.terms, new.suspended),
        (PlanState::Draft, Some(plan), None, false)
    );
    assert_eq!(new.spec, old.spec);
    passes.edit_plan(by, copy, spec(open_value(Form::Printed))).wait().unwrap();
    passes.edit_plan(by, copy, old.spec.clone()).wait().unwrap();
    passes.activate_plan(by, copy).wait().unwrap();
    let second = shop.codes(shop.lot(copy, 2));
    assert!(second.iter().all(|code| code.reveal().starts_with("GIFT-")));
    assert!(second.iter().all(|code| first.iter().all(|other| code.reveal() != other.reveal())));
    assert_eq!(passes.plan(by, plan).wait().unwrap(), old);
}

/// P-11, P-15, P-1: with its first pass a plan is frozen: any change is refused by the name of its field, and
/// changes nothing; translations and raised caps are taken.
#[test]
fn a_plan_with_a_pass_is_frozen() {
    let shop = Shop::with(|settings| settings.locales.push("de".into()));
    let (passes, by) = (&shop.passes, &shop.by);
    let first = Spec { caps: Caps { passes: Some(5), value: None }, ..spec(card()) };
    let plan = shop.plan_of(first.clone());
    let with = |change: &dyn Fn(&mut Spec)| {
        let mut next = first.clone();
        change(&mut next);
        next
    };
    let changes: [(&str, Spec); 12] = [
        ("terms", with(&|s| s.terms.value = Worth::Fixed(eur("60")))),
        ("terms", with(&|s| s.terms.usage = Usage::Full(2))),
        ("terms", with(&|s| s.terms.form = Form::Electronic)),
        ("terms", with(&|s| s.terms.redeem_by = RedeemBy::Date(parse_date("d", "2030-01-01").unwrap()))),
        ("terms", with(&|s| s.terms.spend_by = SpendBy::AfterRedemption("P1Y".parse().unwrap()))),
        ("terms", with(&|s| s.terms.conditions.skus = ["A1".into()].into())),
        ("terms", with(&|s| s.terms.pool = Some("toys".into()))),
        ("terms", with(&|s| s.terms.unsold = Mark::Paid)),
        ("code", with(&|s| s.code.prefix = "CARD".into())),
        ("code", with(&|s| s.code.length = 14)),
        ("caps.passes", with(&|s| s.caps.passes = Some(4))),
        ("caps.value", with(&|s| s.caps.value = Some(eur("1000")))),
    ];
    for (_, next) in &changes {
        passes.edit_plan(by, plan, next.clone()).wait().unwrap();
    }
    passes.edit_plan(by, plan, first.clone()).wait().unwrap();
    let lot = shop.lot(plan, 1);
    for (field, next) in changes {
        match passes.edit_plan(by, plan, next).wait().unwrap_err().reasons() {
            [Refusal::PlanFrozen { field: told }] => assert_eq!(told, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert_eq!(passes.plan(by, plan).wait().unwrap().spec, first);
    let next = with(&|s| {
        s.name.insert("de".into(), "Gutschein".into());
        s.description.insert("en".into(), "For you".into());
        s.caps.passes = Some(6);
    });
    passes.edit_plan(by, plan, next.clone()).wait().unwrap();
    assert_eq!(passes.lot(by, lot).wait().unwrap().names["de"], "Gutschein");
    let french = Spec { name: [("fr".to_owned(), "Cadeau".to_owned())].into(), ..next.clone() };
    assert_eq!(code_of(passes.edit_plan(by, plan, french).wait()), "INVALID");
    assert_eq!(passes.plan(by, plan).wait().unwrap().spec, next);
    shop.lot(plan, 5);
}

/// P-11, L-5: the expiry of all passes of a plan is put off at once, of expired ones too, and the plan stays frozen.
#[test]
fn the_expiry_of_a_plan_s_passes_is_put_off() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let date = |text: &str| parse_date("date", text).unwrap();
    let terms = Terms { redeem_by: RedeemBy::Date(date("2026-05-31")), ..card() };
    let plan = shop.plan(terms.clone());
    let (first, codes) = shop.sold(plan, 1_500, "50");
    let (second, others) = shop.sold(plan, 2, "50");
    let elsewhere = shop.sold(shop.plan(terms.clone()), 1, "50").1;
    passes.cancel(by, first.pass(7), Rest::Refund).wait().unwrap();
    shop.time.set("2026-05-31T22:00:00Z");
    assert_eq!(
        (shop.refused(&codes[0]), shop.refused(&others[1])),
        (vec!["PASS_EXPIRED"], vec!["PASS_EXPIRED"])
    );
    let later = Terms { redeem_by: RedeemBy::Date(date("2026-06-30")), ..terms };
    assert_eq!(code_of(passes.edit_plan(by, plan, spec(later)).wait()), "PLAN_FROZEN");

    let run = passes.set_expiry(by, plan, Expiry::Date(date("2026-06-30"))).wait().unwrap().done.run.unwrap();
    let over = passes.finish_run(by, run).wait().unwrap();
    assert_eq!((over.done, over.total, over.skipped), (1_501, 1_502, [(State::Cancelled, 1)].into()));
    for code in [&codes[0], &codes[1_499], &others[1]] {
        assert_eq!(shop.refused(code), [] as [&str; 0]);
    }
    assert_eq!(shop.refused(&elsewhere[0]), ["PASS_EXPIRED"]);
    shop.time.set("2026-06-30T21:59:59.999999Z");
    passes.redeem(by, Redeem::into_new_wallet(codes[2].clone())).wait().unwrap();
    shop.time.set("2026-06-30T22:00:00Z");
    assert_eq!(shop.refused(&codes[0]), ["PASS_EXPIRED"]);
    // What is made of it from now on has the plan's own terms.
    let new = shop.lot(plan, 1);
    assert_eq!(
        passes.pass(by, new.pass(1)).wait().unwrap().redeem_by.unwrap().to_string(),
        "2026-05-31T22:00:00Z"
    );
    assert_eq!(
        passes.pass(by, second.pass(1)).wait().unwrap().redeem_by.unwrap().to_string(),
        "2026-06-30T22:00:00Z"
    );

    // An expiry set by hand outlasts the activation.
    let period = RedeemBy::AfterActivation("P1Y".parse().unwrap());
    let lot = shop.lot(shop.plan(Terms { redeem_by: period, ..card() }), 2);
    passes.set_expiry(by, lot.pass(1), Expiry::Date(date("2026-08-31"))).wait().unwrap();
    let list = vec![lot.pass(1), lot.pass(2)];
    passes.activate(by, list).wait().unwrap();
    let ends = [1, 2].map(|n| passes.pass(by, lot.pass(n)).wait().unwrap().redeem_by.unwrap().to_string());
    assert_eq!(ends, ["2026-08-31T22:00:00Z", "2027-07-01T22:00:00Z"]);
}

/// P-13, X-1: a plan's fields are checked and inherited; a pass's own lie over them, and are checked too.
#[test]
fn fields_are_inherited_and_laid_over() {
    let shop = Shop::with(|settings| {
        let define = |name: &str, required, field| Definition { name: name.into(), required, field };
        settings.pass_fields = vec![
            define("motif", true, FieldType::Choice { of: vec!["roses".into(), "tulips".into()] }),
            define("stock", false, FieldType::Integer { least: 0, most: 9 }),
            define("matt", false, FieldType::YesNo {}),
        ];
    });
    let (passes, by) = (&shop.passes, &shop.by);
    let text = |text: &str| Value::Text(text.into());
    let values = |list: &[(&str, Value)]| -> Values {
        list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let create = |fields| passes.create_plan(by, spec(Terms { fields, ..card() })).wait();
    for wrong in [
        values(&[]),
        values(&[("motif", text("weeds"))]),
        values(&[("motif", text("roses")), ("stock", Value::Integer(10))]),
        values(&[("motif", text("roses")), ("colour", text("red"))]),
    ] {
        assert_eq!(code_of(create(wrong)), "BAD_FIELD");
    }
    let plan = create(values(&[("motif", text("roses")), ("stock", Value::Integer(3))])).unwrap().done;
    passes.activate_plan(by, plan).wait().unwrap();
    let lot = shop.lot(plan, 2);
    let fields = |n| passes.pass(by, lot.pass(n)).wait().unwrap().fields;
    let inherited = values(&[("motif", text("roses")), ("stock", Value::Integer(3))]);
    assert_eq!((fields(1), fields(2)), (inherited.clone(), inherited.clone()));
    passes.set_fields(by, lot.pass(1), values(&[("matt", Value::YesNo(true))])).wait().unwrap();
    passes.set_fields(by, lot.pass(1), values(&[("stock", Value::Integer(0))])).wait().unwrap();
    let own = values(&[("motif", text("roses")), ("stock", Value::Integer(0)), ("matt", Value::YesNo(true))]);
    assert_eq!((fields(1), fields(2)), (own.clone(), inherited));
    for wrong in [("stock", text("3")), ("stock", Value::Integer(-1)), ("colour", text("red"))] {
        assert_eq!(code_of(passes.set_fields(by, lot.pass(1), values(&[wrong])).wait()), "BAD_FIELD");
    }
    assert_eq!(fields(1), own);
}

/// P-9, W-3: a plan's pool is the pocket that it credits; that money is spent by the pool's conditions, as they are
/// when it is spent, and only by them does it differ from the business pocket.
#[test]
fn a_pool_is_a_pocket_with_conditions() {
    let toys = Conditions { families: ["toys".into()].into(), ..Conditions::default() };
    let shop = Shop::with(|settings| settings.pools = vec![Pool { name: "toys".into(), conditions: toys }]);
    let (passes, by) = (&shop.passes, &shop.by);
    let boats = spec(Terms { pool: Some("boats".into()), ..card() });
    assert_eq!(code_of(passes.create_plan(by, boats).wait()), "INVALID");
    let ann = shop.contact("Ann");
    let pool = shop.plan(Terms { pool: Some("toys".into()), ..card() });
    for plan in [pool, shop.cards()] {
        let code = shop.sold(plan, 1, "50").1.remove(0);
        passes.redeem(by, Redeem::into_wallet(code, ann)).wait().unwrap();
    }
    let balances = || -> Vec<_> {
        let wallet = passes.wallet(by, ann).wait().unwrap();
        wallet.pockets.iter().map(|p| (p.key.pool.clone(), p.balance)).collect()
    };
    assert_eq!(balances(), [(None, eur("50")), (Some("toys".into()), eur("50"))]);
    let toy = Line { families: vec!["toys".into()], ..Line::new("T1", 1, eur("30")) };
    let both = Basket::new(Currency::EUR, vec![Line::new("A1", 1, eur("40")), toy]).unwrap();
    let spent = passes.spend(by, Spend::all(ann, both)).wait().unwrap();
    assert_eq!(spent.amount, eur("70"));
    assert_eq!(balances(), [(None, eur("10")), (Some("toys".into()), eur("20"))]);
    let short = passes.spend(by, Spend::all(ann, basket("11"))).wait().unwrap_err();
    assert!(short.reasons().contains(&Refusal::BalanceTooSmall { short: eur("1") }));

    // Conditions change for all money of the pool; the pool itself can't go away under it.
    let mut settings = passes.settings(by).wait().unwrap();
    settings.pools.clear();
    assert_eq!(code_of(passes.configure(by, settings.clone()).wait()), "INVALID");
    settings.pools = vec![Pool { name: "toys".into(), conditions: Conditions::default() }];
    passes.configure(by, settings).wait().unwrap();
    passes.spend(by, Spend::all(ann, basket("30"))).wait().unwrap();
    assert!(passes.verify(by).wait().unwrap().is_good());
}

/// P-3: the value of a printed pass can be open until it is used, that of an electronic one is set as it is issued;
/// without one nothing is redeemed, and none is outside the range.
#[test]
fn an_open_value_is_set_before_it_is_used() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let turned = Worth::Range { least: eur("20"), most: eur("10") };
    assert_eq!(code_of(passes.create_plan(by, spec(Terms { value: turned, ..card() })).wait()), "INVALID");

    let plan = shop.plan(open_value(Form::Printed));
    let lot = shop.lot(plan, 3);
    let codes = shop.codes(lot);
    assert_eq!(passes.pass(by, lot.pass(1)).wait().unwrap().value, None);
    assert_eq!(code_of(passes.sell(by, lot.pass(1), Deal::at(eur("20"))).wait()), "VALUE_NOT_SET");
    passes.activate(by, vec![lot.pass(1), lot.pass(2)]).wait().unwrap();
    assert_eq!(shop.owed(), (eur("0"), eur("0")));
    assert_eq!(shop.refused(&codes[0]), ["VALUE_NOT_SET"]);
    let direct = Redeem::direct(codes[0].clone(), eur("1"));
    assert_eq!(code_of(passes.redeem(by, direct.clone()).wait()), "VALUE_NOT_SET");
    for wrong in ["9.99", "100.01"] {
        assert_eq!(code_of(passes.set_value(by, lot.pass(1), eur(wrong)).wait()), "VALUE_OUT_OF_RANGE");
        let deal = Deal::at(eur("20")).worth(eur(wrong));
        assert_eq!(code_of(passes.sell(by, lot.pass(3), deal).wait()), "VALUE_OUT_OF_RANGE");
    }
    let yen = Money::parse("50", Currency::parse("JPY").unwrap()).unwrap();
    assert_eq!(code_of(passes.set_value(by, lot.pass(1), yen).wait()), "MIXED_CURRENCIES");
    passes.set_value(by, lot.pass(1), eur("10")).wait().unwrap();
    assert_eq!(shop.owed(), (eur("0"), eur("10")));
    passes.redeem(by, direct).wait().unwrap();
    passes.set_value(by, lot.pass(3), eur("100")).wait().unwrap();
    assert_eq!(shop.refused(&codes[2]), ["PASS_DRAFT"]);
    passes.sell(by, lot.pass(3), Deal::at(eur("80"))).wait().unwrap();
    assert_eq!(
        passes.redeem(by, Redeem::into_new_wallet(codes[2].clone())).wait().unwrap().amount,
        eur("100")
    );

    let ann = Recipient::Contact(shop.contact("Ann"));
    let plan = shop.plan(open_value(Form::Electronic));
    let issue = || Issue::new(plan, ann.clone(), "sms");
    assert_eq!(code_of(passes.issue(by, issue()).wait()), "VALUE_NOT_SET");
    assert_eq!(code_of(passes.issue(by, issue().worth(eur("100.01"))).wait()), "VALUE_OUT_OF_RANGE");
    assert_eq!(code_of(passes.issue(by, issue().worth(yen)).wait()), "MIXED_CURRENCIES");
    assert_eq!(passes.issue(by, issue().worth(eur("12.34"))).wait().unwrap().value, eur("12.34"));
    let sold = issue().sold(Deal::at(eur("20")).worth(eur("25")));
    assert_eq!(passes.issue(by, sold).wait().unwrap().value, eur("25"));
    // A fixed value is the only one.
    let fixed = shop.plan(Terms { form: Form::Electronic, ..card() });
    let other = Issue::new(fixed, ann.clone(), "sms").worth(eur("49"));
    assert_eq!(code_of(passes.issue(by, other).wait()), "VALUE_OUT_OF_RANGE");
    assert_eq!(passes.issue(by, Issue::new(fixed, ann, "sms")).wait().unwrap().value, eur("50"));
    assert!(passes.verify(by).wait().unwrap().is_good());
}

/// W-1, P-3: what becomes active without a sale is paid or granted, as its plan says; a sale goes by its price.
#[test]
fn unsold_value_is_marked_as_the_plan_says() {
    for mark in [Mark::Paid, Mark::Granted] {
        let shop = Shop::open();
        let (passes, by) = (&shop.passes, &shop.by);
        let marked = |terms: Terms| shop.plan(Terms { unsold: mark, ..terms });
        let (mut paid, mut granted) = (0, 0);
        let mut expect = |amount: i64| {
            *(if mark == Mark::Paid { &mut paid } else { &mut granted }) += amount;
            let euros = |minor| Money::of(minor, Currency::EUR);
            assert_eq!(shop.owed(), (euros(paid), euros(granted)), "{mark:?}");
        };
        let lot = shop.lot(marked(card()), 3);
        expect(0);
        passes.activate(by, vec![lot.pass(1), lot.pass(2)]).wait().unwrap();
        expect(10_000);
        let open = shop.lot(marked(open_value(Form::Printed)), 1);
        passes.activate(by, open.pass(1)).wait().unwrap();
        expect(0);
        passes.set_value(by, open.pass(1), eur("20")).wait().unwrap();
        expect(2_000);
        let plan = marked(Terms { form: Form::Electronic, usage: Usage::Full(2), ..card() });
        let ann = Recipient::Contact(shop.contact("Ann"));
        let pass = passes.issue(by, Issue::new(plan, ann, "sms")).wait().unwrap().pass;
        expect(0);
        passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
        expect(10_000);
        let before = shop.owed();
        passes.sell(by, lot.pass(3), Deal::at(eur("20"))).wait().unwrap();
        let now = shop.owed();
        assert_eq!((now.0.minor() - before.0.minor(), now.1.minor() - before.1.minor()), (2_000, 3_000));
    }
}

/// B-1, P-1: settings change what comes, not what was made: passes keep their end and can be used, a plan can be put
/// away; new passes need what is enabled now.
#[test]
fn new_settings_leave_passes_as_they_were() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let date = RedeemBy::Date(parse_date("date", "2026-05-31").unwrap());
    let plan = shop.plan(Terms { redeem_by: date, ..card() });
    let (lot, codes) = shop.sold(plan, 2, "50");
    let before = passes.pass(by, lot.pass(1)).wait().unwrap();

    let mut settings = passes.settings(by).wait().unwrap();
    settings.zone = crate::calendar::Zone::parse("Asia/Tokyo").unwrap();
    settings.currencies.retain(|currency| *currency != Currency::EUR);
    settings.pass_fields.push(Definition {
        name: "motif".into(),
        required: true,
        field: FieldType::Text { most: 9 },
    });
    let viewer = shop.with_rights(&[Right::View]);
    assert_eq!(code_of(passes.configure(&viewer, settings.clone()).wait()), "FORBIDDEN");
    passes.configure(by, settings.clone()).wait().unwrap();
    assert_eq!(passes.settings(&viewer).wait().unwrap(), settings);
    assert_eq!(passes.pass(by, lot.pass(1)).wait().unwrap(), before);
    shop.time.set("2026-05-31T21:59:59Z");
    let redeemed = passes.redeem(by, Redeem::into_new_wallet(codes[0].clone())).wait().unwrap();
    passes.spend(by, Spend::all(redeemed.contact.unwrap(), basket("50"))).wait().unwrap();
    shop.time.set("2026-05-31T22:00:00Z");
    assert_eq!(shop.refused(&codes[1]), ["PASS_EXPIRED"]);

    let more = passes.generate(by, Generate { plan, count: 1, accept_weak: false }).wait();
    assert_eq!(code_of(more), "UNKNOWN_CURRENCY");
    assert_eq!(code_of(passes.create_plan(by, spec(card())).wait()), "UNKNOWN_CURRENCY");
    passes.archive_plan(by, plan).wait().unwrap();
    settings.currencies.push(Currency::EUR);
    settings.pass_fields.clear();
    passes.configure(by, settings).wait().unwrap();
    passes.activate_plan(by, plan).wait().unwrap();
    // The new zone counts for what is made now.
    let lot = shop.lot(plan, 1);
    let end = passes.pass(by, lot.pass(1)).wait().unwrap().redeem_by.unwrap();
    assert_eq!(end.to_string(), "2026-05-31T15:00:00Z");
}

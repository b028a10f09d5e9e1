//! Bad input through the public API: each a clear error with its code, and nothing half done.

use crate::shop::{Shop, Traces, basket, card, checked, code, eur, money, on_each_store, spec};
use passes_host::business::Settings;
use passes_host::conditions::{Basket, Line};
use passes_host::contact::{Medium, Profile};
use passes_host::event::Position;
use passes_host::id::{ContactId, Id, LotId, PassId, PlanId};
use passes_host::lot::Outcome;
use passes_host::money::{Currency, Money};
use passes_host::operation::{Actor, By, Rights};
use passes_host::passcode::{Alphabet, CodeHash, Format, Passcode};
use passes_host::plan::{Caps, Form, Spec, Terms, Usage, Worth};
use passes_host::service::{
    Deal, Generate, Issue, OperationFilter, Over, Recipient, Redeem, Reverse, Spend, export_csv,
};
use passes_host::{Error, Refusal};
use std::time::{Duration, Instant};

/// What the bad commands are about: all of it is there and good.
struct Ground {
    plan: PlanId,
    electronic: PlanId,
    lot: LotId,
    pass: PassId,
    code: Passcode,
    ann: ContactId,
    spent: Position,
}

impl Ground {
    fn of(shop: &Shop) -> Self {
        let sold = shop.sold(card(), checked(), 3);
        let (pass, code) = sold[0].clone();
        let lot = pass.lot();
        let plan = shop.passes.lot(&shop.by, lot).wait().unwrap().plan;
        let electronic = shop.plan(spec(Terms { form: Form::Electronic, ..card() }, Format::default()));
        let ann = shop.contact("Ann");
        let into = Redeem::into_wallet(sold[1].1.reveal(), ann);
        shop.passes.redeem(&shop.key("first"), into).wait().unwrap();
        let spent = shop.passes.spend(&shop.by, Spend::all(ann, basket("7"))).wait().unwrap();
        Self { plan, electronic, lot, pass, code, ann, spent: spent.operation }
    }

    fn issue(&self) -> Issue {
        Issue::new(self.electronic, Recipient::Contact(self.ann), "sms")
    }
}

/// A text of so many characters.
fn long(length: usize) -> String {
    "x".repeat(length)
}

type Try = fn(&Shop, &Ground) -> Result<(), Error>;
type Bad = (&'static str, &'static str, Try);

fn create(shop: &Shop, spec: Spec) -> Result<(), Error> {
    shop.passes.create_plan(&shop.by, spec).wait().map(drop)
}

fn terms(shop: &Shop, change: impl FnOnce(&mut Terms)) -> Result<(), Error> {
    let mut terms = card();
    change(&mut terms);
    create(shop, spec(terms, checked()))
}

fn format(shop: &Shop, change: impl FnOnce(&mut Format)) -> Result<(), Error> {
    let mut format = checked();
    change(&mut format);
    create(shop, spec(card(), format))
}

fn named(shop: &Shop, name: &str) -> Result<(), Error> {
    let mut spec = spec(card(), checked());
    spec.name = [("en".to_owned(), name.to_owned())].into();
    create(shop, spec)
}

fn toml(shop: &Shop, was: &str, is: &str) -> Result<(), Error> {
    let text = spec(card(), checked()).to_toml()?;
    assert!(text.contains(was), "{text}");
    create(shop, Spec::from_toml(&text.replace(was, is), &shop.passes.settings(&shop.by).wait()?)?)
}

fn configure(shop: &Shop, change: impl FnOnce(&mut Settings)) -> Result<(), Error> {
    let mut settings = shop.passes.settings(&shop.by).wait()?;
    change(&mut settings);
    shop.passes.configure(&shop.by, settings).wait().map(drop)
}

fn generate(shop: &Shop, plan: PlanId, count: u32) -> Result<(), Error> {
    shop.passes.generate(&shop.by, Generate { plan, count, accept_weak: false }).wait().map(drop)
}

fn serials(shop: &Shop, lot: LotId, first: u32, last: u32) -> Result<(), Error> {
    shop.passes.suspend(&shop.by, Over::Serials { lot, first, last }).wait().map(drop)
}

fn contact(shop: &Shop, profile: Profile) -> Result<(), Error> {
    shop.passes.create_contact(&shop.by, profile).wait().map(drop)
}

fn issue(shop: &Shop, issue: Issue) -> Result<(), Error> {
    shop.passes.issue(&shop.by, issue).wait().map(drop)
}

fn sell(shop: &Shop, over: impl Into<Over>, deal: Deal) -> Result<(), Error> {
    shop.passes.sell(&shop.by, over, deal).wait().map(drop)
}

fn redeem(shop: &Shop, by: &By, redeem: Redeem) -> Result<(), Error> {
    shop.passes.redeem(by, redeem).wait().map(drop)
}

fn direct(shop: &Shop, by: &By, ground: &Ground) -> Result<(), Error> {
    redeem(shop, by, Redeem::direct(ground.code.reveal(), eur("1")))
}

fn typed(shop: &Shop, text: &str) -> Result<(), Error> {
    redeem(shop, &shop.by, Redeem::direct(text, eur("1")))
}

fn spend(shop: &Shop, spend: Spend) -> Result<(), Error> {
    shop.passes.spend(&shop.by, spend).wait().map(drop)
}

fn line(sku: &str, quantity: u32, price: &str) -> Result<(), Error> {
    Ok(Basket::new(Currency::EUR, vec![Line::new(sku, quantity, eur(price))]).map(drop)?)
}

fn of_currency(currency: &str) -> Currency {
    Currency::parse(currency).unwrap()
}

fn amount(text: &str, currency: &str) -> Result<(), Error> {
    Ok(Money::parse(text, of_currency(currency)).map(drop)?)
}

const MONEY: &[Bad] = &[
    ("no such currency", "UNKNOWN_CURRENCY", |_, _| Ok(Currency::parse("EUX").map(drop)?)),
    ("no currency at all", "UNKNOWN_CURRENCY", |_, _| Ok(Currency::parse("").map(drop)?)),
    ("a currency like a megabyte", "UNKNOWN_CURRENCY", |_, _| Ok(Currency::parse(&long(1 << 20)).map(drop)?)),
    ("settings in no such currency", "UNKNOWN_CURRENCY", |_, _| {
        Ok(Settings::new("Shop", "UTC", &["EUR", "ZZZ"], "en").map(drop)?)
    }),
    ("a plan in another currency", "UNKNOWN_CURRENCY", |shop, _| {
        terms(shop, |t| (t.currency, t.value) = (of_currency("GBP"), Worth::Fixed(money("5", "GBP"))))
    }),
    ("a plan file in no such currency", "BAD_FILE", |shop, _| {
        toml(shop, "currency = \"EUR\"", "currency = \"EUX\"")
    }),
    ("a cent of a cent", "TOO_MANY_DECIMALS", |_, _| amount("12.345", "EUR")),
    ("a sen", "TOO_MANY_DECIMALS", |_, _| amount("0.1", "JPY")),
    ("a tenth of a fils", "TOO_MANY_DECIMALS", |_, _| amount("1.0001", "BHD")),
    ("too many decimals in a plan file", "BAD_FILE", |shop, _| toml(shop, "50.00 EUR", "50.001 EUR")),
    ("a comma", "INVALID", |_, _| amount("1,50", "EUR")),
    ("an exponent", "INVALID", |_, _| amount("1e3", "EUR")),
    ("no amount", "INVALID", |_, _| amount("", "EUR")),
    ("an amount with a control character", "INVALID", |_, _| amount("1\u{0}", "EUR")),
    ("an amount beyond all", "INVALID", |_, _| amount(&"9".repeat(1 << 20), "EUR")),
    ("an amount that is too large", "BAD_AMOUNT", |_, _| amount("999999999999999999999", "EUR")),
    ("a spend of nothing", "BAD_AMOUNT", |shop, g| {
        redeem(shop, &shop.by, Redeem::direct(g.code.reveal(), eur("0")))
    }),
    ("a spend below nothing", "BAD_AMOUNT", |shop, g| {
        redeem(shop, &shop.by, Redeem::direct(g.code.reveal(), eur("-1")))
    }),
    ("yen of a pass in euros", "MIXED_CURRENCIES", |shop, g| {
        redeem(shop, &shop.by, Redeem::direct(g.code.reveal(), money("1", "JPY")))
    }),
    ("a wallet's spend of nothing", "BAD_AMOUNT", |shop, g| {
        spend(shop, Spend::all(g.ann, basket("5")).amount(eur("0")))
    }),
    ("more than the basket", "BAD_AMOUNT", |shop, g| {
        spend(shop, Spend::all(g.ann, basket("5")).amount(eur("6")))
    }),
    ("yen of a basket in euros", "MIXED_CURRENCIES", |shop, g| {
        spend(shop, Spend::all(g.ann, basket("5")).amount(money("1", "JPY")))
    }),
    ("an empty basket, from a wallet", "BAD_AMOUNT", |shop, g| {
        spend(shop, Spend::all(g.ann, Basket::new(Currency::EUR, Vec::new())?))
    }),
    ("a price below nothing", "BAD_AMOUNT", |_, _| line("MUG", 1, "-0.01")),
    ("a line of no article", "INVALID", |_, _| line("", 1, "1")),
    ("a line of a long article", "TOO_LARGE", |_, _| line(&long(65), 1, "1")),
    ("a line that is too dear", "OVERFLOW", |_, _| line("MUG", u32::MAX, "9000000000")),
    ("a sale below nothing", "BAD_AMOUNT", |shop, g| sell(shop, g.pass, Deal::at(eur("-1")))),
    ("a reversal of nothing", "BAD_AMOUNT", |shop, g| {
        shop.passes.reverse(&shop.by, Reverse::operation(g.spent).amount(eur("0"))).wait().map(drop)
    }),
    ("a reversal in yen", "MIXED_CURRENCIES", |shop, g| {
        shop.passes.reverse(&shop.by, Reverse::operation(g.spent).amount(money("1", "JPY"))).wait().map(drop)
    }),
    ("a reversal of too much", "REVERSAL_TOO_LARGE", |shop, g| {
        shop.passes.reverse(&shop.by, Reverse::operation(g.spent).amount(eur("8"))).wait().map(drop)
    }),
];

const PLANS: &[Bad] = &[
    ("a range turned round", "INVALID", |shop, _| {
        terms(shop, |t| t.value = Worth::Range { least: eur("50"), most: eur("10") })
    }),
    ("a range turned round in a plan file", "BAD_FILE", |shop, _| {
        toml(shop, "value = \"50.00 EUR\"", "value = { least = \"50.00 EUR\", most = \"10.00 EUR\" }")
    }),
    ("a range of two currencies", "MIXED_CURRENCIES", |shop, _| {
        terms(shop, |t| t.value = Worth::Range { least: eur("1"), most: money("10", "JPY") })
    }),
    ("a value of nothing", "INVALID", |shop, _| terms(shop, |t| t.value = Worth::Fixed(eur("0")))),
    ("no uses", "INVALID", |shop, _| terms(shop, |t| t.usage = Usage::Full(0))),
    ("all the uses there are", "INVALID", |shop, _| terms(shop, |t| t.usage = Usage::Full(u32::MAX))),
    ("no shares", "INVALID", |shop, _| terms(shop, |t| t.usage = Usage::Shared(0))),
    ("no name", "INVALID", |shop, _| named(shop, "")),
    ("a long name", "TOO_LARGE", |shop, _| named(shop, &long(65))),
    ("a name like a megabyte", "TOO_LARGE", |shop, _| named(shop, &long(1 << 20))),
    ("a name that rings", "INVALID", |shop, _| named(shop, "Gift\u{7}")),
    ("a long description", "TOO_LARGE", |shop, _| {
        let mut spec = spec(card(), checked());
        spec.description = [("en".to_owned(), long(501))].into();
        create(shop, spec)
    }),
    ("a language that is not enabled", "INVALID", |shop, _| {
        let mut spec = spec(card(), checked());
        spec.name.insert("fr".to_owned(), "Cadeau".to_owned());
        create(shop, spec)
    }),
    ("a cap below nothing", "INVALID", |shop, _| {
        let caps = Caps { passes: None, value: Some(eur("-1")) };
        create(shop, Spec { caps, ..spec(card(), checked()) })
    }),
    ("a condition of too many articles", "TOO_LARGE", |shop, _| {
        terms(shop, |t| t.conditions.skus = (0..1_001).map(|n| n.to_string()).collect())
    }),
    ("a pool that isn't there", "INVALID", |shop, _| terms(shop, |t| t.pool = Some("toys".into()))),
    ("a code that is too short", "BAD_FORMAT", |shop, _| format(shop, |f| f.length = 3)),
    ("a code that is too long", "BAD_FORMAT", |shop, _| format(shop, |f| f.length = 33)),
    ("a long prefix", "BAD_FORMAT", |shop, _| format(shop, |f| f.prefix = long(17))),
    ("a Cyrillic prefix", "BAD_FORMAT", |shop, _| format(shop, |f| f.prefix = "ГИФТ".into())),
    ("no alphabet", "BAD_FORMAT", |shop, _| format(shop, |f| f.alphabet = Alphabet::Custom(String::new()))),
    ("a check of one character", "BAD_FORMAT", |shop, _| {
        format(shop, |f| f.alphabet = Alphabet::Custom("A".into()))
    }),
    ("a plan file of no form", "BAD_FILE", |shop, _| toml(shop, "[terms]", "[terms")),
    ("an unknown field in a plan file", "BAD_FILE", |shop, _| toml(shop, "[terms]", "[terms]\nvalu = 1")),
    ("a plan file that is too large", "TOO_LARGE", |shop, _| {
        toml(shop, "[terms]", &format!("# {}\n[terms]", long(256 * 1024)))
    }),
    ("a business without a name", "INVALID", |shop, _| configure(shop, |s| s.name.clear())),
    ("a business with a long name", "TOO_LARGE", |shop, _| configure(shop, |s| s.name = long(65))),
    ("a business without money", "INVALID", |shop, _| configure(shop, |s| s.currencies.clear())),
    ("a business of too many languages", "TOO_LARGE", |shop, _| {
        configure(shop, |s| s.locales = vec!["en".into(); 201])
    }),
    ("odds of nothing", "INVALID", |shop, _| configure(shop, |s| s.guess_one_in = 0)),
    ("a time zone that isn't there", "INVALID", |_, _| {
        Ok(Settings::new("Shop", "Europe/Atlantis", &["EUR"], "en").map(drop)?)
    }),
];

const PASSES: &[Bad] = &[
    ("a lot of nothing", "INVALID", |shop, g| generate(shop, g.plan, 0)),
    ("a lot beyond all", "TOO_LARGE", |shop, g| generate(shop, g.plan, u32::MAX)),
    ("a lot of a hundred million and one", "TOO_LARGE", |shop, g| generate(shop, g.plan, 100_000_001)),
    ("a lot of no plan", "NOT_FOUND", |shop, _| generate(shop, PlanId::from_bytes([9; 16]), 1)),
    ("a range of serials turned round", "INVALID", |shop, g| serials(shop, g.lot, 3, 2)),
    ("a range of serials from zero", "INVALID", |shop, g| serials(shop, g.lot, 0, 2)),
    ("a list that is too long", "TOO_LARGE", |shop, g| {
        shop.passes.suspend(&shop.by, vec![g.pass; 10_001]).wait().map(drop)
    }),
    ("a serial number that isn't there", "NOT_FOUND", |shop, g| {
        shop.passes.suspend(&shop.by, g.lot.pass(u32::MAX)).wait().map(drop)
    }),
    ("the pass with serial number zero", "NOT_FOUND", |shop, g| {
        shop.passes.pass_by_serial(&shop.by, g.lot, 0).wait().map(drop)
    }),
    ("an export of no lot", "NOT_FOUND", |shop, _| {
        shop.passes.export(&shop.by, LotId::from_bytes([9; 16])).wait().map(drop)
    }),
    ("a field that isn't defined", "BAD_FIELD", |shop, g| {
        let values = serde_json::from_str(r#"{"colour": "red"}"#).unwrap();
        shop.passes.set_fields(&shop.by, g.pass, values).wait().map(drop)
    }),
    ("a value out of the plan's range", "VALUE_OUT_OF_RANGE", |shop, g| {
        shop.passes.set_value(&shop.by, g.pass, eur("51")).wait().map(drop)
    }),
    ("a value in yen", "MIXED_CURRENCIES", |shop, g| {
        shop.passes.set_value(&shop.by, g.pass, money("50", "JPY")).wait().map(drop)
    }),
    ("a long reason of failure", "TOO_LARGE", |shop, g| {
        let pass = shop.passes.issue(&shop.key("once"), g.issue()).wait()?.pass;
        shop.passes.delivered(&shop.by, pass, Outcome::Failed { why: long(501) }).wait().map(drop)
    }),
    ("ten thousand and one redemptions", "TOO_LARGE", |shop, g| {
        let one = (shop.by.clone(), Redeem::direct(g.code.reveal(), eur("0.01")));
        shop.passes.redeem_all(vec![one; 10_001]).wait().map(drop)
    }),
    ("nothing to spend", "INVALID", |shop, g| {
        redeem(shop, &shop.by, Redeem { amount: None, ..Redeem::direct(g.code.reveal(), eur("1")) })
    }),
    ("a contact nobody knows", "CONTACT_NOT_REGISTERED", |shop, g| {
        redeem(shop, &shop.by, Redeem::into_wallet(g.code.reveal(), ContactId::from_bytes([9; 16])))
    }),
    ("a reversal of what isn't there", "NOT_FOUND", |shop, _| {
        shop.passes.reverse(&shop.by, Reverse::operation(Position(u64::MAX))).wait().map(drop)
    }),
    ("a reversal by no key", "INVALID", |shop, _| {
        shop.passes.reverse(&shop.by, Reverse::key("")).wait().map(drop)
    }),
    ("a reversal by a long key", "TOO_LARGE", |shop, _| {
        shop.passes.reverse(&shop.by, Reverse::key(&long(129))).wait().map(drop)
    }),
];

const TEXTS: &[Bad] = &[
    ("an actor without a name", "INVALID", |_, _| Ok(Actor::new("", Rights::all()).map(drop)?)),
    ("an actor with a long name", "TOO_LARGE", |_, _| Ok(Actor::new(&long(65), Rights::all()).map(drop)?)),
    ("an actor with a line break of teleprinters", "INVALID", |_, _| {
        Ok(Actor::new("till\r7", Rights::all()).map(drop)?)
    }),
    ("an empty key", "INVALID", |shop, g| direct(shop, &shop.key(""), g)),
    ("a long key", "TOO_LARGE", |shop, g| direct(shop, &shop.key(&long(129)), g)),
    ("a key of control characters", "INVALID", |shop, g| direct(shop, &shop.key("\u{0}\u{1b}"), g)),
    ("a long place", "TOO_LARGE", |shop, g| direct(shop, &shop.by.clone().place(&long(65)), g)),
    ("an empty place", "INVALID", |shop, g| direct(shop, &shop.by.clone().place(""), g)),
    ("a long channel", "TOO_LARGE", |shop, g| direct(shop, &shop.by.clone().channel(&long(65)), g)),
    ("a long reason", "TOO_LARGE", |shop, g| direct(shop, &shop.by.clone().reason(&long(501)), g)),
    ("a reason like a megabyte", "TOO_LARGE", |shop, g| {
        direct(shop, &shop.by.clone().reason(&long(1 << 20)), g)
    }),
    ("a contact with an empty name", "INVALID", |shop, _| {
        contact(shop, Profile::named("", Medium::Reference("1".into())))
    }),
    ("a contact with a long name", "TOO_LARGE", |shop, _| {
        contact(shop, Profile::named(&long(65), Medium::Reference("1".into())))
    }),
    ("a telephone number in words", "INVALID", |shop, _| {
        contact(shop, Profile::of(Medium::Phone("call me".into())))
    }),
    ("an address without an at", "INVALID", |shop, _| {
        contact(shop, Profile::of(Medium::Email("ann.example.org".into())))
    }),
    ("a reference that is too long", "TOO_LARGE", |shop, _| {
        contact(shop, Profile::of(Medium::Reference(long(255))))
    }),
    ("a contact with too many media", "TOO_LARGE", |shop, _| {
        let media = (0..21).map(|n| Medium::Reference(n.to_string())).collect();
        contact(shop, Profile { media, ..Profile::default() })
    }),
    ("an issue through no channel", "INVALID", |shop, g| {
        issue(shop, Issue { channel: String::new(), ..g.issue() })
    }),
    ("an issue through a long channel", "TOO_LARGE", |shop, g| {
        issue(shop, Issue { channel: long(65), ..g.issue() })
    }),
    ("a long message", "TOO_LARGE", |shop, g| issue(shop, g.issue().from("Bob", &long(501)))),
    ("a message that clears the screen", "INVALID", |shop, g| {
        issue(shop, g.issue().from("Bob", "\u{1b}[2J"))
    }),
    ("a sender without a name", "INVALID", |shop, g| issue(shop, g.issue().from("", "for you"))),
    ("an empty reference of payment", "INVALID", |shop, g| {
        sell(shop, g.pass, Deal::at(eur("1")).payment(""))
    }),
    ("a long reference of payment", "TOO_LARGE", |shop, g| {
        sell(shop, g.pass, Deal::at(eur("1")).payment(&long(65)))
    }),
    ("a long text in a filter", "TOO_LARGE", |shop, _| {
        let filter = OperationFilter { reason: Some(long(501)), ..OperationFilter::default() };
        shop.passes.operations(&shop.by, filter, Position::default(), 1).wait().map(drop)
    }),
    ("no code", "MALFORMED", |shop, _| typed(shop, "")),
    ("a code of spaces", "MALFORMED", |shop, _| typed(shop, " - ")),
    ("a code like a megabyte", "MALFORMED", |shop, _| typed(shop, &"K".repeat(1 << 20))),
    ("a code that rings", "MALFORMED", |shop, g| typed(shop, &format!("{}\u{7}", g.code.reveal()))),
    ("a question", "MALFORMED", |shop, _| typed(shop, "7KQ2?")),
    ("half a hash", "MALFORMED", |_, _| Ok(CodeHash::from_hex("00ff").map(drop)?)),
];

/// Z-1, Z-3, B-3: an unknown currency, a range turned round, an amount with too many decimals, texts that are
/// empty, too long or full of control characters, counts of nothing and beyond all: each is an error with its
/// code and a text, in no time, and nothing is done.
#[test]
fn bad_input_is_an_error_with_its_code_and_nothing_is_done() {
    on_each_store(|shop| {
        let ground = Ground::of(shop);
        // One of the cases needs a pass that is issued.
        shop.passes.issue(&shop.key("once"), ground.issue()).wait().unwrap();
        let (before, mut wrong) = (shop.traces(), Vec::new());
        for (what, expected, attempt) in [MONEY, PLANS, PASSES, TEXTS].into_iter().flatten() {
            let begin = Instant::now();
            let error = attempt(shop, &ground).err();
            assert!(begin.elapsed() < Duration::from_secs(5), "{what} took {:?}", begin.elapsed());
            let Some(error) = error else {
                wrong.push(format!("{what} was accepted"));
                continue;
            };
            if error.code() != *expected {
                wrong.push(format!("{what}: {} {error}", error.code()));
            }
            let text = error.to_string();
            assert!(!text.is_empty() && text.len() < 1_000, "{what}: {} bytes of text", text.len());
            assert!(!error.is_retryable(), "{what}");
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(shop.traces(), before);
    });
}

/// B-3: an amount with the decimals of its currency is taken: 2 of the euro, none of the yen, 3 of the dinar.
#[test]
fn each_currency_takes_its_decimals() {
    for (text, currency, minor) in [("12.34", "EUR", 1_234), ("12", "JPY", 12), ("12.345", "BHD", 12_345)] {
        assert_eq!(money(text, currency).minor(), minor);
        let error = Money::parse(&format!("{}.0001", text.split('.').next().unwrap()), of_currency(currency));
        let Err(Refusal::TooManyDecimals { decimals, .. }) = error else { panic!("{error:?}") };
        assert_eq!(decimals, of_currency(currency).decimals());
    }
}

/// Z-3: a basket of a million lines is refused before any work, wherever one is taken.
#[test]
fn a_basket_of_a_million_lines_is_refused_at_once() {
    let lines = vec![Line::new("MUG", 1, eur("1")); 1_000_000];
    let begin = Instant::now();
    let refusal = Basket::new(Currency::EUR, lines).unwrap_err();
    // Nearly all of it is to give the memory back.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(refusal, Refusal::TooLarge { field: "basket".into(), size: 1_000_000, largest: 1_000 });
    assert!(Basket::new(Currency::EUR, vec![Line::new("MUG", 1, eur("1")); 1_000]).is_ok());
}

/// R-11, Z-1: of many redemptions each bad one has its own answer, and the good ones land.
#[test]
fn bad_ones_among_many_are_told_one_by_one() {
    on_each_store(|shop| {
        let sold = shop.sold(card(), checked(), 2);
        let bob = shop.with_rights(&[]);
        let requests = vec![
            (shop.key("1"), Redeem::direct(sold[0].1.reveal(), eur("5"))),
            (shop.key("2"), Redeem::direct("Привет", eur("5"))),
            (shop.key("1"), Redeem::direct(sold[0].1.reveal(), eur("6"))),
            (shop.key("3"), Redeem::direct(sold[0].1.reveal(), eur("500"))),
            (bob, Redeem::direct(sold[1].1.reveal(), eur("5"))),
            (shop.key(&long(129)), Redeem::direct(sold[1].1.reveal(), eur("5"))),
            (shop.key("4"), Redeem::direct(sold[1].1.reveal(), eur("5"))),
        ];
        let answers = shop.passes.redeem_all(requests).wait().unwrap();
        let codes: Vec<_> = answers.into_iter().map(code).collect();
        let ok = "it was accepted";
        assert_eq!(
            codes,
            [ok, "MALFORMED", "IDEMPOTENCY_MISMATCH", "BALANCE_TOO_SMALL", "FORBIDDEN", "TOO_LARGE", ok]
        );
        assert!(shop.passes.verify(&shop.by).wait().unwrap().is_good());
        for (pass, _) in sold {
            assert_eq!(shop.passes.pass(&shop.by, pass).wait().unwrap().left, eur("45"));
        }
    });
}

/// Z-3: a page takes any limit and gives at most what is documented; ids of nothing give nothing.
#[test]
fn pages_take_any_limit() {
    on_each_store(|shop| {
        let ground = Ground::of(shop);
        let (passes, by) = (&shop.passes, &shop.by);
        let page = |after, limit| passes.export_page(by, ground.lot, after, limit).wait().unwrap();
        assert_eq!((page(0, 0).len(), page(0, u32::MAX).len(), page(u32::MAX, 5).len()), (1, 3, 0));
        assert_eq!(export_csv(&page(u32::MAX, 5), false).unwrap().len(), 0);
        assert!(!passes.events(by, Position::default(), 0).wait().unwrap().is_empty());
        assert!(passes.events(by, Position(u64::MAX), u32::MAX).wait().unwrap().is_empty());
        assert_eq!(passes.plans(by, None, 0).wait().unwrap().rows.len(), 1);
        assert_eq!(code(passes.operation(by, Position(u64::MAX)).wait()), "NOT_FOUND");
    });
}

/// B-1, Z-1: another business sees nothing of this one, and a business that isn't there has nothing.
#[test]
fn another_business_has_nothing_of_this_one() {
    on_each_store(|shop| {
        let ground = Ground::of(shop);
        let before: Traces = shop.traces();
        let other = shop
            .passes
            .create_business(&shop.by.actor, Settings::new("Other", "UTC", &["EUR"], "en").unwrap());
        let other = By::new(other.wait().unwrap(), shop.by.actor.clone());
        assert_eq!(code(direct(shop, &other, &ground)), "UNKNOWN_CODE");
        assert_eq!(code(shop.passes.pass(&other, ground.pass).wait()), "NOT_FOUND");
        assert_eq!(code(shop.passes.reveal(&other, ground.pass).wait()), "NOT_FOUND");
        assert_eq!(code(shop.passes.export(&other, ground.lot).wait()), "NOT_FOUND");
        assert_eq!(code(shop.passes.export_page(&other, ground.lot, 0, 9).wait()), "NOT_FOUND");
        let spend = Spend::all(ground.ann, basket("1"));
        assert_eq!(code(shop.passes.spend(&other, spend).wait()), "CONTACT_NOT_REGISTERED");
        let nowhere = By::new(Id::from_bytes([9; 16]), shop.by.actor.clone());
        assert_eq!(code(direct(shop, &nowhere, &ground)), "NOT_FOUND");
        assert_eq!(shop.traces(), before);
    });
}

//! Wallets and gift cards pay baskets.

use super::{Shop, basket, card, codes_of, eur, reasons};
use crate::conditions::{Basket, Conditions, Line, Pool};
use crate::contact::{Medium, Profile};
use crate::id::{ContactId, CreditId, Id};
use crate::ledger::Mark;
use crate::money::{Currency, Money};
use crate::operation::By;
use crate::plan::{SpendBy, Terms, Usage, Worth};
use crate::refusal::Refusal;
use crate::service::{Home, Redeem, Reverse, Spend};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn cents(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR).unwrap()
}

/// What a pass of the property test asks of a basket.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Any,
    Sku(&'static str),
    NotSku(&'static str),
    Family(&'static str),
    NotFamily(&'static str),
    Place(&'static str),
    Minimum(i64),
    StoredValue,
    /// Of the pool *toys*, which pays toys only, at any place.
    Toys,
    /// Of the pool *here*, which pays at one place from three cents on, and a plan that excludes `A`.
    HereNotA,
}

/// A line of the property test: SKU, quantity, price of one in cents, whether it sells stored value.
type Item = (&'static str, u32, i64, bool);

/// The families of a SKU.
fn families(sku: &str) -> &'static [&'static str] {
    match sku {
        "A" => &["toys"],
        "B" => &["toys", "books"],
        "C" => &["books"],
        _ => &[],
    }
}

impl Rule {
    fn terms(self, value: i64, spend_by: SpendBy) -> Terms {
        let mut terms = Terms { value: Worth::Fixed(cents(value)), spend_by, ..card() };
        let (c, one) = (&mut terms.conditions, |name: &str| BTreeSet::from([name.to_owned()]));
        match self {
            Self::Any => {}
            Self::Sku(sku) => c.skus = one(sku),
            Self::NotSku(sku) => c.not_skus = one(sku),
            Self::Family(family) => c.families = one(family),
            Self::NotFamily(family) => c.not_families = one(family),
            Self::Place(place) => c.places = one(place),
            Self::Minimum(least) => c.minimum = Some(cents(least)),
            Self::StoredValue => c.stored_value = true,
            Self::Toys => terms.pool = Some("toys".into()),
            Self::HereNotA => (c.not_skus, terms.pool) = (one("A"), Some("here".into())),
        }
        terms
    }

    /// The lines it pays, or the code of the refusal.
    fn pays(self, items: &[Item], place: Option<&str>) -> Result<Vec<usize>, &'static str> {
        let wrong_place = match self {
            Self::Place(only) => place != Some(only),
            Self::HereNotA => place != Some("Here"),
            _ => false,
        };
        if wrong_place {
            return Err("WRONG_PLACE");
        }
        let total: i64 = items.iter().map(|(_, quantity, price, _)| i64::from(*quantity) * price).sum();
        let least = match self {
            Self::Minimum(least) => least,
            Self::HereNotA => 3,
            _ => 0,
        };
        if total < least {
            return Err("BELOW_MINIMUM");
        }
        let pays = |(sku, quantity, price, stored): &Item| {
            let allowed = match self {
                Self::Sku(only) => *sku == only,
                Self::NotSku(not) => *sku != not,
                Self::Family(only) => families(sku).contains(&only),
                Self::NotFamily(not) => !families(sku).contains(&not),
                Self::Toys => families(sku).contains(&"toys"),
                Self::HereNotA => *sku != "A",
                _ => true,
            };
            allowed && i64::from(*quantity) * price > 0 && (!stored || self == Self::StoredValue)
        };
        let lines: Vec<usize> = (0..items.len()).filter(|line| pays(&items[*line])).collect();
        if lines.is_empty() { Err("NO_ELIGIBLE_PRODUCTS") } else { Ok(lines) }
    }
}

/// A credit as the test sees it, with W-3's order.
#[derive(Clone, Debug)]
struct Purse {
    spend_by: u8,
    mark: Mark,
    created: usize,
    id: CreditId,
    left: i64,
    lines: Vec<usize>,
}

/// How much each credit pays of each line.
type Table = Vec<Vec<i64>>;

/// The best split of the credits from one on, by how many they are and the room they find: the credits' totals, and
/// the table.
type Known = BTreeMap<(usize, Vec<i64>), (Vec<i64>, Table)>;

/// All ways in which a credit can pay lines that have so much room, at most so much in all.
fn ways(room: &[i64], payable: &[usize], most: i64) -> Vec<Vec<i64>> {
    let mut all = vec![vec![0; room.len()]];
    for line in payable {
        let extended = all.iter().flat_map(|row: &Vec<i64>| {
            let rest = most - row.iter().sum::<i64>();
            (0..=rest.min(room[*line])).map(|pay| {
                let mut row = row.clone();
                row[*line] = pay;
                row
            })
        });
        all = extended.collect();
    }
    all
}

/// The best split of W-3 by trying every payment of every credit: by the credits' totals first, then line by line.
/// What later credits can do depends only on the room that is left, so that is tried once.
fn best(room: &[i64], limit: i64, credits: &[Purse], known: &mut Known) -> (Vec<i64>, Table) {
    let Some((first, rest)) = credits.split_first() else { return Default::default() };
    let state = (credits.len(), room.to_vec());
    if let Some(found) = known.get(&state) {
        return found.clone();
    }
    let tried = ways(room, &first.lines, first.left.min(limit)).into_iter().map(|row| {
        let total: i64 = row.iter().sum();
        let left: Vec<i64> = room.iter().zip(&row).map(|(room, pay)| room - pay).collect();
        let (mut totals, mut table) = best(&left, limit - total, rest, known);
        totals.insert(0, total);
        table.insert(0, row);
        (totals, table)
    });
    let found = tried.max().unwrap();
    known.insert(state, found.clone());
    found
}

/// The most that can be paid at all: the smallest cut, of all sets of lines. A set costs its lines, and the credits
/// that may pay a line outside of it.
fn most(lines: &[i64], credits: &[Purse]) -> i64 {
    let cut = |set: usize| {
        let inside = |line: &usize| set >> line & 1 == 1;
        let cost: i64 = (0..lines.len()).filter(inside).map(|line| lines[line]).sum();
        let escape = credits.iter().filter(|credit| !credit.lines.iter().all(inside));
        cost + escape.map(|credit| credit.left).sum::<i64>()
    };
    (0..1 << lines.len()).map(cut).min().unwrap()
}

fn any_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        2 => Just(Rule::Any),
        1 => prop::sample::select(&["A", "B", "C"][..]).prop_map(Rule::Sku),
        1 => prop::sample::select(&["A", "B", "C"][..]).prop_map(Rule::NotSku),
        1 => prop::sample::select(&["toys", "books"][..]).prop_map(Rule::Family),
        1 => prop::sample::select(&["toys", "books"][..]).prop_map(Rule::NotFamily),
        1 => prop::sample::select(&["Here", "There"][..]).prop_map(Rule::Place),
        1 => (1..9_i64).prop_map(Rule::Minimum),
        1 => Just(Rule::StoredValue),
        1 => Just(Rule::Toys),
        1 => Just(Rule::HereNotA),
    ]
}

/// A pass: its rule, value, price and when its money ends; 0 is before the spend, the last never.
fn any_pass() -> impl Strategy<Value = (Rule, i64, i64, u8)> {
    (any_rule(), 1..7_i64, 0..4_u8)
        .prop_flat_map(|(rule, value, ends)| (Just(rule), Just(value), 0..=value, Just(ends)))
}

fn any_item() -> impl Strategy<Value = Item> {
    (prop::sample::select(&["A", "B", "C", "D"][..]), 1..3_u32, 0..4_i64, prop::bool::weighted(0.15))
}

fn basket_of(items: &[Item]) -> Basket {
    let line = |(sku, quantity, price, stored): &Item| Line {
        stored_value: *stored,
        ..Line::new(sku, *quantity, cents(*price)).families(families(sku))
    };
    Basket::new(Currency::EUR, items.iter().map(line).collect()).unwrap()
}

/// A shop whose pools are *toys* and *here*.
fn with_pools() -> Shop {
    Shop::with(|settings| {
        let pool = |name: &str, conditions| Pool { name: name.into(), conditions };
        settings.pools = vec![
            pool("toys", Conditions { families: ["toys".into()].into(), ..Conditions::default() }),
            pool(
                "here",
                Conditions {
                    places: ["Here".into()].into(),
                    minimum: Some(cents(3)),
                    ..Conditions::default()
                },
            ),
        ];
    })
}

impl Shop {
    /// A wallet with the money of these passes, redeemed a day apart, on the day after the first have run out.
    fn wallet_of(&self, passes: &[(Rule, i64, i64, u8)]) -> (ContactId, Vec<(Rule, Purse)>) {
        const ENDS: [&str; 3] = ["2026-05-31", "2026-06-30", "2026-07-31"];
        let ann = self.contact("Ann");
        let mut credits = Vec::new();
        for (n, (rule, value, price, ends)) in passes.iter().enumerate() {
            let end = ENDS.get(usize::from(*ends));
            let spend_by = end.map_or(SpendBy::Never, |date| SpendBy::Date(date.parse().unwrap()));
            self.time.set(&format!("2026-05-{:02}T12:00:00Z", 2 + n));
            let (_, code) = self.one(rule.terms(*value, spend_by), cents(*price));
            let redeemed = self.passes.redeem(&self.by, Redeem::into_wallet(code, ann)).wait().unwrap();
            credits.extend(redeemed.credits.iter().map(|credit| {
                let (id, left) = (credit.credit, credit.amount.minor());
                let lines = Vec::new();
                (*rule, Purse { spend_by: *ends, mark: credit.mark, created: n, id, left, lines })
            }));
        }
        self.time.set("2026-06-01T12:00:00Z");
        (ann, credits)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// W-3, P-8, P-9, W-4, R-1, R-6: of random wallets and baskets, what can be paid is paid, by the very split that
    /// trying all of them finds; what can't is refused with the amount short and the reasons; a reversal gives
    /// back from the end of the split.
    #[test]
    fn a_payable_basket_is_paid_by_the_best_split(
        of_passes in vec(any_pass(), 1..5),
        items in vec(any_item(), 1..4),
        place in prop::sample::select(&[None, Some("Here"), Some("There")][..]),
        (part, partly) in (prop::option::of(1..100_i64), any::<bool>()),
        back in 1..100_i64,
    ) {
        let shop = with_pools();
        let (ann, credits) = shop.wallet_of(&of_passes);
        let goods = basket_of(&items);
        let totals = goods.totals().to_vec();
        let total: i64 = totals.iter().sum();
        prop_assume!(total > 0);
        let wanted = part.map_or(total, |part| 1 + part % total);
        let by: By = place.map_or(shop.by.clone(), |place| shop.by.clone().place(place));
        let request = Spend { amount: part.map(|_| cents(wanted)), partly, ..Spend::all(ann, goods) };

        let mut why: BTreeSet<&str> = BTreeSet::new();
        let mut payers: Vec<Purse> = Vec::new();
        for (rule, credit) in credits.into_iter().filter(|(_, credit)| credit.spend_by > 0) {
            match rule.pays(&items, place) {
                Ok(lines) => payers.push(Purse { lines, ..credit }),
                Err(code) => { why.insert(code); }
            }
        }
        payers.sort_by_key(|c| (c.spend_by, c.mark == Mark::Paid, c.lines.len(), c.created, c.id.to_bytes()));
        let (paid, table) = best(&totals, wanted, &payers, &mut Known::new());
        let paid: i64 = paid.iter().sum();
        prop_assert_eq!(paid, most(&totals, &payers).min(wanted));

        let before = shop.credits(ann);
        let checked = shop.passes.check_spend(&by, &request).wait().unwrap();
        let spent = shop.passes.spend(&by, request).wait();
        if paid == 0 || (paid < wanted && !partly) {
            why.insert("BALANCE_TOO_SMALL");
            let refused = reasons(spent);
            prop_assert_eq!(&checked.reasons, &refused);
            prop_assert_eq!(refused.last(), Some(&Refusal::BalanceTooSmall { short: cents(wanted - paid) }));
            prop_assert_eq!(codes_of(&refused).into_iter().collect::<BTreeSet<_>>(), why);
            prop_assert_eq!(shop.credits(ann), before);
            return Ok(());
        }
        let spent = spent.unwrap();
        prop_assert_eq!(checked.would.as_ref(), Some(&spent.done));
        prop_assert_eq!((spent.amount, spent.short), (cents(paid), cents(wanted - paid)));
        let mut expected: Vec<(CreditId, Mark, u32, i64)> = Vec::new();
        let mut left = before.clone();
        for (credit, row) in payers.iter().zip(&table) {
            *left.get_mut(&credit.id).unwrap() -= row.iter().sum::<i64>();
            let parts = (0_u32..).zip(row).filter(|(_, amount)| **amount > 0);
            expected.extend(parts.map(|(line, amount)| (credit.id, credit.mark, line, *amount)));
        }
        let parts: Vec<_> = spent.paid.iter().map(|p| (p.credit, p.mark, p.line, p.amount.minor())).collect();
        prop_assert_eq!(&parts, &expected);
        left.retain(|_, left| *left > 0);
        prop_assert_eq!(shop.credits(ann), left);

        let mut rest = 1 + back % paid;
        let reversed = shop.passes.reverse(&by, Reverse::operation(spent.operation).amount(cents(rest)));
        let reversed = reversed.wait().unwrap();
        let mut expected_back = Vec::new();
        for (credit, mark, line, amount) in expected.into_iter().rev() {
            let amount = amount.min(rest);
            rest -= amount;
            if amount > 0 {
                expected_back.push((Home::Credit(ann, credit), mark, Some(line), amount));
            }
        }
        let returned = reversed.returned.iter();
        let returned: Vec<_> =
            returned.map(|part| (part.home.clone(), part.mark, part.line, part.amount.minor())).collect();
        prop_assert_eq!(returned, expected_back);
        match shop.passes.reverse(&by, Reverse::operation(spent.operation)).wait() {
            Ok(_) => {}
            Err(error) => prop_assert_eq!(error.code(), "ALREADY_REVERSED"),
        }
        prop_assert_eq!(shop.credits(ann), before);
        shop.proved();
    }
}

/// W-3: so much of a basket, at most all of it; less where the caller says so; else refused with the amount short.
#[test]
fn a_basket_is_paid_in_part() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let ann = shop.contact("Ann");
    let (_, code) = shop.one(card(), eur("50"));
    passes.redeem(by, Redeem::into_wallet(code, ann)).wait().unwrap();
    let spend = |amount: &str| Spend::all(ann, basket("80")).amount(eur(amount));
    assert_eq!(passes.spend(by, spend("20")).wait().unwrap().amount, eur("20"));
    let short = [Refusal::BalanceTooSmall { short: eur("2.50") }];
    assert_eq!(reasons(passes.spend(by, spend("32.50")).wait()), short);
    assert_eq!(short[0].fix(), "pay 2.50 EUR by other means");
    assert_eq!(reasons(passes.spend(by, Spend::all(ann, basket("32.50"))).wait()), short);
    for (amount, code) in [("80.01", "BAD_AMOUNT"), ("0", "BAD_AMOUNT"), ("-1", "BAD_AMOUNT")] {
        assert_eq!(codes_of(&reasons(passes.spend(by, spend(amount)).wait())), [code]);
    }
    assert_eq!(codes_of(&reasons(passes.spend(by, Spend::all(ann, basket("0"))).wait())), ["BAD_AMOUNT"]);
    let yen = Money::from_minor(20, Currency::JPY).unwrap();
    let mixed = passes.spend(by, Spend::all(ann, basket("20")).amount(yen)).wait();
    assert_eq!(codes_of(&reasons(mixed)), ["MIXED_CURRENCIES"]);
    let spent = passes.spend(by, spend("32.50").partly()).wait().unwrap();
    assert_eq!((spent.amount, spent.short), (eur("30"), eur("2.50")));
    // Nothing at all is no part.
    let short = [Refusal::BalanceTooSmall { short: eur("80") }];
    assert_eq!(reasons(passes.spend(by, spend("80").partly()).wait()), short);
    let nobody = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
    let unknown = passes.spend(by, Spend::all(nobody, basket("1"))).wait();
    assert_eq!(codes_of(&reasons(unknown)), ["CONTACT_NOT_REGISTERED"]);
    shop.proved();
}

/// the same spend under the same key answers the same and moves nothing twice; another one is refused.
#[test]
fn a_spend_is_repeated_by_its_key() {
    let shop = Shop::open();
    let ann = shop.contact("Ann");
    let (_, code) = shop.one(card(), eur("45"));
    shop.passes.redeem(&shop.by, Redeem::into_wallet(code, ann)).wait().unwrap();
    let by = shop.by.clone().key("till-1");
    let spend = |amount: &str| shop.passes.spend(&by, Spend::all(ann, basket(amount))).wait();
    let first = spend("49").unwrap();
    let again = spend("49").unwrap();
    assert_eq!((again.replayed, again.operation, &again.done), (true, first.operation, &first.done));
    assert_eq!(codes_of(&reasons(spend("1"))), ["IDEMPOTENCY_MISMATCH"]);
    assert_eq!(shop.holds(ann), 100);
    shop.proved();
}

/// R-1, P-8, P-9: what keeps money back is told with what would fix it: the wrong place, a basket below the minimum
/// of the plan or of its pool, nothing that may be paid.
#[test]
fn what_keeps_money_back_is_told() {
    let shop = with_pools();
    for (rule, items, place, expected) in [
        (Rule::Place("Here"), ("A", 1, 4, false), None, Refusal::WrongPlace { place: "no place".into() }),
        (
            Rule::Place("Here"),
            ("A", 1, 4, false),
            Some("There"),
            Refusal::WrongPlace { place: "There".into() },
        ),
        (Rule::HereNotA, ("B", 1, 4, false), Some("There"), Refusal::WrongPlace { place: "There".into() }),
        (Rule::HereNotA, ("B", 2, 1, false), Some("Here"), Refusal::BelowMinimum { short: cents(1) }),
        (Rule::Minimum(9), ("B", 2, 2, false), None, Refusal::BelowMinimum { short: cents(5) }),
        (Rule::HereNotA, ("A", 1, 4, false), Some("Here"), Refusal::NoEligibleProducts),
        (Rule::Toys, ("C", 1, 4, false), None, Refusal::NoEligibleProducts),
        (Rule::Sku("B"), ("A", 1, 4, false), None, Refusal::NoEligibleProducts),
        // A line that sells stored value is not paid with stored value.
        (Rule::Any, ("A", 1, 4, true), None, Refusal::NoEligibleProducts),
    ] {
        let (passes, goods) = (&shop.passes, basket_of(&[items]));
        let by = place.map_or(shop.by.clone(), |place| shop.by.clone().place(place));
        let (_, code) = shop.one(rule.terms(9, SpendBy::Never), cents(9));
        // Directly it is told first.
        let direct = reasons(passes.redeem(&by, Redeem::pay(code.clone(), goods.clone())).wait());
        assert_eq!(direct[0], expected, "{rule:?}");
        let redeemed = passes.redeem(&by, Redeem::into_new_wallet(code)).wait().unwrap();
        let spend = Spend::all(redeemed.contact.unwrap(), goods.clone());
        let short = Refusal::BalanceTooSmall { short: goods.total() };
        assert_eq!(
            passes.check_spend(&by, &spend).wait().unwrap().reasons,
            [expected.clone(), short.clone()]
        );
        assert_eq!(reasons(passes.spend(&by, spend).wait()), [expected, short]);
    }
    shop.proved();
}

/// P-8, W-3: of a basket with a gift card in it, the rest can be paid; all of it only where the plan says so.
#[test]
fn stored_value_is_not_bought_with_stored_value() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let ann = shop.contact("Ann");
    let goods = || {
        let lines = vec![Line::new("CARD", 1, eur("25")).sells_stored_value(), Line::new("A1", 2, eur("5"))];
        Basket::new(Currency::EUR, lines).unwrap()
    };
    let (_, code) = shop.one(card(), eur("50"));
    let direct = Redeem::pay(code.clone(), goods());
    let short = [Refusal::BalanceTooSmall { short: eur("25") }];
    assert_eq!(reasons(passes.redeem(by, direct.clone()).wait()), short);
    let paid = passes.redeem(by, direct.partly()).wait().unwrap();
    assert_eq!((paid.amount, paid.short, paid.paid[0].line), (eur("10"), eur("25"), Some(1)));
    passes.redeem(by, Redeem::into_wallet(code, ann)).wait().unwrap();
    assert_eq!(reasons(passes.spend(by, Spend::all(ann, goods())).wait()), short);
    let spent = passes.spend(by, Spend::all(ann, goods()).partly()).wait().unwrap();
    assert_eq!((spent.amount, spent.short, spent.paid[0].line), (eur("10"), eur("25"), 1));
    let conditions = Conditions { stored_value: true, ..Conditions::default() };
    let (_, code) = shop.one(Terms { conditions, ..card() }, eur("50"));
    passes.redeem(by, Redeem::into_wallet(code, ann)).wait().unwrap();
    assert_eq!(passes.spend(by, Spend::all(ann, goods())).wait().unwrap().amount, eur("35"));
    shop.proved();
}

/// W-2, B-3: a wallet has the currency of its first credit; a second one only where the business allows it; no
/// spend mixes them.
#[test]
fn a_second_currency_where_it_is_allowed() {
    let yen = |minor| Money::from_minor(minor, Currency::JPY).unwrap();
    for allowed in [false, true] {
        let shop = Shop::with(|settings| settings.second_currency = allowed);
        let (passes, by) = (&shop.passes, &shop.by);
        let ann = shop.contact("Ann");
        let (_, first) = shop.one(card(), eur("50"));
        passes.redeem(by, Redeem::into_wallet(first, ann)).wait().unwrap();
        let terms = Terms { currency: Currency::JPY, value: Worth::Fixed(yen(500)), ..card() };
        let (_, second) = shop.one(terms, yen(400));
        let second = Redeem::into_wallet(second, ann);
        if !allowed {
            let refused = [Refusal::WalletCurrency { wallet: Currency::EUR, pass: Currency::JPY }];
            assert_eq!(passes.check(by, &second).wait().unwrap().reasons, refused);
            assert_eq!(reasons(passes.redeem(by, second).wait()), refused);
            continue;
        }
        passes.redeem(by, second).wait().unwrap();
        let goods = Basket::new(Currency::JPY, vec![Line::new("A1", 1, yen(600))]).unwrap();
        let short = [Refusal::BalanceTooSmall { short: yen(100) }];
        assert_eq!(reasons(passes.spend(by, Spend::all(ann, goods.clone())).wait()), short);
        let spent = passes.spend(by, Spend::all(ann, goods).partly()).wait().unwrap();
        assert_eq!(spent.paid.iter().map(|p| p.amount).collect::<Vec<_>>(), [yen(100), yen(400)]);
        let wallet = passes.wallet(by, ann).wait().unwrap();
        assert_eq!(wallet.balance(Currency::EUR).unwrap(), eur("50"));
        assert_eq!(wallet.balance(Currency::JPY).unwrap(), yen(0));
        shop.proved();
    }
}

/// R-3, P-8, W-1: a gift card pays a basket line by line, granted money first; lines that it may not pay, and what
/// goes beyond the amount, stay unpaid.
#[test]
fn a_gift_card_pays_line_by_line() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let goods = |prices: [&str; 3]| {
        let line = |(sku, price): (&str, &str)| Line::new(sku, 1, eur(price)).families(families(sku));
        Basket::new(Currency::EUR, ["A", "C", "B"].into_iter().zip(prices).map(line).collect()).unwrap()
    };
    let conditions = Conditions { families: ["toys".into()].into(), ..Conditions::default() };
    let (pass, code) = shop.one(Terms { conditions, ..card() }, eur("44"));
    let pay = |prices| Redeem::pay(code.clone(), goods(prices));
    let lines = |paid: &[crate::service::PaidLine]| -> Vec<(Option<u32>, Mark, i64)> {
        paid.iter().map(|p| (p.line, p.mark, p.amount.minor())).collect()
    };
    use Mark::{Granted, Paid};

    // Line 1 is a book.
    let short = [Refusal::BalanceTooSmall { short: eur("3") }];
    assert_eq!(reasons(passes.redeem(by, pay(["4", "3", "5"])).wait()), short);
    let request = pay(["4", "3", "5"]).partly();
    let would = passes.check(by, &request).wait().unwrap().would.unwrap();
    let spent = passes.redeem(by, request).wait().unwrap();
    assert_eq!(lines(&spent.paid), [(Some(0), Granted, 400), (Some(2), Granted, 200), (Some(2), Paid, 300)]);
    assert_eq!((would.paid, would.left), (spent.paid.clone(), spent.left));
    assert_eq!((spent.amount, spent.short, spent.left), (eur("9"), eur("3"), eur("41")));
    // Less than the basket: the first lines first.
    let request = Redeem { amount: Some(eur("6")), ..pay(["4", "0", "5"]) };
    let spent = passes.redeem(by, request).wait().unwrap();
    assert_eq!(lines(&spent.paid), [(Some(0), Paid, 400), (Some(2), Paid, 200)]);
    let request = Redeem { amount: Some(eur("9.01")), ..pay(["4", "0", "5"]) };
    assert_eq!(codes_of(&reasons(passes.redeem(by, request).wait())), ["BAD_AMOUNT"]);
    // Where products matter, an amount without a basket is not enough.
    let bare = passes.redeem(by, Redeem::direct(code.clone(), eur("1"))).wait();
    assert_eq!(codes_of(&reasons(bare)), ["NO_ELIGIBLE_PRODUCTS"]);
    assert_eq!(codes_of(&reasons(passes.redeem(by, pay(["0", "9", "0"])).wait())), ["NO_ELIGIBLE_PRODUCTS"]);
    let short = [Refusal::BalanceTooSmall { short: eur("5") }];
    assert_eq!(reasons(passes.redeem(by, pay(["20", "0", "20"])).wait()), short);
    let spent = passes.redeem(by, pay(["20", "0", "20"]).partly()).wait().unwrap();
    assert_eq!(lines(&spent.paid), [(Some(0), Paid, 2_000), (Some(2), Paid, 1_500)]);
    assert!(spent.was_last());
    let statement = passes.pass(by, pass).wait().unwrap();
    assert_eq!((statement.left, statement.used, statement.uses), (eur("0"), 1, 1));
    shop.proved();
}

/// several cards on one basket in one call: each is judged by itself, and the parts of each line
/// add up.
#[test]
fn several_cards_on_one_basket() {
    let shop = Shop::open();
    let (_, codes) = shop.sold(shop.cards(), 3, "50");
    let goods = |first: &str, second: &str| {
        let lines = vec![Line::new("A1", 1, eur(first)), Line::new("A2", 1, eur(second))];
        Basket::new(Currency::EUR, lines).unwrap()
    };
    // The till takes what the card before left of each line.
    let requests = vec![
        (shop.by.clone(), Redeem::pay(codes[0].clone(), goods("30", "80")).partly()),
        (shop.by.clone(), Redeem::pay(codes[1].clone(), goods("0", "60")).partly()),
        (shop.by.clone(), Redeem::pay(codes[1].clone(), goods("0", "10")).partly()),
        (shop.by.clone(), Redeem::pay(codes[2].clone(), goods("0", "10"))),
    ];
    let answers = shop.passes.redeem_all(requests).wait().unwrap();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[2].as_ref().unwrap_err().code(), "PASS_REDEEMED");
    let mut paid = [0; 2];
    for part in answers.iter().flatten().flat_map(|answer| &answer.paid) {
        paid[part.line.unwrap() as usize] += part.amount.minor();
    }
    assert_eq!(paid, [3_000, 8_000]);
    shop.proved();
}

/// R-3, P-5: a top-up goes into an existing contact's wallet and nowhere else; a personal pass into that of its
/// contact; uses that credit the full value each make a credit.
#[test]
fn who_can_redeem_into_which_wallet() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let (ann, ben) = (shop.contact("Ann"), shop.contact("Ben"));
    let classification = crate::plan::Classification::TopUp;
    let usage = Usage::Full(2);
    let (_, code) = shop.one(Terms { classification, usage, ..card() }, eur("90"));
    for request in [Redeem::into_new_wallet(code.clone()), Redeem::direct(code.clone(), eur("1"))] {
        assert_eq!(codes_of(&reasons(passes.redeem(by, request).wait())), ["CONTACT_REQUIRED"]);
    }
    passes.redeem(by, Redeem::into_wallet(code.clone(), ann)).wait().unwrap();
    passes.redeem(by, Redeem::into_wallet(code, ben)).wait().unwrap();
    assert_eq!((shop.holds(ann), shop.holds(ben)), (5_000, 5_000));

    let plan = shop.plan(Terms { personal: true, ..card() });
    let (lot, codes) = shop.sold(plan, 1, "50");
    passes.set_recipient(by, lot.pass(1), ann).wait().unwrap();
    let to = |contact| Redeem::into_wallet(codes[0].clone(), contact);
    assert_eq!(codes_of(&reasons(passes.redeem(by, to(ben)).wait())), ["NOT_THIS_CONTACT"]);
    passes.redeem(by, to(ann)).wait().unwrap();
    let carl = Profile::named("Carl", Medium::Phone("+441632960960".into()));
    let carl = passes.create_contact(by, carl).wait().unwrap().done;
    let empty = passes.spend(by, Spend::all(carl, basket("1"))).wait();
    assert_eq!(reasons(empty), [Refusal::BalanceTooSmall { short: eur("1") }]);
    shop.proved();
}

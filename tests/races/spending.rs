//! Spending wallets through the service, compared with what the tightest cut of the basket allows.

use passes_core::calendar::{Instant, Period};
use passes_core::conditions::{Basket, Conditions, Line};
use passes_core::id::{ContactId, PlanId};
use passes_core::ledger::Mark;
use passes_core::money::Currency;
use passes_core::plan::SpendBy;
use passes_core::service::{CreditView, Deal, Redeem, Spend};
use passes_core::wallet::split::{Payer, split_up_to};
use std::collections::{BTreeMap, BTreeSet};
use tests::world::minor;
use tests::{Dice, World, code_of, on_every_store};

/// Plans whose money may be spent on different products and for different times.
fn plans(world: &World) -> BTreeMap<PlanId, Conditions> {
    let list = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<BTreeSet<_>>();
    let days = |n| SpendBy::AfterRedemption(Period::of_days(n).unwrap());
    let kinds = [
        (Conditions::default(), SpendBy::Never),
        (Conditions { skus: list(&["A"]), ..Conditions::default() }, SpendBy::Never),
        (Conditions { families: list(&["food"]), ..Conditions::default() }, days(3)),
        (
            Conditions { skus: list(&["A", "B"]), not_families: list(&["sale"]), ..Conditions::default() },
            days(9),
        ),
        (Conditions { not_skus: list(&["C"]), stored_value: true, ..Conditions::default() }, days(9)),
        (Conditions { families: list(&["food", "toys"]), ..Conditions::default() }, SpendBy::Never),
    ];
    let of = |(conditions, spend_by): (Conditions, SpendBy)| {
        let mut spec = World::spec("1 GBP");
        let (least, most) = (minor(1, gbp()), minor(2_000, gbp()));
        spec.terms.value = passes_core::plan::Worth::Range { least, most };
        (spec.terms.conditions, spec.terms.spend_by) = (conditions.clone(), spend_by);
        (world.plan(spec), conditions)
    };
    kinds.into_iter().map(of).collect()
}

fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

fn basket(dice: &mut Dice) -> Basket {
    let lines = (0..1 + dice.below(4))
        .map(|_| {
            let families: Vec<&str> =
                ["food", "toys", "sale"].into_iter().filter(|_| dice.once_in(2)).collect();
            let sku = *dice.pick(&["A", "B", "C", "D"]);
            let line = Line::new(sku, dice.between(0, 3) as u32, minor(dice.between(0, 400), gbp()));
            let line = line.families(&families);
            if dice.once_in(8) { line.sells_stored_value() } else { line }
        })
        .collect();
    Basket::new(gbp(), lines).unwrap()
}

/// The usable credits in their order, each with the lines that it may pay.
fn usable(
    world: &World,
    plans: &BTreeMap<PlanId, Conditions>,
    contact: ContactId,
    basket: &Basket,
) -> Vec<(CreditView, Vec<usize>)> {
    let wallet = world.passes.wallet(&world.by, contact).wait().unwrap();
    let lines_of = |plan| -> Vec<usize> {
        let may = |line: &Line| plans[&plan].allow(line) && line.total().unwrap().minor() > 0;
        (0..basket.lines().len()).filter(|n| may(&basket.lines()[*n])).collect()
    };
    let mut found: Vec<_> = wallet
        .credits
        .into_iter()
        .filter(|credit| !credit.expired && credit.left.minor() > 0)
        .map(|credit| (lines_of(credit.plan), credit))
        .filter(|(lines, _)| !lines.is_empty())
        .map(|(lines, credit)| (credit, lines))
        .collect();
    found.sort_by_key(|(credit, lines)| {
        let end = credit.spend_by.map_or(i64::MAX, Instant::micros);
        (end, credit.mark == Mark::Paid, lines.len(), credit.created, credit.id)
    });
    found
}

/// W-3, P-8: random wallets and baskets, through the service: a basket that can be paid is never refused, whatever
/// the conditions; the earlier credits pay as much as they ever could; and which of them pays which line is what the
/// split says for the same amounts.
#[test]
fn a_payable_basket_is_never_refused() {
    on_every_store(|world| {
        let mut dice = Dice::thrown("spending");
        let (passes, by) = (&world.passes, &world.by);
        let plans = plans(&world);
        let (mut whole, mut parts) = (0, 0);
        for _ in 0..if world.store == "memory" { 120 } else { 25 } {
            let contact = world.contact();
            for _ in 0..1 + dice.below(6) {
                let ids: Vec<PlanId> = plans.keys().copied().collect();
                let (pass, code) = world.lot_with_codes(*dice.pick(&ids), 1).remove(0);
                let value = minor(dice.between(1, 900), gbp());
                let price = minor(dice.between(0, value.minor()), gbp());
                passes.sell(by, pass, Deal::at(price).worth(value)).wait().unwrap();
                passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
                world.clock.advance(dice.between(0, 30) * 3_600).unwrap();
            }
            for _ in 0..6 {
                let basket = basket(&mut dice);
                let credits = usable(&world, &plans, contact, &basket);
                let totals = basket.totals();
                let most = |first: usize| -> i64 {
                    let cut = |kept: u32| -> i64 {
                        let lines: i64 =
                            (0..totals.len()).filter(|n| kept & 1 << n != 0).map(|n| totals[n]).sum();
                        let beyond =
                            credits[..first].iter().filter(|(_, of)| of.iter().any(|n| kept & 1 << n == 0));
                        lines + beyond.map(|(credit, _)| credit.left.minor()).sum::<i64>()
                    };
                    (0..1_u32 << totals.len()).map(cut).min().unwrap()
                };
                let (total, payable) = (basket.total().minor(), most(credits.len()));
                let answer = passes.spend(by, Spend::all(contact, basket.clone())).wait();
                let (receipt, wanted) = if total == 0 {
                    assert_eq!(code_of(&answer), "BAD_AMOUNT");
                    continue;
                } else if payable == total {
                    whole += 1;
                    (answer.unwrap(), total)
                } else {
                    let error = answer.unwrap_err();
                    let short = minor(total - payable, gbp());
                    let reason = error.reasons().last().unwrap();
                    assert_eq!(reason, &passes_core::Refusal::BalanceTooSmall { short });
                    if payable == 0 {
                        continue;
                    }
                    // So much can be paid, and less of it, too.
                    let wanted = if dice.once_in(2) { payable } else { dice.between(1, payable) };
                    let request = Spend::all(contact, basket.clone()).amount(minor(wanted, gbp()));
                    parts += 1;
                    (passes.spend(by, request).wait().unwrap(), wanted)
                };
                assert_eq!((receipt.amount.minor(), receipt.short.minor()), (wanted, 0));
                let payers: Vec<Payer<'_>> = credits
                    .iter()
                    .map(|(credit, lines)| Payer { amount: credit.left.minor(), lines })
                    .collect();
                let split = split_up_to(totals, &payers, wanted);
                let foreseen: Vec<_> = split
                    .parts
                    .iter()
                    .map(|part| (credits[part.credit].0.id, part.line, part.amount))
                    .collect();
                let paid: Vec<_> =
                    receipt.paid.iter().map(|p| (p.credit, p.line as usize, p.amount.minor())).collect();
                assert_eq!(paid, foreseen);
                for (n, (credit, _)) in credits.iter().enumerate() {
                    let used: i64 = paid.iter().filter(|p| p.0 == credit.id).map(|p| p.2).sum();
                    let best = most(n + 1).min(wanted) - most(n).min(wanted);
                    assert_eq!(used, best, "what the credit at place {n} pays");
                }
            }
        }
        println!("{whole} baskets were paid whole, {parts} in part");
        assert!(whole > 5 && parts > 5);
        let _ = world.books();
    });
}

/// W-3, Z-3: a wallet of very many credits and a basket of very many lines.
#[test]
fn a_large_basket_is_paid_from_a_large_wallet() {
    let world = World::memory();
    let (passes, by) = (&world.passes, &world.by);
    let contact = world.contact();
    let (_, code) = world.used("0.07 GBP", passes_core::plan::Usage::Full(1_500));
    for _ in 0..1_500 {
        passes.redeem(by, Redeem::into_wallet(code.as_str(), contact)).wait().unwrap();
    }
    let lines = (0..1_000).map(|n| Line::new(&format!("SKU {n}"), 1, minor(10, gbp()))).collect();
    let receipt = passes.spend(by, Spend::all(contact, Basket::new(gbp(), lines).unwrap())).wait().unwrap();
    assert_eq!(receipt.amount, minor(10_000, gbp()));
    assert_eq!(world.books().credits.values().sum::<i64>(), 500);
}

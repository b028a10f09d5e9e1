//! What is printed at the end of the day.

use crate::print::{amount, bars, count, heading, short, table};
use crate::purchases::Read;
use crate::setup::{Shop, Way};
use crate::walk::{At, Cancelled, Partly, Use, Walk};
use crate::{Failure, sum};
use passes_host::calendar::{Instant, Zone};
use passes_host::event::Position;
use passes_host::id::CreditId;
use passes_host::ledger::Mark;
use passes_host::money::Money;
use passes_host::operation::Kind;
use passes_host::service::{Liability, Verified, WalletLine};
use std::collections::BTreeMap;
use std::io::Write;

/// Events read at a time.
const PAGE: u32 = 1_000;

/// The purchases, and a picture of how they were paid.
///
/// # Errors
/// `OVERFLOW`, and what writing says.
pub fn purchases(out: &mut dyn Write, walk: &Walk<'_>, files: &[(&str, &Read)]) -> Result<(), Failure> {
    heading(out, "Purchases (GBP)")?;
    for (name, read) in files {
        let (rows, invoices, bad) = (read.rows, read.invoices.len(), read.bad.len());
        writeln!(out, "  {name}: {rows} lines, {bad} of them unreadable; {invoices} invoices")?;
    }
    let (purchases, paid) = (walk.purchases, walk.payments.len());
    let turnover = amount(walk.turnover);
    writeln!(
        out,
        "  {purchases} purchases for {turnover}; {paid} of them were paid with passes, as far as those went:"
    )?;
    let currency = walk.turnover.currency();
    let of = |way: Way| {
        let payments = walk.payments.iter().filter(move |payment| payment.way == way);
        sum(payments.map(|payment| payment.amount), currency)
    };
    let (wallets, cards) = (of(Way::Wallet)?, of(Way::Card)?);
    let total = sum(walk.payments.iter().map(|payment| payment.total), currency)?;
    let otherwise = total.minus(wallets)?.minus(cards)?;
    bars(out, &[("from wallets", wallets), ("by gift card", cards), ("otherwise", otherwise)])?;
    writeln!(out, "  Each payment was asked for twice under its key: the second time nothing moved.")?;
    Ok(())
}

/// What became of the cancelled lines.
///
/// # Errors
/// What writing says.
pub fn cancelled(out: &mut dyn Write, cancelled: &[Cancelled]) -> Result<(), Failure> {
    heading(out, "Cancelled lines")?;
    let row = |c: &Cancelled| {
        let quantity = format!("-{}", c.quantity);
        let back = c.reversed.map_or_else(|| "–".to_owned(), amount);
        let of = c.of.map_or_else(|| "–".to_owned(), |line| line.to_string());
        vec![
            c.line.to_string(),
            c.invoice.clone(),
            c.sku.clone(),
            quantity,
            amount(c.unit_price),
            of,
            back,
            c.why.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = cancelled.iter().map(row).collect();
    table(
        out,
        &["line>", "invoice", "SKU", "pieces>", "price>", "of line>", "back>", "what was done"],
        &rows,
    )?;
    Ok(())
}

/// The lines that can't be read, each with the reason.
///
/// # Errors
/// What writing says.
pub fn bad_lines(out: &mut dyn Write, small: &Read) -> Result<(), Failure> {
    heading(out, "bad_rows.csv")?;
    for refusal in &small.bad {
        writeln!(out, "  {refusal}")?;
    }
    let landed: Vec<String> =
        small.invoices.iter().flat_map(|invoice| &invoice.rows).map(|row| row.line.to_string()).collect();
    writeln!(out, "  The others landed: lines {}.", landed.join(", "))?;
    Ok(())
}

/// The sales that were reversed in part.
///
/// # Errors
/// What writing says.
pub fn parts(out: &mut dyn Write, parts: &[Partly]) -> Result<(), Failure> {
    heading(out, "Reversed in part in the evening (GBP)")?;
    let row = |part: &Partly| {
        let to =
            if part.homes == 1 { "one credit or card".to_owned() } else { format!("{} credits", part.homes) };
        vec![part.invoice.clone(), part.how.clone(), amount(part.amount), to]
    };
    let rows: Vec<Vec<String>> = parts.iter().map(row).collect();
    table(out, &["invoice", "how", "back>", "to"], &rows)?;
    Ok(())
}

/// The statement of a customer's wallet: lines of one operation and credit together.
///
/// # Errors
/// A customer without a wallet; a failing store.
pub fn statement(out: &mut dyn Write, shop: &Shop, walk: &Walk<'_>, customer: &str) -> Result<(), Failure> {
    let contact = *walk.wallets.get(customer).ok_or("the customer has no wallet")?;
    heading(out, &format!("Statement of the wallet of customer {customer} (GBP)"))?;
    let zone = shop.passes.settings(&shop.till).wait()?.zone;
    let mut lines: Vec<WalletLine> = Vec::new();
    let mut after = None;
    loop {
        let page = shop.passes.statement(&shop.till, contact, after, PAGE).wait()?;
        lines.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut rows = Vec::new();
    let together =
        |a: &WalletLine, b: &WalletLine| a.booking.operation == b.booking.operation && a.credit == b.credit;
    for lines in lines.chunk_by(together) {
        let Some(last) = lines.last() else { continue };
        let moved = sum(lines.iter().map(|line| line.amount), last.amount.currency())?;
        let plan = walk.credits.iter().find(|(id, _)| *id == last.credit);
        let plan = plan.map_or("", |(_, credit)| credit.plan.as_str());
        let what = match last.booking.kind {
            Kind::Spend | Kind::Reverse if lines.len() == 1 => format!("{}, 1 line", last.booking.kind),
            Kind::Spend | Kind::Reverse => format!("{}, {} lines", last.booking.kind, lines.len()),
            kind => kind.to_string(),
        };
        rows.push(vec![
            clock(zone, last.booking.at),
            what,
            plan.to_owned(),
            mark(Some(last.booking.mark)).to_owned(),
            short(last.credit),
            amount(moved),
            amount(last.balance),
        ]);
    }
    table(out, &["time", "what", "plan", "mark", "credit", "amount>", "balance>"], &rows)?;
    let wallet = shop.passes.wallet(&shop.till, contact).wait()?;
    for credit in &wallet.credits {
        let until = credit.spend_by.map_or_else(|| "for ever".to_owned(), |end| last_day(zone, end));
        let plan = shop.plans.get(&credit.plan).map_or("", String::as_str);
        writeln!(out, "  left: {} of {plan}, to be spent {until}", amount(credit.left))?;
    }
    Ok(())
}

/// What each credit, and each card that was spent directly, paid for.
///
/// # Errors
/// `OVERFLOW`, and what writing says.
pub fn credits(out: &mut dyn Write, shop: &Shop, walk: &Walk<'_>) -> Result<(), Failure> {
    heading(out, "What each credit paid for (GBP; b: lines of bad_rows.csv)")?;
    let cards = walk.cards.iter().map(|card| (None, card));
    let mut uses: Vec<(Option<CreditId>, &Use)> =
        walk.credits.iter().map(|(id, used)| (Some(*id), used)).collect();
    uses.extend(cards);
    let mut rows = Vec::new();
    for (id, used) in uses {
        let paid = sum(used.paid.iter().map(|(_, amount)| *amount), shop.currency())?;
        rows.push(vec![
            id.map_or_else(|| "card".to_owned(), short),
            used.customer.clone(),
            used.plan.clone(),
            mark(used.mark).to_owned(),
            amount(used.amount),
            amount(paid),
            amount(used.returned),
            lines(&used.paid),
        ]);
    }
    table(out, &["credit", "customer", "plan", "mark", "was>", "paid>", "back>", "for the lines"], &rows)?;
    Ok(())
}

/// What the shop owes to holders, as a picture.
///
/// # Errors
/// A failing store, and what writing says.
pub fn liability(out: &mut dyn Write, shop: &Shop) -> Result<Vec<Liability>, Failure> {
    let liability = shop.passes.liability(&shop.owner).wait()?;
    for owed in &liability {
        heading(out, &format!("The liability left: {} {}", amount(owed.total()?), owed.currency))?;
        let (cards, wallets) = (("on passes", owed.outstanding), ("in wallets", owed.credit));
        bars(out, &[("paid for", owed.paid), ("given", owed.granted), cards, wallets])?;
    }
    Ok(liability)
}

/// The events of the business, counted by kind.
///
/// # Errors
/// A failing store, and what writing says.
pub fn events(out: &mut dyn Write, shop: &Shop) -> Result<BTreeMap<String, usize>, Failure> {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut cursor = Position::default();
    loop {
        let told = shop.passes.events(&shop.owner, cursor, PAGE).wait()?;
        let Some(last) = told.last() else { break };
        cursor = last.position;
        for told in &told {
            *kinds.entry(told.event.kind().to_owned()).or_default() += 1;
        }
    }
    let all: usize = kinds.values().sum();
    heading(out, &format!("{} events", count(all)))?;
    let cells: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n:>4} {kind:<20}")).collect();
    for row in cells.chunks(4) {
        writeln!(out, "{}", row.concat().trim_end())?;
    }
    Ok(kinds)
}

/// The verification of the books.
///
/// # Errors
/// A failing store, and what writing says. A drift is in the answer.
pub fn verified(out: &mut dyn Write, shop: &Shop) -> Result<Verified, Failure> {
    let verified = shop.passes.verify(&shop.owner).wait()?;
    heading(out, "Verification")?;
    let (passes, credits, entries) =
        (count(verified.passes), count(verified.credits), count(verified.entries));
    writeln!(out, "  {passes} passes and {credits} credits against {entries} entries of the ledger")?;
    for drift in &verified.drifts {
        writeln!(out, "  DRIFT  {drift:?}")?;
    }
    match verified.drifted {
        0 => writeln!(
            out,
            "  No drift: every balance is what its entries make it, and the books sum to zero."
        )?,
        drifted => writeln!(out, "  {drifted} DRIFTS: the books can't be trusted.")?,
    }
    Ok(verified)
}

fn mark(mark: Option<Mark>) -> &'static str {
    match mark {
        Some(Mark::Paid) => "paid",
        Some(Mark::Granted) => "granted",
        None => "–",
    }
}

fn clock(zone: Zone, at: Instant) -> String {
    let minute = zone.local(at).minute;
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The last day before a moment at which something ends.
fn last_day(zone: Zone, end: Instant) -> String {
    let day = end.plus_seconds(-1).map(|last| zone.date_of(last));
    day.map_or_else(|_| "for ever".to_owned(), |day| format!("until {}", day.format("%-d %B %Y")))
}

/// Lines in their order and each once; neighbours as ranges; long lists cut.
fn lines(paid: &[(At, Money)]) -> String {
    let mut lines: Vec<At> = paid.iter().map(|(line, _)| *line).collect();
    lines.sort_unstable();
    lines.dedup();
    let neighbours = |a: &At, b: &At| a.file == b.file && a.line.checked_add(1) == Some(b.line);
    let ranges = lines.chunk_by(neighbours).filter_map(|range| match range {
        [] => None,
        [one] => Some(one.to_string()),
        [first, .., last] => Some(format!("{first}–{last}")),
    });
    let ranges: Vec<String> = ranges.collect();
    match ranges.get(..3) {
        Some(first) if ranges.len() > 3 => format!("{}, …", first.join(", ")),
        _ => ranges.join(", "),
    }
}

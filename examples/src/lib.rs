//! The gift shop: what a business does with the library from the first plan to the last pound, on the real
//! purchases of a shop. [`run`] does all of it; `cargo xtask demo` shows it.
//!
//! - [`files`]: the folder that a run works in
//! - [`purchases`]: the CSV file of purchases, each bad line told by its number and the reason
//! - [`families`]: which product is in which family
//! - [`setup`]: plans, the printed lot, its export, sales, activations and electronic passes
//! - [`walk`]: each purchase paid, cancelled lines brought back
//! - [`report`]: what is printed
//!
//! The only crate of passes that it uses is `passes_host`, like any application.

pub mod families;
pub mod files;
mod print;
pub mod purchases;
pub mod report;
pub mod setup;
pub mod walk;

use files::Files;
use passes_host::Refusal;
use passes_host::money::{Currency, Money};
use passes_host::service::{Liability, Verified};
use setup::Shop;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use walk::{Cancelled, Walk};

/// Whatever stops a run: a refusal that the shop didn't expect, a file that can't be read or written.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Passes of the printed lot.
    pub printed: u32,
    /// Electronic passes.
    pub electronic: usize,
    /// Lines of the file of real purchases, without its header.
    pub lines: usize,
    /// Invoices in it.
    pub invoices: usize,
    /// Lines of it that can't be read.
    pub unreadable: Vec<Refusal>,
    /// What became of each cancelled line.
    pub cancelled: Vec<Cancelled>,
    /// Lines of the small file of bad lines that can't be read.
    pub bad: Vec<Refusal>,
    /// Lines of it that are good, and were walked through.
    pub landed: usize,
    /// Invoices paid by passes, wholly or in part, of both files.
    pub paid_by_pass: usize,
    /// All that passes paid for.
    pub paid: Money,
    /// All that was returned.
    pub returned: Money,
    /// How many sales were reversed in part at the end of the day.
    pub reversed_in_part: usize,
    /// The events of the business, by kind.
    pub events: BTreeMap<String, usize>,
    /// What the shop owes to holders at the end.
    pub liability: Vec<Liability>,
    /// The outcome of the verification.
    pub verified: Verified,
}

/// Runs the shop in a folder, which is made if need be: a fresh database, keys, and the file for the printer.
/// What happens is printed to `out`.
///
/// # Errors
/// A folder that holds something else; a refusal that was not foreseen; a failing store or file.
pub fn run(folder: &Path, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let files = Files::fresh(folder)?;
    print::heading(out, "The shop")?;
    let shop = Shop::open(&files, out)?;
    let real = purchases::read(&files::data("retail_lines.csv"), &[shop.currency()])?;
    let small = purchases::read(&files::data("bad_rows.csv"), &[shop.currency()])?;

    let mut walk = Walk::new(&shop);
    walk.through("", &real.invoices)?;
    let cancelled = walk.cancelled.clone();
    walk.through("b", &small.invoices)?;
    let parts = walk.reverse_three_in_part()?;

    report::purchases(out, &walk, &[("retail_lines.csv", &real), ("bad_rows.csv", &small)])?;
    report::cancelled(out, &cancelled)?;
    report::bad_lines(out, &small)?;
    report::parts(out, &parts)?;
    report::statement(out, &shop, &walk, "17897")?;
    report::credits(out, &shop, &walk)?;
    let liability = report::liability(out, &shop)?;
    let events = report::events(out, &shop)?;
    let verified = report::verified(out, &shop)?;
    writeln!(out, "\nThe files of this run are in {}.", files.folder().display())?;

    Ok(Outcome {
        printed: shop.printed,
        electronic: shop.electronic,
        lines: real.rows,
        invoices: real.invoices.len(),
        unreadable: real.bad,
        cancelled,
        landed: small.rows - small.bad.len(),
        bad: small.bad,
        paid_by_pass: walk.payments.len(),
        paid: walk.paid()?,
        returned: walk.returned,
        reversed_in_part: parts.len(),
        events,
        liability,
        verified,
    })
}

/// The sum of amounts in one currency.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Money>, currency: Currency) -> Result<Money, Refusal> {
    amounts.into_iter().try_fold(Money::zero(currency), Money::plus)
}

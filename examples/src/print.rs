//! Text for people: headings, tables, amounts, bars.

use passes_host::money::Money;
use std::io::{self, Write};

/// How wide a page is.
const WIDTH: usize = 100;

pub(crate) fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}\n{}", "─".repeat(text.chars().count()))
}

/// An amount with separators, without its currency: `1,234.50`.
pub(crate) fn amount(money: Money) -> String {
    let text = money.to_decimal().to_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    format!("{sign}{}{rest}", grouped(whole))
}

/// A number with separators: `10,000`.
pub(crate) fn count(number: impl ToString) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The last part of an id: enough for people to tell ids of one page apart.
pub(crate) fn short(id: impl ToString) -> String {
    let id = id.to_string();
    let start = id.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
    format!("…{}", id.get(start..).unwrap_or(&id))
}

/// Columns of a table: a title that ends with `>` belongs to one that is aligned to the right.
pub(crate) fn table(out: &mut dyn Write, titles: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let right: Vec<bool> = titles.iter().map(|title| title.ends_with('>')).collect();
    let head: Vec<String> = titles.iter().map(|title| title.trim_end_matches('>').to_owned()).collect();
    let widths: Vec<usize> = (0..titles.len())
        .map(|n| {
            std::iter::once(&head).chain(rows).filter_map(|row| row.get(n)).map(|c| c.chars().count()).max()
        })
        .map(|width| width.unwrap_or(0))
        .collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(&widths).zip(&right) {
            let room = " ".repeat(width.saturating_sub(cell.chars().count()));
            let cell = if *right { format!("{room}{cell}") } else { format!("{cell}{room}") };
            line += &format!("  {cell}");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A bar chart: a line for each amount, as long as its part of the largest.
pub(crate) fn bars(out: &mut dyn Write, bars: &[(&str, Money)]) -> io::Result<()> {
    let longest = bars.iter().map(|(_, money)| money.minor()).max().unwrap_or(0).max(1);
    let name = bars.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let room = i64::try_from(WIDTH.saturating_sub(name + 20)).unwrap_or(0);
    for (text, money) in bars {
        // In wide arithmetic, and rounded up: an amount that is there has a bar.
        let part = (i128::from(money.minor().max(0)) * i128::from(room) + i128::from(longest) - 1)
            / i128::from(longest);
        let bar = "█".repeat(usize::try_from(part).unwrap_or(0));
        writeln!(out, "  {text:<name$}  {:>12}  {bar}", amount(*money))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use passes_host::money::Currency;

    /// B-3: amounts are shown with the decimals of their currency.
    #[test]
    fn amounts_have_separators() {
        let shown = |minor, currency| amount(Money::from_minor(minor, currency).unwrap());
        assert_eq!(shown(123_456_750, Currency::GBP), "1,234,567.50");
        assert_eq!(shown(-99_900, Currency::GBP), "-999.00");
        assert_eq!(shown(5, Currency::GBP), "0.05");
        assert_eq!(shown(1_000, Currency::JPY), "1,000");
        assert_eq!(short("0192a0d5-c3f0"), "…5-c3f0");
    }
}

//! The CSV file of purchases. Each line is judged by itself: a bad one is told by its number in the file and the
//! reason, and the others are read all the same.

use crate::Failure;
use chrono::{LocalResult, NaiveDateTime, TimeZone};
use chrono_tz::Europe::London;
use passes_host::Refusal;
use passes_host::calendar::Instant;
use passes_host::conditions::Line;
use passes_host::limits;
use passes_host::money::{Currency, Money};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 16 * 1024 * 1024;

/// A line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number in the file; the header is 1.
    pub line: u64,
    /// The SKU.
    pub sku: String,
    /// What the product is called.
    pub description: String,
    /// How many were bought, or given back.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
    /// The price of all.
    pub total: Money,
}

/// An invoice: a purchase, or a cancellation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Its number.
    pub number: String,
    /// When.
    pub at: Instant,
    /// The customer's id, if known.
    pub customer: Option<String>,
    /// Whether goods come back.
    pub cancels: bool,
    /// Its lines, at least one.
    pub rows: Vec<Row>,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// How many lines there are below the header.
    pub rows: usize,
    /// The invoices, in the order of their first good lines.
    pub invoices: Vec<Invoice>,
    /// The lines that can't be read: `BAD_FILE` with line, field and reason.
    pub bad: Vec<Refusal>,
}

/// The columns that are read. There may be others, and one more with the currency; without it, it is the shop's
/// first.
const COLUMNS: [&str; 7] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"];
const CURRENCY: &str = "Currency";

/// Reads a file of purchases in the currencies that the shop takes.
///
/// # Errors
/// A file that is not there, larger than [`LARGEST`], or without one of the columns. Bad lines are in the answer.
pub fn read(path: &Path, currencies: &[Currency]) -> Result<Read, Failure> {
    let size = fs::metadata(path)?.len();
    if size > LARGEST {
        return Err(Refusal::TooLarge { field: "the file".into(), size, largest: LARGEST }.into());
    }
    Ok(parse(&fs::read(path)?, currencies)?)
}

/// Reads purchases from the bytes of a file.
///
/// # Errors
/// `BAD_FILE` for the header. Bad lines are in the answer.
pub fn parse(file: &[u8], currencies: &[Currency]) -> Result<Read, Refusal> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut lines = (1..).zip(file.split(|byte| *byte == b'\n'));
    let header = lines.next().map_or(Ok(Vec::new()), |(line, text)| cells(line, text))?;
    let columns = Columns::of(&header)?;
    let mut read = Read::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (line, text) in lines {
        if text.trim_ascii().is_empty() {
            continue;
        }
        read.rows += 1;
        match columns.row(line, text, currencies) {
            Ok((invoice, row)) => match places.get(&invoice.number).and_then(|n| read.invoices.get_mut(*n)) {
                Some(same) if same.customer != invoice.customer => {
                    let why = "is another than on the invoice's first line";
                    read.bad.push(bad(line, "CustomerID", why));
                }
                Some(same) => same.rows.push(row),
                None => {
                    places.insert(invoice.number.clone(), read.invoices.len());
                    read.invoices.push(Invoice { rows: vec![row], ..invoice });
                }
            },
            Err(refusal) => read.bad.push(refusal),
        }
    }
    Ok(read)
}

fn bad(line: u64, field: &str, why: impl Into<String>) -> Refusal {
    Refusal::BadFile { line, field: field.to_owned(), why: why.into() }
}

/// The cells of one line. A line is parsed by itself, so that a quote that is never closed spoils its own line
/// and not the rest of the file.
fn cells(line: u64, text: &[u8]) -> Result<Vec<String>, Refusal> {
    let text = std::str::from_utf8(text).map_err(|_| bad(line, "the line", "is not UTF-8"))?;
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return Err(bad(line, "the line", "a quote is not closed"));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let record =
        reader.records().next().transpose().map_err(|error| bad(line, "the line", error.to_string()))?;
    Ok(record.unwrap_or_default().iter().map(str::to_owned).collect())
}

/// Where each column stands.
struct Columns {
    places: [usize; COLUMNS.len()],
    currency: Option<usize>,
    count: usize,
}

impl Columns {
    fn of(header: &[String]) -> Result<Self, Refusal> {
        let place = |name: &str| {
            let mut at = header.iter().enumerate().filter(|(_, cell)| cell.as_str() == name).map(|(n, _)| n);
            match (at.next(), at.next()) {
                (_, Some(_)) => Err(bad(1, name, "the column is there twice")),
                (place, None) => Ok(place),
            }
        };
        let mut places = [0; COLUMNS.len()];
        for (to, name) in places.iter_mut().zip(COLUMNS) {
            *to = place(name)?.ok_or_else(|| bad(1, name, "the column is missing"))?;
        }
        Ok(Self { places, currency: place(CURRENCY)?, count: header.len() })
    }

    /// The row of a line, and its invoice without rows.
    fn row(&self, line: u64, text: &[u8], currencies: &[Currency]) -> Result<(Invoice, Row), Refusal> {
        let cells = cells(line, text)?;
        if cells.len() != self.count {
            let why = format!("has {} columns, the header {}", cells.len(), self.count);
            return Err(bad(line, "the line", why));
        }
        let cell = |place: usize| cells.get(place).map_or("", String::as_str).trim();
        let [number, sku, description, quantity, date, price, customer] = self.places.map(cell);
        for (field, text, least) in
            [("InvoiceNo", number, 1), ("StockCode", sku, 1), ("CustomerID", customer, 0)]
        {
            limits::text(field, text, least, limits::NAME).map_err(|refusal| told(line, field, refusal))?;
        }
        let cancels = number.starts_with('C');
        let quantity = pieces(quantity, cancels).map_err(|why| bad(line, "Quantity", why))?;
        let at = london(date).map_err(|why| bad(line, "InvoiceDate", why))?;
        let currency = match self.currency {
            Some(place) => Currency::parse(cell(place)).and_then(|currency| {
                let taken = currencies.contains(&currency).then_some(currency);
                taken.ok_or_else(|| Refusal::UnknownCurrency { currency: currency.to_string() })
            }),
            None => {
                currencies.first().copied().ok_or_else(|| Refusal::invalid(CURRENCY, "the shop has none"))
            }
        };
        let currency = currency.map_err(|refusal| told(line, CURRENCY, refusal))?;
        let unit_price = Money::parse(price, currency).map_err(|refusal| told(line, "UnitPrice", refusal))?;
        if unit_price.is_negative() {
            return Err(bad(line, "UnitPrice", "a price can't be below zero"));
        }
        let total = Line::new(sku, quantity, unit_price).total();
        let total = total.map_err(|refusal| told(line, "UnitPrice", refusal))?;
        let customer = Some(customer).filter(|id| !id.is_empty()).map(str::to_owned);
        let (number, sku, description) = (number.to_owned(), sku.to_owned(), description.to_owned());
        let invoice = Invoice { number, at, customer, cancels, rows: Vec::new() };
        Ok((invoice, Row { line, sku, description, quantity, unit_price, total }))
    }
}

/// What a refusal says, as that of a line of the file.
fn told(line: u64, field: &str, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Invalid { why, .. } => bad(line, field, why),
        other => bad(line, field, other.to_string()),
    }
}

/// How many pieces a quantity stands for: a cancellation's is below zero, any other above.
fn pieces(text: &str, cancels: bool) -> Result<u32, String> {
    let number: i64 = text.parse().map_err(|_| format!("{text:?} is not a whole number"))?;
    match (number, cancels) {
        (0, _) => return Err("must not be zero".into()),
        (1.., true) => return Err("a cancellation has a quantity below zero".into()),
        (..0, false) => return Err("below zero, and the invoice number has no C for a cancellation".into()),
        _ => {}
    }
    u32::try_from(number.unsigned_abs()).map_err(|_| format!("{number} is too many"))
}

/// The instant of a date and time in London, `m/d/yy h:mm` without padding zeros: years 00 to 68 are in this
/// century. A time that comes twice, when the clocks go back, is the first of the two.
fn london(text: &str) -> Result<Instant, String> {
    let strange = || format!("{text:?} is not a date and time such as 12/1/10 8:26");
    let local = NaiveDateTime::parse_from_str(text, "%m/%d/%y %H:%M").map_err(|_| strange())?;
    // The parser takes more than this one form: blanks, padding, signs.
    if local.format("%-m/%-d/%y %-H:%M").to_string() != text {
        return Err(strange());
    }
    match London.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
            Instant::from_utc(at.to_utc()).map_err(|refusal| refusal.to_string())
        }
        LocalResult::None => Err(format!("{text} does not exist in London: the clocks go forward")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

    fn of(lines: &str) -> Read {
        parse(format!("{HEADER}\r\n{lines}").as_bytes(), &[Currency::GBP]).unwrap()
    }

    /// Z-1: each bad line is told by its number and the reason, and the others land.
    #[test]
    fn bad_lines_are_told_and_good_ones_land() {
        let read = of("1,A,a thing,2,12/1/10 8:26,2.55,17850,UK\r\n\
             1,B,\"commas, and \"\"quotes\"\"\",1,12/1/10 8:26,0,17850,UK\r\n\
             1,C,\"open,1,12/1/10 8:26,1,17850,UK\r\n\
             \r\n\
             1,D,d,1,12/1/10 8:26,1,17851,UK\r\n\
             2,E,e,1,12/1/10 8:26,1,,UK");
        assert_eq!((read.rows, read.invoices.len(), read.bad.len()), (5, 2, 2));
        let told: Vec<String> = read.bad.iter().map(ToString::to_string).collect();
        assert_eq!(told[0], "line 4, the line: a quote is not closed");
        assert_eq!(told[1], "line 6, CustomerID: is another than on the invoice's first line");
        let first = &read.invoices[0];
        assert_eq!(first.at.to_string(), "2010-12-01T08:26:00Z");
        assert_eq!(first.rows[1].description, "commas, and \"quotes\"");
        assert_eq!((first.rows[0].line, first.rows[0].total.minor()), (2, 510));
        assert_eq!(first.rows[1].unit_price.minor(), 0);
        assert_eq!((read.invoices[1].customer.as_deref(), read.invoices[1].rows[0].line), (None, 7));
    }

    /// Z-1: a header without a column, or with one twice, is told by its name. Z-3: as is a file of other bytes.
    #[test]
    fn a_header_needs_its_columns() {
        let refusal = |text: &[u8]| parse(text, &[Currency::GBP]).unwrap_err().to_string();
        assert_eq!(refusal(b""), "line 1, InvoiceNo: the column is missing");
        let without = HEADER.replace("Quantity", "Amount");
        assert_eq!(refusal(without.as_bytes()), "line 1, Quantity: the column is missing");
        let twice = format!("{HEADER},StockCode");
        assert_eq!(refusal(twice.as_bytes()), "line 1, StockCode: the column is there twice");
        assert_eq!(refusal(b"\xff\xfe"), "line 1, the line: is not UTF-8");
        let marked = format!("\u{feff}{HEADER}\n");
        assert_eq!(parse(marked.as_bytes(), &[Currency::GBP]).unwrap(), Read::default());
    }

    /// B-2: times are London's, in exactly one form; one that the clocks leave out is told.
    #[test]
    fn dates_are_read_strictly() {
        assert_eq!(london("7/1/10 0:05").unwrap().to_string(), "2010-06-30T23:05:00Z");
        assert_eq!(london("10/31/10 1:30").unwrap().to_string(), "2010-10-31T00:30:00Z");
        for wrong in [
            "",
            "12/1/10",
            "12/01/10 8:26",
            "12/1/2010 8:26",
            "13/1/10 8:26",
            "2/29/10 8:26",
            "12/1/10 24:00",
            "12/1/10 8:6",
            "12/1/10  8:26",
            "12/1/10 8:26 PM",
            "+12/1/10 8:26",
            "12/1/10 8:26:00",
            "3/28/10 1:30",
        ] {
            assert!(london(wrong).is_err(), "{wrong}");
        }
    }

    /// B-3, Z-3: quantities and prices have bounds, and prices no more decimals than pounds have.
    #[test]
    fn quantities_and_prices_are_judged() {
        for (quantity, price, field) in [
            ("-1", "1", "Quantity"),
            ("0", "1", "Quantity"),
            ("1.5", "1", "Quantity"),
            ("4294967296", "1", "Quantity"),
            ("99999999999999999999", "1", "Quantity"),
            ("1", "-0.01", "UnitPrice"),
            ("1", "0.001", "UnitPrice"),
            ("1", "1e3", "UnitPrice"),
            ("1", "1,50", "the line"),
            ("4294967295", "9999999999", "UnitPrice"),
        ] {
            let read = of(&format!("1,A,a,{quantity},12/1/10 8:26,{price},1,UK"));
            let [Refusal::BadFile { line: 2, field: told, .. }] = read.bad.as_slice() else {
                panic!("{quantity} at {price}: {:?}", read.bad)
            };
            assert_eq!(told, field, "{quantity} at {price}");
        }
        assert!(of("C1,A,a,-1,12/1/10 8:26,1,1,UK").invoices[0].cancels);
        assert_eq!(of("C1,A,a,1,12/1/10 8:26,1,1,UK").bad.len(), 1);
    }
}

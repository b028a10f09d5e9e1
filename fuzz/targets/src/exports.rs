//! What leaves the library as files.

use crate::shop::Shop;
use arbitrary::{Result, Unstructured};
use passes_core::calendar::Instant;
use passes_core::id::{Id, LotId};
use passes_core::money::{Currency, MAX_MINOR, Money};
use passes_core::passcode::Passcode;
use passes_core::service::{ExportRow, export_csv, safe_cell};
use passes_core::store::memory::Memory;
use std::sync::{Arc, LazyLock};

static SHOP: LazyLock<Shop> = LazyLock::new(|| Shop::on(Arc::new(Memory::new())));

/// Any rows come back cell by cell from the file that they are written to, and no cell is one that a spreadsheet
/// would run; what is exported of a lot leads back to its passes.
pub fn exports(data: &[u8]) {
    // Where the bytes end, so does the case.
    let _ = written(&mut Unstructured::new(data));
}

fn written(from: &mut Unstructured<'_>) -> Result<()> {
    let lot = LotId::from_bytes([7; 16]);
    let count = from.int_in_range(0..=4)?;
    let mut rows = Vec::new();
    for _ in 0..count {
        let serial = from.arbitrary()?;
        let value = match from.arbitrary()? {
            true => Some(from.int_in_range(-MAX_MINOR..=MAX_MINOR)?),
            false => None,
        };
        let currency = *from.choose(&[Currency::GBP, Currency::JPY, Currency::BHD])?;
        let value = value.map(|minor| Money::from_minor(minor, currency).unwrap());
        let redeem_by = from.arbitrary::<Option<i64>>()?.and_then(|at| Instant::from_micros(at).ok());
        let code = Passcode::new(from.arbitrary::<&str>()?);
        rows.push(ExportRow { pass: lot.pass(serial), serial, code, value, redeem_by });
    }
    let header = from.arbitrary()?;
    let file = export_csv(&rows, header).unwrap();

    let mut reader = csv::ReaderBuilder::new().has_headers(header).flexible(false).from_reader(&**file);
    if header {
        assert_eq!(reader.headers().unwrap(), vec!["passcode", "value", "expires", "serial"]);
    }
    let read: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    assert_eq!(read.len(), rows.len());
    for (row, cells) in rows.iter().zip(&read) {
        assert_eq!(cells.len(), 4);
        for cell in cells {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']),
                "{cell:?} would be run"
            );
        }
        assert_eq!(&cells[0], safe_cell(row.code.reveal()));
        assert!(cells[0] == *row.code.reveal() || cells[0].strip_prefix('\'') == Some(row.code.reveal()));
        let value = cells[1].strip_prefix('\'').unwrap_or(&cells[1]);
        let value = (!value.is_empty()).then(|| value.parse::<Money>().unwrap());
        assert_eq!(value, row.value);
        let at = (!cells[2].is_empty()).then(|| Instant::parse(&cells[2]).unwrap());
        assert_eq!(at, row.redeem_by);
        assert_eq!(cells[3].parse(), Ok(row.serial));
    }

    let (after, limit) = (from.arbitrary::<u32>()? % 12, from.arbitrary::<u32>()? % 12);
    let page = SHOP.passes.export_page(&SHOP.by, SHOP.lot, after, limit).wait().unwrap();
    let expected: Vec<u32> = (after + 1..=8).take(limit.max(1) as usize).collect();
    assert_eq!(page.iter().map(|row| row.serial).collect::<Vec<_>>(), expected);
    let file = export_csv(&page, header).unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(header).from_reader(&**file);
    for (row, cells) in page.iter().zip(reader.records()) {
        let code = cells.unwrap()[0].to_owned();
        let found = SHOP.passes.pass_by_code(&SHOP.by, &Passcode::new(code).into()).wait().unwrap();
        assert_eq!((found.id, found.serial), (row.pass, row.serial));
    }
    Ok(())
}

//! The examples run, and their numbers hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use examples::{Outcome, run};
use passes_host::Refusal;
use passes_host::money::Money;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn shop(folder: &Path) -> (Outcome, String) {
    let mut out = Vec::new();
    let outcome = run(folder, &mut out).unwrap();
    (outcome, String::from_utf8(out).unwrap())
}

fn gbp(text: &str) -> Money {
    format!("{text} GBP").parse().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// T-1, L-8, R-6, W-5, D-7, E-1: the gift shop from plan to spent money on the real purchases, and the numbers that
/// must hold.
#[test]
fn the_gift_shop_keeps_its_books() {
    let folder = tempfile::tempdir().unwrap();
    let (day, printed) = shop(folder.path());

    assert_eq!((day.lines, day.invoices, day.unreadable.len()), (999, 66, 0));
    assert_eq!((day.printed, day.electronic), (10_000, 10));
    assert_eq!((day.paid_by_pass, day.reversed_in_part), (15, 3));
    assert!(day.verified.is_good(), "{:?}", day.verified.drifts);
    assert_eq!(day.verified.passes, 10_010);

    // Of ten cancelled lines one finds its sale, and a pass had paid it.
    assert_eq!(day.cancelled.len(), 10);
    let (reversed, told): (Vec<_>, Vec<_>) = day.cancelled.iter().partition(|line| line.reversed.is_some());
    let [reversed] = reversed.as_slice() else { panic!("{reversed:?}") };
    assert_eq!(
        (reversed.invoice.as_str(), reversed.line.line, reversed.sku.as_str()),
        ("C536506", 941, "22960")
    );
    assert_eq!(reversed.of.map(|of| of.line), Some(886));
    assert_eq!(reversed.reversed, Some(gbp("25.50")));
    let lines: Vec<u64> = told.iter().map(|line| line.line.line).collect();
    assert_eq!(lines, [143, 156, 237, 238, 239, 240, 241, 242, 243]);
    assert!(told.iter().all(|line| line.of.is_none() && !line.why.is_empty()));

    // What was put on passes is what was spent and not returned, and what is left.
    let [owed] = day.liability.as_slice() else { panic!("{:?}", day.liability) };
    // 620 cards of 25 pounds; four winter gifts of 15; kitchen vouchers and top-ups as customers.toml says.
    let sent = 4 * 1_500 + (2_000 + 3_000 + 10_000 + 5_000) + (10_000 + 35_000);
    let on_passes = Money::from_minor(620 * 2_500 + sent, gbp("1").currency()).unwrap();
    assert_eq!(owed.total().unwrap(), on_passes.minus(day.paid).unwrap().plus(day.returned).unwrap());
    assert_eq!(owed.total().unwrap(), owed.paid.plus(owed.granted).unwrap());

    // An event for each: single sales and electronic ones, the bulk sale's chunk; and so on.
    let count = |kind: &str| day.events.get(kind).copied().unwrap_or(0);
    assert_eq!((count("wallet_spent") + count("pass_spent"), count("reversed")), (day.paid_by_pass, 4));
    assert_eq!((count("lot_started"), count("lot_ready"), count("delivery_wanted")), (1, 1, 10));

    for text in [
        "Statement of the wallet of customer 17897",
        "What each credit paid for",
        "No drift",
        "10,000 of 10,000",
    ] {
        assert!(printed.contains(text), "{text} is missing in\n{printed}");
    }
}

/// Z-1: every bad line of the small file is told with its number, its field and the reason; the good ones land.
#[test]
fn bad_rows_are_told_by_line_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (day, printed) = shop(folder.path());
    let expected = [
        (3, "InvoiceDate", "not a date"),
        (4, "UnitPrice", "below zero"),
        (5, "Currency", "QQQ"),
        (6, "Quantity", "not a whole number"),
        (7, "the line", "7 columns"),
        (10, "UnitPrice", "more decimals"),
        (11, "InvoiceDate", "not a date"),
        (12, "InvoiceDate", "the clocks go forward"),
        (13, "InvoiceDate", "not a date"),
        (14, "Quantity", "zero"),
        (15, "Quantity", "no C"),
        (16, "Quantity", "too many"),
        (17, "StockCode", "empty"),
        (18, "the line", "quote"),
        (19, "Currency", "EUR"),
        (20, "CustomerID", "another"),
        (21, "Quantity", "below zero"),
    ];
    assert_eq!(day.bad.len(), expected.len());
    for ((line, field, why), refusal) in expected.into_iter().zip(&day.bad) {
        let Refusal::BadFile { line: l, field: f, why: w } = refusal else { panic!("{refusal}") };
        assert_eq!((*l, f.as_str(), refusal.code()), (line, field, "BAD_FILE"), "{refusal}");
        assert!(w.contains(why), "{refusal}");
        assert!(printed.contains(&refusal.to_string()), "{refusal}");
    }
    assert_eq!(day.landed, 5);
    assert!(printed.contains("lines 2, 8, 9, 22, 23."), "{printed}");
    // The wallet paid line 2, and not the voucher of line 8: stored value doesn't buy stored value.
    assert!(printed.contains("b2"));
}

/// C-13: nothing that is printed holds a code. C-6: the printer's file has all of them, and nobody else reads it.
#[test]
fn no_code_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (_, printed) = shop(folder.path());
    let path = folder.path().join("gift_cards.csv");
    let file = fs::read_to_string(&path).unwrap();
    let rows: Vec<&str> = file.lines().collect();
    assert_eq!((rows.len(), rows[0]), (10_001, "passcode,value,expires,serial"));
    for row in &rows[1..] {
        let code = row.split(',').next().unwrap();
        assert!(code.starts_with("GIFT-") && !printed.contains(code));
    }
    assert!(rows[10_000].ends_with(",25.00 GBP,,10000"), "the last row is of another card");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// T-1: the program runs again in its folder, with a fresh database; it leaves a folder of others alone.
#[test]
fn the_program_runs_twice_and_clears_only_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    let gift_shop =
        |folder: &Path| Command::new(env!("CARGO_BIN_EXE_gift_shop")).arg(folder).output().unwrap();
    for _ in 0..2 {
        let output = gift_shop(&own);
        assert!(output.status.success(), "{}", said(&output));
    }
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("gift_shop.db"), "theirs").unwrap();
    let output = gift_shop(&other);
    assert!(!output.status.success() && said(&output).contains("holds other files"), "{}", said(&output));
    assert_eq!(fs::read_to_string(other.join("gift_shop.db")).unwrap(), "theirs");
}

/// R-1, R-3: the shortest example opens, sells, checks and redeems, and does so again on the same file.
#[test]
fn hello_runs() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let database = folder.path().join("hello.db");
        let output = Command::new(env!("CARGO_BIN_EXE_hello")).arg(database).output().unwrap();
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("good for 12.50") && said.contains("paid 12.50 GBP, left on the card 12.50 GBP"),
            "{said}"
        );
    }
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/hello/main.rs")).unwrap();
    assert!(source.lines().count() <= 60);
}

/// The program that the README shows is the one that runs.
#[test]
fn the_readme_shows_hello() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let hello = std::fs::read_to_string(format!("{root}/examples/hello/main.rs")).unwrap();
    assert!(hello.lines().count() <= 60, "hello has grown");
    assert!(
        readme.contains(&format!("```rust\n{}\n```", hello.trim_end())),
        "copy examples/hello/main.rs into README.md"
    );
}

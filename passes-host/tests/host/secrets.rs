//! Where codes, their hashes and keys never are: in the files of a store, in anything shown or serialized; and
//! how they leave the library.

use crate::keyring;
use crate::shop::{Shop, basket, card, checked, code, eur, spec};
use passes_host::business::Secrecy;
use passes_host::event::{Event, Position};
use passes_host::id::PassId;
use passes_host::lot::Outcome;
use passes_host::operation::{Kind, Right};
use passes_host::passcode::{CodeHash, Passcode, Presented};
use passes_host::plan::{Form, Terms};
use passes_host::secret::{Keyring, Purpose};
use passes_host::service::{
    Deal, ExportRow, Issue, Recipient, Redeem, Rest, Reverse, Spend, export_csv, safe_cell,
};
use passes_host::sqlite::Sqlite;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn shop(secrecy: Secrecy) -> (TempDir, Shop) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path().join("shop.db")).unwrap());
    let shop = Shop::on(store, |settings| {
        (settings.secrecy, settings.accept_hashes) = (secrecy, true);
    });
    (folder, shop)
}

fn hash(shop: &Shop, code: &Passcode) -> CodeHash {
    code.hash(shop.by.business.as_bytes()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each form in which secrets could stand somewhere, and what it is.
#[derive(Default)]
struct Needles {
    all: Vec<(String, Vec<u8>)>,
    /// The places in `all` by the first eight bytes.
    by_start: HashMap<[u8; 8], Vec<usize>>,
}

impl Needles {
    fn add(&mut self, what: String, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let start = bytes[..8].try_into().unwrap();
        self.by_start.entry(start).or_default().push(self.all.len());
        self.all.push((what, bytes));
    }

    /// Raw, in hexadecimal digits, and as `Debug` prints bytes.
    fn add_bytes(&mut self, what: &str, bytes: &[u8]) {
        self.add(format!("{what}, raw"), bytes);
        self.add(format!("{what}, in digits"), hex(bytes));
        self.add(format!("{what}, in large digits"), hex(bytes).to_uppercase());
        let listed = format!("{bytes:?}");
        self.add(format!("{what}, listed"), listed.trim_matches(['[', ']']));
    }

    fn of(shop: &Shop, codes: &[Passcode]) -> Self {
        let mut needles = Self::default();
        for (n, code) in codes.iter().enumerate() {
            let folded = code.fold().unwrap();
            // Without the prefix, which is no secret.
            let body = folded.reveal().strip_prefix("G1FT").unwrap();
            let shown = code.reveal().strip_prefix("GIFT-").unwrap();
            for (what, text) in [("folded", body), ("shown", shown)] {
                needles.add(format!("code {n}, {what}"), text);
                needles.add(format!("code {n}, {what}, in small letters"), text.to_lowercase());
            }
            needles.add_bytes(&format!("the hash of code {n}"), hash(shop, code).reveal());
        }
        let keyring = keyring("m1", 0x5c);
        for purpose in Purpose::ALL {
            needles.add_bytes(&format!("the {purpose} key"), keyring.current(*purpose).unwrap().1.reveal());
        }
        needles.add_bytes("the master key", &[0x5c; 32]);
        needles
    }

    fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found = Vec::new();
        for (at, start) in bytes.windows(8).enumerate() {
            let start: [u8; 8] = start.try_into().unwrap();
            for n in self.by_start.get(&start).into_iter().flatten() {
                let (what, needle) = &self.all[*n];
                if bytes[at..].starts_with(needle) {
                    found.push(what.as_str());
                }
            }
        }
        found
    }
}

/// What a business showed while it worked.
#[derive(Default)]
struct Shown(Vec<Vec<u8>>);

impl Shown {
    fn debug(&mut self, value: &impl Debug) {
        self.0.push(format!("{value:?}").into_bytes());
        self.0.push(format!("{value:#?}").into_bytes());
    }

    fn display(&mut self, value: &impl Display) {
        self.0.push(value.to_string().into_bytes());
    }

    fn stored(&mut self, value: &impl Serialize) {
        self.0.push(serde_json::to_vec(value).unwrap());
        self.0.push(postcard::to_allocvec(value).unwrap());
    }

    fn error<T: Debug>(&mut self, answer: Result<T, passes_host::Error>) {
        let error = answer.unwrap_err();
        self.debug(&error);
        self.display(&error);
        for reason in error.reasons() {
            self.display(reason);
            self.0.push(reason.fix().into_bytes());
            self.debug(&reason.values());
        }
        self.debug(&passes_host::HostError::from(error));
    }
}

/// A whole day of a shop: every way that a code takes. Gives the codes, and all that was shown.
fn a_day(shop: &Shop) -> (Vec<Passcode>, Shown) {
    let (passes, mut shown) = (&shop.passes, Shown::default());
    let lot = shop.generate(shop.plan(spec(card(), checked())), 40).unwrap();
    let rows = shop.export(lot);
    shown.debug(&rows);
    let closed = passes.close_export(&shop.key("close"), lot).wait().unwrap();
    shown.debug(&closed);
    let ids: Vec<PassId> = rows.iter().map(|row| row.pass).collect();
    let mut codes: Vec<Passcode> = rows.into_iter().map(|row| row.code).collect();
    let sold = passes.sell(&shop.key("sell"), ids.clone(), Deal::at(eur("50"))).wait().unwrap();
    shown.debug(&sold);
    shown.stored(&sold.done);

    let ann = shop.contact("Ann Example");
    for (n, code) in codes.iter().enumerate().take(20) {
        let request = match n % 4 {
            0 => Redeem::into_wallet(code.reveal(), ann),
            1 => Redeem::direct(code.reveal(), eur("5")),
            2 => Redeem::pay(hash(shop, code), basket("7")),
            _ => Redeem::into_new_wallet(code.clone()),
        };
        shown.debug(&request);
        let by = shop.key(&format!("receipt {n}")).place("Oxford Street").reason("a sale");
        shown.debug(&by);
        let check = passes.check(&by, &request).wait().unwrap();
        shown.debug(&check);
        shown.stored(&check.would);
        let receipt = passes.redeem(&by, request.clone()).wait().unwrap();
        shown.debug(&receipt);
        shown.stored(&receipt.done);
        shown.debug(&passes.redeem(&by, request).wait().unwrap());
        if n % 5 == 0 {
            let back = passes.reverse(&shop.by, Reverse::operation(receipt.operation)).wait().unwrap();
            shown.debug(&back);
            shown.stored(&back.done);
        }
        let presented = Presented::from(code.reveal());
        shown.debug(&presented);
        shown.debug(&passes.pass_by_code(&shop.by, &presented).wait().unwrap());
    }
    let spent = passes.spend(&shop.key("till"), Spend::all(ann, basket("12"))).wait().unwrap();
    shown.debug(&spent);
    shown.stored(&spent.done);

    // Electronic ones: issued, revealed, delivered, reissued.
    let electronic = shop.plan(spec(Terms { form: Form::Electronic, ..card() }, checked()));
    for n in 0..5 {
        let issue = Issue::new(electronic, Recipient::Contact(ann), "sms").from("Bob", "for you");
        shown.debug(&issue);
        let issued = passes.issue(&shop.key(&format!("issue {n}")), issue).wait().unwrap();
        shown.debug(&issued);
        shown.stored(&issued.done);
        let (receipt, code) = passes.reveal(&shop.by, issued.pass).wait().unwrap();
        shown.debug(&(&receipt, &code));
        codes.push(code.unwrap());
        shown.debug(&passes.delivered(&shop.by, issued.pass, Outcome::Confirmed).wait().unwrap());
        if n == 0 {
            let changed = passes.cancel(&shop.by, issued.pass, Rest::Reissue).wait().unwrap();
            shown.debug(&changed);
            let (_, code) = passes.reveal(&shop.by, changed.replaced[0].1).wait().unwrap();
            codes.push(code.unwrap());
        }
    }

    // Refusals, of good codes and of such as are nearly good.
    let last = codes[0].reveal();
    for text in [
        last.to_owned(),
        format!("{last}2"),
        format!("{last}!"),
        format!("{last} {last}"),
        last.replace('-', "_"),
    ] {
        shown.error(passes.redeem(&shop.by, Redeem::direct(text.as_str(), eur("100"))).wait());
        shown.error(passes.redeem(&shop.key("till"), Redeem::direct(text.as_str(), eur("1"))).wait());
        shown.error(passes.redeem(&shop.with_rights(&[]), Redeem::direct(text.as_str(), eur("1"))).wait());
        shown.debug(&CodeHash::from_hex(&text));
    }
    shown.error(passes.redeem(&shop.by, Redeem::direct(hash(shop, &codes[0]), eur("100"))).wait());
    for code in &codes {
        shown.debug(code);
        shown.display(code);
        shown.debug(&hash(shop, code));
        shown.display(&hash(shop, code));
        shown.debug(&code.fold().unwrap());
        shown.0.push(code.mask().into_bytes());
    }

    // All that can be read.
    for told in passes.events(&shop.by, Position::default(), 10_000).wait().unwrap() {
        shown.debug(&told);
        shown.stored(&told.event);
    }
    shown.debug(&shop.operations());
    let page = passes.passes(&shop.by, lot, Default::default(), Default::default(), None, 100);
    shown.debug(&page.wait().unwrap());
    shown.debug(&passes.lots(&shop.by, None, None, 100).wait().unwrap());
    shown.debug(&passes.wallet(&shop.by, ann).wait().unwrap());
    shown.debug(&passes.contact(&shop.by, ann).wait().unwrap());
    assert!(passes.verify(&shop.by).wait().unwrap().is_good());
    (codes, shown)
}

/// Every byte of every file beside each other.
fn bytes_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}

fn holds(files: &[(String, Vec<u8>)], text: &[u8]) -> bool {
    files.iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text))
}

fn store_holds_no_secret(secrecy: Secrecy) {
    let (folder, shop) = shop(secrecy);
    let (codes, _) = a_day(&shop);
    assert!(codes.len() > 45);
    let needles = Needles::of(&shop, &codes);
    let digest = hash(&shop, &codes[0]).digest(keyring("m1", 0x5c).current(Purpose::Digest).unwrap().1);
    let digest: Vec<u8> =
        (0..32).map(|n| u8::from_str_radix(&digest.to_hex()[2 * n..2 * n + 2], 16).unwrap()).collect();
    let scan = |when: &str| {
        let files = bytes_of(folder.path());
        for (name, bytes) in &files {
            assert_eq!(needles.found_in(bytes), [""; 0], "{name}, {when}");
        }
        // The search finds what there is to be found: a name, and the start of the keyed digest.
        assert!(holds(&files, b"owner of the shop") && holds(&files, b"Ann Example"), "{when}");
        assert!(holds(&files, &digest[..16]), "{when}");
        files.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let names = scan("while it is open");
    for side in ["shop.db", "shop.db-wal", "shop.db-shm"] {
        assert!(names.iter().any(|name| name == side), "{names:?}");
    }
    drop(shop);
    scan("when it is closed");
}

/// C-7, C-13: the file of a business whose codes are hashed, its log and its shared memory hold no code, no hash
/// of one and no key, while it is open and after.
#[test]
fn a_hashed_store_holds_no_secret() {
    store_holds_no_secret(Secrecy::Hashed);
}

/// C-7, C-13: where codes can be brought back, they are stored only sealed: nothing plain is in any file either.
#[test]
fn a_sealed_store_holds_no_secret() {
    store_holds_no_secret(Secrecy::Sealed);
}

/// C-13: no receipt, check, event, row, list, request, caller or error shows a code, its hash or a key: not by
/// `Debug`, not by `Display`, not in JSON and not in the stored bytes.
#[test]
fn nothing_that_is_shown_holds_a_secret() {
    let (_folder, shop) = shop(Secrecy::Sealed);
    let (codes, mut shown) = a_day(&shop);
    let keys = keyring("m1", 0x5c);
    shown.debug(&keys);
    for purpose in Purpose::ALL {
        shown.debug(keys.current(*purpose).unwrap().1);
    }
    for line in keys.reveal_text().lines() {
        for bad in
            [line.replacen("m1", "M 1", 1), line.replacen(' ', "", 1), format!("{line}0"), line[1..].into()]
        {
            let error = Keyring::parse(&bad).unwrap_err();
            shown.debug(&error);
            shown.display(&error);
        }
    }
    let needles = Needles::of(&shop, &codes);
    let mut count = 0;
    for text in &shown.0 {
        count += 1;
        let readable = || String::from_utf8_lossy(text).into_owned();
        assert_eq!(needles.found_in(text), [""; 0], "{}", readable());
        // Other spellings of a code: in capitals, without what parts its groups.
        let bare: Vec<u8> =
            text.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect();
        assert_eq!(needles.found_in(&bare), [""; 0], "{}", readable());
    }
    assert!(count > 1_000, "{count}");
    // The search finds a code that is there.
    assert!(!needles.found_in(format!("Passcode({})", codes[3].reveal()).as_bytes()).is_empty());
}

/// C-6: a code shows masked: at most four characters, and at most a quarter of its body.
#[test]
fn a_masked_code_shows_little() {
    let (_folder, shop) = shop(Secrecy::Sealed);
    for (_, code) in shop.sold(card(), checked(), 20) {
        let seen = code.mask().chars().filter(char::is_ascii_alphanumeric).count();
        assert!(seen <= 4, "{}", code.mask());
    }
}

fn issued(shop: &Shop) -> PassId {
    let ann = shop.contact("Ann");
    let plan = shop.plan(spec(Terms { form: Form::Electronic, ..card() }, checked()));
    shop.passes.issue(&shop.by, Issue::new(plan, Recipient::Contact(ann), "sms")).wait().unwrap().pass
}

fn audited(shop: &Shop, kind: Kind) -> Vec<(String, Option<String>)> {
    let operations = shop.operations().into_iter().filter(|operation| operation.kind == kind);
    operations.map(|o| (o.actor.to_string(), o.reason.map(|reason| reason.to_string()))).collect()
}

/// C-7, B-5, R-5: a reveal needs the right and is audited with who and why; the same request under the same key is
/// answered without the code; a refused one leaves no trace.
#[test]
fn a_reveal_is_audited_and_its_replay_is_without_the_code() {
    let (_folder, shop) = shop(Secrecy::Sealed);
    let (pass, printed) = shop.sold(card(), checked(), 1).remove(0);
    let all_others: Vec<Right> = Right::ALL.iter().copied().filter(|r| *r != Right::Reveal).collect();
    assert_eq!(code(shop.passes.reveal(&shop.with_rights(&all_others), pass).wait()), "FORBIDDEN");
    assert_eq!(audited(&shop, Kind::Reveal), []);

    let bob = shop.with_rights(&[Right::Reveal]).reason("the card is unreadable").key("reveal 1");
    let (first, revealed) = shop.passes.reveal(&bob, pass).wait().unwrap();
    assert!(!first.replayed && revealed == Some(printed));
    let (second, nothing) = shop.passes.reveal(&bob, pass).wait().unwrap();
    assert!(second.replayed && nothing.is_none() && second.operation == first.operation);
    let trail = vec![("bob".to_owned(), Some("the card is unreadable".to_owned()))];
    assert_eq!(audited(&shop, Kind::Reveal), trail);
    let events = shop.passes.events(&shop.by, Position::default(), 1_000).wait().unwrap();
    assert!(events.iter().any(|told| told.event == Event::CodeRevealed { pass }));

    // Another pass under this key is another request; a cancelled one has no code any more.
    let other = issued(&shop);
    assert_eq!(code(shop.passes.reveal(&bob, other).wait()), "IDEMPOTENCY_MISMATCH");
    shop.passes.cancel(&shop.by, pass, Rest::Forfeit).wait().unwrap();
    assert_ne!(code(shop.passes.reveal(&shop.by, pass).wait()), "it was accepted");
    assert_eq!(audited(&shop, Kind::Reveal), trail);
}

/// C-7: where codes are hashed, no one can bring a code back once its export is closed, and it can still be
/// redeemed; where they are sealed, an actor with the right can.
#[test]
fn after_the_export_is_closed_a_hashed_code_is_gone() {
    for secrecy in [Secrecy::Hashed, Secrecy::Sealed] {
        let (_folder, shop) = shop(secrecy);
        let (pass, printed) = shop.sold(card(), checked(), 3).remove(0);
        let (_, before) = shop.passes.reveal(&shop.by, pass).wait().unwrap();
        assert!(before.is_some_and(|code| code == printed));
        shop.passes.close_export(&shop.by, pass.lot()).wait().unwrap();
        let recoverable = shop.passes.lot(&shop.by, pass.lot()).wait().unwrap().recoverable;
        let traces = shop.traces();
        let revealed = shop.passes.reveal(&shop.by, pass).wait();
        if secrecy == Secrecy::Hashed {
            assert!(!recoverable);
            assert_eq!(code(revealed), "CODE_NOT_RECOVERABLE");
            assert_eq!(shop.traces(), traces);
        } else {
            assert!(recoverable && revealed.unwrap().1 == Some(printed.clone()));
        }
        for answer in [
            code(shop.passes.export(&shop.by.clone().reason("lost"), pass.lot()).wait()),
            code(shop.passes.export_page(&shop.by, pass.lot(), 0, 10).wait()),
            code(shop.passes.close_export(&shop.by, pass.lot()).wait()),
        ] {
            assert_eq!(answer, "EXPORT_CLOSED");
        }
        shop.passes.redeem(&shop.by, Redeem::direct(printed, eur("50"))).wait().unwrap();
    }
}

/// C-7, T-3: where codes are hashed, a code is gone with the first delivery that is acknowledged, not with one
/// that failed: no reveal, no resend; a reissue gives another code, and the old one is worth nothing.
#[test]
fn after_its_delivery_a_hashed_code_is_gone() {
    let (_folder, shop) = shop(Secrecy::Hashed);
    let (pass, passes) = (issued(&shop), &shop.passes);
    passes.resend(&shop.by, pass).wait().unwrap();
    let first = passes.reveal(&shop.by, pass).wait().unwrap().1.unwrap();
    passes.delivered(&shop.by, pass, Outcome::Failed { why: "no signal".into() }).wait().unwrap();
    assert!(passes.reveal(&shop.by, pass).wait().unwrap().1.is_some_and(|again| again == first));
    passes.resend(&shop.by, pass).wait().unwrap();
    passes.delivered(&shop.by, pass, Outcome::Confirmed).wait().unwrap();

    let traces = shop.traces();
    let error = passes.reveal(&shop.by, pass).wait().unwrap_err();
    assert_eq!(
        (error.code(), error.reasons()[0].fix().as_str()),
        ("CODE_NOT_RECOVERABLE", "reissue the pass")
    );
    assert_eq!(code(passes.resend(&shop.by, pass).wait()), "CODE_NOT_RECOVERABLE");
    assert_eq!(shop.traces(), traces);

    let changed = passes.cancel(&shop.by, pass, Rest::Reissue).wait().unwrap();
    let new = changed.replaced[0].1;
    let second = passes.reveal(&shop.by, new).wait().unwrap().1.unwrap();
    assert!(second != first);
    assert_eq!(code(passes.redeem(&shop.by, Redeem::direct(first, eur("1"))).wait()), "PASS_CANCELLED");
    passes.redeem(&shop.by, Redeem::direct(second, eur("50"))).wait().unwrap();
}

/// C-6, B-5: an export can be run again until it is closed, and gives the same codes; a second one needs a reason.
/// Each is audited with who and why.
#[test]
fn an_export_can_be_run_again_with_a_reason() {
    let (_folder, shop) = shop(Secrecy::Hashed);
    let (passes, by) = (&shop.passes, &shop.by);
    let lot = shop.generate(shop.plan(spec(card(), checked())), 25).unwrap();
    assert_eq!(code(passes.export_page(by, lot, 0, 100).wait()), "WRONG_STATE");
    assert_eq!(code(passes.close_export(by, lot).wait()), "WRONG_STATE");
    assert_eq!(passes.export(&by.clone().key("first"), lot).wait().unwrap().done, 1);
    assert!(passes.export(&by.clone().key("first"), lot).wait().unwrap().replayed);
    let page = |after, limit| passes.export_page(by, lot, after, limit).wait().unwrap();
    let all = page(0, 100);
    assert_eq!(all.iter().map(|row| row.serial).collect::<Vec<_>>(), (1..=25).collect::<Vec<_>>());

    assert_eq!(code(passes.export(by, lot).wait()), "REASON_REQUIRED");
    let why = by.clone().reason("the printer lost the file");
    assert_eq!(passes.export(&why, lot).wait().unwrap().done, 2);
    let again: Vec<ExportRow> = [page(0, 10), page(10, 10), page(20, 10)].into_iter().flatten().collect();
    assert_eq!(again.len(), all.len());
    let csv = |rows: &[ExportRow]| export_csv(rows, true).unwrap();
    assert!(*csv(&again) == *csv(&all), "the second export has other codes");
    let me = "owner of the shop".to_owned();
    let trail = [(me.clone(), None), (me.clone(), Some("the printer lost the file".to_owned()))];
    assert_eq!(audited(&shop, Kind::Export), trail);

    passes.close_export(by, lot).wait().unwrap();
    assert_eq!(code(passes.export(&why, lot).wait()), "EXPORT_CLOSED");
    assert_eq!(audited(&shop, Kind::Export), trail);
    assert_eq!(audited(&shop, Kind::CloseExport), [(me, None)]);
    // Only who may export reads a page, too.
    let all_others: Vec<Right> = Right::ALL.iter().copied().filter(|r| *r != Right::Export).collect();
    assert_eq!(code(passes.export_page(&shop.with_rights(&all_others), lot, 0, 1).wait()), "FORBIDDEN");
}

/// C-6: a cell that a spreadsheet would run as a formula is escaped; any other stands as it is, quoted where CSV
/// wants it.
#[test]
fn formulas_in_an_export_are_escaped() {
    for start in ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'] {
        let text = format!("{start}cmd|' /C calc'!A0");
        assert_eq!(safe_cell(&text), format!("'{text}"));
    }
    for text in ["", "7KQ2-M9XW", "12.50 EUR", "a=b", "'=1"] {
        assert_eq!(safe_cell(text), text);
    }
    let shop = Shop::in_memory();
    let lot = shop.generate(shop.plan(spec(card(), checked())), 1).unwrap();
    let mut rows = shop.export(lot);
    let good = rows[0].code.clone();
    rows[0].code = Passcode::new("=HYPERLINK(\"evil\",1)");
    (rows[0].serial, rows[0].value) = (2, None);
    let text = String::from_utf8(export_csv(&rows, true).unwrap().to_vec()).unwrap();
    assert_eq!(text, "passcode,value,expires,serial\n\"'=HYPERLINK(\"\"evil\"\",1)\",,,2\n");
    rows[0].code = good.clone();
    let text = String::from_utf8(export_csv(&rows, false).unwrap().to_vec()).unwrap();
    assert_eq!(text, format!("{},,,2\n", good.reveal()));
    rows[0].value = Some(eur("-5"));
    let text = String::from_utf8(export_csv(&rows, false).unwrap().to_vec()).unwrap();
    assert_eq!(text, format!("{},'-5.00 EUR,,2\n", good.reveal()));
}

/// C-14: the hash of a code is taken instead of it where the business allows it and the actor has the right, in
/// every use case that takes a code; it is the same request as the code's.
#[test]
fn a_hash_is_taken_only_if_allowed() {
    for allowed in [false, true] {
        let store = Arc::new(passes_host::store::memory::Memory::new());
        let shop = Shop::on(store, |settings| settings.accept_hashes = allowed);
        let (_, plain) = shop.sold(card(), checked(), 1).remove(0);
        let secret = hash(&shop, &plain);
        let without: Vec<Right> = Right::ALL.iter().copied().filter(|r| *r != Right::PresentHash).collect();
        let request = || Redeem::direct(secret.clone(), eur("5"));
        let presented = Presented::from(secret.clone());
        for (by, expected) in [
            (shop.with_rights(&without), "FORBIDDEN"),
            (shop.with_rights(Right::ALL), if allowed { "it was accepted" } else { "FORBIDDEN" }),
        ] {
            let by = by.key("receipt");
            assert_eq!(code(shop.passes.redeem(&by, request()).wait()), expected);
            assert_eq!(code(shop.passes.pass_by_code(&by, &presented).wait()), expected);
            let check = shop.passes.check(&by, &request()).wait().unwrap();
            let first = check.reasons.first().map_or("it was accepted", |reason| reason.code());
            assert_eq!(first, expected);
        }
        // Who can't present a hash learns nothing of whether there is such a code.
        let unknown = CodeHash::from_bytes([9; 32]);
        let answer = shop.passes.redeem(&shop.by, Redeem::direct(unknown, eur("5"))).wait();
        assert_eq!(code(answer), if allowed { "UNKNOWN_CODE" } else { "FORBIDDEN" });
        // The plain code is the same request.
        let by = shop.with_rights(&without).key("receipt");
        let receipt = shop.passes.redeem(&by, Redeem::direct(plain, eur("5"))).wait().unwrap();
        assert_eq!((receipt.replayed, receipt.left), (allowed, eur("45")));
    }
}

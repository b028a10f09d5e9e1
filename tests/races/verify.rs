//! Verifying a file of SQLite that somebody wrote to, and one that was rolled back.

use passes_core::Passes;
use passes_core::business::Settings;
use passes_core::id::{BusinessId, ContactId, CreditId, LotId, PassId};
use passes_core::operation::By;
use passes_core::service::{Checkpoint, Redeem, Rest, Reverse, Since, Verified};
use passes_host::testing::SeededEntropy;
use passes_sqlite::Sqlite;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tests::world::{keyring, one_line, settings};
use tests::{World, amount, on_every_store};

/// What was done in a world.
struct Done {
    lot: LotId,
    contact: ContactId,
    credit: CreditId,
    /// A direct spend, and what reversed it.
    spent: u64,
    replaced: PassId,
}

/// A bit of everything, and the same in every world.
fn live(world: &World) -> Done {
    let (passes, by) = (&world.passes, &world.by);
    let contact = world.contact();
    let cards = world.lot_with_codes(world.plan(World::spec("25 GBP")), 5);
    let lot = cards[0].0.lot();
    let all: Vec<PassId> = cards.iter().map(|(pass, _)| *pass).collect();
    passes.sell(by, all, passes_core::service::Deal::at(amount("20 GBP"))).wait().unwrap();
    let code = |n: usize| cards[n].1.as_str();
    let taken = passes.redeem(&world.key("1"), Redeem::into_wallet(code(0), contact)).wait().unwrap();
    let spent = passes.redeem(&world.key("2"), Redeem::direct(code(1), amount("10 GBP"))).wait().unwrap();
    let back = Reverse::operation(spent.operation).amount(amount("4 GBP"));
    passes.reverse(&world.key("3"), back).wait().unwrap();
    let replaced = passes.cancel(by, all_of(lot, 3), Rest::Reissue).wait().unwrap().replaced[0].1;
    let (_, code) = world.gift("1000 JPY");
    passes.redeem(&world.key("4"), Redeem::into_new_wallet(code.as_str())).wait().unwrap();
    Done { lot, contact, credit: taken.credits[0].credit, spent: spent.operation.0, replaced }
}

fn all_of(lot: LotId, serial: u32) -> PassId {
    lot.pass(serial)
}

/// A file with a business, as it was left.
struct Kept {
    _folder: TempDir,
    path: PathBuf,
    by: By,
    done: Done,
    clock: Arc<passes_host::testing::FixedClock>,
}

impl Kept {
    fn new() -> Self {
        let world = World::sqlite();
        let done = live(&world);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.db");
        copy(&world.path().unwrap(), &path);
        Self { _folder: folder, path, by: world.by.clone(), done, clock: world.clock.clone() }
    }

    fn open(&self, path: &Path, seed: u64) -> Passes {
        let store = Arc::new(Sqlite::open(path).unwrap());
        let entropy = Arc::new(SeededEntropy::new(seed));
        Passes::open(store, keyring(), self.clock.clone(), entropy).wait().unwrap()
    }

    /// The verification of a copy in which this was written.
    fn after(&self, text: &str) -> Verified {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        fs::copy(&self.path, &path).unwrap();
        for part in text.split(NEXT) {
            let sql = Connection::open(&path).unwrap();
            // What is written here doesn't go by the rules.
            sql.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON;").unwrap();
            sql.execute_batch(part).unwrap_or_else(|error| panic!("{part}: {error}"));
        }
        self.open(&path, 9).verify(&self.by).wait().unwrap()
    }

    fn told(&self, text: &str) -> BTreeSet<Told> {
        let verified = self.after(text);
        let told = verified.drifts.into_iter().map(|d| (d.what, d.subject, d.stored, d.expected));
        let told: BTreeSet<Told> = told.collect();
        assert!(!told.is_empty(), "{text} is not found");
        told
    }
}

/// Between what is written through one connection and through the next.
const NEXT: &str = "-- and then";

type Told = (&'static str, String, i64, i64);

fn copy(from: &Path, to: &Path) {
    let sql = Connection::open(from).unwrap();
    sql.execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
}

fn set<S: ToString>(drifts: impl IntoIterator<Item = (&'static str, S, i64, i64)>) -> BTreeSet<Told> {
    drifts.into_iter().map(|(what, subject, a, b)| (what, subject.to_string(), a, b)).collect()
}

/// D-7, W-1: what somebody writes to the tables is told by name: balances, codes, keys, entries, counters.
#[test]
fn rows_that_were_changed_are_told() {
    let kept = Kept::new();
    let Done { lot, contact, credit, spent, .. } = &kept.done;
    let verified = kept.after("SELECT 1");
    assert!(verified.is_good(), "{:?}", verified.drifts);
    let here = "lot = (SELECT min(lot) FROM pass)";
    let two = lot.pass(2);

    let found =
        kept.told(&format!("UPDATE pass SET balance_used = balance_used + 1 WHERE {here} AND serial = 2"));
    let left = 2_500 - 1_000 + 400;
    let all = left + 2 * 2_500;
    assert_eq!(
        found,
        set([
            ("pass balance", two.to_string(), left - 1, left),
            ("lot balance", lot.to_string(), all - 1, all)
        ])
    );
    let found = kept.told(&format!("DELETE FROM pass WHERE {here} AND serial = 2"));
    assert!(found.contains(&("pass missing", two.to_string(), 0, 1)), "{found:?}");
    assert!(found.contains(&("lot passes", lot.to_string(), 4, 5)), "{found:?}");
    let found = kept.told(&format!("DELETE FROM code WHERE {here} AND serial = 4"));
    assert_eq!(
        found,
        set([("pass codes", lot.pass(4).to_string(), 0, 1), ("lot codes", lot.to_string(), 4, 5)])
    );
    let found = kept.told(&format!("UPDATE code SET serial = 5 WHERE {here} AND serial = 4"));
    assert!(found.contains(&("pass codes", lot.pass(5).to_string(), 2, 1)), "{found:?}");
    assert!(found.contains(&("pass codes", lot.pass(4).to_string(), 0, 1)), "{found:?}");
    let found = kept.told(&format!("DELETE FROM opkey WHERE operation = {spent}"));
    assert_eq!(found, set([("key", spent, 0, 1)]));
    let found = kept.told(&format!("UPDATE opkey SET operation = 1 WHERE operation = {spent}"));
    assert_eq!(found, set([("key", spent.to_string(), 0, 1), ("key", "1".to_owned(), 1, 0)]));
    let found =
        kept.told(&format!("UPDATE credit SET used = used + 5 WHERE hex(id) = '{}'", hex(credit.as_bytes())));
    assert_eq!(
        found.iter().map(|(what, subject, ..)| (*what, subject.clone())).collect::<Vec<_>>(),
        [("credit", credit.to_string())]
    );
    let found = kept.told(&format!("DELETE FROM credit WHERE hex(id) = '{}'", hex(credit.as_bytes())));
    assert!(
        found.iter().any(|(what, subject, ..)| (*what, subject) == ("credit missing", &credit.to_string()))
    );
    let found = kept.told(
        "UPDATE tally SET used = used + 1 WHERE rowid_of_none IS NULL"
            .replace("rowid_of_none IS NULL", "used = 5")
            .as_str(),
    );
    assert!(found.iter().any(|(what, ..)| *what == "plan passes"), "{found:?}");
    let found = kept.told("INSERT INTO tally SELECT num, x'0102030405060708090a0b0c0d0e0f10', 0, 1, 0, 9 FROM business WHERE num > 1");
    assert_eq!(found, set([("tally", "0102030405060708090a0b0c0d0e0f10", 1, 0)]));
    let found =
        kept.told(&format!("UPDATE entry SET before_from = 0 WHERE operation = {spent} AND mark = 1"));
    assert!(found.len() == 1 && found.iter().all(|(what, ..)| *what == "history"), "{found:?}");
    let found = kept.told(&format!("UPDATE pass SET last = 1 WHERE {here} AND serial = 2"));
    assert!(found.len() == 1 && found.iter().all(|(what, ..)| *what == "pass last"), "{found:?}");
    let found = kept.told(&format!("UPDATE operation SET entries = 1 WHERE number = {spent}"));
    assert!(found.contains(&("operation entries", spent.to_string(), 1, 2)), "{found:?}");
    assert!(
        found
            .iter()
            .any(|(what, subject, ..)| *what == "store"
                && subject.ends_with(&format!("operation {spent} says")))
    );
    let found = kept.told("UPDATE doc SET body = x'7b7d' WHERE kind = 11");
    assert!(
        found
            .iter()
            .any(|(what, subject, ..)| (*what, subject) == ("document", &format!("reversal {spent}")))
    );
    let hex = hex(contact.as_bytes());
    let found = kept.told(&format!("DELETE FROM doc WHERE kind = 6 AND hex(id) = '{hex}'"));
    assert!(found.contains(&("parent", format!("credit {credit}"), 0, 1)), "{found:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// D-7, D-3: what only the file knows: numbers that are gone, rows that belong to nothing, an index that
/// disagrees with its table, and rows that can't be read. The rest is told beside it.
#[test]
fn faults_of_the_file_are_told() {
    let kept = Kept::new();
    let spent = kept.done.spent;
    let store = |text: &str| -> Vec<String> {
        let told = kept.told(text);
        told.into_iter().filter(|(what, ..)| *what == "store").map(|(_, subject, ..)| subject).collect()
    };
    let found = store(&format!("DELETE FROM operation WHERE number = {spent}"));
    assert!(found.contains(&format!("the operations {spent} to {spent} are gone")), "{found:?}");
    let lost = format!("belongs to operation {spent}, which is not there");
    assert_eq!(found.iter().filter(|text| text.ends_with(&lost)).count(), 2, "{found:?}");
    let found = store(&format!("DELETE FROM entry WHERE operation = {spent}"));
    assert_eq!(found.iter().filter(|text| text.starts_with("the entries ")).count(), 1, "{found:?}");
    let found = store(&format!("UPDATE operation SET first_entry = 1 WHERE number = {spent}"));
    assert_eq!(found.len(), 2, "{found:?}");
    let found = store("UPDATE operation SET business = 77 WHERE number = 5");
    assert!(found.contains(&"operation 5 belongs to no business".to_owned()), "{found:?}");

    for (text, table, of) in [
        ("INSERT INTO code VALUES (77, x'01', 1, 1)", "code", "business number 77"),
        ("INSERT INTO opkey VALUES (77, x'01', 1, 0)", "opkey", "business number 77"),
        ("UPDATE tally SET business = 77", "tally", "business number 77"),
        ("UPDATE lot SET business = 77 WHERE num = 1", "lot", "business number 77"),
        ("UPDATE pass SET lot = 77 WHERE serial = 3", "pass", "lot number 77"),
        ("UPDATE credit SET business = 77", "credit", "business number 77"),
        ("UPDATE doc SET business = 77 WHERE kind = 10 OR kind = 7", "doc", "business number 77"),
    ] {
        let found = store(text);
        let expected = format!("rows of {table} belong to {of}, which is not there");
        assert!(found.contains(&expected), "{text}: {found:?}");
    }
    let found = store("UPDATE credit SET lot = 77");
    assert!(found.iter().all(|text| text.starts_with("credit ")) && found.len() == 3, "{found:?}");
    let found = store("UPDATE code SET lot = 77 WHERE serial = 2");
    assert!(
        found.iter().all(|text| text.starts_with("code of serial number 2: ")) && found.len() == 1,
        "{found:?}"
    );
    let found = store("UPDATE pass SET standing = 9 WHERE serial = 2");
    assert!(found.iter().all(|text| text.starts_with("pass ")) && found.len() == 1, "{found:?}");
    let found = store("UPDATE entry SET unit = 9999 WHERE number = 2");
    assert!(found.iter().all(|text| text.starts_with("entry 2: ")) && found.len() == 1, "{found:?}");

    // A document that is written while the index leaves out its kind.
    let narrow = |from: &str, to: &str| {
        let change = format!("UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}')");
        format!("{change} WHERE name = 'doc_parent'")
    };
    let found = store(&[
        &narrow("IS NOT NULL", "IS NOT NULL AND kind <> 8"),
        "INSERT INTO doc SELECT business, kind, x'00112233445566778899aabbccddeeff', version, parent_kind, parent_id, \
         body FROM doc WHERE kind = 8 LIMIT 1",
        &narrow(" AND kind <> 8", ""),
    ]
    .join(NEXT));
    assert!(found.iter().any(|text| text.contains("doc_parent")), "{found:?}");
}

/// D-7: the same commands leave the same history in every store that counts from one, and a checkpoint of one holds
/// for the other.
#[test]
fn every_store_folds_alike() {
    let mut lines = BTreeSet::new();
    on_every_store(|world| {
        live(&world);
        let mut other = settings();
        other.grace_days = 1;
        world.passes.create_business(&world.by.actor, other).wait().unwrap();
        let half = world.passes.checkpoint(&world.by).wait().unwrap();
        let _ = world.gift("5 EUR");
        let whole = world.passes.checkpoint(&world.by).wait().unwrap();
        assert_eq!(world.passes.checkpoint_after(&world.by, &half).wait().unwrap(), whole);
        let verified = world.passes.verify_since(&world.by, &[half.clone(), whole.clone()]).wait().unwrap();
        let after = whole.operations() - half.operations();
        assert_eq!(verified.since, [Since::Kept { after }, Since::Kept { after: 0 }]);
        assert!(verified.is_good(), "{:?}", verified.drifts);
        let kept: Checkpoint = whole.to_string().parse().unwrap();
        assert_eq!(kept, whole);
        if world.store == "PostgreSQL" {
            // Its numbers have gaps.
            return;
        }
        LINES.lock().unwrap().push(whole.to_string());
    });
    lines.extend(LINES.lock().unwrap().drain(..));
    assert_eq!(lines.len(), 1, "{lines:?}");
}

static LINES: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

/// D-7: a copy from the day before is told with what is missing in it; so is one that was worked with since; so is
/// history that somebody wrote over, whatever is repaired with it.
#[test]
fn a_file_that_was_rolled_back_is_told() {
    let kept = Kept::new();
    let by = &kept.by;
    let folder = tempfile::tempdir().unwrap();
    let (backup, now) = (folder.path().join("backup.db"), folder.path().join("now.db"));
    fs::copy(&kept.path, &backup).unwrap();
    fs::copy(&kept.path, &now).unwrap();
    let passes = kept.open(&now, 9);
    let yesterday = passes.checkpoint(by).wait().unwrap();
    kept.clock.advance(86_400).unwrap();
    let spend = |passes: &Passes, pounds: &str| {
        let basket = one_line(pounds);
        let request = passes_core::service::Spend::all(kept.done.contact, basket);
        passes.spend(by, request).wait().unwrap()
    };
    for _ in 0..3 {
        spend(&passes, "1 GBP");
    }
    let today = passes.checkpoint_after(by, &yesterday).wait().unwrap();
    let both = [yesterday.clone(), today.clone()];
    let since = passes.verify_since(by, &both).wait().unwrap().since;
    assert_eq!(since, [Since::Kept { after: 3 }, Since::Kept { after: 0 }]);
    drop(passes);

    // Restored.
    let passes = kept.open(&backup, 10);
    let verified = passes.verify_since(by, &both).wait().unwrap();
    let (last, at) = (yesterday.position(), Some(yesterday.booked()));
    assert_eq!(verified.since[1], Since::RolledBack { missing: 3, last, since: at });
    assert!(verified.since[0].is_kept() && verified.drifted == 0 && !verified.is_good());
    // And worked with: as many operations as before, and more.
    for pounds in ["2 GBP", "1 GBP", "1 GBP", "1 GBP"] {
        spend(&passes, pounds);
    }
    let since = passes.verify_since(by, &both).wait().unwrap().since;
    let held = Some((yesterday.position(), yesterday.taken()));
    let saw = today.operations();
    assert_eq!(since, [Since::Kept { after: 4 }, Since::Diverged { saw, there: saw, kept: held }]);
    drop(passes);

    // Somebody changes who did it, then what was paid and all that follows from it, then takes one away.
    let write = |text: &str| {
        let path = folder.path().join("forged.db");
        fs::copy(&now, &path).unwrap();
        for side in ["forged.db-wal", "forged.db-shm"] {
            drop(fs::remove_file(folder.path().join(side)));
        }
        let sql = Connection::open(&path).unwrap();
        sql.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        sql.execute_batch(text).unwrap();
        drop(sql);
        kept.open(&path, 9).verify_since(by, &both).wait().unwrap()
    };
    let spent = kept.done.spent;
    let verified = write(&format!("UPDATE operation SET actor = 'bob' WHERE number = {spent}"));
    let there = yesterday.operations();
    assert_eq!(verified.drifted, 0);
    let changed = |saw: u64| Since::Changed { saw, there: saw, kept: None };
    assert_eq!(verified.since, [changed(there), changed(saw)]);
    let last = today.position().0;
    let verified = write(&format!("UPDATE operation SET place = 'Elsewhere' WHERE number = {last}"));
    assert_eq!(verified.since, [Since::Kept { after: 3 }, Since::Changed { saw, there: saw, kept: held }]);
    let verified = write(&format!("UPDATE entry SET line = 7 WHERE operation = {spent}"));
    assert_eq!((verified.drifted, &verified.since[0]), (0, &changed(there)));
    let verified = write("DELETE FROM operation WHERE number = 2");
    assert_eq!(verified.since[0], Since::Changed { saw: there, there: there - 1, kept: None });
    assert!(verified.drifted > 0);
}

/// D-7, B-1: businesses that share a file are verified apart, and each has its own history.
#[test]
fn businesses_are_verified_apart() {
    let world = World::sqlite();
    let other = world
        .passes
        .create_business(&world.by.actor, Settings::new("O", "Europe/Paris", &["GBP"], "fr").unwrap());
    let other = By::new(other.wait().unwrap(), world.by.actor.clone());
    let before = world.passes.checkpoint(&other).wait().unwrap();
    let done = live(&world);
    assert_eq!(world.passes.checkpoint(&other).wait().unwrap(), before);
    let path = world.path().unwrap();
    let sql = Connection::open(&path).unwrap();
    let verified = world.passes.verify(&other).wait().unwrap();
    assert!(verified.is_good() && verified.operations == 1, "{:?}", verified.drifts);
    sql.execute("UPDATE pass SET uses_used = 1 WHERE serial = 5", []).unwrap();
    assert!(world.passes.verify(&other).wait().unwrap().is_good());
    let verified = world.passes.verify(&world.by).wait().unwrap();
    let found: Vec<_> = verified.drifts.iter().map(|d| (d.what, d.subject.clone())).collect();
    assert_eq!(found, [("pass uses", done.lot.pass(5).to_string())]);
    // What is wrong with the file is told to all.
    sql.execute("INSERT INTO code VALUES (77, x'01', 1, 1)", []).unwrap();
    let verified = world.passes.verify(&other).wait().unwrap();
    assert!(verified.drifted == 1 && verified.drifts[0].what == "store");
    let stranger = By::new(BusinessId::from_uuid(done.replaced.to_uuid()), world.by.actor.clone());
    assert!(world.passes.verify(&stranger).wait().unwrap().is_good());
}

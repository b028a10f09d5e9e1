//! Checks write nothing, on every store: counted where a store is asked, and looked for in the file itself.

use passes_core::calendar::Instant;
use passes_core::money::Currency;
use passes_core::service::{Redeem, Spend};
use passes_core::store::{
    After, Answer, Change, Chunk, Command, Fut, Load, Loaded, Store, StoreError, delegate,
};
use passes_core::{Passes, Refusal};
use passes_host::testing::{FixedClock, SeededEntropy};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::world::{START, keyring, one_line};
use tests::{amount, on_every_store};

/// Counts what a store is asked: reads, and all that might write.
struct Counted {
    store: Arc<dyn Store>,
    loads: AtomicUsize,
    writes: AtomicUsize,
}

impl Counted {
    fn write(&self) -> &dyn Store {
        self.writes.fetch_add(1, Ordering::Relaxed);
        &*self.store
    }
}

impl Store for Counted {
    fn run(&self, command: Command) -> Fut<'_, Answer> {
        self.write().run(command)
    }
    fn run_all(&self, commands: Vec<Command>) -> Fut<'_, Vec<Result<Answer, StoreError>>> {
        self.write().run_all(commands)
    }
    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.store.load(load)
    }
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        self.write().commit(changes)
    }
    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        self.write().fill(chunk)
    }

    delegate!(store; slots, pause, page, events, audit);
}

/// A file of SQLite and its log, to the byte, and SQLite's own count of what other connections committed.
struct File<'a> {
    path: &'a Path,
    sql: rusqlite::Connection,
    before: (Vec<u8>, Vec<u8>, i64),
}

impl<'a> File<'a> {
    fn new(path: &'a Path) -> Self {
        let sql = rusqlite::Connection::open(path).unwrap();
        let mut file = Self { path, sql, before: Default::default() };
        file.before = file.now();
        assert!(!file.before.1.is_empty(), "nothing in the log yet");
        file
    }

    fn now(&self) -> (Vec<u8>, Vec<u8>, i64) {
        let version = self.sql.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap();
        let log = format!("{}-wal", self.path.display());
        (std::fs::read(self.path).unwrap(), std::fs::read(log).unwrap(), version)
    }
}

/// good and bad checks of redemptions and of spends, new ones and ones that were done before: the store is
/// only read, the file and its log stay as they are to the byte, and there is no operation more.
#[test]
fn a_check_writes_nothing() {
    on_every_store(|world| {
        let (_, card) = world.gift("25 GBP");
        let (_, spent) = world.gift("25 GBP");
        let (_, credited) = world.gift("25 GBP");
        let contact = world.contact();
        world
            .passes
            .redeem(&world.key("spent"), Redeem::direct(spent.as_str(), amount("25 GBP")))
            .wait()
            .unwrap();
        world.passes.redeem(&world.by, Redeem::into_wallet(credited.as_str(), contact)).wait().unwrap();

        let store =
            Arc::new(Counted { store: world.passes.store().clone(), loads: 0.into(), writes: 0.into() });
        let clock = Arc::new(FixedClock::at(Instant::parse(START).unwrap()));
        let entropy = Arc::new(SeededEntropy::new(2));
        let passes = Passes::open(store.clone(), keyring(), clock, entropy).wait().unwrap();
        let path = world.path();
        let file = path.as_deref().map(File::new);
        let operations = world.operations();
        let opened = store.loads.load(Ordering::Relaxed);

        let code = |code: &str, pounds: &str| Redeem::direct(code, amount(pounds));
        let nobody = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse().unwrap();
        let (none, new) = (world.by.clone(), world.key("new"));
        let checks = [
            (&none, code(&card, "10 GBP"), None),
            (&new, code(&card, "25 GBP"), None),
            (&new, Redeem::into_wallet(card.as_str(), contact), None),
            (&none, Redeem::into_new_wallet(card.as_str()), None),
            (&none, code(&card, "30 GBP"), Some("BALANCE_TOO_SMALL")),
            (&none, code(&spent, "1 GBP"), Some("PASS_REDEEMED")),
            (&new, Redeem::into_wallet(card.as_str(), nobody), Some("CONTACT_NOT_REGISTERED")),
            (&none, code("2222-2222-2222", "1 GBP"), Some("UNKNOWN_CODE")),
            (&none, code("!", "1 GBP"), Some("MALFORMED")),
        ];
        let rounds = 20;
        for _ in 0..rounds {
            for (by, request, expected) in &checks {
                let check = passes.check(by, request).wait().unwrap();
                assert_eq!(check.reasons.first().map(Refusal::code), *expected, "{request:?}");
                assert_eq!(check.would.is_some(), expected.is_none());
            }
            // Under the key of a redemption that was done: what it did, and for another request that.
            let done = world.key("spent");
            let again = passes.check(&done, &code(&spent, "25 GBP")).wait().unwrap();
            assert_eq!(again.would.unwrap().amount, amount("25 GBP"));
            let other = passes.check(&done, &code(&spent, "24 GBP")).wait().unwrap();
            assert_eq!(other.reasons[0].code(), "IDEMPOTENCY_MISMATCH");
            // And of spends.
            let good = passes.check_spend(&new, &Spend::all(contact, one_line("25 GBP"))).wait().unwrap();
            assert_eq!(good.would.unwrap().amount.minor(), 2_500);
            let bad = passes.check_spend(&none, &Spend::all(contact, one_line("26 GBP"))).wait().unwrap();
            assert_eq!(bad.reasons[0].code(), "BALANCE_TOO_SMALL");
        }

        assert_eq!(store.writes.load(Ordering::Relaxed), 0);
        // A text that is no code isn't looked up without a key.
        let looked_up = rounds * (checks.len() - 1 + 4);
        assert_eq!(store.loads.load(Ordering::Relaxed) - opened, looked_up);
        assert_eq!(world.operations(), operations);
        if let Some(file) = file {
            assert!(file.now() == file.before, "the file or its log is another");
        }
        // The counter counts: a redemption is a write, and changes the file.
        let file = path.as_deref().map(File::new);
        passes.redeem(&new, code(&card, "10 GBP")).wait().unwrap();
        assert_eq!(store.writes.load(Ordering::Relaxed), 1);
        assert!(file.is_none_or(|file| file.now() != file.before));
        let view = world.passes.wallet(&world.by, contact).wait().unwrap();
        assert_eq!(view.balance(Currency::parse("GBP").unwrap()).unwrap(), amount("25 GBP"));
    });
}

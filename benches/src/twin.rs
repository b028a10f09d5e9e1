//! The hand-written twin: the same rows in the same tables, by plain statements in one transaction, with no
//! trait, no change and no queue. What one would write who needs only this.

use crate::world::{MASTER, Request, SPENT};
use passes_core::id::{BusinessId, CreditId, Id, Ids, LotId, OperationId, PassId};
use passes_core::ledger::{Account, Mark};
use passes_core::operation::Kind;
use passes_core::pass::Standing;
use passes_core::passcode::{CodeHash, fold};
use passes_core::secret::{Key, Keyring, Purpose};
use rusqlite::config::DbConfig;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SELECT_KEY: &str = "SELECT o.fingerprint,o.receipt FROM opkey k JOIN operation o ON o.number=k.operation \
     WHERE k.business=?1 AND k.key=?2";
const SELECT_DOC: &str = "SELECT version,body FROM doc WHERE business=?1 AND kind=?2 AND id=?3";
const SELECT_PASS: &str = "SELECT o.id,p.serial,p.lot,p.standing,p.redeem_by,p.uses_used,p.uses_lim,p.balance_used,p.balance_lim,\
     p.last,l.body,t.body,n.body FROM code c JOIN pass p ON p.lot=c.lot AND p.serial=c.serial \
     JOIN lot o ON o.num=c.lot JOIN doc l ON l.business=c.business AND l.kind=5 AND l.id=o.id \
     JOIN doc t ON t.business=c.business AND t.kind=l.parent_kind AND t.id=l.parent_id \
     JOIN doc n ON n.business=c.business AND n.kind=t.parent_kind AND n.id=t.parent_id \
     WHERE c.business=?1 AND c.digest=?2";
const NUMBERS: &str = "SELECT (SELECT max(number) FROM operation),(SELECT max(number) FROM entry)";
const TAKE: &str = "UPDATE pass SET uses_used=uses_used+?3,balance_used=balance_used+?4,last=?5 \
     WHERE lot=?1 AND serial=?2 AND uses_used+uses_held+?3<=uses_lim AND balance_used+balance_held+?4<=balance_lim";
const TOUCH: &str = "UPDATE pass SET code_try=1-code_try WHERE lot=?1 AND serial=?2";
const INSERT_CREDIT: &str = "INSERT INTO credit VALUES(?1,?2,?3,1,?4,?5,?6,?7,?8,0,0,?9,?10)";
const INSERT_OPERATION: &str =
    "INSERT INTO operation VALUES(?1,?2,?3,?4,?5,?5,?6,?7,?8,NULL,?9,1,?13,?10,?11,?12)";
const INSERT_KEY: &str = "INSERT INTO opkey VALUES(?1,?2,?3,0)";
const INSERT_ENTRY: &str = "INSERT INTO entry VALUES(?1,?2,?3,?4,?5,?6,978,?7,?8,NULL,?9,0)";

/// A connection set up as the store sets up its own.
pub(crate) struct Twin {
    sql: Connection,
    business: BusinessId,
    /// The business's number in this file.
    number: i64,
    digest: Key,
    made: u64,
    /// How long the receipt and the events are that it writes: as long as those of the library.
    pub(crate) lengths: (usize, usize),
    pages: Arc<AtomicU64>,
}

/// What a pass must tell to be redeemed.
struct Found {
    pass: PassId,
    lot: i64,
    used: i64,
    balance_used: i64,
    balance: i64,
    limit: i64,
    before: i64,
}

impl Twin {
    pub(crate) fn open(path: &Path, business: BusinessId) -> Result<Self, Box<dyn std::error::Error>> {
        Self::on(Connection::open(path)?, business)
    }

    /// On a file system of SQLite's with this name.
    pub(crate) fn open_on(
        path: &Path,
        vfs: &str,
        business: BusinessId,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        Self::on(Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs)?, business)
    }

    fn on(mut sql: Connection, business: BusinessId) -> Result<Self, Box<dyn std::error::Error>> {
        sql.execute_batch(
            "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL; PRAGMA fullfsync=ON;
             PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-32768;",
        )?;
        sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        sql.set_prepared_statement_cache_capacity(64);
        let pages = Arc::new(AtomicU64::new(0));
        let (log, _) = sql.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::NOOP)?;
        let (count, mut before) = (Arc::clone(&pages), u64::try_from(log).unwrap_or_default());
        sql.wal_hook(Some(move |_: &mut _, length: std::ffi::c_int| {
            let length = u64::try_from(length).unwrap_or_default();
            count.fetch_add(if length < before { length } else { length - before }, Ordering::Relaxed);
            before = length;
            Ok(())
        }))?;
        let ring = Keyring::from_master("k1", &MASTER)?;
        let (_, digest) = ring.require_current(Purpose::Digest)?;
        let number =
            sql.query_row("SELECT num FROM business WHERE id=?1", [business.as_bytes()], |row| row.get(0))?;
        Ok(Self { sql, business, number, digest: digest.clone(), made: 0, lengths: (0, 0), pages })
    }

    /// As one of several connections: it waits for the others, and checkpoints, by SQLite's own means.
    pub(crate) fn share(&mut self, number: u64) -> Result<(), Box<dyn std::error::Error>> {
        self.made = (number + 1) << 40;
        self.sql.busy_timeout(std::time::Duration::from_secs(30))?;
        // As often as the store does. The pages are not counted from here on.
        self.sql.execute_batch("PRAGMA wal_autocheckpoint=4000")?;
        Ok(())
    }

    /// What the disk takes for the least there is: one row changed by its key, and a commit. A row that stays as it
    /// was would not be written.
    pub(crate) fn touch(&self, lot: i64, serial: u32) -> rusqlite::Result<()> {
        match self.exec(TOUCH, params![lot, serial])? {
            1 => Ok(()),
            _ => Err(rusqlite::Error::QueryReturnedNoRows),
        }
    }

    /// Pages written to the log.
    pub(crate) fn wal_pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    /// Redeems; false is refused or replayed.
    pub(crate) fn redeem(&mut self, request: &Request) -> Result<bool, Box<dyn std::error::Error>> {
        self.made += 1;
        let hash = CodeHash::of(self.business.as_bytes(), &fold(&request.code)?);
        let digest = hash.digest(&self.digest);
        let key = request.key.as_ref().map(|key| half(key.as_bytes()));
        self.run("BEGIN IMMEDIATE")?;
        let done = self.redeem_within(request, digest.as_bytes(), key);
        self.run(if matches!(done, Ok(true)) { "COMMIT" } else { "ROLLBACK" })?;
        Ok(done?)
    }

    fn run(&self, text: &str) -> rusqlite::Result<()> {
        self.sql.prepare_cached(text)?.execute([]).map(drop)
    }

    fn exec(&self, text: &str, params: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<usize> {
        self.sql.prepare_cached(text)?.execute(params)
    }

    fn redeem_within(
        &self,
        request: &Request,
        digest: &[u8; 32],
        key: Option<[u8; 16]>,
    ) -> rusqlite::Result<bool> {
        let business = self.number;
        if let Some(key) = &key {
            let mut select = self.sql.prepare_cached(SELECT_KEY)?;
            if select.query_row(params![business, key], |row| row.get::<_, Vec<u8>>(1)).optional()?.is_some()
            {
                return Ok(false);
            }
        }
        let settings = self.doc(business, 2, self.business.as_bytes())?;
        let contact = match &request.contact {
            Some(contact) => self.doc(business, 6, contact.as_bytes())?,
            None => None,
        };
        if settings.is_none() || (request.contact.is_some() && contact.is_none()) {
            return Ok(false);
        }
        let Some(found) = self.find(business, request, digest)? else { return Ok(false) };
        let (operation, entry): (i64, i64) =
            self.sql.prepare_cached(NUMBERS)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (operation, entry) = (operation + 1, entry + 1);
        let (uses, amount) = if request.contact.is_some() {
            (1, found.balance - found.balance_used)
        } else {
            // The first spend opens the card's only use.
            (i64::from(found.used == 0), SPENT)
        };
        if self.exec(TAKE, params![found.lot, found.pass.serial(), uses, amount, entry])? != 1 {
            return Ok(false);
        }
        let mut ids = Ids::new(&seed(self.made), request.now);
        let now = request.now.micros();
        let mut subject = None;
        if let Some(contact) = &request.contact {
            let id: CreditId = ids.draw();
            let spend_by = now + 365 * 86_400_000_000;
            let (contact, id, mark) = (contact.as_bytes(), id.as_bytes(), Mark::Paid as u8);
            self.exec(
                INSERT_CREDIT,
                params![
                    business,
                    contact,
                    id,
                    found.lot,
                    found.pass.serial(),
                    mark,
                    spend_by,
                    now,
                    amount,
                    entry
                ],
            )?;
            subject = Some([*contact, *id].concat());
        }
        let id: OperationId = ids.draw();
        let kind = if subject.is_some() { Kind::Redeem } else { Kind::SpendPass };
        let (receipt, events) = self.lengths;
        let after = packed(&found, uses, amount);
        self.exec(
            INSERT_OPERATION,
            params![
                operation,
                business,
                id.as_bytes(),
                kind.number(),
                now,
                "till-07",
                "store-012",
                "pos",
                entry,
                after,
                vec![1_u8; receipt],
                vec![1_u8; events],
                key.map(|key| half(&key))
            ],
        )?;
        if let Some(key) = &key {
            self.exec(INSERT_KEY, params![business, key, operation])?;
        }
        let to = if subject.is_some() { Account::Credit } else { Account::Settled };
        let (from, to, mark) = (Account::Outstanding.number(), to.number(), Mark::Paid as u8);
        self.exec(
            INSERT_ENTRY,
            params![entry, operation, from, found.pass.as_bytes(), to, subject, amount, mark, found.before],
        )?;
        Ok(true)
    }

    fn doc(&self, business: i64, kind: u8, id: &[u8; 16]) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut select = self.sql.prepare_cached(SELECT_DOC)?;
        select.query_row(params![business, kind, id], |row| row.get(1)).optional()
    }

    /// The pass of a code, if it may be redeemed.
    fn find(&self, business: i64, request: &Request, digest: &[u8; 32]) -> rusqlite::Result<Option<Found>> {
        let mut select = self.sql.prepare_cached(SELECT_PASS)?;
        let mut rows = select.query(params![business, digest])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (standing, redeem_by): (u8, Option<i64>) = (row.get(3)?, row.get(4)?);
        let found = Found {
            pass: LotId::from_bytes(row.get(0)?).pass(row.get(1)?),
            lot: row.get(2)?,
            used: row.get(5)?,
            limit: row.get(6)?,
            balance_used: row.get(7)?,
            balance: row.get(8)?,
            before: row.get(9)?,
        };
        // The rules are in the documents of lot, terms and plan.
        let documents: (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(10)?, row.get(11)?, row.get(12)?);
        let open = standing == Standing::Active as u8
            && redeem_by.is_none_or(|by| request.now.micros() < by)
            && found.balance_used < found.balance
            && !documents.0.is_empty();
        Ok(open.then_some(found))
    }
}

/// Sixteen bytes that stand for a key, or a request.
fn half(of: &[u8]) -> [u8; 16] {
    let hash = blake3::hash(of);
    let [half, _] = hash.as_bytes().as_chunks().0 else { return [0; 16] };
    *half
}

/// A seed that was not used before.
fn seed(made: u64) -> [u8; 32] {
    *blake3::hash(&made.to_le_bytes()).as_bytes()
}

/// The tallies after it, each number in as few bytes as it needs.
fn packed(found: &Found, uses: i64, amount: i64) -> Vec<u8> {
    let mut bytes = vec![2];
    for number in [found.used + uses, 0, found.limit, found.balance_used + amount, 0, found.balance] {
        let mut rest = number.unsigned_abs() << 1;
        loop {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            bytes.push(if rest == 0 { low } else { low | 0x80 });
            if rest == 0 {
                break;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Kind as Way, World};
    use rusqlite::types::{Type, Value};

    /// Tables that a redemption may change, and the columns whose values are the twin's own.
    const TABLES: [(&str, &[&str]); 9] = [
        ("business", &[]),
        ("lot", &[]),
        ("code", &[]),
        ("pass", &[]),
        ("doc", &[]),
        ("tally", &[]),
        // The twin counts a year in seconds, not in the business's calendar.
        ("credit", &["id", "spend_by"]),
        ("operation", &["id", "fingerprint", "receipt", "events"]),
        ("entry", &["to_subject"]),
    ];

    /// All rows: values, or of the twin's own columns their types and lengths.
    fn rows(sql: &Connection, table: &str, own: &[&str]) -> Vec<Vec<Value>> {
        let mut select = sql.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = select.column_names().map(str::to_owned).collect();
        let mut all: Vec<Vec<Value>> = select
            .query_map([], |row| {
                let value = |(at, name): (usize, &String)| {
                    let value: Value = row.get(at)?;
                    Ok(match (&value, own.contains(&name.as_str())) {
                        (Value::Blob(bytes), true) => Value::Integer(i64::try_from(bytes.len()).unwrap()),
                        (Value::Integer(_), true) => Value::Integer(0),
                        _ => value,
                    })
                };
                names.iter().enumerate().map(value).collect::<rusqlite::Result<Vec<Value>>>()
            })
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        // Rows under keys of the twin's own come in another order.
        all.sort_by_key(|row| format!("{row:?}"));
        all
    }

    /// the twin writes what the library writes: the same rows, equal but for random ids and what they
    /// are hashed into, and as long.
    #[test]
    fn the_twin_writes_the_same_rows() {
        let mut world = World::sized(passes_sqlite::Sqlite::options(), 600, 1_000).unwrap();
        let copy = world.copy().unwrap();
        let mut twin = Twin::open(&copy, world.business).unwrap();
        for way in [Way::WalletWithKey, Way::DirectWithKey, Way::Direct] {
            for _ in 0..12 {
                let request = world.request(way);
                world.redeem(&request).unwrap();
                twin.lengths = world.last_lengths().unwrap();
                assert!(twin.redeem(&request).unwrap());
                // Again under its key it writes nothing; a pass that is redeemed is refused.
                assert!(way == Way::Direct || !twin.redeem(&request).unwrap());
            }
        }
        let ours = Connection::open(world.path()).unwrap();
        let theirs = Connection::open(copy).unwrap();
        for (table, own) in TABLES {
            let (ours, theirs) = (rows(&ours, table, own), rows(&theirs, table, own));
            assert!(!ours.is_empty() || table == "tally", "{table}");
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours, theirs, "{table}");
            }
            assert_eq!(ours.len(), theirs.len(), "{table}");
        }
        let keys = |sql: &Connection| -> Vec<(i64, Type, i64)> {
            let mut select = sql.prepare("SELECT operation,key,length(key) FROM opkey ORDER BY 1").unwrap();
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get_ref(1)?.data_type(), row.get(2)?));
            select.query_map([], row).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        assert_eq!(keys(&ours), keys(&theirs));
    }
}

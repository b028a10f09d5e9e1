//! Rows of a file of SQLite.

use crate::shop::{Shop, open};
use arbitrary::{Result, Unstructured};
use passes_core::id::BusinessId;
use passes_core::store::{
    AuditRow, DocKey, DocKind, Load, OperationKey, PageQuery, PassOrder, PassRange, Store, StoreError,
    TallyKey, wait,
};
use passes_sqlite::Sqlite;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tempfile::TempDir;

/// A file of a small shop, whose tables take any value, and how it was.
struct File {
    shop: Shop,
    store: Arc<Sqlite>,
    sql: Connection,
    tables: Vec<Table>,
    _folder: TempDir,
}

struct Table {
    name: String,
    columns: Vec<String>,
    /// How many columns the key has, which are the first ones of each row.
    key: usize,
    rows: Vec<Vec<Value>>,
}

static FILE: LazyLock<Mutex<File>> = LazyLock::new(|| Mutex::new(File::new()));

/// Some cells are exchanged for values of any type. The store reads what is left, or tells that it is damaged;
/// neither it nor the library over it panics.
pub fn stored_rows(data: &[u8]) {
    let file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut touched = Vec::new();
    // Where the bytes end, so do the changes.
    let _ = file.damage(&mut Unstructured::new(data), &mut touched);
    file.read();
    file.mend(&touched);
}

impl File {
    fn new() -> Self {
        // In memory where there is such a folder: nothing here is about the disk.
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let path = folder.path().join("shop.db");
        let first = Arc::new(Sqlite::open(&path).unwrap());
        let shop = Shop::on(Arc::<Sqlite>::clone(&first));
        first.close();

        let sql = Connection::open(&path).unwrap();
        // The tables are strict, so that SQLite itself refuses most of this: not in a file that was damaged.
        sql.execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(replace(replace(sql, ' NOT NULL', ''),
                 'STRICT, WITHOUT ROWID', 'WITHOUT ROWID'), 'STRICT', '') WHERE type = 'table';
             PRAGMA writable_schema = RESET;",
        )
        .unwrap();
        let names = strings(&sql, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0");
        let tables = names.into_iter().filter(|name| !name.starts_with("sqlite_")).map(|name| {
            let about = |what: &str| format!("SELECT name FROM pragma_table_info('{name}') WHERE {what}");
            let mut columns = strings(&sql, &about("pk > 0 ORDER BY pk"));
            let key = columns.len();
            columns.extend(strings(&sql, &about("pk = 0 ORDER BY cid")));
            let query = format!("SELECT {} FROM {name}", columns.join(","));
            let mut query = sql.prepare(&query).unwrap();
            let row = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|at| row.get(at)).collect();
            let rows = query.query_map([], row).unwrap().map(|row| row.unwrap()).collect();
            let _ = query;
            Table { name, columns, key, rows }
        });
        let tables: Vec<Table> = tables.collect();
        assert_eq!(tables.len(), 10, "the tables are still strict");
        let store = Arc::new(Sqlite::options().single_process(true).readers(1).open(&path).unwrap());
        Self { shop, store, sql, tables, _folder: folder }
    }

    /// Exchanges up to four cells.
    fn damage(&self, from: &mut Unstructured<'_>, touched: &mut Vec<usize>) -> Result<()> {
        for _ in 0..from.int_in_range(1..=4)? {
            let at = from.choose_index(self.tables.len())?;
            let table = &self.tables[at];
            if table.rows.is_empty() {
                continue;
            }
            let row = &table.rows[from.choose_index(table.rows.len())?];
            let column = from.choose_index(table.columns.len())?;
            let value = odd(from, &row[column])?;
            let names = table.columns[..table.key].iter().enumerate();
            let names: Vec<String> = names.map(|(n, name)| format!("{name} IS ?{}", n + 2)).collect();
            let (name, column) = (&table.name, &table.columns[column]);
            let update = format!("UPDATE OR IGNORE {name} SET {column} = ?1 WHERE {}", names.join(" AND "));
            let values = std::iter::once(&value).chain(&row[..table.key]);
            // A rowid takes only numbers, whatever the table says.
            if self.sql.prepare_cached(&update).unwrap().execute(params_from_iter(values)).is_ok() {
                touched.push(at);
            }
        }
        Ok(())
    }

    fn mend(&self, touched: &[usize]) {
        // What is asked may count refusals, which is a document.
        let docs = self.tables.iter().position(|table| table.name == "doc");
        let mut all: Vec<usize> = touched.iter().copied().chain(docs).collect();
        all.sort_unstable();
        all.dedup();
        for table in all.into_iter().map(|at| &self.tables[at]) {
            let marks = vec!["?"; table.columns.len()].join(",");
            let insert = format!("INSERT INTO {} ({}) VALUES ({marks})", table.name, table.columns.join(","));
            self.sql.execute_batch(&format!("BEGIN IMMEDIATE; DELETE FROM {}", table.name)).unwrap();
            let mut insert = self.sql.prepare_cached(&insert).unwrap();
            table.rows.iter().for_each(|row| assert_eq!(insert.execute(params_from_iter(row)), Ok(1)));
            self.sql.execute_batch("COMMIT").unwrap();
        }
    }

    fn read(&self) {
        let store = &*self.store;
        let (shop, business) = (&self.shop, self.shop.by.business);
        let mut load = Load::new(business);
        load.docs = vec![
            DocKey::new(DocKind::Business, business),
            DocKey::new(DocKind::Plan, shop.plan),
            DocKey::new(DocKind::Lot, shop.lot),
            DocKey::new(DocKind::Contact, shop.ann),
        ];
        load.passes = (1..=8).map(|serial| shop.card(serial)).collect();
        load.range = Some(PassRange { first: shop.card(1), last: shop.card(8), limit: 5 });
        load.wallet = Some(shop.ann);
        load.tallies = load.passes.iter().map(|pass| TallyKey::Balance(*pass)).collect();
        load.operation = Some(OperationKey::Number(shop.spent.0));
        clear(wait(store.load(&load)).err());
        for kind in DocKind::ALL {
            let owner = if kind == DocKind::Keys { BusinessId::STORE } else { business };
            let query = PageQuery::Docs { business: owner, kind, parent: None, after: None, limit: 20 };
            clear(wait(store.page(&query)).err());
        }
        for order in [PassOrder::Serial, PassOrder::Expiry] {
            let range = PassRange { first: shop.card(1), last: shop.card(u32::MAX), limit: 20 };
            clear(wait(store.page(&PageQuery::Passes { business, range, order, after: None })).err());
        }
        clear(
            wait(store.page(&PageQuery::Credits { business, contact: shop.ann, after: None, limit: 20 }))
                .err(),
        );
        clear(wait(store.page(&PageQuery::Operations { business, after: 0, limit: 100 })).err());
        clear(wait(store.events(business, 0, 100)).err());
        clear(wait(store.audit(business, Box::new(drop::<AuditRow>))).err());
        if let Ok(passes) = open(Arc::<Sqlite>::clone(&self.store)) {
            shop.ask_all(&passes);
        }
    }
}

/// A store that can't read a record says so, and doesn't blame the disk, other writers or the caller.
fn clear(error: Option<StoreError>) {
    let damaged =
        |error: &StoreError| matches!(error, StoreError::Corrupt(_) | StoreError::Unsupported { .. });
    assert!(error.as_ref().is_none_or(damaged), "{error:?}");
}

fn strings(sql: &Connection, query: &str) -> Vec<String> {
    let mut query = sql.prepare(query).unwrap();
    let found = query.query_map([], |row| row.get(0)).unwrap();
    found.map(|text| text.unwrap()).collect()
}

/// Another value in the place of this one.
fn odd(from: &mut Unstructured<'_>, was: &Value) -> Result<Value> {
    Ok(match (from.int_in_range(0..=9)?, was) {
        (0, _) => Value::Null,
        (1, _) => Value::Integer(from.arbitrary()?),
        (2, _) => Value::Integer(*from.choose(&[i64::MIN, i64::MAX, -1, 0, 1, 255, 256, 1 << 32])?),
        (3, _) => Value::Real(from.arbitrary()?),
        (4, _) => Value::Text(from.arbitrary::<&str>()?.to_owned()),
        (5, _) => Value::Blob(vec![from.arbitrary()?; from.int_in_range(0..=40)?]),
        (6, _) => Value::Blob(from.arbitrary::<&[u8]>()?.to_vec()),
        (_, Value::Integer(number)) => {
            Value::Integer(number.wrapping_add(i64::from(from.arbitrary::<i8>()?)))
        }
        (_, Value::Blob(bytes)) if !bytes.is_empty() => {
            let mut bytes = bytes.clone();
            let at = from.choose_index(bytes.len())?;
            match from.int_in_range(0..=2)? {
                0 => bytes[at] = from.arbitrary()?,
                1 => bytes.truncate(at),
                _ => bytes.push(from.arbitrary()?),
            }
            Value::Blob(bytes)
        }
        (_, was) => was.clone(),
    })
}

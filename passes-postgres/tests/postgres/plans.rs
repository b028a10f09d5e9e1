//! Plans: how the server really ran each statement of the store, as it told in its log, on tables of every size.

use crate::plans_hot::{self as hot, Hot};
use crate::{SHOP, done, with_passes};
use passes_core::id::{Id, LotId};
use passes_core::pass::{PassRow, Standing, Tally};
use passes_core::store::{Chunk, Claim, Store, wait};
use passes_postgres::Postgres;
use serde_json::Value;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use test_postgres::Server;

/// The server tells each plan as it was run. Nobody else plans, counts or cleans up meanwhile.
const TELLING: &[&str] = &[
    "shared_preload_libraries='auto_explain'",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_analyze=on",
    "auto_explain.log_timing=off",
    "auto_explain.log_format=json",
    "log_min_messages=log",
    "log_checkpoints=off",
    "log_line_prefix='@%a@'",
    "autovacuum=off",
];

/// Rows of each table when they are filled.
const ROWS: u32 = 100_000;

/// No statement here looks at more rows of a table than this: what it asks for, and not what there is.
const LOOKED_AT: f64 = 2_500.0;

/// How a store stands to the statements it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Prepared when the tables were empty, and kept since then.
    Kept,
    /// Prepared right now.
    Fresh,
    /// Neither prepared nor with settings of the session, as through a pooler: planned anew each time.
    Unnamed,
}

/// One visit of a plan to a table.
#[derive(Debug)]
struct Scan {
    node: String,
    table: Option<String>,
    index: Option<String>,
    condition: String,
    rows: f64,
}

/// All visits of a plan.
fn scans(plan: &Value, out: &mut Vec<Scan>) {
    let text = |name: &str| plan[name].as_str().map(str::to_owned);
    let number = |name: &str| plan[name].as_f64().unwrap_or_default();
    let node = text("Node Type").unwrap_or_default();
    if node.contains("Scan") {
        let looked = number("Actual Rows") + number("Rows Removed by Filter");
        out.push(Scan {
            table: text("Relation Name"),
            index: text("Index Name"),
            condition: text("Index Cond").unwrap_or_default(),
            rows: looked * number("Actual Loops"),
            node,
        });
    }
    plan["Plans"].as_array().into_iter().flatten().for_each(|inner| scans(inner, out));
}

/// The plans that stores were served by, in a piece of the server's log.
fn plans(log: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for entry in log.split("\n@").map(|entry| entry.trim_start_matches('@')) {
        let Some((who, said)) = entry.split_once('@') else { continue };
        if who == "passes"
            && let Some((_, plan)) = said.split_once("plan:")
        {
            found.push(serde_json::from_str(plan).unwrap_or_else(|error| panic!("{error}: {entry}")));
        }
    }
    found
}

/// The columns of every index of ours.
fn indexes(server: &Server, url: &str) -> BTreeMap<String, BTreeSet<String>> {
    let all = "SELECT c.relname||' '||string_agg(a.attname,' ') FROM pg_index i JOIN pg_class c ON c.oid=i.indexrelid \
               JOIN pg_attribute a ON a.attrelid=c.oid WHERE c.relnamespace='passes'::regnamespace GROUP BY c.relname";
    let all = server.say(url, all);
    let index = |line: &str| {
        let (name, columns) = line.split_once(' ').unwrap();
        (name.to_owned(), columns.split(' ').map(str::to_owned).collect())
    };
    all.lines().map(index).collect()
}

/// The columns that an index is entered by.
fn entered_by(condition: &str, columns: &BTreeSet<String>) -> BTreeSet<String> {
    let entered = |column: &&String| {
        ["(", ".", " "].iter().any(|before| condition.contains(&format!("{before}{column} ")))
            || condition.contains(&format!("{column}, "))
    };
    columns.iter().filter(entered).cloned().collect()
}

/// Runs each statement over a store, and says what is bad about the plans that served it.
fn judge(
    (server, indexes): (&Server, &BTreeMap<String, BTreeSet<String>>),
    store: &Postgres,
    (stage, way, small): (&str, Way, bool),
    (read, number): (&Cell<usize>, &Cell<u64>),
) -> (Vec<String>, usize) {
    let (mut bad, mut seen) = (Vec::new(), 0);
    for Hot { name, partial, landing, run } in hot::all() {
        number.set(number.get() + 1);
        read.set(server.log().len());
        let ran = run(store, number.get());
        // Where there is nothing to change, a change must fail, and its plan is not told. It is made all the same.
        assert!(ran.is_ok() || (landing && stage == "empty"), "{stage}, {way:?}, {name}: {ran:?}");
        let log = server.log();
        let told = plans(&log[read.get()..]);
        assert!(!told.is_empty() || ran.is_err(), "{stage}, {way:?}, {name}: no plan was told");
        for plan in &told {
            let mut all = Vec::new();
            scans(&plan["Plan"], &mut all);
            // What a plan was made for is only to be seen where tables are looked at.
            all.retain(|scan| {
                scan.table.as_deref().is_some_and(|table| table != "meta") || scan.index.is_some()
            });
            seen += all.len();
            for scan in &all {
                let Some(index) = &scan.index else {
                    // Its index is told of below it.
                    let fine = scan.node == "Bitmap Heap Scan";
                    if !fine {
                        bad.push(format!("{stage}, {way:?}, {name}: {scan:?}"));
                    }
                    continue;
                };
                let columns = &indexes[index];
                let entered = entered_by(&scan.condition, columns);
                let whole = entered.len() == columns.len()
                    || partial.iter().any(|(of, by)| of == index && entered.len() >= *by);
                // What has many rows is planned anew each time, for what there is.
                let planned_anew = small && name.starts_with("many ");
                if !(whole || planned_anew) {
                    bad.push(format!("{stage}, {way:?}, {name}: by {entered:?} of {columns:?}: {scan:?}"));
                }
                let generic = scan.condition.contains("business = $1");
                if way != Way::Unnamed && !generic {
                    bad.push(format!("{stage}, {way:?}, {name}: planned for one value: {scan:?}"));
                }
            }
            bad.extend(
                all.iter()
                    .filter(|scan| scan.rows > LOOKED_AT)
                    .map(|scan| format!("{stage}, {way:?}, {name}: too many rows: {scan:?}")),
            );
        }
    }
    (bad, seen)
}

/// Fills the tables: passes and their codes as a lot's run does, and what else there is by one statement each.
fn fill(server: &Server, url: &str, store: &Postgres) {
    const CHUNK: u32 = 20_000;
    for from in (1..=ROWS).step_by(usize::try_from(CHUNK).unwrap()) {
        let serials = || (from..from + CHUNK).map(|serial| LotId::from_bytes([4; 16]).pass(serial));
        let row = |id| PassRow {
            standing: Standing::Active,
            uses: Tally::new(5),
            balance: Tally::new(10_000),
            ..PassRow::draft(id)
        };
        let mut codes: Vec<Claim> =
            serials().map(|pass| Claim { digest: hot::digest(pass.serial().into()), pass }).collect();
        codes.sort_unstable_by_key(|claim| claim.digest);
        let chunk = Chunk { change: done(), codes, passes: serials().map(row).collect() };
        wait(store.fill(&chunk)).unwrap();
    }
    let shop = uuid(&SHOP.to_bytes());
    let parent = uuid(&hot::PARENT);
    let wallet = uuid(&hot::CONTACT);
    let rows = format!("generate_series(1,{ROWS}) i");
    // A twentieth of all documents hangs on one, and a wallet has a hundred credits.
    let all = [
        format!(
            "INSERT INTO passes.credit(business,contact,id,version,lot,serial,mark,created,lim) \
             SELECT '{shop}',CASE WHEN i<=100 THEN '{wallet}' ELSE md5('c'||i/100)::uuid END,md5('i'||i)::uuid,1,\
             md5('l')::uuid,i,1,0,5 FROM {rows}"
        ),
        format!(
            "INSERT INTO passes.doc(business,kind,id,version,parent_kind,parent_id,body) \
             SELECT '{shop}',1+i%12,md5('d'||i)::uuid,1,4,CASE WHEN i%20=5 THEN '{parent}'::uuid \
             ELSE md5('p'||i/100)::uuid END,'{{}}' FROM {rows}"
        ),
        format!(
            "INSERT INTO passes.tally(business,id,slot,used,held,lim) SELECT '{shop}',md5('t'||i/4)::uuid,i%4,0,0,9 FROM {rows}"
        ),
        format!(
            "INSERT INTO passes.operation(business,number,id,kind,at,booked,actor,entries,receipt,events) \
             SELECT '{shop}',i*16,md5('o'||i)::uuid,1,0,0,'till',3,'','' FROM {rows}"
        ),
        format!(
            "INSERT INTO passes.entry(business,number,nth,from_account,to_account,unit,mark,amount) \
             SELECT '{shop}',i*16+n,n,e.from_account,e.to_account,e.unit,e.mark,5 FROM {rows}, generate_series(1,3) n, \
             (SELECT * FROM passes.entry LIMIT 1) e"
        ),
        format!(
            "INSERT INTO passes.opkey(business,key,operation,stops) SELECT '{shop}',md5('k'||i)::uuid,i*16,false FROM {rows}"
        ),
    ];
    for statement in all {
        let _ = server.say(url, &statement);
    }
}

fn uuid(bytes: &[u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// D-1: whatever the size of the tables, and whatever it was when a statement was prepared: no statement of a
/// command or a list reads a table that grows, each goes by an index and its whole key.
#[test]
fn every_statement_goes_by_its_keys() {
    let Some(server) = Server::own(TELLING) else { return };
    let url = server.database();
    let open = |parameter: &str| {
        Postgres::open(&test_postgres::with(&url, &format!("connections=1{parameter}"))).unwrap()
    };
    let kept = open("");
    let indexes = indexes(&server, &url);
    assert!(
        indexes.len() >= 9
            && indexes.values().all(|columns| columns.contains("business") || columns.len() == 1)
    );
    let (mut bad, mut seen) = (Vec::new(), 0);
    let (read, number) = (Cell::new(0), Cell::new(0));
    let mut look = |stage: &str, small: bool| {
        for way in [Way::Kept, Way::Fresh, Way::Unnamed] {
            let other = match way {
                Way::Kept => None,
                Way::Fresh => Some(open("")),
                Way::Unnamed => Some(open("&pooler=transaction")),
            };
            let store = other.as_ref().unwrap_or(&kept);
            let (found, count) = judge((&server, &indexes), store, (stage, way, small), (&read, &number));
            bad.extend(found);
            seen += count;
        }
    };
    let analyze = || server.say(&url, "ANALYZE");
    look("empty", true);
    with_passes(&kept, 20, 1_000_000, 1_000_000_000);
    hot::begin(&kept);
    look("small", true);
    let _ = analyze();
    look("small, analyzed", true);
    fill(&server, &url, &kept);
    look("filled since", false);
    let _ = analyze();
    look("filled, analyzed", false);
    assert!(bad.is_empty(), "{} of {seen}:\n{}", bad.len(), bad.join("\n"));
    assert!(seen > 1_000, "{seen}");
}

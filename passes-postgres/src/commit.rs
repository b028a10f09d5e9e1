//! What a commit says: one statement. Every write is a CTE, and the last SELECT divides by zero unless all guards held,
//! so that a missed guard is an error and thereby a rollback.
//!
//! Guards are read in one order, by which every commit locks: documents, passes, credits, named tallies; rows of a kind
//! in the order of their keys.

use crate::codec::{bits, nonzero, subject_bytes};
use crate::counted;
use crate::errors::corrupt;
use crate::plan::{Before, NamedTouch, Plan, Touch, Value};
use crate::sql::{Sql, put};
use crate::values::{Arg, Values};
use passes_core::calendar::Instant;
use passes_core::id::Id;
use passes_core::pass::Tally;
use passes_core::store::{After, DocKey, Expect, StoreError};
use std::collections::HashMap;
use tokio_postgres::Row;

/// What tells this statement from others.
pub(crate) const TAG: u8 = b'c';

/// Rows that a statement touches are told apart by a number: their place in the plan, and their kind.
pub(crate) const KINDS: i64 = 8;
const OF_PASS: i64 = 0;
const OF_CREDIT: i64 = 1;
const OF_RANGE: i64 = 2;
const OF_NAMED: i64 = 3;
const OF_JUDGED: i64 = 4;

pub(crate) fn int(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn mark(at: usize, kind: i64) -> i64 {
    int(at).saturating_mul(KINDS).saturating_add(kind)
}

pub(crate) fn pass_mark(at: usize) -> i64 {
    mark(at, OF_PASS)
}

pub(crate) fn credit_mark(at: usize) -> i64 {
    mark(at, OF_CREDIT)
}

fn touch_mark(touch: Touch) -> i64 {
    match touch {
        Touch::Pass(at) => pass_mark(at),
        Touch::Credit(at) => credit_mark(at),
        Touch::Range(at) => mark(at, OF_RANGE),
    }
}

/// The statement, what guards it and what it answers.
pub(crate) struct Commit<'s, 'a> {
    pub(crate) sql: &'s mut Sql<'a>,
    ctes: usize,
    /// Conditions, with a parameter each where they count.
    guards: Vec<String>,
    /// CTEs with the values of tallies.
    pub(crate) results: Vec<&'static str>,
    /// CTEs with the last entries before this statement.
    pub(crate) chained: Vec<&'static str>,
    pub(crate) numbered: bool,
}

impl<'a> Commit<'_, 'a> {
    pub(crate) fn begin(&mut self, name: &str) {
        put!(self.sql, "{}{name} AS (", if self.ctes == 0 { "WITH " } else { "), " });
        self.ctes += 1;
    }

    /// So many rows must have come from these CTEs.
    pub(crate) fn guard(&mut self, ctes: &[&str], count: usize) {
        self.sql.args.push(Arg::int(int(count)));
        let sum: Vec<String> = ctes.iter().map(|cte| format!("(SELECT count(*) FROM {cte})")).collect();
        self.guards.push(format!("{}=${}::int8", sum.join("+"), self.sql.args.len()));
    }
}

/// Writes the statement of a plan. `base` is what the store adds to the numbers of transactions.
pub(crate) fn write<'a>(sql: &mut Sql<'a>, plan: &'a Plan<'a>, base: i64) {
    sql.args.push(Arg::id(plan.business.to_bytes()));
    let numbered = sql.flag(!plan.operations.is_empty());
    let mut all = Commit {
        sql,
        ctes: 0,
        guards: Vec::new(),
        results: Vec::new(),
        chained: Vec::new(),
        numbered,
    };
    if numbered {
        // The transaction has its number before it waits for any row.
        all.begin("n");
        put!(all.sql, "SELECT (pg_current_xact_id()::text::int8<<16)+");
        all.sql.arg(Arg::int(base));
        put!(all.sql, " AS base");
    }
    docs(&mut all, plan);
    counted::passes(&mut all, plan);
    ranges(&mut all, plan);
    counted::credits(&mut all, plan);
    named(&mut all, &plan.named);
    judged(&mut all, &plan.judged);
    if all.sql.flag(!plan.claims.is_empty()) {
        all.begin("cl");
        put!(all.sql, "INSERT INTO passes.code(business,digest,lot,serial) SELECT $1,q.digest,q.lot,q.serial FROM ");
        let claims = &plan.claims;
        all.sql.rows(
            "q",
            vec![
                ("digest", Values::blobs(claims.iter().map(|claim| &claim.digest.as_bytes()[..]))),
                ("lot", Values::ids(claims.iter().map(|claim| claim.pass.lot().to_bytes()))),
                ("serial", Values::ints(claims.iter().map(|claim| claim.pass.serial()))),
            ],
        );
    }
    if numbered {
        operations(&mut all, plan);
        entries(&mut all, plan);
    }
    finish(all, plan);
}

fn key_columns<'a>(keys: impl Iterator<Item = DocKey> + Clone) -> Vec<(&'static str, Values<'a>)> {
    vec![
        ("kind", Values::ints(keys.clone().map(|key| key.kind as u8))),
        ("id", Values::ids(keys.map(|key| key.id))),
    ]
}

fn docs<'a>(all: &mut Commit<'_, 'a>, plan: &Plan<'a>) {
    let mut relied: Vec<(DocKey, u32)> = Vec::new();
    let mut absent: Vec<DocKey> = Vec::new();
    for (key, expect) in &plan.expect {
        match expect {
            Expect::Version(version) => relied.push((*key, *version)),
            Expect::Absent => absent.push(*key),
        }
    }
    relied.sort_unstable();
    relied.dedup();
    absent.sort_unstable();
    absent.dedup();
    if all.sql.flag(!relied.is_empty()) {
        all.begin("x");
        put!(all.sql, "SELECT 1 FROM ");
        let mut columns = key_columns(relied.iter().map(|(key, _)| *key));
        columns.push(("version", Values::ints(relied.iter().map(|(_, version)| *version))));
        all.sql.rows("q", columns);
        // Who fences this document waits until this has landed.
        put!(
            all.sql,
            ", LATERAL (SELECT version FROM passes.doc WHERE business=$1 AND kind=q.kind AND id=q.id AND version>0 \
             FOR SHARE) d WHERE d.version=q.version"
        );
        all.guard(&["x"], relied.len());
    }
    if all.sql.flag(!absent.is_empty()) {
        // What isn't there can't be locked; a document of version 0 can, and means the same.
        all.begin("xa");
        put!(all.sql, "INSERT INTO passes.doc AS d(business,kind,id,version,body) SELECT $1,q.kind,q.id,0,''::bytea FROM ");
        all.sql.rows("q", key_columns(absent.iter().copied()));
        put!(
            all.sql,
            " ON CONFLICT (business,kind,id) DO UPDATE SET version=0 WHERE d.version=0 RETURNING 1"
        );
        all.guard(&["xa"], absent.len());
    }
    let mut new = plan.new_docs.clone();
    new.sort_unstable_by_key(|doc| doc.key);
    let parents = |docs: &[&'a passes_core::store::Doc]| {
        [
            ("pk", Values::maybe_ints(docs.iter().map(|doc| doc.parent.map(|parent| i64::from(parent.kind as u8))))),
            ("pid", Values::maybe_ids(docs.iter().map(|doc| doc.parent.map(|parent| parent.id)))),
            ("body", Values::blobs(docs.iter().map(|doc| &*doc.body))),
        ]
    };
    if all.sql.flag(!new.is_empty()) {
        all.begin("dn");
        put!(
            all.sql,
            "INSERT INTO passes.doc AS d(business,kind,id,version,parent_kind,parent_id,body) \
             SELECT $1,q.kind,q.id,1,q.pk,q.pid,q.body FROM "
        );
        let mut columns = key_columns(new.iter().map(|doc| doc.key));
        columns.extend(parents(&new));
        all.sql.rows("q", columns);
        put!(
            all.sql,
            " ON CONFLICT (business,kind,id) DO UPDATE SET version=1,parent_kind=excluded.parent_kind,\
             parent_id=excluded.parent_id,body=excluded.body WHERE d.version=0 RETURNING 1"
        );
        all.guard(&["dn"], new.len());
    }
    let mut over = plan.docs.clone();
    over.sort_unstable_by_key(|(doc, _)| doc.key);
    if all.sql.flag(!over.is_empty()) {
        all.begin("du");
        put!(all.sql, "UPDATE passes.doc d SET version=d.version+1,body=q.body FROM ");
        let docs: Vec<_> = over.iter().map(|(doc, _)| *doc).collect();
        let mut columns = key_columns(docs.iter().map(|doc| doc.key));
        columns.extend(parents(&docs));
        columns.push(("version", Values::ints(over.iter().map(|(_, version)| *version))));
        all.sql.rows("q", columns);
        put!(
            all.sql,
            " WHERE d.business=$1 AND d.kind=q.kind AND d.id=q.id AND d.version=q.version AND d.version>0 \
             RETURNING (d.parent_kind IS NOT DISTINCT FROM q.pk AND d.parent_id IS NOT DISTINCT FROM q.pid) AS same"
        );
        all.guard(&["du"], over.len());
    }
}

/// The chains of ranges go on: those of passes that nothing else touches here, and all must have been the same.
fn ranges(all: &mut Commit<'_, '_>, plan: &Plan<'_>) {
    if !all.sql.flag(!plan.ranges.is_empty()) {
        return;
    }
    let mut parts = Vec::new();
    if all.sql.flag(!plan.segments.is_empty()) {
        let segments = &plan.segments;
        all.begin("sg");
        put!(
            all.sql,
            "UPDATE passes.pass p SET prev=p.last,last=(SELECT base FROM n)+q.last FROM "
        );
        all.sql.rows(
            "q",
            vec![
                ("t", Values::ints(segments.iter().map(|segment| mark(segment.range, OF_RANGE)))),
                ("lot", Values::ids(segments.iter().map(|segment| segment.first.lot().to_bytes()))),
                ("a", Values::ints(segments.iter().map(|segment| segment.first.serial()))),
                ("b", Values::ints(segments.iter().map(|segment| segment.until.serial()))),
                ("last", Values::ints(segments.iter().map(|segment| segment.last))),
            ],
        );
        put!(
            all.sql,
            " WHERE p.business=$1 AND p.lot=q.lot AND p.serial BETWEEN q.a AND q.b \
             {} RETURNING q.t,p.prev",
            counted::in_order("coalesce(p.last,0)<(SELECT base FROM n)")
        );
        parts.push("SELECT t,coalesce(prev,0) AS prev FROM sg".to_owned());
    }
    let members: Vec<(i64, i64)> = plan
        .ranges
        .iter()
        .enumerate()
        .flat_map(|(at, range)| range.touched.iter().map(move |of| (mark(at, OF_RANGE), pass_mark(*of))))
        .collect();
    if all.sql.flag(!members.is_empty()) {
        all.begin("m");
        put!(all.sql, "SELECT * FROM ");
        all.sql.rows(
            "q",
            vec![
                ("t", Values::ints(members.iter().map(|(range, _)| *range))),
                ("of", Values::ints(members.iter().map(|(_, of)| *of))),
            ],
        );
        for touched in all.chained.clone() {
            parts.push(format!(
                "SELECT m.t,coalesce(f.prev,0) AS prev FROM m JOIN {touched} f ON f.t=m.of"
            ));
        }
    }
    all.begin("rs");
    put!(
        all.sql,
        "SELECT t,count(*) AS c,nullif(min(prev),0) AS prev,min(prev)=max(prev) AS one FROM ({}) y GROUP BY t",
        parts.join(" UNION ALL ")
    );
    all.begin("rg");
    put!(all.sql, "SELECT 1 FROM ");
    let numbered = plan.ranges.iter().enumerate();
    all.sql.rows(
        "q",
        vec![
            ("t", Values::ints(numbered.map(|(at, _)| mark(at, OF_RANGE)))),
            ("c", Values::ints(plan.ranges.iter().map(|range| range.stored))),
            ("fresh", Values::ints(plan.ranges.iter().map(|range| u8::from(range.fresh)))),
        ],
    );
    put!(all.sql, " JOIN rs ON rs.t=q.t AND rs.c=q.c AND rs.one AND (q.fresh=0 OR rs.prev IS NULL)");
    all.guard(&["rg"], plan.ranges.len());
    all.chained.push("rs");
}

fn named_columns<'a>(touches: &[(i64, &NamedTouch)]) -> Vec<(&'static str, Values<'a>)> {
    let of = |value: fn(&NamedTouch) -> Option<i64>| {
        Values::maybe_ints(touches.iter().map(|(_, touch)| value(touch)).collect::<Vec<_>>())
    };
    vec![
        ("t", Values::ints(touches.iter().map(|(t, _)| *t))),
        ("id", Values::ids(touches.iter().map(|(_, touch)| touch.id))),
        ("slot", Values::ints(touches.iter().map(|(_, touch)| touch.slot))),
        ("u", of(|touch| Some(touch.count.used))),
        ("h", of(|touch| Some(touch.count.held))),
        ("l", of(|touch| touch.count.limit)),
        ("f", of(|touch| touch.count.from)),
    ]
}

/// In the order of their keys, by which all lock them.
fn in_order(touches: &[NamedTouch], kind: i64) -> Vec<(i64, &NamedTouch)> {
    let mut all: Vec<_> = touches.iter().enumerate().map(|(at, touch)| (mark(at, kind), touch)).collect();
    all.sort_unstable_by_key(|(_, touch)| (touch.id, touch.slot));
    all
}

/// A named tally begins at zero: one that isn't there is made. Two that make it at once meet at its key.
fn named(all: &mut Commit<'_, '_>, touches: &[NamedTouch]) {
    if !all.sql.flag(!touches.is_empty()) {
        return;
    }
    let touches = in_order(touches, OF_NAMED);
    all.begin("nu");
    put!(all.sql, "UPDATE passes.tally t SET used=t.used+q.u,held=t.held+q.h,lim=coalesce(q.l,t.lim) FROM ");
    all.sql.rows("q", named_columns(&touches));
    put!(
        all.sql,
        " WHERE t.business=$1 AND t.id=q.id AND t.slot=q.slot AND (q.f IS NULL OR q.f=t.used) AND t.used+q.u>=0 \
         AND t.held+q.h>=0 AND (t.used+q.u)+(t.held+q.h)<=coalesce(q.l,t.lim) \
         RETURNING q.t,ARRAY[t.used,t.held,t.lim] AS v"
    );
    all.begin("nq");
    put!(
        all.sql,
        "SELECT q.t,q.id,q.slot,ARRAY[q.u,q.h,coalesce(q.l,0)] AS v FROM "
    );
    all.sql.rows("q", named_columns(&touches));
    put!(
        all.sql,
        " WHERE NOT EXISTS (SELECT 1 FROM passes.tally t WHERE t.business=$1 AND t.id=q.id AND t.slot=q.slot) \
         AND coalesce(q.f,0)=0 AND q.u>=0 AND q.h>=0 AND q.u+q.h<=coalesce(q.l,0)"
    );
    all.begin("ni");
    put!(
        all.sql,
        "INSERT INTO passes.tally(business,id,slot,used,held,lim) SELECT $1,id,slot,v[1],v[2],v[3] FROM nq"
    );
    all.guard(&["nu", "nq"], touches.len());
    all.results.extend(["nu", "nq"]);
}

/// Adding nothing judges, and waits for who adds something.
fn judged(all: &mut Commit<'_, '_>, touches: &[NamedTouch]) {
    if !all.sql.flag(!touches.is_empty()) {
        return;
    }
    let touches = in_order(touches, OF_JUDGED);
    all.begin("nz");
    put!(
        all.sql,
        "SELECT q.t,ARRAY[coalesce(t.used,0),coalesce(t.held,0),coalesce(q.l,t.lim,0)] AS v FROM "
    );
    all.sql.rows("q", named_columns(&touches));
    put!(
        all.sql,
        " LEFT JOIN LATERAL (SELECT used,held,lim FROM passes.tally WHERE business=$1 AND id=q.id AND slot=q.slot \
         FOR UPDATE) t ON true WHERE (q.f IS NULL OR q.f=coalesce(t.used,0)) \
         AND coalesce(t.used,0)+coalesce(t.held,0)<=coalesce(q.l,t.lim,0)"
    );
    all.guard(&["nz"], touches.len());
    all.results.push("nz");
}

fn operations<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    let left = &plan.operations;
    // One operation whose values each stand in a CTE of one row.
    let simple = all.sql.flag(!all.sql.many && left.len() == 1);
    let after = if simple { simple_after(all, plan) } else { String::new() };
    if !simple && all.sql.flag(!plan.values.is_empty()) {
        afters(all, plan);
    }
    all.begin("o");
    put!(
        all.sql,
        "INSERT INTO passes.operation(business,number,id,kind,at,booked,actor,place,channel,reason,entries,\
         fingerprint,receipt,events,after) SELECT $1,n.base+q.k,q.id,q.kind,q.at,q.booked,q.actor,q.place,q.channel,\
         q.reason,q.entries,q.fp,q.receipt,q.events,{} FROM ",
        match (simple, plan.values.is_empty()) {
            (true, _) => after.as_str(),
            (false, true) => "NULL",
            (false, false) => "f.v",
        }
    );
    let text = |of: fn(&'a passes_core::store::Operation) -> Option<&'a str>| {
        Values::texts(left.iter().map(|left| of(left.operation)).collect::<Vec<_>>())
    };
    all.sql.rows(
        "q",
        vec![
            ("k", Values::ints(left.iter().map(|left| left.at))),
            ("id", Values::ids(left.iter().map(|left| left.operation.id.to_bytes()))),
            ("kind", Values::ints(left.iter().map(|left| i64::from(left.operation.kind.number())))),
            ("at", Values::ints(left.iter().map(|left| Instant::micros(left.operation.at)))),
            ("booked", Values::ints(left.iter().map(|left| Instant::micros(left.operation.booked)))),
            ("actor", text(|operation| Some(&operation.actor))),
            ("place", text(|operation| operation.place.as_deref())),
            ("channel", text(|operation| operation.channel.as_deref())),
            ("reason", text(|operation| operation.reason.as_deref())),
            ("entries", Values::ints(left.iter().map(|left| left.entries))),
            (
                "fp",
                Values::maybe_ids(left.iter().map(|left| left.operation.key.map(|(_, fingerprint)| fingerprint))),
            ),
            ("receipt", Values::blobs(left.iter().map(|left| &left.operation.receipt[..]))),
            ("events", Values::blobs(left.iter().map(|left| &left.operation.events[..]))),
        ],
    );
    put!(all.sql, " CROSS JOIN n");
    if !simple && !plan.values.is_empty() {
        put!(all.sql, " LEFT JOIN af f ON f.k=q.k");
    }
    if all.sql.flag(!plan.keys.is_empty()) {
        all.begin("k");
        put!(
            all.sql,
            "INSERT INTO passes.opkey(business,key,operation,stops) SELECT $1,q.key,n.base+q.k,q.stops=1 FROM "
        );
        all.sql.rows(
            "q",
            vec![
                ("key", Values::ids(plan.keys.iter().map(|(key, ..)| *key))),
                ("k", Values::ints(plan.keys.iter().map(|(_, at, _)| *at))),
                ("stops", Values::ints(plan.keys.iter().map(|(.., stops)| u8::from(*stops)))),
            ],
        );
        put!(all.sql, " CROSS JOIN n");
    }
}

/// Where a value stands: the mark of its row, and the place of its first number there.
fn place(plan: &Plan<'_>, value: Value) -> Option<(i64, i64)> {
    match value {
        Value::Known(_) => None,
        Value::Pass(at, which) => {
            let skipped = counted::skipped(plan, at, which);
            Some((pass_mark(at), int(skipped).saturating_mul(3).saturating_add(1)))
        }
        Value::Credit(at) => Some((credit_mark(at), 1)),
        Value::Named(at) => Some((mark(at, OF_NAMED), 1)),
        Value::Judged(at) => Some((mark(at, OF_JUDGED), 1)),
    }
}

fn simple_after<'a>(all: &mut Commit<'_, 'a>, plan: &Plan<'a>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for value in &plan.values {
        let cte = match value {
            Value::Known(tally) => {
                all.sql.note(0);
                all.sql.args.push(Arg::array(Values::ints([tally.used, tally.held, tally.limit])));
                parts.push(format!("${}::int8[]", all.sql.args.len()));
                continue;
            }
            Value::Pass(at, _) if plan.passes.get(*at).is_some_and(|touch| touch.put.is_some()) => "pu",
            Value::Pass(..) => "pa",
            Value::Credit(at) if plan.credits.get(*at).is_some_and(|touch| touch.put.is_some()) => "cu",
            Value::Credit(_) => "ca",
            Value::Named(_) => "nx",
            Value::Judged(_) => "nz",
        };
        let (_, at) = place(plan, *value).unwrap_or_default();
        cte.bytes().for_each(|byte| all.sql.note(byte));
        all.sql.note(u8::try_from(at).unwrap_or_default());
        parts.push(match cte {
            "nx" => "coalesce((SELECT v FROM nu),(SELECT v FROM nq))".to_owned(),
            _ => format!("(SELECT v[{at}:{}] FROM {cte})", at.saturating_add(2)),
        });
    }
    all.sql.note(0xFF);
    if parts.is_empty() { "NULL".to_owned() } else { parts.join("||") }
}

/// The values of all tallies, by operation.
fn afters<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    let rows: Vec<(i64, i64, Option<(i64, i64)>, Option<Tally>)> = plan
        .operations
        .iter()
        .flat_map(|left| {
            let values = plan.values.get(left.after.clone()).unwrap_or_default();
            (0..).zip(values).map(move |(at, value)| {
                let known = if let Value::Known(tally) = value { Some(*tally) } else { None };
                (left.at, at, place(plan, *value), known)
            })
        })
        .collect();
    let results: Vec<String> = all.results.iter().map(|cte| format!("SELECT t,v FROM {cte}")).collect();
    for cte in &all.results {
        cte.bytes().for_each(|byte| all.sql.shape.push(byte));
    }
    all.begin("af");
    let results = if results.is_empty() { "SELECT 0::int8 AS t,NULL::int8[] AS v WHERE false".to_owned() } else {
        results.join(" UNION ALL ")
    };
    put!(
        all.sql,
        "SELECT q.k,array_agg(y.x ORDER BY q.at,y.i) AS v FROM "
    );
    let known = |of: fn(&Tally) -> i64| {
        Values::maybe_ints(rows.iter().map(|(.., known)| known.as_ref().map(of)).collect::<Vec<_>>())
    };
    let columns = vec![
        ("k", Values::ints(rows.iter().map(|(k, ..)| *k))),
        ("at", Values::ints(rows.iter().map(|(_, at, ..)| *at))),
        ("t", Values::maybe_ints(rows.iter().map(|(_, _, place, _)| place.map(|(t, _)| t)))),
        ("a", Values::maybe_ints(rows.iter().map(|(_, _, place, _)| place.map(|(_, a)| a)))),
        ("u", known(|tally| tally.used)),
        ("h", known(|tally| tally.held)),
        ("l", known(|tally| tally.limit)),
    ];
    all.sql.rows("q", columns);
    put!(
        all.sql,
        " LEFT JOIN ({results}) r ON r.t=q.t, LATERAL (VALUES (1,coalesce(q.u,r.v[q.a])),(2,coalesce(q.h,r.v[q.a+1])),\
         (3,coalesce(q.l,r.v[q.a+2]))) y(i,x) GROUP BY q.k"
    );
}

fn entries<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    let booked = &plan.entries;
    if !all.sql.flag(!booked.is_empty()) {
        return;
    }
    let chained = all.chained.clone();
    if all.sql.flag(!chained.is_empty()) {
        for cte in &chained {
            cte.bytes().for_each(|byte| all.sql.shape.push(byte));
        }
        all.begin("tc");
        let parts: Vec<String> = chained.iter().map(|cte| format!("SELECT t,prev FROM {cte}")).collect();
        put!(all.sql, "{}", parts.join(" UNION ALL "));
    }
    all.begin("e");
    let (from, to) =
        if chained.is_empty() { ("n.base+q.fh", "n.base+q.th") } else {
            ("coalesce(n.base+q.fh,f.prev)", "coalesce(n.base+q.th,g.prev)")
        };
    put!(
        all.sql,
        "INSERT INTO passes.entry(business,number,nth,from_account,to_account,unit,mark,line,amount,from_subject,\
         to_subject,before_from,before_to) SELECT $1,n.base+q.k,q.nth,q.fa,q.ta,q.unit,q.mark,q.line,q.amount,q.fs,q.ts,\
         {from},{to} FROM "
    );
    let here = |of: fn(&(Before, Before)) -> Before| {
        Values::maybe_ints(booked.iter().map(|booked| match of(&booked.before) {
            Before::Here(at) => Some(at),
            _ => None,
        }))
    };
    let touch = |of: fn(&(Before, Before)) -> Before| {
        Values::maybe_ints(booked.iter().map(|booked| match of(&booked.before) {
            Before::Of(touch) => Some(touch_mark(touch)),
            _ => None,
        }))
    };
    let entry = |of: fn(&passes_core::ledger::Entry) -> Option<i64>| {
        Values::maybe_ints(booked.iter().map(|booked| of(booked.entry)).collect::<Vec<_>>())
    };
    let mut columns = vec![
        ("k", Values::ints(booked.iter().map(|booked| booked.at))),
        ("nth", Values::ints(booked.iter().map(|booked| booked.nth))),
        ("fa", entry(|entry| Some(entry.from.0.number().into()))),
        ("ta", entry(|entry| Some(entry.to.0.number().into()))),
        ("unit", entry(|entry| Some(entry.unit.number().into()))),
        ("mark", entry(|entry| Some(i64::from(entry.mark as u8)))),
        ("line", entry(|entry| entry.line.map(|line| i64::from(line.cast_signed())))),
        ("amount", entry(|entry| Some(entry.amount))),
        (
            "fs",
            Values::maybe_blobs(booked.iter().map(|booked| subject_bytes(&booked.entry.from.1).map(Into::into))),
        ),
        (
            "ts",
            Values::maybe_blobs(booked.iter().map(|booked| subject_bytes(&booked.entry.to.1).map(Into::into))),
        ),
        ("fh", here(|before| before.0)),
        ("th", here(|before| before.1)),
    ];
    if !chained.is_empty() {
        columns.push(("ft", touch(|before| before.0)));
        columns.push(("tt", touch(|before| before.1)));
    }
    all.sql.rows("q", columns);
    put!(all.sql, " CROSS JOIN n");
    if !chained.is_empty() {
        put!(all.sql, " LEFT JOIN tc f ON f.t=q.ft LEFT JOIN tc g ON g.t=q.tt");
    }
}

/// The last SELECT: the number of the transaction, the guards, and the values of tallies.
fn finish(all: Commit<'_, '_>, plan: &Plan<'_>) {
    let Commit { sql, ctes, guards, results, numbered, .. } = all;
    if ctes > 0 {
        put!(sql, ") ");
    }
    let guards = if guards.is_empty() { "true".to_owned() } else { guards.join(" AND ") };
    let base = if numbered { "(SELECT base FROM n)" } else { "0" };
    // A division by zero, and a root of less than nothing: two errors that mean two things.
    put!(sql, "SELECT 0::int8 AS t,{base}::int8 AS base,1/(CASE WHEN {guards} THEN 1 ELSE 0 END) AS ok,");
    if plan.docs.is_empty() {
        put!(sql, "1::float8 AS parents,");
    } else {
        put!(sql, "sqrt(CASE WHEN (SELECT bool_and(same) FROM du) THEN 1 ELSE -1 END) AS parents,");
    }
    put!(sql, "NULL::int8[] AS v");
    for cte in results {
        put!(sql, " UNION ALL SELECT t,NULL,NULL,NULL,v FROM {cte}");
    }
}

/// What a commit answered.
pub(crate) fn read(plan: &Plan<'_>, rows: &[Row]) -> Result<Vec<After>, StoreError> {
    let mut base: Option<i64> = None;
    let mut values: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in rows {
        let get = |_| corrupt("an answer");
        if let Some(number) = row.try_get::<_, Option<i64>>(1).map_err(get)? {
            base = Some(number);
        } else {
            let list: Option<Vec<i64>> = row.try_get(4).map_err(get)?;
            values.insert(row.try_get(0).map_err(get)?, list.unwrap_or_default());
        }
    }
    plan.answers(base.ok_or_else(|| corrupt("an answer"))?, |value| {
        if let Value::Known(tally) = value {
            return Ok(tally);
        }
        let (t, at) = place(plan, value).ok_or_else(|| corrupt("an answer"))?;
        let from = usize::try_from(at.saturating_sub(1)).unwrap_or_default();
        let numbers = values.get(&t).and_then(|list| list.get(from..)?.first_chunk::<3>());
        let [used, held, limit] = *numbers.ok_or_else(|| corrupt("an answer"))?;
        Ok(Tally { used, held, limit })
    })
}

/// The columns of a new pass, by name, without its last entry.
pub(crate) fn pass_columns<'a>(
    rows: &[&'a passes_core::pass::PassRow],
) -> Vec<(&'static str, Values<'a>)> {
    let of = |value: fn(&passes_core::pass::PassRow) -> Option<i64>| {
        Values::maybe_ints(rows.iter().map(|row| value(row)).collect::<Vec<_>>())
    };
    vec![
        ("lot", Values::ids(rows.iter().map(|row| row.id.lot().to_bytes()))),
        ("serial", Values::ints(rows.iter().map(|row| row.id.serial()))),
        ("standing", of(|row| Some(i64::from(row.standing as u8)))),
        ("flags", of(|row| bits(row.flags))),
        ("activated", of(|row| row.activated.map(Instant::micros))),
        ("redeem_by", of(|row| row.redeem_by.map(Instant::micros))),
        ("value", of(|row| row.value)),
        ("uses_lim", of(|row| nonzero(row.uses.limit))),
        ("balance_lim", of(|row| nonzero(row.balance.limit))),
        ("granted_lim", of(|row| nonzero(row.granted.limit))),
        ("holder", Values::maybe_ids(rows.iter().map(|row| row.holder.map(Id::to_bytes)))),
        ("successor", Values::maybe_ids(rows.iter().map(|row| row.successor.map(Id::to_bytes)))),
        ("sale", Values::maybe_ids(rows.iter().map(|row| row.sale.map(Id::to_bytes)))),
        ("code_try", of(|row| bits(row.code_try))),
        ("fields", Values::maybe_blobs(rows.iter().map(|row| row.fields.as_deref().map(Into::into)))),
    ]
}

//! What a commit says: one statement. Every write is a CTE, and the last SELECT divides by zero unless all guards held,
//! so that a missed guard is an error and thereby a rollback.
//!
//! Guards are read in one order, by which every commit locks: documents, passes, credits, named tallies; rows of a kind
//! in the order of their keys.

use crate::books;
use crate::codec::{bits, nonzero};
use crate::counted::{self, ALONE, cte_at, groups};
use crate::distributed::Base;
use crate::errors::corrupt;
use crate::plan::{NamedTouch, Plan, Touch, Value};
use crate::sql::{FEW, Sql, put, text};
use crate::values::{Arg, Values};
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, Id};
use passes_core::pass::Tally;
use passes_core::store::{After, DocKey, Expect, StoreError};
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// What tells this statement from others.
pub(crate) const TAG: u8 = b'c';
/// The same of one that only tells the number of the transaction, in the same columns.
pub(crate) const NUMBER: u8 = b'n';
/// The same of one that only judges documents.
pub(crate) const GUARD: u8 = b'g';

/// Rows that a statement touches are told apart by a number: their place in the plan, and their kind.
pub(crate) const KINDS: i64 = 8;
const OF_PASS: i64 = 0;
const OF_CREDIT: i64 = 1;
const OF_RANGE: i64 = 2;
pub(crate) const OF_NAMED: i64 = 3;
pub(crate) const OF_JUDGED: i64 = 4;

pub(crate) fn int(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn mark(at: usize, kind: i64) -> i64 {
    int(at).saturating_mul(KINDS).saturating_add(kind)
}

pub(crate) fn pass_mark(at: usize) -> i64 {
    mark(at, OF_PASS)
}

pub(crate) fn credit_mark(at: usize) -> i64 {
    mark(at, OF_CREDIT)
}

pub(crate) fn touch_mark(touch: Touch) -> i64 {
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
    /// Whether each row that is touched has a CTE of its own, and there are few: then they are joined as they are, and
    /// nothing is gathered from lists. The first of them tells the number of the transaction to all that is booked.
    pub(crate) small: bool,
    /// The number of the transaction, and where it comes from.
    pub(crate) base: &'static str,
    pub(crate) from_base: &'static str,
}

/// The number of the transaction, from which those of its operations are counted. What the store adds is `$2`.
const BASE: &str = "((pg_current_xact_id()::text::int8<<16)+$2::int8)";

impl<'a> Commit<'_, 'a> {
    pub(crate) fn begin(&mut self, name: &str) {
        put!(self.sql, "{}{name} AS (", if self.ctes == 0 { "WITH " } else { "), " });
        self.ctes += 1;
    }

    /// So many rows must have come from these CTEs.
    pub(crate) fn guard(&mut self, ctes: &[&str], count: usize) {
        self.sql.args.push(Arg::int(int(count)));
        let sum =
            || -> Vec<String> { ctes.iter().map(|cte| format!("(SELECT count(*) FROM {cte})")).collect() };
        self.guards.push(text!(self.sql, "{}=${}::int8", sum().join("+"), self.sql.args.len()));
    }

    /// So many rows must have been written by a CTE that writes rows which are touched.
    pub(crate) fn guard_touched(&mut self, cte: &'static str, count: usize) {
        if self.small {
            self.guards.push(text!(self.sql, "{cte}.t IS NOT NULL"));
        } else {
            self.guard(&[cte], count);
        }
        self.chained.push(cte);
    }

    /// The number of the transaction in what is booked, and the CTE that must be joined for it.
    pub(crate) fn booked(&self) -> (String, Option<&'static str>) {
        match self.chained.first() {
            _ if !self.small => ("n.base".to_owned(), None),
            Some(first) => (text!(self.sql, "{first}.base"), Some(first)),
            None => (self.base.to_owned(), None),
        }
    }

    /// Joins the CTEs of rows that are touched.
    pub(crate) fn join_touched(&mut self, how: &str, ctes: &[&str]) {
        for cte in ctes {
            self.sql.put(format_args!(" {how} {cte}{}", if how == "LEFT JOIN" { " ON true" } else { "" }));
        }
    }
}

/// Writes the statement of a plan. `base` is what the store adds to the numbers of transactions.
pub(crate) fn write<'a>(sql: &mut Sql<'a>, plan: &'a Plan<'a>, base: Base) {
    sql.args.push(Arg::id(plan.business.to_bytes()));
    let numbered = sql.flag(!plan.operations.is_empty());
    // Distributed tables have a function with these columns, and look the base up once.
    let small = sql.flag(plan.is_small() && base != Base::Home);
    let (of_base, from_base) = if small { (BASE, "") } else { ("(SELECT base FROM n)", " CROSS JOIN n") };
    let mut all = Commit {
        sql,
        ctes: 0,
        guards: Vec::new(),
        results: Vec::new(),
        chained: Vec::new(),
        numbered,
        small,
        base: of_base,
        from_base,
    };
    if numbered {
        match base {
            Base::Added(base) if small => all.sql.args.push(Arg::int(base)),
            _ => {
                // The transaction has its number before it waits for any row: so it is where the number is part of the
                // condition by which a row is found.
                all.begin("n");
                put!(all.sql, "SELECT (pg_current_xact_id()::text::int8<<16)+");
                base.number(all.sql);
                put!(all.sql, " AS base");
            }
        }
    }
    docs(&mut all, plan);
    counted::passes(&mut all, plan);
    ranges(&mut all, plan);
    counted::credits(&mut all, plan);
    named(&mut all, &plan.named);
    judged(&mut all, &plan.judged);
    if all.sql.flag(!plan.claims.is_empty()) {
        all.begin("cl");
        put!(
            all.sql,
            "INSERT INTO passes.code(business,digest,lot,serial) SELECT $1,q.digest,q.lot,q.serial FROM "
        );
        let claims = &plan.claims;
        all.sql.few(
            "q",
            vec![
                ("digest", Values::blobs(claims.iter().map(|claim| &claim.digest.as_bytes()[..]))),
                ("lot", Values::ids(claims.iter().map(|claim| claim.pass.lot().to_bytes()))),
                ("serial", Values::ints(claims.iter().map(|claim| claim.pass.serial()))),
            ],
        );
    }
    if numbered {
        books::operations(&mut all, plan);
        books::entries(&mut all, plan);
    }
    finish(all, plan);
}

/// Asks for the number that the statement of a plan will have in this transaction.
pub(crate) fn number<'a>(sql: &mut Sql<'a>, plan: &Plan<'a>, base: Base) {
    sql.args.push(Arg::id(plan.business.to_bytes()));
    put!(sql, "SELECT 0::int8 AS t,(pg_current_xact_id()::text::int8<<16)+");
    base.number(sql);
    put!(sql, " AS base,1 AS ok,1::float8 AS parents,NULL::int8[] AS v WHERE $1 IS NOT NULL");
}

fn key_columns<'a>(keys: impl Iterator<Item = DocKey> + Clone) -> Vec<(&'static str, Values<'a>)> {
    vec![
        ("kind", Values::ints(keys.clone().map(|key| key.kind as u8))),
        ("id", Values::ids(keys.map(|key| key.id))),
    ]
}

/// Conditions by which a few documents are as they were seen.
fn stand(sql: &mut Sql<'_>, seen: &[(DocKey, u32)]) -> Vec<String> {
    sql.note(u8::try_from(seen.len()).unwrap_or_default());
    let mut conditions = Vec::with_capacity(seen.len());
    for (key, version) in seen {
        let at = sql.args.len();
        sql.args.extend([
            Arg::int(i64::from(key.kind as u8)),
            Arg::id(key.id),
            Arg::int(i64::from(*version)),
        ]);
        conditions.push(text!(
            sql,
            "(SELECT version FROM passes.doc WHERE business=$1 AND kind=${}::int8 AND id=${}::uuid)=${}::int8",
            at + 1,
            at + 2,
            at + 3
        ));
    }
    conditions
}

/// A statement that fails as a commit does, unless a few documents are as they were seen.
pub(crate) fn write_guard(sql: &mut Sql<'_>, business: BusinessId, seen: &[(DocKey, u32)]) {
    sql.args.push(Arg::id(business.to_bytes()));
    let conditions = stand(sql, seen);
    put!(sql, "SELECT 1/(CASE WHEN {} THEN 1 ELSE 0 END)", conditions.join(" AND "));
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
        all.sql.few("q", columns);
        // Who fences this document waits until this has landed.
        put!(
            all.sql,
            ", LATERAL (SELECT version FROM passes.doc WHERE business=$1 AND kind=q.kind AND id=q.id AND version>0 \
             FOR SHARE) d WHERE d.version=q.version"
        );
        all.guard(&["x"], relied.len());
    }
    let mut seen = plan.seen.clone();
    seen.sort_unstable();
    seen.dedup();
    seen.retain(|of| relied.binary_search(of).is_err());
    if all.small && seen.len() <= FEW {
        all.guards.extend(stand(all.sql, &seen));
    } else if all.sql.flag(!seen.is_empty()) {
        // As this statement's snapshot has them, and nothing is written into their rows.
        all.begin("s");
        put!(all.sql, "SELECT 1 FROM ");
        let mut columns = key_columns(seen.iter().map(|(key, _)| *key));
        columns.push(("version", Values::ints(seen.iter().map(|(_, version)| *version))));
        all.sql.few("q", columns);
        put!(
            all.sql,
            ", LATERAL (SELECT version FROM passes.doc WHERE business=$1 AND kind=q.kind AND id=q.id AND version>0 \
             OFFSET 0) d WHERE d.version=q.version"
        );
        all.guard(&["s"], seen.len());
    }
    if all.sql.flag(!absent.is_empty()) {
        // What isn't there can't be locked; a document of version 0 can, and means the same.
        all.begin("xa");
        put!(
            all.sql,
            "INSERT INTO passes.doc AS d(business,kind,id,version,body) SELECT $1,q.kind,q.id,0,''::bytea FROM "
        );
        all.sql.few("q", key_columns(absent.iter().copied()));
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
            (
                "pk",
                Values::maybe_ints(
                    docs.iter().map(|doc| doc.parent.map(|parent| i64::from(parent.kind as u8))),
                ),
            ),
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
        all.sql.few("q", columns);
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
        put!(all.sql, "UPDATE passes.pass p SET prev=p.last,last=(SELECT base FROM n)+q.last FROM ");
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
            parts.push(format!("SELECT m.t,coalesce(f.prev,0) AS prev FROM m JOIN {touched} f ON f.t=m.of"));
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
        Values::maybe_ints(touches.iter().map(move |(_, touch)| value(touch)))
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

/// The CTEs of named tallies: those that add to one that is there, make one, and only judge.
pub(crate) const ADDED: [&str; ALONE] = ["nu", "nu1", "nu2", "nu3"];
pub(crate) const MADE: [&str; ALONE] = ["nq", "nq1", "nq2", "nq3"];
const INSERTED: [&str; ALONE] = ["ni", "ni1", "ni2", "ni3"];
pub(crate) const JUDGED: [&str; ALONE] = ["nz", "nz1", "nz2", "nz3"];

fn name(names: [&'static str; ALONE], at: usize) -> &'static str {
    names.get(at).copied().unwrap_or_default()
}

/// The CTE of a named tally.
pub(crate) fn named_cte(names: [&'static str; ALONE], touches: &[NamedTouch], at: usize) -> &'static str {
    let Some(touch) = touches.get(at) else { return "" };
    let before = touches.iter().filter(|other| (other.id, other.slot) < (touch.id, touch.slot)).count();
    cte_at(names, touches.len(), before).0
}

/// A named tally begins at zero: one that isn't there is made. Two that make it at once meet at its key.
fn named(all: &mut Commit<'_, '_>, touches: &[NamedTouch]) {
    all.sql.note(u8::try_from(touches.len().min(ALONE + 1)).unwrap_or_default());
    let touches = in_order(touches, OF_NAMED);
    for (at, group) in groups(touches.len()).into_iter().enumerate() {
        let touches = touches.get(group).unwrap_or_default();
        let (added, made) = (name(ADDED, at), name(MADE, at));
        all.begin(added);
        put!(
            all.sql,
            "UPDATE passes.tally t SET used=t.used+q.u,held=t.held+q.h,lim=coalesce(q.l,t.lim) FROM "
        );
        all.sql.rows("q", named_columns(touches));
        put!(
            all.sql,
            " WHERE t.business=$1 AND t.id=q.id AND t.slot=q.slot AND (q.f IS NULL OR q.f=t.used) \
             AND t.used+q.u>=0 AND t.held+q.h>=0 AND (t.used+q.u)+(t.held+q.h)<=coalesce(q.l,t.lim) \
             RETURNING q.t,ARRAY[t.used,t.held,t.lim] AS v"
        );
        all.begin(made);
        put!(all.sql, "SELECT q.t,q.id,q.slot,ARRAY[q.u,q.h,coalesce(q.l,0)] AS v FROM ");
        all.sql.rows("q", named_columns(touches));
        put!(
            all.sql,
            " WHERE NOT EXISTS (SELECT 1 FROM passes.tally t WHERE t.business=$1 AND t.id=q.id AND t.slot=q.slot) \
             AND coalesce(q.f,0)=0 AND q.u>=0 AND q.h>=0 AND q.u+q.h<=coalesce(q.l,0)"
        );
        all.begin(name(INSERTED, at));
        put!(
            all.sql,
            "INSERT INTO passes.tally(business,id,slot,used,held,lim) SELECT $1,id,slot,v[1],v[2],v[3] FROM {made}"
        );
        all.guard(&[added, made], touches.len());
        all.results.extend([added, made]);
    }
}

/// Adding nothing judges, and waits for who adds something.
fn judged(all: &mut Commit<'_, '_>, touches: &[NamedTouch]) {
    all.sql.note(u8::try_from(touches.len().min(ALONE + 1)).unwrap_or_default());
    let touches = in_order(touches, OF_JUDGED);
    for (at, group) in groups(touches.len()).into_iter().enumerate() {
        let touches = touches.get(group).unwrap_or_default();
        let cte = name(JUDGED, at);
        all.begin(cte);
        put!(
            all.sql,
            "SELECT q.t,ARRAY[coalesce(t.used,0),coalesce(t.held,0),coalesce(q.l,t.lim,0)] AS v FROM "
        );
        all.sql.rows("q", named_columns(touches));
        put!(
            all.sql,
            " LEFT JOIN LATERAL (SELECT used,held,lim FROM passes.tally \
             WHERE business=$1 AND id=q.id AND slot=q.slot FOR UPDATE) t ON true \
             WHERE (q.f IS NULL OR q.f=coalesce(t.used,0)) \
             AND coalesce(t.used,0)+coalesce(t.held,0)<=coalesce(q.l,t.lim,0)"
        );
        all.guard(&[cte], touches.len());
        all.results.push(cte);
    }
}

/// The last SELECT: the number of the transaction, the guards, and the values of tallies.
fn finish(all: Commit<'_, '_>, plan: &Plan<'_>) {
    let (booked, _) = all.booked();
    let Commit { sql, ctes, guards, results, chained, numbered, small, base, .. } = all;
    if ctes > 0 {
        put!(sql, ") ");
    }
    let guards = if guards.is_empty() { "true".to_owned() } else { text!(sql, "{}", guards.join(" AND ")) };
    let base = match (numbered, small) {
        (true, true) => booked.as_str(),
        (true, false) => base,
        (false, _) => "0",
    };
    // A division by zero, and a root of less than nothing: two errors that mean two things.
    put!(sql, "SELECT 0::int8 AS t,{base}::int8 AS base,1/(CASE WHEN {guards} THEN 1 ELSE 0 END) AS ok,");
    if plan.docs.is_empty() {
        put!(sql, "1::float8 AS parents,");
    } else {
        put!(sql, "sqrt(CASE WHEN (SELECT bool_and(same) FROM du) THEN 1 ELSE -1 END) AS parents,");
    }
    put!(sql, "NULL::int8[] AS v");
    if small {
        results.iter().for_each(|cte| put!(sql, ",{cte}.t,{cte}.v"));
        put!(sql, " FROM (SELECT 1) one");
        chained.iter().for_each(|cte| put!(sql, " LEFT JOIN {cte} ON true"));
        return;
    }
    for cte in results {
        put!(sql, " UNION ALL SELECT t,NULL,NULL,NULL,v FROM {cte}");
    }
}

/// What a commit answered.
pub(crate) fn read(plan: &Plan<'_>, rows: &[Row]) -> Result<Vec<After>, StoreError> {
    let mut base: Option<i64> = None;
    let mut values: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in rows {
        let get = |_| corrupt("an answer");
        if let Some(number) = row.try_get::<_, Option<i64>>(1).map_err(get)? {
            base = Some(number);
            // What is small brings all in one row.
            for at in (5..row.len()).step_by(2) {
                let list: Option<Vec<i64>> = row.try_get(at + 1).map_err(get)?;
                values.insert(row.try_get(at).map_err(get)?, list.unwrap_or_default());
            }
        } else {
            let list: Option<Vec<i64>> = row.try_get(4).map_err(get)?;
            values.insert(row.try_get(0).map_err(get)?, list.unwrap_or_default());
        }
    }
    plan.answers(base.ok_or_else(|| corrupt("an answer"))?, |value| {
        if let Value::Known(tally) = value {
            return Ok(tally);
        }
        let (t, at) = books::place(plan, value).ok_or_else(|| corrupt("an answer"))?;
        let from = usize::try_from(at.saturating_sub(1)).unwrap_or_default();
        let numbers = values.get(&t).and_then(|list| list.get(from..)?.first_chunk::<3>());
        let [used, held, limit] = *numbers.ok_or_else(|| corrupt("an answer"))?;
        Ok(Tally { used, held, limit })
    })
}

/// The columns of a new pass, by name, without its last entry.
pub(crate) fn pass_columns<'a>(rows: &[&'a passes_core::pass::PassRow]) -> Vec<(&'static str, Values<'a>)> {
    let of = |value: fn(&passes_core::pass::PassRow) -> Option<i64>| {
        Values::maybe_ints(rows.iter().map(move |row| value(row)))
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

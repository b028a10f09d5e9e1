//! What a commit books: operations with their keys and values, and entries.

use crate::codec::subject_bytes;
use crate::commit::{
    ADDED, Commit, JUDGED, MADE, OF_JUDGED, OF_NAMED, credit_mark, int, mark, named_cte, pass_mark,
    touch_mark,
};
use crate::counted;
use crate::plan::{Before, Plan, Value};
use crate::sql::{put, text};
use crate::values::{Arg, Values};
use passes_core::calendar::Instant;
use passes_core::id::Id;
use passes_core::pass::Tally;

pub(crate) fn operations<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    let left = &plan.operations;
    // One operation whose values each stand in a CTE of one row.
    let simple = all.sql.flag(!all.sql.many && left.len() == 1);
    let mut joined: Vec<&'static str> = Vec::new();
    let after = match (all.small, simple) {
        (true, _) => small_after(all, plan, &mut joined),
        (false, true) => simple_after(all, plan),
        (false, false) => String::new(),
    };
    let simple = simple || all.small;
    let (base, first) = all.booked();
    joined.extend(first.filter(|first| !joined.contains(first)));
    if !simple && all.sql.flag(!plan.values.is_empty()) {
        afters(all, plan);
    }
    all.begin("o");
    put!(
        all.sql,
        "INSERT INTO passes.operation(business,number,id,kind,at,booked,actor,place,channel,reason,entries,\
         fingerprint,receipt,events,after) SELECT $1,{base}+q.k,q.id,q.kind,q.at,q.booked,q.actor,q.place,q.channel,\
         q.reason,q.entries,q.fp,q.receipt,q.events,{} FROM ",
        match (simple, plan.values.is_empty()) {
            (true, _) => after.as_str(),
            (false, true) => "NULL",
            (false, false) => "f.v",
        }
    );
    let text = |of: fn(&'a passes_core::store::Operation) -> Option<&'a str>| {
        Values::texts(left.iter().map(move |left| of(left.operation))).or_null()
    };
    all.sql.rows(
        "q",
        vec![
            ("k", Values::fixed(left.iter().map(|left| left.at))),
            ("id", Values::ids(left.iter().map(|left| left.operation.id.to_bytes()))),
            ("kind", Values::ints(left.iter().map(|left| i64::from(left.operation.kind.number())))),
            ("at", Values::ints(left.iter().map(|left| Instant::micros(left.operation.at)))),
            ("booked", Values::ints(left.iter().map(|left| Instant::micros(left.operation.booked)))),
            ("actor", text(|operation| Some(&operation.actor))),
            ("place", text(|operation| operation.place.as_deref())),
            ("channel", text(|operation| operation.channel.as_deref())),
            ("reason", text(|operation| operation.reason.as_deref())),
            ("entries", Values::fixed(left.iter().map(|left| left.entries))),
            (
                "fp",
                Values::maybe_ids(
                    left.iter().map(|left| left.operation.key.map(|(_, fingerprint)| fingerprint)),
                )
                .or_null(),
            ),
            ("receipt", Values::blobs(left.iter().map(|left| &left.operation.receipt[..]))),
            ("events", Values::blobs(left.iter().map(|left| &left.operation.events[..]))),
        ],
    );
    put!(all.sql, "{}", all.from_base);
    all.join_touched("CROSS JOIN", &joined);
    if !simple && !plan.values.is_empty() {
        put!(all.sql, " LEFT JOIN af f ON f.k=q.k");
    }
    if all.sql.flag(!plan.keys.is_empty()) {
        all.begin("k");
        put!(
            all.sql,
            "INSERT INTO passes.opkey(business,key,operation,stops) SELECT $1,q.key,{base}+q.k,q.stops=1 FROM "
        );
        all.sql.few(
            "q",
            vec![
                ("key", Values::ids(plan.keys.iter().map(|(key, ..)| *key))),
                ("k", Values::fixed(plan.keys.iter().map(|(_, at, _)| *at))),
                ("stops", Values::fixed(plan.keys.iter().map(|(.., stops)| u8::from(*stops)))),
            ],
        );
        put!(all.sql, "{}", all.from_base);
        all.join_touched("CROSS JOIN", first.as_slice());
    }
}

/// Where a value stands: the mark of its row, and the place of its first number there.
pub(crate) fn place(plan: &Plan<'_>, value: Value) -> Option<(i64, i64)> {
    match value {
        Value::Known(_) => None,
        Value::Pass(at, which) => {
            let (_, skipped) = counted::pass_cte(plan, at, which);
            Some((pass_mark(at), int(skipped).saturating_mul(3).saturating_add(1)))
        }
        Value::Credit(at) => Some((credit_mark(at), 1)),
        Value::Named(at) => Some((mark(at, OF_NAMED), 1)),
        Value::Judged(at) => Some((mark(at, OF_JUDGED), 1)),
    }
}

/// The same of CTEs that are joined: what follows on each other in one of them comes in one piece.
fn small_after<'a>(all: &mut Commit<'_, 'a>, plan: &Plan<'a>, joined: &mut Vec<&'static str>) -> String {
    // A CTE with the first and the last of its numbers, and how many it has; or a parameter.
    type Piece = (&'static str, i64, i64, i64);
    let mut pieces: Vec<Result<Piece, usize>> = Vec::new();
    for value in &plan.values {
        let (cte, numbers) = match *value {
            Value::Known(tally) => {
                all.sql.args.push(Arg::array(Values::ints([tally.used, tally.held, tally.limit])));
                pieces.push(Err(all.sql.args.len()));
                continue;
            }
            Value::Pass(at, which) => {
                let counted = |touch: &crate::plan::PassTouch<'_>| match touch.put {
                    Some(_) => touch.counts.len(),
                    None => touch.counts.iter().flatten().count(),
                };
                (counted::pass_cte(plan, at, which).0, plan.passes.get(at).map_or(0, counted))
            }
            Value::Credit(at) => (counted::credit_cte(plan, at), 1),
            // What is small has none.
            Value::Named(_) | Value::Judged(_) => continue,
        };
        let (_, first) = place(plan, *value).unwrap_or_default();
        let last = first.saturating_add(2);
        match pieces.last_mut() {
            Some(Ok((name, _, end, _))) if *name == cte && end.saturating_add(1) == first => *end = last,
            _ => pieces.push(Ok((cte, first, last, int(numbers).saturating_mul(3)))),
        }
        if !joined.contains(&cte) {
            joined.push(cte);
        }
    }
    let mut parts: Vec<String> = Vec::new();
    for piece in pieces {
        parts.push(match piece {
            Err(parameter) => {
                all.sql.note(0);
                format!("${parameter}::int8[]")
            }
            Ok((cte, first, last, numbers)) => {
                cte.bytes().for_each(|byte| all.sql.note(byte));
                all.sql.note(u8::try_from(first).unwrap_or_default());
                all.sql.note(u8::try_from(last).unwrap_or_default());
                if (first, last) == (1, numbers) {
                    format!("{cte}.v")
                } else {
                    format!("{cte}.v[{first}:{last}]")
                }
            }
        });
    }
    all.sql.note(0xFF);
    if parts.is_empty() { "NULL".to_owned() } else { parts.join("||") }
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
            Value::Pass(at, which) => counted::pass_cte(plan, *at, *which).0,
            Value::Credit(at) => counted::credit_cte(plan, *at),
            Value::Named(at) => named_cte(ADDED, &plan.named, *at),
            Value::Judged(at) => named_cte(JUDGED, &plan.judged, *at),
        };
        let (_, at) = place(plan, *value).unwrap_or_default();
        cte.bytes().for_each(|byte| all.sql.note(byte));
        all.sql.note(u8::try_from(at).unwrap_or_default());
        parts.push(match value {
            Value::Named(of) => {
                format!(
                    "coalesce((SELECT v FROM {cte}),(SELECT v FROM {}))",
                    named_cte(MADE, &plan.named, *of)
                )
            }
            _ => format!("(SELECT v[{at}:{}] FROM {cte})", at.saturating_add(2)),
        });
    }
    all.sql.note(0xFF);
    if parts.is_empty() { "NULL".to_owned() } else { parts.join("||") }
}

/// The values of all tallies, by operation.
fn afters<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    let rows: Vec<_> = plan
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
    let results = if results.is_empty() {
        "SELECT 0::int8 AS t,NULL::int8[] AS v WHERE false".to_owned()
    } else {
        results.join(" UNION ALL ")
    };
    put!(all.sql, "SELECT q.k,array_agg(y.x ORDER BY q.at,y.i) AS v FROM ");
    let known = |of: fn(&Tally) -> i64| {
        Values::maybe_ints(rows.iter().map(move |(.., known)| known.as_ref().map(of)))
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

pub(crate) fn entries<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    let booked = &plan.entries;
    if !all.sql.flag(!booked.is_empty()) {
        return;
    }
    let chained = all.chained.clone();
    if all.sql.flag(!chained.is_empty()) {
        for cte in &chained {
            cte.bytes().for_each(|byte| all.sql.shape.push(byte));
        }
        if !all.small {
            all.begin("tc");
            let parts: Vec<String> = chained.iter().map(|cte| format!("SELECT t,prev FROM {cte}")).collect();
            put!(all.sql, "{}", parts.join(" UNION ALL "));
        }
    }
    all.begin("e");
    let (base, _) = all.booked();
    let before = |here: &str, touched: &str, row: &str| match (chained.is_empty(), all.small) {
        (true, _) => text!(all.sql, "{base}+q.{here}"),
        (false, false) => text!(all.sql, "coalesce({base}+q.{here},{row}.prev)"),
        (false, true) => {
            let cases: Vec<String> =
                chained.iter().map(|cte| format!(" WHEN {cte}.t THEN {cte}.prev")).collect();
            text!(all.sql, "coalesce({base}+q.{here},CASE q.{touched}{} END)", cases.concat())
        }
    };
    let (from, to) = (before("fh", "ft", "f"), before("th", "tt", "g"));
    put!(
        all.sql,
        "INSERT INTO passes.entry(business,number,nth,from_account,to_account,unit,mark,line,amount,from_subject,\
         to_subject,before_from,before_to) SELECT $1,{base}+q.k,q.nth,q.fa,q.ta,q.unit,q.mark,q.line,q.amount,q.fs,q.ts,\
         {from},{to} FROM "
    );
    let here = |of: fn(&(Before, Before)) -> Before| {
        Values::maybe_fixed(booked.iter().map(|booked| match of(&booked.before) {
            Before::Here(at) => Some(at),
            _ => None,
        }))
    };
    let touch = |of: fn(&(Before, Before)) -> Before| {
        Values::maybe_fixed(booked.iter().map(|booked| match of(&booked.before) {
            Before::Of(touch) => Some(touch_mark(touch)),
            _ => None,
        }))
    };
    let entry = |of: fn(&passes_core::ledger::Entry) -> Option<i64>| {
        Values::maybe_ints(booked.iter().map(move |booked| of(booked.entry)))
    };
    let mut columns = vec![
        ("k", Values::fixed(booked.iter().map(|booked| booked.at))),
        ("nth", Values::fixed(booked.iter().map(|booked| booked.nth))),
        ("fa", entry(|entry| Some(entry.from.0.number().into()))),
        ("ta", entry(|entry| Some(entry.to.0.number().into()))),
        ("unit", entry(|entry| Some(entry.unit.number().into()))),
        ("mark", entry(|entry| Some(i64::from(entry.mark as u8)))),
        ("line", entry(|entry| entry.line.map(|line| i64::from(line.cast_signed()))).or_null()),
        ("amount", entry(|entry| Some(entry.amount))),
        (
            "fs",
            Values::maybe_blobs(
                booked.iter().map(|booked| subject_bytes(&booked.entry.from.1).map(Into::into)),
            )
            .or_null(),
        ),
        (
            "ts",
            Values::maybe_blobs(
                booked.iter().map(|booked| subject_bytes(&booked.entry.to.1).map(Into::into)),
            )
            .or_null(),
        ),
        ("fh", here(|before| before.0)),
        ("th", here(|before| before.1)),
    ];
    if !chained.is_empty() {
        columns.push(("ft", touch(|before| before.0)));
        columns.push(("tt", touch(|before| before.1)));
    }
    all.sql.few("q", columns);
    put!(all.sql, "{}", all.from_base);
    if all.small {
        all.join_touched("CROSS JOIN", &chained);
    } else if !chained.is_empty() {
        put!(all.sql, " LEFT JOIN tc f ON f.t=q.ft LEFT JOIN tc g ON g.t=q.tt");
    }
}

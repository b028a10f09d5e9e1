//! Rows with tallies: passes and credits. Each that a statement touches is written once, whatever says so.
//!
//! Two transactions that wait for the same row may have their numbers in the other order. The later one of them must
//! not come before the earlier in the books or among the events, so it meets a guard: the row's last entry, or the
//! transaction that last wrote it, must be older. The same statement is sent again, and has a new number.

use crate::codec::nonzero;
use crate::commit::{Commit, credit_mark, pass_columns, pass_mark};
use crate::plan::{Count, CreditTouch, PassTouch, Plan};
use crate::sql::{put, text};
use crate::values::Values;
use passes_core::calendar::Instant;
use passes_core::id::Id;
use passes_core::pass::{CreditRow, PassRow};

/// A kind of row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    /// The table, as `p`.
    table: &'static str,
    /// Its key within a business.
    key: &'static [&'static str],
    /// What is used, held and at most, of each tally.
    tallies: &'static [[&'static str; 3]],
    /// What else a put sets.
    set: &'static [&'static str],
    /// The CTE that inserts, and those that put and count: one for each of few rows, or the first for all.
    insert: &'static str,
    put: [&'static str; ALONE],
    count: [&'static str; ALONE],
}

/// So many touched rows have a CTE each, in which the planner sees their keys; more share one.
pub(crate) const ALONE: usize = 4;

/// How so many touched rows are shared out among CTEs.
pub(crate) fn groups(count: usize) -> Vec<std::ops::Range<usize>> {
    let each = if count <= ALONE { 1 } else { count };
    (0..count).step_by(each).map(|at| at..at.saturating_add(each)).collect()
}

pub(crate) const PASS: Counted = Counted {
    table: "passes.pass",
    key: &["lot", "serial"],
    tallies: &[
        ["uses_used", "uses_held", "uses_lim"],
        ["balance_used", "balance_held", "balance_lim"],
        ["granted_used", "granted_held", "granted_lim"],
    ],
    set: &[
        "standing",
        "flags",
        "activated",
        "redeem_by",
        "value",
        "holder",
        "successor",
        "sale",
        "code_try",
        "fields",
    ],
    insert: "pn",
    put: ["pu", "pu1", "pu2", "pu3"],
    count: ["pa", "pa1", "pa2", "pa3"],
};

pub(crate) const CREDIT: Counted = Counted {
    table: "passes.credit",
    key: &["contact", "id"],
    tallies: &[["used", "held", "lim"]],
    set: &["lot", "serial", "mark", "spend_by", "created"],
    insert: "cn",
    put: ["cu", "cu1", "cu2", "cu3"],
    count: ["ca", "ca1", "ca2", "ca3"],
};

/// A touched row, whatever it is.
struct Row<'r> {
    mark: i64,
    counts: &'r [Option<Count>],
    version: Option<u32>,
    last: Option<i64>,
    ordered: bool,
}

/// Room for the parameters of a row that is counted in.
const COUNTED: usize = 10;

/// Names of parameters, by tally.
const USED: [&str; 3] = ["u0", "u1", "u2"];
const HELD: [&str; 3] = ["h0", "h1", "h2"];
const LIMIT: [&str; 3] = ["l0", "l1", "l2"];
const FROM: [&str; 3] = ["f0", "f1", "f2"];

fn name(names: [&'static str; 3], at: usize) -> &'static str {
    names.get(at).copied().unwrap_or_default()
}

impl Counted {
    fn matches(&self) -> String {
        self.key.iter().map(|column| format!(" AND p.{column}=q.{column}")).collect()
    }

    /// Inserts new rows.
    fn insert<'a>(&self, all: &mut Commit<'_, 'a>, columns: Vec<(&'static str, Values<'a>)>, last: bool) {
        all.begin(self.insert);
        let names: Vec<&str> =
            columns.iter().map(|(column, _)| *column).filter(|column| *column != "at").collect();
        let (extra, value) =
            if last { (",last", text!(all.sql, ",{}+q.at", all.base)) } else { ("", String::new()) };
        put!(
            all.sql,
            "INSERT INTO {}(business,version,{}{extra}) SELECT $1,1,{}{value} FROM ",
            self.table,
            names.join(","),
            names.iter().map(|column| format!("q.{column}")).collect::<Vec<_>>().join(",")
        );
        all.sql.few("q", columns);
    }

    /// Updates rows that are touched: `put` are the columns that a put sets, with the new limits.
    fn update<'a>(
        &self,
        all: &mut Commit<'_, 'a>,
        rows: &[Row<'_>],
        mut columns: Vec<(&'static str, Values<'a>)>,
        (is_put, at): (bool, usize),
    ) {
        let names = if is_put { self.put } else { self.count };
        let cte = names.get(at).copied().unwrap_or_default();
        all.begin(cte);
        columns.push(("t", Values::fixed(rows.iter().map(|row| row.mark))));
        let mut sets: Vec<String> = Vec::new();
        let mut guards = String::new();
        let mut values: Vec<String> = Vec::new();
        if is_put {
            sets.push("version=p.version+1".to_owned());
            sets.extend(self.set.iter().map(|column| text!(all.sql, "{column}=q.{column}")));
            guards += " AND p.version=q.version";
        } else if all.sql.flag(rows.iter().any(|row| row.version.is_some())) {
            columns.push(("version", Values::maybe_ints(rows.iter().map(|row| row.version.map(i64::from)))));
            guards += " AND (q.version IS NULL OR p.version=q.version)";
        }
        for (at, [used, held, limit]) in self.tallies.iter().enumerate() {
            let of = |row: &Row<'_>| row.counts.get(at).copied().flatten();
            let counted = all.sql.flag(rows.iter().any(|row| of(row).is_some()));
            let new_limit = if is_put { text!(all.sql, "q.{limit}") } else { text!(all.sql, "p.{limit}") };
            if is_put {
                sets.push(text!(all.sql, "{limit}=q.{limit}"));
                // The new limit must hold over what is counted already.
                guards += &text!(
                    all.sql,
                    " AND coalesce(p.{used},0)+coalesce(p.{held},0)<=coalesce({new_limit},0)"
                );
            }
            if counted {
                self.count(all, rows, (at, &new_limit), &mut columns, &mut sets, &mut guards);
            }
            if counted || is_put {
                values
                    .push(text!(all.sql, "coalesce(p.{used},0),coalesce(p.{held},0),coalesce(p.{limit},0)"));
            }
        }
        let told = self.order(all, rows, &mut columns, &mut sets, &mut guards);
        if sets.is_empty() {
            // Only judged, and locked.
            sets.push("version=p.version".to_owned());
        }
        put!(all.sql, "UPDATE {} p SET {} FROM ", self.table, sets.join(","));
        all.sql.rows("q", columns);
        put!(
            all.sql,
            " WHERE p.business=$1{}{guards} RETURNING q.t,p.prev,{told}ARRAY[{}]::int8[] AS v",
            self.matches(),
            values.join(",")
        );
        all.guard_touched(cte, rows.len());
        if !values.is_empty() {
            all.results.push(cte);
        }
    }

    /// What is added to one tally, and its bounds.
    fn count<'a>(
        &self,
        all: &mut Commit<'_, 'a>,
        rows: &[Row<'_>],
        (at, limit): (usize, &str),
        columns: &mut Vec<(&'static str, Values<'a>)>,
        sets: &mut Vec<String>,
        guards: &mut String,
    ) {
        let Some([used, held, _]) = self.tallies.get(at) else { return };
        let of = |row: &Row<'_>| row.counts.get(at).copied().flatten();
        let (u, h, l, f) = (name(USED, at), name(HELD, at), name(LIMIT, at), name(FROM, at));
        columns.push((u, Values::ints(rows.iter().map(|row| of(row).map_or(0, |count| count.used)))));
        let now_used = text!(all.sql, "(coalesce(p.{used},0)+q.{u})");
        let mut now_held = text!(all.sql, "coalesce(p.{held},0)");
        sets.push(text!(all.sql, "{used}=nullif({now_used},0)"));
        *guards += &text!(all.sql, " AND {now_used}>=0");
        if all.sql.flag(rows.iter().any(|row| of(row).is_some_and(|count| count.held != 0))) {
            columns.push((h, Values::ints(rows.iter().map(|row| of(row).map_or(0, |count| count.held)))));
            now_held = text!(all.sql, "({now_held}+q.{h})");
            sets.push(text!(all.sql, "{held}=nullif({now_held},0)"));
            *guards += &text!(all.sql, " AND {now_held}>=0");
        }
        let mut bound = text!(all.sql, "coalesce({limit},0)");
        if all.sql.flag(rows.iter().any(|row| of(row).is_some_and(|count| count.limit.is_some()))) {
            columns.push((
                l,
                Values::maybe_ints(rows.iter().map(|row| of(row).and_then(|count| count.limit))).or_null(),
            ));
            bound = text!(all.sql, "coalesce(q.{l},{limit},0)");
        }
        *guards += &text!(all.sql, " AND {now_used}+{now_held}<={bound}");
        if all.sql.flag(rows.iter().any(|row| of(row).is_some_and(|count| count.from.is_some()))) {
            columns.push((
                f,
                Values::maybe_ints(rows.iter().map(|row| of(row).and_then(|count| count.from))).or_null(),
            ));
            *guards += &text!(all.sql, " AND (q.{f} IS NULL OR q.{f}=coalesce(p.{used},0))");
        }
    }

    /// The chain goes on, and nothing that came later comes before. Tells what returns the number of the transaction, where
    /// that is asked for.
    fn order<'a>(
        &self,
        all: &mut Commit<'_, 'a>,
        rows: &[Row<'_>],
        columns: &mut Vec<(&'static str, Values<'a>)>,
        sets: &mut Vec<String>,
        guards: &mut String,
    ) -> String {
        if !all.numbered {
            return String::new();
        }
        let chained = all.sql.flag(rows.iter().any(|row| row.last.is_some()));
        let other = all.sql.flag(rows.iter().any(|row| row.last.is_none() && row.ordered));
        let whole = all.sql.flag(rows.iter().all(|row| row.last.is_some()));
        if chained {
            columns.push(("at", Values::maybe_fixed(rows.iter().map(|row| row.last))));
            if whole {
                sets.push(text!(all.sql, "prev=p.last,last={}+q.at", all.base));
            } else {
                sets.push(text!(
                    all.sql,
                    "prev=CASE WHEN q.at IS NULL THEN p.prev ELSE p.last END,last=coalesce({}+q.at,p.last)",
                    all.base
                ));
            }
            *guards +=
                &text!(all.sql, "{}", in_order(&format!("q.at IS NULL OR coalesce(p.last,0)<{}", all.base)));
        }
        if other {
            let unless = if chained { "q.at IS NOT NULL OR " } else { "" };
            *guards += &text!(all.sql, "{}", in_order(&format!("{unless}age(p.xmin)>=0")));
        }
        match (all.small, chained && whole) {
            (true, true) => text!(all.sql, "p.last-q.at AS base,"),
            (true, false) => text!(all.sql, "{} AS base,", all.base),
            (false, _) => String::new(),
        }
    }
}

/// A guard whose failing is another error than that of others: the same statement will do, in a later transaction.
pub(crate) fn in_order(condition: &str) -> String {
    format!(" AND CASE WHEN {condition} THEN true ELSE ln((p.version-p.version)::float8) IS NULL END")
}

/// The CTE of a touched pass, and how many of its tallies come before this one in what it returns.
pub(crate) fn pass_cte(plan: &Plan<'_>, at: usize, which: usize) -> (&'static str, usize) {
    let Some(touch) = plan.passes.get(at) else { return ("", 0) };
    let alike = || plan.passes.iter().filter(|other| other.put.is_some() == touch.put.is_some());
    let names = if touch.put.is_some() { PASS.put } else { PASS.count };
    let (name, alone) = cte_at(names, alike().count(), alike().filter(|other| other.id < touch.id).count());
    if touch.put.is_some() {
        return (name, which);
    }
    let counted = |of: &PassTouch<'_>, tally: usize| of.counts.get(tally).is_some_and(Option::is_some);
    let skipped = |tally: &usize| {
        if alone { counted(touch, *tally) } else { alike().any(|other| counted(other, *tally)) }
    };
    (name, (0..which).filter(skipped).count())
}

/// The CTE of a touched credit.
pub(crate) fn credit_cte(plan: &Plan<'_>, at: usize) -> &'static str {
    let Some(touch) = plan.credits.get(at) else { return "" };
    let alike = || plan.credits.iter().filter(|other| other.put.is_some() == touch.put.is_some());
    let names = if touch.put.is_some() { CREDIT.put } else { CREDIT.count };
    cte_at(names, alike().count(), alike().filter(|other| other.key < touch.key).count()).0
}

/// The name of the CTE of a row, and whether it has it for itself.
pub(crate) fn cte_at(names: [&'static str; ALONE], count: usize, at: usize) -> (&'static str, bool) {
    let alone = count <= ALONE;
    (names.get(if alone { at } else { 0 }).copied().unwrap_or_default(), alone)
}

fn pass_rows<'r>(touches: &[(usize, &'r PassTouch<'_>)]) -> Vec<Row<'r>> {
    let row = |(at, touch): &(usize, &'r PassTouch<'_>)| Row {
        mark: pass_mark(*at),
        counts: &touch.counts,
        version: touch.version,
        last: touch.last,
        ordered: touch.ordered,
    };
    touches.iter().map(row).collect()
}

/// Passes: new ones, puts, and what is counted.
pub(crate) fn passes<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    if all.sql.flag(!plan.new_passes.is_empty()) {
        let mut new: Vec<_> = plan.new_passes.iter().collect();
        new.sort_unstable_by_key(|(row, _)| row.id);
        let rows: Vec<&PassRow> = new.iter().map(|(row, _)| row).collect();
        let mut columns = pass_columns(&rows);
        columns.extend(counts(&rows));
        let last = all.sql.flag(new.iter().any(|(_, last)| last.is_some()));
        if last {
            columns.push(("at", Values::maybe_ints(new.iter().map(|(_, last)| *last))));
        }
        PASS.insert(all, columns, last);
    }
    let mut touches: Vec<(usize, &PassTouch<'_>)> = plan.passes.iter().enumerate().collect();
    touches.sort_unstable_by_key(|(_, touch)| touch.id);
    let (puts, counted): (Vec<_>, Vec<_>) = touches.into_iter().partition(|(_, touch)| touch.put.is_some());
    all.sql.note(u8::try_from(puts.len().min(ALONE + 1)).unwrap_or_default());
    for (at, group) in groups(puts.len()).into_iter().enumerate() {
        let puts = puts.get(group).unwrap_or_default();
        let rows: Vec<&PassRow> =
            puts.iter().filter_map(|(_, touch)| touch.put.map(|(row, _)| row)).collect();
        let mut columns = pass_columns(&rows);
        let versions = puts.iter().filter_map(|(_, touch)| touch.put.map(|(_, version)| version));
        columns.push(("version", Values::ints(versions)));
        PASS.update(all, &pass_rows(puts), columns, (true, at));
    }
    all.sql.note(u8::try_from(counted.len().min(ALONE + 1)).unwrap_or_default());
    for (at, group) in groups(counted.len()).into_iter().enumerate() {
        let counted = counted.get(group).unwrap_or_default();
        let mut columns = Vec::with_capacity(COUNTED);
        columns.extend([
            ("lot", Values::ids(counted.iter().map(|(_, touch)| touch.id.lot().to_bytes()))),
            ("serial", Values::ints(counted.iter().map(|(_, touch)| touch.id.serial()))),
        ]);
        PASS.update(all, &pass_rows(counted), columns, (false, at));
    }
}

/// What is used and held of new passes: of most nothing.
pub(crate) fn counts<'a>(rows: &[&PassRow]) -> Vec<(&'static str, Values<'a>)> {
    let of = |value: fn(&PassRow) -> i64| Values::maybe_ints(rows.iter().map(move |row| nonzero(value(row))));
    vec![
        ("uses_used", of(|row| row.uses.used)),
        ("uses_held", of(|row| row.uses.held)),
        ("balance_used", of(|row| row.balance.used)),
        ("balance_held", of(|row| row.balance.held)),
        ("granted_used", of(|row| row.granted.used)),
        ("granted_held", of(|row| row.granted.held)),
    ]
}

fn credit_columns<'a>(rows: &[&CreditRow]) -> Vec<(&'static str, Values<'a>)> {
    vec![
        ("contact", Values::ids(rows.iter().map(|row| row.contact.to_bytes()))),
        ("id", Values::ids(rows.iter().map(|row| row.id.to_bytes()))),
        ("lot", Values::ids(rows.iter().map(|row| row.pass.lot().to_bytes()))),
        ("serial", Values::ints(rows.iter().map(|row| row.pass.serial()))),
        ("mark", Values::ints(rows.iter().map(|row| row.mark as u8))),
        ("spend_by", Values::maybe_ints(rows.iter().map(|row| row.spend_by.map(Instant::micros)))),
        ("created", Values::ints(rows.iter().map(|row| row.created.micros()))),
        ("lim", Values::maybe_ints(rows.iter().map(|row| nonzero(row.amount.limit)))),
    ]
}

fn credit_rows<'r>(touches: &[(usize, &'r CreditTouch<'_>)]) -> Vec<Row<'r>> {
    let row = |(at, touch): &(usize, &'r CreditTouch<'_>)| Row {
        mark: credit_mark(*at),
        counts: std::slice::from_ref(&touch.count),
        version: touch.version,
        last: touch.last,
        ordered: touch.ordered,
    };
    touches.iter().map(row).collect()
}

/// Credits, likewise.
pub(crate) fn credits<'a>(all: &mut Commit<'_, 'a>, plan: &'a Plan<'a>) {
    if all.sql.flag(!plan.new_credits.is_empty()) {
        let mut new: Vec<_> = plan.new_credits.iter().collect();
        new.sort_unstable_by_key(|(row, _)| (row.contact, row.id));
        let rows: Vec<&CreditRow> = new.iter().map(|(row, _)| row).collect();
        let mut columns = credit_columns(&rows);
        columns.push(("used", Values::maybe_ints(rows.iter().map(|row| nonzero(row.amount.used)))));
        columns.push(("held", Values::maybe_ints(rows.iter().map(|row| nonzero(row.amount.held)))));
        let last = all.sql.flag(new.iter().any(|(_, last)| last.is_some()));
        if last {
            columns.push(("at", Values::maybe_ints(new.iter().map(|(_, last)| *last))));
        }
        CREDIT.insert(all, columns, last);
    }
    let mut touches: Vec<(usize, &CreditTouch<'_>)> = plan.credits.iter().enumerate().collect();
    touches.sort_unstable_by_key(|(_, touch)| touch.key);
    let (puts, counted): (Vec<_>, Vec<_>) = touches.into_iter().partition(|(_, touch)| touch.put.is_some());
    all.sql.note(u8::try_from(puts.len().min(ALONE + 1)).unwrap_or_default());
    for (at, group) in groups(puts.len()).into_iter().enumerate() {
        let puts = puts.get(group).unwrap_or_default();
        let rows: Vec<&CreditRow> =
            puts.iter().filter_map(|(_, touch)| touch.put.map(|(row, _)| row)).collect();
        let mut columns = credit_columns(&rows);
        let versions = puts.iter().filter_map(|(_, touch)| touch.put.map(|(_, version)| version));
        columns.push(("version", Values::ints(versions)));
        CREDIT.update(all, &credit_rows(puts), columns, (true, at));
    }
    all.sql.note(u8::try_from(counted.len().min(ALONE + 1)).unwrap_or_default());
    for (at, group) in groups(counted.len()).into_iter().enumerate() {
        let counted = counted.get(group).unwrap_or_default();
        let mut columns = Vec::with_capacity(COUNTED);
        columns.extend([
            ("contact", Values::ids(counted.iter().map(|(_, touch)| touch.key.0.to_bytes()))),
            ("id", Values::ids(counted.iter().map(|(_, touch)| touch.key.1.to_bytes()))),
        ]);
        CREDIT.update(all, &credit_rows(counted), columns, (false, at));
    }
}

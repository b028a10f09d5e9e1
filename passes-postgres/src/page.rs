//! Lists, histories and events: what is read a page at a time.

use crate::codec::{CREDIT, Columns, DOC, ENTRY, OPERATION, PASS, signed};
use crate::errors::{While, corrupt};
use crate::pool::Session;
use crate::sql::{Sql, put};
use crate::values::{Arg, Values};
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, Id, PassId};
use passes_core::ledger::{StoredEntry, Subject};
use passes_core::store::{Page, PageQuery, PassOrder, PassRange, StoreError, StoredOperation};
use std::sync::Arc;
use tokio_postgres::Row;

/// What tells these statements from others.
pub(crate) const TAG: u8 = b'p';

fn all<T>(
    rows: &[Row],
    read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| read(&mut Columns::new(row))).collect()
}

impl Session {
    /// A page of a list, of all kinds but operations.
    pub(crate) async fn page(&mut self, query: &PageQuery) -> Result<Page, StoreError> {
        if let PageQuery::History { business, subject, before, limit } = query {
            let entries = self.history(*business, subject, *before, *limit).await?;
            return Ok(Page { entries, ..Page::default() });
        }
        let rows = self.query(TAG, |sql| list(sql, query), While::Reading).await?;
        let mut page = Page::default();
        match query {
            PageQuery::Docs { .. } => page.docs = all(&rows, |columns| columns.doc())?,
            PageQuery::Passes { .. } => page.passes = all(&rows, |columns| columns.pass())?,
            PageQuery::Credits { .. } => page.credits = all(&rows, |columns| columns.credit())?,
            PageQuery::Operations { .. } | PageQuery::History { .. } => {}
        }
        Ok(page)
    }

    /// Operations above a number, and how many of them nothing can appear below any more.
    pub(crate) async fn operations(
        &mut self,
        business: BusinessId,
        after: u64,
        limit: u32,
    ) -> Result<(Vec<Arc<StoredOperation>>, usize), StoreError> {
        let base = self.base;
        let write = |sql: &mut Sql<'_>| {
            sql.note(b'o');
            sql.args.push(Arg::id(business.to_bytes()));
            sql.args.push(Arg::int(signed(after)));
            sql.args.push(Arg::int(limit.into()));
            // What is in the snapshot of this statement and older than all that was under way by then is all there will be.
            let (before, behind) = settled();
            put!(sql, "{before}");
            base.settled(sql);
            put!(
                sql,
                "{behind}FROM passes.operation o WHERE o.business=$1 AND o.number>$2 ORDER BY o.number LIMIT $3"
            );
        };
        let rows = self.query(TAG, write, While::Reading).await?;
        let operations = all(&rows, |columns| Ok(Arc::new(columns.operation()?.0)))?;
        let is_settled = |row: &&Row| row.try_get(0).is_ok_and(|kind: i64| kind == 1);
        Ok((operations, rows.iter().take_while(is_settled).count()))
    }

    /// Follows the chain of a subject's entries, from its last or from the one before `before`.
    async fn history(
        &mut self,
        business: BusinessId,
        subject: &Subject,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let Some((target, last)) = last_of(subject) else { return Ok(Vec::new()) };
        let write = |sql: &mut Sql<'_>| {
            sql.note(b'h');
            sql.note(u8::from(matches!(subject, Subject::Credit(..))));
            sql.args.push(Arg::id(business.to_bytes()));
            sql.args.extend(target.iter().map(|key| match key {
                Key::Id(id) => Arg::id(*id),
                Key::Serial(serial) => Arg::int(i64::from(*serial)),
            }));
            // The last two bytes of a range are its last serial number's: a range holds the pass.
            sql.args.push(Arg::int(before.map_or(i64::MAX, signed)));
            sql.args.push(Arg::int(limit.into()));
            let bytes = crate::codec::subject_bytes(subject).map(Into::into);
            sql.args.push(Arg::one(Values::maybe_blobs([bytes])));
            put!(sql, "{}", history_text(last));
        };
        let rows = self.query(TAG, write, While::Reading).await?;
        let mut entries: Vec<StoredEntry> = all(&rows, |columns| columns.entry())?;
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.number));
        // The end of a chain is an entry with nothing before it; a shorter one has lost its rest.
        if let Some(oldest) = entries.last()
            && u32::try_from(entries.len()).is_ok_and(|count| count < limit)
            && oldest.previous(*subject) != Some(0)
        {
            return Err(corrupt("a chain of entries"));
        }
        Ok(entries)
    }
}

/// An operation's columns, with 1 for its kind where nothing can appear below it any more, else 0.
/// What is added to the numbers of transactions comes between.
fn settled() -> (&'static str, String) {
    let select = OPERATION.select(0);
    let before = "SELECT (o.number<(pg_snapshot_xmin(pg_current_snapshot())::text::int8<<16)+";
    (before, select.replacen("SELECT 0::int8 AS kind", ")::int4::int8 AS kind", 1))
}

enum Key {
    Id([u8; 16]),
    Serial(u32),
}

/// How the last entry of a subject is found.
fn last_of(subject: &Subject) -> Option<(Vec<Key>, &'static str)> {
    match subject {
        Subject::Pass(id) => Some((
            vec![Key::Id(id.lot().to_bytes()), Key::Serial(id.serial())],
            "SELECT last FROM passes.pass WHERE business=$1 AND lot=$2 AND serial=$3",
        )),
        Subject::Credit(contact, id) => Some((
            vec![Key::Id(contact.to_bytes()), Key::Id(id.to_bytes())],
            "SELECT last FROM passes.credit WHERE business=$1 AND contact=$2 AND id=$3",
        )),
        Subject::None | Subject::Passes { .. } => None,
    }
}

/// `$4` is the number below which a page begins, `$5` how many rows it has, `$6` the subject. A page goes on where the one
/// before it ended: mostly that is an entry of the chain itself, whose own link says how it goes on.
fn history_text(last: &str) -> String {
    // Whether a stored subject is this one, or a range that holds it: its first pass's lot and serial number, and how
    // many.
    let concerns = |column: &str| {
        format!(
            "({column}=$6 OR (length({column})=20 AND length($6)=16 \
             AND substring({column} FROM 1 FOR 12)=substring($6 FROM 1 FOR 12) \
             AND ({serial_of_subject})-({serial_of_range}) BETWEEN 0 AND ({count})-1))",
            serial_of_subject = number("$6", 12),
            serial_of_range = number(column, 12),
            count = number(column, 16),
        )
    };
    let next = format!(
        "CASE WHEN {} THEN coalesce(e.before_from,0) WHEN {} THEN coalesce(e.before_to,0) ELSE 0 END",
        concerns("e.from_subject"),
        concerns("e.to_subject")
    );
    format!(
        "WITH RECURSIVE start AS (SELECT coalesce((SELECT {next} FROM passes.entry e \
         WHERE e.business=$1 AND e.number=$4 AND ({from} OR {to})),({last})) AS number), \
         h AS (SELECT e.*,{next} AS next FROM start s, LATERAL (SELECT * FROM passes.entry \
         WHERE business=$1 AND number=s.number OFFSET 0) e \
         UNION ALL SELECT e.*,{next} AS next FROM h, LATERAL (SELECT * FROM passes.entry \
         WHERE business=$1 AND number=h.next AND h.next<h.number OFFSET 0) e) \
         {select}FROM (SELECT * FROM h WHERE number<$4 LIMIT $5) e, LATERAL (SELECT * FROM passes.operation \
         WHERE business=$1 AND number=e.number-e.nth OFFSET 0) o",
        from = concerns("e.from_subject"),
        to = concerns("e.to_subject"),
        select = ENTRY.select(0),
    )
}

/// Four bytes of a byte string as a number.
fn number(bytes: &str, from: u32) -> String {
    let byte =
        |at: u32, shift: u32| format!("(get_byte({bytes},{})::int8<<{shift})", from.saturating_add(at));
    format!("{}+{}+{}+{}", byte(0, 24), byte(1, 16), byte(2, 8), byte(3, 0))
}

/// Documents, passes and credits.
fn list(sql: &mut Sql<'_>, query: &PageQuery) {
    sql.args.push(Arg::id(query.business().to_bytes()));
    let after = |sql: &mut Sql<'_>, after: &Option<[u8; 16]>, column: &str| {
        if sql.flag(after.is_some())
            && let Some(after) = after
        {
            put!(sql, " AND {column}>");
            sql.arg(Arg::id(*after));
        }
    };
    match query {
        PageQuery::Docs { kind, parent, after: from, limit, .. } => {
            sql.note(b'd');
            put!(sql, "{}FROM passes.doc d WHERE d.business=$1 AND d.version>0 AND d.kind=", DOC.select(0));
            sql.arg(Arg::int(i64::from(*kind as u8)));
            if sql.flag(parent.is_some())
                && let Some(parent) = parent
            {
                put!(sql, " AND d.parent_kind=");
                sql.arg(Arg::int(i64::from(parent.kind as u8)));
                put!(sql, " AND d.parent_id=");
                sql.arg(Arg::id(parent.id));
            }
            after(sql, from, "d.id");
            put!(sql, " ORDER BY d.id LIMIT ");
            sql.arg(Arg::int((*limit).into()));
        }
        PageQuery::Passes { range, order, after, .. } => passes(sql, range, *order, *after),
        PageQuery::Credits { contact, after: from, limit, .. } => {
            sql.note(b'c');
            put!(sql, "{}FROM passes.credit c WHERE c.business=$1 AND c.contact=", CREDIT.select(0));
            sql.arg(Arg::id(contact.to_bytes()));
            after(sql, from, "c.id");
            put!(sql, " ORDER BY c.id LIMIT ");
            sql.arg(Arg::int((*limit).into()));
        }
        PageQuery::Operations { .. } | PageQuery::History { .. } => {}
    }
}

fn passes(sql: &mut Sql<'_>, range: &PassRange, order: PassOrder, after: Option<(Option<Instant>, PassId)>) {
    sql.note(b's');
    let lot = range.first.lot();
    let same = lot == range.last.lot();
    // Where to go on: a pass of another lot is before or behind all of this one.
    let after_serial = match after {
        Some((_, id)) if id.lot() > lot => i64::from(u32::MAX),
        Some((_, id)) if id.lot() == lot => id.serial().into(),
        _ => 0,
    };
    put!(sql, "{}FROM passes.pass p WHERE p.business=$1 AND p.lot=", PASS.select(0));
    sql.arg(Arg::id(lot.to_bytes()));
    put!(sql, " AND p.serial BETWEEN ");
    let first = i64::from(range.first.serial());
    match order {
        PassOrder::Serial => {
            sql.note(0);
            let next = after_serial.saturating_add(i64::from(after.is_some()));
            sql.arg(Arg::int(next.max(first)));
        }
        PassOrder::Expiry => {
            sql.note(1);
            sql.arg(Arg::int(first));
        }
    }
    put!(sql, " AND ");
    sql.arg(Arg::int(if same { range.last.serial().into() } else { -1 }));
    if order == PassOrder::Expiry {
        // The end of time stands for never.
        let expiry = after.map_or(i64::MIN, |(at, _)| at.map_or(i64::MAX, Instant::micros));
        put!(sql, " AND (coalesce(p.redeem_by,9223372036854775807),p.serial)>(");
        sql.arg(Arg::int(expiry));
        put!(sql, ",");
        sql.arg(Arg::int(after_serial));
        put!(sql, ") ORDER BY coalesce(p.redeem_by,9223372036854775807),p.serial LIMIT ");
    } else {
        put!(sql, " ORDER BY p.serial LIMIT ");
    }
    sql.arg(Arg::int(range.limit.into()));
}

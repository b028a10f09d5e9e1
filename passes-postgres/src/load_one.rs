//! What a redemption reads: a pass by its code, the documents of its lot, a few documents by name, what its key left. Each
//! is one row at most, so all of it is one, and the server has nothing to put together.

use crate::codec::{self, Columns, Part};
use crate::sql::{Sql, put};
use crate::values::{Arg, Values};
use passes_core::id::Id;
use passes_core::store::{Load, Loaded, StoreError};
use std::sync::Arc;
use tokio_postgres::Row;

/// So many documents by name are few.
const FEW: usize = 4;

/// Names of what the documents are looked up as: those of the lot, and the others.
const CHAIN: [(&str, &str, &str); 3] =
    [("l", "5", "p.lot"), ("t", "l.parent_kind", "l.parent_id"), ("n", "t.parent_kind", "t.parent_id")];
const NAMED: [&str; FEW] = ["d0", "d1", "d2", "d3"];

/// A document, up to the number of its kind.
const DOC: &str = " LEFT JOIN LATERAL (SELECT kind,id,version,parent_kind,parent_id,body FROM passes.doc \
                   WHERE business=$1 AND version>0 AND kind=";

/// Whether this load asks for such.
pub(crate) fn is_one(load: &Load) -> bool {
    let Load { business: _, docs, code, taken, passes, range, wallet, credits, tallies, key: _, operation } =
        load;
    let lists = taken.is_empty() && passes.is_empty() && credits.is_empty() && tallies.is_empty();
    let alone = range.is_none() && wallet.is_none() && operation.is_none();
    lists && alone && code.is_some() && docs.len() <= FEW
}

/// What the row is made of, in order.
fn parts(load: &Load) -> impl Iterator<Item = (&'static Part, &'static str)> {
    let named = NAMED.iter().take(load.docs.len()).copied();
    let docs = CHAIN.iter().map(|(name, ..)| *name).chain(named).map(|name| (&codec::DOC, name));
    std::iter::once((&codec::PASS, "p")).chain(docs).chain(load.key.map(|_| (&codec::KEYED, "o")))
}

/// Writes the statement.
pub(crate) fn write<'a>(sql: &mut Sql<'a>, load: &'a Load) {
    sql.args.push(Arg::id(load.business.to_bytes()));
    sql.note(u8::try_from(load.docs.len()).unwrap_or_default());
    let keyed = sql.flag(load.key.is_some());
    if sql.is_written() {
        let columns: Vec<String> = parts(load).map(|(part, name)| part.columns(name)).collect();
        put!(sql, "SELECT {}", columns.join(","));
    }
    put!(
        sql,
        " FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT lot,serial FROM passes.code WHERE business=$1 AND digest="
    );
    if let Some(code) = &load.code {
        sql.arg(Arg::one(Values::blobs([&code.as_bytes()[..]])));
    }
    put!(
        sql,
        " OFFSET 0) c ON true LEFT JOIN LATERAL (SELECT * FROM passes.pass \
         WHERE business=$1 AND lot=c.lot AND serial=c.serial OFFSET 0) p ON true"
    );
    for (name, kind, id) in CHAIN {
        put!(sql, "{DOC}{kind} AND id={id} OFFSET 0) {name} ON true");
    }
    for (name, key) in NAMED.iter().zip(&load.docs) {
        put!(sql, "{DOC}");
        sql.arg(Arg::int(i64::from(key.kind as u8)));
        put!(sql, " AND id=");
        sql.arg(Arg::id(key.id));
        put!(sql, " OFFSET 0) {name} ON true");
    }
    if keyed && let Some(key) = load.key {
        put!(sql, " LEFT JOIN LATERAL (SELECT operation,stops FROM passes.opkey WHERE business=$1 AND key=");
        sql.arg(Arg::id(key));
        put!(
            sql,
            " OFFSET 0) k ON true LEFT JOIN LATERAL (SELECT * FROM passes.operation \
             WHERE business=$1 AND number=k.operation OFFSET 0) o ON true"
        );
    }
}

/// Puts what the row says where it belongs.
pub(crate) fn read(load: &Load, rows: &[Row]) -> Result<Loaded, StoreError> {
    let [row] = rows else { return Err(crate::errors::corrupt("an answer")) };
    let mut found = Loaded::default();
    found.docs.reserve(CHAIN.len() + load.docs.len());
    let mut from = 0;
    for (nth, (part, _)) in parts(load).enumerate() {
        let mut columns = Columns::of_part(row, part, from);
        from += part.width();
        if columns.is_absent()? {
            continue;
        }
        match nth {
            0 => found.code = Some(columns.pass()?),
            _ if nth <= CHAIN.len() + load.docs.len() => {
                let doc = columns.doc()?;
                if found.doc(&doc.key).is_none() {
                    found.docs.push(doc);
                }
            }
            _ => {
                let stored = crate::load::keyed(&mut columns, load.key)?;
                found.stopped = stored.operation.stops.is_some();
                found.replay = Some(Arc::new(stored));
            }
        }
    }
    Ok(found)
}

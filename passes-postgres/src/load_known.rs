//! What redemptions read where the documents are known: the pass of each one's code, whether its key was used, and one
//! document by name. It is one statement for however many of them, and one plan: each look-up is by a key.

use crate::codec::{self, Columns};
use crate::errors::corrupt;
use crate::known::{Known, rests};
use crate::load::TAG;
use crate::load_one;
use crate::pool::Session;
use crate::sql::{Sql, put};
use crate::values::{Arg, Values};
use passes_core::id::Id;
use passes_core::store::{Doc, DocKey, Load, Loaded, StoreError};
use tokio_postgres::Row;

/// What was read for a command.
pub(crate) enum Read {
    /// All that it names.
    Whole(Loaded),
    /// What can have changed; the rest is as it was known, and rests on these versions.
    Known(Loaded, Vec<(DocKey, u32)>),
    /// Not enough: all that it names must be read.
    Lacking,
}

/// A load of which something is known.
struct Lean<'a> {
    load: &'a Load,
    docs: Vec<Doc>,
    other: Option<DocKey>,
}

impl<'a> Lean<'a> {
    fn of(known: &Known, load: &'a Load) -> Option<Self> {
        let (docs, other) = load_one::is_one(load).then(|| known.named(load.business, &load.docs))??;
        Some(Self { load, docs, other })
    }
}

impl Session {
    /// Reads what commands name, all of one business, in one round trip.
    pub(crate) async fn read_all(&mut self, loads: &[&Load]) -> Result<Vec<Read>, StoreError> {
        if !self.known().is_sure() || !self.is_plain() {
            return self.read_whole(loads).await;
        }
        let mut leans: Vec<Lean<'_>> = Vec::with_capacity(loads.len());
        let mut places = Vec::with_capacity(loads.len());
        for load in loads {
            let lean = Lean::of(self.known(), load);
            places.push(lean.is_some());
            leans.extend(lean);
        }
        if leans.is_empty() {
            return self.read_whole(loads).await;
        }
        let whole = loads.iter().zip(&places).filter(|(_, lean)| !**lean).map(|(load, _)| *load);
        let whole: Vec<&Load> = whole.collect();
        let mut all = Vec::with_capacity(whole.len() + 1);
        all.push(self.ready(TAG, |sql| write(sql, &leans)).await?);
        for load in &whole {
            all.push(self.ready_whole(load).await?);
        }
        let mut answers = self.query_all(&all).await.into_iter();
        let rows = answers.next().unwrap_or_else(|| Err(corrupt("an answer")))?;
        let mut found = read(self.known(), leans, &rows)?.into_iter();
        let mut whole = whole.into_iter().zip(answers);
        let mut reads = Vec::with_capacity(loads.len());
        for lean in places {
            reads.push(if lean {
                found.next().ok_or_else(|| corrupt("an answer"))?
            } else {
                let (load, rows) = whole.next().ok_or_else(|| corrupt("an answer"))?;
                Read::Whole(self.whole(load, &rows?)?)
            });
        }
        Ok(reads)
    }

    async fn read_whole(&mut self, loads: &[&Load]) -> Result<Vec<Read>, StoreError> {
        Ok(match loads {
            [load] => vec![Read::Whole(self.load(load).await?)],
            _ => self.load_all(loads).await?.into_iter().map(Read::Whole).collect(),
        })
    }
}

/// Writes the statement.
fn write<'a>(sql: &mut Sql<'a>, leans: &[Lean<'a>]) {
    // What tells it from other loads.
    sql.note(u8::MAX);
    let business = leans.first().map(|lean| lean.load.business.to_bytes()).unwrap_or_default();
    sql.args.push(Arg::id(business));
    let others = sql.flag(leans.iter().any(|lean| lean.other.is_some()));
    if sql.is_written() {
        put!(sql, "SELECT q.ord,{},k.operation", codec::PASS.columns("p"));
        if others {
            put!(sql, ",{}", codec::DOC.columns("d"));
        }
    }
    let code = |lean: &Lean<'a>| lean.load.code.as_ref().map(|code| code.as_bytes()[..].into());
    let kind = |lean: &Lean<'_>| lean.other.map(|key| i64::from(key.kind as u8));
    let mut columns = vec![
        ("digest", Values::maybe_blobs(leans.iter().map(code))),
        ("key", Values::maybe_ids(leans.iter().map(|lean| lean.load.key))),
    ];
    if others {
        columns.push(("kind", Values::maybe_ints(leans.iter().map(kind))));
        columns.push(("id", Values::maybe_ids(leans.iter().map(|lean| lean.other.map(|key| key.id)))));
    }
    put!(sql, " FROM ");
    sql.numbered("q", columns);
    put!(
        sql,
        " LEFT JOIN LATERAL (SELECT lot,serial FROM passes.code WHERE business=$1 AND digest=q.digest OFFSET 0) c ON true \
         LEFT JOIN LATERAL (SELECT * FROM passes.pass WHERE business=$1 AND lot=c.lot AND serial=c.serial OFFSET 0) p \
         ON true \
         LEFT JOIN LATERAL (SELECT operation FROM passes.opkey WHERE business=$1 AND key=q.key OFFSET 0) k ON true"
    );
    if others {
        put!(
            sql,
            " LEFT JOIN LATERAL (SELECT kind,id,version,parent_kind,parent_id,body FROM passes.doc \
             WHERE business=$1 AND version>0 AND kind=q.kind AND id=q.id OFFSET 0) d ON true"
        );
    }
}

/// Puts what the rows say with what is known.
fn read(known: &Known, leans: Vec<Lean<'_>>, rows: &[Row]) -> Result<Vec<Read>, StoreError> {
    let mut places: Vec<Option<&Row>> = vec![None; leans.len()];
    for row in rows {
        let ord: i64 = row.try_get(0).map_err(|_| corrupt("a row"))?;
        let at = usize::try_from(ord).ok().and_then(|ord| places.get_mut(ord.checked_sub(1)?));
        *at.ok_or_else(|| corrupt("a place"))? = Some(row);
    }
    leans.into_iter().zip(places).map(|(lean, row)| one(known, lean, row)).collect()
}

fn one(known: &Known, lean: Lean<'_>, row: Option<&Row>) -> Result<Read, StoreError> {
    let Lean { load, mut docs, other } = lean;
    let row = row.ok_or_else(|| corrupt("an answer"))?;
    let used: Option<i64> = row.try_get(1 + codec::PASS.width()).map_err(|_| corrupt("a number"))?;
    let mut columns = Columns::of_part(row, &codec::PASS, 1);
    // What isn't there can't be said to be as it was known.
    if used.is_some() || columns.is_absent()? {
        return Ok(Read::Lacking);
    }
    let pass = columns.pass()?;
    let Some(chain) = known.chain(load.business, pass.id.lot()) else {
        known.was_wrong();
        return Ok(Read::Lacking);
    };
    let rests = rests(docs.iter().chain(chain.docs()));
    if other.is_some() {
        let mut columns = Columns::of_part(row, &codec::DOC, 2 + codec::PASS.width());
        if !columns.is_absent()? {
            docs.push(columns.doc()?);
        }
    }
    Ok(Read::Known(Loaded { docs, chain: Some(chain), code: Some(pass), ..Loaded::default() }, rests))
}

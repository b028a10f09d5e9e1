//! What a command reads: one statement, whatever it names, so one snapshot and one round trip.
//!
//! Each look-up is a `LATERAL (… OFFSET 0)`: the planner can't but go by its key, whatever the size of the table was
//! when the plan was made.

use crate::codec::{self, Columns, Part, signed};
use crate::distributed::Base;
use crate::errors::{While, corrupt};
use crate::load_one;
use crate::pool::Session;
use crate::ready::Ready;
use crate::sql::{Sql, put};
use crate::values::{Arg, Values};
use passes_core::id::{ContactId, CreditId, Id, PassId};
use passes_core::ledger::StoredEntry;
use passes_core::pass::{CreditRow, PassRow, Tally};
use passes_core::store::{Load, Loaded, OperationKey, StoreError, StoredOperation, TallyKey};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_postgres::Row;

/// What tells this statement from others.
pub(crate) const TAG: u8 = b'l';

impl Session {
    /// Everything that a command names.
    pub(crate) async fn load(&mut self, load: &Load) -> Result<Loaded, StoreError> {
        if is_empty(load) {
            return read(load, &[]);
        }
        let one = self.one(load);
        let rows = self.query(TAG, |sql| write_any(sql, load, one), While::Reading).await?;
        self.whole(load, &rows)
    }

    /// The same for several commands, each in a snapshot of its own; all are asked for at once.
    pub(crate) async fn load_all(&mut self, loads: &[&Load]) -> Result<Vec<Loaded>, StoreError> {
        let mut all = Vec::with_capacity(loads.len());
        for load in loads {
            all.push(self.ready_whole(load).await?);
        }
        let answers = self.query_all(&all).await;
        loads.iter().zip(answers).map(|(load, rows)| self.whole(load, &rows?)).collect()
    }

    /// Makes the statement for one of several commands ready.
    pub(crate) async fn ready_whole<'a>(&mut self, load: &'a Load) -> Result<Ready<'a>, StoreError> {
        let one = self.one(load);
        self.ready(TAG, |sql| write_any(sql, load, one)).await
    }

    /// What its answer says.
    pub(crate) fn whole(&self, load: &Load, rows: &[Row]) -> Result<Loaded, StoreError> {
        let one = self.one(load);
        let found = read_any(load, one, rows)?;
        if one && let Some(pass) = &found.code {
            self.known().note(load.business, pass.id.lot(), &found.docs);
        }
        Ok(found)
    }

    /// Whether all that a load asks for comes in one row. Distributed tables have a function whose rows are all alike.
    fn one(&self, load: &Load) -> bool {
        self.base != Base::Home && load_one::is_one(load)
    }
}

/// Kinds of rows.
mod kind {
    pub(super) const DOC: u8 = 1;
    pub(super) const CODE: u8 = 2;
    pub(super) const PASS: u8 = 3;
    pub(super) const TALLY_PASS: u8 = 4;
    pub(super) const TAKEN: u8 = 5;
    pub(super) const CREDIT: u8 = 6;
    pub(super) const TALLY_CREDIT: u8 = 7;
    pub(super) const TALLY: u8 = 8;
    pub(super) const REPLAY: u8 = 9;
    pub(super) const OPERATION: u8 = 10;
    pub(super) const ENTRY: u8 = 11;
}

/// Passes by lot `q.lot` and serial number `q.serial`, as `p`.
const PASS_BY_KEY: &str =
    "LATERAL (SELECT * FROM passes.pass WHERE business=$1 AND lot=q.lot AND serial=q.serial OFFSET 0) p";
/// Credits by contact and id, as `c`.
const CREDIT_BY_KEY: &str =
    "LATERAL (SELECT * FROM passes.credit WHERE business=$1 AND contact=q.contact AND id=q.id OFFSET 0) c";
/// Documents by kind and id, as `d`.
const DOC_BY_KEY: &str = "LATERAL (SELECT kind,id,version,parent_kind,parent_id,body FROM passes.doc \
     WHERE business=$1 AND kind=q.kind AND id=q.id AND version>0 OFFSET 0) d";

/// Whose tallies are asked for: those of passes and of credits, and those that have a name.
#[derive(Default)]
struct Tallies {
    passes: Vec<PassId>,
    credits: Vec<(ContactId, CreditId)>,
    named: BTreeSet<[u8; 16]>,
}

impl Tallies {
    fn of(load: &Load) -> Self {
        let mut all = Self::default();
        for key in &load.tallies {
            match *key {
                TallyKey::Uses(pass) | TallyKey::Balance(pass) | TallyKey::Granted(pass) => {
                    all.passes.push(pass)
                }
                TallyKey::Credit(contact, id) => all.credits.push((contact, id)),
                TallyKey::Named(id, _) => {
                    all.named.insert(id);
                }
            }
        }
        all
    }
}

/// The statement and the branches that its answer is made of.
struct Writer<'s, 'a> {
    sql: &'s mut Sql<'a>,
    ctes: usize,
    branches: Vec<(Part, u8, &'static str)>,
    /// CTEs of rows that bring the chains of their lots.
    chained: Vec<&'static str>,
}

impl<'a> Writer<'_, 'a> {
    /// Begins a CTE: what is put then is in its brackets, until [`Writer::end`].
    fn begin(&mut self, name: &str) {
        put!(self.sql, "{}{name} AS MATERIALIZED (", if self.ctes == 0 { "WITH " } else { "), " });
        self.ctes += 1;
    }

    fn keys(&mut self, passes: impl Iterator<Item = PassId> + Clone) {
        put!(self.sql, "unnest(");
        self.sql.arg(Arg::array(Values::ids(passes.clone().map(|pass| pass.lot().to_bytes()))));
        put!(self.sql, ",");
        self.sql.arg(Arg::array(Values::ints(passes.map(PassId::serial))));
        put!(self.sql, ") AS q(lot,serial),{PASS_BY_KEY}");
    }

    fn credit_keys(&mut self, credits: &[(ContactId, CreditId)]) {
        put!(self.sql, "unnest(");
        self.sql.arg(Arg::array(Values::ids(credits.iter().map(|(contact, _)| contact.to_bytes()))));
        put!(self.sql, ",");
        self.sql.arg(Arg::array(Values::ids(credits.iter().map(|(_, id)| id.to_bytes()))));
        put!(self.sql, ") AS q(contact,id),{CREDIT_BY_KEY}");
    }
}

/// Whether there is nothing to ask.
fn is_empty(load: &Load) -> bool {
    let Load { business: _, docs, code, taken, passes, range, wallet, credits, tallies, key, operation } =
        load;
    let lists =
        docs.is_empty() && taken.is_empty() && passes.is_empty() && credits.is_empty() && tallies.is_empty();
    let range = range.filter(|range| range.first.lot() == range.last.lot());
    lists && code.is_none() && range.is_none() && wallet.is_none() && key.is_none() && operation.is_none()
}

/// Writes the statement, in the form that suits the load.
fn write_any<'a>(sql: &mut Sql<'a>, load: &'a Load, one: bool) {
    if sql.flag(one) { load_one::write(sql, load) } else { write(sql, load) }
}

fn read_any(load: &Load, one: bool, rows: &[Row]) -> Result<Loaded, StoreError> {
    if one { load_one::read(load, rows) } else { read(load, rows) }
}

/// Writes the statement for a load that asks for something.
fn write<'a>(sql: &mut Sql<'a>, load: &'a Load) {
    sql.args.push(Arg::id(load.business.to_bytes()));
    let tallies = Tallies::of(load);
    let mut all = Writer { sql, ctes: 0, branches: Vec::new(), chained: Vec::new() };
    rows(&mut all, load);
    chains(&mut all, load);
    if all.sql.flag(load.operation.is_some())
        && let Some(key) = &load.operation
    {
        all.begin("op");
        operation(all.sql, key);
        all.branches.push((codec::KEYED, kind::OPERATION, "op o, LATERAL (SELECT o.stops) k"));
        all.branches.push((
            codec::ENTRY,
            kind::ENTRY,
            "op o, LATERAL (SELECT * FROM passes.entry WHERE business=$1 AND number>o.number \
             AND number<=o.number+o.entries OFFSET 0) e",
        ));
    }
    if all.ctes > 0 {
        put!(all.sql, ") ");
    }
    let chained = !all.chained.is_empty();
    let Writer { sql, branches, .. } = all;
    let mut first = true;
    let mut union = |sql: &mut Sql<'a>, part: Part, kind: u8, from: &str| {
        put!(sql, "{}{}FROM {from}", if first { "" } else { " UNION ALL " }, part.select(kind));
        first = false;
    };
    for (part, kind, from) in branches {
        union(sql, part, kind, from);
    }
    // All documents in one branch: each branch has columns for everything, and they cost.
    let (chained, named) = (sql.flag(chained), sql.flag(!load.docs.is_empty()));
    if chained || named {
        union(sql, codec::DOC, kind::DOC, "(");
        if chained {
            put!(sql, "SELECT * FROM l UNION ALL SELECT * FROM t UNION ALL SELECT * FROM n");
        }
        if named {
            put!(sql, "{}SELECT d.* FROM unnest(", if chained { " UNION ALL " } else { "" });
            sql.arg(Arg::array(Values::ints(load.docs.iter().map(|key| key.kind as u8))));
            put!(sql, ",");
            sql.arg(Arg::array(Values::ids(load.docs.iter().map(|key| key.id))));
            put!(sql, ") AS q(kind,id),{DOC_BY_KEY}");
        }
        put!(sql, " OFFSET 0) d");
    }
    if sql.flag(!load.taken.is_empty()) {
        union(sql, codec::TAKEN, kind::TAKEN, "unnest(");
        sql.arg(Arg::array(Values::blobs(load.taken.iter().map(|digest| &digest.as_bytes()[..]))));
        put!(
            sql,
            ") WITH ORDINALITY AS q(digest,ord), \
             LATERAL (SELECT 1 FROM passes.code WHERE business=$1 AND digest=q.digest OFFSET 0) c"
        );
    }
    if sql.flag(!tallies.named.is_empty()) {
        // All slots of each: they lie beside each other.
        union(sql, codec::TALLY, kind::TALLY, "unnest(");
        sql.arg(Arg::array(Values::ids(tallies.named.iter().copied())));
        put!(
            sql,
            ") AS q(id), LATERAL (SELECT * FROM passes.tally WHERE business=$1 AND id=q.id OFFSET 0) t"
        );
    }
    if sql.flag(load.key.is_some())
        && let Some(key) = load.key
    {
        union(
            sql,
            codec::KEYED,
            kind::REPLAY,
            "(SELECT operation,stops FROM passes.opkey WHERE business=$1 AND key=",
        );
        sql.arg(Arg::id(key));
        put!(
            sql,
            " OFFSET 0) k, LATERAL (SELECT * FROM passes.operation \
             WHERE business=$1 AND number=k.operation OFFSET 0) o"
        );
    }
}

/// Passes and credits.
fn rows(all: &mut Writer<'_, '_>, load: &Load) {
    let tallies = Tallies::of(load);
    if all.sql.flag(load.code.is_some())
        && let Some(code) = &load.code
    {
        all.begin("c");
        put!(all.sql, "SELECT p.* FROM (SELECT lot,serial FROM passes.code WHERE business=$1 AND digest=");
        all.sql.arg(Arg::one(Values::maybe_blobs([Some(code.as_bytes().to_vec().into())])));
        put!(all.sql, " OFFSET 0) q,{PASS_BY_KEY}");
        all.branches.push((codec::PASS, kind::CODE, "c p"));
        all.chained.push("c");
    }
    if all.sql.flag(!load.passes.is_empty()) {
        all.begin("i");
        put!(all.sql, "SELECT p.* FROM ");
        all.keys(load.passes.iter().copied());
        all.branches.push((codec::PASS, kind::PASS, "i p"));
        all.chained.push("i");
    }
    let range = load.range.filter(|range| range.first.lot() == range.last.lot());
    if all.sql.flag(range.is_some())
        && let Some(range) = range
    {
        all.begin("r");
        put!(all.sql, "SELECT * FROM passes.pass WHERE business=$1 AND lot=");
        all.sql.arg(Arg::id(range.first.lot().to_bytes()));
        put!(all.sql, " AND serial BETWEEN ");
        all.sql.arg(Arg::int(range.first.serial().into()));
        put!(all.sql, " AND ");
        all.sql.arg(Arg::int(range.last.serial().into()));
        put!(all.sql, " ORDER BY serial LIMIT ");
        all.sql.arg(Arg::int(range.limit.into()));
        all.branches.push((codec::PASS, kind::PASS, "r p"));
        all.chained.push("r");
    }
    if all.sql.flag(load.wallet.is_some())
        && let Some(contact) = load.wallet
    {
        all.begin("w");
        put!(all.sql, "SELECT * FROM passes.credit WHERE business=$1 AND contact=");
        all.sql.arg(Arg::id(contact.to_bytes()));
        put!(all.sql, " AND coalesce(used,0)+coalesce(held,0)<coalesce(lim,0) ORDER BY id");
        all.branches.push((codec::CREDIT, kind::CREDIT, "w c"));
        all.chained.push("w");
    }
    if all.sql.flag(!load.credits.is_empty()) {
        all.begin("k");
        put!(all.sql, "SELECT c.* FROM ");
        all.credit_keys(&load.credits);
        all.branches.push((codec::CREDIT, kind::CREDIT, "k c"));
        all.chained.push("k");
    }
    if all.sql.flag(!tallies.passes.is_empty()) {
        all.begin("tp");
        put!(all.sql, "SELECT p.* FROM ");
        all.keys(tallies.passes.iter().copied());
        all.branches.push((codec::PASS, kind::TALLY_PASS, "tp p"));
    }
    if all.sql.flag(!tallies.credits.is_empty()) {
        all.begin("tc");
        put!(all.sql, "SELECT c.* FROM ");
        all.credit_keys(&tallies.credits);
        all.branches.push((codec::CREDIT, kind::TALLY_CREDIT, "tc c"));
    }
}

/// The lots' documents, their parents and the parents of those.
fn chains(all: &mut Writer<'_, '_>, load: &Load) {
    let Some((first, others)) = all.chained.split_first() else { return };
    // One pass has one lot, and that one chain.
    let distinct = if others.is_empty() && load.code.is_some() { "" } else { "DISTINCT " };
    let lots = format!("SELECT {distinct}lot AS id FROM {first}")
        + &others.iter().map(|name| format!(" UNION SELECT lot FROM {name}")).collect::<String>();
    all.begin("l");
    // 5 is DocKind::Lot.
    put!(all.sql, "SELECT d.* FROM (SELECT 5::int2 AS kind,id FROM ({lots}) x) q,{DOC_BY_KEY}");
    for (name, of) in [("t", "l"), ("n", "t")] {
        all.begin(name);
        put!(
            all.sql,
            "SELECT d.* FROM (SELECT {distinct}parent_kind AS kind,parent_id AS id FROM {of}) q,{DOC_BY_KEY}"
        );
    }
}

fn operation(sql: &mut Sql<'_>, key: &OperationKey) {
    match key {
        OperationKey::Number(number) => {
            sql.note(0);
            put!(sql, "SELECT *,NULL::bool AS stops FROM passes.operation WHERE business=$1 AND number=");
            sql.arg(Arg::int(signed(*number)));
        }
        OperationKey::Key(key) => {
            sql.note(1);
            put!(
                sql,
                "SELECT o.*,k.stops FROM (SELECT operation,stops FROM passes.opkey WHERE business=$1 AND key="
            );
            sql.arg(Arg::id(*key));
            put!(
                sql,
                " OFFSET 0) k, LATERAL (SELECT * FROM passes.operation \
                 WHERE business=$1 AND number=k.operation OFFSET 0) o"
            );
        }
    }
}

/// Puts the rows of an answer where they belong.
fn read(load: &Load, rows: &[Row]) -> Result<Loaded, StoreError> {
    let mut found = Loaded {
        taken: vec![false; load.taken.len()],
        tallies: vec![Tally::default(); load.tallies.len()],
        ..Loaded::default()
    };
    let (mut passes, mut credits): (Vec<PassRow>, Vec<CreditRow>) = (Vec::new(), Vec::new());
    let mut entries: Vec<StoredEntry> = Vec::new();
    for row in rows {
        let mut columns = Columns::new(row);
        match u8::try_from(Columns::kind(row)?).map_err(|_| corrupt("a row"))? {
            kind::DOC => {
                let doc = columns.doc()?;
                if found.doc(&doc.key).is_none() {
                    found.docs.push(doc);
                }
            }
            kind::CODE => found.code = Some(columns.pass()?),
            kind::PASS => found.passes.push(columns.pass()?),
            kind::TALLY_PASS => passes.push(columns.pass()?),
            kind::TAKEN => {
                // Places are counted from 1.
                let at = columns.place()?.wrapping_sub(1);
                *found.taken.get_mut(at).ok_or_else(|| corrupt("a place"))? = true;
            }
            kind::CREDIT => found.credits.push(columns.credit()?),
            kind::TALLY_CREDIT => credits.push(columns.credit()?),
            kind::TALLY => {
                let (id, slot, tally) = columns.named_tally()?;
                let key = TallyKey::Named(id, slot);
                let asked = load.tallies.iter().zip(&mut found.tallies).filter(|(asked, _)| **asked == key);
                asked.for_each(|(_, found)| *found = tally);
            }
            kind::REPLAY => {
                let stored = keyed(&mut columns, load.key)?;
                found.stopped = stored.operation.stops.is_some();
                found.replay = Some(Arc::new(stored));
            }
            kind::OPERATION => {
                let key = match load.operation {
                    Some(OperationKey::Key(key)) => Some(key),
                    _ => None,
                };
                found.operation = Some((Arc::new(keyed(&mut columns, key)?), Vec::new()));
            }
            kind::ENTRY => entries.push(columns.entry()?),
            _ => return Err(corrupt("a row")),
        }
    }
    found.passes.sort_unstable_by_key(|pass| pass.id);
    found.passes.dedup_by_key(|pass| pass.id);
    found.credits.sort_unstable_by_key(|credit| (credit.contact, credit.id));
    found.credits.dedup_by_key(|credit| (credit.contact, credit.id));
    if let Some((_, of)) = &mut found.operation {
        entries.sort_unstable_by_key(|entry| entry.number);
        *of = entries;
    }
    for (key, tally) in load.tallies.iter().zip(&mut found.tallies) {
        let pass = |id: &PassId| passes.iter().find(|pass| pass.id == *id);
        let stored = match key {
            TallyKey::Uses(id) => pass(id).map(|pass| pass.uses),
            TallyKey::Balance(id) => pass(id).map(|pass| pass.balance),
            TallyKey::Granted(id) => pass(id).map(|pass| pass.granted),
            TallyKey::Credit(contact, id) => {
                credits.iter().find(|row| row.contact == *contact && row.id == *id).map(|row| row.amount)
            }
            TallyKey::Named(..) => None,
        };
        *tally = stored.unwrap_or(*tally);
    }
    Ok(found)
}

/// An operation, with the key by which it was found.
pub(crate) fn keyed(columns: &mut Columns<'_>, key: Option<[u8; 16]>) -> Result<StoredOperation, StoreError> {
    let (mut stored, _, fingerprint) = columns.operation()?;
    let stops = columns.flag()?;
    if stops {
        stored.operation.stops = key;
    } else {
        stored.operation.key = key.zip(fingerprint);
    }
    Ok(stored)
}

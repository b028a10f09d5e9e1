//! Redemptions in PostgreSQL by hand: a connection, and the statements that write the rows which the store writes.

use crate::run::Made;
use crate::world::MASTER;
use passes_core::id::{BusinessId, Id, Ids, OperationId};
use passes_core::ledger::{Account, Mark, Unit};
use passes_core::operation::Kind;
use passes_core::passcode::{CodeHash, fold};
use passes_core::secret::{Key, Keyring, Purpose};
use passes_core::store::DocKind;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

/// All that a redemption must know: the pass, its lot, terms and plan, the settings, and whether the key was used.
const SELECT: &str = "SELECT p.lot,p.serial,p.version,coalesce(p.uses_used,0),coalesce(p.balance_used,0),\
     coalesce(p.balance_lim,0),p.redeem_by,l.version,l.body,t.body,n.version,n.body,b.version,b.body,k.operation \
     FROM passes.code c JOIN passes.pass p USING (business,lot,serial) \
     JOIN passes.doc l ON l.business=c.business AND l.kind=$4 AND l.id=c.lot \
     JOIN passes.doc t ON t.business=c.business AND t.kind=l.parent_kind AND t.id=l.parent_id \
     JOIN passes.doc n ON n.business=c.business AND n.kind=t.parent_kind AND n.id=t.parent_id \
     JOIN passes.doc b ON b.business=c.business AND b.kind=$5 AND b.id=c.business \
     LEFT JOIN passes.opkey k ON k.business=c.business AND k.key=$3 \
     WHERE c.business=$1 AND c.digest=$2";

const NUMBER: &str = "(pg_current_xact_id()::text::int8<<16)";

const TAKE: &str = "UPDATE passes.pass SET balance_used=coalesce(balance_used,0)+$4,\
     uses_used=nullif(coalesce(uses_used,0)+$5,0),prev=last,last=NUMBER+1 \
     WHERE business=$1 AND lot=$2 AND serial=$3 AND version=$6 \
     AND coalesce(balance_used,0)+coalesce(balance_held,0)+$4<=balance_lim RETURNING coalesce(uses_used,0) AS uses_used,uses_lim,balance_used,balance_lim,prev";

const OPERATION: &str = "INSERT INTO passes.operation(business,number,id,kind,at,booked,actor,place,channel,entries,\
     fingerprint,after,receipt,events)";

const ENTRY: &str = "INSERT INTO passes.entry(business,number,nth,from_account,to_account,unit,mark,amount,before_from,\
     from_subject)";

/// What a client does by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A SELECT, and one statement of CTEs.
    Cte,
    /// BEGIN, a SELECT that locks, the writes one by one, COMMIT.
    Transaction,
    /// One number of one row of its own, by its key.
    Update,
}

/// A connection with its statements, on the thread that uses it.
pub(crate) struct Hand {
    runtime: Runtime,
    client: Client,
    business: BusinessId,
    digest: Key,
    number: i32,
    made: u64,
    /// How long the receipt and the events are: as long as those of the library.
    lengths: (usize, usize),
    select: Statement,
    lock: Statement,
    commit: Statement,
    singly: [Statement; 4],
    update: Statement,
}

/// What was found.
struct Found {
    lot: Uuid,
    serial: i64,
    version: i32,
    used: i64,
}

impl Hand {
    /// Connects as client `number`.
    pub(crate) fn connect(
        url: &str,
        business: BusinessId,
        number: i32,
        lengths: (usize, usize),
    ) -> Made<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(connection);
        // As good as it can be: planned once, and by the keys.
        runtime
            .block_on(client.batch_execute(
                "SET plan_cache_mode=force_generic_plan; SET enable_seqscan=off; SET jit=off",
            ))?;
        let prepare = |text: &str| runtime.block_on(client.prepare(text));
        let take = TAKE.replace("NUMBER", NUMBER);
        let in_cte = TAKE.replace("NUMBER", "n.base").replace(" WHERE business", " FROM n WHERE business");
        let commit = prepare(&format!(
            "WITH n AS (SELECT {NUMBER} AS base),p AS ({in_cte}),\
             o AS ({OPERATION} SELECT $1,n.base,$7,$8,$9,$9,$10,$11,$12,1,$13,\
             ARRAY[p.uses_used,0,p.uses_lim,p.balance_used,0,p.balance_lim],$14,$15 FROM n,p),\
             k AS (INSERT INTO passes.opkey SELECT $1,$16,n.base,false FROM n,p),\
             e AS ({ENTRY} SELECT $1,n.base+1,1,$17,$18,$19,$20,$4,p.prev,$21 FROM n,p) \
             SELECT 1/(SELECT count(*) FROM p)"
        ))?;
        let singly = [
            prepare(&take)?,
            prepare(&format!("{OPERATION} VALUES ($1,{NUMBER},$2,$3,$4,$4,$5,$6,$7,1,$8,$9,$10,$11)"))?,
            prepare(&format!("INSERT INTO passes.opkey VALUES ($1,$2,{NUMBER},false)"))?,
            prepare(&format!("{ENTRY} VALUES ($1,{NUMBER}+1,1,$2,$3,$4,$5,$6,$7,$8)"))?,
        ];
        let (select, lock) = (prepare(SELECT)?, prepare(&format!("{SELECT} FOR UPDATE OF p"))?);
        runtime.block_on(client.batch_execute(&format!(
            "CREATE TABLE IF NOT EXISTS public.counter (id int4 PRIMARY KEY, n int8 NOT NULL);\
             INSERT INTO public.counter VALUES ({number},0) ON CONFLICT DO NOTHING"
        )))?;
        let update = runtime.block_on(client.prepare("UPDATE public.counter SET n=n+1 WHERE id=$1"))?;
        let ring = Keyring::from_master("k1", &MASTER)?;
        let (_, digest) = ring.require_current(Purpose::Digest)?;
        let digest = digest.clone();
        let made = u64::try_from(number)? << 40;
        Ok(Self {
            runtime,
            client,
            business,
            digest,
            number,
            made,
            lengths,
            select,
            lock,
            commit,
            singly,
            update,
        })
    }

    /// Redeems a part of a card, or does what is done instead.
    pub(crate) fn redeem(&mut self, way: Way, code: &str, key: &str, amount: i64) -> Made<()> {
        self.made += 1;
        let Self { runtime, client, .. } = self;
        if way == Way::Update {
            runtime.block_on(client.execute(&self.update, &[&self.number]))?;
            return Ok(());
        }
        let business = Uuid::from_bytes(self.business.to_bytes());
        let digest = CodeHash::of(self.business.as_bytes(), &fold(code)?).digest(&self.digest);
        let key_hash = blake3::hash(key.as_bytes());
        let half = |hash: &blake3::Hash| Uuid::from_slice(hash.as_bytes().split_at(16).0);
        let (key, fingerprint) = (half(&key_hash)?, half(&blake3::hash(digest.as_bytes()))?);
        let now = passes_core::calendar::Instant::EPOCH.micros() + i64::try_from(self.made)?;
        let mut seed = [0; 32];
        seed.split_at_mut(8).0.copy_from_slice(&self.made.to_le_bytes());
        let id: OperationId = Ids::new(&seed, passes_core::calendar::Instant::EPOCH).draw();
        let id = Uuid::from_bytes(id.to_bytes());
        let (receipt, events) = (vec![1_u8; self.lengths.0], vec![1_u8; self.lengths.1]);
        let kinds = (DocKind::Lot as i16, DocKind::Business as i16);
        let kind = i16::from(Kind::SpendPass.number());
        let (from, to) = (i16::from(Account::Outstanding.number()), i16::from(Account::Settled.number()));
        let unit = i16::try_from(Unit::Money(passes_core::money::Currency::EUR).number())?;
        let mark = i16::from(Mark::Paid as u8);
        let (actor, place, channel) = ("till-07", "store-012", "pos");
        let select = if way == Way::Cte { &self.select } else { &self.lock };
        runtime.block_on(async {
            if way == Way::Transaction {
                client.batch_execute("BEGIN").await?;
            }
            let digest: &[u8] = digest.as_bytes();
            let row = client.query_one(select, &[&business, &digest, &key, &kinds.0, &kinds.1]).await?;
            let Found { lot, serial, version, used } = found(&row, amount)?;
            let uses = i64::from(used == 0);
            let subject = [&lot.as_bytes()[..12], &u32::try_from(serial)?.to_be_bytes()].concat();
            if way == Way::Cte {
                let row = client
                    .query_one(
                        &self.commit,
                        &[
                            &business,
                            &lot,
                            &serial,
                            &amount,
                            &uses,
                            &version,
                            &id,
                            &kind,
                            &now,
                            &actor,
                            &place,
                            &channel,
                            &fingerprint,
                            &receipt,
                            &events,
                            &key,
                            &from,
                            &to,
                            &unit,
                            &mark,
                            &subject,
                        ],
                    )
                    .await?;
                return if row.get::<_, i64>(0) == 1 { Ok(()) } else { Err("nothing was taken".into()) };
            }
            let [take, operation, opkey, entry] = &self.singly;
            let taken = client.query_one(take, &[&business, &lot, &serial, &amount, &uses, &version]).await?;
            let after: Vec<i64> = vec![taken.get(0), 0, taken.get(1), taken.get(2), 0, taken.get(3)];
            let before: Option<i64> = taken.get(4);
            client
                .execute(
                    operation,
                    &[
                        &business,
                        &id,
                        &kind,
                        &now,
                        &actor,
                        &place,
                        &channel,
                        &fingerprint,
                        &after,
                        &receipt,
                        &events,
                    ],
                )
                .await?;
            client.execute(opkey, &[&business, &key]).await?;
            client.execute(entry, &[&business, &from, &to, &unit, &mark, &amount, &before, &subject]).await?;
            client.batch_execute("COMMIT").await?;
            Ok(())
        })
    }
}

/// What must hold of the pass.
fn found(row: &Row, amount: i64) -> Made<Found> {
    let (used, limit): (i64, i64) = (row.get(4), row.get(5));
    let bodies: usize = [8, 9, 11, 13].map(|at| row.get::<_, &[u8]>(at).len()).iter().sum();
    if row.get::<_, Option<i64>>(14).is_some() || used + amount > limit || bodies == 0 {
        return Err("the pass can't be redeemed".into());
    }
    Ok(Found { lot: row.get(0), serial: row.get(1), version: row.get(2), used: row.get(3) })
}

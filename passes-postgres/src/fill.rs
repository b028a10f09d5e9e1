//! A chunk of a lot: its rows by COPY, the rest by the statement that any commit is, all in one transaction.

use crate::codec::{bits, nonzero};
use crate::commit;
use crate::distributed::Base;
use crate::errors::{Failed, While, broken, corrupt, told};
use crate::plan::{Fresh, Plan};
use crate::pool::Session;
use crate::ready::ABANDONED;
use crate::values::{Blob, Uuid};
use passes_core::calendar::Instant;
use passes_core::id::Id;
use passes_core::pass::PassRow;
use passes_core::passcode::Digest;
use passes_core::store::{After, Chunk, Load, StoreError};
use std::collections::HashSet;
use std::pin::pin;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

const PASSES: &str = "COPY passes.pass(business,lot,serial,version,standing,flags,activated,redeem_by,value,uses_used,\
     uses_held,uses_lim,balance_used,balance_held,balance_lim,granted_used,granted_held,granted_lim,holder,successor,\
     sale,code_try,fields,last) FROM STDIN (FORMAT binary)";
const PASS_TYPES: [Type; 24] = [
    Type::UUID,
    Type::UUID,
    Type::INT8,
    Type::INT4,
    Type::INT2,
    Type::INT4,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::INT4,
    Type::BYTEA,
    Type::INT8,
];
const CODES: &str = "COPY passes.code(business,digest,lot,serial) FROM STDIN (FORMAT binary)";
const CODE_TYPES: [Type; 4] = [Type::UUID, Type::BYTEA, Type::UUID, Type::INT8];

fn reading(error: &tokio_postgres::Error) -> StoreError {
    told(error, While::Reading)
}

impl Session {
    /// Begins a transaction. A session that is given back within one isn't used again.
    pub(crate) async fn begin(&mut self, how: &str) -> Result<(), StoreError> {
        self.open = true;
        self.trip();
        let text = format!("BEGIN {how}; {}", self.local());
        self.client.batch_execute(&text).await.map_err(|error| reading(&error))
    }

    pub(crate) async fn roll_back(&mut self) -> Result<(), StoreError> {
        // What was not sent yet isn't wanted any more.
        (self.first, self.last) = (None, None);
        self.trip();
        self.serves.serve(self.client.batch_execute("ROLLBACK")).await.map_err(|error| reading(&error))?;
        self.open = false;
        Ok(())
    }

    /// Commits a chunk.
    pub(crate) async fn fill(&mut self, chunk: &Chunk) -> Result<After, StoreError> {
        let hold = |row: &PassRow| row.uses.holds() && row.balance.holds() && row.granted.holds();
        if !chunk.passes.iter().all(hold) {
            return Err(StoreError::Conflict);
        }
        if !chunk.passes.is_sorted_by(|a, b| a.id < b.id) {
            return Err(broken("the passes of a chunk are not in the order of their ids"));
        }
        let mut plan = Plan::new(chunk.change.business);
        let lasts = plan.add(&chunk.change, Fresh::new(&chunk.passes))?;
        for _ in 0..crate::AGAIN {
            let failed = match self.filling(chunk, &plan, &lasts).await {
                Ok(after) => return Ok(after),
                Err(failed) => failed,
            };
            if self.open {
                // What went wrong first is told, whatever else does.
                let _ = self.roll_back().await;
            }
            match failed.error {
                StoreError::Taken(_) => return Err(StoreError::Taken(self.taken(chunk).await?)),
                error if !failed.again => return Err(error),
                _ => {}
            }
        }
        Err(StoreError::Conflict)
    }

    async fn filling(
        &mut self,
        chunk: &Chunk,
        plan: &Plan<'_>,
        lasts: &[Option<i64>],
    ) -> Result<After, Failed> {
        // Readers of events wait for it, too.
        self.begin(&format!("ISOLATION LEVEL READ COMMITTED; {ABANDONED}")).await?;
        let base = self.base;
        let rows = self.query(commit::NUMBER, |sql| commit::number(sql, plan, base), While::Reading).await?;
        let number: i64 =
            rows.first().and_then(|row| row.try_get(1).ok()).ok_or_else(|| corrupt("a number"))?;
        // The passes first, then the guards: a chunk that landed before fails here, and not at its codes.
        self.copy_passes(chunk, lasts, number).await?;
        let rows = self.query(commit::TAG, |sql| commit::write(sql, plan, base), While::Reading).await?;
        let after = commit::read(plan, &rows)?.pop().ok_or_else(|| corrupt("an answer"))?;
        match self.copy_codes(chunk).await {
            Err(StoreError::Conflict) => return Err(StoreError::Taken(Vec::new()).into()),
            copied => copied?,
        }
        self.trip();
        let committed = self.client.batch_execute("COMMIT").await;
        committed.map_err(|error| told(&error, While::Committing))?;
        // One that was stopped before it began leaves the transaction open.
        self.open = false;
        Ok(after)
    }

    async fn copy_passes(&self, chunk: &Chunk, lasts: &[Option<i64>], number: i64) -> Result<(), StoreError> {
        if chunk.passes.is_empty() {
            return Ok(());
        }
        let business = Uuid(chunk.change.business.to_bytes());
        let sink = self.copy(PASSES).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &PASS_TYPES));
        for (row, last) in chunk.passes.iter().zip(lasts) {
            let int4 = |number: u32| bits(number).map(|_| number.cast_signed());
            let tally = |tally: passes_core::pass::Tally| {
                [nonzero(tally.used), nonzero(tally.held), nonzero(tally.limit)]
            };
            let [uu, uh, ul] = tally(row.uses);
            let [bu, bh, bl] = tally(row.balance);
            let [gu, gh, gl] = tally(row.granted);
            let id = |id: Option<[u8; 16]>| id.map(Uuid);
            let values: [&(dyn ToSql + Sync); 24] = [
                &business,
                &Uuid(row.id.lot().to_bytes()),
                &i64::from(row.id.serial()),
                &1_i32,
                &i16::from(row.standing as u8),
                &int4(row.flags),
                &row.activated.map(Instant::micros),
                &row.redeem_by.map(Instant::micros),
                &row.value,
                &uu,
                &uh,
                &ul,
                &bu,
                &bh,
                &bl,
                &gu,
                &gh,
                &gl,
                &id(row.holder.map(Id::to_bytes)),
                &id(row.successor.map(Id::to_bytes)),
                &id(row.sale.map(Id::to_bytes)),
                &int4(row.code_try),
                &row.fields.as_deref(),
                &last.map(|last| number.saturating_add(last)),
            ];
            writer.as_mut().write(&values).await.map_err(|error| self.copied(&error))?;
        }
        self.trip();
        writer.finish().await.map_err(|error| self.copied(&error)).map(drop)
    }

    async fn copy_codes(&self, chunk: &Chunk) -> Result<(), StoreError> {
        if chunk.codes.is_empty() {
            return Ok(());
        }
        let business = Uuid(chunk.change.business.to_bytes());
        let sink = self.copy(CODES).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &CODE_TYPES));
        for code in &chunk.codes {
            let values: [&(dyn ToSql + Sync); 4] = [
                &business,
                &Blob(code.digest.as_bytes()[..].into()),
                &Uuid(code.pass.lot().to_bytes()),
                &i64::from(code.pass.serial()),
            ];
            writer.as_mut().write(&values).await.map_err(|error| self.copied(&error))?;
        }
        self.trip();
        writer.finish().await.map_err(|error| self.copied(&error)).map(drop)
    }

    /// Judges what a COPY was answered with. Citus tells of a key that is there already without saying so in its code.
    fn copied(&self, error: &tokio_postgres::Error) -> StoreError {
        let keys = ["pass_pkey", "code_pkey"];
        let again = |text: &str| keys.iter().any(|key| text.contains(key));
        match error.as_db_error() {
            Some(db) if self.base == Base::Home && again(db.message()) => StoreError::Conflict,
            _ => reading(error),
        }
    }

    async fn copy(&self, text: &str) -> Result<tokio_postgres::CopyInSink<bytes::Bytes>, StoreError> {
        self.trip();
        self.client.copy_in(text).await.map_err(|error| reading(&error))
    }

    /// Which of a chunk's codes are taken: by what is stored, or by one before them in the chunk.
    async fn taken(&mut self, chunk: &Chunk) -> Result<Vec<usize>, StoreError> {
        let taken = chunk.codes.iter().map(|code| code.digest).collect();
        let load = Load { taken, ..Load::new(chunk.change.business) };
        let found = self.load(&load).await?;
        let mut seen: HashSet<Digest> = chunk.change.claim.iter().map(|claim| claim.digest).collect();
        let codes = chunk.codes.iter().zip(found.taken).enumerate();
        Ok(codes.filter(|(_, (code, taken))| !seen.insert(code.digest) || *taken).map(|(at, _)| at).collect())
    }
}

//! Audits: everything of a business in one snapshot, read from the tables themselves.

use crate::codec::{CODE, CREDIT, Columns, DOC, ENTRY_ALONE, KEY, OPERATION, PASS, Part, TALLY, signed};
use crate::distributed::{self, Base};
use crate::errors::{While, corrupt, told};
use crate::pool::Session;
use crate::values::Arg;
use futures_util::TryStreamExt;
use passes_core::id::{BusinessId, Id};
use passes_core::passcode::Digest;
use passes_core::store::{AuditRow, Auditor, StoreError, StoredOperation};
use std::pin::pin;
use std::sync::Arc;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, RowStream};

/// Rows are read and sorted, and not found by an index that should agree with them.
const WHOLE: &str = "SET LOCAL enable_seqscan=on; SET LOCAL enable_indexscan=off; \
     SET LOCAL enable_indexonlyscan=off; SET LOCAL enable_bitmapscan=off; SET LOCAL plan_cache_mode=auto";

/// Below which number nothing can appear any more, in this snapshot.
fn fence(base: Base) -> (&'static str, Option<Arg<'static>>) {
    match base {
        Base::Added(base) => {
            ("(pg_snapshot_xmin(pg_current_snapshot())::text::int8<<16)+$3", Some(Arg::int(base)))
        }
        Base::Home => (distributed::FENCE, None),
    }
}

fn reading(error: &tokio_postgres::Error) -> StoreError {
    told(error, While::Reading)
}

impl Session {
    /// All rows of a business.
    pub(crate) async fn audit(&mut self, business: BusinessId, each: &mut Auditor) -> Result<(), StoreError> {
        self.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let done = self.auditing(business, each).await;
        // What went wrong first is told, whatever else does.
        let _ = self.roll_back().await;
        done
    }

    async fn auditing(&mut self, business: BusinessId, each: &mut Auditor) -> Result<(), StoreError> {
        let propagate = if self.base == Base::Home { distributed::PROPAGATE } else { "" };
        let settings = format!("{propagate}{WHOLE}");
        self.client.batch_execute(&settings).await.map_err(|error| reading(&error))?;
        let from =
            |table: &str, order: &str| format!("FROM passes.{table} WHERE business=$1 ORDER BY {order}");
        let docs = "FROM passes.doc d WHERE business=$1 AND version>0 ORDER BY d.kind,d.id";
        self.each("document", DOC, docs, business, each, |columns| columns.doc().map(AuditRow::Doc)).await?;
        self.each("pass", PASS, &from("pass p", "p.lot,p.serial"), business, each, |columns| {
            Ok(AuditRow::Pass(Box::new(columns.pass()?)))
        })
        .await?;
        self.books(business, 0, false, each).await?;
        self.each("credit", CREDIT, &from("credit c", "c.contact,c.id"), business, each, |columns| {
            Ok(AuditRow::Credit(Box::new(columns.credit()?)))
        })
        .await?;
        self.each("tally", TALLY, &from("tally t", "t.id,t.slot"), business, each, |columns| {
            let (id, slot, tally) = columns.named_tally()?;
            Ok(AuditRow::Tally(id, slot, tally))
        })
        .await?;
        self.each("code", CODE, &from("code c", "c.digest"), business, each, |columns| {
            let serial = columns.serial()?;
            let digest = Digest::from_bytes(columns.digest()?);
            Ok(AuditRow::Code(digest, columns.pass_of(serial)?))
        })
        .await?;
        self.each("key", KEY, &from("opkey k", "k.key"), business, each, |columns| {
            let (number, stops) = (columns.number()?, columns.flag()?);
            Ok(AuditRow::Key(columns.id()?, number, stops))
        })
        .await
    }

    /// The operations above a number of which nothing can appear below any more, each with its entries behind it; or, when
    /// some may still appear, false, if that isn't to be borne.
    pub(crate) async fn ledger(
        &mut self,
        business: BusinessId,
        after: u64,
        bear: bool,
        each: &mut Auditor,
    ) -> Result<bool, StoreError> {
        self.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let done = async {
            if !bear && self.is_unsettled(business, after).await? {
                return Ok(false);
            }
            self.books(business, after, true, each).await?;
            Ok(true)
        };
        let done = done.await;
        // What went wrong first is told, whatever else does.
        let _ = self.roll_back().await;
        done
    }

    async fn is_unsettled(&mut self, business: BusinessId, after: u64) -> Result<bool, StoreError> {
        self.trip();
        let (fence, base) = fence(self.base);
        let text = format!(
            "SELECT EXISTS (SELECT 1 FROM passes.operation WHERE business=$1 AND number>$2 AND number>={fence})"
        );
        let mut args = vec![Arg::id(business.to_bytes()), Arg::int(signed(after))];
        args.extend(base);
        let args: Vec<(&(dyn ToSql + Sync), Type)> = args.iter().map(|arg| (arg as _, arg.ty())).collect();
        let rows = self.client.query_typed(&text, &args).await.map_err(|error| reading(&error))?;
        rows.first().and_then(|row| row.try_get(0).ok()).ok_or_else(|| corrupt("an answer"))
    }

    /// Operations and entries, in the order of their numbers: those of an operation come right behind it.
    async fn books(
        &mut self,
        business: BusinessId,
        after: u64,
        settled: bool,
        each: &mut Auditor,
    ) -> Result<(), StoreError> {
        let (fence, base) = fence(self.base);
        let below = if settled { format!(" AND number<{fence}") } else { String::new() };
        let of = |table: &str, operation: &str| {
            format!("FROM passes.{table} WHERE business=$1 AND number>$2 AND {operation}>$2{below}")
        };
        let text = format!(
            "{}{} UNION ALL {}{} ORDER BY n0",
            OPERATION.select(1),
            of("operation o", "number"),
            ENTRY_ALONE.select(2),
            of("entry e", "number-nth")
        );
        let mut args = vec![Arg::id(business.to_bytes()), Arg::int(signed(after))];
        if settled {
            args.extend(base);
        }
        let mut rows = pin!(self.stream(&text, args).await?);
        let mut last: Option<Arc<StoredOperation>> = None;
        while let Some(row) = rows.try_next().await.map_err(|error| reading(&error))? {
            let mut columns = Columns::new(&row);
            if Columns::kind(&row)? == 1 {
                last = None;
                each(told_row(
                    "operation",
                    &row,
                    operation(&mut columns).map(|(row, stored)| {
                        last = Some(stored);
                        row
                    }),
                )?);
                continue;
            }
            let entry = columns.entry().and_then(|mut entry| match &last {
                Some(stored) if stored.number == entry.operation => {
                    (entry.at, entry.booked) = (stored.operation.at, stored.operation.booked);
                    Ok(AuditRow::Entry(entry))
                }
                _ => Err(StoreError::Corrupt(format!(
                    "it belongs to operation {}, which is not there",
                    entry.operation
                ))),
            });
            each(told_row("entry", &row, entry)?);
        }
        Ok(())
    }

    async fn each(
        &mut self,
        what: &str,
        part: Part,
        from: &str,
        business: BusinessId,
        each: &mut Auditor,
        read: impl Fn(&mut Columns<'_>) -> Result<AuditRow, StoreError>,
    ) -> Result<(), StoreError> {
        let text = format!("{}{from}", part.select(0));
        let mut rows = pin!(self.stream(&text, vec![Arg::id(business.to_bytes())]).await?);
        while let Some(row) = rows.try_next().await.map_err(|error| reading(&error))? {
            each(told_row(what, &row, read(&mut Columns::new(&row)))?);
        }
        Ok(())
    }

    /// Rows as they come: the server waits for who reads them.
    async fn stream(&self, text: &str, args: Vec<Arg<'_>>) -> Result<RowStream, StoreError> {
        self.trip();
        let args: Vec<(&(dyn ToSql + Sync), Type)> = args.iter().map(|arg| (arg as _, arg.ty())).collect();
        self.client.query_typed_raw(text, args).await.map_err(|error| reading(&error))
    }
}

fn operation(columns: &mut Columns<'_>) -> Result<(AuditRow, Arc<StoredOperation>), StoreError> {
    let (stored, entries, fingerprint) = columns.operation()?;
    let stored = Arc::new(stored);
    let row = AuditRow::Operation { stored: Arc::clone(&stored), keyed: fingerprint.is_some(), entries };
    Ok((row, stored))
}

/// A row as it is told: one that can't be read as a fault, with its first number. That the table can't be read at all ends
/// the audit.
fn told_row(what: &str, row: &Row, read: Result<AuditRow, StoreError>) -> Result<AuditRow, StoreError> {
    match read {
        Err(StoreError::Corrupt(why)) => {
            let number: Option<i64> = row.try_get(1).ok().flatten();
            let number = number.map_or_else(|| "?".to_owned(), |number| number.to_string());
            Ok(AuditRow::Fault(format!("{what} {number}: {why}")))
        }
        row => row,
    }
}

//! The tables, and how a database is brought to their newest form.

use crate::distributed;
use crate::errors::{While, told};
use passes_core::store::StoreError;
use tokio_postgres::{Client, SimpleQueryMessage};

/// Numbered from 1: what each adds to the one before. One that was released never changes.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// Who migrates holds this lock, of this database: "PASS".
const LOCK: i64 = 0x5041_5353;

/// The newest format that this library knows.
pub(crate) fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

fn said(error: &tokio_postgres::Error) -> StoreError {
    told(error, While::Reading)
}

/// The first column of the only row, as text.
async fn ask(client: &Client, text: &str) -> Result<Option<String>, StoreError> {
    let answer = client.simple_query(text).await.map_err(|error| said(&error))?;
    Ok(answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}

/// The format that the database has; 0 where there is nothing of ours.
///
/// # Errors
/// [`StoreError::Unsupported`] for a newer one, [`StoreError::Corrupt`] where the schema is somebody else's.
async fn format(client: &Client) -> Result<u32, StoreError> {
    let known = newest();
    // In one statement: somebody may be making them right now.
    const TABLES: &str = "SELECT bool_or(c.relname='meta') FROM pg_class c \
         JOIN pg_namespace n ON n.oid=c.relnamespace WHERE n.nspname='passes' HAVING count(*)>0";
    match ask(client, TABLES).await?.as_deref() {
        None => return Ok(0),
        Some("t") => {}
        Some(_) => return Err(StoreError::Corrupt("the schema passes holds no tables of Passes".into())),
    }
    let found = ask(client, "SELECT format FROM passes.meta").await?.and_then(|text| text.parse().ok());
    let found: u32 = found.ok_or_else(|| StoreError::Corrupt("passes.meta has no format".into()))?;
    if found > known { Err(StoreError::Unsupported { found, known }) } else { Ok(found) }
}

/// Checks whose tables they are, and brings them to the newest format, distributed where that is asked for. Many may do so
/// at once.
///
/// # Errors
/// [`StoreError::Unsupported`] for a newer format, [`StoreError::Corrupt`] where the schema is somebody else's.
pub(crate) async fn migrate(client: &mut Client, spread: bool) -> Result<(), StoreError> {
    let spreads = async |client: &Client| match spread {
        true => distributed::is_distributed(client).await.map(|is| !is),
        false => Ok(false),
    };
    if format(client).await? != newest() || spreads(client).await? {
        let transaction = client.transaction().await.map_err(|error| said(&error))?;
        transaction
            .batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
            .await
            .map_err(|error| said(&error))?;
        // Asked again: somebody may have done it a moment ago.
        let found = format(transaction.client()).await?;
        if found == 0 {
            let exists = ask(transaction.client(), "SELECT to_regnamespace('passes')").await?;
            if exists.is_none() {
                transaction.batch_execute("CREATE SCHEMA passes").await.map_err(|error| said(&error))?;
            }
        }
        let known = usize::try_from(found).unwrap_or(usize::MAX);
        for migration in MIGRATIONS.iter().skip(known) {
            transaction.batch_execute(migration).await.map_err(|error| said(&error))?;
        }
        let text = match found {
            0 => format!(
                "INSERT INTO passes.meta(format,base,cluster) \
                 SELECT {},0,system_identifier FROM pg_control_system()",
                newest()
            ),
            _ => format!("UPDATE passes.meta SET format={}", newest()),
        };
        transaction.batch_execute(&text).await.map_err(|error| said(&error))?;
        if spreads(transaction.client()).await? {
            distributed::distribute(transaction.client(), found > 0).await?;
        }
        transaction.commit().await.map_err(|error| said(&error))?;
    }
    rebase(client).await
}

/// Checks that the tables are there, in their newest form: a standby gets them from its primary.
///
/// # Errors
/// Those of [`migrate`]; [`StoreError::Transient`] where they aren't there yet.
pub(crate) async fn is_there(client: &Client) -> Result<(), StoreError> {
    match format(client).await? {
        found if found == newest() => Ok(()),
        found => {
            Err(StoreError::Transient(format!("the tables have form {found} yet, and not {}", newest())))
        }
    }
}

/// Numbers grow with the transactions of a cluster of servers. A database that was dumped and restored into another one
/// goes on above what it has.
async fn rebase(client: &mut Client) -> Result<(), StoreError> {
    const ELSEWHERE: &str = "SELECT 1 FROM passes.meta,pg_control_system() WHERE cluster<>system_identifier";
    if ask(client, ELSEWHERE).await?.is_none() {
        return Ok(());
    }
    if distributed::is_distributed(client).await? {
        // Each business finds out for itself on which node it is.
        let here = "UPDATE passes.meta SET cluster=system_identifier FROM pg_control_system()";
        return client.batch_execute(here).await.map_err(|error| said(&error));
    }
    let transaction = client.transaction().await.map_err(|error| said(&error))?;
    let lock = format!("SELECT pg_advisory_xact_lock({LOCK})");
    transaction.batch_execute(&lock).await.map_err(|error| said(&error))?;
    if ask(transaction.client(), ELSEWHERE).await?.is_some() {
        // From one business to the next by the index, and not from row to row.
        transaction
            .batch_execute(
                "WITH RECURSIVE b AS ((SELECT business FROM passes.operation ORDER BY business LIMIT 1) UNION ALL \
                 SELECT (SELECT o.business FROM passes.operation o WHERE o.business>b.business \
                 ORDER BY o.business LIMIT 1) FROM b WHERE b.business IS NOT NULL), \
                 last AS (SELECT coalesce(max((SELECT max(o.number+o.entries) FROM passes.operation o \
                 WHERE o.business=b.business)),0) AS number FROM b WHERE b.business IS NOT NULL) \
                 UPDATE passes.meta SET cluster=system_identifier, \
                 base=greatest(0,((number>>16)+1-pg_current_xact_id()::text::int8)<<16) FROM last,pg_control_system()",
            )
            .await
            .map_err(|error| said(&error))?;
    }
    transaction.commit().await.map_err(|error| said(&error))
}

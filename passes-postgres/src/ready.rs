//! Statements as they are sent, with what goes before and behind them.

use crate::distributed::Delegated;
use crate::errors::Failed;
use crate::values::Arg;
use futures_util::future::{join, join3, maybe_done};
use postgres_protocol::escape::escape_literal;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

/// Settings of a session. Every plan goes by the keys of its tables, however small they were when it was made; whoever
/// waits for a lock for so long is stuck; and no default of the database changes what a statement means.
pub(crate) const SETTINGS: &str = "SET plan_cache_mode=force_generic_plan; SET enable_seqscan=off; SET jit=off; \
     SET lock_timeout='30s'; SET default_transaction_isolation='read committed';";

/// The same where a session is whoever's comes next: for one transaction. Sent with each statement, before it.
macro_rules! local {
    () => {
        "SET LOCAL plan_cache_mode=force_generic_plan; SET LOCAL enable_seqscan=off; SET LOCAL jit=off; \
         SET LOCAL lock_timeout='30s'; "
    };
}

/// Those of one transaction, for who begins it by itself.
pub(crate) const LOCAL: &str = local!();

/// Waits for all of them. They are polled in their order, each time, so what they send goes out in that order, too, and
/// before what is polled behind them: `join_all` promises that of few only.
pub(crate) fn in_order<F: Future>(all: impl Iterator<Item = F>) -> impl Future<Output = Vec<F::Output>> {
    let mut all: Vec<_> = all.map(|one| Box::pin(maybe_done(one))).collect();
    poll_fn(move |context| {
        let mut waits = false;
        for one in &mut all {
            waits |= one.as_mut().poll(context).is_pending();
        }
        if waits {
            return Poll::Pending;
        }
        Poll::Ready(all.iter_mut().filter_map(|one| one.as_mut().take_output()).collect())
    })
}

/// A statement that can be sent.
pub(crate) struct Ready<'a> {
    pub(crate) how: How,
    pub(crate) args: Vec<Arg<'a>>,
}

/// How it is sent.
pub(crate) enum How {
    Prepared(Statement),
    Executed(Executed),
    Delegated(Delegated),
    Text(Arc<str>),
}

/// A statement that is prepared in SQL, by a name that its text has everywhere: whoever has a pooler's session after another
/// finds it there. A pooler knows only of those that are prepared by the protocol.
pub(crate) struct Executed {
    pub(crate) prepare: String,
    execute: String,
}

impl Executed {
    pub(crate) fn new(text: Arc<str>, args: &[Arg<'_>]) -> Self {
        let types: Vec<String> = args.iter().map(Arg::cast).collect();
        let types = types.join(",");
        let hash =
            blake3::Hasher::new().update(types.as_bytes()).update(b";").update(text.as_bytes()).finalize();
        // A name has room for 63 bytes.
        let name = format!("passes_{}", hash.to_hex().get(..48).unwrap_or_default());
        let mut execute = format!("EXECUTE {name}(");
        for (at, arg) in args.iter().enumerate() {
            if at > 0 {
                execute.push(',');
            }
            arg.literal(&mut execute);
        }
        execute.push(')');
        // A pooler may bring this to another session than the one that didn't have it.
        let prepare = format!(
            "BEGIN IF NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name='{name}') \
             THEN EXECUTE {}; END IF; END",
            escape_literal(&format!("PREPARE {name}({types}) AS {text}"))
        );
        Self { prepare: format!("DO {}", escape_literal(&prepare)), execute }
    }
}

/// Of a transaction between whose statements somebody may go away: he holds up the others no longer than this.
pub(crate) const ABANDONED: &str = "SET LOCAL idle_in_transaction_session_timeout='10s'";

/// What ends a transaction, whatever became of it.
pub(crate) const COMMIT: &str = "COMMIT";

/// Begins a transaction of several commands: none of them waits for what another command holds for long.
pub(crate) const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout='50ms'";

/// Begins a transaction of one statement, with the settings that the session can't have.
pub(crate) const ALONE: &str = concat!("BEGIN ISOLATION LEVEL READ COMMITTED; ", local!());

impl Ready<'_> {
    /// Sends it with what comes right before and behind it, all at once and in this order. Tells, too, whether what comes
    /// behind it was done.
    pub(crate) async fn send_between(
        &self,
        client: &Client,
        first: Option<&str>,
        last: Option<&str>,
    ) -> (Result<Vec<Row>, tokio_postgres::Error>, bool) {
        if first.is_none() && last.is_none() {
            return (self.send(client).await, false);
        }
        let simple = async |text: Option<&str>| match text {
            Some(text) => client.batch_execute(text).await,
            None => Ok(()),
        };
        let (before, answer, behind) = join3(simple(first), self.send(client), simple(last)).await;
        let ended = last.is_some() && behind.is_ok();
        let answer = match before {
            // No transaction was begun, else this had failed in it, too. So it was one by itself, as it was to be.
            Err(_) if last.is_some() && answer.is_ok() => answer,
            before => before.and(answer),
        };
        (answer.and_then(|rows| behind.map(|()| rows)), ended)
    }

    /// Sends a call with the text of its statement. `ended` tells whether the transaction has been ended already.
    pub(crate) async fn send_whole(
        &self,
        client: &Client,
        last: Option<&str>,
        ended: bool,
    ) -> (Result<Vec<Row>, tokio_postgres::Error>, bool) {
        let How::Delegated(call) = &self.how else { return (Ok(Vec::new()), ended) };
        let text = call.sql(true);
        let behind = async || match last.filter(|_| !ended) {
            Some(last) => client.batch_execute(last).await.map(|()| true),
            None => Ok(ended),
        };
        let (rows, behind) = join(client.query_typed(&text, &[]), behind()).await;
        let ended = behind.as_ref().is_ok_and(|ended| *ended);
        (rows.and_then(|rows| behind.map(|_| rows)), ended)
    }

    /// The rows, or what they say went wrong.
    pub(crate) fn checked(&self, rows: Vec<Row>) -> Result<Vec<Row>, Failed> {
        match &self.how {
            How::Delegated(call) => call.checked(rows),
            _ => Ok(rows),
        }
    }

    pub(crate) async fn send(&self, client: &Client) -> Result<Vec<Row>, tokio_postgres::Error> {
        let args = &self.args;
        match &self.how {
            How::Prepared(statement) => {
                debug_assert_eq!(statement.params().len(), args.len(), "{args:?}");
                let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|arg| arg as _).collect();
                client.query(statement, &args).await
            }
            How::Executed(executed) => client.query_typed(&executed.execute, &[]).await,
            How::Delegated(call) => client.query_typed(&call.sql(false), &[]).await,
            How::Text(text) => {
                let args: Vec<(&(dyn ToSql + Sync), Type)> =
                    args.iter().map(|arg| (arg as _, arg.ty())).collect();
                client.query_typed(text, &args).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passes_core::store::wait;
    use std::sync::Mutex;

    /// R-8, D-4: what goes out as one transaction goes out in order, however much it is and however often it is woken.
    #[test]
    fn statements_go_out_in_order() {
        let sent = Mutex::new(Vec::new());
        let send = |n: usize| {
            let (sent, mut waits) = (&sent, 0);
            poll_fn(move |context| {
                if waits == 0 {
                    sent.lock().unwrap().push(n);
                }
                waits += 1;
                if waits > n % 3 {
                    return Poll::Ready(n);
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
        };
        let (begun, rest, ended) = wait(join3(send(0), in_order((1..100).map(send)), send(100)));
        assert_eq!((begun, ended), (0, 100));
        assert_eq!(rest, (1..100).collect::<Vec<_>>());
        assert_eq!(sent.into_inner().unwrap(), (0..=100).collect::<Vec<_>>());
    }
}

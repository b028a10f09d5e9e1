//! Connections, what they have prepared, and how statements are sent.

use crate::errors::{Failed, While, told};
use crate::options::Address;
use crate::schema;
use crate::sql::Sql;
use crate::tls;
use crate::values::Arg;
use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};
use futures_util::future::{join_all, join3};
use passes_core::store::StoreError;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) type Pool = deadpool::managed::Pool<Connector>;
pub(crate) type Connection = Object<Connector>;

/// Settings of a session. Every plan goes by the keys of its tables, however small they were when it was made; whoever
/// waits for a lock for so long is stuck; and no default of the database changes what a statement means.
const SETTINGS: &str = "SET plan_cache_mode=force_generic_plan; SET enable_seqscan=off; SET jit=off; \
     SET lock_timeout='30s'; SET default_transaction_isolation='read committed';";

/// How many statements a connection keeps prepared, and how many texts a store keeps, before it begins anew.
const KEPT: usize = 512;

/// What connections of a store share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    texts: Mutex<HashMap<Vec<u8>, Arc<str>>>,
    trips: AtomicU64,
    prepared: AtomicU64,
}

impl Shared {
    /// How many times something was sent and an answer waited for.
    pub(crate) fn trips(&self) -> u64 {
        self.trips.load(Ordering::Relaxed)
    }

    pub(crate) fn prepared(&self) -> u64 {
        self.prepared.load(Ordering::Relaxed)
    }

    fn trip(&self) {
        self.trips.fetch_add(1, Ordering::Relaxed);
    }

    /// The text of a statement of this shape.
    fn text(&self, shape: &[u8], write: impl FnOnce() -> String) -> Arc<str> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = texts.get(shape) {
            return Arc::clone(text);
        }
        if texts.len() >= KEPT {
            texts.clear();
        }
        let text: Arc<str> = write().into();
        texts.insert(shape.to_vec(), Arc::clone(&text));
        text
    }
}

/// Makes connections.
pub(crate) struct Connector {
    address: Address,
    tls: MakeRustlsConnect,
    runtime: Handle,
    shared: Arc<Shared>,
    /// Held by every task that serves a connection.
    serving: Arc<()>,
}

impl Connector {
    pub(crate) fn new(address: Address, runtime: Handle, shared: Arc<Shared>) -> Result<Self, StoreError> {
        let tls = tls::connector(&address.security)?;
        Ok(Self { address, tls, runtime, shared, serving: Arc::default() })
    }

    pub(crate) fn serving(&self) -> Arc<()> {
        Arc::clone(&self.serving)
    }

    /// A connection that nothing was said over yet.
    pub(crate) async fn connect(&self) -> Result<Client, StoreError> {
        let connecting = self.address.config.connect(self.tls.clone()).await;
        let (client, connection) = connecting.map_err(|error| told(&error, While::Reading))?;
        let serving = self.serving();
        self.runtime.spawn(async move {
            // Its end is told to whoever waits for an answer.
            let _ = connection.await;
            drop(serving);
        });
        Ok(client)
    }

    /// The settings, and what is added to the numbers of transactions.
    async fn set_up(&self, client: &Client) -> Result<i64, StoreError> {
        const BASE: &str =
            "SELECT base,cluster=system_identifier,format FROM passes.meta,pg_control_system()";
        let settings = if self.address.transaction_pooler { "" } else { SETTINGS };
        let answer = client
            .simple_query(&format!("{settings}{BASE}"))
            .await
            .map_err(|error| told(&error, While::Reading))?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((row.get(0)?.parse().ok()?, row.get(1)? == "t", row.get(2)?))
            }
            _ => None,
        });
        let (base, here, format): (i64, bool, &str) =
            row.ok_or_else(|| StoreError::Corrupt("passes.meta has no row".into()))?;
        let (known, found) = (schema::newest(), format.parse().unwrap_or(u32::MAX));
        if found > known {
            // Somebody brought it to a newer form meanwhile.
            return Err(StoreError::Unsupported { found, known });
        }
        if here {
            Ok(base)
        } else {
            Err(StoreError::Transient("the database was moved to another server".into()))
        }
    }
}

impl Manager for Connector {
    type Type = Session;
    type Error = StoreError;

    async fn create(&self) -> Result<Session, StoreError> {
        let mut client = self.connect().await?;
        let base = match self.set_up(&client).await {
            // It was restored elsewhere while this store was open.
            Err(StoreError::Transient(_)) if !client.is_closed() => {
                schema::migrate(&mut client).await?;
                self.set_up(&client).await?
            }
            base => base?,
        };
        let (shared, named) = (Arc::clone(&self.shared), !self.address.transaction_pooler);
        Ok(Session {
            client,
            base,
            named,
            open: false,
            lost: false,
            first: None,
            last: None,
            statements: HashMap::new(),
            shared,
        })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<StoreError> {
        let usable = !session.is_lost() && !session.open;
        if usable { Ok(()) } else { Err(RecycleError::message("not to be used again")) }
    }
}

/// What a pool that gives no connection is told as.
pub(crate) fn no_connection(error: PoolError<StoreError>) -> StoreError {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Closed => StoreError::Closed,
        PoolError::Timeout(_) => {
            StoreError::Transient("no connection of the pool became free in time".into())
        }
        other => StoreError::Backend(other.to_string()),
    }
}

/// A connection.
pub(crate) struct Session {
    pub(crate) client: Client,
    /// Added to the numbers of transactions.
    pub(crate) base: i64,
    /// Whether statements are prepared by a name.
    named: bool,
    /// Whether a transaction was begun and not ended: then nobody else gets this connection.
    pub(crate) open: bool,
    /// Whether the server said goodbye: the client notices that a moment later.
    lost: bool,
    /// Sent right before the next statement, in the same round trip; it begins a transaction.
    pub(crate) first: Option<String>,
    /// Sent right behind the next statement; it ends the transaction, whatever became of the statement.
    pub(crate) last: Option<&'static str>,
    statements: HashMap<Vec<u8>, Statement>,
    shared: Arc<Shared>,
}

/// What only reads is asked again over so many other connections when one was lost.
pub(crate) const OTHERS: u32 = 3;

impl Session {
    /// Whether the connection is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Notes that something was sent.
    pub(crate) fn trip(&self) {
        self.shared.trip();
    }

    /// Makes a statement ready to be sent. `tag` tells shapes of different writers apart.
    pub(crate) async fn ready<'a>(
        &mut self,
        tag: u8,
        write: impl Fn(&mut Sql<'a>),
    ) -> Result<Ready<'a>, StoreError> {
        let mut sql = Sql::default();
        sql.note(tag);
        write(&mut sql);
        let whole = || {
            let mut sql = Sql::written();
            sql.note(tag);
            write(&mut sql);
            sql.into_text()
        };
        if self.is_lost() {
            return Err(StoreError::Transient("the connection was lost".into()));
        }
        let how = match self.statements.get(&sql.shape) {
            _ if !self.named || sql.many => How::Text(self.shared.text(&sql.shape, whole)),
            Some(statement) => How::Prepared(statement.clone()),
            None => How::Prepared(self.prepare(&sql, whole).await?),
        };
        Ok(Ready { how, args: sql.args })
    }

    /// Sends a statement, and reads all rows.
    pub(crate) async fn query<'a>(
        &mut self,
        tag: u8,
        write: impl Fn(&mut Sql<'a>),
        doing: While,
    ) -> Result<Vec<Row>, Failed> {
        let (first, last) = (self.first.take(), self.last.take());
        let ready = self.ready(tag, write).await?;
        self.trip();
        let client = &self.client;
        let simple = async |text: Option<&str>| match text {
            Some(text) => client.batch_execute(text).await,
            None => Ok(()),
        };
        // All are sent at once, in this order.
        let all = join3(simple(first.as_deref()), ready.send(client), simple(last));
        let (before, answer, behind) = all.await;
        if last.is_some() && behind.is_ok() {
            self.open = false;
        }
        let answer = before.and(answer).and_then(|rows| behind.map(|()| rows));
        answer.map_err(|error| self.failed(&error, doing))
    }

    /// Sends statements that only read, all at once; the answers come in the same order.
    pub(crate) async fn query_all(&mut self, all: &[Ready<'_>]) -> Vec<Result<Vec<Row>, StoreError>> {
        self.trip();
        let client = &self.client;
        let answers = join_all(all.iter().map(|ready| ready.send(client))).await;
        answers
            .into_iter()
            .map(|rows| rows.map_err(|error| self.failed(&error, While::Reading).error))
            .collect()
    }

    /// Judges an error, and what it means for the connection.
    fn failed(&mut self, error: &tokio_postgres::Error, doing: While) -> Failed {
        match error.code().map(|code| code.code()) {
            Some("26000" | "0A000") => self.statements.clear(),
            Some(code) => self.lost |= code.starts_with("57P") || code.starts_with("08"),
            None => self.lost = true,
        }
        Failed::of(error, doing)
    }

    async fn prepare(
        &mut self,
        sql: &Sql<'_>,
        write: impl FnOnce() -> String,
    ) -> Result<Statement, StoreError> {
        let text = self.shared.text(&sql.shape, write);
        let types: Vec<Type> = sql.args.iter().map(Arg::ty).collect();
        self.shared.prepared.fetch_add(1, Ordering::Relaxed);
        // Nothing is done by preparing.
        let statement = self.client.prepare_typed(&text, &types).await;
        let statement = statement.map_err(|error| told(&error, While::Reading))?;
        if self.statements.len() >= KEPT {
            self.statements.clear();
        }
        self.statements.insert(sql.shape.clone(), statement.clone());
        Ok(statement)
    }
}

/// A statement that can be sent.
pub(crate) struct Ready<'a> {
    how: How,
    args: Vec<Arg<'a>>,
}

enum How {
    Prepared(Statement),
    Text(Arc<str>),
}

impl Ready<'_> {
    async fn send(&self, client: &Client) -> Result<Vec<Row>, tokio_postgres::Error> {
        let args = &self.args;
        match &self.how {
            How::Prepared(statement) => {
                debug_assert_eq!(statement.params().len(), args.len(), "{args:?}");
                let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|arg| arg as _).collect();
                client.query(statement, &args).await
            }
            How::Text(text) => {
                let args: Vec<(&(dyn ToSql + Sync), Type)> =
                    args.iter().map(|arg| (arg as _, arg.ty())).collect();
                client.query_typed(text, &args).await
            }
        }
    }
}

//! Connections, what they have prepared, and how statements are sent.

use crate::distributed::{Base, Delegated, IS_DISTRIBUTED};
use crate::errors::{Failed, While, told};
use crate::known::Known;
use crate::options::Address;
use crate::ready::{ALONE, BEGIN, COMMIT, Executed, How, LOCAL, Ready, SETTINGS, in_order};
use crate::runtime::Serving;
use crate::schema;
use crate::sql::Sql;
use crate::tls;
use crate::values::Arg;
use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};
use futures_util::future::{join_all, join3, poll_immediate};
use passes_core::store::StoreError;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) type Pool = deadpool::managed::Pool<Connector>;
pub(crate) type Connection = Object<Connector>;

/// How many statements a connection keeps prepared, and how many texts a store keeps, before it begins anew.
const KEPT: usize = 512;

/// How long a server may take to greet, unless the URL says how long connecting may take.
const GREETING: Duration = Duration::from_secs(10);

/// What connections of a store share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    texts: Mutex<HashMap<Vec<u8>, Arc<str>>>,
    trips: AtomicU64,
    prepared: AtomicU64,
    known: Known,
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
    address: Arc<Address>,
    tls: MakeRustlsConnect,
    runtime: Handle,
    serves: Serving,
    shared: Arc<Shared>,
    /// Held by every task that serves a connection.
    serving: Arc<()>,
}

impl Connector {
    pub(crate) fn new(
        address: Address,
        (runtime, serves): (Handle, Serving),
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let tls = tls::connector(&address.security)?;
        Ok(Self { address: Arc::new(address), tls, runtime, serves, shared, serving: Arc::default() })
    }

    /// The same, of connections that another runtime serves.
    pub(crate) fn with(&self, (runtime, serves): (Handle, Serving)) -> Self {
        let (address, shared) = (Arc::clone(&self.address), Arc::clone(&self.shared));
        Self { address, tls: self.tls.clone(), runtime, serves, shared, serving: Arc::default() }
    }

    pub(crate) fn serves(&self) -> &Serving {
        &self.serves
    }

    pub(crate) fn serving(&self) -> Arc<()> {
        Arc::clone(&self.serving)
    }

    /// A connection that nothing was said over yet.
    pub(crate) async fn connect(&self) -> Result<Client, StoreError> {
        let config = &self.address.config;
        // Whoever takes the connection and says nothing is a server that isn't there, too.
        let time = config.get_connect_timeout().copied().unwrap_or(GREETING);
        let time =
            time.saturating_mul(u32::try_from(config.get_hosts().len()).unwrap_or(1).saturating_add(1));
        let connecting = tokio::time::timeout(time, config.connect(self.tls.clone())).await;
        let connecting =
            connecting.map_err(|_| StoreError::Transient("the server doesn't answer".to_owned()))?;
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
    async fn set_up(&self, client: &Client) -> Result<Base, StoreError> {
        // A generic plan of Citus doesn't know to which node a statement goes.
        let asked = format!(
            "SELECT base,cluster=system_identifier,format,{IS_DISTRIBUTED},\
             CASE WHEN {IS_DISTRIBUTED} THEN set_config('plan_cache_mode','auto',false) END \
             FROM passes.meta,pg_control_system()"
        );
        let settings = match (self.address.transaction_pooler, self.address.reading) {
            (true, _) => String::new(),
            (false, false) => SETTINGS.to_owned(),
            (false, true) => format!("{SETTINGS} SET default_transaction_read_only=on;"),
        };
        let answer = client
            .simple_query(&format!("{settings}{asked}"))
            .await
            .map_err(|error| told(&error, While::Reading))?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let added = Base::Added(row.get(0)?.parse().ok()?);
                let base = if row.get(3)? == "t" { Base::Home } else { added };
                Some((base, row.get(1)? == "t", row.get(2)?))
            }
            _ => None,
        });
        let (base, here, format): (Base, bool, &str) =
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

    /// A connection of the pool.
    async fn make(&self) -> Result<Session, StoreError> {
        let mut client = self.connect().await?;
        let base = match self.set_up(&client).await {
            // It was restored elsewhere while this store was open.
            Err(StoreError::Transient(_)) if !client.is_closed() && !self.address.reading => {
                schema::migrate(&mut client, false).await?;
                self.set_up(&client).await?
            }
            base => base?,
        };
        // A call of a function has all it needs in itself.
        let named = !self.address.transaction_pooler || base == Base::Home;
        let shared = Arc::clone(&self.shared);
        Ok(Session {
            client,
            base,
            named,
            open: false,
            lost: false,
            first: None,
            last: None,
            statements: HashMap::new(),
            serves: self.serves.clone(),
            shared,
        })
    }
}

impl Manager for Connector {
    type Type = Session;
    type Error = StoreError;

    async fn create(&self) -> Result<Session, StoreError> {
        // Boxed, because it is rare: every command's future would have the room for it.
        Box::pin(self.make()).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<StoreError> {
        let usable = !session.is_lost() && !session.open;
        if usable { Ok(()) } else { Err(RecycleError::message("not to be used again")) }
    }
}

/// What a pool that gives no connection is told as.
fn no_connection(error: PoolError<StoreError>) -> StoreError {
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
    pub(crate) base: Base,
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
    pub(crate) serves: Serving,
    shared: Arc<Shared>,
}

/// A connection of the pool.
pub(crate) async fn connection(pool: &Pool) -> Result<Connection, StoreError> {
    let mut got = pin!(pool.get());
    // Most often one is there.
    let got = match poll_immediate(&mut got).await {
        Some(got) => got,
        None => pool.manager().serves.serve(got).await,
    };
    got.map_err(no_connection)
}

/// What only reads is asked again over so many other connections when one was lost.
pub(crate) const OTHERS: u32 = 3;

impl Session {
    /// Whether the connection is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    pub(crate) fn known(&self) -> &Known {
        &self.shared.known
    }

    /// Whether it does what plain sessions of a plain database do: statements are prepared by the protocol, and numbers are
    /// those of its own transactions.
    pub(crate) fn is_plain(&self) -> bool {
        self.named && self.base != Base::Home
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
        let mut sql = Sql::shape();
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
            _ if self.base == Base::Home => {
                let text = self.shared.text(&sql.shape, whole);
                How::Delegated(Delegated::new(tag, sql.many, &text, &sql.args))
            }
            _ if sql.many => How::Text(self.shared.text(&sql.shape, whole)),
            // In a transaction that was begun before nothing may go wrong, not even by the way.
            _ if !self.named && self.open && self.first.is_none() => {
                How::Text(self.shared.text(&sql.shape, whole))
            }
            _ if !self.named => How::Executed(Executed::new(self.shared.text(&sql.shape, whole), &sql.args)),
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
        let ready = self.ready(tag, write).await;
        let (mut first, mut last) = (self.first.take(), self.last.take());
        let ready = ready?;
        self.trip();
        if first.is_none() && self.is_bare() {
            (first, last) = (Some(ALONE.to_owned()), Some(COMMIT));
            self.open = true;
        }
        let sending = self.send_between(&ready, first.as_deref(), last);
        let (answer, ended) = self.serves.serve(sending).await;
        if ended {
            self.open = false;
        }
        let rows = answer.map_err(|error| self.failed(&error, doing))?;
        ready.checked(rows)
    }

    /// Sends a statement with what comes right before and behind it. Where the server hasn't prepared it yet, that is done
    /// first, and once more sent.
    async fn send_between(
        &self,
        ready: &Ready<'_>,
        first: Option<&str>,
        last: Option<&str>,
    ) -> (Result<Vec<Row>, tokio_postgres::Error>, bool) {
        let sent = ready.send_between(&self.client, first, last).await;
        if let (How::Delegated(call), Ok(rows)) = (&ready.how, &sent.0)
            && call.is_unprepared(rows)
        {
            self.shared.prepared.fetch_add(1, Ordering::Relaxed);
            // Nothing has failed: whatever was begun before it is under way.
            return ready.send_whole(&self.client, last, sent.1).await;
        }
        let (How::Executed(executed), Err(error)) = (&ready.how, &sent.0) else { return sent };
        if error.code().map(|code| code.code()) != Some("26000") {
            return sent;
        }
        self.shared.prepared.fetch_add(1, Ordering::Relaxed);
        self.trip();
        // Whatever was begun has failed, whether or not it was ended.
        let again = format!("ROLLBACK; {}; {}", first.unwrap_or_default(), executed.prepare);
        ready.send_between(&self.client, Some(&again), last).await
    }

    /// Whether a statement would meet whatever settings a pooler's session happens to have.
    fn is_bare(&self) -> bool {
        !self.named && !self.open
    }

    /// The settings of a transaction, where the session has none of its own.
    pub(crate) fn local(&self) -> &'static str {
        if self.named { "" } else { LOCAL }
    }

    /// Sends statements that only read, all at once; the answers come in the same order.
    pub(crate) async fn query_all(&mut self, all: &[Ready<'_>]) -> Vec<Result<Vec<Row>, StoreError>> {
        self.trip();
        let (first, last) = if self.is_bare() { (Some(ALONE), Some(COMMIT)) } else { (None, None) };
        self.open |= first.is_some();
        let answers = match all {
            [one] => vec![self.serves.serve(self.send_between(one, first, last)).await],
            _ => {
                let answers = all.iter().map(|ready| self.send_between(ready, first, last));
                self.serves.serve(join_all(answers)).await
            }
        };
        if last.is_some() && answers.iter().all(|(_, ended)| *ended) {
            self.open = false;
        }
        answers
            .into_iter()
            .zip(all)
            .map(|((rows, _), ready)| {
                let rows = rows.map_err(|error| self.failed(&error, While::Reading).error)?;
                Ok(ready.checked(rows)?)
            })
            .collect()
    }

    /// Sends statements as one transaction, all at once; it lands whole or not at all. Whoever holds one of its rows for
    /// longer than a moment isn't waited for.
    pub(crate) async fn query_as_one(&mut self, all: &[Ready<'_>]) -> Result<Vec<Vec<Row>>, Failed> {
        self.trip();
        self.open = true;
        let (begin, answers, end) = {
            let client = &self.client;
            let answers = in_order(all.iter().map(|ready| ready.send(client)));
            let sending = join3(client.batch_execute(BEGIN), answers, client.batch_execute(COMMIT));
            self.serves.serve(sending).await
        };
        if end.is_ok() {
            self.open = false;
        }
        if begin.is_err() && answers.iter().any(Result::is_ok) {
            // Nothing was begun, so each was a transaction of its own.
            return Err(StoreError::InDoubt.into());
        }
        // Where one of them failed, the end was a rollback.
        let rows = answers.into_iter().collect::<Result<Vec<_>, _>>();
        begin
            .and(rows)
            .and_then(|rows| end.map(|()| rows))
            .map_err(|error| self.failed(&error, While::Committing))
    }

    /// Judges an error, and what it means for the connection.
    fn failed(&mut self, error: &tokio_postgres::Error, doing: While) -> Failed {
        match error.code().map(|code| code.code()) {
            Some("26000" | "0A000") => self.statements.clear(),
            // A standby, or what became one: the next connection may find the primary.
            Some("25006") => self.lost = true,
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
        let statement = self.serves.serve(self.client.prepare_typed(&text, &types)).await;
        let statement = statement.map_err(|error| told(&error, While::Reading))?;
        if self.statements.len() >= KEPT {
            self.statements.clear();
        }
        self.statements.insert(sql.shape.clone(), statement.clone());
        Ok(statement)
    }
}

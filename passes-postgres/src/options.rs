//! How a store is opened: the URL, and what else there is to say.

use crate::Postgres;
use crate::errors::broken;
use passes_core::store::{StoreError, wait};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// How the server is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// By a certificate, of the machine's authorities or those of a file.
    Verified(Option<PathBuf>),
    /// Not at all.
    Opportunistic,
}

/// How a store is opened. Made by [`Postgres::options`].
///
/// ```
/// use std::time::Duration;
/// let options = passes_postgres::Postgres::options()
///     .connections(32)
///     .settle_timeout(Duration::from_millis(200));
/// // The password in the address is said by nothing.
/// assert!(options.open("postgres://till:hunter2@[::1]:1/shop?sslmode=never").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) connections: Option<usize>,
    pub(crate) transaction_pooler: bool,
    pub(crate) distributed: bool,
    pub(crate) settle_timeout: Duration,
    pub(crate) wait_timeout: Duration,
    /// Of a standby.
    pub(crate) most_behind: Option<Duration>,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            connections: None,
            transaction_pooler: false,
            distributed: false,
            settle_timeout: Duration::from_secs(1),
            wait_timeout: Duration::from_secs(30),
            most_behind: None,
        }
    }

    /// How many connections the pool has at most; at least one, by default 16. The same as `connections=…` in the URL,
    /// which wins.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = Some(most.max(1));
        self
    }

    /// Whether a pooler in transaction mode, such as PgBouncer, stands between: then nothing is prepared by the protocol,
    /// and no setting of the session is made. The same as `pooler=transaction` in the URL.
    /// See [the crate's page](crate#through-a-pooler).
    #[must_use]
    pub fn transaction_pooler(mut self, pooler: bool) -> Self {
        self.transaction_pooler = pooler;
        self
    }

    /// Whether the tables are to be distributed among the nodes of a Citus cluster, by their business. The same as
    /// `distributed=citus` in the URL. What was distributed once is found to be so, whoever opens it.
    /// See [the crate's page](crate#distributed-tables).
    ///
    /// ```
    /// let options = passes_postgres::Postgres::options().distributed(true);
    /// assert!(options.open("postgres://till@127.0.0.1:1/shop?sslmode=disable").is_err());
    /// ```
    #[must_use]
    pub fn distributed(mut self, distributed: bool) -> Self {
        self.distributed = distributed;
        self
    }

    /// How long a reader of events waits for what was committed but may not be the last of its place yet, by default one
    /// second. See [the crate's page](crate#positions-of-events).
    #[must_use]
    pub fn settle_timeout(mut self, time: Duration) -> Self {
        self.settle_timeout = time;
        self
    }

    /// How long a command waits for a connection of the pool, by default 30 seconds. Then it is told
    /// [`StoreError::Transient`], and nothing of it is done.
    #[must_use]
    pub fn wait_timeout(mut self, time: Duration) -> Self {
        self.wait_timeout = time;
        self
    }

    /// Connects to the database at a URL, makes the tables if need be, and brings them to the newest format. It blocks the
    /// thread and needs no runtime.
    ///
    /// # Errors
    /// Those of [`Options::connect`].
    pub fn open(self, url: &str) -> Result<Postgres, StoreError> {
        wait(self.connect(url))
    }

    /// The same for an async host, in whatever runtime it has.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] if a newer version of this library made the tables, [`StoreError::Corrupt`] if a schema
    /// named `passes` is somebody else's, [`StoreError::Transient`] if the server can't be reached, or tables that are to be
    /// distributed are in use, [`StoreError::Backend`] for what else is wrong with the address, the user or the database,
    /// such as a lack of the extension that distributes tables.
    pub async fn connect(self, url: &str) -> Result<Postgres, StoreError> {
        let address = Address::parse(url, &self)?;
        Postgres::start(address, self).await
    }
}

/// What a URL says.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) security: Security,
    pub(crate) connections: usize,
    pub(crate) transaction_pooler: bool,
    /// Whether the tables are to be distributed if they aren't.
    pub(crate) distributed: bool,
    /// Whether it is a standby, where nothing is made or changed.
    pub(crate) reading: bool,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}

/// Connections of a pool, unless somebody says otherwise.
const CONNECTIONS: usize = 16;

impl Address {
    /// A URL may hold a password, so nothing of it is repeated.
    pub(crate) fn parse(url: &str, options: &Options) -> Result<Self, StoreError> {
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut kept: Vec<&str> = Vec::new();
        let (mut mode, mut root) = ("prefer".to_owned(), None);
        let mut connections = options.connections;
        let mut transaction_pooler = options.transaction_pooler;
        let mut distributed = options.distributed;
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value =
                percent_decode_str(value).decode_utf8().map_err(|_| broken("the URL is not in UTF-8"))?;
            match name {
                "sslmode" => mode = value.into_owned(),
                "sslrootcert" => root = Some(PathBuf::from(value.into_owned())),
                "connections" => {
                    let most = value.parse().ok().filter(|most| (1..=10_000).contains(most));
                    connections =
                        Some(most.ok_or_else(|| broken("connections= takes a number from 1 to 10000"))?);
                }
                "pooler" => match &*value {
                    "transaction" => transaction_pooler = true,
                    "none" | "session" => transaction_pooler = false,
                    _ => return Err(broken("pooler= takes transaction, session or none")),
                },
                "distributed" => match &*value {
                    "citus" => distributed = true,
                    "none" => distributed = false,
                    _ => return Err(broken("distributed= takes citus or none")),
                },
                _ => kept.push(parameter),
            }
        }
        let address = if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
        let mut config: Config = address.parse().map_err(|_| {
            broken("the URL can't be read; it is postgres://user:password@host:port/database?parameters")
        })?;
        let security = match mode.as_str() {
            "disable" => {
                config.ssl_mode(SslMode::Disable);
                Security::Opportunistic
            }
            "prefer" if root.is_none() => {
                config.ssl_mode(SslMode::Prefer);
                Security::Opportunistic
            }
            "prefer" | "require" | "verify-full" => {
                config.ssl_mode(SslMode::Require);
                Security::Verified(root)
            }
            _ => return Err(broken("sslmode= takes disable, prefer, require or verify-full")),
        };
        if config.get_application_name().is_none() {
            config.application_name("passes");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_tcp_user_timeout().is_none() {
            // A server that is silent for so long is gone.
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            // One that is gone without a word, while an answer is waited for, is noticed within a minute and not after hours.
            config.keepalives_idle(Duration::from_secs(15));
            config.keepalives_interval(Duration::from_secs(5));
            config.keepalives_retries(3);
        }
        let connections = connections.unwrap_or(CONNECTIONS);
        Ok(Self { config, security, connections, transaction_pooler, distributed, reading: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, StoreError> {
        Address::parse(url, &Options::new())
    }

    /// D-1: a URL says where the server is, how it is known, and how many connections there may be.
    #[test]
    fn a_url_is_read() {
        let patient = parse("postgres://till@db/shop?keepalives_idle=60").unwrap();
        assert_eq!(patient.config.get_keepalives_idle(), Duration::from_secs(60));

        let plain = parse("postgres://till@db.example/shop").unwrap();
        assert_eq!((plain.connections, plain.transaction_pooler), (CONNECTIONS, false));
        assert_eq!(plain.config.get_keepalives_idle(), Duration::from_secs(15));
        assert_eq!((plain.config.get_ssl_mode(), plain.security), (SslMode::Prefer, Security::Opportunistic));
        assert_eq!(plain.config.get_dbname(), Some("shop"));
        let url = "postgres:///shop?host=/run/pg&connections=3&pooler=transaction&sslmode=disable&user=till";
        let local = parse(url).unwrap();
        assert_eq!((local.connections, local.transaction_pooler), (3, true));
        assert_eq!((local.config.get_ssl_mode(), local.config.get_user()), (SslMode::Disable, Some("till")));
        for mode in ["require", "verify-full"] {
            let safe = parse(&format!("postgresql://db/shop?sslmode={mode}")).unwrap();
            assert_eq!(
                (safe.config.get_ssl_mode(), safe.security),
                (SslMode::Require, Security::Verified(None))
            );
        }
        let spread = |url| parse(url).unwrap().distributed;
        assert!(!spread("postgres://db/shop") && !spread("postgres://db/shop?distributed=none"));
        assert!(spread("postgres://db/shop?distributed=citus"));
        let asked = Options::new().distributed(true);
        assert!(Address::parse("postgres://db/shop", &asked).unwrap().distributed);
        let own = parse("postgres://db/shop?sslrootcert=%2Fetc%2Fca%20one.pem").unwrap();
        assert_eq!(own.security, Security::Verified(Some("/etc/ca one.pem".into())));
    }

    /// Z-1, C-13: a bad URL is refused, and its password is not repeated.
    #[test]
    fn a_bad_url_is_refused_without_being_repeated() {
        let bad = [
            "postgres://till:hunter2@db/shop?sslmode=verify-ca",
            "postgres://till:hunter2@db/shop?connections=0",
            "postgres://till:hunter2@db/shop?connections=many",
            "postgres://till:hunter2@db/shop?pooler=statement",
            "postgres://till:hunter2@db/shop?distributed=hunter2",
            "postgres://till:hunter2@db/shop?color=hunter2",
            "postgres://till:hunter2@db:port/shop",
            "mysql://till:hunter2@db/shop",
        ];
        for url in bad {
            let error = parse(url).unwrap_err();
            assert!(matches!(error, StoreError::Backend(_)), "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
        }
        let shown = format!("{:?}", parse("postgres://till:hunter2@db/shop").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

//! Opening the library: which store an address means, and what the host brings.

use crate::{HostError, OsEntropy, SystemClock};
use passes_core::secret::Keyring;
use passes_core::store::memory::Memory;
use passes_core::store::record::{RecordStore, Records};
use passes_core::store::{Store, StoreError, wait};
use passes_core::{Clock, Entropy, Passes};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

/// Opens the library on the store at an address, with the machine's clock and the operating system's randomness.
///
/// | address | store |
/// |---|---|
/// | `gift.db`, `/var/lib/shop/gift.db` | SQLite, in this file; made if it isn't there |
/// | `sqlite:gift.db`, `sqlite:///var/lib/shop/gift.db` | the same |
/// | `memory:` | in memory: new each time, and gone with the last handle |
/// | `postgres://till@db/shop`, `postgresql://…` | PostgreSQL, in this database (feature `postgres`) |
/// | `postgres://report@db2/shop?standby=true` | a hot standby of it: for lists and reports that may be a little old; every command is refused |
///
/// Only the last two take parameters (`?sslmode=require`). A store is opened in the process that uses it: after a fork, not
/// before.
///
/// A store that is new takes the current keys of the keyring; one that was opened before asks for the keys it
/// was made with. [`Opener`] opens with another clock, other randomness, or a store of the host's own.
///
/// # Errors
///
/// `STORE_UNKNOWN` for any other address, `KEY_MISSING` and `KEY_WRONG` with the id of the key, and the errors of
/// the store: `STORE_FAILED`, `STORE_NEWER`, `STORE_CORRUPT`, `STORE_FULL`, `TRANSIENT`.
///
/// ```
/// use passes_host::secret::Keyring;
/// let passes = passes_host::open("memory:", Keyring::from_master("m1", &[7; 32])?).wait()?;
/// # let _ = passes;
/// # Ok::<(), passes_host::HostError>(())
/// ```
pub fn open(address: &str, keyring: Keyring) -> Opening {
    Opener::new().open(address, keyring)
}

/// A full store over rows that the host keeps; open the library on it with [`Opener::open_on`]. Callers that must not
/// block have the rows read and written on threads made for it.
///
/// ```
/// use passes_host::store::record::{FORMAT, RecordStore, Row, WriteSet};
/// use passes_host::store::{Load, Store, StoreError, wait};
/// use std::sync::Arc;
///
/// /// Rows that nobody can write.
/// struct Nothing;
///
/// impl RecordStore for Nothing {
///     fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
///         Ok(vec![None; keys.len()])
///     }
///     fn scan(&self, _: Vec<u8>, _: Vec<u8>, _: u32) -> Result<Vec<Row>, StoreError> {
///         Ok(Vec::new())
///     }
///     fn commit(&self, _: WriteSet) -> Result<bool, StoreError> {
///         Err(StoreError::Full("no room".into()))
///     }
///     fn format(&self) -> Result<u32, StoreError> {
///         Ok(FORMAT)
///     }
/// }
///
/// let store = passes_host::records(Arc::new(Nothing));
/// assert!(wait(store.load(&Load::new(passes_host::id::BusinessId::STORE)))?.docs.is_empty());
/// # Ok::<(), StoreError>(())
/// ```
#[must_use]
pub fn records(rows: Arc<dyn RecordStore>) -> Records {
    let threads = |work: Box<dyn FnOnce() + Send>| {
        let thread = thread::Builder::new().name("passes-rows".into()).spawn(work);
        thread.map(drop).map_err(|error| StoreError::Transient(error.to_string()))
    };
    Records::new(rows, Arc::new(threads))
}

/// Opens the library with a clock, randomness or a store of the host's own.
///
/// ```
/// use passes_host::secret::Keyring;
/// use passes_host::store::memory::Memory;
/// use passes_host::{Opener, testing::SeededEntropy};
/// use std::sync::Arc;
///
/// let opener = Opener::new().entropy(Arc::new(SeededEntropy::new(1)));
/// let passes = opener.open_on(Arc::new(Memory::new()), Keyring::from_master("m1", &[7; 32])?).wait()?;
/// # let _ = passes;
/// # Ok::<(), passes_host::HostError>(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing before it opens"]
pub struct Opener {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Default for Opener {
    fn default() -> Self {
        Self::new()
    }
}

impl Opener {
    /// With [`SystemClock`] and [`OsEntropy`].
    pub fn new() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy) }
    }

    /// With this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// With this randomness. It has to be such that nobody can guess it, except in tests.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Opens the library on the store at an address; see [`open`].
    ///
    /// # Errors
    ///
    /// Those of [`open`].
    pub fn open(&self, address: &str, keyring: Keyring) -> Opening {
        let (place, opener) = (Place::of(address), self.clone());
        Opening::new(async move {
            let store = place?.store().await?;
            opener.on(store, keyring).await
        })
    }

    /// Opens the library on a store that the host brings.
    ///
    /// # Errors
    ///
    /// `KEY_MISSING`, `KEY_WRONG`, and the errors of the store.
    pub fn open_on(&self, store: Arc<dyn Store>, keyring: Keyring) -> Opening {
        let opener = self.clone();
        Opening::new(async move { opener.on(store, keyring).await })
    }

    async fn on(self, store: Arc<dyn Store>, keyring: Keyring) -> Result<Passes, HostError> {
        Ok(Passes::open(store, keyring, self.clock, self.entropy).await?)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

/// An opening under way: awaited by an async host, waited for by any other. Nothing happens before.
#[must_use = "nothing happens before it is awaited or waited for"]
pub struct Opening(Pin<Box<dyn Future<Output = Result<Passes, HostError>> + Send>>);

impl Opening {
    fn new(future: impl Future<Output = Result<Passes, HostError>> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }

    /// Waits until it is open, blocking the thread.
    ///
    /// # Errors
    ///
    /// Those of [`open`].
    pub fn wait(self) -> Result<Passes, HostError> {
        wait(self.0)
    }
}

impl IntoFuture for Opening {
    type Output = Result<Passes, HostError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        self.0
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening")
    }
}

/// What an address means.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Memory,
    Sqlite(String),
    Postgres(Url),
    Standby(Url),
}

/// A URL, which may hold a password.
#[derive(PartialEq, Eq)]
struct Url(String);

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Url")
    }
}

impl Place {
    /// An address may hold a password, so what is said of a bad one repeats at most its scheme.
    fn of(address: &str) -> Result<Self, HostError> {
        let unknown = |why: String| Err(HostError::StoreUnknown { why });
        if address == "memory:" {
            return Ok(Self::Memory);
        }
        if address.starts_with("memory:") || address == ":memory:" {
            return unknown("the store in memory is memory: and nothing else".into());
        }
        if let Some(path) = address.strip_prefix("sqlite:") {
            // Whoever writes ?mode=ro means it, and must not get a file of that name that is written to.
            if path.contains('?') {
                let why = "sqlite: takes a path and no parameters; a file with a ? in its name is given by its path alone";
                return unknown(why.into());
            }
            // sqlite://gift.db is how some tools write sqlite:gift.db; the path itself never begins with //.
            return Self::sqlite(path.strip_prefix("//").unwrap_or(path));
        }
        if address.starts_with("file:") {
            return unknown("a file is given by its path, or as sqlite:path".into());
        }
        match address.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Self::server(address),
            Some((scheme, _)) if is_scheme(scheme) => {
                unknown(format!("{scheme}:// is none of: a path, sqlite:, memory:, postgres://"))
            }
            _ => Self::sqlite(address),
        }
    }

    /// Whether it is a standby is for the host to say; all else is the store's.
    fn server(url: &str) -> Result<Self, HostError> {
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let ours = |parameter: &&str| parameter.split('=').next() == Some("standby");
        let (said, others): (Vec<&str>, Vec<&str>) = parameters.split('&').partition(ours);
        let others = others.join("&");
        let rest = if others.is_empty() { place.to_owned() } else { format!("{place}?{others}") };
        match said.last().copied() {
            None | Some("standby=false") => Ok(Self::Postgres(Url(rest))),
            Some("standby=true") => Ok(Self::Standby(Url(rest))),
            Some(_) => Err(HostError::StoreUnknown { why: "standby= takes true or false".into() }),
        }
    }

    fn sqlite(path: &str) -> Result<Self, HostError> {
        if path.is_empty() {
            return Err(HostError::StoreUnknown { why: "the path of the file is missing".into() });
        }
        Ok(Self::Sqlite(path.to_owned()))
    }

    async fn store(self) -> Result<Arc<dyn Store>, HostError> {
        match self {
            Self::Memory => Ok(Arc::new(Memory::new())),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(path) => {
                let store = crate::offload::offload(move || passes_sqlite::Sqlite::open(path)).await??;
                Ok(Arc::new(store))
            }
            #[cfg(not(feature = "sqlite"))]
            Self::Sqlite(_) => {
                Err(HostError::StoreUnknown { why: "this is built without the feature sqlite".into() })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(Url(url)) => Ok(Arc::new(passes_postgres::Postgres::connect(&url).await?)),
            #[cfg(feature = "postgres")]
            Self::Standby(Url(url)) => Ok(Arc::new(passes_postgres::Standby::connect(&url).await?)),
            #[cfg(not(feature = "postgres"))]
            Self::Postgres(_) | Self::Standby(_) => {
                Err(HostError::StoreUnknown { why: "this is built without the feature postgres".into() })
            }
        }
    }
}

/// Whether it looks like the scheme of a URL, and is short enough to be none of its secrets.
fn is_scheme(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (2..=16).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1: an address means one store, and a plain path is a file of SQLite.
    #[test]
    fn addresses() {
        let file = |path: &str| Ok(Place::Sqlite(path.to_owned()));
        assert_eq!(Place::of("memory:"), Ok(Place::Memory));
        assert_eq!(Place::of("gift.db"), file("gift.db"));
        assert_eq!(Place::of("sqlite:gift.db"), file("gift.db"));
        assert_eq!(Place::of("sqlite://gift.db"), file("gift.db"));
        assert_eq!(Place::of("sqlite:/var/gift.db"), file("/var/gift.db"));
        assert_eq!(Place::of("sqlite:///var/gift.db"), file("/var/gift.db"));
        assert_eq!(Place::of(r"C:\shop\gift.db"), file(r"C:\shop\gift.db"));
        assert_eq!(Place::of("till:7.db"), file("till:7.db"));
        assert_eq!(Place::of("really?.db"), file("really?.db"));
        for url in ["postgres://till:hunter2@db/shop?sslmode=require", "postgresql://till:hunter2@db/shop"] {
            let place = Place::of(url);
            assert_eq!(place, Ok(Place::Postgres(Url(url.to_owned()))));
            assert!(!format!("{place:?}").contains("hunter2"));
        }
        let standby = |url: &str| Ok(Place::Standby(Url(url.to_owned())));
        assert_eq!(Place::of("postgres://db/shop?standby=true"), standby("postgres://db/shop"));
        let with_others = Place::of("postgres://db/shop?connections=2&standby=true&sslmode=require");
        assert_eq!(with_others, standby("postgres://db/shop?connections=2&sslmode=require"));
        let primary = Ok(Place::Postgres(Url("postgres://db/shop".to_owned())));
        assert_eq!(Place::of("postgres://db/shop?standby=false"), primary);
    }

    /// D-1, C-13: what is wrong with the URL of a server is said without its password, whether PostgreSQL is in this build
    /// or not.
    #[test]
    fn a_bad_server_is_told_without_its_password() {
        let keyring = || Keyring::from_master("m1", &[7; 32]).unwrap();
        for (url, codes) in [
            ("postgres://till:hunter2@db/shop?sslmode=sometimes", ["STORE_FAILED", "STORE_UNKNOWN"]),
            ("postgres://till:hunter2@127.0.0.1:1/shop?sslmode=disable", ["TRANSIENT", "STORE_UNKNOWN"]),
        ] {
            let error = open(url, keyring()).wait().err().unwrap();
            let built = usize::from(!cfg!(feature = "postgres"));
            assert_eq!(error.code(), codes[built], "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    /// Z-1, C-13: any other address is refused with what would do, and no password is repeated.
    #[test]
    fn bad_addresses_are_refused_without_being_repeated() {
        let bad = [
            ("", "path"),
            ("sqlite:", "path"),
            ("sqlite://", "path"),
            ("sqlite:gift.db?mode=ro", "no parameters"),
            ("sqlite:///gift.db?key=hunter2", "no parameters"),
            ("memory:shop", "memory:"),
            (":memory:", "memory:"),
            ("file:gift.db?mode=memory", "sqlite:path"),
            ("postgres://till:hunter2@db/shop?standby=perhaps", "true or false"),
            ("mysql://till:hunter2@db/shop", "mysql:// is none of"),
        ];
        for (address, hint) in bad {
            let error = Place::of(address).unwrap_err();
            let text = format!("{error} {error:?}");
            assert_eq!(error.code(), "STORE_UNKNOWN", "{address}");
            assert!(text.contains(hint) && !text.contains("hunter2"), "{address}: {text}");
        }
    }
}

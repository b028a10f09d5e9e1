//! A hot standby: a server that follows the primary, for what may be a little old.

use crate::errors::{While, broken, told};
use crate::options::Address;
use crate::{Options, Postgres};
use passes_core::store::{After, Answer, Change, Chunk, Command, Fut, Store, StoreError, delegate, wait};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::SimpleQueryMessage;

/// Microseconds by which a standby is behind; nothing where that can't be known. One that has replayed all that it
/// received, and still receives, is not behind, however long ago the last transaction was.
const BEHIND: &str = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0 \
     WHEN pg_last_wal_replay_lsn()>=pg_last_wal_receive_lsn() \
     AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) THEN 0 \
     ELSE greatest(0,(extract(epoch FROM clock_timestamp()-pg_last_xact_replay_timestamp())*1000000)::int8) END";

/// How long it is believed what a standby said about how far it is behind.
const BELIEVED: Duration = Duration::from_secs(1);

/// A hot standby of the database that a [`Postgres`] is opened on: for lists, statements and reports, which may be a little
/// old, and which then don't burden the primary.
///
/// It is a store of its own, and a host opens the library a second time on it. Every answer of such a handle comes from the
/// standby, so that one answer doesn't mix the present with the past; every command over it is refused, and nothing is
/// sent. Commands over the first handle never ask a standby, so it is none of their business how far one is behind, or
/// whether it is there at all.
///
/// ```no_run
/// use passes_core::store::{DocKind, PageQuery, Store, wait};
/// use passes_postgres::{Postgres, Standby};
/// use std::time::Duration;
///
/// let primary = Postgres::open("postgres://till@db/shop")?;
/// let reports = Postgres::options()
///     .most_behind(Duration::from_secs(30))
///     .open_standby("postgres://report@standby/shop")?;
/// let business = passes_core::id::BusinessId::STORE;
/// let lots = PageQuery::Docs { business, kind: DocKind::Lot, parent: None, after: None, limit: 100 };
/// let page = match wait(reports.page(&lots)) {
///     // It is down, or too far behind.
///     Err(error) if error.is_retryable() => wait(primary.page(&lots))?,
///     page => page?,
/// };
/// assert!(page.docs.len() <= 100);
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
///
/// # How old
///
/// Streaming replication brings over what is committed within milliseconds; a long report on the standby, or a slow
/// network, may hold that up (`max_standby_streaming_delay`, 30 seconds by default, after which the report is ended and
/// [`StoreError::Transient`] is told; `hot_standby_feedback=on` avoids both, and keeps more dead rows on the primary).
/// [`Standby::behind`] tells how far it is behind now, and [`Options::most_behind`] refuses to answer from further back.
/// Positions of events are those of the primary: of an operation is told once nothing can appear before it any more.
///
/// A URL should name one standby: of two, one may be behind the other, and a list would go back in time from one page to
/// the next.
pub struct Standby {
    store: Postgres,
    most_behind: Option<Duration>,
    /// When it was last found to be near enough.
    near: Mutex<Option<Instant>>,
}

impl Standby {
    /// Connects to a standby. It blocks the thread and needs no runtime. Nothing is made or changed there.
    ///
    /// # Errors
    /// Those of [`Options::connect_standby`].
    ///
    /// ```
    /// use passes_core::store::StoreError;
    /// let nobody = passes_postgres::Standby::open("postgres://report@127.0.0.1:1/shop?sslmode=disable");
    /// assert!(matches!(nobody, Err(StoreError::Transient(_))));
    /// ```
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Options::new().open_standby(url)
    }

    /// The same for an async host, in whatever runtime it has.
    ///
    /// # Errors
    /// Those of [`Options::connect_standby`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Options::new().connect_standby(url).await
    }

    pub(crate) async fn start(url: &str, options: Options) -> Result<Self, StoreError> {
        let address = Address { reading: true, ..Address::parse(url, &options)? };
        let most_behind = options.most_behind;
        let store = Postgres::start(address, options).await?;
        Ok(Self { store, most_behind, near: Mutex::new(None) })
    }

    /// How far it is behind the primary: nothing where it can't know, because it has replayed no transaction yet. One whose
    /// primary is gone counts from the last transaction that it has.
    ///
    /// ```no_run
    /// use passes_core::store::wait;
    /// let standby = passes_postgres::Standby::open("postgres://report@standby/shop")?;
    /// let behind = wait(standby.behind())?;
    /// assert!(behind.is_some_and(|behind| behind.as_secs() < 60));
    /// # Ok::<(), passes_core::store::StoreError>(())
    /// ```
    pub fn behind(&self) -> Fut<'_, Option<Duration>> {
        self.store.lanes.first().runtime.within(self.ask())
    }

    /// How many times something was sent to the standby and its answer waited for.
    /// See [`Postgres::round_trips`].
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.store.round_trips()
    }

    /// Closes it: who comes later is told [`StoreError::Closed`].
    pub fn close(&self) {
        self.store.close();
    }

    async fn ask(&self) -> Result<Option<Duration>, StoreError> {
        let session = self.store.lanes.first().session().await?;
        session.trip();
        let answer = session.client.simple_query(BEHIND).await;
        let answer = answer.map_err(|error| told(&error, While::Reading))?;
        let micros = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        Ok(micros.map(Duration::from_micros))
    }

    /// Refuses when it is too far behind.
    async fn is_near(&self) -> Result<(), StoreError> {
        let Some(most) = self.most_behind else { return Ok(()) };
        let near = *self.near.lock().unwrap_or_else(PoisonError::into_inner);
        if near.is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(());
        }
        let asked = Instant::now();
        match self.ask().await? {
            Some(behind) if behind <= most => {
                *self.near.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
                Ok(())
            }
            Some(behind) => {
                Err(StoreError::Transient(format!("the standby is {} s behind", behind.as_secs())))
            }
            None => Err(StoreError::Transient("the standby can't tell how far it is behind".into())),
        }
    }

    /// What is asked of the standby.
    fn read<'a, T: Send + 'a>(&'a self, question: Fut<'a, T>) -> Fut<'a, T> {
        self.store.lanes.first().runtime.within(async move {
            self.is_near().await?;
            question.await.map_err(calmed)
        })
    }
}

/// A standby ends what stands in the way of its replay, by the error that means a conflict elsewhere.
fn calmed(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict => {
            StoreError::Transient("the standby ended it, to go on with what the primary did".into())
        }
        other => other,
    }
}

fn refused<'a, T: Send + 'a>() -> Fut<'a, T> {
    Box::pin(std::future::ready(Err(broken("a standby only answers questions; commands go to the primary"))))
}

impl Options {
    /// How far a standby may be behind and still answer, by default however far. One that is further behind says
    /// [`StoreError::Transient`]. It is asked once a second at most, so an answer may be a second older than that.
    #[must_use]
    pub fn most_behind(mut self, time: Duration) -> Self {
        self.most_behind = Some(time);
        self
    }

    /// Connects to a hot standby at a URL. It blocks the thread and needs no runtime.
    ///
    /// # Errors
    /// Those of [`Options::connect_standby`].
    pub fn open_standby(self, url: &str) -> Result<Standby, StoreError> {
        wait(self.connect_standby(url))
    }

    /// The same for an async host, in whatever runtime it has.
    ///
    /// # Errors
    /// [`StoreError::Transient`] if it can't be reached, or its tables aren't there in their newest form yet: it follows the
    /// primary, where [`Options::connect`] makes them. Else as there.
    pub async fn connect_standby(self, url: &str) -> Result<Standby, StoreError> {
        Standby::start(url, self).await
    }
}

impl fmt::Debug for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standby").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Store for Standby {
    fn run(&self, _: Command) -> Fut<'_, Answer> {
        refused()
    }

    fn commit<'a>(&'a self, _: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        refused()
    }

    fn fill<'a>(&'a self, _: &'a Chunk) -> Fut<'a, After> {
        refused()
    }

    delegate!(store; slots, pause);
    delegate!(store, read; load, page, events, audit, ledger);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1, D-3: what a standby ends is to be asked again, and not decided again.
    #[test]
    fn what_a_standby_ends_is_a_passing_fault() {
        assert!(matches!(calmed(StoreError::Conflict), StoreError::Transient(_)));
        assert_eq!(calmed(StoreError::Closed), StoreError::Closed);
    }
}

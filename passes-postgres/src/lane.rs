//! Lanes: each is a runtime, connections that it serves, and the groups of redemptions that go over them.
//!
//! Callers who wait for one runtime hand its answers over to each other, and one group at a time leaves a processor idle
//! while it waits for the server. So there are some of them, and whoever comes takes the one in which the fewest are.

use crate::group::Groups;
use crate::options::{Address, Options};
use crate::pool::{Connection, Connector, OTHERS, Pool, Shared, connection};
use crate::runtime::{Own, within};
use crate::schema;
use deadpool::managed::QueueMode;
use passes_core::id::BusinessId;
use passes_core::store::{
    After, Auditor, Change, Fut, Load, Loaded, Page, PageQuery, StoreError, StoredOperation,
};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A lane has so many connections at least: somebody who keeps one for long is in nobody's way.
const WIDTH: usize = 8;

/// There are so many at most: the more there are, the fewer go together.
const MOST: usize = 4;

thread_local! {
    /// The lane that was taken last on this thread: what it needs is in the caches.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// How many connections each lane has, on so many processors.
fn widths(connections: usize, processors: usize) -> Vec<usize> {
    let count = processors.min(connections / WIDTH).clamp(1, MOST);
    // The first ones have what is left over.
    (0..count).map(|at| connections.saturating_sub(at).div_ceil(count)).collect()
}

/// The lanes of a store, at least one.
pub(crate) struct Lanes {
    first: Lane,
    others: Vec<Lane>,
}

/// A lane.
pub(crate) struct Lane {
    pub(crate) pool: Pool,
    pub(crate) groups: Arc<Groups>,
    pub(crate) runtime: Own,
    settle_timeout: Duration,
    /// How many are in it.
    busy: AtomicUsize,
}

/// Somebody in a lane.
struct Visit<'a>(&'a Lane);

impl<'a> Visit<'a> {
    fn new(lane: &'a Lane) -> Self {
        lane.busy.fetch_add(1, Ordering::Relaxed);
        Self(lane)
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lanes {
    /// Connects, and makes or looks at the tables.
    pub(crate) async fn start(
        address: Address,
        options: &Options,
        shared: &Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let (most, reading, distributed) = (address.connections, address.reading, address.distributed);
        let groups = !address.transaction_pooler;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        // Nothing is redeemed on a standby.
        let mut widths = widths(most, if reading { 1 } else { processors }).into_iter();
        let runtime = Own::new()?;
        let handle = runtime.handle().clone();
        // The machine's certificates are read from the disk.
        let connector = handle.spawn_blocking({
            let serves = (handle.clone(), runtime.serving().clone());
            let shared = Arc::clone(shared);
            move || Connector::new(address, serves, shared)
        });
        let connector = connector.await.map_err(|error| StoreError::Backend(error.to_string()))??;
        within(&handle, async {
            let mut client = connector.connect().await?;
            if reading {
                schema::is_there(&client).await
            } else {
                schema::migrate(&mut client, distributed).await
            }
        })
        .await?;
        let first = widths.next().unwrap_or(most);
        let mut others = Vec::with_capacity(widths.len());
        for width in widths {
            let runtime = Own::new()?;
            let connector = connector.with((runtime.handle().clone(), runtime.serving().clone()));
            others.push(Lane::new(connector, runtime, width, options, groups)?);
        }
        let first = Lane::new(connector, runtime, first, options, groups)?;
        Ok(Self { first, others })
    }

    /// The first lane.
    pub(crate) fn first(&self) -> &Lane {
        &self.first
    }

    fn all(&self) -> impl Iterator<Item = &Lane> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The lane in which the fewest are; among several, the one that this thread took last.
    fn visit(&self) -> Visit<'_> {
        let last = LAST.get();
        let order = self.all().enumerate();
        let least = order.min_by_key(|(at, lane)| (lane.busy.load(Ordering::Relaxed), *at != last));
        let (at, lane) = least.unwrap_or((0, &self.first));
        LAST.set(at);
        Visit::new(lane)
    }

    /// A lane, and what answers in it.
    fn take<'a, T: 'a, F>(
        &'a self,
        ask: impl FnOnce(&'a Lane) -> F + Send + 'a,
    ) -> (&'a Lane, impl Future<Output = Result<T, StoreError>> + Send + 'a)
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'a,
    {
        let visit = self.visit();
        (visit.0, async move {
            let visit = visit;
            ask(visit.0).await
        })
    }

    /// Answers in a lane; a thread that may be blocked serves it meanwhile.
    pub(crate) fn serve<'a, T: 'a, F>(&'a self, ask: impl FnOnce(&'a Lane) -> F + Send + 'a) -> Fut<'a, T>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'a,
    {
        let (lane, answer) = self.take(ask);
        lane.runtime.served(answer)
    }

    /// Answers in a lane, which its keeper serves meanwhile.
    pub(crate) fn keep<'a, T: 'a, F>(&'a self, ask: impl FnOnce(&'a Lane) -> F + Send + 'a) -> Fut<'a, T>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'a,
    {
        let (lane, answer) = self.take(ask);
        lane.runtime.within(answer)
    }

    /// Gives no connection to anybody any more.
    pub(crate) fn close(&self) {
        self.all().for_each(|lane| lane.pool.close());
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.close();
        for lane in std::iter::once(&mut self.first).chain(&mut self.others) {
            let serving = lane.pool.manager().serving();
            lane.runtime.end(serving);
        }
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(|lane| lane.pool.status())).finish()
    }
}

impl Lane {
    fn new(
        connector: Connector,
        runtime: Own,
        width: usize,
        options: &Options,
        groups: bool,
    ) -> Result<Self, StoreError> {
        let pool = Pool::builder(connector)
            .max_size(width)
            // The one that was used last is warm, in the server's processes and caches.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(options.wait_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Backend(error.to_string()))?;
        Ok(Self {
            pool,
            groups: Groups::new(groups),
            runtime,
            settle_timeout: options.settle_timeout,
            busy: AtomicUsize::new(0),
        })
    }

    pub(crate) async fn session(&self) -> Result<Connection, StoreError> {
        connection(&self.pool).await
    }

    pub(crate) async fn load(&self, load: &Load) -> Result<Loaded, StoreError> {
        let mut others = OTHERS;
        loop {
            let mut session = self.session().await?;
            match session.load(load).await {
                Err(StoreError::Transient(_)) if session.is_lost() && others > 0 => others -= 1,
                loaded => return loaded,
            }
        }
    }

    pub(crate) async fn page(&self, query: &PageQuery) -> Result<Page, StoreError> {
        if let PageQuery::Operations { business, after, limit } = query {
            let operations = self.settled(*business, *after, *limit).await?;
            return Ok(Page { operations, ..Page::default() });
        }
        let mut others = OTHERS;
        loop {
            let mut session = self.session().await?;
            match session.page(query).await {
                Err(StoreError::Transient(_)) if session.is_lost() && others > 0 => others -= 1,
                page => return page,
            }
        }
    }

    /// Waits a moment for what is committed and may not be the last of its place yet; false when it waited long enough.
    async fn settles(&self, since: Instant, round: &mut u32) -> bool {
        if since.elapsed() >= self.settle_timeout {
            return false;
        }
        tokio::time::sleep(Duration::from_micros(250_u64 << (*round).min(6))).await;
        *round += 1;
        true
    }

    pub(crate) async fn settled(
        &self,
        business: BusinessId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arc<StoredOperation>>, StoreError> {
        let (since, mut round, mut others) = (Instant::now(), 0, OTHERS);
        loop {
            let mut session = self.session().await?;
            let (mut operations, settled) = match session.operations(business, after, limit).await {
                Err(StoreError::Transient(_)) if session.is_lost() && others > 0 => {
                    others -= 1;
                    continue;
                }
                operations => operations?,
            };
            drop(session);
            if settled == operations.len() || !self.settles(since, &mut round).await {
                operations.truncate(settled);
                return Ok(operations);
            }
        }
    }

    pub(crate) async fn commit(
        &self,
        changes: &[Change],
    ) -> Result<Vec<Result<After, StoreError>>, StoreError> {
        let mut answers = Vec::with_capacity(changes.len());
        let mut rest = changes;
        if changes.is_empty() {
            return Ok(answers);
        }
        let mut session = self.session().await?;
        while !rest.is_empty() {
            let (group, others) = rest.split_at(crate::together(rest));
            rest = others;
            if let [change] = group {
                answers.push(crate::commit_one(&mut session, change, &[]).await);
                continue;
            }
            match crate::commit_group(&mut session, group, &[]).await {
                Ok(after) => answers.extend(after.into_iter().map(Ok)),
                Err(error @ (StoreError::InDoubt | StoreError::Transient(_) | StoreError::Full(_))) => {
                    answers.extend(group.iter().map(|_| Err(error.clone())));
                }
                Err(_) => {
                    for change in group {
                        answers.push(crate::commit_one(&mut session, change, &[]).await);
                    }
                }
            }
        }
        Ok(answers)
    }

    pub(crate) async fn ledger(
        &self,
        business: BusinessId,
        after: u64,
        mut each: Auditor,
    ) -> Result<(), StoreError> {
        let (since, mut round) = (Instant::now(), 0);
        loop {
            let bear = since.elapsed() >= self.settle_timeout;
            if self.session().await?.ledger(business, after, bear, &mut each).await? {
                return Ok(());
            }
            self.settles(since, &mut round).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1: lanes have all connections that there may be, and none has few if there are several.
    #[test]
    fn lanes_have_all_connections() {
        for connections in 1..200 {
            for processors in 1..10 {
                let widths = widths(connections, processors);
                assert_eq!(widths.iter().sum::<usize>(), connections);
                assert!((1..=MOST.min(processors)).contains(&widths.len()), "{widths:?}");
                assert!(widths.len() == 1 || widths.iter().all(|width| *width >= WIDTH), "{widths:?}");
            }
        }
        assert_eq!((widths(16, 2), widths(7, 8), widths(35, 64)), (vec![8, 8], vec![7], vec![9, 9, 9, 8]));
    }
}

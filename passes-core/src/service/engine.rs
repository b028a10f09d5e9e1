//! How a command travels: from a request to a change that the store runs, and back to a receipt.

use super::docs::Docs;
use super::receipt::{Done, Receipt};
use super::{Error, Inner, Passes, stored};
use crate::business::Business;
use crate::calendar::Instant;
use crate::event::Event;
use crate::id::{Ids, PlanId};
use crate::operation::{By, Kind, Right};
use crate::refusal::Refusal;
use crate::store::{
    Answer, Change, Command, Decide, Decision, DocKey, DocKind, Fingerprint, KeyHash, Load, Loaded,
    Operation, Put, Record, StoreError, StoredOperation, TallyKey,
};
use blake3::hazmat::{ContextKey, hash_derive_key_context};
use serde::Serialize;
use std::borrow::Borrow;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a decision has at hand besides its request: the moment, randomness, and who asks.
#[derive(Clone)]
pub(crate) struct Env {
    pub(crate) now: Instant,
    pub(crate) seed: [u8; 32],
    pub(crate) by: By,
    pub(crate) key: Option<KeyHash>,
}

impl Env {
    pub(crate) fn new(by: &By, now: Instant, seed: [u8; 32]) -> Self {
        let key = by.key.as_deref().map(|key| key_hash(by, key));
        let By { business, actor, place, channel, reason, .. } = by;
        let (actor, place, channel) = (actor.clone(), place.clone(), channel.clone());
        // The key is hashed, and not needed any more.
        let by = By { business: *business, actor, place, channel, reason: reason.clone(), key: None };
        Self { now, seed, by, key }
    }
}

/// What a decision looks at.
pub(crate) struct View<'a> {
    pub(crate) env: &'a Env,
    pub(crate) inner: &'a Inner,
    pub(crate) loaded: &'a Loaded,
    /// The named tallies that were loaded, in their order.
    pub(crate) tallies: &'a [TallyKey],
    pub(crate) docs: Docs<'a>,
    pub(crate) business: &'a Business,
    pub(crate) business_version: u32,
    /// The slot that it begins with in the tallies that many share, once it counts there.
    pub(crate) slot: std::cell::OnceCell<u16>,
    plan: std::cell::Cell<Option<PlanId>>,
}

impl View<'_> {
    /// Notes the plan that the command is about, under which a refusal is counted.
    pub(crate) fn about(&self, plan: PlanId) {
        self.plan.set(Some(plan));
    }
}

/// What an accepted decision comes to.
pub(crate) struct Draft<T> {
    /// Boxed, because it is large and travels far.
    pub(crate) change: Box<Change>,
    pub(crate) done: T,
    pub(crate) events: Vec<Event>,
    /// A key that it stops.
    pub(crate) stops: Option<KeyHash>,
    /// The kind of its operation, where it turned out to be another than was asked for.
    pub(crate) kind: Option<Kind>,
}

impl<T> Draft<T> {
    pub(crate) fn new(view: &View<'_>, done: T) -> Self {
        let change = Box::new(Change::new(view.env.by.business));
        // Most raise one.
        Self { change, done, events: Vec::with_capacity(1), stops: None, kind: None }
    }
}

/// A command, ready to be decided.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) env: Env,
    pub(crate) kind: Kind,
    pub(crate) load: Load,
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// A decision proper: what a request comes to, whatever else the store makes of it. It may be asked again.
pub(crate) trait Decides<T>: Fn(&View<'_>) -> Result<Draft<T>, Error> + Send + Sync {}

impl<T, F: Fn(&View<'_>) -> Result<Draft<T>, Error> + Send + Sync> Decides<T> for F {}

/// A command under way: what its decisions rest on, however often the store decides. All of that is lent to a store that
/// answers at once.
pub(crate) struct Job<I, O, F, T> {
    inner: I,
    order: O,
    decide: F,
    told: Mutex<Told<T>>,
}

/// A command that has to be waited for.
pub(crate) type Kept<F, T> = Job<Arc<Inner>, Order, F, T>;

/// What became of a command when it was given to the store.
pub(crate) enum Begun<'a, T> {
    /// The store answered at once, and nothing else is to be done.
    Over(Result<Receipt<T>, Error>),
    /// Boxed, so that a future with this in it has no room for what a store that answers at once doesn't need.
    Later(Pin<Box<dyn Future<Output = Result<Receipt<T>, Error>> + Send + 'a>>),
}

impl<T> Begun<'_, T> {
    /// Waits for it, if need be.
    pub(crate) async fn end(self) -> Result<Receipt<T>, Error> {
        match self {
            Self::Over(answer) => answer,
            Self::Later(answer) => answer.await,
        }
    }
}

/// What the last decision tells besides its answer.
pub(crate) struct Told<T> {
    done: Option<T>,
    error: Option<Error>,
    plan: Option<PlanId>,
}

/// The hash under which an idempotency key is stored.
pub(crate) fn key_hash(by: &By, key: &str) -> KeyHash {
    static CONTEXT: LazyLock<ContextKey> =
        LazyLock::new(|| hash_derive_key_context("passes 2026 idempotency key"));
    let business = by.business.as_bytes();
    // One block is room for nearly all, and hashing it in one piece is quicker.
    let mut room = [0; blake3::BLOCK_LEN];
    let (first, rest) = room.split_at_mut(business.len());
    let hash = match rest.get_mut(..key.len()) {
        Some(rest) => {
            first.copy_from_slice(business);
            rest.copy_from_slice(key.as_bytes());
            let length = first.len() + rest.len();
            blake3::keyed_hash(&CONTEXT, room.get(..length).unwrap_or_default())
        }
        None => blake3::Hasher::new_keyed(&CONTEXT).update(business).update(key.as_bytes()).finalize(),
    };
    first_half(hash.as_bytes())
}

pub(crate) fn first_half(hash: &[u8; 32]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = *hash;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// How often a use case is tried that looks ahead to name what it reads, and finds that others have changed it.
pub(crate) const TRIES: u32 = 24;

/// Tries such a use case, and again where others have changed what it named.
pub(crate) async fn again<T, F>(mut once: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for _ in 0..TRIES {
        match once().await {
            Err(Error::Store(StoreError::Conflict)) => {}
            other => return other,
        }
    }
    Err(StoreError::Conflict.into())
}

/// How often a command whose commit is in doubt is looked up and tried again.
const DOUBTS: u32 = 6;

/// How long is waited for a store that can't be asked what became of a command; each time twice as long.
const PATIENCE: Duration = Duration::from_millis(50);

impl Passes {
    /// Judges who asks, and gathers what a decision needs.
    pub(crate) fn env(&self, by: &By, right: Right) -> Result<Env, Error> {
        self.permit(by, right)?;
        Ok(Env::new(by, self.inner.clock.now(), self.seed()?))
    }

    /// In how many slots the store keeps a tally that many share.
    pub(crate) fn slots(&self) -> u16 {
        self.inner.store.slots()
    }

    /// Randomness for a command.
    pub(crate) fn seed(&self) -> Result<[u8; 32], Error> {
        self.inner.entropy.seed().map_err(Error::Entropy)
    }

    /// Judges whether the actor may do this here; refused before all else.
    pub(crate) fn permit(&self, by: &By, right: Right) -> Result<(), Error> {
        by.may(right).map_err(|refusal| {
            self.inner.refusals.count(self.inner.clock.now(), by, std::slice::from_ref(&refusal), None);
            refusal.into()
        })
    }

    /// A command of this kind, whose request is told apart from others under the same key by `request`.
    pub(crate) fn order<R: Serialize>(
        &self,
        by: &By,
        right: Right,
        kind: Kind,
        request: &R,
    ) -> Result<Order, Error> {
        self.order_of(self.env(by, right)?, kind, request)
    }

    /// Likewise, for who was judged before.
    pub(crate) fn order_of<R: Serialize>(&self, env: Env, kind: Kind, request: &R) -> Result<Order, Error> {
        let mut load = Load::new(env.by.business);
        // Most name one more.
        load.docs.reserve_exact(2);
        load.docs.push(DocKey::new(DocKind::Business, env.by.business));
        load.key = env.key;
        let fingerprint = match env.key {
            None => None,
            Some(_) => {
                let key = self.inner.keys.fingerprint()?;
                Some(stored::fingerprint(key, &(kind.number(), request))?)
            }
        };
        Ok(Order { env, kind, load, fingerprint })
    }

    /// The command, as it and its store keep it.
    pub(crate) fn prepare<T, F>(&self, order: Order, decide: F) -> Arc<Kept<F, T>>
    where
        T: Done,
        F: Decides<T>,
    {
        Arc::new(Job { inner: Arc::clone(&self.inner), order, decide, told: Mutex::default() })
    }

    /// Gives a command to the store, and keeps it only if it has to be waited for.
    pub(crate) fn begin<'a, T, F>(&'a self, order: Order, decide: F) -> Begun<'a, T>
    where
        T: Done,
        F: Decides<T> + 'static,
    {
        let lent = Job { inner: &*self.inner, order: &order, decide: &decide, told: Mutex::default() };
        let answer = match self.inner.store.run_now(&lent) {
            Some(Ok(answer)) => {
                let told = lent.told.into_inner().unwrap_or_else(PoisonError::into_inner);
                self.finish(&order.env, told, answer)
            }
            Some(Err(error)) => Err(error.into()),
            None => return Begun::Later(Box::pin(self.drive(self.prepare(order, decide), false))),
        };
        if self.has_to_flush() {
            return Begun::Later(Box::pin(async move {
                self.flush_some().await;
                answer
            }));
        }
        Begun::Over(answer)
    }

    /// The receipt of an answer, or why there is none.
    pub(crate) fn finish<T: Done>(
        &self,
        env: &Env,
        told: Told<T>,
        answer: Answer,
    ) -> Result<Receipt<T>, Error> {
        match answer {
            Answer::Done(after) => match told.done {
                Some(done) => Ok(Receipt::first(&after, env.now, done)),
                None => Err(StoreError::Backend("done, and nobody decided it".into()).into()),
            },
            Answer::Replayed(stored) => Ok(Receipt::again(&stored)?),
            Answer::Refused(refusals) => {
                if let Some(error) = told.error {
                    return Err(error);
                }
                self.inner.refusals.count(self.inner.clock.now(), &env.by, &refusals, told.plan);
                Err(refusals.into())
            }
        }
    }

    /// Runs a command.
    pub(crate) fn run<T, F>(
        &self,
        order: Order,
        decide: F,
    ) -> impl Future<Output = Result<Receipt<T>, Error>> + Send + use<'_, T, F>
    where
        T: Done,
        F: Decides<T> + 'static,
    {
        // Not inside the future, which would hold order and decision beside the command made of them.
        self.begin(order, decide).end()
    }

    /// Has the store run a command, and looks it up where its answer was lost. `doubt` says that it was run before, and
    /// nobody knows what came of that.
    pub(crate) async fn drive<T, F>(&self, job: Arc<Kept<F, T>>, mut doubt: bool) -> Result<Receipt<T>, Error>
    where
        T: Done,
        F: Decides<T> + 'static,
    {
        let mut running = self.inner.store.run(job.command());
        for round in 0..DOUBTS {
            match running.await {
                Ok(answer) => {
                    let answer = self.finish(job.env(), job.told(), answer);
                    self.flush_some().await;
                    return answer;
                }
                // With a key the next round finds what landed; without one nobody can tell.
                Err(StoreError::InDoubt) if job.is_keyed() => {
                    doubt = true;
                    running = self.inner.store.run(job.command());
                }
                Err(StoreError::InDoubt) => break,
                // This one didn't land, but it couldn't tell either what became of the one before. It may be told later.
                Err(error) if doubt && error.is_retryable() && round + 1 < DOUBTS => {
                    if self.inner.store.pause(PATIENCE.saturating_mul(1 << round.min(5))).await.is_err() {
                        break;
                    }
                    running = self.inner.store.run(job.command());
                }
                Err(_) if doubt => break,
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::InDoubt.into())
    }

    /// What a command would do: the same key and rules, and nothing is written. If it was done before, what was
    /// done then.
    pub(crate) async fn rehearse<T: Done>(
        &self,
        order: &Order,
        answer: impl FnOnce(&View<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let loaded = self.inner.store.load(&order.load).await?;
        match replayed(&loaded, order.fingerprint)? {
            Some(before) => Ok(Receipt::again(before)?.done),
            None => answer(&view(&self.inner, &order.env, &order.load, &loaded)?),
        }
    }

    /// Loads and decodes, to answer a question.
    pub(crate) async fn look<T>(
        &self,
        by: &By,
        load: Load,
        answer: impl FnOnce(&View<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let env = Env { now: self.inner.clock.now(), seed: [0; 32], by: by.clone(), key: None };
        let mut load = load;
        load.docs.push(DocKey::new(DocKind::Business, by.business));
        let loaded = self.inner.store.load(&load).await?;
        answer(&view(&self.inner, &env, &load, &loaded)?)
    }
}

impl<I, O, F, T> Job<I, O, F, T> {
    fn lock(&self) -> MutexGuard<'_, Told<T>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self { done: None, error: None, plan: None }
    }
}

impl<F: Decides<T> + 'static, T: Done> Kept<F, T> {
    pub(crate) fn env(&self) -> &Env {
        &self.order.env
    }

    /// What the last decision told.
    pub(crate) fn told(&self) -> Told<T> {
        std::mem::take(&mut *self.lock())
    }

    /// Whether what became of it can be looked up.
    pub(crate) fn is_keyed(&self) -> bool {
        self.order.env.key.is_some()
    }

    pub(crate) fn command(self: &Arc<Self>) -> Command {
        Arc::clone(self).into()
    }
}

impl<I, O, F, T> Job<I, O, F, T>
where
    I: Deref<Target = Inner>,
    O: Borrow<Order>,
    F: Decides<T>,
    T: Done,
{
    /// The key is judged before state and balance, then the decision proper. Nothing, if it was done before.
    fn judge(&self, loaded: &Loaded, told: &mut Told<T>) -> Result<Option<Box<Change>>, Error> {
        let Order { env, kind: asked, load, fingerprint } = self.order.borrow();
        if replayed(loaded, *fingerprint)?.is_some() {
            return Ok(None);
        }
        let view = view(&self.inner, env, load, loaded)?;
        let decided = (self.decide)(&view);
        told.plan = view.plan.get();
        let Draft { mut change, done, events, stops, kind } = decided?;
        let by = &env.by;
        // The settings must be those that it was decided by, unless it is the command that changes them, or one that
        // holds them.
        let settings = DocKey::new(DocKind::Business, by.business);
        let written = |put: &Put| matches!(&put.record, Record::Doc(doc) if doc.key == settings);
        if !change.put.iter().any(written) && !change.expect.iter().any(|(key, _)| *key == settings) {
            change.seen.push((settings, view.business_version));
        }
        change.operation = Some(Operation {
            id: Ids::operation(&env.seed, env.now),
            kind: kind.unwrap_or(*asked),
            actor: Arc::clone(by.actor.id()),
            place: by.place.clone(),
            channel: by.channel.clone(),
            reason: by.reason.clone(),
            at: env.now,
            booked: env.now,
            key: env.key.zip(*fingerprint),
            stops,
            receipt: stored::pack(&done)?,
            events: stored::pack(&events)?,
        });
        told.done = Some(done);
        Ok(Some(change))
    }
}

impl<I, O, F, T> Decide for Job<I, O, F, T>
where
    I: Deref<Target = Inner> + Send + Sync,
    O: Borrow<Order> + Send + Sync,
    F: Decides<T>,
    T: Done,
{
    fn load(&self) -> &Load {
        &self.order.borrow().load
    }

    fn decide(&self, loaded: &Loaded) -> Decision {
        let mut told = self.lock();
        *told = Told::default();
        match self.judge(loaded, &mut told) {
            Ok(Some(change)) => Decision::Accepted(change),
            Ok(None) => Decision::Replayed,
            Err(Error::Refused(refused)) => Decision::Refused(refused.reasons().to_vec(), None),
            Err(other) => {
                told.error = Some(other);
                Decision::Refused(Vec::new(), None)
            }
        }
    }
}

fn view<'a>(inner: &'a Inner, env: &'a Env, load: &'a Load, loaded: &'a Loaded) -> Result<View<'a>, Error> {
    stored::sound(loaded)?;
    let docs = Docs { business: env.by.business, loaded, cache: &inner.cache };
    let (business, business_version) = docs.business()?;
    inner.refusals.note_zone(env.by.business, business.settings.zone);
    let tallies = load.tallies.as_slice();
    Ok(View {
        env,
        inner,
        loaded,
        tallies,
        docs,
        business,
        business_version,
        slot: std::cell::OnceCell::new(),
        plan: std::cell::Cell::new(None),
    })
}

/// The operation that the same request left before, if its key finds one.
fn replayed(loaded: &Loaded, fingerprint: Option<Fingerprint>) -> Result<Option<&StoredOperation>, Refusal> {
    if loaded.stopped {
        return Err(Refusal::ReversedBefore);
    }
    let Some(replay) = &loaded.replay else { return Ok(None) };
    let same = replay.operation.key.is_some_and(|(_, was)| Some(was) == fingerprint);
    if same { Ok(Some(replay)) } else { Err(Refusal::IdempotencyMismatch) }
}

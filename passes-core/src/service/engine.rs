//! How a command travels: from a request to a change that the store runs, and back to a receipt.

mod lend;
mod spare;

use super::docs::Docs;
use super::receipt::{Done, Receipt};
use super::{Error, Inner, Keys, Passes, stored};
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
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a decision has at hand besides its request: the moment, randomness, and who asks.
#[derive(Clone)]
pub(crate) struct Env<'a> {
    pub(crate) now: Instant,
    pub(crate) seed: [u8; 32],
    /// Borrowed until the command has to be kept: counting who holds each of its texts costs as much as a rule.
    pub(crate) by: Cow<'a, By>,
    pub(crate) key: Option<KeyHash>,
}

impl<'a> Env<'a> {
    /// What is known before anything is found out: who asks. Moment, seed and key are still to come.
    #[inline]
    pub(crate) fn early(by: &'a By) -> Self {
        Self { now: Instant::EPOCH, seed: [0; 32], by: Cow::Borrowed(by), key: None }
    }

    fn find_key(&mut self) {
        self.key = self.by.key.as_deref().map(|key| key_hash(&self.by, key));
    }

    fn find_moment(&mut self, inner: &Inner) -> Result<(), Error> {
        (self.now, self.seed) = (inner.clock.now(), inner.entropy.seed().map_err(Error::Entropy)?);
        Ok(())
    }

    /// The same, for a command that is kept.
    fn into_owned(self) -> Env<'static> {
        let mut by = self.by.into_owned();
        // It is hashed, and not needed any more.
        by.key = None;
        Env { by: Cow::Owned(by), ..self }
    }
}

/// What a decision looks at.
pub(crate) struct View<'a> {
    pub(crate) env: &'a Env<'a>,
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
        let change = spare::change(view.env.by.business);
        Self { change, done, events: spare::events(), stops: None, kind: None }
    }
}

impl Draft<()> {
    /// The same, of what it comes to.
    pub(crate) fn of<T>(self, done: T) -> Draft<T> {
        let Self { change, done: (), events, stops, kind } = self;
        Draft { change, done, events, stops, kind }
    }
}

/// A command, ready to be decided.
#[derive(Clone)]
pub(crate) struct Order<'a> {
    pub(crate) env: Env<'a>,
    pub(crate) kind: Kind,
    pub(crate) load: Load,
    pub(crate) fingerprint: Option<Fingerprint>,
    /// What is still to be found out. Only a command that may be lent leaves something: it finds that out while the store
    /// waits for memory.
    left: Left,
}

/// What of a command rests on nothing that is loaded, and is still to be found out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Its key and its fingerprint, then its moment and its seed.
    All,
    /// Its key and its fingerprint.
    Key,
    /// Its moment and its seed.
    Moment,
    /// Nothing.
    Nothing,
}

/// A decision proper: what a request comes to, whatever else the store makes of it. It may be asked again.
pub(crate) trait Decides<T>: Send + Sync {
    fn decide(&self, view: &View<'_>) -> Result<Draft<T>, Error>;

    /// What tells the request apart from others under the same key, if that is left to be found out.
    fn fingerprint(&self, _keys: &Keys, order: &Order<'_>) -> Result<Option<Fingerprint>, Error> {
        Ok(order.fingerprint)
    }
}

impl<T, F: Fn(&View<'_>) -> Result<Draft<T>, Error> + Send + Sync> Decides<T> for F {
    fn decide(&self, view: &View<'_>) -> Result<Draft<T>, Error> {
        self(view)
    }
}

/// A command under way that has to be waited for: what its decisions rest on, however often the store decides.
pub(crate) struct Kept<F, T> {
    inner: Arc<Inner>,
    order: Order<'static>,
    decide: F,
    told: Mutex<Told<T>>,
}

/// What became of a command when it was given to the store.
pub(crate) enum Begun<'a, T> {
    /// The store answered at once, and nothing else is to be done.
    Over(Result<Receipt<T>, Error>),
    /// It has to be waited for.
    Later(Later<'a, T>),
}

/// Boxed, so that a future with this in it has no room for what a store that answers at once doesn't need.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = Result<Receipt<T>, Error>> + Send + 'a>>;

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
    pub(crate) fn env<'a>(&self, by: &'a By, right: Right) -> Result<Env<'a>, Error> {
        self.permit(by, right)?;
        let mut env = Env::early(by);
        env.find_key();
        env.find_moment(&self.inner)?;
        Ok(env)
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
        self.early(by, by.may(right))
    }

    /// A command of this kind, whose request is told apart from others under the same key by `request`.
    pub(crate) fn order<'a, R: Serialize>(
        &self,
        by: &'a By,
        right: Right,
        kind: Kind,
        request: &R,
    ) -> Result<Order<'a>, Error> {
        let mut order = Order::new(self.env(by, right)?, kind, Left::Nothing);
        order.fingerprint = order.fingerprint_of(&self.inner.keys, request)?;
        Ok(order)
    }

    /// The command, as it and its store keep it.
    pub(crate) fn prepare<T, F>(&self, order: Order<'_>, decide: F) -> Result<Arc<Kept<F, T>>, Error>
    where
        T: Done,
        F: Decides<T>,
    {
        let mut order = order;
        while order.ahead(&self.inner, &decide)? {}
        let order = Order { env: order.env.into_owned(), ..order };
        Ok(Arc::new(Kept { inner: Arc::clone(&self.inner), order, decide, told: Mutex::default() }))
    }

    /// Gives a command to a store that doesn't take loans.
    pub(crate) fn give<'a, T, F>(&'a self, order: Order<'_>, decide: F) -> Begun<'a, T>
    where
        T: Done,
        F: Decides<T> + 'static,
    {
        match self.prepare(order, decide) {
            Ok(job) => Begun::Later(Box::pin(self.drive(job, false))),
            Err(error) => Begun::Over(Err(error)),
        }
    }

    /// The receipt of an answer, or why there is none.
    pub(crate) fn finish<T: Done>(
        &self,
        env: &Env<'_>,
        told: &mut Told<T>,
        answer: Answer,
    ) -> Result<Receipt<T>, Error> {
        match answer {
            Answer::Done(after) => match told.done.take() {
                Some(done) => Ok(Receipt::first(&after, env.now, done)),
                None => Err(StoreError::Backend("done, and nobody decided it".into()).into()),
            },
            Answer::Replayed(stored) => {
                std::hint::cold_path();
                Ok(Receipt::again(&stored)?)
            }
            Answer::Refused(refusals) => {
                std::hint::cold_path();
                if let Some(error) = told.error.take() {
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
        order: Order<'_>,
        decide: F,
    ) -> impl Future<Output = Result<Receipt<T>, Error>> + Send + use<'_, T, F>
    where
        T: Done,
        F: Fn(&View<'_>) -> Result<Draft<T>, Error> + Send + Sync + 'static,
    {
        // Not inside the future, which would hold order and decision beside the command made of them.
        let mut order = order;
        self.lend(&mut order, &decide).unwrap_or_else(|| self.give(order, decide)).end()
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
                    let answer = self.finish(job.env(), &mut job.told(), answer);
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
        order: &Order<'_>,
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
        let env = Env { now: self.inner.clock.now(), ..Env::early(by) };
        let mut load = load;
        load.docs.push(DocKey::new(DocKind::Business, by.business));
        let loaded = self.inner.store.load(&load).await?;
        answer(&view(&self.inner, &env, &load, &loaded)?)
    }
}

impl<'a> Order<'a> {
    /// A command of this kind, which names nothing yet but its key and the settings.
    #[inline]
    pub(crate) fn new(env: Env<'a>, kind: Kind, left: Left) -> Self {
        let business = env.by.business;
        let mut docs = spare::docs();
        // Most name one more.
        docs.reserve_exact(2);
        docs.push(DocKey::new(DocKind::Business, business));
        let load = Load { docs, key: env.key, ..Load::new(business) };
        Self { env, kind, load, fingerprint: None, left }
    }

    /// Finds out the next part of what is left; no, if nothing is.
    pub(crate) fn ahead<T>(&mut self, inner: &Inner, decide: &impl Decides<T>) -> Result<bool, Error> {
        match self.left {
            left @ (Left::All | Left::Key) => {
                // One right behind the other: neither waits for the other, and the processor begins with the second
                // before it is done with the first.
                self.fingerprint = decide.fingerprint(&inner.keys, self)?;
                self.env.find_key();
                self.load.key = self.env.key;
                self.left = if left == Left::All { Left::Moment } else { Left::Nothing };
            }
            Left::Moment => {
                self.env.find_moment(inner)?;
                self.left = Left::Nothing;
            }
            Left::Nothing => return Ok(false),
        }
        Ok(true)
    }

    /// What tells a request of this kind apart from others, where it has a key.
    pub(crate) fn fingerprint_of<R: Serialize>(
        &self,
        keys: &Keys,
        request: &R,
    ) -> Result<Option<Fingerprint>, Error> {
        if self.env.by.key.is_none() {
            return Ok(None);
        }
        Ok(Some(stored::fingerprint(keys.fingerprint()?, &(self.kind.number(), request))?))
    }

    /// The key is judged before state and balance, then the decision proper. Nothing, if it was done before.
    fn judge<T: Done>(
        &self,
        inner: &Inner,
        decide: &impl Decides<T>,
        loaded: &Loaded,
        told: &mut Told<T>,
    ) -> Result<Option<Box<Change>>, Error> {
        let Self { env, kind: asked, load, fingerprint, left } = self;
        if *left != Left::Nothing {
            std::hint::cold_path();
            return Err(StoreError::Backend("a lent command was decided before it was ready".into()).into());
        }
        if replayed(loaded, *fingerprint)?.is_some() {
            std::hint::cold_path();
            return Ok(None);
        }
        let view = view(inner, env, load, loaded)?;
        let decided = decide.decide(&view);
        told.plan = view.plan.get();
        let Draft { mut change, done, events, stops, kind } = decided?;
        let by = &env.by;
        let (receipt, told_events) = spare::bytes();
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
            receipt: stored::pack(&done, receipt)?,
            events: stored::pack(&events, told_events)?,
        });
        spare::keep_events(events);
        told.done = Some(done);
        Ok(Some(change))
    }
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self { done: None, error: None, plan: None }
    }
}

impl<T> Told<T> {
    /// What a judgement comes to; the store is not told why another than a refusal failed.
    fn decision(&mut self, judged: Result<Option<Box<Change>>, Error>) -> Decision {
        match judged {
            Ok(Some(change)) => Decision::Accepted(change),
            Ok(None) => Decision::Replayed,
            Err(Error::Refused(refused)) => {
                std::hint::cold_path();
                Decision::Refused(refused.reasons().to_vec(), None)
            }
            Err(other) => {
                std::hint::cold_path();
                self.error = Some(other);
                Decision::Refused(Vec::new(), None)
            }
        }
    }
}

impl<F: Decides<T> + 'static, T: Done> Kept<F, T> {
    fn lock(&self) -> MutexGuard<'_, Told<T>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn env(&self) -> &Env<'static> {
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

impl<F: Decides<T> + 'static, T: Done> Decide for Kept<F, T> {
    fn load(&self) -> &Load {
        &self.order.load
    }

    fn decide(&self, loaded: &Loaded) -> Decision {
        let mut told = self.lock();
        *told = Told::default();
        let judged = self.order.judge(&self.inner, &self.decide, loaded, &mut told);
        told.decision(judged)
    }
}

fn view<'a>(
    inner: &'a Inner,
    env: &'a Env<'a>,
    load: &'a Load,
    loaded: &'a Loaded,
) -> Result<View<'a>, Error> {
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

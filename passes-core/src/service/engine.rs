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
    Answer, Change, Command, Decision, DocKey, DocKind, Fingerprint, KeyHash, Load, Loaded, Operation,
    StoreError, StoredOperation,
};
use serde::Serialize;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What a decision has at hand besides its request: the moment, randomness, and who asks.
#[derive(Clone)]
pub(crate) struct Env {
    pub(crate) now: Instant,
    pub(crate) seed: [u8; 32],
    pub(crate) by: By,
    pub(crate) key: Option<KeyHash>,
}

/// What a decision looks at.
pub(crate) struct View<'a> {
    pub(crate) env: &'a Env,
    pub(crate) inner: &'a Inner,
    pub(crate) loaded: &'a Loaded,
    pub(crate) docs: Docs<'a>,
    pub(crate) business: Arc<Business>,
    pub(crate) business_version: u32,
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
    pub(crate) change: Change,
    pub(crate) done: T,
    pub(crate) events: Vec<Event>,
    /// A key that it stops.
    pub(crate) stops: Option<KeyHash>,
    /// The kind of its operation, where it turned out to be another than was asked for.
    pub(crate) kind: Option<Kind>,
}

impl<T> Draft<T> {
    pub(crate) fn new(view: &View<'_>, done: T) -> Self {
        Self { change: Change::new(view.env.by.business), done, events: Vec::new(), stops: None, kind: None }
    }
}

/// A command, ready to be decided.
pub(crate) struct Order {
    pub(crate) env: Env,
    pub(crate) kind: Kind,
    pub(crate) load: Load,
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// What a decision tells besides its answer.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<(Option<Error>, Option<PlanId>)>>);

impl Slot {
    fn tell(&self, error: Option<Error>, plan: Option<PlanId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (error, plan);
    }
    fn take(&self) -> (Option<Error>, Option<PlanId>) {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The hash under which an idempotency key is stored.
pub(crate) fn key_hash(by: &By, key: &str) -> KeyHash {
    static CONTEXT: LazyLock<blake3::Hasher> =
        LazyLock::new(|| blake3::Hasher::new_derive_key("passes 2026 idempotency key"));
    let mut hasher = CONTEXT.clone();
    hasher.update(by.business.as_bytes()).update(key.as_bytes());
    first_half(hasher.finalize().as_bytes())
}

pub(crate) fn first_half(hash: &[u8; 32]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = *hash;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// How often a use case is tried that looks ahead to name what it reads, and finds that others have changed it.
pub(crate) const TRIES: u32 = 24;

/// How often a command whose commit is in doubt is looked up and tried again.
const DOUBTS: u32 = 3;

impl Passes {
    /// Judges who asks, and gathers what a decision needs.
    pub(crate) fn env(&self, by: &By, right: Right) -> Result<Env, Error> {
        self.permit(by, right)?;
        let seed = self.inner.entropy.seed().map_err(Error::Entropy)?;
        let key = by.key.as_deref().map(|key| key_hash(by, key));
        Ok(Env { now: self.inner.clock.now(), seed, by: by.clone(), key })
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
        let env = self.env(by, right)?;
        let mut load = Load::new(by.business);
        load.docs.push(DocKey::new(DocKind::Business, by.business));
        load.key = env.key;
        let fingerprint = match env.key {
            None => None,
            Some(_) => {
                let bytes = postcard::to_allocvec(&(kind.number(), request))
                    .map_err(|e| StoreError::Backend(e.to_string()))?;
                let key = self.inner.keys.fingerprint()?;
                Some(first_half(blake3::keyed_hash(key.reveal(), &bytes).as_bytes()))
            }
        };
        Ok(Order { env, kind, load, fingerprint })
    }

    /// The command as a store runs it, and where its decision tells what an answer can't hold.
    pub(crate) fn prepare<T, F>(&self, order: &Order, mut decide: F) -> (Command, Slot)
    where
        T: Done,
        F: FnMut(&View<'_>) -> Result<Draft<T>, Error> + Send + 'static,
    {
        let slot = Slot::default();
        let tell = slot.clone();
        let inner = Arc::clone(&self.inner);
        let (env, kind, fingerprint) = (order.env.clone(), order.kind, order.fingerprint);
        let decide = Box::new(move |loaded: &Loaded| {
            let mut plan = None;
            let decided = judge(&inner, &env, kind, fingerprint, loaded, &mut plan, &mut decide);
            decided.unwrap_or_else(|error| match error {
                Error::Refused(refused) => {
                    tell.tell(None, plan);
                    Decision::Refused(refused.reasons().to_vec(), None)
                }
                other => {
                    tell.tell(Some(other), plan);
                    Decision::Refused(Vec::new(), None)
                }
            })
        });
        (Command { load: order.load.clone(), decide }, slot)
    }

    /// The receipt of an answer, or why there is none.
    pub(crate) fn finish<T: Done>(&self, by: &By, slot: &Slot, answer: Answer) -> Result<Receipt<T>, Error> {
        match answer {
            Answer::Done(stored) => Ok(Receipt::of(&stored, false)?),
            Answer::Replayed(stored) => Ok(Receipt::of(&stored, true)?),
            Answer::Refused(refusals) => {
                let (error, plan) = slot.take();
                if let Some(error) = error {
                    return Err(error);
                }
                self.inner.refusals.count(self.inner.clock.now(), by, &refusals, plan);
                Err(refusals.into())
            }
        }
    }

    /// Runs a command.
    pub(crate) async fn run<T, F>(&self, order: Order, decide: F) -> Result<Receipt<T>, Error>
    where
        T: Done,
        F: FnMut(&View<'_>) -> Result<Draft<T>, Error> + Clone + Send + 'static,
    {
        for _ in 0..DOUBTS {
            let (command, slot) = self.prepare(&order, decide.clone());
            match self.inner.store.run(command).await {
                Ok(answer) => {
                    let answer = self.finish(&order.env.by, &slot, answer);
                    self.flush_some().await;
                    return answer;
                }
                // With a key the next round finds what landed; without one nobody can tell.
                Err(StoreError::InDoubt) if order.env.key.is_some() => {}
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
            Some(before) => Ok(Receipt::of(before, true)?.done),
            None => answer(&view(&self.inner, &order.env, &loaded)?),
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
        answer(&view(&self.inner, &env, &loaded)?)
    }
}

fn view<'a>(inner: &'a Inner, env: &'a Env, loaded: &'a Loaded) -> Result<View<'a>, Error> {
    stored::sound(loaded)?;
    let docs = Docs { business: env.by.business, loaded, cache: &inner.cache };
    let (business, business_version) = docs.business()?;
    inner.refusals.note_zone(env.by.business, business.settings.zone);
    Ok(View { env, inner, loaded, docs, business, business_version, plan: std::cell::Cell::new(None) })
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

/// The key is judged before state and balance, then the decision proper.
fn judge<T: Done>(
    inner: &Inner,
    env: &Env,
    kind: Kind,
    fingerprint: Option<Fingerprint>,
    loaded: &Loaded,
    plan: &mut Option<PlanId>,
    decide: &mut dyn FnMut(&View<'_>) -> Result<Draft<T>, Error>,
) -> Result<Decision, Error> {
    if replayed(loaded, fingerprint)?.is_some() {
        return Ok(Decision::Replayed);
    }
    let view = view(inner, env, loaded)?;
    let decided = decide(&view);
    *plan = view.plan.get();
    let mut draft = decided?;
    let mut ids = Ids::new(&blake3::derive_key("passes 2026 operation id", &env.seed), env.now);
    let by = &env.by;
    draft.change.operation = Some(Operation {
        id: ids.draw(),
        kind: draft.kind.unwrap_or(kind),
        actor: Arc::clone(by.actor.id()),
        place: by.place.clone(),
        channel: by.channel.clone(),
        reason: by.reason.clone(),
        at: env.now,
        booked: env.now,
        key: env.key.zip(fingerprint),
        stops: draft.stops,
        receipt: stored::pack(&draft.done)?,
        events: stored::pack(&draft.events)?,
    });
    Ok(Decision::Accepted(draft.change))
}

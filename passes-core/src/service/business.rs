//! Use cases of a business: creating it, reading and changing its settings.

use super::docs::put;
use super::engine::{Draft, first_half};
use super::{Call, Done, Error, Passes, Receipt, stored};
use crate::business::{Business, Settings};
use crate::event::Event;
use crate::id::{BusinessId, Ids};
use crate::operation::{Actor, By, Kind, Right};
use crate::refusal::Refusal;
use crate::store::{Change, DocKey, DocKind, Expect, Load, Operation, StoreError};
use std::sync::Arc;

impl Done for BusinessId {}

impl Passes {
    /// Creates a business. The actor needs the right to configure.
    ///
    /// A caller that may have to ask again, because it lost the answer, uses [`Passes::create_business_once`].
    ///
    /// # Errors
    /// `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY` for a setting; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::business::Settings;
    /// use passes_core::operation::{Actor, Rights};
    /// let owner = Actor::new("owner", Rights::all())?;
    /// let settings = Settings::new("The Book Shop", "Europe/Paris", &["EUR"], "fr")?;
    /// let books = passes.create_business(&owner, settings).wait()?;
    /// assert_ne!(books, by.business);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn create_business<'a>(&'a self, actor: &'a Actor, settings: Settings) -> Call<'a, BusinessId> {
        Call::new(async move {
            let seed = self.inner.entropy.seed().map_err(Error::Entropy)?;
            let id = Ids::new(&seed, self.inner.clock.now()).draw();
            self.create(By::new(id, actor.clone()), settings).await
        })
    }

    /// Creates a business under an idempotency key: its id follows from the key, so that the same request gives
    /// the same business. Such an id is a UUID of version 8 (RFC 9562).
    ///
    /// # Errors
    /// As [`Passes::create_business`]; `IDEMPOTENCY_MISMATCH` for other settings under the same key.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::{business::Settings, operation::{Actor, Rights}};
    /// # let owner = Actor::new("owner", Rights::all())?;
    /// let settings = Settings::new("The Book Shop", "Europe/Paris", &["EUR"], "fr")?;
    /// let books = passes.create_business_once(&owner, "signup-17", settings.clone()).wait()?;
    /// assert_eq!(passes.create_business_once(&owner, "signup-17", settings).wait()?, books);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn create_business_once<'a>(
        &'a self,
        actor: &'a Actor,
        key: &'a str,
        settings: Settings,
    ) -> Call<'a, BusinessId> {
        Call::new(async move {
            let hash = first_half(&blake3::derive_key("passes 2026 business of a key", key.as_bytes()));
            let id = BusinessId::from_uuid(uuid::Builder::from_custom_bytes(hash).into_uuid());
            self.create(By::new(id, actor.clone()).key(key), settings).await
        })
    }

    async fn create(&self, by: By, settings: Settings) -> Result<BusinessId, Error> {
        by.may(Right::Configure)?;
        settings.validate()?;
        let text =
            serde_json::to_string(&settings).map_err(|e| Refusal::invalid("settings", e.to_string()))?;
        let order = self.order(&by, Right::Configure, Kind::Configure, &text)?;
        let id = by.business;
        let doc = DocKey::new(DocKind::Business, id);
        let business = Business { id, settings, formats: Vec::new() };
        let mut change = Change::new(id);
        change.put.push(put(doc, None, &business, Expect::Absent)?);
        let (now, actor) = (order.env.now, Arc::clone(by.actor.id()));
        change.operation = Some(Operation {
            key: order.env.key.zip(order.fingerprint),
            receipt: stored::pack(&id, Vec::new())?,
            events: stored::pack(&vec![Event::BusinessConfigured], Vec::new())?,
            ..Operation::new(Ids::new(&order.env.seed, now).draw(), Kind::Configure, actor, now)
        });
        match self.inner.store.commit(&[change]).await?.pop() {
            Some(Ok(_)) => Ok(id),
            // It is there already: by the same request, or by another one under the same key.
            Some(Err(StoreError::Conflict)) => {
                let mut load = Load::new(id);
                load.key = order.env.key;
                let replay = self.inner.store.load(&load).await?.replay.ok_or(StoreError::Conflict)?;
                if replay.operation.key.map(|(_, was)| was) == order.fingerprint {
                    Ok(id)
                } else {
                    Err(Refusal::IdempotencyMismatch.into())
                }
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(StoreError::Backend("a commit without an answer".into()).into()),
        }
    }

    /// The settings of the business. Anybody who acts in it may read them.
    ///
    /// # Errors
    /// `NOT_FOUND`; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let settings = passes.settings(by).wait()?;
    /// assert_eq!((settings.zone.name(), settings.void_hours), ("Europe/London", 24));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn settings<'a>(&'a self, by: &'a By) -> Call<'a, Settings> {
        Call::new(async move {
            self.look(by, Load::new(by.business), |view| Ok(view.business.settings.clone())).await
        })
    }

    /// Changes settings. What passes were made with stays as it was. A commerce pool can't be removed: money may
    /// be bound to its conditions, which can be changed.
    ///
    /// # Errors
    /// `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY`; `NOT_FOUND`; a failing store.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let mut settings = passes.settings(by).wait()?;
    /// settings.grace_days = 14;
    /// passes.configure(by, settings).wait()?;
    /// assert_eq!(passes.settings(by).wait()?.grace_days, 14);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn configure<'a>(&'a self, by: &'a By, settings: Settings) -> Call<'a, Receipt<()>> {
        Call::new(async move {
            self.permit(by, Right::Configure)?;
            self.early(by, settings.validate())?;
            let text =
                serde_json::to_string(&settings).map_err(|e| Refusal::invalid("settings", e.to_string()))?;
            let order = self.order(by, Right::Configure, Kind::Configure, &text)?;
            self.run(order, move |view| {
                let mut pools = view.business.settings.pools.iter();
                if let Some(gone) = pools.find(|pool| settings.pool(&pool.name).is_none()) {
                    let why = format!("{} can't be removed: money may be bound to it", gone.name);
                    return Err(Refusal::invalid("pools", why).into());
                }
                let mut draft = Draft::new(view, ());
                let next = Business { settings: settings.clone(), ..(*view.business).clone() };
                let key = DocKey::new(DocKind::Business, next.id);
                draft.change.put.push(put(key, None, &next, Expect::Version(view.business_version))?);
                draft.events.push(Event::BusinessConfigured);
                Ok(draft)
            })
            .await
        })
    }
}

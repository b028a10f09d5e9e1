//! Use cases of a business: creating it, reading and changing its settings.

use super::docs::put;
use super::engine::Draft;
use super::{Call, Done, Error, Passes, Receipt};
use crate::business::{Business, Settings};
use crate::event::Event;
use crate::id::{BusinessId, Ids};
use crate::operation::{Actor, By, Kind, Right};
use crate::refusal::Refusal;
use crate::store::{Change, Doc, DocKey, DocKind, Expect, Load, Operation, Put, Record, StoreError};
use std::sync::Arc;

impl Done for BusinessId {}

impl Passes {
    /// Creates a business. The actor needs the right to configure.
    ///
    /// # Errors
    /// `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY` for a setting; a failing store.
    pub fn create_business<'a>(&'a self, actor: &'a Actor, settings: Settings) -> Call<'a, BusinessId> {
        Call::new(async move {
            settings.validate()?;
            let seed = self.inner.entropy.seed().map_err(Error::Entropy)?;
            let now = self.inner.clock.now();
            let mut ids = Ids::new(&seed, now);
            let id: BusinessId = ids.draw();
            let by = By::new(id, actor.clone());
            self.permit(&by, Right::Configure)?;
            let key = DocKey::new(DocKind::Business, id);
            let business = Business { id, settings, formats: Vec::new() };
            let body = super::stored::write(&business)?.into();
            let mut change = Change::new(id);
            let record = Record::Doc(Doc { key, version: 1, parent: None, body });
            change.put.push(Put { record, expect: Expect::Absent });
            change.operation = Some(Operation {
                id: ids.draw(),
                kind: Kind::Configure,
                actor: Arc::clone(actor.id()),
                place: None,
                channel: None,
                reason: None,
                at: now,
                booked: now,
                key: None,
                stops: None,
                receipt: super::stored::pack(&id)?,
                events: super::stored::pack(&vec![Event::BusinessConfigured])?,
            });
            match self.inner.store.commit(&[change]).await?.pop() {
                Some(Ok(_)) => Ok(id),
                Some(Err(error)) => Err(error.into()),
                None => Err(StoreError::Backend("a commit without an answer".into()).into()),
            }
        })
    }

    /// The settings of the business. Anybody who acts in it may read them.
    ///
    /// # Errors
    /// `NOT_FOUND`; a failing store.
    pub fn settings<'a>(&'a self, by: &'a By) -> Call<'a, Settings> {
        Call::new(async move {
            self.look(by, Load::new(by.business), |view| Ok(view.business.settings.clone())).await
        })
    }

    /// Changes settings. What passes were made with stays as it was.
    ///
    /// # Errors
    /// `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY`; `NOT_FOUND`; a failing store.
    pub fn configure<'a>(&'a self, by: &'a By, settings: Settings) -> Call<'a, Receipt<()>> {
        Call::new(async move {
            settings.validate()?;
            let text =
                serde_json::to_string(&settings).map_err(|e| Refusal::invalid("settings", e.to_string()))?;
            let order = self.order(by, Right::Configure, Kind::Configure, &text)?;
            self.run(order, move |view| {
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

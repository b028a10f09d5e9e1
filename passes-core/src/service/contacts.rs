//! Use cases of contacts: creating, finding, editing.

use super::docs::{Wallet, put};
use super::engine::{Draft, View, again, first_half};
use super::{Call, Done, Error, Inner, Passes, Receipt, stored};
use crate::contact::{Contact, Medium, Profile};
use crate::event::Event;
use crate::fields;
use crate::id::{BusinessId, ContactId, Id, Ids};
use crate::operation::{By, Kind, Right};
use crate::refusal::Refusal;
use crate::secret::Key;
use crate::store::{Change, DocKey, DocKind, Expect, Load, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

impl Done for ContactId {}

/// Which contact a medium leads to; nobody, once it was taken from one.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Owner {
    pub(crate) contact: Option<ContactId>,
}

impl Passes {
    /// Registers a contact.
    ///
    /// # Errors
    /// `FORBIDDEN`; `INVALID` for a medium; `TAKEN` when a medium leads to another contact; `BAD_FIELD`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::contact::{Medium, Profile};
    /// let bob = Profile::named("Bob", Medium::Phone("+44 1632 960960".into()));
    /// let bob = passes.create_contact(by, bob).wait()?.done;
    ///
    /// let eve = Profile::of(Medium::Phone("+441632960960".into()));
    /// assert_eq!(passes.create_contact(by, eve).wait().unwrap_err().code(), "TAKEN");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn create_contact<'a>(&'a self, by: &'a By, profile: Profile) -> Call<'a, Receipt<ContactId>> {
        Call::new(async move {
            self.permit(by, Right::Contacts)?;
            let profile = self.early(by, profile.normal())?;
            let mut order = self.order(by, Right::Contacts, Kind::Contact, &("create", &profile))?;
            order.load.docs.extend(medium_keys(&self.inner, by.business, &profile)?);
            self.run(order, move |view| {
                let id = Ids::new(&view.env.seed, view.env.now).draw();
                let mut draft = Draft::new(view, id);
                add(
                    view,
                    &mut draft.change,
                    &Contact { id, named: true, profile: profile.clone(), currencies: Vec::new() },
                )?;
                draft.events.push(Event::ContactChanged { contact: id });
                Ok(draft)
            })
            .await
        })
    }

    /// Edits a contact: the profile is replaced, media that are no longer in it are free again.
    ///
    /// # Errors
    /// `FORBIDDEN`; `CONTACT_NOT_REGISTERED`; `INVALID`; `TAKEN`; `BAD_FIELD`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::contact::Medium;
    /// let mut profile = passes.contact(by, shop.ann).wait()?.profile;
    /// profile.media = vec![Medium::Email("ann@example.com".into())];
    /// passes.edit_contact(by, shop.ann, profile).wait()?;
    /// let old = Medium::Email("ann@example.org".into());
    /// assert!(passes.find_contact(by, old).wait()?.is_none());
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn edit_contact<'a>(
        &'a self,
        by: &'a By,
        contact: ContactId,
        profile: Profile,
    ) -> Call<'a, Receipt<ContactId>> {
        Call::new(async move {
            self.permit(by, Right::Contacts)?;
            let profile = self.early(by, profile.normal())?;
            // A conflict: somebody else edited the contact at the same moment.
            again(|| self.edit_once(by, contact, &profile)).await
        })
    }

    async fn edit_once(
        &self,
        by: &By,
        contact: ContactId,
        profile: &Profile,
    ) -> Result<Receipt<ContactId>, Error> {
        // The media it has now are to be known before they can be named to the store.
        let before = self.early(by, self.find(by, contact).await)?;
        let mut order = self.order(by, Right::Contacts, Kind::Contact, &("edit", contact, profile))?;
        order.load.docs.push(DocKey::new(DocKind::Contact, contact));
        order.load.docs.extend(medium_keys(&self.inner, by.business, profile)?);
        order.load.docs.extend(medium_keys(&self.inner, by.business, &before.profile)?);
        let profile = profile.clone();
        self.run(order, move |view| {
            let (old, version) = registered(view, contact)?;
            if old.profile.media != before.profile.media {
                return Err(StoreError::Conflict.into());
            }
            let mut draft = Draft::new(view, contact);
            let next = Contact { profile: profile.clone(), ..old.clone() };
            fields::check(&view.business.settings.contact_fields, &next.profile.fields, true)?;
            let key = DocKey::new(DocKind::Contact, contact);
            draft.change.put.push(put(key, None, &next, Expect::Version(version))?);
            for medium in next.profile.media.iter().filter(|m| !old.profile.media.contains(m)) {
                own(view, &mut draft.change, medium, Some(contact))?;
            }
            for medium in old.profile.media.iter().filter(|m| !next.profile.media.contains(m)) {
                own(view, &mut draft.change, medium, None)?;
            }
            draft.events.push(Event::ContactChanged { contact });
            Ok(draft)
        })
        .await
    }

    /// A contact by id.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to contacts; `CONTACT_NOT_REGISTERED`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let ann = passes.contact(by, shop.ann).wait()?;
    /// assert_eq!(ann.profile.name.as_deref(), Some("Ann"));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn contact<'a>(&'a self, by: &'a By, contact: ContactId) -> Call<'a, Contact> {
        Call::new(async move {
            self.permit(by, Right::Contacts)?;
            self.find(by, contact).await
        })
    }

    /// The contact whom a medium leads to, if there is one.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to contacts; `INVALID` for what is no such medium.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// use passes_core::contact::Medium;
    /// let found = passes.find_contact(by, Medium::Email("Ann@Example.ORG".into())).wait()?;
    /// assert_eq!(found.unwrap().id, shop.ann);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn find_contact<'a>(&'a self, by: &'a By, medium: Medium) -> Call<'a, Option<Contact>> {
        Call::new(async move {
            self.permit(by, Right::Contacts)?;
            let key = medium_key(self.inner.keys.fingerprint()?, by.business, &medium.normal()?);
            let mut load = Load::new(by.business);
            load.docs.push(key);
            let loaded = self.inner.store.load(&load).await?;
            let owner = loaded.doc(&key).map(|doc| stored::read::<Owner>(&doc.body)).transpose()?;
            match owner.and_then(|owner| owner.contact) {
                Some(contact) => self.find(by, contact).await.map(Some),
                None => Ok(None),
            }
        })
    }

    async fn find(&self, by: &By, contact: ContactId) -> Result<Contact, Error> {
        let mut load = Load::new(by.business);
        load.docs.push(DocKey::new(DocKind::Contact, contact));
        self.look(by, load, |view| registered(view, contact).map(|(contact, _)| contact)).await
    }
}

/// The contact, who must be registered or nameless, but known.
pub(crate) fn registered(view: &View<'_>, id: ContactId) -> Result<(Contact, u32), Error> {
    view.docs.contact(id)?.ok_or_else(|| Refusal::ContactUnknown { contact: id.to_string() }.into())
}

/// The contact's wallet; the contact must be registered or nameless, but known.
pub(crate) fn wallet(view: &View<'_>, id: ContactId) -> Result<Arc<Wallet>, Error> {
    view.docs.wallet(id)?.ok_or_else(|| Refusal::ContactUnknown { contact: id.to_string() }.into())
}

/// Adds a new contact, and takes its media for it.
pub(crate) fn add(view: &View<'_>, change: &mut Change, contact: &Contact) -> Result<(), Error> {
    if contact.named {
        fields::check(&view.business.settings.contact_fields, &contact.profile.fields, true)?;
    }
    change.put.push(put(DocKey::new(DocKind::Contact, contact.id), None, contact, Expect::Absent)?);
    contact.profile.media.iter().try_for_each(|medium| own(view, change, medium, Some(contact.id)))
}

/// Makes a medium lead to a contact, or to nobody.
fn own(
    view: &View<'_>,
    change: &mut Change,
    medium: &Medium,
    contact: Option<ContactId>,
) -> Result<(), Error> {
    let key = medium_key(view.inner.keys.fingerprint()?, view.env.by.business, medium);
    let now = view
        .loaded
        .doc(&key)
        .map(|doc| Ok::<_, Error>((stored::read::<Owner>(&doc.body)?, doc.version)))
        .transpose()?;
    let expect = match now {
        None => Expect::Absent,
        Some((owner, _)) if contact.is_some() && owner.contact.is_some() => {
            return Err(Refusal::Taken { what: medium.parts().0 }.into());
        }
        Some((_, version)) => Expect::Version(version),
    };
    change.put.push(put(key, None, &Owner { contact }, expect)?);
    Ok(())
}

/// The keys of a profile's media.
pub(crate) fn medium_keys(
    inner: &Inner,
    business: BusinessId,
    profile: &Profile,
) -> Result<Vec<DocKey>, Error> {
    let key = inner.keys.fingerprint()?;
    Ok(profile.media.iter().map(|medium| medium_key(key, business, medium)).collect())
}

/// Under which key a medium is stored: a keyed hash, so that the store alone tells no number and no address.
pub(crate) fn medium_key(key: &Key, business: BusinessId, medium: &Medium) -> DocKey {
    let (kind, text) = medium.parts();
    let mut hasher = blake3::Hasher::new_keyed(key.reveal());
    hasher
        .update(b"medium")
        .update(business.as_bytes())
        .update(kind.as_bytes())
        .update(&[0])
        .update(text.as_bytes());
    DocKey { kind: DocKind::Medium, id: first_half(hasher.finalize().as_bytes()) }
}

/// The key of the contact's document.
pub(crate) fn contact_key(contact: ContactId) -> DocKey {
    DocKey { kind: DocKind::Contact, id: contact.to_bytes() }
}

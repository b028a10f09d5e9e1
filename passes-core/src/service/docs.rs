//! Reading documents: each version is decoded once.

use super::{Error, stored};
use crate::business::Business;
use crate::contact::Contact;
use crate::hash::Map;
use crate::id::{BusinessId, ContactId, Id, LotId, PassId, PlanId, TermsId};
use crate::lot::Lot;
use crate::money::Currency;
use crate::plan::{Plan, Terms};
use crate::refusal::Refusal;
use crate::store::{Body, Change, Doc, DocKey, DocKind, Expect, Loaded, Piece, Put, Record, StoreError};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::{Arc, PoisonError, RwLock};

/// How many decoded documents are kept.
const KEPT: usize = 4_096;
/// How many wallets are kept: each is some hundred bytes.
const WALLETS: usize = 65_536;

/// A document's body, and what it says.
type Kept = (Body, Arc<dyn Any + Send + Sync>);

/// Wallets, with the bodies of their contacts.
type Wallets = Map<(BusinessId, ContactId), (Body, Arc<Wallet>)>;

/// Decoded documents, of stores that bring a body anew each time; one that brings the very same body again has what it
/// says beside it. What is loaded decides what counts; this only saves decoding the same bytes again. A version
/// wouldn't tell: one that was rolled back comes again with another body.
#[derive(Default)]
pub(crate) struct Cache {
    docs: RwLock<Map<(BusinessId, DocKey), Kept>>,
    chains: RwLock<Map<(BusinessId, LotId), Arc<Chain>>>,
    wallets: RwLock<Wallets>,
}

impl Cache {
    pub(crate) fn read<T>(&self, business: BusinessId, doc: &Doc) -> Result<Arc<T>, StoreError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        if let Some(value) = doc.body.decoded::<Arc<T>>() {
            return Ok(Arc::clone(value));
        }
        let value = self.read_anew(business, doc)?;
        doc.body.keep(Arc::clone(&value));
        Ok(value)
    }

    fn read_anew<T>(&self, business: BusinessId, doc: &Doc) -> Result<Arc<T>, StoreError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let key = (business, doc.key);
        if let Some((body, kept)) = self.docs.read().unwrap_or_else(PoisonError::into_inner).get(&key)
            && *body == doc.body
            && let Ok(value) = Arc::clone(kept).downcast::<T>()
        {
            return Ok(value);
        }
        let value = Arc::new(stored::read::<T>(&doc.body)?);
        let mut kept = self.docs.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, (doc.body.clone(), Arc::clone(&value) as Arc<dyn Any + Send + Sync>));
        Ok(value)
    }

    fn chain(&self, business: BusinessId, lot: LotId) -> Option<Arc<Chain>> {
        self.chains.read().unwrap_or_else(PoisonError::into_inner).get(&(business, lot)).cloned()
    }

    fn keep_chain(&self, business: BusinessId, chain: &Arc<Chain>) {
        let mut kept = self.chains.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert((business, chain.lot.id), Arc::clone(chain));
    }

    fn wallet(&self, business: BusinessId, contact: ContactId) -> Option<(Body, Arc<Wallet>)> {
        self.wallets.read().unwrap_or_else(PoisonError::into_inner).get(&(business, contact)).cloned()
    }

    fn keep_wallet(&self, business: BusinessId, body: &Body, wallet: &Arc<Wallet>) {
        let mut kept = self.wallets.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= WALLETS {
            kept.clear();
        }
        kept.insert((business, wallet.contact), (body.clone(), Arc::clone(wallet)));
    }
}

/// The documents that a pass's terms stand in.
pub(crate) struct Chain {
    pub(crate) lot: Arc<Lot>,
    pub(crate) lot_version: u32,
    /// They never change.
    pub(crate) terms: Arc<Terms>,
    pub(crate) plan: Arc<Plan>,
    plan_version: u32,
    /// The bodies of lot and plan.
    bodies: [Body; 2],
}

impl Chain {
    /// What was read of lot and plan: whether one is suspended. A redemption may cross a suspension that comes at the
    /// same moment; a cancellation is written in its pass, and can't be crossed.
    pub(crate) fn rest(&self, change: &mut Change) {
        let lot = (DocKey::new(DocKind::Lot, self.lot.id), self.lot_version);
        if !change.seen.contains(&lot) {
            let plan = (DocKey::new(DocKind::Plan, self.plan.id), self.plan_version);
            change.seen.push(lot);
            change.seen.extend((!change.seen.contains(&plan)).then_some(plan));
        }
    }

    /// The same where what is read of them is written elsewhere: nobody changes them meanwhile.
    pub(crate) fn hold(&self, change: &mut Change) {
        let lot = (DocKey::new(DocKind::Lot, self.lot.id), Expect::Version(self.lot_version));
        if !change.expect.contains(&lot) {
            let plan = (DocKey::new(DocKind::Plan, self.plan.id), Expect::Version(self.plan_version));
            change.expect.push(lot);
            change.expect.extend((!change.expect.contains(&plan)).then_some(plan));
        }
    }

    /// Which of lot and plan is suspended, if one is.
    pub(crate) fn suspended(&self) -> Option<&'static str> {
        if self.lot.suspended {
            Some("lot")
        } else if self.plan.suspended {
            Some("plan")
        } else {
            None
        }
    }
}

/// The wallet of a contact who is known, by name or without one.
pub(crate) struct Wallet {
    pub(crate) contact: ContactId,
    pub(crate) version: u32,
    /// Its currencies, in the order of their first credits.
    pub(crate) currencies: Vec<Currency>,
}

/// The stored form of a [`Contact`], of which only the wallet is decoded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredWallet {
    #[serde(rename = "id")]
    _id: IgnoredAny,
    #[serde(rename = "named")]
    _named: IgnoredAny,
    #[serde(rename = "profile")]
    _profile: IgnoredAny,
    currencies: Vec<Currency>,
}

/// What was loaded, decoded.
pub(crate) struct Docs<'a> {
    pub(crate) business: BusinessId,
    pub(crate) loaded: &'a Loaded,
    pub(crate) cache: &'a Cache,
}

impl<'a> Docs<'a> {
    /// A document that may be there, with its version.
    pub(crate) fn get<T>(&self, key: DocKey) -> Result<Option<(Arc<T>, u32)>, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        match self.loaded.doc(&key) {
            Some(doc) => Ok(Some((self.cache.read(self.business, doc)?, doc.version))),
            None => Ok(None),
        }
    }

    /// A document that must be there.
    pub(crate) fn need<T, I: Id + ToString>(&self, kind: DocKind, id: I) -> Result<(Arc<T>, u32), Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let found = self.get(DocKey::new(kind, id))?;
        found.ok_or_else(|| Refusal::NotFound { what: I::WHAT, id: id.to_string() }.into())
    }

    pub(crate) fn business(&self) -> Result<(&'a Business, u32), Error> {
        let missing = || Refusal::NotFound { what: BusinessId::WHAT, id: self.business.to_string() };
        let doc = self.loaded.doc(&DocKey::new(DocKind::Business, self.business)).ok_or_else(missing)?;
        let known = || doc.body.decoded::<Arc<Business>>();
        if known().is_none() {
            self.cache.read::<Business>(self.business, doc)?;
        }
        let business = known().ok_or_else(|| StoreError::Corrupt("settings that are none".into()))?;
        Ok((business, doc.version))
    }

    pub(crate) fn plan(&self, id: PlanId) -> Result<(Arc<Plan>, u32), Error> {
        self.need(DocKind::Plan, id)
    }

    /// A contact that may be there. There are too many of them to be kept decoded.
    pub(crate) fn contact(&self, id: ContactId) -> Result<Option<(Contact, u32)>, Error> {
        let doc = self.loaded.doc(&DocKey::new(DocKind::Contact, id));
        Ok(doc.map(|doc| Ok::<_, StoreError>((stored::read(&doc.body)?, doc.version))).transpose()?)
    }

    /// The wallet of a contact who may be there, without the rest of the contact.
    pub(crate) fn wallet(&self, contact: ContactId) -> Result<Option<Arc<Wallet>>, Error> {
        let Some(doc) = self.loaded.doc(&DocKey::new(DocKind::Contact, contact)) else { return Ok(None) };
        let is_this = |kept: &Wallet| kept.contact == contact && kept.version == doc.version;
        if let Some(kept) = doc.body.decoded::<Arc<Wallet>>().filter(|kept| is_this(kept)) {
            return Ok(Some(Arc::clone(kept)));
        }
        let kept = self.cache.wallet(self.business, contact);
        let wallet = match kept.filter(|(body, kept)| is_this(kept) && *body == doc.body) {
            Some((_, kept)) => kept,
            None => {
                let StoredWallet { currencies, .. } = stored::read(&doc.body)?;
                let wallet = Arc::new(Wallet { contact, version: doc.version, currencies });
                self.cache.keep_wallet(self.business, &doc.body, &wallet);
                wallet
            }
        };
        doc.body.keep(Arc::clone(&wallet));
        Ok(Some(wallet))
    }

    /// The lot with this id, its terms and its plan.
    pub(crate) fn chain(&self, lot: LotId) -> Result<Arc<Chain>, Error> {
        let piece = self.piece_of(lot);
        if let Some(kept) = piece.and_then(Piece::decoded::<Arc<Chain>>) {
            return Ok(Arc::clone(kept));
        }
        if piece.is_none()
            && let Some(kept) = self.cache.chain(self.business, lot)
            && let [lot_body, plan_body] = &kept.bodies
            && self.is_at(DocKey::new(DocKind::Lot, lot), kept.lot_version, lot_body)
            && self.is_at(DocKey::new(DocKind::Plan, kept.plan.id), kept.plan_version, plan_body)
        {
            return Ok(kept);
        }
        let body = |key| self.loaded.doc(&key).map(|doc: &Doc| doc.body.clone()).unwrap_or_default();
        let (lot, lot_version) = self.need::<Lot, _>(DocKind::Lot, lot)?;
        let (terms, _) = self.need::<Terms, TermsId>(DocKind::Terms, lot.terms)?;
        let (plan, plan_version) = self.plan(lot.plan)?;
        let bodies = [body(DocKey::new(DocKind::Lot, lot.id)), body(DocKey::new(DocKind::Plan, plan.id))];
        let chain = Arc::new(Chain { lot, lot_version, terms, plan, plan_version, bodies });
        match piece {
            Some(piece) => piece.keep(Arc::clone(&chain)),
            None => self.cache.keep_chain(self.business, &chain),
        }
        Ok(chain)
    }

    /// The documents of this lot, if the store brought them in one piece.
    fn piece_of(&self, lot: LotId) -> Option<&Piece> {
        let key = DocKey::new(DocKind::Lot, lot);
        let of_it = |piece: &&Piece| piece.docs().first().is_some_and(|doc| doc.key == key);
        self.loaded.chain.as_deref().filter(of_it)
    }

    fn is_at(&self, key: DocKey, version: u32, body: &Body) -> bool {
        self.loaded.doc(&key).is_some_and(|doc| doc.version == version && *body == doc.body)
    }

    /// The chain of a pass.
    pub(crate) fn chain_of(&self, pass: PassId) -> Result<Arc<Chain>, Error> {
        self.chain(pass.lot())
    }
}

/// A document to be written.
pub(crate) fn put<T: Serialize>(
    key: DocKey,
    parent: Option<DocKey>,
    value: &T,
    expect: Expect,
) -> Result<Put, Error> {
    let doc = Doc { key, version: expect.next_version(), parent, body: stored::write(value)?.into() };
    Ok(Put { record: Record::Doc(doc), expect })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-3, Z-2: a version that was rolled back, and comes again with another body, is read anew.
    #[test]
    fn a_body_counts_and_not_its_version() {
        let cache = Cache::default();
        let read = |says: u32| {
            let body = stored::write(&says).unwrap().into();
            let doc = Doc { key: DocKey::numbered(DocKind::Plan, 1), version: 2, parent: None, body };
            cache.read::<u32>(BusinessId::STORE, &doc).unwrap()
        };
        assert_eq!([*read(7), *read(8), *read(7)], [7, 8, 7]);
        assert!(Arc::ptr_eq(&read(9), &read(9)));
    }
}

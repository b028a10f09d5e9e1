//! Every kind of drift: rows that are not what the library wrote, as an audit sees them, are told by name.

mod counters;
mod ledger;
mod rows;

use super::{Seeds, Shop, basket, card, eur, spec};
use crate::business::Settings;
use crate::calendar::Instant;
use crate::contact::{Contact, Medium, Profile};
use crate::id::{BusinessId, ContactId, CreditId, Id, LotId, PassId, PlanId, RunId};
use crate::ledger::{Account, Mark, StoredEntry, Subject, Unit};
use crate::lot::Lot;
use crate::money::{Currency, Money};
use crate::operation::By;
use crate::pass::{CreditRow, PassRow, Standing, Tally};
use crate::passcode::Digest;
use crate::plan::{Form, Terms, Usage};
use crate::secret::Keyring;
use crate::service::{
    Deal, Drift, Generate, Issue, Over, Passes, Recipient, Redeem, Rest, Reverse, Spend, Verified, stored,
};
use crate::store::memory::Memory;
use crate::store::{AuditRow, Auditor, Doc, DocKind, Fut, Load, Store, StoredOperation, delegate};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeSet;
use std::sync::Arc;

type Twist = Arc<dyn Fn(AuditRow) -> Vec<AuditRow> + Send + Sync>;

/// A store whose audits are told other rows than it has.
struct Twisted {
    inner: Memory,
    twist: Twist,
}

impl Store for Twisted {
    fn audit(&self, business: BusinessId, mut each: Auditor) -> Fut<'_, ()> {
        let twist = Arc::clone(&self.twist);
        self.inner.audit(business, Box::new(move |row| twist(row).into_iter().for_each(&mut each)))
    }

    delegate!(inner; slots, load, commit, pause, fill, page, events);
}

/// A shop with a bit of everything.
struct Life {
    shop: Shop,
    plan: PlanId,
    /// Sold, and some used.
    lot: LotId,
    /// Cancelled as a whole.
    gone: LotId,
    /// Half made.
    growing: LotId,
    run: RunId,
    bulk: RunId,
    electronic: PassId,
    yen: PassId,
    ann: ContactId,
    credit: CreditId,
    /// The pass that was replaced, and the one in its place.
    replaced: (PassId, PassId),
    /// A direct spend that was reversed in part.
    reversed: u64,
    reversal: u64,
    stopped: u64,
}

impl Life {
    fn new() -> Self {
        let shop = Shop::open();
        let (passes, by) = (&shop.passes, &shop.by);
        let ann = shop.contact("Ann");
        let plan = shop.cards();
        let (lot, codes) = shop.sold(plan, 6, "45");
        let keyed = |key: &str| by.clone().key(key);
        let taken = passes.redeem(&keyed("1"), Redeem::into_wallet(codes[0].clone(), ann)).wait().unwrap();
        let credit = taken.credits.iter().find(|credit| credit.mark == Mark::Paid).unwrap().credit;
        let spent = passes.redeem(&keyed("2"), Redeem::direct(codes[1].clone(), eur("20"))).wait().unwrap();
        passes.spend(&keyed("3"), Spend::all(ann, basket("30"))).wait().unwrap();
        let back = Reverse::operation(spent.operation).amount(eur("5"));
        let reversal = passes.reverse(by, back).wait().unwrap().operation.0;
        let stopped = passes.reverse(&keyed("5"), Reverse::key("6")).wait().unwrap().operation.0;
        passes.redeem(&keyed("4"), Redeem::into_new_wallet(codes[2].clone())).wait().unwrap();
        let replaced = passes.cancel(by, lot.pass(4), Rest::Reissue).wait().unwrap().replaced[0];
        let gone = shop.lot(plan, 3);
        let bulk = passes.cancel(by, Over::Lot(gone), Rest::Forfeit).wait().unwrap().run.unwrap();
        passes.finish_run(by, bulk).wait().unwrap();
        let request = Generate { plan, count: 6_000, accept_weak: false };
        let growing = passes.generate(by, request).wait().unwrap().done;
        for _ in 0..3 {
            passes.step(by, growing.run).wait().unwrap();
        }
        let half = passes.generate(by, request).wait().unwrap().done.run;
        passes.step(by, half).wait().unwrap();
        passes.cancel_run(by, half).wait().unwrap();
        let mail = shop.plan(Terms { form: Form::Electronic, usage: Usage::Full(2), ..card() });
        let issue = Issue::new(mail, Recipient::Contact(ann), "email").sold(Deal::at(eur("60")));
        let electronic = passes.issue(by, issue).wait().unwrap().pass;
        let thousand = Money::parse("1000", Currency::JPY).unwrap();
        let terms = Terms { currency: Currency::JPY, value: crate::plan::Worth::Fixed(thousand), ..card() };
        let (yen, code) = shop.one(terms, thousand);
        passes.redeem(by, Redeem::into_new_wallet(code)).wait().unwrap();
        passes.redeem(by, Redeem::direct("2222-2222-2222", eur("1"))).wait().unwrap_err();
        let today = crate::calendar::parse_date("day", "2026-05-01").unwrap();
        assert_eq!(passes.refusals(by, today).wait().unwrap().len(), 1);
        Self {
            plan,
            lot,
            gone,
            growing: growing.lot,
            run: growing.run,
            bulk,
            electronic,
            yen,
            ann,
            credit,
            replaced,
            reversed: spent.operation.0,
            reversal,
            stopped,
            shop,
        }
    }

    fn verify(&self, twist: impl Fn(AuditRow) -> Vec<AuditRow> + Send + Sync + 'static) -> Verified {
        self.judge(twist).unwrap()
    }

    fn judge(
        &self,
        twist: impl Fn(AuditRow) -> Vec<AuditRow> + Send + Sync + 'static,
    ) -> Result<Verified, crate::Error> {
        let store = Twisted { inner: self.shop.store.clone(), twist: Arc::new(twist) };
        let ring = Keyring::from_master("k1", &[7; 32]).unwrap();
        let (time, seeds) = (Arc::clone(&self.shop.time), Arc::new(Seeds::default()));
        let passes = Passes::open(Arc::new(store), ring, time, seeds).wait()?;
        passes.verify(&self.shop.by).wait()
    }

    /// What drifts when rows are twisted like this.
    fn drifts(&self, twist: impl Fn(AuditRow) -> Vec<AuditRow> + Send + Sync + 'static) -> BTreeSet<Told> {
        let verified = self.verify(twist);
        assert_eq!(verified.drifted, u64::try_from(verified.drifts.len()).unwrap());
        let told = verified.drifts.into_iter().map(|Drift { what, subject, stored, expected, unit: _ }| {
            assert!(Drift::NAMES.contains(&what), "{what}");
            (what, subject, stored, expected)
        });
        let told: Vec<Told> = told.collect();
        let set: BTreeSet<Told> = told.iter().cloned().collect();
        assert_eq!(set.len(), told.len(), "something is told twice: {told:?}");
        set
    }
}

type Told = (&'static str, String, i64, i64);

fn told<S: ToString>(drifts: impl IntoIterator<Item = (&'static str, S, i64, i64)>) -> BTreeSet<Told> {
    drifts.into_iter().map(|(what, subject, a, b)| (what, subject.to_string(), a, b)).collect()
}

/// Changes one pass.
fn pass(id: PassId, change: impl Fn(&mut PassRow) + Send + Sync) -> impl Fn(AuditRow) -> Vec<AuditRow> {
    move |mut row| {
        if let AuditRow::Pass(row) = &mut row
            && row.id == id
        {
            change(row);
        }
        vec![row]
    }
}

fn credit(id: CreditId, change: impl Fn(&mut CreditRow) + Send + Sync) -> impl Fn(AuditRow) -> Vec<AuditRow> {
    move |mut row| {
        if let AuditRow::Credit(row) = &mut row
            && row.id == id
        {
            change(row);
        }
        vec![row]
    }
}

fn entry(
    which: impl Fn(&StoredEntry) -> bool + Send + Sync,
    change: impl Fn(&mut StoredEntry) + Send + Sync,
) -> impl Fn(AuditRow) -> Vec<AuditRow> {
    move |mut row| {
        if let AuditRow::Entry(stored) = &mut row
            && which(stored)
        {
            change(stored);
        }
        vec![row]
    }
}

/// Leaves rows out.
fn without(which: impl Fn(&AuditRow) -> bool + Send + Sync) -> impl Fn(AuditRow) -> Vec<AuditRow> {
    move |row| if which(&row) { Vec::new() } else { vec![row] }
}

/// Brings rows twice.
fn twice(which: impl Fn(&AuditRow) -> bool + Send + Sync) -> impl Fn(AuditRow) -> Vec<AuditRow> {
    move |row| if which(&row) { vec![row.clone(), row] } else { vec![row] }
}

/// Changes the documents of a kind that are meant.
fn doc<T: Serialize + DeserializeOwned>(
    kind: DocKind,
    change: impl Fn(&mut T) -> bool + Send + Sync,
) -> impl Fn(AuditRow) -> Vec<AuditRow> {
    move |mut row| {
        if let AuditRow::Doc(Doc { key, body, .. }) = &mut row
            && key.kind == kind
        {
            let mut found: T = stored::read(body).unwrap();
            if change(&mut found) {
                *body = stored::write(&found).unwrap().into();
            }
        }
        vec![row]
    }
}

fn operation(
    number: u64,
    change: impl Fn(&mut StoredOperation) + Send + Sync,
) -> impl Fn(AuditRow) -> Vec<AuditRow> {
    move |mut row| {
        if let AuditRow::Operation { stored, .. } = &mut row
            && stored.number == number
        {
            let mut changed = (**stored).clone();
            change(&mut changed);
            *stored = Arc::new(changed);
        }
        vec![row]
    }
}

fn is_code_of(row: &AuditRow, of: PassId) -> bool {
    matches!(row, AuditRow::Code(_, pass) if *pass == of)
}

fn is_doc(row: &AuditRow, kind: DocKind, id: [u8; 16]) -> bool {
    matches!(row, AuditRow::Doc(doc) if (doc.key.kind, doc.key.id) == (kind, id))
}

/// D-7, W-1: books that nobody touched are clean, whatever was done in them, also as the rows of others pass by.
#[test]
fn untouched_books_are_clean() {
    let life = Life::new();
    let mut other = Settings::new("Other", "Europe/Paris", &["EUR"], "fr").unwrap();
    other.grace_days = 3;
    life.shop.passes.create_business(&life.shop.by.actor, other).wait().unwrap();
    let verified = life.verify(|row| vec![row]);
    assert!(verified.is_good(), "{:?}", verified.drifts);
    assert_eq!((verified.credits, verified.keys), (5, 6));
    let [operations, entries, documents] = [verified.operations, verified.entries, verified.documents];
    assert!(operations > 25 && entries > 15 && documents > 25, "{operations} {entries} {documents}");
    // Two lots have reserved 6,000 and 4,096 codes, of which 4,096 and none have passes.
    assert_eq!((verified.passes, verified.codes), (6 + 3 + 1 + 1 + 1 + 4_096, 12 + 6_000 + 4_096));
    let row_of = |business: BusinessId| {
        life.shop.passes.verify(&By::new(business, life.shop.by.actor.clone())).wait().unwrap()
    };
    assert_eq!(row_of(BusinessId::from_bytes([9; 16])), Verified::default());
}

/// D-7, W-7: a contact whose personal data are gone leaves the books whole.
#[test]
fn an_erased_contact_is_no_drift() {
    let life = Life::new();
    life.shop.passes.edit_contact(&life.shop.by, life.ann, Profile::default()).wait().unwrap();
    life.shop.proved();
    let again = Profile::named("Ann", Medium::Reference("Ann".into()));
    life.shop.passes.edit_contact(&life.shop.by, life.ann, again).wait().unwrap();
    life.shop.proved();
}

/// D-7: the docs of what drifts, and the page for operators, have every name.
#[test]
fn every_name_is_documented() {
    let docs = include_str!("../../verify.rs").lines().filter_map(|line| line.trim().strip_prefix("/// "));
    let docs: Vec<&str> = docs.flat_map(str::split_whitespace).collect();
    let (docs, page) = (docs.join(" "), include_str!("../../../../../docs/verify.md"));
    for name in Drift::NAMES {
        let quoted = format!("`{name}`");
        assert!(docs.contains(&quoted), "{name} is missing in the docs of Drift");
        assert!(page.contains(&quoted), "{name} is missing in docs/verify.md");
    }
}

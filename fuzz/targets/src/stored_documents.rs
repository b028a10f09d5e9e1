//! Documents, receipts, events and rows as a store may hand them to the library.

use crate::shop::{Shop, open};
use arbitrary::{Result, Unstructured};
use passes_core::Error;
use passes_core::business::Business;
use passes_core::calendar::Instant;
use passes_core::contact::Contact;
use passes_core::event::Event;
use passes_core::id::{BusinessId, ContactId, Id};
use passes_core::ledger::{Account, Mark, StoredEntry, Unit};
use passes_core::lot::{Delivery, Lot};
use passes_core::money::MAX_MINOR;
use passes_core::pass::{CreditRow, PassRow, Standing, Tally};
use passes_core::plan::{Plan, Terms};
use passes_core::service::{Redeemed, Sale, Spent};
use passes_core::store::memory::Memory;
use passes_core::store::{
    After, AuditRow, Auditor, Change, Chunk, Doc, DocKind, Fut, Load, Loaded, Page, PageQuery, Store,
    StoreError, StoredOperation, delegate, wait,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

static STORE: LazyLock<Memory> = LazyLock::new(Memory::new);
static SHOP: LazyLock<Shop> = LazyLock::new(|| Shop::on(Arc::new(STORE.clone())));

/// What no question may answer with a record that is damaged.
const DAMAGED: [&str; 2] = ["STORE_CORRUPT", "STORE_NEWER"];

/// One kind of record is exchanged for made-up bytes or numbers wherever it is read. Nothing panics; bytes that
/// are none of ours are told as damage by whatever reads them, and those that are come back as they were written.
pub fn stored_documents(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let bend = match kind % 18 {
        12 => Bend::Receipt(rest.into()),
        13 => Bend::Events(rest.into()),
        14 => Bend::Fields(rest.into()),
        15 => Bend::Pass(Odd::of(rest)),
        16 => Bend::Credit(Odd::of(rest)),
        17 => Bend::Entry(Odd::of(rest)),
        kind => Bend::Doc(DocKind::from_number(kind + 1).unwrap(), rest.into()),
    };
    let readers: &[&str] = match &bend {
        Bend::Doc(DocKind::Business, _) if !is::<Business>(rest) => &["settings", "check"],
        Bend::Doc(DocKind::Plan, _) if !is::<Plan>(rest) => &["plan", "plans", "lot", "pass", "check"],
        Bend::Doc(DocKind::Terms, _) if !is::<Terms>(rest) => &["lot", "pass", "check", "codes"],
        Bend::Doc(DocKind::Lot, _) if !is::<Lot>(rest) => &["lot", "lots", "pass", "check", "codes"],
        Bend::Doc(DocKind::Contact, _) if !is::<Contact>(rest) => &["contact", "found", "wallet"],
        Bend::Doc(DocKind::Sale, _) if !is::<Sale>(rest) => &["sale"],
        Bend::Doc(DocKind::Delivery, _) if !is::<Delivery>(rest) => &["sent", "filtered"],
        Bend::Receipt(_) if !unpacks::<Redeemed>(rest) && !unpacks::<Spent>(rest) => &["redeemed", "spent"],
        Bend::Events(_) if !unpacks::<Vec<Event>>(rest) => &["events"],
        _ => &[],
    };
    let bent: Arc<dyn Store> = Arc::new(Bent { inner: STORE.clone(), bend: bend.clone() });
    LazyLock::force(&SHOP);
    let passes = match open(bent) {
        Ok(passes) => passes,
        Err(error) => {
            let keys = matches!(bend, Bend::Doc(DocKind::Keys, _));
            return assert!(keys && (told(&error) || error.code().starts_with("KEY_")), "{error}");
        }
    };
    let mut answers = SHOP.ask_all(&passes);
    answers.extend(SHOP.command_all(&passes));
    for (name, error) in &answers {
        if readers.contains(name) {
            assert!(error.as_ref().is_some_and(told), "{name} took {bend:?}: {error:?}");
        }
    }
}

/// The shop's own records, each as an input of this target: the shortest and the longest of each kind.
pub(crate) fn true_records() -> Vec<Vec<u8>> {
    let shop = &*SHOP;
    let business = shop.by.business;
    let mut kinds: Vec<Vec<Vec<u8>>> = Vec::new();
    for kind in DocKind::ALL {
        let owner = if kind == DocKind::Keys { BusinessId::STORE } else { business };
        let query = PageQuery::Docs { business: owner, kind, parent: None, after: None, limit: 100 };
        kinds.push(wait(STORE.page(&query)).unwrap().docs.iter().map(|doc| doc.body.to_vec()).collect());
    }
    let operations = wait(STORE.events(business, 0, 100)).unwrap();
    kinds.push(operations.iter().map(|stored| stored.operation.receipt.clone()).collect());
    // Those of every kind of event.
    let events: Vec<Vec<u8>> = operations.iter().map(|stored| stored.operation.events.clone()).collect();
    kinds.push(vec![br#"{"series":"A"}"#.to_vec()]);
    let mut records = Vec::new();
    for (number, kind) in (0_u8..).zip(&mut kinds) {
        kind.sort_by_key(|bytes| (bytes.len(), bytes.clone()));
        let number = if number == 13 { 14 } else { number };
        let all = number == 12;
        let ends = kind.first().into_iter().chain(kind.last());
        let chosen: Vec<&Vec<u8>> = if all { kind.iter().collect() } else { ends.collect() };
        records.extend(chosen.into_iter().map(|bytes| [&[number], bytes.as_slice()].concat()));
    }
    records.extend(events.iter().map(|bytes| [&[13], bytes.as_slice()].concat()));
    records.sort();
    records.dedup();
    records
}

fn told(error: &Error) -> bool {
    DAMAGED.contains(&error.code())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<T> {
    v: u16,
    d: T,
}

/// Whether these bytes are a document of this type; if so, it comes back.
fn is<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<Written<T>>(bytes) else { return false };
    let written = serde_json::to_vec(&read).unwrap();
    assert_eq!(serde_json::from_slice::<Written<T>>(&written).unwrap().d, read.d);
    read.v == 1
}

/// The same of a receipt or of events.
fn unpacks<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let Some((1, bytes)) = bytes.split_first() else { return false };
    let Ok((read, rest)) = postcard::take_from_bytes::<T>(bytes) else { return false };
    let written = postcard::to_extend(&read, Vec::new()).unwrap();
    assert_eq!(postcard::from_bytes::<T>(&written).unwrap(), read);
    rest.is_empty()
}

/// Numbers that no row should hold, and some that don't belong together.
#[derive(Clone, Debug)]
struct Odd(Arc<[u8]>);

impl Odd {
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Changes a row as far as the bytes go.
    fn change(&self, change: impl FnOnce(&mut Unstructured<'_>) -> Result<()>) {
        let _ = change(&mut Unstructured::new(&self.0));
    }
}

fn number(from: &mut Unstructured<'_>, was: i64) -> Result<i64> {
    Ok(match from.int_in_range(0..=7)? {
        0 => *from.choose(&[i64::MIN, i64::MAX, MAX_MINOR + 1, -MAX_MINOR, -1])?,
        1 => from.int_in_range(0..=MAX_MINOR)?,
        2 => MAX_MINOR,
        3 => from.int_in_range(0..=3)?,
        _ => was,
    })
}

fn tally(from: &mut Unstructured<'_>, was: Tally) -> Result<Tally> {
    Ok(Tally {
        used: number(from, was.used)?,
        held: number(from, was.held)?,
        limit: number(from, was.limit)?,
    })
}

fn instant(from: &mut Unstructured<'_>, was: Option<Instant>) -> Result<Option<Instant>> {
    Ok(match from.int_in_range(0..=4)? {
        0 => Some(Instant::MIN),
        1 => Some(Instant::MAX),
        2 => None,
        _ => was,
    })
}

fn odd_pass(from: &mut Unstructured<'_>, row: &mut PassRow) -> Result<()> {
    row.balance = tally(from, row.balance)?;
    row.uses = tally(from, row.uses)?;
    row.granted = tally(from, row.granted)?;
    row.value = match from.int_in_range(0..=3)? {
        0 => None,
        _ => Some(number(from, row.value.unwrap_or(0))?),
    };
    row.standing = Standing::from_number(from.int_in_range(0..=2)?).unwrap_or(row.standing);
    row.flags = from.arbitrary()?;
    row.redeem_by = instant(from, row.redeem_by)?;
    row.activated = instant(from, row.activated)?;
    row.last = from.int_in_range(0..=60)?;
    row.code_try = from.arbitrary()?;
    row.version = from.arbitrary()?;
    row.holder = from.arbitrary::<Option<_>>()?.map(ContactId::from_bytes);
    Ok(())
}

fn odd_credit(from: &mut Unstructured<'_>, row: &mut CreditRow) -> Result<()> {
    row.amount = tally(from, row.amount)?;
    row.spend_by = instant(from, row.spend_by)?;
    row.mark = if from.arbitrary()? { Mark::Paid } else { Mark::Granted };
    row.last = from.int_in_range(0..=60)?;
    row.pass = row.pass.lot().pass(from.arbitrary()?);
    row.version = from.arbitrary()?;
    Ok(())
}

fn odd_entry(from: &mut Unstructured<'_>, stored: &mut StoredEntry) -> Result<()> {
    stored.entry.amount = number(from, stored.entry.amount)?;
    stored.entry.unit = Unit::from_number(from.int_in_range(800..=1_000)?).unwrap_or(stored.entry.unit);
    stored.entry.from.0 = Account::from_number(from.int_in_range(0..=12)?).unwrap_or(stored.entry.from.0);
    stored.entry.to.0 = Account::from_number(from.int_in_range(0..=12)?).unwrap_or(stored.entry.to.0);
    stored.entry.mark = if from.arbitrary()? { Mark::Paid } else { Mark::Granted };
    stored.entry.line = from.arbitrary()?;
    if from.arbitrary()? {
        std::mem::swap(&mut stored.entry.from, &mut stored.entry.to);
    }
    stored.operation = from.int_in_range(0..=60)?;
    stored.before_from = from.int_in_range(0..=60)?;
    stored.before_to = from.int_in_range(0..=60)?;
    Ok(())
}

/// What is exchanged.
#[derive(Clone, Debug)]
enum Bend {
    Doc(DocKind, Arc<[u8]>),
    Receipt(Arc<[u8]>),
    Events(Arc<[u8]>),
    Fields(Arc<[u8]>),
    Pass(Odd),
    Credit(Odd),
    Entry(Odd),
}

impl Bend {
    fn docs(&self, docs: &mut [Doc]) {
        if let Self::Doc(kind, body) = self {
            docs.iter_mut().filter(|doc| doc.key.kind == *kind).for_each(|doc| doc.body = body[..].into());
        }
    }

    fn pass(&self, row: &mut PassRow) {
        match self {
            Self::Fields(fields) => row.fields = Some(fields.to_vec().into()),
            Self::Pass(odd) => odd.change(|from| odd_pass(from, row)),
            _ => {}
        }
    }

    fn credit(&self, row: &mut CreditRow) {
        if let Self::Credit(odd) = self {
            odd.change(|from| odd_credit(from, row));
        }
    }

    fn entry(&self, stored: &mut StoredEntry) {
        if let Self::Entry(odd) = self {
            odd.change(|from| odd_entry(from, stored));
        }
    }

    fn operation(&self, stored: &mut Arc<StoredOperation>) {
        match self {
            Self::Receipt(bytes) => Arc::make_mut(stored).operation.receipt = bytes.to_vec(),
            Self::Events(bytes) => Arc::make_mut(stored).operation.events = bytes.to_vec(),
            _ => {}
        }
    }
}

/// A store that hands out bent records, and takes none.
struct Bent {
    inner: Memory,
    bend: Bend,
}

impl Store for Bent {
    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        Box::pin(async move {
            let mut loaded = self.inner.load(load).await?;
            // A chain that comes in one piece is bent like the rest.
            let chain = loaded.chain.take();
            loaded.docs.extend(chain.iter().flat_map(|chain| chain.docs().iter().cloned()));
            self.bend.docs(&mut loaded.docs);
            loaded.code.iter_mut().chain(&mut loaded.passes).for_each(|row| self.bend.pass(row));
            loaded.credits.iter_mut().for_each(|row| self.bend.credit(row));
            loaded.replay.iter_mut().for_each(|stored| self.bend.operation(stored));
            if let Some((stored, entries)) = &mut loaded.operation {
                self.bend.operation(stored);
                entries.iter_mut().for_each(|stored| self.bend.entry(stored));
            }
            Ok(loaded)
        })
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<std::result::Result<After, StoreError>>> {
        let full = |_| Err(StoreError::Full("it takes nothing".to_owned()));
        Box::pin(async move { Ok(changes.iter().map(full).collect()) })
    }

    fn fill<'a>(&'a self, _: &'a Chunk) -> Fut<'a, After> {
        Box::pin(async { Err(StoreError::Full("it takes nothing".to_owned())) })
    }

    fn page<'a>(&'a self, query: &'a PageQuery) -> Fut<'a, Page> {
        Box::pin(async move {
            let mut page = self.inner.page(query).await?;
            self.bend.docs(&mut page.docs);
            page.passes.iter_mut().for_each(|row| self.bend.pass(row));
            page.credits.iter_mut().for_each(|row| self.bend.credit(row));
            page.operations.iter_mut().for_each(|stored| self.bend.operation(stored));
            page.entries.iter_mut().for_each(|stored| self.bend.entry(stored));
            Ok(page)
        })
    }

    fn events(&self, business: BusinessId, after: u64, limit: u32) -> Fut<'_, Vec<Arc<StoredOperation>>> {
        Box::pin(async move {
            let mut events = self.inner.events(business, after, limit).await?;
            events.iter_mut().for_each(|stored| self.bend.operation(stored));
            Ok(events)
        })
    }

    fn audit(&self, business: BusinessId, mut each: Auditor) -> Fut<'_, ()> {
        let bend = self.bend.clone();
        let bent = move |mut row: AuditRow| {
            match &mut row {
                AuditRow::Entry(stored) => bend.entry(stored),
                AuditRow::Pass(row) => bend.pass(row),
                AuditRow::Credit(row) => bend.credit(row),
                AuditRow::Operation { stored, .. } => bend.operation(stored),
                AuditRow::Doc(doc) => bend.docs(std::slice::from_mut(doc)),
                _ => {}
            }
            each(row);
        };
        self.inner.audit(business, Box::new(bent))
    }

    delegate!(inner; slots, pause);
}

//! What a case works with: a store, a business of its own, and records made to measure.

use crate::check::{Failure, Outcome, conflict};
use crate::{Face, Factory};
use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, ContactId, CreditId, Id, Ids, LotId, OperationId, PassId};
use passes_core::ledger::{Account, Entry, Mark, StoredEntry, Subject, Unit};
use passes_core::money::Currency;
use passes_core::operation::Kind;
use passes_core::pass::{CreditRow, PassRow, Standing, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{
    Add, After, Answer, AuditRow, Auditor, Change, Chunk, Claim, Command, Decision, Doc, DocKey, DocKind,
    Expect, Fut, Load, Loaded, Operation, OperationKey, Page, PageQuery, PassRange, Put, Record, Store,
    StoreError, StoredOperation, TallyKey,
};
use std::hash::{BuildHasher, RandomState};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

/// One caller of the store, in one business. Threads take clones.
#[derive(Clone)]
pub struct Client {
    /// The store.
    pub store: Arc<dyn Store>,
    /// How its futures are driven.
    pub face: Face,
    /// Whose records.
    pub business: BusinessId,
}

/// What a case works with.
pub struct World<'a> {
    factory: &'a dyn Factory,
    client: Option<Client>,
    seed: u64,
    ids: Ids,
}

impl Deref for World<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("the store is open")
    }
}

impl<'a> World<'a> {
    /// Opens the store and makes a business that it can't know.
    #[must_use]
    pub fn new(factory: &'a dyn Factory, face: Face) -> Self {
        // The suite may run on a store that has seen it before: nothing may come twice.
        Self::seeded(factory, face, RandomState::new().hash_one(std::time::SystemTime::now()))
    }

    fn seeded(factory: &'a dyn Factory, face: Face, seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut ids = Ids::new(&bytes, at(0));
        let client = Client { store: factory.open(), face, business: ids.draw() };
        Self { factory, client: Some(client), seed, ids }
    }

    /// From which all that this world makes follows.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Closes the store and opens it again.
    pub(crate) fn reopen(&mut self) {
        let Client { store, face, business } = self.client.take().expect("the store is open");
        drop(store);
        self.client = Some(Client { store: self.factory.open(), face, business });
    }

    /// The same store as another business sees it.
    pub(crate) fn other_business(&mut self) -> Client {
        let business = self.id();
        Client { business, ..(**self).clone() }
    }

    pub(crate) fn id<T: Id>(&mut self) -> T {
        self.ids.draw()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.ids.bytes()
    }

    pub(crate) fn lot(&mut self) -> LotId {
        self.ids.draw_lot()
    }

    pub(crate) fn digest(&mut self) -> Digest {
        Digest::from_bytes(self.bytes())
    }

    pub(crate) fn operation(&mut self) -> Operation {
        operation(self.id())
    }

    pub(crate) fn operation_with_key(&mut self) -> Operation {
        let key = (self.bytes(), self.bytes());
        Operation { key: Some(key), ..self.operation() }
    }

    /// A change that leaves an operation.
    pub(crate) fn done(&mut self) -> Change {
        Change { operation: Some(self.operation()), ..self.change() }
    }

    /// Makes the passes of a lot with serial numbers from 1, of so many uses and so much money each.
    pub(crate) fn make_passes(&mut self, count: u32, uses: i64, balance: i64) -> Outcome<Vec<PassId>> {
        let lot = self.lot();
        let mut change = self.change();
        for serial in 1..=count {
            let row = PassRow {
                uses: Tally::new(uses),
                balance: Tally::new(balance),
                ..pass_row(lot.pass(serial))
            };
            change.put.push(new(row));
        }
        self.lands(change)?;
        Ok((1..=count).map(|serial| lot.pass(serial)).collect())
    }

    pub(crate) fn make_pass(&mut self, uses: i64, balance: i64) -> Outcome<PassId> {
        Ok(self.make_passes(1, uses, balance)?[0])
    }
}

impl Client {
    /// A change of this business that does nothing yet.
    pub(crate) fn change(&self) -> Change {
        Change::new(self.business)
    }

    /// A load that asks for nothing yet.
    pub(crate) fn nothing(&self) -> Load {
        Load::new(self.business)
    }

    pub(crate) fn run(
        &self,
        load: Load,
        decide: impl FnMut(&Loaded) -> Decision + Send + 'static,
    ) -> Result<Answer, StoreError> {
        self.face.drive(self.store.run(Command::new(load, decide)))
    }

    pub(crate) fn load(&self, load: &Load) -> Result<Loaded, StoreError> {
        self.face.drive(self.store.load(load))
    }

    pub(crate) fn commit_all(
        &self,
        changes: &[Change],
    ) -> Result<Vec<Result<After, StoreError>>, StoreError> {
        self.face.drive(self.store.commit(changes))
    }

    pub(crate) fn commit(&self, change: Change) -> Result<After, StoreError> {
        let mut answers = self.commit_all(&[change])?;
        answers.pop().unwrap_or_else(|| Err(StoreError::Backend("no answer for the change".into())))
    }

    pub(crate) fn fill(&self, chunk: &Chunk) -> Result<After, StoreError> {
        self.face.drive(self.store.fill(chunk))
    }

    pub(crate) fn page(&self, query: &PageQuery) -> Result<Page, StoreError> {
        self.face.drive(self.store.page(query))
    }

    pub(crate) fn events(&self, after: u64, limit: u32) -> Result<Vec<Arc<StoredOperation>>, StoreError> {
        self.face.drive(self.store.events(self.business, after, limit))
    }

    pub(crate) fn audit(&self) -> Result<Vec<AuditRow>, StoreError> {
        self.rows(|each| self.store.audit(self.business, each))
    }

    pub(crate) fn ledger(&self, after: u64) -> Result<Vec<AuditRow>, StoreError> {
        self.rows(|each| self.store.ledger(self.business, after, each))
    }

    fn rows<'a>(&self, read: impl FnOnce(Auditor) -> Fut<'a, ()>) -> Result<Vec<AuditRow>, StoreError> {
        let rows = Arc::new(Mutex::new(Vec::new()));
        let pushed = Arc::clone(&rows);
        self.face.drive(read(Box::new(move |row| pushed.lock().unwrap().push(row))))?;
        let mut rows = rows.lock().unwrap();
        Ok(std::mem::take(&mut *rows))
    }

    /// A change that must land.
    pub(crate) fn lands(&self, change: Change) -> Outcome<After> {
        let shown = format!("{change:?}");
        self.commit(change).map_err(|error| Failure::from(format!("{error:?} for {shown}")))
    }

    /// A change that must meet a guard.
    pub(crate) fn meets_a_guard(&self, what: &str, change: Change) -> Outcome {
        conflict(what, &self.commit(change))
    }

    pub(crate) fn doc(&self, key: DocKey) -> Outcome<Option<Doc>> {
        let found = self.load(&Load { docs: vec![key], ..self.nothing() })?;
        Ok(found.docs.into_iter().find(|doc| doc.key == key))
    }

    pub(crate) fn pass(&self, id: PassId) -> Outcome<Option<PassRow>> {
        Ok(self.load(&Load { passes: vec![id], ..self.nothing() })?.passes.pop())
    }

    pub(crate) fn credit(&self, contact: ContactId, id: CreditId) -> Outcome<Option<CreditRow>> {
        Ok(self.load(&Load { credits: vec![(contact, id)], ..self.nothing() })?.credits.pop())
    }

    pub(crate) fn passes(&self, first: PassId, last: PassId, limit: u32) -> Outcome<Vec<PassRow>> {
        let range = Some(PassRange { first, last, limit });
        Ok(self.load(&Load { range, ..self.nothing() })?.passes)
    }

    pub(crate) fn tally(&self, key: TallyKey) -> Outcome<Tally> {
        let found = self.load(&Load { tallies: vec![key], ..self.nothing() })?.tallies;
        found.first().copied().ok_or_else(|| "no answer for a tally".into())
    }

    pub(crate) fn by_key(&self, key: [u8; 16]) -> Outcome<(Option<Arc<StoredOperation>>, bool)> {
        let found = self.load(&Load { key: Some(key), ..self.nothing() })?;
        Ok((found.replay, found.stopped))
    }

    /// An operation with its entries.
    pub(crate) fn by_number(&self, number: u64) -> Outcome<Option<(Arc<StoredOperation>, Vec<StoredEntry>)>> {
        let operation = Some(OperationKey::Number(number));
        Ok(self.load(&Load { operation, ..self.nothing() })?.operation)
    }

    /// All operations, by the pages of the event reader.
    pub(crate) fn all_events(&self) -> Outcome<Vec<Arc<StoredOperation>>> {
        let mut all: Vec<Arc<StoredOperation>> = Vec::new();
        loop {
            let page = self.events(all.last().map_or(0, |last| last.number), 100)?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    pub(crate) fn history(&self, subject: Subject) -> Outcome<Vec<StoredEntry>> {
        let query = PageQuery::History { business: self.business, subject, before: None, limit: 1000 };
        Ok(self.page(&query)?.entries)
    }
}

/// A moment, in order of the number.
pub(crate) fn at(number: i64) -> Instant {
    Instant::from_micros(1_790_000_000_000_000 + number).expect("a time in this century")
}

pub(crate) fn doc(key: DocKey, body: &str) -> Doc {
    Doc { key, version: 1, parent: None, body: body.as_bytes().into() }
}

pub(crate) fn pass_row(id: PassId) -> PassRow {
    PassRow {
        id,
        version: 1,
        standing: Standing::Active,
        flags: 0,
        activated: None,
        redeem_by: None,
        value: None,
        uses: Tally::new(1),
        balance: Tally::new(0),
        granted: Tally::new(0),
        holder: None,
        successor: None,
        sale: None,
        code_try: 0,
        fields: None,
        last: 0,
    }
}

pub(crate) fn credit_row(contact: ContactId, id: CreditId, pass: PassId, amount: i64) -> CreditRow {
    CreditRow {
        contact,
        id,
        version: 1,
        pass,
        mark: Mark::Paid,
        spend_by: None,
        created: at(0),
        amount: Tally::new(amount),
        last: 0,
    }
}

pub(crate) fn operation(id: OperationId) -> Operation {
    Operation {
        booked: at(2),
        receipt: b"receipt".to_vec(),
        events: b"events".to_vec(),
        ..Operation::new(id, Kind::Redeem, "till 7", at(1))
    }
}

/// Something that can be put.
pub(crate) trait IntoRecord {
    fn into_record(self) -> Record;
}

impl IntoRecord for Doc {
    fn into_record(self) -> Record {
        Record::Doc(self)
    }
}

impl IntoRecord for PassRow {
    fn into_record(self) -> Record {
        Record::Pass(Box::new(self))
    }
}

impl IntoRecord for CreditRow {
    fn into_record(self) -> Record {
        Record::Credit(Box::new(self))
    }
}

/// Puts a record that must not be there.
pub(crate) fn new(record: impl IntoRecord) -> Put {
    Put { record: record.into_record(), expect: Expect::Absent }
}

/// Puts a record that must have this version.
pub(crate) fn over(version: u32, record: impl IntoRecord) -> Put {
    Put { record: record.into_record(), expect: Expect::Version(version) }
}

pub(crate) fn add(key: TallyKey, used: i64) -> Add {
    Add::used(key, used)
}

pub(crate) fn claim(digest: Digest, pass: PassId) -> Claim {
    Claim { digest, pass }
}

pub(crate) fn plan_key(id: [u8; 16]) -> DocKey {
    DocKey { kind: DocKind::Plan, id }
}

pub(crate) fn euros() -> Unit {
    Unit::Money(Currency::EUR)
}

/// Money of a pass that was used.
pub(crate) fn settled(subject: Subject, amount: i64) -> Entry {
    Entry {
        from: (Account::Outstanding, subject),
        to: (Account::Settled, Subject::None),
        unit: euros(),
        amount,
        mark: Mark::Paid,
        line: None,
    }
}

/// Money that came onto passes.
pub(crate) fn received(subject: Subject, amount: i64) -> Entry {
    Entry {
        from: (Account::Received, Subject::None),
        to: (Account::Outstanding, subject),
        unit: euros(),
        amount,
        mark: Mark::Paid,
        line: None,
    }
}

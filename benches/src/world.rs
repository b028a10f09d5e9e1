//! The shop that is measured: a database with some history, and requests to redeem.

use passes_core::calendar::Instant;
use passes_core::id::{BusinessId, ContactId, Id, Ids, LotId, PassId, PlanId, TermsId};
use passes_core::pass::{PassRow, Standing, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{
    Change, Chunk, Claim, Command, Doc, DocKey, DocKind, Expect, Put, Record, Store, StoreError, wait,
};
use passes_sqlite::{Options, Sqlite};
use std::collections::VecDeque;
use std::path::PathBuf;
use tempfile::TempDir;

/// Passes of a lot.
const LOT: u32 = 6_000;
/// Contacts.
const CONTACTS: usize = 1_000;
/// Redemptions of each kind that lie behind.
const HISTORY: usize = 4_000;
/// What a gift pass credits, and what a gift card holds.
pub(crate) const GIFT: i64 = 2_500;
const CARD: i64 = 50_000;
/// What is spent of a gift card at once.
pub(crate) const SPENT: i64 = 125;

/// Where the value of a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Into a contact's wallet, with an idempotency key.
    WalletWithKey,
    /// A gift card at the till, with an idempotency key.
    DirectWithKey,
    /// A gift card at the till.
    Direct,
}

/// A redemption, as far as it is known before.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) business: BusinessId,
    pub(crate) digest: Digest,
    /// Whose wallet; none is the till.
    pub(crate) contact: Option<ContactId>,
    /// The hash of the idempotency key, and the fingerprint of the request.
    pub(crate) key: Option<([u8; 16], [u8; 16])>,
    pub(crate) now: Instant,
    /// All that the command makes follows from it.
    pub(crate) seed: [u8; 32],
}

/// A database and what may be redeemed in it. Two that are made alike are alike to the byte.
pub(crate) struct World {
    pub(crate) business: BusinessId,
    pub(crate) store: Sqlite,
    contacts: Vec<ContactId>,
    /// Gift passes that were not redeemed yet, in no order.
    gifts: VecDeque<Digest>,
    cards: Vec<Digest>,
    ids: Ids,
    now: i64,
    _folder: TempDir,
}

fn at(micros: i64) -> Instant {
    Instant::from_micros(1_790_000_000_000_000 + micros).unwrap_or(Instant::EPOCH)
}

/// A document of a likely size.
fn doc(kind: DocKind, id: [u8; 16], parent: Option<DocKey>, size: usize) -> Put {
    let body = format!(r#"{{"v":1,"d":{{"name":"{}"}}}}"#, "x".repeat(size));
    let doc = Doc { key: DocKey { kind, id }, version: 1, parent, body: body.into_bytes().into() };
    Put { record: Record::Doc(doc), expect: Expect::Absent }
}

fn row(id: PassId, value: i64) -> PassRow {
    PassRow {
        id,
        version: 1,
        standing: Standing::Active,
        flags: 2,
        activated: Some(at(0)),
        redeem_by: Some(at(31_536_000_000_000)),
        value: Some(value),
        uses: Tally::new(1),
        balance: Tally::new(value),
        granted: Tally::new(0),
        holder: None,
        successor: None,
        sale: Some(Id::from_bytes([9; 16])),
        code_try: 0,
        fields: None,
        last: 0,
    }
}

impl World {
    /// Four lots of 6,000 passes, 1,000 contacts, 12,000 redemptions in the past.
    pub(crate) fn new(options: Options) -> Result<Self, StoreError> {
        let folder = tempfile::tempdir().map_err(|error| StoreError::Backend(error.to_string()))?;
        let store = options.open(folder.path().join("shop.db"))?;
        let mut ids = Ids::new(&[7; 32], at(0));
        let business = ids.draw();
        let contacts = (0..CONTACTS).map(|_| ContactId::from_bytes(ids.bytes())).collect();
        let (gifts, cards) = (VecDeque::new(), Vec::new());
        let mut world = Self { business, store, contacts, gifts, cards, ids, now: 1, _folder: folder };
        world.stock()?;
        for kind in [Kind::WalletWithKey, Kind::DirectWithKey, Kind::Direct] {
            let requests: Vec<Request> = (0..HISTORY).map(|_| world.request(kind)).collect();
            for group in requests.chunks(500) {
                let commands = group.iter().map(crate::ours::command).collect::<Vec<Command>>();
                for answer in wait(world.store.run_all(commands))? {
                    crate::ours::accepted(&answer?)?;
                }
            }
        }
        Ok(world)
    }

    /// Where the database is.
    pub(crate) fn path(&self) -> PathBuf {
        self.store.path().to_owned()
    }

    fn stock(&mut self) -> Result<(), StoreError> {
        let (plan, terms) = (self.ids.draw::<PlanId>(), self.ids.draw::<TermsId>());
        let mut change = Change::new(self.business);
        change.put.push(doc(DocKind::Business, self.business.to_bytes(), None, 400));
        change.put.push(doc(DocKind::Plan, plan.to_bytes(), None, 500));
        let parent = Some(DocKey::new(DocKind::Plan, plan));
        change.put.push(doc(DocKind::Terms, terms.to_bytes(), parent, 700));
        for contact in &self.contacts {
            change.put.push(doc(DocKind::Contact, contact.to_bytes(), None, 200));
        }
        let lots: Vec<LotId> = (0..4).map(|_| self.ids.draw_lot()).collect();
        for lot in &lots {
            let parent = Some(DocKey::new(DocKind::Terms, terms));
            change.put.push(doc(DocKind::Lot, lot.to_bytes(), parent, 300));
        }
        for answer in wait(self.store.commit(&[change]))? {
            answer?;
        }
        for (at, lot) in lots.into_iter().enumerate() {
            let cards = at % 2 == 1;
            let rows = (1..=LOT).map(|serial| row(lot.pass(serial), if cards { CARD } else { GIFT }));
            let passes: Vec<PassRow> = rows.collect();
            let claim = |pass: &PassRow, ids: &mut Ids| Claim {
                digest: Digest::from_bytes(ids.bytes()),
                pass: pass.id,
            };
            let mut codes: Vec<Claim> = passes.iter().map(|pass| claim(pass, &mut self.ids)).collect();
            codes.sort_by_key(|claim| claim.digest);
            // Sorted by digest is in no order of the passes.
            let digests = codes.iter().map(|claim| claim.digest);
            if cards {
                self.cards.extend(digests)
            } else {
                self.gifts.extend(digests)
            }
            wait(self.store.fill(&Chunk { change: Change::new(self.business), codes, passes }))?;
        }
        // Redeemed in no order of the lots either.
        let by_end = |digest: &Digest| digest.as_bytes().iter().rev().copied().collect::<Vec<u8>>();
        self.gifts.make_contiguous().sort_by_cached_key(by_end);
        Ok(())
    }

    /// The next request of a kind. A gift pass is redeemed once; there are 8,000 left to begin with.
    pub(crate) fn request(&mut self, kind: Kind) -> Request {
        self.now += 1_000_003;
        let pick = u64::from_be_bytes(self.ids.bytes());
        let one_of = |count: usize| usize::try_from(pick % count.max(1) as u64).unwrap_or_default();
        let (digest, contact) = match kind {
            Kind::WalletWithKey => (self.gifts.pop_front(), self.contacts.get(one_of(self.contacts.len()))),
            Kind::DirectWithKey | Kind::Direct => (self.cards.get(one_of(self.cards.len())).copied(), None),
        };
        Request {
            business: self.business,
            digest: digest.unwrap_or(Digest::from_bytes([0; 32])),
            contact: contact.copied(),
            key: (kind != Kind::Direct).then(|| (self.ids.bytes(), self.ids.bytes())),
            now: at(self.now),
            seed: self.ids.bytes(),
        }
    }
}

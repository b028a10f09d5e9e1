//! The shop that is measured: a database with some history, and requests to redeem.

use crate::run::Made;
use passes_core::calendar::Instant;
use passes_core::contact::{Medium, Profile};
use passes_core::id::{BusinessId, ContactId, PlanId};
use passes_core::money::{Currency, Money};
use passes_core::operation::{Actor, By, Rights};
use passes_core::passcode::Format;
use passes_core::plan::{Classification, Form, Spec, SpendBy, Terms};
use passes_core::secret::Keyring;
use passes_core::service::{Deal, Generate, Redeem};
use passes_core::store::Store;
use passes_core::{Passes, business::Settings};
use passes_host::Opener;
use passes_host::testing::{FixedClock, SeededEntropy};
use passes_sqlite::{Options, Sqlite};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Passes of a lot, of which there are two of each kind: a hundred thousand in all.
const LOT: u32 = 25_000;
/// Contacts.
const CONTACTS: usize = 1_000;
/// Redemptions of each kind that lie behind.
const HISTORY: usize = 4_000;
/// Passes that are exported at once.
const PAGE: u32 = 10_000;
/// What is spent of a gift card at once, in minor units.
pub(crate) const SPENT: i64 = 125;
/// The key that the digests of both sides are made with.
pub(crate) const MASTER: [u8; 32] = [7; 32];

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

/// A redemption, as the till asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) code: String,
    /// Whose wallet; none is the till.
    pub(crate) contact: Option<ContactId>,
    pub(crate) key: Option<String>,
    pub(crate) now: Instant,
}

/// A database and what may be redeemed in it.
pub(crate) struct World {
    pub(crate) business: BusinessId,
    pub(crate) store: Arc<Sqlite>,
    passes: Passes,
    by: By,
    clock: Arc<FixedClock>,
    contacts: Vec<ContactId>,
    /// Codes of gift passes that were not redeemed yet, in no order of their serial numbers.
    gifts: VecDeque<String>,
    /// Codes of gift cards.
    cards: Vec<String>,
    dice: u64,
    asked: u64,
    /// Contacts that were given a credit.
    welcomed: usize,
    folder: TempDir,
}

impl World {
    /// Four lots of 25,000 sold passes, 1,000 contacts, 12,000 redemptions in the past.
    pub(crate) fn new(options: Options) -> Made<Self> {
        Self::sized(options, LOT, HISTORY)
    }

    /// With lots of another size, and so many redemptions of each kind in the past.
    pub(crate) fn sized(options: Options, lot: u32, history: usize) -> Made<Self> {
        let folder = crate::run::folder()?;
        let store = Arc::new(options.open(folder.path().join("shop.db"))?);
        let clock = Arc::new(FixedClock::at(Instant::parse("2026-09-21T08:00:00Z")?));
        let opener = Opener::new().clock(clock.clone()).entropy(Arc::new(SeededEntropy::new(7)));
        let ring = Keyring::from_master("k1", &MASTER)?;
        let passes = opener.open_on(store.clone() as Arc<dyn Store>, ring).wait()?;
        let till = Actor::new("till-07", Rights::all())?;
        let settings = Settings::new("The Gift Shop", "Europe/Berlin", &["EUR"], "de")?;
        let business = passes.create_business(&till, settings).wait()?;
        let by = By::new(business, till).place("store-012").channel("pos");
        let mut world = Self {
            business,
            store,
            passes,
            by,
            clock,
            contacts: Vec::new(),
            gifts: VecDeque::new(),
            cards: Vec::new(),
            dice: 7,
            asked: 0,
            welcomed: 0,
            folder,
        };
        world.stock(lot)?;
        for kind in [Kind::WalletWithKey, Kind::DirectWithKey, Kind::Direct] {
            let past: Vec<Request> = (0..history).map(|_| world.request(kind)).collect();
            for group in past.chunks(500) {
                let asked = group.iter().map(|request| world.asked(request)).collect::<Made<Vec<_>>>()?;
                for answer in world.passes.redeem_all(asked).wait()? {
                    answer?;
                }
            }
        }
        Ok(world)
    }

    /// Where the database is.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    /// A copy of the file as it is now, to the byte, for somebody who does the same by hand.
    pub(crate) fn copy(&self) -> Made<PathBuf> {
        let to = self.folder.path().join("twin.db");
        let sql = rusqlite::Connection::open(self.path())?;
        // The store's own thread may be at it just now.
        for _ in 0..200 {
            let busy: i64 = sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if busy == 0 {
                std::fs::copy(self.path(), &to)?;
                return Ok(to);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Err("the log could not be brought into the file".into())
    }

    /// The codes of the gift cards.
    pub(crate) fn cards(&self) -> &[String] {
        &self.cards
    }

    fn stock(&mut self, size: u32) -> Made<()> {
        let (passes, by) = (&self.passes, &self.by);
        for n in 0..CONTACTS {
            let profile = Profile::named(&format!("Customer {n}"), Medium::Reference(format!("c{n}")));
            self.contacts.push(passes.create_contact(by, profile).wait()?.done);
        }
        let (gift, card) = (self.plan("25", "P1Y")?, self.plan("500", "P3Y")?);
        for plan in [gift, card, gift, card] {
            let passes = &self.passes;
            let lot = passes.generate(&self.by, Generate { plan, count: size, accept_weak: false }).wait()?;
            passes.finish_run(&self.by, lot.run).wait()?;
            let price: Money = if plan == gift { "25 EUR" } else { "500 EUR" }.parse()?;
            let sold = passes.sell(&self.by, lot.lot, Deal::at(price)).wait()?;
            passes.finish_run(&self.by, sold.run.ok_or("a sale of a lot is a run")?).wait()?;
            passes.export(&self.by, lot.lot).wait()?;
            for after in (0..size).step_by(usize::try_from(PAGE)?) {
                let rows = passes.export_page(&self.by, lot.lot, after, PAGE).wait()?;
                let codes = rows.iter().map(|row| row.code.reveal().to_owned());
                if plan == gift { self.gifts.extend(codes) } else { self.cards.extend(codes) }
            }
        }
        // Codes are random: by code is in no order of the passes.
        self.gifts.make_contiguous().sort();
        self.cards.sort();
        Ok(())
    }

    fn plan(&self, value: &str, lasts: &str) -> Made<PlanId> {
        let value = Money::parse(value, Currency::EUR)?;
        let mut terms = Terms::fixed(Classification::Gift, Form::Printed, value);
        terms.spend_by = SpendBy::AfterRedemption(lasts.parse()?);
        let spec = Spec {
            name: [("de".to_owned(), "Geschenkkarte".to_owned())].into(),
            description: Default::default(),
            terms,
            code: Format { prefix: "GIFT".into(), ..Format::default() },
            caps: Default::default(),
        };
        let plan = self.passes.create_plan(&self.by, spec).wait()?.done;
        self.passes.activate_plan(&self.by, plan).wait()?;
        Ok(plan)
    }

    /// The next request of a kind. A gift pass is redeemed once; there are 46,000 left to begin with.
    pub(crate) fn request(&mut self, kind: Kind) -> Request {
        self.asked += 1;
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = usize::try_from(self.dice >> 33).unwrap_or_default();
        let one_of = |count: usize| pick % count.max(1);
        let (code, contact) = match kind {
            // First each contact in turn: its first credit in a currency is noted with it, once for all.
            Kind::WalletWithKey => {
                let contact = self.contacts.get(self.welcomed).or(self.contacts.get(one_of(CONTACTS)));
                self.welcomed += 1;
                (self.gifts.pop_front(), contact)
            }
            Kind::DirectWithKey | Kind::Direct => (self.cards.get(one_of(self.cards.len())).cloned(), None),
        };
        Request {
            code: code.unwrap_or_default(),
            contact: contact.copied(),
            key: (kind != Kind::Direct).then(|| format!("receipt-{}", self.asked)),
            now: self.clock.advance(1).unwrap_or(Instant::EPOCH),
        }
    }

    fn asked(&self, request: &Request) -> Made<(By, Redeem)> {
        let by = match &request.key {
            Some(key) => self.by.clone().key(key),
            None => self.by.clone(),
        };
        let code = request.code.as_str();
        Ok(match request.contact {
            Some(contact) => (by, Redeem::into_wallet(code, contact)),
            None => (by, Redeem::direct(code, Money::from_minor(SPENT, Currency::EUR)?)),
        })
    }

    /// Redeems by the public call.
    pub(crate) fn redeem(&self, request: &Request) -> Made<()> {
        self.clock.set(request.now);
        let (by, redeem) = self.asked(request)?;
        self.passes.redeem(&by, redeem).wait()?;
        Ok(())
    }

    /// How long the receipt and the events of the last operation are.
    pub(crate) fn last_lengths(&self) -> Made<(usize, usize)> {
        let mut after = 0;
        let mut lengths = (0, 0);
        loop {
            let page = passes_core::store::wait(self.store.events(self.business, after, 10_000))?;
            let Some(operation) = page.last() else { return Ok(lengths) };
            after = operation.number;
            lengths = (operation.operation.receipt.len(), operation.operation.events.len());
        }
    }
}

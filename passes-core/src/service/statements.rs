//! Wallets and statements: pockets, credits, and how a balance came about (W-2, W-5, R-13).

use super::contacts::{contact_key, registered, wallet};
use super::engine::View;
use super::operations::OperationView;
use super::{Call, Error, Listed, Passes};
use crate::calendar::Instant;
use crate::event::Position;
use crate::id::{ContactId, CreditId, Id, LotId, PassId, PlanId};
use crate::ledger::{Account, Entry, Mark, StoredEntry, Subject};
use crate::limits;
use crate::money::{Currency, Money};
use crate::operation::{By, Kind, Right};
use crate::pass::{CreditRow, flag};
use crate::refusal::Refusal;
use crate::store::{Load, PageQuery, StoreError};
use crate::wallet::order::OrderKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most entries of a wallet that a statement goes through.
/// See [`Passes::statement`].
pub const STATEMENT: usize = 100_000;

/// Which pocket of a wallet: the Business pocket, or the Commerce pocket of a pool, in one currency.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::{money::Currency, service::PocketKey};
/// shop.credited(1)?;
/// let business = PocketKey { pool: None, currency: Currency::GBP };
/// assert_eq!(passes.wallet(by, shop.ann).wait()?.pockets[0].key, business);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PocketKey {
    /// The commerce pool; none is the Business pocket.
    pub pool: Option<String>,
    /// The currency.
    pub currency: Currency,
}

/// A pocket, and what is in it.
/// See [`Passes::wallet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pocket {
    /// Which.
    pub key: PocketKey,
    /// What can be spent: of credits that have not expired.
    pub balance: Money,
    /// The part of it that was paid for.
    pub paid: Money,
    /// The part of it that was given.
    pub granted: Money,
    /// What is left of credits that have expired and is not booked to breakage yet; it is no part of the balance.
    pub expired: Money,
}

/// A credit: an amount in a pocket with an origin and a spend-by.
/// See [`Passes::expiring`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditView {
    /// Its id.
    pub id: CreditId,
    /// The pass it came from.
    pub pass: PassId,
    /// The plan of that pass, whose conditions say what it may be spent on.
    pub plan: PlanId,
    /// Paid for, or given.
    pub mark: Mark,
    /// The pocket it is in.
    pub pocket: PocketKey,
    /// What is left of it.
    pub left: Money,
    /// What it was at first.
    pub amount: Money,
    /// The moment, in UTC, from which it can't be spent any more; nothing is never.
    pub spend_by: Option<Instant>,
    /// Whether that moment has come.
    pub expired: bool,
    /// When it was credited.
    pub created: Instant,
}

/// A contact's wallet.
/// See [`Passes::wallet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Whose.
    pub contact: ContactId,
    /// A Business pocket for each currency of the wallet, and the Commerce pockets with something in them, by
    /// pool and currency.
    pub pockets: Vec<Pocket>,
    /// The credits with something left, expired ones too, in the order in which they are spent where a basket
    /// doesn't decide: the soonest to expire, granted before paid, the oldest.
    pub credits: Vec<CreditView>,
}

impl Wallet {
    /// What can be spent of one currency, of all pockets together.
    /// See [`Passes::wallet`].
    ///
    /// # Errors
    /// `OVERFLOW` beyond the range of money.
    pub fn balance(&self, currency: Currency) -> Result<Money, Refusal> {
        let pockets = self.pockets.iter().filter(|pocket| pocket.key.currency == currency);
        pockets.map(|pocket| pocket.balance).try_fold(Money::zero(currency), Money::plus)
    }
}

/// What booked a line of a statement.
/// See [`Passes::statement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The number of the entry in the ledger.
    pub entry: u64,
    /// The operation's reference.
    pub operation: Position,
    /// Which command it was.
    pub kind: Kind,
    /// Where: store, till, dealer.
    pub place: Option<Arc<str>>,
    /// When it counts, in UTC.
    pub at: Instant,
    /// When it was written, in UTC.
    pub booked: Instant,
    /// Paid for, or given.
    pub mark: Mark,
    /// The basket line it paid, from 0.
    pub line: Option<u32>,
    /// Where the amount came from, or went to.
    pub other: (Account, Subject),
}

impl Booking {
    fn of(stored: &StoredEntry, operation: &OperationView, other: (Account, Subject)) -> Self {
        Self {
            entry: stored.number,
            operation: operation.position,
            kind: operation.kind,
            place: operation.place.clone(),
            at: stored.at,
            booked: stored.booked,
            mark: stored.entry.mark,
            line: stored.entry.line,
            other,
        }
    }
}

/// A line of a wallet's statement.
/// See [`Passes::statement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletLine {
    /// What booked it.
    pub booking: Booking,
    /// The credit that it is about.
    pub credit: CreditId,
    /// The pass that the credit came from.
    pub pass: PassId,
    /// The pocket that the credit is in.
    pub pocket: PocketKey,
    /// How much: above zero into the wallet, below zero out of it.
    pub amount: Money,
    /// What was in the pocket after this line. A credit that has expired is in it until it is booked to
    /// breakage, which is a line of its own.
    pub balance: Money,
}

/// Where a wallet's statement goes on: after this line.
/// See [`Passes::statement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineCursor {
    /// The number of its entry.
    pub entry: u64,
    /// Its credit.
    pub credit: CreditId,
}

/// A line of a pass's statement.
/// See [`Passes::pass_statement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassLine {
    /// What booked it.
    pub booking: Booking,
    /// How much: above zero onto the pass, below zero off it.
    pub amount: Money,
    /// What was booked on the pass after this line.
    pub balance: Money,
}

/// Where a pass's statement goes on: before this line, towards the oldest.
/// See [`Passes::pass_statement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassLineCursor {
    /// The number of its entry.
    pub entry: u64,
    /// What was booked on the pass before it, in minor units.
    pub balance: i64,
}

impl Passes {
    /// The wallet of a contact: its pockets, and the credits in them. A contact that never had a credit has an
    /// empty one.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `CONTACT_NOT_REGISTERED`; `TOO_LARGE` above 10,000 credits with
    /// something left; `OVERFLOW`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::money::Currency;
    /// shop.credited(1)?;
    /// shop.credited(2)?;
    /// let wallet = passes.wallet(by, shop.ann).wait()?;
    /// assert_eq!(wallet.balance(Currency::GBP)?.to_string(), "50.00 GBP");
    /// assert_eq!((wallet.pockets.len(), wallet.credits.len()), (1, 2));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn wallet<'a>(&'a self, by: &'a By, contact: ContactId) -> Call<'a, Wallet> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let mut load = Load::new(by.business);
            load.docs.push(contact_key(contact));
            load.wallet = Some(contact);
            self.look(by, load, |view| wallet_of(view, contact)).await
        })
    }

    /// The credits of a contact that can be spent now, but no longer at `until`: the soonest to expire first.
    ///
    /// # Errors
    /// As [`Passes::wallet`].
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::{calendar::Instant, plan::{Classification, Form, SpendBy, Terms}};
    /// # use passes_core::service::{Deal, Redeem};
    /// # let value = passes_host::testing::Shop::gbp("25")?;
    /// # let mut terms = Terms::fixed(Classification::Gift, Form::Electronic, value);
    /// # terms.form = Form::Printed;
    /// # terms.spend_by = SpendBy::AfterRedemption("P30D".parse()?);
    /// # let lot = shop.printed(shop.active(terms)?, 1)?;
    /// # passes.sell(by, lot.pass(1), Deal::at(value)).wait()?;
    /// # let code = passes.reveal(by, lot.pass(1)).wait()?.1.unwrap();
    /// # passes.redeem(by, Redeem::into_wallet(code, shop.ann)).wait()?;
    /// shop.credited(1)?; // This one never expires; another one does, on 31 May.
    /// let soon = passes.expiring(by, shop.ann, Instant::parse("2026-06-30T00:00:00Z")?).wait()?;
    /// assert_eq!(soon[0].spend_by.unwrap().to_string(), "2026-05-31T23:00:00Z");
    /// assert_eq!(soon.len(), 1);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn expiring<'a>(
        &'a self,
        by: &'a By,
        contact: ContactId,
        until: Instant,
    ) -> Call<'a, Vec<CreditView>> {
        Call::new(async move {
            let mut credits = self.wallet(by, contact).await?.credits;
            credits.retain(|c| !c.expired && c.spend_by.is_some_and(|end| end <= until));
            Ok(credits)
        })
    }

    /// The statement of a contact's wallet: every movement, the oldest first, with the balance of its pocket
    /// after it; at most `limit` lines (up to 10,000) after a cursor.
    ///
    /// The running balance needs the whole history: each page goes through all entries of the wallet, at most
    /// [`STATEMENT`].
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `CONTACT_NOT_REGISTERED`; `TOO_LARGE` for a longer history;
    /// `OVERFLOW`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::operation::Kind;
    /// shop.credited(1)?;
    /// shop.credited(2)?;
    /// let first = passes.statement(by, shop.ann, None, 1).wait()?;
    /// assert_eq!(first.rows[0].booking.kind, Kind::Redeem);
    /// let rest = passes.statement(by, shop.ann, first.next, 10).wait()?;
    /// assert_eq!(rest.rows[0].balance.to_string(), "50.00 GBP");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn statement<'a>(
        &'a self,
        by: &'a By,
        contact: ContactId,
        after: Option<LineCursor>,
        limit: u32,
    ) -> Call<'a, Listed<WalletLine, LineCursor>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let mut load = Load::new(by.business);
            load.docs.push(contact_key(contact));
            self.look(by, load, |view| wallet(view, contact).map(drop)).await?;
            let credits = self.all_credits(by, contact).await?;
            let origins = self.origins(by, &credits).await?;
            let mut moves: Vec<(LineCursor, &CreditRow, StoredEntry)> = Vec::new();
            for credit in &credits {
                let subject = Subject::Credit(contact, credit.id);
                for stored in self.history(by, subject, credit.last, moves.len()).await? {
                    moves.push((LineCursor { entry: stored.number, credit: credit.id }, credit, stored));
                }
            }
            moves.sort_unstable_by_key(|(key, ..)| *key);
            let most = usize::try_from(limit.clamp(1, limits::PAGE)).unwrap_or(usize::MAX);
            let mut balances: BTreeMap<&PocketKey, Money> = BTreeMap::new();
            let mut page = Vec::new();
            let (mut last, mut next) = (None, None);
            for (key, credit, stored) in &moves {
                if page.len() >= most {
                    next = last;
                    break;
                }
                let origin = origins.get(&credit.pass.lot()).ok_or(StoreError::Conflict)?;
                let zero = Money::zero(origin.pocket.currency);
                let subject = (Account::Credit, Subject::Credit(contact, credit.id));
                let (amount, other) = seen_from(&stored.entry, |side| side == subject);
                let amount = Money::from_minor(amount, zero.currency())?;
                let balance = balances.entry(&origin.pocket).or_insert(zero);
                *balance = balance.plus(amount)?;
                if after.is_none_or(|after| *key > after) {
                    page.push((stored, *credit, &origin.pocket, amount, *balance, other));
                    last = Some(*key);
                }
            }
            let numbers: BTreeSet<u64> = page.iter().map(|(stored, ..)| stored.operation).collect();
            let operations = self.operations_of(by, numbers).await?;
            let rows = page.into_iter().filter_map(|(stored, credit, pocket, amount, balance, other)| {
                Some(WalletLine {
                    booking: Booking::of(stored, operations.get(&stored.operation)?, other),
                    credit: credit.id,
                    pass: credit.pass,
                    pocket: pocket.clone(),
                    amount,
                    balance,
                })
            });
            Ok(Listed { rows: rows.collect(), next })
        })
    }

    /// The statement of a pass: its entries in the ledger, the newest first, with what was booked on it after
    /// each; at most `limit` (up to 10,000), before a cursor. A pass has its first entry when it is sold, or
    /// else when it becomes active with a value.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right to view; `NOT_FOUND`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::operation::Kind;
    /// shop.credited(1)?;
    /// let lines = passes.pass_statement(by, shop.card(1), None, 10).wait()?.rows;
    /// let told: Vec<_> = lines.iter().map(|line| (line.booking.kind, line.amount.minor())).collect();
    /// assert_eq!(told, [(Kind::Redeem, -2_500), (Kind::Sell, 2_500)]);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn pass_statement<'a>(
        &'a self,
        by: &'a By,
        pass: PassId,
        before: Option<PassLineCursor>,
        limit: u32,
    ) -> Call<'a, Listed<PassLine, PassLineCursor>> {
        Call::new(async move {
            self.permit(by, Right::View)?;
            let mut load = Load::new(by.business);
            load.passes.push(pass);
            let (currency, newest) = self
                .look(by, load, |view| {
                    let missing = || Refusal::NotFound { what: PassId::WHAT, id: pass.to_string() };
                    let row = view.loaded.pass(pass).ok_or_else(missing)?;
                    let booked = row.flags & flag::BOOKED != 0;
                    let balance = if booked { row.balance.limit.saturating_sub(row.balance.used) } else { 0 };
                    let newest = PassLineCursor { entry: row.last.saturating_add(1), balance };
                    Ok((view.docs.chain_of(pass)?.terms.currency, newest))
                })
                .await?;
            let before = before.unwrap_or(newest);
            let limit = limit.clamp(1, limits::PAGE);
            let (business, subject) = (by.business, Subject::Pass(pass));
            let query = PageQuery::History { business, subject, before: Some(before.entry), limit };
            let entries = self.inner.store.page(&query).await?.entries;
            let operations = self.operations_of(by, entries.iter().map(|e| e.operation).collect()).await?;
            let mut balance = before.balance;
            let mut listed = Listed { rows: Vec::with_capacity(entries.len()), next: None };
            for stored in &entries {
                let operation = operations.get(&stored.operation).ok_or(StoreError::Conflict)?;
                let (amount, other) = seen_from(&stored.entry, |(_, side)| side.covers(subject));
                let amount = amount.checked_div(passes_in(&stored.entry)).unwrap_or(amount);
                let booking = Booking::of(stored, operation, other);
                let money = |minor| Money::from_minor(minor, currency);
                listed.rows.push(PassLine { booking, amount: money(amount)?, balance: money(balance)? });
                balance = balance.checked_sub(amount).ok_or(Refusal::Overflow)?;
                listed.next = Some(PassLineCursor { entry: stored.number, balance });
            }
            if u32::try_from(entries.len()).is_ok_and(|n| n < limit) {
                listed.next = None;
            }
            Ok(listed)
        })
    }

    /// All credits of a contact, spent ones too.
    async fn all_credits(&self, by: &By, contact: ContactId) -> Result<Vec<CreditRow>, Error> {
        let mut credits: Vec<CreditRow> = Vec::new();
        loop {
            let (business, limit) = (by.business, limits::PAGE);
            let after = credits.last().map(|credit| credit.id.to_bytes());
            let query = PageQuery::Credits { business, contact, after, limit };
            let page = self.inner.store.page(&query).await?.credits;
            let full = u32::try_from(page.len()).is_ok_and(|n| n >= limit);
            credits.extend(page);
            // Each credit has an entry.
            limits::list("entries", credits.len(), STATEMENT)?;
            if !full {
                return Ok(credits);
            }
        }
    }

    /// Plans and pockets of credits, by the lots that they came from.
    async fn origins(&self, by: &By, credits: &[CreditRow]) -> Result<BTreeMap<LotId, Origin>, Error> {
        // A pass is loaded with the documents that its lot hangs on.
        let passes: BTreeMap<LotId, PassId> = credits.iter().map(|c| (c.pass.lot(), c.pass)).collect();
        let passes: Vec<PassId> = passes.into_values().collect();
        let mut origins = BTreeMap::new();
        for part in passes.chunks(limits::LIST) {
            let mut load = Load::new(by.business);
            load.passes.extend(part);
            self.look(by, load, |view| {
                for pass in part {
                    origins.insert(pass.lot(), Origin::of(view, pass.lot())?);
                }
                Ok(())
            })
            .await?;
        }
        Ok(origins)
    }

    /// All entries of a subject up to a last one, of a statement that has so many others.
    async fn history(
        &self,
        by: &By,
        subject: Subject,
        last: u64,
        others: usize,
    ) -> Result<Vec<StoredEntry>, Error> {
        let mut entries: Vec<StoredEntry> = Vec::new();
        loop {
            let before = entries.last().map_or(last.saturating_add(1), |stored| stored.number);
            let (business, limit) = (by.business, limits::PAGE);
            let query = PageQuery::History { business, subject, before: Some(before), limit };
            let page = self.inner.store.page(&query).await?.entries;
            let full = u32::try_from(page.len()).is_ok_and(|n| n >= limit);
            entries.extend(page);
            limits::list("entries", entries.len().saturating_add(others), STATEMENT)?;
            if !full {
                return Ok(entries);
            }
        }
    }
}

/// Where a credit comes from, and into which pocket that put it.
struct Origin {
    plan: PlanId,
    pocket: PocketKey,
}

impl Origin {
    fn of(view: &View<'_>, lot: LotId) -> Result<Self, Error> {
        let chain = view.docs.chain(lot)?;
        let pocket = PocketKey { pool: chain.terms.pool.clone(), currency: chain.terms.currency };
        Ok(Self { plan: chain.plan.id, pocket })
    }
}

fn wallet_of(view: &View<'_>, id: ContactId) -> Result<Wallet, Error> {
    let (contact, _) = registered(view, id)?;
    let rows = &view.loaded.credits;
    limits::list("credits", rows.len(), limits::CREDITS)?;
    let mut pockets: BTreeMap<PocketKey, Pocket> = BTreeMap::new();
    for currency in contact.currencies {
        let key = PocketKey { pool: None, currency };
        pockets.insert(key.clone(), Pocket::empty(key));
    }
    let mut credits: Vec<(OrderKey, CreditView)> = Vec::with_capacity(rows.len());
    for row in rows {
        let Origin { plan, pocket: key } = Origin::of(view, row.pass.lot())?;
        let money = |minor| Money::from_minor(minor, key.currency);
        let credit = CreditView {
            id: row.id,
            pass: row.pass,
            plan,
            mark: row.mark,
            left: money(row.amount.left())?,
            amount: money(row.amount.limit)?,
            spend_by: row.spend_by,
            expired: row.spend_by.is_some_and(|end| view.env.now >= end),
            created: row.created,
            pocket: key.clone(),
        };
        pockets.entry(key.clone()).or_insert_with(|| Pocket::empty(key)).add(&credit)?;
        let order = OrderKey {
            spend_by: row.spend_by.map(Instant::micros),
            paid: row.mark == Mark::Paid,
            payable_lines: 0,
            created: row.created.micros(),
            id: row.id.to_bytes(),
        };
        credits.push((order, credit));
    }
    credits.sort_unstable_by_key(|(order, _)| *order);
    let credits = credits.into_iter().map(|(_, credit)| credit).collect();
    Ok(Wallet { contact: id, pockets: pockets.into_values().collect(), credits })
}

impl Pocket {
    fn empty(key: PocketKey) -> Self {
        let zero = Money::zero(key.currency);
        Self { key, balance: zero, paid: zero, granted: zero, expired: zero }
    }

    fn add(&mut self, credit: &CreditView) -> Result<(), Refusal> {
        if credit.expired {
            self.expired = self.expired.plus(credit.left)?;
            return Ok(());
        }
        self.balance = self.balance.plus(credit.left)?;
        let part = if credit.mark == Mark::Paid { &mut self.paid } else { &mut self.granted };
        *part = part.plus(credit.left)?;
        Ok(())
    }
}

/// An entry as one of its sides sees it: the amount with its sign, and the other side.
fn seen_from(entry: &Entry, is_it: impl Fn((Account, Subject)) -> bool) -> (i64, (Account, Subject)) {
    if is_it(entry.to) { (entry.amount, entry.from) } else { (entry.amount.saturating_neg(), entry.to) }
}

/// How many passes share the amount of an entry.
fn passes_in(entry: &Entry) -> i64 {
    match (entry.from.1, entry.to.1) {
        (Subject::Passes { count, .. }, _) | (_, Subject::Passes { count, .. }) => count.into(),
        _ => 1,
    }
}

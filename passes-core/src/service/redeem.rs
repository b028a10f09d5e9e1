//! Checking and redeeming passes.

mod list;
mod request;

pub use request::{Check, Credited, PaidLine, Redeem, Redeemed};

use super::code::Code;
use super::contacts::{add, contact_key, registered};
use super::docs::{Chain, Wallet, put};
use super::engine::{Begun, Decides, Draft, Env, Left, Order, View, first_half};
use super::{Call, Error, Keys, Passes, Receipt};
use crate::conditions::Basket;
use crate::contact::{Contact, Profile};
use crate::event::Event;
use crate::id::{CreditId, Ids};
use crate::ledger::{Account, Entry, Subject, Unit};
use crate::limits;
use crate::money::{Currency, Money};
use crate::operation::{By, Kind, Right};
use crate::pass::{CreditRow, PassRow, State, Tally};
use crate::plan::Usage;
use crate::redemption::{Case, Part, Taking, Target, judge};
use crate::refusal::{Refusal, by_precedence};
use crate::secret::wipe;
use crate::store::{Add, Change, Expect, Fingerprint, Put, Record, TallyKey};
use std::borrow::Borrow;
use std::sync::Arc;

impl Passes {
    /// What [`Passes::redeem`] would do, and every rule that fails with what would fix it. It writes nothing.
    ///
    /// # Errors
    /// `FORBIDDEN`; a failing store. What a redemption would be refused for is in the answer.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// use passes_core::service::Redeem;
    /// let code = shop.sold(1)?;
    /// let good = passes.check(by, &Redeem::direct(code.clone(), gbp("10")?)).wait()?;
    /// assert!(good.is_good() && good.would.unwrap().left == gbp("15")?);
    /// let bad = passes.check(by, &Redeem::direct(code, gbp("30")?)).wait()?;
    /// assert_eq!(bad.reasons[0].fix(), "pay 5.00 GBP by other means");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn check<'a>(&'a self, by: &'a By, request: &'a Redeem) -> Call<'a, Check> {
        Call::new(async move {
            self.permit(by, Right::Redeem)?;
            let code = self.code(by, &request.code).and_then(|code| Ok(code.or_told(by.key.is_some())?));
            let answer = match code {
                Ok(code) => {
                    let asked = Asked { request, code: &code };
                    let mut order = asked.order(Env::early(by), Left::All);
                    while order.ahead(&self.inner, &asked)? {}
                    self.rehearse(&order, |view| Judged::new(view, request, &code)?.preview(view)).await
                }
                Err(error) => Err(error),
            };
            let mut check = Check::of(answer)?;
            if let Err(forbidden) = may_take(by, request) {
                check.would = None;
                check.reasons.push(forbidden);
                check.reasons = by_precedence(check.reasons);
            }
            Ok(check)
        })
    }

    /// Redeems a pass: into a wallet, or directly at the till.
    ///
    /// # Errors
    /// In this order of precedence: `FORBIDDEN`, `IDEMPOTENCY_MISMATCH`, `REVERSED_BEFORE_IT_CAME`, `MALFORMED`,
    /// `TYPING_ERROR`, `UNKNOWN_CODE`, the states (`PASS_DRAFT`, `PASS_SUSPENDED`, `PASS_REDEEMED`,
    /// `PASS_CANCELLED`), `NOT_STARTED`, `OUTSIDE_HOURS`, `PASS_EXPIRED`, `USES_SPENT`, `VALUE_NOT_SET`,
    /// `CONTACT_REQUIRED`, `CONTACT_NOT_REGISTERED`, `NOT_THIS_CONTACT`, `WALLET_CURRENCY`,
    /// `NO_ELIGIBLE_PRODUCTS`, `WRONG_PLACE`, `BELOW_MINIMUM`, `BALANCE_TOO_SMALL`. All that apply are told.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// use passes_core::service::Redeem;
    /// let (code, till) = (shop.sold(1)?, by.clone().place("Oxford Street").key("receipt-2"));
    /// let paid = passes.redeem(&till, Redeem::direct(code.clone(), gbp("4.80")?)).wait()?;
    /// assert_eq!(paid.left, gbp("20.20")?);
    /// // The answer was lost: the same request under the same key moves nothing.
    /// let again = passes.redeem(&till, Redeem::direct(code, gbp("4.80")?)).wait()?;
    /// assert!(again.replayed && again.done == paid.done);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn redeem<'a>(&'a self, by: &'a By, request: Redeem) -> Call<'a, Receipt<Redeemed>> {
        Call::begin(move || self.started(by, &request))
    }

    /// Redeems many passes in one call. Each is atomic by itself and has its own answer, in order (R-11). Each
    /// brings its own idempotency key, if it has one.
    ///
    /// # Errors
    /// `TOO_LARGE` above 10,000 redemptions. Whatever concerns one of them is in its own answer.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # use passes_core::service::Redeem;
    /// let good = (by.clone().key("1"), Redeem::into_wallet(shop.sold(1)?, shop.ann));
    /// let unknown = (by.clone().key("2"), Redeem::into_wallet("2222-2222-2222", shop.ann));
    /// let answers = passes.redeem_all(vec![good, unknown]).wait()?;
    /// assert!(answers[0].is_ok());
    /// assert_eq!(answers[1].as_ref().unwrap_err().code(), "UNKNOWN_CODE");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn redeem_all<'a>(
        &'a self,
        requests: Vec<(By, Redeem)>,
    ) -> Call<'a, Vec<Result<Receipt<Redeemed>, Error>>> {
        Call::new(async move {
            limits::list("redemptions", requests.len(), limits::BATCH)?;
            let mut told = Vec::with_capacity(requests.len());
            // One call of the system for all of them: they are told apart by where they stand in its stream.
            let mut seeds = blake3::Hasher::new_keyed(&self.seed()?).finalize_xof();
            for requests in requests.chunks(AT_ONCE) {
                let first = told.is_empty();
                told.extend(self.some(requests, &mut seeds, first).await?);
            }
            self.flush_some().await;
            Ok(told)
        })
    }

    /// A redemption that the store was given.
    fn started(&self, by: &By, request: &Redeem) -> Begun<'_, Redeemed> {
        match self.presented(by, request) {
            Ok(code) => {
                let asked = Asked { request, code: &code };
                let mut order = asked.order(Env::early(by), Left::All);
                match self.lend(&mut order, &asked) {
                    Some(begun) => begun,
                    None => self.give(order, asked.to_owned()),
                }
            }
            Err(error) => {
                std::hint::cold_path();
                Begun::Over(Err(error))
            }
        }
    }

    /// What a redemption presents, of somebody who may do that.
    #[inline]
    fn presented(&self, by: &By, request: &Redeem) -> Result<Code, Error> {
        self.permit(by, Right::Redeem)?;
        self.early(by, may_take(by, request))?;
        self.early(by, self.code(by, &request.code)?.or_told(by.key.is_some()))
    }
}

/// Judges the amount that a request names, before anything is looked up. Where less will do, or a whole use is
/// taken, the amount is judged when it is known.
fn may_take(by: &By, request: &Redeem) -> Result<(), Refusal> {
    let named = request.amount.or_else(|| request.basket.as_ref().map(Basket::total));
    match named {
        Some(amount) if request.target == Target::Direct && !request.partly => {
            by.may_move(Right::Redeem, amount)
        }
        _ => Ok(()),
    }
}

/// How many redemptions of a list a store is given at once: all that it may do in one transaction, and few enough
/// to stay in the processor's cache until they are answered.
const AT_ONCE: usize = 512;

/// A redemption that is asked for: its own where the store has to keep it, else the caller's.
struct Asked<R, C> {
    request: R,
    code: C,
}

impl<R: Borrow<Redeem>, C: Borrow<Code>> Asked<R, C> {
    #[inline]
    fn order<'a>(&self, env: Env<'a>, left: Left) -> Order<'a> {
        let target = self.request.borrow().target;
        let kind = if target == Target::Direct { Kind::SpendPass } else { Kind::Redeem };
        let mut order = Order::new(env, kind, left);
        order.load.code = self.code.borrow().digest();
        if let Target::Contact(contact) = target {
            order.load.docs.push(contact_key(contact));
        }
        order
    }
}

impl Asked<&Redeem, &Code> {
    /// The same, for a store that keeps it.
    fn to_owned(&self) -> Asked<Redeem, Code> {
        Asked { request: self.request.clone(), code: self.code.clone() }
    }
}

impl<R, C> Decides<Redeemed> for Asked<R, C>
where
    R: Borrow<Redeem> + Send + Sync,
    C: Borrow<Code> + Send + Sync,
{
    fn decide(&self, view: &View<'_>) -> Result<Draft<Redeemed>, Error> {
        Judged::new(view, self.request.borrow(), self.code.borrow())?.draft(view)
    }

    fn fingerprint(&self, keys: &Keys, order: &Order<'_>) -> Result<Option<Fingerprint>, Error> {
        let (request, code) = (self.request.borrow(), self.code.borrow());
        let target = match request.target {
            Target::Contact(contact) => (1_u8, Some(contact)),
            Target::NewContact => (2, None),
            Target::Direct => (3, None),
        };
        // What presents no code was never done under any key.
        let Some(hash) = code.hash() else { return Ok(None) };
        // Half the hash tells codes apart, and leaves what is hashed in one block.
        let mut half = first_half(hash.reveal());
        let facts = (&half, target, request.amount, &request.basket, request.partly);
        let fingerprint = order.fingerprint_of(keys, &facts);
        wipe(&mut half);
        fingerprint
    }
}

/// A redemption that every rule lets pass.
struct Judged<'a> {
    request: &'a Redeem,
    pass: &'a PassRow,
    chain: Arc<Chain>,
    wallet: Option<Arc<Wallet>>,
    taking: Taking,
}

impl<'a> Judged<'a> {
    fn new(view: &View<'a>, request: &'a Redeem, code: &Code) -> Result<Self, Error> {
        let pass = code.pass(view)?;
        let chain = view.docs.chain_of(pass.id)?;
        view.about(chain.plan.id);
        let wallet = match request.target {
            Target::Contact(id) => view.docs.wallet(id)?,
            _ => None,
        };
        let case = Case {
            now: view.env.now,
            settings: &view.business.settings,
            terms: &chain.terms,
            pass,
            suspended: chain.suspended(),
            target: request.target,
            wallet: wallet.as_ref().map(|wallet| wallet.currencies.as_slice()),
            place: view.env.place(),
            basket: request.basket.as_ref(),
            amount: request.amount,
            partly: request.partly,
        };
        let (mut refusals, taking) = judge(&case);
        // A whole use can be told whatever else is wrong; what is spent directly only if nothing is.
        if let Ok(taking) = &taking
            && (request.target != Target::Direct || refusals.is_empty())
        {
            let amount = Money::of(taking.amount, chain.terms.currency);
            refusals.extend(view.env.by.may_move(Right::Redeem, amount).err());
        }
        if !refusals.is_empty() {
            std::hint::cold_path();
            return Err(refusals.into());
        }
        let taking = taking?;
        Ok(Self { request, pass, chain, wallet, taking })
    }

    fn money(&self, minor: i64) -> Money {
        Money::of(minor, self.chain.terms.currency)
    }

    /// What would be done, as far as it can be told before.
    fn preview(&self, view: &View<'_>) -> Result<Redeemed, Error> {
        let (pass, taking) = (self.pass, &self.taking);
        let direct = self.request.target == Target::Direct;
        let spend_by = match direct {
            true => None,
            false => self.chain.terms.spend_by.resolve(view.env.now, view.business.settings.zone)?,
        };
        let credit = |part: &Part| Credited {
            credit: crate::id::Id::from_bytes([0; 16]),
            amount: self.money(part.amount),
            mark: part.mark,
            spend_by,
        };
        let line =
            |part: &Part| PaidLine { line: part.line, mark: part.mark, amount: self.money(part.amount) };
        Ok(Redeemed {
            pass: pass.id,
            contact: self.wallet.as_ref().map(|wallet| wallet.contact),
            amount: self.money(taking.amount),
            short: self.money(taking.short),
            credits: if direct { Vec::new() } else { taking.parts.iter().map(credit).collect() },
            paid: if direct { taking.parts.iter().map(line).collect() } else { Vec::new() },
            uses: taking.uses,
            left: self.money(pass.balance.left().saturating_sub(taking.amount)),
            uses_left: pass.uses.left().saturating_sub(taking.uses),
        })
    }

    /// The change that does it.
    fn draft(&self, view: &View<'_>) -> Result<Draft<Redeemed>, Error> {
        let mut ids = Ids::new(&view.env.seed, view.env.now);
        let (mut draft, mut done) = (Draft::new(view, ()), self.preview(view)?);
        let (pass, change) = (self.pass, &mut draft.change);
        // The settings are the third.
        change.seen.reserve_exact(3);
        change.entries.reserve_exact(self.taking.parts.len());
        let direct = self.request.target == Target::Direct;
        take_from(pass, &self.taking, self.chain.terms.usage, direct, &mut change.tally);
        self.chain.rest(change);
        let unit = Unit::Money(self.chain.terms.currency);
        let from = (Account::Outstanding, Subject::Pass(pass.id));
        let contact = match (self.request.target, &self.wallet) {
            (Target::Direct, _) => None,
            (_, Some(wallet)) => {
                open_wallet(view, change, wallet, self.chain.terms.currency)?;
                Some(wallet.contact)
            }
            (_, None) => {
                let id = ids.draw();
                let currencies = vec![self.chain.terms.currency];
                add(view, change, &Contact { id, named: false, profile: Profile::default(), currencies })?;
                Some(id)
            }
        };
        for (n, part) in self.taking.parts.iter().enumerate() {
            let to = match contact {
                None => (Account::Settled, Subject::None),
                Some(contact) => {
                    let id: CreditId = ids.draw();
                    let credited = done.credits.get_mut(n);
                    let spend_by = credited.and_then(|credited| {
                        credited.credit = id;
                        credited.spend_by
                    });
                    let row = CreditRow {
                        contact,
                        id,
                        version: 1,
                        pass: pass.id,
                        mark: part.mark,
                        spend_by,
                        created: view.env.now,
                        amount: Tally::new(part.amount),
                        last: 0,
                    };
                    change.put.push(Put { record: Record::Credit(Box::new(row)), expect: Expect::Absent });
                    (Account::Credit, Subject::Credit(contact, id))
                }
            };
            let Part { amount, mark, line } = *part;
            change.entries.push(Entry { from, to, unit, amount, mark, line });
        }
        done.contact = contact;
        let amount = done.amount;
        draft.events.push(match contact {
            None => Event::PassSpent { pass: pass.id, amount, left: 0 },
            Some(contact) => {
                let credits = done.credits.iter().map(|c| c.credit).collect();
                Event::PassRedeemed { pass: pass.id, contact, amount, credits, left: 0 }
            }
        });
        Ok(draft.of(done))
    }
}

/// The contact must stay as it was read; a first credit in a currency is noted with it.
pub(crate) fn open_wallet(
    view: &View<'_>,
    change: &mut Change,
    wallet: &Wallet,
    currency: Currency,
) -> Result<(), Error> {
    let key = contact_key(wallet.contact);
    if wallet.currencies.contains(&currency) {
        change.expect.push((key, Expect::Version(wallet.version)));
    } else {
        let (mut contact, version) = registered(view, wallet.contact)?;
        contact.currencies.push(currency);
        change.put.push(put(key, None, &contact, Expect::Version(version))?);
    }
    Ok(())
}

/// Adds what a taking adds to the tallies of a pass: uses, balance, and its granted part.
fn take_from(pass: &PassRow, taking: &Taking, usage: Usage, direct: bool, tally: &mut Vec<Add>) {
    // The rest and the number of uses were told from what was used before, unless a single use is spent in parts.
    let from = (!direct || usage != Usage::Single).then_some(pass.balance.used);
    // What a reversal gives back meanwhile changes how many uses this takes, and of which mark. Spends in parts
    // don't: the use is open, and once the granted part is gone it stays as it is.
    let same = |used: i64, key: TallyKey, n: i64| Add { from: Some(used), ..Add::used(key, n) };
    tally.reserve_exact(3);
    // What else was read of the pass must stand, too: whether it is suspended, until when it can be redeemed.
    let uses = same(pass.uses.used, TallyKey::Uses(pass.id), taking.uses);
    tally.push(Add { version: Some(pass.version), ..uses });
    tally.push(Add { from, ..Add::used(TallyKey::Balance(pass.id), taking.amount) });
    if pass.granted.limit > 0 {
        tally.push(same(pass.granted.used, TallyKey::Granted(pass.id), taking.granted));
    }
}

/// The state of a pass that was loaded with its chain.
pub(crate) fn state_of(pass: &PassRow, chain: &Chain) -> State {
    State::of(pass, chain.suspended().is_some())
}

//! Issuing one electronic pass to a recipient (T-1, L-2, L-8).

use super::bulk::delivery_key;
use super::contacts::{Owner, add, contact_key, medium_keys, wallet};
use super::docs::put;
use super::engine::{Draft, View, again};
use super::lifecycle::{Effect, Move, wanted};
use super::making::{self, Making, lot_key, seal_seed};
use super::sale::{Deal, Sale};
use super::{Call, Done, Error, Passes, Receipt, stored};
use crate::contact::{Contact, Profile};
use crate::event::{Event, Span};
use crate::id::{ContactId, Ids, LotId, PassId, PlanId, SaleId};
use crate::ledger::{Account, Entry, Subject, Unit};
use crate::limits;
use crate::lot::{Delivery, Lot};
use crate::money::Money;
use crate::operation::{By, Kind, Right};
use crate::pass::{PassRow, Tally};
use crate::passcode::{FoldedFormat, LotSeed};
use crate::plan::{Form, Plan};
use crate::refusal::Refusal;
use crate::store::{Claim, DocKey, DocKind, Expect, Put, Record, StoreError};
use serde::{Deserialize, Serialize};

/// How many tries of a code are prepared: each misses with the odds of a random guess.
const CODES: u32 = 4;

/// Who gets an electronic pass.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::contact::{Medium, Profile};
/// use passes_core::service::Recipient;
/// let known = Recipient::Contact(shop.ann);
/// let anybody = Recipient::Profile(Profile::of(Medium::Email("bob@example.org".into())));
/// assert_ne!(known, anybody);
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Recipient {
    /// A contact.
    Contact(ContactId),
    /// The contact whom one of these media leads to, else a new one with this profile.
    Profile(Profile),
}

/// A request to issue an electronic pass.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// # let gbp = passes_host::testing::Shop::gbp;
/// use passes_core::service::{Deal, Issue, Recipient};
/// let request = Issue::new(shop.plan, Recipient::Contact(shop.ann), "email")
///     .from("Bob", "Happy birthday!")
///     .sold(Deal::at(gbp("25")?));
/// assert_eq!(request.sender.as_deref(), Some("Bob"));
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// The plan.
    pub plan: PlanId,
    /// To whom.
    pub to: Recipient,
    /// Through which channel, such as `sms` or `email`; at most 64 characters.
    pub channel: String,
    /// From whom, for people; at most 64 characters.
    pub sender: Option<String>,
    /// What the sender says; at most 500 characters.
    pub message: Option<String>,
    /// The value, where the plan leaves it open and it is not sold.
    pub value: Option<Money>,
    /// Its sale, if it is sold: its money is booked at once.
    pub deal: Option<Deal>,
    /// Whether a format is accepted that is easier to guess than the business allows.
    pub accept_weak: bool,
}

impl Issue {
    /// To this recipient through this channel.
    /// See [`Issue`].
    #[must_use]
    pub fn new(plan: PlanId, to: Recipient, channel: &str) -> Self {
        let channel = channel.to_owned();
        Self { plan, to, channel, sender: None, message: None, value: None, deal: None, accept_weak: false }
    }

    /// Sold on these terms.
    /// See [`Issue`].
    #[must_use]
    pub fn sold(mut self, deal: Deal) -> Self {
        self.deal = Some(deal);
        self
    }

    /// With this value.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::plan::{Classification, Form, Terms, Worth};
    /// use passes_core::service::{Issue, Recipient};
    /// # let terms = Terms::fixed(Classification::Gift, Form::Electronic, gbp("10")?);
    /// # let open = Worth::Range { least: gbp("10")?, most: gbp("100")? };
    /// # let plan = shop.active(Terms { value: open, ..terms })?;
    /// let request = Issue::new(plan, Recipient::Contact(shop.ann), "email").worth(gbp("40")?);
    /// assert_eq!(passes.issue(by, request).wait()?.value, gbp("40")?);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn worth(mut self, value: Money) -> Self {
        self.value = Some(value);
        self
    }

    /// With the name of the sender, and what they say.
    /// See [`Issue`].
    #[must_use]
    pub fn from(mut self, sender: &str, message: &str) -> Self {
        (self.sender, self.message) = (Some(sender.to_owned()), Some(message.to_owned()));
        self
    }
}

/// What issuing answers. The code is not in it: it is revealed to an actor with the right.
/// See [`Passes::issue`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The pass, still a draft.
    pub pass: PassId,
    /// Its recipient.
    pub to: ContactId,
    /// Its value.
    pub value: Money,
    /// Its sale.
    pub sale: Option<SaleId>,
}

impl Done for Issued {}

/// The seed of the lot of one that a command with this seed makes.
fn lot_seed(seed: &[u8; 32]) -> LotSeed {
    LotSeed::from_bytes(blake3::derive_key("passes 2026 seed of an issued pass", seed))
}

impl Passes {
    /// Issues an electronic pass: an event asks for its delivery, and it becomes active by that.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a plan that is not active or is printed; `UNKNOWN_CURRENCY`;
    /// `VALUE_NOT_SET`, `VALUE_OUT_OF_RANGE`; `CONTACT_NOT_REGISTERED`; `FORMAT_TOO_SHORT`; `PLAN_CAP`; `TAKEN`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// # let gbp = passes_host::testing::Shop::gbp;
    /// # use passes_core::plan::{Classification, Form, Terms};
    /// use passes_core::service::{Deal, Issue, Recipient};
    /// # let plan = shop.active(Terms::fixed(Classification::Gift, Form::Electronic, gbp("25")?))?;
    /// let request = Issue::new(plan, Recipient::Contact(shop.ann), "email").sold(Deal::at(gbp("25")?));
    /// let issued = passes.issue(&by.clone().key("cart-12"), request).wait()?;
    /// assert_eq!((issued.to, issued.value), (shop.ann, gbp("25")?));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn issue<'a>(&'a self, by: &'a By, request: Issue) -> Call<'a, Receipt<Issued>> {
        Call::new(async move {
            self.permit(by, Right::Issue)?;
            if let Some(deal) = &request.deal {
                self.permit(by, Right::Sell)?;
                self.early(by, by.may_move(Right::Sell, deal.price))?;
            }
            let request = self.early(by, check(request))?;
            // A conflict: somebody brought in a new format, or edited the plan, after they were looked at.
            again(|| self.issue_once(by, &request)).await
        })
    }

    async fn issue_once(&self, by: &By, request: &Issue) -> Result<Receipt<Issued>, Error> {
        let mut order = self.order(by, Right::Issue, Kind::Issue, request)?;
        let (plan, formats) = self.early(by, self.plan_of(by, request.plan).await)?;
        making::name(&mut order.load, self.slots(), request.plan, &formats);
        order.load.docs.extend(request.deal.as_ref().and_then(|deal| deal.buyer).map(contact_key));
        match &request.to {
            Recipient::Contact(contact) => order.load.docs.push(contact_key(*contact)),
            Recipient::Profile(profile) => {
                order.load.docs.extend(medium_keys(&self.inner, by.business, profile)?);
            }
        }
        let (maker, key) = (plan.spec.code.maker()?, self.inner.keys.digest()?);
        let seed = lot_seed(&order.env.seed);
        order.load.taken = (0..CODES)
            .map(|try_no| maker.hash(&seed.code(&maker, 1, try_no), by.business.as_bytes()).digest(key))
            .collect();
        let request = request.clone();
        self.run(order, move |view| issue(view, &request, &formats, &maker)).await
    }

    /// The plan, and the formats in use.
    async fn plan_of(&self, by: &By, plan: PlanId) -> Result<(Plan, Vec<FoldedFormat>), Error> {
        let mut load = crate::store::Load::new(by.business);
        load.docs.push(DocKey::new(DocKind::Plan, plan));
        let known =
            |view: &View<'_>| Ok((super::plans::existing(view, plan)?.0, view.business.formats.clone()));
        self.look(by, load, known).await
    }
}

/// The request in normal form.
fn check(mut request: Issue) -> Result<Issue, Error> {
    limits::text("channel", &request.channel, 1, limits::NAME)?;
    request.sender.as_deref().map_or(Ok(()), |t| limits::text("sender", t, 1, limits::NAME))?;
    request.message.as_deref().map_or(Ok(()), |t| limits::text("message", t, 0, limits::TEXT))?;
    if let Recipient::Profile(profile) = request.to {
        request.to = Recipient::Profile(profile.normal()?);
    }
    if let Some(deal) = &request.deal {
        deal.validate()?;
    }
    Ok(request)
}

fn issue(
    view: &View<'_>,
    request: &Issue,
    formats: &[FoldedFormat],
    maker: &crate::passcode::Maker,
) -> Result<Draft<Issued>, Error> {
    let mut ids = Ids::new(&view.env.seed, view.env.now);
    let (lot, sale): (LotId, SaleId) = (ids.draw_lot(), ids.draw());
    let pass = lot.pass(1);
    let (plan, _) = super::plans::existing(view, request.plan)?;
    let terms = &plan.spec.terms;
    let wanted_value = request.value.or(request.deal.as_ref().and_then(|deal| deal.value));
    let value = wanted_value.or(terms.fixed_value()).ok_or(Refusal::ValueNotSet)?;
    terms.check_value(value)?;
    if let Some(deal) = &request.deal {
        deal.price.same_currency(value)?;
        deal.buyer.map_or(Ok(()), |buyer| wallet(view, buyer).map(drop))?;
    }
    let total = terms.usage.total(value)?;
    if wanted_value.is_some() {
        // Named by the caller, and not by the plan.
        view.env.by.may_move(Right::Issue, total)?;
    }
    let mut draft =
        Draft::new(view, Issued { pass, to: crate::id::Id::from_bytes([0; 16]), value, sale: None });
    let change = &mut draft.change;
    let making = Making {
        plan: request.plan,
        form: Form::Electronic,
        count: 1,
        value: Some(total),
        accept_weak: request.accept_weak,
        formats,
    };
    let (plan, terms_id) = making.begin(view, &mut ids, change)?;
    let terms = &plan.spec.terms;
    if maker.format() != &plan.spec.code {
        // The plan was edited since its format was looked up.
        return Err(StoreError::Conflict.into());
    }
    let (to, is_new) = recipient(view, &mut ids, request, change)?;
    draft.done.to = to;
    if is_new {
        draft.events.push(Event::ContactChanged { contact: to });
    }
    let seed = lot_seed(&view.env.seed);
    let free = (0_u32..).zip(&view.loaded.taken).find(|(_, taken)| !**taken);
    let (code_try, _) = free.ok_or(StoreError::Conflict)?;
    let body = seed.code(maker, 1, code_try);
    let digest = maker.hash(&body, view.env.by.business.as_bytes()).digest(view.inner.keys.digest()?);
    let sealed = seal_seed(view, &mut ids, lot, &seed)?;
    let stored_lot = Lot { complete: true, ..Lot::new(lot, &plan, terms_id, 1, sealed, view.env.now) };
    change.put.push(put(
        lot_key(lot),
        Some(DocKey::new(DocKind::Terms, terms_id)),
        &stored_lot,
        Expect::Absent,
    )?);
    let row = PassRow {
        redeem_by: terms.redeem_by.resolve(view.env.now, None, view.business.settings.zone)?,
        value: Some(value.minor()),
        uses: Tally::new(terms.usage.uses().into()),
        balance: Tally::new(total.minor()),
        holder: Some(draft.done.to),
        sale: request.deal.as_ref().map(|_| sale),
        code_try,
        ..PassRow::draft(pass)
    };
    let mut effect = Effect::on(&row);
    if let Some(deal) = &request.deal {
        effect.book(deal.price.minor());
        let stored_sale = Sale {
            id: sale,
            deal: deal.clone(),
            at: view.env.now,
            seller: view.env.by.actor.id().clone(),
            place: view.env.by.place.clone(),
        };
        let parent = deal.buyer.map(|buyer| DocKey::new(DocKind::Contact, buyer));
        change.put.push(put(DocKey::new(DocKind::Sale, sale), parent, &stored_sale, Expect::Absent)?);
        draft.done.sale = Some(sale);
        draft.events.push(Event::PassesSold { passes: Span::one(pass), sale, price: deal.price });
    }
    for m in &effect.moves {
        if let Move::Onto(account, mark, amount) = *m {
            let (from, to) = ((account, Subject::None), (Account::Outstanding, Subject::Pass(pass)));
            change.entries.push(Entry {
                from,
                to,
                unit: Unit::Money(terms.currency),
                amount,
                mark,
                line: None,
            });
        }
    }
    change.put.push(Put { record: Record::Pass(Box::new(effect.row)), expect: Expect::Absent });
    change.claim.push(Claim { digest, pass });
    let delivery = Delivery {
        pass,
        to: draft.done.to,
        channel: request.channel.clone(),
        sender: request.sender.clone(),
        message: request.message.clone(),
        sent: 1,
        outcomes: Vec::new(),
    };
    let parent = DocKey::new(DocKind::Contact, delivery.to);
    change.put.push(put(delivery_key(pass), Some(parent), &delivery, Expect::Absent)?);
    draft.events.push(wanted(&delivery));
    Ok(draft)
}

/// The recipient, and whether they are registered by this.
fn recipient(
    view: &View<'_>,
    ids: &mut Ids,
    request: &Issue,
    change: &mut crate::store::Change,
) -> Result<(ContactId, bool), Error> {
    match &request.to {
        Recipient::Contact(contact) => Ok((wallet(view, *contact)?.contact, false)),
        Recipient::Profile(profile) => {
            for key in medium_keys(view.inner, view.env.by.business, profile)? {
                let Some(doc) = view.loaded.doc(&key) else { continue };
                if let Some(contact) = stored::read::<Owner>(&doc.body)?.contact {
                    change.expect.push((key, Expect::Version(doc.version)));
                    return Ok((contact, false));
                }
            }
            let id = ids.draw();
            add(
                view,
                change,
                &Contact { id, named: true, profile: profile.clone(), currencies: Vec::new() },
            )?;
            Ok((id, true))
        }
    }
}

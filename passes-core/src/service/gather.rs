//! What a command does to many passes, gathered into one change: rows, entries for stretches of passes that are
//! alike, one event.

use super::Error;
use super::bulk::{Ahead, CODES, Changed, delivery_key, successor_seed};
use super::docs::{Chain, put};
use super::engine::{Draft, View};
use super::lifecycle::{Around, Command, Effect, Move, apply, wanted};
use super::making::{add_value, codes_in, lot_key, seal_seed};
use super::sale::Sale;
use super::shared::Shared;
use crate::event::{Event, Span, Whole};
use crate::id::{Id, Ids, PassId, PlanId, SaleId};
use crate::ledger::{Account, Entry, Mark, Subject, Unit};
use crate::lot::{Delivery, Lot};
use crate::money::Money;
use crate::operation::Right;
use crate::pass::{PassRow, Standing, State, flag};
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::store::{Add, Claim, Doc, DocKey, DocKind, Expect, Put, Record, StoreError, TallyKey};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Applies a command to each pass; `strict` refuses where otherwise a pass is skipped.
pub(crate) fn change_all(
    view: &View<'_>,
    command: &Command,
    ahead: &Ahead,
    strict: bool,
) -> Result<Draft<Changed>, Error> {
    let mut ids = Ids::new(&view.env.seed, view.env.now);
    let new_sale: SaleId = ahead.sale.unwrap_or_else(|| ids.draw());
    let mut work = Gathered {
        draft: Draft::new(view, Changed::default()),
        moved: Vec::new(),
        values: BTreeMap::new(),
        codes: BTreeMap::new(),
    };
    if let Some(contact) = command.contact() {
        super::contacts::wallet(view, contact)?;
    }
    // Who names a pass means it, and one that isn't there has no state by which it could be counted. A run passes over lots
    // that are still in the making.
    if ahead.run.is_none()
        && let Some(missing) = ahead.passes.iter().find(|id| view.loaded.pass(**id).is_none())
    {
        return Err(Refusal::NotFound { what: PassId::WHAT, id: missing.to_string() }.into());
    }
    let mut changed: Vec<PassId> = Vec::new();
    let mut activated: Vec<PassId> = Vec::new();
    for pass in &view.loaded.passes {
        let chain = view.docs.chain_of(pass.id)?;
        view.about(chain.plan.id);
        let delivery: Option<(Arc<Delivery>, u32)> = view.docs.get(delivery_key(pass.id))?;
        let sale: Option<(Arc<Sale>, u32)> = match pass.sale {
            Some(sale) => view.docs.get(DocKey::new(DocKind::Sale, sale))?,
            None => None,
        };
        let around = Around {
            now: view.env.now,
            settings: &view.business.settings,
            delivery: delivery.as_ref().map(|(d, _)| &**d),
            sale: sale.as_ref().map(|(s, _)| &**s),
            new_sale,
        };
        let effect = match apply(command, pass, &chain, &around) {
            Ok(effect) => effect,
            Err(Error::Refused(_)) if !strict => {
                *work.draft.done.skipped.entry(super::redeem::state_of(pass, &chain)).or_default() += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        if effect.activated {
            activated.push(pass.id);
        }
        if *command == Command::Resend {
            chain.rest(&mut work.draft.change);
        }
        if *command == Command::Cancel(super::lifecycle::Rest::Reissue) {
            // The new pass is suspended, or not, as the old one is with its lot.
            chain.hold(&mut work.draft.change);
            let delivery = delivery.as_ref().map(|(delivery, _)| &**delivery);
            work.replace(view, &mut ids, pass, &chain, delivery, ahead)?;
        }
        work.take(pass, &chain, effect, view.loaded.doc(&delivery_key(pass.id)), command)?;
        changed.push(pass.id);
    }
    work.finish(view, command, new_sale, &changed, &activated)
}

/// Whether something is left that can be used.
fn can_be_redeemed(pass: &PassRow) -> bool {
    pass.standing == Standing::Active && pass.value.is_some() && pass.balance.left() > 0
}

/// The movements of one pass.
struct Moved {
    pass: PassId,
    /// Its last entry before them.
    last: u64,
    unit: Unit,
    moves: Vec<Move>,
}

/// What the passes of one command add up to.
struct Gathered {
    draft: Draft<Changed>,
    moved: Vec<Moved>,
    values: BTreeMap<PlanId, (Plan, i64)>,
    codes: BTreeMap<Shared, i64>,
}

impl Gathered {
    fn take(
        &mut self,
        pass: &PassRow,
        chain: &Chain,
        effect: Effect,
        delivery: Option<&Doc>,
        command: &Command,
    ) -> Result<(), Error> {
        let change = &mut self.draft.change;
        let unit = Unit::Money(chain.terms.currency);
        if !effect.moves.is_empty() {
            self.moved.push(Moved { pass: pass.id, last: pass.last, unit, moves: effect.moves });
        }
        if effect.value != 0 {
            let of_plan = self.values.entry(chain.plan.id).or_insert_with(|| ((*chain.plan).clone(), 0));
            of_plan.1 = of_plan.1.checked_add(effect.value).ok_or(Refusal::Overflow)?;
        }
        if effect.forget {
            let lot = Lot { seed: None, ..(*chain.lot).clone() };
            let parent = DocKey::new(DocKind::Terms, lot.terms);
            change.put.push(put(lot_key(lot.id), Some(parent), &lot, Expect::Version(chain.lot_version))?);
        }
        if let (Some(next), Some(was)) = (&effect.delivery, delivery) {
            change.put.push(put(was.key, was.parent, next, Expect::Version(was.version))?);
        }
        if effect.unused {
            change.tally.push(Add { from: Some(0), ..Add::used(TallyKey::Balance(pass.id), 0) });
        } else if can_be_redeemed(pass)
            && effect.row.balance == pass.balance
            && !command.action().allowed_in().contains(&State::Redeemed)
        {
            // A last use at the same moment leaves nothing that this could be done to.
            let limit = Some(pass.balance.limit - 1);
            change.tally.push(Add { limit, ..Add::used(TallyKey::Balance(pass.id), 0) });
        }
        self.draft.events.extend(effect.events);
        let record = Record::Pass(Box::new(effect.row));
        change.put.push(Put { record, expect: Expect::Version(pass.version) });
        Ok(())
    }

    /// Makes the pass that takes the place of a cancelled one, with its value, uses and expiry.
    fn replace(
        &mut self,
        view: &View<'_>,
        ids: &mut Ids,
        old: &PassRow,
        chain: &Chain,
        delivery: Option<&Delivery>,
        ahead: &Ahead,
    ) -> Result<(), Error> {
        let seed = successor_seed(&view.env.seed, old.id);
        let maker = chain.lot.format.maker()?;
        let first = ahead.seeds.get(&old.id).copied().ok_or(StoreError::Conflict)?;
        let free = (0..CODES).zip(view.loaded.taken.iter().skip(first)).find(|(_, taken)| !**taken);
        let (code_try, _) = free.ok_or(StoreError::Conflict)?;
        let lot = ids.draw_lot();
        let new = Lot {
            id: lot,
            count: 1,
            seed: Some(seal_seed(view, ids, lot, &seed)?),
            issued: view.env.now,
            run: ahead.run,
            complete: true,
            exports: 0,
            closed: false,
            suspended: false,
            cancelled: false,
            replaces: Some(old.id),
            ..(*chain.lot).clone()
        };
        let id = lot.pass(1);
        let body = seed.code(&maker, 1, code_try);
        let digest = maker.hash(&body, view.env.by.business.as_bytes()).digest(view.inner.keys.digest()?);
        let change = &mut self.draft.change;
        change.put.push(put(
            lot_key(lot),
            Some(DocKey::new(DocKind::Terms, new.terms)),
            &new,
            Expect::Absent,
        )?);
        // What was suspended with its lot stays so by itself: the new lot is another.
        let flags = if chain.lot.suspended { old.flags | flag::SUSPENDED } else { old.flags };
        let row = PassRow { id, version: 1, flags, code_try, last: 0, ..old.clone() };
        change.put.push(Put { record: Record::Pass(Box::new(row)), expect: Expect::Absent });
        change.claim.push(Claim { digest, pass: id });
        *self.codes.entry(codes_in(maker.folded())).or_default() += 1;
        if let Some(delivery) = delivery {
            // Its code is another one: it is sent to whom the old one was sent.
            let delivery = Delivery { pass: id, sent: 1, outcomes: Vec::new(), ..delivery.clone() };
            let parent = Some(DocKey::new(DocKind::Contact, delivery.to));
            change.put.push(put(delivery_key(id), parent, &delivery, Expect::Absent)?);
            self.draft.events.push(wanted(&delivery));
        }
        if old.flags & flag::BOOKED != 0 {
            let granted = old.granted.left();
            let unit = Unit::Money(chain.terms.currency);
            for (mark, amount) in [(Mark::Granted, granted), (Mark::Paid, old.balance.left() - granted)] {
                if amount > 0 {
                    let from = (Account::Outstanding, Subject::Pass(old.id));
                    let to = (Account::Outstanding, Subject::Pass(id));
                    change.entries.push(Entry { from, to, unit, amount, mark, line: None });
                }
            }
        }
        self.draft.done.replaced.push((old.id, id));
        self.draft.events.push(Event::PassReplaced { old: old.id, new: id });
        Ok(())
    }

    fn finish(
        mut self,
        view: &View<'_>,
        command: &Command,
        new_sale: SaleId,
        changed: &[PassId],
        activated: &[PassId],
    ) -> Result<Draft<Changed>, Error> {
        let change = &mut self.draft.change;
        for (old, new) in &self.draft.done.replaced {
            for put in &mut change.put {
                if let Record::Pass(row) = &mut put.record
                    && row.id == *old
                {
                    row.successor = Some(*new);
                }
            }
        }
        change.entries.extend(entries(&self.moved)?);
        for (plan, value) in self.values.values() {
            add_value(view, change, plan, Money::of(*value, plan.spec.terms.currency))?;
        }
        for (format, count) in &self.codes {
            view.count(change, *format, *count, None);
        }
        self.draft.done.changed = u32::try_from(changed.len()).unwrap_or(u32::MAX);
        let events = &mut self.draft.events;
        if let Some(passes) = span(changed) {
            match command {
                Command::Sell(deal) => {
                    let key = DocKey::new(DocKind::Sale, new_sale);
                    let sale = Sale {
                        id: new_sale,
                        deal: (**deal).clone(),
                        at: view.env.now,
                        seller: view.env.by.actor.id().clone(),
                        place: view.env.by.place.clone(),
                    };
                    let parent = deal.buyer.map(|buyer| DocKey::new(DocKind::Contact, buyer));
                    if view.loaded.doc(&key).is_none() {
                        change.put.push(put(key, parent, &sale, Expect::Absent)?);
                    }
                    self.draft.done.sale = Some(new_sale);
                    let price = deal.price.times(passes.count)?;
                    view.env.by.may_move(Right::Sell, price)?;
                    events.push(Event::PassesSold { passes, sale: new_sale, price });
                }
                Command::VoidSale => {
                    let sale = view.loaded.passes.iter().find_map(|pass| pass.sale).unwrap_or(new_sale);
                    events.push(Event::SaleVoided { passes, sale });
                }
                Command::Suspend => events.push(Event::Suspended { what: Whole::Passes(passes) }),
                Command::Reactivate => events.push(Event::Reactivated { what: Whole::Passes(passes) }),
                Command::Cancel(_) => events.push(Event::PassesCancelled { passes }),
                Command::Activate | Command::Deliver(_) | Command::Resend => {}
                _ => events.push(Event::PassesChanged { passes }),
            }
        }
        if let Some(passes) = span(activated) {
            events.push(Event::PassesActivated { passes });
        }
        Ok(self.draft)
    }
}

fn span(passes: &[PassId]) -> Option<Span> {
    let count = u32::try_from(passes.len()).ok()?;
    Some(Span { first: *passes.first()?, last: *passes.last()?, count })
}

/// The entries of many passes: one for each movement of each stretch of consecutive serial numbers with the
/// same movements and the same entry before them (W-1).
fn entries(moved: &[Moved]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let alike = |a: &Moved, b: &Moved| {
        a.pass.lot() == b.pass.lot()
            && a.pass.serial().checked_add(1) == Some(b.pass.serial())
            && (a.last, a.unit, &a.moves) == (b.last, b.unit, &b.moves)
    };
    for stretch in moved.chunk_by(alike) {
        let Some(first) = stretch.first() else { continue };
        let count = u32::try_from(stretch.len()).map_err(|_| Refusal::Overflow)?;
        let subject =
            if count == 1 { Subject::Pass(first.pass) } else { Subject::Passes { first: first.pass, count } };
        for m in &first.moves {
            let (pass, none) = ((Account::Outstanding, subject), Subject::None);
            let (from, to, mark, each) = match *m {
                Move::Onto(account, mark, each) => ((account, none), pass, mark, each),
                Move::Off(account, mark, each) => (pass, (account, none), mark, each),
            };
            let amount = each.checked_mul(count.into()).ok_or(Refusal::Overflow)?;
            entries.push(Entry { from, to, unit: first.unit, amount, mark, line: None });
        }
    }
    Ok(entries)
}

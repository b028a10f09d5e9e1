//! Passes, credits, tallies and codes.

use super::super::making::{passes_of, value_of};
use super::super::shared::Shared;
use super::lots::{LotFacts, mark};
use super::sums::{Lane, Of};
use super::{Audit, follow, names};
use crate::id::{ContactId, LotId, PassId};
use crate::ledger::{Mark, Unit};
use crate::money::Currency;
use crate::pass::{CreditRow, PassRow, Standing, Tally, flag};
use crate::passcode::Digest;
use crate::plan::Usage;
use std::collections::BTreeSet;

/// The lot whose passes are being read.
pub(super) struct OfLot {
    lot: LotId,
    /// Into the list of lots.
    at: Option<usize>,
    facts: Option<Facts>,
    balance: i128,
    passes: u32,
    cancelled: u32,
    /// The first serial number that has not been met.
    next: u64,
}

/// What the passes of a lot have in common.
#[derive(Clone, Copy)]
struct Facts {
    made: u32,
    /// Into the list of terms.
    terms: usize,
    currency: Currency,
    usage: Usage,
}

/// The contact whose credits are being read.
pub(super) struct OfWallet {
    contact: ContactId,
    currencies: BTreeSet<u16>,
}

impl Audit {
    pub(super) fn pass(&mut self, row: &PassRow) {
        self.verified.passes += 1;
        let order = follow(&mut self.last.pass, row.id);
        if order.is_ge() {
            self.order(order, format!("pass {}", row.id));
        }
        if self.lot.as_ref().is_none_or(|of| of.lot != row.id.lot()) {
            self.end_lot();
            self.begin_lot(row.id.lot());
        }
        let booked = row.flags & flag::BOOKED != 0;
        let left = |tally: Tally| if booked { i128::from(tally.limit) - i128::from(tally.used) } else { 0 };
        let (balance, granted) = (left(row.balance), left(row.granted));
        let Some(of) = &mut self.lot else { return };
        of.balance += balance;
        of.passes = of.passes.saturating_add(1);
        of.cancelled = of.cancelled.saturating_add(u32::from(row.standing == Standing::Cancelled));
        let (serial, next) = (u64::from(row.id.serial()), of.next);
        of.next = next.max(serial.saturating_add(1));
        let facts = of.facts;
        let unit = facts.map(|facts| Unit::Money(facts.currency));
        if let Some(facts) = facts {
            let missing = serial.min(u64::from(facts.made).saturating_add(1)).saturating_sub(next);
            self.missing(row.id.lot(), next, missing);
            self.judge_pass(row, facts);
        }
        let at = self.sums.at(Of::Pass(row.id));
        // Whether they are in the lot's currency is judged entry by entry.
        self.sums.stored(&at, Lane::Main, 0, balance);
        self.sums.stored(&at, Lane::Granted, 0, granted);
        self.sums.row(&at, row.last);
        if granted > balance {
            self.verified.drift(names::BOUND, row.id, granted, balance, unit);
        }
        for tally in [row.uses, row.balance, row.granted] {
            self.bound(row.id, tally);
        }
        let known = row.holder.is_none_or(|holder| self.is_contact(holder))
            && row.sale.is_none_or(|sale| self.sales.binary_search(&sale).is_ok())
            && row.successor.is_none_or(|successor| self.lots.has(successor));
        if !known {
            self.no_parent(format!("pass {}", row.id));
        }
        if let Some(successor) = row.successor {
            self.sums.one(Of::Replaced(row.id, successor), true);
        }
    }

    /// What a pass's value, uses and limits have to do with each other and with its terms.
    fn judge_pass(&mut self, row: &PassRow, facts: Facts) {
        let total = total(row, facts.usage);
        let unit = Some(Unit::Money(facts.currency));
        self.verified.tell(names::PASS_USES, row.id, row.uses.used.into(), uses(row, facts.usage), None);
        let limit = facts.usage.uses();
        self.verified.tell(names::PASS_LIMIT, row.id, row.uses.limit.into(), limit.into(), None);
        // Of a cancelled one nothing is left but what is held.
        let gone = i128::from(row.balance.used) + i128::from(row.balance.held);
        let gives = if row.standing == Standing::Cancelled { gone } else { total };
        self.verified.tell(names::PASS_VALUE, row.id, row.balance.limit.into(), gives, unit);
        if row.successor.is_none()
            && let Some(terms) = self.terms.get_mut(facts.terms)
        {
            terms.passes += 1;
            terms.value += total;
        }
    }

    fn begin_lot(&mut self, lot: LotId) {
        let at = self.lots.find(lot);
        let facts = at.and_then(|at| {
            let row = self.lots.at_mut(at)?;
            row.marks |= mark::PASSES;
            let (made, terms) = (row.made, usize::try_from(row.terms).ok()?);
            let found = self.terms.get(terms)?;
            Some(Facts { made, terms, currency: found.currency, usage: found.usage })
        });
        if at.is_none() {
            self.no_parent(format!("passes of lot {lot}"));
        }
        self.lot = Some(OfLot { lot, at, facts, balance: 0, passes: 0, cancelled: 0, next: 1 });
    }

    /// Judges the lot whose passes were read.
    pub(super) fn end_lot(&mut self) {
        let Some(of) = self.lot.take() else { return };
        let at = self.sums.at(Of::Lot(of.lot));
        self.sums.stored(&at, Lane::Main, 0, of.balance);
        let Some(facts) = of.at.and_then(|at| self.lots.at(at)).copied() else { return };
        let missing = u64::from(facts.made).saturating_add(1).saturating_sub(of.next);
        self.missing(of.lot, of.next, missing);
        self.verified.tell(names::LOT_PASSES, of.lot, of.passes.into(), facts.made.into(), None);
        if facts.is(mark::CANCELLED) {
            let (cancelled, passes) = (of.cancelled.into(), of.passes.into());
            self.verified.tell(names::LOT_CANCELLED, of.lot, cancelled, passes, None);
        }
    }

    /// Passes in a row that a lot should have.
    fn missing(&mut self, lot: LotId, first: u64, count: u64) {
        if let Some(first) = u32::try_from(first).ok().filter(|_| count > 0) {
            self.verified.drift(names::PASS_MISSING, lot.pass(first), 0, count.into(), None);
        }
    }

    /// Judges the lots, their codes and deliveries, once all were read.
    pub(super) fn judge_lots(&mut self) {
        let lots: Vec<LotFacts> = self.lots.iter().filter(|lot| is_odd(lot)).copied().collect();
        for lot in lots {
            if lot.is(mark::GROWING) && !lot.is(mark::RUN) {
                self.no_parent(format!("lot {}", lot.id));
            } else if !lot.is(mark::PASSES) && lot.made > 0 {
                self.missing(lot.id, 1, lot.made.into());
                self.verified.tell(names::LOT_PASSES, lot.id, 0, lot.made.into(), None);
            }
            if lot.is(mark::ELECTRONIC) && !lot.is(mark::DELIVERED) {
                self.verified.drift(names::LOT_DELIVERY, lot.id, 0, 1, None);
            }
        }
        self.lots.judge(&mut self.verified);
    }

    pub(super) fn credit(&mut self, row: &CreditRow) {
        self.verified.credits += 1;
        let order = follow(&mut self.last.credit, (row.contact, row.id));
        if order.is_ge() {
            self.order(order, format!("credit {}", row.id));
        }
        self.bound(row.id, row.amount);
        let unit = self.unit_of(row.pass.lot()).map_or(0, Unit::number);
        if self.wallet.as_ref().is_none_or(|of| of.contact != row.contact) {
            self.end_wallet();
            self.wallet = Some(OfWallet { contact: row.contact, currencies: BTreeSet::new() });
        }
        if let Some(of) = &mut self.wallet {
            of.currencies.insert(unit);
        }
        if !self.is_contact(row.contact) || !self.lots.has(row.pass) {
            self.no_parent(format!("credit {}", row.id));
        }
        let left = i128::from(row.amount.limit) - i128::from(row.amount.used);
        let at = self.sums.at(Of::Credit(row.contact, row.id));
        let lane = if row.mark == Mark::Paid { Lane::Main } else { Lane::Granted };
        self.sums.stored(&at, lane, unit, left);
        self.sums.row(&at, row.last);
    }

    /// What the amounts of a lot's passes count.
    pub(super) fn unit_of(&self, lot: LotId) -> Option<Unit> {
        let terms = usize::try_from(self.lots.get(lot)?.terms).ok()?;
        Some(Unit::Money(self.terms.get(terms)?.currency))
    }

    /// Ends the contact whose credits were read: in which currencies they are.
    pub(super) fn end_wallet(&mut self) {
        let Some(of) = self.wallet.take() else { return };
        for unit in of.currencies {
            self.sums.one(Of::Currency(of.contact, unit), false);
        }
    }

    pub(super) fn tally(&mut self, id: [u8; 16], slot: u16, tally: Tally) {
        self.verified.tallies += 1;
        let order = follow(&mut self.last.tally, (id, slot));
        let subject = || format!("{:032x}", u128::from_be_bytes(id));
        if order.is_ge() {
            self.order(order, format!("tally {}", subject()));
        }
        self.bound(subject(), tally);
        match self.tallies.get_mut(&id) {
            Some(sum) => *sum += i128::from(tally.used),
            None => self.verified.drift(names::TALLY, subject(), tally.used.into(), 0, None),
        }
    }

    /// Compares what is counted with what is there.
    pub(super) fn judge_tallies(&mut self) {
        for terms in &self.terms {
            if let Some(made) = self.plans.get_mut(&terms.plan) {
                made.passes += terms.passes;
                made.value += terms.value;
            }
        }
        let counted = |key: Shared| self.tallies.get(&key.0).copied().unwrap_or_default();
        for (plan, made) in &self.plans {
            let passes = counted(passes_of(*plan));
            self.verified.tell(names::PLAN_PASSES, plan, passes, made.passes, None);
            let value = counted(value_of(*plan));
            self.verified.tell(names::PLAN_VALUE, plan, value, made.value, None);
        }
        for format in &self.formats {
            let name = || serde_json::to_string(&format.format).unwrap_or_default();
            let counted = self.tallies.get(&format.tally).copied().unwrap_or_default();
            if counted != format.codes {
                self.verified.drift(names::FORMAT_CODES, name(), counted, format.codes, None);
            }
            if !format.listed {
                self.verified.drift(names::FORMAT, name(), 0, 1, None);
            }
        }
    }

    fn bound(&mut self, subject: impl ToString, tally: Tally) {
        if !tally.holds() {
            let used = i128::from(tally.used) + i128::from(tally.held);
            self.verified.drift(names::BOUND, subject, used, tally.limit.into(), None);
        }
    }

    pub(super) fn code(&mut self, digest: Digest, pass: PassId) {
        self.verified.codes += 1;
        let order = follow(&mut self.last.code, digest);
        if order.is_ge() {
            self.order(order, format!("code of pass {pass}"));
        }
        match self.lots.code(pass) {
            Some(false) => {}
            Some(true) => self.verified.drift(names::PASS_CODES, pass, 2, 1, None),
            None => self.verified.drift(names::PASS_CODES, pass, 1, 0, None),
        }
    }
}

/// Whether there may be something wrong with a lot as such.
fn is_odd(lot: &LotFacts) -> bool {
    (lot.is(mark::GROWING) && !lot.is(mark::RUN))
        || (!lot.is(mark::PASSES) && lot.made > 0)
        || (lot.is(mark::ELECTRONIC) && !lot.is(mark::DELIVERED))
}

/// How many uses the balance of a pass comes to: a single one, or one of several that credit the full value
/// each, is used as soon as it is opened. Where uses share the value, the balance doesn't tell.
fn uses(row: &PassRow, usage: Usage) -> i128 {
    let used = i128::from(row.balance.used);
    match (usage, row.value.map(i128::from)) {
        _ if row.balance.held != 0 || row.uses.held != 0 => row.uses.used.into(),
        (Usage::Shared(_), _) => row.uses.used.into(),
        (_, Some(value)) if value > 0 => used.div_euclid(value) + i128::from(used.rem_euclid(value) != 0),
        _ => 0,
    }
}

/// All that a pass was made to give.
fn total(row: &PassRow, usage: Usage) -> i128 {
    let value = row.value.map_or(0, i128::from);
    match usage {
        Usage::Full(n) => value * i128::from(n),
        Usage::Single | Usage::Shared(_) => value,
    }
}

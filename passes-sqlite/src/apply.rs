//! Writing a change, one statement a row.

use crate::codec::{SubjectBytes, pack, signed};
use crate::connection::Db;
use crate::errors::Fault;
use crate::plan::{CreditPlan, PassPlan, Plan, RangePlan};
use passes_core::calendar::Instant;
use passes_core::pass::{CreditRow, PassRow};
use passes_core::store::{After, Change, Claim, Doc, DocKey, Expect, Loaded, Operation, Record};
use rusqlite::{Params, ToSql, params};

const INSERT_DOC: &str = "INSERT INTO doc VALUES(?1,?2,?3,1,?4,?5,?6)";
const UPDATE_DOC: &str = "UPDATE doc SET version=version+1,body=?6 \
     WHERE business=?1 AND kind=?2 AND id=?3 AND parent_kind IS ?4 AND parent_id IS ?5 AND version=?7";
pub(crate) const INSERT_PASS: &str = "INSERT INTO pass VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23)";
const UPDATE_PASS: &str = "UPDATE pass SET version=?3,standing=?4,flags=?5,activated=?6,redeem_by=?7,value=?8,\
     uses_used=?9,uses_held=?10,uses_lim=?11,balance_used=?12,balance_held=?13,balance_lim=?14,\
     granted_used=?15,granted_held=?16,granted_lim=?17,holder=?18,successor=?19,sale=?20,code_try=?21,fields=?22,last=?23 \
     WHERE lot=?1 AND serial=?2";
/// The one statement by which a redemption changes its pass.
const COUNT_PASS: &str = "UPDATE pass SET uses_used=?3,uses_held=?4,balance_used=?5,balance_held=?6,\
     granted_used=?7,granted_held=?8,last=?9 WHERE lot=?1 AND serial=?2";
const COUNT_RANGE: &str = "UPDATE pass SET last=?4 WHERE lot=?1 AND serial BETWEEN ?2 AND ?3";
const INSERT_CREDIT: &str = "INSERT INTO credit VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)";
const UPDATE_CREDIT: &str = "UPDATE credit SET version=?4,lot=?5,serial=?6,mark=?7,spend_by=?8,created=?9,\
     used=?10,held=?11,lim=?12,last=?13 WHERE business=?1 AND contact=?2 AND id=?3";
const COUNT_CREDIT: &str =
    "UPDATE credit SET used=?4,held=?5,last=?6 WHERE business=?1 AND contact=?2 AND id=?3";
const PUT_TALLY: &str = "INSERT INTO tally VALUES(?1,?2,?3,?4,?5,?6) \
     ON CONFLICT DO UPDATE SET used=excluded.used,held=excluded.held,lim=excluded.lim";
const INSERT_CODE: &str = "INSERT INTO code VALUES(?1,?2,?3,?4)";
const INSERT_OPERATION: &str =
    "INSERT INTO operation VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)";
const INSERT_KEY: &str = "INSERT INTO opkey VALUES(?1,?2,?3,?4)";
const INSERT_ENTRY: &str = "INSERT INTO entry VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)";
const LAST_NUMBERS: &str =
    "SELECT ifnull((SELECT max(number) FROM operation),0),ifnull((SELECT max(number) FROM entry),0)";

/// The last numbers given in the transaction that is open. They are read once in it.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) operation: u64,
    pub(crate) entry: u64,
}

impl Db {
    fn last_numbers(&self, numbers: &mut Option<Numbers>) -> Result<Numbers, Fault> {
        if let Some(known) = numbers {
            return Ok(*known);
        }
        let mut select = self.statement(LAST_NUMBERS)?;
        let (operation, entry) =
            select.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let number = |n: i64| u64::try_from(n).map_err(|_| Fault::corrupt("a number"));
        Ok(*numbers.insert(Numbers { operation: number(operation)?, entry: number(entry)? }))
    }

    /// Judges a change and writes it, in the transaction that is open.
    ///
    /// # Errors
    /// `Ok(Err(…))` when a guard failed and nothing was written; `Err` when the transaction must go back.
    pub(crate) fn apply(
        &self,
        change: &Change,
        loaded: Option<&Loaded>,
        numbers: &mut Option<Numbers>,
    ) -> Result<Result<After, Fault>, Fault> {
        let business = self.business_or_new(change.business)?;
        let last = match &change.operation {
            Some(_) => self.last_numbers(numbers)?,
            None => Numbers { operation: 0, entry: 0 },
        };
        let plan = match self.plan(business, change, loaded, last.entry) {
            Ok(plan) => plan,
            Err(fault) if fault.is_unreadable() || matches!(fault, Fault::Store(_)) => return Ok(Err(fault)),
            Err(fault) => return Err(fault),
        };
        self.write(business, change, &plan)?;
        if let Some(operation) = &change.operation {
            let next = Numbers { operation: last.operation + 1, entry: last.entry + 1 };
            self.write_operation(business, operation, change, &plan, next)?;
            let entries = u64::try_from(change.entries.len()).unwrap_or(u64::MAX);
            *numbers = Some(Numbers { operation: next.operation, entry: last.entry.saturating_add(entries) });
            return Ok(Ok(After { operation: next.operation, tallies: plan.after }));
        }
        Ok(Ok(After { operation: 0, tallies: plan.after }))
    }

    /// Executes a statement and tells how many rows it changed.
    fn exec(&self, text: &str, params: impl Params) -> Result<usize, Fault> {
        Ok(self.statement(text)?.execute(params)?)
    }

    fn write(&self, business: i64, change: &Change, plan: &Plan<'_>) -> Result<(), Fault> {
        for put in &change.put {
            if let Record::Doc(doc) = &put.record {
                self.put_doc(business, doc, put.expect)?;
            }
        }
        // Before the passes: one that is touched otherwise, too, is written whole.
        for RangePlan { first, to, last } in &plan.ranges {
            let touched = plan.passes.iter().filter(|pass| (first..=to).contains(&&pass.id)).count();
            let count = u64::from(to.serial().saturating_sub(first.serial())).saturating_add(1);
            if u64::try_from(touched).is_ok_and(|touched| touched < count) {
                let lot = self.lot_or_new(business, first.lot())?;
                self.exec(COUNT_RANGE, params![lot, first.serial(), to.serial(), signed(*last)])?;
            }
        }
        for pass in plan.passes.iter().filter(|pass| pass.touched) {
            self.write_pass(business, pass)?;
        }
        for credit in plan.credits.iter().filter(|credit| credit.touched) {
            self.write_credit(business, credit)?;
        }
        for (id, slot, tally) in &plan.named {
            self.exec(PUT_TALLY, params![business, id, slot, tally.used, tally.held, tally.limit])?;
        }
        for Claim { digest, pass } in &change.claim {
            let lot = self.lot_or_new(business, pass.lot())?;
            self.exec(INSERT_CODE, params![business, digest.as_bytes(), lot, pass.serial()])?;
        }
        Ok(())
    }

    fn put_doc(&self, business: i64, doc: &Doc, expect: Expect) -> Result<(), Fault> {
        let DocKey { kind, id } = doc.key;
        let (kind, parent_kind, parent_id) =
            (kind as u8, doc.parent.map(|parent| parent.kind as u8), doc.parent.map(|parent| parent.id));
        let version = match expect {
            Expect::Absent => {
                let params = params![business, kind, id, parent_kind, parent_id, &*doc.body];
                return self.exec(INSERT_DOC, params).map(drop);
            }
            Expect::Version(version) => version,
        };
        let params = params![business, kind, id, parent_kind, parent_id, &*doc.body, version];
        if self.exec(UPDATE_DOC, params)? == 1 {
            return Ok(());
        }
        match self.doc_head(business, doc.key)? {
            Some((found, parent)) if found == version && parent != doc.parent => {
                Err(Fault::broken("the parent of a document never changes"))
            }
            _ => Err(Fault::conflict()),
        }
    }

    fn write_pass(&self, business: i64, pass: &PassPlan<'_>) -> Result<(), Fault> {
        let (u, b, g) = (pass.uses, pass.balance, pass.granted);
        let (lot, serial) = (self.lot_or_new(business, pass.id.lot())?, pass.id.serial());
        let Some((row, version)) = pass.put else {
            self.exec(
                COUNT_PASS,
                params![lot, serial, u.used, u.held, b.used, b.held, g.used, g.held, signed(pass.last)],
            )?;
            return Ok(());
        };
        let row = &PassRow { version, uses: u, balance: b, granted: g, last: pass.last, ..row.clone() };
        let text = if pass.stored { UPDATE_PASS } else { INSERT_PASS };
        pass_values(lot, row, |values| self.exec(text, values))?;
        Ok(())
    }

    fn write_credit(&self, business: i64, credit: &CreditPlan<'_>) -> Result<(), Fault> {
        let (contact, id) = credit.key;
        let (key, a, last) = ((contact.as_bytes(), id.as_bytes()), credit.amount, signed(credit.last));
        let Some((row, version)) = credit.put else {
            self.exec(COUNT_CREDIT, params![business, key.0, key.1, a.used, a.held, last])?;
            return Ok(());
        };
        let text = if credit.stored { UPDATE_CREDIT } else { INSERT_CREDIT };
        let CreditRow { pass, mark, spend_by, created, .. } = row;
        let lot = self.lot_or_new(business, pass.lot())?;
        let (serial, mark, spend_by) = (pass.serial(), *mark as u8, spend_by.map(Instant::micros));
        let created = created.micros();
        self.exec(
            text,
            params![
                business, key.0, key.1, version, lot, serial, mark, spend_by, created, a.used, a.held,
                a.limit, last
            ],
        )?;
        Ok(())
    }

    fn write_operation(
        &self,
        business: i64,
        operation: &Operation,
        change: &Change,
        plan: &Plan<'_>,
        next: Numbers,
    ) -> Result<(), Fault> {
        let number = signed(next.operation);
        self.exec(
            INSERT_OPERATION,
            params![
                number,
                business,
                operation.id.as_bytes(),
                operation.kind.number(),
                operation.at.micros(),
                operation.booked.micros(),
                &*operation.actor,
                operation.place.as_deref(),
                operation.channel.as_deref(),
                operation.reason.as_deref(),
                signed(next.entry),
                u32::try_from(change.entries.len()).map_err(|_| Fault::broken("too many entries"))?,
                operation.key.as_ref().map(|(_, fingerprint)| fingerprint),
                pack(&plan.after)?,
                operation.receipt,
                operation.events
            ],
        )?;
        let borne = operation.key.as_ref().map(|(key, _)| (key, false));
        for (key, stops) in borne.into_iter().chain(operation.stops.as_ref().map(|key| (key, true))) {
            self.exec(INSERT_KEY, params![business, key, number, stops])?;
        }
        for (at, (entry, before)) in (next.entry..).zip(change.entries.iter().zip(&plan.before)) {
            self.exec(
                INSERT_ENTRY,
                params![
                    signed(at),
                    number,
                    entry.from.0.number(),
                    SubjectBytes::of(&entry.from.1),
                    entry.to.0.number(),
                    SubjectBytes::of(&entry.to.1),
                    entry.unit.number(),
                    entry.amount,
                    entry.mark as u8,
                    entry.line,
                    signed(before.0),
                    signed(before.1)
                ],
            )?;
        }
        Ok(())
    }
}

/// Hands the values of a pass's row to `write`, in the order of the table's columns.
pub(crate) fn pass_values<T>(lot: i64, row: &PassRow, write: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
    let (u, b, g) = (&row.uses, &row.balance, &row.granted);
    write(params![
        lot,
        row.id.serial(),
        row.version,
        row.standing as u8,
        row.flags,
        row.activated.map(Instant::micros),
        row.redeem_by.map(Instant::micros),
        row.value,
        u.used,
        u.held,
        u.limit,
        b.used,
        b.held,
        b.limit,
        g.used,
        g.held,
        g.limit,
        row.holder.as_ref().map(|id| id.as_bytes()),
        row.successor.as_ref().map(|id| id.as_bytes()),
        row.sale.as_ref().map(|id| id.as_bytes()),
        row.code_try,
        row.fields.as_deref(),
        signed(row.last)
    ])
}

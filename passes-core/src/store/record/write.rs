//! Writing a change: judged and put piece by piece, and taken back whole when a piece fails.

use super::judge;
use super::key;
use super::view::{OperationRow, View};
use crate::id::BusinessId;
use crate::ledger::{StoredEntry, Subject};
use crate::pass::{CreditRow, PassRow, Tally};
use crate::store::memory::judge::{repeats, twice};
use crate::store::{After, Change, Claim, StoreError, StoredOperation, TallyKey};

/// Judges a change and puts it into the view, with the codes of a chunk.
///
/// # Errors
/// [`StoreError::Conflict`] when a guard fails, [`StoreError::Taken`] for codes, [`StoreError::Backend`] for a change
/// that is none; the view is then as it was.
pub(super) fn apply(view: &mut View<'_>, change: &Change, codes: &[Claim]) -> Result<After, StoreError> {
    view.fetch(judge::looked_at(change, codes))?;
    let mark = view.mark();
    let after = change_in(view, change, codes);
    if after.is_err() {
        view.take_back(mark);
    }
    after
}

fn change_in(view: &mut View<'_>, change: &Change, codes: &[Claim]) -> Result<After, StoreError> {
    let b = change.business;
    judge::expectations(view, change)?;
    for put in &change.put {
        judge::put(view, change, put)?;
    }
    judge::claim(view, change, &[])?;
    judge::entries(view, change)?;
    let tallies = count(view, change)?;
    // The guards come first: a chunk that landed before is a conflict, not a chunk whose codes are taken.
    judge::claim(view, &Change::new(b), codes)?;
    let Some(operation) = &change.operation else { return Ok(After { operation: 0, tallies }) };
    view.head.operation += 1;
    let number = view.head.operation;
    let first_entry = view.head.entry + 1;
    for entry in &change.entries {
        view.head.entry += 1;
        let stored = StoredEntry {
            number: view.head.entry,
            operation: number,
            at: operation.at,
            booked: operation.booked,
            before_from: last_entry(view, b, entry.from.1)?,
            before_to: last_entry(view, b, entry.to.1)?,
            entry: entry.clone(),
        };
        view.put(key::entry(b, stored.number), &stored)?;
        chain(view, b, entry.from.1, stored.number)?;
        chain(view, b, entry.to.1, stored.number)?;
    }
    let hash = operation.key.map(|(hash, _)| (hash, false));
    for (hash, stops) in hash.into_iter().chain(operation.stops.map(|hash| (hash, true))) {
        view.put(key::bound(b, &hash), &(number, stops))?;
    }
    let entries = view.head.entry + 1 - first_entry;
    let stored = StoredOperation { number, operation: operation.clone(), after: tallies.clone() };
    view.put(key::operation(b, number), &OperationRow { stored, first_entry, entries })?;
    Ok(After { operation: number, tallies })
}

/// Additions come after the puts of the same change.
fn count(view: &mut View<'_>, change: &Change) -> Result<Vec<Tally>, StoreError> {
    let b = change.business;
    if repeats(change.tally.iter().map(|add| add.key).collect()) {
        return Err(twice("a tally"));
    }
    let mut all = Vec::with_capacity(change.tally.len());
    for add in &change.tally {
        let stored = view.tally(b, &add.key)?.map(|(tally, _)| tally);
        let is_named = matches!(add.key, TallyKey::Named(..));
        let now = if is_named { stored.unwrap_or_default() } else { stored.ok_or(StoreError::Conflict)? };
        let after = add.to(now).ok_or(StoreError::Conflict)?;
        // A row keeps its own limit, whatever the addition is judged by.
        let after = if is_named { after } else { Tally { limit: now.limit, ..after } };
        match add.key {
            TallyKey::Uses(id) => pass_with(view, b, id, |row| row.uses = after)?,
            TallyKey::Balance(id) => pass_with(view, b, id, |row| row.balance = after)?,
            TallyKey::Granted(id) => pass_with(view, b, id, |row| row.granted = after)?,
            TallyKey::Credit(contact, id) => credit_with(view, b, contact, id, |row| row.amount = after)?,
            // Adding nothing only judges.
            TallyKey::Named(..) if add.used == 0 && add.held == 0 => {}
            TallyKey::Named(id, slot) => view.put(key::tally(b, id, slot), &after)?,
        }
        all.push(after);
    }
    Ok(all)
}

fn pass_with(
    view: &mut View<'_>,
    b: BusinessId,
    id: crate::id::PassId,
    set: impl FnOnce(&mut PassRow),
) -> Result<(), StoreError> {
    let Some(mut row) = view.pass(b, id)? else { return Ok(()) };
    set(&mut row);
    view.put(key::pass(b, id), &row)
}

fn credit_with(
    view: &mut View<'_>,
    b: BusinessId,
    contact: crate::id::ContactId,
    id: crate::id::CreditId,
    set: impl FnOnce(&mut CreditRow),
) -> Result<(), StoreError> {
    let Some(mut row) = view.credit(b, contact, id)? else { return Ok(()) };
    set(&mut row);
    view.put(key::credit(b, contact, id), &row)
}

/// The last entry of a subject; 0 when there is none. The passes of a range have the same.
fn last_entry(view: &mut View<'_>, b: BusinessId, subject: Subject) -> Result<u64, StoreError> {
    let last = match subject {
        Subject::None => None,
        Subject::Pass(pass) | Subject::Passes { first: pass, .. } => view.pass(b, pass)?.map(|row| row.last),
        Subject::Credit(contact, id) => view.credit(b, contact, id)?.map(|row| row.last),
    };
    Ok(last.unwrap_or_default())
}

/// An entry is now the last of its subject.
fn chain(view: &mut View<'_>, b: BusinessId, subject: Subject, entry: u64) -> Result<(), StoreError> {
    match subject {
        Subject::None => Ok(()),
        Subject::Pass(_) | Subject::Passes { .. } => {
            let Some((first, last)) = subject.span() else { return Ok(()) };
            (first.serial()..=last.serial())
                .try_for_each(|serial| pass_with(view, b, first.lot().pass(serial), |row| row.last = entry))
        }
        Subject::Credit(contact, id) => credit_with(view, b, contact, id, |row| row.last = entry),
    }
}

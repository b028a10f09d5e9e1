//! Codes that leave the library: the export for the printing house, and revealing one (C-6, C-7).

use super::docs::put;
use super::engine::Draft;
use super::making::{lot_key, open_seed};
use super::{Call, Done, Error, Passes, Receipt};
use crate::business::Secrecy;
use crate::calendar::Instant;
use crate::event::Event;
use crate::id::{Id, LotId, PassId};
use crate::limits;
use crate::lot::Lot;
use crate::money::Money;
use crate::operation::{By, Kind, Right};
use crate::pass::Action;
use crate::passcode::Passcode;
use crate::refusal::Refusal;
use crate::store::{Add, DocKey, DocKind, Expect, PageQuery, PassOrder, PassRange, TallyKey};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// One pass of an export.
/// See [`Passes::export_page`].
#[derive(Clone, Debug)]
pub struct ExportRow {
    /// The pass.
    pub pass: PassId,
    /// Its serial number in the lot.
    pub serial: u32,
    /// Its code.
    pub code: Passcode,
    /// Its value, if set.
    pub value: Option<Money>,
    /// The moment from which it can't be redeemed any more; nothing is never, or not known before activation.
    pub redeem_by: Option<Instant>,
}

impl Done for u32 {}

impl Passes {
    /// Opens an export of a lot's codes, and counts it. The pages are then read with [`Passes::export_page`].
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` while it is generated; `EXPORT_CLOSED`; `REASON_REQUIRED` for a
    /// second export (B-5).
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let error = passes.export(by, shop.lot).wait().unwrap_err();
    /// assert_eq!(error.code(), "REASON_REQUIRED"); // It was exported before.
    /// let again = by.clone().reason("the file was lost");
    /// assert_eq!(passes.export(&again, shop.lot).wait()?.done, 2);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn export<'a>(&'a self, by: &'a By, lot: LotId) -> Call<'a, Receipt<u32>> {
        Call::new(async move {
            let mut order = self.order(by, Right::Export, Kind::Export, &lot)?;
            order.load.docs.push(lot_key(lot));
            self.run(order, move |view| {
                let (found, version) = view.docs.need::<Lot, _>(DocKind::Lot, lot)?;
                exportable(&found)?;
                if found.exports > 0 && view.env.by.reason.is_none() {
                    return Err(Refusal::ReasonRequired { command: "a second export".into() }.into());
                }
                let exports = found.exports.saturating_add(1);
                let mut draft = Draft::new(view, exports);
                let next = Lot { exports, ..(*found).clone() };
                let parent = DocKey::new(DocKind::Terms, next.terms);
                draft.change.put.push(put(lot_key(lot), Some(parent), &next, Expect::Version(version))?);
                draft.events.push(Event::LotExported { lot });
                Ok(draft)
            })
            .await
        })
    }

    /// A page of an open export: at most `limit` (up to 10,000) passes with serial numbers above `after`. It can
    /// be read again until the export is closed.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `EXPORT_CLOSED`; `REASON_REQUIRED` when no export was opened.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let rows = passes.export_page(by, shop.lot, 4, 2).wait()?;
    /// let serials: Vec<u32> = rows.iter().map(|row| row.serial).collect();
    /// assert_eq!(serials, [5, 6]);
    /// assert_eq!(rows[0].code, shop.codes[4]);
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn export_page<'a>(
        &'a self,
        by: &'a By,
        lot: LotId,
        after: u32,
        limit: u32,
    ) -> Call<'a, Vec<ExportRow>> {
        Call::new(async move {
            self.permit(by, Right::Export)?;
            let chain = self.chain(by, lot).await?;
            exportable(&chain.lot)?;
            if chain.lot.exports == 0 {
                return Err(Refusal::WrongState {
                    what: "lot",
                    state: "not exported".into(),
                    command: "be read: open an export first".into(),
                }
                .into());
            }
            let sealed = chain.lot.seed.as_ref().ok_or(Refusal::CodeNotRecoverable)?;
            let seed = open_seed(&self.inner, by.business, lot, sealed)?;
            let maker = chain.lot.format.maker()?;
            let first = lot.pass(after.saturating_add(1));
            let range = PassRange { first, last: lot.pass(u32::MAX), limit: limit.clamp(1, limits::PAGE) };
            let business = by.business;
            let query = PageQuery::Passes { business, range, order: PassOrder::Serial, after: None };
            let rows = self.inner.store.page(&query).await?.passes;
            let currency = chain.terms.currency;
            Ok(rows
                .into_iter()
                .map(|row| ExportRow {
                    pass: row.id,
                    serial: row.id.serial(),
                    code: maker.passcode(&seed.code(&maker, row.id.serial(), row.code_try)),
                    value: row.value.map(|minor| Money::of(minor, currency)),
                    redeem_by: row.redeem_by,
                })
                .collect())
        })
    }

    /// Closes the export of a lot. Where the business's codes are hashed, they can't be brought back from now on.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `EXPORT_CLOSED`; `WRONG_STATE` for one that was never exported.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// passes.close_export(by, shop.lot).wait()?;
    /// let error = passes.export_page(by, shop.lot, 0, 10).wait().unwrap_err();
    /// assert_eq!(error.code(), "EXPORT_CLOSED");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn close_export<'a>(&'a self, by: &'a By, lot: LotId) -> Call<'a, Receipt<()>> {
        Call::new(async move {
            let mut order = self.order(by, Right::Export, Kind::CloseExport, &lot)?;
            order.load.docs.push(lot_key(lot));
            self.run(order, move |view| {
                let (found, version) = view.docs.need::<Lot, _>(DocKind::Lot, lot)?;
                exportable(&found)?;
                if found.exports == 0 {
                    let (state, command) = ("not exported".to_owned(), "be closed".to_owned());
                    return Err(Refusal::WrongState { what: "lot", state, command }.into());
                }
                let mut draft = Draft::new(view, ());
                let mut next = Lot { closed: true, ..(*found).clone() };
                if view.business.settings.secrecy == Secrecy::Hashed {
                    next.seed = None;
                }
                let parent = DocKey::new(DocKind::Terms, next.terms);
                draft.change.put.push(put(lot_key(lot), Some(parent), &next, Expect::Version(version))?);
                draft.events.push(Event::ExportClosed { lot });
                Ok(draft)
            })
            .await
        })
    }

    /// Reveals the code of a pass, to deliver it or to show it. It is audited.
    ///
    /// The same request under the same key is answered without the code.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a cancelled pass; `CODE_NOT_RECOVERABLE`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let why = by.clone().reason("the customer lost it").key("call-3");
    /// let (_, code) = passes.reveal(&why, shop.card(1)).wait()?;
    /// assert_eq!(code.as_ref(), Some(&shop.codes[0]));
    /// let (again, code) = passes.reveal(&why, shop.card(1)).wait()?;
    /// assert!(again.replayed && code.is_none());
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn reveal<'a>(&'a self, by: &'a By, pass: PassId) -> Call<'a, (Receipt<()>, Option<Passcode>)> {
        Call::new(async move {
            let mut order = self.order(by, Right::Reveal, Kind::Reveal, &pass)?;
            order.load.passes.push(pass);
            // No part of the receipt, which is kept.
            let made = Arc::new(Mutex::new(None));
            let told = Arc::clone(&made);
            let receipt = self
                .run(order, move |view| {
                    let row = view.loaded.pass(pass);
                    let row =
                        row.ok_or_else(|| Refusal::NotFound { what: PassId::WHAT, id: pass.to_string() })?;
                    let chain = view.docs.chain_of(pass)?;
                    Action::Reveal.check(super::redeem::state_of(row, &chain))?;
                    let sealed = chain.lot.seed.as_ref().ok_or(Refusal::CodeNotRecoverable)?;
                    let seed = open_seed(view.inner, view.env.by.business, pass.lot(), sealed)?;
                    let maker = chain.lot.format.maker()?;
                    let code = maker.passcode(&seed.code(&maker, pass.serial(), row.code_try));
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
                    let mut draft = Draft::new(view, ());
                    // It must be so still when it is written down.
                    let rests = Add { version: Some(row.version), ..Add::used(TallyKey::Uses(pass), 0) };
                    draft.change.tally.push(rests);
                    draft.events.push(Event::CodeRevealed { pass });
                    Ok(draft)
                })
                .await?;
            let code = made.lock().unwrap_or_else(PoisonError::into_inner).take();
            let code = code.filter(|_| !receipt.replayed);
            Ok((receipt, code))
        })
    }
}

fn exportable(lot: &Lot) -> Result<(), Error> {
    if lot.closed {
        return Err(Refusal::ExportClosed.into());
    }
    if !lot.complete {
        let (state, command) = ("being generated".to_owned(), "be exported".to_owned());
        return Err(Refusal::WrongState { what: "lot", state, command }.into());
    }
    Ok(())
}

/// Writes rows of an export as CSV (RFC 4180): `passcode,value,expires,serial`, with the header if asked for.
/// Cells that a spreadsheet would run as formulas are preceded by an apostrophe.
///
/// # Errors
/// `INVALID` if a row can't be written, which doesn't happen in memory.
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// use passes_core::service::export_csv;
/// let rows = passes.export_page(by, shop.lot, 0, 2).wait()?;
/// let file = export_csv(&rows, true)?;
/// assert!(file.starts_with(b"passcode,value,expires,serial"));
/// assert!(file.ends_with(b",25.00 GBP,,2\n"));
/// # Ok::<(), passes_core::Error>(())
/// ```
pub fn export_csv(rows: &[ExportRow], header: bool) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let broken = |e: csv::Error| Refusal::invalid("export", e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    if header {
        writer.write_record(["passcode", "value", "expires", "serial"]).map_err(broken)?;
    }
    for row in rows {
        let value = row.value.map_or_else(String::new, |v| safe_cell(&v.to_string()));
        let expires = row.redeem_by.map_or_else(String::new, |at| at.to_string());
        let code = Zeroizing::new(safe_cell(row.code.reveal()));
        let serial = row.serial.to_string();
        writer.write_record([code.as_str(), &value, &expires, &serial]).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|e| Refusal::invalid("export", e.to_string()))?;
    Ok(Zeroizing::new(bytes))
}

/// A cell that no spreadsheet runs as a formula.
///
/// ```
/// use passes_core::service::safe_cell;
/// assert_eq!(safe_cell("=1+1"), "'=1+1");
/// assert_eq!(safe_cell("7KQ2"), "7KQ2");
/// ```
#[must_use]
pub fn safe_cell(text: &str) -> String {
    match text.chars().next() {
        // Some spreadsheets take the wide forms for the same.
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{text}")
        }
        _ => text.to_owned(),
    }
}

//! What a call costs without the face, for measuring and in no library that ships: it crosses with the arguments and
//! answers of a real one, the core does the same work, and the answer is ready.

use super::error::PassesError;
use super::made::{By, ExportRow, LotId, PassCursor, PassFilter, PassId, PassOrder, PassPage, PassView};
use super::objects::Passes;
use crate::convert::Take;
use passes_host::{Refusal, id, operation, service, store};
use std::sync::Arc;

/// Answers that are ready, and what the core is asked for.
#[derive(uniffi::Object)]
pub struct Floor {
    passes: passes_host::Passes,
    by: operation::By,
    card: id::PassId,
    lot: id::LotId,
    rows: Vec<service::ExportRow>,
    page: PassPage,
    csv: String,
}

#[uniffi::export]
impl Floor {
    /// With these arguments and answers of the calls that are measured.
    ///
    /// Errors: those of arguments that can't be used.
    #[uniffi::constructor]
    pub fn new(
        passes: Arc<Passes>,
        by: By,
        lot: LotId,
        rows: Vec<ExportRow>,
        page: PassPage,
        csv: String,
    ) -> Result<Self, PassesError> {
        let card = page.rows.first().ok_or_else(|| Refusal::invalid("page", "has no rows"))?.id.take()?;
        let passes = passes.passes.clone();
        Ok(Self { passes, by: by.take()?, card, lot: lot.take()?, rows: rows.take()?, page, csv })
    }

    /// As `Passes.pass`: the first pass of the page.
    pub fn pass(&self, by: By, pass: PassId) -> Result<PassView, PassesError> {
        drop((by, pass));
        drop(self.passes.pass(&self.by, self.card).wait()?);
        let first = self.page.rows.first().cloned();
        Ok(first.ok_or_else(|| Refusal::invalid("page", "has no rows"))?)
    }

    /// As `Passes.passes`: the page.
    pub fn passes(
        &self,
        by: By,
        lot: LotId,
        filter: PassFilter,
        order: PassOrder,
        after: Option<PassCursor>,
        limit: i64,
    ) -> Result<PassPage, PassesError> {
        drop((by, lot, filter, order, after));
        let (filter, order) = (service::PassFilter::default(), store::PassOrder::Serial);
        drop(self.passes.passes(&self.by, self.lot, filter, order, None, limit.take()?).wait()?);
        Ok(self.page.clone())
    }

    /// As `export_csv`: the text.
    pub fn export_csv(&self, rows: Vec<ExportRow>, header: bool) -> Result<String, PassesError> {
        drop(rows);
        drop(service::export_csv(&self.rows, header)?);
        Ok(self.csv.clone())
    }
}

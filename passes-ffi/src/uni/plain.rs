//! Functions that need no store.

use super::error::PassesError;
use super::leaf::{Checkpoint, CodeHash, Currency, Money, Passcode};
use super::made::{
    BusinessId, Classification, ExportRow, Form, Format, LotId, PassId, Settings, Spec, Terms,
};
use crate::convert::{Give, Take};
use passes_host::{Refusal, business, id, money, passcode, plan, service};
use zeroize::Zeroizing;

/// Settings of a business with a zone, currencies and one language; all else as usual.
///
/// Errors: `INVALID` for an unknown zone or language, `UNKNOWN_CURRENCY`.
#[uniffi::export]
pub fn new_settings(
    name: String,
    zone: String,
    currencies: Vec<Currency>,
    locale: String,
) -> Result<Settings, PassesError> {
    let codes: Vec<&str> = currencies.iter().map(|currency| currency.code.as_str()).collect();
    Ok(business::Settings::new(&name, &zone, &codes, &locale)?.give())
}

/// Reads a plan from a plan file (TOML), and judges it by the settings of its business.
///
/// Errors: `BAD_FILE` with line, field and reason; and those of creating a plan.
#[uniffi::export]
pub fn plan_from_toml(text: String, settings: Settings) -> Result<Spec, PassesError> {
    let settings: business::Settings = settings.take()?;
    Ok(plan::Spec::from_toml(&text, &settings)?.give())
}

/// Writes a plan as a plan file (TOML).
///
/// Errors: `INVALID` when it can't be written.
#[uniffi::export]
pub fn plan_to_toml(spec: Spec) -> Result<String, PassesError> {
    let spec: plan::Spec = spec.take()?;
    Ok(spec.to_toml()?)
}

/// Terms of a fixed value, with all else as usual: used once, for ever, on anything.
///
/// Errors: those of an amount that can't be used.
#[uniffi::export]
pub fn fixed_terms(classification: Classification, form: Form, value: Money) -> Result<Terms, PassesError> {
    let value: money::Money = value.take()?;
    Ok(plan::Terms::fixed(classification.take()?, form.take()?, value).give())
}

/// How codes usually look: twelve characters that aren't mistaken for each other, in groups of four.
#[uniffi::export]
pub fn usual_format() -> Format {
    passcode::Format::default().give()
}

/// The pass with a serial number in a lot.
///
/// Errors: `INVALID` for what can't be a serial number.
#[uniffi::export]
pub fn pass_of_lot(lot: LotId, serial: i64) -> Result<PassId, PassesError> {
    let lot: id::LotId = lot.take()?;
    Ok(lot.pass(serial.take()?).give())
}

/// The lot that a pass is of.
#[uniffi::export]
pub fn lot_of_pass(pass: PassId) -> Result<LotId, PassesError> {
    let pass: id::PassId = pass.take()?;
    Ok(pass.lot().give())
}

/// Writes rows of an export as CSV for the printer, safe to open in a spreadsheet. It holds the codes.
///
/// Errors: `INVALID` when it can't be written.
#[uniffi::export]
pub fn export_csv(rows: Vec<ExportRow>, header: bool) -> Result<String, PassesError> {
    let rows: Vec<service::ExportRow> = rows.take()?;
    let bytes: Zeroizing<Vec<u8>> = service::export_csv(&rows, header)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| Refusal::invalid("csv", error.to_string()))?;
    Ok(text.to_owned())
}

/// Reads a checkpoint that was kept as a text.
///
/// Errors: `INVALID` when it is none.
#[uniffi::export]
pub fn checkpoint_from_text(text: String) -> Result<Checkpoint, PassesError> {
    let checkpoint: service::Checkpoint = text.parse()?;
    Ok(checkpoint.give())
}

/// The hash of a passcode in a business, which may be presented in the code's place where that is allowed.
///
/// Errors: `MALFORMED` for what can't be a passcode.
#[uniffi::export]
pub fn hash_of_code(code: Passcode, business: BusinessId) -> Result<CodeHash, PassesError> {
    let business: id::BusinessId = business.take()?;
    Ok(code.hash(business.as_bytes())?)
}

/// Every code that a refusal may have, in order of precedence.
#[uniffi::export]
pub fn refusal_codes() -> Vec<String> {
    Refusal::CODES.iter().map(|code| (*code).to_owned()).collect()
}

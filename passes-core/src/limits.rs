//! The documented maxima of every input, checked before any work (Z-3).
//!
//! ```
//! use passes_core::conditions::{Basket, Line};
//! use passes_core::limits::BASKET_LINES;
//! use passes_core::money::{Currency, Money};
//! let many = vec![Line::new("MUG", 1, Money::zero(Currency::GBP)); BASKET_LINES + 1];
//! let refusal = Basket::new(Currency::GBP, many).unwrap_err();
//! assert_eq!(refusal.to_string(), "basket has 1001, the largest accepted is 1000");
//! ```

use crate::refusal::Refusal;

/// Characters of a name: an actor, a place, a channel, a SKU, a family.
pub const NAME: usize = 64;
/// Characters of an idempotency key.
pub const KEY: usize = 128;
/// Characters of a reason, a description, a message.
pub const TEXT: usize = 500;
/// Lines of a basket.
pub const BASKET_LINES: usize = 1_000;
/// Families of a basket line.
pub const FAMILIES: usize = 32;
/// SKUs, families or places in a condition.
pub const CONDITION: usize = 1_000;
/// Passes in one list.
pub const LIST: usize = 10_000;
/// Redemptions in one call.
pub const BATCH: usize = 10_000;
/// Passes of a lot.
pub const LOT: u32 = 100_000_000;
/// Uses of a pass.
pub const USES: u32 = 1_000_000;
/// Custom fields of a plan, a pass or a contact.
pub const FIELDS: usize = 100;
/// Bytes of a plan file.
pub const PLAN_FILE: usize = 256 * 1024;
/// Media of a contact.
pub const MEDIA: usize = 20;
/// Rows of a page.
pub const PAGE: u32 = 10_000;
/// Locales, currencies, channels or pools of a business.
pub const SETTINGS: usize = 200;
/// Credits of one wallet that a spend looks at.
pub const CREDITS: usize = 10_000;

/// Checks the length of a text, and that it holds no control characters.
///
/// # Errors
/// `INVALID` when it is too short or holds control characters, `TOO_LARGE` when it is too long.
///
/// ```
/// use passes_core::limits;
/// assert!(limits::text("name", "Ann", 1, limits::NAME).is_ok());
/// assert_eq!(limits::text("name", "", 1, limits::NAME).unwrap_err().code(), "INVALID");
/// assert_eq!(limits::text("name", &"x".repeat(65), 1, limits::NAME).unwrap_err().code(), "TOO_LARGE");
/// ```
pub fn text(field: &str, text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    // Nearly all texts are short and plain. Looking at every byte is quicker than stopping at the first that isn't.
    let plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    if plain && (least..=most).contains(&text.len()) {
        return Ok(());
    }
    std::hint::cold_path();
    // Bytes first: counting the characters of a megabyte is work already.
    if text.len() > most.saturating_mul(4) {
        return Err(too_large(field, text.len(), most));
    }
    let length = text.chars().count();
    if length > most {
        return Err(too_large(field, length, most));
    }
    if length < least {
        return Err(Refusal::invalid(field, "must not be empty"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Refusal::invalid(field, "holds control characters"));
    }
    Ok(())
}

/// Checks the length of a list.
///
/// # Errors
/// `TOO_LARGE` when it is too long.
///
/// ```
/// use passes_core::limits;
/// assert!(limits::list("passes", 10_000, limits::LIST).is_ok());
/// assert_eq!(limits::list("passes", 10_001, limits::LIST).unwrap_err().code(), "TOO_LARGE");
/// ```
pub fn list(field: &str, length: usize, most: usize) -> Result<(), Refusal> {
    if length > most { Err(too_large(field, length, most)) } else { Ok(()) }
}

#[cold]
fn too_large(field: &str, size: usize, largest: usize) -> Refusal {
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Refusal::TooLarge { field: field.to_owned(), size: wide(size), largest: wide(largest) }
}

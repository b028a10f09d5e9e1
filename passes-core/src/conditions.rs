//! Where value may be spent: products, places, a minimum (P-8), and the basket that it is spent on.

use crate::limits;
use crate::money::{Currency, Money};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A named set of rules on where a pocket's money may be spent (P-9).
///
/// ```
/// use passes_core::conditions::{Conditions, Pool};
/// let conditions = Conditions { families: ["toys".into()].into(), ..Conditions::default() };
/// let pool = Pool { name: "toys".into(), conditions };
/// pool.validate()?;
/// assert_eq!(Pool { name: String::new(), ..pool }.validate().unwrap_err().code(), "INVALID");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Its name, by which plans choose it.
    pub name: String,
    /// Its rules.
    #[serde(default)]
    pub conditions: Conditions,
}

impl Pool {
    /// Checks the name and the rules.
    /// See [`Pool`].
    ///
    /// # Errors
    /// `INVALID` or `TOO_LARGE`.
    pub fn validate(&self) -> Result<(), Refusal> {
        limits::text("pool", &self.name, 1, limits::NAME)?;
        self.conditions.validate()
    }
}

/// Conditions on products, places and the basket. Empty lists allow everything. They are sets: a basket of a
/// thousand lines is judged by lists of a thousand products, for each credit of a wallet.
///
/// A line is eligible when its SKU or one of its families is listed (or neither list has anything), and
/// neither its SKU nor a family of it is excluded.
///
/// ```
/// use passes_core::conditions::{Conditions, Line};
/// # use passes_core::money::{Currency, Money};
/// # let pound = Money::parse("1", Currency::GBP)?;
/// let toys = Conditions {
///     families: ["toys".into()].into(),
///     not_skus: ["T9".into()].into(),
///     places: ["Oxford Street".into()].into(),
///     minimum: Some(pound.times(5)?),
///     ..Conditions::default()
/// };
/// toys.validate()?;
/// assert!(toys.need_basket() && !Conditions::default().need_basket());
/// assert!(toys.allow(&Line::new("T1", 1, pound).families(&["toys"])));
/// assert!(!toys.allow(&Line::new("T9", 1, pound).families(&["toys"])));
/// assert!(toys.allow_place(Some("Oxford Street")) && !toys.allow_place(None));
/// assert_eq!(toys.short_of_minimum(pound.times(3)?), Some(pound.times(2)?));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// SKUs that may be paid.
    pub skus: BTreeSet<String>,
    /// Product families that may be paid.
    pub families: BTreeSet<String>,
    /// SKUs that may not be paid.
    pub not_skus: BTreeSet<String>,
    /// Product families that may not be paid.
    pub not_families: BTreeSet<String>,
    /// Places where it may be spent.
    pub places: BTreeSet<String>,
    /// The least total of the basket.
    pub minimum: Option<Money>,
    /// Whether lines that sell stored value may be paid, too.
    pub stored_value: bool,
}

impl Conditions {
    /// Checks the lists.
    /// See [`Conditions`].
    ///
    /// # Errors
    /// `INVALID` or `TOO_LARGE`, naming the list.
    pub fn validate(&self) -> Result<(), Refusal> {
        for (name, list) in [
            ("skus", &self.skus),
            ("families", &self.families),
            ("not_skus", &self.not_skus),
            ("not_families", &self.not_families),
            ("places", &self.places),
        ] {
            limits::list(name, list.len(), limits::CONDITION)?;
            for text in list {
                limits::text(name, text, 1, limits::NAME)?;
            }
        }
        if self.minimum.is_some_and(|m| m.minor() < 0) {
            return Err(Refusal::invalid("minimum", "must not be below zero"));
        }
        Ok(())
    }

    /// Whether the line may be paid.
    /// See [`Conditions`].
    #[must_use]
    pub fn allow(&self, line: &Line) -> bool {
        let named = (self.skus.is_empty() && self.families.is_empty())
            || self.skus.contains(&line.sku)
            || line.families.iter().any(|f| self.families.contains(f));
        named
            && !self.not_skus.contains(&line.sku)
            && !line.families.iter().any(|f| self.not_families.contains(f))
            && (self.stored_value || !line.stored_value)
    }

    /// Whether it may be spent at this place.
    /// See [`Conditions`].
    #[must_use]
    pub fn allow_place(&self, place: Option<&str>) -> bool {
        self.places.is_empty() || place.is_some_and(|here| self.places.contains(here))
    }

    /// How much the basket is below the minimum; nothing when it isn't.
    /// See [`Conditions`].
    #[must_use]
    pub fn short_of_minimum(&self, total: Money) -> Option<Money> {
        let minimum = self.minimum?;
        let short = minimum.minus(total).ok()?;
        (short.minor() > 0).then_some(short)
    }

    /// Whether they speak of products at all, so that spending needs a basket.
    /// See [`Conditions`].
    #[must_use]
    pub fn need_basket(&self) -> bool {
        !(self.skus.is_empty()
            && self.families.is_empty()
            && self.not_skus.is_empty()
            && self.not_families.is_empty()
            && self.minimum.is_none())
    }
}

/// A line of a basket.
///
/// ```
/// use passes_core::conditions::{Conditions, Line};
/// # use passes_core::money::{Currency, Money};
/// # let price = Money::parse("2.50", Currency::GBP)?;
/// let toy = Line::new("T1", 3, price).families(&["toys", "outdoor"]);
/// assert_eq!(toy.total()?.to_string(), "7.50 GBP");
/// // Stored value can't be paid with stored value, unless the conditions say so.
/// assert!(!Conditions::default().allow(&Line::new("CARD", 1, price).sells_stored_value()));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The article.
    pub sku: String,
    /// The product families it belongs to.
    #[serde(default)]
    pub families: Vec<String>,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
    /// Whether it sells stored value: a gift card, a top-up.
    #[serde(default)]
    pub stored_value: bool,
}

impl Line {
    /// A line of an article without families.
    /// See [`Line`].
    #[must_use]
    pub fn new(sku: &str, quantity: u32, unit_price: Money) -> Self {
        Self { sku: sku.to_owned(), families: Vec::new(), quantity, unit_price, stored_value: false }
    }

    /// In these product families.
    /// See [`Line`].
    #[must_use]
    pub fn families(mut self, families: &[&str]) -> Self {
        self.families = families.iter().map(|f| (*f).to_owned()).collect();
        self
    }

    /// One that sells stored value.
    /// See [`Line`].
    #[must_use]
    pub fn sells_stored_value(mut self) -> Self {
        self.stored_value = true;
        self
    }

    /// The total of the line.
    /// See [`Line`].
    ///
    /// # Errors
    /// `OVERFLOW` or `BAD_AMOUNT` beyond the range of money.
    pub fn total(&self) -> Result<Money, Refusal> {
        self.unit_price.times(self.quantity)
    }
}

/// The purchase at hand: lines in one currency. A price of 0 is good.
///
/// ```
/// use passes_core::conditions::{Basket, Line};
/// use passes_core::money::{Currency, Money};
/// let gbp = Currency::parse("GBP")?;
/// let basket = Basket::new(gbp, vec![Line::new("85123A", 6, Money::parse("2.55", gbp)?)])?;
/// assert_eq!(basket.total().to_string(), "15.30 GBP");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Basket {
    currency: Currency,
    lines: Vec<Line>,
    #[serde(skip)]
    totals: Vec<i64>,
    #[serde(skip)]
    total: i64,
}

impl Basket {
    /// A basket of these lines.
    ///
    /// # Errors
    /// `TOO_LARGE` above 1,000 lines, `MIXED_CURRENCIES`, `BAD_AMOUNT` for a price below zero, `OVERFLOW`.
    ///
    /// ```
    /// use passes_core::conditions::{Basket, Line};
    /// use passes_core::money::{Currency, Money};
    /// let price = |text| Money::parse(text, Currency::GBP);
    /// let lines = vec![Line::new("MUG", 2, price("7.50")?), Line::new("BAG", 1, price("0")?)];
    /// let basket = Basket::new(Currency::GBP, lines)?;
    /// assert_eq!((basket.currency(), basket.lines().len()), (Currency::GBP, 2));
    /// assert_eq!((basket.totals(), basket.total()), ([1_500, 0].as_slice(), price("15")?));
    /// let refund = vec![Line::new("MUG", 1, price("-7.50")?)];
    /// assert_eq!(Basket::new(Currency::GBP, refund).unwrap_err().code(), "BAD_AMOUNT");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn new(currency: Currency, lines: Vec<Line>) -> Result<Self, Refusal> {
        limits::list("basket", lines.len(), limits::BASKET_LINES)?;
        let mut totals = Vec::with_capacity(lines.len());
        let mut total = Money::from_minor(0, currency)?;
        for line in &lines {
            limits::text("sku", &line.sku, 1, limits::NAME)?;
            limits::list("families", line.families.len(), limits::FAMILIES)?;
            for family in &line.families {
                limits::text("family", family, 1, limits::NAME)?;
            }
            if line.unit_price.minor() < 0 {
                let amount = line.unit_price.to_string();
                return Err(Refusal::BadAmount { amount, why: "a price can't be below zero".into() });
            }
            let sum = line.total()?;
            total = total.plus(sum)?;
            totals.push(sum.minor());
        }
        let total = total.minor();
        Ok(Self { currency, lines, totals, total })
    }

    /// Its currency.
    /// See [`Basket::new`].
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Its lines.
    /// See [`Basket::new`].
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The total of each line in minor units.
    /// See [`Basket::new`].
    #[must_use]
    pub fn totals(&self) -> &[i64] {
        &self.totals
    }

    /// The total of all lines.
    /// See [`Basket::new`].
    #[must_use]
    pub fn total(&self) -> Money {
        Money::of(self.total, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp(minor: i64) -> Money {
        Money::from_minor(minor, Currency::parse("GBP").unwrap()).unwrap()
    }

    /// P-8: products listed, products excluded, stored value.
    #[test]
    fn lines_are_eligible_by_sku_and_family() {
        let toy = Line::new("T1", 1, gbp(100)).families(&["toys"]);
        let card = Line::new("G1", 1, gbp(100)).sells_stored_value();
        assert!(Conditions::default().allow(&toy));
        assert!(!Conditions::default().allow(&card));
        assert!(Conditions { stored_value: true, ..Conditions::default() }.allow(&card));
        let families = Conditions { families: ["toys".into()].into(), ..Conditions::default() };
        assert!(families.allow(&toy) && !families.allow(&Line::new("X", 1, gbp(1))));
        let not = Conditions { not_skus: ["T1".into()].into(), ..families.clone() };
        assert!(!not.allow(&toy));
        let not = Conditions { not_families: ["toys".into()].into(), ..Conditions::default() };
        assert!(!not.allow(&toy));
    }

    /// P-8: places and the least total.
    #[test]
    fn places_and_minimum() {
        let c = Conditions { places: ["A".into()].into(), minimum: Some(gbp(500)), ..Conditions::default() };
        assert!(c.allow_place(Some("A")) && !c.allow_place(Some("B")) && !c.allow_place(None));
        assert_eq!(c.short_of_minimum(gbp(420)), Some(gbp(80)));
        assert_eq!(c.short_of_minimum(gbp(500)), None);
    }

    /// Z-3: a basket of a million lines is refused before any work; prices below zero and mixed currencies, too.
    #[test]
    fn baskets_have_bounds() {
        let line = Line::new("X", 1, gbp(1));
        let many = vec![line.clone(); 1_000_000];
        assert_eq!(Basket::new(gbp(0).currency(), many).unwrap_err().code(), "TOO_LARGE");
        let free = Line { unit_price: gbp(0), ..line.clone() };
        assert!(Basket::new(gbp(0).currency(), vec![free]).is_ok());
        let negative = Line { unit_price: gbp(-1), ..line.clone() };
        assert_eq!(Basket::new(gbp(0).currency(), vec![negative]).unwrap_err().code(), "BAD_AMOUNT");
        let jpy = Currency::parse("JPY").unwrap();
        assert_eq!(Basket::new(jpy, vec![line]).unwrap_err().code(), "MIXED_CURRENCIES");
    }
}

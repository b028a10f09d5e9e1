//! Which product is in which family, from a TOML file.

use crate::Failure;
use passes_host::conditions::Line;
use passes_host::money::Money;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The product families.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Families {
    families: BTreeMap<String, Family>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    /// What it is, for people.
    about: String,
    /// The SKUs in it.
    #[serde(default)]
    skus: BTreeSet<String>,
    /// Beginnings of SKUs, with a `*` at the end.
    #[serde(default)]
    patterns: Vec<String>,
    /// Whether its products sell stored value.
    #[serde(default)]
    stored_value: bool,
}

impl Family {
    fn has(&self, sku: &str) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => sku.starts_with(beginning),
            None => sku == pattern,
        };
        self.skus.contains(sku) || self.patterns.iter().any(fits)
    }
}

impl Families {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong in it, with the line.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        toml::from_str(&fs::read_to_string(path)?)
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// How many families there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.families.len()
    }

    /// The families with what they are.
    pub fn about(&self) -> impl Iterator<Item = (&str, &str)> {
        self.families.iter().map(|(name, family)| (name.as_str(), family.about.as_str()))
    }

    /// A line of a basket, in its families.
    #[must_use]
    pub fn line(&self, sku: &str, quantity: u32, unit_price: Money) -> Line {
        let of = || self.families.iter().filter(|(_, family)| family.has(sku));
        let names: Vec<&str> = of().map(|(name, _)| name.as_str()).collect();
        let line = Line::new(sku, quantity, unit_price).families(&names);
        if of().any(|(_, family)| family.stored_value) { line.sells_stored_value() } else { line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passes_host::money::Currency;

    /// P-8: families by list and by pattern, several for one product, and products that sell stored value.
    #[test]
    fn products_have_families() {
        let families = Families::read(&crate::files::shop("families.toml")).unwrap();
        assert!(families.about().all(|(_, about)| !about.is_empty()));
        let line = |sku| families.line(sku, 1, Money::from_minor(100, Currency::GBP).unwrap());
        assert_eq!(line("22960").families, ["kitchen"]);
        assert_eq!(line("85099B").families, ["bags"]);
        assert_eq!(line("20878").families, ["christmas", "lights"]);
        assert!(line("84879").families.is_empty());
        assert!(line("gift_0001_20").stored_value && !line("POST").stored_value);
    }
}

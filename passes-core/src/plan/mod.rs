//! Pass plans: the templates that define the passes made from them.

mod file;
mod terms;

pub use terms::{Classification, Form, RedeemBy, SpendBy, Terms, Usage, Worth};

use crate::business::Settings;
use crate::id::{PlanId, TermsId};
use crate::limits;
use crate::money::Money;
use crate::passcode::Format;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A text in several languages, by BCP 47 tag.
///
/// ```
/// let name: passes_core::plan::Translated = [("en-GB".to_owned(), "Gift card".to_owned())].into();
/// assert_eq!(name["en-GB"], "Gift card");
/// ```
pub type Translated = BTreeMap<String, String>;

/// Caps on all that is ever made from a plan (P-15).
///
/// ```
/// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
/// # use passes_core::plan::Caps;
/// let mut spec = passes.plan(by, shop.plan).wait()?.spec;
/// spec.caps = Caps { passes: Some(12), value: None };
/// let capped = passes.create_plan(by, spec).wait()?.done;
/// passes.activate_plan(by, capped).wait()?;
/// assert_eq!(shop.printed(capped, 13).unwrap_err().code(), "PLAN_CAP");
/// # Ok::<(), passes_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// The number of passes.
    pub passes: Option<u32>,
    /// Their value together; of passes whose uses credit the full value each, all uses.
    pub value: Option<Money>,
}

/// All that a business says of a plan.
/// See [`Passes::create_plan`](crate::Passes::create_plan), and [`Spec::from_toml`] for a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Its name, at least in the default language.
    pub name: Translated,
    /// Its description.
    #[serde(default)]
    pub description: Translated,
    /// Its terms.
    pub terms: Terms,
    /// The format of its passcodes.
    pub code: Format,
    /// Its caps.
    #[serde(default)]
    pub caps: Caps,
}

impl Spec {
    /// Checks the plan against the business's settings.
    ///
    /// # Errors
    /// As [`Terms::validate`]; `INVALID` for a name that lacks the default language or has another than the
    /// enabled ones; `BAD_FORMAT`.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let mut spec = passes.plan(by, shop.plan).wait()?.spec;
    /// let settings = passes.settings(by).wait()?;
    /// spec.validate(&settings)?;
    /// spec.name.insert("ja".into(), "ギフトカード".into());
    /// assert_eq!(spec.validate(&settings).unwrap_err().to_string(), "name.ja: the language is not enabled");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    pub fn validate(&self, settings: &Settings) -> Result<(), Refusal> {
        if !self.name.contains_key(&settings.default_locale) {
            return Err(Refusal::invalid("name", format!("is needed in {}", settings.default_locale)));
        }
        for (field, texts, most) in
            [("name", &self.name, limits::NAME), ("description", &self.description, limits::TEXT)]
        {
            for (locale, text) in texts {
                let path = format!("{field}.{locale}");
                if !settings.locales.contains(locale) {
                    return Err(Refusal::invalid(path, "the language is not enabled"));
                }
                limits::text(&path, text, 1, most)?;
            }
        }
        self.terms.validate(settings)?;
        self.code.validate()?;
        if let Some(value) = self.caps.value {
            value
                .same_currency(Money::zero(self.terms.currency))
                .map_err(|r| Refusal::invalid("caps.value", r.to_string()))?;
            if value.minor() < 0 {
                return Err(Refusal::invalid("caps.value", "must not be below zero"));
            }
        }
        Ok(())
    }

    /// What a frozen plan would have changed (P-11): all but translations and caps that are raised.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let now = passes.plan(by, shop.plan).wait()?.spec;
    /// let mut next = now.clone();
    /// next.name.insert("en-GB".into(), "Present".into());
    /// assert_eq!(now.frozen_change(&next), None);
    /// next.code.length = 8;
    /// assert_eq!(now.frozen_change(&next), Some("code"));
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn frozen_change(&self, next: &Self) -> Option<&'static str> {
        fn lowered<T: PartialOrd>(now: Option<T>, next: Option<T>) -> bool {
            match (now, next) {
                (Some(now), Some(next)) => next < now,
                (None, Some(_)) => true,
                _ => false,
            }
        }
        if self.terms != next.terms {
            Some("terms")
        } else if self.code != next.code {
            Some("code")
        } else if lowered(self.caps.passes, next.caps.passes) {
            Some("caps.passes")
        } else if lowered(self.caps.value.map(Money::minor), next.caps.value.map(Money::minor)) {
            Some("caps.value")
        } else {
            None
        }
    }

    /// The name in a language, or in the default one.
    /// See [`Passes::plan`](crate::Passes::plan).
    #[must_use]
    pub fn name_in(&self, locale: &str, default: &str) -> &str {
        translated(&self.name, locale, default)
    }

    /// The description in a language, or in the default one; empty without either.
    ///
    /// ```
    /// # let shop = passes_host::testing::Shop::open()?; let (passes, by) = (&shop.passes, &shop.by);
    /// let spec = passes.plan(by, shop.plan).wait()?.spec;
    /// assert_eq!(spec.description_in("en-GB", "en-GB"), "");
    /// # Ok::<(), passes_core::Error>(())
    /// ```
    #[must_use]
    pub fn description_in(&self, locale: &str, default: &str) -> &str {
        translated(&self.description, locale, default)
    }
}

fn translated<'a>(texts: &'a Translated, locale: &str, default: &str) -> &'a str {
    texts.get(locale).or_else(|| texts.get(default)).map_or("", String::as_str)
}

/// The states of a plan.
///
/// ```
/// assert_eq!(passes_core::plan::PlanState::Draft.to_string(), "a draft");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// Being written: makes no passes.
    Draft,
    /// Makes passes.
    Active,
    /// Makes no new passes; those there are live on.
    Archived,
    /// Deleted, before it had a pass.
    Deleted,
}

impl fmt::Display for PlanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Draft => "a draft",
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Deleted => "deleted",
        })
    }
}

/// A plan as it is stored.
/// See [`Passes::plan`](crate::Passes::plan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// What the business says of it.
    pub spec: Spec,
    /// Its state.
    pub state: PlanState,
    /// Where its terms are stored for its passes; set with the first pass, which freezes the plan.
    pub terms: Option<TermsId>,
    /// Whether all its passes are suspended (L-6).
    pub suspended: bool,
    /// The plan it was copied from.
    pub copy_of: Option<PlanId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn spec(settings: &Settings) -> Spec {
        let value = Money::parse("10", settings.currencies[0]).unwrap();
        Spec {
            name: [("en".to_owned(), "Gift".to_owned())].into(),
            description: Translated::new(),
            terms: Terms::fixed(Classification::Gift, Form::Printed, value),
            code: Format::default(),
            caps: Caps::default(),
        }
    }

    /// P-1: names with fallback to the default language; only enabled languages and currencies.
    #[test]
    fn names_fall_back() {
        let mut settings = Settings::new("Shop", "UTC", &["EUR"], "en").unwrap();
        settings.locales.push("de".into());
        let mut plan = spec(&settings);
        plan.name.insert("de".into(), "Gutschein".into());
        plan.validate(&settings).unwrap();
        assert_eq!(plan.name_in("de", "en"), "Gutschein");
        assert_eq!(plan.name_in("fr", "en"), "Gift");
        plan.name.insert("fr".into(), "Cadeau".into());
        assert_eq!(plan.validate(&settings).unwrap_err().code(), "INVALID");
        let mut other = spec(&settings);
        other.terms.currency = Currency::parse("JPY").unwrap();
        assert_eq!(other.validate(&settings).unwrap_err().code(), "UNKNOWN_CURRENCY");
        let mut nameless = spec(&settings);
        nameless.name.clear();
        assert_eq!(nameless.validate(&settings).unwrap_err().code(), "INVALID");
    }

    /// P-11, P-15: translations and raised caps may change in a frozen plan, nothing else.
    #[test]
    fn a_frozen_plan_takes_translations_and_raised_caps() {
        let settings = Settings::new("Shop", "UTC", &["EUR"], "en").unwrap();
        let now = Spec { caps: Caps { passes: Some(10), value: None }, ..spec(&settings) };
        let mut next = now.clone();
        next.name.insert("en".into(), "Present".into());
        next.caps.passes = Some(11);
        assert_eq!(now.frozen_change(&next), None);
        next.caps.passes = None;
        assert_eq!(now.frozen_change(&next), None);
        next.caps.passes = Some(9);
        assert_eq!(now.frozen_change(&next), Some("caps.passes"));
        let mut next = now.clone();
        next.caps.value = Some(Money::parse("5", settings.currencies[0]).unwrap());
        assert_eq!(now.frozen_change(&next), Some("caps.value"));
        let mut next = now.clone();
        next.terms.personal = true;
        assert_eq!(now.frozen_change(&next), Some("terms"));
        let mut next = now.clone();
        next.code.prefix = "X".into();
        assert_eq!(now.frozen_change(&next), Some("code"));
    }
}

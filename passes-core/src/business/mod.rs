//! A business: the tenant, and its settings (B-1).

use crate::calendar::{Weekday, Zone};
use crate::conditions::Pool;
use crate::fields::Definition;
use crate::id::BusinessId;
use crate::limits;
use crate::money::Currency;
use crate::passcode::FoldedFormat;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Whether an actor with the right can have a code brought back (C-7).
///
/// ```
/// # let settings = passes_core::business::Settings::new("Shop", "Europe/London", &["GBP"], "en-GB")?;
/// use passes_core::business::{Secrecy, Settings};
/// assert_eq!(settings.secrecy, Secrecy::Sealed);
/// let strict = Settings { secrecy: Secrecy::Hashed, ..settings };
/// strict.validate()?;
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secrecy {
    /// A code can be revealed or delivered again, by an actor with the right.
    #[default]
    Sealed,
    /// Once its export is closed or its first delivery acknowledged, no one can bring a code back.
    Hashed,
}

/// What makes an electronic pass active: the channel's word that it took the message, or that it arrived.
/// See [`Settings::active_on`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActiveOn {
    /// The delivery was confirmed.
    #[default]
    Confirmed,
    /// The channel accepted it.
    Accepted,
}

/// A channel through which electronic passes are delivered.
/// See [`Settings::active_on`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name, such as `sms`.
    pub name: String,
    /// What makes a pass sent through it active.
    #[serde(default)]
    pub active_on: ActiveOn,
}

/// The settings of a business.
///
/// ```
/// use passes_core::business::Settings;
/// let settings = Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB")?;
/// assert_eq!(settings.zone.to_string(), "Europe/London");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name, for people.
    pub name: String,
    /// Its time zone: dates without a time mean its calendar.
    pub zone: Zone,
    /// The currencies that plans may use.
    pub currencies: Vec<Currency>,
    /// The languages in which plans may be named, as BCP 47 tags.
    pub locales: Vec<String>,
    /// The language used where a text has no other; one of `locales`.
    pub default_locale: String,
    /// Whether codes can be brought back.
    #[serde(default)]
    pub secrecy: Secrecy,
    /// The day on which weeks start.
    #[serde(default = "monday")]
    pub week_start: Weekday,
    /// A random guess may hit a code at most once in this many tries (C-4).
    #[serde(default = "default_guess")]
    pub guess_one_in: u64,
    /// Whether a wallet may hold a second currency (W-2).
    #[serde(default)]
    pub second_currency: bool,
    /// Whether the hash of a passcode may be presented instead of it (C-14).
    #[serde(default)]
    pub accept_hashes: bool,
    /// For how many hours a sale can be voided (L-8).
    #[serde(default = "default_void_hours")]
    pub void_hours: u32,
    /// For how many days money that returns to an expired credit can still be spent (R-6).
    #[serde(default)]
    pub grace_days: u32,
    /// Whether a printing house takes the printed lots, and is told of them (T-3).
    #[serde(default)]
    pub printing_house: bool,
    /// The channels of delivery that differ from the usual: active when confirmed.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// The commerce pools.
    #[serde(default)]
    pub pools: Vec<Pool>,
    /// The custom fields of plans and passes.
    #[serde(default)]
    pub pass_fields: Vec<Definition>,
    /// The custom fields of contacts.
    #[serde(default)]
    pub contact_fields: Vec<Definition>,
}

fn monday() -> Weekday {
    Weekday::Mon
}

fn default_guess() -> u64 {
    100_000_000
}

fn default_void_hours() -> u32 {
    24
}

impl Settings {
    /// Settings with a zone, currencies and one language; all else at its default.
    /// See [`Settings`].
    ///
    /// # Errors
    /// `INVALID` for an unknown zone or language, `UNKNOWN_CURRENCY`.
    pub fn new(name: &str, zone: &str, currencies: &[&str], locale: &str) -> Result<Self, Refusal> {
        let settings = Self {
            name: name.to_owned(),
            zone: Zone::parse(zone)?,
            currencies: currencies.iter().map(|c| Currency::parse(c)).collect::<Result<_, _>>()?,
            locales: vec![locale.to_owned()],
            default_locale: locale.to_owned(),
            secrecy: Secrecy::default(),
            week_start: monday(),
            guess_one_in: default_guess(),
            second_currency: false,
            accept_hashes: false,
            void_hours: default_void_hours(),
            grace_days: 0,
            printing_house: false,
            channels: Vec::new(),
            pools: Vec::new(),
            pass_fields: Vec::new(),
            contact_fields: Vec::new(),
        };
        settings.validate()?;
        Ok(settings)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// `INVALID` or `TOO_LARGE`, naming the setting.
    ///
    /// ```
    /// # let settings = passes_core::business::Settings::new("Shop", "Europe/London", &["GBP"], "en-GB")?;
    /// # use passes_core::business::Settings;
    /// assert!(settings.validate().is_ok());
    /// let never = Settings { guess_one_in: 0, ..settings };
    /// assert_eq!(never.validate().unwrap_err().to_string(), "guess_one_in: must be above zero");
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn validate(&self) -> Result<(), Refusal> {
        limits::text("name", &self.name, 1, limits::NAME)?;
        if self.currencies.is_empty() {
            return Err(Refusal::invalid("currencies", "at least one is needed"));
        }
        for (name, length) in [
            ("currencies", self.currencies.len()),
            ("locales", self.locales.len()),
            ("channels", self.channels.len()),
            ("pools", self.pools.len()),
            ("pass_fields", self.pass_fields.len()),
            ("contact_fields", self.contact_fields.len()),
        ] {
            limits::list(name, length, limits::SETTINGS)?;
        }
        for locale in &self.locales {
            limits::text("locales", locale, 1, limits::NAME)?;
            oxilangtag::LanguageTag::parse(locale.as_str())
                .map_err(|_| Refusal::invalid("locales", format!("{locale} is no BCP 47 tag")))?;
        }
        if !self.locales.contains(&self.default_locale) {
            return Err(Refusal::invalid("default_locale", "must be one of the locales"));
        }
        if self.guess_one_in == 0 {
            return Err(Refusal::invalid("guess_one_in", "must be above zero"));
        }
        if self.grace_days > 3_660 || self.void_hours > 24 * 3_660 {
            return Err(Refusal::invalid("grace_days, void_hours", "at most ten years"));
        }
        for channel in &self.channels {
            limits::text("channels", &channel.name, 1, limits::NAME)?;
        }
        for pool in &self.pools {
            pool.validate()?;
            if self.pools.iter().filter(|p| p.name == pool.name).count() > 1 {
                return Err(Refusal::invalid("pools", format!("{} is there twice", pool.name)));
            }
        }
        Definition::validate_all("pass_fields", &self.pass_fields)?;
        Definition::validate_all("contact_fields", &self.contact_fields)
    }

    /// What makes a pass active that is sent through this channel.
    ///
    /// ```
    /// use passes_core::business::{ActiveOn, Channel};
    /// # let mut settings = passes_core::business::Settings::new("Shop", "UTC", &["GBP"], "en")?;
    /// settings.channels = vec![Channel { name: "sms".into(), active_on: ActiveOn::Accepted }];
    /// assert_eq!(settings.active_on("sms"), ActiveOn::Accepted);
    /// assert_eq!(settings.active_on("email"), ActiveOn::Confirmed);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn active_on(&self, channel: &str) -> ActiveOn {
        self.channels.iter().find(|c| c.name == channel).map(|c| c.active_on).unwrap_or_default()
    }

    /// The commerce pool with this name.
    ///
    /// ```
    /// # let mut settings = passes_core::business::Settings::new("Shop", "UTC", &["GBP"], "en")?;
    /// use passes_core::conditions::Pool;
    /// settings.pools = vec![Pool { name: "toys".into(), conditions: Default::default() }];
    /// assert!(settings.pool("toys").is_some() && settings.pool("books").is_none());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|p| p.name == name)
    }
}

/// A business as it is stored.
///
/// ```
/// # let settings = passes_core::business::Settings::new("Shop", "Europe/London", &["GBP"], "en-GB")?;
/// use passes_core::{business::Business, id::{BusinessId, Id}};
/// let shop = Business { id: BusinessId::from_bytes([7; 16]), settings, formats: Vec::new() };
/// assert_eq!(shop.settings.name, "Shop");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    /// Its settings.
    pub settings: Settings,
    /// Every format that a code of the business was ever made in.
    pub formats: Vec<FoldedFormat>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-1: settings are checked, each by its own name.
    #[test]
    fn settings_are_checked() {
        let good = || Settings::new("Shop", "Europe/Berlin", &["EUR", "JPY"], "de").unwrap();
        assert!(good().validate().is_ok());
        assert_eq!(Settings::new("Shop", "Europe/Atlantis", &["EUR"], "de").unwrap_err().code(), "INVALID");
        assert_eq!(Settings::new("Shop", "UTC", &["QQQ"], "de").unwrap_err().code(), "UNKNOWN_CURRENCY");
        assert_eq!(Settings::new("Shop", "UTC", &[], "de").unwrap_err().code(), "INVALID");
        assert_eq!(Settings::new("Shop", "UTC", &["EUR"], "not a tag").unwrap_err().code(), "INVALID");
        let other = Settings { default_locale: "fr".into(), ..good() };
        assert_eq!(other.validate().unwrap_err().code(), "INVALID");
        let many = Settings { locales: vec!["de".into(); 1_000], ..good() };
        assert_eq!(many.validate().unwrap_err().code(), "TOO_LARGE");
    }
}

//! Contacts: the persons that passes are for (W-7).

use crate::fields::Values;
use crate::id::ContactId;
use crate::limits;
use crate::money::Currency;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// A medium by which a contact is found. It is unique in the business.
///
/// ```
/// use passes_core::contact::Medium;
/// let email = Medium::Email("ann@example.org".into());
/// assert_eq!(email.parts(), ("email", "ann@example.org"));
/// assert_eq!(format!("{email:?}"), "Medium(email)");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A telephone number in international form (ITU-T E.164), such as `+441632960960`.
    Phone(String),
    /// An e-mail address.
    Email(String),
    /// The host's own reference.
    Reference(String),
}

impl Medium {
    /// The medium in the one form under which it is found: numbers without spaces and marks, addresses in
    /// lower case.
    ///
    /// # Errors
    /// `INVALID` for what is neither number nor address, `TOO_LARGE` when it is too long.
    ///
    /// ```
    /// use passes_core::contact::Medium;
    /// let phone = Medium::Phone("+44 (1632) 960-960".into()).normal()?;
    /// assert_eq!(phone, Medium::Phone("+441632960960".into()));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn normal(&self) -> Result<Self, Refusal> {
        let (field, text) = self.parts();
        limits::text(field, text, 1, 254)?;
        let normal = match self {
            Self::Phone(_) => {
                let number: String = text.nfkc().filter(|c| !" -./()\u{a0}".contains(*c)).collect();
                let digits = number.strip_prefix('+').unwrap_or_default();
                let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
                if !fits {
                    return Err(Refusal::invalid(field, "not in international form, such as +441632960960"));
                }
                Self::Phone(number)
            }
            Self::Email(_) => {
                let address = text.nfkc().collect::<String>().trim().to_lowercase();
                let fits = address.split_once('@').is_some_and(|(local, domain)| {
                    !local.is_empty() && !domain.is_empty() && !domain.contains('@')
                });
                if !fits || address.contains(char::is_whitespace) {
                    return Err(Refusal::invalid(field, "not an e-mail address"));
                }
                Self::Email(address)
            }
            Self::Reference(_) => Self::Reference(text.trim().to_owned()),
        };
        // Blanks alone leave nothing, and what stands for another character may be longer than it.
        limits::text(field, normal.parts().1, 1, 254)?;
        Ok(normal)
    }

    /// The word for its kind, and its text.
    /// See [`Medium`].
    #[must_use]
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Phone(text) => ("phone", text),
            Self::Email(text) => ("email", text),
            Self::Reference(text) => ("reference", text),
        }
    }
}

/// Personal: shows only its kind.
impl fmt::Debug for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Medium({})", self.parts().0)
    }
}

/// What is said of a contact.
///
/// ```
/// use passes_core::contact::{Medium, Profile};
/// let twice = vec![Medium::Email("ann@example.org".into()), Medium::Email(" Ann@example.org".into())];
/// let ann = Profile { media: twice, ..Profile::default() }.normal()?;
/// assert_eq!(ann, Profile::of(Medium::Email("ann@example.org".into())));
/// let named = Profile::named("Ann", Medium::Reference("customer 17".into()));
/// assert_eq!(named.name.as_deref(), Some("Ann"));
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The name.
    pub name: Option<String>,
    /// The media.
    pub media: Vec<Medium>,
    /// Custom fields.
    pub fields: Values,
}

impl Profile {
    /// Nothing but this medium.
    /// See [`Profile`].
    #[must_use]
    pub fn of(medium: Medium) -> Self {
        Self { media: vec![medium], ..Self::default() }
    }

    /// A name and a medium.
    /// See [`Profile`].
    #[must_use]
    pub fn named(name: &str, medium: Medium) -> Self {
        Self { name: Some(name.to_owned()), media: vec![medium], ..Self::default() }
    }

    /// The profile with its media in normal form, without repetitions.
    /// See [`Profile`].
    ///
    /// # Errors
    /// `INVALID`, `TOO_LARGE`.
    pub fn normal(mut self) -> Result<Self, Refusal> {
        if let Some(name) = &self.name {
            limits::text("name", name, 1, limits::NAME)?;
        }
        limits::list("media", self.media.len(), limits::MEDIA)?;
        self.media = self.media.iter().map(Medium::normal).collect::<Result<_, _>>()?;
        self.media.sort();
        self.media.dedup();
        Ok(self)
    }
}

/// A contact as it is stored. All that is personal stands in this one record (W-7).
/// See [`Passes::contact`](crate::Passes::contact).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The id.
    pub id: ContactId,
    /// Whether the contact is registered and identified, or known only by the id.
    pub named: bool,
    /// What is said of the contact.
    pub profile: Profile,
    /// The currencies of the wallet, in the order of their first credits.
    pub currencies: Vec<Currency>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W-7: media are found in one form, and what is none is refused.
    #[test]
    fn media_have_one_form() {
        let mail = |text: &str| Medium::Email(text.into()).normal();
        assert_eq!(mail(" Ann@Example.ORG ").unwrap(), Medium::Email("ann@example.org".into()));
        for wrong in ["ann", "@x", "a@b@c", "a b@c"] {
            assert_eq!(mail(wrong).unwrap_err().code(), "INVALID", "{wrong}");
        }
        for wrong in ["01632960960", "+44x", "+1", "+1234567890123456"] {
            assert_eq!(Medium::Phone(wrong.into()).normal().unwrap_err().code(), "INVALID", "{wrong}");
        }
        assert_eq!(Medium::Reference("x".repeat(9_999)).normal().unwrap_err().code(), "TOO_LARGE");
        assert_eq!(Medium::Reference(" 7 ".into()).normal().unwrap(), Medium::Reference("7".into()));
        assert_eq!(Medium::Reference("\n ".into()).normal().unwrap_err().code(), "INVALID");
        // One character that stands for eighteen.
        let long = format!("{}@example.org", "\u{fdfa}".repeat(100));
        assert_eq!(mail(&long).unwrap_err().code(), "INVALID");
        assert_eq!(mail(&format!("{}@example.org", "㎉".repeat(100))).unwrap_err().code(), "TOO_LARGE");
        assert_eq!(format!("{:?}", Medium::Phone("+441632960960".into())), "Medium(phone)");
    }
}

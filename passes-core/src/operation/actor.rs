//! Who gives a command, and what they may do (B-5).

use crate::id::BusinessId;
use crate::limits;
use crate::money::Money;
use crate::refusal::Refusal;
use std::fmt;
use std::sync::Arc;

macro_rules! rights {
    ($( $(#[$doc:meta])* $name:ident = $bit:literal $word:literal; )+) => {
        /// A right that a command needs.
        ///
        /// ```
        /// use passes_core::operation::Right;
        /// assert_eq!(Right::BackDate.to_string(), "back-date");
        /// assert!(Right::ALL.contains(&Right::Reveal));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum Right { $( $(#[$doc])* $name = 1 << $bit, )+ }

        impl Right {
            /// Every right.
            /// See [`Right`].
            pub const ALL: &'static [Self] = &[ $( Self::$name ),+ ];
        }

        impl fmt::Display for Right {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $( Self::$name => $word, )+ })
            }
        }
    };
}

rights! {
    /// Check and redeem passes, spend gift cards and wallets.
    Redeem = 0 "redeem";
    /// Sell passes.
    Sell = 1 "sell";
    /// Void a sale.
    Void = 2 "void";
    /// Generate lots and issue electronic passes; record their delivery.
    Issue = 3 "issue";
    /// Activate passes.
    Activate = 4 "activate";
    /// Change a pass: its expiry, value, fields, recipient; suspend, reactivate, cancel.
    Adjust = 5 "adjust";
    /// Reverse a redemption or a spend.
    Reverse = 6 "reverse";
    /// Let a reversal of spent money become a loss.
    BookLoss = 7 "book-loss";
    /// Export the codes of a lot.
    Export = 8 "export";
    /// Have a code revealed.
    Reveal = 9 "reveal";
    /// Unlock what wrong secrets have locked.
    Unlock = 10 "unlock";
    /// Date a redemption back.
    BackDate = 11 "back-date";
    /// Create and change businesses and plans.
    Configure = 12 "configure";
    /// Create and edit contacts.
    Contacts = 13 "contacts";
    /// Look at lots, passes, wallets, statements and operations.
    View = 14 "view";
    /// Present the hash of a passcode instead of the passcode.
    PresentHash = 15 "present-hash";
    /// Accept a format that is easier to guess than the business allows.
    AcceptWeakFormat = 16 "accept-weak-format";
}

/// A set of rights.
///
/// ```
/// use passes_core::operation::{Right, Rights};
/// let till = Rights::of(&[Right::Redeem, Right::Sell]);
/// assert!(till.has(Right::Sell) && !till.has(Right::Reveal));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u32);

impl Rights {
    /// These rights and no others.
    /// See [`Rights`].
    #[must_use]
    pub fn of(rights: &[Right]) -> Self {
        Self(rights.iter().fold(0, |all, right| all | *right as u32))
    }

    /// Every right there is.
    ///
    /// ```
    /// use passes_core::operation::{Right, Rights};
    /// assert!(Right::ALL.iter().all(|right| Rights::all().has(*right)));
    /// assert!(!Rights::default().has(Right::View));
    /// ```
    #[must_use]
    pub fn all() -> Self {
        Self::of(Right::ALL)
    }

    /// Whether the right is among them.
    /// See [`Rights`].
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        self.0 & right as u32 != 0
    }
}

/// Who gives a command: a person, a till, a program. The host says who it is; the library believes it.
///
/// ```
/// use passes_core::money::{Currency, Money};
/// use passes_core::operation::{Actor, Right, Rights};
/// let till = Actor::new("till-7", Rights::of(&[Right::Redeem, Right::Sell]))?
///     .at(&["Oxford Street"])
///     .up_to(&[Money::parse("200", Currency::GBP)?]);
/// assert!(till.has(Right::Sell) && !till.has(Right::Void));
/// assert_eq!(&**till.id(), "till-7");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Actor(Arc<Known>);

/// What is known of an actor: shared, because each command takes a clone of it along.
#[derive(Clone, Debug)]
struct Known {
    id: Arc<str>,
    rights: Rights,
    places: Option<Vec<Arc<str>>>,
    largest: Vec<Money>,
}

impl Actor {
    /// An actor with these rights, anywhere, up to any amount.
    /// See [`Actor`].
    ///
    /// # Errors
    /// `INVALID` when the id is empty or longer than 64 characters.
    pub fn new(id: &str, rights: Rights) -> Result<Self, Refusal> {
        limits::text("actor", id, 1, limits::NAME)?;
        Ok(Self(Arc::new(Known { id: id.into(), rights, places: None, largest: Vec::new() })))
    }

    /// Only at these places.
    /// See [`By::may`].
    #[must_use]
    pub fn at(mut self, places: &[&str]) -> Self {
        Arc::make_mut(&mut self.0).places = Some(places.iter().map(|p| Arc::from(*p)).collect());
        self
    }

    /// Only up to these amounts, one for each currency; a currency that is not listed is not allowed.
    /// See [`By::may_move`].
    #[must_use]
    pub fn up_to(mut self, largest: &[Money]) -> Self {
        Arc::make_mut(&mut self.0).largest = largest.into();
        self
    }

    /// The actor's id.
    /// See [`Actor`].
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.0.id
    }

    /// Whether the actor has the right.
    /// See [`Actor`].
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        self.0.rights.has(right)
    }

    /// The places that it is bound to; nothing if it may act anywhere.
    ///
    /// ```
    /// use passes_core::operation::{Actor, Rights};
    /// let till = Actor::new("till-7", Rights::all())?.at(&["Oxford Street"]);
    /// assert_eq!(till.places().map(<[_]>::len), Some(1));
    /// assert!(till.largest().is_empty());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn places(&self) -> Option<&[Arc<str>]> {
        self.0.places.as_deref()
    }

    /// The amounts up to which it may act, one for each currency; empty if up to any.
    /// See [`Actor::places`].
    #[must_use]
    pub fn largest(&self) -> &[Money] {
        &self.0.largest
    }
}

/// By whom, where, through which channel and why a command is given, and under which idempotency key.
///
/// ```
/// use passes_core::operation::{Actor, By, Rights};
/// # use passes_core::id::BusinessId;
/// # let business: BusinessId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// let by = By::new(business, Actor::new("till-7", Rights::all())?)
///     .place("Oxford Street")
///     .channel("pos")
///     .key("receipt-4711");
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct By {
    /// In which business.
    pub business: BusinessId,
    /// Who.
    pub actor: Actor,
    /// Where: store, till, dealer.
    pub place: Option<Arc<str>>,
    /// Through which channel.
    pub channel: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// The idempotency key.
    pub key: Option<Arc<str>>,
}

impl By {
    /// By this actor in this business.
    /// See [`By`].
    #[must_use]
    pub fn new(business: BusinessId, actor: Actor) -> Self {
        Self { business, actor, place: None, channel: None, reason: None, key: None }
    }

    /// At this place: a store, a till, a dealer; at most 64 characters.
    /// See [`By`].
    #[must_use]
    pub fn place(mut self, place: &str) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Through this channel; at most 64 characters.
    /// See [`By`].
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.into());
        self
    }

    /// For this reason; at most 500 characters.
    /// See [`By`].
    #[must_use]
    pub fn reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Under this idempotency key; at most 128 characters.
    /// See [`By`].
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Whether the actor may do this here.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right or outside the actor's places; `INVALID` for texts that are too long.
    ///
    /// ```
    /// # use passes_core::{id::BusinessId, operation::{Actor, By, Right, Rights}};
    /// let clerk = Actor::new("bob", Rights::of(&[Right::Sell]))?.at(&["Oxford Street"]);
    /// let by = By::new(BusinessId::STORE, clerk);
    /// assert_eq!(by.may(Right::Sell).unwrap_err().code(), "FORBIDDEN"); // Not from just anywhere.
    /// let by = by.place("Oxford Street");
    /// assert!(by.may(Right::Sell).is_ok() && by.may(Right::Void).is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn may(&self, right: Right) -> Result<(), Refusal> {
        let forbidden = |why: &str| {
            std::hint::cold_path();
            Refusal::Forbidden { right: right.to_string(), why: why.to_owned() }
        };
        if !self.actor.has(right) {
            return Err(forbidden("the actor lacks it"));
        }
        if let Some(places) = &self.actor.0.places
            && !self.place.as_ref().is_some_and(|here| places.contains(here))
        {
            return Err(forbidden("not at this place"));
        }
        for (field, text, most) in [
            ("place", &self.place, limits::NAME),
            ("channel", &self.channel, limits::NAME),
            ("reason", &self.reason, limits::TEXT),
            ("idempotency key", &self.key, limits::KEY),
        ] {
            if let Some(text) = text {
                limits::text(field, text, 1, most)?;
            }
        }
        Ok(())
    }

    /// Whether the actor may move this amount.
    ///
    /// # Errors
    /// `FORBIDDEN` above the actor's largest amount.
    ///
    /// ```
    /// # use passes_core::{id::BusinessId, money::{Currency, Money}, operation::{Actor, By, Right, Rights}};
    /// let most = Money::parse("200", Currency::GBP)?;
    /// let by = By::new(BusinessId::STORE, Actor::new("bob", Rights::all())?.up_to(&[most]));
    /// assert!(by.may_move(Right::Sell, most).is_ok());
    /// assert!(by.may_move(Right::Sell, most.times(2)?).is_err());
    /// assert!(by.may_move(Right::Sell, Money::parse("1", Currency::EUR)?).is_err());
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn may_move(&self, right: Right, amount: Money) -> Result<(), Refusal> {
        let largest = &self.actor.0.largest;
        let allowed = largest.is_empty()
            || largest.iter().any(|l| l.currency() == amount.currency() && l.minor() >= amount.minor());
        if allowed {
            return Ok(());
        }
        std::hint::cold_path();
        Err(Refusal::Forbidden {
            right: right.to_string(),
            why: format!("{amount} is above the actor's largest amount"),
        })
    }
}

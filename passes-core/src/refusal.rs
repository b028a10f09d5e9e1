//! Why a command was not carried out: one type for every refusal, with a stable code, the values that
//! matter, a sentence for people and what would help.

use crate::calendar::Instant;
use crate::money::{Currency, Money};
use std::fmt;

macro_rules! refusals {
    ($( $(#[$doc:meta])* $name:ident $( { $( $field:ident : $ty:ty ),+ } )? = $code:literal, $say:literal, $fix:literal; )+) => {
        /// Why a command was not carried out.
        ///
        /// The order of the variants is the order of precedence: of several refusals the one that comes
        /// first here is told first.
        ///
        /// ```
        /// use passes_core::Refusal;
        /// let refusal = Refusal::TypingError;
        /// assert_eq!(refusal.code(), "TYPING_ERROR");
        /// assert!(refusal.to_string().contains("typing error"));
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Refusal {
            $( $(#[$doc])* $name $( { $(
                #[doc = concat!("The value `", stringify!($field), "` of the refusal.")]
                $field: $ty
            ),+ } )?, )+
        }

        impl Refusal {
            /// Every code there is, in order of precedence.
            ///
            /// ```
            /// use passes_core::Refusal;
            /// assert_eq!(Refusal::CODES[0], "FORBIDDEN");
            /// assert_eq!(Refusal::CODES[Refusal::UnknownCode.rank()], "UNKNOWN_CODE");
            /// ```
            pub const CODES: &'static [&'static str] = &[ $( $code ),+ ];

            /// The stable, machine-readable code.
            /// See [`Refusal`].
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $( Self::$name $( { $( $field: _ ),+ } )? => $code, )+ }
            }

            /// What would help, for people. Empty when nothing would.
            ///
            /// ```
            /// use passes_core::Refusal;
            /// let refusal = Refusal::PassSuspended { what: "lot" };
            /// assert_eq!(refusal.fix(), "reactivate the lot");
            /// assert_eq!(refusal.values(), [("what", "lot".to_owned())]);
            /// ```
            #[must_use]
            pub fn fix(&self) -> String {
                match self { $( Self::$name $( { $( $field ),+ } )? => { $( $( let _ = $field; )+ )? format!($fix) } )+ }
            }

            /// The values that matter, by name.
            /// See [`Refusal::fix`].
            #[must_use]
            pub fn values(&self) -> Vec<(&'static str, String)> {
                match self { $( Self::$name $( { $( $field ),+ } )? => vec![ $( $( (stringify!($field), $field.to_string()) ),+ )? ], )+ }
            }

            /// Its place in the order of precedence; lower is told first.
            /// See [`Refusal::CODES`].
            #[must_use]
            pub fn rank(&self) -> usize {
                let code = self.code();
                Self::CODES.iter().position(|c| *c == code).unwrap_or(usize::MAX)
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $( Self::$name $( { $( $field ),+ } )? => { $( $( let _ = $field; )+ )? write!(f, $say) } )+ }
            }
        }
    };
}

refusals! {
    /// The actor lacks the right, the place or the largest amount (B-5).
    Forbidden { right: String, why: String } = "FORBIDDEN", "this needs the right to {right}: {why}", "ask somebody who has the right";
    /// A text, number, list or file is outside what is accepted (Z-3).
    Invalid { field: String, why: String } = "INVALID", "{field}: {why}", "correct {field}";
    /// More than the documented maximum (Z-3).
    TooLarge { field: String, size: u64, largest: u64 } = "TOO_LARGE", "{field} has {size}, the largest accepted is {largest}", "send less at a time";
    /// Not an ISO 4217 currency, or not one of the business's.
    UnknownCurrency { currency: String } = "UNKNOWN_CURRENCY", "{currency} is no currency that can be used here", "use an enabled ISO 4217 currency";
    /// An amount with more decimals than its currency has.
    TooManyDecimals { amount: String, currency: Currency, decimals: u32 } = "TOO_MANY_DECIMALS", "{amount} has more decimals than the {decimals} of {currency}", "round the amount";
    /// An amount that must be above zero, or is beyond what can be counted.
    BadAmount { amount: String, why: String } = "BAD_AMOUNT", "the amount {amount} can't be used: {why}", "give another amount";
    /// Two amounts of different currencies met in one operation.
    MixedCurrencies { left: Currency, right: Currency } = "MIXED_CURRENCIES", "{left} and {right} can't be mixed", "use one currency";
    /// Arithmetic went beyond the range.
    Overflow = "OVERFLOW", "the numbers are too large to be added", "use smaller amounts";
    /// The same idempotency key was used for another request (R-5).
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", "this key was already used for another request", "use a new key for a new request";
    /// The redemption was reversed by its key before it arrived (R-12).
    ReversedBefore = "REVERSED_BEFORE_IT_CAME", "this request was reversed before it came", "use a new key to redeem";
    /// Not a passcode at all.
    Malformed = "MALFORMED", "this can't be a passcode", "type the letters and digits of the code";
    /// The check character tells that the code was mistyped (C-2).
    TypingError = "TYPING_ERROR", "the passcode has a typing error", "compare it with the card and type it again";
    /// No pass has this code.
    UnknownCode = "UNKNOWN_CODE", "no pass has this code", "compare it with the card and type it again";
    /// What the command names does not exist in this business.
    NotFound { what: &'static str, id: String } = "NOT_FOUND", "there is no {what} {id}", "look the id up";
    /// The pass is a draft: not activated, or not delivered.
    PassDraft = "PASS_DRAFT", "the pass is not active yet", "sell it, activate it or confirm its delivery";
    /// The pass, its lot or its plan is suspended (L-6).
    PassSuspended { what: &'static str } = "PASS_SUSPENDED", "the {what} is suspended", "reactivate the {what}";
    /// The pass was used up.
    PassRedeemed = "PASS_REDEEMED", "the pass has been redeemed", "";
    /// The pass was cancelled.
    PassCancelled = "PASS_CANCELLED", "the pass was cancelled", "";
    /// The command is not allowed in the state of what it names (L-1).
    WrongState { what: &'static str, state: String, command: String } = "WRONG_STATE", "a {what} that is {state} can't {command}", "";
    /// Before the start date (P-4).
    NotStarted { from: Instant } = "NOT_STARTED", "the pass can be redeemed from {from}", "come back after {from}";
    /// Outside the weekdays and hours, or on a blackout date (P-4).
    OutsideHours { opens: String } = "OUTSIDE_HOURS", "the pass can't be redeemed now; next: {opens}", "opens {opens}";
    /// After the last moment at which it can be redeemed (P-4, W-4).
    Expired { at: Instant } = "PASS_EXPIRED", "the pass could be redeemed until {at}", "ask for a later expiry";
    /// No use is left.
    UsesSpent { uses: u32 } = "USES_SPENT", "all {uses} uses are spent", "";
    /// A variable value has not been set.
    ValueNotSet = "VALUE_NOT_SET", "the value of the pass has not been set", "set the value";
    /// The value is outside the plan's range (P-3).
    ValueOutOfRange { value: Money, least: Money, most: Money } = "VALUE_OUT_OF_RANGE", "{value} is not between {least} and {most}", "choose a value in the range";
    /// The redemption needs a contact.
    ContactRequired = "CONTACT_REQUIRED", "a contact is needed", "name a contact";
    /// The contact named is not registered with the business.
    ContactUnknown { contact: String } = "CONTACT_NOT_REGISTERED", "contact {contact} is not registered", "register the contact first";
    /// The pass belongs to another contact.
    NotThisContact = "NOT_THIS_CONTACT", "the pass belongs to another contact", "";
    /// The wallet holds another currency (W-2).
    WalletCurrency { wallet: Currency, pass: Currency } = "WALLET_CURRENCY", "the wallet holds {wallet}, the pass {pass}", "allow a second currency, or use another wallet";
    /// Nothing in the basket may be paid with this (P-8).
    NoEligibleProducts = "NO_ELIGIBLE_PRODUCTS", "nothing in the basket can be paid with this", "";
    /// The money may not be spent at this place (P-8).
    WrongPlace { place: String } = "WRONG_PLACE", "it can't be used at {place}", "use it at one of its places";
    /// The basket is below the minimum (P-8).
    BelowMinimum { short: Money } = "BELOW_MINIMUM", "the basket is {short} below the minimum", "add {short} to the basket";
    /// The balance does not cover the amount.
    BalanceTooSmall { short: Money } = "BALANCE_TOO_SMALL", "the balance is short by {short}", "pay {short} by other means";
    /// A lot that its format can't hold, or that would be too easy to guess (C-4).
    FormatTooShort { length: u32, needed: u32, why: String } = "FORMAT_TOO_SHORT", "codes of {length} characters are too short: {why}", "use at least {needed} characters";
    /// The format can't have the check that was asked for, or is malformed (C-1, C-2).
    BadFormat { why: String } = "BAD_FORMAT", "the passcode format can't be used: {why}", "correct the format";
    /// The plan has passes, so it can't be changed or deleted (P-11).
    PlanFrozen { field: String } = "PLAN_FROZEN", "the plan has passes: {field} can't be changed", "copy it into a new plan";
    /// More passes, or more value, than the plan's cap (P-15).
    PlanCap { what: &'static str, cap: i64, left: i64 } = "PLAN_CAP", "the plan's cap of {cap} {what} leaves {left}", "raise the cap";
    /// The code can't be brought back (C-7).
    CodeNotRecoverable = "CODE_NOT_RECOVERABLE", "the code can't be brought back", "reissue the pass";
    /// The export was closed (C-6).
    ExportClosed = "EXPORT_CLOSED", "the export of this lot is closed", "";
    /// A second export needs a reason (B-5).
    ReasonRequired { command: String } = "REASON_REQUIRED", "{command} needs a reason", "give a reason";
    /// A reversal of something that can't be reversed: another reversal, a sale, a lot (R-6).
    NotReversible { kind: String } = "NOT_REVERSIBLE", "a {kind} can't be reversed", "";
    /// It was reversed already, wholly.
    AlreadyReversed = "ALREADY_REVERSED", "this was reversed already", "";
    /// More than what is left to reverse.
    ReversalTooLarge { left: Money } = "REVERSAL_TOO_LARGE", "only {left} is left to reverse", "reverse at most {left}";
    /// The money of the redemption has been spent (R-6).
    AlreadySpent { amount: Money } = "ALREADY_SPENT", "{amount} of the money has been spent", "reverse the spends first, or allow the loss";
    /// The time in which it can be undone is over (L-8).
    TooLate { until: Instant } = "TOO_LATE", "this could be done until {until}", "";
    /// The pass has been used (L-8).
    PassUsed = "PASS_USED", "the pass has been used", "";
    /// It is taken: a contact's medium, a host's reference, an id.
    Taken { what: &'static str } = "TAKEN", "this {what} is taken", "use another {what}";
    /// A custom field's value breaks its definition (X-1).
    BadField { field: String, why: String } = "BAD_FIELD", "custom field {field}: {why}", "correct the value";
    /// A line of a file can't be read (P-14).
    BadFile { line: u64, field: String, why: String } = "BAD_FILE", "line {line}, {field}: {why}", "correct the line";
}

/// Sorts refusals by precedence, the one to tell first in front, and drops repetitions.
///
/// ```
/// use passes_core::{Refusal, refusal::by_precedence};
/// let told = by_precedence(vec![Refusal::UnknownCode, Refusal::Malformed, Refusal::UnknownCode]);
/// assert_eq!(told, [Refusal::Malformed, Refusal::UnknownCode]);
/// ```
#[must_use]
pub fn by_precedence(mut refusals: Vec<Refusal>) -> Vec<Refusal> {
    if refusals.len() > 1 {
        refusals.sort_by_key(Refusal::rank);
        refusals.dedup();
    }
    refusals
}

impl Refusal {
    /// A refusal of one input with the reason.
    ///
    /// ```
    /// let refusal = passes_core::Refusal::invalid("count", "must be above zero");
    /// assert_eq!(refusal.to_string(), "count: must be above zero");
    /// ```
    #[must_use]
    #[cold]
    pub fn invalid(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), why: why.into() }
    }

    /// What was wrong and what would help, for an error that tells the field and the line itself.
    pub(crate) fn in_file(&self) -> String {
        match self {
            Self::Invalid { why, .. } => why.clone(),
            other => format!("{other}; {}", other.fix()),
        }
    }
}

impl std::error::Error for Refusal {}

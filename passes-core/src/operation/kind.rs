//! The kinds of operations.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident = $number:literal $word:literal; )+) => {
        /// Which command an operation was.
        ///
        /// ```
        /// use passes_core::operation::Kind;
        /// assert_eq!((Kind::Redeem.number(), Kind::Redeem.to_string().as_str()), (13, "redemption"));
        /// assert!(Kind::ALL.iter().all(|kind| Kind::from_number(kind.number()) == Some(*kind)));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Kind { $( $(#[$doc])* $name = $number, )+ }

        impl Kind {
            /// Every kind, in the order of its number.
            /// See [`Kind`].
            pub const ALL: &'static [Self] = &[ $( Self::$name ),+ ];

            /// The number under which a store keeps it.
            /// See [`Kind`].
            #[must_use]
            pub fn number(self) -> u8 { self as u8 }

            /// The kind with this number.
            /// See [`Kind`].
            #[must_use]
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $( $number => Some(Self::$name), )+ _ => None }
            }
        }

        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $( Self::$name => $word, )+ })
            }
        }
    };
}

kinds! {
    /// A business was created or its settings changed.
    Configure = 1 "configuration";
    /// A plan was created, changed, activated, archived or deleted.
    Plan = 2 "plan";
    /// A contact was created or edited.
    Contact = 3 "contact";
    /// The generation of a lot began.
    Generate = 4 "generation";
    /// A chunk of a run.
    Step = 5 "step";
    /// A run was cancelled.
    CancelRun = 6 "cancelled run";
    /// An electronic pass was issued.
    Issue = 7 "issue";
    /// The outcome of a delivery was recorded.
    Deliver = 8 "delivery";
    /// An electronic pass was sent again.
    Resend = 9 "resend";
    /// Passes were activated by hand.
    Activate = 10 "activation";
    /// Passes were sold.
    Sell = 11 "sale";
    /// A sale was voided.
    VoidSale = 12 "voided sale";
    /// A pass was redeemed into a wallet.
    Redeem = 13 "redemption";
    /// A gift card was spent directly.
    SpendPass = 14 "direct spend";
    /// A wallet was spent.
    Spend = 15 "spend";
    /// A redemption or a spend was reversed.
    Reverse = 16 "reversal";
    /// A redemption was reversed by its key before it came.
    Stop = 17 "stop";
    /// Passes, a lot or a plan were suspended.
    Suspend = 18 "suspension";
    /// Passes, a lot or a plan were reactivated.
    Reactivate = 19 "reactivation";
    /// Passes were cancelled.
    Cancel = 20 "cancellation";
    /// A pass's expiry, value, custom fields or recipient was changed.
    Change = 21 "change";
    /// Codes were exported.
    Export = 22 "export";
    /// An export was closed.
    CloseExport = 23 "closed export";
    /// A code was revealed.
    Reveal = 24 "reveal";
    /// A bulk command began.
    Bulk = 25 "bulk command";
}

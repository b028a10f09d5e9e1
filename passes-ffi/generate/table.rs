//! What can't be known from the core's source: types that each face has in its own way, names, and what is left out.

/// Types that each face writes by hand, once, because its language has one of its own (`BigDecimal`, `Instant`) or
/// because what is inside stays inside. The faces convert them both ways by the same traits as all else.
pub(crate) const LEAVES: &[&str] = &[
    "Actor",
    "Basket",
    "Checkpoint",
    "CodeHash",
    "Currency",
    "Date",
    "Decimal",
    "Instant",
    "Money",
    "Passcode",
    "Period",
    "Refusal",
    "TimeOfDay",
    "Zone",
];

/// Leaves whose content is a secret: no text of them may show it, in any language (C-13).
pub(crate) const SECRETS: &[&str] = &["CodeHash", "Passcode"];

/// Names that mean something else where no module says whose they are: the core's, and the faces'.
pub(crate) const RENAMED: &[(&str, &str)] = &[
    ("Kind", "OperationKind"),
    ("Of", "ReversalOf"),
    ("Part", "ReversalPart"),
    ("Span", "PassSpan"),
    ("Unit", "LedgerUnit"),
    ("Whole", "SuspendedWhole"),
];

/// Tuples: of what, the name of the record that stands for it, its fields, and what it is.
pub(crate) const TUPLES: &[(&[&str], &str, &[&str], &str)] = &[
    (&["PassId", "PassId"], "Replacement", &["old", "new"], "A pass and the one that replaces it."),
    (
        &["u32", "Money"],
        "LineAmount",
        &["line", "amount"],
        "An amount of a line of a basket, by its place from 0.",
    ),
    (&["Account", "Subject"], "Side", &["account", "subject"], "One side of a ledger entry."),
    (&["Position", "Instant"], "Kept", &["position", "at"], "The last operation that is still there."),
    (
        &["Receipt", "Passcode"],
        "Revealed",
        &["receipt", "code"],
        "A code that was revealed, or none if it can't be.",
    ),
    (&["By", "Redeem"], "Asked", &["by", "request"], "A redemption of several, and who asks for it."),
];

/// What a generic type is called: a `Receipt` of `Redeemed` is a `RedeemedReceipt`, a `Listed` of `LotView` a `LotPage`.
pub(crate) const GENERICS: &[(&str, &str)] =
    &[("Receipt", "Receipt"), ("Listed", "Page"), ("Check", "Check")];

/// Enums that a macro defines: the macro, the name, and what it is.
pub(crate) const MACRO_ENUMS: &[(&str, &str, &str)] = &[
    ("kinds", "Kind", "Which command an operation was."),
    ("rights", "Right", "What an actor may be granted."),
];

/// Methods of `Passes` that no face carries as they are, and why.
pub(crate) const LEFT_OUT: &[(&str, &str)] = &[
    ("open", "each face opens by an address and a keyring, or on a store written in its language"),
    ("store", "a store is what a face is opened on; its trait is no part of the faces"),
];

/// Types that are taken inside of leaves, or by functions beside the methods.
pub(crate) const ALSO_TAKEN: &[&str] = &["ExportRow", "Line", "Right"];

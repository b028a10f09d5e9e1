//! The names of what can drift: each is said once, here.

macro_rules! names {
    ($( $name:ident = $text:literal, )+) => {
        $( pub(in crate::service) const $name: &str = $text; )+

        /// All of them.
        pub(in crate::service) const ALL: &[&str] = &[ $( $text ),+ ];
    };
}

names! {
    PASS_BALANCE = "pass balance",
    PASS_GRANTED = "pass granted",
    PASS_VALUE = "pass value",
    PASS_USES = "pass uses",
    PASS_LIMIT = "pass limit",
    PASS_MISSING = "pass missing",
    PASS_LAST = "pass last",
    PASS_CODES = "pass codes",
    CREDIT = "credit",
    CREDIT_MISSING = "credit missing",
    CREDIT_LAST = "credit last",
    HISTORY = "history",
    BOUND = "bound",
    LOT_BALANCE = "lot balance",
    LOT_PASSES = "lot passes",
    LOT_CODES = "lot codes",
    LOT_EXPORTS = "lot exports",
    LOT_CANCELLED = "lot cancelled",
    LOT_DELIVERY = "lot delivery",
    PLAN_PASSES = "plan passes",
    PLAN_VALUE = "plan value",
    FORMAT = "format",
    FORMAT_CODES = "format codes",
    TALLY = "tally",
    RUN = "run",
    CURRENCIES = "contact currencies",
    MEDIUM = "medium",
    SUCCESSOR = "successor",
    REVERSAL = "reversal",
    REFUSALS = "refusals",
    ENTRY = "entry",
    ENTRY_OPERATION = "entry operation",
    BOOKS = "books",
    OPERATION = "operation",
    OPERATION_MOMENT = "operation moment",
    OPERATION_ENTRIES = "operation entries",
    EVENTS = "events",
    KEY = "key",
    PARENT = "parent",
    DOCUMENT = "document",
    TWICE = "twice",
    ORDER = "order",
    STORE = "store",
}

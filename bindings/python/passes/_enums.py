# Made from the source of the library; `cargo xtask test python` says when it is old.
"""The enums of the library."""

from enum import Enum as _Enum


class Account(_Enum):
    """An account of the ledger. The list is short and fixed; `Account.ALL` is it."""

    RECEIVED = "received"
    """Value that somebody paid for comes from here."""
    GRANTED = "granted"
    """Value that was given comes from here."""
    LOSS = "loss"
    """Value that nobody paid or gave: an offline spend beyond the balance, a reversal of spent money."""
    OUTSTANDING = "outstanding"
    """Value on passes. Its subject is a pass, or a range of serial numbers with one amount for each."""
    CREDIT = "credit"
    """Value in wallets. Its subject is a credit."""
    SETTLED = "settled"
    """Value that was used: goods and services were handed over for it."""
    BREAKAGE = "breakage"
    """Value that expired or was forfeited."""
    REFUNDED = "refunded"
    """Value whose price was given back."""
    CASHED_OUT = "cashed_out"
    """Value paid out in money."""
    UNCLAIMED = "unclaimed"
    """Dormant value handed to the state."""
    CORRECTION = "correction"
    """Value changed by hand."""


class ActiveOn(_Enum):
    """What makes an electronic pass active: the channel's word that it took the message, or that it arrived.
    See `Settings.active_on`.
    """

    CONFIRMED = "confirmed"
    """The delivery was confirmed."""
    ACCEPTED = "accepted"
    """The channel accepted it."""


class Classification(_Enum):
    """What kind of passes a plan makes (P-1).
    See `Terms.fixed`.
    """

    GIFT = "gift"
    """A gift card: redeemed into a wallet, or spent directly in parts."""
    TOP_UP = "top_up"
    """A top-up voucher: redeemed into an existing contact's wallet."""


class Form(_Enum):
    """Whether passes are printed in lots or issued one by one (P-2).
    See `Terms.fixed`.
    """

    ELECTRONIC = "electronic"
    """Issued to one recipient through a channel."""
    PRINTED = "printed"
    """Generated in lots for the printing house."""


class Mark(_Enum):
    """Whether money was received for value, or it was given."""

    GRANTED = "granted"
    """Given."""
    PAID = "paid"
    """Paid for."""


class OperationKind(_Enum):
    """Which command an operation was."""

    CONFIGURE = "configure"
    """A business was created or its settings changed."""
    PLAN = "plan"
    """A plan was created, changed, activated, archived or deleted."""
    CONTACT = "contact"
    """A contact was created or edited."""
    GENERATE = "generate"
    """The generation of a lot began."""
    STEP = "step"
    """A chunk of a run."""
    CANCEL_RUN = "cancel_run"
    """A run was cancelled."""
    ISSUE = "issue"
    """An electronic pass was issued."""
    DELIVER = "deliver"
    """The outcome of a delivery was recorded."""
    RESEND = "resend"
    """An electronic pass was sent again."""
    ACTIVATE = "activate"
    """Passes were activated by hand."""
    SELL = "sell"
    """Passes were sold."""
    VOID_SALE = "void_sale"
    """A sale was voided."""
    REDEEM = "redeem"
    """A pass was redeemed into a wallet."""
    SPEND_PASS = "spend_pass"
    """A gift card was spent directly."""
    SPEND = "spend"
    """A wallet was spent."""
    REVERSE = "reverse"
    """A redemption or a spend was reversed."""
    STOP = "stop"
    """A redemption was reversed by its key before it came."""
    SUSPEND = "suspend"
    """Passes, a lot or a plan were suspended."""
    REACTIVATE = "reactivate"
    """Passes, a lot or a plan were reactivated."""
    CANCEL = "cancel"
    """Passes were cancelled."""
    CHANGE = "change"
    """A pass's expiry, value, custom fields or recipient was changed."""
    EXPORT = "export"
    """Codes were exported."""
    CLOSE_EXPORT = "close_export"
    """An export was closed."""
    REVEAL = "reveal"
    """A code was revealed."""
    BULK = "bulk"
    """A bulk command began."""


class PassOrder(_Enum):
    """The order of a list of passes.
    See `Passes.passes`.
    """

    SERIAL = "serial"
    """By serial number."""
    EXPIRY = "expiry"
    """By the end of validity, soonest first, never last; then by serial number."""


class PlanState(_Enum):
    """The states of a plan."""

    DRAFT = "draft"
    """Being written: makes no passes."""
    ACTIVE = "active"
    """Makes passes."""
    ARCHIVED = "archived"
    """Makes no new passes; those there are live on."""
    DELETED = "deleted"
    """Deleted, before it had a pass."""


class Rest(_Enum):
    """Where what is left of a cancelled pass's value goes (L-3).
    See `Passes.cancel`.
    """

    REFUND = "refund"
    """Its price is given back, outside the library."""
    FORFEIT = "forfeit"
    """It is forfeited."""
    REISSUE = "reissue"
    """It goes onto a new pass, which takes the old one's place."""


class Right(_Enum):
    """What an actor may be granted."""

    REDEEM = "redeem"
    """Check and redeem passes, spend gift cards and wallets."""
    SELL = "sell"
    """Sell passes."""
    VOID = "void"
    """Void a sale."""
    ISSUE = "issue"
    """Generate lots and issue electronic passes; record their delivery."""
    ACTIVATE = "activate"
    """Activate passes."""
    ADJUST = "adjust"
    """Change a pass: its expiry, value, fields, recipient; suspend, reactivate, cancel."""
    REVERSE = "reverse"
    """Reverse a redemption or a spend."""
    BOOK_LOSS = "book_loss"
    """Let a reversal of spent money become a loss."""
    EXPORT = "export"
    """Export the codes of a lot."""
    REVEAL = "reveal"
    """Have a code revealed."""
    UNLOCK = "unlock"
    """Unlock what wrong secrets have locked."""
    BACK_DATE = "back_date"
    """Date a redemption back."""
    CONFIGURE = "configure"
    """Create and change businesses and plans."""
    CONTACTS = "contacts"
    """Create and edit contacts."""
    VIEW = "view"
    """Look at lots, passes, wallets, statements and operations."""
    PRESENT_HASH = "present_hash"
    """Present the hash of a passcode instead of the passcode."""
    ACCEPT_WEAK_FORMAT = "accept_weak_format"
    """Accept a format that is easier to guess than the business allows."""


class RunState(_Enum):
    """Where a run stands.
    See `Run`.
    """

    RUNNING = "running"
    """It can be stepped."""
    DONE = "done"
    """It is through."""
    CANCELLED = "cancelled"
    """It was cancelled: what was done stays."""


class Secrecy(_Enum):
    """Whether an actor with the right can have a code brought back (C-7)."""

    SEALED = "sealed"
    """A code can be revealed or delivered again, by an actor with the right."""
    HASHED = "hashed"
    """Once its export is closed or its first delivery acknowledged, no one can bring a code back."""


class State(_Enum):
    """The state of a pass, as it counts: *Redeemed* follows from its balance, *Suspended* from a mark on it, on
    its lot or on its plan. Not yet valid, partly used and expired are not states.
    """

    DRAFT = "draft"
    """Not activated, or not delivered."""
    ACTIVE = "active"
    """Can be redeemed."""
    SUSPENDED = "suspended"
    """Would be active, but it, its lot or its plan is suspended."""
    REDEEMED = "redeemed"
    """Used up."""
    CANCELLED = "cancelled"
    """Cancelled."""


class Used(_Enum):
    """How far a pass is used.
    See `PassFilter`.
    """

    NO = "no"
    """Not at all."""
    PARTLY = "partly"
    """Some of it."""
    YES = "yes"
    """All of it."""


class Weekday(_Enum):
    """A day of the week. Serde form: `mon` to `sun`."""

    MON = "mon"
    """Monday, on which weeks start unless a business says otherwise."""
    TUE = "tue"
    """Tuesday."""
    WED = "wed"
    """Wednesday."""
    THU = "thu"
    """Thursday."""
    FRI = "fri"
    """Friday."""
    SAT = "sat"
    """Saturday."""
    SUN = "sun"
    """Sunday."""

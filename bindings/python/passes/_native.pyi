# Made from the source of the library; `cargo xtask test python` says when it is old.
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date as _date, datetime as _datetime, time as _time
from decimal import Decimal
from os import PathLike
from typing import Any, final
from uuid import UUID
from zoneinfo import ZoneInfo

from typing_extensions import disjoint_base

from ._enums import (
    Account,
    ActiveOn,
    Classification,
    Form,
    Mark,
    OperationKind,
    PassOrder,
    PlanState,
    Rest,
    Right,
    RunState,
    Secrecy,
    State,
    Used,
    Weekday,
)
from .errors import PassesError
from .store import RecordStore

__all__ = [
    "Actor",
    "Alphabet",
    "Asked",
    "AsyncPasses",
    "Basket",
    "Booking",
    "BusinessId",
    "By",
    "CODES",
    "Caps",
    "Changed",
    "ChangedReceipt",
    "Channel",
    "Checkpoint",
    "CodeHash",
    "Conditions",
    "Contact",
    "ContactId",
    "ContactReceipt",
    "CountReceipt",
    "CreditId",
    "CreditView",
    "Credited",
    "Currency",
    "Deal",
    "Definition",
    "Drift",
    "Event",
    "Expiry",
    "ExportRow",
    "FieldType",
    "FixedClock",
    "Format",
    "Generate",
    "Home",
    "Hours",
    "Issue",
    "Issued",
    "IssuedReceipt",
    "Kept",
    "Keyring",
    "LedgerUnit",
    "Liability",
    "Line",
    "LineAmount",
    "LineCursor",
    "LotId",
    "LotPage",
    "LotStarted",
    "LotStartedReceipt",
    "LotView",
    "Medium",
    "Money",
    "OperationFilter",
    "OperationId",
    "OperationPage",
    "OperationView",
    "Outcome",
    "Over",
    "PaidBy",
    "PaidLine",
    "PassCursor",
    "PassFilter",
    "PassId",
    "PassLine",
    "PassLineCursor",
    "PassLinePage",
    "PassPage",
    "PassSpan",
    "PassView",
    "Passcode",
    "Passes",
    "Period",
    "Plan",
    "PlanId",
    "PlanPage",
    "PlanReceipt",
    "Pocket",
    "PocketKey",
    "Pool",
    "Position",
    "Presented",
    "Profile",
    "Progress",
    "Receipt",
    "Recipient",
    "Redeem",
    "RedeemBy",
    "Redeemed",
    "RedeemedCheck",
    "RedeemedReceipt",
    "Refusal",
    "Refusals",
    "Replacement",
    "Returned",
    "Revealed",
    "ReversalOf",
    "ReversalPart",
    "Reverse",
    "Reversed",
    "ReversedReceipt",
    "RunId",
    "RunReceipt",
    "Sale",
    "SaleId",
    "Settings",
    "Side",
    "Since",
    "Spec",
    "Spend",
    "SpendBy",
    "Spent",
    "SpentCheck",
    "SpentReceipt",
    "Subject",
    "SuspendedWhole",
    "Target",
    "Terms",
    "TermsId",
    "TimeOfDay",
    "Told",
    "Usage",
    "VERSION",
    "Value",
    "Verified",
    "Wallet",
    "WalletLine",
    "WalletLinePage",
    "Windows",
    "Worth",
    "conformance_cases",
    "export_csv",
    "open",
    "open_async",
    "open_on",
    "open_on_async",
    "plan_from_toml",
    "plan_to_toml",
    "run_conformance_case",
]

VERSION: str
CODES: tuple[str, ...]

@final
class Currency:
    """A currency of ISO 4217."""
    __match_args__ = ("code",)
    def __new__(cls, code: str) -> Currency: ...
    @property
    def code(self) -> str:
        """Its code of three letters."""
    @property
    def numeric(self) -> int:
        """Its number."""
    @property
    def decimals(self) -> int:
        """How many decimals an amount of it has."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Money:
    """An exact amount of a currency.

    The amount is a `decimal.Decimal` or an `int`: a float, a bool, a NaN and more decimals than the currency has
    are refused.
    """
    __match_args__ = ("amount", "currency")
    def __new__(cls, amount: Decimal | int, currency: Currency | str) -> Money: ...
    @staticmethod
    def parse(text: str) -> Money:
        """Reads an amount with its currency: `25.00 GBP`."""
    @staticmethod
    def from_minor(minor: int, currency: Currency | str) -> Money:
        """So many minor units: pence, cents, yen."""
    @property
    def amount(self) -> Decimal:
        """The amount, with all decimals of its currency."""
    @property
    def minor(self) -> int:
        """The amount in minor units."""
    @property
    def currency(self) -> Currency:
        """The currency."""
    def __add__(self, other: Money, /) -> Money: ...
    def __radd__(self, other: Money, /) -> Money: ...
    def __sub__(self, other: Money, /) -> Money: ...
    def __rsub__(self, other: Money, /) -> Money: ...
    def __mul__(self, times: int, /) -> Money: ...
    def __rmul__(self, times: int, /) -> Money: ...
    def __bool__(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: Money, /) -> bool: ...
    def __gt__(self, other: Money, /) -> bool: ...
    def __le__(self, other: Money, /) -> bool: ...
    def __lt__(self, other: Money, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Period:
    """A period of the calendar: years and months, weeks and days, and perhaps on to the end of its month or year."""
    def __new__(
        cls,
        *,
        years: int = 0,
        months: int = 0,
        weeks: int = 0,
        days: int = 0,
        to_end_of: str | None = None,
    ) -> Period: ...
    @staticmethod
    def parse(text: str) -> Period:
        """Reads a period: `P1Y6M`, `P3Y to end of year`."""
    @property
    def years(self) -> int:
        """Its years."""
    @property
    def months(self) -> int:
        """Its months."""
    @property
    def weeks(self) -> int:
        """Its weeks."""
    @property
    def days(self) -> int:
        """Its days."""
    @property
    def to_end_of(self) -> str | None:
        """`month` or `year`, where it runs on to the end of one."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class TimeOfDay:
    """A time of the day, to the minute, from 00:00 to 24:00: `datetime.time` has no 24:00."""
    def __new__(cls, text: str) -> TimeOfDay: ...
    @property
    def minutes(self) -> int:
        """Minutes since midnight, as clocks show them."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: TimeOfDay, /) -> bool: ...
    def __gt__(self, other: TimeOfDay, /) -> bool: ...
    def __le__(self, other: TimeOfDay, /) -> bool: ...
    def __lt__(self, other: TimeOfDay, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Passcode:
    """A passcode. It shows itself to nobody but who asks by `reveal`, and isn't pickled."""
    def __new__(cls, text: str) -> Passcode: ...
    def reveal(self) -> str:
        """The code."""
    def mask(self) -> str:
        """The code with all but its last characters hidden."""
    def hash(self, business: BusinessId) -> CodeHash:
        """Its hash, which may be presented instead of it where the business takes hashes.

        Errors: `MALFORMED`.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class CodeHash:
    """The hash of a passcode: as secret as the code. It isn't pickled."""
    @staticmethod
    def from_hex(text: str) -> CodeHash:
        """Reads 64 hexadecimal digits."""
    def reveal_hex(self) -> str:
        """64 hexadecimal digits."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Actor:
    """Who gives a command: a person, a till, a program; with rights, perhaps only at some places and up to some amounts."""
    def __new__(
        cls,
        id: str,
        rights: Iterable[Right],
        *,
        places: Sequence[str] | None = None,
        largest: Sequence[Money] | None = None,
    ) -> Actor: ...
    @property
    def id(self) -> str:
        """Its id."""
    def has(self, right: Right) -> bool:
        """Whether it has the right."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Basket:
    """The purchase at hand: lines in one currency."""
    __match_args__ = ("currency", "lines")
    def __new__(cls, currency: Currency | str, lines: Sequence[Line]) -> Basket: ...
    @property
    def currency(self) -> Currency:
        """Its currency."""
    @property
    def lines(self) -> tuple[Line, ...]:
        """Its lines."""
    @property
    def total(self) -> Money:
        """The total of all lines."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Checkpoint:
    """What a business's books came to at a moment, in a line to be kept elsewhere: `str(checkpoint)`."""
    def __new__(cls, text: str) -> Checkpoint: ...
    @property
    def business(self) -> BusinessId:
        """Whose books."""
    @property
    def taken(self) -> _datetime:
        """When it was taken."""
    @property
    def operations(self) -> int:
        """How many operations it saw."""
    @property
    def position(self) -> Position:
        """The position of the last of them."""
    @property
    def booked(self) -> _datetime:
        """When the last of them was written."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Refusal:
    """Why a command was not carried out."""
    __match_args__ = ("code", "values")
    def __new__(cls, code: str, values: Mapping[str, str]) -> Refusal: ...
    @property
    def code(self) -> str:
        """The stable, machine-readable code."""
    @property
    def message(self) -> str:
        """A sentence for people."""
    @property
    def fix(self) -> str:
        """What would help; empty if nothing would."""
    @property
    def values(self) -> dict[str, str]:
        """The values that matter, by name."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Keyring:
    """The keys of a host. They never enter a store; without them no code can be redeemed."""
    @staticmethod
    def from_file(path: str | PathLike[str]) -> Keyring:
        """Reads the keyring of a file that only its owner can read."""
    @staticmethod
    def create_file(path: str | PathLike[str]) -> Keyring:
        """Makes a keyring with new keys, and a file of it. A file that is there is never overwritten."""
    @staticmethod
    def from_env(variable: str) -> Keyring:
        """Reads the keyring of an environment variable."""
    @staticmethod
    def parse(text: str) -> Keyring:
        """Reads the text of a keyring."""
    @staticmethod
    def from_master(id: str, master: bytes) -> Keyring:
        """Derives a key for each purpose from 32 bytes."""

@final
class FixedClock:
    """A clock that shows what it was set to, for tests."""
    def __new__(cls, at: _datetime) -> FixedClock: ...
    def now(self) -> _datetime:
        """What it shows."""
    def set(self, at: _datetime) -> None:
        """Sets it, ahead or back."""

def open(
    address: str | PathLike[str],
    keyring: Keyring,
    *,
    clock: FixedClock | None = None,
    seed: int | None = None,
) -> Passes:
    """Opens the library: a path for a file of SQLite, `memory:` for a store that ends with the program, or the URL of a
    PostgreSQL server. `clock` and `seed` are for tests: with a seed anybody can repeat every code.
    """

def open_async(
    address: str | PathLike[str],
    keyring: Keyring,
    *,
    clock: FixedClock | None = None,
    seed: int | None = None,
) -> Awaitable[AsyncPasses]:
    """As `open`, for asyncio."""

def plan_from_toml(text: str, settings: Settings) -> Spec:
    """Reads a plan from the text of a TOML file.

    Errors: `BAD_FILE` naming the line and the field; `TOO_LARGE`.
    """

def plan_to_toml(spec: Spec) -> str:
    """The text of a TOML file of a plan."""

def export_csv(rows: Sequence[ExportRow], *, header: bool = True) -> bytes:
    """The CSV file of rows of an export, for the printing house; cells that a spreadsheet would run are made harmless."""

def open_on(
    store: RecordStore,
    keyring: Keyring,
    *,
    clock: FixedClock | None = None,
    seed: int | None = None,
) -> Passes:
    """Opens the library on a store that is written in Python."""

def open_on_async(
    store: RecordStore,
    keyring: Keyring,
    *,
    clock: FixedClock | None = None,
    seed: int | None = None,
) -> Awaitable[AsyncPasses]:
    """As `open_on`, for asyncio: the store is called on threads made for it."""

def conformance_cases() -> tuple[str, ...]:
    """The names of the cases that a store has to pass."""

def run_conformance_case(name: str, factory: Callable[[], RecordStore]) -> str | None:
    """Runs a case on a store that is written in Python, and says what is wrong with it; `None`, if nothing is. `factory`
    opens the store, again and again, on the same rows.
    """

@disjoint_base
class Alphabet:
    """The characters that the body of a code is drawn from (C-1).

    As text: `numeric`, `alphabetic`, `alphanumeric`, `default` (also `safe`), or the characters themselves. The
    names win, so the seven letters of `numeric` can't be an alphabet; write them in capitals or another order.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Numeric(Alphabet):
        """The ten digits."""
        __match_args__ = ()
        def __new__(cls) -> Alphabet.Numeric: ...

    @final
    class Alphabetic(Alphabet):
        """The letters without I, L and O: 23."""
        __match_args__ = ()
        def __new__(cls) -> Alphabet.Alphabetic: ...

    @final
    class Alphanumeric(Alphabet):
        """The digits, and the letters without I, L and O: 33."""
        __match_args__ = ()
        def __new__(cls) -> Alphabet.Alphanumeric: ...

    @final
    class Safe(Alphabet):
        """No vowels, so that no word comes out, and no look-alikes: 24. The default."""
        __match_args__ = ()
        def __new__(cls) -> Alphabet.Safe: ...

    @final
    class Custom(Alphabet):
        """The caller's own ASCII letters and digits, in the case in which they are to be shown."""
        __match_args__ = ("value",)
        def __new__(cls, value: str) -> Alphabet.Custom: ...
        @property
        def value(self) -> str: ...

@final
class Asked:
    """A redemption of several, and who asks for it."""
    __match_args__ = ("by", "request")
    def __new__(cls, by: By, request: Redeem) -> Asked: ...
    @property
    def by(self) -> By: ...
    @property
    def request(self) -> Redeem: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Booking:
    """What booked a line of a statement.
    See `Passes.statement`.
    """
    __match_args__ = ("entry", "operation", "kind", "place", "at", "booked", "mark", "line", "other")
    def __new__(
        cls,
        *,
        entry: int,
        operation: Position,
        kind: OperationKind,
        place: str | None = None,
        at: _datetime,
        booked: _datetime,
        mark: Mark,
        line: int | None = None,
        other: Side,
    ) -> Booking: ...
    @property
    def entry(self) -> int:
        """The number of the entry in the ledger."""
    @property
    def operation(self) -> Position:
        """The operation's reference."""
    @property
    def kind(self) -> OperationKind:
        """Which command it was."""
    @property
    def place(self) -> str | None:
        """Where: store, till, dealer."""
    @property
    def at(self) -> _datetime:
        """When it counts, in UTC."""
    @property
    def booked(self) -> _datetime:
        """When it was written, in UTC."""
    @property
    def mark(self) -> Mark:
        """Paid for, or given."""
    @property
    def line(self) -> int | None:
        """The basket line it paid, from 0."""
    @property
    def other(self) -> Side:
        """Where the amount came from, or went to."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class BusinessId:
    """A business: the tenant. Every record belongs to exactly one."""
    def __new__(cls, value: UUID | str) -> BusinessId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: BusinessId, /) -> bool: ...
    def __gt__(self, other: BusinessId, /) -> bool: ...
    def __le__(self, other: BusinessId, /) -> bool: ...
    def __lt__(self, other: BusinessId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class By:
    """By whom, where, through which channel and why a command is given, and under which idempotency key."""
    __match_args__ = ("business", "actor", "place", "channel", "reason", "key")
    def __new__(
        cls,
        *,
        business: BusinessId,
        actor: Actor,
        place: str | None = None,
        channel: str | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> By: ...
    @property
    def business(self) -> BusinessId:
        """In which business."""
    @property
    def actor(self) -> Actor:
        """Who."""
    @property
    def place(self) -> str | None:
        """Where: store, till, dealer."""
    @property
    def channel(self) -> str | None:
        """Through which channel."""
    @property
    def reason(self) -> str | None:
        """Why."""
    @property
    def key(self) -> str | None:
        """The idempotency key."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Caps:
    """Caps on all that is ever made from a plan (P-15)."""
    __match_args__ = ("passes", "value")
    def __new__(cls, *, passes: int | None = None, value: Money | None = None) -> Caps: ...
    @property
    def passes(self) -> int | None:
        """The number of passes."""
    @property
    def value(self) -> Money | None:
        """Their value together; of passes whose uses credit the full value each, all uses."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Changed:
    """What a command on passes did."""
    __match_args__ = ("changed", "skipped", "run", "sale", "replaced")
    def __new__(
        cls,
        *,
        changed: int,
        skipped: Mapping[State, int],
        run: RunId | None = None,
        sale: SaleId | None = None,
        replaced: Sequence[Replacement],
    ) -> Changed: ...
    @property
    def changed(self) -> int:
        """How many passes changed. Of a run: none yet."""
    @property
    def skipped(self) -> dict[State, int]:
        """How many were skipped, by the state they were in."""
    @property
    def run(self) -> RunId | None:
        """The run that does it, to be stepped to its end."""
    @property
    def sale(self) -> SaleId | None:
        """The sale, if they were sold."""
    @property
    def replaced(self) -> tuple[Replacement, ...]:
        """The passes that replace cancelled ones: the old, and the new."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class ChangedReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: Changed,
    ) -> ChangedReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> Changed:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Channel:
    """A channel through which electronic passes are delivered.
    See `Settings.active_on`.
    """
    __match_args__ = ("name", "active_on")
    def __new__(cls, *, name: str, active_on: ActiveOn | None = None) -> Channel: ...
    @property
    def name(self) -> str:
        """Its name, such as `sms`."""
    @property
    def active_on(self) -> ActiveOn:
        """What makes a pass sent through it active."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Conditions:
    """Conditions on products, places and the basket. Empty lists allow everything. They are sets: a basket of a
    thousand lines is judged by lists of a thousand products, for each credit of a wallet.

    A line is eligible when its SKU or one of its families is listed (or neither list has anything), and
    neither its SKU nor a family of it is excluded.
    """
    __match_args__ = ("skus", "families", "not_skus", "not_families", "places", "minimum", "stored_value")
    def __new__(
        cls,
        *,
        skus: Iterable[str] | None = None,
        families: Iterable[str] | None = None,
        not_skus: Iterable[str] | None = None,
        not_families: Iterable[str] | None = None,
        places: Iterable[str] | None = None,
        minimum: Money | None = None,
        stored_value: bool | None = None,
    ) -> Conditions: ...
    @property
    def skus(self) -> frozenset[str]:
        """SKUs that may be paid."""
    @property
    def families(self) -> frozenset[str]:
        """Product families that may be paid."""
    @property
    def not_skus(self) -> frozenset[str]:
        """SKUs that may not be paid."""
    @property
    def not_families(self) -> frozenset[str]:
        """Product families that may not be paid."""
    @property
    def places(self) -> frozenset[str]:
        """Places where it may be spent."""
    @property
    def minimum(self) -> Money | None:
        """The least total of the basket."""
    @property
    def stored_value(self) -> bool:
        """Whether lines that sell stored value may be paid, too."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Contact:
    """A contact as it is stored. All that is personal stands in this one record (W-7).
    See `Passes.contact`.
    """
    __match_args__ = ("id", "named", "profile", "currencies")
    def __new__(
        cls,
        *,
        id: ContactId,
        named: bool,
        profile: Profile,
        currencies: Sequence[Currency | str],
    ) -> Contact: ...
    @property
    def id(self) -> ContactId:
        """The id."""
    @property
    def named(self) -> bool:
        """Whether the contact is registered and identified, or known only by the id."""
    @property
    def profile(self) -> Profile:
        """What is said of the contact."""
    @property
    def currencies(self) -> tuple[Currency, ...]:
        """The currencies of the wallet, in the order of their first credits."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class ContactId:
    """A contact: the person a pass is for."""
    def __new__(cls, value: UUID | str) -> ContactId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: ContactId, /) -> bool: ...
    def __gt__(self, other: ContactId, /) -> bool: ...
    def __le__(self, other: ContactId, /) -> bool: ...
    def __lt__(self, other: ContactId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class ContactReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: ContactId,
    ) -> ContactReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> ContactId:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class CountReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: int,
    ) -> CountReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> int:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class CreditId:
    """A credit in a wallet."""
    def __new__(cls, value: UUID | str) -> CreditId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: CreditId, /) -> bool: ...
    def __gt__(self, other: CreditId, /) -> bool: ...
    def __le__(self, other: CreditId, /) -> bool: ...
    def __lt__(self, other: CreditId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class CreditView:
    """A credit: an amount in a pocket with an origin and a spend-by.
    See `Passes.expiring`.
    """
    __match_args__ = ("id", "pass_", "plan", "mark", "pocket", "left", "amount", "spend_by", "expired", "created")
    def __new__(
        cls,
        *,
        id: CreditId,
        pass_: PassId,
        plan: PlanId,
        mark: Mark,
        pocket: PocketKey,
        left: Money,
        amount: Money,
        spend_by: _datetime | None = None,
        expired: bool,
        created: _datetime,
    ) -> CreditView: ...
    @property
    def id(self) -> CreditId:
        """Its id."""
    @property
    def pass_(self) -> PassId:
        """The pass it came from."""
    @property
    def plan(self) -> PlanId:
        """The plan of that pass, whose conditions say what it may be spent on."""
    @property
    def mark(self) -> Mark:
        """Paid for, or given."""
    @property
    def pocket(self) -> PocketKey:
        """The pocket it is in."""
    @property
    def left(self) -> Money:
        """What is left of it."""
    @property
    def amount(self) -> Money:
        """What it was at first."""
    @property
    def spend_by(self) -> _datetime | None:
        """The moment, in UTC, from which it can't be spent any more; nothing is never."""
    @property
    def expired(self) -> bool:
        """Whether that moment has come."""
    @property
    def created(self) -> _datetime:
        """When it was credited."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Credited:
    """A credit that a redemption made.
    See `Redeemed`.
    """
    __match_args__ = ("credit", "amount", "mark", "spend_by")
    def __new__(
        cls,
        *,
        credit: CreditId,
        amount: Money,
        mark: Mark,
        spend_by: _datetime | None = None,
    ) -> Credited: ...
    @property
    def credit(self) -> CreditId:
        """Its id."""
    @property
    def amount(self) -> Money:
        """How much."""
    @property
    def mark(self) -> Mark:
        """Paid for, or given."""
    @property
    def spend_by(self) -> _datetime | None:
        """The moment from which it can't be spent any more; nothing is never."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Deal:
    """The terms on which passes are sold."""
    __match_args__ = ("buyer", "price", "value", "payment")
    def __new__(
        cls,
        *,
        buyer: ContactId | None = None,
        price: Money,
        value: Money | None = None,
        payment: str | None = None,
    ) -> Deal: ...
    @property
    def buyer(self) -> ContactId | None:
        """Who buys, if known."""
    @property
    def price(self) -> Money:
        """The price of each pass. It may differ from its value: what is above the value is no liability, what is
        below is granted.
        """
    @property
    def value(self) -> Money | None:
        """The value of each pass, where the plan leaves it open."""
    @property
    def payment(self) -> str | None:
        """The host's payment reference; at most 64 characters."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Definition:
    """The definition of a custom field."""
    __match_args__ = ("name", "required", "field")
    def __new__(cls, *, name: str, required: bool, field: FieldType) -> Definition: ...
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def required(self) -> bool:
        """Whether it must have a value."""
    @property
    def field(self) -> FieldType:
        """Its type."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Drift:
    """Something stored that is not what it has to be.
    See `Passes.verify`.
    """
    __match_args__ = ("what", "subject", "stored", "expected", "unit")
    def __new__(
        cls,
        *,
        what: str,
        subject: str,
        stored: int,
        expected: int,
        unit: LedgerUnit | None = None,
    ) -> Drift: ...
    @property
    def what(self) -> str:
        """What it is about. Passes:

        - `pass balance`, `pass granted`: what is left, of all and of what was granted, against the entries;
        - `pass value`: what it gives in all, against its value and usage;
        - `pass uses`, `pass limit`: uses, against the balance; how many there are in all, against the terms;
        - `pass missing`: how many passes in a row, of which the first one is named, are not there though their
          lot or entries speak of them;
        - `pass last`: the last entry that it names, against the last about it;
        - `pass codes`: how many codes lead to it;
        - `successor`: whether it names the pass that replaced it, against that one's lot.

        Credits and contacts:

        - `credit`: what is left, against the entries; `credit missing`: entries without it; `credit last`: the
          last entry that it names;
        - `contact currencies`: whether the contact's record lists a currency, against the credits;
        - `medium`: whether a number, an address or a reference leads to the contact whose record has it.

        Lots, plans, runs:

        - `lot balance`: all passes of a lot, against the entries; `lot passes`: how many there are; `lot codes`:
          how many codes are reserved; `lot exports`: how often it was exported, against the operations; `lot
          cancelled`: of a cancelled lot, how many passes are; `lot delivery`: whether an electronic pass has one;
        - `plan passes`, `plan value`: what is counted against the caps of a plan, against its passes;
        - `format codes`: what is counted against the odds of a guess, against the lots; `format`: whether the
          business lists a format that lots have;
        - `tally`: something counted that belongs to nothing; `bound`: what a tally counts, against its limit (or
          it counts below zero);
        - `run`: what a run counts, against its cursor or its lot.

        The ledger and the operations:

        - `entry`: an entry with an amount, a subject or a currency that it can't have; `entry operation`: the
          operation that it names, against the one that it comes with; `history`: the entry that it names as the
          one before it of the same subject;
        - `books`: all accounts together, which have to come to zero;
        - `operation`: one that is there twice, under two numbers; `operation moment`: the moment in its id, in
          milliseconds, against the one at which it was written; `operation entries`: how many entries it says
          that it booked; `events`: one whose events or receipt can't be read;
        - `key`: how many idempotency keys lead to an operation;
        - `reversal`: what was reversed of an operation, against what its reversals returned, or against its
          entries;
        - `refusals`: the counts of a day, of which one is zero or there twice.

        Records as such:

        - `parent`: a record whose parent, or another that it names, is not there;
        - `document`: a document that can't be read, or is not what its key says;
        - `twice`, `order`: a record that comes twice, or out of order, though its key should be unique;
        - `store`: what the store found wrong in itself, in words: such as an index that disagrees with its table.
        """
    @property
    def subject(self) -> str:
        """The id of the pass, credit, lot or plan; the number of the entry or operation; or in words what it is about."""
    @property
    def stored(self) -> int:
        """What is stored."""
    @property
    def expected(self) -> int:
        """What it has to be."""
    @property
    def unit(self) -> LedgerUnit | None:
        """What both count; nothing for a plain number."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Event:
    """What happened. Stored by the order of the variants: new ones go to the end."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class BusinessConfigured(Event):
        """The business was created, or its settings changed."""
        __match_args__ = ()
        def __new__(cls) -> Event.BusinessConfigured: ...

    @final
    class PlanChanged(Event):
        """A plan was created or changed."""
        __match_args__ = ("plan", "state")
        def __new__(cls, *, plan: PlanId, state: PlanState) -> Event.PlanChanged: ...
        @property
        def plan(self) -> PlanId:
            """Which."""
        @property
        def state(self) -> PlanState:
            """Its state now."""

    @final
    class ContactChanged(Event):
        """A contact was created or edited."""
        __match_args__ = ("contact",)
        def __new__(cls, *, contact: ContactId) -> Event.ContactChanged: ...
        @property
        def contact(self) -> ContactId:
            """Which."""

    @final
    class LotStarted(Event):
        """The generation of a lot began."""
        __match_args__ = ("lot", "plan", "count")
        def __new__(cls, *, lot: LotId, plan: PlanId, count: int) -> Event.LotStarted: ...
        @property
        def lot(self) -> LotId:
            """Which."""
        @property
        def plan(self) -> PlanId:
            """Of which plan."""
        @property
        def count(self) -> int:
            """How many passes it will have."""

    @final
    class LotGrew(Event):
        """Passes were added to a lot."""
        __match_args__ = ("passes",)
        def __new__(cls, *, passes: PassSpan) -> Event.LotGrew: ...
        @property
        def passes(self) -> PassSpan:
            """Which."""

    @final
    class LotReady(Event):
        """A lot is complete."""
        __match_args__ = ("lot", "plan", "count", "print")
        def __new__(cls, *, lot: LotId, plan: PlanId, count: int, print: bool) -> Event.LotReady: ...
        @property
        def lot(self) -> LotId:
            """Which."""
        @property
        def plan(self) -> PlanId:
            """Of which plan."""
        @property
        def count(self) -> int:
            """How many passes it has."""
        @property
        def print(self) -> bool:
            """Whether it waits for the printing house."""

    @final
    class RunCancelled(Event):
        """A run was cancelled."""
        __match_args__ = ("run",)
        def __new__(cls, *, run: RunId) -> Event.RunCancelled: ...
        @property
        def run(self) -> RunId:
            """Which."""

    @final
    class DeliveryWanted(Event):
        """An electronic pass is to be delivered: the host has the code revealed and sends it."""
        __match_args__ = ("pass_", "to", "channel")
        def __new__(cls, *, pass_: PassId, to: ContactId, channel: str) -> Event.DeliveryWanted: ...
        @property
        def pass_(self) -> PassId:
            """The pass."""
        @property
        def to(self) -> ContactId:
            """To whom."""
        @property
        def channel(self) -> str:
            """Through which channel."""

    @final
    class DeliveryRecorded(Event):
        """The outcome of a delivery was recorded."""
        __match_args__ = ("pass_", "failed", "activated")
        def __new__(
            cls,
            *,
            pass_: PassId,
            failed: bool,
            activated: bool,
        ) -> Event.DeliveryRecorded: ...
        @property
        def pass_(self) -> PassId:
            """The pass."""
        @property
        def failed(self) -> bool:
            """Whether it failed."""
        @property
        def activated(self) -> bool:
            """Whether the pass became active by it."""

    @final
    class PassesActivated(Event):
        """Passes were activated."""
        __match_args__ = ("passes",)
        def __new__(cls, *, passes: PassSpan) -> Event.PassesActivated: ...
        @property
        def passes(self) -> PassSpan:
            """Which."""

    @final
    class PassesSold(Event):
        """Passes were sold."""
        __match_args__ = ("passes", "sale", "price")
        def __new__(cls, *, passes: PassSpan, sale: SaleId, price: Money) -> Event.PassesSold: ...
        @property
        def passes(self) -> PassSpan:
            """Which."""
        @property
        def sale(self) -> SaleId:
            """The sale."""
        @property
        def price(self) -> Money:
            """The price of all of them together."""

    @final
    class SaleVoided(Event):
        """A sale was voided."""
        __match_args__ = ("passes", "sale")
        def __new__(cls, *, passes: PassSpan, sale: SaleId) -> Event.SaleVoided: ...
        @property
        def passes(self) -> PassSpan:
            """Which passes."""
        @property
        def sale(self) -> SaleId:
            """The sale."""

    @final
    class PassRedeemed(Event):
        """A pass was redeemed into a wallet."""
        __match_args__ = ("pass_", "contact", "amount", "credits", "left")
        def __new__(
            cls,
            *,
            pass_: PassId,
            contact: ContactId,
            amount: Money,
            credits: Sequence[CreditId],
            left: int,
        ) -> Event.PassRedeemed: ...
        @property
        def pass_(self) -> PassId:
            """Which."""
        @property
        def contact(self) -> ContactId:
            """Whose wallet."""
        @property
        def amount(self) -> Money:
            """How much."""
        @property
        def credits(self) -> tuple[CreditId, ...]:
            """The credits it became."""
        @property
        def left(self) -> int:
            """What is left on the pass, in minor units."""

    @final
    class PassSpent(Event):
        """A gift card was spent directly."""
        __match_args__ = ("pass_", "amount", "left")
        def __new__(cls, *, pass_: PassId, amount: Money, left: int) -> Event.PassSpent: ...
        @property
        def pass_(self) -> PassId:
            """Which."""
        @property
        def amount(self) -> Money:
            """How much."""
        @property
        def left(self) -> int:
            """What is left on it, in minor units."""

    @final
    class WalletSpent(Event):
        """A wallet was spent."""
        __match_args__ = ("contact", "amount")
        def __new__(cls, *, contact: ContactId, amount: Money) -> Event.WalletSpent: ...
        @property
        def contact(self) -> ContactId:
            """Whose."""
        @property
        def amount(self) -> Money:
            """How much."""

    @final
    class Reversed(Event):
        """A redemption or a spend was reversed, wholly or in part."""
        __match_args__ = ("of", "amount")
        def __new__(cls, *, of: Position, amount: Money) -> Event.Reversed: ...
        @property
        def of(self) -> Position:
            """The position of what was reversed."""
        @property
        def amount(self) -> Money:
            """How much returned."""

    @final
    class Suspended(Event):
        """Passes, a whole lot or a whole plan were suspended."""
        __match_args__ = ("what",)
        def __new__(cls, *, what: SuspendedWhole) -> Event.Suspended: ...
        @property
        def what(self) -> SuspendedWhole:
            """What."""

    @final
    class Reactivated(Event):
        """They were reactivated."""
        __match_args__ = ("what",)
        def __new__(cls, *, what: SuspendedWhole) -> Event.Reactivated: ...
        @property
        def what(self) -> SuspendedWhole:
            """What."""

    @final
    class PassesCancelled(Event):
        """Passes were cancelled."""
        __match_args__ = ("passes",)
        def __new__(cls, *, passes: PassSpan) -> Event.PassesCancelled: ...
        @property
        def passes(self) -> PassSpan:
            """Which."""

    @final
    class PassReplaced(Event):
        """A pass replaces another."""
        __match_args__ = ("old", "new")
        def __new__(cls, *, old: PassId, new: PassId) -> Event.PassReplaced: ...
        @property
        def old(self) -> PassId:
            """The old one."""
        @property
        def new(self) -> PassId:
            """The new one."""

    @final
    class PassesChanged(Event):
        """Something was set on passes: expiry, value, custom fields, recipient."""
        __match_args__ = ("passes",)
        def __new__(cls, *, passes: PassSpan) -> Event.PassesChanged: ...
        @property
        def passes(self) -> PassSpan:
            """Which."""

    @final
    class LotExported(Event):
        """The codes of a lot were exported."""
        __match_args__ = ("lot",)
        def __new__(cls, *, lot: LotId) -> Event.LotExported: ...
        @property
        def lot(self) -> LotId:
            """Which."""

    @final
    class ExportClosed(Event):
        """The export of a lot was closed."""
        __match_args__ = ("lot",)
        def __new__(cls, *, lot: LotId) -> Event.ExportClosed: ...
        @property
        def lot(self) -> LotId:
            """Which."""

    @final
    class CodeRevealed(Event):
        """A code was revealed."""
        __match_args__ = ("pass_",)
        def __new__(cls, *, pass_: PassId) -> Event.CodeRevealed: ...
        @property
        def pass_(self) -> PassId:
            """Of which pass."""

    @final
    class RunStarted(Event):
        """A bulk command began, as a run."""
        __match_args__ = ("run",)
        def __new__(cls, *, run: RunId) -> Event.RunStarted: ...
        @property
        def run(self) -> RunId:
            """Which."""

    @final
    class RequestStopped(Event):
        """The key of a request that has not come was reversed: the request will be refused."""
        __match_args__ = ()
        def __new__(cls) -> Event.RequestStopped: ...

@disjoint_base
class Expiry:
    """An expiry that is set by hand (L-5).
    See `Passes.set_expiry`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Never(Expiry):
        """None."""
        __match_args__ = ()
        def __new__(cls) -> Expiry.Never: ...

    @final
    class Date(Expiry):
        """The end of this date in the business's calendar."""
        __match_args__ = ("date",)
        def __new__(cls, date: _date) -> Expiry.Date: ...
        @property
        def date(self) -> _date: ...

    @final
    class At(Expiry):
        """This instant."""
        __match_args__ = ("at",)
        def __new__(cls, at: _datetime) -> Expiry.At: ...
        @property
        def at(self) -> _datetime: ...

@final
class ExportRow:
    """One pass of an export.
    See `Passes.export_page`.
    """
    __match_args__ = ("pass_", "serial", "code", "value", "redeem_by")
    def __new__(
        cls,
        *,
        pass_: PassId,
        serial: int,
        code: Passcode | str,
        value: Money | None = None,
        redeem_by: _datetime | None = None,
    ) -> ExportRow: ...
    @property
    def pass_(self) -> PassId:
        """The pass."""
    @property
    def serial(self) -> int:
        """Its serial number in the lot."""
    @property
    def code(self) -> Passcode:
        """Its code."""
    @property
    def value(self) -> Money | None:
        """Its value, if set."""
    @property
    def redeem_by(self) -> _datetime | None:
        """The moment from which it can't be redeemed any more; nothing is never, or not known before activation."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class FieldType:
    """The type of a custom field, with its limits.
    See `Definition`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Text(FieldType):
        """Text of at most this many characters."""
        __match_args__ = ("most",)
        def __new__(cls, *, most: int) -> FieldType.Text: ...
        @property
        def most(self) -> int:
            """How many; at most 500."""

    @final
    class Integer(FieldType):
        """A whole number in a range, both ends included."""
        __match_args__ = ("least", "most")
        def __new__(cls, *, least: int, most: int) -> FieldType.Integer: ...
        @property
        def least(self) -> int:
            """The least."""
        @property
        def most(self) -> int:
            """The most."""

    @final
    class Decimal(FieldType):
        """A decimal number in a range, both ends included. Its value is written as text."""
        __match_args__ = ("least", "most")
        def __new__(cls, *, least: Decimal | int, most: Decimal | int) -> FieldType.Decimal: ...
        @property
        def least(self) -> Decimal:
            """The least."""
        @property
        def most(self) -> Decimal:
            """The most."""

    @final
    class YesNo(FieldType):
        """Yes or no."""
        __match_args__ = ()
        def __new__(cls) -> FieldType.YesNo: ...

    @final
    class Date(FieldType):
        """A date, written `2026-12-31`."""
        __match_args__ = ()
        def __new__(cls) -> FieldType.Date: ...

    @final
    class Choice(FieldType):
        """One of these."""
        __match_args__ = ("of",)
        def __new__(cls, *, of: Sequence[str] | None = None) -> FieldType.Choice: ...
        @property
        def of(self) -> tuple[str, ...]:
            """The choices."""

@final
class Format:
    """What the codes of a plan look like (C-1): `GIFT-7KQ2-M9XW` has the prefix `GIFT`, eight drawn characters and
    groups of four.

    Nothing is checked until `validate` or `maker` is called. In TOML every
    field may be left out; an unknown one is refused.
    """
    __match_args__ = ("alphabet", "length", "prefix", "suffix", "check", "group")
    def __new__(
        cls,
        *,
        alphabet: Alphabet | None = None,
        length: int | None = None,
        prefix: str | None = None,
        suffix: str | None = None,
        check: bool | None = None,
        group: int | None = None,
    ) -> Format: ...
    @property
    def alphabet(self) -> Alphabet:
        """What the body is drawn from."""
    @property
    def length(self) -> int:
        """How many characters are drawn, 4 to 32. Prefix, suffix and check character come on top."""
    @property
    def prefix(self) -> str:
        """What every code begins with: up to 16 ASCII letters and digits."""
    @property
    def suffix(self) -> str:
        """What every code ends with: up to 16 ASCII letters and digits."""
    @property
    def check(self) -> bool:
        """Whether a check character follows the drawn ones (C-2)."""
    @property
    def group(self) -> int:
        """How many characters of the body are shown together, 2 to 8; 0 shows the code in one piece. It also sets
        prefix and suffix apart.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Generate:
    """A request for a printed lot.
    See `Passes.generate`.
    """
    __match_args__ = ("plan", "count", "accept_weak")
    def __new__(cls, *, plan: PlanId, count: int, accept_weak: bool | None = None) -> Generate: ...
    @property
    def plan(self) -> PlanId:
        """The plan."""
    @property
    def count(self) -> int:
        """How many passes; at most 100,000,000."""
    @property
    def accept_weak(self) -> bool:
        """Whether a format is accepted that is easier to guess than the business allows: this needs the right,
        and a reason.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Home:
    """Where money returned.
    See `Passes.reverse`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Pass(Home):
        """To the pass, or to the one that replaced it."""
        __match_args__ = ("pass_",)
        def __new__(cls, pass_: PassId) -> Home.Pass: ...
        @property
        def pass_(self) -> PassId: ...

    @final
    class Credit(Home):
        """To the credit it came from."""
        __match_args__ = ("contact", "credit")
        def __new__(cls, contact: ContactId, credit: CreditId) -> Home.Credit: ...
        @property
        def contact(self) -> ContactId: ...
        @property
        def credit(self) -> CreditId: ...

    @final
    class NewCredit(Home):
        """To a new credit: the pass was cancelled, or the credit has expired and the days of grace apply."""
        __match_args__ = ("contact", "credit", "at")
        def __new__(
            cls,
            contact: ContactId,
            credit: CreditId,
            at: _datetime | None,
        ) -> Home.NewCredit: ...
        @property
        def contact(self) -> ContactId: ...
        @property
        def credit(self) -> CreditId: ...
        @property
        def at(self) -> _datetime | None: ...

    @final
    class Breakage(Home):
        """To breakage: the credit has expired."""
        __match_args__ = ()
        def __new__(cls) -> Home.Breakage: ...

@final
class Hours:
    """Opening hours on some days of the week, by the clock on the wall: from `from` on, up to but without `to`.

    `24:00` as `to` is the end of the day. A `to` that is not after `from` lies on the next day: the hours cross
    midnight, and belong to the day on which they began. Where hours overlap, it is open.
    """
    __match_args__ = ("days", "from_", "to")
    def __new__(
        cls,
        *,
        days: Iterable[Weekday],
        from_: TimeOfDay | _time,
        to: TimeOfDay | _time,
    ) -> Hours: ...
    @property
    def days(self) -> frozenset[Weekday]:
        """The days on which the hours begin."""
    @property
    def from_(self) -> TimeOfDay:
        """The first minute that is open."""
    @property
    def to(self) -> TimeOfDay:
        """The first minute that is closed again."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Issue:
    """A request to issue an electronic pass."""
    __match_args__ = ("plan", "to", "channel", "sender", "message", "value", "deal", "accept_weak")
    def __new__(
        cls,
        *,
        plan: PlanId,
        to: Recipient | ContactId | Profile,
        channel: str,
        sender: str | None = None,
        message: str | None = None,
        value: Money | None = None,
        deal: Deal | None = None,
        accept_weak: bool | None = None,
    ) -> Issue: ...
    @property
    def plan(self) -> PlanId:
        """The plan."""
    @property
    def to(self) -> Recipient:
        """To whom."""
    @property
    def channel(self) -> str:
        """Through which channel, such as `sms` or `email`; at most 64 characters."""
    @property
    def sender(self) -> str | None:
        """From whom, for people; at most 64 characters."""
    @property
    def message(self) -> str | None:
        """What the sender says; at most 500 characters."""
    @property
    def value(self) -> Money | None:
        """The value, where the plan leaves it open and it is not sold."""
    @property
    def deal(self) -> Deal | None:
        """Its sale, if it is sold: its money is booked at once."""
    @property
    def accept_weak(self) -> bool:
        """Whether a format is accepted that is easier to guess than the business allows."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Issued:
    """What issuing answers. The code is not in it: it is revealed to an actor with the right.
    See `Passes.issue`.
    """
    __match_args__ = ("pass_", "to", "value", "sale")
    def __new__(
        cls,
        *,
        pass_: PassId,
        to: ContactId,
        value: Money,
        sale: SaleId | None = None,
    ) -> Issued: ...
    @property
    def pass_(self) -> PassId:
        """The pass, still a draft."""
    @property
    def to(self) -> ContactId:
        """Its recipient."""
    @property
    def value(self) -> Money:
        """Its value."""
    @property
    def sale(self) -> SaleId | None:
        """Its sale."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class IssuedReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: Issued,
    ) -> IssuedReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> Issued:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Kept:
    """The last operation that is still there."""
    __match_args__ = ("position", "at")
    def __new__(cls, position: Position, at: _datetime) -> Kept: ...
    @property
    def position(self) -> Position: ...
    @property
    def at(self) -> _datetime: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class LedgerUnit:
    """What an amount counts: money in minor units of a currency, visits, or points."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Money(LedgerUnit):
        """Minor units of a currency."""
        __match_args__ = ("currency",)
        def __new__(cls, currency: Currency | str) -> LedgerUnit.Money: ...
        @property
        def currency(self) -> Currency: ...

    @final
    class Visits(LedgerUnit):
        """Visits or sessions."""
        __match_args__ = ()
        def __new__(cls) -> LedgerUnit.Visits: ...

    @final
    class Points(LedgerUnit):
        """Points."""
        __match_args__ = ()
        def __new__(cls) -> LedgerUnit.Points: ...

@final
class Liability:
    """What a business owes to the holders of passes and credits, in one currency.
    See `Passes.liability`.
    """
    __match_args__ = ("currency", "paid", "granted", "outstanding", "credit")
    def __new__(
        cls,
        *,
        currency: Currency | str,
        paid: Money,
        granted: Money,
        outstanding: Money,
        credit: Money,
    ) -> Liability: ...
    @property
    def currency(self) -> Currency:
        """The currency."""
    @property
    def paid(self) -> Money:
        """The part that was paid for."""
    @property
    def granted(self) -> Money:
        """The part that was given."""
    @property
    def outstanding(self) -> Money:
        """The part that is on passes."""
    @property
    def credit(self) -> Money:
        """The part that is in wallets."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Line:
    """A line of a basket."""
    __match_args__ = ("sku", "families", "quantity", "unit_price", "stored_value")
    def __new__(
        cls,
        *,
        sku: str,
        families: Sequence[str] | None = None,
        quantity: int,
        unit_price: Money,
        stored_value: bool | None = None,
    ) -> Line: ...
    @property
    def sku(self) -> str:
        """The article."""
    @property
    def families(self) -> tuple[str, ...]:
        """The product families it belongs to."""
    @property
    def quantity(self) -> int:
        """How many."""
    @property
    def unit_price(self) -> Money:
        """The price of one."""
    @property
    def stored_value(self) -> bool:
        """Whether it sells stored value: a gift card, a top-up."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class LineAmount:
    """An amount of a line of a basket, by its place from 0."""
    __match_args__ = ("line", "amount")
    def __new__(cls, line: int, amount: Money) -> LineAmount: ...
    @property
    def line(self) -> int: ...
    @property
    def amount(self) -> Money: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class LineCursor:
    """Where a wallet's statement goes on: after this line.
    See `Passes.statement`.
    """
    __match_args__ = ("entry", "credit")
    def __new__(cls, *, entry: int, credit: CreditId) -> LineCursor: ...
    @property
    def entry(self) -> int:
        """The number of its entry."""
    @property
    def credit(self) -> CreditId:
        """Its credit."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class LotId:
    """A lot: passes generated together. See `LotId.pass`."""
    def __new__(cls, value: UUID | str) -> LotId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: LotId, /) -> bool: ...
    def __gt__(self, other: LotId, /) -> bool: ...
    def __le__(self, other: LotId, /) -> bool: ...
    def __lt__(self, other: LotId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def pass_(self, serial: int) -> PassId:
        """The pass with this serial number."""

@final
class LotPage:
    """A page of a list, and where to go on."""
    __match_args__ = ("rows", "next")
    def __new__(cls, *, rows: Sequence[LotView], next: LotId | None = None) -> LotPage: ...
    @property
    def rows(self) -> tuple[LotView, ...]:
        """The rows."""
    @property
    def next(self) -> LotId | None:
        """The cursor with which to ask for the next page; nothing at the end."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class LotStarted:
    """What starting a lot answers.
    See `Passes.generate`.
    """
    __match_args__ = ("lot", "run", "count")
    def __new__(cls, *, lot: LotId, run: RunId, count: int) -> LotStarted: ...
    @property
    def lot(self) -> LotId:
        """The lot."""
    @property
    def run(self) -> RunId:
        """The run that generates it."""
    @property
    def count(self) -> int:
        """How many passes it will have."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class LotStartedReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: LotStarted,
    ) -> LotStartedReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> LotStarted:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class LotView:
    """A lot, as an operator sees it.
    See `Passes.lot`.
    """
    __match_args__ = ("id", "plan", "names", "count", "form", "issued", "run", "complete", "exports", "closed", "recoverable", "suspended", "plan_suspended", "cancelled", "replaces")
    def __new__(
        cls,
        *,
        id: LotId,
        plan: PlanId,
        names: Mapping[str, str],
        count: int,
        form: Form,
        issued: _datetime,
        run: RunId | None = None,
        complete: bool,
        exports: int,
        closed: bool,
        recoverable: bool,
        suspended: bool,
        plan_suspended: bool,
        cancelled: bool,
        replaces: PassId | None = None,
    ) -> LotView: ...
    @property
    def id(self) -> LotId:
        """Its id."""
    @property
    def plan(self) -> PlanId:
        """Its plan."""
    @property
    def names(self) -> dict[str, str]:
        """The names of the plan, by language."""
    @property
    def count(self) -> int:
        """How many passes it has, or will have when it is complete: with the serial numbers from 1."""
    @property
    def form(self) -> Form:
        """Printed, or one electronic pass."""
    @property
    def issued(self) -> _datetime:
        """When it was generated."""
    @property
    def run(self) -> RunId | None:
        """The run that generates it; none for an electronic pass."""
    @property
    def complete(self) -> bool:
        """Whether all its passes are there."""
    @property
    def exports(self) -> int:
        """How often its codes were exported."""
    @property
    def closed(self) -> bool:
        """Whether its export is closed."""
    @property
    def recoverable(self) -> bool:
        """Whether its codes can still be brought back."""
    @property
    def suspended(self) -> bool:
        """Whether all its passes are suspended by the lot's own record."""
    @property
    def plan_suspended(self) -> bool:
        """Whether they are suspended by the plan's."""
    @property
    def cancelled(self) -> bool:
        """Whether all its passes were cancelled together."""
    @property
    def replaces(self) -> PassId | None:
        """The pass that its only pass replaces."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Medium:
    """A medium by which a contact is found. It is unique in the business."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Phone(Medium):
        """A telephone number in international form (ITU-T E.164), such as `+441632960960`."""
        __match_args__ = ("value",)
        def __new__(cls, value: str) -> Medium.Phone: ...
        @property
        def value(self) -> str: ...

    @final
    class Email(Medium):
        """An e-mail address."""
        __match_args__ = ("value",)
        def __new__(cls, value: str) -> Medium.Email: ...
        @property
        def value(self) -> str: ...

    @final
    class Reference(Medium):
        """The host's own reference."""
        __match_args__ = ("value",)
        def __new__(cls, value: str) -> Medium.Reference: ...
        @property
        def value(self) -> str: ...

@final
class OperationFilter:
    """Which operations a list holds: those that meet all of these."""
    __match_args__ = ("actor", "place", "channel", "kind", "from_", "to", "reason")
    def __new__(
        cls,
        *,
        actor: str | None = None,
        place: str | None = None,
        channel: str | None = None,
        kind: OperationKind | None = None,
        from_: _datetime | None = None,
        to: _datetime | None = None,
        reason: str | None = None,
    ) -> OperationFilter: ...
    @property
    def actor(self) -> str | None:
        """By this actor."""
    @property
    def place(self) -> str | None:
        """At this place."""
    @property
    def channel(self) -> str | None:
        """Through this channel."""
    @property
    def kind(self) -> OperationKind | None:
        """Of this kind."""
    @property
    def from_(self) -> _datetime | None:
        """Counting from this instant on."""
    @property
    def to(self) -> _datetime | None:
        """Counting before this instant."""
    @property
    def reason(self) -> str | None:
        """With this text in the reason, letter by letter."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class OperationId:
    """An operation: the record that an accepted command leaves."""
    def __new__(cls, value: UUID | str) -> OperationId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: OperationId, /) -> bool: ...
    def __gt__(self, other: OperationId, /) -> bool: ...
    def __le__(self, other: OperationId, /) -> bool: ...
    def __lt__(self, other: OperationId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class OperationPage:
    """A page of a list, and where to go on."""
    __match_args__ = ("rows", "next")
    def __new__(
        cls,
        *,
        rows: Sequence[OperationView],
        next: Position | None = None,
    ) -> OperationPage: ...
    @property
    def rows(self) -> tuple[OperationView, ...]:
        """The rows."""
    @property
    def next(self) -> Position | None:
        """The cursor with which to ask for the next page; nothing at the end."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class OperationView:
    """An operation: the one record that an accepted command left.
    See `Passes.operations`.
    """
    __match_args__ = ("position", "id", "kind", "actor", "place", "channel", "reason", "at", "booked")
    def __new__(
        cls,
        *,
        position: Position,
        id: OperationId,
        kind: OperationKind,
        actor: str,
        place: str | None = None,
        channel: str | None = None,
        reason: str | None = None,
        at: _datetime,
        booked: _datetime,
    ) -> OperationView: ...
    @property
    def position(self) -> Position:
        """The store's reference to it."""
    @property
    def id(self) -> OperationId:
        """Its id."""
    @property
    def kind(self) -> OperationKind:
        """Which command it was."""
    @property
    def actor(self) -> str:
        """Who gave it."""
    @property
    def place(self) -> str | None:
        """Where: store, till, dealer."""
    @property
    def channel(self) -> str | None:
        """Through which channel."""
    @property
    def reason(self) -> str | None:
        """Why."""
    @property
    def at(self) -> _datetime:
        """When it counts, in UTC."""
    @property
    def booked(self) -> _datetime:
        """When it was written, in UTC."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Outcome:
    """How a delivery went.
    See `Passes.delivered`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Accepted(Outcome):
        """The channel took the message."""
        __match_args__ = ()
        def __new__(cls) -> Outcome.Accepted: ...

    @final
    class Confirmed(Outcome):
        """The message arrived."""
        __match_args__ = ()
        def __new__(cls) -> Outcome.Confirmed: ...

    @final
    class Failed(Outcome):
        """It could not be delivered."""
        __match_args__ = ("why",)
        def __new__(cls, *, why: str) -> Outcome.Failed: ...
        @property
        def why(self) -> str:
            """Why, in the channel's words; at most 500 characters."""

@disjoint_base
class Over:
    """The passes that a command is about."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Pass(Over):
        """One pass: a refusal is the answer."""
        __match_args__ = ("pass_",)
        def __new__(cls, pass_: PassId) -> Over.Pass: ...
        @property
        def pass_(self) -> PassId: ...

    @final
    class Passes(Over):
        """A list of at most 10,000 passes: those that refuse are skipped and counted. One that isn't there is `NOT_FOUND`,
        and nothing is done.
        """
        __match_args__ = ("passes",)
        def __new__(cls, passes: Sequence[PassId]) -> Over.Passes: ...
        @property
        def passes(self) -> tuple[PassId, ...]: ...

    @final
    class Serials(Over):
        """A range of serial numbers of a lot, both ends included: a run."""
        __match_args__ = ("lot", "first", "last")
        def __new__(cls, *, lot: LotId, first: int, last: int) -> Over.Serials: ...
        @property
        def lot(self) -> LotId:
            """The lot."""
        @property
        def first(self) -> int:
            """The first."""
        @property
        def last(self) -> int:
            """The last."""

    @final
    class Lot(Over):
        """All passes of a lot: a run. A lot is suspended and reactivated by one record, at once."""
        __match_args__ = ("lot",)
        def __new__(cls, lot: LotId) -> Over.Lot: ...
        @property
        def lot(self) -> LotId: ...

    @final
    class Plan(Over):
        """All passes of a plan: a run. A plan is suspended and reactivated by one record, at once."""
        __match_args__ = ("plan",)
        def __new__(cls, plan: PlanId) -> Over.Plan: ...
        @property
        def plan(self) -> PlanId: ...

@final
class PaidBy:
    """What one credit paid for one line.
    See `Passes.spend`.
    """
    __match_args__ = ("credit", "pass_", "mark", "line", "amount")
    def __new__(
        cls,
        *,
        credit: CreditId,
        pass_: PassId,
        mark: Mark,
        line: int,
        amount: Money,
    ) -> PaidBy: ...
    @property
    def credit(self) -> CreditId:
        """The credit."""
    @property
    def pass_(self) -> PassId:
        """The pass that it came from."""
    @property
    def mark(self) -> Mark:
        """Its mark."""
    @property
    def line(self) -> int:
        """The line, from 0."""
    @property
    def amount(self) -> Money:
        """How much."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PaidLine:
    """What paid for a line of the basket, or for the amount where there was none.
    See `Redeem.pay`.
    """
    __match_args__ = ("line", "mark", "amount")
    def __new__(cls, *, line: int | None = None, mark: Mark, amount: Money) -> PaidLine: ...
    @property
    def line(self) -> int | None:
        """The line, from 0."""
    @property
    def mark(self) -> Mark:
        """The mark of the money."""
    @property
    def amount(self) -> Money:
        """How much."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassCursor:
    """Where a list of passes goes on: after this pass, in either order.
    See `Passes.passes`.
    """
    __match_args__ = ("pass_", "expiry")
    def __new__(cls, *, pass_: PassId, expiry: _datetime | None = None) -> PassCursor: ...
    @property
    def pass_(self) -> PassId:
        """The last pass that was looked at."""
    @property
    def expiry(self) -> _datetime | None:
        """Its expiry when it was."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassFilter:
    """Which passes of a lot a list holds: those that meet all of these."""
    __match_args__ = ("states", "holder", "used", "expires_before", "channel", "fields")
    def __new__(
        cls,
        *,
        states: Sequence[State] | None = None,
        holder: ContactId | None = None,
        used: Used | None = None,
        expires_before: _datetime | None = None,
        channel: str | None = None,
        fields: Mapping[str, Value] | None = None,
    ) -> PassFilter: ...
    @property
    def states(self) -> tuple[State, ...]:
        """In one of these effective states; in any if there is none."""
    @property
    def holder(self) -> ContactId | None:
        """Made or issued for this contact."""
    @property
    def used(self) -> Used | None:
        """Used so far."""
    @property
    def expires_before(self) -> _datetime | None:
        """With an expiry before this instant: those that expire at it, or never, are left out."""
    @property
    def channel(self) -> str | None:
        """Delivered through this channel."""
    @property
    def fields(self) -> dict[str, Value]:
        """With these values of custom fields, the inherited ones counted."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassId:
    """A pass. It holds its lot and its serial number."""
    def __new__(cls, value: UUID | str) -> PassId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: PassId, /) -> bool: ...
    def __gt__(self, other: PassId, /) -> bool: ...
    def __le__(self, other: PassId, /) -> bool: ...
    def __lt__(self, other: PassId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    @property
    def lot(self) -> LotId:
        """The lot that it is of."""
    @property
    def serial(self) -> int:
        """Its serial number in the lot."""

@final
class PassLine:
    """A line of a pass's statement.
    See `Passes.pass_statement`.
    """
    __match_args__ = ("booking", "amount", "balance")
    def __new__(cls, *, booking: Booking, amount: Money, balance: Money) -> PassLine: ...
    @property
    def booking(self) -> Booking:
        """What booked it."""
    @property
    def amount(self) -> Money:
        """How much: above zero onto the pass, below zero off it."""
    @property
    def balance(self) -> Money:
        """What was booked on the pass after this line."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassLineCursor:
    """Where a pass's statement goes on: before this line, towards the oldest.
    See `Passes.pass_statement`.
    """
    __match_args__ = ("entry", "balance")
    def __new__(cls, *, entry: int, balance: int) -> PassLineCursor: ...
    @property
    def entry(self) -> int:
        """The number of its entry."""
    @property
    def balance(self) -> int:
        """What was booked on the pass before it, in minor units."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassLinePage:
    """A page of a list, and where to go on."""
    __match_args__ = ("rows", "next")
    def __new__(
        cls,
        *,
        rows: Sequence[PassLine],
        next: PassLineCursor | None = None,
    ) -> PassLinePage: ...
    @property
    def rows(self) -> tuple[PassLine, ...]:
        """The rows."""
    @property
    def next(self) -> PassLineCursor | None:
        """The cursor with which to ask for the next page; nothing at the end."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassPage:
    """A page of a list, and where to go on."""
    __match_args__ = ("rows", "next")
    def __new__(cls, *, rows: Sequence[PassView], next: PassCursor | None = None) -> PassPage: ...
    @property
    def rows(self) -> tuple[PassView, ...]:
        """The rows."""
    @property
    def next(self) -> PassCursor | None:
        """The cursor with which to ask for the next page; nothing at the end."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassSpan:
    """Passes in the order of their ids: those that the command changed lie between the first and the last. All are of
    one lot unless the command named a list or a plan.
    """
    __match_args__ = ("first", "last", "count")
    def __new__(cls, *, first: PassId, last: PassId, count: int) -> PassSpan: ...
    @property
    def first(self) -> PassId:
        """The first."""
    @property
    def last(self) -> PassId:
        """The last."""
    @property
    def count(self) -> int:
        """How many of them the command changed."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PassView:
    """A pass, as an operator sees it. It holds nothing of the code.
    See `Passes.pass`.
    """
    __match_args__ = ("id", "lot", "plan", "serial", "state", "suspended", "value", "left", "granted_left", "uses", "used", "redeem_by", "expired", "activated", "holder", "sale", "channel", "fields", "successor", "replaces")
    def __new__(
        cls,
        *,
        id: PassId,
        lot: LotId,
        plan: PlanId,
        serial: int,
        state: State,
        suspended: bool,
        value: Money | None = None,
        left: Money,
        granted_left: Money,
        uses: int,
        used: int,
        redeem_by: _datetime | None = None,
        expired: bool,
        activated: _datetime | None = None,
        holder: ContactId | None = None,
        sale: SaleId | None = None,
        channel: str | None = None,
        fields: Mapping[str, Value],
        successor: PassId | None = None,
        replaces: PassId | None = None,
    ) -> PassView: ...
    @property
    def id(self) -> PassId:
        """Its id."""
    @property
    def lot(self) -> LotId:
        """Its lot."""
    @property
    def plan(self) -> PlanId:
        """Its plan."""
    @property
    def serial(self) -> int:
        """Its serial number in the lot, from 1."""
    @property
    def state(self) -> State:
        """Its effective state: an active pass counts as suspended when it, its lot or its plan is (L-6)."""
    @property
    def suspended(self) -> bool:
        """Whether the pass by itself is suspended."""
    @property
    def value(self) -> Money | None:
        """Its value, of each use where each credits the full value; nothing while not set."""
    @property
    def left(self) -> Money:
        """All that it can still give."""
    @property
    def granted_left(self) -> Money:
        """The granted part of what is left."""
    @property
    def uses(self) -> int:
        """How many uses it has in all."""
    @property
    def used(self) -> int:
        """How many of them are used."""
    @property
    def redeem_by(self) -> _datetime | None:
        """The moment, in UTC, from which it can't be redeemed any more; nothing is never."""
    @property
    def expired(self) -> bool:
        """Whether that moment has come."""
    @property
    def activated(self) -> _datetime | None:
        """When it was activated."""
    @property
    def holder(self) -> ContactId | None:
        """The contact it was made or issued for: the recipient."""
    @property
    def sale(self) -> SaleId | None:
        """The sale that it belongs to; see `Passes.sale`."""
    @property
    def channel(self) -> str | None:
        """The channel through which it is delivered, if it is electronic."""
    @property
    def fields(self) -> dict[str, Value]:
        """Its custom fields: those of the plan, and over them those set on the pass itself."""
    @property
    def successor(self) -> PassId | None:
        """The pass that replaced it."""
    @property
    def replaces(self) -> PassId | None:
        """The pass that it replaces."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Plan:
    """A plan as it is stored.
    See `Passes.plan`.
    """
    __match_args__ = ("id", "spec", "state", "terms", "suspended", "copy_of")
    def __new__(
        cls,
        *,
        id: PlanId,
        spec: Spec,
        state: PlanState,
        terms: TermsId | None = None,
        suspended: bool,
        copy_of: PlanId | None = None,
    ) -> Plan: ...
    @property
    def id(self) -> PlanId:
        """Its id."""
    @property
    def spec(self) -> Spec:
        """What the business says of it."""
    @property
    def state(self) -> PlanState:
        """Its state."""
    @property
    def terms(self) -> TermsId | None:
        """Where its terms are stored for its passes; set with the first pass, which freezes the plan."""
    @property
    def suspended(self) -> bool:
        """Whether all its passes are suspended (L-6)."""
    @property
    def copy_of(self) -> PlanId | None:
        """The plan it was copied from."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PlanId:
    """A pass plan."""
    def __new__(cls, value: UUID | str) -> PlanId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: PlanId, /) -> bool: ...
    def __gt__(self, other: PlanId, /) -> bool: ...
    def __le__(self, other: PlanId, /) -> bool: ...
    def __lt__(self, other: PlanId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PlanPage:
    """A page of a list, and where to go on."""
    __match_args__ = ("rows", "next")
    def __new__(cls, *, rows: Sequence[Plan], next: PlanId | None = None) -> PlanPage: ...
    @property
    def rows(self) -> tuple[Plan, ...]:
        """The rows."""
    @property
    def next(self) -> PlanId | None:
        """The cursor with which to ask for the next page; nothing at the end."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PlanReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: PlanId,
    ) -> PlanReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> PlanId:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Pocket:
    """A pocket, and what is in it.
    See `Passes.wallet`.
    """
    __match_args__ = ("key", "balance", "paid", "granted", "expired")
    def __new__(
        cls,
        *,
        key: PocketKey,
        balance: Money,
        paid: Money,
        granted: Money,
        expired: Money,
    ) -> Pocket: ...
    @property
    def key(self) -> PocketKey:
        """Which."""
    @property
    def balance(self) -> Money:
        """What can be spent: of credits that have not expired."""
    @property
    def paid(self) -> Money:
        """The part of it that was paid for."""
    @property
    def granted(self) -> Money:
        """The part of it that was given."""
    @property
    def expired(self) -> Money:
        """What is left of credits that have expired and is not booked to breakage yet; it is no part of the balance."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PocketKey:
    """Which pocket of a wallet: the Business pocket, or the Commerce pocket of a pool, in one currency."""
    __match_args__ = ("pool", "currency")
    def __new__(cls, *, pool: str | None = None, currency: Currency | str) -> PocketKey: ...
    @property
    def pool(self) -> str | None:
        """The commerce pool; none is the Business pocket."""
    @property
    def currency(self) -> Currency:
        """The currency."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Pool:
    """A named set of rules on where a pocket's money may be spent (P-9)."""
    __match_args__ = ("name", "conditions")
    def __new__(cls, *, name: str, conditions: Conditions | None = None) -> Pool: ...
    @property
    def name(self) -> str:
        """Its name, by which plans choose it."""
    @property
    def conditions(self) -> Conditions:
        """Its rules."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Position:
    """Where an event stands: the number of its operation. A reader that has seen a position has seen everything
    up to it, and asks for what comes after.
    """
    __match_args__ = ("value",)
    def __new__(cls, value: int) -> Position: ...
    @property
    def value(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Presented:
    """What a command takes for a passcode: the code, or its hash (C-14)."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Code(Presented):
        """The code itself."""
        __match_args__ = ("passcode",)
        def __new__(cls, passcode: Passcode | str) -> Presented.Code: ...
        @property
        def passcode(self) -> Passcode: ...

    @final
    class Hash(Presented):
        """Its hash, if the business allows that and the actor has the right."""
        __match_args__ = ("code_hash",)
        def __new__(cls, code_hash: CodeHash) -> Presented.Hash: ...
        @property
        def code_hash(self) -> CodeHash: ...

@final
class Profile:
    """What is said of a contact."""
    __match_args__ = ("name", "media", "fields")
    def __new__(
        cls,
        *,
        name: str | None = None,
        media: Sequence[Medium] | None = None,
        fields: Mapping[str, Value] | None = None,
    ) -> Profile: ...
    @property
    def name(self) -> str | None:
        """The name."""
    @property
    def media(self) -> tuple[Medium, ...]:
        """The media."""
    @property
    def fields(self) -> dict[str, Value]:
        """Custom fields."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Progress:
    """How far a run is.
    See `Run`.
    """
    __match_args__ = ("run", "state", "done", "skipped", "total")
    def __new__(
        cls,
        *,
        run: RunId,
        state: RunState,
        done: int,
        skipped: Mapping[State, int],
        total: int,
    ) -> Progress: ...
    @property
    def run(self) -> RunId:
        """The run."""
    @property
    def state(self) -> RunState:
        """Where it stands."""
    @property
    def done(self) -> int:
        """How many passes were made or changed."""
    @property
    def skipped(self) -> dict[State, int]:
        """How many passes were skipped, by the state they were in."""
    @property
    def total(self) -> int:
        """How many passes there are to make or to look at."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Receipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: None,
    ) -> Receipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> None:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Recipient:
    """Who gets an electronic pass."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Contact(Recipient):
        """A contact."""
        __match_args__ = ("contact",)
        def __new__(cls, contact: ContactId) -> Recipient.Contact: ...
        @property
        def contact(self) -> ContactId: ...

    @final
    class Profile(Recipient):
        """The contact whom one of these media leads to, else a new one with this profile."""
        __match_args__ = ("profile",)
        def __new__(cls, profile: Profile) -> Recipient.Profile: ...
        @property
        def profile(self) -> Profile: ...

@final
class Redeem:
    """A request to redeem a pass, or to check whether it could be."""
    __match_args__ = ("code", "target", "amount", "basket", "partly")
    def __new__(
        cls,
        *,
        code: Presented | Passcode | str | CodeHash,
        target: Target | ContactId,
        amount: Money | None = None,
        basket: Basket | None = None,
        partly: bool | None = None,
    ) -> Redeem: ...
    @property
    def code(self) -> Presented:
        """The passcode, or its hash."""
    @property
    def target(self) -> Target:
        """Where the value goes."""
    @property
    def amount(self) -> Money | None:
        """What is to be spent directly; the basket's total if none. A redemption into a wallet takes a whole use."""
    @property
    def basket(self) -> Basket | None:
        """The purchase at hand."""
    @property
    def partly(self) -> bool:
        """Whether less than the amount will do, if the balance or the products don't allow all of it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class RedeemBy:
    """Until when a pass can be redeemed (P-4).
    See `RedeemBy.resolve`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Never(RedeemBy):
        """For ever."""
        __match_args__ = ()
        def __new__(cls) -> RedeemBy.Never: ...

    @final
    class Date(RedeemBy):
        """To the end of this date."""
        __match_args__ = ("date",)
        def __new__(cls, date: _date) -> RedeemBy.Date: ...
        @property
        def date(self) -> _date: ...

    @final
    class AfterIssue(RedeemBy):
        """For a period after it was issued: after its lot was generated."""
        __match_args__ = ("period",)
        def __new__(cls, period: Period) -> RedeemBy.AfterIssue: ...
        @property
        def period(self) -> Period: ...

    @final
    class AfterActivation(RedeemBy):
        """For a period after it was activated."""
        __match_args__ = ("period",)
        def __new__(cls, period: Period) -> RedeemBy.AfterActivation: ...
        @property
        def period(self) -> Period: ...

@final
class Redeemed:
    """What a redemption did, or would do."""
    __match_args__ = ("pass_", "contact", "amount", "short", "credits", "paid", "uses", "left", "uses_left")
    def __new__(
        cls,
        *,
        pass_: PassId,
        contact: ContactId | None = None,
        amount: Money,
        short: Money,
        credits: Sequence[Credited],
        paid: Sequence[PaidLine],
        uses: int,
        left: Money,
        uses_left: int,
    ) -> Redeemed: ...
    @property
    def pass_(self) -> PassId:
        """The pass."""
    @property
    def contact(self) -> ContactId | None:
        """Whose wallet it went to; none when it was spent directly."""
    @property
    def amount(self) -> Money:
        """How much."""
    @property
    def short(self) -> Money:
        """What was asked for and is not covered: zero unless less would do."""
    @property
    def credits(self) -> tuple[Credited, ...]:
        """The credits it became."""
    @property
    def paid(self) -> tuple[PaidLine, ...]:
        """What it paid for, when spent directly."""
    @property
    def uses(self) -> int:
        """How many uses it counts."""
    @property
    def left(self) -> Money:
        """What is left on the pass."""
    @property
    def uses_left(self) -> int:
        """How many uses are left."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class RedeemedCheck:
    """The answer to a check: what the redemption would do, or every rule that fails.
    See `Passes.check`.
    """
    __match_args__ = ("reasons", "would")
    def __new__(
        cls,
        *,
        reasons: Sequence[Refusal],
        would: Redeemed | None = None,
    ) -> RedeemedCheck: ...
    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Every rule that fails, the one to tell first in front; empty when it would be accepted."""
    @property
    def would(self) -> Redeemed | None:
        """What it would do. Ids of credits and of a new contact are not made before the redemption."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class RedeemedReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: Redeemed,
    ) -> RedeemedReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> Redeemed:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Refusals:
    """Refusals counted of one code, at one place, of one plan.
    See `Passes.refusals`.
    """
    __match_args__ = ("code", "plan", "place", "count")
    def __new__(
        cls,
        *,
        code: str,
        plan: PlanId | None = None,
        place: str | None = None,
        count: int,
    ) -> Refusals: ...
    @property
    def code(self) -> str:
        """The code that was told first."""
    @property
    def plan(self) -> PlanId | None:
        """The plan, where the command got as far as to know it."""
    @property
    def place(self) -> str | None:
        """The place."""
    @property
    def count(self) -> int:
        """How many."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Replacement:
    """A pass and the one that replaces it."""
    __match_args__ = ("old", "new")
    def __new__(cls, old: PassId, new: PassId) -> Replacement: ...
    @property
    def old(self) -> PassId: ...
    @property
    def new(self) -> PassId: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Returned:
    """A part of what returned.
    See `Passes.reverse`.
    """
    __match_args__ = ("home", "amount", "mark", "line")
    def __new__(
        cls,
        *,
        home: Home,
        amount: Money,
        mark: Mark,
        line: int | None = None,
    ) -> Returned: ...
    @property
    def home(self) -> Home:
        """Where to."""
    @property
    def amount(self) -> Money:
        """How much."""
    @property
    def mark(self) -> Mark:
        """Its mark."""
    @property
    def line(self) -> int | None:
        """The basket line it had paid."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Revealed:
    """A code that was revealed, or none if it can't be."""
    __match_args__ = ("receipt", "code")
    def __new__(cls, receipt: Receipt, code: Passcode | str | None) -> Revealed: ...
    @property
    def receipt(self) -> Receipt: ...
    @property
    def code(self) -> Passcode | None: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class ReversalOf:
    """Which redemption or spend is to be reversed.
    See `Reverse`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Operation(ReversalOf):
        """By the reference on its receipt."""
        __match_args__ = ("position",)
        def __new__(cls, position: Position) -> ReversalOf.Operation: ...
        @property
        def position(self) -> Position: ...

    @final
    class Key(ReversalOf):
        """By its idempotency key. If nothing bears the key yet, the late request will be refused (R-12)."""
        __match_args__ = ("value",)
        def __new__(cls, value: str) -> ReversalOf.Key: ...
        @property
        def value(self) -> str: ...

@disjoint_base
class ReversalPart:
    """How much of it.
    See `Reverse`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class All(ReversalPart):
        """All that was not reversed before."""
        __match_args__ = ()
        def __new__(cls) -> ReversalPart.All: ...

    @final
    class Amount(ReversalPart):
        """So much, from the end: the last credit first, in it the last line, paid before granted."""
        __match_args__ = ("amount",)
        def __new__(cls, amount: Money) -> ReversalPart.Amount: ...
        @property
        def amount(self) -> Money: ...

    @final
    class Lines(ReversalPart):
        """So much of each of these basket lines."""
        __match_args__ = ("lines",)
        def __new__(cls, lines: Sequence[LineAmount]) -> ReversalPart.Lines: ...
        @property
        def lines(self) -> tuple[LineAmount, ...]: ...

@final
class Reverse:
    """A request to reverse."""
    __match_args__ = ("of", "part", "allow_loss", "to")
    def __new__(
        cls,
        *,
        of: ReversalOf,
        part: ReversalPart | None = None,
        allow_loss: bool | None = None,
        to: ContactId | None = None,
    ) -> Reverse: ...
    @property
    def of(self) -> ReversalOf:
        """Which redemption or spend."""
    @property
    def part(self) -> ReversalPart:
        """How much of it."""
    @property
    def allow_loss(self) -> bool:
        """Whether money that has been spent may be booked as a loss; needs the right."""
    @property
    def to(self) -> ContactId | None:
        """Who gets what can't return to a cancelled pass; a new nameless contact if nobody is named."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Reversed:
    """What a reversal did.
    See `Passes.reverse`.
    """
    __match_args__ = ("of", "amount", "loss", "uses", "returned")
    def __new__(
        cls,
        *,
        of: Position | None = None,
        amount: Money | None = None,
        loss: Money | None = None,
        uses: int,
        returned: Sequence[Returned],
    ) -> Reversed: ...
    @property
    def of(self) -> Position | None:
        """What was reversed; nothing when the key was stopped before its request came."""
    @property
    def amount(self) -> Money | None:
        """How much returned; nothing when a key was stopped."""
    @property
    def loss(self) -> Money | None:
        """How much of it is booked as a loss, because it had been spent."""
    @property
    def uses(self) -> int:
        """How many uses returned."""
    @property
    def returned(self) -> tuple[Returned, ...]:
        """Where it returned to."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class ReversedReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: Reversed,
    ) -> ReversedReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> Reversed:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class RunId:
    """A run: long work done in steps."""
    def __new__(cls, value: UUID | str) -> RunId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: RunId, /) -> bool: ...
    def __gt__(self, other: RunId, /) -> bool: ...
    def __le__(self, other: RunId, /) -> bool: ...
    def __lt__(self, other: RunId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class RunReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: RunId,
    ) -> RunReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> RunId:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Sale:
    """A sale as it is stored.
    See `Passes.sale`.
    """
    __match_args__ = ("id", "deal", "at", "seller", "place")
    def __new__(
        cls,
        *,
        id: SaleId,
        deal: Deal,
        at: _datetime,
        seller: str,
        place: str | None = None,
    ) -> Sale: ...
    @property
    def id(self) -> SaleId:
        """Its id."""
    @property
    def deal(self) -> Deal:
        """Its terms."""
    @property
    def at(self) -> _datetime:
        """When."""
    @property
    def seller(self) -> str:
        """Who sold."""
    @property
    def place(self) -> str | None:
        """Where."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class SaleId:
    """A sale of one or more passes."""
    def __new__(cls, value: UUID | str) -> SaleId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: SaleId, /) -> bool: ...
    def __gt__(self, other: SaleId, /) -> bool: ...
    def __le__(self, other: SaleId, /) -> bool: ...
    def __lt__(self, other: SaleId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Settings:
    """The settings of a business."""
    __match_args__ = ("name", "zone", "currencies", "locales", "default_locale", "secrecy", "week_start", "guess_one_in", "second_currency", "accept_hashes", "void_hours", "grace_days", "printing_house", "channels", "pools", "pass_fields", "contact_fields")
    def __new__(
        cls,
        *,
        name: str,
        zone: str | ZoneInfo,
        currencies: Sequence[Currency | str],
        locales: Sequence[str],
        default_locale: str,
        secrecy: Secrecy | None = None,
        week_start: Weekday | None = None,
        guess_one_in: int | None = None,
        second_currency: bool | None = None,
        accept_hashes: bool | None = None,
        void_hours: int | None = None,
        grace_days: int | None = None,
        printing_house: bool | None = None,
        channels: Sequence[Channel] | None = None,
        pools: Sequence[Pool] | None = None,
        pass_fields: Sequence[Definition] | None = None,
        contact_fields: Sequence[Definition] | None = None,
    ) -> Settings: ...
    @property
    def name(self) -> str:
        """Its name, for people."""
    @property
    def zone(self) -> str:
        """Its time zone: dates without a time mean its calendar."""
    @property
    def currencies(self) -> tuple[Currency, ...]:
        """The currencies that plans may use."""
    @property
    def locales(self) -> tuple[str, ...]:
        """The languages in which plans may be named, as BCP 47 tags."""
    @property
    def default_locale(self) -> str:
        """The language used where a text has no other; one of `locales`."""
    @property
    def secrecy(self) -> Secrecy:
        """Whether codes can be brought back."""
    @property
    def week_start(self) -> Weekday:
        """The day on which weeks start."""
    @property
    def guess_one_in(self) -> int:
        """A random guess may hit a code at most once in this many tries (C-4)."""
    @property
    def second_currency(self) -> bool:
        """Whether a wallet may hold a second currency (W-2)."""
    @property
    def accept_hashes(self) -> bool:
        """Whether the hash of a passcode may be presented instead of it (C-14)."""
    @property
    def void_hours(self) -> int:
        """For how many hours a sale can be voided (L-8)."""
    @property
    def grace_days(self) -> int:
        """For how many days money that returns to an expired credit can still be spent (R-6)."""
    @property
    def printing_house(self) -> bool:
        """Whether a printing house takes the printed lots, and is told of them (T-3)."""
    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels of delivery that differ from the usual: active when confirmed."""
    @property
    def pools(self) -> tuple[Pool, ...]:
        """The commerce pools."""
    @property
    def pass_fields(self) -> tuple[Definition, ...]:
        """The custom fields of plans and passes."""
    @property
    def contact_fields(self) -> tuple[Definition, ...]:
        """The custom fields of contacts."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Side:
    """One side of a ledger entry."""
    __match_args__ = ("account", "subject")
    def __new__(cls, account: Account, subject: Subject) -> Side: ...
    @property
    def account(self) -> Account: ...
    @property
    def subject(self) -> Subject: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Since:
    """What became of the books since a checkpoint.

    As text it is a sentence for people, with the numbers.
    See `Passes.verify_since`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Kept(Since):
        """All that it saw is there, unchanged."""
        __match_args__ = ("after",)
        def __new__(cls, *, after: int) -> Since.Kept: ...
        @property
        def after(self) -> int:
            """How many operations came since."""

    @final
    class RolledBack(Since):
        """The books end before it: they were rolled back, by restoring a backup for example. As far as they go they
        may be as they were; an older checkpoint tells.
        """
        __match_args__ = ("missing", "last", "since")
        def __new__(
            cls,
            *,
            missing: int,
            last: Position,
            since: _datetime | None = None,
        ) -> Since.RolledBack: ...
        @property
        def missing(self) -> int:
            """How many operations are missing."""
        @property
        def last(self) -> Position:
            """The last that is there; zero if none is."""
        @property
        def since(self) -> _datetime | None:
            """When that was written: what came later is missing. Nothing if none is there."""

    @final
    class Diverged(Since):
        """They go on, but with other operations than it saw: they were rolled back, and then worked with."""
        __match_args__ = ("saw", "there", "kept")
        def __new__(cls, *, saw: int, there: int, kept: Kept | None = None) -> Since.Diverged: ...
        @property
        def saw(self) -> int:
            """How many operations it saw."""
        @property
        def there(self) -> int:
            """How many there are up to its position."""
        @property
        def kept(self) -> Kept | None:
            """The newest of the other checkpoints given that still hold, and when that was taken: what came later
            is missing or in doubt. Nothing if none does.
            """

    @final
    class Changed(Since):
        """The last operation that it saw is there, but not all before it is as it was: something was changed, added
        or taken away.
        """
        __match_args__ = ("saw", "there", "kept")
        def __new__(cls, *, saw: int, there: int, kept: Kept | None = None) -> Since.Changed: ...
        @property
        def saw(self) -> int:
            """How many operations it saw."""
        @property
        def there(self) -> int:
            """How many there are up to its position."""
        @property
        def kept(self) -> Kept | None:
            """The newest of the other checkpoints given that still hold, and when that was taken. Nothing if none
            does.
            """

    @final
    class AnotherDatabase(Since):
        """It is of the same business in another database: their first operations differ."""
        __match_args__ = ()
        def __new__(cls) -> Since.AnotherDatabase: ...

    @final
    class AnotherBusiness(Since):
        """It is of another business."""
        __match_args__ = ("business",)
        def __new__(cls, business: BusinessId) -> Since.AnotherBusiness: ...
        @property
        def business(self) -> BusinessId: ...

    @final
    class Forged(Since):
        """It was not made with this keyring, or was changed since."""
        __match_args__ = ()
        def __new__(cls) -> Since.Forged: ...

@final
class Spec:
    """All that a business says of a plan.
    See `Passes.create_plan`, and `Spec.from_toml` for a file.
    """
    __match_args__ = ("name", "description", "terms", "code", "caps")
    def __new__(
        cls,
        *,
        name: Mapping[str, str],
        description: Mapping[str, str] | None = None,
        terms: Terms,
        code: Format | None = None,
        caps: Caps | None = None,
    ) -> Spec: ...
    @property
    def name(self) -> dict[str, str]:
        """Its name, at least in the default language."""
    @property
    def description(self) -> dict[str, str]:
        """Its description."""
    @property
    def terms(self) -> Terms:
        """Its terms."""
    @property
    def code(self) -> Format:
        """The format of its passcodes."""
    @property
    def caps(self) -> Caps:
        """Its caps."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Spend:
    """A request to pay a basket from a wallet."""
    __match_args__ = ("contact", "basket", "amount", "partly")
    def __new__(
        cls,
        *,
        contact: ContactId,
        basket: Basket,
        amount: Money | None = None,
        partly: bool | None = None,
    ) -> Spend: ...
    @property
    def contact(self) -> ContactId:
        """Whose wallet."""
    @property
    def basket(self) -> Basket:
        """The purchase at hand."""
    @property
    def amount(self) -> Money | None:
        """How much of it; all if none."""
    @property
    def partly(self) -> bool:
        """Whether less will do."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class SpendBy:
    """Until when the credited money can be spent (P-4).
    See `SpendBy.resolve`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Never(SpendBy):
        """For ever."""
        __match_args__ = ()
        def __new__(cls) -> SpendBy.Never: ...

    @final
    class Date(SpendBy):
        """To the end of this date."""
        __match_args__ = ("date",)
        def __new__(cls, date: _date) -> SpendBy.Date: ...
        @property
        def date(self) -> _date: ...

    @final
    class AfterRedemption(SpendBy):
        """For a period after the redemption."""
        __match_args__ = ("period",)
        def __new__(cls, period: Period) -> SpendBy.AfterRedemption: ...
        @property
        def period(self) -> Period: ...

@final
class Spent:
    """What a spend did: which credit paid which line, in the order in which they are used.
    See `Passes.spend`.
    """
    __match_args__ = ("contact", "amount", "short", "paid")
    def __new__(
        cls,
        *,
        contact: ContactId,
        amount: Money,
        short: Money,
        paid: Sequence[PaidBy],
    ) -> Spent: ...
    @property
    def contact(self) -> ContactId:
        """Whose wallet."""
    @property
    def amount(self) -> Money:
        """How much was paid."""
    @property
    def short(self) -> Money:
        """What was asked for and not paid: zero unless less would do."""
    @property
    def paid(self) -> tuple[PaidBy, ...]:
        """Which credit paid which line."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class SpentCheck:
    """The answer to a check: what the redemption would do, or every rule that fails.
    See `Passes.check`.
    """
    __match_args__ = ("reasons", "would")
    def __new__(cls, *, reasons: Sequence[Refusal], would: Spent | None = None) -> SpentCheck: ...
    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Every rule that fails, the one to tell first in front; empty when it would be accepted."""
    @property
    def would(self) -> Spent | None:
        """What it would do. Ids of credits and of a new contact are not made before the redemption."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class SpentReceipt:
    """The answer to an accepted command: what it did, and the reference to its operation.

    It dereferences to what was done.
    """
    __match_args__ = ("operation", "replayed", "at", "done")
    def __new__(
        cls,
        *,
        operation: Position,
        replayed: bool,
        at: _datetime,
        done: Spent,
    ) -> SpentReceipt: ...
    @property
    def operation(self) -> Position:
        """The store's reference to the operation, by which it can be reversed, and the position of its events."""
    @property
    def replayed(self) -> bool:
        """Whether the same request had been done before, and nothing moved this time (R-5)."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def done(self) -> Spent:
        """What was done."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Subject:
    """Whose part of an account an entry moves.
    See `Entry`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class None_(Subject):
        """The account has no subjects."""
        __match_args__ = ()
        def __new__(cls) -> Subject.None_: ...

    @final
    class Pass(Subject):
        """One pass."""
        __match_args__ = ("pass_",)
        def __new__(cls, pass_: PassId) -> Subject.Pass: ...
        @property
        def pass_(self) -> PassId: ...

    @final
    class Passes(Subject):
        """Passes of one lot with consecutive serial numbers, the same amount each. All of them are there, and
        their last entry is the same, so that this one continues the chain of each: else it is a conflict, and
        a pass with another last entry needs an entry of its own. Subjects within one change don't overlap
        but where they are the same.
        """
        __match_args__ = ("first", "count")
        def __new__(cls, *, first: PassId, count: int) -> Subject.Passes: ...
        @property
        def first(self) -> PassId:
            """The first pass."""
        @property
        def count(self) -> int:
            """How many passes."""

    @final
    class Credit(Subject):
        """One credit of a contact."""
        __match_args__ = ("contact", "credit")
        def __new__(cls, contact: ContactId, credit: CreditId) -> Subject.Credit: ...
        @property
        def contact(self) -> ContactId: ...
        @property
        def credit(self) -> CreditId: ...

@disjoint_base
class SuspendedWhole:
    """What was suspended or reactivated.
    See `Event`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Passes(SuspendedWhole):
        """Passes."""
        __match_args__ = ("passes",)
        def __new__(cls, passes: PassSpan) -> SuspendedWhole.Passes: ...
        @property
        def passes(self) -> PassSpan: ...

    @final
    class Lot(SuspendedWhole):
        """A lot."""
        __match_args__ = ("lot",)
        def __new__(cls, lot: LotId) -> SuspendedWhole.Lot: ...
        @property
        def lot(self) -> LotId: ...

    @final
    class Plan(SuspendedWhole):
        """A plan."""
        __match_args__ = ("plan",)
        def __new__(cls, plan: PlanId) -> SuspendedWhole.Plan: ...
        @property
        def plan(self) -> PlanId: ...

@disjoint_base
class Target:
    """Where the value goes.
    See `Case`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Contact(Target):
        """Into the wallet of a contact."""
        __match_args__ = ("contact",)
        def __new__(cls, contact: ContactId) -> Target.Contact: ...
        @property
        def contact(self) -> ContactId: ...

    @final
    class NewContact(Target):
        """Into the wallet of a new nameless contact."""
        __match_args__ = ()
        def __new__(cls) -> Target.NewContact: ...

    @final
    class Direct(Target):
        """It is spent directly, as a gift card."""
        __match_args__ = ()
        def __new__(cls) -> Target.Direct: ...

@final
class Terms:
    """The terms of a plan."""
    __match_args__ = ("classification", "form", "currency", "value", "usage", "redeem_by", "spend_by", "windows", "conditions", "pool", "personal", "unsold", "fields")
    def __new__(
        cls,
        *,
        classification: Classification,
        form: Form,
        currency: Currency | str,
        value: Worth,
        usage: Usage | None = None,
        redeem_by: RedeemBy | None = None,
        spend_by: SpendBy | None = None,
        windows: Windows | None = None,
        conditions: Conditions | None = None,
        pool: str | None = None,
        personal: bool | None = None,
        unsold: Mark | None = None,
        fields: Mapping[str, Value] | None = None,
    ) -> Terms: ...
    @property
    def classification(self) -> Classification:
        """The kind of passes."""
    @property
    def form(self) -> Form:
        """Printed or electronic."""
    @property
    def currency(self) -> Currency:
        """The currency."""
    @property
    def value(self) -> Worth:
        """The value of a pass."""
    @property
    def usage(self) -> Usage:
        """How often it can be used."""
    @property
    def redeem_by(self) -> RedeemBy:
        """Until when it can be redeemed."""
    @property
    def spend_by(self) -> SpendBy:
        """Until when its money can be spent."""
    @property
    def windows(self) -> Windows:
        """A start date, opening hours and blackout dates for redeeming."""
    @property
    def conditions(self) -> Conditions:
        """Where its money may be spent."""
    @property
    def pool(self) -> str | None:
        """The commerce pool whose pocket it credits; none is the business pocket (P-9)."""
    @property
    def personal(self) -> bool:
        """Whether only the contact it was issued to may redeem it."""
    @property
    def unsold(self) -> Mark:
        """What its value is when a pass becomes active without a sale (W-1)."""
    @property
    def fields(self) -> dict[str, Value]:
        """Custom fields, inherited by its passes (P-13)."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class TermsId:
    """The immutable terms that passes were made with."""
    def __new__(cls, value: UUID | str) -> TermsId: ...
    @property
    def value(self) -> UUID:
        """The UUID."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: TermsId, /) -> bool: ...
    def __gt__(self, other: TermsId, /) -> bool: ...
    def __le__(self, other: TermsId, /) -> bool: ...
    def __lt__(self, other: TermsId, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Told:
    """An event as a reader gets it.
    See `Passes.events`.
    """
    __match_args__ = ("position", "index", "operation", "at", "event")
    def __new__(
        cls,
        *,
        position: Position,
        index: int,
        operation: OperationId,
        at: _datetime,
        event: Event,
    ) -> Told: ...
    @property
    def position(self) -> Position:
        """Where it stands."""
    @property
    def index(self) -> int:
        """Its place among the events of the same position, from 0."""
    @property
    def operation(self) -> OperationId:
        """The operation that raised it: with `index`, the event's stable id."""
    @property
    def at(self) -> _datetime:
        """When it counts."""
    @property
    def event(self) -> Event:
        """What happened."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Usage:
    """How often a pass can be used (P-5)."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Single(Usage):
        """Once."""
        __match_args__ = ()
        def __new__(cls) -> Usage.Single: ...

    @final
    class Full(Usage):
        """Up to so many times, and each use credits the full value."""
        __match_args__ = ("value",)
        def __new__(cls, value: int) -> Usage.Full: ...
        @property
        def value(self) -> int: ...

    @final
    class Shared(Usage):
        """Up to so many times, and the uses share the value in equal parts."""
        __match_args__ = ("value",)
        def __new__(cls, value: int) -> Usage.Shared: ...
        @property
        def value(self) -> int: ...

@disjoint_base
class Value:
    """A value: a decimal, a date and a choice are texts of their own forms.
    See `Definition`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class YesNo(Value):
        """Yes or no."""
        __match_args__ = ("value",)
        def __new__(cls, value: bool) -> Value.YesNo: ...
        @property
        def value(self) -> bool: ...

    @final
    class Integer(Value):
        """A whole number."""
        __match_args__ = ("value",)
        def __new__(cls, value: int) -> Value.Integer: ...
        @property
        def value(self) -> int: ...

    @final
    class Text(Value):
        """A text, decimal, date or choice."""
        __match_args__ = ("value",)
        def __new__(cls, value: str) -> Value.Text: ...
        @property
        def value(self) -> str: ...

@final
class Verified:
    """The outcome of a verification.
    See `Passes.verify`.
    """
    __match_args__ = ("documents", "passes", "operations", "entries", "credits", "tallies", "codes", "keys", "drifted", "drifts", "since")
    def __new__(
        cls,
        *,
        documents: int,
        passes: int,
        operations: int,
        entries: int,
        credits: int,
        tallies: int,
        codes: int,
        keys: int,
        drifted: int,
        drifts: Sequence[Drift],
        since: Sequence[Since],
    ) -> Verified: ...
    @property
    def documents(self) -> int:
        """How many documents were read: plans, lots, contacts, sales and the like, but for the counts of refusals."""
    @property
    def passes(self) -> int:
        """How many passes."""
    @property
    def operations(self) -> int:
        """How many operations."""
    @property
    def entries(self) -> int:
        """How many entries."""
    @property
    def credits(self) -> int:
        """How many credits."""
    @property
    def tallies(self) -> int:
        """How many named tallies."""
    @property
    def codes(self) -> int:
        """How many codes."""
    @property
    def keys(self) -> int:
        """How many idempotency keys."""
    @property
    def drifted(self) -> int:
        """How many drifts there are. Where hundreds of thousands of records drifted: at least so many."""
    @property
    def drifts(self) -> tuple[Drift, ...]:
        """The first 1,000 of them."""
    @property
    def since(self) -> tuple[Since, ...]:
        """What became of the books since each checkpoint, in the order in which they were given."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Wallet:
    """A contact's wallet.
    See `Passes.wallet`.
    """
    __match_args__ = ("contact", "pockets", "credits")
    def __new__(
        cls,
        *,
        contact: ContactId,
        pockets: Sequence[Pocket],
        credits: Sequence[CreditView],
    ) -> Wallet: ...
    @property
    def contact(self) -> ContactId:
        """Whose."""
    @property
    def pockets(self) -> tuple[Pocket, ...]:
        """A Business pocket for each currency of the wallet, and the Commerce pockets with something in them, by
        pool and currency.
        """
    @property
    def credits(self) -> tuple[CreditView, ...]:
        """The credits with something left, expired ones too, in the order in which they are spent where a basket
        doesn't decide: the soonest to expire, granted before paid, the oldest.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class WalletLine:
    """A line of a wallet's statement.
    See `Passes.statement`.
    """
    __match_args__ = ("booking", "credit", "pass_", "pocket", "amount", "balance")
    def __new__(
        cls,
        *,
        booking: Booking,
        credit: CreditId,
        pass_: PassId,
        pocket: PocketKey,
        amount: Money,
        balance: Money,
    ) -> WalletLine: ...
    @property
    def booking(self) -> Booking:
        """What booked it."""
    @property
    def credit(self) -> CreditId:
        """The credit that it is about."""
    @property
    def pass_(self) -> PassId:
        """The pass that the credit came from."""
    @property
    def pocket(self) -> PocketKey:
        """The pocket that the credit is in."""
    @property
    def amount(self) -> Money:
        """How much: above zero into the wallet, below zero out of it."""
    @property
    def balance(self) -> Money:
        """What was in the pocket after this line. A credit that has expired is in it until it is booked to
        breakage, which is a line of its own.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class WalletLinePage:
    """A page of a list, and where to go on."""
    __match_args__ = ("rows", "next")
    def __new__(
        cls,
        *,
        rows: Sequence[WalletLine],
        next: LineCursor | None = None,
    ) -> WalletLinePage: ...
    @property
    def rows(self) -> tuple[WalletLine, ...]:
        """The rows."""
    @property
    def next(self) -> LineCursor | None:
        """The cursor with which to ask for the next page; nothing at the end."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Windows:
    """When something can be redeemed, by the calendar of the business: from a start date on, within the hours (any
    hour, if none are given), and not on a blackout date. Without any of the three it is always open.

    A blackout date is a whole local day, from its first instant to its end; hours that began the evening before
    stop at its beginning, and hours that began on it go on after its end.
    """
    __match_args__ = ("start", "hours", "blackout")
    def __new__(
        cls,
        *,
        start: _date | None = None,
        hours: Sequence[Hours] | None = None,
        blackout: Iterable[_date] | None = None,
    ) -> Windows: ...
    @property
    def start(self) -> _date | None:
        """The first date, from its first instant on. Any, if there is none."""
    @property
    def hours(self) -> tuple[Hours, ...]:
        """The opening hours; open at any hour if there are none. At most `Windows.MAX_HOURS`."""
    @property
    def blackout(self) -> frozenset[_date]:
        """Dates that are closed. At most `Windows.MAX_BLACKOUT`."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class Worth:
    """What a pass is worth (P-3).
    See `Terms.range`.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

    @final
    class Fixed(Worth):
        """Always this."""
        __match_args__ = ("amount",)
        def __new__(cls, amount: Money) -> Worth.Fixed: ...
        @property
        def amount(self) -> Money: ...

    @final
    class Range(Worth):
        """Between these, both included; set when an electronic pass is issued, or a printed one sold."""
        __match_args__ = ("least", "most")
        def __new__(cls, *, least: Money, most: Money) -> Worth.Range: ...
        @property
        def least(self) -> Money:
            """The least."""
        @property
        def most(self) -> Money:
            """The most."""

@final
class Passes:
    """The library, open: every use case is a method of it. It works from many threads at once."""
    def create_business(self, actor: Actor, settings: Settings) -> BusinessId:
        """Creates a business. The actor needs the right to configure.

        A caller that may have to ask again, because it lost the answer, uses `Passes.create_business_once`.

        Errors: `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY` for a setting; a failing store.
        """
    def create_business_once(self, actor: Actor, key: str, settings: Settings) -> BusinessId:
        """Creates a business under an idempotency key: its id follows from the key, so that the same request gives
        the same business. Such an id is a UUID of version 8 (RFC 9562).

        Errors: As `Passes.create_business`; `IDEMPOTENCY_MISMATCH` for other settings under the same key.
        """
    def settings(self, by: By) -> Settings:
        """The settings of the business. Anybody who acts in it may read them.

        Errors: `NOT_FOUND`; a failing store.
        """
    def configure(self, by: By, settings: Settings) -> Receipt:
        """Changes settings. What passes were made with stays as it was. A commerce pool can't be removed: money may
        be bound to its conditions, which can be changed.

        Errors: `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY`; `NOT_FOUND`; a failing store.
        """
    def checkpoint(self, by: By) -> Checkpoint:
        """A checkpoint of the business's books, to be kept elsewhere. It reads the whole history; one that goes on
        from the last (`Passes.checkpoint_after`) reads only what is new.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND` for a business without any operation; a failing store.
        """
    def checkpoint_after(self, by: By, last: Checkpoint) -> Checkpoint:
        """A checkpoint that goes on where another ended, which it takes for granted: it proves nothing of what that
        one saw. `Passes.verify_since` does.

        Errors: As `Passes.checkpoint`; `INVALID` for a checkpoint that is of another business, was made with other
        keys or changed, or whose last operation is not there; `KEY_MISSING`.
        """
    def create_contact(self, by: By, profile: Profile) -> ContactReceipt:
        """Registers a contact.

        Errors: `FORBIDDEN`; `INVALID` for a medium; `TAKEN` when a medium leads to another contact; `BAD_FIELD`.
        """
    def edit_contact(self, by: By, contact: ContactId, profile: Profile) -> ContactReceipt:
        """Edits a contact: the profile is replaced, media that are no longer in it are free again.

        Errors: `FORBIDDEN`; `CONTACT_NOT_REGISTERED`; `INVALID`; `TAKEN`; `BAD_FIELD`.
        """
    def contact(self, by: By, contact: ContactId) -> Contact:
        """A contact by id.

        Errors: `FORBIDDEN` without the right to contacts; `CONTACT_NOT_REGISTERED`.
        """
    def find_contact(self, by: By, medium: Medium) -> Contact | None:
        """The contact whom a medium leads to, if there is one.

        Errors: `FORBIDDEN` without the right to contacts; `INVALID` for what is no such medium.
        """
    def events(self, by: By, after: Position, limit: int) -> tuple[Told, ...]:
        """The events after a position, in order; `Position.default` is before the first.

        The reader keeps its own cursor: the position of the last event that it is done with. Given the same
        cursor it gets the same events again, so that each is delivered at least once; its position and index
        are a stable id by which a repetition is told. Nothing ever appears behind a cursor. The events of one
        pass come in the order in which they happened.

        The events of one position come together, so that an answer may hold more than `limit` (up to 10,000): it
        ends with the position that reaches it. An empty answer means that there is nothing new. A bulk
        command raises one event per chunk, with range and count, not one per pass. No event holds a secret or
        anything personal.

        Errors: `FORBIDDEN` without the right to view; a failing store.
        """
    def export(self, by: By, lot: LotId) -> CountReceipt:
        """Opens an export of a lot's codes, and counts it. The pages are then read with `Passes.export_page`.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` while it is generated; `EXPORT_CLOSED`; `REASON_REQUIRED` for a
        second export (B-5).
        """
    def export_page(self, by: By, lot: LotId, after: int, limit: int) -> tuple[ExportRow, ...]:
        """A page of an open export: at most `limit` (up to 10,000) passes with serial numbers above `after`. It can
        be read again until the export is closed.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `EXPORT_CLOSED`; `REASON_REQUIRED` when no export was opened.
        """
    def close_export(self, by: By, lot: LotId) -> Receipt:
        """Closes the export of a lot. Where the business's codes are hashed, they can't be brought back from now on.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `EXPORT_CLOSED`; `WRONG_STATE` for one that was never exported.
        """
    def reveal(self, by: By, pass_: PassId) -> Revealed:
        """Reveals the code of a pass, to deliver it or to show it. It is audited.

        The same request under the same key is answered without the code.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a cancelled pass; `CODE_NOT_RECOVERABLE`.
        """
    def generate(self, by: By, request: Generate) -> LotStartedReceipt:
        """Starts the generation of a printed lot: the answer names the run, whose steps make the passes.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a plan that is not active or not printed; `UNKNOWN_CURRENCY` for
        one whose currency is no longer enabled; `FORMAT_TOO_SHORT` with the length that would do; `PLAN_CAP`;
        `TOO_LARGE`.
        """
    def issue(self, by: By, request: Issue) -> IssuedReceipt:
        """Issues an electronic pass: an event asks for its delivery, and it becomes active by that.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a plan that is not active or is printed; `UNKNOWN_CURRENCY`;
        `VALUE_NOT_SET`, `VALUE_OUT_OF_RANGE`; `CONTACT_NOT_REGISTERED`; `FORMAT_TOO_SHORT`; `PLAN_CAP`; `TAKEN`.
        """
    def liability(self, by: By) -> tuple[Liability, ...]:
        """What the business owes now to holders of passes and credits, by currency, from the ledger. An unsold
        draft is no liability; what has expired is one until it is booked to breakage.

        Errors: `FORBIDDEN` without the right to view; `BAD_AMOUNT` beyond the range of money; a failing store.
        """
    def pass_(self, by: By, pass_: PassId) -> PassView:
        """A pass.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def pass_by_serial(self, by: By, lot: LotId, serial: int) -> PassView:
        """The pass with this serial number in a lot. Serial numbers are not secret, so this is an operator's
        look-up, and proves nothing of who asks (T-7).

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def pass_by_code(self, by: By, presented: Presented | Passcode | str | CodeHash) -> PassView:
        """The pass that a code leads to, whatever its state: its balance and, by `Passes.pass_statement`, its
        statement (R-13).

        Errors: `FORBIDDEN` without the right to view, and for a hash without the right to present one; `MALFORMED`,
        `TYPING_ERROR`, `UNKNOWN_CODE`.
        """
    def passes(
        self,
        by: By,
        lot: LotId,
        filter: PassFilter,
        order: PassOrder,
        *,
        after: PassCursor | None = None,
        limit: int,
    ) -> PassPage:
        """The passes of a lot that meet a filter, by serial number or by expiry, at most `limit` (up to 10,000)
        after a cursor.

        A page looks at no more than 10,000 passes: where few meet the filter it holds fewer than `limit`, even
        none, and yet a cursor to go on with. Only a page without a cursor is the last.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`; `INVALID` for a cursor of another lot; `TOO_LARGE`.
        """
    def count_states(self, by: By, lot: LotId) -> dict[State, int]:
        """How many passes of a lot are in each effective state; states without passes are left out. It reads the
        whole lot, 10,000 passes at a time: what changes meanwhile is counted as it is found.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def lot(self, by: By, lot: LotId) -> LotView:
        """A lot.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def lots(
        self,
        by: By,
        *,
        plan: PlanId | None = None,
        after: LotId | None = None,
        limit: int,
    ) -> LotPage:
        """The lots of a plan, or of the whole business without one, in the order of their creation, at most
        `limit` (up to 10,000) after a cursor. An electronic pass is a lot of its own.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def sale(self, by: By, sale: SaleId) -> Sale:
        """A sale: its terms, when, where and by whom.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def operations(
        self,
        by: By,
        filter: OperationFilter,
        after: Position,
        limit: int,
    ) -> OperationPage:
        """The operations that meet a filter, in the order of their positions, at most `limit` (up to 10,000) after
        a position; `Position.default` is before the first.

        A page looks at no more than 10,000 operations: where few meet the filter it holds fewer than `limit`,
        even none, and yet a position to go on from. Only a page without one is the last. On a store with many
        writers an operation may still appear behind those that are told here; `Passes.events` is the reader
        that misses nothing.

        Errors: `FORBIDDEN` without the right to view; `INVALID`, `TOO_LARGE` for a text of the filter.
        """
    def operation(self, by: By, position: Position) -> OperationView:
        """An operation by the reference that its receipt carries.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def activate(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> ChangedReceipt:
        """Activates printed passes by hand. Their value is booked, as the plan's `unsold` mark says.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a pass that is no draft, or electronic.
        """
    def delivered(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        outcome: Outcome,
    ) -> ChangedReceipt:
        """Records the outcome of the delivery of electronic passes. By the channel's setting, its word that it
        took the message, or that it arrived, makes a draft active.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def resend(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> ChangedReceipt:
        """Has electronic passes sent again: an event asks for it.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `CODE_NOT_RECOVERABLE` where only a reissue helps.
        """
    def suspend(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> ChangedReceipt:
        """Suspends passes, or by one record a whole lot or plan. Expiry does not move.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def reactivate(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> ChangedReceipt:
        """Reactivates what was suspended: a pass, a lot and a plan are lifted separately.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def cancel(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        rest: Rest,
    ) -> ChangedReceipt:
        """Cancels passes. What is left of their value is refunded, forfeited or reissued.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def set_expiry(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        expiry: Expiry,
    ) -> ChangedReceipt:
        """Sets the expiry of passes, earlier or later; of an expired one, too.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def set_value(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        value: Money,
    ) -> ChangedReceipt:
        """Sets the value of unused passes, within the plan's range.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `VALUE_OUT_OF_RANGE`; `PASS_USED`; `PLAN_CAP`.
        """
    def set_fields(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        values: Mapping[str, Value],
    ) -> ChangedReceipt:
        """Sets custom fields of passes; those not named stay.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `BAD_FIELD`.
        """
    def set_recipient(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        to: ContactId,
    ) -> ChangedReceipt:
        """Sets the recipient of passes. A draft is sent to the new one.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `CONTACT_NOT_REGISTERED`.
        """
    def create_plan(self, by: By, spec: Spec) -> PlanReceipt:
        """Creates a plan, as a draft.

        Errors: `FORBIDDEN`; `INVALID`, `UNKNOWN_CURRENCY`, `BAD_FORMAT` and the others of `Spec.validate`.
        """
    def copy_plan(self, by: By, plan: PlanId) -> PlanReceipt:
        """Copies a plan, prefix and all, into a new draft.

        Errors: `FORBIDDEN`; `NOT_FOUND`.
        """
    def edit_plan(self, by: By, plan: PlanId, spec: Spec) -> PlanReceipt:
        """Changes a plan. Once it has a pass, only translations and raised caps are taken (P-11).

        Errors: `FORBIDDEN`; `NOT_FOUND`; `PLAN_FROZEN` naming the field; those of `Spec.validate`.
        """
    def activate_plan(self, by: By, plan: PlanId) -> PlanReceipt:
        """Activates a draft, or an archived plan again: it can make passes.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def archive_plan(self, by: By, plan: PlanId) -> PlanReceipt:
        """Archives a plan: it makes no new passes; those there are live on.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def delete_plan(self, by: By, plan: PlanId) -> PlanReceipt:
        """Deletes a plan that has no pass.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `PLAN_FROZEN` once it has a pass: archive it instead.
        """
    def plan(self, by: By, plan: PlanId) -> Plan:
        """A plan.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def plans(self, by: By, *, after: PlanId | None = None, limit: int) -> PlanPage:
        """The plans of the business, in the order of their creation, at most `limit` (up to 10,000) after a cursor.

        Errors: `FORBIDDEN` without the right to view.
        """
    def check(self, by: By, request: Redeem) -> RedeemedCheck:
        """What `Passes.redeem` would do, and every rule that fails with what would fix it. It writes nothing.

        Errors: `FORBIDDEN`; a failing store. What a redemption would be refused for is in the answer.
        """
    def redeem(self, by: By, request: Redeem) -> RedeemedReceipt:
        """Redeems a pass: into a wallet, or directly at the till.

        Errors: In this order of precedence: `FORBIDDEN`, `IDEMPOTENCY_MISMATCH`, `REVERSED_BEFORE_IT_CAME`, `MALFORMED`,
        `TYPING_ERROR`, `UNKNOWN_CODE`, the states (`PASS_DRAFT`, `PASS_SUSPENDED`, `PASS_REDEEMED`,
        `PASS_CANCELLED`), `NOT_STARTED`, `OUTSIDE_HOURS`, `PASS_EXPIRED`, `USES_SPENT`, `VALUE_NOT_SET`,
        `CONTACT_REQUIRED`, `CONTACT_NOT_REGISTERED`, `NOT_THIS_CONTACT`, `WALLET_CURRENCY`,
        `NO_ELIGIBLE_PRODUCTS`, `WRONG_PLACE`, `BELOW_MINIMUM`, `BALANCE_TOO_SMALL`. All that apply are told.
        """
    def redeem_all(self, requests: Sequence[Asked]) -> tuple[RedeemedReceipt | PassesError, ...]:
        """Redeems many passes in one call. Each is atomic by itself and has its own answer, in order (R-11). Each
        brings its own idempotency key, if it has one.

        Errors: `TOO_LARGE` above 10,000 redemptions. Whatever concerns one of them is in its own answer.
        """
    def refusals(self, by: By, date: _date) -> tuple[Refusals, ...]:
        """Refusals counted on a day of the business's calendar.

        Errors: `FORBIDDEN` without the right to view; a failing store.
        """
    def reverse(self, by: By, request: Reverse) -> ReversedReceipt:
        """Reverses a redemption or a spend: money and uses return exactly to where they came from.

        Errors: `FORBIDDEN`; `IDEMPOTENCY_MISMATCH`, also under the key that is to be reversed; `NOT_FOUND`;
        `NOT_REVERSIBLE` for anything else, a reversal too; `ALREADY_REVERSED`; `BAD_AMOUNT`, `MIXED_CURRENCIES`;
        `REVERSAL_TOO_LARGE`; `ALREADY_SPENT` with the amount; `CONTACT_NOT_REGISTERED`, `WALLET_CURRENCY`.
        """
    def progress(self, by: By, run: RunId) -> Progress:
        """How far a run is.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def step(self, by: By, run: RunId) -> Progress:
        """Does the next part of a run: it commits some thousands of passes together with the run's cursor. A run
        that stopped, by a crash too, goes on with the next step. The actor needs the right of the command that
        started it.

        Errors: `FORBIDDEN`; `NOT_FOUND`; a failing store, after which the run can be stepped again.
        """
    def finish_run(self, by: By, run: RunId) -> Progress:
        """Steps a run to its end.

        Errors: As `Passes.step`.
        """
    def cancel_run(self, by: By, run: RunId) -> RunReceipt:
        """Cancels a run: what was done stays; a lot keeps the passes that were made.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for one that is over.
        """
    def sell(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        deal: Deal,
    ) -> ChangedReceipt:
        """Sells printed passes: buyer, price, payment reference, seller and place are recorded, an open value is
        set, and the passes become active, all at once. Electronic ones are sold as they are issued.

        Errors: `FORBIDDEN`; `BAD_AMOUNT` for a price below zero; `NOT_FOUND`; `WRONG_STATE`; `VALUE_NOT_SET`,
        `VALUE_OUT_OF_RANGE`; `CONTACT_NOT_REGISTERED` for the buyer; `PLAN_CAP`.
        """
    def void_sale(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> ChangedReceipt:
        """Voids the sale of passes that have not been used, within the business's time: the value is no longer
        booked; printed passes are drafts again, electronic ones are cancelled.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for one that was not sold; `PASS_USED`; `TOO_LATE`.
        """
    def check_spend(self, by: By, request: Spend) -> SpentCheck:
        """What `Passes.spend` would do, or every rule that fails. It writes nothing.

        Errors: `FORBIDDEN`; a failing store.
        """
    def spend(self, by: By, request: Spend) -> SpentReceipt:
        """Pays a basket from the credits of a contact's wallet, in W-3's order. A basket that can be paid is never
        refused for want of a better split.

        Errors: `FORBIDDEN`, `IDEMPOTENCY_MISMATCH`, `REVERSED_BEFORE_IT_CAME`, `CONTACT_NOT_REGISTERED`, `BAD_AMOUNT`,
        `BALANCE_TOO_SMALL` with the amount short unless partly; with it `NO_ELIGIBLE_PRODUCTS`, `WRONG_PLACE`
        and `BELOW_MINIMUM` where they keep money back.
        """
    def wallet(self, by: By, contact: ContactId) -> Wallet:
        """The wallet of a contact: its pockets, and the credits in them. A contact that never had a credit has an
        empty one.

        Errors: `FORBIDDEN` without the right to view; `CONTACT_NOT_REGISTERED`; `TOO_LARGE` above 10,000 credits with
        something left; `OVERFLOW`.
        """
    def expiring(self, by: By, contact: ContactId, until: _datetime) -> tuple[CreditView, ...]:
        """The credits of a contact that can be spent now, but no longer at `until`: the soonest to expire first.

        Errors: As `Passes.wallet`.
        """
    def statement(
        self,
        by: By,
        contact: ContactId,
        *,
        after: LineCursor | None = None,
        limit: int,
    ) -> WalletLinePage:
        """The statement of a contact's wallet: every movement, the oldest first, with the balance of its pocket
        after it; at most `limit` lines (up to 10,000) after a cursor.

        The running balance needs the whole history: each page goes through all entries of the wallet, at most
        `STATEMENT`.

        Errors: `FORBIDDEN` without the right to view; `CONTACT_NOT_REGISTERED`; `TOO_LARGE` for a longer history;
        `OVERFLOW`.
        """
    def pass_statement(
        self,
        by: By,
        pass_: PassId,
        *,
        before: PassLineCursor | None = None,
        limit: int,
    ) -> PassLinePage:
        """The statement of a pass: its entries in the ledger, the newest first, with what was booked on it after
        each; at most `limit` (up to 10,000), before a cursor. A pass has its first entry when it is sold, or
        else when it becomes active with a value.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def verify(self, by: By) -> Verified:
        """Proves the books of the business, in one snapshot: each pass and each credit holds what its entries make
        it, mark by mark; each lot's outstanding value is the sum of its passes; the books sum to zero. Whatever
        is counted is counted again, whatever has to be there once is looked for twice, whatever names another
        record is followed; `Drift.what` lists it all.

        It reads everything once, and a second time only where something has drifted. Memory doesn't grow with
        passes, entries, operations or credits, but for a bit for each code; it takes some fifty bytes for each
        lot and reversed operation, sixteen for each contact and sale. The store's own check is of the whole
        file, of all businesses.

        Errors: `FORBIDDEN` without the right to view; a failing store; `STORE_NEWER` where a newer version of this
        library wrote a record. Drifts are in the answer.
        """
    def verify_since(self, by: By, kept: Sequence[Checkpoint]) -> Verified:
        """The same, and tells what became of the books since checkpoints that were kept elsewhere, at most 10,000:
        whether they are all there, or were rolled back, rewritten, or belong to another database.

        One checkpoint tells whether something is missing; with older ones beside it, the answer also says up to
        which of them all is as it was.

        Errors: As `Passes.verify`; `KEY_MISSING` naming the key that a checkpoint was made with; `TOO_LARGE`. What
        the checkpoints tell is in the answer.
        """

@final
class AsyncPasses:
    """The library, open, for asyncio: each method gives something to await, and the loop goes on meanwhile."""
    def __new__(cls, passes: Passes) -> AsyncPasses: ...
    def create_business(self, actor: Actor, settings: Settings) -> Awaitable[BusinessId]:
        """Creates a business. The actor needs the right to configure.

        A caller that may have to ask again, because it lost the answer, uses `Passes.create_business_once`.

        Errors: `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY` for a setting; a failing store.
        """
    def create_business_once(
        self,
        actor: Actor,
        key: str,
        settings: Settings,
    ) -> Awaitable[BusinessId]:
        """Creates a business under an idempotency key: its id follows from the key, so that the same request gives
        the same business. Such an id is a UUID of version 8 (RFC 9562).

        Errors: As `Passes.create_business`; `IDEMPOTENCY_MISMATCH` for other settings under the same key.
        """
    def settings(self, by: By) -> Awaitable[Settings]:
        """The settings of the business. Anybody who acts in it may read them.

        Errors: `NOT_FOUND`; a failing store.
        """
    def configure(self, by: By, settings: Settings) -> Awaitable[Receipt]:
        """Changes settings. What passes were made with stays as it was. A commerce pool can't be removed: money may
        be bound to its conditions, which can be changed.

        Errors: `FORBIDDEN`; `INVALID`, `TOO_LARGE`, `UNKNOWN_CURRENCY`; `NOT_FOUND`; a failing store.
        """
    def checkpoint(self, by: By) -> Awaitable[Checkpoint]:
        """A checkpoint of the business's books, to be kept elsewhere. It reads the whole history; one that goes on
        from the last (`Passes.checkpoint_after`) reads only what is new.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND` for a business without any operation; a failing store.
        """
    def checkpoint_after(self, by: By, last: Checkpoint) -> Awaitable[Checkpoint]:
        """A checkpoint that goes on where another ended, which it takes for granted: it proves nothing of what that
        one saw. `Passes.verify_since` does.

        Errors: As `Passes.checkpoint`; `INVALID` for a checkpoint that is of another business, was made with other
        keys or changed, or whose last operation is not there; `KEY_MISSING`.
        """
    def create_contact(self, by: By, profile: Profile) -> Awaitable[ContactReceipt]:
        """Registers a contact.

        Errors: `FORBIDDEN`; `INVALID` for a medium; `TAKEN` when a medium leads to another contact; `BAD_FIELD`.
        """
    def edit_contact(
        self,
        by: By,
        contact: ContactId,
        profile: Profile,
    ) -> Awaitable[ContactReceipt]:
        """Edits a contact: the profile is replaced, media that are no longer in it are free again.

        Errors: `FORBIDDEN`; `CONTACT_NOT_REGISTERED`; `INVALID`; `TAKEN`; `BAD_FIELD`.
        """
    def contact(self, by: By, contact: ContactId) -> Awaitable[Contact]:
        """A contact by id.

        Errors: `FORBIDDEN` without the right to contacts; `CONTACT_NOT_REGISTERED`.
        """
    def find_contact(self, by: By, medium: Medium) -> Awaitable[Contact | None]:
        """The contact whom a medium leads to, if there is one.

        Errors: `FORBIDDEN` without the right to contacts; `INVALID` for what is no such medium.
        """
    def events(self, by: By, after: Position, limit: int) -> Awaitable[tuple[Told, ...]]:
        """The events after a position, in order; `Position.default` is before the first.

        The reader keeps its own cursor: the position of the last event that it is done with. Given the same
        cursor it gets the same events again, so that each is delivered at least once; its position and index
        are a stable id by which a repetition is told. Nothing ever appears behind a cursor. The events of one
        pass come in the order in which they happened.

        The events of one position come together, so that an answer may hold more than `limit` (up to 10,000): it
        ends with the position that reaches it. An empty answer means that there is nothing new. A bulk
        command raises one event per chunk, with range and count, not one per pass. No event holds a secret or
        anything personal.

        Errors: `FORBIDDEN` without the right to view; a failing store.
        """
    def export(self, by: By, lot: LotId) -> Awaitable[CountReceipt]:
        """Opens an export of a lot's codes, and counts it. The pages are then read with `Passes.export_page`.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` while it is generated; `EXPORT_CLOSED`; `REASON_REQUIRED` for a
        second export (B-5).
        """
    def export_page(
        self,
        by: By,
        lot: LotId,
        after: int,
        limit: int,
    ) -> Awaitable[tuple[ExportRow, ...]]:
        """A page of an open export: at most `limit` (up to 10,000) passes with serial numbers above `after`. It can
        be read again until the export is closed.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `EXPORT_CLOSED`; `REASON_REQUIRED` when no export was opened.
        """
    def close_export(self, by: By, lot: LotId) -> Awaitable[Receipt]:
        """Closes the export of a lot. Where the business's codes are hashed, they can't be brought back from now on.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `EXPORT_CLOSED`; `WRONG_STATE` for one that was never exported.
        """
    def reveal(self, by: By, pass_: PassId) -> Awaitable[Revealed]:
        """Reveals the code of a pass, to deliver it or to show it. It is audited.

        The same request under the same key is answered without the code.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a cancelled pass; `CODE_NOT_RECOVERABLE`.
        """
    def generate(self, by: By, request: Generate) -> Awaitable[LotStartedReceipt]:
        """Starts the generation of a printed lot: the answer names the run, whose steps make the passes.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a plan that is not active or not printed; `UNKNOWN_CURRENCY` for
        one whose currency is no longer enabled; `FORMAT_TOO_SHORT` with the length that would do; `PLAN_CAP`;
        `TOO_LARGE`.
        """
    def issue(self, by: By, request: Issue) -> Awaitable[IssuedReceipt]:
        """Issues an electronic pass: an event asks for its delivery, and it becomes active by that.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a plan that is not active or is printed; `UNKNOWN_CURRENCY`;
        `VALUE_NOT_SET`, `VALUE_OUT_OF_RANGE`; `CONTACT_NOT_REGISTERED`; `FORMAT_TOO_SHORT`; `PLAN_CAP`; `TAKEN`.
        """
    def liability(self, by: By) -> Awaitable[tuple[Liability, ...]]:
        """What the business owes now to holders of passes and credits, by currency, from the ledger. An unsold
        draft is no liability; what has expired is one until it is booked to breakage.

        Errors: `FORBIDDEN` without the right to view; `BAD_AMOUNT` beyond the range of money; a failing store.
        """
    def pass_(self, by: By, pass_: PassId) -> Awaitable[PassView]:
        """A pass.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def pass_by_serial(self, by: By, lot: LotId, serial: int) -> Awaitable[PassView]:
        """The pass with this serial number in a lot. Serial numbers are not secret, so this is an operator's
        look-up, and proves nothing of who asks (T-7).

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def pass_by_code(
        self,
        by: By,
        presented: Presented | Passcode | str | CodeHash,
    ) -> Awaitable[PassView]:
        """The pass that a code leads to, whatever its state: its balance and, by `Passes.pass_statement`, its
        statement (R-13).

        Errors: `FORBIDDEN` without the right to view, and for a hash without the right to present one; `MALFORMED`,
        `TYPING_ERROR`, `UNKNOWN_CODE`.
        """
    def passes(
        self,
        by: By,
        lot: LotId,
        filter: PassFilter,
        order: PassOrder,
        *,
        after: PassCursor | None = None,
        limit: int,
    ) -> Awaitable[PassPage]:
        """The passes of a lot that meet a filter, by serial number or by expiry, at most `limit` (up to 10,000)
        after a cursor.

        A page looks at no more than 10,000 passes: where few meet the filter it holds fewer than `limit`, even
        none, and yet a cursor to go on with. Only a page without a cursor is the last.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`; `INVALID` for a cursor of another lot; `TOO_LARGE`.
        """
    def count_states(self, by: By, lot: LotId) -> Awaitable[dict[State, int]]:
        """How many passes of a lot are in each effective state; states without passes are left out. It reads the
        whole lot, 10,000 passes at a time: what changes meanwhile is counted as it is found.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def lot(self, by: By, lot: LotId) -> Awaitable[LotView]:
        """A lot.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def lots(
        self,
        by: By,
        *,
        plan: PlanId | None = None,
        after: LotId | None = None,
        limit: int,
    ) -> Awaitable[LotPage]:
        """The lots of a plan, or of the whole business without one, in the order of their creation, at most
        `limit` (up to 10,000) after a cursor. An electronic pass is a lot of its own.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def sale(self, by: By, sale: SaleId) -> Awaitable[Sale]:
        """A sale: its terms, when, where and by whom.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def operations(
        self,
        by: By,
        filter: OperationFilter,
        after: Position,
        limit: int,
    ) -> Awaitable[OperationPage]:
        """The operations that meet a filter, in the order of their positions, at most `limit` (up to 10,000) after
        a position; `Position.default` is before the first.

        A page looks at no more than 10,000 operations: where few meet the filter it holds fewer than `limit`,
        even none, and yet a position to go on from. Only a page without one is the last. On a store with many
        writers an operation may still appear behind those that are told here; `Passes.events` is the reader
        that misses nothing.

        Errors: `FORBIDDEN` without the right to view; `INVALID`, `TOO_LARGE` for a text of the filter.
        """
    def operation(self, by: By, position: Position) -> Awaitable[OperationView]:
        """An operation by the reference that its receipt carries.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def activate(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> Awaitable[ChangedReceipt]:
        """Activates printed passes by hand. Their value is booked, as the plan's `unsold` mark says.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for a pass that is no draft, or electronic.
        """
    def delivered(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        outcome: Outcome,
    ) -> Awaitable[ChangedReceipt]:
        """Records the outcome of the delivery of electronic passes. By the channel's setting, its word that it
        took the message, or that it arrived, makes a draft active.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def resend(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> Awaitable[ChangedReceipt]:
        """Has electronic passes sent again: an event asks for it.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `CODE_NOT_RECOVERABLE` where only a reissue helps.
        """
    def suspend(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> Awaitable[ChangedReceipt]:
        """Suspends passes, or by one record a whole lot or plan. Expiry does not move.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def reactivate(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> Awaitable[ChangedReceipt]:
        """Reactivates what was suspended: a pass, a lot and a plan are lifted separately.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def cancel(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        rest: Rest,
    ) -> Awaitable[ChangedReceipt]:
        """Cancels passes. What is left of their value is refunded, forfeited or reissued.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def set_expiry(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        expiry: Expiry,
    ) -> Awaitable[ChangedReceipt]:
        """Sets the expiry of passes, earlier or later; of an expired one, too.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def set_value(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        value: Money,
    ) -> Awaitable[ChangedReceipt]:
        """Sets the value of unused passes, within the plan's range.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `VALUE_OUT_OF_RANGE`; `PASS_USED`; `PLAN_CAP`.
        """
    def set_fields(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        values: Mapping[str, Value],
    ) -> Awaitable[ChangedReceipt]:
        """Sets custom fields of passes; those not named stay.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `BAD_FIELD`.
        """
    def set_recipient(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        to: ContactId,
    ) -> Awaitable[ChangedReceipt]:
        """Sets the recipient of passes. A draft is sent to the new one.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`; `CONTACT_NOT_REGISTERED`.
        """
    def create_plan(self, by: By, spec: Spec) -> Awaitable[PlanReceipt]:
        """Creates a plan, as a draft.

        Errors: `FORBIDDEN`; `INVALID`, `UNKNOWN_CURRENCY`, `BAD_FORMAT` and the others of `Spec.validate`.
        """
    def copy_plan(self, by: By, plan: PlanId) -> Awaitable[PlanReceipt]:
        """Copies a plan, prefix and all, into a new draft.

        Errors: `FORBIDDEN`; `NOT_FOUND`.
        """
    def edit_plan(self, by: By, plan: PlanId, spec: Spec) -> Awaitable[PlanReceipt]:
        """Changes a plan. Once it has a pass, only translations and raised caps are taken (P-11).

        Errors: `FORBIDDEN`; `NOT_FOUND`; `PLAN_FROZEN` naming the field; those of `Spec.validate`.
        """
    def activate_plan(self, by: By, plan: PlanId) -> Awaitable[PlanReceipt]:
        """Activates a draft, or an archived plan again: it can make passes.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def archive_plan(self, by: By, plan: PlanId) -> Awaitable[PlanReceipt]:
        """Archives a plan: it makes no new passes; those there are live on.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE`.
        """
    def delete_plan(self, by: By, plan: PlanId) -> Awaitable[PlanReceipt]:
        """Deletes a plan that has no pass.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `PLAN_FROZEN` once it has a pass: archive it instead.
        """
    def plan(self, by: By, plan: PlanId) -> Awaitable[Plan]:
        """A plan.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def plans(self, by: By, *, after: PlanId | None = None, limit: int) -> Awaitable[PlanPage]:
        """The plans of the business, in the order of their creation, at most `limit` (up to 10,000) after a cursor.

        Errors: `FORBIDDEN` without the right to view.
        """
    def check(self, by: By, request: Redeem) -> Awaitable[RedeemedCheck]:
        """What `Passes.redeem` would do, and every rule that fails with what would fix it. It writes nothing.

        Errors: `FORBIDDEN`; a failing store. What a redemption would be refused for is in the answer.
        """
    def redeem(self, by: By, request: Redeem) -> Awaitable[RedeemedReceipt]:
        """Redeems a pass: into a wallet, or directly at the till.

        Errors: In this order of precedence: `FORBIDDEN`, `IDEMPOTENCY_MISMATCH`, `REVERSED_BEFORE_IT_CAME`, `MALFORMED`,
        `TYPING_ERROR`, `UNKNOWN_CODE`, the states (`PASS_DRAFT`, `PASS_SUSPENDED`, `PASS_REDEEMED`,
        `PASS_CANCELLED`), `NOT_STARTED`, `OUTSIDE_HOURS`, `PASS_EXPIRED`, `USES_SPENT`, `VALUE_NOT_SET`,
        `CONTACT_REQUIRED`, `CONTACT_NOT_REGISTERED`, `NOT_THIS_CONTACT`, `WALLET_CURRENCY`,
        `NO_ELIGIBLE_PRODUCTS`, `WRONG_PLACE`, `BELOW_MINIMUM`, `BALANCE_TOO_SMALL`. All that apply are told.
        """
    def redeem_all(
        self,
        requests: Sequence[Asked],
    ) -> Awaitable[tuple[RedeemedReceipt | PassesError, ...]]:
        """Redeems many passes in one call. Each is atomic by itself and has its own answer, in order (R-11). Each
        brings its own idempotency key, if it has one.

        Errors: `TOO_LARGE` above 10,000 redemptions. Whatever concerns one of them is in its own answer.
        """
    def refusals(self, by: By, date: _date) -> Awaitable[tuple[Refusals, ...]]:
        """Refusals counted on a day of the business's calendar.

        Errors: `FORBIDDEN` without the right to view; a failing store.
        """
    def reverse(self, by: By, request: Reverse) -> Awaitable[ReversedReceipt]:
        """Reverses a redemption or a spend: money and uses return exactly to where they came from.

        Errors: `FORBIDDEN`; `IDEMPOTENCY_MISMATCH`, also under the key that is to be reversed; `NOT_FOUND`;
        `NOT_REVERSIBLE` for anything else, a reversal too; `ALREADY_REVERSED`; `BAD_AMOUNT`, `MIXED_CURRENCIES`;
        `REVERSAL_TOO_LARGE`; `ALREADY_SPENT` with the amount; `CONTACT_NOT_REGISTERED`, `WALLET_CURRENCY`.
        """
    def progress(self, by: By, run: RunId) -> Awaitable[Progress]:
        """How far a run is.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def step(self, by: By, run: RunId) -> Awaitable[Progress]:
        """Does the next part of a run: it commits some thousands of passes together with the run's cursor. A run
        that stopped, by a crash too, goes on with the next step. The actor needs the right of the command that
        started it.

        Errors: `FORBIDDEN`; `NOT_FOUND`; a failing store, after which the run can be stepped again.
        """
    def finish_run(self, by: By, run: RunId) -> Awaitable[Progress]:
        """Steps a run to its end.

        Errors: As `Passes.step`.
        """
    def cancel_run(self, by: By, run: RunId) -> Awaitable[RunReceipt]:
        """Cancels a run: what was done stays; a lot keeps the passes that were made.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for one that is over.
        """
    def sell(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
        deal: Deal,
    ) -> Awaitable[ChangedReceipt]:
        """Sells printed passes: buyer, price, payment reference, seller and place are recorded, an open value is
        set, and the passes become active, all at once. Electronic ones are sold as they are issued.

        Errors: `FORBIDDEN`; `BAD_AMOUNT` for a price below zero; `NOT_FOUND`; `WRONG_STATE`; `VALUE_NOT_SET`,
        `VALUE_OUT_OF_RANGE`; `CONTACT_NOT_REGISTERED` for the buyer; `PLAN_CAP`.
        """
    def void_sale(
        self,
        by: By,
        over: Over | PassId | Sequence[PassId] | LotId | PlanId,
    ) -> Awaitable[ChangedReceipt]:
        """Voids the sale of passes that have not been used, within the business's time: the value is no longer
        booked; printed passes are drafts again, electronic ones are cancelled.

        Errors: `FORBIDDEN`; `NOT_FOUND`; `WRONG_STATE` for one that was not sold; `PASS_USED`; `TOO_LATE`.
        """
    def check_spend(self, by: By, request: Spend) -> Awaitable[SpentCheck]:
        """What `Passes.spend` would do, or every rule that fails. It writes nothing.

        Errors: `FORBIDDEN`; a failing store.
        """
    def spend(self, by: By, request: Spend) -> Awaitable[SpentReceipt]:
        """Pays a basket from the credits of a contact's wallet, in W-3's order. A basket that can be paid is never
        refused for want of a better split.

        Errors: `FORBIDDEN`, `IDEMPOTENCY_MISMATCH`, `REVERSED_BEFORE_IT_CAME`, `CONTACT_NOT_REGISTERED`, `BAD_AMOUNT`,
        `BALANCE_TOO_SMALL` with the amount short unless partly; with it `NO_ELIGIBLE_PRODUCTS`, `WRONG_PLACE`
        and `BELOW_MINIMUM` where they keep money back.
        """
    def wallet(self, by: By, contact: ContactId) -> Awaitable[Wallet]:
        """The wallet of a contact: its pockets, and the credits in them. A contact that never had a credit has an
        empty one.

        Errors: `FORBIDDEN` without the right to view; `CONTACT_NOT_REGISTERED`; `TOO_LARGE` above 10,000 credits with
        something left; `OVERFLOW`.
        """
    def expiring(
        self,
        by: By,
        contact: ContactId,
        until: _datetime,
    ) -> Awaitable[tuple[CreditView, ...]]:
        """The credits of a contact that can be spent now, but no longer at `until`: the soonest to expire first.

        Errors: As `Passes.wallet`.
        """
    def statement(
        self,
        by: By,
        contact: ContactId,
        *,
        after: LineCursor | None = None,
        limit: int,
    ) -> Awaitable[WalletLinePage]:
        """The statement of a contact's wallet: every movement, the oldest first, with the balance of its pocket
        after it; at most `limit` lines (up to 10,000) after a cursor.

        The running balance needs the whole history: each page goes through all entries of the wallet, at most
        `STATEMENT`.

        Errors: `FORBIDDEN` without the right to view; `CONTACT_NOT_REGISTERED`; `TOO_LARGE` for a longer history;
        `OVERFLOW`.
        """
    def pass_statement(
        self,
        by: By,
        pass_: PassId,
        *,
        before: PassLineCursor | None = None,
        limit: int,
    ) -> Awaitable[PassLinePage]:
        """The statement of a pass: its entries in the ledger, the newest first, with what was booked on it after
        each; at most `limit` (up to 10,000), before a cursor. A pass has its first entry when it is sold, or
        else when it becomes active with a value.

        Errors: `FORBIDDEN` without the right to view; `NOT_FOUND`.
        """
    def verify(self, by: By) -> Awaitable[Verified]:
        """Proves the books of the business, in one snapshot: each pass and each credit holds what its entries make
        it, mark by mark; each lot's outstanding value is the sum of its passes; the books sum to zero. Whatever
        is counted is counted again, whatever has to be there once is looked for twice, whatever names another
        record is followed; `Drift.what` lists it all.

        It reads everything once, and a second time only where something has drifted. Memory doesn't grow with
        passes, entries, operations or credits, but for a bit for each code; it takes some fifty bytes for each
        lot and reversed operation, sixteen for each contact and sale. The store's own check is of the whole
        file, of all businesses.

        Errors: `FORBIDDEN` without the right to view; a failing store; `STORE_NEWER` where a newer version of this
        library wrote a record. Drifts are in the answer.
        """
    def verify_since(self, by: By, kept: Sequence[Checkpoint]) -> Awaitable[Verified]:
        """The same, and tells what became of the books since checkpoints that were kept elsewhere, at most 10,000:
        whether they are all there, or were rolled back, rewritten, or belong to another database.

        One checkpoint tells whether something is missing; with older ones beside it, the answer also says up to
        which of them all is as it was.

        Errors: As `Passes.verify`; `KEY_MISSING` naming the key that a checkpoint was made with; `TOO_LARGE`. What
        the checkpoints tell is in the answer.
        """

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

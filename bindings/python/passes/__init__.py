"""Sell, hand out, check and redeem passes: gift cards and top-up vouchers.

>>> import passes
>>> keyring = passes.Keyring.from_master("m1", bytes(32))
>>> library = passes.open("memory:", keyring)

An address is a path for a file of SQLite, `memory:`, or the URL of a PostgreSQL server. What `open` gives works from
many threads at once; `open_async` gives the same for asyncio. A command that is refused raises a subclass of
`PassesError`, whose `code` is stable.
"""

from ._enums import *
from ._native import *
from ._native import CODES as CODES
from ._native import VERSION as __version__
from .errors import *

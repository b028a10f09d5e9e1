"""A store of one's own: four methods over rows that it need not understand.

The library makes a full store of any object that has them (`passes.open_on`). What goes wrong is raised as one of the
exceptions here; any other counts as `StoreFailed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .errors import StoreError

__all__ = ["FORMAT", "InDoubt", "RecordStore", "StoreCorrupt", "StoreFailed", "StoreFull", "Transient"]

FORMAT = 1
"""The format for which the four methods are described here."""


class RecordStore(Protocol):
    """Rows in the order of their keys. A row is never removed.

    The methods may be called from several threads, and may block; at most one `commit` runs at a time in each process.
    """

    def get(self, keys: Sequence[bytes], /) -> Sequence[bytes | None]:
        """The values under these keys, in the same order; `None` where there is no row."""
        ...

    def scan(self, start: bytes, end: bytes, limit: int, /) -> Sequence[tuple[bytes, bytes]]:
        """The rows from a key on, up to another that is not among them, in the order of their keys, at most `limit`."""
        ...

    def commit(
        self, expect: Sequence[tuple[bytes, bytes | None]], put: Sequence[tuple[bytes, bytes]], /
    ) -> bool:
        """Writes rows, durably and all together, if what is expected is there, byte for byte (`None`: no row), and says
        whether it did. A row of the same key is replaced.
        """
        ...

    def format(self) -> int:
        """The format for which these methods were written: `FORMAT`."""
        ...


class InDoubt(StoreError):
    """It isn't known whether a commit landed; the library looks it up."""

    def __init__(self, why: str) -> None:
        super().__init__(why, "IN_DOUBT")


class Transient(StoreError):
    """Nothing happened, and it may be tried again."""

    def __init__(self, why: str) -> None:
        super().__init__(why, "TRANSIENT", True)


class StoreFull(StoreError):
    """There is no room."""

    def __init__(self, why: str) -> None:
        super().__init__(why, "STORE_FULL")


class StoreCorrupt(StoreError):
    """What is stored makes no sense."""

    def __init__(self, why: str) -> None:
        super().__init__(why, "STORE_CORRUPT")


class StoreFailed(StoreError):
    """Anything else."""

    def __init__(self, why: str) -> None:
        super().__init__(why, "STORE_FAILED")

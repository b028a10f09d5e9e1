"""A store on Python's own `sqlite3`: the library keeps its rows there, and needs four methods for it."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import passes
from passes import store

T = TypeVar("T")


class Rows:
    """Rows in a table of a file. Several processes may have it open."""

    def __init__(self, path: str) -> None:
        self.path = path
        # A connection for each thread: readers of one don't wait for a writer of another.
        self.local = threading.local()
        with self.transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS passes_rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT"
            )

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self.local, "connection", None)
        if found is None:
            found = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            found.execute("PRAGMA journal_mode = WAL")
            # What was committed survives a power cut.
            found.execute("PRAGMA synchronous = FULL")
            self.local.connection = found
        return found

    @contextmanager
    def transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        """A transaction: whole, or not at all."""
        connection = self.connection()
        try:
            connection.execute(begin)
        except sqlite3.OperationalError as busy:
            raise store.Transient(str(busy)) from busy
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        try:
            connection.execute("COMMIT")
        except sqlite3.OperationalError as failed:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
                raise store.Transient(str(failed)) from failed
            raise store.InDoubt(str(failed)) from failed

    @staticmethod
    def value(connection: sqlite3.Connection, key: bytes) -> bytes | None:
        """The value under a key."""
        row = connection.execute("SELECT value FROM passes_rows WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def get(self, keys: Sequence[bytes], /) -> list[bytes | None]:
        """The values under these keys, of one moment."""
        with self.transaction("BEGIN") as connection:
            return [self.value(connection, key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int, /) -> list[tuple[bytes, bytes]]:
        """The rows of a range."""
        query = "SELECT key, value FROM passes_rows WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
        return self.connection().execute(query, (start, end, limit)).fetchall()

    def commit(
        self, expect: Sequence[tuple[bytes, bytes | None]], put: Sequence[tuple[bytes, bytes]], /
    ) -> bool:
        """Writes rows, if what is expected is there."""
        with self.transaction("BEGIN IMMEDIATE") as connection:
            if any(self.value(connection, key) != value for key, value in expect):
                return False
            try:
                connection.executemany("INSERT OR REPLACE INTO passes_rows VALUES (?, ?)", put)
            except sqlite3.OperationalError as full:
                if "full" in str(full):
                    raise store.StoreFull(str(full)) from full
                raise
            return True

    def format(self) -> int:
        """For which the methods are written."""
        return store.FORMAT


def main(path: str, work: Callable[[passes.Passes], T]) -> T:
    """Opens the library on it."""
    rows: store.RecordStore = Rows(path)
    return work(passes.open_on(rows, passes.Keyring.from_master("own", bytes(32))))


if __name__ == "__main__":
    owner = passes.Actor("owner", passes.Right)
    settings = passes.Settings(
        name="Own", zone="Europe/London", currencies=["GBP"], locales=["en-GB"], default_locale="en-GB"
    )
    name = main(
        sys.argv[1] if len(sys.argv) > 1 else "own.db",
        lambda library: library.settings(
            passes.By(business=library.create_business_once(owner, "signup", settings), actor=owner)
        ).name,
    )
    print(f"a business called {name}, in a store of our own")

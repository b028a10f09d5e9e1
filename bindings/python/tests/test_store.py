"""A store that is written in Python: the same suite as for every other."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import keyring

import passes
from passes import store

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from own_store import Rows


@pytest.mark.parametrize("case", passes.conformance_cases())
def test_the_example_passes_the_suite(case: str, tmp_path: Path) -> None:
    """D-5, D-2: a store of a hundred lines on `sqlite3`."""
    assert passes.run_conformance_case(case, lambda: Rows(str(tmp_path / "rows.db"))) is None


class Half(Rows):
    """A store that loses the last row of what it says it wrote."""

    def commit(self, expect: Sequence[tuple[bytes, bytes | None]], put: Sequence[tuple[bytes, bytes]], /) -> bool:
        """Writes most of it."""
        return super().commit(expect, put[:-1])


def test_a_wrong_store_is_caught(tmp_path: Path) -> None:
    """D-2, D-5: the suite finds a store that writes half a change."""
    path = str(tmp_path / "rows.db")
    found = (passes.run_conformance_case(case, lambda: Half(path)) for case in passes.conformance_cases())
    assert any(why is not None for why in found)


class Failing(Rows):
    """A store that fails as it is told to."""

    error: BaseException = store.Transient("later")

    def get(self, keys: Sequence[bytes], /) -> list[bytes | None]:
        """Fails."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (store.Transient("later"), "TRANSIENT"),
        (store.StoreFull("no room"), "STORE_FULL"),
        (store.StoreCorrupt("what is that"), "STORE_CORRUPT"),
        (store.StoreFailed("no"), "STORE_FAILED"),
        (ValueError("a mistake\nwith a second line"), "STORE_FAILED"),
    ],
)
def test_what_a_store_raises_comes_back(error: BaseException, code: str, tmp_path: Path) -> None:
    """D-5, Z-1: by its code; of a mistake only the first line is told."""
    rows = Failing(str(tmp_path / "rows.db"))
    rows.error = error
    with pytest.raises(passes.StoreError) as told:
        passes.open_on(rows, keyring())
    assert told.value.code == code and "second line" not in str(told.value)


def test_what_is_no_row_is_told(tmp_path: Path) -> None:
    """D-5, Z-1: a store that gives something else than was asked for is told so."""

    class Short(Rows):
        def get(self, keys: Sequence[bytes], /) -> list[bytes | None]:
            return []

    with pytest.raises(passes.StoreError, match="get was asked for"):
        passes.open_on(Short(str(tmp_path / "rows.db")), keyring())
    with pytest.raises(passes.StoreError, match="has no attribute"):
        passes.open_on(object(), keyring())  # type: ignore[arg-type]

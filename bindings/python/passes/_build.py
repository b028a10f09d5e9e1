"""Makes values again that were pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def rebuild(cls: type[T], args: Sequence[object], named: Mapping[str, object]) -> T:
    """A value of the class, by what its constructor takes."""
    return cls(*args, **named)

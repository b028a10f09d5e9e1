"""What crossing into the native module costs, beside the floors of a bare module made the same way.

    maturin develop --release && python measure.py

CPU time of the thread, best of seven. It fails where a figure is above 1.2 times its floor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone

import passes
from passes import Money

ROWS = 10_000
FIELDS = [name for name in dir(passes.PassView) if not name.startswith("_")]


def best(work: Callable[[], object], times: int = 1) -> float:
    """Seconds of CPU of one of `times` rounds of the work, in the best of seven goes."""
    told = []
    for _ in range(7):
        before = time.thread_time()
        for _ in range(times):
            work()
        told.append((time.thread_time() - before) / times)
    return min(told)


def main() -> int:
    clock = passes.FixedClock(datetime(2026, 5, 1, 12, tzinfo=timezone.utc))
    library = passes.open("memory:", passes.Keyring.from_master("m", bytes(32)), clock=clock, seed=1)
    owner = passes.Actor("owner", passes.Right)
    settings = passes.Settings(name="x", zone="UTC", currencies=["GBP"], locales=["en"], default_locale="en")
    by = passes.By(business=library.create_business(owner, settings), actor=owner)
    terms = passes.Terms(
        classification=passes.Classification.GIFT,
        form=passes.Form.PRINTED,
        currency="GBP",
        value=passes.Worth.Fixed(Money(25, "GBP")),
    )
    plan = library.create_plan(by, passes.Spec(name={"en": "x"}, terms=terms)).done
    library.activate_plan(by, plan)
    started = library.generate(by, passes.Generate(plan=plan, count=ROWS)).done
    library.finish_run(by, started.run)

    money, lot, reveal = Money(25, "GBP"), started.lot, passes.Right.REVEAL
    pages = [
        library.passes(by, lot, passes.PassFilter(), passes.PassOrder.SERIAL, limit=ROWS) for _ in range(7)
    ]
    fresh = iter(pages)
    out = best(lambda: len(next(fresh).rows))
    rows = pages[0].rows
    assert len(rows) == ROWS

    def read() -> None:
        for row in rows:
            for name in FIELDS:
                getattr(row, name)

    def names() -> None:
        for row in rows:
            for name in FIELDS:
                getattr(row, "__doc__")

    loop = best(names)
    lines = [passes.Line(sku="MUG", quantity=1, unit_price=money)] * 1_000
    # What is measured, its floor, and what it came to.
    figures = [
        ("a method that gives a bool", 0.08e-6, best(lambda: owner.has(reveal), 100_000)),
        ("a property that gives a Decimal", 0.44e-6, best(lambda: money.amount, 100_000)),
        ("a record out", 0.22e-6, best(lambda: by.actor, 100_000)),
        (f"{ROWS} records out", 3.8e-3, out),
        (f"{ROWS} records, all fields read", 40e-3 * len(FIELDS) / 10, best(read)),
        ("1,000 records in", 0.10e-3, best(lambda: passes.Basket("GBP", lines))),
    ]
    print(f"a loop over as many attributes alone: {loop * 1e3:.1f} ms")
    slow = 0
    for name, floor, found in figures:
        ratio = found / floor
        slow += ratio > 1.2
        print(f"{name:40} {found * 1e6:12.2f} µs, floor {floor * 1e6:12.2f} µs, ratio {ratio:.2f}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())

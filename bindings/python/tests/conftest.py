"""A small shop in London to try things in, in memory; its clock stands and its randomness repeats."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

import passes
from passes import Money


@pytest.fixture(autouse=True, scope="session")
def _no_test_hangs() -> Iterator[None]:
    """A call that never comes back ends the tests, and tells where it waits."""
    faulthandler.dump_traceback_later(600, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@dataclass(frozen=True)
class Shop:
    """The shop."""

    library: passes.Passes
    clock: passes.FixedClock
    by: passes.By
    settings: passes.Settings
    plan: passes.PlanId
    lot: passes.LotId
    codes: tuple[passes.Passcode, ...]
    ann: passes.ContactId

    def sold(self, serial: int) -> passes.Passcode:
        """Sells a card, and gives its code."""
        self.library.sell(self.by, self.lot.pass_(serial), passes.Deal(price=Money(25, "GBP")))
        return self.codes[serial - 1]


def plan() -> passes.Spec:
    """A plan of printed gift cards of 25 pounds."""
    return passes.Spec(
        name={"en-GB": "Gift card"},
        terms=passes.Terms(
            classification=passes.Classification.GIFT,
            form=passes.Form.PRINTED,
            currency="GBP",
            value=passes.Worth.Fixed(Money(25, "GBP")),
        ),
    )


def keyring() -> passes.Keyring:
    """Keys for tests."""
    return passes.Keyring.from_master("test", bytes([7]) * 32)


@pytest.fixture
def shop() -> Shop:
    """A shop with a lot of ten cards, exported, none sold, and Ann."""
    clock = passes.FixedClock(datetime(2026, 5, 1, 12, tzinfo=timezone.utc))
    library = passes.open("memory:", keyring(), clock=clock, seed=1)
    owner = passes.Actor("owner", passes.Right)
    settings = passes.Settings(
        name="The Gift Shop",
        zone="Europe/London",
        currencies=["GBP"],
        locales=["en-GB"],
        default_locale="en-GB",
    )
    by = passes.By(business=library.create_business(owner, settings), actor=owner)
    profile = passes.Profile(name="Ann", media=[passes.Medium.Email("ann@example.org")])
    ann = library.create_contact(by, profile).done
    made = library.create_plan(by, plan()).done
    library.activate_plan(by, made)
    started = library.generate(by, passes.Generate(plan=made, count=10)).done
    library.finish_run(by, started.run)
    library.export(by, started.lot)
    rows = library.export_page(by, started.lot, 0, 10)
    codes = tuple(row.code for row in rows)
    return Shop(library, clock, by, settings, made, started.lot, codes, ann)

"""What values are in Python: strict on the way in, frozen, comparable, hashable, picklable, and silent about secrets."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from conftest import Shop, keyring, plan

import passes
from passes import Currency, Money, Period, Worth


@pytest.mark.parametrize("wrong", [25.0, True, "25", None, b"25", 25 + 0j])
def test_an_amount_is_a_decimal_or_an_int(wrong: Any) -> None:
    """B-3, F-1: a float, a bool or a text is no amount."""
    with pytest.raises(TypeError, match=r"decimal\.Decimal or int"):
        Money(wrong, "GBP")


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity", "sNaN", "0." + "1" * 29, "1" * 30])
def test_a_decimal_is_finite_and_of_at_most_28_digits(wrong: str) -> None:
    """B-3, F-1: what can't be held exactly is refused, and never rounded."""
    with pytest.raises(ValueError, match="28 digits"):
        Money(Decimal(wrong), "GBP")


def test_amounts_are_exact() -> None:
    """B-3: an amount has the decimals of its currency; no operation mixes currencies."""
    assert Money(Decimal("25.5"), "GBP") == Money.parse("25.50 GBP") == Money.from_minor(2550, Currency("GBP"))
    assert str(Money(25, "GBP")) == "25.00 GBP"
    assert str(Money(25, "JPY")) == "25 JPY"
    assert Money(25, "GBP").amount == Decimal(25) and str(Money(25, "GBP").amount) == "25.00"
    assert Money(1, "GBP") + Money(2, "GBP") == Money(3, "GBP") == 3 * Money(1, "GBP")
    assert Money(3, "GBP") - Money(5, "GBP") < Money(0, "GBP") and not Money(0, "GBP")
    with pytest.raises(passes.InputError) as told:
        Money(Decimal("0.001"), "GBP")
    assert told.value.code == "TOO_MANY_DECIMALS" and told.value.values["decimals"] == "2"
    for mixed in (lambda: Money(1, "GBP") + Money(1, "EUR"), lambda: Money(1, "GBP") < Money(1, "EUR")):
        with pytest.raises(passes.InputError) as told:
            mixed()
        assert told.value.code == "MIXED_CURRENCIES"
    assert Money(1, "GBP") != Money(1, "EUR")
    with pytest.raises(TypeError):
        Money(1, "GBP") * 1.5  # type: ignore[operator]


def test_an_instant_has_a_zone() -> None:
    """B-2, F-1: a datetime of any zone is an instant; a naive one is refused."""
    clock = passes.FixedClock(datetime(2026, 5, 1, 14, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
    clock.set(datetime(2026, 10, 25, 1, 30, 0, 250_001, tzinfo=ZoneInfo("Europe/London"), fold=1))
    assert clock.now() == datetime(2026, 10, 25, 1, 30, 0, 250_001, tzinfo=timezone.utc)
    clock.set(datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London"), fold=0))
    assert clock.now() == datetime(2026, 10, 25, 0, 30, tzinfo=timezone.utc)
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2026, 5, 1, 12))
    for wrong in (date(2026, 5, 1), "2026-05-01T12:00:00Z", 0):
        with pytest.raises(TypeError, match=r"datetime\.datetime"):
            clock.set(wrong)  # type: ignore[arg-type]


def test_a_date_is_no_datetime() -> None:
    """B-2, F-1: a datetime would lose its time without a word."""
    assert passes.RedeemBy.Date(date(2028, 2, 29)).date == date(2028, 2, 29)
    with pytest.raises(TypeError, match=r"datetime\.date"):
        passes.RedeemBy.Date(datetime(2028, 2, 29, tzinfo=timezone.utc))


def test_ids_are_typed() -> None:
    """F-1: an id of one kind is not taken for another."""
    text = "0192a0d5-c3f0-7b12-a4c8-d91100000000"
    plan_id, lot = passes.PlanId(text), passes.LotId(UUID(text))
    assert plan_id.value == lot.value == UUID(text) and str(plan_id) == text
    assert plan_id != lot and {plan_id, passes.PlanId(text)} == {plan_id}
    assert lot.pass_(3).serial == 3 and lot.pass_(3).lot == lot and lot.pass_(3) < lot.pass_(4)
    with pytest.raises(passes.InputError):
        passes.PlanId("4711")
    with pytest.raises(TypeError):
        passes.PlanId(4711)  # type: ignore[arg-type]


def test_whole_numbers_are_ints(shop: Shop) -> None:
    """F-1, Z-1: a bool, a float and what doesn't fit are refused."""
    for wrong in (True, 1.0, "1"):
        with pytest.raises(TypeError, match="count: expected int"):
            passes.Generate(plan=shop.plan, count=wrong)  # type: ignore[arg-type]
    for wrong in (-1, 2**32, 2**70):
        with pytest.raises(passes.InputError):
            passes.Generate(plan=shop.plan, count=wrong)


def test_texts_and_lists(shop: Shop) -> None:
    """Z-1: a text is no list of its letters; half a surrogate is no text."""
    with pytest.raises(TypeError, match="currencies: expected a sequence, got str"):
        passes.Settings(
            name="x", zone="UTC", currencies="GBP", locales=["en"], default_locale="en"
        )
    with pytest.raises(ValueError, match="UTF-8"):
        passes.Actor("\ud800", [])
    with pytest.raises(passes.InputError) as told:
        passes.Actor("", [])
    assert told.value.code == "INVALID"


def samples(shop: Shop) -> list[object]:
    """Values of many kinds."""
    library, by = shop.library, shop.by
    code = shop.sold(1)
    redeemed = library.redeem(by, passes.Redeem(code=code, target=shop.ann))
    basket = passes.Basket("GBP", [passes.Line(sku="MUG", quantity=2, unit_price=Money(5, "GBP"))])
    library.spend(by, passes.Spend(contact=shop.ann, basket=basket))
    return [
        Money(25, "GBP"),
        Currency("JPY"),
        Period(years=1, months=2, to_end_of="year"),
        passes.TimeOfDay("24:00"),
        basket,
        by,
        plan(),
        shop.settings,
        redeemed,
        Worth.Range(least=Money(1, "GBP"), most=Money(2, "GBP")),
        passes.Usage.Single(),
        passes.RedeemBy.AfterIssue(Period(days=3)),
        library.wallet(by, shop.ann),
        library.statement(by, shop.ann, limit=10),
        library.passes(by, shop.lot, passes.PassFilter(), passes.PassOrder.SERIAL, limit=3),
        library.events(by, passes.Position(0), 100),
        library.operations(by, passes.OperationFilter(), passes.Position(0), 10),
        library.verify(by),
        library.checkpoint(by),
        library.check(by, passes.Redeem(code=code, target=shop.ann)),
        library.liability(by),
        library.count_states(by, shop.lot),
        passes.State.ACTIVE,
    ]


def test_values_are_compared_hashed_and_pickled(shop: Shop) -> None:
    """F-1: what was pickled is equal to what it was, and hashes alike."""
    for value in samples(shop):
        for again in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
            assert again == value, value
            if not isinstance(value, dict):
                assert hash(again) == hash(value)
        assert value != object() and type(value).__name__ in repr(value) or isinstance(value, (tuple, dict, passes.State))


def test_values_are_frozen(shop: Shop) -> None:
    """F-1: nothing can be changed in a value."""
    for value in samples(shop):
        if isinstance(value, (tuple, dict, passes.State)):
            continue
        with pytest.raises(AttributeError):
            value.state = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        shop.by.key = "other"  # type: ignore[misc]


def test_variants_are_matched() -> None:
    """F-1: a variant is a class of its own, of the enum's kind."""

    def told(worth: Worth) -> str:
        match worth:
            case Worth.Fixed(value):
                return f"fixed {value}"
            case Worth.Range(least, most):
                return f"{least} to {most}"
            case _:
                return "unknown"

    assert told(Worth.Fixed(Money(5, "GBP"))) == "fixed 5.00 GBP"
    assert told(Worth.Range(least=Money(5, "GBP"), most=Money(6, "GBP"))) == "5.00 GBP to 6.00 GBP"
    assert isinstance(passes.Usage.Full(3), passes.Usage) and passes.Usage.Full(3) != passes.Usage.Shared(3)
    assert repr(passes.Usage.Full(3)) == "Usage.Full(3)"
    with pytest.raises(TypeError):
        passes.Usage()


def test_a_value_stands_for_its_variant(shop: Shop) -> None:
    """F-1: where one of several is wanted, its value alone will do."""
    wanted = shop.library.activate(shop.by, [shop.lot.pass_(1), shop.lot.pass_(2)]).done
    assert wanted.changed == 2
    assert shop.library.activate(shop.by, shop.lot.pass_(3)).done.changed == 1
    assert shop.library.suspend(shop.by, shop.lot).done.changed == 0
    assert shop.library.pass_by_code(shop.by, shop.codes[0]).serial == 1
    assert shop.library.pass_by_code(shop.by, shop.codes[0].reveal().lower()).serial == 1


def secrets(shop: Shop) -> list[object]:
    """Values that hold a code."""
    code = shop.sold(1)
    return [
        code,
        code.hash(shop.by.business),
        passes.Presented.Code(code),
        passes.Presented.Hash(code.hash(shop.by.business)),
        passes.Redeem(code=code, target=passes.Target.NewContact()),
        shop.library.export_page(shop.by, shop.lot, 0, 1),
        shop.library.reveal(shop.by, shop.lot.pass_(1)),
        passes.Asked(shop.by, passes.Redeem(code=code, target=passes.Target.Direct())),
    ]


def test_secrets_are_not_shown(shop: Shop) -> None:
    """C-13: neither repr, str, format, a pickle nor a copy shows a code or its hash."""
    plain = shop.codes[0].reveal()
    digits = shop.codes[0].hash(shop.by.business).reveal_hex()
    for value in secrets(shop):
        for text in (repr(value), str(value), f"{value}", repr([value])):
            assert plain not in text and plain.replace("-", "") not in text and digits not in text
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value)
    assert shop.codes[0] == passes.Passcode(plain) and hash(shop.codes[0]) == hash(passes.Passcode(plain))
    assert shop.codes[0].mask().endswith(plain[-2:]) and shop.codes[0].mask() != plain


def test_errors_and_keys_show_no_secret(shop: Shop, tmp_path: Path) -> None:
    """C-13: nor does what is raised, nor a keyring."""
    path = tmp_path / "keys"
    made = passes.Keyring.create_file(path)
    lines = [word for word in path.read_text().split() if len(word) >= 32]
    assert lines and not any(word in f"{made!r} {made}" for word in lines)
    with pytest.raises(TypeError):
        pickle.dumps(made)
    with pytest.raises(passes.CodeError) as told:
        shop.library.pass_by_code(shop.by, "hunter2?hunter2")
    assert "hunter2" not in f"{told.value} {told.value!r} {told.value.reasons}"
    with pytest.raises(TypeError) as wrong:
        passes.Redeem(code=b"hunter2", target=shop.ann)  # type: ignore[arg-type]
    assert "hunter2" not in str(wrong.value)
    with pytest.raises(passes.PassesError) as refused:
        passes.open("mysql://till:hunter2@db/shop", keyring())
    assert refused.value.code == "STORE_UNKNOWN" and "hunter2" not in f"{refused.value!r}"


def test_defaults_are_the_librarys() -> None:
    """B-1, P-5: what a constructor leaves out is what the library takes."""
    settings = passes.Settings(name="x", zone=ZoneInfo("UTC"), currencies=["GBP"], locales=["en"], default_locale="en")
    assert settings.week_start is passes.Weekday.MON and settings.void_hours == 24
    assert settings.guess_one_in == 100_000_000 and settings.secrecy is passes.Secrecy.SEALED
    text = """
    [name]
    en-GB = "Gift card"
    [terms]
    classification = "gift"
    form = "printed"
    currency = "GBP"
    value = "25.00 GBP"
    [code]
    length = 12
    """
    shop = passes.Settings(
        name="x", zone="Europe/London", currencies=["GBP"], locales=["en-GB"], default_locale="en-GB"
    )
    assert passes.plan_from_toml(text, shop) == plan()
    assert passes.plan_from_toml(passes.plan_to_toml(plan()), shop) == plan()


def test_times_of_the_day() -> None:
    """P-4: hours are taken as Python has them, and as it hasn't."""
    hours = passes.Hours(days=[passes.Weekday.MON], from_=time(9, 30), to=passes.TimeOfDay("24:00"))
    assert str(hours.from_) == "09:30" and hours.to.minutes == 1440 and hours.from_ < hours.to
    with pytest.raises(ValueError, match="whole minutes"):
        passes.Hours(days=[passes.Weekday.MON], from_=time(9, 30, 1), to=time(10))

"""The library as a Python program meets it: opening, errors, threads."""

from __future__ import annotations

import os
import pickle
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Shop, keyring, plan

import passes
from passes import Money


def test_a_gift_card_from_sale_to_spend(shop: Shop) -> None:
    """R-3, R-5: the main job; the same key gives the same receipt."""
    code = shop.sold(1)
    till = passes.By(business=shop.by.business, actor=shop.by.actor, place="Oxford Street", key="receipt-2")
    request = passes.Redeem(code=code, target=passes.Target.Direct(), amount=Money(5, "GBP"))
    paid = shop.library.redeem(till, request)
    assert paid.done.left == Money(20, "GBP") and not paid.replayed
    again = shop.library.redeem(till, request)
    assert again.replayed and again.done == paid.done and again.operation == paid.operation
    check = shop.library.check(shop.by, passes.Redeem(code=code, target=passes.Target.Direct(), amount=Money(30, "GBP")))
    assert [reason.code for reason in check.reasons] == ["BALANCE_TOO_SMALL"]
    assert check.reasons[0].fix == "pay 10.00 GBP by other means"


def test_refusals_are_exceptions_by_kind(shop: Shop) -> None:
    """R-2, Z-1: an exception has the code, the values, what would help, and all reasons."""
    with pytest.raises(passes.PassStateError) as told:
        request = passes.Redeem(code=shop.codes[0], target=passes.Target.Direct(), amount=Money(5, "GBP"))
        shop.library.redeem(shop.by, request)
    error = told.value
    assert error.code == "PASS_DRAFT" and str(error) == "the pass is not active yet"
    assert error.fix == "sell it, activate it or confirm its delivery" and not error.is_retryable
    assert error.has("PASS_DRAFT") and isinstance(error, passes.PassesError)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and again.reasons == error.reasons and str(again) == str(error)
    with pytest.raises(LookupError):
        shop.library.pass_(shop.by, shop.lot.pass_(99))
    guest = passes.By(business=shop.by.business, actor=passes.Actor("guest", []))
    with pytest.raises(passes.ForbiddenError):
        shop.library.pass_(guest, shop.lot.pass_(1))


def test_every_code_has_a_kind() -> None:
    """R-2: no refusal is of no kind, and no kind has a code that isn't there."""
    from passes.errors import _KINDS

    assert set(_KINDS) == set(passes.CODES) and len(passes.CODES) == len(set(passes.CODES))


def test_many_answers_in_one_call(shop: Shop) -> None:
    """R-11: each has its own answer; what was refused is told, not raised."""
    good = passes.Asked(shop.by, passes.Redeem(code=shop.sold(1), target=shop.ann))
    bad = passes.Asked(shop.by, passes.Redeem(code="2222-2222-2222", target=shop.ann))
    answers = shop.library.redeem_all([good, bad])
    assert isinstance(answers[0], passes.RedeemedReceipt)
    assert isinstance(answers[1], passes.CodeError) and answers[1].code == "UNKNOWN_CODE"


def test_sqlite_by_path(tmp_path: Path) -> None:
    """D-1, C-14: a file is opened again with its keys, and not with others."""
    path = tmp_path / "gift.db"
    library = passes.open(str(path), keyring())
    owner = passes.Actor("owner", passes.Right)
    settings = passes.Settings(
        name="Shop", zone="Europe/Paris", currencies=["EUR"], locales=["fr"], default_locale="fr"
    )
    business = library.create_business(owner, settings)
    del library
    again = passes.open(path, keyring())
    assert again.settings(passes.By(business=business, actor=owner)) == settings
    with pytest.raises(passes.KeyringError) as told:
        passes.open(path, passes.Keyring.from_master("other", bytes(32)))
    assert told.value.code == "KEY_MISSING" and "test" in str(told.value)


def test_keyrings_come_from_files_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-14: a keyring of a file, of a variable, of a text."""
    path = tmp_path / "gift.keys"
    passes.Keyring.create_file(path)
    passes.open("memory:", passes.Keyring.from_file(path))
    monkeypatch.setenv("GIFT_KEYS", path.read_text())
    passes.open("memory:", passes.Keyring.from_env("GIFT_KEYS"))
    passes.Keyring.parse(path.read_text())
    with pytest.raises(passes.KeyringError) as told:
        passes.Keyring.create_file(path)
    assert told.value.code == "KEYRING_EXISTS"
    with pytest.raises(passes.KeyringError):
        passes.Keyring.from_env("NO_SUCH_VARIABLE")
    with pytest.raises(ValueError, match="32 bytes"):
        passes.Keyring.from_master("m", b"short")
    if os.name == "posix":
        path.chmod(0o644)
        with pytest.raises(passes.KeyringError) as told:
            passes.Keyring.from_file(path)
        assert told.value.code == "KEYRING_OPEN_TO_OTHERS"


def test_postgres_by_url(shop: Shop) -> None:
    """D-1, C-14: the same call opens a database of PostgreSQL by its URL, with the keys it was made with and no others."""
    url = os.environ.get("PASSES_TEST_DATABASE")
    if url is None:
        pytest.skip("no database of PostgreSQL is named by PASSES_TEST_DATABASE")
    library = passes.open(url, keyring())
    owner = passes.Actor("owner", passes.Right)
    by = passes.By(business=library.create_business(owner, shop.settings), actor=owner)
    made = library.create_plan(by, plan()).done
    library.activate_plan(by, made)
    started = library.generate(by, passes.Generate(plan=made, count=10)).done
    library.finish_run(by, started.run)
    library.export(by, started.lot)
    code = library.export_page(by, started.lot, 0, 1)[0].code
    library.sell(by, started.lot.pass_(1), passes.Deal(price=Money(25, "GBP")))
    request = passes.Redeem(code=code, target=passes.Target.Direct(), amount=Money(5, "GBP"))
    assert library.redeem(by, request).done.left == Money(20, "GBP")
    again = passes.open(url, keyring())
    assert again.settings(by) == shop.settings and again.verify(by).drifted == 0
    with pytest.raises(passes.KeyringError) as told:
        passes.open(url, passes.Keyring.from_master("other", bytes(32)))
    assert told.value.code == "KEY_MISSING"


def test_a_server_that_is_not_there_is_told() -> None:
    """D-1: it may be tried again, and the password is not told."""
    with pytest.raises(passes.StoreError) as told:
        passes.open("postgres://till:hunter2@127.0.0.1:1/shop?sslmode=disable", keyring())
    assert told.value.is_retryable and told.value.code == "TRANSIENT" and "hunter2" not in str(told.value)


def test_threads_share_the_library(shop: Shop, tmp_path: Path) -> None:
    """R-8, F-1: at any concurrency a card is never spent beyond its balance."""
    code = shop.sold(1)

    def pay(_: int) -> bool:
        request = passes.Redeem(code=code, target=passes.Target.Direct(), amount=Money(2, "GBP"))
        try:
            shop.library.redeem(shop.by, request)
        except passes.TermsError as error:
            assert error.code == "BALANCE_TOO_SMALL"
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        paid = sum(pool.map(pay, range(40)))
    assert paid == 12 and shop.library.pass_(shop.by, shop.lot.pass_(1)).left == Money(1, "GBP")
    assert shop.library.verify(shop.by).drifted == 0


def test_other_threads_run_while_a_store_works(shop: Shop) -> None:
    """F-1: the lock of the interpreter is released while a store is waited for: here the store's other end is a thread of
    Python, which could never answer else.
    """
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(1024))

        other = threading.Thread(target=answer)
        other.start()
        port = server.getsockname()[1]
        with pytest.raises(passes.StoreError):
            passes.open(f"postgres://till@127.0.0.1:{port}/shop?sslmode=disable", keyring())
        other.join()
    assert heard and b"till" in heard[0]


def test_export_for_the_printer(shop: Shop) -> None:
    """C-6: the file of the printing house."""
    text = passes.export_csv(shop.library.export_page(shop.by, shop.lot, 0, 2))
    assert text.startswith(b"passcode,value,expires,serial") and shop.codes[1].reveal().encode() in text
    assert text.count(b"\n") == 3

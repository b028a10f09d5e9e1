"""The same for asyncio: awaited calls, on a loop that goes on meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conftest import Shop, keyring

import passes
from passes import Money


def test_calls_are_awaited(shop: Shop) -> None:
    """D-6, F-1: the methods are the same, and so are answers and refusals."""

    async def run() -> None:
        library = passes.AsyncPasses(shop.library)
        card = await library.pass_(shop.by, shop.lot.pass_(1))
        assert card.serial == 1
        with pytest.raises(passes.NotFoundError):
            await library.pass_(shop.by, shop.lot.pass_(99))

    asyncio.run(run())


def test_many_at_once_on_a_file(shop: Shop, tmp_path: Path) -> None:
    """D-6, R-8: a hundred tills pay by one card at once; the loop turns while the store works."""

    async def run() -> tuple[int, int]:
        library = await passes.open_async(tmp_path / "gift.db", keyring())
        business = await library.create_business(shop.by.actor, shop.settings)
        by = passes.By(business=business, actor=shop.by.actor)
        spec = shop.library.plan(shop.by, shop.plan).spec
        made = (await library.create_plan(by, spec)).done
        await library.activate_plan(by, made)
        started = (await library.generate(by, passes.Generate(plan=made, count=1))).done
        await library.finish_run(by, started.run)
        await library.export(by, started.lot)
        code = (await library.export_page(by, started.lot, 0, 1))[0].code
        await library.sell(by, started.lot.pass_(1), passes.Deal(price=Money(25, "GBP")))

        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async def pay() -> bool:
            request = passes.Redeem(code=code, target=passes.Target.Direct(), amount=Money(1, "GBP"))
            try:
                await library.redeem(by, request)
            except passes.RefusedError:
                return False
            return True

        turning = asyncio.create_task(turn())
        paid = sum(await asyncio.gather(*(pay() for _ in range(100))))
        turning.cancel()
        assert (await library.verify(by)).drifted == 0
        return paid, turns

    paid, turns = asyncio.run(run())
    assert paid == 25 and turns > 0


def test_a_call_may_be_cancelled(shop: Shop, tmp_path: Path) -> None:
    """D-3, D-6: a call that was cancelled leaves the library whole; by its key it is known what became of it."""

    async def run() -> None:
        library = await passes.open_async(tmp_path / "gift.db", keyring())
        business = await library.create_business(shop.by.actor, shop.settings)
        by = passes.By(business=business, actor=shop.by.actor, key="once")
        profile = passes.Profile(name="Bob")
        for _ in range(20):
            task = asyncio.ensure_future(library.create_contact(by, profile))
            await asyncio.sleep(0)
            # It may have been done by now.
            if task.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await task
        first = await library.create_contact(by, profile)
        again = await library.create_contact(by, profile)
        assert again.replayed and again.done == first.done
        assert (await library.verify(by)).drifted == 0

    asyncio.run(run())


def test_a_loop_is_needed(shop: Shop) -> None:
    """Z-1: outside of a loop there is nothing to await with."""
    library = passes.AsyncPasses(shop.library)
    with pytest.raises(RuntimeError, match="no running event loop"):
        library.verify(shop.by)

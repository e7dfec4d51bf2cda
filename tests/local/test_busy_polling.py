"""Busy polling: who waits alone looks for his answer, for a moment; everybody else sleeps."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local import busy_polling
from nlctl.local.busy_polling import BusyPolling

if TYPE_CHECKING:
    from collections.abc import Coroutine

FOREVER = 3600.0
SOON = 0.02


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moment of each look at an answer."""
    looked: list[float] = []

    class Watched(BusyPolling):
        def _look(self, *arguments: Any) -> None:
            looked.append(perf_counter())
            super()._look(*arguments)

    monkeypatch.setattr(busy_polling, "BusyPolling", Watched)
    monkeypatch.setattr(busy_polling, "PATIENCE_SECONDS", FOREVER)
    return looked


def answer_soon() -> asyncio.Future[None]:
    """An answer that comes a little later."""
    loop = asyncio.get_running_loop()
    answer = loop.create_future()
    loop.call_later(SOON, answer.set_result, None)
    return answer


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 10))


def test_who_waits_alone_looks_until_the_answer_is_here(looks: list[float]) -> None:
    async def wait() -> None:
        await busy_polling.BusyPolling().wait(answer_soon())
        seen = len(looks)
        await asyncio.sleep(SOON)
        assert len(looks) == seen

    run(wait())
    assert len(looks) > 10


def test_after_a_moment_he_sleeps_and_nobody_looks_for_a_while(
    looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(busy_polling, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(busy_polling, "perf_counter", lambda: now)

    async def wait() -> None:
        nonlocal now
        polling = busy_polling.BusyPolling()
        await polling.wait(answer_soon())
        await polling.wait(answer_soon())
        assert len(looks) == 1
        now += busy_polling.REST_SECONDS
        await polling.wait(answer_soon())

    run(wait())
    assert len(looks) == 2


def test_with_company_nobody_looks(looks: list[float]) -> None:
    async def wait() -> None:
        polling = busy_polling.BusyPolling()
        await asyncio.gather(*(polling.wait(answer_soon()) for _ in range(3)))

    run(wait())
    assert len(looks) <= 4, "once each, and the first once more before it saw the others"


def test_the_loop_does_everything_else_meanwhile(looks: list[float]) -> None:
    async def wait() -> None:
        answer = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(busy_polling.BusyPolling().wait(answer))
        for _ in range(3):
            await asyncio.sleep(SOON / 10)
        answer.set_result(None)
        await waiting

    run(wait())
    assert looks


@pytest.mark.parametrize("how", ["fails", "is given up"])
def test_an_answer_that_never_comes_is_not_counted_for_ever(looks: list[float], how: str) -> None:
    async def wait() -> None:
        polling = busy_polling.BusyPolling()
        answer = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(polling.wait(answer))
        await asyncio.sleep(0)
        if how == "fails":
            answer.set_exception(ConnectionError())
        else:
            waiting.cancel()
        with pytest.raises((ConnectionError, asyncio.CancelledError)):
            await waiting
        looks.clear()
        await polling.wait(answer_soon())

    run(wait())
    assert len(looks) > 10

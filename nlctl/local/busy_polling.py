"""Busy polling: an answer that comes right away is looked for, not slept for.

A core that sleeps can take longer to wake than PostgreSQL works for a request: 0.04 ms on one
virtual machine, of the 0.2 ms of a row by key through the Data API (`python -m bench.data_api`).
"""

from __future__ import annotations

import asyncio
from time import perf_counter

PATIENCE_SECONDS = 0.0001
"""After that an answer takes its time."""

REST_SECONDS = 0.01
"""Then nobody looks for a while: questions may be long, or the core is needed for the answer."""


class BusyPolling:
    """Keeps the event loop from sleeping while a single answer is on its way.

    With several on their way the loop hardly sleeps, and whoever works on them needs the core.
    """

    def __init__(self) -> None:
        self._awaited = 0
        self._rests_until = 0.0

    async def wait(self, answer: asyncio.Future[None]) -> None:
        """Wait until the answer is here, or raise what came in its place."""
        self._awaited += 1
        try:
            now = perf_counter()
            if now >= self._rests_until:
                self._look(asyncio.get_running_loop(), answer, now + PATIENCE_SECONDS)
            await answer
        finally:
            self._awaited -= 1

    def _look(
        self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[None], until: float
    ) -> None:
        if self._awaited > 1 or answer.done():
            return
        if perf_counter() < until:
            loop.call_soon(self._look, loop, answer, until)
        else:
            self._rests_until = until + REST_SECONDS

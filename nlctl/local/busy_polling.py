"""Busy polling: an answer that comes right away is looked for, not slept for.

A core that sleeps can take longer to wake than PostgreSQL works for a request: 0.04 ms on one
virtual machine, of the 0.2 ms of a row by key through the Data API (`python -m bench.data_api`).
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial

PATIENCE_SECONDS = 0.0001
"""After that an answer takes its time, and the core has better things to do."""

_let_others_run = partial(time.sleep, 0) if os.name == "nt" else os.sched_yield


class BusyPolling:
    """Keeps the event loop of one process from sleeping while a single answer is on its way.

    With several on their way the loop hardly sleeps, and whoever works on them needs the core.
    """

    def __init__(self) -> None:
        self._awaited = 0

    async def wait(self, answer: asyncio.Future[None]) -> None:
        """Wait until the answer is here, or raise what came in its place."""
        self._awaited += 1
        self._look(asyncio.get_running_loop(), answer, time.perf_counter() + PATIENCE_SECONDS)
        try:
            await answer
        finally:
            self._awaited -= 1

    def _look(
        self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[None], until: float
    ) -> None:
        if self._awaited == 1 and not answer.done() and time.perf_counter() < until:
            _let_others_run()
            loop.call_soon(self._look, loop, answer, until)

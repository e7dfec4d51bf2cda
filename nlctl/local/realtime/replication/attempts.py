"""Attempts: what has to be begun again whenever the database was not there."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import psycopg

from nlctl.local.realtime.replication.link import LinkEnded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

log = logging.getLogger(__name__)


async def repeat(act: Callable[[], Awaitable[None]], what: str) -> None:
    """Do `act` over and over; it ends only by failing. Pauses grow while it fails at once."""
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            await act()
        except (psycopg.Error, LinkEnded) as error:
            log.warning("Realtime lost the database for %s: %s", what, _line(error))
        except Exception:  # one broken message must not silence all that follow
            log.exception("Realtime failed at %s", what)
        is_short = time.monotonic() - began < pause
        pause = min(2 * pause, LONGEST_PAUSE) if is_short else FIRST_PAUSE
        await asyncio.sleep(pause)


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

"""Watcher: keeps what is known of the schema up to date, and never misses that it changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CHANNEL = "pgrst"
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

log = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[Any]


class Watcher:
    """Listens on channel pgrst, and loads again after every notification.

    A notification during a load leaves a mark that is only taken away before the next load, so
    that what changed meanwhile is loaded too. Many notifications make one load.
    """

    def __init__(self, url: str, load: Callable[[Connection], Awaitable[None]]) -> None:
        self._url = url
        self._load = load
        self._is_stale = asyncio.Event()
        self._tried = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to listen, then load; return after that, or after the first failure to."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._reload())]
        await self._tried.wait()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def refresh(self) -> None:
        """Load again soon."""
        self._is_stale.set()

    async def _listen(self) -> None:
        """Hear notifications; after a lost connection, suppose there were some."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    self.refresh()
                    pause = FIRST_PAUSE
                    async for notification in connection.notifies():
                        log.debug("Notified: %s", notification.payload)
                        self.refresh()
            except psycopg.Error as error:
                log.warning("Cannot listen for changes of the schema: %s", _line(error))
                self._tried.set()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _reload(self) -> None:
        pause = FIRST_PAUSE
        while True:
            await self._is_stale.wait()
            self._is_stale.clear()
            if await self._loaded():
                pause = FIRST_PAUSE
                self._tried.set()
                continue
            self._is_stale.set()
            self._tried.set()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _loaded(self) -> bool:
        try:
            async with await self._connect() as connection:
                await self._load(connection)
        except psycopg.Error as error:
            log.warning("Cannot read the schema, trying again: %s", _line(error))
            return False
        except Exception:  # what is known stays in use; nobody would hear of it otherwise
            log.exception("Reading the schema failed, trying again")
            return False
        return True

    async def _connect(self) -> Connection:
        """Connect; whoever loses patience meanwhile leaves no half-made connection behind.

        Such a one would be a server process that waits a minute for a password, and with it
        everybody who drops a database.
        """
        connecting = asyncio.ensure_future(
            psycopg.AsyncConnection.connect(
                self._url, autocommit=True, application_name="nlctl rest schema", connect_timeout=10
            )
        )
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            with contextlib.suppress(psycopg.Error):
                await (await connecting).close()
            raise


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

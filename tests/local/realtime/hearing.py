"""A hub without sockets: it keeps what it is told, and can be waited for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nlctl.local.realtime.broadcasts import Broadcasts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nlctl.local.realtime.contract import Message
    from tests.databases import Database

WAIT_SECONDS = 60


class Hub:
    """Somebody is there unless `leave` says otherwise."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self._changed = asyncio.Event()
        self._occupied = asyncio.Event()
        self._vacant = asyncio.Event()
        self.enter()

    def enter(self) -> None:
        self._occupied.set()
        self._vacant.clear()

    def leave(self) -> None:
        self._occupied.clear()
        self._vacant.set()

    def publish(self, message: Message) -> None:
        self.heard.append(message)
        self._changed.set()

    async def wait_until_occupied(self) -> None:
        await self._occupied.wait()

    async def wait_until_vacant(self) -> None:
        await self._vacant.wait()

    def events(self, topic: str | None = None) -> list[str]:
        """The events heard so far, of one topic or of all."""
        return [each.event for each in self.heard if topic in (None, each.topic)]

    async def hears(self, count: int) -> None:
        """Return once `count` messages were heard."""
        await self._until(lambda: len(self.heard) >= count)

    async def hears_event(self, event: str) -> None:
        """Return once an event was heard."""
        await self._until(lambda: event in self.events())

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def listening(database: Database) -> AsyncIterator[Hub]:
    """A hub that hears what is broadcast in `database`; its slot is gone when the block ends."""
    hub = Hub()
    running = asyncio.create_task(Broadcasts(realtime_url(database), hub).run())
    await asyncio.sleep(0)  # from here on it has begun
    try:
        yield hub
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await no_slot(database)


def realtime_url(database: Database) -> str:
    """As the Realtime service logs in."""
    return database.cluster.url(database.name, "supabase_realtime_admin")


def slots(database: Database) -> list[str]:
    """The replication slots of a database."""
    found = database.run(
        "select slot_name from pg_replication_slots where database = current_database()"
    )
    return [name for (name,) in found]


async def no_slot(database: Database) -> None:
    """Return once the database has no slot; until then it cannot be dropped."""
    async with asyncio.timeout(WAIT_SECONDS):
        while slots(database):
            await asyncio.sleep(0.01)


async def a_slot(database: Database) -> str:
    """The slot that is streaming, once there is one.

    Before, its connection holds a lock that tests may wait for while this loop waits for them.
    """
    async with asyncio.timeout(WAIT_SECONDS):
        while not (found := _streaming(database)):
            await asyncio.sleep(0.01)
    return found[0]


def _streaming(database: Database) -> list[str]:
    streaming = database.run(
        "select slot_name from pg_replication_slots join pg_stat_replication on pid = active_pid "
        "where database = current_database() and state = 'streaming'",
        user="supabase_admin",
    )
    return [name for (name,) in streaming]


async def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)


def changes_slots(database: Database) -> list[str]:
    """The slots that changes of rows are heard through."""
    return [name for name in slots(database) if "changes" in name]

"""The database's side of Realtime: broadcasts from SQL, changes of rows, and what was missed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from psycopg_pool import AsyncConnectionPool

from nlctl.local.realtime.archive import Archive
from nlctl.local.realtime.broadcasts import Broadcasts
from nlctl.local.realtime.changes import Subscriptions
from nlctl.local.realtime.replication import attempts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlctl.local.realtime.contract import Hub, Listener, Message

MAXIMUM_CONNECTIONS = 3
# Once a day would do; a machine that slept meanwhile is late no more than this.
UPKEEP_SECONDS = 3600


class Source:
    """All that sockets ask of the database beside permissions, as supabase_realtime_admin."""

    def __init__(self, url: str, hub: Hub) -> None:
        self._pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            url,
            kwargs={
                "autocommit": True,
                "application_name": "nlctl realtime",
                "options": "-c timezone=UTC -c statement_timeout=10s",
            },
            min_size=0,
            max_size=MAXIMUM_CONNECTIONS,
            open=False,
        )
        self._archive = Archive(self._pool)
        self._broadcasts = Broadcasts(url, hub)
        self._subscriptions = Subscriptions(url, self._pool)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect; from now on follow the database while sockets are connected."""
        await self._pool.open()
        await self._subscriptions.forget_all()
        self._tasks = [
            asyncio.create_task(self._broadcasts.run()),
            asyncio.create_task(self._subscriptions.run()),
            asyncio.create_task(attempts.repeat(self._keep_partitions, "partitions")),
        ]

    async def close(self) -> None:
        """Hang up."""
        await attempts.end(*self._tasks)
        await self._pool.close()

    async def wait_until_live(self) -> None:
        """Return once broadcasts are heard as they are committed."""
        await self._broadcasts.is_live.wait()

    async def replay(self, topic: str, since: int, limit: int) -> Sequence[Message]:
        """The latest private broadcasts since a moment (ms of the epoch), the oldest first."""
        return await self._archive.replay(topic, since, limit)

    def subscribe(self, listener: Listener) -> None:
        """Let a channel hear of rows."""
        self._subscriptions.subscribe(listener)

    def renew(self, listener: Listener) -> None:
        """Look with a channel's new claims."""
        self._subscriptions.renew(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Forget a channel."""
        self._subscriptions.unsubscribe(listener)

    async def _keep_partitions(self) -> None:
        """Have room for the messages of the next days, and none for those of long ago."""
        while True:
            async with self._pool.connection() as connection:
                await connection.execute("select _realtime.maintain_partitions()")
            await asyncio.sleep(UPKEEP_SECONDS)

"""Broadcasts from SQL: rows of realtime.messages, each told once, in the order of their commits.

The log is the source while the link to the database holds. Of what is committed while it does not,
the table is: each of its rows knows when it was committed. What was told in the last moments is
remembered, so that where the two overlap nothing is told twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg.rows import dict_row

from nlctl.database import load_sql
from nlctl.local.realtime.contract import Message
from nlctl.local.realtime.replication import attempts
from nlctl.local.realtime.replication.link import open_link
from nlctl.local.realtime.replication.pgoutput import Begin, Insert, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nlctl.local.realtime.contract import Hub
    from nlctl.local.realtime.replication.link import Link, Row
    from nlctl.local.realtime.replication.pgoutput import Entry

PUBLICATION = "supabase_realtime_messages_publication"

# PostgreSQL notes when a transaction was committed a moment before it takes its place in the log,
# so moments are in order only roughly.
OVERLAP = 10_000_000
# How often the table is looked at while a slot has to wait for somebody's open transaction.
LOOK_SECONDS = 0.25

log = logging.getLogger(__name__)


class Told:
    """Which messages were told already. Moments are in microseconds of the epoch."""

    def __init__(self, beginning: int) -> None:
        self._beginning = beginning
        self._latest = beginning
        self._known: set[str] = set()
        self._order: deque[tuple[int, str]] = deque()

    @property
    def since(self) -> int:
        """Whatever was committed before this was told, or was before our time."""
        return max(self._beginning, self._latest - OVERLAP)

    def add(self, message_id: str, committed_at: int) -> bool:
        """Note a message; False where it was told before."""
        if committed_at < self._beginning or message_id in self._known:
            return False
        self._known.add(message_id)
        self._order.append((committed_at, message_id))
        self._latest = max(self._latest, committed_at)
        while self._order[0][0] < self._latest - OVERLAP:
            self._known.remove(self._order.popleft()[1])
        return True


class Broadcasts:
    """Tells the hub what SQL broadcasts, for as long as somebody is connected to it."""

    def __init__(self, url: str, hub: Hub) -> None:
        self._url = url
        self._hub = hub
        self._leaving: set[asyncio.Task[None]] = set()
        self.is_live = asyncio.Event()

    async def run(self) -> None:
        """Follow whenever there is somebody to tell; without, there is no slot either."""
        try:
            while True:
                await self._hub.wait_until_occupied()
                await self._tell_until_vacant()
        finally:
            await attempts.end(*self._leaving)

    async def _tell_until_vacant(self) -> None:
        # The database is on this machine, and so has the same clock.
        follower = _Follower(self._url, self._hub, Told(time.time_ns() // 1000), self.is_live)
        following = asyncio.create_task(attempts.repeat(follower.follow, "broadcasts"))
        self._leaving.add(following)
        following.add_done_callback(self._leaving.discard)
        try:
            await self._hub.wait_until_vacant()
        finally:
            # Not waited for: whoever connects meanwhile must miss nothing.
            following.cancel()
            self.is_live.clear()


class _Follower:
    """Follows the database from one moment on, over any number of links."""

    def __init__(self, url: str, hub: Hub, told: Told, is_live: asyncio.Event) -> None:
        self._url = url
        self._hub = hub
        self._told = told
        self._is_live = is_live
        self._columns: dict[int, tuple[str, ...]] = {}
        self._committed_at = 0

    async def follow(self) -> None:
        """Tell what was missed, and then what comes, until the link is lost."""
        self._is_live.clear()
        async with open_link(self._url, "messages") as link:
            await self._make_slot(link)
            self._catch_up(await link.rows(_missed(), {"since": self._told.since}))
            await link.start([PUBLICATION])
            self._is_live.set()
            async for batch in link.batches():
                self._hear(batch)

    async def _make_slot(self, link: Link) -> None:
        """Make the slot; while that takes long, look into the table meanwhile."""
        making = asyncio.create_task(link.make_slot())
        try:
            await asyncio.wait({making}, timeout=LOOK_SECONDS)
            if not making.done():
                await self._look_until(making)
            await making
        finally:
            await attempts.end(making)

    async def _look_until(self, made: asyncio.Task[None]) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            row_factory=dict_row,
            application_name="nlctl realtime messages",
        ) as connection:
            while not made.done():
                cursor = await connection.execute(_missed(), {"since": self._told.since})
                self._catch_up(await cursor.fetchall())
                await asyncio.wait({made}, timeout=LOOK_SECONDS)

    def _catch_up(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._tell(row, row["committed_at"])

    def _hear(self, batch: Iterable[Entry]) -> None:
        for entry in batch:
            match entry:
                case Begin():
                    self._committed_at = entry.committed_at
                case Relation():
                    self._columns[entry.oid] = tuple(column.name for column in entry.columns)
                case Insert():
                    row = dict(zip(self._columns[entry.relation], entry.new, strict=True))
                    self._tell(row, self._committed_at)

    def _tell(self, row: Mapping[str, object], committed_at: int) -> None:
        identity = str(row["id"])
        if not self._told.add(identity, committed_at):
            return
        message = _read(row)
        if message is None:
            log.warning("Message %s is not told: it has no event or no payload", identity)
        else:
            self._hub.publish(message)


def _read(row: Mapping[str, object]) -> Message | None:
    """A row in the words of the log, as a message."""
    content, digits = row["payload"], row["binary_payload"]
    if row["event"] is None or row["private"] is None or (content is None and digits is None):
        return None
    return Message(
        topic=str(row["topic"]),
        event=str(row["event"]),
        payload=str(content).encode() if digits is None else bytes.fromhex(str(digits)[2:]),
        is_private=row["private"] == "t",
        is_json=digits is None,
        id=str(row["id"]),
    )


def _missed() -> LiteralString:
    return load_sql("nlctl.local.realtime.sql", "missed_messages")

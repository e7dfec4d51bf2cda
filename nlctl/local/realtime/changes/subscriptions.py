"""Subscriptions: channels that want to hear of rows, from their wishes to the last change."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from nlctl.local.realtime.changes import rows, sight, wishes
from nlctl.local.realtime.changes.register import Refused, Register
from nlctl.local.realtime.changes.views import Watch
from nlctl.local.realtime.changes.wishes import Unreadable
from nlctl.local.realtime.replication import attempts
from nlctl.local.realtime.replication.link import open_link
from nlctl.local.realtime.replication.pgoutput import Begin, Delete, Insert, Relation, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from psycopg_pool import AsyncConnectionPool

    from nlctl.local.realtime.changes.notices import Notice
    from nlctl.local.realtime.changes.rows import Change
    from nlctl.local.realtime.changes.wishes import Wish
    from nlctl.local.realtime.contract import Listener
    from nlctl.local.realtime.replication.pgoutput import Entry

PUBLICATION = "supabase_realtime"
SUBSCRIBED = "Subscribed to PostgreSQL"
UNREACHABLE = "Realtime was unable to connect to the project database"
RETRY_SECONDS = 5
STATEMENT_SECONDS = 8

log = logging.getLogger(__name__)


class Subscriptions:
    """Everybody who wants to hear of rows. While there is nobody, there is no slot either."""

    def __init__(self, url: str, pool: AsyncConnectionPool[Any]) -> None:
        self._url = url
        self._register = Register(pool)
        self._beginnings: dict[Listener, asyncio.Task[None]] = {}
        self._watches: dict[Listener, list[Watch]] = {}
        self._entries: dict[Listener, list[UUID]] = {}
        self._left: list[UUID] = []
        self._somebody_left = asyncio.Event()
        self._is_occupied = asyncio.Event()
        self._is_vacant = asyncio.Event()
        self._is_live = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()

    async def forget_all(self) -> None:
        """Clear what a killed process left in the register."""
        await self._register.clear()

    def subscribe(self, listener: Listener) -> None:
        """Begin; the listener is told when it hears, or why it never will."""
        self._beginnings[listener] = asyncio.create_task(self._begin(listener))
        self._is_occupied.set()
        self._is_vacant.clear()

    def renew(self, listener: Listener) -> None:
        """Look with the listener's new claims, from this moment on."""
        if listener not in self._beginnings:
            return
        self._beginnings[listener].cancel()
        role, claims = _eyes(listener)
        self._watches[listener] = [
            replace(watch, role=role, claims=claims) for watch in self._watches.get(listener, ())
        ]
        self._leave(listener)
        self.subscribe(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Forget a listener; harmless where it never began."""
        beginning = self._beginnings.pop(listener, None)
        if beginning is None:
            return
        beginning.cancel()
        self._watches.pop(listener, None)
        self._leave(listener)
        if not self._beginnings:
            self._is_occupied.clear()
            self._is_live.clear()
            self._is_vacant.set()

    async def run(self) -> None:
        """Follow the log whenever somebody wants to hear of rows."""
        sweeping = asyncio.create_task(attempts.repeat(self._sweep, "subscriptions"))
        try:
            while True:
                await self._is_occupied.wait()
                await self._follow_until_vacant()
        finally:
            await attempts.end(sweeping, *self._ending, *self._beginnings.values())

    async def _begin(self, listener: Listener) -> None:
        try:
            wanted = [(each.id, wishes.read(each.asked)) for each in listener.bindings]
            await self._enter(listener, [wish for _, wish in wanted])
        except (Unreadable, Refused) as refusal:
            self._watches.pop(listener, None)
            listener.tell("error", str(refusal))
            return
        await self._is_live.wait()
        role, claims = _eyes(listener)
        self._watches[listener] = [
            Watch(listener, binding, wish, role, claims) for binding, wish in wanted
        ]
        listener.tell("ok", SUBSCRIBED)

    async def _enter(self, listener: Listener, wanted: Sequence[Wish]) -> None:
        while True:
            try:
                self._entries[listener] = await self._register.add(wanted, listener.claims)
            except psycopg.OperationalError as error:
                log.warning("Realtime cannot subscribe: %s", error)
                listener.tell("error", UNREACHABLE)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    def _leave(self, listener: Listener) -> None:
        self._left += self._entries.pop(listener, ())
        self._somebody_left.set()

    async def _sweep(self) -> None:
        """Take those who left out of the register, many at once."""
        while True:
            await self._somebody_left.wait()
            self._somebody_left.clear()
            if self._left:
                await self._register.remove(self._left.copy())
                self._left.clear()

    async def _follow_until_vacant(self) -> None:
        following = asyncio.create_task(attempts.repeat(self._follow, "postgres_changes"))
        self._ending.add(following)
        following.add_done_callback(self._ending.discard)
        try:
            await self._is_vacant.wait()
        finally:
            following.cancel()

    async def _follow(self) -> None:
        self._is_live.clear()
        async with (
            open_link(self._url, "changes") as link,
            await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                application_name="nlctl realtime changes",
                options=f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s",
            ) as connection,
        ):
            await link.make_slot()
            await link.start([PUBLICATION])
            self._go_live()
            log_reader = _Reader()
            async for batch in link.batches():
                changes = list(log_reader.read(batch))
                watches = [watch for each in self._watches.values() for watch in each]
                if changes and watches:
                    self._tell(await sight.look(connection, changes, watches))

    def _go_live(self) -> None:
        self._is_live.set()
        # Who heard before the link was lost may have missed something, and is told so.
        for listener, watches in self._watches.items():
            if watches:
                listener.tell("ok", SUBSCRIBED)

    def _tell(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            bindings: dict[Listener, list[int]] = defaultdict(list)
            for watch in notice.watches:
                bindings[watch.listener].append(watch.binding)
            payloads: dict[str, bytes] = {}
            for listener, numbers in bindings.items():
                if listener not in self._watches:
                    continue
                ids = json.dumps(sorted(numbers))
                if ids not in payloads:
                    payloads[ids] = b'{"ids":%b,"data":%b}' % (ids.encode(), notice.document)
                listener.push("postgres_changes", payloads[ids])


class _Reader:
    """Makes changes of the entries of one link."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}
        self._begin = Begin(0, 0, 0)

    def read(self, batch: Iterable[Entry]) -> Iterator[Change]:
        for entry in batch:
            match entry:
                case Begin():
                    self._begin = entry
                case Relation():
                    self._relations[entry.oid] = entry
                case Insert() | Update() | Delete():
                    relation = self._relations[entry.relation]
                    yield rows.read(relation, entry, self._begin)


def _eyes(listener: Listener) -> tuple[str, str]:
    """The role and the claims that a listener looks with."""
    return str(listener.claims.get("role")), json.dumps(listener.claims)

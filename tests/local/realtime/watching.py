"""Channels without sockets that hear of rows, and the tables they hear of."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from nlctl.local.realtime.contract import Binding
from nlctl.local.realtime.source import Source
from tests.local.realtime import hearing
from tests.local.realtime.hearing import WAIT_SECONDS, Hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.databases import Database


class Screen:
    """A joined channel of somebody."""

    def __init__(self, claims: dict[str, Any], *asked: dict[str, Any]) -> None:
        self.topic = "screen"
        self.claims = claims
        self.bindings = [Binding(number, each) for number, each in enumerate(asked, start=1)]
        self.told: list[tuple[str, str]] = []
        self.seen: list[dict[str, Any]] = []
        self._changed = asyncio.Event()

    def push(self, event: str, payload: bytes) -> None:
        assert event == "postgres_changes"
        self.seen.append(json.loads(payload))
        self._changed.set()

    def tell(self, status: Literal["ok", "error"], message: str) -> None:
        self.told.append((status, message))
        self._changed.set()

    async def is_told(self, count: int = 1) -> tuple[str, str]:
        """What it was told last, once that was `count` things."""
        await self._until(lambda: len(self.told) >= count)
        return self.told[-1]

    async def sees(self, count: int) -> list[dict[str, Any]]:
        """What it was sent, once that were `count` changes."""
        await self._until(lambda: len(self.seen) >= count)
        return [each["data"] for each in self.seen]

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


def authenticated(subject: str = "ada") -> dict[str, Any]:
    """The claims of somebody who is signed in."""
    return {"role": "authenticated", "sub": subject}


@asynccontextmanager
async def watching(database: Database, *screens: Screen) -> AsyncIterator[Source]:
    """A source that has told each screen whether it is subscribed."""
    source = Source(hearing.realtime_url(database), Hub())
    await source.open()
    try:
        for screen in screens:
            source.subscribe(screen)
        for screen in screens:
            await screen.is_told()
        yield source
    finally:
        await source.close()
        await hearing.no_slot(database)


def make_notes(database: Database) -> None:
    """Notes that belong to somebody, and are seen by him only."""
    database.run("create table public.notes (id int primary key, owner text, body text)")
    database.run("grant select on public.notes to anon, authenticated, service_role")
    database.run("alter table public.notes enable row level security")
    database.run(
        "create policy own on public.notes for select to authenticated "
        "using (owner = (select auth.jwt() ->> 'sub'))"
    )
    database.run("alter publication supabase_realtime add table public.notes")

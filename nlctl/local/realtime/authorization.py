"""Private topics: what the policies of realtime.messages let somebody hear and say there.

Nothing is asked in words: a row is written and looked for, or its writing is tried, as the person
himself, and rolled back.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import uuid4

from psycopg import AsyncConnection, errors
from psycopg_pool import AsyncConnectionPool

from nlctl.local.realtime import documents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from nlctl.local.realtime.credentials import Credentials

BROADCAST = "broadcast"
PRESENCE = "presence"

# More of them on one machine only wait for each other.
MAXIMUM_CONNECTIONS = 4
STATEMENT_SECONDS = 5

_BECOME: LiteralString = """
select set_config('role', %(role)s, true),
  set_config('realtime.topic', %(topic)s, true),
  set_config('request.jwt.claims', %(claims)s, true),
  set_config('request.jwt.claim.sub', %(sub)s, true),
  set_config('request.jwt.claim.role', %(role)s, true),
  set_config('request.headers', %(headers)s, true)
"""
_WRITE_PROBES: LiteralString = """
insert into realtime.messages (id, topic, extension, private)
select id, %s, extension, null from unnest(%s::uuid[], %s::text[]) as probe (id, extension)
"""
_READ_PROBES: LiteralString = "select extension from realtime.messages where id = any(%s::uuid[])"
_TRY_TO_WRITE: LiteralString = """
insert into realtime.messages (topic, extension, private) values (%s, %s, null)
"""


@dataclass(frozen=True)
class Visitor:
    """Somebody at the door of a topic, as policies see him."""

    topic: str
    credentials: Credentials
    headers: Mapping[str, str]

    def settings(self) -> dict[str, Any]:
        """What policies read of him."""
        claims = self.credentials.claims
        return {
            "role": self.credentials.role,
            "topic": self.topic,
            "claims": documents.write(claims).decode(),
            "sub": claims.get("sub"),
            "headers": documents.write(self.headers).decode(),
        }


class Authorizer:
    """The service's connections, as supabase_realtime_admin."""

    def __init__(self, url: str) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection] = AsyncConnectionPool(
            url,
            kwargs={
                "autocommit": True,
                "application_name": "nlctl realtime",
                "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s",
            },
            min_size=1,
            max_size=MAXIMUM_CONNECTIONS,
            open=False,
        )

    async def open(self) -> None:
        """Connect."""
        await self._pool.open(wait=True)

    async def close(self) -> None:
        """Hang up."""
        await self._pool.close()

    async def readable(self, visitor: Visitor, extensions: Collection[str]) -> frozenset[str]:
        """Which of `extensions` (broadcast, presence) somebody may hear on the topic."""
        probes = [uuid4() for _ in extensions]
        async with self._undone() as db:
            await db.execute(_WRITE_PROBES, (visitor.topic, probes, list(extensions)))
            await db.execute(_BECOME, visitor.settings())
            seen = await db.execute(_READ_PROBES, (probes,))
            return frozenset(extension for (extension,) in await seen.fetchall())

    async def may_write(self, visitor: Visitor, extension: str) -> bool:
        """Whether somebody may speak (broadcast) or show himself (presence) on the topic."""
        try:
            async with self._undone() as db:
                await db.execute(_BECOME, visitor.settings())
                await db.execute(_TRY_TO_WRITE, (visitor.topic, extension))
        except errors.InsufficientPrivilege:
            return False
        return True

    @asynccontextmanager
    async def _undone(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that leaves nothing behind; its statements go in one trip."""
        async with (
            self._pool.connection() as db,
            db.pipeline(),
            db.transaction(force_rollback=True),
        ):
            yield db

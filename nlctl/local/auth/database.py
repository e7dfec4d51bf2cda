"""The service's connections, as supabase_auth_admin, and its queries."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from nlctl.database import load_sql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Connection = AsyncConnection[DictRow]
Row = dict[str, Any]

MAXIMUM_CONNECTIONS = 10
PATIENCE_SECONDS = 4  # clients give up after five; a database that is gone should be said before


class Database:
    """A pool of connections; each `transaction` commits when its block ends well."""

    def __init__(self, url: str) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "application_name": "nlctl auth",
                "options": "-c timezone=UTC",
            },
            # A server that was restarted leaves connections behind that only look open.
            check=AsyncConnectionPool.check_connection,
            min_size=1,
            max_size=MAXIMUM_CONNECTIONS,
            timeout=PATIENCE_SECONDS,
            open=False,
        )

    async def open(self) -> None:
        """Connect."""
        await self._pool.open(wait=True)

    async def close(self) -> None:
        """Hang up."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction."""
        async with self._pool.connection() as connection, connection.transaction():
            yield connection


@cache
def query(name: str) -> LiteralString:
    """The text of sql/<name>.sql."""
    return load_sql("nlctl.local.auth.sql", name)


async def first(db: Connection, statement: LiteralString, values: Any = None) -> Row | None:
    """The first row, if there is one."""
    return await (await db.execute(statement, values)).fetchone()


async def every(db: Connection, statement: LiteralString, values: Any = None) -> list[Row]:
    """All rows."""
    return await (await db.execute(statement, values)).fetchall()

"""The register: table realtime.subscription, whose trigger refuses wishes that cannot be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg

from nlctl.database import load_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg_pool import AsyncConnectionPool

    from nlctl.local.realtime.changes.wishes import Wish

_UNABLE = "Unable to subscribe to changes with given parameters. "
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class Refused(Exception):
    """A wish that the database does not let in; the text is for the channel."""


class Register:
    """Who is subscribed, for whoever looks into the database."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def clear(self) -> None:
        """Forget everybody: a killed process leaves its own behind."""
        async with self._pool.connection() as connection:
            await connection.execute("delete from realtime.subscription")

    async def add(self, wishes: Sequence[Wish], claims: Mapping[str, Any]) -> list[UUID]:
        """Enter all of them, or none and raise Refused."""
        entered = []
        async with self._pool.connection() as connection, connection.transaction():
            for wish in wishes:
                entered.append(uuid4())
                await _add(connection, entered[-1], wish, claims)
        return entered

    async def remove(self, entries: Sequence[UUID]) -> None:
        """Forget these."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from realtime.subscription where subscription_id = any(%s)",
                (list(entries),),
            )


async def _add(
    connection: psycopg.AsyncConnection[Any], entry: UUID, wish: Wish, claims: Mapping[str, Any]
) -> None:
    filters = wish.filters
    row = {
        "id": entry,
        "schema": wish.schema,
        "table": wish.table,
        "action": wish.action,
        "columns": None if wish.columns is None else list(wish.columns),
        "claims": json.dumps(claims),
        "names": [each.column for each in filters],
        "operators": [each.operator for each in filters],
        "values": [each.value for each in filters],
        "negations": [each.is_negated for each in filters],
    }
    query = load_sql("nlctl.local.realtime.sql", "add_subscription")
    try:
        added = await connection.execute(query, row)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise Refused(
            f"{_UNABLE}An exception happened so please check your connect parameters: "
            f"[{wish.describe()}]. Exception: {_explain(error)}"
        ) from error
    if not added.rowcount:
        raise Refused(
            f"{_UNABLE}Please check Realtime is enabled for the given connect parameters: "
            f"[{wish.describe()}]"
        )


def _explain(error: psycopg.Error) -> str:
    """An error as the service's database driver writes it."""
    condition = _CAPITAL.sub("_", type(error).__name__).lower()
    return f"ERROR {error.sqlstate} ({condition}) {error.diag.message_primary}"

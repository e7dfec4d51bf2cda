"""Views: changes of one table before the eyes of one role, narrowed down step by step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from nlctl.database import load_sql
from nlctl.local.realtime.changes import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nlctl.local.realtime.changes.rows import Change, Table
    from nlctl.local.realtime.changes.wishes import Wish
    from nlctl.local.realtime.contract import Listener

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

NOBODY = "{}"  # the claims under which no policy is asked

_BECOME: LiteralString = """
select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)
"""


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """One wish of a channel, and whose eyes it looks with."""

    listener: Listener
    binding: int
    wish: Wish
    role: str
    claims: str


class View:
    """Changes of one table before the eyes of one role; `seen` says by whom each of them is."""

    def __init__(
        self, table: Table, changes: Sequence[tuple[int, Change]], watches: Sequence[Watch]
    ) -> None:
        self.table = table
        self.name = sql.Identifier(table.schema, table.name)
        self.order = [place for place, _ in changes]
        self.changes = [change for _, change in changes]
        self.watches = watches
        self.seen = [
            {watch for watch in watches if watch.wish.wants(change.action)}
            for change in self.changes
        ]

    def showable(self) -> Iterator[tuple[int, Change]]:
        """The changes that somebody may still see, numbered."""
        for number, change in enumerate(self.changes):
            if self.seen[number] and not self.error(change):
                yield number, change

    def error(self, change: Change) -> str | None:
        """Why a change cannot be shown at all."""
        return self.table.error(change.action)


async def load(
    connection: Connection, changes: Iterable[Change], watches: Sequence[Watch]
) -> list[View]:
    """The views that are needed: tables that changed, and roles that watch them."""
    by_table: dict[int, list[tuple[int, Change]]] = defaultdict(list)
    for place, change in enumerate(changes):
        by_table[change.relation.oid].append((place, change))
    views = []
    for table in await _tables(connection, list(by_table), {watch.role for watch in watches}):
        watching = [
            watch
            for watch in watches
            if watch.role == table.role and watch.wish.covers(table.schema, table.name)
        ]
        if watching:
            views.append(View(table, by_table[table.oid], watching))
    return views


async def become(connection: Connection, role: str, claims: str) -> None:
    """Be somebody for the next queries of the transaction."""
    await connection.execute(_BECOME, (role, claims))


async def _tables(connection: Connection, oids: list[int], roles: set[str]) -> list[Table]:
    cursor = connection.cursor(row_factory=dict_row)
    query = load_sql("nlctl.local.realtime.sql", "tables")
    await cursor.execute(query, {"tables": oids, "roles": list(roles)})
    return [rows.read_table(row) for row in await cursor.fetchall()]

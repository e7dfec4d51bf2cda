"""Policies: which watchers can select a row that changed, as it is now."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from nlctl.local.realtime.changes import queries, rows
from nlctl.local.realtime.changes.views import become

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from nlctl.local.realtime.changes.rows import Change
    from nlctl.local.realtime.changes.views import Connection, View, Watch


SETTLE_SECONDS = 0.001


async def narrow(connection: Connection, views: Iterable[View]) -> None:
    """Leave to each change only the watches of those who can select its row.

    Each person is asked about once, for all changes that he might still see.
    """
    judged = [view for view in views if view.table.has_policies]
    await _settle(connection, {c.transaction for view in judged for _, c in view.showable()})
    asked = []
    async with connection.pipeline():
        for view in judged:
            for claims, watches in _by_claims(view).items():
                doubted = _doubted(view, watches)
                if doubted:
                    await become(connection, view.table.role, claims)
                    key = view.table.key
                    keys = rows.array(view.table.document(c.record, key) for _, c in doubted)
                    cursor = await connection.execute(queries.visible(view.name, key), (keys,))
                    asked.append((view, watches, doubted, cursor))
    for view, watches, doubted, cursor in asked:
        visible = {which for (which,) in await cursor.fetchall()}
        for which, (number, _) in enumerate(doubted):
            if which not in visible:
                view.seen[number] -= watches


def _by_claims(view: View) -> dict[str, set[Watch]]:
    alike: dict[str, set[Watch]] = defaultdict(set)
    for watch in view.watches:
        alike[watch.claims].add(watch)
    return alike


def _doubted(view: View, watches: set[Watch]) -> list[tuple[int, Change]]:
    """What these might see. Of a row that is gone, no policy can be asked."""
    return [
        (number, change)
        for number, change in view.showable()
        if change.action != "DELETE" and view.seen[number] & watches
    ]


async def _settle(connection: Connection, transactions: Collection[int]) -> None:
    """Return once everybody sees what these have done.

    A commit is in the log, and so told to us, an instant before it is there for other sessions.
    """
    while transactions:
        cursor = await connection.execute("select pg_current_snapshot()::text")
        [(snapshot,)] = await cursor.fetchall()
        if not any(is_hidden(transaction, snapshot) for transaction in transactions):
            return
        await asyncio.sleep(SETTLE_SECONDS)


def is_hidden(transaction: int, snapshot: str) -> bool:
    """Whether a snapshot, xmin:xmax:xip, does not see a transaction yet.

    The log has the last 32 of the 64 bits of a transaction's number.
    """
    _, end, running = snapshot.split(":")
    number = int(end) + _signed(transaction - int(end))
    return number >= int(end) or str(number) in running.split(",")


def _signed(difference: int) -> int:
    return (difference + 2**31) % 2**32 - 2**31

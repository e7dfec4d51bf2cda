"""Policies: which watchers can select a row that changed, as it is now.

PostgreSQL asks for one person after the other, within one statement for all of them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from nlctl.local.realtime.changes import queries, rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from psycopg import sql

    from nlctl.local.realtime.changes.views import Connection, View, Watch


SETTLE_SECONDS = 0.001

_ASK_EACH = "select person, answer from _realtime.ask_each(%s, %s, %s)"


async def narrow(connection: Connection, views: Iterable[View]) -> None:
    """Leave to each change only the watches of those who can select its row.

    Each person is asked about once, for all changes that he might still see.
    """
    judged = [view for view in views if view.table.has_policies]
    await _settle(connection, {c.transaction for view in judged for _, c in view.showable()})
    asked = []
    async with connection.pipeline():
        await connection.execute("set local role none")
        for view in judged:
            for doubted, people in _by_doubt(view).items():
                question = _question(view, doubted).as_string(connection)
                given = (question, view.table.role, list(people))
                cursor = await connection.execute(_ASK_EACH, given)
                asked.append((view, doubted, list(people.values()), cursor))
    for view, doubted, watching, cursor in asked:
        for person, answer in await cursor.fetchall():
            visible = {doubted[which] for which in answer or ()}
            for number in set(doubted) - visible:
                view.seen[number] -= watching[person - 1]


def _question(view: View, doubted: Sequence[int]) -> sql.Composed:
    """Which of these changes' rows whoever asks can select."""
    key = view.table.key
    keys = rows.array(view.table.document(view.changes[n].record, key) for n in doubted)
    return queries.visible(view.name, key, keys)


def _by_doubt(view: View) -> dict[tuple[int, ...], dict[str, set[Watch]]]:
    """Those who might see the same changes, by their claims."""
    alike: dict[tuple[int, ...], dict[str, set[Watch]]] = defaultdict(dict)
    for claims, watches in _by_claims(view).items():
        doubted = tuple(_doubted(view, watches))
        if doubted:
            alike[doubted][claims] = watches
    return alike


def _by_claims(view: View) -> dict[str, set[Watch]]:
    alike: dict[str, set[Watch]] = defaultdict(set)
    for watch in view.watches:
        alike[watch.claims].add(watch)
    return alike


def _doubted(view: View, watches: set[Watch]) -> Iterator[int]:
    """The changes these might see. Of a row that is gone, no policy can be asked."""
    for number, change in view.showable():
        if change.action != "DELETE" and not view.seen[number].isdisjoint(watches):
            yield number


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

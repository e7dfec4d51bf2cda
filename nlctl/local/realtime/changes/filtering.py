"""Filtering: which watches' own conditions a change passes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from nlctl.local.realtime.changes import queries, rows
from nlctl.local.realtime.changes.views import NOBODY, become

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nlctl.local.realtime.changes.queries import Form
    from nlctl.local.realtime.changes.rows import Table
    from nlctl.local.realtime.changes.views import Connection, View, Watch
    from nlctl.local.realtime.changes.wishes import Filter


async def narrow(connection: Connection, views: Iterable[View]) -> None:
    """Leave to each change only the watches whose filters it passes."""
    asked = []
    async with connection.pipeline():
        for view in views:
            alike = _by_forms(view)
            if alike:
                await become(connection, view.table.role, NOBODY)
            for forms, watches in alike.items():
                query = queries.matches(view.name, forms)
                cursor = await connection.execute(query, _compared(view, watches))
                asked.append((view, watches, cursor))
    for view, watches, cursor in asked:
        passed = {(number, watches[which]) for number, which in await cursor.fetchall()}
        judged = set(watches)
        for number, _ in view.showable():
            seen = view.seen[number]
            view.seen[number] = {w for w in seen if w not in judged or (number, w) in passed}


def _by_forms(view: View) -> dict[tuple[Form, ...], list[Watch]]:
    alike: dict[tuple[Form, ...], list[Watch]] = defaultdict(list)
    for watch in view.watches:
        if watch.wish.filters:
            alike[tuple(map(queries.form, watch.wish.filters))].append(watch)
    return alike


def _compared(view: View, watches: Sequence[Watch]) -> tuple[str, str]:
    """The changes and the conditions, as `queries.matches` takes them."""
    table = view.table
    changes = rows.array(table.document(change.known) for change in view.changes)
    conditions = rows.array(
        rows.array(_condition(table, each) for each in watch.wish.filters) for watch in watches
    )
    return changes, conditions


def _condition(table: Table, condition: Filter) -> str:
    if condition.operator in queries.COMPARED_AS_TEXT:
        return json.dumps(condition.value)
    return table.document({condition.column: condition.value})

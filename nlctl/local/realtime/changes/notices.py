"""Notices: a change in the words that its watchers are sent."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from nlctl.local.realtime.changes import queries, rows
from nlctl.local.realtime.changes.views import NOBODY, become

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from nlctl.local.realtime.changes.rows import Change, Column, Table
    from nlctl.local.realtime.changes.views import Connection, View, Watch

TOO_LARGE = "Error 413: Payload Too Large"
NOTHING = "{}"

Wanted = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A change as JSON, and whom it is for."""

    document: bytes
    watches: Collection[Watch]


async def write(connection: Connection, views: Sequence[View]) -> list[Notice]:
    """A notice for each change and each choice of columns, in the order of the changes."""
    asked = []
    async with connection.pipeline():
        for view in views:
            for wanted, numbers in _by_choice(view).items():
                await become(connection, view.table.role, NOBODY)
                shown = _shown(view, wanted, numbers)
                cursor = await connection.execute(queries.documents(view.name), shown)
                asked.append((view, wanted, numbers, cursor))
    made = [each for view in views for each in _refusals(view)]
    for view, wanted, numbers, cursor in asked:
        texts: dict[int, str] = dict(await cursor.fetchall())
        for which, number in enumerate(numbers):
            watches = {w for w in view.seen[number] if w.wish.columns == wanted}
            document = _document(
                view.changes[number],
                view.table.shown(wanted),
                record=texts[2 * which],
                identity=texts[2 * which + 1],
            )
            made.append((view.order[number], Notice(document, watches)))
    return [notice for _, notice in sorted(made, key=itemgetter(0))]


def _by_choice(view: View) -> dict[Wanted, list[int]]:
    """The changes that are shown, by the columns that somebody wants of them."""
    choices: dict[Wanted, list[int]] = defaultdict(list)
    for number, _ in view.showable():
        for wanted in {watch.wish.columns for watch in view.seen[number]}:
            choices[wanted].append(number)
    return choices


def _shown(view: View, wanted: Wanted, numbers: Iterable[int]) -> tuple[str, list[bool]]:
    """Two rows for each change: as it is, and what is known of it before."""
    table = view.table
    names = {column.name for column in table.shown(wanted)}
    texts, is_cut = [], []
    for number in numbers:
        change = view.changes[number]
        texts.append(table.document(change.record, names))
        texts.append(table.document(change.identity, names & _told_before(table, change)))
        is_cut += [change.is_too_large] * 2
    return rows.array(texts), is_cut


def _told_before(table: Table, change: Change) -> set[str]:
    # Nobody's policy was asked about a row that is gone, so no more than its key is told.
    if change.action == "DELETE" and table.has_policies:
        return set(table.key)
    return set(change.identity)


def _refusals(view: View) -> Iterable[tuple[int, Notice]]:
    for number, change in enumerate(view.changes):
        error = view.error(change)
        if error and view.seen[number]:
            document = _document(change, [], record=NOTHING, identity=NOTHING, error=error)
            yield view.order[number], Notice(document, view.seen[number])


def _document(
    change: Change,
    columns: Iterable[Column],
    *,
    record: str,
    identity: str,
    error: str | None = None,
) -> bytes:
    if change.is_too_large:
        error = error or TOO_LARGE
    head = {
        "schema": change.relation.schema,
        "table": change.relation.name,
        "commit_timestamp": _moment(change.committed_at),
        "type": change.action,
        "columns": [{"name": column.name, "type": column.type} for column in columns],
        "errors": [error] if error else None,
    }
    parts = [json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]]
    if change.action != "DELETE":
        parts.append(f'"record":{record}')
    if change.action != "INSERT":
        parts.append(f'"old_record":{identity}')
    return (",".join(parts) + "}").encode()


def _moment(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, 1_000_000)
    whole = datetime.fromtimestamp(seconds, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{rest // 1000:03}Z"

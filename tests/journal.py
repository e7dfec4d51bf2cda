"""What a database did, in the order in which it was committed: the order Realtime tells it in."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nlctl.local.cluster import SUPERUSER

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.databases import Database

CHANGE = re.compile(r"table (\S+): (INSERT|UPDATE|DELETE): (.*)", re.DOTALL)
COLUMN = re.compile(r""" "?(\w+)"?\[[^\]]+\]:('(?:[^']|'')*'|[^\s']+)""")


@dataclass
class Transaction:
    """What one transaction wrote: the rows by table, and the messages it sent."""

    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)


class Journal:
    """Reads transactions since it was opened, each once."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def read(self) -> list[Transaction]:
        """The transactions committed since, first things first."""
        self._flush()
        found: list[Transaction] = []
        for (line,) in self._connection.execute(
            "select data from pg_logical_slot_get_changes('journal', null, null)"
        ):
            if line.startswith("BEGIN"):
                found.append(Transaction())
            elif change := CHANGE.fullmatch(line):
                _note(found[-1], change)
        return found

    def _flush(self) -> None:
        """What is not on disk yet is not told: have all that came before written too."""
        self._connection.execute("set synchronous_commit = on")
        self._connection.execute("select pg_logical_emit_message(true, 'journal', 'read')")


@contextmanager
def of(database: Database) -> Iterator[Journal]:
    """A journal of all that happens in a database from now on."""
    with database.connect(SUPERUSER) as connection:
        connection.execute(
            "select pg_create_logical_replication_slot('journal', 'test_decoding', true)"
        )
        yield Journal(connection)


def _note(transaction: Transaction, change: re.Match[str]) -> None:
    table, _, columns = change.groups()
    row = {name: _plain(value) for name, value in COLUMN.findall(f" {columns}")}
    if table.startswith("realtime.messages"):
        transaction.messages.append({**row, "payload": json.loads(row["payload"])})
    else:
        transaction.rows.setdefault(table, []).append(row)


def _plain(value: str) -> str:
    return value[1:-1].replace("''", "'") if value.startswith("'") else value

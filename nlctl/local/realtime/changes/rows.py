"""Rows: what the log says of one row, and what the catalogue says of its table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nlctl.local.realtime.replication.pgoutput import (
    Begin,
    Delete,
    Insert,
    Relation,
    Unchanged,
    Update,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from nlctl.local.realtime.replication.pgoutput import Value

# Column by column, in PostgreSQL's own words for each type.
Values = Mapping[str, str | None]

MAXIMUM_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """One row, inserted, updated or deleted. `identity` is what the log knows of it before."""

    relation: Relation
    action: str
    transaction: int
    committed_at: int
    record: Values
    identity: Values
    is_too_large: bool

    @property
    def known(self) -> Values:
        """What filters are asked about."""
        return self.identity if self.action == "DELETE" else self.record


def read(relation: Relation, entry: Insert | Update | Delete, begin: Begin) -> Change:
    """The change that an entry of the log stands for, in the transaction that began so."""
    names = [column.name for column in relation.columns]
    keys = {column.name for column in relation.columns if column.is_key}
    old = {} if isinstance(entry, Insert) or entry.old is None else _known(names, entry.old)
    new = {} if isinstance(entry, Delete) else _known(names, entry.new)
    if isinstance(entry, Insert):
        identity: Values = {}
    else:
        # Columns beside the key are empty in the log, not null.
        identity = {name: value for name, value in (old or new).items() if name in keys}
    return Change(
        relation=relation,
        action=type(entry).__name__.upper(),
        transaction=begin.transaction,
        committed_at=begin.committed_at,
        # A long value that was left alone is only known where the old row is.
        record={} if isinstance(entry, Delete) else {**identity, **new},
        identity=identity,
        is_too_large=sum(map(_size, [*new.values(), *old.values()])) > MAXIMUM_BYTES,
    )


def _known(names: list[str], values: tuple[Value, ...]) -> Values:
    pairs = zip(names, values, strict=True)
    return {name: value for name, value in pairs if not isinstance(value, Unchanged)}


def _size(value: str | None) -> int:
    return len(value) if value else 0


@dataclass(frozen=True)
class Column:
    """A column, as one role sees it."""

    name: str
    type: str
    is_json: bool
    is_key: bool
    is_readable: bool


@dataclass(frozen=True)
class Table:
    """A table, as one role sees it."""

    oid: int
    schema: str
    name: str
    role: str
    has_policies: bool
    is_open: bool
    columns: tuple[Column, ...]

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.columns if column.is_key)

    def shown(self, wanted: Collection[str] | None) -> list[Column]:
        """The readable columns among those that are wanted; the key always is."""
        return [
            column
            for column in self.columns
            if column.is_readable and (wanted is None or column.is_key or column.name in wanted)
        ]

    def error(self, action: str) -> str | None:
        """Why a row cannot be shown to the role at all."""
        if action == "DELETE" and self.is_open:
            return None
        if not self.key:
            return "Error 400: Bad Request, no primary key"
        if not self.is_open or not all(c.is_readable for c in self.columns if c.is_key):
            return "Error 401: Unauthorized"
        return None

    def document(self, values: Values, only: Collection[str] | None = None) -> str:
        """Values as a JSON object that jsonb_populate_record turns into a row of the table."""
        pairs = (
            f"{json.dumps(name)}:{self._json(name, value)}"
            for name, value in values.items()
            if only is None or name in only
        )
        return "{" + ",".join(pairs) + "}"

    def _json(self, name: str, value: str | None) -> str:
        if value is None:
            return "null"
        return value if name in self._json_columns else json.dumps(value)

    @cached_property
    def _json_columns(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns if column.is_json)


def read_table(row: Mapping[str, Any]) -> Table:
    """A row of tables.sql."""
    columns = tuple(Column(**column) for column in row["columns"])
    return Table(**{**row, "columns": columns})


def array(documents: Iterable[str]) -> str:
    """JSON documents as one."""
    return f"[{','.join(documents)}]"

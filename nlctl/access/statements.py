"""What is tried, as SQL: one row is given as JSON in %(row)s, many in %(rows)s."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql

from nlctl.access import guesses, quoting

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nlctl.access.subjects import Column, Function, Subject

CURSOR = "that_row"
UUID: LiteralString = "uuid"


def selection(subject: Subject) -> sql.Composed:
    """Look for rows by their keys."""
    names = subject.key or tuple(column.name for column in subject.columns)
    sides = [sql.SQL(", ").join(quoting.identifier(side, name) for name in names) for side in "rw"]
    # A view has no key, and nulls among its columns.
    same = "({}) = ({})" if subject.key else "({}) is not distinct from ({})"
    return sql.SQL(
        "select from {0} as r join jsonb_populate_recordset(null::{0}, %(rows)s) as w on {1}"
    ).format(subject.identifier, sql.SQL(same).format(*sides))


def insertion(subject: Subject, columns: Collection[str]) -> sql.Composed:
    """Insert the row, of which only `columns` are given."""
    if not columns:
        return sql.SQL("insert into {} default values").format(subject.identifier)
    names = sql.SQL(", ").join(map(quoting.identifier, columns))
    return sql.SQL(
        "insert into {0} ({1}) select {1} from jsonb_populate_record(null::{0}, %(row)s)"
    ).format(subject.identifier, names)


def update(subject: Subject, role: str, where: sql.Composable) -> sql.Composed:
    """Give one column the value it has."""
    column = writable(subject, role)
    name = quoting.identifier(column.name)
    value = sql.SQL("(jsonb_populate_record(null::{}, %(row)s)).{}").format(
        subject.identifier, name
    )
    return sql.SQL("update {} set {} = {} where {}").format(
        subject.identifier, name, sql.DEFAULT if column.is_computed else value, where
    )


def deletion(subject: Subject, where: sql.Composable) -> sql.Composed:
    """Delete."""
    return sql.SQL("delete from {} where {}").format(subject.identifier, where)


def cursor(subject: Subject) -> sql.Composed:
    """Stand on the row, and tell where it lies."""
    return sql.SQL("declare {} cursor for select ctid::text from {} where {} for update").format(
        quoting.identifier(CURSOR), subject.identifier, is_that_row(subject)
    )


def is_under_cursor() -> sql.Composed:
    """The condition that finds the row without reading anything of it."""
    return sql.SQL("current of {}").format(quoting.identifier(CURSOR))


def is_that_row(subject: Subject) -> sql.Composed:
    """The condition that finds the row by its key, as a frontend does."""
    names = subject.key or tuple(column.name for column in subject.columns)
    return sql.SQL(" and ").join(
        sql.SQL("{0}.{1} is not distinct from (jsonb_populate_record(null::{0}, %(row)s)).{1}")
        .format(subject.identifier, quoting.identifier(name))
        for name in names
    )  # fmt: skip


def call(function: Function, keys: Mapping[str, Any]) -> sql.Composed:
    """Call it with these, and with null for whatever else has no default.

    Where null calls nothing it is given any value.
    """
    are_named = all(name for name, _ in function.required)
    optional = [(name, UUID) for name in keys if name not in dict(function.required)]
    arguments = []
    for name, kind in (*function.required, *optional):
        value = keys.get(name, guesses.value(kind) if function.is_strict else None)
        given = sql.SQL("{}::{}").format(_literal(value), sql.SQL(kind.replace("%", "%%")))
        named = sql.SQL("{} => {}").format(quoting.identifier(name), given)
        arguments.append(named if are_named else given)
    return sql.SQL("select from {}({}) limit 1").format(
        quoting.identifier(function.schema, function.name), sql.SQL(", ").join(arguments)
    )


def _literal(value: Any) -> sql.Composable:
    if isinstance(value, list):
        return sql.SQL("'{}'")
    return quoting.literal(json.dumps(value) if isinstance(value, dict) else value)


def offered(subject: Subject, names: Collection[str], role: str) -> list[str]:
    """Which of these columns to give: those `role` may, less the keys that make themselves."""
    wanted = [c for c in subject.columns if c.name in names and not c.is_computed]
    granted = [c for c in wanted if role in c.insert] or wanted
    return [c.name for c in granted if not (c.is_unique and c.has_default)]


def writable(subject: Subject, role: str) -> Column:
    """The column to write: one that `role` may write and, at best, that no key is made of."""
    return min(
        subject.columns,
        key=lambda column: (
            role not in column.update,
            column.is_computed,
            column.is_unique,
            column.refers_to is not None,
        ),
    )

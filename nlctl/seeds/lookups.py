"""Rows of other tables named by what people know of them, such as `kind_id: {label: Outil}`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nlctl.errors import SeedRefused
from nlctl.seeds import statements, tables
from nlctl.seeds.documents import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    from nlctl.seeds.files import Row, Seed
    from nlctl.seeds.tables import Reference


def resolve(connection: psycopg.Connection, seed: Seed) -> Seed:
    """The seed with values in place of lookups; null where the other row is not there yet."""
    if not any(isinstance(value, dict) for row in seed.rows for value in row.values.values()):
        return seed
    table = tables.read(connection, [seed.table])[seed.table]
    for column, reference in table.references.items():
        seed = _resolve_column(connection, seed, column, reference)
    return seed


def refuse_unresolved(asked: Seed, resolved: Seed) -> None:
    """Refuse a seed that names a row of another table which is not there."""
    for row, found in zip(asked.rows, resolved.rows, strict=True):
        for column, value in row.values.items():
            if value is not None and found.values[column] is None:
                raise SeedRefused(
                    f"{row.at(column)}: {column} names no row: {to_json(value)}. "
                    "Nothing was written."
                )


def _resolve_column(
    connection: psycopg.Connection, seed: Seed, column: str, reference: Reference
) -> Seed:
    wanted = {to_json(value): value for value in _lookups(seed.rows, column)}
    if not wanted:
        return seed
    found: dict[str, Any] = {}
    for names in {tuple(value) for value in wanted.values()}:
        group = [text for text, value in wanted.items() if tuple(value) == names]
        query = statements.lookup(reference, names)
        rows = connection.execute(query, {"rows": "[" + ", ".join(group) + "]"})
        found.update(zip(group, (value for (value,) in rows), strict=True))
    return replace(seed, rows=tuple(_with_value(row, column, found) for row in seed.rows))


def _lookups(rows: Iterable[Row], column: str) -> list[dict[str, Any]]:
    return [row.values[column] for row in rows if isinstance(row.values.get(column), dict)]


def _with_value(row: Row, column: str, found: dict[str, Any]) -> Row:
    if not isinstance(row.values.get(column), dict):
        return row
    return replace(row, values={**row.values, column: found[to_json(row.values[column])]})

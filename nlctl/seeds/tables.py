"""Seeded tables as the database knows them, and whether a seed fits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.errors import SeedFileInvalid
from nlctl.seeds import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

    from nlctl.seeds.files import Row, Seed


@dataclass(frozen=True)
class Reference:
    """Where a column points: a table, a column of it, and the keys that tell its rows apart."""

    table: str
    column: str
    keys: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Table:
    """What a seed must respect; `keys` are the unique constraints and indexes an upsert can use.

    `references` has the foreign keys of one column.
    """

    name: str
    columns: tuple[str, ...]
    keys: tuple[frozenset[str], ...]
    primary_key: tuple[str, ...]
    parents: frozenset[str]
    clocks: frozenset[str]
    references: Mapping[str, Reference]


def read(connection: psycopg.Connection, names: Iterable[str]) -> dict[str, Table]:
    """The tables among `names` that exist."""
    found = connection.execute(statements.text("catalogue"), {"tables": list(names)})
    return {
        name: Table(
            name=name,
            columns=tuple(columns),
            keys=_sets(keys),
            primary_key=tuple(primary_key or ()),
            parents=frozenset(parents),
            clocks=frozenset(clocks),
            references={
                column: Reference(parent, target, _sets(parent_keys))
                for column, parent, target, parent_keys in references
            },
        )
        for name, columns, keys, primary_key, parents, clocks, references in found
    }


def _sets(keys: Iterable[Iterable[str]]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(key) for key in keys)


def check(seed: Seed, tables: Mapping[str, Table]) -> None:
    """Refuse a seed whose table, key or columns the database does not have."""
    table = tables.get(seed.table)
    if table is None:
        raise SeedFileInvalid(
            f"{seed.place}: there is no table {seed.table}.", hint="Run: nlctl migrate up"
        )
    for column in (*seed.key, *seed.initial):
        if column not in table.columns:
            raise SeedFileInvalid(f"{seed.place}: {seed.table} has no column {column}.")
    for row in seed.rows:
        for column in row.values:
            if column not in table.columns:
                raise SeedFileInvalid(f"{row.at(column)}: {seed.table} has no column {column}.")
            _check_lookup(row, column, table)
    if frozenset(seed.key) not in table.keys:
        raise SeedFileInvalid(
            f"{seed.place}: ({', '.join(seed.key)}) is not unique in {seed.table}.",
            hint="Choose columns that a unique constraint or index covers.",
        )


def _check_lookup(row: Row, column: str, table: Table) -> None:
    value, reference = row.values[column], table.references.get(column)
    if reference and isinstance(value, dict) and frozenset(value) not in reference.keys:
        raise SeedFileInvalid(
            f"{row.at(column)}: ({', '.join(value)}) is not unique in {reference.table}.",
            hint="Name the other row by columns that a unique constraint or index covers.",
        )

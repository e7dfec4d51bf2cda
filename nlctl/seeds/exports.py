"""A table's rows as a seed file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlctl import database
from nlctl.errors import InvalidInput
from nlctl.seeds import documents, statements, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from nlctl.seeds.tables import Table


def export(url: str, names: Sequence[str], *, key: Sequence[str] = ()) -> str:
    """The tables in seed format, rows sorted by `key` (the primary key by default).

    Left out: generated columns, and moments that the database fills in by itself.
    """
    with database.connect(url, name="nlctl seed") as connection:
        known = tables.read(connection, names)
        missing = [name for name in names if name not in known]
        if missing:
            raise InvalidInput(
                f"There is no table {', '.join(missing)}.", hint="Write schema.name."
            )
        parts = [_export_table(connection, known[name], tuple(key)) for name in names]
    return "---\n".join(parts)


def _export_table(connection: psycopg.Connection, table: Table, key: tuple[str, ...]) -> str:
    key = key or table.primary_key
    if not key:
        raise InvalidInput(
            f"{table.name} has no primary key.", hint="Choose with --key what tells rows apart."
        )
    if frozenset(key) not in table.keys:
        raise InvalidInput(
            f"({', '.join(key)}) is not unique in {table.name}.",
            hint="Choose with --key columns that a unique constraint or index covers.",
        )
    columns = [name for name in table.columns if name not in table.clocks or name in key]
    rows = [
        _pick(documents.from_json(text), columns)
        for (text,) in connection.execute(statements.export(table.name, key))
    ]
    return documents.dump({"table": table.name, "key": list(key), "rows": rows})


def _pick(row: dict[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in columns}

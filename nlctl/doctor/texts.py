"""Texts: accents that were damaged on their way into the seeded tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from nlctl import database, texts
from nlctl.doctor.findings import Finding, Status, error, ok
from nlctl.errors import NlctlError
from nlctl.seeds import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psycopg import Connection

    from nlctl.project import Project
    from nlctl.targets import Target

CHECK = "texts"
ALSO_SEEDED = ("public.themes",)


def check(project: Project, target: Target, connection: Connection) -> Iterator[Finding]:
    """Each column of a seeded table that holds a damaged text."""
    try:
        sets = (files.REFERENCE,) if target.is_production else files.SETS
        tables = {seed.table for each in files.read(project.seeds, sets) for seed in each.seeds}
    except NlctlError as failure:
        yield Finding(CHECK, Status.ERROR, failure.message, failure.hint)
        return
    yield from examine(connection, sorted({*tables, *ALSO_SEEDED}))


def examine(connection: Connection, tables: Iterable[str]) -> Iterator[Finding]:
    """Each damaged column of `tables`; those that do not exist are left out."""
    columns = connection.execute(
        database.load_sql("nlctl.doctor", "text_columns"), {"tables": list(tables)}
    ).fetchall()
    damaged = list(_damaged(connection, columns)) if columns else []
    yield from damaged
    if not damaged:
        yield ok(CHECK, f"No damaged accent in {len(columns)} columns of the seeded tables.")


def _damaged(connection: Connection, columns: list[tuple[str, str, str]]) -> Iterator[Finding]:
    suspects = sql.SQL("\nunion all\n").join(_suspects(*column) for column in columns)
    for place, text in connection.execute(suspects).fetchall():
        trace = texts.find_misreading(text) or texts.find_lost_letter(text)
        if trace:
            yield error(
                CHECK,
                f"{place} holds a damaged accent ({trace!r}).",
                "Correct the seed file, save it as UTF-8, and run: nlctl seed apply",
            )


def _suspects(schema: str, table: str, column: str) -> sql.Composed:
    return sql.SQL(database.load_sql("nlctl.doctor", "suspects")).format(
        place=sql.Literal(f"{schema}.{table}.{column}"),
        table=sql.Identifier(schema, table),
        column=sql.Identifier(column),
    )

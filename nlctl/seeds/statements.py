"""The SQL of this package, each statement in a file of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from nlctl.database import load_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nlctl.seeds.files import Seed
    from nlctl.seeds.tables import Reference


def text(name: str) -> LiteralString:
    """One statement as its file has it."""
    return load_sql("nlctl.seeds", name)


def table(name: str) -> sql.Identifier:
    """A table's quoted name."""
    return sql.Identifier(*name.split("."))


def columns(names: Iterable[str], *, of: str | None = None) -> sql.Composed:
    """A list of quoted columns, of the alias `of` if there is one."""
    prefix = (of,) if of else ()
    return sql.SQL(", ").join(sql.Identifier(*prefix, name) for name in names)


def compare(seed: Seed) -> sql.Composed:
    """What each row would change; parameters: rows, initial."""
    return sql.SQL(text("compare")).format(
        table=table(seed.table),
        first_key=sql.Identifier(seed.key[0]),
        existing_key=columns(seed.key, of="existing"),
        given_key=columns(seed.key, of="given"),
    )


def lookup(reference: Reference, names: Sequence[str]) -> sql.Composed:
    """What others point at, of rows known by the columns `names`; parameter: rows."""
    return sql.SQL(text("lookup")).format(
        table=table(reference.table),
        target=sql.Identifier(reference.column),
        existing_key=columns(names, of="existing"),
        given_key=columns(names, of="given"),
    )


def upsert(seed: Seed, groups: Sequence[tuple[tuple[str, ...], str]]) -> sql.Composed:
    """Write rows of one table, grouped by the columns they name.

    One statement for all groups, so that a row may point at another row of its own table.
    """
    writes = (
        sql.SQL("{name} as ({write})").format(
            name=sql.Identifier(f"written_{number}"), write=_upsert_group(seed, names, rows)
        )
        for number, (names, rows) in enumerate(groups)
    )
    return sql.SQL("with {writes} select").format(writes=sql.SQL(", ").join(writes))


def strangers(seed: Seed) -> sql.Composed:
    """Keys of the rows that no file names; parameter: rows."""
    pairs = sql.SQL(", ").join(
        sql.SQL("{name}, {column}").format(
            name=sql.Literal(column), column=sql.Identifier("existing", column)
        )
        for column in seed.key
    )
    return _by_key("strangers", seed, pairs=pairs)


def delete(seed: Seed) -> sql.Composed:
    """Delete rows by key; parameter: rows."""
    return _by_key("delete", seed)


def export(name: str, key: Sequence[str]) -> sql.Composed:
    """Every row as JSON, in the order of its key."""
    return sql.SQL(text("export")).format(
        table=table(name), existing_key=columns(key, of="existing")
    )


def _by_key(name: str, seed: Seed, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(text(name)).format(
        table=table(seed.table),
        existing_key=columns(seed.key, of="existing"),
        given_key=columns(seed.key, of="given"),
        **parts,
    )


def _upsert_group(seed: Seed, names: tuple[str, ...], rows: str) -> sql.Composed:
    changeable = [name for name in names if name not in (*seed.key, *seed.initial)]
    updates = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in changeable
    )
    resolution = sql.SQL("update set ") + updates if changeable else sql.SQL("nothing")
    return sql.SQL(text("upsert")).format(
        table=table(seed.table),
        columns=columns(names),
        key=columns(seed.key),
        rows=sql.Literal(rows),
        resolution=resolution,
    )

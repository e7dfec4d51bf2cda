"""History: which migrations a database has, in the Supabase CLI's table and in ours beside it."""

from __future__ import annotations

import getpass
import platform
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from psycopg import ClientCursor
from psycopg.rows import class_row, dict_row

from nlctl import database
from nlctl.errors import ForeignDatabase
from nlctl.migrations import statements
from nlctl.migrations.queries import query

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from nlctl.migrations.files import Migration


THIS_TRANSACTION = "now"  # PostgreSQL's word for when the transaction began


@dataclass(frozen=True)
class Record:
    """What a database remembers of one version.

    Rows that the Supabase CLI wrote have a version and a name; the rest is known of ours only.
    """

    version: str
    name: str | None
    state: str = "applied"
    sha256: str | None = None
    is_out_of_order: bool = False
    duration_ms: int | None = None
    applied_by: str | None = None
    applied_at: datetime | None = None
    error: str | None = None

    @property
    def is_applied(self) -> bool:
        """Failed records stand for files that stopped half-way."""
        return self.state == "applied"


@dataclass(frozen=True)
class Texts:
    """What was run for one version: the CLI's statements, and the whole file when it was us."""

    statements: list[str] | None
    source: str | None


@dataclass(frozen=True)
class _Tables:
    history: bool
    ours: bool
    is_complete: bool


def read(connection: Connection) -> dict[str, Record]:
    """Every version the database knows. The CLI's table decides what is applied."""
    tables = _find_tables(connection)
    ours = {record.version: record for record in _read_ours(connection, tables)}
    failed = {version: record for version, record in ours.items() if not record.is_applied}
    applied = {
        version: ours[version] if version in ours.keys() - failed.keys() else Record(version, name)
        for version, name in _read_names(connection, tables)
    }
    return failed | applied


def read_texts(connection: Connection, version: str) -> Texts:
    """What was run for an applied version, to hold against its file."""
    tables = _find_tables(connection)
    row = connection.execute(
        "select to_jsonb(h) -> 'statements' from supabase_migrations.schema_migrations h"
        " where version = %s",
        (version,),
    ).fetchone()
    source = None
    if tables.ours:
        source = connection.execute(
            "select source from nlctl.migrations where version = %s and state = 'applied'",
            (version,),
        ).fetchone()
    return Texts(row[0] if row else None, source[0] if source else None)


def read_project(connection: Connection) -> str | None:
    """The project a database belongs to, once its first migration has run."""
    if not _find_tables(connection).ours:
        return None
    row = connection.execute("select name from nlctl.project").fetchone()
    return str(row[0]) if row else None


def check_project(connection: Connection, project: str) -> None:
    """Refuse to bring one project's files to another project's database."""
    owner = read_project(connection)
    if owner not in {None, project}:
        raise ForeignDatabase(
            f"This database belongs to project {owner}, not {project}. Nothing was changed.",
            hint="Choose another --target, or name the right project for it in nlctl.toml.",
        )


def prepare(connection: Connection, project: str) -> None:
    """Make the tables that are missing, and claim a new database for `project`."""
    tables = _find_tables(connection)
    if not (tables.ours and tables.is_complete):
        database.run_script(connection, query("tables"))
    connection.execute(
        "insert into nlctl.project (name) values (%s) on conflict do nothing", (project,)
    )


def record_of(
    connection: Connection,
    migration: Migration,
    *,
    since: datetime | str | None,
    out_of_order: bool,
) -> tuple[str, str]:
    """The statements that write both rows of a file that ran.

    `since` is when it began, as the server's clock had it; none if it was not run at all.
    """
    history = {
        "version": migration.version,
        "name": migration.name,
        "statements": [statement.text for statement in migration.statements],
    }
    ours = _row(migration, state="applied", since=since, is_out_of_order=out_of_order)
    cursor = ClientCursor(connection)
    return cursor.mogrify(query("record_history"), history), cursor.mogrify(
        query("record_ours"), ours
    )


def oblivion_of(connection: Connection, version: str) -> tuple[str, str]:
    """The statements that delete what is known of a version."""
    cursor = ClientCursor(connection)
    return (
        cursor.mogrify(
            "delete from supabase_migrations.schema_migrations where version = %s", (version,)
        ),
        cursor.mogrify("delete from nlctl.migrations where version = %s", (version,)),
    )


def record_applied(connection: Connection, migration: Migration, **how: Any) -> None:
    """Write both rows of `record_of`, in the transaction of the caller."""
    database.run_script(connection, statements.join(record_of(connection, migration, **how)))


def record_failed(connection: Connection, migration: Migration, error: str) -> datetime:
    """Write that a file without a transaction stopped half-way; when that was."""
    row = connection.execute(
        query("record_ours") + " returning applied_at",
        _row(migration, state="failed", error=error),
    ).fetchone()
    assert row  # noqa: S101 - it was inserted or updated
    moment: datetime = row[0]
    return moment


def forget(connection: Connection, version: str) -> None:
    """Delete what is known of a version; what it did to the database stays."""
    database.run_script(connection, statements.join(oblivion_of(connection, version)))


def find_invalid_indexes(connection: Connection, migration: Migration) -> tuple[str, ...]:
    """The statements that drop what a file without a transaction left half built."""
    rows = connection.execute(query("invalid_indexes"), {"names": sorted(migration.mentions)})
    return tuple(str(row[0]) for row in rows)


def find_lock_holder(connection: Connection, key: int) -> dict[str, Any] | None:
    """Who holds the advisory lock `key`."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("lock_holder"), {"key": key}).fetchone()


def _find_tables(connection: Connection) -> _Tables:
    with connection.cursor(row_factory=class_row(_Tables)) as cursor:
        tables = cursor.execute(query("has_tables")).fetchone()
    assert tables  # noqa: S101 - a select without from always has a row
    return tables


def _read_names(connection: Connection, tables: _Tables) -> list[tuple[str, str | None]]:
    if not tables.history:
        return []
    names = "select version, to_jsonb(h) ->> 'name' from supabase_migrations.schema_migrations h"
    return connection.execute(names).fetchall()


def _read_ours(connection: Connection, tables: _Tables) -> list[Record]:
    if not tables.ours:
        return []
    with connection.cursor(row_factory=class_row(Record)) as cursor:
        return cursor.execute(
            "select version, name, state, sha256, is_out_of_order, duration_ms, applied_by,"
            " applied_at, error from nlctl.migrations"
        ).fetchall()


def _row(migration: Migration, **values: Any) -> dict[str, Any]:
    return {
        "version": migration.version,
        "name": migration.name,
        "sha256": migration.sha256,
        "source": migration.text,
        "is_out_of_order": False,
        "since": None,
        "applied_by": _person(),
        "error": None,
        **values,
    }


@cache
def _person() -> str:
    try:
        return f"{getpass.getuser()}@{platform.node()}"
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return f"unknown@{platform.node()}"

"""The queue's schema: Procrastinate's own statements, run where they are missing.

Its package brings the whole schema for a new database, and one file for each later change, whose
names sort in the order they were made (see "Migrate the Procrastinate schema" in its manual).
The name of the last file a database has seen is kept in the comment of the schema.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from psycopg import sql

from nlctl.errors import NlctlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

NAME = "procrastinate"
MARK = "Job queue, by Procrastinate. Last change: "


class QueueMissing(NlctlError):
    """The database has no job queue; nothing was done."""


def is_current(connection: Connection) -> bool:
    """Whether this database has the schema that the installed Procrastinate expects."""
    return _seen(connection) == _changes()[-1]


def exists(connection: Connection) -> bool:
    """Whether this database has a job queue at all."""
    return _seen(connection) is not None


def require(connection: Connection) -> None:
    """Refuse to go on without a job queue."""
    if not exists(connection):
        raise QueueMissing("This database has no job queue.", hint="Run: nlctl migrate up")


def install(connection: Connection) -> None:
    """Bring the schema to what the installed Procrastinate expects, in the caller's transaction.

    Nobody but its owner may use what is in it: `app.enqueue` and the workers run as that one.
    """
    seen = _seen(connection)
    if seen is None:
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(NAME)))
        texts = [_read("schema.sql")]
    else:
        texts = [_read("migrations", change) for change in _changes() if change > seen]
    if not texts:
        return
    _run(connection, texts)
    _close(connection)
    comment = sql.SQL("comment on schema {} is {}")
    last = _changes()[-1]
    connection.execute(comment.format(sql.Identifier(NAME), sql.Literal(MARK + last)))


def _seen(connection: Connection) -> str | None:
    row = connection.execute(
        "select coalesce(obj_description(oid, 'pg_namespace'), '') "
        "from pg_catalog.pg_namespace where nspname = %s",
        (NAME,),
    ).fetchone()
    return None if row is None else str(row[0]).removeprefix(MARK)


def _changes() -> Sequence[str]:
    folder = resources.files("procrastinate.sql") / "migrations"
    return sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))


def _read(*names: str) -> str:
    return resources.files("procrastinate.sql").joinpath(*names).read_text(encoding="utf-8")


def _run(connection: Connection, texts: Sequence[str]) -> None:
    # Its statements name nothing with a schema.
    before = connection.execute("select current_setting('search_path')").fetchone()
    connection.execute("select set_config('search_path', %s, true)", (NAME,))
    for text in texts:
        connection.execute(text.encode())
    connection.execute("select set_config('search_path', %s, true)", before)


def _close(connection: Connection) -> None:
    """Pin what its functions see, whoever calls them, and take back what PUBLIC was given."""
    functions = connection.execute(
        "select oid::regprocedure::text from pg_catalog.pg_proc "
        "where pronamespace = %s::regnamespace",
        (NAME,),
    ).fetchall()
    for (function,) in functions:
        connection.execute(
            f"alter function {function} set search_path = {NAME}, pg_temp; "
            f"revoke all on function {function} from public".encode()
        )

"""Sessions: connections on which migrations run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from nlctl import database
from nlctl.migrations.queries import query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

APPLICATION = "nlctl migrate"


def connect(url: str) -> Connection:
    """A connection in autocommit that acts as the owner of the project's objects."""
    connection = database.connect(url, autocommit=True, name=APPLICATION)
    connection.prepare_threshold = None  # poolers lose prepared statements
    reset(connection)
    return connection


def reset(connection: Connection) -> None:
    """Make the session as good as new; only the lock stays."""
    database.run_script(connection, query("new_session"))


def limit_waits(connection: Connection, seconds: float) -> None:
    """Let a statement run as long as it needs, but wait for a table `seconds` at most."""
    connection.execute(
        "select set_config('lock_timeout', %s, false), set_config('statement_timeout', '0', false)",
        (f"{round(seconds * 1000)}ms",),
    )


@contextmanager
def one_moment(connection: Connection) -> Iterator[None]:
    """Let several queries see the database as it was at the first, whoever writes meanwhile."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        yield

"""Sessions: connections on which migrations run."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg

from nlctl import database
from nlctl.errors import HistoryUnavailable
from nlctl.migrations.queries import query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

APPLICATION = "nlctl migrate"


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """A connection in autocommit that acts as the owner of the project's objects.

    What the database refuses to the bookkeeping itself becomes an error with a way out.
    """
    with closing(database.connect(url, autocommit=True, name=APPLICATION)) as connection:
        connection.prepare_threshold = None  # poolers lose prepared statements
        try:
            reset(connection)
            yield connection
        except psycopg.Error as error:
            reason = error.diag.message_primary or str(error).partition("\n")[0]
            raise HistoryUnavailable(
                f"The migration history cannot be used: {reason}.",
                hint="Sign in as postgres, who owns the project's objects.",
                code=error.sqlstate,
            ) from error


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

"""Sessions: connections on which migrations run."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg

from nlctl import database
from nlctl.errors import HistoryUnavailable
from nlctl.migrations import statements
from nlctl.migrations.queries import query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

APPLICATION = "nlctl migrate"
_READING = {"client_encoding": "UTF8", "standard_conforming_strings": "on"}


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
    database.run_script(connection, query("new_session") + query("own_session"))


def renewal(connection: Connection, table_lock_timeout: float) -> tuple[str, ...]:
    """Statements that bring the session back to what it is now, just after its reset."""
    row = connection.execute(query("session_settings")).fetchone()
    settings = [
        *(row or ()),
        f"set lock_timeout = {round(table_lock_timeout * 1000)}",
        "set statement_timeout = 0",
    ]
    resets = [statement.text for statement in statements.split(query("new_session"))]
    return (*resets, *filter(None, settings))


def reads_as_written(connection: Connection) -> bool:
    """Whether no file has changed how the server reads the next message."""
    return all(connection.info.parameter_status(name) == value for name, value in _READING.items())


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

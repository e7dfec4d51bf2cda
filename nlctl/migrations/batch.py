"""A batch: many statements sent at once, and which of them failed.

One message instead of one for each statement: on a busy line, or for small files, waiting for the
server's answers takes longer than the work. The server still runs them one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from psycopg import generators
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from nlctl.migrations import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    from psycopg import Connection
    from psycopg.pq.abc import PGresult


@dataclass(frozen=True)
class Fault:
    """The statement of a batch that failed, and why; `at` is the place the server names in it."""

    index: int
    at: int | None
    error: psycopg.Error


def run(connection: Connection, texts: Sequence[str]) -> Fault | None:
    """Run `texts` in order up to the first that fails.

    Nobody begins or ends a transaction around them: that is up to the texts and the caller.
    """
    results = _send(connection, statements.join(texts))
    if results[-1].status != ExecStatus.FATAL_ERROR:
        return None
    error = error_from_result(results[-1], connection.info.encoding)
    if connection.closed:
        raise error
    return _find(error, len(results) - 1, texts)


def _send(connection: Connection, script: str) -> list[PGresult]:
    with connection.lock:
        connection.pgconn.send_query(script.encode(connection.info.encoding))
        return connection.wait(generators.execute(connection.pgconn))


def _find(error: psycopg.Error, answered: int, texts: Sequence[str]) -> Fault:
    """The place in the script tells best: the server reads it all before it runs the first."""
    position = error.diag.statement_position
    if position is None:
        return Fault(answered, None, error)
    offset = int(position) - 1
    begins = [0, *accumulate(len(statements.join([text])) for text in texts)]
    index = max(i for i in range(len(texts)) if begins[i] <= offset)
    return Fault(index, offset - begins[index], error)

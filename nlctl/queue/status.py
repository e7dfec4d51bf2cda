"""The queue from outside: what waits, runs and failed; trying again, and letting go."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import class_row

from nlctl import database
from nlctl.errors import NlctlError
from nlctl.queue import schema
from nlctl.queue.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUERIES = "nlctl.queue.sql"
SHOWN_FAILURES = 20


class QueueRefused(NlctlError):
    """The database refused a change of the queue; no job was changed."""


@dataclass(frozen=True)
class Queue:
    """The jobs of one queue, counted by how they stand."""

    name: str
    waiting: int
    later: int
    running: int
    stalled: int
    failed: int
    done: int
    oldest_waiting: datetime | None

    @property
    def waits_seconds(self) -> int:
        """For how long the oldest job has waited."""
        if self.oldest_waiting is None:
            return 0
        return max(0, int((datetime.now(UTC) - self.oldest_waiting).total_seconds()))


@dataclass(frozen=True)
class Failed:
    """A job that was given up, and why."""

    id: int
    queue: str
    task: str
    attempts: int
    failed_at: datetime | None
    error: str


@dataclass(frozen=True)
class Overview:
    """The whole queue at a glance; of failed jobs, the newest."""

    workers: int
    queues: Sequence[Queue]
    failures: Sequence[Failed]

    @property
    def failed(self) -> int:
        """How many jobs were given up."""
        return sum(queue.failed for queue in self.queues)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"healthy": not self.failed, **asdict(self)}


def read(url: str) -> Overview:
    """How the queue of a database stands."""
    with _open(url) as connection:
        return look(connection)


def look(connection: psycopg.Connection, pace: Pace | None = None) -> Overview:
    """The same through a connection that is open already."""
    patience = {"stalled_after": (pace or Pace()).stalled_after}
    queues = connection.cursor(row_factory=class_row(Queue))
    failures = connection.cursor(row_factory=class_row(Failed))
    [(workers,)] = connection.execute(
        "select count(*) from procrastinate.procrastinate_workers "
        "where last_heartbeat > now() - make_interval(secs => %(stalled_after)s)",
        patience,
    ).fetchall()
    return Overview(
        workers,
        queues.execute(database.load_sql(QUERIES, "queues"), patience).fetchall(),
        failures.execute(
            database.load_sql(QUERIES, "failed"), {"limit": SHOWN_FAILURES}
        ).fetchall(),
    )


def retry(url: str, ids: Sequence[int] | None = None) -> list[int]:
    """Try jobs that ended without success again, all that failed by default; returns which."""
    with _open(url) as connection:
        rows = connection.execute(
            database.load_sql(QUERIES, "retry"), {"ids": None if ids is None else list(ids)}
        ).fetchall()
    return [job_id for job_id, _ in rows]


def cancel(url: str, ids: Sequence[int]) -> dict[int, str]:
    """Let jobs go; returns what became of each that could be."""
    with _open(url) as connection:
        rows = connection.execute(
            database.load_sql(QUERIES, "cancel"), {"ids": list(ids)}
        ).fetchall()
    return {job_id: "asked to stop" if running else "cancelled" for job_id, running in sorted(rows)}


@contextmanager
def _open(url: str) -> Iterator[psycopg.Connection]:
    with database.connect(url, name="nlctl queue") as connection:
        schema.require(connection)
        try:
            yield connection
        except psycopg.Error as error:
            raise QueueRefused(
                f"The queue was left as it is: {database.reason(error)}.",
                hint="Ask as postgres, once `nlctl migrate up` has run.",
            ) from error

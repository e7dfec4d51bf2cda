"""Jobs in the database: ended, put back, taken up from the dead, and why they failed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import psycopg
from procrastinate import exceptions, manager
from procrastinate.jobs import Status
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg.types.json import Jsonb

from nlctl import database
from nlctl.queue import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from procrastinate import connector as connectors
    from procrastinate.jobs import Job

    from nlctl.queue.pace import Pace

ABANDONED = "Its worker ended before it did."
SUPERSEDED = "The same work waits in another job."
QUERIES = "nlctl.queue.sql"

_log = logging.getLogger("nlctl.worker")


class Connector(PsycopgConnector):
    """Procrastinate's connection, in the schema where its tables are."""

    def __init__(self, url: str, pace: Pace) -> None:
        super().__init__(
            conninfo=url,
            kwargs={"application_name": "nlctl worker"},
            configure=_configure,
            min_size=1,
            max_size=3,
            num_workers=1,
        )
        self._pause = pace.reconnect

    async def listen_notify(
        self, on_notification: connectors.Notify, channels: Iterable[str]
    ) -> None:
        """Listen, and again after the database was away."""
        wanted = list(channels)
        while True:
            try:
                await super().listen_notify(on_notification, wanted)
            except exceptions.ConnectorException:
                await asyncio.sleep(self._pause)


class Jobs(manager.JobManager):
    """What a worker does to jobs. Where an end cannot be written, `lost` is set."""

    def __init__(self, connector: Connector) -> None:
        super().__init__(connector)
        self._connector = connector
        self.lost = asyncio.Event()

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Write how a job ended."""
        try:
            await super().finish_job(job, status, delete_job)
        except exceptions.ConnectorException:
            self._lose(job)
            raise

    async def retry_job(self, job: Job, *arguments: Any, **more: Any) -> None:
        """Put a failed job back, unless its work was queued again meanwhile."""
        try:
            await super().retry_job(job, *arguments, **more)
        except exceptions.UniqueViolation:
            await self.note_failure(job, SUPERSEDED)
            await self.finish_job(job, Status.ABORTED, delete_job=False)
        except exceptions.ConnectorException:
            self._lose(job)
            raise

    def _lose(self, job: Job) -> None:
        _log.error("could not write how %s %s ended", job.task_name, job.id)
        self.lost.set()

    async def note_failure(self, job: Job, reason: str) -> None:
        """Keep why an attempt failed, for people; the attempt has failed all the same."""
        try:
            async with self._connector.pool.connection() as connection:
                await _note(connection, job.id, job.task_name, job.task_kwargs, reason)
        except psycopg.Error as error:
            _log.error("could not note why job %s failed: %s", job.id, database.reason(error))

    async def take_up_abandoned(self, pace: Pace) -> int:
        """Put back every job that a worker left in the middle, and return how many."""
        count = 0
        while await self._take_up_one(pace):
            count += 1
        return count

    async def _take_up_one(self, pace: Pace) -> bool:
        async with self._connector.pool.connection() as connection, connection.transaction():
            found = await connection.execute(
                database.load_sql(QUERIES, "abandoned"), {"stalled_after": pace.stalled_after}
            )
            row = await found.fetchone()
            if row is None:
                return False
            job_id, task, arguments, attempts = row
            await _note(connection, job_id, task, arguments, ABANDONED)
            is_last = attempts + 1 >= pace.attempts
            await _put_back(connection, job_id, is_last=is_last)
            _log.warning("%s %s: %s", task, job_id, ABANDONED)
            return True

    async def sweep(self) -> None:
        """Forget what ended long ago."""
        async with self._connector.pool.connection() as connection:
            await connection.set_autocommit(True)
            while (await connection.execute(database.load_sql(QUERIES, "sweep"))).rowcount:
                continue
            await connection.set_autocommit(False)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute("select set_config('search_path', %s, false)", (schema.NAME,))
    await connection.commit()


async def _note(
    connection: psycopg.AsyncConnection[Any],
    job_id: int | None,
    task: str,
    arguments: Any,
    reason: str,
) -> None:
    await connection.execute(
        database.load_sql(QUERIES, "note_failure"),
        {"job_id": job_id, "task": task, "args": Jsonb(arguments), "error": reason},
    )


async def _put_back(
    connection: psycopg.AsyncConnection[Any], job_id: int, *, is_last: bool
) -> None:
    if is_last:
        await _finish(connection, job_id, Status.FAILED)
        return
    try:
        async with connection.transaction():
            await connection.execute(
                "select procrastinate_retry_job_v2(%s, now(), null, null, null)", (job_id,)
            )
    except psycopg.errors.UniqueViolation:
        await _finish(connection, job_id, Status.ABORTED)


async def _finish(connection: psycopg.AsyncConnection[Any], job_id: int, status: Status) -> None:
    await connection.execute(
        "select procrastinate_finish_job_v1(%s, %s, false)", (job_id, status.value)
    )

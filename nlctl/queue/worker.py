"""The worker: takes jobs whose functions it has, one at a time, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import procrastinate
import psycopg
from procrastinate import exceptions, utils
from procrastinate.job_context import AbortReason
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.tasks import Task
from procrastinate.worker import Worker as Taker

from nlctl.errors import DatabaseUnreachable, NlctlError
from nlctl.queue import redaction
from nlctl.queue.functions import DEFAULT_QUEUE, InvalidArguments
from nlctl.queue.jobs import Connector, Jobs
from nlctl.queue.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from procrastinate import JobContext
    from procrastinate.jobs import Job

    from nlctl.queue.functions import Function

_log = logging.getLogger("nlctl.worker")


class JobFailed(NlctlError):
    """A job that did not do what it should; it is tried again."""


@dataclass
class Worker:
    """One worker. `world` has a way to make each thing that functions take besides arguments."""

    url: str = field(repr=False)
    functions: Sequence[Function]
    folder: Path
    world: Mapping[str, Callable[[], Awaitable[Any]]] = field(default_factory=dict, repr=False)
    secrets: Callable[[], Sequence[str]] = field(default=tuple, repr=False)
    pace: Pace = field(default_factory=Pace)
    queues: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._told_to_stop = asyncio.Event()

    @property
    def served(self) -> list[str]:
        """The queues it takes from: those of its functions, or those of them it was given."""
        known = sorted({function.queue for function in self.functions})
        return [queue for queue in known if queue in self.queues or not self.queues]

    def stop(self) -> None:
        """Take no further job; the one in hand may end, within the grace."""
        self._told_to_stop.set()

    async def run(self) -> None:
        """Work until told to stop, also after the database was away."""
        _log.info("serves %s", ", ".join(self.served))
        while not self._told_to_stop.is_set():
            try:
                await self._work(wait=True)
            except (exceptions.ConnectorException, psycopg.Error) as error:
                _log.error("lost the database, tries again: %s", self._line_of(error))
            await self._pause(self.pace.reconnect)
        _log.info("stopped")

    async def run_once(self) -> None:
        """Work until no job is left whose moment has come."""
        try:
            await self._work(wait=False)
        except (exceptions.ConnectorException, psycopg.Error) as error:
            raise DatabaseUnreachable(
                f"The database was lost: {self._line_of(error)}.",
                hint="The jobs it could not end will be run again.",
            ) from error

    async def _work(self, *, wait: bool) -> None:
        connector = Connector(self.url, self.pace)
        jobs = Jobs(connector)
        app = procrastinate.App(connector=connector)
        app.job_manager = jobs
        app.tasks = _Tasks(app, self)
        async with app.open_async():
            await jobs.take_up_abandoned(self.pace)
            await self._take_jobs(self._taker(app, jobs, wait=wait), jobs)

    def _taker(self, app: procrastinate.App, jobs: Jobs, *, wait: bool) -> Taker:
        async def account(
            call_next: Callable[[], Awaitable[Any]], context: JobContext, _: Taker
        ) -> None:
            await self._account(call_next, context, jobs)

        return Taker(
            app,
            queues=self.served,
            wait=wait,
            fetch_job_polling_interval=self.pace.poll,
            abort_job_polling_interval=self.pace.poll,
            shutdown_graceful_timeout=self.pace.grace,
            install_signal_handlers=False,
            update_heartbeat_interval=self.pace.heartbeat,
            stalled_worker_timeout=self.pace.stalled_after,
            worker_middleware=[account],
        )

    async def _take_jobs(self, taker: Taker, jobs: Jobs) -> None:
        """Run the taker until it ends, is told to, or what it stands on breaks."""
        taking = asyncio.create_task(taker.run())  # type: ignore[no-untyped-call]
        others = [
            asyncio.create_task(self._told_to_stop.wait()),
            asyncio.create_task(jobs.lost.wait()),
            asyncio.create_task(self._look_after(taker, jobs)),
        ]
        await asyncio.wait([taking, *others], return_when=asyncio.FIRST_COMPLETED)
        taker.stop()  # type: ignore[no-untyped-call]
        try:
            await taking
        finally:
            for other in others:
                other.cancel()
            endings = await asyncio.gather(*others, return_exceptions=True)
        for ending in endings:
            if isinstance(ending, Exception):
                raise ending
        if jobs.lost.is_set():
            raise exceptions.ConnectorException("the end of a job could not be written")

    async def _look_after(self, taker: Taker, jobs: Jobs) -> None:
        """Show that this worker lives, and take up what others left in the middle.

        Procrastinate's own heartbeat ends without a word when the database is away.
        """
        loop = asyncio.get_running_loop()
        next_sweep = loop.time()
        while True:
            await asyncio.sleep(self.pace.heartbeat)
            if taker.worker_id is not None:
                await jobs.update_heartbeat(taker.worker_id)
            await jobs.take_up_abandoned(self.pace)
            if loop.time() >= next_sweep:
                await jobs.sweep()
                next_sweep = loop.time() + self.pace.sweep

    async def _account(
        self, call_next: Callable[[], Awaitable[Any]], context: JobContext, jobs: Jobs
    ) -> None:
        """Run one job, and say how it went."""
        job = context.job
        _log.info("%s %s begins", job.task_name, job.id)
        try:
            await self._call(call_next, context)
        except asyncio.CancelledError:
            if context.abort_reason() is AbortReason.USER_REQUEST:
                _log.info("%s %s was cancelled", job.task_name, job.id)
                raise exceptions.JobAborted from None
            _log.warning("%s %s had no time to end, and will begin again", job.task_name, job.id)
            raise
        except (Exception, SystemExit) as error:
            line = self._line_of(error)
            _log.error("%s %s failed: %s", job.task_name, job.id, line)
            await jobs.note_failure(job, line)
            raise
        _log.info("%s %s is done", job.task_name, job.id)

    async def _call(self, call_next: Callable[[], Awaitable[Any]], context: JobContext) -> None:
        try:
            async with asyncio.timeout(self.pace.longest_job) as limit:
                await call_next()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise JobFailed(f"It took longer than {self.pace.longest_job:g} s.") from error
        except asyncio.CancelledError as error:
            if context.abort_reason():
                raise
            raise JobFailed("It cancelled itself.") from error

    def _line_of(self, error: BaseException) -> str:
        return redaction.line_of(error, folder=self.folder, secrets=(self.url, *self.secrets()))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told_to_stop.wait(), seconds)


class _Tasks(dict[str, Task[Any, Any, Any]]):
    """The functions as Procrastinate knows them; one that is missing fails when it is run.

    It may come with the next deployment, so its jobs are tried again like any other.
    """

    def __init__(self, app: procrastinate.App, worker: Worker) -> None:
        super().__init__()
        self._app = app
        self._retry = _Retries(worker.pace)
        for function in worker.functions:
            self[function.name] = self._task(function, worker)

    def get(self, name: str, _default: object = None) -> Task[Any, Any, Any]:
        """The task of this name, or one that says it is missing."""
        return self[name] if name in self else self._missing(name)

    def _task(self, function: Function, worker: Worker) -> Task[Any, Any, Any]:
        async def run(context: JobContext, /, **_arguments: Any) -> None:
            await function.run(context.job.task_kwargs, worker.world)

        return self._named(function.name, run)

    def _missing(self, name: str) -> Task[Any, Any, Any]:
        async def run(_context: JobContext, /, **_arguments: Any) -> None:
            raise JobFailed(f"functions/ has no {name.replace('-', '_')}.py.")

        return self._named(name, run)

    def _named(self, name: str, run: Callable[..., Awaitable[None]]) -> Task[Any, Any, Any]:
        return Task(
            run,
            blueprint=self._app,
            name=name,
            retry=self._retry,
            pass_context=True,
            queue=DEFAULT_QUEUE,  # of jobs queued from Python, which nobody does
        )


class _Retries(BaseRetryStrategy):
    """Try again after ever longer pauses, so many times; what cannot help is not tried."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_at=utils.utcnow())  # the worker was told to stop
        failures = job.attempts + 1
        if isinstance(exception, InvalidArguments) or failures >= self._pace.attempts:
            return None
        pause = timedelta(seconds=self._pace.pause(failures))
        return RetryDecision(retry_at=utils.utcnow() + pause)

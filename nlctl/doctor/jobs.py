"""Jobs: whether the queue is worked off, and what was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.doctor.findings import Finding, error, ok, warning
from nlctl.errors import NlctlError
from nlctl.queue import functions, schema, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from nlctl.project import Project
    from nlctl.queue.status import Overview

CHECK = "queue"
LONGEST_WAIT = 15 * 60


def check(project: Project, connection: Connection) -> Iterator[Finding]:
    """How the job queue stands, where the database has one."""
    if not schema.exists(connection):
        return
    try:
        served = {function.queue for function in functions.find(project.functions)}
    except NlctlError as failure:
        yield error(CHECK, failure.message, failure.hint or "No worker starts before it is mended.")
        return
    yield from judge(status.look(connection), served)


def judge(found: Overview, served: set[str]) -> Iterator[Finding]:
    """What the counts ask for; queues without a function wait for one, and may."""
    problems = [*_failed(found), *_stalled(found), *_waiting(found, served)]
    yield from problems or [ok(CHECK, "No job failed, none waits for long.")]


def _failed(found: Overview) -> Iterator[Finding]:
    if found.failed:
        last = found.failures[0]
        yield warning(
            CHECK,
            f"Jobs given up: {found.failed}; the last, {last.task} {last.id}: {last.error}",
            "See nlctl queue status, mend the cause, then: nlctl queue retry --failed",
        )


def _stalled(found: Overview) -> Iterator[Finding]:
    stalled = sum(queue.stalled for queue in found.queues)
    if stalled and not found.workers:
        yield error(
            CHECK,
            f"Jobs left in the middle: {stalled}, and no worker is there to take them up.",
            "Run: nlctl worker run",
        )


def _waiting(found: Overview, served: set[str]) -> Iterator[Finding]:
    for queue in found.queues:
        if queue.name in served and queue.waits_seconds > LONGEST_WAIT:
            minutes = queue.waits_seconds // 60
            yield error(
                CHECK,
                f"{queue.waiting} jobs of {queue.name} wait, the oldest for {minutes} minutes.",
                "Run nlctl worker run, or more of it: --processes."
                if found.workers
                else "No worker is there. Run: nlctl worker run",
            )

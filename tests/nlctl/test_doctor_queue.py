"""nlctl doctor and the job queue: what failed, what hangs, what waits for too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nlctl.doctor import Status, jobs
from nlctl.queue.status import Failed, Overview, Queue

CALM = Queue(
    "mail", waiting=2, later=0, running=0, stalled=0, failed=0, done=5, oldest_waiting=None
)
FAILURE = Failed(7, "mail", "send-letter", 12, None, "No such mailbox.")


def judge(queue: Queue, workers: int = 1) -> list[tuple[Status, str]]:
    overview = Overview(workers, [queue], [FAILURE] if queue.failed else [])
    return [(found.status, found.message) for found in jobs.judge(overview, {"mail"})]


def test_a_queue_that_moves_is_fine() -> None:
    assert judge(CALM) == [(Status.OK, "No job failed, none waits for long.")]


def test_jobs_that_were_given_up_are_told() -> None:
    [(status, message)] = judge(replace(CALM, failed=3))

    assert status is Status.WARNING
    assert message.endswith("Jobs given up: 3; the last, send-letter 7: No such mailbox.")


@pytest.mark.parametrize(("workers", "status"), [(0, Status.ERROR), (1, Status.OK)])
def test_jobs_left_in_the_middle_want_a_worker(workers: int, status: Status) -> None:
    [(found, _)] = judge(replace(CALM, stalled=1), workers)

    assert found is status


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def test_jobs_that_wait_for_long_are_told() -> None:
    [(status, message)] = judge(replace(CALM, oldest_waiting=an_hour_ago()), workers=0)

    assert (status, message) == (Status.ERROR, "2 jobs of mail wait, the oldest for 60 minutes.")


def test_jobs_whose_function_is_still_to_come_may_wait() -> None:
    [(status, _)] = judge(replace(CALM, name="later", oldest_waiting=an_hour_ago()))

    assert status is Status.OK

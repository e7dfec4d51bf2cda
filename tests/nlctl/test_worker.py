"""The worker: what it takes, how often it tries, and what it leaves when it stops or dies."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nlctl.errors import DatabaseUnreachable
from tests import jobs
from tests.jobs import DEAF, QUICK, Works

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Database

LISTENS = """
select 1 from pg_stat_activity
where datname = current_database() and application_name = 'nlctl worker' and query ~ 'LISTEN'
  and state = 'idle'
"""
FOREVER = "never written"


@pytest.fixture
def works(tmp_path: Path, database: Database) -> Works:
    """A project with worker functions, and a database of the product."""
    return jobs.open_at(tmp_path, database)


def test_a_queued_job_is_run_with_its_arguments(works: Works) -> None:
    job = works.enqueue("tell", {"said": "été"})
    works.work()

    assert (works.heard, works.state(job)) == (["été"], "succeeded")


def test_a_job_is_heard_of_when_it_is_committed(works: Works) -> None:
    async def hear() -> None:
        async with jobs.running(works.worker(DEAF)):
            await jobs.until(lambda: bool(works.database.run(LISTENS)))
            works.enqueue("tell", {"said": "now"})
            await jobs.until(lambda: works.heard == ["now"])

    asyncio.run(hear())


def test_a_job_waits_for_its_moment(works: Works) -> None:
    job = works.enqueue("tell", {"said": "later"}, p_run_at="2100-01-01T00:00Z")
    works.work()

    assert (works.heard, works.state(job)) == ([], "todo")


def test_jobs_of_queues_without_functions_wait(works: Works) -> None:
    job = works.enqueue("send-letter", queue="mail")
    works.work()

    assert works.state(job) == "todo"


def test_a_worker_of_some_queues_leaves_the_others(works: Works) -> None:
    works.write("other", jobs.TELL.replace('"tests"', '"others"'))
    mine, other = works.enqueue("tell", {"said": "mine"}), works.enqueue("other", queue="others")
    asyncio.run(works.worker(queues=["tests"]).run_once())

    assert (works.state(mine), works.state(other)) == ("succeeded", "todo")


def test_a_failing_job_is_tried_again_and_then_given_up(works: Works) -> None:
    job = works.enqueue("fail", {"reason": "no luck"})
    works.work()

    assert works.state(job) == "failed"
    assert works.failures(job) == ["RuntimeError: no luck (functions/fail.py:10)"] * QUICK.attempts


def test_a_failed_job_pauses_before_it_is_tried_again(works: Works) -> None:
    job = works.enqueue("fail", {"reason": "no luck"})
    works.work(replace(QUICK, first_pause=3600, longest_pause=3600))

    assert (works.state(job), len(works.failures(job))) == ("todo", 1)


def test_arguments_that_do_not_fit_fail_at_once(works: Works) -> None:
    job = works.enqueue("tell", {"sad": "private"})
    works.work()

    assert works.state(job) == "failed"
    assert works.failures(job) == ["The arguments do not fit: said: Field required."]


def test_a_job_whose_function_is_missing_is_tried_again(works: Works) -> None:
    job = works.enqueue("no-such-thing")
    works.work(replace(QUICK, first_pause=3600, longest_pause=3600))

    assert works.state(job) == "todo"
    assert works.failures(job) == ["functions/ has no no_such_thing.py."]


def test_a_job_that_does_not_end_has_failed(works: Works, tmp_path: Path) -> None:
    job = works.enqueue("write", waiting(tmp_path / "lines", tmp_path / FOREVER))
    works.work(replace(QUICK, attempts=1, longest_job=0.05))

    assert works.failures(job) == ["It took longer than 0.05 s."]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("raise asyncio.CancelledError", "It cancelled itself."),
        ("sys.exit('enough')", "SystemExit: enough (functions/odd.py:11)"),
        ("raise TimeoutError('too slow')", "TimeoutError: too slow (functions/odd.py:11)"),
    ],
)
def test_a_function_that_ends_oddly_has_failed(works: Works, act: str, reason: str) -> None:
    works.write("odd", ODD.format(act=act))
    job = works.enqueue("odd")
    works.work(replace(QUICK, attempts=1))

    assert (works.state(job), works.failures(job)) == ("failed", [reason])


ODD = """
import asyncio, sys
from pydantic import BaseModel

QUEUE = "tests"

class Nothing(BaseModel):
    pass

async def handle(nothing: Nothing) -> None:
    {act}
"""


def test_a_lost_database_ends_a_single_run_in_one_line(works: Works) -> None:
    works.enqueue("tell", {"said": "x"})
    works.database.run(REFUSE_ENDS)

    with pytest.raises(DatabaseUnreachable, match="could not be written"):
        works.work()


def test_secrets_are_kept_out_of_reasons(works: Works) -> None:
    reason = f"{works.database.url} refused sb_secret_abc for hunter2"
    job = works.enqueue("fail", {"reason": reason})
    worker = works.worker(replace(QUICK, attempts=1), secrets=lambda: ["hunter2"])
    asyncio.run(worker.run_once())

    [kept] = works.failures(job)
    assert "postgres:postgres" not in kept
    assert "sb_secret_abc" not in kept
    assert "hunter2" not in kept


def test_a_job_whose_work_was_queued_again_is_not_tried_again(works: Works) -> None:
    works.write("again", AGAIN)
    job = works.enqueue("again", {"url": works.database.url}, p_dedupe_key="same")
    works.work(replace(QUICK, attempts=2))

    assert works.state(job) == "aborted"
    assert works.failures(job)[-1] == "The same work waits in another job."


AGAIN = """
import psycopg
from pydantic import BaseModel

QUEUE = "tests"

class Where(BaseModel):
    url: str

async def handle(where: Where) -> None:
    async with await psycopg.AsyncConnection.connect(where.url) as connection:
        await connection.execute(
            "select app.enqueue('tell', '{\\"said\\": \\"x\\"}', 'others', p_dedupe_key => 'same')")
    raise RuntimeError("after all")
"""


def test_a_job_that_runs_can_be_cancelled(works: Works, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    job = works.enqueue("write", waiting(lines, tmp_path / FOREVER))

    async def cancel() -> None:
        async with jobs.running(works.worker()):
            await jobs.until(lines.exists)
            works.database.run(
                "select procrastinate.procrastinate_cancel_job_v1(%s, true, false)", (job,)
            )
            await jobs.until(lambda: works.state(job) == "aborted")

    asyncio.run(cancel())


def test_the_job_of_a_worker_that_lives_is_left_to_it(works: Works, tmp_path: Path) -> None:
    lines, go = tmp_path / "lines", tmp_path / "go"
    job = works.enqueue("write", waiting(lines, go))

    async def look_on() -> None:
        async with jobs.running(works.worker()):
            await jobs.until(lines.exists)
            await works.worker().run_once()
            go.touch()
            await jobs.until(lambda: works.state(job) == "succeeded")

    asyncio.run(look_on())

    assert (lines.read_text(), works.failures(job)) == ("begun\n", [])


def test_a_stopping_worker_gives_up_what_takes_too_long(works: Works, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    job = works.enqueue("write", waiting(lines, tmp_path / FOREVER))

    async def stop() -> None:
        async with jobs.running(works.worker(replace(QUICK, grace=0.05))):
            await jobs.until(lines.exists)

    asyncio.run(stop())

    assert (works.state(job), works.failures(job)) == ("todo", [])


def test_a_worker_outlives_the_connections_it_lost(works: Works) -> None:
    async def lose() -> None:
        async with jobs.running(works.worker()):
            job = works.enqueue("tell", {"said": "before"})
            await jobs.until(lambda: works.state(job) == "succeeded")
            works.database.run(CUT)
            works.enqueue("tell", {"said": "after"})
            await jobs.until(lambda: works.heard == ["before", "after"])

    asyncio.run(lose())


CUT = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and application_name = 'nlctl worker'
"""


def test_a_job_whose_end_could_not_be_written_is_run_again(works: Works, tmp_path: Path) -> None:
    lines, go = tmp_path / "lines", tmp_path / "go"
    job = works.enqueue("write", waiting(lines, go))

    async def lose() -> None:
        async with jobs.running(works.worker()):
            await jobs.until(lines.exists)
            works.database.run(REFUSE_ENDS)
            go.touch()
            await jobs.until(lambda: not works.database.run(REGISTERED, (job,)))
            works.database.run(ALLOW_ENDS)
            await jobs.until(lambda: works.state(job) == "succeeded")

    asyncio.run(lose())

    assert works.failures(job) == ["Its worker ended before it did."]


REFUSE_ENDS = """
alter table procrastinate.procrastinate_jobs
add constraint nothing_ends check (status <> 'succeeded') not valid
"""
ALLOW_ENDS = "alter table procrastinate.procrastinate_jobs drop constraint nothing_ends"
REGISTERED = """
select 1 from procrastinate.procrastinate_jobs where id = %s and worker_id is not null
and status = 'doing' and attempts = 0
"""


def waiting(lines: Path, until: Path) -> dict[str, str]:
    """Arguments of a job that goes on until a file is there."""
    return {"path": str(lines), "text": "begun", "until": str(until)}

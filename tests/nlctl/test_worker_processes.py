"""Worker processes: killed, told to stop, several at once, and left alone by who started them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from nlctl.project import Project
from nlctl.queue.crew import Crew
from nlctl.queue.order import Order
from tests import jobs
from tests.local.asking import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Database
    from tests.jobs import Works

PATIENCE_SECONDS = 30
MANY = 200
UNFINISHED = """
select count(*) from procrastinate.procrastinate_jobs where status <> 'succeeded'
"""


@pytest.fixture
def works(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Works:
    """A project with worker functions, and a database of the product."""
    made = jobs.open_at(tmp_path, database)
    for variable, value in made.environment().items():
        monkeypatch.setenv(variable, value)
    return made


def test_two_processes_run_no_job_twice(works: Works, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    works.database.run(
        "select app.enqueue('write', json_build_object('path', %s::text, 'text', n::text)::jsonb, "
        "'tests') from generate_series(1, %s) as n",
        (str(lines), MANY),
    )
    done = works.nlctl("worker", "run", "--once", "--processes", "2", "--json")

    assert (done.returncode, json.loads(done.stdout)) == (0, {"stopped": True})
    ran = [int(line) for line in lines.read_text().split()]
    assert sorted(ran) == list(range(1, MANY + 1))
    assert works.database.run(UNFINISHED) == [(0,)]


def test_the_job_of_a_killed_worker_is_run_once_more(works: Works, tmp_path: Path) -> None:
    lines, go = tmp_path / "lines", tmp_path / "go"
    job = works.enqueue("write", {"path": str(lines), "text": "begun", "until": str(go)})
    with works.process() as process:
        assert eventually(lines.exists)
        process.kill()
    go.touch()
    works.let_time_pass()

    async def take_up() -> None:
        async with jobs.running(works.worker()), jobs.running(works.worker()):
            await jobs.until(lambda: works.state(job) == "succeeded")

    asyncio.run(take_up())

    assert lines.read_text().split() == ["begun", "begun"]
    assert works.failures(job) == ["Its worker ended before it did."]


def test_a_job_that_kills_its_workers_is_given_up(works: Works) -> None:
    works.write("deadly", DEADLY)
    job = works.enqueue("deadly")
    works.database.run("update procrastinate.procrastinate_jobs set attempts = 2")
    with works.process() as process:
        process.wait(PATIENCE_SECONDS)
    works.let_time_pass()

    async def take_up() -> None:
        async with jobs.running(works.worker()):
            await jobs.until(lambda: works.state(job) != "doing")

    asyncio.run(take_up())

    assert works.state(job) == "failed"


DEADLY = """
import os
from pydantic import BaseModel

QUEUE = "tests"

class Nothing(BaseModel):
    pass

async def handle(nothing: Nothing) -> None:
    os._exit(9)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_ends_the_job_in_hand(
    works: Works, tmp_path: Path, number: signal.Signals
) -> None:
    lines, go = tmp_path / "lines", tmp_path / "go"
    begun = {"path": str(lines), "text": "begun", "until": str(go)}
    first, second = works.enqueue("write", begun), works.enqueue("write", begun)
    with works.process() as process:
        assert eventually(lines.exists)
        process.send_signal(number)
        go.touch()
        code = process.wait(PATIENCE_SECONDS)

    assert (code, works.state(first), works.state(second)) == (0, "succeeded", "todo")


def test_a_worker_ends_with_the_process_that_watches_it(works: Works) -> None:
    with works.process("--watched") as process:
        assert eventually(works.is_served)
        assert process.stdin
        process.stdin.close()

        assert process.wait(PATIENCE_SECONDS) == 0


def test_a_blocked_worker_ends_all_the_same(works: Works, tmp_path: Path) -> None:
    works.write("block", BLOCK)
    begun = tmp_path / "begun"
    works.enqueue("block", {"path": str(begun)})
    with works.process("--watched", "--grace", "0") as process:
        assert eventually(begun.exists)
        assert process.stdin
        process.stdin.close()

        assert process.wait(PATIENCE_SECONDS) == 1


BLOCK = """
import time
from pathlib import Path
from pydantic import BaseModel

QUEUE = "tests"

class Where(BaseModel):
    path: Path

async def handle(where: Where) -> None:
    where.path.touch()
    time.sleep(3600)
"""


def test_a_member_of_a_crew_that_dies_is_replaced(works: Works) -> None:
    crew = Crew(Project(works.root), Order(grace=1), first_pause=0.05)
    crew.start()
    try:
        assert eventually(works.is_served)
        [first] = members(works)
        first.kill()
        assert eventually(lambda: members(works) not in ([], [first]))
    finally:
        crew.stop()

    assert members(works) == []


def test_a_changed_function_is_read_again(works: Works) -> None:
    crew = Crew(Project(works.root), Order(grace=1, reload=True), first_pause=0.05)
    crew.start()
    try:
        assert eventually(works.is_served)
        works.write("late", jobs.WRITE.replace('"tests"', '"late"'))
        lines = works.root / "lines"
        works.enqueue("late", {"path": str(lines), "text": "read"}, queue="late")
        assert eventually(lines.exists)
    finally:
        crew.stop()


def members(works: Works) -> list[psutil.Process]:
    """The workers that this process has started for these works, and that live."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and str(works.root) in child.cmdline()
    ]


def test_the_command_runs_what_waits(works: Works) -> None:
    job = works.enqueue("fail", {"sad": 1})
    done = works.nlctl("worker", "run", "--once")

    assert (done.returncode, works.state(job)) == (0, "failed")
    assert f"worker ERROR fail {job} failed: The arguments do not fit" in done.stderr


def test_a_queue_that_nobody_serves_is_refused(works: Works) -> None:
    refused = works.nlctl("worker", "run", "--queue", "mail")

    assert refused.returncode == 2
    assert refused.stderr == "error: No function serves the queue mail. Served: tests.\n"

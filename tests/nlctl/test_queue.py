"""nlctl queue: what waits, what failed and why; trying again and letting go."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.queue import status
from tests import jobs
from tests.terminals import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Database
    from tests.jobs import Works
    from tests.terminals import Answer

NOT_YET = "2100-01-01T00:00Z"


@pytest.fixture
def works(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Works:
    """A project with worker functions, and a database of the product."""
    made = jobs.open_at(tmp_path, database)
    for variable, value in made.environment().items():
        monkeypatch.setenv(variable, value)
    return made


def type_in(works: Works, *words: str) -> Answer:
    return Terminal(works.root).type("queue", *words)


def fail(works: Works, **more: Any) -> int:
    """A job that was given up."""
    job = works.enqueue("fail", {"sad": 1}, **more)
    works.work()
    return job


def test_an_empty_queue_is_healthy(works: Works) -> None:
    answer = type_in(works, "status")

    assert (answer.exit_code, answer.out) == (0, "No job was queued.\nWorkers: 0.\n")


def test_status_counts_jobs_and_tells_why_some_failed(works: Works) -> None:
    works.enqueue("tell", {"said": "x"})
    job = fail(works)
    works.enqueue("tell", {"said": "x"})
    works.enqueue("tell", {"said": "x"}, p_run_at=NOT_YET)
    answer = type_in(works, "status", "--json")

    [queue] = answer.document["queues"]
    [failure] = answer.document["failures"]
    counts = {name: queue[name] for name in ("waiting", "later", "running", "failed", "done")}
    assert answer.exit_code == 1
    assert counts == {"waiting": 1, "later": 1, "running": 0, "failed": 1, "done": 1}
    assert (failure["id"], failure["task"], failure["attempts"]) == (job, "fail", 1)
    assert failure["error"] == "The arguments do not fit: reason: Field required."


def test_status_reads_well(works: Works) -> None:
    job = fail(works)
    answer = type_in(works, "status")

    assert re.search(r"^tests +0 +0 +0 +0 +1 +0$", answer.out, re.MULTILINE)
    assert f"Workers: 0.\n{job} fail was given up: The arguments do not fit" in answer.out


def test_a_job_without_a_worker_counts_as_stalled(works: Works) -> None:
    works.enqueue("tell", {"said": "x"})
    works.database.run("update procrastinate.procrastinate_jobs set status = 'doing'")

    [queue] = status.read(works.database.url).queues
    assert (queue.running, queue.stalled) == (1, 1)


def test_failed_jobs_can_be_tried_again_from_the_first_attempt(works: Works) -> None:
    job = fail(works)
    works.write("fail", jobs.TELL.replace("said: str", "sad: int").replace(".said", ".sad"))
    answer = type_in(works, "retry", "--failed", "--json")
    works.work()

    assert answer.document == {"queued": [job], "left": []}
    assert (works.state(job), len(works.failures(job))) == ("succeeded", 1)


def test_a_job_that_fails_again_keeps_every_reason(works: Works) -> None:
    job = fail(works)
    assert type_in(works, "retry", str(job)).out == "Jobs that wait again: 1.\n"
    works.work()

    assert (works.state(job), len(works.failures(job))) == ("failed", 2)


def test_work_that_waits_already_is_not_queued_again(works: Works) -> None:
    job = fail(works, p_dedupe_key="same")
    works.enqueue("tell", {"said": "x"}, p_dedupe_key="same")
    answer = type_in(works, "retry", str(job))

    assert (answer.exit_code, works.state(job)) == (1, "failed")
    assert answer.err == f"Left as they are: {job}.\n"


def test_of_several_of_the_same_work_the_newest_goes(works: Works) -> None:
    older, newer = fail(works, p_dedupe_key="same"), fail(works, p_dedupe_key="same")

    assert status.retry(works.database.url) == [newer]
    assert works.state(older) == "failed"


@pytest.mark.parametrize("words", [[], ["--failed", "1"]])
def test_retry_wants_to_know_which(works: Works, words: list[str]) -> None:
    assert type_in(works, "retry", *words).exit_code == 2


def test_jobs_that_wait_or_failed_can_be_let_go(works: Works) -> None:
    failed, waiting = fail(works), works.enqueue("tell", {"said": "x"})
    answer = type_in(works, "cancel", str(failed), str(waiting), "--yes")
    works.work()

    assert answer.out == f"{failed}: cancelled.\n{waiting}: cancelled.\n"
    assert {works.state(failed), works.state(waiting)} == {"cancelled"}


def test_a_job_that_ended_cannot_be_let_go(works: Works) -> None:
    job = works.enqueue("tell", {"said": "x"})
    works.work()
    answer = type_in(works, "cancel", str(job), "--yes", "--json")

    assert (answer.exit_code, answer.document) == (1, {"jobs": {}, "left": [job]})


def test_a_job_that_runs_is_asked_to_stop(works: Works) -> None:
    job = works.enqueue("tell", {"said": "x"})
    works.database.run("update procrastinate.procrastinate_jobs set status = 'doing'")

    assert status.cancel(works.database.url, [job]) == {job: "asked to stop"}


def test_letting_go_asks_first(works: Works) -> None:
    job = works.enqueue("tell", {"said": "x"})
    answer = type_in(works, "cancel", str(job))

    assert (answer.exit_code, works.state(job)) == (2, "todo")


def test_a_database_without_a_queue_says_so(
    works: Works, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLCTL_SCRATCH_DATABASE_URL", empty_database.url)
    answer = type_in(works, "status", "--json")

    assert answer.exit_code == 1
    assert json.loads(answer.err)["error"]["hint"] == "Run: nlctl migrate up"


def test_what_ended_long_ago_is_forgotten(works: Works) -> None:
    done, failed = works.enqueue("tell", {"said": "x"}), fail(works)
    works.database.run("update procrastinate.procrastinate_events set at = now() - interval '8 d'")
    recent = works.enqueue("tell", {"said": "x"})
    works.work()
    works.sweep()

    left = works.database.run("select id from procrastinate.procrastinate_jobs order by id")
    assert done not in (failed, recent)
    assert left == [(failed,), (recent,)]

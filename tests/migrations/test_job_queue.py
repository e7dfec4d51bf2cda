"""app.enqueue: jobs come and go with the data of their transaction, and none is queued twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

CALLERS = 16
JOBS = """
select task_name, args, queue_name, scheduled_at is not null
from procrastinate.procrastinate_jobs order by id
"""


def test_a_job_is_queued_with_its_arguments(database: Database) -> None:
    database.run("select app.enqueue('greet', '{\"name\": \"Ada\"}')")

    assert database.run(JOBS) == [("greet", {"name": "Ada"}, "default", False)]


def test_a_job_goes_with_the_transaction_that_is_undone(database: Database) -> None:
    with database.connect(autocommit=False) as connection:
        connection.execute("select app.enqueue('greet')")
        connection.rollback()

    assert database.run(JOBS) == []


def test_a_job_may_wait_for_its_moment(database: Database) -> None:
    database.run("select app.enqueue('greet', p_queue => 'mail', p_run_at => '2100-01-01')")

    assert database.run(JOBS) == [("greet", {}, "mail", True)]


def test_arguments_are_an_object(database: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        database.run("select app.enqueue('greet', '[1]')")


def test_work_that_waits_already_is_not_queued_again(database: Database) -> None:
    queue = "select app.enqueue('greet', p_dedupe_key => %s)"
    first, again, other = (database.run(queue, (key,)) for key in ("a", "a", "b"))

    assert first == again != other


def test_many_at_once_queue_one_job(database: Database) -> None:
    together = threading.Barrier(CALLERS)

    def queue(_: int) -> int:
        with database.connect(autocommit=False) as connection:
            together.wait()
            row = connection.execute("select app.enqueue('greet', p_dedupe_key => 'a')").fetchone()
        return int(row[0]) if row else 0

    with ThreadPoolExecutor(CALLERS) as pool:
        jobs = set(pool.map(queue, range(CALLERS)))

    assert len(jobs) == len(database.run(JOBS)) == 1


def test_work_that_runs_already_may_be_queued_again(database: Database) -> None:
    queue = "select app.enqueue('greet', p_dedupe_key => 'a')"
    first = database.run(queue)
    database.run("update procrastinate.procrastinate_jobs set status = 'doing'")

    assert database.run(queue) != first


@pytest.mark.parametrize("kind", ["client", "admin", "owner"])
def test_people_queue_nothing_by_themselves(person: MakePerson, kind: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        person(kind).run("select app.enqueue('greet')")


def test_servers_queue_work(database: Database, server: Person) -> None:
    server.run("select app.enqueue('greet')")

    assert len(database.run(JOBS)) == 1


@pytest.mark.parametrize("table", ["app.job_failures", "procrastinate.procrastinate_jobs"])
def test_nobody_but_the_owner_reads_jobs(server: Person, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.run(f"select * from {table}")


def test_a_submitted_form_leaves_a_letter_to_the_mail_queue(
    database: Database, person: MakePerson
) -> None:
    database.run("update public.training_onboarding_questions set is_required = false")
    ada = person()
    ada.rpc("submit_training_onboarding", p_answers={})

    [(task, arguments, queue, _)] = database.run(JOBS)
    assert (task, queue) == ("notify-training-onboarding", "mail")
    assert (arguments["user_id"], arguments["is_first"]) == (ada.id, True)

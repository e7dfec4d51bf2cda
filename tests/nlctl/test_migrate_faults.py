"""Migrations under fire: every file is wholly applied and recorded, or not at all."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.errors import DatabaseUnreachable, MigrationFailed, MigrationsBusy
from nlctl.migrations import lock, runner
from nlctl.migrations.runner import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from tests.workshops import Workshop

RUNNERS = 16
PATIENCE = 60.0  # how long a test waits for what must happen; reached only when it never does
LEDGER = "create table if not exists public.ledger (version int);"
BUSY = "create table public.busy (id int);"
NO_TRANSACTION = "-- nlctl: no-transaction\n"
SLEEPERS = """
select pid from pg_stat_activity
where state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()
  and datname = current_database()
"""
CHILD = """
import sys
from pathlib import Path
from nlctl.migrations import runner

def report(applied):
    print(applied.version, flush=True)

runner.up(sys.argv[1], Path(sys.argv[2]), "workshop", report=report)
"""
BOOKS = """
select
  (select coalesce(array_agg(version::int order by version::int), '{}')
   from supabase_migrations.schema_migrations),
  (select coalesce(array_agg(version::int order by version::int), '{}')
   from nlctl.migrations where state = 'applied'),
  (select coalesce(array_agg(version order by version), '{}') from public.ledger)
"""


def write_ledger_entries(workshop: Workshop, count: int) -> None:
    """Files that each leave a line in a ledger: applied twice, they would leave two."""
    for version in range(1, count + 1):
        workshop.write(
            version,
            f"create table public.t{version} (id int);\n"
            f"insert into public.ledger values ({version});",
        )


def books(workshop: Workshop) -> Any:
    """Versions in the history, in our table and in the ledger, at one instant."""
    return workshop.database.run(BOOKS)[0]


def wait_for(truth: Callable[[], Any]) -> Any:
    """What `truth` answers once it is true."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := truth()):
        assert time.monotonic() < deadline, "what the test waits for never happened"
        time.sleep(0.01)
    return answer


# Sixteen runners


@pytest.mark.parametrize("_round", range(8))
def test_sixteen_runners_apply_each_file_once(workshop: Workshop, _round: int) -> None:
    workshop.database.run(LEDGER)
    write_ledger_entries(workshop, 3)
    start = threading.Barrier(RUNNERS)

    def run(_: int) -> int:
        start.wait()
        return len(workshop.up().applied)

    with ThreadPoolExecutor(RUNNERS) as pool:
        applied = list(pool.map(run, range(RUNNERS)))
    assert (sum(applied), books(workshop)) == (3, ([1, 2, 3], [1, 2, 3], [1, 2, 3]))


@pytest.mark.parametrize("_round", range(2))
def test_sixteen_processes_all_succeed(workshop: Workshop, _round: int) -> None:
    workshop.database.run(LEDGER)
    write_ledger_entries(workshop, 3)
    # Waiting runners must not stand in its way: it waits for every older snapshot.
    workshop.write(4, f"{NO_TRANSACTION}create index concurrently t1_idx on public.t1 (id);")
    processes = [workshop.start("up") for _ in range(RUNNERS)]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * RUNNERS, answers
    assert books(workshop) == ([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3])


def test_a_runner_that_waits_too_long_names_the_holder(workshop: Workshop) -> None:
    workshop.write(1, BUSY)
    with workshop.database.connect() as holder:
        holder.execute("set application_name = 'somebody else'")
        with lock.held(holder, 1, print), pytest.raises(MigrationsBusy) as refusal:
            workshop.up(lock_timeout=0.1)
        assert f"process {holder.info.backend_pid} (somebody else" in refusal.value.message


# Clients that die


def test_fifty_killed_clients_leave_each_file_whole(workshop: Workshop) -> None:
    workshop.database.run(LEDGER)
    written = 300
    write_ledger_entries(workshop, written)
    workshop.up(to="1")
    chance = random.Random(1)
    for _ in range(50):
        kill_while_it_applies(workshop, chance)
        history, ours, ledger = books(workshop)
        assert history == ours == ledger
        if len(ledger) > written - 200:
            written += 200
            write_ledger_entries(workshop, written)
    assert 50 < len(ledger) < written  # each was killed on its way


def test_the_next_runner_finishes_what_a_killed_client_began(workshop: Workshop) -> None:
    workshop.database.run(LEDGER)
    write_ledger_entries(workshop, 20)
    kill_while_it_applies(workshop, random.Random(2))
    workshop.up()
    everything = list(range(1, 21))
    assert books(workshop) == (everything, everything, everything)


def kill_while_it_applies(workshop: Workshop, chance: random.Random) -> None:
    """Start a runner and kill it somewhere behind its first few files."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, workshop.database.url, str(workshop.folder)],
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout
        for _ in range(chance.randint(1, 4)):
            child.stdout.readline()
        time.sleep(chance.uniform(0, 0.006))
        child.kill()


def test_a_file_without_transaction_whose_client_was_killed_is_not_run_again(
    workshop: Workshop,
) -> None:
    workshop.write(1, f"{NO_TRANSACTION}select pg_sleep(60);")
    process = workshop.start("up")
    wait_for(lambda: workshop.ask(SLEEPERS))
    process.kill()
    process.communicate()
    with pytest.raises(MigrationFailed, match="started and has not finished"):
        workshop.up()


def test_the_statement_of_a_killed_client_is_ended_by_the_server(workshop: Workshop) -> None:
    workshop.write(1, "select pg_sleep(600);")
    process = workshop.start("up")
    wait_for(lambda: workshop.ask(SLEEPERS))
    process.kill()
    process.communicate()
    wait_for(lambda: not workshop.ask(SLEEPERS))
    assert workshop.states() == {"1": "pending"}


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels_the_statement_on_the_server(
    workshop: Workshop, stop: signal.Signals
) -> None:
    workshop.write(1, BUSY)
    workshop.write(2, "create table public.half (id int);\nselect pg_sleep(600);")
    workshop.write(3, "select 1;")
    process = workshop.start("up")
    wait_for(lambda: workshop.ask(SLEEPERS))
    process.send_signal(stop)
    _, errors = process.communicate(timeout=PATIENCE)
    told = "error: Interrupted. Applied: 1_a.sql. Not applied: 2_a.sql, 3_a.sql."
    assert (process.returncode, errors.strip()) == (130, told)
    assert workshop.ask(SLEEPERS) == []
    assert workshop.states() == {"1": "applied", "2": "pending", "3": "pending"}


def test_an_interrupted_file_without_transaction_is_recorded_as_failed(workshop: Workshop) -> None:
    workshop.write(1, f"{NO_TRANSACTION}select pg_sleep(600);")
    process = workshop.start("up")
    wait_for(lambda: workshop.ask(SLEEPERS))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert workshop.ask("select error from nlctl.migrations") == ["It was interrupted."]


def test_a_lost_connection_is_told_with_what_is_applied(workshop: Workshop) -> None:
    workshop.write(1, BUSY)
    workshop.write(2, "select pg_terminate_backend(pg_backend_pid());")
    with pytest.raises(DatabaseUnreachable) as failure:
        workshop.up()
    told = "The database closed the connection. Applied: 1_a.sql. Not applied: 2_a.sql."
    assert failure.value.message == told


# Busy tables


@contextmanager
def table_held(workshop: Workshop) -> Iterator[psycopg.Connection]:
    """Somebody in the middle of a transaction that uses public.busy."""
    with workshop.database.connect(autocommit=False) as somebody:
        somebody.execute("lock table public.busy in access share mode")
        yield somebody


def test_a_busy_table_is_let_go_and_tried_again(workshop: Workshop) -> None:
    workshop.database.run(BUSY)
    workshop.write(1, "alter table public.busy add column note text;")
    with table_held(workshop) as somebody:
        outcome = runner.up(
            workshop.database.url,
            workshop.folder,
            "workshop",
            options=Options(table_lock_timeout=0.05),
            notice=lambda _: somebody.rollback(),
        )
    assert [applied.version for applied in outcome.applied] == ["1"]


def test_a_table_that_stays_busy_fails_after_the_last_try(workshop: Workshop) -> None:
    workshop.database.run(BUSY)
    workshop.write(1, "select 1;\nalter table public.busy add column note text;")
    with table_held(workshop), pytest.raises(MigrationFailed) as failure:
        workshop.up(table_lock_timeout=0.05, tries=2)
    assert failure.value.message.startswith("1_a.sql:2:1: canceling statement due to lock timeout")


def test_a_deadlock_is_tried_again(workshop: Workshop) -> None:
    workshop.database.run(f"{BUSY} create table public.other (id int);")
    workshop.write(
        1,
        "lock table public.busy;\ndo $$ begin raise warning 'half-way'; end $$;\n"
        "lock table public.other;",
    )
    with (
        workshop.database.connect("supabase_admin", autocommit=False) as somebody,
        ThreadPoolExecutor(1) as pool,
    ):
        somebody.execute("set deadlock_timeout = '1h'")  # so that the runner is the one to lose
        somebody.execute("lock table public.other")

        heard: list[str] = []

        def hear(word: str) -> None:
            heard.append(word)
            if word == "WARNING: half-way":
                pool.submit(cross)

        def cross() -> None:
            somebody.execute("lock table public.busy")
            somebody.rollback()

        outcome = runner.up(
            workshop.database.url,
            workshop.folder,
            "workshop",
            notice=hear,
        )
    assert [applied.version for applied in outcome.applied] == ["1"]
    assert any("deadlock detected" in word for word in heard)


# Half-built indexes

DUPLICATES = """
create table public.people (email text);
insert into public.people values ('ada'), ('ada');
"""
INDEX = "create unique index concurrently people_email on public.people (email);"


@pytest.fixture
def half_built(workshop: Workshop) -> Workshop:
    """A workshop where an index met duplicates half-way."""
    workshop.write(1, DUPLICATES)
    workshop.write(2, NO_TRANSACTION + INDEX)
    with pytest.raises(MigrationFailed):
        workshop.up()
    return workshop


def test_a_half_built_index_is_named_with_the_statement_that_drops_it(workshop: Workshop) -> None:
    workshop.write(1, DUPLICATES)
    workshop.write(2, NO_TRANSACTION + INDEX)
    with pytest.raises(MigrationFailed, match=r"drop index concurrently public\.people_email;"):
        workshop.up()


def test_a_file_that_failed_half_way_is_recorded_with_its_error(half_built: Workshop) -> None:
    [(state, error)] = half_built.database.run(
        "select state, error from nlctl.migrations where version = '2'"
    )
    assert (state, "23505" in error) == ("failed", True)


def test_nothing_runs_after_a_file_that_failed_half_way(half_built: Workshop) -> None:
    half_built.write(3, "select 1;")
    with pytest.raises(MigrationFailed, match=r"stopped half-way before\. Nothing was run"):
        half_built.up()
    assert half_built.states() == {"1": "applied", "2": "failed", "3": "pending"}


def test_repair_drops_the_index_and_lets_the_file_run_again(half_built: Workshop) -> None:
    half_built.database.run("delete from public.people")
    half_built.type("repair", "2", "--status", "reverted", "--drop-invalid-indexes", "--yes")
    half_built.up()
    valid = "select indisvalid from pg_index where indexrelid = 'public.people_email'::regclass"
    assert (half_built.ask(valid), half_built.states()["2"]) == ([True], "applied")


def test_repair_takes_a_file_that_was_finished_by_hand(half_built: Workshop) -> None:
    half_built.type("repair", "2", "--status", "applied", "--yes")
    half_built.write(3, "select 1;")
    assert [applied.version for applied in half_built.up().applied] == ["3"]

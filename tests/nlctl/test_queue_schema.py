"""The job queue's schema is installed before the files that need it, upgraded, and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl.migrations import runner
from nlctl.queue import schema

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Database

NEEDY = """\
-- A chapter that queues work.
-- nlctl: needs job-queue
create table public.orders (id int primary key);
"""
JOBS = "select count(*) from procrastinate.procrastinate_jobs"
QUEUE_ONE = """
select procrastinate.procrastinate_defer_jobs_v1(array[
  row('q', 't', 0, null, null, '{}', null)::procrastinate.procrastinate_job_to_defer_v1])
"""
EARLIER = "03.00.00_50_post_cancel_notification.sql"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "20260101000000_orders.sql").write_text(NEEDY, encoding="utf-8")
    return tmp_path


def test_files_that_need_the_queue_find_it(empty_database: Database, folder: Path) -> None:
    runner.up(empty_database.url, folder, "shop")

    with empty_database.connect() as connection:
        assert schema.is_current(connection)
        # Its functions find their tables whatever the caller's search_path.
        connection.execute("set search_path = ''")
        connection.execute(QUEUE_ONE)
    assert empty_database.run(JOBS) == [(1,)]


def test_files_that_do_not_need_it_are_left_alone(empty_database: Database, tmp_path: Path) -> None:
    (tmp_path / "20260101000000_plain.sql").write_text("select 1;", encoding="utf-8")
    runner.up(empty_database.url, tmp_path, "shop")

    assert empty_database.run("select to_regnamespace('procrastinate') is null") == [(True,)]


def test_a_rehearsal_installs_nothing(empty_database: Database, folder: Path) -> None:
    rehearsed = runner.up(empty_database.url, folder, "shop", options=runner.Options(dry_run=True))

    assert len(rehearsed.applied) == 1
    assert empty_database.run("select to_regnamespace('procrastinate') is null") == [(True,)]


def test_an_older_queue_is_upgraded_though_no_file_is_pending(
    empty_database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.up(empty_database.url, folder, "shop")
    with empty_database.connect() as connection:
        connection.execute(f"comment on schema procrastinate is '{schema.MARK}{EARLIER}'".encode())
        assert not schema.is_current(connection)
    ran: list[str] = []

    def note(*names: str) -> str:
        ran.append(names[-1])
        return "select 1"

    monkeypatch.setattr(schema, "_read", note)

    runner.up(empty_database.url, folder, "shop")

    with empty_database.connect() as connection:
        assert schema.is_current(connection)
    assert ran == sorted(ran)
    assert min(ran) > EARLIER
    assert all("schema.sql" not in name for name in ran)


def test_every_change_since_an_earlier_release_runs(empty_database: Database) -> None:
    """From the first schema this package ever had: all its changes, one after the other."""
    with empty_database.connect(autocommit=False) as connection:
        connection.execute("create schema procrastinate")
        connection.execute(f"comment on schema procrastinate is '{schema.MARK}'".encode())
        schema.install(connection)
        connection.execute(QUEUE_ONE.encode())
        assert schema.is_current(connection)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_nobody_else_uses_what_is_in_it(empty_database: Database, folder: Path, role: str) -> None:
    runner.up(empty_database.url, folder, "shop")

    with empty_database.connect() as connection:
        connection.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(JOBS.encode())
    executable = empty_database.run(
        "select count(*) from pg_proc where pronamespace = 'procrastinate'::regnamespace "
        f"and has_function_privilege('{role}', oid, 'execute')"
    )
    assert executable == [(0,)]

"""Scratch databases: there for as long as they are needed, on a server that is left as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl import project as projects
from nlctl.local import scratch
from nlctl.local.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.local.cluster import Cluster
    from nlctl.project import Project
    from tests.databases import Database

NAMES = "select datname from pg_database where datname like %s"


@pytest.fixture
def room(
    tmp_path: Path,
    cluster: Cluster,
    platform_template: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    """A project whose server is the tests' one."""
    (tmp_path / "nlctl.toml").write_text('[projects.shop]\nmigrations = "sql"\n')
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "1_a.sql").write_text("create table public.a ();")
    monkeypatch.setattr(Stack, "cluster", cluster)
    monkeypatch.setattr(scratch, "TEMPLATE", platform_template.name)
    return projects.at(tmp_path)


def names(database: Database) -> list[str]:
    return [name for (name,) in database.run(NAMES, (f"{scratch.PREFIX}%",))]


def ask(url: str, query: str) -> list[object]:
    with psycopg.connect(url) as connection:
        return [value for (value,) in connection.execute(query.encode())]


def test_it_is_like_a_fresh_project_for_postgres(room: Project) -> None:
    with scratch.database(room) as url:
        found = ask(url, "select current_user || ' ' || count(*) from auth.users")

    assert found == ["postgres 0"]


def test_the_migrations_of_a_project_are_in_it(room: Project) -> None:
    with scratch.migrated(room, "shop") as url:
        found = ask(url, "select to_regclass('public.a') is not null")

    assert found == [True]


def test_it_is_dropped_after_use(room: Project, platform_template: Database) -> None:
    with scratch.database(room):
        pass

    assert names(platform_template) == []


def test_it_is_dropped_after_failure(room: Project, platform_template: Database) -> None:
    with pytest.raises(ZeroDivisionError), scratch.database(room):
        _ = 1 / 0

    assert names(platform_template) == []


def test_what_a_killed_run_left_is_dropped_by_the_next(
    room: Project, platform_template: Database
) -> None:
    with psycopg.connect(
        platform_template.cluster.url("template1", "supabase_admin"), autocommit=True
    ) as admin:
        admin.execute(f"create database {scratch.PREFIX}99999999_left")

    with scratch.database(room):
        there = names(platform_template)

    assert len(there) == 1
    assert f"{scratch.PREFIX}99999999_left" not in there


def test_new_tables_are_closed_as_on_hosted_projects(room: Project) -> None:
    with scratch.server(room, like_hosted=True) as server, server.migrated("shop") as url:
        found = ask(url, "select has_table_privilege('anon', 'public.a', 'select')")

    assert found == [False]


def test_new_tables_are_open_where_the_local_stack_opens_them(room: Project) -> None:
    with scratch.migrated(room, "shop") as url:
        found = ask(url, "select has_table_privilege('anon', 'public.a', 'select')")

    assert found == [True]


def test_a_server_that_runs_goes_on_running(room: Project, cluster: Cluster) -> None:
    with scratch.database(room):
        pass

    assert cluster.port() is not None


def test_a_server_that_was_started_for_it_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "nlctl.toml").touch()
    project = projects.at(tmp_path)
    stack = Stack(project)
    try:
        with scratch.server(project):
            ran = stack.cluster.port() is not None
        runs = stack.cluster.port() is not None
    finally:
        stack.cluster.destroy()

    assert (ran, runs) == (True, False)

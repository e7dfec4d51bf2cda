"""Extensions: which of them projects may create, and those that are only named or kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl.local.platform import extensions

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.local.cluster import Cluster
    from tests.databases import Database

PULLED_INTO = {
    "http": "extensions",
    "pg_graphql": "graphql",
    "pg_net": "extensions",
    "supabase_vault": "vault",
}


@pytest.mark.parametrize("extension", extensions.TRUSTED)
def test_postgres_may_create_what_supabase_lets_it(
    rewritten: Database, empty_database: Database, extension: str
) -> None:
    empty_database.run(f"create extension if not exists {extension} with schema extensions cascade")


@pytest.mark.parametrize("extension", ["file_fdw", "pageinspect", "pg_surgery", "amcheck"])
def test_postgres_may_not_create_what_supabase_does_not_let_it(
    fresh: Database, extension: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        fresh.run(f"create extension {extension}")


def test_a_pulled_schema_names_what_every_project_has(
    rewritten: Database, empty_database: Database
) -> None:
    """As `supabase db pull` writes it; who then calls what is missing has been warned."""
    heard: list[str | None] = []
    with empty_database.connect() as connection:
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        connection.execute("set search_path = ''")
        for name in ("http", "pg_graphql", "pg_net", "pgsodium", "supabase_vault"):
            place = f'with schema "{PULLED_INTO[name]}"' if name in PULLED_INTO else ""
            connection.execute(f'create extension if not exists "{name}" {place}')
        with pytest.raises(psycopg.errors.InvalidSchemaName):
            connection.execute("select net.http_get('http://127.0.0.1')")

    assert heard == [
        f"the local stack has no {name}: what calls it fails"
        for name in ("http", "pg_graphql", "pg_net", "pgsodium")
    ]


@pytest.fixture
def with_pg_cron(rewritten: Database, empty_database: Database) -> Database:
    """A project whose migration has created pg_cron."""
    empty_database.run("create extension pg_cron with schema pg_catalog")
    return empty_database


def test_a_schedule_is_kept_and_never_run(with_pg_cron: Database) -> None:
    heard: list[str | None] = []
    with with_pg_cron.connect() as connection:
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        connection.execute("select cron.schedule('tidy', '0 3 * * *', 'vacuum')")
        connection.execute("select cron.schedule('tidy', '30 seconds', 'select 1')")
        connection.execute("select cron.alter_job(jobid, active => false) from cron.job")

    assert heard == ["the local stack has no pg_cron: job tidy is kept and never run"] * 2
    assert with_pg_cron.run(
        "select jobname, schedule, command, username, active from cron.job"
    ) == [("tidy", "30 seconds", "select 1", "postgres", False)]


def test_a_schedule_goes_by_its_name_or_number(with_pg_cron: Database) -> None:
    [(number,)] = with_pg_cron.run("select cron.schedule('@daily', 'select 1')")
    with_pg_cron.run("select cron.schedule('tidy', '5 4 * * SUN', 'select 1')")

    assert with_pg_cron.run("select cron.unschedule('tidy')") == [(True,)]
    assert with_pg_cron.run("select cron.unschedule(%s)", [number]) == [(True,)]
    assert with_pg_cron.run("select count(*) from cron.job") == [(0,)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("schedule('tidy', 'at night', 'select 1')", "invalid schedule: at night"),
        ("unschedule('tidy')", "could not find valid entry for job 'tidy'"),
        ("unschedule(7)", "could not find valid entry for job 7"),
        ("alter_job(7, active => false)", "Job 7 does not exist or you don't own it"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    with_pg_cron: Database, call: str, message: str
) -> None:
    with pytest.raises(psycopg.Error, match=message):
        with_pg_cron.run(f"select cron.{call}")


def test_a_server_of_another_database_can_be_made(
    rewritten: Database, empty_database: Database
) -> None:
    empty_database.run("create extension postgres_fdw with schema extensions")

    empty_database.run("create server elsewhere foreign data wrapper postgres_fdw")


def test_preparing_again_writes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    extensions.prepare(tmp_path, cluster.binaries.share)
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "extension").iterdir()}

    extensions.prepare(tmp_path, cluster.binaries.share)

    after = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "extension").iterdir()}
    assert after == before


def test_preparing_mends_what_an_older_version_left(cluster: Cluster, tmp_path: Path) -> None:
    extensions.prepare(tmp_path, cluster.binaries.share)
    pgjwt = tmp_path / "extension" / "pgjwt.control"
    wanted = pgjwt.read_text()
    pgjwt.write_text("default_version = '0.1'")
    (tmp_path / "extension" / "gone.control").write_text("")

    extensions.prepare(tmp_path, cluster.binaries.share)

    assert pgjwt.read_text() == wanted
    assert not (tmp_path / "extension" / "gone.control").exists()


def test_an_extension_of_the_server_is_not_rewritten(tmp_path: Path) -> None:
    system = tmp_path / "share" / "extension"
    system.mkdir(parents=True)
    (system / "pgcrypto.control").write_text("default_version = '1.3'")
    (system / "refint.control").write_text("default_version = '1.0'\ntrusted = false\n")
    (system / "refint--1.0.sql").write_text("select 1;")

    extensions.prepare(tmp_path, tmp_path / "share")

    made = {file.name for file in (tmp_path / "extension").iterdir()}
    assert "pgcrypto.control" not in made
    assert {"refint.control", "refint--1.0.sql", "pgjwt.control"} <= made
    assert (tmp_path / "extension" / "refint.control").read_text() == (
        "default_version = '1.0'\ntrusted = true\n"
    )

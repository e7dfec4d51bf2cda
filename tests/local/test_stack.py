"""The local stack as a person meets it: up, status, logs, down, reset."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from nlctl.local.stack import Stack
from nlctl.project import Project
from tests import checkouts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checkouts import Checkout


@pytest.fixture(scope="module")
def running() -> Iterator[Checkout]:
    """A checkout whose stack is up."""
    made = checkouts.copy()
    up = made.nlctl("up")
    assert up.returncode == 0, up.stderr
    yield made
    made.remove()


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout where nothing ran yet."""
    made = checkouts.copy()
    yield made
    made.remove()


def count_of_users(checkout: Checkout) -> int:
    with psycopg.connect(checkout.answer("status")["database_url"]) as connection:
        row = connection.execute("select count(*) from auth.users").fetchone()
        assert row is not None
        return int(row[0])


def add_user(checkout: Checkout) -> None:
    with psycopg.connect(checkout.answer("status")["database_url"]) as connection:
        connection.execute(
            "insert into auth.users (id, email) values (gen_random_uuid(), 'a@b.fr')"
        )


def test_up_ends_with_urls_keys_and_the_active_theme(running: Checkout) -> None:
    said = running.nlctl("up").stdout

    for expected in ("postgresql://postgres:postgres@127.0.0.1:", "sb_publishable_", "NotionLab"):
        assert expected in said


def test_a_second_up_changes_nothing(running: Checkout) -> None:
    before = snapshot(running)

    running.answer("up")

    assert snapshot(running) == before


def snapshot(checkout: Checkout) -> list[tuple[object, ...]]:
    """Every row version of the product's tables: an update of any kind would show."""
    with psycopg.connect(checkout.answer("status")["database_url"]) as connection:
        tables = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables "
            "where schemaname in ('public', 'app', 'nlctl', 'supabase_migrations') order by 1"
        ).fetchall()
        rows: list[tuple[object, ...]] = []
        for (table,) in tables:
            versions = connection.execute(f"select xmin::text, ctid::text from {table} order by 2")
            rows.extend((table, *row) for row in versions.fetchall())
        assert rows
        return rows


def test_status_is_healthy_for_machines(running: Checkout) -> None:
    status = running.answer("status")

    assert status["healthy"] is True
    assert status["project"] == "notionlab"


def test_status_speaks_to_shells(running: Checkout) -> None:
    said = running.nlctl("status", "-o", "env").stdout

    names = [line.split("=")[0] for line in said.splitlines()]
    assert {"DB_URL", "PUBLISHABLE_KEY", "SECRET_KEY", "ANON_KEY", "JWT_SECRET"} <= set(names)


def test_a_visitor_reads_the_theme(running: Checkout) -> None:
    done = running.nlctl("db", "query", "select get_active_theme_tokens()", "--as", "anon")

    assert done.returncode == 0, done.stderr
    assert '"background"' in done.stdout


def test_logs_show_what_the_server_wrote(running: Checkout) -> None:
    assert any("ready to accept connections" in line for line in running.answer("logs")["log"])


def test_status_of_a_stopped_stack_is_not_healthy(checkout: Checkout) -> None:
    done = checkout.nlctl("status", "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "healthy": False,
        "reason": "the database is not running; run: nlctl up",
    }


def test_a_stopped_stack_writes_nothing_into_an_env_file(checkout: Checkout) -> None:
    done = checkout.nlctl("status", "--output", "env")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Not healthy: the database is not running; run: nlctl up\n"


def test_down_keeps_the_data_and_reset_does_not(checkout: Checkout) -> None:
    checkout.answer("up")
    add_user(checkout)
    checkout.answer("down")
    checkout.answer("up")
    kept = count_of_users(checkout)

    checkout.answer("reset")

    assert (kept, count_of_users(checkout)) == (1, 0)


def test_reset_takes_the_bytes_of_objects_along(checkout: Checkout) -> None:
    checkout.answer("up")
    left = checkout.root / ".nlctl" / "storage" / "objects" / "12" / "left"
    left.write_bytes(b"bytes of an object")

    checkout.answer("reset")

    assert not left.exists()
    assert left.parent.is_dir()


def test_reset_wipe_starts_with_a_new_server(checkout: Checkout) -> None:
    checkout.answer("up")
    add_user(checkout)

    checkout.answer("reset", "--wipe")

    assert count_of_users(checkout) == 0


def test_two_projects_do_not_meet(running: Checkout, checkout: Checkout) -> None:
    checkout.answer("up")
    add_user(checkout)

    assert count_of_users(checkout) == 1
    assert count_of_users(running) == 0


def test_its_ports_are_remembered(checkout: Checkout) -> None:
    with listening(checkout.first_port + 1):
        first = checkout.answer("up")
    checkout.answer("down")

    again = checkout.answer("up")
    assert (again["api_url"], again["database_url"]) == (first["api_url"], first["database_url"])


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        yield


def test_two_ups_at_once_both_succeed(checkout: Checkout) -> None:
    with ThreadPoolExecutor() as both:
        ups = list(both.map(lambda _: checkout.nlctl("up"), range(2)))

    assert [up.returncode for up in ups] == [0, 0], [up.stderr for up in ups]


@pytest.mark.parametrize("victim", ["nlctl", "everything"])
def test_an_up_killed_at_any_moment_can_be_repeated(checkout: Checkout, victim: str) -> None:
    for moment in range(1, 9):
        kill_during_up(checkout, moment * 0.2, with_server=victim == "everything")

    checkout.answer("up")

    assert checkout.answer("status")["active_theme"]


def kill_during_up(checkout: Checkout, seconds: float, *, with_server: bool) -> None:
    up = subprocess.Popen(
        checkout.command("up"),
        cwd=checkout.root,
        env=checkout.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        up.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(up.pid, signal.SIGKILL)
        up.wait()
    if with_server:
        for process in servers_of(checkout):
            with suppress(psutil.NoSuchProcess):  # children end with their server
                process.kill()


def servers_of(checkout: Checkout) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        inside = str(process.info["cwd"] or "").startswith(str(checkout.root))
        if inside and "postgres" in (process.info["name"] or ""):
            found.append(process)
    return found


def test_root_can_keep_a_checkout_where_nobody_else_may_look(checkout: Checkout) -> None:
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root has to lend its files to another user")
    checkout.root.parent.chmod(0o700)

    assert checkout.answer("up")["healthy"] is True
    checkout.answer("reset", "--wipe")
    Stack(Project(checkout.root)).cluster.destroy()

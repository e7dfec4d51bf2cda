"""The cluster comes up whatever happened before, or says in one line what to do."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from nlctl.local import binaries
from nlctl.local.cluster import HOST, SUPERUSER, VOLATILE, Cluster, ClusterFailed, PortTaken
from tests import databases, disks

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 25600  # below those that systems give to outgoing connections


@pytest.fixture
def folder() -> Iterator[Path]:
    """A scratch folder on memory."""
    made = databases.scratch_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def mine(folder: Path) -> Iterator[Cluster]:
    """A cluster of the test's own, that keeps what it commits."""
    made = Cluster(folder / "database", binaries.find())
    yield made
    made.destroy()


def query(cluster: Cluster, statement: str) -> object:
    with psycopg.connect(cluster.url("postgres", SUPERUSER)) as connection:
        row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return row[0]


def run(cluster: Cluster, statement: str) -> None:
    with psycopg.connect(cluster.url("postgres", SUPERUSER)) as connection:
        connection.execute(statement.encode())


def server(cluster: Cluster) -> psutil.Process:
    return psutil.Process(int((cluster.data / "postmaster.pid").read_text().split()[0]))


def kill(process: psutil.Process) -> None:
    process.kill()
    process.wait()


@contextmanager
def occupied() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as stranger:
        stranger.bind((HOST, 0))
        stranger.listen()
        yield stranger.getsockname()[1]


def test_a_running_server_is_left_alone(mine: Cluster) -> None:
    port = mine.start(PORT)
    first = server(mine).pid

    assert (mine.start(PORT), server(mine).pid) == (port, first)


def test_a_committed_row_survives_a_killed_server(mine: Cluster) -> None:
    mine.start(PORT)
    run(mine, "create table kept as select 42 as answer")
    kill(server(mine))

    mine.start(PORT)

    assert query(mine, "select answer from kept") == 42


def test_a_server_stops_and_starts_with_its_rows(mine: Cluster) -> None:
    mine.start(PORT)
    run(mine, "create table kept as select 42 as answer")
    assert mine.stop()
    assert mine.port() is None

    mine.start(PORT)

    assert query(mine, "select answer from kept") == 42


def test_a_pid_file_that_names_another_program_is_not_believed(mine: Cluster) -> None:
    mine.start(PORT)
    pid_file = mine.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    mine.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))

    assert mine.port() is None
    mine.start(PORT)
    assert query(mine, "select 1") == 1


def test_half_a_data_folder_is_made_again(mine: Cluster) -> None:
    (mine.home / "data.partial").mkdir(parents=True)
    (mine.home / "data.partial" / "PG_VERSION").write_text("18")

    mine.start(PORT)

    assert query(mine, "select 1") == 1


def test_a_taken_port_gives_way_to_the_next_of_its_family(mine: Cluster) -> None:
    """The one after it is the inbox's, of a stack that starts later."""
    with occupied() as port:
        further = mine.start(port) - port
    assert (further > 0, further % 10) == (True, 0)


def test_a_taken_port_that_was_asked_for_is_named(mine: Cluster) -> None:
    with occupied() as port, pytest.raises(PortTaken, match=f"Port {port} is taken"):
        mine.start(port, exact=True)


def test_data_of_another_major_version_is_refused(mine: Cluster) -> None:
    mine.start(PORT)
    mine.stop()
    other = replace(mine, binaries=replace(mine.binaries, version="14.2"))

    made_by = f"made by PostgreSQL {mine.binaries.major}, but these programs are 14"
    with pytest.raises(ClusterFailed, match=made_by):
        other.start(PORT)


def test_two_clusters_never_meet(mine: Cluster, folder: Path) -> None:
    other = Cluster(folder / "other", binaries.find(), VOLATILE)
    mine.start(PORT)
    other.start(PORT)
    try:
        run(mine, "create table only_here ()")
        assert query(other, "select to_regclass('only_here') is null")
    finally:
        other.destroy()


def test_a_cluster_lives_in_a_folder_of_any_name(folder: Path) -> None:
    cluster = Cluster(folder / "L'été d'Anne % \\n" / "database", binaries.find())
    cluster.start(PORT)
    try:
        extensions = "select count(*) from pg_available_extensions where name = 'pgcrypto'"
        assert query(cluster, extensions) == 1
    finally:
        cluster.destroy()


def test_only_this_machine_can_connect(mine: Cluster) -> None:
    mine.start(PORT)

    listening = [
        connection.laddr.ip
        for connection in server(mine).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == [HOST]


def test_a_wrong_password_is_refused(mine: Cluster) -> None:
    mine.start(PORT)
    url = mine.url().replace("postgres@", "wrong@")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_a_full_disk_is_said_and_nothing_is_lost(folder: Path) -> None:
    with disks.small(folder / "small", "100m") as disk:
        cluster = Cluster(disk / "database", binaries.find())
        cluster.start(PORT)
        run(cluster, "create table kept as select 42 as answer")
        cluster.stop()

        with disks.filled(disk), pytest.raises(ClusterFailed, match="disk is full"):
            cluster.start(PORT)
        cluster.start(PORT)
        assert query(cluster, "select answer from kept") == 42
        cluster.destroy()


def test_a_disk_too_small_to_begin_is_said(folder: Path) -> None:
    with disks.small(folder / "small", "8m") as disk:
        cluster = Cluster(disk / "database", binaries.find())

        with pytest.raises(ClusterFailed, match="disk is full"):
            cluster.start(PORT)


@pytest.mark.parametrize("round_number", range(10))
def test_a_start_killed_at_any_moment_can_be_repeated(mine: Cluster, round_number: int) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-c", START, str(mine.home), str(PORT)], start_new_session=True
    )
    try:
        starting.wait(timeout=0.08 * round_number)
    except subprocess.TimeoutExpired:
        os.killpg(starting.pid, signal.SIGKILL)
        starting.wait()

    mine.start(PORT)

    assert query(mine, "select 1") == 1


START = """
import sys
from pathlib import Path
from nlctl.local import binaries
from nlctl.local.cluster import Cluster
Cluster(Path(sys.argv[1]), binaries.find()).start(int(sys.argv[2]))
"""


def test_words_are_stemmed_as_on_the_platform(mine: Cluster) -> None:
    mine.start(PORT)

    assert query(mine, "select to_tsvector('running')::text") == "'run':1"


def test_two_may_stop_it_at_once(mine: Cluster) -> None:
    mine.start(PORT)

    with ThreadPoolExecutor() as both:
        list(both.map(lambda _: mine.stop(), range(2)))

    assert mine.port() is None


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="Other allocators are not asked to keep anything."
)
def test_memory_of_one_answer_serves_the_next(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres", SUPERUSER)) as connection:
        backend = Path(f"/proc/{connection.info.backend_pid}/stat")
        for _ in range(3):
            connection.execute(LONG_ANSWER)
        before = _pages_asked_for(backend)
        for _ in range(10):
            connection.execute(LONG_ANSWER)
        asked_for = _pages_asked_for(backend) - before

    assert asked_for < 100, "each answer takes its memory from the system anew"


LONG_ANSWER = b"select json_agg(repeat('x', 1000))::text from generate_series(1, 200)"


def _pages_asked_for(process: Path) -> int:
    """Minor faults, of what Linux tells of a process."""
    return int(process.read_text().rpartition(")")[2].split()[7])

"""What is cut, killed and restarted: no message is lost or doubled, and no disk fills up."""

from __future__ import annotations

import asyncio
import shutil
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from nlctl.local import binaries, platform, ports
from nlctl.local.cluster import SUPERUSER, Cluster
from nlctl.local.stack import Stack
from nlctl.project import Project
from tests import databases, killing
from tests.databases import Database
from tests.local.realtime import hearing
from tests.local.realtime.listener import listen_until_killed
from tests.local.realtime.watching import Screen, authenticated, make_notes, watching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess

ROUNDS = 50
MEGABYTES = 64


class Speaker:
    """Somebody who says 1, 2, 3, … without end, each in its own transaction, and knows what was
    committed."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self.said: list[str] = []

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def start(self) -> None:
        self._thread.start()

    def _speak(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._is_over.wait(0.001):
                event = str(len(self.said) + 1)
                connection.execute("select realtime.send('{}', %s, 'room')", (event,))
                self.said.append(event)


@contextmanager
def speaking(database: Database) -> Iterator[Speaker]:
    speaker = Speaker(database)
    speaker.start()
    try:
        yield speaker
    finally:
        speaker.stop()


@pytest.fixture
def durable() -> Iterator[Database]:
    """A database on a server of its own that loses nothing it has committed, and keeps no log."""
    home = databases.scratch_folder() / "database"
    cluster = Cluster(home, binaries.find(), {"fsync": "off", "max_slot_wal_keep_size": "8MB"})
    cluster.start(free_port(), exact=True)
    made = databases.create(cluster, name="durable")
    platform.install(made.admin_url)
    yield made
    databases.destroy_cluster(cluster)


def test_a_listener_killed_again_and_again_hears_everything_once_from_when_it_is_back(
    empty_database: Database,
) -> None:
    with speaking(empty_database) as speaker:
        for _ in range(ROUNDS):
            with listener(empty_database) as listening:
                heard: list[str] = []
                while "live" not in heard or len(heard) < 10:
                    heard.append(listening.next())
                heard += listening.kill()
            events = [int(event) for event in heard if event != "live"]
            assert events
            assert events == list(range(events[0], events[0] + len(events)))
    asyncio.run(hearing.no_slot(empty_database))
    stored = empty_database.run("select event from realtime.messages")
    assert sorted(int(event) for (event,) in stored) == list(range(1, len(speaker.said) + 1))


def test_a_restarted_database_loses_and_doubles_nothing(durable: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(durable) as hub:
            durable.run(said("before"))
            await hub.hears_event("before")
            for restart in (stop, kill):
                await asyncio.to_thread(restart, durable.cluster)
                durable.run(said(f"after {restart.__name__}"))
            await hub.hears_event("after kill")

        assert hub.events() == ["before", "after stop", "after kill"]

    asyncio.run(scenario())


def test_what_was_committed_just_before_a_crash_is_heard(durable: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(durable) as hub:
            for number in range(1, 21):
                durable.run(said(str(number)))
            await asyncio.to_thread(kill, durable.cluster)
            await hub.hears_event("20")

        assert hub.events() == [str(number) for number in range(1, 21)]

    asyncio.run(scenario())


def test_nobody_listening_leaves_no_slot(empty_database: Database) -> None:
    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            await hearing.a_slot(empty_database)
            hub.leave()
            await hearing.no_slot(empty_database)
            write_log(empty_database)
            assert hearing.slots(empty_database) == []

            hub.enter()
            await hearing.a_slot(empty_database)

    asyncio.run(scenario())


def test_a_killed_listener_leaves_no_slot(empty_database: Database) -> None:
    with listener(empty_database) as listening:
        assert listening.next() == "live"
        listening.kill()

    asyncio.run(hearing.no_slot(empty_database))


def test_a_listener_lets_the_log_of_other_tables_go(empty_database: Database) -> None:
    """Somebody listens, nothing is said, and much is written."""

    async def scenario() -> None:
        async with hearing.listening(empty_database) as hub:
            await hearing.a_slot(empty_database)
            start = position(empty_database)
            write_log(empty_database)
            written = position(empty_database)
            assert written - start > MEGABYTES * 1_000_000

            async with asyncio.timeout(hearing.WAIT_SECONDS):
                while held(empty_database) < written:
                    empty_database.run("checkpoint", user=SUPERUSER)
                    await asyncio.sleep(0.05)
            empty_database.run(said("still there"))
            await hub.hears_event("still there")

    asyncio.run(scenario())


def test_a_listener_that_stands_still_fills_no_disk_and_misses_nothing(durable: Database) -> None:
    """The server gives its slot up, and it finds in the table what it did not hear."""
    with listener(durable) as listening:
        assert listening.next() == "live"
        durable.run(said("before"))
        assert listening.next() == "before"

        psutil.Process(listening.process.pid).suspend()
        durable.run(said("during"))
        write_log(durable)
        asyncio.run(hearing.no_slot(durable))
        psutil.Process(listening.process.pid).resume()

        assert listening.next() == "during"
        durable.run(said("after"))
        assert listening.next() == "after"


def test_a_row_is_looked_at_when_everybody_sees_it(durable: Database) -> None:
    """A commit that waits for a standby is in the log, but no other session sees it yet."""
    make_notes(durable)
    notes = {"event": "*", "schema": "public", "table": "notes"}

    async def scenario() -> None:
        screen = Screen(authenticated("ada"), notes)
        async with watching(durable, screen):
            set_standby(durable, "nobody")
            writing = asyncio.to_thread(
                durable.run, "insert into public.notes values (1, 'ada', 'a')"
            )
            committing = asyncio.create_task(writing)
            await hearing.until(lambda: has_looked(durable))
            assert not committing.done()
            set_standby(durable, "")
            await committing
            await screen.sees(1)

    asyncio.run(scenario())


def test_a_database_that_is_listened_to_can_be_thrown_away() -> None:
    root = databases.scratch_folder()
    (root / "supabase").mkdir()
    (root / "supabase" / "config.toml").write_text(f"[db]\nport = {free_port()}\n")
    (root / ".nlctl").mkdir()
    stack = Stack(Project(root))
    stack.start_database()
    try:
        with listener(Database(stack.cluster, "postgres")) as listening:
            assert listening.next() == "live"
            stack.recreate_database()
    finally:
        stack.cluster.destroy()
        shutil.rmtree(root)


def free_port() -> int:
    """A port below those that systems give to outgoing connections."""
    with ports.listen(ports.LOOPBACK, 28400) as free:
        return int(free.getsockname()[1])


def set_standby(database: Database, name: str) -> None:
    with database.connect(SUPERUSER) as admin:
        admin.execute(f"alter system set synchronous_standby_names = '{name}'".encode())
        admin.execute("select pg_reload_conf()")


def has_looked(database: Database) -> bool:
    """Whether the service has asked about a change, or waits until it may."""
    [(count,)] = database.run(
        "select count(*) from pg_stat_activity "
        "where application_name = 'nlctl realtime changes' and backend_type = 'client backend' "
        "and (query like '%pg_current_snapshot%' or (query <> '' and state = 'idle'))",
        user=SUPERUSER,
    )
    return bool(count)


@dataclass(frozen=True)
class Listening:
    """A process of its own, and what it tells that it hears."""

    process: BaseProcess
    told: Pipe

    def next(self) -> str:
        """The next thing it tells."""
        assert self.told.poll(3 * hearing.WAIT_SECONDS), "the listener heard nothing for too long"
        return str(self.told.recv())

    def kill(self) -> list[str]:
        """End it; what it still told."""
        self.process.kill()
        rest: list[str] = []
        with suppress(EOFError, OSError):  # the last one may have been cut off
            while True:
                rest.append(self.told.recv())
        return rest


@contextmanager
def listener(database: Database) -> Iterator[Listening]:
    """A process of its own that listens, for as long as the block."""
    with killing.started(listen_until_killed, hearing.realtime_url(database)) as running:
        yield Listening(*running)


def said(event: str) -> str:
    return f"select realtime.send('{{}}', '{event}', 'room')"


def write_log(database: Database) -> None:
    database.run(
        f"do $$ begin for i in 1..{MEGABYTES} loop "
        "perform pg_logical_emit_message(false, 'test', repeat('x', 1024 * 1024)); "
        "end loop; end $$"
    )
    database.run("select pg_switch_wal()", user=SUPERUSER)
    database.run("checkpoint", user=SUPERUSER)


def position(database: Database) -> int:
    [(bytes_written,)] = database.run("select (pg_current_wal_lsn() - '0/0')::bigint")
    return int(bytes_written)


def held(database: Database) -> int:
    """From where on the slot keeps the log."""
    [(bytes_held,)] = database.run(
        "select (restart_lsn - '0/0')::bigint from pg_replication_slots "
        "where database = current_database()"
    )
    return int(bytes_held)


def stop(cluster: Cluster) -> None:
    port = cluster.port()
    assert port
    cluster.stop()
    cluster.start(port, exact=True)


def kill(cluster: Cluster) -> None:
    port = cluster.port()
    assert port
    postmaster = psutil.Process(int((cluster.data / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes)
    cluster.start(port, exact=True)

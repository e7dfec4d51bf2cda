"""The API killed amid uploads and broadcasts: what was acknowledged or committed is there once."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nlctl.local import keys, server
from nlctl.local.stack import Stack
from nlctl.local.storage import orphans
from nlctl.local.tokens import Keyring
from nlctl.project import Project
from tests import databases, families, killing
from tests.local.realtime.serving import ARRAYS, FAR, PATIENCE_SECONDS, Wire
from tests.local.storage.services import ADA, OWN_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.process import BaseProcess

    from tests.local.realtime.serving import Push

ROUNDS = 50
UPLOADERS = 3
SAID_EACH_ROUND = 12  # less than a replay holds
OVERLAP_MS = 60_000
TOKEN = Keyring(keys.JWT_SECRET).sign({"role": "authenticated", "sub": ADA, "exp": FAR})
HEADERS = {"apikey": keys.PUBLISHABLE_KEY, "Authorization": f"Bearer {TOKEN}"}

CONFIG = """
project_id = "killed"
[api]
port = 54321
[db]
port = 54322
[local_smtp]
port = 54324
smtp_port = 54325
"""
ROOM = """
create policy listen on realtime.messages for select to authenticated using (true);
create policy speak on realtime.messages for insert to authenticated with check (true);
create table public.steps (id int primary key);
create function public.broadcast_step() returns trigger language plpgsql as $$
begin
  perform realtime.broadcast_changes(
    'room', new.id::text, tg_op, tg_table_name, tg_table_schema, new, old);
  return null;
end;
$$;
create trigger steps_broadcast after insert on public.steps
  for each row execute function public.broadcast_step();
"""


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A project of the test's own whose database runs, as `nlctl up` leaves it before the API."""
    root = databases.scratch_folder() / "killed"
    (root / "supabase").mkdir(parents=True)
    (root / "supabase" / "config.toml").write_text(families.move(CONFIG, families.take()))
    made = Stack(Project(root))
    with made.lock():
        made.start_database()
    with psycopg.connect(made.cluster.url()) as connection:
        connection.execute(ROOM.encode())
        connection.execute(OWN_FOLDER.encode())
    yield made
    made.stop()
    shutil.rmtree(root.parent)


def answer_until_killed(root: str, told: Pipe) -> None:
    """What the process that `nlctl up` starts does; it is never asked to stop."""
    stack = Stack(Project(Path(root)))
    with stack.api.log.open("a") as log, redirect_stdout(log):
        server.run(stack.project, stack.order(), started=lambda where: told.send(where.url))


@contextmanager
def process(stack: Stack) -> Iterator[tuple[BaseProcess, str]]:
    """The API in a process of its own, and its address; killed at the end of the block."""
    with killing.process(answer_until_killed, str(stack.project.root)) as running:
        yield running


@dataclass
class Listener:
    """Somebody who comes back to the room after each kill, and asks what he has missed."""

    lives: list[list[Push]] = field(default_factory=list)
    since: int = field(default_factory=lambda: int(time.time() * 1000))

    @contextmanager
    def in_the_room(self, url: str) -> Iterator[Wire]:
        """Joined, with what was said since shortly before he was cut off."""
        self.lives.append([])
        address = f"{url.replace('http', 'ws')}/realtime/v1/websocket"
        key = f"apikey={keys.PUBLISHABLE_KEY}&vsn={ARRAYS}"
        with connect(f"{address}?{key}", close_timeout=PATIENCE_SECONDS) as connection:
            wire = Wire(connection, ARRAYS)
            replay = {"replay": {"since": self.since - OVERLAP_MS}}
            reply = wire.join("room", access_token=TOKEN, private=True, broadcast=replay)
            assert reply.payload["status"] == "ok", reply.payload
            yield wire
        self.since = int(time.time() * 1000)

    def listen(self, wire: Wire, last: str | None = None) -> None:
        """Hear everything until the connection breaks, or until `last` is said."""
        heard = self.lives[-1]
        try:
            while not heard or heard[-1].payload["event"] != last:
                heard.append(wire.next("broadcast"))
        except ConnectionClosed:
            assert last is None

    def fresh(self) -> dict[str, str]:
        """What was said in SQL, by its id, as a client has it that passes over what it has."""
        first: dict[str, str] = {}
        for push in itertools.chain.from_iterable(self.lives):
            if "meta" in push.payload:
                first.setdefault(push.payload["meta"]["id"], push.payload["event"])
        return first


@dataclass
class Round:
    """One life of the API, which ends at a commit (in even rounds) or at an upload's answer."""

    number: int
    database_url: str
    child: BaseProcess
    ada: httpx.Client
    acknowledged: dict[str, int]
    attempted: dict[str, int]
    answers: Iterator[int] = field(default_factory=itertools.count)
    turns: Semaphore = field(default_factory=lambda: Semaphore(1))

    @property
    def fatal(self) -> int:
        """How many commits or answers come before the kill."""
        return self.number // 2 % SAID_EACH_ROUND

    def kill(self) -> None:
        """End the process; what is still to be committed need not wait any longer."""
        self.child.kill()
        self.turns.release(SAID_EACH_ROUND)

    def speak(self) -> None:
        """Commit one message after the other, after each answer one."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            for count in range(SAID_EACH_ROUND):
                self.turns.acquire()
                said = SAID_EACH_ROUND * self.number + count
                if said % 2:
                    connection.execute("select realtime.send('{}', %s, 'room')", (str(said),))
                else:
                    connection.execute("insert into public.steps values (%s)", (said,))
                if self.number % 2 == 0 and count == self.fatal:
                    self.kill()

    def upload(self, uploader: int) -> None:
        """Replace an object and tell of it, again and again until nobody answers any more."""
        name = f"{ADA}/{self.number}-{uploader}"
        with suppress(httpx.TransportError):
            while True:
                attempt = self.attempted[name] = self.attempted.get(name, 0) + 1
                self._replace(name, attempt)
                self._tell(f"{name} {attempt}")

    def _replace(self, name: str, attempt: int) -> None:
        place = f"/storage/v1/object/private/{name}"
        content = content_of(name, attempt)
        answer = self.ada.post(place, content=content, headers={"x-upsert": "true"})
        assert answer.status_code == 200, answer.text
        self.acknowledged[name] = attempt
        if self.number % 2 and next(self.answers) == self.fatal:
            self.kill()
        self.turns.release()

    def _tell(self, event: str) -> None:
        said = {"topic": "room", "event": event, "payload": {"a": 1}, "private": True}
        answer = self.ada.post("/realtime/v1/api/broadcast", json={"messages": [said]})
        assert answer.status_code == 202, answer.text


def call(url: str) -> httpx.Client:
    """Ada, who calls the API at `url`."""
    return httpx.Client(base_url=url, headers=HEADERS, timeout=PATIENCE_SECONDS)


def content_of(name: str, attempt: int) -> bytes:
    return hashlib.sha256(f"{name} {attempt}".encode()).digest() * 6000


def test_a_killed_api_loses_and_doubles_nothing(stack: Stack) -> None:
    listener = Listener()
    acknowledged: dict[str, int] = {}
    attempted: dict[str, int] = {}
    for number in range(ROUNDS):
        with process(stack) as (child, url), call(url) as ada, ThreadPoolExecutor() as pool:
            life = Round(number, stack.cluster.url(), child, ada, acknowledged, attempted)
            with listener.in_the_room(url) as wire:
                tasks = [pool.submit(life.upload, uploader) for uploader in range(UPLOADERS)]
                tasks.append(pool.submit(life.speak))
                listener.listen(wire)
            for task in tasks:
                task.result()
    with process(stack) as (_, url), listener.in_the_room(url) as wire, call(url) as ada:
        with psycopg.connect(stack.cluster.url()) as connection:
            connection.execute("select realtime.send('{}', 'end', 'room')")
        listener.listen(wire, last="end")
        check_objects(stack, ada, acknowledged, attempted)

    check_messages(stack, listener)
    assert " ERROR " not in stack.api.log.read_text(encoding="utf-8")


def check_objects(
    stack: Stack, ada: httpx.Client, acknowledged: dict[str, int], attempted: dict[str, int]
) -> None:
    """Nothing that was acknowledged is lost, no row lacks its file, and the rest is cleaned up."""
    assert len(acknowledged) >= ROUNDS // 2
    for name, attempt in acknowledged.items():
        possible = [content_of(name, n) for n in range(attempt, attempted[name] + 1)]
        assert ada.get(f"/storage/v1/object/private/{name}").content in possible
    with psycopg.connect(stack.cluster.url(user="supabase_admin")) as admin:
        found = orphans.find(stack.objects, admin, settled_seconds=0)
        assert found.objects == ()
        found.remove_files()
        versions = {row[0] for row in admin.execute("select version from storage.objects")}
    assert {path.name for path in stack.objects.rglob("*") if path.is_file()} == versions


def check_messages(stack: Stack, listener: Listener) -> None:
    """Each committed message is there once, and heard in its turn by who was away meanwhile."""
    said = [*map(str, range(ROUNDS * SAID_EACH_ROUND)), "end"]
    with psycopg.connect(stack.cluster.url()) as connection:
        rows = connection.execute("select id::text, event from realtime.messages").fetchall()
    assert sorted(event for _, event in rows) == sorted(said)
    for life in listener.lives:
        events = [push.payload["event"] for push in life]
        assert len(events) == len(set(events))
        numbers = [int(event) for event in events if event.isdecimal()]
        assert numbers == sorted(numbers)
    assert listener.fresh() == dict(rows)
    assert list(listener.fresh().values()) == said
